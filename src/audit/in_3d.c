/* Labels of the views of scenes: which label covers which keypoint, what the points say about that
 * (points.h), and the findings in words. SPDX-License-Identifier: Apache-2.0
 *
 * Positions: keypoints are pixels of the picture as stored, labels of the upright one at the size
 * that they state. A picture without any label is taken as one that is not labelled yet; of those
 * that the set has twice, the first counts. All scenes are judged at once: they share no points. */
#include <string.h>

#include "audit/audit.h"
#include "audit/overlay.h"
#include "audit/points.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "scene/scenes.h"

typedef struct gathering {
    const vd_audit_set *s;
    const vd_dataset *ds;
    vd_stmt *size;    /* of an asset */
    vd_map *image_of; /* asset -> its first picture with labels in the set */
    int32_t *view_of; /* of each picture; -1: none */
    int32_t n_views, n_points;
    /* observations, those of a view together */
    int32_t *view, *point;
    float *xy;
    int64_t n, cap_view, cap_point, cap_xy;
    int64_t *first; /* of each view, and the end; n_views + 1 */
    int64_t cap_first;
    int64_t *covers; /* labels at each (points.h) */
    int32_t *n_covers, *cover;
    int64_t n_cover, cap_cover;
    /* labels */
    int32_t *label_view, *label_class;
    int64_t *object; /* of each label */
    uint8_t *label_exact;
    int32_t n_labels;
    int64_t cap_label_view, cap_label_class, cap_object, cap_exact;
    /* the walk over shapes */
    int64_t image, in_image; /* the picture at hand, and how many objects of it came */
    vd_overlay overlay;
} gathering;

static void gathering_reset(gathering *g) {
    vd_stmt_free(g->size);
    vd_map_free(g->image_of);
    vd_mem_free(g->view_of);
    vd_mem_free(g->view);
    vd_mem_free(g->point);
    vd_mem_free(g->covers);
    vd_mem_free(g->n_covers);
    vd_mem_free(g->cover);
    vd_mem_free(g->xy);
    vd_mem_free(g->first);
    vd_mem_free(g->label_view);
    vd_mem_free(g->label_class);
    vd_mem_free(g->object);
    vd_mem_free(g->label_exact);
    vd_overlay_reset(&g->overlay);
}

/* ---- where keypoints are in the pictures that were labelled ---- */

typedef struct place {
    double x_scale, y_scale; /* to the full size as stored */
    double width, height;    /* as stored */
    int orientation;
    double x_zoom, y_zoom; /* from the upright full size to that of the labels */
} place;

static vd_status place_of(place *out, gathering *g, int64_t asset, const vd_audit_image *m,
                          const vd_camera *c, vd_err *err) {
    bool row = false;
    place p = { .width = c->width, .height = c->height, .orientation = 1 };
    vd_stmt_bind(g->size, 1, vd_val_int(asset));
    VD_TRY(vd_stmt_step(g->size, &row, err));
    if (row && vd_stmt_int(g->size, 0) > 0 && vd_stmt_int(g->size, 1) > 0) {
        const int64_t o = vd_stmt_int(g->size, 2);
        p.orientation = o >= 1 && o <= 8 ? (int)o : 1;
        p.width = (double)vd_stmt_int(g->size, p.orientation > 4);
        p.height = (double)vd_stmt_int(g->size, p.orientation <= 4);
    }
    vd_stmt_reset(g->size);
    p.x_scale = c->width > 0 ? p.width / c->width : 1;
    p.y_scale = c->height > 0 ? p.height / c->height : 1;
    const double wide = p.orientation > 4 ? p.height : p.width,
                 high = p.orientation > 4 ? p.width : p.height;
    p.x_zoom = m->width > 0 && wide > 0 ? m->width / wide : 1;
    p.y_zoom = m->height > 0 && high > 0 ? m->height / high : 1;
    *out = p;
    return VD_OK;
}

/* EXIF's orientations, as in label/turn.c and for the half turns and mirrors too. */
static void to_labels(const place *p, const double uv[2], float xy[2]) {
    const double x = uv[0] * p->x_scale, y = uv[1] * p->y_scale;
    const bool swap = p->orientation > 4;
    double u = swap ? y : x, v = swap ? x : y;
    const double wide = swap ? p->height : p->width, high = swap ? p->width : p->height;
    static const bool left[9] = { [2] = true, [3] = true, [6] = true, [7] = true },
                      over[9] = { [3] = true, [4] = true, [7] = true, [8] = true };
    if (left[p->orientation]) u = wide - u;
    if (over[p->orientation]) v = high - v;
    xy[0] = (float)(u * p->x_zoom);
    xy[1] = (float)(v * p->y_zoom);
}

/* ---- scenes ---- */

static vd_status add_view(gathering *g, const vd_model *m, int32_t i, int64_t asset, int64_t image,
                          const int32_t *number, vd_err *err) {
    const vd_model_image *v = &m->images[i];
    place p;
    VD_TRY(place_of(&p, g, asset, &g->s->image[image], &m->cameras[v->camera], err));
    VD_TRY(VD_GROW(g->view, g->cap_view, g->n + v->n, err));
    VD_TRY(VD_GROW(g->point, g->cap_point, g->n + v->n, err));
    VD_TRY(VD_GROW(g->xy, g->cap_xy, 2 * (g->n + v->n), err));
    VD_TRY(VD_GROW(g->first, g->cap_first, g->n_views + 2, err));
    for (int32_t k = 0; k < v->n; k++) {
        if (v->point[k] < 0 || number[v->point[k]] < 0) continue;
        g->view[g->n] = g->n_views;
        g->point[g->n] = number[v->point[k]];
        to_labels(&p, &v->uv[2 * (int64_t)k], &g->xy[2 * g->n]);
        g->n++;
    }
    g->view_of[image] = g->n_views++;
    g->first[g->n_views] = g->n;
    return VD_OK;
}

/* Numbers the points of a model that two labelled views or more show; -1 for the others. */
static vd_status number_points(gathering *g, int32_t *number, const vd_model *m,
                               const int64_t *image, vd_err *err) {
    int64_t n = g->n_points;
    for (int64_t p = 0; p < m->n_points; p++) {
        int shown = 0;
        for (int64_t k = m->track_start[p]; shown < 2 && k < m->track_start[p + 1]; k++)
            shown += image[m->track_image[k]] >= 0;
        number[p] = shown < 2 ? -1 : (int32_t)n++;
        if (n == INT32_MAX)
            return vd_fail(err, VD_E_LIMIT, "labels: more than %d points in scenes", INT32_MAX);
    }
    g->n_points = (int32_t)n;
    return VD_OK;
}

static vd_status add_model(gathering *g, const vd_model *m, const int64_t *asset, vd_err *err) {
    vd_status st = VD_OK;
    int labelled = 0;
    int64_t *image = vd_mem_array((size_t)m->n_images + 1, sizeof *image);
    int32_t *number = vd_mem_array((size_t)m->n_points + 1, sizeof *number);
    if (image == NULL || number == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < m->n_images; i++) {
        const bool in = vd_map_get(g->image_of, &asset[i], sizeof asset[i], &image[i]);
        if (!in || g->view_of[image[i]] >= 0) image[i] = -1;
        labelled += image[i] >= 0;
    }
    if (labelled < 2) goto done;
    VD_GO(number_points(g, number, m, image, err));
    for (int32_t i = 0; i < m->n_images; i++)
        if (image[i] >= 0) VD_GO(add_view(g, m, i, asset[i], image[i], number, err));
done:
    vd_mem_free(image);
    vd_mem_free(number);
    return st;
}

static vd_status add_scene(gathering *g, int64_t scene, vd_err *err) {
    vd_status st = VD_OK;
    vd_model m = { 0 };
    vd_err why = { 0 };
    int64_t *asset = NULL, n = 0, known = 0, image;
    st = vd_scene_assets(&asset, &n, g->ds, scene, &why);
    for (int64_t i = 0; st == VD_OK && i < n; i++)
        known += vd_map_get(g->image_of, &asset[i], sizeof asset[i], &image);
    if (st == VD_OK && known >= 2) {
        st = vd_scene_load(&m, g->ds, scene, &why);
        if (st == VD_OK && m.n_images != n)
            st = vd_fail(&why, VD_E_FORMAT, "scene %lld: %d pictures, %lld of them known",
                         (long long)scene, m.n_images, (long long)n);
        if (st == VD_OK) st = add_model(g, &m, asset, &why);
    }
    if (st != VD_OK && st != VD_E_NOTFOUND) vd_fail(err, st, "%s", why.msg);
    vd_model_reset(&m);
    vd_mem_free(asset);
    return st == VD_E_NOTFOUND ? VD_OK : st;
}

static vd_status add_scenes(gathering *g, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    vd_status st = VD_OK;
    const vd_audit_set *set = g->s;
    VD_GO(vd_map_new(&g->image_of, err));
    for (int64_t i = set->n_images - 1; i >= 0; i--) { /* the first one stays */
        const vd_audit_image *m = &set->image[i];
        if (m->asset != 0 && m->n > 0)
            VD_GO(vd_map_put(g->image_of, &m->asset, sizeof m->asset, i, err));
    }
    VD_GO(VD_GROW(g->first, g->cap_first, 1, err));
    g->first[0] = 0;
    VD_GO(vd_db_prepare(&g->size, vd_dataset_db(g->ds),
                        "SELECT width, height, orientation FROM fact_check WHERE asset_id = ?1",
                        true, err));
    VD_GO(vd_db_prepare(&s, vd_dataset_db(g->ds), "SELECT id FROM scene ORDER BY id", true, err));
    while ((st = vd_stmt_step(s, &row, err)) == VD_OK && row)
        VD_GO(add_scene(g, vd_stmt_int(s, 0), err));
done:
    vd_stmt_free(s);
    return st;
}

/* ---- which label covers each ---- */

/* Looks up the keypoints of the picture whose labels have all come. */
static vd_status cover_view(gathering *g, vd_err *err) {
    const int32_t view = g->image >= 0 ? g->view_of[g->image] : -1;
    if (view < 0) return VD_OK;
    for (int64_t i = g->first[view]; i < g->first[view + 1]; i++) {
        VD_TRY(VD_GROW(g->cover, g->cap_cover, g->n_cover + g->overlay.n, err));
        g->covers[i] = g->n_cover;
        vd_overlay_at(&g->overlay, g->xy[2 * i], g->xy[2 * i + 1], g->cover, &g->n_cover);
        g->n_covers[i] = (int32_t)(g->n_cover - g->covers[i]);
    }
    vd_overlay_clear(&g->overlay);
    return VD_OK;
}

static vd_status on_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                          bool *skip, vd_err *err) {
    gathering *g = user;
    (void)m;
    (void)asset;
    VD_TRY(cover_view(g, err));
    g->image++;
    g->in_image = 0;
    if (g->image >= g->s->n_images || g->s->image[g->image].row != row)
        return vd_fail(err, VD_E_FORMAT, "labels: the set changed while it was read");
    *skip = g->view_of[g->image] < 0;
    return VD_OK;
}

static vd_status on_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    gathering *g = user;
    const vd_audit_image *m = &g->s->image[g->image];
    const int64_t at = m->first + g->in_image++;
    if (g->in_image > m->n || g->s->object[at].row != row)
        return vd_fail(err, VD_E_FORMAT, "labels: the set changed while it was read");
    if (g->n_labels == INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "labels: more than %d objects in scenes", INT32_MAX);
    VD_TRY(VD_GROW(g->label_view, g->cap_label_view, g->n_labels + 1, err));
    VD_TRY(VD_GROW(g->label_class, g->cap_label_class, g->n_labels + 1, err));
    VD_TRY(VD_GROW(g->object, g->cap_object, g->n_labels + 1, err));
    VD_TRY(VD_GROW(g->label_exact, g->cap_exact, g->n_labels + 1, err));
    g->label_view[g->n_labels] = g->view_of[g->image];
    g->label_class[g->n_labels] = g->s->object[at].category;
    g->object[g->n_labels] = at;
    g->label_exact[g->n_labels] = (o->has & (VD_OBJ_MASK | VD_OBJ_POLYGON)) != 0;
    return vd_overlay_add(&g->overlay, o, g->n_labels++, err);
}

static vd_status cover_views(gathering *g, vd_err *err) {
    const vd_label_walk walk = {
        .image = on_image, .object = on_object, .user = g, .shapes = true
    };
    g->image = -1;
    g->covers = vd_mem_array((size_t)g->n + 1, sizeof *g->covers);
    g->n_covers = vd_mem_array((size_t)g->n + 1, sizeof *g->n_covers);
    if (g->covers == NULL || g->n_covers == NULL) return vd_nomem(err);
    VD_TRY(VD_GROW(g->cover, g->cap_cover, 1, err));
    VD_TRY(vd_label_set_walk(vd_dataset_db(g->ds), g->s->set, &walk, err));
    return cover_view(g, err);
}

/* ---- findings ---- */

/* The pictures whose labels agree, as many as fit. */
static vd_status name_voters(vd_str *out, const gathering *g, const vd_points_doubts *all,
                             const vd_points_doubt *d, vd_err *err) {
    enum { MOST = 5 };
    vd_str_clear(out);
    for (int64_t i = 0; i < d->n && i < MOST; i++) {
        const vd_audit_object *o = &g->s->object[g->object[all->voter[d->first + i]]];
        vd_str_addf(out, "%s%.60s", i > 0 ? ", " : "", g->s->image[o->image].name);
    }
    if (d->n > MOST) vd_str_addf(out, " and %lld more", (long long)(d->n - MOST));
    return vd_str_check(out, err);
}

static vd_status report_class(vd_audit_findings *f, const gathering *g, const vd_points_doubts *all,
                              const vd_points_doubt *d, const char *who, vd_err *err) {
    const int32_t views = d->agree + d->against + d->own;
    return vd_audit_add_object(
        f, VD_AUDIT_INCONSISTENT_IN_3D, g->s, g->object[d->label],
        g->s->object[g->object[all->voter[d->first]]].row, 1 - (double)d->agree / views, err,
        "%d of %d other views call it '%.60s', by %lld points in 3D: %s", d->agree, views - 1,
        g->s->category[d->class_of_most].name, (long long)d->points, who);
}

static vd_status report_missing(vd_audit_findings *f, const gathering *g,
                                const vd_points_doubts *all, const vd_points_doubt *d,
                                const int32_t *image_of_view, const char *who, vd_err *err) {
    const int64_t image = image_of_view[d->view];
    const char *name = d->class_of_most >= 0 ? g->s->category[d->class_of_most].name : "(none)";
    const vd_audit_finding row = { .kind = VD_AUDIT_MISSING_IN_3D,
                                   .image = (int32_t)image,
                                   .other = g->s->object[g->object[all->voter[d->first]]].row,
                                   .image_row = g->s->image[image].row,
                                   .asset = g->s->image[image].asset,
                                   .name = name,
                                   .box = { d->box[0], d->box[1], (double)d->box[2] - d->box[0],
                                            (double)d->box[3] - d->box[1] },
                                   .score = 1 - (double)d->agree / (d->agree + d->against) };
    return vd_audit_add(f, &row, err,
                        "%d other views have a '%.60s' here, %lld points of it in 3D are seen "
                        "without a label: %s",
                        d->agree, name, (long long)d->points, who);
}

static vd_status report(vd_audit_findings *f, const gathering *g, const vd_points_doubts *all,
                        vd_err *err) {
    vd_status st = VD_OK;
    vd_str who = { 0 };
    int32_t *image_of_view = vd_mem_array((size_t)g->n_views + 1, sizeof *image_of_view);
    if (image_of_view == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < g->s->n_images; i++)
        if (g->view_of[i] >= 0) image_of_view[g->view_of[i]] = (int32_t)i;
    for (int64_t i = 0; i < all->n; i++) {
        const vd_points_doubt *d = &all->row[i];
        VD_GO(name_voters(&who, g, all, d, err));
        if (d->label >= 0)
            VD_GO(report_class(f, g, all, d, vd_str_text(&who), err));
        else
            VD_GO(report_missing(f, g, all, d, image_of_view, vd_str_text(&who), err));
    }
done:
    vd_mem_free(image_of_view);
    vd_str_reset(&who);
    return st;
}

vd_status vd_audit_in_3d(vd_audit_findings *f, const vd_audit_set *s, const vd_dataset *ds,
                         vd_err *err) {
    vd_status st = VD_OK;
    vd_points_doubts doubts = { 0 };
    gathering g = { .s = s, .ds = ds };
    g.view_of = vd_mem_array((size_t)s->n_images + 1, sizeof *g.view_of);
    if (g.view_of == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n_images; i++) g.view_of[i] = -1;
    VD_GO(add_scenes(&g, err));
    if (g.n_views == 0) goto done;
    VD_GO(cover_views(&g, err));
    const vd_points in = { .n_views = g.n_views,
                           .n_points = g.n_points,
                           .n_labels = g.n_labels,
                           .n_classes = (int32_t)s->n_categories,
                           .n = g.n,
                           .view = g.view,
                           .point = g.point,
                           .xy = g.xy,
                           .covers = g.covers,
                           .n_covers = g.n_covers,
                           .cover = g.cover,
                           .label_view = g.label_view,
                           .label_class = g.label_class,
                           .label_exact = g.label_exact };
    VD_GO(vd_points_judge(&doubts, &in, err));
    VD_GO(report(f, &g, &doubts, err));
done:
    vd_points_doubts_reset(&doubts);
    gathering_reset(&g);
    return st;
}
