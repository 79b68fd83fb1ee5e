/* Rows of table `pair`. The geometry is a blob of doubles, the inliers one of int32 couples; both
 * little-endian as they lie in memory. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "scene/pairs.h"

enum { G_E = 0, G_F = 9, G_H = 18, G_Q = 27, G_T = 31, G_ANGLE = 34, G_SIZE = 35 };

vd_status vd_pair_insert(vd_stmt **out, vd_db *db, vd_err *err) {
    return vd_db_prepare(out, db,
                         "INSERT OR REPLACE INTO pair(a, b, key, matches, inliers, config,"
                         " geometry, inlier_matches) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         true, err);
}

vd_status vd_pair_write(vd_stmt *insert, const vd_pair_row *r, vd_err *err) {
    double g[G_SIZE];
    const vd_two_view *t = &r->geometry;
    memcpy(g + G_E, t->E, sizeof t->E);
    memcpy(g + G_F, t->F, sizeof t->F);
    memcpy(g + G_H, t->H, sizeof t->H);
    memcpy(g + G_Q, &t->cam2_from_cam1.q, 4 * sizeof *g);
    memcpy(g + G_T, &t->cam2_from_cam1.t, 3 * sizeof *g);
    g[G_ANGLE] = t->median_angle_rad;
    bool found = r->n_inliers > 0;
    const vd_value v[] = {
        vd_val_int(r->a),
        vd_val_int(r->b),
        vd_val_int(r->key),
        vd_val_int(r->matches),
        vd_val_int(r->n_inliers),
        vd_val_int(t->config),
        found ? vd_val_blob(g, sizeof g) : vd_val_null(),
        found ? vd_val_blob(r->inliers, r->n_inliers * (int64_t)sizeof *r->inliers) : vd_val_null(),
    };
    return vd_stmt_run(insert, v, VD_COUNT(v), err);
}

vd_status vd_pair_select(vd_stmt **out, vd_db *db, vd_err *err) {
    return vd_db_prepare(out, db,
                         "SELECT a, b, key, matches, config, geometry, inlier_matches FROM pair"
                         " WHERE inliers > 0 ORDER BY a, b",
                         true, err);
}

vd_status vd_pair_next(vd_stmt *s, vd_pair_row *out, bool *more, vd_err *err) {
    double g[G_SIZE];
    VD_TRY(vd_stmt_step(s, more, err));
    if (!*more) return VD_OK;
    vd_value geometry = vd_stmt_value(s, 5), inliers = vd_stmt_value(s, 6);
    if (geometry.type != VD_BLOB || geometry.n != sizeof g || inliers.type != VD_BLOB ||
        inliers.n % (int64_t)sizeof(vd_match) != 0)
        return vd_fail(err, VD_E_FORMAT, "pair %lld, %lld: its geometry is damaged",
                       (long long)vd_stmt_int(s, 0), (long long)vd_stmt_int(s, 1));
    *out = (vd_pair_row){ .a = vd_stmt_int(s, 0),
                          .b = vd_stmt_int(s, 1),
                          .key = vd_stmt_int(s, 2),
                          .matches = (int)vd_stmt_int(s, 3),
                          .inliers = (const vd_match *)(const void *)inliers.s,
                          .n_inliers = (int)(inliers.n / (int64_t)sizeof(vd_match)) };
    vd_two_view *t = &out->geometry;
    memcpy(g, geometry.s, sizeof g);
    t->config = (int)vd_stmt_int(s, 4);
    t->inliers = out->n_inliers;
    memcpy(t->E, g + G_E, sizeof t->E);
    memcpy(t->F, g + G_F, sizeof t->F);
    memcpy(t->H, g + G_H, sizeof t->H);
    memcpy(&t->cam2_from_cam1.q, g + G_Q, 4 * sizeof *g);
    memcpy(&t->cam2_from_cam1.t, g + G_T, 3 * sizeof *g);
    t->median_angle_rad = g[G_ANGLE];
    return VD_OK;
}
