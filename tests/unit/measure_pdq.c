/* PDQ against the published reference hashes, and its algebra. SPDX-License-Identifier: Apache-2.0
 */
#include "load.h"
#include "t.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "measure/measure.h"

static int distance(const uint64_t *a, const uint64_t *b) {
    int d = 0;
    for (int i = 0; i < 4; i++) d += __builtin_popcountll(a[i] ^ b[i]);
    return d;
}

static bool pdq_of(vd_pdq *out, const char *path) {
    t_picture p;
    vd_metrics m;
    vd_err err = { 0 };
    vd_measure *ms = NULL;
    if (!t_load(&p, path)) return false;
    bool ok = vd_measure_new(&ms, &err) == VD_OK &&
              vd_measure_frame(&m, out, ms, &p.frame, &err) == VD_OK;
    vd_measure_free(ms);
    t_picture_free(&p);
    return ok;
}

T(hex_is_read_back) {
    const char *hex = "d8f8f0cce0f4a84f0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22";
    uint64_t h[4];
    char back[65];
    T_TRUE(vd_pdq_parse(h, hex));
    T_TRUE(h[3] == 0xd8f8f0cce0f4a84fu && h[0] == 0x33e6b39c4e9c9b22u);
    vd_pdq_hex(back, h);
    T_STR(back, hex);
    T_TRUE(!vd_pdq_parse(h, "d8f8"));
    T_TRUE(!vd_pdq_parse(h, "g8f8f0cce0f4a84f0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22"));
}

/* The reference's own words: two box passes, then nearest sampling, in double and without any of
 * the precomputed weights. */
static void box(const double *in, double *out, int n, int stride, int width) {
    int right = (width + 2) / 2 - 1;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        int count = 0;
        for (int k = i + right - width + 1; k <= i + right; k++)
            if (k >= 0 && k < n) sum += in[k * stride], count++;
        out[i * stride] = sum / count;
    }
}

static void slow_pdq(const vd_pixels *p, double dct[256]) {
    int w = p->width, h = p->height;
    double *a = vd_mem_array((size_t)(w * h), sizeof *a),
           *b = vd_mem_array((size_t)(w * h), sizeof *b);
    double s[64][64];
    if (a == NULL || b == NULL) exit(3);
    for (int i = 0; i < w * h; i++) a[i] = p->data[i];
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < h; y++) box(a + y * w, b + y * w, w, 1, (w + 127) / 128);
        for (int x = 0; x < w; x++) box(b + x, a + x, h, w, (h + 127) / 128);
    }
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 64; j++)
            s[i][j] = a[(int)((i + 0.5) * h / 64) * w + (int)((j + 0.5) * w / 64)];
    for (int u = 0; u < 16; u++)
        for (int v = 0; v < 16; v++) {
            double sum = 0;
            for (int i = 0; i < 64; i++)
                for (int j = 0; j < 64; j++)
                    sum += s[i][j] * cos(3.14159265358979323846 / 128 * (u + 1) * (2 * i + 1)) *
                           cos(3.14159265358979323846 / 128 * (v + 1) * (2 * j + 1));
            dct[16 * u + v] = sum * 2 / 64;
        }
    vd_mem_free(a);
    vd_mem_free(b);
}

T(coefficients_are_those_of_the_definition) {
    const int size[][2] = {
        { 5, 5 }, { 32, 32 }, { 64, 64 }, { 129, 65 }, { 300, 200 }, { 77, 501 }
    };
    vd_rng r = t_rng(t);
    vd_pdq_tmp tmp = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(size); i++) {
        vd_pixels p = { 0 };
        vd_pdq out;
        double want[256];
        T_OK(vd_pixels_shape(&p, size[i][0], size[i][1], 1, &err));
        for (int k = 0; k < p.width * p.height; k++) p.data[k] = (uint8_t)vd_rng_u64(&r);
        T_OK(vd_pdq_luma(&out, &p, &tmp, vd_measure_kern_for(vd_cpu_features()), &err));
        slow_pdq(&p, want);
        for (int k = 0; k < 256; k++) T_NEAR(out.dct[k], want[k], 0.02);
        int set = 0;
        for (int k = 0; k < 4; k++) set += __builtin_popcountll(out.hash[k]);
        T_EQ(set, 128);
        vd_pixels_reset(&p);
    }
    vd_pixels tiny = { 0 };
    vd_pdq out;
    T_OK(vd_pixels_shape(&tiny, 4, 400, 1, &err));
    memset(tiny.data, 9, 1600);
    T_OK(vd_pdq_luma(&out, &tiny, &tmp, &vd_measure_kern_c, &err));
    T_EQ(out.quality, 0);
    T_TRUE((out.hash[0] | out.hash[1] | out.hash[2] | out.hash[3]) == 0);
    vd_pixels_reset(&tiny);
    vd_pdq_tmp_reset(&tmp);
}

/* The hash of a turned picture, computed without turning it, against turning it. */
T(dihedral_hashes_follow_the_pixels) {
    enum {
        N = 320
    }; /* windows of 3 and sampling at 5 o + 2: symmetric, so that mirroring is exact */
    vd_pixels p = { 0 }, q = { 0 };
    vd_pdq_tmp tmp = { 0 };
    vd_pdq a, b;
    uint64_t d[VD_PDQ_DIHEDRAL][4];
    vd_err err = { 0 };
    T_OK(vd_pixels_shape(&p, N, N, 1, &err));
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++)
            p.data[y * N + x] = (uint8_t)(128 + 60 * sin(x * 0.11 + y * y * 0.002) +
                                          50 * cos(x * x * 0.0007 - y * 0.05));
    T_OK(vd_pdq_luma(&a, &p, &tmp, &vd_measure_kern_c, &err));
    vd_pdq_dihedral(d, &a);
    T_EQ(distance(d[0], a.hash), 0);
    /* EXIF orientations that produce each variant: turned counter-clockwise by 90 is 8, ... */
    const int orientation[VD_PDQ_DIHEDRAL] = { 1, 8, 3, 6, 4, 2, 5, 7 };
    for (int v = 0; v < VD_PDQ_DIHEDRAL; v++) {
        T_OK(vd_pixels_orient(&q, &p, orientation[v], &err));
        T_OK(vd_pdq_luma(&b, &q, &tmp, &vd_measure_kern_c, &err));
        if (distance(b.hash, d[v]) > 2) /* rounding of coefficients beside the median */
            T_FAIL("variant %d differs in %d bits", v, distance(b.hash, d[v]));
    }
    vd_pixels_reset(&p);
    vd_pixels_reset(&q);
    vd_pdq_tmp_reset(&tmp);
}

T(reference_hashes_within_ten_bits) {
    char path[600], line[300], name[200], hex[80], present[10];
    if (t_shared() == NULL) T_SKIP("no folder of real files");
    snprintf(path, sizeof path, "%s/neardup/pdq/expected_pdq_hashes.tsv", t_shared());
    FILE *f = fopen(path, "r");
    if (f == NULL) T_SKIP("no reference hashes");
    int seen = 0, equal = 0, worst = 0, total = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        uint64_t want[4];
        vd_pdq got;
        if (sscanf(line, "%199s %79s %9s", name, hex, present) != 3 || !vd_pdq_parse(want, hex) ||
            strcmp(present, "yes") != 0)
            continue;
        snprintf(path, sizeof path, "%s/neardup/pdq/%s", t_shared(), name);
        T_TRUE(pdq_of(&got, path));
        int d = distance(got.hash, want);
        fprintf(stderr, "  %-50s quality %3d distance %d\n", name, got.quality, d);
        if (got.quality < 80) continue;
        seen++;
        equal += d == 0;
        total += d;
        worst = VD_MAX(worst, d);
        if (d > 10) T_FAIL("%s: %d bits from the reference", name, d);
    }
    fclose(f);
    fprintf(stderr, "  %d of quality >= 80: %d identical, mean distance %.1f, worst %d\n", seen,
            equal, seen > 0 ? (double)total / seen : 0, worst);
    T_LT(10, seen);
}

T(edits_of_one_photo_match_and_others_do_not) {
    static const char *const edits[] = { "blur-a-little",   "blur-a-lot",       "high-contrast",
                                         "high-saturation", "sharpen-a-little", "sharpen-a-lot",
                                         "shrink-a-little", "shrink-a-lot",     "square-128x128",
                                         "square-256x256",  "square-512x512" };
    static const char *const others[] = { "q0122", "q0291", "q0746", "q1050", "q2821" };
    char path[600];
    vd_pdq orig, other;
    if (t_shared() == NULL) T_SKIP("no folder of real files");
    snprintf(path, sizeof path, "%s/neardup/pdq/bridge-mods/aaa-orig.jpg", t_shared());
    if (!pdq_of(&orig, path)) T_SKIP("no edited photos");
    for (int i = 0; i < VD_COUNT(edits); i++) {
        snprintf(path, sizeof path, "%s/neardup/pdq/bridge-mods/%s.jpg", t_shared(), edits[i]);
        T_TRUE(pdq_of(&other, path));
        if (distance(orig.hash, other.hash) > 31)
            T_FAIL("%s: %d bits", edits[i], distance(orig.hash, other.hash));
    }
    for (int i = 0; i < VD_COUNT(others); i++) {
        snprintf(path, sizeof path, "%s/neardup/pdq/reg-test-input/labelme-subset/%s.jpg",
                 t_shared(), others[i]);
        T_TRUE(pdq_of(&other, path));
        T_LT(31, distance(orig.hash, other.hash));
    }
}

T(dihedral_copies_are_found_by_one_transform) {
    static const char *const files[VD_PDQ_DIHEDRAL] = { "1-original",    "2-rotate-90",
                                                        "3-rotate-180",  "4-rotate-270",
                                                        "5-flipx",       "6-flipy",
                                                        "7-flip-plus-1", "8-flip-minus-1" };
    char path[600];
    vd_pdq orig, other;
    uint64_t d[VD_PDQ_DIHEDRAL][4];
    if (t_shared() == NULL) T_SKIP("no folder of real files");
    snprintf(path, sizeof path, "%s/neardup/pdq/reg-test-input/dih/bridge-1-original.jpg",
             t_shared());
    if (!pdq_of(&orig, path)) T_SKIP("no turned photos");
    vd_pdq_dihedral(d, &orig);
    for (int i = 0; i < VD_PDQ_DIHEDRAL; i++) {
        snprintf(path, sizeof path, "%s/neardup/pdq/reg-test-input/dih/bridge-%s.jpg", t_shared(),
                 files[i]);
        T_TRUE(pdq_of(&other, path));
        int least = 256, which = 0;
        for (int v = 0; v < VD_PDQ_DIHEDRAL; v++)
            if (distance(d[v], other.hash) < least) least = distance(d[v], other.hash), which = v;
        fprintf(stderr, "  bridge-%s: variant %d at distance %d\n", files[i], which, least);
        T_TRUE(least <= 16);
        T_EQ(which, i);
    }
}
