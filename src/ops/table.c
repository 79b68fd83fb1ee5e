/* The operation table. SPDX-License-Identifier: Apache-2.0 */
#include "ops/op.h"

extern const vd_op vd_op_run, vd_op_add, vd_op_reconstruct, vd_op_status, vd_op_list, vd_op_show,
    vd_op_issues, vd_op_groups, vd_op_scenes, vd_op_tag, vd_op_sql, vd_op_doctor, vd_op_synth,
    vd_op_report, vd_op_import, vd_op_export, vd_op_localize, vd_op_convert, vd_op_compare,
    vd_op_eval_poses, vd_op_eval_detection, vd_op_eval_tracking, vd_op_eval_classification,
    vd_op_eval_segmentation, vd_op_gc, vd_op_completion, vd_op_reference;

const vd_op *const vd_ops[] = {
    &vd_op_run,
    &vd_op_add,
    &vd_op_reconstruct,
    &vd_op_status,
    &vd_op_list,
    &vd_op_show,
    &vd_op_issues,
    &vd_op_groups,
    &vd_op_scenes,
    &vd_op_tag,
    &vd_op_sql,
    &vd_op_doctor,
    &vd_op_synth,
    &vd_op_report,
    &vd_op_import,
    &vd_op_export,
    &vd_op_localize,
    &vd_op_convert,
    &vd_op_compare,
    &vd_op_eval_poses,
    &vd_op_eval_detection,
    &vd_op_eval_tracking,
    &vd_op_eval_classification,
    &vd_op_eval_segmentation,
    &vd_op_gc,
    &vd_op_completion,
    &vd_op_reference,
};
const int vd_n_ops = VD_COUNT(vd_ops);
