/* Cells are filled in two passes, one that counts and one that writes, so that all lists lie in one
 * array and each is in the order of the objects. SPDX-License-Identifier: Apache-2.0 */
#include "synth/cells.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static int32_t clamp_cell(double v, int32_t n) {
    return (int32_t)VD_CLAMP(v, 0.0, n - 1.0);
}

/* Calls for each cell of disc `i`: counts it, or writes the object into its list. */
static void mark(vd_cells *c, const vd_disc *d, int32_t i, int32_t *fill) {
    const double k = c->per_step, r = d->radius * k + 0.75; /* half the diagonal of a cell */
    const double x = (d->x - c->x0) * k, y = (d->y - c->y0) * k;
    const int32_t x0 = clamp_cell(floor(x - r), c->nx), x1 = clamp_cell(ceil(x + r), c->nx);
    const int32_t y0 = clamp_cell(floor(y - r), c->ny), y1 = clamp_cell(ceil(y + r), c->ny);
    for (int32_t v = y0; v <= y1; v++)
        for (int32_t u = x0; u <= x1; u++) {
            const double dx = u + 0.5 - x, dy = v + 0.5 - y;
            const int32_t at = v * c->nx + u;
            if (dx * dx + dy * dy > r * r) continue;
            if (fill != NULL)
                c->object[fill[at]++] = i;
            else
                c->start[at + 1]++;
        }
}

static void frame(vd_cells *c, const vd_disc *disc, int32_t n, double step) {
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    for (int32_t i = 0; i < n; i++) {
        x0 = VD_MIN(x0, disc[i].x - disc[i].radius);
        y0 = VD_MIN(y0, disc[i].y - disc[i].radius);
        x1 = VD_MAX(x1, disc[i].x + disc[i].radius);
        y1 = VD_MAX(y1, disc[i].y + disc[i].radius);
    }
    *c = (vd_cells){ .x0 = x0, .y0 = y0, .per_step = 1 / step };
    c->nx = 1 + (int32_t)((x1 - x0) / step);
    c->ny = 1 + (int32_t)((y1 - y0) / step);
}

vd_status vd_cells_init(vd_cells *c, const vd_disc *disc, int32_t n, double step, vd_err *err) {
    vd_status st = VD_OK;
    vd_cells q;
    frame(&q, disc, n, step);
    const size_t cells = (size_t)q.nx * (size_t)q.ny;
    int32_t *fill = vd_mem_array(cells, sizeof *fill);
    q.start = vd_mem_array(cells + 1, sizeof *q.start);
    if (fill == NULL || q.start == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < n; i++) mark(&q, &disc[i], i, NULL);
    for (size_t k = 0; k < cells; k++) q.start[k + 1] += q.start[k];
    q.object = vd_mem_array((size_t)q.start[cells], sizeof *q.object);
    if (q.object == NULL) VD_GO(vd_nomem(err));
    memcpy(fill, q.start, cells * sizeof *fill);
    for (int32_t i = 0; i < n; i++) mark(&q, &disc[i], i, fill);
    *c = q;
    q = (vd_cells){ 0 };
done:
    vd_mem_free(fill);
    vd_cells_reset(&q);
    return st;
}

void vd_cells_reset(vd_cells *c) {
    vd_mem_free(c->start);
    vd_mem_free(c->object);
    *c = (vd_cells){ 0 };
}
