/* Uncompressed formats, decoded by ourselves: PNM and BMP. SPDX-License-Identifier: Apache-2.0
 *
 * Ours because the libraries at hand get them wrong: libvips 8.14 misreads plain bitmaps,
 * ImageMagick 6 refuses several valid BMP files and reads padding as alpha. Both decoders stream
 * rows into the output memory and say how many came. */
#ifndef VD_CODEC_IO_PLAIN_H
#define VD_CODEC_IO_PLAIN_H

#include "codec/icc.h"
#include "codec/serve.h"

/* Portable any-map: P1 to P6 (netpbm), P7 with a type of 1 to 4 samples, PF and Pf (bottom row
 * first). */
vd_status vd_pnm_decode(vd_serve *s, const vd_job *job, vd_media *media, vd_err *err);

/* Windows and OS/2 bitmaps of 1 to 32 bits, RLE4, RLE8, RLE24, bit fields; an embedded profile is
 * applied. JPEG, PNG and Huffman inside are unsupported. */
vd_status vd_bmp_decode(vd_icc *icc, vd_serve *s, const vd_job *job, vd_media *media, vd_err *err);

#endif
