/* Operation eval segmentation: classes of pixels, and panoptic segments, against a truth.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/rng.h"
#include "eval/panoptic.h"
#include "judge/dataset.h"
#include "judge/maps.h"

enum { MAX_IGNORED = 256, MOST_NUMBERS = VD_PANOPTIC_NUMBERS };

static const vd_arg args[] = {
    { .name = "truth",
      .flags = VD_REQUIRED,
      .value = "PATH",
      .help = "a map of classes, a folder of them, or COCO's panoptic JSON" },
    { .name = "pred",
      .flags = VD_REQUIRED,
      .value = "PATH",
      .help = "the same of the results; files of the same name but for the extension" },
    { .name = "truth-maps",
      .value = "DIR",
      .help = "panoptic: folder of the truth's maps (the JSON's path without .json)" },
    { .name = "pred-maps", .value = "DIR", .help = "panoptic: folder of the results' maps" },
    { .name = "ignore",
      .value = "N,N,...",
      .def = "255",
      .help = "true classes that do not count; none: all count" },
    { .name = "boundary",
      .type = VD_T_REAL,
      .max = 1,
      .def = "0.02",
      .help = "width of boundaries, share of the diagonal; 0: no boundary IoU" },
    JUDGE_BY_ARG(""),
    JUDGE_DATASET_ARGS,
    BOOTSTRAP_ARGS,
};

typedef struct work {
    vd_panoptic truth, pred; /* panoptic */
    vd_segment_files truths, preds;
    bool panoptic;
    vd_segment_rows rows;
    const char **name; /* of each image; in `truth` or `truths` */
    int64_t n_images, cap_names, missing;
    vd_codec *codec;
    const char *libexec_dir;
    int32_t ignore[MAX_IGNORED];
    vd_semantic_opt opt;
    vd_pool *pool;
    vd_judge_data data;
    vd_str slices; /* rows of slices as JSON, by commas */
} work;

/* Some pictures' rows, and what is made of them. */
typedef struct part {
    const work *w;
    vd_segment_rows rows, totals; /* the rows may be borrowed */
    int64_t n_images, n_replicates;
    double number[MOST_NUMBERS];
    double *replicates;
    uint64_t seed;
    vd_judge_figures figures;
} part;

static void reset(work *w) {
    vd_panoptic_reset(&w->truth);
    vd_panoptic_reset(&w->pred);
    vd_segment_files_reset(&w->truths);
    vd_segment_files_reset(&w->preds);
    vd_segment_rows_reset(&w->rows);
    vd_codec_free(w->codec);
    vd_pool_free(w->pool);
    vd_mem_free(w->name);
    vd_judge_reset(&w->data);
    vd_str_reset(&w->slices);
}

static vd_status parse_ignored(work *w, const char *text, vd_err *err) {
    const char *p = text;
    w->opt.ignore = w->ignore;
    if (strcmp(text, "none") == 0) return VD_OK;
    for (;; p++) {
        char *end = NULL;
        errno = 0;
        long v = strtol(p, &end, 10);
        if (end == p || errno != 0 || v < 0 || v > INT32_MAX || (*end != ',' && *end != '\0') ||
            w->opt.n_ignore == MAX_IGNORED)
            return vd_fail(err, VD_E_ARG,
                           "eval segmentation: --ignore '%.80s' is not up to %d classes N,N,...",
                           text, MAX_IGNORED);
        w->ignore[w->opt.n_ignore++] = (int32_t)v;
        p = end;
        if (*p == '\0') return VD_OK;
    }
}

static vd_status read_pair(work *w, const char *truth_dir, const char *truth, const char *pred_dir,
                           const char *pred, vd_segment_map map[2], vd_err *err) {
    const char *const dir[2] = { truth_dir, pred_dir }, *const name[2] = { truth, pred };
    vd_status st = VD_OK;
    for (int i = 0; i < 2 && st == VD_OK; i++) {
        vd_str path = { 0 };
        vd_str_addf(&path, "%s%s%s", dir[i] != NULL ? dir[i] : "", dir[i] != NULL ? "/" : "",
                    name[i]);
        st = vd_str_check(&path, err);
        if (st == VD_OK)
            st = vd_segment_map_read(&map[i], path.data, &w->codec, w->libexec_dir, err);
        vd_str_reset(&path);
    }
    return st;
}

static vd_status step(vd_opcall *c, int64_t done, int64_t total, vd_err *err) {
    const vd_progress p = { .stage = "maps", .done = done, .total = total };
    if (c->on_progress != NULL) c->on_progress(c->user, &p);
    if (c->on_cancel != NULL && c->on_cancel(c->user))
        return vd_fail(err, VD_E_CANCEL, "eval segmentation: stopped");
    return VD_OK;
}

static vd_status name_image(work *w, const char *name, vd_err *err) {
    VD_TRY(VD_GROW(w->name, w->cap_names, w->n_images + 1, err));
    w->name[w->n_images++] = name;
    return VD_OK;
}

/* ---- classes of pixels ---- */

static vd_status add_maps(vd_opcall *c, work *w, vd_err *err) {
    VD_TRY(vd_segment_files_list(&w->truths, vd_arg_text(c, "truth"), err));
    VD_TRY(vd_segment_files_list(&w->preds, vd_arg_text(c, "pred"), err));
    bool one = w->truths.dir == NULL && w->preds.dir == NULL;
    for (int64_t i = 0; i < w->truths.n; i++) {
        vd_segment_map map[2] = { { 0 } };
        const char *name = w->truths.name[i];
        int64_t k = one ? 0 : vd_segment_files_find(&w->preds, vd_path_name(name));
        VD_TRY(step(c, i, w->truths.n, err));
        if (k < 0) {
            w->missing++;
            continue;
        }
        vd_status st = read_pair(w, w->truths.dir, name, w->preds.dir, w->preds.name[k], map, err);
        if (st == VD_OK)
            st = vd_semantic_add(&w->rows, w->n_images, name, &map[0], &map[1], &w->opt, err);
        if (st == VD_OK) st = name_image(w, name, err);
        vd_segment_map_reset(&map[0]);
        vd_segment_map_reset(&map[1]);
        VD_TRY(st);
    }
    return VD_OK;
}

/* ---- panoptic ---- */

/* DIR, or the JSON's path without its extension. */
static vd_status folder_of(const char **out, vd_opcall *c, const char *arg, const char *json,
                           vd_err *err) {
    *out = vd_arg_text(c, arg);
    if (*out != NULL) return VD_OK;
    char *path = vd_arena_text(&c->arena, json);
    if (path == NULL) return vd_nomem(err);
    path[strlen(path) - strlen(".json")] = '\0';
    *out = path;
    return VD_OK;
}

static vd_status check_classes(const work *w, const vd_panoptic *p, const char *path, vd_err *err) {
    for (int64_t i = 0; i < p->n_segments; i++)
        if (vd_panoptic_class(&w->truth, p->segment[i].category) == NULL)
            return vd_fail(err, VD_E_FORMAT,
                           "%s: segment %lld is of category %lld, which the truth has not", path,
                           (long long)p->segment[i].id, (long long)p->segment[i].category);
    return VD_OK;
}

static vd_status add_panoptic(vd_opcall *c, work *w, vd_err *err) {
    const char *truth = vd_arg_text(c, "truth"), *pred = vd_arg_text(c, "pred");
    const char *truth_dir = NULL, *pred_dir = NULL;
    if (!vd_str_ends(pred, ".json"))
        return vd_fail(err, VD_E_ARG, "eval segmentation: --truth is JSON, --pred '%.200s' is not",
                       pred);
    VD_TRY(folder_of(&truth_dir, c, "truth-maps", truth, err));
    VD_TRY(folder_of(&pred_dir, c, "pred-maps", pred, err));
    VD_TRY(vd_panoptic_read(&w->truth, truth, NULL, 0, err));
    VD_TRY(vd_panoptic_read(&w->pred, pred, NULL, 0, err));
    VD_TRY(check_classes(w, &w->truth, truth, err));
    VD_TRY(check_classes(w, &w->pred, pred, err));
    for (int64_t i = 0; i < w->truth.n_images; i++) {
        vd_segment_map map[2] = { { 0 } };
        const vd_panoptic_image *t = &w->truth.image[i], *p = vd_panoptic_find(&w->pred, t->id);
        VD_TRY(step(c, i, w->truth.n_images, err));
        if (p == NULL) {
            w->missing++;
            continue;
        }
        vd_status st = read_pair(w, truth_dir, t->file, pred_dir, p->file, map, err);
        if (st == VD_OK)
            st = vd_panoptic_add(&w->rows, w->n_images, p->file, &map[0], w->truth.segment + t->at,
                                 t->count, &map[1], w->pred.segment + p->at, p->count, err);
        if (st == VD_OK) st = name_image(w, t->file, err);
        vd_segment_map_reset(&map[0]);
        vd_segment_map_reset(&map[1]);
        VD_TRY(st);
    }
    return VD_OK;
}

/* ---- figures ---- */

static vd_status score(const work *w, double *out, const vd_segment_rows *totals, vd_err *err) {
    if (!w->panoptic) {
        vd_semantic_score(out, totals);
        return VD_OK;
    }
    bool *thing = vd_mem_array((size_t)totals->n, sizeof *thing);
    if (thing == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < totals->n; k++) {
        const vd_panoptic_category *c = vd_panoptic_class(&w->truth, totals->row[k].category);
        thing[k] = c != NULL && c->thing;
    }
    vd_panoptic_score(out, totals, thing);
    vd_mem_free(thing);
    return VD_OK;
}

static vd_status replicate(void *user, int64_t b, int worker, vd_err *err) {
    const part *p = user;
    vd_segment_rows totals = { 0 };
    vd_rng r = vd_rng_for(p->seed, (uint64_t)b, 0);
    double *weight = vd_mem_array((size_t)p->n_images, sizeof *weight);
    (void)worker;
    if (weight == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < p->n_images; i++) weight[vd_rng_int(&r, p->n_images)] += 1;
    vd_status st = vd_segment_totals(&totals, &p->rows, weight, err);
    if (st == VD_OK) st = score(p->w, p->replicates + b * MOST_NUMBERS, &totals, err);
    vd_segment_rows_reset(&totals);
    vd_mem_free(weight);
    return st;
}

static int numbers_of(const work *w, const char *const **name) {
    *name = w->panoptic ? vd_panoptic_number : vd_semantic_number;
    return w->panoptic ? VD_PANOPTIC_NUMBERS : VD_SEMANTIC_NUMBERS;
}

/* Totals, figures and replicates of a part whose rows are there. */
static vd_status judge(part *p, const vd_opcall *c, vd_err *err) {
    p->n_replicates = p->n_images > 0 && !vd_judge_by_class(c) ? vd_arg_int(c, "bootstrap") : 0;
    p->seed = (uint64_t)vd_arg_int(c, "seed");
    VD_TRY(vd_segment_totals(&p->totals, &p->rows, NULL, err));
    VD_TRY(score(p->w, p->number, &p->totals, err));
    p->replicates = vd_mem_array((size_t)p->n_replicates * MOST_NUMBERS, sizeof *p->replicates);
    if (p->replicates == NULL) return vd_nomem(err);
    VD_TRY(vd_pool_for(p->w->pool, p->n_replicates, replicate, p, err));
    p->figures = (vd_judge_figures){ .value = p->number,
                                     .replicate = p->replicates,
                                     .stride = MOST_NUMBERS,
                                     .n_replicates = p->n_replicates };
    p->figures.n = numbers_of(p->w, &p->figures.name);
    return VD_OK;
}

static void part_reset(part *p, bool rows) {
    if (rows) vd_segment_rows_reset(&p->rows);
    vd_segment_rows_reset(&p->totals);
    vd_mem_free(p->replicates);
}

/* The rows of a slice's pictures, which have the figures of folders that hold only these. */
static vd_status rows_of(vd_segment_rows *out, const vd_segment_rows *rows, const int32_t *picture,
                         vd_err *err) {
    VD_TRY(VD_GROW(out->row, out->cap, rows->n, err));
    for (int64_t i = 0; i < rows->n; i++) {
        if (picture[rows->row[i].image] < 0) continue;
        out->row[out->n] = rows->row[i];
        out->row[out->n++].image = picture[rows->row[i].image];
    }
    return VD_OK;
}

static vd_status send_slice(vd_slice_table *t, const work *w, const vd_slices *s, int k,
                            int32_t *picture, vd_err *err) {
    static const char *const count_name[] = { "classes" };
    part p = { .w = w };
    p.n_images = vd_slice_members(picture, s, k);
    vd_status st = rows_of(&p.rows, &w->rows, picture, err);
    if (st == VD_OK) st = judge(&p, t->c, err);
    p.figures.count_name = count_name;
    p.figures.count = &p.totals.n;
    p.figures.n_counts = 1;
    if (st == VD_OK) st = vd_slice_row(t, s, k, &p.figures, err);
    part_reset(&p, true);
    return st;
}

static vd_status send_slices(vd_opcall *c, work *w, const char *const *by, int n, vd_err *err) {
    vd_slice_table t = { .c = c, .json = vd_arg_given(c, "keep") ? &w->slices : NULL };
    int32_t *picture = vd_mem_array((size_t)w->n_images, sizeof *picture);
    vd_status st = picture != NULL ? VD_OK : vd_nomem(err);
    for (int i = 0; i < n && st == VD_OK; i++) {
        vd_slices s = { 0 };
        st = vd_slices_make(&s, vd_dataset_db(w->data.ds), by[i], w->data.asset, w->n_images, err);
        for (int k = 0; k < s.n && st == VD_OK; k++) st = send_slice(&t, w, &s, k, picture, err);
        vd_slices_reset(&s);
    }
    vd_mem_free(picture);
    return st == VD_OK ? vd_str_check(&w->slices, err) : st;
}

static const vd_column semantic_columns[] = {
    { "class", VD_INT, "", "", 0 },       { "truth_pixels", VD_INT, "", "", 0 },
    { "pred_pixels", VD_INT, "", "", 0 }, { "IoU", VD_REAL, "", "", 0 },
    { "accuracy", VD_REAL, "", "", 0 },   { "boundary_IoU", VD_REAL, "", "", 0 },
};
static const vd_column panoptic_columns[] = {
    { "class", VD_INT, "", "", 0 }, { "name", VD_TEXT, "", "", 0 }, { "PQ", VD_REAL, "", "", 0 },
    { "SQ", VD_REAL, "", "", 0 },   { "RQ", VD_REAL, "", "", 0 },   { "TP", VD_INT, "", "", 0 },
    { "FP", VD_INT, "", "", 0 },    { "FN", VD_INT, "", "", 0 },
};

static vd_value share(double a, double b) {
    return b > 0 ? vd_val_real(a / b) : vd_val_null();
}

static vd_status send_classes(vd_opcall *c, const work *w, const vd_segment_rows *totals,
                              vd_err *err) {
    VD_TRY(vd_out_columns(c, w->panoptic ? panoptic_columns : semantic_columns,
                          w->panoptic ? VD_COUNT(panoptic_columns) : VD_COUNT(semantic_columns),
                          err));
    for (int64_t k = 0; k < totals->n; k++) {
        const vd_segment_row *r = &totals->row[k];
        const double *v = r->v;
        const vd_panoptic_category *category = vd_panoptic_class(&w->truth, r->category);
        double all = v[1] + 0.5 * v[2] + 0.5 * v[3];
        const vd_value semantic[] = { vd_val_int(r->category),   vd_val_int((int64_t)v[1]),
                                      vd_val_int((int64_t)v[2]), share(v[0], v[1] + v[2] - v[0]),
                                      share(v[0], v[1]),         share(v[3], v[4] + v[5] - v[3]) };
        const vd_value panoptic[] = {
            vd_val_int(r->category),   vd_val_text(category != NULL ? category->name : NULL),
            share(v[0], all),          share(v[0], v[1]),
            share(v[1], all),          vd_val_int((int64_t)v[1]),
            vd_val_int((int64_t)v[2]), vd_val_int((int64_t)v[3])
        };
        VD_TRY(vd_out_row(c, w->panoptic ? panoptic : semantic, err));
    }
    return VD_OK;
}

/* ---- keeping ---- */

static void classes_json(vd_str *out, const work *w, const vd_segment_rows *totals) {
    vd_str_addf(out, ",\n\"class_figures\": [%s],\n\"classes\": [",
                w->panoptic ? "\"PQ\", \"SQ\", \"RQ\"" : "\"IoU\", \"accuracy\"");
    for (int64_t k = 0; k < totals->n; k++) {
        const vd_segment_row *r = &totals->row[k];
        const vd_panoptic_category *category = vd_panoptic_class(&w->truth, r->category);
        const double *v = r->v, all = v[1] + 0.5 * v[2] + 0.5 * v[3];
        const double share[3][2] = { { v[0], w->panoptic ? all : v[1] + v[2] - v[0] },
                                     { v[0], v[1] },
                                     { v[1], all } };
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)r->category);
        vd_str_add(out, k > 0 ? ",\n{\"name\": " : "{\"name\": ");
        vd_str_json(out, category != NULL ? category->name : number);
        vd_str_addf(out, ", \"truths\": %.0f, \"predictions\": %.0f, \"figures\": [",
                    w->panoptic ? v[1] + v[3] : v[1], w->panoptic ? v[1] + v[2] : v[2]);
        for (int i = 0; i < (w->panoptic ? 3 : 2); i++) {
            if (i > 0) vd_str_add(out, ", ");
            vd_str_json_num(out, share[i][1] > 0 ? share[i][0] / share[i][1] : (double)NAN);
        }
        vd_str_add(out, "]}");
    }
    vd_str_addc(out, ']');
}

/* Panoptic: segments found, missed and too many; classes of pixels: how far from a mIoU of 1. */
static vd_status picture_counts(vd_evaluation_picture *out, const work *w,
                                const vd_segment_rows *rows, vd_err *err) {
    vd_segment_rows totals = { 0 };
    double number[MOST_NUMBERS], sum[VD_SEGMENT_VALUES] = { 0 };
    for (int64_t i = 0; i < rows->n; i++)
        for (int k = 0; k < VD_SEGMENT_VALUES; k++) sum[k] += rows->row[i].v[k];
    if (w->panoptic) {
        out->hits = (int64_t)sum[1];
        out->false_alarms = (int64_t)sum[2];
        out->misses = (int64_t)sum[3];
        out->harm = sum[2] + sum[3];
        return VD_OK;
    }
    out->hits = out->misses = out->false_alarms = -1;
    VD_TRY(vd_segment_totals(&totals, rows, NULL, err));
    vd_semantic_score(number, &totals);
    vd_segment_rows_reset(&totals);
    out->harm = isnan(number[0]) ? 0 : 1 - number[0];
    return VD_OK;
}

/* Rows of a picture stand together, in the order of pictures. */
static vd_status add_pictures(vd_evaluation_rows *out, const work *w, vd_err *err) {
    for (int64_t i = 0, at = 0; i < w->n_images; i++) {
        vd_segment_rows one = { .row = w->rows.row + at };
        vd_evaluation_picture p = { .asset = w->data.asset[i] };
        for (; at < w->rows.n && w->rows.row[at].image == i; at++) one.n++;
        VD_TRY(picture_counts(&p, w, &one, err));
        if (p.asset > 0) VD_TRY(vd_evaluation_add_picture(out, &p, err));
    }
    return VD_OK;
}

static vd_status keep(vd_opcall *c, const work *w, const part *all, vd_err *err) {
    vd_judge_keep k = { 0 };
    vd_str result = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_judge_json(&result, &all->figures, err));
    classes_json(&result, w, &all->totals);
    vd_str_addf(&result, ",\n\"slices\": [%s]}", vd_str_text(&w->slices));
    VD_GO(vd_str_check(&result, err));
    st = vd_judge_keep_begin(&k, c, "segmentation", result.data, err);
    if (st == VD_OK) st = add_pictures(k.rows, w, err);
    st = vd_judge_keep_end(&k, c, st, err);
done:
    vd_str_reset(&result);
    return st;
}

/* ---- the whole ---- */

static void picture_of(const void *user, int64_t i, const char **name, int64_t *width,
                       int64_t *height) {
    const work *w = user;
    (void)width;
    (void)height;
    *name = w->name[i];
}

static vd_status send(vd_opcall *c, work *w, part *all, vd_err *err) {
    static const char *const count_name[] = { "images", "classes", "missing" };
    const int64_t count[] = { w->n_images, all->totals.n, w->missing };
    const char *const *by;
    int n = vd_judge_by(c, &by);
    all->figures.count_name = count_name;
    all->figures.count = count;
    all->figures.n_counts = VD_COUNT(count);
    if (vd_judge_by_class(c))
        VD_TRY(send_classes(c, w, &all->totals, err));
    else
        VD_TRY(n > 0 ? send_slices(c, w, by, n, err) : vd_judge_send(c, &all->figures, err));
    return vd_arg_given(c, "keep") ? keep(c, w, all, err) : VD_OK;
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { .libexec_dir = c->libexec_dir };
    part all = { .w = &w };
    VD_GO(vd_judge_open(&w.data, c, NULL, err));
    VD_GO(vd_judge_pool(&w.pool, c, err));
    w.panoptic = vd_str_ends(vd_arg_text(c, "truth"), ".json");
    w.opt.boundary = vd_arg_real(c, "boundary");
    VD_GO(parse_ignored(&w, vd_arg_text(c, "ignore"), err));
    VD_GO(w.panoptic ? add_panoptic(c, &w, err) : add_maps(c, &w, err));
    VD_GO(vd_judge_match(&w.data, w.n_images, picture_of, &w, err));
    all.rows = w.rows;
    all.n_images = w.n_images;
    VD_GO(judge(&all, c, err));
    VD_GO(send(c, &w, &all, err));
    if (w.missing > 0)
        vd_out_words(c, "%lld pictures of the truth have no prediction and are left out",
                     (long long)w.missing);
    vd_judge_say_strangers(c, &w.data);
done:
    part_reset(&all, false);
    reset(&w);
    return st;
}

const vd_op vd_op_eval_segmentation = {
    .name = "eval segmentation",
    .summary = "segmented pictures against a truth: mIoU, boundary IoU, panoptic quality",
    .help =
        "Maps are pictures without loss, grey (the value is the class) or colour (R + 256 G + 65536 B), or .npy of whole\n"
        "numbers [height, width]. Samples of PNG files count as they are stored: grey of 1 to 16 bits, indices of a\n"
        "palette. mIoU is over the classes that occur, of pixels of all pictures together; boundary_mIoU\n"
        "the same of pixels within a share of the diagonal of another class or the edge. With COCO's panoptic JSON: PQ,\n"
        "SQ and RQ of all classes, things and stuff, as panopticapi has them (as fractions). Pictures without a\n"
        "prediction are left out and counted. NAME_low and NAME_high: a 95 % interval by bootstrap.\n" JUDGE_BY_HELP,
    .example = "vidimus eval segmentation --truth masks/ --pred out/ --ignore 255 --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC | VD_OP_WRITES,
    .rows_if = "by",
    .run = run,
};
