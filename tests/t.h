/* A small test harness: T(name) defines a test, checks print where they failed, the seed is the
 * test's name. SPDX-License-Identifier: Apache-2.0
 *
 * Run one suite: ./unit_base_str; one test: ./unit_base_str -s name. A suite ends with the line
 * "SUITE: N passed, N failed, N skipped". */
#ifndef VD_TESTS_T_H
#define VD_TESTS_T_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rng.h"

typedef struct t_case {
    const char *name;
    void (*fn)(struct t_case *t);
    struct t_case *next;
    int failures;
    bool skipped;
} t_case;

static t_case *t_first, **t_tail = &t_first;

#define T(id)                                                                                      \
    static void test_##id(t_case *t);                                                              \
    static t_case case_##id = { #id, test_##id, NULL, 0, false };                                  \
    __attribute__((constructor)) static void add_##id(void) {                                      \
        *t_tail = &case_##id;                                                                      \
        t_tail = &case_##id.next;                                                                  \
    }                                                                                              \
    static void test_##id(__attribute__((unused)) t_case *t)

#define T_FAIL(...)                                                                                \
    do {                                                                                           \
        t->failures++;                                                                             \
        fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, t->name);                               \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
    } while (0)
#define T_TRUE(e)                                                                                  \
    do {                                                                                           \
        if (!(e)) T_FAIL("not true: %s", #e);                                                      \
    } while (0)
/* Stops the test: for conditions without which the rest makes no sense. */
#define T_NEED(e)                                                                                  \
    do {                                                                                           \
        if (!(e)) {                                                                                \
            T_FAIL("needed: %s", #e);                                                              \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define T_EQ(a, b)                                                                                 \
    do {                                                                                           \
        long long a_ = (long long)(a), b_ = (long long)(b);                                        \
        if (a_ != b_) T_FAIL("%s is %lld, expected %lld", #a, a_, b_);                             \
    } while (0)
#define T_STR(a, b)                                                                                \
    do {                                                                                           \
        const char *a_ = (a), *b_ = (b);                                                           \
        if (strcmp(a_, b_) != 0) T_FAIL("%s is \"%s\", expected \"%s\"", #a, a_, b_);              \
    } while (0)
#define T_NEAR(a, b, tol)                                                                          \
    do {                                                                                           \
        double a_ = (a), b_ = (b), tol_ = (tol);                                                   \
        if (!(fabs(a_ - b_) <= tol_)) T_FAIL("%s is %.9g, expected %.9g +- %g", #a, a_, b_, tol_); \
    } while (0)
#define T_LT(a, b)                                                                                 \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(a_ < b_)) T_FAIL("%s is %.9g, expected below %.9g", #a, a_, b_);                     \
    } while (0)
/* A call that must succeed; `err` must be a vd_err in scope. */
#define T_OK(e)                                                                                    \
    do {                                                                                           \
        vd_status st_ = (e);                                                                       \
        if (st_ != VD_OK) {                                                                        \
            T_FAIL("%s gave %d: %s", #e, st_, err.msg);                                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define T_SKIP(...)                                                                                \
    do {                                                                                           \
        t->skipped = true;                                                                         \
        fprintf(stderr, "skip %s: ", t->name);                                                     \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        return;                                                                                    \
    } while (0)

static inline vd_rng t_rng(const t_case *t) {
    return vd_rng_for(vd_hash64(t->name, strlen(t->name)), 0, 0);
}

/* The folder of real files beside the checkout, NULL where it is absent. */
static inline const char *t_shared(void) {
    const char *dir = getenv("VIDIMUS_TEST_DATA");
    return dir != NULL && access(dir, R_OK) == 0 ? dir : NULL;
}

int main(int argc, char **argv) {
    const char *only = argc > 2 && strcmp(argv[1], "-s") == 0 ? argv[2] : NULL;
    int passed = 0, failed = 0, skipped = 0;
    for (t_case *c = t_first; c != NULL; c = c->next) {
        if (only != NULL && strcmp(only, c->name) != 0) continue;
        c->fn(c);
        if (c->failures > 0)
            failed++;
        else if (c->skipped)
            skipped++;
        else
            passed++;
        if (c->failures > 0) fprintf(stderr, "FAILED %s (%d checks)\n", c->name, c->failures);
    }
    printf("%s: %d passed, %d failed, %d skipped\n", argv[0], passed, failed, skipped);
    return failed > 0;
}
#endif
