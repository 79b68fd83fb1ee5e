/* A global descriptor of a picture from its local ones, to find pictures that may show the same
 * place without matching them. SPDX-License-Identifier: Apache-2.0
 *
 * VLAD (Jegou, Douze, Schmid and Perez, "Aggregating local descriptors into a compact image
 * representation", CVPR 2010): each local descriptor goes to the nearest word of a vocabulary, and
 * what it differs from the word by is summed word by word. Each word's sum is scaled to the same
 * length (Arandjelovic and Zisserman, "All about VLAD", CVPR 2013; square roots after it, or in its
 * place, find fewer of the true pairs), and the whole is scaled and kept in 8 bits. The vocabulary
 * is made by spherical k-means from descriptors of the pictures at hand. Words have the length of a
 * descriptor, so that nearest is largest product: distances are exact integers, and the same inputs
 * give the same bits on every processor. */
#ifndef VD_FEATURE_VLAD_H
#define VD_FEATURE_VLAD_H

#include "feature/sift.h"

enum {
    VD_VLAD_MAX_WORDS = 1024,
    /* Good numbers, measured by bench/pairs.py: of words, of a picture's features to encode (the
     * first are the largest), of descriptors of all pictures to make words from. */
    VD_VLAD_WORDS = 64,
    VD_VLAD_FEATURES = 2048,
    VD_VLAD_SAMPLE = 1 << 16,
};

/* Zeroed is valid and empty. Any number of readers. */
typedef struct vd_vocabulary {
    int n;
    uint8_t *word; /* n * VD_SIFT_DIM */
} vd_vocabulary;
void vd_vocabulary_reset(vd_vocabulary *v);

/* Makes `words` words from n descriptors (of all pictures, or a sample of them).
 *     owns   : *out is replaced, untouched on failure
 *     fails  : VD_E_ARG (fewer descriptors than words, a number of words outside 1 ..
 *              VD_VLAD_MAX_WORDS), VD_E_NOMEM */
vd_status vd_vlad_train(vd_vocabulary *out, const uint8_t *desc, int n, int words, uint64_t seed,
                        vd_err *err);

/* Bytes of a picture's code. */
static inline int vd_vlad_size(const vd_vocabulary *v) {
    return v->n * VD_SIFT_DIM;
}

/* code[vd_vlad_size(v)] of a picture with n descriptors; all zero where n is 0.
 *     fails  : VD_E_ARG, VD_E_NOMEM */
vd_status vd_vlad_encode(int8_t *code, const vd_vocabulary *v, const uint8_t *desc, int n,
                         vd_err *err);

/* For each of the pictures from .. to - 1 of n the k most similar others, best first, equal ones by
 * position; -1 where there are no more of a similarity above 0.
 *     shapes : out[(to - from) * k], code[n * size]
 *     cost   : (to - from) * n * size multiplications; 32 pictures at a time stay in the cache
 * while all others pass by fails  : VD_E_ARG, VD_E_NOMEM */
vd_status vd_vlad_nearest(int32_t *out, int k, const int8_t *code, int n, int size, int from,
                          int to, vd_err *err);
#endif
