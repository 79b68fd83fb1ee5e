/* Stage features: SIFT on the working luma while the pixels are there. SPDX-License-Identifier:
 * Apache-2.0 */
#include "stage/features.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "image/codec.h"
#include "image/working.h"
#include "stage/work.h"
#include "store/arrays.h"

enum { C_FEATURES, C_WIDTH, C_HEIGHT, C_MASKED, N_COLUMNS };

/* Smaller pictures are icons and patches: nothing in them could be placed in space. */
enum { LEAST_SIDE = 96 };

static const vd_column columns[N_COLUMNS] = {
    [C_FEATURES] = { "features", VD_INT, "", "SIFT keypoints found", 0 },
    [C_WIDTH] = { "feature_width", VD_INT, "px", "of the picture they were found on",
                  VD_COL_HIDDEN },
    [C_HEIGHT] = { "feature_height", VD_INT, "px", "of the picture they were found on",
                   VD_COL_HIDDEN },
    [C_MASKED] = { "masked", VD_REAL, "", "fraction of the picture that its mask leaves out", 0 },
};

const vd_table_decl vd_table_features = { "fact_features", columns, N_COLUMNS };

struct vd_feature_tmp {
    vd_working working;
    vd_sift_work *sift;
    const char *libexec_dir;
    vd_codec *codec; /* for masks; NULL until the first */
    vd_pixels mask;  /* as large as the working luma */
    uint8_t *colours;
    int64_t cap_colours;
};

vd_status vd_feature_tmp_new(vd_feature_tmp **out, const char *libexec_dir, vd_err *err) {
    vd_feature_tmp *t = vd_mem_array(1, sizeof *t);
    if (t == NULL) return vd_nomem(err);
    t->libexec_dir = libexec_dir;
    vd_status st = vd_sift_work_new(&t->sift, err);
    if (st != VD_OK)
        vd_feature_tmp_free(t);
    else
        *out = t;
    return st;
}

void vd_feature_tmp_free(vd_feature_tmp *t) {
    if (t == NULL) return;
    vd_working_reset(&t->working);
    vd_sift_work_free(t->sift);
    vd_codec_free(t->codec);
    vd_pixels_reset(&t->mask);
    vd_mem_free(t->colours);
    vd_mem_free(t);
}

void vd_feature_tmp_rest(vd_feature_tmp *t) {
    vd_sift_work_rest(t->sift);
}

/* ---- masks ---- */

/* The mask of the size of the working luma, 0 where the file has 0; its left-out fraction. */
static vd_status take_mask(void *user, const vd_frame *f, const vd_media *media, int64_t index,
                           double time_s, vd_err *err) {
    vd_feature_tmp *t = user;
    const vd_pixels *luma = &t->working.luma;
    (void)media, (void)time_s;
    if (index > 0) return VD_OK;
    VD_TRY(vd_pixels_shape(&t->mask, luma->width, luma->height, 1, err));
    for (int32_t y = 0; y < luma->height; y++)
        for (int32_t x = 0; x < luma->width; x++) {
            uint8_t rgb[3];
            vd_frame_colour(f, (int32_t)((2LL * x + 1) * f->width / (2 * luma->width)),
                            (int32_t)((2LL * y + 1) * f->height / (2 * luma->height)), rgb);
            t->mask.data[(int64_t)y * luma->width + x] = rgb[0] | rgb[1] | rgb[2] ? 255 : 0;
        }
    return VD_OK;
}

static vd_status decode_mask(vd_feature_tmp *t, const char *path, int fd, bool *found,
                             vd_err *err) {
    struct stat sb;
    vd_media media;
    vd_decode_opt opt = VD_DECODE_OPT;
    opt.all_pages = false;
    if (fstat(fd, &sb) != 0) return vd_fail_errno(err, errno, "mask: %s", path);
    const vd_source source = { .name = path, .fd = fd, .size = (int64_t)sb.st_size };
    if (t->codec == NULL) VD_TRY(vd_codec_new(&t->codec, t->libexec_dir, err));
    VD_TRY(vd_codec_decode(t->codec, &source, &opt, take_mask, t, &media, err));
    *found = media.verdict == VD_V_OK || media.verdict == VD_V_WRONG_EXTENSION;
    if (!*found)
        return vd_fail(err, VD_E_FORMAT, "mask: %s cannot be decoded: %s", path, media.reason);
    return VD_OK;
}

/* DIR/NAME.png, NAME being the file name with its extension (COLMAP's convention). */
static vd_status find_mask(vd_feature_tmp *t, const char *dir, const char *uri, bool *found,
                           vd_err *err) {
    vd_str path = { 0 };
    *found = false;
    vd_str_addf(&path, "%s/%s.png", dir, vd_path_name(uri));
    vd_status st = vd_str_check(&path, err);
    int fd = st == VD_OK ? open(path.data, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        st = decode_mask(t, path.data, fd, found, err);
        close(fd);
    }
    vd_str_reset(&path);
    return st;
}

static double left_out(const vd_pixels *mask) {
    int64_t n = (int64_t)mask->width * mask->height, zero = 0;
    for (int64_t i = 0; i < n; i++) zero += mask->data[i] == 0;
    return (double)zero / (double)n;
}

/* ---- the arrays ---- */

static vd_status write_arrays(const vd_dataset *ds, int64_t id, const vd_features *f,
                              const uint8_t *colours, vd_err *err) {
    const vd_npy kp = { .type = VD_NPY_F32, .n_dims = 2, .dim = { f->n, 4 } };
    const vd_npy desc = { .type = VD_NPY_U8, .n_dims = 2, .dim = { f->n, VD_SIFT_DIM } };
    const vd_npy rgb = { .type = VD_NPY_U8, .n_dims = 2, .dim = { f->n, 3 } };
    VD_TRY(vd_array_write(ds, "keypoints", id, &kp, f->kp, err));
    VD_TRY(vd_array_write(ds, "descriptors", id, &desc, f->desc, err));
    return vd_array_write(ds, "colours", id, &rgb, colours, err);
}

vd_status vd_keypoints_load(vd_keypoint **kp, int *n, const vd_dataset *ds, int64_t asset_id,
                            vd_err *err) {
    void *data = NULL;
    int64_t rows = 0;
    VD_TRY(vd_array_read(ds, "keypoints", asset_id, VD_NPY_F32, 4, &data, &rows, err));
    *kp = data;
    *n = (int)VD_MIN(rows, VD_SIFT_MAX_FEATURES);
    return VD_OK;
}

vd_status vd_colours_load(uint8_t **rgb, int *n, const vd_dataset *ds, int64_t asset_id,
                          vd_err *err) {
    void *data = NULL;
    int64_t rows = 0;
    VD_TRY(vd_array_read(ds, "colours", asset_id, VD_NPY_U8, 3, &data, &rows, err));
    *rgb = data;
    *n = (int)VD_MIN(rows, VD_SIFT_MAX_FEATURES);
    return VD_OK;
}

vd_status vd_features_load(vd_features *out, const vd_dataset *ds, int64_t asset_id, vd_err *err) {
    vd_features f = { 0 };
    void *desc = NULL;
    int64_t rows = 0;
    vd_status st = vd_keypoints_load(&f.kp, &f.n, ds, asset_id, err);
    if (st == VD_OK)
        st = vd_array_read(ds, "descriptors", asset_id, VD_NPY_U8, VD_SIFT_DIM, &desc, &rows, err);
    f.desc = desc;
    if (st == VD_OK && rows != f.n)
        st = vd_fail(err, VD_E_FORMAT, "features of asset %lld: %d keypoints, %lld descriptors",
                     (long long)asset_id, f.n, (long long)rows);
    if (st != VD_OK) {
        vd_features_reset(&f);
        return st;
    }
    vd_features_reset(out);
    *out = f;
    return VD_OK;
}

void vd_features_remove(const vd_dataset *ds, int64_t asset_id) {
    vd_array_remove(ds, "keypoints", asset_id);
    vd_array_remove(ds, "descriptors", asset_id);
    vd_array_remove(ds, "colours", asset_id);
}

/* ---- the stage ---- */

/* From the working picture to the full one, and each keypoint's colour there. */
static vd_status finish(vd_feature_tmp *t, const vd_frame *frame, vd_features *f, vd_err *err) {
    float sx = (float)frame->width / (float)t->working.luma.width;
    float sy = (float)frame->height / (float)t->working.luma.height;
    VD_TRY(VD_GROW(t->colours, t->cap_colours, 3 * (int64_t)f->n + 1, err));
    for (int i = 0; i < f->n; i++) {
        vd_keypoint *k = &f->kp[i];
        k->x *= sx;
        k->y *= sy;
        k->scale *= sqrtf(sx * sy);
        vd_frame_colour(frame, (int32_t)k->x, (int32_t)k->y, t->colours + 3 * i);
    }
    return VD_OK;
}

static vd_status run_features(vd_asset_work *w, vd_value *out, vd_err *err) {
    const vd_run_opt *opt = w->run->opt;
    vd_feature_tmp *t = w->features;
    vd_sift_opt sift = VD_SIFT_OPT;
    vd_features f = { 0 };
    bool masked = false;
    if (w->frame == NULL || VD_MAX(w->frame->width, w->frame->height) < LEAST_SIDE) return VD_OK;
    sift.max_features = opt->max_features;
    VD_TRY(vd_working_make(&t->working, w->frame, opt->feature_side, err));
    if (opt->masks != NULL) VD_TRY(find_mask(t, opt->masks, w->item->uri, &masked, err));
    const vd_pixels *luma = &t->working.luma;
    vd_status st =
        vd_sift_extract_in(t->sift, &f, luma->data, luma->width, luma->height, luma->width,
                           masked ? t->mask.data : NULL, luma->width, &sift, err);
    if (st == VD_OK) st = finish(t, w->frame, &f, err);
    if (st == VD_OK && f.n > 0) st = write_arrays(w->run->ds, w->id, &f, t->colours, err);
    out[C_FEATURES] = vd_val_int(f.n);
    out[C_WIDTH] = vd_val_int(luma->width);
    out[C_HEIGHT] = vd_val_int(luma->height);
    if (masked) out[C_MASKED] = vd_val_real(left_out(&t->mask));
    vd_features_reset(&f);
    return st;
}

static void params(const vd_run_opt *opt, vd_str *out) {
    vd_str_addf(out, "max_features=%d;side=%d;", opt->max_features, opt->feature_side);
    if (opt->masks != NULL) vd_str_addf(out, "masks=%s;", opt->masks);
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    int64_t pictures = 0, all = 0;
    vd_db *db = vd_dataset_db(run->ds);
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM fact_features WHERE features > 0", &pictures, err));
    VD_TRY(vd_db_int(db, "SELECT coalesce(sum(features), 0) FROM fact_features", &all, err));
    vd_str_count(out, all);
    vd_str_add(out, " in ");
    vd_str_count(out, pictures);
    vd_str_add(out, pictures == 1 ? " picture" : " pictures");
    return vd_str_check(out, err);
}

const vd_stage vd_stage_features = {
    .name = "features",
    .help = "SIFT keypoints and descriptors",
    .version = 1,
    .scope = VD_SCOPE_ASSET,
    .inputs = "add,check",
    .table = &vd_table_features,
    .needs_pixels = true,
    .params = params,
    .asset = run_features,
    .summary = summary,
};
