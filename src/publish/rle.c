/* Parquet's hybrid of runs and packed bits; see rle.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/rle.h"

#include "publish/thrift.h"

enum { GROUP = 8 };

int vd_rle_width(uint32_t largest) {
    int width = 1;
    while (width < 32 && largest >> width != 0) width++;
    return width;
}

/* Numbers v[0..n) in whole groups; what lacks to the last one is zero. */
static void add_packed(vd_str *out, const uint32_t *v, int64_t n, int width) {
    uint64_t bits = 0;
    int held = 0;
    int64_t groups = (n + GROUP - 1) / GROUP;
    if (n == 0) return;
    vd_thrift_varint(out, (uint64_t)groups << 1 | 1);
    for (int64_t i = 0; i < groups * GROUP; i++) {
        bits |= (uint64_t)(i < n ? v[i] : 0) << held;
        for (held += width; held >= 8; held -= 8, bits >>= 8) vd_str_addc(out, (char)(bits & 0xff));
    }
}

static void add_run(vd_str *out, uint32_t value, int64_t n, int width) {
    vd_thrift_varint(out, (uint64_t)n << 1);
    for (int i = 0; i < (width + 7) / 8; i++) vd_str_addc(out, (char)(value >> (8 * i) & 0xff));
}

void vd_rle_add(vd_str *out, const uint32_t *v, int64_t n, int width) {
    int64_t begin = 0; /* of the numbers that are to be packed */
    for (int64_t i = 0; i < n;) {
        int64_t end = i + 1;
        while (end < n && v[end] == v[i]) end++;
        int64_t fill = (GROUP - (i - begin) % GROUP) % GROUP; /* packed groups are whole */
        if (end - i - fill >= GROUP) {
            add_packed(out, v + begin, i + fill - begin, width);
            add_run(out, v[i], end - i - fill, width);
            begin = end;
        }
        i = end;
    }
    add_packed(out, v + begin, n - begin, width);
}
