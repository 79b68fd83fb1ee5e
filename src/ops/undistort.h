/* Scenes with pinhole cameras and the pictures that belong to them. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_OPS_UNDISTORT_H
#define VD_OPS_UNDISTORT_H

#include "ops/op.h"
#include "recon/model.h"

/* Writes every picture of the model, undistorted, as JPEG into folder `dir` and makes the model
 * that of those pictures: cameras PINHOLE, keypoints moved, names with the extension .jpg. `assets`
 * are those of the images, in order. */
vd_status vd_undistort_model(vd_opcall *c, vd_dataset *ds, vd_model *m, const int64_t *assets,
                             const char *dir, vd_err *err);
#endif
