/* The inner loops of the renderer: a table of slots for each CPU level, all of them made from one
 * text (kern.inc and what it includes) by the compiler's vectoriser. Every slot is additions,
 * multiplications, divisions and square roots in a stated order, without contraction into fused
 * operations and without calls of the maths library, so that all levels give the same bits;
 * tests/kern compares them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_KERN_H
#define VD_SYNTH_KERN_H

#include "synth/scene.h"

/* Work is done on up to VD_LANES pixels at once, side by side in arrays. Arrays are filled, and
 * computed, up to the next multiple of VD_LANE_STEP, so that no loop has a remainder: lanes beyond
 * `n` hold copies of the last one. */
enum { VD_LANES = 128, VD_LANE_STEP = 16 };

static inline int vd_lanes(int n) {
    return (n + VD_LANE_STEP - 1) & -VD_LANE_STEP;
}

/* One picture's point of view. */
typedef struct vd_view {
    const vd_scene *scene;
    vd_scene_camera camera;
    vd_vec3 eye;
    double m[9]; /* cam_from_world */
} vd_view;

/* A surface: an instance id and the face of it (of a polyhedron, or 0 side, 1 bottom, 2 top of a
 * frustum), in one number. */
#define VD_WHAT(id, face) ((int64_t)(id)*16 + (face))
#define VD_WHAT_ID(what) ((int)((what) >> 4))
#define VD_WHAT_FACE(what) ((int)((what)&15))

/* Rays from the eye through places of the picture. */
typedef struct vd_rays {
    int n;
    _Alignas(64) double px[VD_LANES], py[VD_LANES];  /* given: pixels */
    double dx[VD_LANES], dy[VD_LANES], dz[VD_LANES]; /* world; 1 along the optical axis */
    double t[VD_LANES];     /* of the first thing met: its depth; infinite for sky */
    int64_t what[VD_LANES]; /* that thing */
} vd_rays;

/* Places on one surface, on their way to be pictures of it. */
typedef struct vd_patch {
    int n;
    int64_t what;
    _Alignas(64) double dx[VD_LANES], dy[VD_LANES], dz[VD_LANES], t[VD_LANES]; /* given: the rays */
    double x[VD_LANES], y[VD_LANES], z[VD_LANES];                              /* the places */
    float px[VD_LANES], py[VD_LANES], pz[VD_LANES]; /* the same in the object's frame */
    float nx[VD_LANES], ny[VD_LANES], nz[VD_LANES]; /* normals, unit, in the world, outwards */
    float length[VD_LANES];                         /* of the ray's direction */
    float per_width[VD_LANES];                      /* 1 / the width of a pixel there, metres */
    float most_per_width;                           /* the greatest of them */
    float facing[VD_LANES];                         /* cosine of the sun's incidence */
    float u[VD_LANES], v[VD_LANES];                 /* coordinates on the face */
    float sun[VD_LANES], relief[VD_LANES], open[VD_LANES]; /* light that arrives */
    float red[VD_LANES], green[VD_LANES], blue[VD_LANES];  /* result: linear radiance */
    float work[6][VD_LANES];
} vd_patch;

/* A worker's notes on which objects matter to a patch; each array has an entry an object. */
typedef struct vd_found {
    int32_t *object;
    uint32_t *stamp, now;
    int n;
} vd_found;

/* A row of a picture becomes grey levels. */
typedef struct vd_film {
    const float *light[3]; /* a row of each plane */
    int width;
    float exposure;
    float fall, centre_x, dy2; /* loss of light: 1 - fall * ((x + 0.5 - centre_x)^2 + dy2) */
    float common, own; /* sigmas of the parts of noise: of all channels together, and of each */
    uint32_t key;      /* of the row's noise */
} vd_film;

typedef struct vd_synth_kern {
    const char *name;
    /* Fills dx, dy, dz. */
    void (*aim)(vd_rays *r, const vd_view *v);
    /* Fills t and what: the ground, the sky, or one of n objects, given in the order of `near`, the
     * least depth at which each can be met. */
    void (*trace)(vd_rays *r, const vd_view *v, const int32_t *object, const double *near, int n);
    /* Fills x .. facing. */
    void (*place)(vd_patch *q, const vd_view *v);
    /* Fills sun: the part of the sun's disc that is seen, 0..1, where facing > 0. */
    void (*sun)(vd_patch *q, const vd_scene *s, vd_found *f);
    /* All of it, from rays to radiance. */
    void (*shade)(vd_patch *q, const vd_view *v, vd_found *f);
    /* A sum of octaves: wavelengths `wavelength` (in the unit of x, y, z), 2.3 times less, ...,
     * each `gain` times as strong as the one before, the first of strength 1. Octaves fade out
     * where their wavelength comes near twice the width of a pixel on the surface, so that no
     * picture shows detail that it cannot resolve and two views of one place agree. n is a multiple
     * of VD_LANE_STEP, per_width nowhere greater than `most`. */
    void (*fractal)(float *out, const vd_noise *noise, const float *x, const float *y,
                    const float *z, const float *per_width, float most, int n, float wavelength,
                    float gain, uint32_t salt);
    /* rgb: 3 bytes a pixel. */
    void (*develop)(uint8_t *rgb, const vd_film *f);
    /* sum[i] += weight * a[i] */
    void (*add)(float *sum, const float *a, float weight, int64_t n);
} vd_synth_kern;

extern const vd_synth_kern vd_synth_kern_c;
#if defined(__x86_64__)
extern const vd_synth_kern vd_synth_kern_avx2;
extern const vd_synth_kern vd_synth_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_synth_kern *vd_synth_kern_for(unsigned features);
#endif
