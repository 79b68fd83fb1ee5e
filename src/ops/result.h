/* A result kept in memory, column by column. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_OPS_RESULT_H
#define VD_OPS_RESULT_H

#include "ops/op.h"

vd_status vd_result_new(vd_result **out, vd_err *err);
/* A sink that fills `r`; valid as long as `r`. */
vd_sink vd_result_sink(vd_result *r);
#endif
