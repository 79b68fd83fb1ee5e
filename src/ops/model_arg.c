/* What lies at a path is told by what is in it. SPDX-License-Identifier: Apache-2.0 */
#include "ops/model_arg.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "eval/truth.h"
#include "geometry/rigid.h"
#include "recon/colmap.h"
#include "recon/nerfstudio.h"
#include "scene/scenes.h"

static const size_t MAX_JSON = (size_t)1 << 30;
/* Only poses are asked of files that do not know how large the pictures are. */
static const vd_nerfstudio_opt poses_only = { .prefix = "images/", .width = 1, .height = 1 };

static vd_status is_folder(bool *out, const char *path, vd_err *err) {
    struct stat sb;
    if (stat(path, &sb) != 0)
        return errno == ENOENT ? vd_fail(err, VD_E_NOTFOUND, "model: no %.300s", path)
                               : vd_fail_errno(err, errno, "model: %.300s", path);
    *out = S_ISDIR(sb.st_mode);
    return VD_OK;
}

static vd_status model_of_dataset(vd_model *out, const char *path, int64_t scene, vd_err *err) {
    vd_dataset *ds = NULL;
    VD_TRY(vd_dataset_open(&ds, path, VD_DB_READ, &vd_stage_schema, err));
    vd_status st = vd_scene_load(out, ds, scene, err);
    vd_dataset_close(ds);
    return st;
}

vd_status vd_model_from_arg(vd_model *out, const char *path, vd_err *err) {
    bool folder = false;
    VD_TRY(is_folder(&folder, path, err));
    if (folder && vd_dataset_is(path)) return model_of_dataset(out, path, 1, err);
    return folder ? vd_colmap_read(out, path, err)
                  : vd_nerfstudio_read(out, path, &poses_only, err);
}

vd_status vd_poses_of_model(vd_pose_set *out, const vd_model *m, vd_err *err) {
    vd_pose_set s = { 0 };
    vd_status st = VD_OK;
    for (int32_t i = 0; i < m->n_images && st == VD_OK; i++) {
        double r[9];
        vd_quat_matrix(r, m->images[i].cam_from_world.q);
        st = vd_pose_set_add(&s, m->images[i].name, r, vd_rigid_centre(m->images[i].cam_from_world),
                             err);
    }
    if (st == VD_OK)
        *out = s;
    else
        vd_pose_set_reset(&s);
    return st;
}

static vd_status truth_of_model(vd_pose_set *out, const char *path, vd_err *err) {
    vd_model m = { 0 };
    vd_status st = vd_model_from_arg(&m, path, err);
    if (st == VD_OK) st = vd_poses_of_model(out, &m, err);
    vd_model_reset(&m);
    return st;
}

static vd_status truth_of_file(vd_pose_set *out, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, MAX_JSON, err));
    bool synth = false;
    vd_status st = vd_truth_is_json(&synth, text, size, err);
    if (st == VD_OK && synth) st = vd_truth_parse_json(out, path, text, size, err);
    vd_mem_free(text);
    return st != VD_OK || synth ? st : truth_of_model(out, path, err);
}

/* In what `synth` wrote: the folder itself, or its truth/. "" where it is no such folder. */
static vd_status synth_truth(vd_str *out, const char *dir, vd_err *err) {
    static const char *const name[] = { "truth/truth.json", "truth.json", "truth/cameras.json",
                                        "cameras.json" };
    for (int i = 0; i < VD_COUNT(name); i++) {
        vd_str_clear(out);
        vd_str_addf(out, "%s/%s", dir, name[i]);
        VD_TRY(vd_str_check(out, err));
        if (access(out->data, F_OK) == 0) return VD_OK;
    }
    vd_str_clear(out);
    return VD_OK;
}

static vd_status truth_of_folder(vd_pose_set *out, const char *path, vd_err *err) {
    vd_str file = { 0 };
    if (vd_truth_is_strecha(path)) return vd_truth_read_strecha(out, path, err);
    vd_status st = synth_truth(&file, path, err);
    if (st == VD_OK)
        st = file.size > 0 ? truth_of_file(out, file.data, err) : truth_of_model(out, path, err);
    vd_str_reset(&file);
    return st;
}

vd_status vd_truth_from_arg(vd_pose_set *out, const char *path, vd_err *err) {
    bool folder = false;
    VD_TRY(is_folder(&folder, path, err));
    return folder ? truth_of_folder(out, path, err) : truth_of_file(out, path, err);
}
