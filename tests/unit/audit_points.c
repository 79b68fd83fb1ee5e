/* Votes about labels by 3D points, on worlds whose truth is known. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include "audit/overlay.h"
#include "audit/points.h"
#include "base/mem.h"
#include "label/mask.h"

/* Objects as rectangles at a depth, seen by cameras that move along x: a point at (x, y, z) is at
 * ((x - view) / z, y / z) * FOCAL. Points fill each rectangle; the nearer one hides the other. */
enum { MAX_VIEWS = 320, MAX_OBJECTS = 12, MAX_POINTS = 40, FOCAL = 1000 };

typedef struct thing {
    double x, y, z, width, height;
    int32_t class;
    int n_points;
} thing;

typedef struct world {
    int n_views, n_things;
    thing thing[MAX_OBJECTS];
    bool shown[MAX_VIEWS][MAX_OBJECTS];    /* else the view does not see it at all */
    bool labelled[MAX_VIEWS][MAX_OBJECTS]; /* in what it sees */
    int32_t class[MAX_VIEWS][MAX_OBJECTS];
    bool masks; /* else boxes */
} world;

/* What vd_points_judge gets. */
typedef struct input {
    vd_points in;
    int32_t *view, *point, *n_covers, *cover, *label_view, *label_class;
    int64_t *covers;
    float *xy;
    uint8_t *label_exact;
    int32_t label_of[MAX_VIEWS][MAX_OBJECTS]; /* -1: none */
} input;

static world *world_new(int n_views, int n_things, bool masks) {
    world *w = vd_mem_array(1, sizeof *w);
    w->n_views = n_views;
    w->n_things = n_things;
    w->masks = masks;
    for (int k = 0; k < n_things; k++) {
        w->thing[k] = (thing){ 3.0 * k, 0, 4, 1, 1, k, 12 };
        for (int v = 0; v < n_views; v++) {
            w->shown[v][k] = w->labelled[v][k] = true;
            w->class[v][k] = k;
        }
    }
    return w;
}

static void project(const thing *o, int view, double u, double v, double xy[2]) {
    xy[0] = FOCAL * (o->x + (u - 0.5) * o->width - 0.1 * view) / o->z;
    xy[1] = FOCAL * (o->y + (v - 0.5) * o->height) / o->z;
}

static void box_of(const thing *o, int view, double box[4]) {
    double far[2];
    project(o, view, 0, 0, box);
    project(o, view, 1, 1, far);
    box[2] = far[0] - box[0];
    box[3] = far[1] - box[1];
}

static bool hidden(const world *w, int view, int k, const double xy[2]) {
    double box[4];
    for (int i = 0; i < w->n_things; i++) {
        if (i == k || !w->shown[view][i] || w->thing[i].z >= w->thing[k].z) continue;
        box_of(&w->thing[i], view, box);
        if (xy[0] >= box[0] && xy[0] < box[0] + box[2] && xy[1] >= box[1] &&
            xy[1] < box[1] + box[3])
            return true;
    }
    return false;
}

static void input_free(input *q) {
    vd_mem_free(q->view);
    vd_mem_free(q->point);
    vd_mem_free(q->n_covers);
    vd_mem_free(q->cover);
    vd_mem_free(q->label_view);
    vd_mem_free(q->label_class);
    vd_mem_free(q->covers);
    vd_mem_free(q->xy);
    vd_mem_free(q->label_exact);
    vd_mem_free(q);
}

/* Halton's sequence: points that fill a rectangle evenly. */
static double spread(int i, int base) {
    double f = 1, r = 0;
    for (i++; i > 0; i /= base) {
        f /= base;
        r += f * (i % base);
    }
    return r;
}

static input *input_new(const world *w) {
    input *q = vd_mem_array(1, sizeof *q);
    const size_t n = (size_t)w->n_views * (size_t)w->n_things * MAX_POINTS;
    vd_overlay over = { 0 };
    q->view = vd_mem_array(n, sizeof *q->view);
    q->point = vd_mem_array(n, sizeof *q->point);
    q->n_covers = vd_mem_array(n, sizeof *q->n_covers);
    q->cover = vd_mem_array(n * MAX_OBJECTS, sizeof *q->cover);
    q->covers = vd_mem_array(n, sizeof *q->covers);
    q->xy = vd_mem_array(2 * n, sizeof *q->xy);
    q->label_view = vd_mem_array(n, sizeof *q->label_view);
    q->label_class = vd_mem_array(n, sizeof *q->label_class);
    q->label_exact = vd_mem_array(n, sizeof *q->label_exact);
    vd_points *in = &q->in;
    int64_t n_cover = 0;
    for (int v = 0; v < w->n_views; v++) {
        vd_overlay_clear(&over);
        for (int k = 0; k < w->n_things; k++) {
            q->label_of[v][k] = -1;
            if (!w->shown[v][k] || !w->labelled[v][k]) continue;
            vd_label_object o = { .has = VD_OBJ_BOX };
            box_of(&w->thing[k], v, o.box);
            q->label_of[v][k] = in->n_labels;
            q->label_view[in->n_labels] = v;
            q->label_class[in->n_labels] = w->class[v][k];
            q->label_exact[in->n_labels] = w->masks;
            if (!w->masks) vd_overlay_add(&over, &o, in->n_labels, NULL);
            in->n_labels++;
        }
        for (int k = 0; k < w->n_things; k++)
            for (int p = 0; p < w->thing[k].n_points; p++) {
                double xy[2];
                project(&w->thing[k], v, spread(p, 2), spread(p, 3), xy);
                if (!w->shown[v][k] || hidden(w, v, k, xy)) continue;
                q->view[in->n] = v;
                q->point[in->n] = k * MAX_POINTS + p;
                q->xy[2 * in->n] = (float)xy[0];
                q->xy[2 * in->n + 1] = (float)xy[1];
                q->covers[in->n] = n_cover;
                if (w->masks && q->label_of[v][k] >= 0) q->cover[n_cover++] = q->label_of[v][k];
                if (!w->masks) vd_overlay_at(&over, xy[0], xy[1], q->cover, &n_cover);
                q->n_covers[in->n] = (int32_t)(n_cover - q->covers[in->n]);
                in->n++;
            }
    }
    vd_overlay_reset(&over);
    in->n_views = w->n_views;
    in->n_points = w->n_things * MAX_POINTS;
    in->n_classes = MAX_OBJECTS;
    in->view = q->view;
    in->point = q->point;
    in->xy = q->xy;
    in->covers = q->covers;
    in->n_covers = q->n_covers;
    in->cover = q->cover;
    in->label_view = q->label_view;
    in->label_class = q->label_class;
    in->label_exact = q->label_exact;
    return q;
}

T(labels_that_agree_are_no_finding) {
    for (int masks = 0; masks < 2; masks++) {
        vd_err err = { 0 };
        vd_points_doubts d = { 0 };
        world *w = world_new(8, 4, masks);
        input *q = input_new(w);
        T_OK(vd_points_judge(&d, &q->in, &err));
        T_EQ(d.n, 0);
        T_EQ(d.objects, 4);
        T_EQ(d.links, 4 * 8 * 7 / 2);
        vd_points_doubts_reset(&d);
        input_free(q);
        vd_mem_free(w);
    }
}

T(a_swapped_class_is_found) {
    for (int masks = 0; masks < 2; masks++) {
        vd_err err = { 0 };
        vd_points_doubts d = { 0 };
        world *w = world_new(8, 4, masks);
        w->class[3][2] = 7;
        input *q = input_new(w);
        T_OK(vd_points_judge(&d, &q->in, &err));
        T_NEED(d.n == 1);
        T_EQ(d.row[0].view, 3);
        T_EQ(d.row[0].label, q->label_of[3][2]);
        T_EQ(d.row[0].class_of_most, 2);
        T_EQ(d.row[0].agree, 7);
        T_EQ(d.row[0].own, 1);
        T_EQ(d.row[0].against, 0);
        T_EQ(d.row[0].points, 12);
        T_NEED(d.row[0].n == 7);
        for (int i = 0; i < 7; i++)
            T_EQ(d.voter[d.row[0].first + i], q->label_of[i < 3 ? i : i + 1][2]);
        vd_points_doubts_reset(&d);
        input_free(q);
        vd_mem_free(w);
    }
}

/* How many doubts there are about one object of which the views say these classes. */
static int64_t doubts(t_case *t, const int32_t *class, int n, bool masks) {
    vd_err err = { 0 };
    vd_points_doubts d = { 0 };
    world *w = world_new(n, 1, masks);
    for (int v = 0; v < n; v++) w->class[v][0] = class[v];
    input *q = input_new(w);
    vd_status st = vd_points_judge(&d, &q->in, &err);
    if (st != VD_OK) T_FAIL("%s", err.msg);
    int64_t found = d.n;
    vd_points_doubts_reset(&d);
    input_free(q);
    vd_mem_free(w);
    return found;
}

T(it_takes_a_majority) {
    T_EQ(doubts(t, (const int32_t[]){ 0, 1 }, 2, true), 0);
    T_EQ(doubts(t, (const int32_t[]){ 0, 1, 0 }, 3, true), 1);
    T_EQ(doubts(t, (const int32_t[]){ 0, 1, 2 }, 3, true), 0);
    T_EQ(doubts(t, (const int32_t[]){ 0, 0, 1, 1 }, 4, true), 0);
    T_EQ(doubts(t, (const int32_t[]){ 0, 0, 1, 1, 0 }, 5, true), 2);
    T_EQ(doubts(t, (const int32_t[]){ 0, 0, 1, 2, 0 }, 5, true), 2);
    T_EQ(doubts(t, (const int32_t[]){ 0, 0, 1, 0, -1 }, 5, true), 1); /* -1 says nothing */
    T_EQ(doubts(t, (const int32_t[]){ 0, -1, 1, -1, -1 }, 5, true), 0);
    T_EQ(doubts(t, (const int32_t[]){ 0, 1, 0 }, 3, false), 1); /* of boxes it takes more */
    T_EQ(doubts(t, (const int32_t[]){ 0, 0, 1, 1, 0 }, 5, false), 0);
}

T(what_is_missing_is_found) {
    for (int masks = 0; masks < 2; masks++) {
        vd_err err = { 0 };
        vd_points_doubts d = { 0 };
        world *w = world_new(6, 3, masks);
        w->labelled[4][1] = false;
        input *q = input_new(w);
        double box[4];
        T_OK(vd_points_judge(&d, &q->in, &err));
        T_NEED(d.n == 1);
        T_EQ(d.row[0].label, -1);
        T_EQ(d.row[0].view, 4);
        T_EQ(d.row[0].class_of_most, 1);
        T_EQ(d.row[0].agree, 5);
        T_EQ(d.row[0].against, 1);
        T_EQ(d.row[0].points, 12);
        T_EQ(d.row[0].n, 5);
        box_of(&w->thing[1], 4, box);
        T_TRUE(d.row[0].box[0] >= box[0] && d.row[0].box[2] <= box[0] + box[2]);
        T_TRUE(d.row[0].box[2] - d.row[0].box[0] > 0.6 * box[2]);
        T_TRUE(d.row[0].box[1] >= box[1] && d.row[0].box[3] - d.row[0].box[1] > 0.6 * box[3]);
        vd_points_doubts_reset(&d);
        input_free(q);
        w->labelled[2][1] = w->labelled[3][1] = false; /* three of six: it need not be labelled */
        q = input_new(w);
        T_OK(vd_points_judge(&d, &q->in, &err));
        T_EQ(d.n, 0);
        vd_points_doubts_reset(&d);
        input_free(q);
        vd_mem_free(w);
    }
}

/* A wall far away, and a small thing that passes before it, from one side to the other. */
static world *two_depths(bool masks) {
    world *w = world_new(12, 2, masks);
    w->thing[0] = (thing){ 0.5, 0, 12, 8, 4, 0, 40 };
    w->thing[1] = (thing){ 0.6, 0, 3, 0.8, 0.8, 1, 20 };
    return w;
}

T(what_stands_before_another_is_no_finding) {
    for (int masks = 0; masks < 2; masks++)
        for (int gap = 0; gap < 2; gap++) {
            vd_err err = { 0 };
            vd_points_doubts d = { 0 };
            world *w = two_depths(masks);
            w->labelled[5][1] = gap == 0; /* then only the wall's label has its points */
            input *q = input_new(w);
            T_OK(vd_points_judge(&d, &q->in, &err));
            for (int64_t i = 0; i < d.n; i++) T_EQ(d.row[i].label, -1);
            T_EQ(d.n, gap && masks);
            vd_points_doubts_reset(&d);
            input_free(q);
            w->labelled[5][1] = true;
            w->class[7][1] = 4;
            q = input_new(w);
            T_OK(vd_points_judge(&d, &q->in, &err));
            T_NEED(d.n == 1);
            T_EQ(d.row[0].label, q->label_of[7][1]);
            vd_points_doubts_reset(&d);
            input_free(q);
            vd_mem_free(w);
        }
}

T(very_long_tracks) {
    vd_err err = { 0 };
    vd_points_doubts d = { 0 };
    world *w = world_new(300, 2, true);
    w->class[0][1] = w->class[150][1] = w->class[299][1] = 5;
    input *q = input_new(w);
    T_OK(vd_points_judge(&d, &q->in, &err));
    T_EQ(d.objects, 2);
    T_NEED(d.n == 3);
    T_EQ(d.row[1].view, 150);
    T_EQ(d.row[2].agree, 297);
    vd_points_doubts_reset(&d);
    input_free(q);
    vd_mem_free(w);
}

/* Worlds drawn at random, each object seen by some views, some of its labels swapped: just those
 * are found where two more than half of its views agree. */
T(random_swaps_are_found_and_nothing_else) {
    vd_rng r = t_rng(t);
    for (int round = 0; round < 60; round++) {
        vd_err err = { 0 };
        vd_points_doubts d = { 0 };
        world *w = world_new(10, 6, true);
        int planted = 0;
        for (int k = 0; k < 6; k++) {
            w->thing[k].n_points = 3 + (int)vd_rng_int(&r, 20);
            int views = 0;
            for (int v = 0; v < 10; v++) views += w->shown[v][k] = vd_rng_int(&r, 3) > 0;
            for (int v = 0, wrong = 0; v < 10; v++) {
                if (!w->shown[v][k] || 3 * (wrong + 1) > views || vd_rng_int(&r, 4) > 0) continue;
                w->class[v][k] = (k + 1 + (int)vd_rng_int(&r, 5)) % 6;
                wrong++;
                planted++;
            }
        }
        input *q = input_new(w);
        T_OK(vd_points_judge(&d, &q->in, &err));
        T_EQ(d.n, planted);
        for (int64_t i = 0; i < d.n; i++) {
            const int v = d.row[i].view, k = d.row[i].class_of_most;
            T_NEED(k >= 0 && k < 6);
            T_EQ(d.row[i].label, q->label_of[v][k]);
            T_TRUE(w->class[v][k] != k);
        }
        vd_points_doubts_reset(&d);
        input_free(q);
        vd_mem_free(w);
    }
}

T(the_order_of_observations_does_not_matter) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_points_doubts d = { 0 }, e = { 0 };
    world *w = two_depths(false);
    w->class[7][1] = 4;
    w->labelled[2][0] = false;
    input *q = input_new(w);
    T_OK(vd_points_judge(&d, &q->in, &err));
    for (int64_t i = q->in.n - 1; i > 0; i--) {
        const int64_t k = vd_rng_int(&r, i + 1);
#define SWAP(a)                                                                                    \
    do {                                                                                           \
        const double s_ = (double)(a)[i];                                                          \
        (a)[i] = (a)[k];                                                                           \
        (a)[k] = (__typeof__((a)[0]))s_;                                                           \
    } while (0)
        SWAP(q->view);
        SWAP(q->point);
        SWAP(q->covers);
        SWAP(q->n_covers);
        for (int c = 0; c < 2; c++) {
            const float s = q->xy[2 * i + c];
            q->xy[2 * i + c] = q->xy[2 * k + c];
            q->xy[2 * k + c] = s;
        }
    }
    T_OK(vd_points_judge(&e, &q->in, &err));
    T_NEED(d.n == e.n && d.n >= 1 && d.n_voters == e.n_voters);
    T_EQ(d.links, e.links);
    for (int64_t i = 0; i < d.n; i++) {
        T_EQ(d.row[i].label, e.row[i].label);
        T_EQ(d.row[i].view, e.row[i].view);
        T_EQ(d.row[i].points, e.row[i].points);
    }
    vd_points_doubts_reset(&d);
    vd_points_doubts_reset(&e);
    input_free(q);
    vd_mem_free(w);
}

T(nothing_is_fine) {
    vd_err err = { 0 };
    vd_points_doubts d = { 0 };
    const vd_points none = { .n_views = 3, .n_classes = 2 };
    T_OK(vd_points_judge(&d, &none, &err));
    T_EQ(d.n, 0);
    const vd_points large = { .n = (int64_t)INT32_MAX + 1 };
    T_EQ(vd_points_judge(&d, &large, &err), VD_E_LIMIT);
    T_TRUE(strstr(err.msg, "2147483648 observations") != NULL);
}

T(lack_of_memory_is_told) {
    vd_err err = { 0 };
    world *w = world_new(6, 3, false);
    w->class[1][1] = 2;
    w->labelled[3][0] = false;
    input *q = input_new(w);
    const int64_t before = vd_mem_live();
    for (int64_t n = 0, hit = 1; hit; n++) {
        vd_points_doubts d = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_points_judge(&d, &q->in, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit) T_EQ(d.n, 2);
        vd_points_doubts_reset(&d);
        T_EQ(vd_mem_live(), before);
    }
    input_free(q);
    vd_mem_free(w);
}

/* ---- which labels cover a place ---- */

static int32_t at(const vd_overlay *c, double x, double y) {
    int32_t cover[8] = { 0 };
    int64_t n = 0;
    vd_overlay_at(c, x, y, cover, &n);
    return n == 0 ? 99 : n == 1 ? cover[0] : 98;
}

T(a_mask_covers_its_pixels) {
    enum { W = 37, H = 23 };
    static uint8_t pixel[H][W];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_mask m = { 0 };
    vd_overlay c = { 0 };
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) pixel[y][x] = x / 9 % 2 == 1 && y > 3 && vd_rng_int(&r, 30) > 0;
    T_OK(vd_mask_from_bytes(&m, &pixel[0][0], W, H, W, &err));
    const vd_label_object o = { .has = VD_OBJ_MASK | VD_OBJ_BOX,
                                .box = { 0, 0, 1, 1 }, /* a wrong box beside it does not matter */
                                .runs = m.run,
                                .n_runs = m.n,
                                .mask_width = W,
                                .mask_height = H };
    T_OK(vd_overlay_add(&c, &o, 5, &err));
    int sure = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const int32_t got = at(&c, x + 0.3, y + 0.7);
            T_EQ(got == 99, !pixel[y][x]);
            const bool deep = x > 1 && x + 2 < W && y > 1 && y + 2 < H && pixel[y][x - 2] &&
                              pixel[y][x + 2] && pixel[y - 2][x] && pixel[y + 2][x];
            if (pixel[y][x]) T_EQ(got, deep ? 5 : -6);
            sure += got == 5;
        }
    T_TRUE(sure > 50);
    T_EQ(at(&c, -0.5, 5), 99);
    T_EQ(at(&c, W + 0.5, H + 0.5), 99);
    vd_overlay_reset(&c);
    vd_mask_reset(&m);
}

T(polygons_boxes_and_what_covers_nothing) {
    vd_err err = { 0 };
    vd_overlay c = { 0 };
    const double xy[] = { 0,  0,  40, 0,  40, 40, 0, 40, 10, 10, 30,
                          10, 30, 30, 10, 30, 60, 0, 80, 0,  70, 30 };
    const int32_t ring[] = { 4, -4, 3 };
    const vd_label_object frame = { .has = VD_OBJ_POLYGON, .xy = xy, .ring = ring, .n_rings = 3 };
    T_OK(vd_overlay_add(&c, &frame, 0, &err));
    T_EQ(at(&c, 5, 20), 0);
    T_EQ(at(&c, 20, 20), 99); /* the hole */
    T_EQ(at(&c, 9, 20), -1);  /* near its rim */
    T_EQ(at(&c, 70, 10), 0);  /* the second ring */
    T_EQ(at(&c, 62, 25), 99);
    vd_overlay_clear(&c);
    const vd_label_object box = { .has = VD_OBJ_BOX, .box = { 10, 20, 40, 20 } };
    const vd_label_object turned = { .has = VD_OBJ_ROTATED,
                                     .box = { 200, 200, 100, 10 },
                                     .angle = 0.7853981633974483 };
    const vd_label_object crowd = { .has = VD_OBJ_BOX | VD_OBJ_CROWD, .box = { 0, 0, 900, 900 } };
    const vd_label_object line = { .has = VD_OBJ_LINE, .xy = xy, .ring = ring, .n_rings = 1 };
    const vd_label_object wild = { .has = VD_OBJ_BOX, .box = { NAN, 0, 9, 9 } };
    const vd_label_object none = { .has = VD_OBJ_CAPTION, .caption = "a yard" };
    T_OK(vd_overlay_add(&c, &box, 1, &err));
    T_OK(vd_overlay_add(&c, &turned, 2, &err));
    T_OK(vd_overlay_add(&c, &crowd, 3, &err));
    T_OK(vd_overlay_add(&c, &line, 4, &err));
    T_OK(vd_overlay_add(&c, &wild, 5, &err));
    T_OK(vd_overlay_add(&c, &none, 6, &err));
    T_EQ(at(&c, 30, 30), 1);
    T_EQ(at(&c, 11, 21), -2); /* a corner */
    T_EQ(at(&c, 9, 30), 99);
    T_EQ(at(&c, 225, 225), 2); /* along the turned box, clockwise as seen */
    T_EQ(at(&c, 225, 175), 99);
    vd_overlay_reset(&c);
}
