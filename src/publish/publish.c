/* A dataset as what trainers read: plan, pictures, labels, and what is told of them. Pictures come
 * first, labels after: those of the pictures that were written, in the sizes that they were written
 * in. SPDX-License-Identifier: Apache-2.0 */
#include "publish/publish.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "labelio/format.h"
#include "publish/publish_int.h"

void vd_published_reset(vd_published *p) {
    vd_publish_plan_reset(&p->plan);
    vd_label_report_reset(&p->lost);
    vd_label_report_reset(&p->noted);
    *p = (vd_published){ 0 };
}

/* ---- options ---- */

static vd_status check_options(const vd_publish_opt *o, vd_err *err) {
    const vd_picture_opt *p = &o->pictures;
    bool link = p->mode == VD_PICTURES_LINK || p->mode == VD_PICTURES_SYMLINK;
    bool files = o->layout->kind != VD_PUBLISH_SHARDS && !o->with_bytes;
    if (o->snapshot != NULL && o->where != NULL)
        return vd_fail(err, VD_E_ARG,
                       "export: a snapshot has its pictures; --where is for those of now");
    if (link && !p->keep_exif)
        return vd_fail(err, VD_E_ARG,
                       "export: a link leads to the file with its EXIF and GPS; say --keep-exif if "
                       "that is meant, or --images copy");
    if (link && (p->side > 0 || p->ext != NULL || p->quality > 0))
        return vd_fail(err, VD_E_ARG,
                       "export: what is linked to cannot be resized or encoded anew");
    if (o->with_bytes && o->layout->kind != VD_PUBLISH_TABLES)
        return vd_fail(err, VD_E_ARG, "export: --with-bytes is for --format parquet");
    if (!files && p->mode != VD_PICTURES_COPY)
        return vd_fail(err, VD_E_ARG, "export: here the pictures lie in the files: --images copy");
    if (o->layout->kind == VD_PUBLISH_FOLDERS && p->mode == VD_PICTURES_NONE)
        return vd_fail(err, VD_E_ARG, "export: folders of classes without pictures are nothing");
    return VD_OK;
}

static vd_status find_labels(vd_publisher *p, vd_err *err) {
    vd_db *db = vd_dataset_db(p->ds);
    int64_t sets = 0;
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM label_set", &sets, err));
    if (p->opt->labels == NULL && sets == 0) {
        if (p->opt->layout->kind != VD_PUBLISH_FOLDERS) return VD_OK;
        return vd_fail(err, VD_E_NOTFOUND,
                       "export: folders of classes need a label set; see vidimus import");
    }
    return vd_label_set_find(&p->out->set, db, p->opt->labels, err);
}

/* Labels that a snapshot did not have are none of its state. */
static vd_status check_age(vd_publisher *p, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    if (p->opt->snapshot == NULL || p->out->set.set == 0) return VD_OK;
    VD_TRY(vd_db_prepare(&s, vd_dataset_db(p->ds),
                         "SELECT 1 FROM label_set WHERE id = ?1 AND imported_ns > ?2", true, err));
    vd_stmt_bind(s, 1, vd_val_int(p->out->set.set));
    vd_stmt_bind(s, 2, vd_val_int(p->out->plan.made_ns));
    vd_status st = vd_stmt_step(s, &row, err);
    vd_stmt_free(s);
    if (st == VD_OK && row)
        return vd_fail(err, VD_E_ARG,
                       "export: the label set '%.100s' was imported after the snapshot '%.60s' was "
                       "made; make another snapshot",
                       p->out->set.name, p->opt->snapshot);
    return st;
}

/* ---- pictures without files ---- */

/* The catalog's word on size and name. */
static void take_as_recorded(vd_publish_plan *plan) {
    for (int64_t i = 0; i < plan->n; i++) {
        vd_publish_item *m = &plan->item[i];
        const char *dot = strrchr(m->uri, '.');
        size_t n = dot != NULL && vd_is_picture_name(m->uri) ? strlen(dot + 1) : 0;
        if (m->fate != VD_FATE_OPEN) continue;
        strcpy(m->ext, "jpg");
        if (n > 0 && n < sizeof m->ext)
            for (size_t k = 0; k <= n; k++)
                m->ext[k] =
                    dot[1 + k] >= 'A' && dot[1 + k] <= 'Z' ? (char)(dot[1 + k] + 32) : dot[1 + k];
        m->out_width = m->width;
        m->out_height = m->height;
        m->fate = VD_FATE_DONE;
    }
}

/* ---- labels ---- */

/* Lists of the pictures of each part, by their names. */
static vd_status write_lists(vd_publisher *p, vd_err *err) {
    const vd_publish_plan *plan = &p->out->plan;
    vd_str name = { 0 }, text = { 0 };
    vd_status st = VD_OK;
    for (int k = 0; p->opt->layout->lists != NULL && k < plan->n_parts; k++) {
        vd_publish_item any = { .part = plan->part[k] };
        vd_str_clear(&name);
        vd_str_clear(&text);
        vd_layout_add(&name, p->opt->layout->lists, &any);
        for (int64_t i = 0; i < plan->n; i++)
            if (plan->item[i].fate == VD_FATE_DONE && strcmp(plan->item[i].part, any.part) == 0)
                vd_str_addf(&text, "%s\n", plan->item[i].stem);
        VD_GO(vd_str_check(&name, err));
        vd_folder_remove(&p->folder, name.data); /* the label format may have written it */
        VD_GO(vd_str_check(&text, err));
        VD_GO(vd_folder_put(&p->folder, name.data, vd_str_text(&text), (size_t)text.size, err));
    }
done:
    vd_str_reset(&name);
    vd_str_reset(&text);
    return st;
}

static vd_status write_set(vd_publisher *p, const char *part, vd_err *err) {
    const vd_layout *layout = p->opt->layout;
    vd_label_set set = { 0 };
    vd_str path = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_publish_collect(&set, NULL, &p->out->plan, vd_dataset_db(p->ds), &p->out->set, layout,
                             part, true, err));
    p->out->categories = set.n_categories;
    p->out->objects += set.n_objects;
    vd_folder_path(&p->folder, &path, part != NULL ? part : layout->labels);
    VD_GO(vd_str_check(&path, err));
    if (part != NULL && layout->labels[0] != '\0') {
        VD_GO(vd_make_folders(path.data, err));
        vd_str_addf(&path, "/%s", layout->labels);
        VD_GO(vd_str_check(&path, err));
    }
    if (vd_str_ends(path.data, "/")) path.data[--path.size] = '\0';
    const vd_label_out out = { .path = path.data, .subset = "train", .report = &p->out->lost };
    st = vd_label_format_find(layout->format)->write(&set, &out, err);
done:
    vd_label_set_reset(&set);
    vd_str_reset(&path);
    return st;
}

static vd_status write_labels(vd_publisher *p, vd_err *err) {
    const vd_publish_plan *plan = &p->out->plan;
    if (!p->opt->layout->per_part) return write_set(p, NULL, err);
    for (int k = 0; k < plan->n_parts; k++) VD_TRY(write_set(p, plan->part[k], err));
    return VD_OK;
}

/* ---- what is told ---- */

static const char *note_text(unsigned note) {
    switch (note) {
    case VD_NOTE_UPRIGHT: return "pictures turned by EXIF, encoded anew upright";
    case VD_NOTE_TURNED: return "pictures turned by EXIF, which their reader has to honour";
    case VD_NOTE_ENCODED: return "pictures encoded anew";
    case VD_NOTE_DEPTH: return "pictures of more than 8 bits a sample, written with 8";
    case VD_NOTE_COPIED: return "pictures written, as there is no file to link to";
    default: return "pictures encoded anew, as their metadata could not be taken out";
    }
}

/* In the order of the plan: the same for any number of workers. */
static vd_status tell(vd_publisher *p, vd_err *err) {
    vd_published *out = p->out;
    for (int64_t i = 0; i < out->plan.n; i++) {
        const vd_publish_item *m = &out->plan.item[i];
        for (unsigned note = 1; m->fate == VD_FATE_DONE && note <= VD_NOTE_REPAIRED; note *= 2)
            if (m->notes & note)
                VD_TRY(vd_label_lose(&out->noted, err, note_text(note), "%s", m->uri));
        if (m->fate == VD_FATE_DONE) {
            out->pictures++;
            out->labelled += m->labelled;
            out->bytes += m->bytes;
            continue;
        }
        out->differing += m->fate == VD_FATE_GONE || m->fate == VD_FATE_RELABELLED ||
                          m->fate == VD_FATE_CHANGED || m->fate == VD_FATE_UNREADABLE;
        VD_TRY(vd_label_lose(&out->lost, err, vd_fate_text(m->fate), "%s%s%s", m->uri,
                             m->why != NULL ? ": " : "", m->why != NULL ? m->why : ""));
    }
    return VD_OK;
}

static void add_text(vd_str *s, const char *key, const char *text) {
    if (text == NULL || text[0] == '\0') return;
    vd_str_addf(s, ",\n  \"%s\": ", key);
    vd_str_json(s, text);
}

/* What was exported, by which the folder is known again. No time, no place: equal exports are equal
 * to the byte. */
static vd_status write_manifest(vd_publisher *p, vd_err *err) {
    const vd_published *o = p->out;
    vd_str s = { 0 };
    vd_str_addf(&s, "{\n  \"vidimus\": \"%s\"", VIDIMUS_VERSION);
    add_text(&s, "format", p->opt->layout->format);
    add_text(&s, "snapshot", p->opt->snapshot);
    add_text(&s, "digest", o->plan.digest);
    add_text(&s, "where", p->opt->where);
    add_text(&s, "split", p->opt->split);
    add_text(&s, "labels", o->set.name);
    vd_str_addf(&s, ",\n  \"pictures\": %lld,\n  \"left_out\": %lld,\n  \"objects\": %lld",
                (long long)o->pictures, (long long)(o->plan.n - o->pictures),
                (long long)o->objects);
    vd_str_add(&s, ",\n  \"parts\": {");
    for (int k = 0; k < o->plan.n_parts; k++) {
        int64_t n = 0;
        for (int64_t i = 0; i < o->plan.n; i++)
            n += o->plan.item[i].fate == VD_FATE_DONE &&
                 strcmp(o->plan.item[i].part, o->plan.part[k]) == 0;
        vd_str_add(&s, k > 0 ? ", " : "");
        vd_str_json(&s, o->plan.part[k]);
        vd_str_addf(&s, ": %lld", (long long)n);
    }
    vd_str_add(&s, "}\n}\n");
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK)
        st = vd_folder_put(&p->folder, VD_FOLDER_MANIFEST, s.data, (size_t)s.size, err);
    vd_str_reset(&s);
    return st;
}

/* ---- all of it ---- */

static vd_status write_all(vd_publisher *p, vd_err *err) {
    const vd_layout *layout = p->opt->layout;
    const bool files = layout->kind != VD_PUBLISH_SHARDS && !p->opt->with_bytes;
    if (p->opt->pictures.mode == VD_PICTURES_NONE)
        take_as_recorded(&p->out->plan);
    else
        VD_TRY(vd_publish_files(p, !files, err));
    if (layout->kind == VD_PUBLISH_SHARDS) VD_TRY(vd_publish_shards(p, err));
    if (layout->kind == VD_PUBLISH_TABLES) VD_TRY(vd_publish_tables(p, err));
    vd_publisher_finish(p);
    if (layout->kind == VD_PUBLISH_LABELS) VD_TRY(write_labels(p, err));
    VD_TRY(write_lists(p, err));
    vd_folder_remove(&p->folder, VD_PUBLISH_STAGED);
    VD_TRY(tell(p, err));
    return write_manifest(p, err);
}

static vd_status plan_all(vd_publisher *p, vd_err *err) {
    const vd_publish_opt *o = p->opt;
    vd_db *db = vd_dataset_db(p->ds);
    VD_TRY(check_options(o, err));
    VD_TRY(find_labels(p, err));
    VD_TRY(vd_publish_plan_make(&p->out->plan, db, o->snapshot, o->where, o->split,
                                p->out->set.set != 0, err));
    VD_TRY(check_age(p, err));
    if (p->out->plan.n == 0)
        return vd_fail(err, VD_E_NOTFOUND, "export: there are no pictures to export");
    return vd_publish_survey(&p->out->plan, db, &p->out->set, o->layout, &p->out->lost, err);
}

vd_status vd_publish(vd_published *out, const vd_dataset *ds, const vd_publish_opt *opt,
                     vd_pool *pool, vd_err *err) {
    vd_published mine = { 0 };
    vd_publisher p = { .opt = opt, .ds = ds, .pool = pool, .out = &mine, .folder = { .lock = -1 } };
    vd_status st = VD_OK;
    p.t0 = vd_time_mono_s();
    p.n_makers = pool != NULL ? vd_pool_jobs(pool) : 1;
    p.maker = vd_mem_array((size_t)p.n_makers, sizeof *p.maker);
    if (p.maker == NULL) return vd_nomem(err);
    pthread_mutex_init(&p.lock, NULL);
    VD_GO(plan_all(&p, err));
    VD_GO(vd_folder_begin(&p.folder, opt->out, opt->replace, err));
    VD_GO(write_all(&p, err));
    VD_GO(vd_folder_commit(&p.folder, err));
    *out = mine;
    mine = (vd_published){ 0 };
done:
    vd_folder_drop(&p.folder);
    for (int i = 0; i < p.n_makers; i++) vd_picture_maker_free(p.maker[i]);
    vd_mem_free(p.maker);
    pthread_mutex_destroy(&p.lock);
    vd_published_reset(&mine);
    return st;
}
