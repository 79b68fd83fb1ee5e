/* Vectors of pictures: those of the same descriptors are alike, in any order; of others not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "feature/vlad.h"

enum { PLACES = 12, EACH = 400, SHARED = 250 };

/* Descriptors of a place: blobs of its own around a few centres. */
static void descriptor(uint8_t *out, uint64_t place, uint64_t i) {
    vd_rng centre = vd_rng_for(1, place, i % 40), own = vd_rng_for(2, place, i);
    for (int k = 0; k < VD_SIFT_DIM; k++) {
        double v = vd_rng_range(&centre, 0, 120) + 8 * vd_rng_normal(&own);
        out[k] = (uint8_t)VD_CLAMP(v, 0, 255);
    }
}

/* Two pictures of each place that share SHARED of EACH descriptors. */
static uint8_t *pictures(void) {
    uint8_t *d = malloc((size_t)2 * PLACES * EACH * VD_SIFT_DIM);
    for (uint64_t p = 0; p < 2 * PLACES; p++)
        for (uint64_t i = 0; i < EACH; i++)
            descriptor(d + (p * EACH + i) * VD_SIFT_DIM, p / 2,
                       i < SHARED ? i : 1000 * (p + 1) + i);
    return d;
}

T(pictures_of_one_place_are_most_alike) {
    vd_err err = { 0 };
    static vd_vocabulary v;
    static float x[2 * PLACES][VD_VLAD_DIM];
    uint8_t *d = pictures();
    T_OK(vd_vocabulary_train(&v, d, 2 * PLACES * EACH, &err));
    for (int p = 0; p < 2 * PLACES; p++) {
        vd_vlad(x[p], &v, d + (size_t)p * EACH * VD_SIFT_DIM, EACH);
        T_NEAR(vd_vlad_similarity(x[p], x[p]), 1, 1e-5);
    }
    for (int p = 0; p < 2 * PLACES; p++)
        for (int q = 0; q < 2 * PLACES; q++)
            if (q / 2 != p / 2)
                T_LT(vd_vlad_similarity(x[p], x[q]), vd_vlad_similarity(x[p], x[p ^ 1]) - 0.1f);
    free(d);
}

T(order_does_not_matter_much_and_nothing_gives_zero) {
    vd_err err = { 0 };
    static vd_vocabulary v;
    static float a[VD_VLAD_DIM], b[VD_VLAD_DIM];
    uint8_t *d = pictures(), *r = malloc((size_t)EACH * VD_SIFT_DIM);
    T_OK(vd_vocabulary_train(&v, d, PLACES * EACH, &err));
    for (int i = 0; i < EACH; i++)
        memcpy(r + (size_t)i * VD_SIFT_DIM, d + (size_t)(EACH - 1 - i) * VD_SIFT_DIM, VD_SIFT_DIM);
    vd_vlad(a, &v, d, EACH);
    vd_vlad(b, &v, r, EACH);
    T_NEAR(vd_vlad_similarity(a, b), 1, 1e-4);
    vd_vlad(a, &v, d, 0);
    T_NEAR(vd_vlad_similarity(a, b), 0, 0);
    T_OK(vd_vocabulary_train(&v, d, 3, &err)); /* fewer than words */
    T_EQ(vd_vocabulary_train(&v, d, 0, NULL), VD_E_ARG);
    free(d);
    free(r);
}
