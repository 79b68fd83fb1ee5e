/* Which extrema to keep: the strongest. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "feature/work.h"

static int stronger_first(const void *a, const void *b) {
    const vd_extremum *p = a, *q = b;
    if (p->response != q->response) return p->response > q->response ? -1 : 1;
    if (p->octave != q->octave) return p->octave - q->octave;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->sigma > q->sigma) - (p->sigma < q->sigma);
}

vd_status vd_select(vd_sift_work *w, const vd_sift_input *in, int most, vd_err *err) {
    (void)in;
    (void)err;
    qsort(w->found, (size_t)w->n_found, sizeof *w->found, stronger_first);
    w->n_found = VD_MIN(w->n_found, most);
    return VD_OK;
}
