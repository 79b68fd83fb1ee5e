/* One vector for a whole picture, made from its descriptors: pictures of one place have similar
 * vectors, which tells what is worth matching without matching everything. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Vector of locally aggregated descriptors [Jegou, Douze, Schmid and Perez 2010], with the
 * residuals of each visual word normalised on their own [Arandjelovic and Zisserman 2013]. The
 * vocabulary is trained on the pictures themselves by k-means. Sums have a fixed order: the same
 * bits on every machine, whatever the number of threads. */
#ifndef VD_FEATURE_VLAD_H
#define VD_FEATURE_VLAD_H

#include "feature/sift.h"

enum { VD_VLAD_WORDS = 64, VD_VLAD_DIM = VD_VLAD_WORDS * VD_SIFT_DIM };

/* Visual words, row-major; one writer or many readers. */
typedef struct vd_vocabulary {
    float word[VD_VLAD_WORDS][VD_SIFT_DIM];
} vd_vocabulary;

/* k-means over n descriptors (n >= 1), from words spread evenly over the list.
 * cost: n * VD_VLAD_DIM multiplications a round; take tens of thousands of descriptors
 * fails: VD_E_ARG (n < 1), VD_E_NOMEM */
vd_status vd_vocabulary_train(vd_vocabulary *out, const uint8_t *desc, int64_t n, vd_err *err);

/* The vector of n descriptors, of length 1; zero where n is 0. */
void vd_vlad(float out[VD_VLAD_DIM], const vd_vocabulary *v, const uint8_t *desc, int n);

/* Dot product of two vectors: 1 alike, about 0 unrelated. */
float vd_vlad_similarity(const float a[VD_VLAD_DIM], const float b[VD_VLAD_DIM]);
#endif
