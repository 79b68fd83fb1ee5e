/* Vocabulary, global descriptors and their search against the definitions, on made-up pictures
 * whose relations are known. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "feature/vlad.h"

enum { DIM = VD_SIFT_DIM };

static void draw(uint8_t *d, vd_rng *r, const uint8_t *like, double noise) {
    double v[DIM], sum = 0;
    for (int k = 0; k < DIM; k++) {
        v[k] = like != NULL ? fabs(like[k] + noise * vd_rng_normal(r)) : pow(vd_rng_f64(r), 4);
        sum += v[k] * v[k];
    }
    for (int k = 0; k < DIM; k++) {
        long q = lrint(512 * v[k] / sqrt(sum));
        d[k] = (uint8_t)VD_MIN(q, 255);
    }
}

/* n descriptors about `groups` random ones; group[i] = i % groups. */
static uint8_t *clusters(vd_rng *r, uint8_t *centre, int groups, int n, double noise) {
    uint8_t *d = vd_mem_alloc((size_t)n * DIM);
    for (int i = 0; i < groups; i++) draw(centre + i * DIM, r, NULL, 0);
    for (int i = 0; d != NULL && i < n; i++) draw(d + i * DIM, r, centre + i % groups * DIM, noise);
    return d;
}

static long product(const uint8_t *a, const uint8_t *b) {
    long s = 0;
    for (int k = 0; k < DIM; k++) s += (long)a[k] * b[k];
    return s;
}

static int nearest_word(const vd_vocabulary *v, const uint8_t *d) {
    int best = 0;
    for (int w = 1; w < v->n; w++)
        if (product(v->word + w * DIM, d) > product(v->word + best * DIM, d)) best = w;
    return best;
}

/* With as many words as groups, random beginnings may leave two groups to one word; with twice as
 * many every group has a word of its own. */
T(words_find_the_groups) {
    enum { GROUPS = 10, N = 3000 };
    static uint8_t centre[GROUPS * DIM];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_vocabulary v = { 0 };
    uint8_t *d = clusters(&r, centre, GROUPS, N, 10);
    T_NEED(d != NULL);
    T_OK(vd_vlad_train(&v, d, N, 3 * GROUPS, 1, &err));
    T_EQ(v.n, 3 * GROUPS);
    int owner[3 * GROUPS], mixed = 0;
    memset(owner, -1, sizeof owner);
    for (int i = 0; i < N; i++) {
        int w = nearest_word(&v, d + i * DIM);
        if (owner[w] < 0) owner[w] = i % GROUPS;
        mixed += owner[w] != i % GROUPS;
    }
    T_EQ(mixed, 0);
    for (int w = 0; w < v.n; w++) T_NEAR(sqrt(product(v.word + w * DIM, v.word + w * DIM)), 512, 6);
    vd_vocabulary_reset(&v);
    vd_mem_free(d);
}

T(a_code_is_that_of_the_definition) {
    enum { WORDS = 20, N = 500 };
    static uint8_t centre[WORDS * DIM];
    static double sum[WORDS][DIM];
    static int8_t code[WORDS * DIM];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_vocabulary v = { 0 };
    uint8_t *d = clusters(&r, centre, WORDS, N, 60);
    T_NEED(d != NULL);
    T_OK(vd_vlad_train(&v, d, N, WORDS, 3, &err));
    int n = N / 2, used = 0;
    T_OK(vd_vlad_encode(code, &v, d, n, &err));
    for (int i = 0; i < n; i++) {
        int w = nearest_word(&v, d + i * DIM);
        for (int k = 0; k < DIM; k++) sum[w][k] += d[i * DIM + k] - v.word[w * DIM + k];
    }
    double length[WORDS], wrong = 0;
    for (int w = 0; w < WORDS; w++) {
        double s = 0;
        for (int k = 0; k < DIM; k++) s += sum[w][k] * sum[w][k];
        length[w] = sqrt(s);
        used += s > 0;
    }
    for (int w = 0; w < WORDS; w++)
        for (int k = 0; k < DIM; k++) {
            double want = length[w] > 0 ? 4096 * sum[w][k] / (length[w] * sqrt(used)) : 0;
            wrong = fmax(wrong, fabs(VD_CLAMP(want, -127, 127) - code[w * DIM + k]));
        }
    T_LT(wrong, 0.5001);
    /* no descriptors, and descriptors without content: no code */
    static uint8_t zeros[7 * DIM];
    for (int i = 0; i < 2; i++) {
        memset(code, 1, sizeof code);
        T_OK(vd_vlad_encode(code, &v, zeros, i * 7, &err));
        for (int k = 0; k < WORDS * DIM; k++) T_TRUE(code[k] == 0);
    }
    vd_vocabulary_reset(&v);
    vd_mem_free(d);
}

/* 60 pictures in scenes of four that share half of their features. */
T(pictures_of_a_scene_find_each_other) {
    enum { PICTURES = 60, SCENE = 4, EACH = 300, WORDS = 32, K = 5 };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    uint8_t *d = vd_mem_alloc((size_t)PICTURES * EACH * DIM);
    int8_t *code = vd_mem_alloc((size_t)PICTURES * WORDS * DIM);
    static int32_t first[PICTURES * K], out[PICTURES * K];
    T_NEED(d != NULL && code != NULL);
    for (int p = 0; p < PICTURES; p++)
        for (int i = 0; i < EACH; i++) {
            uint8_t *to = d + ((size_t)p * EACH + (size_t)i) * DIM;
            const uint8_t *like = d + ((size_t)(p - p % SCENE) * EACH + (size_t)i) * DIM;
            draw(to, &r, p % SCENE != 0 && i < EACH / 2 ? like : NULL, 15);
        }
    const char *const cpu[] = { "c", "avx2", "avx512", "native" };
    for (int i = 0; i < VD_COUNT(cpu); i++) {
        vd_vocabulary v = { 0 };
        setenv("VIDIMUS_CPU", cpu[i], 1);
        T_OK(vd_vlad_train(&v, d, PICTURES * EACH, WORDS, 1, &err));
        int size = vd_vlad_size(&v), half = PICTURES / 2 + i; /* in two parts */
        for (int p = 0; p < PICTURES; p++)
            T_OK(vd_vlad_encode(code + p * size, &v, d + (size_t)p * EACH * DIM, EACH, &err));
        T_OK(vd_vlad_nearest(out, K, code, PICTURES, size, 0, half, &err));
        T_OK(vd_vlad_nearest(out + half * K, K, code, PICTURES, size, half, PICTURES, &err));
        if (i == 0) memcpy(first, out, sizeof out);
        T_TRUE(memcmp(first, out, sizeof out) == 0);
        vd_vocabulary_reset(&v);
    }
    unsetenv("VIDIMUS_CPU");
    int hit = 0;
    for (int p = 0; p < PICTURES; p++)
        for (int k = 0; k < SCENE - 1; k++) hit += first[p * K + k] / SCENE == p / SCENE;
    T_LT(0.95 * PICTURES * (SCENE - 1), hit);
    vd_mem_free(d);
    vd_mem_free(code);
}

T(nearest_lists_are_sorted_and_complete) {
    enum { N = 40, SIZE = 200, K = 12 };
    static int8_t code[N * SIZE];
    static int32_t out[N * K];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < N * SIZE; i++) code[i] = (int8_t)((int)vd_rng_int(&r, 7) - 2);
    memset(code + 5 * SIZE, 0, SIZE);                        /* a picture without features */
    memcpy(code + 9 * SIZE, code + 8 * SIZE, SIZE);          /* ties */
    for (int i = 0; i < SIZE; i++) code[17 * SIZE + i] = -1; /* unlike all others */
    T_OK(vd_vlad_nearest(out, K, code, N, SIZE, 0, N, &err));
    for (int i = 0; i < N; i++) {
        bool used[N] = { false };
        for (int k = 0; k < K; k++) {
            long best = 0;
            int at = -1;
            for (int j = 0; j < N; j++) {
                long s = 0;
                for (int q = 0; q < SIZE; q++) s += code[i * SIZE + q] * code[j * SIZE + q];
                if (j == i || used[j] || s <= best) continue;
                best = s;
                at = j;
            }
            T_EQ(out[i * K + k], at);
            if (at >= 0) used[at] = true;
        }
    }
    T_EQ(out[5 * K], -1);
}

T(bad_arguments_and_refused_memory) {
    enum { N = 200 };
    static uint8_t centre[4 * DIM];
    static int8_t code[8 * DIM];
    vd_rng r = t_rng(t);
    uint8_t *d = clusters(&r, centre, 4, N, 10);
    vd_vocabulary v = { 0 };
    int32_t out[8];
    T_NEED(d != NULL);
    T_EQ(vd_vlad_train(&v, d, N, 0, 1, NULL), VD_E_ARG);
    T_EQ(vd_vlad_train(&v, d, N, N + 1, 1, NULL), VD_E_ARG);
    T_EQ(vd_vlad_train(&v, d, VD_SIFT_MAX_FEATURES + 1, 8, 1, NULL), VD_E_ARG);
    T_EQ(vd_vlad_encode(code, &v, d, N, NULL), VD_E_ARG);
    T_EQ(vd_vlad_nearest(out, 0, code, 1, DIM, 0, 1, NULL), VD_E_ARG);
    T_EQ(vd_vlad_nearest(out, 1, code, 1, DIM, 0, 2, NULL), VD_E_ARG);
    T_EQ(vd_vlad_nearest(out, 1, code, 1, 0, 0, 1, NULL), VD_E_ARG);
    /* words that nothing is assigned to: more words than different descriptors */
    for (int i = 0; i < N; i++) memcpy(d + i * DIM, centre + i % 4 * DIM, DIM);
    vd_err err = { 0 };
    T_OK(vd_vlad_train(&v, d, N, 8, 1, &err));
    int64_t before = vd_mem_live();
    bool hit = true;
    for (int k = 0; hit; k++) {
        vd_vocabulary w = { 0 };
        err = (vd_err){ 0 };
        vd_mem_fail_at(k, false);
        vd_status st = vd_vlad_train(&w, d, N, 8, 1, &err);
        if (st == VD_OK) st = vd_vlad_encode(code, &w, d, N, &err);
        if (st == VD_OK) st = vd_vlad_nearest(out, 1, code, 1, 8 * DIM, 0, 1, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_vocabulary_reset(&w);
        T_EQ(vd_mem_live(), before);
    }
    vd_vocabulary_reset(&v);
    vd_mem_free(d);
}
