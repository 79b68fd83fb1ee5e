/* Pairs that look alike, and pairs that follow from others. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "feature/vlad.h"
#include "stage/features.h"
#include "stage/pairs.h"

enum {
    ALIKE = 30,         /* most similar pictures to each */
    STRONGEST = 2000,   /* features that make a picture's vector */
    TRAINING = 1 << 16, /* descriptors that make the vocabulary */
    LEAST_SHARE = 16,   /* of them, from each picture */
    PARTNERS = 8,       /* best overlaps of a picture that are compared among themselves */
};

typedef struct alike {
    vd_run *run;
    const vd_view_set *views;
    vd_vocabulary words;
    uint8_t *training; /* share descriptors of each picture */
    int64_t share;
    float *vectors; /* n x VD_VLAD_DIM */
    vd_best *best;  /* n x ALIKE */
    int *n_best;
} alike;

/* The strongest features come first. */
static vd_status take_training(void *user, int64_t i, int worker, vd_err *err) {
    alike *a = user;
    vd_features f = { 0 };
    (void)worker;
    if (a->views->views[i].features == 0) return VD_OK;
    VD_TRY(vd_run_check_cancel(a->run, err));
    VD_TRY(vd_features_load(&f, a->run->ds, a->views->views[i].id, err));
    for (int64_t k = 0; k < a->share && f.n > 0; k++)
        memcpy(a->training + (i * a->share + k) * VD_SIFT_DIM,
               f.desc + (size_t)(k % f.n) * VD_SIFT_DIM, VD_SIFT_DIM);
    vd_features_reset(&f);
    return VD_OK;
}

static vd_status make_vector(void *user, int64_t i, int worker, vd_err *err) {
    alike *a = user;
    vd_features f = { 0 };
    (void)worker;
    if (a->views->views[i].features == 0) return VD_OK;
    VD_TRY(vd_run_check_cancel(a->run, err));
    VD_TRY(vd_features_load(&f, a->run->ds, a->views->views[i].id, err));
    vd_vlad(a->vectors + i * VD_VLAD_DIM, &a->words, f.desc, VD_MIN(f.n, STRONGEST));
    vd_features_reset(&f);
    return VD_OK;
}

static vd_status find_best(void *user, int64_t i, int worker, vd_err *err) {
    alike *a = user;
    (void)worker;
    VD_TRY(vd_run_check_cancel(a->run, err));
    for (int64_t j = 0; j < a->views->n; j++)
        if (j != i)
            vd_best_add(
                a->best + i * ALIKE, &a->n_best[i], ALIKE,
                vd_vlad_similarity(a->vectors + i * VD_VLAD_DIM, a->vectors + j * VD_VLAD_DIM),
                (int32_t)j);
    return VD_OK;
}

vd_status vd_pairs_alike(vd_pair_list *l, vd_run *run, const vd_view_set *views, vd_err *err) {
    vd_status st = VD_OK;
    alike *a = vd_mem_array(1, sizeof *a);
    size_t n = (size_t)views->n;
    if (a == NULL) return vd_nomem(err);
    a->run = run;
    a->views = views;
    a->share = VD_MAX(TRAINING / VD_MAX(views->n, 1), LEAST_SHARE);
    a->training = vd_mem_array(n * (size_t)a->share, VD_SIFT_DIM);
    a->vectors = vd_mem_array(n * VD_VLAD_DIM, sizeof *a->vectors);
    a->best = vd_mem_array(n * ALIKE, sizeof *a->best);
    a->n_best = vd_mem_array(n, sizeof *a->n_best);
    if (a->training == NULL || a->vectors == NULL || a->best == NULL || a->n_best == NULL)
        VD_GO(vd_nomem(err));
    VD_GO(vd_pool_for(run->pool, views->n, take_training, a, err));
    VD_GO(vd_vocabulary_train(&a->words, a->training, views->n * a->share, err));
    VD_GO(vd_pool_for(run->pool, views->n, make_vector, a, err));
    VD_GO(vd_pool_for(run->pool, views->n, find_best, a, err));
    for (int64_t i = 0; i < views->n; i++)
        for (int k = 0; k < a->n_best[i]; k++)
            VD_GO(vd_pair_list_add(l, (int32_t)i, a->best[i * ALIKE + k].view, err));
done:
    vd_mem_free(a->training);
    vd_mem_free(a->vectors);
    vd_mem_free(a->best);
    vd_mem_free(a->n_best);
    vd_mem_free(a);
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
