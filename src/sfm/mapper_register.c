/* The next image: which, and where its camera stood. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "geometry/resection.h"
#include "sfm/mapper_int.h"

enum { MOST_TRIES = 4 };
/* A share of inliers below which the focal length is doubted, and by which another must be better.
 */
static const double GOOD_SHARE = 0.6, CLEARLY_MORE = 1.2;

/* Correspondences of keypoints with points. */
typedef struct sights {
    int32_t *key, *point;
    double *uv, *xyz;
    uint8_t *mask, *other;
    int n;
} sights;

static void sights_reset(sights *s) {
    vd_mem_free(s->key);
    vd_mem_free(s->point);
    vd_mem_free(s->uv);
    vd_mem_free(s->xyz);
    vd_mem_free(s->mask);
    vd_mem_free(s->other);
}

/* Of several points of a track the one with most observations. */
static int32_t best_point(const vd_mapper *m, int32_t track) {
    int32_t best = -1;
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++) {
        int32_t p = m->point_of[vd_key_of(m, m->tracks.key[k])];
        if (p >= 0 && (best < 0 || m->point_n[p] > m->point_n[best])) best = p;
    }
    return best;
}

static vd_status find_sights(sights *s, const vd_mapper *m, int32_t image, vd_err *err) {
    size_t n = (size_t)m->in->image[image].n;
    s->key = vd_mem_alloc(n * sizeof *s->key);
    s->point = vd_mem_alloc(n * sizeof *s->point);
    s->uv = vd_mem_alloc(n * 2 * sizeof *s->uv);
    s->xyz = vd_mem_alloc(n * 3 * sizeof *s->xyz);
    s->mask = vd_mem_array(n, 1);
    s->other = vd_mem_array(n, 1);
    if (s->key == NULL || s->point == NULL || s->uv == NULL || s->xyz == NULL || s->mask == NULL ||
        s->other == NULL)
        return vd_nomem(err);
    for (int32_t k = 0; k < m->in->image[image].n; k++) {
        int32_t track = m->tracks.of[m->tracks.first[image] + k];
        if (track < 0 || m->track_points[track] == 0) continue;
        int32_t point = best_point(m, track);
        s->key[s->n] = k;
        s->point[s->n] = point;
        memcpy(s->uv + 2 * s->n, m->in->image[image].uv + 2 * k, 2 * sizeof(double));
        memcpy(s->xyz + 3 * s->n, m->xyz[point], 3 * sizeof(double));
        s->n++;
    }
    return VD_OK;
}

/* The pose alone, by its inliers; for the first image of a camera its intrinsics too. */
static vd_status refine_pose(vd_rigid *pose, vd_camera *camera, int refine, const sights *s,
                             vd_err *err) {
    vd_status st = VD_OK;
    vd_bundle_obs *obs = vd_mem_alloc((size_t)s->n * sizeof *obs);
    uint8_t *fixed = vd_mem_alloc((size_t)s->n), flags = (uint8_t)refine;
    double *x = vd_mem_alloc((size_t)s->n * 3 * sizeof *x);
    int32_t zero = 0;
    vd_bundle_opt o = VD_BUNDLE_OPT;
    if (obs == NULL || fixed == NULL || x == NULL) VD_GO(vd_nomem(err));
    vd_bundle b = { .n_cameras = 1,
                    .n_poses = 1,
                    .camera = camera,
                    .camera_refine = &flags,
                    .pose = pose,
                    .pose_camera = &zero,
                    .point = x,
                    .point_constant = fixed,
                    .obs = obs };
    for (int i = 0; i < s->n; i++) {
        if (!s->mask[i]) continue;
        memcpy(x + 3 * b.n_points, s->xyz + 3 * i, 3 * sizeof *x);
        fixed[b.n_points] = 1;
        obs[b.n_obs++] = (vd_bundle_obs){ 0, b.n_points++, { s->uv[2 * i], s->uv[2 * i + 1] } };
    }
    o.loss = VD_LOSS_SOFT_L1;
    o.max_iterations = 12;
    VD_GO(vd_bundle_adjust(&b, &o, NULL, NULL, err));
done:
    vd_mem_free(obs);
    vd_mem_free(fixed);
    vd_mem_free(x);
    return st;
}

static bool camera_is_new(const vd_mapper *m, int32_t camera) {
    for (int32_t i = 0; i < m->n_registered; i++)
        if (m->in->image[m->registered[i]].camera == camera) return false;
    return true;
}

/* The pose by the points an image sees. The first image of a camera whose focal length is only a
 * guess may need another one: when the guess explains too little, the focal length is sought too.
 */
static vd_status find_pose(const vd_mapper *m, vd_rigid *pose, vd_camera *camera, int *inliers,
                           sights *s, int32_t image, int refine, vd_err *err) {
    vd_resection_opt o = VD_RESECTION_OPT;
    vd_camera other = *camera;
    vd_rigid other_pose;
    int more = 0;
    o.max_error_px = m->opt.resection_error_px;
    o.seed = m->opt.seed;
    o.item = (uint64_t)image;
    VD_TRY(vd_resection(pose, s->mask, inliers, camera, s->uv, s->xyz, s->n, &o, err));
    if (!(refine & VD_REFINE_FOCAL) || vd_camera_is_fisheye(camera->model)) return VD_OK;
    if (*inliers > GOOD_SHARE * s->n) return VD_OK;
    VD_TRY(vd_resection_focal(&other_pose, &other, s->other, &more, s->uv, s->xyz, s->n, &o, err));
    if (more <= CLEARLY_MORE * *inliers || !vd_mapper_plausible(&other)) return VD_OK;
    uint8_t *mask = s->mask;
    s->mask = s->other;
    s->other = mask;
    *pose = other_pose;
    *camera = other;
    *inliers = more;
    return VD_OK;
}

/* Tries to place an image. */
static vd_status try_image(vd_mapper *m, int32_t image, bool *placed, vd_err *err) {
    vd_status st = VD_OK;
    sights s = { 0 };
    vd_rigid pose;
    vd_image_info *info = &m->info[image];
    int32_t index = m->in->image[image].camera;
    vd_camera camera = m->camera[index];
    int inliers = 0, refine = camera_is_new(m, index) ? vd_refine_of(m, index) : 0;
    *placed = false;
    VD_GO(find_sights(&s, m, image, err));
    VD_GO(find_pose(m, &pose, &camera, &inliers, &s, image, refine, err));
    m->stats.resections++;
    info->inliers = inliers;
    info->of = s.n;
    if (inliers < m->opt.resection_inliers || inliers < m->opt.resection_share * s.n) goto done;
    vd_camera found = camera;
    VD_GO(refine_pose(&pose, &found, refine & ~VD_REFINE_PRINCIPAL, &s, err));
    if (refine) m->camera[index] = vd_mapper_plausible(&found) ? found : camera;
    vd_mapper_register(m, image, pose);
    double limit = m->opt.resection_error_px * m->opt.resection_error_px;
    for (int i = 0; i < s.n; i++) {
        vd_sfm_observation key = { image, s.key[i] };
        if (vd_mapper_error(m, s.xyz + 3 * i, key) <= limit) vd_mapper_observe(m, s.point[i], key);
    }
    *placed = true;
done:
    sights_reset(&s);
    return st;
}

/* Images that failed wait until they see a fifth more. */
static bool worth_a_try(const vd_mapper *m, int32_t image) {
    const vd_image_info *i = &m->info[image];
    int32_t visible = m->spread[image].visible;
    if (i->state != VD_IMAGE_FREE || visible < m->opt.resection_inliers) return false;
    return i->tries == 0 || (i->tries < MOST_TRIES && visible > i->tried_at + i->tried_at / 5);
}

vd_status vd_mapper_next(vd_mapper *m, int32_t *image, vd_err *err) {
    double begun = vd_time_mono_s();
    *image = -1;
    while (*image < 0) {
        int32_t best = -1;
        bool placed;
        for (int32_t i = 0; i < m->in->n_images; i++)
            if (worth_a_try(m, i) && (best < 0 || m->spread[i].score > m->spread[best].score))
                best = i;
        if (best < 0) break;
        VD_TRY(try_image(m, best, &placed, err));
        if (placed) {
            *image = best;
        } else {
            m->info[best].tries++;
            m->info[best].tried_at = m->spread[best].visible;
        }
    }
    m->stats.resection_s += vd_time_mono_s() - begun;
    return VD_OK;
}
