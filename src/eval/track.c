/* Figures of tracking out of their sums; see track.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/track.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/sum.h"
#include "eval/track_int.h"

/* ---- scratch ---- */

void vd_track_work_reset(vd_track_work *w) {
    vd_assign_reset(&w->assign);
    vd_mem_free(w->cost);
    vd_mem_free(w->column_of);
    *w = (vd_track_work){ 0 };
}

vd_status vd_track_work_size(vd_track_work *w, int64_t rows, int64_t cols, vd_err *err) {
    VD_TRY(VD_GROW(w->cost, w->cap_cost, rows * cols + 1, err));
    VD_TRY(VD_GROW(w->column_of, w->cap_rows, rows, err));
    if (rows * cols > 0) memset(w->cost, 0, (size_t)(rows * cols) * sizeof *w->cost);
    return VD_OK;
}

/* ---- sums ---- */

/* All members are doubles: a sum is one over an array. */
enum { MEMBERS = sizeof(vd_track_sums) / sizeof(double) };

void vd_track_sums_add(vd_track_sums *to, const vd_track_sums *s, double times) {
    double a[MEMBERS], b[MEMBERS];
    memcpy(a, to, sizeof a);
    memcpy(b, s, sizeof b);
    for (size_t i = 0; i < MEMBERS; i++) a[i] += times * b[i];
    memcpy(to, a, sizeof a);
}

static vd_status share_out(vd_track_job *j, int64_t n_blocks, vd_err *err) {
    const vd_track_seq *s = j->s;
    if (j->blocks == NULL) return VD_OK;
    memset(j->blocks, 0, (size_t)n_blocks * sizeof *j->blocks);
    j->block_of = vd_mem_array((size_t)s->n_frames, sizeof *j->block_of);
    if (j->block_of == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n_frames; i++) {
        const vd_track_frame *f = &s->frame[i];
        j->block_of[i] = (int32_t)((f->frame - 1) * n_blocks / s->length);
        vd_track_block(j, i)->n_truth += f->n_truth;
        vd_track_block(j, i)->n_pred += f->n_pred;
    }
    return VD_OK;
}

vd_status vd_track_measure(vd_track_sums *out, vd_track_sums *blocks, int64_t n_blocks,
                           const vd_track_seq *s, vd_err *err) {
    vd_status st = VD_OK;
    vd_track_sums sums = { .n_truth = (double)s->n_truth,
                           .n_pred = (double)s->n_pred,
                           .n_truth_tracks = s->n_truth_tracks,
                           .n_pred_tracks = s->n_pred_tracks,
                           .n_frames = s->length };
    vd_track_job j = { .s = s, .out = &sums, .blocks = n_blocks > 0 ? blocks : NULL };
    VD_GO(share_out(&j, n_blocks, err));
    VD_GO(vd_track_hota(&j, err));
    VD_GO(vd_track_clear(&j, err));
    VD_GO(vd_track_identity(&j, err));
    *out = sums;
done:
    vd_mem_free(j.block_of);
    vd_track_work_reset(&j.work);
    return st;
}

/* ---- figures ---- */

static const struct {
    const char *name, *help;
} FIGURE[VD_TRACK_FIGURES] = {
    [VD_TRACK_HOTA] = { "HOTA", "mean over 19 thresholds of sqrt(DetA AssA)" },
    [VD_TRACK_DETA] = { "DetA", "detection: matches among matches, misses and false alarms" },
    [VD_TRACK_ASSA] = { "AssA", "association: how well the tracks of matches agree" },
    [VD_TRACK_LOCA] = { "LocA", "mean overlap of matches" },
    [VD_TRACK_MOTA] = { "MOTA", "1 - (FP + FN + IDSW) / boxes of the truth" },
    [VD_TRACK_MOTP] = { "MOTP", "mean overlap of matches at a threshold of 0.5" },
    [VD_TRACK_IDF1] = { "IDF1", "share of boxes whose track is its track's partner" },
    [VD_TRACK_FP] = { "FP", "false alarms at 0.5" },
    [VD_TRACK_FN] = { "FN", "misses at 0.5" },
    [VD_TRACK_IDSW] = { "IDSW", "changes of identity" },
    [VD_TRACK_FRAG] = { "Frag", "interruptions of tracks" },
    [VD_TRACK_MT] = { "MT", "tracks matched in more than 80 % of their frames" },
    [VD_TRACK_PT] = { "PT", "tracks between the two" },
    [VD_TRACK_ML] = { "ML", "tracks matched in less than 20 %" },
    [VD_TRACK_IDP] = { "IDP", "precision of identities" },
    [VD_TRACK_IDR] = { "IDR", "recall of identities" },
    [VD_TRACK_RECALL] = { "Recall", "boxes of the truth that are matched at 0.5" },
    [VD_TRACK_PRECISION] = { "Precision", "predictions that are matched at 0.5" },
    [VD_TRACK_TRUTH_BOXES] = { "truth_boxes", "that are judged" },
    [VD_TRACK_TRUTH_TRACKS] = { "truth_tracks", "that are judged" },
    [VD_TRACK_PRED_BOXES] = { "pred_boxes", "that are judged" },
    [VD_TRACK_PRED_TRACKS] = { "pred_tracks", "that are judged" },
    [VD_TRACK_FRAMES] = { "frames", "of the sequence" },
};

const char *vd_track_figure_name(int figure) {
    return FIGURE[figure].name;
}
const char *vd_track_figure_help(int figure) {
    return FIGURE[figure].help;
}
bool vd_track_figure_is_count(int figure) {
    return (figure >= VD_TRACK_FP && figure <= VD_TRACK_ML) || figure >= VD_TRACK_TRUTH_BOXES;
}

/* Of nothing a share is 0. */
static double share(double part, double all) {
    return part / VD_MAX(1, all);
}

static double mean(const double v[VD_TRACK_ALPHAS]) {
    return vd_sum_pairwise(v, VD_TRACK_ALPHAS) / VD_TRACK_ALPHAS;
}

static void hota_figures(double *out, const vd_track_sums *s) {
    const double least = 1e-10; /* where nothing is matched, LocA is 1 */
    double hota[VD_TRACK_ALPHAS], det[VD_TRACK_ALPHAS], ass[VD_TRACK_ALPHAS], loc[VD_TRACK_ALPHAS];
    for (int a = 0; a < VD_TRACK_ALPHAS; a++) {
        det[a] = share(s->tp[a], s->n_truth + s->n_pred - s->tp[a]);
        ass[a] = share(s->agree[a], s->tp[a]);
        loc[a] = VD_MAX(least, s->overlap[a]) / VD_MAX(least, s->tp[a]);
        hota[a] = sqrt(det[a] * ass[a]);
    }
    out[VD_TRACK_HOTA] = mean(hota);
    out[VD_TRACK_DETA] = mean(det);
    out[VD_TRACK_ASSA] = mean(ass);
    out[VD_TRACK_LOCA] = mean(loc);
}

void vd_track_figures(double out[VD_TRACK_FIGURES], const vd_track_sums *s, bool alone) {
    double fn = s->n_truth - s->clear_tp, fp = s->n_pred - s->clear_tp;
    double id_fn = s->n_truth - s->identity_tp, id_fp = s->n_pred - s->identity_tp;
    hota_figures(out, s);
    out[VD_TRACK_MOTA] = share(s->clear_tp - fp - s->switches, s->n_truth);
    if (alone && s->n_truth == 0) out[VD_TRACK_MOTA] = 0;
    out[VD_TRACK_MOTP] = share(s->clear_overlap, s->clear_tp);
    out[VD_TRACK_IDF1] = share(s->identity_tp, s->identity_tp + 0.5 * id_fp + 0.5 * id_fn);
    out[VD_TRACK_FP] = fp;
    out[VD_TRACK_FN] = fn;
    out[VD_TRACK_IDSW] = s->switches;
    out[VD_TRACK_FRAG] = s->fragments;
    out[VD_TRACK_MT] = s->mostly_tracked;
    out[VD_TRACK_PT] = s->partly_tracked;
    out[VD_TRACK_ML] = s->mostly_lost;
    out[VD_TRACK_IDP] = share(s->identity_tp, s->n_pred);
    out[VD_TRACK_IDR] = share(s->identity_tp, s->n_truth);
    out[VD_TRACK_RECALL] = share(s->clear_tp, s->n_truth);
    out[VD_TRACK_PRECISION] = share(s->clear_tp, s->n_pred);
    out[VD_TRACK_TRUTH_BOXES] = s->n_truth;
    out[VD_TRACK_TRUTH_TRACKS] = s->n_truth_tracks;
    out[VD_TRACK_PRED_BOXES] = s->n_pred;
    out[VD_TRACK_PRED_TRACKS] = s->n_pred_tracks;
    out[VD_TRACK_FRAMES] = s->n_frames;
}
