/* Maps and masks: against pixels looked at one by one; raw samples; readers of maps without memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <fcntl.h>

#include "base/mem.h"
#include "image/codec.h"
#include "image/png_write.h"
#include "label/mask_map.h"
#include "label/set.h"
#include "labelio/format.h"
#include "labelkit/maps.h"
#include "labelkit/paint.h"
#include "unit/tmpdir.h"

/* Blobs of ids, noise, one id alone; negative ones too. */
static void random_map(vd_rng *r, int32_t *map, int64_t n, int i) {
    int64_t run = i % 3 == 0 ? 1 : 1 + vd_rng_int(r, 50);
    int32_t id = 0;
    for (int64_t k = 0; k < n; k++) {
        if (k % run == 0)
            id =
                i % 5 == 0 ? 7 : (int32_t)(vd_rng_int(r, 4 + 100 * (i % 2)) * (i % 7 ? 65536 : -3));
        map[k] = id;
    }
}

T(masks_of_a_map_are_its_pixels) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 120; i++) {
        int32_t map[2000];
        const int64_t h = 1 + vd_rng_int(&r, 40), w = 1 + vd_rng_int(&r, 50);
        vd_map_masks m = { 0 };
        random_map(&r, map, w * h, i);
        T_OK(vd_map_masks_of(&m, map, h, w, &err));
        int64_t area = 0;
        for (int64_t k = 0; k < m.n; k++) {
            uint8_t bytes[2000];
            vd_mask want = { 0 };
            for (int64_t p = 0; p < w * h; p++) bytes[p] = map[p] == m.id[k];
            T_OK(vd_mask_from_bytes(&want, bytes, w, h, w, &err));
            T_EQ(want.n, m.mask[k].n);
            T_TRUE(memcmp(want.run, m.mask[k].run, (size_t)want.n * sizeof *want.run) == 0);
            T_TRUE(k == 0 || m.id[k - 1] < m.id[k]);
            T_TRUE(vd_map_masks_find(&m, m.id[k]) == &m.mask[k]);
            area += vd_mask_area(&want);
            vd_mask_reset(&want);
        }
        T_EQ(area, w * h);
        T_TRUE(vd_map_masks_find(&m, 123456789) == NULL);
        vd_map_masks_reset(&m);
    }
}

T(maps_are_painted_in_order) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_map_canvas c = { 0 };
    for (int i = 0; i < 60; i++) {
        const int32_t h = (int32_t)(1 + vd_rng_int(&r, 30)), w = (int32_t)(1 + vd_rng_int(&r, 40));
        int32_t want[1200] = { 0 };
        uint8_t rows[3 * 1200];
        T_OK(vd_map_canvas_clear(&c, h, w, &err));
        for (int k = 1; k <= 6; k++) {
            uint8_t bytes[1200];
            vd_mask m = { 0 };
            int64_t over = 0;
            const int32_t id = (int32_t)vd_rng_int(&r, 1 << 24);
            for (int p = 0; p < w * h; p++) {
                bytes[p] = vd_rng_f64(&r) < 0.3;
                over += bytes[p] && want[p] != 0;
                if (bytes[p]) want[p] = id;
            }
            T_OK(vd_mask_from_bytes(&m, bytes, w, h, w, &err));
            T_EQ(vd_map_canvas_paint(&c, &m, id), over);
            vd_mask_reset(&m);
        }
        for (int bytes = 1; bytes <= 3; bytes++) {
            vd_map_canvas_rows(&c, rows, (ptrdiff_t)w * bytes, bytes);
            for (int p = 0; p < w * h; p++) {
                uint16_t two = 0;
                memcpy(&two, rows + 2 * p, sizeof two);
                int32_t got = bytes == 1 ? rows[p]
                              : bytes == 2
                                  ? two
                                  : rows[3 * p] | rows[3 * p + 1] << 8 | rows[3 * p + 2] << 16;
                if (got != (want[p] & ((1 << (8 * bytes)) - 1)))
                    T_FAIL("pixel %d, %d bytes", p, bytes);
            }
        }
    }
    vd_map_canvas_reset(&c);
}

/* A frame with a hole, and another part beside it: what COCO's rule fills of each, put together. */
T(polygons_with_holes_are_filled) {
    const double xy[] = { 1, 1, 15, 1, 15, 11, 1, 11, 4, 3, 9, 3, 9, 8, 4, 8, 17, 0, 20, 0, 20, 5 };
    const int32_t ring[] = { 4, -4, 3 };
    const vd_label_object o = { .has = VD_OBJ_POLYGON, .xy = xy, .ring = ring, .n_rings = 3 };
    vd_err err = { 0 };
    vd_mask got = { 0 }, part[3] = { { 0 } };
    uint8_t pixel[12 * 22] = { 0 }, back[12 * 22] = { 0 };
    bool has = false;
    T_OK(vd_label_object_mask(&got, &has, &o, 12, 22, &err));
    T_TRUE(has);
    for (int i = 0, at = 0; i < 3; at += 2 * abs(ring[i]), i++) {
        T_OK(vd_mask_from_polygon(&part[i], "t", xy + at, abs(ring[i]), 12, 22, &err));
        vd_mask_paint(&part[i], pixel, 22, ring[i] > 0);
        vd_mask_reset(&part[i]);
    }
    vd_mask_paint(&got, back, 22, 1);
    T_TRUE(memcmp(pixel, back, sizeof pixel) == 0);
    T_TRUE(vd_mask_area(&got) > 100 && back[5 * 22 + 6] == 0);
    vd_mask_reset(&got);
    const vd_label_object none = { .has = VD_OBJ_BOX, .box = { 0, 0, 1, 1 } };
    T_OK(vd_label_object_mask(&got, &has, &none, 12, 22, &err));
    T_TRUE(!has);
}

T(colours_of_the_palette_of_voc) {
    static const int32_t want[][2] = { { 0, 0 },
                                       { 1, 128 },
                                       { 2, 128 << 8 },
                                       { 8, 64 },
                                       { 15, 192 | 128 << 8 | 128 << 16 },
                                       { 20, 64 << 8 | 128 << 16 },
                                       { 255, 224 | 224 << 8 | 192 << 16 } };
    for (int i = 0; i < VD_COUNT(want); i++) T_EQ(vd_voc_colour(want[i][0]), want[i][1]);
    for (int i = 0; i < 256; i++)
        for (int k = 0; k < i; k++) T_TRUE(vd_voc_colour(i) != vd_voc_colour(k));
}

typedef struct seen {
    vd_pixfmt format;
    int channels, n_palette, frames;
} seen;

static vd_status look(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                      double time_s, vd_err *err) {
    seen *s = user;
    (void)m, (void)index, (void)time_s, (void)err;
    *s = (seen){ f->format, f->channels, f->plane[1].width, s->frames + 1 };
    return VD_OK;
}

/* Raw frames come where they are asked for and nowhere else; one process does both in turn. */
T(raw_samples_come_when_asked_for) {
    vd_err err = { 0 };
    vd_codec *codec = NULL;
    vd_str file = { 0 };
    const uint8_t pixel[6] = { 0, 1, 2, 2, 1, 0 }, palette[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    T_OK(vd_png_write_indexed(&file, pixel, 3, 2, 3, palette, 3, 1, &err));
    T_OK(vd_codec_new(&codec, NULL, &err));
    for (int i = 0; i < 4; i++) {
        vd_decode_opt opt = VD_DECODE_OPT;
        vd_media media;
        seen s = { 0 };
        uint8_t *in = NULL;
        opt.raw = i % 2 == 0;
        T_OK(vd_codec_input(codec, (size_t)file.size, &in, &err));
        memcpy(in, file.data, (size_t)file.size);
        const vd_source source = { .name = "a.png", .fd = -1, .size = file.size };
        T_OK(vd_codec_decode(codec, &source, &opt, look, &s, &media, &err));
        if (!opt.raw && media.verdict == VD_V_UNSUPPORTED) continue; /* a build without libvips */
        T_EQ(s.frames, 1);
        T_EQ(s.format == VD_PIX_RAW8, opt.raw);
        T_EQ(s.channels, opt.raw ? 1 : 0);
        if (opt.raw) T_EQ(s.n_palette, 3);
        T_EQ(media.verdict, VD_V_OK);
    }
    vd_decode_opt opt = VD_DECODE_OPT;
    vd_media media;
    seen s = { 0 };
    uint8_t *in = NULL;
    opt.raw = true;
    opt.max_pixels = 5;
    T_OK(vd_codec_input(codec, (size_t)file.size, &in, &err));
    memcpy(in, file.data, (size_t)file.size);
    const vd_source source = { .name = "a.png", .fd = -1, .size = file.size };
    T_OK(vd_codec_decode(codec, &source, &opt, look, &s, &media, &err));
    T_EQ(media.verdict, VD_V_TOO_LARGE);
    T_EQ(s.frames, 0);
    vd_codec_free(codec);
    vd_str_reset(&file);
}

static vd_status read_labels(const char *format, const char *path, vd_label_set *set,
                             vd_label_report *report, vd_err *err) {
    vd_label_in in = { 0 };
    vd_status st = vd_label_in_init(&in, vd_label_set_sink(set), report, err);
    if (st == VD_OK) st = vd_label_format_find(format)->read(&in, path, err);
    if (st == VD_OK) st = vd_label_set_finish(set, err);
    vd_label_in_reset(&in);
    return st;
}

/* Labels with maps, read and written with the n-th allocation refused. */
static void refuse_each(t_case *t, const char *format, const char *path, const char *out_path) {
    int64_t before = vd_mem_live();
    int n = 0;
    for (int hit = 1; hit; n++) {
        vd_label_set set = { 0 };
        vd_label_report report = { 0 };
        vd_err err = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = read_labels(format, path, &set, &report, &err);
        const vd_label_out out = { .path = out_path, .report = &report };
        if (st == VD_OK) st = vd_label_format_find(format)->write(&set, &out, &err);
        hit = vd_mem_fail_clear();
        if (st != (hit ? VD_E_NOMEM : VD_OK))
            T_FAIL("%s: %d without allocation %d: %s", format, st, n, err.msg);
        if (!hit) T_TRUE(set.n_objects >= 2 && (set.has & VD_OBJ_MASK));
        vd_label_set_reset(&set);
        vd_label_report_reset(&report);
        if (vd_mem_live() != before) T_FAIL("%s: a leak without allocation %d", format, n);
    }
    T_TRUE(n > 50);
}

T(readers_of_maps_survive_refused_memory) {
    static const char panoptic[] =
        "{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\",\"width\":4,\"height\":2}],\"categories\":"
        "[{\"id\":1,\"name\":\"c\",\"isthing\":1}],\"annotations\":[{\"image_id\":1,\"file_name\":"
        "\"a.png\",\"segments_info\":[{\"id\":1001,\"category_id\":1},{\"id\":2001,\"category_id\":1}]}]}";
    static const char xml[] =
        "<annotation><filename>a.jpg</filename><object><name>cat</name><bndbox>"
        "<xmin>0</xmin><ymin>0</ymin><xmax>1</xmax><ymax>1</ymax></bndbox>"
        "</object></annotation>";
    const uint16_t wide[8] = { 0, 1001, 1001, 2001, 0, 0, 2001, 2001 };
    uint8_t rgb[24] = { 0 }, small[8];
    vd_err err = { 0 };
    vd_str colour = { 0 }, grey = { 0 }, indexed = { 0 };
    t_dir d = t_dir_new();
    for (int i = 0; i < 8; i++) {
        rgb[3 * i] = (uint8_t)wide[i];
        rgb[3 * i + 1] = (uint8_t)(wide[i] >> 8);
        small[i] = (uint8_t)(wide[i] / 1000);
    }
    T_OK(vd_png_write(&colour, VD_PNG_RGB8, rgb, 4, 2, 12, 1, &err));
    T_OK(vd_png_write(&grey, VD_PNG_GREY16, wide, 4, 2, 8, 1, &err));
    T_OK(vd_png_write(&indexed, VD_PNG_GREY8, small, 4, 2, 4, 1, &err));
    t_dir_put(&d, "p.json", panoptic, sizeof panoptic - 1);
    t_dir_put(&d, "p/a.png", colour.data, (size_t)colour.size);
    t_dir_put(&d, "city/gtFine/val/x/x_1_gtFine_instanceIds.png", grey.data, (size_t)grey.size);
    t_dir_put(&d, "mots/instances/s/000001.png", grey.data, (size_t)grey.size);
    t_dir_put(&d, "mots/instances/labels.txt", "a\nb\n", 4);
    t_dir_put(&d, "voc/SegmentationClass/a.png", indexed.data, (size_t)indexed.size);
    t_dir_put(&d, "voc/SegmentationObject/a.png", indexed.data, (size_t)indexed.size);
    t_dir_put(&d, "voc/Annotations/a.xml", xml, sizeof xml - 1);
    static const char *const cases[][3] = { { "coco-panoptic", "p.json", "out.json" },
                                            { "cityscapes-masks", "city", "out_city" },
                                            { "mots-png", "mots", "out_mots" },
                                            { "voc-masks", "voc", "out_voc" } };
    for (int i = 0; i < VD_COUNT(cases); i++) {
        vd_str path = { 0 }, out = { 0 };
        vd_str_add(&path, t_dir_at(&d, cases[i][1]));
        vd_str_add(&out, t_dir_at(&d, cases[i][2]));
        refuse_each(t, cases[i][0], path.data, out.data);
        vd_str_reset(&path);
        vd_str_reset(&out);
    }
    vd_str_reset(&colour);
    vd_str_reset(&grey);
    vd_str_reset(&indexed);
    t_dir_free(&d);
}
