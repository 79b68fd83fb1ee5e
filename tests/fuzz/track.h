/* One fuzz target for each reader of tracks, and through it everything that is found out of them.
 * Compiled with libFuzzer (track_fuzz.c), and by tests/unit/eval_track_fuzz.c, which replays a
 * corpus. An input is a truth, a line "=", and predictions. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_TRACK_H
#define VD_TESTS_FUZZ_TRACK_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/track.h"

static inline void fuzz_must(bool ok) {
    if (!ok) abort();
}

/* A copy of its own, so that a step beyond the end is seen; a NUL follows. */
static inline char *fuzz_copy(const void *d, size_t n) {
    char *text = malloc(n + 1);
    fuzz_must(text != NULL);
    memcpy(text, d, n);
    text[n] = '\0';
    return text;
}

static inline vd_status fuzz_rows(vd_mot_rows *out, bool masks, vd_mot_side side, const void *d,
                                  size_t n, vd_err *err) {
    char *text = fuzz_copy(d, n);
    vd_status st = masks ? vd_mot_parse_masks(out, "fuzz", text, n, err)
                         : vd_mot_parse_boxes(out, side, "fuzz", text, n, err);
    free(text);
    for (int64_t i = 1; i < out->n; i++)
        fuzz_must(out->row[i - 1].frame < out->row[i].frame ||
                  (out->row[i - 1].frame == out->row[i].frame &&
                   out->row[i - 1].line < out->row[i].line));
    return st;
}

/* Shares are 0 to 1 (MOTA at most 1), counts whole and not negative, blocks add up to the whole. */
static inline void fuzz_figures(const vd_track_seq *s) {
    enum { BLOCKS = 3 };
    vd_track_sums whole, block[BLOCKS], sum = { 0 };
    double v[VD_TRACK_FIGURES];
    if (vd_track_measure(&whole, block, BLOCKS, s, NULL) != VD_OK) return;
    for (int i = 0; i < BLOCKS; i++) vd_track_sums_add(&sum, &block[i], 1);
    fuzz_must(sum.clear_tp == whole.clear_tp && sum.switches == whole.switches);
    fuzz_must(sum.identity_tp == whole.identity_tp && sum.tp[0] == whole.tp[0]);
    fuzz_must(sum.n_truth == whole.n_truth && sum.n_pred == whole.n_pred);
    fuzz_must(fabs(sum.agree[9] - whole.agree[9]) <= 1e-9 * (1 + whole.agree[9]));
    vd_track_figures(v, &whole, true);
    for (int f = 0; f < VD_TRACK_FIGURES; f++) {
        fuzz_must(isfinite(v[f]) && (f == VD_TRACK_MOTA || v[f] >= 0));
        fuzz_must(vd_track_figure_is_count(f) ? v[f] == floor(v[f]) : v[f] <= 1 + 1e-12);
    }
}

static inline void fuzz_tracks(const uint8_t *d, size_t n, bool masks) {
    const uint8_t *cut = memmem(d, n, "=\n", 2);
    size_t n_truth = cut != NULL ? (size_t)(cut - d) : n, skip = cut != NULL ? n_truth + 2 : n;
    vd_mot_rows truth = { 0 }, pred = { 0 };
    vd_err err = { 0 };
    vd_status st = fuzz_rows(&truth, masks, VD_MOT_TRUTH, d, n_truth, &err);
    if (st == VD_OK) st = fuzz_rows(&pred, masks, VD_MOT_PREDICTION, d + skip, n - skip, &err);
    fuzz_must((st == VD_OK) == (err.msg[0] == '\0'));
    for (int b = 0; b < VD_TRACK_BENCHMARKS && st == VD_OK; b++) {
        vd_track_seq s = { 0 };
        if ((b == VD_TRACK_MOTS) != masks) continue;
        if (vd_track_seq_make(&s, (vd_track_benchmark)b, 0, &truth, "truth", &pred, "pred", NULL) ==
            VD_OK)
            fuzz_figures(&s);
        vd_track_seq_reset(&s);
    }
    vd_mot_rows_reset(&truth);
    vd_mot_rows_reset(&pred);
}

static inline void fuzz_track_boxes(const uint8_t *d, size_t n) {
    fuzz_tracks(d, n, false);
}
static inline void fuzz_track_masks(const uint8_t *d, size_t n) {
    fuzz_tracks(d, n, true);
}

static inline void fuzz_track_info(const uint8_t *d, size_t n) {
    int32_t length = 0;
    vd_err err = { 0 };
    char *text = fuzz_copy(d, n);
    vd_status st = vd_mot_parse_info(&length, "fuzz", text, &err);
    fuzz_must(st == VD_OK ? length >= 1 && length <= VD_MOT_MAX_FRAME : err.msg[0] != '\0');
    free(text);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_track[] = { { "track_boxes", fuzz_track_boxes },
                   { "track_masks", fuzz_track_masks },
                   { "track_info", fuzz_track_info } };

#endif
