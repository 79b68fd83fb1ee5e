#ifndef VD_GEOMETRY_RESECTION_H
#define VD_GEOMETRY_RESECTION_H
#include "base/err.h"
#include "geometry/camera.h"
#include "math/vec.h"
typedef struct vd_resection_opt {
    double max_error_px;
    uint64_t seed, item;
} vd_resection_opt;
#define VD_RESECTION_OPT                                                                           \
    { .max_error_px = 12 }
vd_status vd_resection(vd_rigid *cam_from_world, uint8_t *mask, int *inliers, const vd_camera *c,
                       const double *uv, const double *xyz, int n, const vd_resection_opt *opt,
                       vd_err *err);
#endif
