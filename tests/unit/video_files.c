/* Videos: what is delivered when, from files made here (every frame says its number) and real ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "unit/tmpdir.h"
#include "unit/video_make.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "video/video.h"

#define MAX 3000

typedef struct seen {
    int n;
    double time[MAX];
    int number[MAX];    /* what the colour says */
    uint64_t hash[MAX]; /* of all planes */
    vd_media media;
    vd_frame frame;
    double seconds;
} seen;

/* The frame's number from the mean of its upper left corner. */
static int number_of(const vd_frame *f, uint8_t *const dst[3]) {
    if (f->format != VD_PIX_YCC8 || f->width < 16) return -1;
    double y = 0, cb = 0;
    for (int i = 0; i < 64; i++) {
        y += dst[0][(i / 8) * f->plane[0].stride + i % 8];
        cb += dst[1][(i / 8 / 2) * f->plane[1].stride + i % 8 / 2];
    }
    y = y / 64 * 219 / 255 + 16;
    cb = (cb / 64 - 128) * 224 / 255 + 128;
    return (int)lrint((y - 20) / 4) + 50 * (int)lrint((cb - 64) / 16);
}

static vd_status collect(const vd_video_input *in, const vd_decode_opt *opt, seen *s, vd_err *err) {
    vd_status st;
    vd_video *v = NULL;
    uint8_t *px = NULL;
    double t0 = vd_time_mono_s();
    s->n = 0;
    vd_media_init(&s->media);
    VD_TRY(vd_video_open(&v, in, opt, &s->media, err));
    if (v == NULL) return VD_OK;
    for (;;) {
        vd_video_frame f;
        bool found;
        VD_GO(vd_video_next(v, &f, &found, err));
        if (!found) break;
        uint8_t *dst[3] = { 0 };
        ptrdiff_t stride[3] = { 0 };
        size_t size = 0;
        for (int i = 0; i < 3; i++) {
            stride[i] = f.frame.plane[i].stride;
            size += (size_t)stride[i] * (size_t)f.frame.plane[i].height;
        }
        uint8_t *more = vd_mem_realloc(px, size);
        if (more == NULL) VD_GO(vd_nomem(err));
        px = more;
        for (size_t i = 0, at = 0; i < 3; i++) {
            dst[i] = px + at;
            at += (size_t)stride[i] * (size_t)f.frame.plane[i].height;
        }
        VD_GO(vd_video_write(v, dst, stride, err));
        if (s->n < MAX) {
            s->time[s->n] = f.time_s;
            s->number[s->n] = number_of(&f.frame, dst);
            s->hash[s->n] = vd_hash64(px, size);
            s->frame = f.frame;
            if (f.index != s->n) abort();
            s->n++;
        }
    }
    vd_video_verdict(v, &s->media);
    st = VD_OK;
done:
    s->seconds = vd_time_mono_s() - t0;
    vd_mem_free(px);
    vd_video_free(v);
    return st;
}

static vd_status collect_file(const char *path, vd_sampling sampling, double interval_s, seen *s,
                              vd_err *err) {
    vd_decode_opt o = VD_DECODE_OPT;
    o.sampling = sampling;
    o.interval_s = interval_s;
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0) return vd_fail(err, VD_E_IO, "%s", path);
    vd_video_input in = { path, NULL, fd, 0, st.st_size, NULL, NULL };
    vd_status r = collect(&in, &o, s, err);
    close(fd);
    return r;
}

static seen a, b;

static const struct {
    const char *file;
    enum AVCodecID codec;
    int gop, b_frames;
} made[] = {
    { "mpeg4.mp4", AV_CODEC_ID_MPEG4, 12, 2 },     { "mpeg4.mkv", AV_CODEC_ID_MPEG4, 40, 2 },
    { "mpeg4.avi", AV_CODEC_ID_MPEG4, 25, 0 },     { "ffv1.mkv", AV_CODEC_ID_FFV1, 1, 0 },
    { "mpeg2.ts", AV_CODEC_ID_MPEG2VIDEO, 15, 2 }, { "mjpeg.mov", AV_CODEC_ID_MJPEG, 1, 0 },
    { "raw.avi", AV_CODEC_ID_RAWVIDEO, 1, 0 },     { "h264.mp4", AV_CODEC_ID_H264, 30, 3 },
    { "vp8.webm", AV_CODEC_ID_VP8, 30, 0 },
};

static t_video recipe(const char *path, int i) {
    return (t_video){ .path = path,
                      .codec = made[i].codec,
                      .pix = made[i].codec == AV_CODEC_ID_MJPEG ? AV_PIX_FMT_YUVJ420P
                                                                : AV_PIX_FMT_YUV420P,
                      .width = 96,
                      .height = 64,
                      .fps = 25,
                      .n_frames = 260,
                      .gop = made[i].gop,
                      .b_frames = made[i].b_frames };
}

T(video_delivers_every_frame_with_its_time_and_colour) {
    t_dir d = t_dir_new();
    for (int i = 0; i < VD_COUNT(made); i++) {
        vd_err err = { 0 };
        t_video v = recipe(t_dir_at(&d, made[i].file), i);
        if (!t_video_write(&v)) continue;
        T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
        bool wrong = a.n != v.n_frames || a.media.verdict != VD_V_OK;
        bool jpeg = v.pix == AV_PIX_FMT_YUVJ420P; /* full range: the number reads differently */
        for (int k = 0; k < a.n; k++)
            wrong |= fabs(a.time[k] - k / 25.0) > 0.0006 || (!jpeg && a.number[k] != k);
        if (wrong)
            T_FAIL("%s: %d frames, %s %s", made[i].file, a.n, a.media.reason, a.media.detail);
        T_EQ(a.media.n_frames, 260);
        T_EQ(a.media.width, 96);
        T_EQ(a.media.height, 64);
        T_NEAR(a.media.fps, 25, 0.01);
    }
    t_dir_free(&d);
}

/* The rule of video.h, applied to the times of all frames. */
static int by_rule(const seen *all, double interval, int out[MAX]) {
    int n = 0, k = 0;
    for (int i = 0; i < all->n; i++) {
        if (all->time[i] < k * interval - 0.001) continue;
        out[n++] = i;
        k = (int)floor((all->time[i] + 0.001) / interval) + 1;
    }
    return n;
}

static void expect_interval(t_case *t, const char *path, const seen *all, double interval) {
    vd_err err = { 0 };
    static int rule[MAX];
    T_OK(collect_file(path, VD_SAMPLE_INTERVAL, interval, &b, &err));
    int n = by_rule(all, interval, rule), bad = b.n != n;
    for (int i = 0; i < n && i < b.n; i++)
        bad += fabs(b.time[i] - all->time[rule[i]]) > 1e-9 || b.hash[i] != all->hash[rule[i]];
    if (bad) T_FAIL("%s every %g s: %d frames, expected %d, %d wrong", path, interval, b.n, n, bad);
    if (b.media.verdict != all->media.verdict) T_FAIL("%s: %s", path, b.media.detail);
}

T(video_interval_gives_the_same_pixels_as_decoding_all) {
    static const double intervals[] = { 0.1, 0.5, 1, 1.7, 3, 9, 100 };
    t_dir d = t_dir_new();
    for (int i = 0; i < VD_COUNT(made); i++) {
        vd_err err = { 0 };
        t_video v = recipe(t_dir_at(&d, made[i].file), i);
        if (!t_video_write(&v)) continue;
        T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
        for (int k = 0; k < VD_COUNT(intervals); k++) expect_interval(t, v.path, &a, intervals[k]);
    }
    t_dir_free(&d);
}

T(video_key_frames_lie_where_the_encoder_put_them) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = recipe(t_dir_at(&d, "k.mp4"), 0);
    v.b_frames = 0;
    T_NEED(t_video_write(&v));
    T_OK(collect_file(v.path, VD_SAMPLE_KEY, 1, &a, &err));
    T_EQ(a.n, (260 + 11) / 12);
    for (int i = 0; i < a.n; i++) T_EQ(a.number[i], 12 * i);
    t_dir_free(&d);
}

T(video_metadata_rotation_time_and_place) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    static const int turns[][2] = { { 90, 6 }, { 180, 3 }, { -90, 8 } };
    for (int i = 0; i < 3; i++) {
        t_video v = recipe(t_dir_at(&d, "m.mov"), 0);
        v.n_frames = 5;
        v.rotation_deg = turns[i][0];
        v.flags = "use_metadata_tags";
        const char *tags[8] = { "creation_time",
                                "2021-03-04T05:06:07.250000Z",
                                "com.apple.quicktime.location.ISO6709",
                                "-37.3349+122.0090-030.5/",
                                "com.apple.quicktime.make",
                                "Apple",
                                "com.apple.quicktime.model",
                                "iPhone" };
        memcpy(v.tags, tags, sizeof tags);
        T_NEED(t_video_write(&v));
        T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
        T_EQ(a.media.orientation, turns[i][1]);
        T_EQ(a.frame.orientation, turns[i][1]);
        T_EQ(a.media.width, turns[i][1] >= 5 ? 64 : 96);
        T_EQ(a.frame.width, 96);
        T_TRUE(vd_str_starts(a.media.taken_at, "2021-03-04T05:06:07"));
        T_TRUE(vd_str_ends(a.media.taken_at, "Z"));
        T_NEAR(a.media.latitude_deg, -37.3349, 1e-9);
        T_NEAR(a.media.longitude_deg, 122.0090, 1e-9);
        T_NEAR(a.media.altitude_m, -30.5, 1e-9);
        T_STR(a.media.make, "Apple");
        T_STR(a.media.model, "iPhone");
        T_STR(a.media.format, "mov");
        T_STR(a.media.codec, "mpeg4");
        T_STR(a.media.chroma, "4:2:0");
        T_EQ(a.media.bits, 8);
        T_EQ(a.media.kind, VD_KIND_VIDEO);
    }
    t_dir_free(&d);
}

T(video_time_of_apple_keeps_its_zone) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    static const char *const times[][2] = {
        { "2020-05-01T12:20:30+0200", "2020-05-01T12:20:30+02:00" },
        { "2020-05-01T12:20:30.5-09:30", "2020-05-01T12:20:30.5-09:30" },
        { "2020-05-01 12:20:30", "2020-05-01T12:20:30" },
        { "1904-01-01T00:00:00Z", "" },
        { "2020-13-01T00:00:00Z", "" },
    };
    for (int i = 0; i < VD_COUNT(times); i++) {
        t_video v = recipe(t_dir_at(&d, "m.mov"), 0);
        v.n_frames = 3;
        v.flags = "use_metadata_tags";
        v.tags[0] = "com.apple.quicktime.creationdate";
        v.tags[1] = times[i][0];
        T_NEED(t_video_write(&v));
        T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
        T_STR(a.media.taken_at, times[i][1]);
    }
    t_dir_free(&d);
}

T(video_plays_in_place_inside_another_file) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = recipe(t_dir_at(&d, "x.mp4"), 0);
    T_NEED(t_video_write(&v));
    T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
    char *data = NULL;
    size_t n;
    T_OK(vd_file_read(&data, &n, v.path, 1 << 24, &err));
    vd_str both = { 0 };
    for (int i = 0; i < 1536; i++) vd_str_addc(&both, 'T');
    vd_str_addn(&both, data, (int64_t)n);
    for (int i = 0; i < 700; i++) vd_str_addc(&both, 'T');
    t_dir_put(&d, "x.tar", both.data, (size_t)both.size);
    int fd = open(t_dir_at(&d, "x.tar"), O_RDONLY);
    vd_decode_opt o = VD_DECODE_OPT;
    o.sampling = VD_SAMPLE_EVERY;
    for (int memory = 0; memory < 2; memory++) {
        vd_video_input in = { "x.mp4",
                              memory ? (const uint8_t *)data : NULL,
                              memory ? -1 : fd,
                              memory ? 0 : 1536,
                              (int64_t)n,
                              NULL,
                              NULL };
        T_OK(collect(&in, &o, &b, &err));
        T_EQ(b.n, a.n);
        T_EQ(memcmp(a.hash, b.hash, sizeof a.hash[0] * (size_t)a.n), 0);
        T_EQ(b.media.verdict, VD_V_OK);
    }
    close(fd);
    vd_mem_free(data);
    vd_str_reset(&both);
    t_dir_free(&d);
}

T(video_cut_short_is_truncated_and_gives_what_came) {
    t_dir d = t_dir_new();
    for (int i = 0; i < 3; i++) {
        vd_err err = { 0 };
        t_video v = recipe(t_dir_at(&d, made[i].file), i);
        v.flags = i == 0 ? "faststart" : NULL;
        T_NEED(t_video_write(&v));
        struct stat s;
        stat(v.path, &s);
        T_EQ(truncate(v.path, s.st_size * 6 / 10), 0);
        T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
        if (a.media.verdict != VD_V_TRUNCATED || a.n < 120 || a.n > 190)
            T_FAIL("%s: verdict %d, %d frames, %s", made[i].file, a.media.verdict, a.n,
                   a.media.detail);
        T_EQ(a.media.offset, s.st_size * 6 / 10);
        T_NEAR(a.media.decoded_percent, 60, 15);
        /* the last packet is cut, and what refers to it suffers */
        for (int k = 0; k < a.n - 4; k++) T_EQ(a.number[k], k);
    }
    vd_err err = { 0 };
    t_video v = recipe(t_dir_at(&d, "tail.mp4"), 0); /* its index is at the end: nothing comes */
    T_NEED(t_video_write(&v));
    T_EQ(truncate(v.path, 20000), 0);
    T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
    T_EQ(a.n, 0);
    T_EQ(a.media.verdict, VD_V_UNREADABLE);
    T_EQ(a.media.kind, VD_KIND_VIDEO);
    T_STR(a.media.reason, "no_index");
    t_dir_free(&d);
}

T(video_damaged_in_the_middle_is_corrupt_with_an_offset) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = recipe(t_dir_at(&d, "c.mp4"), 0);
    v.flags = "faststart";
    T_NEED(t_video_write(&v));
    struct stat s;
    stat(v.path, &s);
    int fd = open(v.path, O_RDWR);
    uint8_t junk[600];
    memset(junk, 0xff, sizeof junk);
    T_EQ(pwrite(fd, junk, sizeof junk, s.st_size / 2), sizeof junk);
    close(fd);
    T_OK(collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &err));
    T_EQ(a.media.verdict, VD_V_CORRUPT);
    T_TRUE(a.n > 240);
    T_TRUE(llabs(a.media.offset - s.st_size / 2) < 20000);
    t_dir_free(&d);
}

T(video_tells_audio_text_and_playlists_apart) {
    vd_err err = { 0 };
    vd_decode_opt o = VD_DECODE_OPT;
    uint8_t wav[44 + 8000] =
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data";
    wav[4] = (uint8_t)(36 + 8000), wav[5] = (36 + 8000) >> 8;
    wav[40] = (uint8_t)8000, wav[41] = 8000 >> 8;
    vd_video_input in = { "a.wav", wav, -1, 0, sizeof wav, NULL, NULL };
    T_OK(collect(&in, &o, &a, &err));
    T_EQ(a.media.kind, VD_KIND_AUDIO);
    T_EQ(a.media.verdict, VD_V_NOT_AN_IMAGE);
    T_STR(a.media.format, "wav");
    T_NEAR(a.media.duration_s, 0.5, 1e-6);
    static const char *const others[] = {
        "",
        "x",
        "just some text\nwith lines\n",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
        "\x89PNG\r\n\x1a\n",
        "1\n00:00:01,000 --> 00:00:02,000\nsubtitle\n\n2\n00:00:03,000 --> 00:00:04,000\nmore\n",
    };
    for (int i = 0; i < VD_COUNT(others); i++) {
        in = (vd_video_input){ "a", (const uint8_t *)others[i], -1,
                               0,   (int64_t)strlen(others[i]), NULL,
                               NULL };
        T_OK(collect(&in, &o, &a, &err));
        if (a.media.verdict != VD_V_NOT_AN_IMAGE || a.media.kind != VD_KIND_OTHER)
            T_FAIL("case %d: %d %s", i, a.media.verdict, a.media.detail);
    }
}

T(video_limits_and_wrong_extensions) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = recipe(t_dir_at(&d, "x.mp4"), 0);
    v.n_frames = 10;
    T_NEED(t_video_write(&v));
    struct stat s;
    stat(v.path, &s);
    int fd = open(v.path, O_RDONLY);
    vd_video_input in = { "x.mp4", NULL, fd, 0, s.st_size, NULL, NULL };
    vd_decode_opt o = VD_DECODE_OPT;
    o.max_pixels = 96 * 64 - 1;
    T_OK(collect(&in, &o, &a, &err));
    T_EQ(a.media.verdict, VD_V_TOO_LARGE);
    T_EQ(a.media.width, 96);
    T_EQ(a.n, 0);
    o.max_pixels++;
    static const struct {
        const char *name;
        vd_verdict verdict;
    } names[] = { { "x.jpg", VD_V_WRONG_EXTENSION },
                  { "x.mkv", VD_V_WRONG_EXTENSION },
                  { "x", VD_V_OK },
                  { "x.MOV", VD_V_OK },
                  { "x.bak", VD_V_OK },
                  { "x.m4v", VD_V_OK } };
    for (int i = 0; i < VD_COUNT(names); i++) {
        in.name = names[i].name;
        T_OK(collect(&in, &o, &a, &err));
        T_EQ(a.media.verdict, names[i].verdict);
        T_EQ(a.n, 1);
    }
    o.want_pixels = false;
    T_OK(collect(&in, &o, &a, &err));
    T_EQ(a.n, 0);
    T_EQ(a.media.n_frames, 10);
    T_NEAR(a.media.duration_s, 0.4, 0.001);
    close(fd);
    t_dir_free(&d);
}

T(video_survives_refused_allocations) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    t_video v = recipe(t_dir_at(&d, "x.mp4"), 0);
    v.n_frames = 10;
    T_NEED(t_video_write(&v));
    (void)err;
    int64_t before = vd_mem_live();
    for (int n = 0;; n++) {
        vd_err e = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = collect_file(v.path, VD_SAMPLE_EVERY, 1, &a, &e);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(vd_mem_live(), before);
        if (!hit) break;
    }
    t_dir_free(&d);
}

/* Frames and times of the reference hash lists (frame,quality,hash,seconds). */
T(video_tmk_frames_and_times_match_the_reference) {
    const char *root = t_shared();
    if (root == NULL) T_SKIP("no shared data");
    static const char *const names[] = { "chair-22-sd-grey-bar", "chair-orig-22-sd-bar",
                                         "doorknob-hd-no-bar", "pattern-sd-grey-bar",
                                         "pattern-sd-with-large-logo-bar" };
    for (int i = 0; i < VD_COUNT(names); i++) {
        vd_err err = { 0 };
        char path[512];
        snprintf(path, sizeof path, "%s/neardup/tmk-video/%s.mp4", root, names[i]);
        T_OK(collect_file(path, VD_SAMPLE_EVERY, 1, &a, &err));
        T_EQ(a.media.verdict, VD_V_OK);
        snprintf(path, sizeof path, "%s/neardup/tmk-video/%s.txt", root, names[i]);
        FILE *f = fopen(path, "r");
        T_NEED(f != NULL);
        int n = 0, late = 0, frame, quality;
        char hash[80];
        double s;
        while (fscanf(f, "%d,%d,%79[^,],%lf", &frame, &quality, hash, &s) == 4) {
            late += n < a.n && fabs(a.time[n] - s) > 0.02;
            n++;
        }
        fclose(f);
        T_EQ(a.n, n);
        T_EQ(late, 0);
        fprintf(stderr, "%s: %d frames %dx%d, %.0f frames/s\n", names[i], a.n, a.media.width,
                a.media.height, a.n / a.seconds);
        snprintf(path, sizeof path, "%s/neardup/tmk-video/%s.mp4", root, names[i]);
        expect_interval(t, path, &a, 1);
        expect_interval(t, path, &a, 5);
    }
}

T(video_real_clips_by_interval_equal_decoding_all) {
    const char *root = t_shared();
    if (root == NULL) T_SKIP("no shared data");
    static const struct {
        const char *name;
        int w, h;
        double fps;
    } clips[] = { { "car-detection.mp4", 768, 432, 12.5 },
                  { "bottle-detection.mp4", 640, 360, NAN },
                  { "Big_Buck_Bunny_360_10s_1MB.mp4", 640, 360, 30 },
                  { "bird.mkv", 640, 480, NAN },
                  { "eat.mkv", 640, 480, NAN },
                  { "walk.mkv", 640, 480, NAN } };
    for (int i = 0; i < VD_COUNT(clips); i++) {
        vd_err err = { 0 };
        char path[512];
        snprintf(path, sizeof path, "%s/video/%s", root, clips[i].name);
        T_OK(collect_file(path, VD_SAMPLE_EVERY, 1, &a, &err));
        T_EQ(a.media.verdict, VD_V_OK);
        T_EQ(a.media.width, clips[i].w);
        T_EQ(a.media.height, clips[i].h);
        if (!isnan(clips[i].fps)) T_NEAR(a.media.fps, clips[i].fps, 0.01);
        T_TRUE(a.n > 20);
        static const double intervals[] = { 0.3, 1, 4 };
        for (int k = 0; k < 3; k++) {
            expect_interval(t, path, &a, intervals[k]);
            if (k == 1)
                fprintf(stderr, "%s: %s in %s, %d frames, all %.0f frames/s; 1 s: %d in %.3f s\n",
                        clips[i].name, a.media.codec, a.media.format, a.n, a.n / a.seconds, b.n,
                        b.seconds);
        }
    }
}
