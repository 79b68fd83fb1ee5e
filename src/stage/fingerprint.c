/* Stage fingerprint: the PDQ hash of a picture, and what it looks like. SPDX-License-Identifier:
 * Apache-2.0 */
#include "measure/look.h"
#include "stage/stages.h"
#include "stage/work.h"

enum { C_PDQ, C_QUALITY, C_DIHEDRAL, C_LOOK, N_COLUMNS };

static const vd_column columns[N_COLUMNS] = {
    [C_PDQ] = { "pdq", VD_BLOB, "", "perceptual hash, 256 bit; copies lie within 31 bits",
                VD_COL_HEX },
    [C_QUALITY] = { "pdq_quality", VD_INT, "",
                    "0..100; below 50 there is too little structure to compare", 0 },
    [C_DIHEDRAL] = { "pdq_dihedral", VD_BLOB, "",
                     "the eight hashes of the turned and mirrored picture, with"
                     " --dihedral",
                     VD_COL_HIDDEN },
    [C_LOOK] = { "look", VD_BLOB, "", "colour and texture as a vector, 128 int8 (measure/look.h)",
                 VD_COL_HIDDEN },
};

const vd_table_decl vd_table_fingerprint = { "fact_fingerprint", columns, N_COLUMNS };

/* 32 bytes, bit 255 first, as the reference prints it. */
static void put_hash(uint8_t *bytes, const uint64_t hash[4]) {
    for (int i = 0; i < 32; i++) {
        int bit = 255 - 8 * i - 7;
        bytes[i] = (uint8_t)(hash[bit / 64] >> (bit % 64));
    }
}

static vd_status run_fingerprint(vd_asset_work *w, vd_value *out, vd_err *err) {
    if (w->frame == NULL) return VD_OK;
    VD_TRY(vd_work_metrics(w, err));
    int8_t *look = vd_arena_alloc(w->arena, VD_LOOK_DIM);
    if (look == NULL) return vd_nomem(err);
    vd_look(look, vd_measure_small(w->measure));
    out[C_LOOK] = vd_val_blob(look, VD_LOOK_DIM);
    int n = w->run->opt->dihedral ? VD_PDQ_DIHEDRAL : 0;
    uint8_t *bytes = vd_arena_alloc(w->arena, 32 * (size_t)(1 + n));
    if (bytes == NULL) return vd_nomem(err);
    put_hash(bytes, w->pdq.hash);
    out[C_PDQ] = vd_val_blob(bytes, 32);
    out[C_QUALITY] = vd_val_int(w->pdq.quality);
    if (n == 0) return VD_OK;
    uint64_t turned[VD_PDQ_DIHEDRAL][4];
    vd_pdq_dihedral(turned, &w->pdq);
    for (int k = 0; k < n; k++) put_hash(bytes + 32 * (1 + k), turned[k]);
    out[C_DIHEDRAL] = vd_val_blob(bytes + 32, 32 * VD_PDQ_DIHEDRAL);
    return VD_OK;
}

static void params(const vd_run_opt *opt, vd_str *out) {
    if (opt->dihedral) vd_str_add(out, "dihedral=1;");
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    int64_t all = 0, plain = 0;
    vd_db *db = vd_dataset_db(run->ds);
    VD_TRY(vd_db_int(db, "SELECT count(pdq) FROM fact_fingerprint", &all, err));
    VD_TRY(
        vd_db_int(db, "SELECT count(*) FROM fact_fingerprint WHERE pdq_quality < 50", &plain, err));
    vd_str_count(out, all);
    vd_str_add(out, all == 1 ? " hash" : " hashes");
    if (plain > 0) {
        vd_str_add(out, ", ");
        vd_str_count(out, plain);
        vd_str_add(out, " of low quality");
    }
    return vd_str_check(out, err);
}

const vd_stage vd_stage_fingerprint = {
    .name = "fingerprint",
    .help = "PDQ, a perceptual hash; colour and texture as a vector",
    .version = 2,
    .scope = VD_SCOPE_ASSET,
    .inputs = "add,check",
    .table = &vd_table_fingerprint,
    .needs_pixels = true,
    .params = params,
    .asset = run_fingerprint,
    .summary = summary,
};
