/* Makes the objects of a scene. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_SOLID_H
#define VD_SYNTH_SOLID_H

#include "base/rng.h"
#include "synth/scene.h"

/* Appends an object of the category's shape, upright at the origin, not painted, and the thing that
 * this shape usually is; the scene has room for it (scene.h, `cap`). */
vd_object *vd_solid_add(vd_scene *s, vd_category c, vd_vec3 half);

/* Makes a roof of it: the ridge runs along x. */
void vd_solid_roof(vd_object *b);

/* Turns it by `yaw_rad` about z, then by `tilt_rad` about its own x. */
void vd_solid_orient(vd_object *b, double yaw_rad, double tilt_rad);

void vd_solid_paint(vd_object *b, vd_material m, vd_rng *r);

/* What depends on everything above: once, when the object is done. */
void vd_solid_finish(vd_object *b);

/* The radius of the disc on the ground that it stands on. */
double vd_solid_foot(const vd_object *b);
#endif
