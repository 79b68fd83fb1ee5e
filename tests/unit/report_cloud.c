/* Clouds for looking at: which points are kept, and how well. A point's colour says which point of
 * the input it is. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "report/cloud.h"

static uint8_t *names(int64_t n) {
    uint8_t *rgb = malloc(3 * (size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) rgb[3 * i + k] = (uint8_t)(i >> 8 * k);
    return rgb;
}

static int64_t name_at(const vd_cloud *c, int64_t i) {
    return c->rgb[3 * i] | c->rgb[3 * i + 1] << 8 | c->rgb[3 * i + 2] << 16;
}

static double place_at(const vd_cloud *c, int64_t i, int axis) {
    const uint8_t *q = c->xyz + 6 * i + 2 * axis;
    return c->lo[axis] + c->size[axis] * (q[0] | q[1] << 8) / VD_CLOUD_STEPS;
}

static double *ball(t_case *t, int64_t n) {
    vd_rng r = t_rng(t);
    double *xyz = malloc(3 * (size_t)n * sizeof *xyz + 1);
    for (int64_t i = 0; i < 3 * n; i++) xyz[i] = 10 * vd_rng_f64(&r) - 3;
    return xyz;
}

T(every_point_is_there_once_and_in_its_place) {
    static const int64_t sizes[] = { 1, 2, 3, 4, 5, 6, 8, 13, 21, 100, 610, 1000, 4096, 70000 };
    for (int k = 0; k < VD_COUNT(sizes); k++) {
        const int64_t n = sizes[k];
        vd_err err = { 0 };
        vd_cloud c = { 0 };
        double *xyz = ball(t, n), worst = 0;
        uint8_t *rgb = names(n), *seen = calloc((size_t)n, 1);
        T_OK(vd_cloud_reduce(&c, xyz, rgb, n, n + 5, &err));
        T_EQ(c.n, n);
        T_EQ(c.outside, 0);
        for (int64_t i = 0; i < c.n; i++) {
            const int64_t at = name_at(&c, i);
            T_NEED(at < n);
            seen[at]++;
            for (int a = 0; a < 3; a++)
                worst = fmax(worst, fabs(place_at(&c, i, a) - xyz[3 * at + a]));
        }
        for (int64_t i = 0; i < n; i++) T_NEED(seen[i] == 1);
        T_LT(worst, 10 / 65535. / 2 * 1.0001);
        vd_cloud_reset(&c);
        free(xyz);
        free(rgb);
        free(seen);
    }
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Steps of the golden ratio leave gaps of at most three lengths, the longest 2.618 of the shortest;
 * that of an integer near it a little more. */
T(any_beginning_is_spread_evenly) {
    enum { N = 60000 };
    vd_err err = { 0 };
    double *xyz = ball(t, N);
    uint8_t *rgb = names(N);
    for (int64_t most = 10; most <= 30000; most *= 3) {
        vd_cloud c = { 0 };
        int64_t gap = 0, *at = malloc((size_t)most * sizeof *at);
        T_OK(vd_cloud_reduce(&c, xyz, rgb, N, most, &err));
        T_EQ(c.n, most);
        for (int64_t i = 0; i < most; i++) at[i] = name_at(&c, i);
        qsort(at, (size_t)most, sizeof *at, by_number);
        for (int64_t i = 1; i < most; i++) gap = VD_MAX(gap, at[i] - at[i - 1]);
        T_TRUE(gap <= 3 * N / most);
        vd_cloud_reset(&c);
        free(at);
    }
    free(xyz);
    free(rgb);
}

T(outliers_neither_stretch_the_box_nor_are_shown) {
    enum { N = 5000, OUT = 40 };
    vd_err err = { 0 };
    vd_cloud c = { 0 };
    double *xyz = ball(t, N);
    uint8_t *rgb = names(N);
    static const double bad[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e9, -1e9, 1e4 };
    for (int i = 0; i < OUT; i++) xyz[3 * (i * 125) + i % 3] = bad[i % VD_COUNT(bad)];
    T_OK(vd_cloud_reduce(&c, xyz, rgb, N, N, &err));
    T_EQ(c.outside, OUT);
    T_EQ(c.n, N - OUT);
    for (int a = 0; a < 3; a++) {
        T_TRUE(c.lo[a] >= -3 - 10 && c.size[a] <= 30); /* at most three times the core */
        T_LT(9.9, c.size[a]);
    }
    for (int64_t i = 0; i < c.n; i++)
        T_NEED(name_at(&c, i) % 125 != 0 || name_at(&c, i) >= 125 * OUT);
    vd_cloud_reset(&c);
    free(xyz);
    free(rgb);
}

T(clouds_without_extent) {
    vd_err err = { 0 };
    vd_cloud c = { 0 };
    double same[] = { 1, 2, 3, 1, 2, 3, 1, 2, 3 }, flat[] = { 0, 0, 7, 1, 0, 7, 0, 5, 7, 1, 5, 7 };
    double none[] = { NAN, 0, 0, 0, INFINITY, 0 };
    T_OK(vd_cloud_reduce(&c, same, NULL, 3, 3, &err));
    T_EQ(c.n, 3);
    T_EQ(c.rgb[0], 128);
    T_NEAR(place_at(&c, 2, 1), 2, 0);
    vd_cloud_reset(&c);
    T_OK(vd_cloud_reduce(&c, flat, NULL, 4, 10, &err));
    T_EQ(c.n, 4);
    T_NEAR(c.size[1], 5, 0);
    T_NEAR(place_at(&c, 3, 2), 7, 0);
    vd_cloud_reset(&c);
    T_OK(vd_cloud_reduce(&c, none, NULL, 2, 2, &err));
    T_EQ(c.n, 0);
    T_EQ(c.outside, 2);
    vd_cloud_reset(&c);
    T_OK(vd_cloud_reduce(&c, NULL, NULL, 0, 10, &err));
    T_EQ(c.n + c.outside, 0);
    vd_cloud_reset(&c);
    T_OK(vd_cloud_reduce(&c, flat, NULL, 4, 0, &err));
    T_EQ(c.n, 0);
    vd_cloud_reset(&c);
}

static vd_vec3 around_z(double angle, double x, double z) {
    return vd_v3(x * cos(angle), x * sin(angle), z);
}

T(up_from_tops_or_from_looking_down) {
    enum { N = 24 };
    vd_vec3 top[N], forward[N];
    for (int i = 0; i < N; i++) { /* a walk around something, cameras tilted down by 0.3 */
        top[i] = around_z(i * 0.26, sin(0.3), cos(0.3));
        forward[i] = around_z(i * 0.26, cos(0.3), -sin(0.3));
    }
    vd_vec3 up = vd_cloud_up(top, forward, N);
    T_NEAR(up.z, 1, 1e-3);
    T_NEAR(vd_v3_norm(up), 1, 1e-12);
    for (int i = 0; i < N; i++) { /* a flight to and fro, straight down */
        top[i] = vd_v3(i % 2 != 0 ? 1 : -1, 0, 0);
        forward[i] = vd_v3(0, 0, -1);
    }
    up = vd_cloud_up(top, forward, N);
    T_NEAR(up.z, 1, 1e-12);
    for (int i = 0; i < N; i++) forward[i] = vd_v3(0, 0, i % 2 != 0 ? 1 : -1);
    T_NEAR(vd_cloud_up(top, forward, N).z, 1, 0); /* nothing to go by */
    T_NEAR(vd_cloud_up(NULL, NULL, 0).z, 1, 0);
}

T(cloud_survives_refused_memory) {
    double *xyz = ball(t, 500);
    for (int n = 0, hit = 1; hit; n++) {
        vd_err err = { 0 };
        vd_cloud c = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_cloud_reduce(&c, xyz, NULL, 500, 100, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_cloud_reset(&c);
    }
    free(xyz);
    T_EQ(vd_mem_live(), 0);
}
