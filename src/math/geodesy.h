/* Latitude, longitude and height to a local Cartesian frame. SPDX-License-Identifier: Apache-2.0
 *
 * WGS 84 (NIMA TR8350.2): a = 6378137 m, 1 / f = 298.257223563. The local frame has its origin at a
 * given place, x to the east, y to the north, z up, in metres. */
#ifndef VD_MATH_GEODESY_H
#define VD_MATH_GEODESY_H

#include "math/vec.h"

typedef struct vd_geodetic {
    double latitude_deg, longitude_deg, height_m; /* height above the ellipsoid */
} vd_geodetic;

vd_vec3 vd_ecef_from_geodetic(vd_geodetic g);
vd_geodetic vd_geodetic_from_ecef(vd_vec3 x); /* Bowring 1976, better than 1e-8 m near the ground */
vd_vec3 vd_enu_from_geodetic(vd_geodetic g, vd_geodetic origin);
vd_geodetic vd_geodetic_from_enu(vd_vec3 x, vd_geodetic origin);
#endif
