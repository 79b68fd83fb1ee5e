/* Matches as the kernels want them. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/soa.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"

vd_status vd_soa_init(vd_soa *s, int most, vd_err *err) {
    size_t n = ((size_t)most + VD_KERN_STEP - 1) / VD_KERN_STEP * VD_KERN_STEP;
    size_t bytes = n * (12 * sizeof(double) + 7 * sizeof(float) + sizeof(int32_t));
    char *p = vd_mem_aligned(VD_MAX(bytes, 64));
    if (p == NULL) return vd_nomem(err);
    *s = (vd_soa){ .memory = p };
    for (int c = 0; c < 6; c++, p += n * sizeof(double)) s->d[c] = (double *)(void *)p;
    for (int c = 0; c < 6; c++, p += n * sizeof(double)) s->few[c] = (double *)(void *)p;
    for (int c = 0; c < 6; c++, p += n * sizeof(float)) s->f[c] = (float *)(void *)p;
    s->error = (float *)(void *)p;
    s->from = (int32_t *)(void *)(p + n * sizeof(float));
    for (int c = 0; c < 3; c++) {
        s->f32.a[c] = s->f[c];
        s->f32.b[c] = s->f[3 + c];
        s->f64.a[c] = s->d[c];
        s->f64.b[c] = s->d[3 + c];
    }
    return VD_OK;
}

void vd_soa_reset(vd_soa *s) {
    vd_mem_free(s->memory);
    *s = (vd_soa){ 0 };
}

void vd_soa_fill(vd_soa *s, const double *a, const double *b, const uint8_t *use, int n,
                 uint64_t seed, uint64_t stream, uint64_t item) {
    vd_rng r = vd_rng_for(seed, stream, item);
    s->n = 0;
    for (int i = 0; i < n; i++) { /* Fisher and Yates, inside out */
        if (use != NULL && !use[i]) continue;
        int at = (int)vd_rng_int(&r, s->n + 1);
        if (at < s->n) s->from[s->n] = s->from[at];
        s->from[at] = i;
        s->n++;
    }
    s->padded = (s->n + VD_KERN_STEP - 1) / VD_KERN_STEP * VD_KERN_STEP;
    for (int i = 0; i < s->padded; i++)
        for (int c = 0; c < 6; c++) {
            double v = i >= s->n ? NAN : c < 3 ? a[3 * s->from[i] + c] : b[3 * s->from[i] + c - 3];
            s->d[c][i] = v;
            s->f[c][i] = (float)v;
        }
}

int vd_soa_pack(vd_soa *s, vd_soa64 *few, float limit, int most, int *kept) {
    int n = 0;
    for (int i = 0; i < s->n && n < most; i++) {
        if (!(s->error[i] < limit)) continue;
        for (int c = 0; c < 6; c++) s->few[c][n] = s->d[c][i];
        n++;
    }
    *kept = n;
    for (; n % VD_KERN_STEP != 0; n++)
        for (int c = 0; c < 6; c++) s->few[c][n] = NAN;
    for (int c = 0; c < 3; c++) {
        few->a[c] = s->few[c];
        few->b[c] = s->few[3 + c];
    }
    return n;
}
