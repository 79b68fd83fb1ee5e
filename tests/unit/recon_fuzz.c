/* The fuzz targets of the readers of reconstructions, replayed. SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz/recon.h"
#include "fuzz/replay.h"

T(recon_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_recon); k++)
        files += fuzz_replay(t, fuzz_recon[k].name, fuzz_recon[k].run, FUZZ_FILE + 1, 2000);
    T_TRUE(files >= 7);
}
