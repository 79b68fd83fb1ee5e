/* Named states of a dataset, and how they differ. SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot is the list of pictures with the hashes of their bytes, their part in a split, and a
 * hash of their labels, where the catalog has labels. It is kept in the catalog, does not change,
 * and needs no file to be there still. */
#ifndef VD_CURATE_SNAPSHOT_H
#define VD_CURATE_SNAPSHOT_H

#include "curate/assets.h"

/* A picture in a state; "" where something is not known. */
typedef struct vd_state_row {
    const char *uri, *hash, *part, *labels;
    int64_t id;
} vd_state_row;

/* Zeroed is valid and empty. By URI. */
typedef struct vd_state {
    vd_state_row *row;
    int64_t n, cap;
    char digest[33]; /* of all of it: equal states have equal ones */
    const char *split;
    int64_t made_ns; /* of a snapshot; 0: now */
    vd_arena texts;
} vd_state;
void vd_state_reset(vd_state *s);

/* The present pictures. `split` names a split whose parts count, NULL: none. Fails with
 * VD_E_NOTFOUND (no such split), catalog errors, VD_E_NOMEM. */
vd_status vd_state_now(vd_state *out, vd_db *db, const char *where, const char *split, vd_err *err);
/* Fails with VD_E_NOTFOUND, VD_E_FORMAT (its digest is not that of its rows). */
vd_status vd_state_of_snapshot(vd_state *out, vd_db *db, const char *name, vd_err *err);

/* The pictures of a snapshot with hashes of the labels that they have now, in those label sets that
 * were there when it was made: equal to the snapshot's where nobody changed them, whatever was
 * imported since. Fails with catalog errors, VD_E_NOMEM. */
vd_status vd_state_relabel(vd_state *out, vd_db *db, const vd_state *snapshot, vd_err *err);

/* Keeps a state under a name, in one transaction. Fails with VD_E_EXISTS. */
vd_status vd_snapshot_store(vd_db *db, const vd_state *s, const char *name, const char *note,
                            vd_err *err);

typedef struct vd_difference {
    const char *what;  /* added, removed, moved, bytes, part, labels */
    const char *uri;   /* in the later state, but for what was removed */
    const char *a, *b; /* hash, part or URI before and after; "" where there is none */
} vd_difference;

/* Calls `each` with every difference, by URI, those removed or moved after the others. A picture
 * has moved where its bytes lay at one place before, and now lie at another one. Fails with what
 * `each` returns, VD_E_NOMEM. */
typedef vd_status (*vd_difference_fn)(void *user, const vd_difference *d, vd_err *err);
vd_status vd_state_diff(const vd_state *a, const vd_state *b, vd_difference_fn each, void *user,
                        vd_err *err);
#endif
