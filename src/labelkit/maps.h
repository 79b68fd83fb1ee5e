/* Maps out of PNG files, and the objects in them. SPDX-License-Identifier: Apache-2.0
 *
 * A map gives each pixel a number: a class, an instance, an index of a palette. The samples are
 * taken as they are stored, by a decoding process that starts with the first map. */
#ifndef VD_LABELKIT_MAPS_H
#define VD_LABELKIT_MAPS_H

#include "image/codec.h"
#include "label/mask_map.h"
#include "labelkit/in.h"

enum { VD_LABEL_MAP_PIXELS = 1 << 27, VD_LABEL_MAP_COLOURS = 256 };

/* Numbers of pixels: a sample where there is one a pixel (beside alpha), of colours R + 256 G +
 * 65536 B. A zeroed one is empty; its memory is used again by the next map. */
typedef struct vd_label_map {
    int32_t width, height;
    int32_t *id; /* row-major */
    int64_t cap;
    bool colours; /* three samples a pixel */
    /* colours R + 256 G + 65536 B of the indices */
    int32_t palette[VD_LABEL_MAP_COLOURS];
    int n_palette; /* 0: these are no indices */
} vd_label_map;

void vd_label_map_reset(vd_label_map *m);

typedef enum vd_map_samples {
    VD_MAP_IDS,
    VD_MAP_COVER /* 1 where a picture covers: alpha, or any sample without one, is not 0 */
} vd_map_samples;

/* `max_pixels`: more are refused. `codec` is started when it is NULL; `libexec_dir` as in
 * vd_codec_new. Fails with VD_E_FORMAT (damaged; 16 bits a colour), VD_E_UNSUPPORTED (not a PNG),
 * VD_E_LIMIT (pixels), VD_E_IO, VD_E_NOMEM; what `out` holds is undefined then. */
vd_status vd_label_map_read(vd_label_map *out, const char *path, vd_map_samples samples,
                            int64_t max_pixels, vd_codec **codec, const char *libexec_dir,
                            vd_err *err);

/* What a reader of labels has of maps. Its masks may be taken out. */
typedef struct vd_label_maps {
    vd_codec *codec;
    vd_label_map map;
    vd_map_masks masks; /* of the map read last */
} vd_label_maps;

/* Reads the map of a picture, and its masks; `out` is valid until the next one. NULL in `out`, and
 * a loss is listed, where there is no such file, or it has another size than width x height (0 x 0:
 * any). */
vd_status vd_label_in_map(vd_label_in *in, vd_label_maps **out, const char *path,
                          vd_map_samples samples, int32_t width, int32_t height, vd_err *err);
void vd_label_maps_free(vd_label_maps *m);

/* Gives an object a mask, borrowed. */
void vd_label_give_mask(vd_label_object *o, const vd_mask *m);
#endif
