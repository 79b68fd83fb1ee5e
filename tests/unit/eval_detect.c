/* Detections: figures that pycocotools gave, figures that can be worked out, and files that are
 * none. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "eval/detect.h"

#include "unit/coco_figures.inc"

enum { SEPARATOR = 0x1e };

typedef struct judged {
    vd_detect_rules rules;
    vd_detect_truth truth;
    vd_detect_set set;
    vd_detect_hits hits;
    vd_detect_curves curves;
    double number[VD_DETECT_NUMBERS];
} judged;

static void judged_reset(judged *j) {
    vd_detect_truth_reset(&j->truth);
    vd_detect_set_reset(&j->set);
    vd_detect_hits_reset(&j->hits);
    vd_detect_curves_reset(&j->curves);
}

static vd_status judge(judged *j, const char *truth, const char *results, vd_pool *pool,
                       vd_err *err) {
    VD_TRY(vd_detect_read_truth(&j->truth, "truth", truth, strlen(truth), &j->rules, err));
    VD_TRY(vd_detect_read_predictions(&j->set, "results", results, strlen(results), &j->truth,
                                      &j->rules, err));
    VD_TRY(vd_detect_match(&j->hits, &j->truth, &j->set, &j->rules, pool, err));
    VD_TRY(vd_detect_curves_make(&j->curves, &j->hits, &j->rules, pool, err));
    return vd_detect_summarise(j->number, &j->curves, &j->rules, j->truth.category, 0,
                               j->truth.n_categories, err);
}

/* A file of the corpus, cut in two. */
static char *corpus(const char *name, char **results) {
    static char text[8192];
    char path[1200];
    snprintf(path, sizeof path, "%s/detect/%s", VD_FUZZ_CORPUS, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    *results = strchr(text, SEPARATOR);
    if (*results == NULL) return NULL;
    *(*results)++ = '\0';
    return text;
}

static double sum_of(const double *v, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i];
    return sum;
}

T(figures_are_those_of_pycocotools_to_the_bit) {
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(expected_figures); i++) {
        judged j = { 0 };
        char *results = NULL, *truth = corpus(expected_figures[i].file, &results);
        T_NEED(truth != NULL);
        vd_detect_rules_init(&j.rules, VD_DETECT_COCO, expected_figures[i].type);
        T_OK(judge(&j, truth, results, NULL, &err));
        const char *const *name;
        for (int k = 0; k < vd_detect_numbers(&j.rules, &name); k++)
            if (j.number[k] != expected_figures[i].number[k])
                T_FAIL("%s: %s is %a, expected %a", expected_figures[i].file, name[k], j.number[k],
                       expected_figures[i].number[k]);
        int64_t rows = (int64_t)j.rules.n_thresholds * j.curves.n_categories * j.rules.n_areas *
                       j.rules.n_caps;
        T_TRUE(sum_of(j.curves.precision, rows * j.rules.n_recalls) ==
               expected_figures[i].precision);
        T_TRUE(sum_of(j.curves.score, rows * j.rules.n_recalls) == expected_figures[i].score);
        T_TRUE(sum_of(j.curves.recall, rows) == expected_figures[i].recall);
        judged_reset(&j);
    }
}

/* Two objects, three predictions: a hit (IoU 1), a false alarm, a hit (IoU 0.6). */
static const char truth_of_two[] =
    "{\"images\":[{\"id\":5,\"width\":100,\"height\":100}],\"categories\":[{\"id\":3,\"name\":\"cat\"}],"
    "\"annotations\":[{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,40,40],\"area\":1600,\"iscrowd\":0},"
    "{\"id\":2,\"image_id\":5,\"category_id\":3,\"bbox\":[50,50,10,10],\"area\":100,\"iscrowd\":0}]}";
static const char results_of_three[] =
    "[{\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,40,40],\"score\":0.9},"
    "{\"image_id\":5,\"category_id\":3,\"bbox\":[80,0,5,5],\"score\":0.8},"
    "{\"image_id\":5,\"category_id\":3,\"bbox\":[50,50,10,6],\"score\":0.7}]";

T(a_case_that_can_be_worked_out) {
    vd_err err = { 0 };
    judged j = { 0 };
    vd_detect_rules_init(&j.rules, VD_DETECT_COCO, VD_DETECT_BBOX);
    T_OK(judge(&j, truth_of_two, results_of_three, NULL, &err));
    /* at 0.5, 0.55, 0.6: precision 1 up to recall 0.5 (51 points), then 2/3 (50); above: 51 points
     */
    double with = (51 + 50 * 2.0 / 3) / 101, without = 51.0 / 101;
    T_NEAR(j.number[0], (3 * with + 7 * without) / 10, 1e-12);
    T_NEAR(j.number[1], with, 1e-12);
    T_NEAR(j.number[2], without, 1e-12);
    T_NEAR(j.number[8], (3 * 1 + 7 * 0.5) / 10, 1e-12); /* AR100 */
    T_NEAR(j.number[6], 0.5, 1e-12);                    /* AR1: the best alone */
    T_NEAR(j.number[9], 0.3, 1e-12);                    /* small: the second object */
    T_TRUE(j.number[11] == -1);                         /* large: none */
    T_EQ(j.hits.hit[0].object, 0);
    T_EQ(j.hits.hit[1].object, -1);
    T_EQ(j.hits.hit[2].object, 1);
    T_NEAR(j.hits.hit[2].overlap, 0.6, 1e-12);
    judged_reset(&j);
}

T(voc_by_both_ways_of_averaging) {
    vd_err err = { 0 };
    const double want[] = { 0.5 * 1 + 0.5 * 2 / 3, (6 + 5 * 2.0 / 3) / 11 };
    for (int k = 0; k < 2; k++) {
        judged j = { 0 };
        vd_detect_rules_init(&j.rules, k == 0 ? VD_DETECT_VOC : VD_DETECT_VOC07, VD_DETECT_BBOX);
        T_OK(judge(&j, truth_of_two, results_of_three, NULL, &err));
        T_NEAR(j.number[0], want[k], 1e-12);
        T_NEAR(j.number[1], 1, 1e-12);
        judged_reset(&j);
    }
}

/* A second prediction of an object is a false alarm for VOC even where another object is near. */
T(voc_takes_the_object_overlapped_most_free_or_not) {
    vd_err err = { 0 };
    judged j = { 0 };
    vd_detect_rules_init(&j.rules, VD_DETECT_VOC, VD_DETECT_BBOX);
    T_OK(judge(&j, truth_of_two,
               "[{\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,40,40],\"score\":0.9},"
               "{\"image_id\":5,\"category_id\":3,\"bbox\":[1,0,40,40],\"score\":0.8}]",
               NULL, &err));
    T_EQ(j.hits.hit[0].hit[0], 1);
    T_EQ(j.hits.hit[1].miss[0], 1);
    judged_reset(&j);
}

T(pools_change_no_bit) {
    vd_err err = { 0 };
    double first[50 * VD_DETECT_NUMBERS], again[50 * VD_DETECT_NUMBERS];
    for (int i = 0; i < VD_COUNT(expected_figures); i++) {
        char *results = NULL, *truth = corpus(expected_figures[i].file, &results);
        T_NEED(truth != NULL);
        for (int jobs = 1; jobs <= 4; jobs += 3) {
            judged j = { 0 };
            vd_pool *pool = NULL;
            T_OK(vd_pool_new(&pool, jobs, &err));
            vd_detect_rules_init(&j.rules, VD_DETECT_COCO, expected_figures[i].type);
            T_OK(judge(&j, truth, results, pool, &err));
            memset(again, 0, sizeof again);
            T_OK(
                vd_detect_bootstrap(again, 50, 3, &j.hits, &j.rules, j.truth.category, pool, &err));
            if (jobs == 1)
                memcpy(first, again, sizeof first);
            else
                T_TRUE(memcmp(first, again, sizeof first) == 0);
            judged_reset(&j);
            vd_pool_free(pool);
        }
    }
}

/* With one picture every replicate is the picture, drawn once: the figures themselves. */
T(replicates_of_one_picture_are_the_figures) {
    vd_err err = { 0 };
    for (int metric = VD_DETECT_COCO; metric <= VD_DETECT_VOC07; metric++) {
        judged j = { 0 };
        double out[3 * VD_DETECT_NUMBERS] = { 0 };
        const char *const *name;
        if (metric == VD_DETECT_LVIS) continue;
        vd_detect_rules_init(&j.rules, (vd_detect_metric)metric, VD_DETECT_BBOX);
        T_OK(judge(&j, truth_of_two, results_of_three, NULL, &err));
        T_OK(vd_detect_bootstrap(out, 3, 1, &j.hits, &j.rules, NULL, NULL, &err));
        for (int b = 0; b < 3; b++)
            for (int i = 0; i < vd_detect_numbers(&j.rules, &name); i++)
                T_NEAR(out[b * VD_DETECT_NUMBERS + i], j.number[i], 1e-12);
        judged_reset(&j);
    }
}

static void refused(t_case *t, const char *truth, const char *results, vd_detect_type type,
                    const char *words) {
    judged j = { 0 };
    vd_err err = { 0 };
    int64_t before = vd_mem_live();
    vd_detect_rules_init(&j.rules, VD_DETECT_COCO, type);
    vd_status st = judge(&j, truth, results, NULL, &err);
    if (st != VD_E_FORMAT || strstr(err.msg, words) == NULL)
        T_FAIL("status %d, '%s'; expected '%s'", st, err.msg, words);
    judged_reset(&j);
    T_EQ(vd_mem_live(), before);
}

#define TRUTH(annotations)                                                                         \
    "{\"images\":[{\"id\":5,\"width\":9,\"height\":9}],\"categories\":[{\"id\":3}],"               \
    "\"annotations\":[" annotations "]}"

T(files_that_are_none_are_refused) {
    const char *ok = TRUTH("");
    refused(t, "[]", "[]", VD_DETECT_BBOX, "truth: byte 0");
    refused(t, "{\"images\":[],\"annotations\":[]}", "[]", VD_DETECT_BBOX, "no \"categories\"");
    refused(t, TRUTH("{\"image_id\":5,\"category_id\":3,\"bbox\":[1,2,3,4]}"), "[]", VD_DETECT_BBOX,
            "an annotation without \"id\"");
    refused(t, TRUTH("{\"id\":1,\"image_id\":5,\"category_id\":3}"), "[]", VD_DETECT_BBOX,
            "an annotation without \"bbox\"");
    refused(t, TRUTH("{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[1,2,3]}"), "[]",
            VD_DETECT_BBOX, "a box that is not four numbers");
    refused(t,
            TRUTH("{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[1,2,3,4]},"
                  "{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[1,2,3,4]}"),
            "[]", VD_DETECT_BBOX, "two annotations have the id 1");
    refused(t, ok, "{}", VD_DETECT_BBOX, "an array of objects");
    refused(t, ok, "[{\"image_id\":5,\"category_id\":3,\"score\":1}]", VD_DETECT_BBOX,
            "a result without \"bbox\", \"segmentation\" and \"keypoints\"");
    refused(t, ok, "[{\"image_id\":5,\"category_id\":3,\"bbox\":[1,2,3,4]}]", VD_DETECT_BBOX,
            "without \"score\"");
    refused(t, ok, "[{\"image_id\":6,\"category_id\":3,\"bbox\":[1,2,3,4],\"score\":1}]",
            VD_DETECT_BBOX, "result 0 is of image 6, which the truth has not");
    refused(t, ok,
            "[{\"image_id\":5,\"category_id\":3,\"score\":1,\"segmentation\":{\"counts\":\"1\"}}]",
            VD_DETECT_SEGM, "a mask without a size");
    refused(t, TRUTH("{\"id\":7,\"image_id\":5,\"category_id\":3,\"area\":1}"),
            "[{\"image_id\":5,\"category_id\":3,\"score\":1,\"bbox\":[1,2,3,4]}]", VD_DETECT_SEGM,
            "annotation 7: no \"segmentation\"");
    refused(t, ok, "[{\"image_id\":5,\"category_id\":3,\"score\":1,\"keypoints\":[1,2,2]}]",
            VD_DETECT_KEYPOINTS, "3 keypoint numbers, expected are 3 each of 17");
}

T(nothing_predicted_finds_nothing) {
    vd_err err = { 0 };
    judged j = { 0 };
    vd_detect_rules_init(&j.rules, VD_DETECT_COCO, VD_DETECT_BBOX);
    T_OK(judge(&j, truth_of_two, "[]", NULL, &err));
    T_TRUE(j.number[0] == 0 && j.number[8] == 0 && j.number[5] == -1);
    judged_reset(&j);
}

T(refused_memory_is_survived) {
    for (int i = 0; i < VD_COUNT(expected_figures); i++) {
        char *results = NULL, *truth = corpus(expected_figures[i].file, &results);
        T_NEED(truth != NULL);
        for (int64_t n = 0, hit = 1; hit; n += 1 + n / 30) {
            judged j = { 0 };
            vd_err err = { 0 };
            double out[2 * VD_DETECT_NUMBERS];
            int64_t before = vd_mem_live();
            vd_detect_rules_init(&j.rules, VD_DETECT_COCO, expected_figures[i].type);
            vd_mem_fail_at(n, false);
            vd_status st = judge(&j, truth, results, NULL, &err);
            if (st == VD_OK)
                st = vd_detect_bootstrap(out, 2, 1, &j.hits, &j.rules, NULL, NULL, &err);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            judged_reset(&j);
            T_EQ(vd_mem_live(), before);
        }
    }
}
