/* Still images by libvips: what the module vidimus-codec-vips.so holds.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The loader is chosen by our own look at the bytes, never by libvips' search. Pixels stream in
 * strips from the loader through the colour conversion into the shared memory, in this thread. The
 * first attempt stops at the first error, which tells how far the data were good; a second one,
 * only for damaged files, takes what the library can still make of them.
 *
 * libvips keeps one error text for the process: it is copied and cleared for each file. */
#include "codec/io_vips.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <vips/vips.h>

#include "base/mem.h"
#include "codec/head_size.h"
#include "codec/io_webp.h"
#include "codec/meta.h"
#include "codec/png_head.h"
#include "codec/report.h"
#include "codec/vips_colour.h"

enum {
    STRIP = 64,       /* rows at a time */
    MAX_PAGES = 1000, /* of one file */
    BLANK = 128,
    ALIGN = 64,
};

struct vd_vips {
    vd_icc *icc;
    vd_serve *s;
    char warning[200]; /* the first one of this file */
};

typedef int (*load_fn)(void *buf, size_t len, VipsImage **out, ...);

enum {               /* what a loader can do, and what its pages are */
       PAGED = 1,    /* takes "page" */
       SEQUENCE = 2, /* its pages are an animation */
       UPRIGHT = 4,  /* its library applies the orientation itself */
       FAIL_ON = 8,  /* can go on after errors */
       SIZES = 16,   /* its pages are one picture in several sizes */
       MAGICK = 32,  /* through ImageMagick */
};

typedef struct loader {
    const char *format, *library;
    load_fn load;
    int flags;
    int kept; /* bytes a pixel that the library keeps besides its result, 0: it streams */
} loader;

#define LIB(name, version) name " " version

static const loader loaders[] = {
    { "png", LIB("libpng", VD_LIBPNG_VERSION), vips_pngload_buffer, FAIL_ON },
    { "gif", "libnsgif", vips_gifload_buffer, PAGED | SEQUENCE | FAIL_ON, 4 },
    { "tiff", LIB("libtiff", VD_LIBTIFF_VERSION), vips_tiffload_buffer, PAGED | FAIL_ON },
    { "webp", LIB("libwebp", VD_LIBWEBP_VERSION), vips_webpload_buffer, PAGED | SEQUENCE | FAIL_ON,
      4 },
    { "heic", LIB("libheif", VD_LIBHEIF_VERSION), vips_heifload_buffer, PAGED | UPRIGHT, 4 },
    { "avif", LIB("libheif", VD_LIBHEIF_VERSION), vips_heifload_buffer, PAGED | UPRIGHT, 4 },
    { "jxl", LIB("libjxl", VD_LIBJXL_VERSION), vips_jxlload_buffer, UPRIGHT | FAIL_ON, 24 },
    { "jp2", LIB("openjpeg", VD_LIBOPENJP2_VERSION), vips_jp2kload_buffer, FAIL_ON, 24 },
    { "hdr", "radload", vips_radload_buffer, FAIL_ON },
    { "tga", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "ico", "ImageMagick 6", vips_magickload_buffer, MAGICK | PAGED | SIZES },
    { "cur", "ImageMagick 6", vips_magickload_buffer, MAGICK | PAGED | SIZES },
    { "dds", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "pcx", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "psd", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "sgi", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "xbm", "ImageMagick 6", vips_magickload_buffer, MAGICK },
    { "xpm", "ImageMagick 6", vips_magickload_buffer, MAGICK },
};

/* TIFF files of kinds that libvips refuses: 12 bits a sample, separate planes in tiles. */
static const loader second_tiff = { "tiff", "ImageMagick 6, libtiff " VD_LIBTIFF_VERSION,
                                    vips_magickload_buffer, MAGICK | PAGED };

/* One file under decoding. */
typedef struct run {
    vd_vips *v;
    vd_serve *s;
    const vd_job *job;
    const uint8_t *data; /* of the job, or a copy of it */
    const loader *l;
    vd_media *m;
} run;

static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer user) {
    vd_vips *v = user;
    (void)domain;
    if ((level & G_LOG_FLAG_FATAL) != 0 && strstr(text, "allocate") != NULL && v->s != NULL)
        *vd_serve_memory_note(v->s) = 1; /* GLib ends the process next */
    if ((level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING && v->warning[0] == '\0')
        vd_report_line(v->warning, sizeof v->warning, text);
}

static vd_status start(vd_vips **out, vd_icc *icc, vd_err *err) {
    vd_vips *v = vd_mem_array(1, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    v->icc = icc;
    g_log_set_default_handler(on_log, v);
    if (vips_init("vidimus-codec") != 0) {
        g_log_set_default_handler(g_log_default_handler, NULL);
        vd_mem_free(v);
        return vd_fail(err, VD_E_UNSUPPORTED, "does not start: %s", vips_error_buffer());
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    *out = v;
    return VD_OK;
}

static void end(vd_vips *v) {
    if (v == NULL) return;
    g_log_set_default_handler(g_log_default_handler, NULL);
    vd_mem_free(v);
    vips_shutdown();
}

static bool out_of_memory(const char *text) {
    return strstr(text, "ut of memory") != NULL || strstr(text, "emory allocation") != NULL ||
           strstr(text, "llocation failed") != NULL || strstr(text, "nsufficient memory") != NULL;
}

static bool says_truncated(const char *text) {
    static const char *const words[] = { "remature",    "runcated",    "nexpected end",
                                         "end of file", "end of data", "nd of stream",
                                         "Read Error",  "Not enough",  "not enough",
                                         "nsufficient", "too short",   "EOF" };
    for (int i = 0; i < VD_COUNT(words); i++)
        if (strstr(text, words[i]) != NULL) return true;
    return false;
}

/* Words for "I know what this is and do not do it". */
static bool says_unsupported(const char *text) {
    static const char *const words[] = { "not supported",      "nsupported",
                                         "not implemented",    "nrecognized",
                                         "not a whole number", "required field",
                                         "differ in geometry" };
    for (int i = 0; i < VD_COUNT(words); i++)
        if (strstr(text, words[i]) != NULL) return true;
    return false;
}

/* No pixel came: what that means, from the library's words. */
static void report_nothing(const run *r, const char *what, const char *reason) {
    vd_media *m = r->m;
    int64_t w = 0, h = 0;
    if (says_truncated(what)) {
        m->offset = r->job->size;
        m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE, "premature_end", "%s: %s", m->library, what);
        return;
    }
    bool sized = m->width > 0 || vd_head_size(r->l->format, r->data, (size_t)r->job->size, &w, &h);
    /* libjxl's planes of CMYK with alpha are more than libvips can take */
    bool unsupported =
        says_unsupported(what) || (strcmp(r->l->format, "jxl") == 0 && m->channels > 4);
    if (w > 0) vd_report_size(m, w, h, r->job->opt.max_pixels);
    if (sized && unsupported)
        vd_report(m, VD_V_UNSUPPORTED, "not_supported", "%s: %s", m->library, what);
    else
        vd_report(m, VD_V_UNREADABLE, reason, "%s: %s", m->library, what);
}

/* The library's words for what went wrong, one line; its error text is empty afterwards. */
static void take_error(vd_vips *v, char *out, size_t size) {
    vd_report_line(out, size, vips_error_buffer());
    if (out[0] == '\0') snprintf(out, size, "%s", v->warning);
    vips_error_clear();
}

static VipsImage *open_page(const run *r, int page, VipsFailOn fail_on, VipsAccess access) {
    VipsImage *out = NULL;
    load_fn load = r->l->load;
    void *data = (void *)r->data;
    size_t n = (size_t)r->job->size;
    int rc;
    switch (r->l->flags & (PAGED | FAIL_ON)) {
    case PAGED | FAIL_ON:
        rc = load(data, n, &out, "access", access, "page", page, "fail_on", fail_on, NULL);
        break;
    case PAGED: rc = load(data, n, &out, "access", access, "page", page, NULL); break;
    case FAIL_ON: rc = load(data, n, &out, "access", access, "fail_on", fail_on, NULL); break;
    default: rc = load(data, n, &out, "access", access, NULL); break;
    }
    return rc == 0 ? out : NULL;
}

/* Copies the finished picture into `out`; the number of rows that came. */
static int copy_rows(VipsImage *im, uint8_t *out, size_t stride) {
    size_t row = (size_t)im->Xsize * (size_t)im->Bands;
    VipsRegion *region = vips_region_new(im);
    int y = 0;
    for (; y < im->Ysize; y += STRIP) {
        VipsRect strip = { 0, y, im->Xsize, VD_MIN(STRIP, im->Ysize - y) };
        if (vips_region_prepare(region, &strip) != 0) break;
        for (int k = 0; k < strip.height; k++)
            memcpy(out + (size_t)(y + k) * stride, VIPS_REGION_ADDR(region, 0, y + k), row);
    }
    g_object_unref(region);
    return VD_MIN(y, im->Ysize);
}

/* Memory for a page besides its file: the output, and what the loader's library keeps, in bytes a
 * pixel as measured on pictures of 24 megapixels. Loaders that stream keep a few rows. */
static int64_t page_bytes(const run *r, const VipsImage *im, bool whole) {
    enum { SMALL = 16 << 20 };
    int64_t pixels = (int64_t)im->Xsize * im->Ysize;
    int64_t sample = (int64_t)vips_format_sizeof(im->BandFmt), stored = sample * im->Bands;
    int64_t kept = whole || vips_image_get_typeof(im, "interlaced") != 0 ? stored : 0;
    if ((r->l->flags & MAGICK) != 0)
        kept += 16 + stored;
    else if (r->l->kept > 0)
        kept += r->l->kept + stored;
    return pixels * (kept + (im->Bands < 3 ? 1 : 3)) + SMALL;
}

/* RGB in place of RGBA, over white as vips_flatten does it, the profile applied before. */
static void flatten_row(vd_icc *icc, uint8_t *row, uint8_t *line, int32_t width) {
    for (int32_t x = 0; x < width; x++) memcpy(line + 3 * x, row + 4 * x, 3);
    if (icc != NULL) vd_icc_run(icc, line, line, width);
    for (int32_t x = 0; x < width; x++) {
        uint32_t a = row[4 * x + 3];
        for (int k = 0; k < 3; k++)
            row[3 * x + k] = (uint8_t)((line[3 * x + k] * a + 255 * (255 - a)) / 255);
    }
}

/* A still WebP without libvips' two copies of it; *rows stays 0 where that does not work. */
static vd_status attempt_webp(const run *r, VipsImage *head, vd_frame *f, int *rows, vd_err *err) {
    enum { WORKING = 4 }; /* bytes a pixel, of lossless files and of an alpha plane */
    const void *profile = NULL;
    size_t n = 0;
    uint8_t *out = NULL, *line = NULL;
    int32_t w = head->Xsize, h = head->Ysize;
    bool alpha = head->Bands == 4, convert = false;
    size_t stride = ((size_t)w * (size_t)head->Bands + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((head->Bands != 3 && !alpha) || head->BandFmt != VIPS_FORMAT_UCHAR) return VD_OK;
    VD_TRY(vd_serve_need(r->s, r->job, (int64_t)(stride + (size_t)w * WORKING) * h, err));
    VD_TRY(vd_serve_output(r->s, stride * (size_t)h, &out, err));
    if (!vd_webp_pixels(r->data, (size_t)r->job->size, w, h, alpha, out, stride)) return VD_OK;
    if (alpha && (line = vd_mem_alloc((size_t)w * 3)) == NULL) return vd_nomem(err);
    if (vips_image_get_typeof(head, VIPS_META_ICC_NAME) != 0 &&
        vips_image_get_blob(head, VIPS_META_ICC_NAME, &profile, &n) == 0)
        convert = vd_icc_open(r->v->icc, profile, n, VD_ICC_RGB, r->m->icc);
    for (int32_t y = 0; y < h; y++) {
        uint8_t *row = out + (size_t)y * stride;
        if (alpha)
            flatten_row(convert ? r->v->icc : NULL, row, line, w);
        else if (convert)
            vd_icc_run(r->v->icc, row, row, w);
    }
    vd_mem_free(line);
    *f = (vd_frame){ .format = VD_PIX_RGB8,
                     .width = w,
                     .height = h,
                     .orientation = r->m->orientation,
                     .plane = { { out, (ptrdiff_t)stride, w, h } } };
    *rows = h;
    return VD_OK;
}

/* One attempt at a page: its frame, and how many of its rows came (0: none, with the error text
 * left in libvips). */
static vd_status attempt(const run *r, int page, VipsFailOn fail_on, vd_frame *f, int *rows,
                         vd_err *err) {
    vd_status st = VD_OK;
    VipsImage *raw = NULL, *ready = NULL;
    uint8_t *out = NULL;
    *rows = 0;
    raw = open_page(r, page, fail_on, VIPS_ACCESS_SEQUENTIAL);
    if (raw != NULL && page == 0 && r->m->n_frames <= 1 && strcmp(r->l->format, "webp") == 0) {
        VD_GO(attempt_webp(r, raw, f, rows, err));
        if (*rows > 0) goto done;
    }
    bool whole = raw != NULL && vd_vips_needs_range(raw);
    if (raw != NULL) VD_GO(vd_serve_need(r->s, r->job, page_bytes(r, raw, whole), err));
    if (whole) {
        g_object_unref(raw);
        raw = open_page(r, page, fail_on, VIPS_ACCESS_RANDOM);
    }
    if (raw == NULL) goto done;
    if ((ready = vd_vips_colour(raw, r->v->icc, page == 0 ? r->m->icc : NULL)) == NULL) goto done;
    size_t stride =
        ((size_t)ready->Xsize * (size_t)ready->Bands + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    VD_GO(vd_serve_output(r->s, stride * (size_t)ready->Ysize, &out, err));
    *rows = copy_rows(ready, out, stride);
    for (int y = *rows; y < ready->Ysize; y++) memset(out + (size_t)y * stride, BLANK, stride);
    *f = (vd_frame){ .format = ready->Bands == 1 ? VD_PIX_GREY8 : VD_PIX_RGB8,
                     .width = ready->Xsize,
                     .height = ready->Ysize,
                     .orientation = r->m->orientation };
    f->plane[0] = (vd_plane){ out, (ptrdiff_t)stride, f->width, f->height };
done:
    if (ready != NULL) g_object_unref(ready);
    if (raw != NULL) g_object_unref(raw);
    return st;
}

/* A page's pixels, from a second attempt where the first met an error; the verdict of damage. */
static vd_status decode_page(const run *r, int page, vd_frame *f, bool *any, vd_err *err) {
    char what[200] = "", again[200];
    int rows = 0, good;
    VD_TRY(attempt(r, page, VIPS_FAIL_ON_ERROR, f, &rows, err));
    *any = rows > 0;
    if (rows > 0 && rows == f->height) return VD_OK;
    good = rows;
    take_error(r->v, what, sizeof what);
    if (out_of_memory(what)) return vd_nomem(err);
    if ((r->l->flags & FAIL_ON) != 0) {
        VD_TRY(attempt(r, page, VIPS_FAIL_ON_NONE, f, &rows, err));
        take_error(r->v, again, sizeof again);
        *any = rows > 0;
    }
    if (page > 0) return VD_OK;
    if (!*any) {
        report_nothing(r, what, "decode_error");
        return VD_OK;
    }
    bool cut = says_truncated(what);
    r->m->decoded_percent = 100.0 * good / f->height;
    if (cut) r->m->offset = r->job->size;
    vd_report(r->m, cut ? VD_V_TRUNCATED : VD_V_CORRUPT, cut ? "premature_end" : "corrupt_data",
              "%s: %s", r->m->library, what);
    return VD_OK;
}

static void take_blob(VipsImage *im, const char *field, vd_media *m,
                      void (*take)(vd_media *, const void *, size_t)) {
    const void *data = NULL;
    size_t n = 0;
    if (vips_image_get_typeof(im, field) != 0 && vips_image_get_blob(im, field, &data, &n) == 0)
        take(m, data, n);
    else
        vips_error_clear();
}

static void take_exif(vd_media *m, const void *data, size_t n) {
    vd_meta_exif(m, data, n);
}
static void take_xmp(vd_media *m, const void *data, size_t n) {
    vd_meta_xmp(m, data, n);
}

/* A TIFF file is an EXIF structure itself: the six bytes that libexif wants stand in front of it.
 */
static void take_tiff_tags(const run *r) {
    static const uint8_t prefix[6] = "Exif\0";
    const vd_job *job = r->job;
    if (!job->has_room_before || job->size > UINT32_MAX - 6) return;
    uint8_t *p = (uint8_t *)job->data - sizeof prefix;
    memcpy(p, prefix, sizeof prefix);
    vd_meta_exif(r->m, p, (size_t)job->size + sizeof prefix);
}

/* ImageMagick leaves the rows of a TGA file as they are stored: bits 4 and 5 of its descriptor say
 * from which corner. */
static int tga_orientation(const run *r) {
    static const int from_corner[4] = { 4, 3, 1, 2 };
    return r->job->size > 17 ? from_corner[r->data[17] >> 4 & 3] : 1;
}

static void describe(const run *r, VipsImage *im) {
    static const char *const depth_fields[] = { "bits-per-sample", "heif-bitdepth" };
    vd_media *m = r->m;
    int bits = 0;
    take_blob(im, VIPS_META_EXIF_NAME, m, take_exif);
    if (strcmp(r->l->format, "tiff") == 0) take_tiff_tags(r);
    take_blob(im, VIPS_META_XMP_NAME, m, take_xmp);
    if (m->orientation == 0 && vips_image_get_typeof(im, VIPS_META_ORIENTATION) != 0)
        m->orientation = vips_image_get_orientation(im);
    if (strcmp(r->l->format, "tga") == 0) m->orientation = tga_orientation(r);
    if ((r->l->flags & UPRIGHT) != 0 || m->orientation == 0) m->orientation = 1;
    m->channels = im->Bands;
    m->has_alpha = vips_image_hasalpha(im);
    int stored = strcmp(r->l->format, "png") == 0 && r->job->size > 24 ? r->data[24] : 0;
    for (int i = 0; i < VD_COUNT(depth_fields) && stored == 0; i++)
        if (vips_image_get_typeof(im, depth_fields[i]) != 0 &&
            vips_image_get_int(im, depth_fields[i], &bits) == 0)
            stored = bits;
    if (stored > 0) m->bits = stored;
    if (m->bits <= 0) m->bits = (int)vips_format_sizeof(im->BandFmt) * 8;
    bool paged = (r->l->flags & PAGED) != 0; /* JPEG 2000's "pages" are resolutions */
    m->n_frames = paged ? VD_CLAMP(vips_image_get_n_pages(im), 1, MAX_PAGES) : 1;
    vips_error_clear();
}

/* The page with the most pixels, for icons, which hold one picture in several sizes. */
static int largest_page(const run *r, int n) {
    int best = 0;
    int64_t most = -1;
    for (int i = 0; i < n; i++) {
        VipsImage *im = open_page(r, i, VIPS_FAIL_ON_NONE, VIPS_ACCESS_SEQUENTIAL);
        if (im == NULL) continue;
        int64_t size = (int64_t)im->Xsize * im->Ysize;
        if (size > most) {
            most = size;
            best = i;
        }
        g_object_unref(im);
    }
    vips_error_clear();
    return best;
}

static vd_status further_pages(run *r, vd_err *err) {
    vd_status st = VD_OK;
    for (int page = 1; page < r->m->n_frames && st == VD_OK; page++) {
        vd_frame f;
        bool any = false;
        vd_media ignored = *r->m;
        vd_serve_alive(r->s);
        VipsImage *im = open_page(r, page, VIPS_FAIL_ON_NONE, VIPS_ACCESS_SEQUENTIAL);
        bool fits =
            im != NULL && vd_report_size(&ignored, im->Xsize, im->Ysize, r->job->opt.max_pixels);
        if (im != NULL) g_object_unref(im);
        vips_error_clear();
        if (!fits) continue;
        VD_TRY(decode_page(r, page, &f, &any, err));
        if (!any) continue;
        /* pages differ in size; the media's size is that of page 0 */
        st = vd_serve_frame(r->s, &f, r->m, page, NAN, false, err);
    }
    return st;
}

static const loader *loader_of(const char *format) {
    for (int i = 0; i < VD_COUNT(loaders); i++)
        if (strcmp(loaders[i].format, format) == 0) return &loaders[i];
    return NULL;
}

/* Animation, where libvips does not tell. */
static void find_animation(const run *r) {
    static const char *const brands[] = { "avis", "msf1", "hevc", "hevx" };
    vd_media *m = r->m;
    size_t size = (size_t)r->job->size;
    bool moves = (r->l->flags & SEQUENCE) != 0 && m->n_frames > 1;
    if (strcmp(r->l->format, "png") == 0) {
        m->n_frames = vd_png_frames(r->data, size);
        moves = m->n_frames > 1;
    } else if (strcmp(r->l->format, "jxl") == 0) {
        moves = vd_head_jxl_animated(r->data, size);
        if (moves) m->n_frames = 0; /* not known without decoding them */
    } else if ((r->l->flags & UPRIGHT) != 0 && size > 12) {
        for (int i = 0; i < VD_COUNT(brands); i++) moves |= memcmp(r->data + 8, brands[i], 4) == 0;
        if (moves && m->n_frames == 1) m->n_frames = 0;
    }
    if (!moves) return;
    if (m->n_frames > 0)
        vd_report(m, VD_V_ANIMATED, "animated", "%d frames, the first is used", m->n_frames);
    else
        vd_report(m, VD_V_ANIMATED, "animated", "an image sequence, the first frame is used");
}

static vd_status decode(run *r, vd_err *err) {
    vd_media *m = r->m;
    vd_frame f = { 0 };
    bool any = false;
    VipsImage *head = open_page(r, 0, VIPS_FAIL_ON_NONE, VIPS_ACCESS_SEQUENTIAL);
    if (head == NULL) {
        char what[200];
        take_error(r->v, what, sizeof what);
        if (out_of_memory(what)) return vd_nomem(err);
        report_nothing(r, what, "bad_header");
        return VD_OK;
    }
    describe(r, head);
    int64_t w = head->Xsize, h = head->Ysize;
    g_object_unref(head);
    bool icon = (r->l->flags & SIZES) != 0;
    int page = icon ? largest_page(r, m->n_frames) : 0;
    if (!vd_report_size(m, w, h, r->job->opt.max_pixels)) return VD_OK;
    find_animation(r);
    if (!r->job->opt.want_pixels) return VD_OK;
    VD_TRY(decode_page(r, page, &f, &any, err));
    if (!any) return VD_OK;
    if (icon) vd_report_size(m, f.width, f.height, r->job->opt.max_pixels);
    bool pages = r->job->opt.all_pages && m->n_frames > 1 &&
                 (r->l->flags & (PAGED | SEQUENCE | SIZES)) == PAGED && m->verdict != VD_V_ANIMATED;
    VD_TRY(vd_serve_frame(r->s, &f, m, 0, NAN, !pages, err));
    return pages ? further_pages(r, err) : VD_OK;
}

static vd_status decode_with(run *r, const loader *l, vd_err *err) {
    r->l = l;
    snprintf(r->m->library, sizeof r->m->library, "%s", l->library);
    vd_serve_working(r->s, r->m->library);
    r->v->warning[0] = '\0';
    vips_error_clear();
    vd_status st = decode(r, err);
    vips_error_clear();
    return st;
}

/* A cursor is an icon of type 2; ImageMagick's guess at raw bytes knows only type 1. */
static vd_status decode_cursor(run *r, const loader *l, vd_err *err) {
    enum { MOST = 16 << 20 };
    if (r->job->size > MOST) return vd_fail(err, VD_E_LIMIT, "a cursor of that size");
    uint8_t *copy = vd_mem_alloc((size_t)r->job->size);
    if (copy == NULL) return vd_nomem(err);
    memcpy(copy, r->job->data, (size_t)r->job->size);
    copy[2] = 1;
    r->data = copy;
    vd_status st = decode_with(r, l, err);
    vd_mem_free(copy);
    return st;
}

static vd_status decode_file(vd_vips *v, vd_serve *s, const vd_job *job, const char *format,
                             vd_media *m, vd_err *err) {
    const loader *l = loader_of(format);
    vd_media before = *m;
    run r = { .v = v, .s = s, .job = job, .data = job->data, .m = m };
    int64_t w, h;
    snprintf(m->codec, sizeof m->codec, "%s", format);
    bool sized = vd_head_size(format, job->data, (size_t)job->size, &w, &h);
    if (sized && !vd_report_size(m, w, h, job->opt.max_pixels)) return VD_OK;
    if (l == NULL) {
        vd_report(m, VD_V_UNSUPPORTED, "no_decoder", "no library of this build decodes %s", format);
        return VD_OK;
    }
    /* ImageMagick reads grey with alpha as 15-bit colour */
    if (strcmp(format, "tga") == 0 && (job->data[2] & 7) == 3 && job->data[16] == 16) {
        vd_report(m, VD_V_UNSUPPORTED, "not_supported", "%s: TGA of grey with alpha", l->library);
        return VD_OK;
    }
    v->s = s;
    vd_status st = strcmp(format, "cur") == 0 ? decode_cursor(&r, l, err) : decode_with(&r, l, err);
    if (st == VD_OK && m->verdict == VD_V_UNSUPPORTED && strcmp(format, "tiff") == 0) {
        vd_media first = *m;
        *m = before;
        st = decode_with(&r, &second_tiff, err);
        if (m->verdict >= VD_V_UNSUPPORTED) *m = first;
    }
    v->s = NULL;
    return st;
}

static void libraries(void (*tell)(void *user, const char *name), void *user) {
    char version[40];
    snprintf(version, sizeof version, "libvips %s", vips_version_string());
    tell(user, version);
    const char *last = "";
    for (int i = 0; i < VD_COUNT(loaders); i++) {
        if (strcmp(loaders[i].library, last) == 0 || strchr(loaders[i].library, ' ') == NULL)
            continue;
        last = loaders[i].library;
        tell(user, last);
    }
}

const vd_vips_api vd_vips_module = {
    .stamp = VD_VIPS_STAMP,
    .start = start,
    .end = end,
    .decode = decode_file,
    .libraries = libraries,
};
