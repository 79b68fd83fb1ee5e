/* Memory that is given back all at once. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_ARENA_H
#define VD_BASE_ARENA_H

#include "base/err.h"

/* A zeroed arena is empty and valid. Blocks are 16-byte aligned and live until clear or reset. */
typedef struct vd_arena {
    struct vd_arena_block *blocks;
    size_t used; /* bytes handed out since the last clear */
} vd_arena;

void *vd_arena_alloc(vd_arena *a, size_t size); /* NULL when memory is refused */
void *vd_arena_dup(vd_arena *a, const void *p, size_t n);
char *vd_arena_text(vd_arena *a, const char *s);
void vd_arena_clear(vd_arena *a); /* keeps one block for reuse */
void vd_arena_reset(vd_arena *a);
#endif
