/* JPEG by libjpeg-turbo. SPDX-License-Identifier: Apache-2.0
 *
 * The planes leave libjpeg as they are stored (jpeg_read_raw_data straight into shared memory): the
 * luma that the stages measure is the camera's own, and nothing is converted that nobody asked for.
 * Only colours that are not sRGB's YCbCr or grey (RGB, CMYK, YCCK, an ICC profile that matters,
 * luma sampled below chroma) go through scanlines to RGB.
 *
 * Errors. libjpeg returns from a fatal error by longjmp, so every call to it lies in a function
 * below `guarded`, which owns no resource. The source manager notices when the data ran out and how
 * far the decoder was then: that is "truncated". A warning before that point is "corrupt". */
#include "codec/io_jpeg.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/mem.h"
#include "codec/jpeg_head.h"
#include "codec/meta.h"
#include "codec/report.h"
#include "codec/serve.h"

enum {
    MAX_SCANS = 500, /* as libjpeg-turbo's own tools: more is an attack, not a picture */
    MAX_ROWS = 4 * DCTSIZE,
    ALIGN = 64,
    GREY = 128, /* what rows hold that no data came for */
};

struct vd_jpeg {
    struct jpeg_decompress_struct cinfo; /* first: the callbacks get this pointer */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    vd_icc *icc;
    const uint8_t *data;
    size_t size;
    bool fatal, ran_out, starved, worked;
    double got;                      /* share of the picture that had come when the data ran out */
    char complaint[JMSG_LENGTH_MAX]; /* the first warning that matters, or the fatal error */
    int64_t complaint_at;
    uint8_t *rgb_line;
    int64_t rgb_line_cap, profile_cap;
    uint8_t *profile;
    uint16_t last_table[64]; /* the quality of the last picture's table: most files share one */
    int last_quality;
};

/* The planes of one picture in the output memory. */
typedef struct layout {
    vd_frame frame;
    uint8_t *base[3];
    int rows[3], blocks_high[3];
    size_t size, at[3];
    bool raw;
    bool convert; /* through ICC */
    int channels; /* libjpeg's output, where not raw */
} layout;

#define XSTR(x) #x
#define STR(x) XSTR(x)
const char *vd_jpeg_library(void) {
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " STR(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " STR(JPEG_LIB_VERSION);
#endif
}

static int64_t position(const vd_jpeg *j) {
    return (int64_t)j->size - (int64_t)j->source.bytes_in_buffer;
}

static void complain(vd_jpeg *j) {
    if (j->complaint_at >= 0) return;
    j->complaint_at = j->ran_out ? (int64_t)j->size : position(j);
    j->errors.format_message((j_common_ptr)&j->cinfo, j->complaint);
}

static void on_fatal(j_common_ptr cinfo) {
    vd_jpeg *j = (vd_jpeg *)cinfo;
    j->fatal = true;
    if (!j->ran_out) j->complaint_at = -1; /* the fatal one is the better explanation */
    complain(j);
    longjmp(j->escape, 1);
}

/* Bytes that libjpeg skipped to reach a marker: harmless padding where all are alike. */
static bool padding(const vd_jpeg *j) {
    int64_t n = j->errors.msg_parm.i[0], end = position(j) - 2;
    if (n < 1 || end - n < 0 || end > (int64_t)j->size) return false;
    for (int64_t i = end - n + 1; i < end; i++)
        if (j->data[i] != j->data[i - 1]) return false;
    return true;
}

static void on_message(j_common_ptr cinfo, int level) {
    vd_jpeg *j = (vd_jpeg *)cinfo;
    if (level >= 0) return;
    switch (j->errors.msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR: return; /* said of whole pictures */
    case JWRN_EXTRANEOUS_DATA:
        if (j->cinfo.global_state < 202 || padding(j)) return; /* before the first scan */
        break;
    case JWRN_HIT_MARKER:
        if (j->ran_out) j->starved = true;
        break;
    default: break;
    }
    if (!j->ran_out) complain(j);
}

static void on_print(j_common_ptr cinfo) {
    (void)cinfo;
}
static void on_source(j_decompress_ptr cinfo) {
    (void)cinfo;
}

/* How much of the picture is known now: rows of a single scan; of several scans the share of
 * coefficients known, a coefficient with `al` bits missing counting 1 / (1 + al). */
static double share(const struct jpeg_decompress_struct *c) {
    double rows = c->total_iMCU_rows > 0 ? (double)c->input_iMCU_row / c->total_iMCU_rows : 0;
    if (c->global_state <= 202 && c->input_scan_number == 0) return 0;
    bool several = c->progressive_mode || c->comps_in_scan < c->num_components;
    if (!several || c->num_components < 1) return rows;
    double sum = 0;
    for (int ci = 0; ci < c->num_components; ci++) {
        bool now = false;
        for (int k = 0; k < c->comps_in_scan; k++) now |= c->cur_comp_info[k] == &c->comp_info[ci];
        for (int k = 0; k < DCTSIZE2; k++) {
            int al = c->progressive_mode && c->coef_bits != NULL ? c->coef_bits[ci][k] : -1;
            bool here = now && k >= c->Ss && (k <= c->Se || !c->progressive_mode);
            double known = al < 0 ? 0 : 1.0 / (1 + al);
            if (!c->progressive_mode)
                known = here ? rows : ci < c->input_scan_number - 1 ? 1 : 0;
            else if (here)
                known = rows / (1 + c->Al) + (1 - rows) * (c->Ah > 0 ? 1.0 / (1 + c->Ah) : 0);
            sum += known;
        }
    }
    return sum / (DCTSIZE2 * c->num_components);
}

/* The data ended: an end marker is made up, as libjpeg's own sources do, so that what came is
 * shown. */
static boolean on_fill(j_decompress_ptr cinfo) {
    static const JOCTET end[2] = { 0xff, JPEG_EOI };
    vd_jpeg *j = (vd_jpeg *)cinfo;
    if (!j->ran_out) j->got = share(cinfo);
    j->ran_out = true;
    j->source.next_input_byte = end;
    j->source.bytes_in_buffer = 2;
    return TRUE;
}

static void on_skip(j_decompress_ptr cinfo, long n) {
    vd_jpeg *j = (vd_jpeg *)cinfo;
    if (n <= 0) return;
    if ((size_t)n > j->source.bytes_in_buffer) {
        on_fill(cinfo);
        return;
    }
    j->source.next_input_byte += n;
    j->source.bytes_in_buffer -= (size_t)n;
}

static void on_progress(j_common_ptr cinfo) {
    if (((j_decompress_ptr)cinfo)->input_scan_number <= MAX_SCANS) return;
    vd_jpeg *j = (vd_jpeg *)cinfo;
    j->fatal = true;
    j->complaint_at = position(j);
    snprintf(j->complaint, sizeof j->complaint, "more than %d scans", MAX_SCANS);
    longjmp(j->escape, 1);
}

vd_status vd_jpeg_new(vd_jpeg **out, vd_icc *icc, vd_err *err) {
    vd_jpeg *j = vd_mem_array(1, sizeof *j);
    if (j == NULL) return vd_nomem(err);
    j->icc = icc;
    j->cinfo.err = jpeg_std_error(&j->errors);
    j->errors.error_exit = on_fatal;
    j->errors.emit_message = on_message;
    j->errors.output_message = on_print;
    if (setjmp(j->escape) != 0) {
        vd_mem_free(j);
        return vd_nomem(err);
    }
    jpeg_create_decompress(&j->cinfo);
    j->source.init_source = on_source;
    j->source.fill_input_buffer = on_fill;
    j->source.skip_input_data = on_skip;
    j->source.resync_to_restart = jpeg_resync_to_restart;
    j->source.term_source = on_source;
    j->progress.progress_monitor = on_progress;
    *out = j;
    return VD_OK;
}

void vd_jpeg_free(vd_jpeg *j) {
    if (j == NULL) return;
    jpeg_destroy_decompress(&j->cinfo);
    vd_mem_free(j->rgb_line);
    vd_mem_free(j->profile);
    vd_mem_free(j);
}

static void rewind_to(vd_jpeg *j, const uint8_t *data, size_t size) {
    j->data = data;
    j->size = size;
    j->source.next_input_byte = data;
    j->source.bytes_in_buffer = size;
    j->fatal = j->ran_out = j->starved = j->worked = false;
    j->got = 1;
    j->complaint_at = -1;
    j->complaint[0] = '\0';
}

/* The steps that call libjpeg. Each runs inside `guarded`. */

/* A decompressor keeps the tables of the picture before, which a damaged file would then be decoded
 * with: each picture gets a new one, so that its verdict does not depend on its neighbours. */
static void step_header(vd_jpeg *j, layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    (void)l;
    jpeg_destroy_decompress(c);
    jpeg_create_decompress(c);
    c->src = &j->source;
    c->progress = &j->progress;
    jpeg_read_header(c, TRUE);
}

static void step_start(vd_jpeg *j, layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    c->raw_data_out = l->raw;
    c->dct_method = JDCT_ISLOW;
    if (!l->raw) c->out_color_space = l->channels == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(c);
}

static void step_raw(vd_jpeg *j, layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    JSAMPROW rows[3][MAX_ROWS];
    JSAMPARRAY planes[3] = { rows[0], rows[1], rows[2] };
    int lines = c->max_v_samp_factor * DCTSIZE;
    for (int at = 0; c->output_scanline < c->output_height; at++) {
        for (int i = 0; i < c->num_components; i++)
            for (int k = 0; k < l->rows[i]; k++)
                rows[i][k] =
                    l->base[i] + ((size_t)at * l->rows[i] + k) * (size_t)l->frame.plane[i].stride;
        if (jpeg_read_raw_data(c, planes, (JDIMENSION)lines) == 0) break;
        j->worked = true;
    }
    jpeg_finish_decompress(c);
}

/* Adobe writes CMYK inverted; without a profile the usual formula, R = C K with 255 = no ink. */
static void rgb_from_cmyk(uint8_t *out, const uint8_t *in, int32_t n, bool inverted) {
    for (int32_t i = 0; i < n; i++, in += 4, out += 3)
        for (int k = 0; k < 3; k++) {
            int a = inverted ? in[k] : 255 - in[k], b = inverted ? in[3] : 255 - in[3];
            out[k] = (uint8_t)((a * b + 127) / 255);
        }
}

static void step_lines(vd_jpeg *j, layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    int32_t w = (int32_t)c->output_width;
    while (c->output_scanline < c->output_height) {
        uint8_t *out = l->base[0] + c->output_scanline * (size_t)l->frame.plane[0].stride;
        JSAMPROW row = l->channels == 4 ? j->rgb_line : out;
        if (jpeg_read_scanlines(c, &row, 1) == 0) break;
        if (l->convert)
            vd_icc_run(j->icc, row, out, w);
        else if (l->channels == 4)
            rgb_from_cmyk(out, row, w, c->saw_Adobe_marker);
        j->worked = true;
    }
    jpeg_finish_decompress(c);
}

/* Runs a step; false where libjpeg gave up in it. Nothing here outlives a longjmp but *j and *l. */
static bool guarded(vd_jpeg *j, void (*step)(vd_jpeg *, layout *), layout *l) {
    if (setjmp(j->escape) != 0) return false;
    step(j, l);
    return true;
}

/* Does the embedded profile ask for a conversion? */
static bool wants_icc(vd_jpeg *j, const vd_jpeg_head *h, vd_media *m) {
    enum { MOST = 32 << 20 };
    static const vd_icc_from from[] = { 0, VD_ICC_GREY, 0, VD_ICC_RGB, VD_ICC_CMYK };
    int n = j->cinfo.num_components;
    if (h->icc_size < 128 || h->icc_size > MOST || (n != 1 && n != 3 && n != 4)) return false;
    if (VD_GROW(j->profile, j->profile_cap, (int64_t)h->icc_size, NULL) != VD_OK) return false;
    if (!vd_jpeg_head_icc(h, j->data, j->size, j->profile)) return false;
    vd_icc_from f = n == 4 && j->cinfo.saw_Adobe_marker ? VD_ICC_CMYK_INVERTED : from[n];
    return vd_icc_open(j->icc, j->profile, h->icc_size, f, m->icc);
}

/* Where the planes go. False: colours that nothing here understands. */
static bool plan(vd_jpeg *j, const vd_jpeg_head *h, vd_media *m, layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    J_COLOR_SPACE space = c->jpeg_color_space;
    bool icc = wants_icc(j, h, m), grey = c->num_components == 1;
    *l = (layout){ .frame = { .width = (int32_t)c->image_width,
                              .height = (int32_t)c->image_height,
                              .orientation = m->orientation } };
    l->raw = grey || (space == JCS_YCbCr && !icc);
    for (int i = 0; i < c->num_components && l->raw; i++) {
        const jpeg_component_info *p = &c->comp_info[i];
        if (i == 0 &&
            (p->h_samp_factor != c->max_h_samp_factor || p->v_samp_factor != c->max_v_samp_factor))
            l->raw = false;
    }
    l->convert = icc;
    if (!l->raw) {
        if (space == JCS_CMYK || space == JCS_YCCK)
            l->channels = 4;
        else if (space == JCS_RGB || space == JCS_YCbCr)
            l->channels = 3;
        else
            return false;
        ptrdiff_t stride = (3 * (ptrdiff_t)c->image_width + ALIGN - 1) & -(ptrdiff_t)ALIGN;
        l->frame.format = VD_PIX_RGB8;
        l->frame.plane[0] = (vd_plane){ NULL, stride, l->frame.width, l->frame.height };
        l->size = (size_t)stride * c->image_height;
        return true;
    }
    l->frame.format = grey ? VD_PIX_GREY8 : VD_PIX_YCC8;
    for (int i = 0; i < c->num_components; i++) {
        const jpeg_component_info *p = &c->comp_info[i];
        ptrdiff_t stride =
            ((ptrdiff_t)p->width_in_blocks * DCTSIZE + ALIGN - 1) & -(ptrdiff_t)ALIGN;
        int64_t high = ((int64_t)c->image_height + c->max_v_samp_factor * DCTSIZE - 1) /
                       (c->max_v_samp_factor * DCTSIZE);
        l->rows[i] = p->v_samp_factor * DCTSIZE;
        l->frame.plane[i] = (vd_plane){
            NULL, stride,
            (int32_t)(((int64_t)c->image_width * p->h_samp_factor + c->max_h_samp_factor - 1) /
                      c->max_h_samp_factor),
            (int32_t)(((int64_t)c->image_height * p->v_samp_factor + c->max_v_samp_factor - 1) /
                      c->max_v_samp_factor)
        };
        l->at[i] = l->size;
        l->size += (size_t)stride * (size_t)(high * l->rows[i]);
    }
    return true;
}

/* Rows for which no data came: after a fatal error they would show the last picture's. */
static void blank_rest(vd_jpeg *j, const layout *l) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    for (int i = 0; i < 3 && l->frame.plane[i].stride > 0; i++) {
        const vd_plane *p = &l->frame.plane[i];
        int64_t done = (int64_t)c->output_scanline * p->height / VD_MAX(l->frame.height, 1);
        for (int64_t y = done; y < p->height; y++)
            memset(l->base[i] + (size_t)y * (size_t)p->stride, GREY, (size_t)p->stride);
    }
}

static void convert_grey(vd_jpeg *j, const layout *l) {
    const vd_plane *p = &l->frame.plane[0];
    for (int32_t y = 0; y < p->height; y++) {
        uint8_t *row = l->base[0] + (size_t)y * (size_t)p->stride;
        vd_icc_run(j->icc, row, row, p->width);
    }
}

/* The start of the scan or table that precedes `at`: where a file with a broken later scan may be
 * cut so that its earlier scans still show. */
static size_t cut_before(const uint8_t *data, int64_t at, size_t first_scan) {
    for (int64_t i = at - 2; i > (int64_t)first_scan; i--)
        if (data[i] == 0xff && (data[i + 1] == 0xda || data[i + 1] == 0xc4 || data[i + 1] == 0xdd ||
                                data[i + 1] == 0xcc))
            return (size_t)i;
    return 0;
}

/* What libjpeg keeps besides the planes: all coefficients where a picture comes in several scans.
 */
static int64_t working_bytes(vd_jpeg *j) {
    enum { SMALL = 1 << 20 };
    int64_t n = SMALL;
    const struct jpeg_decompress_struct *c = &j->cinfo;
    if (!jpeg_has_multiple_scans(&j->cinfo)) return n;
    for (int i = 0; i < c->num_components; i++)
        n += (int64_t)c->comp_info[i].width_in_blocks * c->comp_info[i].height_in_blocks *
             (int64_t)sizeof(JBLOCK);
    return n;
}

static vd_status pixels(vd_jpeg *j, vd_serve *s, const vd_job *job, const vd_jpeg_head *h,
                        vd_media *m, layout *l, vd_err *err) {
    uint8_t *out = NULL;
    if (!plan(j, h, m, l)) {
        vd_report(m, VD_V_UNSUPPORTED, "colour_space",
                  "%s: %d components of an unknown colour space", vd_jpeg_library(),
                  j->cinfo.num_components);
        return VD_OK;
    }
    VD_TRY(vd_serve_need(s, job, (int64_t)l->size + working_bytes(j), err));
    VD_TRY(vd_serve_output(s, l->size, &out, err));
    for (int i = 0; i < 3 && l->frame.plane[i].stride > 0; i++)
        l->frame.plane[i].data = l->base[i] = out + l->at[i];
    if (l->channels == 4)
        VD_TRY(VD_GROW(j->rgb_line, j->rgb_line_cap, 4 * (int64_t)j->cinfo.image_width, err));
    if (guarded(j, step_start, l)) guarded(j, l->raw ? step_raw : step_lines, l);
    if (!j->worked) return VD_OK;
    if (j->fatal) blank_rest(j, l);
    if (l->raw && l->convert) convert_grey(j, l);
    return VD_OK;
}

static void judge(vd_jpeg *j, const layout *l, vd_media *m) {
    struct jpeg_decompress_struct *c = &j->cinfo;
    const char *lib = vd_jpeg_library();
    if (!j->worked) {
        if (m->verdict != VD_V_OK) return;
        bool memory = j->fatal && j->errors.msg_code == JERR_OUT_OF_MEMORY;
        m->offset = j->ran_out ? (int64_t)j->size : j->complaint_at;
        if (j->ran_out) m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE,
                  memory       ? "memory_limit"
                  : j->ran_out ? "premature_end"
                               : "decode_error",
                  "%s: %s", lib, j->complaint);
        return;
    }
    /* a complaint before the end came is of its own right */
    if (j->complaint_at >= 0 && (!j->ran_out || j->complaint_at < (int64_t)j->size)) {
        m->offset = j->complaint_at;
        vd_report(m, VD_V_CORRUPT, "corrupt_data", "%s: %s", lib, j->complaint);
        if (j->fatal) m->decoded_percent = 100.0 * c->output_scanline / VD_MAX(l->frame.height, 1);
    }
    if (!j->ran_out) return;
    bool whole =
        !j->starved && !j->fatal &&
        (c->total_iMCU_rows == 0 || j->got > 0.999 || c->input_iMCU_row + 1 >= c->total_iMCU_rows);
    bool several = c->progressive_mode;
    m->offset = (int64_t)j->size;
    m->decoded_percent = whole && !several ? 100 : VD_MIN(100.0 * j->got, 99.9);
    if (m->decoded_percent == 100)
        vd_report(m, VD_V_TRUNCATED, "missing_end_marker", "all rows came, the end marker did not");
    else
        vd_report(m, VD_V_TRUNCATED, "premature_end", "the data ends after %.1f %% of the picture",
                  m->decoded_percent);
}

/* One attempt on the first `size` bytes. */
static vd_status attempt(vd_jpeg *j, vd_serve *s, const vd_job *job, size_t size,
                         const vd_jpeg_head *h, vd_media *m, layout *l, vd_err *err) {
    rewind_to(j, job->data, size);
    if (!guarded(j, step_header, NULL)) return VD_OK;
    if (!vd_report_size(m, j->cinfo.image_width, j->cinfo.image_height, job->opt.max_pixels))
        return VD_OK;
    return job->opt.want_pixels ? pixels(j, s, job, h, m, l, err) : VD_OK;
}

static void describe(vd_jpeg *j, const vd_jpeg_head *h, vd_media *m) {
    m->kind = VD_KIND_IMAGE;
    snprintf(m->format, sizeof m->format, "jpeg");
    snprintf(m->codec, sizeof m->codec, "%s", vd_jpeg_is_lossless(h) ? "jpeg-lossless" : "jpeg");
    snprintf(m->library, sizeof m->library, "%s", vd_jpeg_library());
    m->bits = h->bits;
    m->channels = h->components;
    m->n_frames = 1;
    m->progressive = vd_jpeg_is_progressive(h);
    vd_jpeg_chroma(h, m->chroma);
    if (h->has_table[h->table[0]]) {
        const uint16_t *t = h->quant[h->table[0]];
        if (j->last_quality == 0 || memcmp(t, j->last_table, sizeof j->last_table) != 0) {
            memcpy(j->last_table, t, sizeof j->last_table);
            j->last_quality = vd_jpeg_quality(t);
        }
        m->jpeg_quality = j->last_quality;
    }
    if (h->exif != NULL) vd_meta_exif(m, h->exif, h->exif_size);
    if (h->xmp != NULL) vd_meta_xmp(m, (const char *)h->xmp, h->xmp_size);
    if (m->orientation == 0) m->orientation = 1;
}

/* A scan or table after good ones is broken, so no pixel came: the file is decoded up to it. */
static vd_status retry(vd_jpeg *j, vd_serve *s, const vd_job *job, const vd_jpeg_head *h,
                       vd_media *m, layout *l, vd_err *err) {
    char what[JMSG_LENGTH_MAX];
    bool cut = j->ran_out;
    int64_t at = cut ? (int64_t)j->size : j->complaint_at;
    size_t keep = cut_before(job->data, at, h->scan_at);
    memcpy(what, j->complaint, sizeof what);
    jpeg_abort_decompress(&j->cinfo);
    if (keep > 0) VD_TRY(attempt(j, s, job, keep, h, m, l, err));
    if (!j->worked) {
        j->ran_out = cut;
        j->size = (size_t)job->size;
        j->complaint_at = at;
        memcpy(j->complaint, what, sizeof what);
        judge(j, l, m);
        return VD_OK;
    }
    m->offset = at;
    m->decoded_percent = VD_MIN(100 * j->got, 99.9);
    if (cut)
        vd_report(m, VD_V_TRUNCATED, "premature_end", "the data ends after %.1f %% of the picture",
                  m->decoded_percent);
    else
        vd_report(m, VD_V_CORRUPT, "corrupt_data", "%s: %s", vd_jpeg_library(), what);
    return VD_OK;
}

vd_status vd_jpeg_decode(vd_jpeg *j, vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    vd_jpeg_head h;
    layout l = { 0 };
    vd_status st = VD_OK;
    vd_jpeg_head_read(&h, job->data, (size_t)job->size);
    describe(j, &h, m);
    if (h.sof != 0 && h.height > 0 && !vd_report_size(m, h.width, h.height, job->opt.max_pixels))
        return VD_OK;
    if (h.sof != 0 && (h.bits != 8 || vd_jpeg_is_lossless(&h))) {
        vd_report(m, VD_V_UNSUPPORTED, vd_jpeg_is_lossless(&h) ? "coding_process" : "bit_depth",
                  "%s decodes no %s JPEG of %d bits", vd_jpeg_library(),
                  vd_jpeg_is_lossless(&h) ? "lossless" : "DCT", h.bits);
        return VD_OK;
    }
    VD_GO(attempt(j, s, job, (size_t)job->size, &h, m, &l, err));
    if (j->fatal && !j->worked && h.scan_at > 0 && m->verdict == VD_V_OK)
        VD_GO(retry(j, s, job, &h, m, &l, err));
    else if (job->opt.want_pixels || j->fatal)
        judge(j, &l, m);
    if (j->worked) st = vd_serve_frame(s, &l.frame, m, 0, NAN, true, err);
done:
    jpeg_abort_decompress(&j->cinfo);
    return st;
}
