/* Camera models: against pycolmap, round trips, Jacobians against differences, what lies outside of
 * a model's domain; rotations and rigid motions. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "geometry/camera.h"
#include "geometry/rigid.h"

static const double PI = 3.14159265358979323846;

/* Projections of four points by pycolmap 4.2.1, Camera.img_from_cam. */
static const double gold_point[4][3] = {
    { 0.3, -0.2, 1 }, { -1.7, 1.1, 2.5 }, { 0.001, 0.0005, 1 }, { 2, 1.5, 3.5 }
};
static const struct {
    const char *name;
    double params[12], uv[4][2];
} gold[VD_CAMERA_MODELS] = {
    { "SIMPLE_PINHOLE",
      { 1200.5, 810.25, 590.75 },
      { { 1170.4, 350.65 }, { -6.09, 1118.97 }, { 811.4505, 591.35025 }, { 1496.25, 1105.25 } } },
    { "PINHOLE",
      { 1200.5, 1187.25, 810.25, 590.75 },
      { { 1170.4, 353.3 },
        { -6.09, 1113.14 },
        { 811.4505, 591.343625 },
        { 1496.25, 1099.57142857 } } },
    { "SIMPLE_RADIAL",
      { 1200.5, 810.25, 590.75, -0.11 },
      { { 1165.249855, 354.08343 },
        { 52.8170944, 1080.8536448 },
        { 811.450499835, 591.350249917 },
        { 1457.75, 1076.375 } } },
    { "RADIAL",
      { 1200.5, 810.25, 590.75, -0.12, 0.03 },
      { { 1164.96425605, 354.2738293 },
        { 47.6332700928, 1084.20788406 },
        { 811.45049982, 591.35024991 },
        { 1459.60714286, 1077.76785714 } } },
    { "OPENCV",
      { 1200.5, 1187.25, 810.25, 590.75, -0.12, 0.03, 0.0015, -0.0025 },
      { { 1163.81777855, 357.6139916 },
        { 41.8113252928, 1082.39549069 },
        { 811.450491867, 591.343625059 },
        { 1456.99789286, 1072.50164115 } } },
    { "OPENCV_FISHEYE",
      { 600.5, 610.25, 810.25, 590.75, -0.02, 0.004, -0.001, 0.0002 },
      { { 982.746569537, 473.885130103 },
        { 469.948355073, 814.520374392 },
        { 810.850499735, 591.055124865 },
        { 1106.08597062, 816.229476774 } } },
    { "FULL_OPENCV",
      { 1200.5, 1187.25, 810.25, 590.75, -0.12, 0.03, 0.0015, -0.0025, 0.01, 0.05, -0.02, 0.004 },
      { { 1161.65020024, 359.043094669 },
        { 58.398123347, 1071.78131347 },
        { 811.450491792, 591.343625022 },
        { 1444.63697607, 1063.33327477 } } },
    { "FOV",
      { 1200.5, 1187.25, 810.25, 590.75, 0.9 },
      { { 1182.26664755, 345.476216965 },
        { 66.6718899784, 1066.57841573 },
        { 811.538683068, 591.387229893 },
        { 1454.82381402, 1068.84470681 } } },
    { "SIMPLE_RADIAL_FISHEYE",
      { 600.5, 810.25, 590.75, -0.02 },
      { { 982.73694193, 475.75870538 },
        { 470.212231291, 810.774438576 },
        { 810.850499735, 591.050249867 },
        { 1105.92523224, 812.506424179 } } },
    { "RADIAL_FISHEYE",
      { 600.5, 810.25, 590.75, -0.02, 0.003 },
      { { 982.744379976, 475.753746683 },
        { 469.991075529, 810.917539363 },
        { 810.850499735, 591.050249867 },
        { 1106.05753116, 812.605648373 } } },
    { "THIN_PRISM_FISHEYE",
      { 600.5, 610.25, 810.25, 590.75, -0.02, 0.004, 0.0015, -0.0025, -0.001, 0.0002, 0.003,
        -0.002 },
      { { 982.434042128, 474.084685185 },
        { 468.725864081, 815.27433194 },
        { 810.850498008, 591.055123416 },
        { 1105.79488793, 815.802197328 } } },
};

static vd_camera gold_camera(int model) {
    vd_camera c = { .model = model, .width = 1600, .height = 1200 };
    memcpy(c.params, gold[model].params, sizeof c.params);
    return c;
}

/* A random camera; `strong` scales its distortion, 1 being what lenses have. */
static vd_camera random_camera(vd_rng *r, int model, double strong) {
    vd_camera c = { .model = model, .width = 1600, .height = 1200 };
    vd_camera_layout l = vd_camera_layout_of(model);
    for (int i = 0; i < l.focal; i++) c.params[i] = vd_rng_range(r, 500, 2000);
    c.params[l.focal] = vd_rng_range(r, 700, 900);
    c.params[l.focal + 1] = vd_rng_range(r, 500, 700);
    for (int i = l.focal + 2; i < l.params; i++) {
        int k = i - l.focal - 2;
        bool small =
            model == VD_CAMERA_THIN_PRISM_FISHEYE ? k == 2 || k == 3 || k > 5 : k == 2 || k == 3;
        c.params[i] = strong * vd_rng_range(r, -1, 1) * (small ? 0.003 : 0.12 / (1 + k));
    }
    if (model == VD_CAMERA_FOV) c.params[4] = vd_rng_range(r, -1.2, 1.2);
    return c;
}

static vd_vec3 random_point(vd_rng *r, double most_rad) {
    double a = vd_rng_range(r, 0, 2 * PI), t = vd_rng_range(r, 0, most_rad),
           d = exp(vd_rng_range(r, -3, 5));
    return vd_v3(d * sin(t) * cos(a), d * sin(t) * sin(a), d * cos(t));
}

T(models_have_colmaps_names_and_numbers) {
    for (int i = 0; i < VD_CAMERA_MODELS; i++) {
        T_STR(vd_camera_model_name(i), gold[i].name);
        T_EQ(vd_camera_model_from_name(gold[i].name), i);
        int n = 0;
        while (n < 12 && gold[i].params[n] != 0) n++;
        T_EQ(vd_camera_param_count(i), n);
    }
    T_EQ(vd_camera_model_from_name("PINHOL"), -1);
    T_EQ(vd_camera_param_count(11), 0);
    T_EQ(vd_camera_param_count(-1), 0);
    T_TRUE(vd_camera_model_name(11) == NULL);
}

T(projections_equal_pycolmaps) {
    for (int i = 0; i < VD_CAMERA_MODELS; i++)
        for (int p = 0; p < 4; p++) {
            vd_camera c = gold_camera(i);
            double uv[2] = { 0, 0 };
            T_TRUE(vd_camera_project(&c, gold_point[p], uv));
            T_NEAR(uv[0], gold[i].uv[p][0], 2e-8); /* 12 digits were written */
            T_NEAR(uv[1], gold[i].uv[p][1], 2e-8);
        }
}

/* Every pixel that a model projects a point to leads back to the point's ray. */
static void round_trips(t_case *t, double strong, double most_rad, double tol_rad, int *back,
                        int *projected) {
    vd_rng r = t_rng(t);
    *back = *projected = 0;
    for (int i = 0; i < 20000; i++) {
        vd_camera c = random_camera(&r, i % VD_CAMERA_MODELS, strong);
        vd_vec3 x = random_point(&r, most_rad), u = vd_v3_unit(x);
        double uv[2], ray[3], xn[2];
        if (!vd_camera_project(&c, (const double[3]){ x.x, x.y, x.z }, uv)) continue;
        ++*projected;
        if (!vd_camera_ray(&c, uv, ray)) continue;
        double d = vd_v3_norm(vd_v3_cross(u, vd_v3(ray[0], ray[1], ray[2])));
        *back += d < tol_rad;
        if (ray[2] > 0.01) {
            T_NEED(vd_camera_unproject(&c, uv, xn));
            T_NEAR(xn[0], ray[0] / ray[2], 1e-12 / ray[2]);
            T_NEAR(xn[1], ray[1] / ray[2], 1e-12 / ray[2]);
        }
    }
}

T(pixels_lead_back_to_their_rays) {
    int back, projected;
    round_trips(t, 1, 0.8, 1e-10, &back, &projected);
    T_EQ(back, projected); /* lenses as they are: all of them */
    T_EQ(projected, 20000);
}

/* Distortion no lens has, rays up to 170 degrees off the axis. Points beyond a fold project to
 * pixels whose ray is another one, or none; the answer must then still project to the pixel. */
T(wild_cameras_give_a_ray_of_the_pixel_or_none) {
    vd_rng r = t_rng(t);
    int back = 0, none = 0;
    for (int i = 0; i < 50000; i++) {
        vd_camera c = random_camera(&r, i % VD_CAMERA_MODELS, exp(vd_rng_range(&r, 0, 5)));
        double uv[2] = { vd_rng_range(&r, -800, 2400), vd_rng_range(&r, -600, 1800) }, ray[3], q[2];
        if (!vd_camera_ray(&c, uv, ray)) {
            none++;
            continue;
        }
        T_NEAR(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2], 1, 1e-12);
        if (!vd_camera_project(&c, ray, q)) {
            T_FAIL("%s: a ray that does not project", vd_camera_model_name(c.model));
            return;
        }
        /* close to a fold the inverse is ill-conditioned, the way there and back is not */
        T_NEAR(q[0], uv[0], 1e-6);
        T_NEAR(q[1], uv[1], 1e-6);
        back++;
    }
    T_LT(none, 25000);
    T_LT(20000, back);
}

T(fisheyes_see_beyond_90_degrees) {
    vd_camera c = vd_camera_simple(VD_CAMERA_OPENCV_FISHEYE, 300, 1600, 1200);
    for (int d = 1; d < 179; d += 2) {
        double a = d * PI / 180, uv[2], ray[3], xn[2];
        T_TRUE(vd_camera_project(&c, (const double[3]){ 5 * sin(a), 0, 5 * cos(a) }, uv));
        T_NEAR(uv[0], 800 + 300 * a, 1e-9);
        T_TRUE(vd_camera_ray(&c, uv, ray));
        T_NEAR(ray[2], cos(a), 1e-12);
        T_EQ(vd_camera_unproject(&c, uv, xn), d < 90);
    }
    double uv[2] = { 7, 7 }, ray[3];
    T_TRUE(!vd_camera_project(&c, (const double[3]){ 0, 0, -1 }, uv));
    T_TRUE(!vd_camera_project(&c, (const double[3]){ 0, 0, 0 }, uv));
    T_NEAR(uv[0], 7, 0); /* untouched */
    T_TRUE(!vd_camera_ray(&c, (const double[2]){ 800 + 300 * 3.15, 600 }, ray));
}

T(beyond_the_fold_is_outside) {
    vd_camera c = vd_camera_simple(VD_CAMERA_SIMPLE_RADIAL, 1000, 1600, 1200);
    c.params[3] = -0.25; /* r (1 - r^2 / 4) turns at r = 2 / sqrt(3), where it is 0.7698 */
    double uv[2], ray[3], fold = 2 / sqrt(3);
    T_TRUE(vd_camera_project(&c, (const double[3]){ fold - 1e-6, 0, 1 }, uv));
    T_TRUE(!vd_camera_project(&c, (const double[3]){ fold + 1e-6, 0, 1 }, uv));
    T_TRUE(!vd_camera_project(&c, (const double[3]){ 1.9, 0, 1 }, uv));
    T_TRUE(vd_camera_ray(&c, (const double[2]){ 800 + 769, 600 }, ray));
    T_TRUE(!vd_camera_ray(&c, (const double[2]){ 800 + 771, 600 }, ray));
    T_TRUE(!vd_camera_project(&c, (const double[3]){ 0.1, 0, -1 }, uv));
    T_TRUE(!vd_camera_project(&c, (const double[3]){ 0.1, 0, 0 }, uv));
    c.model = VD_CAMERA_FOV; /* all that FOV can see lies within 90 degrees over omega */
    c.params[1] = 1000;
    c.params[2] = 800;
    c.params[3] = 600;
    c.params[4] = 1.5;
    T_TRUE(vd_camera_ray(&c, (const double[2]){ 800 + 1000 * 1.04, 600 }, ray));
    T_TRUE(!vd_camera_ray(&c, (const double[2]){ 800 + 1000 * 1.05, 600 }, ray));
}

/* Fourth-order central differences; rounding leaves eps |f| / h, truncation h^4 times the fifth
 * derivative, which near the pole of a rational model wants a small step. */
static bool slope(const vd_camera *c, const double x[3], int at, double h, double out[2]) {
    double f[4][2];
    static const double step[4] = { -2, -1, 1, 2 };
    for (int i = 0; i < 4; i++) {
        vd_camera d = *c;
        double y[3] = { x[0], x[1], x[2] };
        if (at < 3)
            y[at] += step[i] * h;
        else
            d.params[at - 3] += step[i] * h;
        if (!vd_camera_project(&d, y, f[i])) return false;
    }
    for (int k = 0; k < 2; k++) out[k] = (f[0][k] - 8 * f[1][k] + 8 * f[2][k] - f[3][k]) / (12 * h);
    return true;
}

T(jacobians_equal_differences) {
    vd_rng r = t_rng(t);
    int looked = 0;
    for (int i = 0; i < 22000; i++) {
        vd_camera c = random_camera(&r, i % VD_CAMERA_MODELS, i % 3 == 0 ? 4 : 1);
        int n = vd_camera_param_count(c.model);
        vd_vec3 p = random_point(&r, vd_camera_is_fisheye(c.model) ? 2.2 : 1.1);
        /* on the axis and close to it, where formulas like to divide by zero */
        if (i % 5 == 1) p = vd_v3(p.z * 1e-9, 0, fabs(p.z));
        if (i % 5 == 2) p = vd_v3(0, 0, fabs(p.z));
        if (i % 5 == 3) p = vd_v3(p.x * 0.05, p.y * 0.05, fabs(p.z));
        if (c.model == VD_CAMERA_FOV && i % 4 == 0) c.params[4] *= 1e-3;
        double x[3] = { p.x, p.y, p.z }, uv[2], dp[6], dk[24], s[2];
        if (!vd_camera_project_jac(&c, x, uv, dp, dk)) continue;
        double size = vd_v3_norm(p);
        for (int k = 0; k < 3 + n; k++) {
            double scale = k < 3 ? c.params[0] / size : 1 + fabs(k < 3 + 2 ? 0 : c.params[0]);
            double a = k < 3 ? dp[k] : dk[k - 3], b = k < 3 ? dp[3 + k] : dk[n + k - 3];
            double h = k < 3 ? 1e-3 * size : 1e-4;
            bool same = false, seen = false;
            for (int step = 0; step < 3 && !same; step++, h /= 16) {
                if (!slope(&c, x, k, h, s)) continue;
                double q = 1 + fabs(s[0]) + fabs(s[1]) + scale;
                seen = true;
                same = fabs(a - s[0]) < 2e-6 * q && fabs(b - s[1]) < 2e-6 * q;
            }
            looked += seen;
            if (seen && !same)
                T_FAIL("%s, derivative %d at (%g %g %g): (%.9g %.9g), differences (%.9g %.9g)",
                       vd_camera_model_name(c.model), k, x[0], x[1], x[2], a, b, s[0], s[1]);
        }
    }
    T_LT(150000, looked);
}

T(cameras_are_checked) {
    vd_err err = { 0 };
    vd_camera c = gold_camera(VD_CAMERA_OPENCV);
    T_OK(vd_camera_check(&c, &err));
    c.params[1] = 0;
    T_EQ(vd_camera_check(&c, &err), VD_E_ARG);
    c.params[1] = NAN;
    T_EQ(vd_camera_check(&c, NULL), VD_E_ARG);
    c = gold_camera(VD_CAMERA_OPENCV);
    c.width = 0;
    T_EQ(vd_camera_check(&c, NULL), VD_E_ARG);
    c.width = 1;
    c.model = 99;
    T_EQ(vd_camera_check(&c, NULL), VD_E_ARG);
    c.model = -1;
    T_EQ(vd_camera_check(&c, NULL), VD_E_ARG);
}

T(scaled_cameras_see_the_scaled_picture) {
    for (int i = 0; i < VD_CAMERA_MODELS; i++) {
        vd_camera c = gold_camera(i);
        bool one = vd_camera_layout_of(i).focal == 1;
        double sx = 0.5, sy = one ? 0.5 : 0.25, a[2], b[2];
        vd_camera s = vd_camera_scaled(&c, sx, sy);
        T_EQ(s.width, 800);
        T_EQ(s.height, one ? 600 : 300);
        T_TRUE(vd_camera_project(&c, gold_point[1], a) && vd_camera_project(&s, gold_point[1], b));
        T_NEAR(b[0], sx * a[0], 1e-9);
        T_NEAR(b[1], sy * a[1], 1e-9);
    }
}

static vd_quat random_quat(vd_rng *r) {
    vd_quat q = { vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r) };
    return vd_quat_unit(q);
}
static vd_vec3 random_vec(vd_rng *r) {
    return vd_v3(vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r));
}
static double far(vd_vec3 a, vd_vec3 b) {
    return vd_v3_norm(vd_v3_sub(a, b));
}

T(rotations_agree_with_their_matrices) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        vd_quat q = random_quat(&r);
        vd_vec3 v = random_vec(&r);
        double m[9];
        vd_quat_matrix(m, q);
        vd_vec3 w =
            vd_v3(m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z,
                  m[6] * v.x + m[7] * v.y + m[8] * v.z);
        T_LT(far(vd_quat_rotate(q, v), w), 1e-14 * 10);
        T_LT(vd_quat_angle_rad(vd_quat_of_matrix(m), q), 1e-14 * 10);
    }
}

T(exponential_and_logarithm_are_inverse) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) {
        double len = i % 4 == 0   ? exp(vd_rng_range(&r, -40, 0))
                     : i % 4 == 1 ? PI - exp(vd_rng_range(&r, -20, -1))
                                  : vd_rng_range(&r, 0, PI);
        vd_vec3 w = vd_v3_mul(vd_v3_unit(random_vec(&r)), len), u = vd_quat_log(vd_quat_exp(w));
        T_LT(far(u, w), 1e-14 + 4e-15 * len);
        /* R(w) v turns v about w by |w|: v's part along w stays, and angles add up */
        vd_vec3 v = random_vec(&r), half = vd_v3_mul(w, 0.5);
        vd_vec3 a = vd_quat_rotate(vd_quat_exp(w), v);
        vd_vec3 b = vd_quat_rotate(vd_quat_exp(half), vd_quat_rotate(vd_quat_exp(half), v));
        T_LT(far(a, b), 1e-13);
    }
    vd_quat x90 = vd_quat_exp(vd_v3(PI / 2, 0, 0)); /* right-handed: y to z */
    T_LT(far(vd_quat_rotate(x90, vd_v3(0, 1, 0)), vd_v3(0, 0, 1)), 1e-15);
    T_NEAR(vd_v3_norm(vd_quat_log(VD_QUAT_ONE)), 0, 0);
    T_NEAR(vd_v3_norm(vd_quat_log((vd_quat){ 0, 0, 1, 0 })), PI, 1e-15);
}

T(rigid_motions_compose_and_invert) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        vd_rigid b_from_a = { random_quat(&r), random_vec(&r) },
                 c_from_b = { random_quat(&r), random_vec(&r) };
        vd_vec3 x = random_vec(&r);
        vd_vec3 once = vd_rigid_apply(vd_rigid_mul(c_from_b, b_from_a), x);
        T_LT(far(once, vd_rigid_apply(c_from_b, vd_rigid_apply(b_from_a, x))), 1e-13);
        T_LT(far(vd_rigid_apply(vd_rigid_inverse(b_from_a), vd_rigid_apply(b_from_a, x)), x),
             1e-13);
        T_LT(vd_v3_norm(vd_rigid_apply(b_from_a, vd_rigid_centre(b_from_a))), 1e-13);
    }
}
