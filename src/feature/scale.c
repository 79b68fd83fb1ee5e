/* The Gaussian scale space of a picture: the levels of an octave.
 * SPDX-License-Identifier: Apache-2.0
 *
 * An octave is made in vertical strips of columns, a block of rows at a time: each level is
 * blurred from the one before as soon as the rows it needs are there, and lags behind it by the
 * radius of the blur. Only the last rows of a level are kept (a ring), enough for the blur after
 * it and for what the caller looks at, so that a strip's working set stays in the processor's
 * second level cache. Strips overlap by what the blurs reach, so no pixel depends on their width,
 * nor on the row that a strip is begun at.
 *
 * All that lasts is each octave's first level, from which it can be made again: all levels of a
 * doubled picture would take thirty times the picture's bytes. */
#include <string.h>

#include "base/mem.h"
#include "feature/num.h"
#include "feature/work.h"

enum {
    BLOCK = VD_SIFT_BLOCK,
    LEAST_SIDE = 12, /* no octave below that */
    CUT = 3,         /* kernels end at that many sigma */
};
#define SIGMA_PICTURE 0.5 /* blur a picture comes with, in its pixels */

/* The blur that takes a level from `from` to `to` (sigmas). */
static void set_blur(vd_ring *r, double from, double to) {
    double sigma = sqrt(to * to - from * from), sum = 0, w[VD_BLUR_MAX_RADIUS + 1];
    int radius = VD_CLAMP((int)ceil(CUT * sigma), 1, (int)VD_BLUR_MAX_RADIUS);
    for (int k = 0; k <= radius; k++) {
        w[k] = vd_feature_exp(-0.5 * k * k / (sigma * sigma));
        sum += k == 0 ? w[k] : 2 * w[k];
    }
    for (int k = 0; k <= radius; k++) r->w[k] = (float)(w[k] / sum);
    r->radius = radius;
}

/* Blurs, lags and lengths of all rings. */
static void plan_rings(vd_making *m) {
    int before = m->o->first == NULL ? 1 : 0, lag = 0, levels = m->opt->levels;
    m->n_rings = m->last + 1 + before;
    m->g = m->ring + before;
    for (int i = 0; i < m->n_rings; i++) {
        vd_ring *r = &m->ring[i];
        *r = (vd_ring){ 0 };
        if (i == 0) continue;
        int level = i - before;
        double to = VD_SIFT_SIGMA * vd_feature_exp2((double)level / levels);
        if (level == 0)
            set_blur(r, SIGMA_PICTURE * (m->opt->octaves_up ? 2 : 1), to);
        else
            set_blur(r, VD_SIFT_SIGMA * vd_feature_exp2((level - 1.0) / levels), to);
        r->lag = lag += r->radius;
    }
    for (int i = 0; i < m->n_rings; i++) {
        int rows = i + 1 < m->n_rings ? 2 * m->ring[i + 1].radius : 0;
        if (m->behind > 0) rows = VD_MAX(rows, lag - m->ring[i].lag + 2 * m->behind);
        m->ring[i].rows = BLOCK + rows + 1;
    }
}

int vd_making_lag(const vd_making *m) {
    return m->ring[m->n_rings - 1].lag;
}

vd_status vd_making_shape(vd_making *m, vd_err *err) {
    vd_sift_work *w = m->w;
    m->o = &w->octave[m->octave];
    plan_rings(m);
    m->over = (vd_making_lag(m) + m->margin + 1) / 2 * 2;
    m->pitch = (VD_MIN(m->strip + 2 * m->over, m->o->width) + 2 * VD_FEATURE_PAD + 15) / 16 * 16;
    int strips = (m->o->width + m->strip - 1) / m->strip;
    m->strip = ((m->o->width + strips - 1) / strips + 1) / 2 * 2;
    int64_t rows = BLOCK + m->spare;
    for (int i = 0; i < m->n_rings; i++) rows += m->ring[i].rows;
    if (w->cap_rows < rows * m->pitch) {
        vd_mem_free(w->rows);
        w->cap_rows = 0;
        w->rows = vd_mem_aligned((size_t)(rows * m->pitch) * sizeof *w->rows);
        if (w->rows == NULL) return vd_nomem(err);
        w->cap_rows = rows * m->pitch;
        memset(w->rows, 0, (size_t)(rows * m->pitch) * sizeof *w->rows);
    }
    float *at = w->rows;
    for (int i = 0; i < m->n_rings; i++) {
        vd_ring *r = &m->ring[i];
        r->data = at;
        r->stride = m->pitch;
        at += r->rows * m->pitch;
    }
    if (m->o->first != NULL) m->ring[0].stride = m->o->width; /* it is there: all its rows */
    m->spare_rows = at;
    m->line = at + m->spare * m->pitch + VD_FEATURE_PAD;
    return VD_OK;
}

void vd_making_strip(vd_making *m, int x, int from) {
    int lag = vd_making_lag(m);
    m->inner0 = x;
    m->inner1 = VD_MIN(x + m->strip, m->o->width);
    m->left = VD_MAX(x - m->over, 0);
    m->right = VD_MIN(m->inner1 + m->over, m->o->width);
    for (int i = 0; i < m->n_rings; i++) m->ring[i].done = VD_MAX(from - (lag - m->ring[i].lag), 0);
    m->front = m->ring[0].done;
    if (m->o->first == NULL) return;
    m->ring[0].data = m->o->first + m->left;
    m->ring[0].rows = m->o->height;
}

/* Row y of the picture as grey levels, columns left .. right - 1 of the first octave; left and
 * right are even where it is enlarged. Even pixels lie on the picture's and odd ones between two.
 */
static void picture_row(const vd_making *m, float *dst, int y) {
    const vd_sift_input *in = m->in;
    int n = m->right - m->left;
    if (!m->opt->octaves_up) {
        const uint8_t *row = in->luma + y * in->stride + m->left;
        for (int x = 0; x < n; x++) dst[x] = row[x];
        return;
    }
    int next = VD_MIN(y / 2 + (y & 1), in->height - 1);
    const uint8_t *a = in->luma + y / 2 * in->stride + m->left / 2,
                  *b = in->luma + next * in->stride + m->left / 2;
    int whole = m->right == m->o->width ? n / 2 - 1 : n / 2; /* those with one to their right */
    m->w->kern->enlarge(dst, a, b, whole);
    if (whole < n / 2) dst[n - 2] = dst[n - 1] = 0.5f * (float)(a[whole] + b[whole]);
}

/* Makes the next rows of ring i, up to `to`, from the ring before. */
static void blur_rows(vd_making *m, int i, int to) {
    vd_ring *r = &m->ring[i];
    const vd_ring *before = &m->ring[i - 1];
    const float *rows[BLOCK + 2 * VD_BLUR_MAX_RADIUS];
    int width = m->right - m->left, n = to - r->done, reach = r->radius, from = r->done;
    if (n <= 0) return;
    for (int k = 0; k < n + 2 * reach; k++)
        rows[k] = vd_ring_row(before, VD_CLAMP(from + k - reach, 0, m->o->height - 1));
    m->w->kern->blur_rows(m->line, m->pitch, rows, r->w, reach, n, width);
    for (int k = 0; k < n; k++) {
        float *line = m->line + k * m->pitch;
        for (int x = 1; x <= reach; x++) {
            line[-x] = line[0];
            line[width - 1 + x] = line[width - 1];
        }
        m->w->kern->blur_cols(vd_ring_row(r, from + k), line, r->w, reach, width);
    }
    r->done = to;
    m->made(m, (int)(r - m->g), from, to);
}

void vd_making_step(vd_making *m) {
    int h = m->o->height;
    vd_ring *source = &m->ring[0];
    m->front += BLOCK;
    for (; source->done < VD_MIN(m->front, h); source->done++)
        if (m->o->first == NULL) picture_row(m, vd_ring_row(source, source->done), source->done);
    for (int i = 1; i < m->n_rings; i++) blur_rows(m, i, VD_MIN(m->front - m->ring[i].lag, h));
}

vd_status vd_octaves_shape(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt,
                           vd_err *err) {
    int width = in->width << opt->octaves_up, height = in->height << opt->octaves_up;
    int64_t total = 0, at = 0;
    double pixel = opt->octaves_up ? 0.5 : 1;
    w->n_octaves = 0;
    for (; VD_MIN(width, height) >= LEAST_SIDE && w->n_octaves < VD_SIFT_MAX_OCTAVES;
         width = (width + 1) / 2, height = (height + 1) / 2, pixel *= 2) {
        if (w->n_octaves > 0) total += (int64_t)width * height + VD_FEATURE_PAD;
        w->octave[w->n_octaves++] = (vd_octave){ .width = width, .height = height, .pixel = pixel };
    }
    VD_TRY(VD_GROW(w->firsts, w->cap_firsts, total, err));
    for (int i = 1; i < w->n_octaves; i++) {
        vd_octave *o = &w->octave[i];
        o->first = w->firsts + at;
        at += (int64_t)o->width * o->height + VD_FEATURE_PAD;
    }
    return VD_OK;
}
