/* Fundamental matrices; see fundamental.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/fundamental.h"

#include <math.h>
#include <string.h>

#include "geometry/kern.h"
#include "geometry/normalise.h"
#include "math/mat.h"

int vd_seven_point(double f[3][9], const double a[21], const double b[21]) {
    double out[1][3][9];
    int found;
    vd_geometry_kern_c.seven_point(out, &found, a, b, 1);
    memcpy(f, out[0], (size_t)found * sizeof *f);
    return found;
}

/* The eigenvector of sum w row row^T, row = b' (x) a', with the smallest eigenvalue. */
static void least(double f[9], const double *a, const double *b, const double *weight, int n,
                  vd_scaling sa, vd_scaling sb) {
    double ata[81] = { 0 }, w[9], v[81];
    for (int i = 0; i < n; i++) {
        const double x[3] = { sa.s * (a[3 * i] - sa.cx), sa.s * (a[3 * i + 1] - sa.cy), 1 },
                     y[3] = { sb.s * (b[3 * i] - sb.cx), sb.s * (b[3 * i + 1] - sb.cy), 1 };
        double row[9], wt = weight != NULL ? weight[i] : 1;
        for (int k = 0; k < 9; k++) row[k] = y[k / 3] * x[k % 3];
        for (int k = 0; k < 9; k++)
            for (int j = 0; j <= k; j++) ata[9 * k + j] += wt * row[k] * row[j];
    }
    for (int k = 0; k < 9; k++)
        for (int j = k + 1; j < 9; j++) ata[9 * k + j] = ata[9 * j + k];
    vd_sym_eigen(w, v, ata, 9);
    for (int k = 0; k < 9; k++) f[k] = v[9 * k];
}

bool vd_eight_point(double f[9], const double *a, const double *b, const double *weight, int n) {
    vd_scaling sa, sb;
    double m[9], u[9], s[3], v[9], ta[9], tb[9], sum = 0;
    if (n < 8 || !vd_scaling_of(&sa, a, weight, n) || !vd_scaling_of(&sb, b, weight, n))
        return false;
    least(m, a, b, weight, n, sa, sb);
    vd_svd3(u, s, v, m);
    for (int i = 0; i < 9; i++)
        m[i] = u[i / 3 * 3] * s[0] * v[i % 3 * 3] + u[i / 3 * 3 + 1] * s[1] * v[i % 3 * 3 + 1];
    vd_scaling_matrix(ta, sa);
    vd_scaling_matrix(tb, sb);
    vd_mat3_mul_tn(u, tb, m);
    vd_mat3_mul(m, u, ta);
    for (int i = 0; i < 9; i++) sum += m[i] * m[i];
    if (!isfinite(sum) || !(sum > 0)) return false;
    for (int i = 0; i < 9; i++) f[i] = m[i] / sqrt(sum);
    return true;
}
