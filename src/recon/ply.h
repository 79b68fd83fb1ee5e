/* Point clouds as PLY, binary little-endian, as viewers and splat trainers read them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_RECON_PLY_H
#define VD_RECON_PLY_H

#include "base/str.h"
#include "recon/model.h"

typedef struct vd_ply_opt {
    bool doubles;        /* positions as double: coordinates far from the origin need it */
    double frustum_size; /* how long the camera pyramids are, in units of the model; 0: none */
} vd_ply_opt;

/* Vertices are the points (x y z red green blue); after them, with frusta, five vertices and four
 * triangles a camera: its centre and the corners of its picture. A camera that does not look along
 * a corner (a fisheye's picture has dark ones) gets its centre for it. `opt` may be NULL: floats
 * and no frusta. Fails with VD_E_IO, VD_E_NOMEM. */
vd_status vd_ply_write(const vd_model *m, const char *path, const vd_ply_opt *opt, vd_err *err);
vd_status vd_ply_emit(vd_str *out, const vd_model *m, const vd_ply_opt *opt, vd_err *err);
#endif
