/* Operations run, add and reconstruct: the main job, and parts of it. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/path.h"
#include "ops/op.h"
#include "recon/known_cameras.h"
#include "scene/imported.h"
#include "stage/problems.h"
#include "stage/stages.h"

#define JOBS_ARG                                                                                   \
    {                                                                                              \
        .name = "jobs", .type = VD_T_INT, .max = 256, .def = "0",                                  \
        .help = "workers; 0: one a processor"                                                      \
    }

/* The arguments that `add` has, and `run` too. */
#define SOURCE_ARGS                                                                                           \
    {                                                                                                         \
        .name = "path",                                                                                       \
        .flags = VD_POSITIONAL | VD_MANY,                                                                     \
        .value = "PATH",                                                                                      \
        .help =                                                                                               \
            "folders, files, archives; - reads a list from standard input; a dataset: its own sources"        \
    },                                                                                                        \
        { .name = "out",                                                                                      \
          .value = "DATASET",                                                                                 \
          .help =                                                                                             \
              "dataset directory (default: NAME.vidimus here, NAME being the last part of the first path)" }, \
        { .name = "hidden",                                                                                   \
          .type = VD_T_FLAG,                                                                                  \
          .help = "files and folders with a leading dot as well" },                                           \
        JOBS_ARG, {                                                                                           \
        .name = "memory", .type = VD_T_BYTES, .min = 33554432, .max = 1e15, .def = "256M",                    \
        .help = "budget for pictures in flight; a larger one is worked on alone"                              \
    }

/* The arguments about scenes, which `run` and `reconstruct` have. */
#define SCENE_ARGS                                                                                                                              \
    { .name = "pairs",                                                                                                                          \
      .type = VD_T_CHOICE,                                                                                                                      \
      .choices = "auto|all",                                                                                                                    \
      .def = "auto",                                                                                                                            \
      .help = "pictures to compare; auto: all up to 150, else by likeness, time, GPS" },                                                        \
        { .name = "camera",                                                                                                                     \
          .value = "MODEL,WIDTH,HEIGHT,PARAMS",                                                                                                 \
          .help =                                                                                                                               \
              "known intrinsics of pictures of this shape, px of the full size, COLMAP's names" },                                              \
        { .name = "cameras",                                                                                                                    \
          .value = "FILE",                                                                                                                      \
          .help =                                                                                                                               \
              "known intrinsics: COLMAP's cameras.txt, by size or by the images.txt beside it" },                                               \
        { .name = "camera-model",                                                                                                               \
          .value = "MODEL",                                                                                                                     \
          .def = "SIMPLE_RADIAL",                                                                                                               \
          .help = "of cameras that are calibrated from the pictures" },                                                                         \
        { .name = "mapper",                                                                                                                     \
          .type = VD_T_CHOICE,                                                                                                                  \
          .choices = "auto|incremental|global",                                                                                                 \
          .def = "auto",                                                                                                                        \
          .help =                                                                                                                               \
              "how scenes are built; auto: an image at a time up to 300 pictures, all at once beyond; the other too where much is left over" }, \
    {                                                                                                                                           \
        .name = "refine", .type = VD_T_CHOICE, .choices = "auto|none|focal|all", .def = "auto",                                                 \
        .help = "which intrinsics to refine; auto: focal length and distortion unless known"                                                    \
    }

static const vd_arg run_args[] = {
    SOURCE_ARGS,
    { .name = "only",
      .value = "STAGES",
      .help = "only these: add,check,measure,fingerprint,features,duplicates,match,reconstruct" },
    { .name = "skip", .value = "STAGES", .help = "all but these" },
    { .name = "where",
      .value = "EXPR",
      .help = "only assets for which this SQL condition over asset_facts holds" },
    { .name = "strict", .type = VD_T_FLAG, .help = "exit status 1 if a verdict is not ok" },
    { .name = "frames",
      .value = "1s|key|every",
      .def = "1s",
      .help = "which video frames: one an interval, the key frames, or every one" },
    { .name = "max-pixels",
      .type = VD_T_INT,
      .min = 1,
      .max = 1e12,
      .def = "400000000",
      .help = "pictures that declare more are too_large and not decoded, px" },
    { .name = "timeout",
      .type = VD_T_SECONDS,
      .min = 0.1,
      .max = 86400,
      .def = "60s",
      .help = "processor time a decoder may take for one picture or video frame" },
    { .name = "near-distance",
      .type = VD_T_INT,
      .max = 64,
      .def = "31",
      .help = "near duplicates: largest PDQ distance, bits of 256" },
    { .name = "near-quality",
      .type = VD_T_INT,
      .max = 100,
      .def = "50",
      .help = "near duplicates: least PDQ quality" },
    { .name = "dihedral",
      .type = VD_T_FLAG,
      .help = "near duplicates that are rotated or mirrored as well" },
    { .name = "video-share",
      .type = VD_T_REAL,
      .min = 0.01,
      .max = 1,
      .def = "0.5",
      .help = "share of frames that match, both ways, in copies of a video" },
    { .name = "max-features",
      .type = VD_T_INT,
      .min = 16,
      .max = 1048576,
      .def = "8192",
      .help = "SIFT keypoints of one picture, at most" },
    { .name = "feature-side",
      .type = VD_T_INT,
      .min = 64,
      .max = 32768,
      .def = "1600",
      .help = "long side of the picture that keypoints are found on, px; larger ones are reduced" },
    { .name = "masks",
      .value = "DIR",
      .help = "folder of masks FILE.png, FILE with its extension: no features where they are 0" },
    SCENE_ARGS,
    { .name = "threshold",
      .flags = VD_MANY,
      .value = "KIND=SCORE",
      .help = "a score below it is a problem; see vidimus issues --help for the kinds" },
};

static const vd_arg add_args[] = { SOURCE_ARGS };

static const vd_arg reconstruct_args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    JOBS_ARG,
    SCENE_ARGS,
    { .name = "replace", .type = VD_T_FLAG, .help = "also where the scenes were imported" },
};

static const vd_column run_columns[] = {
    { "stage", VD_TEXT, "", "name of the stage", 0 },
    { "summary", VD_TEXT, "", "what the dataset holds after it", 0 },
    { "seconds", VD_REAL, "s", "time spent in this run", 0 },
    { "done", VD_INT, "", "items done in this run", 0 },
    { "total", VD_INT, "", "items that were new or stale", 0 },
};

/* "NAME.vidimus" from the first path. */
static vd_status default_dataset(vd_opcall *c, const char *path, const char **out, vd_err *err) {
    vd_str full = { 0 }, name = { 0 };
    vd_status st = VD_OK;
    if (strcmp(path, "-") == 0)
        return vd_fail(err, VD_E_ARG, "%s: --out is needed when paths come from standard input",
                       c->op->name);
    VD_GO(vd_path_absolute(&full, path, err));
    const char *last = vd_path_name(full.data);
    vd_str_addf(&name, "%s.vidimus", last[0] != '\0' ? last : "root");
    VD_GO(vd_str_check(&name, err));
    *out = vd_arena_text(&c->arena, name.data);
    if (*out == NULL) st = vd_nomem(err);
done:
    vd_str_reset(&full);
    vd_str_reset(&name);
    return st;
}

typedef struct target {
    const char *dir;
    const char *const *paths;
    int n_paths;
} target;

/* Which dataset, and which paths: a lone dataset argument means its own sources. */
static vd_status find_target(vd_opcall *c, target *t, vd_err *err) {
    t->n_paths = vd_arg_many(c, "path", &t->paths);
    t->dir = vd_arg_text(c, "out");
    if (t->n_paths == 0 && t->dir == NULL)
        return vd_fail(err, VD_E_ARG, "%s: PATH is missing; see vidimus %s --help", c->op->name,
                       c->op->name);
    if (t->n_paths == 1 && t->dir == NULL && vd_dataset_is(t->paths[0])) {
        t->dir = t->paths[0];
        t->n_paths = 0;
    }
    if (t->dir == NULL) VD_TRY(default_dataset(c, t->paths[0], &t->dir, err));
    return VD_OK;
}

static vd_status thresholds_of(vd_opcall *c, const char **out, vd_err *err) {
    const char *const *each = NULL;
    vd_str s = { 0 };
    int n = vd_arg_many(c, "threshold", &each);
    for (int i = 0; i < n; i++) vd_str_addf(&s, "%s%s", i > 0 ? "," : "", each[i]);
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK) st = vd_problem_check_thresholds(vd_str_text(&s), err);
    if (st == VD_OK && n > 0 && (*out = vd_arena_text(&c->arena, s.data)) == NULL)
        st = vd_nomem(err);
    vd_str_reset(&s);
    return st;
}

/* The files are read here once, so that what is wrong with them is told before any work. */
static vd_status cameras_option(vd_opcall *c, vd_run_opt *o, vd_err *err) {
    char hash[17];
    vd_known_cameras k = { 0 };
    o->camera = vd_arg_text(c, "camera");
    o->cameras = vd_arg_text(c, "cameras");
    if (o->cameras == NULL) return VD_OK;
    if (o->camera != NULL)
        return vd_fail(err, VD_E_ARG, "%s: --camera and --cameras exclude each other", c->op->name);
    VD_TRY(vd_known_cameras_read(&k, o->cameras, err));
    vd_known_cameras_reset(&k);
    VD_TRY(vd_known_cameras_hash(hash, o->cameras, err));
    o->cameras_hash = vd_arena_text(&c->arena, hash);
    return o->cameras_hash != NULL ? VD_OK : vd_nomem(err);
}

static vd_status scene_options(vd_opcall *c, vd_run_opt *o, vd_err *err) {
    o->exhaustive = strcmp(vd_arg_text(c, "pairs"), "all") == 0;
    o->camera_model = vd_arg_text(c, "camera-model");
    o->refine = vd_arg_text(c, "refine");
    o->mapper = vd_arg_text(c, "mapper");
    return cameras_option(c, o, err);
}

/* What holds where an operation does not ask. */
static vd_run_opt plain_options(vd_opcall *c) {
    vd_run_opt o = { .jobs = (int)vd_arg_int(c, "jobs"),
                     .memory_bytes = 256 << 20,
                     .frames = "1s",
                     .max_pixels = 400000000,
                     .timeout_s = 60,
                     .near_distance = 31,
                     .near_quality = 50,
                     .video_share = 0.5,
                     .max_features = 8192,
                     .feature_side = 1600,
                     .camera_model = "SIMPLE_RADIAL",
                     .refine = "auto",
                     .mapper = "auto" };
    if (o.jobs == 0) o.jobs = vd_cpu_count();
    return o;
}

static vd_status options(vd_opcall *c, const target *t, vd_run_opt *o, vd_err *err) {
    *o = plain_options(c);
    o->paths = t->paths;
    o->n_paths = t->n_paths;
    o->hidden = vd_arg_flag(c, "hidden");
    o->memory_bytes = vd_arg_int(c, "memory");
    o->only = "add";
    if (strcmp(c->op->name, "run") != 0) return VD_OK;
    o->only = vd_arg_text(c, "only");
    o->skip = vd_arg_text(c, "skip");
    o->where = vd_arg_text(c, "where");
    o->frames = vd_arg_text(c, "frames");
    o->max_pixels = vd_arg_int(c, "max-pixels");
    o->timeout_s = vd_arg_real(c, "timeout");
    o->near_distance = (int)vd_arg_int(c, "near-distance");
    o->near_quality = (int)vd_arg_int(c, "near-quality");
    o->dihedral = vd_arg_flag(c, "dihedral");
    o->video_share = vd_arg_real(c, "video-share");
    o->max_features = (int)vd_arg_int(c, "max-features");
    o->feature_side = (int)vd_arg_int(c, "feature-side");
    o->masks = vd_arg_text(c, "masks");
    VD_TRY(scene_options(c, o, err));
    return thresholds_of(c, &o->thresholds, err);
}

/* What people see of a stage: its name, what it found, how long it took. */
static const vd_column people_columns[] = { { "stage", VD_TEXT, "", "", 0 },
                                            { "summary", VD_TEXT, "", "", 0 },
                                            { "time", VD_TEXT, "", "", 0 } };

static vd_status print_stage(vd_opcall *c, vd_run *r, int i, vd_err *err) {
    vd_str text = { 0 };
    vd_status st = VD_OK;
    char time[32] = "--";
    const vd_stage_time *t = &r->time[i];
    if (r->stages[i]->summary != NULL) st = r->stages[i]->summary(r, &text, err);
    if (t->seconds >= 0.05)
        snprintf(time, sizeof time, t->seconds < 10 ? "%.1f s" : "%.0f s", t->seconds);
    const vd_value people[] = { vd_val_text(r->stages[i]->name), vd_val_text(vd_str_text(&text)),
                                vd_val_text(time) };
    const vd_value row[] = { people[0], people[1], vd_val_real(t->seconds), vd_val_int(t->done),
                             vd_val_int(t->total) };
    if (st == VD_OK) st = vd_out_row(c, c->for_people ? people : row, err);
    vd_str_reset(&text);
    return st;
}

static vd_status print_summary(vd_opcall *c, vd_run *r, const char *dir, vd_err *err) {
    if (c->for_people)
        VD_TRY(vd_out_columns(c, people_columns, VD_COUNT(people_columns), err));
    else
        VD_TRY(vd_out_columns(c, NULL, 0, err));
    for (int i = 0; i < r->n_stages; i++)
        if (r->time[i].ran) VD_TRY(print_stage(c, r, i, err));
    vd_out_words(c, "  %s is ready.   vidimus report %s", dir, dir);
    return VD_OK;
}

/* --strict: a verdict other than ok is a failed check. */
static vd_status check_strict(vd_db *db, vd_err *err) {
    int64_t n = 0;
    VD_TRY(vd_db_int(db,
                     "SELECT count(*) FROM fact_check c JOIN asset a ON a.id = c.asset_id"
                     " WHERE a.state = 'present' AND c.verdict <> 'ok'",
                     &n, err));
    return n == 0 ? VD_OK
                  : vd_fail(err, VD_E_CHECK,
                            "run --strict: %lld assets have a verdict other than ok; see"
                            " vidimus list DATASET --where \"verdict <> 'ok'\"",
                            (long long)n);
}

/* Everything that the options select; the result is the state of each stage. */
static vd_status work(vd_opcall *c, vd_dataset *ds, const vd_run_opt *opt, const char *dir,
                      vd_err *err) {
    vd_status st = VD_OK;
    vd_run r = { .ds = ds,
                 .opt = opt,
                 .stages = vd_stages,
                 .n_stages = vd_n_stages,
                 .on_progress = c->on_progress,
                 .progress_user = c->user,
                 .on_cancel = c->on_cancel,
                 .cancel_user = c->user,
                 .libexec_dir = c->libexec_dir };
    bool began = false;
    VD_GO(vd_pool_new(&r.pool, opt->jobs, err));
    VD_GO(vd_run_begin(&r, err));
    began = true;
    VD_GO(vd_stages_run(&r, err));
    VD_GO(vd_run_end(&r, "done", err));
    began = false;
    VD_GO(print_summary(c, &r, dir, err));
done:
    if (began) { /* the record of a run that failed; the failure itself is already told */
        vd_err ignored = { 0 };
        vd_run_end(&r, st == VD_E_CANCEL ? "stopped" : "failed", &ignored);
    }
    vd_pool_free(r.pool);
    return st;
}

static vd_status run_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    target t = { 0 };
    vd_run_opt opt;
    vd_dataset *ds = NULL;
    VD_GO(find_target(c, &t, err));
    VD_GO(options(c, &t, &opt, err));
    VD_GO(vd_dataset_open(&ds, t.dir, VD_DB_CREATE, &vd_stage_schema, err));
    VD_GO(vd_op_check_where(vd_dataset_db(ds), opt.where, err));
    VD_GO(work(c, ds, &opt, t.dir, err));
    if (strcmp(c->op->name, "run") == 0 && vd_arg_flag(c, "strict"))
        st = check_strict(vd_dataset_db(ds), err);
done:
    vd_dataset_close(ds);
    return st;
}

static vd_status check_reconstruct(vd_opcall *c, vd_dataset *ds, vd_err *err) {
    int64_t features = 0, imported = 0;
    VD_TRY(vd_db_int(vd_dataset_db(ds),
                     "SELECT EXISTS(SELECT 1 FROM fact_features WHERE features IS NOT NULL)",
                     &features, err));
    if (!features)
        return vd_fail(err, VD_E_NOTFOUND,
                       "reconstruct: the pictures of %s have no features; see vidimus run",
                       vd_dataset_dir(ds));
    VD_TRY(vd_scenes_import_number(&imported, vd_dataset_db(ds), err));
    if (imported > 0 && !vd_arg_flag(c, "replace"))
        return vd_fail(err, VD_E_EXISTS,
                       "reconstruct: the scenes of %s were imported; --replace makes its own",
                       vd_dataset_dir(ds));
    return VD_OK;
}

static vd_status reconstruct_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_run_opt opt = plain_options(c);
    opt.only = "match,reconstruct";
    opt.as_is = true;
    opt.replace_scenes = vd_arg_flag(c, "replace");
    VD_GO(scene_options(c, &opt, err));
    VD_GO(vd_op_open(c, VD_DB_WRITE, &ds, err));
    VD_GO(check_reconstruct(c, ds, err));
    VD_GO(work(c, ds, &opt, vd_arg_text(c, "dataset"), err));
done:
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_run = {
    .name = "run",
    .summary = "adds captures, then does everything that is new or stale",
    .help =
        "The main job: finds files, checks that each one decodes, measures it, fingerprints it and groups\n"
        "duplicates. It can be stopped at any moment and run again: it goes on where it was, and does only what\n"
        "is new or stale. Results are the same for any number of jobs.",
    .example = "vidimus run ~/captures",
    .args = run_args,
    .n_args = VD_COUNT(run_args),
    .columns = run_columns,
    .n_columns = VD_COUNT(run_columns),
    .flags = VD_OP_WRITES | VD_OP_LINES,
    .run = run_op,
};

const vd_op vd_op_add = {
    .name = "add",
    .summary = "adds captures to a dataset and hashes them, without decoding",
    .help = "Files stay where they are. New, changed, moved and vanished ones are told apart.",
    .example = "vidimus add ~/captures --out captures.vidimus",
    .args = add_args,
    .n_args = VD_COUNT(add_args),
    .columns = run_columns,
    .n_columns = VD_COUNT(run_columns),
    .flags = VD_OP_WRITES | VD_OP_LINES,
    .run = run_op,
};

const vd_op vd_op_reconstruct = {
    .name = "reconstruct",
    .summary = "matches the pictures of a dataset and builds its scenes",
    .help =
        "The last two stages of run, with options of their own, over the features that are there; what is not stale\n"
        "is not done again. Scenes that were imported stay, unless --replace is given. A later run works with its\n"
        "own options again.",
    .example = "vidimus reconstruct captures.vidimus --mapper global",
    .args = reconstruct_args,
    .n_args = VD_COUNT(reconstruct_args),
    .columns = run_columns,
    .n_columns = VD_COUNT(run_columns),
    .flags = VD_OP_WRITES | VD_OP_LINES,
    .run = reconstruct_op,
};
