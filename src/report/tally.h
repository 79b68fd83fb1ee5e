/* How often each value of something occurs: formats, cameras, sizes. GROUP BY would sort a million
 * rows to find a handful of values. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_REPORT_TALLY_H
#define VD_REPORT_TALLY_H

#include "base/arena.h"
#include "base/map.h"

/* The key is a pair of texts or a pair of numbers; a tally has one sort only. */
typedef struct vd_tally_row {
    const char *a, *b; /* borrowed from the tally; NULL in one of numbers */
    int64_t x, y;
    int64_t n, bytes;
} vd_tally_row;

/* A zeroed tally is empty and valid. Memory grows with the number of different keys. */
typedef struct vd_tally {
    vd_tally_row *rows;
    int64_t n, cap, last; /* the row that was counted last: neighbours are often alike */
    vd_map *index;
    char *key; /* scratch */
    int64_t key_cap;
    vd_arena arena;
} vd_tally;

void vd_tally_reset(vd_tally *t);
/* Texts are copied when they are new, never NULL. */
vd_status vd_tally_text(vd_tally *t, const char *a, const char *b, int64_t bytes, vd_err *err);
vd_status vd_tally_pair(vd_tally *t, int64_t x, int64_t y, vd_err *err);

/* The most frequent first, equal ones by key. Nothing is counted afterwards. */
void vd_tally_sort(vd_tally *t);
#endif
