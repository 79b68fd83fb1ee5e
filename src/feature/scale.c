/* The Gaussian scale space of a picture, octave after octave, and the extrema of its differences.
 * SPDX-License-Identifier: Apache-2.0
 *
 * An octave is made in vertical strips of columns, a block of rows at a time: each level is
 * blurred from the one before as soon as the rows it needs are there, and lags behind it by the
 * radius of the blur. Only the last rows of a level are kept (a ring), enough for the blur after
 * it and for the quadratic fit, so that a strip's working set stays in the processor's second
 * level cache. What lasts is the levels that keypoints are described from, as 16-bit planes, and
 * every second pixel of the level of twice the first sigma, from which the next octave begins.
 * Strips overlap by what the blurs reach, so the result does not depend on their width. */
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "feature/num.h"
#include "feature/work.h"

enum {
    BLOCK = 8,   /* rows made at a time */
    STRIP = 640, /* columns of a strip, without its overlap */
    MOST_RINGS = VD_SIFT_MAX_LEVELS + 4,
    LEAST_SIDE = 12,            /* no octave below that */
    MARGIN = VD_SIFT_MOVES + 2, /* rows that the fit may reach beyond an extremum */
    CUT = 3,                    /* kernels end at that many sigma */
};
#define SIGMA_FIRST 1.6   /* of an octave's first level, in its pixels: Lowe, section 3.3 */
#define SIGMA_PICTURE 0.5 /* blur a picture comes with, in its pixels */

/* One octave while it is made. */
typedef struct making {
    vd_sift_work *w;
    const vd_sift_input *in;
    const vd_sift_opt *opt;
    vd_octave *o;
    int octave, levels;
    bool first;         /* its rows come from the picture, blurred; else from w->base[0] */
    int left, right;    /* columns that are made now: the strip with its overlap */
    int inner0, inner1; /* the strip; inner0 is even */
    int over;           /* columns of the overlap, even */
    vd_ring ring[MOST_RINGS];
    int n_rings;
    vd_ring *g;               /* the octave's levels: ring or ring + 1 */
    vd_ring diff[MOST_RINGS]; /* differences of neighbouring levels */
    int diff_done, looked;    /* rows of differences made, of extrema looked for */
    float *line;              /* BLOCK rows between the vertical and the horizontal blur */
    ptrdiff_t pitch;
    float peak;
} making;

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
static void plan_rings(making *m) {
    int before = m->first ? 1 : 0, lag = 0;
    m->n_rings = m->levels + 3 + before;
    m->g = m->ring + before;
    for (int i = 0; i < m->n_rings; i++) {
        vd_ring *r = &m->ring[i];
        *r = (vd_ring){ 0 };
        if (i == 0) continue;
        int level = i - before;
        double to = SIGMA_FIRST * vd_feature_exp2((double)level / m->levels);
        if (level == 0)
            set_blur(r, SIGMA_PICTURE * (m->opt->octaves_up ? 2 : 1), to);
        else
            set_blur(r, SIGMA_FIRST * vd_feature_exp2((level - 1.0) / m->levels), to);
        r->lag = lag += r->radius;
    }
    for (int i = 0; i < m->n_rings; i++) {
        int next = i + 1 < m->n_rings ? 2 * m->ring[i + 1].radius : 0;
        m->ring[i].rows = BLOCK + VD_MAX(next, lag - m->ring[i].lag + 2 * MARGIN) + 1;
    }
    for (int i = 0; i < m->levels + 2; i++) m->diff[i] = (vd_ring){ .rows = BLOCK + 2 };
}

/* Memory for the rings of the widest strip; rings of later octaves than the first begin with
 * w->base[0] itself. */
static vd_status shape_rings(making *m, vd_err *err) {
    m->over = (m->ring[m->n_rings - 1].lag + MARGIN + 1) / 2 * 2;
    m->pitch = (VD_MIN(STRIP + 2 * m->over, m->o->width) + 2 * VD_FEATURE_PAD + 15) / 16 * 16;
    int64_t rows = BLOCK;
    for (int i = 0; i < m->n_rings; i++) rows += m->ring[i].rows;
    for (int i = 0; i < m->levels + 2; i++) rows += m->diff[i].rows;
    vd_sift_work *w = m->w;
    if (w->cap_rows < rows * m->pitch) {
        vd_mem_free(w->rows);
        w->cap_rows = 0;
        w->rows = vd_mem_aligned((size_t)(rows * m->pitch) * sizeof *w->rows);
        if (w->rows == NULL) return vd_nomem(err);
        w->cap_rows = rows * m->pitch;
        memset(w->rows, 0, (size_t)(rows * m->pitch) * sizeof *w->rows);
    }
    float *at = w->rows;
    for (int i = 0; i < m->n_rings + m->levels + 2; i++) {
        vd_ring *r = i < m->n_rings ? &m->ring[i] : &m->diff[i - m->n_rings];
        r->data = at;
        r->stride = m->pitch;
        at += r->rows * m->pitch;
    }
    m->line = at + VD_FEATURE_PAD;
    return VD_OK;
}

/* Row y of the picture as grey levels, columns left .. right - 1 of the first octave; left and
 * right are even where it is enlarged. Even pixels lie on the picture's and odd ones between two.
 */
static void picture_row(const making *m, float *dst, int y) {
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

/* Hands rows [from, to) of level k on to what lasts. */
static void keep_rows(making *m, int k, int from, int to) {
    vd_sift_work *w = m->w;
    int skip = m->inner0 - m->left, n = m->inner1 - m->inner0;
    for (int y = from; y < to && k >= 1 && k <= m->levels; y++) {
        const vd_plane16 *p = &m->o->plane[k - 1];
        /* The plane is ours; its type is what the kernels read. */
        uint16_t *dst = (uint16_t *)(uintptr_t)p->data + y * p->stride + m->inner0;
        w->kern->pack(dst, vd_ring_row(&m->g[k], y) + skip, n);
    }
    if (k != m->levels || m->octave + 1 >= w->n_octaves) return;
    const vd_octave *next = &w->octave[m->octave + 1];
    for (int y = from + (from & 1); y < to; y += 2) {
        const float *src = vd_ring_row(&m->g[k], y) + skip;
        float *dst = w->base[1] + (int64_t)(y / 2) * next->width;
        w->kern->halve(dst + m->inner0 / 2, src, (m->inner1 - m->inner0 + 1) / 2);
    }
}

/* Makes the next rows of ring i, up to `to`, from the ring before. */
static void blur_rows(making *m, int i, int to) {
    vd_ring *r = &m->ring[i];
    const vd_ring *before = &m->ring[i - 1];
    const float *rows[BLOCK + 2 * VD_BLUR_MAX_RADIUS];
    int width = m->right - m->left, n = to - r->done, reach = r->radius;
    if (n <= 0) return;
    for (int k = 0; k < n + 2 * reach; k++)
        rows[k] = vd_ring_row(before, VD_CLAMP(r->done + k - reach, 0, m->o->height - 1));
    m->w->kern->blur_rows(m->line, m->pitch, rows, r->w, reach, n, width);
    for (int k = 0; k < n; k++) {
        float *line = m->line + k * m->pitch;
        for (int x = 1; x <= reach; x++) {
            line[-x] = line[0];
            line[width - 1 + x] = line[width - 1];
        }
        m->w->kern->blur_cols(vd_ring_row(r, r->done + k), line, r->w, reach, width);
    }
    int level = i - (m->n_rings - m->levels - 3);
    keep_rows(m, level, r->done, to);
    r->done = to;
}

static void source_rows(making *m, int to) {
    vd_ring *r = &m->ring[0];
    for (int y = r->done; y < to && m->first; y++) picture_row(m, vd_ring_row(r, y), y);
    r->done = VD_MAX(r->done, to);
}

static void difference_rows(making *m, int to) {
    for (; m->diff_done < to; m->diff_done++)
        for (int i = 0; i < m->levels + 2; i++)
            m->w->kern->subtract(vd_ring_row(&m->diff[i], m->diff_done),
                                 vd_ring_row(&m->g[i + 1], m->diff_done),
                                 vd_ring_row(&m->g[i], m->diff_done), m->right - m->left);
}

static bool masked(const vd_sift_input *in, double x, double y) {
    if (in->mask == NULL) return false;
    int xi = VD_CLAMP((int)x, 0, in->width - 1), yi = VD_CLAMP((int)y, 0, in->height - 1);
    return in->mask[yi * in->mask_stride + xi] == 0;
}

/* Refines what was found in row y of difference `level`. */
static vd_status take_hits(making *m, int level, int y, int n, vd_err *err) {
    vd_sift_work *w = m->w;
    double t = m->opt->edge_threshold;
    vd_refine_at at = {
        m->g, m->left, m->o->width, m->o->height, m->levels, m->peak, (float)((t + 1) * (t + 1) / t)
    };
    for (int i = 0; i < n; i++) {
        int x = w->hits[i] + m->left;
        vd_extremum e;
        if (x < m->inner0 || x >= m->inner1 || !vd_refine(&e, &at, level, x, y)) continue;
        double px = m->o->pixel;
        if (masked(m->in, (double)e.x * px + 0.5, (double)e.y * px + 0.5)) continue;
        e.octave = (int16_t)m->octave;
        VD_TRY(VD_GROW(w->found, w->cap_found, w->n_found + 1, err));
        w->found[w->n_found++] = e;
    }
    return VD_OK;
}

/* Looks for extrema in rows up to `to`. */
static vd_status look(making *m, int to, vd_err *err) {
    int end = VD_MIN(to, m->o->height - 1);
    for (int y = VD_MAX(m->looked, 1); y < end; y++) {
        difference_rows(m, y + 2);
        for (int level = 1; level <= m->levels; level++) {
            const float *d[9];
            for (int k = 0; k < 9; k++)
                d[k] = vd_ring_row(&m->diff[level - 1 + k / 3], y - 1 + k % 3);
            int n = m->w->kern->extrema(m->w->hits, d, m->right - m->left, 0.8f * m->peak);
            VD_TRY(take_hits(m, level, y, n, err));
        }
    }
    m->looked = VD_MAX(m->looked, end);
    return VD_OK;
}

static vd_status make_strip(making *m, vd_err *err) {
    int h = m->o->height, lag = m->ring[m->n_rings - 1].lag;
    for (int i = 0; i < m->n_rings; i++) m->ring[i].done = 0;
    m->diff_done = m->looked = 0;
    if (!m->first)
        m->ring[0] = (vd_ring){ .data = m->w->base[0] + m->left, .stride = m->o->width, .rows = h };
    for (int front = BLOCK; front < h + lag + MARGIN + BLOCK; front += BLOCK) {
        source_rows(m, VD_MIN(front, h));
        for (int i = 1; i < m->n_rings; i++) blur_rows(m, i, VD_MIN(front - m->ring[i].lag, h));
        VD_TRY(look(m, front - lag - MARGIN, err));
    }
    return VD_OK;
}

static vd_status make_octave(making *m, vd_err *err) {
    int w = m->o->width;
    plan_rings(m);
    VD_TRY(shape_rings(m, err));
    VD_TRY(VD_GROW(m->w->hits, m->w->cap_hits, m->pitch, err));
    int strips = (w + STRIP - 1) / STRIP, strip = ((w + strips - 1) / strips + 1) / 2 * 2;
    for (int x = 0; x < w; x += strip) {
        m->inner0 = x;
        m->inner1 = VD_MIN(x + strip, w);
        m->left = VD_MAX(x - m->over, 0);
        m->right = VD_MIN(m->inner1 + m->over, w);
        VD_TRY(make_strip(m, err));
    }
    return VD_OK;
}

/* A patch touches as many pages as rows where pages are small. A hint: its failure changes nothing.
 */
static void ask_for_large_pages(void *p, size_t bytes) {
    enum { LARGE = 1 << 21 };
    uintptr_t from = ((uintptr_t)p + LARGE - 1) / LARGE * LARGE,
              to = ((uintptr_t)p + bytes) / LARGE * LARGE;
    if (to > from) madvise((char *)p + (from - (uintptr_t)p), to - from, MADV_HUGEPAGE);
}

/* Sizes of the octaves, and memory for what lasts. */
static vd_status shape_octaves(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt,
                               vd_err *err) {
    int width = in->width << opt->octaves_up, height = in->height << opt->octaves_up;
    int64_t total = 0, at = 0;
    double pixel = opt->octaves_up ? 0.5 : 1;
    w->n_octaves = 0;
    for (; VD_MIN(width, height) >= LEAST_SIDE && w->n_octaves < VD_SIFT_MAX_OCTAVES;
         width = (width + 1) / 2, height = (height + 1) / 2, pixel *= 2) {
        w->octave[w->n_octaves++] = (vd_octave){ .width = width, .height = height, .pixel = pixel };
        total += (int64_t)opt->levels * height * (width + VD_FEATURE_PAD);
    }
    if (w->cap_planes < total) {
        vd_mem_free(w->planes);
        w->cap_planes = 0;
        w->planes = vd_mem_aligned((size_t)total * sizeof *w->planes);
        if (w->planes == NULL) return vd_nomem(err);
        w->cap_planes = total;
        ask_for_large_pages(w->planes, (size_t)total * sizeof *w->planes);
    }
    for (int i = 0; i < w->n_octaves; i++)
        for (int k = 0; k < opt->levels; k++) {
            vd_octave *o = &w->octave[i];
            ptrdiff_t stride = o->width + VD_FEATURE_PAD;
            o->plane[k] = (vd_plane16){ w->planes + at, stride, o->width, o->height };
            at += stride * o->height;
        }
    for (int i = 0; i < 2 && w->n_octaves > i + 1; i++) {
        const vd_octave *o = &w->octave[i + 1]; /* octaves take turns: 1, 3, .. and 2, 4, .. */
        int k = 1 - i;
        VD_TRY(VD_GROW(w->base[k], w->cap_base[k], (int64_t)o->width * o->height + VD_FEATURE_PAD,
                       err));
    }
    return VD_OK;
}

vd_status vd_scale_space(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt,
                         vd_err *err) {
    w->n_found = 0;
    VD_TRY(shape_octaves(w, in, opt, err));
    for (int i = 0; i < w->n_octaves; i++) {
        making m = { .w = w,
                     .in = in,
                     .opt = opt,
                     .o = &w->octave[i],
                     .octave = i,
                     .levels = opt->levels,
                     .first = i == 0,
                     .peak = (float)(255 * opt->peak_threshold) };
        VD_TRY(make_octave(&m, err));
        float *b = w->base[0];
        int64_t cap = w->cap_base[0];
        w->base[0] = w->base[1];
        w->cap_base[0] = w->cap_base[1];
        w->base[1] = b;
        w->cap_base[1] = cap;
    }
    return VD_OK;
}
