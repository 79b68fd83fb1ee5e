/* The fuzz targets of curation and of label files, replayed. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/replay.h"
#include "fuzz/curate.h"

T(curate_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_curate); k++)
        files += fuzz_replay(t, fuzz_curate[k].name, fuzz_curate[k].run, 64, 200);
    T_TRUE(files >= 20);
}
