/* Stage measure: quality metrics of a picture and the problem scores made from them. The formulas
 * are in measure/measure.h and measure/score.h. SPDX-License-Identifier: Apache-2.0 */
#include "measure/score.h"
#include "stage/stages.h"
#include "stage/work.h"

enum {
    C_SHARPNESS,
    C_TENENGRAD,
    C_FINENESS,
    C_MOTION,
    C_MOTION_DEG,
    C_BRIGHTNESS,
    C_P1,
    C_P5,
    C_P50,
    C_P95,
    C_P99,
    C_CONTRAST,
    C_CLIPPED_LOW,
    C_CLIPPED_HIGH,
    C_ENTROPY,
    C_COLOUR,
    C_SATURATION,
    C_COLOURED,
    C_GREY,
    C_NOISE,
    C_BLOCKINESS,
    C_BANDING,
    C_ASPECT,
    C_CHANGE,
    C_SCORES,
    N_COLUMNS = C_SCORES + VD_SCORE_KINDS
};

static const vd_column columns[N_COLUMNS] = {
    [C_SHARPNESS] = { "sharpness", VD_REAL, "grey levels^2",
                      "variance of the Laplacian at a normalised scale", VD_COL_INDEX },
    [C_TENENGRAD] = { "tenengrad", VD_REAL, "grey levels^2",
                      "mean squared Sobel gradient at a normalised scale", 0 },
    [C_FINENESS] = { "fineness", VD_REAL, "", "share of fine detail in what structure there is",
                     0 },
    [C_MOTION] = { "motion_anisotropy", VD_REAL, "",
                   "0..1: how much finer one direction is than another", 0 },
    [C_MOTION_DEG] = { "motion_direction_deg", VD_REAL, "deg",
                       "direction of the motion blur, counter-clockwise", 0 },
    [C_BRIGHTNESS] = { "brightness", VD_REAL, "grey levels", "mean luma, 0..255", VD_COL_INDEX },
    [C_P1] = { "luma_p1", VD_REAL, "grey levels", "percentile of luma", 0 },
    [C_P5] = { "luma_p5", VD_REAL, "grey levels", "percentile of luma", 0 },
    [C_P50] = { "luma_p50", VD_REAL, "grey levels", "median of luma", 0 },
    [C_P95] = { "luma_p95", VD_REAL, "grey levels", "percentile of luma", 0 },
    [C_P99] = { "luma_p99", VD_REAL, "grey levels", "percentile of luma", 0 },
    [C_CONTRAST] = { "contrast", VD_REAL, "grey levels", "RMS contrast: standard deviation of luma",
                     VD_COL_INDEX },
    [C_CLIPPED_LOW] = { "clipped_low", VD_REAL, "", "fraction of black pixels, 0..1", 0 },
    [C_CLIPPED_HIGH] = { "clipped_high", VD_REAL, "", "fraction of white pixels, 0..1", 0 },
    [C_ENTROPY] = { "entropy", VD_REAL, "bit", "of the luma histogram, 0..8", VD_COL_INDEX },
    [C_COLOUR] = { "colourfulness", VD_REAL, "grey levels", "Hasler and Susstrunk 2003", 0 },
    [C_SATURATION] = { "saturation", VD_REAL, "", "mean HSV saturation, 0..1", 0 },
    [C_COLOURED] = { "coloured", VD_REAL, "", "fraction of pixels with colour, 0..1", 0 },
    [C_GREY] = { "greyscale", VD_INT, "", "1 for a picture without colour", 0 },
    [C_NOISE] = { "noise", VD_REAL, "grey levels", "sigma of the noise at full resolution",
                  VD_COL_INDEX },
    [C_BLOCKINESS] = { "blockiness", VD_REAL, "",
                       "steps on the 8 x 8 grid over steps elsewhere, about 1 without", 0 },
    [C_BANDING] = { "banding", VD_REAL, "", "posterised gradients, 0..1", 0 },
    [C_ASPECT] = { "aspect_ratio", VD_REAL, "", "width over height", 0 },
    [C_CHANGE] = { "frame_change", VD_REAL, "grey levels",
                   "mean absolute difference to the video frame before", 0 },
#define SCORE(kind, key) [C_SCORES + kind] = { "score_" key, VD_REAL, "", "0 worst .. 1 clean", 0 }
    SCORE(VD_SCORE_DARK, "dark"),
    SCORE(VD_SCORE_LIGHT, "light"),
    SCORE(VD_SCORE_BLURRY, "blurry"),
    SCORE(VD_SCORE_MOTION_BLUR, "motion_blur"),
    SCORE(VD_SCORE_LOW_INFORMATION, "low_information"),
    SCORE(VD_SCORE_GRAYSCALE, "grayscale"),
    SCORE(VD_SCORE_ODD_ASPECT_RATIO, "odd_aspect_ratio"),
    SCORE(VD_SCORE_CLIPPED, "clipped"),
    SCORE(VD_SCORE_NOISY, "noisy"),
    SCORE(VD_SCORE_OVERCOMPRESSED, "overcompressed"),
    SCORE(VD_SCORE_BANDING, "banding"),
};

const vd_table_decl vd_table_measure = { "fact_measure", columns, N_COLUMNS };

static vd_status run_measure(vd_asset_work *w, vd_value *out, vd_err *err) {
    if (w->frame == NULL) return VD_OK;
    VD_TRY(vd_work_metrics(w, err));
    const vd_metrics *m = &w->metrics;
    out[C_SHARPNESS] = vd_val_real(m->sharpness);
    out[C_TENENGRAD] = vd_val_real(m->tenengrad);
    out[C_FINENESS] = vd_val_real(m->fineness);
    out[C_MOTION] = vd_val_real(m->motion_anisotropy);
    out[C_MOTION_DEG] = vd_val_real(m->motion_direction_deg);
    out[C_BRIGHTNESS] = vd_val_real(m->brightness);
    out[C_P1] = vd_val_real(m->p1);
    out[C_P5] = vd_val_real(m->p5);
    out[C_P50] = vd_val_real(m->p50);
    out[C_P95] = vd_val_real(m->p95);
    out[C_P99] = vd_val_real(m->p99);
    out[C_CONTRAST] = vd_val_real(m->contrast);
    out[C_CLIPPED_LOW] = vd_val_real(m->clipped_low);
    out[C_CLIPPED_HIGH] = vd_val_real(m->clipped_high);
    out[C_ENTROPY] = vd_val_real(m->entropy);
    out[C_COLOUR] = vd_val_real(m->colourfulness);
    out[C_SATURATION] = vd_val_real(m->saturation);
    out[C_COLOURED] = vd_val_real(m->coloured);
    out[C_GREY] = vd_val_int(m->greyscale);
    out[C_NOISE] = vd_val_real(m->noise);
    out[C_BLOCKINESS] = vd_val_real(m->blockiness);
    out[C_BANDING] = vd_val_real(m->banding);
    out[C_ASPECT] = vd_val_real(m->aspect_ratio);
    out[C_CHANGE] = vd_val_real(w->frame_change);
    double score[VD_SCORE_KINDS];
    vd_score_picture(score, m, w->media->jpeg_quality);
    for (int i = 0; i < VD_SCORE_KINDS; i++) out[C_SCORES + i] = vd_val_real(score[i]);
    return VD_OK;
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    static const vd_count_word words[] = {
        { "blurry", "blurry", "blurry" }, { "motion_blur", "motion-blurred", "motion-blurred" },
        { "dark", "dark", "dark" },       { "light", "over-exposed", "over-exposed" },
        { "noisy", "noisy", "noisy" },    { "low_information", "flat", "flat" },
    };
    return vd_summary_counts(run, "SELECT count(*) FROM problem WHERE kind = ?1", words,
                             VD_COUNT(words), "nothing remarkable", out, err);
}

const vd_stage vd_stage_measure = {
    .name = "measure",
    .help = "sharpness, exposure, contrast, noise, colour, compression",
    .version = 1,
    .scope = VD_SCOPE_ASSET,
    .inputs = "add,check",
    .table = &vd_table_measure,
    .needs_pixels = true,
    .asset = run_measure,
    .summary = summary,
};
