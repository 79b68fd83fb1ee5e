/* Pascal VOC's XML, one file a picture. SPDX-License-Identifier: Apache-2.0
 *
 * Corners are taken as they stand, x = xmin and width = xmax - xmin, as labelImg, CVAT and Datumaro
 * write them; the pixels of the challenge itself count from 1. */
#ifndef VD_LABELIO_VOC_H
#define VD_LABELIO_VOC_H

#include "labelio/format.h"

/* One document; `subset` and `name` (of the picture where the document has none) may be NULL. */
vd_status vd_voc_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                       const char *subset, const char *name, vd_err *err);
#endif
