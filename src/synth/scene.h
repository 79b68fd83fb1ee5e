/* The world that is rendered: solid objects on a plane, a sun, and cameras.
 * SPDX-License-Identifier: Apache-2.0
 *
 * World axes: x east, y north, z up, metres; the ground is z = 0. */
#ifndef VD_SYNTH_SCENE_H
#define VD_SYNTH_SCENE_H

#include "math/trig.h"
#include "math/vec.h"
#include "synth/cells.h"
#include "synth/noise.h"
#include "synth/route.h"
#include "synth/synth.h"

enum { VD_SCENE_MAX_PLANES = 8, VD_SCENE_SUN_RAYS = 24 };

/* An object is taken as a sphere of this part of its bounding sphere's radius where it keeps the
 * sky's light away, and as none where it is farther than so many of its bounding radii. */
#define VD_SCENE_FILL 0.8
#define VD_SCENE_NEAR_RADII 3.2

typedef enum vd_shape {
    VD_SHAPE_POLY,      /* a convex polyhedron: planes n.x <= d */
    VD_SHAPE_ELLIPSOID, /* half axes `half` */
    VD_SHAPE_FRUSTUM,   /* about local z, |z| <= half.z, radius from half.x below to half.y above */
} vd_shape;

typedef enum vd_material {
    VD_MAT_GROUND,
    VD_MAT_BRICK,
    VD_MAT_WOOD,
    VD_MAT_STONE,
    VD_MAT_MARBLE,
    VD_MAT_RUST,
    VD_MAT_TILES,
    VD_MAT_PLASTER,
    VD_MAT_STRIPES,
} vd_material;

/* COCO categories, in the order of their ids, which start at 1. */
typedef enum vd_category {
    VD_CAT_BOX,
    VD_CAT_SPHERE,
    VD_CAT_CYLINDER,
    VD_CAT_CONE,
    VD_CAT_PYRAMID,
    VD_CAT_PRISM,
    VD_CAT_BOULDER,
    VD_CAT_WALL,
    VD_N_CATEGORIES,
} vd_category;

const char *vd_category_name(vd_category c);

/* What it is to somebody who looks at it: classes of labels, in the order of their ids, which start
 * at 1. */
typedef enum vd_thing {
    VD_THING_HOUSE,
    VD_THING_ROOF,
    VD_THING_CRATE,
    VD_THING_CONTAINER,
    VD_THING_COLUMN,
    VD_THING_BARREL,
    VD_THING_TOWER,
    VD_THING_BALL,
    VD_THING_CONE,
    VD_THING_PYRAMID,
    VD_THING_PLINTH,
    VD_THING_BOULDER,
    VD_THING_WALL,
    VD_N_THINGS,
} vd_thing;

const char *vd_thing_name(vd_thing t);

typedef struct vd_object {
    vd_shape shape;
    vd_category category;
    vd_thing thing;
    vd_material material;
    vd_vec3 centre; /* of the local frame, and of the bounding sphere */
    double axis[9]; /* local = axis * (world - centre): rows are the local axes */
    vd_vec3 half;   /* half sizes; of a polyhedron those of its bounding box */
    double plane[VD_SCENE_MAX_PLANES][4];
    double side[VD_SCENE_MAX_PLANES][3]; /* their normals in the world */
    int n_planes;
    double radius;    /* of the bounding sphere */
    vd_p3f colour[2]; /* linear reflectance */
    uint32_t salt;    /* makes textures of one material differ */
} vd_object;

/* Instance ids in masks: 0 sky, 1 ground, 2 + index of the object. */
enum { VD_ID_SKY = 0, VD_ID_GROUND = 1, VD_ID_FIRST = 2 };

typedef struct vd_scene {
    vd_route route; /* of a town; its side is 0 in the yard */
    vd_object *object;
    int n_objects;
    int64_t cap;                        /* of objects; fixed before the first is added */
    vd_vec3 sun;                        /* unit, towards the sun */
    vd_vec3 sun_u, sun_v;               /* across it */
    double sun_tan;                     /* tangent of its angular radius */
    vd_vec3 sun_ray[VD_SCENE_SUN_RAYS]; /* to places spread evenly over its disc, rim first */
    double arc_mid_rad;                 /* azimuth of the middle camera */
    vd_cells shade, near;               /* what may shade, or darken the surroundings of, a place:
                                           over a plane across the sun, and over the ground */
    vd_noise noise;
} vd_scene;

typedef struct vd_scene_camera {
    int32_t width, height;
    double f_px, cx_px, cy_px, k1, k2;
} vd_scene_camera;

/* A world for `views` views; VD_WORLD_AUTO is decided by them. Zeroed is empty; free with
 * vd_scene_reset. Fails with VD_E_NOMEM. */
vd_status vd_scene_init(vd_scene *s, vd_world world, int64_t views, uint64_t seed, vd_err *err);
void vd_scene_reset(vd_scene *s);

/* The pose (cam_from_world) of view `i` of `n` on the path; `arc_rad` is how far the path goes
 * round a yard. */
vd_rigid vd_scene_view(const vd_scene *s, int64_t i, int64_t n, double arc_rad, uint64_t seed);

/* A pose off the path, for pictures that shall look like none of the path's. */
vd_rigid vd_scene_stray(const vd_scene *s, int64_t i, uint64_t seed);

/* The place of the eye in the world. */
vd_vec3 vd_scene_eye(vd_rigid cam_from_world);

/* A world point to pixels (pixel centres at +0.5); false behind the camera. */
bool vd_scene_project(const vd_scene_camera *c, vd_rigid cam_from_world, vd_vec3 world, double *x,
                      double *y);

/* Pixels to the ideal image plane (z = 1), distortion taken out. */
void vd_scene_unproject(const vd_scene_camera *c, double px, double py, double *x, double *y);
#endif
