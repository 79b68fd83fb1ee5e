/* Detections against a truth: average precision and recall. SPDX-License-Identifier: Apache-2.0
 *
 * Predictions of a class in a picture, the best score first, each take the object of the truth that
 * they overlap most and that is still free. Those that found one are hits, the others false alarms;
 * objects that are marked (crowds) or outside the range of areas in question count neither way.
 * Over all pictures, by descending score, hits and false alarms so far give precision and recall;
 * precision is read off at fixed recalls as the best that is reached at that recall or later, and
 * averaged [Lin et al. 2014, Microsoft COCO; Everingham et al. 2010, The PASCAL VOC challenge].
 *
 * VD_DETECT_COCO gives the very bits of pycocotools' COCOeval: the order of equal scores, the order
 * of additions and the smallest constants are its own. VD_DETECT_LVIS is that of the LVIS API: 300
 * predictions a picture, classes judged only in pictures where their presence or absence is known
 * [Gupta et al. 2019]. VD_DETECT_VOC takes the object overlapped most, free or not, at an overlap
 * of 0.5.
 *
 * Threads: sets are read by any number of readers. Results do not depend on the pool. */
#ifndef VD_EVAL_DETECT_H
#define VD_EVAL_DETECT_H

#include "base/pool.h"
#include "label/mask.h"

typedef enum vd_detect_type { VD_DETECT_BBOX, VD_DETECT_SEGM, VD_DETECT_KEYPOINTS } vd_detect_type;
typedef enum vd_detect_metric {
    VD_DETECT_COCO,
    VD_DETECT_LVIS,
    VD_DETECT_VOC,   /* precision at every recall: the area below the curve */
    VD_DETECT_VOC07, /* at 11 recalls */
} vd_detect_metric;

enum {
    VD_DETECT_THRESHOLDS = 10,
    VD_DETECT_RECALLS = 101,
    VD_DETECT_AREAS = 4,
    VD_DETECT_CAPS = 3,
    VD_DETECT_KEYPOINTS_MAX = 256,
    VD_DETECT_NUMBERS = 13,           /* headline numbers, at most */
    VD_DETECT_MAX_CATEGORIES = 20000, /* each has 200 kB of curves */
};

/* What is counted, and how. */
typedef struct vd_detect_rules {
    vd_detect_metric metric;
    vd_detect_type type;
    int n_thresholds, n_recalls, n_areas, n_caps;
    double threshold[VD_DETECT_THRESHOLDS]; /* least overlap of a hit, ascending */
    double recall[VD_DETECT_RECALLS];       /* ascending */
    double area[VD_DETECT_AREAS][2];        /* px^2, both ends within */
    int32_t cap[VD_DETECT_CAPS]; /* predictions of a class and picture that count, ascending */
    int n_keypoints;
    double sigma[VD_DETECT_KEYPOINTS_MAX]; /* how exactly a keypoint can be placed */
} vd_detect_rules;

void vd_detect_rules_init(vd_detect_rules *out, vd_detect_metric metric, vd_detect_type type);

/* The names of the headline numbers: AP AP50 ..., and how many there are. */
int vd_detect_numbers(const vd_detect_rules *rules, const char *const **names);

/* ---- what is compared ---- */

enum {
    VD_DETECT_CROWD = 1,   /* any number of predictions may take it */
    VD_DETECT_IGNORED = 2, /* counts neither as found nor as missed */
    VD_DETECT_ID_ZERO = 4, /* see vd_detect_read_truth */
    VD_DETECT_UNLISTED =
        8, /* a false alarm of it counts not: not all of its class are in the truth */
};

typedef enum vd_outline {
    VD_OUTLINE_NONE,
    VD_OUTLINE_BOX,      /* the corners of the box */
    VD_OUTLINE_POLYGONS, /* n of them in `number`: how many coordinates, and these */
    VD_OUTLINE_BOXES,    /* n of them in `number`, x y width height */
    VD_OUTLINE_RUNS,     /* n numbers */
    VD_OUTLINE_TEXT,     /* n characters of `text` */
} vd_outline;

typedef struct vd_detect_object {
    int64_t id, image, category; /* the last two: ids while reading, then indices; -1: none */
    double box[4];               /* x y width height, px */
    double area, score;
    uint8_t flags;
    uint8_t outline; /* vd_outline */
    int32_t height, width;
    int64_t outline_at, n; /* where it begins, and of what length */
    int64_t keypoints_at;  /* 3 n_keypoints of `number`; -1: none */
} vd_detect_object;

/* One side's objects, in the order of its file. */
typedef struct vd_detect_set {
    vd_detect_object *object;
    int64_t n, cap;
    double *number;
    int64_t n_numbers, cap_numbers;
    char *text;
    int64_t n_text, cap_text;
} vd_detect_set;

typedef struct vd_detect_image {
    int64_t id;
    int32_t height, width;          /* 0: not said */
    int64_t absent_at, unlisted_at; /* LVIS, in `list`: category ids, how many first; -1 */
    int64_t name_at;                /* of its file, in `names`; -1: not said */
} vd_detect_image;

typedef struct vd_detect_category {
    int64_t id;
    char *name;
    char frequency; /* LVIS: r, c or f; 0: not said */
} vd_detect_category;

/* Images and categories by ascending id. */
typedef struct vd_detect_truth {
    vd_detect_image *image;
    int64_t n_images, cap_images;
    vd_detect_category *category;
    int64_t n_categories, cap_categories;
    int64_t *list;
    int64_t n_list, cap_list;
    char *names;
    int64_t n_names, cap_names;
    vd_detect_set objects;
} vd_detect_truth;

void vd_detect_set_reset(vd_detect_set *s);
void vd_detect_truth_reset(vd_detect_truth *t);

/* Reads COCO's and LVIS's files: a truth with images, annotations and categories, in any order, and
 * results, an array. What pycocotools makes of them is kept where figures depend on it: the area of
 * a prediction is its box's if the first one has a box, a match with the annotation of id 0 counts
 * as none, predictions of unknown categories are passed over. An area that is missing is the
 * outline's or box's. Fail with VD_E_FORMAT (the message names the byte), VD_E_IO, VD_E_LIMIT,
 * VD_E_NOMEM. `size` bytes of memory, or a file where `bytes` is NULL. */
vd_status vd_detect_read_truth(vd_detect_truth *out, const char *path, const void *bytes,
                               size_t size, const vd_detect_rules *rules, vd_err *err);
vd_status vd_detect_read_predictions(vd_detect_set *out, const char *path, const void *bytes,
                                     size_t size, const vd_detect_truth *truth,
                                     const vd_detect_rules *rules, vd_err *err);

/* The same of objects that come from elsewhere, with ids: sorts images and categories and turns ids
 * into indices; `where` names the source in messages. Fail with VD_E_FORMAT, VD_E_LIMIT,
 * VD_E_NOMEM. */
vd_status vd_detect_finish_truth(vd_detect_truth *t, const vd_detect_rules *rules,
                                 const char *where, vd_err *err);
vd_status vd_detect_finish_predictions(vd_detect_set *s, const vd_detect_truth *t,
                                       const vd_detect_rules *rules, const char *where,
                                       vd_err *err);
/* Keeps the name of an image's file; NULL is none. */
vd_status vd_detect_name_image(vd_detect_truth *t, vd_detect_image *image, const char *name,
                               vd_err *err);
const char *vd_detect_image_name(const vd_detect_truth *t, int64_t image); /* NULL: not said */

/* ---- matching ---- */

/* A prediction and what became of it: bit t stands for threshold t. Neither bit: passed over. */
typedef struct vd_detect_hit {
    double score;
    int64_t prediction; /* its index in the set */
    int64_t object; /* of the truth, at the lowest threshold without a limit of area; -1: none */
    double overlap; /* with it; else the largest with any of its class and picture */
    int32_t image;
    int32_t rank; /* among those of its class and picture */
    uint16_t hit[VD_DETECT_AREAS], miss[VD_DETECT_AREAS];
} vd_detect_hit;

typedef struct vd_detect_positive {
    int32_t image, category;
    uint8_t areas; /* bit a: counts in range a */
} vd_detect_positive;

typedef struct vd_detect_hits {
    int64_t n_images, n_categories;
    vd_detect_hit *hit; /* by category, then descending score */
    int64_t *begin;     /* of each category, n_categories + 1 */
    int64_t *positives; /* [category * n_areas + range]: objects to be found */
    vd_detect_positive *positive;
    int64_t n_positive;
} vd_detect_hits;

void vd_detect_hits_reset(vd_detect_hits *h);
/* Fails with VD_E_FORMAT (an outline), VD_E_NOMEM. */
vd_status vd_detect_match(vd_detect_hits *out, const vd_detect_truth *truth,
                          const vd_detect_set *predictions, const vd_detect_rules *rules,
                          vd_pool *pool, vd_err *err);

/* The hits in some pictures only, as if the files held no others: picture[i] is the new index of
 * image i, -1 where it is left out; new indices ascend with the old ones. Fails with VD_E_NOMEM. */
vd_status vd_detect_hits_part(vd_detect_hits *out, const vd_detect_hits *hits,
                              const int32_t *picture, int64_t n_pictures,
                              const vd_detect_rules *rules, vd_err *err);

/* ---- figures ---- */

/* pycocotools' arrays, -1 where a category has nothing to be found: T thresholds, R recalls, K
 * categories, A ranges of area, M caps. */
typedef struct vd_detect_curves {
    int64_t n_categories;
    double *precision, *score; /* [T, R, K, A, M] */
    double *recall;            /* [T, K, A, M] */
} vd_detect_curves;

void vd_detect_curves_reset(vd_detect_curves *c);
/* Fails with VD_E_NOMEM. */
vd_status vd_detect_curves_make(vd_detect_curves *out, const vd_detect_hits *hits,
                                const vd_detect_rules *rules, vd_pool *pool, vd_err *err);

/* The headline numbers, over the categories of index `first` .. `first + n - 1`; -1 where there is
 * nothing to average. `categories` (for LVIS's frequencies) may be NULL. Fails with VD_E_NOMEM. */
vd_status vd_detect_summarise(double out[VD_DETECT_NUMBERS], const vd_detect_curves *curves,
                              const vd_detect_rules *rules, const vd_detect_category *categories,
                              int64_t first, int64_t n, vd_err *err);

/* Bootstrap over pictures: replicate b draws as many as there are, with replacement; the draws
 * depend on the seed and b only, so that replicates of two sets of predictions are pairs. `out` is
 * [n_replicates * VD_DETECT_NUMBERS]; a prediction of a picture that was drawn w times counts w
 * times at its place. Fails with VD_E_NOMEM. */
vd_status vd_detect_bootstrap(double *out, int64_t n_replicates, uint64_t seed,
                              const vd_detect_hits *hits, const vd_detect_rules *rules,
                              const vd_detect_category *categories, vd_pool *pool, vd_err *err);
#endif
