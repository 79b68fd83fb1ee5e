/* Scenes with pinhole cameras. SPDX-License-Identifier: Apache-2.0 */
#include "ops/undistort.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/undistort.h"
#include "image/jpeg_write.h"
#include "image/working.h"
#include "stage/pixels.h"
#include "store/facts.h"

enum { QUALITY = 95 };

typedef struct job {
    const vd_camera *from, *to;
    vd_pixels rgb, out; /* the picture as interleaved RGB, and undistorted */
    float *uv;
    int64_t cap_uv;
    vd_str jpeg;
} job;

static vd_status interleave(job *j, const vd_frame *f, vd_err *err) {
    VD_TRY(vd_pixels_shape(&j->rgb, f->width, f->height, 3, err));
    for (int32_t y = 0; y < f->height; y++)
        for (int32_t x = 0; x < f->width; x++)
            vd_frame_colour(f, x, y, j->rgb.data + 3 * ((int64_t)y * f->width + x));
    return VD_OK;
}

/* Bilinear; (u, v) has pixel centres at +0.5. Black where there is no place. */
static void sample(const vd_pixels *p, float u, float v, uint8_t out[3]) {
    memset(out, 0, 3);
    if (!(u > -1 && v > -1 && u < (float)p->width + 1 && v < (float)p->height + 1)) return;
    float x = VD_CLAMP(u - 0.5f, 0, (float)(p->width - 1));
    float y = VD_CLAMP(v - 0.5f, 0, (float)(p->height - 1));
    int32_t x0 = (int32_t)x, y0 = (int32_t)y;
    int32_t x1 = VD_MIN(x0 + 1, p->width - 1), y1 = VD_MIN(y0 + 1, p->height - 1);
    float fx = x - (float)x0, fy = y - (float)y0;
    const uint8_t *a = p->data + 3 * ((int64_t)y0 * p->width),
                  *b = p->data + 3 * ((int64_t)y1 * p->width);
    for (int k = 0; k < 3; k++) {
        float top = (float)a[3 * x0 + k] + fx * (float)(a[3 * x1 + k] - a[3 * x0 + k]);
        float low = (float)b[3 * x0 + k] + fx * (float)(b[3 * x1 + k] - b[3 * x0 + k]);
        out[k] = (uint8_t)(top + fy * (low - top) + 0.5f);
    }
}

static vd_status undistort(job *j, const vd_frame *f, vd_err *err) {
    const vd_camera *to = j->to;
    if (f->width != j->from->width || f->height != j->from->height)
        return vd_fail(err, VD_E_FORMAT,
                       "undistort: the picture is %d x %d now, its camera %d x %d", (int)f->width,
                       (int)f->height, (int)j->from->width, (int)j->from->height);
    VD_TRY(interleave(j, f, err));
    VD_TRY(vd_pixels_shape(&j->out, to->width, to->height, 3, err));
    VD_TRY(VD_GROW(j->uv, j->cap_uv, 2 * (int64_t)to->width, err));
    for (int32_t y = 0; y < to->height; y++) {
        vd_undistort_row(j->uv, to, j->from, y);
        for (int32_t x = 0; x < to->width; x++)
            sample(&j->rgb, j->uv[2 * x], j->uv[2 * x + 1],
                   j->out.data + 3 * ((int64_t)y * to->width + x));
    }
    vd_jpeg_opt opt = VD_JPEG_OPT;
    const vd_frame out = { .format = VD_PIX_RGB8,
                           .width = to->width,
                           .height = to->height,
                           .orientation = 1,
                           .plane = {
                               { j->out.data, 3 * (ptrdiff_t)to->width, to->width, to->height } } };
    opt.quality = QUALITY;
    vd_str_clear(&j->jpeg);
    return vd_jpeg_write(&j->jpeg, &out, &opt, err);
}

/* ---- pictures of a model ---- */

typedef struct writer {
    vd_opcall *c;
    vd_model *m;
    const vd_camera *to; /* of each camera */
    const int64_t *assets;
    const char *dir;
    vd_pixel_source *pixels;
    vd_map *names;  /* given so far */
    vd_map *images; /* by asset */
    vd_map *videos; /* decoded so far, by asset */
    job job;
    int32_t done;
    double t0;
} writer;

/* "folder/a.png" becomes "folder_a.jpg"; one folder holds all. A frame's time is no extension, and
 * where the short name is taken the picture keeps its own extension too. */
static void flat_name(vd_str *out, const char *name, bool whole) {
    const char *ext = vd_path_ext(name);
    bool cut = !whole && ext[0] != '\0' && strchr(vd_path_name(name), '#') == NULL;
    vd_str_clear(out);
    vd_str_addn(out, name, (int64_t)(strlen(name) - (cut ? strlen(ext) + 1 : 0)));
    vd_str_add(out, ".jpg");
    for (char *p = out->data; p != NULL && *p != '\0'; p++)
        if (*p == '/' || *p == '!' || *p == '#') *p = '_';
}

static vd_status rename_image(writer *w, vd_model_image *image, vd_err *err) {
    vd_str name = { 0 };
    int64_t taken = 0;
    char *fresh = NULL;
    flat_name(&name, image->name, false);
    if (vd_map_get(w->names, vd_str_text(&name), (size_t)name.size, &taken))
        flat_name(&name, image->name, true);
    vd_status st = vd_str_check(&name, err);
    if (st == VD_OK && vd_map_get(w->names, name.data, (size_t)name.size, &taken))
        st = vd_fail(err, VD_E_EXISTS, "undistort: two pictures would be %.300s", name.data);
    if (st == VD_OK) st = vd_map_put(w->names, name.data, (size_t)name.size, 1, err);
    if (st == VD_OK && (fresh = vd_mem_strdup(name.data)) == NULL) st = vd_nomem(err);
    if (fresh != NULL) {
        vd_mem_free(image->name);
        image->name = fresh;
    }
    vd_str_reset(&name);
    return st;
}

static vd_status write_image(writer *w, vd_model_image *image, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = rename_image(w, image, err);
    if (st == VD_OK) {
        vd_str_addf(&path, "%s/%s", w->dir, image->name);
        st = vd_str_check(&path, err);
    }
    if (st == VD_OK) st = vd_file_write(path.data, w->job.jpeg.data, (size_t)w->job.jpeg.size, err);
    vd_str_reset(&path);
    for (int32_t k = 0; st == VD_OK && k < image->n; k++) {
        double at[2];
        if (!vd_undistort_point(at, w->job.to, w->job.from, image->uv + 2 * k)) continue;
        image->uv[2 * k] = at[0];
        image->uv[2 * k + 1] = at[1];
    }
    return st;
}

static void tell(writer *w) {
    const int32_t n = w->m->n_images;
    const vd_progress p = { "undistort", w->done, n, vd_time_mono_s() - w->t0, w->done == n };
    if (w->c->on_progress != NULL) w->c->on_progress(w->c->user, &p);
}

static vd_status one_image(writer *w, int32_t i, const vd_frame *f, vd_err *err) {
    vd_model_image *image = &w->m->images[i];
    if (w->c->on_cancel != NULL && w->c->on_cancel(w->c->user))
        return vd_fail(err, VD_E_CANCEL, "export: stopped");
    w->job.from = &w->m->cameras[image->camera];
    w->job.to = &w->to[image->camera];
    VD_TRY(undistort(&w->job, f, err));
    VD_TRY(write_image(w, image, err));
    w->done++;
    tell(w);
    return VD_OK;
}

typedef struct request {
    writer *w;
    int64_t parent; /* of frames; 0: the asset itself */
    int32_t image;  /* where there is no parent */
} request;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    request *r = user;
    int64_t image = r->image, id = vd_child_id(r->parent, index);
    (void)m, (void)time_s;
    if (r->parent != 0 && !vd_map_get(r->w->images, &id, sizeof id, &image)) return VD_OK;
    return one_image(r->w, (int32_t)image, f, err);
}

/* A picture, or at its first frame a video with all its frames. */
static vd_status decode_image(writer *w, int32_t i, vd_err *err) {
    const int64_t asset = w->assets[i], parent = vd_parent_id(asset);
    request r = { w, parent, i };
    int64_t known = 0;
    if (parent == 0) return vd_asset_decode(w->pixels, asset, on_frame, &r, err);
    if (vd_map_get(w->videos, &parent, sizeof parent, &known)) return VD_OK;
    VD_TRY(vd_map_put(w->videos, &parent, sizeof parent, i, err));
    return vd_children_decode(w->pixels, parent, on_frame, &r, err);
}

static vd_status index_images(writer *w, vd_err *err) {
    VD_TRY(vd_map_new(&w->names, err));
    VD_TRY(vd_map_new(&w->images, err));
    VD_TRY(vd_map_new(&w->videos, err));
    for (int32_t i = 0; i < w->m->n_images; i++)
        VD_TRY(vd_map_put(w->images, &w->assets[i], sizeof *w->assets, i, err));
    return VD_OK;
}

vd_status vd_undistort_model(vd_opcall *c, vd_dataset *ds, vd_model *m, const int64_t *assets,
                             const char *dir, vd_err *err) {
    vd_status st = VD_OK;
    vd_camera *to = vd_mem_array((size_t)m->n_cameras + 1, sizeof *to);
    writer w = { .c = c, .m = m, .to = to, .assets = assets, .dir = dir, .t0 = vd_time_mono_s() };
    if (to == NULL) return vd_nomem(err);
    VD_GO(vd_dir_make(dir, err));
    VD_GO(vd_pixel_source_new(&w.pixels, ds, c->libexec_dir, err));
    VD_GO(index_images(&w, err));
    for (int32_t i = 0; i < m->n_cameras; i++)
        VD_GO(vd_undistorted_camera(&to[i], &m->cameras[i], err));
    for (int32_t i = 0; i < m->n_images; i++) VD_GO(decode_image(&w, i, err));
    if (w.done != m->n_images)
        VD_GO(vd_fail(err, VD_E_FORMAT, "undistort: %d of %d pictures came out of their videos",
                      (int)w.done, (int)m->n_images));
    memcpy(m->cameras, to, (size_t)m->n_cameras * sizeof *to);
done:
    vd_pixel_source_free(w.pixels);
    vd_map_free(w.names);
    vd_map_free(w.images);
    vd_map_free(w.videos);
    vd_pixels_reset(&w.job.rgb);
    vd_pixels_reset(&w.job.out);
    vd_mem_free(w.job.uv);
    vd_str_reset(&w.job.jpeg);
    vd_mem_free(to);
    return st;
}
