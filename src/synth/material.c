/* Procedural surfaces, solid textures in the object's own frame: no seams, no stretching (Perlin,
 * "An image synthesizer", 1985; Peachey, "Solid texturing of complex surfaces", 1985). Patterns
 * with edges (bricks, planks, tiles, stripes) blend over the width of a pixel and fade to their
 * mean where a pixel spans them. Relief is the difference of the height noise at the place and a
 * little towards the sun.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/material.h"

#include <math.h>

static vd_p3f mix(vd_p3f a, vd_p3f b, float t) {
    return (vd_p3f){ a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, a.z + (b.z - a.z) * t };
}

static vd_p3f scale(vd_p3f a, float k) {
    return (vd_p3f){ a.x * k, a.y * k, a.z * k };
}

static float step_between(float lo, float hi, float v) {
    float t = VD_CLAMP((v - lo) / (hi - lo), 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

/* The distance to the nearest of lines at the multiples of `period`. */
static float line_distance(float v, float period) {
    float f = v / period;
    f -= floorf(f);
    return (f < 0.5f ? f : 1 - f) * period;
}

/* 1 in a joint of `half` width about the nearest line, 0 away from it, blended over a pixel. */
static float joint(float v, float period, float half, float width) {
    float d = line_distance(v, period), w = 0.5f * width + 0.15f * half;
    float full = 1 - step_between(half - w, half + w, d);
    float mean = 2 * half / period, far = step_between(0.35f * period, 0.8f * period, width);
    return full + (mean - full) * far;
}

/* Two coordinates on a face: along it and up it. */
static void face_uv(const vd_object *b, const vd_hit *h, float *u, float *v) {
    vd_vec3 p = h->local, n = h->local_n;
    if (b->shape == VD_SHAPE_POLY) {
        if (fabs(n.z) > 0.9) {
            *u = (float)p.x;
            *v = (float)p.y;
        } else if (fabs(n.z) > 0.1) { /* a slope: v runs up it */
            bool along_x = fabs(n.y) > fabs(n.x);
            *u = (float)(along_x ? p.x : p.y);
            *v = (float)(p.z / sqrt(1 - n.z * n.z));
        } else {
            *u = (float)(-n.y * p.x + n.x * p.y);
            *v = (float)p.z;
        }
    } else if (b->shape == VD_SHAPE_FRUSTUM && h->face == 0) {
        *u = (float)(atan2(p.y, p.x) * 0.5 * (b->half.x + b->half.y));
        *v = (float)p.z;
    } else {
        *u = (float)p.x;
        *v = (float)p.y;
    }
}

/* Bricks or tiles in rows, each second one shifted: a tint per stone, and mortar between. */
static float stones(float u, float v, float bw, float bh, float gap, float width, uint32_t salt,
                    float *mortar) {
    float row = floorf(v / bh), shift = ((int)row & 1) ? 0.5f * bw : 0;
    float tint = vd_noise_cell((int)floorf((u + shift) / bw), (int)row, 0, salt);
    float m1 = joint(u + shift, bw, gap, width), m2 = joint(v, bh, gap, width);
    *mortar = m1 > m2 ? m1 : m2;
    float far = step_between(0.3f * bh, 0.9f * bh, width);
    return tint + (0.5f - tint) * far;
}

typedef struct surface {
    const vd_scene *s;
    const vd_object *b;
    const vd_hit *h;
    vd_p3f p; /* in the frame of the texture */
    float width;
} surface;

static float fractal(const surface *q, float wavelength, float gain) {
    return vd_noise_fractal(&q->s->noise, q->p, wavelength, gain, q->width);
}

/* Four octaves of it, for broad blotches: what is finer comes from another one. */
static float blotches(const surface *q, float wavelength, float gain) {
    return vd_noise_fractal(&q->s->noise, q->p, wavelength, gain,
                            fmaxf(q->width, wavelength * (1.0f / 24)));
}

static vd_p3f brick(const surface *q) {
    float u, v, mortar;
    face_uv(q->b, q->h, &u, &v);
    float tint = stones(u, v, 0.26f, 0.085f, 0.007f, q->width, q->b->salt, &mortar);
    float n = fractal(q, 0.12f, 0.82f), dirt = blotches(q, 1.1f, 0.5f);
    vd_p3f c = mix(q->b->colour[0], q->b->colour[1], VD_CLAMP(tint + 0.22f * n, 0.0f, 1.3f));
    c = scale(c, 0.95f + 0.30f * n);
    vd_p3f grey = scale((vd_p3f){ 0.46f, 0.43f, 0.38f }, 1 + 0.25f * n);
    return scale(mix(c, grey, mortar), 0.95f + 0.22f * dirt);
}

static vd_p3f roof(const surface *q) {
    float u, v, gap;
    face_uv(q->b, q->h, &u, &v);
    float tint = stones(u, v, 0.17f, 0.14f, 0.008f, q->width, q->b->salt, &gap);
    float n = fractal(q, 0.15f, 0.72f), moss = blotches(q, 0.7f, 0.6f);
    vd_p3f c = scale(mix(q->b->colour[0], q->b->colour[1], tint), 1 + 0.30f * n);
    c = mix(c, (vd_p3f){ 0.12f, 0.15f, 0.05f }, 0.6f * step_between(0.25f, 0.9f, moss));
    return scale(c, 1 - 0.72f * gap);
}

static vd_p3f wood(const surface *q) {
    float u, v;
    face_uv(q->b, q->h, &u, &v);
    const float plank = 0.13f;
    float k = floorf(v / plank), tint = vd_noise_cell((int)k, q->h->face, 1, q->b->salt);
    vd_p3f grain = { u * 1.6f + tint * 40, v * 14, tint * 9 };
    float g = vd_noise_fractal(&q->s->noise, grain, 0.9f, 0.72f, q->width * 12);
    float n = fractal(q, 0.2f, 0.7f), seam = joint(v, plank, 0.005f, q->width);
    vd_p3f c = mix(q->b->colour[0], q->b->colour[1],
                   VD_CLAMP(0.45f + 0.5f * (tint - 0.5f) + 0.42f * g, 0.0f, 1.2f));
    c = scale(c, (1 + 0.20f * n) * (1 - 0.75f * seam));
    /* a frame of boards along the edges */
    float hu = (float)(fabs(q->h->local_n.x) > 0.5 ? q->b->half.y : q->b->half.x);
    float hv = (float)(fabs(q->h->local_n.z) > 0.5 ? q->b->half.y : q->b->half.z);
    float edge = fminf(hu - fabsf(u), hv - fabsf(v)), board = 0.09f;
    float frame = 1 - step_between(board - q->width, board + q->width, edge);
    float rim = step_between(board - q->width, board + q->width, edge) *
                (1 - step_between(board + 0.01f, board + 0.012f + q->width, edge));
    vd_p3f boards = scale(mix(q->b->colour[0], q->b->colour[1], 0.3f), 1.15f + 0.42f * n);
    return scale(mix(c, boards, frame), 1 - 0.55f * rim);
}

static vd_p3f stone(const surface *q) {
    float n = blotches(q, 0.5f, 0.74f), speck = fractal(q, 0.035f, 0.9f);
    vd_p3f c = mix(q->b->colour[1], q->b->colour[0], VD_CLAMP(0.5f + 0.42f * n, -0.2f, 1.2f));
    float lichen =
        step_between(0.55f, 0.8f,
                     vd_noise_fractal(&q->s->noise, (vd_p3f){ q->p.x + 7, q->p.y + 3, q->p.z },
                                      0.3f, 0.66f, fmaxf(q->width, 0.012f)));
    c = mix(c, (vd_p3f){ 0.40f, 0.36f, 0.13f }, 0.6f * lichen);
    return scale(c, 1 + 0.38f * speck);
}

static vd_p3f marble(const surface *q) {
    float n = fractal(q, 0.6f, 0.66f);
    float wave = (q->p.x + 0.6f * q->p.y + 1.4f * q->p.z) * 9 + 6.5f * n;
    float vein = 1 - fabsf(sinf(wave));
    vein *= vein;
    vein *= vein;
    float fine = fractal(q, 0.07f, 0.9f);
    vd_p3f c =
        mix(q->b->colour[0], q->b->colour[1], VD_CLAMP(0.85f * vein + 0.18f * n, 0.0f, 1.0f));
    return scale(c, 0.92f + 0.16f * n + 0.24f * fine);
}

static vd_p3f rust(const surface *q) {
    float n = fractal(q, 0.34f, 0.72f), fine = fractal(q, 0.04f, 0.9f);
    float edge = 0.05f + 1.2f * q->width;
    float r = step_between(0.12f - edge, 0.12f + edge, n);
    vd_p3f rusty = scale(q->b->colour[1], 1 + 0.5f * fine);
    vd_p3f paint = scale(q->b->colour[0], 1 + 0.14f * n + 0.13f * fine);
    if (q->b->shape == VD_SHAPE_FRUSTUM && q->h->face == 0) { /* hoops */
        float hoop =
            joint((float)q->h->local.z + 0.05f, (float)q->b->half.z * 0.66f, 0.018f, q->width);
        paint = scale(paint, 1 - 0.5f * hoop);
    }
    return mix(paint, rusty, r);
}

static vd_p3f plaster(const surface *q) {
    float n = blotches(q, 1.2f, 0.62f), fine = fractal(q, 0.06f, 0.9f);
    vd_p3f c = mix(q->b->colour[0], q->b->colour[1], VD_CLAMP(0.4f + 0.55f * n, 0.0f, 1.1f));
    float crumbled = step_between(0.62f, 0.62f + 0.05f + q->width, n);
    c = scale(c, 1 + 0.28f * fine);
    float u, v, mortar;
    face_uv(q->b, q->h, &u, &v);
    float tint = stones(u, v, 0.26f, 0.085f, 0.007f, q->width, q->b->salt, &mortar);
    vd_p3f under =
        scale((vd_p3f){ 0.36f, 0.17f, 0.11f }, (0.7f + 0.5f * tint) * (1 + 0.25f * fine));
    under = mix(under, (vd_p3f){ 0.42f, 0.40f, 0.36f }, mortar);
    return mix(c, under, crumbled);
}

static vd_p3f stripes(const surface *q) {
    float n = fractal(q, 0.12f, 0.74f);
    float period = (float)(q->b->half.z * 0.66);
    float band = joint((float)q->h->local.z + 0.02f * n, period, period * 0.25f, q->width);
    vd_p3f c = mix(q->b->colour[0], q->b->colour[1], band);
    float worn = step_between(0.55f, 0.9f, blotches(q, 0.2f, 0.7f));
    c = mix(c, (vd_p3f){ 0.22f, 0.20f, 0.18f }, 0.65f * worn);
    return scale(c, 0.93f + 0.24f * n);
}

/* Earth and grass, with worn flagstones in the yard's middle. */
static vd_p3f ground(const surface *q) {
    float broad = blotches(q, 3.5f, 0.55f);
    float mid = blotches(q, 0.45f, 0.72f), fine = fractal(q, 0.06f, 0.92f);
    vd_p3f earth = scale((vd_p3f){ 0.30f, 0.22f, 0.145f }, 1 + 0.30f * mid + 0.34f * fine);
    vd_p3f grass = scale((vd_p3f){ 0.115f, 0.17f, 0.045f }, 1 + 0.40f * mid + 0.50f * fine);
    float g = step_between(-0.25f, 0.35f, broad + 0.45f * mid);
    vd_p3f c = mix(earth, grass, g);
    float r = sqrtf(q->p.x * q->p.x + q->p.y * q->p.y);
    float yard = 1 - step_between(3.9f, 4.7f, r + 0.5f * broad + 0.25f * mid);
    if (yard <= 0) return c;
    float gap;
    float tint = stones(q->p.x * 0.8f + q->p.y * 0.6f + 0.02f * mid,
                        q->p.y * 0.8f - q->p.x * 0.6f + 0.02f * mid, 0.62f, 0.44f, 0.014f, q->width,
                        77, &gap);
    vd_p3f flag = mix((vd_p3f){ 0.26f, 0.24f, 0.21f }, (vd_p3f){ 0.45f, 0.41f, 0.35f }, tint);
    flag = scale(flag, 1 + 0.26f * mid + 0.38f * fine);
    flag = mix(flag, scale(earth, 0.45f), gap);
    return mix(c, flag, yard);
}

static vd_p3f paint_of(const surface *q, vd_material m) {
    switch (m) {
    case VD_MAT_BRICK: return brick(q);
    case VD_MAT_WOOD: return wood(q);
    case VD_MAT_STONE: return stone(q);
    case VD_MAT_MARBLE: return marble(q);
    case VD_MAT_RUST: return rust(q);
    case VD_MAT_TILES: return roof(q);
    case VD_MAT_PLASTER: return plaster(q);
    case VD_MAT_STRIPES: return stripes(q);
    default: return ground(q);
    }
}

/* How strongly the relief of each material shows. */
static const float depth_of[] = {
    [VD_MAT_GROUND] = 0.55f, [VD_MAT_BRICK] = 0.35f,  [VD_MAT_WOOD] = 0.2f,
    [VD_MAT_STONE] = 0.55f,  [VD_MAT_MARBLE] = 0.1f,  [VD_MAT_RUST] = 0.2f,
    [VD_MAT_TILES] = 0.35f,  [VD_MAT_PLASTER] = 0.3f, [VD_MAT_STRIPES] = 0.15f
};

static float relief_at(const surface *q, vd_material m) {
    /* towards the sun, along the surface, in the frame of the texture */
    vd_vec3 l = q->s->sun, n = q->h->normal;
    l = vd_v3_sub(l, vd_v3_mul(n, vd_v3_dot(l, n)));
    if (q->b != NULL) {
        const double *a = q->b->axis;
        l = vd_v3(a[0] * l.x + a[1] * l.y + a[2] * l.z, a[3] * l.x + a[4] * l.y + a[5] * l.z,
                  a[6] * l.x + a[7] * l.y + a[8] * l.z);
    }
    const float base = 0.09f, e = 0.012f + 0.5f * q->width;
    vd_p3f far = { q->p.x + e * (float)l.x, q->p.y + e * (float)l.y, q->p.z + e * (float)l.z };
    float h0 = vd_noise_fractal(&q->s->noise, q->p, base, 0.8f, q->width);
    float h1 = vd_noise_fractal(&q->s->noise, far, base, 0.8f, q->width);
    float shade = 1 - depth_of[m] * (h1 - h0) * 0.9f;
    return VD_CLAMP(shade, 0.35f, 1.6f);
}

static surface surface_of(const vd_scene *s, const vd_hit *h, float width, vd_material *m) {
    surface q = { .s = s, .h = h, .width = width };
    q.p = (vd_p3f){ (float)h->local.x, (float)h->local.y, (float)h->local.z };
    *m = VD_MAT_GROUND;
    if (h->id >= VD_ID_FIRST) {
        q.b = &s->object[h->id - VD_ID_FIRST];
        *m = q.b->material;
        q.p.x += (float)(q.b->salt & 255) * 0.37f;
        q.p.y += (float)(q.b->salt >> 8 & 255) * 0.37f;
    }
    return q;
}

float vd_material_relief(const vd_scene *s, const vd_hit *h, float width) {
    vd_material m;
    const surface q = surface_of(s, h, width, &m);
    return relief_at(&q, m);
}

vd_p3f vd_material_at(const vd_scene *s, const vd_hit *h, float width) {
    vd_material m;
    const surface q = surface_of(s, h, width, &m);
    vd_p3f c = paint_of(&q, m);
    return (vd_p3f){ VD_CLAMP(c.x, 0.01f, 0.95f), VD_CLAMP(c.y, 0.01f, 0.95f),
                     VD_CLAMP(c.z, 0.01f, 0.95f) };
}

vd_p3f vd_material_sky(const vd_scene *s, vd_vec3 d) {
    float up = (float)VD_MAX(d.z, 0.0);
    vd_p3f horizon = { 0.72f, 0.79f, 0.88f }, zenith = { 0.16f, 0.33f, 0.68f };
    vd_p3f c = mix(horizon, zenith, sqrtf(up));
    float k = 1.0f / (up + 0.12f); /* a layer of cloud far above */
    vd_p3f p = { (float)d.x * k, (float)d.y * k, 0.3f };
    float n = vd_noise_fractal(&s->noise, p, 0.9f, 0.58f, 0.004f * k);
    float cloud = step_between(-0.05f, 0.75f, n) * step_between(0.0f, 0.10f, up);
    c = mix(c, (vd_p3f){ 0.95f, 0.94f, 0.92f }, 0.85f * cloud);
    float sun = (float)VD_MAX(vd_v3_dot(d, s->sun), 0.0);
    sun *= sun;
    sun *= sun;
    return mix(c, (vd_p3f){ 1.2f, 1.12f, 0.95f }, 0.35f * sun * sun);
}
