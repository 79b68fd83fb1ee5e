/* Geodetic and local coordinates. SPDX-License-Identifier: Apache-2.0 */
#include "math/geodesy.h"

static const double axis = 6378137.0, flattening = 1 / 298.257223563;
static const double degree = 0.017453292519943295;

vd_vec3 vd_ecef_from_geodetic(vd_geodetic g) {
    double e2 = flattening * (2 - flattening), lat = g.latitude_deg * degree,
           lon = g.longitude_deg * degree;
    double n = axis / sqrt(1 - e2 * sin(lat) * sin(lat));
    return vd_v3((n + g.height_m) * cos(lat) * cos(lon), (n + g.height_m) * cos(lat) * sin(lon),
                 (n * (1 - e2) + g.height_m) * sin(lat));
}

vd_geodetic vd_geodetic_from_ecef(vd_vec3 x) {
    double e2 = flattening * (2 - flattening), minor = axis * (1 - flattening);
    double p = sqrt(x.x * x.x + x.y * x.y), lon = atan2(x.y, x.x);
    double reduced = atan2(x.z * axis, p * minor), lat = 0;
    for (int i = 0; i < 3; i++) {
        double s = sin(reduced), c = cos(reduced);
        lat = atan2(x.z + e2 / (1 - e2) * minor * s * s * s, p - e2 * axis * c * c * c);
        reduced = atan2((1 - flattening) * sin(lat), cos(lat));
    }
    double n = axis / sqrt(1 - e2 * sin(lat) * sin(lat));
    /* along the normal: stable at the poles too */
    double h = p * cos(lat) + x.z * sin(lat) - n * (1 - e2 * sin(lat) * sin(lat));
    return (vd_geodetic){ lat / degree, lon / degree, h };
}

/* Rows: east, north, up at the origin. */
static void axes(vd_geodetic o, vd_vec3 r[3]) {
    double lat = o.latitude_deg * degree, lon = o.longitude_deg * degree;
    r[0] = vd_v3(-sin(lon), cos(lon), 0);
    r[1] = vd_v3(-sin(lat) * cos(lon), -sin(lat) * sin(lon), cos(lat));
    r[2] = vd_v3(cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat));
}

vd_vec3 vd_enu_from_geodetic(vd_geodetic g, vd_geodetic origin) {
    vd_vec3 r[3], d = vd_v3_sub(vd_ecef_from_geodetic(g), vd_ecef_from_geodetic(origin));
    axes(origin, r);
    return vd_v3(vd_v3_dot(r[0], d), vd_v3_dot(r[1], d), vd_v3_dot(r[2], d));
}

vd_geodetic vd_geodetic_from_enu(vd_vec3 x, vd_geodetic origin) {
    vd_vec3 r[3], at = vd_ecef_from_geodetic(origin);
    axes(origin, r);
    at = vd_v3_add(at, vd_v3_mul(r[0], x.x));
    at = vd_v3_add(at, vd_v3_mul(r[1], x.y));
    at = vd_v3_add(at, vd_v3_mul(r[2], x.z));
    return vd_geodetic_from_ecef(at);
}
