/* The fuzz targets of tracks, replayed. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/replay.h"
#include "fuzz/track.h"

T(track_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_track); k++)
        files += fuzz_replay(t, fuzz_track[k].name, fuzz_track[k].run, FUZZ_FILE + 1, 2000);
    T_TRUE(files >= 4);
}
