/* A part of a model: some of its images and the points that they still see.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "recon/model.h"

enum { FEWEST = 2 }; /* images that a point needs */

typedef struct subset {
    vd_model *m;
    int32_t *image;       /* its new index, -1: gone */
    int32_t *point;       /* likewise */
    int64_t *track_start; /* as it will be, and */
    int64_t n_points;     /* how many points there are then */
} subset;

/* Which points stay; the element count of each decides. */
static void choose_points(subset *s) {
    const vd_model *m = s->m;
    int64_t n = 0;
    for (int64_t p = 0; p < m->n_points; p++) {
        int64_t all = m->track_start[p + 1] - m->track_start[p], left = 0;
        for (int64_t e = m->track_start[p]; e < m->track_start[p + 1]; e++)
            left += s->image[m->track_image[e]] >= 0;
        bool stays = left == all || left >= FEWEST;
        s->point[p] = stays ? (int32_t)s->n_points++ : -1;
        if (stays) s->track_start[s->n_points] = n += left;
    }
}

/* Everything moves towards the front, so that in place is safe. */
static void move_points(subset *s) {
    vd_model *m = s->m;
    int64_t at = 0;
    for (int64_t p = 0; p < m->n_points; p++) {
        int64_t to = s->point[p];
        if (to < 0) continue;
        memmove(m->xyz + 3 * to, m->xyz + 3 * p, 3 * sizeof *m->xyz);
        memmove(m->rgb + 3 * to, m->rgb + 3 * p, 3);
        m->error_px[to] = m->error_px[p];
        m->point_ids[to] = m->point_ids[p];
        for (int64_t e = m->track_start[p]; e < m->track_start[p + 1]; e++) {
            if (s->image[m->track_image[e]] < 0) continue;
            m->track_image[at] = s->image[m->track_image[e]];
            m->track_keypoint[at++] = m->track_keypoint[e];
        }
    }
    memcpy(m->track_start, s->track_start, (size_t)(s->n_points + 1) * sizeof *m->track_start);
    m->n_points = s->n_points;
}

static void move_images(subset *s) {
    vd_model *m = s->m;
    int32_t n = 0;
    for (int32_t i = 0; i < m->n_images; i++) {
        vd_model_image *v = &m->images[i];
        if (s->image[i] < 0) {
            vd_mem_free(v->name);
            vd_mem_free(v->uv);
            vd_mem_free(v->point);
            continue;
        }
        for (int32_t k = 0; k < v->n; k++)
            if (v->point[k] >= 0) v->point[k] = s->point[v->point[k]];
        m->images[n++] = *v;
    }
    m->n_images = n;
}

vd_status vd_model_keep_images(vd_model *m, const uint8_t *keep, vd_err *err) {
    vd_status st = VD_OK;
    int32_t n = 0;
    subset s = { .m = m,
                 .image = vd_mem_array((size_t)m->n_images + 1, sizeof *s.image),
                 .point = vd_mem_array((size_t)m->n_points + 1, sizeof *s.point),
                 .track_start = vd_mem_array((size_t)m->n_points + 1, sizeof *s.track_start) };
    if (s.image == NULL || s.point == NULL || s.track_start == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < m->n_images; i++) s.image[i] = keep[i] ? n++ : -1;
    if (n == m->n_images) goto done;
    choose_points(&s);
    if (m->n_points > 0) move_points(&s);
    move_images(&s);
done:
    vd_mem_free(s.image);
    vd_mem_free(s.point);
    vd_mem_free(s.track_start);
    return st;
}
