/* WebDataset: tar shards of samples, PART-000000.tar and on. A sample is the members KEY.jpg (or
 * its own extension), KEY.json with the labels in COCO's terms, and KEY.cls with the number of the
 * class where the picture as a whole has one. categories.json lists the classes by number.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "labelio/coco.h"
#include "publish/publish_int.h"
#include "publish/tar_write.h"

enum { PIECE = 4 << 20 }; /* bytes that are gathered before they are written */

typedef struct sharder {
    vd_publisher *p;
    vd_label_set set;
    int32_t *image; /* in the set, of each item */
    const char *part;
    vd_out_file f;
    bool open;
    int64_t shard, size; /* number of the next one; bytes in this one */
    vd_str json, name, class;
    vd_shape_buf buf;
    vd_mask mask;
} sharder;

static vd_status close_shard(sharder *s, vd_err *err) {
    if (!s->open) return VD_OK;
    s->open = false;
    vd_tar_end(&s->f.text);
    return vd_out_close(&s->f, err);
}

static vd_status open_shard(sharder *s, vd_err *err) {
    vd_str name = { 0 }, path = { 0 };
    vd_str_addf(&name, "%s-%06lld.tar", s->part, (long long)s->shard++);
    vd_folder_path(&s->p->folder, &path, vd_str_text(&name));
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_out_open(&s->f, path.data, err);
    s->open = st == VD_OK;
    s->size = 0;
    vd_str_reset(&name);
    vd_str_reset(&path);
    return st;
}

/* ---- a sample's labels ---- */

static const char *member(sharder *s, const vd_publish_item *item, const char *ext) {
    vd_str_clear(&s->name);
    vd_str_addf(&s->name, "%s.%s", item->stem, ext);
    return vd_str_text(&s->name);
}

/* The class of the whole picture: that of its only label without a shape. */
static void take_class(int32_t *class, int *n, const vd_label_object *o) {
    if (o->has & VD_OBJ_SHAPES || o->category < 0) return;
    *class = o->category;
    ++*n;
}

static vd_status add_annotation(sharder *s, const vd_publish_item *item, vd_label_object *o,
                                bool first, vd_err *err) {
    const vd_fit fit = vd_publish_fit_of(item);
    VD_TRY(vd_fit_object(o, &s->buf, &s->mask, &fit, err));
    vd_str_add(&s->json, first ? "\n{" : ",\n{");
    if (o->category >= 0) {
        const vd_label_category *c = &s->set.categories[o->category];
        vd_str_addf(&s->json, "\"category_id\":%lld,\"category\":", (long long)c->id);
        vd_str_json(&s->json, c->name);
    } else {
        vd_str_add(&s->json, "\"category_id\":null");
    }
    VD_TRY(vd_coco_add_object(&s->json, o, item->uri, &s->p->out->lost, err));
    vd_str_addc(&s->json, '}');
    return VD_OK;
}

static vd_status make_json(sharder *s, int64_t i, vd_err *err) {
    const vd_publish_item *item = &s->p->out->plan.item[i];
    const int32_t image = s->image[i];
    int32_t class = VD_LABEL_NONE;
    int classes = 0;
    vd_str_clear(&s->json);
    vd_str_clear(&s->class);
    vd_str_addf(&s->json, "{\"id\":%lld,\"file_name\":", (long long)s->set.images[image].id);
    vd_str_json(&s->json, member(s, item, item->ext));
    vd_str_add(&s->json, ",\"uri\":");
    vd_str_json(&s->json, item->uri);
    vd_str_addf(&s->json, ",\"hash\":\"%s\",\"width\":%d,\"height\":%d,\"annotations\":[",
                item->written_hash, item->out_width, item->out_height);
    for (int64_t k = 0; k < vd_label_set_count(&s->set, image); k++) {
        vd_label_object o;
        VD_TRY(vd_label_set_get(&s->set, image, k, &o, err));
        take_class(&class, &classes, &o);
        VD_TRY(add_annotation(s, item, &o, k == 0, err));
        s->p->out->objects++;
    }
    vd_str_add(&s->json, "]}\n");
    if (classes == 1) vd_str_addf(&s->class, "%d", class);
    VD_TRY(vd_str_check(&s->class, err));
    return vd_str_check(&s->json, err);
}

/* ---- samples ---- */

static vd_status add_member(sharder *s, const char *name, const void *bytes, int64_t n,
                            vd_err *err) {
    vd_tar_head(&s->f.text, name, n);
    vd_str_addn(&s->f.text, bytes, n);
    vd_tar_pad(&s->f.text, n);
    s->size += vd_tar_size(name, n);
    if (s->f.text.size < PIECE) return vd_str_check(&s->f.text, err);
    return vd_out_step(&s->f, err);
}

static vd_status add_sample(void *user, int64_t i, const void *bytes, int64_t n, vd_err *err) {
    sharder *s = user;
    const vd_publish_item *item = &s->p->out->plan.item[i];
    VD_TRY(make_json(s, i, err));
    int64_t size = vd_tar_size(member(s, item, item->ext), n) +
                   vd_tar_size(member(s, item, "json"), s->json.size);
    if (s->class.size > 0) size += vd_tar_size(member(s, item, "cls"), s->class.size);
    if (s->open && s->size + size + 1024 > s->p->opt->shard_bytes) VD_TRY(close_shard(s, err));
    if (!s->open) VD_TRY(open_shard(s, err));
    VD_TRY(add_member(s, member(s, item, item->ext), bytes, n, err));
    if (s->class.size > 0)
        VD_TRY(add_member(s, member(s, item, "cls"), s->class.data, s->class.size, err));
    return add_member(s, member(s, item, "json"), s->json.data, s->json.size, err);
}

static vd_status write_categories(sharder *s, vd_err *err) {
    vd_str text = { 0 };
    vd_str_addc(&text, '[');
    for (int64_t i = 0; i < s->set.n_categories; i++) {
        vd_str_addf(&text, "%s{\"cls\":%lld,\"id\":%lld,\"name\":", i > 0 ? ",\n" : "\n",
                    (long long)i, (long long)s->set.categories[i].id);
        vd_str_json(&text, s->set.categories[i].name);
        vd_str_addc(&text, '}');
    }
    vd_str_add(&text, "]\n");
    vd_status st = vd_str_check(&text, err);
    if (st == VD_OK)
        st = vd_folder_put(&s->p->folder, "categories.json", text.data, (size_t)text.size, err);
    vd_str_reset(&text);
    return st;
}

vd_status vd_publish_shards(vd_publisher *p, vd_err *err) {
    const vd_publish_plan *plan = &p->out->plan;
    sharder s = { .p = p, .f = { .fd = -1 } };
    vd_status st = VD_OK;
    s.image = vd_mem_array((size_t)plan->n + 1, sizeof *s.image);
    if (s.image == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_publish_collect(&s.set, s.image, plan, vd_dataset_db(p->ds), &p->out->set,
                             p->opt->layout, NULL, false, err));
    p->out->categories = s.set.n_categories;
    VD_GO(write_categories(&s, err));
    for (int k = 0; k < plan->n_parts; k++) {
        s.part = plan->part[k];
        s.shard = 0;
        VD_GO(vd_publish_stream(p, s.part, add_sample, &s, err));
        VD_GO(close_shard(&s, err));
    }
done:
    vd_out_drop(&s.f);
    vd_label_set_reset(&s.set);
    vd_shape_buf_reset(&s.buf);
    vd_mask_reset(&s.mask);
    vd_str_reset(&s.json);
    vd_str_reset(&s.name);
    vd_str_reset(&s.class);
    vd_mem_free(s.image);
    return st;
}
