/* A build without the metadata libraries: EXIF and XMP are not read. SPDX-License-Identifier:
 * Apache-2.0 */
#include "codec/meta.h"

void vd_meta_exif(vd_media *m, const uint8_t *data, size_t size) {
    (void)m, (void)data, (void)size;
}
void vd_meta_xmp(vd_media *m, const char *packet, size_t size) {
    (void)m, (void)packet, (void)size;
}
const char *vd_meta_exif_library(void) {
    return "libexif not in this build";
}
const char *vd_meta_xmp_library(void) {
    return "expat not in this build";
}
