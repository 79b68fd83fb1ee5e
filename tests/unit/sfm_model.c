/* The container of a reconstruction: tracks, errors, figures, and what its check finds.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "unit/model_make.h"

T(empty_is_valid) {
    vd_model m = { 0 };
    vd_err err = { 0 };
    T_OK(vd_model_check(&m, "m", &err));
    vd_model_stats s = vd_model_stats_of(&m);
    T_EQ(s.points + s.images + s.observations, 0);
    T_NEAR(s.mean_track_length + s.mean_error_px + s.mean_observations_per_image, 0, 0);
    T_OK(vd_model_track(&m, &err));
    vd_model_update_errors(&m);
    vd_model_reset(&m);
}

T(tracks_say_what_keypoints_say) {
    vd_rng r = t_rng(t);
    vd_model m;
    vd_err err = { 0 };
    t_model_make(&m, &r, 3, 0, 6, 50);
    T_OK(vd_model_check(&m, "m", &err));
    int64_t seen = 0;
    for (int32_t i = 0; i < m.n_images; i++)
        for (int32_t k = 0; k < m.images[i].n; k++) seen += m.images[i].point[k] >= 0;
    T_EQ(m.track_start[0], 0);
    T_EQ(m.track_start[m.n_points], seen);
    T_TRUE(seen > 150);
    for (int64_t e = 1; e < m.track_start[1]; e++) T_TRUE(m.track_image[e - 1] < m.track_image[e]);
    vd_model_reset(&m);
}

/* Keypoints moved by (3, 4) are 5 pixels off; one behind the camera counts as far away. */
T(errors_and_figures) {
    vd_rng r = t_rng(t);
    vd_model m;
    t_model_make(&m, &r, 1, VD_CAMERA_OPENCV, 4, 30);
    for (int64_t p = 0; p < m.n_points; p++) T_NEAR(m.error_px[p], 0, 1e-9);
    for (int32_t i = 0; i < m.n_images; i++)
        for (int32_t k = 0; k < m.images[i].n; k++) {
            m.images[i].uv[2 * k] += 3;
            m.images[i].uv[2 * k + 1] -= 4;
        }
    vd_model_update_errors(&m);
    for (int64_t p = 0; p < m.n_points; p++) T_NEAR(m.error_px[p], 5, 1e-9);
    m.error_px[0] = -1; /* unknown: not among the mean */
    m.error_px[1] = 5 + 28;
    vd_model_stats s = vd_model_stats_of(&m);
    T_NEAR(s.mean_error_px, (29 * 5 + 28) / 29., 1e-9);
    T_EQ(s.observations, m.track_start[30]);
    T_NEAR(s.mean_track_length, (double)s.observations / 30, 1e-12);
    T_NEAR(s.mean_observations_per_image, (double)s.observations / 4, 1e-12);
    for (int32_t i = 0; i < m.n_images; i++) m.images[i].cam_from_world.t.z -= 100;
    vd_model_update_errors(&m);
    T_NEAR(m.error_px[7], 1e5, 0);
    vd_model_reset(&m);
}

/* Each way of breaking a model, and what the check says about it. */
enum { N_BREAKS = 24 };
static const char *broken(vd_model *m, int how) {
    vd_model_image *v = &m->images[2];
    int32_t k = m->track_keypoint[0], i = m->track_image[0];
    switch (how) {
    case 0: m->cameras[1].model = 99; return "camera 9: camera: model 99";
    case 1: m->cameras[1].params[0] = -1; return "not positive";
    case 2: m->camera_ids[1] = m->camera_ids[0]; return "two cameras have the id";
    case 3: m->camera_ids[1] = -4; return "id -4 of camera 1";
    case 4: v->camera = 3; return "camera 3, there are 3";
    case 5: v->camera = -1; return "camera -1, there are 3";
    case 6: v->cam_from_world.q.w += 1; return "a rotation of squared length";
    case 7: v->cam_from_world.q.w = (double)NAN; return "a rotation of squared length nan";
    case 8: v->cam_from_world.t.y = (double)INFINITY; return "translation is not finite";
    case 9: v->name[0] = '\0'; return "has no name";
    case 10: strcpy(v->name, m->images[0].name); return "two images are named 'set 0/view_000.jpg'";
    case 11: v->id = m->images[0].id; return "two images have the id";
    case 12: v->id = 0xffffffff; return "outside 0 to 4294967294";
    case 13: v->uv[1] = (double)NAN; return "keypoint 0 is not finite";
    case 14: v->point[1] = 50; return "sees point 50, there are 50";
    case 15: v->point[1] = -2; return "sees point -2";
    case 16: m->xyz[4] = (double)NAN; return "is not finite";
    case 17: m->point_ids[3] = m->point_ids[4]; return "two points have the id";
    case 18: m->track_start[1] = -1; return "ends before it begins";
    case 19: m->track_image[0] = 6; return "of image 6, which is not there";
    case 20: m->track_keypoint[0] = 1 << 20; return "keypoint 1048576 of image";
    case 21:
        m->track_keypoint[1] = k;
        m->track_image[1] = i;
        return "which belongs elsewhere";
    case 22: m->images[i].point[k] = -1; return "which belongs elsewhere";
    default: m->track_start[m->n_points]--; return "whose track lacks it";
    }
}

T(every_break_is_found) {
    for (int how = 0; how < N_BREAKS; how++) {
        vd_rng r = t_rng(t);
        vd_model m;
        vd_err err = { 0 };
        t_model_make(&m, &r, 3, 0, 6, 50);
        const char *says = broken(&m, how);
        T_EQ(vd_model_check(&m, "here", &err), VD_E_FORMAT);
        if (strstr(err.msg, says) == NULL || strncmp(err.msg, "here: ", 6) != 0)
            T_FAIL("break %d says '%s', not '%s'", how, err.msg, says);
        vd_model_reset(&m);
    }
}

static vd_status build(vd_model *m, vd_err *err) {
    VD_TRY(vd_model_add_cameras(m, 1, err));
    m->cameras[0] = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 100, 64, 48);
    VD_TRY(vd_model_add_images(m, 2, err));
    VD_TRY(vd_model_add_points(m, 3, 0, err));
    for (int i = 0; i < 2; i++) {
        VD_TRY(vd_model_set_image(&m->images[i], i ? "b" : "a", 1, 3, err));
        for (int k = 0; k < 3; k++) m->images[i].point[k] = k;
    }
    m->point_ids[0] = 9; /* out of order, so that the check sorts */
    VD_TRY(vd_model_track(m, err));
    return vd_model_check(m, "m", err);
}

T(survives_refused_memory) {
    for (int n = 0, hit = 1; hit; n++) {
        int64_t before = vd_mem_live();
        vd_model m = { 0 };
        vd_err err = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = build(&m, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_model_reset(&m);
        T_EQ(vd_mem_live(), before);
    }
}

T(counts_have_limits) {
    vd_model m = { 0 };
    vd_err err = { 0 };
    T_EQ(vd_model_add_points(&m, (int64_t)INT32_MAX + 1, 0, &err), VD_E_LIMIT);
    T_EQ(vd_model_add_images(&m, -1, &err), VD_E_LIMIT);
    vd_model_reset(&m);
}
