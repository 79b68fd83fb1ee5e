/* Operation convert: labels from one format to another, without a dataset. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "labelio/format.h"
#include "ops/labels.h"
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "labels",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "IN",
      .help = "file or folder of labels" },
    { .name = "to",
      .type = VD_T_CHOICE,
      .flags = VD_REQUIRED,
      .choices = VD_LABEL_WRITERS,
      .help = "format to write" },
    { .name = "out", .flags = VD_REQUIRED, .value = "OUT", .help = "file or folder to write" },
    { .name = "from",
      .type = VD_T_CHOICE,
      .choices = VD_LABEL_READERS,
      .help = "format to read; found by itself when not given" },
    { .name = "images",
      .value = "DIR",
      .help = "folder of the pictures, for formats whose numbers are fractions of their sizes" },
};

static const vd_column columns[] = {
    { "what", VD_TEXT, "", "images, categories, objects; then what was lost", 0 },
    { "count", VD_INT, "", "how many", 0 },
    { "lost", VD_INT, "", "1: did not fit", 0 },
    { "examples", VD_TEXT, "", "the first ones that did not fit", 0 },
};

static vd_status read_in(vd_opcall *c, vd_label_set *set, vd_label_report *report,
                         const vd_label_format **from, vd_err *err) {
    vd_label_in in = { 0 };
    const char *path = vd_arg_text(c, "labels"), *name = vd_arg_text(c, "from");
    vd_status st = VD_OK;
    if (name != NULL)
        *from = vd_label_format_find(name);
    else
        VD_TRY(vd_label_detect(from, path, err));
    VD_GO(vd_label_in_init(&in, vd_label_set_sink(set), report, err));
    in.images = vd_arg_text(c, "images");
    in.libexec_dir = c->libexec_dir;
    VD_GO((*from)->read(&in, path, err));
    st = vd_label_set_finish(set, err);
done:
    vd_label_in_reset(&in);
    return st;
}

vd_status vd_out_label_report(vd_opcall *c, const vd_label_report *report, bool lost, vd_err *err) {
    vd_str text = { 0 };
    vd_status st = VD_OK;
    for (int64_t i = 0; st == VD_OK && i < report->n; i++) {
        const vd_label_loss *l = &report->loss[i];
        vd_str_clear(&text);
        for (int k = 0; k < VD_LOSS_EXAMPLES && l->example[k] != NULL; k++) {
            if (k > 0) vd_str_add(&text, "; ");
            vd_str_add(&text, l->example[k]);
        }
        const vd_value row[] = { vd_val_text(l->what), vd_val_int(l->count), vd_val_int(lost),
                                 vd_val_text(vd_str_text(&text)) };
        st = vd_str_check(&text, err);
        if (st == VD_OK) st = vd_out_row(c, row, err);
    }
    vd_str_reset(&text);
    return st;
}

vd_status vd_out_label_losses(vd_opcall *c, const vd_label_report *report, vd_err *err) {
    return vd_out_label_report(c, report, true, err);
}

static vd_status out_count(vd_opcall *c, const char *what, int64_t n, vd_err *err) {
    const vd_value row[] = { vd_val_text(what), vd_val_int(n), vd_val_int(0), vd_val_null() };
    return vd_out_row(c, row, err);
}

static vd_status convert_op(vd_opcall *c, vd_err *err) {
    vd_label_set set = { 0 };
    vd_label_report report = { 0 };
    const vd_label_format *from = NULL, *to = vd_label_format_find(vd_arg_text(c, "to"));
    const vd_label_out out = { .path = vd_arg_text(c, "out"),
                               .images = vd_arg_text(c, "images"),
                               .report = &report };
    vd_status st = VD_OK;
    VD_GO(read_in(c, &set, &report, &from, err));
    VD_GO(to->write(&set, &out, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(out_count(c, "images", set.n_images, err));
    VD_GO(out_count(c, "categories", set.n_categories, err));
    VD_GO(out_count(c, "objects", set.n_objects, err));
    VD_GO(vd_out_label_losses(c, &report, err));
    vd_out_words(c, "%s to %s: %s", from->name, to->name, out.path);
done:
    vd_label_set_reset(&set);
    vd_label_report_reset(&report);
    return st;
}

const vd_op vd_op_convert = {
    .name = "convert",
    .summary = "writes labels in another format, and says what did not fit",
    .help =
        "No dataset is needed. Numbers are kept to the last bit where both formats can hold them; what the other\n"
        "format has no place for is counted, with the first examples. docs/labels.md says what each format holds.",
    .example = "vidimus convert instances_val.json --to yolo --out labels",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_FILES,
    .run = convert_op,
};
