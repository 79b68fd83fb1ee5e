/* Robust estimation on synthetic pairs with known truth: bench_two_view [PAIRS] [--dump DIR]. One
 * JSON line for each kind of pair, share of outliers and estimator: time a pair, pose errors, which
 * configurations were named. --dump writes the same pairs as text for bench/two_view_peers.py.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../tests/view_scenes.h"
#include "base/cpu.h"
#include "geometry/resection.h"
#include "geometry/two_view.h"

enum { MATCHES = 2000, MOST_PAIRS = 1000 };
static const double DEG = 57.29577951308232;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct tally {
    double us[MOST_PAIRS], error[MOST_PAIRS];
    int config[VD_TWO_VIEW_CONFIGS], pairs;
    double inliers, trials;
} tally;

static void print(const char *name, const view_opt *o, tally *t) {
    char cpu[80];
    vd_cpu_name(cpu, sizeof cpu);
    double mean = 0;
    for (int i = 0; i < t->pairs; i++) mean += t->us[i] / t->pairs;
    qsort(t->us, (size_t)t->pairs, sizeof *t->us, by_value);
    qsort(t->error, (size_t)t->pairs, sizeof *t->error, by_value);
    printf("{\"bench\":\"two_view\",\"cpu\":\"%s\",\"estimator\":\"%s\",\"matches\":%d,"
           "\"outliers\":%.2f,\"noise_px\":%.2f,\"pairs\":%d,\"us_mean\":%.1f,\"us_median\":%.1f,"
           "\"error_median_deg\":%.4f,\"error_90_deg\":%.4f,\"inliers\":%.1f,\"trials\":%.1f,"
           "\"configs\":{",
           cpu, name, o->n, o->outliers, o->noise_px, t->pairs, mean, t->us[t->pairs / 2],
           DEG * t->error[t->pairs / 2], DEG * t->error[t->pairs * 9 / 10], t->inliers / t->pairs,
           t->trials / t->pairs);
    for (int i = 0, any = 0; i < VD_TWO_VIEW_CONFIGS; i++)
        if (t->config[i] > 0)
            printf("%s\"%s\":%d", any++ ? "," : "", vd_two_view_config_name(i), t->config[i]);
    printf("}}\n");
    fflush(stdout);
}

static void run_pairs(const char *name, const view_opt *o, bool calibrated, int pairs) {
    static tally t;
    memset(&t, 0, sizeof t);
    for (int i = 0; i < pairs; i++) {
        view_scene s;
        vd_two_view v = { 0 };
        vd_two_view_opt opt = VD_TWO_VIEW_OPT;
        view_scene_make(&s, o, (uint64_t)i);
        opt.item = (uint64_t)i;
        t.us[i] = 1e30;
        for (int rep = 0; rep < 3; rep++) {
            double begun = now_us();
            if (vd_two_view_estimate(&v, NULL, &s.c1, &s.c2, calibrated, s.uv1, s.uv2, s.n, &opt,
                                     NULL) != VD_OK)
                exit(3);
            t.us[i] = VD_MIN(t.us[i], now_us() - begun);
        }
        t.error[i] = calibrated ? view_pose_error(v.cam2_from_cam1, s.cam2_from_cam1) : 0;
        t.config[v.config]++;
        t.inliers += v.inliers;
        t.trials += v.trials;
        view_scene_free(&s);
    }
    t.pairs = pairs;
    print(name, o, &t);
}

static void run_poses(const char *name, const view_opt *o, bool focal, int pairs) {
    static tally t;
    memset(&t, 0, sizeof t);
    for (int i = 0; i < pairs; i++) {
        view_scene s;
        vd_rigid pose = VD_RIGID_ONE;
        int inliers = 0;
        vd_resection_opt opt = VD_RESECTION_OPT;
        view_scene_make(&s, o, (uint64_t)i);
        opt.max_error_px = 4;
        opt.item = (uint64_t)i;
        t.us[i] = 1e30;
        for (int rep = 0; rep < 3; rep++) {
            vd_camera c = s.c2;
            if (focal) c.params[0] *= 1.3;
            double begun = now_us();
            vd_status st =
                focal ? vd_resection_focal(&pose, &c, NULL, &inliers, s.uv2, s.xyz, s.n, &opt, NULL)
                      : vd_resection(&pose, NULL, &inliers, &c, s.uv2, s.xyz, s.n, &opt, NULL);
            if (st != VD_OK) exit(3);
            t.us[i] = VD_MIN(t.us[i], now_us() - begun);
        }
        t.error[i] = view_pose_error(pose, s.cam2_from_cam1);
        t.inliers += inliers;
        view_scene_free(&s);
    }
    t.pairs = pairs;
    print(name, o, &t);
}

/* One file a pair: a line of numbers for the cameras and the truth, then a line a match. */
static int dump(const char *dir, const view_opt *o, const char *name, int pairs) {
    for (int i = 0; i < pairs; i++) {
        view_scene s;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s_%02.0f_%d.txt", dir, name, 100 * o->outliers, i);
        FILE *f = fopen(path, "w");
        if (f == NULL) return 3;
        view_scene_make(&s, o, (uint64_t)i);
        vd_quat q = s.cam2_from_cam1.q;
        vd_vec3 t = s.cam2_from_cam1.t;
        fprintf(f, "%.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g\n", s.c1.params[0],
                s.c2.params[0], q.w, q.x, q.y, q.z, t.x, t.y, t.z);
        for (int k = 0; k < s.n; k++)
            fprintf(f, "%.17g %.17g %.17g %.17g %.17g %.17g %.17g\n", s.uv1[2 * k],
                    s.uv1[2 * k + 1], s.uv2[2 * k], s.uv2[2 * k + 1], s.xyz[3 * k],
                    s.xyz[3 * k + 1], s.xyz[3 * k + 2]);
        if (fclose(f) != 0) return 3;
        view_scene_free(&s);
    }
    return 0;
}

int main(int argc, char **argv) {
    static const double outliers[] = { 0, 0.3, 0.5, 0.7 };
    int pairs = argc > 1 ? VD_CLAMP(atoi(argv[1]), 1, MOST_PAIRS) : 100;
    const char *dir = argc > 3 && strcmp(argv[2], "--dump") == 0 ? argv[3] : NULL;
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        view_opt o = { VIEW_GENERAL, MATCHES, outliers[i], 0.7, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
        if (dir != NULL) {
            if (dump(dir, &o, "general", pairs)) return 3;
            continue;
        }
        run_pairs("calibrated", &o, true, pairs);
        run_pairs("uncalibrated", &o, false, pairs);
        run_poses("resection", &o, false, pairs);
        run_poses("resection_focal", &o, true, pairs);
        o.model = VD_CAMERA_SIMPLE_RADIAL;
        run_pairs("calibrated, radial", &o, true, pairs);
        o.model = VD_CAMERA_SIMPLE_PINHOLE;
        o.kind = VIEW_PLANE;
        run_pairs("calibrated, plane", &o, true, pairs);
        o.kind = VIEW_ROTATION;
        run_pairs("calibrated, rotation", &o, true, pairs);
        o.kind = VIEW_OVERLAY;
        run_pairs("calibrated, overlay", &o, true, pairs);
    }
    view_opt o = { VIEW_GENERAL, 60, 1, 0.7, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
    if (dir == NULL) run_pairs("calibrated, hopeless", &o, true, pairs);
    return 0;
}
