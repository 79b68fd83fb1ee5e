/* What a video says about itself: orientation, time, place, camera, sizes, and whether its name
 * claims something else.
 *
 * Sources: ISO/IEC 14496-12 8.3.2 (the matrix of a track), EXIF 2.32 (orientation), ISO 6709 Annex
 * H (text of a place), Apple's QuickTime File Format (keys com.apple.quicktime.*).
 * SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <libavutil/avstring.h>
#include <libavutil/dict.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

void vd_video__verdict(vd_media *m, vd_verdict verdict, const char *reason, const char *fmt, ...) {
    m->verdict = verdict;
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->detail, sizeof m->detail, fmt, ap);
    va_end(ap);
}

static const char *tag(const vd_video *v, const char *key) {
    const AVDictionaryEntry *e = av_dict_get(v->fmt->metadata, key, NULL, 0);
    if (e == NULL && v->stream != NULL) e = av_dict_get(v->stream->metadata, key, NULL, 0);
    return e != NULL && e->value[0] != '\0' ? e->value : NULL;
}

static const char *first_tag(const vd_video *v, const char *const *keys, int n) {
    for (int i = 0; i < n; i++) {
        const char *s = tag(v, keys[i]);
        if (s != NULL) return s;
    }
    return NULL;
}

/* x' = a x + c y, y' = b x + d y turns the stored picture upright. */
static int orientation(const AVStream *st) {
    const uint8_t *side = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    if (side == NULL) return 1;
    int32_t m[9];
    memcpy(m, side, sizeof m);
    int64_t a = m[0], b = m[1], c = m[3], d = m[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c)) {
        if (a >= 0) return d >= 0 ? 1 : 4;
        return d >= 0 ? 2 : 3;
    }
    if (c >= 0) return b >= 0 ? 5 : 8;
    return b >= 0 ? 6 : 7;
}

/* ISO 6709: +37.3349-122.0090+030.000/ ; degrees alone, as phones write it. */
static void place(vd_media *m, const char *text) {
    double v[3] = { NAN, NAN, NAN };
    const char *p = text;
    for (int i = 0; i < 3 && (*p == '+' || *p == '-'); i++) {
        char *end;
        v[i] = strtod(p, &end);
        if (end == p) break;
        p = end;
    }
    if (!(fabs(v[0]) <= 90) || !(fabs(v[1]) <= 180)) return;
    m->latitude_deg = v[0];
    m->longitude_deg = v[1];
    if (isfinite(v[2])) m->altitude_m = v[2];
}

/* 2020-05-01T10:20:30.000000Z, or Apple's 2020-05-01T12:20:30+0200. Dates before 1971 are the zeros
 * of clocks and containers. */
static void taken(vd_media *m, const char *text) {
    int y, mo, d, h, mi, s, n = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &n) != 6 ||
        n == 0)
        return;
    if (y < 1971 || y > 9999 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 ||
        mi > 59 || s < 0 || s > 60)
        return;
    const char *p = text + n;
    char frac[8] = "", zone[8] = "";
    if (*p == '.') {
        size_t k = strspn(p + 1, "0123456789");
        bool some = strspn(p + 1, "0") < k;
        if (some) snprintf(frac, sizeof frac, ".%.*s", (int)VD_MIN(k, (size_t)3), p + 1);
        p += 1 + k;
    }
    int zh, zm;
    char sign[2];
    if (*p == 'Z')
        snprintf(zone, sizeof zone, "Z");
    else if (sscanf(p, "%1[+-]%2d%2d", sign, &zh, &zm) == 3 ||
             sscanf(p, "%1[+-]%2d:%2d", sign, &zh, &zm) == 3)
        snprintf(zone, sizeof zone, "%c%02d:%02d", sign[0], abs(zh) % 24, abs(zm) % 60);
    snprintf(m->taken_at, sizeof m->taken_at, "%04d-%02d-%02dT%02d:%02d:%02d%s%s", y, mo, d, h, mi,
             s, frac, zone);
}

static void tags(vd_video *v) {
    static const char *const times[] = { "com.apple.quicktime.creationdate", "creation_time",
                                         "DATE_RECORDED", "date" };
    static const char *const places[] = { "com.apple.quicktime.location.ISO6709", "location",
                                          "location-eng" };
    static const char *const makes[] = { "com.apple.quicktime.make", "make",
                                         "com.android.manufacturer" };
    static const char *const models[] = { "com.apple.quicktime.model", "model",
                                          "com.android.model" };
    vd_media *m = &v->media;
    for (int i = 0; i < VD_COUNT(times) && m->taken_at[0] == '\0'; i++) {
        const char *s = tag(v, times[i]);
        if (s != NULL) taken(m, s);
    }
    const char *s = first_tag(v, places, VD_COUNT(places));
    if (s != NULL) place(m, s);
    if ((s = first_tag(v, makes, VD_COUNT(makes))) != NULL)
        snprintf(m->make, sizeof m->make, "%s", s);
    if ((s = first_tag(v, models, VD_COUNT(models))) != NULL)
        snprintf(m->model, sizeof m->model, "%s", s);
}

/* A name people know, from FFmpeg's list of them. */
static void format_name(vd_video *v) {
    const char *name = v->fmt->iformat->name, *brand = tag(v, "major_brand");
    if (strncmp(name, "mov,", 4) == 0)
        name = brand == NULL || strncmp(brand, "qt", 2) == 0 ? "mov" : "mp4";
    else if (strncmp(name, "matroska", 8) == 0)
        name = "matroska";
    snprintf(v->media.format, sizeof v->media.format, "%.*s", (int)strcspn(name, ","), name);
}

static void pixel_format(vd_media *m, const AVCodecParameters *par) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(par->format);
    if (d == NULL) return;
    m->bits = d->comp[0].depth;
    m->channels = d->flags & AV_PIX_FMT_FLAG_PAL ? 3 : d->nb_components;
    m->has_alpha = (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
    if (d->flags & AV_PIX_FMT_FLAG_RGB || d->nb_components < 3) return;
    static const char *const names[3][3] = { { "4:4:4", "4:4:0", "" },
                                             { "4:2:2", "4:2:0", "" },
                                             { "4:1:1", "", "4:1:0" } };
    if (d->log2_chroma_w < 3 && d->log2_chroma_h < 3)
        snprintf(m->chroma, sizeof m->chroma, "%s", names[d->log2_chroma_w][d->log2_chroma_h]);
}

static double rate(const AVStream *st) {
    AVRational r = st->avg_frame_rate;
    if (r.num <= 0 || r.den <= 0) r = st->r_frame_rate;
    double fps = r.num > 0 && r.den > 0 ? (double)r.num / r.den : NAN;
    return fps < 1e6 ? fps : NAN;
}

void vd_video__meta(vd_video *v) {
    vd_media *m = &v->media;
    format_name(v);
    tags(v);
    if (v->fmt->duration > 0) m->duration_s = (double)v->fmt->duration / AV_TIME_BASE;
    snprintf(m->library, sizeof m->library, "libavcodec %d.%d.%d", avcodec_version() >> 16,
             avcodec_version() >> 8 & 255, avcodec_version() & 255);
    if (v->stream == NULL) return;
    const AVCodecParameters *par = v->stream->codecpar;
    if (v->stream->duration > 0)
        m->duration_s = (double)v->stream->duration * av_q2d(v->stream->time_base);
    snprintf(m->codec, sizeof m->codec, "%s", avcodec_get_name(par->codec_id));
    m->orientation = orientation(v->stream);
    m->width = m->orientation >= 5 ? par->height : par->width;
    m->height = m->orientation >= 5 ? par->width : par->height;
    m->fps = rate(v->stream);
    if (v->stream->nb_frames > 0 && v->stream->nb_frames <= INT32_MAX)
        m->n_frames = (int32_t)v->stream->nb_frames;
    pixel_format(m, par);
}

bool vd_video__wrong_extension(const AVInputFormat *f, const char *name) {
    /* what the demuxers' own lists leave out */
    static const char *const more[][2] = { { "mov", "m4v,qt,insv,lrv,360,heics,m4r,aax" },
                                           { "matroska", "webm,weba" },
                                           { "mpeg", "mpg,mpeg,vob,m2p,dat,mod,ps" },
                                           { "mpegvideo", "mpg,mpeg,m1v,m2v" },
                                           { "avi", "avi,divx" },
                                           { "asf", "wmv,wma,asf" },
                                           { "ogg", "ogg,ogv,oga,opus,spx" },
                                           { "wav", "wav,wave" },
                                           { "mp3", "mp3,mp2" },
                                           { "mpegts", "ts,mts,m2ts,m2t,trp,tod" },
                                           { "dv", "dv,dif" },
                                           { "rm", "rm,rmvb,ra" } };
    static const char known[] =
        "jpg,jpeg,png,gif,webp,tif,tiff,heic,heif,avif,jxl,jp2,bmp,pnm,ppm,pgm,"
        "txt,pdf,html,json,csv,xml,zip,tar,gz,m4v,qt,wmv,mpg,mpeg,vob,mkv,webm,"
        "mov,mp4,avi,ogv,ts,m2ts,mp3,wav,flac,aac,m4a,ogg,opus,3gp,flv";
    const char *ext = vd_path_ext(name);
    if (*ext == '\0' || (f->extensions != NULL && av_match_name(ext, f->extensions))) return false;
    for (int i = 0; i < VD_COUNT(more); i++)
        if (av_match_name(more[i][0], f->name) && av_match_name(ext, more[i][1])) return false;
    return av_match_name(ext, known);
}
