/* Figures at full resolution: tone, clipping, noise, block and band artefacts. Rows come one after
 * the other with the three above them, while they are in the cache. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "measure/num.h"
#include "measure/parts.h"

/* Noise is kept in bins of 1/64 grey level. */
static const double noise_bin = 1.0 / 64;

void vd_full_init(vd_full *f, const vd_measure_kern *kern) {
    f->kern = kern;
    f->n_log_n[0] = 0;
    for (int v = 1; v < VD_COUNT(f->n_log_n); v++) f->n_log_n[v] = v * vd_num_log2(v);
}

vd_status vd_full_begin(vd_full *f, int32_t width, int32_t height, vd_err *err) {
    int32_t n = VD_MAX(width - 2, 0) / VD_NOISE_BLOCK + 1;
    VD_TRY(VD_GROW(f->block, f->cap_block, 2 * (int64_t)n, err));
    memset(f->block, 0, 2 * (size_t)n * sizeof *f->block);
    memset(f->hist, 0, sizeof f->hist);
    memset(f->noise, 0, sizeof f->noise);
    memset(f->phase, 0, sizeof f->phase);
    f->width = width;
    f->height = height;
    f->levels_every = vd_sampled_every((int64_t)width * height, VD_SAMPLED_LEVELS);
    f->steps_every = vd_sampled_every((int64_t)width * height, VD_SAMPLED_STEPS);
    f->noise_every = vd_sampled_every((int64_t)width * height, VD_SAMPLED_NOISE);
    f->sums = (vd_row_sums){ 0 };
    f->phase_rows = f->grid_step = f->grid_rows = f->inner_step = f->inner_rows = 0;
    f->isolated[0] = f->isolated[1] = f->looked_at = f->n_blocks = 0;
    f->block_rows = 0;
    return VD_OK;
}

/* Four histograms in turn: equal neighbours would otherwise wait for each other's increment. */
static void count_levels(uint32_t hist[4][256], const uint8_t *row, int32_t n) {
    int32_t x = 0;
    for (; x + 8 <= n; x += 8) {
        uint64_t v;
        memcpy(&v, row + x, 8);
        hist[0][v & 255]++;
        hist[1][v >> 8 & 255]++;
        hist[2][v >> 16 & 255]++;
        hist[3][v >> 24 & 255]++;
        hist[0][v >> 32 & 255]++;
        hist[1][v >> 40 & 255]++;
        hist[2][v >> 48 & 255]++;
        hist[3][v >> 56]++;
    }
    for (; x < n; x++) hist[0][row[x]]++;
}

/* Turns the sums of a finished row of blocks into noise estimates: Immerkaer's sigma is
 * sqrt(pi / 2) / 6 times the mean of |L|. Blocks near the ends of the scale are clipped and left
 * out, and so are slivers at the right edge. */
static void close_blocks(vd_full *f) {
    int32_t n = f->block_rows > 0 ? (f->width - 2 + VD_NOISE_BLOCK - 1) / VD_NOISE_BLOCK : 0;
    for (int32_t i = 0; i < n; i++) {
        int32_t cols = VD_MIN(VD_NOISE_BLOCK, f->width - 2 - i * VD_NOISE_BLOCK);
        int64_t count = (int64_t)cols * f->block_rows;
        double mean = (double)f->block[2 * i + 1] / (double)count;
        double sigma = (double)f->block[2 * i] / (double)count * (1.2533141373155003 / 6);
        f->block[2 * i] = f->block[2 * i + 1] = 0;
        if (mean < 4 || mean > 250 || (cols < VD_NOISE_BLOCK / 2 && n > 1)) continue;
        f->noise[(int)VD_MIN(sigma / noise_bin, VD_NOISE_BINS - 1)]++;
        f->n_blocks++;
    }
    f->block_rows = 0;
}

static void steps_row(vd_full *f, int32_t y, const uint8_t *const row[VD_LUMA_HISTORY]) {
    int32_t w = f->width;
    f->kern->phase(f->phase, row[0], w);
    f->phase_rows++;
    if (w > 3) {
        f->kern->isolated(f->isolated, row[0], row[0] + 1, row[0] + 2, row[0] + 3, w - 3, 6);
        f->looked_at += w - 3;
    }
    if (y >= 3 && (y - 1) % 8 != 0) {
        f->kern->isolated(f->isolated, row[3], row[2], row[1], row[0], w, -1);
        f->looked_at += w;
    }
}

void vd_full_row(void *full, int32_t y, const uint8_t *const row[VD_LUMA_HISTORY], int32_t width) {
    vd_full *f = full;
    int64_t before = f->sums.step;
    f->kern->row(&f->sums, row[0], row[1] != NULL ? row[1] : row[0], width);
    if (y > 0 && y % 8 == 0) {
        f->grid_step += f->sums.step - before;
        f->grid_rows++;
    } else if (y > 0) {
        f->inner_step += f->sums.step - before;
        f->inner_rows++;
    }
    if (y % f->levels_every == 0) count_levels(f->hist, row[0], width);
    if (y % f->steps_every == 0) steps_row(f, y, row);
    if (y < 2 || width < 3 || (y - 2) / VD_NOISE_ROWS % f->noise_every != 0) return;
    f->kern->noise(f->block, row[2], row[1], row[0], width);
    f->block_rows++;
    if ((y - 2) % VD_NOISE_ROWS == VD_NOISE_ROWS - 1 || y == f->height - 1) close_blocks(f);
}

static double percentile(const int64_t hist[256], int64_t total, int percent) {
    int64_t rank = (total * percent + 99) / 100, seen = 0;
    for (int v = 0; v < 256; v++) {
        seen += hist[v];
        if (seen >= VD_MAX(rank, 1)) return v;
    }
    return 255;
}

static double entropy(const vd_full *f, const int64_t hist[256], int64_t total) {
    double sum = 0;
    for (int v = 0; v < 256; v++)
        sum += hist[v] < VD_COUNT(f->n_log_n) ? f->n_log_n[hist[v]]
                                              : (double)hist[v] * vd_num_log2((double)hist[v]);
    return VD_MAX(0.0, vd_num_log2((double)total) - sum / (double)total);
}

/* The tenth percentile of the blocks: those are the flattest, where Laplacian and noise are one. On
 * pure noise it lies below the truth by the spread of the block estimates (measured: 7 %). */
static double noise_of(const vd_full *f) {
    static const double bias = 1.07;
    if (f->n_blocks == 0) return 0;
    double rank = 0.1 * (double)f->n_blocks, seen = 0;
    for (int b = 0; b < VD_NOISE_BINS; b++) {
        double here = f->noise[b];
        if (here > 0 && seen + here >= rank)
            return b == 0 ? 0 : (b + VD_CLAMP((rank - seen) / here, 0.0, 1.0)) * noise_bin * bias;
        seen += here;
    }
    return VD_NOISE_BINS * noise_bin;
}

/* Steps below this many grey levels a pixel are no structure that could be told from rounding. */
static const double step_floor = 0.05;

static double blockiness_of(const vd_full *f) {
    int64_t lines = f->width > 8 ? (f->width - 1) / 8 : 0, others = f->width - 1 - lines;
    double grid = 0, inner = 0;
    if (lines < 2 || f->height < 17) return 1;
    for (int i = 1; i < 8; i++) inner += (double)f->phase[i];
    grid = (double)f->phase[0] / (double)(lines * f->phase_rows) +
           (double)f->grid_step / (double)(f->grid_rows * f->width);
    inner = inner / (double)(others * f->phase_rows) +
            (double)f->inner_step / (double)(f->inner_rows * f->width);
    return (grid + step_floor) / (inner + step_floor);
}

/* Below this density of isolated steps there are no gradients to be banded. */
static const double banding_density = 0.01;

static double banding_of(const vd_full *f) {
    double one = (double)f->isolated[0], more = (double)f->isolated[1];
    if (one + more <= 0 || f->looked_at <= 0) return 0;
    double common = more / (double)f->looked_at / banding_density;
    return more / (one + more) * VD_MIN(1.0, common);
}

void vd_full_end(vd_metrics *out, vd_full *f) {
    int64_t hist[256], total = 0;
    double n = (double)f->width * (double)f->height, mean = (double)f->sums.sum / n;
    if (f->block_rows > 0) close_blocks(f);
    for (int v = 0; v < 256; v++) {
        hist[v] = (int64_t)f->hist[0][v] + f->hist[1][v] + f->hist[2][v] + f->hist[3][v];
        total += hist[v];
    }
    out->brightness = mean;
    out->contrast = sqrt(VD_MAX(0.0, (double)f->sums.squares / n - mean * mean));
    out->p1 = percentile(hist, total, 1);
    out->p5 = percentile(hist, total, 5);
    out->p50 = percentile(hist, total, 50);
    out->p95 = percentile(hist, total, 95);
    out->p99 = percentile(hist, total, 99);
    out->clipped_low = (double)f->sums.low / n;
    out->clipped_high = (double)f->sums.high / n;
    out->entropy = entropy(f, hist, total);
    out->noise = noise_of(f);
    out->blockiness = blockiness_of(f);
    out->banding = banding_of(f);
}
