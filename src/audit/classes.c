/* Classes of whole pictures against a model's probabilities, by confident learning: see
 * eval/confident.h. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "audit/predictions.h"
#include "base/map.h"
#include "base/mem.h"
#include "eval/confident.h"

/* The pictures with one class, as confident learning takes them. */
typedef struct items {
    int64_t *object;
    int32_t *label;
    double *p;
    int64_t n;
} items;

/* The object that says the picture's class, where it has one class alone; -1. */
static int64_t class_of(const vd_audit_set *s, int64_t image) {
    const vd_audit_image *m = &s->image[image];
    int64_t out = -1;
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &s->object[i];
        if (o->has & VD_OBJ_SHAPES || o->category == VD_LABEL_NONE) continue;
        if (out >= 0 && s->object[out].category != o->category) return -1;
        if (out < 0) out = i;
    }
    return out;
}

static vd_status images_by_asset(vd_map **out, const vd_audit_set *s, vd_err *err) {
    VD_TRY(vd_map_new(out, err));
    for (int64_t i = s->n_images; i-- > 0;) { /* of several the first is found */
        const vd_audit_image *m = &s->image[i];
        if (m->asset != 0) VD_TRY(vd_map_put(*out, &m->asset, sizeof m->asset, i, err));
    }
    return VD_OK;
}

static vd_status collect(items *t, const vd_audit_set *s, const vd_audit_probabilities *q,
                         vd_err *err) {
    vd_map *images = NULL;
    vd_status st = VD_OK;
    size_t k = (size_t)s->n_categories;
    VD_GO(images_by_asset(&images, s, err));
    t->object = vd_mem_array((size_t)q->n, sizeof *t->object);
    t->label = vd_mem_array((size_t)q->n, sizeof *t->label);
    t->p = q->n > 0 ? vd_mem_array((size_t)q->n, k * sizeof *t->p) : vd_mem_alloc(1);
    if (t->object == NULL || t->label == NULL || t->p == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < q->n; i++) {
        int64_t image = i;
        if (q->asset != NULL && !vd_map_get(images, &q->asset[i], sizeof *q->asset, &image))
            continue;
        int64_t object = class_of(s, image);
        if (object < 0) continue;
        t->object[t->n] = object;
        t->label[t->n] = s->object[object].category;
        memcpy(t->p + (size_t)t->n++ * k, q->p + (size_t)i * k, k * sizeof *t->p);
    }
done:
    vd_map_free(images);
    return st;
}

static vd_status tell(vd_audit_findings *f, const vd_audit_set *s, const items *t,
                      const vd_label_issue *r, vd_err *err) {
    return vd_audit_add_object(f, VD_AUDIT_WRONG_CLASS, s, t->object[r->item], 0, r->self, err,
                               "probably a '%.80s' (%.3f), as which it is labelled %.3f",
                               s->category[r->guess].name, r->self + r->margin, r->self);
}

vd_status vd_audit_wrong_classes(vd_audit_findings *f, const vd_audit_set *s,
                                 const vd_audit_probabilities *q, vd_err *err) {
    items t = { 0 };
    vd_confident joint = { 0 };
    vd_label_issue *found = NULL;
    int64_t n = 0;
    vd_status st = VD_OK;
    if (q->classes != s->n_categories)
        return vd_fail(err, VD_E_ARG, "probabilities of %lld classes, the label set has %lld",
                       (long long)q->classes, (long long)s->n_categories);
    if (q->asset == NULL && q->n != s->n_images)
        return vd_fail(err, VD_E_ARG,
                       "probabilities of %lld pictures, the label set has %lld: ids say which",
                       (long long)q->n, (long long)s->n_images);
    VD_GO(collect(&t, s, q, err));
    if (t.n == 0)
        VD_GO(vd_fail(err, VD_E_ARG,
                      "none of %lld pictures with probabilities has one class in the label set",
                      (long long)q->n));
    VD_GO(vd_confident_joint(&joint, t.label, t.p, t.n, (int)s->n_categories, err));
    VD_GO(vd_confident_find(&found, &n, &joint, t.label, t.p, VD_CONFIDENT_NOISE_RATE, err));
    for (int64_t i = 0; i < n; i++) VD_GO(tell(f, s, &t, &found[i], err));
done:
    vd_mem_free(found);
    vd_confident_reset(&joint);
    vd_mem_free(t.object);
    vd_mem_free(t.label);
    vd_mem_free(t.p);
    return st;
}
