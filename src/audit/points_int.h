/* What the steps of points.h share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_AUDIT_POINTS_INT_H
#define VD_AUDIT_POINTS_INT_H

#include "audit/points.h"
#include "base/mem.h"

/* Lists of numbers: those of i are item[start[i]] .. item[start[i + 1] - 1]. Made by counting: each
 * member of i into start[i + 2], then vd_lists_sum, then vd_lists_put for each. */
typedef struct vd_lists {
    int64_t *start;
    int32_t *item;
} vd_lists;

vd_status vd_lists_new(vd_lists *l, int64_t n, vd_err *err);
vd_status vd_lists_sum(vd_lists *l, int64_t n, vd_err *err);
/* The indices 0..n-1 by their key, in order; those of negative keys are left out. */
vd_status vd_lists_by(vd_lists *l, const int32_t *key, int64_t n_keys, int64_t n, vd_err *err);
void vd_lists_reset(vd_lists *l);
static inline void vd_lists_put(vd_lists *l, int32_t i, int32_t item) {
    l->item[l->start[i + 1]++] = item;
}

/* Counts by number, and which of them are not 0, so that they are cleared without looking at all.
 */
typedef struct vd_point_votes {
    int32_t *count, *list;
    int32_t n;
} vd_point_votes;

vd_status vd_point_votes_new(vd_point_votes *t, int64_t n, vd_err *err);
void vd_point_votes_sort(vd_point_votes *t); /* the list, by number */
void vd_point_votes_clear(vd_point_votes *t);
void vd_point_votes_reset(vd_point_votes *t);
static inline int32_t vd_point_votes_add(vd_point_votes *t, int32_t i) {
    if (t->count[i] == 0) t->list[t->n++] = i;
    return ++t->count[i];
}

typedef struct vd_points_work {
    const vd_points *in;
    vd_lists of_point; /* observations of each point */
    vd_lists of_label; /* observations that each label covers; as -1 - observation if not surely */
    int32_t *object;   /* of each label; -1: none. Objects have the numbers of labels */
    int32_t *owner;    /* object of each point; -1: none */
    int32_t *inside;   /* points of its object that each label covers */
    uint8_t *pure;     /* most of what a label surely covers is its object's */
    /* labels that fit an object beside their own, by view */
    int32_t *beside_label, *beside_object;
    int64_t n_beside, cap_beside_label, cap_beside_object;
    int64_t n_links;
} vd_points_work;

static inline const int32_t *vd_covers(const vd_points *in, int64_t o) {
    return in->cover + in->covers[o];
}

/* Of an entry of vd_points.cover, or of of_label. */
static inline int32_t vd_cover_index(int32_t entry) {
    return entry < 0 ? -1 - entry : entry;
}

/* The points that a label must have in common with another, or with an object. */
static inline int32_t vd_points_least(const vd_points *in, int32_t label) {
    return in->label_exact[label] ? VD_POINTS_LINK : VD_POINTS_LINK_BOX;
}

/* Step 1: fills `object`. Steps 2 and 3, from the objects that are there. */
vd_status vd_points_link(vd_points_work *w, vd_err *err);
vd_status vd_points_own(vd_points_work *w, vd_err *err);
vd_status vd_points_join(vd_points_work *w, vd_err *err);
#endif
