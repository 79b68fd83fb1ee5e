/* nerfstudio's, Bundler's and PLY files: axes against captures whose truth others made, round
 * trips, what is refused. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/path.h"
#include "recon/bundler.h"
#include "recon/nerfstudio.h"
#include "recon/ply.h"
#include "unit/model_make.h"

/* ---- nerfstudio ---- */

/* Cameras on a sphere of radius 4.031 look at the middle of a toy at the origin: the folder's
 * README says so. Its file knows neither focal length nor size. */
T(cameras_look_at_the_toy) {
    char path[600];
    const vd_nerfstudio_opt opt = { .prefix = "images/", .width = 800, .height = 800 };
    vd_model m = { 0 };
    vd_err err = { 0 };
    if (t_shared() == NULL) T_SKIP("no shared data");
    snprintf(path, sizeof path, "%s/mvs/nerf-lego/transforms.json", t_shared());
    T_EQ(vd_nerfstudio_read(&m, path, NULL, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "says w and h") != NULL);
    err = (vd_err){ 0 };
    T_OK(vd_nerfstudio_read(&m, path, &opt, &err));
    T_EQ(m.n_images, 9);
    T_EQ(m.n_cameras, 1);
    T_EQ(m.cameras[0].model, VD_CAMERA_PINHOLE);
    T_NEAR(m.cameras[0].params[0], 1111.11, 0.01);
    T_NEAR(m.cameras[0].params[2], 400, 0);
    T_STR(m.images[0].name, "r_5");
    for (int i = 0; i < 9; i++) {
        vd_vec3 o = m.images[i].cam_from_world.t; /* the origin in the camera */
        vd_vec3 c = vd_rigid_centre(m.images[i].cam_from_world);
        T_NEAR(vd_v3_norm(c), 4.031, 1e-3);
        T_NEAR(o.x, 0, 1e-5);
        T_NEAR(o.y, 0, 1e-5);
        T_NEAR(o.z, 4.031, 1e-3);
        T_TRUE(c.z > 0); /* from above: up is +z there, and -y in the camera */
        vd_vec3 up = vd_quat_rotate(m.images[i].cam_from_world.q, vd_v3(0, 0, 1));
        T_TRUE(up.y < 0);
    }
    vd_model_reset(&m);
}

static void same_poses(t_case *t, const vd_model *a, const vd_model *b) {
    for (int32_t i = 0; i < a->n_images; i++) {
        const vd_model_image *v = &a->images[i], *w = &b->images[i];
        T_EQ(v->id, w->id);
        T_STR(v->name, w->name);
        T_TRUE(vd_quat_angle_rad(v->cam_from_world.q, w->cam_from_world.q) < 1e-14);
        vd_vec3 d = vd_v3_sub(v->cam_from_world.t, w->cam_from_world.t);
        T_TRUE(vd_v3_norm(d) < 1e-14);
    }
}

static vd_status through_nerfstudio(vd_model *out, const vd_model *m, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = vd_nerfstudio_emit(&s, m, NULL, err);
    if (st == VD_OK) st = vd_nerfstudio_parse(out, "again", s.data, (size_t)s.size, NULL, err);
    vd_str_reset(&s);
    return st;
}

/* A ray through a pixel is the same in both cameras. */
static void same_rays(t_case *t, const vd_camera *a, const vd_camera *b) {
    for (int x = 200; x <= 1400; x += 400)
        for (int y = 150; y <= 1050; y += 300) {
            double p[3] = { 0 }, q[3] = { 1 };
            T_TRUE(vd_camera_ray(a, (const double[]){ x, y }, p));
            T_TRUE(vd_camera_ray(b, (const double[]){ x, y }, q));
            for (int i = 0; i < 3; i++) T_NEAR(p[i], q[i], 1e-12);
        }
}

T(nerfstudio_round_trips) {
    for (int model = 0; model < VD_CAMERA_MODELS; model++) {
        vd_rng r = t_rng(t);
        vd_model m, back = { 0 };
        vd_err err = { 0 };
        t_model_make(&m, &r, 1, model, 5, 3);
        vd_status st = through_nerfstudio(&back, &m, &err);
        bool sayable = model != VD_CAMERA_FOV && model != VD_CAMERA_THIN_PRISM_FISHEYE &&
                       model != VD_CAMERA_FULL_OPENCV;
        T_EQ(st, sayable ? VD_OK : VD_E_UNSUPPORTED);
        if (sayable) {
            same_poses(t, &m, &back);
            same_rays(t, &m.cameras[0], &back.cameras[0]);
            bool fisheye = vd_camera_is_fisheye(model);
            T_EQ(back.cameras[0].model, fisheye ? VD_CAMERA_OPENCV_FISHEYE : model);
        } else {
            T_TRUE(strstr(err.msg, vd_camera_model_name(model)) != NULL);
        }
        vd_model_reset(&m);
        vd_model_reset(&back);
    }
}

/* FULL_OPENCV without a denominator, and cameras of several models in one file. */
T(nerfstudio_several_cameras) {
    vd_rng r = t_rng(t);
    vd_model m, back = { 0 };
    vd_err err = { 0 };
    t_model_make(&m, &r, 5, VD_CAMERA_SIMPLE_PINHOLE, 10, 3);
    m.cameras[4].model = VD_CAMERA_FULL_OPENCV;
    m.cameras[4].params[8] = 0.02;
    T_OK(through_nerfstudio(&back, &m, &err));
    T_EQ(back.n_cameras, 5);
    same_poses(t, &m, &back);
    for (int i = 0; i < 10; i++)
        same_rays(t, &m.cameras[m.images[i].camera], &back.cameras[back.images[i].camera]);
    vd_model_reset(&back);
    m.cameras[2].model = VD_CAMERA_SIMPLE_RADIAL_FISHEYE;
    T_EQ(through_nerfstudio(&back, &m, &err), VD_E_UNSUPPORTED);
    T_TRUE(strstr(err.msg, "a file has either") != NULL);
    vd_model_reset(&m);
}

#define FRAME(more)                                                                                \
    "{\"w\":64,\"h\":48,\"fl_x\":50,\"frames\":[{\"file_path\":\"a.jpg\"," more "}]}"
#define POSE "\"transform_matrix\":[[1,0,0,1],[0,1,0,2],[0,0,1,3],[0,0,0,1]]"

T(nerfstudio_says_where) {
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "[]", "no array 'frames'" },
        { "{\"frames\": {}}", "no array 'frames'" },
        { "{\"frames\": [{}]}", "byte 12: a frame without file_path" },
        { "{\"frames\": [3]}", "byte 12: a frame without file_path" },
        { "{\"frames\": [{\"file_path\":\"a\"}]}", "neither the frame nor the file says w and h" },
        { "{\"w\":64,\"h\":48,\"frames\":[{\"file_path\":\"a\"}]}", "no focal length: fl_x is 0" },
        { FRAME("\"w\":-3," POSE), "pictures of -3 x 48 pixels" },
        { FRAME("\"x\":1"), "transform_matrix is not 4 x 4 numbers" },
        { FRAME("\"transform_matrix\":[[1,0,0,1],[0,1,0,2]]"), "is not 4 x 4 numbers" },
        { FRAME("\"transform_matrix\":[[1,0,0,1],[0,1,0,2],[0,0,\"1\",3]]"), "is not 4 x 4" },
        { FRAME("\"transform_matrix\":[[2,0,0,1],[0,2,0,2],[0,0,2,3],[0,0,0,1]]"), "no rotation" },
        { FRAME("\"transform_matrix\":[[1,0,0,1],[0,1,0,2],[0,0,-1,3],[0,0,0,1]]"), "no rotation" },
        { FRAME("\"colmap_im_id\":1.5," POSE), "colmap_im_id 1.5" },
        { FRAME("\"k4\":0.5," POSE), "k4 of a perspective camera" },
        { "{\"camera_model\":\"EQUIRECTANGULAR\",\"frames\":[{\"file_path\":\"a\"}]}",
          "camera_model 'EQUIRECTANGULAR'" },
        { "{\"is_fisheye\":true,\"p1\":1,\"frames\":[{\"file_path\":\"a\"}]}",
          "tangential distortion of a fisheye" },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_model m = { 0 };
        vd_err err = { 0 };
        vd_status st = vd_nerfstudio_parse(&m, "doc", bad[i].text, strlen(bad[i].text), NULL, &err);
        if (st == VD_OK || strstr(err.msg, bad[i].says) == NULL)
            T_FAIL("case %d: %d '%s', not '%s'", i, st, err.msg, bad[i].says);
        vd_model_reset(&m);
    }
}

/* ---- Bundler ---- */

static bool kermit_size(void *user, const char *name, int32_t *width, int32_t *height) {
    (void)user, (void)name;
    *width = 640;
    *height = 480;
    return true;
}

/* Bundler's own result: its points lie within about a pixel of its keypoints only if axes, centre
 * and distortion are what we think. */
T(bundler_agrees_with_itself) {
    char path[600], *text = NULL;
    size_t size = 0;
    vd_model m = { 0 };
    vd_err err = { 0 };
    vd_str list = { 0 };
    const vd_bundler_opt opt = { .size_of = kermit_size };
    if (t_shared() == NULL) T_SKIP("no shared data");
    snprintf(path, sizeof path, "%s/mvs/bundler-kermit/results.example/bundle.out", t_shared());
    T_OK(vd_file_read(&text, &size, path, 1 << 24, &err));
    for (int i = 0; i < 11; i++) vd_str_addf(&list, "kermit%03d.jpg 0 660.8\n", i);
    const vd_bundler_text a = { path, text, size }, b = { "list", list.data, (size_t)list.size };
    T_OK(vd_bundler_parse(&m, &a, &b, &opt, &err));
    vd_model_stats s = vd_model_stats_of(&m);
    T_EQ(s.images, 9); /* of eleven: two are not registered */
    T_EQ(s.points, 634);
    T_STR(m.images[8].name, "kermit010.jpg");
    T_LT(s.mean_error_px, 0.3);
    for (int64_t p = 0; p < m.n_points; p++) T_LT(m.error_px[p], 20);
    vd_model_reset(&m);
    /* one name too few */
    list.data[list.size - 23] = '\0';
    const vd_bundler_text fewer = { "list", list.data, (size_t)list.size - 23 };
    T_EQ(vd_bundler_parse(&m, &a, &fewer, &opt, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "list: ends after line 10, the bundle has 11 cameras") != NULL);
    vd_str_reset(&list);
    vd_mem_free(text);
}

static vd_status through_bundler(vd_model *out, const vd_model *m, const vd_bundler_opt *opt,
                                 vd_err *err) {
    vd_str a = { 0 }, b = { 0 };
    vd_status st = vd_bundler_emit(&a, &b, m, opt, err);
    const vd_bundler_text bundle = { "bundle", vd_str_text(&a), (size_t)a.size },
                          list = { "list", vd_str_text(&b), (size_t)b.size };
    if (st == VD_OK) st = vd_bundler_parse(out, &bundle, &list, opt, err);
    vd_str_reset(&a);
    vd_str_reset(&b);
    return st;
}

static void bundler_names(vd_model *m) {
    for (int32_t i = 0; i < m->n_images; i++) {
        m->images[i].id = i + 1;
        for (char *p = m->images[i].name; *p != '\0'; p++)
            if (*p == ' ') *p = '_';
    }
}

T(bundler_round_trips) {
    vd_rng r = t_rng(t);
    vd_model m, back = { 0 };
    vd_err err = { 0 };
    t_model_make(&m, &r, 2, VD_CAMERA_SIMPLE_RADIAL, 6, 60);
    T_EQ(through_bundler(&back, &m, NULL, &err), VD_E_UNSUPPORTED);
    T_TRUE(strstr(err.msg, "cannot say the name 'set 0/view_000.jpg'") != NULL);
    bundler_names(&m);
    err = (vd_err){ 0 };
    T_OK(through_bundler(&back, &m, NULL, &err));
    same_poses(t, &m, &back);
    T_EQ(back.track_start[60], m.track_start[60]);
    for (int64_t p = 0; p < 60; p++) T_NEAR(back.error_px[p], 0, 1e-9);
    T_EQ(memcmp(back.xyz, m.xyz, 180 * sizeof(double)), 0);
    T_EQ(memcmp(back.rgb, m.rgb, 180), 0);
    vd_model_reset(&back);
    vd_model_reset(&m);
}

T(bundler_cameras) {
    static const vd_bundler_opt mean = { .mean_focal = true };
    for (int model = 0; model < VD_CAMERA_MODELS; model++) {
        vd_rng r = t_rng(t);
        vd_model m, back = { 0 };
        vd_err err = { 0 };
        t_model_make(&m, &r, 1, model, 3, 5);
        bundler_names(&m);
        bool sayable = model == VD_CAMERA_SIMPLE_PINHOLE || model == VD_CAMERA_SIMPLE_RADIAL ||
                       model == VD_CAMERA_RADIAL;
        T_EQ(through_bundler(&back, &m, NULL, &err), sayable ? VD_OK : VD_E_UNSUPPORTED);
        vd_model_reset(&back);
        err = (vd_err){ 0 };
        sayable = sayable || model == VD_CAMERA_PINHOLE;
        T_EQ(through_bundler(&back, &m, &mean, &err), sayable ? VD_OK : VD_E_UNSUPPORTED);
        if (model == VD_CAMERA_PINHOLE)
            T_NEAR(back.cameras[0].params[0], vd_camera_mean_focal(&m.cameras[0]), 0);
        vd_model_reset(&back);
        vd_model_reset(&m);
    }
}

#define CAM "500 0 0 1 0 0 0 1 0 0 0 1 0 0 0\n"

T(bundler_says_where) {
    static const struct {
        const char *bundle, *says;
    } bad[] = {
        { "# Bundle file v0.3\n", "the line ends before number of cameras" },
        { "-1 0\n", "number of cameras -1 is outside" },
        { "99999 0\n" CAM, "number of cameras 99999 is outside 0 to 2" },
        { "1 99999\n" CAM, "number of points 99999 is outside 0 to 3" },
        { "1 0\n500 0 0 1 0 0 0 1 0\n", "the line ends before a camera" },
        { "1 0\n500 0 0 2 0 0 0 1 0 0 0 1 0 0 0\n", ":2: camera 0 has no rotation" },
        { "1 0\n500 0 0 1 0 0 0 1 0 0 0 -1 0 0 0\n", ":2: camera 0 has no rotation" },
        { "1 0\n-500 0 0 1 0 0 0 1 0 0 0 1 0 0 0\n", "focal length -500" },
        { "1 1\n" CAM "1 2 3 4 5 6 1 1 0 0 0\n", "camera of a view 1 is outside 0 to 0" },
        { "1 1\n" CAM "1 2 3 4 5 6 9 0 0 0 0\n", "number of views 9 is outside 0 to 2" },
        { "1 1\n" CAM "1 2 3 4 5 600 1 0 0 0 0\n", "colour 600 is outside" },
        { "1 1\n0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n1 2 3 4 5 6 1 0 0 0 0\n",
          "a view of camera 0, which is not registered" },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_model m = { 0 };
        vd_err err = { 0 };
        const vd_bundler_text a = { "out", bad[i].bundle, strlen(bad[i].bundle) },
                              b = { "list", "a.jpg\n", 6 };
        vd_status st = vd_bundler_parse(&m, &a, &b, NULL, &err);
        if (st != VD_E_FORMAT || strstr(err.msg, bad[i].says) == NULL)
            T_FAIL("case %d: %d '%s', not '%s'", i, st, err.msg, bad[i].says);
        vd_model_reset(&m);
    }
}

/* ---- PLY ---- */

T(ply_is_what_its_header_says) {
    vd_rng r = t_rng(t);
    vd_model m;
    vd_err err = { 0 };
    t_model_make(&m, &r, 1, VD_CAMERA_PINHOLE, 4, 10);
    for (int doubles = 0; doubles < 2; doubles++) {
        const vd_ply_opt opt = { .doubles = doubles, .frustum_size = 0.5 };
        vd_str s = { 0 };
        T_OK(vd_ply_emit(&s, &m, &opt, &err));
        const char *body = strstr(s.data, "end_header\n");
        T_NEED(body != NULL);
        body += 11;
        T_TRUE(strstr(s.data, "element vertex 30\n") != NULL);
        T_TRUE(strstr(s.data, "element face 16\n") != NULL);
        T_TRUE(strstr(s.data, doubles ? "property double z" : "property float z") != NULL);
        int64_t vertex = 3 * (doubles ? 8 : 4) + 3;
        T_EQ(s.data + s.size - body, 30 * vertex + 16 * 13);
        float x[3];
        double d[3];
        memcpy(x, body + 2 * vertex, sizeof x);
        memcpy(d, body + 2 * vertex, sizeof d);
        T_NEAR(doubles ? d[1] : x[1], m.xyz[7], 1e-7);
        T_EQ((uint8_t)body[2 * vertex + vertex - 1], m.rgb[8]);
        /* the first camera's centre, and its corners half a unit away from it */
        vd_vec3 c = vd_rigid_centre(m.images[0].cam_from_world), corner;
        memcpy(d, body + 10 * vertex, sizeof d);
        if (doubles) T_NEAR(d[0], c.x, 1e-12);
        memcpy(d, body + 13 * vertex, sizeof d);
        corner = vd_v3(d[0], d[1], d[2]);
        if (doubles) T_NEAR(vd_v3_norm(vd_v3_sub(corner, c)), 0.5, 1e-12);
        uint32_t face[3];
        memcpy(face, body + 30 * vertex + 4 * 13 + 1, sizeof face); /* of the second camera */
        T_EQ(body[30 * vertex], 3);
        T_EQ(face[0], 15);
        T_EQ(face[1], 16);
        T_EQ(face[2], 17);
        vd_str_reset(&s);
    }
    vd_str s = { 0 };
    T_OK(vd_ply_emit(&s, &m, NULL, &err));
    T_TRUE(strstr(s.data, "element vertex 10\n") != NULL && strstr(s.data, "face") == NULL);
    vd_str_reset(&s);
    vd_model_reset(&m);
}

/* ---- memory ---- */

static vd_status all_of_them(const vd_model *m, vd_err *err) {
    vd_model back = { 0 };
    vd_str s = { 0 };
    vd_status st = through_nerfstudio(&back, m, err);
    vd_model_reset(&back);
    if (st == VD_OK) st = through_bundler(&back, m, NULL, err);
    vd_model_reset(&back);
    if (st == VD_OK) st = vd_ply_emit(&s, m, NULL, err);
    vd_str_reset(&s);
    return st;
}

T(survive_refused_memory) {
    vd_rng r = t_rng(t);
    vd_model m;
    t_model_make(&m, &r, 2, VD_CAMERA_SIMPLE_RADIAL, 3, 8);
    bundler_names(&m);
    for (int n = 0, hit = 1; hit; n++) {
        int64_t before = vd_mem_live();
        vd_err err = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = all_of_them(&m, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(vd_mem_live(), before);
    }
    vd_model_reset(&m);
}
