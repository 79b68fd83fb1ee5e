/* MOTS in PNG files: a map a frame, whose pixels have 1000 * class + object.
 * https://www.vision.rwth-aachen.de/page/mots. SPDX-License-Identifier: Apache-2.0
 *
 * Maps lie in "instances/SEQUENCE" or, of a folder that is one sequence, in "instances"; labels.txt
 * there names the classes from 1, which are else those of KITTI MOTS. 10000 is a region that is not
 * judged. The number of an object is its track. Voigtlaender et al., CVPR 2019. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "labelio/simple.h"
#include "labelkit/maps.h"
#include "labelkit/paint.h"

enum { PER_CLASS = 1000, IGNORED = 10000, MOST_CLASS = 64, NUMBERS = 1 << 16 };

static const char IGNORE_REGION[] = "ignore region";
static const char *const kitti_classes[] = { "car", "pedestrian" };

/* ---- reading ---- */

typedef struct reader {
    vd_label_in *in;
    const char *root;
    vd_names files, classes;
    vd_str path, picture, folder, sequence;
} reader;

static vd_status read_classes(reader *r, const char *file, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    vd_join(&r->path, r->root, file);
    VD_TRY(vd_str_check(&r->path, err));
    VD_TRY(vd_file_read(&text, &size, r->path.data, VD_LABEL_MAX_TEXT, err));
    vd_status st = VD_OK;
    for (const char *p = text; st == VD_OK && *p != '\0';) {
        size_t n = strcspn(p, "\r\n");
        if (n > 0) st = vd_names_add(&r->classes, p, n, err);
        p += n;
        p += strspn(p, "\r\n");
    }
    vd_mem_free(text);
    return st;
}

/* Those of the first list below the folder; all of them, so that their order is that of the list.
 */
static vd_status take_classes(reader *r, vd_err *err) {
    for (int64_t i = 0; i < r->files.n && r->classes.n == 0; i++)
        if (strcmp(vd_path_name(r->files.name[i]), "labels.txt") == 0)
            VD_TRY(read_classes(r, r->files.name[i], err));
    for (int i = 0; i < VD_COUNT(kitti_classes) && r->classes.n == 0; i++)
        VD_TRY(vd_names_add(&r->classes, kitti_classes[i], strlen(kitti_classes[i]), err));
    for (int64_t i = 0; i < r->classes.n; i++) {
        const vd_label_category c = { .id = i + 1, .name = r->classes.name[i], .thing = 1 };
        int32_t index = 0;
        VD_TRY(vd_label_in_category(r->in, &c, &index, err));
    }
    return VD_OK;
}

static vd_status push_number(reader *r, int32_t image, int32_t value, const vd_mask *mask,
                             vd_err *err) {
    const int64_t class = value / PER_CLASS;
    char number[32];
    snprintf(number, sizeof number, "class %lld", (long long)class);
    const vd_label_category c = { .id = class,
                                  .name = class >= 1 && class <= r->classes.n
                                              ? r->classes.name[class - 1]
                                              : number,
                                  .thing = 1 };
    vd_label_object o = { .has = VD_OBJ_TRACK, .image = image, .track = value };
    vd_label_give_mask(&o, mask);
    if (value == IGNORED) {
        o.has = VD_OBJ_MASK | VD_OBJ_CROWD;
        VD_TRY(vd_label_in_class(r->in, IGNORE_REGION, &o.category, err));
    } else {
        VD_TRY(vd_label_in_category(r->in, &c, &o.category, err));
    }
    return vd_label_in_object(r->in, r->path.data, &o, err);
}

/* "train/instances/0002/000003.png": sequence 0002, frame 3, picture train/images/0002/000003.*. */
static vd_status image_of(reader *r, const char *file, const vd_label_map *map, int32_t *image,
                          vd_err *err) {
    const char *mark = vd_str_starts(file, "instances/") ? file : strstr(file, "/instances/") + 1;
    const char *rest = mark + strlen("instances/"), *last = vd_path_name(file);
    char *end = NULL;
    vd_str_clear(&r->folder);
    vd_str_addn(&r->folder, file, mark - file);
    vd_str_add(&r->folder, "images/");
    vd_str_addn(&r->folder, rest, VD_MAX(last - 1 - rest, 0));
    vd_str_clear(&r->sequence);
    if (last > rest)
        vd_str_addn(&r->sequence, rest, last - 1 - rest);
    else if (mark > file)
        vd_str_addn(&r->sequence, file, mark - 1 - file);
    else
        vd_str_add(&r->sequence, vd_path_name(r->root));
    VD_TRY(vd_str_check(&r->folder, err));
    VD_TRY(vd_str_check(&r->sequence, err));
    if (r->folder.data[r->folder.size - 1] == '/') r->folder.data[--r->folder.size] = '\0';
    VD_TRY(vd_label_picture_of(r->in, &r->picture, r->root, r->folder.data, file, err));
    vd_str_addf(&r->folder, "/%.*s.%s", (int)strcspn(last, "."), last,
                vd_path_ext(r->picture.data));
    VD_TRY(vd_str_check(&r->folder, err));
    long frame = strtol(last, &end, 10);
    bool numbered = end != last && *end == '.' && frame >= 0;
    /* frames of sequences have the same names: the folder tells them apart */
    const vd_label_image m = { .name = r->folder.data,
                               .width = map->width,
                               .height = map->height,
                               .subset = vd_label_subset_in(file),
                               .sequence = r->sequence.data,
                               .frame = numbered ? frame : VD_LABEL_NONE };
    return vd_label_in_image(r->in, &m, image, NULL, err);
}

static vd_status read_frame(reader *r, const char *file, vd_err *err) {
    vd_label_maps *maps = NULL;
    int32_t image = 0;
    vd_join(&r->path, r->root, file);
    VD_TRY(vd_str_check(&r->path, err));
    VD_TRY(vd_label_in_map(r->in, &maps, r->path.data, VD_MAP_IDS, 0, 0, err));
    if (maps == NULL) return VD_OK;
    if (maps->map.colours)
        return vd_fail(err, VD_E_FORMAT, "%s: colours, not numbers of objects", r->path.data);
    VD_TRY(image_of(r, file, &maps->map, &image, err));
    for (int64_t i = 0; i < maps->masks.n; i++)
        if (maps->masks.id[i] != 0)
            VD_TRY(push_number(r, image, maps->masks.id[i], &maps->masks.mask[i], err));
    return VD_OK;
}

static bool is_map(const char *file) {
    return vd_str_ends(file, ".png") &&
           (vd_str_starts(file, "instances/") || strstr(file, "/instances/") != NULL);
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    reader r = { .in = in, .root = path };
    int64_t n = 0;
    vd_status st = VD_OK;
    VD_GO(vd_names_below(&r.files, path, err));
    VD_GO(take_classes(&r, err));
    for (int64_t i = 0; i < r.files.n; i++) {
        if (!is_map(r.files.name[i])) continue;
        VD_GO(read_frame(&r, r.files.name[i], err));
        n++;
    }
    if (n == 0) st = vd_fail(err, VD_E_NOTFOUND, "label: no instances/*.png below %s", path);
done:
    vd_names_reset(&r.files);
    vd_names_reset(&r.classes);
    vd_str_reset(&r.path);
    vd_str_reset(&r.picture);
    vd_str_reset(&r.folder);
    vd_str_reset(&r.sequence);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_painter painter;
    vd_map *number_of; /* from sequence, class and track */
    uint8_t *used;     /* numbers of the present sequence's tracks */
    uint8_t *here;     /* ... of the present frame */
    vd_str name, key;
} writer;

static const char *sequence_of(const vd_label_image *m) {
    return m->sequence != NULL ? m->sequence : "sequence";
}

/* A track keeps its number: its own where that is of its class and free, else the next one. 0: none
 * is left. What has no track gets a number of its own. */
static vd_status track_number(writer *w, const char *sequence, const vd_label_object *o,
                              int32_t *number, vd_err *err) {
    const int32_t class = o->category + 1, first = class * PER_CLASS;
    bool tracked = o->has & VD_OBJ_TRACK;
    int64_t at = 0;
    vd_str_clear(&w->key);
    vd_str_addf(&w->key, "%d %lld %s", class, (long long)o->track, sequence);
    VD_TRY(vd_str_check(&w->key, err));
    *number = 0;
    if (class > MOST_CLASS) return VD_OK;
    if (tracked && vd_map_get(w->number_of, w->key.data, (size_t)w->key.size, &at)) {
        *number = (int32_t)at;
        return VD_OK;
    }
    bool own = tracked && o->track / PER_CLASS == class && o->track < NUMBERS &&
               o->track != IGNORED && !w->used[o->track];
    for (int32_t k = 1; !own && *number == 0 && k < PER_CLASS && first + k < NUMBERS; k++)
        if (!w->used[first + k]) *number = first + k;
    if (own) *number = (int32_t)o->track;
    if (*number == 0) return VD_OK;
    w->used[*number] = 1;
    return tracked ? vd_map_put(w->number_of, w->key.data, (size_t)w->key.size, *number, err)
                   : VD_OK;
}

/* Tracks whose numbers are of their class take them before others are counted. */
static vd_status reserve(writer *w, int64_t first, vd_err *err) {
    const char *sequence = sequence_of(&w->set->images[first]);
    vd_label_object o;
    memset(w->used, 0, NUMBERS);
    for (int64_t i = first; i < w->set->n_images; i++) {
        if (strcmp(sequence_of(&w->set->images[i]), sequence) != 0) continue;
        for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
            int32_t number = 0;
            VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
            if (o.has & VD_OBJ_TRACK && o.category >= 0 && o.category < MOST_CLASS &&
                o.track / PER_CLASS == o.category + 1)
                VD_TRY(track_number(w, sequence, &o, &number, err));
        }
    }
    return VD_OK;
}

static vd_status paint_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                              vd_err *err) {
    vd_label_report *report = w->out->report;
    int32_t number = o->has & VD_OBJ_CROWD ? IGNORED : 0;
    bool painted = false;
    VD_TRY(vd_label_lose_rest(report, m, o, VD_OBJ_MASK | VD_OBJ_CROWD | VD_OBJ_TRACK, err));
    if (number == 0 && o->category >= 0) VD_TRY(track_number(w, sequence_of(m), o, &number, err));
    if (number == 0)
        return vd_label_lose(report, err, "objects without a number that fits", "%s", m->name);
    if (number == IGNORED && o->category >= 0 &&
        strcmp(w->set->categories[o->category].name, IGNORE_REGION) != 0)
        VD_TRY(vd_label_lose(report, err, "classes of crowds", "%s", m->name));
    VD_TRY(vd_paint_object(&w->painter, &painted, m, o, number, report, err));
    if (painted && w->here[number] && number != IGNORED)
        VD_TRY(vd_label_lose(report, err, "objects that are not told apart", "%s: %d", m->name,
                             number));
    if (painted) w->here[number] = 1;
    return VD_OK;
}

static vd_status write_frame(writer *w, int64_t i, int64_t nth, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    char file[32];
    bool sized = false;
    vd_label_object o;
    VD_TRY(vd_paint_begin(&w->painter, &sized, m, w->out->report, err));
    if (!sized) return VD_OK;
    memset(w->here, 0, NUMBERS);
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(paint_object(w, m, &o, err));
    }
    vd_str_clear(&w->name);
    vd_str_add(&w->name, "instances/");
    vd_add_safe_name(&w->name, sequence_of(m), "");
    snprintf(file, sizeof file, "/%06lld.png",
             (long long)(m->frame != VD_LABEL_NONE ? m->frame : nth));
    vd_str_add(&w->name, file);
    VD_TRY(vd_str_check(&w->name, err));
    return vd_paint_write(&w->painter, VD_PAINT_GREY16, w->out->path, w->name.data, err);
}

static vd_status write_sequences(writer *w, vd_err *err) {
    for (int64_t first = 0; first < w->set->n_images; first++) {
        const char *name = sequence_of(&w->set->images[first]);
        bool begun = false; /* sequences lie together in all that we read: the last one is asked */
        for (int64_t k = first; k-- > 0 && !begun;)
            begun = strcmp(sequence_of(&w->set->images[k]), name) == 0;
        if (begun) continue;
        VD_TRY(reserve(w, first, err));
        for (int64_t i = first, nth = 1; i < w->set->n_images; i++)
            if (strcmp(sequence_of(&w->set->images[i]), name) == 0)
                VD_TRY(write_frame(w, i, nth++, err));
    }
    return VD_OK;
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out };
    vd_str names = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_make_folders(out->path, err));
    VD_GO(vd_map_new(&w.number_of, err));
    w.used = vd_mem_array(NUMBERS, 1);
    w.here = vd_mem_array(NUMBERS, 1);
    if (w.used == NULL || w.here == NULL) VD_GO(vd_nomem(err));
    VD_GO(write_sequences(&w, err));
    for (int64_t i = 0; i < set->n_categories; i++)
        vd_str_addf(&names, "%s\n", set->categories[i].name);
    st = vd_out_text(out->path, "instances/labels.txt", &names, err);
done:
    vd_painter_reset(&w.painter);
    vd_map_free(w.number_of);
    vd_mem_free(w.used);
    vd_mem_free(w.here);
    vd_str_reset(&w.name);
    vd_str_reset(&w.key);
    vd_str_reset(&names);
    return st;
}

/* "instances" with a list of classes, or with a folder a sequence: others call other things so. */
static bool has_instances(const char *path, const char *below) {
    vd_names names = { 0 };
    vd_str s = { 0 }, inner = { 0 };
    bool is = false;
    vd_str_addf(&s, "%s/%sinstances", path, below);
    if (vd_is_folder(vd_str_text(&s)) && vd_names_of(&names, s.data, NULL) == VD_OK)
        for (int64_t i = 0; i < names.n && !is; i++)
            is = strcmp(names.name[i], "labels.txt") == 0 ||
                 vd_is_folder(vd_join(&inner, s.data, names.name[i]));
    vd_names_reset(&names);
    vd_str_reset(&s);
    vd_str_reset(&inner);
    return is;
}

static int detect(const vd_label_probe *p) {
    bool any = p->folder && has_instances(p->path, "");
    vd_str below = { 0 };
    for (int64_t i = 0; p->folder && i < p->names.n && !any; i++) {
        vd_str_clear(&below);
        vd_str_addf(&below, "%s/", p->names.name[i]);
        any = has_instances(p->path, vd_str_text(&below));
    }
    vd_str_reset(&below);
    return any ? 55 : 0;
}

const vd_label_format vd_label_mots_png = {
    .name = "mots-png",
    .summary = "MOTS in PNG files: a map of tracked objects a frame",
    .folder = true,
    .holds = VD_OBJ_MASK | VD_OBJ_TRACK | VD_OBJ_CROWD,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
