/* vidimus-video: the process that decodes videos, and the still JPEGs that only FFmpeg knows.
 * Planes are written straight into the memory shared with the engine. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "codec/jpeg_head.h"
#include "codec/report.h"
#include "codec/serve.h"
#include "video/video.h"

#define LIBAVCODEC "libavcodec " VD_LIBAVCODEC_VERSION

static void alive(void *s) {
    vd_serve_alive(s);
}

/* Memory for the frame's planes, one after the other, lines without padding. */
static vd_status place(vd_serve *s, vd_frame *f, uint8_t *dst[3], ptrdiff_t stride[3],
                       vd_err *err) {
    size_t size = 0;
    for (int i = 0; i < 3; i++) size += (size_t)f->plane[i].width * (size_t)f->plane[i].height;
    uint8_t *p;
    VD_TRY(vd_serve_output(s, size, &p, err));
    for (int i = 0; i < 3; i++) {
        dst[i] = p;
        stride[i] = f->plane[i].stride = f->plane[i].width;
        f->plane[i].data = f->plane[i].width > 0 ? p : NULL;
        p += (size_t)f->plane[i].width * (size_t)f->plane[i].height;
    }
    return VD_OK;
}

/* Our planes, and the pictures that a decoder keeps for reference: the standards' levels allow 4 to
 * 6 of the largest size a level is for. */
static int64_t video_bytes(const vd_media *m) {
    enum { PICTURES = 8 };
    int64_t picture = (int64_t)m->width * m->height * 3 / 2 * (m->bits > 8 ? 2 : 1);
    return picture * (PICTURES + 1);
}

/* The packet, FFmpeg's picture of up to 16 bits, ours and the output. */
static int64_t still_bytes(const vd_job *job) {
    vd_jpeg_head h;
    vd_jpeg_head_read(&h, job->data, (size_t)job->size);
    int64_t samples = (int64_t)h.width * h.height * (h.components >= 3 ? 3 : 1);
    return job->size + samples * 4;
}

static vd_status frames(vd_serve *s, vd_video *v, vd_media *m, vd_err *err) {
    for (;;) {
        vd_video_frame f;
        bool found;
        uint8_t *dst[3];
        ptrdiff_t stride[3];
        VD_TRY(vd_video_next(v, &f, &found, err));
        vd_video_verdict(v, m);
        if (!found) return VD_OK;
        VD_TRY(place(s, &f.frame, dst, stride, err));
        VD_TRY(vd_video_write(v, dst, stride, err));
        VD_TRY(vd_serve_frame(s, &f.frame, m, f.index, f.time_s, false, err));
    }
}

/* A picture instead of a video: the engine sends what its image codec gave back as unsupported. */
static vd_status still(vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    vd_pixels px = { 0 };
    vd_err e = { 0 };
    int bits = 0;
    uint8_t *out;
    snprintf(m->format, sizeof m->format, "jpeg");
    m->kind = VD_KIND_IMAGE;
    VD_TRY(vd_serve_need(s, job, still_bytes(job), err));
    vd_status st =
        vd_video_decode_still(&px, &bits, job->data, (size_t)job->size, job->opt.max_pixels, &e);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    if (st != VD_OK) {
        vd_verdict v = st == VD_E_LIMIT    ? VD_V_TOO_LARGE
                       : st == VD_E_FORMAT ? VD_V_UNREADABLE
                                           : VD_V_UNSUPPORTED;
        vd_report(m, v, st == VD_E_LIMIT ? "pixel_limit" : "decoder_refused", "%s", e.msg);
        return VD_OK;
    }
    m->width = px.width;
    m->height = px.height;
    m->bits = bits;
    m->channels = px.channels;
    m->n_frames = 1;
    size_t line = (size_t)px.width * (size_t)px.channels;
    if (job->opt.want_pixels &&
        (st = vd_serve_output(s, line * (size_t)px.height, &out, err)) == VD_OK) {
        memcpy(out, px.data, line * (size_t)px.height);
        vd_frame f = { px.channels == 3 ? VD_PIX_RGB8 : VD_PIX_GREY8,
                       px.width,
                       px.height,
                       1,
                       { { out, (ptrdiff_t)line, px.width, px.height } } };
        st = vd_serve_frame(s, &f, m, 0, NAN, false, err);
    }
    vd_mem_free(px.data);
    return st;
}

/* The picture in a range of a file. */
static vd_status mapped_still(vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    vd_job mapped = *job;
    int64_t before = job->offset % sysconf(_SC_PAGESIZE);
    size_t n = (size_t)(job->size + before);
    uint8_t *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, job->fd, job->offset - before);
    if (p == MAP_FAILED) return vd_nomem(err);
    mapped.data = p + before;
    vd_status st = still(s, &mapped, m, err);
    munmap(p, n);
    return st;
}

static bool is_jpeg(const vd_job *job) {
    uint8_t head[2] = { 0 };
    if (job->size <= 2) return false;
    if (job->data != NULL)
        memcpy(head, job->data, 2);
    else if (pread(job->fd, head, 2, job->offset) != 2)
        return false;
    return head[0] == 0xff && head[1] == 0xd8;
}

static vd_status decode(void *user, vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    (void)user;
    vd_serve_working(s, LIBAVCODEC);
    snprintf(m->library, sizeof m->library, "%s", LIBAVCODEC);
    if (is_jpeg(job))
        return job->data != NULL ? still(s, job, m, err) : mapped_still(s, job, m, err);
    vd_video_input in = { job->name, job->data, job->fd, job->offset, job->size, alive, s };
    vd_video *v = NULL;
    vd_status st = vd_video_open(&v, &in, &job->opt, m, err);
    if (st == VD_OK && v != NULL) st = vd_serve_need(s, job, video_bytes(m), err);
    if (st == VD_OK && v != NULL) st = frames(s, v, m, err);
    vd_video_free(v);
    return st;
}

static void libraries(void *user, vd_serve *s, vd_str *out) {
    (void)user, (void)s;
    vd_video_libraries(out);
}

int main(int argc, char **argv) {
    const vd_decoder d = { .name = "vidimus-video", .decode = decode, .libraries = libraries };
    return vd_serve_main(&d, NULL, argc, argv);
}
