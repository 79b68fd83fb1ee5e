/* See ply.h; the format is Greg Turk's of 1994. SPDX-License-Identifier: Apache-2.0 */
#include "recon/ply.h"

#include "base/path.h"
#include "geometry/rigid.h"
#include "recon/bytes.h"

enum { CORNERS = 4 };
static const uint8_t FRUSTUM_RGB[3] = { 255, 80, 0 };

static void put_vertex(vd_str *s, bool doubles, const double x[3], const uint8_t rgb[3]) {
    const float f[3] = { (float)x[0], (float)x[1], (float)x[2] };
    if (doubles)
        vd_bytes_put(s, x, 3 * sizeof *x);
    else
        vd_bytes_put(s, f, sizeof f);
    vd_bytes_put(s, rgb, 3);
}

static void put_vec(vd_str *s, bool doubles, vd_vec3 v) {
    put_vertex(s, doubles, (const double[]){ v.x, v.y, v.z }, FRUSTUM_RGB);
}

/* The centre, then the corners of the picture. */
static void put_frustum(vd_str *s, const vd_model *m, const vd_model_image *v,
                        const vd_ply_opt *opt) {
    const vd_camera *c = &m->cameras[v->camera];
    vd_rigid world_from_cam = vd_rigid_inverse(v->cam_from_world);
    put_vec(s, opt->doubles, world_from_cam.t);
    for (int i = 0; i < CORNERS; i++) {
        const double uv[2] = { i == 1 || i == 2 ? c->width : 0, i >= 2 ? c->height : 0 };
        double ray[3] = { 0 };
        if (!vd_camera_ray(c, uv, ray)) ray[0] = ray[1] = ray[2] = 0;
        vd_vec3 corner = vd_v3_mul(vd_v3(ray[0], ray[1], ray[2]), opt->frustum_size);
        put_vec(s, opt->doubles, vd_rigid_apply(world_from_cam, corner));
    }
}

static void put_faces(vd_str *s, int64_t centre) {
    for (int i = 0; i < CORNERS; i++) {
        vd_str_addc(s, 3);
        vd_bytes_put_u32(s, centre);
        vd_bytes_put_u32(s, centre + 1 + i);
        vd_bytes_put_u32(s, centre + 1 + (i + 1) % CORNERS);
    }
}

vd_status vd_ply_emit(vd_str *s, const vd_model *m, const vd_ply_opt *opt, vd_err *err) {
    static const vd_ply_opt defaults = { 0 };
    if (opt == NULL) opt = &defaults;
    bool frusta = opt->frustum_size > 0;
    const char *real = opt->doubles ? "double" : "float";
    long long vertices = m->n_points + (frusta ? (1 + CORNERS) * (long long)m->n_images : 0);
    vd_str_addf(s,
                "ply\nformat binary_little_endian 1.0\nelement vertex %lld\n"
                "property %s x\nproperty %s y\nproperty %s z\n"
                "property uchar red\nproperty uchar green\nproperty uchar blue\n",
                vertices, real, real, real);
    if (frusta)
        vd_str_addf(s, "element face %lld\nproperty list uchar int vertex_indices\n",
                    CORNERS * (long long)m->n_images);
    vd_str_add(s, "end_header\n");
    for (int64_t i = 0; i < m->n_points; i++)
        put_vertex(s, opt->doubles, m->xyz + 3 * i, m->rgb + 3 * i);
    for (int32_t i = 0; frusta && i < m->n_images; i++) put_frustum(s, m, &m->images[i], opt);
    for (int32_t i = 0; frusta && i < m->n_images; i++)
        put_faces(s, m->n_points + (1 + CORNERS) * (int64_t)i);
    return vd_str_check(s, err);
}

vd_status vd_ply_write(const vd_model *m, const char *path, const vd_ply_opt *opt, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = vd_ply_emit(&s, m, opt, err);
    if (st == VD_OK) st = vd_file_write(path, s.data, (size_t)s.size, err);
    vd_str_reset(&s);
    return st;
}
