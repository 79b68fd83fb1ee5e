/* Reducing a cloud of points for looking at it. SPDX-License-Identifier: Apache-2.0
 *
 * The points are visited at steps of the golden ratio around the input, the additive sequence of
 * least discrepancy: every beginning of the walk is spread evenly, whatever order reconstruction
 * left the points in, and no sorting or random number is needed. O(n), but for a sort of at most
 * SAMPLE numbers an axis. */
#include "report/cloud.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SAMPLE = 1 << 16 };
static const double golden = 0.6180339887498949;
static const double tail = 0.01;     /* of the points beyond each end of the core, */
static const double margin = 1.0;    /* which is extended by its own size on either side */
static const double largest = 1e30;  /* coordinates beyond are no places; squares stay finite */
static const double little_up = 0.1; /* a mean of unit vectors so short has no direction */

/* ---- the walk ---- */

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t c = a % b;
        a = b;
        b = c;
    }
    return a;
}

/* A step that visits all of n, near the golden ratio of it. */
static int64_t step_of(int64_t n) {
    int64_t step = VD_MAX((int64_t)((double)n * golden), 1);
    while (common_divisor(n, step) != 1) step++;
    return step;
}

/* i + step modulo n without overflow; both lie in [0, n). */
static int64_t next_of(int64_t i, int64_t step, int64_t n) {
    return i >= n - step ? i - (n - step) : i + step;
}

static bool is_place(const double *x) {
    return fabs(x[0]) < largest && fabs(x[1]) < largest && fabs(x[2]) < largest;
}

/* ---- the box ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void extent(const double *xyz, int64_t n, int axis, double *least, double *most) {
    *least = INFINITY;
    *most = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        if (!is_place(xyz + 3 * i)) continue;
        *least = VD_MIN(*least, xyz[3 * i + axis]);
        *most = VD_MAX(*most, xyz[3 * i + axis]);
    }
}

/* False where there is no place among the points. */
static vd_status find_box(vd_cloud *c, const double *xyz, int64_t n, bool *any, vd_err *err) {
    const int64_t step = step_of(n);
    double *v = vd_mem_array((size_t)VD_MIN(n, SAMPLE), sizeof *v);
    if (v == NULL) return vd_nomem(err);
    *any = true;
    for (int axis = 0; axis < 3 && *any; axis++) {
        int64_t k = 0;
        for (int64_t j = 0, i = 0; j < n && k < SAMPLE; j++, i = next_of(i, step, n))
            if (is_place(xyz + 3 * i)) v[k++] = xyz[3 * i + axis];
        *any = k > 0;
        if (k == 0) break;
        qsort(v, (size_t)k, sizeof *v, by_value);
        const double a = v[(int64_t)(tail * (double)(k - 1))];
        const double b = v[k - 1 - (int64_t)(tail * (double)(k - 1))];
        double least, most;
        extent(xyz, n, axis, &least, &most);
        c->lo[axis] = VD_MAX(least, a - margin * (b - a));
        c->size[axis] = VD_MIN(most, b + margin * (b - a)) - c->lo[axis];
    }
    vd_mem_free(v);
    return VD_OK;
}

/* ---- the points ---- */

static bool quantise(const vd_cloud *c, const double *x, uint8_t out[6]) {
    for (int i = 0; i < 3; i++) {
        const double at = c->size[i] > 0 ? (x[i] - c->lo[i]) / c->size[i] : x[i] - c->lo[i];
        if (!(at >= 0 && at <= 1)) return false;
        const int q = (int)lround(at * VD_CLOUD_STEPS);
        out[2 * i] = (uint8_t)(q & 255);
        out[2 * i + 1] = (uint8_t)(q >> 8);
    }
    return true;
}

static void keep_points(vd_cloud *c, const double *xyz, const uint8_t *rgb, int64_t n,
                        int64_t most) {
    const int64_t step = step_of(n);
    for (int64_t j = 0, i = 0; j < n; j++, i = next_of(i, step, n)) {
        uint8_t q[6];
        if (!is_place(xyz + 3 * i) || !quantise(c, xyz + 3 * i, q)) {
            c->outside++;
            continue;
        }
        if (c->n == most) continue; /* still counting */
        memcpy(c->xyz + 6 * c->n, q, 6);
        if (rgb != NULL)
            memcpy(c->rgb + 3 * c->n, rgb + 3 * i, 3);
        else
            memset(c->rgb + 3 * c->n, 128, 3);
        c->n++;
    }
}

vd_status vd_cloud_reduce(vd_cloud *out, const double *xyz, const uint8_t *rgb, int64_t n,
                          int64_t most, vd_err *err) {
    vd_status st = VD_OK;
    vd_cloud c = { 0 };
    bool any = false;
    const size_t room = (size_t)VD_MAX(VD_MIN(n, most), 0);
    c.xyz = vd_mem_alloc(6 * room + 1);
    c.rgb = vd_mem_alloc(3 * room + 1);
    if (c.xyz == NULL || c.rgb == NULL) VD_GO(vd_nomem(err));
    if (n > 0) VD_GO(find_box(&c, xyz, n, &any, err));
    if (any)
        keep_points(&c, xyz, rgb, n, VD_MAX(most, 0));
    else
        c.outside = VD_MAX(n, 0);
    *out = c;
    c = (vd_cloud){ 0 };
done:
    vd_cloud_reset(&c);
    return st;
}

void vd_cloud_reset(vd_cloud *c) {
    vd_mem_free(c->xyz);
    vd_mem_free(c->rgb);
    *c = (vd_cloud){ 0 };
}

/* ---- up ---- */

static vd_vec3 mean_of(const vd_vec3 *v, int64_t n) {
    vd_vec3 sum = vd_v3(0, 0, 0);
    for (int64_t i = 0; i < n; i++) sum = vd_v3_add(sum, v[i]);
    return vd_v3_mul(sum, 1 / (double)VD_MAX(n, 1));
}

vd_vec3 vd_cloud_up(const vd_vec3 *top, const vd_vec3 *forward, int64_t n) {
    const vd_vec3 mean = mean_of(top, n), down = mean_of(forward, n);
    if (vd_v3_norm(mean) > little_up) return vd_v3_unit(mean);
    if (vd_v3_norm(down) > little_up) return vd_v3_mul(vd_v3_unit(down), -1);
    return vd_v3(0, 0, 1);
}
