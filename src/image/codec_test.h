/* Doors for the tests of the supervision only. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_CODEC_TEST_H
#define VD_IMAGE_CODEC_TEST_H

#include "image/codec.h"

void vd_codec_test(vd_codec *c, int32_t what); /* VD_CODEC_TEST_* for the next requests, 0 none */
int vd_codec_test_pid(const vd_codec *c);      /* of the image process, 0 where none runs */
#endif
