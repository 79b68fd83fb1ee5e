/* Values of the parameters in the form the kernels want, and steps. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle_int.h"

/* The parameters of the models up to OPENCV; the others project by vd_camera_project_jac, and the
 * kernel needs the focal length alone. */
static void expand_camera(double out[8], const vd_camera *c) {
    vd_camera_layout l = vd_camera_layout_of(c->model);
    memset(out, 0, 8 * sizeof *out);
    out[0] = c->params[0];
    out[1] = c->params[l.focal - 1];
    out[2] = c->params[l.focal];
    out[3] = c->params[l.focal + 1];
    if (c->model > VD_CAMERA_OPENCV) return;
    for (int i = l.focal + 2; i < l.params; i++) out[i + 2 - l.focal] = c->params[i];
}

static void set_pose(vd_ba_values *v, int32_t i, vd_quat q, vd_vec3 t) {
    v->rotation[i] = q;
    vd_quat_matrix(v->pose[i], q);
    v->pose[i][9] = t.x;
    v->pose[i][10] = t.y;
    v->pose[i][11] = t.z;
    for (int k = 12; k < 16; k++) v->pose[i][k] = 0;
}

vd_status vd_ba_values_init(vd_ba_values *v, const vd_bundle *b, vd_err *err) {
    size_t poses = (size_t)b->n_poses, cameras = (size_t)b->n_cameras;
    v->pose = vd_mem_alloc(poses * sizeof *v->pose);
    v->rotation = vd_mem_alloc(poses * sizeof *v->rotation);
    v->camera = vd_mem_alloc(cameras * sizeof *v->camera);
    v->cam = vd_mem_alloc(cameras * sizeof *v->cam);
    v->point = vd_mem_alloc((size_t)b->n_points * 3 * sizeof *v->point);
    if (v->pose == NULL || v->rotation == NULL || v->camera == NULL || v->cam == NULL ||
        v->point == NULL)
        return vd_nomem(err);
    for (int32_t i = 0; i < b->n_poses; i++)
        set_pose(v, i, vd_quat_unit(b->pose[i].q), b->pose[i].t);
    for (int32_t i = 0; i < b->n_cameras; i++) {
        v->camera[i] = b->camera[i];
        expand_camera(v->cam[i], &b->camera[i]);
    }
    if (b->n_points > 0) memcpy(v->point, b->point, (size_t)b->n_points * 3 * sizeof *v->point);
    return VD_OK;
}

void vd_ba_values_reset(vd_ba_values *v) {
    vd_mem_free(v->pose);
    vd_mem_free(v->rotation);
    vd_mem_free(v->camera);
    vd_mem_free(v->cam);
    vd_mem_free(v->point);
    *v = (vd_ba_values){ 0 };
}

void vd_ba_values_swap(vd_ba *ba) {
    vd_ba_values v = ba->now;
    ba->now = ba->next;
    ba->next = v;
}

bool vd_ba_values_step(vd_ba *ba) {
    const vd_ba_values *now = &ba->now;
    vd_ba_values *next = &ba->next;
    for (int32_t i = 0; i < ba->in->n_poses; i++) {
        if (ba->pose_block[i] < 0) continue;
        const double *d = ba->step + (ptrdiff_t)ba->pose_block[i] * VD_BA_ROW, *p = now->pose[i];
        vd_quat turn = vd_quat_exp(vd_v3(d[0], d[1], d[2]));
        set_pose(next, i, vd_quat_unit(vd_quat_mul(turn, now->rotation[i])),
                 vd_v3(p[9] + d[3], p[10] + d[4], p[11] + d[5]));
    }
    for (int32_t i = 0; i < ba->in->n_cameras; i++) {
        const vd_ba_cam *c = &ba->cam[i];
        if (c->n == 0) continue;
        next->camera[i] = now->camera[i];
        for (int k = 0; k < c->n; k++)
            next->camera[i].params[c->param[k]] += ba->step[(ptrdiff_t)c->block * VD_BA_ROW + k];
        if (vd_camera_check(&next->camera[i], NULL) != VD_OK) return false;
        expand_camera(next->cam[i], &next->camera[i]);
    }
    return true;
}

double vd_ba_values_norm(const vd_ba *ba) {
    const vd_ba_values *v = &ba->now;
    double sum = 0;
    for (int32_t i = 0; i < ba->in->n_poses; i++)
        if (ba->pose_block[i] >= 0)
            sum += 1 + v->pose[i][9] * v->pose[i][9] + v->pose[i][10] * v->pose[i][10] +
                   v->pose[i][11] * v->pose[i][11];
    for (int32_t i = 0; i < ba->in->n_cameras; i++)
        for (int k = 0; k < ba->cam[i].n; k++) {
            double p = v->camera[i].params[ba->cam[i].param[k]];
            sum += p * p;
        }
    for (int32_t i = 0; i < ba->n_points; i++) {
        const double *x = v->point + 3 * (ptrdiff_t)ba->point[i];
        sum += x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
    }
    return sqrt(sum);
}

void vd_ba_values_store(const vd_ba *ba, vd_bundle *b) {
    const vd_ba_values *v = &ba->now;
    for (int32_t i = 0; i < b->n_poses; i++)
        if (ba->pose_block[i] >= 0)
            b->pose[i] =
                (vd_rigid){ v->rotation[i], { v->pose[i][9], v->pose[i][10], v->pose[i][11] } };
    for (int32_t i = 0; i < b->n_cameras; i++)
        if (ba->cam[i].n > 0) b->camera[i] = v->camera[i];
    if (b->n_points > 0) memcpy(b->point, v->point, (size_t)b->n_points * 3 * sizeof *b->point);
}
