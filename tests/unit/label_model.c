/* The label model: packing gives back the very bits, sets keep what they are given beyond their
 * memory, turns are those of EXIF, readers survive refused memory. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include <dirent.h>

#include "fuzz/label.h"
#include "ops/labels.h"

static double coordinate(vd_rng *r, int kind) {
    double v = (double)vd_rng_int(r, 100000);
    switch (kind) {
    case 0: return v / 100;
    case 1: return v;
    case 2: return -v / 1000;
    case 3: return vd_rng_f64(r) * 640; /* 17 digits */
    default: return v / (double)(int64_t[]){ 1, 10, 1000000 }[vd_rng_int(r, 3)];
    }
}

T(packing_gives_back_the_bits) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_shape_buf buf = { 0 };
    double xy[200], points[30];
    int32_t ring[3];
    uint32_t runs[20];
    for (int i = 0; i < 20000; i++) {
        vd_label_object o = { .has = VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_KEYPOINTS,
                              .xy = xy,
                              .ring = ring,
                              .n_rings = 1 + i % 3,
                              .runs = runs,
                              .n_runs = i % 20,
                              .mask_width = 1 + i % 700,
                              .mask_height = 1 + i % 11,
                              .keypoints = points,
                              .n_keypoints = i % 10 };
        vd_label_object back = { 0 };
        vd_str s = { 0 };
        for (int k = 0; k < 200; k++) xy[k] = coordinate(&r, i % 5);
        for (int k = 0; k < 30; k++) points[k] = coordinate(&r, (i / 5) % 5);
        for (int k = 0; k < 3; k++) ring[k] = (int32_t)(3 + vd_rng_int(&r, 30)) * (k == 1 ? -1 : 1);
        for (int k = 0; k < 20; k++) runs[k] = (uint32_t)(vd_rng_u64(&r) >> vd_rng_int(&r, 64));
        if (i % 7 == 0) xy[3] = -0.0;
        if (i % 11 == 0) xy[5] = 1e300;
        vd_pack_shape(&s, &o);
        T_OK(vd_unpack_shape(&back, &buf, s.data, s.size, &err));
        int64_t n = vd_label_vertices(&o);
        T_EQ(back.has, o.has);
        T_TRUE(back.n_rings == o.n_rings && memcmp(back.ring, ring, (size_t)o.n_rings * 4) == 0);
        T_TRUE(memcmp(back.xy, xy, 2 * (size_t)n * sizeof *xy) == 0);
        T_TRUE(back.n_runs == o.n_runs &&
               (o.n_runs == 0 || memcmp(back.runs, runs, (size_t)o.n_runs * 4) == 0));
        T_TRUE(back.mask_width == o.mask_width && back.mask_height == o.mask_height);
        T_TRUE(back.n_keypoints == o.n_keypoints &&
               (o.n_keypoints == 0 ||
                memcmp(back.keypoints, points, 3 * (size_t)o.n_keypoints * sizeof *points) == 0));
        if (i % 5 == 0 && i % 7 != 0 && i % 11 != 0 && o.n_keypoints == 0 && o.n_runs == 0)
            T_LT((double)s.size, 3.2 * 2 * (double)n + 30); /* two places: three bytes a number */
        vd_str_reset(&s);
    }
    vd_shape_buf_reset(&buf);
}

/* More than the set keeps in memory: what is read back from its file is what went in. */
T(a_set_larger_than_its_memory) {
    enum { IMAGES = 300, OBJECTS = 90000 };
    vd_label_set set = { 0 };
    vd_label_sink sink = vd_label_set_sink(&set);
    vd_err err = { 0 };
    double xy[40];
    const int32_t ring[1] = { 20 };
    int64_t seen = 0;
    for (int i = 0; i < IMAGES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.jpg", i);
        const vd_label_image m = {
            .id = i, .name = name, .frame = VD_LABEL_NONE, .subset = i % 2 ? "val" : NULL
        };
        T_OK(sink.image(sink.user, &m, &err));
    }
    for (int i = 0; i < OBJECTS; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        for (int k = 0; k < 40; k++) xy[k] = i + k / 7.0;
        const vd_label_object o = { .has = VD_OBJ_POLYGON | VD_OBJ_ID,
                                    .image = i * 7 % IMAGES,
                                    .category = VD_LABEL_NONE,
                                    .id = i,
                                    .xy = xy,
                                    .ring = ring,
                                    .n_rings = 1,
                                    .attributes = text };
        T_OK(sink.object(sink.user, &o, &err));
    }
    T_OK(vd_label_set_finish(&set, &err));
    for (int64_t m = 0; m < IMAGES; m++) {
        int64_t last = -1;
        for (int64_t k = 0; k < vd_label_set_count(&set, m); k++, seen++) {
            vd_label_object o;
            char text[32];
            T_OK(vd_label_set_get(&set, m, k, &o, &err));
            snprintf(text, sizeof text, "{\"i\":%d}", (int)o.id);
            T_TRUE(o.image == m && o.id * 7 % IMAGES == m && o.id > last);
            T_STR(o.attributes, text);
            T_NEAR(o.xy[39], (double)o.id + 39 / 7.0, 0);
            last = o.id;
        }
    }
    T_EQ(seen, OBJECTS);
    vd_label_set_reset(&set);
}

/* A pixel of a stored picture of 3 x 2, as orientation 5 to 8 show it: the table of the EXIF
 * standard (which side is row 0, which is column 0), worked out by hand. */
T(turns_of_exif) {
    static const int want[4][2] = { { 0, 2 }, { 1, 2 }, { 1, 0 }, { 0, 0 } }; /* of pixel (2, 0) */
    vd_shape_buf buf = { 0 };
    vd_mask mask = { 0 };
    vd_err err = { 0 };
    for (int orientation = 5; orientation <= 8; orientation++) {
        const uint32_t runs[] = { 4, 1, 1 };
        const double xy[] = { 2, 0, 3, 0, 3, 1, 2, 1 }, kp[] = { 2.5, 0.5, 2, 0, 0, 0 };
        const int32_t ring[] = { 4 };
        const int *w = want[orientation - 5];
        vd_label_object o = { .has = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_KEYPOINTS,
                              .box = { 2, 0, 1, 1 },
                              .xy = xy,
                              .ring = ring,
                              .n_rings = 1,
                              .runs = runs,
                              .n_runs = 3,
                              .mask_width = 3,
                              .mask_height = 2,
                              .keypoints = kp,
                              .n_keypoints = 2 };
        T_OK(vd_label_turn(&o, &buf, &mask, orientation, 3, 2, &err));
        T_NEAR(o.box[0], w[0], 0);
        T_NEAR(o.box[1], w[1], 0);
        T_NEAR(o.keypoints[0], w[0] + 0.5, 0);
        T_NEAR(o.keypoints[1], w[1] + 0.5, 0);
        T_NEAR(o.keypoints[3], 0, 0);
        vd_label_object shape = { .has = VD_OBJ_POLYGON, .xy = o.xy, .ring = ring, .n_rings = 1 };
        vd_label_object only = { .has = VD_OBJ_MASK,
                                 .runs = o.runs,
                                 .n_runs = o.n_runs,
                                 .mask_width = o.mask_width,
                                 .mask_height = o.mask_height };
        double box[4];
        T_TRUE(vd_label_bounds(&shape, box) && box[0] == w[0] && box[1] == w[1] && box[2] == 1 &&
               box[3] == 1);
        T_EQ(o.mask_width, 2);
        T_EQ(o.mask_height, 3);
        T_TRUE(vd_label_bounds(&only, box) && box[0] == w[0] && box[1] == w[1] && box[2] == 1 &&
               box[3] == 1);
    }
    vd_shape_buf_reset(&buf);
    vd_mask_reset(&mask);
}

T(rotated_boxes) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) {
        vd_label_object o = { .has = VD_OBJ_ROTATED, .angle = vd_rng_f64(&r) * 6.2 - 3.1 },
                        back = { 0 };
        double xy[8];
        for (int k = 0; k < 4; k++) o.box[k] = 1 + 100 * vd_rng_f64(&r);
        vd_label_corners(&o, xy);
        T_TRUE(vd_label_rotated_of(&back, xy, 1e-6));
        for (int k = 0; k < 4; k++) T_NEAR(back.box[k], o.box[k], 1e-9);
        T_NEAR(back.angle, o.angle, 1e-9);
        xy[2] += 1; /* no rectangle any more */
        T_TRUE(!vd_label_rotated_of(&back, xy, 0.1));
    }
}

T(areas_and_bounds) {
    const double xy[] = { 0, 0, 10, 0, 10, 10, 0, 10, 2, 2, 4, 2, 4, 4, 2, 4 };
    const int32_t ring[] = { 4, -4 };
    const uint32_t runs[] = {
        3, 6, 1
    }; /* 2 x 5: column 1 from row 1 on, columns 2, 3 and a pixel of 4 */
    const vd_label_object p = { .has = VD_OBJ_POLYGON, .xy = xy, .ring = ring, .n_rings = 2 };
    const vd_label_object m = {
        .has = VD_OBJ_MASK, .runs = runs, .n_runs = 3, .mask_width = 5, .mask_height = 2
    };
    double box[4];
    T_NEAR(vd_label_area(&p), 96, 0);
    T_NEAR(vd_label_area(&m), 6, 0);
    T_TRUE(vd_label_bounds(&m, box));
    T_TRUE(box[0] == 1 && box[1] == 0 && box[2] == 4 && box[3] == 2);
}

/* Each file of the corpus of each reader, with the n-th allocation refused. */
static void refuse_each(t_case *t, const char *name, fuzz_parse parse) {
    char folder[1024], path[2048], text[4096];
    snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, name);
    DIR *dir = opendir(folder);
    T_NEED(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        T_NEED(f != NULL);
        size_t size = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        text[size] = '\0';
        for (int n = 0, hit = 1; hit; n++) {
            int64_t before = vd_mem_live();
            vd_label_set set = { 0 };
            vd_label_report report = { 0 };
            vd_label_in in = { 0 };
            vd_err err = { 0 };
            vd_mem_fail_at(n, false);
            vd_status st = vd_label_in_init(&in, vd_label_set_sink(&set), &report, &err);
            if (st == VD_OK) st = parse(&in, text, size, &err);
            if (st == VD_OK) st = vd_label_set_finish(&set, &err);
            hit = vd_mem_fail_clear();
            if (st != (hit ? VD_E_NOMEM : VD_OK))
                T_FAIL("%s/%s: %d without allocation %d: %s", name, e->d_name, st, n, err.msg);
            vd_label_in_reset(&in);
            vd_label_set_reset(&set);
            vd_label_report_reset(&report);
            if (vd_mem_live() != before)
                T_FAIL("%s/%s: a leak without allocation %d", name, e->d_name, n);
        }
    }
    closedir(dir);
}

T(readers_survive_refused_memory) {
    static const struct {
        const char *name;
        fuzz_parse parse;
    } readers[] = { { "coco", parse_coco },
                    { "yolo", parse_yolo },
                    { "voc", parse_voc },
                    { "kitti", parse_kitti },
                    { "mot", parse_mot },
                    { "mots", parse_mots },
                    { "labelme", parse_labelme },
                    { "cityscapes", parse_cityscapes },
                    { "cvat", parse_cvat },
                    { "csv", parse_csv },
                    { "label_studio", parse_label_studio },
                    { "datumaro", parse_datumaro },
                    { "ytvis", parse_ytvis },
                    { "labelme_xml", parse_labelme_xml },
                    { "yolo_corners", parse_yolo_corners } };
    for (int i = 0; i < VD_COUNT(readers); i++) refuse_each(t, readers[i].name, readers[i].parse);
}

/* The arguments of the operations name every row of the table. */
T(operations_know_the_formats) {
    for (int i = 0; i < vd_n_label_formats; i++) {
        const vd_label_format *f = vd_label_formats[i];
        char readers[1024] = "|", writers[1024] = "|", name[64];
        snprintf(readers, sizeof readers, "|%s|", VD_LABEL_READERS);
        snprintf(writers, sizeof writers, "|%s|", VD_LABEL_WRITERS);
        snprintf(name, sizeof name, "|%s|", f->name);
        T_TRUE(strstr(readers, name) != NULL);
        if ((strstr(writers, name) != NULL) != (f->write != NULL))
            T_FAIL("%s is written, or is not", f->name);
        T_TRUE(vd_label_format_find(f->name) == f);
    }
}
