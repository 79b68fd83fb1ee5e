/* The kinds of problems of labels. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"

const vd_audit_kind_row vd_audit_kinds[VD_AUDIT_KINDS] = {
    [VD_AUDIT_MISSING_IMAGE] = { "missing_image", 0.5, "labels of a picture that is not there" },
    [VD_AUDIT_IMAGE_SIZE] = { "image_size", 0.5,
                              "the picture has another size than its labels say" },
    [VD_AUDIT_LABELLED_TWICE] = { "labelled_twice", 0.5, "the picture occurs twice in the set" },
    [VD_AUDIT_CATEGORY_NAMES] = { "category_names", 0.5,
                                  "categories that differ in case or blanks alone" },
    [VD_AUDIT_UNUSED_CATEGORY] = { "unused_category", 1, "a category without an object (a note)" },
    [VD_AUDIT_UNKNOWN_CATEGORY] = { "unknown_category", 0.5, "an object without a category" },
    [VD_AUDIT_DEGENERATE] = { "degenerate", 0.5, "a shape without an area" },
    [VD_AUDIT_OUTSIDE_IMAGE] = { "outside_image", 0.98, "a box beyond the edges of its picture" },
    [VD_AUDIT_SELF_INTERSECTING] = { "self_intersecting", 0.5, "a polygon that crosses itself" },
    [VD_AUDIT_KEYPOINTS_OUTSIDE] = { "keypoints_outside", 0.5,
                                     "labelled keypoints far outside of their box" },
    [VD_AUDIT_DUPLICATE_BOX] = { "duplicate_box", 0.02, "the same box of the same class again" },
    [VD_AUDIT_NEAR_DUPLICATE_BOX] = { "near_duplicate_box", 0.2,
                                      "nearly the same box of the same class" },
    [VD_AUDIT_TWO_CLASSES] = { "two_classes", 0.1, "nearly the same box of another class" },
    [VD_AUDIT_INCONSISTENT_COPIES] = { "inconsistent_copies", 0.5,
                                       "copies of a picture are labelled differently" },
    [VD_AUDIT_ODD_SIZE] = { "odd_object_size", 0.5,
                            "much larger or smaller than others of its class" },
    [VD_AUDIT_ODD_ASPECT] = { "odd_object_aspect", 0.5,
                              "of another proportion than others of its class" },
    [VD_AUDIT_TRACK_JUMP] = { "track_jump", 0.5, "a track that jumps from one frame to the next" },
    [VD_AUDIT_OVERLOOKED] = { "overlooked", 0.5, "a confident prediction where no label is" },
    [VD_AUDIT_BADLY_LOCATED] = { "badly_located", 0.5,
                                 "a confident prediction overlaps the label partly" },
    [VD_AUDIT_SWAPPED] = { "swapped", 0.5, "a confident prediction says another class" },
    [VD_AUDIT_POOR_IMAGE] = { "poor_image", 0.3,
                              "predictions and labels of the picture disagree in all" },
    [VD_AUDIT_WRONG_CLASS] = { "wrong_class", 0.5,
                               "a model's probabilities say another class (confident learning)" },
    [VD_AUDIT_INCONSISTENT_IN_3D] = { "inconsistent_in_3d", 0.5,
                                      "most other views of a scene say another class" },
    [VD_AUDIT_MISSING_IN_3D] = { "missing_in_3d", 0.5,
                                 "other views of a scene have it labelled, this one has not" },
};

vd_audit_kind vd_audit_kind_find(const char *key, size_t n) {
    int i = 0;
    while (i < VD_AUDIT_KINDS &&
           !(strlen(vd_audit_kinds[i].key) == n && strncmp(vd_audit_kinds[i].key, key, n) == 0))
        i++;
    return (vd_audit_kind)i;
}

vd_status vd_audit_threshold(double threshold[VD_AUDIT_KINDS], const char *text, vd_err *err) {
    size_t n = strcspn(text, "=");
    vd_audit_kind kind = vd_audit_kind_find(text, n);
    char *end = NULL;
    double v = text[n] == '=' ? strtod(text + n + 1, &end) : -1;
    if (kind == VD_AUDIT_KINDS || end == text + n + 1 || end == NULL || *end != '\0' ||
        !(v >= 0 && v <= 1))
        return vd_fail(
            err, VD_E_ARG,
            "--threshold '%.60s' is not KIND=SCORE with a known kind and a score of 0 to 1", text);
    threshold[kind] = v;
    return VD_OK;
}
