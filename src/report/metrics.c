/* Distributions of metrics and scores.
 *
 * Percentiles come from a sketch with logarithmic buckets (Masson, Rim and Lee, "DDSketch", 2019):
 * value v falls into bucket ceil(log(v) / log(gamma)), so that every percentile is right to a
 * relative error of (gamma - 1) / (gamma + 1), whatever the range, with memory that is fixed
 * beforehand. The display range is taken from them, and a second pass counts exactly in 40 bins.
 *
 * Threshold lines: problems judge scores, scores are functions of metrics. For each metric the
 * score of an otherwise perfect picture is followed over the metric's range; where it crosses a
 * threshold, a line is drawn.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/metrics.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "measure/score.h"
#include "stage/problems.h"
#include "stage/stages.h"

enum { BINS = 40, BUCKETS = 10400, MAX_LINES = 4 };
static const double GAMMA = 1.004;   /* percentiles to 0.2 % */
static const double SMALLEST = 1e-9; /* below, a value counts as 0 */
static const double LOG_ABOVE =
    60; /* ratio of the ends of a range from which the scale is logarithmic, */
static const double LOG_BEYOND = 256; /* for quantities beyond grey levels and fractions */
static const int64_t FEW = 1000;      /* up to so many pictures the whole range is shown */
static const double TAIL = 0.001;     /* part of the pictures beyond each end of the range */

typedef struct line {
    const char *kind;
    double value;
    bool below;  /* findings lie below it */
    bool partly; /* further conditions must hold for a finding */
} line;

typedef struct metric {
    const char *name, *unit, *help, *sql;
    int64_t n, zeros, *up, *down; /* the sketch: positive and negative values */
    double min, max, p5, median, p95;
    double lo, hi;
    bool is_log;
    int64_t bins[BINS];
    line lines[MAX_LINES];
    int n_lines;
} metric;

typedef struct score {
    const char *kind, *column;
    int64_t bins[VD_REPORT_SCORE_BINS];
} score;

struct vd_distributions {
    metric *metrics;
    score *scores;
    int n_metrics, n_scores;
    int64_t *buckets;
};

/* ---- which columns ---- */

static const char SCORE_PREFIX[] = "score_";

static bool is_metric(const vd_column *c) {
    return (c->type == VD_REAL || c->type == VD_INT) && !vd_str_starts(c->name, SCORE_PREFIX) &&
           strcmp(c->name, "greyscale") != 0;
}

static void add_metric(vd_distributions *d, const char *name, const char *unit, const char *help,
                       const char *sql) {
    d->metrics[d->n_metrics++] = (metric){
        .name = name, .unit = unit, .help = help, .sql = sql, .min = INFINITY, .max = -INFINITY
    };
}

static const char *kind_of_column(const char *column) {
    for (int i = 0; i < vd_n_problem_kinds; i++)
        if (strcmp(vd_problem_kinds[i].key, column + sizeof SCORE_PREFIX - 1) == 0)
            return vd_problem_kinds[i].key;
    return NULL;
}

static vd_status gather(vd_distributions *d, vd_err *err) {
    const vd_table_decl *t = &vd_table_measure;
    const int most = t->n_columns + 8;
    d->metrics = vd_mem_array((size_t)most, sizeof *d->metrics);
    d->scores = vd_mem_array((size_t)most, sizeof *d->scores);
    d->buckets = vd_mem_array((size_t)most * 2 * BUCKETS, sizeof *d->buckets);
    if (d->metrics == NULL || d->scores == NULL || d->buckets == NULL) return vd_nomem(err);
    for (int i = 0; i < t->n_columns; i++) {
        const vd_column *c = &t->columns[i];
        if (is_metric(c))
            add_metric(d, c->name, c->unit, c->help, NULL);
        else if (vd_str_starts(c->name, SCORE_PREFIX) && kind_of_column(c->name) != NULL)
            d->scores[d->n_scores++] =
                (score){ .kind = kind_of_column(c->name), .column = c->name };
    }
    add_metric(d, "pdq_quality", "", "structure that the perceptual hash can hold on to",
               "f.pdq_quality");
    add_metric(d, "jpeg_quality", "", "from the quantisation tables, 1..100", "c.jpeg_quality");
    add_metric(d, "megapixels", "MP", "size of the decoded picture", "c.width * c.height / 1e6");
    add_metric(d, "file_size", "kB", "bytes of the file or member, in thousands", "a.size / 1e3");
    for (int i = 0; i < d->n_metrics; i++) {
        d->metrics[i].up = d->buckets + (ptrdiff_t)i * 2 * BUCKETS;
        d->metrics[i].down = d->metrics[i].up + BUCKETS;
    }
    return VD_OK;
}

void vd_distributions_columns(const vd_distributions *d, bool scores, vd_str *sql) {
    for (int i = 0; i < d->n_metrics; i++) {
        const metric *m = &d->metrics[i];
        vd_str_addf(sql, ", %s%s", m->sql != NULL ? "" : "m.", m->sql != NULL ? m->sql : m->name);
    }
    for (int i = 0; scores && i < d->n_scores; i++) vd_str_addf(sql, ", m.%s", d->scores[i].column);
}

/* ---- first pass: the sketch ---- */

static int bucket_of(double v) {
    int i = (int)ceil(log(v / SMALLEST) / log(GAMMA));
    return VD_CLAMP(i, 0, BUCKETS - 1);
}

/* The value that stands for a bucket, in the middle of its relative error. */
static double value_of(int i) {
    return SMALLEST * pow(GAMMA, i) * 2 / (1 + GAMMA);
}

static void sketch(metric *m, double v) {
    if (!isfinite(v)) return;
    m->n++;
    m->min = VD_MIN(m->min, v);
    m->max = VD_MAX(m->max, v);
    if (fabs(v) < SMALLEST)
        m->zeros++;
    else if (v > 0)
        m->up[bucket_of(v)]++;
    else
        m->down[bucket_of(-v)]++;
}

static double percentile(const metric *m, double q) {
    int64_t rank = (int64_t)(q * (double)(m->n - 1)), seen = 0;
    double v = m->max;
    for (int i = BUCKETS - 1; i >= 0; i--)
        if ((seen += m->down[i]) > rank) {
            v = -value_of(i);
            goto done;
        }
    if ((seen += m->zeros) > rank) {
        v = 0;
        goto done;
    }
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += m->up[i]) > rank) {
            v = value_of(i);
            break;
        }
done:
    return VD_CLAMP(v, m->min, m->max);
}

static void choose_range(metric *m) {
    if (m->n == 0) return;
    m->p5 = percentile(m, 0.05);
    m->median = percentile(m, 0.5);
    m->p95 = percentile(m, 0.95);
    m->lo = m->n > FEW ? percentile(m, TAIL) : m->min;
    m->hi = m->n > FEW ? percentile(m, 1 - TAIL) : m->max;
    m->is_log = m->lo > 0 && m->hi / m->lo > LOG_ABOVE && m->hi > LOG_BEYOND;
    for (int i = 0; i < m->n_lines; i++) { /* thresholds that lie near are taken in */
        double v = m->lines[i].value, span = m->hi - m->lo;
        if (m->is_log ? v > m->lo / 20 && v < m->lo : v > m->lo - span && v < m->lo)
            m->lo = m->is_log ? v / 1.5 : v - 0.06 * span;
        if (m->is_log ? v < m->hi * 20 && v > m->hi : v < m->hi + span && v > m->hi)
            m->hi = m->is_log ? v * 1.5 : v + 0.06 * span;
    }
    if (!m->is_log && m->min >= 0 && m->lo < 0.35 * m->hi) m->lo = 0;
    if (!(m->hi - m->lo > 1e-6 * (fabs(m->hi) + fabs(m->lo)))) { /* all the same */
        double half = m->hi != 0 ? 0.05 * fabs(m->hi) : 0.5;
        m->lo -= half;
        m->hi += half;
    }
}

/* ---- second pass ---- */

static void count(metric *m, double v) {
    if (!isfinite(v)) return;
    double at = m->is_log ? log(VD_MAX(v, m->lo) / m->lo) / log(m->hi / m->lo)
                          : (v - m->lo) / (m->hi - m->lo);
    m->bins[(int)VD_CLAMP(at * BINS, 0.0, BINS - 1.0)]++;
}

static void count_score(score *s, double v) {
    if (isfinite(v))
        s->bins[(int)VD_CLAMP(v * (VD_REPORT_SCORE_BINS - 1), 0.0, VD_REPORT_SCORE_BINS - 1.0)]++;
}

int vd_distributions_metrics(const vd_distributions *d) {
    return d->n_metrics;
}

int vd_distributions_n_scores(const vd_distributions *d) {
    return d->n_scores;
}

void vd_distributions_sketch(vd_distributions *d, const double *metrics) {
    for (int i = 0; i < d->n_metrics; i++) sketch(&d->metrics[i], metrics[i]);
}

void vd_distributions_score(vd_distributions *d, const double *scores) {
    for (int i = 0; i < d->n_scores; i++) count_score(&d->scores[i], scores[i]);
}

void vd_distributions_count(vd_distributions *d, const double *metrics) {
    for (int i = 0; i < d->n_metrics; i++) count(&d->metrics[i], metrics[i]);
}

/* ---- thresholds in terms of metrics ---- */

typedef enum judged {
    J_FINENESS,
    J_ANISOTROPY,
    J_P5,
    J_P99,
    J_LOW,
    J_HIGH,
    J_ENTROPY,
    J_NOISE,
    J_BLOCKS,
    J_BANDING,
    J_ASPECT,
    J_QUALITY
} judged;

/* The metrics that scores look at, and how far each can go. */
static const struct {
    const char *name;
    judged which;
    double lo, hi;
    bool is_log;
} judged_by[] = {
    { "fineness", J_FINENESS, 0, 4, false },
    { "motion_anisotropy", J_ANISOTROPY, 0, 1, false },
    { "luma_p5", J_P5, 0, 255, false },
    { "luma_p99", J_P99, 0, 255, false },
    { "clipped_low", J_LOW, 0, 1, false },
    { "clipped_high", J_HIGH, 0, 1, false },
    { "entropy", J_ENTROPY, 0, 8, false },
    { "noise", J_NOISE, 0, 255, false },
    { "blockiness", J_BLOCKS, 0, 50, false },
    { "banding", J_BANDING, 0, 1, false },
    { "aspect_ratio", J_ASPECT, 0.01, 100, true },
    { "jpeg_quality", J_QUALITY, 1, 100, false },
};

/* Scores of a picture with nothing wrong but for one metric. Brightness percentiles are taken as
 * those of a grey picture; anisotropy is judged as in a picture without fine detail in its worst
 * direction. */
static void judge(double out[VD_SCORE_KINDS], judged which, double v) {
    vd_metrics m = { .fineness = 4,
                     .bright_p99 = 1,
                     .entropy = 8,
                     .blockiness = 1,
                     .aspect_ratio = 1,
                     .thumb_edges = 1000,
                     .thumb_peaks = 1000,
                     .p99 = 255 };
    int quality = 0;
    switch (which) {
    case J_FINENESS: m.fineness = v; break;
    case J_ANISOTROPY: m.motion_anisotropy = v; break;
    case J_P5: m.bright_p5 = v / 255; break;
    case J_P99: m.bright_p99 = v / 255; break;
    case J_LOW: m.clipped_low = v; break;
    case J_HIGH: m.clipped_high = v; break;
    case J_ENTROPY: m.entropy = v; break;
    case J_NOISE: m.noise = v; break;
    case J_BLOCKS: m.blockiness = v; break;
    case J_BANDING: m.banding = v; break;
    case J_ASPECT: m.aspect_ratio = v; break;
    case J_QUALITY: quality = (int)floor(v); break;
    }
    vd_score_picture(out, &m, quality);
}

static double threshold_of(const char *kind, const double *thresholds) {
    for (int i = 0; i < vd_n_problem_kinds; i++)
        if (strcmp(vd_problem_kinds[i].key, kind) == 0) return thresholds[i];
    return -1;
}

static double place(int row, double u) {
    double lo = judged_by[row].lo, hi = judged_by[row].hi;
    return judged_by[row].is_log ? lo * pow(hi / lo, u) : lo + u * (hi - lo);
}

static bool found_at(int row, int kind, double u, double threshold) {
    double s[VD_SCORE_KINDS];
    judge(s, judged_by[row].which, place(row, u));
    return s[kind] < threshold;
}

/* Where findings of `kind` begin or end along the metric; STEPS is fine enough, as scores are
 * monotonic or have one turn. */
static void find_lines(metric *m, int row, int kind, double threshold) {
    enum { STEPS = 400 };
    bool before = found_at(row, kind, 0, threshold);
    for (int i = 1; i <= STEPS && m->n_lines < MAX_LINES; i++) {
        bool now = found_at(row, kind, (double)i / STEPS, threshold);
        if (now == before) continue;
        double a = (double)(i - 1) / STEPS, b = (double)i / STEPS;
        for (int k = 0; k < 40; k++) {
            double mid = 0.5 * (a + b);
            if (found_at(row, kind, mid, threshold) == before)
                a = mid;
            else
                b = mid;
        }
        m->lines[m->n_lines++] = (line){ vd_score_table[kind].key, place(row, b), before,
                                         judged_by[row].which == J_ANISOTROPY };
        before = now;
    }
}

static void all_lines(vd_distributions *d, const double *thresholds) {
    for (int i = 0; i < d->n_metrics; i++)
        for (int row = 0; row < VD_COUNT(judged_by); row++) {
            if (strcmp(judged_by[row].name, d->metrics[i].name) != 0) continue;
            for (int k = 0; k < VD_SCORE_KINDS; k++)
                find_lines(&d->metrics[i], row, k, threshold_of(vd_score_table[k].key, thresholds));
        }
}

/* ---- in and out ---- */

vd_status vd_distributions_new(vd_distributions **out, vd_err *err) {
    vd_distributions *d = vd_mem_array(1, sizeof *d);
    if (d == NULL) return vd_nomem(err);
    vd_status st = gather(d, err);
    if (st == VD_OK)
        *out = d;
    else
        vd_distributions_free(d);
    return st;
}

void vd_distributions_ranges(vd_distributions *d, const double *thresholds) {
    all_lines(d, thresholds);
    for (int i = 0; i < d->n_metrics; i++) choose_range(&d->metrics[i]);
}

void vd_distributions_free(vd_distributions *d) {
    if (d == NULL) return;
    vd_mem_free(d->metrics);
    vd_mem_free(d->scores);
    vd_mem_free(d->buckets);
    vd_mem_free(d);
}

const int64_t *vd_distributions_scores(const vd_distributions *d, const char *kind) {
    for (int i = 0; i < d->n_scores; i++)
        if (strcmp(d->scores[i].kind, kind) == 0) return d->scores[i].bins;
    return NULL;
}

static void number(vd_str *out, const char *name, double v) {
    vd_str_addf(out, ", \"%s\": ", name);
    vd_str_json_num(out, v);
}

static void one_metric(vd_str *out, const metric *m) {
    vd_str_add(out, "{\"name\": ");
    vd_str_json(out, m->name);
    vd_str_add(out, ", \"unit\": ");
    vd_str_json(out, m->unit);
    vd_str_add(out, ", \"help\": ");
    vd_str_json(out, m->help);
    vd_str_addf(out, ", \"n\": %lld, \"scale\": \"%s\"", (long long)m->n,
                m->is_log ? "log" : "linear");
    number(out, "min", m->min);
    number(out, "max", m->max);
    number(out, "p5", m->p5);
    number(out, "median", m->median);
    number(out, "p95", m->p95);
    number(out, "lo", m->lo);
    number(out, "hi", m->hi);
    vd_str_add(out, ", \"bins\": [");
    for (int i = 0; i < BINS; i++)
        vd_str_addf(out, "%s%lld", i > 0 ? "," : "", (long long)m->bins[i]);
    vd_str_add(out, "], \"lines\": [");
    for (int i = 0; i < m->n_lines; i++) {
        vd_str_addf(out, "%s{\"kind\": \"%s\", \"below\": %s, \"partly\": %s", i > 0 ? ", " : "",
                    m->lines[i].kind, m->lines[i].below ? "true" : "false",
                    m->lines[i].partly ? "true" : "false");
        number(out, "value", m->lines[i].value);
        vd_str_addc(out, '}');
    }
    vd_str_add(out, "]}");
}

void vd_distributions_json(vd_str *out, const vd_distributions *d) {
    bool first = true;
    vd_str_addc(out, '[');
    for (int i = 0; i < d->n_metrics; i++) {
        if (d->metrics[i].n == 0) continue;
        if (!first) vd_str_add(out, ",\n");
        first = false;
        one_metric(out, &d->metrics[i]);
    }
    vd_str_addc(out, ']');
}
