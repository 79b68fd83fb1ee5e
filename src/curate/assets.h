/* The pictures that curation is about. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CURATE_ASSETS_H
#define VD_CURATE_ASSETS_H

#include "base/arena.h"
#include "store/dataset.h"

/* A present picture: an image, a video frame or a page. Texts live as long as the list. */
typedef struct vd_curated {
    int64_t id;
    const char *uri;
    bool wanted, given; /* by which condition; at least one */
    double number;      /* of `value`; NaN where it is no number */
    const char *text;   /* of `value`; "" where it is NULL */
} vd_curated;

/* Zeroed is valid and empty. In the order of URIs, so that nothing depends on the order of adding.
 */
typedef struct vd_curated_list {
    vd_curated *row;
    int64_t n, cap;
    vd_arena texts;
} vd_curated_list;
void vd_curated_reset(vd_curated_list *l);

/* Conditions are SQL over asset_facts that the caller has checked. */
typedef struct vd_curated_query {
    const char *where; /* NULL: all */
    const char *skip;  /* by commas: duplicates, near, problems, labels, or kinds; NULL: none */
    const char *given; /* others to load, whatever `where` and `skip` say; NULL: none */
    const char *value; /* an expression; NULL: none */
} vd_curated_query;

/* Fails with VD_E_ARG (a word in `skip` that is no kind of problem), catalog errors, VD_E_NOMEM. */
vd_status vd_curated_load(vd_curated_list *out, vd_db *db, const vd_curated_query *q, vd_err *err);
#endif
