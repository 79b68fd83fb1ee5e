/* The frame of positions that leave turns open: cameras in a line, as one walks or flies them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "sfm_views.h"

static const double DEG = 57.29577951308232;

typedef struct outing {
    double x, y;          /* from each camera to the next, m */
    double height;        /* above the middle of what is seen, m */
    double heading, look; /* of the view, deg from x to y; above the horizon */
    double away,
        size[3];    /* what is seen: so far along the view, half sizes along the world's axes */
    double sigma_m; /* noise of the positions; twice as much of the height */
    int cameras;
    bool portrait; /* the pictures are stored on their sides */
    bool told;     /* the pitch is known */
} outing;

/* A camera that looks along a heading and pitch, rows level. */
static vd_rigid held(vd_vec3 at, double heading_deg, double pitch_deg) {
    double h = heading_deg / DEG, p = pitch_deg / DEG;
    vd_vec3 z = vd_v3(cos(h) * cos(p), sin(h) * cos(p), sin(p)), x = vd_v3(sin(h), -cos(h), 0);
    vd_vec3 y = vd_v3_cross(z, x);
    const double m[9] = { x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z };
    vd_quat q = vd_quat_of_matrix(m);
    return (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, at), -1) };
}

static scene scene_of(const outing *o, vd_rng *r) {
    enum { POINTS = 1500 };
    scene s = { .n_cameras = 1, .n_poses = o->cameras, .n_points = POINTS };
    double h = o->heading / DEG, middle = (o->cameras - 1) / 2.0;
    int64_t cap = 0;
    s.camera = vd_mem_array(1, sizeof *s.camera);
    s.pose = vd_mem_array((size_t)o->cameras, sizeof *s.pose);
    s.pose_camera = vd_mem_array((size_t)o->cameras, sizeof *s.pose_camera);
    s.point = vd_mem_array(POINTS, 3 * sizeof *s.point);
    s.camera[0] = scene_camera(VD_CAMERA_SIMPLE_PINHOLE);
    for (int i = 0; i < o->cameras; i++) {
        vd_vec3 at = vd_v3((i - middle) * o->x, (i - middle) * o->y, o->height);
        s.pose[i] = held(at, o->heading, o->look);
        if (o->portrait) { /* EXIF's 6: down is stored as x */
            vd_quat turn = vd_quat_exp(vd_v3(0, 0, -90 / DEG));
            s.pose[i] = vd_rigid_mul((vd_rigid){ turn, { 0, 0, 0 } }, s.pose[i]);
        }
    }
    for (int i = 0; i < POINTS; i++) {
        double *x = s.point + 3 * i;
        x[0] = o->away * cos(h) + o->size[0] * vd_rng_range(r, -1, 1);
        x[1] = o->away * sin(h) + o->size[1] * vd_rng_range(r, -1, 1);
        x[2] = o->size[2] * vd_rng_range(r, -1, 1);
        for (int p = 0; p < o->cameras; p++) {
            vd_vec3 y = vd_rigid_apply(s.pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            vd_bundle_obs ob = { p, i, { 0 } };
            vd_err err = { 0 };
            if (!vd_camera_project(&s.camera[0], in_cam, ob.uv)) continue;
            if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > 1600 || ob.uv[1] > 1200) continue;
            ob.uv[0] += 0.4 * vd_rng_normal(r);
            ob.uv[1] += 0.4 * vd_rng_normal(r);
            if (VD_GROW(s.obs, cap, s.n_obs + 1, &err) != VD_OK) exit(3);
            s.obs[s.n_obs++] = ob;
        }
    }
    return s;
}

/* Degrees by which the model's up is off in the worst camera, and whether its turn rests on how
 * they are held. */
static void up_error(t_case *t, const outing *o, vd_rng *r, double *worst, bool *upright) {
    scene s = scene_of(o, r);
    views v = views_of(&s, r, (views_opt){ .least = 50 });
    vd_sfm_result out = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < o->cameras; i++) {
        vd_vec3 c = vd_rigid_centre(s.pose[i]);
        const double x[3] = { c.x, c.y, c.z };
        v.image[i].has_position = true;
        for (int k = 0; k < 3; k++) {
            v.image[i].position[k] = x[k] + o->sigma_m * (k == 2 ? 2 : 1) * vd_rng_normal(r);
            v.image[i].position_sigma_m[k] = k == 2 ? 10 : 5;
        }
        v.image[i].down[o->portrait ? 0 : 1] = 1;
        v.image[i].has_pitch = o->told;
        v.image[i].pitch_rad = o->look / DEG;
    }
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 1);
    if (out.n_models == 1) {
        const vd_sfm_model *m = &out.model[0];
        T_EQ(m->n_images, o->cameras);
        T_TRUE(m->in_position_frame);
        *upright = m->upright;
        *worst = 0;
        for (int i = 0; i < m->n_images; i++) {
            vd_vec3 up = vd_v3(0, 0, 1), a = vd_quat_rotate(m->cam_from_world[i].q, up),
                    b = vd_quat_rotate(s.pose[m->image[i]].q, up);
            *worst = fmax(*worst, DEG * acos(VD_CLAMP(vd_v3_dot(a, b), -1, 1)));
        }
    }
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

static void check_up(t_case *t, outing o, double limit_deg, bool by_cameras) {
    bool upright = false;
    vd_rng r = t_rng(t);
    double worst = 180;
    up_error(t, &o, &r, &worst, &upright);
    if (getenv("T_VERBOSE")) fprintf(stderr, "up is off by %.2f deg\n", worst);
    T_LT(worst, limit_deg);
    T_EQ(upright, by_cameras);
}

/* Along a facade, which is to the side; and towards something. Cameras look 4 degrees up: that much
 * nobody knows where they stand in line with their rows. */
T(held_level) {
    const outing past = { .x = 2,
                          .heading = 90,
                          .look = 4,
                          .away = 14,
                          .height = 1,
                          .size = { 12, 1.5, 5 },
                          .sigma_m = 2,
                          .cameras = 7 };
    outing to = { .y = 1,
                  .heading = 90,
                  .look = 4,
                  .away = 16,
                  .height = 1,
                  .size = { 6, 4, 5 },
                  .sigma_m = 2,
                  .cameras = 7 };
    check_up(t, past, 6, true);
    check_up(t, to, 6, true);
    to.portrait = true;
    check_up(t, to, 6, true);
}

/* Positions without noise, so in one line to the last bit but for rounding. */
T(exactly_in_a_line) {
    const outing past = { .x = 2, .heading = 90, .away = 14, .size = { 12, 1.5, 5 }, .cameras = 6 };
    check_up(t, past, 1, true);
}

/* A strip from the air: ahead in the picture, and to its side, where only what lies below tells
 * that nobody stands there. */
T(a_strip_from_the_air) {
    outing strip = {
        .x = 9, .look = -90, .height = 40, .size = { 60, 30, 2 }, .sigma_m = 1, .cameras = 6
    };
    check_up(t, strip, 6, true);
    strip.heading = 90;
    check_up(t, strip, 6, true);
    strip.portrait = true;
    check_up(t, strip, 6, true);
}

/* Obliquely, as the gimbal tells. */
T(a_gimbal_is_believed) {
    const outing strip = { .x = 9,
                           .heading = 90,
                           .look = -50,
                           .away = 30,
                           .height = 40,
                           .size = { 60, 20, 2 },
                           .sigma_m = 1,
                           .cameras = 6,
                           .told = true };
    check_up(t, strip, 6, true);
}

/* Wide enough: nothing but the positions counts, however the cameras are held. */
T(positions_that_spread_suffice) {
    vd_rng r = t_rng(t);
    scene s = scene_survey(
        &r, (scene_opt){ .poses = 25, .points = 250, .model = 0, .see = 0.9, .noise_px = 0.4 });
    views v = views_of(&s, &r, (views_opt){ .least = 50 });
    vd_sfm_result out = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < s.n_poses; i++) {
        vd_vec3 c = vd_rigid_centre(s.pose[i]);
        const double x[3] = { c.x, c.y, c.z };
        v.image[i].has_position = true;
        for (int k = 0; k < 3; k++) {
            v.image[i].position[k] = x[k] + 0.1 * vd_rng_normal(&r);
            v.image[i].position_sigma_m[k] = k == 2 ? 1 : 0.5;
        }
        v.image[i].down[0] = 1; /* not true */
    }
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_NEED(out.n_models == 1);
    T_TRUE(out.model[0].in_position_frame && !out.model[0].upright);
    T_LT(out.model[0].turn_sigma_rad, 0.05);
    T_LT(out.model[0].scale_sigma, 0.05);
    T_TRUE(out.model[0].scale_sigma > 0);
    for (int i = 0; i < out.model[0].n_images; i++) {
        vd_rigid a = out.model[0].cam_from_world[i], b = s.pose[out.model[0].image[i]];
        T_LT(DEG * vd_quat_angle_rad(a.q, b.q), 1);
        T_LT(vd_v3_norm(vd_v3_sub(vd_rigid_centre(a), vd_rigid_centre(b))), 0.5);
    }
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}
