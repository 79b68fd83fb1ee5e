/* When and where: the timeline, and positions as points or, where there are many, as cells of a
 * grid. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "ops/report_parts.h"

enum { TIME_BINS = 72, MAP_COLUMNS = 160, MAP_ROWS = 100, MAX_POINTS = 1500 };

/* A step that people can read: whole seconds, minutes, hours, days. */
static double time_step(double span) {
    static const double nice[] = { 1,       2,       5,        10,        15,       30,     60,
                                   120,     300,     600,      900,       1800,     3600,   7200,
                                   14400,   21600,   43200,    86400,     172800,   604800, 1209600,
                                   2629800, 7889400, 31557600, 157788000, 315576000 };
    for (int i = 0; i < VD_COUNT(nice); i++)
        if (span / nice[i] < TIME_BINS) return nice[i];
    return ceil(span / TIME_BINS);
}

vd_status vd_report_timeline(vd_report *r, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *range = NULL, *count = NULL;
    int64_t bins[TIME_BINS + 1] = { 0 };
    bool row = false;
    VD_GO(vd_db_prepare(&range, r->db,
                        "SELECT count(t), count(*), min(t), max(t) FROM (SELECT " UNIX_S
                        " AS t FROM asset a"
                        " LEFT JOIN fact_check c ON c.asset_id = a.id WHERE " PICTURE ")",
                        true, err));
    VD_GO(vd_stmt_step(range, &row, err));
    const int64_t n = vd_stmt_int(range, 0), missing = vd_stmt_int(range, 1) - n;
    vd_str_addf(r->out, ",\n\"timeline\": {\"n\": %lld, \"missing\": %lld", (long long)n,
                (long long)missing);
    if (n > 0) {
        const double step = time_step(vd_stmt_real(range, 3) - vd_stmt_real(range, 2));
        const double lo = floor(vd_stmt_real(range, 2) / step) * step;
        int last = 0;
        VD_GO(vd_db_prepare(&count, r->db,
                            "SELECT CAST((t - ?1) / ?2 AS INTEGER), count(*) FROM (SELECT " UNIX_S
                            " AS t"
                            " FROM asset a JOIN fact_check c ON c.asset_id = a.id WHERE " PICTURE
                            ") WHERE t IS NOT NULL GROUP BY 1",
                            true, err));
        vd_stmt_bind(count, 1, vd_val_real(lo));
        vd_stmt_bind(count, 2, vd_val_real(step));
        for (;;) {
            VD_GO(vd_stmt_step(count, &row, err));
            if (!row) break;
            int at = (int)VD_CLAMP(vd_stmt_int(count, 0), 0, TIME_BINS);
            bins[at] += vd_stmt_int(count, 1);
            last = VD_MAX(last, at);
        }
        vd_str_add(r->out, ", \"lo\": ");
        vd_str_json_num(r->out, lo);
        vd_str_add(r->out, ", \"step_s\": ");
        vd_str_json_num(r->out, step);
        vd_str_add(r->out, ", \"bins\": [");
        for (int i = 0; i <= last; i++)
            vd_str_addf(r->out, "%s%lld", i > 0 ? "," : "", (long long)bins[i]);
        vd_str_addc(r->out, ']');
    }
    vd_str_addc(r->out, '}');
done:
    vd_stmt_free(range);
    vd_stmt_free(count);
    return st;
}

#define LOCATED                                                                                    \
    "FROM asset a JOIN fact_check c ON c.asset_id = a.id WHERE " PICTURE                           \
    " AND c.latitude BETWEEN -90 AND 90 AND c.longitude BETWEEN -180 AND 180"

/* Cells of a grid over the extent, each at the mean of what lies in it. */
static vd_status map_cells(vd_report *r, const double box[4], vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true, first = true;
    VD_TRY(vd_db_prepare(
        &s, r->db,
        "SELECT avg(c.longitude), avg(c.latitude), count(*) " LOCATED
        " GROUP BY CAST((c.longitude - ?1) * ?2 AS INTEGER), CAST((c.latitude - ?3) * ?4 AS INTEGER)",
        true, err));
    vd_stmt_bind(s, 1, vd_val_real(box[2]));
    vd_stmt_bind(s, 2, vd_val_real(MAP_COLUMNS / VD_MAX(box[3] - box[2], 1e-9)));
    vd_stmt_bind(s, 3, vd_val_real(box[0]));
    vd_stmt_bind(s, 4, vd_val_real(MAP_ROWS / VD_MAX(box[1] - box[0], 1e-9)));
    vd_str_add(r->out, ", \"points\": null, \"cells\": [");
    vd_status st = VD_OK;
    while (st == VD_OK) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        vd_str_addf(r->out, "%s[%.6f,%.6f,%lld]", first ? "" : ",", vd_stmt_real(s, 0),
                    vd_stmt_real(s, 1), (long long)vd_stmt_int(s, 2));
        first = false;
    }
    vd_str_addc(r->out, ']');
    vd_stmt_free(s);
    return st;
}

vd_status vd_report_map(vd_report *r, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, r->db,
                         "SELECT count(*), min(c.latitude), max(c.latitude), min(c.longitude),"
                         " max(c.longitude) " LOCATED,
                         true, err));
    vd_status st = vd_stmt_step(s, &row, err);
    const int64_t n = st == VD_OK ? vd_stmt_int(s, 0) : 0;
    double box[4] = { 0 };
    static const char *const name[] = { "lat0", "lat1", "lon0", "lon1" };
    vd_str_addf(r->out, ",\n\"map\": {\"n\": %lld", (long long)n);
    for (int i = 0; n > 0 && i < 4; i++) {
        box[i] = vd_stmt_real(s, i + 1);
        vd_str_addf(r->out, ", \"%s\": ", name[i]);
        vd_str_json_num(r->out, box[i]);
    }
    vd_stmt_free(s);
    if (st == VD_OK && n > MAX_POINTS)
        st = map_cells(r, box, err);
    else if (st == VD_OK && n > 0)
        st = vd_report_rows(
            r, "points",
            "SELECT c.longitude AS lon, c.latitude AS lat, c.direction_deg AS direction, a.uri " LOCATED
            " ORDER BY a.id",
            NULL, 0, err);
    vd_str_addc(r->out, '}');
    return st;
}
