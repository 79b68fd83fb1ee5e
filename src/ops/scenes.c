/* Operation scenes: what was reconstructed. SPDX-License-Identifier: Apache-2.0 */
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
};

static const vd_column columns[] = {
    { "scene", VD_INT, "", "1 has the most registered pictures", 0 },
    { "registered", VD_INT, "", "pictures whose place is known", 0 },
    { "pictures", VD_INT, "", "pictures that belong to it", 0 },
    { "points", VD_INT, "", "points in space", 0 },
    { "reprojection_px", VD_REAL, "px", "mean distance of a keypoint to its point's projection",
      0 },
    { "track_length", VD_REAL, "", "mean number of pictures that show a point", 0 },
    { "angle_deg", VD_REAL, "deg", "median over points of the widest angle between two rays", 0 },
    { "coverage", VD_REAL, "", "share of a picture's area that shows points: the median", 0 },
    { "gps_residual_m", VD_REAL, "m",
      "RMS distance to the GPS positions, where it is placed by them", 0 },
    { "warning", VD_TEXT, "", "what had better be looked at, with the evidence", 0 },
    { "example", VD_TEXT, "", "one of its pictures", 0 },
    { "origin", VD_TEXT, "", "reconstruct, or import and what was imported", 0 },
};

static vd_status scenes_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    bool row = true;
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(
        vd_db_prepare(&s, vd_dataset_db(ds),
                      "SELECT s.id, s.registered, s.pictures, s.points, s.reprojection_px,"
                      " s.track_length, s.angle_deg, s.coverage, s.gps_residual_m, s.warning,"
                      " (SELECT a.uri FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id"
                      " WHERE r.scene = s.id AND r.registered = 1 ORDER BY r.scene_points DESC,"
                      " a.id LIMIT 1),"
                      " (SELECT CASE k.stage WHEN 'import' THEN 'import ' || k.params ELSE k.stage"
                      " END FROM fact_reconstruct r JOIN stage_config k ON k.key = r.key"
                      " WHERE r.scene = s.id LIMIT 1) FROM scene s ORDER BY s.id",
                      true, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        vd_value v[VD_COUNT(columns)];
        for (int i = 0; row && i < VD_COUNT(columns); i++) v[i] = vd_stmt_value(s, i);
        if (row) VD_GO(vd_out_row(c, v, err));
    }
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_scenes = {
    .name = "scenes",
    .summary = "what was reconstructed in 3D, and how well",
    .help =
        "One row a scene. Pictures that were not placed have their reason in the catalog:\n"
        "vidimus list DATASET --where \"registered = 0\" --columns uri,unregistered_reason,unregistered_detail",
    .example = "vidimus scenes captures.vidimus",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .run = scenes_op,
};
