/* Ids become indices, and what they decide: which results count at all. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect_int.h"

enum { LVIS_PER_IMAGE = 300 };

static int by_image(const void *a, const void *b) {
    int64_t p = ((const vd_detect_image *)a)->id, q = ((const vd_detect_image *)b)->id;
    return (p > q) - (p < q);
}
static int by_category(const void *a, const void *b) {
    int64_t p = ((const vd_detect_category *)a)->id, q = ((const vd_detect_category *)b)->id;
    return (p > q) - (p < q);
}

static int64_t find_image(const vd_detect_truth *t, int64_t id) {
    const vd_detect_image key = { .id = id };
    const vd_detect_image *p =
        t->n_images == 0 ? NULL
                         : bsearch(&key, t->image, (size_t)t->n_images, sizeof key, by_image);
    return p != NULL ? p - t->image : -1;
}
static int64_t find_category(const vd_detect_truth *t, int64_t id) {
    const vd_detect_category key = { .id = id };
    const vd_detect_category *p =
        t->n_categories == 0
            ? NULL
            : bsearch(&key, t->category, (size_t)t->n_categories, sizeof key, by_category);
    return p != NULL ? p - t->category : -1;
}

static int by_number(const void *a, const void *b) {
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

static vd_status check_annotation_ids(const vd_detect_set *s, const char *where, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *id = vd_mem_array((size_t)s->n, sizeof *id);
    if (id == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n; i++) id[i] = s->object[i].id;
    qsort(id, (size_t)s->n, sizeof *id, by_number);
    for (int64_t i = 1; i < s->n && st == VD_OK; i++)
        if (id[i] == id[i - 1])
            st = vd_fail(err, VD_E_FORMAT, "%s: two annotations have the id %lld", where,
                         (long long)id[i]);
    vd_mem_free(id);
    return st;
}

vd_status vd_detect__sort_ids(vd_detect_truth *t, const char *where, vd_err *err) {
    if (t->n_images > 0) qsort(t->image, (size_t)t->n_images, sizeof *t->image, by_image);
    if (t->n_categories > 0)
        qsort(t->category, (size_t)t->n_categories, sizeof *t->category, by_category);
    for (int64_t i = 1; i < t->n_images; i++)
        if (t->image[i].id == t->image[i - 1].id)
            return vd_fail(err, VD_E_FORMAT, "%s: two images have the id %lld", where,
                           (long long)t->image[i].id);
    for (int64_t i = 1; i < t->n_categories; i++)
        if (t->category[i].id == t->category[i - 1].id)
            return vd_fail(err, VD_E_FORMAT, "%s: two categories have the id %lld", where,
                           (long long)t->category[i].id);
    if (t->n_categories > VD_DETECT_MAX_CATEGORIES)
        return vd_fail(err, VD_E_LIMIT, "%s: %lld categories, the limit is %d", where,
                       (long long)t->n_categories, VD_DETECT_MAX_CATEGORIES);
    return check_annotation_ids(&t->objects, where, err);
}

/* Objects of unknown images are an error in results, and of no use in a truth; LVIS passes over
 * what has no area. */
vd_status vd_detect__resolve(vd_detect_set *s, const vd_detect_truth *t,
                             const vd_detect_rules *rules, bool truth, const char *where,
                             vd_err *err) {
    for (int64_t i = 0; i < s->n; i++) {
        vd_detect_object *o = &s->object[i];
        int64_t image = find_image(t, o->image);
        if (image < 0 && !truth)
            return vd_fail(err, VD_E_FORMAT,
                           "%s: result %lld is of image %lld, which the truth has not", where,
                           (long long)i, (long long)o->image);
        o->image = image;
        o->category = image < 0 ? -1 : find_category(t, o->category);
        if (image < 0 || o->category < 0) continue;
        if (o->height == 0) {
            o->height = t->image[image].height;
            o->width = t->image[image].width;
        }
        if (isnan(o->area) && o->outline != VD_OUTLINE_NONE) {
            vd_mask m = { 0 };
            VD_TRY(vd_detect__mask(&m, s, o, where, err));
            o->area = (double)vd_mask_area(&m);
            vd_mask_reset(&m);
        } else if (isnan(o->area)) {
            o->area = o->box[2] * o->box[3];
        }
        if (rules->metric == VD_DETECT_LVIS && !(o->area > 0)) o->category = -1;
    }
    return VD_OK;
}

/* ---- LVIS ---- */

typedef struct ranked {
    int64_t image, index;
    double score;
} ranked;

static int by_rank(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->image != q->image) return p->image < q->image ? -1 : 1;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

/* The best 300 of a picture count; of equal scores those that come first. */
static vd_status drop_surplus(vd_detect_set *s, vd_err *err) {
    ranked *r = vd_mem_array((size_t)s->n, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n; i++) r[i] = (ranked){ s->object[i].image, i, s->object[i].score };
    qsort(r, (size_t)s->n, sizeof *r, by_rank);
    for (int64_t i = 0, first = 0; i < s->n; i++) {
        if (r[i].image != r[first].image) first = i;
        if (i - first >= LVIS_PER_IMAGE) s->object[r[i].index].category = -1;
    }
    vd_mem_free(r);
    return VD_OK;
}

static bool listed(const vd_detect_truth *t, int64_t at, int64_t id) {
    for (int64_t i = 1; i <= t->list[at]; i++)
        if (t->list[at + i] == id) return true;
    return false;
}

/* Classes are judged where the truth has objects of them, or says that there are none. */
static vd_status drop_unjudged(vd_detect_set *s, const vd_detect_truth *t, vd_err *err) {
    int64_t n = t->objects.n, *pair = vd_mem_array((size_t)n, sizeof *pair);
    if (pair == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++) {
        const vd_detect_object *o = &t->objects.object[i];
        pair[i] = o->category < 0 ? -1 : o->image * t->n_categories + o->category;
    }
    qsort(pair, (size_t)n, sizeof *pair, by_number);
    for (int64_t i = 0; i < s->n; i++) {
        vd_detect_object *o = &s->object[i];
        if (o->category < 0) continue;
        const vd_detect_image *image = &t->image[o->image];
        int64_t id = t->category[o->category].id, key = o->image * t->n_categories + o->category;
        if (listed(t, image->unlisted_at, id)) o->flags |= VD_DETECT_UNLISTED;
        if (bsearch(&key, pair, (size_t)n, sizeof key, by_number) == NULL &&
            !listed(t, image->absent_at, id))
            o->category = -1;
    }
    vd_mem_free(pair);
    return VD_OK;
}

vd_status vd_detect__federate(vd_detect_set *s, const vd_detect_truth *t, const char *where,
                              vd_err *err) {
    for (int64_t i = 0; i < t->n_images; i++)
        if (t->image[i].absent_at < 0 || t->image[i].unlisted_at < 0)
            return vd_fail(err, VD_E_FORMAT,
                           "%s: image %lld of the truth lacks \"neg_category_ids\" or "
                           "\"not_exhaustive_category_ids\": no truth of LVIS",
                           where, (long long)t->image[i].id);
    VD_TRY(drop_surplus(s, err));
    return drop_unjudged(s, t, err);
}

/* ---- from elsewhere ---- */

vd_status vd_detect_finish_truth(vd_detect_truth *t, const vd_detect_rules *rules,
                                 const char *where, vd_err *err) {
    VD_TRY(vd_detect__sort_ids(t, where, err));
    return vd_detect__resolve(&t->objects, t, rules, true, where, err);
}

vd_status vd_detect_finish_predictions(vd_detect_set *s, const vd_detect_truth *t,
                                       const vd_detect_rules *rules, const char *where,
                                       vd_err *err) {
    VD_TRY(vd_detect__resolve(s, t, rules, false, where, err));
    return rules->metric == VD_DETECT_LVIS ? vd_detect__federate(s, t, where, err) : VD_OK;
}

vd_status vd_detect_name_image(vd_detect_truth *t, vd_detect_image *image, const char *name,
                               vd_err *err) {
    image->name_at = -1;
    if (name == NULL || name[0] == '\0') return VD_OK;
    int64_t n = (int64_t)strlen(name) + 1;
    VD_TRY(VD_GROW(t->names, t->cap_names, t->n_names + n, err));
    memcpy(t->names + t->n_names, name, (size_t)n);
    image->name_at = t->n_names;
    t->n_names += n;
    return VD_OK;
}

const char *vd_detect_image_name(const vd_detect_truth *t, int64_t image) {
    return t->image[image].name_at >= 0 ? t->names + t->image[image].name_at : NULL;
}
