/* How two states differ. SPDX-License-Identifier: Apache-2.0 */
#include "curate/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/* Objects of a class in both states, and what became of them. */
typedef struct tally {
    int64_t a, b, added, removed, changed;
} tally;

typedef struct differ {
    const vd_state *a, *b;
    int64_t *gone, *came; /* rows of a without b, of b without a */
    int64_t n_gone, n_came;
    vd_difference_fn each;
    void *user;
    /* classes of both states together, by set and name, and how those of each are numbered in them
     */
    vd_state_class *cls;
    tally *total;
    int64_t n_classes;
    int32_t *of_a, *of_b;
    int64_t *first_a, *first_b; /* [n + 1] of the objects of a row */
    vd_str text_a, text_b;
} differ;

static vd_status tell(differ *d, const char *what, const char *uri, const char *a, const char *b,
                      vd_err *err) {
    const vd_difference x = { what, uri, a, b, -1, -1, -1 };
    return d->each(d->user, &x, err);
}

/* ---- objects ---- */

static int order_of(const vd_state_class *a, const vd_state_class *b) {
    int order = strcmp(a->set, b->set);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static void join_classes(differ *d) {
    const vd_state *a = d->a, *b = d->b;
    for (int64_t i = 0, k = 0; i < a->n_classes || k < b->n_classes; d->n_classes++) {
        int order = i == a->n_classes   ? 1
                    : k == b->n_classes ? -1
                                        : order_of(&a->cls[i], &b->cls[k]);
        d->cls[d->n_classes] = order <= 0 ? a->cls[i] : b->cls[k];
        if (order <= 0) d->of_a[i++] = (int32_t)d->n_classes;
        if (order >= 0) d->of_b[k++] = (int32_t)d->n_classes;
    }
}

static int64_t *first_of_rows(const vd_state *s) {
    int64_t *first = vd_mem_array((size_t)s->n + 1, sizeof *first);
    for (int64_t i = 0; first != NULL && i < s->n_objects; i++) first[s->object[i].row + 1]++;
    for (int64_t i = 0; first != NULL && i < s->n; i++) first[i + 1] += first[i];
    return first;
}

static vd_status differ_init(differ *d, vd_err *err) {
    size_t n = (size_t)(d->a->n_classes + d->b->n_classes);
    d->gone = vd_mem_array((size_t)d->a->n, sizeof *d->gone);
    d->came = vd_mem_array((size_t)d->b->n, sizeof *d->came);
    d->cls = vd_mem_array(n, sizeof *d->cls);
    d->total = vd_mem_array(n, sizeof *d->total);
    d->of_a = vd_mem_array((size_t)d->a->n_classes, sizeof *d->of_a);
    d->of_b = vd_mem_array((size_t)d->b->n_classes, sizeof *d->of_b);
    d->first_a = first_of_rows(d->a);
    d->first_b = first_of_rows(d->b);
    if (d->gone == NULL || d->came == NULL || d->cls == NULL || d->total == NULL ||
        d->of_a == NULL || d->of_b == NULL || d->first_a == NULL || d->first_b == NULL)
        return vd_nomem(err);
    join_classes(d);
    return VD_OK;
}

static void differ_reset(differ *d) {
    vd_mem_free(d->gone);
    vd_mem_free(d->came);
    vd_mem_free(d->cls);
    vd_mem_free(d->total);
    vd_mem_free(d->of_a);
    vd_mem_free(d->of_b);
    vd_mem_free(d->first_a);
    vd_mem_free(d->first_b);
    vd_str_reset(&d->text_a);
    vd_str_reset(&d->text_b);
}

/* Where the objects of the class of that one end among those of a row. */
static int64_t end_of_class(const vd_state *s, int64_t at, int64_t end) {
    int64_t i = at;
    while (i < end && s->object[i].cls == s->object[at].cls) i++;
    return i;
}

/* Objects of one class: those of a from i to end_a, and those of b from k to end_b. */
static tally compare_class(const vd_state *a, int64_t i, int64_t end_a, const vd_state *b,
                           int64_t k, int64_t end_b) {
    const int64_t na = end_a - i, nb = end_b - k;
    int64_t same = 0;
    while (i < end_a && k < end_b) {
        uint64_t x = a->object[i].says, y = b->object[k].says;
        same += x == y;
        i += x <= y;
        k += y <= x;
    }
    int64_t changed = VD_MIN(na, nb) - same;
    return (tally){ na, nb, nb - same - changed, na - same - changed, changed };
}

static void add_text(vd_str *s, const vd_state_class *c, int64_t n) {
    if (n > 0)
        vd_str_addf(s, "%s%lld %s", s->size > 0 ? ", " : "", (long long)n,
                    c->name[0] != '\0' ? c->name : "without a class");
}

/* Compares the objects of a row of each state, -1: of none, class by class, and adds to
 * the totals. */
static tally compare_objects(differ *d, int64_t row_a, int64_t row_b) {
    const vd_state *a = d->a, *b = d->b;
    int64_t i = row_a >= 0 ? d->first_a[row_a] : 0, end_a = row_a >= 0 ? d->first_a[row_a + 1] : 0;
    int64_t k = row_b >= 0 ? d->first_b[row_b] : 0, end_b = row_b >= 0 ? d->first_b[row_b + 1] : 0;
    tally sum = { 0 };
    vd_str_clear(&d->text_a);
    vd_str_clear(&d->text_b);
    while (i < end_a || k < end_b) {
        int32_t ca = i < end_a ? d->of_a[a->object[i].cls] : INT32_MAX;
        int32_t cb = k < end_b ? d->of_b[b->object[k].cls] : INT32_MAX;
        int32_t c = VD_MIN(ca, cb);
        int64_t next_i = ca == c ? end_of_class(a, i, end_a) : i;
        int64_t next_k = cb == c ? end_of_class(b, k, end_b) : k;
        tally t = compare_class(a, i, next_i, b, k, next_k);
        tally *const into[] = { &sum, &d->total[c] };
        for (int n = 0; n < VD_COUNT(into); n++) {
            into[n]->a += t.a;
            into[n]->b += t.b;
            into[n]->added += t.added;
            into[n]->removed += t.removed;
            into[n]->changed += t.changed;
        }
        add_text(&d->text_a, &d->cls[c], t.a);
        add_text(&d->text_b, &d->cls[c], t.b);
        i = next_i;
        k = next_k;
    }
    return sum;
}

/* What a picture's labels were and are. Snapshots from before objects were kept have a hash only.
 */
static vd_status tell_labels(differ *d, int64_t row_a, int64_t row_b, vd_err *err) {
    const vd_state_row *a = &d->a->row[row_a], *b = &d->b->row[row_b];
    bool same = strcmp(a->labels, b->labels) == 0;
    tally t = compare_objects(d, row_a, row_b);
    bool known = (t.a > 0 || a->labels[0] == '\0') && (t.b > 0 || b->labels[0] == '\0');
    if (!known) return same ? VD_OK : tell(d, "labels", b->uri, a->labels, b->labels, err);
    if (t.added + t.removed + t.changed == 0) return VD_OK;
    VD_TRY(vd_str_check(&d->text_a, err));
    VD_TRY(vd_str_check(&d->text_b, err));
    const vd_difference x = {
        "labels",  b->uri,   vd_str_text(&d->text_a), vd_str_text(&d->text_b), t.added,
        t.removed, t.changed
    };
    return d->each(d->user, &x, err);
}

/* A picture that came or went, with its objects. */
static vd_status tell_one(differ *d, int64_t row_a, int64_t row_b, vd_err *err) {
    tally t = compare_objects(d, row_a, row_b);
    bool came = row_b >= 0;
    const vd_state_row *r = came ? &d->b->row[row_b] : &d->a->row[row_a];
    const vd_difference x = { came ? "added" : "removed",
                              r->uri,
                              came ? "" : r->hash,
                              came ? r->hash : "",
                              came ? t.b : 0,
                              came ? 0 : t.a,
                              0 };
    return d->each(d->user, &x, err);
}

static vd_status tell_classes(differ *d, vd_err *err) {
    vd_status st = VD_OK;
    vd_str name = { 0 };
    for (int64_t k = 0; k < d->n_classes; k++) {
        const tally *t = &d->total[k];
        char a[24], b[24];
        if (t->added + t->removed + t->changed == 0) continue;
        vd_str_clear(&name);
        vd_str_addf(&name, "%s: %s", d->cls[k].set, d->cls[k].name);
        VD_GO(vd_str_check(&name, err));
        snprintf(a, sizeof a, "%lld", (long long)t->a);
        snprintf(b, sizeof b, "%lld", (long long)t->b);
        const vd_difference x = { "class", name.data, a, b, t->added, t->removed, t->changed };
        VD_GO(d->each(d->user, &x, err));
    }
done:
    vd_str_reset(&name);
    return st;
}

/* ---- pictures ---- */

static vd_status compare_rows(differ *d, int64_t row_a, int64_t row_b, vd_err *err) {
    const vd_state_row *a = &d->a->row[row_a], *b = &d->b->row[row_b];
    if (strcmp(a->hash, b->hash) != 0) VD_TRY(tell(d, "bytes", b->uri, a->hash, b->hash, err));
    if (strcmp(a->part, b->part) != 0) VD_TRY(tell(d, "part", b->uri, a->part, b->part, err));
    return tell_labels(d, row_a, row_b, err);
}

static vd_status merge(differ *d, vd_err *err) {
    int64_t i = 0, k = 0;
    while (i < d->a->n || k < d->b->n) {
        int order = i == d->a->n   ? 1
                    : k == d->b->n ? -1
                                   : strcmp(d->a->row[i].uri, d->b->row[k].uri);
        if (order == 0) VD_TRY(compare_rows(d, i, k, err));
        if (order < 0) d->gone[d->n_gone++] = i;
        if (order > 0) d->came[d->n_came++] = k;
        i += order <= 0;
        k += order >= 0;
    }
    return VD_OK;
}

/* Each file that came takes one that is gone and has its bytes. */
static vd_status match_moved(differ *d, int64_t *from, vd_map *last, vd_err *err) {
    int64_t *next = vd_mem_array((size_t)d->n_gone, sizeof *next); /* of the same bytes, -1 */
    vd_status st = next == NULL ? vd_nomem(err) : VD_OK;
    for (int64_t i = d->n_gone; st == VD_OK && i-- > 0;) {
        const char *hash = d->a->row[d->gone[i]].hash;
        if (hash[0] == '\0' || !vd_map_get(last, hash, strlen(hash), &next[i])) next[i] = -1;
        if (hash[0] != '\0') st = vd_map_put(last, hash, strlen(hash), i, err);
    }
    for (int64_t k = 0; st == VD_OK && k < d->n_came; k++) {
        const char *hash = d->b->row[d->came[k]].hash;
        from[k] = -1;
        if (hash[0] == '\0' || !vd_map_get(last, hash, strlen(hash), &from[k]) || from[k] < 0) {
            from[k] = -1;
            continue;
        }
        st = vd_map_put(last, hash, strlen(hash), next[from[k]], err);
    }
    vd_mem_free(next);
    return st;
}

static vd_status tell_moves(differ *d, const int64_t *from, vd_err *err) {
    for (int64_t k = 0; k < d->n_came; k++) {
        if (from[k] < 0) {
            VD_TRY(tell_one(d, -1, d->came[k], err));
            continue;
        }
        int64_t row_a = d->gone[from[k]];
        const vd_state_row *a = &d->a->row[row_a], *b = &d->b->row[d->came[k]];
        VD_TRY(tell(d, "moved", b->uri, a->uri, b->uri, err));
        VD_TRY(compare_rows(d, row_a, d->came[k], err));
        d->gone[from[k]] = -1;
    }
    for (int64_t i = 0; i < d->n_gone; i++)
        if (d->gone[i] >= 0) VD_TRY(tell_one(d, d->gone[i], -1, err));
    return VD_OK;
}

vd_status vd_state_diff(const vd_state *a, const vd_state *b, vd_difference_fn each, void *user,
                        vd_err *err) {
    vd_status st = VD_OK;
    differ d = { .a = a, .b = b, .each = each, .user = user };
    vd_map *last = NULL;
    int64_t *from = vd_mem_array((size_t)b->n, sizeof *from);
    if (from == NULL) VD_GO(vd_nomem(err));
    VD_GO(differ_init(&d, err));
    VD_GO(vd_map_new(&last, err));
    VD_GO(merge(&d, err));
    VD_GO(match_moved(&d, from, last, err));
    VD_GO(tell_moves(&d, from, err));
    st = tell_classes(&d, err);
done:
    vd_map_free(last);
    vd_mem_free(from);
    differ_reset(&d);
    return st;
}
