/* Decoded pictures into what a vd_frame holds: grey, or YCbCr in full range with the BT.601 matrix.
 *
 * From Y'CbCr to Y'CbCr of another matrix, grey stays grey: the new chroma depends on the old
 * chroma alone, and the new luma is the old luma plus a little of the chroma, Y' = ky (y - y0) + a
 * (cb - c0) + b (cr - c0) Cb' = 128 + c (cb - c0) + d (cr - c0),   Cr' = 128 + e (cb - c0) + f (cr
 * - c0) so chroma keeps its own resolution, and where the matrix is BT.601 already (a = b = d = e =
 * 0) each plane is one affine map. All in fixed point rounded to nearest (20 fractional bits where
 * samples have 8, 32 elsewhere): the same everywhere. RGB uses the BT.601 rows as JFIF gives them.
 *
 * 8-bit planes are mapped directly; everything else (10 to 16 bits, packed, palette, alpha, one
 * bit) is first read line by line into 16-bit samples by libavutil's av_read_image_line2, which
 * knows every layout. There is no swscale: its results depend on the CPU.
 *
 * Sources: ITU-T H.273 (matrices, ranges), ITU-R BT.601-7, JFIF 1.02.
 * SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <libavutil/pixdesc.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define FRACTION 20
#define HALF (1 << (FRACTION - 1))
#define WIDE 32

/* out[i] = sum over j of c[i][j] * (in[j] - offset[j]), + 128 for i > 0; k and wide are c in fixed
 * point. */
typedef struct matrix {
    double c[3][3];
    int32_t k[3][3];
    int64_t wide[3][3];
    int32_t offset[3];
    bool mixes; /* c is not diagonal */
} matrix;

static bool is_rgb(const AVPixFmtDescriptor *d) {
    return (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

static bool is_grey(const AVPixFmtDescriptor *d) {
    return d->nb_components < 3 && !(d->flags & AV_PIX_FMT_FLAG_PAL);
}

static int32_t up(int32_t n, int log2) {
    return (int32_t)(((int64_t)n + (1 << log2) - 1) >> log2);
}

bool vd_video__shape(vd_frame *out, const AVFrame *f) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    if (d == NULL || f->width <= 0 || f->height <= 0 || f->data[0] == NULL) return false;
    if (d->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT) ||
        strncmp(d->name, "xyz", 3) == 0)
        return false;
    for (int i = 0; i < d->nb_components; i++)
        if (d->comp[i].depth > 16) return false;
    bool grey = is_grey(d);
    int sx = is_rgb(d) ? 0 : d->log2_chroma_w, sy = is_rgb(d) ? 0 : d->log2_chroma_h;
    vd_frame r = { grey ? VD_PIX_GREY8 : VD_PIX_YCC8, f->width, f->height, 1, { { 0 } } };
    for (int i = 0; i < (grey ? 1 : 3); i++) {
        r.plane[i].width = i > 0 ? up(f->width, sx) : f->width;
        r.plane[i].height = i > 0 ? up(f->height, sy) : f->height;
        r.plane[i].stride = r.plane[i].width;
    }
    *out = r;
    return true;
}

/* Luma weights of red and blue. */
static void weights(const AVFrame *f, double *kr, double *kb) {
    switch (f->colorspace) {
    case AVCOL_SPC_BT709: *kr = 0.2126, *kb = 0.0722; return;
    case AVCOL_SPC_FCC: *kr = 0.30, *kb = 0.11; return;
    case AVCOL_SPC_SMPTE240M: *kr = 0.212, *kb = 0.087; return;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: *kr = 0.2627, *kb = 0.0593; return;
    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:
        if (f->color_range != AVCOL_RANGE_JPEG && (f->width >= 1280 || f->height > 576)) {
            *kr = 0.2126, *kb = 0.0722;
            return;
        }
        break;
    default: break;
    }
    *kr = 0.299, *kb = 0.114;
}

static bool full_range(const AVFrame *f, const AVPixFmtDescriptor *d, enum AVCodecID codec) {
    if (is_rgb(d) || strncmp(d->name, "yuvj", 4) == 0) return true;
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED) return f->color_range == AVCOL_RANGE_JPEG;
    if (!is_grey(d)) return false;
    /* grey of codecs whose samples are video levels unless they say otherwise */
    return codec != AV_CODEC_ID_H264 && codec != AV_CODEC_ID_HEVC && codec != AV_CODEC_ID_AV1 &&
           codec != AV_CODEC_ID_VP9;
}

static matrix finish(matrix m) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            m.k[i][j] = (int32_t)lrint(m.c[i][j] * (1 << FRACTION));
            m.wide[i][j] = llrint(m.c[i][j] * ((int64_t)1 << WIDE));
        }
    return m;
}

static matrix rgb_matrix(int bits) {
    static const double rows[3][3] = { { 0.299, 0.587, 0.114 },
                                       { -0.299 / 1.772, -0.587 / 1.772, 0.5 },
                                       { 0.5, -0.587 / 1.402, -0.114 / 1.402 } };
    matrix m = { .mixes = true };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) m.c[i][j] = rows[i][j] * 255 / ((1 << bits) - 1);
    return finish(m);
}

static matrix ycc_matrix(const AVFrame *f, bool full, int bits) {
    double kr, kb, one = 1 << (bits - 8);
    weights(f, &kr, &kb);
    double kg = 1 - kr - kb;
    double ys = full ? 255.0 / ((1 << bits) - 1) : 255 / (219 * one);
    double cs = full ? 255.0 / ((1 << bits) - 1) : 255 / (224 * one);
    /* R - Y, G - Y, B - Y of unit Cb and Cr in the source's matrix */
    double cb[3] = { 0, -2 * kb * (1 - kb) / kg, 2 * (1 - kb) };
    double cr[3] = { 2 * (1 - kr), -2 * kr * (1 - kr) / kg, 0 };
    double a = 0.299 * cb[0] + 0.587 * cb[1] + 0.114 * cb[2];
    double b = 0.299 * cr[0] + 0.587 * cr[1] + 0.114 * cr[2];
    bool same = fabs(kr - 0.299) < 1e-6 && fabs(kb - 0.114) < 1e-6;
    if (same) a = b = 0;
    matrix m = { .mixes = !same };
    m.offset[0] = full ? 0 : (int32_t)(16 * one);
    m.offset[1] = m.offset[2] = 1 << (bits - 1);
    m.c[0][0] = ys;
    m.c[0][1] = a * cs;
    m.c[0][2] = b * cs;
    m.c[1][1] = same ? cs : (cb[2] - a) / 1.772 * cs;
    m.c[1][2] = same ? 0 : (cr[2] - b) / 1.772 * cs;
    m.c[2][1] = same ? 0 : (cb[0] - a) / 1.402 * cs;
    m.c[2][2] = same ? cs : (cr[0] - b) / 1.402 * cs;
    return finish(m);
}

/* One or two bits of grey; in MONOWHITE 0 is white. */
static matrix few_bits_matrix(const AVFrame *f, int bits) {
    matrix m = { .c = { { 255.0 / ((1 << bits) - 1) } } };
    if (f->format == AV_PIX_FMT_MONOWHITE) {
        m.c[0][0] = -m.c[0][0];
        m.offset[0] = (1 << bits) - 1;
    }
    return finish(m);
}

static uint8_t clamp8(int32_t v) {
    return (uint8_t)VD_CLAMP(v, 0, 255);
}

/* One 8-bit line through an affine map. */
static void line_affine(uint8_t *restrict dst, const uint8_t *restrict src, int32_t n, int32_t k,
                        int32_t bias) {
    for (int32_t x = 0; x < n; x++) dst[x] = clamp8((src[x] * k + bias) >> FRACTION);
}

static int32_t bias_of(const matrix *m, int i) {
    return HALF + ((i > 0 ? 128 : 0) << FRACTION) - m->k[i][i] * m->offset[i];
}

static bool identity(const matrix *m, int i) {
    return m->k[i][i] == 1 << FRACTION && bias_of(m, i) == HALF;
}

static void plane_affine(const AVFrame *f, const matrix *m, int i, const vd_plane *shape,
                         uint8_t *dst, ptrdiff_t stride) {
    const uint8_t *src = f->data[i];
    for (int32_t y = 0; y < shape->height; y++, src += f->linesize[i], dst += stride) {
        if (identity(m, i))
            memcpy(dst, src, (size_t)shape->width);
        else
            line_affine(dst, src, shape->width, m->k[i][i], bias_of(m, i));
    }
}

/* 8-bit planes of another matrix: both chroma planes together, luma with the chroma of its place.
 */
static void line_chroma(uint8_t *restrict dst, const uint8_t *restrict cb,
                        const uint8_t *restrict cr, int32_t n, const int32_t k[3]) {
    for (int32_t x = 0; x < n; x++)
        dst[x] = clamp8((k[1] * (cb[x] - 128) + k[2] * (cr[x] - 128) + HALF + (128 << FRACTION)) >>
                        FRACTION);
}

static void line_luma(uint8_t *restrict dst, const uint8_t *restrict y, const uint8_t *restrict cb,
                      const uint8_t *restrict cr, int32_t n, int sx, const matrix *m) {
    int32_t bias = HALF - m->k[0][0] * m->offset[0];
    for (int32_t x = 0; x < n; x++)
        dst[x] = clamp8((m->k[0][0] * y[x] + m->k[0][1] * (cb[x >> sx] - 128) +
                         m->k[0][2] * (cr[x >> sx] - 128) + bias) >>
                        FRACTION);
}

static void planes_mixed(const AVFrame *f, const AVPixFmtDescriptor *d, const matrix *m,
                         const vd_frame *shape, uint8_t *const dst[3], const ptrdiff_t stride[3]) {
    for (int32_t y = 0; y < shape->height; y++) {
        const int32_t cy = y >> d->log2_chroma_h;
        line_luma(dst[0] + y * stride[0], f->data[0] + (ptrdiff_t)y * f->linesize[0],
                  f->data[1] + (ptrdiff_t)cy * f->linesize[1],
                  f->data[2] + (ptrdiff_t)cy * f->linesize[2], shape->width, d->log2_chroma_w, m);
    }
    for (int32_t y = 0; y < shape->plane[1].height; y++)
        for (int i = 1; i < 3; i++)
            line_chroma(dst[i] + y * stride[i], f->data[1] + (ptrdiff_t)y * f->linesize[1],
                        f->data[2] + (ptrdiff_t)y * f->linesize[2], shape->plane[1].width, m->k[i]);
}

/* Any layout: the samples of one component of one line, 16 bits each. A palette holds 32-bit ARGB
 * in native order; its components are counted R, G, B, A here. */
static void read_line(uint16_t *dst, const AVFrame *f, const AVPixFmtDescriptor *d, int c,
                      int32_t y, int32_t n) {
    const uint8_t *data[4] = { f->data[0], f->data[1], f->data[2], f->data[3] };
    if (!(d->flags & AV_PIX_FMT_FLAG_PAL)) {
        av_read_image_line2(dst, data, f->linesize, d, 0, y, c, n, 0, 2);
        return;
    }
    static const int shift[4] = { 16, 8, 0, 24 };
    const uint8_t *src = f->data[0] + (ptrdiff_t)y * f->linesize[0];
    for (int32_t x = 0; x < n; x++) {
        uint32_t argb;
        memcpy(&argb, f->data[1] + 4 * src[x], sizeof argb);
        dst[x] = (uint16_t)(argb >> shift[c] & 255);
    }
}

typedef struct generic {
    const AVFrame *f;
    const AVPixFmtDescriptor *d;
    matrix m;
    int sx, sy;           /* of the source's chroma */
    uint16_t *in[4];      /* a line of each component */
    int alpha, alpha_max; /* component, -1 if none */
    bool same_depth;
} generic;

/* alpha composited on white: `white` is 255 for luma, 128 for chroma. */
static uint8_t on_white(const generic *g, uint8_t v, int32_t x, uint8_t white) {
    if (g->alpha < 0) return v;
    int32_t a = g->in[3][x], max = g->alpha_max;
    return (uint8_t)((v * a + white * (max - a) + max / 2) / max);
}

static int32_t mix(const generic *g, int i, int32_t p0, int32_t p1, int32_t p2) {
    const matrix *m = &g->m;
    int64_t s = m->wide[i][0] * (p0 - m->offset[0]) + m->wide[i][1] * (p1 - m->offset[1]) +
                m->wide[i][2] * (p2 - m->offset[2]);
    return (int32_t)((s + ((int64_t)1 << (WIDE - 1))) >> WIDE) + (i > 0 ? 128 : 0);
}

/* RGB components of unequal depth (5-6-5) come to the depth of the first. */
static void even_depth(const generic *g, int32_t n) {
    int max0 = (1 << g->d->comp[0].depth) - 1;
    for (int c = 1; c < 3; c++) {
        int max = (1 << g->d->comp[c].depth) - 1;
        if (max == max0) continue;
        for (int32_t x = 0; x < n; x++)
            g->in[c][x] = (uint16_t)((g->in[c][x] * max0 + max / 2) / max);
    }
}

static void generic_line(const generic *g, const vd_frame *shape, int32_t y, uint8_t *const dst[3],
                         const ptrdiff_t stride[3]) {
    int32_t w = shape->width, cw = up(w, g->sx);
    bool grey = shape->format == VD_PIX_GREY8;
    read_line(g->in[0], g->f, g->d, 0, y, w);
    if (!grey)
        for (int c = 1; c < 3; c++) read_line(g->in[c], g->f, g->d, c, y >> g->sy, cw);
    if (g->alpha >= 0) read_line(g->in[3], g->f, g->d, g->alpha, y, w);
    if (!g->same_depth) even_depth(g, w);
    const uint16_t *p0 = g->in[0], *p1 = g->in[1], *p2 = g->in[2];
    uint8_t *out = dst[0] + y * stride[0];
    for (int32_t x = 0; x < w; x++) {
        int32_t cx = x >> g->sx;
        int32_t v = grey ? mix(g, 0, p0[x], g->m.offset[1], g->m.offset[2])
                         : mix(g, 0, p0[x], p1[cx], p2[cx]);
        out[x] = on_white(g, clamp8(v), x, 255);
    }
    if (grey || (y & ((1 << g->sy) - 1)) != 0) return;
    for (int i = 1; i < 3; i++) {
        out = dst[i] + (y >> g->sy) * stride[i];
        for (int32_t x = 0; x < cw; x++) {
            int32_t v = mix(g, i, p0[x << g->sx], p1[x], p2[x]);
            out[x] = on_white(g, clamp8(v), x << g->sx, 128);
        }
    }
}

static vd_status convert_generic(const AVFrame *f, const AVPixFmtDescriptor *d, const matrix *m,
                                 const vd_frame *shape, uint8_t *const dst[3],
                                 const ptrdiff_t stride[3], vd_err *err) {
    generic g = { .f = f, .d = d, .m = *m, .alpha = -1, .same_depth = true };
    if (d->flags & AV_PIX_FMT_FLAG_PAL) {
        g.alpha = 3;
        g.alpha_max = 255;
    } else if (d->flags & AV_PIX_FMT_FLAG_ALPHA) {
        g.alpha = d->nb_components - 1;
        g.alpha_max = (1 << d->comp[g.alpha].depth) - 1;
    }
    if (is_rgb(d) && !(d->flags & AV_PIX_FMT_FLAG_PAL))
        g.same_depth = d->comp[0].depth == d->comp[1].depth && d->comp[0].depth == d->comp[2].depth;
    if (!is_rgb(d)) g.sx = d->log2_chroma_w, g.sy = d->log2_chroma_h;
    size_t n = (size_t)f->width + 8; /* p0[x << sx] may lie up to 7 beyond the line */
    uint16_t *lines = vd_mem_array(4 * n, sizeof *lines);
    if (lines == NULL) return vd_nomem(err);
    for (int c = 0; c < 4; c++) g.in[c] = lines + (size_t)c * n;
    for (int32_t y = 0; y < shape->height; y++) generic_line(&g, shape, y, dst, stride);
    vd_mem_free(lines);
    return VD_OK;
}

/* Three planes (or one) of 8 bits, one byte a sample. */
static bool is_planar8(const AVPixFmtDescriptor *d) {
    if (is_rgb(d) || d->flags & (AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_BITSTREAM)) return false;
    if (d->nb_components != 1 && d->nb_components != 3) return false;
    for (int i = 0; i < d->nb_components; i++)
        if (d->comp[i].depth != 8 || d->comp[i].plane != i || d->comp[i].step != 1 ||
            d->comp[i].shift != 0)
            return false;
    return true;
}

vd_status vd_video__convert(const AVFrame *f, enum AVCodecID codec, uint8_t *const dst[3],
                            const ptrdiff_t stride[3], vd_err *err) {
    vd_frame shape;
    if (!vd_video__shape(&shape, f))
        return vd_fail(err, VD_E_UNSUPPORTED, "video: pixel format %d", f->format);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    int bits = d->flags & AV_PIX_FMT_FLAG_PAL ? 8 : d->comp[0].depth;
    matrix m =
        is_rgb(d) ? rgb_matrix(bits) : ycc_matrix(f, full_range(f, d, codec), VD_MAX(bits, 8));
    if (is_grey(d) && bits < 8) m = few_bits_matrix(f, bits);
    if (!is_planar8(d)) return convert_generic(f, d, &m, &shape, dst, stride, err);
    if (m.mixes && d->nb_components == 3) {
        planes_mixed(f, d, &m, &shape, dst, stride);
        return VD_OK;
    }
    for (int i = 0; i < d->nb_components; i++)
        plane_affine(f, &m, i, &shape.plane[i], dst[i], stride[i]);
    return VD_OK;
}
