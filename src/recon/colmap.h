/* COLMAP's models: a folder of cameras, images and points3D, as .bin or as .txt.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The formats are those of https://colmap.github.io/format.html. Order and ids are kept and numbers
 * are not touched, so that a binary model that is read and written comes out with the same bytes;
 * text has 17 digits, which say the same. Quaternions that are not of unit length are normalised.
 * Rigs and frames, which newer versions write beside them, repeat the poses of the images: they are
 * not read, and COLMAP makes them anew where they are absent. */
#ifndef VD_RECON_COLMAP_H
#define VD_RECON_COLMAP_H

#include "base/str.h"
#include "recon/model.h"

typedef enum vd_colmap_form { VD_COLMAP_BINARY, VD_COLMAP_TEXT } vd_colmap_form;

/* Whether the folder has a model: its cameras, in either form. */
bool vd_colmap_is_model(const char *dir);

/* The folders of models at a path: the path itself, or the folders right below it, 9 before 10.
 * dir[*n] to be given to vd_colmap_free_folders. Fails with VD_E_NOTFOUND (none), VD_E_IO,
 * VD_E_NOMEM. */
vd_status vd_colmap_find(char ***dir, int *n, const char *path, vd_err *err);
void vd_colmap_free_folders(char **dir, int n);

/* Reads the model of a folder, the binary one if both are there, as COLMAP does. `out` is the
 * caller's, to be reset. Fails with VD_E_NOTFOUND (no model), VD_E_IO, VD_E_FORMAT, VD_E_LIMIT,
 * VD_E_UNSUPPORTED (a camera model that we do not have), VD_E_NOMEM. */
vd_status vd_colmap_read(vd_model *out, const char *dir, vd_err *err);

/* Writes the model into a folder, which is made if its parent exists. Files of another model that
 * would be read with or instead of this one are VD_E_EXISTS; those of the same name are replaced.
 * Text cannot say names with line ends or with blanks around them (VD_E_UNSUPPORTED). */
vd_status vd_colmap_write(const vd_model *m, const char *dir, vd_colmap_form form, vd_err *err);

/* The same between memory and memory. */
enum { VD_COLMAP_CAMERAS, VD_COLMAP_IMAGES, VD_COLMAP_POINTS, VD_COLMAP_PARTS };
typedef struct vd_colmap_part {
    const char *name; /* for messages */
    const char *data; /* with a NUL after `size` bytes */
    size_t size;
} vd_colmap_part;
vd_status vd_colmap_parse(vd_model *out, vd_colmap_form form,
                          const vd_colmap_part part[VD_COLMAP_PARTS], vd_err *err);
vd_status vd_colmap_emit(vd_str part[VD_COLMAP_PARTS], const vd_model *m, vd_colmap_form form,
                         vd_err *err);
#endif
