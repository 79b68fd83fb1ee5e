/* CLEAR MOT of a sequence; see track.h.
 *
 * In each frame boxes that overlap by half are matched: as many as possible of the pairs of the
 * frame before go on first, then overlap is greatest. A match with another track than the last one
 * that the box of the truth had, however long ago, is a change of identity. As in TrackEval, a
 * frame without boxes on one side is passed over: the frame before it stays the frame before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "eval/track_int.h"

/* More than any overlaps of a frame could make up for. */
static const double GOES_ON = 1000;

typedef struct life {
    int32_t last;   /* the track it was matched with last, -1 */
    int32_t before; /* the same in the last frame that was not passed over, -1 */
    int64_t boxes, matched, begun;
} life;

typedef struct clear {
    vd_track_job *job;
    const vd_track_seq *s;
    life *life;     /* of each track of the truth */
    int32_t *going; /* tracks of the truth that were matched in the frame before */
    int64_t n_going, cap_going;
} clear;

static vd_status match_frame(clear *c, const vd_track_frame *f, vd_err *err) {
    vd_track_work *w = &c->job->work;
    VD_TRY(vd_track_work_size(w, f->n_truth, f->n_pred, err));
    for (int64_t k = f->pair; k < f->pair + f->n_pairs; k++) {
        const vd_track_pair *p = &c->s->pair[k];
        if (p->overlap < VD_TRACK_OVERLAP - VD_TRACK_EPS) continue;
        bool same = c->life[c->s->truth_of[p->tracks]].before == c->s->pred_of[p->tracks];
        w->cost[(int64_t)p->truth * f->n_pred + p->pred] = -(GOES_ON * same + p->overlap);
    }
    return vd_assign_solve(&w->assign, w->column_of, w->cost, f->n_truth, f->n_pred, err);
}

/* Counts the matches of a frame; the others are misses and false alarms by subtraction. */
static vd_status count_frame(clear *c, const vd_track_frame *f, vd_track_sums *sum, vd_err *err) {
    const vd_track_work *w = &c->job->work;
    double overlap = 0;
    VD_TRY(VD_GROW(c->going, c->cap_going, c->n_going + f->n_truth, err));
    int64_t n_before = c->n_going, n = n_before;
    for (int64_t k = f->pair; k < f->pair + f->n_pairs; k++) {
        const vd_track_pair *p = &c->s->pair[k];
        int32_t track = c->s->truth_of[p->tracks], pred = c->s->pred_of[p->tracks];
        life *l = &c->life[track];
        if (w->column_of[p->truth] != p->pred || p->overlap < VD_TRACK_OVERLAP - VD_TRACK_EPS)
            continue;
        sum->switches += l->last >= 0 && l->last != pred;
        l->begun += l->before < 0;
        l->last = pred;
        l->matched++;
        overlap += p->overlap;
        sum->clear_tp++;
        c->going[n++] = track;
    }
    sum->clear_overlap += overlap;
    for (int64_t i = 0; i < n_before; i++) c->life[c->going[i]].before = -1;
    for (int64_t i = n_before; i < n; i++) {
        int32_t track = c->going[i];
        c->going[i - n_before] = track;
        c->life[track].before = c->life[track].last;
    }
    c->n_going = n - n_before;
    return VD_OK;
}

static vd_status match_frames(clear *c, vd_err *err) {
    for (int64_t i = 0; i < c->s->n_frames; i++) {
        const vd_track_frame *f = &c->s->frame[i];
        vd_track_sums sum = { 0 }, *block = vd_track_block(c->job, i);
        if (f->n_truth == 0 || f->n_pred == 0) continue;
        VD_TRY(match_frame(c, f, err));
        VD_TRY(count_frame(c, f, &sum, err));
        for (int to = 0; to < 2; to++) {
            vd_track_sums *t = to == 0 ? c->job->out : block;
            if (t == NULL) continue;
            t->clear_tp += sum.clear_tp;
            t->clear_overlap += sum.clear_overlap;
            t->switches += sum.switches;
        }
    }
    return VD_OK;
}

static void count_lives(const clear *c) {
    vd_track_sums *out = c->job->out;
    for (int32_t i = 0; i < c->s->n_truth_tracks; i++) {
        const life *l = &c->life[i];
        double share = (double)l->matched / (double)l->boxes;
        out->mostly_tracked += share > 0.8;
        out->partly_tracked += share >= 0.2 && share <= 0.8;
        out->mostly_lost += share < 0.2;
        if (l->begun > 0) out->fragments += (double)(l->begun - 1);
    }
}

vd_status vd_track_clear(vd_track_job *j, vd_err *err) {
    vd_status st = VD_OK;
    clear c = { .job = j, .s = j->s };
    c.life = vd_mem_array((size_t)c.s->n_truth_tracks, sizeof *c.life);
    if (c.life == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < c.s->n_truth_tracks; i++) c.life[i].last = c.life[i].before = -1;
    for (int64_t i = 0; i < c.s->n_truth; i++) c.life[c.s->truth_track[i]].boxes++;
    VD_GO(match_frames(&c, err));
    count_lives(&c);
done:
    vd_mem_free(c.life);
    vd_mem_free(c.going);
    return st;
}
