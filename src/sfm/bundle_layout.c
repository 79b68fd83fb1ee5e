/* Checking a bundle, numbering its blocks, sorting its observations. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle_int.h"

static vd_status check_observations(const vd_bundle *b, vd_err *err) {
    for (int64_t i = 0; i < b->n_obs; i++) {
        const vd_bundle_obs *o = &b->obs[i];
        if (o->pose < 0 || o->pose >= b->n_poses || o->point < 0 || o->point >= b->n_points)
            return vd_fail(
                err, VD_E_ARG,
                "bundle: observation %lld is of point %d in pose %d, there are %d and %d",
                (long long)i, o->point, o->pose, b->n_points, b->n_poses);
        if (!isfinite(o->uv[0]) || !isfinite(o->uv[1]))
            return vd_fail(err, VD_E_ARG, "bundle: observation %lld is not finite", (long long)i);
    }
    return VD_OK;
}

static vd_status check_values(const vd_bundle *b, vd_err *err) {
    for (int32_t i = 0; i < b->n_cameras; i++) VD_TRY(vd_camera_check(&b->camera[i], err));
    for (int32_t i = 0; i < b->n_poses; i++) {
        const vd_rigid *p = &b->pose[i];
        double sum = p->q.w + p->q.x + p->q.y + p->q.z + p->t.x + p->t.y + p->t.z;
        if (b->pose_camera[i] < 0 || b->pose_camera[i] >= b->n_cameras)
            return vd_fail(err, VD_E_ARG, "bundle: pose %d has camera %d of %d", i,
                           b->pose_camera[i], b->n_cameras);
        if (!isfinite(sum)) return vd_fail(err, VD_E_ARG, "bundle: pose %d is not finite", i);
    }
    for (int64_t i = 0; i < 3 * (int64_t)b->n_points; i++)
        if (!isfinite(b->point[i]))
            return vd_fail(err, VD_E_ARG, "bundle: point %lld is not finite", (long long)(i / 3));
    for (int32_t i = 0; i < b->n_priors; i++)
        if (b->prior[i].pose < 0 || b->prior[i].pose >= b->n_poses)
            return vd_fail(err, VD_E_ARG, "bundle: prior %d is of pose %d of %d", i,
                           b->prior[i].pose, b->n_poses);
    return VD_OK;
}

/* Which parameters of a camera move, and what the kernel calls their derivatives. */
static void sort_out_camera(vd_ba_cam *out, const vd_camera *c, int refine) {
    vd_camera_layout layout = vd_camera_layout_of(c->model);
    out->generic = c->model > VD_CAMERA_OPENCV;
    for (int p = 0; p < layout.params; p++) {
        int group = p < layout.focal       ? VD_REFINE_FOCAL
                    : p < layout.focal + 2 ? VD_REFINE_PRINCIPAL
                                           : VD_REFINE_EXTRA;
        if (!(refine & group)) continue;
        bool both = !out->generic && group == VD_REFINE_FOCAL && layout.focal == 1;
        out->param[out->n] = (int8_t)p;
        out->from[out->n] = (int8_t)(out->generic || p < layout.focal ? p : p + 2 - layout.focal);
        out->and_from[out->n] = both ? 1 : -1;
        out->n++;
    }
}

/* A camera moves only when an observation in some pose depends on it. */
static void number_cameras(vd_ba *ba, const uint8_t *camera_used) {
    const vd_bundle *b = ba->in;
    for (int32_t i = 0; i < b->n_cameras; i++) {
        vd_ba_cam *c = &ba->cam[i];
        c->block = -1;
        if (camera_used[i] && b->camera_refine != NULL)
            sort_out_camera(c, &b->camera[i], b->camera_refine[i]);
        else
            sort_out_camera(c, &b->camera[i], 0);
        if (c->n == 0) continue;
        c->block = ba->n_blocks;
        for (int left = c->n; left > 0; left -= VD_BA_ROW)
            ba->dim[ba->n_blocks++] = VD_MIN(left, VD_BA_ROW);
        ba->want = VD_BA_CAMERA;
    }
}

static vd_status number_blocks(vd_ba *ba, vd_err *err) {
    const vd_bundle *b = ba->in;
    size_t most = (size_t)b->n_poses + 2 * (size_t)b->n_cameras;
    uint8_t *used = vd_mem_array((size_t)b->n_poses + (size_t)b->n_cameras, 1);
    ba->pose_block = vd_mem_array((size_t)b->n_poses, sizeof *ba->pose_block);
    ba->cam = vd_mem_array((size_t)b->n_cameras, sizeof *ba->cam);
    ba->dim = vd_mem_array(most, sizeof *ba->dim);
    ba->held = vd_mem_array(most, sizeof *ba->held);
    ba->offset = vd_mem_array(most + 1, sizeof *ba->offset);
    if (used == NULL || ba->pose_block == NULL || ba->cam == NULL || ba->dim == NULL ||
        ba->held == NULL || ba->offset == NULL) {
        vd_mem_free(used);
        return vd_nomem(err);
    }
    for (int64_t i = 0; i < b->n_obs; i++) used[b->obs[i].pose] = 1;
    for (int32_t i = 0; i < b->n_poses; i++)
        if (used[i]) used[b->n_poses + b->pose_camera[i]] = 1;
    for (int32_t i = 0; i < b->n_priors; i++) used[b->prior[i].pose] = 1;
    for (int32_t i = 0; i < b->n_poses; i++) {
        bool moves = used[i] && (b->pose_constant == NULL || !b->pose_constant[i]);
        ba->pose_block[i] = moves ? ba->n_blocks : -1;
        if (moves) ba->dim[ba->n_blocks++] = 6;
    }
    number_cameras(ba, used + b->n_poses);
    for (int i = 0; i < ba->n_blocks; i++) ba->offset[i + 1] = ba->offset[i] + ba->dim[i];
    ba->n_unknowns = ba->offset[ba->n_blocks];
    vd_mem_free(used);
    return VD_OK;
}

/* order = the observations by `key`, of those in `order` before: a stable counting sort. */
static void sort_by(int64_t *to, const int64_t *from, int64_t *count, const vd_bundle *b,
                    bool by_point) {
    int32_t keys = by_point ? b->n_points : b->n_poses;
    memset(count, 0, ((size_t)keys + 1) * sizeof *count);
    for (int64_t i = 0; i < b->n_obs; i++)
        count[(by_point ? b->obs[i].point : b->obs[i].pose) + 1]++;
    for (int32_t k = 0; k < keys; k++) count[k + 1] += count[k];
    for (int64_t i = 0; i < b->n_obs; i++) {
        int64_t o = from != NULL ? from[i] : i;
        to[count[by_point ? b->obs[o].point : b->obs[o].pose]++] = o;
    }
}

static vd_status sort_observations(vd_ba *ba, vd_err *err) {
    const vd_bundle *b = ba->in;
    size_t n = (size_t)b->n_obs, keys = (size_t)VD_MAX(b->n_points, b->n_poses) + 1;
    int64_t *order = vd_mem_alloc((2 * n + keys) * sizeof *order);
    ba->pose = vd_mem_alloc(n * sizeof *ba->pose);
    ba->uv = vd_mem_alloc(n * sizeof *ba->uv);
    ba->start = vd_mem_alloc(((size_t)b->n_points + 1) * sizeof *ba->start);
    ba->point = vd_mem_alloc((size_t)b->n_points * sizeof *ba->point);
    if (order == NULL || ba->pose == NULL || ba->uv == NULL || ba->start == NULL ||
        ba->point == NULL) {
        vd_mem_free(order);
        return vd_nomem(err);
    }
    sort_by(order, NULL, order + 2 * n, b, false);
    sort_by(order + n, order, order + 2 * n, b, true);
    for (int64_t i = 0; i < b->n_obs; i++) {
        const vd_bundle_obs *o = &b->obs[order[b->n_obs + i]];
        if (ba->n_points == 0 || ba->point[ba->n_points - 1] != o->point) {
            ba->point[ba->n_points] = o->point;
            ba->start[ba->n_points++] = i;
        }
        ba->pose[i] = o->pose;
        ba->uv[i][0] = o->uv[0];
        ba->uv[i][1] = o->uv[1];
    }
    ba->n_obs = b->n_obs;
    ba->start[ba->n_points] = ba->n_obs;
    vd_mem_free(order);
    return VD_OK;
}

/* Inserts a block into the ascending list of a point, unless it is there. */
static int add_entry(int32_t *list, int n, int32_t block) {
    int i = n;
    while (i > 0 && list[i - 1] > block) i--;
    if (i > 0 && list[i - 1] == block) return n;
    memmove(list + i + 1, list + i, (size_t)(n - i) * sizeof *list);
    list[i] = block;
    return n + 1;
}

static int32_t find_entry(const int32_t *list, int n, int32_t block) {
    int lo = 0, hi = n - 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (list[mid] < block)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void list_entries(vd_ba *ba, int32_t p) {
    int32_t *list = ba->entry + ba->entry_start[p];
    int n = 0;
    bool moves = ba->in->point_constant == NULL || !ba->in->point_constant[ba->point[p]];
    for (int64_t o = ba->start[p]; o < ba->start[p + 1]; o++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[ba->pose[o]]];
        ba->pose_entry[o] = ba->cam_entry[o] = -1;
        if (!moves) continue;
        if (ba->pose_block[ba->pose[o]] >= 0) n = add_entry(list, n, ba->pose_block[ba->pose[o]]);
        for (int k = 0; k * VD_BA_ROW < c->n; k++) n = add_entry(list, n, c->block + k);
    }
    for (int64_t o = ba->start[p]; moves && o < ba->start[p + 1]; o++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[ba->pose[o]]];
        int32_t block = ba->pose_block[ba->pose[o]];
        if (block >= 0) ba->pose_entry[o] = find_entry(list, n, block);
        if (c->n > 0) ba->cam_entry[o] = find_entry(list, n, c->block);
    }
    ba->entry_start[p + 1] = ba->entry_start[p] + n;
    ba->longest_entries = VD_MAX(ba->longest_entries, n);
}

static vd_status list_all_entries(vd_ba *ba, vd_err *err) {
    size_t n = (size_t)ba->n_obs, per = ba->want & VD_BA_CAMERA ? 3 : 1;
    ba->entry_start = vd_mem_alloc(((size_t)ba->n_points + 1) * sizeof *ba->entry_start);
    ba->entry = vd_mem_alloc(n * per * sizeof *ba->entry);
    ba->pose_entry = vd_mem_alloc(n * sizeof *ba->pose_entry);
    ba->cam_entry = vd_mem_alloc(n * sizeof *ba->cam_entry);
    if (ba->entry_start == NULL || ba->entry == NULL || ba->pose_entry == NULL ||
        ba->cam_entry == NULL)
        return vd_nomem(err);
    ba->entry_start[0] = 0;
    for (int32_t p = 0; p < ba->n_points; p++) list_entries(ba, p);
    return VD_OK;
}

/* Whole points into chunks of a batch; a point that needs more is alone. */
static vd_status cut_chunks(vd_ba *ba, vd_err *err) {
    ba->chunk = vd_mem_alloc(((size_t)ba->n_points + 1) * sizeof *ba->chunk);
    if (ba->chunk == NULL) return vd_nomem(err);
    for (int32_t p = 0; p < ba->n_points;) {
        int64_t first = ba->start[p];
        ba->chunk[ba->n_chunks++] = p++;
        while (p < ba->n_points && ba->start[p + 1] - first <= VD_BA_LANES) p++;
        ba->longest = VD_MAX(ba->longest, ba->start[p] - first);
    }
    ba->chunk[ba->n_chunks] = ba->n_points;
    return VD_OK;
}

vd_status vd_ba_layout(vd_ba *ba, vd_err *err) {
    const vd_bundle *b = ba->in;
    if (b->n_cameras < 0 || b->n_poses < 0 || b->n_points < 0 || b->n_obs < 0 || b->n_priors < 0)
        return vd_fail(err, VD_E_ARG, "bundle: a count is negative");
    VD_TRY(check_values(b, err));
    VD_TRY(check_observations(b, err));
    VD_TRY(number_blocks(ba, err));
    VD_TRY(sort_observations(ba, err));
    VD_TRY(list_all_entries(ba, err));
    return cut_chunks(ba, err);
}
