/* The solution of Umeyama (1991) by way of Horn (1987): the best rotation is the quaternion that is
 * the eigenvector of the largest eigenvalue of a symmetric 4 x 4 matrix made of the covariance. It
 * never is a mirror, and its distance to the next eigenvalue says whether it is determined.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/centre_map.h"

#include <string.h>

/* Relative to the largest eigenvalue: below it the two best rotations fit alike. */
static const double GAP = 1e-9;
enum { SWEEPS = 30, N = 4 }; /* Jacobi's method converges in less than ten */

/* One rotation of Jacobi's method: zeroes m[p][q], and turns the eigenvectors v along. */
static void jacobi(double m[N][N], double v[N][N], int p, int q) {
    if (m[p][q] == 0) return;
    double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < N; k++) {
        double a = m[k][p], b = m[k][q];
        m[k][p] = c * a - s * b;
        m[k][q] = s * a + c * b;
    }
    for (int k = 0; k < N; k++) {
        double a = m[p][k], b = m[q][k];
        m[p][k] = c * a - s * b;
        m[q][k] = s * a + c * b;
        a = v[k][p];
        b = v[k][q];
        v[k][p] = c * a - s * b;
        v[k][q] = s * a + c * b;
    }
}

/* The rotation, and whether it is the only best one. */
static bool best_rotation(double r[9], const double s[3][3]) {
    double m[N][N] = { { s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2],
                         s[0][1] - s[1][0] },
                       { 0, s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2] },
                       { 0, 0, -s[0][0] + s[1][1] - s[2][2], s[1][2] + s[2][1] },
                       { 0, 0, 0, -s[0][0] - s[1][1] + s[2][2] } };
    double v[N][N] = { { 0 } };
    for (int i = 0; i < N; i++) {
        v[i][i] = 1;
        for (int k = 0; k < i; k++) m[i][k] = m[k][i];
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int p = 0; p < N; p++)
            for (int q = p + 1; q < N; q++) jacobi(m, v, p, q);
    int best = 0;
    double next = -INFINITY;
    for (int i = 1; i < N; i++)
        if (m[i][i] > m[best][best]) best = i;
    for (int i = 0; i < N; i++)
        if (i != best && m[i][i] > next) next = m[i][i];
    vd_quat_matrix(r, (vd_quat){ v[0][best], v[1][best], v[2][best], v[3][best] });
    return m[best][best] - next > GAP * m[best][best];
}

static vd_vec3 mean(const vd_vec3 *v, int64_t n) {
    vd_vec3 sum = { 0, 0, 0 };
    for (int64_t i = 0; i < n; i++) sum = vd_v3_add(sum, v[i]);
    return vd_v3_mul(sum, 1 / (double)n);
}

bool vd_centre_map_fit(vd_centre_map *out, const vd_vec3 *a, const vd_vec3 *b, int64_t n) {
    vd_vec3 ma = mean(a, n), mb = mean(b, n);
    double s[3][3] = { { 0 } }, aa = 0, bb = 0, trace = 0;
    for (int64_t i = 0; i < n; i++) {
        vd_vec3 x = vd_v3_sub(a[i], ma), y = vd_v3_sub(b[i], mb);
        const double xs[3] = { x.x, x.y, x.z }, ys[3] = { y.x, y.y, y.z };
        for (int k = 0; k < 9; k++) s[k / 3][k % 3] += xs[k / 3] * ys[k % 3];
        aa += vd_v3_dot(x, x);
        bb += vd_v3_dot(y, y);
    }
    /* Rounding leaves centres that are equal a little apart. */
    double far = vd_v3_dot(ma, ma) + vd_v3_dot(mb, mb);
    if (!(aa > GAP * GAP * far) || !(bb > GAP * GAP * far)) return false;
    out->rotation_known = best_rotation(out->r, s);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) trace += out->r[3 * i + k] * s[k][i];
    out->scale = trace / aa;
    const double *r = out->r;
    vd_vec3 turned =
        vd_v3(r[0] * ma.x + r[1] * ma.y + r[2] * ma.z, r[3] * ma.x + r[4] * ma.y + r[5] * ma.z,
              r[6] * ma.x + r[7] * ma.y + r[8] * ma.z);
    out->t = vd_v3_sub(mb, vd_v3_mul(turned, out->scale));
    return true;
}
