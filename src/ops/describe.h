/* Texts made from the operation table: help, JSON, completion, the reference page.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_OPS_DESCRIBE_H
#define VD_OPS_DESCRIBE_H

#include "ops/op.h"

void vd_describe_help(const vd_op *op, vd_str *out);     /* vidimus NAME --help */
void vd_describe_overview(vd_str *out);                  /* vidimus --help */
void vd_describe_family(const char *name, vd_str *out);  /* vidimus eval --help */
void vd_describe_kinds(const char *family, vd_str *out); /* poses|detection */
void vd_describe_json(const vd_op *op, vd_str *out);
void vd_describe_reference(vd_str *out); /* docs/reference.md */
vd_status vd_describe_completion(const char *shell, vd_str *out, vd_err *err);
#endif
