/* Inside the video room: the state of an open video. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_VIDEO_INT_H
#define VD_VIDEO_INT_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "video/video.h"

/* The first thing that FFmpeg complained about. Contexts reach it through their `opaque`. */
typedef struct vd_video__log {
    char text[160];
    int n_errors;
    bool premature; /* a demuxer said that the file ends early */
} vd_video__log;

struct vd_video {
    vd_video_input in;
    int64_t at; /* read position in the input */
    vd_decode_opt opt;
    vd_media media;
    vd_video__log log;

    AVIOContext *io;
    AVFormatContext *fmt;
    AVStream *stream;
    AVCodecContext *dec;
    AVPacket *pkt;
    AVFrame *frm;

    double zero_s;                 /* stream time of the video's start; NaN until known */
    double frame_s;                /* nominal distance of frames */
    double last_s;                 /* time of the last decoded frame */
    double packet_s, packet_end_s; /* times of the last packet, and the latest end of any */
    int64_t last_dts;              /* of the last packet read */
    int64_t n_decoded, n_delivered;
    int64_t next_target; /* for VD_SAMPLE_INTERVAL: in units of interval_s */

    bool draining, ended, skipped; /* skipped: not every frame was decoded */
    bool seeking;                  /* a seek was made and no frame came since */
    bool no_more_seeks;
    int64_t no_seek_target; /* the next_target that a seek missed, -1 */
    int seek_entry;         /* index entry of the last seek */

    int64_t n_bad;      /* packets or frames with errors */
    int64_t bad_at;     /* byte of the first, -1 */
    double bad_s;       /* time of the first */
    int read_error;     /* that ended the reading, 0 = a plain end */
    double cut_percent; /* of the container's index that lies inside the file; 100 = all */
};

/* io.c */
vd_status vd_video__io_open(vd_video *v, vd_err *err);
void vd_video__io_close(vd_video *v);
void vd_video__quiet(void); /* our log callback in place of FFmpeg's */
const char *vd_video__error(char buf[128], int averror);

/* meta.c: everything that the container and the stream say, into v->media. */
void vd_video__meta(vd_video *v);
void vd_video__verdict(vd_media *m, vd_verdict verdict, const char *reason, const char *fmt, ...)
    VD_PRINTF(4, 5);
bool vd_video__wrong_extension(const AVInputFormat *f, const char *name);

/* convert.c: the shape and format that `f` will have as a vd_frame; false if we cannot convert it.
 */
bool vd_video__shape(vd_frame *out, const AVFrame *f);
vd_status vd_video__convert(const AVFrame *f, enum AVCodecID codec, uint8_t *const dst[3],
                            const ptrdiff_t stride[3], vd_err *err);

#endif
