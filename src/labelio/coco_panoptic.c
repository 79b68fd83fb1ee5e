/* Writing COCO's panoptic form: a list of segments a picture, and a map of their ids as PNG.
 * https://cocodataset.org/#format-data. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/coco.h"
#include "labelkit/paint.h"

enum { MAX_ID = (1 << 24) - 1 /* three bytes */ };

typedef struct panoptic {
    vd_coco_writer *w;
    vd_painter painter;
    vd_map_masks masks; /* what is left of overlapping segments */
    int32_t *id;        /* of the objects of a picture; 0: it is not there */
    int64_t cap;
    vd_str folder, name;
} panoptic;

/* Segments keep the ids of the source where all of a picture fit and differ; else they count from
 * 1. */
static vd_status choose_ids(panoptic *p, int64_t image, int64_t n, vd_err *err) {
    vd_map *seen = NULL;
    vd_label_object o;
    bool own = true;
    VD_TRY(VD_GROW(p->id, p->cap, n + 1, err));
    vd_status st = vd_map_new(&seen, err);
    for (int64_t k = 0; st == VD_OK && own && k < n; k++) {
        int64_t at = 0;
        st = vd_label_set_get(p->w->set, image, k, &o, err);
        if (st != VD_OK) break;
        own = o.has & VD_OBJ_ID && o.id >= 1 && o.id <= MAX_ID &&
              !vd_map_get(seen, &o.id, sizeof o.id, &at);
        if (own) st = vd_map_put(seen, &o.id, sizeof o.id, k, err);
        if (own) p->id[k] = (int32_t)o.id;
    }
    for (int64_t k = 0; !own && k < n; k++) p->id[k] = (int32_t)(k + 1);
    vd_map_free(seen);
    return st;
}

static vd_status paint(panoptic *p, int64_t image, int64_t n, vd_err *err) {
    const vd_label_image *m = &p->w->set->images[image];
    vd_label_report *report = p->w->out->report;
    vd_label_object o;
    for (int64_t k = 0; k < n; k++) {
        bool painted = false;
        VD_TRY(vd_label_set_get(p->w->set, image, k, &o, err));
        VD_TRY(vd_label_lose_rest(report, m, &o, vd_label_coco_panoptic.holds, err));
        if (o.category < 0)
            VD_TRY(vd_label_lose(report, err, "objects without a class", "%s", m->name));
        else if (p->id[k] > MAX_ID)
            VD_TRY(
                vd_label_lose(report, err, "objects beyond 16777215 of a picture", "%s", m->name));
        else
            VD_TRY(vd_paint_object(&p->painter, &painted, m, &o, p->id[k], report, err));
        if (!painted) p->id[k] = 0;
    }
    vd_map_masks_reset(&p->masks);
    if (!p->painter.overlap) return VD_OK;
    /* the canvas lies on its side: so do these masks, which are measured only */
    const vd_map_canvas *c = &p->painter.canvas;
    return vd_map_masks_of(&p->masks, c->id, c->width, c->height, err);
}

/* Box and area: as stated, or of its pixels; of what is left where segments overlapped. */
static bool measure(const panoptic *p, const vd_label_object *o, int32_t id, double box[4],
                    double *area) {
    *area = o->has & VD_OBJ_AREA && o->has & VD_OBJ_MASK ? o->area : vd_label_area(o);
    if (!p->painter.overlap) return vd_label_bounds(o, box);
    const vd_mask *left = vd_map_masks_find(&p->masks, id);
    double on_side[4];
    if (left == NULL) return false;
    vd_mask_box(left, on_side);
    for (int i = 0; i < 4; i++) box[i] = on_side[i ^ 1];
    *area = (double)vd_mask_area(left);
    return true;
}

static vd_status add_segments(panoptic *p, int64_t image, int64_t n, vd_err *err) {
    vd_str *s = &p->w->f.text;
    vd_label_object o;
    bool first = true;
    for (int64_t k = 0; k < n; k++) {
        double box[4], area = 0;
        if (p->id[k] == 0) continue;
        VD_TRY(vd_label_set_get(p->w->set, image, k, &o, err));
        if (!measure(p, &o, p->id[k], box, &area)) {
            VD_TRY(vd_label_lose(p->w->out->report, err, "objects that others cover", "%s",
                                 p->w->set->images[image].name));
            continue;
        }
        vd_str_addf(s, "%s\n{\"id\":%d,\"category_id\":%lld,\"bbox\":[", first ? "" : ",", p->id[k],
                    (long long)p->w->category_id[o.category]);
        for (int i = 0; i < 4; i++) {
            if (i > 0) vd_str_addc(s, ',');
            vd_decimal_add(s, box[i]);
        }
        vd_str_add(s, "],\"area\":");
        vd_decimal_add(s, area);
        vd_str_addf(s, ",\"iscrowd\":%d}", (o.has & VD_OBJ_CROWD) != 0);
        first = false;
    }
    return VD_OK;
}

static vd_status write_image(panoptic *p, int64_t image, vd_err *err) {
    const vd_label_image *m = &p->w->set->images[image];
    const int64_t n = vd_label_set_count(p->w->set, image);
    vd_str *s = &p->w->f.text;
    bool sized = false;
    VD_TRY(vd_paint_begin(&p->painter, &sized, m, p->w->out->report, err));
    if (!sized) return VD_OK;
    VD_TRY(choose_ids(p, image, n, err));
    VD_TRY(paint(p, image, n, err));
    vd_str_clear(&p->name);
    vd_add_safe_name(&p->name, m->name, ".png");
    VD_TRY(vd_str_check(&p->name, err));
    VD_TRY(vd_paint_write(&p->painter, VD_PAINT_COLOUR, p->folder.data, p->name.data, err));
    vd_str_addf(s, "%s{\"image_id\":%lld,\"file_name\":", p->w->n_written++ > 0 ? ",\n" : "\n",
                (long long)p->w->image_id[image]);
    vd_str_json(s, p->name.data);
    vd_str_add(s, ",\"segments_info\":[");
    VD_TRY(add_segments(p, image, n, err));
    vd_str_add(s, "]}");
    return vd_out_step(&p->w->f, err);
}

static vd_status write_segments(vd_coco_writer *w, vd_err *err) {
    panoptic p = { .w = w };
    vd_status st = VD_OK;
    vd_str_addn(&p.folder, w->path, (int64_t)strlen(w->path) - (int64_t)strlen(".json"));
    VD_GO(vd_str_check(&p.folder, err));
    vd_str_add(&w->f.text, "\"annotations\":[");
    for (int64_t i = 0; i < w->set->n_images; i++)
        if (vd_coco_in_subset(w, i)) VD_GO(write_image(&p, i, err));
    vd_str_add(&w->f.text, "]}\n");
done:
    vd_painter_reset(&p.painter);
    vd_map_masks_reset(&p.masks);
    vd_mem_free(p.id);
    vd_str_reset(&p.folder);
    vd_str_reset(&p.name);
    return st;
}

vd_status vd_coco_write_panoptic(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return vd_coco_write_as(set, out, "panoptic", write_segments, err);
}
