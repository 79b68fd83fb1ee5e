/* Tracks against a truth: HOTA, CLEAR MOT and identity metrics. SPDX-License-Identifier: Apache-2.0
 *
 * HOTA is the geometric mean of how well boxes are detected (DetA) and how long their identities
 * agree (AssA), averaged over 19 thresholds of overlap [Luiten et al., HOTA: A Higher Order Metric
 * for Evaluating Multi-Object Tracking, IJCV 2021]. MOTA subtracts misses, false alarms and changes
 * of identity from one [Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking
 * Performance: The CLEAR MOT Metrics, EURASIP JIVP 2008]. IDF1 matches whole tracks one to one
 * [Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking,
 * ECCV Workshops 2016].
 *
 * Figures are those of TrackEval: thresholds, what is matched first, how ties are resolved, what a
 * sequence without boxes counts. Threads: sequences are read by any number of readers. */
#ifndef VD_EVAL_TRACK_H
#define VD_EVAL_TRACK_H

#include "base/pool.h"
#include "eval/mot_read.h"

/* What a benchmark counts. MOT15: boxes of the truth that are flagged. The others: flagged
 * pedestrians, after predictions that match a distractor best (a person on a vehicle, a static
 * person, a reflection, ...; in MOT20 other vehicles, too) have been taken out. MOTS: masks of
 * pedestrians; predictions that match none and lie by half in a region to ignore are taken out. */
typedef enum vd_track_benchmark {
    VD_TRACK_MOT15,
    VD_TRACK_MOT16,
    VD_TRACK_MOT17,
    VD_TRACK_MOT20,
    VD_TRACK_MOTS,
    VD_TRACK_BENCHMARKS,
} vd_track_benchmark;

const char *vd_track_benchmark_name(vd_track_benchmark b);
/* By the beginning of a sequence's name, MOT16 MOT17 MOT20 MOTS; any other is one of MOT15. */
vd_track_benchmark vd_track_benchmark_of(const char *sequence);

/* ---- sequences ---- */

enum {
    VD_TRACK_MAX_BOXES = 4096,         /* of a side in one frame */
    VD_TRACK_MAX_PAIRS = 64 * 1048576, /* of overlapping boxes in a sequence */
};

/* Boxes of the two sides that overlap. */
typedef struct vd_track_pair {
    int32_t truth, pred; /* positions within the frame */
    int32_t tracks;      /* which pair of tracks: vd_track_seq's truth_of, pred_of */
    double overlap;      /* intersection over union, above 0 */
} vd_track_pair;

typedef struct vd_track_frame {
    int32_t frame; /* from 1 */
    int32_t n_truth, n_pred;
    int64_t truth, pred;   /* where its boxes begin */
    int64_t pair, n_pairs; /* by truth, then pred */
} vd_track_frame;

/* What is judged of a sequence. A zeroed one is empty and valid. */
typedef struct vd_track_seq {
    int32_t length; /* frames, whether they hold boxes or not */
    vd_track_frame *frame;
    int64_t n_frames, cap_frames;      /* those that hold boxes, ascending */
    int32_t *truth_track, *pred_track; /* of each box */
    int64_t n_truth, cap_truth, n_pred, cap_pred;
    int32_t n_truth_tracks, n_pred_tracks;
    vd_track_pair *pair;
    int64_t n_pairs, cap_pairs;
    int32_t *truth_of, *pred_of; /* [n_track_pairs]: tracks whose boxes overlap somewhere */
    int32_t n_track_pairs;
} vd_track_seq;

void vd_track_seq_reset(vd_track_seq *s);

/* Out of the rows of both sides. `length` is the number of frames, 0: the last that has a row.
 * Names are those of the files, for messages. Fails with VD_E_FORMAT (an id twice in a frame, a
 * frame beyond the length, a class that the benchmark does not know, masks that overlap or differ
 * in size), VD_E_LIMIT, VD_E_NOMEM. */
vd_status vd_track_seq_make(vd_track_seq *out, vd_track_benchmark benchmark, int32_t length,
                            const vd_mot_rows *truth, const char *truth_name,
                            const vd_mot_rows *pred, const char *pred_name, vd_err *err);

/* ---- figures ---- */

enum { VD_TRACK_ALPHAS = 19 };

/* Everything figures are made of; sums over sequences, or over blocks of frames, are added up
 * member by member. Counts are whole numbers. */
typedef struct vd_track_sums {
    double tp[VD_TRACK_ALPHAS];      /* HOTA's matches at each threshold */
    double overlap[VD_TRACK_ALPHAS]; /* their sum of overlaps */
    double agree[VD_TRACK_ALPHAS];   /* their sum of how well their tracks agree, 0 to 1 each */
    double n_truth, n_pred;          /* boxes */
    double clear_tp, clear_overlap, switches, identity_tp;
    double fragments, mostly_tracked, partly_tracked, mostly_lost; /* of a whole sequence only */
    double n_truth_tracks, n_pred_tracks, n_frames;                /* of a whole sequence only */
} vd_track_sums;

void vd_track_sums_add(vd_track_sums *to, const vd_track_sums *s, double times);

/* The sums of a sequence, and of n_blocks blocks of about equally many frames (`blocks` may be
 * NULL). What depends on a whole sequence, which tracks belong together and how well they agree, is
 * found in it and kept for its blocks. Fails with VD_E_LIMIT (tracks that overlap each other:
 * VD_ASSIGN_MAX), VD_E_NOMEM. */
vd_status vd_track_measure(vd_track_sums *out, vd_track_sums *blocks, int64_t n_blocks,
                           const vd_track_seq *s, vd_err *err);

/* By the names of vd_track_figure_name. Shares are 0 to 1. */
enum {
    VD_TRACK_HOTA,
    VD_TRACK_DETA,
    VD_TRACK_ASSA,
    VD_TRACK_LOCA,
    VD_TRACK_MOTA,
    VD_TRACK_MOTP, /* mean overlap, as TrackEval has it */
    VD_TRACK_IDF1,
    VD_TRACK_SHARES, /* up to here: what intervals are for */
    VD_TRACK_FP = VD_TRACK_SHARES,
    VD_TRACK_FN,
    VD_TRACK_IDSW,
    VD_TRACK_FRAG,
    VD_TRACK_MT,
    VD_TRACK_PT,
    VD_TRACK_ML,
    VD_TRACK_IDP,
    VD_TRACK_IDR,
    VD_TRACK_RECALL,
    VD_TRACK_PRECISION,
    VD_TRACK_TRUTH_BOXES,
    VD_TRACK_TRUTH_TRACKS,
    VD_TRACK_PRED_BOXES,
    VD_TRACK_PRED_TRACKS,
    VD_TRACK_FRAMES,
    VD_TRACK_FIGURES,
};
const char *vd_track_figure_name(int figure);
bool vd_track_figure_is_count(int figure);
const char *vd_track_figure_help(int figure);

/* `alone`: one sequence; MOTA is 0, not negative, where its truth is empty. */
void vd_track_figures(double out[VD_TRACK_FIGURES], const vd_track_sums *s, bool alone);

/* ---- how far figures can be trusted ---- */

/* Bootstrap: a replicate draws, from each stratum, as many units as it has, with replacement.
 * unit[i] is the sums of one, unit_b those of other predictions for the same, or NULL; stratum s
 * has units begin[s] .. begin[s + 1] - 1. Replicate r's draws depend on (seed, r) only. Fails with
 * VD_E_NOMEM. */
typedef struct vd_track_interval {
    double low, high;           /* 2.5 % and 97.5 % of replicates */
    double diff_low, diff_high; /* of unit_b less unit */
    double p; /* twice the smaller share of differences on either side of 0, ties on both; not 0 */
} vd_track_interval;

vd_status vd_track_bootstrap(vd_track_interval out[VD_TRACK_SHARES], const vd_track_sums *unit,
                             const vd_track_sums *unit_b, const int64_t *begin, int64_t n_strata,
                             int64_t n_replicates, uint64_t seed, vd_pool *pool, vd_err *err);
#endif
