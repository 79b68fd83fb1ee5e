/* The fuzz targets of the readers of labels, replayed: every file of the corpus, its
 * prefixes and seeded mutations. SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/replay.h"
#include "fuzz/label.h"

T(label_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_label); k++)
        files += fuzz_replay(t, fuzz_label[k].name, fuzz_label[k].run, FUZZ_FILE + 1, 2000);
    T_TRUE(files >= 20);
}
