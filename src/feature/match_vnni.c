/* Matching with AVX-512 VNNI: see match_simd.inc. SPDX-License-Identifier: Apache-2.0
 *
 * vpdpbusd adds, in each of 16 lanes, four products of an unsigned and a signed byte. The rows'
 * bytes are made signed by taking 128 off, and what that takes from the sum, 128 times the sum of
 * the column's bytes, is what the accumulators start with. */
#include "feature/match_kern.h"

#include <immintrin.h>
#include <string.h>

enum {
    ROWS = 6,
    GROUPS = 4,
    LANES = 16,
    STEPS = VD_DESC_BYTES / 4,
    START_BYTES = GROUPS * LANES * 4,
};
#define EACH_ROW(f) f(0) f(1) f(2) f(3) f(4) f(5)
#define EACH_COLUMN(f) f(0) f(1) f(2) f(3)
#define EACH_CELL(f, r) f(r, 0) f(r, 1) f(r, 2) f(r, 3)
#define IN_REGISTER(v) "+v"(v)
#define VI __m512i
#define M(op) _mm512_##op
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define START(block, g) LOAD((block) + COLS * VD_DESC_BYTES + 64 * (g))
#define MULTIPLY_ADD(sum, b, v) _mm512_dpbusd_epi32(sum, b, v)
#define ABOVE(a, b) ((unsigned)_mm512_cmpgt_epi32_mask(a, b))
#define WHERE_ABOVE(a, b, yes, no) _mm512_mask_mov_epi32(no, _mm512_cmpgt_epi32_mask(a, b), yes)

#include "feature/match_near512.inc"
#include "feature/match_simd.inc"

static void pack_rows(void *dst, const uint8_t *desc, int n, int padded) {
    uint8_t *out = dst;
    ptrdiff_t bytes = (ptrdiff_t)n * VD_DESC_BYTES, all = (ptrdiff_t)padded * VD_DESC_BYTES;
    for (ptrdiff_t i = 0; i < bytes; i++) out[i] = desc[i] ^ 0x80;
    memset(out + bytes, 0x80, (size_t)(all - bytes));
}

static void pack_cols(void *dst, const uint8_t *desc, int n, int padded) {
    for (int block = 0; block < padded; block += COLS) {
        uint8_t *out = (uint8_t *)dst + (ptrdiff_t)(block / COLS) * BLOCK;
        int32_t *start = (int32_t *)(void *)(out + COLS * VD_DESC_BYTES);
        memset(out, 0, BLOCK);
        for (int j = 0; j < COLS && block + j < n; j++) {
            const uint8_t *d = desc + (ptrdiff_t)(block + j) * VD_DESC_BYTES;
            for (int k = 0; k < STEPS; k++) memcpy(out + (k * COLS + j) * 4, d + 4 * k, 4);
            for (int k = 0; k < VD_DESC_BYTES; k++) start[j] += 128 * d[k];
        }
    }
}

static int32_t dot(const uint8_t *a, const uint8_t *b) {
    const __m512i zero = _mm512_setzero_si512(), half = _mm512_set1_epi8((char)0x80);
    __m512i a0 = LOAD(a), a1 = LOAD(a + 64), b0 = LOAD(b), b1 = LOAD(b + 64);
    __m512i s = _mm512_dpbusd_epi32(zero, a0, _mm512_xor_si512(b0, half));
    s = _mm512_dpbusd_epi32(s, a1, _mm512_xor_si512(b1, half));
    __m512i sum = _mm512_add_epi64(_mm512_sad_epu8(a0, zero), _mm512_sad_epu8(a1, zero));
    return _mm512_reduce_add_epi32(s) + 128 * (int32_t)_mm512_reduce_add_epi64(sum);
}

static int32_t dot8(const int8_t *a, const int8_t *b, int n) {
    return vd_dot8(a, b, n);
}

/* b times (a - 128), then b times 128, which is two times 64, since a signed byte ends at 127. */
static inline __m256i halves(const uint8_t *b, __m512i a0, __m512i a1) {
    const __m512i half = _mm512_set1_epi8(64);
    __m512i b0 = LOAD(b), b1 = LOAD(b + 64);
    __m512i s = _mm512_dpbusd_epi32(_mm512_setzero_si512(), b0, a0),
            t = _mm512_dpbusd_epi32(_mm512_setzero_si512(), b0, half);
    s = _mm512_dpbusd_epi32(s, b1, a1);
    t = _mm512_dpbusd_epi32(t, b1, half);
    s = _mm512_add_epi32(s, _mm512_add_epi32(t, t));
    return _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
}

static void dots(int32_t *out, const uint8_t *a, const uint8_t *b, const int32_t *which, int n) {
    const __m512i turn = _mm512_set1_epi8((char)0x80);
    __m512i a0 = _mm512_xor_si512(LOAD(a), turn), a1 = _mm512_xor_si512(LOAD(a + 64), turn);
    int k = 0;
    for (; k + 4 <= n; k += 4) {
        __m256i s[4];
        for (int i = 0; i < 4; i++)
            s[i] = halves(b + (ptrdiff_t)which[k + i] * VD_DESC_BYTES, a0, a1);
        __m256i sum =
            _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
        _mm_storeu_si128(
            (__m128i *)(void *)(out + k),
            _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
    }
    for (; k < n; k++) out[k] = dot(a, b + (ptrdiff_t)which[k] * VD_DESC_BYTES);
}

const vd_match_kern vd_match_kern_vnni = { "vnni",    VD_DESC_BYTES, BLOCK / COLS, ROWS,
                                           pack_rows, pack_cols,     top2,         dot,
                                           dot8,      dots,          near_line };
