/* Scores beside CleanVision's, and the formulas of the rest. SPDX-License-Identifier: Apache-2.0 */
#include "load.h"
#include "t.h"

#include "measure/score.h"

/* What CleanVision 0.3.7 (Pillow 13.0, NumPy 2.4) says of its own test pictures:
 * Imagelab(data_path). find_issues(), columns *_score. */
static const struct {
    const char *file;
    int width, height;
    double dark, light, low_information, blurry, odd_aspect_ratio, odd_size;
} reference[] = {
    { "image_101.png", 256, 256, 0.992157, 0.960784, 0.779338, 0.507767, 1.000000, 0.869847 },
    { "image_103.png", 307, 512, 0.937790, 0.925085, 0.889470, 0.495610, 0.599609, 0.989888 },
    { "image_142.png", 377, 240, 0.918725, 0.934449, 0.758954, 0.933371, 0.636605, 0.908133 },
    { "image_236.png", 377, 240, 0.918725, 0.934449, 0.758954, 0.933371, 0.636605, 0.908133 },
    { "image_408.png", 307, 512, 0.849291, 0.862792, 0.888191, 0.441992, 0.599609, 0.989888 },
    { "image_417.png", 511, 512, 0.021243, 0.993480, 0.356433, 0.850046, 0.998047, 0.911803 },
    { "image_588.png", 500, 374, 1.000000, 0.000000, 0.194734, 1.000000, 0.748000, 0.979371 },
    { "image_591.png", 512, 512, 1.000000, 0.404165, 0.191116, 1.000000, 1.000000, 0.911375 },
    { "image_601.png", 500, 375, 0.727169, 0.907978, 0.851091, 0.200076, 0.750000, 0.978878 },
    { "image_604.png", 15754, 1382, 0.690855, 0.388671, 0.557732, 0.537075, 0.087724, 0.000000 },
};

T(odd_size_is_cleanvisions) {
    double size[VD_COUNT(reference)], q1, q3;
    for (int i = 0; i < VD_COUNT(reference); i++)
        size[i] = sqrt((double)reference[i].width * reference[i].height);
    vd_score_quartiles(&q1, &q3, size, VD_COUNT(reference));
    for (int i = 0; i < VD_COUNT(reference); i++) {
        double s = sqrt((double)reference[i].width * reference[i].height);
        T_NEAR(vd_score_odd_size(s, q1, q3), reference[i].odd_size, 1e-6);
    }
    T_NEAR(vd_score_odd_size_threshold(q1, q3), 0.5, 0);
    T_NEAR(vd_score_odd_size(400, 400, 400), 1, 0);
    T_NEAR(vd_score_odd_size(300, 400, 400), 0.75, 1e-12);
    T_NEAR(vd_score_odd_size_threshold(400, 400), 1, 0);
}

/* Our blurry is the lower of CleanVision's and one of ours: compared where theirs is the lower,
 * that is where it says something; elsewhere ours must lie below. */
T(scores_are_cleanvisions_where_the_notion_is_the_same) {
    if (t_shared() == NULL) T_SKIP("no folder of real files");
    vd_measure *ms = NULL;
    vd_err err = { 0 };
    T_OK(vd_measure_new(&ms, &err));
    for (int i = 0; i < VD_COUNT(reference); i++) {
        char path[600];
        t_picture p;
        vd_metrics m;
        vd_pdq pdq;
        double s[VD_SCORE_KINDS];
        snprintf(path, sizeof path, "%s/quality/cleanvision/%s", t_shared(), reference[i].file);
        T_NEED(t_load(&p, path));
        T_OK(vd_measure_frame(&m, &pdq, ms, &p.frame, &err));
        vd_score_picture(s, &m, 0);
        T_NEAR(s[VD_SCORE_DARK], reference[i].dark, 0.01);
        T_NEAR(s[VD_SCORE_LIGHT], reference[i].light, 0.01);
        /* theirs pools three channels; ours is luma with the pooling's constant */
        T_NEAR(s[VD_SCORE_LOW_INFORMATION], reference[i].low_information, 0.03);
        T_NEAR(s[VD_SCORE_ODD_ASPECT_RATIO], reference[i].odd_aspect_ratio, 1e-6);
        T_LT(s[VD_SCORE_BLURRY], reference[i].blurry + 0.01);
        double theirs[VD_SCORE_KINDS] = { 0 };
        theirs[VD_SCORE_DARK] = reference[i].dark;
        theirs[VD_SCORE_LIGHT] = reference[i].light;
        theirs[VD_SCORE_LOW_INFORMATION] = reference[i].low_information;
        theirs[VD_SCORE_ODD_ASPECT_RATIO] = reference[i].odd_aspect_ratio;
        theirs[VD_SCORE_BLURRY] = reference[i].blurry;
        const int kind[] = { VD_SCORE_DARK, VD_SCORE_LIGHT, VD_SCORE_LOW_INFORMATION,
                             VD_SCORE_ODD_ASPECT_RATIO, VD_SCORE_BLURRY };
        for (int k = 0; k < VD_COUNT(kind); k++) {
            double limit = vd_score_table[kind[k]].threshold;
            if ((s[kind[k]] < limit) != (theirs[kind[k]] < limit))
                T_FAIL("%s: %s is %.3f, CleanVision's %.3f, threshold %.2f", reference[i].file,
                       vd_score_table[kind[k]].key, s[kind[k]], theirs[kind[k]], limit);
        }
        t_picture_free(&p);
    }
    vd_measure_free(ms);
}

/* A noisy bare wall has bits, but nothing to see; the same contrast in the dark is another matter.
 */
T(a_bare_wall_holds_little_information) {
    vd_metrics wall = {
        .contrast = 2.1, .entropy = 3.1, .bright_p99 = 0.58, .channels = 3, .aspect_ratio = 1.5
    };
    vd_metrics night = wall, photo = wall;
    double s[VD_SCORE_KINDS], limit = vd_score_table[VD_SCORE_LOW_INFORMATION].threshold;
    vd_score_picture(s, &wall, 92);
    T_LT(s[VD_SCORE_LOW_INFORMATION], limit);
    night.bright_p99 = 0.1;
    vd_score_picture(s, &night, 92);
    T_TRUE(s[VD_SCORE_LOW_INFORMATION] > limit);
    photo.contrast = 40;
    vd_score_picture(s, &photo, 92);
    T_TRUE(s[VD_SCORE_LOW_INFORMATION] > limit);
}

T(clean_numbers_give_no_finding) {
    vd_metrics m = { .sharpness = 900,
                     .fineness = 2,
                     .least_fineness = 1.6,
                     .motion_anisotropy = 0.4,
                     .brightness = 120,
                     .contrast = 52,
                     .entropy = 7.3,
                     .bright_p5 = 0.1,
                     .bright_p99 = 0.93,
                     .noise = 1.2,
                     .blockiness = 1.05,
                     .banding = 0.02,
                     .aspect_ratio = 1.5,
                     .thumb_edges = 65,
                     .thumb_peaks = 9,
                     .channels = 3 };
    double s[VD_SCORE_KINDS];
    vd_score_picture(s, &m, 92);
    for (int k = 0; k < VD_SCORE_KINDS; k++) {
        T_TRUE(s[k] >= vd_score_table[k].threshold && s[k] <= 1);
        T_TRUE(vd_score_table[k].key != NULL && vd_score_table[k].help != NULL);
    }
    vd_score_picture(s, &m, 12);
    T_LT(s[VD_SCORE_OVERCOMPRESSED], vd_score_table[VD_SCORE_OVERCOMPRESSED].threshold);
    m.noise = 14;
    m.clipped_high = 0.5;
    m.fineness = 0.2;
    m.least_fineness = 0.1;
    m.motion_anisotropy = 0.9;
    m.banding = 0.9;
    m.greyscale = true;
    vd_score_picture(s, &m, 0);
    const int bad[] = { VD_SCORE_NOISY,       VD_SCORE_CLIPPED, VD_SCORE_BLURRY,
                        VD_SCORE_MOTION_BLUR, VD_SCORE_BANDING, VD_SCORE_GRAYSCALE };
    for (int k = 0; k < VD_COUNT(bad); k++) T_LT(s[bad[k]], vd_score_table[bad[k]].threshold);
    T_NEAR(s[VD_SCORE_OVERCOMPRESSED], 1 / 1.05, 1e-12);
}
