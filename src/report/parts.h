/* What the parts of the report share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_REPORT_PARTS_H
#define VD_REPORT_PARTS_H

#include "report/data.h"
#include "report/survey.h"

typedef struct vd_report {
    vd_str *out;
    vd_dataset *ds;
    vd_db *db;
    const vd_report_opt *opt;
    double *thresholds; /* one a kind of problem */
    vd_survey survey;
    int64_t *shown; /* assets whose thumbnails are wanted, in the order of the page */
    int64_t n_shown, cap_shown;
} vd_report;

/* Conditions and columns over `asset a` and `fact_check c`. */
#define PICTURE "a.state = 'present' AND a.kind IN ('image', 'frame', 'page')"
#define UNIX_S "(julianday(c.taken_at) - 2440587.5) * 86400.0"

/* Each appends a comma and one member of the object. Rows become objects, columns giving the names;
 * values are bound from 1 on. */
vd_status vd_report_rows(vd_report *r, const char *name, const char *sql, const vd_value *bound,
                         int n, vd_err *err);
/* The same for rows whose first column is an asset: its thumbnail is wanted. */
vd_status vd_report_pictures(vd_report *r, const char *name, const char *sql, const vd_value *bound,
                             int n, vd_err *err);
void vd_report_timeline(vd_report *r);
vd_status vd_report_map(vd_report *r, vd_err *err);
vd_status vd_report_evaluations(vd_report *r, vd_err *err); /* the newest ones that are kept */
vd_status vd_report_scenes(vd_report *r, vd_err *err); /* nothing where nothing was reconstructed */

/* The present row as an object. */
void vd_report_row(vd_str *out, const vd_stmt *s);
/* Asks for a thumbnail. */
vd_status vd_report_want(vd_report *r, int64_t id, vd_err *err);
#endif
