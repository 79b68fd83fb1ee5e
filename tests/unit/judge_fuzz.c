/* The fuzz targets of the readers of what is judged, replayed. SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz/replay.h"
#include "fuzz/judge.h"

T(judge_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_judge); k++)
        files += fuzz_replay(t, fuzz_judge[k].name, fuzz_judge[k].run, 256, 1000);
    T_TRUE(files >= 8);
}
