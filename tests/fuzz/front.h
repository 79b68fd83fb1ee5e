/* One fuzz target for each text and file that a user hands to the front doors: arguments of every
 * type, conditions and SQL, thresholds, lists of paths, and files that may be archives. Compiled
 * with libFuzzer (front_fuzz.c), and by tests/unit/ops_fuzz.c, which replays a corpus.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_FRONT_H
#define VD_TESTS_FUZZ_FRONT_H

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "ops/describe.h"
#include "ops/op.h"
#include "source/kind.h"
#include "source/walk.h"
#include "stage/problems.h"
#include "stage/stages.h"

static inline char *fuzz_text(const uint8_t *d, size_t n) {
    char *s = malloc(n + 1);
    if (s == NULL) abort();
    memcpy(s, d, n);
    s[n] = '\0';
    return s;
}

/* The first byte chooses the operation; then each line is an argument, "name=text" or a positional.
 */
static inline void fuzz_args(const uint8_t *d, size_t n) {
    vd_opcall c;
    vd_err err = { 0 };
    if (n < 1 || vd_opcall_init(&c, vd_ops[d[0] % vd_n_ops], NULL) != VD_OK) return;
    char *text = fuzz_text(d + 1, n - 1), *line = text;
    for (char *end; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = '\0';
        char *equals = strchr(line, '=');
        vd_status st;
        if (equals != NULL) {
            *equals = '\0';
            st = vd_opcall_set(&c, line, equals + 1, &err);
        } else {
            st = vd_opcall_set_positional(&c, line, &err);
        }
        if (st != VD_OK && err.msg[0] == '\0') abort();
    }
    if (vd_opcall_finish(&c, &err) == VD_OK) {
        for (int i = 0; i < c.op->n_args; i++) { /* what was accepted lies in its range */
            const vd_arg *a = &c.op->args[i];
            const vd_arg_set *s = &c.sets[i];
            bool number = a->type == VD_T_REAL || a->type == VD_T_SECONDS;
            if (s->text != NULL && number && !isfinite(s->real)) abort();
            bool ranged = (a->min != 0 || a->max != 0) && s->text != NULL;
            if (ranged && number && (s->real < a->min || s->real > a->max)) abort();
            if (ranged && a->type == VD_T_INT &&
                ((double)s->integer < a->min || (double)s->integer > a->max))
                abort();
        }
    }
    vd_opcall_reset(&c);
    free(text);
}

/* A catalog in memory that outlives the calls: what is asked of it must not change it. */
static inline vd_db *fuzz_catalog(void) {
    static vd_db *db;
    if (db == NULL && (vd_db_open(&db, ":memory:", VD_DB_CREATE, NULL) != VD_OK ||
                       vd_schema_upgrade(db, &vd_stage_schema, "", NULL) != VD_OK))
        abort();
    return db;
}

static inline void fuzz_where(const uint8_t *d, size_t n) {
    char *text = fuzz_text(d, n);
    vd_err err = { 0 };
    vd_stmt *s = NULL;
    vd_db *db = fuzz_catalog();
    vd_db_guard(db, 0.2);
    vd_status st = vd_op_check_where(db, text, &err);
    if (st != VD_OK && err.msg[0] == '\0') abort();
    if (vd_db_prepare(&s, db, text, true, NULL) == VD_OK) {
        bool row = true;
        for (int i = 0; i < 1000 && row; i++)
            if (vd_stmt_step(s, &row, NULL) != VD_OK) break;
    }
    vd_stmt_free(s);
    int64_t left = 1;
    vd_db_guard(db, 5);
    if (vd_db_int(db, "SELECT count(*) FROM asset_facts", &left, NULL) != VD_OK || left != 0)
        abort();
    free(text);
}

static inline void fuzz_thresholds(const uint8_t *d, size_t n) {
    char *text = fuzz_text(d, n);
    vd_err err = { 0 };
    if (vd_problem_check_thresholds(text, &err) == VD_OK)
        for (int i = 0; i < vd_n_problem_kinds; i++) {
            double t = vd_problem_threshold(i, text);
            if (!(t >= 0 && t <= 1)) abort();
        }
    free(text);
}

static inline vd_status fuzz_on_file(void *user, const vd_walk_file *f, vd_err *err) {
    (void)user, (void)err;
    if (f->path[0] != '/') abort();
    return VD_OK;
}

/* Lists of paths; slashes and dots are taken out, so that no walk leaves an empty folder. */
static inline void fuzz_paths(const uint8_t *d, size_t n) {
    char *text = fuzz_text(d, n);
    const vd_walk_opt opt = { true, fuzz_on_file, NULL, NULL };
    vd_walk *w = NULL;
    for (size_t i = 0; i < n; i++)
        if (text[i] == '/' || text[i] == '.') text[i] = 'x';
    FILE *f = n > 0 ? fmemopen(text, n, "r") : NULL;
    if (f != NULL && vd_walk_new(&w, &opt, NULL) == VD_OK)
        vd_walk_list(w, f, n % 2 ? '\n' : '\0', NULL);
    vd_walk_free(w);
    if (f != NULL) fclose(f);
    free(text);
}

static inline void fuzz_kind(const uint8_t *d, size_t n) {
    static const char *const names[] = { "a.zip", "a.tar.gz", "a", "a.docx" };
    vd_source_kind kind = VD_SOURCE_PLAIN;
    int fd = memfd_create("kind", MFD_CLOEXEC);
    vd_source_maybe_container(d, n);
    if (fd >= 0 && write(fd, d, n) == (ssize_t)n) vd_source_kind_of(&kind, fd, names[n % 4], NULL);
    if (fd >= 0) close(fd);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_front[] = { { "args", fuzz_args },
                   { "where", fuzz_where },
                   { "thresholds", fuzz_thresholds },
                   { "paths", fuzz_paths },
                   { "kind", fuzz_kind } };

#endif
