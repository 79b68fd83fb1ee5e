/* Numbers for keys; see index_map.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/index_map.h"

#include "base/hash.h"
#include "base/mem.h"

enum { FIRST_SLOTS = 256, MAX_KEYS = 1 << 30 };

void vd_index_map_reset(vd_index_map *m) {
    vd_mem_free(m->key);
    vd_mem_free(m->slot);
    *m = (vd_index_map){ 0 };
}

/* Where the key is, or could be put. */
static int64_t find(const vd_index_map *m, uint64_t key) {
    uint64_t mask = (uint64_t)m->n_slots - 1, i = vd_mix64(key) & mask;
    while (m->slot[i] != 0 && m->key[m->slot[i] - 1] != key) i = (i + 1) & mask;
    return (int64_t)i;
}

static vd_status grow(vd_index_map *m, vd_err *err) {
    int64_t n_slots = m->n_slots > 0 ? 2 * m->n_slots : FIRST_SLOTS;
    int32_t *slot = vd_mem_array((size_t)n_slots, sizeof *slot);
    if (slot == NULL) return vd_nomem(err);
    vd_mem_free(m->slot);
    m->slot = slot;
    m->n_slots = n_slots;
    for (int64_t i = 0; i < m->n; i++) slot[find(m, m->key[i])] = (int32_t)i + 1;
    return VD_OK;
}

vd_status vd_index_map_of(vd_index_map *m, uint64_t key, int32_t *out, vd_err *err) {
    if (2 * (m->n + 1) > m->n_slots) VD_TRY(grow(m, err));
    int64_t at = find(m, key);
    if (m->slot[at] == 0) {
        if (m->n >= MAX_KEYS) return vd_fail(err, VD_E_LIMIT, "more than %d keys", MAX_KEYS);
        VD_TRY(VD_GROW(m->key, m->cap, m->n + 1, err));
        m->key[m->n++] = key;
        m->slot[at] = (int32_t)m->n;
    }
    *out = m->slot[at] - 1;
    return VD_OK;
}
