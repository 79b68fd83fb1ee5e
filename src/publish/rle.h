/* Parquet's hybrid of runs and packed bits. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_RLE_H
#define VD_PUBLISH_RLE_H

#include "base/str.h"

/* Bits that numbers up to `largest` need, at least 1. */
int vd_rle_width(uint32_t largest);

/* Appends n numbers below 2^width: runs of eight and more equal ones as runs, all else in groups of
 * eight, packed from the lowest bit on; the last group is filled up with zeros. */
void vd_rle_add(vd_str *out, const uint32_t *v, int64_t n, int width);
#endif
