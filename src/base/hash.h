/* Hashing: XXH3 of content (the only file that knows xxHash), keys, and a 64-bit mixer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_HASH_H
#define VD_BASE_HASH_H

#include "base/err.h"

typedef struct vd_hash128 {
    uint64_t hi, lo;
} vd_hash128;

vd_hash128 vd_hash_bytes(const void *p, size_t n); /* XXH3-128, seed 0 */
uint64_t vd_hash64(const void *p, size_t n);       /* XXH3-64, seed 0 */

/* 32 lower-case hexadecimal digits, high half first (xxHash's canonical order), and NUL. */
void vd_hash_hex(char out[33], vd_hash128 h);
bool vd_hash_parse(vd_hash128 *out, const char *hex);

/* Streaming, for content larger than memory. */
typedef struct vd_hasher vd_hasher;
vd_status vd_hasher_new(vd_hasher **out, vd_err *err);
void vd_hasher_add(vd_hasher *h, const void *p, size_t n);
vd_hash128 vd_hasher_get(const vd_hasher *h);
void vd_hasher_free(vd_hasher *h);

/* A bijective 64-bit mixer (splitmix64 finaliser). */
static inline uint64_t vd_mix64(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
#endif
