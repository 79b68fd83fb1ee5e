/* Pictures of the scene. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_RENDER_H
#define VD_SYNTH_RENDER_H

#include "synth/kern.h"

/* An object as the eye sees it: its bounding sphere. */
typedef struct vd_sighting {
    vd_vec3 way;                   /* from the eye to its centre */
    double near;                   /* the least depth at which it can be met */
    double distance, sine, cosine; /* of half the angle that it spans; sine 1: all around the eye */
    int32_t object;
} vd_sighting;

/* One picture and its truth, row-major. Zeroed is empty; reused from picture to picture; free with
 * vd_picture_reset. */
typedef struct vd_picture {
    int32_t width, height;
    float *light[3]; /* linear radiance, before the lens' fall-off: red, green, blue planes */
    float *depth;    /* along the optical axis at the pixel's centre, metres; infinite for sky */
    uint16_t *id;    /* instance at the pixel's centre */
    uint8_t *rgb;    /* made by vd_picture_develop */
    uint32_t *what;  /* scratch of vd_render: the surface at the pixel's centre (kern.h) */
    uint8_t *edge;   /* scratch of vd_render: whether a neighbour shows another surface */
    int64_t cap;     /* pixels allocated */
    vd_sighting *sighting; /* scratch of vd_render, like all that follows */
    int32_t *list[3];
    double *near;
    vd_found found;
    int64_t cap_objects;
} vd_picture;

vd_status vd_picture_size(vd_picture *p, int32_t width, int32_t height, vd_err *err);
void vd_picture_reset(vd_picture *p);

/* Fills light, depth and id of a picture of the camera's size: one sample a pixel, four where an
 * outline or an edge crosses it. Fails with VD_E_NOMEM. */
vd_status vd_render(vd_picture *p, const vd_synth_kern *kern, const vd_scene *s,
                    const vd_scene_camera *c, vd_rigid cam_from_world, vd_err *err);

typedef struct vd_develop {
    double exposure; /* 1 is right */
    double vignette; /* part of the light lost in the corners */
    double noise;    /* sigma in 8-bit steps */
    uint64_t noise_seed;
} vd_develop;

/* Fills rgb from light: fall-off, exposure, tone curve, noise. */
void vd_picture_develop(vd_picture *p, const vd_synth_kern *kern, const vd_develop *d);
#endif
