/* When and where pictures were taken, for the report. SPDX-License-Identifier: Apache-2.0
 *
 * Like the metrics' distributions two walks over the catalog: the first finds ranges, the second
 * counts. */
#ifndef VD_REPORT_PLACES_H
#define VD_REPORT_PLACES_H

#include "base/err.h"

enum { VD_TIME_BINS = 72, VD_MAP_COLUMNS = 160, VD_MAP_ROWS = 100, VD_MAP_POINTS = 1500 };

typedef struct vd_map_cell {
    double longitude, latitude; /* sums */
    int64_t n;
} vd_map_cell;

typedef struct vd_places {
    int64_t pictures, dated, located;
    double first_s, last_s; /* since 1970, in UTC where the file names its zone */
    double lat0, lat1, lon0, lon1;
    double time_lo, time_step;
    int64_t bins[VD_TIME_BINS + 1];
    vd_map_cell *cells; /* NULL where there are few pictures: each is a point of its own */
} vd_places;

/* What a row of a walk says about a picture; NaN where nothing is known. */
typedef struct vd_place {
    double time_s, latitude, longitude;
} vd_place;

vd_places vd_places_none(void);
void vd_places_reset(vd_places *p);
void vd_places_see(vd_places *p, vd_place at);         /* first walk */
vd_status vd_places_ranges(vd_places *p, vd_err *err); /* between */
void vd_places_count(vd_places *p, vd_place at);       /* second walk */
#endif
