/* Encoders: JPEG read back by libjpeg itself, PNG by libpng, EXIF by libexif, .npy by its own
 * header text. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <jpeglib.h>
#include <png.h>
#ifdef T_HAVE_EXIF
#include <libexif/exif-data.h>
#endif

#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "image/exif_write.h"
#include "image/jpeg_write.h"
#include "image/png_write.h"

enum { W = 61, H = 45 }; /* no multiple of 8 or 16 */

static void paint(uint8_t *rgb) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t *p = rgb + 3 * (y * W + x);
            p[0] = (uint8_t)(40 + 3 * x);
            p[1] = (uint8_t)(30 + 4 * y);
            p[2] = (uint8_t)(220 - x - 2 * y);
        }
}

/* Decodes to RGB; the size must be W x H. */
static int decode(const vd_str *s, uint8_t *rgb, int h[3]) {
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr mgr;
    c.err = jpeg_std_error(&mgr);
    jpeg_create_decompress(&c);
    jpeg_mem_src(&c, (uint8_t *)s->data, (unsigned long)s->size);
    jpeg_read_header(&c, TRUE);
    c.out_color_space = JCS_RGB;
    jpeg_start_decompress(&c);
    if (c.output_width != W || c.output_height != H) return 1;
    h[0] = c.comp_info[0].h_samp_factor;
    h[1] = c.comp_info[0].v_samp_factor;
    h[2] = c.num_components;
    while (c.output_scanline < H) {
        JSAMPROW row = rgb + 3 * W * (int)c.output_scanline;
        jpeg_read_scanlines(&c, &row, 1);
    }
    jpeg_finish_decompress(&c);
    jpeg_destroy_decompress(&c);
    return 0;
}

static double mean_abs(const uint8_t *a, const uint8_t *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += abs(a[i] - b[i]);
    return sum / n;
}

T(jpeg_comes_back_in_every_sampling) {
    vd_err err = { 0 };
    uint8_t rgb[3 * W * H], back[3 * W * H];
    int s[3];
    vd_str out = { 0 };
    paint(rgb);
    vd_frame f = { VD_PIX_RGB8, W, H, 1, { { rgb, 3 * W, W, H } } };
    const int want[][2] = { { 2, 2 }, { 2, 1 }, { 1, 1 } };
    for (int c = VD_CHROMA_420; c <= VD_CHROMA_444; c++)
        for (int progressive = 0; progressive < 2; progressive++) {
            vd_jpeg_opt o = { .quality = 95, .chroma = (vd_chroma)c, .progressive = progressive };
            vd_str_clear(&out);
            T_OK(vd_jpeg_write(&out, &f, &o, &err));
            T_NEED(decode(&out, back, s) == 0);
            T_EQ(s[0], want[c][0]);
            T_EQ(s[1], want[c][1]);
            T_LT(mean_abs(rgb, back, 3 * W * H), 1.5);
        }
    vd_str_reset(&out);
}

T(jpeg_takes_planes_and_grey) {
    vd_err err = { 0 };
    enum { CW = (W + 1) / 2, CH = (H + 1) / 2 };
    uint8_t y[W * H], c[2][CW * CH], back[3 * W * H];
    int s[3];
    for (int i = 0; i < W * H; i++) y[i] = (uint8_t)(60 + 2 * (i % W));
    memset(c[0], 100, sizeof c[0]);
    memset(c[1], 160, sizeof c[1]);
    vd_frame f = {
        VD_PIX_YCC8, W, H, 1, { { y, W, W, H }, { c[0], CW, CW, CH }, { c[1], CW, CW, CH } }
    };
    vd_str out = { 0 };
    T_OK(vd_jpeg_write(&out, &f, NULL, &err));
    T_NEED(decode(&out, back, s) == 0);
    T_TRUE(s[0] == 2 && s[1] == 2 && s[2] == 3);
    double worst = 0; /* BT.601, full range, as JFIF says */
    for (int i = 0; i < W * H; i++) {
        worst = fmax(worst, fabs(back[3 * i] - fmin(255, y[i] + 1.402 * 32)));
        worst = fmax(worst, fabs(back[3 * i + 2] - fmin(255, y[i] - 1.772 * 28)));
    }
    T_LT(worst, 8);
    vd_str_clear(&out);
    f.format = VD_PIX_GREY8;
    T_OK(vd_jpeg_write(&out, &f, NULL, &err));
    T_NEED(decode(&out, back, s) == 0);
    T_EQ(s[2], 1);
    f.plane[1].width = 7;
    f.format = VD_PIX_YCC8;
    int64_t size = out.size;
    T_EQ(vd_jpeg_write(&out, &f, NULL, &err), VD_E_ARG);
    T_EQ(out.size, size);
    vd_str_reset(&out);
}

T(jpeg_survives_refused_memory) {
    uint8_t *rgb = vd_mem_array(3, 256 * 256);
    vd_rng r = t_rng(t);
    for (int i = 0; i < 3 * 256 * 256; i++) rgb[i] = (uint8_t)vd_rng_u64(&r);
    vd_frame f = { VD_PIX_RGB8, 256, 256, 1, { { rgb, 3 * 256, 256, 256 } } };
    for (int n = 0;; n++) {
        vd_err err = { 0 };
        vd_str out = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_jpeg_write(&out, &f, NULL, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&out);
        if (!hit) break;
    }
    vd_mem_free(rgb);
}

T(png_comes_back) {
    vd_err err = { 0 };
    uint16_t grey[W * H], back[W * H];
    for (int i = 0; i < W * H; i++) grey[i] = (uint16_t)(i * 23);
    vd_str out = { 0 };
    T_OK(vd_png_write(&out, VD_PNG_GREY16, grey, W, H, 2 * W, 6, &err));
    png_image img = { .version = PNG_IMAGE_VERSION };
    T_NEED(png_image_begin_read_from_memory(&img, out.data, (size_t)out.size) != 0);
    T_EQ(img.width, W);
    T_EQ(img.height, H);
    img.format = PNG_FORMAT_LINEAR_Y;
    T_NEED(png_image_finish_read(&img, NULL, back, W, NULL) != 0);
    int off = 0; /* the simple reader takes out the gamma, which keeps the order of samples */
    for (int i = 1; i < W * H; i++)
        off += grey[i] > grey[i - 1] ? back[i] < back[i - 1] : back[i] > back[i - 1];
    T_EQ(off, 0);
    uint8_t g8[W * H], b8[W * H];
    for (int i = 0; i < W * H; i++) g8[i] = (uint8_t)(i * 7);
    vd_str_clear(&out);
    T_OK(vd_png_write(&out, VD_PNG_GREY8, g8, W, H, W, 1, &err));
    png_image img8 = { .version = PNG_IMAGE_VERSION };
    T_NEED(png_image_begin_read_from_memory(&img8, out.data, (size_t)out.size) != 0);
    img8.format = PNG_FORMAT_GRAY;
    T_NEED(png_image_finish_read(&img8, NULL, b8, W, NULL) != 0);
    T_TRUE(memcmp(g8, b8, sizeof g8) == 0);
    T_EQ(vd_png_write(&out, VD_PNG_GREY8, g8, 0, H, W, 1, &err), VD_E_ARG);
    vd_str_reset(&out);
}

#ifdef T_HAVE_EXIF
static const char *tag_text(ExifData *d, ExifIfd ifd, ExifTag tag, char *text, unsigned n) {
    ExifEntry *e = exif_content_get_entry(d->ifd[ifd], tag);
    text[0] = '\0';
    if (e != NULL) exif_entry_get_value(e, text, n);
    return text;
}

static double tag_rational(ExifData *d, ExifIfd ifd, ExifTag tag, int i) {
    ExifEntry *e = exif_content_get_entry(d->ifd[ifd], tag);
    if (e == NULL || e->format != EXIF_FORMAT_RATIONAL || (unsigned)i >= e->components) return NAN;
    ExifRational r = exif_get_rational(e->data + 8 * i, exif_data_get_byte_order(d));
    return (double)r.numerator / r.denominator;
}

T(exif_reads_back_by_libexif) {
    vd_err err = { 0 };
    vd_media m = { .orientation = 6,
                   .width = 640,
                   .height = 480,
                   .focal_mm = 5.25,
                   .focal_35mm = 28,
                   .exposure_s = 1.0 / 250,
                   .f_number = 1.8,
                   .iso = 64,
                   .latitude_deg = -33.8567844,
                   .longitude_deg = 151.2152967,
                   .altitude_m = -4.25,
                   .direction_deg = 271.5,
                   .make = "Vidimus",
                   .model = "Synth",
                   .lens = "28 mm" };
    strcpy(m.taken_at, "2026-05-01T10:20:30.250+02:00");
    vd_str out = { 0 };
    vd_str_addn(&out, "Exif\0\0", 6);
    T_OK(vd_exif_write(&out, &m, &err));
    ExifData *d = exif_data_new_from_data((uint8_t *)out.data, (unsigned)out.size);
    T_NEED(d != NULL);
    char s[80];
    T_STR(tag_text(d, EXIF_IFD_0, EXIF_TAG_MAKE, s, sizeof s), "Vidimus");
    T_STR(tag_text(d, EXIF_IFD_0, EXIF_TAG_MODEL, s, sizeof s), "Synth");
    T_STR(tag_text(d, EXIF_IFD_0, EXIF_TAG_ORIENTATION, s, sizeof s), "Right-top");
    T_STR(tag_text(d, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, s, sizeof s),
          "2026:05:01 10:20:30");
    T_STR(tag_text(d, EXIF_IFD_EXIF, EXIF_TAG_SUB_SEC_TIME_ORIGINAL, s, sizeof s), "250");
    T_STR(tag_text(d, EXIF_IFD_EXIF, (ExifTag)0x9011, s, sizeof s), "+02:00");
    T_STR(tag_text(d, EXIF_IFD_EXIF, (ExifTag)0xa434, s, sizeof s), "28 mm");
    T_NEAR(tag_rational(d, EXIF_IFD_EXIF, EXIF_TAG_FOCAL_LENGTH, 0), 5.25, 1e-4);
    T_NEAR(tag_rational(d, EXIF_IFD_EXIF, EXIF_TAG_EXPOSURE_TIME, 0), 1.0 / 250, 1e-7);
    T_NEAR(tag_rational(d, EXIF_IFD_EXIF, EXIF_TAG_FNUMBER, 0), 1.8, 1e-9);
    double lat = 0, lon = 0;
    for (int i = 2; i >= 0; i--) {
        lat = lat / 60 + tag_rational(d, EXIF_IFD_GPS, (ExifTag)2, i);
        lon = lon / 60 + tag_rational(d, EXIF_IFD_GPS, (ExifTag)4, i);
    }
    T_NEAR(lat, 33.8567844, 2e-9);
    T_NEAR(lon, 151.2152967, 2e-9);
    T_STR(tag_text(d, EXIF_IFD_GPS, (ExifTag)1, s, sizeof s), "S");
    T_NEAR(tag_rational(d, EXIF_IFD_GPS, (ExifTag)6, 0), 4.25, 1e-9);
    T_NEAR(tag_rational(d, EXIF_IFD_GPS, (ExifTag)17, 0), 271.5, 1e-9);
    exif_data_unref(d);
    strcpy(m.taken_at, "yesterday");
    T_EQ(vd_exif_write(&out, &m, &err), VD_E_ARG);
    vd_str_reset(&out);
}

#endif

T(npy_header_is_what_numpy_writes) {
    vd_err err = { 0 };
    char dir[] = "/tmp/vidimus_npy_XXXXXX", path[64], *bytes = NULL;
    T_NEED(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/a.npy", dir);
    const float v[6] = { 0, 1, 2, 3, 4, 5 };
    vd_npy a = { .type = VD_NPY_F32, .n_dims = 2, .dim = { 2, 3 } }, b;
    T_OK(vd_npy_write(path, &a, v, &err));
    size_t size;
    T_OK(vd_file_read(&bytes, &size, path, 4096, &err));
    /* numpy 1.24: np.save of np.arange(6, dtype='f4').reshape(2, 3) */
    const char *want = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    T_EQ(size, 128 + 24);
    T_TRUE(memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    T_TRUE(memcmp(bytes + 10, want, strlen(want)) == 0);
    T_OK(vd_npy_parse(&b, bytes, size, &err));
    T_TRUE(b.type == VD_NPY_F32 && b.n_dims == 2 && b.dim[0] == 2 && b.dim[1] == 3);
    T_EQ(b.data_at, 128);
    T_TRUE(memcmp(bytes + b.data_at, v, sizeof v) == 0);
    for (size_t n = 0; n < 128; n++) { /* every cut is refused without reading past it */
        vd_err e = { 0 };
        char *cut = vd_mem_alloc(n);
        memcpy(cut, bytes, n);
        T_TRUE(vd_npy_parse(&b, cut, n, &e) != VD_OK);
        vd_mem_free(cut);
    }
    vd_mem_free(bytes);
    unlink(path);
    rmdir(dir);
}

T(npy_arrays_come_back) {
    static const struct {
        vd_npy_type type;
        const char *descr;
    } kinds[] = { { VD_NPY_I8, "'|i1'" }, { VD_NPY_U16, "'<u2'" }, { VD_NPY_I64, "'<i8'" } };
    vd_err err = { 0 };
    char dir[] = "/tmp/vidimus_npy_XXXXXX", path[64];
    int64_t v[6];
    T_NEED(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/a.npy", dir);
    for (int i = 0; i < 6; i++) v[i] = (int64_t)i * 0x0123456789abcdef;
    for (int k = 0; k < VD_COUNT(kinds); k++) {
        vd_npy a = { .type = kinds[k].type, .n_dims = 2, .dim = { 3, 2 } }, b = { 0 };
        void *back = NULL;
        char *bytes = NULL;
        size_t size = 0, each = vd_npy_elem_bytes(a.type);
        T_OK(vd_npy_write(path, &a, v, &err));
        T_OK(vd_npy_read(&b, &back, path, &err));
        T_TRUE(b.type == a.type && b.n_dims == 2 && b.dim[0] == 3 && vd_npy_count(&b) == 6);
        T_TRUE(memcmp(back, v, 6 * each) == 0);
        vd_mem_free(back);
        T_OK(vd_file_read(&bytes, &size, path, 4096, &err));
        T_TRUE(strstr(bytes + 10, kinds[k].descr) != NULL);
        vd_mem_free(bytes);
        T_TRUE(truncate(path, (off_t)size - 1) == 0);
        vd_err cut = { 0 };
        T_EQ(vd_npy_read(&b, &back, path, &cut), VD_E_FORMAT);
        T_TRUE(strstr(cut.msg, path) != NULL && strstr(cut.msg, "cut") != NULL);
    }
    vd_err none = { 0 };
    vd_npy b;
    void *back = NULL;
    unlink(path);
    T_EQ(vd_npy_read(&b, &back, path, &none), VD_E_NOTFOUND);
    rmdir(dir);
}
