/* What labels are: images, categories, objects; and the two sides between which they stream.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Coordinates are pixels of the picture as the label file states its size: x to the right, y down,
 * (0, 0) the upper left corner of the first pixel. Angles are radians, clockwise as seen.
 *
 * A reader pushes into a vd_label_sink: each category and image before the first object that names
 * it. Categories and images are named by the order in which they were pushed, from 0. Whatever the
 * sink is given is borrowed for the call. */
#ifndef VD_LABEL_LABEL_H
#define VD_LABEL_LABEL_H

#include "base/err.h"

enum { VD_LABEL_MAX_SIDE = 1 << 24, VD_LABEL_NONE = -1 };

typedef struct vd_label_category {
    int64_t id;         /* of the source */
    const char *name;   /* not empty */
    const char *parent; /* name of the category above, or NULL */
    /* a skeleton: names of its keypoints and pairs of their indices, from 0 */
    const char *const *keypoints;
    const int32_t *edges;
    int32_t n_keypoints, n_edges;
    int32_t thing; /* 1: things that are counted, -1: stuff, 0: not said */
} vd_label_category;

typedef struct vd_label_image {
    int64_t id;             /* of the source */
    const char *name;       /* path as the source has it, not empty */
    int32_t width, height;  /* 0: not stated */
    const char *subset;     /* "train", or NULL */
    const char *sequence;   /* the video or sequence it is a frame of, or NULL */
    int64_t frame;          /* in that, as the source counts; VD_LABEL_NONE: no frame */
    const char *attributes; /* a JSON object without blanks, or NULL */
} vd_label_image;

/* What an object has, beside its image. Its class is `category` alone. */
enum {
    VD_OBJ_BOX = 1,
    VD_OBJ_ROTATED = 2,    /* box: centre x, y, width, height before it is turned by `angle` */
    VD_OBJ_POLYGON = 4,    /* rings */
    VD_OBJ_LINE = 8,       /* rings that are not closed */
    VD_OBJ_MASK = 16,      /* runs */
    VD_OBJ_KEYPOINTS = 32, /* points with visibility */
    VD_OBJ_CAPTION = 64,
    VD_OBJ_TRACK = 128,
    VD_OBJ_SCORE = 256,
    VD_OBJ_AREA = 512,   /* as stated */
    VD_OBJ_CROWD = 1024, /* a group that was not taken apart */
    VD_OBJ_ID = 2048,    /* the source gave it one */
    VD_OBJ_SHAPES =
        VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_MASK | VD_OBJ_KEYPOINTS,
};

typedef struct vd_label_object {
    uint32_t has;     /* VD_OBJ_... */
    int32_t image;    /* index */
    int32_t category; /* index, VD_LABEL_NONE */
    int64_t id, track;
    double box[4]; /* x, y, width, height */
    double angle;
    double score, area;
    /* rings of x, y; a negative count of vertices: a hole of the ring before */
    const double *xy;
    const int32_t *ring;
    int32_t n_rings;
    /* runs of 0 and 1 in turn, down the columns, of a mask of that size */
    const uint32_t *runs;
    int64_t n_runs;
    int32_t mask_width, mask_height;
    /* x, y, visibility (0 not labelled, 1 hidden, 2 visible) */
    const double *keypoints;
    int32_t n_keypoints;
    const char *caption;
    const char *attributes; /* a JSON object without blanks, or NULL */
} vd_label_object;

typedef struct vd_label_sink {
    vd_status (*category)(void *user, const vd_label_category *c, vd_err *err);
    vd_status (*image)(void *user, const vd_label_image *m, vd_err *err);
    vd_status (*object)(void *user, const vd_label_object *o, vd_err *err);
    void *user;
} vd_label_sink;

/* ---- what did not fit ---- */

enum { VD_LOSS_EXAMPLES = 3 };

typedef struct vd_label_loss {
    const char *what; /* static text */
    int64_t count;
    char *example[VD_LOSS_EXAMPLES]; /* the first ones */
} vd_label_loss;

/* A zeroed report is empty. One writer. */
typedef struct vd_label_report {
    vd_label_loss *loss;
    int64_t n, cap;
} vd_label_report;

/* Counts a loss; `what` is a literal. Only the first ones of its kind are formatted. Nothing where
 * `r` is NULL. */
vd_status vd_label_lose(vd_label_report *r, vd_err *err, const char *what, const char *fmt, ...)
    VD_PRINTF(4, 5);
int64_t vd_label_lost(const vd_label_report *r, const char *what); /* 0: nothing of that kind */
void vd_label_report_reset(vd_label_report *r);

/* ---- shapes ---- */

int64_t vd_label_vertices(const vd_label_object *o);
/* Box around what the object has; false where that is nothing, or is empty. */
bool vd_label_bounds(const vd_label_object *o, double box[4]);
/* Area of mask, polygon or box, the first of them that it has. */
double vd_label_area(const vd_label_object *o);
/* The four corners of a rotated box, clockwise from the upper left of the box before the turn. */
void vd_label_corners(const vd_label_object *o, double xy[8]);
/* Sets the box and angle of an object from four corners in order, where they are a rectangle to
 * within `tolerance` pixels. */
bool vd_label_rotated_of(vd_label_object *o, const double xy[8], double tolerance);
/* Whether counts agree, numbers are finite and sides are not negative; says what is wrong. */
const char *vd_label_wrong(const vd_label_object *o);
#endif
