/* Operation eval tracking: tracks against a truth. SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/path.h"
#include "eval/track.h"
#include "ops/op.h"

static const size_t MAX_FILE = (size_t)4 << 30, MAX_INFO = 1 << 16;
/* Units of a bootstrap: sequences, where there are enough to tell how much they differ, else blocks
 * of about a second, within which errors go together. */
enum { MIN_SEQUENCES = 5, BLOCK_FRAMES = 30, SIDES = 2 };

static const vd_arg args[] = {
    { .name = "truth",
      .flags = VD_REQUIRED,
      .value = "DIR",
      .help =
          "truth in the MOTChallenge layout: SEQUENCE/gt/gt.txt, SEQUENCE/seqinfo.ini if it is there" },
    { .name = "pred", .flags = VD_REQUIRED, .value = "DIR", .help = "predictions: SEQUENCE.txt" },
    { .name = "benchmark",
      .type = VD_T_CHOICE,
      .choices = "name|MOT15|MOT16|MOT17|MOT20|MOTS",
      .def = "name",
      .help =
          "whose rules say what counts; name: by the beginning of each sequence's name, else MOT15" },
    { .name = "compare",
      .value = "DIR",
      .help = "other predictions: one row a figure, with the difference and its interval" },
    { .name = "by",
      .type = VD_T_CHOICE,
      .choices = "sequence",
      .help = "one row a sequence, and one for all, instead of one row" },
    { .name = "bootstrap",
      .type = VD_T_INT,
      .max = 100000,
      .def = "1000",
      .help = "replicates for intervals; 0: none" },
    { .name = "units",
      .type = VD_T_CHOICE,
      .choices = "auto|sequences|frames",
      .def = "auto",
      .help =
          "what replicates draw: sequences, or blocks of 30 frames; auto: sequences if there are five" },
    { .name = "seed", .type = VD_T_INT, .def = "0", .help = "of the draws" },
    { .name = "jobs",
      .type = VD_T_INT,
      .max = 256,
      .def = "0",
      .help = "workers; 0: one a processor" },
};

/* One sequence of the truth. */
typedef struct sequence {
    char *name;
    vd_track_benchmark benchmark;
    bool missing; /* a side has no prediction */
    int64_t size; /* bytes of the truth: the longest is begun first */
    vd_track_sums sums[SIDES], *blocks[SIDES];
    int64_t n_blocks;
} sequence;

typedef struct work {
    vd_opcall *c;
    const char *truth_dir, *pred_dir[SIDES];
    int sides;
    bool want_blocks;
    sequence *seq; /* by name */
    int64_t n, cap;
    int64_t *order; /* the longest first */
    vd_pool *pool;
    vd_track_sums all[SIDES];
    int64_t n_judged, n_units;
    vd_track_interval interval[VD_TRACK_SHARES];
} work;

static void reset(work *w) {
    for (int64_t i = 0; i < w->n; i++) {
        vd_mem_free(w->seq[i].name);
        for (int s = 0; s < SIDES; s++) vd_mem_free(w->seq[i].blocks[s]);
    }
    vd_mem_free(w->seq);
    vd_mem_free(w->order);
    vd_pool_free(w->pool);
}

/* ---- what there is ---- */

static bool is_file(const char *path, int64_t *size) {
    struct stat sb;
    if (stat(path, &sb) != 0 || !S_ISREG(sb.st_mode)) return false;
    if (size != NULL) *size = sb.st_size;
    return true;
}

static vd_status add_sequence(work *w, const char *name, vd_err *err) {
    vd_str path = { 0 };
    int64_t size = 0;
    vd_str_addf(&path, "%s/%s/gt/gt.txt", w->truth_dir, name);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK && is_file(path.data, &size)) {
        st = VD_GROW(w->seq, w->cap, w->n + 1, err);
        char *copy = st == VD_OK ? vd_mem_strdup(name) : NULL;
        if (st == VD_OK && copy == NULL) st = vd_nomem(err);
        if (st == VD_OK) w->seq[w->n++] = (sequence){ .name = copy, .size = size };
    }
    vd_str_reset(&path);
    return st;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const sequence *)a)->name, ((const sequence *)b)->name);
}

static vd_status find_sequences(work *w, vd_err *err) {
    vd_status st = VD_OK;
    DIR *dir = opendir(w->truth_dir);
    if (dir == NULL) return vd_fail_errno(err, errno, "eval tracking: --truth %s", w->truth_dir);
    for (struct dirent *e; st == VD_OK && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') st = add_sequence(w, e->d_name, err);
    closedir(dir);
    if (st == VD_OK && w->n == 0)
        st = vd_fail(err, VD_E_NOTFOUND, "eval tracking: --truth %s: no SEQUENCE/gt/gt.txt",
                     w->truth_dir);
    if (w->n > 0) qsort(w->seq, (size_t)w->n, sizeof *w->seq, by_name);
    return st;
}

static vd_status find_predictions(work *w, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = VD_OK;
    const char *benchmark = vd_arg_text(w->c, "benchmark");
    for (int64_t i = 0; i < w->n && st == VD_OK; i++) {
        sequence *q = &w->seq[i];
        q->benchmark = vd_track_benchmark_of(strcmp(benchmark, "name") == 0 ? q->name : benchmark);
        for (int s = 0; s < w->sides && st == VD_OK; s++) {
            vd_str_clear(&path);
            vd_str_addf(&path, "%s/%s.txt", w->pred_dir[s], q->name);
            st = vd_str_check(&path, err);
            if (st == VD_OK) q->missing = q->missing || !is_file(path.data, NULL);
        }
        w->n_judged += !q->missing;
    }
    vd_str_reset(&path);
    if (st == VD_OK && w->n_judged == 0)
        st = vd_fail(err, VD_E_NOTFOUND, "eval tracking: %s has no prediction %s.txt%s",
                     w->pred_dir[0], w->seq[0].name,
                     w->n > 1 ? ", nor one of the other sequences" : "");
    return st;
}

/* ---- one sequence ---- */

static vd_status read_rows(vd_mot_rows *out, vd_track_benchmark b, vd_mot_side side,
                           const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, MAX_FILE, err));
    vd_status st = b == VD_TRACK_MOTS ? vd_mot_parse_masks(out, path, text, size, err)
                                      : vd_mot_parse_boxes(out, side, path, text, size, err);
    vd_mem_free(text);
    return st;
}

/* Frames by seqinfo.ini; 0 where there is none. */
static vd_status read_length(int32_t *out, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    *out = 0;
    if (!is_file(path, NULL)) return VD_OK;
    VD_TRY(vd_file_read(&text, &size, path, MAX_INFO, err));
    vd_status st = vd_mot_parse_info(out, path, text, err);
    vd_mem_free(text);
    return st;
}

static int32_t last_frame(const vd_mot_rows *r) {
    return r->n > 0 ? r->row[r->n - 1].frame : 1;
}

/* The rows of a sequence: the truth's, then each side's. */
typedef struct rows {
    vd_str path[1 + SIDES];
    vd_mot_rows of[1 + SIDES];
    int32_t length;
} rows;

static void rows_reset(rows *r) {
    for (int i = 0; i <= SIDES; i++) {
        vd_str_reset(&r->path[i]);
        vd_mot_rows_reset(&r->of[i]);
    }
}

/* Where no seqinfo.ini says how long a sequence is, its last row of any side does, so that both
 * sides have the same blocks of frames. */
static vd_status read_sequence(rows *r, const work *w, const sequence *q, vd_err *err) {
    vd_str info = { 0 };
    vd_status st = VD_OK;
    vd_str_addf(&info, "%s/%s/seqinfo.ini", w->truth_dir, q->name);
    vd_str_addf(&r->path[0], "%s/%s/gt/gt.txt", w->truth_dir, q->name);
    for (int s = 0; s < w->sides; s++)
        vd_str_addf(&r->path[1 + s], "%s/%s.txt", w->pred_dir[s], q->name);
    VD_GO(vd_str_check(&info, err));
    VD_GO(read_length(&r->length, info.data, err));
    int32_t last = 0;
    for (int i = 0; i <= w->sides; i++) {
        VD_GO(vd_str_check(&r->path[i], err));
        VD_GO(read_rows(&r->of[i], q->benchmark, i == 0 ? VD_MOT_TRUTH : VD_MOT_PREDICTION,
                        r->path[i].data, err));
        last = VD_MAX(last, last_frame(&r->of[i]));
    }
    if (r->length == 0) r->length = last;
done:
    vd_str_reset(&info);
    return st;
}

static vd_status judge_side(const work *w, sequence *q, int side, const rows *r, vd_err *err) {
    vd_status st = VD_OK;
    vd_track_seq s = { 0 };
    VD_GO(vd_track_seq_make(&s, q->benchmark, r->length, &r->of[0], r->path[0].data,
                            &r->of[1 + side], r->path[1 + side].data, err));
    if (w->want_blocks) {
        q->blocks[side] = vd_mem_array((size_t)q->n_blocks, sizeof *q->blocks[side]);
        if (q->blocks[side] == NULL) VD_GO(vd_nomem(err));
    }
    VD_GO(vd_track_measure(&q->sums[side], q->blocks[side], q->n_blocks, &s, err));
done:
    vd_track_seq_reset(&s);
    return st;
}

static vd_status judge(void *user, int64_t i, int worker, vd_err *err) {
    const work *w = user;
    sequence *q = &w->seq[w->order[i]];
    rows r = { 0 };
    (void)worker;
    if (q->missing) return VD_OK;
    if (w->c->on_cancel != NULL && w->c->on_cancel(w->c->user))
        return vd_fail(err, VD_E_CANCEL, "eval tracking: stopped");
    vd_status st = read_sequence(&r, w, q, err);
    q->n_blocks = (r.length + BLOCK_FRAMES - 1) / BLOCK_FRAMES;
    for (int s = 0; s < w->sides && st == VD_OK; s++) st = judge_side(w, q, s, &r, err);
    rows_reset(&r);
    return st;
}

/* ---- all of them ---- */

typedef struct sized {
    int64_t size, index;
} sized;

static int by_size(const void *a, const void *b) {
    const sized *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static vd_status order_by_size(work *w, vd_err *err) {
    sized *s = vd_mem_array((size_t)w->n, sizeof *s);
    w->order = vd_mem_array((size_t)w->n, sizeof *w->order);
    if (s != NULL && w->order != NULL) {
        for (int64_t i = 0; i < w->n; i++) s[i] = (sized){ w->seq[i].size, i };
        qsort(s, (size_t)w->n, sizeof *s, by_size);
        for (int64_t i = 0; i < w->n; i++) w->order[i] = s[i].index;
    }
    vd_status st = s != NULL && w->order != NULL ? VD_OK : vd_nomem(err);
    vd_mem_free(s);
    return st;
}

/* Draws sequences, or the blocks of each sequence. */
static vd_status bootstrap(work *w, vd_err *err) {
    vd_status st = VD_OK;
    bool blocks = w->want_blocks;
    int64_t n = 0, n_replicates = vd_arg_int(w->c, "bootstrap");
    vd_track_sums *unit[SIDES] = { NULL };
    int64_t *begin = vd_mem_array((size_t)w->n_judged + 1, sizeof *begin);
    for (int64_t i = 0; i < w->n; i++)
        if (!w->seq[i].missing) n += blocks ? w->seq[i].n_blocks : 1;
    for (int s = 0; s < w->sides; s++) {
        unit[s] = vd_mem_array((size_t)n, sizeof *unit[s]);
        if (unit[s] == NULL) VD_GO(vd_nomem(err));
    }
    if (begin == NULL) VD_GO(vd_nomem(err));
    int64_t at = 0, n_strata = 0;
    for (int64_t i = 0; i < w->n; i++) {
        const sequence *q = &w->seq[i];
        int64_t m = blocks ? q->n_blocks : 1;
        if (q->missing) continue;
        for (int s = 0; s < w->sides; s++)
            memcpy(unit[s] + at, blocks ? q->blocks[s] : &q->sums[s], (size_t)m * sizeof *unit[s]);
        at += m;
        if (blocks || n_strata == 0) n_strata++;
        begin[n_strata] = at;
    }
    w->n_units = n;
    if (n < 2) goto done; /* every replicate would be the whole */
    VD_GO(vd_track_bootstrap(w->interval, unit[0], unit[1], begin, n_strata, n_replicates,
                             (uint64_t)vd_arg_int(w->c, "seed"), w->pool, err));
done:
    for (int s = 0; s < SIDES; s++) vd_mem_free(unit[s]);
    vd_mem_free(begin);
    return st;
}

static bool has_intervals(const work *w) {
    return w->n_units >= 2;
}

static vd_status judge_all(work *w, vd_err *err) {
    const char *units = vd_arg_text(w->c, "units");
    bool replicates = vd_arg_int(w->c, "bootstrap") > 0;
    bool sequences = strcmp(units, "sequences") == 0 ||
                     (strcmp(units, "auto") == 0 && w->n_judged >= MIN_SEQUENCES);
    w->want_blocks = replicates && !sequences;
    VD_TRY(order_by_size(w, err));
    VD_TRY(vd_pool_for(w->pool, w->n, judge, w, err));
    for (int64_t i = 0; i < w->n; i++)
        for (int s = 0; s < w->sides && !w->seq[i].missing; s++)
            vd_track_sums_add(&w->all[s], &w->seq[i].sums[s], 1);
    return replicates ? bootstrap(w, err) : VD_OK;
}

/* ---- results ---- */

static void add_figures(vd_str *out, const vd_track_sums *s, bool alone) {
    double v[VD_TRACK_FIGURES];
    vd_track_figures(v, s, alone);
    for (int f = 0; f < VD_TRACK_FIGURES; f++) {
        vd_str_addf(out, "%s\"%s\":", f > 0 ? "," : "", vd_track_figure_name(f));
        vd_str_json_num(out, v[f]);
    }
}

static void add_sequences(vd_str *out, const work *w) {
    bool first = true;
    vd_str_addc(out, '{');
    for (int64_t i = 0; i < w->n; i++) {
        const sequence *q = &w->seq[i];
        if (q->missing) continue;
        if (!first) vd_str_addc(out, ',');
        first = false;
        vd_str_json(out, q->name);
        vd_str_addc(out, ':');
        vd_str_addc(out, '{');
        add_figures(out, &q->sums[0], true);
        vd_str_addf(out, ",\"benchmark\":\"%s\"}", vd_track_benchmark_name(q->benchmark));
    }
    vd_str_addc(out, '}');
}

static void add_intervals(vd_str *out, const work *w) {
    vd_str_addc(out, '{');
    for (int f = 0; f < VD_TRACK_SHARES; f++) {
        vd_str_addf(out, "%s\"%s\":[", f > 0 ? "," : "", vd_track_figure_name(f));
        vd_str_json_num(out, w->interval[f].low);
        vd_str_addc(out, ',');
        vd_str_json_num(out, w->interval[f].high);
        vd_str_addc(out, ']');
    }
    vd_str_addf(out, ",\"units\":\"%s\",\"n_units\":%lld}", w->want_blocks ? "frames" : "sequences",
                (long long)w->n_units);
}

static void add_missing(vd_str *out, const work *w) {
    bool first = true;
    vd_str_addc(out, '[');
    for (int64_t i = 0; i < w->n; i++) {
        if (!w->seq[i].missing) continue;
        if (!first) vd_str_addc(out, ',');
        first = false;
        vd_str_json(out, w->seq[i].name);
    }
    vd_str_addc(out, ']');
}

static vd_status send_one(vd_opcall *c, const work *w, vd_err *err) {
    static const vd_column columns[] = {
        { "combined", VD_DOC, "", "", 0 },
        { "sequences", VD_DOC, "", "", 0 },
        { "missing", VD_DOC, "", "", 0 },
        { "intervals", VD_DOC, "", "", 0 },
    };
    enum { PARTS = VD_COUNT(columns) };
    vd_status st = VD_OK;
    vd_str part[PARTS] = { { 0 } };
    vd_value row[PARTS];
    vd_str_addc(&part[0], '{');
    add_figures(&part[0], &w->all[0], false);
    vd_str_addc(&part[0], '}');
    add_sequences(&part[1], w);
    add_missing(&part[2], w);
    if (has_intervals(w)) add_intervals(&part[3], w);
    for (int i = 0; i < PARTS; i++) {
        VD_GO(vd_str_check(&part[i], err));
        row[i] = vd_val_doc(vd_str_text(&part[i]));
    }
    VD_GO(vd_out_columns(c, columns, PARTS, err));
    VD_GO(vd_out_row(c, row, err));
done:
    for (int i = 0; i < PARTS; i++) vd_str_reset(&part[i]);
    return st;
}

enum { ROW_FIRST = 2 }; /* sequence, benchmark */

static vd_status send_row(vd_opcall *c, const char *name, const char *benchmark,
                          const vd_track_sums *s, bool alone, vd_err *err) {
    double v[VD_TRACK_FIGURES];
    vd_value row[ROW_FIRST + VD_TRACK_FIGURES] = { vd_val_text(name), vd_val_text(benchmark) };
    vd_track_figures(v, s, alone);
    for (int f = 0; f < VD_TRACK_FIGURES; f++)
        row[ROW_FIRST + f] =
            vd_track_figure_is_count(f) ? vd_val_int((int64_t)v[f]) : vd_val_real(v[f]);
    return vd_out_row(c, row, err);
}

/* One row a sequence, then one without a name for all. */
static vd_status send_rows(vd_opcall *c, const work *w, vd_err *err) {
    vd_column column[ROW_FIRST + VD_TRACK_FIGURES] = { { "sequence", VD_TEXT, "", "", 0 },
                                                       { "benchmark", VD_TEXT, "", "", 0 } };
    for (int f = 0; f < VD_TRACK_FIGURES; f++)
        column[ROW_FIRST + f] =
            (vd_column){ vd_track_figure_name(f), vd_track_figure_is_count(f) ? VD_INT : VD_REAL,
                         "", vd_track_figure_help(f), 0 };
    VD_TRY(vd_out_columns(c, column, VD_COUNT(column), err));
    for (int64_t i = 0; i < w->n; i++) {
        const sequence *q = &w->seq[i];
        if (q->missing) continue;
        VD_TRY(send_row(c, q->name, vd_track_benchmark_name(q->benchmark), &q->sums[0], true, err));
    }
    return send_row(c, NULL, NULL, &w->all[0], false, err);
}

static vd_status send_comparison(vd_opcall *c, const work *w, vd_err *err) {
    static const vd_column columns[] = {
        { "figure", VD_TEXT, "", "", 0 },  { "pred", VD_REAL, "", "", 0 },
        { "compare", VD_REAL, "", "", 0 }, { "difference", VD_REAL, "", "", 0 },
        { "low", VD_REAL, "", "", 0 },     { "high", VD_REAL, "", "", 0 },
        { "p", VD_REAL, "", "", 0 },
    };
    double v[SIDES][VD_TRACK_FIGURES];
    for (int s = 0; s < SIDES; s++) vd_track_figures(v[s], &w->all[s], false);
    VD_TRY(vd_out_columns(c, columns, VD_COUNT(columns), err));
    for (int f = 0; f < VD_TRACK_FIGURES; f++) {
        bool known = f < VD_TRACK_SHARES && has_intervals(w);
        const vd_track_interval *i = known ? &w->interval[f] : NULL;
        const vd_value row[] = { vd_val_text(vd_track_figure_name(f)),
                                 vd_val_real(v[0][f]),
                                 vd_val_real(v[1][f]),
                                 vd_val_real(v[1][f] - v[0][f]),
                                 known ? vd_val_real(i->diff_low) : vd_val_null(),
                                 known ? vd_val_real(i->diff_high) : vd_val_null(),
                                 known ? vd_val_real(i->p) : vd_val_null() };
        VD_TRY(vd_out_row(c, row, err));
    }
    return VD_OK;
}

static void say(vd_opcall *c, const work *w) {
    vd_str s = { 0 };
    int64_t missing = w->n - w->n_judged;
    if (has_intervals(w) && w->sides == 1)
        vd_str_addf(
            &s, "HOTA %.4g to %.4g, MOTA %.4g to %.4g, IDF1 %.4g to %.4g in 95 %% of replicates",
            w->interval[VD_TRACK_HOTA].low, w->interval[VD_TRACK_HOTA].high,
            w->interval[VD_TRACK_MOTA].low, w->interval[VD_TRACK_MOTA].high,
            w->interval[VD_TRACK_IDF1].low, w->interval[VD_TRACK_IDF1].high);
    if (missing > 0) {
        vd_str_addf(&s, "%sleft out, without a prediction:", s.size > 0 ? "; " : "");
        for (int64_t i = 0; i < w->n; i++) {
            if (!w->seq[i].missing) continue;
            vd_str_addc(&s, ' ');
            vd_str_json(&s, w->seq[i].name); /* quoted: what it holds may steer a terminal */
        }
    }
    if (s.size > 0) vd_out_words(c, "%s", vd_str_text(&s));
    vd_str_reset(&s);
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { .c = c,
               .truth_dir = vd_arg_text(c, "truth"),
               .pred_dir = { vd_arg_text(c, "pred"), vd_arg_text(c, "compare") } };
    int jobs = (int)vd_arg_int(c, "jobs");
    w.sides = w.pred_dir[1] != NULL ? 2 : 1;
    if (w.sides == 2 && vd_arg_given(c, "by"))
        VD_GO(vd_fail(err, VD_E_ARG, "eval tracking: --by and --compare exclude each other"));
    VD_GO(vd_pool_new(&w.pool, jobs > 0 ? jobs : vd_cpu_count(), err));
    VD_GO(find_sequences(&w, err));
    VD_GO(find_predictions(&w, err));
    VD_GO(judge_all(&w, err));
    if (w.sides == 2)
        VD_GO(send_comparison(c, &w, err));
    else if (vd_arg_given(c, "by") || c->for_people)
        VD_GO(send_rows(c, &w, err));
    else
        VD_GO(send_one(c, &w, err));
    say(c, &w);
done:
    reset(&w);
    return st;
}

const vd_op vd_op_eval_tracking = {
    .name = "eval tracking",
    .summary = "tracks of boxes or masks against a truth: HOTA, CLEAR MOT, identities",
    .help =
        "Figures are TrackEval's, as shares of 1: HOTA DetA AssA LocA (means over overlaps of 0.05 to 0.95), MOTA MOTP (the\n"
        "mean overlap) FP FN IDSW Frag MT PT ML at an overlap of 0.5, IDF1 IDP IDR, under \"combined\" and, by name, under\n"
        "\"sequences\"; those without a prediction are left out, and named under \"missing\". \"intervals\" bound 95 % of the\n"
        "bootstrap replicates; drawn blocks of frames keep the tracks that the whole sequence gave them. In MOT15 boxes\n"
        "flagged 0 do not count; in MOT16, MOT17 and MOT20 only pedestrians do, after predictions that match a distractor\n"
        "have been taken out; MOTS has masks. --compare DIR gives rows: the figure of both, the difference (--compare less\n"
        "--pred), its 95 % interval and a two-sided p of paired replicates.",
    .example = "vidimus eval tracking --truth MOT17/train --pred results --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC,
    .rows_if = "by|compare",
    .run = run,
};
