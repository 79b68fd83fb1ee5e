/* Scenes as other programs read them; see export.h. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "ops/export.h"
#include "ops/undistort.h"
#include "recon/bundler.h"
#include "recon/colmap.h"
#include "recon/nerfstudio.h"
#include "recon/ply.h"
#include "scene/scenes.h"

static const vd_column columns[] = {
    { "scene", VD_INT, "", "as in the catalog", 0 },
    { "path", VD_TEXT, "", "what was written", 0 },
    { "images", VD_INT, "", "registered pictures", 0 },
    { "points", VD_INT, "", "points", 0 },
};

static vd_status write_model(vd_opcall *c, const vd_model *m, const char *dir, vd_err *err) {
    const char *format = vd_arg_text(c, "format");
    vd_str a = { 0 }, b = { 0 };
    vd_status st = VD_OK;
    if (strcmp(format, "colmap") == 0)
        return vd_colmap_write(m, dir, vd_arg_flag(c, "text") ? VD_COLMAP_TEXT : VD_COLMAP_BINARY,
                               err);
    VD_TRY(vd_dir_make(dir, err));
    if (strcmp(format, "nerfstudio") == 0) {
        vd_nerfstudio_opt opt = VD_NERFSTUDIO_OPT;
        opt.ply = "points.ply";
        vd_str_addf(&a, "%s/transforms.json", dir);
        vd_str_addf(&b, "%s/points.ply", dir);
        if ((st = vd_str_check(&b, err)) == VD_OK) st = vd_nerfstudio_write(m, a.data, &opt, err);
        if (st == VD_OK) st = vd_ply_write(m, b.data, NULL, err);
    } else if (strcmp(format, "ply") == 0) {
        vd_str_addf(&a, "%s/points.ply", dir);
        if ((st = vd_str_check(&a, err)) == VD_OK) st = vd_ply_write(m, a.data, NULL, err);
    } else {
        const vd_bundler_opt opt = { .mean_focal = true };
        vd_str_addf(&a, "%s/bundle.out", dir);
        vd_str_addf(&b, "%s/list.txt", dir);
        if ((st = vd_str_check(&b, err)) == VD_OK)
            st = vd_bundler_write(m, a.data, b.data, &opt, err);
    }
    vd_str_reset(&a);
    vd_str_reset(&b);
    return st;
}

static vd_status export_scene(vd_opcall *c, vd_dataset *ds, int64_t scene, vd_err *err) {
    vd_model m = { 0 };
    vd_str dir = { 0 }, images = { 0 };
    vd_status st = VD_OK;
    int64_t *assets = NULL, n = 0;
    vd_str_addf(&dir, "%s/%lld", vd_arg_text(c, "out"), (long long)scene - 1);
    vd_str_addf(&images, "%s/images", vd_str_text(&dir));
    VD_GO(vd_str_check(&images, err));
    VD_GO(vd_scene_load(&m, ds, scene, err));
    if (vd_arg_flag(c, "undistort")) {
        VD_GO(vd_dir_make(dir.data, err));
        VD_GO(vd_scene_assets(&assets, &n, ds, scene, err));
        VD_GO(vd_undistort_model(c, ds, &m, assets, images.data, err));
    }
    VD_GO(write_model(c, &m, dir.data, err));
    const vd_value row[] = { vd_val_int(scene), vd_val_text(dir.data), vd_val_int(m.n_images),
                             vd_val_int(m.n_points) };
    VD_GO(vd_out_row(c, row, err));
done:
    vd_model_reset(&m);
    vd_mem_free(assets);
    vd_str_reset(&images);
    vd_str_reset(&dir);
    return st;
}

vd_status vd_export_scenes(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    int64_t n = 0, only = vd_arg_int(c, "scene");
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(vd_db_int(vd_dataset_db(ds), "SELECT count(*) FROM scene", &n, err));
    if (n == 0 || only > n)
        VD_GO(vd_fail(err, VD_E_NOTFOUND, "export: %s has %lld scenes%s", vd_dataset_dir(ds),
                      (long long)n, n == 0 ? "; see vidimus run" : ""));
    VD_GO(vd_dir_make(vd_arg_text(c, "out"), err));
    VD_GO(vd_out_columns(c, columns, VD_COUNT(columns), err));
    for (int64_t k = 1; k <= n; k++)
        if (only == 0 || only == k) VD_GO(export_scene(c, ds, k, err));
done:
    vd_dataset_close(ds);
    return st;
}
