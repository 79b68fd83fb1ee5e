/* Replaying a fuzz target without a fuzzer: every file of its corpus, prefixes of it, and seeded
 * mutations. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_REPLAY_H
#define VD_TESTS_FUZZ_REPLAY_H

#include "t.h"

#include <dirent.h>

typedef void (*fuzz_target)(const uint8_t *data, size_t n);

enum { FUZZ_FILE = 4096 };

/* Random bytes, bytes of the file, counts and numbers at their extremes. */
static inline void fuzz_mutate(vd_rng *r, uint8_t *changed, const uint8_t *data, size_t n, int j) {
    memcpy(changed, data, n);
    for (int c = 0; c < 1 + j % 3; c++)
        changed[vd_rng_int(r, (int64_t)n)] = j % 5 == 0   ? 0xff
                                             : j % 2 == 0 ? data[vd_rng_int(r, (int64_t)n)]
                                                          : (uint8_t)vd_rng_u64(r);
}

/* At most `cuts` prefixes of each file, and so many mutations. Returns the number of files. */
static inline int fuzz_replay(t_case *t, const char *name, fuzz_target run, size_t cuts,
                              int mutations) {
    vd_rng r = t_rng(t);
    uint8_t data[FUZZ_FILE], changed[FUZZ_FILE];
    char folder[1024];
    int files = 0;
    snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, name);
    DIR *dir = opendir(folder);
    if (dir == NULL) T_FAIL("no %s", folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char path[1600];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        size_t n = f != NULL ? fread(data, 1, sizeof data, f) : 0;
        if (f == NULL) T_FAIL("cannot read %s", path);
        if (f != NULL) fclose(f);
        files++;
        for (size_t cut = 0; cut <= n; cut += 1 + n / cuts) run(data, cut);
        for (int j = 0; j < mutations && n > 0; j++) {
            fuzz_mutate(&r, changed, data, n, j);
            run(changed, n);
        }
    }
    if (dir != NULL) closedir(dir);
    return files;
}
#endif
