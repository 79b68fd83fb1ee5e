/* Choice of the kernel table. SPDX-License-Identifier: Apache-2.0 */
#include "synth/kern.h"

#include "base/cpu.h"

const vd_synth_kern *vd_synth_kern_for(unsigned features) {
#if defined(__x86_64__)
    if (features & VD_CPU_AVX512) return &vd_synth_kern_avx512;
    if (features & VD_CPU_AVX2) return &vd_synth_kern_avx2;
#endif
    (void)features;
    return &vd_synth_kern_c;
}
