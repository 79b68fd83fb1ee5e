/* Keypoints of ours and those of an imported model. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "scene/imported.h"

enum { MODEL = 400, OURS = 300 };

/* Brute force: the nearest keypoint that shows a point. */
static int32_t nearest(const vd_model_image *v, const vd_keypoint *k, double radius) {
    double least = radius * radius;
    int32_t best = -1;
    for (int32_t i = 0; i < v->n; i++) {
        double du = v->uv[2 * i] - k->x, dv = v->uv[2 * i + 1] - k->y, d2 = du * du + dv * dv;
        if (v->point[i] < 0 || d2 > least) continue;
        least = d2;
        best = v->point[i];
    }
    return best;
}

T(keypoints_show_what_the_nearest_of_the_model_shows) {
    vd_rng r = t_rng(t);
    const vd_camera c = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 900, 1000, 700);
    for (int round = 0; round < 20; round++) {
        double uv[2 * MODEL];
        int32_t point[MODEL], found[OURS];
        vd_keypoint kp[OURS] = { { 0 } };
        vd_err err = { 0 };
        int matched = 0;
        /* crowded, so that several lie within the radius of 1 px */
        for (int i = 0; i < 2 * MODEL; i++) uv[i] = vd_rng_range(&r, 0, round == 0 ? 1000 : 25);
        for (int i = 0; i < MODEL; i++) point[i] = i % 3 == 0 ? -1 : i;
        for (int i = 0; i < OURS; i++) {
            kp[i].x = (float)vd_rng_range(&r, -1, 26);
            kp[i].y = (float)vd_rng_range(&r, -1, 26);
        }
        const vd_model_image v = { .n = MODEL, .uv = uv, .point = point };
        T_OK(vd_imported_points(found, kp, OURS, &v, &c, &err));
        for (int i = 0; i < OURS; i++) {
            T_EQ(found[i], nearest(&v, &kp[i], 1));
            matched += found[i] >= 0;
        }
        if (round > 0) T_TRUE(matched > OURS / 2);
    }
}

T(a_model_without_keypoints_shows_nothing) {
    const vd_camera c = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 900, 1000, 700);
    const vd_model_image v = { 0 };
    const vd_keypoint kp[2] = { { .x = 3 }, { .x = 5 } };
    int32_t found[2] = { 7, 7 };
    vd_err err = { 0 };
    T_OK(vd_imported_points(found, kp, 2, &v, &c, &err));
    T_EQ(found[0], -1);
    T_EQ(found[1], -1);
}
