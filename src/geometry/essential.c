/* Essential matrices; see essential.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/essential.h"

#include "geometry/kern.h"
#include "geometry/rigid.h"
#include "math/mat.h"

int vd_five_point(double e[10][9], const double a[15], const double b[15]) {
    double out[1][10][9];
    int found;
    /* for one problem plain C is as fast as lanes */
    vd_geometry_kern_c.five_point(out, &found, a, b, 1);
    for (int i = 0; i < found; i++)
        for (int k = 0; k < 9; k++) e[i][k] = out[0][i][k];
    return found;
}

void vd_essential_from_pose(double e[9], vd_rigid cam2_from_cam1) {
    double r[9], cross[9];
    vd_quat_matrix(r, cam2_from_cam1.q);
    vd_mat3_cross(cross, cam2_from_cam1.t);
    vd_mat3_mul(e, cross, r);
}

void vd_essential_poses(vd_rigid cam2_from_cam1[4], const double e[9]) {
    static const double w[9] = { 0, -1, 0, 1, 0, 0, 0, 0, 1 };
    double u[9], s[3], v[9], r[9], uw[9], sign;
    vd_svd3(u, s, v, e);
    sign = vd_mat3_det(u) * vd_mat3_det(v) < 0 ? -1 : 1;
    vd_vec3 t = vd_v3(u[2], u[5], u[8]);
    for (int turned = 0; turned < 2; turned++) {
        if (turned)
            vd_mat3_mul_nt(uw, u, w);
        else
            vd_mat3_mul(uw, u, w);
        vd_mat3_mul_nt(r, uw, v);
        for (int k = 0; k < 9; k++) r[k] *= sign;
        vd_quat q = vd_quat_of_matrix(r);
        cam2_from_cam1[2 * turned] = (vd_rigid){ q, t };
        cam2_from_cam1[2 * turned + 1] = (vd_rigid){ q, vd_v3_mul(t, -1) };
    }
}

bool vd_in_front(const vd_rigid *cam2_from_cam1, const double a[3], const double b[3]) {
    /* the depths x, y that bring x R a + t closest to y b, times a positive number */
    vd_vec3 r = vd_quat_rotate(cam2_from_cam1->q, vd_v3(a[0], a[1], a[2])),
            s = vd_v3(b[0], b[1], b[2]), t = cam2_from_cam1->t;
    double rr = vd_v3_dot(r, r), ss = vd_v3_dot(s, s), rs = vd_v3_dot(r, s), rt = vd_v3_dot(r, t),
           st = vd_v3_dot(s, t);
    return rs * st - rt * ss > 0 && st * rr - rs * rt > 0;
}
