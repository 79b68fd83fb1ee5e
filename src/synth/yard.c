/* A yard: a house, columns, crates, balls, cones, pyramids, prisms and boulders, and around them
 * walls and towers as a background with parallax. Places are drawn until a thing overlaps none that
 * is there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/yard.h"

static const double PI = 3.14159265358979323846;
enum { STREAM_SCENE = 0x7363656e };

/* A place for the last object in the ring where a disc of `radius` overlaps nothing; after many
 * tries the last one drawn is taken. */
static void place(vd_yard *y, double radius) {
    vd_scene *s = y->s;
    vd_object *b = &s->object[s->n_objects - 1];
    const double r0 = y->inner, r1 = y->outer;
    for (int tries = 0; tries < 400; tries++) {
        double a = vd_rng_range(y->r, 0, 2 * PI), d = sqrt(vd_rng_range(y->r, r0 * r0, r1 * r1));
        b->centre = vd_v3(y->middle.x + d * vd_cos(a), y->middle.y + d * vd_sin(a), b->half.z);
        bool free_here = true;
        for (int i = y->first; i < s->n_objects - 1 && free_here; i++) {
            const vd_object *c = &s->object[i];
            double dx = c->centre.x - b->centre.x, dy = c->centre.y - b->centre.y;
            free_here = sqrt(dx * dx + dy * dy) > (vd_solid_foot(c) + radius) * 1.02 + 0.05;
        }
        if (free_here) return;
    }
}

static vd_object *thing(vd_yard *y, vd_category c, vd_vec3 half, vd_material m) {
    vd_object *b = vd_solid_add(y->s, c, half);
    vd_solid_orient(b, vd_rng_range(y->r, 0, PI), 0);
    vd_solid_paint(b, m, y->r);
    return b;
}

void vd_yard_house(vd_yard *y, vd_material m, vd_vec3 at, double yaw_rad, vd_vec3 half) {
    vd_object *walls = vd_solid_add(y->s, VD_CAT_BOX, half);
    walls->thing = VD_THING_HOUSE;
    walls->centre = at;
    vd_solid_orient(walls, yaw_rad, 0);
    vd_solid_paint(walls, m, y->r);
    const double height = 0.45 * half.y / 0.875; /* as steep on every house */
    vd_object *roof = vd_solid_add(y->s, VD_CAT_PRISM, vd_v3(half.x + 0.15, half.y + 0.2, height));
    roof->thing = VD_THING_ROOF;
    vd_solid_roof(roof);
    roof->centre = vd_v3(at.x, at.y, 2 * half.z + height);
    vd_solid_orient(roof, yaw_rad, 0);
    vd_solid_paint(roof, VD_MAT_TILES, y->r);
}

void vd_yard_crates(vd_yard *y, int n, int n_stacked) {
    for (int i = 0; i < n; i++) {
        double h = vd_rng_range(y->r, 0.28, 0.45);
        vd_vec3 half = vd_v3(h * vd_rng_range(y->r, 0.9, 1.3), h, h);
        vd_object *b = thing(y, VD_CAT_BOX, half, VD_MAT_WOOD);
        place(y, 1.4 * h);
        if (i >= n_stacked) continue;
        vd_vec3 below = b->centre; /* a smaller one on top */
        double k = h * vd_rng_range(y->r, 0.55, 0.75);
        vd_object *top = thing(y, VD_CAT_BOX, vd_v3(k, k, k), i == 0 ? VD_MAT_RUST : VD_MAT_WOOD);
        top->centre = vd_v3(below.x + 0.08, below.y - 0.05, 2 * h + k);
    }
}

void vd_yard_columns(vd_yard *y, int n) {
    for (int i = 0; i < n; i++) {
        double w = vd_rng_range(y->r, 0.18, 0.26), h = vd_rng_range(y->r, 0.9, 1.5);
        thing(y, VD_CAT_CYLINDER, vd_v3(w, w * 0.85, h), i == 1 ? VD_MAT_PLASTER : VD_MAT_MARBLE);
        place(y, w);
    }
}

void vd_yard_barrels(vd_yard *y, int n) {
    for (int i = 0; i < n; i++) {
        double w = vd_rng_range(y->r, 0.28, 0.36);
        thing(y, VD_CAT_CYLINDER, vd_v3(w, w, w * 1.4), VD_MAT_RUST)->thing = VD_THING_BARREL;
        place(y, w);
    }
}

void vd_yard_balls(vd_yard *y, int n) {
    static const vd_material m[] = { VD_MAT_MARBLE, VD_MAT_STRIPES, VD_MAT_STONE };
    for (int i = 0; i < n; i++) {
        double w = vd_rng_range(y->r, 0.3, 0.6);
        vd_object *b = vd_solid_add(y->s, VD_CAT_SPHERE, vd_v3(w, w, w));
        const double yaw = vd_rng_range(y->r, 0, PI), tilt = vd_rng_range(y->r, 0, PI);
        vd_solid_orient(b, yaw, tilt);
        vd_solid_paint(b, m[i % 3], y->r);
        place(y, w);
    }
}

void vd_yard_cones(vd_yard *y, int n) {
    for (int i = 0; i < n; i++) {
        double w = vd_rng_range(y->r, 0.16, 0.22);
        thing(y, VD_CAT_CONE, vd_v3(w, 0.03, w * 1.7), VD_MAT_STRIPES);
        place(y, w);
    }
}

void vd_yard_pyramid(vd_yard *y) {
    thing(y, VD_CAT_PYRAMID, vd_v3(0.6, 0.6, 0.42), VD_MAT_STONE);
    place(y, 0.85);
}

void vd_yard_prism(vd_yard *y) {
    vd_vec3 half = vd_v3(0.4, 0.4, vd_rng_range(y->r, 0.3, 0.6));
    thing(y, VD_CAT_PRISM, half, VD_MAT_PLASTER);
    place(y, 0.5);
}

void vd_yard_boulders(vd_yard *y, int n) {
    for (int i = 0; i < n; i++) {
        double w = vd_rng_range(y->r, 0.2, 0.5), long_ = vd_rng_range(y->r, 0.9, 1.5);
        vd_vec3 half = vd_v3(w * long_, w, w * vd_rng_range(y->r, 0.55, 0.8));
        vd_object *b = thing(y, VD_CAT_BOULDER, half, VD_MAT_STONE);
        place(y, half.x);
        b->centre.z = half.z * 0.6; /* sunk into the ground */
    }
}

/* Walls and towers all around, beyond the cameras. */
static void add_background(vd_yard *y) {
    static const vd_material m[] = { VD_MAT_BRICK, VD_MAT_PLASTER, VD_MAT_STONE };
    vd_rng *r = y->r;
    for (int i = 0; i < 16; i++) {
        double a = 2 * PI * (i + vd_rng_range(r, 0.1, 0.9)) / 16, d = vd_rng_range(r, 15, 26);
        bool tower = i % 4 == 2;
        double h = tower ? vd_rng_range(r, 2.5, 4.5) : vd_rng_range(r, 1.0, 2.6);
        double w = tower ? vd_rng_range(r, 0.9, 1.5) : vd_rng_range(r, 1.6, 4.2);
        vd_vec3 half = tower ? vd_v3(w, w * 0.8, h) : vd_v3(w, vd_rng_range(r, 0.6, 2.5), h);
        vd_object *b = vd_solid_add(y->s, tower ? VD_CAT_CYLINDER : VD_CAT_WALL, half);
        if (tower) b->thing = VD_THING_TOWER;
        b->centre = vd_v3(d * vd_cos(a), d * vd_sin(a), h);
        vd_solid_orient(b, a + PI / 2 + vd_rng_range(r, -0.4, 0.4), 0);
        vd_solid_paint(b, m[vd_rng_int(r, 3)], r);
    }
}

static void ring(vd_yard *y, double inner, double outer) {
    y->inner = inner;
    y->outer = outer;
}

void vd_yard_build(vd_scene *s, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, STREAM_SCENE, 0);
    vd_yard y = { .s = s, .r = &r };
    s->arc_mid_rad = vd_rng_range(&r, 0, 2 * PI);
    double yaw = vd_rng_range(&r, 0, PI);
    vd_vec3 half = vd_v3(0, 0, 0.85);
    half.x = vd_rng_range(&r, 1.0, 1.25);
    half.y = vd_rng_range(&r, 0.8, 0.95);
    double at = s->arc_mid_rad + PI + vd_rng_range(&r, -0.4, 0.4); /* behind the middle */
    vd_yard_house(&y, VD_MAT_BRICK, vd_v3(1.3 * vd_cos(at), 1.3 * vd_sin(at), 0.85), yaw, half);
    ring(&y, 1.2, 4.2);
    vd_yard_crates(&y, 4, 2);
    ring(&y, 1.8, 4.2);
    vd_yard_columns(&y, 3);
    ring(&y, 1.5, 4.4);
    vd_yard_barrels(&y, 2);
    ring(&y, 1.5, 4.2);
    vd_yard_balls(&y, 3);
    ring(&y, 1.5, 4.8);
    vd_yard_cones(&y, 3);
    ring(&y, 1.8, 4.2);
    vd_yard_pyramid(&y);
    vd_yard_prism(&y);
    ring(&y, 1.5, 4.4);
    vd_yard_boulders(&y, 3);
    ring(&y, 1.5, 5.4);
    vd_yard_boulders(&y, 2);
    add_background(&y);
}
