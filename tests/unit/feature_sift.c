/* SIFT against analytic answers, a slow scale space of its own, and symmetries.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "feature/kern_ref.h"
#include "feature/sift.h"

typedef struct pic {
    int w, h;
    uint8_t *p;
} pic;

static pic pic_new(int w, int h) {
    return (pic){ w, h, calloc((size_t)w * (size_t)h, 1) };
}

/* Discs upon each other, a little noise. */
static pic leaves(vd_rng *r, int w, int h, int discs) {
    pic a = pic_new(w, h);
    for (int i = 0; i < discs; i++) {
        double radius = 2 / sqrt(1 - vd_rng_f64(r) * 0.998), cx = vd_rng_range(r, 0, w),
               cy = vd_rng_range(r, 0, h);
        int grey = 30 + (int)vd_rng_int(r, 190), k = (int)radius + 1;
        for (int y = VD_MAX((int)cy - k, 0); y <= VD_MIN((int)cy + k, h - 1); y++)
            for (int x = VD_MAX((int)cx - k, 0); x <= VD_MIN((int)cx + k, w - 1); x++)
                if (hypot(x - cx, y - cy) <= radius) a.p[y * w + x] = (uint8_t)grey;
    }
    for (int i = 0; i < w * h; i++)
        a.p[i] = (uint8_t)VD_CLAMP(a.p[i] + (int)lrint(1.5 * vd_rng_normal(r)), 0, 255);
    return a;
}

static vd_features features(t_case *t, pic a, const vd_sift_opt *o) {
    vd_features f = { 0 };
    vd_err err = { 0 };
    if (vd_sift_extract(&f, a.p, a.w, a.h, a.w, NULL, 0, o, &err) != VD_OK)
        T_FAIL("extraction: %s", err.msg);
    return f;
}

static bool same(const vd_features *f, const vd_features *g) {
    return f->n == g->n && memcmp(f->kp, g->kp, (size_t)f->n * sizeof *f->kp) == 0 &&
           memcmp(f->desc, g->desc, (size_t)f->n * VD_SIFT_DIM) == 0;
}

/* A blob 1 - exp(-r^2 / 2 s^2), or upside down, is an extremum at its centre. With the picture's
 * assumed blur of 0.5 taken off, u = s^2 - 1/4, the difference of the levels v and k v, squared
 * sigmas v and k^2 v, is u / (u + k^2 v) - u / (u + v), least at v = u / k. */
T(a_blob_is_found_where_and_as_large_as_it_is) {
    const double size[] = { 1.5, 2.3, 3.1, 5, 8, 13.3, 20 };
    for (int i = 0; i < VD_COUNT(size); i++)
        for (int dark = 0; dark < 2; dark++) {
            double s = size[i], cx = 100.5 + 0.37 * i, cy = 90.2 - 0.21 * i;
            pic a = pic_new(211, 190);
            vd_sift_opt o = VD_SIFT_OPT;
            o.max_orientations = 1;
            for (int y = 0; y < a.h; y++)
                for (int x = 0; x < a.w; x++) {
                    double r2 = pow(x + 0.5 - cx, 2) + pow(y + 0.5 - cy, 2);
                    double v = 200 * exp(-r2 / (2 * s * s));
                    a.p[y * a.w + x] = (uint8_t)lrint(dark ? 220 - v : 20 + v);
                }
            vd_features f = features(t, a, &o);
            double want = sqrt((s * s - 0.25) / pow(2, 1.0 / 3));
            T_TRUE(f.n >= 1);
            int best = 0; /* rounding makes weak ones of its flanks */
            for (int k = 1; k < f.n; k++)
                if (hypot(f.kp[k].x - cx, f.kp[k].y - cy) <
                    hypot(f.kp[best].x - cx, f.kp[best].y - cy))
                    best = k;
            if (f.n >= 1) {
                T_NEAR(f.kp[best].x, cx, 0.03 * s);
                T_NEAR(f.kp[best].y, cy, 0.03 * s);
                T_NEAR(f.kp[best].scale / want, 1, 0.06);
            }
            vd_features_reset(&f);
            free(a.p);
        }
}

/* dst = src blurred by sigma, in double precision, edges repeated. */
static void slow_blur(double *dst, const double *src, int w, int h, double sigma) {
    int radius = (int)ceil(5 * sigma);
    double *k = malloc((size_t)(radius + 1) * sizeof *k), sum = 0,
           *tmp = malloc((size_t)w * (size_t)h * sizeof *tmp);
    for (int i = 0; i <= radius; i++)
        sum += (k[i] = exp(-0.5 * i * i / (sigma * sigma))) * (i ? 2 : 1);
    for (int pass = 0; pass < 2; pass++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const double *s = pass ? tmp : src;
                double v = 0;
                for (int i = -radius; i <= radius; i++) {
                    int xx = pass ? x : VD_CLAMP(x + i, 0, w - 1),
                        yy = pass ? VD_CLAMP(y + i, 0, h - 1) : y;
                    v += k[abs(i)] / sum * s[yy * w + xx];
                }
                (pass ? dst : tmp)[y * w + x] = v;
            }
    free(k);
    free(tmp);
}

#define CLEAR                                                                                      \
    0.01 /* beyond all neighbours by that share: no ridge, whose summit may lie anywhere */

/* Local extrema of |D| >= least in the first octave, not enlarged, as rows of x, y, level. */
static int slow_extrema(int (*out)[3], int most, pic a, double least) {
    size_t n = (size_t)a.w * (size_t)a.h;
    double *g[6], *src = malloc(n * sizeof *src);
    int found = 0;
    for (size_t i = 0; i < n; i++) src[i] = a.p[i];
    for (int i = 0; i < 6; i++) {
        double to = 1.6 * pow(2, i / 3.0);
        g[i] = malloc(n * sizeof *g[i]);
        slow_blur(g[i], src, a.w, a.h, sqrt(to * to - 0.25));
    }
#define D(i, x, y) (g[(i) + 1][(y)*a.w + (x)] - g[i][(y)*a.w + (x)])
    for (int i = 1; i <= 3; i++)
        for (int y = 8; y < a.h - 8; y++)
            for (int x = 8; x < a.w - 8; x++) {
                double v = D(i, x, y), high = -1e9, low = 1e9;
                if (fabs(v) < least) continue;
                for (int k = 0; k < 27; k++) {
                    if (k == 13) continue;
                    double q = D(i + k / 9 - 1, x + k % 3 - 1, y + k / 3 % 3 - 1);
                    high = fmax(high, q);
                    low = fmin(low, q);
                }
                if ((v > high + CLEAR * v || v < low + CLEAR * v) && found < most) {
                    out[found][0] = x;
                    out[found][1] = y;
                    out[found++][2] = i;
                }
            }
#undef D
    for (int i = 0; i < 6; i++) free(g[i]);
    free(src);
    return found;
}

/* Wide enough for two strips. Edges are kept, so that nothing but the fit takes an extremum away.
 */
T(extrema_are_those_of_a_slow_scale_space) {
    enum { MOST = 4000 };
    static int at[MOST][3];
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 1290, 300, 30000);
    vd_sift_opt o = VD_SIFT_OPT;
    o.octaves_up = 0;
    o.edge_threshold = 1e6;
    o.peak_threshold = 0.006;
    o.max_orientations = 1;
    vd_features f = features(t, a, &o);
    int n = slow_extrema(at, MOST, a, 255 * 0.01), hit = 0, middle = 0, middle_hit = 0;
    for (int i = 0; i < n; i++) {
        double s = 1.6 * pow(2, at[i][2] / 3.0);
        bool found = false;
        for (int k = 0; k < f.n && !found; k++)
            found = fabs(f.kp[k].x - 0.5 - at[i][0]) < 1.2 &&
                    fabs(f.kp[k].y - 0.5 - at[i][1]) < 1.2 && fabs(log2(f.kp[k].scale / s)) < 0.4;
        bool seam = at[i][0] > 560 && at[i][0] < 730;
        hit += found;
        middle += seam;
        middle_hit += seam && found;
    }
    T_TRUE(n > 500 && middle > 50);
    T_LT(0.98 * n, hit);
    T_LT(0.97 * middle, middle_hit);
    vd_features_reset(&f);
    free(a.p);
}

/* Of the features of `f`, the share that has one in `g` at x' = (h - y, x), turned by a quarter,
 * with a similar descriptor. */
static double turned_share(const vd_features *f, const vd_features *g, int h) {
    int hit = 0;
    for (int i = 0; i < f->n; i++) {
        const vd_keypoint *p = &f->kp[i];
        for (int k = 0; k < g->n; k++) {
            const vd_keypoint *q = &g->kp[k];
            double d = hypot(q->x - (h - p->y), q->y - p->x),
                   turn = remainder(q->angle - p->angle - 1.5707963, 6.2831853), dot = 0;
            if (d > 0.3 * p->scale || fabs(log2(q->scale / p->scale)) > 0.1 || fabs(turn) > 0.1)
                continue;
            for (int j = 0; j < VD_SIFT_DIM; j++)
                dot += f->desc[i * VD_SIFT_DIM + j] * g->desc[k * VD_SIFT_DIM + j];
            if (dot < 0.97 * 512 * 512) continue;
            hit++;
            break;
        }
    }
    return (double)hit / f->n;
}

T(a_turned_picture_gives_turned_features) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 240, 200, 900), b = pic_new(200, 240);
    for (int y = 0; y < a.h; y++)
        for (int x = 0; x < a.w; x++) b.p[x * b.w + (a.h - 1 - y)] = a.p[y * a.w + x];
    vd_sift_opt o = VD_SIFT_OPT;
    vd_features f = features(t, a, &o), g = features(t, b, &o);
    T_TRUE(f.n > 400);
    /* rows and columns are halved from the left and the top: an eighth is lost to that and to
     * chance */
    T_LT(0.85, turned_share(&f, &g, a.h));
    vd_features_reset(&f);
    vd_features_reset(&g);
    free(a.p);
    free(b.p);
}

T(every_level_and_repeated_use_give_the_same_bits) {
    const char *const cpus[] = { "c", "avx2", "avx512", "native" };
    const int size[][2] = { { 531, 149 }, { 64, 300 }, { 37, 41 }, { 531, 149 } };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int up = 0; up < 2; up++) {
        vd_features first[VD_COUNT(size)] = { { 0 } };
        pic a[VD_COUNT(size)];
        for (int i = 0; i < VD_COUNT(size); i++)
            a[i] = leaves(&r, size[i][0], size[i][1], size[i][0] * size[i][1] / 60);
        for (int k = 0; k < VD_COUNT(cpus); k++) {
            vd_sift_work *w = NULL;
            vd_sift_opt o = VD_SIFT_OPT;
            o.octaves_up = up;
            o.levels = 3 + up;
            o.max_features = 400;
            setenv("VIDIMUS_CPU", cpus[k], 1);
            T_OK(vd_sift_work_new(&w, &err));
            for (int i = 0; i < VD_COUNT(size); i++) {
                vd_features f = { 0 };
                T_OK(vd_sift_extract_in(w, &f, a[i].p, a[i].w, a[i].h, a[i].w, NULL, 0, &o, &err));
                if (k == 0)
                    first[i] = f;
                else if (!same(&f, &first[i]))
                    T_FAIL("%s differs at %d x %d", cpus[k], a[i].w, a[i].h);
                if (k > 0) vd_features_reset(&f);
            }
            vd_sift_work_free(w);
        }
        T_EQ(first[0].n, 400);
        for (int i = 0; i < VD_COUNT(size); i++) {
            vd_features_reset(&first[i]);
            free(a[i].p);
        }
    }
    unsetenv("VIDIMUS_CPU");
}

T(a_mask_takes_away_what_lies_under_it_and_nothing_else) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 200, 150, 500);
    uint8_t *mask = malloc((size_t)a.h * 256);
    vd_sift_opt o = VD_SIFT_OPT;
    vd_err err = { 0 };
    vd_features all = features(t, a, &o), f = { 0 };
    T_NEED(mask != NULL);
    for (int i = 0; i < a.h * 256; i++) mask[i] = (i % 256 + i / 256) % 90 < 40 ? 0 : 1;
    T_OK(vd_sift_extract(&f, a.p, a.w, a.h, a.w, mask, 256, &o, &err));
    int k = 0;
    for (int i = 0; i < all.n; i++) {
        if (mask[(int)all.kp[i].y * 256 + (int)all.kp[i].x] == 0) continue;
        T_TRUE(k < f.n && memcmp(&f.kp[k], &all.kp[i], sizeof *f.kp) == 0);
        k++;
    }
    T_EQ(f.n, k);
    T_TRUE(k > 100 && k < all.n - 100);
    vd_features_reset(&f);
    vd_features_reset(&all);
    free(mask);
    free(a.p);
}

/* So few that strips are left out and begun further down. */
T(fewer_features_are_some_of_the_more_and_sorted) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 900, 300, 5400);
    vd_sift_opt o = VD_SIFT_OPT;
    vd_features all = features(t, a, &o);
    o.max_features = 301;
    vd_features f = features(t, a, &o);
    T_EQ(f.n, 301);
    int k = 0;
    for (int i = 0; i < all.n && k < f.n; i++)
        k += memcmp(&f.kp[k], &all.kp[i], sizeof *f.kp) == 0 &&
             memcmp(f.desc + k * VD_SIFT_DIM, all.desc + i * VD_SIFT_DIM, VD_SIFT_DIM) == 0;
    T_EQ(k, f.n);
    for (int i = 1; i < all.n; i++) T_TRUE(all.kp[i].scale <= all.kp[i - 1].scale);
    for (int i = 0; i < all.n; i++) {
        double sum = 0;
        for (int j = 0; j < VD_SIFT_DIM; j++) sum += pow(all.desc[i * VD_SIFT_DIM + j], 2);
        T_NEAR(sqrt(sum), VD_SIFT_NORM, 12);
        T_TRUE(all.kp[i].angle >= 0 && all.kp[i].angle < 6.2832);
        T_TRUE(all.kp[i].x > 0 && all.kp[i].x < a.w && all.kp[i].y > 0 && all.kp[i].y < a.h);
    }
    vd_features_reset(&f);
    vd_features_reset(&all);
    free(a.p);
}

/* Of the features of `f` far from the border of the piece [x0, x0 + w) x [y0, y0 + h), the share
 * that `g` has as well, moved by (dx, dy). */
static double moved_share(const vd_features *f, const vd_features *g, const int piece[4], int dx,
                          int dy, int *n) {
    int hit = 0;
    *n = 0;
    for (int i = 0; i < f->n; i++) {
        const vd_keypoint *p = &f->kp[i];
        double x = p->x - piece[0], y = p->y - piece[1], far = 40 * p->scale;
        if (x < far || y < far || x > piece[2] - far || y > piece[3] - far) continue;
        x = p->x + dx;
        y = p->y + dy;
        bool found = false;
        for (int k = 0; k < g->n && !found; k++) {
            const vd_keypoint *q = &g->kp[k];
            if (hypot(q->x - x, q->y - y) > 1e-3 || fabs(q->angle - p->angle) > 1e-3) continue;
            found = fabs(q->scale / p->scale - 1) < 1e-5;
            for (int j = 0; j < VD_SIFT_DIM; j++)
                found &= abs(f->desc[i * VD_SIFT_DIM + j] - g->desc[k * VD_SIFT_DIM + j]) <= 1;
        }
        hit += found;
        ++*n;
    }
    return *n > 0 ? (double)hit / *n : 0;
}

/* A piece has other strips and bands, and the features that the whole has there. */
T(features_do_not_depend_on_where_strips_and_bands_end) {
    enum { DX = 192, DY = 64 }; /* pixels of all octaves that matter */
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 1210, 420, 9000), b = pic_new(850, 330);
    vd_sift_opt o = VD_SIFT_OPT;
    o.max_features = VD_SIFT_MAX_FEATURES;
    for (int y = 0; y < b.h; y++) memcpy(b.p + y * b.w, a.p + (y + DY) * a.w + DX, (size_t)b.w);
    vd_features f = features(t, a, &o), g = features(t, b, &o);
    int n = 0, m = 0;
    const int in_a[] = { DX, DY, b.w, b.h }, in_b[] = { 0, 0, b.w, b.h };
    T_LT(0.998, moved_share(&f, &g, in_a, -DX, -DY, &n));
    T_LT(0.998, moved_share(&g, &f, in_b, DX, DY, &m));
    T_TRUE(n > 1000 && m > 1000);
    vd_features_reset(&f);
    vd_features_reset(&g);
    free(a.p);
    free(b.p);
}

T(memory_that_was_given_back_is_there_again) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 500, 300, 2000);
    vd_sift_opt o = VD_SIFT_OPT;
    vd_sift_work *w = NULL;
    vd_err err = { 0 };
    vd_features f = features(t, a, &o), g = { 0 };
    T_OK(vd_sift_work_new(&w, &err));
    vd_sift_work_rest(w); /* nothing there yet */
    for (int i = 0; i < 2; i++) {
        T_OK(vd_sift_extract_in(w, &g, a.p, a.w, a.h, a.w, NULL, 0, &o, &err));
        T_TRUE(same(&f, &g));
        vd_sift_work_rest(w);
    }
    vd_sift_work_free(w);
    vd_features_reset(&f);
    vd_features_reset(&g);
    free(a.p);
}

T(small_flat_and_extreme_pictures) {
    const int size[][2] = { { 1, 1 },   { 1, 500 },  { 500, 1 }, { 2, 2 },    { 5, 5 },
                            { 6, 6 },   { 7, 13 },   { 12, 12 }, { 13, 400 }, { 16, 7 },
                            { 33, 31 }, { 1030, 6 }, { 6, 1030 } };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_sift_work *w = NULL;
    T_OK(vd_sift_work_new(&w, &err));
    for (int i = 0; i < VD_COUNT(size); i++)
        for (int kind = 0; kind < 4; kind++) {
            pic a = pic_new(size[i][0], size[i][1]);
            vd_features f = { 0 };
            vd_sift_opt o = VD_SIFT_OPT;
            o.octaves_up = kind % 2;
            o.levels = 2 + kind;
            o.peak_threshold = kind == 3 ? 0 : o.peak_threshold;
            for (int k = 0; k < a.w * a.h; k++)
                a.p[k] = kind == 0   ? 255
                         : kind == 1 ? (uint8_t)vd_rng_int(&r, 256)
                         : kind == 2 ? (uint8_t)((k % a.w + k / a.w) % 2 * 255)
                                     : (uint8_t)(k * 7);
            T_OK(vd_sift_extract_in(w, &f, a.p, a.w, a.h, a.w, NULL, 0, &o, &err));
            if (kind == 0) T_EQ(f.n, 0);
            for (int k = 0; k < f.n; k++)
                T_TRUE(f.kp[k].x >= 0 && f.kp[k].x <= a.w && f.kp[k].y >= 0 && f.kp[k].y <= a.h &&
                       f.kp[k].scale > 0);
            vd_features_reset(&f);
            free(a.p);
        }
    vd_sift_work_free(w);
}

T(rows_may_lie_anywhere) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 120, 90, 300);
    uint8_t *wide = malloc(90 * 200);
    vd_sift_opt o = VD_SIFT_OPT;
    vd_err err = { 0 };
    vd_features f = features(t, a, &o), g = { 0 };
    T_NEED(wide != NULL);
    memset(wide, 7, 90 * 200);
    for (int y = 0; y < 90; y++) memcpy(wide + (89 - y) * 200, a.p + y * 120, 120);
    T_OK(vd_sift_extract(&g, wide + 89 * 200, 120, 90, -200, NULL, 0, &o, &err));
    T_TRUE(f.n > 50 && same(&f, &g));
    vd_features_reset(&f);
    vd_features_reset(&g);
    free(wide);
    free(a.p);
}

T(bad_arguments_leave_the_output_alone) {
    uint8_t p[400] = { 0 };
    vd_features f = { 0 };
    const vd_sift_opt good = VD_SIFT_OPT;
    vd_sift_opt o[11];
    for (int i = 0; i < VD_COUNT(o); i++) o[i] = good;
    o[0].max_features = 0;
    o[1].max_features = VD_SIFT_MAX_FEATURES + 1;
    o[2].octaves_up = 2;
    o[3].octaves_up = -1;
    o[4].levels = 1;
    o[5].levels = 6;
    o[6].peak_threshold = -0.1;
    o[7].peak_threshold = NAN;
    o[8].edge_threshold = 0.5;
    o[9].max_orientations = 0;
    o[10].max_orientations = 5;
    f.n = -1;
    for (int i = 0; i < VD_COUNT(o); i++) {
        vd_err err = { 0 };
        T_EQ(vd_sift_extract(&f, p, 20, 20, 20, NULL, 0, &o[i], &err), VD_E_ARG);
        T_TRUE(err.msg[0] != 0 && f.n == -1);
    }
    T_EQ(vd_sift_extract(&f, p, 0, 20, 20, NULL, 0, &good, NULL), VD_E_ARG);
    T_EQ(vd_sift_extract(&f, NULL, 20, 20, 20, NULL, 0, &good, NULL), VD_E_ARG);
    T_EQ(vd_sift_extract(&f, p, VD_SIFT_MAX_SIDE + 1, 1, 0, NULL, 0, &good, NULL), VD_E_LIMIT);
    T_EQ(f.n, -1);
}

T(every_refused_allocation_is_an_error) {
    vd_rng r = t_rng(t);
    pic a = leaves(&r, 100, 80, 300);
    int64_t before = vd_mem_live();
    bool hit = true;
    for (int k = 0; hit; k++) {
        vd_features f = { 0 };
        vd_sift_opt o = VD_SIFT_OPT;
        vd_err err = { 0 };
        o.max_features = 100;
        vd_mem_fail_at(k, false);
        vd_status st = vd_sift_extract(&f, a.p, a.w, a.h, a.w, NULL, 0, &o, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(f.n > 0, !hit);
        vd_features_reset(&f);
        T_EQ(vd_mem_live(), before);
    }
    free(a.p);
}

/* The table of share.c is its formula; the polynomials are as near as they say. */
T(tables_and_approximations) {
    for (int i = 0; i < VD_PATCH_SIDE; i++) {
        double p = 5 * (i + 0.5) / VD_PATCH_SIDE - 2.5, b = p + 1.5, g = exp(-p * p / 8);
        T_EQ(vd_feature_share.first[i], (int)floor(b));
        T_NEAR(vd_feature_share.near[i], (1 - (b - floor(b))) * g, 1e-7);
        T_NEAR(vd_feature_share.far[i], (b - floor(b)) * g, 1e-7);
    }
    double worst_turn = 0, worst_power = 0;
    for (int i = 0; i < 100000; i++) {
        double a = 6.283185307179586 * i / 100000;
        float x = (float)(3 * cos(a)), y = (float)(3 * sin(a));
        double want = atan2(y, x) / 6.283185307179586;
        worst_turn = fmax(worst_turn, fabs(remainder(ref_turn(y, x) - want, 1)));
        float v = (float)(-i * 1e-3);
        worst_power = fmax(worst_power, fabs(ref_exp2(v) / exp2(v) - 1));
    }
    T_LT(worst_turn, 2e-6);
    T_LT(worst_power, 3e-7);
    T_EQ(ref_turn(0, 0), 0);
}
