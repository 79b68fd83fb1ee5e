/* Replays a corpus through a fuzz target, in tests without libFuzzer: every file of a folder, its
 * prefixes and seeded mutations. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_REPLAY_H
#define VD_TESTS_FUZZ_REPLAY_H

#include "t.h"

#include <dirent.h>

typedef void (*fuzz_run)(const uint8_t *d, size_t n);

/* Returns how many files there were. */
static inline int fuzz_replay(t_case *t, fuzz_run run, const char *folder) {
    vd_rng r = t_rng(t);
    uint8_t data[4096], changed[4096];
    int files = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) T_FAIL("no folder %s", folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char path[1600];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        size_t n = f != NULL ? fread(data, 1, sizeof data, f) : 0;
        if (f == NULL)
            T_FAIL("cannot open %s", path);
        else
            fclose(f);
        files++;
        for (size_t cut = 0; cut <= n; cut++) run(data, cut);
        for (int j = 0; j < 2000 && n > 0; j++) {
            memcpy(changed, data, n);
            for (int c = 0; c < 1 + j % 3; c++) {
                int64_t at = vd_rng_int(&r, (int64_t)n);
                /* random bytes, bytes of the file, counts and numbers at their extremes */
                changed[at] = j % 5 == 0   ? 0xff
                              : j % 2 == 0 ? data[vd_rng_int(&r, (int64_t)n)]
                                           : (uint8_t)vd_rng_u64(&r);
            }
            run(changed, n);
        }
    }
    if (dir != NULL) closedir(dir);
    return files;
}
#endif
