/* Sums with the very bits of NumPy's. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_SUM_H
#define VD_EVAL_SUM_H

#include <stdint.h>

/* NumPy's pairwise summation: halves, down to blocks of at most 128 with eight running sums. */
double vd_sum_pairwise(const double *v, int64_t n);
#endif
