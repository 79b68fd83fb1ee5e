/* PDQ of video frames against published per-frame hashes, decoded by the product's own codec
 * process. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "image/codec.h"
#include "measure/measure.h"

/* The hashes of frames 0 .. n-1, and those we made. */
typedef struct video_case {
    vd_measure *measure;
    FILE *reference;
    int frames, good, equal, near, worst;
} video_case;

static vd_status on_frame(void *user, const vd_frame *frame, const vd_media *media, int64_t index,
                          double time_s, vd_err *err) {
    video_case *c = user;
    char line[200], hex[80];
    uint64_t want[4];
    vd_metrics m;
    vd_pdq got;
    int number = -1, quality = 0, d = 0;
    (void)media;
    (void)time_s;
    VD_TRY(vd_measure_frame(&m, &got, c->measure, frame, err));
    if (fgets(line, sizeof line, c->reference) == NULL ||
        sscanf(line, "%d,%d,%64[0-9a-f]", &number, &quality, hex) != 3 ||
        !vd_pdq_parse(want, hex) || number != index)
        return vd_fail(err, VD_E_FORMAT, "reference frame %d, ours %lld", number, (long long)index);
    for (int k = 0; k < 4; k++) d += __builtin_popcountll(got.hash[k] ^ want[k]);
    c->frames++;
    if (quality < 80) return VD_OK;
    c->good++;
    c->equal += d == 0;
    c->near += d <= 10;
    c->worst = VD_MAX(c->worst, d);
    return VD_OK;
}

static void check(t_case *t, const char *name, int frames) {
    char path[600];
    vd_codec *codec = NULL;
    video_case c = { 0 };
    vd_media media;
    vd_err err = { 0 };
    struct stat info;
    snprintf(path, sizeof path, "%s/neardup/tmk-video/%s.txt", t_shared(), name);
    c.reference = fopen(path, "r");
    snprintf(path, sizeof path, "%s/neardup/tmk-video/%s.mp4", t_shared(), name);
    int fd = open(path, O_RDONLY);
    T_NEED(c.reference != NULL && fd >= 0 && fstat(fd, &info) == 0);
    T_OK(vd_measure_new(&c.measure, &err));
    T_OK(vd_codec_new(&codec, NULL, &err));
    vd_source src = { .name = path, .fd = fd, .offset = 0, .size = info.st_size };
    vd_decode_opt opt = VD_DECODE_OPT;
    opt.sampling = VD_SAMPLE_EVERY;
    T_OK(vd_codec_decode(codec, &src, &opt, on_frame, &c, &media, &err));
    fprintf(stderr,
            "  %-24s %d frames, %d of quality >= 80: %d identical, %d within 10, worst %d\n", name,
            c.frames, c.good, c.equal, c.near, c.worst);
    T_EQ(c.frames, frames);
    T_EQ(c.near, c.good);
    vd_codec_free(codec);
    vd_measure_free(c.measure);
    fclose(c.reference);
    close(fd);
}

T(frames_match_the_published_hashes) {
    if (t_shared() == NULL) T_SKIP("no folder of real files");
    check(t, "doorknob-hd-no-bar", 120);
    check(t, "pattern-sd-grey-bar", 206);
}
