/* The renderer: rays in tiles, so that most objects are put aside for a whole tile at once; direct
 * sun, light of the sky, light thrown back by the ground, haze. No random numbers: a place in the
 * world looks the same from every view but for what the view itself changes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/render.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "synth/material.h"
#include "synth/trace.h"

enum { TILE = 16, TONE_STEPS = 1024 };

typedef struct shot {
    const vd_scene *s;
    const vd_scene_camera *c;
    vd_vec3 eye;
    double m[9]; /* cam_from_world */
} shot;

vd_status vd_picture_size(vd_picture *p, int32_t width, int32_t height, vd_err *err) {
    const int64_t n = (int64_t)width * height;
    if (n > p->cap) {
        vd_picture q = { .cap = n };
        q.light = vd_mem_alloc((size_t)n * sizeof *q.light);
        q.depth = vd_mem_alloc((size_t)n * sizeof *q.depth);
        q.id = vd_mem_alloc((size_t)n);
        q.key = vd_mem_alloc((size_t)n);
        q.rgb = vd_mem_alloc((size_t)n * 3);
        if (!q.light || !q.depth || !q.id || !q.key || !q.rgb) {
            vd_picture_reset(&q);
            return vd_nomem(err);
        }
        vd_picture_reset(p);
        *p = q;
    }
    p->width = width;
    p->height = height;
    return VD_OK;
}

void vd_picture_reset(vd_picture *p) {
    vd_mem_free(p->light);
    vd_mem_free(p->depth);
    vd_mem_free(p->id);
    vd_mem_free(p->key);
    vd_mem_free(p->rgb);
    *p = (vd_picture){ 0 };
}

/* The direction of the ray through a place of the picture, of length 1 along the optical axis: the
 * parameter of a hit is then its depth. */
static vd_vec3 ray(const shot *q, double px, double py) {
    double x, y;
    vd_scene_unproject(q->c, px, py, &x, &y);
    const double *m = q->m;
    return vd_v3(m[0] * x + m[3] * y + m[6], m[1] * x + m[4] * y + m[7],
                 m[2] * x + m[5] * y + m[8]);
}

static vd_p3f haze(vd_p3f c, double dist) {
    float k = (float)(1 - exp(-dist / 160));
    static const vd_p3f air = { 0.62f, 0.70f, 0.80f };
    return (vd_p3f){ c.x + (air.x - c.x) * k, c.y + (air.y - c.y) * k, c.z + (air.z - c.z) * k };
}

static vd_p3f shade(const shot *q, vd_vec3 d, const vd_hit *h) {
    const double len = vd_v3_norm(d);
    if (h->id == VD_ID_SKY) return vd_material_sky(q->s, vd_v3_mul(d, 1 / len));
    const double facing = VD_MAX(-vd_v3_dot(h->normal, d) / len, 0.02);
    /* Between the short and the long side of the pixel's footprint: the short one would alias, the
     * long one would blur. */
    const float width = (float)(h->t / q->c->f_px / sqrt(facing));
    vd_vec3 p = vd_v3_add(q->eye, vd_v3_mul(d, h->t));
    double lit = VD_MAX(vd_v3_dot(h->normal, q->s->sun), 0.0);
    if (lit > 0) lit *= vd_trace_sun(q->s, p, h->normal, h->id);
    const vd_p3f a = vd_material_at(q->s, h, width);
    const float relief =
        lit > 0 ? vd_material_relief(q->s, h, width) : 1; /* shows in the sun only */
    double up = 0.5 + 0.5 * h->normal.z, open = vd_trace_ambient(q->s, p, h->normal, h->id);
    if (h->id != VD_ID_GROUND)
        open *= 1 - 0.45 * exp(-p.z / 0.12); /* where a solid meets the ground */
    const float sun = (float)lit * relief, sky = (float)(up * open),
                earth = (float)((1 - up) * open);
    vd_p3f c = { a.x * (2.55f * sun + 0.50f * sky + 0.34f * earth),
                 a.y * (2.36f * sun + 0.60f * sky + 0.28f * earth),
                 a.z * (2.05f * sun + 0.78f * sky + 0.20f * earth) };
    return haze(c, h->t * len);
}

static uint64_t tile_objects(const shot *q, int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    vd_vec3 mid = vd_v3_unit(ray(q, 0.5 * (x0 + x1), 0.5 * (y0 + y1)));
    double angle = 0;
    for (int k = 0; k < 8; k++) { /* corners and the middles of the sides */
        static const double at[8][2] = { { 0, 0 },  { .5, 0 }, { 1, 0 },  { 0, .5 },
                                         { 1, .5 }, { 0, 1 },  { .5, 1 }, { 1, 1 } };
        vd_vec3 v = vd_v3_unit(ray(q, x0 + at[k][0] * (x1 - x0), y0 + at[k][1] * (y1 - y0)));
        angle = VD_MAX(angle, acos(VD_MIN(vd_v3_dot(v, mid), 1.0)));
    }
    return vd_trace_cone(q->s, q->eye, mid, angle * 1.02 + 1e-4);
}

static void first_pass(vd_picture *p, const shot *q, int32_t x0, int32_t y0) {
    int32_t x1 = VD_MIN(x0 + TILE, p->width), y1 = VD_MIN(y0 + TILE, p->height);
    uint64_t mask = tile_objects(q, x0, y0, x1, y1);
    for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++) {
            int64_t i = (int64_t)y * p->width + x;
            vd_vec3 d = ray(q, x + 0.5, y + 0.5);
            vd_hit h = vd_trace(q->s, q->eye, d, mask);
            p->light[i] = shade(q, d, &h);
            p->depth[i] = (float)h.t;
            p->id[i] = (uint8_t)h.id;
            p->key[i] = (uint8_t)h.face;
        }
}

static vd_p3f add_quarter(vd_p3f sum, vd_p3f c) {
    return (vd_p3f){ sum.x + 0.25f * c.x, sum.y + 0.25f * c.y, sum.z + 0.25f * c.z };
}

static bool differs(const vd_picture *p, int64_t i, int64_t j) {
    return p->id[i] != p->id[j] || p->key[i] != p->key[j];
}

static bool on_edge(const vd_picture *p, int32_t x, int32_t y) {
    int64_t i = (int64_t)y * p->width + x;
    return (x > 0 && differs(p, i, i - 1)) || (x + 1 < p->width && differs(p, i, i + 1)) ||
           (y > 0 && differs(p, i, i - p->width)) ||
           (y + 1 < p->height && differs(p, i, i + p->width));
}

/* Four rays in place of one, on a turned square. What they meet of the surface that the middle met
 * has its colour already; any other surface is shaded once for all rays that meet it. */
static void second_pass(vd_picture *p, const shot *q, int32_t x0, int32_t y0) {
    static const double at[4][2] = {
        { .375, .125 }, { .875, .375 }, { .125, .625 }, { .625, .875 }
    };
    int32_t x1 = VD_MIN(x0 + TILE, p->width), y1 = VD_MIN(y0 + TILE, p->height);
    uint64_t mask = tile_objects(q, x0, y0, x1, y1);
    for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++) {
            if (!on_edge(p, x, y)) continue;
            const int64_t i = (int64_t)y * p->width + x;
            vd_p3f sum = { 0, 0, 0 }, colour = p->light[i];
            int id = p->id[i], face = p->key[i];
            for (int k = 0; k < 4; k++) {
                vd_vec3 d = ray(q, x + at[k][0], y + at[k][1]);
                vd_hit h = vd_trace(q->s, q->eye, d, mask);
                if (h.id == p->id[i] && h.face == p->key[i]) {
                    sum = add_quarter(sum, p->light[i]);
                    continue;
                }
                if (h.id != id || h.face != face) colour = shade(q, d, &h);
                id = h.id;
                face = h.face;
                sum = add_quarter(sum, colour);
            }
            p->light[i] = sum;
        }
}

void vd_render(vd_picture *p, const vd_scene *s, const vd_scene_camera *c,
               vd_rigid cam_from_world) {
    shot q = { .s = s, .c = c, .eye = vd_scene_eye(cam_from_world) };
    vd_quat_matrix(q.m, cam_from_world.q);
    for (int32_t y = 0; y < p->height; y += TILE)
        for (int32_t x = 0; x < p->width; x += TILE) first_pass(p, &q, x, y);
    for (int32_t y = 0; y < p->height; y += TILE)
        for (int32_t x = 0; x < p->width; x += TILE) second_pass(p, &q, x, y);
}

static float tone(const float *srgb, float x) {
    float v = x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f);
    v = VD_CLAMP(v, 0.0f, 1.0f) * (TONE_STEPS - 1);
    int i = (int)v;
    return srgb[i] + (srgb[i + 1] - srgb[i]) * (v - (float)i);
}

static uint8_t to_byte(float v) {
    return (uint8_t)VD_CLAMP(v + 0.5f, 0.0f, 255.0f);
}

void vd_picture_develop(vd_picture *p, const vd_noise *n, const vd_develop *d) {
    float srgb[TONE_STEPS + 1];
    for (int i = 0; i <= TONE_STEPS; i++) {
        double v = VD_MIN(i / (double)(TONE_STEPS - 1), 1.0);
        srgb[i] = (float)(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055));
    }
    const double cx = 0.5 * p->width, cy = 0.5 * p->height, rr = cx * cx + cy * cy;
    /* three parts of noise, one common to the channels, so that their sum has the asked sigma */
    const float common = (float)(d->noise * 0.8), own = (float)(d->noise * 0.6);
    for (int32_t y = 0; y < p->height; y++)
        for (int32_t x = 0; x < p->width; x++) {
            const int64_t i = (int64_t)y * p->width + x;
            double dx = x + 0.5 - cx, dy = y + 0.5 - cy;
            float k = (float)(d->exposure * 0.50 * (1 - d->vignette * (dx * dx + dy * dy) / rr));
            float c[3] = { tone(srgb, p->light[i].x * k), tone(srgb, p->light[i].y * k),
                           tone(srgb, p->light[i].z * k) };
            uint64_t r = vd_mix64(d->noise_seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
            float base = common * n->gauss[r & 4095];
            for (int b = 0; b < 3; b++)
                p->rgb[3 * i + b] =
                    to_byte(c[b] + base + own * n->gauss[r >> (12 * b + 12) & 4095]);
        }
}
