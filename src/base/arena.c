/* Arena: a list of blocks, the newest first; a request that does not fit opens a block twice as
 * large. SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <string.h>

#include "base/mem.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct vd_arena_block {
    struct vd_arena_block *next;
    size_t size, used;
    _Alignas(16) unsigned char data[];
};

void *vd_arena_alloc(vd_arena *a, size_t size) {
    size = (size + 15) & ~(size_t)15;
    struct vd_arena_block *b = a->blocks;
    if (b == NULL || b->size - b->used < size) {
        size_t want = b == NULL ? FIRST_BLOCK : VD_MIN(b->size * 2, LARGEST_BLOCK);
        if (want < size) want = size;
        struct vd_arena_block *fresh = vd_mem_alloc(sizeof *fresh + want);
        if (fresh == NULL) return NULL;
        *fresh = (struct vd_arena_block){ .next = b, .size = want };
        a->blocks = b = fresh;
    }
    void *p = b->data + b->used;
    b->used += size;
    a->used += size;
    return p;
}

void *vd_arena_dup(vd_arena *a, const void *p, size_t n) {
    void *copy = vd_arena_alloc(a, n > 0 ? n : 1);
    if (copy != NULL && n > 0) memcpy(copy, p, n);
    return copy;
}

char *vd_arena_text(vd_arena *a, const char *s) {
    return vd_arena_dup(a, s, strlen(s) + 1);
}

void vd_arena_clear(vd_arena *a) {
    if (a->blocks == NULL) return;
    for (struct vd_arena_block *b = a->blocks->next, *next; b != NULL; b = next) {
        next = b->next;
        vd_mem_free(b);
    }
    a->blocks->next = NULL; /* the newest block is the largest */
    a->blocks->used = 0;
    a->used = 0;
}

void vd_arena_reset(vd_arena *a) {
    for (struct vd_arena_block *b = a->blocks, *next; b != NULL; b = next) {
        next = b->next;
        vd_mem_free(b);
    }
    *a = (vd_arena){ 0 };
}
