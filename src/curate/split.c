/* Parts of groups, and keeping them. SPDX-License-Identifier: Apache-2.0 */
#include "curate/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

vd_status vd_split_shares(double share[VD_SPLIT_MAX_PARTS], int *n, const char *text, vd_err *err) {
    double sum = 0, v[VD_SPLIT_MAX_PARTS];
    int parts = 0;
    for (const char *p = text;; p++) {
        char *end = NULL;
        double one = strtod(p, &end);
        if (end == p || (*end != '/' && *end != '\0') || !(one > 0 && one <= 1e9))
            return vd_fail(err, VD_E_ARG, "split: '%.60s' is not parts like 80/10/10", text);
        if (parts == VD_SPLIT_MAX_PARTS)
            return vd_fail(err, VD_E_ARG, "split: '%.60s' has more than %d parts", text,
                           VD_SPLIT_MAX_PARTS);
        v[parts++] = one;
        sum += one;
        p = end;
        if (*p == '\0') break;
    }
    if (parts < 2) return vd_fail(err, VD_E_ARG, "split: '%.60s' is one part only", text);
    for (int i = 0; i < parts; i++) share[i] = v[i] / sum;
    *n = parts;
    return VD_OK;
}

typedef struct bunch {
    int64_t first, n; /* of its pictures in `member` */
    uint64_t draw;    /* of equal sizes the lower goes first */
    int32_t founder;
} bunch;

static int by_size(const void *a, const void *b) {
    const bunch *p = a, *q = b;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    if (p->draw != q->draw) return p->draw < q->draw ? -1 : 1;
    return (p->founder > q->founder) - (p->founder < q->founder);
}

/* have[part][stratum] against what it should be. */
typedef struct splitter {
    const vd_curated_list *list;
    const double *share;
    int n_parts;
    int64_t n_bunches, n_strata;
    bunch *bunch;
    int32_t *member, *stratum;        /* pictures by bunch; stratum of a picture */
    int64_t *have, *total, *incoming; /* have[part * n_strata + stratum]; the rest by stratum */
} splitter;

static void splitter_reset(splitter *s) {
    vd_mem_free(s->bunch);
    vd_mem_free(s->member);
    vd_mem_free(s->stratum);
    vd_mem_free(s->have);
    vd_mem_free(s->total);
    vd_mem_free(s->incoming);
}

/* Numbers the texts of the pictures. */
static vd_status number_strata(splitter *s, vd_err *err) {
    vd_map *of = NULL;
    vd_status st = vd_map_new(&of, err);
    for (int64_t i = 0; st == VD_OK && i < s->list->n; i++) {
        int64_t k = 0;
        const char *text = s->list->row[i].text;
        if (!vd_map_get(of, text, strlen(text), &k)) {
            k = s->n_strata++;
            st = vd_map_put(of, text, strlen(text), k, err);
        }
        s->stratum[i] = (int32_t)k;
    }
    vd_map_free(of);
    return st;
}

/* Groups as runs of `member`; a group's draw depends on the seed and its first URI. */
static void make_bunches(splitter *s, const int32_t *group, uint64_t seed) {
    int64_t n = s->list->n, at = 0;
    for (int64_t i = 0; i < n; i++) s->bunch[group[i]].n++;
    for (int64_t i = 0; i < n; i++) {
        s->bunch[i].first = at;
        at += s->bunch[i].n;
        s->bunch[i].n = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        bunch *b = &s->bunch[group[i]];
        s->member[b->first + b->n++] = (int32_t)i;
    }
    for (int64_t i = 0; i < n; i++) {
        if (s->bunch[i].n == 0) continue;
        bunch b = s->bunch[i];
        const char *uri = s->list->row[i].uri;
        b.founder = (int32_t)i;
        b.draw = vd_mix64(vd_hash64(uri, strlen(uri)) ^ vd_mix64(seed));
        s->bunch[s->n_bunches++] = b;
    }
    qsort(s->bunch, (size_t)s->n_bunches, sizeof *s->bunch, by_size);
}

/* By how much a part's squared distance from what it should have grows with the incoming pictures,
 * each stratum relative to its size, and all pictures together counting like one more stratum. */
static double growth(const splitter *s, int part, int64_t size) {
    const int64_t *have = s->have + part * s->n_strata;
    double share = s->share[part], sum = 0, all = 0;
    for (int64_t k = 0; k < s->n_strata; k++) {
        double more = (double)s->incoming[k], lacks = share * (double)s->total[k] - (double)have[k];
        all += (double)have[k];
        if (more > 0) sum += more * (more - 2 * lacks) / ((double)s->total[k] * share);
    }
    double lacks = share * (double)s->list->n - all;
    return sum + (double)size * ((double)size - 2 * lacks) / ((double)s->list->n * share);
}

static void place(splitter *s, const bunch *b, uint8_t *part) {
    int best = 0;
    double least = 0;
    memset(s->incoming, 0, (size_t)s->n_strata * sizeof *s->incoming);
    for (int64_t i = 0; i < b->n; i++) s->incoming[s->stratum[s->member[b->first + i]]]++;
    for (int p = 0; p < s->n_parts; p++) {
        double g = growth(s, p, b->n);
        if (p > 0 && g >= least) continue;
        least = g;
        best = p;
    }
    for (int64_t k = 0; k < s->n_strata; k++) s->have[best * s->n_strata + k] += s->incoming[k];
    for (int64_t i = 0; i < b->n; i++) part[s->member[b->first + i]] = (uint8_t)best;
}

vd_status vd_split_groups(uint8_t *part, const vd_curated_list *list, const int32_t *group,
                          const double *share, int n_parts, uint64_t seed, vd_err *err) {
    vd_status st = VD_OK;
    size_t n = (size_t)list->n;
    splitter s = { .list = list, .share = share, .n_parts = n_parts };
    s.bunch = vd_mem_array(n, sizeof *s.bunch);
    s.member = vd_mem_array(n, sizeof *s.member);
    s.stratum = vd_mem_array(n, sizeof *s.stratum);
    if (s.bunch == NULL || s.member == NULL || s.stratum == NULL) VD_GO(vd_nomem(err));
    VD_GO(number_strata(&s, err));
    s.have = vd_mem_array((size_t)s.n_strata * (size_t)n_parts, sizeof *s.have);
    s.total = vd_mem_array((size_t)s.n_strata, sizeof *s.total);
    s.incoming = vd_mem_array((size_t)s.n_strata, sizeof *s.incoming);
    if (s.have == NULL || s.total == NULL || s.incoming == NULL) VD_GO(vd_nomem(err));
    for (size_t i = 0; i < n; i++) s.total[s.stratum[i]]++;
    make_bunches(&s, group, seed);
    for (int64_t i = 0; i < s.n_bunches; i++) place(&s, &s.bunch[i], part);
done:
    splitter_reset(&s);
    return st;
}

/* ---- in the catalog ---- */

static vd_status clear_old(vd_db *db, const char *name, vd_err *err) {
    static const char *const sql[] = {
        "DELETE FROM split_asset WHERE split_id IN (SELECT id FROM split WHERE name = ?1)",
        "DELETE FROM split WHERE name = ?1",
        "DELETE FROM tag WHERE substr(name, 1, length(?1) + 1) = ?1 || ':'",
    };
    const vd_value v[] = { vd_val_text(name) };
    for (int i = 0; i < VD_COUNT(sql); i++) {
        vd_stmt *s = NULL;
        VD_TRY(vd_db_prepare(&s, db, sql[i], true, err));
        vd_status st = vd_stmt_run(s, v, 1, err);
        vd_stmt_free(s);
        VD_TRY(st);
    }
    return VD_OK;
}

static vd_status store_rows(vd_db *db, const vd_certificate *c, const vd_curated_list *list,
                            int64_t id, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *row = NULL, *tag = NULL;
    vd_str name = { 0 };
    VD_GO(vd_db_prepare(&row, db,
                        "INSERT INTO split_asset(split_id, asset_id, part, group_id)"
                        " VALUES (?1, ?2, ?3, ?4)",
                        true, err));
    VD_GO(vd_db_prepare(&tag, db, "INSERT OR IGNORE INTO tag(asset_id, name) VALUES (?1, ?2)", true,
                        err));
    for (int64_t i = 0; i < list->n; i++) {
        const char *part = c->part_name[c->part[i]];
        vd_str_clear(&name);
        vd_str_addf(&name, "%s:%s", c->name, part);
        VD_GO(vd_str_check(&name, err));
        const vd_value v[] = { vd_val_int(id), vd_val_int(list->row[i].id), vd_val_text(part),
                               vd_val_int(c->group[i]) };
        const vd_value t[] = { vd_val_int(list->row[i].id), vd_val_text(name.data) };
        VD_GO(vd_stmt_run(row, v, 4, err));
        VD_GO(vd_stmt_run(tag, t, 2, err));
    }
done:
    vd_stmt_free(row);
    vd_stmt_free(tag);
    vd_str_reset(&name);
    return st;
}

vd_status vd_split_store(vd_db *db, const vd_certificate *c, const vd_curated_list *list,
                         vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    int64_t id = 0;
    VD_TRY(vd_db_begin(db, err));
    VD_GO(clear_old(db, c->name, err));
    VD_GO(vd_db_prepare(&s, db,
                        "INSERT INTO split(name, made_ns, rule, seed, assets) VALUES"
                        " (?1, ?2, ?3, ?4, ?5)",
                        true, err));
    const vd_value v[] = { vd_val_text(c->name), vd_val_int(vd_time_unix_ns()),
                           (vd_value){ .type = VD_TEXT, .s = c->by, .n = (int64_t)strlen(c->by) },
                           vd_val_int(c->seed), vd_val_int(list->n) };
    VD_GO(vd_stmt_run(s, v, 5, err));
    VD_GO(vd_db_int(db, "SELECT last_insert_rowid()", &id, err));
    VD_GO(store_rows(db, c, list, id, err));
    st = vd_db_commit(db, err);
done:
    vd_stmt_free(s);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}
