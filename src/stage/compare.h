/* Are two assets the same bytes? SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_COMPARE_H
#define VD_STAGE_COMPARE_H

#include "store/db.h"

/* Compares byte by byte. What cannot be read any more is not the same as anything. Members of
 * compressed archives are trusted to their 128-bit hash: reading them again would decompress the
 * archive up to each. Fails with VD_E_NOMEM and catalog errors. */
vd_status vd_compare_assets(vd_db *db, int64_t a, int64_t b, bool *same, vd_err *err);
#endif
