/* Rays against the scene. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_TRACE_H
#define VD_SYNTH_TRACE_H

#include "synth/scene.h"

typedef struct vd_hit {
    double t;        /* place = origin + t * direction */
    int id;          /* an instance id, VD_ID_SKY if nothing was met */
    int face;        /* of a polyhedron, or 0 side, 1 bottom, 2 top of a frustum */
    vd_vec3 normal;  /* unit, in the world, outwards */
    vd_vec3 local;   /* the place in the object's frame */
    vd_vec3 local_n; /* the normal there */
} vd_hit;

/* The first thing that a ray from `o` along `d` (any length) meets among the ground and the objects
 * in the bit set `mask`. */
vd_hit vd_trace(const vd_scene *s, vd_vec3 o, vd_vec3 d, uint64_t mask);

/* The objects that rays within `angle_rad` of the unit vector `axis` may meet. */
uint64_t vd_trace_cone(const vd_scene *s, vd_vec3 o, vd_vec3 axis, double angle_rad);

/* The part of the sun's disc, 0..1, that is seen from `p` on the surface of instance `id`, which
 * must face the sun. */
double vd_trace_sun(const vd_scene *s, vd_vec3 p, vd_vec3 normal, int id);

/* How much of the sky's light arrives at `p`, 0..1: objects are taken as spheres (solid angle of
 * each, after Inigo Quilez, "sphere ambient occlusion"). */
double vd_trace_ambient(const vd_scene *s, vd_vec3 p, vd_vec3 normal, int id);
#endif
