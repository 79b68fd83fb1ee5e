/* Choice of the kernel table. SPDX-License-Identifier: Apache-2.0 */
#include "feature/kern.h"

#include "base/cpu.h"

const vd_feature_kern *vd_feature_kern_for(unsigned features) {
    (void)features;
    return &vd_feature_kern_c;
}
