/* Bundler's reconstructions: a text file of version 0.3 and a list of the images' names.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A camera is a focal length and two radial coefficients about the middle of the picture, looks
 * along -z with +y up, and its keypoints are measured from the middle, +y up. The file does not
 * know how large pictures are, nor which keypoints saw nothing. */
#ifndef VD_RECON_BUNDLER_H
#define VD_RECON_BUNDLER_H

#include "base/str.h"
#include "recon/model.h"

typedef struct vd_bundler_opt {
    /* Reading: the size of an image, false where it is not known; NULL: none is. Then a picture is
     * as large as its keypoints need, about their middle. */
    bool (*size_of)(void *user, const char *name, int32_t *width, int32_t *height);
    void *user;
    /* Writing: two focal lengths become their mean instead of VD_E_UNSUPPORTED. */
    bool mean_focal;
} vd_bundler_opt;

/* Reads registered cameras, each its own RADIAL camera (or SIMPLE_PINHOLE, without coefficients),
 * with the keypoints that see a point; ids count from 1 in the order of the list. `opt` may be
 * NULL. `out` is the caller's, to be reset. Fails with VD_E_IO, VD_E_FORMAT, VD_E_LIMIT,
 * VD_E_NOMEM. */
vd_status vd_bundler_read(vd_model *out, const char *path, const char *list_path,
                          const vd_bundler_opt *opt, vd_err *err);
/* From memory, with a NUL after each text; `name` and `list_name` are for messages. */
typedef struct vd_bundler_text {
    const char *name, *text;
    size_t size;
} vd_bundler_text;
vd_status vd_bundler_parse(vd_model *out, const vd_bundler_text *bundle,
                           const vd_bundler_text *list, const vd_bundler_opt *opt, vd_err *err);

/* Keypoints are written from the principal point, wherever in the picture that is, and numbered as
 * in the model. Fails with VD_E_UNSUPPORTED for other cameras than SIMPLE_PINHOLE, PINHOLE (of one
 * focal length, but see mean_focal), SIMPLE_RADIAL and RADIAL, and for names with blanks. */
vd_status vd_bundler_write(const vd_model *m, const char *path, const char *list_path,
                           const vd_bundler_opt *opt, vd_err *err);
vd_status vd_bundler_emit(vd_str *bundle, vd_str *list, const vd_model *m,
                          const vd_bundler_opt *opt, vd_err *err);
#endif
