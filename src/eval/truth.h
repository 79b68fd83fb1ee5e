/* Truths of camera poses in forms of their own. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_TRUTH_H
#define VD_EVAL_TRUTH_H

#include "eval/poses.h"

/* Whether a folder has a file NAME.camera. */
bool vd_truth_is_strecha(const char *dir);

/* The benchmark of Strecha et al. 2008: of each image a file NAME.camera with 24 numbers and more:
 * K, three zeros, the rotation of the camera in the world, its centre (then its size). Sorted by
 * name. Fails with VD_E_IO, VD_E_FORMAT, VD_E_NOMEM. */
vd_status vd_truth_read_strecha(vd_pose_set *out, const char *dir, vd_err *err);
/* One such file, from memory with a NUL after it. */
vd_status vd_truth_parse_strecha(vd_pose *out, const char *where, const char *text, vd_err *err);

/* What `vidimus synth` writes: a document whose array "images" has "file" and "cam_from_world"
 * (qw qx qy qz tx ty tz). Fails with VD_E_FORMAT, VD_E_LIMIT, VD_E_NOMEM. */
vd_status vd_truth_parse_json(vd_pose_set *out, const char *where, const char *text, size_t size,
                              vd_err *err);
/* Whether a document is of that kind: it is JSON and has "images". Fails with VD_E_NOMEM. */
vd_status vd_truth_is_json(bool *out, const char *text, size_t size, vd_err *err);
#endif
