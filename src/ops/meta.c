/* Operations completion and reference: texts made from the table. SPDX-License-Identifier:
 * Apache-2.0 */
#include "ops/describe.h"

static const vd_arg completion_args[] = {
    { .name = "shell",
      .type = VD_T_CHOICE,
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .choices = "bash|zsh|fish",
      .help = "for which shell" },
};

static const vd_column text_column[] = { { "text", VD_TEXT, "", "the text", 0 } };

static vd_status send_text(vd_opcall *c, vd_str *s, vd_err *err) {
    vd_status st = vd_str_check(s, err);
    if (st == VD_OK) st = vd_out_columns(c, NULL, 0, err);
    const vd_value row[] = { vd_val_text(vd_str_text(s)) };
    if (st == VD_OK) st = vd_out_row(c, row, err);
    vd_str_reset(s);
    return st;
}

static vd_status completion_op(vd_opcall *c, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = vd_describe_completion(vd_arg_text(c, "shell"), &s, err);
    if (st == VD_OK) return send_text(c, &s, err);
    vd_str_reset(&s);
    return st;
}

static vd_status reference_op(vd_opcall *c, vd_err *err) {
    vd_str s = { 0 };
    vd_describe_reference(&s);
    return send_text(c, &s, err);
}

const vd_op vd_op_completion = {
    .name = "completion",
    .summary = "shell completion, made from the operation table",
    .help = "",
    .example = "vidimus completion bash > ~/.local/share/bash-completion/completions/vidimus",
    .args = completion_args,
    .n_args = VD_COUNT(completion_args),
    .columns = text_column,
    .n_columns = 1,
    .flags = VD_OP_RAW,
    .run = completion_op,
};

const vd_op vd_op_reference = {
    .name = "reference",
    .summary = "the reference page, made from the operation table",
    .help = "",
    .example = "vidimus reference > docs/reference.md",
    .columns = text_column,
    .n_columns = 1,
    .flags = VD_OP_RAW,
    .run = reference_op,
};
