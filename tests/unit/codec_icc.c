/* Embedded profiles: the matrix-shaper path against Little CMS's own transform, and which profiles
 * ask for a conversion at all. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <lcms2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/icc.h"

enum { GRID = 17, PIXELS = GRID * GRID * GRID };

typedef struct space {
    const char *name;
    double white[2], red[2], green[2], blue[2], gamma; /* gamma 0: the sRGB curve */
} space;

static const double d65[2] = { 0.3127, 0.3290 }, d50[2] = { 0.3457, 0.3585 };

static cmsHPROFILE make(const space *s) {
    cmsCIExyY white = { s->white[0], s->white[1], 1 };
    cmsCIExyYTRIPLE rgb = { { s->red[0], s->red[1], 1 },
                            { s->green[0], s->green[1], 1 },
                            { s->blue[0], s->blue[1], 1 } };
    const double srgb[5] = { 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045 };
    cmsToneCurve *t =
        s->gamma > 0 ? cmsBuildGamma(NULL, s->gamma) : cmsBuildParametricToneCurve(NULL, 4, srgb);
    cmsToneCurve *curves[3] = { t, t, t };
    cmsHPROFILE p = cmsCreateRGBProfile(&white, &rgb, curves);
    cmsFreeToneCurve(t);
    return p;
}

static uint8_t *bytes_of(cmsHPROFILE p, cmsUInt32Number *n) {
    cmsSaveProfileToMem(p, NULL, n);
    uint8_t *out = vd_mem_alloc(*n);
    cmsSaveProfileToMem(p, out, n);
    return out;
}

/* The largest difference to the general engine over a grid of colours; -1 where no conversion was
 * asked for. */
static int worst_of(vd_icc *icc, const space *s) {
    static uint8_t in[3 * PIXELS], ours[3 * PIXELS], theirs[3 * PIXELS];
    char desc[64];
    cmsUInt32Number n = 0;
    cmsHPROFILE p = make(s), srgb = cmsCreate_sRGBProfile();
    uint8_t *profile = bytes_of(p, &n);
    int worst = -1;
    for (int i = 0; i < PIXELS; i++) {
        in[3 * i] = (uint8_t)(i % GRID * 255 / (GRID - 1));
        in[3 * i + 1] = (uint8_t)(i / GRID % GRID * 255 / (GRID - 1));
        in[3 * i + 2] = (uint8_t)(i / GRID / GRID * 255 / (GRID - 1));
    }
    if (vd_icc_open(icc, profile, n, VD_ICC_RGB, desc)) {
        cmsHTRANSFORM t = cmsCreateTransform(
            p, TYPE_RGB_8, srgb, TYPE_RGB_8, INTENT_RELATIVE_COLORIMETRIC,
            cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE);
        cmsDoTransform(t, in, theirs, PIXELS);
        cmsDeleteTransform(t);
        vd_icc_run(icc, in, ours, PIXELS);
        worst = 0;
        for (int i = 0; i < 3 * PIXELS; i++) worst = VD_MAX(worst, abs(ours[i] - theirs[i]));
    }
    cmsCloseProfile(p);
    cmsCloseProfile(srgb);
    vd_mem_free(profile);
    return worst;
}

T(matrix_shaper_profiles_agree_with_little_cms) {
    const space wide[] = {
        { "Adobe RGB", { d65[0], d65[1] }, { .64, .33 }, { .21, .71 }, { .15, .06 }, 2.19921875 },
        { "Display P3", { d65[0], d65[1] }, { .68, .32 }, { .265, .69 }, { .15, .06 }, 0 },
        { "ProPhoto",
          { d50[0], d50[1] },
          { .7347, .2653 },
          { .1596, .8404 },
          { .0366, .0001 },
          1.8 },
        { "Apple RGB", { d65[0], d65[1] }, { .625, .34 }, { .28, .595 }, { .155, .07 }, 1.8 },
    };
    vd_icc *icc = NULL;
    vd_err err = { 0 };
    T_OK(vd_icc_new(&icc, &err));
    for (int k = 0; k < 2; k++) /* the second time from memory */
        for (int i = 0; i < VD_COUNT(wide); i++) {
            int worst = worst_of(icc, &wide[i]);
            T_TRUE(worst >= 0 && worst <= 1);
        }
    vd_icc_free(icc);
}

T(srgb_by_any_name_asks_for_nothing) {
    const space s = { "sRGB", { d65[0], d65[1] }, { .64, .33 }, { .30, .60 }, { .15, .06 }, 0 };
    vd_icc *icc = NULL;
    vd_err err = { 0 };
    T_OK(vd_icc_new(&icc, &err));
    T_EQ(worst_of(icc, &s), -1);
    vd_icc_free(icc);
}
