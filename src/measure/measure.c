/* Measuring one picture: the rendition pass with the full-resolution figures riding on it, then the
 * figures on the renditions. SPDX-License-Identifier: Apache-2.0 */
#include "measure/measure.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "measure/parts.h"

struct vd_measure {
    vd_scratch scratch;
    vd_full full;
    uint8_t small_luma[VD_SMALL_SIDE * VD_SMALL_SIDE];
    vd_pdq_tmp pdq;
    const vd_measure_kern *kern;
};

vd_status vd_measure_new(vd_measure **out, vd_err *err) {
    vd_measure *m = vd_mem_array(1, sizeof *m);
    if (m == NULL) return vd_nomem(err);
    m->kern = vd_measure_kern_for(vd_cpu_features());
    vd_full_init(&m->full, m->kern);
    *out = m;
    return VD_OK;
}

void vd_measure_free(vd_measure *m) {
    if (m == NULL) return;
    vd_scratch_reset(&m->scratch);
    vd_mem_free(m->full.block);
    vd_pdq_tmp_reset(&m->pdq);
    vd_mem_free(m);
}

vd_status vd_measure_frame(vd_metrics *out, vd_pdq *pdq, vd_measure *m, const vd_frame *f,
                           vd_err *err) {
    vd_metrics r = { 0 };
    vd_pdq p;
    vd_luma_observer seen = { vd_full_row, &m->full };
    VD_TRY(vd_full_begin(&m->full, f->width, f->height, err));
    VD_TRY(vd_rendition_make(&m->scratch, f, &seen, err));
    VD_TRY(vd_pdq_luma(&p, &m->scratch.norm, &m->pdq, m->kern, err));
    int32_t w = vd_frame_width(f), h = vd_frame_height(f);
    vd_full_end(&r, &m->full);
    vd_focus_measure(&r, &m->scratch.norm, m->kern);
    const vd_pixels *small = &m->scratch.small;
    vd_colour_measure(&r, m->small_luma, small, f->format == VD_PIX_GREY8, m->kern);
    vd_thumb_measure(&r, m->small_luma, small->width, small->height, w, h, m->kern);
    r.channels = f->format == VD_PIX_GREY8 ? 1 : 3;
    r.aspect_ratio = (double)w / h;
    *out = r;
    *pdq = p;
    return VD_OK;
}

const vd_pixels *vd_measure_norm(const vd_measure *m) {
    return &m->scratch.norm;
}
const vd_pixels *vd_measure_small(const vd_measure *m) {
    return &m->scratch.small;
}
