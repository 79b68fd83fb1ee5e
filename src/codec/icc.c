/* Colour management by Little CMS. SPDX-License-Identifier: Apache-2.0
 *
 * Relative colorimetric with black point compensation, as photo viewers do. Whether a profile means
 * sRGB is asked of its numbers, not of its name: hundreds of differently named profiles are sRGB,
 * and their pictures can stay planar YCbCr. */
#include "codec/icc.h"

#include <lcms2.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "codec/icc_shaper.h"

enum {
    NEAR_SRGB = 2, /* 8-bit steps: what rounding in two conversions can make of the same colour */
    REMEMBERED = 64
};

/* What a profile turned out to be, when used so, with the means to convert. Making a transform
 * costs as much as decoding a small picture, and most files of a collection carry one of a few
 * profiles. */
typedef struct answer {
    vd_hash128 key; /* of the profile's bytes */
    vd_icc_from from;
    bool known, needed;
    char desc[64];
    cmsHTRANSFORM transform; /* NULL unless needed */
    vd_shaper *shaper;       /* instead of a transform, where the profile is that simple */
    uint8_t grey[256];
} answer;

struct vd_icc {
    cmsContext ctx;
    cmsHPROFILE srgb;
    answer remembered[REMEMBERED];
    answer *now; /* the profile last opened */
    int oldest;
};

static void forget(answer *a) {
    if (a->transform != NULL) cmsDeleteTransform(a->transform);
    vd_mem_free(a->shaper);
    a->transform = NULL;
    a->shaper = NULL;
}

vd_status vd_icc_new(vd_icc **out, vd_err *err) {
    vd_icc *c = vd_mem_array(1, sizeof *c);
    if (c == NULL) return vd_nomem(err);
    c->ctx = cmsCreateContext(NULL, NULL);
    if (c->ctx != NULL) c->srgb = cmsCreate_sRGBProfileTHR(c->ctx);
    if (c->srgb == NULL) {
        vd_icc_free(c);
        return vd_nomem(err);
    }
    *out = c;
    return VD_OK;
}

void vd_icc_free(vd_icc *c) {
    if (c == NULL) return;
    for (int i = 0; i < REMEMBERED; i++) forget(&c->remembered[i]);
    if (c->srgb != NULL) cmsCloseProfile(c->srgb);
    if (c->ctx != NULL) cmsDeleteContext(c->ctx);
    vd_mem_free(c);
}

static void convert(const answer *a, const uint8_t *in, uint8_t *out, int32_t n) {
    if (a->shaper != NULL)
        vd_shaper_run(a->shaper, in, out, n);
    else
        cmsDoTransform(a->transform, in, out, (cmsUInt32Number)n);
}

static bool near_srgb(const answer *a) {
    uint8_t in[9 * 3], out[9 * 3];
    for (int r = 0; r < 9; r++)
        for (int g = 0; g < 9; g++) {
            for (int b = 0; b < 9; b++) {
                in[3 * b] = (uint8_t)(r * 255 / 8);
                in[3 * b + 1] = (uint8_t)(g * 255 / 8);
                in[3 * b + 2] = (uint8_t)(b * 255 / 8);
            }
            convert(a, in, out, 9);
            for (int i = 0; i < 27; i++)
                if (abs(in[i] - out[i]) > NEAR_SRGB) return false;
        }
    return true;
}

static bool near_grey(answer *a) {
    uint8_t in[256], rgb[256 * 3];
    bool near = true;
    for (int i = 0; i < 256; i++) in[i] = (uint8_t)i;
    cmsDoTransform(a->transform, in, rgb, 256);
    for (int i = 0; i < 256; i++) {
        a->grey[i] = rgb[3 * i + 1];
        near &= abs(a->grey[i] - i) <= NEAR_SRGB;
    }
    return near;
}

/* A curve that lifts black needs black point compensation, which is the general engine's. */
static const float black = 0.001f;

/* The profile as curves and a matrix; NULL where it is more than that. */
static vd_shaper *shaper_of(cmsHPROFILE p) {
    static const cmsTagSignature curve[3] = { cmsSigRedTRCTag, cmsSigGreenTRCTag,
                                              cmsSigBlueTRCTag };
    static const cmsTagSignature colorant[3] = { cmsSigRedColorantTag, cmsSigGreenColorantTag,
                                                 cmsSigBlueColorantTag };
    double xyz[9];
    if (!cmsIsMatrixShaper(p) || cmsGetPCS(p) != cmsSigXYZData || cmsIsTag(p, cmsSigAToB0Tag) ||
        cmsIsTag(p, cmsSigAToB1Tag) || cmsIsTag(p, cmsSigDToB1Tag))
        return NULL;
    vd_shaper *s = vd_mem_array(1, sizeof *s);
    for (int c = 0; c < 3 && s != NULL; c++) {
        const cmsToneCurve *t = cmsReadTag(p, curve[c]);
        const cmsCIEXYZ *v = cmsReadTag(p, colorant[c]);
        for (int i = 0; i < 256 && t != NULL; i++)
            s->linear[c][i] = cmsEvalToneCurveFloat(t, (float)i / 255);
        if (t == NULL || v == NULL || s->linear[c][0] > black) {
            vd_mem_free(s);
            return NULL;
        }
        xyz[c] = v->X;
        xyz[3 + c] = v->Y;
        xyz[6 + c] = v->Z;
    }
    if (s != NULL && !vd_shaper_init(s, xyz)) {
        vd_mem_free(s);
        return NULL;
    }
    return s;
}

/* Judges the profile and fills the empty answer `a`. */
static void judge(vd_icc *c, answer *a, const uint8_t *profile, size_t size) {
    static const struct {
        cmsColorSpaceSignature space;
        cmsUInt32Number layout;
    } in[] = { { cmsSigGrayData, TYPE_GRAY_8 },
               { cmsSigRgbData, TYPE_RGB_8 },
               { cmsSigCmykData, TYPE_CMYK_8 },
               { cmsSigCmykData, TYPE_CMYK_8_REV } };
    cmsHPROFILE p = cmsOpenProfileFromMemTHR(c->ctx, profile, (cmsUInt32Number)size);
    if (p == NULL) return;
    cmsGetProfileInfoASCII(p, cmsInfoDescription, "en", "US", a->desc, sizeof a->desc);
    if (a->from == VD_ICC_RGB && cmsGetColorSpace(p) == cmsSigRgbData) a->shaper = shaper_of(p);
    if (a->shaper == NULL && cmsGetColorSpace(p) == in[a->from].space)
        a->transform =
            cmsCreateTransformTHR(c->ctx, p, in[a->from].layout, c->srgb, TYPE_RGB_8,
                                  INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_BLACKPOINTCOMPENSATION);
    cmsCloseProfile(p);
    if (a->transform == NULL && a->shaper == NULL) return;
    if (a->from == VD_ICC_GREY)
        a->needed = !near_grey(a);
    else
        a->needed = a->from != VD_ICC_RGB || !near_srgb(a);
    if (!a->needed) forget(a);
}

static bool is_answer(const answer *a, vd_hash128 key, vd_icc_from from) {
    return a->known && key.hi == a->key.hi && key.lo == a->key.lo && from == a->from;
}

bool vd_icc_open(vd_icc *c, const uint8_t *profile, size_t size, vd_icc_from from, char desc[64]) {
    vd_hash128 key = vd_hash_bytes(profile, size);
    answer *a = NULL;
    for (int i = 0; i < REMEMBERED && a == NULL; i++)
        if (is_answer(&c->remembered[i], key, from)) a = &c->remembered[i];
    if (a == NULL) {
        a = &c->remembered[c->oldest];
        c->oldest = (c->oldest + 1) % REMEMBERED;
        forget(a);
        *a = (answer){ .key = key, .from = from, .known = true };
        judge(c, a, profile, size);
    }
    c->now = a;
    memcpy(desc, a->desc, sizeof a->desc);
    desc[sizeof a->desc - 1] = '\0';
    return a->needed;
}

void vd_icc_run(vd_icc *c, const uint8_t *in, uint8_t *out, int32_t n) {
    if (c->now->from == VD_ICC_GREY)
        for (int32_t i = 0; i < n; i++) out[i] = c->now->grey[in[i]];
    else
        convert(c->now, in, out, n);
}
