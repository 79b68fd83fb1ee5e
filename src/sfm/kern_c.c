/* Bundle adjustment kernels in plain C: the reference. See kern_body.inc. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>

#include "sfm/kern.h"

#define ROW row8
#define FOR_ROW(i) for (int i = 0; i < VD_BA_ROW; i++)

typedef struct row8 {
    double v[VD_BA_ROW];
} row8;

static inline row8 row_load(const double *p) {
    row8 r;
    FOR_ROW(i) r.v[i] = p[i];
    return r;
}
static inline row8 row_load_float(const float *p) {
    row8 r;
    FOR_ROW(i) r.v[i] = (double)p[i];
    return r;
}
static inline void row_store(double *p, row8 a) {
    FOR_ROW(i) p[i] = a.v[i];
}
static inline row8 row_scale(double s, row8 a) {
    FOR_ROW(i) a.v[i] *= s;
    return a;
}
/* s a + b */
static inline row8 row_fma(double s, row8 a, row8 b) {
    FOR_ROW(i) b.v[i] = fma(s, a.v[i], b.v[i]);
    return b;
}
static inline row8 row_fma2(row8 s, row8 a, row8 b) {
    FOR_ROW(i) b.v[i] = fma(s.v[i], a.v[i], b.v[i]);
    return b;
}
/* Halves are added to halves, as registers do it. */
static inline double row_dot(row8 a, row8 b) {
    FOR_ROW(i) a.v[i] *= b.v[i];
    const double *v = a.v;
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

static inline void row_transpose(row8 v[VD_BA_ROW]) {
    FOR_ROW(i)
    for (int k = 0; k < i; k++) {
        double t = v[i].v[k];
        v[i].v[k] = v[k].v[i];
        v[k].v[i] = t;
    }
}

#include "sfm/kern_body.inc"

const vd_sfm_kern vd_sfm_kern_c = { "c", SLOTS };
