/* Choosing pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CURATE_SELECT_H
#define VD_CURATE_SELECT_H

#include "curate/assets.h"
#include "index/cover.h"

struct vd_pool;

typedef enum vd_select_by {
    VD_SELECT_DIVERSITY,  /* k-centre greedy: each the one least like those before */
    VD_SELECT_COVERAGE,   /* facility location: those that all others are most like */
    VD_SELECT_BALANCE,    /* even shares of classes, of `per`, or of clusters in a hierarchy */
    VD_SELECT_SIMILARITY, /* those most like the given ones */
    VD_SELECT_SCORE,      /* the largest `score` */
    VD_SELECT_SURFACE,    /* the fewest that keep the points of a scene well observed */
} vd_select_by;

typedef struct vd_select_opt {
    vd_select_by by;
    int64_t count;
    const char *where, *skip;  /* candidates, as in vd_curated_query */
    const char *given;         /* similarity: like what; diversity: what is there already */
    const char *vectors, *ids; /* as in vd_asset_vectors */
    const char *score, *per;   /* expressions; `per` NULL: clusters */
    bool per_class;            /* balance: of the classes of objects */
    const char *labels;        /* whose; NULL: of the only label set */
    int64_t scene;             /* surface */
    vd_cover_opt cover;
    uint64_t seed;
} vd_select_opt;

typedef struct vd_selected {
    int64_t id;
    const char *uri;
    double value;     /* cosine, gain, score, directions or evenness, by the way of choosing; NaN:
                         none */
    const char *part; /* the value of `per`, or the classes by commas; "" otherwise */
} vd_selected;

/* Zeroed is valid and empty. Fewer than asked for where there are no more. */
typedef struct vd_selection {
    vd_selected *row;
    int64_t n;
    int64_t candidates, without; /* pictures; those left out because they have no vector or value */
    vd_cover_result cover;       /* by surface */
    int64_t least, most;         /* by classes: objects of the rarest and of the commonest one */
    vd_curated_list list;        /* what the texts belong to */
} vd_selection;
void vd_selection_reset(vd_selection *s);

/* Conditions and expressions have been checked by the caller. The same for any pool.
 * Fails with VD_E_ARG, VD_E_NOTFOUND (no vectors, no such scene), VD_E_NOMEM, catalog errors. */
vd_status vd_select_pictures(vd_selection *out, const vd_dataset *ds, const vd_select_opt *opt,
                             struct vd_pool *pool, vd_err *err);

/* The part of vd_select_pictures by surface: `s->list` is loaded, s->row has room for all of it. */
vd_status vd_select_surface(vd_selection *s, const vd_dataset *ds, const vd_select_opt *opt,
                            vd_err *err);

/* Sets a tag on what was chosen and takes it from all other assets, in one transaction. */
vd_status vd_selection_tag(const vd_selection *s, vd_db *db, const char *tag, vd_err *err);
#endif
