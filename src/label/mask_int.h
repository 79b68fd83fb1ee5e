/* Shared by the files of masks. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABEL_MASK_INT_H
#define VD_LABEL_MASK_INT_H

#include "label/mask.h"

vd_status vd_mask__check_size(const char *where, int64_t height, int64_t width, vd_err *err);
#endif
