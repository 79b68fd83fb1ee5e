/* Features of assets: extraction in the one pass, and reading them back. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Three arrays belong to an asset with features: keypoints (float32, n x 4: x, y, scale, angle),
 * descriptors (uint8, n x 128) and colours (uint8, n x 3, sRGB). Positions are pixels of the full
 * size picture as stored, before its EXIF orientation. */
#ifndef VD_STAGE_FEATURES_H
#define VD_STAGE_FEATURES_H

#include "feature/sift.h"
#include "stage/stages.h"

/* Working memory of one worker. */
typedef struct vd_feature_tmp vd_feature_tmp;
vd_status vd_feature_tmp_new(vd_feature_tmp **out, const char *libexec_dir, vd_err *err);
void vd_feature_tmp_free(vd_feature_tmp *t);

/* Gives most of it back to the system until the next picture. */
void vd_feature_tmp_rest(vd_feature_tmp *t);

/* What it may grow to for pictures found on with this long side, where as many features are wanted
 * as by default: 7 bytes a pixel, and 6 MB besides; 4 : 3 is the squarest that cameras take. */
static inline int64_t vd_feature_bytes(int32_t side) {
    return (int64_t)7 * side * side * 3 / 4 + (6 << 20);
}

/* Reads what extraction has written; *out is replaced on success. */
vd_status vd_features_load(vd_features *out, const vd_dataset *ds, int64_t asset_id, vd_err *err);
/* The keypoints alone, *kp to be freed by vd_mem_free. */
vd_status vd_keypoints_load(vd_keypoint **kp, int *n, const vd_dataset *ds, int64_t asset_id,
                            vd_err *err);
/* Likewise the colours, 3 n bytes. */
vd_status vd_colours_load(uint8_t **rgb, int *n, const vd_dataset *ds, int64_t asset_id,
                          vd_err *err);
/* Deletes the arrays of an asset that is gone. */
void vd_features_remove(const vd_dataset *ds, int64_t asset_id);
#endif
