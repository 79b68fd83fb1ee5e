/* Intrinsics that the user knows, and whose they are. SPDX-License-Identifier: Apache-2.0
 *
 * A zeroed vd_known_cameras is empty and valid. One writer or many readers. */
#ifndef VD_RECON_KNOWN_CAMERAS_H
#define VD_RECON_KNOWN_CAMERAS_H

#include "base/map.h"
#include "recon/model.h"

typedef struct vd_known_cameras {
    vd_model m;    /* its cameras alone */
    vd_map *names; /* of images, to the index of a camera; NULL: sizes decide */
} vd_known_cameras;

/* One camera, "MODEL,WIDTH,HEIGHT,PARAMS...". Fails with VD_E_ARG, VD_E_NOMEM. */
vd_status vd_known_cameras_one(vd_known_cameras *out, const char *text, vd_err *err);

/* COLMAP's cameras.txt, or the folder that it lies in. An images.txt beside it says by name whose
 * they are; without one, or of pictures that it does not name, it is the size that tells, so that
 * two cameras of one size need an images.txt. Fails with VD_E_NOTFOUND, VD_E_IO, VD_E_FORMAT,
 * VD_E_UNSUPPORTED, VD_E_NOMEM. */
vd_status vd_known_cameras_read(vd_known_cameras *out, const char *path, vd_err *err);
void vd_known_cameras_reset(vd_known_cameras *k);

/* The camera of a picture of width x height stored pixels at a path (components after '/' or '!'):
 * that of the longest tail which is a name, else the one of this size, else the one of this shape;
 * -1: none. */
int32_t vd_known_cameras_find(const vd_known_cameras *k, const char *path, int32_t width,
                              int32_t height);

/* A hash over everything the files say, for keys: 16 hexadecimal digits. */
vd_status vd_known_cameras_hash(char out[17], const char *path, vd_err *err);
#endif
