/* Covering a scene by views. SPDX-License-Identifier: Apache-2.0 */
#include "index/cover.h"

#include <math.h>

#include "base/mem.h"
#include "index/lazy.h"

enum { MOST_DIRECTIONS = 64 };

/* What a view shows: a direction of a point. */
typedef struct sight {
    int32_t point;
    uint8_t direction;
} sight;

typedef struct cover {
    sight *sight;
    int64_t *start;  /* of each view's sights */
    uint64_t *have;  /* of each point: the directions that chosen views bring */
    uint8_t *wanted; /* how many more it needs */
} cover;

static vd_status check(const vd_cover_scene *s, const vd_cover_opt *o, vd_err *err) {
    if (!(o->angle_deg > 0 && o->angle_deg < 90) || o->directions < 1 ||
        o->directions > MOST_DIRECTIONS)
        return vd_fail(err, VD_E_ARG, "cover: %d directions %g deg apart", o->directions,
                       o->angle_deg);
    for (int32_t p = 0; p < s->n_points; p++)
        for (int64_t k = s->track[p]; k < s->track[p + 1]; k++)
            if (s->view[k] < 0 || s->view[k] >= s->n_views)
                return vd_fail(err, VD_E_ARG, "cover: point %d is shown by view %d of %d", (int)p,
                               (int)s->view[k], (int)s->n_views);
    return VD_OK;
}

static bool ray_to(double ray[3], const double from[3], const double to[3]) {
    double length = 0;
    for (int i = 0; i < 3; i++) {
        ray[i] = to[i] - from[i];
        length += ray[i] * ray[i];
    }
    length = sqrt(length);
    for (int i = 0; i < 3; i++) ray[i] /= length;
    return length > 0 && isfinite(length);
}

/* The directions of point p; of[k] of its k-th view, 255 where there is none. */
static int directions_of(uint8_t *of, const vd_cover_scene *s, int32_t p, double cos_angle) {
    double founder[MOST_DIRECTIONS][3];
    int n = 0;
    for (int64_t k = s->track[p]; k < s->track[p + 1]; k++) {
        double ray[3];
        int d = 0;
        of[k - s->track[p]] = 255;
        if (!ray_to(ray, s->point[p], s->centre[s->view[k]])) continue;
        while (d < n &&
               founder[d][0] * ray[0] + founder[d][1] * ray[1] + founder[d][2] * ray[2] < cos_angle)
            d++;
        if (d == MOST_DIRECTIONS) continue;
        if (d == n)
            for (int i = 0; i < 3; i++) founder[n][i] = ray[i];
        n += d == n;
        of[k - s->track[p]] = (uint8_t)d;
    }
    return n;
}

/* Sights by view, from tracks by point: counted first, then put in their places. */
static vd_status sort_sights(cover *c, const vd_cover_scene *s, const uint8_t *of, vd_err *err) {
    int64_t total = s->track[s->n_points];
    c->start = vd_mem_array((size_t)s->n_views + 2, sizeof *c->start);
    c->sight = vd_mem_array((size_t)total, sizeof *c->sight);
    if (c->start == NULL || c->sight == NULL) return vd_nomem(err);
    for (int32_t p = 0; p < s->n_points; p++)
        for (int64_t k = s->track[p]; k < s->track[p + 1]; k++)
            c->start[s->view[k] + 2] += c->wanted[p] > 0 && of[k] != 255;
    for (int32_t v = 0; v < s->n_views; v++) c->start[v + 2] += c->start[v + 1];
    for (int32_t p = 0; p < s->n_points; p++)
        for (int64_t k = s->track[p]; k < s->track[p + 1]; k++)
            if (c->wanted[p] > 0 && of[k] != 255)
                c->sight[c->start[s->view[k] + 1]++] = (sight){ p, of[k] };
    return VD_OK;
}

static vd_status cover_init(cover *c, vd_cover_result *r, const vd_cover_scene *s,
                            const vd_cover_opt *o, vd_err *err) {
    int64_t total = s->n_points > 0 ? s->track[s->n_points] : 0;
    double cos_angle = cos(o->angle_deg * (3.14159265358979323846 / 180));
    uint8_t *of = vd_mem_array((size_t)total, 1);
    c->have = vd_mem_array((size_t)s->n_points, sizeof *c->have);
    c->wanted = vd_mem_array((size_t)s->n_points, 1);
    vd_status st = of == NULL || c->have == NULL || c->wanted == NULL ? vd_nomem(err) : VD_OK;
    for (int32_t p = 0; st == VD_OK && p < s->n_points; p++) {
        int n = directions_of(of + s->track[p], s, p, cos_angle);
        c->wanted[p] = (uint8_t)(n < 2 ? 0 : VD_MIN(n, o->directions));
        r->points += n >= 2;
        r->wanted += c->wanted[p];
    }
    if (st == VD_OK) st = sort_sights(c, s, of, err);
    vd_mem_free(of);
    return st;
}

static bool brings(const cover *c, const sight *s) {
    return c->wanted[s->point] > 0 && (c->have[s->point] >> s->direction & 1) == 0;
}

/* A view shows a point once, so each of its sights counts for itself. */
static double worth(void *user, int32_t view) {
    const cover *c = user;
    int64_t n = 0;
    for (int64_t k = c->start[view]; k < c->start[view + 1]; k++) n += brings(c, &c->sight[k]);
    return (double)n;
}

static void take(cover *c, vd_cover_result *r, int32_t view) {
    for (int64_t k = c->start[view]; k < c->start[view + 1]; k++) {
        const sight *s = &c->sight[k];
        if (!brings(c, s)) continue;
        c->have[s->point] |= (uint64_t)1 << s->direction;
        r->kept++;
        r->complete += --c->wanted[s->point] == 0;
    }
}

vd_status vd_cover(int32_t *chosen, int64_t *gain, vd_cover_result *result,
                   const vd_cover_scene *scene, int32_t count, const vd_cover_opt *opt,
                   vd_err *err) {
    vd_cover_opt o = opt != NULL ? *opt : (vd_cover_opt)VD_COVER_OPT;
    vd_status st = VD_OK;
    cover c = { 0 };
    vd_lazy lazy = { 0 };
    vd_cover_result r = { 0 };
    VD_TRY(check(scene, &o, err));
    VD_GO(cover_init(&c, &r, scene, &o, err));
    VD_GO(vd_lazy_init(&lazy, scene->n_views, worth, &c, NULL, err));
    while (r.n < VD_MIN(count, scene->n_views)) {
        double more = 0;
        int32_t view = -1;
        VD_GO(vd_lazy_next(&lazy, &view, &more, err));
        if (view < 0 || more <= 0) break;
        take(&c, &r, view);
        chosen[r.n] = view;
        if (gain != NULL) gain[r.n] = (int64_t)more;
        r.n++;
    }
    *result = r;
done:
    vd_lazy_reset(&lazy);
    vd_mem_free(c.sight);
    vd_mem_free(c.start);
    vd_mem_free(c.have);
    vd_mem_free(c.wanted);
    return st;
}
