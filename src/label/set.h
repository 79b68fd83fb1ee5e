/* A label set between a reader and a writer: a sink that keeps what it is given, objects by image.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Formats differ in their order: one file a picture, or all annotations of all pictures in one
 * list. Images and categories stay in memory; objects are packed, and what exceeds a few megabytes
 * goes into a file without a name under TMPDIR. Memory is 16 bytes an object beside that. */
#ifndef VD_LABEL_SET_H
#define VD_LABEL_SET_H

#include "base/arena.h"
#include "label/pack.h"

typedef struct vd_label_set {
    vd_label_category *categories; /* texts lie in the arena */
    vd_label_image *images;
    int64_t n_categories, n_images, n_objects;
    char *name;   /* of the format it came from */
    uint32_t has; /* of all objects together */
    struct vd_label_spool *spool;
    vd_arena arena;
    int64_t cap_categories, cap_images;
} vd_label_set;

/* A zeroed set is empty; `out` collects what is pushed into the sink it gives. */
vd_label_sink vd_label_set_sink(vd_label_set *out);
void vd_label_set_reset(vd_label_set *s);

/* Sorts the objects by image, in the order in which they came. Before the first look. */
vd_status vd_label_set_finish(vd_label_set *s, vd_err *err);

/* Objects of an image: how many, and the k-th, which is valid until the next call. */
int64_t vd_label_set_count(const vd_label_set *s, int64_t image);
vd_status vd_label_set_get(vd_label_set *s, int64_t image, int64_t k, vd_label_object *out,
                           vd_err *err);
/* The i-th object in the order in which they were pushed. */
vd_status vd_label_set_nth(vd_label_set *s, int64_t i, vd_label_object *out, vd_err *err);
#endif
