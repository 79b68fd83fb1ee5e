/* eval detection: two sets of predictions beside each other, and slices. SPDX-License-Identifier:
 * Apache-2.0
 *
 * A slice of pictures takes the hits in them as they are: who found what is decided picture by
 * picture. So its figures have the bits of those of files that hold these pictures only. A slice by
 * sizes of objects is matched anew: objects outside of it are ignored, as COCO does for its small,
 * medium and large ones. */
#include <math.h>

#include "base/mem.h"
#include "judge/detection.h"

vd_status vd_detection_replicates(double **out, const vd_opcall *c, const vd_detection *w,
                                  const vd_detect_hits *hits, const vd_detect_rules *rules,
                                  vd_err *err) {
    if (w->n_replicates == 0) return VD_OK;
    *out = vd_mem_array((size_t)w->n_replicates * VD_DETECT_NUMBERS, sizeof **out);
    if (*out == NULL) return vd_nomem(err);
    return vd_detect_bootstrap(*out, w->n_replicates, (uint64_t)vd_arg_int(c, "seed"), hits, rules,
                               w->truth.category, w->pool, err);
}

/* ---- one slice ---- */

/* Both sides of a slice, or of all. */
typedef struct part {
    vd_detect_hits hits[2];
    double number[2][VD_DETECT_NUMBERS];
    double *replicates[2];
} part;

static void part_reset(part *p) {
    for (int i = 0; i < 2; i++) {
        vd_detect_hits_reset(&p->hits[i]);
        vd_mem_free(p->replicates[i]);
    }
}

static vd_status judge_part(part *p, int side, const vd_opcall *c, const vd_detection *w,
                            const vd_detect_rules *rules, vd_err *err) {
    vd_detect_curves curves = { 0 };
    VD_TRY(vd_detect_curves_make(&curves, &p->hits[side], rules, w->pool, err));
    vd_status st = vd_detect_summarise(p->number[side], &curves, rules, w->truth.category, 0,
                                       w->truth.n_categories, err);
    vd_detect_curves_reset(&curves);
    if (st != VD_OK) return st;
    return vd_detection_replicates(&p->replicates[side], c, w, &p->hits[side], rules, err);
}

static vd_status part_of_pictures(part *p, const vd_opcall *c, const vd_detection *w,
                                  const vd_slices *s, int k, int32_t *picture, vd_err *err) {
    int64_t n = vd_slice_members(picture, s, k);
    for (int i = 0; i < w->sides; i++) {
        VD_TRY(vd_detect_hits_part(&p->hits[i], &w->hits[i], picture, n, &w->rules, err));
        VD_TRY(judge_part(p, i, c, w, &w->rules, err));
    }
    return VD_OK;
}

/* ---- comparison ---- */

/* The replicates of figure i in which both sides have it: how much more the second has. */
static int64_t differences(double *out, const vd_detection *w, double *const replicates[2], int i) {
    int64_t n = 0;
    for (int64_t r = 0; r < w->n_replicates; r++) {
        double x = replicates[0][r * VD_DETECT_NUMBERS + i];
        double y = replicates[1][r * VD_DETECT_NUMBERS + i];
        if (x > -1 && y > -1) out[n++] = y - x;
    }
    return n;
}

/* Twice the smaller share of replicates on either side of 0, once they lie about the difference;
 * those at 0 are on both. Never below 1 in as many. */
static double two_sided(const double *d, int64_t n, double difference) {
    int64_t above = 0, below = 0;
    double mean = vd_judge_mean(d, n);
    for (int64_t i = 0; i < n; i++) {
        above += d[i] - mean + difference >= 0;
        below += d[i] - mean + difference <= 0;
    }
    return VD_MIN(1, 2 * (double)VD_MAX(VD_MIN(above, below), 1) / (double)n);
}

enum { SLICE_COLUMNS = 3 };
static const vd_column compare_columns[] = {
    { "by", VD_TEXT, "", "", 0 },         { "slice", VD_TEXT, "", "", 0 },
    { "pictures", VD_INT, "", "", 0 },    { "figure", VD_TEXT, "", "", 0 },
    { "pred", VD_REAL, "", "", 0 },       { "compare", VD_REAL, "", "", 0 },
    { "difference", VD_REAL, "", "", 0 }, { "low", VD_REAL, "", "", 0 },
    { "high", VD_REAL, "", "", 0 },       { "p", VD_REAL, "", "", 0 },
};

static vd_status send_compare_columns(vd_opcall *c, bool slices, vd_err *err) {
    int skip = slices ? 0 : SLICE_COLUMNS;
    return vd_out_columns(c, compare_columns + skip, VD_COUNT(compare_columns) - skip, err);
}

/* Rows of all figures; replicates are pairs: their differences tell whether one side is better. */
static vd_status send_compared(vd_opcall *c, const vd_detection *w, const double *a,
                               const double *b, double *const replicates[2], const vd_slices *s,
                               int k, vd_err *err) {
    const char *const *name;
    int n = vd_detect_numbers(&w->rules, &name), skip = s != NULL ? 0 : SLICE_COLUMNS;
    double low = 0, high = 0, *d = vd_mem_array((size_t)w->n_replicates, sizeof *d);
    vd_status st = d != NULL ? VD_OK : vd_nomem(err);
    for (int i = 0; i < n && st == VD_OK; i++) {
        int64_t m = w->n_replicates > 0 ? differences(d, w, replicates, i) : 0;
        bool known = a[i] > -1 && b[i] > -1 && vd_judge_bounds(d, m, b[i] - a[i], &low, &high);
        double p = known ? two_sided(d, m, b[i] - a[i]) : 0;
        const vd_value row[] = { s != NULL ? vd_val_text(s->by) : vd_val_null(),
                                 s != NULL ? vd_val_text(s->slice[k].name) : vd_val_null(),
                                 vd_val_int(s != NULL ? s->slice[k].n : 0),
                                 vd_val_text(name[i]),
                                 vd_val_real(a[i]),
                                 vd_val_real(b[i]),
                                 vd_val_real(b[i] - a[i]),
                                 known ? vd_val_real(low) : vd_val_null(),
                                 known ? vd_val_real(high) : vd_val_null(),
                                 known ? vd_val_real(p) : vd_val_null() };
        st = vd_out_row(c, row + skip, err);
    }
    vd_mem_free(d);
    return st;
}

vd_status vd_detection_comparison(vd_opcall *c, const vd_detection *w, vd_err *err) {
    double b[VD_DETECT_NUMBERS];
    VD_TRY(vd_detect_summarise(b, &w->curves[1], &w->rules, w->truth.category, 0,
                               w->truth.n_categories, err));
    VD_TRY(send_compare_columns(c, false, err));
    return send_compared(c, w, w->number, b, w->replicates, NULL, 0, err);
}

/* ---- rows ---- */

typedef struct table {
    vd_opcall *c;
    const vd_detection *w;
    vd_slice_table rows;
} table;

static vd_status send_part(table *t, const part *p, const vd_slices *s, int k,
                           const vd_detect_rules *rules, vd_err *err) {
    static const char *const count_name[] = { "truths", "predictions" };
    const vd_detect_hits *h = &p->hits[0];
    int64_t count[2] = { 0, h->begin[h->n_categories] };
    if (t->w->sides == 2)
        return send_compared(t->c, t->w, p->number[0], p->number[1], p->replicates, s, k, err);
    for (int64_t i = 0; i < h->n_categories; i++) count[0] += h->positives[i * rules->n_areas];
    vd_judge_figures f = { .value = p->number[0],
                           .count_name = count_name,
                           .count = count,
                           .n_counts = VD_COUNT(count),
                           .replicate = p->replicates[0],
                           .stride = VD_DETECT_NUMBERS,
                           .n_replicates = t->w->n_replicates };
    f.n = vd_detect_numbers(rules, &f.name);
    return vd_slice_row(&t->rows, s, k, &f, err);
}

static vd_status slices_of_pictures(table *t, const char *by, vd_err *err) {
    const vd_detection *w = t->w;
    vd_slices s = { 0 };
    vd_status st = VD_OK;
    int32_t *picture = vd_mem_array((size_t)w->truth.n_images, sizeof *picture);
    if (picture == NULL) return vd_nomem(err);
    VD_GO(vd_slices_make(&s, vd_dataset_db(w->data.ds), by, w->data.asset, w->truth.n_images, err));
    for (int k = 0; k < s.n && st == VD_OK; k++) {
        part p = { 0 };
        st = part_of_pictures(&p, t->c, w, &s, k, picture, err);
        if (st == VD_OK) st = send_part(t, &p, &s, k, &w->rules, err);
        part_reset(&p);
        if (st == VD_OK && t->c->on_cancel != NULL && t->c->on_cancel(t->c->user))
            st = vd_fail(err, VD_E_CANCEL, "eval detection: stopped");
    }
done:
    vd_mem_free(picture);
    vd_slices_reset(&s);
    return st;
}

/* ---- sizes of objects ---- */

/* The rules whose ranges of areas are those of a slice, and what they have in common with it. Both
 * ends of a range belong to it, only the lower one of a slice, but in the last. */
static vd_detect_rules rules_between(const vd_detect_rules *rules, const vd_slices *s, int k) {
    vd_detect_rules r = *rules;
    const vd_slice *p = &s->slice[k];
    bool last = k + 1 == s->n || isnan(s->slice[k + 1].from);
    double to = last || p->from == p->to ? p->to : nextafter(p->to, p->from);
    for (int a = 0; a < r.n_areas; a++) {
        r.area[a][0] = VD_MAX(r.area[a][0], p->from);
        r.area[a][1] = VD_MIN(r.area[a][1], to);
    }
    return r;
}

static vd_status part_of_objects(part *p, const vd_opcall *c, const vd_detection *w,
                                 const vd_detect_rules *rules, vd_err *err) {
    for (int i = 0; i < w->sides; i++) {
        VD_TRY(vd_detect_match(&p->hits[i], &w->truth, &w->set[i], rules, w->pool, err));
        VD_TRY(judge_part(p, i, c, w, rules, err));
    }
    return VD_OK;
}

/* Areas of the objects that count; NaN: the others. */
static vd_status object_areas(double **out, const vd_detect_set *s, int64_t *n, vd_err *err) {
    double *v = vd_mem_array((size_t)s->n, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n; i++) {
        const vd_detect_object *o = &s->object[i];
        bool counts = o->image >= 0 && o->category >= 0 && !(o->flags & VD_DETECT_IGNORED);
        if (counts) v[(*n)++] = o->area;
    }
    *out = v;
    return VD_OK;
}

static vd_status slices_of_objects(table *t, const char *by, vd_err *err) {
    const vd_detection *w = t->w;
    vd_slices s = { 0 };
    double *area = NULL;
    int64_t n = 0;
    vd_status st = object_areas(&area, &w->truth.objects, &n, err);
    if (st == VD_OK) st = vd_slices_of_numbers(&s, by, area, n, err);
    for (int k = 0; k < s.n && st == VD_OK; k++) {
        part p = { 0 };
        vd_detect_rules rules = rules_between(&w->rules, &s, k);
        s.slice[k].n = w->truth.n_images;
        st = part_of_objects(&p, t->c, w, &rules, err);
        if (st == VD_OK) st = send_part(t, &p, &s, k, &rules, err);
        part_reset(&p);
    }
    vd_mem_free(area);
    vd_slices_reset(&s);
    return st;
}

vd_status vd_detection_slices(vd_opcall *c, vd_detection *w, const char *const *by, int n,
                              vd_err *err) {
    table t = { c, w, { .c = c, .json = vd_arg_given(c, "keep") ? &w->slices : NULL } };
    if (w->sides == 2) VD_TRY(send_compare_columns(c, true, err));
    for (int i = 0; i < n; i++)
        VD_TRY(vd_judge_is_own(by[i], VD_OBJECT_AREA) ? slices_of_objects(&t, by[i], err)
                                                      : slices_of_pictures(&t, by[i], err));
    return vd_str_check(&w->slices, err);
}
