/* The extrema of the differences of Gaussians. SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "feature/work.h"

enum {
    STRIP = 800,                /* columns of a strip, without its overlap */
    MARGIN = VD_SIFT_MOVES + 2, /* pixels that the fit may reach beyond an extremum */
};

/* One octave while it is looked through. */
typedef struct search {
    vd_making m;
    int levels;
    vd_ring diff[VD_SIFT_MOST_RINGS]; /* differences of neighbouring levels */
    int diff_done, looked;            /* rows of differences made, of extrema looked for */
    float peak;
} search;

/* The next octave begins with every second pixel of the level of twice the first sigma. */
static void hand_on(vd_making *m, int level, int from, int to) {
    vd_sift_work *w = m->w;
    if (level != m->opt->levels || m->octave + 1 >= w->n_octaves) return;
    const vd_octave *next = &w->octave[m->octave + 1];
    for (int y = from + (from & 1); y < to; y += 2) {
        const float *src = vd_ring_row(&m->g[level], y) + (m->inner0 - m->left);
        float *dst = next->first + (int64_t)(y / 2) * next->width;
        w->kern->halve(dst + m->inner0 / 2, src, (m->inner1 - m->inner0 + 1) / 2);
    }
}

static void difference_rows(search *s, int to) {
    const vd_making *m = &s->m;
    for (; s->diff_done < to; s->diff_done++)
        for (int i = 0; i < s->levels + 2; i++)
            m->w->kern->subtract(vd_ring_row(&s->diff[i], s->diff_done),
                                 vd_ring_row(&m->g[i + 1], s->diff_done),
                                 vd_ring_row(&m->g[i], s->diff_done), m->right - m->left);
}

static bool masked(const vd_sift_input *in, double x, double y) {
    if (in->mask == NULL) return false;
    int xi = VD_CLAMP((int)x, 0, in->width - 1), yi = VD_CLAMP((int)y, 0, in->height - 1);
    return in->mask[yi * in->mask_stride + xi] == 0;
}

/* Refines what was found in row y of difference `level`. */
static vd_status take_hits(search *s, int level, int y, int n, vd_err *err) {
    const vd_making *m = &s->m;
    vd_sift_work *w = m->w;
    double t = m->opt->edge_threshold;
    vd_refine_at at = {
        m->g, m->left, m->o->width, m->o->height, s->levels, s->peak, (float)((t + 1) * (t + 1) / t)
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
static vd_status look(search *s, int to, vd_err *err) {
    const vd_making *m = &s->m;
    int end = VD_MIN(to, m->o->height - 1);
    for (int y = VD_MAX(s->looked, 1); y < end; y++) {
        difference_rows(s, y + 2);
        for (int level = 1; level <= s->levels; level++) {
            const float *d[9];
            for (int k = 0; k < 9; k++)
                d[k] = vd_ring_row(&s->diff[level - 1 + k / 3], y - 1 + k % 3);
            int n = m->w->kern->extrema(m->w->hits, d, m->right - m->left, 0.8f * s->peak);
            VD_TRY(take_hits(s, level, y, n, err));
        }
    }
    s->looked = VD_MAX(s->looked, end);
    return VD_OK;
}

static void shape_differences(search *s) {
    enum { ROWS = VD_SIFT_BLOCK + 2 };
    for (int i = 0; i < s->levels + 2; i++)
        s->diff[i] = (vd_ring){ .data = s->m.spare_rows + i * ROWS * s->m.pitch,
                                .stride = s->m.pitch,
                                .rows = ROWS };
}

static vd_status search_octave(search *s, vd_err *err) {
    vd_making *m = &s->m;
    m->spare = (s->levels + 2) * (VD_SIFT_BLOCK + 2);
    VD_TRY(vd_making_shape(m, err));
    shape_differences(s);
    VD_TRY(VD_GROW(m->w->hits, m->w->cap_hits, m->pitch, err));
    int behind = vd_making_lag(m) + MARGIN;
    for (int x = 0; x < m->o->width; x += m->strip) {
        vd_making_strip(m, x, 0);
        s->diff_done = s->looked = 0;
        while (m->front < m->o->height + behind) {
            vd_making_step(m);
            VD_TRY(look(s, m->front - behind, err));
        }
    }
    return VD_OK;
}

vd_status vd_detect(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt, vd_err *err) {
    w->n_found = 0;
    VD_TRY(vd_octaves_shape(w, in, opt, err));
    for (int i = 0; i < w->n_octaves; i++) {
        search s = { .m = { .w = w,
                            .in = in,
                            .opt = opt,
                            .octave = i,
                            .last = opt->levels + 2,
                            .strip = STRIP,
                            .margin = MARGIN,
                            .behind = MARGIN,
                            .made = hand_on },
                     .levels = opt->levels,
                     .peak = (float)(255 * opt->peak_threshold) };
        VD_TRY(search_octave(&s, err));
    }
    return VD_OK;
}
