/* Pictures of the decoders of uncompressed formats. SPDX-License-Identifier: Apache-2.0 */
#include "codec/plain_rows.h"

#include <math.h>
#include <string.h>

#include "codec/report.h"

vd_status vd_rows_new(vd_rows *r, vd_serve *s, const vd_job *job, int32_t width, int32_t height,
                      int channels, vd_err *err) {
    enum { BLANK = 128, ALIGN = 64 };
    size_t stride = ((size_t)width * (size_t)channels + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    uint8_t *data = NULL;
    VD_TRY(vd_serve_need(s, job, (int64_t)stride * height, err));
    VD_TRY(vd_serve_output(s, stride * (size_t)height, &data, err));
    memset(data, BLANK, stride * (size_t)height);
    *r = (vd_rows){ data, stride, width, height, channels };
    return VD_OK;
}

vd_status vd_rows_finish(const vd_rows *r, vd_serve *s, const vd_job *job, int64_t good,
                         vd_media *m, vd_err *err) {
    if (good < r->height) {
        m->offset = job->size;
        m->decoded_percent = 100.0 * (double)good / r->height;
        vd_report(m, VD_V_TRUNCATED, "premature_end", "%lld of %d rows came", (long long)good,
                  r->height);
    }
    m->n_frames = 1;
    vd_frame f = { .format = r->channels == 1 ? VD_PIX_GREY8 : VD_PIX_RGB8,
                   .width = r->width,
                   .height = r->height,
                   .orientation = 1 };
    f.plane[0] = (vd_plane){ r->data, (ptrdiff_t)r->stride, r->width, r->height };
    return vd_serve_frame(s, &f, m, 0, NAN, true, err);
}
