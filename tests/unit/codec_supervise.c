/* The supervision of the decoding process: whatever happens to it, the file gets its verdict and
 * the next file is decoded as if nothing had been. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/codec.h"
#include "image/codec_protocol.h"
#include "image/codec_test.h"

static const char good[] =
    "P5 3 2 255\n\x01\x02\x03\x04\x05\x06"; /* with its NUL: trailing garbage */

typedef struct seen {
    int frames, width, height;
    uint8_t first, last;
    vd_status answer;
} seen;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    seen *s = user;
    (void)m, (void)index, (void)time_s;
    s->frames++;
    s->width = f->width;
    s->height = f->height;
    s->first = f->plane[0].data[0];
    s->last = f->plane[0].data[(f->height - 1) * f->plane[0].stride + f->width - 1];
    return s->answer == VD_OK ? VD_OK : vd_fail(err, s->answer, "told to");
}

static vd_codec *start(t_case *t) {
    vd_err err = { 0 };
    vd_codec *c = NULL;
    setenv("VIDIMUS_CODEC_TEST", "1", 1);
    if (vd_codec_new(&c, NULL, &err) != VD_OK) T_FAIL("vd_codec_new: %s", err.msg);
    return c;
}

static vd_status decode(vd_codec *c, const char *name, const void *data, size_t n,
                        const vd_decode_opt *opt, seen *s, vd_media *m, vd_err *err) {
    uint8_t *in = NULL;
    *s = (seen){ .answer = s->answer };
    VD_TRY(vd_codec_input(c, n, &in, err));
    memcpy(in, data, n);
    vd_source src = { name, -1, 0, (int64_t)n };
    return vd_codec_decode(c, &src, opt, on_frame, s, m, err);
}

static void expect_good(t_case *t, vd_codec *c) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(s.frames, 1);
    T_EQ(s.width * 10 + s.height, 32);
    T_EQ(s.first * 10 + s.last, 16);
}

static void misbehave(t_case *t, int how, const char *reason) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    /* memory fills as fast as a busy machine lets it; those that sleep are to run out of time, with
     * signs of life three times as late */
    opt.timeout_s = 5;
    if (how == VD_CODEC_TEST_HANG || how == VD_CODEC_TEST_BUSY) opt.backstop_s = 0.4;
    opt.max_memory_bytes = 64 << 20;
    for (int round = 0; round < 2; round++) {
        expect_good(t, c);
        vd_codec_test(c, how);
        double t0 = vd_time_mono_s();
        T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
        T_LT(vd_time_mono_s() - t0, 10);
        T_EQ(m.verdict, VD_V_UNREADABLE);
        T_STR(m.reason, reason);
        T_TRUE(m.detail[0] != '\0');
        T_EQ(s.frames, 0);
        vd_codec_test(c, 0);
        expect_good(t, c);
    }
    vd_codec_free(c);
}

T(crash_is_a_verdict) {
    misbehave(t, VD_CODEC_TEST_CRASH, "decoder_crash");
}
T(hang_is_a_verdict) {
    misbehave(t, VD_CODEC_TEST_HANG, "decoder_timeout");
}
T(signs_of_life_without_end_are_a_verdict) {
    misbehave(t, VD_CODEC_TEST_BUSY, "decoder_timeout");
}
T(lie_is_a_verdict) {
    misbehave(t, VD_CODEC_TEST_LIE, "decoder_fault");
}

T(memory_bomb_is_a_verdict) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    T_SKIP("address space is not limited under a sanitizer");
#endif
    misbehave(t, VD_CODEC_TEST_MEMORY, "memory_limit");
}

T(process_killed_while_idle_is_replaced) {
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    for (int i = 0; i < 3; i++) {
        expect_good(t, c);
        int pid = vd_codec_test_pid(c);
        T_NEED(pid > 0);
        kill(pid, SIGKILL);
        siginfo_t info;
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
        expect_good(t, c);
        T_TRUE(vd_codec_test_pid(c) != pid);
    }
    vd_codec_free(c);
}

/* Processor time of all children that are gone. */
static double spent(void) {
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* One that works for ever is ended at its limit, as the system accounts it afterwards: 10 ms are
 * the steps in which the engine looks, for each processor that it may keep busy. */
static void spins(t_case *t, int how) {
    enum { THREADS = 4 };
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    opt.timeout_s = 0.5;
    vd_codec_test(c, how);
    const double before = spent();
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    const double took = spent() - before;
    T_EQ(m.verdict, VD_V_UNREADABLE);
    T_STR(m.reason, "decoder_timeout");
    T_STR(m.detail, "the decoder: no answer within 0.5 s of processor time");
    T_TRUE(took >= opt.timeout_s);
    T_LT(took, opt.timeout_s + 0.2 * THREADS);
    vd_codec_test(c, 0);
    expect_good(t, c);
    vd_codec_free(c);
}

T(endless_work_ends_at_the_limit) {
    spins(t, VD_CODEC_TEST_SPIN);
}
T(endless_work_of_several_threads_is_added_up) {
    spins(t, VD_CODEC_TEST_CROWD);
}

T(sleep_ends_at_the_backstop) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    T_NEAR(vd_codec_backstop(&opt), 600, 0);
    opt.timeout_s = 0.1;
    vd_codec_test(c, VD_CODEC_TEST_HANG);
    const double t0 = vd_time_mono_s();
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_TRUE(vd_time_mono_s() - t0 >= 1);
    T_STR(m.reason, "decoder_timeout");
    T_STR(m.detail, "the decoder: no answer within 1 s");
    vd_codec_free(c);
}

T(stopped_process_times_out) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    expect_good(t, c);
    T_NEED(vd_codec_test_pid(c) > 0); /* 0 would stand for this test and its parents */
    kill(vd_codec_test_pid(c), SIGSTOP);
    opt.backstop_s = 0.3;
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_STR(m.reason, "decoder_timeout");
    expect_good(t, c);
    vd_codec_free(c);
}

/* Child processes of the test. They end with it. */
static pid_t wake_later(pid_t whom, unsigned after_ms) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    usleep(after_ms * 1000);
    kill(whom, SIGCONT);
    _exit(0);
}

static pid_t keep_busy(void) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile unsigned n = 0;; n++) {
    }
}

T(time_in_which_it_does_not_run_does_not_count) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    expect_good(t, c);
    T_NEED(vd_codec_test_pid(c) > 0); /* 0 would stand for this test and its parents */
    kill(vd_codec_test_pid(c), SIGSTOP);
    pid_t waker = wake_later(vd_codec_test_pid(c), 1500);
    T_NEED(waker > 0);
    opt.timeout_s = 0.5;
    opt.backstop_s = 120;
    const double t0 = vd_time_mono_s();
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_TRUE(vd_time_mono_s() - t0 > 1.2);
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(s.frames, 1);
    waitpid(waker, NULL, 0);
    vd_codec_free(c);
}

/* A machine, or a container, that is suspended and comes back. */
T(time_in_which_nobody_runs_does_not_count) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    expect_good(t, c);
    const pid_t decoder = vd_codec_test_pid(c), engine = getpid();
    T_NEED(decoder > 0);
    kill(decoder, SIGSTOP);
    pid_t other = fork();
    if (other == 0) {
        usleep(300000);
        kill(engine, SIGSTOP);
        usleep(4000000);
        kill(engine, SIGCONT);
        usleep(500000);
        kill(decoder, SIGCONT);
        _exit(0);
    }
    T_NEED(other > 0);
    opt.backstop_s = 2.5;
    const double t0 = vd_time_mono_s();
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_TRUE(vd_time_mono_s() - t0 > 4);
    T_EQ(m.verdict, VD_V_OK);
    waitpid(other, NULL, 0);
    vd_codec_free(c);
}

/* A file that takes half of its time is good, whatever else runs; one that takes twice is not. */
T(a_busy_machine_changes_no_verdict) {
    enum { MOST = 64, ROUNDS = 2 };
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    pid_t others[MOST];
    const int n = VD_MIN(3 * vd_cpu_count(), MOST);
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    for (int i = 0; i < n; i++) others[i] = keep_busy();
    opt.backstop_s = 120; /* of a machine that others keep busy, too, there may be little left */
    vd_codec_test(c, VD_CODEC_TEST_SLOW);
    const double t0 = vd_time_mono_s();
    for (int round = 0; round < ROUNDS; round++) {
        opt.timeout_s = 0.5;
        T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
        T_EQ(m.verdict, VD_V_OK);
        T_EQ(s.frames, 1);
    }
    const double took = (vd_time_mono_s() - t0) / ROUNDS;
    opt.timeout_s = 0.125;
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_STR(m.reason, "decoder_timeout");
    for (int i = 0; i < n; i++)
        if (others[i] > 0) kill(others[i], SIGKILL);
    for (int i = 0; i < n; i++)
        if (others[i] > 0) waitpid(others[i], NULL, 0);
    fprintf(stderr, "0.25 s of work took %.2f s beside %d others\n", took, n);
    vd_codec_free(c);
}

T(refusal_of_a_frame_comes_back) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { .answer = VD_E_CANCEL };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    T_EQ(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err), VD_E_CANCEL);
    T_STR(err.msg, "told to");
    expect_good(t, c);
    vd_codec_free(c);
}

T(files_that_need_no_decoder) {
    static const struct {
        const char *name, *bytes;
        size_t n;
        vd_verdict v;
        const char *reason;
        vd_kind k;
    } cases[] = { { "a.jpg", "", 0, VD_V_UNREADABLE, "empty", VD_KIND_OTHER },
                  { "a.jpg", "hello, world", 12, VD_V_NOT_AN_IMAGE, "other_kind", VD_KIND_OTHER },
                  { "a.bin", "\x01\x02\x03\x04", 4, VD_V_NOT_AN_IMAGE, "unknown_kind",
                    VD_KIND_OTHER },
                  { "a.mp3", "ID3\x03", 4, VD_V_NOT_AN_IMAGE, "other_kind", VD_KIND_AUDIO },
                  { "a.zip", "PK\x03\x04", 4, VD_V_NOT_AN_IMAGE, "other_kind", VD_KIND_ARCHIVE } };
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    for (int i = 0; i < VD_COUNT(cases); i++) {
        T_OK(decode(c, cases[i].name, cases[i].bytes, cases[i].n, &opt, &s, &m, &err));
        T_EQ(m.verdict, cases[i].v);
        T_STR(m.reason, cases[i].reason);
        T_EQ(m.kind, cases[i].k);
    }
    T_EQ(vd_codec_test_pid(c), 0);
    vd_codec_free(c);
}

T(wrong_extension_decodes_all_the_same) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    T_OK(decode(c, "dir/a.JPG", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_WRONG_EXTENSION);
    T_EQ(s.frames, 1);
    T_OK(decode(c, "dir/a", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_OK(decode(c, "dir/a.unheard", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    opt.max_pixels = 5;
    T_OK(decode(c, "dir/a.jpg", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_TOO_LARGE);
    T_EQ(m.width * 10 + m.height, 32);
    T_EQ(s.frames, 0);
    vd_codec_free(c);
}

T(a_range_of_a_file_is_read_by_the_child) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    char path[] = "codec_range_XXXXXX";
    vd_codec *c = start(t);
    int fd = mkstemp(path);
    T_NEED(c != NULL && fd >= 0);
    T_TRUE(pwrite(fd, good, sizeof good, 5000) == (ssize_t)sizeof good);
    vd_source src = { "a.pgm", fd, 5000, (int64_t)sizeof good };
    T_OK(vd_codec_decode(c, &src, &opt, on_frame, &s, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(s.frames, 1);
    T_EQ(s.first * 10 + s.last, 16);
    close(fd);
    unlink(path);
    vd_codec_free(c);
}

T(large_inputs_and_outputs_grow_and_shrink_the_memory) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    enum { SIDE = 3000, HEAD = 17 };
    size_t n = HEAD + (size_t)SIDE * SIDE;
    char *big = vd_mem_alloc(n);
    vd_codec *c = start(t);
    T_NEED(c != NULL && big != NULL);
    memset(big, 77, n);
    memcpy(big, "P5\n3000 3000\n255\n", HEAD);
    big[n - 1] = 99;
    for (int round = 0; round < 3; round++) {
        T_OK(decode(c, "b.pgm", big, n, &opt, &s, &m, &err));
        T_EQ(m.verdict, VD_V_OK);
        T_EQ(s.first, 77);
        T_EQ(s.last, 99);
        for (int i = 0; i < 30; i++) expect_good(t, c);
    }
    vd_mem_free(big);
    vd_codec_free(c);
}

typedef struct gate {
    int asked;
    int64_t bytes;
    vd_status answer;
} gate;

static vd_status admit(void *user, int64_t bytes, vd_err *err) {
    gate *g = user;
    g->asked++;
    g->bytes = bytes;
    return g->answer == VD_OK ? VD_OK : vd_fail(err, g->answer, "no room");
}

T(a_large_picture_asks_for_memory_and_a_small_one_does_not) {
    enum { SIDE = 3000, HEAD = 17, GRANT = 1 << 20 };
    vd_err err = { 0 };
    gate g = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    size_t n = HEAD + (size_t)SIDE * SIDE;
    char *big = vd_mem_alloc(n);
    vd_codec *c = start(t);
    T_NEED(c != NULL && big != NULL);
    memset(big, 77, n);
    memcpy(big, "P5\n3000 3000\n255\n", HEAD);
    opt.granted_bytes = GRANT;
    opt.admit = admit;
    opt.admit_user = &g;
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_EQ(g.asked, 0);
    T_OK(decode(c, "b.pgm", big, n, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(s.first, 77);
    T_EQ(g.asked, 1);
    T_TRUE(g.bytes >= (int64_t)(n + SIDE * SIDE) && g.bytes < (int64_t)(2 * n + (1 << 20)));
    g.answer = VD_E_CANCEL;
    T_EQ(decode(c, "b.pgm", big, n, &opt, &s, &m, &err), VD_E_CANCEL);
    T_EQ(s.frames, 0);
    err = (vd_err){ 0 };
    expect_good(t, c);
    vd_mem_free(big);
    vd_codec_free(c);
}

T(missing_programs_are_an_error_of_the_installation) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = NULL;
    T_OK(vd_codec_new(&c, "/nonexistent", &err));
    T_EQ(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err), VD_E_IO);
    err = (vd_err){ 0 };
    /* but a film without the video program is only unsupported */
    T_OK(decode(c, "a.avi", "RIFF\0\0\0\0AVI LIST", 16, &opt, &s, &m, &err));
    T_EQ(m.verdict, VD_V_UNSUPPORTED);
    vd_codec_free(c);
}

T(libraries_are_named) {
    vd_err err = { 0 };
    vd_str text = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    T_OK(vd_codec_libraries(c, &text, &err));
    T_TRUE(strstr(vd_str_text(&text), "libjpeg") != NULL);
    vd_str_reset(&text);
    expect_good(t, c);
    vd_codec_free(c);
}

T(refused_memory_leaves_nothing) {
    for (int n = 0, hit = 1; hit; n++) {
        vd_err err = { 0 };
        vd_codec *c = NULL;
        int64_t live = vd_mem_live();
        vd_mem_fail_at(n, false);
        vd_status st = vd_codec_new(&c, NULL, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_codec_free(c);
        T_EQ(vd_mem_live(), live);
    }
}
