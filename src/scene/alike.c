/* Pairs that look alike, and pairs that follow from others. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "feature/vlad.h"
#include "stage/features.h"
#include "scene/pairs.h"

enum {
    ALIKE = 30,       /* most similar pictures to each */
    LEAST_SHARE = 16, /* descriptors of each picture that the vocabulary is made from */
    PARTNERS = 8,     /* best overlaps of a picture that are compared among themselves */
    BLOCK = 32,       /* pictures that look for others at a time */
    SEED = 1,         /* of the vocabulary */
};

typedef struct alike {
    vd_run *run;
    const vd_view_set *views;
    vd_vocabulary words;
    uint8_t *training; /* `share` descriptors of each picture */
    int *taken;        /* of them, how many are there */
    int64_t share;
    int8_t *codes; /* n x size */
    int size;
    int32_t *best; /* n x ALIKE */
} alike;

/* Evenly from the features that make a picture's code. */
static vd_status take_training(void *user, int64_t i, int worker, vd_err *err) {
    alike *a = user;
    vd_features f = { 0 };
    (void)worker;
    if (a->views->views[i].features == 0) return VD_OK;
    VD_TRY(vd_run_check_cancel(a->run, err));
    VD_TRY(vd_features_load(&f, a->run->ds, a->views->views[i].id, err));
    int64_t have = VD_MIN(f.n, (int)VD_VLAD_FEATURES), take = VD_MIN(have, a->share);
    for (int64_t k = 0; k < take; k++)
        memcpy(a->training + (i * a->share + k) * VD_SIFT_DIM,
               f.desc + have * k / take * VD_SIFT_DIM, VD_SIFT_DIM);
    a->taken[i] = (int)take;
    vd_features_reset(&f);
    return VD_OK;
}

/* Moves what each picture gave together; gives how many descriptors there are. */
static int close_gaps(alike *a) {
    int64_t n = 0;
    for (int64_t i = 0; i < a->views->n; n += a->taken[i++])
        memmove(a->training + n * VD_SIFT_DIM, a->training + i * a->share * VD_SIFT_DIM,
                (size_t)a->taken[i] * VD_SIFT_DIM);
    return (int)VD_MIN(n, VD_SIFT_MAX_FEATURES);
}

static vd_status make_code(void *user, int64_t i, int worker, vd_err *err) {
    alike *a = user;
    vd_features f = { 0 };
    (void)worker;
    if (a->views->views[i].features == 0) return VD_OK;
    VD_TRY(vd_run_check_cancel(a->run, err));
    VD_TRY(vd_features_load(&f, a->run->ds, a->views->views[i].id, err));
    vd_status st = vd_vlad_encode(a->codes + i * a->size, &a->words, f.desc,
                                  VD_MIN(f.n, (int)VD_VLAD_FEATURES), err);
    vd_features_reset(&f);
    return st;
}

static vd_status find_best(void *user, int64_t block, int worker, vd_err *err) {
    alike *a = user;
    int from = (int)block * BLOCK, n = (int)a->views->n;
    (void)worker;
    VD_TRY(vd_run_check_cancel(a->run, err));
    return vd_vlad_nearest(a->best + (int64_t)from * ALIKE, ALIKE, a->codes, n, a->size, from,
                           VD_MIN(from + BLOCK, n), err);
}

static vd_status take_all(alike *a, vd_err *err) {
    size_t n = (size_t)a->views->n;
    a->share = VD_MAX(VD_VLAD_SAMPLE / VD_MAX(a->views->n, 1), LEAST_SHARE);
    a->training = vd_mem_array(n * (size_t)a->share, VD_SIFT_DIM);
    a->taken = vd_mem_array(n, sizeof *a->taken);
    if (a->training == NULL || a->taken == NULL) return vd_nomem(err);
    VD_TRY(vd_pool_for(a->run->pool, a->views->n, take_training, a, err));
    int taken = close_gaps(a);
    if (taken == 0) return VD_OK;
    VD_TRY(
        vd_vlad_train(&a->words, a->training, taken, VD_MIN(taken, (int)VD_VLAD_WORDS), SEED, err));
    a->size = vd_vlad_size(&a->words);
    a->codes = vd_mem_array(n, (size_t)a->size);
    a->best = vd_mem_array(n * ALIKE, sizeof *a->best);
    if (a->codes == NULL || a->best == NULL) return vd_nomem(err);
    VD_TRY(vd_pool_for(a->run->pool, a->views->n, make_code, a, err));
    return vd_pool_for(a->run->pool, (a->views->n + BLOCK - 1) / BLOCK, find_best, a, err);
}

vd_status vd_pairs_alike(vd_pair_list *l, vd_run *run, const vd_view_set *views, vd_err *err) {
    alike a = { .run = run, .views = views };
    vd_status st = take_all(&a, err);
    for (int64_t i = 0; a.best != NULL && i < views->n; i++)
        for (int k = 0; k < ALIKE && st == VD_OK && a.best[i * ALIKE + k] >= 0; k++)
            st = vd_pair_list_add(l, (int32_t)i, a.best[i * ALIKE + k], err);
    vd_vocabulary_reset(&a.words);
    vd_mem_free(a.training);
    vd_mem_free(a.taken);
    vd_mem_free(a.codes);
    vd_mem_free(a.best);
    return st;
}

/* ---- expansion ---- */

static vd_status best_partners(vd_best *best, int *n, vd_map *tried, vd_db *db,
                               const vd_view_set *views, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = vd_db_prepare(&s, db, "SELECT a, b, inliers FROM pair ORDER BY a, b", true, err);
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        int64_t a = vd_views_find(views, vd_stmt_int(s, 0)),
                b = vd_views_find(views, vd_stmt_int(s, 1));
        if (a < 0 || b < 0) continue;
        const vd_pair p = { (int32_t)a, (int32_t)b };
        st = vd_map_put(tried, &p, sizeof p, 1, err);
        float inliers = (float)vd_stmt_int(s, 2);
        if (inliers <= 0) continue;
        vd_best_add(best + a * PARTNERS, &n[a], PARTNERS, inliers, (int32_t)b);
        vd_best_add(best + b * PARTNERS, &n[b], PARTNERS, inliers, (int32_t)a);
    }
    vd_stmt_free(s);
    return st;
}

vd_status vd_pairs_expand(vd_pair_list *out, vd_db *db, const vd_view_set *views, vd_err *err) {
    vd_status st = VD_OK;
    vd_map *tried = NULL;
    vd_pair_list l = { 0 };
    vd_best *best = vd_mem_array((size_t)views->n * PARTNERS + 1, sizeof *best);
    int *n = vd_mem_array((size_t)views->n + 1, sizeof *n);
    if (best == NULL || n == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_map_new(&tried, err));
    VD_GO(best_partners(best, n, tried, db, views, err));
    for (int64_t i = 0; i < views->n; i++)
        for (int a = 0; a < n[i]; a++)
            for (int b = a + 1; b < n[i]; b++) {
                int64_t known;
                int32_t x = best[i * PARTNERS + a].view, y = best[i * PARTNERS + b].view;
                const vd_pair p = { VD_MIN(x, y), VD_MAX(x, y) };
                if (!vd_map_get(tried, &p, sizeof p, &known))
                    VD_GO(vd_pair_list_add(&l, x, y, err));
            }
    vd_pair_list_sort(&l);
    *out = l;
    l = (vd_pair_list){ 0 };
done:
    vd_map_free(tried);
    vd_mem_free(best);
    vd_mem_free(n);
    vd_pair_list_reset(&l);
    return st;
}
