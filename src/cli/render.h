/* Printing results: tables, lines, CSV, JSON lines, JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CLI_RENDER_H
#define VD_CLI_RENDER_H

#include <stdio.h>

#include "ops/op.h"

typedef enum vd_format {
    VD_F_TABLE,
    VD_F_LINES,
    VD_F_RAW,
    VD_F_CSV,
    VD_F_JSONL,
    VD_F_JSON
} vd_format;

typedef struct vd_render vd_render;

/* Prints rows as they come; tables wait for some rows to know their widths. Fails with VD_E_IO when
 * the output cannot be written. */
vd_status vd_render_new(vd_render **out, FILE *to, vd_format format, vd_err *err);
vd_sink vd_render_sink(vd_render *r);
vd_status vd_render_finish(vd_render *r, vd_err *err); /* ends the document */
void vd_render_free(vd_render *r);
#endif
