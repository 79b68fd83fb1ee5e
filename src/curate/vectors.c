/* Vectors of assets: from facts, from features, from files. SPDX-License-Identifier: Apache-2.0 */
#include "curate/vectors.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/pool.h"
#include "feature/vlad.h"
#include "measure/look.h"
#include "stage/features.h"
#include "store/arrays.h"

/* Rows as they are gathered: of one type and length. */
typedef struct gather {
    vd_npy_type type; /* F32 or I8 */
    int dim;
    char *data;
    int64_t n, cap; /* rows, bytes */
} gather;

static vd_status gather_add(gather *g, const void *data, vd_err *err) {
    int64_t bytes = (int64_t)vd_npy_elem_bytes(g->type) * g->dim;
    VD_TRY(VD_GROW(g->data, g->cap, (g->n + 1) * bytes, err));
    memcpy(g->data + g->n++ * bytes, data, (size_t)bytes);
    return VD_OK;
}

/* Elements of other types become float32. */
static vd_status as_f32(float **out, const void *data, vd_npy_type type, int64_t n, vd_err *err) {
    float *f = vd_mem_array((size_t)n, sizeof *f);
    if (f == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++)
        f[i] = type == VD_NPY_F64  ? (float)((const double *)data)[i]
               : type == VD_NPY_U8 ? (float)((const uint8_t *)data)[i]
                                   : ((const float *)data)[i];
    *out = f;
    return VD_OK;
}

static bool is_vector_type(vd_npy_type t) {
    return t == VD_NPY_F32 || t == VD_NPY_F64 || t == VD_NPY_I8 || t == VD_NPY_U8;
}

static vd_status finish(vd_vectors *out, const gather *g, const char *from, vd_err *err) {
    if (g->n == 0) return vd_fail(err, VD_E_NOTFOUND, "vectors: no picture has '%.80s'", from);
    return g->type == VD_NPY_I8
               ? vd_vectors_i8(out, (const int8_t *)g->data, g->n, g->dim, err)
               : vd_vectors_f32(out, (const float *)(const void *)g->data, g->n, g->dim, err);
}

/* ---- look ---- */

static vd_status gather_look(gather *g, int32_t *row, vd_db *db, const vd_curated_list *l,
                             vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    *g = (gather){ .type = VD_NPY_I8, .dim = VD_LOOK_DIM };
    VD_TRY(
        vd_db_prepare(&s, db, "SELECT look FROM fact_fingerprint WHERE asset_id = ?1", true, err));
    for (int64_t i = 0; i < l->n; i++) {
        bool is = false;
        vd_stmt_bind(s, 1, vd_val_int(l->row[i].id));
        VD_GO(vd_stmt_step(s, &is, err));
        vd_value v = is ? vd_stmt_value(s, 0) : vd_val_null();
        row[i] = -1;
        if (v.type == VD_BLOB && v.n == VD_LOOK_DIM) {
            row[i] = (int32_t)g->n;
            VD_GO(gather_add(g, v.s, err));
        }
        vd_stmt_reset(s);
    }
done:
    vd_stmt_free(s);
    return st;
}

/* ---- VLAD of SIFT ---- */

enum { LEAST_SHARE = 16, VOCABULARY_SEED = 1 };

typedef struct global {
    const vd_dataset *ds;
    const vd_curated_list *list;
    vd_vocabulary words;
    uint8_t *training; /* share * VD_SIFT_DIM of each */
    int64_t share;
    int *taken;
    int8_t *code;
    bool *has;
    int size;
} global;

static vd_status load(vd_features *f, const global *g, int64_t i, vd_err *err) {
    vd_err none = { 0 };
    vd_status st = vd_features_load(f, g->ds, g->list->row[i].id, &none);
    if (st == VD_E_NOTFOUND) return VD_OK;
    if (st != VD_OK && err != NULL) *err = none;
    return st;
}

/* Evenly from the features that make a picture's code. */
static vd_status train_task(void *user, int64_t i, int worker, vd_err *err) {
    global *g = user;
    vd_features f = { 0 };
    (void)worker;
    VD_TRY(load(&f, g, i, err));
    int64_t have = VD_MIN(f.n, (int)VD_VLAD_FEATURES), take = VD_MIN(have, g->share);
    for (int64_t k = 0; k < take; k++)
        memcpy(g->training + (i * g->share + k) * VD_SIFT_DIM,
               f.desc + have * k / take * VD_SIFT_DIM, VD_SIFT_DIM);
    g->taken[i] = (int)take;
    vd_features_reset(&f);
    return VD_OK;
}

static vd_status code_task(void *user, int64_t i, int worker, vd_err *err) {
    global *g = user;
    vd_features f = { 0 };
    (void)worker;
    VD_TRY(load(&f, g, i, err));
    g->has[i] = f.n > 0;
    vd_status st = VD_OK;
    if (f.n > 0)
        st = vd_vlad_encode(g->code + i * g->size, &g->words, f.desc,
                            VD_MIN(f.n, (int)VD_VLAD_FEATURES), err);
    vd_features_reset(&f);
    return st;
}

/* The vocabulary, from a share of every picture's descriptors. */
static vd_status make_words(global *g, vd_pool *pool, vd_err *err) {
    int64_t n = 0, pictures = g->list->n;
    g->share = VD_MAX(VD_VLAD_SAMPLE / VD_MAX(pictures, 1), LEAST_SHARE);
    g->training = vd_mem_array((size_t)(pictures * g->share), VD_SIFT_DIM);
    g->taken = vd_mem_array((size_t)pictures, sizeof *g->taken);
    if (g->training == NULL || g->taken == NULL) return vd_nomem(err);
    VD_TRY(vd_pool_for(pool, pictures, train_task, g, err));
    for (int64_t i = 0; i < pictures; n += g->taken[i++])
        memmove(g->training + n * VD_SIFT_DIM, g->training + i * g->share * VD_SIFT_DIM,
                (size_t)g->taken[i] * VD_SIFT_DIM);
    n = VD_MIN(n, VD_SIFT_MAX_FEATURES);
    if (n < VD_VLAD_WORDS)
        return vd_fail(err, VD_E_NOTFOUND,
                       "vectors: %lld features in all pictures, global needs %d; vidimus run finds"
                       " them",
                       (long long)n, VD_VLAD_WORDS);
    return vd_vlad_train(&g->words, g->training, (int)n, VD_VLAD_WORDS, VOCABULARY_SEED, err);
}

static vd_status gather_global(gather *out, int32_t *row, const vd_dataset *ds,
                               const vd_curated_list *l, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    global g = { .ds = ds, .list = l };
    VD_GO(make_words(&g, pool, err));
    g.size = vd_vlad_size(&g.words);
    g.code = vd_mem_array((size_t)l->n, (size_t)g.size);
    g.has = vd_mem_array((size_t)l->n, sizeof *g.has);
    if (g.code == NULL || g.has == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_pool_for(pool, l->n, code_task, &g, err));
    *out = (gather){ .type = VD_NPY_I8, .dim = g.size };
    for (int64_t i = 0; i < l->n; i++) {
        row[i] = g.has[i] ? (int32_t)out->n : -1;
        if (g.has[i]) VD_GO(gather_add(out, g.code + i * g.size, err));
    }
done:
    vd_vocabulary_reset(&g.words);
    vd_mem_free(g.training);
    vd_mem_free(g.taken);
    vd_mem_free(g.code);
    vd_mem_free(g.has);
    return st;
}

/* ---- one file for all ---- */

static vd_status map_ids(vd_map *at, const int64_t *id, int64_t n, vd_err *err) {
    for (int64_t i = 0; i < n; i++) VD_TRY(vd_map_put(at, &id[i], sizeof id[i], i, err));
    return VD_OK;
}

/* All present pictures, in the order of ids. */
static vd_status map_all(vd_map *at, vd_db *db, int64_t *n, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = vd_db_prepare(&s, db,
                                 "SELECT id FROM asset WHERE kind IN ('image', 'frame', 'page')"
                                 " AND state = 'present' ORDER BY id",
                                 true, err);
    *n = 0;
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        int64_t id = st == VD_OK && row ? vd_stmt_int(s, 0) : 0;
        if (st == VD_OK && row) st = vd_map_put(at, &id, sizeof id, (*n)++, err);
    }
    vd_stmt_free(s);
    return st;
}

/* Which row of the file an asset has. */
static vd_status map_rows(vd_map *at, const vd_dataset *ds, const vd_npy *a, const char *path,
                          const char *ids, vd_err *err) {
    vd_npy shape = { 0 };
    void *data = NULL;
    int64_t n = 0;
    vd_status st = VD_OK;
    if (ids == NULL) {
        VD_GO(map_all(at, vd_dataset_db(ds), &n, err));
        if (n != a->dim[0])
            VD_GO(vd_fail(err, VD_E_ARG,
                          "%s: %lld rows, the dataset has %lld pictures; --ids says whose they are",
                          path, (long long)a->dim[0], (long long)n));
    } else {
        VD_GO(vd_npy_read(&shape, &data, ids, err));
        if (shape.type != VD_NPY_I64 || shape.n_dims != 1 || shape.dim[0] != a->dim[0])
            VD_GO(vd_fail(err, VD_E_FORMAT, "%s: no int64 array of %lld ids", ids,
                          (long long)a->dim[0]));
        VD_GO(map_ids(at, data, shape.dim[0], err));
    }
done:
    vd_mem_free(data);
    return st;
}

static vd_status gather_file(gather *g, int32_t *row, const vd_dataset *ds,
                             const vd_curated_list *l, const char *path, const char *ids,
                             vd_err *err) {
    vd_status st = VD_OK;
    vd_npy a = { 0 };
    void *data = NULL;
    float *f = NULL;
    vd_map *at = NULL;
    VD_GO(vd_npy_read(&a, &data, path, err));
    if (a.n_dims != 2 || !is_vector_type(a.type) || a.dim[1] < 1 || a.dim[1] > VD_VECTORS_MAX_DIM)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: no float32, float64, int8 or uint8 array of n x 1..%d",
                      path, VD_VECTORS_MAX_DIM));
    VD_GO(vd_map_new(&at, err));
    VD_GO(map_rows(at, ds, &a, path, ids, err));
    *g = (gather){ .type = a.type == VD_NPY_I8 ? VD_NPY_I8 : VD_NPY_F32, .dim = (int)a.dim[1] };
    if (a.type != VD_NPY_I8) VD_GO(as_f32(&f, data, a.type, vd_npy_count(&a), err));
    for (int64_t i = 0; i < l->n; i++) {
        int64_t k = 0;
        row[i] = -1;
        if (!vd_map_get(at, &l->row[i].id, sizeof l->row[i].id, &k)) continue;
        row[i] = (int32_t)g->n;
        VD_GO(gather_add(g, f != NULL ? (void *)(f + k * g->dim) : (char *)data + k * g->dim, err));
    }
done:
    vd_mem_free(data);
    vd_mem_free(f);
    vd_map_free(at);
    return st;
}

/* ---- arrays of the catalog ---- */

static vd_status gather_one(gather *g, const char *path, bool *is, vd_err *err) {
    vd_npy a = { 0 };
    void *data = NULL;
    float *f = NULL;
    vd_err why = { 0 };
    vd_status st = vd_npy_read(&a, &data, path, &why);
    *is = st == VD_OK;
    if (st == VD_E_NOTFOUND) return VD_OK;
    if (st != VD_OK) return vd_fail(err, st, "%s", why.msg);
    int64_t dim = vd_npy_count(&a);
    vd_npy_type type = a.type == VD_NPY_I8 ? VD_NPY_I8 : VD_NPY_F32;
    if (!is_vector_type(a.type) || dim < 1 || dim > VD_VECTORS_MAX_DIM)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: %lld elements are no vector", path, (long long)dim));
    if (g->n == 0) *g = (gather){ .type = type, .dim = (int)dim, .data = g->data, .cap = g->cap };
    if (g->dim != dim || g->type != type)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: %lld elements, other assets have %d of %s", path,
                      (long long)dim, g->dim, g->type == VD_NPY_I8 ? "int8" : "another type"));
    if (type == VD_NPY_F32) VD_GO(as_f32(&f, data, a.type, dim, err));
    st = gather_add(g, f != NULL ? (void *)f : data, err);
done:
    vd_mem_free(data);
    vd_mem_free(f);
    return st;
}

static vd_status gather_arrays(gather *g, int32_t *row, const vd_dataset *ds,
                               const vd_curated_list *l, const char *name, vd_err *err) {
    vd_status st = VD_OK;
    vd_str path = { 0 };
    if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
        return vd_fail(err, VD_E_ARG,
                       "vectors: '%.80s' is not look, global, a file *.npy or the name of arrays",
                       name);
    for (int64_t i = 0; i < l->n; i++) {
        bool is = false;
        row[i] = -1;
        VD_GO(vd_array_path(&path, ds, name, l->row[i].id, err));
        VD_GO(gather_one(g, path.data, &is, err));
        if (is) row[i] = (int32_t)(g->n - 1);
    }
done:
    vd_str_reset(&path);
    return st;
}

vd_status vd_asset_vectors(vd_vectors *out, int32_t *row, const vd_dataset *ds,
                           const vd_curated_list *list, const char *from, const char *ids,
                           vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    gather g = { 0 };
    if (ids != NULL && !vd_str_ends(from, ".npy"))
        return vd_fail(err, VD_E_ARG, "vectors: ids go with a file *.npy, not with '%.80s'", from);
    if (strcmp(from, "look") == 0)
        VD_GO(gather_look(&g, row, vd_dataset_db(ds), list, err));
    else if (strcmp(from, "global") == 0)
        VD_GO(gather_global(&g, row, ds, list, pool, err));
    else if (vd_str_ends(from, ".npy"))
        VD_GO(gather_file(&g, row, ds, list, from, ids, err));
    else
        VD_GO(gather_arrays(&g, row, ds, list, from, err));
    st = finish(out, &g, from, err);
done:
    vd_mem_free(g.data);
    return st;
}
