/* COLMAP's models, folders and the order of reading; see colmap.h. SPDX-License-Identifier:
 * Apache-2.0 */
#include "recon/colmap.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "recon/colmap_form.h"

static const size_t MAX_FILE = (size_t)16 << 30; /* it is held in memory while it is read */
/* Farther from one than rounding leaves it: such a quaternion is normalised. */
static const double ROUNDING = 1e-12;
static const double NO_ROTATION = 1e-12;

static const char *const part_name[VD_COLMAP_PARTS] = { "cameras", "images", "points3D" };
static const char *const extension[] = { "bin", "txt" };
static const vd_colmap_codec *const codec[] = { &vd_colmap_binary, &vd_colmap_text };

/* ---- what both forms share ---- */

vd_status vd_colmap_set_camera(vd_colmap_in *in, int64_t i, const char *where, int64_t id,
                               int model, uint64_t width, uint64_t height, vd_err *err) {
    if (vd_camera_param_count(model) == 0)
        return vd_fail(err, VD_E_UNSUPPORTED,
                       "%s: camera %lld has model %d, known are 0 to %d (%s)", where, (long long)id,
                       model, VD_CAMERA_MODELS - 1, vd_camera_model_name(VD_CAMERA_MODELS - 1));
    if (width > INT32_MAX || height > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "%s: camera %lld of %llu x %llu pixels, limit %d", where,
                       (long long)id, (unsigned long long)width, (unsigned long long)height,
                       INT32_MAX);
    in->m.camera_ids[i] = id;
    in->m.cameras[i].model = model;
    in->m.cameras[i].width = (int32_t)width;
    in->m.cameras[i].height = (int32_t)height;
    return VD_OK;
}

vd_status vd_colmap_set_pose(vd_colmap_in *in, int64_t i, const char *where, const double qt[7],
                             int64_t camera_id, vd_err *err) {
    vd_model_image *v = &in->m.images[i];
    double n2 = qt[0] * qt[0] + qt[1] * qt[1] + qt[2] * qt[2] + qt[3] * qt[3];
    double s = fabs(n2 - 1) > ROUNDING ? 1 / sqrt(n2) : 1;
    if (!(n2 > NO_ROTATION) || !isfinite(n2))
        return vd_fail(err, VD_E_FORMAT, "%s: image %lld has a rotation of squared length %g",
                       where, (long long)v->id, n2);
    v->cam_from_world.q = (vd_quat){ s * qt[0], s * qt[1], s * qt[2], s * qt[3] };
    v->cam_from_world.t = vd_v3(qt[4], qt[5], qt[6]);
    v->camera = vd_ids_find(&in->cameras, camera_id);
    if (v->camera < 0)
        return vd_fail(err, VD_E_FORMAT, "%s: image %lld has camera %lld, which is not there",
                       where, (long long)v->id, (long long)camera_id);
    return VD_OK;
}

vd_status vd_colmap_set_keypoint(vd_colmap_in *in, vd_model_image *image, int64_t k,
                                 const char *where, int64_t point_id, vd_err *err) {
    if (point_id == -1) return VD_OK;
    image->point[k] = vd_ids_find(&in->points, point_id);
    if (image->point[k] < 0)
        return vd_fail(err, VD_E_FORMAT,
                       "%s: image %lld: keypoint %lld sees point %lld, which is not there", where,
                       (long long)image->id, (long long)k, (long long)point_id);
    return VD_OK;
}

/* Ids of images in the tracks become indices. */
static vd_status resolve_tracks(vd_model *m, const char *where, vd_err *err) {
    vd_status st = VD_OK;
    vd_ids images = { 0 };
    int64_t n = m->track_start[m->n_points];
    int64_t *ids = vd_mem_array((size_t)m->n_images, sizeof *ids);
    if (ids == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_images; i++) ids[i] = m->images[i].id;
    VD_GO(vd_ids_init(&images, ids, m->n_images, where, "image", err));
    for (int64_t e = 0; e < n; e++) {
        uint32_t id = (uint32_t)m->track_image[e];
        m->track_image[e] = vd_ids_find(&images, id);
        if (m->track_image[e] < 0)
            VD_GO(vd_fail(err, VD_E_FORMAT, "%s: a track has image %u, which is not there", where,
                          id));
    }
done:
    vd_ids_reset(&images);
    vd_mem_free(ids);
    return st;
}

vd_status vd_colmap_parse(vd_model *out, vd_colmap_form form,
                          const vd_colmap_part part[VD_COLMAP_PARTS], vd_err *err) {
    vd_status st = VD_OK;
    vd_colmap_in in = { 0 };
    const vd_colmap_codec *c = codec[form];
    const vd_colmap_part *cameras = &part[VD_COLMAP_CAMERAS], *images = &part[VD_COLMAP_IMAGES],
                         *points = &part[VD_COLMAP_POINTS];
    VD_GO(c->read[VD_COLMAP_CAMERAS](&in, cameras, err));
    VD_GO(vd_ids_init(&in.cameras, in.m.camera_ids, in.m.n_cameras, cameras->name, "camera", err));
    VD_GO(c->read[VD_COLMAP_POINTS](&in, points, err));
    VD_GO(vd_ids_init(&in.points, in.m.point_ids, in.m.n_points, points->name, "point", err));
    VD_GO(c->read[VD_COLMAP_IMAGES](&in, images, err));
    VD_GO(resolve_tracks(&in.m, points->name, err));
    VD_GO(vd_model_check(&in.m, images->name, err));
    *out = in.m;
    in.m = (vd_model){ 0 };
done:
    vd_ids_reset(&in.cameras);
    vd_ids_reset(&in.points);
    vd_model_reset(&in.m);
    return st;
}

vd_status vd_colmap_emit(vd_str part[VD_COLMAP_PARTS], const vd_model *m, vd_colmap_form form,
                         vd_err *err) {
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        VD_TRY(codec[form]->write[i](&part[i], m, err));
        VD_TRY(vd_str_check(&part[i], err));
    }
    return VD_OK;
}

/* ---- folders ---- */

static vd_status path_of(vd_str *s, const char *dir, const char *name, vd_colmap_form form,
                         vd_err *err) {
    vd_str_clear(s);
    vd_str_addf(s, "%s/%s.%s", dir, name, extension[form]);
    return vd_str_check(s, err);
}

static vd_status has(bool *out, const char *dir, const char *name, vd_colmap_form form,
                     vd_err *err) {
    vd_str path = { 0 };
    vd_status st = path_of(&path, dir, name, form, err);
    *out = st == VD_OK && access(path.data, F_OK) == 0;
    vd_str_reset(&path);
    return st;
}

static vd_status is_model(bool *out, const char *dir, vd_err *err) {
    bool bin = false, txt = false;
    VD_TRY(has(&bin, dir, part_name[0], VD_COLMAP_BINARY, err));
    VD_TRY(has(&txt, dir, part_name[0], VD_COLMAP_TEXT, err));
    *out = bin || txt;
    return VD_OK;
}

bool vd_colmap_is_model(const char *dir) {
    bool is = false;
    return is_model(&is, dir, NULL) == VD_OK && is;
}

static int is_visible(const struct dirent *e) {
    return e->d_name[0] != '.';
}

static char *join(const char *dir, const char *name) {
    vd_str s = { 0 };
    vd_str_addf(&s, "%s/%s", dir, name);
    char *out = s.status == VD_OK ? vd_mem_strdup(s.data) : NULL;
    vd_str_reset(&s);
    return out;
}

/* Takes the folder into the list if it has a model. */
static vd_status add_folder(char **list, int *n, char *dir, vd_err *err) {
    bool is = false;
    vd_status st = dir != NULL ? is_model(&is, dir, err) : vd_nomem(err);
    if (is)
        list[(*n)++] = dir;
    else
        vd_mem_free(dir);
    return st;
}

vd_status vd_colmap_find(char ***dir, int *n, const char *path, vd_err *err) {
    struct dirent **entry = NULL;
    vd_status st = VD_OK;
    int n_entries = scandir(path, &entry, is_visible, versionsort), found = 0;
    if (n_entries < 0)
        return errno == ENOENT ? vd_fail(err, VD_E_NOTFOUND, "colmap: no %.300s", path)
                               : vd_fail_errno(err, errno, "colmap: %.300s", path);
    char **list = vd_mem_array((size_t)n_entries + 1, sizeof *list);
    if (list == NULL) VD_GO(vd_nomem(err));
    VD_GO(add_folder(list, &found, vd_mem_strdup(path), err));
    for (int i = 0, itself = found; i < n_entries && !itself; i++)
        VD_GO(add_folder(list, &found, join(path, entry[i]->d_name), err));
    if (found == 0)
        VD_GO(vd_fail(err, VD_E_NOTFOUND,
                      "colmap: neither %.300s nor a folder in it has cameras.bin or cameras.txt",
                      path));
    *dir = list;
    *n = found;
    list = NULL;
done:
    vd_colmap_free_folders(list, found);
    for (int i = 0; i < n_entries; i++) free(entry[i]);
    free(entry);
    return st;
}

void vd_colmap_free_folders(char **dir, int n) {
    for (int i = 0; dir != NULL && i < n; i++) vd_mem_free(dir[i]);
    vd_mem_free(dir);
}

vd_status vd_colmap_read(vd_model *out, const char *dir, vd_err *err) {
    vd_status st = VD_OK;
    vd_str path[VD_COLMAP_PARTS] = { { 0 } };
    vd_colmap_part part[VD_COLMAP_PARTS] = { { 0 } };
    bool bin = false, txt = false;
    VD_TRY(has(&bin, dir, part_name[0], VD_COLMAP_BINARY, err));
    VD_TRY(has(&txt, dir, part_name[0], VD_COLMAP_TEXT, err));
    if (!bin && !txt)
        return vd_fail(err, VD_E_NOTFOUND,
                       "colmap: %.300s has no model: neither cameras.bin nor cameras.txt", dir);
    vd_colmap_form form = bin ? VD_COLMAP_BINARY : VD_COLMAP_TEXT;
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        char *data = NULL;
        VD_GO(path_of(&path[i], dir, part_name[i], form, err));
        VD_GO(vd_file_read(&data, &part[i].size, path[i].data, MAX_FILE, err));
        part[i].data = data;
        part[i].name = path[i].data;
    }
    st = vd_colmap_parse(out, form, part, err);
done:
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        vd_mem_free((void *)part[i].data);
        vd_str_reset(&path[i]);
    }
    return st;
}

/* COLMAP prefers .bin to .txt, and takes rigs and frames wherever they lie. */
static vd_status refuse_others(const char *dir, vd_colmap_form form, vd_err *err) {
    static const char *const name[] = { "cameras", "images", "points3D", "rigs", "frames" };
    for (int i = 0; i < VD_COUNT(name); i++)
        for (int f = VD_COLMAP_BINARY; f <= VD_COLMAP_TEXT; f++) {
            bool there = false, ours = i < VD_COLMAP_PARTS && f == (int)form;
            VD_TRY(has(&there, dir, name[i], (vd_colmap_form)f, err));
            if (there && !ours)
                return vd_fail(err, VD_E_EXISTS,
                               "colmap: %.300s has %s.%s of another model; give an empty folder",
                               dir, name[i], extension[f]);
        }
    return VD_OK;
}

vd_status vd_colmap_write(const vd_model *m, const char *dir, vd_colmap_form form, vd_err *err) {
    vd_status st = VD_OK;
    vd_str part[VD_COLMAP_PARTS] = { { 0 } }, path = { 0 };
    VD_GO(vd_colmap_emit(part, m, form, err));
    VD_GO(vd_dir_make(dir, err));
    VD_GO(refuse_others(dir, form, err));
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        VD_GO(path_of(&path, dir, part_name[i], form, err));
        VD_GO(vd_file_write(path.data, vd_str_text(&part[i]), (size_t)part[i].size, err));
    }
done:
    for (int i = 0; i < VD_COLMAP_PARTS; i++) vd_str_reset(&part[i]);
    vd_str_reset(&path);
    return st;
}
