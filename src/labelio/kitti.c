/* KITTI's object labels: a text a picture, a line an object. SPDX-License-Identifier: Apache-2.0
 *
 * type truncated occluded alpha left top right bottom height width length x y z rotation_y [score];
 * what is 3D becomes attributes. Devkit of the benchmark, readme.txt. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/words.h"
#include "labelio/simple.h"

enum { N_NUMBERS = 14 };
static const char *const names[N_NUMBERS] = {
    "truncated",  "occluded",  "alpha",      NULL,         NULL,         NULL,         NULL,
    "dim_height", "dim_width", "dim_length", "location_x", "location_y", "location_z", "rotation_y"
};
/* what the devkit says for "not known" */
static const double unknown[N_NUMBERS] = { 0,  0,  -10, 0,     0,     0,     0,
                                           -1, -1, -1,  -1000, -1000, -1000, -10 };

vd_status vd_kitti_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                         int32_t image, vd_err *err) {
    vd_words w = vd_words_of(where, text, size);
    vd_build b = { 0 };
    vd_status st = VD_OK;
    char at[512], class[128];
    while (st == VD_OK && vd_words_line_with_words(&w)) {
        const char *word = NULL;
        size_t n = 0;
        double v[N_NUMBERS];
        vd_build_clear(&b, image);
        VD_GO(vd_words_word(&w, &word, &n, "the type", err));
        snprintf(class, sizeof class, "%.*s", (int)VD_MIN(n, sizeof class - 1), word);
        VD_GO(vd_words_reals(&w, v, N_NUMBERS, "a number", err));
        if (vd_words_more(&w)) {
            VD_GO(vd_words_real(&w, &b.o.score, "the score", err));
            b.o.has |= VD_OBJ_SCORE;
        }
        VD_GO(vd_words_end(&w, err));
        VD_GO(vd_label_in_class(in, class, &b.o.category, err));
        vd_build_box(&b, v[3], v[4], v[5] - v[3], v[6] - v[4]);
        for (int i = 0; i < N_NUMBERS; i++)
            if (names[i] != NULL && (i < 2 || v[i] != unknown[i]))
                vd_attr_real(&b.attributes, names[i], v[i]);
        snprintf(at, sizeof at, "%s:%lld", where, (long long)w.line);
        st = vd_build_push(&b, in, at, err);
    }
done:
    vd_build_reset(&b);
    return st;
}

typedef struct reader {
    vd_label_in *in;
    const char *root;
    bool placed; /* labels lie in folders "label_2", and other texts are none */
    vd_str name, beside, path;
} reader;

static vd_status on_file(void *user, const char *name, const char *where, const char *text,
                         size_t size, vd_err *err) {
    reader *r = user;
    int32_t image = 0;
    vd_label_image m = { .frame = VD_LABEL_NONE, .subset = vd_label_subset_in(name) };
    const char *label = strstr(name, "label_2/");
    if (r->placed && label == NULL) return VD_OK; /* calibration */
    if (strstr(where, "/ImageSets/") != NULL)
        return VD_OK; /* lists of pictures beside the labels */
    vd_str_clear(&r->beside);
    if (label != NULL) {
        vd_str_addn(&r->beside, name, label - name);
        vd_str_add(&r->beside, "image_2");
    }
    VD_TRY(vd_label_picture_of(r->in, &r->name, r->root, vd_str_text(&r->beside), name, err));
    m.name = r->name.data;
    VD_TRY(vd_label_in_size(r->in, m.name, vd_join(&r->path, r->root, m.name), &m.width, &m.height,
                            err));
    VD_TRY(vd_label_in_image(r->in, &m, &image, NULL, err));
    return vd_kitti_parse(r->in, where, text, size, image, err);
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    reader r = { .in = in, .root = path };
    static const char *const folders[] = { "label_2", "training/label_2", "testing/label_2" };
    for (int i = 0; i < VD_COUNT(folders); i++)
        r.placed = r.placed || vd_is_folder(vd_join(&r.path, path, folders[i]));
    vd_status st = vd_label_each_file(path, ".txt", on_file, &r, NULL, err);
    vd_str_reset(&r.name);
    vd_str_reset(&r.beside);
    vd_str_reset(&r.path);
    return st;
}

/* ---- writing ---- */

static vd_status add_object(vd_label_set *set, const vd_label_out *out, vd_str *s,
                            const vd_label_image *m, const vd_label_object *o, uint32_t holds,
                            vd_err *err) {
    double box[4];
    VD_TRY(vd_label_lose_rest(out->report, m, o, holds, err));
    VD_TRY(vd_label_lose_attributes(out->report, m, o, names, N_NUMBERS, err));
    if (o->category < 0 || !vd_label_bounds(o, box))
        return vd_label_lose(out->report, err, "objects without a class or a box", "%s", m->name);
    int64_t at = s->size;
    vd_str_add(s, set->categories[o->category].name);
    for (int64_t i = at; s->status == VD_OK && i < s->size; i++)
        if ((unsigned char)s->data[i] <= ' ') s->data[i] = '_';
    for (int i = 0; i < N_NUMBERS; i++) {
        double corner =
            i < 5 ? box[i < 3 ? 0 : i - 3] : box[VD_MIN(i, 6) - 5] + box[VD_MIN(i, 6) - 3];
        vd_str_addc(s, ' ');
        vd_decimal_add(s, names[i] != NULL ? vd_attr_number(o->attributes, names[i], unknown[i])
                                           : corner);
    }
    if (o->has & VD_OBJ_SCORE) {
        vd_str_addc(s, ' ');
        vd_decimal_add(s, o->score);
    }
    vd_str_addc(s, '\n');
    return VD_OK;
}

enum { HOLDS = VD_OBJ_BOX | VD_OBJ_SCORE | VD_LABEL_HOLDS_ATTRIBUTES };

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    vd_str text = { 0 }, name = { 0 };
    vd_status st = vd_make_folders(out->path, err);
    for (int64_t i = 0; st == VD_OK && i < set->n_images; i++) {
        const vd_label_image *m = &set->images[i];
        vd_label_object o;
        vd_str_clear(&text);
        vd_str_clear(&name);
        for (int64_t k = 0; k < vd_label_set_count(set, i); k++) {
            VD_GO(vd_label_set_get(set, i, k, &o, err));
            VD_GO(add_object(set, out, &text, m, &o, HOLDS, err));
        }
        bool test = m->subset != NULL && strcmp(m->subset, "test") == 0;
        vd_str_add(&name, test ? "testing/label_2/" : "training/label_2/");
        vd_add_safe_name(&name, vd_path_name(m->name), ".txt");
        VD_GO(vd_str_check(&name, err));
        st = vd_out_text(out->path, name.data, &text, err);
    }
done:
    vd_str_reset(&text);
    vd_str_reset(&name);
    return st;
}

static int detect(const vd_label_probe *p) {
    if (!p->folder) return 0;
    if (vd_probe_below(p, "training/label_2") || vd_probe_has(p, "label_2")) return 90;
    return 0;
}

const vd_label_format vd_label_kitti = {
    .name = "kitti",
    .summary = "KITTI object labels: boxes, with 3D boxes as attributes",
    .folder = true,
    .holds = HOLDS,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
