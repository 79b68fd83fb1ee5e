/* What a mapper would get of a scene: keypoints, matches of pairs, wrong ones among them; and how
 * far a model is from the truth. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_SFM_VIEWS_H
#define VD_TESTS_SFM_VIEWS_H

#include "base/hash.h"
#include "math/mat.h"
#include "sfm/mapper.h"
#include "sfm_scene.h"

typedef struct views {
    vd_sfm_input in;
    vd_sfm_image *image;
    vd_sfm_pair *pair;
    vd_camera *camera;
    uint8_t *refine;
    double **uv;
    int32_t **point; /* the scene's point behind each keypoint, -1: clutter */
} views;

typedef struct views_opt {
    int clutter;  /* keypoints of no point in every image */
    double wrong; /* share of the matches of a pair that lead to a wrong keypoint */
    int least;    /* matches of a pair */
    double miss;  /* share of the right matches that are not found */
    double focal; /* factor by which the focal lengths are wrong, 0: not at all */
    double reach; /* pairs farther apart are not looked at, 0: all are */
    int estimate; /* geometry of pairs: 0 the truth, 1 estimated, 2 without calibration */
} views_opt;

static inline void views_free(views *v) {
    for (int32_t i = 0; i < v->in.n_images; i++) {
        vd_mem_free(v->uv[i]);
        vd_mem_free(v->point[i]);
    }
    for (int32_t i = 0; i < v->in.n_pairs; i++) vd_mem_free((void *)(uintptr_t)v->pair[i].match);
    vd_mem_free(v->image);
    vd_mem_free(v->pair);
    vd_mem_free(v->camera);
    vd_mem_free(v->refine);
    vd_mem_free(v->uv);
    vd_mem_free(v->point);
}

/* Keypoints come in the order of their points, clutter last. */
static inline void views_keypoints(views *v, const scene *s, vd_rng *r, int clutter) {
    for (int32_t i = 0; i < s->n_poses; i++) v->image[i].camera = s->pose_camera[i];
    for (int64_t k = 0; k < s->n_obs; k++) v->image[s->obs[k].pose].n++;
    for (int32_t i = 0; i < s->n_poses; i++) {
        size_t n = (size_t)(v->image[i].n + clutter) + 1;
        v->image[i].uv = v->uv[i] = vd_mem_array(n, 2 * sizeof(double));
        v->point[i] = vd_mem_array(n, sizeof(int32_t));
        v->image[i].n = 0;
    }
    for (int64_t k = 0; k < s->n_obs; k++) {
        int32_t i = s->obs[k].pose, n = v->image[i].n++;
        memcpy(v->uv[i] + 2 * n, s->obs[k].uv, 2 * sizeof(double));
        v->point[i][n] = s->obs[k].point;
    }
    for (int32_t i = 0; i < s->n_poses; i++)
        for (int k = 0; k < clutter; k++) {
            int32_t n = v->image[i].n++;
            const vd_camera *c = &s->camera[v->image[i].camera];
            v->uv[i][2 * n] = vd_rng_range(r, 0, c->width);
            v->uv[i][2 * n + 1] = vd_rng_range(r, 0, c->height);
            v->point[i][n] = -1;
        }
}

/* The median angle between rays of the right matches. */
static inline double views_angle(const scene *s, int a, int b, const int32_t *point, int n) {
    vd_vec3 ca = vd_rigid_centre(s->pose[a]), cb = vd_rigid_centre(s->pose[b]);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double *x = s->point + 3 * point[i];
        vd_vec3 p = vd_v3(x[0], x[1], x[2]);
        vd_vec3 u = vd_v3_unit(vd_v3_sub(p, ca)), w = vd_v3_unit(vd_v3_sub(p, cb));
        sum += acos(VD_CLAMP(vd_v3_dot(u, w), -1, 1));
    }
    return n > 0 ? sum / n : 0;
}

/* The pair as verification would have it: its geometry, and the matches that agree. */
static inline void views_estimate(const views *v, vd_sfm_pair *p, vd_sfm_match *match,
                                  bool calibrated) {
    double *uv = vd_mem_array((size_t)p->n + 1, 4 * sizeof *uv);
    uint8_t *mask = vd_mem_array((size_t)p->n + 1, 1);
    vd_two_view_opt o = VD_TWO_VIEW_OPT;
    vd_err err = { 0 };
    int n = 0;
    for (int i = 0; i < p->n; i++) {
        memcpy(uv + 2 * i, v->uv[p->a] + 2 * match[i].a, 16);
        memcpy(uv + 2 * (p->n + i), v->uv[p->b] + 2 * match[i].b, 16);
    }
    o.item = (uint64_t)v->in.n_pairs;
    if (vd_two_view_estimate(&p->geometry, mask, &v->camera[v->image[p->a].camera],
                             &v->camera[v->image[p->b].camera], calibrated, uv, uv + 2 * p->n, p->n,
                             &o, &err) != VD_OK)
        exit(3);
    for (int i = 0; i < p->n; i++)
        if (mask[i]) match[n++] = match[i];
    p->n = n;
    vd_mem_free(uv);
    vd_mem_free(mask);
}

static inline void views_pair(views *v, const scene *s, vd_rng *r, views_opt o, int a, int b) {
    const vd_sfm_image *ia = &v->image[a], *ib = &v->image[b];
    vd_sfm_match *match = vd_mem_array((size_t)ia->n + 1, sizeof *match);
    int32_t *both = vd_mem_array((size_t)ia->n + 1, sizeof *both);
    int n = 0;
    for (int32_t i = 0, k = 0; i < ia->n && v->point[a][i] >= 0; i++) {
        int32_t p = v->point[a][i];
        while (k < ib->n && v->point[b][k] >= 0 && v->point[b][k] < p) k++;
        if (k >= ib->n || v->point[b][k] != p || vd_rng_f64(r) < o.miss) continue;
        bool wrong = vd_rng_f64(r) < o.wrong;
        both[n] = p;
        match[n++] = (vd_sfm_match){ i, wrong ? (int32_t)vd_rng_int(r, ib->n) : k };
    }
    if (n >= o.least) {
        vd_sfm_pair *pair = &v->pair[v->in.n_pairs++];
        vd_rigid rel = vd_rigid_mul(s->pose[b], vd_rigid_inverse(s->pose[a]));
        /* a unit baseline, as two-view geometry gives it */
        double len = vd_v3_norm(rel.t);
        if (len > 0) rel.t = vd_v3_mul(rel.t, 1 / len);
        *pair = (vd_sfm_pair){ .a = a, .b = b, .n = n, .match = match };
        pair->geometry.config = VD_TWO_VIEW_CALIBRATED;
        pair->geometry.cam2_from_cam1 = rel;
        pair->geometry.median_angle_rad = views_angle(s, a, b, both, n);
        pair->geometry.inliers = n;
        if (o.estimate > 0) views_estimate(v, pair, match, o.estimate == 1);
    } else {
        vd_mem_free(match);
    }
    vd_mem_free(both);
}

static inline views views_of(const scene *s, vd_rng *r, views_opt o) {
    views v = { 0 };
    size_t n = (size_t)s->n_poses;
    v.image = vd_mem_array(n, sizeof *v.image);
    v.pair = vd_mem_array(n * n / 2 + 1, sizeof *v.pair);
    v.camera = vd_mem_array((size_t)s->n_cameras, sizeof *v.camera);
    v.refine = vd_mem_array((size_t)s->n_cameras, 1);
    v.uv = vd_mem_array(n, sizeof *v.uv);
    v.point = vd_mem_array(n, sizeof *v.point);
    v.in = (vd_sfm_input){ .n_images = s->n_poses, .n_cameras = s->n_cameras };
    memcpy(v.camera, s->camera, (size_t)s->n_cameras * sizeof *v.camera);
    for (int i = 0; i < s->n_cameras && o.focal > 0; i++)
        for (int k = 0; k < vd_camera_layout_of(s->camera[i].model).focal; k++)
            v.camera[i].params[k] *= o.focal;
    views_keypoints(&v, s, r, o.clutter);
    for (int a = 0; a < s->n_poses; a++)
        for (int b = a + 1; b < s->n_poses; b++) {
            vd_vec3 d = vd_v3_sub(vd_rigid_centre(s->pose[a]), vd_rigid_centre(s->pose[b]));
            if (o.reach > 0 && vd_v3_norm(d) > o.reach) continue;
            views_pair(&v, s, r, o, a, b);
        }
    v.in.image = v.image;
    v.in.pair = v.pair;
    v.in.camera = v.camera;
    v.in.camera_refine = v.refine;
    return v;
}

/* Two scenes of which nothing joins the pictures: rings of 12 and of 15, in that order. */
typedef struct two_scenes {
    scene a, b;
    views va, vb;
    vd_sfm_input in;
    vd_sfm_image *image; /* room for one more image and one more pair */
    vd_sfm_pair *pair;
} two_scenes;

static inline two_scenes two_scenes_make(vd_rng *r) {
    const scene_opt first = {
        .poses = 12, .points = 1500, .model = 0, .see = 0.8, .noise_px = 0.4
    };
    scene_opt second = first;
    second.poses = 15;
    two_scenes s = { .a = scene_make(r, first), .b = scene_make(r, second) };
    s.va = views_of(&s.a, r, (views_opt){ .least = 50 });
    s.vb = views_of(&s.b, r, (views_opt){ .least = 50 });
    int first_pairs = s.va.in.n_pairs, pairs = first_pairs + s.vb.in.n_pairs;
    s.image = vd_mem_array(27 + 1, sizeof *s.image);
    s.pair = vd_mem_array((size_t)pairs + 1, sizeof *s.pair);
    memcpy(s.image, s.va.image, 12 * sizeof *s.image);
    memcpy(s.image + 12, s.vb.image, 15 * sizeof *s.image);
    memcpy(s.pair, s.va.pair, (size_t)first_pairs * sizeof *s.pair);
    for (int i = first_pairs; i < pairs; i++) {
        s.pair[i] = s.vb.pair[i - first_pairs];
        s.pair[i].a += 12;
        s.pair[i].b += 12;
    }
    s.in = (vd_sfm_input){ .n_images = 27,
                           .n_cameras = 1,
                           .n_pairs = pairs,
                           .image = s.image,
                           .camera = s.va.camera,
                           .pair = s.pair };
    return s;
}

static inline void two_scenes_free(two_scenes *s) {
    vd_mem_free(s->image);
    vd_mem_free(s->pair);
    views_free(&s->va);
    views_free(&s->vb);
    scene_free(&s->a);
    scene_free(&s->b);
}

typedef struct views_error {
    double centre_rmse, rotation_deg; /* after the best similarity; the worst rotation */
} views_error;

/* [Umeyama 1991] on the centres of the model's images. */
static inline views_error views_compare(const vd_sfm_model *m, const scene *s) {
    vd_vec3 a = { 0, 0, 0 }, b = { 0, 0, 0 };
    double c[9] = { 0 }, u[9], w[3], v[9], r[9], var = 0, n = m->n_images;
    for (int i = 0; i < m->n_images; i++) {
        a = vd_v3_add(a, vd_v3_mul(vd_rigid_centre(m->cam_from_world[i]), 1 / n));
        b = vd_v3_add(b, vd_v3_mul(vd_rigid_centre(s->pose[m->image[i]]), 1 / n));
    }
    for (int i = 0; i < m->n_images; i++) {
        vd_vec3 p = vd_v3_sub(vd_rigid_centre(m->cam_from_world[i]), a);
        vd_vec3 q = vd_v3_sub(vd_rigid_centre(s->pose[m->image[i]]), b);
        const double pa[3] = { p.x, p.y, p.z }, qa[3] = { q.x, q.y, q.z };
        for (int k = 0; k < 9; k++) c[k] += qa[k / 3] * pa[k % 3];
        var += vd_v3_dot(p, p);
    }
    vd_svd3(u, w, v, c);
    double sign = vd_mat3_det(u) * vd_mat3_det(v) < 0 ? -1 : 1;
    for (int i = 0; i < 3; i++) u[3 * i + 2] *= sign;
    vd_mat3_mul_nt(r, u, v);
    double scale = (w[0] + w[1] + sign * w[2]) / var;
    views_error e = { 0 };
    for (int i = 0; i < m->n_images; i++) {
        vd_vec3 p = vd_v3_sub(vd_rigid_centre(m->cam_from_world[i]), a);
        vd_vec3 q = vd_v3_sub(vd_rigid_centre(s->pose[m->image[i]]), b);
        vd_vec3 d = vd_v3_sub(vd_v3_mul(vd_mat3_apply(r, p), scale), q);
        e.centre_rmse += vd_v3_dot(d, d) / n;
        vd_quat want = vd_quat_mul(s->pose[m->image[i]].q, vd_quat_of_matrix(r));
        e.rotation_deg = fmax(e.rotation_deg,
                              57.29577951308232 * vd_quat_angle_rad(want, m->cam_from_world[i].q));
    }
    e.centre_rmse = sqrt(e.centre_rmse);
    return e;
}

/* The rings have a radius of 4: half a pixel of 1200 is 1.7 mm at that distance, and a pose rests
 * on a hundred points and more. Errors are Gaussian here, where least squares would do a little
 * better than the loss that real matches want. */
#define VIEWS_CENTRE_LIMIT 0.004
#define VIEWS_ROTATION_DEG 0.13

/* Model number `model` has all `images`, each at its place to within `limit` times that. */
static inline void views_check(t_case *t, const vd_sfm_result *out, int model, const scene *s,
                               int images, double limit) {
    T_NEED(out->n_models > model);
    const vd_sfm_model *m = &out->model[model];
    views_error e = views_compare(m, s);
    T_EQ(m->n_images, images);
    T_LT(e.centre_rmse, limit * VIEWS_CENTRE_LIMIT);
    T_LT(e.rotation_deg, limit * VIEWS_ROTATION_DEG);
    T_LT(m->mean_error_px, 0.8);
    T_TRUE(m->n_points > 100);
    T_TRUE(m->mean_track >= 2);
    for (int i = 0; i < m->n_images; i++) {
        T_EQ(out->verdict[m->image[i]].reason, VD_SFM_REGISTERED);
        T_EQ(out->verdict[m->image[i]].model, model);
        if (i > 0) T_TRUE(m->image[i] > m->image[i - 1]);
    }
    for (int i = 0; i < m->n_points; i++) T_TRUE(m->track[i + 1] - m->track[i] >= 2);
}

static inline uint64_t views_digest(const vd_sfm_result *r) {
    uint64_t h = vd_hash64(r->verdict, (size_t)r->n_images * sizeof *r->verdict);
    for (int i = 0; i < r->n_models; i++) {
        const vd_sfm_model *m = &r->model[i];
        h = h * 31 + vd_hash64(m->cam_from_world, (size_t)m->n_images * sizeof *m->cam_from_world);
        h = h * 31 + vd_hash64(m->camera, (size_t)m->n_cameras * sizeof *m->camera);
        h = h * 31 + vd_hash64(m->point, (size_t)m->n_points * 3 * sizeof *m->point);
        h = h * 31 + vd_hash64(m->obs, (size_t)m->track[m->n_points] * sizeof *m->obs);
    }
    return h;
}
#endif
