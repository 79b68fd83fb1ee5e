/* A town: plots of different kinds, each a yard of its own, low walls along the streets, a ring of
 * more plots around those that the route goes round, so that the view ends nowhere in open country,
 * and walls and towers behind. What stands on a plot depends on the seed and on the plot.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/town.h"

#include "synth/yard.h"

static const double PI = 3.14159265358979323846;
enum { STREAM_TOWN = 0x746f776e, STREAM_PLOT = 0x706c6f74, STREAM_EDGE = 0x65646765 };
enum { PLOT_OBJECTS = 36, EDGE_EACH = 8 /* objects behind the town for each plot of its side */ };

int64_t vd_town_objects(int32_t side) {
    const int64_t wide = (int64_t)side + 2;
    return wide * wide * PLOT_OBJECTS + (wide + 1) * EDGE_EACH;
}

static void ring(vd_yard *y, double inner, double outer) {
    y->inner = inner;
    y->outer = outer;
}

/* Somewhere near the middle of the plot. */
static void big_house(vd_yard *y, vd_material m, double length, double width, double height) {
    const double a = vd_rng_range(y->r, 0, 2 * PI), d = vd_rng_range(y->r, 0, 1);
    double yaw = (double)vd_rng_int(y->r, 4) * PI / 2;
    yaw += vd_rng_range(y->r, -0.3, 0.3);
    vd_vec3 half = vd_v3(length, width, height);
    half.x *= vd_rng_range(y->r, 0.9, 1.15);
    half.y *= vd_rng_range(y->r, 0.9, 1.1);
    half.z *= vd_rng_range(y->r, 0.9, 1.2);
    const vd_vec3 at = vd_v3(y->middle.x + d * vd_cos(a), y->middle.y + d * vd_sin(a), half.z);
    vd_yard_house(y, m, at, yaw, half);
}

/* A wall of boards, stones or bricks along a side of the plot: one looks over it. */
static void low_wall(vd_yard *y, int side) {
    static const vd_material m[] = { VD_MAT_BRICK, VD_MAT_STONE, VD_MAT_WOOD, VD_MAT_PLASTER };
    const double out[2] = { side == 0   ? 1
                            : side == 2 ? -1
                                        : 0,
                            side == 1   ? 1
                            : side == 3 ? -1
                                        : 0 };
    vd_vec3 half = vd_v3(0, 0, 0);
    half.x = vd_rng_range(y->r, 0.9, 1.8);
    half.y = vd_rng_range(y->r, 0.1, 0.18);
    half.z = vd_rng_range(y->r, 0.3, 0.55);
    const double along = vd_rng_range(y->r, -2.4, 2.4), away = vd_rng_range(y->r, 5.5, 5.8);
    vd_object *b = vd_solid_add(y->s, VD_CAT_WALL, half);
    b->centre = vd_v3(y->middle.x + away * out[0] - along * out[1],
                      y->middle.y + away * out[1] + along * out[0], half.z);
    vd_solid_orient(b, side * PI / 2 + PI / 2 + vd_rng_range(y->r, -0.12, 0.12), 0);
    vd_solid_paint(b, m[vd_rng_int(y->r, VD_COUNT(m))], y->r);
}

static void tower(vd_yard *y) {
    static const vd_material m[] = { VD_MAT_BRICK, VD_MAT_STONE, VD_MAT_PLASTER };
    const double w = vd_rng_range(y->r, 0.9, 1.3), h = vd_rng_range(y->r, 1.6, 2.6);
    const double a = vd_rng_range(y->r, 0, 2 * PI);
    vd_object *b = vd_solid_add(y->s, VD_CAT_CYLINDER, vd_v3(w, w * 0.8, h));
    b->thing = VD_THING_TOWER;
    b->centre = vd_v3(y->middle.x + 1.2 * vd_cos(a), y->middle.y + 1.2 * vd_sin(a), h);
    vd_solid_orient(b, a, 0);
    vd_solid_paint(b, m[vd_rng_int(y->r, VD_COUNT(m))], y->r);
}

/* Crates as large as a man, of painted sheet. */
static void containers(vd_yard *y, int n) {
    for (int i = 0; i < n; i++) {
        const double a = 2 * PI * (i + vd_rng_range(y->r, 0.2, 0.8)) / n;
        vd_vec3 half = vd_v3(0, 0.75, 0.8);
        half.x = vd_rng_range(y->r, 1.0, 1.5);
        vd_object *b = vd_solid_add(y->s, VD_CAT_BOX, half);
        b->thing = VD_THING_CONTAINER;
        b->centre = vd_v3(y->middle.x + 2.3 * vd_cos(a), y->middle.y + 2.3 * vd_sin(a), half.z);
        vd_solid_orient(b, a + PI / 2 + vd_rng_range(y->r, -0.3, 0.3), 0);
        vd_solid_paint(b, VD_MAT_RUST, y->r);
    }
}

/* The small things of a plot, most of them near its rim, where the camera passes. */
typedef struct mix {
    int crates, stacked, columns, barrels, balls, cones, pyramids, prisms, boulders, walls;
} mix;

static void scatter(vd_yard *y, const mix *m, double inner) {
    ring(y, inner, 4.5);
    vd_yard_crates(y, m->crates, m->stacked);
    vd_yard_columns(y, m->columns);
    vd_yard_barrels(y, m->barrels);
    vd_yard_balls(y, m->balls);
    ring(y, inner, 4.7);
    vd_yard_cones(y, m->cones);
    for (int i = 0; i < m->pyramids; i++) vd_yard_pyramid(y);
    for (int i = 0; i < m->prisms; i++) vd_yard_prism(y);
    vd_yard_boulders(y, m->boulders);
    const int first = (int)vd_rng_int(y->r, 4);
    for (int i = 0; i < m->walls; i++) low_wall(y, (first + i) % 4);
}

static void fill_plot(vd_yard *y) {
    static const mix homestead = { 3, 1, 0, 2, 1, 2, 0, 1, 4, 3 },
                     ruin = { 1, 0, 7, 0, 3, 0, 2, 1, 6, 3 },
                     depot = { 6, 2, 0, 5, 0, 4, 0, 1, 1, 2 },
                     garden = { 1, 1, 2, 0, 5, 1, 1, 2, 8, 4 },
                     hall = { 4, 2, 2, 3, 1, 2, 0, 1, 3, 2 };
    switch (vd_rng_int(y->r, 6)) {
    case 0:
        big_house(y, VD_MAT_BRICK, 1.9, 1.3, 1.2);
        scatter(y, &homestead, 3.0);
        break;
    case 1: scatter(y, &ruin, 0.6); break;
    case 2:
        containers(y, 3);
        scatter(y, &depot, 2.6);
        break;
    case 3:
        tower(y);
        scatter(y, &garden, 2.2);
        break;
    case 4:
        big_house(y, VD_MAT_PLASTER, 2.4, 1.5, 1.3);
        scatter(y, &hall, 3.2);
        break;
    default:
        big_house(y, VD_MAT_STONE, 1.6, 1.2, 1.0);
        scatter(y, &homestead, 2.8);
        break;
    }
}

/* Walls and towers behind the outermost plots. */
static void add_edge(vd_scene *s, uint64_t seed) {
    static const vd_material m[] = { VD_MAT_BRICK, VD_MAT_PLASTER, VD_MAT_STONE };
    const int32_t wide = s->route.side + 2;
    const int n = (wide + 1) * EDGE_EACH;
    const double reach = 0.5 * wide * s->route.pitch_m;
    vd_rng r = vd_rng_for(seed, STREAM_EDGE, 0);
    for (int i = 0; i < n; i++) {
        const double along = (i + vd_rng_range(&r, 0.1, 0.9)) / n * 4,
                     t = 2 * (along - floor(along)) - 1;
        const double d = reach + vd_rng_range(&r, 2, 14);
        const int side = (int)along;
        const bool high = i % 4 == 2;
        const double h = high ? vd_rng_range(&r, 2.5, 4.5) : vd_rng_range(&r, 1.2, 3.0);
        const double w = high ? vd_rng_range(&r, 0.9, 1.5) : vd_rng_range(&r, 1.6, 4.2);
        vd_vec3 half = high ? vd_v3(w, w * 0.8, h) : vd_v3(w, vd_rng_range(&r, 0.6, 2.5), h);
        vd_object *b = vd_solid_add(s, high ? VD_CAT_CYLINDER : VD_CAT_WALL, half);
        if (high) b->thing = VD_THING_TOWER;
        b->centre = vd_v3(side == 0   ? d
                          : side == 2 ? -d
                                      : t * d,
                          side == 1   ? d
                          : side == 3 ? -d
                                      : t * d,
                          h);
        vd_solid_orient(b, (side + 1) * PI / 2 + vd_rng_range(&r, -0.4, 0.4), 0);
        vd_solid_paint(b, m[vd_rng_int(&r, VD_COUNT(m))], &r);
    }
}

void vd_town_build(vd_scene *s, uint64_t seed) {
    const int32_t side = s->route.side;
    const double pitch = s->route.pitch_m, half = 0.5 * (side - 1);
    vd_rng all = vd_rng_for(seed, STREAM_TOWN, 0);
    s->arc_mid_rad = vd_rng_range(&all, 0, 2 * PI); /* the sun's azimuth follows from it */
    for (int32_t v = -1; v <= side; v++)
        for (int32_t u = -1; u <= side; u++) {
            vd_rng r = vd_rng_for(seed, STREAM_PLOT, (uint64_t)(v + 1) << 32 | (uint64_t)(u + 1));
            vd_yard y = { .s = s, .r = &r, .first = s->n_objects };
            y.middle = vd_v3((u - half) * pitch, (v - half) * pitch, 0);
            fill_plot(&y);
        }
    add_edge(s, seed);
}
