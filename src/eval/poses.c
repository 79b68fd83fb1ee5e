/* See poses.h. Sums go over the images of the truth in the order of their names, so that figures do
 * not depend on the order in files. SPDX-License-Identifier: Apache-2.0 */
#include "eval/poses.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/align.h"

const double vd_pose_auc_limit_deg[VD_POSE_AUCS] = { 1, 3, 5 };

static const double DEG_PER_RAD = 180 / 3.14159265358979323846;
/* Keeps the direction between two cameras at one place from being 0 / 0. */
static const double TINY = 1e-18;
/* Centres that spread less across a line leave the turn about it open. */
static const double LINE = 1e-9;
enum { MIN_COMMON = 3 };

void vd_pose_set_reset(vd_pose_set *s) {
    for (int64_t i = 0; i < s->n; i++) vd_mem_free(s->pose[i].name);
    vd_mem_free(s->pose);
    *s = (vd_pose_set){ 0 };
}

vd_status vd_pose_set_add(vd_pose_set *s, const char *name, const double r[9], vd_vec3 centre,
                          vd_err *err) {
    VD_TRY(VD_GROW(s->pose, s->cap, s->n + 1, err));
    vd_pose *p = &s->pose[s->n];
    p->name = vd_mem_strdup(name);
    if (p->name == NULL) return vd_nomem(err);
    memcpy(p->r, r, sizeof p->r);
    p->centre = centre;
    s->n++;
    return VD_OK;
}

/* ---- which images are the same ---- */

enum { SEVERAL = -2 };

/* Names to indices; a name that two images have leads to SEVERAL. */
static vd_status map_names(vd_map **out, const vd_pose_set *s, bool last, vd_err *err) {
    vd_map *m = NULL;
    VD_TRY(vd_map_new(&m, err));
    vd_status st = VD_OK;
    for (int64_t i = 0; i < s->n && st == VD_OK; i++) {
        const char *name = last ? vd_path_name(s->pose[i].name) : s->pose[i].name;
        int64_t there = 0;
        bool seen = vd_map_get(m, name, strlen(name), &there);
        st = vd_map_put(m, name, strlen(name), seen ? SEVERAL : i, err);
    }
    if (st == VD_OK)
        *out = m;
    else
        vd_map_free(m);
    return st;
}

static int64_t lookup(const vd_map *m, const char *name) {
    int64_t i = -1;
    return vd_map_get(m, name, strlen(name), &i) && i >= 0 ? i : -1;
}

static vd_status match(int64_t *index, const vd_pose_set *model, const vd_pose_set *truth,
                       vd_err *err) {
    vd_status st = VD_OK;
    vd_map *full = NULL, *last = NULL, *truth_last = NULL;
    VD_GO(map_names(&full, model, false, err));
    VD_GO(map_names(&last, model, true, err));
    VD_GO(map_names(&truth_last, truth, true, err));
    for (int64_t i = 0; i < truth->n; i++) {
        const char *name = truth->pose[i].name, *short_name = vd_path_name(name);
        index[i] = lookup(full, name);
        if (index[i] < 0 && lookup(truth_last, short_name) == i)
            index[i] = lookup(last, short_name);
    }
done:
    vd_map_free(full);
    vd_map_free(last);
    vd_map_free(truth_last);
    return st;
}

/* ---- angles ---- */

static void mul(double c[9], const double a[9], const double b[9]) {
    for (int i = 0; i < 9; i++)
        c[i] = a[i / 3 * 3] * b[i % 3] + a[i / 3 * 3 + 1] * b[i % 3 + 3] +
               a[i / 3 * 3 + 2] * b[i % 3 + 6];
}

static void mul_transposed(double c[9], const double a[9], const double b[9]) {
    const double t[9] = { b[0], b[3], b[6], b[1], b[4], b[7], b[2], b[5], b[8] };
    mul(c, a, t);
}

static vd_vec3 apply(const double r[9], vd_vec3 v) {
    return vd_v3(r[0] * v.x + r[1] * v.y + r[2] * v.z, r[3] * v.x + r[4] * v.y + r[5] * v.z,
                 r[6] * v.x + r[7] * v.y + r[8] * v.z);
}

static double acos_deg(double cosine) {
    return acos(VD_CLAMP(cosine, -1, 1)) * DEG_PER_RAD;
}

/* Between two rotations: the angle of a b^T. */
static double angle_deg(const double a[9], const double b[9]) {
    double d[9];
    mul_transposed(d, a, b);
    return acos_deg((d[0] + d[4] + d[8] - 1) / 2);
}

static double pair_error_deg(const vd_pose *m1, const vd_pose *m2, const vd_pose *t1,
                             const vd_pose *t2) {
    double rm[9], rt[9];
    mul_transposed(rm, m2->r, m1->r);
    mul_transposed(rt, t2->r, t1->r);
    vd_vec3 dm = apply(m2->r, vd_v3_sub(m1->centre, m2->centre));
    vd_vec3 dt = apply(t2->r, vd_v3_sub(t1->centre, t2->centre));
    double cosine = vd_v3_dot(dm, dt) / (vd_v3_norm(dm) * vd_v3_norm(dt) + TINY);
    return fmax(angle_deg(rm, rt), acos_deg(cosine));
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `error`: those of n_pairs below the limit and perhaps above it, in order. */
static double auc(const double *error, int64_t n, int64_t n_pairs, double limit) {
    double area = 0, e0 = 0, share0 = 0;
    for (int64_t i = 0; i < n && error[i] < limit; i++) {
        double share = (double)(i + 1) / (double)n_pairs;
        area += (error[i] - e0) * (share + share0) / 2;
        e0 = error[i];
        share0 = share;
    }
    area += (limit - e0) * share0;
    return area / limit * 100;
}

static vd_status score_pairs(vd_pose_score *out, const int64_t *order, const vd_pose_error *errors,
                             const vd_pose_set *model, const vd_pose_set *truth, vd_err *err) {
    vd_status st = VD_OK;
    double *error = NULL;
    int64_t n = 0, cap = 0, n_pairs = truth->n * (truth->n - 1) / 2;
    for (int64_t a = 0; a < truth->n; a++)
        for (int64_t b = a + 1; b < truth->n; b++) {
            int64_t i = order[a], k = order[b], mi = errors[i].index, mk = errors[k].index;
            if (mi < 0 || mk < 0) continue; /* 180 degrees: beyond every limit */
            VD_GO(VD_GROW(error, cap, n + 1, err));
            error[n] = pair_error_deg(&model->pose[mi], &model->pose[mk], &truth->pose[i],
                                      &truth->pose[k]);
            n += error[n] < vd_pose_auc_limit_deg[VD_POSE_AUCS - 1];
        }
    if (n > 0) qsort(error, (size_t)n, sizeof *error, by_value);
    for (int i = 0; i < VD_POSE_AUCS; i++)
        out->auc[i] = n_pairs > 0 ? auc(error, n, n_pairs, vd_pose_auc_limit_deg[i]) : (double)NAN;
done:
    vd_mem_free(error);
    return st;
}

/* ---- centres and rotations ---- */

static void score_centres(vd_pose_score *out, double *centre, int64_t n) {
    double sum = 0, sum2 = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += centre[i];
        sum2 += centre[i] * centre[i];
    }
    qsort(centre, (size_t)n, sizeof *centre, by_value);
    out->centre_rmse = sqrt(sum2 / (double)n);
    out->centre_mean = sum / (double)n;
    out->centre_median = (centre[(n - 1) / 2] + centre[n / 2]) / 2;
    out->centre_max = centre[n - 1];
}

/* `a`, `b`, `centre`: room for the n common images. */
static void score_aligned(vd_pose_score *out, const int64_t *order, vd_pose_error *errors,
                          const vd_pose_set *model, const vd_pose_set *truth, vd_vec3 *a,
                          vd_vec3 *b, double *centre) {
    vd_similarity s;
    double across, turn[9];
    double rotation = 0;
    int64_t n = 0;
    for (int64_t k = 0; k < truth->n; k++) {
        const vd_pose_error *e = &errors[order[k]];
        if (e->index < 0) continue;
        a[n] = model->pose[e->index].centre;
        b[n++] = truth->pose[order[k]].centre;
    }
    if (n < MIN_COMMON || n > INT32_MAX ||
        !vd_similarity_fit_any(&s, &across, &a->x, &b->x, NULL, (int)n, true))
        return;
    vd_quat_matrix(turn, s.rigid.q);
    out->scale = s.scale;
    n = 0;
    for (int64_t k = 0; k < truth->n; k++) {
        vd_pose_error *e = &errors[order[k]];
        double r[9];
        if (e->index < 0) continue;
        vd_vec3 at = vd_similarity_apply(s, a[n]);
        e->centre = centre[n] = vd_v3_norm(vd_v3_sub(at, b[n]));
        n++;
        if (!(across > LINE)) continue;
        mul_transposed(r, model->pose[e->index].r, turn);
        e->rotation_deg = angle_deg(r, truth->pose[order[k]].r);
        rotation += e->rotation_deg;
    }
    score_centres(out, centre, n);
    if (across > LINE) out->rotation_deg = rotation / (double)n;
}

/* ---- all of it ---- */

typedef struct named {
    const char *name;
    int64_t index;
} named;

static int by_name(const void *a, const void *b) {
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static vd_status order_by_name(int64_t *order, const vd_pose_set *s, vd_err *err) {
    named *names = vd_mem_array((size_t)s->n, sizeof *names);
    if (names == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n; i++) names[i] = (named){ s->pose[i].name, i };
    qsort(names, (size_t)s->n, sizeof *names, by_name);
    for (int64_t i = 0; i < s->n; i++) order[i] = names[i].index;
    vd_mem_free(names);
    return VD_OK;
}

vd_status vd_pose_eval(vd_pose_score *out, vd_pose_error *errors, const vd_pose_set *model,
                       const vd_pose_set *truth, vd_err *err) {
    vd_status st = VD_OK;
    size_t n = (size_t)truth->n;
    const double none = (double)NAN;
    vd_pose_score s = { .total = truth->n,
                        .scale = none,
                        .centre_rmse = none,
                        .centre_mean = none,
                        .centre_median = none,
                        .centre_max = none,
                        .rotation_deg = none };
    vd_pose_error *own = vd_mem_array(n, sizeof *own);
    int64_t *order = vd_mem_array(n, sizeof *order), *index = vd_mem_array(n, sizeof *index);
    vd_vec3 *a = vd_mem_array(n, sizeof *a), *b = vd_mem_array(n, sizeof *b);
    double *centre = vd_mem_array(n, sizeof *centre);
    if (own == NULL || order == NULL || index == NULL || a == NULL || b == NULL || centre == NULL)
        VD_GO(vd_nomem(err));
    VD_GO(order_by_name(order, truth, err));
    VD_GO(match(index, model, truth, err));
    for (size_t i = 0; i < n; i++) {
        own[i] = (vd_pose_error){ index[i], none, none };
        s.registered += index[i] >= 0;
    }
    score_aligned(&s, order, own, model, truth, a, b, centre);
    VD_GO(score_pairs(&s, order, own, model, truth, err));
    if (errors != NULL && n > 0) memcpy(errors, own, n * sizeof *own);
    *out = s;
done:
    vd_mem_free(own);
    vd_mem_free(order);
    vd_mem_free(index);
    vd_mem_free(a);
    vd_mem_free(b);
    vd_mem_free(centre);
    return st;
}
