/* The run: a plan, one task a picture, the truth files last. Each task renders, spoils, develops,
 * encodes and writes one picture, and the copies that are made of it; it keeps nothing but its
 * worker's buffers, so memory depends on the size of a picture and the number of jobs alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/synth.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "image/exif_write.h"
#include "image/jpeg_write.h"
#include "image/png_write.h"
#include "synth/defect.h"
#include "synth/labels.h"
#include "synth/truth.h"

static const char MARKER[] = ".vidimus-synth", LABELS[] = "labels.json";
enum { MAX_MARKER = 64 << 20 };

typedef struct scratch {
    vd_picture picture;
    vd_seen *seen; /* one an object */
    uint8_t *edited, *mask;
    int64_t edited_cap, mask_cap;
    vd_str bytes, exif, path;
    vd_runs runs;
} scratch;

typedef struct job {
    const char *dir;
    vd_plan *plan;
    const vd_synth_kern *kern;
    vd_seen_list *seen; /* one a view */
    scratch *worker;
    int n_workers;
    pthread_mutex_t lock; /* guards what follows */
    vd_synth_progress progress;
    void *user;
    int64_t done, image_bytes;
    vd_label_set labels;
} job;

static vd_status path_to(vd_str *out, const char *dir, const char *folder, const char *name,
                         size_t n, const char *ext, vd_err *err) {
    vd_str_clear(out);
    vd_str_addf(out, "%s/%s/%.*s%s", dir, folder, (int)n, name, ext);
    return vd_str_check(out, err);
}

/* Not synced to disk: a run that was cut short is simply run again. */
static vd_status put_file(const char *path, const vd_str *bytes, vd_err *err) {
    FILE *f = fopen(path, "wbe");
    if (f == NULL) return vd_fail_errno(err, errno, "write: %s", path);
    bool ok = fwrite(bytes->data, 1, (size_t)bytes->size, f) == (size_t)bytes->size;
    int errnum = errno;
    if (fclose(f) != 0 && ok) {
        ok = false;
        errnum = errno;
    }
    return ok ? VD_OK : vd_fail_errno(err, errnum, "write: %s", path);
}

static vd_status put_image(job *j, scratch *w, const char *name, vd_err *err) {
    VD_TRY(path_to(&w->path, j->dir, "images", name, strlen(name), "", err));
    VD_TRY(put_file(w->path.data, &w->bytes, err));
    pthread_mutex_lock(&j->lock);
    j->image_bytes += w->bytes.size;
    pthread_mutex_unlock(&j->lock);
    return VD_OK;
}

static vd_status encode(scratch *w, const uint8_t *rgb, int32_t width, int32_t height, int quality,
                        const vd_media *m, bool png, vd_err *err) {
    vd_str_clear(&w->bytes);
    if (png)
        return vd_png_write(&w->bytes, VD_PNG_RGB8, rgb, width, height, 3 * (ptrdiff_t)width, 1,
                            err);
    vd_media exif = *m;
    exif.width = width;
    exif.height = height;
    vd_str_clear(&w->exif);
    VD_TRY(vd_exif_write(&w->exif, &exif, err));
    vd_frame f = {
        VD_PIX_RGB8, width, height, 1, { { rgb, 3 * (ptrdiff_t)width, width, height } }
    };
    vd_jpeg_opt o = { .quality = quality, .exif = w->exif.data, .exif_size = (size_t)w->exif.size };
    return vd_jpeg_write(&w->bytes, &f, &o, err);
}

static vd_status write_copy(job *j, scratch *w, const vd_copy *c, vd_err *err) {
    const vd_shot *source = &j->plan->shot[c->view];
    const vd_picture *p = &w->picture;
    if (c->edit == VD_EDIT_NONE) {
        VD_TRY(encode(w, p->rgb, p->width, p->height, c->quality, &source->exif, false, err));
    } else {
        int64_t need = 3 * (int64_t)c->width * c->height;
        VD_TRY(VD_GROW(w->edited, w->edited_cap, need, err));
        VD_TRY(vd_defect_resample(w->edited, c->width, c->height, p, c->x0, c->y0, c->x1, c->y1,
                                  c->gain, err));
        VD_TRY(encode(w, w->edited, c->width, c->height, c->quality, &source->exif, false, err));
    }
    return put_image(j, w, c->name, err);
}

/* A run of pixels of one object in a row. */
static void see(vd_seen *s, int32_t y, int32_t x0, int32_t x1) {
    if (s->pixels == 0) *s = (vd_seen){ s->object, 0, x0, y, x1, y + 1 };
    s->pixels += x1 - x0;
    s->x0 = VD_MIN(s->x0, x0);
    s->x1 = VD_MAX(s->x1, x1);
    s->y1 = y + 1;
}

/* Which objects the picture shows, and where: kept in a list of just these. */
static vd_status look(vd_seen_list *out, vd_seen *seen, int n_objects, const vd_picture *p,
                      vd_err *err) {
    int n = 0;
    for (int i = 0; i < n_objects; i++) seen[i] = (vd_seen){ .object = i };
    for (int32_t y = 0; y < p->height; y++) {
        const uint16_t *id = p->id + (int64_t)y * p->width;
        for (int32_t x = 0, end; x < p->width; x = end) {
            for (end = x + 1; end < p->width && id[end] == id[x];) end++;
            if (id[x] >= VD_ID_FIRST) see(&seen[id[x] - VD_ID_FIRST], y, x, end);
        }
    }
    for (int i = 0; i < n_objects; i++)
        if (seen[i].pixels > 0) seen[n++] = seen[i];
    out->item = vd_mem_array((size_t)n, sizeof *out->item);
    if (out->item == NULL) return vd_nomem(err);
    memcpy(out->item, seen, (size_t)n * sizeof *seen);
    out->n = n;
    return VD_OK;
}

/* Instances as a PNG: of 8 bits where they fit. */
static vd_status encode_mask(scratch *w, int n_objects, vd_err *err) {
    const vd_picture *p = &w->picture;
    const int64_t n = (int64_t)p->width * p->height;
    vd_str_clear(&w->bytes);
    if (n_objects + VD_ID_FIRST > 256)
        return vd_png_write(&w->bytes, VD_PNG_GREY16, p->id, p->width, p->height,
                            2 * (ptrdiff_t)p->width, 4, err);
    VD_TRY(VD_GROW(w->mask, w->mask_cap, n, err));
    for (int64_t i = 0; i < n; i++) w->mask[i] = (uint8_t)p->id[i];
    return vd_png_write(&w->bytes, VD_PNG_GREY8, w->mask, p->width, p->height, p->width, 4, err);
}

static vd_status write_maps(job *j, scratch *w, const vd_shot *s, vd_err *err) {
    const vd_picture *p = &w->picture;
    const size_t n = strlen(s->name) - 4;
    if (!j->plan->opt.truth_maps) return VD_OK;
    vd_npy shape = { .type = VD_NPY_F32, .n_dims = 2, .dim = { p->height, p->width } };
    VD_TRY(path_to(&w->path, j->dir, "truth/depth", s->name, n, ".npy", err));
    VD_TRY(vd_npy_write(w->path.data, &shape, p->depth, err));
    VD_TRY(encode_mask(w, j->plan->scene.n_objects, err));
    VD_TRY(path_to(&w->path, j->dir, "truth/masks", s->name, n, ".png", err));
    return put_file(w->path.data, &w->bytes, err);
}

static vd_status add_labels(job *j, scratch *w, int64_t view, vd_err *err) {
    const vd_seen_list *seen = &j->seen[view];
    if (!j->plan->opt.labels) return VD_OK;
    for (int k = 0; k < seen->n; k++) {
        if (seen->item[k].pixels < VD_SYNTH_MIN_PIXELS) continue;
        VD_TRY(vd_runs_of(&w->runs, &w->picture, &seen->item[k], err));
        pthread_mutex_lock(&j->lock);
        vd_status st =
            vd_synth_labels_add(&j->labels, j->plan, view, &seen->item[k], &w->runs, err);
        pthread_mutex_unlock(&j->lock);
        if (st != VD_OK) return st;
    }
    return VD_OK;
}

static vd_status spoil(vd_picture *p, const job *j, const vd_shot *s, uint64_t seed, vd_err *err) {
    if (s->defect == VD_DEFECT_LOW_INFORMATION) vd_defect_flat(p, seed);
    if (s->defect == VD_DEFECT_BLURRY) return vd_defect_defocus(p, j->kern, s->sigma_px, err);
    if (s->defect == VD_DEFECT_MOTION_BLUR)
        return vd_defect_motion(p, j->kern, s->length_px, s->angle_rad, err);
    return VD_OK;
}

static vd_status tell(job *j) {
    vd_status st = VD_OK;
    pthread_mutex_lock(&j->lock);
    j->done++;
    if (j->progress != NULL) st = j->progress(j->user, j->done, j->plan->n_shots);
    pthread_mutex_unlock(&j->lock);
    return st;
}

static vd_status one_shot(void *user, int64_t i, int worker, vd_err *err) {
    job *j = user;
    scratch *w = &j->worker[worker];
    const vd_plan *p = j->plan;
    vd_shot *s = &j->plan->shot[i];
    const uint64_t noise_seed = vd_mix64(p->opt.seed * 0x9e3779b97f4a7c15u + (uint64_t)i + 1);
    const bool flat = s->defect == VD_DEFECT_LOW_INFORMATION;
    VD_TRY(vd_picture_size(&w->picture, p->opt.width, p->opt.height, err));
    if (!flat) VD_TRY(vd_render(&w->picture, j->kern, &p->scene, &p->camera, s->pose, err));
    VD_TRY(spoil(&w->picture, j, s, noise_seed, err));
    vd_develop d = { s->exposure, flat ? 0 : p->opt.vignette, s->noise, noise_seed };
    vd_picture_develop(&w->picture, j->kern, &d);
    VD_TRY(encode(w, w->picture.rgb, p->opt.width, p->opt.height, p->opt.quality, &s->exif, s->png,
                  err));
    if (s->keep < 1) w->bytes.size = (int64_t)((double)w->bytes.size * s->keep);
    s->bytes = w->bytes.size;
    VD_TRY(put_image(j, w, s->name, err));
    if (s->index >= 0) {
        VD_TRY(look(&j->seen[s->index], w->seen, p->scene.n_objects, &w->picture, err));
        VD_TRY(write_maps(j, w, s, err));
        VD_TRY(add_labels(j, w, s->index, err));
        for (int64_t k = 0; k < p->n_copies; k++)
            if (p->copy[k].view == s->index) VD_TRY(write_copy(j, w, &p->copy[k], err));
    }
    vd_status st = tell(j);
    return st == VD_OK ? VD_OK : vd_fail(err, st, "synth: stopped");
}

/* Removes what an earlier run wrote: the marker lists it, one path a line. Only plain names in our
 * own folders are believed. */
static vd_status remove_former(const char *dir, char *list, vd_err *err) {
    vd_status st = VD_OK;
    vd_str path = { 0 };
    char *save = NULL;
    for (char *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strstr(line, "..") != NULL) continue;
        const bool ours = vd_str_starts(line, "images/") || vd_str_starts(line, "truth/");
        if (!ours && strcmp(line, LABELS) != 0) continue;
        vd_str_clear(&path);
        vd_str_addf(&path, "%s/%s", dir, line);
        VD_GO(vd_str_check(&path, err));
        unlink(path.data);
    }
done:
    vd_str_reset(&path);
    return st;
}

static bool is_empty(const char *dir) {
    DIR *d = opendir(dir);
    if (d == NULL) return true;
    bool empty = true;
    for (struct dirent *e; empty && (e = readdir(d)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    return empty;
}

/* Lists every file of the plan, for the marker. */
static void list_files(vd_str *s, const vd_plan *p) {
    for (int64_t i = 0; i < p->n_shots; i++) {
        const char *name = p->shot[i].name;
        vd_str_addf(s, "images/%s\n", name);
        if (p->shot[i].index < 0 || !p->opt.truth_maps) continue;
        int n = (int)strlen(name) - 4;
        vd_str_addf(s, "truth/depth/%.*s.npy\ntruth/masks/%.*s.png\n", n, name, n, name);
    }
    for (int64_t i = 0; i < p->n_copies; i++) vd_str_addf(s, "images/%s\n", p->copy[i].name);
    vd_str_add(s, "truth/cameras.json\ntruth/coco.json\ntruth/defects.tsv\ntruth/truth.json\n");
    if (p->opt.labels) vd_str_addf(s, "%s\n", LABELS);
}

static vd_status make_folders(const char *dir, const vd_plan *p, vd_err *err) {
    static const char *const sub[] = { "images", "truth", "truth/depth", "truth/masks" };
    vd_status st = VD_OK;
    vd_str path = { 0 }, list = { 0 };
    char *former = NULL;
    size_t size;
    VD_GO(vd_dir_make(dir, err));
    vd_str_addf(&path, "%s/%s", dir, MARKER);
    VD_GO(vd_str_check(&path, err));
    if (access(path.data, F_OK) == 0) {
        VD_GO(vd_file_read(&former, &size, path.data, MAX_MARKER, err));
        VD_GO(remove_former(dir, former, err));
    } else if (!is_empty(dir)) {
        VD_GO(vd_fail(err, VD_E_EXISTS, "synth: %s is not empty and was not made by synth", dir));
    }
    vd_str_add(&list, "Written by vidimus synth; a later run replaces these files.\n");
    list_files(&list, p);
    VD_GO(vd_str_check(&list, err));
    VD_GO(vd_file_write(path.data, list.data, (size_t)list.size, err));
    for (int i = 0; i < VD_COUNT(sub); i++) {
        if (i > 1 && !p->opt.truth_maps) break;
        vd_str_clear(&path);
        vd_str_addf(&path, "%s/%s", dir, sub[i]);
        VD_GO(vd_str_check(&path, err));
        VD_GO(vd_dir_make(path.data, err));
    }
done:
    vd_str_reset(&path);
    vd_str_reset(&list);
    vd_mem_free(former);
    return st;
}

static vd_status write_truth(const job *j, const vd_mistakes *mistakes, vd_err *err) {
    static const char *const name[] = { "cameras.json", "coco.json", "defects.tsv", "truth.json" };
    vd_status st = VD_OK;
    vd_str text = { 0 }, path = { 0 };
    for (int i = 0; i < VD_COUNT(name); i++) {
        vd_str_clear(&text);
        if (i == 0)
            vd_truth_cameras(&text, j->plan);
        else if (i == 1)
            vd_truth_coco(&text, j->plan, j->seen);
        else if (i == 2)
            vd_truth_defects(&text, j->plan, mistakes);
        else
            vd_truth_all(&text, j->plan, mistakes);
        VD_GO(vd_str_check(&text, err));
        VD_GO(path_to(&path, j->dir, "truth", name[i], strlen(name[i]), "", err));
        VD_GO(vd_file_write(path.data, text.data, (size_t)text.size, err));
    }
done:
    vd_str_reset(&text);
    vd_str_reset(&path);
    return st;
}

static vd_status write_labels(job *j, vd_mistakes *mistakes, int64_t *n, vd_err *err) {
    vd_str path = { 0 };
    if (!j->plan->opt.labels) return VD_OK;
    vd_str_addf(&path, "%s/%s", j->dir, LABELS);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_mistakes_draw(mistakes, j->plan, j->seen, err);
    if (st == VD_OK) st = vd_synth_labels_write(path.data, j->plan, &j->labels, mistakes, n, err);
    vd_str_reset(&path);
    return st;
}

static vd_status make_notes(job *j, vd_err *err) {
    j->seen = vd_mem_array((size_t)j->plan->opt.views, sizeof *j->seen);
    if (j->seen == NULL) return vd_nomem(err);
    for (int i = 0; i < j->n_workers; i++) {
        scratch *w = &j->worker[i];
        w->seen = vd_mem_array((size_t)j->plan->scene.n_objects, sizeof *w->seen);
        if (w->seen == NULL) return vd_nomem(err);
    }
    return j->plan->opt.labels ? vd_synth_labels_begin(&j->labels, j->plan, err) : VD_OK;
}

static void job_reset(job *j) {
    for (int i = 0; j->worker != NULL && i < j->n_workers; i++) {
        scratch *w = &j->worker[i];
        vd_picture_reset(&w->picture);
        vd_mem_free(w->seen);
        vd_mem_free(w->edited);
        vd_mem_free(w->mask);
        vd_str_reset(&w->bytes);
        vd_str_reset(&w->exif);
        vd_str_reset(&w->path);
        vd_mem_free(w->runs.run);
    }
    vd_mem_free(j->worker);
    for (int64_t i = 0; j->seen != NULL && i < j->plan->opt.views; i++)
        vd_mem_free(j->seen[i].item);
    vd_mem_free(j->seen);
    vd_label_set_reset(&j->labels);
    if (j->plan != NULL) vd_plan_reset(j->plan);
    vd_mem_free(j->plan);
    pthread_mutex_destroy(&j->lock);
}

vd_status vd_synth_write(const char *out_dir, const vd_synth_opt *opt, vd_pool *pool,
                         vd_synth_progress progress, void *user, vd_synth_stats *out, vd_err *err) {
    static const vd_synth_opt defaults = VD_SYNTH_OPT;
    vd_status st = VD_OK;
    const double start = vd_time_mono_s();
    vd_mistakes mistakes = { 0 };
    int64_t n_labels = 0;
    job j = { .dir = out_dir, .n_workers = vd_pool_jobs(pool), .progress = progress, .user = user };
    pthread_mutex_init(&j.lock, NULL);
    j.worker = vd_mem_array((size_t)j.n_workers, sizeof *j.worker);
    j.kern = vd_synth_kern_for(vd_cpu_features());
    vd_plan *plan = j.plan = vd_mem_array(1, sizeof *plan);
    if (j.worker == NULL || plan == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_plan_init(plan, opt != NULL ? opt : &defaults, err));
    VD_GO(make_notes(&j, err));
    VD_GO(make_folders(out_dir, plan, err));
    VD_GO(vd_pool_for(pool, plan->n_shots, one_shot, &j, err));
    VD_GO(write_labels(&j, &mistakes, &n_labels, err));
    VD_GO(write_truth(&j, &mistakes, err));
    if (out != NULL)
        *out = (vd_synth_stats){ .views = plan->opt.views,
                                 .files = plan->n_shots + plan->n_copies,
                                 .objects = plan->scene.n_objects,
                                 .labels = n_labels,
                                 .mistakes = mistakes.n,
                                 .image_bytes = j.image_bytes,
                                 .seconds = vd_time_mono_s() - start };
done:
    vd_mem_free(mistakes.item);
    job_reset(&j);
    return st;
}
