/* Tracks that jump. SPDX-License-Identifier: Apache-2.0
 *
 * From one frame in which a track is labelled to the next, its centre moves by so many sizes (the
 * square root of its box's area) a frame. A jump is a step of more than 3 sizes a frame that is
 * also more than JUMP times the track's own median step: what is small and quick, or filmed from a
 * moving car, always takes long steps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/mem.h"

enum { LEAST_STEPS = 4, JUMP = 6 };

typedef struct visit {
    const char *sequence; /* "" where there is none */
    int64_t track, frame, object;
} visit;

static int by_track(const void *pa, const void *pb) {
    const visit *a = pa, *b = pb;
    int d = strcmp(a->sequence, b->sequence);
    if (d != 0) return d;
    if (a->track != b->track) return a->track < b->track ? -1 : 1;
    if (a->frame != b->frame) return a->frame < b->frame ? -1 : 1;
    return a->object < b->object ? -1 : a->object > b->object;
}

static int by_number(const void *pa, const void *pb) {
    double a = *(const double *)pa, b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

static bool same_track(const visit *a, const visit *b) {
    return a->track == b->track && strcmp(a->sequence, b->sequence) == 0;
}

/* Sizes a frame. */
static double step_of(const vd_audit_set *s, const visit *a, const visit *b) {
    const double *p = s->object[a->object].box, *q = s->object[b->object].box;
    double dx = q[0] + 0.5 * q[2] - p[0] - 0.5 * p[2], dy = q[1] + 0.5 * q[3] - p[1] - 0.5 * p[3];
    double size = sqrt(fmax(p[2] * p[3], q[2] * q[3]));
    return hypot(dx, dy) / size / (double)VD_MAX(b->frame - a->frame, 1);
}

static vd_status check_track(vd_audit_findings *f, const vd_audit_set *s, const visit *v, int64_t n,
                             double *step, double *sorted, vd_err *err) {
    if (n - 1 < LEAST_STEPS) return VD_OK;
    for (int64_t i = 0; i + 1 < n; i++) sorted[i] = step[i] = step_of(s, &v[i], &v[i + 1]);
    qsort(sorted, (size_t)(n - 1), sizeof *sorted, by_number);
    double usual = sorted[(n - 1) / 2];
    for (int64_t i = 0; i + 1 < n; i++) {
        if (!(step[i] > JUMP * usual)) continue;
        VD_TRY(vd_audit_add_object(
            f, VD_AUDIT_TRACK_JUMP, s, v[i + 1].object, s->object[v[i].object].row,
            fmin(1, 1.5 / step[i]), err,
            "track %lld moves %.1f of its sizes a frame from frame %lld to %lld, usually %.2f",
            (long long)v[i].track, step[i], (long long)v[i].frame, (long long)v[i + 1].frame,
            usual));
    }
    return VD_OK;
}

static int64_t collect(visit *out, const vd_audit_set *s) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->n_objects; i++) {
        const vd_audit_object *o = &s->object[i];
        const vd_audit_image *m = &s->image[o->image];
        if (!(o->has & VD_OBJ_TRACK) || m->frame == VD_LABEL_NONE || !vd_audit_placed(o)) continue;
        if (out != NULL)
            out[n] = (visit){ m->sequence != NULL ? m->sequence : "", o->track, m->frame, i };
        n++;
    }
    return n;
}

vd_status vd_audit_tracks(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    vd_status st = VD_OK;
    int64_t n = collect(NULL, s);
    if (n == 0) return VD_OK;
    visit *v = vd_mem_array((size_t)n, sizeof *v);
    double *step = vd_mem_array(2 * (size_t)n, sizeof *step);
    if (v == NULL || step == NULL) VD_GO(vd_nomem(err));
    collect(v, s);
    qsort(v, (size_t)n, sizeof *v, by_track);
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && same_track(&v[i], &v[end]);) end++;
        VD_GO(check_track(f, s, v + i, end - i, step, step + n, err));
    }
done:
    vd_mem_free(v);
    vd_mem_free(step);
    return st;
}
