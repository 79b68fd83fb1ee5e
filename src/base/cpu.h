/* CPU features, detected once and masked by VIDIMUS_CPU. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_CPU_H
#define VD_BASE_CPU_H

#include "base/err.h"

enum {
    VD_CPU_AVX2 = 1,   /* AVX2, FMA, BMI2, POPCNT */
    VD_CPU_AVX512 = 2, /* F, BW, DQ, VL, CD */
    VD_CPU_VNNI = 4,   /* AVX-512 VNNI */
    VD_CPU_VPOPCNTDQ = 8,
    VD_CPU_AMX_INT8 = 16,
};

/* Features of this machine that the operating system enabled, limited by the environment variable
 * VIDIMUS_CPU (c, avx2, avx512, vnni, vpopcntdq, native) to that level and those below it. */
unsigned vd_cpu_features(void);
unsigned vd_cpu_detected(void);            /* without the mask */
unsigned vd_cpu_mask_of(const char *name); /* for test harnesses: the mask a level stands for */
int vd_cpu_count(void);                    /* processors this process may use, at least 1 */
void vd_cpu_name(char *out, size_t size);  /* "avx2 avx512 vnni" */
#endif
