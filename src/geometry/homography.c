/* Homographies; see homography.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/homography.h"

#include <string.h>

#include "geometry/normalise.h"
#include "geometry/rigid.h"
#include "math/mat.h"

/* Coordinates of p in the basis of the three rows of m, and the inverse of m^T times its
 * determinant; false when the rows are (nearly) coplanar. */
static bool in_basis(double x[3], double adj[9], const double *m, const double *p) {
    const double t[9] = { m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8] };
    vd_mat3_adjugate(adj, t);
    double det = t[0] * adj[0] + t[1] * adj[3] + t[2] * adj[6], size = 1;
    for (int i = 0; i < 3; i++)
        size *=
            sqrt(m[3 * i] * m[3 * i] + m[3 * i + 1] * m[3 * i + 1] + m[3 * i + 2] * m[3 * i + 2]);
    if (!(fabs(det) > 1e-9 * size)) return false;
    for (int i = 0; i < 3; i++)
        x[i] = (adj[3 * i] * p[0] + adj[3 * i + 1] * p[1] + adj[3 * i + 2] * p[2]) / det;
    return true;
}

int vd_homography_four_point(double h[9], const double a[12], const double b[12]) {
    double x[3], y[3], adj[9], unused[9], m[9], sum = 0;
    if (!in_basis(x, adj, a, a + 9) || !in_basis(y, unused, b, b + 9)) return 0;
    for (int i = 0; i < 3; i++)
        if (!(x[i] * y[i] > 0)) return 0;
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            m[3 * r + c] = 0;
            for (int k = 0; k < 3; k++)
                m[3 * r + c] += b[3 * k + r] * (y[k] / x[k]) * adj[3 * k + c];
            sum += m[3 * r + c] * m[3 * r + c];
        }
    double s = 1 / sqrt(sum);
    if (!(sum > 0) || !isfinite(s)) return 0;
    if (vd_mat3_det((const double[9]){ a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8] }) < 0)
        s = -s; /* the adjugate was not divided by the determinant */
    for (int i = 0; i < 9; i++) h[i] = s * m[i];
    return 1;
}

bool vd_homography_linear(double h[9], const double *a, const double *b, const double *weight,
                          int n) {
    vd_scaling sa, sb;
    double ata[81] = { 0 }, w[9], v[81], m[9], t[9], ta[9], tb[9], side = 0;
    if (n < 4 || !vd_scaling_of(&sa, a, weight, n) || !vd_scaling_of(&sb, b, weight, n))
        return false;
    for (int i = 0; i < n; i++) {
        const double x[3] = { sa.s * (a[3 * i] - sa.cx), sa.s * (a[3 * i + 1] - sa.cy), 1 },
                     y[2] = { sb.s * (b[3 * i] - sb.cx), sb.s * (b[3 * i + 1] - sb.cy) };
        double wt = weight != NULL ? weight[i] : 1;
        for (int eq = 0; eq < 2; eq++) { /* row_eq(H) x - y_eq (row_3(H) x) = 0 */
            double row[9] = { 0 };
            for (int k = 0; k < 3; k++) {
                row[3 * eq + k] = x[k];
                row[6 + k] = -y[eq] * x[k];
            }
            for (int k = 0; k < 9; k++)
                for (int j = 0; j < 9; j++) ata[9 * k + j] += wt * row[k] * row[j];
        }
    }
    vd_sym_eigen(w, v, ata, 9);
    for (int k = 0; k < 9; k++) m[k] = v[9 * k];
    vd_scaling_matrix(ta, sa);
    vd_scaling_inverse(tb, sb);
    vd_mat3_mul(t, tb, m);
    vd_mat3_mul(m, t, ta);
    double sum = 0;
    for (int k = 0; k < 9; k++) sum += m[k] * m[k];
    if (!isfinite(sum) || !(sum > 0)) return false;
    for (int i = 0; i < n; i++) side += m[6] * a[3 * i] + m[7] * a[3 * i + 1] + m[8] > 0 ? 1 : -1;
    for (int k = 0; k < 9; k++) h[k] = m[k] / sqrt(sum) * (side < 0 ? -1 : 1);
    return true;
}

/* One motion from the frames of v2 and u in both cameras: R maps (v2, u, v2 x u) to (H v2, H u,
 * H v2 x H u), n = v2 x u, t = (H - R) n. */
static vd_homography_motion motion(const double h[9], vd_vec3 v2, vd_vec3 u) {
    vd_vec3 n = vd_v3_cross(v2, u), hv = vd_mat3_apply(h, v2), hu = vd_mat3_apply(h, u),
            hn = vd_v3_cross(hv, hu);
    const double from[9] = { v2.x, u.x, n.x, v2.y, u.y, n.y, v2.z, u.z, n.z },
                 to[9] = { hv.x, hu.x, hn.x, hv.y, hu.y, hn.y, hv.z, hu.z, hn.z };
    double r[9];
    vd_mat3_mul_nt(r, to, from);
    vd_vec3 t = vd_v3_sub(vd_mat3_apply(h, n), vd_mat3_apply(r, n));
    return (vd_homography_motion){ { vd_quat_of_matrix(r), t }, n };
}

int vd_homography_motions(vd_homography_motion out[4], const double h[9]) {
    /* closer to a rotation than this, the normal is what rounding makes it */
    static const double ROTATION = 1e-9;
    double u[9], s[3], v[9], unit[9];
    vd_svd3(u, s, v, h);
    if (!(s[2] > 1e-12 * s[0])) return 0;
    double scale = (vd_mat3_det(h) < 0 ? -1 : 1) / s[1];
    for (int i = 0; i < 9; i++) unit[i] = h[i] * scale;
    double a = s[0] / s[1] * (s[0] / s[1]), c = s[2] / s[1] * (s[2] / s[1]);
    if (a - c < ROTATION) {
        out[0] = (vd_homography_motion){ { vd_quat_of_matrix(unit), { 0, 0, 0 } }, { 0, 0, 1 } };
        return 1;
    }
    vd_vec3 v1 = vd_v3(v[0], v[3], v[6]), v2 = vd_v3(v[1], v[4], v[7]),
            v3 = vd_v3(v[2], v[5], v[8]);
    double p = sqrt(fmax(0, 1 - c) / (a - c)), q = sqrt(fmax(0, a - 1) / (a - c));
    for (int i = 0; i < 2; i++) {
        vd_vec3 w = vd_v3_add(vd_v3_mul(v1, p), vd_v3_mul(v3, i == 0 ? q : -q));
        out[2 * i] = motion(unit, v2, w);
        out[2 * i + 1] = out[2 * i];
        out[2 * i + 1].normal = vd_v3_mul(out[2 * i].normal, -1);
        out[2 * i + 1].cam2_from_cam1.t = vd_v3_mul(out[2 * i].cam2_from_cam1.t, -1);
    }
    return 4;
}
