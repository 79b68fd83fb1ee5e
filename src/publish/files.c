/* Pictures as files, and as a stream of bytes: what workers do. SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "publish/publish_int.h"

enum { WINDOW = 64 };                                  /* pictures in flight of a stream */
static const int64_t WINDOW_BYTES = (int64_t)64 << 20; /* ... unless one is larger */

vd_status vd_publisher_step(vd_publisher *p, vd_err *err) {
    const vd_publish_opt *o = p->opt;
    pthread_mutex_lock(&p->lock);
    p->done++;
    const vd_progress now = { "export", p->done, p->out->plan.n, vd_time_mono_s() - p->t0,
                              p->done == p->out->plan.n };
    if (o->on_progress != NULL) o->on_progress(o->user, &now);
    pthread_mutex_unlock(&p->lock);
    bool stop = o->on_cancel != NULL && o->on_cancel(o->user);
    return stop ? vd_fail(err, VD_E_CANCEL, "export: stopped; nothing was written") : VD_OK;
}

void vd_publisher_finish(vd_publisher *p) {
    const int64_t n = p->out->plan.n; /* those that were left out before are done, too */
    const vd_progress now = { "export", n, n, vd_time_mono_s() - p->t0, true };
    if (p->opt->on_progress != NULL && p->done < n) p->opt->on_progress(p->opt->user, &now);
    p->done = n;
}

vd_status vd_publisher_maker(vd_publisher *p, int worker, vd_picture_maker **out, vd_err *err) {
    if (p->maker[worker] == NULL)
        VD_TRY(vd_picture_maker_new(&p->maker[worker], p->ds, p->opt->libexec_dir,
                                    &p->opt->pictures, err));
    *out = p->maker[worker];
    return VD_OK;
}

/* ---- files ---- */

/* Work: files, and videos with all their frames, each at its first item. */
typedef struct files {
    vd_publisher *p;
    int64_t *job; /* items */
    int64_t n;
    bool staged;
} files;

static vd_status put(files *f, const vd_publish_item *item, const vd_str *bytes, vd_err *err) {
    vd_publisher *p = f->p;
    vd_str name = { 0 };
    if (f->staged)
        vd_str_addf(&name, VD_PUBLISH_STAGED "/%lld", (long long)item->id);
    else
        vd_layout_add(&name, p->opt->layout->picture, item);
    vd_status st = vd_str_check(&name, err);
    if (st == VD_OK)
        st = bytes != NULL
                 ? vd_folder_put(&p->folder, name.data, bytes->data, (size_t)bytes->size, err)
                 : vd_folder_link(&p->folder, name.data, item->place,
                                  p->opt->pictures.mode == VD_PICTURES_SYMLINK, err);
    vd_str_reset(&name);
    return st;
}

static vd_status put_frame(void *user, vd_publish_item *item, const vd_str *bytes, vd_err *err) {
    files *f = user;
    VD_TRY(put(f, item, bytes, err));
    return vd_publisher_step(f->p, err);
}

static vd_status one_file(void *user, int64_t i, int worker, vd_err *err) {
    files *f = user;
    vd_publisher *p = f->p;
    vd_publish_item *item = &p->out->plan.item[f->job[i]];
    vd_picture_maker *maker = NULL;
    const vd_str *bytes = NULL;
    const vd_picture_mode mode = p->opt->pictures.mode;
    bool link = !item->member && (mode == VD_PICTURES_LINK || mode == VD_PICTURES_SYMLINK);
    VD_TRY(vd_publisher_maker(p, worker, &maker, err));
    if (item->parent != 0)
        return vd_picture_frames(maker, &p->out->plan, item->parent, put_frame, f, err);
    VD_TRY(link ? vd_picture_check(maker, item, err) : vd_picture_make(maker, item, &bytes, err));
    if (item->fate == VD_FATE_DONE) VD_TRY(put(f, item, bytes, err));
    return vd_publisher_step(p, err);
}

static vd_status list_jobs(files *f, vd_err *err) {
    const vd_publish_plan *plan = &f->p->out->plan;
    vd_map *parents = NULL;
    int64_t at = 0;
    f->job = vd_mem_array((size_t)plan->n + 1, sizeof *f->job);
    if (f->job == NULL) return vd_nomem(err);
    vd_status st = vd_map_new(&parents, err);
    for (int64_t i = 0; st == VD_OK && i < plan->n; i++) {
        const vd_publish_item *item = &plan->item[i];
        if (item->fate != VD_FATE_OPEN || (f->staged && item->parent == 0)) continue;
        if (item->parent != 0 && vd_map_get(parents, &item->parent, sizeof item->parent, &at))
            continue;
        if (item->parent != 0) st = vd_map_put(parents, &item->parent, sizeof item->parent, i, err);
        f->job[f->n++] = i;
    }
    vd_map_free(parents);
    return st;
}

vd_status vd_publish_files(vd_publisher *p, bool staged, vd_err *err) {
    files f = { .p = p, .staged = staged };
    vd_status st = list_jobs(&f, err);
    if (st == VD_OK) st = vd_pool_for(p->pool, f.n, one_file, &f, err);
    vd_mem_free(f.job);
    return st;
}

/* ---- a stream ---- */

typedef struct window {
    vd_publisher *p;
    int64_t item[WINDOW];
    vd_str bytes[WINDOW];
    int n;
} window;

static vd_status read_staged(vd_publisher *p, const vd_publish_item *item, vd_str *out,
                             vd_err *err) {
    vd_str path = { 0 }, name = { 0 };
    char *data = NULL;
    size_t n = 0;
    vd_str_addf(&name, VD_PUBLISH_STAGED "/%lld", (long long)item->id);
    vd_folder_path(&p->folder, &path, vd_str_text(&name));
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_file_read(&data, &n, path.data, (size_t)INT32_MAX, err);
    if (st == VD_OK) vd_str_addn(out, data, (int64_t)n);
    vd_mem_free(data);
    vd_str_reset(&path);
    vd_str_reset(&name);
    return st;
}

static vd_status make_one(void *user, int64_t i, int worker, vd_err *err) {
    window *w = user;
    vd_publish_item *item = &w->p->out->plan.item[w->item[i]];
    vd_picture_maker *maker = NULL;
    const vd_str *bytes = NULL;
    vd_str_clear(&w->bytes[i]);
    if (item->fate > VD_FATE_DONE) return VD_OK;
    if (item->parent != 0) return read_staged(w->p, item, &w->bytes[i], err);
    VD_TRY(vd_publisher_maker(w->p, worker, &maker, err));
    VD_TRY(vd_picture_make(maker, item, &bytes, err));
    if (bytes != NULL) vd_str_addn(&w->bytes[i], bytes->data, bytes->size);
    VD_TRY(vd_str_check(&w->bytes[i], err));
    return vd_publisher_step(w->p, err);
}

static vd_status flush(window *w, vd_stream_fn each, void *user, vd_err *err) {
    VD_TRY(vd_pool_for(w->p->pool, w->n, make_one, w, err));
    for (int i = 0; i < w->n; i++)
        if (w->p->out->plan.item[w->item[i]].fate == VD_FATE_DONE)
            VD_TRY(each(user, w->item[i], vd_str_text(&w->bytes[i]), w->bytes[i].size, err));
    w->n = 0;
    return VD_OK;
}

vd_status vd_publish_stream(vd_publisher *p, const char *part, vd_stream_fn each, void *user,
                            vd_err *err) {
    const vd_publish_plan *plan = &p->out->plan;
    window w = { .p = p };
    int64_t held = 0;
    vd_status st = VD_OK;
    for (int64_t i = 0; i < plan->n; i++) {
        const vd_publish_item *item = &plan->item[i];
        if (part != NULL && strcmp(part, item->part) != 0) continue;
        if (w.n == WINDOW || (w.n > 0 && held + item->size > WINDOW_BYTES)) {
            VD_GO(flush(&w, each, user, err));
            held = 0;
        }
        w.item[w.n++] = i;
        held += item->parent == 0 ? item->size : 0;
    }
    st = flush(&w, each, user, err);
done:
    for (int i = 0; i < WINDOW; i++) vd_str_reset(&w.bytes[i]);
    return st;
}
