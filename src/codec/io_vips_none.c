/* A build without libvips: JPEG only. SPDX-License-Identifier: Apache-2.0 */
#include "codec/io_vips.h"

vd_status vd_vips_new(vd_vips **out, vd_icc *icc, vd_err *err) {
    (void)out, (void)icc;
    return vd_fail(err, VD_E_UNSUPPORTED, "this build has no libvips");
}
void vd_vips_free(vd_vips *v) {
    (void)v;
}
vd_status vd_vips_decode(vd_vips *v, vd_serve *s, const vd_job *job, const char *format,
                         vd_media *m, vd_err *err) {
    (void)v, (void)s, (void)job, (void)format, (void)m;
    return vd_fail(err, VD_E_UNSUPPORTED, "this build has no libvips");
}
void vd_vips_libraries(struct vd_str *out) {
    (void)out;
}
