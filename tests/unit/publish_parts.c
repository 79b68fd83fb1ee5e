/* Parts of room publish: metadata out of files that are built here byte by byte, names, scaled
 * labels, tar headers, Parquet's runs; each read back by a reader of its own, or known exactly.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/hash.h"
#include "base/mem.h"
#include "image/jpeg_write.h"
#include "image/png_write.h"
#include "label/mask.h"
#include "publish/fit.h"
#include "publish/layout.h"
#include "publish/names.h"
#include "publish/parquet.h"
#include "publish/rle.h"
#include "publish/strip.h"
#include "publish/tar_write.h"
#include "source/tar.h"

#include <fcntl.h>

enum { W = 37, H = 23 };
static const char SECRET[] = "SECRET-PLACE";

static void bytes(vd_str *s, const char *b, int64_t n) {
    vd_str_addn(s, b, n);
}

static bool holds(const vd_str *s, const char *text) {
    return s->size > 0 && memmem(s->data, (size_t)s->size, text, strlen(text)) != NULL;
}

/* ---- files with something in every place where metadata can be ---- */

static void segment(vd_str *s, int marker, const char *begin, int64_t n, bool secret) {
    vd_str body = { 0 };
    bytes(&body, begin, n);
    if (secret) vd_str_add(&body, SECRET);
    vd_str_addc(s, (char)0xff);
    vd_str_addc(s, (char)marker);
    vd_str_addc(s, (char)((body.size + 2) >> 8));
    vd_str_addc(s, (char)(body.size + 2));
    bytes(s, vd_str_text(&body), body.size);
    vd_str_reset(&body);
}

static void plain_jpeg(vd_str *out) {
    uint8_t grey[W * H];
    vd_err err = { 0 };
    for (int i = 0; i < W * H; i++) grey[i] = (uint8_t)(7 * i);
    const vd_frame f = { VD_PIX_GREY8, W, H, 1, { { grey, W, W, H } } };
    vd_jpeg_write(out, &f, NULL, &err);
}

/* The JPEG `plain` with metadata before its tables, and another picture behind its end. */
static void full_jpeg(vd_str *out, const vd_str *plain) {
    static const char jfif[] = "JFIF\0\1\2\1\0\110\0\110\1\1abc",
                      icc[] = "ICC_PROFILE\0\1\1profile", exif[] = "Exif\0\0",
                      xmp[] = "http://ns.adobe.com/xap/1.0/\0", adobe[] = "Adobe\0\144\0\0\0\0\0";
    bytes(out, "\xff\xd8", 2);
    segment(out, 0xe0, jfif, sizeof jfif - 1, false);
    segment(out, 0xe0, "JFXX\0\x13", 6, true);
    segment(out, 0xe1, exif, sizeof exif - 1, true);
    segment(out, 0xe1, xmp, sizeof xmp - 1, true);
    segment(out, 0xe2, icc, sizeof icc - 1, false);
    segment(out, 0xe2, "MPF\0", 4, true);
    segment(out, 0xed, "Photoshop 3.0\0", 14, true);
    segment(out, 0xee, adobe, sizeof adobe - 1, false);
    segment(out, 0xeb, "JP", 2, true);
    segment(out, 0xfe, "", 0, true);
    int64_t after = 2 + 2 + 16; /* plain's own JFIF is left out */
    bytes(out, plain->data + after, plain->size - after);
    bytes(out, plain->data, plain->size);
    vd_str_add(out, SECRET);
}

static uint32_t crc(const char *b, int64_t n) {
    uint32_t c = 0xffffffffu;
    for (int64_t i = 0; i < n; i++) {
        c ^= (uint8_t)b[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    }
    return ~c;
}

static void be32(vd_str *s, uint32_t v) {
    for (int i = 3; i >= 0; i--) vd_str_addc(s, (char)(v >> (8 * i)));
}

static void chunk(vd_str *s, const char *type, const char *begin, int64_t n) {
    vd_str body = { 0 };
    bytes(&body, type, 4);
    bytes(&body, begin, n);
    be32(s, (uint32_t)(body.size - 4));
    bytes(s, body.data, body.size);
    be32(s, crc(body.data, body.size));
    vd_str_reset(&body);
}

/* A PNG with text, time, Exif and a chunk of somebody's own before the pixels. */
static void full_png(vd_str *out, const vd_str *plain) {
    static const char *const types[] = { "tEXt", "zTXt", "iTXt", "eXIf", "tIME", "caBX" };
    bytes(out, plain->data, 33); /* signature and IHDR */
    chunk(out, "gAMA", "\0\0\xb1\x8f", 4);
    for (int i = 0; i < VD_COUNT(types); i++) chunk(out, types[i], SECRET, sizeof SECRET - 1);
    bytes(out, plain->data + 33, plain->size - 33);
    vd_str_add(out, SECRET);
}

static void le32(vd_str *s, uint32_t v) {
    for (int i = 0; i < 4; i++) vd_str_addc(s, (char)(v >> (8 * i)));
}

static void riff(vd_str *s, const char *type, const char *body, int64_t n) {
    bytes(s, type, 4);
    le32(s, (uint32_t)n);
    bytes(s, body, n);
    if (n % 2) vd_str_addc(s, 0);
}

static const char VP8L[] = "\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07"; /* one pixel */

static void full_webp(vd_str *out) {
    vd_str body = { 0 }, frame = { 0 };
    riff(&body, "VP8X", "\x3e\0\0\0\0\0\0\0\0\0", 10); /* ICC, alpha, Exif, XMP, animation */
    riff(&body, "ICCP", "profile", 7);
    riff(&body, "ANIM", "\0\0\0\0\0\0", 6);
    bytes(&frame, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    riff(&frame, "VP8L", VP8L, sizeof VP8L - 1);
    riff(&frame, "note", SECRET, sizeof SECRET - 1);
    riff(&body, "ANMF", frame.data, frame.size);
    riff(&body, "EXIF", SECRET, sizeof SECRET - 1);
    riff(&body, "XMP ", SECRET, sizeof SECRET - 1);
    riff(&body, "mine", SECRET, sizeof SECRET - 1);
    bytes(out, "RIFF", 4);
    le32(out, (uint32_t)body.size + 4);
    bytes(out, "WEBP", 4);
    bytes(out, body.data, body.size);
    vd_str_add(out, SECRET);
    vd_str_reset(&body);
    vd_str_reset(&frame);
}

static void plain_png(vd_str *out) {
    uint8_t grey[W * H];
    vd_err err = { 0 };
    for (int i = 0; i < W * H; i++) grey[i] = (uint8_t)(3 * i);
    vd_png_write(out, VD_PNG_GREY8, grey, W, H, W, 6, &err);
}

static const uint8_t *u(const vd_str *s) {
    return (const uint8_t *)s->data;
}

/* ---- strip ---- */

T(strip_jpeg_leaves_pixels_and_colour) {
    vd_str plain = { 0 }, full = { 0 }, out = { 0 };
    vd_err err = { 0 };
    plain_jpeg(&plain);
    full_jpeg(&full, &plain);
    T_TRUE(holds(&full, SECRET));
    T_OK(vd_strip(&out, u(&full), (size_t)full.size, "full", &err));
    T_TRUE(!holds(&out, SECRET) && !holds(&out, "Exif") && !holds(&out, "http:"));
    T_TRUE(!holds(&out, "Photoshop") && !holds(&out, "MPF") && !holds(&out, "JFXX"));
    T_TRUE(holds(&out, "ICC_PROFILE") && holds(&out, "Adobe") && holds(&out, "JFIF"));
    T_TRUE(!holds(&out, "abc")); /* its thumbnail */
    /* tables and scan are those of the plain file to the last byte, and nothing comes after */
    int64_t rest = plain.size - 20;
    T_NEED(out.size > rest);
    T_TRUE(memcmp(out.data + out.size - rest, plain.data + 20, (size_t)rest) == 0);
    vd_str_reset(&plain);
    vd_str_reset(&full);
    vd_str_reset(&out);
}

T(strip_png_and_webp) {
    vd_str plain = { 0 }, full = { 0 }, out = { 0 }, webp = { 0 };
    vd_err err = { 0 };
    plain_png(&plain);
    full_png(&full, &plain);
    T_OK(vd_strip(&out, u(&full), (size_t)full.size, "full", &err));
    T_TRUE(!holds(&out, SECRET) && holds(&out, "gAMA"));
    T_EQ(out.size, plain.size + 16);
    T_TRUE(memcmp(out.data + 49, plain.data + 33, (size_t)plain.size - 33) == 0);
    vd_str_clear(&out);
    full_webp(&webp);
    T_OK(vd_strip(&out, u(&webp), (size_t)webp.size, "webp", &err));
    T_TRUE(!holds(&out, SECRET) && !holds(&out, "EXIF") && !holds(&out, "XMP "));
    T_TRUE(holds(&out, "ICCP") && holds(&out, "ANMF"));
    T_NEED(out.size > 24);
    T_EQ((uint8_t)out.data[20], 0x32); /* ICC, alpha and animation are left of the flags */
    T_EQ((uint8_t)out.data[4] | (uint8_t)out.data[5] << 8, out.size - 8);
    vd_str_reset(&plain);
    vd_str_reset(&full);
    vd_str_reset(&webp);
    vd_str_reset(&out);
}

/* Whatever comes in: no crash, a message, and what comes out has nothing more to lose. */
static void look(t_case *t, const uint8_t *d, size_t n) {
    vd_str a = { 0 }, b = { 0 };
    vd_err err = { 0 };
    vd_status st = vd_strip(&a, d, n, "damaged", &err);
    if (st != VD_OK) {
        T_TRUE(err.msg[0] != '\0');
    } else {
        T_TRUE(a.size <= (int64_t)n + 1); /* a WebP's last chunk may lack its padding */
        T_TRUE(vd_strip(&b, u(&a), (size_t)a.size, "again", NULL) == VD_OK);
        T_EQ(a.size, b.size);
        T_TRUE(memcmp(a.data, b.data, (size_t)VD_MIN(a.size, b.size)) == 0);
    }
    vd_str_reset(&a);
    vd_str_reset(&b);
}

T(strip_survives_damage) {
    vd_rng r = t_rng(t);
    vd_str plain[2] = { { 0 } }, file[3] = { { 0 } };
    plain_jpeg(&plain[0]);
    full_jpeg(&file[0], &plain[0]);
    plain_png(&plain[1]);
    full_png(&file[1], &plain[1]);
    full_webp(&file[2]);
    for (int k = 0; k < 3; k++) {
        size_t n = (size_t)file[k].size;
        uint8_t *d = vd_mem_alloc(n);
        T_NEED(d != NULL);
        for (size_t cut = 0; cut <= n; cut++) {
            uint8_t *exact = vd_mem_alloc(cut); /* so that a read beyond it is seen */
            T_NEED(exact != NULL);
            memcpy(exact, file[k].data, cut);
            look(t, exact, cut);
            vd_mem_free(exact);
        }
        for (int j = 0; j < 4000; j++) {
            memcpy(d, file[k].data, n);
            for (int c = 0; c < 1 + j % 4; c++)
                d[vd_rng_int(&r, (int64_t)n)] = j % 3 == 0 ? 0xff : (uint8_t)vd_rng_u64(&r);
            look(t, d, n);
        }
        vd_mem_free(d);
        vd_str_reset(&file[k]);
    }
    vd_str_reset(&plain[0]);
    vd_str_reset(&plain[1]);
}

T(strip_survives_every_oom) {
    vd_str plain = { 0 }, full = { 0 };
    plain_jpeg(&plain);
    full_jpeg(&full, &plain);
    const int64_t live = vd_mem_live();
    for (int n = 0, hit = 1; hit; n++) {
        vd_str out = { 0 };
        vd_mem_fail_at(n, true);
        vd_status st = vd_strip(&out, u(&full), (size_t)full.size, "full", NULL);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&out);
        T_EQ(vd_mem_live(), live);
    }
    vd_str_reset(&plain);
    vd_str_reset(&full);
}

/* ---- names ---- */

static void named(t_case *t, vd_map *taken, const char *uri, const char *want) {
    vd_str s = { 0 };
    vd_err err = { 0 };
    T_OK(vd_publish_name(&s, taken, uri, &err));
    T_STR(vd_str_text(&s), want);
    vd_str_reset(&s);
}

T(names_are_safe_and_unique) {
    vd_map *taken = NULL;
    vd_err err = { 0 };
    char hash[40], longer[400];
    T_OK(vd_map_new(&taken, &err));
    named(t, taken, "/a/b c.JPG", "b_c");
    named(t, taken, "/a/../..", "__");
    named(t, taken, "/a/x.y.png", "x_y");
    named(t, taken, "/a/v.zip!in/x#3", "x_3");
    named(t, taken, "/a/-rf.png", "_rf");
    named(t, taken, "/a/\xc3\xa4\xe5\x9b\xbe.png", "\xc3\xa4\xe5\x9b\xbe");
    const char *uri = "/other/B_C.png"; /* alike but for the case of letters */
    snprintf(hash, sizeof hash, "B_C-%08x",
             (unsigned)(vd_mix64(vd_hash64(uri, strlen(uri)) + 1) >> 32));
    named(t, taken, uri, hash);
    memset(longer, 'x', 300);
    strcpy(longer + 300, ".jpg");
    vd_str s = { 0 };
    T_OK(vd_publish_name(&s, taken, longer, &err));
    T_EQ(s.size, VD_PUBLISH_NAME);
    T_TRUE(s.data[VD_PUBLISH_NAME - 9] == '-');
    vd_str_clear(&s);
    vd_publish_safe(&s, "");
    T_STR(s.data, "_");
    vd_str_reset(&s);
    vd_map_free(taken);
}

/* ---- scaled labels ---- */

T(fit_scales_shapes) {
    const double xy[] = { 0, 0, 10, 0, 10, 20 }, points[] = { 4, 6, 2, 0, 0, 0 };
    const int32_t ring[] = { 3 };
    const vd_fit half = { 100, 60, 50, 30 }, uneven = { 100, 60, 50, 60 };
    vd_shape_buf buf = { 0 };
    vd_mask mask = { 0 };
    vd_err err = { 0 };
    vd_label_object o = { .has = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_KEYPOINTS | VD_OBJ_AREA,
                          .box = { 10, 20, 30, 40 },
                          .area = 100,
                          .xy = xy,
                          .ring = ring,
                          .n_rings = 1,
                          .keypoints = points,
                          .n_keypoints = 2 };
    T_OK(vd_fit_object(&o, &buf, &mask, &half, &err));
    T_TRUE(o.box[0] == 5 && o.box[1] == 10 && o.box[2] == 15 && o.box[3] == 20 && o.area == 25);
    T_TRUE(o.xy[4] == 5 && o.xy[5] == 10 && o.keypoints[0] == 2 && o.keypoints[2] == 2);
    /* a turned box: its corners, scaled, lie on the scaled box */
    vd_label_object r = { .has = VD_OBJ_ROTATED, .box = { 50, 30, 20, 10 }, .angle = 0.3 };
    double before[8], after[8];
    vd_label_corners(&r, before);
    T_OK(vd_fit_object(&r, &buf, &mask, &half, &err));
    vd_label_corners(&r, after);
    for (int i = 0; i < 8; i++) T_NEAR(after[i], before[i] / 2, 1e-12);
    vd_label_object q = { .has = VD_OBJ_ROTATED, .box = { 50, 30, 20, 10 }, .angle = 0 };
    T_OK(vd_fit_object(&q, &buf, &mask, &uneven, &err));
    T_TRUE(q.box[0] == 25 && q.box[1] == 30 && q.box[2] == 10 && q.box[3] == 10);
    vd_shape_buf_reset(&buf);
    vd_mask_reset(&mask);
}

/* A mask made smaller by a whole factor is the pixel in the middle of each cell. */
T(fit_takes_the_nearest_pixel_of_a_mask) {
    enum { MW = 30, MH = 21, F = 3 };
    vd_rng rng = t_rng(t);
    uint8_t big[MW * MH], small[MW / F * (MH / F)] = { 0 };
    vd_mask m = { 0 }, out = { 0 }, now;
    vd_shape_buf buf = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < MW * MH; i++) big[i] = vd_rng_u64(&rng) & 1;
    T_OK(vd_mask_from_bytes(&m, big, MW, MH, MW, &err));
    vd_label_object o = {
        .has = VD_OBJ_MASK, .runs = m.run, .n_runs = m.n, .mask_width = MW, .mask_height = MH
    };
    const vd_fit f = { MW, MH, MW / F, MH / F };
    T_OK(vd_fit_object(&o, &buf, &out, &f, &err));
    now = (vd_mask){ o.mask_height, o.mask_width, o.n_runs, (uint32_t *)o.runs };
    vd_mask_paint(&now, small, MW / F, 1);
    for (int y = 0; y < MH / F; y++)
        for (int x = 0; x < MW / F; x++)
            T_EQ(small[y * (MW / F) + x], big[(F * y + 1) * MW + F * x + 1]);
    vd_mask_reset(&m);
    vd_mask_reset(&out);
    vd_shape_buf_reset(&buf);
}

/* ---- runs ---- */

static uint64_t varint(const uint8_t **p) {
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        v |= (uint64_t)(**p & 0x7f) << shift;
        if (!(*(*p)++ & 0x80)) return v;
    }
}

/* The hybrid as the format's description reads it. */
static int64_t unpack(uint32_t *out, int64_t most, const uint8_t *p, const uint8_t *end,
                      int width) {
    int64_t n = 0;
    while (p < end) {
        uint64_t head = varint(&p);
        if (head & 1) {
            for (uint64_t bit = 0; bit < (head >> 1) * 8 * (uint64_t)width;
                 bit += (uint64_t)width) {
                uint32_t v = 0;
                for (int k = 0; k < width; k++)
                    v |= (uint32_t)(p[(bit + (uint64_t)k) / 8] >> ((bit + (uint64_t)k) % 8) & 1)
                         << k;
                if (n < most) out[n] = v;
                n++;
            }
            p += (head >> 1) * (uint64_t)width;
        } else {
            uint32_t v = 0;
            for (int k = 0; k < (width + 7) / 8; k++) v |= (uint32_t)*p++ << (8 * k);
            for (uint64_t k = 0; k < head >> 1; k++, n++)
                if (n < most) out[n] = v;
        }
    }
    return n;
}

T(runs_come_back) {
    enum { N = 700 };
    vd_rng rng = t_rng(t);
    uint32_t v[N], got[N];
    for (int turn = 0; turn < 3000; turn++) {
        int width = 1 + turn % 32, n = 1 + (int)vd_rng_int(&rng, N);
        int64_t run = 1 + vd_rng_int(&rng, 40);
        vd_str s = { 0 };
        for (int i = 0; i < n; i++)
            v[i] = i > 0 && vd_rng_int(&rng, run) != 0
                       ? v[i - 1]
                       : (uint32_t)(vd_rng_u64(&rng) & ((1ull << width) - 1));
        vd_rle_add(&s, v, n, width);
        int64_t back = unpack(got, n, u(&s), u(&s) + s.size, width);
        T_TRUE(back >= n && back < n + 8);
        T_TRUE(memcmp(v, got, (size_t)n * sizeof *v) == 0);
        vd_str_reset(&s);
    }
    T_EQ(vd_rle_width(0), 1);
    T_EQ(vd_rle_width(1), 1);
    T_EQ(vd_rle_width(2), 2);
    T_EQ(vd_rle_width(255), 8);
    T_EQ(vd_rle_width(256), 9);
}

/* ---- tar ---- */

typedef struct listing {
    t_case *t;
    const char *const *name;
    const int64_t *size;
    int n;
} listing;

static vd_status listed(void *user, const vd_tar_entry *e, vd_err *err) {
    listing *l = user;
    t_case *t = l->t;
    (void)err;
    T_STR(e->name, l->name[l->n]);
    T_EQ(e->size, l->size[l->n]);
    T_EQ(e->mtime_ns, 0);
    l->n++;
    return VD_OK;
}

/* Our own reader of tar, which was tested on other programs' files. */
T(tar_members_come_back) {
    char longer[200], edge[101];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memset(edge, 'e', 100);
    edge[100] = '\0';
    const char *const name[] = { "a.jpg", longer, "\xc3\xa4.json", edge };
    const int64_t size[] = { 0, 511, 512, 513 };
    vd_str s = { 0 };
    vd_err err = { 0 };
    char path[] = "/tmp/vidimus-tar-XXXXXX", data[600] = { 0 };
    for (int i = 0; i < VD_COUNT(name); i++) {
        int64_t before = s.size;
        vd_tar_head(&s, name[i], size[i]);
        vd_str_addn(&s, data, size[i]);
        vd_tar_pad(&s, size[i]);
        T_EQ(s.size - before, vd_tar_size(name[i], size[i]));
    }
    vd_tar_end(&s);
    int fd = mkostemp(path, O_CLOEXEC);
    T_NEED(fd >= 0);
    unlink(path);
    T_EQ(write(fd, s.data, (size_t)s.size), s.size);
    listing l = { t, name, size, 0 };
    vd_tar_opt opt = VD_TAR_OPT;
    opt.on_entry = listed;
    opt.user = &l;
    T_OK(vd_tar_index(fd, "made", &opt, &err));
    T_EQ(l.n, VD_COUNT(name));
    close(fd);
    vd_str_reset(&s);
}

/* ---- Parquet ---- */

T(parquet_survives_every_oom) {
    static const vd_parquet_column columns[] = { { "i", VD_INT },
                                                 { "f", VD_REAL },
                                                 { "s", VD_TEXT } };
    char path[64];
    snprintf(path, sizeof path, "/tmp/vidimus-parquet-%d", (int)getpid());
    const int64_t live = vd_mem_live();
    for (int n = 0, hit = 1; hit; n++) {
        vd_parquet *p = NULL;
        vd_mem_fail_at(n, true);
        vd_status st = vd_parquet_open(&p, path, columns, 3, NULL);
        for (int i = 0; st == VD_OK && i < 50; i++) {
            const vd_value row[] = { vd_val_int(i), i % 3 ? vd_val_real(i / 7.0) : vd_val_null(),
                                     vd_val_text(i % 2 ? "one" : "the other") };
            st = vd_parquet_row(p, row, NULL);
        }
        if (st == VD_OK) st = vd_parquet_close(p, NULL);
        vd_parquet_free(p);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(access(path, F_OK) == 0, st == VD_OK);
        T_EQ(vd_mem_live(), live);
    }
    unlink(path);
}

T(parquet_refuses_another_type) {
    static const vd_parquet_column columns[] = { { "i", VD_INT } };
    char path[64];
    vd_parquet *p = NULL;
    vd_err err = { 0 };
    snprintf(path, sizeof path, "/tmp/vidimus-parquet-%d", (int)getpid());
    T_OK(vd_parquet_open(&p, path, columns, 1, &err));
    const vd_value row[] = { vd_val_text("no number") };
    T_EQ(vd_parquet_row(p, row, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "column i") != NULL);
    vd_parquet_free(p);
    T_TRUE(access(path, F_OK) != 0);
}

/* ---- layouts ---- */

T(every_layout_is_an_argument) {
    char names[1024] = "";
    for (int i = 0; i < vd_n_layouts; i++) {
        if (i > 0) strcat(names, "|");
        strcat(names, vd_layouts[i].format);
    }
    T_STR(names, VD_PUBLISH_FORMATS);
}
