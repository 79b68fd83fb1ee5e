/* Points come, grow, merge and go. SPDX-License-Identifier: Apache-2.0
 *
 * What should happen to each track is planned in parallel on a model that stands still, and done
 * one after the other, so the result does not depend on the threads. */
#include <string.h>

#include "base/mem.h"
#include "sfm/mapper_int.h"

enum {
    MOST_KEYS = 64,
    PIECE = 256
}; /* keypoints of a track that are looked at; tracks of a task */

enum plan_kind { PLAN_NOTHING, PLAN_EXTEND, PLAN_CREATE, PLAN_MERGE };

typedef struct plan {
    int kind;
    int32_t a, b; /* points to merge */
    double x[3];
} plan;

typedef struct planning {
    const vd_mapper *m;
    const int32_t *track;
    int64_t n;
    plan *plan;
} planning;

/* The keypoints of a track in registered images that belong to `point` (-1: to none). */
static int members(const vd_mapper *m, vd_sfm_observation *o, int32_t track, int32_t point) {
    int n = 0;
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1] && n < MOST_KEYS; k++) {
        vd_sfm_observation key = m->tracks.key[k];
        if (m->info[key.image].state != VD_IMAGE_IN_MODEL) continue;
        if (m->point_of[vd_key_of(m, key)] == point) o[n++] = key;
    }
    return n;
}

/* Different points of a track, in the order of its keypoints. */
static int points_of(const vd_mapper *m, int32_t *p, int most, int32_t track) {
    int n = 0;
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1] && n < most; k++) {
        int32_t point = m->point_of[vd_key_of(m, m->tracks.key[k])];
        bool new = point >= 0;
        for (int i = 0; i < n && new; i++) new = p[i] != point;
        if (new) p[n++] = point;
    }
    return n;
}

/* Two points that all keypoints of both agree to be one. */
static bool plan_merge(const vd_mapper *m, plan *out, int32_t a, int32_t b, int32_t track) {
    vd_sfm_observation o[2 * MOST_KEYS];
    double limit = m->opt.max_error_px * m->opt.max_error_px, wa = m->point_n[a],
           wb = m->point_n[b];
    int n = members(m, o, track, a);
    n += members(m, o + n, track, b);
    for (int i = 0; i < 3; i++) out->x[i] = (wa * m->xyz[a][i] + wb * m->xyz[b][i]) / (wa + wb);
    if (!vd_mapper_refine_point(m, out->x, o, n, 4)) return false;
    for (int i = 0; i < n; i++)
        if (vd_mapper_error(m, out->x, o[i]) > limit) return false;
    out->kind = PLAN_MERGE;
    out->a = a;
    out->b = b;
    return true;
}

static void plan_track(const vd_mapper *m, plan *out, int32_t track) {
    vd_sfm_observation loose[MOST_KEYS];
    int32_t point[8];
    double limit = m->opt.max_error_px * m->opt.max_error_px;
    int n_points = m->track_points[track] > 0 ? points_of(m, point, VD_COUNT(point), track) : 0;
    out->kind = PLAN_NOTHING;
    for (int b = 1; b < n_points; b++)
        for (int a = 0; a < b; a++)
            if (plan_merge(m, out, point[a], point[b], track)) return;
    int n = members(m, loose, track, -1);
    for (int i = 0; i < n; i++)
        for (int p = 0; p < n_points; p++)
            if (vd_mapper_error(m, m->xyz[point[p]], loose[i]) <= limit) {
                out->kind = PLAN_EXTEND;
                return;
            }
    if (n >= 2 && vd_mapper_locate(m, out->x, loose, n, (uint64_t)track)) out->kind = PLAN_CREATE;
}

static vd_status plan_task(void *user, int64_t i, int worker, vd_err *err) {
    const planning *w = user;
    (void)worker;
    (void)err;
    for (int64_t k = i * PIECE; k < VD_MIN((i + 1) * PIECE, w->n); k++)
        plan_track(w->m, &w->plan[k], w->track[k]);
    return VD_OK;
}

/* Loose keypoints of the track that agree with a point join it. */
static int extend(vd_mapper *m, int32_t track, int32_t point) {
    vd_sfm_observation loose[MOST_KEYS];
    double limit = m->opt.max_error_px * m->opt.max_error_px;
    int n = members(m, loose, track, -1), joined = 0;
    for (int i = 0; i < n; i++) {
        if (vd_mapper_error(m, m->xyz[point], loose[i]) > limit) continue;
        vd_mapper_observe(m, point, loose[i]);
        joined++;
    }
    return joined;
}

static void merge(vd_mapper *m, const plan *p, int32_t track) {
    vd_sfm_observation o[MOST_KEYS];
    int n = members(m, o, track, p->b);
    vd_mapper_remove_point(m, p->b);
    memcpy(m->xyz[p->a], p->x, sizeof p->x);
    for (int i = 0; i < n; i++) vd_mapper_observe(m, p->a, o[i]);
}

static vd_status carry_out(vd_mapper *m, const plan *p, int32_t track, int64_t *changed,
                           vd_err *err) {
    int32_t point[8], created;
    m->touched[track] = 0;
    switch (p->kind) {
    case PLAN_EXTEND:
        for (int k = 0, n = points_of(m, point, VD_COUNT(point), track); k < n; k++)
            *changed += extend(m, track, point[k]);
        break;
    case PLAN_CREATE:
        VD_TRY(vd_mapper_add_point(m, &created, p->x, track, err));
        *changed += extend(m, track, created);
        break;
    case PLAN_MERGE:
        *changed += m->point_n[p->b];
        merge(m, p, track);
        break;
    }
    return VD_OK;
}

static vd_status work_on(vd_mapper *m, const int32_t *track, int64_t n, int64_t *changed,
                         vd_err *err) {
    vd_status st = VD_OK;
    plan *plans = vd_mem_array((size_t)n, sizeof *plans);
    planning w = { m, track, n, plans };
    if (plans == NULL) return vd_nomem(err);
    VD_GO(vd_pool_for(m->pool, (n + PIECE - 1) / PIECE, plan_task, &w, err));
    for (int64_t i = 0; i < n; i++) VD_GO(carry_out(m, &plans[i], track[i], changed, err));
done:
    vd_mem_free(plans);
    return st;
}

vd_status vd_mapper_triangulate(vd_mapper *m, int32_t image, vd_err *err) {
    int32_t *track = vd_mem_array((size_t)m->in->image[image].n, sizeof *track);
    int64_t n = 0, changed = 0;
    if (track == NULL) return vd_nomem(err);
    for (int32_t k = m->tracks.first[image]; k < m->tracks.first[image + 1]; k++)
        if (m->tracks.of[k] >= 0 && m->point_of[k] < 0) track[n++] = m->tracks.of[k];
    vd_status st = work_on(m, track, n, &changed, err);
    vd_mem_free(track);
    return st;
}

vd_status vd_mapper_retriangulate(vd_mapper *m, bool all, int64_t *changed, vd_err *err) {
    int32_t *track = vd_mem_array((size_t)m->tracks.n, sizeof *track);
    int64_t n = 0;
    if (track == NULL) return vd_nomem(err);
    for (int32_t t = 0; t < m->tracks.n; t++)
        if (all || m->touched[t]) track[n++] = t;
    vd_status st = work_on(m, track, n, changed, err);
    vd_mem_free(track);
    return st;
}

/* Marks the keypoints of a point that err, or all of them when it is seen too narrowly. */
static void check_point(vd_mapper *m, int32_t p) {
    vd_sfm_observation good[MOST_KEYS];
    double limit = m->opt.max_error_px * m->opt.max_error_px;
    int32_t track = m->point_track[p];
    int n = 0;
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++) {
        vd_sfm_observation o = m->tracks.key[k];
        int32_t key = vd_key_of(m, o);
        if (m->point_of[key] != p) continue;
        m->bad[key] = !(vd_mapper_error(m, m->xyz[p], o) <= limit);
        if (!m->bad[key] && n < MOST_KEYS) good[n++] = o;
    }
    if (vd_mapper_wide(m, m->xyz[p], good, n, cos(m->opt.min_angle_rad))) return;
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++) {
        int32_t key = vd_key_of(m, m->tracks.key[k]);
        if (m->point_of[key] == p) m->bad[key] = 1;
    }
}

static vd_status check_task(void *user, int64_t i, int worker, vd_err *err) {
    vd_mapper *m = user;
    (void)worker;
    (void)err;
    for (int64_t p = i * PIECE; p < VD_MIN((i + 1) * PIECE, m->n_points); p++)
        if (m->point_n[p] > 0) check_point(m, (int32_t)p);
    return VD_OK;
}

/* Images that lost nearly all observations would only float about. */
static void drop_images(vd_mapper *m, int64_t *changed) {
    for (int32_t i = m->n_registered - 1; i >= 0; i--) {
        int32_t image = m->registered[i];
        vd_image_info *info = &m->info[image];
        if (info->observations >= m->opt.resection_inliers / 2 || m->n_registered <= 2) continue;
        info->inliers = info->observations;
        info->dropped = true;
        info->tries++;
        info->tried_at = m->spread[image].visible;
        *changed += info->observations + 1;
        vd_mapper_unregister(m, image);
    }
}

vd_status vd_mapper_filter(vd_mapper *m, int64_t *changed, vd_err *err) {
    VD_TRY(vd_pool_for(m->pool, (m->n_points + PIECE - 1) / PIECE, check_task, m, err));
    for (int32_t i = 0; i < m->n_registered;
         i++) { /* a point that goes takes its keypoints along */
        int32_t image = m->registered[i], first = m->tracks.first[image];
        for (int32_t k = first; k < m->tracks.first[image + 1]; k++) {
            if (m->point_of[k] < 0 || !m->bad[k]) continue;
            vd_mapper_forget(m, (vd_sfm_observation){ image, k - first });
            ++*changed;
        }
    }
    drop_images(m, changed);
    return VD_OK;
}

vd_status vd_mapper_filter_near(vd_mapper *m, int32_t image, int64_t *changed, vd_err *err) {
    (void)err;
    for (int32_t k = m->tracks.first[image]; k < m->tracks.first[image + 1]; k++) {
        int32_t p = m->point_of[k];
        if (p < 0) continue;
        int32_t track = m->point_track[p];
        check_point(m, p);
        for (int32_t i = m->tracks.start[track]; i < m->tracks.start[track + 1]; i++) {
            int32_t key = vd_key_of(m, m->tracks.key[i]);
            if (m->point_of[key] != p || !m->bad[key]) continue;
            vd_mapper_forget(m, m->tracks.key[i]);
            ++*changed;
        }
    }
    return VD_OK;
}

typedef struct following {
    vd_mapper *m;
    const int32_t *point, *point_of;
    int64_t n;
} following;

static vd_status follow_task(void *user, int64_t i, int worker, vd_err *err) {
    const following *w = user;
    vd_mapper *m = w->m;
    (void)worker;
    (void)err;
    for (int64_t k = i * PIECE; k < VD_MIN((i + 1) * PIECE, w->n); k++) {
        vd_sfm_observation o[MOST_KEYS];
        int32_t p = w->point[k];
        if (w->point_of[p] >= 0) continue;
        int n = members(m, o, m->point_track[p], p);
        vd_mapper_refine_point(m, m->xyz[p], o, n, 1);
    }
    return VD_OK;
}

vd_status vd_mapper_follow(vd_mapper *m, const int32_t *point, int64_t n, const int32_t *point_of,
                           vd_err *err) {
    following w = { m, point, point_of, n };
    return vd_pool_for(m->pool, (n + PIECE - 1) / PIECE, follow_task, &w, err);
}
