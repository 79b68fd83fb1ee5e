/* Which of many vectors to take. SPDX-License-Identifier: Apache-2.0
 *
 * All of these give the same items for any pool and processor: ties go to the lower position, sums
 * are of integers or in a fixed order. */
#ifndef VD_INDEX_CHOOSE_H
#define VD_INDEX_CHOOSE_H

#include "index/vectors.h"

struct vd_pool;

/* Diversity. k-centre greedy (Gonzalez, "Clustering to minimize the maximum intercluster distance",
 * 1985): each item is the one least like all those taken before it; the largest distance left is at
 * most twice the least possible. The first is the one most like the mean of all, or what is already
 * there is given as `start` (and not taken again). Exact, and lazy: an item is compared with new
 * centres only when it could be the farthest.
 *     shapes : chosen[count], cosine NULL or [count]: to the most similar of those before (the
 * first one's is -1 where there is no start); start[n_start] fails  : VD_E_ARG (count outside 0 ..
 * n - n_start, a start outside 0 .. n-1), VD_E_NOMEM cost   : at most n * (count + n_start)
 * products */
vd_status vd_kcentre(int32_t *chosen, float *cosine, const vd_vectors *v, int64_t count,
                     const int32_t *start, int64_t n_start, struct vd_pool *pool, vd_err *err);

/* Coverage. Facility location: the items S whose sum over all i of max over s in S of cosine(i, s)
 * is largest, by the greedy algorithm (Nemhauser, Wolsey and Fisher 1978: at least 1 - 1/e of the
 * optimum), made lazy. Cosines are taken from 0 to 1 in steps of 1/32767, so that all sums are
 * exact.
 *
 * Up to `exact` items every cosine is kept (2 n^2 bytes). Beyond, GreeDi (Mirzasoleiman, Karbasi,
 * Sarkar and Krause, "Distributed submodular maximization", NIPS 2013): random parts of about
 * `part` items each choose for themselves more than their share, and the choice among these is
 * greedy for all items, or for a random sample of them where their cosines would take more than
 * `bytes`. */
typedef struct vd_facility_opt {
    int64_t exact; /* items; 0: always in parts */
    int64_t part;  /* items */
    int64_t bytes; /* of cosines */
    uint64_t seed; /* of parts and samples */
} vd_facility_opt;
#define VD_FACILITY_OPT                                                                            \
    { .exact = 22000, .part = 5000, .bytes = 1 << 30, .seed = 1 }

/*     shapes : chosen[count]; gain NULL or [count]: what each added to the mean over all items, or
 *              over the sample
 *     fails  : VD_E_ARG (count outside 0 .. n, bad options), VD_E_NOMEM */
vd_status vd_facility(int32_t *chosen, double *gain, const vd_vectors *v, int64_t count,
                      const vd_facility_opt *opt, struct vd_pool *pool, vd_err *err);

/* The objective: the mean over all items of the cosine (0 .. 1, in those steps) to the most similar
 * chosen one. Fails with VD_E_NOMEM. */
vd_status vd_facility_value(double *value, const vd_vectors *v, const int32_t *chosen,
                            int64_t count, struct vd_pool *pool, vd_err *err);

/* Clusters: spherical k-means, Lloyd's rounds from k random items; an empty cluster takes the item
 * least like its own centre. int8 rows are worked on as floats.
 *     shapes : label[n], centre replaced: k rows; k <= n
 *     fails  : VD_E_ARG, VD_E_NOMEM */
vd_status vd_kmeans(int32_t *label, vd_vectors *centre, const vd_vectors *v, int k, int rounds,
                    uint64_t seed, struct vd_pool *pool, vd_err *err);

/* Balance. Hierarchical k-means with balanced sampling (Vo et al., "Automatic data curation for
 * self-supervised learning: a clustering-based approach", 2024): items are clustered, then the
 * centres, and so on; the count is shared out evenly from the top down among clusters that still
 * have items, and each lowest cluster gives those most like its centre. Frequent sights give no
 * more than rare ones. */
typedef struct vd_balance_opt {
    int levels;    /* of clusters */
    int branch;    /* items or centres a cluster, on average; 0: the (levels + 1)th root of n */
    int rounds;    /* of k-means */
    uint64_t seed; /* of its starts */
} vd_balance_opt;
#define VD_BALANCE_OPT                                                                             \
    { .levels = 2, .rounds = 10, .seed = 1 }
/*     shapes : chosen[count], by cluster and rank in it
 *     fails  : as vd_facility */
vd_status vd_balance(int32_t *chosen, const vd_vectors *v, int64_t count, const vd_balance_opt *opt,
                     struct vd_pool *pool, vd_err *err);

/* Shares `count` out among parts that can take cap[i] at most, as evenly as that allows; what does
 * not divide goes to the first parts. share[n]; count at most the sum of cap. */
void vd_share_evenly(int64_t *share, const int64_t *cap, int64_t n, int64_t count);

/* Similarity: the `count` items most like any of `like`, best first, those themselves left out.
 *     shapes : chosen[count] (-1 past the last), cosine NULL or [count] */
vd_status vd_most_similar(int32_t *chosen, float *cosine, const vd_vectors *v, int64_t count,
                          const int32_t *like, int64_t n_like, struct vd_pool *pool, vd_err *err);
#endif
