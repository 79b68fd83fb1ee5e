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

static bool meet_poly(const vd_object *b, vd_vec3 o, vd_vec3 d, double *t, int *face) {
    double in = -1e300, out = 1e300;
    int at = -1;
    for (int i = 0; i < b->n_planes; i++) {
        const double *p = b->plane[i];
        double nd = p[0] * d.x + p[1] * d.y + p[2] * d.z;
        double k = p[3] - (p[0] * o.x + p[1] * o.y + p[2] * o.z);
        if (nd == 0.0) {
            if (k < 0) return false;
            continue;
        }
        k /= nd;
        if (nd < 0 && k > in) {
            in = k;
            at = i;
        } else if (nd > 0 && k < out) {
            out = k;
        }
    }
    *t = in;
    *face = at;
    return in < out && in > T_MIN;
}

static bool meet_ellipsoid(const vd_object *b, vd_vec3 o, vd_vec3 d, double *t) {
    vd_vec3 p = vd_v3(o.x / b->half.x, o.y / b->half.y, o.z / b->half.z);
    vd_vec3 v = vd_v3(d.x / b->half.x, d.y / b->half.y, d.z / b->half.z);
    double a = vd_v3_dot(v, v), h = vd_v3_dot(p, v), c = vd_v3_dot(p, p) - 1;
    double disc = h * h - a * c;
    if (disc <= 0) return false;
    *t = (-h - sqrt(disc)) / a;
    return *t > T_MIN;
}

/* Radius at local z of a frustum: mid + slope * z. */
static bool meet_frustum(const vd_object *b, vd_vec3 o, vd_vec3 d, double *t, int *face) {
    const double mid = 0.5 * (b->half.x + b->half.y), hz = b->half.z;
    const double slope = (b->half.y - b->half.x) / (2 * hz);
    double in = -1e300, out = 1e300;
    if (d.z != 0) {
        double t0 = (-hz - o.z) / d.z, t1 = (hz - o.z) / d.z;
        in = t0 < t1 ? t0 : t1;
        out = t0 < t1 ? t1 : t0;
        *face = d.z > 0 ? 1 : 2;
    } else if (fabs(o.z) > hz) {
        return false;
    }
    const double r = mid + slope * o.z, dr = slope * d.z;
    const double a = d.x * d.x + d.y * d.y - dr * dr, h = o.x * d.x + o.y * d.y - r * dr,
                 c = o.x * o.x + o.y * o.y - r * r;
    const double disc = h * h - a * c;
    if (fabs(a) < 1e-14) return false;
    if (disc <= 0) {
        if (a > 0) return false;
    } else {
        const double q = sqrt(disc);
        double t0 = (-h - q) / a, t1 = (-h + q) / a;
        if (a > 0) {
            if (t0 > in) {
                in = t0;
                *face = 0;
            }
            if (t1 < out) out = t1;
        } else { /* steeper than the cone: outside it between t1 and t0 */
            if (in < t0 && in > t1) {
                in = t0;
                *face = 0;
            } else if (in <= t1 && t1 < out) {
                out = t1;
            }
        }
    }
    *t = in;
    return in < out && in > T_MIN;
}

static inline bool meet(const vd_object *b, vd_vec3 o, vd_vec3 d, double *t, int *face) {
    *face = 0;
    switch (b->shape) {
    case VD_SHAPE_POLY: return meet_poly(b, o, d, t, face);
    case VD_SHAPE_ELLIPSOID: return meet_ellipsoid(b, o, d, t);
    default: return meet_frustum(b, o, d, t, face);
    }
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

enum { RIM_RAYS = 8 };

double vd_trace_sun(const vd_scene *s, vd_vec3 p, vd_vec3 normal, int id) {
    uint64_t mask = s->shade[cell(s, vd_v3_dot(p, s->sun_u), vd_v3_dot(p, s->sun_v))], close = 0;
    for (; mask != 0; mask &= mask - 1) {
        int i = __builtin_ctzll(mask);
        vd_vec3 v = vd_v3_sub(s->object[i].centre, p);
        double along = vd_v3_dot(v, s->sun), r = s->object[i].radius;
        if (along < -r) continue;
        double reach = r + VD_MAX(along + r, 0) * s->sun_tan;
        if (vd_v3_dot(v, v) - along * along < reach * reach) close |= (uint64_t)1 << i;
    }
    if (id >= VD_ID_FIRST) close &= ~((uint64_t)1 << (id - VD_ID_FIRST)); /* convex */
    if (close == 0) return 1;
    const vd_vec3 o = vd_v3_add(p, vd_v3_mul(normal, 1e-5));
    uint32_t blocked = 0;
    for (uint64_t m = close; m != 0; m &= m - 1) {
        int i = __builtin_ctzll(m);
        const vd_object *b = &s->object[i];
        const vd_vec3 lo = to_local(b, vd_v3_sub(o, b->centre));
        uint32_t hits = 0;
        for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) {
            /* The first rays go to the rim. If all of them are blocked by one convex solid, so is
             * the whole disc; if none is, at most a sliver is. */
            if (k == RIM_RAYS && hits == 0) break;
            double t;
            int face;
            hits |= (uint32_t)meet(b, lo, s->sun_local[i][k], &t, &face) << k;
            if (k == RIM_RAYS - 1 && hits == (1u << RIM_RAYS) - 1) return 0;
        }
        blocked |= hits;
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
