/* The walk through a town, and whether its pictures can be mapped. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include "synth_help.h"

T(walks_go_on_without_jumps) {
    const int64_t views[] = { 1, 25, 80, 81, 100, 400, 1000, 3000 };
    vd_err err = { 0 };
    int32_t side = 0;
    for (int k = 0; k < VD_COUNT(views); k++) {
        vd_route r;
        T_OK(vd_route_init(&r, views[k], &err));
        T_TRUE(r.side >= side && r.step_m > 0.5 && r.step_m < 2.2);
        T_TRUE(r.length >= (double)views[k] * r.step_m);
        side = r.side;
        double at[2], d[2], before[2] = { 0 }, e[2] = { 0 };
        for (int i = 0; i < (int)(r.length / 0.05); i++) {
            vd_route_at(&r, 0.05 * i, at, d);
            T_NEAR(hypot(d[0], d[1]), 1, 1e-9);
            if (i > 0) {
                T_NEAR(hypot(at[0] - before[0], at[1] - before[1]), 0.05, 1e-4);
                T_TRUE(d[0] * e[0] + d[1] * e[1] > 0.999);
                /* and it goes where it looks */
                T_TRUE((at[0] - before[0]) * d[0] + (at[1] - before[1]) * d[1] > 0.0499);
            }
            memcpy(before, at, sizeof before);
            memcpy(e, d, sizeof e);
        }
        vd_route_reset(&r);
    }
}

/* Nothing stands where a camera does, or so near that it fills the picture. */
T(cameras_have_room) {
    vd_err err = { 0 };
    for (int k = 0; k < 10; k++) {
        const int64_t n = k < 2 ? 24 : k < 6 ? 70 : 300;
        vd_scene s;
        T_OK(vd_scene_init(&s, k < 2 ? VD_WORLD_YARD : VD_WORLD_TOWN, n, (uint64_t)k, &err));
        for (int64_t i = 0; i < n; i++) {
            const vd_vec3 eye = vd_scene_eye(vd_scene_view(&s, i, n, 2.4, (uint64_t)k));
            T_TRUE(!inside(&s, eye));
            for (int a = 0; a < 12; a++) /* a ring of 0.8 m, and the same below it */
                for (int z = 0; z < 2; z++) {
                    const vd_vec3 by = { 0.8 * cos(a * 0.5236), 0.8 * sin(a * 0.5236), -0.8 * z };
                    T_TRUE(!inside(&s, vd_v3_add(eye, by)));
                }
            T_TRUE(!inside(&s, vd_scene_eye(vd_scene_stray(&s, i, (uint64_t)k))));
        }
        vd_scene_reset(&s);
    }
}

/* How much of what `a` shows is seen in `b` too, by depth. */
static double overlap(const vd_picture *a, vd_rigid pa, const vd_picture *b, vd_rigid pb,
                      const vd_scene_camera *c) {
    int all = 0, both = 0;
    double m[9];
    vd_quat_matrix(m, pb.q);
    for (int i = 0; i < c->width * c->height; i++) {
        double x, y;
        if (!isfinite(a->depth[i])) continue;
        all++;
        const vd_vec3 w = lift(c, pa, i % c->width + 0.5, i / c->width + 0.5, (double)a->depth[i]);
        if (!vd_scene_project(c, pb, w, &x, &y)) continue;
        if (x < 0 || y < 0 || x >= c->width || y >= c->height) continue;
        const double z = m[6] * w.x + m[7] * w.y + m[8] * w.z + pb.t.z;
        both += fabs((double)b->depth[(int)y * c->width + (int)x] - z) < 0.03 * z;
    }
    return both / (double)all;
}

/* The sigma of grey levels in blocks of 20 x 20 pixels: how many blocks of ground and things are
 * nearly bare. */
static double bare_part(const vd_picture *p) {
    int all = 0, bare = 0;
    for (int y = 0; y + 20 <= p->height; y += 20)
        for (int x = 0; x + 20 <= p->width; x += 20) {
            double sum = 0, sum2 = 0;
            bool sky = false;
            for (int i = 0; i < 400; i++) {
                const int64_t at = (int64_t)(y + i / 20) * p->width + x + i % 20;
                const double v = p->rgb[3 * at + 1];
                sky |= p->id[at] == VD_ID_SKY;
                sum += v;
                sum2 += v * v;
            }
            if (sky) continue;
            all++;
            bare += sqrt(sum2 / 400 - sum / 400 * sum / 400) < 4;
        }
    return bare / (double)all;
}

/* Walks through towns as a mapper wants them: neighbours overlap, places come again, there is
 * texture everywhere and never more than half a picture of sky. */
T(town_walks_can_be_mapped) {
    vd_err err = { 0 };
    const vd_scene_camera c = { 320, 240, 0.78 * 320, 160, 120, 0, 0 };
    const vd_develop d = { .exposure = 1 };
    const int64_t n = 400, lap = 106; /* steps round 2 x 2 plots */
    vd_picture a = { 0 }, b = { 0 };
    T_OK(vd_picture_size(&a, c.width, c.height, &err));
    T_OK(vd_picture_size(&b, c.width, c.height, &err));
    vd_scene s;
    T_OK(vd_scene_init(&s, VD_WORLD_AUTO, n, 6, &err));
    T_EQ(s.route.side, 3);
    double mean = 0, least = 1, again = 0, bare = 0;
    for (int64_t i = 0; i < 40; i++) {
        const vd_rigid pa = vd_scene_view(&s, 7 * i, n, 0, 6),
                       pb = vd_scene_view(&s, 7 * i + 1, n, 0, 6);
        T_OK(vd_render(&a, kern(), &s, &c, pa, &err));
        T_OK(vd_render(&b, kern(), &s, &c, pb, &err));
        const double part = overlap(&a, pa, &b, pb, &c);
        mean += part / 40;
        least = VD_MIN(least, part);
        int sky = 0;
        for (int k = 0; k < c.width * c.height; k++) sky += a.id[k] == VD_ID_SKY;
        T_TRUE(sky < c.width * c.height / 2);
        vd_picture_develop(&a, kern(), &d);
        bare += bare_part(&a) / 40;
        if (i > 0) continue;
        for (int64_t k = lap - 8; k < lap + 8; k++) { /* the first view, a lap later */
            const vd_rigid later = vd_scene_view(&s, k, n, 0, 6);
            T_OK(vd_render(&b, kern(), &s, &c, later, &err));
            again = VD_MAX(again, overlap(&a, pa, &b, later, &c));
        }
    }
    fprintf(stderr,
            "town: neighbours overlap by %.2f, at least %.2f; a lap later by %.2f; bare %.3f\n",
            mean, least, again, bare);
    T_TRUE(mean > 0.6 && mean < 0.8);
    T_TRUE(least > 0.4);
    T_TRUE(again > 0.5);
    T_TRUE(bare < 0.05);
    vd_picture_reset(&a);
    vd_picture_reset(&b);
    vd_scene_reset(&s);
}

T(zz_nothing_is_left) {
    T_EQ(vd_mem_live(), 0);
}
