/* The files of rendered captures against each other and against geometry done another way.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <png.h>
#include <sys/stat.h>
#ifdef T_HAVE_EXIF
#include <libexif/exif-data.h>
#endif

#include "synth_help.h"

#include "base/npy.h"
#include "base/path.h"
#include "synth/plan.h"

static const vd_synth_opt small = { .seed = 5,
                                    .views = 3,
                                    .width = 256,
                                    .height = 192,
                                    .focal_rel = 0.78,
                                    .k1 = -0.08,
                                    .k2 = 0.01,
                                    .arc_deg = 30,
                                    .noise = 1,
                                    .vignette = 0.1,
                                    .quality = 92,
                                    .truth_maps = true,
                                    .defects = { 1, 1, 1, 1, 1, 1, 1, 4, 2, 1 } };

/* The folders of one run of `small`, made once; the test that asks first pays. */
static const char *made(vd_err *err) {
    static char dir[64];
    if (dir[0] != '\0') return dir;
    strcpy(dir, "/tmp/vidimus_synth_XXXXXX");
    if (mkdtemp(dir) == NULL) return NULL;
    return vd_synth_write(dir, &small, NULL, NULL, NULL, NULL, err) == VD_OK ? dir : NULL;
}

__attribute__((noinline)) static char *slurp(const char *dir, const char *name, size_t *size,
                                             vd_err *err) {
    vd_str path = { 0 };
    char *text = NULL;
    vd_str_addf(&path, "%s/%s", dir, name);
    vd_status st = vd_file_read(&text, size, vd_str_text(&path), 1 << 28, err);
    vd_str_reset(&path);
    return st == VD_OK ? text : NULL;
}

static void remove_all(const char *dir) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (strncmp(dir, "/tmp/vidimus_synth_", 19) == 0 && system(command) != 0) fputs("rm\n", stderr);
}

T(bytes_do_not_depend_on_jobs) {
    vd_err err = { 0 };
    const char *one = made(&err);
    T_NEED(one != NULL);
    char three[] = "/tmp/vidimus_synth_XXXXXX";
    T_NEED(mkdtemp(three) != NULL);
    vd_pool *pool = NULL;
    T_OK(vd_pool_new(&pool, 3, &err));
    T_OK(vd_synth_write(three, &small, pool, NULL, NULL, NULL, &err));
    vd_pool_free(pool);
    size_t size, a_size, b_size;
    char *list = slurp(one, ".vidimus-synth", &size, &err);
    T_NEED(list != NULL);
    int files = 0;
    for (char *save = NULL, *line = strtok_r(list, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (strchr(line, ' ') != NULL) continue;
        char *a = slurp(one, line, &a_size, &err), *b = slurp(three, line, &b_size, &err);
        T_TRUE(a != NULL && b != NULL && a_size == b_size && memcmp(a, b, a_size) == 0);
        vd_mem_free(a);
        vd_mem_free(b);
        files++;
    }
    /* a picture, depth and mask a view; 9 strays; 5 copies; 4 lists */
    T_EQ(files, 3 * 3 + 9 + 5 + 4);
    vd_mem_free(list);
    remove_all(three);
}

/* Reads the mask of view 1, the size of `small`. */
static uint8_t *mask_of(const char *dir, const char *name, vd_err *err) {
    size_t size;
    char *bytes = slurp(dir, name, &size, err);
    uint8_t *out = vd_mem_array((size_t)small.width, (size_t)small.height);
    png_image img = { .version = PNG_IMAGE_VERSION };
    if (bytes == NULL || out == NULL || !png_image_begin_read_from_memory(&img, bytes, size))
        return NULL;
    img.format = PNG_FORMAT_GRAY;
    if ((int)img.width != small.width || !png_image_finish_read(&img, NULL, out, small.width, NULL))
        return NULL;
    vd_mem_free(bytes);
    return out;
}

static float *depth_of(const char *dir, const char *name, vd_err *err) {
    size_t size;
    vd_npy shape;
    char *bytes = slurp(dir, name, &size, err);
    if (bytes == NULL || vd_npy_parse(&shape, bytes, size, err) != VD_OK) return NULL;
    if (shape.n_dims != 2 || shape.dim[0] != small.height || shape.dim[1] != small.width)
        return NULL;
    memmove(bytes, bytes + shape.data_at, size - (size_t)shape.data_at);
    return (float *)bytes;
}

T(ground_lies_at_height_zero) {
    vd_err err = { 0 };
    const char *dir = made(&err);
    T_NEED(dir != NULL);
    vd_plan *p = vd_mem_array(1, sizeof *p);
    T_OK(vd_plan_init(p, &small, &err));
    uint8_t *mask = mask_of(dir, "truth/masks/view_002.png", &err);
    float *depth = depth_of(dir, "truth/depth/view_002.npy", &err);
    T_NEED(mask != NULL && depth != NULL);
    int ground = 0, sky = 0;
    for (int i = 0; i < small.width * small.height; i++) {
        T_TRUE((mask[i] == VD_ID_SKY) == isinf(depth[i]));
        sky += mask[i] == VD_ID_SKY;
        if (mask[i] != VD_ID_GROUND || depth[i] > 30) continue;
        vd_vec3 w = lift(&p->camera, p->shot[1].pose, i % small.width + 0.5, i / small.width + 0.5,
                         depth[i]);
        T_NEAR(w.z, 0, 1e-5); /* float32 metres */
        ground++;
    }
    T_TRUE(ground > 5000 && sky > 1000);
    vd_mem_free(mask);
    vd_mem_free(depth);
    vd_plan_reset(p);
    vd_mem_free(p);
}

typedef struct box {
    int x, y, w, h, area;
} box;

/* The COCO boxes of image `image` by instance; returns how many. */
static int boxes_of(const char *dir, int image, box out[256], vd_err *err) {
    size_t size;
    int n = 0;
    char *text = slurp(dir, "truth/coco.json", &size, err);
    if (text == NULL) return -1;
    char *p = strstr(text, "\"annotations\"");
    while (p != NULL && (p = strstr(p, "{\"id\"")) != NULL) {
        int id, img, cat, visible, instance;
        box b;
        if (sscanf(
                p,
                "{\"id\": %d, \"image_id\": %d, \"category_id\": %d, \"bbox\": [%d, %d, %d, %d], "
                "\"area\": %d, \"iscrowd\": 0, \"visible_pixels\": %d, \"instance_id\": %d",
                &id, &img, &cat, &b.x, &b.y, &b.w, &b.h, &b.area, &visible, &instance) != 10)
            return -1;
        if (img == image) {
            out[instance] = b;
            n++;
        }
        p++;
    }
    vd_mem_free(text);
    return n;
}

T(boxes_are_those_of_the_mask) {
    vd_err err = { 0 };
    const char *dir = made(&err);
    T_NEED(dir != NULL);
    box got[256] = { 0 }, want[256] = { 0 };
    int n = boxes_of(dir, 1, got, &err), expected = 0;
    uint8_t *mask = mask_of(dir, "truth/masks/view_001.png", &err);
    T_NEED(mask != NULL);
    for (int id = VD_ID_FIRST; id < 256; id++) {
        int x0 = 9999, y0 = 9999, x1 = -1, y1 = -1, area = 0;
        for (int i = 0; i < small.width * small.height; i++) {
            if (mask[i] != id) continue;
            int x = i % small.width, y = i / small.width;
            x0 = VD_MIN(x0, x);
            x1 = VD_MAX(x1, x);
            y0 = VD_MIN(y0, y);
            y1 = VD_MAX(y1, y);
            area++;
        }
        if (area < 16) continue;
        want[id] = (box){ x0, y0, x1 - x0 + 1, y1 - y0 + 1, area };
        expected++;
    }
    T_EQ(n, expected);
    T_TRUE(n > 8);
    T_TRUE(memcmp(got, want, sizeof got) == 0);
    vd_mem_free(mask);
}

T(corners_of_boxes_fall_inside_their_coco_boxes) {
    vd_err err = { 0 };
    const char *dir = made(&err);
    T_NEED(dir != NULL);
    vd_plan *p = vd_mem_array(1, sizeof *p);
    T_OK(vd_plan_init(p, &small, &err));
    box b[256] = { 0 };
    T_TRUE(boxes_of(dir, 1, b, &err) > 0);
    float *depth = depth_of(dir, "truth/depth/view_001.npy", &err);
    T_NEED(depth != NULL);
    const vd_rigid pose = p->shot[0].pose;
    double m[9];
    vd_quat_matrix(m, pose.q);
    int seen = 0;
    for (int i = 0; i < p->scene.n_objects; i++) {
        const vd_object *o = &p->scene.object[i];
        if (o->category != VD_CAT_BOX && o->category != VD_CAT_WALL) continue;
        for (int k = 0; k < 8; k++) {
            double x = k & 1 ? o->half.x : -o->half.x, y = k & 2 ? o->half.y : -o->half.y,
                   z = k & 4 ? o->half.z : -o->half.z, px, py;
            const double *a = o->axis;
            vd_vec3 w = vd_v3(o->centre.x + a[0] * x + a[3] * y + a[6] * z,
                              o->centre.y + a[1] * x + a[4] * y + a[7] * z,
                              o->centre.z + a[2] * x + a[5] * y + a[8] * z);
            double zc = m[6] * w.x + m[7] * w.y + m[8] * w.z + pose.t.z;
            if (!vd_scene_project(&p->camera, pose, w, &px, &py)) continue;
            if (px < 1 || py < 1 || px >= small.width - 1 || py >= small.height - 1) continue;
            float d = depth[(int)py * small.width + (int)px];
            if (fabs(d - zc) > 0.01 * zc) continue; /* hidden, or just beside the outline */
            const box *q = &b[VD_ID_FIRST + i];
            T_TRUE(px >= q->x - 1 && px <= q->x + q->w + 1 && py >= q->y - 1 &&
                   py <= q->y + q->h + 1);
            seen++;
        }
    }
    T_TRUE(seen >= 5);
    vd_mem_free(depth);
    vd_plan_reset(p);
    vd_mem_free(p);
}

#ifdef T_HAVE_EXIF
T(exif_tells_the_pose) {
    vd_err err = { 0 };
    const char *dir = made(&err);
    T_NEED(dir != NULL);
    char path[128];
    snprintf(path, sizeof path, "%s/images/view_002.jpg", dir);
    ExifData *d = exif_data_new_from_file(path);
    T_NEED(d != NULL);
    double v[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        ExifEntry *e = exif_content_get_entry(d->ifd[EXIF_IFD_GPS], (ExifTag)(2 + 2 * k));
        T_NEED(e != NULL && e->components == 3);
        for (int i = 2; i >= 0; i--) {
            ExifRational q = exif_get_rational(e->data + 8 * i, exif_data_get_byte_order(d));
            v[k] = v[k] / 60 + (double)q.numerator / q.denominator;
        }
    }
    vd_plan *p = vd_mem_array(1, sizeof *p);
    T_OK(vd_plan_init(p, &small, &err));
    vd_vec3 eye = vd_scene_eye(p->shot[1].pose);
    /* metres a degree at 46.8 degrees north, from the series of the Admiralty's tables */
    double lat = 46.8123 * 3.14159265358979 / 180;
    double per_lat = 111132.92 - 559.82 * cos(2 * lat) + 1.175 * cos(4 * lat),
           per_lon = 111412.84 * cos(lat) - 93.5 * cos(3 * lat);
    T_NEAR((v[0] - p->latitude_deg) * per_lat, eye.y, 0.005);
    T_NEAR((v[1] - p->longitude_deg) * per_lon, eye.x, 0.005);
    char s[40] = "";
    ExifEntry *e = exif_content_get_entry(d->ifd[EXIF_IFD_0], EXIF_TAG_MAKE);
    T_NEED(e != NULL);
    exif_entry_get_value(e, s, sizeof s);
    T_STR(s, "Vidimus");
    exif_data_unref(d);
    vd_plan_reset(p);
    vd_mem_free(p);
}
#endif

T(folders_of_others_are_left_alone) {
    vd_err err = { 0 };
    char dir[] = "/tmp/vidimus_synth_XXXXXX", path[64];
    T_NEED(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/mine.txt", dir);
    T_OK(vd_file_write(path, "x", 1, &err));
    T_EQ(vd_synth_write(dir, &small, NULL, NULL, NULL, NULL, &err), VD_E_EXISTS);
    T_TRUE(access(path, F_OK) == 0);
    remove_all(dir);
}

T(a_second_run_replaces_the_first) {
    vd_err err = { 0 };
    char dir[] = "/tmp/vidimus_synth_XXXXXX", path[80];
    T_NEED(mkdtemp(dir) != NULL);
    vd_synth_opt o = small;
    memset(o.defects, 0, sizeof o.defects);
    o.width = 64;
    o.height = 64;
    o.k1 = o.k2 = 0;
    T_OK(vd_synth_write(dir, &o, NULL, NULL, NULL, NULL, &err));
    o.views = 1;
    vd_synth_stats stats;
    T_OK(vd_synth_write(dir, &o, NULL, NULL, NULL, &stats, &err));
    T_EQ(stats.files, 1);
    snprintf(path, sizeof path, "%s/images/view_001.jpg", dir);
    T_TRUE(access(path, F_OK) == 0);
    snprintf(path, sizeof path, "%s/images/view_002.jpg", dir);
    T_TRUE(access(path, F_OK) != 0);
    remove_all(dir);
}

/* A town has more instances than 8 bits number; poses alone leave the large files out. */
T(towns_have_wide_masks_or_none) {
    vd_err err = { 0 };
    char dir[] = "/tmp/vidimus_synth_XXXXXX", path[80];
    T_NEED(mkdtemp(dir) != NULL);
    vd_synth_opt o = small;
    memset(o.defects, 0, sizeof o.defects);
    o.world = VD_WORLD_TOWN;
    o.views = 90;
    o.width = o.height = 64;
    o.k1 = o.k2 = 0;
    vd_synth_stats stats;
    T_OK(vd_synth_write(dir, &o, NULL, NULL, NULL, &stats, &err));
    T_TRUE(stats.objects > 254 && stats.files == 90);
    size_t size;
    char *bytes = slurp(dir, "truth/masks/view_090.png", &size, &err);
    T_NEED(bytes != NULL);
    T_EQ(bytes[24], 16); /* IHDR's bit depth */
    vd_mem_free(bytes);
    o.truth_maps = false;
    T_OK(vd_synth_write(dir, &o, NULL, NULL, NULL, &stats, &err));
    snprintf(path, sizeof path, "%s/truth/masks/view_090.png", dir);
    T_TRUE(access(path, F_OK) != 0);
    char *text = slurp(dir, "truth/cameras.json", &size, &err);
    T_NEED(text != NULL);
    int poses = 0;
    for (const char *p = text; (p = strstr(p, "\"cam_from_world\"")) != NULL; p++) poses++;
    T_EQ(poses, 90);
    T_TRUE(strstr(text, "\"f\": 49.92") != NULL && strstr(text, "depth\":") == NULL);
    vd_mem_free(text);
    remove_all(dir);
}

/* Memory that is refused, at each allocation in turn: an error, and nothing lost. */
T(lack_of_memory_is_told) {
    char dir[] = "/tmp/vidimus_synth_XXXXXX";
    T_NEED(mkdtemp(dir) != NULL);
    vd_synth_opt o = small;
    for (int i = 0; i < VD_N_DEFECTS; i++) o.defects[i] = i == VD_DEFECT_NEAR_DUPLICATE ? 2 : i < 2;
    o.views = 1;
    o.width = o.height = 64;
    o.k1 = o.k2 = 0;
    int tries = 0;
    for (int n = 0;; n++, tries++) {
        vd_err err = { 0 };
        const int64_t live = vd_mem_live();
        vd_mem_fail_at(n, n % 2 == 0);
        const vd_status st = vd_synth_write(dir, &o, NULL, NULL, NULL, NULL, &err);
        const bool refused = vd_mem_fail_clear();
        T_EQ(vd_mem_live(), live);
        T_EQ(st, refused ? VD_E_NOMEM : VD_OK);
        if (t->failures > 0) fprintf(stderr, "allocation %d\n", n);
        if (!refused || t->failures > 0) break;
    }
    T_TRUE(tries > 40);
    remove_all(dir);
}

T(bad_options_are_refused) {
    vd_err err = { 0 };
    vd_synth_opt o = small;
    o.k1 = -0.9; /* folds */
    T_EQ(vd_synth_write("/tmp/vidimus_never", &o, NULL, NULL, NULL, NULL, &err), VD_E_ARG);
    o = small;
    o.views = 0;
    T_EQ(vd_synth_write("/tmp/vidimus_never", &o, NULL, NULL, NULL, NULL, NULL), VD_E_ARG);
    o = small;
    o.noise = NAN;
    T_EQ(vd_synth_write("/tmp/vidimus_never", &o, NULL, NULL, NULL, NULL, NULL), VD_E_ARG);
    T_TRUE(access("/tmp/vidimus_never", F_OK) != 0);
}

T(zz_clean_up) {
    vd_err err = { 0 };
    const char *dir = made(&err);
    if (dir != NULL) remove_all(dir);
    T_EQ(vd_mem_live(), 0);
}
