/* Disjoint sets of 0..n-1. SPDX-License-Identifier: Apache-2.0
 *
 * parent[i] = i to begin with. A set's root is its lowest member, so what is joined in which order
 * does not matter. [Tarjan 1975] with paths halved. */
#ifndef VD_BASE_SETS_H
#define VD_BASE_SETS_H

#include <stdbool.h>
#include <stdint.h>

static inline int32_t vd_sets_root(int32_t *parent, int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* Whether they were apart. */
static inline bool vd_sets_join(int32_t *parent, int32_t i, int32_t k) {
    int32_t a = vd_sets_root(parent, i), b = vd_sets_root(parent, k);
    parent[a > b ? a : b] = a > b ? b : a;
    return a != b;
}
#endif
