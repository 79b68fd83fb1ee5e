/* Models brought into other frames: that of the images' positions, that of another model.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two models of one scene come about when no image could be registered across a weak link. Where
 * tracks have a point in both, the points say by which similarity one fits the other; what decides
 * is whether the whole settles down afterwards with all its images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geometry/align.h"
#include "math/mat.h"
#include "sfm/mapper_int.h"

enum { LEAST_POSITIONS = 3, LEAST_COMMON = 20 };
static const double POSITION_SHARE = 0.5; /* of the positions that must */
static const double COMMON_SHARE = 0.4;   /* of the common points that must agree */
static const double COMMON_ERROR = 0.03;  /* by which they may differ, in distances to the camera */
static const double KEPT_SHARE = 0.95;    /* of the images that must survive a merge */

static void apply(vd_mapper *m, vd_similarity s) {
    for (int32_t i = 0; i < m->n_registered; i++) {
        vd_rigid *pose = &m->pose[m->registered[i]];
        *pose = vd_similarity_pose(s, *pose);
    }
    for (int64_t p = 0; p < m->n_points; p++) {
        double *x = m->xyz[p];
        vd_vec3 y = vd_similarity_apply(s, vd_v3(x[0], x[1], x[2]));
        x[0] = y.x;
        x[1] = y.y;
        x[2] = y.z;
    }
}

/* ---- the frame of the positions ----
 *
 * Positions determine a similarity where they spread. In a line, or within their noise, they leave
 * turns open, the one about the line above all, and with heights of a receiver also how far the
 * line rises. What then decides is how cameras are held: the picture's rows are level, and the
 * camera looks about horizontally, or straight down from the air. Both are tried, each with the
 * positions' own say; where the files tell how far up or down a camera looked, that counts instead.
 */

typedef struct frame {
    int n;          /* cameras with a position that fits */
    double *a, *b;  /* [n][3] their centres, and where they were said to be */
    double *weight; /* [n] */
    int32_t *image; /* [n] */
    /* about the means: sums of a a^T, of b a^T, of the squares of b */
    vd_vec3 mean_a, mean_b;
    double aa[9], ba[9], bb[3];
    double root[3]; /* 1 / sigma of a position along each axis */
    double noise;   /* variance of the positions, in what they state */
} frame;

/* What a stated variance is worth, in numbers that show the real one. */
static const double STATED_WORTH = 3;
/* A turn that is known this well is the positions' affair alone. */
static const double TURN_KNOWN_RAD = 0.1;
/* How level rows of pictures are, how far cameras look from where they are thought to; beyond so
 * many of that nothing is known. Cameras of one outing are held alike: they count as a few. */
static const double LEVEL_SIGMA_RAD = 0.1, PITCH_SIGMA_RAD = 0.2, HELD_SIGMAS = 3, HELD_COUNT = 4;
/* Who holds a camera level stands on the ground: few points are so much, in metres, below him. Who
 * has many there flies. What is thought of the other case then costs as much as a camera that is
 * held like no other. */
static const double BELOW_M = 10, BELOW_SHARE = 0.2, UNLIKELY = 9;

static void frame_reset(frame *f) {
    vd_mem_free(f->a);
    vd_mem_free(f->b);
    vd_mem_free(f->weight);
    vd_mem_free(f->image);
}

static vd_status frame_init(frame *f, const vd_mapper *m, vd_err *err) {
    size_t most = (size_t)m->n_registered + 1;
    *f = (frame){ .noise = 1 };
    f->a = vd_mem_alloc(most * 3 * sizeof *f->a);
    f->b = vd_mem_alloc(most * 3 * sizeof *f->b);
    f->weight = vd_mem_alloc(most * sizeof *f->weight);
    f->image = vd_mem_alloc(most * sizeof *f->image);
    if (f->a == NULL || f->b == NULL || f->weight == NULL || f->image == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_registered; i++) {
        const vd_sfm_image *image = &m->in->image[m->registered[i]];
        const double *s = image->position_sigma_m;
        vd_vec3 c = vd_rigid_centre(m->pose[m->registered[i]]);
        if (!image->has_position) continue;
        memcpy(f->a + 3 * f->n, (const double[3]){ c.x, c.y, c.z }, sizeof image->position);
        memcpy(f->b + 3 * f->n, image->position, sizeof image->position);
        f->weight[f->n] = 1 / (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
        f->image[f->n++] = m->registered[i];
    }
    return VD_OK;
}

/* The root of the mean of what the stated variances add up to. */
static double frame_sigma(const frame *f) {
    double sum = 0;
    for (int i = 0; i < f->n; i++) sum += 1 / f->weight[i];
    return f->n > 0 ? sqrt(sum / f->n) : 0;
}

/* Drops what is not in the mask, and sums over the rest. */
static void frame_sum(frame *f, const vd_mapper *m, const uint8_t *mask) {
    int n = 0;
    double variance[3] = { 0 }, ma[3] = { 0 }, mb[3] = { 0 };
    for (int i = 0; i < f->n; i++) {
        if (!mask[i]) continue;
        memmove(f->a + 3 * n, f->a + 3 * i, 3 * sizeof *f->a);
        memmove(f->b + 3 * n, f->b + 3 * i, 3 * sizeof *f->b);
        f->weight[n] = f->weight[i];
        f->image[n++] = f->image[i];
    }
    f->n = n;
    memset(f->aa, 0, sizeof f->aa);
    memset(f->ba, 0, sizeof f->ba);
    memset(f->bb, 0, sizeof f->bb);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            const double s = m->in->image[f->image[i]].position_sigma_m[k];
            ma[k] += f->a[3 * i + k] / n;
            mb[k] += f->b[3 * i + k] / n;
            variance[k] += s * s / n;
        }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 9; k++) {
            const double a = f->a[3 * i + k % 3] - ma[k % 3], b = f->b[3 * i + k / 3] - mb[k / 3];
            f->aa[k] += a * (f->a[3 * i + k / 3] - ma[k / 3]);
            f->ba[k] += a * b;
            if (k % 4 == 0) f->bb[k / 4] += b * b;
        }
    f->mean_a = vd_v3(ma[0], ma[1], ma[2]);
    f->mean_b = vd_v3(mb[0], mb[1], mb[2]);
    for (int k = 0; k < 3; k++) f->root[k] = 1 / sqrt(variance[k]);
}

/* The squared distances to the positions, in their variances, under a rotation and what goes best
 * with it: sum w (b - s r a)^2, which is quadratic in s. */
static double position_cost(const frame *f, vd_quat q, double *scale) {
    double r[9], across = 0, square = 0, all = 0;
    vd_quat_matrix(r, q);
    for (int k = 0; k < 3; k++) {
        const double *row = r + 3 * k, w = f->root[k] * f->root[k] / f->noise;
        vd_vec3 v = vd_mat3_apply(f->aa, vd_v3(row[0], row[1], row[2]));
        square += w * (row[0] * v.x + row[1] * v.y + row[2] * v.z);
        across +=
            w * (row[0] * f->ba[3 * k] + row[1] * f->ba[3 * k + 1] + row[2] * f->ba[3 * k + 2]);
        all += w * f->bb[k];
    }
    *scale = square > 0 ? fmax(across, 0) / square : 0;
    return all - *scale * fmax(across, 0);
}

/* How cameras are thought to be held: NOBODY leaves it to the positions. */
enum { NOBODY, LEVEL, DOWN };

static double squared_capped(double x, double sigma) {
    x = fabs(x) / sigma;
    return x > HELD_SIGMAS ? HELD_SIGMAS * HELD_SIGMAS : x * x;
}

static bool is_held(const vd_sfm_image *image) {
    return image->down[0] != 0 || image->down[1] != 0;
}

static double held_cost(const vd_mapper *m, const frame *f, vd_quat q, int how) {
    double sum = 0;
    int n = 0;
    vd_vec3 up = vd_quat_rotate(vd_quat_conj(q), vd_v3(0, 0, 1)); /* in the model */
    for (int i = 0; i < f->n; i++) {
        const vd_sfm_image *image = &m->in->image[f->image[i]];
        vd_vec3 u = vd_quat_rotate(m->pose[f->image[i]].q, up); /* in the camera */
        double along = image->down[1] * u.x - image->down[0] * u.y,
               below = image->down[0] * u.x + image->down[1] * u.y;
        double pitch = image->has_pitch ? image->pitch_rad : how == DOWN ? -1.5707963267948966 : 0;
        if (!is_held(image)) continue;
        sum += squared_capped(asin(VD_CLAMP(along, -1, 1)), LEVEL_SIGMA_RAD);
        /* the remainder: pitches of -170 and 170 degrees are near each other */
        sum += squared_capped(remainder(atan2(u.z, -below) - pitch, 6.283185307179586),
                              image->has_pitch ? LEVEL_SIGMA_RAD : PITCH_SIGMA_RAD);
        n++;
    }
    return n > 0 ? sum / n * VD_MIN(n, HELD_COUNT) : 0;
}

static double frame_cost(const vd_mapper *m, const frame *f, vd_quat q, int how) {
    double scale, cost = position_cost(f, q, &scale);
    return how == NOBODY ? cost : cost + held_cost(m, f, q, how);
}

enum { MOST_ROUNDS = 1000 }; /* some fifty do */

/* The rotation near q of least cost, by steps along the axes that shrink: the caps have no slopes
 * to follow, and three unknowns need none. */
static double improve(const vd_mapper *m, const frame *f, vd_quat *q, int how) {
    double cost = frame_cost(m, f, *q, how);
    double step = 0.1;
    for (int round = 0; round < MOST_ROUNDS && step > 1e-6; round++) {
        bool better = false;
        for (int k = 0; k < 6; k++) {
            double w[3] = { 0 };
            w[k / 2] = k % 2 ? -step : step;
            vd_quat next = vd_quat_mul(vd_quat_exp(vd_v3(w[0], w[1], w[2])), *q);
            double c = frame_cost(m, f, next, how);
            if (!(c < cost)) continue;
            cost = c;
            *q = next;
            better = true;
        }
        if (!better) step /= 2;
    }
    return cost;
}

/* The rotation that cameras and positions agree on: up by the mean of the cameras, the direction on
 * the ground by the positions. */
static double stand_up(const vd_mapper *m, const frame *f, vd_quat *q, int how) {
    enum { HEADINGS = 72 };
    vd_vec3 up = { 0, 0, 0 };
    double best = INFINITY;
    for (int i = 0; i < f->n; i++) {
        const vd_sfm_image *image = &m->in->image[f->image[i]];
        if (!is_held(image)) continue;
        double pitch = image->has_pitch ? image->pitch_rad : how == DOWN ? -1.5707963267948966 : 0;
        vd_vec3 u = vd_v3(-cos(pitch) * image->down[0], -cos(pitch) * image->down[1], sin(pitch));
        up = vd_v3_add(up, vd_quat_rotate(vd_quat_conj(m->pose[f->image[i]].q), u));
    }
    vd_vec3 axis = vd_v3_cross(vd_v3_unit(up), vd_v3(0, 0, 1));
    double sine = vd_v3_norm(axis), turn = atan2(sine, vd_v3_unit(up).z);
    axis = sine > 1e-9 ? vd_v3_mul(axis, turn / sine) : vd_v3(turn, 0, 0);
    for (int i = 0; i < HEADINGS; i++) {
        vd_quat heading = vd_quat_exp(vd_v3(0, 0, i * 6.283185307179586 / HEADINGS));
        vd_quat c = vd_quat_mul(heading, vd_quat_exp(axis));
        double cost = frame_cost(m, f, c, how);
        if (!(cost < best)) continue;
        best = cost;
        *q = c;
    }
    return improve(m, f, q, how);
}

static vd_similarity similarity_of(const frame *f, vd_quat q) {
    vd_similarity s = { 1, { q, { 0, 0, 0 } } };
    position_cost(f, q, &s.scale);
    s.rigid.t = vd_v3_sub(f->mean_b, vd_similarity_apply(s, f->mean_a));
    return s;
}

static double share_below(const vd_mapper *m, const frame *f, vd_quat q) {
    vd_similarity s = similarity_of(f, q);
    int64_t below = 0;
    for (int64_t p = 0; p < m->n_points; p++) {
        const double *x = m->xyz[p];
        below += m->point_n[p] > 0 &&
                 vd_similarity_apply(s, vd_v3(x[0], x[1], x[2])).z < f->mean_b.z - BELOW_M;
    }
    return m->n_alive > 0 ? (double)below / m->n_alive : 0;
}

/* What the positions know of the frame at their own best rotation. */
static void uncertainty(const frame *f, vd_quat q, double *turn_sigma, double *scale_sigma) {
    enum { AXES = 3 };
    const double h = 1e-3;
    double hessian[AXES * AXES], w[AXES], v[AXES * AXES], scale, known = 0;
    for (int i = 0; i < AXES; i++)
        for (int k = 0; k < AXES; k++) {
            double sum = 0;
            for (int c = 0; c < 4; c++) { /* of half the cost, by central differences */
                double x[AXES] = { 0 };
                x[i] += c & 1 ? -h : h;
                x[k] += c & 2 ? -h : h;
                vd_quat near = vd_quat_mul(vd_quat_exp(vd_v3(x[0], x[1], x[2])), q);
                sum += ((c & 1) != c >> 1 ? -1 : 1) * position_cost(f, near, &scale);
            }
            hessian[AXES * i + k] = sum / (8 * h * h);
        }
    vd_sym_eigen(w, v, hessian, AXES);
    *turn_sigma = w[0] > 0 ? fmin(1 / sqrt(w[0]), 3.1415926535897932) : 3.1415926535897932;
    for (int k = 0; k < AXES; k++) known += f->root[k] * f->root[k] / f->noise * f->bb[k];
    known -= position_cost(f, q, &scale); /* what the model explains of their spread */
    *scale_sigma = known > 0 ? 1 / sqrt(known) : INFINITY;
}

/* The rotation of the model into the frame. */
static vd_quat choose_rotation(vd_mapper *m, frame *f) {
    double u[9], s[3], v[9], r[9], scale;
    int held = 0;
    vd_svd3(u, s, v, f->ba);
    double sign = vd_mat3_det(u) * vd_mat3_det(v) < 0 ? -1 : 1;
    for (int i = 0; i < 3; i++) u[3 * i + 2] *= sign;
    vd_mat3_mul_nt(r, u, v);
    vd_quat q = vd_quat_of_matrix(r);
    f->noise = 1;
    improve(m, f, &q, NOBODY);
    f->noise =
        (STATED_WORTH + position_cost(f, q, &scale)) / (STATED_WORTH + VD_MAX(3 * f->n - 7, 0));
    uncertainty(f, q, &m->turn_sigma_rad, &m->scale_sigma);
    for (int i = 0; i < f->n; i++) held += is_held(&m->in->image[f->image[i]]);
    m->upright = m->turn_sigma_rad > TURN_KNOWN_RAD && held > 0;
    if (!m->upright) return q;
    vd_quat down = q, level = q;
    double of_level = stand_up(m, f, &level, LEVEL), of_down = stand_up(m, f, &down, DOWN);
    *(share_below(m, f, level) > BELOW_SHARE ? &of_level : &of_down) += UNLIKELY;
    return of_level <= of_down ? level : down;
}

/* Moves the model into the frame; false where the positions do not fit. */
static vd_status move_to_positions(vd_mapper *m, bool *moved, vd_err *err) {
    vd_status st = VD_OK;
    frame f;
    vd_similarity s;
    vd_align_opt o = VD_ALIGN_OPT;
    uint8_t *mask = NULL;
    int inliers = 0;
    *moved = false;
    VD_GO(frame_init(&f, m, err));
    if (f.n < LEAST_POSITIONS) goto done;
    if ((mask = vd_mem_array((size_t)f.n, 1)) == NULL) VD_GO(vd_nomem(err));
    o.max_error = VD_SFM_SIGMAS * frame_sigma(&f);
    o.seed = m->opt.seed;
    st = vd_similarity_fit_robust(&s, mask, &inliers, f.a, f.b, f.weight, f.n, &o, NULL);
    if (st == VD_E_NUMERIC) { /* in a line, it may be: then all of them must fit */
        memset(mask, 1, (size_t)f.n);
        inliers = f.n;
        st = VD_OK;
    }
    if (st != VD_OK) VD_GO(vd_fail(err, st, "mapper: alignment with %d positions", f.n));
    if (inliers < POSITION_SHARE * f.n) goto done; /* positions that do not fit are none */
    frame_sum(&f, m, mask);
    s = similarity_of(&f, choose_rotation(m, &f));
    if (!(s.scale > 0)) goto done;
    for (int i = 0; i < f.n; i++) {
        vd_vec3 x = vd_similarity_apply(s, vd_v3(f.a[3 * i], f.a[3 * i + 1], f.a[3 * i + 2]));
        x = vd_v3_sub(x, vd_v3(f.b[3 * i], f.b[3 * i + 1], f.b[3 * i + 2]));
        inliers -= vd_v3_norm(x) > 2 * o.max_error;
    }
    if (inliers < POSITION_SHARE * f.n) goto done;
    apply(m, s);
    *moved = true;
done:
    vd_mem_free(mask);
    frame_reset(&f);
    return st;
}

vd_status vd_mapper_to_positions(vd_mapper *m, vd_err *err) {
    bool moved = false;
    if (!m->opt.use_positions) return VD_OK;
    VD_TRY(move_to_positions(m, &moved, err));
    if (!moved) return VD_OK;
    m->in_position_frame = true;
    VD_TRY(vd_mapper_settle(m, true, err));
    /* adjustment has turned it to where the noise of the positions likes it best */
    return m->upright ? move_to_positions(m, &moved, err) : VD_OK;
}

/* The track of each point of a model, and the point of each track or -1. */
static void track_points(const vd_mapper *m, const vd_sfm_model *model, int32_t *point_of) {
    memset(point_of, 0xff, (size_t)m->tracks.n * sizeof *point_of);
    for (int32_t p = model->n_points - 1; p >= 0; p--) {
        vd_sfm_observation o = model->obs[model->track[p]];
        point_of[m->tracks.of[vd_key_of(m, o)]] = p;
    }
}

/* The median distance of common points to the camera that saw them first. */
static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double depth_of(const vd_sfm_model *model, int32_t p) {
    int32_t image = model->obs[model->track[p]].image, lo = 0, hi = model->n_images - 1;
    while (lo < hi) {
        int32_t mid = (lo + hi) / 2;
        if (model->image[mid] < image)
            lo = mid + 1;
        else
            hi = mid;
    }
    const double *x = model->point + 3 * (ptrdiff_t)p;
    return vd_v3_norm(vd_rigid_apply(model->cam_from_world[lo], vd_v3(x[0], x[1], x[2])));
}

/* The similarity from model b to model a by their common points; *common = 0 where there is none.
 */
static vd_status fit_models(const vd_mapper *m, vd_similarity *a_from_b, int *common,
                            const vd_sfm_model *a, const vd_sfm_model *b, vd_err *err) {
    vd_status st = VD_OK;
    size_t most = (size_t)VD_MIN(a->n_points, b->n_points) + 1;
    int32_t *in_a = vd_mem_alloc((size_t)VD_MAX(m->tracks.n, 1) * sizeof *in_a), n = 0;
    double *x = vd_mem_alloc(most * 3 * sizeof *x), *y = vd_mem_alloc(most * 3 * sizeof *y),
           *depth = vd_mem_alloc(most * sizeof *depth);
    vd_align_opt o = VD_ALIGN_OPT;
    *common = 0;
    if (in_a == NULL || x == NULL || y == NULL || depth == NULL) VD_GO(vd_nomem(err));
    track_points(m, a, in_a);
    for (int32_t p = 0; p < b->n_points && n + 1 < (int32_t)most; p++) {
        int32_t *q = &in_a[m->tracks.of[vd_key_of(m, b->obs[b->track[p]])]];
        if (*q < 0) continue;
        memcpy(x + 3 * n, b->point + 3 * (ptrdiff_t)p, 3 * sizeof *x);
        memcpy(y + 3 * n, a->point + 3 * (ptrdiff_t)*q, 3 * sizeof *y);
        depth[n++] = depth_of(a, *q);
        *q = -1; /* a track counts once */
    }
    if (n < LEAST_COMMON) goto done;
    qsort(depth, (size_t)n, sizeof *depth, by_value);
    o.max_error = COMMON_ERROR * depth[n / 2];
    o.seed = m->opt.seed;
    st = vd_similarity_fit_robust(a_from_b, NULL, common, x, y, NULL, n, &o, NULL);
    if (st == VD_E_NUMERIC) st = VD_OK;
    if (st != VD_OK) VD_GO(vd_fail(err, st, "mapper: alignment of two models"));
    if (*common < LEAST_COMMON || *common < COMMON_SHARE * n) *common = 0;
done:
    vd_mem_free(in_a);
    vd_mem_free(x);
    vd_mem_free(y);
    vd_mem_free(depth);
    return st;
}

/* A model into the state, its world changed by `s`. */
static vd_status take_in(vd_mapper *m, const vd_sfm_model *model, vd_similarity s, vd_err *err) {
    for (int32_t i = 0; i < model->n_images; i++)
        vd_mapper_register(m, model->image[i], vd_similarity_pose(s, model->cam_from_world[i]));
    for (int32_t p = 0; p < model->n_points; p++) {
        const double *from = model->point + 3 * (ptrdiff_t)p;
        vd_vec3 y = vd_similarity_apply(s, vd_v3(from[0], from[1], from[2]));
        const double x[3] = { y.x, y.y, y.z };
        int32_t track = m->tracks.of[vd_key_of(m, model->obs[model->track[p]])], point;
        VD_TRY(vd_mapper_add_point(m, &point, x, track, err));
        for (int64_t k = model->track[p]; k < model->track[p + 1]; k++)
            vd_mapper_observe(m, point, model->obs[k]);
    }
    return VD_OK;
}

vd_status vd_mapper_merge(vd_mapper *m, const vd_sfm_model *a, const vd_sfm_model *b, bool *merged,
                          vd_err *err) {
    vd_similarity a_from_b;
    int common;
    *merged = false;
    VD_TRY(fit_models(m, &a_from_b, &common, a, b, err));
    if (common == 0) return VD_OK;
    vd_mapper_begin(m);
    /* cameras by the model that has more images: the other one follows */
    memcpy(m->camera, a->camera, (size_t)a->n_cameras * sizeof *m->camera);
    for (int32_t i = 0; i < b->n_images; i++) {
        int32_t camera = m->in->image[b->image[i]].camera;
        bool in_a = false;
        for (int32_t k = 0; k < a->n_images && !in_a; k++)
            in_a = m->in->image[a->image[k]].camera == camera;
        if (!in_a) m->camera[camera] = b->camera[camera];
    }
    VD_TRY(take_in(m, a, VD_SIMILARITY_ONE, err));
    VD_TRY(take_in(m, b, a_from_b, err));
    int64_t changed = 0;
    VD_TRY(vd_mapper_retriangulate(m, true, &changed, err));
    VD_TRY(vd_mapper_settle(m, true, err));
    *merged = m->n_registered >= KEPT_SHARE * (a->n_images + b->n_images);
    return VD_OK;
}
