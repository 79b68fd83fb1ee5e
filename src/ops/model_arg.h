/* Reconstructions and truths that arguments name. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_OPS_MODEL_ARG_H
#define VD_OPS_MODEL_ARG_H

#include "eval/poses.h"
#include "recon/model.h"

/* The reconstruction at `path`: the largest scene of a dataset, a folder with a COLMAP model, or a
 * transforms.json of nerfstudio (without the size of the pictures in it, good for poses only).
 * `out` is the caller's, to be reset. Fails with what the readers fail with, VD_E_NOTFOUND where
 * nothing is there. */
vd_status vd_model_from_arg(vd_model *out, const char *path, vd_err *err);

/* The poses of the truth at `path`: a folder of .camera files, the truth of `vidimus synth` (its
 * truth.json or cameras.json), or a reconstruction as above. */
vd_status vd_truth_from_arg(vd_pose_set *out, const char *path, vd_err *err);

vd_status vd_poses_of_model(vd_pose_set *out, const vd_model *m, vd_err *err);
#endif
