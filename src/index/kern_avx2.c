/* The scan with the POPCNT instruction. The first half decides nearly always: unrelated hashes
 * differ in about 64 of its 128 bits. SPDX-License-Identifier: Apache-2.0 */
#include "index/kern.h"

static int scan(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius) {
    uint64_t q0 = query[0], q1 = query[1], q2 = query[2], q3 = query[3];
    int found = 0;
    for (int i = 0; i < n; i++) {
        int d = __builtin_popcountll(base[i][0] ^ q0) + __builtin_popcountll(base[i][1] ^ q1);
        if (d > radius) continue;
        d += __builtin_popcountll(base[i][2] ^ q2) + __builtin_popcountll(base[i][3] ^ q3);
        if (d <= radius) hits[found++] = i;
    }
    return found;
}

const vd_index_kern vd_index_kern_avx2 = { "avx2", scan };
