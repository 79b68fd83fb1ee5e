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
#include "judge/interval.h"
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
    { .name = "by",
      .type = VD_T_CHOICE,
      .choices = "class",
      .help = "one row a class instead of one row" },
    BOOTSTRAP_ARGS,
};

typedef struct work {
    vd_panoptic truth, pred; /* panoptic */
    vd_segment_files truths, preds;
    bool panoptic;
    vd_segment_rows rows, totals;
    int64_t n_images, missing;
    vd_codec *codec;
    const char *libexec_dir;
    int32_t ignore[MAX_IGNORED];
    vd_semantic_opt opt;
    vd_pool *pool;
    double *replicates;
    uint64_t seed;
} work;

static void reset(work *w) {
    vd_panoptic_reset(&w->truth);
    vd_panoptic_reset(&w->pred);
    vd_segment_files_reset(&w->truths);
    vd_segment_files_reset(&w->preds);
    vd_segment_rows_reset(&w->rows);
    vd_segment_rows_reset(&w->totals);
    vd_codec_free(w->codec);
    vd_pool_free(w->pool);
    vd_mem_free(w->replicates);
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
            st = vd_semantic_add(&w->rows, w->n_images++, name, &map[0], &map[1], &w->opt, err);
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
            st =
                vd_panoptic_add(&w->rows, w->n_images++, p->file, &map[0], w->truth.segment + t->at,
                                t->count, &map[1], w->pred.segment + p->at, p->count, err);
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
    const work *w = user;
    vd_segment_rows totals = { 0 };
    vd_rng r = vd_rng_for(w->seed, (uint64_t)b, 0);
    double *weight = vd_mem_array((size_t)w->n_images, sizeof *weight);
    (void)worker;
    if (weight == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < w->n_images; i++) weight[vd_rng_int(&r, w->n_images)] += 1;
    vd_status st = vd_segment_totals(&totals, &w->rows, weight, err);
    if (st == VD_OK) st = score(w, w->replicates + b * MOST_NUMBERS, &totals, err);
    vd_segment_rows_reset(&totals);
    vd_mem_free(weight);
    return st;
}

static int numbers_of(const work *w, const char *const **name) {
    *name = w->panoptic ? vd_panoptic_number : vd_semantic_number;
    return w->panoptic ? VD_PANOPTIC_NUMBERS : VD_SEMANTIC_NUMBERS;
}

static vd_status send_one(vd_opcall *c, work *w, vd_err *err) {
    static const char *const count_name[] = { "images", "classes", "missing" };
    const int64_t count[] = { w->n_images, w->totals.n, w->missing };
    double number[MOST_NUMBERS];
    vd_judge_figures f = { .value = number,
                           .count_name = count_name,
                           .count = count,
                           .n_counts = VD_COUNT(count),
                           .stride = MOST_NUMBERS };
    f.n = numbers_of(w, &f.name);
    VD_TRY(score(w, number, &w->totals, err));
    f.n_replicates = w->n_images > 0 ? vd_arg_int(c, "bootstrap") : 0;
    w->seed = (uint64_t)vd_arg_int(c, "seed");
    w->replicates = vd_mem_array((size_t)f.n_replicates * MOST_NUMBERS, sizeof *w->replicates);
    if (w->replicates == NULL) return vd_nomem(err);
    f.replicate = w->replicates;
    VD_TRY(vd_judge_pool(&w->pool, c, err));
    VD_TRY(vd_pool_for(w->pool, f.n_replicates, replicate, w, err));
    return vd_judge_send(c, &f, err);
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

static vd_status send_classes(vd_opcall *c, const work *w, vd_err *err) {
    VD_TRY(vd_out_columns(c, w->panoptic ? panoptic_columns : semantic_columns,
                          w->panoptic ? VD_COUNT(panoptic_columns) : VD_COUNT(semantic_columns),
                          err));
    for (int64_t k = 0; k < w->totals.n; k++) {
        const vd_segment_row *r = &w->totals.row[k];
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

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { .libexec_dir = c->libexec_dir };
    w.panoptic = vd_str_ends(vd_arg_text(c, "truth"), ".json");
    w.opt.boundary = vd_arg_real(c, "boundary");
    VD_GO(parse_ignored(&w, vd_arg_text(c, "ignore"), err));
    VD_GO(w.panoptic ? add_panoptic(c, &w, err) : add_maps(c, &w, err));
    VD_GO(vd_segment_totals(&w.totals, &w.rows, NULL, err));
    VD_GO(vd_arg_given(c, "by") ? send_classes(c, &w, err) : send_one(c, &w, err));
    if (w.missing > 0)
        vd_out_words(c, "%lld pictures of the truth have no prediction and are left out",
                     (long long)w.missing);
done:
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
        "prediction are left out and counted. NAME_low and NAME_high: a 95 % interval by bootstrap.",
    .example = "vidimus eval segmentation --truth masks/ --pred out/ --ignore 255 --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC,
    .rows_if = "by",
    .run = run,
};
