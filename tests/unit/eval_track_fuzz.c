/* The fuzz targets of tracks, replayed. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/replay.h"
#include "fuzz/track.h"

T(track_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_track); k++) {
        char folder[1024];
        snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, fuzz_track[k].name);
        files += fuzz_replay(t, fuzz_track[k].run, folder);
    }
    T_TRUE(files >= 4);
}
