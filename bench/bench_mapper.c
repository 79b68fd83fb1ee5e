/* The incremental mapper on verified matches of a file: bench_mapper FILE [JOBS [MODEL_DIR]]. The
 * file is what colmap_dump.py makes of a COLMAP database, so that both mappers start from the same
 * matches; MODEL_DIR gets images.txt and cameras.txt of the largest model. Prints one JSON line.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geometry/rigid.h"
#include "math/mat.h"
#include "sfm/mapper.h"
#include "sfm_views.h"

typedef struct dump {
    vd_sfm_input in;
    vd_sfm_image *image;
    vd_camera *camera;
    uint8_t *refine;
    vd_sfm_pair *pair;
    char (*name)[64];
} dump;

static void take(void *to, size_t size, FILE *f) {
    if (fread(to, 1, size, f) != size) {
        fprintf(stderr, "bench_mapper: the file ends early\n");
        exit(3);
    }
}

/* The pose of an essential matrix that most matches are in front of, and their median parallax. */
static void decompose(const dump *d, vd_sfm_pair *p, const double e[9]) {
    double u[9], s[3], v[9], r[9], best = -1;
    vd_svd3(u, s, v, e);
    for (int k = 0; k < 4; k++) {
        const double w[9] = { 0, k & 1 ? 1 : -1, 0, k & 1 ? -1 : 1, 0, 0, 0, 0, 1 };
        double m[9], front = 0;
        vd_mat3_mul(m, u, w);
        vd_mat3_mul_nt(r, m, v);
        if (vd_mat3_det(r) < 0)
            for (int i = 0; i < 9; i++) r[i] = -r[i];
        double sign = k & 2 ? -1 : 1;
        vd_vec3 t = vd_v3(sign * u[2], sign * u[5], sign * u[8]);
        for (int i = 0; i < p->n; i++) {
            double x[3], y[3];
            if (!vd_camera_ray(&d->camera[d->image[p->a].camera],
                               d->image[p->a].uv + 2 * p->match[i].a, x) ||
                !vd_camera_ray(&d->camera[d->image[p->b].camera],
                               d->image[p->b].uv + 2 * p->match[i].b, y))
                continue;
            vd_vec3 f = vd_mat3_apply(r, vd_v3(x[0], x[1], x[2])), g = vd_v3(y[0], y[1], y[2]);
            /* depths from f a + t = g b */
            double c = vd_v3_dot(f, g), q = 1 - c * c, ft = vd_v3_dot(f, t), gt = vd_v3_dot(g, t);
            double a = (c * gt - ft) / q, b = (gt - c * ft) / q;
            front += a > 0 && b > 0;
        }
        if (front <= best) continue;
        best = front;
        p->geometry.cam2_from_cam1 = (vd_rigid){ vd_quat_of_matrix(r), t };
    }
}

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double parallax(const dump *d, const vd_sfm_pair *p) {
    double *angle = vd_mem_array((size_t)p->n, sizeof *angle), x[3] = { 0, 0, 1 },
           y[3] = { 0, 0, 1 };
    for (int i = 0; i < p->n; i++) {
        vd_camera_ray(&d->camera[d->image[p->a].camera], d->image[p->a].uv + 2 * p->match[i].a, x);
        vd_camera_ray(&d->camera[d->image[p->b].camera], d->image[p->b].uv + 2 * p->match[i].b, y);
        vd_vec3 f = vd_quat_rotate(p->geometry.cam2_from_cam1.q, vd_v3(x[0], x[1], x[2]));
        angle[i] = acos(VD_CLAMP(vd_v3_dot(f, vd_v3(y[0], y[1], y[2])), -1, 1));
    }
    qsort(angle, (size_t)p->n, sizeof *angle, by_value);
    double median = angle[p->n / 2];
    vd_mem_free(angle);
    return median;
}

static void read_pair(dump *d, vd_sfm_pair *p, FILE *f) {
    int32_t head[4];
    double e[9];
    take(head, sizeof head, f);
    take(e, sizeof e, f);
    vd_sfm_match *m = vd_mem_array((size_t)head[2], sizeof *m);
    take(m, (size_t)head[2] * sizeof *m, f);
    *p = (vd_sfm_pair){ .a = head[0], .b = head[1], .n = head[2], .match = m };
    /* COLMAP: 2 calibrated, 3 uncalibrated, 4 planar, 5 panoramic, 6 one of both, 7 watermark */
    static const int config[] = {
        VD_TWO_VIEW_DEGENERATE,          VD_TWO_VIEW_DEGENERATE, VD_TWO_VIEW_CALIBRATED,
        VD_TWO_VIEW_UNCALIBRATED,        VD_TWO_VIEW_PLANAR,     VD_TWO_VIEW_PANORAMIC,
        VD_TWO_VIEW_PLANAR_OR_PANORAMIC, VD_TWO_VIEW_WATERMARK
    };
    p->geometry.config = head[3] >= 0 && head[3] < VD_COUNT(config) ? config[head[3]] : 0;
    p->geometry.inliers = p->n;
    decompose(d, p, e);
    p->geometry.median_angle_rad = parallax(d, p);
}

static dump read_dump(const char *path) {
    dump d = { 0 };
    int32_t n[3], head[4];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "bench_mapper: no file %s\n", path);
        exit(2);
    }
    take(n, sizeof n, f);
    d.image = vd_mem_array((size_t)n[0], sizeof *d.image);
    d.name = vd_mem_array((size_t)n[0], sizeof *d.name);
    d.camera = vd_mem_array((size_t)n[1], sizeof *d.camera);
    d.refine = vd_mem_array((size_t)n[1], 1);
    d.pair = vd_mem_array((size_t)n[2], sizeof *d.pair);
    for (int i = 0; i < n[1]; i++) {
        take(head, sizeof head, f);
        d.camera[i] = (vd_camera){ .model = head[0], .width = head[1], .height = head[2] };
        d.refine[i] = (uint8_t)head[3];
        take(d.camera[i].params, sizeof d.camera[i].params, f);
    }
    for (int i = 0; i < n[0]; i++) {
        take(d.name[i], sizeof d.name[i], f);
        take(head, 8, f);
        double *uv = vd_mem_array((size_t)head[1], 2 * sizeof *uv);
        take(uv, (size_t)head[1] * 16, f);
        d.image[i] = (vd_sfm_image){ .camera = head[0], .n = head[1], .uv = uv };
    }
    d.in = (vd_sfm_input){ .n_images = n[0],
                           .n_cameras = n[1],
                           .n_pairs = n[2],
                           .image = d.image,
                           .camera = d.camera,
                           .camera_refine = d.refine,
                           .pair = d.pair };
    for (int i = 0; i < n[2]; i++) read_pair(&d, &d.pair[i], f);
    fclose(f);
    return d;
}

enum { KEYPOINTS = 2000 };

static dump make_survey(scene *s, int views_wanted) {
    vd_rng r = vd_rng_for(21, 0, 0);
    *s = scene_survey(&r, (scene_opt){ .poses = views_wanted,
                                       .points = KEYPOINTS * 2,
                                       .model = VD_CAMERA_SIMPLE_RADIAL,
                                       .see = 0.5,
                                       .noise_px = 0.5 });
    views v = views_of(
        s, &r, (views_opt){ .clutter = 200, .wrong = 0.02, .least = 50, .miss = 0.3, .reach = 40 });
    v.refine[0] = 5;
    v.camera[0].params[0] *= 1.02;
    return (dump){ .in = v.in,
                   .image = v.image,
                   .camera = v.camera,
                   .refine = v.refine,
                   .pair = v.pair,
                   .name = vd_mem_array((size_t)views_wanted, 64) };
}

static void write_model(const char *dir, const dump *d, const vd_sfm_model *m) {
    char path[1024];
    snprintf(path, sizeof path, "%s/images.txt", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; f != NULL && i < m->n_images; i++) {
        const vd_rigid *p = &m->cam_from_world[i];
        fprintf(f, "%d %.17g %.17g %.17g %.17g %.17g %.17g %.17g 1 %s\n0 0 -1\n", i + 1, p->q.w,
                p->q.x, p->q.y, p->q.z, p->t.x, p->t.y, p->t.z, d->name[m->image[i]]);
    }
    if (f != NULL) fclose(f);
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    vd_sfm_result out = { 0 };
    vd_sfm_stats s = { 0 };
    if (argc < 2) {
        fprintf(stderr, "usage: bench_mapper FILE [JOBS [MODEL_DIR]]\n");
        return 2;
    }
    dump d = { 0 };
    scene truth = { 0 };
    int survey = atoi(argv[1]);
    if (survey > 0)
        d = make_survey(&truth, survey);
    else
        d = read_dump(argv[1]);
    if (vd_pool_new(&pool, argc > 2 ? atoi(argv[2]) : 2, &err) != VD_OK ||
        vd_sfm_incremental(&out, &d.in, NULL, &s, pool, &err) != VD_OK) {
        fprintf(stderr, "bench_mapper: %s\n", err.msg);
        return 3;
    }
    vd_sfm_model none = { 0 }, *m = out.n_models > 0 ? &out.model[0] : &none;
    views_error e = { 0 };
    if (survey > 0 && out.n_models > 0) e = views_compare(m, &truth);
    printf(
        "{\"bench\":\"mapper\",\"images\":%d,\"models\":%d,\"registered\":%d,\"points\":%d,"
        "\"rmse\":%.5f,\"rotation_deg\":%.5f,\"error_px\":%.4f,\"track\":%.3f,\"angle_deg\":%.2f,\"focal\":%.2f,\"seconds\":%.3f,"
        "\"tracks_s\":%.3f,\"start_s\":%.3f,\"resection_s\":%.3f,\"triangulate_s\":%.3f,"
        "\"local_s\":%.3f,\"local\":%d,\"global_s\":%.3f,\"global\":%d,\"filter_s\":%.3f}\n",
        d.in.n_images, out.n_models, m->n_images, m->n_points, e.centre_rmse, e.rotation_deg,
        m->mean_error_px, m->mean_track, m->median_angle_rad * 57.29577951308232,
        m->n_cameras > 0 ? m->camera[0].params[0] : 0, s.total_s, s.tracks_s, s.start_s,
        s.resection_s, s.triangulate_s, s.local_s, s.local_adjustments, s.global_s,
        s.global_adjustments, s.filter_s);
    for (int i = 0; i < out.n_images; i++)
        if (out.verdict[i].model < 0)
            fprintf(stderr, "%s: %s, %d of %d\n", d.name[i],
                    vd_sfm_reason_name(out.verdict[i].reason), out.verdict[i].inliers,
                    out.verdict[i].of);
    if (argc > 3 && out.n_models > 0) write_model(argv[3], &d, m);
    return 0;
}
