/* PDQ: a 256-bit perceptual hash with a quality figure.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Algorithm: Facebook, "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm",
 * 2019, and the description that accompanies the published test hashes. Luma is smoothed by two
 * passes of a box filter along both axes, sampled at 64 x 64, transformed by a DCT; the 16 x 16
 * coefficients with frequencies 1 .. 16 become bits by comparison with their median. Smoothing and
 * sampling are one linear map per axis, applied here as sparse weights. Two hashes at Hamming
 * distance <= 31 with quality >= 50 are taken for copies. */
#ifndef VD_MEASURE_PDQ_H
#define VD_MEASURE_PDQ_H

#include "image/frame.h"
#include "measure/kern.h"

enum { VD_PDQ_SIDE = 64, VD_PDQ_BITS = 256, VD_PDQ_MIN_DIM = 5 };

typedef struct vd_pdq {
    uint64_t hash[4]; /* bit 16 i + j of the hash is bit (16 i + j) % 64 of word (16 i + j) / 64 */
    int quality;      /* 0 .. 100; below 50 the picture has too little structure to be told apart */
    float dct[256];   /* the coefficients, row-major */
} vd_pdq;

/* 64 hexadecimal digits in the reference's order (bit 255 first) and NUL. */
void vd_pdq_hex(char out[65], const uint64_t hash[4]);
bool vd_pdq_parse(uint64_t out[4], const char *hex);

/* The hashes of the picture turned and mirrored, without touching pixels: 0 as it is, 1-3 rotated
 * by 90, 180, 270 degrees counter-clockwise, 4 upside down, 5 left-right, 6 and 7 mirrored at the
 * diagonals. */
enum { VD_PDQ_DIHEDRAL = 8 };
void vd_pdq_dihedral(uint64_t out[VD_PDQ_DIHEDRAL][4], const vd_pdq *p);

/* Working memory and tables; zeroed is valid. One thread at a time. */
typedef struct vd_pdq_axis {
    int32_t size, taps;
    int32_t start[VD_PDQ_SIDE];
    float *weight; /* VD_PDQ_SIDE * taps */
    int64_t cap;
} vd_pdq_axis;
typedef struct vd_pdq_tmp {
    vd_pdq_axis axis[2];
    float *rows;
    int64_t cap_rows;
    float basis[16 * 64];
    bool ready;
} vd_pdq_tmp;
void vd_pdq_tmp_reset(vd_pdq_tmp *t);

/* The hash of a luma picture (channels 1). Below 5 x 5 pixels hash and quality are 0.
 * fails : VD_E_NOMEM */
vd_status vd_pdq_luma(vd_pdq *out, const vd_pixels *luma, vd_pdq_tmp *tmp,
                      const vd_measure_kern *kern, vd_err *err);
#endif
