/* Metrics against analytic truths and synthetic pictures whose answer is known.
 * SPDX-License-Identifier: Apache-2.0 */
#include "load.h"
#include "t.h"

#include "base/mem.h"
#include "measure/measure.h"

static const double pi = 3.14159265358979323846;

/* A grey picture filled by a function of the pixel, rounded and clamped. */
typedef double (*pixel_fn)(const void *user, int x, int y);
static bool grey(t_picture *p, int w, int h, pixel_fn fn, const void *user) {
    if (!t_picture_new(p, VD_PIX_GREY8, w, h)) return false;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double v = floor(fn(user, x, y) + 0.5);
            p->memory[(size_t)y * (size_t)w + (size_t)x] = (uint8_t)VD_CLAMP(v, 0.0, 255.0);
        }
    return true;
}

/* Measures with a fresh vd_measure; zeroed metrics where that fails, which no test accepts. */
static vd_metrics measured(const vd_frame *f) {
    vd_metrics m = { 0 };
    vd_pdq pdq;
    vd_err err = { 0 };
    vd_measure *ms = NULL;
    if (vd_measure_new(&ms, &err) == VD_OK) vd_measure_frame(&m, &pdq, ms, f, &err);
    if (err.code != VD_OK) fprintf(stderr, "%s\n", err.msg);
    vd_measure_free(ms);
    return m;
}

static vd_metrics of(int w, int h, pixel_fn fn, const void *user) {
    t_picture p;
    vd_metrics m = { 0 };
    if (grey(&p, w, h, fn, user)) m = measured(&p.frame);
    t_picture_free(&p);
    return m;
}

static double checker(const void *user, int x, int y) {
    return 128 + ((x + y) % 2 ? 1 : -1) * *(const double *)user;
}
static double ramp_x(const void *user, int x, int y) {
    return 10 + *(const double *)user * x + 0 * y;
}
static double sixteen_levels(const void *user, int x, int y) {
    (void)user;
    return 20 + 10 * ((x + 7 * y) % 16);
}

T(patterns_with_known_derivatives) {
    double a = 10, slope = 2;
    /* every Laplacian is 8 a, of alternating sign: variance 64 a^2 */
    vd_metrics m = of(102, 102, checker, &a);
    T_NEAR(m.sharpness, 64 * a * a, 1e-9);
    T_NEAR(m.tenengrad, 0, 1e-9); /* Sobel cannot see it */
    T_NEAR(m.brightness, 128, 1e-9);
    T_NEAR(m.contrast, a, 1e-9);
    T_NEAR(m.entropy, 1, 1e-9);
    /* Sobel of a ramp is 8 times its slope; its Laplacian is 0 */
    m = of(100, 60, ramp_x, &slope);
    T_NEAR(m.sharpness, 0, 1e-9);
    T_NEAR(m.tenengrad, 64 * slope * slope, 1e-9);
    T_NEAR(m.aspect_ratio, 100.0 / 60, 1e-12);
}

T(tone_of_known_levels) {
    vd_metrics m = of(160, 160, sixteen_levels, NULL);
    T_NEAR(m.entropy, 4, 1e-9);
    T_NEAR(m.brightness, 95, 1e-9);
    T_NEAR(m.contrast, 10 * sqrt((256 - 1) / 12.0), 1e-9);
    T_EQ(m.p1, 20);
    T_EQ(m.p5, 20);
    T_EQ(m.p50, 90);
    T_EQ(m.p95, 170);
    T_EQ(m.p99, 170);
    T_TRUE(m.greyscale && m.channels == 1);
    T_NEAR(m.bright_p99, 170 / 255.0, 1e-9);
}

static double clipped_parts(const void *user, int x, int y) {
    (void)user;
    (void)x;
    return y < 10 ? 0 : y < 40 ? 255 : 100;
}

T(clipping_is_counted_exactly) {
    vd_metrics m = of(77, 100, clipped_parts, NULL);
    T_NEAR(m.clipped_low, 0.1, 1e-12);
    T_NEAR(m.clipped_high, 0.3, 1e-12);
}

/* A soft scene with shading, an object edge every 90 pixels, and white noise. */
typedef struct noisy {
    double sigma;
    uint64_t seed;
} noisy;
static double noisy_scene(const void *user, int x, int y) {
    const noisy *n = user;
    vd_rng r = vd_rng_for(n->seed, (uint64_t)y, (uint64_t)x);
    double base = 110 + 30 * sin(x * 0.006) + 25 * cos(y * 0.009 + 1);
    base += (x / 90 + y / 90) % 2 * 20;
    return base + n->sigma * vd_rng_normal(&r);
}

T(noise_is_recovered_within_a_tenth) {
    const double sigma[] = { 1.5, 3, 5, 10, 20 };
    for (int i = 0; i < VD_COUNT(sigma); i++) {
        noisy n = { sigma[i], 5 };
        T_NEAR(of(1200, 900, noisy_scene, &n).noise, sigma[i], 0.1 * sigma[i]);
    }
    noisy n = { 4, 6 };
    T_NEAR(of(2600, 2000, noisy_scene, &n).noise, 4, 0.4);
    T_NEAR(of(320, 240, noisy_scene, &n).noise, 4, 0.6); /* few blocks */
    n.sigma = 0;
    T_LT(of(1200, 900, noisy_scene, &n).noise, 0.5); /* rounding alone is 0.29 */
}

/* A texture without direction: white noise, twice box-blurred so that interpolation is harmless. */
enum { TEX = 640 };
static float *texture(uint64_t seed) {
    float *a = vd_mem_array(TEX * TEX, sizeof *a), *b = vd_mem_array(TEX * TEX, sizeof *b);
    vd_rng r = vd_rng_for(seed, 0, 0);
    for (int i = 0; a != NULL && b != NULL && i < TEX * TEX; i++) a[i] = (float)vd_rng_normal(&r);
    for (int round = 0; a != NULL && b != NULL && round < 2; round++) {
        for (int y = 1; y < TEX - 1; y++)
            for (int x = 1; x < TEX - 1; x++) {
                const float *p = a + y * TEX + x;
                b[y * TEX + x] = (p[-TEX - 1] + p[-TEX + 1] + p[TEX - 1] + p[TEX + 1] +
                                  2 * (p[-TEX] + p[-1] + p[1] + p[TEX]) + 4 * p[0]) /
                                 16;
            }
        float *swap = a;
        a = b;
        b = swap;
    }
    vd_mem_free(b);
    return a;
}

static double sampled(const float *a, double x, double y) {
    int ix = (int)x, iy = (int)y;
    double fx = x - ix, fy = y - iy;
    const float *p = a + iy * TEX + ix;
    return (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * p[TEX] + fx * p[TEX + 1]);
}

typedef struct moved {
    const float *tex;
    double length, deg;
} moved;
static double moved_scene(const void *user, int x, int y) {
    const moved *m = user;
    double sum = 0, dx = cos(m->deg * pi / 180), dy = -sin(m->deg * pi / 180);
    int n = (int)(3 * m->length) + 1;
    for (int i = 0; i < n; i++) {
        double t = m->length * ((i + 0.5) / n - 0.5);
        sum += sampled(m->tex, x + 40 + dx * t, y + 40 + dy * t);
    }
    return 128 + 90 * sum / n;
}

T(motion_direction_within_five_degrees) {
    float *tex = texture(3);
    T_NEED(tex != NULL);
    moved m = { tex, 0, 0 };
    vd_metrics still = of(400, 300, moved_scene, &m);
    T_LT(still.motion_anisotropy, 0.2);
    for (int length = 7; length <= 23; length += 8)
        for (int deg = 0; deg < 180; deg += 13) {
            m.length = length;
            m.deg = deg;
            vd_metrics g = of(400, 300, moved_scene, &m);
            double off = fabs(g.motion_direction_deg - deg);
            T_LT(VD_MIN(off, 180 - off), 5);
            T_LT(0.6, g.motion_anisotropy);
            T_LT(g.least_fineness, 0.5 * still.least_fineness);
        }
    vd_mem_free(tex);
}

/* Gaussian blur of the texture by direct sums. */
typedef struct soft {
    const float *tex;
    double sigma;
} soft;
static double soft_scene(const void *user, int x, int y) {
    const soft *s = user;
    int r = (int)(3 * s->sigma + 0.5);
    double sum = 0, weight = 0;
    for (int j = -r; j <= r; j++)
        for (int i = -r; i <= r; i++) {
            double w = s->sigma > 0 ? exp(-(i * i + j * j) / (2 * s->sigma * s->sigma)) : 1;
            sum += w * s->tex[(y + 40 + j) * TEX + x + 40 + i];
            weight += w;
        }
    return 128 + 90 * sum / weight;
}

T(blur_lowers_sharpness_step_by_step) {
    float *tex = texture(4);
    T_NEED(tex != NULL);
    vd_metrics last = { .sharpness = 1e9, .fineness = 1e9, .tenengrad = 1e9 };
    for (int i = 0; i <= 6; i++) {
        soft s = { tex, 0.5 * i };
        vd_metrics m = of(160, 120, soft_scene, &s);
        T_LT(m.sharpness, last.sharpness);
        T_LT(m.tenengrad, last.tenengrad);
        T_LT(m.fineness, last.fineness);
        last = m;
    }
    vd_mem_free(tex);
}

/* One scene at any resolution: shading, stripes in two directions, hard edges, all in units of the
 * picture's width, sampled at `over` x `over` points a pixel. The waves sin(a u + b v) are put
 * together from tables of their factors: 48 megapixels of them would take long otherwise. */
enum { WAVES = 3 };
static const double wave[WAVES][3] = { { 25, 11, 3 }, { 18, 260, -90 }, { 12, 30, 410 } };

static double *waves_along(int n, double step, int axis) {
    double *t = vd_mem_array((size_t)n, 2 * WAVES * sizeof *t);
    for (int i = 0; t != NULL && i < n; i++)
        for (int k = 0; k < WAVES; k++) {
            t[2 * (WAVES * i + k)] = sin(wave[k][axis] * (i + 0.5) * step);
            t[2 * (WAVES * i + k) + 1] = cos(wave[k][axis] * (i + 0.5) * step);
        }
    return t;
}

static double anywhere(double u, double v, const double *tx, const double *ty) {
    double s = 120;
    for (int k = 0; k < WAVES; k++)
        s += wave[k][0] * (tx[2 * k] * ty[2 * k + 1] + tx[2 * k + 1] * ty[2 * k]);
    if (u > 0.2 && u < 0.55 && v > 0.15 && v < 0.4) s += 45;
    if ((u - 0.7) * (u - 0.7) + (v - 0.45) * (v - 0.45) < 0.03) s -= 50;
    return s;
}

static bool any_scale(t_picture *p, int w, int h, int over) {
    double step = 1.0 / (w * over), *tx = waves_along(w * over, step, 1),
           *ty = waves_along(h * over, step, 2);
    bool ok = tx != NULL && ty != NULL && t_picture_new(p, VD_PIX_GREY8, w, h);
    for (int y = 0; ok && y < h; y++)
        for (int x = 0; x < w; x++) {
            double sum = 0;
            for (int j = y * over; j < (y + 1) * over; j++)
                for (int i = x * over; i < (x + 1) * over; i++)
                    sum += anywhere((i + 0.5) * step, (j + 0.5) * step, tx + 2 * WAVES * i,
                                    ty + 2 * WAVES * j);
            p->memory[(size_t)y * (size_t)w + (size_t)x] = (uint8_t)(sum / (over * over) + 0.5);
        }
    vd_mem_free(tx);
    vd_mem_free(ty);
    return ok;
}

/* The rest is what the pixels of the smaller sensor themselves blur: 0.6 pixels of norm. */
T(two_and_48_megapixels_agree) {
    t_picture small, large;
    T_NEED(any_scale(&small, 1632, 1224, 2) && any_scale(&large, 8064, 6048, 1));
    vd_metrics a = measured(&small.frame), b = measured(&large.frame);
    T_NEAR(b.sharpness / a.sharpness, 1, 0.12);
    T_NEAR(b.tenengrad / a.tenengrad, 1, 0.05);
    T_NEAR(b.fineness / a.fineness, 1, 0.08);
    T_NEAR(b.brightness, a.brightness, 0.1);
    T_NEAR(b.contrast, a.contrast, 0.2);
    T_NEAR(b.entropy, a.entropy, 0.05);
    T_NEAR(b.thumb_edges, a.thumb_edges, 0.5);
    T_EQ(b.p50, a.p50);
    t_picture_free(&small);
    t_picture_free(&large);
}

/* The bytes of a JPEG of a grey picture, by libjpeg; free() them. */
static uint8_t *jpeg_of(const t_picture *p, int quality, unsigned long *size) {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr e;
    uint8_t *bytes = NULL;
    *size = 0;
    c.err = jpeg_std_error(&e);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &bytes, size);
    c.image_width = (JDIMENSION)p->frame.width;
    c.image_height = (JDIMENSION)p->frame.height;
    c.input_components = 1;
    c.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < p->frame.height; y++) {
        JSAMPROW row = p->memory + (ptrdiff_t)y * p->frame.width;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return bytes;
}

T(blockiness_rises_as_quality_falls) {
    t_picture p, q;
    noisy n = { 1.5, 4 };
    T_NEED(grey(&p, 900, 700, noisy_scene, &n));
    double last = measured(&p.frame).blockiness;
    T_NEAR(last, 1, 0.08); /* the edges of the scene favour no phase, but are few */
    for (int quality = 60; quality >= 15; quality /= 2) {
        unsigned long size;
        uint8_t *bytes = jpeg_of(&p, quality, &size);
        T_TRUE(t_load_jpeg_bytes(&q, bytes, size));
        double now = measured(&q.frame).blockiness;
        T_LT(last, now);
        last = now;
        free(bytes);
        t_picture_free(&q);
    }
    T_LT(2, last);
    t_picture_free(&p);
}

static double gradient(const void *user, int x, int y) {
    double step = *(const double *)user, v = 40 + 0.12 * x + 0.07 * y;
    return step * floor(v / step);
}

T(banding_tells_steps_from_gradients) {
    double fine = 1, coarse = 8;
    T_LT(of(800, 600, gradient, &fine).banding, 0.02);
    T_LT(0.9, of(800, 600, gradient, &coarse).banding);
    noisy n = { 3, 1 };
    T_LT(of(800, 600, noisy_scene, &n).banding, 0.4);
}

T(colour_of_two_halves) {
    t_picture p;
    enum { W = 200, H = 100 };
    T_NEED(t_picture_new(&p, VD_PIX_RGB8, W, H));
    for (int i = 0; i < W * H; i++) {
        static const uint8_t half[2][3] = { { 200, 100, 50 }, { 60, 120, 240 } };
        memcpy(p.memory + 3 * i, half[i % W >= W / 2], 3);
    }
    vd_metrics m = measured(&p.frame);
    /* rg: 100, -60; yb: 100, -150 */
    double rg_mean = 20, rg_dev = 80, yb_mean = -25, yb_dev = 125;
    T_NEAR(m.colourfulness,
           sqrt(rg_dev * rg_dev + yb_dev * yb_dev) +
               0.3 * sqrt(rg_mean * rg_mean + yb_mean * yb_mean),
           1e-6);
    T_NEAR(m.saturation, (150.0 / 200 + 180.0 / 240) / 2, 1e-4);
    T_NEAR(m.coloured, 1, 1e-12);
    T_TRUE(!m.greyscale && m.channels == 3);
    for (int i = 0; i < W * H; i++) memset(p.memory + 3 * i, i * 255 / (W * H), 3);
    m = measured(&p.frame);
    T_TRUE(m.greyscale);
    T_NEAR(m.colourfulness, 0, 1e-12);
    t_picture_free(&p);
}

T(turning_the_camera_changes_only_the_direction) {
    float *tex = texture(9);
    moved s = { tex, 15, 30 };
    t_picture p;
    T_NEED(tex != NULL && grey(&p, 401, 300, moved_scene, &s));
    vd_metrics a = measured(&p.frame);
    p.frame.orientation = 6;
    vd_metrics b = measured(&p.frame);
    T_NEAR(b.sharpness, a.sharpness, 1e-9);
    T_NEAR(b.tenengrad, a.tenengrad, 1e-9);
    T_NEAR(b.aspect_ratio, 1 / a.aspect_ratio, 1e-12);
    /* turned clockwise by 90 degrees; halved from the other end, the pixels are others */
    T_NEAR(b.motion_direction_deg, fmod(a.motion_direction_deg + 90, 180), 0.5);
    t_picture_free(&p);
    vd_mem_free(tex);
}

T(facts_do_not_depend_on_the_cpu) {
    const int size[][2] = { { 1500, 1100 }, { 501, 377 }, { 32, 32 }, { 33, 67 } };
    noisy n = { 6, 2 };
    for (int i = 0; i < VD_COUNT(size); i++) {
        t_picture p, q;
        T_NEED(grey(&p, size[i][0], size[i][1], noisy_scene, &n));
        T_NEED(t_picture_new(&q, VD_PIX_RGB8, size[i][0], size[i][1]));
        for (int k = 0; k < size[i][0] * size[i][1]; k++)
            for (int c = 0; c < 3; c++)
                q.memory[3 * k + c] = (uint8_t)(p.memory[k] + 17 * c * (k % size[i][0] / 9 % 3));
        for (int colour = 0; colour < 2; colour++) {
            vd_metrics first = { 0 };
            static const char *const cpu[] = { "c", "avx2", "avx512", "native" };
            for (int k = 0; k < VD_COUNT(cpu); k++) {
                setenv("VIDIMUS_CPU", cpu[k], 1);
                vd_metrics m = measured(colour ? &q.frame : &p.frame);
                if (k == 0) first = m;
                T_TRUE(memcmp(&first, &m, sizeof m) == 0);
            }
            unsetenv("VIDIMUS_CPU");
        }
        t_picture_free(&p);
        t_picture_free(&q);
    }
}

T(odd_sizes_give_finite_numbers) {
    const int size[][2] = { { 1, 1 },   { 1, 9 },   { 9, 1 },    { 2, 2 },
                            { 3, 3 },   { 4, 5 },   { 5, 5 },    { 8, 9 },
                            { 16, 17 }, { 31, 64 }, { 1, 5000 }, { 5000, 2 },
                            { 64, 64 }, { 65, 33 }, { 3000, 3 }, { 1025, 1025 } };
    noisy n = { 30, 8 };
    for (int i = 0; i < VD_COUNT(size); i++) {
        t_picture p;
        T_NEED(grey(&p, size[i][0], size[i][1], noisy_scene, &n));
        for (int o = 1; o <= 8; o += 5) {
            p.frame.orientation = o;
            vd_metrics m = measured(&p.frame);
            const double v[] = { m.sharpness,
                                 m.tenengrad,
                                 m.fineness,
                                 m.motion_anisotropy,
                                 m.motion_direction_deg,
                                 m.entropy,
                                 m.noise,
                                 m.blockiness,
                                 m.banding,
                                 m.thumb_edges,
                                 m.thumb_peaks,
                                 m.colourfulness,
                                 m.contrast };
            for (int k = 0; k < VD_COUNT(v); k++) T_TRUE(isfinite(v[k]) && v[k] >= 0);
            T_LT(0, m.brightness);
        }
        t_picture_free(&p);
    }
}

T(memory_is_reused_and_its_refusal_survived) {
    t_picture p;
    noisy n = { 5, 1 };
    T_NEED(grey(&p, 1100, 700, noisy_scene, &n));
    int64_t live = vd_mem_live();
    for (int k = 0; k < 1000; k++) {
        vd_measure *m = NULL;
        vd_metrics out;
        vd_pdq pdq;
        vd_err err = { 0 };
        vd_mem_fail_at(k, false);
        vd_status st = vd_measure_new(&m, &err);
        if (st == VD_OK) st = vd_measure_frame(&out, &pdq, m, &p.frame, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (m != NULL) {
            err = (vd_err){ 0 };
            T_OK(vd_measure_frame(&out, &pdq, m, &p.frame, &err));
            vd_mem_fail_at(0, true);
            T_OK(vd_measure_frame(&out, &pdq, m, &p.frame, &err));
            T_TRUE(!vd_mem_fail_clear());
        }
        vd_measure_free(m);
        T_EQ(vd_mem_live(), live);
        if (!hit) break;
    }
    t_picture_free(&p);
}
