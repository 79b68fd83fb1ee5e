/* Operation export: scenes, and datasets, as other programs read them. SPDX-License-Identifier:
 * Apache-2.0 */
#include "ops/export.h"

#include <string.h>

#include "front/args.h"
#include "ops/labels.h"
#include "publish/publish.h"

static const vd_arg args[] = {
    DATASET_ARG,
    { .name = "format",
      .type = VD_T_CHOICE,
      .choices = VD_EXPORT_SCENES "|" VD_PUBLISH_FORMATS,
      .def = "colmap",
      .help = "of scenes: colmap to bundler; of datasets: the others" },
    { .name = "out",
      .flags = VD_REQUIRED,
      .value = "DIR",
      .help = "folder to write into; it is made. Scenes go into DIR/0, DIR/1, ..., the largest "
              "first; a dataset appears whole or not at all" },
    { .name = "scene",
      .type = VD_T_INT,
      .max = 1e9,
      .def = "0",
      .help = "scenes: only this one; 0: all" },
    { .name = "undistort",
      .type = VD_T_FLAG,
      .help = "scenes: writes the pictures as pinhole cameras see them into DIR/0/images, and "
              "their model" },
    { .name = "text", .type = VD_T_FLAG, .help = "colmap: text instead of binary" },
    { .name = "snapshot",
      .value = "NAME",
      .help = "its pictures, bytes, parts and labels; what differs now is left out and told" },
    WHERE_ARG,
    { .name = "split",
      .value = "NAME",
      .help = "whose parts count; that of the snapshot if not given; all is train without one" },
    { .name = "labels",
      .value = "SET",
      .help = "label set; may be left out where the dataset has one only" },
    { .name = "images",
      .type = VD_T_CHOICE,
      .choices = "copy|link|symlink|none",
      .def = "copy",
      .help =
          "pictures as files of their own, hard or symbolic links (with --keep-exif), or none" },
    { .name = "resize",
      .type = VD_T_INT,
      .max = 65500,
      .def = "0",
      .help = "px, the longer side is at most that; labels are scaled with it; 0: as they are" },
    { .name = "quality",
      .type = VD_T_INT,
      .min = 1,
      .max = 100,
      .help = "of JPEG; encodes all JPEG anew. What must be encoded without it gets 95" },
    { .name = "reencode",
      .type = VD_T_CHOICE,
      .choices = "jpeg|png",
      .help = "writes all pictures in this format" },
    { .name = "keep-exif",
      .type = VD_T_FLAG,
      .help = "keeps metadata, GPS too, and the orientation that it says" },
    { .name = "with-bytes",
      .type = VD_T_FLAG,
      .help = "parquet: the pictures as a column, not as files" },
    { .name = "shard-size",
      .type = VD_T_BYTES,
      .min = 1e4,
      .max = 1e15,
      .def = "1G",
      .help = "webdataset: of a tar file, at most" },
    { .name = "replace",
      .type = VD_T_FLAG,
      .help = "takes the place of an earlier export that lies in DIR" },
    JOBS_ARG,
};

static const vd_column columns[] = {
    { "what", VD_TEXT, "",
      "pictures, labelled, categories, objects, bytes; what was changed; what was left out", 0 },
    { "count", VD_INT, "", "how many", 0 },
    { "lost", VD_INT, "", "1: left out", 0 },
    { "examples", VD_TEXT, "", "the first ones", 0 },
};

/* Options of the other kind of export are no options of this one. */
static vd_status check_kind(const vd_opcall *c, bool scenes, vd_err *err) {
    static const char *const of_scenes[] = { "scene", "undistort", "text" };
    static const char *const of_datasets[] = { "snapshot",  "where",      "split",      "labels",
                                               "images",    "resize",     "quality",    "reencode",
                                               "keep-exif", "with-bytes", "shard-size", "replace" };
    const char *const *others = scenes ? of_datasets : of_scenes;
    int n = scenes ? VD_COUNT(of_datasets) : VD_COUNT(of_scenes);
    for (int i = 0; i < n; i++)
        if (vd_arg_given(c, others[i]))
            return vd_fail(err, VD_E_ARG, "export: --%s is not for --format %s", others[i],
                           vd_arg_text(c, "format"));
    return VD_OK;
}

static vd_picture_mode mode_of(const char *text) {
    return strcmp(text, "copy") == 0      ? VD_PICTURES_COPY
           : strcmp(text, "link") == 0    ? VD_PICTURES_LINK
           : strcmp(text, "symlink") == 0 ? VD_PICTURES_SYMLINK
                                          : VD_PICTURES_NONE;
}

static vd_publish_opt options(vd_opcall *c) {
    const char *reencode = vd_arg_text(c, "reencode");
    return (vd_publish_opt){
        .layout = vd_layout_find(vd_arg_text(c, "format")),
        .out = vd_arg_text(c, "out"),
        .replace = vd_arg_flag(c, "replace"),
        .snapshot = vd_arg_text(c, "snapshot"),
        .where = vd_arg_text(c, "where"),
        .split = vd_arg_text(c, "split"),
        .labels = vd_arg_text(c, "labels"),
        .pictures = { .mode = mode_of(vd_arg_text(c, "images")),
                      .side = (int32_t)vd_arg_int(c, "resize"),
                      .quality = vd_arg_given(c, "quality") ? (int)vd_arg_int(c, "quality") : 0,
                      .ext = reencode == NULL     ? NULL
                             : reencode[0] == 'p' ? "png"
                                                  : "jpg",
                      .keep_exif = vd_arg_flag(c, "keep-exif") },
        .shard_bytes = vd_arg_int(c, "shard-size"),
        .with_bytes = vd_arg_flag(c, "with-bytes"),
        .libexec_dir = c->libexec_dir,
        .on_progress = c->on_progress,
        .on_cancel = c->on_cancel,
        .user = c->user,
    };
}

static vd_status out_row(vd_opcall *c, const char *what, int64_t n, vd_err *err) {
    const vd_value row[] = { vd_val_text(what), vd_val_int(n), vd_val_int(0), vd_val_null() };
    return vd_out_row(c, row, err);
}

static vd_status out_result(vd_opcall *c, const vd_published *p, vd_err *err) {
    VD_TRY(vd_out_columns(c, columns, VD_COUNT(columns), err));
    VD_TRY(out_row(c, "pictures", p->pictures, err));
    VD_TRY(out_row(c, "labelled", p->labelled, err));
    VD_TRY(out_row(c, "categories", p->categories, err));
    VD_TRY(out_row(c, "objects", p->objects, err));
    VD_TRY(out_row(c, "bytes", p->bytes, err));
    VD_TRY(vd_out_label_report(c, &p->noted, false, err));
    return vd_out_label_report(c, &p->lost, true, err);
}

static vd_status export_dataset(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_pool *pool = NULL;
    vd_published done = { 0 };
    const vd_publish_opt opt = options(c);
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(vd_op_check_where(vd_dataset_db(ds), opt.where, err));
    VD_GO(vd_front_pool(c, &pool, err));
    VD_GO(vd_publish(&done, ds, &opt, pool, err));
    VD_GO(out_result(c, &done, err));
    vd_out_words(c, "%s: %lld of %lld pictures in %s", opt.layout->format, (long long)done.pictures,
                 (long long)done.plan.n, opt.out);
    if (opt.snapshot != NULL && done.differing > 0)
        st = vd_fail(err, VD_E_CHECK,
                     "export: %lld of %lld pictures are not as the snapshot '%.60s' has them, and "
                     "were left out",
                     (long long)done.differing, (long long)done.plan.n, opt.snapshot);
done:
    vd_published_reset(&done);
    vd_pool_free(pool);
    vd_dataset_close(ds);
    return st;
}

static vd_status export_op(vd_opcall *c, vd_err *err) {
    bool scenes = vd_layout_find(vd_arg_text(c, "format")) == NULL;
    VD_TRY(check_kind(c, scenes, err));
    return scenes ? vd_export_scenes(c, err) : export_dataset(c, err);
}

const vd_op vd_op_export = {
    .name = "export",
    .summary = "writes scenes (COLMAP, nerfstudio, ...) or datasets (COCO, YOLO, Parquet, ...)",
    .help =
        "Scenes: cameras and keypoints are in pixels of the full-size pictures as stored, before their EXIF\n"
        "orientation; images have the names of their files. Rows: scene, path, images, points.\n"
        "Datasets: pictures and labels in the layout that trainers read, EXIF and GPS taken out, turned pictures\n"
        "encoded upright. What was changed or left out is listed; a picture that cannot be written is left out.\n"
        "With --snapshot the exit status is 1 if a picture differs from it. docs/export.md says more.",
    .example = "vidimus export captures.vidimus --format yolo --split split --out train",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_FILES | VD_OP_DYNAMIC,
    .run = export_op,
};
