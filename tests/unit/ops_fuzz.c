/* The fuzz targets of the front doors, replayed. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/front.h"
#include "fuzz/replay.h"

T(front_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_front); k++)
        files += fuzz_replay(t, fuzz_front[k].name, fuzz_front[k].run, 40, 60);
    T_TRUE(files >= 12);
}
