/* The table, and which row a path belongs to. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json_stream.h"
#include "base/mem.h"
#include "base/path.h"

enum { HEAD = 256 << 10, PROBED_FOLDERS = 20 };

extern const vd_label_format vd_label_coco, vd_label_lvis, vd_label_yolo, vd_label_yolo_segment,
    vd_label_yolo_pose, vd_label_yolo_obb, vd_label_voc, vd_label_kitti, vd_label_mot,
    vd_label_mots, vd_label_labelme, vd_label_cityscapes, vd_label_label_studio, vd_label_datumaro,
    vd_label_cvat, vd_label_imagenet, vd_label_csv, vd_label_open_images, vd_label_ytvis,
    vd_label_labelme_xml;

const vd_label_format *const vd_label_formats[] = {
    &vd_label_coco,         &vd_label_lvis,        &vd_label_yolo,    &vd_label_yolo_segment,
    &vd_label_yolo_pose,    &vd_label_yolo_obb,    &vd_label_voc,     &vd_label_kitti,
    &vd_label_mot,          &vd_label_mots,        &vd_label_labelme, &vd_label_cityscapes,
    &vd_label_label_studio, &vd_label_datumaro,    &vd_label_cvat,    &vd_label_imagenet,
    &vd_label_csv,          &vd_label_open_images, &vd_label_ytvis,   &vd_label_labelme_xml,
};
const int vd_n_label_formats = VD_COUNT(vd_label_formats);

const vd_label_format *vd_label_format_find(const char *name) {
    for (int i = 0; i < vd_n_label_formats; i++)
        if (strcmp(vd_label_formats[i]->name, name) == 0) return vd_label_formats[i];
    return NULL;
}

/* ---- probing ---- */

static void add_key(vd_label_probe *p, const char *key) {
    size_t used = strlen(p->keys), n = strlen(key);
    if (used + n + 2 > sizeof p->keys) return;
    memcpy(p->keys + used, key, n);
    p->keys[used + n] = ',';
    p->keys[used + n + 1] = '\0';
}

/* Members of the object that comes next, as far as the head goes: its end ends the walk. */
static void keys_of_object(vd_label_probe *p, vd_json_stream *s) {
    vd_js_text key;
    bool more = false;
    if (vd_js_enter(s, VD_JSON_OBJECT, NULL) != VD_OK) return;
    while (vd_js_member(s, &key, &more, NULL) == VD_OK && more) {
        add_key(p, key.p);
        if (vd_js_pass(s, NULL) != VD_OK) return;
    }
}

static vd_status keys_of(vd_label_probe *p, vd_err *err) {
    vd_json_stream *s = NULL;
    vd_json_type type = VD_JSON_NULL;
    bool more = false;
    const char *first = p->head + strspn(p->head, " \t\r\n\xef\xbb\xbf");
    if (*first != '{' && *first != '[') return VD_OK;
    VD_TRY(vd_js_open_bytes(&s, p->path, p->head, (size_t)p->n_head, err));
    p->list = *first == '[';
    if (!p->list)
        keys_of_object(p, s);
    else if (vd_js_enter(s, VD_JSON_ARRAY, NULL) == VD_OK && vd_js_item(s, &more, NULL) == VD_OK &&
             more && vd_js_type(s, &type, NULL) == VD_OK && type == VD_JSON_OBJECT)
        keys_of_object(p, s);
    vd_js_free(s);
    return VD_OK;
}

static vd_status probe_file(vd_label_probe *p, char *head, vd_err *err) {
    size_t got = 0;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", p->path);
    vd_status st = vd_file_pread(fd, head, HEAD, 0, &got, p->path, err);
    close(fd);
    head[got] = '\0';
    p->head = head;
    p->n_head = (int64_t)got;
    p->ext = vd_path_ext(p->path);
    return st == VD_OK ? keys_of(p, err) : st;
}

bool vd_probe_key(const vd_label_probe *p, const char *key) {
    return vd_str_list_has(p->keys, key);
}

bool vd_probe_has(const vd_label_probe *p, const char *name) {
    for (int64_t i = 0; i < p->names.n; i++)
        if (strcmp(p->names.name[i], name) == 0) return true;
    return false;
}

bool vd_probe_below(const vd_label_probe *p, const char *name) {
    vd_str s = { 0 };
    bool there = p->folder && access(vd_join(&s, p->path, name), F_OK) == 0;
    vd_str_reset(&s);
    return there;
}

bool vd_probe_any(const vd_label_probe *p, const char *suffix) {
    bool any = false;
    vd_str folder = { 0 };
    for (int64_t i = 0; i < p->names.n && !any; i++) any = vd_str_ends(p->names.name[i], suffix);
    for (int64_t i = 0; i < p->names.n && i < PROBED_FOLDERS && !any; i++) {
        vd_names names = { 0 };
        if (!vd_is_folder(vd_join(&folder, p->path, p->names.name[i]))) continue;
        if (vd_names_of(&names, vd_str_text(&folder), NULL) == VD_OK)
            for (int64_t k = 0; k < names.n && !any; k++) any = vd_str_ends(names.name[k], suffix);
        vd_names_reset(&names);
    }
    vd_str_reset(&folder);
    return any;
}

static vd_status best_of(const vd_label_format **out, const vd_label_probe *p, vd_err *err) {
    int best = 0;
    for (int i = 0; i < vd_n_label_formats; i++) {
        int sure = vd_label_formats[i]->detect(p);
        if (sure <= best) continue;
        best = sure;
        *out = vd_label_formats[i];
    }
    if (best > 0) return VD_OK;
    return vd_fail(err, VD_E_UNSUPPORTED, "label: %s is of no format that is known; name one",
                   p->path);
}

vd_status vd_label_detect(const vd_label_format **out, const char *path, vd_err *err) {
    vd_status st = VD_OK;
    vd_label_probe p = { .path = path, .folder = vd_is_folder(path), .ext = "", .head = "" };
    char *head = NULL;
    if (!p.folder && access(path, F_OK) != 0)
        return vd_fail(err, VD_E_NOTFOUND, "label: %s is not there", path);
    if (p.folder) {
        VD_GO(vd_names_of(&p.names, path, err));
    } else {
        head = vd_mem_alloc(HEAD + 1);
        VD_GO(head != NULL ? probe_file(&p, head, err) : vd_nomem(err));
    }
    st = best_of(out, &p, err);
done:
    vd_names_reset(&p.names);
    vd_mem_free(head);
    return st;
}

/* ---- losses of writers ---- */

vd_status vd_label_lose_rest(vd_label_report *r, const vd_label_image *m, const vd_label_object *o,
                             uint32_t holds, vd_err *err) {
    static const struct {
        uint32_t bit;
        const char *what;
    } parts[] = { { VD_OBJ_BOX, "boxes" },        { VD_OBJ_ROTATED, "rotated boxes" },
                  { VD_OBJ_POLYGON, "polygons" }, { VD_OBJ_LINE, "lines" },
                  { VD_OBJ_MASK, "masks" },       { VD_OBJ_KEYPOINTS, "keypoints" },
                  { VD_OBJ_CAPTION, "captions" }, { VD_OBJ_TRACK, "tracks" },
                  { VD_OBJ_SCORE, "scores" },     { VD_OBJ_CROWD, "crowds" } };
    uint32_t lost = o->has & ~holds;
    if (r == NULL || (lost == 0 && (o->attributes == NULL || holds & VD_LABEL_HOLDS_ATTRIBUTES)))
        return VD_OK;
    for (int i = 0; i < VD_COUNT(parts); i++)
        if (lost & parts[i].bit) VD_TRY(vd_label_lose(r, err, parts[i].what, "%s", m->name));
    if (o->attributes != NULL && !(holds & VD_LABEL_HOLDS_ATTRIBUTES))
        VD_TRY(vd_label_lose(r, err, "attributes", "%s: %.150s", m->name, o->attributes));
    return VD_OK;
}

vd_status vd_label_lose_attributes(vd_label_report *r, const vd_label_image *m,
                                   const vd_label_object *o, const char *const *known, int n,
                                   vd_err *err) {
    vd_arena arena = { 0 };
    const vd_json *all = NULL;
    if (r == NULL || o->attributes == NULL) return VD_OK;
    vd_status st = vd_json_parse(&all, &arena, m->name, o->attributes, strlen(o->attributes), err);
    for (const vd_json *v = st == VD_OK ? all->first : NULL; st == VD_OK && v != NULL;
         v = v->next) {
        bool is_known = false;
        for (int i = 0; i < n && !is_known; i++)
            is_known = known[i] != NULL && strcmp(known[i], v->key) == 0;
        if (!is_known) st = vd_label_lose(r, err, "attributes", "%s: %.150s", m->name, v->key);
    }
    vd_arena_reset(&arena);
    return st;
}
