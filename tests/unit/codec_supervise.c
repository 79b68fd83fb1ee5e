/* The supervision of the decoding process: whatever happens to it, the file gets its verdict and
 * the next file is decoded as if nothing had been. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
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
    /* memory fills as fast as a busy machine lets it; only the hanging decoder is to run out of
     * time */
    opt.timeout_s = how == VD_CODEC_TEST_MEMORY ? 5 : 0.4;
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

T(stopped_process_times_out) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media m;
    seen s = { 0 };
    vd_codec *c = start(t);
    T_NEED(c != NULL);
    expect_good(t, c);
    kill(vd_codec_test_pid(c), SIGSTOP);
    opt.timeout_s = 0.3;
    T_OK(decode(c, "a.pgm", good, sizeof good, &opt, &s, &m, &err));
    T_STR(m.reason, "decoder_timeout");
    expect_good(t, c);
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
