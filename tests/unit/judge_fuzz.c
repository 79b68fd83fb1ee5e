/* The fuzz targets of the readers of what is judged, replayed: every file of the corpus, its
 * prefixes and seeded mutations. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <dirent.h>

#include "fuzz/judge.h"

static void replay_folder(t_case *t, int target, const char *folder, int *files) {
    vd_rng r = t_rng(t);
    uint8_t data[4096], changed[4096];
    DIR *dir = opendir(folder);
    T_NEED(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[1600];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        T_NEED(f != NULL);
        size_t n = fread(data, 1, sizeof data, f);
        fclose(f);
        ++*files;
        for (size_t cut = 0; cut <= n; cut += 1 + cut / 64) fuzz_judge[target].run(data, cut);
        for (int j = 0; j < 1000 && n > 0; j++) {
            memcpy(changed, data, n);
            for (int c = 0; c < 1 + j % 3; c++) {
                int64_t at = vd_rng_int(&r, (int64_t)n);
                /* random bytes, bytes of the file, counts and numbers at their extremes */
                changed[at] = j % 5 == 0   ? 0xff
                              : j % 2 == 0 ? data[vd_rng_int(&r, (int64_t)n)]
                                           : (uint8_t)vd_rng_u64(&r);
            }
            fuzz_judge[target].run(changed, n);
        }
    }
    closedir(dir);
}

T(judge_corpus_prefixes_and_mutations) {
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_judge); k++) {
        char folder[1024];
        snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, fuzz_judge[k].name);
        replay_folder(t, k, folder, &files);
    }
    T_TRUE(files >= 5);
}
