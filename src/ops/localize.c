/* Operation localize: where pictures outside of a dataset were taken, in one of its scenes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "feature/match.h"
#include "geometry/resection.h"
#include "geometry/rigid.h"
#include "image/codec.h"
#include "image/sensors.h"
#include "image/working.h"
#include "ops/op.h"
#include "stage/features.h"
#include "scene/imported.h"
#include "scene/scenes.h"
#include "scene/views.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "image",
      .flags = VD_POSITIONAL | VD_REQUIRED | VD_MANY,
      .value = "IMAGE",
      .help = "pictures to place" },
    { .name = "scene",
      .type = VD_T_INT,
      .min = 1,
      .max = 1e9,
      .def = "1",
      .help = "in this scene" },
    { .name = "camera",
      .value = "MODEL,WIDTH,HEIGHT,PARAMS",
      .help =
          "their intrinsics; default: those of the scene's camera of the same size, else found" },
    { .name = "feature-side",
      .type = VD_T_INT,
      .min = 64,
      .max = 32768,
      .def = "1600",
      .help = "long side of the picture that keypoints are found on, px" },
};

enum {
    C_IMAGE,
    C_PLACED,
    C_INLIERS,
    C_MATCHES,
    C_QW,
    C_QX,
    C_QY,
    C_QZ,
    C_TX,
    C_TY,
    C_TZ,
    C_X,
    C_Y,
    C_Z,
    C_FOCAL,
    C_WHY,
    N_COLUMNS
};

static const vd_column columns[N_COLUMNS] = {
    [C_IMAGE] = { "image", VD_TEXT, "", "as given", 0 },
    [C_PLACED] = { "placed", VD_INT, "", "1 where a pose was found", 0 },
    [C_INLIERS] = { "inliers", VD_INT, "", "keypoints that agree with the pose", 0 },
    [C_MATCHES] = { "matches", VD_INT, "", "keypoints that look like a point of the scene", 0 },
    [C_QW] = { "qw", VD_REAL, "", "rotation of cam_from_world", 0 },
    [C_QX] = { "qx", VD_REAL, "", "", 0 },
    [C_QY] = { "qy", VD_REAL, "", "", 0 },
    [C_QZ] = { "qz", VD_REAL, "", "", 0 },
    [C_TX] = { "tx", VD_REAL, "scene units", "translation of cam_from_world", 0 },
    [C_TY] = { "ty", VD_REAL, "scene units", "", 0 },
    [C_TZ] = { "tz", VD_REAL, "scene units", "", 0 },
    [C_X] = { "centre_x", VD_REAL, "scene units", "where the camera stood", 0 },
    [C_Y] = { "centre_y", VD_REAL, "scene units", "", 0 },
    [C_Z] = { "centre_z", VD_REAL, "scene units", "", 0 },
    [C_FOCAL] = { "focal_px", VD_REAL, "px", "focal length used or found", 0 },
    [C_WHY] = { "why", VD_TEXT, "", "why it was not placed", 0 },
};

/* The points that one registered picture shows, as that picture shows them. */
typedef struct shown {
    uint8_t *desc;
    int32_t *point;
    int n;
} shown;

typedef struct localizer {
    vd_opcall *c;
    vd_dataset *ds;
    vd_model scene;
    shown *images;
    int64_t n_shown;
    bool imported;
    vd_codec *codec;
    vd_match_work *match;
    vd_working working;
    /* of the picture at hand */
    const char *path;
    vd_features features;
    vd_camera camera;
    bool known; /* its intrinsics */
    double *uv, *xyz;
    int64_t cap_uv, cap_xyz;
    int n;
} localizer;

/* ---- the scene ---- */

/* What each of a picture's keypoints shows. An imported model may have keypoints of its own. */
static vd_status shown_points(const localizer *l, int32_t *point, const vd_features *f,
                              const vd_model_image *image, vd_err *err) {
    if (l->imported)
        return vd_imported_points(point, f->kp, f->n, image, &l->scene.cameras[image->camera], err);
    for (int32_t k = 0; k < f->n; k++) point[k] = k < image->n ? image->point[k] : -1;
    return VD_OK;
}

static vd_status load_shown(localizer *l, int32_t i, int64_t asset, vd_err *err) {
    const vd_model_image *image = &l->scene.images[i];
    shown *s = &l->images[i];
    vd_features f = { 0 };
    int32_t *point = NULL;
    vd_err why = { 0 };
    vd_status st = vd_features_load(&f, l->ds, asset, &why);
    if (st == VD_E_NOTFOUND && l->imported) return VD_OK; /* ours were never found in it */
    if (st != VD_OK) return vd_fail(err, st, "%s", why.msg);
    s->desc = vd_mem_alloc((size_t)f.n * VD_SIFT_DIM + 1);
    s->point = vd_mem_array((size_t)f.n + 1, sizeof *s->point);
    point = vd_mem_array((size_t)f.n + 1, sizeof *point);
    if (s->desc == NULL || s->point == NULL || point == NULL) VD_GO(vd_nomem(err));
    VD_GO(shown_points(l, point, &f, image, err));
    for (int32_t k = 0; k < f.n; k++) {
        if (point[k] < 0) continue;
        memcpy(s->desc + (size_t)s->n * VD_SIFT_DIM, f.desc + (size_t)k * VD_SIFT_DIM, VD_SIFT_DIM);
        s->point[s->n++] = point[k];
    }
    l->n_shown += s->n;
done:
    vd_mem_free(point);
    vd_features_reset(&f);
    return st;
}

static vd_status load_scene(localizer *l, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *assets = NULL, n = 0, number = 0, scene = vd_arg_int(l->c, "scene");
    VD_GO(vd_scenes_import_number(&number, vd_dataset_db(l->ds), err));
    l->imported = number > 0;
    VD_GO(vd_scene_load(&l->scene, l->ds, scene, err));
    VD_GO(vd_scene_assets(&assets, &n, l->ds, scene, err));
    l->images = vd_mem_array((size_t)l->scene.n_images + 1, sizeof *l->images);
    if (l->images == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < l->scene.n_images; i++) VD_GO(load_shown(l, i, assets[i], err));
    if (l->n_shown == 0)
        VD_GO(vd_fail(err, VD_E_NOTFOUND,
                      "localize: no points of scene %lld have descriptors; see vidimus run"
                      " --only check,features",
                      (long long)scene));
done:
    vd_mem_free(assets);
    return st;
}

/* ---- the picture ---- */

/* The camera that was asked for, or one of the scene's for pictures of this size. */
static vd_status choose_camera(localizer *l, const vd_frame *f, const vd_media *m, vd_err *err) {
    const char *given = vd_arg_text(l->c, "camera");
    l->known = true;
    if (given != NULL) {
        VD_TRY(vd_camera_parse(&l->camera, given, err));
        if (l->camera.width == f->width && l->camera.height == f->height) return VD_OK;
        l->camera = vd_camera_scaled(&l->camera, (double)f->width / l->camera.width,
                                     (double)f->height / l->camera.height);
        return VD_OK;
    }
    for (int32_t i = 0; i < l->scene.n_cameras; i++)
        if (l->scene.cameras[i].width == f->width && l->scene.cameras[i].height == f->height) {
            l->camera = l->scene.cameras[i];
            return VD_OK;
        }
    double focal = vd_focal_px(m->model, m->focal_mm, m->focal_35mm, f->width, f->height);
    if (!(focal > 0)) focal = vd_focal_guess_px(f->width, f->height);
    l->camera = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, focal, f->width, f->height);
    l->known = false;
    return VD_OK;
}

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    localizer *l = user;
    vd_sift_opt opt = VD_SIFT_OPT;
    (void)time_s;
    if (index > 0) return VD_OK;
    VD_TRY(choose_camera(l, f, m, err));
    VD_TRY(vd_working_make(&l->working, f, (int32_t)vd_arg_int(l->c, "feature-side"), err));
    const vd_pixels *p = &l->working.luma;
    VD_TRY(
        vd_sift_extract(&l->features, p->data, p->width, p->height, p->width, NULL, 0, &opt, err));
    for (int i = 0; i < l->features.n; i++) {
        l->features.kp[i].x *= (float)f->width / (float)p->width;
        l->features.kp[i].y *= (float)f->height / (float)p->height;
    }
    return VD_OK;
}

static vd_status read_picture(localizer *l, vd_media *media, vd_err *err) {
    struct stat sb;
    vd_decode_opt opt = VD_DECODE_OPT;
    opt.all_pages = false;
    l->features.n = 0;
    int fd = open(l->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb) != 0) {
        int errnum = errno;
        if (fd >= 0) close(fd);
        return vd_fail_errno(err, errnum, "localize: %s", l->path);
    }
    const vd_source source = { .name = l->path, .fd = fd, .size = (int64_t)sb.st_size };
    vd_status st = vd_codec_decode(l->codec, &source, &opt, on_frame, l, media, err);
    close(fd);
    return st;
}

/* ---- matching ---- */

/* Each keypoint with each point that some picture shows like it, once. */
static vd_status match_scene(localizer *l, vd_err *err) {
    vd_status st = VD_OK;
    vd_match *m = NULL;
    const vd_match_opt opt = VD_MATCH_OPT;
    int n = 0;
    int32_t *seen = vd_mem_array((size_t)l->features.n + 1, sizeof *seen); /* last point + 1 */
    if (seen == NULL) return vd_nomem(err);
    l->n = 0;
    for (int32_t i = 0; i < l->scene.n_images; i++) {
        const shown *s = &l->images[i];
        if (s->n == 0 || l->features.n == 0) continue;
        VD_GO(vd_match_pair(&m, &n, l->features.desc, l->features.n, s->desc, s->n, &opt, l->match,
                            err));
        VD_GO(VD_GROW(l->uv, l->cap_uv, 2 * (int64_t)(l->n + n), err));
        VD_GO(VD_GROW(l->xyz, l->cap_xyz, 3 * (int64_t)(l->n + n), err));
        for (int k = 0; k < n; k++) {
            int32_t p = s->point[m[k].b];
            if (seen[m[k].a] == p + 1) continue;
            seen[m[k].a] = p + 1;
            l->uv[2 * l->n] = l->features.kp[m[k].a].x;
            l->uv[2 * l->n + 1] = l->features.kp[m[k].a].y;
            memcpy(l->xyz + 3 * l->n, l->scene.xyz + 3 * (int64_t)p, 3 * sizeof *l->xyz);
            l->n++;
        }
        vd_mem_free(m);
        m = NULL;
    }
done:
    vd_mem_free(m);
    vd_mem_free(seen);
    return st;
}

static vd_status resect(localizer *l, vd_rigid *pose, int *inliers, vd_err *err) {
    vd_resection_opt opt = VD_RESECTION_OPT;
    opt.min_inliers = 12;
    opt.min_inlier_ratio = 0.02; /* a picture may share little with the scene */
    if (l->known)
        return vd_resection(pose, NULL, inliers, &l->camera, l->uv, l->xyz, l->n, &opt, err);
    return vd_resection_focal(pose, &l->camera, NULL, inliers, l->uv, l->xyz, l->n, &opt, err);
}

static vd_status localize(localizer *l, const char *path, vd_err *err) {
    vd_value out[N_COLUMNS] = { [C_IMAGE] = vd_val_text(path), [C_PLACED] = vd_val_int(0) };
    vd_media media;
    vd_rigid pose = VD_RIGID_ONE;
    vd_err why = { 0 };
    int inliers = 0;
    l->path = path;
    vd_status st = read_picture(l, &media, &why);
    if (st == VD_E_NOMEM || st == VD_E_ARG || st == VD_E_CANCEL)
        return vd_fail(err, st, "%s", why.msg);
    if (st != VD_OK || l->features.n == 0) { /* one bad picture does not stop the others */
        out[C_WHY] = vd_val_text(st != VD_OK                ? why.msg
                                 : media.verdict == VD_V_OK ? "no features"
                                                            : media.reason);
        return vd_out_row(l->c, out, err);
    }
    VD_TRY(match_scene(l, err));
    if (l->n >= 4) VD_TRY(resect(l, &pose, &inliers, err));
    out[C_MATCHES] = vd_val_int(l->n);
    out[C_INLIERS] = vd_val_int(inliers);
    if (inliers == 0) {
        out[C_WHY] = vd_val_text(l->n < 12 ? "too few points of the scene are in it"
                                           : "its matches agree on no pose");
        return vd_out_row(l->c, out, err);
    }
    vd_vec3 x = vd_rigid_centre(pose);
    const double v[] = { pose.q.w,
                         pose.q.x,
                         pose.q.y,
                         pose.q.z,
                         pose.t.x,
                         pose.t.y,
                         pose.t.z,
                         x.x,
                         x.y,
                         x.z,
                         vd_camera_mean_focal(&l->camera) };
    out[C_PLACED] = vd_val_int(1);
    for (int i = 0; i < VD_COUNT(v); i++) out[C_QW + i] = vd_val_real(v[i]);
    return vd_out_row(l->c, out, err);
}

static vd_status localize_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    const char *const *paths = NULL;
    int n = vd_arg_many(c, "image", &paths);
    localizer l = { .c = c };
    VD_GO(vd_op_open(c, VD_DB_READ, &l.ds, err));
    VD_GO(load_scene(&l, err));
    VD_GO(vd_codec_new(&l.codec, c->libexec_dir, err));
    VD_GO(vd_match_work_new(&l.match, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    for (int i = 0; i < n; i++) {
        if (c->on_cancel != NULL && c->on_cancel(c->user))
            VD_GO(vd_fail(err, VD_E_CANCEL, "localize: stopped"));
        VD_GO(localize(&l, paths[i], err));
    }
done:
    for (int32_t i = 0; l.images != NULL && i < l.scene.n_images; i++) {
        vd_mem_free(l.images[i].desc);
        vd_mem_free(l.images[i].point);
    }
    vd_mem_free(l.images);
    vd_model_reset(&l.scene);
    vd_features_reset(&l.features);
    vd_match_work_free(l.match);
    vd_codec_free(l.codec);
    vd_working_reset(&l.working);
    vd_mem_free(l.uv);
    vd_mem_free(l.xyz);
    vd_dataset_close(l.ds);
    return st;
}

const vd_op vd_op_localize = {
    .name = "localize",
    .summary = "where pictures were taken, in a scene of the dataset",
    .help =
        "The pictures need not belong to the dataset and are not added to it. Without --camera, a picture\n"
        "of the size of one of the scene's is taken for that camera's; of others the focal length is found.",
    .example = "vidimus localize captures.vidimus phone.jpg --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .run = localize_op,
};
