/* Captures whose truth is known. SPDX-License-Identifier: Apache-2.0
 *
 * Renders a textured scene (solid objects on the ground, walls around it, sky, a sun with soft
 * shadows) as cameras on a path see it, adds pictures with planted defects, and writes
 *
 *     OUT/images/       JPEG with EXIF: view_001.jpg ..., and KIND_01.jpg ... with the defects
 *     OUT/truth/        cameras.json, coco.json, truth.json, defects.tsv,
 *                       depth/view_001.npy (float32, metres along the optical axis, inf for sky),
 *                       masks/view_001.png (instances: 0 sky, 1 ground, from 2 on objects; 8 bits
 *                       for up to 254 objects, else 16)
 *     OUT/labels.json   on demand: what somebody would label, as COCO has it, with mistakes if
 * asked for; those are listed with the defects
 *
 * Conventions are those of the house: pixel centres at +0.5, poses cam_from_world with +z forward
 * and +y down, quaternions by field name. Distortion is COLMAP's RADIAL model, which is OpenCV's
 * with k1 and k2 alone: x_d = x (1 + k1 r^2 + k2 r^4) on the plane z = 1. */
#ifndef VD_SYNTH_SYNTH_H
#define VD_SYNTH_SYNTH_H

#include "base/pool.h"

/* Planted defects; the names are the keys of the problems that they should raise. */
typedef enum vd_defect {
    VD_DEFECT_BLURRY,      /* defocus: a Gaussian */
    VD_DEFECT_MOTION_BLUR, /* along a line */
    VD_DEFECT_DARK,
    VD_DEFECT_LIGHT,
    VD_DEFECT_NOISY,
    VD_DEFECT_TRUNCATED,       /* the end of the file is missing */
    VD_DEFECT_EXACT_DUPLICATE, /* the bytes of a view under another name */
    VD_DEFECT_NEAR_DUPLICATE,  /* a view cropped by at most 2 %, scaled, recompressed, or brightened
                                */
    VD_DEFECT_WRONG_EXTENSION, /* PNG named .jpg, JPEG named .png */
    VD_DEFECT_LOW_INFORMATION, /* a bare wall */
    VD_N_DEFECTS,
} vd_defect;

const char *vd_defect_name(vd_defect d);

/* Where the pictures are taken. */
typedef enum vd_world {
    VD_WORLD_AUTO, /* the yard for up to VD_SYNTH_YARD_VIEWS views, else the town */
    VD_WORLD_YARD, /* an arc round one yard */
    VD_WORLD_TOWN, /* a walk in loops through streets; the town grows with the number of views */
} vd_world;

enum { VD_SYNTH_YARD_VIEWS = 60 };

typedef struct vd_synth_opt {
    uint64_t seed;
    vd_world world;
    int32_t views;                 /* 1..10000 */
    int32_t width, height;         /* 64..8192 pixels */
    double focal_rel;              /* focal length in picture widths, 0.4..4 */
    double k1, k2;                 /* radial distortion; must keep the picture free of folds */
    double arc_deg;                /* how far the path goes round the yard, 0..360 */
    double noise;                  /* sigma of the sensor noise in 8-bit steps, 0..20 */
    double vignette;               /* loss of light in the corners, 0..0.9 */
    int32_t quality;               /* JPEG, 1..100 */
    bool truth_maps;               /* write depth and masks */
    int32_t defects[VD_N_DEFECTS]; /* how many of each, 0..999 */
    bool labels;                   /* write labels.json */
    int32_t label_swaps;           /* labels given a wrong class, 0..1e6; needs `labels` */
    int32_t label_gaps;            /* labels left out, likewise */
} vd_synth_opt;
#define VD_SYNTH_OPT                                                                               \
    {                                                                                              \
        .seed = 1, .views = 24, .width = 1600, .height = 1200, .focal_rel = 0.78, .arc_deg = 140,  \
        .noise = 1.0, .vignette = 0.12, .quality = 92, .truth_maps = true, .defects = {            \
            2,                                                                                     \
            2,                                                                                     \
            2,                                                                                     \
            2,                                                                                     \
            2,                                                                                     \
            2,                                                                                     \
            2,                                                                                     \
            4,                                                                                     \
            2,                                                                                     \
            2                                                                                      \
        }                                                                                          \
    }

typedef struct vd_synth_stats {
    int64_t views, files, objects; /* files: pictures in images/ */
    int64_t labels, mistakes;      /* labels written; of mistakes as many as fitted */
    int64_t image_bytes;
    double seconds;
} vd_synth_stats;

/* Called after every rendered picture, by one thread at a time; anything but VD_OK stops the work.
 */
typedef vd_status (*vd_synth_progress)(void *user, int64_t done, int64_t total);

/* Renders into `out_dir`, which must be absent, empty, or what an earlier call wrote (told by the
 * file .vidimus-synth in it; its pictures are then replaced, other files are left alone). The bytes
 * depend on `opt` alone, not on the pool. `pool`, `progress` and `out` may be NULL. Fails with
 * VD_E_ARG for an option out of range, VD_E_EXISTS for a folder of others, VD_E_IO, VD_E_NOMEM, or
 * what `progress` returned. */
vd_status vd_synth_write(const char *out_dir, const vd_synth_opt *opt, vd_pool *pool,
                         vd_synth_progress progress, void *user, vd_synth_stats *out, vd_err *err);
#endif
