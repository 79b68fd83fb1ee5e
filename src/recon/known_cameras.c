/* Intrinsics that the user knows; see known_cameras.h. SPDX-License-Identifier: Apache-2.0 */
#include "recon/known_cameras.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "recon/camera_text.h"
#include "recon/colmap_form.h"
#include "base/words.h"

static const size_t MAX_FILE = (size_t)1 << 30;
/* Two pictures have one shape if the sides of one, scaled to the other's, are off by less. */
static const double SHAPE_TOLERANCE = 0.01;

vd_status vd_known_cameras_one(vd_known_cameras *out, const char *text, vd_err *err) {
    vd_camera c;
    vd_known_cameras k = { 0 };
    VD_TRY(vd_camera_parse(&c, text, err));
    vd_status st = vd_model_add_cameras(&k.m, 1, err);
    if (st == VD_OK) {
        k.m.cameras[0] = c;
        *out = k;
    } else {
        vd_known_cameras_reset(&k);
    }
    return st;
}

void vd_known_cameras_reset(vd_known_cameras *k) {
    vd_model_reset(&k->m);
    vd_map_free(k->names);
    *k = (vd_known_cameras){ 0 };
}

/* ---- files ---- */

/* The paths of cameras.txt and of the images.txt beside it. */
static vd_status paths_of(vd_str *cameras, vd_str *images, const char *path, vd_err *err) {
    struct stat sb;
    vd_str_add(cameras, path);
    if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode)) vd_str_add(cameras, "/cameras.txt");
    VD_TRY(vd_str_check(cameras, err));
    vd_str_addn(images, cameras->data, vd_path_name(cameras->data) - cameras->data);
    vd_str_add(images, "images.txt");
    return vd_str_check(images, err);
}

static vd_status read_cameras(vd_known_cameras *k, const char *path, vd_err *err) {
    vd_colmap_in in = { 0 };
    vd_colmap_part part = { .name = path };
    char *text = NULL;
    vd_err why = { 0 };
    VD_TRY(vd_file_read(&text, &part.size, path, MAX_FILE, err));
    part.data = text;
    vd_status st = vd_colmap_text.read[VD_COLMAP_CAMERAS](&in, &part, err);
    k->m = in.m;
    if (st == VD_OK && k->m.n_cameras == 0) st = vd_fail(err, VD_E_FORMAT, "%s: no cameras", path);
    for (int32_t i = 0; st == VD_OK && i < k->m.n_cameras; i++)
        if (vd_camera_check(&k->m.cameras[i], &why) != VD_OK)
            st = vd_fail(err, VD_E_FORMAT, "%s: camera %lld: %s", path,
                         (long long)k->m.camera_ids[i], why.msg);
    vd_mem_free(text);
    return st;
}

/* Of each image two lines: id, pose, camera, name; and keypoints, which say nothing here. */
static vd_status read_name(vd_known_cameras *k, const vd_ids *ids, vd_words *w, vd_err *err) {
    int64_t id = 0, camera = 0;
    double pose[7];
    const char *name = NULL;
    size_t n = 0;
    VD_TRY(vd_words_int(w, &id, 0, UINT32_MAX, "image id", err));
    VD_TRY(vd_words_reals(w, pose, 7, "pose", err));
    VD_TRY(vd_words_int(w, &camera, 0, UINT32_MAX, "camera id", err));
    VD_TRY(vd_words_rest(w, &name, &n, "the name", err));
    int32_t index = vd_ids_find(ids, camera);
    if (index < 0)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: camera %lld is not in cameras.txt", w->name,
                       (long long)w->line, (long long)camera);
    VD_TRY(vd_map_put(k->names, name, n, index, err));
    vd_words_line(w);
    return VD_OK;
}

static vd_status read_names(vd_known_cameras *k, const vd_ids *ids, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    if (access(path, F_OK) != 0) return VD_OK;
    VD_TRY(vd_file_read(&text, &size, path, MAX_FILE, err));
    vd_words w = vd_words_of(path, text, size);
    vd_status st = vd_map_new(&k->names, err);
    while (st == VD_OK && vd_words_line_with_words(&w)) st = read_name(k, ids, &w, err);
    vd_mem_free(text);
    return st;
}

static vd_status check_sizes(const vd_known_cameras *k, const char *path, vd_err *err) {
    const vd_camera *c = k->m.cameras;
    for (int32_t i = 0; k->names == NULL && i < k->m.n_cameras; i++)
        for (int32_t j = 0; j < i; j++)
            if (c[i].width == c[j].width && c[i].height == c[j].height)
                return vd_fail(err, VD_E_FORMAT,
                               "%s: cameras %lld and %lld are both of %d x %d pixels; an images.txt"
                               " beside it must say whose they are",
                               path, (long long)k->m.camera_ids[j], (long long)k->m.camera_ids[i],
                               (int)c[i].width, (int)c[i].height);
    return VD_OK;
}

vd_status vd_known_cameras_read(vd_known_cameras *out, const char *path, vd_err *err) {
    vd_status st = VD_OK;
    vd_known_cameras k = { 0 };
    vd_ids ids = { 0 };
    vd_str cameras = { 0 }, images = { 0 };
    VD_GO(paths_of(&cameras, &images, path, err));
    VD_GO(read_cameras(&k, cameras.data, err));
    VD_GO(vd_ids_init(&ids, k.m.camera_ids, k.m.n_cameras, cameras.data, "camera", err));
    VD_GO(read_names(&k, &ids, images.data, err));
    VD_GO(check_sizes(&k, cameras.data, err));
    *out = k;
    k = (vd_known_cameras){ 0 };
done:
    vd_ids_reset(&ids);
    vd_str_reset(&cameras);
    vd_str_reset(&images);
    vd_known_cameras_reset(&k);
    return st;
}

static vd_status mix_file(uint64_t *h, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    if (access(path, F_OK) != 0) return VD_OK;
    VD_TRY(vd_file_read(&text, &size, path, MAX_FILE, err));
    *h = vd_mix64(*h ^ vd_hash64(text, size));
    vd_mem_free(text);
    return VD_OK;
}

vd_status vd_known_cameras_hash(char out[17], const char *path, vd_err *err) {
    vd_str cameras = { 0 }, images = { 0 };
    uint64_t h = 0;
    vd_status st = paths_of(&cameras, &images, path, err);
    if (st == VD_OK) st = mix_file(&h, cameras.data, err);
    h = vd_mix64(h);
    if (st == VD_OK) st = mix_file(&h, images.data, err);
    snprintf(out, 17, "%016llx", (unsigned long long)h);
    vd_str_reset(&cameras);
    vd_str_reset(&images);
    return st;
}

/* ---- finding ---- */

static bool has_shape_of(const vd_camera *c, int32_t w, int32_t h) {
    return fabs((double)w * c->height - (double)h * c->width) <=
           SHAPE_TOLERANCE * (double)VD_MAX(w, h) * VD_MAX(c->width, c->height);
}

static int32_t by_name(const vd_known_cameras *k, const char *path) {
    int64_t index = -1;
    for (const char *p = path; p != NULL && k->names != NULL;) {
        if (vd_map_get(k->names, p, strlen(p), &index)) return (int32_t)index;
        p = strpbrk(p, "/!");
        if (p != NULL) p++;
    }
    return -1;
}

/* The only one; with the names of images there may be several. */
static int32_t by_size(const vd_known_cameras *k, int32_t w, int32_t h, bool exactly) {
    int32_t found = -1;
    for (int32_t i = 0; i < k->m.n_cameras; i++) {
        const vd_camera *c = &k->m.cameras[i];
        bool fits = exactly ? c->width == w && c->height == h : has_shape_of(c, w, h);
        if (fits && found >= 0) return -1;
        if (fits) found = i;
    }
    return found;
}

int32_t vd_known_cameras_find(const vd_known_cameras *k, const char *path, int32_t width,
                              int32_t height) {
    int32_t i = by_name(k, path);
    if (i >= 0 && has_shape_of(&k->m.cameras[i], width, height)) return i;
    i = by_size(k, width, height, true);
    return i >= 0 ? i : by_size(k, width, height, false);
}
