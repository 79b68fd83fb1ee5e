/* One vector for a whole picture. SPDX-License-Identifier: Apache-2.0 */
#include "feature/vlad.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { ROUNDS = 8, LANES = 16 };

/* Partial sums in LANES columns, added up in their order: compilers make vectors of it and may not
 * change the answer. */
static float dot(const float *a, const float *b, int n) {
    float acc[LANES] = { 0 }, sum = 0;
    for (int i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++) acc[k] += a[i + k] * b[i + k];
    for (int k = 0; k < LANES; k++) sum += acc[k];
    return sum;
}

static void to_float(float out[VD_SIFT_DIM], const uint8_t *desc) {
    for (int k = 0; k < VD_SIFT_DIM; k++) out[k] = desc[k];
}

/* Half the squared length of each word: |d - w|^2 is least where d w - |w|^2 / 2 is most. */
static void half_norms(float out[VD_VLAD_WORDS], const vd_vocabulary *v) {
    for (int w = 0; w < VD_VLAD_WORDS; w++)
        out[w] = 0.5f * dot(v->word[w], v->word[w], VD_SIFT_DIM);
}

static int nearest(const vd_vocabulary *v, const float *half, const float *d) {
    int best = 0;
    float most = -INFINITY;
    for (int w = 0; w < VD_VLAD_WORDS; w++) {
        float s = dot(v->word[w], d, VD_SIFT_DIM) - half[w];
        if (s > most) {
            most = s;
            best = w;
        }
    }
    return best;
}

typedef struct sums {
    double sum[VD_VLAD_WORDS][VD_SIFT_DIM];
    int64_t n[VD_VLAD_WORDS];
} sums;

/* A word that nothing is nearest to takes a descriptor from the list. */
static void move_words(vd_vocabulary *v, const sums *s, const uint8_t *desc, int64_t n, int round) {
    for (int w = 0; w < VD_VLAD_WORDS; w++) {
        if (s->n[w] == 0) {
            to_float(v->word[w], desc + (w * 2654435761u + (unsigned)round * 40503u) % (uint64_t)n *
                                            VD_SIFT_DIM);
            continue;
        }
        for (int k = 0; k < VD_SIFT_DIM; k++)
            v->word[w][k] = (float)(s->sum[w][k] / (double)s->n[w]);
    }
}

vd_status vd_vocabulary_train(vd_vocabulary *out, const uint8_t *desc, int64_t n, vd_err *err) {
    float half[VD_VLAD_WORDS], d[VD_SIFT_DIM];
    if (n < 1) return vd_fail(err, VD_E_ARG, "vocabulary: no descriptors to learn from");
    sums *s = vd_mem_array(1, sizeof *s);
    if (s == NULL) return vd_nomem(err);
    for (int w = 0; w < VD_VLAD_WORDS; w++)
        to_float(out->word[w], desc + (int64_t)w * n / VD_VLAD_WORDS * VD_SIFT_DIM);
    for (int round = 0; round < ROUNDS; round++) {
        memset(s, 0, sizeof *s);
        half_norms(half, out);
        for (int64_t i = 0; i < n; i++) {
            to_float(d, desc + i * VD_SIFT_DIM);
            int w = nearest(out, half, d);
            s->n[w]++;
            for (int k = 0; k < VD_SIFT_DIM; k++) s->sum[w][k] += d[k];
        }
        move_words(out, s, desc, n, round);
    }
    vd_mem_free(s);
    return VD_OK;
}

static void normalise(float *v, int n) {
    float length = sqrtf(dot(v, v, n));
    if (!(length > 0)) return;
    for (int k = 0; k < n; k++) v[k] /= length;
}

void vd_vlad(float out[VD_VLAD_DIM], const vd_vocabulary *v, const uint8_t *desc, int n) {
    float half[VD_VLAD_WORDS], d[VD_SIFT_DIM];
    memset(out, 0, VD_VLAD_DIM * sizeof *out);
    half_norms(half, v);
    for (int i = 0; i < n; i++) {
        to_float(d, desc + (size_t)i * VD_SIFT_DIM);
        int w = nearest(v, half, d);
        float *sum = out + w * VD_SIFT_DIM;
        for (int k = 0; k < VD_SIFT_DIM; k++) sum[k] += d[k] - v->word[w][k];
    }
    for (int w = 0; w < VD_VLAD_WORDS; w++) normalise(out + w * VD_SIFT_DIM, VD_SIFT_DIM);
    normalise(out, VD_VLAD_DIM);
}

float vd_vlad_similarity(const float a[VD_VLAD_DIM], const float b[VD_VLAD_DIM]) {
    return dot(a, b, VD_VLAD_DIM);
}
