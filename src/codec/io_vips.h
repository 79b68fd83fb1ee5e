/* Every still image format but JPEG, by libvips: the only files that know it are io_vips*.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_IO_VIPS_H
#define VD_CODEC_IO_VIPS_H

#include "codec/icc.h"
#include "codec/serve.h"

typedef struct vd_vips vd_vips;

/* Starts libvips on its first use; borrows `icc`. VD_E_UNSUPPORTED where it does not start. */
vd_status vd_vips_new(vd_vips **out, vd_icc *icc, vd_err *err);
void vd_vips_free(vd_vips *v);

/* Decodes job->data, of sniffed `format`: grey or RGB frames, further pages where asked for. */
vd_status vd_vips_decode(vd_vips *v, vd_serve *s, const vd_job *job, const char *format,
                         vd_media *media, vd_err *err);

struct vd_str;
void vd_vips_libraries(struct vd_str *out); /* "name version" lines */

#endif
