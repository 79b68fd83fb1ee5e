/* How many of each kind every item has: a sparse table of whole numbers. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_INDEX_COUNTS_H
#define VD_INDEX_COUNTS_H

#include "base/err.h"

typedef struct vd_count {
    int32_t kind, n;
} vd_count;

/* Zeroed is valid and empty. Item i has the pairs from start[i] up to start[i + 1]; in it kinds
 * ascend and are below n_kinds, counts are at least 1. */
typedef struct vd_counts {
    int64_t n;      /* items */
    int64_t *start; /* [n + 1] */
    vd_count *pair;
    int64_t n_pairs, cap;
    int32_t n_kinds;
} vd_counts;

/* No items yet, and room for n. Fails with VD_E_NOMEM. */
vd_status vd_counts_init(vd_counts *c, int64_t n, int32_t n_kinds, vd_err *err);
void vd_counts_reset(vd_counts *c);

/* One more kind of the item that is being filled. Fails with VD_E_NOMEM. */
vd_status vd_counts_add(vd_counts *c, int32_t kind, int32_t n, vd_err *err);
void vd_counts_end(vd_counts *c); /* that item is complete */

/* Chooses items so that the kinds come out even: again and again the item with which the entropy
 * of the shares of kinds is largest, of equal ones the first. Items without any kind are never
 * chosen.
 *     shapes : chosen[count], evenness[count]: the entropy after each choice over the largest
 *              possible, 0 to 1 (1 where there is one kind only)
 *     returns: in *n_chosen how many, fewer than `count` where there are no more
 *     fails  : VD_E_NOMEM
 *     cost   : O(count * n), few operations each */
vd_status vd_choose_even(int32_t *chosen, double *evenness, int64_t *n_chosen, const vd_counts *c,
                         int64_t count, vd_err *err);

/* Deals items out to parts so that each part gets its share of every kind and of all weight.
 * Iterative stratification [Sechidis, Tsoumakas and Vlahavas, "On the stratification of
 * multi-label data", ECML PKDD 2011]: the kind with the least left first, each item that has it to
 * the part that still wants most of it. Theirs are items of one picture; here an item is a whole
 * group, so those with most of the kind go first, and at the end groups move between parts, or
 * change places, for as long as that brings the parts nearer to their shares.
 *     shapes : part[n], weight[n] (pictures of a group, at least 1), draw[n] (decides between
 *              what is otherwise equal), share[n_parts], summing to 1; at most 255 parts
 *     fails  : VD_E_NOMEM */
vd_status vd_stratify(uint8_t *part, const vd_counts *c, const int64_t *weight,
                      const uint64_t *draw, const double *share, int n_parts, vd_err *err);
#endif
