/* Matching by path, name or hash; see match.h. SPDX-License-Identifier: Apache-2.0 */
#include "store/match.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { HASH_DIGITS = 32 };

void vd_match_reset(vd_match *m) {
    vd_map_free(m->by_name);
    vd_map_free(m->by_stem);
    vd_map_free(m->by_hash);
    vd_mem_free(m->assets);
    vd_mem_free(m->texts);
    *m = (vd_match){ 0 };
}

static bool is_boundary(char c) {
    return c == '/' || c == '!';
}

static const char *last_of(const char *uri) {
    const char *p = uri + strlen(uri);
    while (p > uri && !is_boundary(p[-1])) p--;
    return p;
}

static size_t stem_size(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
}

static vd_status add(vd_match *m, vd_stmt *s, vd_err *err) {
    const char *uri = vd_stmt_text(s, 1), *hash = vd_stmt_text(s, 5);
    int64_t n = (int64_t)strlen(uri) + 1, at = m->n;
    VD_TRY(VD_GROW(m->assets, m->cap, m->n + 1, err));
    VD_TRY(VD_GROW(m->texts, m->cap_texts, m->size + n, err));
    memcpy(m->texts + m->size, uri, (size_t)n);
    int orientation = (int)vd_stmt_int(s, 4);
    m->assets[m->n++] = (vd_match_asset){ .id = vd_stmt_int(s, 0),
                                          .width = vd_stmt_int(s, 2),
                                          .height = vd_stmt_int(s, 3),
                                          .orientation = orientation > 0 ? orientation : 1,
                                          .uri = (const char *)(intptr_t)m->size,
                                          .next = -1,
                                          .next_stem = -1 };
    m->size += n;
    return hash[0] != '\0' ? vd_map_put(m->by_hash, hash, strlen(hash), at, err) : VD_OK;
}

/* Chains of equal names, the lowest id first. */
static vd_status chain(vd_match *m, vd_err *err) {
    for (int64_t i = m->n; i-- > 0;) {
        vd_match_asset *a = &m->assets[i];
        a->uri = m->texts + (intptr_t)a->uri;
        const char *last = last_of(a->uri);
        size_t n = strlen(last), stem = stem_size(last);
        vd_map_get(m->by_name, last, n, &a->next);
        vd_map_get(m->by_stem, last, stem, &a->next_stem);
        VD_TRY(vd_map_put(m->by_name, last, n, i, err));
        VD_TRY(vd_map_put(m->by_stem, last, stem, i, err));
    }
    return VD_OK;
}

vd_status vd_match_init(vd_match *m, vd_db *db, const char *where, vd_err *err) {
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    vd_status st = VD_OK;
    bool row = true;
    vd_str_addf(&sql,
                "SELECT id, uri, width, height, orientation, content_hash FROM asset_facts"
                " WHERE state = 'present' AND kind IN ('image', 'frame', 'page') AND (%s\n)"
                " ORDER BY id",
                where != NULL ? where : "1");
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_map_new(&m->by_name, err));
    VD_GO(vd_map_new(&m->by_stem, err));
    VD_GO(vd_map_new(&m->by_hash, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        VD_GO(add(m, s, err));
    }
    st = chain(m, err);
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

/* How many components two paths of those lengths share from the end; the last one is the same. */
static int shared(const char *name, size_t a, const char *uri, size_t b) {
    const size_t n_name = a;
    int n = 0;
    while (a > 0 && b > 0 &&
           (name[a - 1] == uri[b - 1] || (is_boundary(name[a - 1]) && is_boundary(uri[b - 1])))) {
        a--;
        b--;
        n += is_boundary(name[a]);
    }
    bool whole = a < n_name && ((a == 0 && (b == 0 || is_boundary(uri[b - 1]))) ||
                                (b == 0 && is_boundary(name[a - 1])));
    return n + whole;
}

/* The length of a path without its extension. */
static size_t bare_size(const char *path) {
    const char *last = last_of(path);
    return (size_t)(last - path) + stem_size(last);
}

static bool fits(const vd_match_asset *a, int64_t width, int64_t height) {
    return width > 0 && ((a->width == width && a->height == height) ||
                         (a->width == height && a->height == width));
}

/* The best of a chain: of the same name, or, `bare`, of the same name without its extension. */
static vd_matched best_of(const vd_match *m, int64_t first, bool bare, const char *name,
                          int64_t width, int64_t height, const vd_match_asset **out) {
    const size_t size = bare ? bare_size(name) : strlen(name);
    int most = 0;
    int64_t ties = 0;
    for (int64_t i = first; i >= 0; i = bare ? m->assets[i].next_stem : m->assets[i].next) {
        const vd_match_asset *a = &m->assets[i];
        size_t of = bare ? bare_size(a->uri) : strlen(a->uri);
        int n = 1 + 2 * shared(name, size, a->uri, of) + fits(a, width, height);
        if (n > most) *out = a;
        ties = n > most ? 1 : ties + (n == most);
        most = VD_MAX(most, n);
    }
    return ties == 1 ? VD_MATCHED : VD_MATCH_SEVERAL;
}

vd_matched vd_match_find(const vd_match *m, const char *name, int64_t width, int64_t height,
                         const vd_match_asset **out) {
    const char *last = last_of(name);
    size_t stem = stem_size(last);
    int64_t at = -1;
    if (vd_map_get(m->by_name, last, strlen(last), &at))
        return best_of(m, at, false, name, width, height, out);
    if (stem == HASH_DIGITS && vd_map_get(m->by_hash, last, stem, &at)) {
        *out = &m->assets[at];
        return VD_MATCHED;
    }
    if (!vd_map_get(m->by_stem, last, stem, &at)) return VD_MATCH_NONE;
    return best_of(m, at, true, name, width, height, out);
}
