/* From what a libvips loader gives to 8-bit grey or sRGB. SPDX-License-Identifier: Apache-2.0
 *
 * Each step takes a reference and gives one, so that the chain reads from top to bottom. */
#include "codec/vips_colour.h"

#include <string.h>

gboolean vd_vips_needs_range(VipsImage *in) {
    if (in->Coding != VIPS_CODING_NONE) return FALSE;
    if (in->BandFmt == VIPS_FORMAT_UCHAR || in->BandFmt == VIPS_FORMAT_USHORT) return FALSE;
    return in->Type != VIPS_INTERPRETATION_scRGB && in->Type != VIPS_INTERPRETATION_LAB &&
           in->Type != VIPS_INTERPRETATION_LABS && in->Type != VIPS_INTERPRETATION_XYZ;
}

static VipsImage *swap_in(VipsImage *old, VipsImage *fresh) {
    if (old != NULL) g_object_unref(old);
    return fresh;
}

/* Samples without a fixed range: 0..1 and 0..255 are taken as they look, everything else is
 * stretched from its least to its greatest value. */
static VipsImage *to_range(VipsImage *in) {
    double lo = 0, hi = 0;
    VipsImage *out = NULL;
    if (vips_min(in, &lo, NULL) != 0 || vips_max(in, &hi, NULL) != 0) return swap_in(in, NULL);
    double scale = 1, offset = 0;
    if (lo >= 0 && hi <= 1 && vips_band_format_isfloat(in->BandFmt))
        scale = 255;
    else if (lo < 0 || hi > 255) {
        scale = hi > lo ? 255 / (hi - lo) : 0;
        offset = -lo * scale;
    }
    if (vips_linear1(in, &out, scale, offset + 0.5, "uchar", TRUE, NULL) != 0) out = NULL;
    return swap_in(in, out);
}

/* What the bands mean, where the file does not say it well. */
static VipsInterpretation meaning(const VipsImage *in) {
    gboolean wide = in->BandFmt == VIPS_FORMAT_USHORT;
    VipsInterpretation grey = wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
    VipsInterpretation rgb = wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
    switch (in->Type) {
    case VIPS_INTERPRETATION_B_W: /* ImageMagick's grey comes as three equal bands */
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16: return in->Bands < 3 ? grey : rgb;
    case VIPS_INTERPRETATION_MULTIBAND:
    case VIPS_INTERPRETATION_HISTOGRAM:
    case VIPS_INTERPRETATION_MATRIX: return in->Bands < 3 ? grey : rgb;
    default: return in->Type;
    }
}

static VipsImage *with_profile(VipsImage *in, vd_icc *icc, char *desc) {
    const void *profile = NULL;
    char text[64] = "";
    size_t n = 0;
    VipsImage *out = NULL;
    if (vips_image_get_typeof(in, VIPS_META_ICC_NAME) == 0) return in;
    if (vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &n) != 0) return in;
    bool cmyk = in->Type == VIPS_INTERPRETATION_CMYK;
    bool grey = in->Type == VIPS_INTERPRETATION_B_W || in->Type == VIPS_INTERPRETATION_GREY16;
    bool wanted = vd_icc_open(icc, profile, n,
                              cmyk   ? VD_ICC_CMYK
                              : grey ? VD_ICC_GREY
                                     : VD_ICC_RGB,
                              text);
    if (desc != NULL) memcpy(desc, text, sizeof text);
    bool lab = in->Type == VIPS_INTERPRETATION_LAB || in->Type == VIPS_INTERPRETATION_LABS;
    if (!wanted || lab || in->Coding != VIPS_CODING_NONE) return in;
    if (vips_icc_transform(in, &out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                           "black_point_compensation", TRUE, "depth", 8, NULL) == 0) {
        if (!grey || out->Bands < 3) return swap_in(in, out);
        VipsImage *mono = NULL; /* a grey picture stays grey: green is as good as any band */
        if (vips_colourspace(out, &mono, VIPS_INTERPRETATION_B_W, NULL) == 0)
            return swap_in(in, swap_in(out, mono));
        g_object_unref(out);
    }
    vips_error_clear(); /* a broken profile is no fault of the picture */
    return in;
}

/* libvips takes all float RGB for linear light. Where the profile says that it is sRGB's own curve
 * (libjxl's float output), the samples are 0..1 of the usual kind. A linear one is what it says;
 * its profile is not applied, which would cut it to 8 bits first. */
static VipsImage *float_rgb(VipsImage *in, vd_icc *icc) {
    const void *profile = NULL;
    size_t n = 0;
    VipsImage *out = NULL;
    if (in->Type != VIPS_INTERPRETATION_scRGB || in->BandFmt != VIPS_FORMAT_FLOAT ||
        vips_image_get_typeof(in, VIPS_META_ICC_NAME) == 0 ||
        vips_image_get_blob(in, VIPS_META_ICC_NAME, &profile, &n) != 0)
        return in;
    char desc[64] = "";
    if (vd_icc_open(icc, profile, n, VD_ICC_RGB, desc)) {
        if (vips_copy(in, &out, NULL) != 0) return swap_in(in, NULL);
        vips_image_remove(out, VIPS_META_ICC_NAME);
        return swap_in(in, out);
    }
    if (vips_linear1(in, &out, 255, 0.5, "uchar", TRUE, NULL) != 0) return swap_in(in, NULL);
    in = swap_in(in, out);
    if (vips_copy(in, &out, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0) out = NULL;
    return swap_in(in, out);
}

VipsImage *vd_vips_colour(VipsImage *raw, vd_icc *icc, char *desc) {
    VipsImage *in = raw, *out = NULL;
    g_object_ref(in);
    if (vd_vips_needs_range(in) && (in = to_range(in)) == NULL) return NULL;
    if (in->Coding == VIPS_CODING_NONE && meaning(in) != in->Type) {
        if (vips_copy(in, &out, "interpretation", meaning(in), NULL) != 0) return swap_in(in, NULL);
        in = swap_in(in, out);
    }
    if ((in = float_rgb(in, icc)) == NULL) return NULL;
    in = with_profile(in, icc, desc);
    bool grey = in->Type == VIPS_INTERPRETATION_B_W || in->Type == VIPS_INTERPRETATION_GREY16;
    VipsInterpretation to = grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (vips_colourspace(in, &out, to, NULL) != 0) return swap_in(in, NULL);
    in = swap_in(in, out);
    int colours = grey ? 1 : 3;
    if (in->Bands > colours + 1) { /* extra samples beyond alpha have no meaning here */
        if (vips_extract_band(in, &out, 0, "n", colours + 1, NULL) != 0) return swap_in(in, NULL);
        in = swap_in(in, out);
    }
    if (in->Bands == colours + 1) {
        VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
        int rc = vips_flatten(in, &out, "background", white, "max_alpha", 255.0, NULL);
        vips_area_unref(VIPS_AREA(white));
        in = swap_in(in, rc == 0 ? out : NULL);
        if (in == NULL) return NULL;
    }
    if (in->BandFmt != VIPS_FORMAT_UCHAR) {
        if (vips_cast_uchar(in, &out, NULL) != 0) return swap_in(in, NULL);
        in = swap_in(in, out);
    }
    return in;
}
