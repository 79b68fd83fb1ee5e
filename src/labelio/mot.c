/* MOTChallenge and MOTS: sequences of frames with tracks. SPDX-License-Identifier: Apache-2.0
 *
 * gt.txt: frame, id, left, top, width, height, counts (0 or 1), class, visibility. det.txt and
 * results: the seventh column is a score, and -1 follows. Frames and ids are kept as they are.
 * Milan et al., MOT16, arXiv 1603.00831. MOTS: Voigtlaender et al., CVPR 2019. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/words.h"
#include "label/mask.h"
#include "labelio/simple.h"

static const char *const benchmark_classes[] = {
    "pedestrian", "person on vehicle",      "car",           "bicycle",
    "motorbike",  "non motorized vehicle",  "static person", "distractor",
    "occluder",   "occluder on the ground", "occluder full", "reflection",
    "crowd"
};
static const char *const attributes[] = { "counts", "visibility" };

enum { MAX_FRAME = 100000000, MAX_CLASS = 100000 };

/* ---- lines ---- */

static vd_status frame_image(vd_label_in *in, const vd_mot_sequence *seq, int64_t frame,
                             int32_t *image, vd_err *err) {
    char name[1024];
    snprintf(name, sizeof name, "%s%s%s/%06lld%s", seq->root != NULL ? seq->root : "",
             seq->root != NULL ? "/" : "", seq->folder, (long long)frame, seq->ext);
    const vd_label_image m = { .name = name,
                               .width = seq->width,
                               .height = seq->height,
                               .sequence = seq->name,
                               .frame = frame,
                               .subset = NULL };
    return vd_label_in_image(in, &m, image, NULL, err);
}

static vd_status class_of(vd_label_in *in, const vd_mot_sequence *seq, int64_t class, int32_t *out,
                          vd_err *err) {
    char number[32];
    snprintf(number, sizeof number, "class %lld", (long long)class);
    const char *name = number;
    if (class < 1) return VD_OK;
    if (seq->classes != NULL && seq->classes->n > 0)
        name = class <= seq->classes->n ? seq->classes->name[class - 1] : number;
    else if (class <= VD_COUNT(benchmark_classes))
        name = benchmark_classes[class - 1];
    const vd_label_category c = { .id = class, .name = name };
    return vd_label_in_category(in, &c, out, err);
}

static vd_status add_line(vd_label_in *in, vd_build *b, const double v[9], int n,
                          const vd_mot_sequence *seq, const char *where, vd_err *err) {
    bool whole = v[0] >= 0 && v[0] <= MAX_FRAME && v[0] == (double)(int64_t)v[0] && v[1] >= -1 &&
                 v[1] <= 9e15 && v[1] == (double)(int64_t)v[1];
    int32_t image = 0;
    if (!whole) return vd_fail(err, VD_E_FORMAT, "%s: frame %g, id %g", where, v[0], v[1]);
    VD_TRY(frame_image(in, seq, (int64_t)v[0], &image, err));
    vd_build_clear(b, image);
    vd_build_box(b, v[2], v[3], v[4], v[5]);
    if (v[1] >= 0) {
        b->o.has |= VD_OBJ_TRACK;
        b->o.track = (int64_t)v[1];
    }
    if (n >= 7 && seq->truth) vd_attr_real(&b->attributes, "counts", v[6]);
    if (n >= 7 && !seq->truth) {
        b->o.has |= VD_OBJ_SCORE;
        b->o.score = v[6];
    }
    if (n >= 8 && seq->truth && v[7] >= 1 && v[7] <= MAX_CLASS)
        VD_TRY(class_of(in, seq, (int64_t)v[7], &b->o.category, err));
    if (n >= 9 && seq->truth) vd_attr_real(&b->attributes, "visibility", v[8]);
    return vd_build_push(b, in, where, err);
}

vd_status vd_mot_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                       const vd_mot_sequence *seq, vd_err *err) {
    vd_words w = vd_words_of(where, text, size);
    vd_build b = { 0 };
    vd_status st = VD_OK;
    char at[512];
    while (st == VD_OK && vd_words_line_with_words(&w)) {
        double v[9] = { 0 };
        int n = 0;
        snprintf(at, sizeof at, "%s:%lld", where, (long long)w.line);
        for (const char *p = w.p; p < w.eol && n < 9;) {
            char *end = NULL;
            double x = strtod(p, &end);
            bool ok = end != p && end <= w.eol && (end == w.eol || strchr(", \t\r", *end) != NULL);
            if (!ok || !(x - x == 0)) {
                VD_GO(vd_fail(err, VD_E_FORMAT, "%s: column %d is not a finite number", at, n + 1));
            }
            v[n++] = x;
            for (p = end; p < w.eol && strchr(", \t\r", *p) != NULL;) p++;
        }
        if (n < 6) VD_GO(vd_fail(err, VD_E_FORMAT, "%s: %d columns, 6 are needed", at, n));
        st = add_line(in, &b, v, n, seq, at, err);
    }
done:
    vd_build_reset(&b);
    return st;
}

vd_status vd_mots_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                        const vd_mot_sequence *seq, vd_err *err) {
    vd_words w = vd_words_of(where, text, size);
    vd_mask mask = { 0 };
    vd_status st = VD_OK;
    char at[512];
    while (st == VD_OK && vd_words_line_with_words(&w)) {
        vd_label_object o = { .has = VD_OBJ_MASK | VD_OBJ_TRACK, .category = VD_LABEL_NONE };
        int64_t frame = 0, class = 0, h = 0, width = 0;
        const char *counts = NULL;
        size_t n = 0;
        snprintf(at, sizeof at, "%s:%lld", where, (long long)w.line);
        VD_GO(vd_words_int(&w, &frame, 0, MAX_FRAME, "the frame", err));
        VD_GO(vd_words_int(&w, &o.track, 0, INT64_MAX, "the id", err));
        VD_GO(vd_words_int(&w, &class, 0, MAX_CLASS, "the class", err));
        VD_GO(vd_words_int(&w, &h, 1, VD_LABEL_MAX_SIDE, "the height", err));
        VD_GO(vd_words_int(&w, &width, 1, VD_LABEL_MAX_SIDE, "the width", err));
        VD_GO(vd_words_word(&w, &counts, &n, "the mask", err));
        VD_GO(vd_words_end(&w, err));
        vd_mask_reset(&mask);
        VD_GO(vd_mask_from_text(&mask, at, counts, (int64_t)n, h, width, err));
        vd_mot_sequence sized = *seq;
        sized.width = (int32_t)width;
        sized.height = (int32_t)h;
        VD_GO(frame_image(in, &sized, frame, &o.image, err));
        if (class == 10) { /* regions that are not judged */
            o.has |= VD_OBJ_CROWD;
            VD_GO(vd_label_in_class(in, "ignore region", &o.category, err));
        } else {
            VD_GO(class_of(in, &sized, class, &o.category, err));
        }
        o.runs = mask.run;
        o.n_runs = mask.n;
        o.mask_width = mask.width;
        o.mask_height = mask.height;
        st = vd_label_in_object(in, at, &o, err);
    }
done:
    vd_mask_reset(&mask);
    return st;
}

/* ---- sequences ---- */

typedef struct sequence {
    vd_mot_sequence s;
    vd_names classes;
    vd_str name, folder, ext, path;
} sequence;

static void ini_line(sequence *q, const char *line, size_t n) {
    const char *eq = memchr(line, '=', n);
    if (eq == NULL) return;
    size_t key = (size_t)(eq - line);
    while (key > 0 && line[key - 1] == ' ') key--;
    const char *v = eq + 1;
    while (v < line + n && *v == ' ') v++;
    size_t len = (size_t)(line + n - v);
    while (len > 0 && (v[len - 1] == '\r' || v[len - 1] == ' ')) len--;
    vd_str *text = key == 4 && memcmp(line, "name", 4) == 0    ? &q->name
                   : key == 5 && memcmp(line, "imDir", 5) == 0 ? &q->folder
                   : key == 5 && memcmp(line, "imExt", 5) == 0 ? &q->ext
                                                               : NULL;
    if (text != NULL) {
        vd_str_clear(text);
        vd_str_addn(text, v, (int64_t)len);
    }
    long side = len > 0 && len < 9 ? strtol(v, NULL, 10) : 0;
    if (side < 0 || side > VD_LABEL_MAX_SIDE) return;
    if (key == 7 && memcmp(line, "imWidth", 7) == 0) q->s.width = (int32_t)side;
    if (key == 8 && memcmp(line, "imHeight", 8) == 0) q->s.height = (int32_t)side;
}

static vd_status read_lines(const char *path, char **text, vd_err *err) {
    size_t size = 0;
    return vd_file_read(text, &size, path, VD_LABEL_MAX_TEXT, err);
}

static vd_status read_ini(sequence *q, const char *root, vd_err *err) {
    char *text = NULL;
    if (!vd_is_file(vd_join(&q->path, root, "seqinfo.ini"))) return VD_OK;
    VD_TRY(read_lines(q->path.data, &text, err));
    for (char *p = text; *p != '\0'; p += *p == '\n') {
        size_t n = strcspn(p, "\n");
        ini_line(q, p, n);
        p += n;
    }
    vd_mem_free(text);
    return VD_OK;
}

static vd_status read_classes(sequence *q, const char *root, vd_err *err) {
    char *text = NULL;
    vd_status st = VD_OK;
    if (!vd_is_file(vd_join(&q->path, root, "gt/labels.txt"))) return VD_OK;
    VD_TRY(read_lines(q->path.data, &text, err));
    for (char *p = text; st == VD_OK && *p != '\0';) {
        size_t n = strcspn(p, "\n"), bare = n;
        while (bare > 0 && p[bare - 1] == '\r') bare--;
        if (bare > 0) st = vd_names_add(&q->classes, p, bare, err);
        p += n + (p[n] == '\n');
    }
    vd_mem_free(text);
    return st;
}

static const char *const labels_in[] = { "gt/gt.txt", "det/det.txt" };

static bool is_sequence(const char *root) {
    vd_str s = { 0 };
    bool is = false;
    for (int i = 0; i < VD_COUNT(labels_in); i++)
        is = is || vd_is_file(vd_join(&s, root, labels_in[i]));
    vd_str_reset(&s);
    return is;
}

/* Pictures of frames without a label, too, and the size where the file of the sequence is silent.
 */
static vd_status push_frames(vd_label_in *in, sequence *q, const char *root, vd_err *err) {
    vd_names frames = { 0 };
    vd_status st = VD_OK;
    int32_t image = 0;
    if (!vd_is_folder(vd_join(&q->path, root, q->s.folder))) return VD_OK;
    VD_GO(vd_names_of(&frames, q->path.data, err));
    for (int64_t i = 0; i < frames.n; i++) {
        char *end = NULL;
        long frame = strtol(frames.name[i], &end, 10);
        if (end == frames.name[i] || *end != '.' || !vd_is_picture_name(frames.name[i])) continue;
        if (q->ext.size == 0) vd_str_add(&q->ext, end);
        q->s.ext = vd_str_text(&q->ext);
        vd_str path = { 0 };
        vd_join(&path, q->path.data, frames.name[i]);
        if (q->s.width == 0) vd_label_picture_size(vd_str_text(&path), &q->s.width, &q->s.height);
        vd_str_reset(&path);
        VD_GO(frame_image(in, &q->s, frame, &image, err));
    }
done:
    vd_names_reset(&frames);
    return st;
}

static vd_status read_sequence(vd_label_in *in, const char *root, const char *in_names, bool masks,
                               vd_err *err) {
    sequence q = { 0 };
    vd_status st = VD_OK;
    char *text = NULL;
    vd_str_add(&q.name, vd_path_name(root));
    vd_str_add(&q.folder, "img1");
    VD_GO(read_ini(&q, root, err));
    VD_GO(read_classes(&q, root, err));
    q.s.name = vd_str_text(&q.name);
    q.s.root = in_names;
    q.s.folder = vd_str_text(&q.folder);
    q.s.classes = &q.classes;
    for (int64_t i = 0; i < q.classes.n; i++) {
        int32_t index = 0;
        VD_GO(class_of(in, &q.s, i + 1, &index, err));
    }
    VD_GO(push_frames(in, &q, root, err));
    if (q.ext.size == 0) vd_str_add(&q.ext, ".jpg");
    VD_GO(vd_str_check(&q.ext, err));
    q.s.ext = q.ext.data;
    for (int i = 0; i < VD_COUNT(labels_in); i++) {
        if (!vd_is_file(vd_join(&q.path, root, labels_in[i]))) continue;
        q.s.truth = i == 0;
        VD_GO(read_lines(q.path.data, &text, err));
        st = masks ? vd_mots_parse(in, q.path.data, text, strlen(text), &q.s, err)
                   : vd_mot_parse(in, q.path.data, text, strlen(text), &q.s, err);
        break; /* detections are no truth: only where there is none */
    }
done:
    vd_mem_free(text);
    vd_names_reset(&q.classes);
    vd_str_reset(&q.name);
    vd_str_reset(&q.folder);
    vd_str_reset(&q.ext);
    vd_str_reset(&q.path);
    return st;
}

static vd_status read_all(vd_label_in *in, const char *path, bool masks, vd_err *err) {
    vd_names names = { 0 };
    vd_str root = { 0 };
    int64_t n = 0;
    if (is_sequence(path)) return read_sequence(in, path, NULL, masks, err);
    vd_status st = vd_names_of(&names, path, err);
    for (int64_t i = 0; st == VD_OK && i < names.n; i++) {
        if (!is_sequence(vd_join(&root, path, names.name[i]))) continue;
        st = read_sequence(in, root.data, names.name[i], masks, err);
        n++;
    }
    if (st == VD_OK && n == 0)
        st = vd_fail(err, VD_E_NOTFOUND, "label: no gt/gt.txt in %s or in the folders in it", path);
    vd_names_reset(&names);
    vd_str_reset(&root);
    return st;
}

static vd_status read_mot(vd_label_in *in, const char *path, vd_err *err) {
    return read_all(in, path, false, err);
}
static vd_status read_mots(vd_label_in *in, const char *path, vd_err *err) {
    return read_all(in, path, true, err);
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    bool masks;
    vd_str text, name;
} writer;

/* Frame numbers of a sequence: its own, or the order of its pictures where one has none. */
static int64_t frame_of(const vd_label_image *m, int64_t nth) {
    return m->frame != VD_LABEL_NONE ? m->frame : nth + 1;
}

static bool same_sequence(const vd_label_image *a, const vd_label_image *b) {
    const char *x = a->sequence != NULL ? a->sequence : "",
               *y = b->sequence != NULL ? b->sequence : "";
    return strcmp(x, y) == 0;
}

static vd_status add_box(writer *w, const vd_label_image *m, int64_t frame,
                         const vd_label_object *o, vd_err *err) {
    double box[4];
    vd_str *s = &w->text;
    VD_TRY(vd_label_lose_attributes(w->out->report, m, o, attributes, VD_COUNT(attributes), err));
    if (!vd_label_bounds(o, box))
        return vd_label_lose(w->out->report, err, "objects without a box", "%s", m->name);
    vd_str_addf(s, "%lld,%lld", (long long)frame, o->has & VD_OBJ_TRACK ? (long long)o->track : -1);
    for (int i = 0; i < 4; i++) {
        vd_str_addc(s, ',');
        vd_decimal_add(s, box[i]);
    }
    vd_str_addc(s, ',');
    vd_decimal_add(s,
                   o->has & VD_OBJ_SCORE ? o->score : vd_attr_number(o->attributes, "counts", 1));
    vd_str_addf(s, ",%d,", o->category + 1);
    vd_decimal_add(s, vd_attr_number(o->attributes, "visibility", 1));
    vd_str_addc(s, '\n');
    return VD_OK;
}

static vd_status add_mask(writer *w, const vd_label_image *m, int64_t frame,
                          const vd_label_object *o, vd_err *err) {
    if (!(o->has & VD_OBJ_MASK))
        return vd_label_lose(w->out->report, err, "objects without a mask", "%s", m->name);
    const vd_mask mask = { o->mask_height, o->mask_width, o->n_runs, (uint32_t *)o->runs };
    vd_str_addf(&w->text, "%lld %lld %d %d %d ", (long long)frame, (long long)o->track,
                o->has & VD_OBJ_CROWD ? 10 : o->category + 1, o->mask_height, o->mask_width);
    vd_mask_text(&mask, &w->text);
    vd_str_addc(&w->text, '\n');
    return VD_OK;
}

static vd_status put(writer *w, const char *name, const char *file, vd_err *err) {
    vd_str_clear(&w->name);
    vd_add_safe_name(&w->name, name, "");
    vd_str_addf(&w->name, "/%s", file);
    VD_TRY(vd_str_check(&w->name, err));
    return vd_out_text(w->out->path, w->name.data, &w->text, err);
}

static vd_status write_info(writer *w, const vd_label_image *first, const char *name,
                            int64_t length, vd_err *err) {
    vd_str_clear(&w->text);
    vd_str_addf(&w->text,
                "[Sequence]\nname=%s\nimDir=img1\nseqLength=%lld\nimWidth=%d\nimHeight=%d\n"
                "imExt=.%s\n",
                name, (long long)length, first->width, first->height,
                vd_path_ext(first->name)[0] != '\0' ? vd_path_ext(first->name) : "jpg");
    VD_TRY(put(w, name, "seqinfo.ini", err));
    vd_str_clear(&w->text);
    for (int64_t i = 0; i < w->set->n_categories; i++)
        vd_str_addf(&w->text, "%s\n", w->set->categories[i].name);
    return put(w, name, "gt/labels.txt", err);
}

static vd_status write_sequence(writer *w, int64_t first, vd_err *err) {
    const vd_label_image *f = &w->set->images[first];
    const char *name = f->sequence != NULL ? f->sequence : "sequence";
    int64_t nth = 0, last = 0;
    vd_label_object o;
    vd_str_clear(&w->text);
    for (int64_t i = first; i < w->set->n_images; i++) {
        const vd_label_image *m = &w->set->images[i];
        if (!same_sequence(f, m)) continue;
        int64_t frame = frame_of(m, nth++);
        last = VD_MAX(last, frame);
        for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
            uint32_t holds = VD_OBJ_TRACK | VD_LABEL_HOLDS_ATTRIBUTES |
                             (w->masks ? VD_OBJ_MASK | VD_OBJ_CROWD : VD_OBJ_BOX | VD_OBJ_SCORE);
            VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
            VD_TRY(vd_label_lose_rest(w->out->report, m, &o, holds, err));
            VD_TRY(w->masks ? add_mask(w, m, frame, &o, err) : add_box(w, m, frame, &o, err));
        }
    }
    VD_TRY(put(w, name, "gt/gt.txt", err));
    return write_info(w, f, name, last, err);
}

static vd_status write_all(vd_label_set *set, const vd_label_out *out, bool masks, vd_err *err) {
    writer w = { .set = set, .out = out, .masks = masks };
    vd_status st = vd_make_folders(out->path, err);
    for (int64_t i = 0; st == VD_OK && i < set->n_images; i++) {
        bool begun = false; /* sequences lie together in all that we read: the last one is asked */
        for (int64_t k = i; k-- > 0 && !begun;)
            begun = same_sequence(&set->images[i], &set->images[k]);
        if (!begun) st = write_sequence(&w, i, err);
    }
    vd_str_reset(&w.text);
    vd_str_reset(&w.name);
    return st;
}

static vd_status write_mot(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_all(set, out, false, err);
}
static vd_status write_mots(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_all(set, out, true, err);
}

/* ---- rows ---- */

/* Boxes have commas where masks are text. */
static int detect_kind(const vd_label_probe *p, bool masks) {
    vd_str path = { 0 };
    char head[4096];
    int sure = 0;
    if (p->folder && vd_probe_below(p, "gt/gt.txt")) vd_join(&path, p->path, "gt/gt.txt");
    for (int64_t i = 0; p->folder && i < p->names.n && path.size == 0; i++) {
        vd_str_addf(&path, "%s/%s/gt/gt.txt", p->path, p->names.name[i]);
        if (!vd_is_file(vd_str_text(&path))) vd_str_clear(&path);
    }
    if (path.size > 0) {
        vd_read_head(path.data, head, sizeof head);
        sure = (memchr(head, ',', strcspn(head, "\n")) == NULL) == masks ? 85 : 0;
    }
    vd_str_reset(&path);
    return sure;
}
static int detect_mot(const vd_label_probe *p) {
    return detect_kind(p, false);
}
static int detect_mots(const vd_label_probe *p) {
    return detect_kind(p, true);
}

const vd_label_format vd_label_mot = {
    .name = "mot",
    .summary = "MOTChallenge: boxes with tracks, a folder a sequence",
    .folder = true,
    .holds = VD_OBJ_BOX | VD_OBJ_TRACK | VD_OBJ_SCORE | VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect_mot,
    .read = read_mot,
    .write = write_mot,
};
const vd_label_format vd_label_mots = {
    .name = "mots",
    .summary = "MOTS text: masks with tracks, a folder a sequence",
    .folder = true,
    .holds = VD_OBJ_MASK | VD_OBJ_TRACK | VD_OBJ_CROWD,
    .detect = detect_mots,
    .read = read_mots,
    .write = write_mots,
};
