/* A build without libvips: JPEG, BMP and PNM only. SPDX-License-Identifier: Apache-2.0 */
#include "codec/io_vips.h"

void vd_vips_find(vd_vips_file *f) {
    (void)f;
}

vd_status vd_vips_load(vd_vips_file *f, vd_err *err) {
    (void)f;
    return vd_fail(err, VD_E_UNSUPPORTED, "not in this build");
}
