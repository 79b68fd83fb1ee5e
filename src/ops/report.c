/* Operation report: one self-contained HTML file. SPDX-License-Identifier: Apache-2.0 */
#include "report/data.h"

#include <string.h>

#include "base/path.h"
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "out",
      .value = "FILE",
      .help = "where the page goes; report.html in the dataset if not given" },
    { .name = "gallery",
      .type = VD_T_INT,
      .max = 1000,
      .def = "24",
      .help = "pictures shown a kind of problem" },
    { .name = "groups",
      .type = VD_T_INT,
      .max = 1000,
      .def = "24",
      .help = "groups of duplicates shown of each kind" },
    { .name = "thumbnails",
      .type = VD_T_BYTES,
      .max = 1e9,
      .def = "4M",
      .help = "bytes of thumbnails in the page, and as many again for pictures of scenes" },
    { .name = "points",
      .type = VD_T_INT,
      .max = 10e6,
      .def = "200000",
      .help = "points shown of a scene; of all scenes five times as many" },
    { .name = "data",
      .type = VD_T_FLAG,
      .help = "write the data of the page as JSON, not the page" },
};

static const vd_column columns[] = {
    { "file", VD_TEXT, "", "what was written", 0 },
    { "bytes", VD_INT, "bytes", "its size", 0 },
};

static vd_status report_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_str data = { 0 }, page = { 0 }, path = { 0 };
    const bool json = vd_arg_flag(c, "data");
    vd_report_opt opt = VD_REPORT_OPT;
    opt.per_gallery = (int)vd_arg_int(c, "gallery");
    opt.groups = (int)vd_arg_int(c, "groups");
    opt.thumb_bytes = vd_arg_int(c, "thumbnails");
    opt.points = vd_arg_int(c, "points");
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    if (vd_arg_given(c, "out"))
        vd_str_add(&path, vd_arg_text(c, "out"));
    else
        vd_str_addf(&path, "%s/report.%s", vd_dataset_dir(ds), json ? "json" : "html");
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_report_data(&data, ds, &opt, err));
    if (!json) VD_GO(vd_report_page(&page, data.data, err));
    const vd_str *text = json ? &data : &page;
    VD_GO(vd_file_write(path.data, text->data, (size_t)text->size, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    const vd_value row[] = { vd_val_text(path.data), vd_val_int(text->size) };
    VD_GO(vd_out_row(c, row, err));
    if (!json) vd_out_words(c, "open %s in a browser", path.data);
done:
    vd_dataset_close(ds);
    vd_str_reset(&data);
    vd_str_reset(&page);
    vd_str_reset(&path);
    return st;
}

const vd_op vd_op_report = {
    .name = "report",
    .summary = "one HTML file about the whole dataset",
    .help =
        "Totals, scenes in 3D, problems, histograms of every metric, the worst pictures, duplicates side by side, when\n"
        "and where pictures were taken, cameras, formats and timings. The file needs no network and stays small:\n"
        "pictures and points are counted in full, but shown up to a limit.",
    .example = "vidimus report captures.vidimus --out report.html",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_FILES,
    .run = report_op,
};
