/* What readers of label formats stand on: names to indices, checked pushing, folders, sizes of
 * pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_IN_H
#define VD_LABELKIT_IN_H

#include "base/map.h"
#include "labelkit/files.h"
#include "label/label.h"
#include "label/pack.h"

/* What may be asked of whoever reads: the size of a picture as stored, by the path that the labels
 * give it; 0 x 0 where it is not known. */
typedef vd_status (*vd_label_size_fn)(void *user, const char *name, int32_t *width, int32_t *height,
                                      vd_err *err);

typedef struct vd_label_in {
    vd_label_sink sink;
    vd_label_report *report; /* or NULL */
    const char *images;      /* folder of the pictures, or NULL */
    const char *libexec_dir; /* of the decoding processes, as vd_codec_new has it, or NULL */
    vd_label_size_fn size;   /* before the files are looked at; or NULL */
    void *size_user;
    /* filled by the functions below */
    vd_map *category_of, *image_of;
    struct vd_label_maps *maps; /* labelkit/maps.h; NULL until there is a map to read */
    int64_t n_categories, n_images, n_objects;
} vd_label_in;

vd_status vd_label_in_init(vd_label_in *in, vd_label_sink sink, vd_label_report *report,
                           vd_err *err);
void vd_label_in_reset(vd_label_in *in);

/* Index of the category or image of that name; pushed when it is new. Image names are told apart
 * within a subset; those without an id get their number from 1. `found` (or NULL) says whether it
 * was there. */
vd_status vd_label_in_category(vd_label_in *in, const vd_label_category *c, int32_t *index,
                               vd_err *err);
vd_status vd_label_in_class(vd_label_in *in, const char *name, int32_t *index, vd_err *err);
vd_status vd_label_in_image(vd_label_in *in, const vd_label_image *m, int32_t *index, bool *found,
                            vd_err *err);

/* Pushes without a look at names: the reader keeps ids. */
vd_status vd_label_in_new_category(vd_label_in *in, const vd_label_category *c, int32_t *index,
                                   vd_err *err);
vd_status vd_label_in_new_image(vd_label_in *in, const vd_label_image *m, int32_t *index,
                                vd_err *err);

/* Pushes an object after vd_label_wrong: what is wrong is an error at `where` ("gt.txt:12"); NULL:
 * it was looked at. */
vd_status vd_label_in_object(vd_label_in *in, const char *where, const vd_label_object *o,
                             vd_err *err);

/* Size of a picture: asked of the caller, then read from the file at `path` (NULL: none) or at
 * `name` below the folder of images. 0 x 0 where no picture is found; VD_E_FORMAT is never given.
 */
vd_status vd_label_in_size(vd_label_in *in, const char *name, const char *path, int32_t *width,
                           int32_t *height, vd_err *err);

/* Calls `fn` with every file below `folder` whose name ends with `suffix`, in the order of their
 * paths: `name` is relative, `where` is whole. `n`, unless NULL, gets their number. */
typedef vd_status (*vd_label_file_fn)(void *user, const char *name, const char *where,
                                      const char *text, size_t size, vd_err *err);
vd_status vd_label_each_file(const char *folder, const char *suffix, vd_label_file_fn fn,
                             void *user, int64_t *n, vd_err *err);

/* The name, relative to `folder`, of the picture that has the stem of `path`, looked for in a
 * folder beside it and in that of the pictures: "STEM.png" where there is none. Cleared and set. */
vd_status vd_label_picture_of(vd_label_in *in, vd_str *name, const char *folder, const char *beside,
                              const char *path, vd_err *err);

/* Train, val or test out of the folders of a path; NULL where none says so. */
const char *vd_label_subset_in(const char *path);

/* An object that is put together. A zeroed one is empty; clear it before each object. */
typedef struct vd_build {
    vd_label_object o;
    vd_shape_buf b;
    int64_t n_xy, n_closed; /* vertices in all, and in rings that are complete */
    vd_str attributes, caption;
} vd_build;

void vd_build_clear(vd_build *b, int32_t image);
void vd_build_reset(vd_build *b);
void vd_build_box(vd_build *b, double x, double y, double width, double height);
vd_status vd_build_vertex(vd_build *b, double x, double y, vd_err *err);
vd_status vd_build_ring(vd_build *b, uint32_t kind,
                        vd_err *err); /* of the vertices since the last */
vd_status vd_build_keypoint(vd_build *b, double x, double y, double visibility, vd_err *err);
vd_status vd_build_push(vd_build *b, vd_label_in *in, const char *where, vd_err *err);

/* An attribute into a JSON object that is being written: *s is empty, or ends before its brace. */
void vd_attr_text(vd_str *s, const char *key, const char *value);
void vd_attr_raw(vd_str *s, const char *key, const char *json);
void vd_attr_real(vd_str *s, const char *key, double value);
/* The number of an attribute out of such an object, `otherwise` where it has none. */
double vd_attr_number(const char *object, const char *key, double otherwise);
/* The whole object, NULL where nothing was added. */
const char *vd_attr_end(vd_str *s);
#endif
