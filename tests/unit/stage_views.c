/* Cameras as people and EXIF give them. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "image/sensors.h"
#include "scene/views.h"

T(a_camera_is_parsed_strictly) {
    vd_err err = { 0 };
    vd_camera c;
    T_OK(vd_camera_parse(&c, "PINHOLE,3072,2048,2759.48,2764.16,1520.69,1006.81", &err));
    T_EQ(c.model, VD_CAMERA_PINHOLE);
    T_EQ(c.width, 3072);
    T_EQ(c.height, 2048);
    T_NEAR(c.params[1], 2764.16, 0);
    T_NEAR(c.params[3], 1006.81, 0);
    static const char *const bad[] = {
        "",
        "PINHOLE",
        "PINHOLE,3072,2048",
        "PINHOLE,3072,2048,1,2,3",
        "PINHOLE,3072,2048,1,2,3,4,5",
        "PINHOLE,3072,2048,-1,2,3,4",
        "PINHOLE,3072,2048,nan,2,3,4",
        "PINHOLE,0,2048,1,2,3,4",
        "PINHOLE,3072,2048,1,2,3,4x",
        "PINHOLE,3072,2048,1,2,,4",
        "PINHOLES,3072,2048,1,2,3,4",
        "pinhole 3072 2048 1 2 3 4",
        "THIN_PRISM_FISHEYE,10,10,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
    };
    for (int i = 0; i < VD_COUNT(bad); i++)
        if (vd_camera_parse(&c, bad[i], NULL) != VD_E_ARG) T_FAIL("accepted '%s'", bad[i]);
}

T(sensors_are_found_by_whole_names) {
    T_NEAR(vd_sensor_width_mm("Canon PowerShot A10"), 5.27, 0);
    T_NEAR(vd_sensor_width_mm("Canon EOS 5D"), 35.8, 0);
    T_NEAR(vd_sensor_width_mm("Canon EOS 5D Mark II"), 35.8, 0);
    T_NEAR(vd_sensor_width_mm("Canon EOS 50D"), 0, 0);
    T_NEAR(vd_sensor_width_mm("NIKON CORPORATION NIKON D70"), 23.7, 0);
    T_NEAR(vd_sensor_width_mm("NIKON CORPORATION NIKON D7000"), 0, 0);
    T_NEAR(vd_sensor_width_mm(""), 0, 0);
}

/* 28 mm on film whose long side is 36 mm, and whose diagonal counts where that is all that is
 * known. */
T(focal_lengths_by_exif) {
    const double none = (double)NAN;
    T_NEAR(vd_focal_px("Canon EOS 5D", 35.8, 50, 3000, 2000), 3000, 1e-9);
    T_NEAR(vd_focal_px("", none, 28, 3600, 2400), 2800, 1e-9);
    T_NEAR(vd_focal_px("", none, 28, 2400, 3600), 2800, 1e-9);
    T_NEAR(vd_focal_px("nobody's", 5, none, 3600, 2400), 0, 0);
    T_NEAR(vd_focal_px("", none, 0, 3600, 2400), 0, 0);
    T_NEAR(vd_focal_guess_px(1000, 2000), 2400, 0);
}
