/* Vectors of assets. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CURATE_VECTORS_H
#define VD_CURATE_VECTORS_H

#include "curate/assets.h"
#include "index/vectors.h"

struct vd_pool;

/* `from` is one of
 *     look        colour and texture, the hidden fact of the stage fingerprint
 *     global      VLAD of the pictures' SIFT descriptors, whose words are made from these pictures
 *     FILE.npy    float32, float64, int8 or uint8, n x dim: a row for every present picture of the
 *                 dataset in the order of ids, or, with `ids`, an int64 array, for these assets
 *     NAME        the arrays of that name in the catalog, one an asset, all of one size and type
 * shapes : row[list->n]: the vector of each, -1 where it has none
 * owns   : *out is replaced, untouched on failure
 * fails  : VD_E_ARG, VD_E_FORMAT, VD_E_NOTFOUND (no asset has one), VD_E_NOMEM, catalog errors */
vd_status vd_asset_vectors(vd_vectors *out, int32_t *row, const vd_dataset *ds,
                           const vd_curated_list *list, const char *from, const char *ids,
                           struct vd_pool *pool, vd_err *err);
#endif
