/* Every still image format but JPEG, by libvips. SPDX-License-Identifier: Apache-2.0
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
#include "base/str.h"
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

typedef struct loader {
    const char *format, *library;
    load_fn load;
    const char *magick; /* ImageMagick's name of the format, where that is the loader */
    bool paged;         /* takes "page" */
    bool sequence;      /* its pages are an animation */
    bool upright;       /* its library applies the orientation itself */
    bool fail_on;       /* can go on after errors */
} loader;

#define LIB(name, version) name " " version

static int load_pnm(void *buf, size_t len, VipsImage **out, ...) {
    VipsSource *src = vips_source_new_from_memory(buf, len);
    if (src == NULL) return -1;
    int rc = vips_ppmload_source(src, out, "access", VIPS_ACCESS_SEQUENTIAL, NULL);
    g_object_unref(src);
    return rc;
}

static int load_fits(void *buf, size_t len, VipsImage **out, ...) {
    VipsSource *src = vips_source_new_from_memory(buf, len);
    if (src == NULL) return -1;
    int rc = vips_call("fitsload_source", src, out, NULL);
    g_object_unref(src);
    return rc;
}

static const loader loaders[] = {
    { "png", LIB("libpng", VD_LIBPNG_VERSION), vips_pngload_buffer, NULL, false, false, false,
      true },
    { "gif", "libnsgif", vips_gifload_buffer, NULL, true, true, false, true },
    { "tiff", LIB("libtiff", VD_LIBTIFF_VERSION), vips_tiffload_buffer, NULL, true, false, false,
      true },
    { "webp", LIB("libwebp", VD_LIBWEBP_VERSION), vips_webpload_buffer, NULL, true, true, false,
      true },
    { "heic", LIB("libheif", VD_LIBHEIF_VERSION), vips_heifload_buffer, NULL, true, false, true,
      false },
    { "avif", LIB("libheif", VD_LIBHEIF_VERSION), vips_heifload_buffer, NULL, true, false, true,
      false },
    { "jxl", LIB("libjxl", VD_LIBJXL_VERSION), vips_jxlload_buffer, NULL, false, false, true,
      true },
    { "jp2", LIB("openjpeg", VD_LIBOPENJP2_VERSION), vips_jp2kload_buffer, NULL, false, false,
      false, true },
    { "pnm", "ppmload", load_pnm, NULL, false, false, false, false },
    { "hdr", "radload", vips_radload_buffer, NULL, false, false, false, true },
    { "fits", "cfitsio", load_fits, NULL, false, false, false, false },
    { "bmp", "ImageMagick 6", vips_magickload_buffer, "BMP", false, false, false, false },
    { "tga", "ImageMagick 6", vips_magickload_buffer, "TGA", false, false, false, false },
    { "ico", "ImageMagick 6", vips_magickload_buffer, "ICO", true, false, false, false },
    { "cur", "ImageMagick 6", vips_magickload_buffer, "CUR", true, false, false, false },
    { "dds", "ImageMagick 6", vips_magickload_buffer, "DDS", false, false, false, false },
    { "pcx", "ImageMagick 6", vips_magickload_buffer, "PCX", false, false, false, false },
    { "psd", "ImageMagick 6", vips_magickload_buffer, "PSD", false, false, false, false },
    { "sgi", "ImageMagick 6", vips_magickload_buffer, "SGI", false, false, false, false },
    { "xbm", "ImageMagick 6", vips_magickload_buffer, "XBM", false, false, false, false },
    { "xpm", "ImageMagick 6", vips_magickload_buffer, "XPM", false, false, false, false },
};

/* One file under decoding. */
typedef struct run {
    vd_vips *v;
    vd_serve *s;
    const vd_job *job;
    const loader *l;
    vd_media *m;
    bool final; /* no page follows */
} run;

static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer user) {
    vd_vips *v = user;
    (void)domain;
    if ((level & G_LOG_FLAG_FATAL) != 0 && strstr(text, "allocate") != NULL && v->s != NULL)
        *vd_serve_memory_note(v->s) = 1; /* GLib ends the process next */
    if ((level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING && v->warning[0] == '\0')
        vd_report_line(v->warning, sizeof v->warning, text);
}

vd_status vd_vips_new(vd_vips **out, vd_icc *icc, vd_err *err) {
    vd_vips *v = vd_mem_array(1, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    v->icc = icc;
    g_log_set_default_handler(on_log, v);
    if (vips_init("vidimus-codec") != 0) {
        vd_mem_free(v);
        return vd_fail(err, VD_E_UNSUPPORTED, "libvips does not start: %s", vips_error_buffer());
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    *out = v;
    return VD_OK;
}

void vd_vips_free(vd_vips *v) {
    if (v == NULL) return;
    g_log_set_default_handler(g_log_default_handler, NULL);
    vd_mem_free(v);
    vips_shutdown();
}

static bool out_of_memory(const char *text) {
    return strstr(text, "out of memory") != NULL || strstr(text, "emory allocation") != NULL ||
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

/* The library's words for what went wrong, one line; its error text is empty afterwards. */
static void take_error(vd_vips *v, char *out, size_t size) {
    vd_report_line(out, size, vips_error_buffer());
    if (out[0] == '\0') snprintf(out, size, "%s", v->warning);
    vips_error_clear();
}

static VipsImage *open_page(const run *r, int page, VipsFailOn fail_on, VipsAccess access) {
    VipsImage *out = NULL;
    const loader *l = r->l;
    void *data = (void *)r->job->data;
    size_t n = (size_t)r->job->size;
    int rc;
    if (l->magick != NULL)
        rc = l->paged ? vips_magickload_buffer(data, n, &out, "access", access, "page", page, NULL)
                      : vips_magickload_buffer(data, n, &out, "access", access, NULL);
    else if (l->paged && l->fail_on)
        rc = l->load(data, n, &out, "access", access, "page", page, "fail_on", fail_on, NULL);
    else if (l->paged)
        rc = l->load(data, n, &out, "access", access, "page", page, NULL);
    else
        rc = l->load(data, n, &out, "access", access, "fail_on", fail_on, NULL);
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

/* One attempt at a page: its frame, and how many of its rows came (0: none, with the error text
 * left in libvips). */
static vd_status attempt(const run *r, int page, VipsFailOn fail_on, vd_frame *f, int *rows,
                         vd_err *err) {
    vd_status st = VD_OK;
    VipsImage *raw = NULL, *ready = NULL;
    uint8_t *out = NULL;
    *rows = 0;
    raw = open_page(r, page, fail_on, VIPS_ACCESS_SEQUENTIAL);
    if (raw != NULL && vd_vips_needs_range(raw)) {
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
    if (r->l->fail_on) {
        VD_TRY(attempt(r, page, VIPS_FAIL_ON_NONE, f, &rows, err));
        take_error(r->v, again, sizeof again);
        *any = rows > 0;
    }
    if (page > 0) return VD_OK;
    if (!*any) {
        vd_report(r->m, VD_V_UNREADABLE, says_truncated(what) ? "premature_end" : "decode_error",
                  "%s: %s", r->m->library, what);
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

static void describe(const run *r, VipsImage *im) {
    vd_media *m = r->m;
    int bits = 0;
    take_blob(im, VIPS_META_EXIF_NAME, m, take_exif);
    if (strcmp(r->l->format, "tiff") == 0) take_tiff_tags(r);
    take_blob(im, VIPS_META_XMP_NAME, m, take_xmp);
    if (m->orientation == 0 && vips_image_get_typeof(im, VIPS_META_ORIENTATION) != 0)
        m->orientation = vips_image_get_orientation(im);
    if (r->l->upright || m->orientation == 0) m->orientation = 1;
    m->channels = im->Bands;
    m->has_alpha = vips_image_hasalpha(im);
    m->bits = (int)vips_format_sizeof(im->BandFmt) * 8;
    if (vips_image_get_typeof(im, "bits-per-sample") != 0 &&
        vips_image_get_int(im, "bits-per-sample", &bits) == 0 && bits > 0)
        m->bits = bits;
    m->n_frames = VD_CLAMP(vips_image_get_n_pages(im), 1, MAX_PAGES);
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
    vd_media *m = r->m;
    int64_t size = r->job->size;
    if (strcmp(r->l->format, "png") == 0)
        m->n_frames = VD_MAX(1, vd_png_frames(r->job->data, (size_t)size));
    bool sequence = r->l->sequence || strcmp(r->l->format, "png") == 0;
    if (r->l->upright && size > 12)
        sequence |= memcmp(r->job->data + 8, "avis", 4) == 0 ||
                    memcmp(r->job->data + 8, "msf1", 4) == 0 ||
                    memcmp(r->job->data + 8, "hevc", 4) == 0;
    if (sequence && (m->n_frames > 1 || r->l->upright))
        vd_report(m, VD_V_ANIMATED, "animated", "%d frames, the first is used", m->n_frames);
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
        vd_report(m, VD_V_UNREADABLE, says_truncated(what) ? "premature_end" : "bad_header",
                  "%s: %s", m->library, what);
        return VD_OK;
    }
    describe(r, head);
    int64_t w = head->Xsize, h = head->Ysize;
    g_object_unref(head);
    bool icon = r->l->magick != NULL && r->l->paged;
    int page = icon ? largest_page(r, m->n_frames) : 0;
    if (!vd_report_size(m, w, h, r->job->opt.max_pixels)) return VD_OK;
    find_animation(r);
    if (!r->job->opt.want_pixels) return VD_OK;
    VD_TRY(decode_page(r, page, &f, &any, err));
    if (!any) return VD_OK;
    if (icon) vd_report_size(m, f.width, f.height, r->job->opt.max_pixels);
    bool pages = r->job->opt.all_pages && m->n_frames > 1 && r->l->paged && !r->l->sequence &&
                 !icon && m->verdict != VD_V_ANIMATED;
    VD_TRY(vd_serve_frame(r->s, &f, m, 0, NAN, !pages, err));
    return pages ? further_pages(r, err) : VD_OK;
}

vd_status vd_vips_decode(vd_vips *v, vd_serve *s, const vd_job *job, const char *format,
                         vd_media *m, vd_err *err) {
    const loader *l = loader_of(format);
    if (l == NULL) {
        vd_report(m, VD_V_UNSUPPORTED, "no_decoder", "no library of this build decodes %s", format);
        return VD_OK;
    }
    snprintf(m->library, sizeof m->library, "%s", l->library);
    snprintf(m->codec, sizeof m->codec, "%s", format);
    vd_serve_working(s, m->library);
    v->s = s;
    v->warning[0] = '\0';
    vips_error_clear();
    run r = { .v = v, .s = s, .job = job, .l = l, .m = m };
    vd_status st = decode(&r, err);
    vips_error_clear();
    v->s = NULL;
    return st;
}

void vd_vips_libraries(vd_str *out) {
    vd_str_addf(out, "libvips %s\n", vips_version_string());
    const char *last = "";
    for (int i = 0; i < VD_COUNT(loaders); i++) {
        if (strcmp(loaders[i].library, last) == 0 || strchr(loaders[i].library, ' ') == NULL)
            continue;
        last = loaders[i].library;
        vd_str_addf(out, "%s\n", last);
    }
}
