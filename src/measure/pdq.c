/* PDQ. SPDX-License-Identifier: Apache-2.0 */
#include "measure/pdq.h"

#include <string.h>

#include "base/mem.h"
#include "measure/num.h"

void vd_pdq_tmp_reset(vd_pdq_tmp *t) {
    vd_mem_free(t->axis[0].weight);
    vd_mem_free(t->axis[1].weight);
    vd_mem_free(t->rows);
    *t = (vd_pdq_tmp){ 0 };
}

/* The box filter's window around position p, clipped to the picture: [*lo, *hi]. */
static void window(int32_t p, int32_t size, int32_t width, int32_t *lo, int32_t *hi) {
    int32_t right = p + (width + 2) / 2 - 1;
    *lo = VD_MAX(0, right - width + 1);
    *hi = VD_MIN(size - 1, right);
}

static int32_t sampled(int32_t o, int32_t size) {
    return (int32_t)((2 * (int64_t)o + 1) * size / (2 * VD_PDQ_SIDE));
}

/* Weights of both passes for each of the 64 sampled positions. Each pass divides by the number of
 * samples its clipped window holds. */
static vd_status axis_weights(vd_pdq_axis *a, int32_t size, vd_err *err) {
    if (a->size == size) return VD_OK;
    a->size = 0;
    int32_t width = (size + 2 * VD_PDQ_SIDE - 1) / (2 * VD_PDQ_SIDE), taps = 2 * width - 1;
    VD_TRY(VD_GROW(a->weight, a->cap, (int64_t)VD_PDQ_SIDE * taps, err));
    memset(a->weight, 0, sizeof(float) * VD_PDQ_SIDE * (size_t)taps);
    for (int32_t o = 0; o < VD_PDQ_SIDE; o++) {
        int32_t lo, hi, first, last;
        window(sampled(o, size), size, width, &lo, &hi);
        window(lo, size, width, &first, &last);
        float *w = a->weight + (ptrdiff_t)o * taps;
        a->start[o] = first;
        for (int32_t q = lo; q <= hi; q++) {
            int32_t l, r;
            window(q, size, width, &l, &r);
            float part = 1.0f / (float)((hi - lo + 1) * (r - l + 1));
            for (int32_t x = l; x <= r; x++) w[x - first] += part;
        }
    }
    a->size = size;
    a->taps = taps;
    return VD_OK;
}

static void basis(float d[16 * 64]) {
    const float scale = 0.17677669529663687f; /* sqrt(2 / 64) */
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 64; j++)
            d[64 * i + j] = (float)(scale * vd_num_cos128((i + 1) * (2 * j + 1)));
}

/* Eight rows share the weights of a column: eight independent sums, each in index order. */
enum { TOGETHER = 8 };

static void sample(float out[64 * 64], const vd_pixels *luma, const vd_pdq_tmp *t,
                   const vd_measure_kern *kern) {
    const vd_pdq_axis *ax = &t->axis[0], *ay = &t->axis[1];
    int32_t w = luma->width;
    for (int o = 0; o < VD_PDQ_SIDE; o += TOGETHER) {
        memset(t->rows, 0, TOGETHER * (size_t)w * sizeof *t->rows);
        for (int r = 0; r < TOGETHER; r++) {
            const float *wy = ay->weight + (ptrdiff_t)(o + r) * ay->taps;
            int32_t first = ay->start[o + r], n = VD_MIN(ay->taps, luma->height - first);
            for (int32_t k = 0; k < n; k++)
                kern->add_row(t->rows + (ptrdiff_t)r * w, luma->data + (int64_t)(first + k) * w,
                              wy[k], w);
        }
        for (int j = 0; j < VD_PDQ_SIDE && ax->taps == 1; j++) /* small pictures: nothing to sum */
            for (int r = 0; r < TOGETHER; r++)
                out[64 * (o + r) + j] = t->rows[ax->start[j] + (ptrdiff_t)r * w];
        for (int j = 0; j < VD_PDQ_SIDE && ax->taps > 1; j++) {
            const float *wx = ax->weight + (ptrdiff_t)j * ax->taps, *src = t->rows + ax->start[j];
            int32_t n = VD_MIN(ax->taps, w - ax->start[j]);
            float sum[TOGETHER] = { 0 };
            for (int32_t k = 0; k < n; k++)
                for (int r = 0; r < TOGETHER; r++) sum[r] += wx[k] * src[k + (ptrdiff_t)r * w];
            for (int r = 0; r < TOGETHER; r++) out[64 * (o + r) + j] = sum[r];
        }
    }
}

/* The lower median, sorted[127]: quickselect (Hoare 1961). */
static float median256(const float dct[256]) {
    float v[256];
    memcpy(v, dct, sizeof v);
    int lo = 0, hi = 255;
    while (lo < hi) {
        float pivot = v[(lo + hi) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i > j) break;
            float swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        if (127 <= j)
            hi = j;
        else if (127 >= i)
            lo = i;
        else
            break;
    }
    return v[127];
}

static void bits_of(uint64_t hash[4], const float dct[256]) {
    float median = median256(dct);
    for (int w = 0; w < 4; w++) {
        uint64_t bits = 0;
        for (int b = 0; b < 64; b++) bits |= (uint64_t)(dct[64 * w + b] > median) << b;
        hash[w] = bits;
    }
}

vd_status vd_pdq_luma(vd_pdq *out, const vd_pixels *luma, vd_pdq_tmp *tmp,
                      const vd_measure_kern *kern, vd_err *err) {
    if (luma->width < VD_PDQ_MIN_DIM || luma->height < VD_PDQ_MIN_DIM) {
        *out = (vd_pdq){ 0 };
        return VD_OK;
    }
    if (!tmp->ready) basis(tmp->basis);
    tmp->ready = true;
    VD_TRY(axis_weights(&tmp->axis[0], luma->width, err));
    VD_TRY(axis_weights(&tmp->axis[1], luma->height, err));
    VD_TRY(VD_GROW(tmp->rows, tmp->cap_rows, TOGETHER * (int64_t)luma->width, err));
    float a[64 * 64];
    sample(a, luma, tmp, kern);
    /* gradients one can see, not the sum of many tiny ones: hence the truncation to percent */
    out->quality = VD_MIN(100, kern->quality(a) / 90);
    kern->dct(out->dct, a, tmp->basis);
    bits_of(out->hash, out->dct);
    return VD_OK;
}

/* Coefficient (i, j) has frequency i + 1 downwards and j + 1 to the right; mirroring an axis
 * negates the odd frequencies along it, that is the even indices. */
void vd_pdq_dihedral(uint64_t out[VD_PDQ_DIHEDRAL][4], const vd_pdq *p) {
    static const struct {
        bool swap, even_i, even_j; /* transpose; negate where i is even; where j is even */
    } variant[VD_PDQ_DIHEDRAL] = {
        { 0, 0, 0 }, { 1, 0, 1 }, { 0, 1, 1 }, { 1, 1, 0 },
        { 0, 1, 0 }, { 0, 0, 1 }, { 1, 0, 0 }, { 1, 1, 1 },
    };
    for (int v = 0; v < VD_PDQ_DIHEDRAL; v++) {
        float b[256];
        for (int i = 0; i < 16; i++)
            for (int j = 0; j < 16; j++) {
                bool minus = (variant[v].even_i && !(i & 1)) != (variant[v].even_j && !(j & 1));
                float c = p->dct[16 * i + j];
                b[variant[v].swap ? 16 * j + i : 16 * i + j] = minus ? -c : c;
            }
        bits_of(out[v], b);
    }
}

void vd_pdq_hex(char out[65], const uint64_t hash[4]) {
    for (int i = 0; i < 64; i++)
        out[i] = "0123456789abcdef"[hash[3 - i / 16] >> (60 - 4 * (i % 16)) & 15];
    out[64] = 0;
}

bool vd_pdq_parse(uint64_t out[4], const char *hex) {
    uint64_t w[4] = { 0 };
    for (int i = 0; i < 64; i++) {
        char c = hex[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0) return false;
        w[3 - i / 16] = w[3 - i / 16] << 4 | (uint64_t)v;
    }
    if (hex[64] != 0) return false;
    memcpy(out, w, sizeof w);
    return true;
}
