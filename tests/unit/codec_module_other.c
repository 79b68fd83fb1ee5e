/* A module of another build, for codec_module.c. SPDX-License-Identifier: Apache-2.0 */
#include "codec/io_vips.h"

const vd_vips_api vd_vips_module = { .stamp = { .release = "0.0.7", .number = 99 } };
