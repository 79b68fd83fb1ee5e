/* libFuzzer's entry: FUZZ_TARGET chooses one of curate.h's. SPDX-License-Identifier: Apache-2.0 */
#include "curate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_curate[FUZZ_TARGET].run(data, size);
    return 0;
}
