/* Stage duplicates: exact groups by content, near groups by perceptual hash.
 *
 * Exact: equal size and content hash, then compared byte by byte before two files are called the
 * same. Near: PDQ within a Hamming radius, quality above a floor, one member of each exact group
 * standing for all. Groups are stars: the best picture (resolution, then sharpness, then bytes a
 * pixel, then id) founds a group and takes every picture within the radius of itself, so that a
 * chain of small steps cannot swallow unrelated pictures. Videos are near duplicates when a stated
 * share of the frames of each finds a match in the other. Frames are compared only for that:
 * neighbours in one video are no duplicates. SPDX-License-Identifier: Apache-2.0 */
#include "stage/stages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "index/groups.h"
#include "index/hamming.h"
#include "measure/pdq.h"
#include "stage/compare.h"

enum { C_DUP, C_NEAR, C_DISTANCE, C_KEEP_DUP, C_KEEP_NEAR, C_WHY, N_COLUMNS };

static const vd_column columns[N_COLUMNS] = {
    [C_DUP] = { "duplicate_group", VD_INT, "", "files with the same bytes share it: the lowest id",
                VD_COL_INDEX },
    [C_NEAR] = { "near_group", VD_INT, "", "near duplicates share it: the id of the member to keep",
                 VD_COL_INDEX },
    [C_DISTANCE] = { "near_distance", VD_INT, "bits",
                     "PDQ distance to the member to keep; videos: percent of"
                     " frames without a match",
                     0 },
    [C_KEEP_DUP] = { "duplicate_keep", VD_INT, "", "1 for the member of the exact group to keep",
                     0 },
    [C_KEEP_NEAR] = { "near_keep", VD_INT, "", "1 for the member of the near group to keep", 0 },
    [C_WHY] = { "keep_reason", VD_TEXT, "", "why the member is kept", 0 },
};

const vd_table_decl vd_table_duplicates = { "fact_duplicates", columns, N_COLUMNS };

typedef struct member {
    int64_t id, parent_id, size;
    uint64_t pdq[4];
    bool video_frame;
    double pixels, sharpness, bytes_per_pixel;
} member;

typedef struct verdict {
    int64_t id, dup, near, distance;
    bool keep_dup, keep_near;
    const char *why;
} verdict;

typedef struct finder {
    vd_run *run;
    vd_db *db;
    vd_map *slot_of; /* asset id -> index in verdicts */
    verdict *verdicts;
    int64_t n_verdicts, cap_verdicts;
    member *members;
    int64_t n_members, cap_members;
} finder;

static vd_status verdict_of(finder *f, int64_t id, verdict **out, vd_err *err) {
    int64_t at = 0;
    if (!vd_map_get(f->slot_of, &id, sizeof id, &at)) {
        at = f->n_verdicts;
        VD_TRY(VD_GROW(f->verdicts, f->cap_verdicts, at + 1, err));
        VD_TRY(vd_map_put(f->slot_of, &id, sizeof id, at, err));
        f->verdicts[at] = (verdict){ .id = id, .dup = -1, .near = -1, .distance = -1 };
        f->n_verdicts++;
    }
    *out = &f->verdicts[at];
    return VD_OK;
}

/* ---- exact ---- */

/* Files of one (hash, size): splits them into sets that really are equal; nearly always one. */
static vd_status settle_exact(finder *f, int64_t *ids, int64_t n, vd_err *err) {
    for (int64_t first = 0; first < n; first++) {
        if (ids[first] < 0) continue;
        int64_t group = ids[first], found = 0;
        for (int64_t i = first + 1; i < n; i++) {
            bool same = false;
            if (ids[i] < 0) continue;
            VD_TRY(vd_compare_assets(f->db, group, ids[i], &same, err));
            if (!same) continue;
            verdict *v = NULL;
            VD_TRY(verdict_of(f, ids[i], &v, err));
            v->dup = group;
            ids[i] = -1;
            found++;
        }
        if (found == 0) continue;
        verdict *v = NULL;
        VD_TRY(verdict_of(f, group, &v, err));
        v->dup = group;
        v->keep_dup = true;
        v->why = "the same bytes: first found";
    }
    return VD_OK;
}

static vd_status find_exact(finder *f, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    int64_t *ids = NULL, n = 0, cap = 0;
    vd_str hash = { 0 };
    bool row = true;
    VD_GO(vd_db_prepare(
        &s, f->db,
        "SELECT id, content_hash FROM asset WHERE state = 'present' AND size > 0 AND"
        " content_hash IN (SELECT content_hash FROM asset WHERE content_hash IS NOT NULL"
        " AND state = 'present' GROUP BY content_hash HAVING count(*) > 1)"
        " ORDER BY content_hash, size, id",
        true, err));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        bool same = row && strcmp(vd_stmt_text(s, 1), vd_str_text(&hash)) == 0;
        if (!same && n > 0) {
            VD_GO(settle_exact(f, ids, n, err));
            n = 0;
        }
        if (!row) break;
        VD_GO(VD_GROW(ids, cap, n + 1, err));
        ids[n++] = vd_stmt_int(s, 0);
        vd_str_clear(&hash);
        vd_str_add(&hash, vd_stmt_text(s, 1));
        VD_GO(vd_str_check(&hash, err));
    }
done:
    vd_stmt_free(s);
    vd_mem_free(ids);
    vd_str_reset(&hash);
    return st;
}

/* ---- near ---- */

static vd_status load_members(finder *f, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = VD_OK;
    VD_GO(vd_db_prepare(&s, f->db,
                        "SELECT a.id, coalesce(a.parent_id, 0), a.kind = 'frame', p.pdq, a.size,"
                        " coalesce(c.width, 0) * coalesce(c.height, 0), m.sharpness"
                        " FROM fact_fingerprint p JOIN asset a ON a.id = p.asset_id"
                        " LEFT JOIN fact_check c ON c.asset_id = a.id"
                        " LEFT JOIN fact_measure m ON m.asset_id = a.id"
                        " WHERE p.pdq_quality >= ?1 AND a.state = 'present' ORDER BY a.id",
                        true, err));
    vd_stmt_bind(s, 1, vd_val_int(f->run->opt->near_quality));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        vd_value pdq = vd_stmt_value(s, 3);
        int64_t id = vd_stmt_int(s, 0), at = 0;
        /* the exact group's first member stands for all */
        bool stands = !vd_map_get(f->slot_of, &id, sizeof id, &at) || f->verdicts[at].dup == id ||
                      f->verdicts[at].dup < 0;
        if (pdq.type != VD_BLOB || pdq.n != 32 || !stands) continue;
        VD_GO(VD_GROW(f->members, f->cap_members, f->n_members + 1, err));
        member *m = &f->members[f->n_members++];
        *m = (member){ .id = id,
                       .parent_id = vd_stmt_int(s, 1),
                       .video_frame = vd_stmt_int(s, 2) != 0,
                       .size = vd_stmt_int(s, 4),
                       .pixels = vd_stmt_real(s, 5),
                       .sharpness = vd_stmt_real(s, 6) };
        m->bytes_per_pixel = m->pixels > 0 ? (double)m->size / m->pixels : 0;
        if (!isfinite(m->sharpness)) m->sharpness = 0;
        memcpy(m->pdq, pdq.s, 32); /* only distances matter: the order of the bits does not */
    }
done:
    vd_stmt_free(s);
    return st;
}

/* Better to keep: first. */
static int by_preference(const void *pa, const void *pb) {
    const member *a = pa, *b = pb;
    if (a->pixels != b->pixels) return a->pixels > b->pixels ? -1 : 1;
    if (a->sharpness != b->sharpness) return a->sharpness > b->sharpness ? -1 : 1;
    if (a->bytes_per_pixel != b->bytes_per_pixel)
        return a->bytes_per_pixel > b->bytes_per_pixel ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static const char *why_kept(const member *keep, const member *second) {
    if (keep->pixels > second->pixels) return "highest resolution";
    if (keep->sharpness > second->sharpness) return "sharpest at the same resolution";
    if (keep->bytes_per_pixel > second->bytes_per_pixel) return "least compressed";
    return "first found";
}

/* The eight hashes of every picture, turned and mirrored, as fingerprint stored them. */
static vd_status load_turned(finder *f, const member *stills, int64_t n, uint64_t (**out)[4],
                             vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = VD_OK;
    uint64_t(*all)[4] = vd_mem_array((size_t)n * VD_PDQ_DIHEDRAL + 1, sizeof *all);
    if (all == NULL) return vd_nomem(err);
    VD_GO(vd_db_prepare(&s, f->db, "SELECT pdq_dihedral FROM fact_fingerprint WHERE asset_id = ?1",
                        true, err));
    for (int64_t i = 0; i < n; i++) {
        bool row = false;
        vd_stmt_bind(s, 1, vd_val_int(stills[i].id));
        VD_GO(vd_stmt_step(s, &row, err));
        vd_value v = vd_stmt_value(s, 0);
        bool have = row && v.type == VD_BLOB && v.n == 32 * VD_PDQ_DIHEDRAL;
        for (int k = 0; k < VD_PDQ_DIHEDRAL; k++)
            memcpy(all[i * VD_PDQ_DIHEDRAL + k],
                   have ? (const void *)(v.s + 32 * k) : stills[i].pdq, 32);
        vd_stmt_reset(s);
    }
    *out = all;
    all = NULL;
done:
    vd_stmt_free(s);
    vd_mem_free(all);
    return st;
}

static vd_status near_stills(finder *f, vd_err *err) {
    vd_status st = VD_OK;
    int64_t n = 0;
    int32_t *group = vd_mem_array((size_t)f->n_members + 1, sizeof *group);
    int32_t *distance = vd_mem_array((size_t)f->n_members + 1, sizeof *distance);
    member *stills = vd_mem_array((size_t)f->n_members + 1, sizeof *stills);
    uint64_t(*hashes)[4] = vd_mem_array((size_t)f->n_members + 1, sizeof *hashes);
    uint64_t(*turned)[4] = NULL;
    vd_hamming_opt opt = VD_HAMMING_OPT;
    opt.radius = f->run->opt->near_distance;
    if (stills == NULL || hashes == NULL || group == NULL || distance == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < f->n_members; i++)
        if (!f->members[i].video_frame) stills[n++] = f->members[i];
    if (n > 1) qsort(stills, (size_t)n, sizeof *stills, by_preference);
    for (int64_t i = 0; i < n; i++) memcpy(hashes[i], stills[i].pdq, 32);
    if (f->run->opt->dihedral) VD_GO(load_turned(f, stills, n, &turned, err));
    VD_GO(vd_near_groups(group, distance, (const uint64_t(*)[4])hashes,
                         (const uint64_t(*)[4])turned, turned != NULL ? VD_PDQ_DIHEDRAL : 0, n,
                         NULL, &opt, f->run->pool, err));
    for (int64_t i = n - 1; i >= 0;
         i--) { /* backwards: the last seen beside the keeper is the second best */
        int64_t g = group[i];
        if (g < 0 || g == i) continue;
        verdict *v = NULL, *keep = NULL;
        VD_GO(verdict_of(f, stills[i].id, &v, err));
        v->near = stills[g].id;
        v->distance = distance[i];
        VD_GO(verdict_of(f, stills[g].id, &keep, err));
        keep->near = stills[g].id;
        keep->distance = 0;
        keep->keep_near = true;
        keep->why = why_kept(&stills[g], &stills[i]);
    }
done:
    vd_mem_free(stills);
    vd_mem_free(hashes);
    vd_mem_free(turned);
    vd_mem_free(group);
    vd_mem_free(distance);
    return st;
}

/* The other members of an exact group follow the one that stood for them. */
static vd_status spread_to_exact(finder *f, vd_err *err) {
    for (int64_t i = 0; i < f->n_verdicts; i++) {
        if (f->verdicts[i].dup < 0 || f->verdicts[i].dup == f->verdicts[i].id) continue;
        verdict *first = NULL;
        VD_TRY(verdict_of(f, f->verdicts[i].dup, &first, err));
        f->verdicts[i].near = first->near;
        f->verdicts[i].distance = first->distance;
    }
    return VD_OK;
}

/* ---- videos ---- */

typedef struct video {
    int64_t id, first, n; /* frames [first, first + n) of the sorted frame list */
    double pixels;
} video;

static int by_parent(const void *pa, const void *pb) {
    const member *a = pa, *b = pb;
    if (a->parent_id != b->parent_id) return a->parent_id < b->parent_id ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int by_video_preference(const void *pa, const void *pb) {
    const video *a = pa, *b = pb;
    if (a->pixels != b->pixels) return a->pixels > b->pixels ? -1 : 1;
    if (a->n != b->n) return a->n > b->n ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* share[a * n + b]: how many frames of video a have a match in video b. */
typedef struct shares {
    const finder *f;
    const member *frames;
    const video *v;
    int64_t n, *count;
} shares;

static bool has_match(const shares *s, const member *frame, const video *in) {
    for (int64_t i = in->first; i < in->first + in->n; i++)
        if (vd_hamming(frame->pdq, s->frames[i].pdq) <= s->f->run->opt->near_distance) return true;
    return false;
}

static vd_status count_shares(void *user, int64_t a, int worker, vd_err *err) {
    (void)worker;
    const shares *s = user;
    VD_TRY(vd_run_check_cancel(s->f->run, err));
    for (int64_t i = s->v[a].first; i < s->v[a].first + s->v[a].n; i++)
        for (int64_t b = 0; b < s->n; b++)
            if (b != a && has_match(s, &s->frames[i], &s->v[b])) s->count[a * s->n + b]++;
    return VD_OK;
}

static vd_status judge_videos(finder *f, const member *frames, const video *v, int64_t n,
                              vd_err *err) {
    vd_status st = VD_OK;
    int64_t *count = vd_mem_array((size_t)(n * n), sizeof *count), n_pairs = 0;
    vd_pair *pair = vd_mem_array((size_t)(n * n), sizeof *pair);
    int32_t *group = vd_mem_array((size_t)n, sizeof *group);
    shares s = { f, frames, v, n, count };
    double need = f->run->opt->video_share;
    if (count == NULL || pair == NULL || group == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_pool_for(f->run->pool, n, count_shares, &s, err));
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = a + 1; b < n; b++)
            if ((double)count[a * n + b] >= need * (double)v[a].n &&
                (double)count[b * n + a] >= need * (double)v[b].n)
                pair[n_pairs++] = (vd_pair){ (int32_t)a, (int32_t)b, 0 };
    VD_GO(vd_group_star(group, n, pair, n_pairs, NULL, err));
    for (int64_t i = n - 1; i >= 0; i--) {
        int64_t g = group[i];
        if (g < 0 || g == i) continue;
        verdict *m = NULL;
        VD_GO(verdict_of(f, v[i].id, &m, err));
        m->near = v[g].id;
        m->distance = 100 - 100 * count[i * n + g] / VD_MAX(v[i].n, 1);
        VD_GO(verdict_of(f, v[g].id, &m, err));
        m->near = v[g].id;
        m->distance = 0;
        m->keep_near = true;
        m->why = v[g].pixels > v[i].pixels ? "highest resolution" : "most frames, then first found";
    }
done:
    vd_mem_free(count);
    vd_mem_free(pair);
    vd_mem_free(group);
    return st;
}

enum { MAX_VIDEOS = 4096 }; /* the table of shares is quadratic */

static vd_status list_videos(member *frames, int64_t n, video **out, int64_t *n_out, vd_err *err) {
    video *v = NULL;
    int64_t n_videos = 0, cap = 0;
    if (n > 1) qsort(frames, (size_t)n, sizeof *frames, by_parent);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || frames[i].parent_id != frames[i - 1].parent_id) {
            vd_status st = VD_GROW(v, cap, n_videos + 1, err);
            if (st != VD_OK) {
                vd_mem_free(v);
                return st;
            }
            v[n_videos++] = (video){ frames[i].parent_id, i, 0, frames[i].pixels };
        }
        v[n_videos - 1].n++;
    }
    if (n_videos > 1) qsort(v, (size_t)n_videos, sizeof *v, by_video_preference);
    *out = v;
    *n_out = n_videos;
    return VD_OK;
}

/* Quadratic in the number of frames, with an early exit: 10^5 frames take seconds. */
static vd_status near_videos(finder *f, vd_err *err) {
    vd_status st = VD_OK;
    video *v = NULL;
    int64_t n = 0, n_videos = 0;
    member *frames = vd_mem_array((size_t)f->n_members + 1, sizeof *frames);
    if (frames == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < f->n_members; i++)
        if (f->members[i].video_frame) frames[n++] = f->members[i];
    VD_GO(list_videos(frames, n, &v, &n_videos, err));
    if (n_videos >= 2 && n_videos <= MAX_VIDEOS) VD_GO(judge_videos(f, frames, v, n_videos, err));
done:
    vd_mem_free(v);
    vd_mem_free(frames);
    return st;
}

/* ---- the stage ---- */

static vd_status write_verdicts(finder *f, int64_t key, int stage, vd_err *err) {
    vd_writer *w = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_db_begin(f->db, err));
    VD_GO(vd_db_exec(f->db, "DELETE FROM fact_duplicates", err));
    VD_GO(vd_writer_new(&w, f->run->ds, err));
    for (int64_t i = 0; i < f->n_verdicts; i++) {
        const verdict *v = &f->verdicts[i];
        if (v->dup < 0 && v->near < 0) continue;
        vd_value out[N_COLUMNS] = { 0 };
        if (v->dup >= 0) {
            out[C_DUP] = vd_val_int(v->dup);
            out[C_KEEP_DUP] = vd_val_int(v->keep_dup);
        }
        if (v->near >= 0) {
            out[C_NEAR] = vd_val_int(v->near);
            out[C_DISTANCE] = vd_val_int(v->distance);
            out[C_KEEP_NEAR] = vd_val_int(v->keep_near);
        }
        out[C_WHY] = vd_val_text(v->why);
        VD_GO(vd_writer_fact(w, f->run->table[stage], v->id, f->run->key[stage], out, err));
    }
    char text[32];
    snprintf(text, sizeof text, "%llx", (unsigned long long)key);
    VD_GO(vd_run_state_set(f->run, "duplicates_key", text, err));
    VD_GO(vd_problems_touch(f->run, err));
    VD_GO(vd_db_commit(f->db, err));
done:
    if (st != VD_OK) vd_db_rollback(f->db);
    vd_writer_free(w);
    return st;
}

/* What the result depends on: the configuration, and every hash of every present asset. */
static vd_status input_key(vd_run *run, int stage, int64_t *key, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    uint64_t h = (uint64_t)run->key[stage];
    vd_status st =
        vd_db_prepare(&s, vd_dataset_db(run->ds),
                      "SELECT a.id, a.content_hash, p.pdq FROM asset a LEFT JOIN fact_fingerprint p"
                      " ON p.asset_id = a.id WHERE a.state = 'present' ORDER BY a.id",
                      true, err);
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        vd_value hash = vd_stmt_value(s, 1), pdq = vd_stmt_value(s, 2);
        h = vd_mix64(h ^ (uint64_t)vd_stmt_int(s, 0));
        if (hash.type == VD_TEXT) h = vd_mix64(h ^ vd_hash64(hash.s, (size_t)hash.n));
        if (pdq.type == VD_BLOB) h = vd_mix64(h ^ vd_hash64(pdq.s, (size_t)pdq.n));
    }
    vd_stmt_free(s);
    *key = (int64_t)(h >> 1);
    return st;
}

static vd_status run_duplicates(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    finder f = { .run = run, .db = vd_dataset_db(run->ds) };
    vd_str old = { 0 };
    char text[32];
    int64_t key = 0;
    int stage = vd_run_stage_index(run, "duplicates");
    double t0 = vd_time_mono_s();
    VD_GO(input_key(run, stage, &key, err));
    VD_GO(vd_run_state_get(run, "duplicates_key", &old, err));
    snprintf(text, sizeof text, "%llx", (unsigned long long)key);
    if (strcmp(vd_str_text(&old), text) == 0) goto done; /* nothing changed */
    VD_GO(vd_map_new(&f.slot_of, err));
    VD_GO(find_exact(&f, err));
    VD_GO(load_members(&f, err));
    vd_run_progress(run, "duplicates", 0, f.n_members, t0, false);
    VD_GO(near_stills(&f, err));
    VD_GO(near_videos(&f, err));
    VD_GO(spread_to_exact(&f, err));
    VD_GO(write_verdicts(&f, key, stage, err));
    vd_run_progress(run, "duplicates", f.n_members, f.n_members, t0, true);
    run->time[stage].done = run->time[stage].total = f.n_members;
done:
    vd_map_free(f.slot_of);
    vd_mem_free(f.verdicts);
    vd_mem_free(f.members);
    vd_str_reset(&old);
    return st;
}

static void params(const vd_run_opt *opt, vd_str *out) {
    vd_str_addf(out,
                "near_distance=%d;near_quality=%d;dihedral=%d;video_share=", opt->near_distance,
                opt->near_quality, opt->dihedral);
    vd_str_num(out, opt->video_share);
    vd_str_add(out, ";");
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    static const char *const sql[4] = {
        "SELECT count(*) FROM fact_duplicates WHERE duplicate_group IS NOT NULL",
        "SELECT count(DISTINCT duplicate_group) FROM fact_duplicates WHERE duplicate_group IS NOT NULL",
        "SELECT count(*) FROM fact_duplicates WHERE near_group IS NOT NULL",
        "SELECT count(DISTINCT near_group) FROM fact_duplicates WHERE near_group IS NOT NULL",
    };
    static const char *const word[2] = { "exact", "near" };
    for (int i = 0; i < 2; i++) {
        int64_t members = 0, groups = 0;
        VD_TRY(vd_db_int(vd_dataset_db(run->ds), sql[2 * i], &members, err));
        VD_TRY(vd_db_int(vd_dataset_db(run->ds), sql[2 * i + 1], &groups, err));
        if (i > 0) vd_str_add(out, ", ");
        vd_str_count(out, members);
        vd_str_addf(out, " %s in ", word[i]);
        vd_str_count(out, groups);
        vd_str_add(out, groups == 1 ? " group" : " groups");
    }
    return vd_str_check(out, err);
}

const vd_stage vd_stage_duplicates = {
    .name = "duplicates",
    .help = "groups of equal and of nearly equal pictures",
    .version = 1,
    .scope = VD_SCOPE_DATASET,
    .inputs = "add,fingerprint,measure",
    .table = &vd_table_duplicates,
    .params = params,
    .all = run_duplicates,
    .summary = summary,
};
