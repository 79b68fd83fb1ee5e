/* Builds the world out of a seed: a house, columns, crates, balls, cones, pyramids, prisms and
 * boulders on a yard, with walls and towers standing around it as a background with parallax.
 * Places are drawn until an object overlaps none that is there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/scene.h"

#include "base/rng.h"

static const double PI = 3.14159265358979323846;
enum { STREAM_SCENE = 0x7363656e };

const char *vd_category_name(vd_category c) {
    static const char *const name[VD_N_CATEGORIES] = { "box",     "sphere", "cylinder", "cone",
                                                       "pyramid", "prism",  "boulder",  "wall" };
    return name[c];
}

static vd_p3f rgb(double r, double g, double b) {
    return (vd_p3f){ (float)r, (float)g, (float)b };
}

/* Linear reflectances, two of them to a material: the texture moves between them. */
static void paint(vd_object *b, vd_material m, vd_rng *r) {
    static const double pair[][6] = {
        [VD_MAT_GROUND] = { 0, 0, 0, 0, 0, 0 },
        [VD_MAT_BRICK] = { 0.38, 0.13, 0.08, 0.52, 0.24, 0.15 },
        [VD_MAT_WOOD] = { 0.42, 0.26, 0.13, 0.22, 0.12, 0.055 },
        [VD_MAT_STONE] = { 0.42, 0.40, 0.36, 0.22, 0.21, 0.20 },
        [VD_MAT_MARBLE] = { 0.72, 0.69, 0.63, 0.14, 0.16, 0.17 },
        [VD_MAT_RUST] = { 0.10, 0.26, 0.34, 0.30, 0.11, 0.04 },
        [VD_MAT_TILES] = { 0.44, 0.15, 0.09, 0.27, 0.08, 0.05 },
        [VD_MAT_PLASTER] = { 0.62, 0.55, 0.42, 0.40, 0.33, 0.24 },
        [VD_MAT_STRIPES] = { 0.80, 0.24, 0.04, 0.75, 0.74, 0.70 },
    };
    double c[6];
    double light = vd_rng_range(r, 0.85, 1.15), warm = vd_rng_range(r, -0.08, 0.08);
    for (int i = 0; i < 6; i++)
        c[i] = pair[m][i] * light * (1 + (i % 3 == 0 ? warm : i % 3 == 2 ? -warm : 0));
    static const double metal[][3] = { { 0.08, 0.22, 0.34 },
                                       { 0.10, 0.30, 0.16 },
                                       { 0.45, 0.30, 0.04 } };
    if (m == VD_MAT_RUST) {
        int64_t k = vd_rng_int(r, VD_COUNT(metal));
        for (int i = 0; i < 3; i++) c[i] = metal[k][i];
    }
    b->material = m;
    b->colour[0] = rgb(c[0], c[1], c[2]);
    b->colour[1] = rgb(c[3], c[4], c[5]);
    b->salt = (uint32_t)vd_rng_u64(r);
}

static void orient(vd_object *b, double yaw, double tilt) {
    double c = cos(yaw), s = sin(yaw), ct = cos(tilt), st = sin(tilt);
    /* yaw about z, then tilt about the object's own x */
    const double a[9] = { c, s, 0, -s * ct, c * ct, st, s * st, -c * st, ct };
    for (int i = 0; i < 9; i++) b->axis[i] = a[i];
}

static void add_plane(vd_object *b, double x, double y, double z, double d) {
    double n = sqrt(x * x + y * y + z * z), *p = b->plane[b->n_planes++];
    p[0] = x / n;
    p[1] = y / n;
    p[2] = z / n;
    p[3] = d / n;
}

static void make_box(vd_object *b) {
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    add_plane(b, 1, 0, 0, b->half.x);
    add_plane(b, -1, 0, 0, b->half.x);
    add_plane(b, 0, 1, 0, b->half.y);
    add_plane(b, 0, -1, 0, b->half.y);
    add_plane(b, 0, 0, 1, b->half.z);
    add_plane(b, 0, 0, -1, b->half.z);
}

/* Four sides that meet above the middle. */
static void make_pyramid(vd_object *b) {
    const double h = 2 * b->half.z;
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    for (int i = -1; i <= 1; i += 2) {
        add_plane(b, i * h, 0, b->half.x, b->half.x * b->half.z);
        add_plane(b, 0, i * h, b->half.y, b->half.y * b->half.z);
    }
    add_plane(b, 0, 0, -1, b->half.z);
}

/* A roof: the ridge runs along x. */
static void make_roof(vd_object *b) {
    const double h = 2 * b->half.z;
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    for (int i = -1; i <= 1; i += 2) {
        add_plane(b, i, 0, 0, b->half.x);
        add_plane(b, 0, i * h, b->half.y, b->half.y * b->half.z);
    }
    add_plane(b, 0, 0, -1, b->half.z);
}

/* A six-sided column. */
static void make_hexagon(vd_object *b) {
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    for (int i = 0; i < 6; i++) add_plane(b, cos(i * PI / 3), sin(i * PI / 3), 0, b->half.x);
    add_plane(b, 0, 0, 1, b->half.z);
    add_plane(b, 0, 0, -1, b->half.z);
    b->half.y = b->half.x * 2 / sqrt(3.0);
}

static void set_radius(vd_object *b) {
    vd_vec3 h = b->half;
    if (b->shape == VD_SHAPE_ELLIPSOID)
        b->radius = VD_MAX(h.x, VD_MAX(h.y, h.z));
    else if (b->shape == VD_SHAPE_POLY)
        b->radius = vd_v3_norm(h) * (b->n_planes == 8 ? 1.05 : 1);
    else
        b->radius = sqrt(VD_MAX(h.x, h.y) * VD_MAX(h.x, h.y) + h.z * h.z);
    b->radius += 1e-6;
}

static vd_object *add(vd_scene *s, vd_category c, vd_vec3 half) {
    vd_object *b = &s->object[s->n_objects++];
    *b = (vd_object){ .category = c, .half = half };
    switch (c) {
    case VD_CAT_BOX:
    case VD_CAT_WALL: make_box(b); break;
    case VD_CAT_PYRAMID: make_pyramid(b); break;
    case VD_CAT_PRISM: make_hexagon(b); break;
    case VD_CAT_SPHERE:
    case VD_CAT_BOULDER: b->shape = VD_SHAPE_ELLIPSOID; break;
    default: b->shape = VD_SHAPE_FRUSTUM; break;
    }
    set_radius(b);
    return b;
}

/* A place in the ring [r0, r1) where a disc of `radius` overlaps none of the objects before the
 * last one; after many tries the last one drawn is taken. */
static void place(vd_scene *s, vd_rng *r, double r0, double r1, double radius) {
    vd_object *b = &s->object[s->n_objects - 1];
    for (int tries = 0; tries < 400; tries++) {
        double a = vd_rng_range(r, 0, 2 * PI), d = sqrt(vd_rng_range(r, r0 * r0, r1 * r1));
        b->centre = vd_v3(d * cos(a), d * sin(a), b->half.z);
        bool free_here = true;
        for (int i = 0; i < s->n_objects - 1 && free_here; i++) {
            const vd_object *c = &s->object[i];
            double dx = c->centre.x - b->centre.x, dy = c->centre.y - b->centre.y;
            double rc = sqrt(c->half.x * c->half.x + c->half.y * c->half.y);
            if (c->shape != VD_SHAPE_POLY) rc = VD_MAX(c->half.x, c->half.y);
            free_here = sqrt(dx * dx + dy * dy) > (rc + radius) * 1.02 + 0.05;
        }
        if (free_here) return;
    }
}

static void add_house(vd_scene *s, vd_rng *r) {
    double yaw = vd_rng_range(r, 0, PI), lx = vd_rng_range(r, 1.0, 1.25),
           ly = vd_rng_range(r, 0.8, 0.95);
    double at = s->arc_mid_rad + PI + vd_rng_range(r, -0.4, 0.4); /* behind the middle */
    vd_vec3 c = vd_v3(1.3 * cos(at), 1.3 * sin(at), 0.85);
    vd_object *walls = add(s, VD_CAT_BOX, vd_v3(lx, ly, 0.85));
    walls->centre = c;
    orient(walls, yaw, 0);
    paint(walls, VD_MAT_BRICK, r);
    vd_object *roof = add(s, VD_CAT_PRISM, vd_v3(lx + 0.15, ly + 0.2, 0.45));
    make_roof(roof);
    set_radius(roof);
    roof->centre = vd_v3(c.x, c.y, 1.7 + 0.45);
    orient(roof, yaw, 0);
    paint(roof, VD_MAT_TILES, r);
}

static void add_crates(vd_scene *s, vd_rng *r) {
    for (int i = 0; i < 4; i++) {
        double h = vd_rng_range(r, 0.28, 0.45);
        vd_object *b = add(s, VD_CAT_BOX, vd_v3(h * vd_rng_range(r, 0.9, 1.3), h, h));
        orient(b, vd_rng_range(r, 0, PI), 0);
        paint(b, VD_MAT_WOOD, r);
        place(s, r, 1.2, 4.2, 1.4 * h);
        if (i > 1) continue;
        vd_vec3 below = b->centre; /* a smaller one on top */
        double k = h * vd_rng_range(r, 0.55, 0.75);
        vd_object *top = add(s, VD_CAT_BOX, vd_v3(k, k, k));
        top->centre = vd_v3(below.x + 0.08, below.y - 0.05, 2 * h + k);
        orient(top, vd_rng_range(r, 0, PI), 0);
        paint(top, i == 0 ? VD_MAT_RUST : VD_MAT_WOOD, r);
    }
}

static void add_round(vd_scene *s, vd_rng *r) {
    for (int i = 0; i < 3; i++) { /* columns */
        double w = vd_rng_range(r, 0.18, 0.26), h = vd_rng_range(r, 0.9, 1.5);
        vd_object *b = add(s, VD_CAT_CYLINDER, vd_v3(w, w * 0.85, h));
        orient(b, vd_rng_range(r, 0, PI), 0);
        paint(b, i == 1 ? VD_MAT_PLASTER : VD_MAT_MARBLE, r);
        place(s, r, 1.8, 4.2, w);
    }
    for (int i = 0; i < 2; i++) { /* barrels */
        double w = vd_rng_range(r, 0.28, 0.36);
        vd_object *b = add(s, VD_CAT_CYLINDER, vd_v3(w, w, w * 1.4));
        orient(b, vd_rng_range(r, 0, PI), 0);
        paint(b, VD_MAT_RUST, r);
        place(s, r, 1.5, 4.4, w);
    }
    for (int i = 0; i < 3; i++) {
        double w = vd_rng_range(r, 0.3, 0.6);
        vd_object *b = add(s, VD_CAT_SPHERE, vd_v3(w, w, w));
        orient(b, vd_rng_range(r, 0, PI), vd_rng_range(r, 0, PI));
        static const vd_material m[] = { VD_MAT_MARBLE, VD_MAT_STRIPES, VD_MAT_STONE };
        paint(b, m[i], r);
        place(s, r, 1.5, 4.2, w);
    }
    for (int i = 0; i < 3; i++) { /* traffic cones */
        double w = vd_rng_range(r, 0.16, 0.22);
        vd_object *b = add(s, VD_CAT_CONE, vd_v3(w, 0.03, w * 1.7));
        orient(b, vd_rng_range(r, 0, PI), 0);
        paint(b, VD_MAT_STRIPES, r);
        place(s, r, 1.5, 4.8, w);
    }
}

static void add_rest(vd_scene *s, vd_rng *r) {
    vd_object *b = add(s, VD_CAT_PYRAMID, vd_v3(0.6, 0.6, 0.42));
    orient(b, vd_rng_range(r, 0, PI), 0);
    paint(b, VD_MAT_STONE, r);
    place(s, r, 1.8, 4.2, 0.85);
    b = add(s, VD_CAT_PRISM, vd_v3(0.4, 0.4, vd_rng_range(r, 0.3, 0.6)));
    orient(b, vd_rng_range(r, 0, PI), 0);
    paint(b, VD_MAT_PLASTER, r);
    place(s, r, 1.8, 4.2, 0.5);
    for (int i = 0; i < 5; i++) {
        double w = vd_rng_range(r, 0.2, 0.5);
        vd_vec3 half = vd_v3(w * vd_rng_range(r, 0.9, 1.5), w, w * vd_rng_range(r, 0.55, 0.8));
        b = add(s, VD_CAT_BOULDER, half);
        orient(b, vd_rng_range(r, 0, PI), 0);
        paint(b, VD_MAT_STONE, r);
        place(s, r, 1.5, i < 3 ? 4.4 : 5.4, half.x);
        b->centre.z = half.z * 0.6; /* sunk into the ground */
    }
}

/* Walls and towers all around, beyond the cameras. */
static void add_background(vd_scene *s, vd_rng *r) {
    static const vd_material m[] = { VD_MAT_BRICK, VD_MAT_PLASTER, VD_MAT_STONE };
    for (int i = 0; i < 16; i++) {
        double a = 2 * PI * (i + vd_rng_range(r, 0.1, 0.9)) / 16, d = vd_rng_range(r, 15, 26);
        bool tower = i % 4 == 2;
        double h = tower ? vd_rng_range(r, 2.5, 4.5) : vd_rng_range(r, 1.0, 2.6);
        double w = tower ? vd_rng_range(r, 0.9, 1.5) : vd_rng_range(r, 1.6, 4.2);
        vd_object *b = add(s, tower ? VD_CAT_CYLINDER : VD_CAT_WALL,
                           tower ? vd_v3(w, w * 0.8, h) : vd_v3(w, vd_rng_range(r, 0.6, 2.5), h));
        b->centre = vd_v3(d * cos(a), d * sin(a), h);
        orient(b, a + PI / 2 + vd_rng_range(r, -0.4, 0.4), 0);
        paint(b, m[vd_rng_int(r, 3)], r);
    }
}

static void set_sun(vd_scene *s) {
    const double azimuth = s->arc_mid_rad + 0.95,
                 height = 0.72; /* over the shoulder, 41 degrees up */
    s->sun = vd_v3(cos(height) * cos(azimuth), cos(height) * sin(azimuth), sin(height));
    s->sun_u = vd_v3_unit(vd_v3_cross(vd_v3(0, 0, 1), s->sun));
    s->sun_v = vd_v3_cross(s->sun, s->sun_u);
    s->sun_tan = 0.018; /* about four times the real one: a sun behind thin haze */
}

static void aim_at_sun(vd_scene *s) {
    for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) {
        /* Vogel's spiral: equal areas, the golden angle; outermost first */
        const int j = VD_SCENE_SUN_RAYS - 1 - k;
        double r = s->sun_tan * sqrt((j + 0.5) / VD_SCENE_SUN_RAYS), a = 2.399963229728653 * j;
        vd_vec3 d = vd_v3_add(
            s->sun, vd_v3_add(vd_v3_mul(s->sun_u, r * cos(a)), vd_v3_mul(s->sun_v, r * sin(a))));
        for (int i = 0; i < s->n_objects; i++) {
            const double *m = s->object[i].axis;
            s->sun_local[i][k] =
                vd_v3(m[0] * d.x + m[1] * d.y + m[2] * d.z, m[3] * d.x + m[4] * d.y + m[5] * d.z,
                      m[6] * d.x + m[7] * d.y + m[8] * d.z);
        }
    }
}

/* Sets the bits of all cells that a disc about (a, b) touches. */
static void mark(uint64_t *grid, double reach, double a, double b, double radius, int object) {
    const double step = 2 * reach / VD_SCENE_GRID, slack = step; /* the half diagonal, and some */
    for (int y = 0; y < VD_SCENE_GRID; y++)
        for (int x = 0; x < VD_SCENE_GRID; x++) {
            double dx = (x + 0.5) * step - reach - a, dy = (y + 0.5) * step - reach - b;
            if (sqrt(dx * dx + dy * dy) < radius + slack)
                grid[y * VD_SCENE_GRID + x] |= (uint64_t)1 << object;
        }
}

static void fill_grids(vd_scene *s) {
    s->reach = 32; /* beyond it lies open ground; border cells stand for all outside */
    for (int i = 0; i < s->n_objects; i++) {
        const vd_object *b = &s->object[i];
        double penumbra = s->sun_tan * 4 * (b->centre.z + b->radius);
        mark(s->shade, s->reach, vd_v3_dot(b->centre, s->sun_u), vd_v3_dot(b->centre, s->sun_v),
             b->radius + penumbra, i);
        mark(s->near, s->reach, b->centre.x, b->centre.y, 3 * b->radius, i);
    }
}

void vd_scene_init(vd_scene *s, uint64_t seed) {
    *s = (vd_scene){ .n_objects = 0 };
    vd_rng r = vd_rng_for(seed, STREAM_SCENE, 0);
    s->arc_mid_rad = vd_rng_range(&r, 0, 2 * PI);
    vd_noise_init(&s->noise, seed);
    set_sun(s);
    add_house(s, &r);
    add_crates(s, &r);
    add_round(s, &r);
    add_rest(s, &r);
    add_background(s, &r);
    aim_at_sun(s);
    fill_grids(s);
}
