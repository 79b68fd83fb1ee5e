#ifndef VD_GEOMETRY_TWO_VIEW_H
#define VD_GEOMETRY_TWO_VIEW_H
#include "base/err.h"
#include "geometry/camera.h"
#include "math/vec.h"
enum {
    VD_TWO_VIEW_DEGENERATE,
    VD_TWO_VIEW_CALIBRATED,
    VD_TWO_VIEW_UNCALIBRATED,
    VD_TWO_VIEW_PLANAR,
    VD_TWO_VIEW_PANORAMIC,
    VD_TWO_VIEW_PLANAR_OR_PANORAMIC,
    VD_TWO_VIEW_WATERMARK
};
typedef struct vd_two_view {
    int config;
    double E[9], F[9], H[9];
    vd_rigid cam2_from_cam1;
    double median_angle_rad;
    int inliers;
} vd_two_view;
typedef struct vd_two_view_opt { double max_error_px; uint64_t seed, item; } vd_two_view_opt;
#define VD_TWO_VIEW_OPT {.max_error_px=4}
vd_status vd_two_view_estimate(vd_two_view *out, uint8_t *inlier_mask, const vd_camera *c1, const vd_camera *c2, bool calibrated, const double *uv1 /*2n*/, const double *uv2, int n, const vd_two_view_opt *opt, vd_err *err);
#endif
