/* The walk goes along the streets between square plots. It is made of laps, always to the left,
 * round blocks of 2 x 2 plots; the block of each lap lies one plot beside that of the lap before,
 * so that laps share streets, which are then walked again in the same direction: loops that close,
 * and places that are seen again much later. A town of 2 x 2 plots has laps round half of it and
 * all of it by turns; a small one is one plot, walked round once or more.
 *
 * Corners are bends of a few metres. The size of the town follows from the number of views: steps
 * are about STEP_M long, so that neighbours overlap by 60 to 80 %.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/route.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "math/trig.h"

static const double PI = 3.14159265358979323846;
static const double PITCH_M = 15, BEND_M = 5, ROUND_M = 7.2, STEP_M = 1.05;
static const double AGAIN = 1.25; /* so much of the way over a town is walked at least once more */
enum { SMALL = 80 /* views of a town of one plot */ };

typedef struct node {
    int32_t x, y;
} node;

typedef struct block {
    int32_t x0, y0, x1, y1;
} block;

/* The block of lap `k`: row by row to and fro over the town, then back. */
static block block_of(int32_t side, int64_t k) {
    if (side == 1) return (block){ 0, 0, 1, 1 };
    if (side == 2) return (block){ 0, 0, 2, 1 + (int32_t)(k % 2) };
    const int64_t m = side - 1, turn = VD_MAX(m * m - 1, 1), at = k % (2 * turn);
    const int64_t i = VD_MIN(at <= turn ? at : 2 * turn - at, m * m - 1);
    const int32_t y = (int32_t)(i / m), along = (int32_t)(i % m),
                  x = y % 2 == 0 ? along : (int32_t)m - 1 - along;
    return (block){ x, y, x + 2, y + 2 };
}

static bool on_rim(block b, node p) {
    const bool in = p.x >= b.x0 && p.x <= b.x1 && p.y >= b.y0 && p.y <= b.y1;
    return in && (p.x == b.x0 || p.x == b.x1 || p.y == b.y0 || p.y == b.y1);
}

/* The next crossing on the way round, to the left. */
static node next_of(block b, node p) {
    if (p.y == b.y0 && p.x < b.x1) return (node){ p.x + 1, p.y };
    if (p.x == b.x1 && p.y < b.y1) return (node){ p.x, p.y + 1 };
    if (p.y == b.y1 && p.x > b.x0) return (node){ p.x - 1, p.y };
    return (node){ p.x, p.y - 1 };
}

static vd_status add_leg(vd_route *r, vd_leg leg, vd_err *err) {
    VD_TRY(VD_GROW(r->leg, r->cap, r->n + 1, err));
    leg.from = r->length;
    r->length += leg.length;
    r->leg[r->n++] = leg;
    return VD_OK;
}

/* Goes on from the crossing `b`, to which the way came from `a`, towards `c`: the bend, and the
 * straight up to where the next bend may begin. */
static vd_status go_on(vd_route *r, node a, node b, node c, vd_err *err) {
    const double half = 0.5 * r->side, ix = b.x - a.x, iy = b.y - a.y, ox = c.x - b.x,
                 oy = c.y - b.y;
    const double x = (b.x - half) * r->pitch_m, y = (b.y - half) * r->pitch_m;
    const double side = ix * oy - iy * ox; /* 1 to the left, -1 to the right, 0 straight on */
    const vd_leg bend = { x - r->bend_m * ix,
                          y - r->bend_m * iy,
                          ix,
                          iy,
                          side / r->bend_m,
                          0,
                          side != 0 ? r->bend_m * PI / 2 : 2 * r->bend_m };
    const vd_leg straight = { x + r->bend_m * ox,        y + r->bend_m * oy, ox, oy, 0, 0,
                              r->pitch_m - 2 * r->bend_m };
    VD_TRY(add_leg(r, bend, err));
    return add_leg(r, straight, err);
}

/* Walks `laps` laps, or as many as `least_m` metres take, and all the way on to the next block
 * after each. */
static vd_status walk(vd_route *r, int64_t laps, double least_m, vd_err *err) {
    node before = { 0, 1 }, at = { 0, 0 };
    r->n = 0;
    r->length = 0;
    for (int64_t k = 0; k < laps || r->length < least_m; k++) {
        const block b = block_of(r->side, k), other = block_of(r->side, k + 1);
        const int steps = 2 * (b.x1 - b.x0 + b.y1 - b.y0);
        for (int i = 0; i < steps || !on_rim(other, at); i++) {
            const node next = next_of(b, at);
            VD_TRY(go_on(r, before, at, next, err));
            before = at;
            at = next;
        }
    }
    return VD_OK;
}

/* Laps that go over a whole town, there and not back. */
static int64_t laps_of(int32_t side) {
    return side <= 2 ? side : (int64_t)(side - 1) * (side - 1);
}

vd_status vd_route_init(vd_route *r, int64_t views, vd_err *err) {
    vd_status st = VD_OK;
    const double want = (double)views * STEP_M;
    *r = (vd_route){ .side = 2, .pitch_m = PITCH_M, .bend_m = BEND_M };
    if (views <= SMALL) { /* nearly a circle */
        r->side = 1;
        r->bend_m = ROUND_M;
    }
    for (;; r->side++) {
        VD_GO(walk(r, laps_of(r->side), 0, err));
        if (r->side == 1 || AGAIN * r->length >= want) break;
    }
    r->step_m = STEP_M;
    if (r->side == 1) { /* whole laps, and a little more: the last views see what the first saw */
        const double lap = r->length, laps = VD_MAX(floor(want / lap + 0.5), 1.0);
        r->step_m = VD_MIN((laps + 0.05) * lap / (double)views, 2 * STEP_M);
    }
    VD_GO(walk(r, 1, (double)(views + 1) * r->step_m, err));
done:
    if (st != VD_OK) vd_route_reset(r);
    return st;
}

void vd_route_reset(vd_route *r) {
    vd_mem_free(r->leg);
    *r = (vd_route){ .n = 0 };
}

static int starts_after(const void *key, const void *element) {
    const double t = *(const double *)key;
    const vd_leg *leg = element;
    return t < leg->from ? -1 : t >= leg->from + leg->length ? 1 : 0;
}

void vd_route_at(const vd_route *r, double t, double at[2], double direction[2]) {
    const vd_leg *leg = bsearch(&t, r->leg, (size_t)r->n, sizeof *leg, starts_after);
    if (leg == NULL) leg = &r->leg[t < 0 ? 0 : r->n - 1];
    const double d = t - leg->from, turn = d * leg->bend, c = vd_cos(turn), s = vd_sin(turn);
    const double along = leg->bend != 0 ? s / leg->bend : d,
                 aside = leg->bend != 0 ? (1 - c) / leg->bend : 0;
    at[0] = leg->x + along * leg->dx - aside * leg->dy;
    at[1] = leg->y + along * leg->dy + aside * leg->dx;
    direction[0] = c * leg->dx - s * leg->dy;
    direction[1] = s * leg->dx + c * leg->dy;
}
