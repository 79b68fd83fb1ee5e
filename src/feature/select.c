/* Which extrema to keep: those of the largest response times size. SPDX-License-Identifier:
 * Apache-2.0
 *
 * By response alone nearly all would be of the finest scale, which a change of scale, blur or noise
 * takes away; by size alone the well located fine ones would go. Measured by
 * bench/sift_quality.py. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "feature/work.h"

enum { BUCKETS = 1 << 16 }; /* by the upper bits of the strength */

static uint32_t bits_of(float v) {
    uint32_t bits; /* as integers, positive floats keep their order */
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static int stronger_first(const void *a, const void *b) {
    const vd_extremum *p = a, *q = b;
    if (p->strength != q->strength) return p->strength > q->strength ? -1 : 1;
    if (p->octave != q->octave) return p->octave - q->octave;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->sigma > q->sigma) - (p->sigma < q->sigma);
}

/* Drops those that cannot be among the `most` strongest, so that few are sorted. */
static vd_status thin(vd_sift_work *w, int most, vd_err *err) {
    int64_t above = 0, kept = 0;
    int b = BUCKETS;
    int32_t *count = vd_mem_array(BUCKETS, sizeof *count);
    if (count == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < w->n_found; i++) count[bits_of(w->found[i].strength) >> 16]++;
    while (b > 0 && above < most) above += count[--b];
    for (int64_t i = 0; i < w->n_found; i++)
        if (bits_of(w->found[i].strength) >> 16 >= (uint32_t)b) w->found[kept++] = w->found[i];
    w->n_found = kept;
    vd_mem_free(count);
    return VD_OK;
}

vd_status vd_select(vd_sift_work *w, int most, vd_err *err) {
    for (int64_t i = 0; i < w->n_found; i++) {
        vd_extremum *e = &w->found[i];
        e->strength = e->response * e->sigma * (float)w->octave[e->octave].pixel;
    }
    if (w->n_found > most) VD_TRY(thin(w, most, err));
    qsort(w->found, (size_t)w->n_found, sizeof *w->found, stronger_first);
    w->n_found = VD_MIN(w->n_found, most);
    return VD_OK;
}
