/* HOTA of a sequence; see track.h.
 *
 * Two passes over the frames. The first finds how well each pair of tracks agrees over the whole
 * sequence: the overlaps of their boxes, each as a share of all overlaps that the two boxes have,
 * over the frames that either is in. The second matches each frame's boxes at most total agreement
 * times overlap. One matching serves all thresholds: a match counts at those that its overlap
 * reaches. Last, each match is worth A = n / (g + t - n) at a threshold, for n matches between its
 * tracks there, and g and t boxes of the tracks.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "eval/sum.h"
#include "eval/track_int.h"

enum { A = VD_TRACK_ALPHAS };

typedef struct match {
    int32_t frame, tracks;
    int32_t reach; /* thresholds below its overlap */
} match;

typedef struct hota {
    vd_track_job *job;
    const vd_track_seq *s;
    double *agree;                        /* [n_track_pairs] */
    double *n_truth_boxes, *n_pred_boxes; /* of each track */
    double *row_sum, *col_sum, *line;
    int64_t cap_row, cap_col, cap_line;
    match *match;
    int64_t n_matches, cap_matches;
    int32_t *place; /* [n_track_pairs]: among those with a match, n_places of them; -1 */
    int32_t n_places;
    int32_t *reached; /* [n_places * A]: matches of a pair of tracks that reach each threshold */
} hota;

/* As NumPy's arange has them. */
static double alpha(int a) {
    return 0.05 + a * 0.05;
}

static vd_status hota_init(hota *h, vd_track_job *job, vd_err *err) {
    *h = (hota){ .job = job, .s = job->s };
    h->agree = vd_mem_array((size_t)h->s->n_track_pairs, sizeof *h->agree);
    h->n_truth_boxes = vd_mem_array((size_t)h->s->n_truth_tracks, sizeof *h->n_truth_boxes);
    h->n_pred_boxes = vd_mem_array((size_t)h->s->n_pred_tracks, sizeof *h->n_pred_boxes);
    if (h->agree == NULL || h->n_truth_boxes == NULL || h->n_pred_boxes == NULL)
        return vd_nomem(err);
    for (int64_t i = 0; i < h->s->n_truth; i++) h->n_truth_boxes[h->s->truth_track[i]]++;
    for (int64_t i = 0; i < h->s->n_pred; i++) h->n_pred_boxes[h->s->pred_track[i]]++;
    return VD_OK;
}

static void hota_reset(hota *h) {
    vd_mem_free(h->agree);
    vd_mem_free(h->n_truth_boxes);
    vd_mem_free(h->n_pred_boxes);
    vd_mem_free(h->row_sum);
    vd_mem_free(h->col_sum);
    vd_mem_free(h->line);
    vd_mem_free(h->match);
    vd_mem_free(h->place);
    vd_mem_free(h->reached);
}

/* ---- agreement of tracks ---- */

/* Sums of a frame's overlaps by row and by column, in the order in which NumPy adds them: rows
 * pairwise, columns one after the other, unless there is but one. */
static vd_status sum_overlaps(hota *h, const vd_track_frame *f, vd_err *err) {
    const vd_track_pair *p = h->s->pair + f->pair;
    VD_TRY(VD_GROW(h->row_sum, h->cap_row, f->n_truth, err));
    VD_TRY(VD_GROW(h->col_sum, h->cap_col, f->n_pred, err));
    VD_TRY(VD_GROW(h->line, h->cap_line, VD_MAX(f->n_truth, f->n_pred), err));
    memset(h->col_sum, 0, (size_t)f->n_pred * sizeof *h->col_sum);
    for (int64_t k = 0, i = 0; i < f->n_truth; i++) {
        memset(h->line, 0, (size_t)f->n_pred * sizeof *h->line);
        for (; k < f->n_pairs && p[k].truth == i; k++) {
            h->line[p[k].pred] = p[k].overlap;
            h->col_sum[p[k].pred] += p[k].overlap;
        }
        h->row_sum[i] = vd_sum_pairwise(h->line, f->n_pred);
    }
    if (f->n_pred == 1) {
        memset(h->line, 0, (size_t)f->n_truth * sizeof *h->line);
        for (int64_t k = 0; k < f->n_pairs; k++) h->line[p[k].truth] = p[k].overlap;
        h->col_sum[0] = vd_sum_pairwise(h->line, f->n_truth);
    }
    return VD_OK;
}

static vd_status find_agreement(hota *h, vd_err *err) {
    const vd_track_seq *s = h->s;
    for (int64_t i = 0; i < s->n_frames; i++) {
        const vd_track_frame *f = &s->frame[i];
        if (f->n_pairs == 0) continue;
        VD_TRY(sum_overlaps(h, f, err));
        for (int64_t k = f->pair; k < f->pair + f->n_pairs; k++) {
            const vd_track_pair *p = &s->pair[k];
            double all = h->col_sum[p->pred] + h->row_sum[p->truth] - p->overlap;
            if (all > VD_TRACK_EPS) h->agree[p->tracks] += p->overlap / all;
        }
    }
    for (int32_t k = 0; k < s->n_track_pairs; k++)
        h->agree[k] /=
            h->n_truth_boxes[s->truth_of[k]] + h->n_pred_boxes[s->pred_of[k]] - h->agree[k];
    return VD_OK;
}

/* ---- matching ---- */

/* Adds the frame's matches to the sums, and remembers them. */
static vd_status keep_matches(hota *h, int64_t frame, vd_err *err) {
    const vd_track_frame *f = &h->s->frame[frame];
    vd_track_sums *block = vd_track_block(h->job, frame);
    double tp[A] = { 0 }, overlap[A] = { 0 };
    VD_TRY(VD_GROW(h->match, h->cap_matches, h->n_matches + VD_MIN(f->n_truth, f->n_pred), err));
    for (int64_t k = f->pair; k < f->pair + f->n_pairs; k++) {
        const vd_track_pair *p = &h->s->pair[k];
        int32_t reach = 0;
        if (h->job->work.column_of[p->truth] != p->pred) continue;
        while (reach < A && p->overlap >= alpha(reach) - VD_TRACK_EPS) {
            tp[reach]++;
            overlap[reach++] += p->overlap;
        }
        if (reach > 0) h->match[h->n_matches++] = (match){ (int32_t)frame, p->tracks, reach };
    }
    for (int a = 0; a < A; a++) {
        h->job->out->tp[a] += tp[a];
        h->job->out->overlap[a] += overlap[a];
        if (block == NULL) continue;
        block->tp[a] += tp[a];
        block->overlap[a] += overlap[a];
    }
    return VD_OK;
}

static vd_status match_frames(hota *h, vd_err *err) {
    const vd_track_seq *s = h->s;
    vd_track_work *w = &h->job->work;
    for (int64_t i = 0; i < s->n_frames; i++) {
        const vd_track_frame *f = &s->frame[i];
        if (f->n_pairs == 0) continue;
        VD_TRY(vd_track_work_size(w, f->n_truth, f->n_pred, err));
        for (int64_t k = f->pair; k < f->pair + f->n_pairs; k++) {
            const vd_track_pair *p = &s->pair[k];
            w->cost[(int64_t)p->truth * f->n_pred + p->pred] = -(h->agree[p->tracks] * p->overlap);
        }
        VD_TRY(vd_assign_solve(&w->assign, w->column_of, w->cost, f->n_truth, f->n_pred, err));
        VD_TRY(keep_matches(h, i, err));
    }
    return VD_OK;
}

/* ---- association ---- */

/* Most pairs of tracks that overlap somewhere never match: only the others get counters. */
static vd_status count_matches(hota *h, vd_err *err) {
    size_t n = (size_t)h->s->n_track_pairs;
    h->place = vd_mem_alloc(n * sizeof *h->place);
    if (h->place == NULL) return vd_nomem(err);
    memset(h->place, 0xff, n * sizeof *h->place); /* -1 */
    for (int64_t i = 0; i < h->n_matches; i++)
        if (h->place[h->match[i].tracks] < 0) h->place[h->match[i].tracks] = h->n_places++;
    h->reached = vd_mem_array((size_t)h->n_places, A * sizeof *h->reached);
    if (h->reached == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < h->n_matches; i++) {
        int32_t *reached = h->reached + (int64_t)h->place[h->match[i].tracks] * A;
        for (int a = 0; a < h->match[i].reach; a++) reached[a]++;
    }
    return VD_OK;
}

/* What each of n matches of these tracks is worth. */
static double association(const hota *h, int32_t tracks, double n) {
    double all = h->n_truth_boxes[h->s->truth_of[tracks]] + h->n_pred_boxes[h->s->pred_of[tracks]];
    return n / (all - n);
}

static vd_status sum_association(hota *h, vd_err *err) {
    VD_TRY(count_matches(h, err));
    for (int32_t k = 0; k < h->s->n_track_pairs; k++) {
        if (h->place[k] < 0) continue;
        const int32_t *reached = h->reached + (int64_t)h->place[k] * A;
        for (int a = 0; a < A; a++)
            h->job->out->agree[a] += reached[a] * association(h, k, reached[a]);
    }
    for (int64_t i = 0; i < h->n_matches && h->job->blocks != NULL; i++) {
        const match *m = &h->match[i];
        const int32_t *reached = h->reached + (int64_t)h->place[m->tracks] * A;
        for (int a = 0; a < m->reach; a++)
            vd_track_block(h->job, m->frame)->agree[a] += association(h, m->tracks, reached[a]);
    }
    return VD_OK;
}

vd_status vd_track_hota(vd_track_job *j, vd_err *err) {
    hota h;
    vd_status st = hota_init(&h, j, err);
    if (st == VD_OK) st = find_agreement(&h, err);
    if (st == VD_OK) st = match_frames(&h, err);
    if (st == VD_OK) st = sum_association(&h, err);
    hota_reset(&h);
    return st;
}
