/* Binary masks as run lengths. SPDX-License-Identifier: Apache-2.0
 *
 * The form is COCO's: pixels are counted down the columns, left to right, and runs of background
 * and foreground take turns, background first (so that the first may be 0). Files hold the runs as
 * a list of numbers, or as text: each number (from the fourth on its difference to the one two
 * before) in groups of five bits, the lowest first, a sixth bit saying that more follow, and 48
 * added to make a printable character.
 *
 * Coordinates of polygons and boxes are continuous pixels, the origin at the outer corner of the
 * first pixel. Polygons are filled as the COCO API fills them, bit for bit: see mask_polygon.c.
 * Threads: any number of readers of one mask. */
#ifndef VD_LABEL_MASK_H
#define VD_LABEL_MASK_H

#include "base/str.h"

/* A zeroed mask is empty and valid: no pixels, no runs. A filled one has at least one run, and its
 * runs add up to height * width; runs of 0 may occur anywhere in what files hold. */
typedef struct vd_mask {
    int32_t height, width;
    int64_t n;
    uint32_t *run;
} vd_mask;

enum { VD_MASK_MAX_PIXELS = INT32_MAX };

void vd_mask_reset(vd_mask *m);

/* Out of a file's text or numbers; `where` names the mask in messages. Runs that stop before the
 * last pixel are completed with background. Outputs are untouched on failure. Fail with VD_E_FORMAT
 * (a character or number that is none, runs beyond the last pixel), VD_E_LIMIT (size), VD_E_NOMEM.
 */
vd_status vd_mask_from_text(vd_mask *out, const char *where, const char *text, int64_t n,
                            int64_t height, int64_t width, vd_err *err);
vd_status vd_mask_from_runs(vd_mask *out, const char *where, const double *run, int64_t n,
                            int64_t height, int64_t width, vd_err *err);
/* Appends the text; a zeroed mask gives none. */
void vd_mask_text(const vd_mask *m, vd_str *out);

/* From and to bytes in rows, `stride` bytes from one to the next: every byte but 0 is foreground.
 * vd_mask_paint sets the foreground to `value` and leaves the rest. Fails with VD_E_LIMIT,
 * VD_E_NOMEM. */
vd_status vd_mask_from_bytes(vd_mask *out, const uint8_t *pixel, ptrdiff_t stride, int64_t height,
                             int64_t width, vd_err *err);
void vd_mask_paint(const vd_mask *m, uint8_t *pixel, ptrdiff_t stride, uint8_t value);

/* The inside of a polygon of n corners (xy[2 * n]), by the COCO API's rule; of a box x, y, width,
 * height: of the polygon of its corners. Fail with VD_E_FORMAT (a coordinate that is not finite or
 * farther than VD_MASK_MAX_COORD from the origin), VD_E_LIMIT, VD_E_NOMEM. */
#define VD_MASK_MAX_COORD 1e8
vd_status vd_mask_from_polygon(vd_mask *out, const char *where, const double *xy, int64_t n,
                               int64_t height, int64_t width, vd_err *err);
vd_status vd_mask_from_box(vd_mask *out, const char *where, const double box[4], int64_t height,
                           int64_t width, vd_err *err);

/* Brought to another size: the nearest pixel stands for each. A mask of no pixels fails with
 * VD_E_ARG; with VD_E_LIMIT (size), VD_E_NOMEM. */
vd_status vd_mask_resize(vd_mask *out, const vd_mask *m, int64_t height, int64_t width,
                         vd_err *err);

/* Union, or intersection, of n >= 1 masks of one size. Fails with VD_E_ARG (sizes differ),
 * VD_E_NOMEM. */
vd_status vd_mask_merge(vd_mask *out, const vd_mask *m, int64_t n, bool intersect, vd_err *err);

int64_t vd_mask_area(const vd_mask *m); /* pixels */
/* x, y, width, height of the foreground in pixels; zeros where there is none. */
void vd_mask_box(const vd_mask *m, double box[4]);
int64_t vd_mask_common(const vd_mask *a, const vd_mask *b); /* pixels of both; sizes are the same */

/* Intersection over union; over the area of `a` where `b` is a crowd. 0 without common pixels, -1
 * where the sizes differ. */
double vd_mask_iou(const vd_mask *a, const vd_mask *b, bool crowd);

/* The same of boxes x, y, width, height. */
double vd_box_iou(const double a[4], const double b[4], bool crowd);
#endif
