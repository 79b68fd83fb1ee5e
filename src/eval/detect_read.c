/* Reading COCO's truths and results. SPDX-License-Identifier: Apache-2.0
 *
 * Files are read value by value and may be larger than memory holds of their text. The parts of a
 * truth come in any order, so that ids are kept as they are and become indices at the end. */
#include <math.h>
#include <string.h>

#include "base/json_stream.h"
#include "base/mem.h"
#include "eval/detect_int.h"

/* How pycocotools takes results: by what the first one has. */
typedef enum style { BY_BOX, BY_OUTLINE, BY_KEYPOINTS } style;

/* What is known of one annotation beside its object. */
typedef struct seen {
    bool id, image, category, box, area, score, keypoints;
    int64_t n_labelled; /* num_keypoints; -1: not said */
} seen;

typedef struct reader {
    vd_json_stream *s;
    const vd_detect_rules *rules;
    vd_detect_set *set;
    bool truth;
    style style;
    bool outlines; /* are of use */
    vd_js_reals_buf reals;
    int64_t at; /* byte where the present object begins */
} reader;

static bool is(const vd_js_text *t, const char *word) {
    return strcmp(t->p, word) == 0;
}

static vd_status bad_object(const reader *r, vd_err *err, const char *what) {
    return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: %s %s", vd_js_where(r->s), (long long)r->at,
                   r->truth ? "an annotation" : "a result", what);
}

/* ---- outlines ---- */

static vd_status keep_numbers(vd_detect_set *s, const double *v, int64_t n, vd_err *err) {
    VD_TRY(VD_GROW(s->number, s->cap_numbers, s->n_numbers + n, err));
    if (n > 0) memcpy(s->number + s->n_numbers, v, (size_t)n * sizeof *v);
    s->n_numbers += n;
    return VD_OK;
}

/* A list of lists of numbers. pycocotools takes all as boxes if the first has four numbers. */
static vd_status read_polygons(reader *r, vd_detect_object *o, vd_err *err) {
    bool more = true, boxes = false;
    o->outline_at = r->set->n_numbers;
    o->n = 0;
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(r->s, &more, err));
        if (!more) break;
        r->reals.n = 0;
        VD_TRY(vd_js_reals(r->s, &r->reals, "a polygon of numbers", err));
        int64_t n = r->reals.n;
        if (o->n == 0) boxes = n == 4;
        if (n < 4 || (boxes && n != 4))
            return bad_object(r, err, "has a polygon of fewer than four numbers");
        const double count = (double)n;
        if (!boxes) VD_TRY(keep_numbers(r->set, &count, 1, err));
        VD_TRY(keep_numbers(r->set, r->reals.v, n, err));
        o->n++;
    }
    if (o->n > 0) o->outline = boxes ? VD_OUTLINE_BOXES : VD_OUTLINE_POLYGONS;
    return VD_OK;
}

static vd_status read_counts(reader *r, vd_detect_object *o, vd_err *err) {
    vd_json_type type;
    VD_TRY(vd_js_type(r->s, &type, err));
    if (type == VD_JSON_TEXT) {
        vd_js_text text;
        vd_detect_set *s = r->set;
        VD_TRY(vd_js_text_of(r->s, &text, "run lengths", err));
        VD_TRY(VD_GROW(s->text, s->cap_text, s->n_text + text.n, err));
        if (text.n > 0) memcpy(s->text + s->n_text, text.p, (size_t)text.n);
        o->outline = VD_OUTLINE_TEXT;
        o->outline_at = s->n_text;
        o->n = text.n;
        s->n_text += text.n;
        return VD_OK;
    }
    r->reals.n = 0;
    VD_TRY(vd_js_reals(r->s, &r->reals, "run lengths", err));
    o->outline = VD_OUTLINE_RUNS;
    o->outline_at = r->set->n_numbers;
    o->n = r->reals.n;
    return keep_numbers(r->set, r->reals.v, o->n, err);
}

static vd_status read_runs(reader *r, vd_detect_object *o, vd_err *err) {
    vd_js_text key;
    double size[2] = { 0, 0 };
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (is(&key, "counts")) {
            VD_TRY(read_counts(r, o, err));
        } else if (is(&key, "size")) {
            r->reals.n = 0;
            VD_TRY(vd_js_reals(r->s, &r->reals, "height and width", err));
            if (r->reals.n != 2)
                return bad_object(r, err, "has a mask whose size is not two numbers");
            memcpy(size, r->reals.v, sizeof size);
        } else {
            VD_TRY(vd_js_skip(r->s, err));
        }
    }
    for (int i = 0; i < 2; i++)
        if (!(size[i] >= 1 && size[i] <= VD_MASK_MAX_PIXELS) || size[i] != floor(size[i]))
            return bad_object(r, err, "has a mask without a size of whole numbers above 0");
    if (o->outline == VD_OUTLINE_NONE) return bad_object(r, err, "has a mask without counts");
    o->height = (int32_t)size[0];
    o->width = (int32_t)size[1];
    return VD_OK;
}

static vd_status read_outline(reader *r, vd_detect_object *o, vd_err *err) {
    vd_json_type type;
    if (!r->outlines) return vd_js_skip(r->s, err);
    o->outline = VD_OUTLINE_NONE; /* of a key that occurs twice the last one counts */
    o->n = 0;
    o->height = o->width = 0;
    VD_TRY(vd_js_type(r->s, &type, err));
    if (type == VD_JSON_ARRAY) return read_polygons(r, o, err);
    if (type == VD_JSON_OBJECT) return read_runs(r, o, err);
    return vd_js_skip(r->s, err);
}

/* ---- one annotation or result ---- */

static vd_status read_box(reader *r, vd_detect_object *o, bool *given, vd_err *err) {
    r->reals.n = 0;
    VD_TRY(vd_js_reals(r->s, &r->reals, "a box of four numbers", err));
    if (r->reals.n == 0) return VD_OK; /* as good as none */
    if (r->reals.n != 4) return bad_object(r, err, "has a box that is not four numbers");
    memcpy(o->box, r->reals.v, sizeof o->box);
    *given = true;
    return VD_OK;
}

static vd_status read_keypoints(reader *r, vd_detect_object *o, seen *has, vd_err *err) {
    bool want = r->rules->type == VD_DETECT_KEYPOINTS || r->style == BY_KEYPOINTS;
    if (!want) return vd_js_skip(r->s, err);
    r->reals.n = 0;
    VD_TRY(vd_js_reals(r->s, &r->reals, "keypoints", err));
    int n = r->rules->n_keypoints;
    if (r->reals.n != 3 * n)
        return vd_fail(err, VD_E_FORMAT,
                       "%s: byte %lld: %lld keypoint numbers, expected are 3 each of %d keypoints",
                       vd_js_where(r->s), (long long)r->at, (long long)r->reals.n, n);
    o->keypoints_at = r->set->n_numbers;
    has->keypoints = true;
    return keep_numbers(r->set, r->reals.v, r->reals.n, err);
}

static vd_status read_number(reader *r, double *out, bool *given, const char *what, vd_err *err) {
    *given = true;
    return vd_js_number(r->s, out, what, err);
}

static vd_status read_id(reader *r, int64_t *out, bool *given, const char *what, vd_err *err) {
    *given = true;
    return vd_js_int(r->s, out, what, err);
}

static vd_status read_flag(reader *r, vd_detect_object *o, uint8_t flag, vd_err *err) {
    bool on = false;
    VD_TRY(vd_js_flag(r->s, &on, "a flag", err));
    o->flags = (uint8_t)(on ? o->flags | flag : o->flags & ~flag);
    return VD_OK;
}

static vd_status read_member(reader *r, const vd_js_text *key, vd_detect_object *o, seen *has,
                             vd_err *err) {
    bool voc = r->rules->metric >= VD_DETECT_VOC, lvis = r->rules->metric == VD_DETECT_LVIS;
    if (is(key, "image_id")) return read_id(r, &o->image, &has->image, "an image's id", err);
    if (is(key, "category_id"))
        return read_id(r, &o->category, &has->category, "a category's id", err);
    if (is(key, "bbox")) return read_box(r, o, &has->box, err);
    if (is(key, "segmentation")) return read_outline(r, o, err);
    if (is(key, "keypoints")) return read_keypoints(r, o, has, err);
    if (!r->truth) {
        if (is(key, "score")) return read_number(r, &o->score, &has->score, "a score", err);
        return vd_js_skip(r->s, err);
    }
    if (is(key, "id")) return read_id(r, &o->id, &has->id, "an annotation's id", err);
    if (is(key, "area")) return read_number(r, &o->area, &has->area, "an area", err);
    if (is(key, "iscrowd") && !lvis) return read_flag(r, o, VD_DETECT_CROWD, err);
    if (is(key, "ignore") && (lvis || voc)) return read_flag(r, o, VD_DETECT_IGNORED, err);
    if (is(key, "difficult") && voc) return read_flag(r, o, VD_DETECT_IGNORED, err);
    if (is(key, "num_keypoints")) return vd_js_int(r->s, &has->n_labelled, "a count", err);
    return vd_js_skip(r->s, err);
}

/* The box around the keypoints, as pycocotools makes it: those of no visibility count too. */
static void box_of_keypoints(vd_detect_object *o, const double *k, int n) {
    double x0 = k[0], x1 = k[0], y0 = k[1], y1 = k[1];
    for (int i = 1; i < n; i++) {
        x0 = fmin(x0, k[3 * i]);
        x1 = fmax(x1, k[3 * i]);
        y0 = fmin(y0, k[3 * i + 1]);
        y1 = fmax(y1, k[3 * i + 1]);
    }
    const double box[4] = { x0, y0, x1 - x0, y1 - y0 };
    memcpy(o->box, box, sizeof box);
    o->area = (x1 - x0) * (y1 - y0);
}

static vd_status measure_outline(reader *r, vd_detect_object *o, bool box, vd_err *err) {
    vd_mask m = { 0 };
    VD_TRY(vd_detect__mask(&m, r->set, o, vd_js_where(r->s), err));
    o->area = (double)vd_mask_area(&m);
    if (box) vd_mask_box(&m, o->box);
    vd_mask_reset(&m);
    return VD_OK;
}

/* What a truth's annotation must have, and what follows from the rest. */
static vd_status finish_annotation(reader *r, vd_detect_object *o, const seen *has, vd_err *err) {
    const vd_detect_rules *rules = r->rules;
    bool keypoints = rules->type == VD_DETECT_KEYPOINTS;
    if (!has->id) return bad_object(r, err, "without \"id\"");
    if (!has->box && rules->type != VD_DETECT_SEGM) return bad_object(r, err, "without \"bbox\"");
    if (o->id == 0) o->flags |= VD_DETECT_ID_ZERO;
    if (o->flags & VD_DETECT_CROWD) o->flags |= VD_DETECT_IGNORED;
    if (!has->area) o->area = NAN; /* once outlines can be filled */
    if (!keypoints) return VD_OK;
    if (!has->keypoints) return bad_object(r, err, "without \"keypoints\"");
    int64_t labelled = has->n_labelled;
    if (labelled < 0) {
        labelled = 0;
        for (int i = 0; i < rules->n_keypoints; i++)
            labelled += r->set->number[o->keypoints_at + 3 * i + 2] > 0;
    }
    if (labelled == 0) o->flags |= VD_DETECT_IGNORED;
    return VD_OK;
}

static vd_status finish_result(reader *r, vd_detect_object *o, const seen *has, vd_err *err) {
    if (!has->score) return bad_object(r, err, "without \"score\"");
    o->id = r->set->n + 1;
    if (r->rules->type == VD_DETECT_KEYPOINTS && !has->keypoints)
        return bad_object(r, err, "without \"keypoints\"");
    if (r->style == BY_BOX && !has->box) return bad_object(r, err, "without \"bbox\"");
    if (r->style == BY_BOX && o->outline == VD_OUTLINE_NONE) o->outline = VD_OUTLINE_BOX;
    if (r->style == BY_BOX) o->area = o->box[2] * o->box[3];
    if (r->style == BY_KEYPOINTS && !has->keypoints)
        return bad_object(r, err, "without \"keypoints\"");
    if (r->style == BY_KEYPOINTS)
        box_of_keypoints(o, r->set->number + o->keypoints_at, r->rules->n_keypoints);
    if (r->style != BY_OUTLINE) return VD_OK;
    if (o->outline != VD_OUTLINE_TEXT && o->outline != VD_OUTLINE_RUNS)
        return bad_object(r, err,
                          "without a mask of run lengths in \"segmentation\", or a \"bbox\"");
    return measure_outline(r, o, !has->box, err);
}

static vd_status read_object(reader *r, vd_err *err) {
    vd_detect_object o = { .keypoints_at = -1 };
    seen has = { .n_labelled = -1 };
    vd_js_text key;
    r->at = vd_js_at(r->s);
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        VD_TRY(read_member(r, &key, &o, &has, err));
    }
    if (!has.image) return bad_object(r, err, "without \"image_id\"");
    if (!has.category) return bad_object(r, err, "without \"category_id\"");
    VD_TRY(r->truth ? finish_annotation(r, &o, &has, err) : finish_result(r, &o, &has, err));
    VD_TRY(VD_GROW(r->set->object, r->set->cap, r->set->n + 1, err));
    r->set->object[r->set->n++] = o;
    return VD_OK;
}

static vd_status read_objects(reader *r, vd_err *err) {
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_item(r->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(read_object(r, err));
    }
}

/* ---- images and categories ---- */

static vd_status read_ids(reader *r, vd_detect_truth *t, int64_t *at, vd_err *err) {
    r->reals.n = 0;
    VD_TRY(vd_js_reals(r->s, &r->reals, "categories' ids", err));
    VD_TRY(VD_GROW(t->list, t->cap_list, t->n_list + r->reals.n + 1, err));
    *at = t->n_list;
    t->list[t->n_list++] = r->reals.n;
    for (int64_t i = 0; i < r->reals.n; i++) {
        if (!(fabs(r->reals.v[i]) < 9e15))
            return vd_js_bad(r->s, err, "%g is no category's id", r->reals.v[i]);
        t->list[t->n_list++] = (int64_t)r->reals.v[i];
    }
    return VD_OK;
}

static vd_status read_side(reader *r, int32_t *out, vd_err *err) {
    int64_t v = 0;
    VD_TRY(vd_js_int(r->s, &v, "a number of pixels", err));
    if (v < 0 || v > INT32_MAX)
        return vd_js_bad(r->s, err, "an image of %lld pixels to a side", (long long)v);
    *out = (int32_t)v;
    return VD_OK;
}

/* The last name counts; one that is no text is none. */
static vd_status read_name(reader *r, vd_detect_truth *t, vd_detect_image *image, vd_err *err) {
    vd_json_type type;
    vd_js_text text;
    VD_TRY(vd_js_type(r->s, &type, err));
    if (type != VD_JSON_TEXT) return vd_js_skip(r->s, err);
    VD_TRY(vd_js_text_of(r->s, &text, "a file's name", err));
    return vd_detect_name_image(t, image, text.p, err);
}

static vd_status read_image(reader *r, vd_detect_truth *t, vd_err *err) {
    vd_detect_image image = { .absent_at = -1, .unlisted_at = -1, .name_at = -1 };
    vd_js_text key;
    bool has_id = false, lvis = r->rules->metric == VD_DETECT_LVIS;
    r->at = vd_js_at(r->s);
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (is(&key, "id"))
            VD_TRY(read_id(r, &image.id, &has_id, "an image's id", err));
        else if (is(&key, "height"))
            VD_TRY(read_side(r, &image.height, err));
        else if (is(&key, "width"))
            VD_TRY(read_side(r, &image.width, err));
        else if (is(&key, "file_name"))
            VD_TRY(read_name(r, t, &image, err));
        else if (lvis && is(&key, "neg_category_ids"))
            VD_TRY(read_ids(r, t, &image.absent_at, err));
        else if (lvis && is(&key, "not_exhaustive_category_ids"))
            VD_TRY(read_ids(r, t, &image.unlisted_at, err));
        else
            VD_TRY(vd_js_skip(r->s, err));
    }
    if (!has_id)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: an image without \"id\"",
                       vd_js_where(r->s), (long long)r->at);
    VD_TRY(VD_GROW(t->image, t->cap_images, t->n_images + 1, err));
    t->image[t->n_images++] = image;
    return VD_OK;
}

static vd_status read_category(reader *r, vd_detect_truth *t, vd_err *err) {
    vd_js_text key, text;
    bool has_id = false;
    r->at = vd_js_at(r->s);
    VD_TRY(VD_GROW(t->category, t->cap_categories, t->n_categories + 1, err));
    vd_detect_category *c = &t->category[t->n_categories++];
    *c = (vd_detect_category){ 0 };
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (is(&key, "id")) {
            VD_TRY(read_id(r, &c->id, &has_id, "a category's id", err));
        } else if (is(&key, "name") && c->name == NULL) {
            VD_TRY(vd_js_text_of(r->s, &text, "a category's name", err));
            if ((c->name = vd_mem_strdup(text.p)) == NULL) return vd_nomem(err);
        } else if (is(&key, "frequency")) {
            VD_TRY(vd_js_text_of(r->s, &text, "r, c or f", err));
            if (text.n == 1 && strchr("rcf", text.p[0]) != NULL) c->frequency = text.p[0];
        } else {
            VD_TRY(vd_js_skip(r->s, err));
        }
    }
    if (!has_id)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: a category without \"id\"",
                       vd_js_where(r->s), (long long)r->at);
    if (c->name == NULL && (c->name = vd_mem_strdup("")) == NULL) return vd_nomem(err);
    return VD_OK;
}

static vd_status read_list(reader *r, vd_detect_truth *t,
                           vd_status (*one)(reader *, vd_detect_truth *, vd_err *), vd_err *err) {
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_item(r->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(one(r, t, err));
    }
}

/* ---- files ---- */

static vd_status open_stream(vd_json_stream **out, const char *path, const void *bytes, size_t size,
                             vd_err *err) {
    return bytes != NULL ? vd_js_open_bytes(out, path, bytes, size, err)
                         : vd_js_open(out, path, err);
}

static vd_status read_truth_members(reader *r, vd_detect_truth *t, vd_err *err) {
    vd_js_text key;
    bool images = false, annotations = false, categories = false;
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (is(&key, "images") && !images) {
            images = true;
            VD_TRY(read_list(r, t, read_image, err));
        } else if (is(&key, "categories") && !categories) {
            categories = true;
            VD_TRY(read_list(r, t, read_category, err));
        } else if (is(&key, "annotations") && !annotations) {
            annotations = true;
            VD_TRY(read_objects(r, err));
        } else {
            VD_TRY(vd_js_skip(r->s, err));
        }
    }
    VD_TRY(vd_js_end(r->s, err));
    if (!images || !annotations || !categories)
        return vd_fail(err, VD_E_FORMAT, "%s: no \"%s\"", vd_js_where(r->s),
                       !images        ? "images"
                       : !annotations ? "annotations"
                                      : "categories");
    return VD_OK;
}

vd_status vd_detect_read_truth(vd_detect_truth *out, const char *path, const void *bytes,
                               size_t size, const vd_detect_rules *rules, vd_err *err) {
    vd_status st = VD_OK;
    vd_detect_truth t = { 0 };
    reader r = { .rules = rules, .set = &t.objects, .truth = true };
    r.outlines = rules->type == VD_DETECT_SEGM;
    VD_GO(open_stream(&r.s, path, bytes, size, err));
    VD_GO(read_truth_members(&r, &t, err));
    VD_GO(vd_detect_finish_truth(&t, rules, path, err));
    *out = t;
    t = (vd_detect_truth){ 0 };
done:
    vd_mem_free(r.reals.v);
    vd_js_free(r.s);
    vd_detect_truth_reset(&t);
    return st;
}

/* Looks at the first result, and goes back before it. */
static vd_status find_style(reader *r, vd_err *err) {
    vd_js_mark mark = vd_js_mark_of(r->s);
    vd_js_text key;
    bool box = false, outline = false, keypoints = false, more = true;
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    VD_TRY(vd_js_item(r->s, &more, err));
    if (!more) return vd_js_back(r->s, mark, err);
    r->at = vd_js_at(r->s);
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (is(&key, "bbox")) {
            vd_detect_object o;
            VD_TRY(read_box(r, &o, &box, err));
            continue;
        }
        outline = outline || is(&key, "segmentation");
        keypoints = keypoints || is(&key, "keypoints");
        VD_TRY(vd_js_skip(r->s, err));
    }
    if (!box && !outline && !keypoints)
        return bad_object(r, err, "without \"bbox\", \"segmentation\" and \"keypoints\"");
    r->style = box ? BY_BOX : outline ? BY_OUTLINE : BY_KEYPOINTS;
    r->outlines = r->rules->type == VD_DETECT_SEGM || r->style == BY_OUTLINE;
    return vd_js_back(r->s, mark, err);
}

vd_status vd_detect_read_predictions(vd_detect_set *out, const char *path, const void *bytes,
                                     size_t size, const vd_detect_truth *truth,
                                     const vd_detect_rules *rules, vd_err *err) {
    vd_status st = VD_OK;
    vd_detect_set s = { 0 };
    reader r = { .rules = rules, .set = &s };
    vd_json_type type;
    VD_GO(open_stream(&r.s, path, bytes, size, err));
    VD_GO(vd_js_type(r.s, &type, err));
    if (type != VD_JSON_ARRAY)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: results are an array of objects", path));
    VD_GO(find_style(&r, err));
    VD_GO(read_objects(&r, err));
    VD_GO(vd_js_end(r.s, err));
    VD_GO(vd_detect_finish_predictions(&s, truth, rules, path, err));
    *out = s;
    s = (vd_detect_set){ 0 };
done:
    vd_mem_free(r.reals.v);
    vd_js_free(r.s);
    vd_detect_set_reset(&s);
    return st;
}
