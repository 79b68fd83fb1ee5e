/* Shapes and their paint. SPDX-License-Identifier: Apache-2.0 */
#include "synth/solid.h"

static const double PI = 3.14159265358979323846;

static vd_p3f rgb(double r, double g, double b) {
    return (vd_p3f){ (float)r, (float)g, (float)b };
}

/* Linear reflectances, two of them to a material: the texture moves between them. */
void vd_solid_paint(vd_object *b, vd_material m, vd_rng *r) {
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

void vd_solid_orient(vd_object *b, double yaw_rad, double tilt_rad) {
    double c = vd_cos(yaw_rad), s = vd_sin(yaw_rad), ct = vd_cos(tilt_rad), st = vd_sin(tilt_rad);
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

/* A six-sided column. */
static void make_hexagon(vd_object *b) {
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    for (int i = 0; i < 6; i++) add_plane(b, vd_cos(i * PI / 3), vd_sin(i * PI / 3), 0, b->half.x);
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

void vd_solid_roof(vd_object *b) {
    const double h = 2 * b->half.z;
    b->shape = VD_SHAPE_POLY;
    b->n_planes = 0;
    for (int i = -1; i <= 1; i += 2) {
        add_plane(b, i, 0, 0, b->half.x);
        add_plane(b, 0, i * h, b->half.y, b->half.y * b->half.z);
    }
    add_plane(b, 0, 0, -1, b->half.z);
    set_radius(b);
}

/* What most solids of a shape are. */
static const vd_thing usual[VD_N_CATEGORIES] = {
    [VD_CAT_BOX] = VD_THING_CRATE,       [VD_CAT_SPHERE] = VD_THING_BALL,
    [VD_CAT_CYLINDER] = VD_THING_COLUMN, [VD_CAT_CONE] = VD_THING_CONE,
    [VD_CAT_PYRAMID] = VD_THING_PYRAMID, [VD_CAT_PRISM] = VD_THING_PLINTH,
    [VD_CAT_BOULDER] = VD_THING_BOULDER, [VD_CAT_WALL] = VD_THING_WALL,
};

vd_object *vd_solid_add(vd_scene *s, vd_category c, vd_vec3 half) {
    vd_object *b = &s->object[s->n_objects++];
    *b = (vd_object){ .category = c, .thing = usual[c], .half = half };
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

void vd_solid_finish(vd_object *b) {
    const double *a = b->axis;
    for (int i = 0; i < b->n_planes; i++)
        for (int k = 0; k < 3; k++)
            b->side[i][k] =
                a[k] * b->plane[i][0] + a[3 + k] * b->plane[i][1] + a[6 + k] * b->plane[i][2];
}

double vd_solid_foot(const vd_object *b) {
    return b->shape == VD_SHAPE_POLY ? sqrt(b->half.x * b->half.x + b->half.y * b->half.y)
                                     : VD_MAX(b->half.x, b->half.y);
}
