/* Filling in a verdict. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_REPORT_H
#define VD_CODEC_REPORT_H

#include "codec/module.h"
#include "image/media.h"

/* Sets verdict, reason and detail, unless a later verdict in vd_verdict's order is set already. */
VD_FOR_MODULE void vd_report(vd_media *m, vd_verdict v, const char *reason, const char *fmt, ...)
    VD_PRINTF(4, 5);

/* Takes the size that a header declares, upright by m->orientation; false where it is over the
 * limit or not positive, with the verdict set. */
VD_FOR_MODULE bool vd_report_size(vd_media *m, int64_t width, int64_t height, int64_t max_pixels);

/* One line of a library's message: control characters and line ends become spaces. */
VD_FOR_MODULE void vd_report_line(char *out, size_t size, const char *text);

#endif
