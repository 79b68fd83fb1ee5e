/* The CHOLMOD adapter: the one file that knows it. SPDX-License-Identifier: Apache-2.0
 *
 * Its memory comes from malloc, since its allocator hooks are process-global. CHOLMOD opens OpenMP
 * regions of up to four threads of its own; an active-levels limit of zero makes them run on the
 * calling thread alone. */
#include "math/sparse.h"

#include <dlfcn.h>
#include <string.h>
#include <suitesparse/cholmod.h>

#include "base/mem.h"

struct vd_sparse {
    cholmod_common common;
    cholmod_sparse *a;
    cholmod_factor *factor;
    cholmod_dense *x, *y, *e; /* solution and workspaces, kept between solves */
    int n;
};

bool vd_sparse_available(void) {
    return true;
}

/* libgomp and a threaded OpenBLAS may or may not have come with CHOLMOD, hence by name. */
typedef union symbol {
    void *address;
    void (*set)(int);
    int (*get)(void);
} symbol;

static symbol look_up(const char *name) {
    return (symbol){ dlsym(RTLD_DEFAULT, name) };
}

/* Returns what let_threads takes. */
static int hold_threads(void) {
    symbol get = look_up("omp_get_max_active_levels"), set = look_up("omp_set_max_active_levels"),
           blas = look_up("openblas_set_num_threads");
    int levels = get.address != NULL ? get.get() : 0;
    if (set.address != NULL) set.set(0);
    if (blas.address != NULL) blas.set(1);
    return levels;
}

static void let_threads(int levels) {
    symbol set = look_up("omp_set_max_active_levels");
    if (set.address != NULL) set.set(levels);
}

static vd_status status_of(const vd_sparse *s, vd_err *err) {
    switch (s->common.status) {
    case CHOLMOD_OK: return VD_OK;
    case CHOLMOD_NOT_POSDEF:
    case CHOLMOD_DSMALL: return VD_E_NUMERIC;
    case CHOLMOD_OUT_OF_MEMORY: return vd_nomem(err);
    case CHOLMOD_TOO_LARGE:
        return vd_fail(err, VD_E_LIMIT, "sparse matrix: %d unknowns have too much fill", s->n);
    default: return vd_fail(err, VD_E_INTERNAL, "sparse matrix: status %d", s->common.status);
    }
}

static void settings(cholmod_common *c) {
    c->print = 0;
    c->error_handler = NULL;
    c->supernodal = CHOLMOD_SUPERNODAL;
    c->final_ll = 1;
    c->quick_return_if_not_posdef = 1;
    c->nmethods = 1; /* AMD alone: its time is a small part, METIS is seldom better on S */
    c->method[0].ordering = CHOLMOD_AMD;
    c->postorder = 1;
}

vd_status vd_sparse_new(vd_sparse **out, int n, const int32_t *start, const int32_t *row,
                        vd_err *err) {
    vd_status st = VD_OK;
    int levels = hold_threads();
    vd_sparse *s = vd_mem_array(1, sizeof *s);
    if (s == NULL) {
        let_threads(levels);
        return vd_nomem(err);
    }
    s->n = n;
    cholmod_start(&s->common);
    settings(&s->common);
    if (!vd_mem_refused())
        s->a = cholmod_allocate_sparse((size_t)n, (size_t)n, (size_t)start[n], 1, 1, 1,
                                       CHOLMOD_REAL, &s->common);
    if (s->a == NULL) VD_GO(vd_nomem(err));
    memcpy(s->a->p, start, ((size_t)n + 1) * sizeof *start);
    memcpy(s->a->i, row, (size_t)start[n] * sizeof *row);
    memset(s->a->x, 0, (size_t)start[n] * sizeof(double));
    s->factor = cholmod_analyze(s->a, &s->common);
    if (s->factor == NULL)
        VD_GO(s->common.status == CHOLMOD_OK ? VD_E_INTERNAL : status_of(s, err));
    *out = s;
    s = NULL;
done:
    vd_sparse_free(s);
    let_threads(levels);
    return st;
}

void vd_sparse_free(vd_sparse *s) {
    if (s == NULL) return;
    cholmod_free_dense(&s->x, &s->common);
    cholmod_free_dense(&s->y, &s->common);
    cholmod_free_dense(&s->e, &s->common);
    cholmod_free_factor(&s->factor, &s->common);
    cholmod_free_sparse(&s->a, &s->common);
    cholmod_finish(&s->common);
    vd_mem_free(s);
}

double vd_sparse_flops(const vd_sparse *s) {
    return s->common.fl;
}

double vd_sparse_fill(const vd_sparse *s) {
    return s->common.lnz;
}

double *vd_sparse_values(vd_sparse *s) {
    return s->a->x;
}

vd_status vd_sparse_factor(vd_sparse *s, vd_err *err) {
    int levels = hold_threads();
    s->common.status = CHOLMOD_OK;
    cholmod_factorize(s->a, s->factor, &s->common);
    let_threads(levels);
    VD_TRY(status_of(s, err));
    return s->factor->minor < s->factor->n ? VD_E_NUMERIC : VD_OK;
}

vd_status vd_sparse_solve(vd_sparse *s, double *x, vd_err *err) {
    int levels = hold_threads();
    cholmod_dense b = { .nrow = (size_t)s->n,
                        .ncol = 1,
                        .nzmax = (size_t)s->n,
                        .d = (size_t)s->n,
                        .x = x,
                        .xtype = CHOLMOD_REAL,
                        .dtype = CHOLMOD_DOUBLE };
    int ok = cholmod_solve2(CHOLMOD_A, s->factor, &b, NULL, &s->x, NULL, &s->y, &s->e, &s->common);
    let_threads(levels);
    if (!ok) return s->common.status == CHOLMOD_OK ? VD_E_INTERNAL : status_of(s, err);
    memcpy(x, s->x->x, (size_t)s->n * sizeof *x);
    return VD_OK;
}
