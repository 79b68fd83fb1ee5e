/* Objects much larger, smaller, wider or higher than others of their class.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Of each class, the logarithms of sizes (the square root of the box's area, over that of the
 * picture's where that is known) and of proportions (width over height) have a median, and a spread
 * to either side: 1.4826 times the median distance of those on that side, and not below
 * LEAST_SPREAD [Leys et al. 2013, Detecting outliers; Rosenmai 2013, double MAD]. The score is
 * 2.5 / z: z = 5 spreads give 0.5.
 *
 * Sizes have heavy tails by nature. So a class is judged only where it has LEAST_OBJECTS objects;
 * and where more than MOST_BEYOND of those on a side are beyond the threshold, that tail belongs to
 * the class and is left alone. Boxes that touch the edge of their picture are cut off by it: they
 * are not judged by proportion, nor for being small. Crowds and turned boxes have no say. */
#include <math.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/mem.h"

enum { LEAST_OBJECTS = 20 };
static const double LEAST_SPREAD = 0.1; /* of a logarithm: 10 % */
/* of the class, on a side; a normal distribution has 3e-7 there, Cauchy's 0.043 */
static const double MOST_BEYOND = 0.03;
static const double GAUSSIAN = 1.4826, JUDGED_AT = 2.5, EDGE_PX = 1.5;

typedef struct sample {
    double v;
    int64_t object;
    bool cut; /* by the edge of the picture */
} sample;

typedef struct spread {
    double median, below, above; /* logarithms */
    bool judged_below, judged_above;
} spread;

/* The k-th smallest, which comes to v[k], what is smaller before it [Hoare 1961, FIND]. */
static double kth(double *v, int64_t n, int64_t k) {
    for (int64_t lo = 0, hi = n - 1; lo < hi;) {
        double pivot = v[lo + (hi - lo) / 2];
        int64_t i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (pivot < v[j]) j--;
            if (i > j) break;
            double t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
    return v[k];
}

static double median_of(double *v, int64_t n) {
    double upper = kth(v, n, n / 2), lower = v[0];
    if (n % 2) return upper;
    for (int64_t i = 1; i < n / 2; i++) lower = fmax(lower, v[i]);
    return 0.5 * (lower + upper);
}

/* Distances of those on one side of the median; half of what is equal to it is on either. */
static double spread_of(double *work, const sample *s, int64_t n, double median, int side) {
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = side * (s[i].v - median);
        if (d >= 0) work[k++] = d;
    }
    return fmax(LEAST_SPREAD, k > 0 ? GAUSSIAN * median_of(work, k) : 0);
}

static double score_of(const spread *d, double v) {
    double z = v > d->median ? (v - d->median) / d->above : (d->median - v) / d->below;
    return z > JUDGED_AT ? JUDGED_AT / z : 1;
}

static void measure(spread *out, double *work, const sample *s, int64_t n, double threshold) {
    int64_t beyond[2] = { 0 };
    for (int64_t i = 0; i < n; i++) work[i] = s[i].v;
    out->median = median_of(work, n);
    out->below = spread_of(work, s, n, out->median, -1);
    out->above = spread_of(work, s, n, out->median, 1);
    for (int64_t i = 0; i < n; i++)
        if (score_of(out, s[i].v) < threshold) beyond[s[i].v > out->median]++;
    /* two are never a tail */
    out->judged_below = (double)beyond[0] <= fmax(2, MOST_BEYOND * (double)n);
    out->judged_above = (double)beyond[1] <= fmax(2, MOST_BEYOND * (double)n);
}

static vd_status tell(vd_audit_findings *f, const vd_audit_set *s, vd_audit_kind kind,
                      const spread *d, const sample *p, int64_t n, vd_err *err) {
    bool size = kind == VD_AUDIT_ODD_SIZE, over = p->v > d->median;
    double score = score_of(d, p->v), times = exp(fabs(p->v - d->median));
    if (!(over ? d->judged_above : d->judged_below)) return VD_OK;
    if (p->cut && !(size && over)) return VD_OK;
    const char *what = size ? over ? "larger" : "smaller" : over ? "wider" : "higher";
    return vd_audit_add_object(f, kind, s, p->object, 0, score, err,
                               "%.1f times %s than the usual '%.80s', by %.1f spreads of %lld"
                               " objects",
                               times, what, vd_audit_class(s, p->object), JUDGED_AT / score,
                               (long long)n);
}

static vd_status judge_class(vd_audit_findings *f, const vd_audit_set *s, vd_audit_kind kind,
                             const sample *p, int64_t n, double *work, vd_err *err) {
    spread d;
    if (n < LEAST_OBJECTS) return VD_OK;
    measure(&d, work, p, n, f->threshold[kind]);
    for (int64_t i = 0; i < n; i++)
        if (score_of(&d, p[i].v) < f->threshold[kind]) VD_TRY(tell(f, s, kind, &d, &p[i], n, err));
    return VD_OK;
}

/* ---- samples by class ---- */

static void size_of(const vd_audit_image *m, int32_t *w, int32_t *h) {
    *w = m->width > 0 ? m->width : m->asset_width;
    *h = m->height > 0 ? m->height : m->asset_height;
}

static bool counts(const vd_audit_object *o) {
    return o->category != VD_LABEL_NONE && vd_audit_placed(o) &&
           !(o->has & (VD_OBJ_CROWD | VD_OBJ_ROTATED));
}

static sample sample_of(const vd_audit_set *s, int64_t object, vd_audit_kind kind, bool relative) {
    const vd_audit_object *o = &s->object[object];
    int32_t w = 0, h = 0;
    size_of(&s->image[o->image], &w, &h);
    sample out = { .object = object };
    double bw = o->box[2], bh = o->box[3];
    if (kind == VD_AUDIT_ODD_ASPECT)
        out.v = log(bw / bh);
    else
        out.v = 0.5 * (log(bw) + log(bh) - (relative ? log((double)w * h) : 0));
    out.cut = o->box[0] < EDGE_PX || o->box[1] < EDGE_PX ||
              (w > 0 && (o->box[0] + bw > w - EDGE_PX || o->box[1] + bh > h - EDGE_PX));
    return out;
}

/* first[c] .. first[c + 1]: the objects of class c, in their order. */
static void sort_samples(sample *out, int64_t *first, const vd_audit_set *s, vd_audit_kind kind,
                         bool relative) {
    for (int64_t c = 0; c <= s->n_categories; c++) first[c] = 0;
    for (int64_t i = 0; i < s->n_objects; i++)
        if (counts(&s->object[i])) first[s->object[i].category + 1]++;
    for (int64_t c = 0; c < s->n_categories; c++) first[c + 1] += first[c];
    for (int64_t i = 0; i < s->n_objects; i++)
        if (counts(&s->object[i]))
            out[first[s->object[i].category]++] = sample_of(s, i, kind, relative);
    for (int64_t c = s->n_categories; c > 0; c--) first[c] = first[c - 1];
    first[0] = 0;
}

static bool all_sized(const vd_audit_set *s) {
    for (int64_t i = 0; i < s->n_images; i++) {
        int32_t w = 0, h = 0;
        size_of(&s->image[i], &w, &h);
        if (w == 0 || h == 0) return false;
    }
    return true;
}

vd_status vd_audit_outliers(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    static const vd_audit_kind kinds[] = { VD_AUDIT_ODD_SIZE, VD_AUDIT_ODD_ASPECT };
    vd_status st = VD_OK;
    bool relative = all_sized(s);
    size_t n = (size_t)s->n_objects;
    sample *p = vd_mem_array(n, sizeof *p);
    double *work = vd_mem_array(n, sizeof *work);
    int64_t *first = vd_mem_array((size_t)s->n_categories + 1, sizeof *first);
    if (p == NULL || work == NULL || first == NULL) VD_GO(vd_nomem(err));
    for (int k = 0; k < VD_COUNT(kinds); k++) {
        sort_samples(p, first, s, kinds[k], relative);
        for (int64_t c = 0; c < s->n_categories; c++)
            VD_GO(judge_class(f, s, kinds[k], p + first[c], first[c + 1] - first[c], work, err));
    }
done:
    vd_mem_free(p);
    vd_mem_free(work);
    vd_mem_free(first);
    return st;
}
