/* Cameras as text; see camera_text.h. SPDX-License-Identifier: Apache-2.0 */
#include "recon/camera_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many of v[max] as there are values in "1,2,..."; *n counts them all. */
static vd_status parse_values(double *v, int max, int *n, const char *text, vd_err *err) {
    *n = 0;
    for (const char *p = text; p != NULL;) {
        char *end = NULL;
        double x = strtod(p, &end);
        if (end == p || (*end != ',' && *end != '\0') || !isfinite(x))
            return vd_fail(err, VD_E_ARG, "camera '%.80s': value %d is no number", text, *n + 1);
        if (*n < max) v[*n] = x;
        ++*n;
        p = *end == ',' ? end + 1 : NULL;
    }
    return VD_OK;
}

vd_status vd_camera_parse(vd_camera *out, const char *text, vd_err *err) {
    char name[32];
    vd_camera c = { 0 };
    double v[2 + VD_CAMERA_PARAMS];
    int n = 0;
    size_t len = strcspn(text, ",");
    snprintf(name, sizeof name, "%.*s", (int)VD_MIN(len, sizeof name - 1), text);
    c.model = vd_camera_model_from_name(name);
    if (c.model < 0) return vd_fail(err, VD_E_ARG, "camera '%.80s': no model '%s'", text, name);
    int want = 2 + vd_camera_param_count(c.model);
    if (text[len] == ',') VD_TRY(parse_values(v, want, &n, text + len + 1, err));
    if (n != want)
        return vd_fail(err, VD_E_ARG,
                       "camera '%.80s': %s takes width, height and %d parameters, %d values given",
                       text, name, want - 2, n);
    if (!(v[0] >= 1 && v[0] <= 1e6 && v[1] >= 1 && v[1] <= 1e6))
        return vd_fail(err, VD_E_ARG, "camera '%.80s': a picture of %g x %g", text, v[0], v[1]);
    c.width = (int32_t)v[0];
    c.height = (int32_t)v[1];
    memcpy(c.params, v + 2, (size_t)(want - 2) * sizeof *v);
    VD_TRY(vd_camera_check(&c, err));
    *out = c;
    return VD_OK;
}

void vd_camera_put_params(vd_str *out, const vd_camera *c) {
    for (int k = 0; k < vd_camera_param_count(c->model); k++)
        vd_str_addf(out, "%s%.17g", k > 0 ? "," : "", c->params[k]);
}

vd_status vd_camera_parse_params(vd_camera *c, const char *text, vd_err *err) {
    int n = 0, want = vd_camera_param_count(c->model);
    VD_TRY(parse_values(c->params, want, &n, text, err));
    if (n != want)
        return vd_fail(err, VD_E_ARG, "camera '%.80s': %d parameters, %d values given", text, want,
                       n);
    return vd_camera_check(c, err);
}
