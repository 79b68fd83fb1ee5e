/* Writes the truth files: JSON and tab-separated text, numbers so that they read back the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/truth.h"

#include <string.h>

static void key(vd_str *s, const char *name, double v) {
    vd_str_addf(s, "\"%s\": ", name);
    vd_str_json_num(s, v);
}

static void vec(vd_str *s, const char *name, vd_vec3 v) {
    vd_str_addf(s, "\"%s\": [", name);
    vd_str_json_num(s, v.x);
    vd_str_add(s, ", ");
    vd_str_json_num(s, v.y);
    vd_str_add(s, ", ");
    vd_str_json_num(s, v.z);
    vd_str_addc(s, ']');
}

static void pose(vd_str *s, vd_rigid p) {
    const char *name[] = { "qw", "qx", "qy", "qz", "tx", "ty", "tz" };
    const double v[] = { p.q.w, p.q.x, p.q.y, p.q.z, p.t.x, p.t.y, p.t.z };
    vd_str_add(s, "\"cam_from_world\": {");
    for (int i = 0; i < 7; i++) {
        if (i > 0) vd_str_add(s, ", ");
        key(s, name[i], v[i]);
    }
    vd_str_addc(s, '}');
}

/* view_001.jpg without its extension. */
static void stem(vd_str *s, const char *name) {
    vd_str_addn(s, name, (int64_t)strlen(name) - 4);
}

static const char *defect_of(const vd_shot *s) {
    return s->defect == VD_N_DEFECTS ? NULL : vd_defect_name(s->defect);
}

static void one_image(vd_str *s, const vd_plan *p, const vd_shot *shot) {
    vd_str_add(s, "    {\"file\": ");
    vd_str_json(s, shot->name);
    vd_str_add(s, ", \"camera_id\": 1, ");
    pose(s, shot->pose);
    vd_str_add(s, ", \"defect\": ");
    if (defect_of(shot) != NULL)
        vd_str_json(s, defect_of(shot));
    else
        vd_str_add(s, "null");
    if (shot->index >= 0 && p->opt.truth_maps) {
        vd_str_add(s, ", \"depth\": \"depth/");
        stem(s, shot->name);
        vd_str_add(s, ".npy\", \"mask\": \"masks/");
        stem(s, shot->name);
        vd_str_add(s, ".png\"");
    }
    vd_str_addc(s, '}');
}

/* The members "convention", "origin", "cameras" and "images" of a document. */
static void poses(vd_str *s, const vd_plan *p) {
    const vd_scene_camera *c = &p->camera;
    vd_str_add(
        s,
        "  \"convention\": \"x_cam = R(q) x_world + t, q Hamilton, camera axes +x right +y down +z "
        "forward, world x east y north z up in metres; pixel = f * x_d + c with pixel centres "
        "at +0.5; x_d = x (1 + k1 r^2 + k2 r^4) on the plane z = 1 (COLMAP RADIAL); depth is "
        "z_cam at the pixel's centre in metres, inf for sky\",\n  \"origin\": {");
    key(s, "latitude_deg", p->latitude_deg);
    vd_str_add(s, ", ");
    key(s, "longitude_deg", p->longitude_deg);
    vd_str_add(s, ", ");
    key(s, "altitude_m", p->altitude_m);
    vd_str_addf(
        s,
        "},\n  \"cameras\": [{\"id\": 1, \"model\": \"RADIAL\", \"width\": %d, \"height\": %d, "
        "\"params\": {",
        c->width, c->height);
    const char *name[] = { "f", "cx", "cy", "k1", "k2" };
    const double v[] = { c->f_px, c->cx_px, c->cy_px, c->k1, c->k2 };
    for (int i = 0; i < 5; i++) {
        if (i > 0) vd_str_add(s, ", ");
        key(s, name[i], v[i]);
    }
    vd_str_add(s, "}}],\n  \"images\": [\n");
    for (int64_t i = 0, n = 0; i < p->n_shots; i++) {
        if (p->shot[i].defect == VD_DEFECT_LOW_INFORMATION) continue; /* shows no scene */
        if (n++ > 0) vd_str_add(s, ",\n");
        one_image(s, p, &p->shot[i]);
    }
    vd_str_add(s, "\n  ]");
}

void vd_truth_cameras(vd_str *s, const vd_plan *p) {
    vd_str_add(s, "{\n");
    poses(s, p);
    vd_str_add(s, "\n}\n");
}

void vd_truth_coco(vd_str *s, const vd_plan *p, const vd_seen_list *seen) {
    vd_str_add(s, "{\"info\": {\"description\": \"boxes of the visible pixels of each object\"},\n"
                  "\"images\": [\n");
    for (int64_t i = 0; i < p->opt.views; i++)
        vd_str_addf(s, "%s{\"id\": %lld, \"file_name\": \"%s\", \"width\": %d, \"height\": %d}",
                    i > 0 ? ",\n" : "", (long long)i + 1, p->shot[i].name, p->opt.width,
                    p->opt.height);
    vd_str_add(s, "],\n\"categories\": [\n");
    for (int c = 0; c < VD_N_CATEGORIES; c++)
        vd_str_addf(s, "%s{\"id\": %d, \"name\": \"%s\"}", c > 0 ? ",\n" : "", c + 1,
                    vd_category_name((vd_category)c));
    vd_str_add(s, "],\n\"annotations\": [\n");
    long long id = 0;
    for (int64_t i = 0; i < p->opt.views; i++)
        for (int k = 0; k < seen[i].n; k++) {
            const vd_seen *a = &seen[i].item[k];
            if (a->pixels < VD_SYNTH_MIN_PIXELS) continue;
            vd_str_addf(
                s,
                "%s{\"id\": %lld, \"image_id\": %lld, \"category_id\": %d, \"bbox\": [%d, %d, "
                "%d, %d], \"area\": %lld, \"iscrowd\": 0, \"visible_pixels\": %lld, "
                "\"instance_id\": %d}",
                id > 0 ? ",\n" : "", id + 1, (long long)i + 1,
                (int)p->scene.object[a->object].category + 1, a->x0, a->y0, a->x1 - a->x0,
                a->y1 - a->y0, (long long)a->pixels, (long long)a->pixels, VD_ID_FIRST + a->object);
            id++;
        }
    vd_str_add(s, "]}\n");
}

/* What was done to a shot, as `name=value` pairs. */
static void shot_parameters(vd_str *s, const vd_shot *t) {
    switch (t->defect) {
    case VD_DEFECT_BLURRY: vd_str_addf(s, "sigma_px=%.3f", t->sigma_px); break;
    case VD_DEFECT_MOTION_BLUR:
        vd_str_addf(s, "length_px=%.3f angle_rad=%.4f", t->length_px, t->angle_rad);
        break;
    case VD_DEFECT_DARK:
    case VD_DEFECT_LIGHT: vd_str_addf(s, "exposure=%.4f", t->exposure); break;
    case VD_DEFECT_NOISY: vd_str_addf(s, "sigma=%.3f", t->noise); break;
    case VD_DEFECT_TRUNCATED:
        vd_str_addf(s, "keep=%.4f bytes=%lld", t->keep, (long long)t->bytes);
        break;
    case VD_DEFECT_WRONG_EXTENSION: vd_str_addf(s, "format=%s", t->png ? "png" : "jpeg"); break;
    case VD_DEFECT_LOW_INFORMATION: vd_str_add(s, "content=flat"); break;
    default: break;
    }
}

static void copy_parameters(vd_str *s, const vd_copy *c) {
    vd_str_addf(s, "edit=%s", vd_edit_name(c->edit));
    switch (c->edit) {
    case VD_EDIT_CROP:
        vd_str_addf(s, " x0=%d y0=%d x1=%d y1=%d", c->x0, c->y0, c->x1, c->y1);
        break;
    case VD_EDIT_SCALE: vd_str_addf(s, " width=%d height=%d", c->width, c->height); break;
    case VD_EDIT_RECOMPRESS: vd_str_addf(s, " quality=%d", c->quality); break;
    case VD_EDIT_GAIN: vd_str_addf(s, " gain=%.4f", c->gain); break;
    default: break;
    }
}

/* Of labels the kinds are, likewise, the keys of the problems that they should raise. */
static const char *kind_of(const vd_mistake *m) {
    return m->written == VD_N_THINGS ? "missing_in_3d" : "inconsistent_in_3d";
}

static void mistake_parameters(vd_str *s, const vd_plan *p, const vd_mistake *m) {
    vd_str_addf(s, "instance=%d class=%s", VD_ID_FIRST + m->object,
                vd_thing_name(p->scene.object[m->object].thing));
    if (m->written != VD_N_THINGS)
        vd_str_addf(s, " written=%s label=%lld", vd_thing_name(m->written), (long long)m->label);
}

void vd_truth_defects(vd_str *s, const vd_plan *p, const vd_mistakes *mistakes) {
    vd_str_add(s, "kind\tfile\tsource\tparameters\n");
    for (int64_t i = 0; i < p->n_shots; i++) {
        if (defect_of(&p->shot[i]) == NULL) continue;
        vd_str_addf(s, "%s\t%s\t\t", defect_of(&p->shot[i]), p->shot[i].name);
        shot_parameters(s, &p->shot[i]);
        vd_str_addc(s, '\n');
    }
    for (int64_t i = 0; i < p->n_copies; i++) {
        const vd_copy *c = &p->copy[i];
        vd_str_addf(s, "%s\t%s\t%s\t", vd_defect_name(c->defect), c->name, p->shot[c->view].name);
        copy_parameters(s, c);
        vd_str_addc(s, '\n');
    }
    for (int64_t i = 0; i < mistakes->n; i++) {
        const vd_mistake *m = &mistakes->item[i];
        vd_str_addf(s, "%s\t%s\t\t", kind_of(m), p->shot[m->view].name);
        mistake_parameters(s, p, m);
        vd_str_addc(s, '\n');
    }
}

static void one_object(vd_str *s, const vd_object *b, int id) {
    static const char *const shape[] = { "polyhedron", "ellipsoid", "frustum" };
    vd_str_addf(s, "    {\"instance_id\": %d, \"category\": \"%s\", \"shape\": \"%s\", ", id,
                vd_category_name(b->category), shape[b->shape]);
    vec(s, "centre", b->centre);
    vd_str_add(s, ", ");
    vec(s, "half", b->half);
    vd_str_add(s, ", \"local_from_world\": [");
    for (int i = 0; i < 9; i++) {
        if (i > 0) vd_str_add(s, ", ");
        vd_str_json_num(s, b->axis[i]);
    }
    vd_str_add(s, "]");
    if (b->shape == VD_SHAPE_POLY) {
        vd_str_add(s, ", \"planes\": [");
        for (int i = 0; i < b->n_planes; i++)
            for (int k = 0; k < 4; k++) {
                vd_str_add(s, k == 0 ? i > 0 ? ", [" : "[" : ", ");
                vd_str_json_num(s, b->plane[i][k]);
                if (k == 3) vd_str_addc(s, ']');
            }
        vd_str_addc(s, ']');
    }
    vd_str_addc(s, '}');
}

static void one_file(vd_str *s, const char *kind, const char *name, const char *source) {
    vd_str_add(s, ",\n    {\"kind\": ");
    vd_str_json(s, kind);
    vd_str_add(s, ", \"file\": ");
    vd_str_json(s, name);
    vd_str_add(s, ", \"source\": ");
    if (source != NULL)
        vd_str_json(s, source);
    else
        vd_str_add(s, "null");
    vd_str_add(s, ", \"parameters\": \"");
}

static void all_files(vd_str *s, const vd_plan *p, const vd_mistakes *mistakes) {
    vd_str list = { 0 };
    for (int64_t i = 0; i < p->n_shots; i++) {
        if (defect_of(&p->shot[i]) == NULL) continue;
        one_file(&list, defect_of(&p->shot[i]), p->shot[i].name, NULL);
        shot_parameters(&list, &p->shot[i]);
        vd_str_add(&list, "\"}");
    }
    for (int64_t i = 0; i < p->n_copies; i++) {
        const vd_copy *c = &p->copy[i];
        one_file(&list, vd_defect_name(c->defect), c->name, p->shot[c->view].name);
        copy_parameters(&list, c);
        vd_str_add(&list, "\"}");
    }
    for (int64_t i = 0; i < mistakes->n; i++) {
        const vd_mistake *m = &mistakes->item[i];
        one_file(&list, kind_of(m), p->shot[m->view].name, NULL);
        mistake_parameters(&list, p, m);
        vd_str_add(&list, "\"}");
    }
    if (list.size > 2) vd_str_add(s, list.data + 2); /* without the first comma and line end */
    if (list.status != VD_OK) s->status = list.status;
    vd_str_reset(&list);
}

void vd_truth_all(vd_str *s, const vd_plan *p, const vd_mistakes *mistakes) {
    const vd_synth_opt *o = &p->opt;
    vd_str_addf(
        s,
        "{\n  \"generator\": \"vidimus synth\", \"world\": \"%s\", \"seed\": %llu, \"views\": %d, "
        "\"width\": %d, \"height\": %d, \"quality\": %d,\n  ",
        p->scene.route.side > 0 ? "town" : "yard", (unsigned long long)o->seed, o->views, o->width,
        o->height, o->quality);
    key(s, "noise", o->noise);
    vd_str_add(s, ", ");
    key(s, "vignette", o->vignette);
    vd_str_add(s, ", ");
    key(s, "arc_deg", o->arc_deg);
    vd_str_add(s, ", ");
    vec(s, "sun", p->scene.sun);
    vd_str_add(s, ",\n");
    poses(s, p);
    vd_str_add(s, ",\n  \"instances\": [\n    {\"instance_id\": 0, \"category\": \"sky\"},\n"
                  "    {\"instance_id\": 1, \"category\": \"ground\", \"plane\": [0, 0, 1, 0]}");
    for (int i = 0; i < p->scene.n_objects; i++) {
        vd_str_add(s, ",\n");
        one_object(s, &p->scene.object[i], VD_ID_FIRST + i);
    }
    vd_str_add(s, "\n  ],\n  \"defects\": [\n");
    all_files(s, p, mistakes);
    vd_str_add(s, "\n  ]\n}\n");
}
