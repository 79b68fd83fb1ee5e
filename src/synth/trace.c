/* Ray casting against convex solids. Each solid is met in its own frame; a ray enters a convex
 * solid where the last of its entering surfaces is crossed and leaves at the first leaving one (Kay
 * and Kajiya, "Ray tracing complex scenes", 1986, for slabs; the same holds for any half-spaces).
 *
 * Soft shadows: the sun is a disc, sampled at fixed places of a Vogel spiral, so that the same
 * world place has the same shadow in every view. Only objects whose bounding sphere comes near the
 * line to the sun are asked; a grid across the sun's direction tells which these may be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/trace.h"

static const double T_MIN = 1e-7;

static vd_vec3 to_local(const vd_object *b, vd_vec3 v) {
    const double *a = b->axis;
    return vd_v3(a[0] * v.x + a[1] * v.y + a[2] * v.z, a[3] * v.x + a[4] * v.y + a[5] * v.z,
                 a[6] * v.x + a[7] * v.y + a[8] * v.z);
}

static vd_vec3 to_world(const vd_object *b, vd_vec3 v) {
    const double *a = b->axis;
    return vd_v3(a[0] * v.x + a[3] * v.y + a[6] * v.z, a[1] * v.x + a[4] * v.y + a[7] * v.z,
                 a[2] * v.x + a[5] * v.y + a[8] * v.z);
}

/* Where a line is inside a solid: for t in [in, out], if in < out. */
typedef struct span {
    double in, out;
    int face; /* entered */
} span;

static const span NOWHERE = { 1, 0, 0 };

/* Each of the three takes the solid grown by `grow` on all sides (shrunk where negative): exactly
 * for planes, by at least that much where grown and at least that much where shrunk for curved
 * sides. */
static inline span span_poly(const vd_object *b, vd_vec3 o, vd_vec3 d, double grow) {
    span s = { -1e300, 1e300, 0 };
    for (int i = 0; i < b->n_planes; i++) {
        const double *p = b->plane[i];
        double nd = p[0] * d.x + p[1] * d.y + p[2] * d.z;
        double k = p[3] + grow - (p[0] * o.x + p[1] * o.y + p[2] * o.z);
        if (nd == 0.0) {
            if (k < 0) return NOWHERE;
            continue;
        }
        k /= nd;
        if (nd < 0 && k > s.in) {
            s.in = k;
            s.face = i;
        } else if (nd > 0 && k < s.out) {
            s.out = k;
        }
    }
    return s;
}

/* The support function of an ellipsoid with longer half axes falls short of that of the parallel
 * body, by less than a fifth of the growth for the shapes of this scene. */
static const double ROUND = 1.2;

static inline span span_ellipsoid(const vd_object *b, vd_vec3 o, vd_vec3 d, double grow) {
    const double g = ROUND * grow;
    const double ix = 1 / (b->half.x + g), iy = 1 / (b->half.y + g), iz = 1 / (b->half.z + g);
    vd_vec3 p = vd_v3(o.x * ix, o.y * iy, o.z * iz), v = vd_v3(d.x * ix, d.y * iy, d.z * iz);
    double a = vd_v3_dot(v, v), h = vd_v3_dot(p, v), c = vd_v3_dot(p, p) - 1;
    double disc = h * h - a * c;
    if (disc <= 0) return NOWHERE;
    disc = sqrt(disc);
    return (span){ (-h - disc) / a, (-h + disc) / a, 0 };
}

/* Radius at local z of a frustum: mid + slope * z. */
static inline span span_frustum(const vd_object *b, vd_vec3 o, vd_vec3 d, double grow) {
    const double slope = (b->half.y - b->half.x) / (2 * b->half.z), hz = b->half.z + grow;
    const double mid = 0.5 * (b->half.x + b->half.y) + ROUND * grow;
    span s = { -1e300, 1e300, 0 };
    if (d.z != 0) {
        double iz = 1 / d.z, t0 = (-hz - o.z) * iz, t1 = (hz - o.z) * iz;
        s.in = t0 < t1 ? t0 : t1;
        s.out = t0 < t1 ? t1 : t0;
        s.face = d.z > 0 ? 1 : 2;
    } else if (fabs(o.z) > hz) {
        return NOWHERE;
    }
    const double r = mid + slope * o.z, dr = slope * d.z;
    const double a = d.x * d.x + d.y * d.y - dr * dr, h = o.x * d.x + o.y * d.y - r * dr,
                 c = o.x * o.x + o.y * o.y - r * r;
    const double disc = h * h - a * c;
    if (fabs(a) < 1e-14) return NOWHERE;
    if (disc <= 0) return a > 0 ? NOWHERE : s;
    const double q = sqrt(disc), t0 = (-h - q) / a, t1 = (-h + q) / a;
    if (a > 0) {
        if (t0 > s.in) {
            s.in = t0;
            s.face = 0;
        }
        if (t1 < s.out) s.out = t1;
    } else if (s.in < t0 && s.in > t1) { /* steeper than the cone: outside it between t1 and t0 */
        s.in = t0;
        s.face = 0;
    } else if (s.in <= t1 && t1 < s.out) {
        s.out = t1;
    }
    return s;
}

static inline span span_of(const vd_object *b, vd_vec3 o, vd_vec3 d, double grow) {
    switch (b->shape) {
    case VD_SHAPE_POLY: return span_poly(b, o, d, grow);
    case VD_SHAPE_ELLIPSOID: return span_ellipsoid(b, o, d, grow);
    default: return span_frustum(b, o, d, grow);
    }
}

static inline bool meet(const vd_object *b, vd_vec3 o, vd_vec3 d, double *t, int *face) {
    span s = span_of(b, o, d, 0);
    *t = s.in;
    *face = s.face;
    return s.in < s.out && s.in > T_MIN;
}

static vd_vec3 local_normal(const vd_object *b, vd_vec3 p, int face) {
    if (b->shape == VD_SHAPE_POLY)
        return vd_v3(b->plane[face][0], b->plane[face][1], b->plane[face][2]);
    if (b->shape == VD_SHAPE_ELLIPSOID)
        return vd_v3_unit(vd_v3(p.x / (b->half.x * b->half.x), p.y / (b->half.y * b->half.y),
                                p.z / (b->half.z * b->half.z)));
    if (face != 0) return vd_v3(0, 0, face == 1 ? -1 : 1);
    double slope = (b->half.y - b->half.x) / (2 * b->half.z), r = sqrt(p.x * p.x + p.y * p.y);
    return vd_v3_unit(vd_v3(p.x / r, p.y / r, -slope));
}

vd_hit vd_trace(const vd_scene *s, vd_vec3 o, vd_vec3 d, uint64_t mask) {
    vd_hit h = { .t = INFINITY, .id = VD_ID_SKY };
    if (d.z < 0 && o.z > 0) {
        h.t = -o.z / d.z;
        h.id = VD_ID_GROUND;
    }
    for (; mask != 0; mask &= mask - 1) {
        int i = __builtin_ctzll(mask), face;
        const vd_object *b = &s->object[i];
        double t;
        vd_vec3 lo = to_local(b, vd_v3_sub(o, b->centre)), ld = to_local(b, d);
        if (!meet(b, lo, ld, &t, &face) || t >= h.t) continue;
        h.t = t;
        h.id = VD_ID_FIRST + i;
        h.face = face;
        h.local = vd_v3_add(lo, vd_v3_mul(ld, t));
    }
    if (h.id == VD_ID_GROUND) {
        h.local = vd_v3(o.x + h.t * d.x, o.y + h.t * d.y, 0);
        h.normal = h.local_n = vd_v3(0, 0, 1);
    } else if (h.id >= VD_ID_FIRST) {
        const vd_object *b = &s->object[h.id - VD_ID_FIRST];
        h.local_n = local_normal(b, h.local, h.face);
        h.normal = to_world(b, h.local_n);
    }
    return h;
}

uint64_t vd_trace_cone(const vd_scene *s, vd_vec3 o, vd_vec3 axis, double angle_rad) {
    uint64_t mask = 0;
    for (int i = 0; i < s->n_objects; i++) {
        vd_vec3 v = vd_v3_sub(s->object[i].centre, o);
        double dist = vd_v3_norm(v), r = s->object[i].radius;
        if (dist > r) {
            double away = acos(VD_CLAMP(vd_v3_dot(v, axis) / dist, -1.0, 1.0));
            if (away > angle_rad + asin(r / dist)) continue;
        }
        mask |= (uint64_t)1 << i;
    }
    return mask;
}

static int cell(const vd_scene *s, double a, double b) {
    int x = (int)((a / s->reach * 0.5 + 0.5) * VD_SCENE_GRID);
    int y = (int)((b / s->reach * 0.5 + 0.5) * VD_SCENE_GRID);
    return VD_CLAMP(y, 0, VD_SCENE_GRID - 1) * VD_SCENE_GRID + VD_CLAMP(x, 0, VD_SCENE_GRID - 1);
}

/* Which of the rays to the sun's disc object `i` stops. One ray to the middle decides for most
 * places: if it misses the object grown by the width of the disc there, all miss; if it meets the
 * object shrunk as much, all meet it. */
static uint32_t sun_hits(const vd_scene *s, int i, vd_vec3 o, double along) {
    const vd_object *b = &s->object[i];
    const uint32_t all = (1u << VD_SCENE_SUN_RAYS) - 1;
    const vd_vec3 lo = to_local(b, vd_v3_sub(o, b->centre)), ld = to_local(b, s->sun);
    const double width = VD_MAX(along + b->radius, 0) * s->sun_tan;
    span whole = span_of(b, lo, ld, width);
    if (whole.in >= whole.out || whole.out <= T_MIN) return 0;
    if (VD_MIN(b->half.x, VD_MIN(b->half.y, b->half.z)) > 1.5 * width) {
        span core = span_of(b, lo, ld, -width);
        if (core.in < core.out && core.in > T_MIN) return all;
    }
    uint32_t hits = 0;
    for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) {
        double t;
        int face;
        hits |= (uint32_t)meet(b, lo, s->sun_local[i][k], &t, &face) << k;
    }
    return hits;
}

double vd_trace_sun(const vd_scene *s, vd_vec3 p, vd_vec3 normal, int id) {
    const uint32_t all = (1u << VD_SCENE_SUN_RAYS) - 1;
    const vd_vec3 o = vd_v3_add(p, vd_v3_mul(normal, 1e-5));
    uint32_t blocked = 0;
    uint64_t mask = s->shade[cell(s, vd_v3_dot(p, s->sun_u), vd_v3_dot(p, s->sun_v))];
    for (; mask != 0 && blocked != all; mask &= mask - 1) {
        int i = __builtin_ctzll(mask);
        if (VD_ID_FIRST + i == id) continue; /* convex, and turned to the sun */
        vd_vec3 v = vd_v3_sub(s->object[i].centre, p);
        double along = vd_v3_dot(v, s->sun), r = s->object[i].radius;
        if (along < -r) continue;
        double reach = r + VD_MAX(along + r, 0) * s->sun_tan;
        if (vd_v3_dot(v, v) - along * along < reach * reach) blocked |= sun_hits(s, i, o, along);
    }
    return 1 - __builtin_popcount(blocked) / (double)VD_SCENE_SUN_RAYS;
}

double vd_trace_ambient(const vd_scene *s, vd_vec3 p, vd_vec3 normal, int id) {
    /* A solid fills about this part of its bounding sphere's radius. */
    const double fill = 0.8;
    double open = 1;
    for (uint64_t m = s->near[cell(s, p.x, p.y)]; m != 0; m &= m - 1) {
        int i = __builtin_ctzll(m);
        if (VD_ID_FIRST + i == id) continue;
        vd_vec3 v = vd_v3_sub(s->object[i].centre, p);
        double d2 = vd_v3_dot(v, v), r = s->object[i].radius * fill;
        if (d2 > 16 * r * r) continue;
        double cosine = vd_v3_dot(v, normal) / sqrt(d2 + 1e-9);
        /* fades out at four radii, where it would be 3 % */
        double part = 0.5 * (cosine + 1) * VD_MIN(r * r / (d2 + 1e-9) - 1 / 16.0, 1.0);
        open *= 1 - 0.55 * VD_MAX(part, 0);
    }
    return open;
}
