/* Parts of an evaluation's pictures, by what the catalog knows of them. SPDX-License-Identifier:
 * Apache-2.0
 *
 * FACT[:BINS] is an SQL expression over asset_facts. Numbers fall into bins of about as many
 * pictures each, equal ones together (BINS of them, 4 if not said), or between given edges (BINS is
 * a list, or has a point: 1.5,10 is below 1.5, from 1.5 to below 10, from 10 on); where there are
 * no more values than bins, each value is a slice. Text is sliced by value: the BINS most common
 * ones, 10 if not said, and "others". Pictures whose value is NULL are the slice "missing", those
 * that are no assets "no asset". */
#ifndef VD_JUDGE_SLICES_H
#define VD_JUDGE_SLICES_H

#include "base/arena.h"
#include "judge/interval.h"

enum { VD_SLICES_MAX = 200 };

typedef struct vd_slice {
    const char *name;
    double from, to; /* of numbers: from on, below `to` (the last one: up to it); NaN: no numbers */
    int64_t n;       /* pictures */
} vd_slice;

typedef struct vd_slices {
    const char *by; /* without BINS */
    vd_slice *slice;
    int n;
    int32_t *of; /* of each picture: its slice */
    int64_t n_pictures;
    vd_arena arena; /* has all of it */
} vd_slices;

void vd_slices_reset(vd_slices *s);
/* `asset` of each picture, 0: none. From then on `db` only answers questions (vd_db_guard), and an
 * expression that takes a minute is stopped with VD_E_LIMIT. Fails with VD_E_ARG (an expression or
 * bins that are none), VD_E_NOMEM, catalog errors. */
vd_status vd_slices_make(vd_slices *out, vd_db *db, const char *by, const int64_t *asset, int64_t n,
                         vd_err *err);
/* The same of numbers that are there already; NaN: missing. `by` names them, with BINS. */
vd_status vd_slices_of_numbers(vd_slices *out, const char *by, const double *value, int64_t n,
                               vd_err *err);
/* For each picture its index among those of slice k, -1 outside of it; how many they are. */
int64_t vd_slice_members(int32_t *picture, const vd_slices *s, int k);

/* A table of slices on its way: rows to the caller's sink, and as JSON to `json` unless NULL. A
 * zeroed one with `c` set is ready. */
typedef struct vd_slice_table {
    vd_opcall *c;
    vd_str *json;
    bool begun;
} vd_slice_table;
/* One row: `by`, the slice, its ends, pictures, the counts, all figures with their intervals;
 * people get the first three figures and the first one's interval. */
vd_status vd_slice_row(vd_slice_table *t, const vd_slices *s, int k, const vd_judge_figures *f,
                       vd_err *err);
#endif
