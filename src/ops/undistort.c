/* Scenes with pinhole cameras. SPDX-License-Identifier: Apache-2.0 */
#include "ops/undistort.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/undistort.h"
#include "image/jpeg_write.h"
#include "image/working.h"
#include "stage/pixels.h"

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

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    job *j = user;
    const vd_camera *to = j->to;
    (void)m, (void)index, (void)time_s;
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

/* "folder/a.png" becomes "folder_a.jpg"; one folder holds all. */
static vd_status rename_image(vd_model_image *image, vd_err *err) {
    vd_str name = { 0 };
    const char *ext = vd_path_ext(image->name);
    size_t n = strlen(image->name) - (ext[0] != '\0' ? strlen(ext) + 1 : 0);
    vd_str_addn(&name, image->name, (int64_t)n);
    vd_str_add(&name, ".jpg");
    vd_status st = vd_str_check(&name, err);
    for (char *p = name.data; st == VD_OK && *p != '\0'; p++)
        if (*p == '/' || *p == '!' || *p == '#') *p = '_';
    char *fresh = st == VD_OK ? vd_mem_strdup(name.data) : NULL;
    if (st == VD_OK && fresh == NULL) st = vd_nomem(err);
    if (st == VD_OK) {
        vd_mem_free(image->name);
        image->name = fresh;
    }
    vd_str_reset(&name);
    return st;
}

static vd_status one_image(vd_pixel_source *pixels, job *j, vd_model_image *image, int64_t asset,
                           const char *dir, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = vd_asset_decode(pixels, asset, on_frame, j, err);
    if (st == VD_OK) st = rename_image(image, err);
    if (st == VD_OK) {
        vd_str_addf(&path, "%s/%s", dir, image->name);
        st = vd_str_check(&path, err);
    }
    if (st == VD_OK) st = vd_file_write(path.data, j->jpeg.data, (size_t)j->jpeg.size, err);
    vd_str_reset(&path);
    for (int32_t k = 0; st == VD_OK && k < image->n; k++) {
        double at[2];
        if (!vd_undistort_point(at, j->to, j->from, image->uv + 2 * k)) continue;
        image->uv[2 * k] = at[0];
        image->uv[2 * k + 1] = at[1];
    }
    return st;
}

static void tell(vd_opcall *c, int32_t done, int32_t total, double t0) {
    const vd_progress p = { "undistort", done, total, vd_time_mono_s() - t0, done == total };
    if (c->on_progress != NULL) c->on_progress(c->user, &p);
}

vd_status vd_undistort_model(vd_opcall *c, vd_dataset *ds, vd_model *m, const int64_t *assets,
                             const char *dir, vd_err *err) {
    vd_status st = VD_OK;
    vd_pixel_source *pixels = NULL;
    job j = { 0 };
    double t0 = vd_time_mono_s();
    vd_camera *to = vd_mem_array((size_t)m->n_cameras + 1, sizeof *to);
    if (to == NULL) return vd_nomem(err);
    VD_GO(vd_dir_make(dir, err));
    VD_GO(vd_pixel_source_new(&pixels, ds, c->libexec_dir, err));
    for (int32_t i = 0; i < m->n_cameras; i++)
        VD_GO(vd_undistorted_camera(&to[i], &m->cameras[i], err));
    for (int32_t i = 0; i < m->n_images; i++) {
        if (c->on_cancel != NULL && c->on_cancel(c->user))
            VD_GO(vd_fail(err, VD_E_CANCEL, "export: stopped"));
        j.from = &m->cameras[m->images[i].camera];
        j.to = &to[m->images[i].camera];
        VD_GO(one_image(pixels, &j, &m->images[i], assets[i], dir, err));
        tell(c, i + 1, m->n_images, t0);
    }
    memcpy(m->cameras, to, (size_t)m->n_cameras * sizeof *to);
done:
    vd_pixel_source_free(pixels);
    vd_pixels_reset(&j.rgb);
    vd_pixels_reset(&j.out);
    vd_mem_free(j.uv);
    vd_str_reset(&j.jpeg);
    vd_mem_free(to);
    return st;
}
