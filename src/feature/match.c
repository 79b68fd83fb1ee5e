/* Matching of two lists of descriptors. SPDX-License-Identifier: Apache-2.0 */
#include "feature/match.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "feature/match_work.h"
#include "feature/num.h"

enum { UNIT = VD_SIFT_NORM * VD_SIFT_NORM }; /* product of a descriptor with itself */

vd_status vd_match_work_new(vd_match_work **out, vd_err *err) {
    vd_match_work *w = vd_mem_array(1, sizeof *w);
    if (w == NULL) return vd_nomem(err);
    w->kern = vd_match_kern_for(vd_cpu_features());
    *out = w;
    return VD_OK;
}

void vd_match_work_free(vd_match_work *w) {
    if (w == NULL) return;
    vd_mem_free(w->packed);
    vd_mem_free(w->top);
    vd_mem_free(w->grid);
    vd_mem_free(w->places);
    vd_mem_free(w->near);
    vd_mem_free(w);
}

vd_status vd_match_check(const vd_match_opt *opt, int na, int nb, vd_err *err) {
    if (na < 0 || nb < 0 || na > VD_SIFT_MAX_FEATURES || nb > VD_SIFT_MAX_FEATURES)
        return vd_fail(err, VD_E_ARG, "match: %d and %d features, the limit is %d", na, nb,
                       VD_SIFT_MAX_FEATURES);
    if (!(opt->ratio > 0))
        return vd_fail(err, VD_E_ARG, "match: ratio %g, must be above 0", opt->ratio);
    if (!(opt->max_distance_rad >= 0 && opt->max_distance_rad <= 1.5708))
        return vd_fail(err, VD_E_ARG, "match: max_distance_rad %g, must be 0 to pi / 2",
                       opt->max_distance_rad);
    if (opt->probe < 0 || opt->probe_least < 0)
        return vd_fail(err, VD_E_ARG, "match: probe %d, probe_least %d, must not be negative",
                       opt->probe, opt->probe_least);
    return VD_OK;
}

vd_match_limit vd_match_limit_of(const vd_match_opt *opt) {
    double s, c;
    vd_feature_sincos(opt->max_distance_rad / (2 * VD_FEATURE_PI), &s, &c);
    vd_match_limit l = { .least = (int32_t)ceil(UNIT * c), .ratio2 = opt->ratio * opt->ratio };
    l.least = VD_MAX(l.least, 1);
    /* A second best further away than max_distance / ratio never fails a best within it. */
    double floor_ = opt->ratio < 1 ? UNIT - (UNIT - l.least) / l.ratio2 - 1 : l.least - 1;
    l.floor = (int32_t)VD_CLAMP(floor_, 0, UNIT);
    l.floor = VD_MIN(l.floor, l.least - 1);
    return l;
}

static vd_status shape_top(vd_match_work *w, int rows, int cols, vd_err *err) {
    VD_TRY(VD_GROW(w->top, w->cap_top, 3 * ((int64_t)rows + cols), err));
    w->row = (vd_top2){ w->top, w->top + rows, w->top + 2 * (ptrdiff_t)rows };
    int32_t *at = w->top + 3 * (ptrdiff_t)rows;
    w->col = (vd_top2){ at, at + cols, at + 2 * (ptrdiff_t)cols };
    return VD_OK;
}

vd_status vd_match_start(vd_match_work *w, int rows, int cols, int32_t floor_, vd_err *err) {
    VD_TRY(shape_top(w, rows, cols, err));
    for (int i = 0; i < rows; i++) {
        w->row.best[i] = w->row.second[i] = floor_;
        w->row.index[i] = -1;
    }
    for (int i = 0; i < cols; i++) {
        w->col.best[i] = w->col.second[i] = floor_;
        w->col.index[i] = -1;
    }
    return VD_OK;
}

/* Best within the limit, and clearly nearer than the second. */
static bool stands_out(const vd_top2 *t, int i, const vd_match_limit *l) {
    if (t->index[i] < 0 || t->best[i] < l->least) return false;
    if (l->ratio2 >= 1) return true;
    double d1 = VD_MAX(UNIT - t->best[i], 0), d2 = VD_MAX(UNIT - t->second[i], 0);
    return d1 < l->ratio2 * d2;
}

static bool is_match(const vd_match_work *w, int i, const vd_match_limit *l, bool cross_check) {
    if (!stands_out(&w->row, i, l)) return false;
    int j = w->row.index[i];
    return !cross_check || (w->col.index[j] == i && stands_out(&w->col, j, l));
}

vd_status vd_match_collect(vd_match **out, int *n, const vd_match_work *w, int na,
                           const vd_match_limit *l, bool cross_check, vd_err *err) {
    int count = 0;
    vd_match *m = NULL;
    for (int i = 0; i < na; i++) count += is_match(w, i, l, cross_check);
    if (count > 0) {
        m = vd_mem_alloc((size_t)count * sizeof *m);
        if (m == NULL) return vd_nomem(err);
    }
    *n = count;
    *out = m;
    for (int i = 0, k = 0; k < count; i++)
        if (is_match(w, i, l, cross_check)) m[k++] = (vd_match){ i, w->row.index[i] };
    return VD_OK;
}

static int padded(int n, int step) {
    return (n + step - 1) / step * step;
}

/* The top two of both lists, all against all. */
static vd_status compare(vd_match_work *w, const uint8_t *da, int na, const uint8_t *db, int nb,
                         int32_t floor_, vd_err *err) {
    const vd_match_kern *k = w->kern;
    int rows = padded(na, k->row_step), cols = padded(nb, VD_MATCH_ALIGN);
    int64_t row_bytes = ((int64_t)rows * k->row_bytes + 63) / 64 * 64,
            bytes = row_bytes + (int64_t)cols * k->col_bytes;
    if (w->cap_packed < bytes) {
        vd_mem_free(w->packed);
        w->cap_packed = 0;
        w->packed = vd_mem_aligned((size_t)bytes);
        if (w->packed == NULL) return vd_nomem(err);
        w->cap_packed = bytes;
    }
    VD_TRY(vd_match_start(w, rows, cols, floor_, err));
    k->pack_rows(w->packed, da, na, rows);
    k->pack_cols(w->packed + row_bytes, db, nb, cols);
    k->top2(&w->row, &w->col, w->packed, rows, w->packed + row_bytes, cols);
    return VD_OK;
}

static vd_status match_all(vd_match **out, int *n, const uint8_t *da, int na, const uint8_t *db,
                           int nb, const vd_match_opt *opt, vd_match_work *w, vd_err *err) {
    vd_match_limit l = vd_match_limit_of(opt);
    VD_TRY(compare(w, da, na, db, nb, l.floor, err));
    return vd_match_collect(out, n, w, na, &l, opt->cross_check, err);
}

vd_status vd_match_pair(vd_match **out, int *n, const uint8_t *da, int na, const uint8_t *db,
                        int nb, const vd_match_opt *opt, vd_match_work *work, vd_err *err) {
    VD_TRY(vd_match_check(opt, na, nb, err));
    if (na == 0 || nb == 0) {
        *out = NULL;
        *n = 0;
        return VD_OK;
    }
    if (opt->probe > 0 && na > opt->probe && nb > opt->probe) {
        vd_match *few = NULL;
        int n_few = 0;
        VD_TRY(match_all(&few, &n_few, da, opt->probe, db, opt->probe, opt, work, err));
        vd_mem_free(few);
        if (n_few < opt->probe_least) {
            *out = NULL;
            *n = 0;
            return VD_OK;
        }
    }
    return match_all(out, n, da, na, db, nb, opt, work, err);
}
