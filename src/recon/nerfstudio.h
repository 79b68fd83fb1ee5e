/* nerfstudio's (and instant-ngp's, and NeRF's) transforms.json: cameras and poses, no points.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each frame has camera-to-world matrices with OpenGL's axes (+x right, +y up, -z forward), and
 * intrinsics either for all frames or each its own: fl_x fl_y cx cy w h, k1 k2 k3 k4 p1 p2, in
 * pixels whose centres lie at +0.5. What is a fisheye is said by camera_model or is_fisheye.
 * Where a file has none of them, camera_angle_x and the size of the pictures give the focal length.
 * The world is that of the file; applied_transform, which tells where it came from, is not undone.
 */
#ifndef VD_RECON_NERFSTUDIO_H
#define VD_RECON_NERFSTUDIO_H

#include "base/str.h"
#include "recon/model.h"

typedef struct vd_nerfstudio_opt {
    const char *prefix;    /* of file_path before the names of images; taken off and put on */
    int32_t width, height; /* reading: for files that say none; 0: unknown */
    const char *ply;       /* writing: ply_file_path, the cloud beside the file; NULL: none */
} vd_nerfstudio_opt;
#define VD_NERFSTUDIO_OPT                                                                          \
    { .prefix = "images/" }

/* `opt` may be NULL. `out` is the caller's, to be reset. Fails with VD_E_IO, VD_E_FORMAT,
 * VD_E_LIMIT, VD_E_UNSUPPORTED (a camera model or distortion that we do not have), VD_E_NOMEM. */
vd_status vd_nerfstudio_read(vd_model *out, const char *path, const vd_nerfstudio_opt *opt,
                             vd_err *err);
vd_status vd_nerfstudio_parse(vd_model *out, const char *where, const char *text, size_t size,
                              const vd_nerfstudio_opt *opt, vd_err *err);

/* Fails with VD_E_UNSUPPORTED for cameras that the format cannot say (FOV, THIN_PRISM_FISHEYE,
 * FULL_OPENCV with k4 to k6, fisheyes among others): those are to be undistorted before. */
vd_status vd_nerfstudio_write(const vd_model *m, const char *path, const vd_nerfstudio_opt *opt,
                              vd_err *err);
vd_status vd_nerfstudio_emit(vd_str *out, const vd_model *m, const vd_nerfstudio_opt *opt,
                             vd_err *err);
#endif
