/* Tracks by union-find with a veto. SPDX-License-Identifier: Apache-2.0 */
#include "sfm/tracks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Members of a set form a ring. */
typedef struct forest {
    int32_t *parent, *size, *next, *image;
} forest;

static void forest_reset(forest *f) {
    vd_mem_free(f->parent);
    vd_mem_free(f->size);
    vd_mem_free(f->next);
    vd_mem_free(f->image);
}

static vd_status forest_init(forest *f, const int32_t *first, int32_t n_images, vd_err *err) {
    size_t n = (size_t)first[n_images];
    f->parent = vd_mem_alloc(n * sizeof *f->parent);
    f->size = vd_mem_alloc(n * sizeof *f->size);
    f->next = vd_mem_alloc(n * sizeof *f->next);
    f->image = vd_mem_alloc(n * sizeof *f->image);
    if (f->parent == NULL || f->size == NULL || f->next == NULL || f->image == NULL)
        return vd_nomem(err);
    for (int32_t i = 0; i < n_images; i++)
        for (int32_t k = first[i]; k < first[i + 1]; k++) {
            f->parent[k] = f->next[k] = k;
            f->size[k] = 1;
            f->image[k] = i;
        }
    return VD_OK;
}

static int32_t root_of(int32_t *parent, int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

static bool share_an_image(const forest *f, int32_t a, int32_t b) {
    int32_t i = a;
    do {
        int32_t k = b;
        do {
            if (f->image[i] == f->image[k]) return true;
            k = f->next[k];
        } while (k != b);
        i = f->next[i];
    } while (i != a);
    return false;
}

/* False where the two are in one set already or must not be. */
static bool join(forest *f, int32_t a, int32_t b, int64_t *refused) {
    a = root_of(f->parent, a);
    b = root_of(f->parent, b);
    if (a == b) return true;
    if (share_an_image(f, a, b)) {
        ++*refused;
        return false;
    }
    if (f->size[a] < f->size[b] || (f->size[a] == f->size[b] && b < a)) {
        int32_t t = a;
        a = b;
        b = t;
    }
    int32_t t = f->next[a];
    f->next[a] = f->next[b];
    f->next[b] = t;
    f->parent[b] = a;
    f->size[a] += f->size[b];
    return true;
}

typedef struct strength {
    int32_t n, pair;
} strength;

static int by_strength(const void *a, const void *b) {
    const strength *p = a, *q = b;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

vd_status vd_tracks_check(const vd_sfm_input *in, vd_err *err) {
    for (int32_t i = 0; i < in->n_images; i++)
        if (in->image[i].n < 0)
            return vd_fail(err, VD_E_ARG, "tracks: image %d has %d keypoints", i, in->image[i].n);
    for (int32_t i = 0; i < in->n_pairs; i++) {
        const vd_sfm_pair *p = &in->pair[i];
        if (p->a < 0 || p->b < 0 || p->a >= in->n_images || p->b >= in->n_images || p->a == p->b)
            return vd_fail(err, VD_E_ARG, "tracks: pair %d is of images %d and %d of %d", i, p->a,
                           p->b, in->n_images);
        for (int32_t k = 0; k < p->n; k++) {
            int32_t a = p->match[k].a, b = p->match[k].b;
            if (a < 0 || b < 0 || a >= in->image[p->a].n || b >= in->image[p->b].n)
                return vd_fail(err, VD_E_ARG, "tracks: pair %d matches keypoints %d and %d", i, a,
                               b);
        }
    }
    return VD_OK;
}

static vd_status join_pairs(forest *f, vd_tracks *t, const vd_sfm_input *in, const uint8_t *trusted,
                            vd_err *err) {
    strength *order = vd_mem_array((size_t)in->n_pairs, sizeof *order);
    if (order == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < in->n_pairs; i++) order[i] = (strength){ in->pair[i].n, i };
    qsort(order, (size_t)in->n_pairs, sizeof *order, by_strength);
    for (int32_t i = 0; i < in->n_pairs; i++) {
        const vd_sfm_pair *p = &in->pair[order[i].pair];
        if (trusted != NULL && !trusted[order[i].pair]) continue;
        for (int32_t k = 0; k < p->n; k++)
            join(f, t->first[p->a] + p->match[k].a, t->first[p->b] + p->match[k].b, &t->refused);
    }
    vd_mem_free(order);
    return VD_OK;
}

/* Numbers the sets by their first keypoint; images come in order since keypoints do. */
static vd_status list_tracks(vd_tracks *t, forest *f, vd_err *err) {
    t->of = vd_mem_alloc((size_t)t->n_keys * sizeof *t->of);
    t->start = vd_mem_array((size_t)t->n_keys / 2 + 2, sizeof *t->start);
    if (t->of == NULL || t->start == NULL) return vd_nomem(err);
    memset(t->of, 0xff, (size_t)t->n_keys * sizeof *t->of);
    for (int32_t k = 0; k < t->n_keys; k++) {
        int32_t root = root_of(f->parent, k);
        if (f->size[root] < 2 || t->of[k] >= 0) continue;
        int32_t i = k;
        do {
            t->of[i] = t->n;
            i = f->next[i];
        } while (i != k);
        t->start[t->n + 1] = t->start[t->n] + f->size[root];
        t->n++;
    }
    t->key = vd_mem_alloc((size_t)VD_MAX(t->start[t->n], 1) * sizeof *t->key);
    int32_t *at = vd_mem_alloc((size_t)VD_MAX(t->n, 1) * sizeof *at);
    if (t->key == NULL || at == NULL) {
        vd_mem_free(at);
        return vd_nomem(err);
    }
    memcpy(at, t->start, (size_t)t->n * sizeof *at);
    for (int32_t k = 0; k < t->n_keys; k++)
        if (t->of[k] >= 0)
            t->key[at[t->of[k]]++] = (vd_sfm_observation){ f->image[k], k - t->first[f->image[k]] };
    vd_mem_free(at);
    return VD_OK;
}

vd_status vd_tracks_build(vd_tracks *out, const vd_sfm_input *in, const uint8_t *trusted,
                          vd_err *err) {
    vd_status st = VD_OK;
    vd_tracks t = { 0 };
    forest f = { 0 };
    int64_t keys = 0;
    t.first = vd_mem_array((size_t)in->n_images + 1, sizeof *t.first);
    if (t.first == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < in->n_images; i++) {
        keys += in->image[i].n;
        if (keys > INT32_MAX) VD_GO(vd_fail(err, VD_E_LIMIT, "tracks: more than 2^31 keypoints"));
        t.first[i + 1] = (int32_t)keys;
    }
    t.n_keys = (int32_t)keys;
    VD_GO(forest_init(&f, t.first, in->n_images, err));
    VD_GO(join_pairs(&f, &t, in, trusted, err));
    VD_GO(list_tracks(&t, &f, err));
    *out = t;
    t = (vd_tracks){ 0 };
done:
    forest_reset(&f);
    vd_tracks_reset(&t);
    return st;
}

void vd_tracks_reset(vd_tracks *t) {
    vd_mem_free(t->start);
    vd_mem_free(t->key);
    vd_mem_free(t->first);
    vd_mem_free(t->of);
    *t = (vd_tracks){ 0 };
}
