/* How the samples of a patch are shared out to the four histograms across: the values of a
 * formula, which tests/unit/feature_sift.c computes anew. SPDX-License-Identifier: Apache-2.0
 *
 * Sample i lies at p = 5 (i + 1/2) / VD_PATCH_SIDE - 5/2 bins from the centre, which is at
 * b = p + 3/2 when the centre of bin k is at k: near = (1 - b + floor b) g, far = (b - floor b) g,
 * g = exp(-p^2 / 8). */
#include "feature/kern_ref.h"

const vd_patch_share vd_feature_share = {
    { -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3 },
    { 0.432311227f, 0.355419409f, 0.241645772f, 0.089858446f, 0.690831373f,
      0.533547726f, 0.340775159f, 0.119043100f, 0.859753535f, 0.623780488f,
      0.374268293f, 0.122821934f, 0.833301700f, 0.567958598f, 0.320128636f,
      0.098690196f, 0.629009123f, 0.402742953f, 0.213251645f, 0.061758747f },
    { 0.061758747f, 0.213251645f, 0.402742953f, 0.629009123f, 0.098690196f,
      0.320128636f, 0.567958598f, 0.833301700f, 0.122821934f, 0.374268293f,
      0.623780488f, 0.859753535f, 0.119043100f, 0.340775159f, 0.533547726f,
      0.690831373f, 0.089858446f, 0.241645772f, 0.355419409f, 0.432311227f },
};
