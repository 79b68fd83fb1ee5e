/* Every file of the malformed collection gets a verdict: nothing fails, hangs or grows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/codec.h"
#include "image/codec_test.h"

typedef struct tally {
    int files, frames;
    int verdicts[VD_V_NOT_AN_IMAGE + 1];
} tally;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    tally *a = user;
    (void)m, (void)index, (void)time_s, (void)err;
    volatile uint8_t sink = 0;
    (void)sink;
    /* the corners of every plane must be readable */
    for (int i = 0; i < (f->format == VD_PIX_YCC8 ? 3 : 1); i++) {
        const vd_plane *p = &f->plane[i];
        int bytes = f->format == VD_PIX_RGB8 ? 3 : 1;
        sink ^= p->data[0];
        sink ^= p->data[(p->height - 1) * p->stride + (ptrdiff_t)p->width * bytes - 1];
    }
    a->frames++;
    return VD_OK;
}

static vd_str list; /* nftw has no user pointer */
static int add(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)ftw;
    if (type == FTW_F) vd_str_addf(&list, "%s\n", path);
    return 0;
}

static long peak_kb(int pid) {
    char path[64], *text = NULL, *at;
    size_t n;
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    text = vd_mem_array(8192, 1);
    if (f != NULL && text != NULL) {
        n = fread(text, 1, 8191, f);
        text[n] = '\0';
        if ((at = strstr(text, "VmHWM:")) != NULL) kb = atol(at + 6);
    }
    if (f != NULL) fclose(f);
    vd_mem_free(text);
    return kb;
}

T(every_broken_file_gets_a_verdict) {
    vd_err err = { 0 };
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_codec *c = NULL;
    tally a = { 0 };
    char root[1024];
    double worst = 0;
    long peak = 0;
    if (t_shared() == NULL) T_SKIP("no folder of test data");
    snprintf(root, sizeof root, "%s/broken", t_shared());
    if (access(root, R_OK) != 0) T_SKIP("no %s", root);
    /* 80 MP: decompression bombs above are refused by their header, some below are really decoded
     */
    opt.max_pixels = 80000000;
    opt.max_memory_bytes = (int64_t)1500 << 20;
    opt.timeout_s = 30;
    T_OK(vd_codec_new(&c, NULL, &err));
    nftw(root, add, 16, FTW_PHYS);
    char *text = list.data;
    for (char *path = text != NULL ? strtok(text, "\n") : NULL; path != NULL;
         path = strtok(NULL, "\n")) {
        char *data = NULL;
        size_t n = 0;
        uint8_t *in = NULL;
        vd_media m = { 0 };
        T_OK(vd_file_read(&data, &n, path, (size_t)1 << 30, &err));
        T_OK(vd_codec_input(c, n, &in, &err));
        memcpy(in, data, n);
        vd_mem_free(data);
        vd_source src = { path, -1, 0, (int64_t)n };
        double t0 = vd_time_mono_s();
        T_OK(vd_codec_decode(c, &src, &opt, on_frame, &a, &m, &err));
        worst = fmax(worst, vd_time_mono_s() - t0);
        a.files++;
        a.verdicts[m.verdict]++;
        if (m.verdict != VD_V_OK && m.reason[0] == '\0')
            T_FAIL("%s: a verdict without a reason", path);
        if ((m.verdict == VD_V_OK || m.verdict == VD_V_TOO_LARGE) && m.width < 1)
            T_FAIL("%s: %s without a size", path, vd_verdict_name(m.verdict));
        if (vd_codec_test_pid(c) > 0) peak = VD_MAX(peak, peak_kb(vd_codec_test_pid(c)));
    }
    T_TRUE(a.files >= 1500);
    T_TRUE(a.verdicts[VD_V_TRUNCATED] > 100);
    T_LT(worst, opt.timeout_s + 10);
    fprintf(stderr, "%d files, slowest %.1f s, child's peak %ld MB:", a.files, worst, peak >> 10);
    for (int i = 0; i <= VD_V_NOT_AN_IMAGE; i++)
        fprintf(stderr, " %s %d", vd_verdict_name(i), a.verdicts[i]);
    fputc('\n', stderr);
    vd_str_reset(&list);
    vd_codec_free(c);
}
