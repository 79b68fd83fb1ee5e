/* Label Studio's JSON: a list of tasks with annotations and predictions, numbers in percent.
 * https://labelstud.io/guide/export. SPDX-License-Identifier: Apache-2.0
 *
 * One task at a time becomes a tree, however long the list is. A turned rectangle turns about its
 * upper left corner. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/simple.h"
#include "labelkit/tree.h"

static const double PI = 3.14159265358979323846;
enum { N_PICTURE_KEYS = 3 };

typedef struct reader {
    vd_label_in *in;
    const char *where;
    vd_build b;
    vd_str name;
} reader;

static double percent(const vd_json *value, const char *key, int32_t side) {
    return vd_json_number(value, key, 0) * side / 100;
}

static vd_status rectangle(reader *r, const vd_json *value, const vd_label_image *m) {
    double x = percent(value, "x", m->width), y = percent(value, "y", m->height);
    double w = percent(value, "width", m->width), h = percent(value, "height", m->height);
    double angle = vd_json_number(value, "rotation", 0) * PI / 180;
    if (angle == 0) {
        vd_build_box(&r->b, x, y, w, h);
        return VD_OK;
    }
    const double c = cos(angle), s = sin(angle);
    const double box[4] = { x + 0.5 * (c * w - s * h), y + 0.5 * (s * w + c * h), w, h };
    memcpy(r->b.o.box, box, sizeof box);
    r->b.o.angle = angle;
    r->b.o.has |= VD_OBJ_ROTATED;
    return VD_OK;
}

/* The label of a value: the first of "rectanglelabels" and its like. */
static vd_status class_of(reader *r, const char *type, const vd_json *value, vd_err *err) {
    const vd_json *labels = vd_json_get(value, type);
    if (labels == NULL || labels->type != VD_JSON_ARRAY || labels->first == NULL ||
        labels->first->type != VD_JSON_TEXT || labels->first->text[0] == '\0')
        return VD_OK;
    if (labels->n > 1)
        VD_TRY(vd_label_lose(r->in->report, err, "further classes of one object", "%s: byte %lld",
                             r->where, (long long)labels->at));
    return vd_label_in_class(r->in, labels->first->text, &r->b.o.category, err);
}

static vd_status shape_of(reader *r, const char *type, const vd_json *value,
                          const vd_label_image *m, bool *known, vd_err *err) {
    *known = true;
    if (strcmp(type, "rectanglelabels") == 0 || strcmp(type, "rectangle") == 0)
        return rectangle(r, value, m);
    if (strcmp(type, "polygonlabels") == 0 || strcmp(type, "polygon") == 0) {
        VD_TRY(vd_tree_vertices(&r->b, vd_json_get(value, "points"), m->width / 100.0,
                                m->height / 100.0, r->where, err));
        return vd_build_ring(&r->b, VD_OBJ_POLYGON, err);
    }
    if (strcmp(type, "keypointlabels") == 0 || strcmp(type, "keypoint") == 0)
        return vd_build_keypoint(&r->b, percent(value, "x", m->width),
                                 percent(value, "y", m->height), 2, err);
    if (strcmp(type, "choices") == 0) return VD_OK;
    if (strcmp(type, "textarea") == 0) {
        const vd_json *text = vd_json_get(value, "text");
        const vd_json *first = text != NULL && text->type == VD_JSON_ARRAY ? text->first : text;
        r->b.o.has |= VD_OBJ_CAPTION;
        vd_str_add(&r->b.caption, first != NULL && first->type == VD_JSON_TEXT ? first->text : "");
        return VD_OK;
    }
    *known = false;
    return vd_label_lose(r->in->report, err, "results of other kinds", "%s: %.60s", r->where, type);
}

static vd_status read_result(reader *r, const vd_json *v, const vd_label_image *m, int32_t image,
                             const vd_json *scored, vd_err *err) {
    const char *type = vd_json_text(v, "type");
    const vd_json *value = vd_json_get(v, "value"), *score = vd_json_get(v, "score");
    char at[512];
    bool known = false;
    if (type == NULL || value == NULL) return VD_OK; /* relations and the like */
    vd_build_clear(&r->b, image);
    snprintf(at, sizeof at, "%s: result %.60s", r->where,
             vd_json_text(v, "id") != NULL ? vd_json_text(v, "id") : "");
    if (m->width <= 0 && strcmp(type, "choices") != 0 && strcmp(type, "textarea") != 0)
        return vd_fail(err, VD_E_FORMAT, "%s: no original_width and original_height", at);
    VD_TRY(shape_of(r, type, value, m, &known, err));
    if (!known) return VD_OK;
    VD_TRY(class_of(r, type, value, err));
    if (score == NULL) score = scored;
    if (score != NULL && score->type == VD_JSON_NUMBER) {
        r->b.o.has |= VD_OBJ_SCORE;
        r->b.o.score = score->number;
    }
    return vd_build_push(&r->b, r->in, at, err);
}

/* Where the picture is: the member of "data" that is an address or a path. */
static const char *picture_of(reader *r, const vd_json *task) {
    static const char *const keys[N_PICTURE_KEYS] = { "image", "img", "url" };
    const vd_json *data = vd_json_get(task, "data");
    const char *name = NULL;
    for (int i = 0; i < N_PICTURE_KEYS && name == NULL; i++) name = vd_json_text(data, keys[i]);
    for (const vd_json *v = data != NULL ? data->first : NULL; v != NULL && name == NULL;
         v = v->next)
        if (v->type == VD_JSON_TEXT && vd_is_picture_name(v->text)) name = v->text;
    if (name == NULL) return NULL;
    const char *file = strstr(name, "?d="); /* /data/local-files/?d=folder/name */
    const char *scheme = strstr(name, "://");
    vd_str_clear(&r->name);
    vd_str_add(&r->name, file != NULL ? file + 3 : scheme != NULL ? scheme + 3 : name);
    return r->name.size > 0 ? r->name.data : NULL;
}

static void size_of(const vd_json *results, vd_label_image *m) {
    for (const vd_json *v = results != NULL ? results->first : NULL; v != NULL; v = v->next) {
        double w = vd_json_number(v, "original_width", 0),
               h = vd_json_number(v, "original_height", 0);
        if (w < 1 || h < 1 || w > VD_LABEL_MAX_SIDE || h > VD_LABEL_MAX_SIDE) continue;
        m->width = (int32_t)w;
        m->height = (int32_t)h;
        return;
    }
}

static vd_status read_task(reader *r, const vd_json *task, vd_err *err) {
    static const char *const lists[] = { "annotations", "completions", "predictions" };
    vd_label_image m = { .frame = VD_LABEL_NONE };
    int32_t image = 0;
    m.name = picture_of(r, task);
    VD_TRY(vd_str_check(&r->name, err));
    if (m.name == NULL || task->type != VD_JSON_OBJECT)
        return vd_fail(err, VD_E_FORMAT, "%s: a task without the address of a picture in \"data\"",
                       r->where);
    VD_TRY(vd_tree_int(task, "id", 0, &m.id, r->where, err));
    for (int i = 0; i < VD_COUNT(lists); i++) {
        const vd_json *list = vd_json_get(task, lists[i]);
        for (const vd_json *a = list != NULL ? list->first : NULL; a != NULL && m.width == 0;
             a = a->next)
            size_of(vd_json_get(a, "result"), &m);
    }
    VD_TRY(vd_label_in_image(r->in, &m, &image, NULL, err));
    for (int i = 0; i < VD_COUNT(lists); i++) {
        const vd_json *list = vd_json_get(task, lists[i]);
        for (const vd_json *a = list != NULL ? list->first : NULL; a != NULL; a = a->next) {
            const vd_json *result = vd_json_get(a, "result");
            const vd_json *score = i == 2 ? vd_json_get(a, "score") : NULL;
            for (const vd_json *v = result != NULL ? result->first : NULL; v != NULL; v = v->next)
                VD_TRY(read_result(r, v, &m, image, score, err));
        }
    }
    return VD_OK;
}

vd_status vd_label_studio_read(vd_label_in *in, vd_json_stream *s, vd_err *err) {
    reader r = { .in = in, .where = vd_js_where(s) };
    vd_str raw = { 0 };
    vd_arena arena = { 0 };
    vd_status st = vd_js_enter(s, VD_JSON_ARRAY, err);
    char where[512];
    while (st == VD_OK) {
        bool more = false;
        const vd_json *task = NULL;
        VD_GO(vd_js_item(s, &more, err));
        if (!more) break;
        snprintf(where, sizeof where, "%s: task at byte %lld", vd_js_where(s),
                 (long long)vd_js_at(s));
        r.where = where;
        vd_str_clear(&raw);
        vd_arena_clear(&arena);
        VD_GO(vd_js_raw(s, &raw, err));
        VD_GO(vd_json_parse(&task, &arena, where, raw.data, (size_t)raw.size, err));
        st = read_task(&r, task, err);
    }
    if (st == VD_OK) st = vd_js_end(s, err);
done:
    vd_build_reset(&r.b);
    vd_str_reset(&r.name);
    vd_str_reset(&raw);
    vd_arena_reset(&arena);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open(&s, path, err));
    vd_status st = vd_label_studio_read(in, s, err);
    vd_js_free(s);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_out_file f;
    int64_t n_results;
    bool first;
} writer;

static void member(vd_str *s, const char *key, double v, double side) {
    vd_str_addf(s, "\"%s\":", key);
    vd_decimal_add(s, v / side * 100);
    vd_str_addc(s, ',');
}

/* What comes before and after the members of "value". */
static void begin_result(writer *w, const vd_label_image *m, const char *type, const char *from) {
    vd_str *s = &w->f.text;
    vd_str_addf(s,
                "%s{\"id\":\"r%lld\",\"type\":\"%s\",\"from_name\":\"%s\",\"to_name\":\"image\","
                "\"original_width\":%d,\"original_height\":%d,\"value\":{",
                w->first ? "" : ",", (long long)++w->n_results, type, from, m->width, m->height);
    w->first = false;
}

static void end_result(writer *w, const vd_label_object *o, const char *type) {
    vd_str *s = &w->f.text;
    if (type != NULL) {
        vd_str_addf(s, "\"%s\":[", type);
        if (o->category >= 0) vd_str_json(s, w->set->categories[o->category].name);
        vd_str_addc(s, ']');
    }
    vd_str_addc(s, '}');
    if (o->has & VD_OBJ_SCORE) {
        vd_str_add(s, ",\"score\":");
        vd_decimal_add(s, o->score);
    }
    vd_str_addc(s, '}');
}

static void add_rectangle(writer *w, const vd_label_image *m, const vd_label_object *o) {
    bool turned = o->has & VD_OBJ_ROTATED;
    double c = cos(o->angle), s = sin(o->angle), bw = o->box[2], bh = o->box[3];
    double x = turned ? o->box[0] - 0.5 * (c * bw - s * bh) : o->box[0];
    double y = turned ? o->box[1] - 0.5 * (s * bw + c * bh) : o->box[1];
    begin_result(w, m, "rectanglelabels", "label");
    member(&w->f.text, "x", x, m->width);
    member(&w->f.text, "y", y, m->height);
    member(&w->f.text, "width", bw, m->width);
    member(&w->f.text, "height", bh, m->height);
    member(&w->f.text, "rotation", turned ? o->angle * 180 / PI : 0, 100);
    end_result(w, o, "rectanglelabels");
}

static vd_status add_polygons(writer *w, const vd_label_image *m, const vd_label_object *o,
                              vd_err *err) {
    const double *xy = o->xy;
    if (o->n_rings > 1)
        VD_TRY(vd_label_lose(w->out->report, err,
                             "polygons of several parts (each became an object)", "%s", m->name));
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        begin_result(w, m, "polygonlabels", "label");
        vd_str_add(&w->f.text, "\"points\":[");
        for (int64_t k = 0; k < n; k++) {
            vd_str_add(&w->f.text, k > 0 ? ",[" : "[");
            vd_decimal_add(&w->f.text, xy[2 * k] / m->width * 100);
            vd_str_addc(&w->f.text, ',');
            vd_decimal_add(&w->f.text, xy[2 * k + 1] / m->height * 100);
            vd_str_addc(&w->f.text, ']');
        }
        vd_str_add(&w->f.text, "],");
        end_result(w, o, "polygonlabels");
        xy += 2 * n;
    }
    return VD_OK;
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            vd_err *err) {
    uint32_t holds = VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_POLYGON | VD_OBJ_KEYPOINTS |
                     VD_OBJ_CAPTION | VD_OBJ_SCORE;
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    if (o->has & VD_OBJ_SHAPES && m->width <= 0)
        return vd_label_lose(w->out->report, err, "objects of pictures whose size is not known",
                             "%s", m->name);
    if (o->has & VD_OBJ_POLYGON) return add_polygons(w, m, o, err);
    for (int i = 0; i < o->n_keypoints; i++) {
        if (o->keypoints[3 * i + 2] <= 0) continue;
        begin_result(w, m, "keypointlabels", "label");
        member(&w->f.text, "x", o->keypoints[3 * i], m->width);
        member(&w->f.text, "y", o->keypoints[3 * i + 1], m->height);
        end_result(w, o, "keypointlabels");
    }
    if (o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED)) add_rectangle(w, m, o);
    if (o->has & VD_OBJ_CAPTION) {
        begin_result(w, m, "textarea", "caption");
        vd_str_add(&w->f.text, "\"text\":[");
        vd_str_json(&w->f.text, o->caption);
        vd_str_addc(&w->f.text, ']');
        end_result(w, o, NULL);
    } else if (!(o->has & VD_OBJ_SHAPES) && o->category >= 0) {
        begin_result(w, m, "choices", "class");
        end_result(w, o, "choices");
    }
    return VD_OK;
}

static vd_status write_image(writer *w, int64_t i, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_label_object o;
    vd_str_addf(&w->f.text, "%s{\"id\":%lld,\"data\":{\"image\":", i > 0 ? ",\n" : "\n",
                (long long)i + 1);
    vd_str_json(&w->f.text, m->name);
    vd_str_add(&w->f.text, "},\"annotations\":[{\"result\":[");
    w->first = true;
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(add_object(w, m, &o, err));
    }
    vd_str_add(&w->f.text, "]}]}");
    if (m->subset != NULL)
        VD_TRY(vd_label_lose(w->out->report, err, "subsets", "%s: %s", m->name, m->subset));
    return vd_out_step(&w->f, err);
}

static vd_status write_file(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out };
    VD_TRY(vd_out_open(&w.f, out->path, err));
    vd_status st = VD_OK;
    vd_str_addc(&w.f.text, '[');
    for (int64_t i = 0; i < set->n_images; i++) VD_GO(write_image(&w, i, err));
    vd_str_add(&w.f.text, "]\n");
    st = vd_out_close(&w.f, err);
done:
    vd_out_drop(&w.f);
    return st;
}

static int detect(const vd_label_probe *p) {
    bool task =
        vd_probe_key(p, "data") || vd_probe_key(p, "annotations") || vd_probe_key(p, "completions");
    return !p->folder && p->list && task && !vd_probe_key(p, "image_id") ? 75 : 0;
}

const vd_label_format vd_label_label_studio = {
    .name = "label-studio",
    .summary = "Label Studio JSON: boxes, rotated boxes, polygons, keypoints, choices, texts",
    .holds = VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_POLYGON | VD_OBJ_KEYPOINTS | VD_OBJ_CAPTION |
             VD_OBJ_SCORE,
    .detect = detect,
    .read = read_path,
    .write = write_file,
};
