/* What a loaded part of vidimus-codec may call. SPDX-License-Identifier: Apache-2.0
 *
 * Everything here is compiled with hidden visibility. The functions with this mark are the
 * program's, for the module to call: what has state (serve.h, icc.h), and what the program has
 * loaded or compiled already (meta.h, report.h). The loader of the system joins them, and refuses a
 * module that calls what is not there. Of `base` the module has copies of its own, which know
 * nothing of each other: memory from one side must not be grown or freed by the other. */
#ifndef VD_CODEC_MODULE_H
#define VD_CODEC_MODULE_H

#define VD_FOR_MODULE __attribute__((visibility("default")))

#endif
