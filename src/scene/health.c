/* Health of scenes. SPDX-License-Identifier: Apache-2.0 */
#include "scene/health.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geometry/rigid.h"
#include "math/mat.h"

static const double DEG = 57.29577951308232;
enum { CELLS = 16 };

/* What was seen of scenes with nothing wrong about them ends well below, or begins well above. */
static const double FLAT = 0.02, APART = 0.15, AGAINST = 0.1, ANGLE_DEG = 2, ERROR_PX = 2,
                    FOCAL_FACTOR = 1.3, SCALE_SIGMA = 0.1, TURN_SIGMA_RAD = 0.1;
enum { LEAST_AGAINST = 3, FEW_POINTS = 100 };

/* ---- coverage ---- */

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static void mark(uint8_t *cell, const vd_camera *c, const double uv[2]) {
    int x = VD_CLAMP((int)(uv[0] * CELLS / c->width), 0, CELLS - 1);
    int y = VD_CLAMP((int)(uv[1] * CELLS / c->height), 0, CELLS - 1);
    cell[CELLS * y + x] = 1;
}

static int32_t find(const vd_sfm_model *m, int32_t image) {
    int32_t lo = 0, hi = m->n_images - 1;
    while (lo < hi) {
        int32_t mid = lo + (hi - lo) / 2;
        if (m->image[mid] < image)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

vd_status vd_health_coverage(double *out, const vd_health_of *h, vd_err *err) {
    enum { ALL = CELLS * CELLS };
    const vd_sfm_model *m = &h->result->model[h->model];
    const vd_sfm_input *in = &h->in->sfm;
    size_t n = (size_t)VD_MAX(m->n_images, 1);
    uint8_t *cell = vd_mem_array(n, ALL);
    double *share = vd_mem_array(n, sizeof *share);
    vd_status st = VD_OK;
    if (cell == NULL || share == NULL) VD_GO(vd_nomem(err));
    for (int64_t k = 0; k < m->track[m->n_points]; k++) {
        const vd_sfm_image *image = &in->image[m->obs[k].image];
        mark(cell + (size_t)find(m, m->obs[k].image) * ALL, &m->camera[image->camera],
             image->uv + 2 * (ptrdiff_t)m->obs[k].keypoint);
    }
    for (int32_t i = 0; i < m->n_images; i++)
        for (int k = 0; k < ALL; k++) share[i] += cell[(size_t)i * ALL + (size_t)k] / (double)ALL;
    if (m->n_images > 1) qsort(share, (size_t)m->n_images, sizeof *share, by_value);
    *out = share[m->n_images / 2];
done:
    vd_mem_free(cell);
    vd_mem_free(share);
    return st;
}

/* ---- warnings ---- */

static void next(vd_str *out) {
    if (out->size > 0) vd_str_add(out, "; ");
}

/* Pairs that were taken away because they join places that look alike. */
static void warn_parted(vd_str *out, const vd_health_of *h) {
    int32_t n = 0, other = -1;
    bool several = false;
    double due = 0, shown = 0;
    for (int64_t i = 0; i < h->in->n_parted; i++) {
        const vd_parted_pair *p = &h->in->parted[i];
        int32_t a = h->result->verdict[p->a].model, b = h->result->verdict[p->b].model;
        if (a != h->model && b != h->model) continue;
        int32_t there = a == h->model ? b : a;
        several |= n > 0 && there != other;
        other = there;
        n++;
        due += p->due;
        shown += p->shown;
    }
    if (n == 0) return;
    next(out);
    vd_str_addf(out, "looks like another place: %d pairs of its pictures with ", (int)n);
    if (several || other < 0 || other == h->model)
        vd_str_add(out, "others");
    else
        vd_str_addf(out, "those of scene %d", (int)other + 1);
    vd_str_addf(out, " match, but show %.0f %% of what they should of each other and were left out",
                due > 0 ? 100 * shown / due : 0);
}

static void warn_repeated(vd_str *out, const vd_health_of *h) {
    const vd_sfm_model *m = &h->result->model[h->model];
    const vd_agreement *a = h->agreement;
    int64_t same = 0, apart = 0;
    for (int32_t i = 0; i < a->n; i++) {
        same += a->pair[i].same;
        apart += a->pair[i].apart;
    }
    if (apart > APART * (double)(same + apart)) {
        next(out);
        vd_str_addf(out,
                    "repeated structure: %.0f %% of the matches of its pairs join keypoints of"
                    " different points",
                    100 * (double)apart / (double)(same + apart));
    }
    if (m->pairs_against >= LEAST_AGAINST && m->pairs_against > AGAINST * m->pairs) {
        next(out);
        vd_str_addf(out, "repeated structure: %d of %d verified pairs contradict it",
                    (int)m->pairs_against, (int)m->pairs);
    }
    if (a->groups > a->parts) {
        next(out);
        vd_str_addf(out,
                    "repeated structure: %d groups of pictures show %.0f %% of what they should of"
                    " each other, %.0f %% of their own",
                    (int)(a->groups - a->parts + 1), 100 * a->share_across, 100 * a->share_within);
    }
    if (a->parts > 1) {
        next(out);
        vd_str_addf(out, "falls apart: %d parts share hardly a point", (int)a->parts);
    }
}

/* Whether nearly all points lie in a plane: the third of their spreads beside the second. Those far
 * away from the middle do not count. */
static vd_status flatness(double *out, const vd_sfm_model *m, vd_err *err) {
    size_t n = (size_t)VD_MAX(m->n_points, 1);
    double *v = vd_mem_alloc(n * sizeof *v), c[3], cov[9] = { 0 }, w[3], e[9], far;
    vd_status st = VD_OK;
    *out = 1;
    if (v == NULL) return vd_nomem(err);
    if (m->n_points < 10) goto done;
    for (int k = 0; k < 3; k++) {
        for (int32_t p = 0; p < m->n_points; p++) v[p] = m->point[3 * (ptrdiff_t)p + k];
        qsort(v, (size_t)m->n_points, sizeof *v, by_value);
        c[k] = v[m->n_points / 2];
    }
    for (int32_t p = 0; p < m->n_points; p++) {
        const double *x = m->point + 3 * (ptrdiff_t)p;
        v[p] = vd_v3_norm(vd_v3(x[0] - c[0], x[1] - c[1], x[2] - c[2]));
    }
    qsort(v, (size_t)m->n_points, sizeof *v, by_value);
    far = 3 * v[m->n_points / 2];
    for (int32_t p = 0; p < m->n_points; p++) {
        const double *x = m->point + 3 * (ptrdiff_t)p;
        const double d[3] = { x[0] - c[0], x[1] - c[1], x[2] - c[2] };
        if (vd_v3_norm(vd_v3(d[0], d[1], d[2])) > far) continue;
        for (int k = 0; k < 9; k++) cov[k] += d[k / 3] * d[k % 3];
    }
    vd_sym_eigen(w, e, cov, 3);
    if (w[1] > 0) *out = sqrt(VD_MAX(w[0], 0) / w[1]);
done:
    vd_mem_free(v);
    return st;
}

static bool all_guessed(const vd_health_of *h) {
    const vd_sfm_model *m = &h->result->model[h->model];
    for (int32_t i = 0; i < m->n_images; i++)
        if (h->views->focal[h->views->views[m->image[i]].camera] != VD_FOCAL_GUESS) return false;
    return true;
}

static vd_status warn_geometry(vd_str *out, const vd_health_of *h, vd_err *err) {
    const vd_sfm_model *m = &h->result->model[h->model];
    double flat, each = (double)m->track[m->n_points] / VD_MAX(m->n_images, 1);
    VD_TRY(flatness(&flat, m, err));
    if (flat < FLAT) {
        next(out);
        vd_str_addf(out, "planar: points are %.2g of its extent off a plane", flat);
        if (all_guessed(h)) vd_str_add(out, ", of unknown focal length: poses may be wrong");
    }
    if (m->median_angle_rad < ANGLE_DEG / DEG) {
        next(out);
        vd_str_addf(out, "little parallax: a median of %.1f deg between rays",
                    DEG * m->median_angle_rad);
    }
    if (each < FEW_POINTS) {
        next(out);
        vd_str_addf(out, "few points: %.0f in a picture", each);
    }
    if (m->mean_error_px > ERROR_PX) {
        next(out);
        vd_str_addf(out, "large errors: %.1f px on average", m->mean_error_px);
    }
    return VD_OK;
}

/* Pictures that are blurred, and focal lengths that are not what their files say. */
static void warn_pictures(vd_str *out, const vd_health_of *h) {
    const vd_sfm_model *m = &h->result->model[h->model];
    int32_t blurred = 0, wrong = 0;
    double factor = 1;
    for (int32_t i = 0; i < m->n_images; i++) {
        const vd_view *v = &h->views->views[m->image[i]];
        const vd_camera *c = &h->views->cameras[v->camera];
        double k = vd_camera_mean_focal(&m->camera[v->camera]) / vd_camera_mean_focal(c);
        blurred += v->blurry;
        if (h->views->focal[v->camera] != VD_FOCAL_EXIF || fabs(log(k)) < log(FOCAL_FACTOR))
            continue;
        wrong++;
        factor = k;
    }
    if (wrong > 0) {
        next(out);
        vd_str_addf(out,
                    "EXIF has other focal lengths: those of %d pictures are %.2g times as long",
                    (int)wrong, factor);
    }
    if (2 * blurred > m->n_images) {
        next(out);
        vd_str_addf(out, "%d of %d pictures are blurred", (int)blurred, (int)m->n_images);
    }
}

static void warn_positions(vd_str *out, const vd_health_of *h) {
    const vd_sfm_model *m = &h->result->model[h->model];
    if (!m->in_position_frame) {
        if (m->positions < 3) return;
        next(out);
        vd_str_addf(out, "the GPS positions of %d pictures do not fit it", (int)m->positions);
        return;
    }
    if (m->scale_sigma > SCALE_SIGMA) {
        next(out);
        vd_str_addf(out, "scale by GPS is uncertain by %.0f %%", 100 * VD_MIN(m->scale_sigma, 1));
    }
    if (m->upright) {
        next(out);
        vd_str_addf(out, "GPS leaves a turn open (%.0f deg): upright by how the cameras are held",
                    DEG * m->turn_sigma_rad);
    } else if (m->turn_sigma_rad > TURN_SIGMA_RAD) {
        next(out);
        vd_str_addf(out, "GPS leaves a turn open (%.0f deg)", DEG * m->turn_sigma_rad);
    }
}

vd_status vd_health_warning(vd_str *out, const vd_health_of *h, vd_err *err) {
    warn_parted(out, h);
    warn_repeated(out, h);
    VD_TRY(warn_geometry(out, h, err));
    warn_pictures(out, h);
    warn_positions(out, h);
    return vd_str_check(out, err);
}
