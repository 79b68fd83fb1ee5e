/* JPEG through the decoding process, on pictures made here with libjpeg's encoder: planes, verdicts
 * of cut and damaged files, quality, colour spaces. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <jpeglib.h>

#include "base/mem.h"
#include "image/codec.h"

enum { W = 160, H = 120 };

typedef struct spec {
    int quality, h, v, restart;
    bool progressive, arithmetic, grey, rgb, cmyk, smooth;
} spec;

/* A picture whose luma is known: a gradient, with texture where `smooth` is not set. */
static void pixel(const spec *p, int x, int y, uint8_t out[4]) {
    int noise = p->smooth ? 0 : (x * 7919 + y * 104729) % 61 - 30;
    for (int k = 0; k < 4; k++)
        out[k] = (uint8_t)VD_CLAMP((x + y) * 255 / (W + H) + noise * (k + 1) / 3, 0, 255);
    if (p->smooth) out[1] = out[2] = out[0];
}

static unsigned char *encode(const spec *p, unsigned long *size) {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr e;
    unsigned char *out = NULL;
    uint8_t row[W * 4];
    JSAMPROW rows[1] = { row };
    int n = p->grey ? 1 : p->cmyk ? 4 : 3;
    *size = 0;
    c.err = jpeg_std_error(&e);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, size);
    c.image_width = W;
    c.image_height = H;
    c.input_components = n;
    c.in_color_space = p->grey ? JCS_GRAYSCALE : p->cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(&c);
    if (p->rgb) jpeg_set_colorspace(&c, JCS_RGB);
    jpeg_set_quality(&c, p->quality, TRUE);
    c.comp_info[0].h_samp_factor = p->h;
    c.comp_info[0].v_samp_factor = p->v;
    c.restart_interval = (unsigned)p->restart;
    c.arith_code = p->arithmetic;
    if (p->progressive) jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            uint8_t v[4];
            pixel(p, x, y, v);
            memcpy(row + x * n, v, (size_t)n);
        }
        jpeg_write_scanlines(&c, rows, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return out;
}

typedef struct got {
    int frames;
    vd_frame f;
    uint8_t plane[3][W * H * 3];
} got;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    got *g = user;
    (void)m, (void)index, (void)time_s, (void)err;
    g->frames++;
    g->f = *f;
    int bytes = f->format == VD_PIX_RGB8 ? 3 : 1;
    for (int i = 0; i < (f->format == VD_PIX_YCC8 ? 3 : 1); i++)
        for (int y = 0; y < f->plane[i].height && f->plane[i].width <= W && y < H; y++)
            memcpy(g->plane[i] + y * f->plane[i].width * bytes,
                   f->plane[i].data + y * f->plane[i].stride, (size_t)(f->plane[i].width * bytes));
    return VD_OK;
}

typedef struct bench {
    vd_codec *c;
    got g;
    vd_media m;
    vd_err err;
    vd_decode_opt opt;
} bench;

static bench *open_bench(t_case *t) {
    bench *b = vd_mem_array(1, sizeof *b);
    const vd_decode_opt opt = VD_DECODE_OPT;
    if (b == NULL) return NULL;
    b->opt = opt;
    if (vd_codec_new(&b->c, NULL, &b->err) != VD_OK) T_FAIL("vd_codec_new: %s", b->err.msg);
    return b;
}

static void close_bench(bench *b) {
    vd_codec_free(b->c);
    vd_mem_free(b);
}

static vd_status decode(bench *b, const void *data, size_t n) {
    uint8_t *in = NULL;
    b->g.frames = 0;
    VD_TRY(vd_codec_input(b->c, n, &in, &b->err));
    memcpy(in, data, n);
    vd_source src = { "a.jpg", -1, 0, (int64_t)n };
    return vd_codec_decode(b->c, &src, &b->opt, on_frame, &b->g, &b->m, &b->err);
}

static const spec variants[] = {
    { .quality = 95, .h = 1, .v = 1, .smooth = true },
    { .quality = 95, .h = 2, .v = 2, .smooth = true },
    { .quality = 95, .h = 2, .v = 1, .smooth = true },
    { .quality = 95, .h = 1, .v = 2, .smooth = true },
    { .quality = 95, .h = 4, .v = 1, .smooth = true },
    { .quality = 95, .h = 4, .v = 2, .smooth = true },
    { .quality = 95, .h = 1, .v = 4, .smooth = true },
    { .quality = 95, .h = 2, .v = 2, .restart = 3, .smooth = true },
    { .quality = 95, .h = 2, .v = 2, .progressive = true, .smooth = true },
    { .quality = 95, .h = 2, .v = 2, .arithmetic = true, .smooth = true },
    { .quality = 95, .h = 1, .v = 1, .arithmetic = true, .progressive = true, .smooth = true },
    { .quality = 95, .h = 1, .v = 1, .grey = true, .smooth = true },
    { .quality = 95, .h = 2, .v = 2, .grey = true, .smooth = true },
    { .quality = 95, .h = 1, .v = 1, .rgb = true, .smooth = true },
};

T(planes_hold_the_picture) {
    static const char *const names[] = { "4:4:4", "4:2:0", "4:2:2", "4:4:0", "4:1:1",
                                         "4:1:0", "4:4:1", "4:2:0", "4:2:0", "4:2:0",
                                         "4:4:4", "",      "",      "4:4:4" };
    bench *b = open_bench(t);
    T_NEED(b != NULL);
    for (int i = 0; i < VD_COUNT(variants); i++) {
        const spec *p = &variants[i];
        unsigned long n;
        unsigned char *data = encode(p, &n);
        T_EQ(decode(b, data, n), VD_OK);
        T_EQ(b->m.verdict, VD_V_OK);
        T_STR(b->m.chroma, names[i]);
        T_EQ(b->m.jpeg_quality, 95);
        T_EQ(b->m.progressive, p->progressive);
        T_EQ(b->g.frames, 1);
        T_EQ(b->g.f.format, p->grey ? VD_PIX_GREY8 : p->rgb ? VD_PIX_RGB8 : VD_PIX_YCC8);
        T_EQ(b->g.f.width, W);
        T_EQ(b->g.f.height, H);
        int step = p->rgb ? 3 : 1, worst = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                uint8_t want[4];
                pixel(p, x, y, want);
                worst = VD_MAX(worst, abs(b->g.plane[0][(y * W + x) * step] - want[0]));
            }
        T_TRUE(worst <= 3); /* quantisation at quality 95 moves a smooth gradient no further */
        if (b->g.f.format == VD_PIX_YCC8) {
            T_EQ(b->g.f.plane[1].width, (W + p->h - 1) / p->h);
            T_EQ(b->g.f.plane[1].height, (H + p->v - 1) / p->v);
            for (int k = 0; k < b->g.f.plane[1].width * b->g.f.plane[1].height; k++)
                if (abs(b->g.plane[1][k] - 128) > 2)
                    T_FAIL("chroma of a grey picture: %d", b->g.plane[1][k]);
        }
        free(data);
    }
    close_bench(b);
}

T(quality_is_read_from_the_tables) {
    bench *b = open_bench(t);
    T_NEED(b != NULL);
    for (int q = 1; q <= 100; q += q < 10 || q > 90 ? 1 : 7) {
        spec p = { .quality = q, .h = 2, .v = 2 };
        unsigned long n;
        unsigned char *data = encode(&p, &n);
        T_EQ(decode(b, data, n), VD_OK);
        T_EQ(b->m.jpeg_quality, q);
        free(data);
    }
    close_bench(b);
}

static size_t scan_of(const unsigned char *d, size_t n) {
    for (size_t i = 0; i + 1 < n; i++)
        if (d[i] == 0xff && d[i + 1] == 0xda) return i;
    return n;
}

T(cut_files_tell_how_much_came) {
    bench *b = open_bench(t);
    T_NEED(b != NULL);
    for (int i = 0; i < VD_COUNT(variants); i++) {
        spec p = variants[i];
        unsigned long n;
        p.smooth = false;
        unsigned char *data = encode(&p, &n);
        size_t scan = scan_of(data, n);
        double before = 0;
        for (size_t cut = 1; cut<n; cut += cut + 40> n ? 1 : 37) {
            T_EQ(decode(b, data, cut), VD_OK);
            if (cut < scan) {
                if (cut >= 3 && b->m.verdict != VD_V_UNREADABLE)
                    T_FAIL("variant %d cut at %zu of %lu: %s", i, cut, n,
                           vd_verdict_name(b->m.verdict));
                continue;
            }
            if (b->m.verdict == VD_V_UNREADABLE && cut < scan + 40) continue;
            if (b->m.verdict != VD_V_TRUNCATED) {
                T_FAIL("variant %d cut at %zu of %lu: %s (%s)", i, cut, n,
                       vd_verdict_name(b->m.verdict), b->m.detail);
                continue;
            }
            T_EQ(b->m.offset, cut);
            T_EQ(b->g.frames, 1);
            if (!(b->m.decoded_percent >= before - 1e-9 && b->m.decoded_percent <= 100))
                T_FAIL("variant %d cut at %zu of %lu: %.2f %% after %.2f %%", i, cut, n,
                       b->m.decoded_percent, before);
            before = b->m.decoded_percent;
        }
        T_TRUE(before > 80);
        T_EQ(decode(b, data, n), VD_OK);
        T_EQ(b->m.verdict, VD_V_OK);
        free(data);
    }
    close_bench(b);
}

T(rows_before_the_cut_are_the_whole_files) {
    bench *b = open_bench(t);
    static uint8_t whole[W * H];
    spec p = { .quality = 80, .h = 2, .v = 2 };
    unsigned long n;
    T_NEED(b != NULL);
    unsigned char *data = encode(&p, &n);
    T_EQ(decode(b, data, n), VD_OK);
    memcpy(whole, b->g.plane[0], sizeof whole);
    T_EQ(decode(b, data, n / 2), VD_OK);
    int rows = (int)(b->m.decoded_percent / 100 * H / 16) * 16;
    T_TRUE(rows >= 16 && rows < H);
    T_TRUE(memcmp(whole, b->g.plane[0], (size_t)(rows * W)) == 0);
    T_TRUE(memcmp(whole, b->g.plane[0], sizeof whole) != 0);
    free(data);
    close_bench(b);
}

T(damage_in_the_middle_is_corrupt_not_truncated) {
    bench *b = open_bench(t);
    vd_rng r = t_rng(t);
    int told = 0, tries = 0;
    T_NEED(b != NULL);
    for (int i = 0; i < VD_COUNT(variants); i++) {
        spec p = variants[i];
        unsigned long n;
        p.smooth = false;
        unsigned char *data = encode(&p, &n);
        size_t scan = scan_of(data, n) + 20;
        for (int k = 0; k < 25; k++) {
            size_t at = scan + (size_t)vd_rng_int(&r, (int64_t)(n - 2 - scan));
            unsigned char old[8];
            size_t len = VD_MIN((size_t)8, n - 2 - at);
            memcpy(old, data + at, len);
            for (size_t j = 0; j < len; j++) data[at + j] = (unsigned char)vd_rng_u64(&r);
            T_EQ(decode(b, data, n), VD_OK);
            if (!p.arithmetic) { /* arithmetic codes accept any bytes */
                tries++;
                told += b->m.verdict == VD_V_CORRUPT || b->m.verdict == VD_V_TRUNCATED ||
                        b->m.verdict == VD_V_UNREADABLE;
            }
            if (b->m.verdict == VD_V_CORRUPT) T_TRUE(b->m.offset > 0 && b->m.offset <= (int64_t)n);
            memcpy(data + at, old, len);
        }
        T_EQ(decode(b, data, n), VD_OK); /* and the next good file is good */
        T_EQ(b->m.verdict, VD_V_OK);
        free(data);
    }
    T_TRUE(told * 100 >= tries * 75); /* Huffman codes resynchronise now and then without a trace */
    close_bench(b);
}

/* Takes every segment of one kind out of a file; its length afterwards. */
static size_t without(unsigned char *d, size_t n, unsigned char marker) {
    size_t at = 2;
    while (at + 4 <= n && d[at] == 0xff && d[at + 1] != 0xda) {
        size_t length = 2 + ((size_t)d[at + 2] << 8 | d[at + 3]);
        if (d[at + 1] != marker) {
            at += length;
            continue;
        }
        memmove(d + at, d + at + length, n - at - length);
        n -= length;
    }
    return n;
}

T(a_file_without_tables_does_not_borrow_its_neighbours) {
    static const unsigned char markers[] = { 0xdb, 0xc4 }; /* DQT, DHT */
    vd_err err = { 0 };
    const spec whole = { .quality = 40, .h = 2, .v = 2 }, other = { .quality = 90, .h = 2, .v = 2 };
    unsigned long size = 0, n_whole = 0;
    unsigned char *good = encode(&whole, &n_whole);
    for (int i = 0; i < VD_COUNT(markers); i++) {
        unsigned char *file = encode(&other, &size);
        size_t n = without(file, size, markers[i]);
        T_TRUE(n < size);
        bench *alone = open_bench(t), *after = open_bench(t);
        T_OK(decode(alone, file, n));
        T_OK(decode(after, good, n_whole));
        T_EQ(after->m.verdict, VD_V_OK);
        T_OK(decode(after, file, n));
        T_EQ(after->m.verdict, alone->m.verdict);
        T_STR(after->m.reason, alone->m.reason);
        T_EQ(after->g.frames, alone->g.frames);
        if (alone->g.frames > 0) T_EQ(memcmp(after->g.plane[0], alone->g.plane[0], W * H), 0);
        close_bench(alone);
        close_bench(after);
        free(file);
    }
    free(good);
}

T(garbage_after_the_end_is_fine) {
    bench *b = open_bench(t);
    spec p = { .quality = 80, .h = 2, .v = 2 };
    unsigned long n;
    T_NEED(b != NULL);
    unsigned char *data = encode(&p, &n), *more = vd_mem_array(n + 5000, 1);
    T_NEED(more != NULL);
    memset(more, 0x5a, n + 5000);
    memcpy(more, data, n);
    T_EQ(decode(b, more, n + 5000), VD_OK);
    T_EQ(b->m.verdict, VD_V_OK);
    vd_mem_free(more);
    free(data);
    close_bench(b);
}

T(cmyk_becomes_rgb) {
    bench *b = open_bench(t);
    spec p = { .quality = 100, .h = 1, .v = 1, .cmyk = true, .smooth = true };
    unsigned long n;
    int worst = 0;
    T_NEED(b != NULL);
    unsigned char *data = encode(&p, &n); /* with an Adobe marker: inverted, R = C K */
    T_EQ(decode(b, data, n), VD_OK);
    T_EQ(b->m.verdict, VD_V_OK);
    T_EQ(b->g.f.format, VD_PIX_RGB8);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t v[4];
            pixel(&p, x, y, v);
            worst = VD_MAX(worst, abs(b->g.plane[0][(y * W + x) * 3] - v[0] * v[3] / 255));
        }
    T_TRUE(worst <= 4);
    free(data);
    close_bench(b);
}

T(limits_and_unsupported_kinds_have_sizes) {
    bench *b = open_bench(t);
    spec p = { .quality = 80, .h = 2, .v = 2 };
    unsigned long n;
    T_NEED(b != NULL);
    unsigned char *data = encode(&p, &n);
    b->opt.max_pixels = W * H - 1;
    T_EQ(decode(b, data, n), VD_OK);
    T_EQ(b->m.verdict, VD_V_TOO_LARGE);
    T_EQ(b->m.width, W);
    T_EQ(b->g.frames, 0);
    b->opt.max_pixels = W * H;
    T_EQ(decode(b, data, n), VD_OK);
    T_EQ(b->m.verdict, VD_V_OK);
    b->opt.want_pixels = false;
    T_EQ(decode(b, data, n), VD_OK);
    T_EQ(b->m.verdict, VD_V_OK);
    T_EQ(b->m.height, H);
    T_EQ(b->g.frames, 0);
    b->opt.want_pixels = true;
    for (size_t i = 0; i + 4 < n; i++)
        if (data[i] == 0xff && data[i + 1] == 0xc0) {
            data[i + 4] = 12;
            T_EQ(decode(b, data, n), VD_OK);
            T_EQ(b->m.verdict, VD_V_UNSUPPORTED);
            T_EQ(b->m.bits, 12);
            data[i + 4] = 8;
            data[i + 1] = 0xc3;
            T_EQ(decode(b, data, n), VD_OK);
            T_EQ(b->m.verdict, VD_V_UNSUPPORTED);
            T_EQ(b->m.width, W);
            break;
        }
    free(data);
    close_bench(b);
}

T(exif_and_xmp_are_read) {
#ifndef T_HAVE_EXIF
    T_SKIP("a build without libexif");
#endif
    static const unsigned char exif[] = { 0xff, 0xe1, 0,   2 + 6 + 8 + 2 + 24 + 4 + 20,
                                          'E',  'x',  'i', 'f',
                                          0,    0, /* "Exif" */
                                          'M',  'M',  0,   42,
                                          0,    0,    0,   8,
                                          0,    2, /* two entries */
                                          0x01, 0x12, 0,   3,
                                          0,    0,    0,   1,
                                          0,    6,    0,   0, /* Orientation 6 */
                                          0x01, 0x32, 0,   2,
                                          0,    0,    0,   20,
                                          0,    0,    0,   38, /* DateTime */
                                          0,    0,    0,   0,
                                          '2',  '0',  '2', '4',
                                          ':',  '0',  '5', ':',
                                          '0',  '1',  ' ', '1',
                                          '0',  ':',  '2', '0',
                                          ':',  '3',  '0', 0 };
    static const char xmp[] =
        "http://ns.adobe.com/xap/1.0/\0"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='43,30.0N' "
        "exif:GPSLongitude='11,15,36W' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='3'>"
        "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>100</rdf:li><rdf:li>200</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
        "<exif:FNumber>28/10</exif:FNumber>"
        "<d:GimbalPitchDegree xmlns:d='http://www.dji.com/drone-dji/1.0/'>-89.90</d:GimbalPitchDegree></rdf:Description></rdf:RDF></x:xmpmeta>";
    bench *b = open_bench(t);
    spec p = { .quality = 80, .h = 2, .v = 2 };
    unsigned long n;
    T_NEED(b != NULL);
    unsigned char *data = encode(&p, &n);
    size_t extra = sizeof exif + 4 + sizeof xmp - 1;
    unsigned char *all = vd_mem_alloc(n + extra), *q = all;
    T_NEED(all != NULL);
    memcpy(q, data, 2);
    memcpy(q += 2, exif, sizeof exif);
    q += sizeof exif;
    size_t len = sizeof xmp - 1 + 2;
    *q++ = 0xff, *q++ = 0xe1, *q++ = (unsigned char)(len >> 8), *q++ = (unsigned char)len;
    memcpy(q, xmp, sizeof xmp - 1);
    memcpy(q + sizeof xmp - 1, data + 2, n - 2);
    T_EQ(decode(b, all, n + extra), VD_OK);
    T_EQ(b->m.verdict, VD_V_OK);
    T_EQ(b->m.orientation, 6); /* EXIF before XMP */
    T_NEAR(b->m.pitch_deg, -89.9, 1e-9);
    T_EQ(b->m.width, H);
    T_EQ(b->m.height, W);
    T_EQ(b->g.f.width, W);
    T_EQ(b->g.f.orientation, 6);
    T_STR(b->m.taken_at, "2024-05-01T10:20:30");
    T_NEAR(b->m.latitude_deg, 43.5, 1e-9);
    T_NEAR(b->m.longitude_deg, -11.26, 1e-9);
    T_NEAR(b->m.iso, 100, 0);
    T_NEAR(b->m.f_number, 2.8, 1e-12);
    vd_mem_free(all);
    free(data);
    close_bench(b);
}
