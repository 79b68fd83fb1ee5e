/* Decimal numbers; see decimal.h. SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_MAX = 64, EXACT_TENS = 22, MAX_DIGITS = 19 };

static const double TENS[EXACT_TENS + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static const struct {
    uint64_t high, low;
} FIVES[2 * TABLE_MAX + 1] = {
#include "base/decimal_pow5.inc"
};

static bool digit(char c) {
    return (unsigned char)(c - '0') < 10;
}

/* w * 10^q for w != 0 and |q| <= TABLE_MAX, where no result is subnormal or infinite. False where
 * the product does not say which neighbour is nearer. */
static bool nearest(uint64_t w, int q, double *out) {
    int lead = __builtin_clzll(w);
    w <<= lead;
    unsigned __int128 p = (unsigned __int128)w * FIVES[q + TABLE_MAX].high;
    uint64_t high = (uint64_t)(p >> 64), low = (uint64_t)p;
    if ((high & 0x1ff) == 0x1ff) { /* what was cut off may carry into the bits that count */
        uint64_t more = (uint64_t)(((unsigned __int128)w * FIVES[q + TABLE_MAX].low) >> 64);
        low += more;
        high += low < more;
    }
    if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
    int top = (int)(high >> 63), shift = top + 9; /* 54 bits stay: one more than a double has */
    uint64_t m = high >> shift;
    int64_t e = ((217706 * (int64_t)q) >> 16) + 63 + top - lead + 1023;
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << shift == high)
        m &= ~(uint64_t)1; /* exactly between two: to the even one */
    m = (m + (m & 1)) >> 1;
    if (m >> 53) {
        m >>= 1;
        e++;
    }
    uint64_t bits = (m & ~((uint64_t)1 << 52)) | (uint64_t)e << 52;
    memcpy(out, &bits, sizeof *out);
    return true;
}

typedef struct digits {
    uint64_t value; /* of the digits, if there are at most MAX_DIGITS of them */
    int64_t n;
    int64_t tens; /* times 10^tens */
} digits;

static const char *take_digits(const char *p, digits *d) {
    const char *begin = p;
    uint64_t v = d->value;
    for (; digit(*p); p++) v = v * 10 + (uint64_t)(*p - '0');
    d->value = v;
    d->n += p - begin;
    return p;
}

static const char *take_exponent(const char *p, digits *d) {
    bool minus = *p == '-';
    int64_t e = 0;
    p += minus || *p == '+';
    if (!digit(*p)) return NULL;
    for (; digit(*p); p++)
        if (e < 100000) e = e * 10 + (*p - '0');
    d->tens += minus ? -e : e;
    return p;
}

static double value_of(const digits *d, const char *text, bool minus) {
    double v = 0;
    if (d->n > MAX_DIGITS) return strtod(text, NULL);
    bool exact = d->value < (uint64_t)1 << 53;
    if (exact && d->tens <= 0 && d->tens >= -EXACT_TENS) {
        v = (double)d->value / TENS[-d->tens];
    } else if (exact && d->tens > 0 && d->tens <= EXACT_TENS) {
        v = (double)d->value * TENS[d->tens];
    } else if (d->value != 0) {
        bool table = d->tens >= -TABLE_MAX && d->tens <= TABLE_MAX;
        if (!table || !nearest(d->value, (int)d->tens, &v)) return strtod(text, NULL);
    }
    return minus ? -v : v;
}

const char *vd_decimal_read(const char *p, double *out) {
    const char *text = p;
    digits d = { 0 };
    bool minus = *p == '-';
    p += minus;
    if (!digit(*p) || (*p == '0' && digit(p[1]))) return NULL;
    p = take_digits(p, &d);
    if (*p == '.') {
        const char *point = ++p;
        if (!digit(*p)) return NULL;
        p = take_digits(p, &d);
        d.tens = point - p;
    }
    if (*p == 'e' || *p == 'E') {
        p = take_exponent(p + 1, &d);
        if (p == NULL) return NULL;
    }
    *out = value_of(&d, text, minus);
    return p;
}

const char *vd_decimal_read_int(const char *p, int64_t *out) {
    bool minus = *p == '-';
    uint64_t v = 0, limit = (uint64_t)INT64_MAX + minus;
    p += minus;
    if (!digit(*p) || (*p == '0' && digit(p[1]))) return NULL;
    for (; digit(*p); p++) {
        uint64_t d = (uint64_t)(*p - '0');
        if (v > (limit - d) / 10) return NULL;
        v = v * 10 + d;
    }
    if (*p == '.' || *p == 'e' || *p == 'E') return NULL;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return p;
}

/* A number of at most 15 digits is the only one so short that reads back as its double: so the
 * first count of decimals that gives `v` back gives the shortest text. */
static bool add_short(vd_str *s, double v) {
    char text[32];
    double size = fabs(v);
    if (!(size < 1e9) || (size < 1e-3 && size != 0) || (v == 0 && signbit(v))) return false;
    int tens = 0;
    for (; tens <= 6; tens++) {
        double whole = rint(size * TENS[tens]);
        if (whole / TENS[tens] == size) break;
    }
    if (tens > 6) return false;
    uint64_t left = (uint64_t)rint(size * TENS[tens]);
    char *p = text + sizeof text;
    for (int i = 0; left != 0 || i <= tens; i++) {
        if (i == tens && tens > 0) *--p = '.';
        *--p = (char)('0' + left % 10);
        left /= 10;
    }
    if (v < 0) *--p = '-';
    vd_str_addn(s, p, text + sizeof text - p);
    return true;
}

void vd_decimal_add(vd_str *s, double v) {
    if (!isfinite(v) || add_short(s, v)) return;
    vd_str_num(s, v);
}
