/* The global mapper, and its parts alone, on scenes whose truth is known. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/pool.h"
#include "geometry/align.h"
#include "geometry/rigid.h"
#include "global/focal.h"
#include "global/global.h"
#include "global/positions.h"
#include "global/rotations.h"
#include "sfm_views.h"

static vd_vec3 normal3(vd_rng *r) {
    double x = vd_rng_normal(r), y = vd_rng_normal(r);
    return vd_v3(x, y, vd_rng_normal(r));
}

static vd_quat any_rotation(vd_rng *r) {
    double a = vd_rng_normal(r), b = vd_rng_normal(r), c = vd_rng_normal(r);
    return vd_quat_unit((vd_quat){ a, b, c, vd_rng_normal(r) });
}

/* Nodes on a ring, each with edges to the next six and a few across; noise on all edges, and some
 * that say anything. Weights tell nothing. */
static int64_t make_edges(vd_rotation_edge *e, const vd_quat *truth, int n, double noise_rad,
                          double wrong, vd_rng *r) {
    int64_t m = 0;
    for (int a = 0; a < n; a++)
        for (int k = 1; k <= 8; k++) {
            int b = k <= 6 ? (a + k) % n : (int)vd_rng_int(r, n);
            if (a == b) continue;
            vd_quat q = vd_quat_mul(truth[b], vd_quat_conj(truth[a]));
            q = vd_quat_mul(vd_quat_exp(vd_v3_mul(normal3(r), noise_rad)), q);
            if (vd_rng_f64(r) < wrong) q = any_rotation(r);
            e[m++] = (vd_rotation_edge){ a, b, q, 1 + vd_rng_f64(r) };
        }
    return m;
}

/* The worst and the mean error after the best turn of the whole, which the first node would give
 * were it exact; here the frame is that of node 0. */
static double rotation_error_deg(const vd_quat *q, const vd_quat *truth, int n, double *mean) {
    vd_quat sum = { 0, 0, 0, 0 };
    double worst = 0;
    for (int i = 0; i < n; i++) { /* truth = q s: the mean of all s */
        vd_quat s = vd_quat_mul(vd_quat_conj(q[i]), truth[i]);
        double sign = s.w * sum.w + s.x * sum.x + s.y * sum.y + s.z * sum.z < 0 ? -1 : 1;
        sum = (vd_quat){ sum.w + sign * s.w, sum.x + sign * s.x, sum.y + sign * s.y,
                         sum.z + sign * s.z };
    }
    sum = vd_quat_unit(sum);
    *mean = 0;
    for (int i = 0; i < n; i++) {
        double a = 57.29577951308232 * vd_quat_angle_rad(vd_quat_mul(q[i], sum), truth[i]);
        worst = fmax(worst, a);
        *mean += a / n;
    }
    return worst;
}

T(rotations_are_found_among_wrong_edges) {
    const double wrong[] = { 0, 0.1, 0.3 };
    const int sizes[] = { 10, 100, 400 };
    for (int k = 0; k < 9; k++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        int n = sizes[k % 3];
        vd_quat *truth = vd_mem_array((size_t)n, sizeof *truth);
        vd_quat *q = vd_mem_array((size_t)n, sizeof *q);
        vd_rotation_edge *e = vd_mem_array((size_t)n * 8, sizeof *e);
        for (int i = 0; i < n; i++) truth[i] = any_rotation(&r);
        int64_t m = make_edges(e, truth, n, 0.01, wrong[k / 3], &r);
        double mean;
        T_OK(vd_rotations_average(q, n, e, m, NULL, NULL, &err));
        double worst = rotation_error_deg(q, truth, n, &mean);
        /* an edge errs by a degree, sixteen meet in a node */
        if (getenv("T_VERBOSE"))
            fprintf(stderr, "%d nodes, %g wrong: mean %g worst %g\n", n, wrong[k / 3], mean, worst);
        T_LT(mean, 0.6);
        T_LT(worst, 2.5);
        vd_mem_free(truth);
        vd_mem_free(q);
        vd_mem_free(e);
    }
}

T(exact_rotations_come_out_exactly) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    vd_quat truth[30], q[30];
    vd_rotation_edge e[30 * 8];
    double mean;
    for (int i = 0; i < 30; i++) truth[i] = any_rotation(&r);
    int64_t m = make_edges(e, truth, 30, 0, 0.25, &r);
    T_OK(vd_rotations_average(q, 30, e, m, NULL, NULL, &err));
    /* wrong edges keep a weight of (5 / 90)^4 of a right one's */
    T_LT(rotation_error_deg(q, truth, 30, &mean), 0.02);
}

/* Two parts and a node alone; what is not a graph of rotations is an error. */
T(rotations_of_parts) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    vd_quat truth[9], q[9];
    vd_rotation_edge e[8];
    int m = 0;
    for (int i = 0; i < 9; i++) truth[i] = any_rotation(&r);
    for (int a = 0; a < 8; a++) {
        int b = a < 4 ? (a + 1) % 4 : 4 + (a + 1) % 4;
        e[m++] = (vd_rotation_edge){ a, b, vd_quat_mul(truth[b], vd_quat_conj(truth[a])), 1 };
    }
    T_OK(vd_rotations_average(q, 9, e, m, NULL, NULL, &err));
    for (int i = 0; i < m; i++) T_LT(vd_rotation_error_rad(q, &e[i]), 1e-9);
    T_LT(vd_quat_angle_rad(q[8], VD_QUAT_ONE), 1e-12);
    T_OK(vd_rotations_average(q, 0, NULL, 0, NULL, NULL, &err));
    e[3].b = 9;
    T_EQ(vd_rotations_average(q, 9, e, m, NULL, NULL, &err), VD_E_ARG);
    e[3].b = 0;
    e[3].b_from_a.w = NAN;
    T_EQ(vd_rotations_average(q, 9, e, m, NULL, NULL, &err), VD_E_ARG);
}

/* Cameras around and in a cloud of points; each sees some of them, with noise; `wrong` of the
 * observations look anywhere. */
typedef struct cloud {
    int cameras, points;
    int64_t n;
    double *centre, *point, *found_centre, *found_point;
    vd_position_obs *obs;
} cloud;

static cloud cloud_make(vd_rng *r, int cameras, int points, double noise_rad, double wrong) {
    cloud c = { .cameras = cameras, .points = points };
    c.centre = vd_mem_array((size_t)cameras, 3 * sizeof(double));
    c.point = vd_mem_array((size_t)points, 3 * sizeof(double));
    c.found_centre = vd_mem_array((size_t)cameras, 3 * sizeof(double));
    c.found_point = vd_mem_array((size_t)points, 3 * sizeof(double));
    c.obs = vd_mem_array((size_t)points * 8, sizeof *c.obs);
    for (int i = 0; i < 3 * cameras; i++) c.centre[i] = vd_rng_range(r, -10, 10);
    for (int i = 0; i < points; i++) {
        for (int k = 0; k < 3; k++) c.point[3 * i + k] = vd_rng_range(r, -12, 12);
        int first = (int)vd_rng_int(r, cameras);
        for (int k = 0; k < VD_MIN(6, cameras); k++) {
            int a = (first + k * k) % cameras;
            const double *p = c.point + 3 * i, *o = c.centre + 3 * a;
            vd_vec3 v = vd_v3_unit(vd_v3(p[0] - o[0], p[1] - o[1], p[2] - o[2]));
            v = vd_v3_unit(vd_v3_add(v, vd_v3_mul(normal3(r), noise_rad)));
            if (vd_rng_f64(r) < wrong) v = vd_v3_unit(normal3(r));
            c.obs[c.n++] = (vd_position_obs){ a, i, { v.x, v.y, v.z } };
        }
    }
    return c;
}

static void cloud_free(cloud *c) {
    vd_mem_free(c->centre);
    vd_mem_free(c->point);
    vd_mem_free(c->found_centre);
    vd_mem_free(c->found_point);
    vd_mem_free(c->obs);
}

static double cloud_error(const cloud *c) {
    vd_similarity s;
    double sum = 0;
    if (!vd_similarity_fit(&s, c->found_centre, c->centre, NULL, c->cameras, true)) return 1e9;
    for (int i = 0; i < c->cameras; i++) {
        const double *a = c->found_centre + 3 * i, *b = c->centre + 3 * i;
        vd_vec3 d =
            vd_v3_sub(vd_similarity_apply(s, vd_v3(a[0], a[1], a[2])), vd_v3(b[0], b[1], b[2]));
        sum += vd_v3_dot(d, d) / c->cameras;
    }
    return sqrt(sum);
}

T(positions_are_found_from_nowhere) {
    const int sizes[] = { 5, 40, 200 };
    const double wrong[] = { 0, 0.2 };
    for (int k = 0; k < 6; k++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        int n = sizes[k % 3];
        cloud c = cloud_make(&r, n, 200 + n * 30, 0.001, wrong[k / 3]);
        vd_position_report rep;
        T_OK(vd_positions_find(c.found_centre, n, c.found_point, c.points, c.obs, c.n, NULL, &rep,
                               NULL, &err));
        /* a milliradian at a distance of 10, sixty and more rays a camera */
        if (getenv("T_VERBOSE"))
            fprintf(stderr,
                    "%d cameras, %g wrong: %g, %d iterations, cost %g to %g, %ld behind of %ld\n",
                    n, wrong[k / 3], cloud_error(&c), rep.iterations, rep.first_cost, rep.last_cost,
                    (long)rep.behind, (long)c.n);
        T_LT(cloud_error(&c), 0.02);
        T_LT((double)rep.behind, (0.65 * wrong[k / 3] + 0.002) * (double)c.n);
        cloud_free(&c);
    }
}

/* A camera for every picture, each focal length off by its own factor. */
T(each_picture_has_a_camera_of_its_own) {
    for (int estimate = 1; estimate <= 2; estimate++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = 30,
                                              .points = 2000,
                                              .model = VD_CAMERA_SIMPLE_PINHOLE,
                                              .see = 0.8,
                                              .noise_px = 0.3,
                                              .own_cameras = true });
        scene guess = s; /* pairs are verified with wrong cameras, so these are the scene's */
        guess.camera = vd_mem_array(30, sizeof *guess.camera);
        for (int i = 0; i < 30; i++) {
            guess.camera[i] = s.camera[i];
            guess.camera[i].params[0] *= exp(vd_rng_range(&r, -0.5, 0.5));
        }
        views v = views_of(
            &guess, &r,
            (views_opt){
                .clutter = 50, .least = 50, .miss = 0.2, .wrong = 0.02, .estimate = estimate });
        vd_sfm_result out = { 0 };
        memset(v.refine, VD_REFINE_FOCAL, 30);
        T_OK(vd_sfm_global(&out, &v.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 1);
        views_check(t, &out, 0, &s, 30, 4); /* a camera of its own knows its depth less well */
        for (int i = 0; i < 30 && out.n_models > 0; i++)
            T_NEAR(out.model[0].camera[i].params[0], 1200, 12);
        vd_sfm_result_reset(&out);
        views_free(&v);
        vd_mem_free(guess.camera);
        scene_free(&s);
    }
}

/* Exact and noisy fundamental matrices of cameras that stand anywhere, some of the matrices wrong;
 * three cameras of which one is known. */
T(focal_lengths_by_the_view_graph) {
    const double truth[3] = { 900, 1300, 2000 }, given[3] = { 1800, 1300, 1100 };
    for (int round = 0; round < 3; round++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        vd_camera camera[3];
        vd_focal_pair pair[60];
        double factor[3];
        const uint8_t moves[3] = { 1, 0, 1 };
        for (int i = 0; i < 3; i++)
            camera[i] = vd_camera_simple(VD_CAMERA_PINHOLE, given[i], 1600, 1200);
        for (int k = 0; k < 60; k++) {
            int a = (int)vd_rng_int(&r, 3), b = (int)vd_rng_int(&r, 3);
            vd_vec3 c = normal3(&r);
            double turned[9], cross[9], e[9], ka[9], kb[9], f[9];
            vd_quat_matrix(turned, vd_quat_exp(vd_v3_mul(normal3(&r), 0.4)));
            vd_mat3_cross(cross, vd_v3_unit(c));
            vd_mat3_mul(e, cross, turned);
            vd_camera ca = vd_camera_simple(VD_CAMERA_PINHOLE, truth[a], 1600, 1200),
                      cb = vd_camera_simple(VD_CAMERA_PINHOLE, truth[b], 1600, 1200);
            vd_camera_matrix(&ca, f);
            T_TRUE(vd_mat3_inverse(ka, f));
            vd_camera_matrix(&cb, f);
            T_TRUE(vd_mat3_inverse(kb, f));
            for (int i = 0; i < 9 && round > 0; i++) e[i] += 0.002 * vd_rng_normal(&r);
            for (int i = 0; i < 9 && round > 1 && k % 5 == 0; i++) e[i] = vd_rng_normal(&r);
            vd_mat3_mul(f, e, ka);
            pair[k] = (vd_focal_pair){ .a = a, .b = b };
            vd_mat3_mul_tn(pair[k].F, kb, f);
        }
        T_OK(vd_focals_find(factor, camera, moves, 3, pair, 60, NULL, &err));
        if (getenv("T_VERBOSE"))
            fprintf(stderr, "focal lengths %g %g %g\n", factor[0] * given[0], factor[1] * given[1],
                    factor[2] * given[2]);
        T_NEAR(factor[0] * given[0], truth[0], round > 0 ? 30 : 1);
        T_EQ(factor[1], 1);
        T_NEAR(factor[2] * given[2], truth[2], round > 0 ? 60 : 1);
        pair[7].F[3] = INFINITY;
        T_EQ(vd_focals_find(factor, camera, moves, 3, pair, 60, NULL, &err), VD_E_ARG);
    }
}

/* Loops around several objects, each seen from the others' loops too; wrong pairs between images
 * that have nothing to do with each other. */
static scene scene_loops(vd_rng *r, int loops, int poses, int points) {
    scene s = { .n_cameras = 1, .n_poses = loops * poses, .n_points = loops * points };
    int64_t cap = 0;
    s.camera = vd_mem_array(1, sizeof *s.camera);
    s.pose = vd_mem_array((size_t)s.n_poses, sizeof *s.pose);
    s.pose_camera = vd_mem_array((size_t)s.n_poses, sizeof *s.pose_camera);
    s.point = vd_mem_array((size_t)s.n_points, 3 * sizeof *s.point);
    s.camera[0] = scene_camera(VD_CAMERA_SIMPLE_RADIAL);
    for (int i = 0; i < s.n_poses; i++) {
        int loop = i / poses;
        double a = 6.283185307179586 * (i % poses) / poses, d = 4 + 0.2 * vd_rng_normal(r);
        vd_vec3 at = vd_v3(5 * loop + 0.2 * vd_rng_normal(r), 0.2 * vd_rng_normal(r), 0);
        vd_vec3 from = vd_v3(5 * loop + d * cos(a), d * sin(a), 0.4 * vd_rng_normal(r));
        s.pose[i] = scene_look(from, at);
    }
    for (int i = 0; i < s.n_points; i++) {
        vd_vec3 n = vd_v3_unit(normal3(r));
        double size = 1 + 0.2 * sin(5 * n.x) * cos(4 * n.y);
        const double x[3] = { 5 * (i / points) + size * n.x, size * n.y, size * n.z };
        memcpy(s.point + 3 * i, x, sizeof x);
        for (int p = 0; p < s.n_poses; p++) {
            vd_vec3 c = vd_rigid_centre(s.pose[p]), v = vd_v3_sub(c, vd_v3(x[0], x[1], x[2]));
            vd_vec3 y = vd_rigid_apply(s.pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            vd_bundle_obs ob = { p, i, { 0 } };
            vd_err err = { 0 };
            if (vd_v3_dot(n, vd_v3_unit(v)) < 0.2 || vd_rng_f64(r) > 0.6 || vd_v3_norm(v) > 12)
                continue;
            if (!vd_camera_project(&s.camera[0], in_cam, ob.uv)) continue;
            if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > 1600 || ob.uv[1] > 1200) continue;
            ob.uv[0] += 0.5 * vd_rng_normal(r);
            ob.uv[1] += 0.5 * vd_rng_normal(r);
            if (VD_GROW(s.obs, cap, s.n_obs + 1, &err) != VD_OK) exit(3);
            s.obs[s.n_obs++] = ob;
        }
    }
    return s;
}

/* Of all pairs `share` is not true: 60 random matches with a random geometry. */
typedef struct spoilt {
    vd_sfm_input in;
    vd_sfm_pair *pair;
    vd_sfm_match (*match)[60];
} spoilt;

static spoilt spoil(const views *v, vd_rng *r, double share) {
    int good = v->in.n_pairs, n = (int)(good / (1 - share));
    spoilt s = { .in = v->in };
    s.pair = vd_mem_array((size_t)n + 1, sizeof *s.pair);
    s.match = vd_mem_array((size_t)n + 1, sizeof *s.match);
    memcpy(s.pair, v->pair, (size_t)good * sizeof *s.pair);
    for (int i = good; i < n; i++) {
        int a = (int)vd_rng_int(r, v->in.n_images), b = (int)vd_rng_int(r, v->in.n_images - 1);
        b += b >= a;
        for (int k = 0; k < 60; k++)
            s.match[i][k] = (vd_sfm_match){ (int32_t)vd_rng_int(r, v->image[a].n),
                                            (int32_t)vd_rng_int(r, v->image[b].n) };
        s.pair[i] = (vd_sfm_pair){ .a = a, .b = b, .n = 60, .match = s.match[i] };
        s.pair[i].geometry.config = VD_TWO_VIEW_CALIBRATED;
        s.pair[i].geometry.cam2_from_cam1.q = any_rotation(r);
        s.pair[i].geometry.cam2_from_cam1.t = vd_v3_unit(normal3(r));
    }
    s.in.pair = s.pair;
    s.in.n_pairs = n;
    return s;
}

static void spoilt_free(spoilt *s) {
    vd_mem_free(s->pair);
    vd_mem_free(s->match);
}

/* Errors stay near those of the incremental mapper, which gets the right pairs only. */
T(loops_are_mapped_among_wrong_pairs) {
    const struct {
        int loops, poses;
        double wrong;
    } cases[] = { { 2, 20, 0.1 }, { 3, 30, 0.3 }, { 5, 40, 0.2 } };
    for (int i = 0; i < VD_COUNT(cases); i++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        int n = cases[i].loops * cases[i].poses;
        scene s = scene_loops(&r, cases[i].loops, cases[i].poses, 800);
        views v = views_of(
            &s, &r,
            (views_opt){ .clutter = 50, .wrong = 0.03, .least = 40, .miss = 0.2, .estimate = 1 });
        spoilt in = spoil(&v, &r, cases[i].wrong);
        vd_sfm_result out = { 0 }, other = { 0 };
        T_OK(vd_sfm_global(&out, &in.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 1);
        views_check(t, &out, 0, &s, n, 2);
        T_OK(vd_sfm_incremental(&other, &v.in, NULL, NULL, NULL, &err));
        if (getenv("T_VERBOSE")) views_check(t, &other, 0, &s, n, 10);
        if (out.n_models == 1 && other.n_models > 0 && other.model[0].n_images == n)
            T_LT(views_compare(&out.model[0], &s).centre_rmse,
                 1.1 * views_compare(&other.model[0], &s).centre_rmse + 1e-4);
        vd_sfm_result_reset(&out);
        vd_sfm_result_reset(&other);
        spoilt_free(&in);
        views_free(&v);
        scene_free(&s);
    }
}

/* A walk along a street, looking ahead: nearly all motion is towards what is seen. */
static scene scene_street(vd_rng *r, int poses, int points) {
    scene s = { .n_cameras = 1, .n_poses = poses, .n_points = points };
    int64_t cap = 0;
    double length = 1.0 * poses;
    s.camera = vd_mem_array(1, sizeof *s.camera);
    s.pose = vd_mem_array((size_t)s.n_poses, sizeof *s.pose);
    s.pose_camera = vd_mem_array((size_t)s.n_poses, sizeof *s.pose_camera);
    s.point = vd_mem_array((size_t)s.n_points, 3 * sizeof *s.point);
    s.camera[0] = scene_camera(VD_CAMERA_PINHOLE);
    for (int i = 0; i < poses; i++) {
        vd_vec3 from =
            vd_v3(i + 0.2 * vd_rng_normal(r), 0.3 * vd_rng_normal(r), 1.6 + 0.1 * vd_rng_normal(r));
        vd_vec3 ahead = vd_v3(10, vd_rng_normal(r), 0.5 * vd_rng_normal(r));
        s.pose[i] = scene_look(from, vd_v3_add(from, ahead));
    }
    for (int i = 0; i < points; i++) {
        double x[3] = { vd_rng_range(r, 0, length + 25), vd_rng_f64(r) < 0.5 ? -5 : 5,
                        vd_rng_range(r, 0, 6) };
        x[1] += 0.5 * vd_rng_normal(r);
        memcpy(s.point + 3 * i, x, sizeof x);
        for (int p = 0; p < poses; p++) {
            vd_vec3 y = vd_rigid_apply(s.pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            vd_bundle_obs ob = { p, i, { 0 } };
            vd_err err = { 0 };
            if (y.z < 2 || y.z > 25 || vd_rng_f64(r) > 0.6) continue;
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

/* Errors add up along a street whose end nothing ties to its beginning: what counts is that they
 * are those of the incremental mapper. */
T(a_street_is_mapped_whole) {
    const int poses[] = { 40, 150 };
    for (int i = 0; i < VD_COUNT(poses); i++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        scene s = scene_street(&r, poses[i], 40 * poses[i]);
        views v = views_of(&s, &r,
                           (views_opt){ .clutter = 50,
                                        .wrong = 0.03,
                                        .least = 40,
                                        .miss = 0.2,
                                        .estimate = 1,
                                        .reach = 12 });
        vd_sfm_result out = { 0 }, other = { 0 };
        T_OK(vd_sfm_global(&out, &v.in, NULL, NULL, NULL, &err));
        T_OK(vd_sfm_incremental(&other, &v.in, NULL, NULL, NULL, &err));
        views_check(t, &out, 0, &s, poses[i], 50);
        views_check(t, &other, 0, &s, poses[i], 50);
        if (out.n_models == 1 && other.n_models == 1)
            T_LT(views_compare(&out.model[0], &s).centre_rmse,
                 1.2 * views_compare(&other.model[0], &s).centre_rmse + 1e-3);
        vd_sfm_result_reset(&out);
        vd_sfm_result_reset(&other);
        views_free(&v);
        scene_free(&s);
    }
}

T(threads_change_no_bit) {
    const int jobs[] = { 1, 2, 8 };
    uint64_t first = 0;
    for (int i = 0; i < VD_COUNT(jobs); i++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        vd_pool *pool = NULL;
        scene s = scene_loops(&r, 2, 16, 600);
        views v = views_of(&s, &r,
                           (views_opt){ .clutter = 50,
                                        .wrong = 0.05,
                                        .least = 40,
                                        .miss = 0.2,
                                        .focal = 1.3,
                                        .estimate = 2 });
        vd_sfm_result out = { 0 };
        v.refine[0] = VD_REFINE_FOCAL | VD_REFINE_EXTRA;
        T_OK(vd_pool_new(&pool, jobs[i], &err));
        T_OK(vd_sfm_global(&out, &v.in, NULL, NULL, pool, &err));
        T_TRUE(out.n_models > 0);
        if (i == 0) first = views_digest(&out);
        if (views_digest(&out) != first) T_FAIL("%d jobs: other bits", jobs[i]);
        vd_sfm_result_reset(&out);
        vd_pool_free(pool);
        views_free(&v);
        scene_free(&s);
    }
}

/* Two scenes with nothing between them but one wrong pair: two models, and the pair joins nothing.
 */
T(scenes_come_apart) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    two_scenes s = two_scenes_make(&r);
    vd_sfm_match match[60];
    vd_sfm_pair *wrong = &s.pair[s.in.n_pairs];
    for (int k = 0; k < 60; k++)
        match[k] = (vd_sfm_match){ (int32_t)vd_rng_int(&r, s.image[3].n),
                                   (int32_t)vd_rng_int(&r, s.image[20].n) };
    *wrong = s.pair[0];
    wrong->a = 3, wrong->b = 20, wrong->n = 60, wrong->match = match;
    s.in.n_pairs++;
    s.in.n_images++; /* and an image of nothing */
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_global(&out, &s.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 2);
    if (out.n_models == 2) {
        vd_sfm_model second = out.model[1];
        T_EQ(out.model[0].n_images, 15);
        T_EQ(out.model[0].image[0], 12);
        T_EQ(second.n_images, 12);
        T_LT(views_compare(&second, &s.a).centre_rmse, VIEWS_CENTRE_LIMIT);
    }
    T_EQ(out.verdict[27].reason, VD_SFM_NO_OVERLAP);
    vd_sfm_result_reset(&out);
    two_scenes_free(&s);
}
