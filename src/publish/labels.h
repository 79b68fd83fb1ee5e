/* Labels of the published pictures, out of the catalog. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_LABELS_H
#define VD_PUBLISH_LABELS_H

#include "label/set.h"
#include "publish/fit.h"
#include "publish/layout.h"
#include "store/label_read.h"

/* What the set says of each picture: its id, size, frame and, where the layout has folders, of
 * which class or sequence it is; frames of videos are in a sequence by themselves. Pictures without
 * a folder that the layout needs are dropped. `row->set` 0: there are no labels. Fails with catalog
 * errors, VD_E_NOMEM. */
vd_status vd_publish_survey(vd_publish_plan *p, vd_db *db, const vd_label_set_row *row,
                            const vd_layout *layout, vd_label_report *report, vd_err *err);

/* Pictures and their objects as a set: all that are not left out, those without labels too, in the
 * order of the plan; `part` NULL: of any part. `image[i]` (p->n of them, NULL: not wanted) is the
 * picture's index in the set, -1 if it is not in it. `fit`: the pictures were written, and the set
 * has their sizes, else those that the labels are of. Ids of pictures are those of the source where
 * all have one, else of the assets. Fails likewise. */
vd_status vd_publish_collect(vd_label_set *out, int32_t *image, const vd_publish_plan *p, vd_db *db,
                             const vd_label_set_row *row, const vd_layout *layout, const char *part,
                             bool fit, vd_err *err);

/* From the labels' size to the written one. */
vd_fit vd_publish_fit_of(const vd_publish_item *item);
#endif
