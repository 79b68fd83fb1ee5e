/* Scenes as other programs read them: a part of operation export. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_OPS_EXPORT_H
#define VD_OPS_EXPORT_H

#include "ops/op.h"

#define VD_EXPORT_SCENES "colmap|nerfstudio|ply|bundler"

/* Writes scenes in "format" into folders below "out"; argument "scene" 0: all. Sends a row a scene:
 * its number, path, pictures, points. Fails with VD_E_NOTFOUND (no scenes), and as writing does. */
vd_status vd_export_scenes(vd_opcall *c, vd_err *err);
#endif
