/* What a decoding process may do at most. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_SERVE_LIMITS_H
#define VD_CODEC_SERVE_LIMITS_H

#include "base/err.h"

typedef struct vd_serve_limits {
    int64_t base_bytes; /* address space before the first request */
    int64_t set_bytes;  /* the limit that is set now, 0 none */
} vd_serve_limits;

/* No core files, no descriptors but the three of the protocol, no new privileges. */
void vd_serve_confine(vd_serve_limits *l);

/* At most `max_bytes` of address space more than at the start; nothing where a sanitizer needs its
 * shadow memory. */
void vd_serve_memory(vd_serve_limits *l, int64_t max_bytes);

/* Ends this process `timeout_s` and some grace from now, in case the engine that would do it has
 * died; 0: never. */
void vd_serve_clock(double timeout_s);
#endif
