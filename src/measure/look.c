/* What a picture looks like. SPDX-License-Identifier: Apache-2.0 */
#include "measure/look.h"

#include <math.h>
#include <stdlib.h>

enum {
    CELLS = 4,
    QUARTERS = 2,
    BINS = 8,
    COLOURS = 32,
    STRONG = 40, /* of |R - G| + |(R + G) / 2 - B|, grey levels */
    AT_SPREAD = 3 * CELLS * CELLS,
    AT_GRADIENT = AT_SPREAD + CELLS * CELLS,
    AT_COLOUR = AT_GRADIENT + QUARTERS * QUARTERS * BINS,
};
_Static_assert(AT_COLOUR + COLOURS == VD_LOOK_DIM, "the parts make up the whole");

typedef struct cell {
    int64_t n, y, rg, yb2, yy; /* sums; yb2 is twice the blue-yellow difference */
} cell;

typedef struct tally {
    cell cell[CELLS][CELLS];
    int64_t gradient[QUARTERS][QUARTERS][BINS], colour[COLOURS], pixels;
} tally;

static int luma(const vd_pixels *p, int x, int y) {
    const uint8_t *c = p->data + ((int64_t)y * p->width + x) * p->channels;
    return p->channels == 1 ? c[0] : (77 * c[0] + 150 * c[1] + 29 * c[2] + 128) >> 8;
}

/* Which of eight equal parts of the half circle a direction lies in, by its slope: tangents of 22.5
 * and 67.5 degrees as fractions. */
static int direction(int gx, int gy) {
    if (gy < 0 || (gy == 0 && gx < 0)) {
        gx = -gx;
        gy = -gy;
    }
    int ax = abs(gx), bin = gy * 12 < ax * 5 ? 0 : gy < ax ? 1 : gy * 5 < ax * 12 ? 2 : 3;
    return gx >= 0 ? bin : BINS - 1 - bin;
}

static int octant(int u, int v) {
    return (u < 0) | (v < 0) << 1 | (abs(u) < abs(v)) << 2;
}

static void see(tally *t, const vd_pixels *p, int x, int y) {
    const uint8_t *c = p->data + ((int64_t)y * p->width + x) * p->channels;
    int l = luma(p, x, y), rg = 0, yb2 = 0;
    if (p->channels == 3) {
        rg = c[0] - c[1];
        yb2 = c[0] + c[1] - 2 * c[2];
    }
    cell *s = &t->cell[y * CELLS / p->height][x * CELLS / p->width];
    s->n++;
    s->y += l;
    s->rg += rg;
    s->yb2 += yb2;
    s->yy += l * l;
    bool strong = 2 * abs(rg) + abs(yb2) > 2 * STRONG;
    t->colour[octant(2 * rg, yb2) | strong << 3 | (l >= 128) << 4]++;
    t->pixels++;
    if (x == 0 || y == 0 || x + 1 == p->width || y + 1 == p->height) return;
    int gx = luma(p, x + 1, y) - luma(p, x - 1, y), gy = luma(p, x, y + 1) - luma(p, x, y - 1);
    t->gradient[y * QUARTERS / p->height][x * QUARTERS / p->width][direction(gx, gy)] +=
        abs(gx) + abs(gy);
}

/* Square roots of shares, less those of an even histogram, times weight; nothing where it is empty.
 */
static void put_shares(double *out, const int64_t *count, int n, double weight) {
    int64_t sum = 0;
    for (int i = 0; i < n; i++) sum += count[i];
    for (int i = 0; i < n; i++)
        out[i] = sum > 0 ? weight * (sqrt((double)count[i] / (double)sum) - sqrt(1.0 / n)) : 0;
}

static void put_cells(double *v, const tally *t) {
    for (int i = 0; i < CELLS * CELLS; i++) {
        const cell *s = &t->cell[i / CELLS][i % CELLS];
        if (s->n == 0) continue; /* fewer pixels than cells */
        double n = (double)s->n, mean = (double)s->y / n;
        v[3 * i] = (mean - 128) / 128;
        v[3 * i + 1] = (double)s->rg / n / 64;
        v[3 * i + 2] = (double)s->yb2 / n / 128;
        v[AT_SPREAD + i] = sqrt(fmax((double)s->yy / n - mean * mean, 0)) / 64;
    }
}

void vd_look(int8_t look[VD_LOOK_DIM], const vd_pixels *p) {
    tally t = { 0 };
    double v[VD_LOOK_DIM] = { 0 }, most = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) see(&t, p, x, y);
    put_cells(v, &t);
    for (int i = 0; i < QUARTERS * QUARTERS; i++)
        put_shares(v + AT_GRADIENT + i * BINS, t.gradient[i / QUARTERS][i % QUARTERS], BINS, 1);
    put_shares(v + AT_COLOUR, t.colour, COLOURS, 2);
    for (int i = 0; i < VD_LOOK_DIM; i++) most = fmax(most, fabs(v[i]));
    for (int i = 0; i < VD_LOOK_DIM; i++)
        look[i] = (int8_t)(most > 0 ? nearbyint(v[i] * 127 / most) : 0);
}
