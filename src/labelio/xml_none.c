/* A build without expat. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/xml.h"

static vd_status none(const char *where, vd_err *err) {
    return vd_fail(err, VD_E_UNSUPPORTED, "label: %s is XML, and this build has no expat", where);
}

vd_status vd_xml_parse(const vd_xml_handler *h, const char *where, const char *text, size_t size,
                       vd_err *err) {
    (void)h, (void)text, (void)size;
    return none(where, err);
}

vd_status vd_xml_read(const vd_xml_handler *h, const char *path, vd_err *err) {
    (void)h;
    return none(path, err);
}
