/* Renders the sets of pictures that scenes.py puts before the engine: painted rectangles, seen by
 * cameras whose truth goes into truth.json. SPDX-License-Identifier: Apache-2.0
 *
 *     scene_pictures SET FOLDER
 *
 * Paint is noise in octaves over a rectangle's own coordinates, those too fine for the pixel left
 * out, so that no picture needs more than a ray a pixel. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rng.h"
#include "geometry/rigid.h"
#include "image/exif_write.h"
#include "image/jpeg_write.h"

enum { MOST_RECTS = 64, MOST_SHOTS = 64, SIDE = 640, SHORT = 480 };
static const double DEG = 57.29577951308232;
/* What the pictures really have: 36 mm across, long sides of 640 px. */
static const double FOCAL = 1.0;

typedef struct rect {
    vd_vec3 at, u, v; /* a corner, and its sides */
    uint32_t paint;   /* 0: none, an even grey */
    double finest;    /* of the paint, in units of the world */
} rect;

typedef struct shot {
    vd_rigid pose; /* of the upright picture */
    int width, height, orientation;
    double told; /* focal length in the EXIF by the true one; 0: no EXIF at all */
    double blur; /* radius, px */
    int world;   /* which rectangles it sees */
    bool overlay;
} shot;

typedef struct set {
    rect rects[MOST_RECTS];
    int world[MOST_RECTS], n_rects;
    shot shots[MOST_SHOTS];
    int n;
} set;

/* ---- paint ---- */

static double lattice(uint32_t paint, int octave, int64_t x, int64_t y) {
    uint64_t h =
        vd_mix64(((uint64_t)paint << 8 | (uint64_t)octave) ^ (uint64_t)x * 0x9e3779b97f4a7c15);
    return (double)(vd_mix64(h ^ (uint64_t)y * 0xc2b2ae3d27d4eb4f) >> 40) / (1 << 23) - 1;
}

static double smooth(double t) {
    return t * t * (3 - 2 * t);
}

static double noise(uint32_t paint, int octave, double x, double y) {
    double fx = floor(x), fy = floor(y), tx = smooth(x - fx), ty = smooth(y - fy);
    int64_t i = (int64_t)fx, k = (int64_t)fy;
    double a = lattice(paint, octave, i, k), b = lattice(paint, octave, i + 1, k);
    double c = lattice(paint, octave, i, k + 1), d = lattice(paint, octave, i + 1, k + 1);
    return a + tx * (b - a) + ty * (c + tx * (d - c) - a - tx * (b - a));
}

/* Grey levels at a place, of which a pixel is `wide`. */
static double paint_at(const rect *r, double x, double y, double wide) {
    double sum = 0, cell = r->finest * 32;
    if (r->paint == 0) return 128;
    for (int octave = 0; octave < 6 && cell > 2 * wide; octave++, cell /= 2)
        sum += fmin(1, cell / (2 * wide) - 1) * noise(r->paint, octave, x / cell, y / cell);
    return 128 + 70 * sum;
}

/* ---- rays ---- */

/* How far along a ray it meets the rectangle, in units of the ray; at x, y from its corner. */
static double meet(const rect *r, vd_vec3 from, vd_vec3 ray, double *x, double *y) {
    vd_vec3 n = vd_v3_cross(r->u, r->v), d = vd_v3_sub(r->at, from);
    double depth = vd_v3_dot(n, d) / vd_v3_dot(n, ray);
    vd_vec3 p = vd_v3_sub(vd_v3_mul(ray, depth), d);
    double lu = vd_v3_norm(r->u), lv = vd_v3_norm(r->v);
    *x = vd_v3_dot(p, r->u) / lu;
    *y = vd_v3_dot(p, r->v) / lv;
    return depth > 1e-6 && *x >= 0 && *x <= lu && *y >= 0 && *y <= lv ? depth : INFINITY;
}

static double look(const set *s, const shot *k, vd_vec3 eye, vd_vec3 ray, double f_px) {
    double best = INFINITY, grey = 205;
    for (int i = 0; i < s->n_rects; i++) {
        double x, y;
        if (s->world[i] != k->world) continue;
        double depth = meet(&s->rects[i], eye, ray, &x, &y);
        if (!(depth < best)) continue;
        vd_vec3 n = vd_v3_unit(vd_v3_cross(s->rects[i].u, s->rects[i].v));
        double slant = fmax(0.2, fabs(vd_v3_dot(n, vd_v3_unit(ray))));
        best = depth;
        grey = paint_at(&s->rects[i], x, y, depth / f_px / sqrt(slant));
    }
    return grey;
}

static void render(float *out, const set *s, const shot *k) {
    double f = FOCAL * VD_MAX(k->width, k->height);
    vd_quat world_from_cam = vd_quat_conj(k->pose.q);
    vd_vec3 eye = vd_rigid_centre(k->pose);
    for (int y = 0; y < k->height; y++)
        for (int x = 0; x < k->width; x++) {
            vd_vec3 ray = vd_v3((x + 0.5 - k->width / 2.0) / f, (y + 0.5 - k->height / 2.0) / f, 1);
            out[y * k->width + x] = (float)look(s, k, eye, vd_quat_rotate(world_from_cam, ray), f);
        }
}

/* ---- what spoils a picture ---- */

static void blur_line(float *line, float *copy, int n, ptrdiff_t step, int radius) {
    for (int i = 0; i < n; i++) copy[i] = line[i * step];
    for (int i = 0; i < n; i++) {
        float sum = 0;
        for (int d = -radius; d <= radius; d++) sum += copy[VD_CLAMP(i + d, 0, n - 1)];
        line[i * step] = sum / (float)(2 * radius + 1);
    }
}

static void blur(float *g, const shot *k) {
    float copy[4096];
    for (int pass = 0; pass < 3; pass++) {
        for (int y = 0; y < k->height; y++)
            blur_line(g + y * k->width, copy, k->width, 1, (int)k->blur);
        for (int x = 0; x < k->width; x++)
            blur_line(g + x, copy, k->height, k->width, (int)k->blur);
    }
}

/* A band of fine letters along the lower border, the same in every picture. */
static void lay_over(float *g, const shot *k) {
    for (int y = k->height - 44; y < k->height - 8; y++)
        for (int x = 20; x < k->width - 20; x++)
            g[y * k->width + x] = lattice(99, 0, x / 5, y / 5) > 0 ? 20 : 235;
}

/* ---- files ---- */

/* Upright pixels as EXIF's orientation stores them: 1, 3, 6 or 8. */
static void store(uint8_t *out, const float *g, const shot *k, vd_rng *r) {
    int w = k->width, h = k->height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double v = g[y * w + x] + (k->blur > 0 ? 0.4 : 1.5) * vd_rng_normal(r);
            int to = k->orientation == 3   ? (h - 1 - y) * w + w - 1 - x
                     : k->orientation == 6 ? (w - 1 - x) * h + y
                     : k->orientation == 8 ? x * h + h - 1 - y
                                           : y * w + x;
            out[to] = (uint8_t)VD_CLAMP(v, 0, 255);
        }
}

static vd_rigid stored_pose(const shot *k) {
    double turn = k->orientation == 3   ? 180
                  : k->orientation == 6 ? -90
                  : k->orientation == 8 ? 90
                                        : 0;
    return vd_rigid_mul((vd_rigid){ vd_quat_exp(vd_v3(0, 0, turn / DEG)), { 0, 0, 0 } }, k->pose);
}

static vd_status write_shot(const set *s, int i, const char *folder, vd_err *err) {
    vd_status st = VD_OK;
    const shot *k = &s->shots[i];
    size_t n = (size_t)k->width * (size_t)k->height;
    float *g = vd_mem_array(n, sizeof *g);
    uint8_t *bytes = vd_mem_alloc(n);
    vd_str exif = { 0 }, jpeg = { 0 };
    vd_media m;
    vd_rng r = vd_rng_for(1, 7, (uint64_t)i);
    char path[4096];
    int w = k->orientation >= 5 ? k->height : k->width,
        h = k->orientation >= 5 ? k->width : k->height;
    vd_jpeg_opt opt = VD_JPEG_OPT;
    if (g == NULL || bytes == NULL) VD_GO(vd_nomem(err));
    render(g, s, k);
    if (k->blur > 0) blur(g, k);
    if (k->overlay) lay_over(g, k);
    store(bytes, g, k, &r);
    vd_media_init(&m);
    m.orientation = k->orientation;
    /* by the diagonal: four to three is three to five */
    m.focal_mm = m.focal_35mm = round(43.27 * 0.8 * FOCAL * k->told);
    snprintf(m.make, sizeof m.make, "Test");
    snprintf(m.model, sizeof m.model, "Camera %d", VD_MAX(w, h));
    if (k->told > 0) VD_GO(vd_exif_write(&exif, &m, err));
    opt.exif = exif.data;
    opt.exif_size = (size_t)exif.size;
    const vd_frame f = { .format = VD_PIX_GREY8,
                         .width = w,
                         .height = h,
                         .orientation = 1,
                         .plane = { { bytes, w, w, h } } };
    VD_GO(vd_jpeg_write(&jpeg, &f, &opt, err));
    snprintf(path, sizeof path, "%s/images/%02d.jpg", folder, i);
    VD_GO(vd_file_write(path, jpeg.data, (size_t)jpeg.size, err));
done:
    vd_mem_free(g);
    vd_mem_free(bytes);
    vd_str_reset(&exif);
    vd_str_reset(&jpeg);
    return st;
}

static vd_status write_truth(const set *s, const char *folder, vd_err *err) {
    vd_str t = { 0 };
    char path[4096];
    vd_str_add(&t, "{\"images\": [");
    for (int i = 0; i < s->n; i++) {
        vd_rigid p = stored_pose(&s->shots[i]);
        vd_str_addf(
            &t,
            "%s\n{\"file\": \"%02d.jpg\", \"world\": %d, \"cam_from_world\": {\"qw\": %.17g,"
            " \"qx\": %.17g, \"qy\": %.17g, \"qz\": %.17g, \"tx\": %.17g, \"ty\": %.17g,"
            " \"tz\": %.17g}}",
            i > 0 ? "," : "", i, s->shots[i].world, p.q.w, p.q.x, p.q.y, p.q.z, p.t.x, p.t.y,
            p.t.z);
    }
    vd_str_add(&t, "]}\n");
    vd_status st = vd_str_check(&t, err);
    snprintf(path, sizeof path, "%s/truth.json", folder);
    if (st == VD_OK) st = vd_file_write(path, t.data, (size_t)t.size, err);
    vd_str_reset(&t);
    return st;
}

/* ---- worlds ---- */

static void add_rect(set *s, int world, vd_vec3 at, vd_vec3 u, vd_vec3 v, uint32_t paint) {
    if (s->n_rects == MOST_RECTS) exit(3);
    s->rects[s->n_rects] = (rect){ at, u, v, paint, 0.02 };
    s->world[s->n_rects++] = world;
}

/* A box by its lower middle: four walls and a lid, painted by one number after the other. */
static void add_box(set *s, int world, vd_vec3 at, double half, double high, double turn_deg,
                    uint32_t paint) {
    double c = half * cos(turn_deg / DEG), d = half * sin(turn_deg / DEG);
    vd_vec3 up = vd_v3(0, 0, high), a = vd_v3(c, d, 0), b = vd_v3(-d, c, 0);
    for (int i = 0; i < 4; i++) {
        vd_vec3 corner = vd_v3_add(at, vd_v3_sub(vd_v3_mul(a, -1), b));
        add_rect(s, world, corner, vd_v3_mul(a, 2), up, paint + (uint32_t)i);
        vd_vec3 next = vd_v3_mul(a, -1);
        a = b;
        b = next;
    }
    add_rect(s, world, vd_v3_add(vd_v3_add(at, up), vd_v3_sub(vd_v3_mul(a, -1), b)),
             vd_v3_mul(a, 2), vd_v3_mul(b, 2), paint + 4);
}

/* A floor, two walls in the corner of which boxes stand. */
static void add_room(set *s, int world, uint32_t paint) {
    add_rect(s, world, vd_v3(-4, -4, 0), vd_v3(8, 0, 0), vd_v3(0, 8, 0), paint);
    add_rect(s, world, vd_v3(-4, 4, 0), vd_v3(8, 0, 0), vd_v3(0, 0, 4), paint + 1);
    add_rect(s, world, vd_v3(-4, -4, 0), vd_v3(0, 8, 0), vd_v3(0, 0, 4), paint + 2);
    add_box(s, world, vd_v3(0, 0, 0), 0.6, 1.1, 20, paint + 10);
    add_box(s, world, vd_v3(-1.6, 1.5, 0), 0.5, 1.8, 50, paint + 20);
    add_box(s, world, vd_v3(1.7, 1.8, 0), 0.4, 0.7, 80, paint + 30);
}

static vd_rigid look_at(vd_vec3 from, vd_vec3 at) {
    vd_vec3 z = vd_v3_unit(vd_v3_sub(at, from)), x = vd_v3_unit(vd_v3_cross(vd_v3(0, 0, -1), z));
    vd_vec3 y = vd_v3_cross(z, x);
    const double m[9] = { x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z };
    vd_quat q = vd_quat_of_matrix(m);
    return (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, from), -1) };
}

static shot *add_shot(set *s, int world, vd_vec3 from, vd_vec3 at) {
    if (s->n == MOST_SHOTS) exit(3);
    shot *k = &s->shots[s->n++];
    *k = (shot){ .pose = look_at(from, at),
                 .width = SIDE,
                 .height = SHORT,
                 .orientation = 1,
                 .told = 1,
                 .world = world };
    return k;
}

/* n cameras around the room's middle, from azimuth a to b. */
static void around(set *s, int world, int n, double a, double b) {
    for (int i = 0; i < n; i++) {
        double t = (a + (b - a) * i / VD_MAX(n - 1, 1)) / DEG, far = 4.5 + 0.3 * (i % 3);
        add_shot(s, world, vd_v3(far * cos(t), far * sin(t), 1.6 + 0.2 * (i % 2)),
                 vd_v3(-0.3, 0.4, 0.7));
    }
}

/* ---- sets ---- */

static void room(set *s) {
    add_room(s, 0, 100);
    around(s, 0, 8, -75, -5);
}
static void one(set *s) {
    add_room(s, 0, 100);
    around(s, 0, 1, -40, -40);
}
/* The same view twice; the noise differs. */
static void twins(set *s) {
    one(s);
    s->shots[s->n++] = s->shots[0];
}
static void panorama(set *s) {
    add_room(s, 0, 100);
    for (int i = 0; i < 8; i++) {
        double t = (100 + 10 * i) / DEG;
        add_shot(s, 0, vd_v3(2, -2, 1.6), vd_v3(2 + cos(t), -2 + sin(t), 1.5));
    }
}
static void poster(set *s) {
    add_rect(s, 0, vd_v3(-2, 0, 0), vd_v3(4, 0, 0), vd_v3(0, 0, 3), 500);
    for (int i = 0; i < 9; i++) {
        double t = (-40 + 10 * i) / DEG;
        add_shot(s, 0, vd_v3(4 * sin(t), -4 * cos(t) + 0.3 * (i % 2), 1.5 + 0.5 * (i % 3 - 1)),
                 vd_v3(0, 0, 1.5));
    }
}
static void poster_no_exif(set *s) {
    poster(s);
    for (int i = 0; i < s->n; i++) s->shots[i].told = 0;
}
/* From two places only. */
static void poster_two(set *s) {
    poster_no_exif(s);
    s->shots[1] = s->shots[5];
    s->shots[2] = s->shots[5];
    s->n = 3;
}
/* A wall whose panels are all alike, but for the ends, and a pavement that is not. */
static void facade(set *s) {
    for (int i = 0; i < 12; i++)
        add_rect(s, 0, vd_v3(i - 6, 0, 0.8), vd_v3(1, 0, 0), vd_v3(0, 0, 2.2),
                 i == 0    ? 701
                 : i == 11 ? 702
                           : 700);
    add_rect(s, 0, vd_v3(-6, -3, 0), vd_v3(12, 0, 0), vd_v3(0, 3, 0), 710);
    add_rect(s, 0, vd_v3(-6, 0, 0), vd_v3(12, 0, 0), vd_v3(0, 0, 0.8), 711);
    for (int i = 0; i < 11; i++)
        add_shot(s, 0, vd_v3(i - 5, -4.5 + 0.4 * (i % 2), 1.7), vd_v3(0.85 * (i - 5), 0, 1.3));
}
/* The same pillar at either end of a hall, each end seen by its own cameras. */
static void doubles(set *s) {
    for (int end = 0; end < 2; end++) {
        double side = end ? 30 : -30;
        uint32_t own = 900 + 50 * (uint32_t)end;
        add_box(s, 0, vd_v3(side, 0, 0), 0.7, 2, 20, 800);
        add_rect(s, 0, vd_v3(side - 6, -6, 0), vd_v3(12, 0, 0), vd_v3(0, 9, 0), own);
        add_rect(s, 0, vd_v3(side - 6, 2.5, 0), vd_v3(12, 0, 0), vd_v3(0, 0, 5), own + 1);
        for (int i = 0; i < 7; i++) {
            double t = (-110 + 6 * i + 3 * end) / DEG;
            add_shot(s, 0, vd_v3(side + 5.5 * cos(t), 5.5 * sin(t), 1.4 + 0.2 * (i % 2)),
                     vd_v3(side, 0, 1.1));
        }
    }
}
/* The other end is seen by one camera only. */
static void doubles_one(set *s) {
    doubles(s);
    s->shots[7] = s->shots[10];
    s->n = 8;
}
static void blurred(set *s) {
    room(s);
    for (int i = 0; i < s->n; i++) s->shots[i].blur = 16;
}
/* One of them is. */
static void one_blurred(set *s) {
    room(s);
    s->shots[3].blur = 25;
}
static void mixed(set *s) {
    static const int size[4][2] = { { 640, 480 }, { 1024, 768 }, { 480, 360 }, { 800, 600 } };
    static const int orientation[4] = { 1, 6, 3, 8 };
    room(s);
    for (int i = 0; i < s->n; i++) {
        shot *k = &s->shots[i];
        k->orientation = orientation[i % 4];
        k->width = size[i / 2 % 4][0];
        k->height = size[i / 2 % 4][1];
        if (i % 4 != 1) continue; /* held upright */
        k->width = size[i / 2 % 4][1];
        k->height = size[i / 2 % 4][0];
    }
}
static void told(set *s, double focal) {
    add_room(s, 0, 100);
    around(s, 0, 10, -75, -5);
    for (int i = 0; i < s->n; i++) s->shots[i].told = focal;
}
static void no_exif(set *s) {
    told(s, 0);
}
static void exif_double(set *s) {
    told(s, 2);
}
static void exif_half(set *s) {
    told(s, 0.5);
}
static void plain(set *s) {
    add_rect(s, 0, vd_v3(-40, 5, -40), vd_v3(80, 0, 0), vd_v3(0, 0, 80), 0);
    for (int i = 0; i < 5; i++) add_shot(s, 0, vd_v3(0.4 * i, 0, 1), vd_v3(0.4 * i, 1, 1));
}
/* Nothing in common. */
static void strangers(set *s) {
    for (int i = 0; i < 6; i++) {
        add_rect(s, i, vd_v3(-4, 4, -1), vd_v3(8, 0, 0), vd_v3(0, 0, 5), 2000 + 100 * (uint32_t)i);
        add_rect(s, i, vd_v3(-4, -4, -1), vd_v3(8, 0, 0), vd_v3(0, 8, 0), 2001 + 100 * (uint32_t)i);
        add_shot(s, i, vd_v3(0, -3, 1.2 + 0.1 * i), vd_v3(0.2 * i, 4, 1));
    }
}
static void overlay(set *s) {
    strangers(s);
    for (int i = 0; i < s->n; i++) s->shots[i].overlay = true;
}
/* Two rooms, and one picture of neither. */
static void mixture(set *s) {
    add_room(s, 0, 100);
    add_room(s, 1, 300);
    add_rect(s, 2, vd_v3(-4, 4, -1), vd_v3(8, 0, 0), vd_v3(0, 0, 5), 4000);
    around(s, 0, 6, -70, -20);
    around(s, 1, 5, -60, -20);
    add_shot(s, 2, vd_v3(0, -3, 1.2), vd_v3(0, 4, 1));
}
/* A room, and one of its pictures a far-off detail that shares little with the others. */
static void detail(set *s) {
    room(s);
    shot *k = add_shot(s, 0, vd_v3(-1.7, -0.3, 1.2), vd_v3(-1.75, 1.3, 1.2));
    k->told = 0;
    k = add_shot(s, 0, vd_v3(3.6, 3.2, 2.4), vd_v3(0, 1.5, 0.2));
    k->told = 0;
    k = add_shot(s, 0, vd_v3(-3.4, 3.4, 2.6), vd_v3(0, 0.5, 0.4));
    k->told = 0;
}
/* Two pictures of one thing: a pair, and no scene. */
static void pair(set *s) {
    add_room(s, 0, 100);
    around(s, 0, 2, -50, -40);
}

static const struct {
    const char *name;
    void (*make)(set *);
} sets[] = { { "room", room },
             { "one", one },
             { "twins", twins },
             { "panorama", panorama },
             { "poster", poster },
             { "poster_no_exif", poster_no_exif },
             { "poster_two", poster_two },
             { "facade", facade },
             { "doubles", doubles },
             { "doubles_one", doubles_one },
             { "blurred", blurred },
             { "one_blurred", one_blurred },
             { "mixed", mixed },
             { "no_exif", no_exif },
             { "exif_double", exif_double },
             { "exif_half", exif_half },
             { "plain", plain },
             { "strangers", strangers },
             { "overlay", overlay },
             { "mixture", mixture },
             { "pair", pair },
             { "detail", detail } };

int main(int argc, char **argv) {
    static set s;
    vd_err err = { 0 };
    char path[4096];
    for (int i = 0; argc == 3 && i < VD_COUNT(sets); i++)
        if (strcmp(argv[1], sets[i].name) == 0) sets[i].make(&s);
    if (s.n == 0) {
        fprintf(stderr, "usage: scene_pictures SET FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/images", argv[2]);
    mkdir(argv[2], 0777);
    mkdir(path, 0777);
    vd_status st = write_truth(&s, argv[2], &err);
    for (int i = 0; st == VD_OK && i < s.n; i++) st = write_shot(&s, i, argv[2], &err);
    if (st != VD_OK) fprintf(stderr, "scene_pictures: %s\n", err.msg);
    return st == VD_OK ? 0 : 1;
}
