/* The world: built out of a seed, then given its sun and the grids that tell which objects may
 * shade a place. SPDX-License-Identifier: Apache-2.0 */
#include "synth/scene.h"

#include "base/mem.h"
#include "synth/town.h"
#include "synth/yard.h"

static const double CELL_M = 0.5;

const char *vd_category_name(vd_category c) {
    static const char *const name[VD_N_CATEGORIES] = { "box",     "sphere", "cylinder", "cone",
                                                       "pyramid", "prism",  "boulder",  "wall" };
    return name[c];
}

const char *vd_thing_name(vd_thing t) {
    static const char *const name[VD_N_THINGS] = { "house",  "roof",    "crate",  "container",
                                                   "column", "barrel",  "tower",  "ball",
                                                   "cone",   "pyramid", "plinth", "boulder",
                                                   "wall" };
    return name[t];
}

static void set_sun(vd_scene *s) {
    const double azimuth = s->arc_mid_rad + 0.95,
                 height = 0.72; /* over the shoulder, 41 degrees up */
    s->sun =
        vd_v3(vd_cos(height) * vd_cos(azimuth), vd_cos(height) * vd_sin(azimuth), vd_sin(height));
    s->sun_u = vd_v3_unit(vd_v3_cross(vd_v3(0, 0, 1), s->sun));
    s->sun_v = vd_v3_cross(s->sun, s->sun_u);
    s->sun_tan = 0.018; /* about four times the real one: a sun behind thin haze */
    for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) {
        /* Vogel's spiral: equal areas, the golden angle; outermost first */
        const int j = VD_SCENE_SUN_RAYS - 1 - k;
        double r = s->sun_tan * sqrt((j + 0.5) / VD_SCENE_SUN_RAYS), a = 2.399963229728653 * j;
        s->sun_ray[k] = vd_v3_add(s->sun, vd_v3_add(vd_v3_mul(s->sun_u, r * vd_cos(a)),
                                                    vd_v3_mul(s->sun_v, r * vd_sin(a))));
    }
}

static vd_status fill_grids(vd_scene *s, vd_err *err) {
    vd_status st = VD_OK;
    vd_disc *disc = vd_mem_array((size_t)s->n_objects, sizeof *disc);
    if (disc == NULL) return vd_nomem(err);
    for (int i = 0; i < s->n_objects; i++) {
        const vd_object *b = &s->object[i];
        const double penumbra = s->sun_tan * 4 * (b->centre.z + b->radius);
        disc[i] = (vd_disc){ vd_v3_dot(b->centre, s->sun_u), vd_v3_dot(b->centre, s->sun_v),
                             b->radius + penumbra };
    }
    VD_GO(vd_cells_init(&s->shade, disc, s->n_objects, CELL_M, err));
    for (int i = 0; i < s->n_objects; i++) {
        const vd_object *b = &s->object[i];
        disc[i] = (vd_disc){ b->centre.x, b->centre.y, VD_SCENE_NEAR_RADII * b->radius };
    }
    VD_GO(vd_cells_init(&s->near, disc, s->n_objects, CELL_M, err));
done:
    vd_mem_free(disc);
    return st;
}

vd_status vd_scene_init(vd_scene *s, vd_world world, int64_t views, uint64_t seed, vd_err *err) {
    vd_status st = VD_OK;
    *s = (vd_scene){ .n_objects = 0 };
    if (world == VD_WORLD_AUTO) world = views > VD_SYNTH_YARD_VIEWS ? VD_WORLD_TOWN : VD_WORLD_YARD;
    if (world == VD_WORLD_TOWN) {
        VD_GO(vd_route_init(&s->route, views, err));
        VD_GO(VD_GROW(s->object, s->cap, vd_town_objects(s->route.side), err));
        vd_town_build(s, seed);
    } else {
        VD_GO(VD_GROW(s->object, s->cap, VD_YARD_OBJECTS, err));
        vd_yard_build(s, seed);
    }
    for (int i = 0; i < s->n_objects; i++) vd_solid_finish(&s->object[i]);
    vd_noise_init(&s->noise, seed);
    set_sun(s);
    VD_GO(fill_grids(s, err));
done:
    if (st != VD_OK) vd_scene_reset(s);
    return st;
}

void vd_scene_reset(vd_scene *s) {
    vd_route_reset(&s->route);
    vd_mem_free(s->object);
    vd_cells_reset(&s->shade);
    vd_cells_reset(&s->near);
    *s = (vd_scene){ .n_objects = 0 };
}
