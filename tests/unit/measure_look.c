/* What a picture looks like: parts whose values can be told beforehand, and what moves them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "measure/look.h"

enum { W = 64, H = 48 };

typedef void (*painter)(uint8_t *rgb, int x, int y);

static double cosine(painter a, painter b, int channels, int w, int h) {
    static uint8_t data[2][W * H * 3];
    int8_t look[2][VD_LOOK_DIM];
    double dot = 0, aa = 0, bb = 0;
    for (int k = 0; k < 2; k++) {
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                (k == 0 ? a : b)(data[k] + (y * w + x) * channels, x * W / w, y * H / h);
        const vd_pixels p = { data[k], w, h, channels, 0 };
        vd_look(look[k], &p);
    }
    for (int i = 0; i < VD_LOOK_DIM; i++) {
        dot += look[0][i] * look[1][i];
        aa += look[0][i] * look[0][i];
        bb += look[1][i] * look[1][i];
    }
    return dot / sqrt(aa * bb);
}

static void fill(uint8_t *p, int r, int g, int b) {
    p[0] = (uint8_t)r;
    p[1] = (uint8_t)g;
    p[2] = (uint8_t)b;
}
static void red_left(uint8_t *p, int x, int y) {
    (void)y;
    x < W / 2 ? fill(p, 200, 40, 40) : fill(p, 60, 60, 160);
}
static void red_left_darker(uint8_t *p, int x, int y) {
    (void)y;
    x < W / 2 ? fill(p, 180, 36, 36) : fill(p, 54, 54, 144);
}
static void red_right(uint8_t *p, int x, int y) {
    red_left(p, W - 1 - x, y);
}
static void green(uint8_t *p, int x, int y) {
    (void)x, (void)y;
    fill(p, 40, 200, 40);
}
static void stripes_up(uint8_t *p, int x, int y) {
    (void)y;
    x % 8 < 4 ? fill(p, 90, 90, 90) : fill(p, 160, 160, 160);
}
static void stripes_across(uint8_t *p, int x, int y) {
    stripes_up(p, y, x);
}
static void grey_up(uint8_t *p, int x, int y) {
    (void)y;
    p[0] = x % 8 < 4 ? 90 : 160;
}

T(alike_pictures_are_near) {
    T_NEAR(cosine(red_left, red_left, 3, W, H), 1, 1e-12);
    T_TRUE(cosine(red_left, red_left_darker, 3, W, H) > 0.95);
    T_TRUE(cosine(red_left, red_left_darker, 3, W, H) > cosine(red_left, red_right, 3, W, H) + 0.1);
    T_TRUE(cosine(red_left, red_right, 3, W, H) > cosine(red_left, green, 3, W, H));
    T_TRUE(cosine(stripes_up, stripes_across, 3, W, H) < 0.9);
    T_TRUE(cosine(stripes_up, stripes_up, 3, W, H) > 0.999);
}

/* The parts that the header lists, from pictures without noise. */
T(parts_say_what_they_should) {
    static uint8_t data[W * H * 3];
    int8_t look[VD_LOOK_DIM];
    const vd_pixels p = { data, W, H, 3, 0 };
    for (int i = 0; i < W * H; i++) stripes_up(data + 3 * i, i % W, i / W);
    vd_look(look, &p);
    for (int q = 0; q < 4; q++) /* the gradient points across vertical stripes: bin 0 alone */
        for (int bin = 0; bin < 8; bin++)
            T_TRUE(bin == 0 ? look[64 + 8 * q] > 0 : look[64 + 8 * q + bin] < 0);
    for (int c = 0; c < 16; c++) T_TRUE(look[3 * c + 1] == 0 && look[3 * c + 2] == 0); /* grey */
    for (int i = 0; i < W * H; i++) red_left(data + 3 * i, i % W, i / W);
    vd_look(look, &p);
    for (int c = 0; c < 16; c++) {
        T_TRUE(c % 4 < 2 ? look[3 * c + 1] > 50 : look[3 * c + 1] == 0);  /* R - G */
        T_TRUE(c % 4 < 2 ? look[3 * c + 2] > 20 : look[3 * c + 2] < -20); /* yellow - blue */
        T_EQ(look[48 + c], 0);                                            /* flat cells */
    }
}

T(any_size_will_do) {
    T_NEAR(cosine(grey_up, grey_up, 1, W, H), 1, 1e-12);
    for (int w = 1; w <= 5; w++)
        for (int h = 1; h <= 5; h++) T_NEAR(cosine(green, green, 3, w, h), 1, 1e-12);
}
