/* bench_points [VIEWS [POINTS]]: votes about labels by 3D points at the size of a large scene,
 * arrays in memory. Objects of 100 points are seen by 8 to 24 views that follow each other; each
 * label also covers a third of the points of its neighbour, as boxes do, half of them surely; one
 * label in a hundred has a wrong class. Prints processor time, precision and recall as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "audit/points.h"
#include "base/mem.h"
#include "base/rng.h"

enum { POINTS_PER_OBJECT = 100, LEAST_VIEWS = 8, MORE_VIEWS = 17, CLASSES = 20, MOST_COVERS = 2 };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct scene {
    vd_points in;
    int32_t *view, *point, *n_covers, *cover, *label_view, *label_class, *true_class;
    int64_t *covers, n_wrong;
    float *xy;
    uint8_t *exact;
} scene;

static void see(scene *s, vd_rng *r, int32_t view, int32_t object, int32_t k, bool has_next) {
    vd_points *in = &s->in;
    const int64_t i = in->n++;
    const int32_t label = in->n_labels; /* of the object; that of its neighbour comes before it */
    s->view[i] = view;
    s->point[i] = object * POINTS_PER_OBJECT + k;
    s->xy[2 * i] = (float)(object % 40 * 40 + k % 10 * 4);
    s->xy[2 * i + 1] = (float)(object / 40 % 30 * 40 + k / 10 * 4);
    s->covers[i] = MOST_COVERS * i;
    s->cover[MOST_COVERS * i] = label;
    s->n_covers[i] = 1;
    if (!has_next || vd_rng_int(r, 3) > 0) return;
    s->cover[MOST_COVERS * i + 1] = vd_rng_int(r, 2) ? label - 1 : -label;
    s->n_covers[i] = 2;
}

static bool scene_make(scene *s, int64_t views, int64_t points) {
    vd_rng r = vd_rng_for(1, 2, 3);
    const int64_t objects = points / POINTS_PER_OBJECT,
                  most_labels = objects * (LEAST_VIEWS + MORE_VIEWS),
                  most = most_labels * POINTS_PER_OBJECT;
    int32_t *first = vd_mem_array((size_t)objects + 1, sizeof *first),
            *last = vd_mem_array((size_t)objects + 1, sizeof *last);
    s->view = vd_mem_alloc((size_t)most * sizeof *s->view);
    s->point = vd_mem_alloc((size_t)most * sizeof *s->point);
    s->n_covers = vd_mem_alloc((size_t)most * sizeof *s->n_covers);
    s->cover = vd_mem_alloc((size_t)most * MOST_COVERS * sizeof *s->cover);
    s->covers = vd_mem_alloc((size_t)most * sizeof *s->covers);
    s->xy = vd_mem_alloc((size_t)most * 2 * sizeof *s->xy);
    s->label_view = vd_mem_array((size_t)most_labels, sizeof *s->label_view);
    s->label_class = vd_mem_array((size_t)most_labels, sizeof *s->label_class);
    s->true_class = vd_mem_array((size_t)most_labels, sizeof *s->true_class);
    s->exact = vd_mem_array((size_t)most_labels, 1);
    if (!first || !last || !s->view || !s->point || !s->n_covers || !s->cover || !s->covers ||
        !s->xy || !s->label_view || !s->label_class || !s->true_class || !s->exact)
        return false;
    for (int64_t k = 0; k < objects; k++) { /* objects that stand side by side are seen together */
        first[k] = (int32_t)(k * views / objects);
        last[k] = (int32_t)VD_MIN(views, first[k] + LEAST_VIEWS + vd_rng_int(&r, MORE_VIEWS));
    }
    for (int32_t v = 0; v < views; v++) {
        bool before = false;
        int64_t k = VD_MAX(0, (v - LEAST_VIEWS - MORE_VIEWS) * objects / views);
        for (; k < objects && first[k] <= v; k++) {
            if (last[k] <= v) continue;
            const int32_t label = s->in.n_labels, class = (int32_t)(k % CLASSES);
            const bool wrong = vd_rng_int(&r, 100) == 0;
            s->label_view[label] = v;
            s->true_class[label] = class;
            s->label_class[label] =
                wrong ? (class + 1 + (int32_t)vd_rng_int(&r, CLASSES - 1)) % CLASSES : class;
            s->n_wrong += wrong;
            for (int32_t p = 0; p < POINTS_PER_OBJECT; p++)
                if (vd_rng_int(&r, 3) > 0) see(s, &r, v, (int32_t)k, p, before);
            s->in.n_labels++;
            before = true;
        }
    }
    vd_mem_free(first);
    vd_mem_free(last);
    return true;
}

int main(int argc, char **argv) {
    const int64_t views = VD_CLAMP(argc > 1 ? atoll(argv[1]) : 1000, 2, 100000),
                  points = VD_CLAMP(argc > 2 ? atoll(argv[2]) : 1000000, 100, 10000000);
    vd_err err = { 0 };
    vd_points_doubts d = { 0 };
    scene s = { 0 };
    struct rusage used;
    int64_t right = 0;
    if (!scene_make(&s, views, points)) {
        fprintf(stderr, "no memory\n");
        return 3;
    }
    s.in = (vd_points){ .n_views = (int32_t)views,
                        .n_points = (int32_t)points,
                        .n_labels = s.in.n_labels,
                        .n_classes = CLASSES,
                        .n = s.in.n,
                        .view = s.view,
                        .point = s.point,
                        .xy = s.xy,
                        .covers = s.covers,
                        .n_covers = s.n_covers,
                        .cover = s.cover,
                        .label_view = s.label_view,
                        .label_class = s.label_class,
                        .label_exact = s.exact };
    const double began = cpu_s();
    if (vd_points_judge(&d, &s.in, &err) != VD_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 3;
    }
    const double took = cpu_s() - began;
    for (int64_t i = 0; i < d.n; i++)
        right += d.row[i].label >= 0 &&
                 s.label_class[d.row[i].label] != s.true_class[d.row[i].label] &&
                 d.row[i].class_of_most == s.true_class[d.row[i].label];
    getrusage(RUSAGE_SELF, &used);
    printf(
        "{\"bench\": \"points\", \"views\": %lld, \"points\": %lld, \"observations\": %lld, \"labels\": %d, \"cpu_s\": %.3f, "
        "\"target_s\": 10, \"peak_mb\": %ld, \"planted\": %lld, \"found\": %lld, \"precision\": %.4f, \"recall\": %.4f}\n",
        (long long)views, (long long)points, (long long)s.in.n, s.in.n_labels, took,
        used.ru_maxrss / 1024, (long long)s.n_wrong, (long long)d.n,
        d.n > 0 ? (double)right / (double)d.n : 1,
        s.n_wrong > 0 ? (double)right / (double)s.n_wrong : 1);
    return 0; /* the system takes the memory back */
}
