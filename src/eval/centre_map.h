/* The similarity that maps points onto points. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_CENTRE_MAP_H
#define VD_EVAL_CENTRE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "math/vec.h"

typedef struct vd_centre_map {
    double scale, r[9];
    vd_vec3 t;
    bool rotation_known; /* false: the points stand in a line, any turn about it fits as well */
} vd_centre_map;

/* Minimises sum |b - (scale r a + t)|^2 over rotations (no mirrors), scales and translations. False
 * where all points of one side are the same. */
bool vd_centre_map_fit(vd_centre_map *out, const vd_vec3 *a, const vd_vec3 *b, int64_t n);
#endif
