/* One fuzz target for each reader of reconstructions and truths. What is read must be consistent
 * and survive being written and read again. Compiled with libFuzzer (recon_fuzz.c), and by
 * tests/unit/recon_fuzz.c, which replays a corpus. Several files in one input: lengths of all but
 * the last (32 bits each), then the files. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_RECON_H
#define VD_TESTS_FUZZ_RECON_H

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "eval/truth.h"
#include "recon/bundler.h"
#include "recon/colmap.h"
#include "recon/nerfstudio.h"
#include "recon/ply.h"

enum { FUZZ_PARTS = 3 };

/* Copies of their own, so that a step beyond an end is seen; NULs follow. */
static inline bool fuzz_split(const uint8_t *d, size_t n, int parts, char *text[FUZZ_PARTS],
                              size_t size[FUZZ_PARTS]) {
    size_t head = 4 * (size_t)(parts - 1), left = n - head;
    if (n < head) return false;
    const uint8_t *p = d + head;
    for (int i = 0; i < parts; i++) {
        uint32_t want = UINT32_MAX;
        if (i < parts - 1) memcpy(&want, d + 4 * i, 4);
        size[i] = want < left ? want : left;
        text[i] = malloc(size[i] + 1);
        if (text[i] == NULL) abort();
        memcpy(text[i], p, size[i]);
        text[i][size[i]] = '\0';
        p += size[i];
        left -= size[i];
    }
    return true;
}

static inline void fuzz_must(bool ok) {
    if (!ok) abort();
}

static inline void fuzz_colmap_again(const vd_model *m, vd_colmap_form form) {
    vd_str a[VD_COLMAP_PARTS] = { { 0 } }, b[VD_COLMAP_PARTS] = { { 0 } };
    vd_colmap_part part[VD_COLMAP_PARTS];
    vd_model again = { 0 };
    vd_status st = vd_colmap_emit(a, m, form, NULL);
    fuzz_must(st == VD_OK || (st == VD_E_UNSUPPORTED && form == VD_COLMAP_TEXT));
    for (int i = 0; i < VD_COLMAP_PARTS; i++)
        part[i] = (vd_colmap_part){ "again", vd_str_text(&a[i]), (size_t)a[i].size };
    if (st == VD_OK) {
        fuzz_must(vd_colmap_parse(&again, form, part, NULL) == VD_OK);
        fuzz_must(vd_colmap_emit(b, &again, form, NULL) == VD_OK);
    }
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        if (st == VD_OK)
            fuzz_must(a[i].size == b[i].size &&
                      memcmp(a[i].data, b[i].data, (size_t)a[i].size) == 0);
        vd_str_reset(&a[i]);
        vd_str_reset(&b[i]);
    }
    vd_model_reset(&again);
}

static inline void fuzz_colmap(const uint8_t *d, size_t n, vd_colmap_form form) {
    static const char *const name[] = { "cameras", "images", "points3D" };
    char *text[FUZZ_PARTS];
    size_t size[FUZZ_PARTS];
    vd_colmap_part part[VD_COLMAP_PARTS];
    vd_model m = { 0 };
    vd_err err = { 0 };
    if (!fuzz_split(d, n, VD_COLMAP_PARTS, text, size)) return;
    for (int i = 0; i < VD_COLMAP_PARTS; i++)
        part[i] = (vd_colmap_part){ name[i], text[i], size[i] };
    if (vd_colmap_parse(&m, form, part, &err) == VD_OK) {
        vd_str ply = { 0 };
        const vd_ply_opt frusta = { .frustum_size = 0.1 };
        fuzz_colmap_again(&m, VD_COLMAP_BINARY);
        fuzz_colmap_again(&m, VD_COLMAP_TEXT);
        fuzz_must(vd_ply_emit(&ply, &m, &frusta, NULL) == VD_OK);
        vd_str_reset(&ply);
        vd_model_update_errors(&m);
        vd_model_stats_of(&m);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    vd_model_reset(&m);
    for (int i = 0; i < VD_COLMAP_PARTS; i++) free(text[i]);
}

static inline void fuzz_colmap_bin(const uint8_t *d, size_t n) {
    fuzz_colmap(d, n, VD_COLMAP_BINARY);
}
static inline void fuzz_colmap_text(const uint8_t *d, size_t n) {
    fuzz_colmap(d, n, VD_COLMAP_TEXT);
}

static inline void fuzz_nerfstudio(const uint8_t *d, size_t n) {
    char *text[FUZZ_PARTS];
    size_t size[FUZZ_PARTS];
    vd_model m = { 0 };
    vd_err err = { 0 };
    fuzz_split(d, n, 1, text, size);
    if (vd_nerfstudio_parse(&m, "fuzz", text[0], size[0], NULL, &err) == VD_OK) {
        vd_str s = { 0 };
        vd_model again = { 0 };
        fuzz_must(vd_nerfstudio_emit(&s, &m, NULL, NULL) == VD_OK);
        fuzz_must(vd_nerfstudio_parse(&again, "again", s.data, (size_t)s.size, NULL, NULL) ==
                  VD_OK);
        fuzz_must(again.n_images == m.n_images && again.n_cameras == m.n_cameras);
        vd_str_reset(&s);
        vd_model_reset(&again);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    vd_model_reset(&m);
    free(text[0]);
}

static inline void fuzz_bundler(const uint8_t *d, size_t n) {
    char *text[FUZZ_PARTS];
    size_t size[FUZZ_PARTS];
    vd_model m = { 0 };
    vd_err err = { 0 };
    if (!fuzz_split(d, n, 2, text, size)) return;
    const vd_bundler_text bundle = { "bundle.out", text[0], size[0] },
                          list = { "list.txt", text[1], size[1] };
    if (vd_bundler_parse(&m, &bundle, &list, NULL, &err) == VD_OK) {
        vd_str a = { 0 }, b = { 0 };
        vd_model again = { 0 };
        fuzz_must(vd_bundler_emit(&a, &b, &m, NULL, NULL) == VD_OK);
        const vd_bundler_text a_text = { "again", vd_str_text(&a), (size_t)a.size },
                              b_text = { "again", vd_str_text(&b), (size_t)b.size };
        fuzz_must(vd_bundler_parse(&again, &a_text, &b_text, NULL, NULL) == VD_OK);
        fuzz_must(again.n_images == m.n_images && again.n_points == m.n_points);
        vd_str_reset(&a);
        vd_str_reset(&b);
        vd_model_reset(&again);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    vd_model_reset(&m);
    free(text[0]);
    free(text[1]);
}

/* Truths: a .camera file, and the JSON of synth. */
static inline void fuzz_truth(const uint8_t *d, size_t n) {
    char *text[FUZZ_PARTS];
    size_t size[FUZZ_PARTS];
    bool is_json = false;
    vd_pose pose = { 0 };
    vd_pose_set set = { 0 };
    vd_err err = { 0 };
    fuzz_split(d, n, 1, text, size);
    vd_truth_parse_strecha(&pose, "fuzz", text[0], NULL);
    fuzz_must(vd_truth_is_json(&is_json, text[0], size[0], NULL) == VD_OK);
    if (vd_truth_parse_json(&set, "fuzz", text[0], size[0], &err) == VD_OK) {
        vd_pose_score score;
        if (set.n < 50) fuzz_must(vd_pose_eval(&score, NULL, &set, &set, NULL) == VD_OK);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    vd_pose_set_reset(&set);
    free(text[0]);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_recon[] = { { "colmap_bin", fuzz_colmap_bin },
                   { "colmap_text", fuzz_colmap_text },
                   { "nerfstudio", fuzz_nerfstudio },
                   { "bundler", fuzz_bundler },
                   { "truth", fuzz_truth } };

#endif
