/* Frames out of video files, by FFmpeg. SPDX-License-Identifier: Apache-2.0
 *
 *     vd_video *v = NULL;
 *     vd_media_init(&media);
 *     st = vd_video_open(&v, &in, &opt, &media, err);   // v stays NULL where there is nothing to
 * decode while (v != NULL && (st = vd_video_next(v, &f, &found, err)) == VD_OK && found) {
 *         ... memory for f.frame.plane[i].height lines of at least .width bytes ...
 *         st = vd_video_write(v, dst, stride, err);
 *     }
 *     if (v != NULL) vd_video_verdict(v, &media);
 *     vd_video_free(v);
 *
 * A bad file is a verdict in `media`, not a failure. One vd_video belongs to one thread and decodes
 * in that thread alone. The frames, their times and their pixels are the same on every machine.
 *
 * Times are seconds from the start of the video stream. A frame is delivered
 *   - VD_SAMPLE_INTERVAL: if it is the first at or after one of the times 0, s, 2s, ... (1 ms of
 *     tolerance, because containers round); where one frame is the first for several, it comes
 * once;
 *   - VD_SAMPLE_KEY: if it is a key frame; VD_SAMPLE_EVERY: always.
 * Sampling by interval decodes no more than it must: it seeks where a key frame lies between here
 * and the next time wanted, and leaves out frames that no other refers to. Both do not change a
 * delivered pixel. Without timestamps frames are numbered and timed by the frame rate. */
#ifndef VD_VIDEO_VIDEO_H
#define VD_VIDEO_VIDEO_H

#include "image/codec.h"

typedef struct vd_video vd_video;

typedef struct vd_video_input {
    const char *name;    /* for the extension check and messages */
    const uint8_t *data; /* the whole file, or NULL: then read by pread from `fd` */
    int fd;
    int64_t offset, size;  /* the range of fd; for data only the size counts */
    void (*alive)(void *); /* may be NULL: called often while decoding */
    void *user;
} vd_video_input;

typedef struct vd_video_frame {
    vd_frame frame; /* planes have their width and height; data NULL until vd_video_write */
    int64_t index;  /* 0, 1, 2, ... of the delivered ones */
    double time_s;
    bool key;
} vd_video_frame;

/* Fills `media` (initialised by the caller). *out is a handle if there are frames to ask for, NULL
 * if not: audio, no media at all, too large, no decoder, want_pixels false. `in` must outlive the
 * handle. Fails with VD_E_NOMEM only. */
vd_status vd_video_open(vd_video **out, const vd_video_input *in, const vd_decode_opt *opt,
                        vd_media *media, vd_err *err);
void vd_video_free(vd_video *v);

/* Decodes up to the next frame to deliver. *found false: the end, or damage that ends it; see the
 * verdict. Fails with VD_E_NOMEM only. */
vd_status vd_video_next(vd_video *v, vd_video_frame *out, bool *found, vd_err *err);

/* Writes the pixels of the frame that vd_video_next gave: planes as its `frame` says, stride[i]
 * bytes from line to line. YCC: full range, BT.601. BT.709, BT.2020, FCC and SMPTE 240M are
 * converted, more than 8 bits rounded, alpha composited on white. The transfer curve is left alone.
 * If unspecified, the matrix is BT.709 from 1280 columns or 577 lines on, else BT.601 (what players
 * do), and the range is limited. Fails with VD_E_NOMEM. */
vd_status vd_video_write(vd_video *v, uint8_t *const dst[3], const ptrdiff_t stride[3],
                         vd_err *err);

/* What is known so far: verdict, offset and percentage of damage; at the end also the number of
 * frames. */
void vd_video_verdict(const vd_video *v, vd_media *media);

/* A still JPEG that libjpeg does not decode: lossless (SOF3), 2 to 16 bits. On success *pixels is a
 * fresh RGB or grey 8-bit picture (channels 3 or 1). VD_E_UNSUPPORTED if it is of another kind or
 * FFmpeg refuses it; VD_E_FORMAT if damaged; VD_E_LIMIT above max_pixels; VD_E_NOMEM. */
vd_status vd_video_decode_still(vd_pixels *out, int *bits, const uint8_t *data, size_t size,
                                int64_t max_pixels, vd_err *err);

/* "libavformat 59.27.100", one library a line, appended. */
struct vd_str;
void vd_video_libraries(struct vd_str *out);

#endif
