/* Operation import: what other programs know about the pictures of a dataset.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/labels.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory; the pictures must have been added" },
    { .name = "path",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "PATH",
      .help = "file or folder of labels" },
    { .name = "format",
      .type = VD_T_CHOICE,
      .choices = VD_LABEL_READERS,
      .help = "found by itself when not given" },
    { .name = "name", .value = "SET", .help = "name of the label set; else that of the file" },
    { .name = "replace", .type = VD_T_FLAG, .help = "in the place of a label set of that name" },
};

const vd_op vd_op_import = {
    .name = "import",
    .summary = "labels of other programs into the catalog",
    .help =
        "Labels go to the assets whose paths end as their pictures' names do, or which have that name or hash; what\n"
        "could not be matched is listed and kept. Where labels are those of a picture as stored and the picture is turned by\n"
        "its EXIF orientation, they are turned with it. Tables label_set, label_category, label_image, label.",
    .example = "vidimus import captures.vidimus instances_train.json --name train",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_WRITES | VD_OP_DYNAMIC,
    .run = vd_import_labels,
};
