#include "geometry/resection.h"
#include <string.h>
#include "base/rng.h"
#include "base/mem.h"
#include "geometry/rigid.h"
#include "math/mat.h"
static bool dlt(vd_rigid *out, const double *xn, const double *X, const int *id, int k) {
    double a[144] = { 0 }, w[12], v[144], p[12], m[9], u[9], s[3], vv[9], r[9];
    for (int i = 0; i < k; i++) {
        const double *x = xn + 2 * id[i], *q = X + 3 * id[i];
        double row[2][12] = {
            { q[0], q[1], q[2], 1, 0, 0, 0, 0, -x[0] * q[0], -x[0] * q[1], -x[0] * q[2], -x[0] },
            { 0, 0, 0, 0, q[0], q[1], q[2], 1, -x[1] * q[0], -x[1] * q[1], -x[1] * q[2], -x[1] }
        };
        for (int e = 0; e < 2; e++)
            for (int b = 0; b < 12; b++)
                for (int c = 0; c < 12; c++) a[12 * b + c] += row[e][b] * row[e][c];
    }
    vd_sym_eigen(w, v, a, 12);
    for (int i = 0; i < 12; i++) p[i] = v[12 * i];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) m[3 * i + j] = p[4 * i + j];
    if (vd_mat3_det(m) < 0) {
        for (int i = 0; i < 9; i++) m[i] = -m[i];
        for (int i = 0; i < 12; i++) p[i] = -p[i];
    }
    vd_svd3(u, s, vv, m);
    vd_mat3_mul_nt(r, u, vv);
    double scale = (s[0] + s[1] + s[2]) / 3;
    if (!(scale > 0)) return false;
    out->q = vd_quat_of_matrix(r);
    out->t = vd_v3(p[3] / scale, p[7] / scale, p[11] / scale);
    return true;
}
vd_status vd_resection(vd_rigid *pose, uint8_t *mask, int *inliers, const vd_camera *c,
                       const double *uv, const double *xyz, int n, const vd_resection_opt *opt,
                       vd_err *err) {
    double *xn = vd_mem_array((size_t)n + 1, 2 * sizeof *xn);
    int best = 0;
    (void)err;
    vd_rng rng = vd_rng_for(opt->seed, 99, opt->item);
    for (int i = 0; i < n; i++) vd_camera_unproject(c, uv + 2 * i, xn + 2 * i);
    memset(mask, 0, (size_t)n);
    for (int t = 0; t < 400 && n >= 6; t++) {
        int id[6];
        vd_rigid p;
        for (int i = 0; i < 6; i++) id[i] = (int)vd_rng_int(&rng, n);
        if (!dlt(&p, xn, xyz, id, 6)) continue;
        int k = 0;
        for (int i = 0; i < n; i++) {
            vd_vec3 y = vd_rigid_apply(p, vd_v3(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]));
            double q[3] = { y.x, y.y, y.z }, e[2];
            k += vd_camera_project(c, q, e) &&
                 hypot(e[0] - uv[2 * i], e[1] - uv[2 * i + 1]) < opt->max_error_px;
        }
        if (k > best) {
            best = k;
            *pose = p;
        }
    }
    int *id = vd_mem_array((size_t)n + 1, sizeof *id);
    for (int round = 0; round < 3 && best >= 6; round++) {
        int k = 0;
        for (int i = 0; i < n; i++) {
            vd_vec3 y = vd_rigid_apply(*pose, vd_v3(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]));
            double q[3] = { y.x, y.y, y.z }, e[2];
            mask[i] = vd_camera_project(c, q, e) &&
                      hypot(e[0] - uv[2 * i], e[1] - uv[2 * i + 1]) < opt->max_error_px;
            if (mask[i]) id[k++] = i;
        }
        best = k;
        if (round < 2 && k >= 6) dlt(pose, xn, xyz, id, k);
    }
    *inliers = best;
    vd_mem_free(xn);
    vd_mem_free(id);
    return VD_OK;
}
