/* Numbers 0, 1, 2, ... for 64-bit keys, in the order in which they first come.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_INDEX_MAP_H
#define VD_EVAL_INDEX_MAP_H

#include "base/err.h"

/* A zeroed one is empty and valid. One writer or many readers. */
typedef struct vd_index_map {
    uint64_t *key; /* [n]: of each number */
    int32_t *slot; /* open addressing: number + 1, 0 where free */
    int64_t n, cap, n_slots;
} vd_index_map;

void vd_index_map_reset(vd_index_map *m);
/* The key's number, a new one if it has none. Fails with VD_E_LIMIT (2^30 keys), VD_E_NOMEM. */
vd_status vd_index_map_of(vd_index_map *m, uint64_t key, int32_t *out, vd_err *err);
#endif
