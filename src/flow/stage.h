/* The stage table's row: declared once, it drives planning, resume, progress, --only/--skip,
 * timings and the provenance of every fact. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FLOW_STAGE_H
#define VD_FLOW_STAGE_H

#include "base/str.h"
#include "store/schema.h"

typedef enum vd_scope {
    VD_SCOPE_SOURCE,  /* finds assets */
    VD_SCOPE_ASSET,   /* one asset, or one frame of it, at a time; shares the one decode */
    VD_SCOPE_DATASET, /* all assets at once */
} vd_scope;

struct vd_run;
struct vd_run_opt;
struct vd_asset_work;

typedef struct vd_stage {
    const char *name, *help;
    int version; /* raise it whenever results change */
    vd_scope scope;
    const char *inputs;         /* names of the stages it reads from, by commas */
    const vd_table_decl *table; /* outputs; NULL where they live in the asset row */
    bool needs_pixels; /* runs while a frame is there; else once, when the verdict is final */
    /* the options that change its results, as "name=value;" */
    void (*params)(const struct vd_run_opt *opt, vd_str *out);
    /* VD_SCOPE_ASSET: fills one value for each column of `table`, all VD_NULL before; texts live in
     * the arena of `w` */
    vd_status (*asset)(struct vd_asset_work *w, vd_value *out, vd_err *err);
    /* other scopes: does all of it */
    vd_status (*all)(struct vd_run *run, vd_err *err);
    /* what the summary line says, from the catalog */
    vd_status (*summary)(struct vd_run *run, vd_str *out, vd_err *err);
} vd_stage;
#endif
