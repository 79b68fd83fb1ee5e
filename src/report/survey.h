/* What the report counts over all assets, in two walks over the catalog.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_REPORT_SURVEY_H
#define VD_REPORT_SURVEY_H

#include "report/metrics.h"
#include "report/places.h"
#include "report/tally.h"

typedef struct vd_survey {
    /* assets that are present: files are those that are no frame or page */
    int64_t assets, files, photos, videos, frames, pages, others, bytes, bad;
    int64_t with_gps, vanished_files;
    double first_s, last_s; /* of every asset with a time, videos too */
    vd_tally verdicts, formats, cameras, sizes;
    vd_places places;
    vd_distributions *metrics;
} vd_survey;

/* Walks the catalog; the caller holds a transaction, so that both walks see the same. `thresholds`
 * are the effective ones, in the order of vd_problem_kinds. Pictures that fit into `keep_bytes` are
 * read once only, with the same result. To be reset also after a failure. */
vd_status vd_survey_make(vd_survey *v, vd_db *db, const double *thresholds, int64_t keep_bytes,
                         vd_err *err);
void vd_survey_reset(vd_survey *v);
#endif
