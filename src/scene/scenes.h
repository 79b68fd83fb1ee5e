/* Reading scenes back from the catalog. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SCENE_SCENES_H
#define VD_SCENE_SCENES_H

#include "recon/model.h"
#include "stage/stages.h"

/* A scene as a model: its registered pictures with all their keypoints, named by their file names,
 * or, where two would have the same, by their paths below the folder that holds them all. Ids of
 * images and points count from 1; cameras keep theirs. An imported scene is as it came. `out` is
 * the caller's, to be reset. Fails with VD_E_NOTFOUND (no such scene, or its arrays are gone),
 * VD_E_FORMAT, VD_E_NOMEM. */
vd_status vd_scene_load(vd_model *out, const vd_dataset *ds, int64_t scene, vd_err *err);

/* The asset of each image of such a model, in its order; *ids to be freed by vd_mem_free. */
vd_status vd_scene_assets(int64_t **ids, int64_t *n, const vd_dataset *ds, int64_t scene,
                          vd_err *err);
#endif
