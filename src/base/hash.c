/* Hashing, over xxHash. SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

struct vd_hasher {
    XXH3_state_t *state;
};

static vd_hash128 from_xxh(XXH128_hash_t h) {
    return (vd_hash128){ h.high64, h.low64 };
}

vd_hash128 vd_hash_bytes(const void *p, size_t n) {
    return from_xxh(XXH3_128bits(p, n));
}
uint64_t vd_hash64(const void *p, size_t n) {
    return XXH3_64bits(p, n);
}

void vd_hash_hex(char out[33], vd_hash128 h) {
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[i] = digit[(h.hi >> (60 - 4 * i)) & 15];
        out[16 + i] = digit[(h.lo >> (60 - 4 * i)) & 15];
    }
    out[32] = '\0';
}

bool vd_hash_parse(vd_hash128 *out, const char *hex) {
    uint64_t half[2] = { 0, 0 };
    for (int i = 0; i < 32; i++) {
        char c = hex[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0) return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)v;
    }
    if (hex[32] != '\0') return false;
    *out = (vd_hash128){ half[0], half[1] };
    return true;
}

vd_status vd_hasher_new(vd_hasher **out, vd_err *err) {
    vd_hasher *h = vd_mem_array(1, sizeof *h);
    if (h == NULL || vd_mem_refused() || (h->state = XXH3_createState()) == NULL) {
        vd_mem_free(h);
        return vd_nomem(err);
    }
    XXH3_128bits_reset(h->state);
    *out = h;
    return VD_OK;
}

void vd_hasher_add(vd_hasher *h, const void *p, size_t n) {
    XXH3_128bits_update(h->state, p, n);
}
vd_hash128 vd_hasher_get(const vd_hasher *h) {
    return from_xxh(XXH3_128bits_digest(h->state));
}

void vd_hasher_free(vd_hasher *h) {
    if (h == NULL) return;
    XXH3_freeState(h->state);
    vd_mem_free(h);
}
