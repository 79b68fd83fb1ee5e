/* Steps over text to the next byte that matters. SPDX-License-Identifier: Apache-2.0
 *
 * Each stops at a NUL at the latest, and may read up to 15 bytes beyond it. The plain C forms are
 * compiled everywhere and compared with the others by tests/unit/base_json_stream.c. */
#ifndef VD_BASE_SCAN_H
#define VD_BASE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

static inline bool vd_scan_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What ends a plain run of a JSON text: a quote, a backslash, controls, bytes beyond ASCII. */
static inline bool vd_scan_ends_run(char c) {
    return c == '"' || c == '\\' || (unsigned char)c < 0x20 || (unsigned char)c >= 0x80;
}

static inline bool vd_scan_is_bracket(char c) {
    return c == '"' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\0';
}

static inline const char *vd_scan_blanks_c(const char *p) {
    while (vd_scan_is_blank(*p)) p++;
    return p;
}
static inline const char *vd_scan_text_c(const char *p) {
    while (!vd_scan_ends_run(*p)) p++;
    return p;
}
static inline const char *vd_scan_quote_c(const char *p) {
    while (*p != '"' && *p != '\\' && *p != '\0') p++;
    return p;
}
static inline const char *vd_scan_brackets_c(const char *p) {
    while (!vd_scan_is_bracket(*p)) p++;
    return p;
}

#if defined(__SSE2__)
#define VD_SCAN_WIDE 1
#include <emmintrin.h>

#define VD_SCAN_STEPS(p, hits)                                                                     \
    for (;; (p) += 16) {                                                                           \
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p));                     \
        int bits = _mm_movemask_epi8(hits);                                                        \
        if (bits != 0) return (p) + __builtin_ctz((unsigned)bits);                                 \
    }
#define VD_SCAN_IS(c) _mm_cmpeq_epi8(v, _mm_set1_epi8(c))

static inline const char *vd_scan_blanks(const char *p) {
    while (vd_scan_is_blank(*p)) { /* mostly one; many in a document that is indented */
        if (!vd_scan_is_blank(*++p)) break;
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i blank = _mm_or_si128(_mm_or_si128(VD_SCAN_IS(' '), VD_SCAN_IS('\n')),
                                     _mm_or_si128(VD_SCAN_IS('\r'), VD_SCAN_IS('\t')));
        unsigned other = ~(unsigned)_mm_movemask_epi8(blank) & 0xffff;
        p += other != 0 ? __builtin_ctz(other) : 16;
    }
    return p;
}
/* signed bytes: those beyond ASCII are less than a blank, too */
static inline const char *vd_scan_text(const char *p) {
    VD_SCAN_STEPS(p, _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                                  _mm_or_si128(VD_SCAN_IS('"'), VD_SCAN_IS('\\'))))
}
static inline const char *vd_scan_quote(const char *p) {
    VD_SCAN_STEPS(p,
                  _mm_or_si128(VD_SCAN_IS('\0'), _mm_or_si128(VD_SCAN_IS('"'), VD_SCAN_IS('\\'))))
}
/* '[' and '{', ']' and '}' differ in one bit */
static inline const char *vd_scan_brackets(const char *p) {
    for (;; p += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));
        const __m128i open = _mm_cmpeq_epi8(low, _mm_set1_epi8('{')),
                      close = _mm_cmpeq_epi8(low, _mm_set1_epi8('}')),
                      other = _mm_or_si128(VD_SCAN_IS('"'), VD_SCAN_IS('\0'));
        int bits = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(open, close), other));
        if (bits != 0) return p + __builtin_ctz((unsigned)bits);
    }
}
#undef VD_SCAN_STEPS
#undef VD_SCAN_IS
#else
#define vd_scan_blanks vd_scan_blanks_c
#define vd_scan_text vd_scan_text_c
#define vd_scan_quote vd_scan_quote_c
#define vd_scan_brackets vd_scan_brackets_c
#endif
#endif
