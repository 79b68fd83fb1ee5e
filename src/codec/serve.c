/* The child's side of image/codec_protocol.h: one request after the other, in one thread.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine may die at any moment. An idle child then reads the end of the socket and leaves; a
 * busy one fails at its next message, and timers end one that never comes back from a library.
 * (PR_SET_PDEATHSIG would fire when the thread ends that made the process, which is not the same.)
 */
#include "codec/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/str.h"
#include "codec/serve_limits.h"
#include "image/codec_protocol.h"

enum { KEPT_BYTES = 4 << 20 };

struct vd_serve {
    const vd_decoder *decoder;
    vd_serve_limits limits;
    void *user;
    vd_codec_ask ask;
    uint8_t *input, *output;
    size_t input_size, output_cap, output_used, output_touched;
    vd_codec_note *note;
    int64_t admitted; /* bytes this request may use */
    double alive_s;
    bool answered, tests;
    vd_codec_answer answer; /* here and not on the stack: a kilobyte that is filled every time */
};

static bool put(vd_serve *s, const vd_codec_answer *a) {
    ssize_t n;
    (void)s;
    do n = send(VD_CODEC_FD_SOCKET, a, sizeof *a, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *a;
}

/* One message of the engine, with the descriptor that may come with it. False: the engine is gone.
 */
static bool take(vd_codec_ask *ask, int *fd) {
    struct iovec iov = { ask, sizeof *ask };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t n;
    do n = recvmsg(VD_CODEC_FD_SOCKET, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof *ask || ask->version != VD_CODEC_VERSION) return false;
    *fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c != NULL && c->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return true;
}

static bool map_input(vd_serve *s) {
    size_t need = (size_t)s->ask.input_size;
    if (need <= s->input_size) return true;
    void *p = s->input == NULL
                  ? mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_SHARED, VD_CODEC_FD_INPUT, 0)
                  : mremap(s->input, s->input_size, need, MREMAP_MAYMOVE);
    if (p == MAP_FAILED) return false;
    s->input = p;
    s->input_size = need;
    s->note = p;
    return true;
}

vd_status vd_serve_output(vd_serve *s, size_t size, uint8_t **out, vd_err *err) {
    enum { PAGE = 4096 };
    if (size > (size_t)s->ask.opt.max_memory_bytes) return vd_nomem(err);
    if (size > s->output_cap) {
        size_t cap = (size + size / 8 + PAGE) & ~(size_t)(PAGE - 1);
        if (ftruncate(VD_CODEC_FD_OUTPUT, (off_t)cap) != 0) return vd_nomem(err);
        void *p = s->output == NULL
                      ? mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, VD_CODEC_FD_OUTPUT, 0)
                      : mremap(s->output, s->output_cap, cap, MREMAP_MAYMOVE);
        if (p == MAP_FAILED) return vd_nomem(err);
        s->output = p;
        s->output_cap = cap;
    }
    s->output_used = size;
    s->output_touched = VD_MAX(s->output_touched, size);
    *out = s->output;
    return VD_OK;
}

/* Gives back output pages that one large picture touched and the later ones do not need. */
static void trim(vd_serve *s) {
    size_t keep = ((size_t)VD_MAX(s->ask.output_keep, 0) + 4095) & ~(size_t)4095;
    if (s->output_touched <= keep + ((size_t)8 << 20) || s->output_cap <= keep) return;
    if (fallocate(VD_CODEC_FD_OUTPUT, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)keep,
                  (off_t)(s->output_cap - keep)) == 0)
        s->output_touched = keep;
    if (s->decoder->trim != NULL) s->decoder->trim(s->user);
}

vd_status vd_serve_frame(vd_serve *s, const vd_frame *frame, const vd_media *media, int64_t index,
                         double time_s, bool last, vd_err *err) {
    vd_codec_answer *a = &s->answer;
    a->version = VD_CODEC_VERSION;
    a->what = VD_CODEC_FRAME;
    a->seq = s->ask.seq;
    a->status = VD_OK;
    a->last = last;
    a->format = (int32_t)frame->format;
    a->width = frame->width;
    a->height = frame->height;
    a->orientation = frame->orientation;
    a->channels = frame->channels;
    for (int i = 0; i < VD_COUNT(a->plane); i++) {
        const vd_plane *p = &frame->plane[i];
        a->plane[i] = (vd_codec_plane){ 0 };
        if (p->data != NULL)
            a->plane[i] =
                (vd_codec_plane){ p->data - s->output, (int64_t)p->stride, p->width, p->height };
    }
    a->index = index;
    a->output_size = (int64_t)s->output_used;
    a->time_s = time_s;
    a->media = *media;
    if (!put(s, a)) return vd_fail(err, VD_E_CANCEL, "the engine is gone");
    s->answered = last;
    if (last) return VD_OK;
    vd_codec_ask next;
    int fd;
    if (!take(&next, &fd)) return vd_fail(err, VD_E_CANCEL, "the engine is gone");
    if (fd >= 0) close(fd);
    s->alive_s = vd_time_mono_s();
    vd_serve_clock(&s->ask.opt);
    return next.what == VD_CODEC_NEXT ? VD_OK : vd_fail(err, VD_E_CANCEL, "stopped by the engine");
}

vd_status vd_serve_need(vd_serve *s, const vd_job *job, int64_t bytes, vd_err *err) {
    vd_codec_ask next;
    int fd;
    if (job->data != NULL) bytes += job->size;
    if (s->ask.opt.granted_bytes <= 0 || bytes <= s->admitted) return VD_OK;
    s->answer.version = VD_CODEC_VERSION;
    s->answer.what = VD_CODEC_NEED;
    s->answer.seq = s->ask.seq;
    s->answer.output_size = bytes;
    vd_serve_clock(NULL); /* waiting is no fault of this file */
    if (!put(s, &s->answer) || !take(&next, &fd))
        return vd_fail(err, VD_E_CANCEL, "the engine is gone");
    if (fd >= 0) close(fd);
    s->alive_s = vd_time_mono_s();
    vd_serve_clock(&s->ask.opt);
    if (next.what != VD_CODEC_NEXT) return vd_fail(err, VD_E_CANCEL, "stopped by the engine");
    s->admitted = bytes;
    return VD_OK;
}

void vd_serve_alive(vd_serve *s) {
    double now = vd_time_mono_s();
    if (now - s->alive_s < 1) return;
    s->alive_s = now;
    vd_serve_clock(&s->ask.opt);
    s->answer.version = VD_CODEC_VERSION;
    s->answer.what = VD_CODEC_ALIVE;
    s->answer.seq = s->ask.seq;
    put(s, &s->answer);
}

void vd_serve_working(vd_serve *s, const char *library) {
    snprintf(s->note->library, sizeof s->note->library, "%s", library);
}

volatile int32_t *vd_serve_memory_note(vd_serve *s) {
    return &s->note->out_of_memory;
}

/* GLib's constructors end the process where they get no memory, without a word to us. */
void vd_serve_unlimited(vd_serve *s) {
    s->note->out_of_memory = vd_serve_memory_off(&s->limits);
}

void vd_serve_limited(vd_serve *s) {
    vd_serve_memory_on(&s->limits);
    s->note->out_of_memory = 0;
}

static vd_status spin(void *user, int64_t i, int worker, vd_err *err) {
    (void)user, (void)i, (void)worker, (void)err;
    for (volatile unsigned n = 0;; n++) {
    }
    return VD_OK;
}

static void work_for(double seconds) {
    const double end = (double)clock() / CLOCKS_PER_SEC + seconds;
    while ((double)clock() / CLOCKS_PER_SEC < end) {
    }
}

/* Misbehaves on purpose, for the tests of the supervision. */
static void misbehave(vd_serve *s) {
    volatile char *p = NULL;
    vd_pool *crowd = NULL;
    vd_media media;
    vd_media_init(&media);
    vd_frame lie = {
        .format = VD_PIX_GREY8, .width = 1 << 20, .height = 1 << 20, .orientation = 1
    };
    lie.plane[0] = (vd_plane){ s->output, 1 << 20, 1 << 20, 1 << 20 };
    switch (s->ask.test) {
    case VD_CODEC_TEST_CRASH:
        signal(SIGSEGV, SIG_DFL);
        *p = 1;
        break;
    case VD_CODEC_TEST_HANG:
        for (;;) pause();
    case VD_CODEC_TEST_MEMORY:
        for (char *q; (q = malloc(1 << 20)) != NULL;) memset(q, 1, 1 << 20);
        *vd_serve_memory_note(s) = 1;
        _exit(1);
    case VD_CODEC_TEST_BUSY:
        for (;;) {
            usleep(20000);
            s->alive_s = 0;
            vd_serve_alive(s);
        }
    case VD_CODEC_TEST_SPIN: spin(NULL, 0, 0, NULL); break;
    case VD_CODEC_TEST_CROWD:
        if (vd_pool_new(&crowd, 4, NULL) == VD_OK) vd_pool_for(crowd, 4, spin, NULL, NULL);
        break;
    case VD_CODEC_TEST_SLOW: work_for(0.25); break;
    case VD_CODEC_TEST_LIE: vd_serve_frame(s, &lie, &media, 0, 0, true, NULL); break;
    default: break;
    }
}

static void answer_request(vd_serve *s, int fd) {
    vd_job job = { .name = s->ask.name,
                   .size = s->ask.size,
                   .fd = fd,
                   .offset = s->ask.offset,
                   .opt = s->ask.opt };
    if (fd < 0) {
        job.data = s->input + VD_CODEC_INPUT_AT;
        job.has_room_before = true;
        job.size = VD_MIN(job.size, (int64_t)s->input_size - VD_CODEC_INPUT_AT);
    }
    vd_media media;
    vd_media_init(&media);
    vd_err err = { 0 };
    *s->note = (vd_codec_note){ 0 };
    if (s->tests && s->ask.test != 0) misbehave(s);
    if (s->answered) return;
    vd_status st = s->decoder->decode(s->user, s, &job, &media, &err);
    if (s->answered) return;
    s->answer.version = VD_CODEC_VERSION;
    s->answer.what = VD_CODEC_DONE;
    s->answer.seq = s->ask.seq;
    s->answer.status = st == VD_E_CANCEL ? VD_OK : st;
    s->answer.media = media;
    put(s, &s->answer);
}

static void answer_libraries(vd_serve *s) {
    vd_str text = { 0 };
    vd_err err = { 0 };
    uint8_t *out = NULL;
    if (s->decoder->libraries != NULL) s->decoder->libraries(s->user, s, &text);
    size_t n = (size_t)text.size;
    vd_status st = vd_serve_output(s, n + 1, &out, &err);
    if (st == VD_OK) memcpy(out, vd_str_text(&text), n + 1);
    vd_str_reset(&text);
    s->answer.version = VD_CODEC_VERSION;
    s->answer.what = VD_CODEC_DONE;
    s->answer.seq = s->ask.seq;
    s->answer.status = st;
    s->answer.output_size = st == VD_OK ? (int64_t)n : 0;
    put(s, &s->answer);
}

int vd_serve_main(const vd_decoder *d, void *user, int argc, char **argv) {
    struct stat st;
    if (argc != 2 || strcmp(argv[1], "--serve") != 0 || fstat(VD_CODEC_FD_SOCKET, &st) != 0 ||
        !S_ISSOCK(st.st_mode)) {
        fprintf(stderr, "%s: a decoding process of vidimus, started by the engine only\n", d->name);
        return 2;
    }
    vd_serve s = { .decoder = d, .user = user, .tests = getenv("VIDIMUS_CODEC_TEST") != NULL };
    vd_serve_confine(&s.limits);
    /* freed working memory of a large picture goes back at once; glibc would learn to keep it */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES);
    int fd = -1;
    while (take(&s.ask, &fd)) {
        vd_serve_memory(&s.limits, s.ask.opt.max_memory_bytes);
        s.answered = false;
        s.admitted = s.ask.opt.granted_bytes;
        s.ask.name[VD_CODEC_NAME - 1] = '\0';
        trim(&s);
        if (!map_input(&s)) return 1;
        vd_serve_clock(&s.ask.opt);
        if (s.ask.what == VD_CODEC_REQUEST)
            answer_request(&s, fd);
        else if (s.ask.what == VD_CODEC_LIBRARIES)
            answer_libraries(&s);
        if (fd >= 0) close(fd);
        vd_serve_clock(NULL);
        if (s.admitted > s.ask.opt.granted_bytes) malloc_trim(0);
    }
    return 0;
}
