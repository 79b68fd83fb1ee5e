/* Labels: masks out of the renderer's own notes of what each pixel shows, spooled while views are
 * rendered in whatever order, and written view by view. SPDX-License-Identifier: Apache-2.0 */
#include "synth/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "label/mask.h"

enum { STREAM_MISTAKE = 0x6d697374 };

vd_status vd_synth_labels_begin(vd_label_set *set, const vd_plan *p, vd_err *err) {
    const vd_label_sink sink = vd_label_set_sink(set);
    for (int t = 0; t < VD_N_THINGS; t++) {
        const vd_label_category c = { .id = t + 1, .name = vd_thing_name((vd_thing)t) };
        VD_TRY(sink.category(sink.user, &c, err));
    }
    for (int64_t i = 0; i < p->opt.views; i++) {
        const vd_label_image m = { .id = i + 1,
                                   .name = p->shot[i].name,
                                   .width = p->opt.width,
                                   .height = p->opt.height,
                                   .frame = VD_LABEL_NONE };
        VD_TRY(sink.image(sink.user, &m, err));
    }
    return VD_OK;
}

vd_status vd_runs_of(vd_runs *out, const vd_picture *p, const vd_seen *seen, vd_err *err) {
    const uint16_t id = (uint16_t)(VD_ID_FIRST + seen->object);
    const int64_t w = p->width, h = p->height;
    int64_t last = 0; /* where the run that is open began */
    bool inside = false;
    out->n = 0;
    for (int64_t x = seen->x0; x < seen->x1; x++) {
        VD_TRY(VD_GROW(out->run, out->cap, out->n + seen->y1 - seen->y0 + 4, err));
        const uint16_t *column = p->id + x;
        for (int64_t y = inside ? 0 : seen->y0; y < seen->y1; y++) {
            if ((column[y * w] == id) == inside) continue;
            out->run[out->n++] = (uint32_t)(x * h + y - last);
            last = x * h + y;
            inside = !inside;
        }
        if (!inside || seen->y1 == h) continue; /* or it goes on at the top of the next column */
        out->run[out->n++] = (uint32_t)(x * h + seen->y1 - last);
        last = x * h + seen->y1;
        inside = false;
    }
    if (inside && seen->x1 < w) {
        out->run[out->n++] = (uint32_t)(seen->x1 * h - last);
        last = seen->x1 * h;
    }
    out->run[out->n++] = (uint32_t)(w * h - last);
    return VD_OK;
}

vd_status vd_synth_labels_add(vd_label_set *set, const vd_plan *p, int64_t view,
                              const vd_seen *seen, const vd_runs *runs, vd_err *err) {
    const vd_label_sink sink = vd_label_set_sink(set);
    const vd_label_object o = { .has = VD_OBJ_BOX | VD_OBJ_MASK | VD_OBJ_TRACK | VD_OBJ_AREA,
                                .image = (int32_t)view,
                                .category = (int32_t)p->scene.object[seen->object].thing,
                                .track = VD_ID_FIRST + seen->object,
                                .box = { seen->x0, seen->y0, seen->x1 - seen->x0,
                                         seen->y1 - seen->y0 },
                                .area = (double)seen->pixels,
                                .runs = runs->run,
                                .n_runs = runs->n,
                                .mask_width = p->opt.width,
                                .mask_height = p->opt.height };
    return sink.object(sink.user, &o, err);
}

/* ---- mistakes ---- */

static int by_place(const void *a, const void *b) {
    const vd_mistake *p = a, *q = b;
    if (p->view != q->view) return p->view < q->view ? -1 : 1;
    return (p->object > q->object) - (p->object < q->object);
}

/* All labels that may be wrong, in a drawn order; shows[object]: views in which they are. */
static vd_status candidates(vd_mistakes *out, int32_t *shows, const vd_plan *p,
                            const vd_seen_list *seen, vd_rng *r, vd_err *err) {
    int64_t cap = 0;
    for (int64_t i = 0; i < p->opt.views; i++) {
        VD_TRY(VD_GROW(out->item, cap, out->n + seen[i].n + 1, err));
        for (int k = 0; k < seen[i].n; k++) {
            const vd_seen *a = &seen[i].item[k];
            if (a->pixels < VD_MISTAKE_PIXELS) continue;
            out->item[out->n++] = (vd_mistake){ .view = i, .object = a->object };
            shows[a->object]++;
        }
    }
    for (int64_t i = out->n - 1; i > 0; i--) {
        const int64_t k = vd_rng_int(r, i + 1);
        const vd_mistake swap = out->item[i];
        out->item[i] = out->item[k];
        out->item[k] = swap;
    }
    return VD_OK;
}

vd_status vd_mistakes_draw(vd_mistakes *out, const vd_plan *p, const vd_seen_list *seen,
                           vd_err *err) {
    vd_status st = VD_OK;
    vd_mistakes all = { 0 };
    const int64_t want = (int64_t)p->opt.label_swaps + p->opt.label_gaps;
    vd_rng r = vd_rng_for(p->opt.seed, STREAM_MISTAKE, 0);
    int64_t n = 0;
    int32_t *shows = vd_mem_array(2 * (size_t)p->scene.n_objects + 1, sizeof *shows),
            *wrong = shows + p->scene.n_objects;
    if (shows == NULL) return vd_nomem(err);
    VD_GO(candidates(&all, shows, p, seen, &r, err));
    for (int64_t i = 0; i < all.n && n < want; i++) {
        vd_mistake m = all.item[i];
        if ((wrong[m.object] + 1) * VD_MISTAKE_VIEWS > shows[m.object]) continue;
        wrong[m.object]++;
        const vd_thing is = p->scene.object[m.object].thing;
        m.written = VD_N_THINGS;
        if (n < p->opt.label_swaps) /* any class but its own */
            m.written =
                (vd_thing)(((int64_t)is + 1 + vd_rng_int(&r, VD_N_THINGS - 1)) % VD_N_THINGS);
        all.item[n++] = m; /* never before the one that is read */
    }
    all.n = n;
    if (n > 0) qsort(all.item, (size_t)n, sizeof *all.item, by_place);
    *out = all;
    all.item = NULL;
done:
    vd_mem_free(all.item);
    vd_mem_free(shows);
    return st;
}

/* ---- the file ---- */

static void head(vd_str *s, const vd_plan *p) {
    vd_str_add(s, "{\"info\": {\"description\": \"labels of the views\"},\n\"images\": [\n");
    for (int64_t i = 0; i < p->opt.views; i++)
        vd_str_addf(s, "%s{\"id\": %lld, \"file_name\": \"%s\", \"width\": %d, \"height\": %d}",
                    i > 0 ? ",\n" : "", (long long)i + 1, p->shot[i].name, p->opt.width,
                    p->opt.height);
    vd_str_add(s, "],\n\"categories\": [\n");
    for (int t = 0; t < VD_N_THINGS; t++)
        vd_str_addf(s, "%s{\"id\": %d, \"name\": \"%s\"}", t > 0 ? ",\n" : "", t + 1,
                    vd_thing_name((vd_thing)t));
    vd_str_add(s, "],\n\"annotations\": [\n");
}

static vd_status annotation(vd_str *s, vd_str *counts, const vd_label_object *o, int64_t view,
                            vd_thing class, int64_t id, vd_err *err) {
    vd_mask m = { .height = o->mask_height, .width = o->mask_width, .n = o->n_runs };
    m.run = (uint32_t *)(uintptr_t)o->runs; /* only read */
    vd_str_clear(counts);
    vd_mask_text(&m, counts);
    VD_TRY(vd_str_check(counts, err));
    vd_str_addf(
        s,
        "%s{\"id\": %lld, \"image_id\": %lld, \"category_id\": %d, \"bbox\": [%g, %g, %g, %g], "
        "\"area\": %lld, \"iscrowd\": 0, \"track_id\": %lld, \"segmentation\": {\"size\": "
        "[%d, %d], \"counts\": ",
        id > 1 ? ",\n" : "", (long long)id, (long long)view + 1, (int)class + 1, o->box[0],
        o->box[1], o->box[2], o->box[3], (long long)o->area, (long long)o->track, m.height,
        m.width);
    vd_str_json(s, counts->data);
    vd_str_add(s, "}}");
    return VD_OK;
}

/* Appends the labels of a view; `next` is the first mistake that is not yet made. */
static vd_status one_view(vd_str *s, vd_str *counts, vd_label_set *set, int64_t view,
                          vd_mistakes *mistakes, int64_t *next, int64_t *n, vd_err *err) {
    for (int64_t k = 0; k < vd_label_set_count(set, view); k++) {
        vd_label_object o;
        VD_TRY(vd_label_set_get(set, view, k, &o, err));
        vd_thing class = (vd_thing)o.category;
        vd_mistake *m = *next < mistakes->n ? &mistakes->item[*next] : NULL;
        if (m != NULL && m->view == view && VD_ID_FIRST + m->object == o.track) {
            (*next)++;
            class = m->written;
            if (class == VD_N_THINGS) continue;
            m->label = *n + 1;
        }
        VD_TRY(annotation(s, counts, &o, view, class, ++*n, err));
    }
    return vd_str_check(s, err);
}

vd_status vd_synth_labels_write(const char *path, const vd_plan *p, vd_label_set *set,
                                vd_mistakes *mistakes, int64_t *n_labels, vd_err *err) {
    vd_status st = VD_OK;
    vd_str s = { 0 }, counts = { 0 };
    int64_t n = 0, next = 0;
    FILE *f = fopen(path, "wbe");
    if (f == NULL) return vd_fail_errno(err, errno, "write: %s", path);
    VD_GO(vd_label_set_finish(set, err));
    head(&s, p);
    for (int64_t i = 0; i < p->opt.views; i++) {
        VD_GO(one_view(&s, &counts, set, i, mistakes, &next, &n, err));
        if (i + 1 == p->opt.views) vd_str_add(&s, "]}\n");
        VD_GO(vd_str_check(&s, err));
        if (fwrite(vd_str_text(&s), 1, (size_t)s.size, f) != (size_t)s.size)
            VD_GO(vd_fail_errno(err, errno, "write: %s", path));
        vd_str_clear(&s);
    }
    *n_labels = n;
done:
    if (fclose(f) != 0 && st == VD_OK) st = vd_fail_errno(err, errno, "write: %s", path);
    vd_str_reset(&s);
    vd_str_reset(&counts);
    return st;
}
