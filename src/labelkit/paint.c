/* See paint.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/paint.h"

#include "base/mem.h"
#include "image/png_write.h"
#include "labelkit/files.h"

enum { LEVEL = 3 /* of zlib: most of what there is to gain */, COLOURS = 256 };

void vd_painter_reset(vd_painter *p) {
    vd_map_canvas_reset(&p->canvas);
    vd_mem_free(p->rows);
    vd_str_reset(&p->png);
    *p = (vd_painter){ 0 };
}

vd_status vd_paint_begin(vd_painter *p, bool *sized, const vd_label_image *m, vd_label_report *r,
                         vd_err *err) {
    *sized = m->width > 0 && m->height > 0;
    p->overlap = false;
    if (!*sized)
        return vd_label_lose(r, err, "masks of pictures whose size is not known", "%s", m->name);
    return vd_map_canvas_clear(&p->canvas, m->height, m->width, err);
}

vd_status vd_paint_object(vd_painter *p, bool *painted, const vd_label_image *m,
                          const vd_label_object *o, int32_t id, vd_label_report *r, vd_err *err) {
    vd_mask mask = { 0 };
    VD_TRY(vd_label_object_mask(&mask, painted, o, m->height, m->width, err));
    vd_status st = VD_OK;
    int64_t over = *painted ? vd_map_canvas_paint(&p->canvas, &mask, id) : 0;
    if (*painted && vd_mask_area(&mask) == 0) *painted = false;
    vd_mask_reset(&mask);
    if (!*painted) st = vd_label_lose(r, err, "objects without pixels", "%s", m->name);
    if (over > 0)
        st = vd_label_lose(r, err, "overlaps of objects (the later one has the pixels)",
                           "%s: %lld pixels", m->name, (long long)over);
    p->overlap = p->overlap || over > 0;
    return st;
}

int32_t vd_voc_colour(int index) {
    int32_t rgb[3] = { 0 };
    for (int bit = 0; bit < 8; bit++)
        for (int k = 0; k < 3; k++) rgb[k] |= (index >> (3 * bit + k) & 1) << (7 - bit);
    return rgb[0] | rgb[1] << 8 | rgb[2] << 16;
}

static void voc_palette(uint8_t *palette) {
    for (int i = 0; i < COLOURS; i++)
        for (int k = 0; k < 3; k++) palette[3 * i + k] = (uint8_t)(vd_voc_colour(i) >> (8 * k));
}

static vd_status encode(vd_painter *p, vd_paint_kind kind, ptrdiff_t stride, vd_err *err) {
    static const vd_png_type types[] = { [VD_PAINT_GREY8] = VD_PNG_GREY8,
                                         [VD_PAINT_GREY16] = VD_PNG_GREY16,
                                         [VD_PAINT_COLOUR] = VD_PNG_RGB8 };
    const vd_map_canvas *c = &p->canvas;
    uint8_t palette[3 * COLOURS];
    vd_str_clear(&p->png);
    if (kind != VD_PAINT_INDEX)
        return vd_png_write(&p->png, types[kind], p->rows, c->width, c->height, stride, LEVEL, err);
    voc_palette(palette);
    return vd_png_write_indexed(&p->png, p->rows, c->width, c->height, stride, palette, COLOURS,
                                LEVEL, err);
}

vd_status vd_paint_write(vd_painter *p, vd_paint_kind kind, const char *folder, const char *name,
                         vd_err *err) {
    const int bytes = kind == VD_PAINT_COLOUR ? 3 : kind == VD_PAINT_GREY16 ? 2 : 1;
    const ptrdiff_t stride = (ptrdiff_t)p->canvas.width * bytes;
    VD_TRY(VD_GROW(p->rows, p->cap, stride * p->canvas.height, err));
    vd_map_canvas_rows(&p->canvas, p->rows, stride, bytes);
    VD_TRY(encode(p, kind, stride, err));
    return vd_out_text(folder, name, &p->png, err);
}
