/* The engine's side of decoding: which process gets a file, what its answers mean, what its death
 * means. SPDX-License-Identifier: Apache-2.0
 *
 * Nothing that comes back is believed: planes are checked against the memory that is really there,
 * texts are terminated, enumerations clamped. A process that died is asked once more in a fresh one
 * if it had served other files before, so that a heap which an earlier file spoiled is not held
 * against this one, and verdicts do not depend on the order of the files. */
#include "image/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/codec_process.h"
#include "image/codec_test.h"
#include "image/sniff.h"

#ifndef VD_LIBEXEC_DIR
#define VD_LIBEXEC_DIR "/usr/local/libexec/vidimus"
#endif

struct vd_codec {
    char dir[1024];
    vd_codec_process image, video;
    int input_fd;
    uint8_t *input;
    size_t input_cap, input_touched;
    int64_t input_keep, output_keep; /* decaying maxima of what files need */
    uint64_t seq;
    int32_t test;
};

/* One decode under way. */
typedef struct run {
    vd_codec *c;
    vd_codec_process *p;
    const vd_source *src;
    const vd_decode_opt *opt;
    vd_frame_fn on_frame;
    void *user;
    vd_sniffed kind;
    const vd_media *first; /* what another process said that does not decode it, or NULL */
    int64_t frames;
    bool admitted; /* memory beyond the grant */
    vd_codec_ask ask;
    vd_codec_answer answer;
} run;

static void find_dir(char *out, size_t size, const char *given) {
    const char *env = getenv("VIDIMUS_LIBEXEC");
    if (given != NULL || env != NULL) {
        snprintf(out, size, "%s", given != NULL ? given : env);
        return;
    }
    static const char *const beside[] = { "", "/../libexec/vidimus" }; /* built; installed */
    char exe[900], probe[1024];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash != NULL) *slash = '\0';
    for (int i = 0; slash != NULL && i < VD_COUNT(beside); i++) {
        snprintf(probe, sizeof probe, "%s%s/vidimus-codec", exe, beside[i]);
        if (access(probe, X_OK) != 0) continue;
        snprintf(out, size, "%s%s", exe, beside[i]);
        return;
    }
    snprintf(out, size, "%s", VD_LIBEXEC_DIR);
}

static vd_status grow_input(vd_codec *c, size_t need, vd_err *err) {
    enum { PAGE = 4096 };
    if (need <= c->input_cap) return VD_OK;
    size_t cap = (need + need / 4 + PAGE) & ~(size_t)(PAGE - 1);
    if (ftruncate(c->input_fd, (off_t)cap) != 0)
        return vd_fail_errno(err, errno, "decoder: %zu bytes of shared memory", cap);
    void *p = c->input == NULL ? mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, c->input_fd, 0)
                               : mremap(c->input, c->input_cap, cap, MREMAP_MAYMOVE);
    if (p == MAP_FAILED) return vd_nomem(err);
    c->input = p;
    c->input_cap = cap;
    return VD_OK;
}

vd_status vd_codec_new(vd_codec **out, const char *exe_dir, vd_err *err) {
    vd_status st = VD_OK;
    vd_codec *c = vd_mem_array(1, sizeof *c);
    if (c == NULL) return vd_nomem(err);
    find_dir(c->dir, sizeof c->dir, exe_dir);
    vd_codec_process_init(&c->image);
    vd_codec_process_init(&c->video);
    c->input_fd = vd_codec_memory("vidimus-input");
    if (c->input_fd < 0) VD_GO(vd_fail_errno(err, errno, "decoder: memfd_create"));
    VD_GO(grow_input(c, (size_t)64 << 10, err));
    *out = c;
    c = NULL;
done:
    vd_codec_free(c);
    return st;
}

void vd_codec_free(vd_codec *c) {
    if (c == NULL) return;
    vd_codec_process_end(&c->image);
    vd_codec_process_end(&c->video);
    if (c->input != NULL) munmap(c->input, c->input_cap);
    if (c->input_fd >= 0) close(c->input_fd);
    vd_mem_free(c);
}

vd_status vd_codec_input(vd_codec *c, size_t size, uint8_t **out, vd_err *err) {
    enum { SLACK = 8 << 20, PAGE = 4096 };
    c->input_keep = VD_MAX((int64_t)size, c->input_keep - c->input_keep / 8);
    size_t keep = ((size_t)c->input_keep + VD_CODEC_INPUT_AT + PAGE) & ~(size_t)(PAGE - 1);
    if (c->input_touched > keep + SLACK &&
        fallocate(c->input_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)keep,
                  (off_t)(c->input_cap - keep)) == 0)
        c->input_touched = keep;
    VD_TRY(grow_input(c, size + VD_CODEC_INPUT_AT, err));
    c->input_touched = VD_MAX(c->input_touched, size + VD_CODEC_INPUT_AT);
    *out = c->input + VD_CODEC_INPUT_AT;
    return VD_OK;
}

static void trim_output(vd_codec_process *p, size_t keep) {
    if (p->pid != 0 && p->output_size > keep)
        fallocate(p->output_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)keep,
                  (off_t)(p->output_size - keep));
}

void vd_codec_trim(vd_codec *c, int64_t keep_bytes) {
    enum { PAGE = 4096 };
    size_t keep = ((size_t)VD_MAX(keep_bytes, PAGE) + PAGE - 1) & ~(size_t)(PAGE - 1);
    if (c->input_touched > keep &&
        fallocate(c->input_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)keep,
                  (off_t)(c->input_cap - keep)) == 0)
        c->input_touched = keep;
    trim_output(&c->image, keep);
    trim_output(&c->video, keep);
    c->input_keep = VD_MIN(c->input_keep, keep_bytes);
    c->output_keep = VD_MIN(c->output_keep, keep_bytes);
}

static void say(vd_media *m, vd_verdict v, const char *reason, const char *fmt, ...)
    VD_PRINTF(4, 5);
static void say(vd_media *m, vd_verdict v, const char *reason, const char *fmt, ...) {
    va_list ap;
    m->verdict = v;
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    va_start(ap, fmt);
    vsnprintf(m->detail, sizeof m->detail, fmt, ap);
    va_end(ap);
}

/* The verdict where no decoder needs to be asked; true if that is all there is to say. */
static bool settled(const run *r, vd_media *m) {
    m->kind = r->kind.kind;
    snprintf(m->format, sizeof m->format, "%s", r->kind.format);
    if (r->src->size == 0) {
        m->offset = 0;
        say(m, VD_V_UNREADABLE, "empty", "the file has no bytes");
        return true;
    }
    if (m->kind == VD_KIND_IMAGE || m->kind == VD_KIND_VIDEO) return false;
    if (m->format[0] != '\0')
        say(m, VD_V_NOT_AN_IMAGE, "other_kind", "by its content this is %s", m->format);
    else
        say(m, VD_V_NOT_AN_IMAGE, "unknown_kind", "no known signature of an image or a video");
    return true;
}

/* Makes a value from another process safe to use. */
static void sanitise(const run *r, vd_media *m) {
    char *const text[] = { m->reason,   m->detail, m->format, m->codec, m->chroma, m->icc,
                           m->taken_at, m->make,   m->model,  m->lens,  m->library };
    const size_t size[] = { sizeof m->reason, sizeof m->detail, sizeof m->format,   sizeof m->codec,
                            sizeof m->chroma, sizeof m->icc,    sizeof m->taken_at, sizeof m->make,
                            sizeof m->model,  sizeof m->lens,   sizeof m->library };
    for (int i = 0; i < VD_COUNT(text); i++) text[i][size[i] - 1] = '\0';
    if ((unsigned)m->verdict > VD_V_NOT_AN_IMAGE) m->verdict = VD_V_UNREADABLE;
    if ((unsigned)m->kind > VD_KIND_ARCHIVE || m->kind == VD_KIND_OTHER) m->kind = r->kind.kind;
    if (m->orientation < 1 || m->orientation > 8) m->orientation = 1;
    if (m->format[0] == '\0') snprintf(m->format, sizeof m->format, "%s", r->kind.format);
    if (m->verdict <= VD_V_ANIMATED && vd_sniff_wrong_extension(r->src->name, r->kind.format))
        say(m, VD_V_WRONG_EXTENSION, "wrong_extension", "by its content this is %s", m->format);
}

static bool plane_fits(const vd_codec_process *p, const vd_codec_plane *q, int bytes_per_pixel) {
    if (q->width < 1 || q->height < 1 || q->at < 0 ||
        q->stride < (int64_t)q->width * bytes_per_pixel)
        return false;
    int64_t room = (int64_t)p->output_size - q->at - (int64_t)q->width * bytes_per_pixel;
    return room >= 0 && (q->height == 1 || q->stride <= room / (q->height - 1));
}

/* Raw samples come where they were asked for, and nowhere else. */
static bool format_fits(const run *r, const vd_codec_answer *a) {
    if (!r->opt->raw) return a->format >= VD_PIX_GREY8 && a->format <= VD_PIX_RGB8;
    return (a->format == VD_PIX_RAW8 || a->format == VD_PIX_RAW16) && a->channels >= 1 &&
           a->channels <= 4;
}

static int bytes_per_pixel(const vd_codec_answer *a) {
    switch ((vd_pixfmt)a->format) {
    case VD_PIX_RGB8: return 3;
    case VD_PIX_RAW8: return a->channels;
    case VD_PIX_RAW16: return 2 * a->channels;
    default: return 1;
    }
}

/* The palette beside indices, where there is one. */
static bool palette_of(const run *r, vd_frame *f) {
    const vd_codec_plane *q = &r->answer.plane[1];
    if (f->channels == 0 || q->width == 0) return true;
    if (!plane_fits(r->p, q, 3) || q->width > 256 || q->height != 1) return false;
    f->plane[1] = (vd_plane){ r->p->output + q->at, (ptrdiff_t)q->stride, q->width, q->height };
    return true;
}

/* The frame of an answer, or false where it does not describe memory that exists. */
static bool frame_of(run *r, vd_frame *f) {
    const vd_codec_answer *a = &r->answer;
    if (!vd_codec_process_map(r->p, a->output_size)) return false;
    if (!format_fits(r, a) || a->width < 1 || a->height < 1) return false;
    if (a->orientation < 1 || a->orientation > 8) return false;
    *f = (vd_frame){ .format = (vd_pixfmt)a->format,
                     .width = a->width,
                     .height = a->height,
                     .orientation = r->first != NULL ? r->first->orientation : a->orientation,
                     .channels = r->opt->raw ? a->channels : 0 };
    int n = f->format == VD_PIX_YCC8 ? 3 : 1;
    for (int i = 0; i < n; i++) {
        const vd_codec_plane *q = &a->plane[i];
        if (!plane_fits(r->p, q, bytes_per_pixel(a))) return false;
        if (i == 0 && (q->width != f->width || q->height != f->height)) return false;
        if (q->width > f->width || q->height > f->height) return false;
        f->plane[i] = (vd_plane){ r->p->output + q->at, (ptrdiff_t)q->stride, q->width, q->height };
    }
    return palette_of(r, f);
}

/* The process is gone or must go: what that says about the file. */
static void bury(run *r, vd_codec_heard heard, bool lied, vd_media *m) {
    vd_codec_note note;
    memcpy(&note, r->c->input, sizeof note);
    note.library[sizeof note.library - 1] = '\0';
    const char *who = note.library[0] != '\0' ? note.library : "the decoder";
    const double limit_s = r->p->limit_s;
    int sig = vd_codec_process_end(r->p);
    snprintf(m->library, sizeof m->library, "%.39s", note.library);
    m->kind = r->kind.kind;
    snprintf(m->format, sizeof m->format, "%s", r->kind.format);
    if (lied)
        say(m, VD_V_UNREADABLE, "decoder_fault", "%s broke the protocol", who);
    else if (heard == VD_HEARD_SILENCE)
        say(m, VD_V_UNREADABLE, "decoder_timeout", "%s: no answer within %g s of processor time",
            who, limit_s);
    else if (heard == VD_HEARD_SLEEP)
        say(m, VD_V_UNREADABLE, "decoder_timeout", "%s: no answer within %g s", who, limit_s);
    else if (sig == SIGALRM || sig == SIGPROF) /* its own clocks: we were asleep ourselves */
        say(m, VD_V_UNREADABLE, "decoder_timeout", "%s: no answer within its time", who);
    else if (note.out_of_memory != 0)
        say(m, VD_V_UNREADABLE, "memory_limit", "%s needs more than %lld bytes", who,
            (long long)r->opt->max_memory_bytes);
    else
        say(m, VD_V_UNREADABLE, "decoder_crash", "%s died of signal %d (%s)", who, sig,
            sig != 0 ? strsignal(sig) : "it left by itself");
}

static vd_status start(run *r, vd_err *err) {
    char exe[1100];
    bool video = r->p == &r->c->video;
    snprintf(exe, sizeof exe, "%s/%s", r->c->dir, video ? "vidimus-video" : "vidimus-codec");
    return vd_codec_process_start(r->p, exe, r->c->input_fd, err);
}

/* Sends the request, starting the process where needed; an idle one may have died unnoticed. */
static vd_status ask(run *r, vd_err *err) {
    for (int attempt = 0; attempt < 2; attempt++) {
        if (r->p->pid == 0) VD_TRY(start(r, err));
        r->ask.seq = ++r->c->seq;
        vd_codec_clock_begin(&r->p->clock);
        if (vd_codec_process_send(r->p, &r->ask, r->src->fd)) {
            r->p->served++;
            return VD_OK;
        }
        vd_codec_process_end(r->p);
    }
    return vd_fail(err, VD_E_IO, "decoder: the process in %s ends at once", r->c->dir);
}

/* Hands the frame on; the caller's refusal stops the child's work on this file. */
static vd_status deliver(run *r, const vd_frame *f, vd_media *m, vd_err *err) {
    r->frames++;
    if (r->on_frame == NULL) return VD_OK;
    return r->on_frame(r->user, f, m, r->answer.index, r->answer.time_s, err);
}

/* Lets the child wait for the memory it needs. */
static vd_status admit(run *r, vd_err *err) {
    vd_status st = VD_OK;
    int64_t bytes = r->answer.output_size;
    if (r->opt->admit != NULL && bytes > r->opt->granted_bytes) {
        double t0 = vd_time_mono_s();
        r->admitted = true;
        st = r->opt->admit(r->opt->admit_user, bytes, err);
        vd_codec_clock_wait(&r->p->clock, vd_time_mono_s() - t0); /* no fault of this file */
    }
    return st;
}

/* What the process that knew the metadata but not the coding has said stays. */
static void keep_first(const run *r, vd_media *m) {
    if (r->first == NULL || m->verdict >= VD_V_UNSUPPORTED) return;
    vd_media said = *m;
    *m = *r->first;
    m->verdict = said.verdict;
    memcpy(m->reason, said.reason, sizeof m->reason);
    memcpy(m->detail, said.detail, sizeof m->detail);
    memcpy(m->library, said.library, sizeof m->library);
    m->n_frames = said.n_frames;
    m->offset = said.offset;
    m->decoded_percent = said.decoded_percent;
}

static void reply(run *r, vd_status refusal) {
    vd_codec_ask next = { .version = VD_CODEC_VERSION, .seq = r->ask.seq };
    next.what = refusal == VD_OK ? VD_CODEC_NEXT : VD_CODEC_STOP;
    vd_codec_process_send(r->p, &next, -1); /* a failure shows as the next answer missing */
}

typedef enum outcome { FINISHED, DIED, REFUSED } outcome;

/* Hears one request to its end. */
static outcome hear(run *r, vd_media *m, vd_status *refusal, vd_err *err) {
    for (;;) {
        vd_codec_heard h = vd_codec_process_hear(r->p, r->ask.seq, r->opt, &r->answer);
        if (h != VD_HEARD_ANSWER) {
            bool again = h == VD_HEARD_DEATH && r->frames == 0 && r->p->served > 1;
            bury(r, h, false, m);
            return again ? DIED : FINISHED;
        }
        if (r->answer.what == VD_CODEC_NEED) {
            if (*refusal == VD_OK) *refusal = admit(r, err);
            reply(r, *refusal);
            continue;
        }
        *m = r->answer.media;
        sanitise(r, m);
        keep_first(r, m);
        if (r->answer.what == VD_CODEC_DONE) {
            if (r->answer.status == VD_E_NOMEM)
                say(m, VD_V_UNREADABLE, "memory_limit", "%s needs more than %lld bytes",
                    m->library[0] != '\0' ? m->library : "the decoder",
                    (long long)r->opt->max_memory_bytes);
            else if (r->answer.status != VD_OK)
                say(m, VD_V_UNREADABLE, "decoder_fault", "the decoder failed with status %d",
                    r->answer.status);
            return *refusal != VD_OK ? REFUSED : FINISHED;
        }
        vd_frame f;
        if (r->answer.what != VD_CODEC_FRAME || !frame_of(r, &f)) {
            bury(r, h, true, m);
            return FINISHED;
        }
        r->c->output_keep =
            VD_MAX(r->answer.output_size, r->c->output_keep - r->c->output_keep / 8);
        if (*refusal == VD_OK) *refusal = deliver(r, &f, m, err);
        if (r->answer.last) return *refusal != VD_OK ? REFUSED : FINISHED;
        vd_codec_clock_begin(&r->p->clock);
        reply(r, *refusal);
    }
}

static vd_sniffed sniff(const vd_codec *c, const vd_source *src, vd_err *err, vd_status *st) {
    uint8_t head[VD_SNIFF_BYTES];
    size_t n = (size_t)VD_CLAMP(src->size, 0, VD_SNIFF_BYTES);
    *st = VD_OK;
    if (src->fd < 0) return vd_sniff(c->input + VD_CODEC_INPUT_AT, n, src->name);
    *st = vd_file_pread(src->fd, head, n, src->offset, &n, src->name, err);
    return vd_sniff(head, *st == VD_OK ? n : 0, src->name);
}

/* Asks the process until it has answered or died for good. VD_E_NOTFOUND: there is no such program.
 * What the receiver of frames refused is returned like a failure. */
static vd_status consult(run *r, vd_media *m, vd_err *err) {
    vd_status refusal = VD_OK;
    outcome o;
    do {
        VD_TRY(ask(r, err));
        vd_media_init(m);
        o = hear(r, m, &refusal, err);
    } while (o == DIED);
    return o == REFUSED ? refusal : VD_OK;
}

static void prepare(run *r) {
    vd_codec *c = r->c;
    const vd_source *src = r->src;
    r->ask = (vd_codec_ask){ .version = VD_CODEC_VERSION,
                             .what = VD_CODEC_REQUEST,
                             .size = src->size,
                             .offset = src->offset,
                             .input_size = (int64_t)c->input_cap,
                             .output_keep = c->output_keep,
                             .opt = *r->opt,
                             .has_fd = src->fd >= 0,
                             .test = c->test };
    if (r->opt->admit == NULL) r->ask.opt.granted_bytes = 0;
    r->ask.opt.admit = NULL; /* pointers mean nothing over there */
    r->ask.opt.admit_user = NULL;
    const char *name = src->name != NULL ? vd_path_name(src->name) : "";
    size_t len = strlen(name);
    snprintf(r->ask.name, sizeof r->ask.name, "%s",
             len < VD_CODEC_NAME ? name : name + len - VD_CODEC_NAME + 1);
}

/* A JPEG whose coding libjpeg lacks: FFmpeg may know it. The first verdict stands where it does
 * not. */
static vd_status second_opinion(run *r, vd_media *m, vd_err *err) {
    vd_media first = *m, second;
    vd_err ignored = { 0 };
    bool lossless = first.verdict == VD_V_UNSUPPORTED && strcmp(first.codec, "jpeg-lossless") == 0;
    if (!lossless || r->frames > 0) return VD_OK;
    r->p = &r->c->video;
    r->first = &first;
    vd_status st = consult(r, &second, &ignored);
    if (st == VD_E_NOTFOUND) return VD_OK;
    if (st != VD_OK) {
        if (err != NULL) *err = ignored;
        return st;
    }
    if (second.verdict < VD_V_UNSUPPORTED) *m = second;
    return VD_OK;
}

vd_status vd_codec_decode(vd_codec *c, const vd_source *src, const vd_decode_opt *opt,
                          vd_frame_fn on_frame, void *user, vd_media *media, vd_err *err) {
    vd_status st = VD_OK;
    vd_media m;
    vd_media_init(&m);
    if (src->size < 0 || (src->fd < 0 && (size_t)src->size > c->input_cap - VD_CODEC_INPUT_AT))
        return vd_fail(err, VD_E_ARG, "decoder: %lld bytes of input", (long long)src->size);
    run r = { .c = c, .src = src, .opt = opt, .on_frame = on_frame, .user = user };
    r.kind = sniff(c, src, err, &st);
    VD_TRY(st);
    if (settled(&r, &m)) {
        *media = m;
        return VD_OK;
    }
    r.p = r.kind.kind == VD_KIND_VIDEO && !opt->raw ? &c->video : &c->image;
    prepare(&r);
    st = consult(&r, &m, err);
    if (st == VD_E_NOTFOUND && r.p == &c->video) {
        say(&m, VD_V_UNSUPPORTED, "no_video_support", "this build has no video decoder");
        if (err != NULL) *err = (vd_err){ 0 };
        st = VD_OK;
    } else if (st == VD_E_NOTFOUND) {
        st = VD_E_IO;
    }
    if (st == VD_OK) st = second_opinion(&r, &m, err);
    if (r.admitted) vd_codec_trim(c, opt->granted_bytes / 2);
    VD_TRY(st);
    *media = m;
    return VD_OK;
}

static vd_status libraries_of(vd_codec *c, vd_codec_process *p, vd_str *out, vd_err *err) {
    const vd_source none = { .fd = -1 };
    const vd_decode_opt opt = VD_DECODE_OPT;
    run r = { .c = c, .p = p, .src = &none, .opt = &opt };
    r.ask = (vd_codec_ask){ .version = VD_CODEC_VERSION,
                            .what = VD_CODEC_LIBRARIES,
                            .input_size = (int64_t)c->input_cap,
                            .output_keep = c->output_keep,
                            .opt = opt };
    VD_TRY(ask(&r, err));
    if (vd_codec_process_hear(p, r.ask.seq, &opt, &r.answer) != VD_HEARD_ANSWER ||
        !vd_codec_process_map(p, r.answer.output_size)) {
        vd_codec_process_end(p);
        return vd_fail(err, VD_E_IO, "decoder: no answer about its libraries");
    }
    vd_str_addn(out, (const char *)p->output, r.answer.output_size);
    return vd_str_check(out, err);
}

vd_status vd_codec_libraries(vd_codec *c, vd_str *out, vd_err *err) {
    vd_err none = { 0 };
    VD_TRY(libraries_of(c, &c->image, out, err));
    vd_status st = libraries_of(c, &c->video, out, &none);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    if (st != VD_OK) vd_str_add(out, "FFmpeg not in this build\n"); /* which is fine */
    return vd_str_check(out, err);
}

void vd_codec_test(vd_codec *c, int32_t what) {
    c->test = what;
}

int vd_codec_test_pid(const vd_codec *c) {
    return (int)c->image.pid;
}
