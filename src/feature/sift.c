/* Feature extraction: extrema of the scale space, selection, descriptors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/sift.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "feature/work.h"

void vd_features_init(vd_features *f) {
    *f = (vd_features){ 0 };
}

void vd_features_reset(vd_features *f) {
    if (f == NULL) return;
    vd_mem_free(f->kp);
    vd_mem_free(f->desc);
    *f = (vd_features){ 0 };
}

vd_status vd_sift_work_new(vd_sift_work **out, vd_err *err) {
    vd_sift_work *w = vd_mem_array(1, sizeof *w);
    if (w == NULL) return vd_nomem(err);
    w->kern = vd_feature_kern_for(vd_cpu_features());
    *out = w;
    return VD_OK;
}

void vd_sift_work_free(vd_sift_work *w) {
    if (w == NULL) return;
    vd_mem_free(w->firsts);
    vd_mem_free(w->rows);
    vd_mem_free(w->planes);
    vd_mem_free(w->found);
    vd_mem_free(w->hits);
    vd_mem_free(w->desc);
    vd_mem_free(w);
}

/* The pages of a block; it remains allocated. */
static void drop_pages(void *p, int64_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page,
              to = ((uintptr_t)p + (uintptr_t)bytes) / page * page;
    if (p != NULL && to > from)
        madvise((char *)p + (from - (uintptr_t)p), to - from, MADV_DONTNEED);
}

void vd_sift_work_rest(vd_sift_work *w) {
    drop_pages(w->firsts, w->cap_firsts * (int64_t)sizeof *w->firsts);
    drop_pages(w->rows, w->cap_rows * (int64_t)sizeof *w->rows);
    drop_pages(w->planes, w->cap_planes * (int64_t)sizeof *w->planes);
    drop_pages(w->found, w->cap_found * (int64_t)sizeof *w->found);
    drop_pages(w->desc, w->cap_desc);
}

static vd_status check(const vd_sift_input *in, const vd_sift_opt *opt, vd_err *err) {
    if (in->width < 1 || in->height < 1 || in->luma == NULL)
        return vd_fail(err, VD_E_ARG, "sift: a picture of %d x %d", in->width, in->height);
    if (in->width > VD_SIFT_MAX_SIDE || in->height > VD_SIFT_MAX_SIDE)
        return vd_fail(err, VD_E_LIMIT, "sift: a picture of %d x %d, the limit is %d a side",
                       in->width, in->height, VD_SIFT_MAX_SIDE);
    if (opt->max_features < 1 || opt->max_features > VD_SIFT_MAX_FEATURES)
        return vd_fail(err, VD_E_ARG, "sift: %d features, 1 to %d are possible", opt->max_features,
                       VD_SIFT_MAX_FEATURES);
    if (opt->octaves_up < 0 || opt->octaves_up > 1 || opt->levels < 2 ||
        opt->levels > VD_SIFT_MAX_LEVELS)
        return vd_fail(err, VD_E_ARG, "sift: octaves_up %d (0 or 1), levels %d (2 to %d)",
                       opt->octaves_up, opt->levels, VD_SIFT_MAX_LEVELS);
    if (!(opt->peak_threshold >= 0 && opt->peak_threshold <= 1) ||
        !(opt->edge_threshold >= 1 && opt->edge_threshold <= 1e6))
        return vd_fail(err, VD_E_ARG,
                       "sift: peak threshold %g (0 to 1), edge threshold %g (from 1)",
                       opt->peak_threshold, opt->edge_threshold);
    if (opt->max_orientations < 1 || opt->max_orientations > VD_SIFT_MOST_DIRECTIONS)
        return vd_fail(err, VD_E_ARG, "sift: %d orientations, 1 to %d are possible",
                       opt->max_orientations, VD_SIFT_MOST_DIRECTIONS);
    return VD_OK;
}

vd_status vd_sift_extract_in(vd_sift_work *work, vd_features *out, const uint8_t *luma, int width,
                             int height, ptrdiff_t stride, const uint8_t *mask,
                             ptrdiff_t mask_stride, const vd_sift_opt *opt, vd_err *err) {
    const vd_sift_input in = { luma, mask, stride, mask_stride, width, height };
    vd_features f = { 0 };
    VD_TRY(check(&in, opt, err));
    VD_TRY(vd_detect(work, &in, opt, err));
    VD_TRY(vd_select(work, &in, opt->max_features, err));
    vd_status st = vd_describe(&f, work, &in, opt, err);
    if (st != VD_OK) {
        vd_features_reset(&f);
        return st;
    }
    vd_features_reset(out);
    *out = f;
    return VD_OK;
}

vd_status vd_sift_extract(vd_features *out, const uint8_t *luma, int width, int height,
                          ptrdiff_t stride, const uint8_t *mask, ptrdiff_t mask_stride,
                          const vd_sift_opt *opt, vd_err *err) {
    vd_sift_work *w = NULL;
    VD_TRY(vd_sift_work_new(&w, err));
    vd_status st =
        vd_sift_extract_in(w, out, luma, width, height, stride, mask, mask_stride, opt, err);
    vd_sift_work_free(w);
    return st;
}
