/* vidimus-codec: the process that decodes still images. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "codec/io_jpeg.h"
#include "codec/io_plain.h"
#include "codec/io_vips.h"
#include "codec/meta.h"
#include "codec/png_raw.h"
#include "codec/report.h"
#include "codec/serve.h"
#include "image/sniff.h"

typedef struct state {
    vd_icc *icc;
    vd_jpeg *jpeg;
    vd_vips_file module; /* loaded, and libvips started, when the first file needs it */
    vd_vips *vips;
} state;

static vd_status start_vips(state *x, vd_serve *s, vd_err *err) {
    if (x->vips != NULL) return VD_OK;
    vd_serve_working(s, "libvips");
    vd_serve_unlimited(s);
    vd_status st = vd_vips_load(&x->module, err);
    if (st == VD_OK) st = x->module.api->start(&x->vips, x->icc, err);
    vd_serve_limited(s);
    return st;
}

static vd_status decode_by_vips(state *x, vd_serve *s, const vd_job *job, const char *format,
                                vd_media *m, vd_err *err) {
    vd_status st = start_vips(x, s, err);
    if (st == VD_OK) return x->module.api->decode(x->vips, s, job, format, m, err);
    snprintf(m->library, sizeof m->library, "libvips");
    if (st != VD_E_UNSUPPORTED) return st;
    vd_report(m, VD_V_UNSUPPORTED, "no_decoder", "libvips: %s", err->msg);
    return VD_OK;
}

static vd_status decode_bytes(state *x, vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    vd_sniffed k = vd_sniff(job->data, (size_t)job->size, job->name);
    vd_status st = VD_OK;
    m->orientation = 0; /* not known yet */
    m->kind = VD_KIND_IMAGE;
    snprintf(m->format, sizeof m->format, "%s", k.format);
    if (job->opt.raw) {
        vd_serve_working(s, vd_png_library());
        if (strcmp(k.format, "png") == 0) return vd_png_raw(s, job, m, err);
        vd_report(m, VD_V_UNSUPPORTED, "no_samples", "samples as stored are read of PNG alone");
        m->orientation = 1;
    } else if (strcmp(k.format, "jpeg") == 0) {
        vd_serve_working(s, vd_jpeg_library());
        st = vd_jpeg_decode(x->jpeg, s, job, m, err);
    } else if (strcmp(k.format, "pnm") == 0)
        st = vd_pnm_decode(s, job, m, err);
    else if (strcmp(k.format, "bmp") == 0)
        st = vd_bmp_decode(x->icc, s, job, m, err);
    else
        st = decode_by_vips(x, s, job, k.format, m, err);
    if (m->orientation == 0) m->orientation = 1;
    return st;
}

/* A range of a file is mapped: should the file shrink meanwhile, only this process dies of it. */
static vd_status decode(void *user, vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    vd_vips_find(&((state *)user)->module); /* at the first request, which follows the start */
    if (job->data != NULL) return decode_bytes(user, s, job, m, err);
    vd_job mapped = *job;
    int64_t before = job->offset % sysconf(_SC_PAGESIZE);
    size_t n = (size_t)(job->size + before);
    uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE, job->fd, job->offset - before);
    if (p == MAP_FAILED) return vd_nomem(err);
    mapped.data = p + before;
    mapped.has_room_before = before >= 64;
    vd_status st = decode_bytes(user, s, &mapped, m, err);
    munmap(p, n);
    return st;
}

static void tell(void *user, const char *name) {
    vd_str_addf(user, "%s\n", name);
}

static void libraries(void *user, vd_serve *s, vd_str *out) {
    state *x = user;
    vd_err err = { 0 };
    char why[sizeof err.msg];
    vd_str_addf(out, "%s\n%s\n", vd_jpeg_library(), vd_png_library());
    if (start_vips(x, s, &err) == VD_OK)
        x->module.api->libraries(tell, out);
    else {
        vd_report_line(why, sizeof why, err.msg);
        vd_str_addf(out, "libvips %s\n", why);
    }
    vd_str_addf(out, "%s\n%s\n", vd_meta_exif_library(), vd_meta_xmp_library());
}

int main(int argc, char **argv) {
    state x = { 0 };
    vd_err err = { 0 };
    const vd_decoder d = { .name = "vidimus-codec", .decode = decode, .libraries = libraries };
    int rc = 1;
    if (vd_icc_new(&x.icc, &err) == VD_OK && vd_jpeg_new(&x.jpeg, x.icc, &err) == VD_OK)
        rc = vd_serve_main(&d, &x, argc, argv);
    vd_jpeg_free(x.jpeg);
    if (x.vips != NULL) x.module.api->end(x.vips);
    vd_icc_free(x.icc);
    return rc;
}
