/* The plan: every file, its pose, its time, its defect and its parameters, drawn from the seed by
 * the number of the item, so that the same option gives the same file whatever else is asked for.
 *
 * Pictures with defects are not copies of views but shots from places of their own ("strays"): a
 * blurred copy of a view would be a near duplicate of it as well, and would blur the truth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

enum { STREAM_DEFECT = 0x64656663, STREAM_COPY = 0x636f7079 };
enum { MAX_VIEWS = 10000, MAX_DEFECTS = 999, MIN_SIDE = 64, MAX_SIDE = 8192 };
enum { MAX_MISTAKES = 1000000 };
static const double PI = 3.14159265358979323846;
static const double SENSOR_MM = 6.4;                      /* width of the pretended sensor */
static const int64_t FIRST_SHOT_NS = 1777628400000000000; /* 2026-05-01T09:40:00Z */

const char *vd_defect_name(vd_defect d) {
    static const char *const name[VD_N_DEFECTS] = {
        "blurry",
        "motion_blur",
        "dark",
        "light",
        "noisy",
        "truncated",
        "exact_duplicates",
        "near_duplicates",
        "wrong_extension",
        "low_information",
    };
    return name[d];
}

const char *vd_edit_name(vd_edit e) {
    static const char *const name[] = { "copy", "crop", "scale", "recompress", "brightness" };
    return name[e];
}

#define RANGE(field, lo, hi)                                                                       \
    if (!(o->field >= (lo) && o->field <= (hi)))                                                   \
    return vd_fail(err, VD_E_ARG, "synth: " #field " is %g, allowed is %g to %g",                  \
                   (double)o->field, (double)(lo), (double)(hi))

static vd_status check(const vd_synth_opt *o, vd_err *err) {
    RANGE(views, 1, MAX_VIEWS);
    RANGE(width, MIN_SIDE, MAX_SIDE);
    RANGE(height, MIN_SIDE, MAX_SIDE);
    RANGE(focal_rel, 0.4, 4);
    RANGE(k1, -1, 1);
    RANGE(k2, -1, 1);
    RANGE(arc_deg, 0, 360);
    RANGE(noise, 0, 20);
    RANGE(vignette, 0, 0.9);
    RANGE(quality, 1, 100);
    for (int i = 0; i < VD_N_DEFECTS; i++) RANGE(defects[i], 0, MAX_DEFECTS);
    RANGE(label_swaps, 0, MAX_MISTAKES);
    RANGE(label_gaps, 0, MAX_MISTAKES);
    if (!o->labels && (o->label_swaps > 0 || o->label_gaps > 0))
        return vd_fail(err, VD_E_ARG, "synth: mistakes in labels are asked for, and no labels");
    /* r (1 + k1 r^2 + k2 r^4) must grow up to the corners, and some beyond, or the picture folds */
    double corner = 0.5 * hypot(1, (double)o->height / o->width) / o->focal_rel, rd = 0;
    for (double r = 0; rd < 1.05 * corner; r += 0.001) {
        double r2 = r * r, next = r * (1 + r2 * (o->k1 + r2 * o->k2));
        if (next < rd || r > 20)
            return vd_fail(err, VD_E_ARG, "synth: distortion k1 %g, k2 %g folds the picture over",
                           o->k1, o->k2);
        rd = next;
    }
    return VD_OK;
}

/* Where the camera is, in degrees and metres, and where it looks. The radii of curvature of WGS 84.
 */
static void set_gps(vd_media *m, const vd_plan *p, vd_rigid pose) {
    const double a = 6378137.0, e2 = 6.69437999014e-3, lat = p->latitude_deg * PI / 180;
    const double w = 1 - e2 * vd_sin(lat) * vd_sin(lat), meridian = a * (1 - e2) / (w * sqrt(w)),
                 normal = a / sqrt(w);
    vd_vec3 eye = vd_scene_eye(pose);
    double r[9];
    vd_quat_matrix(r, pose.q);
    m->latitude_deg = p->latitude_deg + eye.y / meridian * 180 / PI;
    m->longitude_deg = p->longitude_deg + eye.x / (normal * vd_cos(lat)) * 180 / PI;
    m->altitude_m = p->altitude_m + eye.z;
    m->direction_deg =
        fmod(atan2(r[6], r[7]) * 180 / PI + 360, 360); /* the optical axis, from north */
}

static void set_exif(vd_media *m, const vd_plan *p, vd_rigid pose, int64_t order, vd_rng *r) {
    memset(m, 0, sizeof *m);
    m->orientation = 1;
    m->width = p->opt.width;
    m->height = p->opt.height;
    m->focal_mm = p->opt.focal_rel * SENSOR_MM;
    m->focal_35mm = floor(p->opt.focal_rel * 36 + 0.5);
    m->exposure_s = 1.0 / 500;
    m->f_number = 2.8;
    m->iso = 100;
    snprintf(m->make, sizeof m->make, "Vidimus");
    snprintf(m->model, sizeof m->model, "Synth");
    snprintf(m->lens, sizeof m->lens, "Synth %.1f mm f/2.8", m->focal_mm);
    char utc[32];
    int64_t at = FIRST_SHOT_NS + order * 1300000000 + vd_rng_int(r, 400) * 1000000;
    vd_time_iso(utc, at + (int64_t)2 * 3600 * 1000000000); /* local time, two hours ahead */
    snprintf(m->taken_at, sizeof m->taken_at, "%.23s+02:00", utc);
    set_gps(m, p, pose);
}

static vd_shot *add_shot(vd_plan *p, vd_defect d, int64_t number, vd_rigid pose) {
    vd_shot *s = &p->shot[p->n_shots];
    vd_rng r = vd_rng_for(p->opt.seed, STREAM_DEFECT + (uint64_t)d, (uint64_t)number);
    *s = (vd_shot){ .index = d == VD_N_DEFECTS ? number : -1,
                    .defect = d,
                    .pose = pose,
                    .exposure = 1,
                    .noise = p->opt.noise,
                    .keep = 1 };
    if (d == VD_N_DEFECTS) /* as many digits as the last one needs: names sort by number */
        snprintf(s->name, sizeof s->name, "view_%0*d.jpg",
                 p->opt.views < 1000    ? 3
                 : p->opt.views < 10000 ? 4
                                        : 5,
                 (int)number + 1);
    else
        snprintf(s->name, sizeof s->name, "%s_%02d.jpg", vd_defect_name(d), (int)number + 1);
    set_exif(&s->exif, p, pose, p->n_shots, &r);
    p->n_shots++;
    const double scale = p->opt.width / 1600.0; /* blur is told for pictures of 1600 pixels */
    switch (d) {
    case VD_DEFECT_BLURRY: s->sigma_px = VD_MAX(vd_rng_range(&r, 5, 9) * scale, 1.5); break;
    case VD_DEFECT_MOTION_BLUR:
        s->length_px = VD_MAX(vd_rng_range(&r, 28, 48) * scale, 6);
        s->angle_rad = vd_rng_range(&r, 0, PI);
        break;
    case VD_DEFECT_DARK: s->exposure = vd_rng_range(&r, 0.02, 0.035); break;
    case VD_DEFECT_LIGHT: s->exposure = vd_rng_range(&r, 60, 120); break;
    case VD_DEFECT_NOISY: s->noise = vd_rng_range(&r, 22, 34); break;
    case VD_DEFECT_TRUNCATED: s->keep = vd_rng_range(&r, 0.35, 0.75); break;
    case VD_DEFECT_LOW_INFORMATION: s->noise = VD_MIN(s->noise, 0.3); break; /* a few grey levels */
    case VD_DEFECT_WRONG_EXTENSION:
        s->png = number % 2 == 0;
        if (!s->png) memcpy(s->name + strlen(s->name) - 3, "png", 3);
        break;
    default: break;
    }
    return s;
}

static void add_copy(vd_plan *p, vd_defect d, int64_t number) {
    vd_copy *c = &p->copy[p->n_copies++];
    vd_rng r = vd_rng_for(p->opt.seed, STREAM_COPY + (uint64_t)d, (uint64_t)number);
    const int32_t w = p->opt.width, h = p->opt.height;
    *c = (vd_copy){ .defect = d,
                    .view = vd_rng_int(&r, p->opt.views),
                    .x1 = w,
                    .y1 = h,
                    .width = w,
                    .height = h,
                    .quality = p->opt.quality,
                    .gain = 1 };
    snprintf(c->name, sizeof c->name, "%s_%02d.jpg", vd_defect_name(d), (int)number + 1);
    if (d == VD_DEFECT_EXACT_DUPLICATE) return;
    c->edit = (vd_edit)(VD_EDIT_CROP + number % 4);
    switch (c->edit) {
    case VD_EDIT_CROP: /* up to 1 % from each side: PDQ within 31 bits was measured to survive 2 %
                          from one side */
        c->x0 = (int32_t)(w * vd_rng_range(&r, 0.002, 0.010));
        c->y0 = (int32_t)(h * vd_rng_range(&r, 0.002, 0.010));
        c->x1 = w - (int32_t)(w * vd_rng_range(&r, 0.002, 0.010));
        c->y1 = h - (int32_t)(h * vd_rng_range(&r, 0.002, 0.010));
        c->width = c->x1 - c->x0;
        c->height = c->y1 - c->y0;
        break;
    case VD_EDIT_SCALE: {
        double k = vd_rng_range(&r, 0.45, 0.8);
        c->width = (int32_t)(w * k);
        c->height = (int32_t)(h * k);
        break;
    }
    case VD_EDIT_RECOMPRESS: c->quality = 30 + (int32_t)vd_rng_int(&r, 30); break;
    default: c->gain = number % 8 < 4 ? vd_rng_range(&r, 0.75, 0.9) : vd_rng_range(&r, 1.1, 1.25);
    }
}

static bool is_copy(vd_defect d) {
    return d == VD_DEFECT_EXACT_DUPLICATE || d == VD_DEFECT_NEAR_DUPLICATE;
}

vd_status vd_plan_init(vd_plan *p, const vd_synth_opt *opt, vd_err *err) {
    memset(p, 0, sizeof *p);
    VD_TRY(check(opt, err));
    p->opt = *opt;
    int64_t shots = opt->views, copies = 0;
    for (int d = 0; d < VD_N_DEFECTS; d++)
        if (is_copy((vd_defect)d))
            copies += opt->defects[d];
        else
            shots += opt->defects[d];
    p->shot = vd_mem_array((size_t)shots, sizeof *p->shot);
    p->copy = vd_mem_array((size_t)copies, sizeof *p->copy);
    if (p->shot == NULL || p->copy == NULL) {
        vd_plan_reset(p);
        return vd_nomem(err);
    }
    p->camera = (vd_scene_camera){ .width = opt->width,
                                   .height = opt->height,
                                   .f_px = opt->focal_rel * opt->width,
                                   .cx_px = 0.5 * opt->width,
                                   .cy_px = 0.5 * opt->height,
                                   .k1 = opt->k1,
                                   .k2 = opt->k2 };
    p->latitude_deg = 46.8123; /* an alpine meadow that has no such yard */
    p->longitude_deg = 9.2871;
    p->altitude_m = 1204;
    vd_status st = vd_scene_init(&p->scene, opt->world, opt->views, opt->seed, err);
    if (st != VD_OK) {
        vd_plan_reset(p);
        return st;
    }
    for (int64_t i = 0; i < opt->views; i++)
        add_shot(p, VD_N_DEFECTS, i,
                 vd_scene_view(&p->scene, i, opt->views, opt->arc_deg * PI / 180, opt->seed));
    for (int d = 0; d < VD_N_DEFECTS; d++)
        for (int64_t i = 0; i < opt->defects[d]; i++)
            if (is_copy((vd_defect)d))
                add_copy(p, (vd_defect)d, i);
            else
                add_shot(p, (vd_defect)d, i, vd_scene_stray(&p->scene, d * 1000 + i, opt->seed));
    return VD_OK;
}

void vd_plan_reset(vd_plan *p) {
    vd_mem_free(p->shot);
    vd_mem_free(p->copy);
    vd_scene_reset(&p->scene);
    p->shot = NULL;
    p->copy = NULL;
}
