/* Opening a video: what container it is, which stream is the picture, whether it can be decoded.
 *
 * The container is told by content. Only those that hold their own bytes are let in: playlists and
 * "concat" scripts name other files and addresses, and no demuxer may open anything by itself.
 * Probing many containers gives low scores to any text, so a low score counts as no media.
 * SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MIN_SCORE (AVPROBE_SCORE_RETRY + 1)

/* Containers that carry video or audio of their own. */
static const char containers[] =
    "matroska,webm,mov,mp4,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,wav,w64,mp3,flac,aac,mxf,h264,hevc,"
    "m4v,h263,h261,ivf,obu,rm,dv,wv,ape,aiff,au,caf,amr,ac3,eac3,dts,nut,yuv4mpegpipe,swf,wtv,gxf,vc1,"
    "dirac,nsv,nuv,tta,voc,mpc,mpc8,tak,bink,smk,roq,flic,film_cpk,4xm,r3d,lmlm4,mpjpeg,pva,dhav,thp";

static int refuse_open(AVFormatContext *s, AVIOContext **pb, const char *url, int flags,
                       AVDictionary **options) {
    (void)s, (void)pb, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

/* The container, NULL if none of ours. */
static vd_status probe(vd_video *v, const AVInputFormat **out, vd_err *err) {
    const AVInputFormat *f = NULL;
    int score = av_probe_input_buffer2(v->io, &f, "", NULL, 0, 0);
    if (score == AVERROR(ENOMEM)) return vd_nomem(err);
    bool ours = score >= MIN_SCORE && f != NULL && av_match_list(f->name, containers, ',');
    *out = ours ? f : NULL;
    return VD_OK;
}

static vd_status open_container(vd_video *v, const AVInputFormat *f, int *code, vd_err *err) {
    v->fmt = avformat_alloc_context();
    if (v->fmt == NULL) return vd_nomem(err);
    v->fmt->pb = v->io;
    v->fmt->flags |= AVFMT_FLAG_CUSTOM_IO;
    v->fmt->io_open = refuse_open;
    v->fmt->opaque = &v->log;
    v->fmt->max_streams = 256;
    *code = avformat_open_input(&v->fmt, "", f, NULL); /* frees v->fmt where it fails */
    if (*code >= 0) *code = avformat_find_stream_info(v->fmt, NULL);
    return *code == AVERROR(ENOMEM) ? vd_nomem(err) : VD_OK;
}

/* The picture: the default stream, else the largest; covers of music are none. */
static void choose_stream(vd_video *v, bool *audio) {
    int64_t best = -1;
    for (unsigned i = 0; i < v->fmt->nb_streams; i++) {
        AVStream *s = v->fmt->streams[i];
        const AVCodecParameters *p = s->codecpar;
        s->discard = AVDISCARD_ALL;
        if (p->codec_type == AVMEDIA_TYPE_AUDIO) *audio = true;
        if (p->codec_type != AVMEDIA_TYPE_VIDEO) continue;
        if (s->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS))
            continue;
        int64_t rank = (int64_t)p->width * p->height;
        if (s->disposition & AV_DISPOSITION_DEFAULT) rank += (int64_t)1 << 60;
        if (rank <= best) continue;
        best = rank;
        v->stream = s;
    }
    if (v->stream != NULL) v->stream->discard = AVDISCARD_DEFAULT;
}

/* How much of what the container's index promises lies inside the file. */
static void measure_cut(vd_video *v) {
    v->cut_percent = 100;
    int n = avformat_index_get_entries_count(v->stream), inside = 0;
    for (int i = 0; i < n; i++) {
        const AVIndexEntry *e = avformat_index_get_entry(v->stream, i);
        inside += e != NULL && e->pos + e->size <= v->in.size;
    }
    if (n > 0 && inside < n) v->cut_percent = 100.0 * inside / n;
    if (strcmp(v->fmt->iformat->name, "avi") != 0) return;
    /* RIFF: the size of the first chunk is at byte 4 */
    uint8_t h[8];
    int64_t back = avio_tell(v->io);
    if (avio_seek(v->io, 0, SEEK_SET) == 0 && avio_read(v->io, h, 8) == 8) {
        int64_t want = 8 + (int64_t)AV_RL32(h + 4);
        if (want > v->in.size + 1 && v->cut_percent == 100)
            v->cut_percent = 100.0 * (double)v->in.size / (double)want;
    }
    avio_seek(v->io, back, SEEK_SET);
}

static vd_status open_decoder(vd_video *v, bool *ok, vd_err *err) {
    const AVCodecParameters *par = v->stream->codecpar;
    char text[128];
    *ok = false;
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    if (codec == NULL) {
        vd_video__verdict(&v->media, VD_V_UNSUPPORTED, "no_decoder", "%s has no decoder for %s",
                          v->media.library, v->media.codec);
        return VD_OK;
    }
    v->dec = avcodec_alloc_context3(codec);
    v->pkt = av_packet_alloc();
    v->frm = av_frame_alloc();
    if (v->dec == NULL || v->pkt == NULL || v->frm == NULL) return vd_nomem(err);
    int r = avcodec_parameters_to_context(v->dec, par);
    if (r == AVERROR(ENOMEM)) return vd_nomem(err);
    v->dec->opaque = &v->log;
    v->dec->thread_count = 1;
    v->dec->flags |= AV_CODEC_FLAG_BITEXACT;
    v->dec->pkt_timebase = v->stream->time_base;
    /* against changes on the way; the library counts padded lines, vd_video_next counts exactly */
    v->dec->max_pixels = v->opt.max_pixels / 8 * 9 + (1 << 20);
    if (v->opt.sampling == VD_SAMPLE_KEY) {
        v->dec->skip_frame = AVDISCARD_NONKEY;
        v->stream->discard = AVDISCARD_NONKEY;
    }
    if (r >= 0) r = avcodec_open2(v->dec, codec, NULL);
    if (r == AVERROR(ENOMEM)) return vd_nomem(err);
    if (r < 0) {
        vd_video__verdict(&v->media, VD_V_UNREADABLE, "decoder_refused", "%s: %s: %s",
                          v->media.library, v->media.codec, vd_video__error(text, r));
        return VD_OK;
    }
    *ok = true;
    return VD_OK;
}

static void set_times(vd_video *v) {
    double tb = av_q2d(v->stream->time_base);
    v->frame_s = v->media.fps > 0 ? 1 / v->media.fps : 0.04;
    v->zero_s = v->stream->start_time != AV_NOPTS_VALUE ? (double)v->stream->start_time * tb : NAN;
    v->last_s = v->packet_s = v->bad_s = NAN;
    v->packet_end_s = 0;
    v->last_dts = AV_NOPTS_VALUE;
    v->bad_at = -1;
    v->no_seek_target = -1;
    if (!(v->opt.interval_s > 0)) v->opt.interval_s = 1;
    /* Matroska reads its index at the first seek; it only pays where key frames can be jumped to */
    if (v->opt.sampling == VD_SAMPLE_INTERVAL && v->opt.interval_s >= 2 &&
        av_match_name("matroska", v->fmt->iformat->name))
        av_seek_frame(v->fmt, v->stream->index, v->stream->start_time, AVSEEK_FLAG_BACKWARD);
}

/* The container could not be opened although its kind was recognised. */
static void container_verdict(vd_video *v, const AVInputFormat *f, int code) {
    char text[128];
    const char *say = v->log.text[0] != '\0' ? v->log.text : vd_video__error(text, code);
    bool cut = strstr(v->log.text, "moov atom not found") != NULL || code == AVERROR_EOF;
    v->media.kind = VD_KIND_VIDEO;
    snprintf(v->media.format, sizeof v->media.format, "%.*s", (int)strcspn(f->name, ","), f->name);
    if (cut) {
        v->media.offset = v->in.size;
        v->media.decoded_percent = 0;
    }
    vd_video__verdict(&v->media, VD_V_UNREADABLE, cut ? "no_index" : "bad_container",
                      "libavformat %d.%d.%d: %s: %s", avformat_version() >> 16,
                      avformat_version() >> 8 & 255, avformat_version() & 255, v->media.format,
                      say);
}

/* Everything up to the first packet. *ok: there are frames to ask for. */
static vd_status start(vd_video *v, bool *ok, vd_err *err) {
    const AVInputFormat *f = NULL;
    bool audio = false;
    int code = 0;
    vd_media *m = &v->media;
    VD_TRY(vd_video__io_open(v, err));
    VD_TRY(probe(v, &f, err));
    if (f == NULL) {
        m->kind = VD_KIND_OTHER;
        vd_video__verdict(m, VD_V_NOT_AN_IMAGE, "unknown_format",
                          "no known image or video container");
        return VD_OK;
    }
    VD_TRY(open_container(v, f, &code, err));
    if (code < 0) {
        container_verdict(v, f, code);
        return VD_OK;
    }
    choose_stream(v, &audio);
    vd_video__meta(v);
    m->kind = v->stream != NULL ? VD_KIND_VIDEO : VD_KIND_AUDIO;
    if (v->stream == NULL) {
        vd_video__verdict(m, VD_V_NOT_AN_IMAGE, audio ? "audio_only" : "no_streams",
                          "%s without pictures", m->format);
        return VD_OK;
    }
    measure_cut(v);
    int64_t pixels = (int64_t)m->width * m->height;
    if (pixels > v->opt.max_pixels) {
        vd_video__verdict(m, VD_V_TOO_LARGE, "pixel_limit", "%d x %d pixels, limit %lld", m->width,
                          m->height, (long long)v->opt.max_pixels);
        return VD_OK;
    }
    set_times(v);
    if (vd_video__wrong_extension(f, v->in.name))
        vd_video__verdict(m, VD_V_WRONG_EXTENSION, "wrong_extension", "%s is a %s file", v->in.name,
                          m->format);
    if (v->opt.want_pixels) return open_decoder(v, ok, err);
    vd_video_verdict(v, m);
    return VD_OK;
}

vd_status vd_video_open(vd_video **out, const vd_video_input *in, const vd_decode_opt *opt,
                        vd_media *media, vd_err *err) {
    vd_video__quiet();
    vd_video *v = vd_mem_array(1, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    v->in = *in;
    v->opt = *opt;
    v->media = *media;
    bool ok = false;
    vd_status st = start(v, &ok, err);
    if (st == VD_OK) *media = v->media;
    if (st == VD_OK && ok) {
        *out = v;
        return VD_OK;
    }
    vd_video_free(v);
    if (st == VD_OK) *out = NULL;
    return st;
}

void vd_video_free(vd_video *v) {
    if (v == NULL) return;
    av_frame_free(&v->frm);
    av_packet_free(&v->pkt);
    avcodec_free_context(&v->dec);
    avformat_close_input(&v->fmt);
    vd_video__io_close(v);
    vd_mem_free(v);
}

void vd_video_libraries(vd_str *out) {
    const struct {
        const char *name;
        unsigned v;
    } libs[] = { { "libavformat", avformat_version() }, { "libavcodec", avcodec_version() } };
    for (int i = 0; i < VD_COUNT(libs); i++)
        vd_str_addf(out, "%s %u.%u.%u\n", libs[i].name, libs[i].v >> 16, libs[i].v >> 8 & 255,
                    libs[i].v & 255);
}
