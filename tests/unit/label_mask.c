/* Masks: against pixels, against what pycocotools gave, and what is no mask.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "label/mask.h"

#include "unit/coco_masks.inc"

enum { H = 37, W = 23, PIXELS = H * W };

/* Blobs of every density, all, nothing, and single pixels. */
static void random_bytes(vd_rng *r, uint8_t *p, int i) {
    double share = i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : vd_rng_f64(r);
    int64_t run = 1 + vd_rng_int(r, 9);
    uint8_t on = 0;
    for (int k = 0; k < PIXELS; k++) {
        if (k % run == 0) on = vd_rng_f64(r) < share;
        p[k] = on ? (uint8_t)(1 + k % 255) : 0;
    }
}

T(masks_are_their_pixels) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 200; i++) {
        uint8_t a[PIXELS], back[PIXELS] = { 0 };
        vd_mask m = { 0 }, again = { 0 };
        vd_str text = { 0 };
        double box[4];
        int area = 0, x0 = W, y0 = H, x1 = -1, y1 = -1;
        random_bytes(&r, a, i);
        for (int k = 0; k < PIXELS; k++) {
            if (a[k] == 0) continue;
            area++;
            x0 = VD_MIN(x0, k % W);
            x1 = VD_MAX(x1, k % W);
            y0 = VD_MIN(y0, k / W);
            y1 = VD_MAX(y1, k / W);
        }
        T_OK(vd_mask_from_bytes(&m, a, W, H, W, &err));
        T_EQ(vd_mask_area(&m), area);
        vd_mask_box(&m, box);
        T_EQ(box[0], area > 0 ? x0 : 0);
        T_EQ(box[1], area > 0 ? y0 : 0);
        T_EQ(box[2], area > 0 ? x1 - x0 + 1 : 0);
        T_EQ(box[3], area > 0 ? y1 - y0 + 1 : 0);
        vd_mask_text(&m, &text);
        T_OK(vd_mask_from_text(&again, "text", text.data, text.size, H, W, &err));
        vd_mask_paint(&again, back, W, 7);
        for (int k = 0; k < PIXELS; k++)
            if (back[k] != (a[k] != 0 ? 7 : 0)) T_FAIL("mask %d: pixel %d", i, k);
        vd_mask_reset(&m);
        vd_mask_reset(&again);
        vd_str_reset(&text);
    }
}

T(overlaps_and_unions_are_those_of_pixels) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 300; i++) {
        uint8_t a[PIXELS], b[PIXELS];
        vd_mask m[2] = { { 0 } }, either = { 0 }, both = { 0 };
        int n_both = 0, n_either = 0, n_a = 0;
        random_bytes(&r, a, i);
        random_bytes(&r, b, i / 4);
        for (int k = 0; k < PIXELS; k++) {
            n_both += a[k] && b[k];
            n_either += a[k] || b[k];
            n_a += a[k] != 0;
        }
        T_OK(vd_mask_from_bytes(&m[0], a, W, H, W, &err));
        T_OK(vd_mask_from_bytes(&m[1], b, W, H, W, &err));
        T_OK(vd_mask_merge(&either, m, 2, false, &err));
        T_OK(vd_mask_merge(&both, m, 2, true, &err));
        T_EQ(vd_mask_area(&either), n_either);
        T_EQ(vd_mask_area(&both), n_both);
        T_EQ(vd_mask_common(&m[0], &m[1]), n_both);
        T_EQ(vd_mask_common(&m[1], &m[0]), n_both);
        T_TRUE(vd_mask_iou(&m[0], &m[1], false) == (n_both > 0 ? (double)n_both / n_either : 0));
        T_TRUE(vd_mask_iou(&m[0], &m[1], true) == (n_both > 0 ? (double)n_both / n_a : 0));
        for (int k = 0; k < 2; k++) vd_mask_reset(&m[k]);
        vd_mask_reset(&either);
        vd_mask_reset(&both);
    }
}

/* Rectangles on the grid of pixels are filled exactly, wherever they reach. */
/* Three times as large each pixel is nine; back again, the middle one of them. */
T(resized_masks_keep_their_pixels) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 20; i++) {
        uint8_t a[PIXELS], back[PIXELS] = { 0 };
        vd_mask m = { 0 }, large = { 0 }, again = { 0 };
        random_bytes(&r, a, i);
        T_OK(vd_mask_from_bytes(&m, a, W, H, W, &err));
        T_OK(vd_mask_resize(&large, &m, 3 * H, 3 * W, &err));
        T_TRUE(large.height == 3 * H && large.width == 3 * W);
        T_EQ(vd_mask_area(&large), 9 * vd_mask_area(&m));
        T_OK(vd_mask_resize(&again, &large, H, W, &err));
        vd_mask_paint(&again, back, W, 1);
        for (int k = 0; k < PIXELS; k++)
            if (back[k] != (a[k] != 0)) T_FAIL("mask %d: pixel %d", i, k);
        vd_mask_reset(&m);
        vd_mask_reset(&large);
        vd_mask_reset(&again);
    }
    vd_mask none = { 0 }, out = { 0 };
    T_EQ(vd_mask_resize(&out, &none, 2, 2, NULL), VD_E_ARG);
    T_TRUE(out.run == NULL);
}

T(rectangles_have_their_area) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 500; i++) {
        double x = (double)vd_rng_int(&r, 60) - 20, y = (double)vd_rng_int(&r, 60) - 20;
        double w = (double)vd_rng_int(&r, 40), h = (double)vd_rng_int(&r, 40);
        const double box[4] = { x, y, w, h };
        double inside_w = VD_MAX(0, VD_MIN(x + w, W) - VD_MAX(x, 0));
        double inside_h = VD_MAX(0, VD_MIN(y + h, H) - VD_MAX(y, 0));
        vd_mask m = { 0 };
        T_OK(vd_mask_from_box(&m, "box", box, H, W, &err));
        T_EQ(vd_mask_area(&m), inside_w * inside_h);
        vd_mask_reset(&m);
    }
}

T(polygons_are_filled_as_pycocotools_does) {
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(expected_masks); i++) {
        vd_mask m = { 0 };
        vd_str text = { 0 };
        T_OK(vd_mask_from_polygon(&m, "polygon", expected_masks[i].xy, expected_masks[i].n,
                                  expected_masks[i].height, expected_masks[i].width, &err));
        vd_mask_text(&m, &text);
        T_STR(vd_str_text(&text), expected_masks[i].text);
        vd_mask_reset(&m);
        vd_str_reset(&text);
    }
}

static void refused(t_case *t, vd_status st, vd_status want, vd_err *err, const char *words) {
    if (st != want || strstr(err->msg, words) == NULL)
        T_FAIL("status %d, '%s'; expected %d, '%s'", st, err->msg, want, words);
    *err = (vd_err){ 0 };
}

T(what_is_no_mask_is_refused) {
    vd_err err = { 0 };
    vd_mask m = { 0 };
    const double runs[] = { 3, 4, 3, 1 }, half[] = { 0.5 }, below[] = { 4, -1 };
    const double far[] = { 0, 0, 2e8, 0, 0, 5 }, nan[] = { 0, 0, (double)NAN, 0, 0, 5 };
    refused(t, vd_mask_from_text(&m, "m", "o", 1, 2, 5, &err), VD_E_FORMAT, &err,
            "character 0: the text ends within a number");
    refused(t, vd_mask_from_text(&m, "m", "1z", 2, 2, 5, &err), VD_E_FORMAT, &err,
            "character 1: a character that is none");
    refused(t, vd_mask_from_text(&m, "m", "oooooooo0", 9, 2, 5, &err), VD_E_FORMAT, &err,
            "too long");
    refused(t, vd_mask_from_text(&m, "m", "6;", 2, 2, 5, &err), VD_E_FORMAT, &err,
            "beyond the last pixel");
    refused(t, vd_mask_from_text(&m, "m", "1", 1, 0, 5, &err), VD_E_LIMIT, &err, "5 x 0 pixels");
    refused(t, vd_mask_from_text(&m, "m", "1", 1, 1 << 16, 1 << 16, &err), VD_E_LIMIT, &err,
            "65536 x 65536");
    refused(t, vd_mask_from_runs(&m, "m", runs, 4, 2, 5, &err), VD_E_FORMAT, &err, "number 3 is 1");
    refused(t, vd_mask_from_runs(&m, "m", half, 1, 2, 5, &err), VD_E_FORMAT, &err, "0.5");
    refused(t, vd_mask_from_runs(&m, "m", below, 2, 2, 5, &err), VD_E_FORMAT, &err, "-1");
    refused(t, vd_mask_from_polygon(&m, "m", far, 3, 9, 9, &err), VD_E_FORMAT, &err, "2e+08");
    refused(t, vd_mask_from_polygon(&m, "m", nan, 3, 9, 9, &err), VD_E_FORMAT, &err, "nan");
    T_TRUE(m.run == NULL);
    /* what stops before the last pixel is completed with background */
    T_OK(vd_mask_from_runs(&m, "m", runs, 2, 2, 5, &err));
    T_EQ(m.n, 3);
    T_EQ(m.run[2], 3);
    vd_mask_reset(&m);
    T_OK(vd_mask_from_text(&m, "m", "", 0, 2, 5, &err));
    T_EQ(vd_mask_area(&m), 0);
    T_EQ(m.run[0], 10);
    vd_mask_reset(&m);
}

T(polygons_without_an_inside) {
    vd_err err = { 0 };
    const double line[] = { 2, 2, 8, 8 }, point[] = { 3, 3 };
    vd_mask m = { 0 };
    T_OK(vd_mask_from_polygon(&m, "m", line, 2, 10, 10, &err));
    T_EQ(vd_mask_area(&m), 0);
    vd_mask_reset(&m);
    T_OK(vd_mask_from_polygon(&m, "m", point, 1, 10, 10, &err));
    T_EQ(vd_mask_area(&m), 0);
    vd_mask_reset(&m);
    T_OK(vd_mask_from_polygon(&m, "m", point, 0, 10, 10, &err));
    T_EQ(vd_mask_area(&m), 0);
    vd_mask_reset(&m);
}

T(masks_survive_refused_memory) {
    vd_err err = { 0 };
    double xy[80];
    for (int i = 0; i < 40; i++) {
        xy[2 * i] = 20 + 18 * cos(i * 2.4);
        xy[2 * i + 1] = 20 + 18 * sin(i * 2.4);
    }
    for (int64_t n = 0, hit = 1; hit; n++) {
        vd_mask m[2] = { { 0 } }, all = { 0 };
        int64_t before = vd_mem_live();
        vd_mem_fail_at(n, false);
        vd_status st = vd_mask_from_polygon(&m[0], "m", xy, 40, 40, 40, &err);
        if (st == VD_OK) st = vd_mask_from_text(&m[1], "m", "1", 1, 40, 40, &err);
        if (st == VD_OK) st = vd_mask_merge(&all, m, 2, false, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        for (int k = 0; k < 2; k++) vd_mask_reset(&m[k]);
        vd_mask_reset(&all);
        T_EQ(vd_mem_live(), before);
    }
}
