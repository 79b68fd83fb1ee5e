/* The marker segments of a JPEG file, read without decoding. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_JPEG_HEAD_H
#define VD_CODEC_JPEG_HEAD_H

#include "base/err.h"

typedef struct vd_jpeg_head {
    int sof; /* low byte of the frame's marker: 0xc0 baseline ... 0xcf; 0 none found */
    int32_t width, height; /* height 0: told only after the scan (DNL) */
    int bits, components;
    uint8_t h[4], v[4], table[4]; /* of the first four components */
    bool has_table[4];
    uint16_t quant[4][64]; /* in zigzag order, as stored */
    const uint8_t *exif;   /* from "Exif\0\0"; borrowed, NULL none */
    size_t exif_size;
    const uint8_t *xmp; /* the packet, after its namespace */
    size_t xmp_size;
    size_t icc_size; /* of all ICC_PROFILE segments together */
    size_t scan_at;  /* of the first SOS marker, 0 none */
    bool adobe;      /* APP14 present: CMYK is stored inverted */
} vd_jpeg_head;

/* Reads up to the first scan; damaged segments are stepped over, whatever was found is kept. Any
 * bytes are fine. */
void vd_jpeg_head_read(vd_jpeg_head *h, const uint8_t *data, size_t size);

/* The ICC profile put together from its segments into `out` (h->icc_size bytes); false where
 * segments are missing or repeated. */
bool vd_jpeg_head_icc(const vd_jpeg_head *h, const uint8_t *data, size_t size, uint8_t *out);

/* The quality setting 1..100 of the Independent JPEG Group's encoder whose luma table is nearest. 0
 * without a table. */
int vd_jpeg_quality(const uint16_t zigzag[64]);

/* "4:2:0" and its like, or "h1v1,..." factors where that has no name; "" for one component. */
void vd_jpeg_chroma(const vd_jpeg_head *h, char out[8]);

bool vd_jpeg_is_progressive(const vd_jpeg_head *h);
bool vd_jpeg_is_lossless(const vd_jpeg_head *h); /* or hierarchical: no DCT of one frame */

#endif
