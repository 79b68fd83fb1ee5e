/* Pictures that belong together. SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/sets.h"
#include "base/str.h"
#include "curate/split.h"
#include "geometry/two_view.h"

static bool is(const char *word, size_t n, const char *name) {
    return strlen(name) == n && strncmp(word, name, n) == 0;
}

vd_status vd_group_rule_parse(vd_group_rule *out, const char *text, double gap_s, vd_err *err) {
    vd_group_rule r = { .gap_s = gap_s };
    for (const char *p = text; *p != '\0' && r.pattern == NULL; p += *p == ',') {
        size_t n = strcspn(p, ",");
        if (is(p, n, "scene"))
            r.scene = true;
        else if (is(p, n, "overlap"))
            r.overlap = true;
        else if (is(p, n, "duplicates"))
            r.duplicates = true;
        else if (is(p, n, "video"))
            r.video = true;
        else if (is(p, n, "session"))
            r.session = true;
        else if (is(p, n, "folder"))
            r.folder = true;
        else if (n > 0 && strspn(p, "abcdefghijklmnopqrstuvwxyz") < n)
            r.pattern = p;
        else
            return vd_fail(err, VD_E_ARG,
                           "split: '%.*s' is not scene, overlap, duplicates, video, session or"
                           " folder, and a pattern has other signs than letters",
                           (int)VD_MIN(n, 60), p);
        p += r.pattern != NULL ? strlen(p) : n;
    }
    *out = r;
    return VD_OK;
}

/* Pictures of one key are joined to the first that had it. */
typedef struct joiner {
    const vd_curated_list *list;
    int32_t *parent;
    vd_map *position, *first; /* of an asset's id, of a key */
} joiner;

static vd_status joiner_init(joiner *j, int32_t *parent, const vd_curated_list *l, vd_err *err) {
    *j = (joiner){ .list = l, .parent = parent };
    VD_TRY(vd_map_new(&j->position, err));
    for (int64_t i = 0; i < l->n; i++) {
        parent[i] = (int32_t)i;
        VD_TRY(vd_map_put(j->position, &l->row[i].id, sizeof l->row[i].id, i, err));
    }
    return VD_OK;
}

static vd_status join(joiner *j, int64_t at, const void *key, size_t n, vd_err *err) {
    int64_t other = 0;
    if (vd_map_get(j->first, key, n, &other)) {
        vd_sets_join(j->parent, (int32_t)at, (int32_t)other);
        return VD_OK;
    }
    return vd_map_put(j->first, key, n, at, err);
}

/* A statement of asset ids and keys. */
static vd_status join_query(joiner *j, vd_db *db, const char *sql, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    vd_map_free(j->first);
    j->first = NULL;
    VD_GO(vd_map_new(&j->first, err));
    VD_GO(vd_db_prepare(&s, db, sql, true, err));
    while (row) {
        int64_t at = 0;
        VD_GO(vd_stmt_step(s, &row, err));
        int64_t id = row ? vd_stmt_int(s, 0) : 0;
        if (!row || !vd_map_get(j->position, &id, sizeof id, &at)) continue;
        const char *key = vd_stmt_text(s, 1);
        VD_GO(join(j, at, key, strlen(key), err));
    }
done:
    vd_stmt_free(s);
    return st;
}

/* Pairs with verified geometry. Those that share nothing but a mark laid over them do not count. */
static vd_status join_overlaps(joiner *j, vd_db *db, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT a, b FROM pair WHERE inliers > 0 AND config <> ?1 ORDER BY a, b",
                        true, err));
    vd_stmt_bind(s, 1, vd_val_int(VD_TWO_VIEW_WATERMARK));
    while (row) {
        int64_t at[2];
        VD_GO(vd_stmt_step(s, &row, err));
        int64_t a = row ? vd_stmt_int(s, 0) : 0, b = row ? vd_stmt_int(s, 1) : 0;
        if (row && vd_map_get(j->position, &a, sizeof a, &at[0]) &&
            vd_map_get(j->position, &b, sizeof b, &at[1]))
            vd_sets_join(j->parent, (int32_t)at[0], (int32_t)at[1]);
    }
done:
    vd_stmt_free(s);
    return st;
}

/* Neighbours in the time of one camera. Frames are of their video's time and camera. */
static vd_status join_sessions(joiner *j, vd_db *db, double gap_s, vd_err *err) {
    static const char SQL[] =
        "SELECT a.id, coalesce(c.camera, p.camera, '') AS camera,"
        " 86400 * julianday(coalesce(c.taken_at, p.taken_at)) AS t FROM asset a"
        " LEFT JOIN fact_check c ON c.asset_id = a.id"
        " LEFT JOIN fact_check p ON p.asset_id = a.parent_id"
        " WHERE t IS NOT NULL ORDER BY camera, t, a.id";
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_str camera = { 0 };
    bool row = true;
    int64_t last = -1;
    double time = 0;
    VD_GO(vd_db_prepare(&s, db, SQL, true, err));
    while (row) {
        int64_t at = 0;
        VD_GO(vd_stmt_step(s, &row, err));
        int64_t id = row ? vd_stmt_int(s, 0) : 0;
        if (!row || !vd_map_get(j->position, &id, sizeof id, &at)) continue;
        const char *name = vd_stmt_text(s, 1);
        /* times of a day come back to a few microseconds */
        if (last >= 0 && strcmp(name, vd_str_text(&camera)) == 0 &&
            vd_stmt_real(s, 2) - time <= gap_s + 0.01)
            vd_sets_join(j->parent, (int32_t)last, (int32_t)at);
        last = at;
        time = vd_stmt_real(s, 2);
        vd_str_clear(&camera);
        vd_str_add(&camera, name);
        VD_GO(vd_str_check(&camera, err));
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&camera);
    return st;
}

/* Where in a URI its key lies; false: it has none. */
typedef bool (*key_fn)(const regex_t *re, const char *uri, size_t *at, size_t *n);

static bool folder_of(const regex_t *re, const char *uri, size_t *at, size_t *n) {
    const char *slash = strrchr(uri, '/');
    (void)re;
    *at = 0;
    *n = slash != NULL ? (size_t)(slash - uri) : 0;
    return true;
}

static bool matched(const regex_t *re, const char *uri, size_t *at, size_t *n) {
    regmatch_t m[2];
    if (regexec(re, uri, 2, m, 0) != 0) return false;
    const regmatch_t *k = re->re_nsub > 0 && m[1].rm_so >= 0 ? &m[1] : &m[0];
    *at = (size_t)k->rm_so;
    *n = (size_t)(k->rm_eo - k->rm_so);
    return true;
}

static vd_status join_uris(joiner *j, key_fn key, const regex_t *re, vd_err *err) {
    vd_map_free(j->first);
    j->first = NULL;
    VD_TRY(vd_map_new(&j->first, err));
    for (int64_t i = 0; i < j->list->n; i++) {
        size_t at = 0, n = 0;
        if (key(re, j->list->row[i].uri, &at, &n))
            VD_TRY(join(j, i, j->list->row[i].uri + at, n, err));
    }
    return VD_OK;
}

static vd_status join_pattern(joiner *j, const char *pattern, vd_err *err) {
    regex_t re;
    char why[200] = "";
    int code = regcomp(&re, pattern, REG_EXTENDED);
    if (code != 0) {
        regerror(code, &re, why, sizeof why);
        return vd_fail(err, VD_E_ARG, "split: pattern '%.80s': %s", pattern, why);
    }
    vd_status st = join_uris(j, matched, &re, err);
    regfree(&re);
    return st;
}

static vd_status join_duplicates(joiner *j, vd_db *db, vd_err *err) {
    static const char *const sql[] = {
        "SELECT id, content_hash FROM asset WHERE content_hash IS NOT NULL ORDER BY id",
        /* frames of two copies of a video belong together like the videos */
        "SELECT a.id, d.duplicate_group FROM asset a JOIN fact_duplicates d"
        " ON d.asset_id IN (a.id, a.parent_id) WHERE d.duplicate_group IS NOT NULL ORDER BY a.id",
        "SELECT a.id, d.near_group FROM asset a JOIN fact_duplicates d"
        " ON d.asset_id IN (a.id, a.parent_id) WHERE d.near_group IS NOT NULL ORDER BY a.id",
    };
    for (int i = 0; i < VD_COUNT(sql); i++) VD_TRY(join_query(j, db, sql[i], err));
    return VD_OK;
}

vd_status vd_group_pictures(int32_t *group, const vd_dataset *ds, const vd_curated_list *list,
                            const vd_group_rule *rule, vd_err *err) {
    vd_status st = VD_OK;
    vd_db *db = vd_dataset_db(ds);
    joiner j = { 0 };
    VD_GO(joiner_init(&j, group, list, err));
    if (rule->scene)
        VD_GO(join_query(&j, db,
                         "SELECT asset_id, scene FROM fact_reconstruct WHERE scene IS NOT NULL"
                         " ORDER BY asset_id",
                         err));
    if (rule->overlap) VD_GO(join_overlaps(&j, db, err));
    if (rule->duplicates) VD_GO(join_duplicates(&j, db, err));
    if (rule->video)
        VD_GO(join_query(&j, db,
                         "SELECT id, parent_id FROM asset WHERE parent_id IS NOT NULL ORDER BY id",
                         err));
    if (rule->session) VD_GO(join_sessions(&j, db, rule->gap_s, err));
    if (rule->folder) VD_GO(join_uris(&j, folder_of, NULL, err));
    if (rule->pattern != NULL) VD_GO(join_pattern(&j, rule->pattern, err));
    for (int64_t i = 0; i < list->n; i++) group[i] = vd_sets_root(group, (int32_t)i);
done:
    vd_map_free(j.position);
    vd_map_free(j.first);
    return st;
}
