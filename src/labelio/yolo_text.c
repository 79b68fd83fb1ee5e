/* Parsing YOLO's files; see yolo.h. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/words.h"
#include "labelio/yolo.h"

enum { MAX_CLASS = 1 << 20, MAX_CLASS_NAMES = 1 << 16 };
#define CORNER_TOLERANCE_PX 1e-3 /* of a rectangle: corners are written with few places */

void vd_yolo_names_reset(vd_yolo_names *n) {
    vd_names_reset(&n->names);
    vd_mem_free(n->path);
    *n = (vd_yolo_names){ 0 };
}

/* ---- data.yaml ---- */

typedef struct yaml {
    vd_yolo_names *out;
    vd_words w;
    char key[64]; /* whose value goes on in the lines below */
} yaml;

/* A scalar without its quotes, and where it ends: at a comma or bracket inside of a list, at a
 * comment or the end of the line. */
static const char *scalar(const char *p, const char *end, bool in_list, const char **begin,
                          size_t *n) {
    while (p < end && (*p == ' ' || *p == '\t')) p++;
    if (p < end && (*p == '"' || *p == '\'')) {
        char quote = *p++;
        *begin = p;
        while (p < end && *p != quote) p++;
        *n = (size_t)(p - *begin);
        return p < end ? p + 1 : p;
    }
    *begin = p;
    while (p < end && *p != '\r' && !(in_list && (*p == ',' || *p == ']')) &&
           !(*p == '#' && (p == *begin || p[-1] == ' ')))
        p++;
    *n = (size_t)(p - *begin);
    while (*n > 0 && ((*begin)[*n - 1] == ' ' || (*begin)[*n - 1] == '\t')) --*n;
    return p;
}

static vd_status set_name(yaml *y, int64_t at, const char *name, size_t n, vd_err *err) {
    vd_names *names = &y->out->names;
    if (at < 0 || at >= MAX_CLASS_NAMES)
        return vd_fail(err, VD_E_LIMIT, "%s:%lld: class %lld, the limit is %d", y->w.name,
                       (long long)y->w.line, (long long)at, MAX_CLASS_NAMES);
    while (names->n <= at) { /* numbers that are left out have no name */
        VD_TRY(vd_names_add(names, "", 0, err));
    }
    char *copy = vd_mem_strndup(name, n);
    if (copy == NULL) return vd_nomem(err);
    vd_mem_free(names->name[at]);
    names->name[at] = copy;
    return VD_OK;
}

static int64_t number_of(const char *p, size_t n) {
    int64_t v = 0;
    if (n == 0 || n > 9) return -1;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

/* "[a, 'b', c]" on one line. */
static vd_status inline_list(yaml *y, const char *p, vd_err *err) {
    bool names = strcmp(y->key, "names") == 0, shape = strcmp(y->key, "kpt_shape") == 0;
    const char *begin;
    size_t n;
    int64_t i = 0;
    for (p++; p < y->w.eol && *p != ']'; i++) {
        p = scalar(p, y->w.eol, true, &begin, &n);
        if (n > 0 && names) VD_TRY(set_name(y, i, begin, n, err));
        if (shape && i == 0) y->out->n_keypoints = number_of(begin, n);
        if (shape && i == 1) y->out->dims = number_of(begin, n);
        while (p < y->w.eol && *p != ',' && *p != ']') p++; /* past what stands after a quote */
        p += p < y->w.eol && *p == ',';
    }
    if (p >= y->w.eol && names)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: a list of names without its ']'", y->w.name,
                       (long long)y->w.line);
    return VD_OK;
}

/* A line of the block below a key: "- name", "3: name". */
static vd_status block_line(yaml *y, const char *p, vd_err *err) {
    const char *begin, *eol = y->w.eol, *colon;
    size_t n;
    if (strcmp(y->key, "names") != 0) return VD_OK;
    if (*p == '-') {
        scalar(p + 1, eol, false, &begin, &n);
        return set_name(y, y->out->names.n, begin, n, err);
    }
    colon = memchr(p, ':', (size_t)(eol - p));
    const char *key_end = colon;
    if (colon == NULL) return VD_OK;
    while (key_end > p && key_end[-1] == ' ') key_end--;
    if (key_end - p >= 2 && (*p == '"' || *p == '\'')) {
        p++;
        key_end--;
    }
    int64_t at = number_of(p, (size_t)(key_end - p));
    if (at < 0)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: '%.*s' is no number of a class", y->w.name,
                       (long long)y->w.line, (int)VD_MIN(key_end - p, 40), p);
    scalar(colon + 1, eol, false, &begin, &n);
    return set_name(y, at, begin, n, err);
}

static vd_status key_line(yaml *y, const char *p, vd_err *err) {
    const char *colon = memchr(p, ':', (size_t)(y->w.eol - p)), *begin;
    size_t n;
    y->key[0] = '\0';
    if (colon == NULL || colon - p >= (int)sizeof y->key) return VD_OK;
    memcpy(y->key, p, (size_t)(colon - p));
    y->key[colon - p] = '\0';
    for (p = colon + 1; p < y->w.eol && *p == ' ';) p++;
    if (p < y->w.eol && *p == '[') return inline_list(y, p, err);
    scalar(p, y->w.eol, false, &begin, &n);
    if (strcmp(y->key, "path") != 0 || n == 0) return VD_OK;
    vd_mem_free(y->out->path);
    y->out->path = vd_mem_strndup(begin, n);
    return y->out->path != NULL ? VD_OK : vd_nomem(err);
}

vd_status vd_yolo_parse_yaml(vd_yolo_names *out, const char *where, const char *text, size_t size,
                             vd_err *err) {
    yaml y = { .out = out, .w = vd_words_of(where, text, size) };
    while (vd_words_line(&y.w)) {
        const char *p = y.w.p;
        while (p < y.w.eol && *p == ' ') p++;
        if (p == y.w.eol || *p == '#' || *p == '\r') continue;
        if (p > y.w.p || *p == '-')
            VD_TRY(block_line(&y, p, err));
        else
            VD_TRY(key_line(&y, p, err));
    }
    bool shape = out->n_keypoints >= 0 && out->n_keypoints <= 10000 &&
                 (out->dims == 0 || out->dims == 2 || out->dims == 3);
    return shape ? VD_OK
                 : vd_fail(err, VD_E_FORMAT, "%s: kpt_shape is not [number, 2 or 3]", where);
}

/* ---- lines ---- */

typedef struct line {
    double *v;
    int64_t n, cap;
    double *xy;
    int64_t cap_xy;
} line;

static vd_status take_numbers(line *l, vd_words *w, vd_err *err) {
    l->n = 0;
    while (vd_words_more(w)) {
        VD_TRY(VD_GROW(l->v, l->cap, l->n + 1, err));
        VD_TRY(vd_words_real(w, &l->v[l->n++], "a coordinate", err));
    }
    return VD_OK;
}

static void box_of(vd_label_object *o, const double *v, double width, double height) {
    o->has |= VD_OBJ_BOX;
    o->box[0] = (v[0] - 0.5 * v[2]) * width;
    o->box[1] = (v[1] - 0.5 * v[3]) * height;
    o->box[2] = v[2] * width;
    o->box[3] = v[3] * height;
}

static vd_status points_of(line *l, vd_label_object *o, const vd_yolo_names *names, double width,
                           double height, vd_err *err) {
    VD_TRY(VD_GROW(l->xy, l->cap_xy, 3 * names->n_keypoints, err));
    for (int64_t i = 0; i < names->n_keypoints; i++) {
        const double *p = l->v + 4 + i * names->dims;
        l->xy[3 * i] = p[0] * width;
        l->xy[3 * i + 1] = p[1] * height;
        l->xy[3 * i + 2] = names->dims == 3 ? p[2] : p[0] == 0 && p[1] == 0 ? 0 : 2;
    }
    o->has |= VD_OBJ_KEYPOINTS;
    o->keypoints = l->xy;
    o->n_keypoints = (int32_t)names->n_keypoints;
    return VD_OK;
}

static vd_status polygon_of(line *l, vd_label_object *o, int32_t *ring, double width, double height,
                            vd_err *err) {
    VD_TRY(VD_GROW(l->xy, l->cap_xy, l->n, err));
    for (int64_t i = 0; i + 1 < l->n; i += 2) {
        l->xy[i] = l->v[i] * width;
        l->xy[i + 1] = l->v[i + 1] * height;
    }
    *ring = (int32_t)(l->n / 2);
    o->has |= VD_OBJ_POLYGON;
    o->xy = l->xy;
    o->ring = ring;
    o->n_rings = 1;
    return VD_OK;
}

/* What a line is, is told by how many numbers it has: 4 a box, 5 a box with its score, those of
 * kpt_shape a pose, others a polygon; four corners are a rotated box only where that is asked for.
 */
static vd_status shape_of(line *l, vd_label_object *o, int32_t *ring, const vd_yolo_names *names,
                          vd_yolo_task task, double width, double height, const vd_words *w,
                          vd_err *err) {
    int64_t pose =
        names->n_keypoints > 0 && names->dims > 0 ? 4 + names->n_keypoints * names->dims : -1;
    if (pose > 0 && (l->n == pose || l->n == pose + 1)) {
        box_of(o, l->v, width, height);
        if (l->n == pose + 1) o->score = l->v[pose];
        o->has |= l->n == pose + 1 ? VD_OBJ_SCORE : 0;
        return points_of(l, o, names, width, height, err);
    }
    if (l->n == 4 || l->n == 5) {
        box_of(o, l->v, width, height);
        if (l->n == 5) o->score = l->v[4];
        o->has |= l->n == 5 ? VD_OBJ_SCORE : 0;
        return VD_OK;
    }
    bool scored = l->n % 2 == 1 && l->n >= 7;
    if (scored) {
        o->has |= VD_OBJ_SCORE;
        o->score = l->v[--l->n];
    }
    if (l->n < 6)
        return vd_fail(err, VD_E_FORMAT,
                       "%s:%lld: %lld numbers after the class; a box has 4, a polygon 6 or more",
                       w->name, (long long)w->line, (long long)l->n);
    VD_TRY(polygon_of(l, o, ring, width, height, err));
    bool turned =
        task == VD_YOLO_OBB && l->n == 8 && vd_label_rotated_of(o, l->xy, 1e-3 * (width + height));
    if (turned) o->has &= ~(uint32_t)VD_OBJ_POLYGON;
    return VD_OK;
}

static vd_status class_of(vd_label_in *in, int64_t class, const vd_yolo_names *names,
                          int32_t *index, vd_err *err) {
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)class);
    bool named = class < names->names.n && names->names.name[class][0] != '\0';
    const char *name = named ? names->names.name[class] : number;
    const vd_label_category c = { .id = class, .name = name };
    return vd_label_in_category(in, &c, index, err);
}

vd_status vd_yolo_parse_lines(vd_label_in *in, const char *where, const char *text, size_t size,
                              const vd_yolo_names *names, vd_yolo_task task, int32_t image,
                              int32_t width, int32_t height, vd_err *err) {
    vd_words w = vd_words_of(where, text, size);
    vd_status st = VD_OK;
    line l = { 0 };
    char at[512];
    while (st == VD_OK && vd_words_line_with_words(&w)) {
        vd_label_object o = { .image = image };
        int64_t class = 0;
        int32_t ring = 0;
        VD_GO(vd_words_int(&w, &class, 0, MAX_CLASS, "the number of a class", err));
        VD_GO(take_numbers(&l, &w, err));
        VD_GO(class_of(in, class, names, &o.category, err));
        if (width <= 0) {
            VD_GO(vd_label_lose(in->report, err, "objects of pictures whose size is not known",
                                "%s:%lld", where, (long long)w.line));
            continue;
        }
        VD_GO(shape_of(&l, &o, &ring, names, task, width, height, &w, err));
        snprintf(at, sizeof at, "%s:%lld", where, (long long)w.line);
        st = vd_label_in_object(in, at, &o, err);
    }
done:
    vd_mem_free(l.v);
    vd_mem_free(l.xy);
    return st;
}

/* ---- corners in pixels ---- */

static vd_status corner_line(vd_label_in *in, vd_build *b, vd_words *w, const char *at,
                             vd_err *err) {
    double xy[8];
    const char *class = NULL;
    size_t n = 0;
    int64_t difficult = 0;
    char name[256];
    for (int i = 0; i < VD_COUNT(xy); i++) VD_TRY(vd_words_real(w, &xy[i], "a corner", err));
    VD_TRY(vd_words_word(w, &class, &n, "a class", err));
    snprintf(name, sizeof name, "%.*s", (int)VD_MIN(n, sizeof name - 1), class);
    VD_TRY(vd_label_in_class(in, name, &b->o.category, err));
    if (vd_words_more(w)) {
        VD_TRY(vd_words_int(w, &difficult, 0, 1, "the difficulty", err));
        vd_attr_raw(&b->attributes, "difficult", difficult ? "true" : "false");
    }
    VD_TRY(vd_words_end(w, err));
    if (!vd_label_rotated_of(&b->o, xy, CORNER_TOLERANCE_PX)) {
        for (int i = 0; i < 4; i++) VD_TRY(vd_build_vertex(b, xy[2 * i], xy[2 * i + 1], err));
        VD_TRY(vd_build_ring(b, VD_OBJ_POLYGON, err));
    }
    return vd_build_push(b, in, at, err);
}

vd_status vd_yolo_parse_corners(vd_label_in *in, const char *where, const char *text, size_t size,
                                int32_t image, vd_err *err) {
    vd_words w = vd_words_of(where, text, size);
    vd_build b = { 0 };
    vd_status st = VD_OK;
    char at[512];
    while (st == VD_OK && vd_words_line_with_words(&w)) {
        if (w.eol - w.p >= 4 && (memcmp(w.p, "imag", 4) == 0 || memcmp(w.p, "gsd:", 4) == 0))
            continue;
        snprintf(at, sizeof at, "%s:%lld", where, (long long)w.line);
        vd_build_clear(&b, image);
        st = corner_line(in, &b, &w, at, err);
    }
    vd_build_reset(&b);
    return st;
}
