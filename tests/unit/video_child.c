/* Videos and lossless JPEG through the supervised process vidimus-video.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "unit/tmpdir.h"
#include "unit/video_make.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/codec.h"

typedef struct record {
    int n, bad;
    double last_s;
} record;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    (void)err;
    record *r = user;
    double y = 0;
    for (int i = 0; i < 64; i++) y += f->plane[0].data[(i / 8) * f->plane[0].stride + i % 8];
    int want = t_video_luma((int)lrint(time_s * 25));
    r->bad += index != r->n || m->kind != VD_KIND_VIDEO || f->format != VD_PIX_YCC8 ||
              f->plane[1].width != 48 || fabs(y / 64 * 219 / 255 + 16 - want) > 1.5;
    r->n++;
    r->last_s = time_s;
    return VD_OK;
}

T(child_delivers_the_frames_of_a_video_inside_a_tar) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = { .path = t_dir_at(&d, "x.mp4"),
                  .codec = AV_CODEC_ID_MPEG4,
                  .pix = AV_PIX_FMT_YUV420P,
                  .width = 96,
                  .height = 64,
                  .fps = 25,
                  .n_frames = 130,
                  .gop = 12 };
    T_NEED(t_video_write(&v));
    char *data = NULL;
    size_t n;
    T_OK(vd_file_read(&data, &n, v.path, 1 << 24, &err));
    vd_str both = { 0 };
    for (int i = 0; i < 1024; i++) vd_str_addc(&both, 'T');
    vd_str_addn(&both, data, (int64_t)n);
    t_dir_put(&d, "x.tar", both.data, (size_t)both.size);
    int fd = open(t_dir_at(&d, "x.tar"), O_RDONLY);
    vd_codec *c = NULL;
    T_OK(vd_codec_new(&c, NULL, &err));
    vd_source src = { "x.mp4", fd, 1024, (int64_t)n };
    vd_decode_opt o = VD_DECODE_OPT;
    vd_media m;
    record r = { 0 };
    T_OK(vd_codec_decode(c, &src, &o, on_frame, &r, &m, &err));
    T_EQ(m.verdict, VD_V_OK);
    T_STR(m.format, "mp4");
    T_STR(m.codec, "mpeg4");
    T_EQ(r.n, 6); /* 5.2 s */
    T_EQ(r.bad, 0);
    T_NEAR(r.last_s, 5.0, 1e-6);
    o.sampling = VD_SAMPLE_EVERY;
    r = (record){ 0 };
    T_OK(vd_codec_decode(c, &src, &o, on_frame, &r, &m, &err));
    T_EQ(r.n, 130);
    T_EQ(r.bad, 0);
    vd_codec_free(c);
    close(fd);
    vd_mem_free(data);
    vd_str_reset(&both);
    t_dir_free(&d);
}
