/* A scratch folder for tests that need real files. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_TMPDIR_H
#define VD_TESTS_TMPDIR_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct t_dir {
    char path[256];
} t_dir;

static inline t_dir t_dir_new(void) {
    t_dir d;
    const char *base = getenv("TMPDIR");
    snprintf(d.path, sizeof d.path, "%s/vidimus-test-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(d.path) == NULL) abort();
    return d;
}

static inline int t_dir_remove_one(const char *p, const struct stat *s, int type, struct FTW *f) {
    (void)s, (void)f;
    if (type == FTW_DNR) chmod(p, 0700);
    return remove(p);
}

static inline void t_dir_free(const t_dir *d) {
    nftw(d->path, t_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* DIR/name in one of a few rotating buffers. */
static inline const char *t_dir_at(const t_dir *d, const char *name) {
    static char buf[8][512];
    static int i;
    char *b = buf[i++ % 8];
    snprintf(b, sizeof buf[0], "%s/%s", d->path, name);
    return b;
}

/* Writes a file, making the folders above it inside the scratch folder. */
static inline void t_dir_put(const t_dir *d, const char *name, const void *data, size_t n) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", d->path, name);
    for (char *p = path + strlen(d->path) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    if (f == NULL) abort();
    fwrite(data, 1, n, f);
    fclose(f);
}

#endif
