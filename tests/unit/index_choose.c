/* Choices among vectors, against the plain algorithms written down without haste.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/pool.h"
#include "index/choose.h"
#include "index/cover.h"

enum { N = 300, DIM = 24, COUNT = 40 };

/* Clumps of uneven size; every seventh row is a copy, so that there are ties. */
static void some_rows(t_case *t, float *f32, int8_t *i8) {
    vd_rng r = t_rng(t);
    float clump[8][DIM];
    for (int c = 0; c < 8; c++)
        for (int d = 0; d < DIM; d++) clump[c][d] = (float)vd_rng_normal(&r);
    for (int i = 0; i < N; i++) {
        int64_t c = vd_rng_int(&r, 8) * vd_rng_int(&r, 8) / 8;
        for (int d = 0; d < DIM; d++) {
            f32[i * DIM + d] = clump[c][d] + 0.6f * (float)vd_rng_normal(&r);
            if (i % 7 == 6) f32[i * DIM + d] = f32[(i - 5) * DIM + d];
            i8[i * DIM + d] = (int8_t)VD_CLAMP(lrintf(30 * f32[i * DIM + d]), -127, 127);
        }
    }
}

typedef struct sample {
    float f32[N * DIM];
    int8_t i8[N * DIM];
    vd_vectors v[2];
    float *cosine; /* N x N of the set in use */
} sample;

static sample *sample_new(t_case *t, vd_err *err) {
    sample *s = vd_mem_array(1, sizeof *s);
    if (s == NULL) return NULL;
    s->cosine = vd_mem_array((size_t)N * N, sizeof *s->cosine);
    some_rows(t, s->f32, s->i8);
    T_EQ(vd_vectors_f32(&s->v[0], s->f32, N, DIM, err), VD_OK);
    T_EQ(vd_vectors_i8(&s->v[1], s->i8, N, DIM, err), VD_OK);
    return s;
}

static void sample_free(sample *s) {
    vd_vectors_reset(&s->v[0]);
    vd_vectors_reset(&s->v[1]);
    vd_mem_free(s->cosine);
    vd_mem_free(s);
}

static void all_cosines(sample *s, int set) {
    vd_vectors_cosines(s->cosine, N, &s->v[set], 0, N, &s->v[set], 0, N);
}

T(cosines_are_cosines) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    for (int set = 0; set < 2; set++) {
        all_cosines(s, set);
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double dot = 0, a = 0, b = 0;
                for (int d = 0; d < DIM; d++) {
                    double x = set == 0 ? s->f32[i * DIM + d] : s->i8[i * DIM + d];
                    double y = set == 0 ? s->f32[k * DIM + d] : s->i8[k * DIM + d];
                    dot += x * y;
                    a += x * x;
                    b += y * y;
                }
                if (fabs(dot / sqrt(a * b) - s->cosine[i * N + k]) > 1e-6 ||
                    s->cosine[i * N + k] != s->cosine[k * N + i])
                    T_FAIL("set %d, %d and %d: %.9g, expected %.9g", set, i, k,
                           s->cosine[i * N + k], dot / sqrt(a * b));
            }
    }
    sample_free(s);
}

T(rows_that_are_none_are_refused) {
    vd_err err = { 0 };
    vd_vectors v = { 0 };
    float row[6] = { 1, 2, 3, 0, 0, 0 }, cosine[4];
    T_OK(vd_vectors_f32(&v, row, 2, 3, &err));
    vd_vectors_cosines(cosine, 2, &v, 0, 2, &v, 0, 2);
    T_NEAR(cosine[0], 1, 1e-6);
    T_EQ(cosine[1] == 0 && cosine[3] == 0, true); /* zeros are like nothing */
    row[4] = NAN;
    T_EQ(vd_vectors_f32(&v, row, 2, 3, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "row 1") != NULL);
    T_EQ(v.n, 2);
    err = (vd_err){ 0 };
    T_EQ(vd_vectors_f32(&v, row, 1, 0, &err), VD_E_ARG);
    err = (vd_err){ 0 };
    T_EQ(vd_vectors_f32(&v, row, 1, VD_VECTORS_MAX_DIM + 1, &err), VD_E_ARG);
    vd_vectors_reset(&v);
}

/* ---- k-centre ---- */

static void plain_kcentre(int32_t *chosen, const float *cosine, int32_t first) {
    chosen[0] = first;
    for (int n = 1; n < COUNT; n++) {
        float far = 2;
        for (int i = 0; i < N; i++) {
            float best = -2;
            bool is = false;
            for (int c = 0; c < n; c++) {
                best = VD_MAX(best, cosine[i * N + chosen[c]]);
                is |= chosen[c] == i;
            }
            if (is || best >= far) continue;
            far = best;
            chosen[n] = i;
        }
    }
}

T(kcentre_is_the_plain_greedy_one) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    for (int set = 0; set < 2; set++) {
        int32_t got[COUNT], want[COUNT], rest[COUNT];
        float cosine[COUNT];
        all_cosines(s, set);
        T_OK(vd_kcentre(got, cosine, &s->v[set], COUNT, NULL, 0, NULL, &err));
        plain_kcentre(want, s->cosine, got[0]);
        T_EQ(memcmp(got, want, sizeof got), 0);
        for (int i = 2; i < COUNT; i++) T_TRUE(cosine[i] >= cosine[i - 1]);
        /* what is there already counts, and is not taken again */
        T_OK(vd_kcentre(rest, NULL, &s->v[set], COUNT - 5, want, 5, NULL, &err));
        T_EQ(memcmp(rest, want + 5, (COUNT - 5) * sizeof *rest), 0);
    }
    sample_free(s);
}

/* ---- facility location ---- */

static int steps(float cosine) {
    return cosine <= 0 ? 0 : (int)(cosine * 32767 + 0.5f);
}

static void plain_facility(int32_t *chosen, double *gain, const float *cosine, int count) {
    int best[N] = { 0 };
    for (int n = 0; n < count; n++) {
        int64_t most = -1;
        for (int i = 0; i < N; i++) {
            int64_t sum = 0;
            for (int k = 0; k < N; k++) sum += VD_MAX(steps(cosine[i * N + k]) - best[k], 0);
            bool is = false;
            for (int c = 0; c < n; c++) is |= chosen[c] == i;
            if (is || sum <= most) continue;
            most = sum;
            chosen[n] = i;
        }
        gain[n] = (double)most / (32767.0 * N);
        for (int k = 0; k < N; k++) best[k] = VD_MAX(best[k], steps(cosine[chosen[n] * N + k]));
    }
}

T(facility_location_is_the_plain_greedy_one) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    for (int set = 0; set < 2; set++) {
        int32_t got[N], want[N];
        double gain[N], wanted[N], value = 0, sum = 0;
        all_cosines(s, set);
        T_OK(vd_facility(got, gain, &s->v[set], N, NULL, NULL, &err));
        plain_facility(want, wanted, s->cosine, N);
        T_EQ(memcmp(got, want, sizeof got), 0);
        for (int i = 0; i < N; i++) T_NEAR(gain[i], wanted[i], 1e-12);
        for (int i = 0; i < COUNT; i++) sum += wanted[i];
        T_OK(vd_facility_value(&value, &s->v[set], got, COUNT, NULL, &err));
        T_NEAR(value, sum, 1e-12);
    }
    sample_free(s);
}

/* Three of twelve, all ways tried: the bound of the greedy algorithm holds, and is not met by
 * chance alone. */
T(facility_location_keeps_its_bound) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    for (int trial = 0; trial < 20; trial++) {
        vd_vectors v = { 0 };
        int32_t got[3];
        double value = 0, best = 0, random = 0;
        T_OK(vd_vectors_f32(&v, s->f32 + trial * 12 * DIM, 12, DIM, &err));
        for (int32_t a = 0; a < 12; a++)
            for (int32_t b = a + 1; b < 12; b++)
                for (int32_t c = b + 1; c < 12; c++) {
                    const int32_t set[] = { a, b, c };
                    T_OK(vd_facility_value(&value, &v, set, 3, NULL, &err));
                    best = VD_MAX(best, value);
                    random += value / 220;
                }
        T_OK(vd_facility(got, NULL, &v, 3, NULL, NULL, &err));
        T_OK(vd_facility_value(&value, &v, got, 3, NULL, &err));
        T_TRUE(value >= (1 - exp(-1)) * best && value > random);
        vd_vectors_reset(&v);
    }
    sample_free(s);
}

T(parts_choose_nearly_as_well) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    int32_t exact[COUNT], parts[COUNT];
    double value[2];
    const vd_facility_opt cut = { .exact = 0, .part = 60, .bytes = 2 * N * 100, .seed = 1 };
    T_OK(vd_facility(exact, NULL, &s->v[0], COUNT, NULL, NULL, &err));
    T_OK(vd_facility(parts, NULL, &s->v[0], COUNT, &cut, NULL, &err));
    T_OK(vd_facility_value(&value[0], &s->v[0], exact, COUNT, NULL, &err));
    T_OK(vd_facility_value(&value[1], &s->v[0], parts, COUNT, NULL, &err));
    T_TRUE(memcmp(exact, parts, sizeof exact) != 0); /* it is another way */
    T_TRUE(value[1] > 0.99 * value[0]);
    /* all of them, however they are cut */
    int32_t all[N];
    uint8_t seen[N] = { 0 };
    T_OK(vd_facility(all, NULL, &s->v[0], N, &cut, NULL, &err));
    for (int i = 0; i < N; i++) seen[all[i]]++;
    for (int i = 0; i < N; i++) T_EQ(seen[i], 1);
    /* clients that are but a sample */
    const vd_facility_opt few = { .exact = 0, .part = 60, .bytes = 2 * 80 * 150, .seed = 1 };
    double gain[COUNT], random = 0, one;
    T_OK(vd_facility(parts, gain, &s->v[0], COUNT, &few, NULL, &err));
    T_OK(vd_facility_value(&value[1], &s->v[0], parts, COUNT, NULL, &err));
    for (int trial = 0; trial < 10; trial++) {
        for (int i = 0; i < COUNT; i++) all[i] = (i * 7 + trial) % N;
        T_OK(vd_facility_value(&one, &s->v[0], all, COUNT, NULL, &err));
        random += one / 10;
    }
    T_TRUE(value[1] > random);
    sample_free(s);
}

/* ---- clusters and balance ---- */

/* Clumps far apart, of sizes 160, 80, 40, 14, 6: the truth is known. */
static const int sizes[] = { 160, 80, 40, 14, 6 };
static int clump_of(int i) {
    int c = 0;
    for (int end = sizes[0]; i >= end; end += sizes[c]) c++;
    return c;
}

static void far_clumps(t_case *t, float *row) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < N; i++)
        for (int d = 0; d < DIM; d++)
            row[i * DIM + d] = 0.05f * (float)vd_rng_normal(&r) + (d == clump_of(i));
}

T(clusters_are_found) {
    vd_err err = { 0 };
    static float row[N * DIM];
    int32_t label[N];
    vd_vectors v = { 0 }, centre = { 0 };
    far_clumps(t, row);
    T_OK(vd_vectors_f32(&v, row, N, DIM, &err));
    T_OK(vd_kmeans(label, &centre, &v, 30, 20, 1, NULL, &err));
    T_EQ(centre.n, 30);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < i; k++)
            if (label[i] == label[k] && clump_of(i) != clump_of(k))
                T_FAIL("%d and %d in one cluster", i, k);
    uint8_t used[30] = { 0 };
    for (int i = 0; i < N; i++) used[label[i]] = 1;
    for (int c = 0; c < 30; c++) T_EQ(used[c], 1);
    T_EQ(vd_kmeans(label, &centre, &v, N + 1, 20, 1, NULL, &err), VD_E_ARG);
    vd_vectors_reset(&v);
    vd_vectors_reset(&centre);
}

T(balance_takes_rare_things_as_often) {
    vd_err err = { 0 };
    static float row[N * DIM];
    int32_t chosen[25];
    int from[5] = { 0 };
    vd_vectors v = { 0 };
    const vd_balance_opt o = { .levels = 2, .branch = 6, .rounds = 20, .seed = 3 };
    far_clumps(t, row);
    T_OK(vd_vectors_f32(&v, row, N, DIM, &err));
    T_OK(vd_balance(chosen, &v, 25, &o, NULL, &err));
    for (int i = 0; i < 25; i++) from[clump_of(chosen[i])]++;
    for (int c = 0; c < 5; c++) T_TRUE(from[c] >= 1);
    T_TRUE(from[0] <= 12); /* its share of the items would be 13.3, that of 40 and 14 3.3 and 1.2 */
    T_TRUE(from[2] + from[3] + from[4] >= 6);
    int32_t all[N];
    uint8_t seen[N] = { 0 };
    T_OK(vd_balance(all, &v, N, &o, NULL, &err));
    for (int i = 0; i < N; i++) seen[all[i]]++;
    for (int i = 0; i < N; i++) T_EQ(seen[i], 1);
    vd_vectors_reset(&v);
}

T(shares_are_even) {
    vd_rng r = t_rng(t);
    for (int trial = 0; trial < 500; trial++) {
        int64_t cap[9], share[9], sum = 0, count, total = 0;
        int n = 1 + (int)vd_rng_int(&r, 9);
        for (int i = 0; i < n; i++) sum += cap[i] = vd_rng_int(&r, 20);
        count = vd_rng_int(&r, sum + 1);
        vd_share_evenly(share, cap, n, count);
        for (int i = 0; i < n; i++) total += share[i];
        T_EQ(total, count);
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++) /* who has less by two is full */
                T_TRUE(share[i] <= cap[i] && (share[i] + 1 >= share[k] || share[i] == cap[i]));
    }
}

T(the_most_similar_come_first) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    const int32_t like[] = { 17, 200 };
    int32_t got[N];
    float cosine[N];
    all_cosines(s, 1);
    T_OK(vd_most_similar(got, cosine, &s->v[1], N, like, 2, NULL, &err));
    T_EQ(got[N - 1], -1);
    T_EQ(got[N - 2], -1);
    for (int i = 0; i < N - 2; i++) {
        const float *row = s->cosine + (size_t)got[i] * N;
        T_TRUE(cosine[i] == VD_MAX(row[17], row[200]) && got[i] != 17 && got[i] != 200);
        if (i > 0)
            T_TRUE(cosine[i] < cosine[i - 1] ||
                   (cosine[i] == cosine[i - 1] && got[i] > got[i - 1]));
    }
    sample_free(s);
}

/* ---- the same for all ---- */

static vd_status run_all(int32_t *out, const vd_vectors *v, vd_pool *pool, vd_err *err) {
    const vd_facility_opt cut = { .exact = 0, .part = 60, .bytes = 2 * N * 100, .seed = 1 };
    VD_TRY(vd_kcentre(out, NULL, v, COUNT, NULL, 0, pool, err));
    VD_TRY(vd_facility(out + COUNT, NULL, v, COUNT, NULL, pool, err));
    VD_TRY(vd_facility(out + 2 * COUNT, NULL, v, COUNT, &cut, pool, err));
    VD_TRY(vd_balance(out + 3 * COUNT, v, COUNT, NULL, pool, err));
    return vd_most_similar(out + 4 * COUNT, NULL, v, COUNT, out, 2, pool, err);
}

T(choices_do_not_depend_on_threads_or_cpu) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    const struct {
        int jobs;
        const char *cpu;
    } c[] = { { 1, "c" }, { 1, "native" }, { 3, "avx2" }, { 8, "native" } };
    for (int set = 0; set < 2; set++) {
        int32_t first[5 * COUNT], out[5 * COUNT];
        for (int i = 0; i < VD_COUNT(c); i++) {
            vd_pool *pool = NULL;
            setenv("VIDIMUS_CPU", c[i].cpu, 1);
            T_OK(vd_pool_new(&pool, c[i].jobs, &err));
            T_OK(run_all(i == 0 ? first : out, &s->v[set], pool, &err));
            if (i > 0) T_EQ(memcmp(first, out, sizeof out), 0);
            vd_pool_free(pool);
        }
    }
    unsetenv("VIDIMUS_CPU");
    sample_free(s);
}

T(choices_survive_refused_memory) {
    vd_err err = { 0 };
    sample *s = sample_new(t, &err);
    T_NEED(s != NULL);
    for (int set = 0; set < 2; set++)
        for (int64_t n = 0;; n++) {
            int32_t out[5 * COUNT];
            int64_t before = vd_mem_live();
            err = (vd_err){ 0 };
            vd_mem_fail_at(n, false);
            vd_status st = run_all(out, &s->v[set], NULL, &err);
            bool hit = vd_mem_fail_clear();
            T_EQ(vd_mem_live(), before);
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            if (!hit || t->failures > 3) break;
        }
    sample_free(s);
}

/* ---- covering a scene ---- */

enum { VIEWS = 24, POINTS = 400 };

/* Cameras on a circle of radius 10 look at points about its middle; a point is shown by the views
 * on its side. */
typedef struct ring {
    double centre[VIEWS][3], point[POINTS][3];
    int64_t track[POINTS + 1];
    int32_t view[POINTS * VIEWS];
    vd_cover_scene scene;
} ring;

static void make_ring(t_case *t, ring *g) {
    vd_rng r = t_rng(t);
    memset(g, 0, sizeof *g);
    for (int v = 0; v < VIEWS; v++) {
        g->centre[v][0] = 10 * cos(6.283185307179586 * v / VIEWS);
        g->centre[v][1] = 10 * sin(6.283185307179586 * v / VIEWS);
    }
    for (int p = 0; p < POINTS; p++) {
        for (int i = 0; i < 3; i++) g->point[p][i] = vd_rng_range(&r, -1, 1);
        g->track[p + 1] = g->track[p];
        double side = vd_rng_range(&r, 0, 6.283185307179586), width = vd_rng_range(&r, 0.2, 2);
        for (int v = 0; v < VIEWS; v++)
            if (cos(6.283185307179586 * v / VIEWS - side) > cos(width))
                g->view[g->track[p + 1]++] = v;
    }
    g->scene = (vd_cover_scene){
        VIEWS,    POINTS, (const double(*)[3])g->centre, (const double(*)[3])g->point,
        g->track, g->view
    };
}

/* How many directions more than `angle` apart the views of a subset see a point from, at most: by
 * the definition of the header. */
static int directions(const ring *g, int p, const uint8_t *in, double angle_deg, int most) {
    double found[VIEWS][3];
    int n = 0, kept = 0;
    uint64_t have = 0;
    for (int64_t k = g->track[p]; k < g->track[p + 1]; k++) {
        double ray[3], length = 0;
        int d = 0;
        for (int i = 0; i < 3; i++) {
            ray[i] = g->centre[g->view[k]][i] - g->point[p][i];
            length += ray[i] * ray[i];
        }
        for (; d < n; d++) {
            double dot = 0;
            for (int i = 0; i < 3; i++) dot += found[d][i] * ray[i] / sqrt(length);
            if (acos(VD_MIN(dot, 1)) * 57.29577951308232 <= angle_deg) break;
        }
        if (d == n) {
            for (int i = 0; i < 3; i++) found[n][i] = ray[i] / sqrt(length);
            n++;
        }
        if (in[g->view[k]] && !(have >> d & 1)) kept++;
        if (in[g->view[k]]) have |= (uint64_t)1 << d;
    }
    return VD_MIN(kept, VD_MIN(most, n < 2 ? 0 : n));
}

static int64_t kept_by(const ring *g, const uint8_t *in, double angle_deg, int most) {
    int64_t sum = 0;
    for (int p = 0; p < POINTS; p++) sum += directions(g, p, in, angle_deg, most);
    return sum;
}

T(a_cover_keeps_every_point) {
    static ring g;
    vd_err err = { 0 };
    make_ring(t, &g);
    uint8_t all[VIEWS], in[VIEWS] = { 0 };
    memset(all, 1, sizeof all);
    for (int most = 1; most <= 4; most++) {
        const vd_cover_opt o = { .angle_deg = 12, .directions = most };
        int32_t chosen[VIEWS];
        int64_t gain[VIEWS];
        vd_cover_result r;
        T_OK(vd_cover(chosen, gain, &r, &g.scene, VIEWS, &o, &err));
        T_EQ(r.wanted, kept_by(&g, all, 12, most));
        T_EQ(r.kept, r.wanted);
        T_EQ(r.complete, r.points);
        memset(in, 0, sizeof in);
        int64_t before = 0;
        for (int i = 0; i < r.n; i++) { /* each step is the best there is, by trying all */
            int64_t best = 0;
            int32_t who = -1;
            for (int v = 0; v < VIEWS; v++) {
                if (in[v]) continue;
                in[v] = 1;
                int64_t now = kept_by(&g, in, 12, most);
                in[v] = 0;
                if (now - before > best) best = now - before, who = v;
            }
            T_EQ(chosen[i], who);
            T_EQ(gain[i], best);
            in[chosen[i]] = 1;
            before += best;
        }
        T_EQ(before, r.kept);
        if (most < 3) T_TRUE(r.n < VIEWS);
    }
}

T(a_cover_stops_at_the_count) {
    static ring g;
    vd_err err = { 0 };
    int32_t chosen[VIEWS];
    vd_cover_result r;
    make_ring(t, &g);
    T_OK(vd_cover(chosen, NULL, &r, &g.scene, 3, NULL, &err));
    T_EQ(r.n, 3);
    T_TRUE(r.kept < r.wanted);
    g.view[5] = VIEWS;
    T_EQ(vd_cover(chosen, NULL, &r, &g.scene, 3, NULL, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "view 24 of 24") != NULL);
    g.view[5] = 0;
    for (int64_t n = 0;; n++) {
        int64_t before = vd_mem_live();
        err = (vd_err){ 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_cover(chosen, NULL, &r, &g.scene, 3, NULL, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(vd_mem_live(), before);
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit || t->failures > 3) break;
    }
}
