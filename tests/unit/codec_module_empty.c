/* A shared library that is no module, for codec_module.c. SPDX-License-Identifier: Apache-2.0 */
int vd_nothing(void);
__attribute__((visibility("default"))) int vd_nothing(void) {
    return 0;
}
