/* Splitting a dataset so that nothing leaks, and proof of it. SPDX-License-Identifier: Apache-2.0
 *
 * Pictures that must not straddle parts are joined into groups, by one key or several: pictures of
 * one scene, that overlap (share verified geometry, as a crop and its original do, whether or not
 * they have a place in a scene), with the same bytes or nearly the same look, of one video, of one
 * session of a camera, of one folder, or with the same text where a pattern matches the URI. Whole
 * groups go to parts: the largest first, each to the part that lacks most of what the group has. */
#ifndef VD_CURATE_SPLIT_H
#define VD_CURATE_SPLIT_H

#include "curate/classes.h"

struct vd_pool;

enum { VD_SPLIT_MAX_PARTS = 16 };

/* Which pictures belong together. Texts are borrowed. */
typedef struct vd_group_rule {
    bool scene, overlap, duplicates, video, session, folder;
    const char *pattern; /* a POSIX extended regular expression; its first group, or all of it */
    double gap_s;        /* a longer pause of a camera ends a session */
} vd_group_rule;

/* "scene,overlap,duplicates,video,session,folder,PATTERN": any of the words; what is none of them,
 * with all after it, is the pattern. "" is no rule: each picture for itself. Fails with VD_E_ARG.
 */
vd_status vd_group_rule_parse(vd_group_rule *out, const char *text, double gap_s, vd_err *err);

/* group[i] = the lowest position of the pictures that i belongs together with, itself included.
 * Chains count: what belongs to two groups joins them.
 *     shapes : group[list->n]
 *     fails  : catalog errors, VD_E_ARG (a pattern that is none), VD_E_NOMEM */
vd_status vd_group_pictures(int32_t *group, const vd_dataset *ds, const vd_curated_list *list,
                            const vd_group_rule *rule, vd_err *err);

/* "80/10/10" as shares that sum to 1. Fails with VD_E_ARG. */
vd_status vd_split_shares(double share[VD_SPLIT_MAX_PARTS], int *n, const char *text, vd_err *err);

/* part[i] of each picture. Groups keep together; `text` of each picture is its stratum, whose
 * pictures are spread over the parts like all others. Deterministic by seed and URIs.
 *     shapes : part[list->n], group[list->n] as above, share[n_parts]
 *     fails  : VD_E_NOMEM */
vd_status vd_split_groups(uint8_t *part, const vd_curated_list *list, const int32_t *group,
                          const double *share, int n_parts, uint64_t seed, vd_err *err);

/* The same by the classes of objects: every part gets its share of the pictures with each class, of
 * those without any, and of all, as near as whole groups allow; see vd_stratify. */
vd_status vd_split_classes(uint8_t *part, const vd_curated_list *list, const int32_t *group,
                           const vd_classes *classes, const double *share, int n_parts,
                           uint64_t seed, vd_err *err);

/* ---- what a split is judged by ---- */

typedef struct vd_split_facts {
    int64_t straddling;    /* groups in more than one part */
    int64_t straddle[2];   /* positions of two pictures of the first such group; -1 */
    int64_t identical;     /* pictures whose bytes lie in another part as well */
    int64_t shared_points; /* points of scenes that pictures of several parts show */
    int64_t scenes;        /* looked at */
    int64_t compared;      /* pictures with a vector; 0: none, or not wanted */
    double similarity;     /* the largest cosine between parts; NaN: unknown */
    int64_t similar[2];    /* of these pictures; -1 */
} vd_split_facts;

/* part[i] 255 leaves a picture out. `vectors` as in vd_asset_vectors, NULL: similarity is not
 * computed; it costs a product for each pair of pictures. Fails with catalog errors, VD_E_NOMEM. */
vd_status vd_split_measure(vd_split_facts *out, const vd_dataset *ds, const vd_curated_list *list,
                           const int32_t *group, const uint8_t *part, const char *vectors,
                           struct vd_pool *pool, vd_err *err);

/* ---- the certificate ---- */

/* Texts live in `texts`. hash[i] is of the file's bytes, "" where unknown. */
typedef struct vd_certificate {
    const char *name, *by, *where, *skip, *stratify, *labels, *vectors; /* "" where not given */
    double gap_s;
    int64_t seed;
    int n_parts;
    const char *part_name[VD_SPLIT_MAX_PARTS];
    double share[VD_SPLIT_MAX_PARTS];
    int64_t n;
    const char **uri, **hash;
    uint8_t *part;
    int32_t *group; /* numbers, counted from 0 in the order of URIs */
    double similarity;
    const char *similar[2];
    int64_t shared_points, scenes;
    int32_t n_classes; /* of the label set `labels` */
    const char **class_name;
    int64_t *class_pictures, *class_objects; /* [n_classes * n_parts]: with it in a part, of it */
    bool intact;                             /* reading: the digest is that of the content */
    vd_arena texts;
} vd_certificate;
void vd_certificate_reset(vd_certificate *c);

/* The set's name and the counts of its classes by part. Fails with VD_E_NOMEM. */
vd_status vd_certificate_classes(vd_certificate *c, const vd_classes *classes, vd_err *err);

/* JSON with one asset a line. */
vd_status vd_certificate_write(const vd_certificate *c, const char *path, vd_err *err);
/* Reads one from memory; `where` names it in messages, a NUL follows the text. Fails with
 * VD_E_FORMAT, VD_E_UNSUPPORTED (its version), VD_E_LIMIT, VD_E_NOMEM. */
vd_status vd_certificate_parse(vd_certificate *out, const char *where, const char *text,
                               size_t size, vd_err *err);
/* Fails as above, and with VD_E_NOTFOUND, VD_E_IO. */
vd_status vd_certificate_read(vd_certificate *out, const char *path, vd_err *err);

/* Keeps the split in the catalog, and as tags NAME:PART; one of that name is replaced. One
 * transaction. */
vd_status vd_split_store(vd_db *db, const vd_certificate *c, const vd_curated_list *list,
                         vd_err *err);

/* ---- checking one again ---- */

typedef struct vd_split_check {
    const char *what; /* a word: intact, present, groups, bytes, points, similarity, classes */
    bool ok;
    double found, allowed; /* NaN: not known */
    char detail[512];
} vd_split_check;
enum { VD_SPLIT_CHECKS = 7 };

/* `by` replaces the rule of the certificate unless it is NULL; `most` its similarity unless it is
 * NaN. */
vd_status vd_split_verify(vd_split_check out[VD_SPLIT_CHECKS], const vd_dataset *ds,
                          const vd_certificate *c, const char *by, double most,
                          struct vd_pool *pool, vd_err *err);
#endif
