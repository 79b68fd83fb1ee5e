/* From pairs to groups. SPDX-License-Identifier: Apache-2.0
 *
 * "Star" is the rule for near duplicates: items are visited from the best to keep to the worst;
 * each one that has no group yet founds one and takes all its neighbours that have none. So every
 * member is within the radius of the one that is kept, and a chain a-b-c of small steps cannot
 * bring together an a and a c that do not resemble each other. Union ("connected components") is
 * for relations that are transitive. */
#ifndef VD_INDEX_GROUPS_H
#define VD_INDEX_GROUPS_H

#include "index/hamming.h"

/* group[i] = the founder's position, or -1 for an item alone.
 * shapes : group[n]; rank[n] or NULL (= input order): lower is visited earlier, ties by position;
 *          pairs in any order
 * fails  : VD_E_ARG (a pair outside 0 .. n-1), VD_E_NOMEM; group untouched then */
vd_status vd_group_star(int32_t *group, int64_t n, const vd_pair *pair, int64_t n_pairs,
                        const int64_t *rank, vd_err *err);

/* group[i] = the lowest position connected with i, or -1 for an item alone. */
vd_status vd_group_union(int32_t *group, int64_t n, const vd_pair *pair, int64_t n_pairs,
                         vd_err *err);

/* The whole job: near-duplicate star groups of hashes. Equal hashes are collapsed before the search
 * (the best of them stands for all), so that thousands of copies of one picture cost nothing.
 * shapes : hash[n][4]; variant NULL or [n][n_variants][4], see vd_hamming_pairs_variants;
 *          distance NULL or [n]: to the founder (0 for founders and items alone) */
vd_status vd_near_groups(int32_t *group, int32_t *distance, const uint64_t (*hash)[VD_HASH_WORDS],
                         const uint64_t (*variant)[VD_HASH_WORDS], int n_variants, int64_t n,
                         const int64_t *rank, const vd_hamming_opt *opt, struct vd_pool *pool,
                         vd_err *err);
#endif
