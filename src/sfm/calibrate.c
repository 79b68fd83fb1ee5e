/* Focal lengths from fundamental matrices: pairs vote, then cameras settle in turn.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sfm/calibrate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle.h"

/* Steps of the grid, of a move; pairs of a camera that vote. */
enum { STEPS = 29, ROUNDS = 12, MOVES = 19, VOTES = 20 };
/* Focal lengths that are looked for, in units of the picture's longer side. */
static const double SHORTEST = 0.35, LONGEST = 5.6;
static const double GAP = 0.03;        /* squared gaps beyond about GAP^2 say nothing more */
static const double PRIOR = 0.1;       /* weight of the start, in pairs: for a factor of e */
static const double LEAST_GAIN = 0.05; /* in pairs: what a move must be worth */

/* One pair: F between pixels from the principal points, in units of the longer sides. */
typedef struct view_pair {
    int32_t a, b; /* cameras */
    double f[9];
} view_pair;

typedef struct calibration {
    view_pair *pair;
    int32_t n_pairs, n_cameras;
    int32_t *start, *of; /* pairs of each camera */
    uint8_t *moves;
    double *log_f, *first; /* logarithms of focal lengths in units of the longer side */
} calibration;

/* The squared gap of the singular values, ((s1 - s2) / (s1 + s2))^2, from invariants: s3 is zero.
 */
static double gap(const double f[9], double fa, double fb) {
    const double left[3] = { fb, fb, 1 }, right[3] = { fa, fa, 1 };
    double e[9], norm = 0, square = 0;
    for (int i = 0; i < 9; i++) {
        e[i] = left[i / 3] * f[i] * right[i % 3];
        norm += e[i] * e[i];
    }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            double v = e[i] * e[k] + e[3 + i] * e[3 + k] + e[6 + i] * e[6 + k];
            square += v * v;
        }
    double product = sqrt(fmax(0.5 * (norm * norm - square), 0)); /* s1 s2 */
    return norm > 0 ? (norm - 2 * product) / (norm + 2 * product) : 1;
}

static double bounded(double g) {
    return g / (g + GAP * GAP);
}

/* F for coordinates from the principal point, in units of the longer side. */
static void centred(double g[9], const double f[9], const vd_camera *a, const vd_camera *b) {
    double scale[2], cx[2], cy[2], t[9];
    const vd_camera *c[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        int focal = vd_camera_layout_of(c[i]->model).focal;
        scale[i] = VD_MAX(c[i]->width, c[i]->height);
        cx[i] = c[i]->params[focal];
        cy[i] = c[i]->params[focal + 1];
    }
    for (int i = 0; i < 3; i++) { /* columns: x = scale x' + c */
        t[3 * i] = f[3 * i] * scale[0];
        t[3 * i + 1] = f[3 * i + 1] * scale[0];
        t[3 * i + 2] = f[3 * i] * cx[0] + f[3 * i + 1] * cy[0] + f[3 * i + 2];
    }
    for (int i = 0; i < 3; i++) { /* rows */
        g[i] = t[i] * scale[1];
        g[3 + i] = t[3 + i] * scale[1];
        g[6 + i] = t[i] * cx[1] + t[3 + i] * cy[1] + t[6 + i];
    }
}

static double longer(const vd_camera *c) {
    return VD_MAX(c->width, c->height);
}

static bool usable(const vd_sfm_pair *p) {
    double norm = 0;
    for (int i = 0; i < 9; i++) norm += p->geometry.F[i] * p->geometry.F[i];
    return norm > 0 && (p->geometry.config == VD_TWO_VIEW_UNCALIBRATED ||
                        p->geometry.config == VD_TWO_VIEW_CALIBRATED);
}

static void calibration_reset(calibration *k) {
    vd_mem_free(k->pair);
    vd_mem_free(k->start);
    vd_mem_free(k->of);
    vd_mem_free(k->moves);
    vd_mem_free(k->log_f);
    vd_mem_free(k->first);
}

static void list_pairs(calibration *k, const vd_camera *camera, const vd_sfm_input *in,
                       const uint8_t *trusted) {
    for (int32_t i = 0; i < in->n_pairs; i++) {
        const vd_sfm_pair *p = &in->pair[i];
        if (!trusted[i] || !usable(p)) continue;
        view_pair *v = &k->pair[k->n_pairs++];
        v->a = in->image[p->a].camera;
        v->b = in->image[p->b].camera;
        centred(v->f, p->geometry.F, &camera[v->a], &camera[v->b]);
        if (p->geometry.config != VD_TWO_VIEW_UNCALIBRATED || in->camera_refine == NULL) continue;
        k->moves[v->a] |= (in->camera_refine[v->a] & VD_REFINE_FOCAL) != 0;
        k->moves[v->b] |= (in->camera_refine[v->b] & VD_REFINE_FOCAL) != 0;
    }
    for (int32_t i = 0; i < k->n_pairs; i++) {
        k->start[k->pair[i].a + 2]++;
        if (k->pair[i].b != k->pair[i].a) k->start[k->pair[i].b + 2]++;
    }
    for (int32_t i = 0; i < k->n_cameras; i++) k->start[i + 2] += k->start[i + 1];
    for (int32_t i = 0; i < k->n_pairs; i++) {
        k->of[k->start[k->pair[i].a + 1]++] = i;
        if (k->pair[i].b != k->pair[i].a) k->of[k->start[k->pair[i].b + 1]++] = i;
    }
}

static vd_status calibration_init(calibration *k, const vd_camera *camera, const vd_sfm_input *in,
                                  const uint8_t *trusted, vd_err *err) {
    size_t n = (size_t)in->n_cameras;
    k->n_cameras = in->n_cameras;
    k->pair = vd_mem_array((size_t)in->n_pairs, sizeof *k->pair);
    k->of = vd_mem_array((size_t)in->n_pairs * 2, sizeof *k->of);
    k->start = vd_mem_array(n + 2, sizeof *k->start);
    k->moves = vd_mem_array(n, 1);
    k->log_f = vd_mem_array(n, sizeof *k->log_f);
    k->first = vd_mem_array(n, sizeof *k->first);
    if (k->pair == NULL || k->of == NULL || k->start == NULL || k->moves == NULL ||
        k->log_f == NULL || k->first == NULL)
        return vd_nomem(err);
    list_pairs(k, camera, in, trusted);
    for (int32_t i = 0; i < in->n_cameras; i++) {
        k->log_f[i] = k->first[i] = log(vd_camera_mean_focal(&camera[i]) / longer(&camera[i]));
        if (vd_camera_is_fisheye(camera[i].model)) k->moves[i] = 0;
    }
    return VD_OK;
}

/* What a focal length of camera c costs, the others as they are. */
static double cost(const calibration *k, int32_t c, double log_f) {
    double sum = 0, away = log_f - k->first[c];
    for (int32_t i = k->start[c]; i < k->start[c + 1]; i++) {
        const view_pair *p = &k->pair[k->of[i]];
        double fa = exp(p->a == c ? log_f : k->log_f[p->a]),
               fb = exp(p->b == c ? log_f : k->log_f[p->b]);
        sum += bounded(gap(p->f, fa, fb));
    }
    return sum + PRIOR * away * away;
}

static double grid_at(int s) {
    return log(SHORTEST) + (log(LONGEST) - log(SHORTEST)) * s / (STEPS - 1);
}

/* What the best partner makes of a pair when camera c has focal length f. */
static double best_of(const calibration *k, const view_pair *p, int32_t c, double f,
                      const double *grid) {
    int32_t other = p->a == c ? p->b : p->a;
    double best = INFINITY;
    if (other == c) return bounded(gap(p->f, f, f));
    if (!k->moves[other]) {
        double g = exp(k->log_f[other]);
        return bounded(p->a == c ? gap(p->f, f, g) : gap(p->f, g, f));
    }
    for (int s = 0; s < STEPS; s++) {
        double g = p->a == c ? gap(p->f, f, grid[s]) : gap(p->f, grid[s], f);
        double away = grid_at(s) - k->first[other];
        best = fmin(best, bounded(g) + 0.1 * PRIOR * away * away);
    }
    return best;
}

/* The cost when nothing is known of the others: each pair with the partner that suits it best. */
static double hopeful_cost(const calibration *k, int32_t c, double log_f, const double *grid) {
    double away = log_f - k->first[c], sum = PRIOR * away * away, f = exp(log_f);
    for (int32_t i = k->start[c]; i < VD_MIN(k->start[c + 1], k->start[c] + VOTES); i++)
        sum += best_of(k, &k->pair[k->of[i]], c, f, grid);
    return sum;
}

/* Where every camera would like to be. */
static void vote(calibration *k, double *wanted) {
    double grid[STEPS];
    for (int s = 0; s < STEPS; s++) grid[s] = exp(grid_at(s));
    for (int32_t c = 0; c < k->n_cameras; c++) {
        wanted[c] = k->log_f[c];
        if (!k->moves[c]) continue;
        double best = hopeful_cost(k, c, k->log_f[c], grid) - LEAST_GAIN;
        for (int s = 0; s < STEPS; s++) {
            double v = hopeful_cost(k, c, grid_at(s), grid);
            if (v >= best) continue;
            best = v;
            wanted[c] = grid_at(s);
        }
    }
}

/* One camera to the best place within reach. */
static void settle(calibration *k, int32_t c, double reach) {
    double here = k->log_f[c], best = cost(k, c, here) - 1e-9, at = here;
    for (int s = 0; s < MOVES; s++) {
        double x = here + reach * (2.0 * s / (MOVES - 1) - 1), v;
        if (x < log(SHORTEST) || x > log(LONGEST) || (v = cost(k, c, x)) >= best) continue;
        best = v;
        at = x;
    }
    k->log_f[c] = at;
}

vd_status vd_view_graph_calibrate(vd_camera *camera, const vd_sfm_input *in, const uint8_t *trusted,
                                  vd_err *err) {
    vd_status st = VD_OK;
    calibration k = { 0 };
    double *wanted = vd_mem_array((size_t)in->n_cameras, sizeof *wanted);
    if (wanted == NULL) VD_GO(vd_nomem(err));
    VD_GO(calibration_init(&k, camera, in, trusted, err));
    vote(&k, wanted);
    memcpy(k.log_f, wanted, (size_t)in->n_cameras * sizeof *wanted);
    for (int round = 0; round < ROUNDS; round++) {
        double reach = 0.7 * pow(0.6, round); /* coarse to fine */
        for (int32_t c = 0; c < in->n_cameras; c++)
            if (k.moves[c]) settle(&k, c, reach);
    }
    for (int32_t c = 0; c < in->n_cameras; c++) {
        if (!k.moves[c] || k.log_f[c] == k.first[c]) continue;
        double factor = exp(k.log_f[c] - k.first[c]);
        for (int i = 0; i < vd_camera_layout_of(camera[c].model).focal; i++)
            camera[c].params[i] *= factor;
    }
done:
    calibration_reset(&k);
    vd_mem_free(wanted);
    return st;
}
