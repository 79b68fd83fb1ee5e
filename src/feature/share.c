/* How the samples of a patch are shared out to the four histograms across: computed from the
 * formula, which tests/unit/feature_sift.c has too. SPDX-License-Identifier: Apache-2.0
 *
 * Sample i lies at p = 5 (i + 1/2) / 24 - 5/2 bins from the centre, that is at b = p + 3/2 when
 * the centre of bin k has the coordinate k; near = (1 - b + floor b) g, far = (b - floor b) g,
 * g = exp(-p^2 / 8). */
#include "feature/kern_ref.h"

const vd_patch_share vd_feature_share = {
    { -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3 },
    { 0.437139433f, 0.378008733f, 0.293656553f, 0.183006613f, 0.046062113f, 0.679193058f,
      0.548081895f, 0.391981022f, 0.214431221f, 0.020138751f, 0.802642078f, 0.603347769f,
      0.395296814f, 0.185225095f, 0.946521277f, 0.721268651f, 0.503975599f, 0.300561039f,
      0.115959790f, 0.690931700f, 0.492710112f, 0.319191905f, 0.171822151f, 0.050830167f },
    { 0.050830167f, 0.171822151f, 0.319191905f, 0.492710112f, 0.690931700f, 0.115959790f,
      0.300561039f, 0.503975599f, 0.721268651f, 0.946521277f, 0.185225095f, 0.395296814f,
      0.603347769f, 0.802642078f, 0.020138751f, 0.214431221f, 0.391981022f, 0.548081895f,
      0.679193058f, 0.046062113f, 0.183006613f, 0.293656553f, 0.378008733f, 0.437139433f },
};
