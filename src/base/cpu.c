/* CPU features. SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned bit, mask; /* mask: this level and those below */
} levels[] = {
    { "c", 0, 0 },
    { "avx2", VD_CPU_AVX2, VD_CPU_AVX2 },
    { "avx512", VD_CPU_AVX512, VD_CPU_AVX2 | VD_CPU_AVX512 },
    { "vnni", VD_CPU_VNNI, VD_CPU_AVX2 | VD_CPU_AVX512 | VD_CPU_VNNI },
    { "vpopcntdq", VD_CPU_VPOPCNTDQ, VD_CPU_AVX2 | VD_CPU_AVX512 | VD_CPU_VNNI | VD_CPU_VPOPCNTDQ },
    { "native", 0, ~0u },
};

unsigned vd_cpu_detected(void) {
#if defined(__x86_64__)
    unsigned f = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt"))
        f |= VD_CPU_AVX2;
    if ((f & VD_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        f |= VD_CPU_AVX512;
    if ((f & VD_CPU_AVX512) && __builtin_cpu_supports("avx512vnni")) f |= VD_CPU_VNNI;
    if ((f & VD_CPU_AVX512) && __builtin_cpu_supports("avx512vpopcntdq")) f |= VD_CPU_VPOPCNTDQ;
    return f;
#else
    return 0;
#endif
}

unsigned vd_cpu_mask_of(const char *name) {
    for (int i = 0; i < VD_COUNT(levels); i++)
        if (strcmp(levels[i].name, name) == 0) return levels[i].mask;
    return ~0u;
}

unsigned vd_cpu_features(void) {
    const char *level = getenv("VIDIMUS_CPU");
    return vd_cpu_detected() & (level != NULL ? vd_cpu_mask_of(level) : ~0u);
}

int vd_cpu_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

void vd_cpu_name(char *out, size_t size) {
    unsigned f = vd_cpu_features();
    size_t n = (size_t)snprintf(out, size, "c");
    for (int i = 0; i < VD_COUNT(levels) && n < size; i++)
        if (levels[i].bit & f) n += (size_t)snprintf(out + n, size - n, " %s", levels[i].name);
}
