/* Votes about labels by the 3D points that they cover. SPDX-License-Identifier: Apache-2.0
 *
 * A scene knows which keypoints of its views show the same point. Two labels of different views
 * show the same object if they cover the same points, whatever their classes:
 *
 *     n points that A covers are covered by B; n is VD_POINTS_LINK or more, more than half of the
 *     points of A that B's view shows, and more than half of the points of B that A's view shows.
 *
 * So a label is linked to at most one label of each other view, and what stands before or behind it
 * links to neither. Each link is one vote of one view. A label is in doubt (`class`) if another
 * class has at least two votes and more than its own, with its own vote counted to that.
 *
 * Labels that are linked, directly or by others, are an object. It was overlooked in a view
 * (`label` -1) that has no label of it, but shows VD_POINTS_MISSING or more of those of its points
 * that two of its labels cover, VD_POINTS_BARE of them under no label at all; if three views or
 * more have it labelled, and twice as many as overlooked it: else it is not known that it is to be
 * labelled.
 *
 * Cost: the sum over points of the square of their views, of which at most VD_POINTS_WINDOW are
 * taken for each. Results depend on the input alone, sums are whole numbers. */
#ifndef VD_AUDIT_POINTS_H
#define VD_AUDIT_POINTS_H

#include "base/err.h"

enum { VD_POINTS_LINK = 3, VD_POINTS_MISSING = 5, VD_POINTS_WINDOW = 64 };
#define VD_POINTS_BARE 0.7

/* What covers a keypoint, if no label does: nothing, or perhaps something. What is not sure is not
 * counted, neither for nor against. */
enum { VD_POINTS_NO_LABEL = -1, VD_POINTS_UNSURE = -2 };

/* Observations of points in views that were labelled. */
typedef struct vd_points {
    int32_t n_views, n_points, n_labels, n_classes;
    int64_t n; /* at most INT32_MAX */
    const int32_t *view, *point, *label;
    const float *xy;                         /* 2 n, for the places of what is missing */
    const int32_t *label_view, *label_class; /* class -1: votes for nothing */
} vd_points;

typedef struct vd_points_doubt {
    int32_t view, label;   /* label -1: missing */
    int32_t class_of_most; /* what the others say it is */
    int32_t agree, against,
        own;          /* views that say so, that say something else, that say what it says */
    int64_t points;   /* that it has in common with those that agree; or that are bare */
    float box[4];     /* of something missing: x0, y0, x1, y1 around its points */
    int64_t first, n; /* the labels that agree, in vd_points_doubts.voter, by view */
} vd_points_doubt;

/* Zeroed is empty. */
typedef struct vd_points_doubts {
    vd_points_doubt *row;
    int32_t *voter;
    int64_t n, cap, n_voters, cap_voters;
    int64_t links, objects; /* pairs of labels that were linked; objects with three views or more */
} vd_points_doubts;
void vd_points_doubts_reset(vd_points_doubts *d);

/* Doubts by label, then what is missing by object and view. Fails with VD_E_NOMEM, VD_E_LIMIT. */
vd_status vd_points_judge(vd_points_doubts *out, const vd_points *in, vd_err *err);
#endif
