/* COLMAP's models: what pycolmap wrote, round trips in both forms, what is refused and with which
 * words, folders. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/path.h"
#include "recon/colmap.h"
#include "unit/model_make.h"
#include "unit/tmpdir.h"

typedef struct texts {
    vd_str part[VD_COLMAP_PARTS];
} texts;

static const char *const name[VD_COLMAP_PARTS] = { "cameras", "images", "points3D" };

static void reset(texts *x) {
    for (int i = 0; i < VD_COLMAP_PARTS; i++) vd_str_reset(&x->part[i]);
}

static vd_status parse(vd_model *out, vd_colmap_form form, const texts *x, vd_err *err) {
    vd_colmap_part part[VD_COLMAP_PARTS];
    for (int i = 0; i < VD_COLMAP_PARTS; i++)
        part[i] = (vd_colmap_part){ name[i], vd_str_text(&x->part[i]), (size_t)x->part[i].size };
    return vd_colmap_parse(out, form, part, err);
}

static bool same_bytes(const texts *a, const texts *b) {
    for (int i = 0; i < VD_COLMAP_PARTS; i++)
        if (a->part[i].size != b->part[i].size ||
            memcmp(vd_str_text(&a->part[i]), vd_str_text(&b->part[i]), (size_t)a->part[i].size) !=
                0)
            return false;
    return true;
}

/* A file of the corpus: two lengths, then the three files. */
static bool golden(texts *x, const char *form) {
    char path[1024], *data = NULL;
    size_t size = 0;
    uint32_t n[2];
    snprintf(path, sizeof path, "%s/%s/pycolmap", VD_FUZZ_CORPUS, form);
    if (vd_file_read(&data, &size, path, 1 << 16, NULL) != VD_OK) return false;
    memcpy(n, data, 8);
    vd_str_addn(&x->part[0], data + 8, n[0]);
    vd_str_addn(&x->part[1], data + 8 + n[0], n[1]);
    vd_str_addn(&x->part[2], data + 8 + n[0] + n[1], (int64_t)size - 8 - n[0] - n[1]);
    vd_mem_free(data);
    return true;
}

/* What tests/recon/make_corpus.py put in. */
static void check_golden(t_case *t, const vd_model *m) {
    T_EQ(m->n_cameras, 2);
    T_EQ(m->camera_ids[1], 3);
    T_EQ(m->cameras[1].model, VD_CAMERA_SIMPLE_RADIAL);
    T_EQ(m->cameras[1].width, 640);
    T_NEAR(m->cameras[1].params[3], -0.0625, 0);
    T_EQ(m->cameras[0].model, VD_CAMERA_OPENCV_FISHEYE);
    T_NEAR(m->cameras[0].params[7], 0.1, 0);
    T_EQ(m->n_images, 3);
    const vd_model_image *v = &m->images[1];
    T_EQ(v->id, 5);
    T_EQ(v->camera, 0);
    T_STR(v->name, "folder/a photo 5.jpg");
    T_NEAR(v->cam_from_world.q.y, sin(0.5), 1e-16);
    T_NEAR(v->cam_from_world.q.w, cos(0.5), 1e-16);
    T_NEAR(v->cam_from_world.t.y, -1. / 3, 0);
    T_EQ(v->n, 5);
    T_NEAR(v->uv[2 * 3], 13.5, 0);
    T_NEAR(v->uv[2 * 3 + 1], 101.25, 0);
    T_EQ(v->point[2], -1);
    T_EQ(v->point[3], 3);
    T_EQ(m->n_points, 4);
    T_NEAR(m->xyz[3 * 3], 3. / 7, 1e-16);
    T_EQ(m->rgb[3 * 3], 3);
    T_EQ(m->rgb[3 * 3 + 2], 255);
    T_EQ(m->track_start[4], 10);
    T_EQ(m->track_image[2], 2); /* the order of the file: 9, 2, 5 */
    T_EQ(m->track_image[3], 0);
    T_EQ(m->track_keypoint[9], 3);
}

T(what_pycolmap_wrote) {
    static const char *const form_name[] = { "colmap_bin", "colmap_text" };
    for (int form = VD_COLMAP_BINARY; form <= VD_COLMAP_TEXT; form++) {
        texts x = { 0 }, again = { 0 };
        vd_model m = { 0 };
        vd_err err = { 0 };
        T_NEED(golden(&x, form_name[form]));
        T_OK(parse(&m, (vd_colmap_form)form, &x, &err));
        check_golden(t, &m);
        vd_model_stats s = vd_model_stats_of(&m);
        T_NEAR(s.mean_error_px, 431.8898104727106, 1e-9); /* what pycolmap says */
        T_NEAR(s.mean_observations_per_image, 10. / 3, 1e-15);
        T_NEAR(s.mean_track_length, 2.5, 0);
        double theirs[4];
        memcpy(theirs, m.error_px, sizeof theirs);
        vd_model_update_errors(&m);
        for (int i = 0; i < 4; i++) T_NEAR(m.error_px[i], theirs[i], 1e-9 * theirs[i]);
        memcpy(m.error_px, theirs, sizeof theirs);
        T_OK(vd_colmap_emit(again.part, &m, (vd_colmap_form)form, &err));
        if (form == VD_COLMAP_BINARY) T_TRUE(same_bytes(&x, &again));
        reset(&x);
        reset(&again);
        vd_model_reset(&m);
    }
}

/* Every camera model; ids with gaps, out of order; doubles with all their bits. */
T(round_trips_are_exact) {
    vd_rng r = t_rng(t);
    vd_model m;
    vd_err err = { 0 };
    t_model_make(&m, &r, VD_CAMERA_MODELS, 0, 22, 200);
    m.error_px[3] = -1;
    m.images[4].uv[0] = -0.0;
    m.xyz[0] = 5e-324;
    for (int form = VD_COLMAP_BINARY; form <= VD_COLMAP_TEXT; form++) {
        texts a = { 0 }, b = { 0 }, bin_a = { 0 }, bin_b = { 0 };
        vd_model back = { 0 };
        T_OK(vd_colmap_emit(a.part, &m, (vd_colmap_form)form, &err));
        T_OK(parse(&back, (vd_colmap_form)form, &a, &err));
        T_OK(vd_colmap_emit(b.part, &back, (vd_colmap_form)form, &err));
        T_TRUE(same_bytes(&a, &b));
        T_OK(vd_colmap_emit(bin_a.part, &m, VD_COLMAP_BINARY, &err));
        T_OK(vd_colmap_emit(bin_b.part, &back, VD_COLMAP_BINARY, &err));
        T_TRUE(same_bytes(&bin_a, &bin_b));
        T_EQ(back.n_points, 200);
        reset(&a);
        reset(&b);
        reset(&bin_a);
        reset(&bin_b);
        vd_model_reset(&back);
    }
    vd_model_reset(&m);
}

/* Ids too far apart for a table, and the largest there are. */
T(sparse_ids) {
    vd_rng r = t_rng(t);
    vd_model m, back = { 0 };
    vd_err err = { 0 };
    texts x = { 0 };
    t_model_make(&m, &r, 2, 0, 4, 20);
    m.point_ids[0] = INT64_MAX - 1;
    m.images[1].id = 4294967294;
    m.camera_ids[1] = 4294967294;
    T_OK(vd_colmap_emit(x.part, &m, VD_COLMAP_BINARY, &err));
    T_OK(parse(&back, VD_COLMAP_BINARY, &x, &err));
    T_EQ(back.point_ids[0], INT64_MAX - 1);
    T_EQ(back.images[1].id, 4294967294);
    T_EQ(back.images[1].camera, 1);
    vd_model_reset(&back);
    vd_model_reset(&m);
    reset(&x);
}

T(empty_model) {
    texts x = { 0 };
    vd_model m = { 0 }, back = { 0 };
    vd_err err = { 0 };
    for (int form = VD_COLMAP_BINARY; form <= VD_COLMAP_TEXT; form++) {
        T_OK(vd_colmap_emit(x.part, &m, (vd_colmap_form)form, &err));
        T_OK(parse(&back, (vd_colmap_form)form, &x, &err));
        T_EQ(back.n_images + back.n_cameras + back.n_points, 0);
        vd_model_reset(&back);
        reset(&x);
    }
}

/* ---- text ---- */

static vd_status parse_text(vd_model *m, const char *cameras, const char *images,
                            const char *points, vd_err *err) {
    texts x = { 0 };
    vd_str_add(&x.part[0], cameras);
    vd_str_add(&x.part[1], images);
    vd_str_add(&x.part[2], points);
    vd_status st = parse(m, VD_COLMAP_TEXT, &x, err);
    reset(&x);
    return st;
}

static const char CAMERA[] = "1 PINHOLE 64 48 50 50 32 24\n";
static const char IMAGE[] = "1 1 0 0 0 0 0 0 1 a.jpg\n1 2 -1\n";

T(text_as_people_edit_it) {
    vd_model m = { 0 };
    vd_err err = { 0 };
    T_OK(parse_text(
        &m, "# c\r\n\r\n  7\tSIMPLE_PINHOLE 64 48  50 32 24 \r\n",
        "# i\n\n3 2 0 0 0 1e0 -.5 +3 7   two words.jpg \r\n\r\n4 1 0 0 0 0 0 0 7 last.jpg",
        "# none\n", &err));
    T_EQ(m.n_images, 2);
    T_STR(m.images[0].name, "two words.jpg");
    T_NEAR(m.images[0].cam_from_world.q.w, 1, 0); /* 2 in the file */
    T_NEAR(m.images[0].cam_from_world.t.y, -0.5, 0);
    T_EQ(m.images[0].n, 0);
    T_STR(m.images[1].name, "last.jpg");
    vd_model_reset(&m);
}

T(text_says_where) {
    static const struct {
        const char *cameras, *images, *points, *says;
    } bad[] = {
        { "1 PINHOLE 64 48 50 50 32\n", IMAGE, "", "cameras:1: the line ends before camera param" },
        { "1 PINHOLE 64 48 50 50 32 24 9\n", IMAGE, "", "cameras:1: '9' after the end" },
        { "1 BLINDHOLE 64 48 50 50 32 24\n", IMAGE, "", "cameras:1: unknown camera model 'BLIND" },
        { "1 PINHOLE 0 48 50 50 32 24\n", IMAGE, "", "cameras:1: width 0 is outside 1 to" },
        { "1 PINHOLE 64 4e1 50 50 32 24\n", IMAGE, "", "height '4e1' is not a whole number" },
        { "1 PINHOLE 64 48 x 50 32 24\n", IMAGE, "", "'x' is not a finite number" },
        { "1 PINHOLE 64 48 nan 50 32 24\n", IMAGE, "", "'nan' is not a finite number" },
        { "1 PINHOLE 64 48 50 1e999 32 24\n", IMAGE, "", "'1e999' is not a finite number" },
        { "1 PINHOLE 64 48 -50 50 32 24\n", IMAGE, "", "camera 1: camera: focal length -50" },
        { "-1 PINHOLE 64 48 50 50 32 24\n", IMAGE, "", "camera id -1 is outside 0 to 4294967295" },
        { CAMERA, "1 1 0 0 0 0 0 0 2 a.jpg\n\n", "", "images: image 1 has camera 2, which is not" },
        { CAMERA, "1 1 0 0 0 0 0 0 1\n\n", "", "images:1: the line ends before the name" },
        { CAMERA, "1 0 0 0 0 0 0 0 1 a.jpg\n\n", "", "image 1 has a rotation of squared length 0" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a.jpg\n1 2\n", "",
          "images:2: 2 numbers, keypoints take three" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a.jpg\n1 2 8\n", "", "keypoint 0 sees point 8, which is not" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a.jpg\n1 2 1.5\n", "", "point id '1.5' is not a whole" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0\n", "points3D:1: 7 words, a point takes 8" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0 0 1\n", "points3D:1: 9 words, a point takes 8" },
        { CAMERA, IMAGE, "1 0 0 0 0 256 0 0\n", "points3D:1: colour 256 is outside 0 to 255" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0 0 1 0\n", "keypoint 0 of 'a.jpg', which belongs else" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0 0 1 3\n", "keypoint 3 of image 0, which is not there" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0 0 4 0\n", "points3D: a track has image 4, which is not" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a\n1 2 1\n", "1 0 0 0 0 0 0 0\n", "whose track lacks it" },
        { CAMERA, IMAGE, "1 0 0 0 0 0 0 0\n1 0 0 0 0 0 0 0\n", "two points have the id 1" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a\n\n1 1 0 0 0 0 0 0 1 b\n\n", "",
          "two images have the id 1" },
        { CAMERA, "1 1 0 0 0 0 0 0 1 a\n\n2 1 0 0 0 0 0 0 1 a\n\n", "",
          "two images are named 'a'" },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_model m = { 0 };
        vd_err err = { 0 };
        vd_status st = parse_text(&m, bad[i].cameras, bad[i].images, bad[i].points, &err);
        if (st == VD_OK || strstr(err.msg, bad[i].says) == NULL)
            T_FAIL("case %d: %d '%s', not '%s'", i, st, err.msg, bad[i].says);
        T_EQ(m.n_images, 0); /* untouched */
        vd_model_reset(&m);
    }
}

T(names_that_text_cannot_say) {
    static const char *const bad[] = { " a", "a ", "a\nb", "a\r", "\ta" };
    vd_rng r = t_rng(t);
    vd_model m, back = { 0 };
    t_model_make(&m, &r, 1, 1, 2, 5);
    for (int i = 0; i < VD_COUNT(bad); i++) {
        texts x = { 0 };
        vd_err err = { 0 };
        vd_mem_free(m.images[0].name);
        m.images[0].name = vd_mem_strdup(bad[i]);
        T_EQ(vd_colmap_emit(x.part, &m, VD_COLMAP_TEXT, &err), VD_E_UNSUPPORTED);
        reset(&x);
        err = (vd_err){ 0 };
        T_OK(vd_colmap_emit(x.part, &m, VD_COLMAP_BINARY, &err));
        T_OK(parse(&back, VD_COLMAP_BINARY, &x, &err));
        T_STR(back.images[0].name, bad[i]);
        vd_model_reset(&back);
        reset(&x);
    }
    vd_model_reset(&m);
}

/* ---- binary ---- */

/* Counts that no file could hold are refused before memory is asked for. */
T(counts_are_checked_against_the_file) {
    /* where the counts of the golden model lie: cameras; images, keypoints of the first; points,
     * the track of the first */
    static const struct {
        int part, at;
        const char *says;
    } counts[] = { { 0, 0, "cameras: byte 0: 65536 cameras, the 144 bytes that follow have room" },
                   { 1, 0, "images: byte 0: 65536 images, the " },
                   { 1, 93, "images: byte 93: 65536 keypoints, the " },
                   { 2, 0, "points3D: byte 0: 65536 points, the " },
                   { 2, 51, "points3D: byte 51: 65536 elements of a track, the " } };
    for (int i = 0; i < VD_COUNT(counts); i++)
        for (int huge = 0; huge < 2; huge++) {
            texts x = { 0 };
            vd_model m = { 0 };
            vd_err err = { 0 };
            const uint64_t n = huge ? UINT64_MAX : 65536;
            T_NEED(golden(&x, "colmap_bin"));
            memcpy(x.part[counts[i].part].data + counts[i].at, &n, 8);
            T_EQ(parse(&m, VD_COLMAP_BINARY, &x, &err), VD_E_FORMAT);
            if (!huge && strstr(err.msg, counts[i].says) == NULL)
                T_FAIL("'%s', not '%s'", err.msg, counts[i].says);
            reset(&x);
        }
}

T(binary_says_where) {
    static const struct {
        int part, at, n;
        uint8_t byte;
        vd_status st;
        const char *says;
    } bad[] = {
        { 0, 12, 4, 0x63, VD_E_UNSUPPORTED, "camera 1 has model 1667457891, known are 0 to 10" },
        { 0, 12, 4, 0xff, VD_E_UNSUPPORTED, "camera 1 has model -1" },
        { 0, 16, 8, 0x11, VD_E_LIMIT, "camera 1 of 1229782938247303441 x 600 pixels" },
        { 0, 16, 8, 0x00, VD_E_FORMAT, "camera 1: camera: size 0 x 600" },
        { 0, 8, 4, 0x03, VD_E_FORMAT, "images: image 5 has camera 1, which is not there" },
        { 1, 12, 32, 0xff, VD_E_FORMAT, "image 2 has a rotation of squared length" },
        { 1, 44, 8, 0xff, VD_E_FORMAT, "translation is not finite" },
        { 1, 72, 5, 0x00, VD_E_FORMAT, "images: " },
        { 2, 8, 8, 0xff, VD_E_LIMIT, "points3D: byte 8: point id 18446744073709551615" },
        { 2, 16, 8, 0xff, VD_E_FORMAT, "is not finite" },
        { 2, 59, 4, 0x22, VD_E_FORMAT, "a track has image 572662306" },
        { 2, 63, 4, 0xff, VD_E_LIMIT, "keypoint 4294967295" },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        texts x = { 0 };
        vd_model m = { 0 };
        vd_err err = { 0 };
        T_NEED(golden(&x, "colmap_bin"));
        memset(x.part[bad[i].part].data + bad[i].at, bad[i].byte, (size_t)bad[i].n);
        vd_status st = parse(&m, VD_COLMAP_BINARY, &x, &err);
        if (st != bad[i].st || strstr(err.msg, bad[i].says) == NULL)
            T_FAIL("case %d: %d '%s', not '%s'", i, st, err.msg, bad[i].says);
        vd_model_reset(&m);
        reset(&x);
    }
}

T(truncated_or_longer) {
    for (int part = 0; part < VD_COLMAP_PARTS; part++) {
        texts x = { 0 };
        vd_model m = { 0 };
        vd_err err = { 0 };
        T_NEED(golden(&x, "colmap_bin"));
        int64_t size = x.part[part].size;
        for (x.part[part].size = 0; x.part[part].size < size; x.part[part].size++) {
            err = (vd_err){ 0 };
            T_EQ(parse(&m, VD_COLMAP_BINARY, &x, &err), VD_E_FORMAT);
            T_TRUE(strncmp(err.msg, name[part], strlen(name[part])) == 0);
        }
        vd_str_addc(&x.part[part], 0);
        err = (vd_err){ 0 };
        T_EQ(parse(&m, VD_COLMAP_BINARY, &x, &err), VD_E_FORMAT);
        T_TRUE(strstr(err.msg, "1 bytes after what it says it holds") != NULL);
        reset(&x);
    }
}

/* ---- folders ---- */

T(folders) {
    t_dir d = t_dir_new();
    vd_rng r = t_rng(t);
    vd_model m, back = { 0 };
    vd_err err = { 0 };
    const char *dir = t_dir_at(&d, "model"), *rigs = t_dir_at(&d, "model/rigs.bin");
    t_model_make(&m, &r, 2, 2, 5, 20);
    T_TRUE(!vd_colmap_is_model(dir));
    T_EQ(vd_colmap_read(&back, dir, &err), VD_E_NOTFOUND);
    T_TRUE(strstr(err.msg, "neither cameras.bin nor cameras.txt") != NULL);
    err = (vd_err){ 0 };
    T_OK(vd_colmap_write(&m, dir, VD_COLMAP_TEXT, &err));
    T_OK(vd_colmap_write(&m, dir, VD_COLMAP_TEXT, &err)); /* its own files are replaced */
    T_TRUE(vd_colmap_is_model(dir));
    T_OK(vd_colmap_read(&back, dir, &err));
    T_EQ(back.n_images, 5);
    vd_model_reset(&back);
    T_EQ(vd_colmap_write(&m, dir, VD_COLMAP_BINARY, &err), VD_E_EXISTS);
    T_TRUE(strstr(err.msg, "cameras.txt of another model") != NULL);
    t_dir_put(&d, "model/rigs.bin", "", 0);
    err = (vd_err){ 0 };
    T_EQ(vd_colmap_write(&m, dir, VD_COLMAP_TEXT, &err), VD_E_EXISTS);
    T_EQ(unlink(rigs), 0);
    t_dir_put(&d, "model/images.txt", "1 1 0\n", 6);
    err = (vd_err){ 0 };
    T_EQ(vd_colmap_read(&back, dir, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "model/images.txt:1: the line ends before pose") != NULL);
    T_EQ(unlink(t_dir_at(&d, "model/images.txt")), 0);
    err = (vd_err){ 0 };
    T_EQ(vd_colmap_read(&back, dir, &err), VD_E_IO);
    vd_model_reset(&m);
    t_dir_free(&d);
}

T(survives_refused_memory) {
    t_dir d = t_dir_new();
    for (int form = VD_COLMAP_BINARY; form <= VD_COLMAP_TEXT; form++) {
        const char *dir = t_dir_at(&d, form == VD_COLMAP_BINARY ? "b" : "t");
        vd_rng r = t_rng(t);
        vd_model m;
        t_model_make(&m, &r, 1, 4, 2, 3);
        m.point_ids[0] = INT64_MAX / 2; /* the searched way */
        for (int n = 0, hit = 1; hit; n++) {
            vd_model back = { 0 };
            vd_err err = { 0 };
            int64_t before = vd_mem_live();
            vd_mem_fail_at(n, false);
            vd_status st = vd_colmap_write(&m, dir, (vd_colmap_form)form, &err);
            if (st == VD_OK) st = vd_colmap_read(&back, dir, &err);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            vd_model_reset(&back);
            T_EQ(vd_mem_live(), before);
        }
        vd_model_reset(&m);
    }
    t_dir_free(&d);
}
