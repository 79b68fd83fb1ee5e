/* What a decoding process may do at most. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_SERVE_LIMITS_H
#define VD_CODEC_SERVE_LIMITS_H

#include "image/codec.h"

typedef struct vd_serve_limits {
    int64_t base_bytes; /* address space before the first request */
    int64_t set_bytes;  /* the limit that is set now, 0 none */
    int64_t off_bytes;  /* address space when it was taken off */
} vd_serve_limits;

/* No core files, no descriptors but the three of the protocol, no new privileges. */
void vd_serve_confine(vd_serve_limits *l);

/* At most `max_bytes` of address space more than at the start; nothing where a sanitizer needs its
 * shadow memory. */
void vd_serve_memory(vd_serve_limits *l, int64_t max_bytes);

/* Takes that limit off, as far as the system's own allows: true where that one remains. And on
 * again, counted from the address space of that moment. */
bool vd_serve_memory_off(vd_serve_limits *l);
void vd_serve_memory_on(vd_serve_limits *l);

/* Ends this process some time after the limits of `opt`, counted from now, in case the engine that
 * would do it has died; NULL: never. */
void vd_serve_clock(const vd_decode_opt *opt);
#endif
