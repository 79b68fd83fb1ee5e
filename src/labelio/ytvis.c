/* YouTube-VIS: COCO's form with videos; one annotation is a track with a mask a frame.
 * https://youtube-vos.org/dataset/vis. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/coco.h"
#include "label/mask_map.h"
#include "labelio/simple.h"
#include "labelkit/tree.h"
#include "labelkit/videos.h"

typedef struct reader {
    vd_label_in *in;
    vd_json_stream *s;
    vd_map *videos, *categories;
    int32_t *first, *length; /* image of each video's first frame, and how many */
    int64_t n_videos, cap_first, cap_length;
    bool have[2]; /* videos, categories */
    vd_js_mark annotations;
    bool deferred;
    vd_arena arena;
    vd_str raw;
    vd_mask mask;
    vd_build b;
    char where[512];
} reader;

static vd_status next_tree(reader *r, const vd_json **out, vd_err *err) {
    snprintf(r->where, sizeof r->where, "%s: item at byte %lld", vd_js_where(r->s),
             (long long)vd_js_at(r->s));
    vd_str_clear(&r->raw);
    vd_arena_clear(&r->arena);
    VD_TRY(vd_js_raw(r->s, &r->raw, err));
    return vd_json_parse(out, &r->arena, r->where, r->raw.data, (size_t)r->raw.size, err);
}

static vd_status id_of(reader *r, const vd_json *v, const char *key, int64_t *out, vd_err *err) {
    if (vd_json_get(v, key) == NULL) return vd_fail(err, VD_E_FORMAT, "%s: no %s", r->where, key);
    return vd_tree_int(v, key, 0, out, r->where, err);
}

static vd_status read_category(reader *r, const vd_json *v, vd_err *err) {
    vd_label_category c = { .name = vd_json_text(v, "name"),
                            .parent = vd_json_text(v, "supercategory") };
    int32_t index = 0;
    VD_TRY(id_of(r, v, "id", &c.id, err));
    if (c.name == NULL || c.name[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: no name", r->where);
    if (c.parent != NULL && c.parent[0] == '\0') c.parent = NULL;
    VD_TRY(vd_label_in_category(r->in, &c, &index, err));
    return vd_map_put(r->categories, &c.id, sizeof c.id, index, err);
}

/* The folder of the frames names the video. */
static vd_status read_video(reader *r, const vd_json *v, vd_err *err) {
    const vd_json *files = vd_json_get(v, "file_names");
    vd_label_image m = { 0 };
    vd_str sequence = { 0 };
    int64_t id = 0;
    int32_t index = 0;
    VD_TRY(id_of(r, v, "id", &id, err));
    VD_TRY(vd_tree_side(v, "width", &m.width, r->where, err));
    VD_TRY(vd_tree_side(v, "height", &m.height, r->where, err));
    if (files == NULL || files->type != VD_JSON_ARRAY)
        return vd_fail(err, VD_E_FORMAT, "%s: no file_names", r->where);
    VD_TRY(VD_GROW(r->first, r->cap_first, r->n_videos + 1, err));
    VD_TRY(VD_GROW(r->length, r->cap_length, r->n_videos + 1, err));
    r->first[r->n_videos] = (int32_t)r->in->n_images;
    r->length[r->n_videos] = (int32_t)files->n;
    vd_status st = vd_map_put(r->videos, &id, sizeof id, r->n_videos++, err);
    for (const vd_json *f = files->first; st == VD_OK && f != NULL; f = f->next, m.frame++) {
        if (f->type != VD_JSON_TEXT || f->text[0] == '\0')
            VD_GO(vd_fail(err, VD_E_FORMAT, "%s: a frame without a name", r->where));
        const char *last = vd_path_name(f->text);
        vd_str_clear(&sequence);
        if (last > f->text)
            vd_str_addn(&sequence, f->text, last - 1 - f->text);
        else
            vd_str_addf(&sequence, "%lld", (long long)id);
        VD_GO(vd_str_check(&sequence, err));
        m.name = f->text;
        m.sequence = vd_str_text(&sequence);
        m.id = r->in->n_images + 1;
        st = vd_label_in_new_image(r->in, &m, &index, err);
    }
done:
    vd_str_reset(&sequence);
    return st;
}

static const vd_json *nth(const vd_json *list, int64_t i) {
    const vd_json *v = list != NULL && list->type == VD_JSON_ARRAY ? list->first : NULL;
    for (; v != NULL && i > 0; i--) v = v->next;
    return v != NULL && v->type != VD_JSON_NULL ? v : NULL;
}

static vd_status mask_of(reader *r, const vd_json *v, vd_err *err) {
    const vd_json *counts = vd_json_get(v, "counts");
    double size[2];
    vd_label_object *o = &r->b.o;
    VD_TRY(vd_tree_reals(vd_json_get(v, "size"), size, 2, r->where, "the size of a mask", err));
    bool sane = size[0] >= 1 && size[1] >= 1 && size[0] <= VD_LABEL_MAX_SIDE &&
                size[1] <= VD_LABEL_MAX_SIDE;
    if (counts == NULL || !sane)
        return vd_fail(err, VD_E_FORMAT, "%s: a mask without counts or size", r->where);
    vd_mask_reset(&r->mask);
    if (counts->type == VD_JSON_TEXT) {
        VD_TRY(vd_mask_from_text(&r->mask, r->where, counts->text, (int64_t)strlen(counts->text),
                                 (int64_t)size[0], (int64_t)size[1], err));
    } else {
        double *runs = vd_arena_alloc(&r->arena, (size_t)(counts->n + 1) * sizeof *runs);
        if (runs == NULL) return vd_nomem(err);
        VD_TRY(vd_tree_reals(counts, runs, (int)counts->n, r->where, "counts", err));
        VD_TRY(vd_mask_from_runs(&r->mask, r->where, runs, counts->n, (int64_t)size[0],
                                 (int64_t)size[1], err));
    }
    o->has |= VD_OBJ_MASK;
    o->runs = r->mask.run;
    o->n_runs = r->mask.n;
    o->mask_width = r->mask.width;
    o->mask_height = r->mask.height;
    return VD_OK;
}

static vd_status read_annotation(reader *r, const vd_json *v, vd_err *err) {
    const vd_json *masks = vd_json_get(v, "segmentations"), *boxes = vd_json_get(v, "bboxes"),
                  *areas = vd_json_get(v, "areas"), *score = vd_json_get(v, "score");
    int64_t video = 0, category = 0, track = r->in->n_objects, crowd = 0, at = 0, class = 0;
    VD_TRY(id_of(r, v, "video_id", &video, err));
    VD_TRY(id_of(r, v, "category_id", &category, err));
    VD_TRY(vd_tree_int(v, "id", track, &track, r->where, err));
    VD_TRY(vd_tree_int(v, "iscrowd", 0, &crowd, r->where, err));
    if (!vd_map_get(r->videos, &video, sizeof video, &at))
        return vd_fail(err, VD_E_FORMAT, "%s: no video has the id %lld", r->where,
                       (long long)video);
    if (!vd_map_get(r->categories, &category, sizeof category, &class))
        return vd_fail(err, VD_E_FORMAT, "%s: no category has the id %lld", r->where,
                       (long long)category);
    for (int32_t i = 0; i < r->length[at]; i++) {
        const vd_json *mask = nth(masks, i), *box = nth(boxes, i), *area = nth(areas, i);
        if (mask == NULL && box == NULL) continue;
        vd_build_clear(&r->b, r->first[at] + i);
        vd_label_object *o = &r->b.o;
        o->category = (int32_t) class;
        o->track = track;
        o->has = VD_OBJ_TRACK | (crowd != 0 ? VD_OBJ_CROWD : 0);
        if (box != NULL) {
            VD_TRY(vd_tree_reals(box, o->box, 4, r->where, "a box", err));
            o->has |= VD_OBJ_BOX;
        }
        if (mask != NULL) VD_TRY(mask_of(r, mask, err));
        if (area != NULL && area->type == VD_JSON_NUMBER) {
            o->area = area->number;
            o->has |= VD_OBJ_AREA;
        }
        if (score != NULL && score->type == VD_JSON_NUMBER) {
            o->score = score->number;
            o->has |= VD_OBJ_SCORE;
        }
        VD_TRY(vd_build_push(&r->b, r->in, r->where, err));
    }
    return VD_OK;
}

static vd_status each(reader *r, vd_status (*fn)(reader *r, const vd_json *v, vd_err *err),
                      vd_err *err) {
    bool more = true;
    const vd_json *v = NULL;
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(r->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(next_tree(r, &v, err));
        VD_TRY(fn(r, v, err));
    }
}

static vd_status member(reader *r, vd_js_text key, vd_err *err) {
    if (strcmp(key.p, "videos") == 0) {
        r->have[0] = true;
        return each(r, read_video, err);
    }
    if (strcmp(key.p, "categories") == 0) {
        r->have[1] = true;
        return each(r, read_category, err);
    }
    if (strcmp(key.p, "annotations") != 0) return vd_js_skip(r->s, err);
    if (r->have[0] && r->have[1]) return each(r, read_annotation, err);
    vd_json_type type;
    VD_TRY(vd_js_type(r->s, &type, err)); /* null in the published test set */
    if (type != VD_JSON_ARRAY) return vd_js_skip(r->s, err);
    r->deferred = true;
    r->annotations = vd_js_mark_of(r->s);
    return vd_js_pass(r->s, err);
}

static vd_status read_document(reader *r, vd_err *err) {
    bool more = true;
    vd_js_text key;
    VD_TRY(vd_map_new(&r->videos, err));
    VD_TRY(vd_map_new(&r->categories, err));
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        VD_TRY(member(r, key, err));
    }
    VD_TRY(vd_js_end(r->s, err));
    if (!r->deferred) return VD_OK;
    VD_TRY(vd_js_back(r->s, r->annotations, err));
    return each(r, read_annotation, err);
}

vd_status vd_ytvis_read(vd_label_in *in, vd_json_stream *s, vd_err *err) {
    reader r = { .in = in, .s = s };
    vd_status st = read_document(&r, err);
    vd_map_free(r.videos);
    vd_map_free(r.categories);
    vd_mem_free(r.first);
    vd_mem_free(r.length);
    vd_arena_reset(&r.arena);
    vd_str_reset(&r.raw);
    vd_mask_reset(&r.mask);
    vd_build_reset(&r.b);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open(&s, path, err));
    vd_status st = vd_ytvis_read(in, s, err);
    vd_js_free(s);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_out_file f;
    vd_videos videos;
    vd_video_tracks shown; /* in the video at hand */
    int64_t *category_id;
    int64_t n_annotations;
    vd_map *tracks; /* that were met, in the first round */
    bool own_ids;   /* no two annotations are of tracks of one number */
    vd_str masks, boxes, areas;
} writer;

static const vd_label_image *frame_of(const writer *w, int64_t video, int64_t frame) {
    return &w->set->images[w->videos.image[w->videos.first[video] + frame]];
}

static int64_t length_of(const writer *w, int64_t video) {
    return w->videos.first[video + 1] - w->videos.first[video];
}

static vd_status write_video(writer *w, int64_t video, vd_err *err) {
    const vd_label_image *m = frame_of(w, video, 0);
    const int64_t length = length_of(w, video);
    vd_str *s = &w->f.text;
    vd_str_addf(s, "%s{\"id\":%lld,\"width\":%d,\"height\":%d,\"length\":%lld,\"file_names\":[",
                video > 0 ? ",\n" : "\n", (long long)video + 1, m->width, m->height,
                (long long)length);
    for (int64_t i = 0; i < length; i++) {
        const vd_label_image *other = frame_of(w, video, i);
        if (i > 0) vd_str_addc(s, ',');
        vd_str_json(s, other->name);
        if (other->width != m->width || other->height != m->height)
            VD_TRY(vd_label_lose(w->out->report, err, "sizes of frames that are not the first's",
                                 "%s", other->name));
        if (other->subset != NULL)
            VD_TRY(vd_label_lose(w->out->report, err, "subsets", "%s: %s", other->name,
                                 other->subset));
    }
    vd_str_add(s, "]}");
    return vd_out_step(&w->f, err);
}

enum {
    HOLDS = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_TRACK | VD_OBJ_AREA | VD_OBJ_CROWD |
            VD_OBJ_SCORE
};

/* First round: whether the numbers of tracks can be ids. */
static vd_status meet_tracks(writer *w, int64_t video, vd_err *err) {
    VD_TRY(vd_video_tracks_of(&w->shown, &w->videos, w->set, video, err));
    for (int64_t i = 0; i < w->shown.n; i = vd_video_track_end(&w->shown, i)) {
        int64_t track = w->shown.shown[i].track, at = 0;
        w->own_ids = w->own_ids && track >= 0 && !vd_map_get(w->tracks, &track, sizeof track, &at);
        VD_TRY(vd_map_put(w->tracks, &track, sizeof track, i, err));
    }
    return VD_OK;
}

static void add_nulls(writer *w, int64_t n) {
    for (; n > 0; n--) {
        vd_str_add(&w->masks, "null,");
        vd_str_add(&w->boxes, "null,");
        vd_str_add(&w->areas, "null,");
    }
}

static vd_status add_mask(writer *w, const vd_label_object *o, const vd_label_image *m,
                          vd_err *err) {
    vd_mask mask = { 0 };
    bool has = false;
    VD_TRY(vd_label_object_mask(&mask, &has, o, m->height, m->width, err));
    vd_label_object of = {
        .runs = mask.run, .n_runs = mask.n, .mask_width = mask.width, .mask_height = mask.height
    };
    vd_status st = VD_OK;
    if (has)
        st = vd_coco_add_mask(&w->masks, &of, false, err);
    else
        vd_str_add(&w->masks, "null");
    vd_str_addc(&w->masks, ',');
    vd_mask_reset(&mask);
    if (st == VD_OK && !has && o->has & (VD_OBJ_MASK | VD_OBJ_POLYGON))
        st = vd_label_lose(w->out->report, err, "masks that do not fit their picture", "%s",
                           m->name);
    return st;
}

static vd_status add_frame(writer *w, const vd_label_object *o, vd_err *err) {
    const vd_label_image *m = &w->set->images[o->image];
    double box[4];
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, HOLDS, err));
    VD_TRY(add_mask(w, o, m, err));
    if (vd_label_bounds(o, box)) {
        for (int k = 0; k < 4; k++) {
            vd_str_addc(&w->boxes, k == 0 ? '[' : ',');
            vd_decimal_add(&w->boxes, box[k]);
        }
        vd_str_add(&w->boxes, "],");
    } else {
        vd_str_add(&w->boxes, "null,");
    }
    vd_decimal_add(&w->areas, o->has & VD_OBJ_AREA ? o->area : vd_label_area(o));
    vd_str_addc(&w->areas, ',');
    return VD_OK;
}

static void add_list(vd_str *s, const char *key, const vd_str *list) {
    vd_str_addf(s, ",\"%s\":[", key);
    vd_str_addn(s, list->data, list->size - 1); /* without the last comma: no list is empty */
    vd_str_addc(s, ']');
}

/* What is said once of all frames of a track. */
typedef struct whole {
    uint32_t has; /* VD_OBJ_CROWD, VD_OBJ_SCORE */
    double score;
} whole;

static vd_status take_whole(writer *w, whole *all, const vd_label_object *o, vd_err *err) {
    const char *name = w->set->images[o->image].name;
    if (!(o->has & VD_OBJ_TRACK))
        VD_TRY(vd_label_lose(w->out->report, err, "objects without a track (one for each)", "%s",
                             name));
    if (all->has & VD_OBJ_SCORE && o->score != all->score)
        VD_TRY(vd_label_lose(w->out->report, err, "scores that are not those of the first frame",
                             "%s", name));
    if (!(all->has & VD_OBJ_SCORE)) all->score = o->score;
    all->has |= o->has & (VD_OBJ_CROWD | VD_OBJ_SCORE);
    return VD_OK;
}

/* The lists of the objects shown[i .. end), one item a frame. */
static vd_status fill_lists(writer *w, int64_t i, int64_t end, int64_t video, whole *all,
                            vd_err *err) {
    int64_t next = 0;
    vd_str_clear(&w->masks);
    vd_str_clear(&w->boxes);
    vd_str_clear(&w->areas);
    for (; i < end; i++) {
        const vd_shown *at = &w->shown.shown[i];
        const vd_label_image *m = frame_of(w, video, at->frame);
        vd_label_object o;
        if (at->frame < next) {
            VD_TRY(vd_label_lose(w->out->report, err, "objects of a track that a frame has already",
                                 "%s", m->name));
            continue;
        }
        VD_TRY(vd_label_set_get(w->set, m - w->set->images, at->k, &o, err));
        add_nulls(w, at->frame - next);
        next = at->frame + 1;
        VD_TRY(add_frame(w, &o, err));
        VD_TRY(take_whole(w, all, &o, err));
    }
    add_nulls(w, length_of(w, video) - next);
    VD_TRY(vd_str_check(&w->masks, err));
    VD_TRY(vd_str_check(&w->boxes, err));
    return vd_str_check(&w->areas, err);
}

/* One annotation: the objects shown[i .. end) of a video. */
static vd_status write_track(writer *w, int64_t i, int64_t end, int64_t video, vd_err *err) {
    vd_str *s = &w->f.text;
    const vd_shown *of = &w->shown.shown[i];
    whole all = { 0 };
    VD_TRY(fill_lists(w, i, end, video, &all, err));
    vd_str_addf(s, "%s{\"id\":%lld,\"video_id\":%lld,\"category_id\":%lld,\"iscrowd\":%d",
                w->n_annotations > 0 ? ",\n" : "\n",
                (long long)(w->own_ids ? of->track : w->n_annotations + 1), (long long)video + 1,
                (long long)w->category_id[of->category], (all.has & VD_OBJ_CROWD) != 0);
    w->n_annotations++;
    if (all.has & VD_OBJ_SCORE) {
        vd_str_add(s, ",\"score\":");
        vd_decimal_add(s, all.score);
    }
    vd_str_addf(s, ",\"length\":%lld", (long long)length_of(w, video));
    add_list(s, "segmentations", &w->masks);
    add_list(s, "bboxes", &w->boxes);
    add_list(s, "areas", &w->areas);
    vd_str_addc(s, '}');
    return vd_out_step(&w->f, err);
}

static vd_status write_tracks(writer *w, int64_t video, vd_err *err) {
    VD_TRY(vd_video_tracks_of(&w->shown, &w->videos, w->set, video, err));
    for (int64_t i = 0; i < w->shown.n;) {
        int64_t next = vd_video_track_end(&w->shown, i);
        VD_TRY(write_track(w, i, next, video, err));
        i = next;
    }
    return VD_OK;
}

static void write_categories(writer *w) {
    vd_str *s = &w->f.text;
    vd_str_add(s, "],\n\"categories\":[");
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        vd_str_add(s, i > 0 ? ",\n" : "\n");
        vd_coco_begin_category(s, &w->set->categories[i], w->category_id[i]);
        vd_str_addc(s, '}');
    }
    vd_str_add(s, "],\n\"annotations\":[");
}

static vd_status write_document(writer *w, vd_err *err) {
    w->own_ids = true;
    VD_TRY(vd_map_new(&w->tracks, err));
    VD_TRY(vd_videos_of(&w->videos, w->set, err));
    VD_TRY(vd_coco_category_ids(w->category_id, w->set, w->out->report, err));
    for (int64_t i = 0; i < w->videos.n; i++) VD_TRY(meet_tracks(w, i, err));
    if (!w->own_ids && w->shown.untracked == 0)
        VD_TRY(vd_label_lose(w->out->report, err, "numbers of tracks",
                             "two videos or classes have the same: counted anew"));
    VD_TRY(vd_video_lose_others(w->set, w->out->report, err));
    VD_TRY(vd_out_open(&w->f, w->out->path, err));
    vd_str_add(&w->f.text, "{\"videos\":[");
    for (int64_t i = 0; i < w->videos.n; i++) VD_TRY(write_video(w, i, err));
    write_categories(w);
    for (int64_t i = 0; i < w->videos.n; i++) VD_TRY(write_tracks(w, i, err));
    vd_str_add(&w->f.text, "]}\n");
    return vd_out_close(&w->f, err);
}

static vd_status write_file(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out, .f = { .fd = -1 } };
    w.category_id = vd_mem_array((size_t)set->n_categories + 1, sizeof *w.category_id);
    vd_status st = w.category_id != NULL ? write_document(&w, err) : vd_nomem(err);
    vd_out_drop(&w.f);
    vd_map_free(w.tracks);
    vd_videos_reset(&w.videos);
    vd_video_tracks_reset(&w.shown);
    vd_mem_free(w.category_id);
    vd_str_reset(&w.masks);
    vd_str_reset(&w.boxes);
    vd_str_reset(&w.areas);
    return st;
}

static int detect(const vd_label_probe *p) {
    return !p->folder && !p->list && vd_probe_key(p, "videos") ? 80 : 0;
}

const vd_label_format vd_label_ytvis = {
    .name = "youtube-vis",
    .summary = "YouTube-VIS JSON: masks and boxes with tracks",
    .holds = HOLDS,
    .detect = detect,
    .read = read_path,
    .write = write_file,
};
