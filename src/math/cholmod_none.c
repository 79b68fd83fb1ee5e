/* In place of the CHOLMOD adapter in a build without it. SPDX-License-Identifier: Apache-2.0 */
#include "math/sparse.h"

bool vd_sparse_available(void) {
    return false;
}
vd_status vd_sparse_new(vd_sparse **out, int n, const int32_t *start, const int32_t *row,
                        vd_err *err) {
    (void)out;
    (void)start;
    (void)row;
    return vd_fail(err, VD_E_UNSUPPORTED,
                   "sparse matrix: %d unknowns, but this build is without CHOLMOD", n);
}
void vd_sparse_free(vd_sparse *s) {
    (void)s;
}
double vd_sparse_flops(const vd_sparse *s) {
    (void)s;
    return 0;
}
double vd_sparse_fill(const vd_sparse *s) {
    (void)s;
    return 0;
}
double *vd_sparse_values(vd_sparse *s) {
    (void)s;
    return NULL;
}
vd_status vd_sparse_factor(vd_sparse *s, vd_err *err) {
    (void)s;
    return vd_fail(err, VD_E_UNSUPPORTED, "sparse matrix: this build is without CHOLMOD");
}
vd_status vd_sparse_solve(vd_sparse *s, double *x, vd_err *err) {
    (void)s;
    (void)x;
    return vd_fail(err, VD_E_UNSUPPORTED, "sparse matrix: this build is without CHOLMOD");
}
