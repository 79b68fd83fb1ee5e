/* Operation import: what other programs know about the pictures of a dataset, scenes here, labels
 * in import_labels.c. SPDX-License-Identifier: Apache-2.0
 *
 * The images of a model become assets by their names: that asset whose path has the most components
 * in common with the name, from the end, among those whose picture has the size of the image's
 * camera. An image without an asset is left out, and said to be. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "ops/labels.h"
#include "recon/colmap.h"
#include "scene/imported.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory; the pictures must have been added" },
    { .name = "path",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "PATH",
      .help = "a model, or a folder of several; a file or folder of labels" },
    { .name = "format",
      .type = VD_T_CHOICE,
      .choices = "colmap|" VD_LABEL_READERS,
      .help =
          "colmap: folders with cameras, images and points3D as .bin or .txt; the others are of labels;"
          " found by itself when not given" },
    { .name = "name",
      .value = "SET",
      .help = "labels: name of the label set; else that of the file" },
    { .name = "replace",
      .type = VD_T_FLAG,
      .help = "labels: in the place of a label set of that name" },
    { .name = "where",
      .value = "EXPR",
      .help =
          "labels: only assets for which this SQL condition over asset_facts holds are matched" },
};

static const vd_column columns[] = {
    { "scene", VD_INT, "", "as in the catalog; missing where nothing was imported", 0 },
    { "path", VD_TEXT, "", "the model", 0 },
    { "images", VD_INT, "", "images of the model", 0 },
    { "matched", VD_INT, "", "those that are pictures of the dataset", 0 },
    { "points", VD_INT, "", "points of the model", 0 },
    { "kept", VD_INT, "", "points that at least two of its pictures still show", 0 },
    { "left_out", VD_TEXT, "", "images that were not matched, and why; the first twenty", 0 },
};

enum { TOLD = 20 };

/* An image that looks for its asset. */
typedef struct wanted {
    const char *name;
    const vd_camera *camera;
    int64_t next;  /* the next with the same last component, -1 */
    int64_t asset; /* best so far */
    int shared;    /* components it shares with that one's path, 0: none found */
    int64_t ties;  /* assets that share as many */
    int64_t other; /* assets of that name with pictures of another size, and one such size: */
    int64_t other_width, other_height;
    int64_t rival; /* the wanted that has the asset, -1 */
} wanted;

typedef struct source {
    const char *path;
    vd_model m;
    int64_t first; /* its wanted ones */
    int64_t n_points, n_images, matched;
    int64_t *assets;
    uint8_t *keep;
    int64_t scene;
    vd_str left_out;
} source;

typedef struct importer {
    vd_opcall *c;
    vd_dataset *ds;
    char **dirs;
    source *sources;
    int n;
    wanted *w;
    int64_t n_wanted;
    vd_map *by_name; /* last component, to the first of wanted with it */
} importer;

/* ---- the models ---- */

static vd_status read_models(importer *im, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = vd_path_absolute(&path, vd_arg_text(im->c, "path"), err);
    if (st == VD_OK) st = vd_colmap_find(&im->dirs, &im->n, path.data, err);
    vd_str_reset(&path);
    if (st != VD_OK) return st;
    im->sources = vd_mem_array((size_t)im->n, sizeof *im->sources);
    if (im->sources == NULL) return vd_nomem(err);
    for (int k = 0; k < im->n; k++) {
        source *s = &im->sources[k];
        if (im->c->on_cancel != NULL && im->c->on_cancel(im->c->user))
            return vd_fail(err, VD_E_CANCEL, "import: stopped");
        s->path = im->dirs[k];
        VD_TRY(vd_colmap_read(&s->m, s->path, err));
        if (s->m.n_images == 0)
            return vd_fail(err, VD_E_FORMAT, "import: the model of %.300s has no images", s->path);
        s->first = im->n_wanted;
        s->n_images = s->m.n_images;
        s->n_points = s->m.n_points;
        im->n_wanted += s->n_images;
    }
    return VD_OK;
}

static vd_status list_wanted(importer *im, vd_err *err) {
    VD_TRY(vd_map_new(&im->by_name, err));
    im->w = vd_mem_array((size_t)im->n_wanted + 1, sizeof *im->w);
    if (im->w == NULL) return vd_nomem(err);
    for (int k = 0; k < im->n; k++) {
        const vd_model *m = &im->sources[k].m;
        for (int32_t i = 0; i < m->n_images; i++) {
            const char *name = m->images[i].name, *last = vd_path_name(name);
            int64_t at = im->sources[k].first + i, next = -1;
            vd_map_get(im->by_name, last, strlen(last), &next);
            im->w[at] = (wanted){ .name = name,
                                  .camera = &m->cameras[m->images[i].camera],
                                  .next = next,
                                  .asset = -1,
                                  .rival = -1 };
            VD_TRY(vd_map_put(im->by_name, last, strlen(last), at, err));
        }
    }
    return VD_OK;
}

/* ---- assets ---- */

static bool is_boundary(char c) {
    return c == '/' || c == '!';
}

/* How many components two paths share from the end; the last one must be the same. */
static int shared_components(const char *name, const char *uri) {
    size_t a = strlen(name), b = strlen(uri);
    int n = 0;
    while (a > 0 && b > 0 && (name[a - 1] == uri[b - 1])) {
        a--;
        b--;
        n += is_boundary(name[a]);
    }
    bool whole =
        (a == 0 && (b == 0 || is_boundary(uri[b - 1]))) || (b == 0 && is_boundary(name[a - 1]));
    return n + whole;
}

typedef struct asset {
    int64_t id, width, height; /* of its picture as stored; 0: not known */
    const char *uri;
} asset;

static void offer(importer *im, const asset *a, const char *last) {
    int64_t at = -1;
    vd_map_get(im->by_name, last, strlen(last), &at);
    for (; at >= 0; at = im->w[at].next) {
        wanted *w = &im->w[at];
        int shared = shared_components(w->name, a->uri);
        if (shared == 0) continue;
        if (a->width > 0 && (a->width != w->camera->width || a->height != w->camera->height)) {
            w->other++;
            w->other_width = a->width;
            w->other_height = a->height;
        } else if (shared > w->shared) {
            w->shared = shared;
            w->asset = a->id;
            w->ties = 1;
        } else {
            w->ties += shared == w->shared;
        }
    }
}

/* A member of an archive goes by what follows the archive's name as well. */
static void offer_names(importer *im, const asset *a) {
    const char *last = vd_path_name(a->uri), *member = strrchr(last, '!');
    offer(im, a, last);
    if (member != NULL) offer(im, a, member + 1);
}

static vd_status match_assets(importer *im, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    VD_TRY(vd_db_prepare(&s, vd_dataset_db(im->ds),
                         "SELECT a.id, a.uri, c.width, c.height, c.orientation FROM asset a"
                         " LEFT JOIN fact_check c ON c.asset_id = a.id WHERE a.state = 'present'"
                         " AND a.kind NOT IN ('video', 'audio', 'archive') ORDER BY a.id",
                         true, err));
    vd_status st = VD_OK;
    while (st == VD_OK) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        bool turned = vd_stmt_int(s, 4) >= 5; /* the catalog's size is that of the upright one */
        const asset a = { .id = vd_stmt_int(s, 0),
                          .uri = vd_stmt_text(s, 1),
                          .width = vd_stmt_int(s, turned ? 3 : 2),
                          .height = vd_stmt_int(s, turned ? 2 : 3) };
        offer_names(im, &a);
    }
    vd_stmt_free(s);
    return st;
}

/* Two images of a model cannot be one picture: the one with the longer common path has it. */
static vd_status settle_rivals(importer *im, const source *s, vd_err *err) {
    vd_map *taken = NULL;
    vd_status st = vd_map_new(&taken, err);
    for (int64_t i = s->first; st == VD_OK && i < s->first + s->n_images; i++) {
        wanted *w = &im->w[i];
        int64_t held = -1;
        if (w->shared == 0 || w->ties != 1) continue;
        if (vd_map_get(taken, &w->asset, sizeof w->asset, &held)) {
            bool better = w->shared > im->w[held].shared;
            im->w[better ? held : i].rival = better ? i : held;
            if (!better) continue;
        }
        st = vd_map_put(taken, &w->asset, sizeof w->asset, i, err);
    }
    vd_map_free(taken);
    return st;
}

static bool is_matched(const wanted *w) {
    return w->shared > 0 && w->ties == 1 && w->rival < 0;
}

static void say_why(const importer *im, const wanted *w, vd_str *out) {
    vd_str_addf(out, "%.200s: ", w->name);
    if (w->rival >= 0)
        vd_str_addf(out, "%.200s has that picture", im->w[w->rival].name);
    else if (w->ties > 1)
        vd_str_addf(out, "%lld files end so", (long long)w->ties);
    else if (w->other > 0)
        vd_str_addf(out, "the picture has %lld x %lld pixels, its camera %d x %d",
                    (long long)w->other_width, (long long)w->other_height, (int)w->camera->width,
                    (int)w->camera->height);
    else
        vd_str_add(out, "no file of that name");
}

/* ---- taking them over ---- */

/* The model of what was matched, and the assets of its images. */
static vd_status reduce(importer *im, source *s, vd_err *err) {
    int64_t told = 0;
    VD_TRY(settle_rivals(im, s, err));
    s->assets = vd_mem_array((size_t)s->n_images, sizeof *s->assets);
    s->keep = vd_mem_array((size_t)s->n_images, 1);
    if (s->assets == NULL || s->keep == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n_images; i++) {
        const wanted *w = &im->w[s->first + i];
        s->keep[i] = is_matched(w);
        if (s->keep[i])
            s->assets[s->matched++] = w->asset;
        else if (told++ < TOLD) {
            if (told > 1) vd_str_add(&s->left_out, "; ");
            say_why(im, w, &s->left_out);
        }
    }
    if (told > TOLD) vd_str_addf(&s->left_out, "; and %lld more", (long long)(told - TOLD));
    return vd_str_check(&s->left_out, err);
}

static int by_size(const void *a, const void *b) {
    const source *x = *(const source *const *)a, *y = *(const source *const *)b;
    if (x->matched != y->matched) return x->matched > y->matched ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* The largest first, as scenes are; models without a picture of the dataset stay away. */
static vd_status import_models(importer *im, vd_err *err) {
    vd_status st = VD_OK;
    int n = 0;
    const source **order = vd_mem_array((size_t)im->n, sizeof *order);
    vd_imported_scene *scenes = vd_mem_array((size_t)im->n, sizeof *scenes);
    if (order == NULL || scenes == NULL) VD_GO(vd_nomem(err));
    for (int k = 0; k < im->n; k++)
        if (im->sources[k].matched > 0) order[n++] = &im->sources[k];
    if (n == 0)
        VD_GO(vd_fail(
            err, VD_E_NOTFOUND,
            "import: none of the %lld images of %.200s is a picture of the dataset (%.200s)",
            (long long)im->n_wanted, vd_arg_text(im->c, "path"),
            vd_str_text(&im->sources[0].left_out)));
    if (n > 1) qsort(order, (size_t)n, sizeof *order, by_size);
    for (int k = 0; k < n; k++) {
        source *s = &im->sources[order[k] - im->sources];
        VD_GO(vd_model_keep_images(&s->m, s->keep, err));
        s->scene = k + 1;
        scenes[k] = (vd_imported_scene){ &s->m, s->assets, s->path };
    }
    st = vd_scenes_import(im->ds, "colmap", scenes, n, err);
done:
    vd_mem_free(order);
    vd_mem_free(scenes);
    return st;
}

static vd_status report(importer *im, int64_t replaced, vd_err *err) {
    VD_TRY(vd_out_columns(im->c, columns, VD_COUNT(columns), err));
    for (int k = 0; k < im->n; k++) {
        const source *s = &im->sources[k];
        bool in = s->scene > 0;
        const vd_value row[] = { in ? vd_val_int(s->scene) : vd_val_null(),
                                 vd_val_text(s->path),
                                 vd_val_int(s->n_images),
                                 vd_val_int(s->matched),
                                 vd_val_int(s->n_points),
                                 vd_val_int(in ? s->m.n_points : 0),
                                 vd_val_text(vd_str_text(&s->left_out)) };
        VD_TRY(vd_out_row(im->c, row, err));
    }
    if (replaced > 0)
        vd_out_words(im->c, "%lld scene%s that the dataset had %s replaced", (long long)replaced,
                     replaced == 1 ? "" : "s", replaced == 1 ? "is" : "are");
    return VD_OK;
}

static vd_status import_scenes(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    importer im = { .c = c };
    int64_t replaced = 0;
    VD_GO(vd_op_open(c, VD_DB_WRITE, &im.ds, err));
    VD_GO(vd_db_int(vd_dataset_db(im.ds), "SELECT count(*) FROM scene", &replaced, err));
    VD_GO(read_models(&im, err));
    VD_GO(list_wanted(&im, err));
    VD_GO(match_assets(&im, err));
    for (int k = 0; k < im.n; k++) VD_GO(reduce(&im, &im.sources[k], err));
    VD_GO(import_models(&im, err));
    VD_GO(report(&im, replaced, err));
done:
    for (int k = 0; im.sources != NULL && k < im.n; k++) {
        vd_model_reset(&im.sources[k].m);
        vd_mem_free(im.sources[k].assets);
        vd_mem_free(im.sources[k].keep);
        vd_str_reset(&im.sources[k].left_out);
    }
    vd_colmap_free_folders(im.dirs, im.n);
    vd_mem_free(im.sources);
    vd_mem_free(im.w);
    vd_map_free(im.by_name);
    vd_dataset_close(im.ds);
    return st;
}

static bool is_model(const char *path) {
    char **dirs = NULL;
    int n = 0;
    bool is = vd_colmap_find(&dirs, &n, path, NULL) == VD_OK;
    vd_colmap_free_folders(dirs, n);
    return is;
}

static vd_status import_op(vd_opcall *c, vd_err *err) {
    const char *format = vd_arg_text(c, "format");
    bool model = format != NULL ? strcmp(format, "colmap") == 0 : is_model(vd_arg_text(c, "path"));
    if (model && vd_arg_given(c, "where"))
        return vd_fail(err, VD_E_ARG, "import: --where is for labels, %.300s is a model",
                       vd_arg_text(c, "path"));
    return model ? import_scenes(c, err) : vd_import_labels(c, err);
}

const vd_op vd_op_import = {
    .name = "import",
    .summary = "takes scenes (COLMAP's models) and labels of other programs into the catalog",
    .help =
        "Scenes replace those that the dataset has, whole or not at all, and stay until they are imported again or\n"
        "reconstruct --replace makes new ones; run leaves them alone. Images are matched to pictures by the end of\n"
        "their paths and the size of their cameras, which are of the pictures as stored. A model of which every image is\n"
        "matched is kept as it came: export gives back the same bytes.\n"
        "\n"
        "Labels are added as a label set (tables label_set, label_category, label_image, label). They go to the assets\n"
        "whose paths end as their pictures' names do, or which have that name or hash; what could not be matched is\n"
        "listed and kept. Labels of a picture as stored are turned with it where its EXIF orientation does.",
    .example = "vidimus import captures.vidimus colmap/sparse --format colmap",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_WRITES | VD_OP_DYNAMIC,
    .run = import_op,
};
