/* Files of the MOTChallenge: boxes of tracks, and segmentations of the MOTS challenge.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line of a box file is `frame, id, left, top, width, height, confidence, class, ...`, numbers
 * apart by commas or blanks; the first frame is 1, coordinates are pixels. In a truth the seventh
 * number is a flag: 0 says that the box is not judged. A line of a MOTS file is `frame id class
 * height width runs`, apart by blanks, with the runs as COCO writes them (label/mask.h). */
#ifndef VD_EVAL_MOT_READ_H
#define VD_EVAL_MOT_READ_H

#include "label/mask.h"

enum {
    VD_MOT_MAX_FRAME = 10000000,
    VD_MOT_MAX_ROWS = 20000000,
    VD_MOT_NO_CLASS = -1, /* where a line ends before it */
};

typedef struct vd_mot_row {
    int32_t frame;
    int32_t line; /* of the file, from 1 */
    int64_t id;
    int32_t cls;
    bool counts;   /* of a truth: its flag; true elsewhere */
    double box[4]; /* left, top, width, height */
} vd_mot_row;

/* Rows by frame, within a frame as the file has them. Masks, where it has them, are mask[i] of
 * row[i]. A zeroed one is empty and valid. */
typedef struct vd_mot_rows {
    vd_mot_row *row;
    vd_mask *mask; /* NULL: boxes */
    int64_t n, cap;
} vd_mot_rows;

typedef enum vd_mot_side { VD_MOT_TRUTH, VD_MOT_PREDICTION } vd_mot_side;

void vd_mot_rows_reset(vd_mot_rows *r);

/* Parses `text`, of `size` bytes with a NUL after them. `where` names the file in messages, which
 * say the line. A truth must have eight numbers a line, a prediction six. The result is the
 * caller's. Fail with VD_E_FORMAT (a number that is none, missing, not finite or out of its range),
 * VD_E_LIMIT (VD_MOT_MAX_FRAME, VD_MOT_MAX_ROWS), VD_E_NOMEM. */
vd_status vd_mot_parse_boxes(vd_mot_rows *out, vd_mot_side side, const char *where,
                             const char *text, size_t size, vd_err *err);
vd_status vd_mot_parse_masks(vd_mot_rows *out, const char *where, const char *text, size_t size,
                             vd_err *err);

/* The number of frames that a sequence's `seqinfo.ini` states (seqLength of [Sequence]). Fails with
 * VD_E_FORMAT. */
vd_status vd_mot_parse_info(int32_t *out, const char *where, const char *text, vd_err *err);
#endif
