/* From the ids of a file to indices. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_RECON_IDS_H
#define VD_RECON_IDS_H

#include "base/err.h"

/* A zeroed vd_ids is empty and valid. */
typedef struct vd_ids {
    int64_t n, first; /* first: the id of table[0] */
    int64_t n_table;
    int32_t *table;  /* dense: index of id - first, or -1 */
    int64_t *sorted; /* sparse: ids in order, and */
    int32_t *index;  /* whose they are */
} vd_ids;

/* Takes n (at most INT32_MAX) ids of 0 and above. Two that are equal are VD_E_FORMAT: `where`
 * begins the message, `what` is the singular of the things. */
vd_status vd_ids_init(vd_ids *out, const int64_t *ids, int64_t n, const char *where,
                      const char *what, vd_err *err);
void vd_ids_reset(vd_ids *ids);
int32_t vd_ids_find(const vd_ids *ids, int64_t id); /* -1: none */
#endif
