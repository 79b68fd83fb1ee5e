/* The scan in plain C: the reference. SPDX-License-Identifier: Apache-2.0 */
#include "index/kern.h"

/* Bits of a word (Warren, Hacker's Delight, section 5-1). */
static int bits(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

static int scan(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius) {
    int found = 0;
    for (int i = 0; i < n; i++) {
        int distance = 0;
        for (int k = 0; k < 4; k++) distance += bits(base[i][k] ^ query[k]);
        if (distance <= radius) hits[found++] = i;
    }
    return found;
}

const vd_index_kern vd_index_kern_c = { "c", scan };
