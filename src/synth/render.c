/* The renderer: which objects a tile of the picture may show, which surface each of its pixels
 * does, and the same once more with four rays where an edge crosses a pixel. The work itself is in
 * the kernels (kern.h), on all pixels of a tile that show one surface at once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* A block of tiles puts most objects aside for all of them at once. */
enum { TILE_X = 16, TILE_Y = VD_LANES / TILE_X, BLOCK_X = 8 * TILE_X, BLOCK_Y = 8 * TILE_Y };
enum { RAYS_PER_EDGE = 4, EDGES = VD_LANES / RAYS_PER_EDGE };

typedef struct shot {
    vd_picture *p;
    const vd_synth_kern *kern;
    vd_view view;
    int n_sightings;
    vd_rays rays;
    vd_patch patch;
    float colour[3][VD_LANES];
} shot;

typedef struct rect {
    int32_t x0, y0, x1, y1;
} rect;

vd_status vd_picture_size(vd_picture *p, int32_t width, int32_t height, vd_err *err) {
    const int64_t n = (int64_t)width * height;
    if (n > p->cap) {
        vd_picture q = { .cap = n };
        float *light = vd_mem_aligned((size_t)n * 3 * sizeof *light);
        for (int k = 0; k < 3 && light != NULL; k++) q.light[k] = light + k * n;
        q.depth = vd_mem_alloc((size_t)n * sizeof *q.depth);
        q.id = vd_mem_alloc((size_t)n * sizeof *q.id);
        q.what = vd_mem_alloc((size_t)n * sizeof *q.what);
        q.edge = vd_mem_alloc((size_t)n);
        q.rgb = vd_mem_alloc((size_t)n * 3);
        if (!light || !q.depth || !q.id || !q.what || !q.edge || !q.rgb) {
            vd_picture_reset(&q);
            return vd_nomem(err);
        }
        vd_picture_reset(p);
        *p = q;
    }
    p->width = width;
    p->height = height;
    return VD_OK;
}

void vd_picture_reset(vd_picture *p) {
    vd_mem_free(p->light[0]);
    vd_mem_free(p->depth);
    vd_mem_free(p->id);
    vd_mem_free(p->what);
    vd_mem_free(p->edge);
    vd_mem_free(p->rgb);
    vd_mem_free(p->sighting);
    for (int k = 0; k < VD_COUNT(p->list); k++) vd_mem_free(p->list[k]);
    vd_mem_free(p->near);
    vd_mem_free(p->found.object);
    vd_mem_free(p->found.stamp);
    *p = (vd_picture){ 0 };
}

static vd_status size_notes(vd_picture *p, int64_t n, vd_err *err) {
    if (n > p->cap_objects) {
        p->cap_objects = 0;
        vd_mem_free(p->sighting);
        vd_mem_free(p->near);
        vd_mem_free(p->found.object);
        vd_mem_free(p->found.stamp);
        p->sighting = vd_mem_array((size_t)n, sizeof *p->sighting);
        p->near = vd_mem_array((size_t)n, sizeof *p->near);
        p->found.object = vd_mem_array((size_t)n, sizeof *p->found.object);
        p->found.stamp = vd_mem_array((size_t)n, sizeof *p->found.stamp);
        bool ok = p->sighting && p->near && p->found.object && p->found.stamp;
        for (int k = 0; k < VD_COUNT(p->list); k++) {
            vd_mem_free(p->list[k]);
            p->list[k] = vd_mem_array((size_t)n, sizeof *p->list[k]);
            ok = ok && p->list[k] != NULL;
        }
        if (!ok) return vd_nomem(err);
        p->cap_objects = n;
    }
    memset(p->found.stamp, 0, (size_t)n * sizeof *p->found.stamp);
    p->found.now = 0;
    return VD_OK;
}

static int by_depth(const void *a, const void *b) {
    const vd_sighting *p = a, *q = b;
    if (p->near != q->near) return p->near < q->near ? -1 : 1;
    return (p->object > q->object) - (p->object < q->object);
}

/* Lists the objects that are not behind the camera, the nearest first. */
static void sight(shot *q) {
    const vd_scene *s = q->view.scene;
    const double *m = q->view.m;
    q->n_sightings = 0;
    for (int i = 0; i < s->n_objects; i++) {
        const vd_object *b = &s->object[i];
        const vd_vec3 v = vd_v3_sub(b->centre, q->view.eye);
        const double depth = m[6] * v.x + m[7] * v.y + m[8] * v.z, dist = vd_v3_norm(v);
        if (depth + b->radius <= 0) continue;
        const double sine = dist > b->radius ? b->radius / dist : 1;
        q->p->sighting[q->n_sightings++] = (vd_sighting){ .way = v,
                                                          .near = VD_MAX(depth - b->radius, 0),
                                                          .distance = dist,
                                                          .sine = sine,
                                                          .cosine = sqrt(1 - sine * sine),
                                                          .object = i };
    }
    qsort(q->p->sighting, (size_t)q->n_sightings, sizeof *q->p->sighting, by_depth);
}

/* Keeps those of a list that the cone about a rectangle of the picture meets. */
static int keep_met(shot *q, int32_t *out, const int32_t *in, int n, rect at) {
    static const double place[9][2] = { { .5, .5 }, { 0, 0 }, { .5, 0 }, { 1, 0 }, { 0, .5 },
                                        { 1, .5 },  { 0, 1 }, { .5, 1 }, { 1, 1 } };
    vd_rays *r = &q->rays;
    double least = 1;
    vd_vec3 axis = { 0, 0, 0 };
    r->n = VD_COUNT(place);
    for (int k = 0; k < vd_lanes(r->n); k++) {
        const double *t = place[VD_MIN(k, VD_COUNT(place) - 1)];
        r->px[k] = at.x0 + t[0] * (at.x1 - at.x0);
        r->py[k] = at.y0 + t[1] * (at.y1 - at.y0);
    }
    q->kern->aim(r, &q->view);
    for (int k = 0; k < r->n; k++) { /* the middle, the corners and the middles of the sides */
        const vd_vec3 d = vd_v3_unit(vd_v3(r->dx[k], r->dy[k], r->dz[k]));
        if (k == 0) axis = d;
        least = VD_MIN(least, vd_v3_dot(d, axis));
    }
    const double angle = acos(VD_MAX(least, -1)) * 1.02 + 1e-4; /* sides are curved a little */
    const double c = cos(angle), s = sin(angle);
    int kept = 0;
    for (int i = 0; i < n; i++) {
        const vd_sighting *b = &q->p->sighting[in[i]];
        const double meets = b->distance * (c * b->cosine - s * b->sine);
        if (b->sine >= 1 || vd_v3_dot(b->way, axis) >= meets) out[kept++] = in[i];
    }
    return kept;
}

/* The surfaces that some rays met, shaded one after the other; lanes that are not wanted keep what
 * `colour` has. */
static void shade(shot *q, bool wanted[VD_LANES]) {
    vd_rays *r = &q->rays;
    vd_patch *a = &q->patch;
    int lane[VD_LANES];
    for (int first = 0; first < r->n; first++) {
        if (!wanted[first]) continue;
        int n = 0;
        a->what = r->what[first];
        for (int i = first; i < r->n; i++) {
            if (!wanted[i] || r->what[i] != a->what) continue;
            wanted[i] = false;
            lane[n++] = i;
        }
        a->n = n;
        for (int i = 0; i < vd_lanes(n); i++) {
            const int k = lane[VD_MIN(i, n - 1)];
            a->dx[i] = r->dx[k];
            a->dy[i] = r->dy[k];
            a->dz[i] = r->dz[k];
            a->t[i] = r->t[k];
        }
        q->kern->shade(a, &q->view, &q->p->found);
        for (int i = 0; i < n; i++) {
            q->colour[0][lane[i]] = a->red[i];
            q->colour[1][lane[i]] = a->green[i];
            q->colour[2][lane[i]] = a->blue[i];
        }
    }
}

/* Traces r->n rays through the places in px and py. */
static void trace(shot *q, int n_met) {
    vd_rays *r = &q->rays;
    for (int i = r->n; i < vd_lanes(r->n); i++) {
        r->px[i] = r->px[r->n - 1];
        r->py[i] = r->py[r->n - 1];
    }
    q->kern->aim(r, &q->view);
    q->kern->trace(r, &q->view, q->p->list[2], q->p->near, n_met);
}

static void first_pass(shot *q, rect at, int n_met) {
    vd_picture *p = q->p;
    vd_rays *r = &q->rays;
    bool wanted[VD_LANES];
    r->n = 0;
    for (int32_t y = at.y0; y < at.y1; y++)
        for (int32_t x = at.x0; x < at.x1; x++) {
            r->px[r->n] = x + 0.5;
            r->py[r->n] = y + 0.5;
            wanted[r->n++] = true;
        }
    trace(q, n_met);
    shade(q, wanted);
    const int32_t wide = at.x1 - at.x0;
    for (int32_t y = at.y0, i = 0; y < at.y1; y++, i += wide) {
        const int64_t k = (int64_t)y * p->width + at.x0;
        for (int c = 0; c < 3; c++)
            memcpy(p->light[c] + k, q->colour[c] + i, (size_t)wide * sizeof(float));
        for (int32_t x = 0; x < wide; x++) p->depth[k + x] = (float)r->t[i + x];
        for (int32_t x = 0; x < wide; x++) p->what[k + x] = (uint32_t)r->what[i + x];
        for (int32_t x = 0; x < wide; x++) p->id[k + x] = (uint16_t)(p->what[k + x] >> 4);
    }
}

/* Marks the pixels that have another surface to their left or right, above or below. */
static void find_edges(vd_picture *p) {
    const int64_t w = p->width;
    memset(p->edge, 0, (size_t)(w * p->height));
    for (int32_t y = 0; y < p->height; y++) {
        const uint32_t *restrict a = p->what + y * w, *restrict b = a + w;
        uint8_t *restrict e = p->edge + y * w, *restrict f = e + w;
        for (int64_t x = 0; x + 1 < w; x++) e[x] |= a[x] != a[x + 1];
        for (int64_t x = w - 1; x > 0; x--) e[x] |= a[x] != a[x - 1];
        if (y + 1 == p->height) break;
        for (int64_t x = 0; x < w; x++) e[x] |= a[x] != b[x];
        for (int64_t x = 0; x < w; x++) f[x] |= a[x] != b[x];
    }
}

/* Four rays in place of one, on a turned square. What they meet of the surface that the middle met
 * has its colour already; any other surface is shaded once for all rays that meet it. */
static void soften(shot *q, const int64_t *pixel, int n, int n_met) {
    static const double place[RAYS_PER_EDGE][2] = {
        { .375, .125 }, { .875, .375 }, { .125, .625 }, { .625, .875 }
    };
    vd_picture *p = q->p;
    vd_rays *r = &q->rays;
    bool wanted[VD_LANES] = { false };
    int8_t same_as[VD_LANES]; /* the first ray of the pixel that met this surface; -1: the middle */
    r->n = n * RAYS_PER_EDGE;
    for (int i = 0; i < r->n; i++) {
        const int64_t k = pixel[i / RAYS_PER_EDGE];
        r->px[i] = (double)(k % p->width) + place[i % RAYS_PER_EDGE][0];
        r->py[i] = (double)(k / p->width) + place[i % RAYS_PER_EDGE][1];
    }
    trace(q, n_met);
    for (int i = 0; i < r->n; i++) {
        const int64_t k = pixel[i / RAYS_PER_EDGE];
        same_as[i] = -1;
        if (r->what[i] == p->what[k]) continue;
        int j = i / RAYS_PER_EDGE * RAYS_PER_EDGE;
        while (r->what[j] != r->what[i]) j++;
        same_as[i] = (int8_t)j;
        wanted[j] = true;
    }
    shade(q, wanted);
    for (int c = 0; c < 3; c++)
        for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int i = RAYS_PER_EDGE * j; i < RAYS_PER_EDGE * (j + 1); i++)
                sum += same_as[i] < 0 ? p->light[c][pixel[j]] : q->colour[c][same_as[i]];
            p->light[c][pixel[j]] = sum * (1.0f / RAYS_PER_EDGE);
        }
}

static void second_pass(shot *q, rect at, int n_met) {
    int64_t pixel[EDGES];
    int n = 0;
    for (int32_t y = at.y0; y < at.y1; y++)
        for (int32_t x = at.x0; x < at.x1; x++) {
            const int64_t k = (int64_t)y * q->p->width + x;
            if (!q->p->edge[k]) continue;
            pixel[n++] = k;
            if (n < EDGES) continue;
            soften(q, pixel, n, n_met);
            n = 0;
        }
    if (n > 0) soften(q, pixel, n, n_met);
}

static bool has_edge(const vd_picture *p, rect at) {
    for (int32_t y = at.y0; y < at.y1; y++)
        if (memchr(p->edge + (int64_t)y * p->width + at.x0, 1, (size_t)(at.x1 - at.x0)) != NULL)
            return true;
    return false;
}

/* Calls a pass for each tile of a block, with the objects that may be met in it. */
static void for_tiles(shot *q, rect block, bool second) {
    int32_t *const *list = q->p->list;
    const int n_block = keep_met(q, list[1], list[0], q->n_sightings, block);
    for (int32_t y = block.y0; y < block.y1; y += TILE_Y)
        for (int32_t x = block.x0; x < block.x1; x += TILE_X) {
            const rect tile = { x, y, VD_MIN(x + TILE_X, block.x1), VD_MIN(y + TILE_Y, block.y1) };
            if (second && !has_edge(q->p, tile)) continue;
            const int n = keep_met(q, list[2], list[1], n_block, tile);
            for (int i = 0; i < n; i++) { /* the kernel wants objects, not sightings */
                const vd_sighting *b = &q->p->sighting[list[2][i]];
                q->p->near[i] = b->near;
                list[2][i] = b->object;
            }
            if (second)
                second_pass(q, tile, n);
            else
                first_pass(q, tile, n);
        }
}

vd_status vd_render(vd_picture *p, const vd_synth_kern *kern, const vd_scene *s,
                    const vd_scene_camera *c, vd_rigid cam_from_world, vd_err *err) {
    VD_TRY(size_notes(p, VD_MAX(s->n_objects, 1), err));
    shot *q = vd_mem_aligned(sizeof *q);
    if (q == NULL) return vd_nomem(err);
    memset(q, 0, sizeof *q);
    q->p = p;
    q->kern = kern;
    q->view = (vd_view){ .scene = s, .camera = *c, .eye = vd_scene_eye(cam_from_world) };
    vd_quat_matrix(q->view.m, cam_from_world.q);
    sight(q);
    for (int i = 0; i < q->n_sightings; i++) p->list[0][i] = i;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) find_edges(p);
        for (int32_t y = 0; y < p->height; y += BLOCK_Y)
            for (int32_t x = 0; x < p->width; x += BLOCK_X) {
                const rect block = { x, y, VD_MIN(x + BLOCK_X, p->width),
                                     VD_MIN(y + BLOCK_Y, p->height) };
                for_tiles(q, block, pass == 1);
            }
    }
    vd_mem_free(q);
    return VD_OK;
}

void vd_picture_develop(vd_picture *p, const vd_synth_kern *kern, const vd_develop *d) {
    const double cx = 0.5 * p->width, cy = 0.5 * p->height;
    vd_film f = { .width = p->width,
                  .exposure = (float)(d->exposure * 0.50),
                  .fall = (float)(d->vignette / (cx * cx + cy * cy)),
                  .centre_x = (float)cx,
                  /* one part common to the channels, so that they have the asked sigma together */
                  .common = (float)(d->noise * 0.8),
                  .own = (float)(d->noise * 0.6) };
    for (int32_t y = 0; y < p->height; y++) {
        const int64_t at = (int64_t)y * p->width;
        const double dy = y + 0.5 - cy;
        for (int c = 0; c < 3; c++) f.light[c] = p->light[c] + at;
        f.dy2 = (float)(dy * dy);
        f.key = (uint32_t)vd_mix64(d->noise_seed + (uint64_t)y * 0x9e3779b97f4a7c15u);
        kern->develop(p->rgb + 3 * at, &f);
    }
}
