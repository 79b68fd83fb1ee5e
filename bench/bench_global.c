/* Both mappers on one survey whose truth is known: bench_global VIEWS [JOBS [global|incremental]].
 * Prints a JSON line for each mapper, and one with the ratio of their
 * processor times.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "global/global.h"
#include "sfm_views.h"

enum { KEYPOINTS = 2000 };

typedef vd_status mapper_fn(vd_sfm_result *, const vd_sfm_input *, const vd_sfm_opt *,
                            vd_sfm_stats *, vd_pool *, vd_err *);

static double run(const char *name, mapper_fn *map, const vd_sfm_input *in, const scene *truth,
                  vd_pool *pool) {
    vd_sfm_result out = { 0 };
    vd_sfm_stats s = { 0 };
    vd_err err = { 0 };
    clock_t begun = clock();
    if (map(&out, in, NULL, &s, pool, &err) != VD_OK) {
        fprintf(stderr, "bench_global: %s: %s\n", name, err.msg);
        exit(3);
    }
    double cpu = (double)(clock() - begun) / CLOCKS_PER_SEC;
    vd_sfm_model none = { 0 }, *m = out.n_models > 0 ? &out.model[0] : &none;
    views_error e = { 0 };
    if (out.n_models > 0) e = views_compare(m, truth);
    printf(
        "{\"bench\":\"global\",\"mapper\":\"%s\",\"images\":%d,\"pairs\":%d,\"models\":%d,"
        "\"registered\":%d,\"points\":%d,\"rmse\":%.5f,\"rotation_deg\":%.5f,\"error_px\":%.4f,"
        "\"focal\":%.2f,\"seconds\":%.3f,\"cpu_s\":%.3f,\"tracks_s\":%.3f,\"start_s\":%.3f,\"resection_s\":%.3f,"
        "\"global_s\":%.3f,\"global\":%d,\"filter_s\":%.3f}\n",
        name, in->n_images, in->n_pairs, out.n_models, m->n_images, m->n_points, e.centre_rmse,
        e.rotation_deg, m->mean_error_px, m->n_cameras > 0 ? m->camera[0].params[0] : 0, s.total_s,
        cpu, s.tracks_s, s.start_s, s.resection_s, s.global_s, s.global_adjustments, s.filter_s);
    fflush(stdout);
    vd_sfm_result_reset(&out);
    return cpu;
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    int n = argc > 1 ? atoi(argv[1]) : 0;
    const char *which = argc > 3 ? argv[3] : "";
    if (n < 2 || vd_pool_new(&pool, argc > 2 ? atoi(argv[2]) : 2, &err) != VD_OK) {
        fprintf(stderr, "usage: bench_global VIEWS [JOBS [global|incremental]]\n");
        return 2;
    }
    vd_rng r = vd_rng_for(21, 0, 0);
    scene s = scene_survey(&r, (scene_opt){ .poses = n,
                                            .points = KEYPOINTS * 2,
                                            .model = VD_CAMERA_SIMPLE_RADIAL,
                                            .see = 0.5,
                                            .noise_px = 0.5 });
    views v = views_of(
        &s, &r,
        (views_opt){
            .clutter = 200, .wrong = 0.02, .least = 50, .miss = 0.3, .estimate = 1, .reach = 40 });
    v.refine[0] = VD_REFINE_FOCAL | VD_REFINE_EXTRA;
    v.camera[0].params[0] *= 1.02;
    double a = 0, b = 0;
    if (strcmp(which, "incremental") != 0) a = run("global", vd_sfm_global, &v.in, &s, pool);
    if (strcmp(which, "global") != 0) b = run("incremental", vd_sfm_incremental, &v.in, &s, pool);
    if (a > 0 && b > 0)
        printf("{\"bench\":\"global\",\"images\":%d,\"incremental_over_global\":%.2f}\n", n, b / a);
    views_free(&v);
    scene_free(&s);
    vd_pool_free(pool);
    return 0;
}
