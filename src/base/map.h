/* A hash map from byte strings to int64, open addressing; keys are copied. One writer or many
 * readers. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_MAP_H
#define VD_BASE_MAP_H

#include "base/err.h"

typedef struct vd_map vd_map;

vd_status vd_map_new(vd_map **out, vd_err *err);
void vd_map_free(vd_map *m);
vd_status vd_map_put(vd_map *m, const void *key, size_t n, int64_t value, vd_err *err);
bool vd_map_get(const vd_map *m, const void *key, size_t n, int64_t *value);
int64_t vd_map_size(const vd_map *m);
#endif
