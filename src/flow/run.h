/* One execution: options, planning, progress, timings. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FLOW_RUN_H
#define VD_FLOW_RUN_H

#include "base/arena.h"
#include "base/pool.h"
#include "flow/stage.h"
#include "store/facts.h"

enum { VD_MAX_STAGES = 32 };

/* Everything a person can ask of a run; operations fill it from their arguments. */
typedef struct vd_run_opt {
    const char *const *paths; /* what to add; none: the sources the dataset knows */
    int n_paths;
    const char *only, *skip; /* comma-separated stage names, or NULL */
    const char *where;       /* SQL condition over asset_facts, or NULL */
    int jobs;
    int64_t memory_bytes; /* budget for pixels and codecs in flight */
    bool hidden;          /* hidden files too */
    const char *frames;   /* "1s": one frame an interval; "key"; "every" */
    int64_t max_pixels;
    double timeout_s;
    int near_distance, near_quality; /* PDQ: Hamming radius, quality floor */
    bool dihedral;                   /* near duplicates also rotated and mirrored */
    double video_share;              /* share of frames that must match in a copied video */
    int max_features;                /* SIFT keypoints of one picture */
    int feature_side;                /* long side of the picture they are found on, px */
    const char *masks;               /* folder of NAME.png, or NULL */
    bool exhaustive;                 /* every pair of pictures is compared */
    const char *camera;              /* "MODEL,WIDTH,HEIGHT,PARAMS...": known intrinsics, or NULL */
    const char *cameras;             /* folder or file of known intrinsics, or NULL, */
    const char *cameras_hash;        /* and what tells its content */
    const char *camera_model;        /* of cameras to be calibrated */
    const char *mapper;              /* "auto", "incremental", "global" */
    const char *refine;              /* "auto", "none", "focal", "all": intrinsics */
    bool replace_scenes;             /* imported ones too */
    bool as_is;                      /* what is not selected counts as it is in the catalog */
    const char *thresholds;          /* "blurry=0.3,dark=0.2", or NULL */
} vd_run_opt;

typedef struct vd_stage_time {
    int64_t done, total, failed;
    double seconds;
    bool ran;
} vd_stage_time;

typedef struct vd_run {
    vd_dataset *ds;
    const vd_run_opt *opt;
    vd_pool *pool;
    const vd_stage *const *stages;
    int n_stages;
    int64_t
        key[VD_MAX_STAGES];   /* configuration key: hash(stage, version, parameters, input keys) */
    int table[VD_MAX_STAGES]; /* index of the stage's table in the schema, -1 without */
    bool selected[VD_MAX_STAGES]; /* by --only and --skip */
    vd_stage_time time[VD_MAX_STAGES];
    int64_t run_id;
    const char *libexec_dir; /* where the decoding processes lie, or NULL */
    vd_progress_fn on_progress;
    void *progress_user;
    vd_cancel_fn on_cancel;
    void *cancel_user;
} vd_run;

/* Checks the stage names, computes the keys and records the configurations and the run. */
vd_status vd_run_begin(vd_run *r, vd_err *err);
/* Records timings and outcome. */
vd_status vd_run_end(vd_run *r, const char *outcome, vd_err *err);

int vd_run_stage_index(const vd_run *r, const char *name); /* -1: none */
bool vd_run_cancelled(const vd_run *r);
vd_status vd_run_check_cancel(const vd_run *r, vd_err *err);
void vd_run_progress(vd_run *r, const char *stage, int64_t done, int64_t total, double since,
                     bool finished);

/* State of the dataset as a whole: small named texts. `out` "" if absent. */
vd_status vd_run_state_get(vd_run *r, const char *name, vd_str *out, vd_err *err);
vd_status vd_run_state_set(vd_run *r, const char *name, const char *value, vd_err *err);

/* One asset whose asset-scope stages are not all current. */
typedef struct vd_item {
    int64_t id, container_id, byte_offset, member_index, size;
    const char *uri, *kind; /* borrowed from the page's arena */
    uint32_t pending;       /* bit i: stage i must run */
    const char *hash;       /* recorded before, "" if none */
    bool has_children;
} vd_item;

/* The work list, a page at a time in order of id, so that memory does not grow with the dataset. */
typedef struct vd_plan {
    vd_run *run;
    vd_stmt *query;
    vd_arena arena;
    vd_item *items;
    int64_t n, cap, last_id, total;
} vd_plan;
vd_status vd_plan_open(vd_plan *p, vd_run *r, vd_err *err);
vd_status vd_plan_page(vd_plan *p, vd_err *err); /* n = 0: done */
void vd_plan_close(vd_plan *p);

/* What a worker has computed and the catalog does not hold yet. */
typedef struct vd_batch vd_batch;
vd_status vd_batch_new(vd_batch **out, vd_err *err);
void vd_batch_free(vd_batch *b);
vd_arena *vd_batch_arena(vd_batch *b); /* texts of pending rows live here */
vd_status vd_batch_fact(vd_batch *b, int table, int64_t asset_id, int64_t key,
                        const vd_value *values, int n, vd_err *err);
vd_status vd_batch_thumbnail(vd_batch *b, int64_t asset_id, const void *jpeg, int64_t size,
                             vd_err *err);
vd_status vd_batch_identity(vd_batch *b, int64_t asset_id, const char *hash, const char *kind,
                            vd_err *err);
vd_status vd_batch_child(vd_batch *b, int64_t parent_id, int64_t index, const char *kind,
                         double time_s, vd_err *err);
vd_status vd_batch_trim(vd_batch *b, int64_t parent_id, int64_t from_index, vd_err *err);
int64_t vd_batch_rows(const vd_batch *b);
vd_status vd_batch_write(vd_batch *b, vd_writer *w, vd_err *err); /* and empties it */
void vd_batch_clear(vd_batch *b);
#endif
