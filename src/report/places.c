/* When and where: the timeline, and positions as points or, where there are many, as cells of a
 * grid. SPDX-License-Identifier: Apache-2.0 */
#include "report/places.h"

#include <math.h>

#include "base/mem.h"
#include "report/parts.h"

/* A step that people can read: whole seconds, minutes, hours, days. */
static double time_step(double span) {
    static const double nice[] = { 1,       2,       5,        10,        15,       30,     60,
                                   120,     300,     600,      900,       1800,     3600,   7200,
                                   14400,   21600,   43200,    86400,     172800,   604800, 1209600,
                                   2629800, 7889400, 31557600, 157788000, 315576000 };
    for (int i = 0; i < VD_COUNT(nice); i++)
        if (span / nice[i] < VD_TIME_BINS) return nice[i];
    return ceil(span / VD_TIME_BINS);
}

vd_places vd_places_none(void) {
    return (vd_places){ .first_s = INFINITY,
                        .last_s = -INFINITY,
                        .lat0 = INFINITY,
                        .lat1 = -INFINITY,
                        .lon0 = INFINITY,
                        .lon1 = -INFINITY };
}

void vd_places_reset(vd_places *p) {
    vd_mem_free(p->cells);
    *p = vd_places_none();
}

/* False for what is not known, too. */
static bool on_earth(vd_place at) {
    return at.latitude >= -90 && at.latitude <= 90 && at.longitude >= -180 && at.longitude <= 180;
}

void vd_places_see(vd_places *p, vd_place at) {
    p->pictures++;
    if (isfinite(at.time_s)) {
        p->dated++;
        p->first_s = VD_MIN(p->first_s, at.time_s);
        p->last_s = VD_MAX(p->last_s, at.time_s);
    }
    if (!on_earth(at)) return;
    p->located++;
    p->lat0 = VD_MIN(p->lat0, at.latitude);
    p->lat1 = VD_MAX(p->lat1, at.latitude);
    p->lon0 = VD_MIN(p->lon0, at.longitude);
    p->lon1 = VD_MAX(p->lon1, at.longitude);
}

vd_status vd_places_ranges(vd_places *p, vd_err *err) {
    if (p->dated > 0) {
        p->time_step = time_step(p->last_s - p->first_s);
        p->time_lo = floor(p->first_s / p->time_step) * p->time_step;
    }
    if (p->located <= VD_MAP_POINTS) return VD_OK;
    p->cells = vd_mem_array((VD_MAP_COLUMNS + 1) * (VD_MAP_ROWS + 1), sizeof *p->cells);
    return p->cells != NULL ? VD_OK : vd_nomem(err);
}

/* Which of `n` cells; what lies at the upper end has one of its own. */
static int cell_of(double v, double lo, double hi, int n) {
    double at = (v - lo) * (n / VD_MAX(hi - lo, 1e-9));
    return (int)VD_CLAMP(at, 0.0, (double)n);
}

void vd_places_count(vd_places *p, vd_place at) {
    if (isfinite(at.time_s))
        p->bins[(int)VD_CLAMP((at.time_s - p->time_lo) / p->time_step, 0.0,
                              (double)VD_TIME_BINS)]++;
    if (p->cells == NULL || !on_earth(at)) return;
    int column = cell_of(at.longitude, p->lon0, p->lon1, VD_MAP_COLUMNS);
    int line = cell_of(at.latitude, p->lat0, p->lat1, VD_MAP_ROWS);
    vd_map_cell *cell = &p->cells[column * (VD_MAP_ROWS + 1) + line];
    cell->longitude += at.longitude;
    cell->latitude += at.latitude;
    cell->n++;
}

void vd_report_timeline(vd_report *r) {
    const vd_places *p = &r->survey.places;
    vd_str_addf(r->out, ",\n\"timeline\": {\"n\": %lld, \"missing\": %lld", (long long)p->dated,
                (long long)(p->pictures - p->dated));
    if (p->dated > 0) {
        int last = 0;
        for (int i = 0; i <= VD_TIME_BINS; i++)
            if (p->bins[i] > 0) last = i;
        vd_str_add(r->out, ", \"lo\": ");
        vd_str_json_num(r->out, p->time_lo);
        vd_str_add(r->out, ", \"step_s\": ");
        vd_str_json_num(r->out, p->time_step);
        vd_str_add(r->out, ", \"bins\": [");
        for (int i = 0; i <= last; i++)
            vd_str_addf(r->out, "%s%lld", i > 0 ? "," : "", (long long)p->bins[i]);
        vd_str_addc(r->out, ']');
    }
    vd_str_addc(r->out, '}');
}

/* Each cell at the mean of what lies in it. */
static void map_cells(vd_str *out, const vd_map_cell *cells) {
    bool first = true;
    vd_str_add(out, ", \"points\": null, \"cells\": [");
    for (int i = 0; i < (VD_MAP_COLUMNS + 1) * (VD_MAP_ROWS + 1); i++) {
        const vd_map_cell *c = &cells[i];
        if (c->n == 0) continue;
        vd_str_addf(out, "%s[%.6f,%.6f,%lld]", first ? "" : ",", c->longitude / (double)c->n,
                    c->latitude / (double)c->n, (long long)c->n);
        first = false;
    }
    vd_str_addc(out, ']');
}

static vd_status map_points(vd_report *r, vd_err *err) {
    return vd_report_rows(
        r, "points",
        "SELECT c.longitude AS lon, c.latitude AS lat, c.direction_deg AS direction, a.uri"
        " FROM asset a JOIN fact_check c ON c.asset_id = a.id WHERE " PICTURE
        " AND c.latitude BETWEEN -90 AND 90 AND c.longitude BETWEEN -180 AND 180 ORDER BY a.id",
        NULL, 0, err);
}

vd_status vd_report_map(vd_report *r, vd_err *err) {
    const vd_places *p = &r->survey.places;
    static const char *const name[] = { "lat0", "lat1", "lon0", "lon1" };
    const double box[] = { p->lat0, p->lat1, p->lon0, p->lon1 };
    vd_status st = VD_OK;
    vd_str_addf(r->out, ",\n\"map\": {\"n\": %lld", (long long)p->located);
    for (int i = 0; p->located > 0 && i < 4; i++) {
        vd_str_addf(r->out, ", \"%s\": ", name[i]);
        vd_str_json_num(r->out, box[i]);
    }
    if (p->cells != NULL)
        map_cells(r->out, p->cells);
    else if (p->located > 0)
        st = map_points(r, err);
    vd_str_addc(r->out, '}');
    return st;
}
