/* Scenes for the page: health, the cloud of points, where cameras stood and what they saw, and the
 * pictures that have no place, by reason. SPDX-License-Identifier: Apache-2.0
 *
 * A cloud goes into the page as base64 of 9 bytes a point (report/cloud.h), so that the default
 * of 200 000 points a scene is 2.4 MB of text and the limit of a page, a million, 12 MB: one file
 * still. A scene whose arrays are damaged or of another run keeps its row and cameras, and says
 * why it shows no points. */
#include <math.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "geometry/rigid.h"
#include "report/cloud.h"
#include "report/parts.h"
#include "scene/imported.h"
#include "scene/views.h"
#include "store/arrays.h"

enum { PAGE_SHARE = 5, SPREAD = 16 };

/* ---- how much of each scene is shown ---- */

typedef struct scene {
    int64_t id, points, views;
    bool georeferenced;
} scene;

typedef struct scene_list {
    scene *s;
    int64_t n, cap;
    int64_t most_points, most_views; /* of one scene */
} scene_list;

/* What every scene may have so that none has more than `each` and all together have at most
 * `all`: the largest such share. */
static int64_t fair_share(const scene_list *l, bool of_points, int64_t each, int64_t all) {
    int64_t lo = 0, hi = each;
    while (lo < hi) {
        const int64_t mid = hi - (hi - lo) / 2;
        int64_t sum = 0;
        for (int64_t i = 0; i < l->n && sum <= all; i++)
            sum += VD_MIN(of_points ? l->s[i].points : l->s[i].views, mid);
        if (sum <= all)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static vd_status list_scenes(scene_list *l, vd_report *r, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    VD_TRY(vd_db_prepare(
        &s, r->db, "SELECT id, points, registered, georeferenced FROM scene ORDER BY id LIMIT ?1",
        true, err));
    vd_stmt_bind(s, 1, vd_val_int(r->opt->scenes));
    vd_status st = VD_OK;
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st == VD_OK && row) st = VD_GROW(l->s, l->cap, l->n + 1, err);
        if (st == VD_OK && row)
            l->s[l->n++] = (scene){ vd_stmt_int(s, 0), VD_MAX(vd_stmt_int(s, 1), 0),
                                    VD_MAX(vd_stmt_int(s, 2), 0), vd_stmt_int(s, 3) != 0 };
    }
    vd_stmt_free(s);
    l->most_points = fair_share(l, true, r->opt->points, PAGE_SHARE * r->opt->points);
    l->most_views = fair_share(l, false, r->opt->views, PAGE_SHARE * r->opt->views);
    return st;
}

/* ---- the cloud ---- */

static void numbers(vd_str *out, const char *name, const double *v, int n) {
    vd_str_addf(out, ", \"%s\": [", name);
    for (int i = 0; i < n; i++) {
        if (i > 0) vd_str_addc(out, ',');
        vd_str_json_num(out, v[i]);
    }
    vd_str_addc(out, ']');
}

static void cloud_json(vd_str *out, const vd_cloud *c) {
    vd_str_addf(out, ",\n\"cloud\": {\"n\": %lld, \"outside\": %lld", (long long)c->n,
                (long long)c->outside);
    numbers(out, "lo", c->lo, 3);
    numbers(out, "size", c->size, 3);
    vd_str_add(out, ", \"xyz\": \"");
    vd_str_base64(out, c->xyz, 6 * c->n);
    vd_str_add(out, "\", \"rgb\": \"");
    vd_str_base64(out, c->rgb, 3 * c->n);
    vd_str_add(out, "\"}");
}

/* An array counts only with the row that speaks of it: another number of rows is another run's. */
static vd_status read_cloud(vd_cloud *c, const vd_report *r, const scene *sc, int64_t most,
                            vd_err *err) {
    vd_status st = VD_OK;
    void *xyz = NULL, *rgb = NULL;
    int64_t n = 0, n_rgb = 0, number = 0;
    VD_GO(vd_scenes_import_number(&number, r->db, err));
    const int64_t id = vd_scene_array(number, sc->id);
    VD_GO(vd_array_read(r->ds, "points", id, VD_NPY_F64, 3, &xyz, &n, err));
    VD_GO(vd_array_read(r->ds, "point_colours", id, VD_NPY_U8, 3, &rgb, &n_rgb, err));
    if (n != sc->points || n_rgb != n)
        VD_GO(vd_fail(err, VD_E_FORMAT, "scene %lld: %lld points, but %lld places and %lld colours",
                      (long long)sc->id, (long long)sc->points, (long long)n, (long long)n_rgb));
    VD_GO(vd_cloud_reduce(c, xyz, rgb, n, most, err));
done:
    vd_mem_free(xyz);
    vd_mem_free(rgb);
    return st;
}

static vd_status cloud(vd_report *r, const scene *sc, int64_t most, vd_err *err) {
    vd_cloud c = { 0 };
    vd_err why = { 0 };
    vd_status st = read_cloud(&c, r, sc, most, &why);
    if (st == VD_OK) {
        cloud_json(r->out, &c);
    } else if (st == VD_E_NOTFOUND || st == VD_E_FORMAT || st == VD_E_UNSUPPORTED ||
               st == VD_E_IO) {
        vd_str_add(r->out, ",\n\"cloud\": null, \"why\": ");
        vd_str_json(r->out, why.msg);
        st = VD_OK;
    } else {
        st = vd_fail(err, st, "%s", why.msg);
    }
    vd_cloud_reset(&c);
    return st;
}

/* ---- cameras ---- */

/* Corners of the stored picture, at x and y of -1 and 1, in the order in which the upright one has
 * them: top left, top right, bottom right, bottom left. By EXIF orientation. */
static const int corner_of[9][4] = { { 0, 1, 2, 3 }, { 0, 1, 2, 3 }, { 1, 0, 3, 2 },
                                     { 2, 3, 0, 1 }, { 3, 2, 1, 0 }, { 0, 3, 2, 1 },
                                     { 3, 0, 1, 2 }, { 2, 1, 0, 3 }, { 1, 2, 3, 0 } };
static const double corner[4][2] = { { -1, -1 }, { 1, -1 }, { 1, 1 }, { -1, 1 } };

static const double widest = 1.5;        /* tangent, beyond which a drawn frustum is cut */
static const double unknown_focal = 1.2; /* in long sides, where the camera cannot be read */

/* Where rays through the corners of the upright picture meet the plane z = 1. */
static void corner_rays(double xy[8], const vd_camera *c, int orientation) {
    for (int i = 0; i < 4; i++) {
        const double *at = corner[corner_of[orientation][i]];
        const double uv[2] = { (1 + at[0]) / 2 * c->width, (1 + at[1]) / 2 * c->height };
        double *out = xy + 2 * i;
        if (!vd_camera_unproject(c, uv, out)) { /* a fisheye sees more than half of the world */
            out[0] = widest * at[0];
            out[1] = widest * at[1];
        }
        const double far = hypot(out[0], out[1]) / widest;
        if (far > 1) {
            out[0] /= far;
            out[1] /= far;
        }
    }
}

/* A row of the query below. */
enum {
    Q_ID,
    Q_URI,
    Q_POINTS,
    Q_TAKEN,
    Q_ORIENTATION,
    Q_QW,
    Q_TX = Q_QW + 4,
    Q_CAMERA = Q_TX + 3,
    Q_FOCAL_FROM,
    Q_TEXT
};

static const char VIEWS[] =
    "SELECT r.asset_id, a.uri, r.scene_points, c.taken_at, c.orientation, r.qw, r.qx, r.qy, r.qz,"
    " r.tx, r.ty, r.tz, r.camera_id, k.focal_from, k.model || ',' || k.width || ',' || k.height ||"
    " ',' || k.params FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id"
    " LEFT JOIN fact_check c ON c.asset_id = r.asset_id LEFT JOIN camera k ON k.id = r.camera_id"
    " WHERE r.scene = ?1 AND r.registered = 1 ORDER BY r.asset_id";

typedef struct view_list {
    vd_vec3 *top, *forward; /* of every picture with a pose, in the world */
    int64_t n, cap_top, cap_forward;
    vd_map *cameras;    /* (camera, orientation) to its place in camera_json */
    vd_str camera_json; /* follows the views, which name its elements as they need them */
    int64_t *shown;     /* assets */
    int64_t n_shown, cap_shown;
} view_list;

static void view_list_reset(view_list *l) {
    vd_mem_free(l->top);
    vd_mem_free(l->forward);
    vd_mem_free(l->shown);
    vd_map_free(l->cameras);
    vd_str_reset(&l->camera_json);
}

static int orientation_of(const vd_stmt *s) {
    const int64_t v = vd_stmt_int(s, Q_ORIENTATION);
    return v >= 1 && v <= 8 ? (int)v : 1;
}

static bool pose_of(vd_rigid *pose, const vd_stmt *s) {
    double v[7], norm = 0;
    for (int i = 0; i < 7; i++) {
        v[i] = vd_stmt_real(s, Q_QW + i);
        if (!(fabs(v[i]) < 1e30)) return false;
        if (i < 4) norm += v[i] * v[i];
    }
    if (!(norm > 0.25 && norm < 4)) return false; /* no rotation */
    pose->q = vd_quat_unit((vd_quat){ v[0], v[1], v[2], v[3] });
    pose->t = vd_v3(v[4], v[5], v[6]);
    return true;
}

static vd_status note_direction(view_list *l, const vd_stmt *s, const vd_rigid *pose, vd_err *err) {
    const int *at = corner_of[orientation_of(s)];
    const double x = corner[at[0]][0] + corner[at[1]][0], y = corner[at[0]][1] + corner[at[1]][1];
    const vd_quat world_from_cam = vd_quat_conj(pose->q);
    VD_TRY(VD_GROW(l->top, l->cap_top, l->n + 1, err));
    VD_TRY(VD_GROW(l->forward, l->cap_forward, l->n + 1, err));
    l->top[l->n] = vd_quat_rotate(world_from_cam, vd_v3_unit(vd_v3(x, y, 0)));
    l->forward[l->n++] = vd_quat_rotate(world_from_cam, vd_v3(0, 0, 1));
    return VD_OK;
}

static vd_status add_camera(view_list *l, const vd_stmt *s, const int64_t key[2], int64_t *place,
                            vd_err *err) {
    vd_camera c;
    double xy[8];
    const char *text = vd_stmt_text(s, Q_TEXT);
    const bool known = vd_camera_parse(&c, text, NULL) == VD_OK;
    if (!known) c = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, unknown_focal * 4, 4, 3);
    corner_rays(xy, &c, (int)key[1]);
    *place = vd_map_size(l->cameras);
    vd_str_addf(&l->camera_json, "%s{\"id\": %lld, \"model\": ", *place > 0 ? ",\n" : "",
                (long long)key[0]);
    vd_str_json(&l->camera_json, known ? vd_camera_model_name(c.model) : "");
    if (known) {
        vd_str_addf(&l->camera_json, ", \"width\": %d, \"height\": %d, \"focal_px\": ", c.width,
                    c.height);
        vd_str_json_num(&l->camera_json, vd_camera_mean_focal(&c));
    }
    vd_str_add(&l->camera_json, ", \"focal_from\": ");
    vd_str_json(&l->camera_json, vd_stmt_text(s, Q_FOCAL_FROM));
    numbers(&l->camera_json, "corners", xy, 8);
    vd_str_addc(&l->camera_json, '}');
    return vd_map_put(l->cameras, key, 2 * sizeof *key, *place, err);
}

static vd_status view_json(vd_report *r, view_list *l, const vd_stmt *s, const vd_rigid *pose,
                           vd_err *err) {
    const int64_t key[2] = { vd_stmt_int(s, Q_CAMERA), orientation_of(s) };
    const vd_vec3 c = vd_rigid_centre(*pose);
    const vd_value points = vd_stmt_value(s, Q_POINTS);
    int64_t camera = 0;
    if (!vd_map_get(l->cameras, key, sizeof key, &camera))
        VD_TRY(add_camera(l, s, key, &camera, err));
    VD_TRY(VD_GROW(l->shown, l->cap_shown, l->n_shown + 1, err));
    vd_str_addf(r->out, "%s{\"id\": %lld, \"uri\": ", l->n_shown > 0 ? ",\n" : "",
                (long long)vd_stmt_int(s, Q_ID));
    l->shown[l->n_shown++] = vd_stmt_int(s, Q_ID);
    vd_str_json(r->out, vd_stmt_text(s, Q_URI));
    vd_str_addf(r->out, ", \"camera\": %lld, \"points\": %lld, \"taken\": ", (long long)camera,
                points.type == VD_INT ? (long long)points.i : 0LL);
    vd_str_json(r->out, vd_stmt_text(s, Q_TAKEN));
    numbers(r->out, "q", (const double[]){ pose->q.w, pose->q.x, pose->q.y, pose->q.z }, 4);
    numbers(r->out, "c", (const double[]){ c.x, c.y, c.z }, 3);
    vd_str_addc(r->out, '}');
    return VD_OK;
}

/* The same rows twice: where all cameras point, then as many of them as are shown, evenly. */
static vd_status walk_views(vd_report *r, view_list *l, vd_stmt *s, int64_t most, bool write,
                            vd_err *err) {
    bool row = true;
    int64_t i = 0;
    const int64_t show = VD_MIN(l->n, most);
    for (;;) {
        vd_rigid pose;
        VD_TRY(vd_stmt_step(s, &row, err));
        if (!row) break;
        if (!pose_of(&pose, s)) continue;
        if (!write)
            VD_TRY(note_direction(l, s, &pose, err));
        else if (i * show / l->n != (i + 1) * show / l->n)
            VD_TRY(view_json(r, l, s, &pose, err));
        i++;
    }
    vd_stmt_reset(s);
    return VD_OK;
}

/* Thumbnails in an order that, wherever it is cut, covers the scene. */
static vd_status want_views(vd_report *r, const view_list *l, vd_err *err) {
    for (int64_t first = 0; first < SPREAD; first++)
        for (int64_t i = first; i < l->n_shown; i += SPREAD)
            VD_TRY(vd_report_want(r, l->shown[i], err));
    return VD_OK;
}

static vd_status views(vd_report *r, const scene *sc, int64_t most, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    view_list l = { 0 };
    VD_GO(vd_map_new(&l.cameras, err));
    VD_GO(vd_db_prepare(&s, r->db, VIEWS, true, err));
    vd_stmt_bind(s, 1, vd_val_int(sc->id));
    VD_GO(walk_views(r, &l, s, most, false, err));
    const vd_vec3 up = sc->georeferenced ? vd_v3(0, 0, 1) : vd_cloud_up(l.top, l.forward, l.n);
    numbers(r->out, "up", (const double[]){ up.x, up.y, up.z }, 3);
    vd_str_add(r->out, ",\n\"views\": [");
    vd_stmt_bind(s, 1, vd_val_int(sc->id));
    VD_GO(walk_views(r, &l, s, most, true, err));
    VD_GO(vd_str_check(&l.camera_json, err));
    vd_str_addf(r->out, "],\n\"cameras\": [%s]", vd_str_text(&l.camera_json));
    VD_GO(want_views(r, &l, err));
done:
    vd_stmt_free(s);
    view_list_reset(&l);
    return st;
}

/* ---- health, and pictures without a place ---- */

static vd_status one_scene(vd_report *r, const scene_list *l, int64_t i, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, r->db,
                         "SELECT id, pictures, registered, points, observations, reprojection_px,"
                         " track_length, angle_deg, coverage, georeferenced, gps_residual_m,"
                         " warning, latitude, longitude, altitude_m FROM scene WHERE id = ?1",
                         true, err));
    vd_stmt_bind(s, 1, vd_val_int(l->s[i].id));
    vd_status st = vd_stmt_step(s, &row, err);
    vd_str_add(r->out, i > 0 ? ",\n{\"health\": " : "{\"health\": ");
    if (st == VD_OK) vd_report_row(r->out, s);
    vd_stmt_free(s);
    if (st == VD_OK) st = cloud(r, &l->s[i], l->most_points, err);
    if (st == VD_OK) st = views(r, &l->s[i], l->most_views, err);
    vd_str_addc(r->out, '}');
    return st;
}

#define UNPLACED                                                                                   \
    " FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id WHERE a.state = 'present'"         \
    " AND r.registered IS NOT 1"

static vd_status unplaced(vd_report *r, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true, first = true;
    VD_TRY(vd_db_prepare(&s, r->db,
                         "SELECT coalesce(r.unregistered_reason, '') AS reason,"
                         " count(*) AS count" UNPLACED " GROUP BY 1 ORDER BY 2 DESC, 1",
                         true, err));
    vd_str_add(r->out, ",\n\"unplaced\": [");
    vd_status st = VD_OK;
    while (st == VD_OK) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        const vd_value bound[] = { vd_stmt_value(s, 0), vd_val_int(r->opt->per_gallery) };
        vd_str_add(r->out, first ? "{\"group\": " : ",\n{\"group\": ");
        first = false;
        vd_report_row(r->out, s);
        st = vd_report_pictures(
            r, "list",
            "SELECT a.id, a.uri, r.unregistered_detail AS detail, r.scene" UNPLACED
            " AND coalesce(r.unregistered_reason, '') = coalesce(?1, '') ORDER BY a.id LIMIT ?2",
            bound, VD_COUNT(bound), err);
        vd_str_addc(r->out, '}');
    }
    vd_str_addc(r->out, ']');
    vd_stmt_free(s);
    return st;
}

vd_status vd_report_scenes(vd_report *r, vd_err *err) {
    vd_status st = VD_OK;
    scene_list l = { 0 };
    int64_t pictures = 0, n_scenes = 0;
    VD_TRY(vd_db_int(r->db,
                     "SELECT count(*) FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id"
                     " WHERE a.state = 'present'",
                     &pictures, err));
    if (pictures == 0) return VD_OK;
    VD_TRY(vd_db_int(r->db, "SELECT count(*) FROM scene", &n_scenes, err));
    VD_GO(list_scenes(&l, r, err));
    vd_str_addf(r->out, ",\n\"scenes\": {\"pictures\": %lld, \"count\": %lld, \"list\": [",
                (long long)pictures, (long long)n_scenes);
    for (int64_t i = 0; i < l.n; i++) VD_GO(one_scene(r, &l, i, err));
    vd_str_addc(r->out, ']');
    VD_GO(unplaced(r, err));
    vd_str_addc(r->out, '}');
done:
    vd_mem_free(l.s);
    return st;
}
