/* Files and folders of COCO and LVIS, and their rows. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/path.h"
#include "labelio/coco.h"

/* Files of one kind, so that no picture comes twice: those that the layouts of COCO and of
 * Roboflow have. */
static bool wanted(const char *name, int kind) {
    static const char *const begins[] = { "instances", "person_keypoints", "panoptic",  "captions",
                                          "stuff",     "labels",           "image_info" };
    const char *last = vd_path_name(name);
    if (!vd_str_ends(last, ".json")) return false;
    if (kind == VD_COUNT(begins)) return strcmp(last, "_annotations.coco.json") == 0;
    return kind < VD_COUNT(begins) && vd_str_starts(last, begins[kind]);
}

/* "annotations/instances_train.json" and "train/_annotations.coco.json": "train" */
static void subset_of(vd_str *out, const char *name) {
    const char *last = vd_path_name(name), *under = strrchr(last, '_');
    vd_str_clear(out);
    if (last[0] == '_' && last > name) {
        const char *begin = last - 1;
        while (begin > name && begin[-1] != '/') begin--;
        vd_str_addn(out, begin, last - 1 - begin);
    } else if (last[0] != '_' && under != NULL) {
        vd_str_addn(out, under + 1, (int64_t)strlen(under + 1) - 5);
    }
}

enum { KINDS = 8, PANOPTIC = 2 };

/* The files of the first kind that a folder has. */
static vd_status read_kinds(vd_label_in *in, const char *path, int kind, int end, vd_err *err) {
    vd_names names = { 0 };
    vd_str file = { 0 }, subset = { 0 };
    vd_status st = VD_OK;
    int64_t n = 0;
    if (!vd_is_folder(path)) return vd_coco_read_file(in, path, NULL, err);
    VD_GO(vd_names_below(&names, path, err));
    for (; kind < end && n == 0; kind++) {
        for (int64_t i = 0; i < names.n; i++) {
            if (!wanted(names.name[i], kind)) continue;
            n++;
            subset_of(&subset, names.name[i]);
            vd_join(&file, path, names.name[i]);
            VD_GO(vd_str_check(&file, err));
            VD_GO(vd_coco_read_file(in, file.data, subset.size > 0 ? subset.data : NULL, err));
        }
    }
    if (n == 0) st = vd_fail(err, VD_E_NOTFOUND, "label: no COCO files below %s", path);
done:
    vd_names_reset(&names);
    vd_str_reset(&file);
    vd_str_reset(&subset);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    return read_kinds(in, path, 0, KINDS, err);
}
static vd_status read_panoptic(vd_label_in *in, const char *path, vd_err *err) {
    return read_kinds(in, path, PANOPTIC, PANOPTIC + 1, err);
}

static bool below_wants(const vd_label_probe *p, int begin, int end) {
    vd_names names = { 0 };
    bool any = false;
    if (!vd_probe_has(p, "annotations") || !vd_probe_below(p, "annotations/.")) {
        for (int64_t i = 0; end == KINDS && !any && i < p->names.n; i++) {
            vd_str s = { 0 };
            vd_str_addf(&s, "%s/_annotations.coco.json", p->names.name[i]);
            any = vd_probe_below(p, vd_str_text(&s)) ||
                  strcmp(p->names.name[i], "_annotations.coco.json") == 0;
            vd_str_reset(&s);
        }
        return any;
    }
    vd_str folder = { 0 };
    if (vd_names_of(&names, vd_join(&folder, p->path, "annotations"), NULL) == VD_OK)
        for (int64_t i = 0; !any && i < names.n; i++)
            for (int kind = begin; !any && kind < end; kind++) any = wanted(names.name[i], kind);
    vd_names_reset(&names);
    vd_str_reset(&folder);
    return any;
}

static int detect(const vd_label_probe *p) {
    if (p->folder) return below_wants(p, 0, KINDS) ? 60 : 0;
    if (p->list) return vd_probe_key(p, "image_id") ? 80 : 0;
    if (vd_probe_key(p, "videos")) return 0;
    return vd_probe_key(p, "images") || vd_probe_key(p, "annotations") ? 70 : 0;
}

/* A folder that has nothing else of COCO. */
static int detect_panoptic(const vd_label_probe *p) {
    if (p->folder)
        return below_wants(p, PANOPTIC, PANOPTIC + 1) && !below_wants(p, 0, PANOPTIC) ? 65 : 0;
    return !p->list && detect(p) > 0 &&
                   (strstr(p->head, "\"segments_info\"") != NULL || wanted(p->path, PANOPTIC))
               ? 80
               : 0;
}

static int detect_lvis(const vd_label_probe *p) {
    bool lvis = strstr(p->head, "\"neg_category_ids\"") != NULL ||
                strstr(p->head, "\"not_exhaustive_category_ids\"") != NULL;
    return !p->folder && !p->list && lvis && vd_probe_key(p, "images") ? 90 : 0;
}

const vd_label_format vd_label_coco = {
    .name = "coco",
    .summary = "COCO JSON: instances, keypoints, captions, panoptic, results",
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_KEYPOINTS | VD_OBJ_CAPTION |
             VD_OBJ_TRACK | VD_OBJ_SCORE | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID |
             VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect,
    .read = read_path,
    .write = vd_coco_write,
};

const vd_label_format vd_label_coco_panoptic = {
    .name = "coco-panoptic",
    .summary = "COCO panoptic JSON with a map of its segments a picture, as PNG",
    .holds = VD_OBJ_BOX | VD_OBJ_MASK | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID,
    .detect = detect_panoptic,
    .read = read_panoptic,
    .write = vd_coco_write_panoptic,
};

const vd_label_format vd_label_lvis = {
    .name = "lvis",
    .summary = "LVIS JSON: COCO's with lists of categories that a picture was searched for",
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID |
             VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect_lvis,
    .read = read_path,
    .write = vd_coco_write,
};
