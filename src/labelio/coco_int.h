/* Reading COCO: what the files of the reader share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_COCO_INT_H
#define VD_LABELIO_COCO_INT_H

#include "base/json_stream.h"
#include "label/mask.h"
#include "labelio/coco.h"

enum { VD_COCO_MAX_DEFERRED = 4 };

typedef struct vd_coco {
    vd_label_in *in;
    vd_json_stream *s;
    vd_map *categories, *images; /* from ids of the file to indices */
    vd_map *licences;            /* likewise, into their names */
    vd_names licence;
    const char *subset;
    bool have_images, have_categories, results;
    vd_js_mark deferred[VD_COCO_MAX_DEFERRED];
    int n_deferred;
    /* of the item that is read; kept for their memory */
    vd_js_reals_buf xy, keypoints, runs, segment;
    int32_t *ring;
    int64_t cap_ring;
    vd_str name, parent, text, attributes, caption;
    vd_names points;
    vd_mask mask;
    /* of panoptic files: folder of the maps and name of one; sizes of images, two numbers each */
    vd_str maps, map;
    int32_t *size;
    int64_t n_size, cap_size;
    uint8_t *met; /* whether a number of the map has a segment */
    int64_t cap_met;
} vd_coco;

bool vd_coco__is(vd_js_text key, const char *name);
vd_status vd_coco__keep(vd_str *to, vd_js_text text, vd_err *err);
/* The value at hand: a name; an id, which some programs write as text; a member that the format
 * does not know, kept in c->attributes unless it is null. */
vd_status vd_coco__name(vd_coco *c, vd_str *to, const char *what, vd_err *err);
vd_status vd_coco__id(vd_coco *c, int64_t *out, const char *what, vd_err *err);
vd_status vd_coco__attribute(vd_coco *c, vd_js_text key, vd_err *err);

/* Items of the lists of a document. */
vd_status vd_coco__read_category(vd_coco *c, vd_err *err);
vd_status vd_coco__read_licence(vd_coco *c, vd_err *err);
vd_status vd_coco__read_image(vd_coco *c, vd_err *err);
vd_status vd_coco__read_annotation(vd_coco *c, vd_err *err);
#endif
