/* A grid over a plane: which objects matter in a cell. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_CELLS_H
#define VD_SYNTH_CELLS_H

#include "base/err.h"

/* Lists of objects, cell by cell in one array. Filled once, then read by any number of threads. */
typedef struct vd_cells {
    double x0, y0, per_step; /* the corner of cell 0, and 1 / the side of a cell */
    int32_t nx, ny;
    int32_t *start; /* nx * ny + 1 entries: where the list of a cell begins in `object` */
    int32_t *object;
} vd_cells;

/* The place that an object has influence on: a disc. */
typedef struct vd_disc {
    double x, y, radius;
} vd_disc;

/* Zeroed is empty; free with vd_cells_reset. Disc i stands for object i; its cells are those that
 * it touches, and perhaps some beside them. Fails with VD_E_NOMEM. */
vd_status vd_cells_init(vd_cells *c, const vd_disc *disc, int32_t n, double step, vd_err *err);
void vd_cells_reset(vd_cells *c);
#endif
