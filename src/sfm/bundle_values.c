/* Values of the parameters in the form the kernels want, steps, and the way of observations into
 * batches and through the cameras. SPDX-License-Identifier: Apache-2.0 */
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

/* The same parameters in all lanes when the lanes have one camera, as they mostly do. */
static void load_cameras(vd_ba_batch *batch, const vd_ba *ba, const vd_ba_values *v,
                         const int32_t *pose, int n) {
    const double *from[VD_BA_LANES];
    bool one = true;
    for (int l = 0; l < n; l++) {
        from[l] = v->cam[ba->in->pose_camera[pose[l]]];
        one &= from[l] == from[0];
    }
    for (int l = n; l < VD_BA_PAD(n); l++) from[l] = from[0];
    if (!one) {
        ba->kern->load(batch->cam, from, 1, VD_BA_PAD(n));
        return;
    }
    for (int i = 0; i < 8; i++)
        for (int l = 0; l < VD_BA_PAD(n); l++) batch->cam[i][l] = from[0][i];
}

/* Lanes beyond n repeat the first one, so that they hold numbers like any other. */
void vd_ba_load(vd_ba_batch *batch, const vd_ba *ba, const vd_ba_values *v, int64_t first, int n) {
    const double *from[VD_BA_LANES];
    const int32_t *pose = ba->pose + first;
    for (int l = 0; l < VD_BA_PAD(n); l++) from[l] = v->pose[pose[l < n ? l : 0]];
    ba->kern->load(batch->pose, from, 2, VD_BA_PAD(n));
    load_cameras(batch, ba, v, pose, n);
    for (int l = 0; l < n; l++) {
        batch->uv[0][l] = ba->uv[first + l][0];
        batch->uv[1][l] = ba->uv[first + l][1];
    }
    for (int l = n; l < VD_BA_PAD(n); l++) {
        for (int i = 0; i < 3; i++) batch->x[i][l] = batch->x[i][0];
        for (int i = 0; i < 2; i++) batch->uv[i][l] = batch->uv[i][0];
    }
}

/* One lane of a camera that the kernel does not know. */
static void project_lane(vd_ba_batch *b, int l, const vd_camera *c, int want) {
    double x[3], uv[2], a[6], k[2 * VD_CAMERA_PARAMS];
    int n = vd_camera_param_count(c->model);
    for (int i = 0; i < 3; i++) x[i] = b->y[i][l] + b->pose[9 + i][l];
    bool ahead = vd_camera_project_jac(c, x, uv, want & VD_BA_JACOBIAN ? a : NULL,
                                       want & VD_BA_CAMERA ? k : NULL);
    b->ahead[l] = ahead;
    b->r[0][l] = ahead ? uv[0] - b->uv[0][l] : b->cam[0][l];
    b->r[1][l] = ahead ? uv[1] - b->uv[1][l] : 0;
    b->square[l] = b->r[0][l] * b->r[0][l] + b->r[1][l] * b->r[1][l];
    for (int i = 0; i < 6 && (want & VD_BA_JACOBIAN); i++) b->a[i][l] = ahead ? a[i] : 0;
    for (int i = 0; i < VD_BA_PARAMS && (want & VD_BA_CAMERA); i++) {
        b->k[i][l] = ahead && i < n ? k[i] : 0;
        b->k[VD_BA_PARAMS + i][l] = ahead && i < n ? k[n + i] : 0;
    }
}

void vd_ba_project(vd_ba_batch *batch, const vd_ba *ba, const vd_ba_values *v, int64_t first, int n,
                   int want) {
    ba->kern->project(batch, VD_BA_PAD(n), want);
    for (int l = 0; l < n; l++) {
        int32_t camera = ba->in->pose_camera[ba->pose[first + l]];
        if (ba->cam[camera].generic) project_lane(batch, l, &v->camera[camera], want);
    }
}

double vd_ba_loss(int loss, double scale, double s) {
    double square = scale * scale;
    switch (loss) {
    case VD_LOSS_HUBER: return s <= square ? s : 2 * scale * sqrt(s) - square;
    case VD_LOSS_SOFT_L1: return 2 * square * (sqrt(1 + s / square) - 1);
    case VD_LOSS_CAUCHY: return square * log1p(s / square);
    default: return s;
    }
}
