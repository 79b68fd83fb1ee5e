/* Counting values by a hash map. SPDX-License-Identifier: Apache-2.0 */
#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void vd_tally_reset(vd_tally *t) {
    vd_mem_free(t->rows);
    vd_mem_free(t->key);
    vd_map_free(t->index);
    vd_arena_reset(&t->arena);
    *t = (vd_tally){ 0 };
}

/* Adds a row for a key that is not there yet. */
static vd_status append(vd_tally *t, const void *key, size_t n, const vd_tally_row *row,
                        vd_err *err) {
    VD_TRY(VD_GROW(t->rows, t->cap, t->n + 1, err));
    VD_TRY(vd_map_put(t->index, key, n, t->n, err));
    t->last = t->n;
    t->rows[t->n++] = *row;
    return VD_OK;
}

static vd_status find(vd_tally *t, const void *key, size_t n, bool *found, vd_err *err) {
    if (t->index == NULL) VD_TRY(vd_map_new(&t->index, err));
    *found = vd_map_get(t->index, key, n, &t->last);
    return VD_OK;
}

/* The pair as one key: both texts with their ends. */
static vd_status other_text(vd_tally *t, const char *a, const char *b, vd_err *err) {
    bool found = false;
    const size_t n_a = strlen(a) + 1, n_b = strlen(b) + 1, n = n_a + n_b;
    VD_TRY(VD_GROW(t->key, t->key_cap, (int64_t)n, err));
    memcpy(t->key, a, n_a);
    memcpy(t->key + n_a, b, n_b);
    VD_TRY(find(t, t->key, n, &found, err));
    if (found) return VD_OK;
    const char *kept = vd_arena_dup(&t->arena, t->key, n);
    if (kept == NULL) return vd_nomem(err);
    const vd_tally_row row = { .a = kept, .b = kept + n_a };
    return append(t, kept, n, &row, err);
}

vd_status vd_tally_text(vd_tally *t, const char *a, const char *b, int64_t bytes, vd_err *err) {
    const vd_tally_row *last = t->n > 0 ? &t->rows[t->last] : NULL;
    if (last == NULL || strcmp(last->a, a) != 0 || strcmp(last->b, b) != 0)
        VD_TRY(other_text(t, a, b, err));
    t->rows[t->last].n++;
    t->rows[t->last].bytes += bytes;
    return VD_OK;
}

vd_status vd_tally_pair(vd_tally *t, int64_t x, int64_t y, vd_err *err) {
    const int64_t key[] = { x, y };
    const vd_tally_row row = { .x = x, .y = y };
    bool found = t->n > 0 && t->rows[t->last].x == x && t->rows[t->last].y == y;
    if (!found) VD_TRY(find(t, key, sizeof key, &found, err));
    if (!found) VD_TRY(append(t, key, sizeof key, &row, err));
    t->rows[t->last].n++;
    return VD_OK;
}

static int most_first(const void *a, const void *b) {
    const vd_tally_row *p = a, *q = b;
    int by = (p->n < q->n) - (p->n > q->n);
    if (by == 0 && p->a != NULL) by = strcmp(p->a, q->a);
    if (by == 0 && p->b != NULL) by = strcmp(p->b, q->b);
    if (by == 0) by = (p->x > q->x) - (p->x < q->x);
    if (by == 0) by = (p->y > q->y) - (p->y < q->y);
    return by;
}

void vd_tally_sort(vd_tally *t) {
    if (t->n > 0) qsort(t->rows, (size_t)t->n, sizeof *t->rows, most_first);
    vd_map_free(t->index); /* its numbers are those of the old order */
    t->index = NULL;
    t->last = 0;
}
