/* What the mapper gets. SPDX-License-Identifier: Apache-2.0 */
#include "scene/scene_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "global/doubt.h"
#include "sfm/bundle.h"
#include "stage/features.h"
#include "scene/pairs.h"

/* What a receiver in a camera or a phone is good for: 95 % within 10 m in the open, height half as
 * good. */
static const double gps_sigma_m = 5, gps_height_sigma_m = 10;

static vd_status keypoints(vd_scene_input *in, vd_run *run, const vd_view_set *views, int64_t i,
                           vd_err *err) {
    vd_keypoint *kp = NULL;
    int n = 0;
    if (in->uv[i] != NULL || views->views[i].features == 0) return VD_OK;
    VD_TRY(vd_keypoints_load(&kp, &n, run->ds, views->views[i].id, err));
    in->uv[i] = vd_mem_array(2 * (size_t)n + 1, sizeof **in->uv);
    for (int k = 0; in->uv[i] != NULL && k < n; k++) {
        in->uv[i][2 * k] = kp[k].x;
        in->uv[i][2 * k + 1] = kp[k].y;
    }
    vd_mem_free(kp);
    if (in->uv[i] == NULL) return vd_nomem(err);
    in->image[i].n = n;
    in->image[i].uv = in->uv[i];
    return VD_OK;
}

static vd_status add_pair(vd_scene_input *in, const vd_pair_row *row, int64_t a, int64_t b,
                          vd_err *err) {
    VD_TRY(VD_GROW(in->pair, in->cap_pairs, in->n_pairs + 1, err));
    vd_sfm_match *m = vd_mem_array((size_t)row->n_inliers, sizeof *m);
    if (m == NULL) return vd_nomem(err);
    for (int i = 0; i < row->n_inliers; i++) {
        m[i] = (vd_sfm_match){ row->inliers[i].a, row->inliers[i].b };
        if (m[i].a < 0 || m[i].a >= in->image[a].n || m[i].b < 0 || m[i].b >= in->image[b].n) {
            vd_mem_free(m);
            return vd_fail(err, VD_E_FORMAT,
                           "pair %lld, %lld: match %d names keypoints that are"
                           " not there",
                           (long long)row->a, (long long)row->b, i);
        }
    }
    in->pair[in->n_pairs++] = (vd_sfm_pair){
        .a = (int32_t)a, .b = (int32_t)b, .n = row->n_inliers, .match = m, .geometry = row->geometry
    };
    return VD_OK;
}

static int by_views(const void *x, const void *y) {
    const vd_sfm_pair *p = x, *q = y;
    if (p->a != q->a) return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

/* In the order of the views, whatever that of the ids in the catalog. */
static vd_status load_pairs(vd_scene_input *in, vd_run *run, const vd_view_set *views,
                            vd_err *err) {
    vd_stmt *s = NULL;
    vd_pair_row row;
    bool more = true;
    vd_status st = vd_pair_select(&s, vd_dataset_db(run->ds), err);
    while (st == VD_OK && more) {
        st = vd_pair_next(s, &row, &more, err);
        if (st != VD_OK || !more) break;
        int64_t a = vd_views_find(views, row.a), b = vd_views_find(views, row.b);
        if (a < 0 || b < 0) continue;
        st = keypoints(in, run, views, a, err);
        if (st == VD_OK) st = keypoints(in, run, views, b, err);
        if (st == VD_OK) st = add_pair(in, &row, a, b, err);
    }
    vd_stmt_free(s);
    if (st == VD_OK && in->n_pairs > 1)
        qsort(in->pair, (size_t)in->n_pairs, sizeof *in->pair, by_views);
    return st;
}

/* ---- positions ---- */

static bool has_gps(const vd_view *v) {
    return v->latitude_deg >= -90 && v->latitude_deg <= 90 && v->longitude_deg >= -180 &&
           v->longitude_deg <= 180;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int64_t n) {
    if (n == 0) return 0;
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

/* Down in the upright picture, as x and y of the stored one, by EXIF orientation. */
static void how_held(vd_sfm_image *image, const vd_view *v) {
    static const int8_t down[9][2] = { { 0, 1 }, { 0, 1 }, { 0, 1 },  { 0, -1 }, { 0, -1 },
                                       { 1, 0 }, { 1, 0 }, { -1, 0 }, { -1, 0 } };
    int o = v->orientation >= 1 && v->orientation <= 8 ? v->orientation : 1;
    image->down[0] = down[o][0];
    image->down[1] = down[o][1];
    image->has_pitch = isfinite(v->pitch_deg);
    if (image->has_pitch) image->pitch_rad = v->pitch_deg * 0.017453292519943295;
}

/* The origin is a median: one wild position does not move it. */
static vd_status positions(vd_scene_input *in, const vd_view_set *views, vd_err *err) {
    double *v = vd_mem_array(3 * (size_t)views->n + 1, sizeof *v);
    int64_t n = 0, n_height = 0;
    if (v == NULL) return vd_nomem(err);
    double *lat = v, *lon = v + views->n, *height = lon + views->n;
    for (int64_t i = 0; i < views->n; i++) {
        if (!has_gps(&views->views[i])) continue;
        lat[n] = views->views[i].latitude_deg;
        lon[n++] = views->views[i].longitude_deg;
        if (isfinite(views->views[i].altitude_m)) height[n_height++] = views->views[i].altitude_m;
    }
    in->has_origin = n > 0;
    in->origin = (vd_geodetic){ median(lat, n), median(lon, n), median(height, n_height) };
    vd_mem_free(v);
    for (int64_t i = 0; i < views->n && in->has_origin; i++) {
        const vd_view *w = &views->views[i];
        bool known = isfinite(w->altitude_m);
        if (!has_gps(w)) continue;
        vd_geodetic g = { w->latitude_deg, w->longitude_deg,
                          known ? w->altitude_m : in->origin.height_m };
        vd_vec3 x = vd_enu_from_geodetic(g, in->origin);
        in->image[i].has_position = true;
        in->image[i].position[0] = x.x;
        in->image[i].position[1] = x.y;
        in->image[i].position[2] = x.z;
        in->image[i].position_sigma_m[0] = in->image[i].position_sigma_m[1] = gps_sigma_m;
        in->image[i].position_sigma_m[2] = known ? gps_height_sigma_m : 100 * gps_height_sigma_m;
    }
    return VD_OK;
}

/* The distortion and focal length of a camera that the user knows stay unless asked for. */
static uint8_t refine_of(const char *how, vd_focal_from from) {
    if (strcmp(how, "none") == 0) return 0;
    if (strcmp(how, "focal") == 0) return VD_REFINE_FOCAL;
    if (strcmp(how, "all") == 0) return VD_REFINE_FOCAL | VD_REFINE_PRINCIPAL | VD_REFINE_EXTRA;
    return from == VD_FOCAL_GIVEN ? 0 : VD_REFINE_FOCAL | VD_REFINE_EXTRA;
}

/* What files tell of focal lengths is believed where the pairs do not disprove it. */
static vd_status doubt(vd_scene_input *in, vd_run *run, const vd_view_set *views, vd_err *err) {
    vd_status st = VD_OK;
    uint8_t *told = vd_mem_array((size_t)views->n_cameras + 1, 1);
    bool any = false;
    if (told == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < views->n_cameras; i++) told[i] = views->focal[i] == VD_FOCAL_EXIF;
    VD_GO(vd_focals_doubt(in->focal_factor, &in->sfm, told, run->pool, err));
    for (int64_t i = 0; i < views->n_cameras; i++) {
        vd_camera *c = &in->camera[i];
        any |= in->focal_factor[i] != 1;
        for (int k = 0; k < vd_camera_layout_of(c->model).focal; k++)
            c->params[k] *= in->focal_factor[i];
    }
    if (any) VD_GO(vd_pairs_estimate(in->pair, &in->sfm, in->focal_factor, run->pool, err));
done:
    vd_mem_free(told);
    return st;
}

vd_status vd_scene_input_load(vd_scene_input *out, vd_run *run, const vd_view_set *views,
                              vd_err *err) {
    vd_status st = VD_OK;
    vd_scene_input in = { .n = views->n };
    in.image = vd_mem_array((size_t)views->n + 1, sizeof *in.image);
    in.uv = vd_mem_array((size_t)views->n + 1, sizeof *in.uv);
    in.refine = vd_mem_array((size_t)views->n_cameras + 1, 1);
    in.camera = vd_mem_array((size_t)views->n_cameras + 1, sizeof *in.camera);
    in.focal_factor = vd_mem_array((size_t)views->n_cameras + 1, sizeof *in.focal_factor);
    if (in.image == NULL || in.uv == NULL || in.refine == NULL || in.camera == NULL ||
        in.focal_factor == NULL)
        VD_GO(vd_nomem(err));
    if (views->n_cameras > 0)
        memcpy(in.camera, views->cameras, (size_t)views->n_cameras * sizeof *in.camera);
    for (int64_t i = 0; i < views->n; i++) {
        in.image[i].camera = views->views[i].camera;
        how_held(&in.image[i], &views->views[i]);
    }
    for (int64_t i = 0; i < views->n_cameras; i++)
        in.refine[i] = refine_of(run->opt->refine, views->focal[i]);
    VD_GO(load_pairs(&in, run, views, err));
    VD_GO(positions(&in, views, err));
    in.sfm = (vd_sfm_input){ .n_images = (int32_t)views->n,
                             .n_cameras = (int32_t)views->n_cameras,
                             .n_pairs = (int32_t)in.n_pairs,
                             .image = in.image,
                             .camera = in.camera,
                             .camera_refine = in.refine,
                             .pair = in.pair };
    VD_GO(doubt(&in, run, views, err));
    *out = in;
    in = (vd_scene_input){ 0 };
done:
    vd_scene_input_reset(&in);
    return st;
}

vd_status vd_scene_input_part(vd_scene_input *in, const vd_agreement *a, vd_err *err) {
    int64_t n = 0;
    if (a->pairs_across == 0) return VD_OK;
    VD_TRY(VD_GROW(in->parted, in->cap_parted, in->n_parted + a->pairs_across, err));
    for (int32_t i = 0; i < a->n; i++) {
        const vd_pair_agreement *g = &a->pair[i];
        vd_sfm_pair *p = &in->pair[g->pair];
        if (a->group[g->a] == a->group[g->b]) continue;
        in->parted[in->n_parted++] = (vd_parted_pair){ p->a, p->b, g->due, g->shown };
        vd_mem_free((void *)p->match);
        p->match = NULL;
    }
    for (int64_t k = 0; k < in->n_pairs; k++)
        if (in->pair[k].match != NULL) in->pair[n++] = in->pair[k];
    in->n_pairs = n;
    in->sfm.n_pairs = (int32_t)n;
    return VD_OK;
}

void vd_scene_input_reset(vd_scene_input *in) {
    for (int64_t i = 0; in->uv != NULL && i < in->n; i++) vd_mem_free(in->uv[i]);
    for (int64_t i = 0; i < in->n_pairs; i++) vd_mem_free((void *)in->pair[i].match);
    vd_mem_free(in->image);
    vd_mem_free(in->pair);
    vd_mem_free(in->uv);
    vd_mem_free(in->refine);
    vd_mem_free(in->camera);
    vd_mem_free(in->parted);
    vd_mem_free(in->focal_factor);
    *in = (vd_scene_input){ 0 };
}
