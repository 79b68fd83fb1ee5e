/* Labels of rendered captures against the pictures' geometry, and their planted mistakes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "synth_help.h"

#include "base/json.h"
#include "base/npy.h"
#include "base/path.h"
#include "label/mask.h"
#include "synth/labels.h"

static const vd_synth_opt small = { .seed = 7,
                                    .views = 6,
                                    .width = 256,
                                    .height = 192,
                                    .focal_rel = 0.78,
                                    .k1 = -0.08,
                                    .k2 = 0.01,
                                    .arc_deg = 60,
                                    .noise = 1,
                                    .quality = 92,
                                    .truth_maps = true,
                                    .labels = true };

/* labels.json of a run, read back. */
typedef struct labels {
    char dir[64];
    char *text, *defects;
    vd_arena arena;
    const vd_json *images, *categories, *annotations;
    vd_synth_stats stats;
} labels;

static char *slurp(const char *dir, const char *name, size_t *size, vd_err *err) {
    char path[128];
    char *text = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return vd_file_read(&text, size, path, 1 << 28, err) == VD_OK ? text : NULL;
}

static vd_status labels_make(labels *out, const vd_synth_opt *o, vd_err *err) {
    const vd_json *doc = NULL;
    size_t size = 0;
    *out = (labels){ .dir = "/tmp/vidimus_synth_XXXXXX" };
    if (mkdtemp(out->dir) == NULL) return VD_E_IO;
    VD_TRY(vd_synth_write(out->dir, o, NULL, NULL, NULL, &out->stats, err));
    out->defects = slurp(out->dir, "truth/defects.tsv", &size, err);
    out->text = slurp(out->dir, "labels.json", &size, err);
    if (out->text == NULL || out->defects == NULL) return VD_E_IO;
    VD_TRY(vd_json_parse(&doc, &out->arena, "labels.json", out->text, size, err));
    out->images = vd_json_get(doc, "images");
    out->categories = vd_json_get(doc, "categories");
    out->annotations = vd_json_get(doc, "annotations");
    return VD_OK;
}

static void labels_reset(labels *l) {
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", l->dir);
    if (strncmp(l->dir, "/tmp/vidimus_synth_", 19) == 0 && system(command) != 0)
        fputs("rm\n", stderr);
    vd_mem_free(l->text);
    vd_mem_free(l->defects);
    vd_arena_reset(&l->arena);
}

static vd_status mask_of(vd_mask *out, const vd_json *a, vd_err *err) {
    const vd_json *s = vd_json_get(a, "segmentation"), *size = vd_json_get(s, "size");
    const char *counts = vd_json_text(s, "counts");
    return vd_mask_from_text(out, "segmentation", counts, (int64_t)strlen(counts),
                             (int64_t)size->first->number, (int64_t)size->first->next->number, err);
}

/* Two millimetres behind what a pixel shows lies the object that its label says, by the definition
 * of its shape and through the lens as the header of synth.h states it. */
T(masks_show_the_solids) {
    vd_err err = { 0 };
    labels l;
    vd_npy shape;
    void *depth = NULL;
    int64_t right = 0, wrong = 0, bare = 0;
    vd_plan *p = vd_mem_array(1, sizeof *p);
    static uint8_t covered[192][256];
    T_OK(labels_make(&l, &small, &err));
    T_OK(vd_plan_init(p, &small, &err));
    char path[128];
    snprintf(path, sizeof path, "%s/truth/depth/view_001.npy", l.dir);
    T_OK(vd_npy_read(&shape, &depth, path, &err));
    for (const vd_json *a = l.annotations->first; a != NULL; a = a->next) {
        const int object = (int)vd_json_number(a, "track_id", -1) - VD_ID_FIRST;
        vd_mask m = { 0 };
        if (vd_json_number(a, "image_id", 0) != 1) continue;
        T_NEED(object >= 0 && object < p->scene.n_objects);
        T_EQ(vd_json_number(a, "category_id", 0), p->scene.object[object].thing + 1);
        const vd_scene one = { .object = &p->scene.object[object], .n_objects = 1 };
        static uint8_t pixel[192][256];
        memset(pixel, 0, sizeof pixel);
        T_OK(mask_of(&m, a, &err));
        vd_mask_paint(&m, &pixel[0][0], 256, 1);
        vd_mask_reset(&m);
        for (int y = 0; y < 192; y++)
            for (int x = 0; x < 256; x++) {
                if (!pixel[y][x]) continue;
                const float z = ((float *)depth)[y * 256 + x];
                const vd_vec3 at = lift(&p->camera, p->shot[0].pose, x + 0.5, y + 0.5, z + 0.002);
                right += inside(&one, at);
                wrong += !inside(&one, at);
                covered[y][x]++;
            }
    }
    for (int y = 0; y < 192; y++)
        for (int x = 0; x < 256; x++) {
            const float z = ((float *)depth)[y * 256 + x];
            T_TRUE(covered[y][x] <= 1);
            if (covered[y][x] || !isfinite(z)) continue;
            const vd_vec3 at = lift(&p->camera, p->shot[0].pose, x + 0.5, y + 0.5, z - 0.002);
            bare += inside(&p->scene, at);
        }
    T_TRUE(right > 8000);
    T_LT((double)wrong, 0.005 * (double)right); /* 2 mm deep is beyond a sharp edge now and then */
    T_LT((double)bare, VD_SYNTH_MIN_PIXELS * 10); /* slivers are no labels */
    vd_mem_free(depth);
    vd_plan_reset(p);
    vd_mem_free(p);
    labels_reset(&l);
}

T(boxes_and_areas_are_those_of_the_masks) {
    vd_err err = { 0 };
    labels l;
    int64_t n = 0;
    T_OK(labels_make(&l, &small, &err));
    T_EQ(l.categories->n, VD_N_THINGS);
    T_EQ(l.images->n, 6);
    T_STR(vd_json_text(l.images->first, "file_name"), "view_001.jpg");
    for (const vd_json *a = l.annotations->first; a != NULL; a = a->next, n++) {
        vd_mask m = { 0 };
        double box[4];
        T_EQ(vd_json_number(a, "id", 0), n + 1);
        T_OK(mask_of(&m, a, &err));
        T_EQ(vd_mask_area(&m), vd_json_number(a, "area", 0));
        T_TRUE(vd_mask_area(&m) >= VD_SYNTH_MIN_PIXELS);
        vd_mask_box(&m, box);
        const vd_json *v = vd_json_get(a, "bbox")->first;
        for (int i = 0; i < 4; i++, v = v->next) T_EQ(box[i], v->number);
        vd_mask_reset(&m);
    }
    T_EQ(n, l.stats.labels);
    T_EQ(l.stats.mistakes, 0);
    T_STR(l.defects, "kind\tfile\tsource\tparameters\n");
    labels_reset(&l);
}

/* The class of each label, by view and instance; 0: none. */
static int (*classes_of(const labels *l))[64] {
    int(*class)[64] = vd_mem_array(16, sizeof *class);
    for (const vd_json *a = l->annotations->first; a != NULL; a = a->next)
        class[(int)vd_json_number(a, "image_id", 0)][(int)vd_json_number(a, "track_id", 0)] =
            (int)vd_json_number(a, "category_id", 0);
    return class;
}

T(mistakes_are_just_those_that_are_listed) {
    vd_err err = { 0 };
    labels clean, spoilt;
    vd_synth_opt o = small;
    o.label_swaps = 5;
    o.label_gaps = 3;
    T_OK(labels_make(&clean, &small, &err));
    T_OK(labels_make(&spoilt, &o, &err));
    T_EQ(spoilt.stats.mistakes, 8);
    T_EQ(spoilt.stats.labels, clean.stats.labels - 3);
    int(*was)[64] = classes_of(&clean), (*is)[64] = classes_of(&spoilt);
    int listed = 0, found = 0;
    for (char *line = strtok(spoilt.defects, "\n"); line; line = strtok(NULL, "\n")) {
        int view, instance, label = 0;
        char class[32], written[32] = "";
        if (sscanf(line,
                   "inconsistent_in_3d\tview_%d.jpg\t\tinstance=%d class=%31s written=%31s "
                   "label=%d",
                   &view, &instance, class, written, &label) != 5 &&
            sscanf(line, "missing_in_3d\tview_%d.jpg\t\tinstance=%d class=%31s", &view, &instance,
                   class) != 3)
            continue;
        listed++;
        T_STR(vd_thing_name((vd_thing)(was[view][instance] - 1)), class);
        if (written[0] != '\0') {
            T_STR(vd_thing_name((vd_thing)(is[view][instance] - 1)), written);
            T_TRUE(strcmp(class, written) != 0);
            const vd_json *a = spoilt.annotations->first;
            for (int i = 1; i < label; i++) a = a->next;
            T_EQ(vd_json_number(a, "image_id", 0), view);
            T_EQ(vd_json_number(a, "track_id", 0), instance);
        }
    }
    for (int v = 0; v < 16; v++)
        for (int i = 0; i < 64; i++) found += was[v][i] != is[v][i];
    T_EQ(listed, 8);
    T_EQ(found, 8);
    vd_mem_free(was);
    vd_mem_free(is);
    labels_reset(&clean);
    labels_reset(&spoilt);
}

/* As many mistakes as fit: never in more than a third of the views of an object. */
T(mistakes_have_a_limit) {
    vd_err err = { 0 };
    labels clean, spoilt;
    vd_synth_opt o = small;
    o.label_swaps = 100000;
    T_OK(labels_make(&clean, &small, &err));
    T_OK(labels_make(&spoilt, &o, &err));
    int(*was)[64] = classes_of(&clean), (*is)[64] = classes_of(&spoilt);
    int all = 0;
    for (int i = 0; i < 64; i++) {
        int views = 0, wrong = 0;
        for (int v = 0; v < 16; v++) {
            views += was[v][i] > 0;
            wrong += was[v][i] != is[v][i];
        }
        T_TRUE(wrong * VD_MISTAKE_VIEWS <= views);
        all += wrong;
    }
    T_EQ(all, spoilt.stats.mistakes);
    T_TRUE(all > 10);
    vd_mem_free(was);
    vd_mem_free(is);
    labels_reset(&clean);
    labels_reset(&spoilt);
}

T(bytes_do_not_depend_on_jobs_or_on_what_was_there) {
    vd_err err = { 0 };
    labels one;
    vd_pool *pool = NULL;
    size_t size = 0;
    vd_synth_opt o = small;
    o.label_swaps = 4;
    T_OK(labels_make(&one, &o, &err));
    T_OK(vd_pool_new(&pool, 3, &err));
    T_OK(vd_synth_write(one.dir, &o, pool, NULL, NULL, NULL, &err));
    char *again = slurp(one.dir, "labels.json", &size, &err);
    T_NEED(again != NULL);
    T_STR(again, one.text);
    vd_mem_free(again);
    o.labels = false; /* then the former file goes */
    o.label_swaps = 0;
    T_OK(vd_synth_write(one.dir, &o, pool, NULL, NULL, NULL, &err));
    T_TRUE(slurp(one.dir, "labels.json", &size, &err) == NULL);
    vd_pool_free(pool);
    labels_reset(&one);
}

/* Runs against masks made pixel by pixel, where objects touch all edges. */
T(runs_are_those_of_the_pixels) {
    enum { W = 31, H = 17, N = 4 };
    static uint16_t id[W * H];
    static uint8_t pixel[W * H];
    vd_rng r = t_rng(t);
    vd_runs runs = { 0 };
    for (int round = 0; round < 200; round++) {
        vd_err err = { 0 };
        const vd_picture p = { .width = W, .height = H, .id = id };
        for (int i = 0; i < W * H; i++)
            if (i == 0 || vd_rng_int(&r, 1 + round % 9) == 0)
                id[i] = (uint16_t)vd_rng_int(&r, N + VD_ID_FIRST);
            else
                id[i] = id[i - 1];
        for (int k = 0; k < N; k++) {
            vd_seen s = { .object = k, .x0 = W, .y0 = H };
            vd_mask want = { 0 };
            for (int i = 0; i < W * H; i++) {
                pixel[i] = id[i] == VD_ID_FIRST + k;
                if (!pixel[i]) continue;
                s.pixels++;
                s.x0 = VD_MIN(s.x0, i % W);
                s.x1 = VD_MAX(s.x1, i % W + 1);
                s.y0 = VD_MIN(s.y0, i / W);
                s.y1 = VD_MAX(s.y1, i / W + 1);
            }
            if (s.pixels == 0) continue;
            T_OK(vd_runs_of(&runs, &p, &s, &err));
            T_OK(vd_mask_from_bytes(&want, pixel, W, H, W, &err));
            const vd_mask got = { .height = H, .width = W, .n = runs.n, .run = runs.run };
            T_EQ(vd_mask_area(&got), s.pixels);
            T_EQ(vd_mask_common(&got, &want), s.pixels);
            int64_t all = 0;
            for (int64_t i = 0; i < runs.n; i++) all += runs.run[i];
            T_EQ(all, W * H);
            vd_mask_reset(&want);
        }
    }
    vd_mem_free(runs.run);
}

T(bad_options_are_refused) {
    vd_err err = { 0 };
    vd_synth_opt o = small;
    o.labels = false;
    o.label_swaps = 1;
    T_EQ(vd_synth_write("/tmp/vidimus_never", &o, NULL, NULL, NULL, NULL, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "no labels") != NULL);
    o = small;
    o.label_gaps = 1000001;
    T_EQ(vd_synth_write("/tmp/vidimus_never", &o, NULL, NULL, NULL, NULL, NULL), VD_E_ARG);
    T_TRUE(access("/tmp/vidimus_never", F_OK) != 0);
}

T(lack_of_memory_is_told) {
    char dir[] = "/tmp/vidimus_synth_XXXXXX";
    T_NEED(mkdtemp(dir) != NULL);
    vd_synth_opt o = small;
    o.views = 3;
    o.width = o.height = 64;
    o.k1 = o.k2 = 0;
    o.label_swaps = 1;
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
    T_TRUE(tries > 60);
    labels l = { 0 };
    snprintf(l.dir, sizeof l.dir, "%s", dir);
    labels_reset(&l);
}
