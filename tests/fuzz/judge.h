/* One fuzz target for each reader of what is judged. Compiled with libFuzzer (judge_fuzz.c), and by
 * tests/unit/judge_fuzz.c, which replays a corpus. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_JUDGE_H
#define VD_TESTS_FUZZ_JUDGE_H

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "eval/detect.h"
#include "eval/panoptic.h"

static inline void judge_must(bool ok) {
    if (!ok) abort();
}

/* Figures are shares, or -1. */
static inline void judge_numbers(const double *v, int n) {
    for (int i = 0; i < n; i++) judge_must(v[i] == -1 || (v[i] >= 0 && v[i] <= 1));
}

/* A truth, the byte 1E, results; under one of the rules. */
static inline vd_status judge_detect_one(const uint8_t *d, size_t n, size_t cut,
                                         const vd_detect_rules *rules, vd_err *err) {
    vd_detect_truth truth = { 0 };
    vd_detect_set set = { 0 };
    vd_detect_hits hits = { 0 };
    vd_detect_curves curves = { 0 };
    double number[2 * VD_DETECT_NUMBERS];
    const char *const *name;
    vd_status st = VD_OK;
    VD_GO(vd_detect_read_truth(&truth, "fuzz", d, cut, rules, err));
    VD_GO(vd_detect_read_predictions(&set, "fuzz", d + cut + 1, n - cut - 1, &truth, rules, err));
    VD_GO(vd_detect_match(&hits, &truth, &set, rules, NULL, err));
    VD_GO(vd_detect_curves_make(&curves, &hits, rules, NULL, err));
    VD_GO(vd_detect_summarise(number, &curves, rules, truth.category, 0, truth.n_categories, err));
    judge_numbers(number, vd_detect_numbers(rules, &name));
    VD_GO(vd_detect_bootstrap(number, 2, 1, &hits, rules, truth.category, NULL, err));
    judge_numbers(number, vd_detect_numbers(rules, &name));
done:
    vd_detect_curves_reset(&curves);
    vd_detect_hits_reset(&hits);
    vd_detect_set_reset(&set);
    vd_detect_truth_reset(&truth);
    return st;
}

static inline void judge_detect(const uint8_t *d, size_t n) {
    static const struct {
        vd_detect_metric metric;
        vd_detect_type type;
    } kind[] = { { VD_DETECT_COCO, VD_DETECT_BBOX },
                 { VD_DETECT_COCO, VD_DETECT_SEGM },
                 { VD_DETECT_COCO, VD_DETECT_KEYPOINTS },
                 { VD_DETECT_LVIS, VD_DETECT_SEGM },
                 { VD_DETECT_VOC, VD_DETECT_BBOX } };
    const uint8_t *at = n > 0 ? memchr(d, 0x1e, n) : NULL;
    for (int i = 0; at != NULL && i < VD_COUNT(kind); i++) {
        vd_detect_rules rules;
        vd_err err = { 0 };
        int64_t before = vd_mem_live();
        vd_detect_rules_init(&rules, kind[i].metric, kind[i].type);
        vd_status st = judge_detect_one(d, n, (size_t)(at - d), &rules, &err);
        judge_must(st == VD_OK || err.msg[0] != '\0');
        judge_must(vd_mem_live() == before);
    }
}

static inline void judge_panoptic(const uint8_t *d, size_t n) {
    vd_panoptic p = { 0 };
    vd_err err = { 0 };
    int64_t before = vd_mem_live();
    vd_status st = vd_panoptic_read(&p, "fuzz", d, n, &err);
    judge_must(st == VD_OK || err.msg[0] != '\0');
    vd_panoptic_reset(&p);
    judge_must(vd_mem_live() == before);
}

static inline void judge_csv(const uint8_t *d, size_t n) {
    char *text = malloc(n + 1);
    vd_csv c;
    vd_err err = { 0 };
    bool more = true;
    size_t length = 0;
    if (text == NULL) return;
    memcpy(text, d, n);
    text[n] = '\0';
    vd_csv_init(&c, "fuzz", text, n);
    vd_status st = VD_OK;
    while (st == VD_OK && more) {
        st = vd_csv_next(&c, &more, &err);
        for (int64_t i = 0; st == VD_OK && i < c.n; i++) length += strlen(c.field[i]);
    }
    judge_must(length <= n && (st == VD_OK || err.msg[0] != '\0'));
    vd_csv_reset(&c);
    free(text);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_judge[] = { { "detect", judge_detect },
                   { "panoptic", judge_panoptic },
                   { "csv_rows", judge_csv } };

#endif
