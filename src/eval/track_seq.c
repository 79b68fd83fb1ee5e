/* What is judged of a sequence; see track.h.
 *
 * Frame by frame the overlaps of all boxes are found, the benchmark's rules say which boxes count,
 * and what is left is kept with the pairs that overlap. Ids become numbers 0, 1, 2, ... Nothing is
 * kept of boxes that do not overlap, which are most pairs: a crowded sequence of thousands of
 * frames fits into memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "eval/index_map.h"
#include "eval/track_int.h"

/* ---- benchmarks ---- */

enum { MOT_PEDESTRIAN = 1, MOT_CLASSES = 13, MOTS_PEDESTRIAN = 2, MOTS_IGNORE = 10 };

static const char *const NAME[VD_TRACK_BENCHMARKS] = { "MOT15", "MOT16", "MOT17", "MOT20", "MOTS" };

const char *vd_track_benchmark_name(vd_track_benchmark b) {
    return NAME[b];
}

vd_track_benchmark vd_track_benchmark_of(const char *sequence) {
    for (int b = VD_TRACK_BENCHMARKS - 1; b > 0; b--) /* MOTS before MOT.. */
        if (strncasecmp(sequence, NAME[b], strlen(NAME[b])) == 0) return (vd_track_benchmark)b;
    return VD_TRACK_MOT15;
}

/* Classes of the truth whose matches are taken out: a person on a vehicle, a static person, a
 * distractor, a reflection; in MOT20 vehicles that are not motorised. */
static bool is_distractor(vd_track_benchmark b, int32_t cls) {
    return cls == 2 || cls == 7 || cls == 8 || cls == 12 || (b == VD_TRACK_MOT20 && cls == 6);
}

/* ---- one side ---- */

typedef struct side {
    const vd_mot_rows *rows;
    const char *name;
    int32_t *track;    /* [rows]: number of the id */
    int64_t *last_row; /* [tracks]: where it was seen last, -1 */
    int32_t *kept;     /* [tracks]: its number among those that count, -1 */
    int32_t n_kept;
    int32_t ignored; /* class of rows that are no tracks: their ids mean nothing */
} side;

enum { NO_CLASS_IGNORED = INT32_MIN }; /* no file has it */

static void side_reset(side *s) {
    vd_mem_free(s->track);
    vd_mem_free(s->last_row);
    vd_mem_free(s->kept);
}

static vd_status side_init(side *s, const vd_mot_rows *rows, const char *name, vd_err *err) {
    vd_status st = VD_OK;
    vd_index_map ids = { 0 };
    *s = (side){ .rows = rows, .name = name, .ignored = NO_CLASS_IGNORED };
    s->track = vd_mem_array((size_t)rows->n, sizeof *s->track);
    if (s->track == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < rows->n; i++)
        VD_GO(vd_index_map_of(&ids, (uint64_t)rows->row[i].id, &s->track[i], err));
    s->last_row = vd_mem_array((size_t)ids.n, sizeof *s->last_row);
    s->kept = vd_mem_array((size_t)ids.n, sizeof *s->kept);
    if (s->last_row == NULL || s->kept == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < ids.n; i++) s->last_row[i] = s->kept[i] = -1;
done:
    vd_index_map_reset(&ids);
    return st;
}

static const vd_mot_row *row_at(const side *s, int64_t i) {
    return s->rows->n > 0 ? s->rows->row + i : NULL;
}
static const vd_mask *mask_at(const side *s, int64_t i) {
    return s->rows->n > 0 ? s->rows->mask + i : NULL;
}

static int32_t kept_track(side *s, int64_t row) {
    int32_t *k = &s->kept[s->track[row]];
    if (*k < 0) *k = s->n_kept++;
    return *k;
}

/* Where the rows of a frame end; counts them, and looks for an id that is there twice. */
static vd_status frame_end(side *s, int64_t begin, int64_t *end, vd_err *err) {
    const vd_mot_row *row = s->rows->row;
    int64_t i = begin;
    for (; i < s->rows->n && row[i].frame == row[begin].frame; i++) {
        int64_t *last = &s->last_row[s->track[i]];
        if (row[i].cls == s->ignored) continue;
        if (*last >= begin)
            return vd_fail(err, VD_E_FORMAT, "%s:%d: frame %d has id %lld twice, first in line %d",
                           s->name, row[i].line, row[i].frame, (long long)row[i].id,
                           row[*last].line);
        *last = i;
    }
    if (i - begin > VD_TRACK_MAX_BOXES)
        return vd_fail(err, VD_E_LIMIT, "%s: frame %d has %lld boxes, more than the limit of %d",
                       s->name, row[begin].frame, (long long)(i - begin), VD_TRACK_MAX_BOXES);
    *end = i;
    return VD_OK;
}

/* ---- one frame ---- */

typedef struct builder {
    vd_track_seq *s;
    vd_track_benchmark benchmark;
    side truth, pred;
    int64_t t0, t1, p0, p1; /* rows of the frame */
    double *overlap;        /* [t1 - t0][p1 - p0] */
    int64_t cap_overlap;
    double *corner; /* of predictions: x0, y0, x1, y1, area, one after the other */
    int64_t cap_corner;
    vd_mask *masks; /* borrowed */
    int64_t cap_masks;
    bool *keep_truth, *keep_pred;
    int64_t cap_keep_truth, cap_keep_pred;
    vd_index_map pairs; /* of tracks */
    vd_track_work work;
} builder;

static void builder_reset(builder *b) {
    side_reset(&b->truth);
    side_reset(&b->pred);
    vd_mem_free(b->overlap);
    vd_mem_free(b->corner);
    vd_mem_free(b->masks);
    vd_mem_free(b->keep_truth);
    vd_mem_free(b->keep_pred);
    vd_index_map_reset(&b->pairs);
    vd_track_work_reset(&b->work);
}

/* Intersection over union of all boxes, with TrackEval's operations in their order: boxes and
 * unions without area overlap nothing. */
static vd_status box_overlaps(builder *b, vd_err *err) {
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    VD_TRY(VD_GROW(b->corner, b->cap_corner, 5 * m + 1, err));
    double *x0 = b->corner, *y0 = x0 + m, *x1 = y0 + m, *y1 = x1 + m, *area = y1 + m;
    for (int64_t j = 0; j < m; j++) {
        const double *box = b->pred.rows->row[b->p0 + j].box;
        x0[j] = box[0], y0[j] = box[1], x1[j] = box[0] + box[2], y1[j] = box[1] + box[3];
        area[j] = (x1[j] - x0[j]) * (y1[j] - y0[j]);
    }
    for (int64_t i = 0; i < n; i++) {
        const double *box = b->truth.rows->row[b->t0 + i].box;
        double *out = b->overlap + i * m;
        double tx0 = box[0], ty0 = box[1], tx1 = box[0] + box[2], ty1 = box[1] + box[3];
        double t_area = (tx1 - tx0) * (ty1 - ty0);
        for (int64_t j = 0; j < m; j++) {
            double w = VD_MIN(tx1, x1[j]) - VD_MAX(tx0, x0[j]);
            double h = VD_MIN(ty1, y1[j]) - VD_MAX(ty0, y0[j]);
            out[j] = 0;
            if (w <= 0 || h <= 0 || t_area <= VD_TRACK_EPS || area[j] <= VD_TRACK_EPS) continue;
            double common = w * h, all = t_area + area[j] - common;
            if (all > VD_TRACK_EPS) out[j] = common / all;
        }
    }
    return VD_OK;
}

/* Matches all boxes at the greatest total overlap; less than half counts nothing. */
static vd_status match_half(builder *b, vd_err *err) {
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    VD_TRY(vd_track_work_size(&b->work, n, m, err));
    for (int64_t k = 0; k < n * m; k++) {
        double o = b->overlap[k];
        b->work.cost[k] = o < VD_TRACK_OVERLAP - VD_TRACK_EPS ? 0 : -o;
    }
    return vd_assign_solve(&b->work.assign, b->work.column_of, b->work.cost, n, m, err);
}

static vd_status judge_boxes(builder *b, vd_err *err) {
    const vd_mot_row *t = row_at(&b->truth, b->t0), *p = row_at(&b->pred, b->p0);
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    bool classes = b->benchmark != VD_TRACK_MOT15;
    for (int64_t i = 0; i < n; i++) {
        if (classes && (t[i].cls < 1 || t[i].cls > MOT_CLASSES))
            return vd_fail(err, VD_E_FORMAT, "%s:%d: class %d is none of %s's 1 to %d",
                           b->truth.name, t[i].line, t[i].cls, NAME[b->benchmark], MOT_CLASSES);
        b->keep_truth[i] = t[i].counts && (!classes || t[i].cls == MOT_PEDESTRIAN);
    }
    for (int64_t j = 0; j < m; j++) {
        if (p[j].cls > MOT_PEDESTRIAN)
            return vd_fail(err, VD_E_FORMAT, "%s:%d: class %d; only pedestrians (1) are judged",
                           b->pred.name, p[j].line, p[j].cls);
        b->keep_pred[j] = true;
    }
    if (!classes || n == 0 || m == 0) return VD_OK;
    VD_TRY(match_half(b, err));
    for (int64_t i = 0; i < n; i++) {
        int32_t j = b->work.column_of[i];
        if (j >= 0 && b->work.cost[i * m + j] < -VD_TRACK_EPS &&
            is_distractor(b->benchmark, t[i].cls))
            b->keep_pred[j] = false;
    }
    return VD_OK;
}

/* ---- masks ---- */

/* Masks of a frame's side, its tracks or what is to be ignored, in b->masks from `n` on. */
static vd_status gather(builder *b, const side *s, int64_t begin, int64_t end, bool ignored,
                        int64_t *n, vd_err *err) {
    VD_TRY(VD_GROW(b->masks, b->cap_masks, *n + end - begin, err));
    for (int64_t i = begin; i < end; i++)
        if ((s->rows->row[i].cls == s->ignored) == ignored) b->masks[(*n)++] = s->rows->mask[i];
    return VD_OK;
}

/* Masks of one side must not overlap: a pixel is one thing's. `region`, where it is not NULL, is
 * one more of them. */
static vd_status check_apart(builder *b, const side *s, int64_t begin, int64_t end,
                             const vd_mask *region, vd_err *err) {
    int64_t n = 0, apart = 0;
    vd_mask all = { 0 };
    VD_TRY(VD_GROW(b->masks, b->cap_masks, 1, err));
    if (region != NULL) b->masks[n++] = *region;
    VD_TRY(gather(b, s, begin, end, false, &n, err));
    if (n < 2) return VD_OK;
    for (int64_t i = 0; i < n; i++) apart += vd_mask_area(&b->masks[i]);
    VD_TRY(vd_mask_merge(&all, b->masks, n, false, err));
    int64_t area = vd_mask_area(&all);
    vd_mask_reset(&all);
    if (area == apart) return VD_OK;
    return vd_fail(err, VD_E_FORMAT, "%s: frame %d: masks overlap in %lld pixels", s->name,
                   s->rows->row[begin].frame, (long long)(apart - area));
}

static vd_status check_sizes(const builder *b, const side *s, int64_t begin, int64_t end,
                             vd_err *err) {
    const vd_mask *first = b->t1 > b->t0 ? &b->truth.rows->mask[b->t0] : &s->rows->mask[begin];
    for (int64_t i = begin; i < end; i++) {
        const vd_mask *m = &s->rows->mask[i];
        if (m->height != first->height || m->width != first->width)
            return vd_fail(
                err, VD_E_FORMAT, "%s:%d: the mask has %d x %d pixels, others of the frame %d x %d",
                s->name, s->rows->row[i].line, m->width, m->height, first->width, first->height);
    }
    return VD_OK;
}

static vd_status mask_overlaps(builder *b, vd_err *err) {
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    VD_TRY(check_sizes(b, &b->truth, b->t0, b->t1, err));
    VD_TRY(check_sizes(b, &b->pred, b->p0, b->p1, err));
    VD_TRY(VD_GROW(b->corner, b->cap_corner, 4 * m + 1, err));
    for (int64_t j = 0; j < m; j++) vd_mask_box(&b->pred.rows->mask[b->p0 + j], b->corner + 4 * j);
    for (int64_t i = 0; i < n; i++) {
        double box[4];
        vd_mask_box(&b->truth.rows->mask[b->t0 + i], box);
        for (int64_t j = 0; j < m; j++) {
            double *o = &b->overlap[i * m + j];
            *o = vd_box_iou(box, b->corner + 4 * j, false) > 0
                     ? vd_mask_iou(&b->truth.rows->mask[b->t0 + i], &b->pred.rows->mask[b->p0 + j],
                                   false)
                     : 0;
        }
    }
    return VD_OK;
}

/* Takes out predictions that match nothing and of which more than half is in `region`. What does
 * not take part in the matching must not take a place in it: overlaps of others are compared only
 * with each other. */
static vd_status drop_ignored(builder *b, const vd_mask *region, vd_err *err) {
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0, rows = 0, cols = 0;
    const vd_mask *mask = mask_at(&b->pred, b->p0);
    for (int64_t j = 0; j < m; j++) cols += b->keep_pred[j];
    VD_TRY(vd_track_work_size(&b->work, n, cols, err));
    for (int64_t i = 0; i < n; i++) {
        double *cost = b->work.cost + rows * cols;
        if (!b->keep_truth[i]) continue;
        for (int64_t j = 0; j < m; j++) {
            double o = b->overlap[i * m + j];
            if (b->keep_pred[j]) *cost++ = o < VD_TRACK_OVERLAP - VD_TRACK_EPS ? 10000 : -o;
        }
        rows++;
    }
    VD_TRY(vd_assign_solve(&b->work.assign, b->work.column_of, b->work.cost, rows, cols, err));
    for (int64_t j = 0, col = 0; j < m; j++) {
        bool matched = false;
        if (!b->keep_pred[j]) continue;
        for (int64_t r = 0; r < rows; r++)
            matched |= b->work.column_of[r] == col && b->work.cost[r * cols + col] < 0;
        col++;
        b->keep_pred[j] =
            matched || region == NULL || vd_mask_iou(&mask[j], region, true) <= 0.5 + VD_TRACK_EPS;
    }
    return VD_OK;
}

static vd_status judge_masks(builder *b, vd_err *err) {
    vd_status st = VD_OK;
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0, n_ignored = 0;
    vd_mask region = { 0 };
    VD_GO(gather(b, &b->truth, b->t0, b->t1, true, &n_ignored, err));
    if (n_ignored > 0) VD_GO(vd_mask_merge(&region, b->masks, n_ignored, false, err));
    const vd_mask *ignored = n_ignored > 0 ? &region : NULL;
    VD_GO(check_apart(b, &b->truth, b->t0, b->t1, ignored, err));
    VD_GO(check_apart(b, &b->pred, b->p0, b->p1, NULL, err));
    for (int64_t i = 0; i < n; i++)
        b->keep_truth[i] = b->truth.rows->row[b->t0 + i].cls == MOTS_PEDESTRIAN;
    for (int64_t j = 0; j < m; j++)
        b->keep_pred[j] = b->pred.rows->row[b->p0 + j].cls == MOTS_PEDESTRIAN;
    VD_GO(drop_ignored(b, ignored, err));
done:
    vd_mask_reset(&region);
    return st;
}

/* ---- a sequence ---- */

static vd_status add_pairs(builder *b, vd_track_frame *f, vd_err *err) {
    vd_track_seq *s = b->s;
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    int32_t row = 0;
    for (int64_t i = 0; i < n; i++) {
        int32_t col = 0;
        if (!b->keep_truth[i]) continue;
        for (int64_t j = 0; j < m; j++) {
            if (!b->keep_pred[j]) continue;
            if (b->overlap[i * m + j] > 0) {
                vd_track_pair p = { .truth = row, .pred = col, .overlap = b->overlap[i * m + j] };
                uint64_t t = (uint64_t)s->truth_track[f->truth + row],
                         q = (uint64_t)s->pred_track[f->pred + col];
                if (s->n_pairs >= VD_TRACK_MAX_PAIRS)
                    return vd_fail(err, VD_E_LIMIT,
                                   "%s: more than %d overlapping pairs up to frame %d",
                                   b->pred.name, VD_TRACK_MAX_PAIRS, f->frame);
                VD_TRY(vd_index_map_of(&b->pairs, t << 32 | q, &p.tracks, err));
                VD_TRY(VD_GROW(s->pair, s->cap_pairs, s->n_pairs + 1, err));
                s->pair[s->n_pairs++] = p;
            }
            col++;
        }
        row++;
    }
    f->n_pairs = s->n_pairs - f->pair;
    return VD_OK;
}

static vd_status add_frame(builder *b, int32_t frame, vd_err *err) {
    vd_track_seq *s = b->s;
    int64_t n = b->t1 - b->t0, m = b->p1 - b->p0;
    bool masks = b->benchmark == VD_TRACK_MOTS;
    vd_track_frame f = {
        .frame = frame, .truth = s->n_truth, .pred = s->n_pred, .pair = s->n_pairs
    };
    VD_TRY(VD_GROW(b->overlap, b->cap_overlap, n * m + 1, err));
    VD_TRY(VD_GROW(b->keep_truth, b->cap_keep_truth, n, err));
    VD_TRY(VD_GROW(b->keep_pred, b->cap_keep_pred, m, err));
    VD_TRY(masks ? mask_overlaps(b, err) : box_overlaps(b, err));
    VD_TRY(masks ? judge_masks(b, err) : judge_boxes(b, err));
    VD_TRY(VD_GROW(s->truth_track, s->cap_truth, s->n_truth + n, err));
    VD_TRY(VD_GROW(s->pred_track, s->cap_pred, s->n_pred + m, err));
    VD_TRY(VD_GROW(s->frame, s->cap_frames, s->n_frames + 1, err));
    for (int64_t i = 0; i < n; i++)
        if (b->keep_truth[i]) s->truth_track[s->n_truth++] = kept_track(&b->truth, b->t0 + i);
    for (int64_t j = 0; j < m; j++)
        if (b->keep_pred[j]) s->pred_track[s->n_pred++] = kept_track(&b->pred, b->p0 + j);
    f.n_truth = (int32_t)(s->n_truth - f.truth);
    f.n_pred = (int32_t)(s->n_pred - f.pred);
    VD_TRY(add_pairs(b, &f, err));
    s->frame[s->n_frames++] = f;
    return VD_OK;
}

static vd_status add_frames(builder *b, int32_t length, vd_err *err) {
    const vd_mot_rows *t = b->truth.rows, *p = b->pred.rows;
    while (b->t1 < t->n || b->p1 < p->n) {
        int32_t at_t = b->t1 < t->n ? t->row[b->t1].frame : INT32_MAX;
        int32_t at_p = b->p1 < p->n ? p->row[b->p1].frame : INT32_MAX;
        int32_t frame = VD_MIN(at_t, at_p);
        if (length > 0 && frame > length)
            return vd_fail(err, VD_E_FORMAT, "%s:%d: frame %d is beyond the sequence's %d",
                           at_t <= at_p ? b->truth.name : b->pred.name,
                           at_t <= at_p ? t->row[b->t1].line : p->row[b->p1].line, frame, length);
        b->t0 = b->t1;
        b->p0 = b->p1;
        if (at_t == frame) VD_TRY(frame_end(&b->truth, b->t0, &b->t1, err));
        if (at_p == frame) VD_TRY(frame_end(&b->pred, b->p0, &b->p1, err));
        VD_TRY(add_frame(b, frame, err));
        b->s->length = frame;
    }
    if (length > 0) b->s->length = length;
    return VD_OK;
}

void vd_track_seq_reset(vd_track_seq *s) {
    vd_mem_free(s->frame);
    vd_mem_free(s->truth_track);
    vd_mem_free(s->pred_track);
    vd_mem_free(s->pair);
    vd_mem_free(s->truth_of);
    vd_mem_free(s->pred_of);
    *s = (vd_track_seq){ 0 };
}

/* The pairs of tracks as two lists. */
static vd_status split_pairs(vd_track_seq *s, const vd_index_map *pairs, vd_err *err) {
    s->truth_of = vd_mem_array((size_t)pairs->n, sizeof *s->truth_of);
    s->pred_of = vd_mem_array((size_t)pairs->n, sizeof *s->pred_of);
    if (s->truth_of == NULL || s->pred_of == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < pairs->n; i++) {
        s->truth_of[i] = (int32_t)(pairs->key[i] >> 32);
        s->pred_of[i] = (int32_t)(pairs->key[i] & UINT32_MAX);
    }
    s->n_track_pairs = (int32_t)pairs->n;
    return VD_OK;
}

vd_status vd_track_seq_make(vd_track_seq *out, vd_track_benchmark benchmark, int32_t length,
                            const vd_mot_rows *truth, const char *truth_name,
                            const vd_mot_rows *pred, const char *pred_name, vd_err *err) {
    vd_status st = VD_OK;
    vd_track_seq s = { 0 };
    builder b = { .s = &s, .benchmark = benchmark };
    if ((benchmark == VD_TRACK_MOTS) != (truth->mask != NULL) ||
        (truth->mask != NULL) != (pred->mask != NULL))
        VD_GO(vd_fail(err, VD_E_ARG, "%s: masks are for MOTS, boxes for other benchmarks",
                      truth_name));
    VD_GO(side_init(&b.truth, truth, truth_name, err));
    VD_GO(side_init(&b.pred, pred, pred_name, err));
    if (benchmark == VD_TRACK_MOTS) b.truth.ignored = MOTS_IGNORE;
    VD_GO(add_frames(&b, length, err));
    VD_GO(split_pairs(&s, &b.pairs, err));
    s.n_truth_tracks = b.truth.n_kept;
    s.n_pred_tracks = b.pred.n_kept;
    *out = s;
    s = (vd_track_seq){ 0 };
done:
    vd_track_seq_reset(&s);
    builder_reset(&b);
    return st;
}
