/* The fuzz targets of the readers of reconstructions, replayed: every file of the corpus, its
 * prefixes and seeded mutations. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/replay.h"
#include "fuzz/recon.h"

T(recon_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_recon); k++) {
        char folder[1024];
        snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, fuzz_recon[k].name);
        files += fuzz_replay(t, fuzz_recon[k].run, folder);
    }
    T_TRUE(files >= 7);
}
