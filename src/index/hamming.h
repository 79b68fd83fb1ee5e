/* Near-duplicate search: pairs of 256-bit hashes within a Hamming distance, exactly.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Few hashes are compared all with all. Many are cut into 16 bands of 16 bits (multi-index hashing,
 * Norouzi, Punjani and Fleet 2012): two hashes within radius r agree in at least one band up to
 * t = floor(r / 16) bits, so it suffices to compare, band after band, the hashes sorted by that
 * band's value with those in the buckets up to t bits away. A pair is reported by the first band
 * that finds it. Nothing is missed and nothing is reported twice.
 *
 *     cost : random hashes, radius 31: about n^2 / 480 comparisons; memory 36 bytes a hash beyond
 *            the input, and 12 bytes a pair found */
#ifndef VD_INDEX_HAMMING_H
#define VD_INDEX_HAMMING_H

#include "base/err.h"

struct vd_pool;

enum { VD_HASH_WORDS = 4, VD_HASH_BITS = 256 };

/* a < b are positions in the input. */
typedef struct vd_pair {
    int32_t a, b, distance;
} vd_pair;

/* A growing list; zeroed is valid and empty. */
typedef struct vd_pairs {
    vd_pair *pair;
    int64_t n, cap;
} vd_pairs;
void vd_pairs_reset(vd_pairs *p);

typedef struct vd_hamming_opt {
    int radius;        /* 0 .. 255; above 63 everything is compared with everything */
    int64_t max_pairs; /* VD_E_LIMIT beyond; 0: no limit */
    int64_t all_below; /* fewer hashes than this: compare all; 0: the measured crossover */
} vd_hamming_opt;
#define VD_HAMMING_OPT                                                                             \
    { .radius = 31 }

/* All pairs a < b of hash[0 .. n-1] with distance <= radius, ordered by (a, b): the same for any
 * pool. shapes : hash[n][4] owns   : *out is replaced (free with vd_pairs_reset), untouched on
 * failure fails  : VD_E_ARG, VD_E_NOMEM, VD_E_LIMIT threads: those of `pool`, which may be NULL */
vd_status vd_hamming_pairs(vd_pairs *out, const uint64_t (*hash)[VD_HASH_WORDS], int64_t n,
                           const vd_hamming_opt *opt, struct vd_pool *pool, vd_err *err);

/* The same for hashes that have variants (PDQ's eight turned and mirrored ones): pairs with some
 * distance(hash[a], variant[b][v]) <= radius, v = 0 .. n_variants-1; `distance` is the least of
 * them. shapes : variant[n][n_variants][4]; variant[i][0] need not be hash[i] */
vd_status vd_hamming_pairs_variants(vd_pairs *out, const uint64_t (*hash)[VD_HASH_WORDS],
                                    const uint64_t (*variant)[VD_HASH_WORDS], int n_variants,
                                    int64_t n, const vd_hamming_opt *opt, struct vd_pool *pool,
                                    vd_err *err);

static inline int vd_hamming(const uint64_t a[VD_HASH_WORDS], const uint64_t b[VD_HASH_WORDS]) {
    return __builtin_popcountll(a[0] ^ b[0]) + __builtin_popcountll(a[1] ^ b[1]) +
           __builtin_popcountll(a[2] ^ b[2]) + __builtin_popcountll(a[3] ^ b[3]);
}
#endif
