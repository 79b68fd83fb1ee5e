/* What a split is judged by, and checking a certificate. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"
#include "curate/split.h"
#include "curate/vectors.h"
#include "scene/scenes.h"

enum { LEFT_OUT = 255, TILE = 64 };

static vd_status map_positions(vd_map **out, const vd_curated_list *l, vd_err *err) {
    VD_TRY(vd_map_new(out, err));
    for (int64_t i = 0; i < l->n; i++)
        VD_TRY(vd_map_put(*out, &l->row[i].id, sizeof l->row[i].id, i, err));
    return VD_OK;
}

/* ---- groups and bytes ---- */

static vd_status measure_groups(vd_split_facts *f, int64_t n, const int32_t *group,
                                const uint8_t *part, vd_err *err) {
    int32_t *first = vd_mem_array((size_t)n, sizeof *first); /* its first picture in a part, + 1 */
    if (first == NULL) return vd_nomem(err);
    f->straddle[0] = f->straddle[1] = -1;
    for (int64_t i = 0; i < n; i++) {
        int32_t *g = &first[group[i]];
        if (part[i] == LEFT_OUT || *g < 0) continue;
        if (*g == 0) {
            *g = (int32_t)i + 1;
        } else if (part[*g - 1] != part[i]) {
            if (f->straddling++ == 0) {
                f->straddle[0] = *g - 1;
                f->straddle[1] = i;
            }
            *g = -1; /* once is enough */
        }
    }
    vd_mem_free(first);
    return VD_OK;
}

/* The first picture with the same bytes, -1 where the bytes are not known. */
static vd_status same_bytes(int32_t *same, vd_db *db, const vd_map *position, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_map *of = NULL;
    bool row = true;
    VD_GO(vd_map_new(&of, err));
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT id, content_hash FROM asset WHERE content_hash IS NOT NULL"
                        " ORDER BY id",
                        true, err));
    while (row) {
        int64_t at = 0, first = 0;
        VD_GO(vd_stmt_step(s, &row, err));
        int64_t id = row ? vd_stmt_int(s, 0) : 0;
        if (!row || !vd_map_get(position, &id, sizeof id, &at)) continue;
        const char *hash = vd_stmt_text(s, 1);
        if (!vd_map_get(of, hash, strlen(hash), &first)) {
            first = at;
            VD_GO(vd_map_put(of, hash, strlen(hash), at, err));
        }
        same[at] = (int32_t)first;
    }
done:
    vd_stmt_free(s);
    vd_map_free(of);
    return st;
}

static vd_status measure_bytes(vd_split_facts *f, vd_db *db, int64_t n, const vd_map *position,
                               const uint8_t *part, vd_err *err) {
    vd_status st = VD_OK;
    int32_t *same = vd_mem_array((size_t)n, sizeof *same);
    uint32_t *parts = vd_mem_array((size_t)n, sizeof *parts);
    if (same == NULL || parts == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < n; i++) same[i] = -1;
    VD_GO(same_bytes(same, db, position, err));
    for (int64_t i = 0; i < n; i++)
        if (same[i] >= 0 && part[i] != LEFT_OUT) parts[same[i]] |= (uint32_t)1 << part[i];
    for (int64_t i = 0; i < n; i++)
        f->identical +=
            same[i] >= 0 && part[i] != LEFT_OUT && parts[same[i]] != (uint32_t)1 << part[i];
done:
    vd_mem_free(same);
    vd_mem_free(parts);
    return st;
}

/* ---- points of scenes ---- */

static vd_status measure_scene(vd_split_facts *f, const vd_dataset *ds, int64_t scene,
                               const vd_map *position, const uint8_t *part, vd_err *err) {
    vd_status st = VD_OK;
    vd_model m = { 0 };
    int64_t *ids = NULL, n = 0;
    uint32_t *bit = NULL; /* of each image's part */
    VD_GO(vd_scene_load(&m, ds, scene, err));
    VD_GO(vd_scene_assets(&ids, &n, ds, scene, err));
    bit = vd_mem_array((size_t)m.n_images, sizeof *bit);
    if (bit == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < m.n_images; i++) {
        int64_t at = 0;
        if (i < n && vd_map_get(position, &ids[i], sizeof ids[i], &at) && part[at] != LEFT_OUT)
            bit[i] = (uint32_t)1 << part[at];
    }
    for (int64_t p = 0; p < m.n_points; p++) {
        uint32_t parts = 0;
        for (int64_t k = m.track_start[p]; k < m.track_start[p + 1]; k++)
            parts |= bit[m.track_image[k]];
        f->shared_points += (parts & (parts - 1)) != 0;
    }
    f->scenes++;
done:
    vd_model_reset(&m);
    vd_mem_free(ids);
    vd_mem_free(bit);
    return st;
}

static vd_status measure_points(vd_split_facts *f, const vd_dataset *ds, const vd_map *position,
                                const uint8_t *part, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st =
        vd_db_prepare(&s, vd_dataset_db(ds), "SELECT id FROM scene ORDER BY id", true, err);
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st == VD_OK && row) st = measure_scene(f, ds, vd_stmt_int(s, 0), position, part, err);
    }
    vd_stmt_free(s);
    return st;
}

/* ---- similarity ---- */

typedef struct closest {
    float cosine;
    int64_t a, b;
} closest;

typedef struct nearness {
    const vd_vectors *v;
    const uint8_t *part; /* of each vector */
    closest *best;       /* of each tile of rows */
} nearness;

static vd_status nearness_task(void *user, int64_t tile, int worker, vd_err *err) {
    nearness *s = user;
    float cosine[TILE * TILE];
    closest best = { -2, -1, -1 };
    int64_t a = tile * TILE, n = s->v->n;
    int na = (int)VD_MIN(TILE, n - a);
    (void)worker;
    (void)err;
    for (int64_t b = a; b < n; b += TILE) {
        int nb = (int)VD_MIN(TILE, n - b);
        vd_vectors_cosines(cosine, TILE, s->v, a, na, s->v, b, nb);
        for (int i = 0; i < na; i++)
            for (int k = 0; k < nb; k++)
                if (cosine[i * TILE + k] > best.cosine && s->part[a + i] != s->part[b + k])
                    best = (closest){ cosine[i * TILE + k], a + i, b + k };
    }
    s->best[tile] = best;
    return VD_OK;
}

/* The vectors of pictures that are in a part; at[k] is the picture of vector k. */
static vd_status in_parts(vd_vectors *v, uint8_t **part_of, int32_t *at, const vd_vectors *all,
                          const int32_t *row, const uint8_t *part, int64_t n, vd_err *err) {
    vd_status st = VD_OK;
    int32_t *take = vd_mem_array((size_t)n, sizeof *take);
    uint8_t *of = vd_mem_array((size_t)n, 1);
    int64_t k = 0;
    if (take == NULL || of == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < n; i++) {
        if (row[i] < 0 || part[i] == LEFT_OUT) continue;
        of[k] = part[i];
        at[k] = (int32_t)i;
        take[k++] = row[i];
    }
    VD_GO(vd_vectors_take(v, all, take, k, err));
    *part_of = of;
    of = NULL;
done:
    vd_mem_free(take);
    vd_mem_free(of);
    return st;
}

static vd_status measure_similarity(vd_split_facts *f, const vd_dataset *ds,
                                    const vd_curated_list *l, const uint8_t *part,
                                    const char *vectors, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors all = { 0 }, v = { 0 };
    int32_t *row = vd_mem_array((size_t)l->n, sizeof *row),
            *at = vd_mem_array((size_t)l->n, sizeof *at);
    uint8_t *part_of = NULL;
    closest *best = NULL, top = { -2, -1, -1 };
    if (row == NULL || at == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_asset_vectors(&all, row, ds, l, vectors, NULL, pool, err));
    VD_GO(in_parts(&v, &part_of, at, &all, row, part, l->n, err));
    int64_t tiles = (v.n + TILE - 1) / TILE;
    best = vd_mem_array((size_t)tiles, sizeof *best);
    if (best == NULL) VD_GO(vd_nomem(err));
    nearness s = { &v, part_of, best };
    VD_GO(vd_pool_for(pool, tiles, nearness_task, &s, err));
    for (int64_t i = 0; i < tiles; i++)
        if (best[i].cosine > top.cosine) top = best[i];
    f->compared = v.n;
    if (top.a >= 0) {
        f->similarity = (double)top.cosine;
        f->similar[0] = at[top.a];
        f->similar[1] = at[top.b];
    }
done:
    vd_vectors_reset(&all);
    vd_vectors_reset(&v);
    vd_mem_free(row);
    vd_mem_free(at);
    vd_mem_free(part_of);
    vd_mem_free(best);
    return st;
}

vd_status vd_split_measure(vd_split_facts *out, const vd_dataset *ds, const vd_curated_list *list,
                           const int32_t *group, const uint8_t *part, const char *vectors,
                           vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_map *position = NULL;
    vd_split_facts f = { .similarity = NAN, .similar = { -1, -1 } };
    vd_err none = { 0 };
    VD_GO(map_positions(&position, list, err));
    VD_GO(measure_groups(&f, list->n, group, part, err));
    VD_GO(measure_bytes(&f, vd_dataset_db(ds), list->n, position, part, err));
    VD_GO(measure_points(&f, ds, position, part, err));
    if (vectors != NULL) {
        st = measure_similarity(&f, ds, list, part, vectors, pool, &none);
        if (st == VD_E_NOTFOUND) st = VD_OK; /* no picture has one: not known */
        if (st != VD_OK) VD_GO(vd_fail(err, st, "%s", none.msg));
    }
    *out = f;
done:
    vd_map_free(position);
    return st;
}

/* ---- checking a certificate ---- */

/* The catalog's present pictures with the parts that the certificate gives them. */
typedef struct matching {
    vd_curated_list list;
    int32_t *group;
    uint8_t *part;
    int64_t missing, changed, twice;
    const char *example; /* of a missing, changed or doubled one */
} matching;

static void matching_reset(matching *m) {
    vd_curated_reset(&m->list);
    vd_mem_free(m->group);
    vd_mem_free(m->part);
}

/* Positions by URI and by bytes: files that moved are still themselves. */
static vd_status map_names(vd_map *uri, vd_map *hash, const vd_curated_list *l, vd_err *err) {
    for (int64_t i = 0; i < l->n; i++) {
        const vd_curated *c = &l->row[i];
        int64_t at = 0;
        VD_TRY(vd_map_put(uri, c->uri, strlen(c->uri), i, err));
        if (c->text[0] != '\0' && !vd_map_get(hash, c->text, strlen(c->text), &at))
            VD_TRY(vd_map_put(hash, c->text, strlen(c->text), i, err));
    }
    return VD_OK;
}

static void match_one(matching *m, const vd_certificate *c, int64_t i, const vd_map *uri,
                      const vd_map *hash) {
    int64_t at = 0;
    bool by_uri = vd_map_get(uri, c->uri[i], strlen(c->uri[i]), &at);
    bool same = by_uri && strcmp(m->list.row[at].text, c->hash[i]) == 0;
    if (!by_uri && c->hash[i][0] != '\0')
        by_uri = same = vd_map_get(hash, c->hash[i], strlen(c->hash[i]), &at);
    m->missing += !by_uri;
    m->changed += by_uri && !same;
    if (by_uri) {
        bool other = m->part[at] != LEFT_OUT && m->part[at] != c->part[i];
        m->twice += other;
        if (other) m->example = c->uri[i];
        m->part[at] = c->part[i];
    }
    if (!same && m->example == NULL) m->example = c->uri[i];
}

static vd_status match_assets(matching *m, const vd_dataset *ds, const vd_certificate *c,
                              vd_err *err) {
    vd_status st = VD_OK;
    vd_map *uri = NULL, *hash = NULL;
    const vd_curated_query q = { .value = "content_hash" };
    VD_GO(vd_curated_load(&m->list, vd_dataset_db(ds), &q, err));
    m->group = vd_mem_array((size_t)m->list.n, sizeof *m->group);
    m->part = vd_mem_array((size_t)m->list.n, 1);
    if (m->group == NULL || m->part == NULL) VD_GO(vd_nomem(err));
    memset(m->part, LEFT_OUT, (size_t)m->list.n);
    VD_GO(vd_map_new(&uri, err));
    VD_GO(vd_map_new(&hash, err));
    VD_GO(map_names(uri, hash, &m->list, err));
    for (int64_t i = 0; i < c->n; i++) match_one(m, c, i, uri, hash);
done:
    vd_map_free(uri);
    vd_map_free(hash);
    return st;
}

/* Only pictures of the certificate: what others would bring together was not together when the
 * split was made. */
static void keep_matched(matching *m) {
    int64_t n = 0;
    for (int64_t i = 0; i < m->list.n; i++) {
        if (m->part[i] == LEFT_OUT) continue;
        m->list.row[n] = m->list.row[i];
        m->part[n++] = m->part[i];
    }
    m->list.n = n;
}

/* Two pictures in a detail. */
static void tell_pair(vd_split_check *k, const matching *m, const vd_certificate *c,
                      const int64_t at[2], const char *between) {
    if (at[0] < 0) return;
    snprintf(k->detail, sizeof k->detail, "%.200s (%.30s) %s %.200s (%.30s)",
             m->list.row[at[0]].uri, c->part_name[m->part[at[0]]], between, m->list.row[at[1]].uri,
             c->part_name[m->part[at[1]]]);
}

/* Counts of classes as the certificate states them, against those of its label set today. */
static vd_status check_classes(vd_split_check *k, const matching *m, const vd_dataset *ds,
                               const vd_certificate *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_classes now = { 0 };
    vd_certificate is = { .n_parts = c->n_parts, .part = m->part };
    vd_err why = { 0 };
    int64_t wrong = 0;
    *k = (vd_split_check){ "classes", true, 0, 0, "" };
    if (c->labels[0] == '\0') return VD_OK;
    st = vd_classes_load(&now, vd_dataset_db(ds), &m->list, c->labels, &why);
    if (st == VD_E_NOTFOUND) {
        *k = (vd_split_check){ "classes", false, c->n_classes, 0, "" };
        snprintf(k->detail, sizeof k->detail, "%.400s", why.msg);
        return VD_OK;
    }
    if (st != VD_OK) return vd_fail(err, st, "%s", why.msg);
    VD_GO(vd_certificate_classes(&is, &now, err));
    for (int32_t i = 0; i < VD_MAX(c->n_classes, is.n_classes); i++) {
        bool both = i < c->n_classes && i < is.n_classes;
        size_t at = (size_t)i * (size_t)c->n_parts, n = (size_t)c->n_parts * sizeof(int64_t);
        if (both && strcmp(c->class_name[i], is.class_name[i]) == 0 &&
            memcmp(c->class_pictures + at, is.class_pictures + at, n) == 0 &&
            memcmp(c->class_objects + at, is.class_objects + at, n) == 0)
            continue;
        if (wrong++ == 0)
            snprintf(k->detail, sizeof k->detail, "'%.100s' is not as stated",
                     i < c->n_classes ? c->class_name[i] : is.class_name[i]);
    }
    k->found = (double)wrong;
    k->ok = wrong == 0;
done:
    is.part = NULL; /* borrowed */
    vd_certificate_reset(&is);
    vd_classes_reset(&now);
    return st;
}

static void judge(vd_split_check out[VD_SPLIT_CHECKS], const matching *m, const vd_certificate *c,
                  const vd_split_facts *f, double most) {
    double allowed = isnan(most) ? c->similarity : most;
    int64_t lost = m->missing + m->changed + m->twice;
    out[0] = (vd_split_check){ "intact", c->intact, !c->intact, 0, "" };
    if (!c->intact)
        snprintf(out[0].detail, sizeof out[0].detail, "the file was edited: its digest differs");
    out[1] = (vd_split_check){ "present", lost == 0, (double)lost, 0, "" };
    if (lost > 0)
        snprintf(out[1].detail, sizeof out[1].detail,
                 "%lld missing, %lld with other bytes, %lld in two parts; such as %.300s",
                 (long long)m->missing, (long long)m->changed, (long long)m->twice, m->example);
    out[2] = (vd_split_check){ "groups", f->straddling == 0, (double)f->straddling, 0, "" };
    tell_pair(&out[2], m, c, f->straddle, "belongs with");
    out[3] = (vd_split_check){ "bytes", f->identical == 0, (double)f->identical, 0, "" };
    out[4] = (vd_split_check){ "points", f->shared_points == 0, (double)f->shared_points, 0, "" };
    /* where either is not known, nothing can be said */
    bool like = f->similarity > allowed + 1e-6;
    out[5] = (vd_split_check){ "similarity", !like, f->similarity, allowed, "" };
    if (like) tell_pair(&out[5], m, c, f->similar, "is like");
}

vd_status vd_split_verify(vd_split_check out[VD_SPLIT_CHECKS], const vd_dataset *ds,
                          const vd_certificate *c, const char *by, double most, vd_pool *pool,
                          vd_err *err) {
    vd_status st = VD_OK;
    matching m = { 0 };
    vd_group_rule rule;
    vd_split_facts f;
    VD_GO(vd_group_rule_parse(&rule, by != NULL ? by : c->by, c->gap_s, err));
    VD_GO(match_assets(&m, ds, c, err));
    keep_matched(&m);
    VD_GO(vd_group_pictures(m.group, ds, &m.list, &rule, err));
    VD_GO(vd_split_measure(&f, ds, &m.list, m.group, m.part,
                           c->vectors[0] != '\0' ? c->vectors : NULL, pool, err));
    judge(out, &m, c, &f, most);
    st = check_classes(&out[6], &m, ds, c, err);
done:
    matching_reset(&m);
    return st;
}
