/* Still JPEGs that libjpeg does not decode, by FFmpeg's mjpeg decoder: the lossless process (SOF3).
 * FFmpeg gives 8 bits as they are and 9 to 16 bits shifted up to 16 (GBR48, GRAY16); fewer than 8
 * bits stay in the low bits. The point transform is undone by the decoder, the precision is ours to
 * scale. SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <libavutil/pixdesc.h>
#include <string.h>

#include "base/mem.h"

typedef struct header {
    int sof, bits, width, height, channels;
} header;

/* The first frame header; false if there is none. ITU-T T.81, B.2.2. */
static bool find_header(header *out, const uint8_t *p, size_t n) {
    if (n < 4 || p[0] != 0xff || p[1] != 0xd8) return false;
    for (size_t i = 2; i + 9 < n && p[i] == 0xff;) {
        uint8_t m = p[i + 1];
        size_t len = (size_t)p[i + 2] << 8 | p[i + 3];
        if (m == 0xff) {
            i++;
            continue;
        }
        if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc) {
            *out = (header){ m, p[i + 4], p[i + 7] << 8 | p[i + 8], p[i + 5] << 8 | p[i + 6],
                             p[i + 9] };
            return true;
        }
        if (m == 0xda || m == 0xd9 || len < 2) return false;
        i += 2 + len;
    }
    return false;
}

static vd_status decode(AVFrame *frm, vd_video__log *log, const uint8_t *data, size_t size,
                        int64_t max_pixels, vd_err *err) {
    vd_status st = VD_OK;
    int r;
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);
    AVCodecContext *dec = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    AVPacket *pkt = av_packet_alloc();
    if (codec == NULL) VD_GO(vd_fail(err, VD_E_UNSUPPORTED, "jpeg: FFmpeg without mjpeg"));
    if (dec == NULL || pkt == NULL || av_new_packet(pkt, (int)size) < 0) VD_GO(vd_nomem(err));
    memcpy(pkt->data, data, size);
    dec->opaque = log;
    dec->thread_count = 1;
    dec->flags |= AV_CODEC_FLAG_BITEXACT;
    dec->max_pixels = max_pixels;
    r = avcodec_open2(dec, codec, NULL);
    if (r >= 0) r = avcodec_send_packet(dec, pkt);
    if (r >= 0) r = avcodec_receive_frame(dec, frm);
    if (r < 0) {
        char text[128];
        vd_video__error(text, r);
        VD_GO(vd_fail(err,
                      r == AVERROR(ENOMEM)        ? VD_E_NOMEM
                      : r == AVERROR_PATCHWELCOME ? VD_E_UNSUPPORTED
                                                  : VD_E_FORMAT,
                      "jpeg: libavcodec %d.%d.%d: %s", avcodec_version() >> 16,
                      avcodec_version() >> 8 & 255, avcodec_version() & 255,
                      log->text[0] != '\0' ? log->text : text));
    }
done:
    av_packet_free(&pkt);
    avcodec_free_context(&dec);
    return st;
}

/* Component samples of a line to 8 bits, interleaved. */
static void write_line(uint8_t *dst, uint16_t *line, const AVFrame *f, const AVPixFmtDescriptor *d,
                       int32_t y, int max, int channels) {
    const uint8_t *data[4] = { f->data[0], f->data[1], f->data[2], f->data[3] };
    for (int c = 0; c < channels; c++) {
        av_read_image_line2(line, data, f->linesize, d, 0, y, c, f->width, 0, 2);
        for (int32_t x = 0; x < f->width; x++) {
            int32_t v = (line[x] * 255 + max / 2) / max;
            dst[x * channels + c] = (uint8_t)VD_MIN(v, 255);
        }
    }
}

vd_status vd_video_decode_still(vd_pixels *out, int *bits, const uint8_t *data, size_t size,
                                int64_t max_pixels, vd_err *err) {
    header h;
    vd_video__log log = { { 0 }, 0, false };
    vd_pixels px = { 0 };
    uint16_t *line = NULL;
    AVFrame *frm = NULL;
    vd_status st = VD_OK;
    vd_video__quiet();
    if (size > INT32_MAX - 64 || !find_header(&h, data, size) || h.sof != 0xc3)
        return vd_fail(err, VD_E_UNSUPPORTED, "jpeg: not lossless");
    if ((int64_t)h.width * h.height > max_pixels)
        return vd_fail(err, VD_E_LIMIT, "jpeg: %d x %d pixels, limit %lld", h.width, h.height,
                       (long long)max_pixels);
    frm = av_frame_alloc();
    if (frm == NULL) VD_GO(vd_nomem(err));
    VD_GO(decode(frm, &log, data, size, max_pixels, err));
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frm->format);
    bool ycc = d == NULL || (d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB));
    if (ycc || d->nb_components < h.channels || frm->width != h.width)
        VD_GO(vd_fail(err, VD_E_UNSUPPORTED, "jpeg: lossless as %s", d != NULL ? d->name : "?"));
    px.channels = d->nb_components >= 3 ? 3 : 1;
    px.width = frm->width;
    px.height = frm->height;
    px.cap = (int64_t)px.width * px.height * px.channels;
    px.data = vd_mem_aligned((size_t)px.cap);
    line = vd_mem_array((size_t)px.width, sizeof *line);
    if (px.data == NULL || line == NULL) VD_GO(vd_nomem(err));
    int depth = d->comp[0].depth, max = h.bits < 8 ? (1 << h.bits) - 1 : (1 << depth) - 1;
    for (int32_t y = 0; y < px.height; y++)
        write_line(px.data + (ptrdiff_t)y * px.width * px.channels, line, frm, d, y, max,
                   px.channels);
    *out = px;
    *bits = h.bits;
    px.data = NULL;
done:
    vd_mem_free(px.data);
    vd_mem_free(line);
    av_frame_free(&frm);
    return st;
}
