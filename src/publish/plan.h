/* Which pictures are published, and what became of each. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_PLAN_H
#define VD_PUBLISH_PLAN_H

#include "base/arena.h"
#include "base/map.h"
#include "label/label.h"
#include "store/dataset.h"

/* What becomes of a picture; what is above VD_FATE_DONE was left out. */
typedef enum vd_fate {
    VD_FATE_OPEN,
    VD_FATE_DONE,
    VD_FATE_GONE,        /* no such asset any more */
    VD_FATE_NO_PART,     /* a split is followed, and has it in no part */
    VD_FATE_RELABELLED,  /* labels are not those of the snapshot */
    VD_FATE_CHANGED,     /* bytes are not those recorded */
    VD_FATE_UNREADABLE,  /* no bytes */
    VD_FATE_UNDECODABLE, /* no pixels */
    VD_FATE_TOO_LARGE,   /* for what is written */
    VD_FATE_NO_CLASS,    /* folders of classes: none, or several */
    VD_FATE_CLASSES,
    VD_FATE_NO_SEQUENCE, /* folders of sequences: no frame of one, or a second picture of a frame */
    VD_FATE_SAME_FRAME,
    VD_N_FATES,
} vd_fate;

const char *vd_fate_text(vd_fate fate); /* static; for vd_label_lose */

/* What a reader of the result should know about a picture that was written. */
enum {
    VD_NOTE_UPRIGHT = 1,   /* was turned by its EXIF orientation, encoded anew upright */
    VD_NOTE_TURNED = 2,    /* is turned by its EXIF orientation, as it was */
    VD_NOTE_ENCODED = 4,   /* encoded anew for another reason */
    VD_NOTE_DEPTH = 8,     /* had more than 8 bits a sample, has 8 */
    VD_NOTE_COPIED = 16,   /* a link was wanted, and there is no file to link to */
    VD_NOTE_REPAIRED = 32, /* its metadata could not be told from its pixels: encoded anew */
};

typedef struct vd_publish_item {
    int64_t id, parent; /* parent 0: a file or member, else a frame or page of it */
    const char *uri;    /* as recorded */
    const char *place;  /* where it is now */
    int64_t size;       /* of its file, as recorded */
    const char *hash;   /* of the bytes that are read, "" where unknown */
    const char *part, *stem;
    int32_t width, height; /* upright, by the catalog; 0: unknown */
    int orientation, bits; /* 0: unknown */
    bool member;           /* of an archive */
    bool refused;          /* the catalog knows that no pixels come of it */
    /* by the labels */
    bool labelled;
    int64_t label_id; /* of the picture in its source */
    int32_t label_width, label_height;
    const char *sequence, *attributes; /* or NULL */
    int64_t frame;                     /* in the sequence, VD_LABEL_NONE */
    const char *folder; /* of its class or sequence, where the layout has one; or NULL */
    int32_t class;      /* of folders of classes: index of the category, VD_LABEL_NONE */
    /* by the pictures themselves */
    vd_fate fate;
    unsigned notes;
    int32_t out_width, out_height;
    char ext[8];           /* of the written file */
    char written_hash[33]; /* XXH3-128 of the written bytes */
    int64_t bytes;         /* written */
    char *why;             /* what went wrong, one line; vd_mem; NULL */
} vd_publish_item;

/* Zeroed is valid and empty. Items by URI; parts by name. */
typedef struct vd_publish_plan {
    vd_publish_item *item;
    int64_t n, cap;
    const char **part; /* those that occur */
    int n_parts;
    char digest[33]; /* of the snapshot, "" */
    int64_t made_ns; /* of the snapshot */
    vd_map *by_id;   /* asset -> item */
    vd_arena texts;
} vd_publish_plan;
void vd_publish_plan_reset(vd_publish_plan *p);

/* `snapshot` NULL: the present pictures where `where` (checked by the caller; NULL: all). `split`
 * NULL: the parts that the snapshot keeps; without any, all is "train". `labels` is compared with
 * those of the snapshot. Fails with VD_E_NOTFOUND (snapshot, split), VD_E_LIMIT (parts), VD_E_ARG
 * (two parts would have one folder), catalog errors, VD_E_NOMEM. */
vd_status vd_publish_plan_make(vd_publish_plan *out, vd_db *db, const char *snapshot,
                               const char *where, const char *split, bool labels, vd_err *err);

/* The item of an asset, NULL. */
vd_publish_item *vd_publish_find(const vd_publish_plan *p, int64_t asset);

/* Leaves an item out; `why` may be "". The first word counts. Fails with VD_E_NOMEM. */
vd_status vd_publish_drop(vd_publish_item *item, vd_fate fate, const char *why, vd_err *err);
#endif
