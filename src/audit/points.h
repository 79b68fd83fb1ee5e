/* Votes about labels by the 3D points that they cover. SPDX-License-Identifier: Apache-2.0
 *
 * A scene knows which keypoints of its views show the same point. From that follows which labels
 * of different views are of one object, whatever class they state:
 *
 * 1. Links. Two labels of two views are linked by the lesser of two shares: of the points that one
 *    surely covers, as far as the other's view shows them, those that the other covers, and the
 *    same the other way round. Links of VD_POINTS_LINK points (VD_POINTS_LINK_BOX of a box) and a
 *    share of VD_POINTS_SHARE make objects, the largest share first, but for those that would give
 *    an object two labels of a view.
 * 2. Owners. Boxes also have points of what is seen beside their object. A point belongs to the
 *    object that covers it in most of the views that show it; to the smallest of those that come
 *    near that (VD_POINTS_NEAR), so that what lies within something larger keeps its own.
 * 3. Members. Of each view an object gets the label, and a label the object, that fit best: the
 *    label has at least VD_POINTS_INSIDE of the object's points that the view shows, and what the
 *    points of the object span is most of what all points of the label span.
 *
 * Steps 2 and 3 are done twice. Each member is one vote of one view. A label is in doubt if most of
 * its points (a quarter, of a box) are the object's, and another class has two votes or more, and
 * more than its own, with itself among these. Of boxes it takes five votes more for each one beside
 * itself that its own has, and VD_POINTS_EVIDENCE_BOX votes and points together. It is not where
 * two objects stand one behind the other: where the label fits an object of its class, too, or
 * another label of the view the object, of that one's class.
 *
 * An object was overlooked in a view that has no label of it but shows VD_POINTS_MISSING or more of
 * its points (of boxes, half as many as these have on average), VD_POINTS_BARE of them bare: under
 * no label, or in corners of boxes of other objects. No label of its class without an object may be
 * there, three views or more must have it labelled, and twice as many as overlooked it: else it is
 * not known that it is to be labelled.
 *
 * Cost: the sum over points of the square of their views, of which at most VD_POINTS_WINDOW are
 * taken for each. Results depend on the input alone; counts are whole numbers. */
#ifndef VD_AUDIT_POINTS_H
#define VD_AUDIT_POINTS_H

#include "base/err.h"

enum {
    VD_POINTS_LINK = 2,
    VD_POINTS_LINK_BOX = 3,
    VD_POINTS_EVIDENCE_BOX = 9,
    VD_POINTS_MISSING = 5,
    VD_POINTS_WINDOW = 64
};
#define VD_POINTS_SHARE 0.5
#define VD_POINTS_NEAR 0.8
#define VD_POINTS_INSIDE 0.7
#define VD_POINTS_BESIDE 0.5
#define VD_POINTS_BARE 0.7

/* Observations of points in views that were labelled. */
typedef struct vd_points {
    int32_t n_views, n_points, n_labels, n_classes;
    int64_t n; /* at most INT32_MAX */
    const int32_t *view, *point;
    const float *xy; /* 2 n, pixels */
    /* The n_covers[i] labels at each, from cover[covers[i]] on; as -1 - label where it is not sure
     * that the label covers it, but it may. */
    const int64_t *covers;
    const int32_t *n_covers, *cover;
    const int32_t *label_view, *label_class; /* class -1: votes for nothing */
    const uint8_t *label_exact;              /* a mask or polygon: what it covers is its object */
} vd_points;

typedef struct vd_points_doubt {
    int32_t view, label;   /* label -1: missing */
    int32_t class_of_most; /* what the others say it is; -1: none says anything */
    /* views that say so, that say what the label says, itself among them, that say something else;
     * of what is missing: views that have it labelled, 0, views that overlooked it */
    int32_t agree, own, against;
    int64_t points;   /* of the object that the label covers; or that the view shows without it */
    float box[4];     /* of something missing: x0, y0, x1, y1 around most of its points */
    int64_t first, n; /* the labels that agree, in vd_points_doubts.voter, by view */
} vd_points_doubt;

/* Zeroed is empty. */
typedef struct vd_points_doubts {
    vd_points_doubt *row;
    int32_t *voter;
    int64_t n, cap, n_voters, cap_voters;
    int64_t links, objects; /* links that were found; objects of three views or more */
} vd_points_doubts;
void vd_points_doubts_reset(vd_points_doubts *d);

/* Doubts by object. Fails with VD_E_NOMEM, VD_E_LIMIT. */
vd_status vd_points_judge(vd_points_doubts *out, const vd_points *in, vd_err *err);
#endif
