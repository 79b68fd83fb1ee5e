/* The stages, and what they share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_STAGES_H
#define VD_STAGE_STAGES_H

#include "flow/run.h"

/* In the order in which they run. */
extern const vd_stage *const vd_stages[];
extern const int vd_n_stages;

/* The schema that the stage table declares. */
extern const vd_schema vd_stage_schema;

extern const vd_table_decl vd_table_check, vd_table_measure, vd_table_fingerprint,
    vd_table_features, vd_table_duplicates, vd_table_match, vd_table_reconstruct;
extern const vd_stage vd_stage_add, vd_stage_check, vd_stage_measure, vd_stage_fingerprint,
    vd_stage_features, vd_stage_duplicates, vd_stage_match, vd_stage_reconstruct;

/* Runs everything that is selected and new or stale; fills run->time. A problem with a file is a
 * row in the catalog; fails only where the run itself cannot go on. */
vd_status vd_stages_run(vd_run *run, vd_err *err);

/* Brings catalog and sources together: new, changed, moved and vanished files. */
vd_status vd_add_sources(vd_run *run, vd_err *err);
/* Files that moved: a vanished asset takes the place of the new one that it is. Renamed ones are
 * told before anything is read (inside the caller's transaction), copies of deleted ones after
 * hashing. */
vd_status vd_adopt_renamed(vd_run *run, vd_writer *forget, vd_err *err);
vd_status vd_adopt_copied(vd_run *run, vd_err *err);

/* The one pass over pixels: reads, hashes, decodes and runs every pending asset-scope stage. */
vd_status vd_asset_pass(vd_run *run, vd_err *err);

/* Says that facts are about to change: the problem table must be made anew. */
vd_status vd_problems_touch(vd_run *run, vd_err *err);
/* The problem table, from the scores and the thresholds. */
vd_status vd_problems_refresh(vd_run *run, vd_err *err);

/* "3 unreadable, 1 truncated": for every word the count that `sql` gives when ?1 is its key; zeros
 * are left out, and `none` stands where nothing remains. */
typedef struct vd_count_word {
    const char *key, *one, *many;
} vd_count_word;
vd_status vd_summary_counts(vd_run *run, const char *sql, const vd_count_word *words, int n,
                            const char *none, vd_str *out, vd_err *err);

#endif
