/* Objects as bytes: what the spool of a set and the catalog hold. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Nearly all coordinates of label files are decimal numbers of a few places. Lists of numbers are
 * kept as differences of such whole numbers, when that gives back the very bits, and as doubles
 * otherwise: a polygon takes a quarter of the space and none of its exactness is lost. Layout: see
 * docs/file-formats.md. */
#ifndef VD_LABEL_PACK_H
#define VD_LABEL_PACK_H

#include "base/str.h"
#include "label/label.h"

/* Appends numbers in rows of `stride`: each is stored as the difference to that of the row before.
 */
void vd_pack_reals(vd_str *s, const double *v, int64_t n, int stride);
void vd_pack_count(vd_str *s, uint64_t v);

/* Appends the shapes of an object beyond its box: rings, runs, keypoints; nothing where there are
 * none. */
void vd_pack_shape(vd_str *s, const vd_label_object *o);

/* Memory of an object that was unpacked. A zeroed one is empty. */
typedef struct vd_shape_buf {
    double *xy, *keypoints;
    int32_t *ring;
    uint32_t *runs;
    int64_t cap_xy, cap_keypoints, cap_ring, cap_runs;
} vd_shape_buf;

/* Sets the shapes of `o` from such bytes; they lie in `buf` until the next call. Fails with
 * VD_E_FORMAT where the bytes are none of ours, VD_E_NOMEM. */
vd_status vd_unpack_shape(vd_label_object *o, vd_shape_buf *buf, const void *bytes, int64_t n,
                          vd_err *err);
void vd_shape_buf_reset(vd_shape_buf *buf);

/* A whole object but its image; texts in what is unpacked point into the bytes. */
void vd_pack_object(vd_str *s, const vd_label_object *o);
vd_status vd_unpack_object(vd_label_object *o, vd_shape_buf *buf, const void *bytes, int64_t n,
                           vd_err *err);
#endif
