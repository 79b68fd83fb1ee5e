/* See segment.h. Maps are run through by runs of equal pairs of values, so that what is looked up
 * is looked up once a run. SPDX-License-Identifier: Apache-2.0 */
#include "eval/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum { BOTH, TRUTH, PRED, EDGE }; /* of v; + EDGE: of boundaries */
enum { OVERLAP, FOUND, FALSE_ALARM, MISSED };

const char *const vd_semantic_number[VD_SEMANTIC_NUMBERS] = { "mIoU", "pixel_accuracy",
                                                              "mean_accuracy", "fwIoU",
                                                              "boundary_mIoU" };
const char *const vd_panoptic_number[VD_PANOPTIC_NUMBERS] = {
    "PQ", "SQ", "RQ", "PQ_things", "SQ_things", "RQ_things", "PQ_stuff", "SQ_stuff", "RQ_stuff"
};

void vd_segment_rows_reset(vd_segment_rows *r) {
    vd_mem_free(r->row);
    *r = (vd_segment_rows){ 0 };
}

static vd_status check_sizes(const char *where, const vd_segment_map *a, const vd_segment_map *b,
                             vd_err *err) {
    if (a->width != b->width || a->height != b->height)
        return vd_fail(err, VD_E_FORMAT, "%s: the truth is %d x %d pixels, the prediction %d x %d",
                       where, a->width, a->height, b->width, b->height);
    return VD_OK;
}

/* ---- counts by key ---- */

/* Numbers under pairs of values, in the order in which the pairs came up. */
typedef struct pair {
    int64_t a, b;
    double n[2];
} pair;
typedef struct pairs {
    vd_map *at;
    pair *pair;
    int64_t n, cap;
} pairs;

static void pairs_free(pairs *p) {
    vd_map_free(p->at);
    vd_mem_free(p->pair);
}

static vd_status add_pair(pairs *p, int64_t a, int64_t b, int which, double n, vd_err *err) {
    const int64_t key[2] = { a, b };
    int64_t i = 0;
    if (!vd_map_get(p->at, key, sizeof key, &i)) {
        i = p->n;
        VD_TRY(VD_GROW(p->pair, p->cap, p->n + 1, err));
        VD_TRY(vd_map_put(p->at, key, sizeof key, i, err));
        p->pair[p->n++] = (pair){ a, b, { 0, 0 } };
    }
    p->pair[i].n[which] += n;
    return VD_OK;
}

static double pair_count(const pairs *p, int64_t a, int64_t b) {
    const int64_t key[2] = { a, b };
    int64_t i = 0;
    return vd_map_get(p->at, key, sizeof key, &i) ? p->pair[i].n[0] : 0;
}

/* Pixels of each pair of values. */
static vd_status count_pairs(pairs *p, const vd_segment_map *t, const vd_segment_map *q,
                             vd_err *err) {
    int64_t n = (int64_t)t->width * t->height;
    VD_TRY(vd_map_new(&p->at, err));
    for (int64_t i = 0, begin = 0; i < n; i++) {
        if (i + 1 < n && t->id[i + 1] == t->id[i] && q->id[i + 1] == q->id[i]) continue;
        VD_TRY(add_pair(p, t->id[i], q->id[i], 0, (double)(i + 1 - begin), err));
        begin = i + 1;
    }
    return VD_OK;
}

/* ---- classes of pixels ---- */

/* How many pixels of the same value go on before (or after) each one in its row, up to `most`. */
static void runs_along(int32_t *out, const int32_t *id, int32_t width, bool forward, int32_t most) {
    for (int32_t k = 0, run = 0; k < width; k++) {
        int32_t x = forward ? k : width - 1 - k, last = forward ? x - 1 : x + 1;
        run = k > 0 && id[x] == id[last] ? VD_MIN(run + 1, most) : 1;
        out[x] = run;
    }
}

/* Marks pixels within d of another value or the edge: those whose square of d to each side does not
 * hold one value. `run` and `inside` are scratch of a map's size. */
static void mark_boundary(uint8_t *out, const vd_segment_map *m, int32_t d, int32_t *run,
                          uint8_t *inside) {
    int64_t w = m->width, h = m->height;
    for (int64_t y = 0; y < h; y++) {
        const int64_t at = y * w;
        runs_along(run + at, m->id + at, m->width, true, d + 1);
        for (int64_t x = 0; x < w; x++) inside[at + x] = run[at + x] > d;
        runs_along(run + at, m->id + at, m->width, false, d + 1);
        for (int64_t x = 0; x < w; x++) inside[at + x] &= run[at + x] > d;
    }
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            int64_t i = y * w + x;
            bool on = y > 0 && inside[i - w] && m->id[i] == m->id[i - w];
            run[i] = !inside[i] ? 0 : on ? VD_MIN(run[i - w] + 1, d + 1) : 1;
            out[i] = run[i] <= d;
        }
    for (int64_t y = h - 1; y >= 0; y--)
        for (int64_t x = 0; x < w; x++) {
            int64_t i = y * w + x;
            bool on = y + 1 < h && inside[i + w] && m->id[i] == m->id[i + w];
            run[i] = !inside[i] ? 0 : on ? VD_MIN(run[i + w] + 1, d + 1) : 1;
            out[i] |= run[i] <= d;
        }
}

static bool ignored(const vd_semantic_opt *opt, int64_t id) {
    for (int i = 0; i < opt->n_ignore; i++)
        if (opt->ignore[i] == id) return true;
    return false;
}

static vd_status add_to_class(vd_segment_rows *rows, int64_t first, int64_t image, int64_t category,
                              int which, double n, vd_err *err) {
    int64_t i = first;
    while (i < rows->n && rows->row[i].category != category) i++;
    if (i == rows->n) {
        VD_TRY(VD_GROW(rows->row, rows->cap, rows->n + 1, err));
        rows->row[rows->n++] = (vd_segment_row){ .image = image, .category = category };
    }
    rows->row[i].v[which] += n;
    return VD_OK;
}

/* Boundary pixels by pair: n[0] of both, n[1] of the truth alone or the prediction alone. */
static vd_status add_boundaries(vd_segment_rows *rows, int64_t first, int64_t image,
                                const vd_segment_map *t, const vd_segment_map *q,
                                const vd_semantic_opt *opt, vd_err *err) {
    size_t n = (size_t)t->width * (size_t)t->height;
    double diagonal = sqrt((double)t->width * t->width + (double)t->height * t->height);
    int32_t d = (int32_t)VD_CLAMP(floor(opt->boundary * diagonal + 0.5), 1, INT32_MAX / 2);
    uint8_t *edge = vd_mem_alloc(3 * n);
    int32_t *run = vd_mem_alloc(n * sizeof *run);
    vd_status st = edge != NULL && run != NULL ? VD_OK : vd_nomem(err);
    if (st == VD_OK) {
        mark_boundary(edge, t, d, run, edge + 2 * n);
        mark_boundary(edge + n, q, d, run, edge + 2 * n);
    }
    for (size_t i = 0, begin = 0; i < n && st == VD_OK; i++) {
        bool et = edge[i], eq = edge[n + i];
        if (i + 1 < n && t->id[i + 1] == t->id[i] && q->id[i + 1] == q->id[i] &&
            edge[i + 1] == edge[i] && edge[n + i + 1] == edge[n + i])
            continue;
        double pixels = (double)(i + 1 - begin);
        begin = i + 1;
        if (ignored(opt, t->id[i])) continue;
        if (et) st = add_to_class(rows, first, image, t->id[i], EDGE + TRUTH, pixels, err);
        if (eq && st == VD_OK)
            st = add_to_class(rows, first, image, q->id[i], EDGE + PRED, pixels, err);
        if (et && eq && t->id[i] == q->id[i] && st == VD_OK)
            st = add_to_class(rows, first, image, t->id[i], EDGE + BOTH, pixels, err);
    }
    vd_mem_free(edge);
    vd_mem_free(run);
    return st;
}

vd_status vd_semantic_add(vd_segment_rows *rows, int64_t image, const char *where,
                          const vd_segment_map *truth, const vd_segment_map *pred,
                          const vd_semantic_opt *opt, vd_err *err) {
    pairs p = { 0 };
    int64_t first = rows->n;
    VD_TRY(check_sizes(where, truth, pred, err));
    vd_status st = count_pairs(&p, truth, pred, err);
    for (int64_t i = 0; i < p.n && st == VD_OK; i++) {
        const pair *q = &p.pair[i];
        if (ignored(opt, q->a)) continue;
        st = add_to_class(rows, first, image, q->a, TRUTH, q->n[0], err);
        if (st == VD_OK) st = add_to_class(rows, first, image, q->b, PRED, q->n[0], err);
        if (st == VD_OK && q->a == q->b)
            st = add_to_class(rows, first, image, q->a, BOTH, q->n[0], err);
    }
    if (st == VD_OK && opt->boundary > 0)
        st = add_boundaries(rows, first, image, truth, pred, opt, err);
    pairs_free(&p);
    return st;
}

/* ---- panoptic ---- */

/* What one side of a picture has, by id. */
typedef struct segments {
    const vd_panoptic_segment *s;
    int64_t n;
    vd_map *at;
    double *area; /* of truths as stated, or else pixels */
    bool *matched;
} segments;

static void segments_free(segments *g) {
    vd_map_free(g->at);
    vd_mem_free(g->area);
    vd_mem_free(g->matched);
}

static vd_status index_segments(segments *g, const char *where, vd_err *err) {
    VD_TRY(vd_map_new(&g->at, err));
    g->area = vd_mem_array((size_t)g->n, sizeof *g->area);
    g->matched = vd_mem_array((size_t)g->n, sizeof *g->matched);
    if (g->area == NULL || g->matched == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < g->n; i++) {
        int64_t other;
        if (vd_map_get(g->at, &g->s[i].id, sizeof g->s[i].id, &other))
            return vd_fail(err, VD_E_FORMAT, "%s: two segments have the id %lld", where,
                           (long long)g->s[i].id);
        VD_TRY(vd_map_put(g->at, &g->s[i].id, sizeof g->s[i].id, i, err));
    }
    return VD_OK;
}

static int64_t find_segment(const segments *g, int64_t id) {
    int64_t i = -1;
    return vd_map_get(g->at, &id, sizeof id, &i) ? i : -1;
}

static vd_status measure_predictions(segments *q, const pairs *p, const char *where, vd_err *err) {
    for (int64_t i = 0; i < p->n; i++) {
        int64_t k = find_segment(q, p->pair[i].b);
        if (k < 0 && p->pair[i].b == VD_PANOPTIC_VOID) continue;
        if (k < 0)
            return vd_fail(err, VD_E_FORMAT,
                           "%s: the prediction has pixels of %lld, which is no segment", where,
                           (long long)p->pair[i].b);
        q->area[k] += p->pair[i].n[0];
    }
    for (int64_t k = 0; k < q->n; k++)
        if (q->area[k] == 0)
            return vd_fail(err, VD_E_FORMAT, "%s: predicted segment %lld has no pixels", where,
                           (long long)q->s[k].id);
    return VD_OK;
}

static void measure_truths(segments *t, const pairs *p) {
    for (int64_t i = 0; i < p->n; i++) {
        int64_t g = find_segment(t, p->pair[i].a);
        if (g >= 0) t->area[g] += p->pair[i].n[0];
    }
    for (int64_t g = 0; g < t->n; g++)
        if (t->s[g].area >= 0) t->area[g] = t->s[g].area;
}

static vd_status match_segments(vd_segment_rows *rows, int64_t first, int64_t image, segments *t,
                                segments *q, const pairs *p, vd_err *err) {
    for (int64_t i = 0; i < p->n; i++) {
        int64_t g = find_segment(t, p->pair[i].a), k = find_segment(q, p->pair[i].b);
        if (g < 0 || k < 0 || t->s[g].crowd || t->s[g].category != q->s[k].category) continue;
        double common = p->pair[i].n[0];
        double all = q->area[k] + t->area[g] - common - pair_count(p, VD_PANOPTIC_VOID, q->s[k].id);
        if (!(common / all > 0.5)) continue;
        VD_TRY(add_to_class(rows, first, image, t->s[g].category, OVERLAP, common / all, err));
        VD_TRY(add_to_class(rows, first, image, t->s[g].category, FOUND, 1, err));
        t->matched[g] = q->matched[k] = true;
    }
    return VD_OK;
}

/* The last crowd of a class, as panopticapi has it; -1: none. */
static int64_t crowd_of(const segments *t, int64_t category) {
    for (int64_t g = t->n - 1; g >= 0; g--)
        if (t->s[g].crowd && t->s[g].category == category) return g;
    return -1;
}

static vd_status count_rest(vd_segment_rows *rows, int64_t first, int64_t image, const segments *t,
                            const segments *q, const pairs *p, vd_err *err) {
    for (int64_t g = 0; g < t->n; g++)
        if (!t->matched[g] && !t->s[g].crowd)
            VD_TRY(add_to_class(rows, first, image, t->s[g].category, MISSED, 1, err));
    for (int64_t k = 0; k < q->n; k++) {
        if (q->matched[k]) continue;
        int64_t g = crowd_of(t, q->s[k].category);
        double excused = pair_count(p, VD_PANOPTIC_VOID, q->s[k].id);
        if (g >= 0) excused += pair_count(p, t->s[g].id, q->s[k].id);
        if (excused / q->area[k] > 0.5) continue;
        VD_TRY(add_to_class(rows, first, image, q->s[k].category, FALSE_ALARM, 1, err));
    }
    return VD_OK;
}

vd_status vd_panoptic_add(vd_segment_rows *rows, int64_t image, const char *where,
                          const vd_segment_map *truth, const vd_panoptic_segment *truths,
                          int64_t n_truths, const vd_segment_map *pred,
                          const vd_panoptic_segment *preds, int64_t n_preds, vd_err *err) {
    vd_status st = VD_OK;
    pairs p = { 0 };
    segments t = { .s = truths, .n = n_truths }, q = { .s = preds, .n = n_preds };
    int64_t first = rows->n;
    VD_TRY(check_sizes(where, truth, pred, err));
    VD_GO(count_pairs(&p, truth, pred, err));
    VD_GO(index_segments(&t, where, err));
    VD_GO(index_segments(&q, where, err));
    VD_GO(measure_predictions(&q, &p, where, err));
    measure_truths(&t, &p);
    VD_GO(match_segments(rows, first, image, &t, &q, &p, err));
    VD_GO(count_rest(rows, first, image, &t, &q, &p, err));
done:
    pairs_free(&p);
    segments_free(&t);
    segments_free(&q);
    return st;
}

/* ---- figures ---- */

static int by_category(const void *a, const void *b) {
    int64_t p = ((const vd_segment_row *)a)->category, q = ((const vd_segment_row *)b)->category;
    return (p > q) - (p < q);
}

vd_status vd_segment_totals(vd_segment_rows *out, const vd_segment_rows *rows, const double *weight,
                            vd_err *err) {
    vd_segment_rows t = { 0 };
    vd_map *at = NULL;
    vd_status st = vd_map_new(&at, err);
    for (int64_t i = 0; i < rows->n && st == VD_OK; i++) {
        const vd_segment_row *r = &rows->row[i];
        double w = weight != NULL ? weight[r->image] : 1;
        int64_t k = t.n;
        if (!vd_map_get(at, &r->category, sizeof r->category, &k)) {
            st = VD_GROW(t.row, t.cap, t.n + 1, err);
            if (st == VD_OK) st = vd_map_put(at, &r->category, sizeof r->category, k, err);
            if (st != VD_OK) break;
            t.row[t.n++] = (vd_segment_row){ .category = r->category };
        }
        for (int v = 0; v < VD_SEGMENT_VALUES; v++) t.row[k].v[v] += w * r->v[v];
    }
    vd_map_free(at);
    if (st == VD_OK && t.n > 0) qsort(t.row, (size_t)t.n, sizeof *t.row, by_category);
    if (st == VD_OK)
        *out = t;
    else
        vd_segment_rows_reset(&t);
    return st;
}

static double share(double a, double b) {
    return b > 0 ? a / b : (double)NAN;
}

void vd_semantic_score(double out[VD_SEMANTIC_NUMBERS], const vd_segment_rows *totals) {
    double iou = 0, edge = 0, found = 0, weighted = 0, both = 0, pixels = 0;
    int64_t n = 0, n_edges = 0, n_truths = 0;
    for (int64_t k = 0; k < totals->n; k++) {
        const double *v = totals->row[k].v, *e = v + EDGE;
        double all = v[TRUTH] + v[PRED] - v[BOTH], edges = e[TRUTH] + e[PRED] - e[BOTH];
        both += v[BOTH];
        pixels += v[TRUTH];
        if (all > 0) {
            n++;
            iou += v[BOTH] / all;
            weighted += v[TRUTH] * (v[BOTH] / all);
        }
        if (v[TRUTH] > 0) {
            n_truths++;
            found += v[BOTH] / v[TRUTH];
        }
        if (edges > 0) {
            n_edges++;
            edge += e[BOTH] / edges;
        }
    }
    const double number[VD_SEMANTIC_NUMBERS] = { share(iou, (double)n), share(both, pixels),
                                                 share(found, (double)n_truths),
                                                 share(weighted, pixels),
                                                 share(edge, (double)n_edges) };
    memcpy(out, number, sizeof number);
}

void vd_panoptic_score(double out[VD_PANOPTIC_NUMBERS], const vd_segment_rows *totals,
                       const bool *is_thing) {
    enum { KINDS = 3 }; /* all, things, stuff */
    for (int kind = 0; kind < KINDS; kind++) {
        double pq = 0, sq = 0, rq = 0;
        int64_t n = 0;
        for (int64_t k = 0; k < totals->n; k++) {
            const double *v = totals->row[k].v;
            bool thing = is_thing != NULL && is_thing[k];
            double all = v[FOUND] + 0.5 * v[FALSE_ALARM] + 0.5 * v[MISSED];
            if ((kind == 1 && !thing) || (kind == 2 && thing) || !(all > 0)) continue;
            n++;
            pq += v[OVERLAP] / all;
            sq += v[FOUND] > 0 ? v[OVERLAP] / v[FOUND] : 0;
            rq += v[FOUND] / all;
        }
        double d = n > 0 ? (double)n : 1;
        out[3 * kind] = pq / d;
        out[3 * kind + 1] = sq / d;
        out[3 * kind + 2] = rq / d;
    }
}
