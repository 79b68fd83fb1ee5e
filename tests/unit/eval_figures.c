/* Classes and segments: figures that can be worked out by hand, and files that are none. The
 * definitions in NumPy stand beside them in tests/coco/figures.py. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "t.h"

#include "base/mem.h"
#include "eval/classify.h"
#include "eval/panoptic.h"
#include "eval/segment.h"
#include "eval/sum.h"
#include "unit/tmpdir.h"

enum { ACCURACY, TOP_K, BALANCED, PRECISION, RECALL, F1, ECE };

T(four_items_of_three_classes) {
    /* guessed: right at 0.9, wrong at 0.6 (second), right at 0.5, none */
    vd_class_item item[] = {
        { 0, 0, 0, 0.9 }, { 1, 0, 1, 0.6 }, { 2, 2, 0, 0.5 }, { 2, -1, -1, (double)NAN }
    };
    vd_class_items c = { .item = item, .n = 4, .n_classes = 3 };
    const vd_class_opt opt = { 2, 10 };
    vd_class_tally tally[3];
    double v[VD_CLASS_NUMBERS];
    int64_t confusion[9];
    vd_class_score(v, tally, &c, &opt);
    T_NEAR(v[ACCURACY], 0.5, 0);
    T_NEAR(v[TOP_K], 0.75, 0);
    T_NEAR(v[BALANCED], (1 + 0 + 0.5) / 3, 1e-15);
    T_NEAR(v[PRECISION], (0.5 + 0 + 1) / 3, 1e-15);
    T_NEAR(v[F1], (2.0 / 3 + 0 + 2.0 / 3) / 3, 1e-15);
    T_NEAR(v[ECE], (0.1 + 0.6 + 0.5) / 3, 1e-15);
    vd_class_confusion(confusion, &c);
    T_EQ(confusion[0], 1);
    T_EQ(confusion[3], 1);
    T_EQ(confusion[8], 1);
    T_EQ(tally[2].support, 2);
    c.n = 0;
    vd_class_score(v, tally, &c, &opt);
    T_TRUE(isnan(v[ACCURACY]) && isnan(v[BALANCED]) && isnan(v[ECE]));
}

static void refused(t_case *t, const t_dir *d, const char *truth, const char *pred,
                    const char *words) {
    vd_class_items c = { 0 };
    vd_err err = { 0 };
    int64_t before = vd_mem_live();
    t_dir_put(d, "t.csv", truth, strlen(truth));
    t_dir_put(d, "p.csv", pred, strlen(pred));
    vd_status st = vd_class_read(&c, t_dir_at(d, "t.csv"), t_dir_at(d, "p.csv"), &err);
    if (st != VD_E_FORMAT || strstr(err.msg, words) == NULL)
        T_FAIL("status %d, '%s'; expected '%s'", st, err.msg, words);
    T_EQ(vd_mem_live(), before);
}

T(class_files_that_are_none_are_refused) {
    t_dir d = t_dir_new();
    const char *ok = "file,label\na,x\n";
    refused(t, &d, "", ok, "no header");
    refused(t, &d, "file,class\na,x\n", ok, "column \"label\"");
    refused(t, &d, "file,label\na,x,y\n", ok, ":2: 3 fields, the header has 2");
    refused(t, &d, "file,label\n\"a,x\n", ok, ":2: a quote that is not closed");
    refused(t, &d, ok, "file,label\na,x\na,y\n", "item 'a' occurs twice");
    refused(t, &d, ok, "file,x,y\na,0.5,high\n", ":2: 'high' is no score");
    refused(t, &d, ok, "file,x,y\na,0.5,nan\n", ":2: 'nan' is no score");
    t_dir_free(&d);
}

/* ---- maps ---- */

T(semantic_figures_of_a_small_map) {
    /* a column of 5 was guessed one pixel too wide; the last column is ignored */
    int32_t truth[4 * 6] = { 5, 5, 0, 0, 0, 255, 5, 5, 0, 0, 0, 255,
                             5, 5, 0, 0, 0, 255, 5, 5, 0, 0, 0, 255 };
    int32_t pred[4 * 6] = {
        5, 5, 5, 0, 0, 0, 5, 5, 5, 0, 0, 5, 5, 5, 5, 0, 0, 0, 5, 5, 5, 0, 0, 7
    };
    const vd_segment_map a = { 6, 4, truth }, b = { 6, 4, pred };
    const int32_t ignore[] = { 255 };
    const vd_semantic_opt opt = { ignore, 1, 0.02 };
    vd_segment_rows rows = { 0 }, totals = { 0 };
    vd_err err = { 0 };
    double v[VD_SEMANTIC_NUMBERS];
    T_OK(vd_semantic_add(&rows, 0, "map", &a, &b, &opt, &err));
    T_OK(vd_segment_totals(&totals, &rows, NULL, &err));
    vd_semantic_score(v, &totals);
    T_EQ(totals.n, 2);
    T_NEAR(v[0], (8.0 / 12 + 8.0 / 12) / 2, 1e-15); /* mIoU */
    T_NEAR(v[1], 16.0 / 20, 1e-15);                 /* pixels */
    T_NEAR(v[2], (1 + 8.0 / 12) / 2, 1e-15);        /* mean accuracy */
    /* Boundaries are one pixel wide. Class 5: all 8 of the truth; 10 of the guess, all but 2
     * inside; 6 common. Class 0: 10 of the truth, all but 2 inside; 8 of the guess; 6 common. */
    T_NEAR(v[4], (6.0 / (8 + 10 - 6) + 6.0 / (10 + 8 - 6)) / 2, 1e-15);
    vd_segment_rows_reset(&rows);
    vd_segment_rows_reset(&totals);
}

T(panoptic_figures_of_a_small_map) {
    enum { W = 10, H = 2 };
    int32_t truth[W * H], pred[W * H];
    for (int i = 0; i < W * H; i++) {
        int x = i % W;
        truth[i] = x < 4 ? 1 : x < 8 ? 2 : 0;   /* two segments, then nothing */
        pred[i] = x < 3 ? 11 : x < 6 ? 12 : 13; /* 13: half within nothing */
    }
    const vd_segment_map a = { W, H, truth }, b = { W, H, pred };
    const vd_panoptic_segment ts[] = { { 1, 100, 8, false }, { 2, 100, 8, false } };
    const vd_panoptic_segment ps[] = { { 11, 100, -1, false },
                                       { 12, 100, -1, false },
                                       { 13, 100, -1, false } };
    const bool thing[] = { true };
    vd_segment_rows rows = { 0 }, totals = { 0 };
    vd_err err = { 0 };
    double v[VD_PANOPTIC_NUMBERS];
    T_OK(vd_panoptic_add(&rows, 0, "map", &a, ts, 2, &b, ps, 3, &err));
    T_OK(vd_segment_totals(&totals, &rows, NULL, &err));
    vd_panoptic_score(v, &totals, thing);
    /* 11 finds 1 (6 of 8). 12 overlaps 2 by 4 of 10; 13 by 4 of 8, nothing excused: not more than
     * half. 13 lies half in nothing, which is not more than half: a false alarm. */
    T_EQ(totals.row[0].v[1], 1);
    T_EQ(totals.row[0].v[2], 2);
    T_EQ(totals.row[0].v[3], 1);
    T_NEAR(v[0], 0.75 / (1 + 1 + 0.5), 1e-15);
    T_NEAR(v[1], 0.75, 1e-15);
    T_NEAR(v[3], v[0], 0);
    T_NEAR(v[6], 0, 0);
    vd_segment_rows_reset(&rows);
    vd_segment_rows_reset(&totals);
}

T(panoptic_errors_name_the_picture) {
    int32_t one[4] = { 1, 1, 1, 1 }, other[4] = { 1, 1, 2, 2 };
    const vd_segment_map a = { 2, 2, one }, b = { 2, 2, other }, c = { 4, 1, one };
    const vd_panoptic_segment s[] = { { 1, 1, -1, false }, { 3, 1, -1, false } };
    vd_segment_rows rows = { 0 };
    vd_err err = { 0 };
    T_EQ(vd_panoptic_add(&rows, 0, "p.png", &a, s, 1, &b, s, 1, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "p.png: the prediction has pixels of 2") != NULL);
    err = (vd_err){ 0 };
    T_EQ(vd_panoptic_add(&rows, 0, "p.png", &a, s, 1, &a, s, 2, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "segment 3 has no pixels") != NULL);
    err = (vd_err){ 0 };
    T_EQ(vd_panoptic_add(&rows, 0, "p.png", &a, s, 1, &c, s, 1, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "2 x 2 pixels, the prediction 4 x 1") != NULL);
    vd_segment_rows_reset(&rows);
}

/* Doubles of which the order of additions shows: what NumPy 2.4.6 gave for sum(1 / k). */
T(sums_are_added_in_numpys_order) {
    static double v[100000];
    for (int i = 0; i < 100000; i++) v[i] = 1.0 / (i + 1);
    T_TRUE(vd_sum_pairwise(v, 7) == 0x1.4be2be2be2be2p+1);
    T_TRUE(vd_sum_pairwise(v, 100) == 0x1.4bfdfe4591243p+2);
    T_TRUE(vd_sum_pairwise(v, 1000) == 0x1.df11f45f4e61ap+2);
    T_TRUE(vd_sum_pairwise(v, 100000) == 0x1.82e27a22f3fb2p+3);
}
