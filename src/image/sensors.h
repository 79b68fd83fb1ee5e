/* Focal lengths in pixels, by what EXIF says of a camera. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_SENSORS_H
#define VD_IMAGE_SENSORS_H

/* The width of a camera's sensor in mm by the name that its EXIF gives, 0 unknown. */
double vd_sensor_width_mm(const char *camera);

/* The focal length in pixels of a picture of width x height by what EXIF says (NaN or 0: nothing):
 * mm on a sensor that is known, else the 35 mm equivalent; 0 where neither is. */
double vd_focal_px(const char *camera, double mm, double mm35, double width, double height);
/* That of a lens that nothing is known of. */
double vd_focal_guess_px(double width, double height);
#endif
