/* The part of vidimus-codec that is loaded for the first file that needs it: what a missing, broken
 * or foreign module costs, that an update meanwhile costs nothing, and that loading it is no file's
 * memory. Each test works on a copy of the programs. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "tmpdir.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/codec.h"
#include "image/codec_test.h"
#include "image/png_write.h"

#define PROGRAM "vidimus-codec"
#define MODULE "vidimus-codec-vips.so"

static const char plain[] = "P5 2 2 255\n\x01\x02\x03\x04";

static const char *built(const char *name) {
    static char path[1024];
    const char *dir = getenv("VIDIMUS_LIBEXEC");
    snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : ".", name);
    return path;
}

/* A file copied, at a new inode, as an installation does it. */
static bool install(const t_dir *d, const char *from, const char *as) {
    vd_err err = { 0 };
    char *data = NULL;
    size_t n = 0;
    if (vd_file_read(&data, &n, from, (size_t)1 << 30, &err) != VD_OK) return false;
    t_dir_put(d, "new", data, n);
    vd_mem_free(data);
    chmod(t_dir_at(d, "new"), 0755);
    return rename(t_dir_at(d, "new"), t_dir_at(d, as)) == 0;
}

static vd_status png(vd_str *out, vd_err *err) {
    uint8_t grey[64 * 64];
    for (int i = 0; i < 64 * 64; i++) grey[i] = (uint8_t)(i * 7);
    return vd_png_write(out, VD_PNG_GREY8, grey, 64, 64, 64, 1, err);
}

static vd_status count(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                       double time_s, vd_err *err) {
    (void)m, (void)index, (void)time_s, (void)err;
    *(int *)user += f->width;
    return VD_OK;
}

static vd_status decode(vd_codec *c, const void *data, size_t n, const vd_decode_opt *opt,
                        int *width, vd_media *m, vd_err *err) {
    uint8_t *in = NULL;
    *width = 0;
    VD_TRY(vd_codec_input(c, n, &in, err));
    memcpy(in, data, n);
    const vd_source src = { "a", -1, 0, (int64_t)n };
    return vd_codec_decode(c, &src, opt, count, width, m, err);
}

static void expect_plain(t_case *t, vd_codec *c) {
    vd_err err = { 0 };
    vd_media m;
    int width;
    T_OK(decode(c, plain, sizeof plain, &(vd_decode_opt)VD_DECODE_OPT, &width, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(width, 2);
}

/* In a folder without a module that works: PNG is unsupported for the reason `why`, which `doctor`
 * tells too, and what needs no module is decoded before and after. */
static void expect_none(t_case *t, const t_dir *d, const char *why) {
    vd_err err = { 0 };
    vd_str file = { 0 }, text = { 0 };
    vd_codec *c = NULL;
    vd_media m;
    int width;
    T_TRUE(install(d, built(PROGRAM), PROGRAM));
    T_OK(vd_codec_new(&c, d->path, &err));
    T_OK(png(&file, &err));
    expect_plain(t, c);
    int pid = vd_codec_test_pid(c);
    for (int round = 0; round < 2; round++) {
        T_OK(decode(c, file.data, (size_t)file.size, &(vd_decode_opt)VD_DECODE_OPT, &width, &m,
                    &err));
        T_EQ(m.verdict, VD_V_UNSUPPORTED);
        T_STR(m.reason, "no_decoder");
        T_STR(m.library, "libvips");
        if (strstr(m.detail, why) == NULL) T_FAIL("no \"%s\" in \"%s\"", why, m.detail);
        T_EQ(width, 0);
        expect_plain(t, c);
    }
    T_OK(vd_codec_libraries(c, &text, &err));
    if (strstr(vd_str_text(&text), why) == NULL) T_FAIL("no \"%s\" for doctor", why);
    T_EQ(vd_codec_test_pid(c), pid);
    vd_codec_free(c);
    vd_str_reset(&file);
    vd_str_reset(&text);
}

#ifndef T_OTHER_MODULE

T(a_build_without_libvips_says_so) {
    t_dir d = t_dir_new();
    expect_none(t, &d, "not in this build");
    t_dir_free(&d);
}

#else

static void expect_png(t_case *t, vd_codec *c, const vd_decode_opt *opt) {
    vd_err err = { 0 };
    vd_str file = { 0 };
    vd_media m;
    int width;
    T_OK(png(&file, &err));
    T_OK(decode(c, file.data, (size_t)file.size, opt, &width, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_EQ(width, 64);
    vd_str_reset(&file);
}

T(a_missing_module_is_named) {
    t_dir d = t_dir_new();
    expect_none(t, &d, MODULE ": No such file");
    t_dir_free(&d);
}

T(a_module_that_is_none_is_named) {
    t_dir d = t_dir_new();
    t_dir_put(&d, MODULE, "", 0);
    expect_none(t, &d, "file too short");
    t_dir_put(&d, MODULE, plain, sizeof plain);
    expect_none(t, &d, MODULE);
    T_TRUE(install(&d, T_EMPTY_MODULE, MODULE));
    expect_none(t, &d, "undefined symbol");
    t_dir_free(&d);
}

T(a_module_of_another_build_is_refused) {
    t_dir d = t_dir_new();
    T_TRUE(install(&d, T_OTHER_MODULE, MODULE));
    expect_none(t, &d, "version 0.0.7, interface 99");
    t_dir_free(&d);
}

/* The running process keeps the module that it was started with; the next one takes the new. */
T(an_update_meanwhile_goes_unnoticed) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    vd_codec *c = NULL;
    const vd_decode_opt opt = VD_DECODE_OPT;
    T_TRUE(install(&d, built(PROGRAM), PROGRAM));
    T_TRUE(install(&d, built(MODULE), MODULE));
    T_OK(vd_codec_new(&c, d.path, &err));
    expect_plain(t, c);
    int pid = vd_codec_test_pid(c);
    T_TRUE(install(&d, built(PROGRAM), PROGRAM));
    T_TRUE(install(&d, T_OTHER_MODULE, MODULE));
    expect_png(t, c, &opt);
    T_EQ(vd_codec_test_pid(c), pid);
    vd_codec_free(c);
    expect_none(t, &d, "version 0.0.7, interface 99");
    t_dir_free(&d);
}

/* A limit far below what libvips takes for itself, and for JPEG and the like the same limit before
 * and after. */
T(loading_is_no_files_memory) {
    vd_err err = { 0 };
    vd_codec *c = NULL;
    vd_decode_opt opt = VD_DECODE_OPT;
    opt.max_memory_bytes = 24 << 20;
    T_OK(vd_codec_new(&c, NULL, &err));
    expect_png(t, c, &opt);
    expect_plain(t, c);
    expect_png(t, c, &opt);
    vd_codec_free(c);
}

enum outcome { DECODED, NO_MEMORY, WRONG, OTHER };

/* In a process of its own, which `limit` bounds with all its children. */
static enum outcome decode_within(rlim_t limit) {
    vd_err err = { 0 };
    vd_str file = { 0 };
    vd_codec *c[2] = { NULL, NULL };
    vd_media m;
    int width;
    const vd_decode_opt opt = VD_DECODE_OPT;
    const struct rlimit r = { limit, limit };
    if (png(&file, &err) != VD_OK || vd_codec_new(&c[0], NULL, &err) != VD_OK ||
        vd_codec_new(&c[1], NULL, &err) != VD_OK || setrlimit(RLIMIT_AS, &r) != 0)
        return OTHER;
    if (decode(c[0], plain, sizeof plain, &opt, &width, &m, &err) != VD_OK || m.verdict != VD_V_OK)
        return OTHER; /* too little even for that */
    if (decode(c[1], file.data, (size_t)file.size, &opt, &width, &m, &err) != VD_OK) return WRONG;
    vd_codec_free(c[0]);
    vd_codec_free(c[1]);
    vd_str_reset(&file);
    if (m.verdict == VD_V_OK) return DECODED;
    if (strcmp(m.reason, "memory_limit") == 0) return NO_MEMORY;
    /* with barely enough to load, a library may die of the picture */
    if (m.verdict != VD_V_UNSUPPORTED && strcmp(m.library, "libvips") != 0) return OTHER;
    fprintf(stderr, "%lld bytes: %s %s\n", (long long)limit, m.reason, m.detail);
    return WRONG;
}

static enum outcome decode_bounded(t_case *t, rlim_t limit) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) _exit((int)decode_within(limit));
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
        return (enum outcome)(WEXITSTATUS(status) & 3);
    T_FAIL("a process with %lld bytes ended with status %x", (long long)limit, (unsigned)status);
    return WRONG;
}

T(where_the_system_gives_no_memory_the_verdict_says_so) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    T_SKIP("address space is not limited under a sanitizer");
#endif
    enum { COARSE = 5 << 20, FINE = 128 << 10, MOST = 1 << 30 };
    int n[4] = { 0 };
    rlim_t limit = 8 << 20;
    for (; limit < MOST && n[DECODED] == 0; limit += COARSE) n[decode_bounded(t, limit)]++;
    T_EQ(n[DECODED], 1);
    /* just below that, all is mapped, and what the constructors ask for is refused */
    limit -= 2 * COARSE;
    for (int i = 0; i < COARSE / FINE; i++) n[decode_bounded(t, limit + (rlim_t)i * FINE)]++;
    T_EQ(n[WRONG], 0);
    T_TRUE(n[NO_MEMORY] > 3);
}

#endif
