/* Label checks on sets whose truth is known: analytic cases, plain algorithms, hostile input.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "audit/polygon.h"
#include "audit/sweep.h"
#include "audit_set.h"
#include "base/clock.h"

/* ---- kinds ---- */

T(every_kind_has_a_name_of_its_own) {
    for (int i = 0; i < VD_AUDIT_KINDS; i++) {
        T_NEED(vd_audit_kinds[i].key != NULL && vd_audit_kinds[i].help != NULL);
        T_EQ(vd_audit_kind_find(vd_audit_kinds[i].key, strlen(vd_audit_kinds[i].key)), i);
        T_TRUE(vd_audit_kinds[i].threshold > 0 && vd_audit_kinds[i].threshold <= 1);
    }
    T_EQ(vd_audit_kind_find("degenerat", 9), VD_AUDIT_KINDS);
}

T(thresholds_are_read_or_refused) {
    double v[VD_AUDIT_KINDS] = { 0 };
    vd_err err = { 0 };
    T_OK(vd_audit_threshold(v, "swapped=0.25", &err));
    T_NEAR(v[VD_AUDIT_SWAPPED], 0.25, 0);
    static const char *const bad[] = { "",
                                       "=",
                                       "swapped",
                                       "swapped=",
                                       "swapped=x",
                                       "swapped=2",
                                       "swapped=-0.1",
                                       "swapped=nan",
                                       "swapped=0.5x",
                                       "other=0.5" };
    for (int i = 0; i < VD_COUNT(bad); i++) T_EQ(vd_audit_threshold(v, bad[i], NULL), VD_E_ARG);
    T_NEAR(v[VD_AUDIT_SWAPPED], 0.25, 0);
}

/* ---- shapes ---- */

/* What the check of one object of a picture of 100 x 80 says. */
static vd_audit_findings shape(vd_label_object o) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    add_category(&s, "car", NULL);
    add_image(&s, "a.jpg", 100, 80);
    double b[4] = { 0 };
    if (!vd_label_bounds(&o, b)) memset(b, 0, sizeof b);
    add_box(&s, 0, b[0], b[1], b[2], b[3]);
    if (vd_audit_shape(&f, &s, 0, &o, &err) != VD_OK) abort();
    for (int64_t i = 0; i < f.n; i++) f.row[i].name = NULL; /* it lay in the set */
    vd_audit_set_reset(&s);
    return f;
}

static double score_of(vd_label_object o, vd_audit_kind kind) {
    vd_audit_findings f = shape(o);
    double out = 1;
    for (int64_t i = 0; i < f.n; i++)
        if (f.row[i].kind == kind) out = f.row[i].score;
    vd_audit_findings_reset(&f);
    return out;
}

static vd_label_object boxed(double x, double y, double w, double h) {
    return (vd_label_object){ .has = VD_OBJ_BOX, .box = { x, y, w, h } };
}

T(boxes_without_an_area_are_degenerate) {
    T_NEAR(score_of(boxed(1, 1, 0, 9), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(boxed(1, 1, 9, -2), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(boxed(1, NAN, 9, 2), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(boxed(1, 1, INFINITY, 2), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(boxed(1, 1, 9, 0.5), VD_AUDIT_DEGENERATE), 1, 0); /* 0.75: not below 0.5 */
    T_NEAR(score_of(boxed(1, 1, 9, 2), VD_AUDIT_DEGENERATE), 1, 0);
}

static vd_label_object outlined(const double *xy, const int32_t *ring) {
    return (vd_label_object){ .has = VD_OBJ_POLYGON, .xy = xy, .ring = ring, .n_rings = 1 };
}

T(polygons_without_an_area_are_degenerate) {
    static const double line[] = { 1, 1, 5, 5, 9, 9 }, flat[] = { 1, 1, 50, 1.01, 99, 1 };
    static const double triangle[] = { 1, 1, 5, 5, 9, 1 }, tie[] = { 0, 0, 8, 8, 8, 0, 0, 8 };
    static const int32_t two = 2, three = 3, four = 4;
    T_NEAR(score_of(outlined(line, &two), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(outlined(line, &three), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(outlined(flat, &three), VD_AUDIT_DEGENERATE), 0, 0);
    T_NEAR(score_of(outlined(triangle, &three), VD_AUDIT_DEGENERATE), 1, 0);
    /* loops that cancel are a crossing, and the polygon has an area to be filled */
    T_NEAR(score_of(outlined(tie, &four), VD_AUDIT_DEGENERATE), 1, 0);
    T_NEAR(score_of(outlined(tie, &four), VD_AUDIT_SELF_INTERSECTING), 0, 0);
}

T(boxes_beyond_the_edges_score_what_is_inside) {
    T_NEAR(score_of(boxed(-5, 10, 10, 10), VD_AUDIT_OUTSIDE_IMAGE), 0.5, 1e-12);
    T_NEAR(score_of(boxed(95, 75, 10, 10), VD_AUDIT_OUTSIDE_IMAGE), 0.25, 1e-12);
    T_NEAR(score_of(boxed(100, 10, 10, 10), VD_AUDIT_OUTSIDE_IMAGE), 0, 0);
    T_NEAR(score_of(boxed(10, 200, 10, 10), VD_AUDIT_OUTSIDE_IMAGE), 0, 0);
    T_NEAR(score_of(boxed(-1, -1, 102, 82), VD_AUDIT_OUTSIDE_IMAGE), 1, 0); /* rounded */
    T_NEAR(score_of(boxed(0, 0, 100, 80), VD_AUDIT_OUTSIDE_IMAGE), 1, 0);
}

T(keypoints_count_where_they_are_labelled) {
    double k[] = { 15, 15, 2, 90, 15, 2, 0, 0, 0 };
    vd_label_object o = { .has = VD_OBJ_BOX | VD_OBJ_KEYPOINTS,
                          .box = { 10, 10, 20, 40 },
                          .keypoints = k,
                          .n_keypoints = 3 };
    T_NEAR(score_of(o, VD_AUDIT_KEYPOINTS_OUTSIDE), 0, 0); /* 60 px, 1.5 longer sides */
    k[3] = 42;                                             /* 12 px: 0.3 of 40 */
    T_NEAR(score_of(o, VD_AUDIT_KEYPOINTS_OUTSIDE), 0.25, 1e-12);
    k[3] = 34;
    T_NEAR(score_of(o, VD_AUDIT_KEYPOINTS_OUTSIDE), 1, 0);
    k[3] = 90;
    k[5] = 0; /* not labelled */
    T_NEAR(score_of(o, VD_AUDIT_KEYPOINTS_OUTSIDE), 1, 0);
}

/* ---- crossings ---- */

static double side_of(const double *a, const double *b, const double *c) {
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

static double twice_area(const double *xy, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
        sum += a[0] * b[1] - a[1] * b[0];
    }
    return sum;
}

/* All pairs of sides: where two cross, the ring is cut into two, and both are measured. */
static double plain_crossing(const double *xy, int n) {
    double worst = 0, loop[2 * 64], rest[2 * 64];
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) {
            const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
            const double *c = xy + 2 * k, *d = xy + 2 * ((k + 1) % n);
            double p = side_of(c, d, a), q = side_of(c, d, b);
            if (!(p * q < 0 && side_of(a, b, c) * side_of(a, b, d) < 0)) continue;
            int n_loop = 1, n_rest = 1;
            for (int e = 0; e < 2; e++) loop[e] = rest[e] = a[e] + p / (p - q) * (b[e] - a[e]);
            for (int v = i + 1; v <= k; v++, n_loop++)
                memcpy(loop + 2 * n_loop, xy + 2 * v, 2 * sizeof *xy);
            for (int v = k + 1; v <= i + n; v++, n_rest++)
                memcpy(rest + 2 * n_rest, xy + 2 * (v % n), 2 * sizeof *xy);
            double x = twice_area(loop, n_loop), y = twice_area(rest, n_rest);
            if (x * y < 0) worst = fmax(worst, fmin(fabs(x), fabs(y)) / (fabs(x) + fabs(y)));
        }
    return worst;
}

T(crossings_are_those_of_all_pairs) {
    vd_rng r = t_rng(t);
    int told = 0;
    for (int trial = 0; trial < 6000; trial++) {
        double xy[2 * 60];
        int n = 4 + trial % 57;
        for (int i = 0; i < n; i++) { /* a star, of which some corners are moved */
            double a = 6.283185307 * (i + 0.4 * vd_rng_f64(&r)) / n, k = vd_rng_range(&r, 0.6, 1);
            bool moved = trial % 3 == 0 && vd_rng_f64(&r) < 0.1;
            xy[2 * i] = 50 + (moved ? vd_rng_range(&r, -60, 60) : 40 * k * cos(a));
            xy[2 * i + 1] = 50 + (moved ? vd_rng_range(&r, -60, 60) : 40 * k * sin(a));
        }
        double share = vd_audit_crossing(xy, n);
        T_NEAR(share, plain_crossing(xy, n), 1e-9);
        told += share > 0;
    }
    T_LT(500, told);
}

T(crossings_measure_the_smaller_loop) {
    static const double tie[] = { 0, 0, 8, 8, 8, 0, 0, 8 };
    /* a square of 10, on it two triangles of area 1 that meet at (5, 11) and turn differently */
    static const double small[] = { 0, 0, 10, 0, 10, 10, 6, 10, 4, 12, 6, 12, 4, 10, 0, 10 };
    static const double inner[] = { 0, 0, 10, 0, 10, 10, 2, 10, 2, 2, 12, 2, 12, 12, 0, 12 };
    T_NEAR(vd_audit_crossing(tie, 4), 0.5, 1e-12);
    T_NEAR(vd_audit_crossing(small, 8), 1.0 / 102, 1e-12);
    /* a ring that winds twice around a part of itself cancels nothing */
    T_NEAR(vd_audit_crossing(inner, 8), 0, 0);
    double many[2 * 5000];
    for (int i = 0; i < 5000; i++) many[2 * i] = i % 2, many[2 * i + 1] = i;
    T_NEAR(vd_audit_crossing(many, 5000), 0, 0); /* beyond what is looked at */
    T_TRUE(vd_audit_crossing(many, 4096) >= 0);
}

/* ---- sweep ---- */

typedef struct pairs {
    int64_t n, sum;
    uint8_t *seen; /* [n * n] or NULL */
    int64_t boxes;
} pairs;

static vd_status on_pair(void *user, int64_t a, int64_t b, double iou, vd_err *err) {
    pairs *p = user;
    (void)err;
    (void)iou;
    p->n++;
    if (p->seen != NULL) p->seen[VD_MIN(a, b) * p->boxes + VD_MAX(a, b)]++;
    return VD_OK;
}

T(sweep_finds_the_pairs_of_a_plain_search) {
    enum { N = 260 };
    static const double least[] = { 0.1, 0.5, 0.8, 1 };
    static vd_sweep_box b[N], copy[N];
    static uint8_t seen[N * N];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int trial = 0; trial < 40; trial++) {
        for (int i = 0; i < N; i++) {
            b[i] = (vd_sweep_box){ { vd_rng_range(&r, 0, 60), vd_rng_range(&r, 0, 60),
                                     vd_rng_range(&r, 1, 40), vd_rng_range(&r, 1, 40) },
                                   i };
            if (i % 5 == 0 && i > 0) memcpy(b[i].at, b[i - 1].at, sizeof b[i].at);
        }
        memcpy(copy, b, sizeof b);
        memset(seen, 0, sizeof seen);
        pairs p = { .seen = seen, .boxes = N };
        T_OK(vd_audit_sweep(b, N, least[trial % 4], on_pair, &p, &err));
        for (int i = 0; i < N; i++)
            for (int k = i + 1; k < N; k++)
                T_EQ(seen[i * N + k], vd_audit_iou(copy[i].at, copy[k].at) >= least[trial % 4]);
    }
}

/* ---- doubles ---- */

T(doubles_are_told_by_overlap_and_class) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    int32_t car = add_category(&s, "car", NULL), dog = add_category(&s, "dog", NULL);
    int32_t animal = add_category(&s, "animal", NULL);
    s.category[dog].parent = "animal";
    add_image(&s, "a.jpg", 1000, 1000);
    add_box(&s, car, 100, 100, 100, 100);
    int64_t same = add_box(&s, car, 100, 100, 100, 100);
    int64_t near = add_box(&s, car, 105, 100, 100, 100); /* 95 / 105 */
    add_box(&s, dog, 500, 500, 100, 100);
    int64_t other = add_box(&s, car, 502, 500, 100, 100); /* 98 / 102 */
    add_box(&s, animal, 502, 500, 100, 100);              /* a dog is one; of the car it is told */
    int64_t crowd = add_box(&s, car, 100, 100, 100, 100);
    s.object[crowd].has |= VD_OBJ_CROWD;
    add_image(&s, "b.jpg", 1000, 1000);
    add_box(&s, car, 100, 100, 100, 100);
    T_OK(vd_audit_doubles(&f, &s, &err));
    const vd_audit_finding *a = find(&f, VD_AUDIT_DUPLICATE_BOX, same + 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 0, 1e-12);
    T_EQ(a->other, 1);
    a = find(&f, VD_AUDIT_NEAR_DUPLICATE_BOX, near + 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 1 - 95.0 / 105, 1e-12);
    a = find(&f, VD_AUDIT_TWO_CLASSES, other + 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 1 - 98.0 / 102, 1e-12);
    a = find(&f, VD_AUDIT_TWO_CLASSES, other + 2);
    T_NEED(a != NULL);
    T_EQ(a->other, other + 1);
    T_EQ(f.n, 4);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* Boxes may be alike where outlines are not. */
T(doubles_compare_how_outlines_fill_their_boxes) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    add_category(&s, "car", NULL);
    add_image(&s, "a.jpg", 1000, 1000);
    for (int i = 0; i < 2; i++) {
        int64_t k = add_box(&s, 0, 100, 100, 100, 100);
        s.object[k].has |= VD_OBJ_POLYGON;
        s.object[k].area = i == 0 ? 9000 : 3000;
    }
    T_OK(vd_audit_doubles(&f, &s, &err));
    T_EQ(f.n, 0);
    s.object[1].area = 8950;
    T_OK(vd_audit_doubles(&f, &s, &err));
    T_EQ(count(&f, VD_AUDIT_DUPLICATE_BOX), 1);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

T(many_boxes_in_one_picture_take_no_square) {
    enum { N = 300000 };
    vd_err err = { 0 };
    for (int kind = 0; kind < 3; kind++) { /* all the same; one column; a heap */
        vd_audit_set s = { 0 };
        vd_audit_findings f;
        vd_rng r = t_rng(t);
        vd_audit_findings_init(&f);
        add_category(&s, "car", NULL);
        add_image(&s, "a.jpg", 100000, 100000);
        for (int i = 0; i < N; i++)
            add_box(&s, 0, kind == 2 ? vd_rng_range(&r, 0, 3) : 5, kind == 1 ? 4.0 * i : 5, 50, 3);
        double begun = vd_time_mono_s();
        T_OK(vd_audit_doubles(&f, &s, &err));
        T_LT(vd_time_mono_s() - begun, 40); /* pairs would take hours */
        if (kind < 2) T_EQ(f.n, kind == 1 ? 0 : N - 1);
        if (kind == 2)
            T_LT(0.99 * N, (double)f.n); /* each, but the first ones of their surroundings */
        vd_audit_findings_reset(&f);
        vd_audit_set_reset(&s);
    }
}

/* ---- copies ---- */

static void copy_with(vd_audit_set *s, const char *name, int32_t w, int64_t exact, int64_t near,
                      int32_t category) {
    double k = w / 100.0;
    vd_audit_image *m = add_image(s, name, w, w);
    m->exact = exact;
    m->near = near;
    add_box(s, category, 10 * k, 10 * k, 30 * k, 30 * k);
    add_box(s, 0, 60 * k, 60 * k, 20 * k, 20 * k);
}

T(copies_vote_about_classes) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    for (int i = 0; i < 3; i++) add_category(&s, i == 0 ? "car" : i == 1 ? "dog" : "cat", NULL);
    copy_with(&s, "a", 100, 1, 0, 1);  /* of three, this one is wrong; label 1 */
    copy_with(&s, "a2", 200, 1, 0, 2); /* sizes may differ */
    copy_with(&s, "a3", 100, 1, 0, 2);
    copy_with(&s, "b", 100, 0, 7, 1); /* of two, the second one is told; label 9 */
    copy_with(&s, "b2", 100, 0, 7, 2);
    copy_with(&s, "c", 100, 0, 0, 1); /* no copies */
    copy_with(&s, "d", 100, 9, 9, 1); /* copies that agree */
    copy_with(&s, "d2", 100, 9, 9, 1);
    T_OK(vd_audit_copies(&f, &s, &err));
    T_EQ(f.n, 2);
    const vd_audit_finding *a = find(&f, VD_AUDIT_INCONSISTENT_COPIES, 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 0, 0);
    T_EQ(a->other, 3);
    T_TRUE(strstr(a->evidence, "a 'cat' in 2 of 2 copies") != NULL);
    a = find(&f, VD_AUDIT_INCONSISTENT_COPIES, 9);
    T_NEED(a != NULL);
    T_NEAR(a->score, 0.2, 1e-12);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

T(copies_that_lack_an_object_are_told) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    add_category(&s, "car", NULL);
    for (int i = 0; i < 2; i++) { /* the asset alone makes them copies, too */
        add_image(&s, "a", 100, 100)->asset = 1;
        add_box(&s, 0, 10, 10, 30, 30);
        if (i == 0) add_box(&s, 0, 60, 60, 20, 20);
    }
    T_OK(vd_audit_copies(&f, &s, &err));
    T_EQ(f.n, 1);
    T_NEED(find(&f, VD_AUDIT_INCONSISTENT_COPIES, 2) != NULL);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

T(copies_of_one_class_each_are_compared_as_sets) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    for (int i = 0; i < 2; i++) add_category(&s, i == 0 ? "car" : "dog", NULL);
    for (int i = 0; i < 5; i++) {
        add_image(&s, "x", 10, 10)->exact = 1;
        object_at(&s, add_box(&s, i == 1 ? 1 : 0, 0, 0, 0, 0))->has = 0;
    }
    T_OK(vd_audit_copies(&f, &s, &err));
    T_EQ(f.n, 1);
    const vd_audit_finding *a = find(&f, VD_AUDIT_INCONSISTENT_COPIES, 2);
    T_NEED(a != NULL);
    T_TRUE(strstr(a->evidence, "'car' in 4 of 5 copies") != NULL);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* ---- outliers ---- */

/* A class whose sizes are spread as told, in the middle of large pictures. */
static void fill_class(vd_audit_set *s, vd_rng *r, int32_t category, int n, bool cauchy) {
    add_image(s, "x", 100000, 100000);
    for (int i = 0; i < n; i++) {
        double v = cauchy ? tan(3.14159265 * (vd_rng_f64(r) - 0.5)) : vd_rng_normal(r);
        double side = 100 * exp(VD_CLAMP(0.3 * v, -4, 4));
        add_box(s, category, 20000, 20000, side * exp(0.05 * vd_rng_normal(r)), side);
    }
}

T(outliers_are_found_and_tails_left_alone) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    vd_audit_findings_init(&f);
    for (int i = 0; i < 3; i++) add_category(&s, i == 0 ? "a" : i == 1 ? "b" : "c", NULL);
    fill_class(&s, &r, 0, 5000, false);
    int64_t large = add_box(&s, 0, 20000, 20000, 100 * exp(0.3 * 7), 100 * exp(0.3 * 7));
    int64_t small = add_box(&s, 0, 20000, 20000, 100 * exp(-0.3 * 7), 100 * exp(-0.3 * 7));
    int64_t wide = add_box(&s, 0, 20000, 20000, 300, 100);
    int64_t cut = add_box(&s, 0, 0, 20000, 100 * exp(-0.3 * 7), 100 * exp(-0.3 * 7));
    fill_class(&s, &r, 1, 5000, true); /* Cauchy's: much is far out, by nature */
    fill_class(&s, &r, 2, 18, false);  /* too few to have a usual size */
    add_box(&s, 2, 20000, 20000, 9000, 1);
    T_OK(vd_audit_outliers(&f, &s, &err));
    const vd_audit_finding *a = find(&f, VD_AUDIT_ODD_SIZE, large + 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 2.5 / 7, 0.02);
    T_NEED(find(&f, VD_AUDIT_ODD_SIZE, small + 1) != NULL);
    T_NEED(find(&f, VD_AUDIT_ODD_ASPECT, wide + 1) != NULL);
    T_TRUE(find(&f, VD_AUDIT_ODD_SIZE, cut + 1) == NULL);
    T_TRUE(find(&f, VD_AUDIT_ODD_ASPECT, cut + 1) == NULL);
    int64_t of_c = 0, of_b = 0;
    for (int64_t i = 0; i < f.n; i++) {
        of_b += f.row[i].image == 1;
        of_c += f.row[i].image == 2;
    }
    T_EQ(of_c, 0);
    T_LT((double)of_b, 0.05 * 5000);
    T_EQ(count(&f, VD_AUDIT_ODD_SIZE) + count(&f, VD_AUDIT_ODD_ASPECT), 3 + of_b);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* ---- tracks ---- */

T(tracks_that_jump_are_told) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    add_category(&s, "car", NULL);
    for (int i = 0; i < 20; i++) {
        vd_audit_image *m = add_image(&s, "x", 2000, 2000);
        m->sequence = "s";
        m->frame = 19 - i; /* frames may come in any order */
        int64_t slow = add_box(&s, 0, m->frame * 4 + (m->frame >= 10 ? 900 : 0), 50, 40, 40);
        int64_t quick = add_box(&s, 0, m->frame * 90, 500, 10, 10); /* always 9 sizes a frame */
        s.object[slow].has |= VD_OBJ_TRACK;
        s.object[slow].track = 1;
        s.object[quick].has |= VD_OBJ_TRACK;
        s.object[quick].track = 2;
    }
    T_OK(vd_audit_tracks(&f, &s, &err));
    T_EQ(f.n, 1);
    T_NEED(f.n == 1);
    T_EQ(f.row[0].image, 19 - 10);
    T_NEAR(f.row[0].score, 1.5 / (904.0 / 40), 1e-9);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* ---- pictures and categories ---- */

T(pictures_and_categories_are_checked) {
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    vd_audit_findings_init(&f);
    add_category(&s, "traffic light", NULL);
    add_category(&s, "Traffic_Light ", NULL);
    add_category(&s, "traffic lights", NULL);
    add_image(&s, "a.jpg", 640, 480);
    add_box(&s, 0, 1, 1, 9, 9);
    add_box(&s, VD_LABEL_NONE, 1, 1, 9, 9);
    add_image(&s, "none.jpg", 640, 480)->asset = 0;
    add_image(&s, "none.jpg", 640, 480)->asset = 0;
    add_image(&s, "lies.jpg", 640, 480)->asset_width = 480;
    s.image[3].asset_height = 640;
    add_image(&s, "again.jpg", 640, 480)->asset = 1;
    add_image(&s, "unsized.jpg", 0, 0)->asset_width = 9;
    T_OK(vd_audit_missing(&f, &s, &err));
    T_OK(vd_audit_sizes(&f, &s, &err));
    T_OK(vd_audit_twice(&f, &s, &err));
    T_OK(vd_audit_category_names(&f, &s, &err));
    T_OK(vd_audit_unused(&f, &s, &err));
    T_OK(vd_audit_unknown(&f, &s, &err));
    vd_audit_findings_sort(&f);
    static const struct {
        vd_audit_kind kind;
        int image;
    } want[] = { { VD_AUDIT_MISSING_IMAGE, 1 },    { VD_AUDIT_MISSING_IMAGE, 2 },
                 { VD_AUDIT_IMAGE_SIZE, 3 },       { VD_AUDIT_IMAGE_SIZE, 5 },
                 { VD_AUDIT_LABELLED_TWICE, 2 },   { VD_AUDIT_LABELLED_TWICE, 4 },
                 { VD_AUDIT_CATEGORY_NAMES, -1 },  { VD_AUDIT_UNUSED_CATEGORY, -1 },
                 { VD_AUDIT_UNUSED_CATEGORY, -1 }, { VD_AUDIT_UNKNOWN_CATEGORY, 0 } };
    T_NEED(f.n == VD_COUNT(want));
    for (int i = 0; i < VD_COUNT(want); i++) {
        T_EQ(f.row[i].kind, want[i].kind);
        T_EQ(f.row[i].image, want[i].image);
    }
    T_TRUE(strstr(f.row[2].evidence, "turned by a quarter") != NULL);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* Evidence is cut between characters. */
T(evidence_is_whole_text) {
    vd_audit_findings f;
    vd_err err = { 0 };
    char text[1200];
    vd_audit_findings_init(&f);
    for (int shift = 0; shift < 4; shift++) {
        memset(text, 'x', (size_t)shift);
        for (int i = 0; i < 290; i++) memcpy(text + shift + 4 * i, "\xF0\x9F\x9A\x97", 4);
        text[shift + 4 * 290] = '\0';
        const vd_audit_finding row = { .kind = VD_AUDIT_DEGENERATE, .image = -1 };
        T_OK(vd_audit_add(&f, &row, &err, "%s", text));
        const char *e = f.row[f.n - 1].evidence;
        T_EQ((strlen(e) - (size_t)shift) % 4, 0);
        T_TRUE(strlen(e) > 300);
    }
    vd_audit_findings_reset(&f);
}
