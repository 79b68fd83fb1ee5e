/* Binary PGM of 8 bits, for benches that take a picture. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BENCH_PGM_H
#define VD_BENCH_PGM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Grey levels of width * height pixels, to be freed; NULL where the file is none. */
static inline uint8_t *pgm_read(const char *path, int *width, int *height) {
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    int most = 0;
    if (f == NULL) return NULL;
    if (fscanf(f, "P5 %d %d %d", width, height, &most) == 3 && fgetc(f) != EOF && most == 255 &&
        *width > 0 && *height > 0 && *width < 1 << 16 && *height < 1 << 16) {
        size_t n = (size_t)*width * (size_t)*height;
        data = malloc(n);
        if (data != NULL && fread(data, 1, n, f) != n) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}
#endif
