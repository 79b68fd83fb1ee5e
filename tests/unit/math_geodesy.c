/* Geodetic coordinates beside PROJ (pyproj 3.7.2: EPSG:4979 to EPSG:4978, and +proj=topocentric).
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "math/geodesy.h"

static const struct {
    vd_geodetic g;
    vd_vec3 x;
} places[] = {
    { { 52.51891666666667, 13.400333, 27.0 }, { 3783427.527392, 901362.812990, 5038167.171899 } },
    { { -33.8568, 151.2153, 60.5 }, { -4647012.670498, 2553101.112290, -3533300.833198 } },
    { { 89.9999, 45.0, -120.0 }, { 7.897809, 7.897809, 6356632.314235 } },
    { { 0.0, -179.5, 8848.86 }, { -6386742.663149, -55736.258835, 0 } },
};

T(places_are_where_proj_puts_them) {
    for (int i = 0; i < VD_COUNT(places); i++) {
        vd_vec3 x = vd_ecef_from_geodetic(places[i].g);
        T_NEAR(vd_v3_norm(vd_v3_sub(x, places[i].x)), 0, 2e-6);
        vd_geodetic g = vd_geodetic_from_ecef(x);
        T_NEAR(g.latitude_deg, places[i].g.latitude_deg, 1e-11);
        T_NEAR(g.longitude_deg, places[i].g.longitude_deg, 1e-11);
        T_NEAR(g.height_m, places[i].g.height_m, 1e-7);
    }
}

T(the_local_frame_is_east_north_up) {
    const vd_geodetic origin = { 52.5, 13.4, 30 }, place = { 52.507, 13.41, 55 };
    vd_vec3 x = vd_enu_from_geodetic(place, origin);
    T_NEAR(x.x, 679.0003117930091, 1e-7);
    T_NEAR(x.y, 778.992021039566, 1e-7);
    T_NEAR(x.z, 24.916345423907615, 1e-7);
    vd_geodetic back = vd_geodetic_from_enu(x, origin);
    T_NEAR(back.latitude_deg, place.latitude_deg, 1e-11);
    T_NEAR(back.longitude_deg, place.longitude_deg, 1e-11);
    T_NEAR(back.height_m, place.height_m, 1e-6);
}
