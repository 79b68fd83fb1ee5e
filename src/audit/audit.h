/* What is wrong with labels: kinds of problems, findings, and one function a check.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A check reads a label set in memory (vd_audit_set) and adds findings: a kind, what it is about,
 * a score of 0 (worst) to 1 (clean), and in words what was measured. A finding is kept where its
 * score is below the threshold of its kind. Only load.c and store.c know the catalog.
 *
 * A new check: a value of vd_audit_kind, its row in kinds.c, a function here in a file of its own,
 * and its call in run.c.
 *
 * Boxes are x, y, width, height in pixels of the picture as the labels state its size. Threads: a
 * set is read by any number of readers; findings have one writer. Nothing here depends on more than
 * the order of rows in the catalog. */
#ifndef VD_AUDIT_AUDIT_H
#define VD_AUDIT_AUDIT_H

#include "base/arena.h"
#include "label/label.h"
#include "store/dataset.h"
#include "store/label_read.h"

/* In the order in which they are listed. */
typedef enum vd_audit_kind {
    VD_AUDIT_MISSING_IMAGE,
    VD_AUDIT_IMAGE_SIZE,
    VD_AUDIT_LABELLED_TWICE,
    VD_AUDIT_CATEGORY_NAMES,
    VD_AUDIT_UNUSED_CATEGORY,
    VD_AUDIT_UNKNOWN_CATEGORY,
    VD_AUDIT_DEGENERATE,
    VD_AUDIT_OUTSIDE_IMAGE,
    VD_AUDIT_SELF_INTERSECTING,
    VD_AUDIT_KEYPOINTS_OUTSIDE,
    VD_AUDIT_DUPLICATE_BOX,
    VD_AUDIT_NEAR_DUPLICATE_BOX,
    VD_AUDIT_TWO_CLASSES,
    VD_AUDIT_INCONSISTENT_COPIES,
    VD_AUDIT_ODD_SIZE,
    VD_AUDIT_ODD_ASPECT,
    VD_AUDIT_TRACK_JUMP,
    VD_AUDIT_OVERLOOKED,
    VD_AUDIT_BADLY_LOCATED,
    VD_AUDIT_SWAPPED,
    VD_AUDIT_POOR_IMAGE,
    VD_AUDIT_WRONG_CLASS,
    VD_AUDIT_INCONSISTENT_IN_3D,
    VD_AUDIT_MISSING_IN_3D,
    VD_AUDIT_KINDS
} vd_audit_kind;

typedef struct vd_audit_kind_row {
    const char *key;
    double threshold; /* default */
    const char *help; /* one line for people */
} vd_audit_kind_row;

extern const vd_audit_kind_row vd_audit_kinds[VD_AUDIT_KINDS];

/* The kind of that name, VD_AUDIT_KINDS where there is none. `n` bytes of `key`. */
vd_audit_kind vd_audit_kind_find(const char *key, size_t n);
/* Sets one threshold out of "KIND=SCORE". Fails with VD_E_ARG. */
vd_status vd_audit_threshold(double threshold[VD_AUDIT_KINDS], const char *text, vd_err *err);

/* ---- a label set in memory ---- */

typedef struct vd_audit_object {
    int64_t row;      /* in table label */
    int32_t image;    /* index */
    int32_t category; /* index, VD_LABEL_NONE */
    uint32_t has;     /* VD_OBJ_... of its source */
    float angle;      /* of turned boxes, radians */
    double box[4];    /* upright, around it; zeros where it has no place */
    double area;      /* stated, or of its shape; px^2 */
    double score;     /* of predictions; NaN: none */
    int64_t track;    /* with VD_OBJ_TRACK */
} vd_audit_object;

typedef struct vd_audit_image {
    int64_t row;                 /* in table label_image */
    int64_t source_id, asset;    /* asset 0: none */
    const char *name, *sequence; /* sequence: NULL where it is no frame */
    int64_t frame;
    int32_t width, height;             /* stated; 0: not */
    int32_t asset_width, asset_height; /* upright; 0: not known */
    bool vanished;                     /* its asset's file is gone */
    int64_t exact, near; /* groups of assets with the same bytes, or that look the same; 0: none */
    int64_t first, n;    /* its objects */
} vd_audit_image;

typedef struct vd_audit_category {
    int64_t source_id;
    const char *name, *parent; /* parent: NULL where there is none */
    int64_t n;                 /* objects */
} vd_audit_category;

/* Zeroed is valid and empty. Images and objects are in the order of their rows, so the objects of
 * an image lie together. Texts live as long as the set. */
typedef struct vd_audit_set {
    int64_t set; /* row in table label_set */
    vd_audit_category *category;
    vd_audit_image *image;
    vd_audit_object *object;
    int64_t n_categories, n_images, n_objects;
    int64_t cap_categories, cap_images, cap_objects;
    vd_arena texts;
} vd_audit_set;
void vd_audit_set_reset(vd_audit_set *s);

/* The name of an object's class, "(none)" where it has none. */
const char *vd_audit_class(const vd_audit_set *s, int64_t object);
/* Whether it has a place: an upright box around it with an area. */
bool vd_audit_placed(const vd_audit_object *o);

/* ---- findings ---- */

typedef struct vd_audit_finding {
    vd_audit_kind kind;
    int32_t image;            /* index; -1: the set as a whole */
    int64_t label;            /* row in table label; 0: the picture as a whole */
    int64_t other;            /* another row there, of this set or of the predictions; 0: none */
    int64_t image_row, asset; /* 0: none */
    const char *name;         /* class; NULL: none */
    double box[4];            /* zeros: none */
    double score;
    const char *evidence;
} vd_audit_finding;

/* Zeroed but for the thresholds. */
typedef struct vd_audit_findings {
    double threshold[VD_AUDIT_KINDS];
    vd_audit_finding *row;
    int64_t n, cap;
    vd_arena texts;
} vd_audit_findings;

/* With the thresholds of the table. */
void vd_audit_findings_init(vd_audit_findings *f);
void vd_audit_findings_reset(vd_audit_findings *f);
/* Orders by kind, image, label, other row. */
void vd_audit_findings_sort(vd_audit_findings *f);

/* Add a finding about an object (with another one's row, 0: none) or a picture; nothing where
 * `score` is not below the threshold of the kind. `fmt` words the evidence. Fail with
 * VD_E_NOMEM. */
vd_status vd_audit_add_object(vd_audit_findings *f, vd_audit_kind kind, const vd_audit_set *s,
                              int64_t object, int64_t other, double score, vd_err *err,
                              const char *fmt, ...) VD_PRINTF(8, 9);
vd_status vd_audit_add_image(vd_audit_findings *f, vd_audit_kind kind, const vd_audit_set *s,
                             int64_t image, double score, vd_err *err, const char *fmt, ...)
    VD_PRINTF(7, 8);
/* Any other: its evidence is set here. Of the set as a whole: image -1. */
vd_status vd_audit_add(vd_audit_findings *f, const vd_audit_finding *row, vd_err *err,
                       const char *fmt, ...) VD_PRINTF(4, 5);

/* ---- checks ---- */

/* Fail with VD_E_NOMEM. */

/* The shape of one object, while it is at hand: degenerate, outside_image, keypoints_outside,
 * self_intersecting. `object` is its index in the set. */
vd_status vd_audit_shape(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                         const vd_label_object *o, vd_err *err);

vd_status vd_audit_missing(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);
vd_status vd_audit_sizes(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);
vd_status vd_audit_twice(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

vd_status vd_audit_category_names(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);
vd_status vd_audit_unused(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);
vd_status vd_audit_unknown(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

/* duplicate_box, near_duplicate_box, two_classes. */
vd_status vd_audit_doubles(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

/* Pictures of the same bytes, or that look the same: their classes, and those of their boxes at the
 * same place. */
vd_status vd_audit_copies(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

/* odd_object_size, odd_object_aspect: see outliers.c for the statistics and their limits. */
vd_status vd_audit_outliers(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

vd_status vd_audit_tracks(vd_audit_findings *f, const vd_audit_set *s, vd_err *err);

/* ---- the catalog ---- */

/* Loads a set, and checks the shapes of its objects on the way where `f` is not NULL. Fails with
 * catalog errors, VD_E_NOMEM. */
vd_status vd_audit_load(vd_audit_set *out, vd_db *db, int64_t set, vd_audit_findings *f,
                        vd_err *err);

typedef struct vd_audit_opt {
    const char *predictions;         /* name of a label set; NULL: none */
    const char *probabilities, *ids; /* NumPy files; NULL: none */
    vd_cancel_fn on_cancel;          /* asked between checks; NULL: never */
    void *user;
} vd_audit_opt;

/* Loads a set, and makes every check; findings come sorted. Fails with VD_E_NOTFOUND and VD_E_ARG
 * (predictions without scores, or of nothing that the set has), VD_E_CANCEL, of files as
 * vd_npy_read, catalog errors, VD_E_NOMEM. */
vd_status vd_audit_run(vd_audit_findings *f, vd_audit_set *s, const vd_dataset *ds, int64_t set,
                       const vd_audit_opt *opt, vd_err *err);

/* What labels of the views of a scene say about one place in it: inconsistent_in_3d, missing_in_3d.
 * Scenes whose arrays are gone are left out. Fails with catalog errors, VD_E_FORMAT, VD_E_NOMEM. */
vd_status vd_audit_in_3d(vd_audit_findings *f, const vd_audit_set *s, const vd_dataset *ds,
                         vd_err *err);

/* Puts findings in the place of the set's earlier ones, in one transaction. Fails with catalog
 * errors; the earlier ones stay then. */
vd_status vd_audit_store(vd_db *db, int64_t set, const vd_audit_findings *f, vd_err *err);
#endif
