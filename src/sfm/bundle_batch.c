/* From observations to residuals and Jacobians, a batch at a time. SPDX-License-Identifier:
 * Apache-2.0 */
#include "sfm/bundle_int.h"

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
