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

/* A class of a label set, and an object: a hash of all that it says but its class and its ids. */
typedef struct vd_state_class {
    const char *set, *name; /* name "": objects without a class */
} vd_state_class;
typedef struct vd_state_object {
    int64_t row;   /* whose it is */
    int32_t cls;   /* of which class */
    uint64_t says; /* the hash */
} vd_state_object;

/* Zeroed is valid and empty. By URI; classes by set and name; objects by row, class and hash. */
typedef struct vd_state {
    vd_state_row *row;
    int64_t n, cap;
    vd_state_class *cls;
    int64_t n_classes, cap_classes;
    vd_state_object *object;
    int64_t n_objects, cap_objects;
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
    const char *what;  /* added, removed, moved, bytes, part, labels, class */
    const char *uri;   /* in the later state, but for what was removed; of a class: SET: NAME */
    const char *a, *b; /* hash, part, URI or objects by class before and after; "" where there is
                          none */
    /* objects that came, went, or say something else than before; -1: not of objects, or not known
     */
    int64_t added, removed, changed;
} vd_difference;

/* Calls `each` with every difference, by URI, those removed or moved after the others, then with
 * every class that differs. A picture has moved where its bytes lay at one place before, and now
 * lie at another one. Objects have no names of their own: of those of one class in one picture that
 * do not say the same in both states, as many as there are in both have changed, and the rest was
 * added or removed. Fails with what `each` returns, VD_E_NOMEM. */
typedef vd_status (*vd_difference_fn)(void *user, const vd_difference *d, vd_err *err);
vd_status vd_state_diff(const vd_state *a, const vd_state *b, vd_difference_fn each, void *user,
                        vd_err *err);

/* ---- objects, for the functions above ---- */

/* Adds an object; classes are found by `at`, a map that begins empty. Fails with VD_E_NOMEM. */
struct vd_map;
vd_status vd_state_add(vd_state *s, struct vd_map *at, int64_t row, const char *set,
                       const char *name, uint64_t says, vd_err *err);
/* Sorts classes and objects. Fails with VD_E_NOMEM. */
vd_status vd_state_sort(vd_state *s, vd_err *err);
/* As rows of the catalog. */
vd_status vd_state_write_objects(vd_db *db, const vd_state *s, int64_t snapshot, vd_err *err);
vd_status vd_state_read_objects(vd_state *s, vd_db *db, int64_t snapshot, vd_err *err);
#endif
