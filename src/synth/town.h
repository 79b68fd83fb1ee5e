/* A town of square plots between streets. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_TOWN_H
#define VD_SYNTH_TOWN_H

#include "synth/scene.h"

/* The most objects of a town of `side` x `side` plots. */
int64_t vd_town_objects(int32_t side);

/* Fills a scene that has its route, and room for these objects. */
void vd_town_build(vd_scene *s, uint64_t seed);
#endif
