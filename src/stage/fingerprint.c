/* Stage fingerprint: the PDQ hash of a picture. SPDX-License-Identifier: Apache-2.0 */
#include "stage/stages.h"
#include "stage/work.h"

enum { C_PDQ, C_QUALITY, N_COLUMNS };

static const vd_column columns[N_COLUMNS] = {
    [C_PDQ] = { "pdq", VD_BLOB, "", "perceptual hash, 256 bit; copies lie within 31 bits", VD_COL_HEX },
    [C_QUALITY] = { "pdq_quality", VD_INT, "", "0..100; below 50 there is too little structure to compare", 0 },
};

const vd_table_decl vd_table_fingerprint = { "fact_fingerprint", columns, N_COLUMNS };

static vd_status run_fingerprint(vd_asset_work *w, vd_value *out, vd_err *err) {
    if (w->frame == NULL) return VD_OK;
    VD_TRY(vd_work_metrics(w, err));
    uint8_t *bytes = vd_arena_alloc(w->arena, 32);
    if (bytes == NULL) return vd_nomem(err);
    for (int i = 0; i < 32; i++) { /* bit 255 first, as the reference prints it */
        int bit = 255 - 8 * i - 7;
        bytes[i] = (uint8_t)(w->pdq.hash[bit / 64] >> (bit % 64));
    }
    out[C_PDQ] = vd_val_blob(bytes, 32);
    out[C_QUALITY] = vd_val_int(w->pdq.quality);
    return VD_OK;
}

const vd_stage vd_stage_fingerprint = {
    .name = "fingerprint",
    .help = "PDQ, a perceptual hash",
    .version = 1,
    .scope = VD_SCOPE_ASSET,
    .inputs = "add,check",
    .table = &vd_table_fingerprint,
    .needs_pixels = true,
    .asset = run_fingerprint,
};
