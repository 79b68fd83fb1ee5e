/* Tracks against a truth: the assignment beside brute force and SciPy, figures that can be worked
 * out by hand, what readers refuse, intervals, failing allocations. That figures equal TrackEval's
 * is tests/track/tracking.py's to show. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "eval/assign.h"
#include "eval/track.h"

/* ---- assignment ---- */

/* Least cost of assigning rows from `i` on, by trying everything. */
static double brute(const double *cost, int rows, int cols, int i, unsigned used, int skips) {
    double best = i == rows ? 0 : INFINITY;
    for (int j = 0; i < rows && j < cols; j++)
        if (!(used >> j & 1))
            best = fmin(best,
                        cost[i * cols + j] + brute(cost, rows, cols, i + 1, used | 1u << j, skips));
    if (i < rows && skips > 0) best = fmin(best, brute(cost, rows, cols, i + 1, used, skips - 1));
    return best;
}

T(assignment_is_the_cheapest) {
    vd_rng r = t_rng(t);
    vd_assign a = { 0 };
    vd_err err = { 0 };
    for (int k = 0; k < 3000; k++) {
        int rows = 1 + (int)vd_rng_int(&r, 6), cols = 1 + (int)vd_rng_int(&r, 6);
        double cost[36], sum = 0;
        int32_t column[6];
        unsigned used = 0;
        for (int i = 0; i < rows * cols; i++)
            cost[i] = k % 2 ? (double)vd_rng_int(&r, 4) - 2 : vd_rng_normal(&r);
        T_OK(vd_assign_solve(&a, column, cost, rows, cols, &err));
        int n = 0;
        for (int i = 0; i < rows; i++) {
            if (column[i] < 0) continue;
            T_TRUE(column[i] < cols && !(used >> column[i] & 1));
            used |= 1u << column[i];
            sum += cost[i * cols + column[i]];
            n++;
        }
        T_EQ(n, VD_MIN(rows, cols));
        T_NEAR(sum, brute(cost, rows, cols, 0, 0, VD_MAX(0, rows - cols)), 1e-12);
    }
    vd_assign_reset(&a);
}

static const struct {
    int rows, cols, levels;
    uint64_t seed;
    int32_t column[64];
} from_scipy[] = {
#include "assign_scipy.inc"
};

T(assignment_takes_what_scipy_takes) {
    static double cost[64 * 64];
    vd_assign a = { 0 };
    vd_err err = { 0 };
    for (int k = 0; k < VD_COUNT(from_scipy); k++) {
        int32_t column[64];
        int rows = from_scipy[k].rows, cols = from_scipy[k].cols;
        uint64_t x = from_scipy[k].seed;
        for (int i = 0; i < rows * cols; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            cost[i] = -(double)((x >> 33) % (uint64_t)from_scipy[k].levels) / 7;
        }
        T_OK(vd_assign_solve(&a, column, cost, rows, cols, &err));
        for (int i = 0; i < rows; i++)
            if (column[i] != from_scipy[k].column[i])
                T_FAIL("%d x %d, seed %d: row %d has column %d, SciPy's %d", rows, cols,
                       (int)from_scipy[k].seed, i, column[i], from_scipy[k].column[i]);
    }
    vd_assign_reset(&a);
}

T(assignment_refuses) {
    vd_assign a = { 0 };
    vd_err err = { 0 };
    int32_t column[2] = { 5, 5 };
    const double bad[] = { 0, 1, (double)NAN, 0 };
    T_EQ(vd_assign_solve(&a, column, bad, 2, 2, &err), VD_E_NUMERIC);
    T_STR(err.msg, "assignment: cost 1, 0 is not finite");
    T_EQ(vd_assign_solve(&a, column, bad, 2, VD_ASSIGN_MAX + 1, NULL), VD_E_LIMIT);
    T_EQ(vd_assign_solve(&a, column, NULL, 2, 0, NULL), VD_OK);
    T_EQ(column[0], -1);
    T_EQ(column[1], -1);
    vd_assign_reset(&a);
}

/* ---- figures ---- */

static vd_status make(vd_track_seq *out, vd_track_benchmark b, int32_t length, const char *truth,
                      const char *pred, vd_err *err) {
    vd_mot_rows t = { 0 }, p = { 0 };
    vd_status st = vd_mot_parse_boxes(&t, VD_MOT_TRUTH, "gt.txt", truth, strlen(truth), err);
    if (st == VD_OK)
        st = vd_mot_parse_boxes(&p, VD_MOT_PREDICTION, "p.txt", pred, strlen(pred), err);
    if (st == VD_OK) st = vd_track_seq_make(out, b, length, &t, "gt.txt", &p, "p.txt", err);
    vd_mot_rows_reset(&t);
    vd_mot_rows_reset(&p);
    return st;
}

static vd_status figures(double v[VD_TRACK_FIGURES], vd_track_benchmark b, const char *truth,
                         const char *pred, vd_err *err) {
    vd_track_seq s = { 0 };
    vd_track_sums sums;
    vd_status st = make(&s, b, 0, truth, pred, err);
    if (st == VD_OK) st = vd_track_measure(&sums, NULL, 0, &s, err);
    if (st == VD_OK) vd_track_figures(v, &sums, true);
    vd_track_seq_reset(&s);
    return st;
}

/* A box that stands still in ten frames. */
static const char *standing(char *text, size_t size, int id_early, int id_late, int width) {
    int at = 0;
    for (int t = 1; t <= 10; t++)
        at += snprintf(text + at, size - (size_t)at, "%d,%d,100,100,%d,80,1,1,1\n", t,
                       t <= 5 ? id_early : id_late, width);
    return text;
}

T(perfect_tracks) {
    char truth[1024];
    double v[VD_TRACK_FIGURES];
    vd_err err = { 0 };
    standing(truth, sizeof truth, 1, 1, 40);
    T_OK(figures(v, VD_TRACK_MOT17, truth, truth, &err));
    for (int f = 0; f < VD_TRACK_SHARES; f++) T_NEAR(v[f], 1, 1e-15);
    T_EQ(v[VD_TRACK_MT], 1);
    T_EQ(v[VD_TRACK_FRAMES], 10);
    T_EQ(v[VD_TRACK_FP] + v[VD_TRACK_FN] + v[VD_TRACK_IDSW] + v[VD_TRACK_FRAG], 0);
}

/* The name changes half way: each match's tracks have 5 boxes in common of 10. */
T(one_change_of_identity) {
    char truth[1024], pred[1024];
    double v[VD_TRACK_FIGURES];
    vd_err err = { 0 };
    T_OK(figures(v, VD_TRACK_MOT15, standing(truth, sizeof truth, 1, 1, 40),
                 standing(pred, sizeof pred, 3, 4, 40), &err));
    T_NEAR(v[VD_TRACK_ASSA], 0.5, 1e-15);
    T_NEAR(v[VD_TRACK_HOTA], sqrt(0.5), 1e-15);
    T_NEAR(v[VD_TRACK_MOTA], 0.9, 1e-15);
    T_NEAR(v[VD_TRACK_IDF1], 0.5, 1e-15);
    T_EQ(v[VD_TRACK_IDSW], 1);
    T_EQ(v[VD_TRACK_FRAG], 0);
}

/* Boxes of 40 beside boxes of 50: an overlap of 0.8 reaches 16 of the 19 thresholds. */
T(thresholds_of_overlap) {
    char truth[1024], pred[1024];
    double v[VD_TRACK_FIGURES];
    vd_err err = { 0 };
    T_OK(figures(v, VD_TRACK_MOT15, standing(truth, sizeof truth, 1, 1, 40),
                 standing(pred, sizeof pred, 2, 2, 50), &err));
    T_NEAR(v[VD_TRACK_HOTA], 16. / 19, 1e-15);
    T_NEAR(v[VD_TRACK_MOTP], 0.8, 1e-15);
    T_NEAR(v[VD_TRACK_LOCA], (16 * 0.8 + 3) / 19, 1e-15); /* of nothing LocA is 1 */
    T_EQ(v[VD_TRACK_MOTA], 1);
}

T(flags_and_distractors) {
    static const char truth[] = "1,1,0,0,10,20,1,1,1\n"    /* a pedestrian */
                                "1,2,100,0,10,20,0,1,1\n"  /* one that does not count */
                                "1,3,200,0,10,20,1,8,1\n"  /* a distractor */
                                "1,4,300,0,10,20,1,6,1\n"; /* a bicycle without motor */
    static const char pred[] = "1,1,0,0,10,20,1\n1,2,100,0,10,20,1\n1,3,200,0,10,20,1\n"
                               "1,4,300,0,10,20,1\n";
    static const struct {
        vd_track_benchmark b;
        int truths, fp;
    } want[] = { { VD_TRACK_MOT15, 3, 1 }, /* all but the one that is flagged 0 */
                 { VD_TRACK_MOT16, 1, 2 },
                 { VD_TRACK_MOT17, 1, 2 },
                 { VD_TRACK_MOT20, 1, 1 } };
    for (int i = 0; i < VD_COUNT(want); i++) {
        double v[VD_TRACK_FIGURES];
        vd_err err = { 0 };
        T_OK(figures(v, want[i].b, truth, pred, &err));
        T_EQ(v[VD_TRACK_TRUTH_BOXES], want[i].truths);
        T_EQ(v[VD_TRACK_FP], want[i].fp);
        T_EQ(v[VD_TRACK_FN], 0);
    }
}

T(names_of_benchmarks) {
    T_EQ(vd_track_benchmark_of("MOT17-02-FRCNN"), VD_TRACK_MOT17);
    T_EQ(vd_track_benchmark_of("mot20-01"), VD_TRACK_MOT20);
    T_EQ(vd_track_benchmark_of("MOTS20-02"), VD_TRACK_MOTS);
    T_EQ(vd_track_benchmark_of("TUD-Campus"), VD_TRACK_MOT15);
    for (int b = 0; b < VD_TRACK_BENCHMARKS; b++)
        T_EQ(vd_track_benchmark_of(vd_track_benchmark_name((vd_track_benchmark)b)), b);
}

/* ---- what is refused ---- */

T(refused_files) {
    static const char good[] = "1,1,0,0,9,9,1,1\n";
    static const struct {
        const char *truth, *pred, *message;
    } bad[] = {
        { "1,1,0,0,9\n", good, "gt.txt:1: 5 columns, of 8 at least; 'height' is missing" },
        { "1\n", good, "gt.txt:1: 1 columns, of 8 at least; 'id' is missing" },
        { good, "\n\n1,1,0,0,9,\n", "p.txt:3: 5 columns, of 6 at least; 'height' is missing" },
        { "1,1,0,0,nine,9,1,1\n", good, "gt.txt:1: column 5 (width): 'nine' is no number" },
        { "1,1,0,0,nan,9,1,1\n", good, "gt.txt:1: column 5 (width): 'nan' is no number" },
        { "1,1,0,0,1e999,9,1,1\n", good, "gt.txt:1: column 5 (width): '1e999' is out of range" },
        { "1,1,0,0,1e10,9,1,1\n", good, "gt.txt:1: column 5 (width): '1e10' is beyond 1e9" },
        { "1,1,,0,9,9,1,1\n", good, "gt.txt:1: column 3 (left): '' is no number" },
        { "0,1,0,0,9,9,1,1\n", good,
          "gt.txt:1: column 1 (frame): 0 is not between 1 and 10000000" },
        { "99999999,1,0,0,9,9,1,1\n", good,
          "gt.txt:1: column 1 (frame): 99999999 is not between 1 and 10000000" },
        { "1.5,1,0,0,9,9,1,1\n", good, "gt.txt:1: column 1 (frame): '1.5' is no whole number" },
        { "1,-1,0,0,9,9,1,1\n", good, "gt.txt:1: column 2 (id): '-1' is too small" },
        { "1,1,0,0,9,9,1,14\n", good, "gt.txt:1: class 14 is none of MOT17's 1 to 13" },
        { good, "1,1,0,0,9,9,1,3\n", "p.txt:1: class 3; only pedestrians (1) are judged" },
        { good, "1,5,0,0,9,9\n2,5,1,1,9,9\n1,5,3,3,9,9\n",
          "p.txt:3: frame 1 has id 5 twice, first in line 1" },
        { good, "1,5,0,0,9,9,1,-2\n1,5,1,1,9,9,1,-2\n",
          "p.txt:2: frame 1 has id 5 twice, first in line 1" },
        { good, "1,5,0,0,9,9\n21,5,0,0,9,9\n", "p.txt:2: frame 21 is beyond the sequence's 20" },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_track_seq s = { 0 };
        vd_err err = { 0 };
        T_TRUE(make(&s, VD_TRACK_MOT17, 20, bad[i].truth, bad[i].pred, &err) != VD_OK);
        T_STR(err.msg, bad[i].message);
        vd_track_seq_reset(&s);
    }
}

T(spellings_of_numbers) {
    static const char text[] = " 007 1. +2.5 -.5\t1e1, 3 ,0.9 ,1.0 , \r\n\n2;";
    vd_mot_rows r = { 0 };
    vd_err err = { 0 };
    T_OK(vd_mot_parse_boxes(&r, VD_MOT_TRUTH, "f", text, sizeof text - 4, &err));
    T_EQ(r.n, 1);
    T_EQ(r.row[0].frame, 7);
    T_EQ(r.row[0].id, 1);
    T_TRUE(r.row[0].box[0] == 2.5 && r.row[0].box[1] == -0.5 && r.row[0].box[2] == 10 &&
           r.row[0].box[3] == 3);
    T_TRUE(!r.row[0].counts); /* 0.9 is cut to 0, as TrackEval does */
    T_EQ(r.row[0].cls, 1);
    vd_mot_rows_reset(&r);
    T_EQ(vd_mot_parse_boxes(&r, VD_MOT_TRUTH, "f", text, sizeof text - 1, &err), VD_E_FORMAT);
    T_STR(err.msg, "f:3: column 1 (frame): '2;' is no number");
}

T(info_of_a_sequence) {
    int32_t n = 0;
    vd_err err = { 0 };
    T_OK(vd_mot_parse_info(&n, "i", "[Sequence]\r\nname=x\r\n seqlength = 30 \r\nend=1", &err));
    T_EQ(n, 30);
    T_EQ(vd_mot_parse_info(&n, "i", "[Sequence]\nseqLength=many\n", &err), VD_E_FORMAT);
    T_STR(err.msg, "i:2: seqLength 'many' is no number from 1 to 10000000");
    T_EQ(vd_mot_parse_info(&n, "i", "seqLengths=3", NULL), VD_E_FORMAT);
    T_EQ(n, 30);
}

T(too_many_boxes_in_a_frame) {
    vd_str s = { 0 };
    vd_track_seq seq = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i <= VD_TRACK_MAX_BOXES; i++) vd_str_addf(&s, "3,%d,0,0,9,9,1,1\n", i);
    T_EQ(make(&seq, VD_TRACK_MOT15, 0, "1,1,0,0,9,9,1,1\n", vd_str_text(&s), &err), VD_E_LIMIT);
    T_STR(err.msg, "p.txt: frame 3 has 4097 boxes, more than the limit of 4096");
    vd_str_reset(&s);
}

/* ---- intervals ---- */

/* Walks of n objects over some frames; predictions are off by a little, some missing. */
static void walks(vd_rng *r, int n, int frames, double miss, vd_str *truth, vd_str *pred) {
    for (int t = 1; t <= frames; t++)
        for (int i = 0; i < n; i++) {
            double x = 60 * i + 2 * t;
            vd_str_addf(truth, "%d,%d,%g,0,30,60,1,1\n", t, i + 1, x);
            if (vd_rng_f64(r) >= miss)
                vd_str_addf(pred, "%d,%d,%g,%g,30,60\n", t, i + 1 + 100 * (t > 9 * i),
                            x + vd_rng_range(r, -4, 4), vd_rng_range(r, -4, 4));
        }
}

enum { UNITS = 12 };

static vd_status some_units(vd_track_sums unit[UNITS], vd_track_sums *whole, vd_rng *r, double miss,
                            vd_err *err) {
    vd_str truth = { 0 }, pred = { 0 };
    vd_track_seq s = { 0 };
    walks(r, 8, 120, miss, &truth, &pred);
    vd_status st = make(&s, VD_TRACK_MOT15, 0, vd_str_text(&truth), vd_str_text(&pred), err);
    if (st == VD_OK) st = vd_track_measure(whole, unit, UNITS, &s, err);
    vd_track_seq_reset(&s);
    vd_str_reset(&truth);
    vd_str_reset(&pred);
    return st;
}

T(intervals) {
    vd_rng r = t_rng(t);
    vd_track_sums a[UNITS], b[UNITS], whole, whole_b, sum = { 0 };
    vd_track_interval one[VD_TRACK_SHARES], two[VD_TRACK_SHARES];
    const int64_t begin[] = { 0, UNITS };
    double v[VD_TRACK_FIGURES], from_blocks[VD_TRACK_FIGURES];
    vd_pool *pool = NULL;
    vd_err err = { 0 };
    T_OK(some_units(a, &whole, &r, 0.3, &err));
    T_OK(some_units(b, &whole_b, &r, 0.1, &err));
    vd_track_figures(v, &whole, false);
    for (int i = 0; i < UNITS; i++) vd_track_sums_add(&sum, &a[i], 1);
    vd_track_figures(from_blocks, &sum, false);
    for (int f = 0; f < VD_TRACK_SHARES; f++) T_NEAR(from_blocks[f], v[f], 1e-12);
    T_OK(vd_track_bootstrap(one, a, b, begin, 1, 500, 7, NULL, &err));
    T_OK(vd_pool_new(&pool, 3, &err));
    T_OK(vd_track_bootstrap(two, a, b, begin, 1, 500, 7, pool, &err));
    vd_pool_free(pool);
    T_TRUE(memcmp(one, two, sizeof one) == 0);
    for (int f = 0; f < VD_TRACK_SHARES; f++) T_TRUE(one[f].low < v[f] && v[f] < one[f].high);
    /* a fifth fewer boxes are found */
    T_TRUE(one[VD_TRACK_MOTA].diff_low > 0.1 && one[VD_TRACK_MOTA].diff_high < 0.3);
    T_LT(one[VD_TRACK_MOTA].p, 0.01);
    T_OK(vd_track_bootstrap(two, a, a, begin, 1, 100, 7, NULL, &err));
    T_TRUE(two[0].diff_low == 0 && two[0].diff_high == 0 && two[0].p == 1);
}

/* The width of an interval is what theory says: MOTA without changes of identity is a mean over
 * frames, so 95 % of replicates are within 1.96 standard errors of it. */
T(width_of_intervals) {
    enum { N = 400 };
    static vd_track_sums unit[N];
    vd_rng r = t_rng(t);
    vd_track_interval out[VD_TRACK_SHARES];
    const int64_t begin[] = { 0, N };
    double p = 0, mean = 0;
    vd_err err = { 0 };
    for (int i = 0; i < N; i++) {
        bool hit = vd_rng_f64(&r) < 0.7;
        unit[i] = (vd_track_sums){ .n_truth = 1, .n_pred = hit, .clear_tp = hit };
        mean += (double)hit / N;
    }
    T_OK(vd_track_bootstrap(out, unit, NULL, begin, 1, 4000, 1, NULL, &err));
    p = 1.96 * sqrt(mean * (1 - mean) / N);
    T_NEAR(out[VD_TRACK_MOTA].high - mean, p, 0.1 * p);
    T_NEAR(mean - out[VD_TRACK_MOTA].low, p, 0.1 * p);
}

/* ---- memory ---- */

static vd_status everything(const char *truth, const char *pred) {
    const int64_t begin[] = { 0, 4 };
    vd_track_sums whole, unit[4];
    vd_track_interval out[VD_TRACK_SHARES];
    vd_track_seq s = { 0 };
    vd_status st = make(&s, VD_TRACK_MOT17, 0, truth, pred, NULL);
    if (st == VD_OK) st = vd_track_measure(&whole, unit, 4, &s, NULL);
    if (st == VD_OK) st = vd_track_bootstrap(out, unit, NULL, begin, 1, 10, 0, NULL, NULL);
    vd_track_seq_reset(&s);
    return st;
}

T(every_refused_allocation) {
    static const char truth[] = "2,1,0,0,9,9,1,1\n1,1,0,0,9,9,1,1\n1,2,20,0,9,9,1,8\n";
    static const char pred[] = "1,4,1,0,9,9\n1,5,20,0,9,9\n2,4,0,0,9,9\n";
    int64_t n = 0;
    for (bool hit = true; hit; n++) {
        int64_t before = vd_mem_live();
        vd_mem_fail_at(n, false);
        vd_status st = everything(truth, pred);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(vd_mem_live(), before);
    }
    T_TRUE(n > 20);
}
