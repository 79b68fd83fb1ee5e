/* A hash map: slots of (hash, key offset, value) at load at most 1/2, keys in one growing block, so
 * a million paths cost two allocations. No deletion: nobody needs it. SPDX-License-Identifier:
 * Apache-2.0 */
#include "base/map.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

typedef struct slot {
    uint64_t hash; /* 0 = empty */
    int64_t at, value;
    uint32_t len;
} slot;

struct vd_map {
    slot *slots;
    int64_t n_slots, n_used;
    char *keys;
    int64_t keys_size, keys_cap;
};

vd_status vd_map_new(vd_map **out, vd_err *err) {
    vd_map *m = vd_mem_array(1, sizeof *m);
    if (m == NULL) return vd_nomem(err);
    m->n_slots = 64;
    m->slots = vd_mem_array(64, sizeof *m->slots);
    if (m->slots == NULL) {
        vd_mem_free(m);
        return vd_nomem(err);
    }
    *out = m;
    return VD_OK;
}

void vd_map_free(vd_map *m) {
    if (m == NULL) return;
    vd_mem_free(m->slots);
    vd_mem_free(m->keys);
    vd_mem_free(m);
}

int64_t vd_map_size(const vd_map *m) {
    return m->n_used;
}

static uint64_t hash_of(const void *key, size_t n) {
    uint64_t h = vd_hash64(key, n);
    return h != 0 ? h : 1;
}

/* The slot that holds the key, or the empty one where it would go. */
static slot *find(const vd_map *m, const void *key, size_t n, uint64_t h) {
    int64_t mask = m->n_slots - 1;
    for (int64_t i = (int64_t)(h >> 1) & mask;; i = (i + 1) & mask) {
        slot *s = &m->slots[i];
        if (s->hash == 0) return s;
        if (s->hash == h && s->len == n && memcmp(m->keys + s->at, key, n) == 0) return s;
    }
}

static vd_status widen(vd_map *m, vd_err *err) {
    int64_t n = m->n_slots * 2;
    slot *fresh = vd_mem_array((size_t)n, sizeof *fresh);
    if (fresh == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < m->n_slots; i++) {
        if (m->slots[i].hash == 0) continue;
        int64_t j = (int64_t)(m->slots[i].hash >> 1) & (n - 1);
        while (fresh[j].hash != 0) j = (j + 1) & (n - 1);
        fresh[j] = m->slots[i];
    }
    vd_mem_free(m->slots);
    m->slots = fresh;
    m->n_slots = n;
    return VD_OK;
}

vd_status vd_map_put(vd_map *m, const void *key, size_t n, int64_t value, vd_err *err) {
    if (n > UINT32_MAX) return vd_fail(err, VD_E_LIMIT, "map: key of %zu bytes", n);
    uint64_t h = hash_of(key, n);
    slot *s = find(m, key, n, h);
    if (s->hash != 0) {
        s->value = value;
        return VD_OK;
    }
    /* one more, so that a first key of no bytes has an address too */
    VD_TRY(VD_GROW(m->keys, m->keys_cap, m->keys_size + (int64_t)n + 1, err));
    if ((m->n_used + 1) * 2 > m->n_slots) {
        VD_TRY(widen(m, err));
        s = find(m, key, n, h);
    }
    memcpy(m->keys + m->keys_size, key, n);
    *s = (slot){ h, m->keys_size, value, (uint32_t)n };
    m->keys_size += (int64_t)n;
    m->n_used++;
    return VD_OK;
}

bool vd_map_get(const vd_map *m, const void *key, size_t n, int64_t *value) {
    const slot *s = find(m, key, n, hash_of(key, n));
    if (s->hash == 0) return false;
    *value = s->value;
    return true;
}
