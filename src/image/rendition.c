/* Renditions. The luma is walked row by row; each row goes to the observer, and the rows an output
 * row of `norm` needs are still in the cache when they are averaged. RGB pictures have their luma
 * computed into a ring of rows first. `small` takes its luma from `norm` and its chroma from the
 * chroma planes; for RGB pictures it is averaged from the picture itself. SPDX-License-Identifier:
 * Apache-2.0 */
#include "image/rendition.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

void vd_scratch_reset(vd_scratch *s) {
    vd_pixels_reset(&s->norm);
    vd_pixels_reset(&s->small);
    vd_pixels_reset(&s->turned);
    vd_pixels_reset(&s->planes);
    vd_pixels_reset(&s->ring);
    vd_filter_cache_reset(&s->filters);
    vd_reduce_tmp_reset(&s->tmp);
    vd_reduce_tmp_reset(&s->colour_tmp);
    *s = (vd_scratch){ 0 };
}

void vd_rendition_size(int32_t w, int32_t h, int32_t side, int32_t *out_w, int32_t *out_h) {
    int64_t longest = VD_MAX(w, h);
    if (longest <= side) {
        *out_w = w;
        *out_h = h;
        return;
    }
    *out_w = (int32_t)VD_MAX(1, ((int64_t)w * side * 2 + longest) / (2 * longest));
    *out_h = (int32_t)VD_MAX(1, ((int64_t)h * side * 2 + longest) / (2 * longest));
}

/* Rows of luma in order: the plane itself, or a ring filled from RGB. */
typedef struct luma {
    const vd_frame *f;
    const vd_image_kern *kern;
    uint8_t *ring;
    int32_t slots, next; /* next row to be converted and shown */
    const vd_luma_observer *seen;
} luma;

static const uint8_t *row_at(const luma *l, int32_t y) {
    if (y < 0) return NULL;
    if (l->f->format != VD_PIX_RGB8) return l->f->plane[0].data + y * l->f->plane[0].stride;
    return l->ring + (ptrdiff_t)(y % l->slots) * l->f->width;
}

/* Makes the rows below `end` available and shows each once. */
static void advance(luma *l, int32_t end) {
    for (; l->next < end; l->next++) {
        int32_t y = l->next;
        if (l->f->format == VD_PIX_RGB8)
            l->kern->luma_rgb(l->ring + (ptrdiff_t)(y % l->slots) * l->f->width,
                              l->f->plane[0].data + y * l->f->plane[0].stride, l->f->width);
        if (l->seen == NULL) continue;
        const uint8_t *rows[VD_LUMA_HISTORY];
        for (int k = 0; k < VD_LUMA_HISTORY; k++) rows[k] = row_at(l, y - k);
        l->seen->row(l->seen->user, y, rows, l->f->width);
    }
}

static vd_status make_norm(vd_scratch *s, vd_pixels *out, luma *l, vd_err *err) {
    int32_t w = l->f->width, h = l->f->height, out_w, out_h;
    const vd_filter *fx, *fy;
    vd_rendition_size(w, h, VD_NORM_SIDE, &out_w, &out_h);
    VD_TRY(vd_pixels_shape(out, out_w, out_h, 1, err));
    VD_TRY(vd_filter_get(&fx, &s->filters, w, out_w, err));
    VD_TRY(vd_filter_get(&fy, &s->filters, h, out_h, err));
    VD_TRY(vd_reduce_tmp_shape(&s->tmp, w, VD_MAX(fx->taps, fy->taps), err));
    if (l->f->format == VD_PIX_RGB8) {
        l->slots = fy->taps + VD_LUMA_HISTORY;
        VD_TRY(vd_pixels_shape(&s->ring, w, l->slots, 1, err));
        l->ring = s->ring.data;
    }
    for (int32_t r = 0; r < out_h; r++) {
        uint8_t *dst = out->data + (int64_t)r * out_w;
        if (out_w == w && out_h == h) {
            advance(l, r + 1);
            memcpy(dst, row_at(l, r), (size_t)w);
            continue;
        }
        int32_t first = fy->start[r], n = VD_MIN(fy->taps, h - first);
        vd_filter_weights(fy, r, s->tmp.weight);
        while (n > 1 && s->tmp.weight[n - 1] == 0) n--;
        advance(l, first + n);
        for (int32_t i = 0; i < n; i++) s->tmp.rows[i] = row_at(l, first + i);
        s->kern->reduce_rows(s->tmp.line, s->tmp.rows, s->tmp.weight, n, w);
        s->kern->reduce_cols(dst, s->tmp.line, fx->start, fx->weight, fx->taps, out_w);
    }
    advance(l, h);
    return VD_OK;
}

/* `small` of a picture with a luma plane: three reduced planes, then one colour conversion. */
static vd_status small_from_planes(vd_scratch *s, vd_pixels *out, const vd_frame *f,
                                   const vd_pixels *norm, vd_err *err) {
    int64_t n = (int64_t)out->width * out->height;
    vd_plane y = { norm->data, norm->width, norm->width, norm->height };
    VD_TRY(vd_pixels_shape(&s->planes, out->width, out->height, 3, err));
    uint8_t *p = s->planes.data;
    if (norm->width == out->width && norm->height == out->height)
        memcpy(p, norm->data, (size_t)n);
    else
        VD_TRY(vd_reduce_plane(p, out->width, out->height, &y, &s->filters, &s->colour_tmp, s->kern,
                               err));
    if (f->format == VD_PIX_GREY8) {
        memset(p + n, 128, (size_t)(2 * n));
    } else {
        for (int c = 1; c < 3; c++)
            VD_TRY(vd_reduce_plane(p + c * n, out->width, out->height, &f->plane[c], &s->filters,
                                   &s->colour_tmp, s->kern, err));
    }
    for (int32_t r = 0; r < out->height; r++) {
        int64_t at = (int64_t)r * out->width;
        s->kern->rgb_ycc(out->data + 3 * at, p + at, p + n + at, p + 2 * n + at, out->width);
    }
    return VD_OK;
}

/* `small` of an interleaved picture: rows are reduced with the channels together, then each
 * channel's columns by a filter that steps over three values. */
static vd_status small_from_rgb(vd_scratch *s, vd_pixels *out, const vd_frame *f, vd_err *err) {
    const vd_filter *fx, *fy;
    int32_t w = f->width, h = f->height;
    VD_TRY(vd_filter_get(&fx, &s->filters, w, out->width, err));
    VD_TRY(vd_filter_get(&fy, &s->filters, h, out->height, err));
    vd_reduce_tmp *t = &s->colour_tmp;
    VD_TRY(vd_reduce_tmp_shape(t, 4 * w + fx->taps + VD_KERN_PAD, VD_MAX(fx->taps, fy->taps), err));
    VD_TRY(vd_pixels_shape(&s->planes, out->width, 1, 3, err));
    uint16_t *one = t->line + 3 * (ptrdiff_t)w;
    for (int32_t r = 0; r < out->height; r++) {
        int32_t first = fy->start[r], n = VD_MIN(fy->taps, h - first);
        vd_filter_weights(fy, r, t->weight);
        while (n > 1 && t->weight[n - 1] == 0) n--;
        for (int32_t i = 0; i < n; i++)
            t->rows[i] = f->plane[0].data + (first + i) * f->plane[0].stride;
        s->kern->reduce_rows(t->line, t->rows, t->weight, n, 3 * w);
        uint8_t *dst = out->data + (int64_t)r * out->width * 3;
        for (int c = 0; c < 3; c++) {
            for (int32_t x = 0; x < w; x++) one[x] = t->line[3 * x + c];
            s->kern->reduce_cols(s->planes.data, one, fx->start, fx->weight, fx->taps, out->width);
            for (int32_t x = 0; x < out->width; x++) dst[3 * x + c] = s->planes.data[x];
        }
    }
    return VD_OK;
}

static vd_status check(const vd_frame *f, vd_err *err) {
    if (f->width < 1 || f->height < 1 || f->width > INT32_MAX / 8 || f->height > INT32_MAX / 8)
        return vd_fail(err, VD_E_ARG, "rendition: a picture of %d x %d", (int)f->width,
                       (int)f->height);
    int planes = f->format == VD_PIX_YCC8 ? 3 : 1;
    for (int i = 0; i < planes; i++)
        if (f->plane[i].data == NULL || f->plane[i].width < 1 || f->plane[i].height < 1)
            return vd_fail(err, VD_E_ARG, "rendition: plane %d is missing", i);
    return VD_OK;
}

vd_status vd_rendition_make(vd_scratch *s, const vd_frame *f, const vd_luma_observer *seen,
                            vd_err *err) {
    VD_TRY(check(f, err));
    if (s->kern == NULL) s->kern = vd_image_kern_for(vd_cpu_features());
    bool turn = f->orientation > 1 && f->orientation <= 8;
    luma l = { .f = f, .kern = s->kern, .seen = seen };
    VD_TRY(make_norm(s, &s->norm, &l, err));
    int32_t w, h;
    vd_rendition_size(f->width, f->height, VD_SMALL_SIDE, &w, &h);
    VD_TRY(vd_pixels_shape(&s->small, w, h, 3, err));
    if (f->format == VD_PIX_RGB8)
        VD_TRY(small_from_rgb(s, &s->small, f, err));
    else
        VD_TRY(small_from_planes(s, &s->small, f, &s->norm, err));
    if (!turn) return VD_OK;
    VD_TRY(vd_pixels_orient(&s->turned, &s->norm, f->orientation, err));
    vd_pixels swap = s->norm;
    s->norm = s->turned;
    s->turned = swap;
    VD_TRY(vd_pixels_orient(&s->turned, &s->small, f->orientation, err));
    swap = s->small;
    s->small = s->turned;
    s->turned = swap;
    return VD_OK;
}
