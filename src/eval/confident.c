/* Confident learning. SPDX-License-Identifier: Apache-2.0 */
#include "eval/confident.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

void vd_confident_reset(vd_confident *c) {
    vd_mem_free(c->threshold);
    vd_mem_free(c->count);
    vd_mem_free(c->joint);
    *c = (vd_confident){ 0 };
}

static vd_status check_item(const int32_t *label, const double *p, int64_t i, int classes,
                            vd_err *err) {
    double sum = 0;
    if (label[i] < 0 || label[i] >= classes)
        return vd_fail(err, VD_E_ARG, "labels: item %lld has label %d, classes are 0 to %d",
                       (long long)i, (int)label[i], classes - 1);
    for (int k = 0; k < classes; k++) {
        double v = p[i * classes + k];
        if (!(v >= 0 && v <= 1))
            return vd_fail(err, VD_E_ARG, "probabilities: item %lld, class %d: %g", (long long)i, k,
                           v);
        sum += v;
    }
    if (fabs(sum - 1) > 0.01)
        return vd_fail(err, VD_E_ARG, "probabilities: those of item %lld sum to %g, not 1",
                       (long long)i, sum);
    return VD_OK;
}

static vd_status thresholds(vd_confident *c, const int32_t *label, const double *p, vd_err *err) {
    int64_t *items = vd_mem_array((size_t)c->classes, sizeof *items);
    if (items == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < c->n; i++) {
        c->threshold[label[i]] += p[i * c->classes + label[i]];
        items[label[i]]++;
    }
    for (int k = 0; k < c->classes; k++)
        c->threshold[k] = items[k] > 0 ? c->threshold[k] / (double)items[k] : NAN;
    vd_mem_free(items);
    return VD_OK;
}

/* The class the item is confidently of, -1 where none. NaN thresholds are never reached; what is
 * short of one by the rounding of its sum reaches it. */
static int confident_class(const vd_confident *c, const double *p) {
    int best = -1;
    for (int k = 0; k < c->classes; k++)
        if (p[k] >= c->threshold[k] - 1e-6 && (best < 0 || p[k] > p[best])) best = k;
    return best;
}

/* Rows of C scaled to the numbers of labels, over n. A class none of whose items is confidently
 * anything is taken at its word. */
static void scale_joint(vd_confident *c, const int64_t *items) {
    size_t k = (size_t)c->classes;
    for (size_t i = 0; i < k; i++) {
        int64_t row = 0;
        for (size_t j = 0; j < k; j++) row += c->count[i * k + j];
        for (size_t j = 0; j < k; j++) {
            double share = row > 0 ? (double)c->count[i * k + j] / (double)row : i == j;
            c->joint[i * k + j] = share * (double)items[i] / (double)VD_MAX(c->n, 1);
        }
    }
}

vd_status vd_confident_joint(vd_confident *out, const int32_t *label, const double *p, int64_t n,
                             int classes, vd_err *err) {
    vd_status st = VD_OK;
    if (classes < 1 || classes > VD_CONFIDENT_MAX_CLASSES || n < 0)
        return vd_fail(err, VD_E_ARG, "labels: %d classes, allowed are 1 to %d", classes,
                       VD_CONFIDENT_MAX_CLASSES);
    vd_confident c = { .classes = classes, .n = n };
    size_t k = (size_t)classes;
    int64_t *items = vd_mem_array(k, sizeof *items);
    c.threshold = vd_mem_array(k, sizeof *c.threshold);
    c.count = vd_mem_array(k * k, sizeof *c.count);
    c.joint = vd_mem_array(k * k, sizeof *c.joint);
    if (items == NULL || c.threshold == NULL || c.count == NULL || c.joint == NULL)
        VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < n; i++) VD_GO(check_item(label, p, i, classes, err));
    VD_GO(thresholds(&c, label, p, err));
    for (int64_t i = 0; i < n; i++) {
        int of = confident_class(&c, p + i * classes);
        if (of >= 0) c.count[(size_t)label[i] * k + (size_t)of]++;
        items[label[i]]++;
    }
    scale_joint(&c, items);
    vd_confident_reset(out);
    *out = c;
    c = (vd_confident){ 0 };
done:
    vd_confident_reset(&c);
    vd_mem_free(items);
    return st;
}

/* ---- which ones ---- */

typedef struct ranked {
    double worth; /* largest first */
    int64_t item;
} ranked;

static bool before(const ranked *a, const ranked *b) {
    return a->worth != b->worth ? a->worth > b->worth : a->item < b->item;
}

static void sift_down(ranked *r, int64_t n, int64_t at) {
    ranked e = r[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(&r[child + 1], &r[child])) child++;
        if (!before(&r[child], &e)) break;
        r[at] = r[child];
    }
    r[at] = e;
}

/* Items by label: member[start[k] .. start[k + 1]). */
typedef struct pruning {
    const vd_confident *c;
    const int32_t *label;
    const double *p;
    int64_t *start, *member, *wrong; /* wrong[j]: of the class at hand, how many are truly j */
    ranked *rank;
    uint8_t *by_rate, *by_class;
} pruning;

static vd_status pruning_init(pruning *w, vd_err *err) {
    size_t k = (size_t)w->c->classes, n = (size_t)w->c->n;
    w->start = vd_mem_array(k + 2, sizeof *w->start);
    w->wrong = vd_mem_array(k, sizeof *w->wrong);
    w->member = vd_mem_array(n, sizeof *w->member);
    w->rank = vd_mem_array(n, sizeof *w->rank);
    w->by_rate = vd_mem_array(n, 1);
    w->by_class = vd_mem_array(n, 1);
    if (w->start == NULL || w->wrong == NULL || w->member == NULL || w->rank == NULL ||
        w->by_rate == NULL || w->by_class == NULL)
        return vd_nomem(err);
    for (size_t i = 0; i < n; i++) w->start[w->label[i] + 2]++;
    for (size_t j = 0; j <= k; j++) w->start[j + 1] += w->start[j];
    for (size_t i = 0; i < n; i++) w->member[w->start[w->label[i] + 1]++] = (int64_t)i;
    return VD_OK;
}

static void pruning_reset(pruning *w) {
    vd_mem_free(w->start);
    vd_mem_free(w->member);
    vd_mem_free(w->wrong);
    vd_mem_free(w->rank);
    vd_mem_free(w->by_rate);
    vd_mem_free(w->by_class);
}

/* How many of class i are estimated to be truly of each other class; fewer in proportion where not
 * one would stay. Gives their sum. */
static int64_t count_wrong(pruning *w, int i) {
    const vd_confident *c = w->c;
    int64_t size = w->start[i + 1] - w->start[i], sum = 0;
    double off = 0;
    for (int j = 0; j < c->classes; j++)
        if (j != i) off += c->joint[(size_t)i * (size_t)c->classes + (size_t)j] * (double)c->n;
    double keep = off > (double)size - 1 ? ((double)size - 1) / off : 1;
    for (int j = 0; j < c->classes; j++) {
        double q = c->joint[(size_t)i * (size_t)c->classes + (size_t)j] * (double)c->n;
        w->wrong[j] = j == i ? 0 : (int64_t)nearbyint(q * keep);
        sum += w->wrong[j];
    }
    return VD_MIN(sum, VD_MAX(size - 1, 0));
}

/* Marks the `n` of the ranked that are worth most: few of many, so a heap and no sort. */
static void mark(ranked *rank, int64_t size, uint8_t *flag, int64_t n) {
    for (int64_t at = size / 2; at-- > 0;) sift_down(rank, size, at);
    for (; n > 0 && size > 0; n--) {
        flag[rank[0].item] = 1;
        rank[0] = rank[--size];
        if (size > 0) sift_down(rank, size, 0);
    }
}

static void prune_class(pruning *w, int i) {
    size_t classes = (size_t)w->c->classes;
    int64_t size = w->start[i + 1] - w->start[i];
    if (size < 2) return;
    int64_t all = count_wrong(w, i);
    for (int j = 0; j < w->c->classes; j++) {
        if (w->wrong[j] == 0) continue;
        for (int64_t k = 0; k < size; k++) {
            int64_t item = w->member[w->start[i] + k];
            const double *p = w->p + (size_t)item * classes;
            w->rank[k] = (ranked){ p[j] - p[i], item };
        }
        mark(w->rank, size, w->by_rate, w->wrong[j]);
    }
    if (all == 0) return;
    for (int64_t k = 0; k < size; k++) {
        int64_t item = w->member[w->start[i] + k];
        w->rank[k] = (ranked){ -w->p[(size_t)item * classes + (size_t)i], item };
    }
    mark(w->rank, size, w->by_class, all);
}

static bool is_found(const pruning *w, int64_t item, vd_confident_rule rule) {
    const double *p = w->p + item * w->c->classes;
    int of;
    switch (rule) {
    case VD_CONFIDENT_NOISE_RATE: return w->by_rate[item];
    case VD_CONFIDENT_CLASS: return w->by_class[item];
    case VD_CONFIDENT_BOTH: return w->by_rate[item] && w->by_class[item];
    default: of = confident_class(w->c, p); return of >= 0 && of != w->label[item];
    }
}

static vd_label_issue issue_of(const pruning *w, int64_t item) {
    const double *p = w->p + item * w->c->classes;
    int guess = 0;
    for (int k = 1; k < w->c->classes; k++)
        if (p[k] > p[guess]) guess = k;
    return (vd_label_issue){ item, w->label[item], guess, p[w->label[item]],
                             p[guess] - p[w->label[item]] };
}

static int by_self(const void *a, const void *b) {
    const vd_label_issue *p = a, *q = b;
    if (p->self != q->self) return p->self < q->self ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

vd_status vd_confident_find(vd_label_issue **out, int64_t *n_out, const vd_confident *c,
                            const int32_t *label, const double *p, vd_confident_rule rule,
                            vd_err *err) {
    vd_status st = VD_OK;
    pruning w = { .c = c, .label = label, .p = p };
    vd_label_issue *found = vd_mem_array((size_t)c->n, sizeof *found);
    int64_t n = 0;
    if (found == NULL) VD_GO(vd_nomem(err));
    VD_GO(pruning_init(&w, err));
    for (int i = 0; i < c->classes; i++) prune_class(&w, i);
    for (int64_t i = 0; i < c->n; i++) {
        if (!is_found(&w, i, rule)) continue;
        vd_label_issue one = issue_of(&w, i);
        if (one.guess != one.given) found[n++] = one;
    }
    qsort(found, (size_t)n, sizeof *found, by_self);
    *out = found;
    *n_out = n;
    found = NULL;
done:
    vd_mem_free(found);
    pruning_reset(&w);
    return st;
}
