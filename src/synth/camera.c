/* Cameras: where they stand, and how they see. The path round a yard is an arc at varying height
 * and distance, always towards its middle, as a person walks it; strays stand nearer and elsewhere.
 * In a town the camera goes along the streets (route.h), weaving a little, and looks to the left
 * and ahead, to the plots inside of the lap; strays look out of it, from other heights.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/scene.h"

#include "base/rng.h"

static const double PI = 3.14159265358979323846;
enum { STREAM_PATH = 0x70617468, STREAM_STRAY = 0x73747261 };

/* Shepperd's method: divide by the largest component. */
static vd_quat quat_of(const double m[9]) {
    double w = 1 + m[0] + m[4] + m[8], x = 1 + m[0] - m[4] - m[8], y = 1 - m[0] + m[4] - m[8],
           z = 1 - m[0] - m[4] + m[8];
    vd_quat q;
    if (w >= x && w >= y && w >= z)
        q = (vd_quat){ w, m[7] - m[5], m[2] - m[6], m[3] - m[1] };
    else if (x >= y && x >= z)
        q = (vd_quat){ m[7] - m[5], x, m[1] + m[3], m[2] + m[6] };
    else if (y >= z)
        q = (vd_quat){ m[2] - m[6], m[1] + m[3], y, m[5] + m[7] };
    else
        q = (vd_quat){ m[3] - m[1], m[2] + m[6], m[5] + m[7], z };
    double n = sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z) * (q.w < 0 ? -1 : 1);
    return (vd_quat){ q.w / n, q.x / n, q.y / n, q.z / n };
}

/* A camera at `eye` that looks at `target`, its picture turned by `roll_rad`. */
static vd_rigid look_at(vd_vec3 eye, vd_vec3 target, double roll_rad) {
    vd_vec3 f = vd_v3_unit(vd_v3_sub(target, eye));
    vd_vec3 right = vd_v3_unit(vd_v3_cross(f, vd_v3(0, 0, 1))), down = vd_v3_cross(f, right);
    double c = vd_cos(roll_rad), s = vd_sin(roll_rad);
    vd_vec3 x = vd_v3_add(vd_v3_mul(right, c), vd_v3_mul(down, s));
    vd_vec3 y = vd_v3_sub(vd_v3_mul(down, c), vd_v3_mul(right, s));
    const double m[9] = { x.x, x.y, x.z, y.x, y.y, y.z, f.x, f.y, f.z };
    return (vd_rigid){ quat_of(m),
                       vd_v3(-vd_v3_dot(x, eye), -vd_v3_dot(y, eye), -vd_v3_dot(f, eye)) };
}

/* A camera that looks along the azimuth of `d`, turned to the left by `yaw_rad` and up by
 * `pitch_rad`. */
static vd_rigid look_along(vd_vec3 eye, const double d[2], double yaw_rad, double pitch_rad,
                           double roll_rad) {
    const double c = vd_cos(yaw_rad), s = vd_sin(yaw_rad);
    const vd_vec3 f =
        vd_v3(c * d[0] - s * d[1], s * d[0] + c * d[1], vd_sin(pitch_rad) / vd_cos(pitch_rad));
    return look_at(eye, vd_v3_add(eye, f), roll_rad);
}

/* Periods in metres that no lap is a multiple of: what is seen again is seen from another place. */
static vd_rigid town_view(const vd_scene *s, int64_t i, vd_rng *r) {
    const double t = ((double)i + 0.5) * s->route.step_m, turn = 2 * PI * t;
    double at[2], d[2];
    vd_route_at(&s->route, t, at, d);
    const double aside = 0.5 * vd_sin(turn / 41.3 + 1) + vd_rng_range(r, -0.05, 0.05);
    vd_vec3 eye = vd_v3(at[0] - aside * d[1], at[1] + aside * d[0], 2.2);
    eye.z += 0.25 * vd_sin(turn / 57.1) + vd_rng_range(r, -0.05, 0.05);
    const double ahead = s->route.side == 1 ? 1.45 : 1.05;
    const double yaw = ahead + 0.25 * vd_sin(turn / 29.7 + 2) + vd_rng_range(r, -0.04, 0.04);
    const double pitch = -0.15 + 0.04 * vd_sin(turn / 23.9) + vd_rng_range(r, -0.02, 0.02);
    return look_along(eye, d, yaw, pitch, vd_rng_range(r, -0.02, 0.02));
}

static vd_rigid town_stray(const vd_scene *s, int64_t i, vd_rng *r) {
    double at[2], d[2];
    vd_route_at(&s->route, vd_rng_range(r, 0, s->route.length), at, d);
    vd_vec3 eye = vd_v3(at[0], at[1], 0);
    eye.z = i % 2 == 0 ? vd_rng_range(r, 0.9, 1.3) : vd_rng_range(r, 2.6, 3.6);
    const double yaw = vd_rng_range(r, -1.7, -0.7), pitch = eye.z < 2 ? -0.08 : -0.3;
    return look_along(eye, d, yaw, pitch, vd_rng_range(r, -0.12, 0.12));
}

vd_rigid vd_scene_view(const vd_scene *s, int64_t i, int64_t n, double arc_rad, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, STREAM_PATH, (uint64_t)i);
    if (s->route.side > 0) return town_view(s, i, &r);
    double u = n > 1 ? (double)i / (double)(arc_rad > 6.28 ? n : n - 1) : 0.5;
    double a = s->arc_mid_rad + arc_rad * (u - 0.5) + vd_rng_range(&r, -0.01, 0.01);
    double d = 7.6 + 0.7 * vd_sin(2 * PI * u + 0.7) + vd_rng_range(&r, -0.1, 0.1);
    double z = 2.0 + 0.55 * vd_sin(4 * PI * u) + vd_rng_range(&r, -0.06, 0.06);
    vd_vec3 target = { 0, 0, 0.85 };
    target.x += vd_rng_range(&r, -0.25, 0.25);
    target.y += vd_rng_range(&r, -0.25, 0.25);
    target.z += vd_rng_range(&r, -0.1, 0.1);
    return look_at(vd_v3(d * vd_cos(a), d * vd_sin(a), z), target, vd_rng_range(&r, -0.02, 0.02));
}

vd_rigid vd_scene_stray(const vd_scene *s, int64_t i, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, STREAM_STRAY, (uint64_t)i);
    if (s->route.side > 0) return town_stray(s, i, &r);
    double a = s->arc_mid_rad + vd_rng_range(&r, -1.3, 1.3), d = vd_rng_range(&r, 5.9, 6.6);
    double z = i % 2 == 0 ? vd_rng_range(&r, 0.9, 1.4) : vd_rng_range(&r, 3.2, 4.6);
    double side = vd_rng_range(&r, -1.8, 1.8);
    vd_vec3 target = vd_v3(-side * vd_sin(a), side * vd_cos(a), vd_rng_range(&r, 0.3, 1.0));
    return look_at(vd_v3(d * vd_cos(a), d * vd_sin(a), z), target, vd_rng_range(&r, -0.12, 0.12));
}

vd_vec3 vd_scene_eye(vd_rigid p) {
    double m[9];
    vd_quat_matrix(m, p.q);
    return vd_v3(-(m[0] * p.t.x + m[3] * p.t.y + m[6] * p.t.z),
                 -(m[1] * p.t.x + m[4] * p.t.y + m[7] * p.t.z),
                 -(m[2] * p.t.x + m[5] * p.t.y + m[8] * p.t.z));
}

bool vd_scene_project(const vd_scene_camera *c, vd_rigid p, vd_vec3 w, double *x, double *y) {
    double m[9];
    vd_quat_matrix(m, p.q);
    double cx = m[0] * w.x + m[1] * w.y + m[2] * w.z + p.t.x,
           cy = m[3] * w.x + m[4] * w.y + m[5] * w.z + p.t.y,
           cz = m[6] * w.x + m[7] * w.y + m[8] * w.z + p.t.z;
    if (cz <= 0) return false;
    double u = cx / cz, v = cy / cz, r2 = u * u + v * v, k = 1 + r2 * (c->k1 + r2 * c->k2);
    *x = c->cx_px + c->f_px * u * k;
    *y = c->cy_px + c->f_px * v * k;
    return true;
}

void vd_scene_unproject(const vd_scene_camera *c, double px, double py, double *x, double *y) {
    double u = (px - c->cx_px) / c->f_px, v = (py - c->cy_px) / c->f_px;
    if (c->k1 != 0 || c->k2 != 0) { /* Newton on the radius; quadratic, so 8 are plenty */
        double rd = sqrt(u * u + v * v), r = rd;
        for (int i = 0; i < 8 && rd > 0; i++) {
            double r2 = r * r, f = r * (1 + r2 * (c->k1 + r2 * c->k2)) - rd;
            r -= f / (1 + r2 * (3 * c->k1 + 5 * r2 * c->k2));
        }
        u *= rd > 0 ? r / rd : 1;
        v *= rd > 0 ? r / rd : 1;
    }
    *x = u;
    *y = v;
}
