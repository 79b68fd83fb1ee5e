/* What tests/coco/masks.py asks for: reads polygons as numbers from standard input (height width n
 * x y x y ...), all of one line merged ("|" between them), and prints their masks as text, area and
 * box. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "label/mask.h"

enum { MAX_PARTS = 64, MAX_COORDS = 1 << 16 };

/* One line: "height width x y x y ... | x y ...". */
static vd_status answer(char *line, double *xy, vd_err *err) {
    vd_mask part[MAX_PARTS] = { { 0 } }, all = { 0 };
    vd_str text = { 0 };
    int n_parts = 0;
    int64_t h = strtol(line, &line, 10), w = strtol(line, &line, 10);
    vd_status st = VD_OK;
    for (char *next = line; next != NULL && st == VD_OK && n_parts < MAX_PARTS; line = next) {
        int64_t n = 0;
        next = strchr(line, '|');
        if (next != NULL) *next++ = '\0';
        for (char *end = NULL; n < MAX_COORDS; line = end) {
            xy[n] = strtod(line, &end);
            if (end == line) break;
            n++;
        }
        st = vd_mask_from_polygon(&part[n_parts++], "line", xy, n / 2, h, w, err);
        if (next == NULL) break;
    }
    if (st == VD_OK) st = vd_mask_merge(&all, part, n_parts, false, err);
    vd_mask_text(&all, &text);
    double box[4];
    vd_mask_box(&all, box);
    if (st == VD_OK)
        printf("%s %lld %g %g %g %g\n", vd_str_text(&text), (long long)vd_mask_area(&all), box[0],
               box[1], box[2], box[3]);
    for (int i = 0; i < n_parts; i++) vd_mask_reset(&part[i]);
    vd_mask_reset(&all);
    vd_str_reset(&text);
    return st;
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    vd_err err = { 0 };
    double *xy = vd_mem_array(MAX_COORDS, sizeof *xy);
    vd_status st = xy != NULL ? VD_OK : vd_nomem(&err);
    while (st == VD_OK && getline(&line, &size, stdin) > 0) st = answer(line, xy, &err);
    free(line);
    vd_mem_free(xy);
    if (st != VD_OK) fprintf(stderr, "mask_export: %s\n", err.msg);
    return st == VD_OK ? 0 : 1;
}
