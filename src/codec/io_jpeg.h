/* JPEG by libjpeg-turbo: the only file that knows it. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_IO_JPEG_H
#define VD_CODEC_IO_JPEG_H

#include "codec/icc.h"
#include "codec/serve.h"

typedef struct vd_jpeg vd_jpeg;

vd_status vd_jpeg_new(vd_jpeg **out, vd_icc *icc, vd_err *err); /* borrows `icc` */
void vd_jpeg_free(vd_jpeg *j);

/* Decodes job->data into a frame: planar YCbCr or grey as stored where the colours are sRGB's, else
 * interleaved RGB. Metadata and verdict into `media`. */
vd_status vd_jpeg_decode(vd_jpeg *j, vd_serve *s, const vd_job *job, vd_media *media, vd_err *err);

const char *vd_jpeg_library(void); /* "libjpeg-turbo 2.1.5" */
#endif
