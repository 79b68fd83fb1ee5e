/* Matrix-shaper profiles. SPDX-License-Identifier: Apache-2.0 */
#include "codec/icc_shaper.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* The curve of IEC 61966-2-1, light to value. */
static double srgb_value(double light) {
    return light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

bool vd_shaper_init(vd_shaper *s, const double xyz[9]) {
    static const float most = 16; /* far beyond any real profile, and no product overflows */

    /* linear sRGB from XYZ relative to D50 (Bradford), the inverse of the colorants that
     * IEC 61966-2-1 profiles carry */
    static const double rgb_from_xyz[9] = { 3.1338561,  -1.6168667, -0.4906146,
                                            -0.9787684, 1.9161415,  0.0334540,
                                            0.0719453,  -0.2289914, 1.4052427 };
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) sum += rgb_from_xyz[3 * r + k] * xyz[3 * k + c];
            s->m[3 * r + c] = (float)sum;
            if (!(fabs(sum) <= most)) return false;
        }
    for (int i = 0; i < 3 * 256; i++)
        if (!(s->linear[i / 256][i % 256] >= 0 && s->linear[i / 256][i % 256] <= most))
            return false;
    for (int i = 0; i < VD_SHAPER_STEPS; i++)
        s->srgb[i] = (uint8_t)lround(255 * srgb_value((double)i / (VD_SHAPER_STEPS - 1)));
    return true;
}

/* RUN pixels: the lookups apart from the arithmetic, which the compiler then does in vectors. */
enum { RUN = 64 };

static void run(const vd_shaper *s, const uint8_t *in, uint8_t *out) {
    float light[3][RUN];
    int32_t at[RUN];
    for (int i = 0; i < RUN; i++)
        for (int c = 0; c < 3; c++) light[c][i] = s->linear[c][in[3 * i + c]];
    for (int c = 0; c < 3; c++) {
        const float r = s->m[3 * c], g = s->m[3 * c + 1], b = s->m[3 * c + 2];
        for (int i = 0; i < RUN; i++) {
            float v = r * light[0][i] + g * light[1][i] + b * light[2][i];
            int32_t k = (int32_t)(v * (VD_SHAPER_STEPS - 1) + 0.5f);
            at[i] = VD_CLAMP(k, 0, VD_SHAPER_STEPS - 1);
        }
        for (int i = 0; i < RUN; i++) out[3 * i + c] = s->srgb[at[i]];
    }
}

void vd_shaper_run(const vd_shaper *s, const uint8_t *in, uint8_t *out, int32_t n) {
    int32_t i = 0;
    for (; i + RUN <= n; i += RUN) run(s, in + 3 * (int64_t)i, out + 3 * (int64_t)i);
    if (i == n) return;
    uint8_t last[3 * RUN] = { 0 };
    memcpy(last, in + 3 * (int64_t)i, 3 * (size_t)(n - i));
    run(s, last, last);
    memcpy(out + 3 * (int64_t)i, last, 3 * (size_t)(n - i));
}
