#ifndef VD_GEOMETRY_TWO_VIEW_H
#define VD_GEOMETRY_TWO_VIEW_H
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
#endif
