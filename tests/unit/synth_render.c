/* Rays, shadows and pictures against geometry done another way. SPDX-License-Identifier: Apache-2.0
 */
#include "t.h"

#include "synth_help.h"

/* All objects as the kernel wants them, in an order that puts none aside. */
typedef struct everything {
    int32_t *object;
    double *near;
    vd_found found;
} everything;

static everything everything_of(const vd_scene *s) {
    everything e = { 0 };
    const size_t n = (size_t)s->n_objects;
    e.object = vd_mem_array(n, sizeof *e.object);
    e.near = vd_mem_array(n, sizeof *e.near);
    e.found.object = vd_mem_array(n, sizeof *e.found.object);
    e.found.stamp = vd_mem_array(n, sizeof *e.found.stamp);
    for (int i = 0; i < s->n_objects; i++) e.object[i] = i;
    return e;
}

static void everything_reset(everything *e) {
    vd_mem_free(e->object);
    vd_mem_free(e->near);
    vd_mem_free(e->found.object);
    vd_mem_free(e->found.stamp);
}

/* Traces rays whose directions are set. */
static void trace_all(vd_rays *r, const vd_scene *s, vd_vec3 o, const everything *e) {
    const vd_view v = { .scene = s, .eye = o };
    for (int i = r->n; i < vd_lanes(r->n); i++) {
        r->dx[i] = r->dx[0];
        r->dy[i] = r->dy[0];
        r->dz[i] = r->dz[0];
    }
    kern()->trace(r, &v, e->object, e->near, s->n_objects);
}

/* Against marching with a definition of "inside": in the town too, with its other shapes of plots.
 */
static void compare_with_marching(t_case *t, vd_world world) {
    vd_err err = { 0 };
    vd_scene s;
    T_OK(vd_scene_init(&s, world, 30, 3, &err));
    everything e = everything_of(&s);
    vd_rays *q = vd_mem_aligned(sizeof *q);
    vd_patch *p = vd_mem_aligned(sizeof *p);
    vd_rng r = t_rng(t);
    int met = 0, wrong = 0;
    for (int i = 0; i < 1500; i++) {
        double a = vd_rng_range(&r, 0, 6.28), z = vd_rng_range(&r, 0.5, 4);
        vd_vec3 o = vd_v3(7 * cos(a), 7 * sin(a), z);
        vd_vec3 to = vd_v3(0, 0, 0);
        to.x = vd_rng_range(&r, -5, 5);
        to.y = vd_rng_range(&r, -5, 5);
        to.z = vd_rng_range(&r, -1, 3);
        const vd_vec3 d = vd_v3_unit(vd_v3_sub(to, o));
        if (inside(&s, o)) continue;
        q->n = 1;
        q->dx[0] = d.x;
        q->dy[0] = d.y;
        q->dz[0] = d.z;
        trace_all(q, &s, o, &e);
        const double step = 0.004, hit = q->t[0];
        double at = 0;
        while (at < 14 && !inside(&s, vd_v3_add(o, vd_v3_mul(d, at)))) at += step;
        met += at < 14;
        /* marching may step over a corner that the ray just cuts: rare, and only ever later */
        if (at < 14 ? hit > at + 1e-9 || hit < at - step - 1e-9 : hit < 14 - step) wrong++;
        if (VD_WHAT_ID(q->what[0]) == VD_ID_SKY) continue;
        const vd_view v = { .scene = &s, .eye = o, .camera.f_px = 1000 };
        p->n = 1;
        p->what = q->what[0];
        for (int k = 0; k < VD_LANE_STEP; k++) {
            p->dx[k] = d.x;
            p->dy[k] = d.y;
            p->dz[k] = d.z;
            p->t[k] = hit;
        }
        kern()->place(p, &v);
        const vd_vec3 n = vd_v3((double)p->nx[0], (double)p->ny[0], (double)p->nz[0]);
        T_NEAR(vd_v3_norm(n), 1, 1e-6);
        T_TRUE(vd_v3_dot(n, d) < 1e-6);
        /* outwards: just outside along the normal, just inside against it */
        const vd_vec3 place = vd_v3_add(o, vd_v3_mul(d, hit));
        T_TRUE(inside(&s, vd_v3_sub(place, vd_v3_mul(n, 1e-4))));
    }
    T_TRUE(met > 700);
    T_TRUE(wrong <= 8);
    everything_reset(&e);
    vd_mem_free(q);
    vd_mem_free(p);
    vd_scene_reset(&s);
}

T(rays_stop_where_marching_does) {
    compare_with_marching(t, VD_WORLD_YARD);
    compare_with_marching(t, VD_WORLD_TOWN);
}

/* The shortcuts of the shadow test against all rays to the sun's disc, each cast on its own by the
 * other code, the one that rays from the eye use. */
T(shadows_are_those_of_single_rays) {
    vd_err err = { 0 };
    vd_scene s;
    T_OK(vd_scene_init(&s, VD_WORLD_YARD, 1, 4, &err));
    everything e = everything_of(&s);
    vd_rays *q = vd_mem_aligned(sizeof *q);
    vd_patch *p = vd_mem_aligned(sizeof *p);
    vd_rng r = t_rng(t);
    int lit = 0, dark = 0, partly = 0, wrong = 0;
    for (int i = 0; i < 20000; i++) {
        p->n = 1;
        p->what = VD_WHAT(VD_ID_GROUND, 0);
        const double x = vd_rng_range(&r, -6, 6), y = vd_rng_range(&r, -6, 6);
        for (int k = 0; k < VD_LANE_STEP; k++) {
            p->x[k] = x;
            p->y[k] = y;
            p->z[k] = 0;
            p->nx[k] = p->ny[k] = 0;
            p->nz[k] = p->facing[k] = 1;
        }
        vd_vec3 o = vd_v3(x, y, 1e-5);
        if (inside(&s, o)) continue;
        int open = 0;
        q->n = VD_SCENE_SUN_RAYS;
        for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) {
            q->dx[k] = s.sun_ray[k].x;
            q->dy[k] = s.sun_ray[k].y;
            q->dz[k] = s.sun_ray[k].z;
        }
        trace_all(q, &s, o, &e);
        for (int k = 0; k < VD_SCENE_SUN_RAYS; k++) open += VD_WHAT_ID(q->what[k]) == VD_ID_SKY;
        lit += open == VD_SCENE_SUN_RAYS;
        dark += open == 0;
        partly += open > 0 && open < VD_SCENE_SUN_RAYS;
        kern()->sun(p, &s, &e.found);
        wrong += fabs((double)p->sun[0] * VD_SCENE_SUN_RAYS - open) > 0.01;
    }
    T_TRUE(lit > 5000 && dark > 1000 && partly > 100);
    T_EQ(wrong, 0);
    everything_reset(&e);
    vd_mem_free(q);
    vd_mem_free(p);
    vd_scene_reset(&s);
}

T(project_undoes_unproject) {
    vd_scene_camera c = { 1600, 1200, 1248, 800, 600, -0.11, 0.02 };
    vd_rigid p = { { 1, 0, 0, 0 }, { 0, 0, 0 } };
    vd_rng r = t_rng(t);
    for (int i = 0; i < 500; i++) {
        double px = vd_rng_range(&r, 0, 1600), py = vd_rng_range(&r, 0, 1200), x, y, qx, qy;
        vd_scene_unproject(&c, px, py, &x, &y);
        T_TRUE(vd_scene_project(&c, p, vd_v3(3 * x, 3 * y, 3), &qx, &qy));
        T_NEAR(qx, px, 1e-9);
        T_NEAR(qy, py, 1e-9);
    }
}

/* The lanes' rays against the one-pixel function, in a camera that is turned. */
T(rays_go_through_their_pixels) {
    const vd_rigid pose = { { 0.5, 0.5, -0.5, 0.5 }, { 1, 2, 3 } };
    vd_view v = { .camera = { 1600, 1200, 1248, 800, 600, -0.11, 0.02 },
                  .eye = vd_scene_eye(pose) };
    vd_quat_matrix(v.m, pose.q);
    vd_rays *q = vd_mem_aligned(sizeof *q);
    vd_rng r = t_rng(t);
    for (int k = 0; k < 2; k++) {
        q->n = VD_LANES;
        for (int i = 0; i < VD_LANES; i++) {
            q->px[i] = vd_rng_range(&r, 0, 1600);
            q->py[i] = vd_rng_range(&r, 0, 1200);
        }
        q->px[5] = 800; /* the optical axis */
        q->py[5] = 600;
        kern()->aim(q, &v);
        for (int i = 0; i < VD_LANES; i++) {
            double x, y;
            const vd_vec3 d = vd_v3(q->dx[i], q->dy[i], q->dz[i]);
            T_TRUE(vd_scene_project(&v.camera, pose, vd_v3_add(v.eye, vd_v3_mul(d, 7)), &x, &y));
            T_NEAR(x, q->px[i], 1e-9);
            T_NEAR(y, q->py[i], 1e-9);
            T_NEAR(v.m[6] * d.x + v.m[7] * d.y + v.m[8] * d.z, 1, 1e-12);
        }
        v.camera.k1 = v.camera.k2 = 0;
    }
    vd_mem_free(q);
}

/* Every pixel of a small picture against rays that are told of all objects: nothing that may be met
 * was put aside. */
T(no_object_is_overlooked) {
    vd_err err = { 0 };
    const vd_scene_camera c = { 200, 150, 150, 100, 75, -0.1, 0.01 };
    vd_rays *q = vd_mem_aligned(sizeof *q);
    vd_picture p = { 0 };
    T_OK(vd_picture_size(&p, c.width, c.height, &err));
    for (int k = 0; k < 8; k++) {
        vd_scene s;
        T_OK(vd_scene_init(&s, k < 2 ? VD_WORLD_YARD : VD_WORLD_TOWN, 300, (uint64_t)k, &err));
        everything e = everything_of(&s);
        const vd_rigid pose =
            k % 2 == 0 ? vd_scene_view(&s, 31 * k, 300, 2.4, 2) : vd_scene_stray(&s, k, 2);
        vd_view v = { .scene = &s, .camera = c, .eye = vd_scene_eye(pose) };
        vd_quat_matrix(v.m, pose.q);
        T_OK(vd_render(&p, kern(), &s, &c, pose, &err));
        int wrong = 0, objects = 0;
        for (int i = 0; i < c.width * c.height; i += q->n) {
            q->n = VD_MIN(VD_LANES, c.width * c.height - i);
            for (int j = 0; j < vd_lanes(q->n); j++) {
                q->px[j] = (i + VD_MIN(j, q->n - 1)) % c.width + 0.5;
                q->py[j] = (i + VD_MIN(j, q->n - 1)) / c.width + 0.5;
            }
            kern()->aim(q, &v);
            kern()->trace(q, &v, e.object, e.near, s.n_objects);
            for (int j = 0; j < q->n; j++) {
                wrong += p.id[i + j] != VD_WHAT_ID(q->what[j]) || p.depth[i + j] != (float)q->t[j];
                objects += p.id[i + j] >= VD_ID_FIRST;
            }
        }
        T_EQ(wrong, 0);
        T_TRUE(objects > 2000);
        everything_reset(&e);
        vd_scene_reset(&s);
    }
    vd_picture_reset(&p);
    vd_mem_free(q);
}

/* Two neighbouring views: each pixel of one is carried to the other by its depth. Where the other's
 * depth says that it sees the same place, the two must look alike; with a wrong depth they must
 * not. */
T(views_agree_where_depth_says_so) {
    vd_err err = { 0 };
    vd_scene world, *s = &world;
    T_OK(vd_scene_init(s, VD_WORLD_YARD, 24, 2, &err));
    vd_scene_camera c = { 640, 480, 500, 320, 240, -0.08, 0.01 };
    vd_picture a = { 0 }, b = { 0 };
    T_OK(vd_picture_size(&a, c.width, c.height, &err));
    T_OK(vd_picture_size(&b, c.width, c.height, &err));
    vd_rigid pa = vd_scene_view(s, 10, 24, 2.4, 2), pb = vd_scene_view(s, 11, 24, 2.4, 2);
    T_OK(vd_render(&a, kern(), s, &c, pa, &err));
    T_OK(vd_render(&b, kern(), s, &c, pb, &err));
    vd_develop d = { .exposure = 1 };
    vd_picture_develop(&a, kern(), &d);
    vd_picture_develop(&b, kern(), &d);
    double right = 0, wrong = 0;
    int n = 0, finite = 0;
    for (int y = 0; y < c.height; y++)
        for (int x = 0; x < c.width; x++) {
            int i = y * c.width + x;
            if (!isfinite(a.depth[i]) || a.depth[i] > 20) continue;
            finite++;
            double qx, qy, wx, wy;
            vd_vec3 w = lift(&c, pa, x + 0.5, y + 0.5, a.depth[i]);
            vd_vec3 v = lift(&c, pa, x + 0.5, y + 0.5, a.depth[i] * 1.1);
            if (!vd_scene_project(&c, pb, w, &qx, &qy) || !vd_scene_project(&c, pb, v, &wx, &wy))
                continue;
            if (qx < 1 || qy < 1 || qx >= c.width - 1 || qy >= c.height - 1) continue;
            if (wx < 1 || wy < 1 || wx >= c.width - 1 || wy >= c.height - 1) continue;
            int j = (int)qy * c.width + (int)qx, k = (int)wy * c.width + (int)wx;
            double m[9];
            vd_quat_matrix(m, pb.q);
            double z = m[6] * w.x + m[7] * w.y + m[8] * w.z + pb.t.z;
            if (a.id[i] != b.id[j] || fabs(b.depth[j] - z) > 0.02 * z) continue;
            /* bilinear, by pixel centres */
            double fx = qx - 0.5, fy = qy - 0.5;
            int x0 = (int)fx, y0 = (int)fy;
            fx -= x0;
            fy -= y0;
            const uint8_t *g = b.rgb + 3 * (y0 * c.width + x0) + 1;
            double there = (1 - fy) * ((1 - fx) * g[0] + fx * g[3]) +
                           fy * ((1 - fx) * g[3 * c.width] + fx * g[3 * c.width + 3]);
            right += fabs(there - a.rgb[3 * i + 1]);
            wrong += fabs((double)b.rgb[3 * k + 1] - a.rgb[3 * i + 1]);
            n++;
        }
    fprintf(stderr,
            "agreement: %d of %d pixels seen twice, mean difference %.2f, with depth 10 %% off "
            "%.2f\n",
            n, finite, right / n, wrong / n);
    T_TRUE(n > finite / 2);
    T_LT(right / n, 6); /* resampling of detail at the limit of resolution */
    T_LT(2.5 * right, wrong);
    vd_picture_reset(&a);
    vd_picture_reset(&b);
    vd_scene_reset(s);
}

/* The ground up to the horizon, and beyond what any coordinate can tell, beside the ground near by.
 */
T(ground_ends_in_haze) {
    vd_err err = { 0 };
    vd_scene s;
    T_OK(vd_scene_init(&s, VD_WORLD_TOWN, 200, 1, &err));
    everything e = everything_of(&s);
    vd_patch *p = vd_mem_aligned(sizeof *p);
    const vd_view v = { .scene = &s, .eye = { 0.3, 0.2, 2 }, .camera.f_px = 6000 };
    p->n = 16;
    p->what = VD_WHAT(VD_ID_GROUND, 0);
    for (int i = 0; i < 16; i++) {
        p->dx[i] = 0.8;
        p->dy[i] = -0.6;
        p->dz[i] = -pow(10, -i);
        p->t[i] = 2 * pow(10, i);
    }
    kern()->shade(p, &v, &e.found);
    for (int i = 0; i < 16; i++) {
        T_TRUE(p->red[i] > 0.001f && p->red[i] < 2 && p->green[i] > 0.001f && p->green[i] < 2);
        T_TRUE(p->blue[i] > 0.001f && p->blue[i] < 2);
        if (i < 5) continue; /* what is left is air */
        T_NEAR((double)p->red[i], 0.62, 1e-4);
        T_NEAR((double)p->blue[i], 0.80, 1e-4);
    }
    everything_reset(&e);
    vd_mem_free(p);
    vd_scene_reset(&s);
}

T(zz_nothing_is_left) {
    T_EQ(vd_mem_live(), 0);
}
