/* The one pass over pixels. For every asset with something pending: read the bytes once, hash them,
 * decode once in the supervised process, run every pending asset-scope stage on each frame while
 * its pixels are there, and hand the rows to the one writer.
 *
 * Workers share nothing but the writer, under a lock: who has computed a batch tries to write it,
 * and goes on computing while another one writes. Rows are keyed by asset and frames have ids made
 * from their parent's, so the catalog does not depend on who came first. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/jpeg_write.h"
#include "stage/budget.h"
#include "stage/bytes.h"
#include "stage/features.h"
#include "stage/pixels.h"
#include "stage/stages.h"
#include "stage/work.h"

enum {
    MAX_COLUMNS = 96,
    MAX_OWN_THUMB = 16384, /* bytes */
    THUMBNAIL_QUALITY = 75,
    WRITE_ROWS = 256,   /* rows worth taking the writer's lock for */
    MUST_ROWS = 4096,   /* rows that are not kept waiting */
    COMMIT_ROWS = 20000 /* or */
};
static const double WRITE_EVERY_S = 0.25, COMMIT_EVERY_S = 1.0;

typedef struct worker {
    vd_codec *codec;
    vd_measure *measure;
    vd_feature_tmp *features;
    vd_batch *batch;
    vd_str thumb;
    vd_open_tar tar;
    vd_pixels before; /* norm luma of the video frame before */
    bool have_before;
    double last_write;
    double seconds[VD_MAX_STAGES];
} worker;

typedef struct pass {
    vd_run *run;
    vd_archives *archives;
    vd_writer *writer;
    pthread_mutex_t lock; /* guards writer, rows_open, committed_at, told */
    int64_t rows_open;
    double committed_at, started, told;
    atomic_llong done, failed;
    worker *workers;
    int n_workers;
    const vd_plan *plan;
    const char *label;
    vd_decode_opt decode;
    vd_budget *budget; /* beyond each worker's share */
} pass;

/* ---- writing ---- */

static vd_status write_locked(pass *p, worker *k, vd_err *err) {
    p->rows_open += vd_batch_rows(k->batch);
    VD_TRY(vd_batch_write(k->batch, p->writer, err));
    double now = vd_time_mono_s();
    k->last_write = now;
    if (p->rows_open < COMMIT_ROWS && now - p->committed_at < COMMIT_EVERY_S) return VD_OK;
    VD_TRY(vd_writer_flush(p->writer, err));
    p->rows_open = 0;
    p->committed_at = now;
    return VD_OK;
}

static vd_status maybe_write(pass *p, worker *k, vd_err *err) {
    int64_t rows = vd_batch_rows(k->batch);
    if (rows == 0) return VD_OK;
    if (rows < WRITE_ROWS && vd_time_mono_s() - k->last_write < WRITE_EVERY_S) return VD_OK;
    if (rows < MUST_ROWS) {
        if (pthread_mutex_trylock(&p->lock) != 0) return VD_OK;
    } else {
        pthread_mutex_lock(&p->lock);
    }
    vd_status st = write_locked(p, k, err);
    pthread_mutex_unlock(&p->lock);
    return st;
}

static void tell(pass *p) {
    int64_t done = atomic_fetch_add(&p->done, 1) + 1;
    if (p->run->on_progress == NULL || pthread_mutex_trylock(&p->lock) != 0) return;
    double now = vd_time_mono_s();
    if (now - p->told > 0.1) {
        p->told = now;
        vd_run_progress(p->run, p->label, done, p->plan->total, p->started, false);
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- one item ---- */

typedef struct job {
    pass *pass;
    worker *k;
    const vd_item *item;
    int64_t frames;   /* delivered so far */
    bool own_pixels;  /* the item itself had a picture */
    const char *hash; /* to be recorded, or NULL */
    bool passing;     /* what is found now holds for this moment only: look again in the next run */
    const vd_bytes *bytes; /* of what is decoded, or NULL */
    int64_t granted;       /* from the budget, -1 nothing */
} job;

vd_status vd_work_metrics(vd_asset_work *w, vd_err *err) {
    if (w->have_metrics) return VD_OK;
    VD_TRY(vd_measure_frame(&w->metrics, &w->pdq, w->measure, w->frame, err));
    w->have_metrics = true;
    return VD_OK;
}

/* Runs the stages of `mask` and queues their rows for `id`. */
static vd_status run_stages(job *j, vd_asset_work *w, int64_t id, uint32_t mask, vd_err *err) {
    vd_run *run = j->pass->run;
    for (int i = 0; i < run->n_stages; i++) {
        const vd_stage *s = run->stages[i];
        if (!(mask >> i & 1) || s->scope != VD_SCOPE_ASSET) continue;
        vd_value out[MAX_COLUMNS] = { 0 };
        double t0 = vd_time_mono_s();
        VD_TRY(s->asset(w, out, err));
        j->k->seconds[i] += vd_time_mono_s() - t0;
        VD_TRY(vd_batch_fact(j->k->batch, run->table[i], id, j->passing ? 0 : run->key[i], out,
                             s->table->n_columns, err));
    }
    return VD_OK;
}

/* The stages that look at pixels, or those that wait for the final verdict. */
static uint32_t pixel_mask(const vd_run *run, uint32_t mask, bool pixels) {
    uint32_t out = 0;
    for (int i = 0; i < run->n_stages; i++) {
        if (run->stages[i]->scope != VD_SCOPE_ASSET || !(mask >> i & 1)) continue;
        if (pixels == run->stages[i]->needs_pixels) out |= 1u << i;
    }
    return out;
}

static double change_since(worker *k, const vd_pixels *norm, vd_err *err, vd_status *st) {
    double change = NAN;
    int64_t n = (int64_t)norm->width * norm->height;
    if (k->have_before && k->before.width == norm->width && k->before.height == norm->height) {
        int64_t sum = 0;
        for (int64_t i = 0; i < n; i++) {
            int d = (int)norm->data[i] - (int)k->before.data[i];
            sum += d < 0 ? -d : d;
        }
        change = (double)sum / (double)VD_MAX(n, 1);
    }
    *st = VD_GROW(k->before.data, k->before.cap, n, err);
    if (*st != VD_OK) return change;
    memcpy(k->before.data, norm->data, (size_t)n);
    k->before.width = norm->width;
    k->before.height = norm->height;
    k->have_before = true;
    return change;
}

/* A small upright JPEG is its own thumbnail. */
static bool is_thumbnail(const job *j, const vd_asset_work *w) {
    const vd_media *m = w->media;
    return j->bytes != NULL && j->bytes->data != NULL && j->bytes->source.size <= MAX_OWN_THUMB &&
           m->verdict == VD_V_OK && strcmp(m->format, "jpeg") == 0 &&
           w->frame->format != VD_PIX_RGB8 && w->frame->orientation == 1 && w->index == 0 &&
           m->width <= VD_SMALL_SIDE && m->height <= VD_SMALL_SIDE;
}

/* The RGB rendition as a small JPEG for reports and pages, in `out`, which is used again. */
static vd_status make_thumbnail(vd_str *out, const vd_pixels *rgb, vd_err *err) {
    vd_jpeg_opt opt = VD_JPEG_OPT;
    opt.quality = THUMBNAIL_QUALITY;
    opt.fast_dct = true;
    const vd_frame f = { .format = VD_PIX_RGB8,
                         .width = rgb->width,
                         .height = rgb->height,
                         .orientation = 1,
                         .plane = {
                             { rgb->data, (ptrdiff_t)rgb->width * 3, rgb->width, rgb->height } } };
    vd_str_clear(out);
    return vd_jpeg_write(out, &f, &opt, err);
}

static vd_status queue_thumbnail(job *j, vd_asset_work *w, int64_t id, vd_err *err) {
    if (is_thumbnail(j, w))
        return vd_batch_thumbnail(j->k->batch, id, j->bytes->data, j->bytes->source.size, err);
    VD_TRY(make_thumbnail(&j->k->thumb, vd_measure_small(w->measure), err));
    return vd_batch_thumbnail(j->k->batch, id, j->k->thumb.data, j->k->thumb.size, err);
}

static vd_status on_frame(void *user, const vd_frame *frame, const vd_media *media, int64_t index,
                          double time_s, vd_err *err) {
    job *j = user;
    vd_run *run = j->pass->run;
    bool video = media->kind == VD_KIND_VIDEO, child = video || index > 0;
    int64_t id = child ? vd_child_id(j->item->id, index) : j->item->id;
    vd_asset_work w = { .run = run,
                        .item = j->item,
                        .id = id,
                        .media = media,
                        .frame = frame,
                        .index = index,
                        .time_s = time_s,
                        .arena = vd_batch_arena(j->k->batch),
                        .measure = j->k->measure,
                        .features = j->k->features,
                        .frame_change = NAN };
    vd_media of_frame;
    uint32_t mask = pixel_mask(run, j->item->pending, true);
    VD_TRY(vd_run_check_cancel(run, err));
    double t0 = vd_time_mono_s();
    if (mask != 0) VD_TRY(vd_work_metrics(&w, err));
    int measuring = vd_run_stage_index(
        run, mask >> vd_run_stage_index(run, "measure") & 1 ? "measure" : "fingerprint");
    j->k->seconds[measuring] += vd_time_mono_s() - t0;
    if (video && mask != 0) {
        vd_status st = VD_OK;
        w.frame_change = change_since(j->k, vd_measure_norm(w.measure), err, &st);
        VD_TRY(st);
    }
    if (child) {
        VD_TRY(
            vd_batch_child(j->k->batch, j->item->id, index, video ? "frame" : "page", time_s, err));
        vd_media_init(&of_frame);
        of_frame.kind = VD_KIND_IMAGE;
        of_frame.width = vd_frame_width(frame);
        of_frame.height = vd_frame_height(frame);
        snprintf(of_frame.format, sizeof of_frame.format, "%s", media->format);
        snprintf(of_frame.library, sizeof of_frame.library, "%s", media->library);
        w.media = &of_frame;
        VD_TRY(run_stages(j, &w, id, pixel_mask(run, j->item->pending, false), err));
        w.media = media;
        j->frames++;
    } else {
        j->own_pixels = true;
    }
    VD_TRY(run_stages(j, &w, id, mask, err));
    if (w.have_metrics && (j->item->pending >> vd_run_stage_index(run, "measure") & 1))
        VD_TRY(queue_thumbnail(j, &w, id, err));
    return video ? maybe_write(j->pass, j->k, err) : VD_OK;
}

/* What indexing said about an archive, kept as a note: it is the archive's verdict. */
static vd_status judge_archive(pass *p, const vd_item *item, vd_media *m, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    m->verdict = VD_V_OK;
    pthread_mutex_lock(&p->lock); /* the connection is the writer's */
    vd_status st = vd_db_prepare(&s, vd_dataset_db(p->run->ds),
                                 "SELECT reason FROM note WHERE path = ?1", true, err);
    if (st == VD_OK) vd_stmt_bind(s, 1, vd_val_text(item->uri));
    if (st == VD_OK) st = vd_stmt_step(s, &row, err);
    if (st == VD_OK && row) {
        const char *why = vd_stmt_text(s, 0);
        bool cut = vd_str_starts(why, "tar_truncated") ||
                   strstr(why, "Truncated") != NULL; /* libarchive */
        m->verdict = cut ? VD_V_TRUNCATED : VD_V_CORRUPT;
        snprintf(m->reason, sizeof m->reason, "%s", cut ? "premature_end" : "archive_damaged");
        snprintf(m->detail, sizeof m->detail, "%.199s", why);
    }
    vd_stmt_free(s);
    pthread_mutex_unlock(&p->lock);
    return st;
}

/* Files that are not decoded: archives, and what cannot be read. */
static vd_status judge_undecoded(pass *p, const vd_item *item, const vd_bytes *bytes, vd_media *m,
                                 vd_err *err) {
    vd_media_init(m);
    if (!bytes->ok) {
        m->verdict = VD_V_UNREADABLE;
        snprintf(m->reason, sizeof m->reason, "%s", bytes->reason);
        snprintf(m->detail, sizeof m->detail, "%s", bytes->detail);
        return VD_OK;
    }
    m->kind = VD_KIND_ARCHIVE;
    const char *dot = strrchr(item->uri, '.');
    if (dot != NULL && strchr(dot, '/') == NULL)
        snprintf(m->format, sizeof m->format, "%.15s", dot + 1);
    return judge_archive(p, item, m, err);
}

static vd_status finish_item(job *j, const vd_media *media, bool archive, vd_err *err) {
    const vd_item *item = j->item;
    vd_run *run = j->pass->run;
    vd_asset_work w = { .run = run,
                        .item = item,
                        .id = item->id,
                        .media = media,
                        .time_s = NAN,
                        .frame_change = NAN,
                        .arena = vd_batch_arena(j->k->batch),
                        .measure = j->k->measure };
    uint32_t mask = pixel_mask(run, item->pending, false);
    if (!j->own_pixels) mask |= pixel_mask(run, item->pending, true); /* rows without values */
    if (item->has_children && !archive)
        VD_TRY(vd_batch_trim(j->k->batch, item->id, j->frames, err));
    VD_TRY(run_stages(j, &w, item->id, mask, err));
    if (media->verdict == VD_V_UNREADABLE) atomic_fetch_add(&j->pass->failed, 1);
    return VD_OK;
}

static void give_back(job *j) {
    if (j->granted >= 0) vd_budget_release(j->pass->budget, j->granted);
    j->granted = -1;
}

/* A picture larger than a worker's share waits for room; one that waits holds nothing, not even the
 * memory that features were looked for in. */
static vd_status admit(void *user, int64_t bytes, vd_err *err) {
    job *j = user;
    int64_t beyond = VD_MAX(bytes - j->pass->decode.granted_bytes, 0);
    give_back(j);
    vd_feature_tmp_rest(j->k->features);
    vd_budget_acquire(j->pass->budget, beyond);
    j->granted = beyond;
    return vd_run_check_cancel(j->pass->run, err);
}

static vd_status do_item(void *user, int64_t i, int index, vd_err *err) {
    pass *p = user;
    job j = { .pass = p, .k = &p->workers[index], .item = &p->plan->items[i], .granted = -1 };
    vd_run *run = p->run;
    vd_media media;
    vd_decode_opt decoding = p->decode;
    vd_bytes bytes = { .fd = -1 };
    vd_status st = VD_OK;
    const char *kind = NULL;
    bool archive = strcmp(j.item->kind, "archive") == 0;
    uint32_t beyond_hash =
        pixel_mask(run, j.item->pending, true) | pixel_mask(run, j.item->pending, false);
    j.k->have_before = false;
    decoding.admit = admit;
    decoding.admit_user = &j;
    VD_GO(vd_run_check_cancel(run, err));
    bool decode = !archive && beyond_hash != 0;
    double t0 = vd_time_mono_s();
    VD_GO(vd_bytes_read(&bytes, p->archives, &j.k->tar, decode ? j.k->codec : NULL, j.item, err));
    j.k->seconds[0] += vd_time_mono_s() - t0;
    j.hash = bytes.ok && j.item->hash[0] == '\0' ? bytes.hash : NULL;
    bool other = bytes.ok && j.item->hash[0] != '\0' && strcmp(j.item->hash, bytes.hash) != 0;
    j.passing = bytes.retry || other; /* gone, locked, or not the bytes that add found */
    j.bytes = bytes.ok && decode ? &bytes : NULL;
    if (beyond_hash != 0) {
        if (decode && bytes.ok) {
            t0 = vd_time_mono_s();
            double staged = 0;
            for (int k = 1; k < run->n_stages; k++) staged -= j.k->seconds[k];
            VD_GO(vd_codec_decode(j.k->codec, &bytes.source, &decoding, on_frame, &j, &media, err));
            for (int k = 1; k < run->n_stages; k++) staged += j.k->seconds[k];
            int check = vd_run_stage_index(run, "check");
            j.k->seconds[check] += vd_time_mono_s() - t0 - staged;
        } else {
            VD_GO(judge_undecoded(p, j.item, &bytes, &media, err));
        }
        VD_GO(finish_item(&j, &media, archive, err));
        kind = vd_kind_name(media.kind);
    } else if (bytes.ok) {
        kind = vd_kind_name(bytes.kind);
    }
    if (archive) kind = NULL;
    if (j.hash != NULL || kind != NULL)
        VD_GO(vd_batch_identity(j.k->batch, j.item->id, j.hash, kind, err));
    VD_GO(maybe_write(p, j.k, err));
    tell(p);
done:
    give_back(&j);
    vd_bytes_close(&bytes);
    return st;
}

/* ---- the pass ---- */

static vd_status make_workers(pass *p, vd_err *err) {
    p->n_workers = vd_pool_jobs(p->run->pool);
    p->workers = vd_mem_array((size_t)p->n_workers, sizeof *p->workers);
    if (p->workers == NULL) return vd_nomem(err);
    for (int i = 0; i < p->n_workers; i++) p->workers[i].tar.fd = -1;
    for (int i = 0; i < p->n_workers; i++) {
        worker *k = &p->workers[i];
        VD_TRY(vd_codec_new(&k->codec, p->run->libexec_dir, err));
        VD_TRY(vd_measure_new(&k->measure, err));
        VD_TRY(vd_feature_tmp_new(&k->features, p->run->libexec_dir, err));
        VD_TRY(vd_batch_new(&k->batch, err));
        k->last_write = p->started;
    }
    return VD_OK;
}

static void free_workers(pass *p) {
    for (int i = 0; p->workers != NULL && i < p->n_workers; i++) {
        worker *k = &p->workers[i];
        vd_codec_free(k->codec);
        vd_measure_free(k->measure);
        vd_feature_tmp_free(k->features);
        vd_batch_free(k->batch);
        vd_str_reset(&k->thumb);
        vd_open_tar_close(&k->tar);
        vd_mem_free(k->before.data);
    }
    vd_mem_free(p->workers);
}

static vd_status write_rest(pass *p, vd_err *err) {
    for (int i = 0; i < p->n_workers; i++) VD_TRY(write_locked(p, &p->workers[i], err));
    return VD_OK;
}

static void take_times(pass *p) {
    vd_run *run = p->run;
    for (int i = 0; i < run->n_stages; i++) {
        if (run->stages[i]->scope != VD_SCOPE_ASSET && run->stages[i]->table != NULL) continue;
        if (!run->selected[i]) continue;
        for (int k = 0; k < p->n_workers; k++)
            run->time[i].seconds += p->workers[k].seconds[i] / p->n_workers;
        run->time[i].done = atomic_load(&p->done);
        run->time[i].total = p->plan->total;
        run->time[i].failed = atomic_load(&p->failed);
    }
}

static vd_status label_of(const vd_run *run, vd_str *out, vd_err *err) {
    for (int i = 0; i < run->n_stages; i++)
        if (run->selected[i] && run->stages[i]->scope == VD_SCOPE_ASSET)
            vd_str_addf(out, "%s%s", out->size > 0 ? ", " : "", run->stages[i]->name);
    if (out->size == 0) vd_str_add(out, "add");
    return vd_str_check(out, err);
}

/* Page after page of the plan. What was computed before a failure or a stop is kept. */
static vd_status run_pages(pass *p, vd_plan *plan, vd_err *err) {
    for (;;) {
        VD_TRY(vd_plan_page(plan, err));
        if (plan->n == 0) return VD_OK;
        vd_status st = vd_pool_for(p->run->pool, plan->n, do_item, p, err);
        if (st == VD_OK || st == VD_E_CANCEL) {
            vd_err ignored = { 0 };
            vd_status st2 = write_rest(p, st == VD_OK ? err : &ignored);
            if (st == VD_OK) st = st2;
        }
        VD_TRY(st);
    }
}

/* Of the memory budget, what each worker has for itself: a quarter goes to all of them together. */
static int64_t share_of(int64_t memory, int jobs) {
    enum { LEAST = 1 << 20, MOST = 64 << 20 };
    return VD_CLAMP(memory / 4 / jobs, VD_MIN(LEAST, memory / jobs), MOST);
}

/* What is left of the budget for decoding when features are looked for besides. */
static int64_t decode_memory(const vd_run *run) {
    int64_t all = run->opt->memory_bytes;
    if (!run->selected[vd_run_stage_index(run, "features")]) return all;
    int64_t features = vd_pool_jobs(run->pool) * vd_feature_bytes(run->opt->feature_side);
    return VD_MAX(all - features, all / 4);
}

vd_status vd_asset_pass(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    int64_t memory = decode_memory(run);
    vd_plan plan = { 0 };
    vd_str label = { 0 };
    pass p = { .run = run, .plan = &plan, .decode = VD_DECODE_OPT, .started = vd_time_mono_s() };
    pthread_mutex_init(&p.lock, NULL);
    p.committed_at = p.started;
    p.decode.max_pixels = run->opt->max_pixels;
    p.decode.timeout_s = run->opt->timeout_s;
    p.decode.granted_bytes = share_of(memory, vd_pool_jobs(run->pool));
    VD_GO(vd_budget_new(&p.budget, memory - vd_pool_jobs(run->pool) * p.decode.granted_bytes, err));
    VD_GO(vd_sampling_parse(&p.decode, run->opt->frames, err));
    VD_GO(label_of(run, &label, err));
    p.label = label.data;
    VD_GO(vd_plan_open(&plan, run, err));
    if (plan.total == 0) goto done;
    VD_GO(vd_problems_touch(run, err));
    VD_GO(vd_archives_new(&p.archives, err));
    VD_GO(vd_writer_new(&p.writer, run->ds, err));
    VD_GO(make_workers(&p, err));
    st = run_pages(&p, &plan, err);
    if (st == VD_OK || st == VD_E_CANCEL) {
        vd_err ignored = { 0 };
        vd_status st2 = vd_writer_flush(p.writer, st == VD_OK ? err : &ignored);
        if (st == VD_OK) st = st2;
    }
    vd_run_progress(run, p.label, atomic_load(&p.done), plan.total, p.started, true);
    take_times(&p);
done:
    free_workers(&p);
    vd_writer_free(p.writer);
    vd_archives_free(p.archives);
    vd_budget_free(p.budget);
    vd_plan_close(&plan);
    vd_str_reset(&label);
    pthread_mutex_destroy(&p.lock);
    return st;
}
