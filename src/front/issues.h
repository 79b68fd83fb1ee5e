/* What the two halves of operation issues share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FRONT_ISSUES_H
#define VD_FRONT_ISSUES_H

#include "ops/op.h"

/* issues --labels: checks a label set, keeps what was found, and sends it: kinds with counts, or
 * rows. */
vd_status vd_issues_labels(vd_opcall *c, vd_err *err);
#endif
