/* Choosing pictures. SPDX-License-Identifier: Apache-2.0 */
#include "curate/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "curate/classes.h"
#include "curate/vectors.h"
#include "index/choose.h"

void vd_selection_reset(vd_selection *s) {
    vd_mem_free(s->row);
    vd_curated_reset(&s->list);
    *s = (vd_selection){ 0 };
}

static void take(vd_selection *s, int64_t at, double value, const char *part) {
    const vd_curated *c = &s->list.row[at];
    s->row[s->n++] = (vd_selected){ c->id, c->uri, value, part };
}

/* ---- by score ---- */

typedef struct scored {
    double score;
    int64_t at;
} scored;

static int by_score(const void *a, const void *b) {
    const scored *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

static vd_status select_score(vd_selection *s, int64_t count, vd_err *err) {
    scored *all = vd_mem_array((size_t)s->list.n, sizeof *all);
    int64_t n = 0;
    if (all == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->list.n; i++)
        if (!isnan(s->list.row[i].number)) all[n++] = (scored){ s->list.row[i].number, i };
    s->without = s->list.n - n;
    qsort(all, (size_t)n, sizeof *all, by_score);
    for (int64_t i = 0; i < VD_MIN(n, count); i++) take(s, all[i].at, all[i].score, "");
    vd_mem_free(all);
    return VD_OK;
}

/* ---- even shares of classes ---- */

/* The names of a picture's classes, by commas; kept in the list's texts. */
static vd_status tell_classes(vd_selected *r, vd_selection *s, const vd_classes *c, int64_t at,
                              vd_str *buf, vd_err *err) {
    const vd_counts *o = &c->objects;
    vd_str_clear(buf);
    for (int64_t k = o->start[at]; k < o->start[at + 1]; k++)
        vd_str_addf(buf, "%s%s", k > o->start[at] ? "," : "", c->name[o->pair[k].kind]);
    VD_TRY(vd_str_check(buf, err));
    r->part = vd_arena_text(&s->list.texts, vd_str_text(buf));
    return r->part != NULL ? VD_OK : vd_nomem(err);
}

/* Objects of the rarest and the commonest class among those that any candidate has. */
static void tell_extremes(vd_selection *s, const vd_classes *c, int64_t *have,
                          const int32_t *chosen) {
    const vd_counts *o = &c->objects;
    for (int32_t k = 0; k < c->n; k++) have[k] = -1;
    for (int64_t k = 0; k < o->n_pairs; k++) have[o->pair[k].kind] = 0;
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t k = o->start[chosen[i]]; k < o->start[chosen[i] + 1]; k++)
            have[o->pair[k].kind] += o->pair[k].n;
    s->least = INT64_MAX;
    for (int32_t k = 0; k < c->n; k++) {
        if (have[k] < 0) continue;
        s->least = VD_MIN(s->least, have[k]);
        s->most = VD_MAX(s->most, have[k]);
    }
    if (s->least == INT64_MAX) s->least = 0;
}

static vd_status select_classes(vd_selection *s, const vd_dataset *ds, const vd_select_opt *o,
                                vd_err *err) {
    vd_status st = VD_OK;
    vd_classes c = { 0 };
    vd_str buf = { 0 };
    int64_t n = 0, *have = NULL;
    int32_t *chosen = vd_mem_array((size_t)s->list.n, sizeof *chosen);
    double *evenness = vd_mem_array((size_t)s->list.n, sizeof *evenness);
    VD_GO(vd_classes_load(&c, vd_dataset_db(ds), &s->list, o->labels, err));
    have = vd_mem_array((size_t)c.n, sizeof *have);
    if (chosen == NULL || evenness == NULL || have == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_choose_even(chosen, evenness, &n, &c.objects, VD_MIN(o->count, s->list.n), err));
    for (int64_t i = 0; i < s->list.n; i++)
        s->without += c.objects.start[i] == c.objects.start[i + 1];
    for (int64_t i = 0; i < n; i++) {
        take(s, chosen[i], evenness[i], "");
        VD_GO(tell_classes(&s->row[i], s, &c, chosen[i], &buf, err));
    }
    tell_extremes(s, &c, have, chosen);
done:
    vd_str_reset(&buf);
    vd_classes_reset(&c);
    vd_mem_free(chosen);
    vd_mem_free(evenness);
    vd_mem_free(have);
    return st;
}

/* ---- by vectors ---- */

/* The vectors of the list, and back: at[row] is the picture of a vector. */
typedef struct pictured {
    vd_vectors v;
    int32_t *row, *at;
    int32_t *chosen, *given;
    int64_t n_given;
    float *cosine;
    double *gain;
} pictured;

static void pictured_reset(pictured *p) {
    vd_vectors_reset(&p->v);
    vd_mem_free(p->row);
    vd_mem_free(p->at);
    vd_mem_free(p->chosen);
    vd_mem_free(p->given);
    vd_mem_free(p->cosine);
    vd_mem_free(p->gain);
}

static vd_status picture(pictured *p, vd_selection *s, const vd_dataset *ds, const vd_select_opt *o,
                         struct vd_pool *pool, vd_err *err) {
    size_t n = (size_t)s->list.n;
    p->row = vd_mem_array(n, sizeof *p->row);
    p->at = vd_mem_array(n, sizeof *p->at);
    p->chosen = vd_mem_array(n, sizeof *p->chosen);
    p->given = vd_mem_array(n, sizeof *p->given);
    p->cosine = vd_mem_array(n, sizeof *p->cosine);
    p->gain = vd_mem_array(n, sizeof *p->gain);
    if (p->row == NULL || p->at == NULL || p->chosen == NULL || p->given == NULL ||
        p->cosine == NULL || p->gain == NULL)
        return vd_nomem(err);
    VD_TRY(vd_asset_vectors(&p->v, p->row, ds, &s->list, o->vectors, o->ids, pool, err));
    for (int64_t i = 0; i < s->list.n; i++) {
        s->without += p->row[i] < 0;
        if (p->row[i] < 0) continue;
        p->at[p->row[i]] = (int32_t)i;
        if (s->list.row[i].given) p->given[p->n_given++] = p->row[i];
    }
    return VD_OK;
}

static vd_status select_spread(vd_selection *s, pictured *p, const vd_select_opt *o,
                               struct vd_pool *pool, vd_err *err) {
    int64_t n = VD_MIN(o->count, p->v.n - p->n_given);
    if (o->by == VD_SELECT_SIMILARITY)
        VD_TRY(vd_most_similar(p->chosen, p->cosine, &p->v, n, p->given, p->n_given, pool, err));
    else
        VD_TRY(vd_kcentre(p->chosen, p->cosine, &p->v, n, p->given, p->n_given, pool, err));
    for (int64_t i = 0; i < n; i++) {
        bool first = o->by == VD_SELECT_DIVERSITY && i == 0 && p->n_given == 0;
        take(s, p->at[p->chosen[i]], first ? NAN : (double)p->cosine[i], "");
    }
    return VD_OK;
}

static vd_status select_coverage(vd_selection *s, pictured *p, const vd_select_opt *o,
                                 struct vd_pool *pool, vd_err *err) {
    int64_t n = VD_MIN(o->count, p->v.n);
    vd_facility_opt f = VD_FACILITY_OPT;
    f.seed = o->seed;
    VD_TRY(vd_facility(p->chosen, p->gain, &p->v, n, &f, pool, err));
    for (int64_t i = 0; i < n; i++) take(s, p->at[p->chosen[i]], p->gain[i], "");
    return VD_OK;
}

static vd_status select_clusters(vd_selection *s, pictured *p, const vd_select_opt *o,
                                 struct vd_pool *pool, vd_err *err) {
    int64_t n = VD_MIN(o->count, p->v.n);
    vd_balance_opt b = VD_BALANCE_OPT;
    b.seed = o->seed;
    VD_TRY(vd_balance(p->chosen, &p->v, n, &b, pool, err));
    for (int64_t i = 0; i < n; i++) take(s, p->at[p->chosen[i]], NAN, "");
    return VD_OK;
}

/* ---- even shares of a value ---- */

typedef struct parted {
    const char *part;
    int32_t row;
} parted;

static int by_part(const void *a, const void *b) {
    const parted *p = a, *q = b;
    int order = strcmp(p->part, q->part);
    return order != 0 ? order : (p->row > q->row) - (p->row < q->row);
}

/* Of one part, pictures that differ. */
static vd_status select_part(vd_selection *s, pictured *p, const parted *part, int64_t size,
                             int64_t count, struct vd_pool *pool, vd_err *err) {
    vd_vectors v = { 0 };
    if (count == 0) return VD_OK;
    for (int64_t i = 0; i < size; i++) p->given[i] = part[i].row;
    VD_TRY(vd_vectors_take(&v, &p->v, p->given, size, err));
    vd_status st = vd_kcentre(p->chosen, p->cosine, &v, count, NULL, 0, pool, err);
    for (int64_t i = 0; st == VD_OK && i < count; i++)
        take(s, p->at[part[p->chosen[i]].row], i == 0 ? NAN : (double)p->cosine[i], part->part);
    vd_vectors_reset(&v);
    return st;
}

static vd_status select_shares(vd_selection *s, pictured *p, const vd_select_opt *o,
                               struct vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    size_t n = (size_t)p->v.n;
    int64_t parts = 0, first = 0;
    parted *all = vd_mem_array(n, sizeof *all);
    int64_t *cap = vd_mem_array(n, sizeof *cap), *share = vd_mem_array(n, sizeof *share);
    if (all == NULL || cap == NULL || share == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < p->v.n; i++) all[i] = (parted){ s->list.row[p->at[i]].text, i };
    qsort(all, n, sizeof *all, by_part);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(all[i].part, all[i - 1].part) != 0) parts++;
        cap[parts]++;
    }
    parts += n > 0;
    vd_share_evenly(share, cap, parts, VD_MIN(o->count, p->v.n));
    for (int64_t k = 0; k < parts; first += cap[k++])
        VD_GO(select_part(s, p, all + first, cap[k], share[k], pool, err));
done:
    vd_mem_free(all);
    vd_mem_free(cap);
    vd_mem_free(share);
    return st;
}

static vd_status select_vectors(vd_selection *s, const vd_dataset *ds, const vd_select_opt *o,
                                struct vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    pictured p = { 0 };
    VD_GO(picture(&p, s, ds, o, pool, err));
    if (o->by == VD_SELECT_SIMILARITY && p.n_given == 0)
        VD_GO(vd_fail(err, VD_E_NOTFOUND, "select: no picture to be like has a vector"));
    if (o->by == VD_SELECT_COVERAGE)
        st = select_coverage(s, &p, o, pool, err);
    else if (o->by == VD_SELECT_BALANCE && o->per != NULL)
        st = select_shares(s, &p, o, pool, err);
    else if (o->by == VD_SELECT_BALANCE)
        st = select_clusters(s, &p, o, pool, err);
    else
        st = select_spread(s, &p, o, pool, err);
done:
    pictured_reset(&p);
    return st;
}

vd_status vd_select_pictures(vd_selection *out, const vd_dataset *ds, const vd_select_opt *o,
                             struct vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_selection s = { 0 };
    bool like = o->by == VD_SELECT_SIMILARITY || o->by == VD_SELECT_DIVERSITY;
    const vd_curated_query q = { .where = o->where,
                                 .skip = o->skip,
                                 .given = like ? o->given : NULL,
                                 .value = o->by == VD_SELECT_SCORE     ? o->score
                                          : o->by == VD_SELECT_BALANCE ? o->per
                                                                       : NULL };
    VD_GO(vd_curated_load(&s.list, vd_dataset_db(ds), &q, err));
    s.row = vd_mem_array((size_t)s.list.n, sizeof *s.row);
    if (s.row == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < s.list.n; i++)
        s.candidates += s.list.row[i].wanted && !s.list.row[i].given;
    if (s.candidates == 0)
        st = VD_OK;
    else if (o->by == VD_SELECT_SCORE)
        st = select_score(&s, o->count, err);
    else if (o->by == VD_SELECT_SURFACE)
        st = vd_select_surface(&s, ds, o, err);
    else if (o->by == VD_SELECT_BALANCE && o->per_class)
        st = select_classes(&s, ds, o, err);
    else
        st = select_vectors(&s, ds, o, pool, err);
    if (st != VD_OK) goto done;
    vd_selection_reset(out);
    *out = s;
    s = (vd_selection){ 0 };
done:
    vd_selection_reset(&s);
    return st;
}

vd_status vd_selection_tag(const vd_selection *s, vd_db *db, const char *tag, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *away = NULL, *set = NULL;
    const vd_value name[] = { vd_val_text(tag) };
    VD_TRY(vd_db_begin(db, err));
    VD_GO(vd_db_prepare(&away, db, "DELETE FROM tag WHERE name = ?1", true, err));
    VD_GO(vd_db_prepare(&set, db, "INSERT INTO tag(name, asset_id) VALUES (?1, ?2)", true, err));
    VD_GO(vd_stmt_run(away, name, 1, err));
    for (int64_t i = 0; i < s->n; i++) {
        const vd_value v[] = { vd_val_text(tag), vd_val_int(s->row[i].id) };
        VD_GO(vd_stmt_run(set, v, 2, err));
    }
    st = vd_db_commit(db, err);
done:
    vd_stmt_free(away);
    vd_stmt_free(set);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}
