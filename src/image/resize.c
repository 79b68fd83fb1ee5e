/* Area averaging. Rows are combined first (one streaming pass over the input, see
 * kern.h:reduce_rows), then the far fewer columns. SPDX-License-Identifier: Apache-2.0 */
#include "image/resize.h"

#include <string.h>

#include "base/mem.h"

enum { WEIGHT_SUM = 16384 };

static vd_status build(vd_filter *f, int32_t in, int32_t out, vd_err *err) {
    int32_t taps = out >= in ? 2 : (in + out - 1) / out + 1;
    taps += taps & 1;
    f->in = f->out = 0;
    VD_TRY(VD_GROW(f->start, f->cap_start, out, err));
    VD_TRY(VD_GROW(f->weight, f->cap_weight, (int64_t)out * taps, err));
    memset(f->weight, 0, (size_t)out * (size_t)taps * sizeof *f->weight);
    for (int64_t j = 0; j < out; j++) {
        /* in units of 1 / out input pixels the interval is [j * in, (j + 1) * in) */
        int64_t lo = j * in, hi = lo + in, first = lo / out;
        int64_t before = 0;
        f->start[j] = (int32_t)first;
        for (int32_t k = 0; k < taps; k++) {
            int64_t end = VD_MIN((first + k + 1) * out, hi);
            int64_t now = ((end - lo) * WEIGHT_SUM * 2 + in) / (2 * (int64_t)in);
            f->weight[(int64_t)(k / 2) * 2 * out + 2 * j + k % 2] = (int16_t)(now - before);
            before = now;
            if (end == hi) break;
        }
    }
    f->in = in;
    f->out = out;
    f->taps = taps;
    return VD_OK;
}

vd_status vd_filter_get(const vd_filter **out, vd_filter_cache *c, int32_t in, int32_t size,
                        vd_err *err) {
    if (in < 1 || size < 1)
        return vd_fail(err, VD_E_ARG, "resize: %d to %d pixels", (int)in, (int)size);
    vd_filter *oldest = &c->slot[0];
    c->clock++;
    for (int i = 0; i < VD_FILTER_SLOTS; i++) {
        vd_filter *f = &c->slot[i];
        if (f->in == in && f->out == size) {
            f->used = c->clock;
            *out = f;
            return VD_OK;
        }
        if (f->used < oldest->used) oldest = f;
    }
    VD_TRY(build(oldest, in, size, err));
    oldest->used = c->clock;
    *out = oldest;
    return VD_OK;
}

void vd_filter_cache_reset(vd_filter_cache *c) {
    for (int i = 0; i < VD_FILTER_SLOTS; i++) {
        vd_mem_free(c->slot[i].start);
        vd_mem_free(c->slot[i].weight);
    }
    *c = (vd_filter_cache){ 0 };
}

void vd_filter_weights(const vd_filter *f, int32_t j, int16_t *out) {
    for (int32_t k = 0; k < f->taps; k++)
        out[k] = f->weight[(int64_t)(k / 2) * 2 * f->out + 2 * (int64_t)j + k % 2];
}

vd_status vd_pixels_shape(vd_pixels *p, int32_t width, int32_t height, int32_t channels,
                          vd_err *err) {
    int64_t need = (int64_t)width * height * channels;
    if (need > p->cap) {
        uint8_t *data = vd_mem_aligned((size_t)need + 64);
        if (data == NULL) return vd_nomem(err);
        vd_mem_free(p->data);
        p->data = data;
        p->cap = need;
    }
    p->width = width;
    p->height = height;
    p->channels = channels;
    return VD_OK;
}

void vd_pixels_reset(vd_pixels *p) {
    vd_mem_free(p->data);
    *p = (vd_pixels){ 0 };
}

vd_status vd_reduce_tmp_shape(vd_reduce_tmp *t, int32_t width, int32_t taps, vd_err *err) {
    int64_t line = (int64_t)width + taps + VD_KERN_PAD;
    VD_TRY(VD_GROW(t->weight, t->cap_weight, taps, err));
    VD_TRY(VD_GROW(t->rows, t->cap_rows, taps, err));
    if (line > t->cap_line) {
        VD_TRY(VD_GROW(t->line, t->cap_line, line, err));
        memset(t->line, 0, (size_t)t->cap_line * sizeof *t->line);
    }
    return VD_OK;
}

void vd_reduce_tmp_reset(vd_reduce_tmp *t) {
    vd_mem_free(t->line);
    vd_mem_free(t->weight);
    vd_mem_free(t->rows);
    *t = (vd_reduce_tmp){ 0 };
}

vd_status vd_reduce_plane(uint8_t *out, int32_t out_w, int32_t out_h, const vd_plane *in,
                          vd_filter_cache *cache, vd_reduce_tmp *tmp, const vd_image_kern *kern,
                          vd_err *err) {
    const vd_filter *fx, *fy;
    VD_TRY(vd_filter_get(&fx, cache, in->width, out_w, err));
    VD_TRY(vd_filter_get(&fy, cache, in->height, out_h, err));
    VD_TRY(vd_reduce_tmp_shape(tmp, in->width, VD_MAX(fx->taps, fy->taps), err));
    for (int32_t r = 0; r < out_h; r++) {
        int32_t first = fy->start[r], n = VD_MIN(fy->taps, in->height - first);
        vd_filter_weights(fy, r, tmp->weight);
        while (n > 1 && tmp->weight[n - 1] == 0) n--;
        for (int32_t i = 0; i < n; i++) tmp->rows[i] = in->data + (first + i) * in->stride;
        kern->reduce_rows(tmp->line, tmp->rows, tmp->weight, n, in->width);
        kern->reduce_cols(out + (int64_t)r * out_w, tmp->line, fx->start, fx->weight, fx->taps,
                          out_w);
    }
    return VD_OK;
}

/* Tiles keep both sides of a transposition in the cache. */
static void turn(uint8_t *dst, const uint8_t *src, int32_t w, int32_t h, int32_t ch,
                 ptrdiff_t step_x, ptrdiff_t step_y, ptrdiff_t origin) {
    enum { TILE = 32 };
    for (int32_t ty = 0; ty < h; ty += TILE)
        for (int32_t tx = 0; tx < w; tx += TILE)
            for (int32_t y = ty; y < VD_MIN(h, ty + TILE); y++) {
                const uint8_t *s = src + ((ptrdiff_t)y * w + tx) * ch;
                uint8_t *d = dst + origin + y * step_y + tx * step_x;
                for (int32_t x = tx; x < VD_MIN(w, tx + TILE); x++, d += step_x, s += ch)
                    for (int32_t c = 0; c < ch; c++) d[c] = s[c];
            }
}

vd_status vd_pixels_orient(vd_pixels *dst, const vd_pixels *src, int orientation, vd_err *err) {
    int32_t w = src->width, h = src->height, ch = src->channels;
    bool swap = orientation >= 5 && orientation <= 8;
    VD_TRY(vd_pixels_shape(dst, swap ? h : w, swap ? w : h, ch, err));
    ptrdiff_t row = (ptrdiff_t)dst->width * ch, last_x = (ptrdiff_t)(dst->width - 1) * ch,
              last_y = (ptrdiff_t)(dst->height - 1) * row;
    switch (orientation) {
    case 2: turn(dst->data, src->data, w, h, ch, -ch, row, last_x); break;
    case 3: turn(dst->data, src->data, w, h, ch, -ch, -row, last_x + last_y); break;
    case 4: turn(dst->data, src->data, w, h, ch, ch, -row, last_y); break;
    case 5: turn(dst->data, src->data, w, h, ch, row, ch, 0); break;
    case 6: turn(dst->data, src->data, w, h, ch, row, -ch, last_x); break;
    case 7: turn(dst->data, src->data, w, h, ch, -row, -ch, last_x + last_y); break;
    case 8: turn(dst->data, src->data, w, h, ch, -row, ch, last_y); break;
    default: memcpy(dst->data, src->data, (size_t)w * (size_t)h * (size_t)ch); break;
    }
    return VD_OK;
}
