/* See mask_map.h. SPDX-License-Identifier: Apache-2.0
 *
 * The pixels are walked down the columns, which rows of a map make dear: a strip of columns at a
 * time is turned first, so that each cache line is fetched once. What is found are pieces (number,
 * begin, length); sorting them by number, which keeps their order, makes the runs. */
#include "label/mask_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "label/mask_int.h"

enum {
    STRIP = 16, /* columns: 64 bytes of a row */
    PAD = 16,   /* between columns: a height of 1024 would put them all into one set of the cache */
    FEWEST_SLOTS = 64
};

/* ---- masks of a map ---- */

typedef struct piece {
    uint32_t begin, length;
    int32_t slot;
} piece;

/* Numbers to slots, by open addressing; slots count from 0 as numbers are met. */
typedef struct pieces {
    piece *piece;
    int64_t n, cap;
    int32_t *id;    /* of each slot */
    int64_t *count; /* pieces of each slot */
    int64_t n_slots, cap_id, cap_count;
    int32_t *table; /* slot + 1; 0: free */
    int64_t n_table;
} pieces;

static void reset(pieces *p) {
    vd_mem_free(p->piece);
    vd_mem_free(p->id);
    vd_mem_free(p->count);
    vd_mem_free(p->table);
}

static int64_t place(const pieces *p, int32_t id) {
    uint32_t hash = (uint32_t)id * 2654435769u; /* the golden ratio's bits: Knuth, vol. 3, 6.4 */
    int64_t at = (int64_t)(hash ^ hash >> 16) & (p->n_table - 1);
    while (p->table[at] != 0 && p->id[p->table[at] - 1] != id) at = (at + 1) & (p->n_table - 1);
    return at;
}

static vd_status grow_table(pieces *p, vd_err *err) {
    int64_t n = VD_MAX(2 * p->n_table, (int64_t)FEWEST_SLOTS);
    int32_t *table = vd_mem_array((size_t)n, sizeof *table);
    if (table == NULL) return vd_nomem(err);
    vd_mem_free(p->table);
    p->table = table;
    p->n_table = n;
    for (int64_t i = 0; i < p->n_slots; i++) p->table[place(p, p->id[i])] = (int32_t)i + 1;
    return VD_OK;
}

static vd_status slot_of(pieces *p, int32_t id, int32_t *slot, vd_err *err) {
    if (2 * (p->n_slots + 1) > p->n_table) VD_TRY(grow_table(p, err));
    int64_t at = place(p, id);
    if (p->table[at] == 0) {
        VD_TRY(VD_GROW(p->id, p->cap_id, p->n_slots + 1, err));
        VD_TRY(VD_GROW(p->count, p->cap_count, p->n_slots + 1, err));
        p->id[p->n_slots] = id;
        p->count[p->n_slots] = 0;
        p->table[at] = (int32_t)++p->n_slots;
    }
    *slot = p->table[at] - 1;
    return VD_OK;
}

static vd_status add_piece(pieces *p, int32_t id, int64_t begin, int64_t end, vd_err *err) {
    int32_t slot = 0;
    if (p->n == VD_MAP_MAX_PIECES)
        return vd_fail(err, VD_E_LIMIT, "map: more than %d pieces of one number down the columns",
                       VD_MAP_MAX_PIECES);
    VD_TRY(slot_of(p, id, &slot, err));
    VD_TRY(VD_GROW(p->piece, p->cap, p->n + 1, err));
    p->piece[p->n++] = (piece){ (uint32_t)begin, (uint32_t)(end - begin), slot };
    p->count[slot]++;
    return VD_OK;
}

static void turn_strip(int32_t *strip, const int32_t *map, int64_t x, int64_t columns,
                       int64_t height, int64_t width) {
    for (int64_t y = 0; y < height; y++)
        for (int64_t k = 0; k < columns; k++)
            strip[k * (height + PAD) + y] = map[y * width + x + k];
}

/* A piece may go on from one column to the next. */
static vd_status find_pieces(pieces *p, int32_t *strip, const int32_t *map, int64_t height,
                             int64_t width, vd_err *err) {
    int32_t id = map[0];
    int64_t begin = 0;
    for (int64_t x = 0; x < width; x++) {
        const int32_t *column = strip + x % STRIP * (height + PAD);
        if (x % STRIP == 0)
            turn_strip(strip, map, x, VD_MIN(width - x, (int64_t)STRIP), height, width);
        for (int64_t y = 0;;) {
            while (y < height && column[y] == id) y++;
            if (y == height) break;
            VD_TRY(add_piece(p, id, begin, x * height + y, err));
            id = column[y];
            begin = x * height + y;
        }
    }
    return add_piece(p, id, begin, height * width, err);
}

typedef struct rank {
    int32_t id;
    int32_t slot;
} rank;

static int by_id(const void *a, const void *b) {
    int32_t x = ((const rank *)a)->id, y = ((const rank *)b)->id;
    return (x > y) - (x < y);
}

/* Each mask's part of the block: two runs a piece, and one for what follows the last. */
static void lay_out(vd_map_masks *m, pieces *p, const rank *order, int32_t height, int32_t width) {
    uint32_t *at = m->runs;
    for (int64_t i = 0; i < m->n; i++) {
        m->id[i] = order[i].id;
        m->mask[i] = (vd_mask){ height, width, 0, at };
        at += 2 * p->count[order[i].slot] + 1;
        p->count[order[i].slot] = i; /* from now on: where the slot's mask is */
    }
}

static void add_runs(vd_map_masks *m, const pieces *p, int64_t *end) {
    for (int64_t k = 0; k < p->n; k++) {
        const piece *q = &p->piece[k];
        int64_t i = p->count[q->slot];
        vd_mask *mask = &m->mask[i];
        mask->run[mask->n++] = q->begin - (uint32_t)end[i];
        mask->run[mask->n++] = q->length;
        end[i] = (int64_t)q->begin + q->length;
    }
    for (int64_t i = 0; i < m->n; i++) {
        vd_mask *mask = &m->mask[i];
        int64_t left = (int64_t)mask->height * mask->width - end[i];
        if (left > 0) mask->run[mask->n++] = (uint32_t)left;
    }
}

static vd_status make_masks(vd_map_masks *out, pieces *p, int64_t height, int64_t width,
                            vd_err *err) {
    vd_map_masks m = { .n = p->n_slots };
    vd_status st = VD_OK;
    rank *order = vd_mem_array((size_t)m.n, sizeof *order);
    int64_t *end = vd_mem_array((size_t)m.n, sizeof *end);
    m.id = vd_mem_array((size_t)m.n, sizeof *m.id);
    m.mask = vd_mem_array((size_t)m.n, sizeof *m.mask);
    m.runs = vd_mem_array((size_t)(2 * p->n + m.n), sizeof *m.runs);
    if (order == NULL || end == NULL || m.id == NULL || m.mask == NULL || m.runs == NULL)
        VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < m.n; i++) order[i] = (rank){ p->id[i], (int32_t)i };
    qsort(order, (size_t)m.n, sizeof *order, by_id);
    lay_out(&m, p, order, (int32_t)height, (int32_t)width);
    add_runs(&m, p, end);
    *out = m;
    m = (vd_map_masks){ 0 };
done:
    vd_mem_free(order);
    vd_mem_free(end);
    vd_map_masks_reset(&m);
    return st;
}

vd_status vd_map_masks_of(vd_map_masks *out, const int32_t *map, int64_t height, int64_t width,
                          vd_err *err) {
    pieces p = { 0 };
    VD_TRY(vd_mask__check_size("map", height, width, err));
    int64_t columns = VD_MIN(width, (int64_t)STRIP);
    int32_t *strip = vd_mem_array((size_t)(columns * (height + PAD)), sizeof *strip);
    vd_status st = strip != NULL ? find_pieces(&p, strip, map, height, width, err) : vd_nomem(err);
    if (st == VD_OK) st = make_masks(out, &p, height, width, err);
    vd_mem_free(strip);
    reset(&p);
    return st;
}

void vd_map_masks_reset(vd_map_masks *m) {
    vd_mem_free(m->id);
    vd_mem_free(m->mask);
    vd_mem_free(m->runs);
    *m = (vd_map_masks){ 0 };
}

const vd_mask *vd_map_masks_find(const vd_map_masks *m, int32_t id) {
    int64_t low = 0, high = m->n;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (m->id[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n && m->id[low] == id ? &m->mask[low] : NULL;
}

/* ---- a map of masks ---- */

vd_status vd_map_canvas_clear(vd_map_canvas *c, int64_t height, int64_t width, vd_err *err) {
    VD_TRY(vd_mask__check_size("map", height, width, err));
    VD_TRY(VD_GROW(c->id, c->cap, height * width, err));
    memset(c->id, 0, (size_t)(height * width) * sizeof *c->id);
    c->height = (int32_t)height;
    c->width = (int32_t)width;
    return VD_OK;
}

void vd_map_canvas_reset(vd_map_canvas *c) {
    vd_mem_free(c->id);
    *c = (vd_map_canvas){ 0 };
}

int64_t vd_map_canvas_paint(vd_map_canvas *c, const vd_mask *m, int32_t id) {
    int64_t covered = 0;
    int32_t *at = c->id;
    for (int64_t i = 0; i < m->n; at += m->run[i++]) {
        if (i % 2 == 0) continue;
        for (int64_t k = 0; k < m->run[i]; k++) {
            covered += at[k] != 0;
            at[k] = id;
        }
    }
    return covered;
}

static void put(uint8_t *to, int32_t id, int bytes) {
    uint16_t two = (uint16_t)id;
    if (bytes == 2) {
        memcpy(to, &two, sizeof two);
        return;
    }
    for (int k = 0; k < bytes; k++) to[k] = (uint8_t)((uint32_t)id >> (8 * k));
}

void vd_map_canvas_rows(const vd_map_canvas *c, void *out, ptrdiff_t stride, int bytes) {
    for (int64_t x = 0; x < c->width; x += STRIP) {
        int64_t end = VD_MIN(x + STRIP, (int64_t)c->width);
        for (int64_t y = 0; y < c->height; y++)
            for (int64_t k = x; k < end; k++)
                put((uint8_t *)out + y * stride + k * bytes, c->id[k * c->height + y], bytes);
    }
}

/* ---- objects ---- */

/* Background and foreground change places: a run of 0 comes in front, or goes. */
static vd_status complement(vd_mask *m, vd_err *err) {
    uint32_t *run = vd_mem_array((size_t)m->n + 1, sizeof *run);
    if (run == NULL) return vd_nomem(err);
    bool drop = m->run[0] == 0 && m->n > 1;
    if (drop)
        memcpy(run, m->run + 1, (size_t)(m->n - 1) * sizeof *run);
    else
        memcpy(run + 1, m->run, (size_t)m->n * sizeof *run);
    vd_mem_free(m->run);
    m->run = run;
    m->n += drop ? -1 : 1;
    return VD_OK;
}

/* *sum becomes its union with `part`, or what of it is outside of `part`. */
static vd_status combine(vd_mask *sum, vd_mask *part, bool hole, vd_err *err) {
    vd_mask both = { 0 };
    if (hole) VD_TRY(complement(part, err));
    const vd_mask m[2] = { *sum, *part };
    VD_TRY(vd_mask_merge(&both, m, 2, hole, err));
    vd_mask_reset(sum);
    *sum = both;
    return VD_OK;
}

static vd_status fill(vd_mask *out, const vd_label_object *o, int64_t height, int64_t width,
                      vd_err *err) {
    const double *xy = o->xy;
    vd_mask sum = { 0 }, part = { 0 };
    vd_status st = VD_OK;
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        vd_mask_reset(&part);
        VD_GO(vd_mask_from_polygon(&part, "polygon", xy, n, height, width, err));
        xy += 2 * n;
        if (sum.n > 0) {
            VD_GO(combine(&sum, &part, o->ring[i] < 0, err));
        } else if (o->ring[i] > 0) {
            sum = part;
            part = (vd_mask){ 0 };
        }
    }
    *out = sum;
    sum = (vd_mask){ 0 };
done:
    vd_mask_reset(&part);
    vd_mask_reset(&sum);
    return st;
}

vd_status vd_label_object_mask(vd_mask *out, bool *has, const vd_label_object *o, int64_t height,
                               int64_t width, vd_err *err) {
    bool own = o->has & VD_OBJ_MASK && o->mask_height == height && o->mask_width == width;
    *out = (vd_mask){ 0 };
    *has = false;
    if (own) {
        uint32_t *run = vd_mem_array((size_t)o->n_runs, sizeof *run);
        if (run == NULL) return vd_nomem(err);
        memcpy(run, o->runs, (size_t)o->n_runs * sizeof *run);
        *out = (vd_mask){ o->mask_height, o->mask_width, o->n_runs, run };
    } else if (!(o->has & VD_OBJ_MASK) && o->has & VD_OBJ_POLYGON) {
        VD_TRY(fill(out, o, height, width, err));
    }
    *has = out->n > 0;
    return VD_OK;
}
