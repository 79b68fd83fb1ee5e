/* A cursor over the bytes of a binary file, little-endian. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_RECON_BYTES_H
#define VD_RECON_BYTES_H

#include <string.h>

#include "base/str.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are copied between files and memory, and the files are little-endian"
#endif

typedef struct vd_bytes {
    const char *name; /* of the file, for messages */
    const char *data;
    int64_t size, at;
} vd_bytes;

static inline vd_status vd_bytes_get(vd_bytes *b, void *to, int64_t n, const char *what,
                                     vd_err *err) {
    if (n > b->size - b->at)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: the file ends in %s, which takes %lld",
                       b->name, (long long)b->at, what, (long long)n);
    memcpy(to, b->data + b->at, (size_t)n);
    b->at += n;
    return VD_OK;
}

/* A count of things of at least `each` bytes: there must be room for them in the file. */
static inline vd_status vd_bytes_count(vd_bytes *b, int64_t *out, int64_t each, const char *what,
                                       vd_err *err) {
    uint64_t n = 0;
    VD_TRY(vd_bytes_get(b, &n, sizeof n, what, err));
    if (n > (uint64_t)((b->size - b->at) / each))
        return vd_fail(err, VD_E_FORMAT,
                       "%s: byte %lld: %llu %s, the %lld bytes that follow have room for %lld",
                       b->name, (long long)b->at - 8, (unsigned long long)n, what,
                       (long long)(b->size - b->at), (long long)((b->size - b->at) / each));
    *out = (int64_t)n;
    return VD_OK;
}

static inline vd_status vd_bytes_end(const vd_bytes *b, vd_err *err) {
    if (b->at == b->size) return VD_OK;
    return vd_fail(err, VD_E_FORMAT, "%s: %lld bytes after what it says it holds", b->name,
                   (long long)(b->size - b->at));
}

static inline void vd_bytes_put(vd_str *s, const void *p, size_t n) {
    vd_str_addn(s, p, (int64_t)n);
}
static inline void vd_bytes_put_u32(vd_str *s, int64_t v) {
    uint32_t u = (uint32_t)v;
    vd_bytes_put(s, &u, sizeof u);
}
static inline void vd_bytes_put_u64(vd_str *s, int64_t v) {
    vd_bytes_put(s, &v, sizeof v);
}
#endif
