/* The fuzz targets of the decoders' own parsers, replayed: every file of the corpus, its prefixes
 * and seeded mutations, through every target. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <dirent.h>

#include "fuzz/codec.h"

static void replay(const uint8_t *d, size_t n) {
    for (int i = 0; i < VD_COUNT(fuzz_targets); i++) {
        /* a block of its own, so that a sanitizer sees a read beyond its end */
        uint8_t *copy = malloc(n > 0 ? n : 1);
        if (copy == NULL) return;
        memcpy(copy, d, n);
        fuzz_targets[i].run(copy, n);
        free(copy);
    }
}

T(corpus_prefixes_and_mutations) {
    vd_rng r = t_rng(t);
    uint8_t data[4096], changed[4096];
    int files = 0;
    for (int k = 0; k < VD_COUNT(fuzz_targets); k++) {
        char folder[1024], path[1600];
        snprintf(folder, sizeof folder, "%s/%s", VD_FUZZ_CORPUS, fuzz_targets[k].name);
        DIR *dir = opendir(folder);
        T_NEED(dir != NULL);
        for (struct dirent *e; (e = readdir(dir)) != NULL;) {
            if (e->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            FILE *f = fopen(path, "rb");
            T_NEED(f != NULL);
            size_t n = fread(data, 1, sizeof data, f);
            fclose(f);
            files++;
            for (size_t cut = 0; cut <= n; cut += 1 + n / 50) replay(data, cut);
            for (int j = 0; j < 100 && n > 0; j++) {
                memcpy(changed, data, n);
                for (int c = 0; c < 4; c++)
                    changed[vd_rng_int(&r, (int64_t)n)] = (uint8_t)vd_rng_u64(&r);
                replay(changed, n);
            }
        }
        closedir(dir);
    }
    T_TRUE(files >= 10);
}

T(known_answers) {
    static const struct {
        const char *in, *out;
    } dates[] = { { "2024:05:01 10:20:30", "2024-05-01T10:20:30" },
                  { "2024-05-01T10:20:30.250+02:00", "2024-05-01T10:20:30.250+02:00" },
                  { "2024-05-01T10:20Z", "2024-05-01T10:20:00Z" },
                  { "0000:00:00 00:00:00", NULL },
                  { "    :  :     :  :  ", NULL },
                  { "2024:13:01 10:20:30", NULL } };
    char out[40], text[12] = "";
    for (int i = 0; i < VD_COUNT(dates); i++) {
        bool good = vd_meta_date(out, dates[i].in, NULL, NULL);
        T_EQ(good, dates[i].out != NULL);
        if (good && dates[i].out != NULL) T_STR(out, dates[i].out);
    }
    T_TRUE(vd_meta_date(out, "2024:05:01 10:20:30", "25", "-05:00"));
    T_STR(out, "2024-05-01T10:20:30.25-05:00");
    vd_meta_text(text, sizeof text, " a\xe9\n b ", 7);
    T_STR(text, "a\xc3\xa9  b");
    static const struct {
        const char *name, *format;
        bool wrong;
    } ext[] = { { "a.jpg", "jpeg", false },   { "a.JPEG", "jpeg", false },
                { "a.mpo", "jpeg", false },   { "a.png", "jpeg", true },
                { "a", "jpeg", false },       { "a.xyz", "jpeg", false },
                { "a.heif", "avif", false },  { "a.txt", "png", true },
                { "a.dng", "tiff", false },   { "a.mov", "mp4", false },
                { "a.mp4", "matroska", true } };
    for (int i = 0; i < VD_COUNT(ext); i++)
        T_EQ(vd_sniff_wrong_extension(ext[i].name, ext[i].format), ext[i].wrong);
}
