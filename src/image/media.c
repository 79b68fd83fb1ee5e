/* Names and the empty value of a medium's description. SPDX-License-Identifier: Apache-2.0 */
#include "image/media.h"

#include <math.h>

const char *vd_verdict_name(vd_verdict v) {
    static const char *const names[] = { "ok",          "animated",   "wrong_extension",
                                         "corrupt",     "truncated",  "too_large",
                                         "unsupported", "unreadable", "not_an_image" };
    return (unsigned)v < VD_COUNT(names) ? names[v] : "unreadable";
}

const char *vd_kind_name(vd_kind k) {
    static const char *const names[] = { "other", "image", "video", "audio", "archive" };
    return (unsigned)k < VD_COUNT(names) ? names[k] : "other";
}

void vd_media_init(vd_media *m) {
    *m = (vd_media){ .offset = -1, .orientation = 1 };
    m->decoded_percent = m->duration_s = m->fps = NAN;
    m->focal_mm = m->focal_35mm = m->exposure_s = m->f_number = m->iso = NAN;
    m->latitude_deg = m->longitude_deg = m->altitude_m = m->direction_deg = NAN;
    m->pitch_deg = NAN;
}
