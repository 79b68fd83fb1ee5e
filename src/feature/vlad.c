/* Vocabulary, codes and search: see vlad.h. SPDX-License-Identifier: Apache-2.0 */
#include "feature/vlad.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "feature/match_kern.h"

enum {
    ROUNDS = 12,         /* of k-means; more change next to nothing */
    CODE_UNIT = 4096,    /* length of a code; with 64 words an entry is about 45 */
    BLOCK = 32,          /* pictures whose codes stay in the cache */
    STREAM = 0x766c6164, /* random numbers of this file */
};

void vd_vocabulary_reset(vd_vocabulary *v) {
    if (v == NULL) return;
    vd_mem_free(v->word);
    *v = (vd_vocabulary){ 0 };
}

/* Nearest words of many descriptors. */
typedef struct nearest {
    const vd_match_kern *kern;
    uint8_t *rows, *cols; /* packed descriptors and words */
    int32_t *memory;      /* of the two lists */
    vd_top2 row, col;
    int n_rows, n_cols;
} nearest;

static void nearest_reset(nearest *s) {
    vd_mem_free(s->rows);
    vd_mem_free(s->cols);
    vd_mem_free(s->memory);
}

static vd_status nearest_shape(nearest *s, int n, int words, vd_err *err) {
    s->kern = vd_match_kern_for(vd_cpu_features());
    s->n_rows = (n + s->kern->row_step - 1) / s->kern->row_step * s->kern->row_step;
    s->n_cols = (words + VD_MATCH_ALIGN - 1) / VD_MATCH_ALIGN * VD_MATCH_ALIGN;
    s->rows = vd_mem_aligned((size_t)s->n_rows * (size_t)s->kern->row_bytes);
    s->cols = vd_mem_aligned((size_t)s->n_cols * (size_t)s->kern->col_bytes);
    s->memory = vd_mem_array(3 * ((size_t)s->n_rows + (size_t)s->n_cols), sizeof *s->memory);
    if (s->rows == NULL || s->cols == NULL || s->memory == NULL) return vd_nomem(err);
    int32_t *at = s->memory + 3 * (ptrdiff_t)s->n_rows;
    s->row = (vd_top2){ s->memory, s->memory + s->n_rows, s->memory + 2 * (ptrdiff_t)s->n_rows };
    s->col = (vd_top2){ at, at + s->n_cols, at + 2 * (ptrdiff_t)s->n_cols };
    return VD_OK;
}

/* s->row.index[i] is the word of descriptor i, -1 for one that is all zero. */
static void nearest_find(nearest *s, const uint8_t *word, int words) {
    memset(s->memory, 0, 3 * ((size_t)s->n_rows + (size_t)s->n_cols) * sizeof *s->memory);
    for (int i = 0; i < s->n_rows; i++) s->row.index[i] = -1;
    s->kern->pack_cols(s->cols, word, words, s->n_cols);
    s->kern->top2(&s->row, &s->col, s->rows, s->n_rows, s->cols, s->n_cols);
}

/* A word is the direction of a sum of descriptors. */
static void word_of(uint8_t word[VD_SIFT_DIM], const int64_t sum[VD_SIFT_DIM]) {
    double square = 0;
    for (int k = 0; k < VD_SIFT_DIM; k++) square += (double)sum[k] * (double)sum[k];
    double scale = square > 0 ? VD_SIFT_NORM / sqrt(square) : 0;
    for (int k = 0; k < VD_SIFT_DIM; k++) {
        int q = (int)((double)sum[k] * scale + 0.5);
        word[k] = (uint8_t)VD_MIN(q, 255);
    }
}

/* The descriptor that its word describes worst; it is taken out of the list. */
static int worst_of(nearest *s, int n) {
    int worst = 0;
    for (int i = 1; i < n; i++)
        if (s->row.best[i] < s->row.best[worst]) worst = i;
    s->row.best[worst] = INT32_MAX;
    return worst;
}

/* Words from what was assigned to them; one without any becomes what is described worst. */
static void move_words(uint8_t *word, int words, int64_t *sum, const uint8_t *desc, int n,
                       nearest *s) {
    memset(sum, 0, (size_t)words * VD_SIFT_DIM * sizeof *sum);
    for (int i = 0; i < n; i++) {
        if (s->row.index[i] < 0) continue;
        int64_t *to = sum + (ptrdiff_t)s->row.index[i] * VD_SIFT_DIM;
        for (int k = 0; k < VD_SIFT_DIM; k++) to[k] += desc[(ptrdiff_t)i * VD_SIFT_DIM + k];
    }
    for (int w = 0; w < words; w++) {
        int64_t *from = sum + (ptrdiff_t)w * VD_SIFT_DIM, all = 0;
        for (int k = 0; k < VD_SIFT_DIM; k++) all += from[k];
        uint8_t *to = word + (ptrdiff_t)w * VD_SIFT_DIM;
        if (all > 0)
            word_of(to, from);
        else
            memcpy(to, desc + (ptrdiff_t)worst_of(s, n) * VD_SIFT_DIM, VD_SIFT_DIM);
    }
}

/* The first words: descriptors drawn one from each of as many equal parts of the list. */
static void first_words(uint8_t *word, int words, const uint8_t *desc, int n, uint64_t seed) {
    for (int w = 0; w < words; w++) {
        vd_rng r = vd_rng_for(seed, STREAM, (uint64_t)w);
        int64_t from = (int64_t)n * w / words, to = (int64_t)n * (w + 1) / words;
        memcpy(word + (ptrdiff_t)w * VD_SIFT_DIM,
               desc + (from + vd_rng_int(&r, to - from)) * VD_SIFT_DIM, VD_SIFT_DIM);
    }
}

vd_status vd_vlad_train(vd_vocabulary *out, const uint8_t *desc, int n, int words, uint64_t seed,
                        vd_err *err) {
    vd_status st = VD_OK;
    nearest s = { 0 };
    if (words < 1 || words > VD_VLAD_MAX_WORDS || n < words || n > VD_SIFT_MAX_FEATURES)
        return vd_fail(err, VD_E_ARG,
                       "vocabulary: %d words from %d descriptors, 1 to %d words from "
                       "at least as many and at most %d are possible",
                       words, n, VD_VLAD_MAX_WORDS, VD_SIFT_MAX_FEATURES);
    uint8_t *word = vd_mem_alloc((size_t)words * VD_SIFT_DIM);
    int64_t *sum = vd_mem_array((size_t)words * VD_SIFT_DIM, sizeof *sum);
    if (word == NULL || sum == NULL) {
        st = vd_nomem(err);
        goto done;
    }
    VD_GO(nearest_shape(&s, n, words, err));
    s.kern->pack_rows(s.rows, desc, n, s.n_rows);
    first_words(word, words, desc, n, seed);
    for (int i = 0; i < ROUNDS; i++) {
        nearest_find(&s, word, words);
        move_words(word, words, sum, desc, n, &s);
    }
    vd_vocabulary_reset(out);
    *out = (vd_vocabulary){ words, word };
    word = NULL;
done:
    nearest_reset(&s);
    vd_mem_free(word);
    vd_mem_free(sum);
    return st;
}

/* The code of sums of differences: each word's scaled to the same length, all to CODE_UNIT. */
static void code_of(int8_t *code, const int32_t *sum, int words) {
    double length[VD_VLAD_MAX_WORDS];
    int used = 0;
    for (int w = 0; w < words; w++) {
        const int32_t *v = sum + (ptrdiff_t)w * VD_SIFT_DIM;
        double square = 0;
        for (int k = 0; k < VD_SIFT_DIM; k++) square += (double)v[k] * (double)v[k];
        length[w] = sqrt(square);
        used += square > 0;
    }
    for (int w = 0; w < words; w++) {
        double scale = length[w] > 0 ? CODE_UNIT / (length[w] * sqrt(used)) : 0;
        for (int k = 0; k < VD_SIFT_DIM; k++) {
            ptrdiff_t at = (ptrdiff_t)w * VD_SIFT_DIM + k;
            int q = (int)(fabs((double)sum[at]) * scale + 0.5);
            q = VD_MIN(q, 127);
            code[at] = (int8_t)(sum[at] < 0 ? -q : q);
        }
    }
}

vd_status vd_vlad_encode(int8_t *code, const vd_vocabulary *v, const uint8_t *desc, int n,
                         vd_err *err) {
    vd_status st = VD_OK;
    nearest s = { 0 };
    if (v->n < 1 || n < 0 || n > VD_SIFT_MAX_FEATURES)
        return vd_fail(err, VD_E_ARG, "global descriptor: %d descriptors with %d words", n, v->n);
    int32_t *sum = vd_mem_array((size_t)vd_vlad_size(v), sizeof *sum);
    if (sum == NULL) {
        st = vd_nomem(err);
        goto done;
    }
    VD_GO(nearest_shape(&s, n, v->n, err));
    s.kern->pack_rows(s.rows, desc, n, s.n_rows);
    nearest_find(&s, v->word, v->n);
    for (int i = 0; i < n; i++) {
        if (s.row.index[i] < 0) continue;
        ptrdiff_t at = (ptrdiff_t)s.row.index[i] * VD_SIFT_DIM;
        for (int k = 0; k < VD_SIFT_DIM; k++)
            sum[at + k] += desc[(ptrdiff_t)i * VD_SIFT_DIM + k] - v->word[at + k];
    }
    code_of(code, sum, v->n);
done:
    nearest_reset(&s);
    vd_mem_free(sum);
    return st;
}

/* Puts picture `at` into a list of the k best, of which *n are taken. */
static void insert(int32_t *out, int32_t *score, int *n, int k, int32_t value, int32_t at) {
    if (value <= 0 || (*n == k && value <= score[k - 1])) return;
    int place = *n < k ? (*n)++ : k - 1;
    for (; place > 0 && score[place - 1] < value; place--) {
        score[place] = score[place - 1];
        out[place] = out[place - 1];
    }
    score[place] = value;
    out[place] = at;
}

vd_status vd_vlad_nearest(int32_t *out, int k, const int8_t *code, int n, int size, int from,
                          int to, vd_err *err) {
    const vd_match_kern *kern = vd_match_kern_for(vd_cpu_features());
    if (k < 1 || from < 0 || to < from || to > n || size < 1 ||
        size > VD_VLAD_MAX_WORDS * VD_SIFT_DIM)
        return vd_fail(err, VD_E_ARG, "nearest pictures: %d for %d to %d of %d with codes of %d", k,
                       from, to, n, size);
    size_t rows = (size_t)(to - from);
    int32_t *score = vd_mem_array(rows * (size_t)k, sizeof *score);
    int *found = vd_mem_array(rows, sizeof *found);
    vd_status st = score == NULL || found == NULL ? vd_nomem(err) : VD_OK;
    for (int first = from; first < to && st == VD_OK; first += BLOCK)
        for (int j = 0; j < n; j++)
            for (int i = first; i < VD_MIN(first + BLOCK, to); i++) {
                ptrdiff_t row = (ptrdiff_t)(i - from) * k;
                if (i != j)
                    insert(out + row, score + row, &found[i - from], k,
                           kern->dot8(code + (ptrdiff_t)i * size, code + (ptrdiff_t)j * size, size),
                           j);
            }
    for (int i = from; i < to && st == VD_OK; i++)
        for (int q = found[i - from]; q < k; q++) out[(ptrdiff_t)(i - from) * k + q] = -1;
    vd_mem_free(score);
    vd_mem_free(found);
    return st;
}
