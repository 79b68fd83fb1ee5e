/* Things that stand in a yard. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_YARD_H
#define VD_SYNTH_YARD_H

#include "synth/solid.h"

/* One yard while it is filled: things are put on the ring about its middle where they overlap none
 * of the objects from `first` on. */
typedef struct vd_yard {
    vd_scene *s;
    vd_rng *r;
    vd_vec3 middle;
    int first;
    double inner, outer; /* radii of the ring in which things of the next kind stand */
} vd_yard;

/* The most objects that one call of each adds is `n`, but for crates, which may carry one each. */
void vd_yard_house(vd_yard *y, vd_material m, vd_vec3 at, double yaw_rad, vd_vec3 half);
void vd_yard_crates(vd_yard *y, int n, int n_stacked);
void vd_yard_columns(vd_yard *y, int n);
void vd_yard_barrels(vd_yard *y, int n);
void vd_yard_balls(vd_yard *y, int n);
void vd_yard_cones(vd_yard *y, int n);
void vd_yard_pyramid(vd_yard *y);
void vd_yard_prism(vd_yard *y);
void vd_yard_boulders(vd_yard *y, int n);

/* The whole world of one yard: things in the middle, walls and towers around it. */
enum { VD_YARD_OBJECTS = 64 };
void vd_yard_build(vd_scene *s, uint64_t seed);
#endif
