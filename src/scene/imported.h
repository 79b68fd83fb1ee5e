/* Scenes that came from another program. SPDX-License-Identifier: Apache-2.0
 *
 * A dataset's scenes are all its own, made by stage reconstruct, or all imported: a picture has one
 * place. Imported ones have the configuration "import" as their key and stay until they are
 * imported or reconstructed anew. Beside the arrays that every scene has they keep the model as it
 * came, in COLMAP's binary form: model_cameras, model_images, model_points3D (uint8). */
#ifndef VD_SCENE_IMPORTED_H
#define VD_SCENE_IMPORTED_H

#include "feature/sift.h"
#include "recon/model.h"
#include "store/dataset.h"

typedef struct vd_imported_scene {
    const vd_model *model;
    const int64_t *assets; /* of its images */
    const char *from;      /* where it was read, for provenance */
} vd_imported_scene;

/* Replaces every scene of the dataset by these: scene k + 1 is scenes[k]; a picture that several
 * have belongs to the first. All or nothing, also when the process dies. `format` and `from` make
 * the provenance. Fails with VD_E_NOMEM, VD_E_IO and catalog errors. */
vd_status vd_scenes_import(vd_dataset *ds, const char *format, const vd_imported_scene *scenes,
                           int n, vd_err *err);

/* Which import the present scenes come from, counted from 1; 0: they are the dataset's own. */
vd_status vd_scenes_import_number(int64_t *number, vd_db *db, vd_err *err);
/* The id of a scene's arrays: imports have ids of their own, so that none overwrites what the
 * catalog still speaks of. */
int64_t vd_scene_array(int64_t number, int64_t scene);
/* Deletes what an import has left, once the catalog speaks of it no more. */
void vd_scenes_import_remove(const vd_dataset *ds, int64_t number, int64_t n_scenes);

/* The model of an imported scene, as it came. Fails with VD_E_NOTFOUND, VD_E_FORMAT, VD_E_NOMEM. */
vd_status vd_imported_load(vd_model *out, const vd_dataset *ds, int64_t number, int64_t scene,
                           vd_err *err);

/* point[n]: what each of our keypoints shows: the point that the nearest keypoint of the model
 * shows, if one lies within a thousandth of the picture's longer side, else -1. Fails with
 * VD_E_NOMEM. */
vd_status vd_imported_points(int32_t *point, const vd_keypoint *kp, int n,
                             const vd_model_image *image, const vd_camera *camera, vd_err *err);
#endif
