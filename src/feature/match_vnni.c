/* Matching with AVX-512 VNNI. SPDX-License-Identifier: Apache-2.0
 *
 * vpdpbusd adds, in each of 16 lanes, four products of an unsigned and a signed byte. Lanes are
 * columns: four bytes of 16 descriptors lie in one register, four bytes of a row's descriptor are
 * broadcast. The rows' bytes are made signed by taking 128 off, and what that takes from the sum,
 * 128 times the sum of the column's bytes, is what the accumulators begin with. 6 rows by 64
 * columns are 24 accumulators that stay in registers for all 32 steps. What beats a row's or a
 * column's second best is then found by comparing maxima, and is rare. */
#include "feature/match_kern.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, LANES = 16, COLS = 64, STEPS = VD_DESC_BYTES / 4 };
/* A block of COLS packed columns: its bytes, then what its accumulators begin with. */
enum { BLOCK = COLS * VD_DESC_BYTES + COLS * 4, COL_BYTES = BLOCK / COLS };

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

/* One step of one row: four bytes of its descriptor with those of all columns. Accumulators are
 * names, not an array, so that every compiler keeps them in registers. */
#define ROW_START(r)                                                                               \
    __m512i c##r##0 = s0, c##r##1 = s1, c##r##2 = s2, c##r##3 = s3;                                \
    const uint8_t *a##r = a + (r)*VD_DESC_BYTES;
#define ROW_STEP(r)                                                                                \
    {                                                                                              \
        __m512i v = _mm512_set1_epi32(four_bytes(a##r + 4 * k));                                   \
        c##r##0 = _mm512_dpbusd_epi32(c##r##0, b0, v);                                             \
        c##r##1 = _mm512_dpbusd_epi32(c##r##1, b1, v);                                             \
        c##r##2 = _mm512_dpbusd_epi32(c##r##2, b2, v);                                             \
        c##r##3 = _mm512_dpbusd_epi32(c##r##3, b3, v);                                             \
    }
/* Says that the accumulators are in registers here: gcc 12 would otherwise copy each of them to
 * memory in every step. */
#define ROW_STAY(r) __asm__("" : "+v"(c##r##0), "+v"(c##r##1), "+v"(c##r##2), "+v"(c##r##3));
#define ROW_END(r)                                                                                 \
    _mm512_store_si512(out + (4 * (r) + 0) * LANES, c##r##0);                                      \
    _mm512_store_si512(out + (4 * (r) + 1) * LANES, c##r##1);                                      \
    _mm512_store_si512(out + (4 * (r) + 2) * LANES, c##r##2);                                      \
    _mm512_store_si512(out + (4 * (r) + 3) * LANES, c##r##3);
#define EACH_ROW(f) f(0) f(1) f(2) f(3) f(4) f(5)

static inline int32_t four_bytes(const uint8_t *p) {
    int32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* out[ROWS][COLS] = the products of ROWS rows with a block of columns. */
static inline void products(int32_t *out, const uint8_t *a, const uint8_t *block) {
    const uint8_t *start = block + COLS * VD_DESC_BYTES;
    __m512i s0 = _mm512_load_si512(start), s1 = _mm512_load_si512(start + 64),
            s2 = _mm512_load_si512(start + 128), s3 = _mm512_load_si512(start + 192);
    EACH_ROW(ROW_START)
    for (int k = 0; k < STEPS; k++) {
        const uint8_t *b = block + k * COLS * 4;
        __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 64),
                b2 = _mm512_load_si512(b + 128), b3 = _mm512_load_si512(b + 192);
        EACH_ROW(ROW_STEP)
        EACH_ROW(ROW_STAY)
    }
    EACH_ROW(ROW_END)
}

static inline __m512i load(const int32_t *p) {
    return _mm512_loadu_si512(p);
}

/* Columns: the state of 16 of them in registers for 6 new rows. */
static inline void take_columns(const vd_top2 *cols, int at, const int32_t *product,
                                int first_row) {
    __m512i best = load(cols->best + at), second = load(cols->second + at),
            index = load(cols->index + at);
    for (int r = 0; r < ROWS; r++) {
        __m512i v = load(product + r * COLS);
        __mmask16 above = _mm512_cmpgt_epi32_mask(v, best);
        second = _mm512_max_epi32(second, _mm512_min_epi32(v, best));
        best = _mm512_max_epi32(best, v);
        index = _mm512_mask_mov_epi32(index, above, _mm512_set1_epi32(first_row + r));
    }
    _mm512_storeu_si512(cols->best + at, best);
    _mm512_storeu_si512(cols->second + at, second);
    _mm512_storeu_si512(cols->index + at, index);
}

/* A row: its 64 new products, those above the second best one by one. */
static inline void take_row(const vd_top2 *rows, int at, const int32_t *product, int first_col) {
    for (int g = 0; g < COLS; g += LANES) {
        __m512i second = _mm512_set1_epi32(rows->second[at]);
        unsigned above = _mm512_cmpgt_epi32_mask(load(product + g), second);
        for (; above != 0; above &= above - 1) {
            int lane = g + __builtin_ctz(above);
            vd_top2_take(rows, at, product[lane], first_col + lane);
        }
    }
}

/* The largest of a row's products, and of a column's, against the second best so far. */
static inline bool row_changes(const int32_t *product, int32_t second) {
    __m512i most = _mm512_max_epi32(_mm512_max_epi32(load(product), load(product + 16)),
                                    _mm512_max_epi32(load(product + 32), load(product + 48)));
    return _mm512_cmpgt_epi32_mask(most, _mm512_set1_epi32(second)) != 0;
}

static inline bool columns_change(const int32_t *product, const int32_t *second) {
    __m512i most = load(product);
    for (int r = 1; r < ROWS; r++) most = _mm512_max_epi32(most, load(product + r * COLS));
    return _mm512_cmpgt_epi32_mask(most, load(second)) != 0;
}

static void top2(const vd_top2 *rows, const vd_top2 *cols, const void *a, int n_rows, const void *b,
                 int n_cols) {
    _Alignas(64) int32_t product[ROWS * COLS];
    for (int j = 0; j < n_cols; j += COLS) {
        const uint8_t *block = (const uint8_t *)b + (ptrdiff_t)(j / COLS) * BLOCK;
        for (int i = 0; i < n_rows; i += ROWS) {
            products(product, (const uint8_t *)a + (ptrdiff_t)i * VD_DESC_BYTES, block);
            for (int r = 0; r < ROWS; r++)
                if (row_changes(product + r * COLS, rows->second[i + r]))
                    take_row(rows, i + r, product + r * COLS, j);
            for (int g = 0; g < COLS; g += LANES)
                if (columns_change(product + g, cols->second + j + g))
                    take_columns(cols, j + g, product + g, i);
        }
    }
}

static int32_t dot(const uint8_t *a, const uint8_t *b) {
    const __m512i zero = _mm512_setzero_si512(), half = _mm512_set1_epi8((char)0x80);
    __m512i a0 = _mm512_loadu_si512(a), a1 = _mm512_loadu_si512(a + 64);
    __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 64);
    __m512i s = _mm512_dpbusd_epi32(zero, a0, _mm512_xor_si512(b0, half));
    s = _mm512_dpbusd_epi32(s, a1, _mm512_xor_si512(b1, half));
    __m512i sum = _mm512_add_epi64(_mm512_sad_epu8(a0, zero), _mm512_sad_epu8(a1, zero));
    return _mm512_reduce_add_epi32(s) + 128 * (int32_t)_mm512_reduce_add_epi64(sum);
}

const vd_match_kern vd_match_kern_vnni = { "vnni",    VD_DESC_BYTES, COL_BYTES, ROWS,
                                           pack_rows, pack_cols,     top2,      dot };
