/* Pictures of the scene. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_RENDER_H
#define VD_SYNTH_RENDER_H

#include "synth/scene.h"

/* One picture and its truth, row-major. Zeroed is empty; reused from picture to picture; free with
 * vd_picture_reset. */
typedef struct vd_picture {
    int32_t width, height;
    vd_p3f *light; /* linear radiance, before the lens' fall-off */
    float *depth;  /* along the optical axis at the pixel's centre, metres; infinite for sky */
    uint8_t *id;   /* instance at the pixel's centre */
    uint8_t *key;  /* scratch: face at the pixel's centre */
    uint8_t *rgb;  /* made by vd_picture_develop */
    int64_t cap;   /* pixels allocated */
} vd_picture;

vd_status vd_picture_size(vd_picture *p, int32_t width, int32_t height, vd_err *err);
void vd_picture_reset(vd_picture *p);

/* Fills light, depth and id: one sample a pixel, four where an outline or an edge crosses it. */
void vd_render(vd_picture *p, const vd_scene *s, const vd_scene_camera *c, vd_rigid cam_from_world);

typedef struct vd_develop {
    double exposure; /* 1 is right */
    double vignette; /* part of the light lost in the corners */
    double noise;    /* sigma in 8-bit steps */
    uint64_t noise_seed;
} vd_develop;

/* Fills rgb from light: fall-off, exposure, tone curve (Narkowicz's fit to the ACES curve, 2016),
 * sRGB, noise. */
void vd_picture_develop(vd_picture *p, const vd_noise *n, const vd_develop *d);
#endif
