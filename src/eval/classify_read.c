/* Reading classes and scores of them: NumPy files by position, CSV by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "eval/classify.h"

static const size_t MAX_FILE = (size_t)1 << 34;

/* One file. Labels are texts or numbers; scores are in `score` or, in NumPy's file, in place. */
typedef struct side {
    const char *path;
    char *file;
    size_t size;
    int64_t n;
    char **id, **label; /* in the file's text; NULL: NumPy's file */
    int64_t *number;    /* NumPy: labels */
    double *confidence; /* CSV: beside labels, NaN where there is none */
    int64_t n_scores;   /* columns of scores; 0: labels */
    char **score_name;  /* CSV */
    double *score;      /* CSV: [n * n_scores] */
    vd_npy npy;         /* of scores in NumPy's file */
    int64_t cap_id, cap_label, cap_confidence, cap_score;
} side;

static void side_reset(side *s) {
    vd_mem_free(s->file);
    vd_mem_free(s->id);
    vd_mem_free(s->label);
    vd_mem_free(s->number);
    vd_mem_free(s->confidence);
    vd_mem_free(s->score_name);
    vd_mem_free(s->score);
}

/* ---- NumPy ---- */

static int64_t whole(const side *s, vd_npy_type type, int64_t i) {
    const char *p = s->file + s->npy.data_at;
    int32_t v32;
    int64_t v64;
    switch (type) {
    case VD_NPY_U8: return (uint8_t)p[i];
    case VD_NPY_I32: memcpy(&v32, p + 4 * i, sizeof v32); return v32;
    default: memcpy(&v64, p + 8 * i, sizeof v64); return v64;
    }
}

static vd_status read_npy(side *s, bool truth, vd_err *err) {
    VD_TRY(vd_npy_parse(&s->npy, s->file, s->size, err));
    const vd_npy *a = &s->npy;
    bool scores = a->n_dims == 2 && a->type >= VD_NPY_F32 && !truth;
    if (!scores && !(a->n_dims == 1 && a->type < VD_NPY_F32))
        return vd_fail(err, VD_E_FORMAT, "%s: %d dimensions; %s", s->path, a->n_dims,
                       truth ? "labels are whole numbers [N]"
                             : "predictions are whole numbers [N] or real scores [N, C]");
    s->n = a->dim[0];
    s->n_scores = scores ? a->dim[1] : 0;
    uint64_t room = (s->size - (size_t)a->data_at) / vd_npy_elem_bytes(a->type);
    uint64_t wide = scores ? (uint64_t)s->n_scores : 1;
    if (wide > VD_CLASS_MAX_CLASSES || (scores && wide == 0) ||
        (uint64_t)s->n > room / VD_MAX(wide, 1))
        return vd_fail(err, VD_E_FORMAT, "%s: [%lld, %llu] elements, %llu are there", s->path,
                       (long long)s->n, (unsigned long long)wide, (unsigned long long)room);
    if (scores) return VD_OK;
    s->number = vd_mem_array((size_t)s->n, sizeof *s->number);
    if (s->number == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n; i++) s->number[i] = whole(s, a->type, i);
    return VD_OK;
}

static double score_at(const side *s, int64_t row, int64_t k) {
    int64_t i = row * s->n_scores + k;
    if (s->score != NULL) return s->score[i];
    const char *p = s->file + s->npy.data_at;
    float f;
    double d;
    if (s->npy.type == VD_NPY_F32) {
        memcpy(&f, p + 4 * i, sizeof f);
        return f;
    }
    memcpy(&d, p + 8 * i, sizeof d);
    return d;
}

/* ---- CSV ---- */

static vd_status parse_score(double *out, const vd_csv *c, int64_t field, vd_err *err) {
    char *end = NULL;
    *out = strtod(c->field[field], &end);
    if (end == c->field[field] || *end != '\0' || isnan(*out))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: '%.40s' is no score", c->where,
                       (long long)c->line, c->field[field]);
    return VD_OK;
}

/* The header: where labels are, or which classes have columns. */
static vd_status read_header(side *s, vd_csv *c, bool truth, int64_t *label, int64_t *confidence,
                             vd_err *err) {
    bool more = false;
    VD_TRY(vd_csv_next(c, &more, err));
    *label = more ? vd_csv_find(c, "label") : -1;
    *confidence = more ? vd_csv_find(c, "confidence") : -1;
    if (!more || c->n < 2 || *label == 0 || (truth && *label < 0))
        return vd_fail(err, VD_E_FORMAT,
                       "%s: no header whose first column names items, with a column \"label\"%s",
                       s->path, truth ? "" : " or one a class");
    if (*label > 0) return VD_OK;
    s->n_scores = c->n - 1;
    s->score_name = vd_mem_array((size_t)s->n_scores, sizeof *s->score_name);
    if (s->score_name == NULL) return vd_nomem(err);
    memcpy(s->score_name, c->field + 1, (size_t)s->n_scores * sizeof *s->score_name);
    return VD_OK;
}

static vd_status read_row(side *s, const vd_csv *c, int64_t n_fields, int64_t label,
                          int64_t confidence, vd_err *err) {
    if (c->n != n_fields)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: %lld fields, the header has %lld", s->path,
                       (long long)c->line, (long long)c->n, (long long)n_fields);
    VD_TRY(VD_GROW(s->id, s->cap_id, s->n + 1, err));
    s->id[s->n] = c->field[0];
    if (label > 0) {
        VD_TRY(VD_GROW(s->label, s->cap_label, s->n + 1, err));
        VD_TRY(VD_GROW(s->confidence, s->cap_confidence, s->n + 1, err));
        s->label[s->n] = c->field[label];
        s->confidence[s->n] = (double)NAN;
        if (confidence > 0) VD_TRY(parse_score(&s->confidence[s->n], c, confidence, err));
    } else {
        VD_TRY(VD_GROW(s->score, s->cap_score, (s->n + 1) * s->n_scores, err));
        for (int64_t k = 0; k < s->n_scores; k++)
            VD_TRY(parse_score(&s->score[s->n * s->n_scores + k], c, k + 1, err));
    }
    s->n++;
    return VD_OK;
}

static vd_status read_csv(side *s, bool truth, vd_err *err) {
    vd_csv c;
    int64_t label = 0, confidence = 0;
    vd_csv_init(&c, s->path, s->file, s->size);
    vd_status st = read_header(s, &c, truth, &label, &confidence, err);
    int64_t n_fields = c.n;
    for (bool more = true; st == VD_OK;) {
        st = vd_csv_next(&c, &more, err);
        if (st != VD_OK || !more) break;
        st = read_row(s, &c, n_fields, label, confidence, err);
    }
    vd_csv_reset(&c);
    return st;
}

static vd_status read_side(side *s, const char *path, bool truth, vd_err *err) {
    s->path = path;
    VD_TRY(vd_file_read(&s->file, &s->size, path, MAX_FILE, err));
    bool npy = s->size >= 6 && memcmp(s->file, "\x93NUMPY", 6) == 0;
    return npy ? read_npy(s, truth, err) : read_csv(s, truth, err);
}

/* ---- classes ---- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in the order of their bytes. */
static vd_status collect_names(vd_class_items *out, char **const list[3], const int64_t n[3],
                               vd_err *err) {
    int64_t total = 0, k = 0;
    for (int i = 0; i < 3; i++) total += list[i] != NULL ? n[i] : 0;
    char **all = vd_mem_array((size_t)total, sizeof *all);
    if (all == NULL) return vd_nomem(err);
    for (int i = 0; i < 3; i++)
        for (int64_t m = 0; list[i] != NULL && m < n[i]; m++) all[k++] = list[i][m];
    qsort(all, (size_t)total, sizeof *all, by_text);
    out->name = vd_mem_array((size_t)total, sizeof *out->name);
    vd_status st = out->name != NULL ? VD_OK : vd_nomem(err);
    for (int64_t i = 0; i < total && st == VD_OK; i++) {
        if (i > 0 && strcmp(all[i], all[i - 1]) == 0) continue;
        if ((out->name[out->n_classes] = vd_mem_strdup(all[i])) == NULL)
            st = vd_nomem(err);
        else
            out->n_classes++;
    }
    vd_mem_free(all);
    if (st == VD_OK && out->n_classes > VD_CLASS_MAX_CLASSES)
        st = vd_fail(err, VD_E_LIMIT, "classes: %lld, the limit is %d", (long long)out->n_classes,
                     VD_CLASS_MAX_CLASSES);
    return st;
}

static int32_t class_of(const vd_class_items *c, char *name) {
    char **p = bsearch(&name, c->name, (size_t)c->n_classes, sizeof *c->name, by_text);
    return p != NULL ? (int32_t)(p - c->name) : -1;
}

/* A label as a number, where the other side has numbers. */
static vd_status number_of(int64_t *out, const side *s, int64_t i, vd_err *err) {
    char *end = NULL;
    errno = 0;
    *out = s->number != NULL ? s->number[i] : strtoll(s->label[i], &end, 10);
    if (s->number == NULL && (end == s->label[i] || *end != '\0' || errno != 0))
        return vd_fail(
            err, VD_E_FORMAT,
            "%s: label '%.60s' of item %lld is no number, but the other file has numbers", s->path,
            s->label[i], (long long)i);
    if (*out < 0 || *out >= VD_CLASS_MAX_CLASSES)
        return vd_fail(err, VD_E_FORMAT, "%s: label %lld of item %lld is outside 0 to %d", s->path,
                       (long long)*out, (long long)i, VD_CLASS_MAX_CLASSES - 1);
    return VD_OK;
}

static vd_status class_at(int32_t *out, const vd_class_items *c, const side *s, int64_t i,
                          vd_err *err) {
    int64_t v = 0;
    if (c->name != NULL) {
        *out = class_of(c, s->label[i]);
        return VD_OK;
    }
    VD_TRY(number_of(&v, s, i, err));
    *out = (int32_t)v;
    return VD_OK;
}

static vd_status count_numbers(vd_class_items *out, const side *s, vd_err *err) {
    int64_t v = 0;
    out->n_classes = VD_MAX(out->n_classes, s->n_scores);
    for (int64_t i = 0; s->n_scores == 0 && i < s->n; i++) {
        VD_TRY(number_of(&v, s, i, err));
        out->n_classes = VD_MAX(out->n_classes, v + 1);
    }
    return VD_OK;
}

/* ---- items ---- */

/* Guess, confidence and rank out of a row of scores; `column` maps classes to columns (NULL: the
 * same). Equal scores: the guess is the first, ranks put the later class first. */
static vd_status judge_scores(vd_class_item *item, const side *p, int64_t row, const int32_t *of,
                              vd_err *err) {
    double best = -INFINITY, own = (double)NAN;
    int64_t own_column = -1, best_column = 0;
    for (int64_t k = 0; k < p->n_scores; k++) {
        double v = score_at(p, row, k);
        if (isnan(v))
            return vd_fail(err, VD_E_FORMAT, "%s: score %lld of item %lld is not a number", p->path,
                           (long long)k, (long long)row);
        if (v > best) {
            best = v;
            best_column = k;
        }
        if ((of != NULL ? of[k] : (int32_t)k) == item->truth) {
            own = v;
            own_column = k;
        }
    }
    item->guess = of != NULL ? of[best_column] : (int32_t)best_column;
    item->confidence = best;
    item->rank = INT32_MAX;
    if (own_column < 0) return VD_OK;
    item->rank = 0;
    for (int64_t k = 0; k < p->n_scores; k++) {
        double v = score_at(p, row, k);
        item->rank += v > own || (v == own && k > own_column);
    }
    return VD_OK;
}

/* Which row of the predictions belongs to each item; -1: none. */
static vd_status match_rows(int64_t *row, vd_class_items *out, const side *t, const side *p,
                            vd_err *err) {
    vd_map *m = NULL;
    int64_t there = 0, used = 0;
    if (t->id == NULL || p->id == NULL) {
        if (t->n != p->n)
            return vd_fail(err, VD_E_FORMAT,
                           "%s has %lld items, %s %lld: rows are matched by place", t->path,
                           (long long)t->n, p->path, (long long)p->n);
        for (int64_t i = 0; i < t->n; i++) row[i] = i;
        return VD_OK;
    }
    vd_status st = vd_map_new(&m, err);
    for (int64_t i = 0; i < p->n && st == VD_OK; i++) {
        if (vd_map_get(m, p->id[i], strlen(p->id[i]), &there))
            st = vd_fail(err, VD_E_FORMAT, "%s: item '%.100s' occurs twice", p->path, p->id[i]);
        else
            st = vd_map_put(m, p->id[i], strlen(p->id[i]), i, err);
    }
    for (int64_t i = 0; i < t->n && st == VD_OK; i++) {
        row[i] = -1;
        if (vd_map_get(m, t->id[i], strlen(t->id[i]), &there)) row[i] = there;
        used += row[i] >= 0;
        out->missing += row[i] < 0;
    }
    out->surplus = p->n - used;
    vd_map_free(m);
    return st;
}

static vd_status make_items(vd_class_items *out, const side *t, const side *p, const int64_t *row,
                            const int32_t *of, vd_err *err) {
    out->item = vd_mem_array((size_t)t->n, sizeof *out->item);
    if (out->item == NULL) return vd_nomem(err);
    out->n = t->n;
    for (int64_t i = 0; i < t->n; i++) {
        vd_class_item *item = &out->item[i];
        *item = (vd_class_item){ .guess = -1, .rank = -1, .confidence = (double)NAN };
        VD_TRY(class_at(&item->truth, out, t, i, err));
        if (row[i] < 0) continue;
        if (p->n_scores > 0) {
            VD_TRY(judge_scores(item, p, row[i], of, err));
            continue;
        }
        VD_TRY(class_at(&item->guess, out, p, row[i], err));
        if (p->confidence != NULL) item->confidence = p->confidence[row[i]];
    }
    return VD_OK;
}

static vd_status combine(vd_class_items *out, const side *t, const side *p, vd_err *err) {
    vd_status st = VD_OK;
    int32_t *of = NULL;
    int64_t *row = vd_mem_array((size_t)t->n, sizeof *row);
    bool numbers = t->number != NULL || p->number != NULL || (p->n_scores > 0 && p->id == NULL);
    if (row == NULL) return vd_nomem(err);
    if (numbers) {
        VD_GO(count_numbers(out, t, err));
        if (p->score_name != NULL)
            VD_GO(
                vd_fail(err, VD_E_FORMAT, "%s has names of classes, %s numbers", p->path, t->path));
        VD_GO(count_numbers(out, p, err));
    } else {
        char **const list[3] = { t->label, p->label, p->score_name };
        const int64_t n[3] = { t->n, p->n, p->n_scores };
        VD_GO(collect_names(out, list, n, err));
        of = vd_mem_array((size_t)p->n_scores + 1, sizeof *of);
        if (of == NULL) VD_GO(vd_nomem(err));
        for (int64_t k = 0; k < p->n_scores; k++) of[k] = class_of(out, p->score_name[k]);
    }
    VD_GO(match_rows(row, out, t, p, err));
    VD_GO(make_items(out, t, p, row, of, err));
done:
    vd_mem_free(of);
    vd_mem_free(row);
    return st;
}

vd_status vd_class_read(vd_class_items *out, const char *truth, const char *pred, vd_err *err) {
    side t = { 0 }, p = { 0 };
    vd_class_items c = { 0 };
    vd_status st = read_side(&t, truth, true, err);
    if (st == VD_OK) st = read_side(&p, pred, false, err);
    if (st == VD_OK) st = combine(&c, &t, &p, err);
    if (st == VD_OK && t.id != NULL) { /* the texts lie in the file */
        c.id = t.id;
        c.ids = t.file;
        t.id = NULL;
        t.file = NULL;
    }
    side_reset(&t);
    side_reset(&p);
    if (st == VD_OK)
        *out = c;
    else
        vd_class_items_reset(&c);
    return st;
}
