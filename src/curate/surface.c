/* The fewest pictures that keep a scene's points well observed. SPDX-License-Identifier: Apache-2.0
 */
#include "base/map.h"
#include "base/mem.h"
#include "curate/select.h"
#include "geometry/rigid.h"
#include "scene/scenes.h"

/* A scene seen by the candidates alone. */
typedef struct surface {
    vd_model m;
    int64_t *ids, n_ids;
    vd_map *at;       /* asset -> position in the list */
    int32_t *view_of; /* of each image of the model: its number among the candidates, -1 */
    int64_t *position;
    double (*centre)[3];
    int64_t *track;
    int32_t *view, n_views;
} surface;

static void surface_reset(surface *f) {
    vd_model_reset(&f->m);
    vd_mem_free(f->ids);
    vd_map_free(f->at);
    vd_mem_free(f->view_of);
    vd_mem_free(f->position);
    vd_mem_free(f->centre);
    vd_mem_free(f->track);
    vd_mem_free(f->view);
}

static vd_status find_views(surface *f, const vd_curated_list *l, vd_err *err) {
    VD_TRY(vd_map_new(&f->at, err));
    for (int64_t i = 0; i < l->n; i++)
        VD_TRY(vd_map_put(f->at, &l->row[i].id, sizeof l->row[i].id, i, err));
    size_t n = (size_t)f->m.n_images;
    f->view_of = vd_mem_array(n, sizeof *f->view_of);
    f->position = vd_mem_array(n, sizeof *f->position);
    f->centre = vd_mem_array(n, sizeof *f->centre);
    if (f->view_of == NULL || f->position == NULL || f->centre == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < f->m.n_images; i++) {
        int64_t at = 0;
        f->view_of[i] = -1;
        if (i >= f->n_ids || !vd_map_get(f->at, &f->ids[i], sizeof f->ids[i], &at)) continue;
        vd_vec3 c = vd_rigid_centre(f->m.images[i].cam_from_world);
        f->view_of[i] = f->n_views;
        f->position[f->n_views] = at;
        f->centre[f->n_views][0] = c.x;
        f->centre[f->n_views][1] = c.y;
        f->centre[f->n_views][2] = c.z;
        f->n_views++;
    }
    return VD_OK;
}

static vd_status find_tracks(surface *f, vd_err *err) {
    const vd_model *m = &f->m;
    int64_t n = 0, all = m->n_points > 0 ? m->track_start[m->n_points] : 0;
    f->track = vd_mem_array((size_t)m->n_points + 1, sizeof *f->track);
    f->view = vd_mem_array((size_t)all, sizeof *f->view);
    if (f->track == NULL || f->view == NULL) return vd_nomem(err);
    for (int64_t p = 0; p < m->n_points; p++) {
        for (int64_t k = m->track_start[p]; k < m->track_start[p + 1]; k++)
            if (f->view_of[m->track_image[k]] >= 0) f->view[n++] = f->view_of[m->track_image[k]];
        f->track[p + 1] = n;
    }
    return VD_OK;
}

vd_status vd_select_surface(vd_selection *s, const vd_dataset *ds, const vd_select_opt *o,
                            vd_err *err) {
    vd_status st = VD_OK;
    surface f = { 0 };
    int32_t *chosen = NULL;
    int64_t *gain = NULL;
    VD_GO(vd_scene_load(&f.m, ds, o->scene, err));
    VD_GO(vd_scene_assets(&f.ids, &f.n_ids, ds, o->scene, err));
    VD_GO(find_views(&f, &s->list, err));
    VD_GO(find_tracks(&f, err));
    chosen = vd_mem_array((size_t)f.n_views, sizeof *chosen);
    gain = vd_mem_array((size_t)f.n_views, sizeof *gain);
    if (chosen == NULL || gain == NULL) VD_GO(vd_nomem(err));
    const vd_cover_scene scene = { f.n_views,
                                   (int32_t)f.m.n_points,
                                   (const double(*)[3])f.centre,
                                   (const double(*)[3])(void *)f.m.xyz,
                                   f.track,
                                   f.view };
    VD_GO(vd_cover(chosen, gain, &s->cover, &scene, (int32_t)VD_MIN(o->count, INT32_MAX), &o->cover,
                   err));
    s->without = s->list.n - f.n_views;
    for (int32_t i = 0; i < s->cover.n; i++) {
        const vd_curated *c = &s->list.row[f.position[chosen[i]]];
        s->row[s->n++] = (vd_selected){ c->id, c->uri, (double)gain[i], "" };
    }
done:
    vd_mem_free(chosen);
    vd_mem_free(gain);
    surface_reset(&f);
    return st;
}
