/* Writing CVAT's XML 1.1, for images and for videos. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/cvat.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/mem.h"
#include "label/mask.h"
#include "labelkit/videos.h"
#include "labelkit/xml.h"

static const double PI = 3.14159265358979323846;

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_out_file f;
    vd_arena arena;
    vd_videos videos;
    vd_video_tracks shown; /* in the video at hand */
    const char *frame;     /* attributes of a shape in a track; NULL: the form for images */
} writer;

static void attr_real(vd_str *s, const char *name, double v) {
    vd_str_addf(s, " %s=\"", name);
    vd_decimal_add(s, v);
    vd_str_addc(s, '"');
}

static void attr_text(vd_str *s, const char *name, const char *text) {
    vd_str_addf(s, " %s=\"", name);
    vd_xml_add(s, text);
    vd_str_addc(s, '"');
}

static void attr_points(vd_str *s, const double *xy, int64_t n, int stride) {
    vd_str_add(s, " points=\"");
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) vd_str_addc(s, ';');
        vd_decimal_add(s, xy[stride * i]);
        vd_str_addc(s, ',');
        vd_decimal_add(s, xy[stride * i + 1]);
    }
    vd_str_addc(s, '"');
}

static bool as_text(vd_str *s, const vd_json *v) {
    vd_str_clear(s);
    if (v->type == VD_JSON_TEXT) vd_str_add(s, v->text);
    if (v->type == VD_JSON_BOOL) vd_str_add(s, v->number != 0 ? "true" : "false");
    if (v->type == VD_JSON_NUMBER) vd_decimal_add(s, v->number);
    return v->type == VD_JSON_TEXT || v->type == VD_JSON_BOOL || v->type == VD_JSON_NUMBER;
}

/* Occlusion, order and group are attributes of the shape's element, the others elements in it. */
static vd_status end_shape(writer *w, const vd_label_image *m, const vd_label_object *o,
                           const char *kind, vd_err *err) {
    static const char *const own[] = { "z_order", "group_id" };
    vd_str *s = &w->f.text, value = { 0 };
    const vd_json *all = NULL;
    vd_status st = VD_OK;
    if (w->frame != NULL)
        vd_str_add(s, w->frame);
    else
        attr_text(s, "label", o->category >= 0 ? w->set->categories[o->category].name : "");
    if (o->attributes != NULL)
        st = vd_json_parse(&all, &w->arena, m->name, o->attributes, strlen(o->attributes), err);
    const vd_json *occluded = vd_json_get(all, "occluded");
    vd_str_addf(s, " occluded=\"%d\"", occluded != NULL && occluded->number != 0);
    for (int i = 0; i < VD_COUNT(own); i++) {
        const vd_json *v = vd_json_get(all, own[i]);
        if (v != NULL && as_text(&value, v)) attr_text(s, own[i], vd_str_text(&value));
    }
    vd_str_addc(s, '>');
    for (const vd_json *v = all != NULL ? all->first : NULL; st == VD_OK && v != NULL;
         v = v->next) {
        if (strcmp(v->key, "occluded") == 0 || strcmp(v->key, own[0]) == 0 ||
            strcmp(v->key, own[1]) == 0)
            continue;
        if (!as_text(&value, v)) {
            st = vd_label_lose(w->out->report, err, "attributes that are lists", "%s: %s", m->name,
                               v->key);
            continue;
        }
        vd_str_add(s, "<attribute");
        attr_text(s, "name", v->key);
        vd_str_addc(s, '>');
        vd_xml_add(s, vd_str_text(&value));
        vd_str_add(s, "</attribute>");
    }
    vd_str_addf(s, "</%s>\n", kind);
    vd_str_reset(&value);
    vd_arena_clear(&w->arena);
    return st;
}

static vd_status add_box(writer *w, const vd_label_image *m, const vd_label_object *o,
                         vd_err *err) {
    vd_str *s = &w->f.text;
    bool turned = o->has & VD_OBJ_ROTATED;
    double x = turned ? o->box[0] - 0.5 * o->box[2] : o->box[0],
           y = turned ? o->box[1] - 0.5 * o->box[3] : o->box[1];
    vd_str_add(s, "    <box");
    attr_real(s, "xtl", x);
    attr_real(s, "ytl", y);
    attr_real(s, "xbr", x + o->box[2]);
    attr_real(s, "ybr", y + o->box[3]);
    if (turned) attr_real(s, "rotation", o->angle * 180 / PI);
    return end_shape(w, m, o, "box", err);
}

static vd_status add_mask(writer *w, const vd_label_image *m, const vd_label_object *o,
                          vd_err *err) {
    int64_t width = o->mask_width, height = o->mask_height, n = width * height, run = 0;
    const vd_mask from = { o->mask_height, o->mask_width, o->n_runs, (uint32_t *)o->runs };
    uint8_t *pixels = vd_mem_array((size_t)n, 1), now = 0;
    vd_str *s = &w->f.text;
    if (pixels == NULL) return vd_nomem(err);
    vd_mask_paint(&from, pixels, width, 1);
    vd_str_add(s, "    <mask rle=\"");
    for (int64_t i = 0; i <= n; i++) {
        if (i < n && pixels[i] == now) {
            run++;
            continue;
        }
        vd_str_addf(s, i == run ? "%lld" : ", %lld", (long long)run);
        now = !now;
        run = 1;
    }
    vd_mem_free(pixels);
    vd_str_addf(s, "\" left=\"0\" top=\"0\" width=\"%lld\" height=\"%lld\"", (long long)width,
                (long long)height);
    return end_shape(w, m, o, "mask", err);
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            uint32_t holds, vd_err *err) {
    vd_str *s = &w->f.text;
    const double *xy = o->xy;
    const char *kind = o->has & VD_OBJ_POLYGON ? "polygon" : "polyline";
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    if (o->n_rings > 1)
        VD_TRY(vd_label_lose(w->out->report, err,
                             "polygons of several parts (each became an object)", "%s", m->name));
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        vd_str_addf(s, "    <%s", kind);
        attr_points(s, xy, n, 2);
        VD_TRY(end_shape(w, m, o, kind, err));
        xy += 2 * n;
    }
    if (o->has & VD_OBJ_KEYPOINTS) {
        vd_str_add(s, "    <points");
        attr_points(s, o->keypoints, o->n_keypoints, 3);
        VD_TRY(end_shape(w, m, o, "points", err));
    }
    if (o->has & VD_OBJ_MASK) VD_TRY(add_mask(w, m, o, err));
    bool derived = o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_KEYPOINTS | VD_OBJ_MASK);
    if (o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED) && !derived) return add_box(w, m, o, err);
    if (o->has & VD_OBJ_SHAPES || o->category < 0) return VD_OK;
    vd_str_add(s, "    <tag");
    return end_shape(w, m, o, "tag", err);
}

static vd_status write_image(writer *w, int64_t i, uint32_t holds, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_str *s = &w->f.text;
    vd_label_object o;
    vd_str_addf(s, "  <image id=\"%lld\"", (long long)i);
    attr_text(s, "name", m->name);
    if (m->subset != NULL) attr_text(s, "subset", m->subset);
    vd_str_addf(s, " width=\"%d\" height=\"%d\">\n", m->width, m->height);
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(add_object(w, m, &o, holds, err));
    }
    vd_str_add(s, "  </image>\n");
    return vd_out_step(&w->f, err);
}

static void add_labels(writer *w) {
    vd_str *s = &w->f.text;
    vd_str_add(s, "<labels>\n");
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        vd_str_add(s, "    <label><name>");
        vd_xml_add(s, w->set->categories[i].name);
        vd_str_add(s, "</name></label>\n");
    }
    vd_str_add(s, "  </labels>");
}

static const char HEAD[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n"
                           "  <version>1.1</version>\n  <meta><task>";

static void reset(writer *w) {
    vd_out_drop(&w->f);
    vd_arena_reset(&w->arena);
    vd_videos_reset(&w->videos);
    vd_video_tracks_reset(&w->shown);
}

vd_status vd_cvat_write(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out, .f = { .fd = -1 } };
    vd_status st = VD_OK;
    VD_GO(vd_out_open(&w.f, out->path, err));
    vd_str_add(&w.f.text, HEAD);
    add_labels(&w);
    vd_str_add(&w.f.text, "</task></meta>\n");
    for (int64_t i = 0; i < set->n_images; i++) VD_GO(write_image(&w, i, VD_CVAT_HOLDS, err));
    vd_str_add(&w.f.text, "</annotations>\n");
    st = vd_out_close(&w.f, err);
done:
    reset(&w);
    return st;
}

/* ---- videos ---- */

/* The number of a frame as the file counts: that of the source, where it has one. */
static int64_t number_of(const writer *w, int64_t video, int64_t frame) {
    const vd_label_image *m = &w->set->images[w->videos.image[w->videos.first[video] + frame]];
    return m->sequence != NULL && m->frame != VD_LABEL_NONE ? m->frame : frame;
}

/* The one shape that a track has in a frame: outline, points, mask or box, the first there is. */
static vd_status add_shape(writer *w, const vd_label_image *m, const vd_label_object *o,
                           int64_t frame, bool outside, vd_err *err) {
    const uint32_t order[] = { VD_OBJ_POLYGON | VD_OBJ_LINE, VD_OBJ_KEYPOINTS, VD_OBJ_MASK,
                               VD_OBJ_BOX | VD_OBJ_ROTATED };
    const uint32_t all = order[0] | order[1] | order[2];
    vd_label_object one = *o;
    char text[96];
    int k = 0;
    while (k < 3 && !(o->has & order[k])) k++;
    snprintf(text, sizeof text, " frame=\"%lld\" keyframe=\"1\" outside=\"%d\"", (long long)frame,
             outside);
    if (!outside && one.n_rings > 1)
        VD_TRY(vd_label_lose(w->out->report, err, "polygons of several parts (the first is kept)",
                             "%s", m->name));
    if (!outside)
        VD_TRY(vd_label_lose_rest(w->out->report, m, o,
                                  (VD_CVAT_HOLDS | VD_OBJ_TRACK) & ~(all & ~order[k]), err));
    one.has &= ~(all & ~order[k]) & ~(uint32_t)VD_OBJ_TRACK;
    if (k < 3) one.has &= ~order[3];
    one.n_rings = VD_MIN(one.n_rings, 1);
    w->frame = text;
    vd_status st = add_object(w, m, &one, UINT32_MAX, err);
    w->frame = NULL;
    return st;
}

/* The track shown[i .. end): a run of frames ends with its last shape, outside. */
static vd_status write_track(writer *w, int64_t i, int64_t end, int64_t video, int64_t id,
                             vd_err *err) {
    const int64_t length = w->videos.first[video + 1] - w->videos.first[video];
    const int64_t end_of_video = number_of(w, video, length - 1);
    vd_str *s = &w->f.text;
    int64_t last = -1;
    vd_str_addf(s, "  <track id=\"%lld\"", (long long)id);
    attr_text(s, "label", w->set->categories[w->shown.shown[i].category].name);
    vd_str_add(s, ">\n");
    for (; i < end; i++) {
        const vd_shown *at = &w->shown.shown[i];
        int64_t image = w->videos.image[w->videos.first[video] + at->frame];
        const vd_label_image *m = &w->set->images[image];
        const int64_t number = number_of(w, video, at->frame);
        bool stays = i + 1 < end && number_of(w, video, at[1].frame) <= number + 1;
        vd_label_object o;
        if (at->frame == last) {
            VD_TRY(vd_label_lose(w->out->report, err, "objects of a track that a frame has already",
                                 "%s", m->name));
            continue;
        }
        last = at->frame;
        VD_TRY(vd_label_set_get(w->set, image, at->k, &o, err));
        if (!(o.has & VD_OBJ_TRACK))
            VD_TRY(vd_label_lose(w->out->report, err, "objects without a track (one for each)",
                                 "%s", m->name));
        VD_TRY(add_shape(w, m, &o, number, false, err));
        if (!stays && number < end_of_video) VD_TRY(add_shape(w, m, &o, number + 1, true, err));
    }
    vd_str_add(s, "  </track>\n");
    return vd_out_step(&w->f, err);
}

/* Numbers of tracks stay where no two of a video are alike. */
static vd_status write_tracks(writer *w, int64_t video, vd_err *err) {
    bool own = true;
    VD_TRY(vd_video_tracks_of(&w->shown, &w->videos, w->set, video, err));
    for (int64_t i = 0, before = -1; i < w->shown.n; i = vd_video_track_end(&w->shown, i)) {
        own = own && w->shown.shown[i].track > before;
        before = w->shown.shown[i].track;
    }
    for (int64_t i = 0, id = 0; i < w->shown.n; id++) {
        int64_t end = vd_video_track_end(&w->shown, i);
        VD_TRY(write_track(w, i, end, video, own ? w->shown.shown[i].track : id, err));
        i = end;
    }
    if (!own && w->shown.untracked == 0)
        VD_TRY(vd_label_lose(w->out->report, err, "numbers of tracks",
                             "two classes have the same: counted anew"));
    return VD_OK;
}

static vd_status write_video(writer *w, int64_t video, vd_err *err) {
    const int64_t first = w->videos.first[video], n = w->videos.first[video + 1] - first;
    const vd_label_image *m = &w->set->images[w->videos.image[first]];
    const char *name = m->sequence != NULL ? m->sequence : m->name;
    vd_str path = { 0 }, *s = &w->f.text;
    vd_status st = VD_OK;
    vd_str_addf(&path, "%s/", w->out->path);
    vd_add_safe_name(&path, name, "");
    for (int64_t i = (int64_t)strlen(w->out->path) + 1; path.status == VD_OK && i < path.size; i++)
        if (path.data[i] == '/') path.data[i] = '_';
    vd_str_add(&path, ".xml");
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_out_open(&w->f, path.data, err));
    vd_str_addf(s, "%s<size>%lld</size><mode>interpolation</mode>", HEAD, (long long)n);
    add_labels(w);
    vd_str_addf(s, "<original_size><width>%d</width><height>%d</height></original_size><source>",
                m->width, m->height);
    vd_xml_add(s, name);
    vd_str_add(s, "</source></task></meta>\n");
    VD_GO(write_tracks(w, video, err));
    vd_str_add(s, "</annotations>\n");
    st = vd_out_close(&w->f, err);
done:
    vd_str_reset(&path);
    return st;
}

vd_status vd_cvat_write_videos(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out, .f = { .fd = -1 } };
    vd_status st = vd_make_folders(out->path, err);
    if (st == VD_OK) st = vd_videos_of(&w.videos, set, err);
    for (int64_t i = 0; st == VD_OK && i < w.videos.n; i++) st = write_video(&w, i, err);
    if (st == VD_OK) st = vd_video_lose_others(set, out->report, err);
    reset(&w);
    return st;
}
