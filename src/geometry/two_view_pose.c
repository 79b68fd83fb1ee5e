/* Two views: which of the poses a matrix stands for puts the points in front of both cameras, and
 * how far rays are apart. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "geometry/rigid.h"
#include "geometry/two_view_int.h"
#include "math/mat.h"

/* Rays whose angle is below this many errors of an inlier may as well be parallel: whether they
 * meet in front or behind is noise. */
static const double FAR_ERRORS = 2;
/* Inliers that choose among the poses of an essential matrix: nearly all agree. */
enum { VOTERS = 200 };

/* A match under a pose: whether its rays meet in front of both cameras, and the squared sine of the
 * angle between them (2 - it beyond 90 degrees), which grows with the angle. */
typedef struct meeting {
    bool in_front;
    double key;
} meeting;

typedef struct posed {
    double r[9];
    vd_vec3 t;
} posed;

static posed posed_of(vd_rigid pose) {
    posed p = { .t = pose.t };
    vd_quat_matrix(p.r, pose.q);
    return p;
}

/* The same depths as in vd_in_front. */
static meeting meet(const vd_pair_work *w, const posed *p, int i) {
    const double *a = w->a + 3 * i, *b = w->b + 3 * i;
    vd_vec3 r = vd_mat3_apply(p->r, vd_v3(a[0], a[1], a[2])), s = vd_v3(b[0], b[1], b[2]);
    double rr = vd_v3_dot(r, r), ss = vd_v3_dot(s, s), rs = vd_v3_dot(r, s),
           rt = vd_v3_dot(r, p->t), st = vd_v3_dot(s, p->t);
    vd_vec3 c = vd_v3_cross(r, s);
    double sine2 = vd_v3_dot(c, c) / (rr * ss);
    return (meeting){ rs * st - rt * ss > 0 && st * rr - rs * rt > 0, rs < 0 ? 2 - sine2 : sine2 };
}

/* Marks what lies in front under a pose. */
static int mark(vd_pair_work *w, vd_rigid pose, double far_key) {
    posed p = posed_of(pose);
    int front = 0;
    memset(w->mask, 0, (size_t)w->n);
    for (int i = 0; i < w->soa.n; i++) {
        int at = w->soa.from[i];
        if (!(w->soa.error[i] < 1)) continue;
        meeting m = meet(w, &p, at);
        if (!m.in_front && m.key > far_key) continue;
        w->mask[at] = 1;
        front++;
    }
    return front;
}

/* Of the first inliers, those that meet in front of both cameras. They are in random order. */
static int votes(const vd_pair_work *w, vd_rigid pose) {
    posed p = posed_of(pose);
    int n = 0, asked = 0;
    for (int i = 0; i < w->soa.n && asked < VOTERS; i++) {
        if (!(w->soa.error[i] < 1)) continue;
        n += meet(w, &p, w->soa.from[i]).in_front;
        asked++;
    }
    return n;
}

int vd_pair_choose_pose(vd_pair_work *w, vd_rigid *chosen, const vd_rigid *candidate, int n) {
    int best = -1, most = -1;
    double far =
        FAR_ERRORS * sqrt(w->fit.metric.limit * VD_MAX(w->fit.metric.s1, w->fit.metric.s2));
    for (int i = 0; i < n; i++) {
        int v = votes(w, candidate[i]);
        if (v > most) {
            most = v;
            best = i;
        }
    }
    *chosen = candidate[best];
    return mark(w, candidate[best], far * far);
}

/* The k-th smallest of n numbers, by Hoare's selection. */
static float kth(float *v, int n, int k) {
    int lo = 0, hi = n - 1;
    while (lo < hi) {
        float pivot = v[lo + (hi - lo) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (pivot < v[j]) j--;
            if (i <= j) {
                float t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
    return v[k];
}

double vd_pair_median_angle(vd_pair_work *w, vd_rigid cam2_from_cam1) {
    posed p = posed_of(cam2_from_cam1);
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        if (!w->mask[i]) continue;
        float key = (float)meet(w, &p, i).key;
        if (key == key) w->errors[n++] = key;
    }
    if (n == 0) return 0;
    double key = (double)kth(w->errors, n, n / 2);
    return key > 1 ? 3.14159265358979324 - asin(sqrt(fmax(0, 2 - key))) : asin(sqrt(key));
}
