/* Writes small videos whose every frame says its number in its colour, by libavcodec and
 * libavformat. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_VIDEO_MAKE_H
#define VD_TESTS_VIDEO_MAKE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>

typedef struct t_video {
    const char *path;
    enum AVCodecID codec;
    enum AVPixelFormat pix;
    int width, height, fps, n_frames, gop, b_frames;
    double rotation_deg; /* clockwise, as av_display_rotation_set takes it */
    const char *flags;   /* movflags */
    const char *tags[8]; /* key, value, ... */
} t_video;

/* Luma of frame n, 8 bit, limited range; n from 0 to 49 and round again with other chroma. */
static inline int t_video_luma(int n) {
    return 20 + 4 * (n % 50);
}
static inline int t_video_cb(int n) {
    return 64 + 16 * (n / 50 % 9);
}

static inline void t_video_check(int r) {
    if (r >= 0) return;
    char text[128];
    av_strerror(r, text, sizeof text);
    fprintf(stderr, "video_make: %s\n", text);
    abort();
}

static inline void t_video_drain(AVCodecContext *enc, AVFormatContext *out, AVStream *st) {
    AVPacket *p = av_packet_alloc();
    while (avcodec_receive_packet(enc, p) >= 0) {
        av_packet_rescale_ts(p, enc->time_base, st->time_base);
        p->stream_index = st->index;
        if (p->duration == 0) p->duration = av_rescale_q(1, enc->time_base, st->time_base);
        t_video_check(av_interleaved_write_frame(out, p));
    }
    av_packet_free(&p);
}

/* Moving noise-free stripes on the lower half, so that motion and B frames mean something. */
static inline void t_video_paint(AVFrame *f, int n, int fps) {
    for (int i = 0; i < 3; i++) {
        int w = i ? (f->width + 1) / 2 : f->width, h = i ? (f->height + 1) / 2 : f->height;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                int v = i == 0 ? t_video_luma(n) : i == 1 ? t_video_cb(n) : 128;
                if (i == 0 && y > h / 2) v = 40 + ((x + n * 60 / fps) / 16 % 2) * 120;
                f->data[i][y * f->linesize[i] + x] = (uint8_t)v;
            }
    }
}

static inline bool t_video_write(const t_video *v) {
    const AVCodec *codec = avcodec_find_encoder(v->codec);
    if (codec == NULL) return false;
    AVFormatContext *out = NULL;
    t_video_check(avformat_alloc_output_context2(&out, NULL, NULL, v->path));
    AVStream *st = avformat_new_stream(out, NULL);
    AVCodecContext *enc = avcodec_alloc_context3(codec);
    enc->width = v->width;
    enc->height = v->height;
    enc->pix_fmt = v->pix;
    enc->time_base = (AVRational){ 1, v->fps };
    enc->framerate = (AVRational){ v->fps, 1 };
    enc->gop_size = v->gop;
    enc->max_b_frames = v->b_frames;
    enc->global_quality = FF_QP2LAMBDA * 2;
    enc->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    enc->thread_count = 1;
    if (out->oformat->flags & AVFMT_GLOBALHEADER) enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    st->time_base = enc->time_base;
    st->avg_frame_rate = enc->framerate;
    /* key frames where gop says, not where the colour jumps */
    if (enc->priv_data != NULL) av_opt_set(enc->priv_data, "sc_threshold", "1000000000", 0);
    t_video_check(avcodec_open2(enc, codec, NULL));
    t_video_check(avcodec_parameters_from_context(st->codecpar, enc));
    if (v->rotation_deg != 0) {
        int32_t *m = (int32_t *)av_stream_new_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, 9 * 4);
        av_display_rotation_set(m, v->rotation_deg);
    }
    for (int i = 0; i + 1 < 8 && v->tags[i] != NULL; i += 2)
        av_dict_set(&out->metadata, v->tags[i], v->tags[i + 1], 0);
    AVDictionary *o = NULL;
    if (v->flags != NULL) av_dict_set(&o, "movflags", v->flags, 0);
    t_video_check(avio_open(&out->pb, v->path, AVIO_FLAG_WRITE));
    t_video_check(avformat_write_header(out, &o));
    av_dict_free(&o);
    for (int n = 0; n < v->n_frames; n++) {
        AVFrame *f = av_frame_alloc();
        f->format = v->pix;
        f->width = v->width;
        f->height = v->height;
        f->pts = n;
        f->quality = FF_QP2LAMBDA * 2;
        t_video_check(av_frame_get_buffer(f, 0));
        t_video_paint(f, n, v->fps);
        t_video_check(avcodec_send_frame(enc, f));
        av_frame_free(&f);
        t_video_drain(enc, out, st);
    }
    avcodec_send_frame(enc, NULL);
    t_video_drain(enc, out, st);
    t_video_check(av_write_trailer(out));
    avio_closep(&out->pb);
    avcodec_free_context(&enc);
    avformat_free_context(out);
    return true;
}

#endif
