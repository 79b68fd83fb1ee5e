/* The global mapper: the beginning of a model is all of a part of the view graph.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   choose    tracks that cover all images of the part
 *   place     centres by their directions; several draws where the first comes to nothing
 *   settle    triangulate, adjust, filter, with limits that narrow
 *   prune     images that hang together with the others by few points leave
 *
 * Rotations stay fixed while places are sought, whose errors are angles; a separate adjustment with
 * fixed rotations would find nothing new. */
#include "global/global.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/sets.h"
#include "geometry/rigid.h"
#include "global/global_int.h"
#include "global/positions.h"
#include "sfm/mapper_int.h"

enum {
    DRAWS = 3,
    MOST_LENGTH = 30,    /* of a track, of which only so many keypoints are used */
    ENOUGH_TRACKS = 100, /* of an image */
    LEAST_SHARED = 15,   /* points that tie an image to others */
};
static const double WORLD = 10;             /* half the size of the scene, for a start */
static const double LIMITS[] = { 8, 3, 1 }; /* by which errors may be larger, round by round */
static const double GOOD_SHARE = 0.5;       /* of the images that a draw must bring in */

typedef struct placing {
    vd_mapper *m;
    const vd_global *g;
    int32_t part;
    int32_t *node, *image, n; /* [n_images] or -1; and back */
    int32_t *point_track, n_points;
    vd_position_obs *obs;
    int64_t n_obs;
    double *centre, *point;
    int32_t *tracks; /* [n] chosen for it */
} placing;

static void placing_reset(placing *p) {
    vd_mem_free(p->node);
    vd_mem_free(p->image);
    vd_mem_free(p->point_track);
    vd_mem_free(p->obs);
    vd_mem_free(p->centre);
    vd_mem_free(p->point);
    vd_mem_free(p->tracks);
}

static vd_status list_images(placing *p, vd_err *err) {
    int32_t n = p->m->in->n_images;
    p->node = vd_mem_alloc((size_t)n * sizeof *p->node);
    p->image = vd_mem_alloc((size_t)n * sizeof *p->image);
    p->tracks = vd_mem_array((size_t)n, sizeof *p->tracks);
    if (p->node == NULL || p->image == NULL || p->tracks == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < n; i++) {
        bool in = p->g->part[i] == p->part && p->m->info[i].state == VD_IMAGE_FREE;
        p->node[i] = in ? p->n : -1;
        if (in) p->image[p->n++] = i;
    }
    return VD_OK;
}

/* Keypoints of a track in images of the part, as far as they are used. */
static int keys_of(const placing *p, vd_sfm_observation *o, int32_t track) {
    const vd_tracks *t = &p->m->tracks;
    int n = 0;
    for (int32_t k = t->start[track]; k < t->start[track + 1] && n < MOST_LENGTH; k++)
        if (p->node[t->key[k].image] >= 0) o[n++] = t->key[k];
    return n;
}

static void take_track(placing *p, int32_t track) {
    vd_sfm_observation o[MOST_LENGTH];
    int n = keys_of(p, o, track), rays = 0;
    bool wanted = false;
    for (int i = 0; i < n; i++) wanted |= p->tracks[p->node[o[i].image]] < ENOUGH_TRACKS;
    if (!wanted) return;
    for (int i = 0; i < n; i++) {
        vd_position_obs *to = &p->obs[p->n_obs];
        double r[3];
        if (!vd_camera_ray(vd_camera_of(p->m, o[i].image), vd_pixel_of(p->m, o[i]), r)) continue;
        vd_vec3 v =
            vd_quat_rotate(vd_quat_conj(p->g->rotation[o[i].image]), vd_v3(r[0], r[1], r[2]));
        v = vd_v3_unit(v);
        *to = (vd_position_obs){ p->node[o[i].image], p->n_points, { v.x, v.y, v.z } };
        p->tracks[to->camera]++;
        p->n_obs++;
        rays++;
    }
    if (rays > 0) p->point_track[p->n_points++] = track;
}

/* Long tracks first, until every image has enough; tracks of two say nothing about scale. */
static vd_status choose_tracks(placing *p, vd_err *err) {
    vd_sfm_observation o[MOST_LENGTH];
    const vd_tracks *t = &p->m->tracks;
    int32_t start[MOST_LENGTH + 2] = { 0 };
    int64_t keys = 0;
    int32_t *order = vd_mem_alloc((size_t)VD_MAX(t->n, 1) * sizeof *order);
    if (order == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < t->n; i++) {
        int n = keys_of(p, o, i);
        start[MOST_LENGTH - n + 1]++;
        keys += n;
    }
    for (int k = 0; k <= MOST_LENGTH; k++) start[k + 1] += start[k];
    int32_t usable = start[MOST_LENGTH - 2]; /* those of three and more */
    for (int32_t i = 0; i < t->n; i++) order[start[MOST_LENGTH - keys_of(p, o, i)]++] = i;
    p->obs = vd_mem_alloc((size_t)VD_MAX(keys, 1) * sizeof *p->obs);
    p->point_track = vd_mem_alloc((size_t)VD_MAX(usable, 1) * sizeof *p->point_track);
    vd_status st = p->obs != NULL && p->point_track != NULL ? VD_OK : vd_nomem(err);
    for (int32_t i = 0; i < usable && st == VD_OK; i++) take_track(p, order[i]);
    vd_mem_free(order);
    p->centre = vd_mem_alloc((size_t)VD_MAX(p->n, 1) * 3 * sizeof *p->centre);
    p->point = vd_mem_alloc((size_t)VD_MAX(p->n_points, 1) * 3 * sizeof *p->point);
    if (p->centre == NULL || p->point == NULL) return vd_nomem(err);
    return st;
}

/* The cameras into the state, in a scene of a sensible size. */
static void register_all(placing *p) {
    double mean[3] = { 0 }, size = 0;
    for (int32_t i = 0; i < p->n; i++)
        for (int k = 0; k < 3; k++) mean[k] += p->centre[3 * i + k] / p->n;
    for (int32_t i = 0; i < 3 * p->n; i++)
        size += (p->centre[i] - mean[i % 3]) * (p->centre[i] - mean[i % 3]) / p->n;
    double scale = size > 0 ? WORLD / sqrt(size) : 1;
    for (int32_t i = 0; i < p->n; i++) {
        const double *c = p->centre + 3 * (ptrdiff_t)i;
        vd_vec3 at =
            vd_v3((c[0] - mean[0]) * scale, (c[1] - mean[1]) * scale, (c[2] - mean[2]) * scale);
        vd_quat q = p->g->rotation[p->image[i]];
        if (p->tracks[i] == 0) continue;
        vd_mapper_register(p->m, p->image[i],
                           (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, at), -1) });
    }
}

static vd_status narrow(vd_mapper *m, vd_err *err) {
    double limit = m->opt.max_error_px;
    vd_status st = VD_OK;
    for (int i = 0; i < VD_COUNT(LIMITS); i++) {
        int64_t changed = 0;
        m->opt.max_error_px = limit * LIMITS[i];
        VD_GO(vd_mapper_retriangulate(m, true, &changed, err));
        if (m->n_alive == 0) break;
        VD_GO(vd_mapper_adjust_global(m, false, err));
        m->opt.max_error_px = limit * LIMITS[VD_MIN(i + 1, VD_COUNT(LIMITS) - 1)];
        VD_GO(vd_mapper_filter(m, &changed, err));
    }
done:
    m->opt.max_error_px = limit;
    return st;
}

/* Only images stay that pairs with enough common points tie to the most of them. */
static vd_status prune(vd_mapper *m, vd_err *err) {
    int32_t n = m->in->n_images, best = -1;
    int32_t *set = vd_mem_alloc((size_t)n * sizeof *set), *size = vd_mem_array((size_t)n, 4);
    vd_status st = set != NULL && size != NULL ? VD_OK : vd_nomem(err);
    for (int32_t i = 0; i < n && st == VD_OK; i++) set[i] = i;
    for (int32_t k = 0; k < m->in->n_pairs && st == VD_OK; k++) {
        const vd_sfm_pair *p = &m->in->pair[k];
        int32_t shared = 0;
        for (int32_t i = 0; i < p->n && m->trusted[k] && shared < LEAST_SHARED; i++) {
            int32_t x = m->point_of[m->tracks.first[p->a] + p->match[i].a];
            shared += x >= 0 && x == m->point_of[m->tracks.first[p->b] + p->match[i].b];
        }
        if (shared >= LEAST_SHARED) vd_sets_join(set, p->a, p->b);
    }
    for (int32_t i = 0; i < n && st == VD_OK; i++) {
        if (m->info[i].state != VD_IMAGE_IN_MODEL) continue;
        int32_t root = vd_sets_root(set, i);
        size[root]++;
        if (best < 0 || size[root] > size[best]) best = root;
    }
    for (int32_t i = 0; i < n && st == VD_OK; i++)
        if (m->info[i].state == VD_IMAGE_IN_MODEL && vd_sets_root(set, i) != best)
            vd_mapper_unregister(m, i);
    vd_mem_free(set);
    vd_mem_free(size);
    return st;
}

/* Frees the images of an attempt that came to nothing. */
static void give_up(vd_mapper *m) {
    for (int32_t i = 0; i < m->n_registered; i++) m->info[m->registered[i]].state = VD_IMAGE_FREE;
    vd_mapper_begin(m);
}

static vd_status place(placing *p, bool *found, vd_err *err) {
    vd_mapper *m = p->m;
    for (uint64_t draw = 0; draw < DRAWS && !*found; draw++) {
        vd_position_opt o = VD_POSITION_OPT;
        vd_position_report rep;
        o.seed = m->opt.seed + draw;
        if (draw > 0) give_up(m);
        VD_TRY(vd_positions_find(p->centre, p->n, p->point, p->n_points, p->obs, p->n_obs, &o, &rep,
                                 m->pool, err));
        register_all(p);
        VD_TRY(narrow(m, err));
        VD_TRY(prune(m, err));
        *found = m->n_registered >= VD_MAX(GOOD_SHARE * p->n, m->opt.least_images);
    }
    if (!*found) give_up(m);
    return VD_OK;
}

static vd_status try_part(vd_mapper *m, const vd_global *g, int32_t part, bool *found,
                          vd_err *err) {
    vd_status st = VD_OK;
    placing p = { .m = m, .g = g, .part = part };
    VD_GO(list_images(&p, err));
    if (p.n < VD_MAX(m->opt.least_images, 3)) goto done;
    VD_GO(choose_tracks(&p, err));
    VD_GO(place(&p, found, err));
done:
    placing_reset(&p);
    return st;
}

static vd_status start(vd_mapper *m, void *user, bool *found, vd_err *err) {
    vd_global *g = user;
    double begun = vd_time_mono_s();
    *found = false;
    while (!*found && g->next_part < g->n_parts)
        VD_TRY(try_part(m, g, g->order[g->next_part++], found, err));
    m->stats.start_s += vd_time_mono_s() - begun;
    return *found ? VD_OK : vd_mapper_start(m, found, err);
}

vd_status vd_sfm_global(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                        vd_sfm_stats *stats, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_sfm_opt o = opt != NULL ? *opt : (vd_sfm_opt)VD_SFM_OPT;
    vd_global g = { .in = *in, .seed = o.seed, .max_error_px = o.max_error_px };
    vd_sfm_stats s = { 0 };
    double begun = vd_time_mono_s();
    VD_GO(vd_mapper_check(in, err));
    VD_GO(vd_global_relative(&g, pool, err));
    VD_GO(vd_global_parts(&g, pool, err));
    double prepared = vd_time_mono_s() - begun;
    const vd_mapper_plan plan = { .only = g.kept, .start = start, .user = &g };
    VD_GO(vd_mapper_run(out, &g.in, &plan, &o, &s, pool, err));
    s.start_s += prepared;
    s.total_s += prepared;
    if (stats != NULL) *stats = s;
done:
    vd_mem_free(g.camera);
    vd_mem_free(g.pair);
    vd_mem_free(g.kept);
    vd_mem_free(g.rotation);
    vd_mem_free(g.part);
    vd_mem_free(g.order);
    return st;
}
