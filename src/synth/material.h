/* What surfaces look like. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_MATERIAL_H
#define VD_SYNTH_MATERIAL_H

#include "synth/trace.h"

/* Linear RGB reflectance at a hit (not of the sky) seen with pixels of `width` metres. */
vd_p3f vd_material_at(const vd_scene *s, const vd_hit *hit, float width);

/* The shade of its relief: about 1, more where small slopes face the sun. */
float vd_material_relief(const vd_scene *s, const vd_hit *hit, float width);

/* Linear RGB radiance of the sky in the unit direction `d`. */
vd_p3f vd_material_sky(const vd_scene *s, vd_vec3 d);
#endif
