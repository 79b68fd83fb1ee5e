/* What the report page shows, as JSON. SPDX-License-Identifier: Apache-2.0
 *
 * One object, its parts named as web/report.html reads them. Counts and distributions come from the
 * catalog by aggregates or walks that keep counters; lists are capped, and so are the
 * bytes of thumbnails: the page of a million assets is as large as that of a thousand. */
#ifndef VD_REPORT_DATA_H
#define VD_REPORT_DATA_H

#include "base/str.h"
#include "store/dataset.h"

typedef struct vd_report_opt {
    int per_gallery;     /* pictures a kind of problem */
    int groups;          /* groups of duplicates of each kind */
    int per_group;       /* members shown of a group */
    int files;           /* rows of the table of files that are not ok */
    int64_t thumb_bytes; /* JPEG bytes of thumbnails, and as many again for those of scenes */
    int64_t points;      /* points shown of a scene; of all scenes five times as many */
    int64_t views;       /* cameras shown of a scene; of all scenes five times as many */
    int scenes;
    int evaluations;    /* the newest that the dataset keeps */
    int worst;          /* pictures shown of each */
    int64_t keep_bytes; /* memory that saves reading the catalog twice */
} vd_report_opt;
#define VD_REPORT_OPT                                                                              \
    {                                                                                              \
        .per_gallery = 24, .groups = 24, .per_group = 8, .files = 60, .thumb_bytes = 4 << 20,      \
        .keep_bytes = 256 << 20, .points = 200000, .views = 2000, .scenes = 100, .evaluations = 6, \
        .worst = 12                                                                                \
    }

/* Appends the object to `out`. Text in it is escaped for JSON, not for HTML (vd_report_page does
 * that). `ds` is read only. Fails with what the catalog fails with, VD_E_NOMEM. */
vd_status vd_report_data(vd_str *out, vd_dataset *ds, const vd_report_opt *opt, vd_err *err);

/* Appends the whole page, the data in its place. No byte of the data can end the script element
 * that it lies in: every '<' is written as an escape. */
vd_status vd_report_page(vd_str *out, const char *data, vd_err *err);
#endif
