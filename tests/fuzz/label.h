/* One fuzz target for each reader of labels and what they stand on. Compiled with libFuzzer
 * (label_fuzz.c), and by tests/unit/label_fuzz.c, which replays a corpus.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_LABEL_H
#define VD_TESTS_FUZZ_LABEL_H

#include <stdlib.h>
#include <string.h>

#include "base/json_stream.h"
#include "base/mem.h"
#include "label/set.h"
#include "label/turn.h"
#include "labelio/coco.h"
#include "labelio/simple.h"
#include "labelio/voc.h"
#include "labelkit/maps.h"
#include "labelio/yolo.h"

static inline void fuzz_must(bool ok) {
    if (!ok) abort();
}

static inline vd_status fuzz_json_raw(vd_str *raw, const void *d, size_t n, size_t step,
                                      vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, "fuzz", d, n, err));
    vd_js_set_step(s, step);
    vd_status st = vd_js_raw(s, raw, err);
    if (st == VD_OK) st = vd_js_end(s, err);
    vd_js_free(s);
    return st;
}

/* Read by pieces, read at once, and read again from what came out: all alike; passed over or not.
 */
static inline void fuzz_json(const uint8_t *d, size_t n) {
    vd_str a = { 0 }, b = { 0 }, c = { 0 };
    vd_err err = { 0 };
    vd_json_stream *s = NULL;
    vd_status st = fuzz_json_raw(&a, d, n, 1 << 18, &err);
    fuzz_must(fuzz_json_raw(&b, d, n, 3 + n / 5, NULL) == st);
    if (st == VD_OK) {
        fuzz_must(strcmp(vd_str_text(&a), vd_str_text(&b)) == 0);
        fuzz_must(fuzz_json_raw(&c, a.data, (size_t)a.size, 1 << 18, NULL) == VD_OK);
        fuzz_must(strcmp(vd_str_text(&a), vd_str_text(&c)) == 0);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    fuzz_must(vd_js_open_bytes(&s, "fuzz", d, n, NULL) == VD_OK);
    fuzz_must(vd_js_pass(s, NULL) == VD_OK || st != VD_OK);
    vd_js_free(s);
    vd_str_reset(&a);
    vd_str_reset(&b);
    vd_str_reset(&c);
}

/* ---- label formats ---- */

/* What a reader pushed holds together: it can be packed, unpacked and turned. */
static inline void fuzz_look(vd_label_set *set) {
    vd_label_object o;
    vd_shape_buf buf = { 0 };
    vd_mask mask = { 0 };
    fuzz_must(vd_label_set_finish(set, NULL) == VD_OK);
    for (int64_t i = 0, n = 0; i < set->n_images; i++) {
        fuzz_must(set->images[i].name != NULL && set->images[i].name[0] != '\0');
        for (int64_t k = 0; k < vd_label_set_count(set, i); k++, n++) {
            double box[4];
            vd_str again = { 0 };
            fuzz_must(vd_label_set_get(set, i, k, &o, NULL) == VD_OK);
            fuzz_must(o.image == i && o.category < set->n_categories);
            fuzz_must(vd_label_wrong(&o) == NULL);
            vd_label_bounds(&o, box);
            vd_label_area(&o);
            if (o.has & VD_OBJ_MASK && (int64_t)o.mask_width * o.mask_height > 1 << 16) continue;
            fuzz_must(vd_label_turn(&o, &buf, &mask, 5 + (int)(n % 4), 640, 480, NULL) == VD_OK);
            vd_pack_object(&again, &o);
            vd_str_reset(&again);
        }
    }
    vd_shape_buf_reset(&buf);
    vd_mask_reset(&mask);
}

typedef vd_status (*fuzz_parse)(vd_label_in *in, const char *text, size_t size, vd_err *err);

static inline void fuzz_labels(const uint8_t *d, size_t n, fuzz_parse parse) {
    vd_label_set set = { 0 };
    vd_label_report report = { 0 };
    vd_label_in in;
    vd_err err = { 0 };
    char *text = malloc(n + 1); /* of its own, so that a step beyond the end is seen */
    if (text == NULL) abort();
    memcpy(text, d, n);
    text[n] = '\0';
    fuzz_must(vd_label_in_init(&in, vd_label_set_sink(&set), &report, NULL) == VD_OK);
    if (parse(&in, text, n, &err) == VD_OK)
        fuzz_look(&set);
    else
        fuzz_must(err.msg[0] != '\0');
    vd_label_in_reset(&in);
    vd_label_set_reset(&set);
    vd_label_report_reset(&report);
    free(text);
}

static inline vd_status fuzz_one_image(vd_label_in *in, int32_t *image, vd_err *err) {
    const vd_label_image m = {
        .name = "a.jpg", .width = 640, .height = 480, .frame = VD_LABEL_NONE
    };
    return vd_label_in_image(in, &m, image, NULL, err);
}

static inline vd_status parse_coco(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_coco_read_bytes(in, "fuzz", t, n, err);
}
/* data.yaml, a line of dashes, the lines of a picture */
static inline vd_status parse_yolo(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    const char *cut = strstr(t, "\n---\n");
    vd_yolo_names names = { 0 };
    int32_t image = 0;
    size_t head = cut != NULL ? (size_t)(cut - t) : 0;
    char *yaml = vd_mem_strndup(t, head);
    vd_status st = yaml != NULL ? fuzz_one_image(in, &image, err) : vd_nomem(err);
    const char *lines = cut != NULL ? cut + 5 : t;
    if (st == VD_OK) st = vd_yolo_parse_yaml(&names, "data.yaml", yaml, strlen(yaml), err);
    if (st == VD_OK)
        st = vd_yolo_parse_lines(in, "a.txt", lines, n - (size_t)(lines - t), &names,
                                 n % 2 ? VD_YOLO_OBB : VD_YOLO_DETECT, image, 640, 480, err);
    vd_yolo_names_reset(&names);
    vd_mem_free(yaml);
    return st;
}
static inline vd_status parse_voc(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_voc_parse(in, "fuzz", t, n, NULL, "a", err);
}
static inline vd_status parse_kitti(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    int32_t image = 0;
    vd_status st = fuzz_one_image(in, &image, err);
    return st == VD_OK ? vd_kitti_parse(in, "fuzz", t, n, image, err) : st;
}
static inline vd_status parse_mot(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    const vd_mot_sequence seq = { .name = "s", .folder = "img1", .ext = ".jpg", .truth = n % 2 };
    return vd_mot_parse(in, "fuzz", t, n, &seq, err);
}
static inline vd_status parse_mots(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    const vd_mot_sequence seq = { .name = "s", .folder = "img1", .ext = ".jpg", .truth = true };
    return vd_mots_parse(in, "fuzz", t, n, &seq, err);
}
static inline vd_status parse_labelme(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_labelme_parse(in, "fuzz", t, n, NULL, err);
}
static inline vd_status parse_cityscapes(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_cityscapes_parse(in, "fuzz", t, n, "a.png", "train", err);
}
static inline vd_status parse_cvat(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_cvat_parse(in, "fuzz", t, n, err);
}
static inline vd_status parse_labelme_xml(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_labelme_xml_parse(in, "fuzz", t, n, NULL, NULL, err);
}
static inline vd_status parse_yolo_corners(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    int32_t image = 0;
    VD_TRY(fuzz_one_image(in, &image, err));
    return vd_yolo_parse_corners(in, "a.txt", t, n, image, err);
}
static inline vd_status parse_csv(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return vd_label_csv_parse(in, "fuzz", t, n, err);
}

typedef vd_status (*fuzz_stream)(vd_label_in *in, vd_json_stream *s, vd_err *err);
static inline vd_status parse_stream(vd_label_in *in, const char *t, size_t n, fuzz_stream read,
                                     vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, "fuzz", t, n, err));
    vd_js_set_step(s, 7 + n % 60);
    vd_status st = read(in, s, err);
    vd_js_free(s);
    return st;
}
static inline vd_status read_datumaro(vd_label_in *in, vd_json_stream *s, vd_err *err) {
    return vd_datumaro_read(in, s, "train", err);
}
static inline vd_status parse_label_studio(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return parse_stream(in, t, n, vd_label_studio_read, err);
}
static inline vd_status parse_datumaro(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return parse_stream(in, t, n, read_datumaro, err);
}
static inline vd_status parse_ytvis(vd_label_in *in, const char *t, size_t n, vd_err *err) {
    return parse_stream(in, t, n, vd_ytvis_read, err);
}

#define FUZZ_LABELS(name)                                                                          \
    static inline void fuzz_##name(const uint8_t *d, size_t n) {                                   \
        fuzz_labels(d, n, parse_##name);                                                           \
    }
FUZZ_LABELS(coco)
FUZZ_LABELS(yolo)
FUZZ_LABELS(voc)
FUZZ_LABELS(kitti)
FUZZ_LABELS(mot)
FUZZ_LABELS(mots)
FUZZ_LABELS(labelme)
FUZZ_LABELS(cityscapes)
FUZZ_LABELS(cvat)
FUZZ_LABELS(labelme_xml)
FUZZ_LABELS(yolo_corners)
FUZZ_LABELS(csv)
FUZZ_LABELS(label_studio)
FUZZ_LABELS(datumaro)
FUZZ_LABELS(ytvis)

/* Shapes as the catalog holds them. */
static inline void fuzz_packed(const uint8_t *d, size_t n) {
    vd_label_object o = { 0 };
    vd_shape_buf buf = { 0 }, second = { 0 };
    vd_err err = { 0 };
    if (vd_unpack_shape(&o, &buf, d, (int64_t)n, &err) != VD_OK) {
        fuzz_must(err.msg[0] != '\0');
    } else {
        vd_str s = { 0 };
        vd_label_object again = { 0 };
        vd_pack_shape(&s, &o);
        fuzz_must(vd_unpack_shape(&again, &second, vd_str_text(&s), s.size, NULL) == VD_OK);
        fuzz_must(again.n_rings == o.n_rings && again.n_runs == o.n_runs &&
                  again.n_keypoints == o.n_keypoints);
        vd_str_reset(&s);
    }
    vd_shape_buf_reset(&buf);
    vd_shape_buf_reset(&second);
}

/* Maps of any numbers: width, then pixels of 1 to 4 bytes. Their masks are the map, and painted
 * they are it again. */
static inline void fuzz_map(const uint8_t *d, size_t n) {
    if (n < 3) return;
    const int64_t width = 1 + d[0] % 40, bytes = 1 + d[1] % 4,
                  height = (int64_t)(n - 2) / bytes / width;
    if (height == 0) return;
    vd_map_masks m = { 0 };
    vd_map_canvas c = { 0 };
    vd_err err = { 0 };
    int32_t *map = malloc((size_t)(width * height) * sizeof *map),
            *back = malloc((size_t)(width * height) * 3);
    if (map == NULL || back == NULL) abort();
    for (int64_t i = 0; i < width * height; i++) {
        uint32_t v = 0;
        for (int64_t k = 0; k < bytes; k++) v = v << 8 | d[2 + i * bytes + k];
        map[i] = (int32_t)(v & 0xffffff);
    }
    fuzz_must(vd_map_masks_of(&m, map, height, width, &err) == VD_OK);
    fuzz_must(vd_map_canvas_clear(&c, height, width, &err) == VD_OK);
    int64_t area = 0;
    for (int64_t i = 0; i < m.n; i++) {
        fuzz_must(i == 0 || m.id[i - 1] < m.id[i]);
        area += vd_mask_area(&m.mask[i]);
        fuzz_must(vd_map_canvas_paint(&c, &m.mask[i], m.id[i]) == 0);
        fuzz_must(vd_map_masks_find(&m, m.id[i]) == &m.mask[i]);
    }
    fuzz_must(area == width * height);
    vd_map_canvas_rows(&c, back, 3 * (ptrdiff_t)width, 3);
    for (int64_t i = 0; i < width * height; i++) {
        const uint8_t *p = (const uint8_t *)back + 3 * i;
        fuzz_must((p[0] | p[1] << 8 | p[2] << 16) == map[i]);
    }
    vd_map_masks_reset(&m);
    vd_map_canvas_reset(&c);
    free(map);
    free(back);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_label[] = { { "json", fuzz_json },
                   { "coco", fuzz_coco },
                   { "yolo", fuzz_yolo },
                   { "voc", fuzz_voc },
                   { "kitti", fuzz_kitti },
                   { "mot", fuzz_mot },
                   { "mots", fuzz_mots },
                   { "labelme", fuzz_labelme },
                   { "cityscapes", fuzz_cityscapes },
                   { "cvat", fuzz_cvat },
                   { "csv", fuzz_csv },
                   { "label_studio", fuzz_label_studio },
                   { "datumaro", fuzz_datumaro },
                   { "ytvis", fuzz_ytvis },
                   { "packed", fuzz_packed },
                   { "labelme_xml", fuzz_labelme_xml },
                   { "yolo_corners", fuzz_yolo_corners },
                   { "map", fuzz_map } };

#endif
