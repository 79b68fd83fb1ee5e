/* Parts of models, folders of models, and intrinsics that the user knows. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "recon/colmap.h"
#include "recon/known_cameras.h"
#include "unit/model_make.h"
#include "unit/tmpdir.h"

/* ---- a part of a model ---- */

/* What must be left, by names and ids: every observation of a kept image whose point is left. */
static void check_subset(t_case *t, const vd_model *all, const vd_model *part,
                         const uint8_t *keep) {
    int32_t at = 0;
    int64_t p_at = 0;
    vd_err err = { 0 };
    T_OK(vd_model_check(part, "part", &err));
    for (int32_t i = 0; i < all->n_images; i++) {
        if (!keep[i]) continue;
        T_NEED(at < part->n_images);
        T_EQ(part->images[at].id, all->images[i].id);
        T_STR(part->images[at].name, all->images[i].name);
        T_EQ(part->images[at++].n, all->images[i].n);
    }
    T_EQ(at, part->n_images);
    for (int64_t p = 0; p < all->n_points; p++) {
        int64_t n = all->track_start[p + 1] - all->track_start[p], left = 0;
        for (int64_t e = all->track_start[p]; e < all->track_start[p + 1]; e++)
            left += keep[all->track_image[e]] != 0;
        if (left < n && left < 2) continue;
        T_NEED(p_at < part->n_points);
        T_EQ(part->point_ids[p_at], all->point_ids[p]);
        T_EQ(part->track_start[p_at + 1] - part->track_start[p_at], left);
        T_TRUE(memcmp(part->xyz + 3 * p_at, all->xyz + 3 * p, 3 * sizeof *all->xyz) == 0);
        T_TRUE(memcmp(part->rgb + 3 * p_at, all->rgb + 3 * p, 3) == 0);
        p_at++;
    }
    T_EQ(p_at, part->n_points);
}

T(a_part_of_a_model_is_what_its_images_see) {
    vd_rng r = t_rng(t);
    for (int k = 0; k < 40; k++) {
        vd_model all = { 0 }, part = { 0 };
        uint8_t keep[8];
        vd_err err = { 0 };
        vd_rng same = r;
        t_model_make(&all, &r, 2, 4, 8, 60);
        t_model_make(&part, &same, 2, 4, 8, 60);
        for (int i = 0; i < 8; i++) keep[i] = k == 0 ? 1 : k == 1 ? 0 : (uint8_t)vd_rng_int(&r, 2);
        T_OK(vd_model_keep_images(&part, keep, &err));
        check_subset(t, &all, &part, keep);
        if (k == 0) T_EQ(part.n_points, all.n_points);
        if (k == 1) T_EQ(part.n_images, 0);
        vd_model_reset(&all);
        vd_model_reset(&part);
    }
}

T(a_part_survives_no_memory_unchanged) {
    vd_rng r = t_rng(t);
    const uint8_t keep[4] = { 1, 0, 1, 1 };
    for (int n = 0, hit = 1; hit; n++) {
        vd_model m = { 0 };
        vd_err err = { 0 };
        int64_t before = vd_mem_live();
        t_model_make(&m, &r, 1, 4, 4, 20);
        vd_mem_fail_at(n, false);
        vd_status st = vd_model_keep_images(&m, keep, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(m.n_images, hit ? 4 : 3);
        T_OK(vd_model_check(&m, "after", &err));
        vd_model_reset(&m);
        T_EQ(vd_mem_live(), before);
    }
}

/* ---- folders ---- */

T(models_are_found_in_order) {
    t_dir d = t_dir_new();
    char **dir = NULL;
    int n = 0;
    vd_err err = { 0 };
    T_EQ(vd_colmap_find(&dir, &n, t_dir_at(&d, "none"), &err), VD_E_NOTFOUND);
    T_EQ(vd_colmap_find(&dir, &n, t_dir_at(&d, ""), NULL), VD_E_NOTFOUND);
    t_dir_put(&d, "10/cameras.txt", "", 0);
    t_dir_put(&d, "9/cameras.bin", "", 0);
    t_dir_put(&d, "2/images.txt", "", 0);
    t_dir_put(&d, "file", "", 0);
    err = (vd_err){ 0 };
    T_OK(vd_colmap_find(&dir, &n, t_dir_at(&d, ""), &err));
    T_EQ(n, 2);
    T_TRUE(n == 2 && strstr(dir[0], "/9") != NULL && strstr(dir[1], "/10") != NULL);
    vd_colmap_free_folders(dir, n);
    T_OK(vd_colmap_find(&dir, &n, t_dir_at(&d, "9"), &err));
    T_EQ(n, 1);
    vd_colmap_free_folders(dir, n);
    t_dir_free(&d);
}

/* ---- known cameras ---- */

static const char two[] = "# id model size parameters\n"
                          "3 PINHOLE 640 480 500 501 320 240\n"
                          "5 SIMPLE_RADIAL 4000 3000 3100 2000 1500 0.01\n";
static const char images[] = "1 1 0 0 0 0 0 0 3 a/x.jpg\n\n"
                             "2 1 0 0 0 0 0 0 5 b/x.jpg\n1 2 -1\n"
                             "3 1 0 0 0 0 0 0 5 name with blanks.jpg\n";

T(a_camera_is_known_by_size_and_shape) {
    t_dir d = t_dir_new();
    vd_known_cameras k = { 0 };
    vd_err err = { 0 };
    t_dir_put(&d, "cameras.txt", two, sizeof two - 1);
    T_OK(vd_known_cameras_read(&k, t_dir_at(&d, "cameras.txt"), &err));
    T_EQ(vd_known_cameras_find(&k, "/p/x.jpg", 640, 480), 0);
    T_EQ(vd_known_cameras_find(&k, "/p/x.jpg", 4000, 3000), 1);
    T_EQ(vd_known_cameras_find(&k, "/p/x.jpg", 2000, 1500), -1); /* the shape of both */
    T_EQ(vd_known_cameras_find(&k, "/p/x.jpg", 480, 640), -1);
    vd_known_cameras_reset(&k);
    T_OK(vd_known_cameras_one(&k, "PINHOLE,640,480,500,501,320,240", &err));
    T_EQ(vd_known_cameras_find(&k, "x", 2000, 1500), 0);
    T_EQ(vd_known_cameras_find(&k, "x", 2000, 1000), -1);
    vd_known_cameras_reset(&k);
    t_dir_free(&d);
}

T(a_camera_is_known_by_the_longest_tail) {
    t_dir d = t_dir_new();
    vd_known_cameras k = { 0 };
    vd_err err = { 0 };
    t_dir_put(&d, "k/cameras.txt", two, sizeof two - 1);
    t_dir_put(&d, "k/images.txt", images, sizeof images - 1);
    T_OK(vd_known_cameras_read(&k, t_dir_at(&d, "k"), &err));
    T_EQ(vd_known_cameras_find(&k, "/data/a/x.jpg", 64, 48), 0);
    T_EQ(vd_known_cameras_find(&k, "/data/b/x.jpg", 64, 48), 1);
    T_EQ(vd_known_cameras_find(&k, "pictures.zip!b/x.jpg", 64, 48), 1);
    T_EQ(vd_known_cameras_find(&k, "/data/name with blanks.jpg", 64, 48), 1);
    T_EQ(vd_known_cameras_find(&k, "/data/cb/x.jpg", 64, 48), -1); /* no component of its own */
    T_EQ(vd_known_cameras_find(&k, "/data/a/x.jpg", 48, 64), -1);  /* another shape */
    vd_known_cameras_reset(&k);
    t_dir_free(&d);
}

T(what_is_wrong_with_known_cameras_is_told) {
    static const struct {
        const char *cameras, *images, *says;
        vd_status st;
    } bad[] = {
        { "", NULL, "no cameras", VD_E_FORMAT },
        { "1 PINHOLE 640 480 500 501 320\n", NULL, "camera parameter", VD_E_FORMAT },
        { "1 PINHOLE 640 480 -5 501 320 240\n", NULL, "camera 1", VD_E_FORMAT },
        { "1 PINHOLE 0 480 5 501 320 240\n", NULL, "width", VD_E_FORMAT },
        { "1 LENS 640 480 5 501 320 240\n", NULL, "unknown camera model 'LENS'", VD_E_UNSUPPORTED },
        { "1 PINHOLE 640 480 5 5 3 2\n1 PINHOLE 64 480 5 5 3 2\n", NULL,
          "two cameras have the id 1", VD_E_FORMAT },
        { "1 PINHOLE 640 480 5 5 3 2\n2 PINHOLE 640 480 6 6 3 2\n", NULL, "both of 640 x 480",
          VD_E_FORMAT },
        { "1 PINHOLE 640 480 5 5 3 2\n", "1 1 0 0 0 0 0 0 2 x.jpg\n\n",
          "images.txt:1: camera 2 is not in cameras.txt", VD_E_FORMAT },
        { "1 PINHOLE 640 480 5 5 3 2\n", "1 1 0 0 0 0 0 0 1\n\n", "the name", VD_E_FORMAT },
        { "1 PINHOLE 640 480 5 5 3 2\n", "1 1 0 0 0 0 0 nan 1 x.jpg\n\n", "pose", VD_E_FORMAT },
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        t_dir d = t_dir_new();
        vd_known_cameras k = { 0 };
        vd_err err = { 0 };
        t_dir_put(&d, "cameras.txt", bad[i].cameras, strlen(bad[i].cameras));
        if (bad[i].images != NULL)
            t_dir_put(&d, "images.txt", bad[i].images, strlen(bad[i].images));
        T_EQ(vd_known_cameras_read(&k, t_dir_at(&d, "cameras.txt"), &err), bad[i].st);
        if (strstr(err.msg, bad[i].says) == NULL) T_FAIL("%d: said '%s'", i, err.msg);
        T_EQ(k.m.n_cameras, 0);
        t_dir_free(&d);
    }
}

T(known_cameras_survive_no_memory) {
    t_dir d = t_dir_new();
    const char *dir = t_dir_at(&d, "k");
    t_dir_put(&d, "k/cameras.txt", two, sizeof two - 1);
    t_dir_put(&d, "k/images.txt", images, sizeof images - 1);
    for (int n = 0, hit = 1; hit; n++) {
        vd_known_cameras k = { 0 };
        char hash[17];
        vd_err err = { 0 };
        int64_t before = vd_mem_live();
        vd_mem_fail_at(n, false);
        vd_status st = vd_known_cameras_read(&k, dir, &err);
        if (st == VD_OK) st = vd_known_cameras_hash(hash, dir, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_known_cameras_reset(&k);
        T_EQ(vd_mem_live(), before);
    }
    t_dir_free(&d);
}

T(the_hash_of_known_cameras_tells_both_files) {
    t_dir d = t_dir_new();
    char a[17], b[17], c[17];
    vd_err err = { 0 };
    t_dir_put(&d, "cameras.txt", two, sizeof two - 1);
    T_OK(vd_known_cameras_hash(a, t_dir_at(&d, "cameras.txt"), &err));
    t_dir_put(&d, "images.txt", images, sizeof images - 1);
    T_OK(vd_known_cameras_hash(b, t_dir_at(&d, ""), &err));
    t_dir_put(&d, "cameras.txt", two, sizeof two - 2);
    T_OK(vd_known_cameras_hash(c, t_dir_at(&d, ""), &err));
    T_TRUE(strcmp(a, b) != 0 && strcmp(b, c) != 0 && strcmp(a, c) != 0);
    t_dir_free(&d);
}
