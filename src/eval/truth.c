/* Reading truths; see truth.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/truth.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/rigid.h"

static const char SUFFIX[] = ".camera";
static const size_t MAX_CAMERA_FILE = 1 << 16;
enum { CAMERA_NUMBERS = 24, ROTATION_AT = 12, CENTRE_AT = 21 };
/* Truths have six digits; what is farther off is no rotation. */
static const double ROTATION_TOLERANCE = 1e-3;

/* ---- Strecha ---- */

vd_status vd_truth_parse_strecha(vd_pose *out, const char *where, const char *text, vd_err *err) {
    double v[CAMERA_NUMBERS];
    for (int i = 0; i < CAMERA_NUMBERS; i++) {
        char *end = NULL;
        v[i] = strtod(text, &end);
        if (end == text || !isfinite(v[i]))
            return vd_fail(err, VD_E_FORMAT, "%s: number %d of %d is missing or not finite", where,
                           i + 1, CAMERA_NUMBERS);
        text = end;
    }
    const double *in_world = v + ROTATION_AT;
    if (!vd_is_rotation(in_world, ROTATION_TOLERANCE))
        return vd_fail(err, VD_E_FORMAT, "%s: numbers %d to %d are no rotation", where,
                       ROTATION_AT + 1, ROTATION_AT + 9);
    for (int i = 0; i < 9; i++) out->r[i] = in_world[3 * (i % 3) + i / 3];
    out->centre = vd_v3(v[CENTRE_AT], v[CENTRE_AT + 1], v[CENTRE_AT + 2]);
    return VD_OK;
}

static int is_camera(const struct dirent *e) {
    return e->d_name[0] != '.' && vd_str_ends(e->d_name, SUFFIX);
}

/* The folder's entries of that kind by name; -1 with errno. */
static int list(const char *dir, struct dirent ***out) {
    return scandir(dir, out, is_camera, alphasort);
}

static void free_list(struct dirent **entry, int n) {
    for (int i = 0; i < n; i++) free(entry[i]);
    if (n >= 0) free(entry);
}

bool vd_truth_is_strecha(const char *dir) {
    struct dirent **entry = NULL;
    int n = list(dir, &entry);
    free_list(entry, n);
    return n > 0;
}

static vd_status read_one(vd_pose_set *s, const char *dir, char *name, vd_err *err) {
    vd_pose pose = { 0 };
    vd_str path = { 0 };
    char *text = NULL;
    size_t size = 0;
    vd_str_addf(&path, "%s/%s", dir, name);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_file_read(&text, &size, path.data, MAX_CAMERA_FILE, err);
    if (st == VD_OK) st = vd_truth_parse_strecha(&pose, path.data, text, err);
    name[strlen(name) - strlen(SUFFIX)] = '\0';
    if (st == VD_OK) st = vd_pose_set_add(s, name, pose.r, pose.centre, err);
    vd_mem_free(text);
    vd_str_reset(&path);
    return st;
}

vd_status vd_truth_read_strecha(vd_pose_set *out, const char *dir, vd_err *err) {
    vd_status st = VD_OK;
    vd_pose_set s = { 0 };
    struct dirent **entry = NULL;
    int n = list(dir, &entry);
    if (n < 0) return vd_fail_errno(err, errno, "truth: %.300s", dir);
    for (int i = 0; i < n && st == VD_OK; i++) st = read_one(&s, dir, entry[i]->d_name, err);
    free_list(entry, n);
    if (st == VD_OK)
        *out = s;
    else
        vd_pose_set_reset(&s);
    return st;
}

/* ---- synth ---- */

static vd_status add_image(vd_pose_set *s, const char *where, const vd_json *image, vd_err *err) {
    static const char *const key[] = { "qw", "qx", "qy", "qz", "tx", "ty", "tz" };
    const vd_json *pose = vd_json_get(image, "cam_from_world");
    const char *name = vd_json_text(image, "file");
    double v[7], r[9];
    for (int i = 0; i < 7; i++) v[i] = vd_json_number(pose, key[i], (double)NAN);
    const vd_rigid p = { { v[0], v[1], v[2], v[3] }, { v[4], v[5], v[6] } };
    vd_quat_matrix(r, p.q);
    vd_vec3 c = vd_rigid_centre(p);
    bool ok = vd_is_rotation(r, ROTATION_TOLERANCE) && isfinite(c.x + c.y + c.z);
    if (name == NULL || name[0] == '\0' || !ok)
        return vd_fail(err, VD_E_FORMAT,
                       "%s: byte %lld: an image lacks \"file\" or \"cam_from_world\" with qw qx qy "
                       "qz (a unit quaternion) tx ty tz",
                       where, (long long)image->at);
    return vd_pose_set_add(s, name, r, c, err);
}

vd_status vd_truth_parse_json(vd_pose_set *out, const char *where, const char *text, size_t size,
                              vd_err *err) {
    vd_arena arena = { 0 };
    vd_pose_set s = { 0 };
    const vd_json *root = NULL;
    vd_status st = vd_json_parse(&root, &arena, where, text, size, err);
    const vd_json *images = vd_json_get(root, "images");
    if (st == VD_OK && (images == NULL || images->type != VD_JSON_ARRAY))
        st = vd_fail(err, VD_E_FORMAT, "%s: no array \"images\"", where);
    const vd_json *image = st == VD_OK ? images->first : NULL;
    for (; image != NULL && st == VD_OK; image = image->next) st = add_image(&s, where, image, err);
    if (st == VD_OK)
        *out = s;
    else
        vd_pose_set_reset(&s);
    vd_arena_reset(&arena);
    return st;
}

vd_status vd_truth_is_json(bool *out, const char *text, size_t size, vd_err *err) {
    vd_arena arena = { 0 };
    const vd_json *root = NULL;
    vd_status st = vd_json_parse(&root, &arena, "truth", text, size, NULL);
    *out = st == VD_OK && vd_json_get(root, "images") != NULL;
    vd_arena_reset(&arena);
    return st == VD_E_NOMEM ? vd_nomem(err) : VD_OK;
}
