/* libFuzzer's entry: FUZZ_TARGET chooses one of judge.h's. SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_judge[FUZZ_TARGET].run(data, size);
    return 0;
}
