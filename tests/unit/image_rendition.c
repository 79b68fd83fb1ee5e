/* Renditions: the area filter against its definition in floating point, orientation, and reuse of
 * memory. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "image/rendition.h"
#include "image/working.h"

/* The mean of the plane over a rectangle with fractional edges, in double. */
static double area_mean(const vd_plane *p, double x0, double x1, double y0, double y1) {
    double sum = 0;
    for (int y = (int)y0; y < p->height && y < y1; y++)
        for (int x = (int)x0; x < p->width && x < x1; x++) {
            double cx = VD_MIN(x + 1, x1) - VD_MAX(x, x0), cy = VD_MIN(y + 1, y1) - VD_MAX(y, y0);
            if (cx > 0 && cy > 0) sum += cx * cy * p->data[y * p->stride + x];
        }
    return sum / ((x1 - x0) * (y1 - y0));
}

T(reduce_is_the_area_mean) {
    const int c[][4] = { { 100, 80, 37, 29 },   { 640, 33, 256, 13 }, { 31, 17, 31, 17 },
                         { 16, 16, 33, 40 },    { 1000, 3, 1, 1 },    { 1, 700, 1, 256 },
                         { 2832, 64, 1024, 23 } };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_filter_cache cache = { 0 };
    vd_reduce_tmp tmp = { 0 };
    for (int i = 0; i < VD_COUNT(c); i++) {
        int w = c[i][0], h = c[i][1], ow = c[i][2], oh = c[i][3];
        uint8_t *in = vd_mem_alloc((size_t)(w + 5) * (size_t)h),
                *out = vd_mem_alloc((size_t)ow * (size_t)oh);
        T_NEED(in != NULL && out != NULL);
        for (int k = 0; k < (w + 5) * h; k++) in[k] = (uint8_t)vd_rng_u64(&r);
        vd_plane p = { in, w + 5, w, h };
        T_OK(vd_reduce_plane(out, ow, oh, &p, &cache, &tmp, vd_image_kern_for(vd_cpu_features()),
                             &err));
        double worst = 0;
        for (int y = 0; y < oh; y++)
            for (int x = 0; x < ow; x++) {
                double want = area_mean(&p, (double)x * w / ow, (double)(x + 1) * w / ow,
                                        (double)y * h / oh, (double)(y + 1) * h / oh);
                worst = VD_MAX(worst, fabs(out[y * ow + x] - want));
            }
        T_LT(worst, 0.56); /* half a level of rounding, and 16-bit weights and intermediate */
        memset(in, 201, (size_t)(w + 5) * (size_t)h);
        T_OK(vd_reduce_plane(out, ow, oh, &p, &cache, &tmp, vd_image_kern_for(0), &err));
        for (int k = 0; k < ow * oh; k++) T_TRUE(out[k] == 201);
        vd_mem_free(in);
        vd_mem_free(out);
    }
    vd_filter_cache_reset(&cache);
    vd_reduce_tmp_reset(&tmp);
}

/* EXIF orientation o: where the stored pixel (x, y) of a w x h picture belongs, from the standard.
 */
static void upright(int o, int w, int h, int x, int y, int *ux, int *uy) {
    const int to[9][2] = { { 0 },
                           { x, y },
                           { w - 1 - x, y },
                           { w - 1 - x, h - 1 - y },
                           { x, h - 1 - y },
                           { y, x },
                           { h - 1 - y, x },
                           { h - 1 - y, w - 1 - x },
                           { y, w - 1 - x } };
    *ux = to[o][0];
    *uy = to[o][1];
}

T(orientation_puts_every_pixel_upright) {
    enum { W = 37, H = 70 };
    uint8_t rgb[W * H * 3];
    vd_err err = { 0 };
    vd_pixels out = { 0 }, in = { rgb, W, H, 3, 0 };
    for (int i = 0; i < W * H * 3; i++) rgb[i] = (uint8_t)(i * 31 + i / 256);
    for (int o = 1; o <= 8; o++) {
        T_OK(vd_pixels_orient(&out, &in, o, &err));
        T_EQ(out.width, o >= 5 ? H : W);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int ux, uy;
                upright(o, W, H, x, y, &ux, &uy);
                T_TRUE(memcmp(out.data + 3 * (uy * out.width + ux), rgb + 3 * (y * W + x), 3) == 0);
            }
    }
    vd_pixels_reset(&out);
}

T(rendition_sizes) {
    const int c[][6] = { { 3072, 2048, 1024, 683, 160, 107 },  { 500, 375, 500, 375, 160, 120 },
                         { 15754, 1382, 1024, 90, 160, 14 },   { 1, 100000, 1, 1024, 1, 160 },
                         { 1024, 1024, 1024, 1024, 160, 160 }, { 1025, 1, 1024, 1, 160, 1 } };
    for (int i = 0; i < VD_COUNT(c); i++) {
        int32_t w, h;
        vd_rendition_size(c[i][0], c[i][1], VD_NORM_SIDE, &w, &h);
        T_EQ(w, c[i][2]);
        T_EQ(h, c[i][3]);
        vd_rendition_size(c[i][0], c[i][1], VD_SMALL_SIDE, &w, &h);
        T_EQ(w, c[i][4]);
        T_EQ(h, c[i][5]);
    }
}

typedef struct seen_rows {
    const uint8_t *plane;
    int32_t stride, next;
    bool wrong;
} seen_rows;

static void see(void *user, int32_t y, const uint8_t *const row[VD_LUMA_HISTORY], int32_t width) {
    seen_rows *s = user;
    s->wrong |= y != s->next++;
    for (int k = 0; k < VD_LUMA_HISTORY; k++) {
        if (k > y)
            s->wrong |= row[k] != NULL;
        else
            s->wrong |= memcmp(row[k], s->plane + (y - k) * s->stride, (size_t)width) != 0;
    }
}

T(luma_is_shown_once_whatever_the_format) {
    enum { W = 1500, H = 1301 };
    uint8_t *rgb = vd_mem_alloc(W * H * 3), *luma = vd_mem_alloc(W * H);
    vd_err err = { 0 };
    vd_scratch s = { 0 };
    T_NEED(rgb != NULL && luma != NULL);
    vd_rng r = t_rng(t);
    for (int i = 0; i < W * H; i++) {
        uint64_t v = vd_rng_u64(&r);
        for (int c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)(v >> 8 * c);
        luma[i] = (uint8_t)floor(0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] +
                                 0.114 * rgb[3 * i + 2] + 0.5);
    }
    int differ = 0;
    for (int i = 0; i < W * H; i++) { /* ties of the float formula may fall the other way */
        uint8_t v;
        vd_image_kern_c.luma_rgb(&v, rgb + 3 * i, 1);
        differ += v != luma[i];
        luma[i] = v;
    }
    T_TRUE(differ < W * H / 1000);
    seen_rows a = { luma, W, 0, false };
    vd_luma_observer seen = { see, &a };
    vd_frame f = { .format = VD_PIX_RGB8, .width = W, .height = H, .orientation = 1 };
    f.plane[0] = (vd_plane){ rgb, 3 * W, W, H };
    T_OK(vd_rendition_make(&s, &f, &seen, &err));
    T_EQ(a.next, H);
    T_TRUE(!a.wrong);
    uint64_t with_rgb = vd_hash64(s.norm.data, (size_t)s.norm.width * (size_t)s.norm.height);
    f.format = VD_PIX_GREY8;
    f.plane[0] = (vd_plane){ luma, W, W, H };
    a.next = 0;
    T_OK(vd_rendition_make(&s, &f, &seen, &err));
    T_EQ(a.next, H);
    T_TRUE(!a.wrong);
    T_TRUE(with_rgb == vd_hash64(s.norm.data, (size_t)s.norm.width * (size_t)s.norm.height));
    vd_scratch_reset(&s);
    vd_mem_free(rgb);
    vd_mem_free(luma);
}

T(colour_survives_subsampling_and_turning) {
    enum { W = 700, H = 500 };
    /* left half red, right half blue, in 4:2:0; values by the JFIF equations */
    uint8_t *y = vd_mem_alloc(W * H), *cb = vd_mem_alloc(W * H / 4), *cr = vd_mem_alloc(W * H / 4);
    vd_err err = { 0 };
    vd_scratch s = { 0 };
    T_NEED(y != NULL && cb != NULL && cr != NULL);
    for (int i = 0; i < W * H; i++) y[i] = i % W < W / 2 ? 76 : 29;
    for (int i = 0; i < W * H / 4; i++) {
        cb[i] = i % (W / 2) < W / 4 ? 85 : 255;
        cr[i] = i % (W / 2) < W / 4 ? 255 : 107;
    }
    vd_frame f = { .format = VD_PIX_YCC8, .width = W, .height = H, .orientation = 6 };
    f.plane[0] = (vd_plane){ y, W, W, H };
    f.plane[1] = (vd_plane){ cb, W / 2, W / 2, H / 2 };
    f.plane[2] = (vd_plane){ cr, W / 2, W / 2, H / 2 };
    T_OK(vd_rendition_make(&s, &f, NULL, &err));
    T_EQ(s.norm.width, H);
    T_EQ(s.norm.height, W);
    T_EQ(s.small.width, 114);
    T_EQ(s.small.height, 160);
    /* orientation 6 turns clockwise: the left side comes up */
    const uint8_t *top = s.small.data + 3 * (12 * 114 + 56),
                  *low = s.small.data + 3 * (144 * 114 + 56);
    T_TRUE(top[0] >= 253 && top[1] <= 2 && top[2] <= 2);
    T_TRUE(low[0] <= 2 && low[1] <= 2 && low[2] >= 253);
    T_EQ(s.norm.data[10], 76);
    vd_scratch_reset(&s);
    vd_mem_free(y);
    vd_mem_free(cb);
    vd_mem_free(cr);
}

/* Interleaved frames are reduced from rows of luma that are made on the way: the answer is that of
 * a plane which holds all of them. */
T(working_luma_of_interleaved_pixels_is_that_of_their_luma) {
    const int size[][3] = {
        { 640, 480, 200 }, { 123, 457, 300 }, { 90, 60, 100 }, { 700, 30, 96 }
    };
    const vd_image_kern *kern = vd_image_kern_for(vd_cpu_features());
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_working a = { 0 }, b = { 0 };
    for (int i = 0; i < VD_COUNT(size); i++) {
        int w = size[i][0], h = size[i][1], pitch = 3 * w + 7;
        uint8_t *rgb = vd_mem_alloc((size_t)pitch * (size_t)h + VD_KERN_PAD),
                *luma = vd_mem_alloc((size_t)w * (size_t)h + VD_KERN_PAD);
        T_NEED(rgb != NULL && luma != NULL);
        for (int k = 0; k < pitch * h; k++) rgb[k] = (uint8_t)vd_rng_u64(&r);
        for (int y = 0; y < h; y++) kern->luma_rgb(luma + y * w, rgb + y * pitch, w);
        const vd_frame one = { .width = w,
                               .height = h,
                               .format = VD_PIX_RGB8,
                               .plane = { { rgb, pitch, w, h } } },
                       two = { .width = w,
                               .height = h,
                               .format = VD_PIX_GREY8,
                               .plane = { { luma, w, w, h } } };
        T_OK(vd_working_make(&a, &one, size[i][2], &err));
        T_OK(vd_working_make(&b, &two, size[i][2], &err));
        T_TRUE(a.luma.width == b.luma.width && a.luma.height == b.luma.height);
        T_TRUE(memcmp(a.luma.data, b.luma.data, (size_t)a.luma.width * (size_t)a.luma.height) == 0);
        vd_mem_free(rgb);
        vd_mem_free(luma);
    }
    vd_working_reset(&a);
    vd_working_reset(&b);
}

T(memory_is_reused_and_its_refusal_survived) {
    enum { W = 1300, H = 900 };
    uint8_t *rgb = vd_mem_array(W * H, 3);
    T_NEED(rgb != NULL);
    int64_t live = vd_mem_live();
    for (int k = 0; k < 1000; k++) {
        vd_scratch s = { 0 };
        vd_err err = { 0 };
        vd_frame f = { .format = VD_PIX_RGB8, .width = W, .height = H, .orientation = 8 };
        f.plane[0] = (vd_plane){ rgb, 3 * W, W, H };
        vd_mem_fail_at(k, false);
        vd_status st = vd_rendition_make(&s, &f, NULL, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_OK(vd_rendition_make(&s, &f, NULL, (err = (vd_err){ 0 }, &err)));
        T_OK(vd_rendition_make(&s, &f, NULL, &err));
        vd_mem_fail_at(0, true); /* by now nothing may be allocated */
        T_OK(vd_rendition_make(&s, &f, NULL, &err));
        T_TRUE(!vd_mem_fail_clear());
        vd_scratch_reset(&s);
        T_EQ(vd_mem_live(), live);
        if (!hit) break;
    }
    vd_mem_free(rgb);
}
