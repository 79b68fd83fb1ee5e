/* Operation synth: captures whose truth is known. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "ops/op.h"
#include "synth/synth.h"

static const vd_arg args[] = {
    { .name = "out",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "FOLDER",
      .help = "where images/ and truth/ go: a new folder, or one that synth wrote before" },
    { .name = "seed",
      .type = VD_T_INT,
      .max = 9e15,
      .def = "1",
      .help = "the same seed gives the same bytes" },
    { .name = "views",
      .type = VD_T_INT,
      .min = 1,
      .max = 10000,
      .def = "24",
      .help = "cameras on the path" },
    { .name = "world",
      .type = VD_T_CHOICE,
      .choices = "auto|yard|town",
      .def = "auto",
      .help = "yard: an arc round one; town: streets, in loops; auto: town beyond 60 views" },
    { .name = "width", .type = VD_T_INT, .min = 64, .max = 8192, .def = "1600", .help = "px" },
    { .name = "height", .type = VD_T_INT, .min = 64, .max = 8192, .def = "1200", .help = "px" },
    { .name = "k1",
      .type = VD_T_REAL,
      .min = -0.5,
      .max = 0.5,
      .def = "0",
      .help = "radial distortion, RADIAL model" },
    { .name = "k2",
      .type = VD_T_REAL,
      .min = -0.5,
      .max = 0.5,
      .def = "0",
      .help = "radial distortion, RADIAL model" },
    { .name = "arc",
      .type = VD_T_REAL,
      .max = 360,
      .def = "140",
      .help = "how far the path goes round the yard, deg" },
    { .name = "noise",
      .type = VD_T_REAL,
      .max = 20,
      .def = "1",
      .help = "sensor noise, sigma in grey levels" },
    { .name = "defects",
      .type = VD_T_INT,
      .min = -1,
      .max = 999,
      .def = "-1",
      .help = "planted defects of each kind; -1: a few" },
    { .name = "labels",
      .type = VD_T_FLAG,
      .help = "write labels.json (COCO): class, box, mask and track of what each view shows" },
    { .name = "label-errors",
      .type = VD_T_INT,
      .max = 1e6,
      .def = "0",
      .help = "labels given a wrong class in single views; needs --labels" },
    { .name = "label-gaps",
      .type = VD_T_INT,
      .max = 1e6,
      .def = "0",
      .help = "labels left out in single views; needs --labels" },
    { .name = "truth",
      .type = VD_T_CHOICE,
      .choices = "all|poses",
      .def = "all",
      .help = "poses: leaves out depth and masks, 4 bytes a pixel" },
    { .name = "jobs",
      .type = VD_T_INT,
      .max = 256,
      .def = "0",
      .help = "workers; 0: one a processor" },
};

static const vd_column columns[] = {
    { "folder", VD_TEXT, "", "what was written", 0 },
    { "images", VD_INT, "", "pictures in images/", 0 },
    { "views", VD_INT, "", "views of the scene among them", 0 },
    { "bytes", VD_INT, "bytes", "of the pictures", 0 },
    { "seconds", VD_REAL, "s", "time taken", 0 },
};

typedef struct telling {
    vd_opcall *call;
    double started;
} telling;

static vd_status on_picture(void *user, int64_t done, int64_t total) {
    telling *t = user;
    vd_opcall *c = t->call;
    const vd_progress p = { "synth", done, total, vd_time_mono_s() - t->started, done == total };
    if (c->on_progress != NULL) c->on_progress(c->user, &p);
    return c->on_cancel != NULL && c->on_cancel(c->user) ? VD_E_CANCEL : VD_OK;
}

static vd_world world_of(const char *name) {
    return strcmp(name, "yard") == 0   ? VD_WORLD_YARD
           : strcmp(name, "town") == 0 ? VD_WORLD_TOWN
                                       : VD_WORLD_AUTO;
}

static vd_status synth_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_pool *pool = NULL;
    vd_synth_opt opt = VD_SYNTH_OPT;
    vd_synth_stats stats = { 0 };
    telling t = { c, vd_time_mono_s() };
    int jobs = (int)vd_arg_int(c, "jobs");
    opt.seed = (uint64_t)vd_arg_int(c, "seed");
    opt.world = world_of(vd_arg_text(c, "world"));
    opt.views = (int32_t)vd_arg_int(c, "views");
    opt.width = (int32_t)vd_arg_int(c, "width");
    opt.height = (int32_t)vd_arg_int(c, "height");
    opt.k1 = vd_arg_real(c, "k1");
    opt.k2 = vd_arg_real(c, "k2");
    opt.arc_deg = vd_arg_real(c, "arc");
    opt.noise = vd_arg_real(c, "noise");
    opt.labels = vd_arg_flag(c, "labels");
    opt.label_swaps = (int32_t)vd_arg_int(c, "label-errors");
    opt.label_gaps = (int32_t)vd_arg_int(c, "label-gaps");
    opt.truth_maps = strcmp(vd_arg_text(c, "truth"), "all") == 0;
    for (int i = 0; vd_arg_int(c, "defects") >= 0 && i < VD_N_DEFECTS; i++)
        opt.defects[i] = (int32_t)vd_arg_int(c, "defects");
    VD_GO(vd_pool_new(&pool, jobs > 0 ? jobs : vd_cpu_count(), err));
    VD_GO(vd_synth_write(vd_arg_text(c, "out"), &opt, pool, on_picture, &t, &stats, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    const vd_value row[] = { vd_val_text(vd_arg_text(c, "out")), vd_val_int(stats.files),
                             vd_val_int(stats.views), vd_val_int(stats.image_bytes),
                             vd_val_real(stats.seconds) };
    VD_GO(vd_out_row(c, row, err));
    const int32_t mistakes = opt.label_swaps + opt.label_gaps;
    if (stats.mistakes < mistakes)
        vd_out_words(c, "%lld of %d mistakes fitted into %lld labels", (long long)stats.mistakes,
                     mistakes, (long long)stats.labels);
    vd_out_words(c, "next:  vidimus run %s/images", vd_arg_text(c, "out"));
done:
    vd_pool_free(pool);
    return st;
}

const vd_op vd_op_synth = {
    .name = "synth",
    .summary = "renders captures whose truth is known",
    .help =
        "A textured scene seen by cameras on a path, with EXIF, and beside it the truth: intrinsics, poses, depth,\n"
        "instance masks, boxes (COCO), and the list of planted defects. With --labels also what somebody would label,\n"
        "without mistakes, or with planted ones, which are listed with the defects.\n\n"
        "The yard is small and seen by every view. The town is for maps: it grows with the number of views, each\n"
        "shares about 70 % of what it shows with the next, and streets are walked again after each lap.",
    .example = "vidimus synth demo --views 24\n  vidimus synth town --views 1000 --truth poses",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_FILES,
    .run = synth_op,
};
