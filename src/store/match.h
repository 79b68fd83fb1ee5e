/* Names of pictures in other people's files to assets. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STORE_MATCH_H
#define VD_STORE_MATCH_H

#include "base/map.h"
#include "store/dataset.h"

/* A picture of the catalog. */
typedef struct vd_match_asset {
    int64_t id;
    int64_t width, height; /* upright, 0: not known */
    int orientation;       /* EXIF's, 1 where there is none */
    const char *uri;
    int64_t next, next_stem; /* the next of that name, with and without its extension; -1 */
} vd_match_asset;

typedef struct vd_match {
    vd_match_asset *assets;
    int64_t n, cap;
    vd_map *by_name, *by_stem, *by_hash;
    char *texts; /* the uris */
    int64_t size, cap_texts;
} vd_match;

typedef enum vd_matched { VD_MATCHED, VD_MATCH_NONE, VD_MATCH_SEVERAL } vd_matched;

/* Reads pictures, frames and pages that are present, and of which an SQL condition over asset_facts
 * holds that the caller has checked; NULL: all. */
vd_status vd_match_init(vd_match *m, vd_db *db, const char *where, vd_err *err);
void vd_match_reset(vd_match *m);

/* The asset whose path has most components in common with `name`, from the end, and, where several
 * have as many, the one of that size (0: not known); with no such name, the one whose content
 * has the name as its hash, or, likewise by their paths, one of that name without its extension. */
vd_matched vd_match_find(const vd_match *m, const char *name, int64_t width, int64_t height,
                         const vd_match_asset **out);
#endif
