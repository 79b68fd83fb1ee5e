/* Undistortion: the pinhole camera shows nothing blank, rows and points say the same, and a camera
 * without distortion stays as it is. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "geometry/undistort.h"

static const vd_camera cameras[] = {
    { VD_CAMERA_SIMPLE_RADIAL, 640, 480, { 500, 320, 240, -0.2 } },
    { VD_CAMERA_SIMPLE_RADIAL, 640, 480, { 500, 320, 240, 0.15 } },
    { VD_CAMERA_OPENCV, 800, 600, { 700, 710, 410, 290, -0.1, 0.02, 0.001, -0.002 } },
    { VD_CAMERA_OPENCV_FISHEYE, 800, 800, { 400, 400, 400, 400, 0.01, -0.002, 0, 0 } },
    { VD_CAMERA_FOV, 640, 480, { 450, 450, 320, 240, 0.9 } },
};

T(a_pinhole_camera_stays_as_it_is) {
    vd_err err = { 0 };
    const vd_camera c = { VD_CAMERA_SIMPLE_PINHOLE, 640, 480, { 500, 300, 250 } };
    vd_camera to;
    T_OK(vd_undistorted_camera(&to, &c, &err));
    T_EQ(to.width, 640);
    T_EQ(to.height, 480);
    T_NEAR(to.params[2], 300, 1e-9);
    T_NEAR(to.params[3], 250, 1e-9);
}

T(every_pixel_has_a_place_in_the_picture) {
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(cameras); i++) {
        const vd_camera *c = &cameras[i];
        vd_camera to;
        T_OK(vd_undistorted_camera(&to, c, &err));
        T_NEED(to.width <= 2 * c->width && to.height <= 2 * c->height);
        float *uv = malloc(2 * sizeof(float) * (size_t)to.width);
        int outside = 0;
        for (int32_t y = 0; y < to.height; y++) {
            vd_undistort_row(uv, &to, c, y);
            for (int32_t x = 0; x < to.width; x++)
                outside += !(uv[2 * x] >= -0.01f && uv[2 * x] <= (float)c->width + 0.01f &&
                             uv[2 * x + 1] >= -0.01f && uv[2 * x + 1] <= (float)c->height + 0.01f);
        }
        T_EQ(outside, 0);
        free(uv);
    }
}

T(points_go_where_rows_come_from) {
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(cameras); i++) {
        vd_camera to;
        T_OK(vd_undistorted_camera(&to, &cameras[i], &err));
        float *uv = malloc(2 * sizeof(float) * (size_t)to.width);
        int32_t y = to.height / 3;
        vd_undistort_row(uv, &to, &cameras[i], y);
        for (int32_t x = 5; x < to.width; x += 97) {
            const double from[2] = { uv[2 * x], uv[2 * x + 1] };
            double at[2];
            T_TRUE(vd_undistort_point(at, &to, &cameras[i], from));
            T_NEAR(at[0], x + 0.5, 1e-3);
            T_NEAR(at[1], y + 0.5, 1e-3);
        }
        free(uv);
    }
}

T(a_hemisphere_is_refused) {
    const vd_camera c = { VD_CAMERA_OPENCV_FISHEYE, 800, 800, { 200, 200, 400, 400, 0, 0, 0, 0 } };
    vd_camera to;
    T_EQ(vd_undistorted_camera(&to, &c, NULL), VD_E_UNSUPPORTED);
}
