/* Colour conversion, against H.273 in double precision: every pixel layout, matrix and range.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "video/video_int.h"

#define W 38
#define H 22

typedef struct space {
    enum AVColorSpace id;
    double kr, kb;
} space;

static const space spaces[] = {
    { AVCOL_SPC_SMPTE170M, 0.299, 0.114 },    { AVCOL_SPC_BT470BG, 0.299, 0.114 },
    { AVCOL_SPC_UNSPECIFIED, 0.299, 0.114 },  { AVCOL_SPC_BT709, 0.2126, 0.0722 },
    { AVCOL_SPC_BT2020_NCL, 0.2627, 0.0593 }, { AVCOL_SPC_SMPTE240M, 0.212, 0.087 },
};

/* A colour of a 2 x 2 cell of the picture, so that any subsampling up to 2 sees flat chroma. */
static void colour(const t_case *t, int x, int y, int cell, double rgb[3]) {
    (void)t;
    uint64_t h = vd_mix64((uint64_t)(x / cell) * 7919 + (uint64_t)(y / cell) * 104729 + 17);
    for (int i = 0; i < 3; i++) rgb[i] = (double)(h >> (i * 16) & 0xffff) / 65535;
    if ((x / cell + y / cell) % 5 == 0) rgb[0] = rgb[1] = rgb[2] = (double)((x / cell) % 3) / 2;
}

static void to_ycc(const double rgb[3], double kr, double kb, double out[3]) {
    out[0] = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
    out[1] = (rgb[2] - out[0]) / (2 * (1 - kb));
    out[2] = (rgb[0] - out[0]) / (2 * (1 - kr));
}

static void to_rgb(const double ycc[3], double kr, double kb, double rgb[3]) {
    rgb[0] = ycc[0] + 2 * (1 - kr) * ycc[2];
    rgb[2] = ycc[0] + 2 * (1 - kb) * ycc[1];
    rgb[1] = (ycc[0] - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
}

/* Sample value as H.273 quantises it, and back. */
static int quantise(double v, int i, int bits, bool full) {
    double one = 1 << (bits - 8), max = (1 << bits) - 1;
    double s = full ? v * max + (i ? 1 << (bits - 1) : 0)
               : i  ? (224 * v + 128) * one
                    : (219 * v + 16) * one;
    return (int)VD_CLAMP(floor(s + 0.5), 0, max);
}

static double unquantise(int s, int i, int bits, bool full) {
    double one = 1 << (bits - 8), max = (1 << bits) - 1;
    if (full) return i ? (s - (1 << (bits - 1))) / max : s / max;
    return i ? (s / one - 128) / 224 : (s / one - 16) / 219;
}

typedef struct out_planes {
    uint8_t data[3][H][64];
    uint8_t *dst[3];
    ptrdiff_t stride[3];
} out_planes;

static void out_init(out_planes *o) {
    memset(o->data, 0xEE, sizeof o->data);
    for (int i = 0; i < 3; i++) {
        o->dst[i] = o->data[i][0];
        o->stride[i] = 64;
    }
}

static AVFrame *frame_new(enum AVPixelFormat pix) {
    AVFrame *f = av_frame_alloc();
    f->format = pix;
    f->width = W;
    f->height = H;
    if (av_frame_get_buffer(f, 0) < 0) abort();
    for (int i = 0; i < 4; i++)
        if (f->data[i] != NULL && f->buf[i] != NULL) memset(f->buf[i]->data, 0, f->buf[i]->size);
    return f;
}

static void put(AVFrame *f, int c, int x, int y, int v) {
    uint16_t s = (uint16_t)v;
    av_write_image_line2(&s, f->data, f->linesize, av_pix_fmt_desc_get(f->format), x, y, c, 1, 2);
}

/* What the plane must hold at (x, y) for a colour already quantised. */
static double want(const double rgb[3], int i) {
    double ycc[3];
    to_ycc(rgb, 0.299, 0.114, ycc);
    return VD_CLAMP(ycc[i] * 255 + (i ? 128 : 0), 0, 255);
}

/* Fills a YUV frame, gives the expected planes. */
static void fill_yuv(const t_case *t, AVFrame *f, const space *s, bool full,
                     double expect[3][H][W]) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    int bits = d->comp[0].depth, sx = d->log2_chroma_w, sy = d->log2_chroma_h;
    int cell = 1 << VD_MAX(sx, sy);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double rgb[3], ycc[3], back[3], seen[3];
            colour(t, x, y, cell, rgb);
            to_ycc(rgb, s->kr, s->kb, ycc);
            for (int i = 0; i < 3; i++) {
                int q = quantise(ycc[i], i, bits, full);
                if (i == 0 || (x % (1 << sx) == 0 && y % (1 << sy) == 0))
                    put(f, i, i ? x >> sx : x, i ? y >> sy : y, q);
                back[i] = unquantise(q, i, bits, full);
            }
            to_rgb(back, s->kr, s->kb, seen);
            for (int i = 0; i < 3; i++) expect[i][i ? y >> sy : y][i ? x >> sx : x] = want(seen, i);
        }
}

static void compare(t_case *t, const AVFrame *f, const double expect[3][H][W], const char *what,
                    double tolerance) {
    vd_err err = { 0 };
    static out_planes o;
    out_init(&o);
    vd_frame shape;
    T_NEED(vd_video__shape(&shape, f));
    T_OK(vd_video__convert(f, AV_CODEC_ID_FFV1, o.dst, o.stride, &err));
    double worst = 0;
    for (int i = 0; i < (shape.format == VD_PIX_GREY8 ? 1 : 3); i++) {
        const vd_plane *p = &shape.plane[i];
        for (int y = 0; y < p->height; y++) {
            for (int x = 0; x < p->width; x++)
                worst = fmax(worst, fabs(o.data[i][y][x] - expect[i][y][x]));
            if (o.data[i][y][p->width] != 0xEE) T_FAIL("%s: wrote beyond line %d", what, y);
        }
    }
    if (worst > tolerance)
        T_FAIL("%s %s: off by %.2f", av_get_pix_fmt_name(f->format), what, worst);
}

T(convert_yuv_of_every_matrix_range_and_depth) {
    static const enum AVPixelFormat formats[] = {
        AV_PIX_FMT_YUV420P,     AV_PIX_FMT_YUV422P,     AV_PIX_FMT_YUV444P,
        AV_PIX_FMT_YUV440P,     AV_PIX_FMT_NV12,        AV_PIX_FMT_YUYV422,
        AV_PIX_FMT_UYVY422,     AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_P010LE,
        AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV444P12LE, AV_PIX_FMT_YUV420P16LE,
        AV_PIX_FMT_YUV420P9BE,
    };
    static double expect[3][H][W];
    for (int k = 0; k < VD_COUNT(formats); k++)
        for (int s = 0; s < VD_COUNT(spaces); s++)
            for (int full = 0; full < 2; full++) {
                AVFrame *f = frame_new(formats[k]);
                f->colorspace = spaces[s].id;
                f->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
                fill_yuv(t, f, &spaces[s], full, expect);
                char what[64];
                snprintf(what, sizeof what, "%s full=%d", av_color_space_name(spaces[s].id), full);
                compare(t, f, expect, what, 0.51); /* rounding, and the fixed point's own error */
                av_frame_free(&f);
            }
}

T(convert_unspecified_follows_the_size) {
    AVFrame *f = av_frame_alloc();
    vd_err err = { 0 };
    f->format = AV_PIX_FMT_YUV444P;
    f->width = 16;
    f->height = 720;
    T_NEED(av_frame_get_buffer(f, 0) >= 0);
    memset(f->buf[0]->data, 100, f->buf[0]->size);
    for (int i = 1; i < 3; i++) memset(f->data[i], 90 + 60 * i, (size_t)f->linesize[i] * 720);
    static uint8_t px[3][720 * 16];
    uint8_t *dst[3] = { px[0], px[1], px[2] };
    const ptrdiff_t stride[3] = { 16, 16, 16 };
    T_OK(vd_video__convert(f, AV_CODEC_ID_H264, dst, stride, &err));
    double ycc[3], rgb[3];
    ycc[0] = unquantise(100, 0, 8, false);
    ycc[1] = unquantise(150, 1, 8, false);
    ycc[2] = unquantise(210, 2, 8, false);
    to_rgb(ycc, 0.2126, 0.0722, rgb);
    for (int i = 0; i < 3; i++) T_NEAR(px[i][5], want(rgb, i), 0.51);
    av_frame_free(&f);
}

T(convert_rgb_of_every_layout) {
    static const enum AVPixelFormat formats[] = {
        AV_PIX_FMT_RGB24,    AV_PIX_FMT_BGR24, AV_PIX_FMT_BGRA,     AV_PIX_FMT_ARGB,
        AV_PIX_FMT_BGR0,     AV_PIX_FMT_GBRP,  AV_PIX_FMT_GBRP10LE, AV_PIX_FMT_RGB48LE,
        AV_PIX_FMT_RGB48BE,  AV_PIX_FMT_GBRAP, AV_PIX_FMT_RGB565LE, AV_PIX_FMT_RGB555LE,
        AV_PIX_FMT_GBRP16LE,
    };
    static double expect[3][H][W];
    for (int k = 0; k < VD_COUNT(formats); k++) {
        AVFrame *f = frame_new(formats[k]);
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
        bool alpha = (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double rgb[3], a = alpha ? (double)(x % 4) / 3 : 1;
                colour(t, x, y, 1, rgb);
                for (int i = 0; i < 3; i++) {
                    int max = (1 << d->comp[i].depth) - 1, q = (int)floor(rgb[i] * max + 0.5);
                    put(f, i, x, y, q);
                    rgb[i] = (double)q / max;
                }
                if (alpha) {
                    put(f, 3, x, y, (int)floor(a * 255 + 0.5));
                    for (int i = 0; i < 3; i++) rgb[i] = 1 - a + rgb[i] * a;
                }
                for (int i = 0; i < 3; i++) expect[i][y][x] = want(rgb, i);
            }
        /* 5-6-5 is brought to 5 bits of green by rounding, alpha rounds twice */
        double tolerance = f->format == AV_PIX_FMT_RGB565LE ? 3.5 : alpha ? 1.01 : 0.51;
        compare(t, f, expect, "rgb", tolerance);
        av_frame_free(&f);
    }
}

T(convert_palette_grey_and_one_bit) {
    static double expect[3][H][W];
    static const enum AVPixelFormat formats[] = { AV_PIX_FMT_PAL8,      AV_PIX_FMT_GRAY8,
                                                  AV_PIX_FMT_GRAY10LE,  AV_PIX_FMT_GRAY16BE,
                                                  AV_PIX_FMT_MONOBLACK, AV_PIX_FMT_MONOWHITE };
    for (int k = 0; k < VD_COUNT(formats); k++) {
        AVFrame *f = frame_new(formats[k]);
        bool pal = formats[k] == AV_PIX_FMT_PAL8;
        int bits = av_pix_fmt_desc_get(f->format)->comp[0].depth, max = (1 << bits) - 1;
        uint32_t colours[256];
        for (int i = 0; i < 256; i++)
            colours[i] = 0xff000000u | ((uint32_t)vd_mix64((uint64_t)i) & 0xffffff);
        if (pal) memcpy(f->data[1], colours, sizeof colours);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int v = (int)(vd_mix64((uint64_t)(y * W + x)) % (unsigned)(max + 1));
                if (pal)
                    f->data[0][y * f->linesize[0] + x] = (uint8_t)v;
                else if (bits == 1)
                    f->data[0][y * f->linesize[0] + x / 8] |= (uint8_t)(v << (7 - x % 8));
                else
                    put(f, 0, x, y, v);
                double rgb[3];
                for (int i = 0; i < 3; i++) {
                    rgb[i] =
                        pal ? (double)(colours[v] >> (16 - 8 * i) & 255) / 255 : (double)v / max;
                    if (formats[k] == AV_PIX_FMT_MONOWHITE) rgb[i] = 1 - v;
                }
                for (int i = 0; i < 3; i++) expect[i][y][x] = want(rgb, i);
            }
        compare(t, f, expect, "index", 0.51);
        av_frame_free(&f);
    }
}
