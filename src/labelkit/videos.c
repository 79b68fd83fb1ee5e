/* Videos and tracks of a set; see videos.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/videos.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct frame {
    const char *sequence; /* NULL: a video of one frame */
    int64_t number;
    int32_t image;
} frame;

static int by_video(const void *a, const void *b) {
    const frame *p = a, *q = b;
    if ((p->sequence == NULL) != (q->sequence == NULL)) return p->sequence == NULL ? 1 : -1;
    int order = p->sequence != NULL ? strcmp(p->sequence, q->sequence) : 0;
    if (order != 0) return order;
    if (p->number != q->number && p->sequence != NULL) return p->number < q->number ? -1 : 1;
    return (p->image > q->image) - (p->image < q->image);
}

static bool same_video(const frame *a, const frame *b) {
    return a->sequence != NULL && b->sequence != NULL && strcmp(a->sequence, b->sequence) == 0;
}

vd_status vd_videos_of(vd_videos *out, const vd_label_set *set, vd_err *err) {
    const int64_t n = set->n_images;
    vd_videos v = { .image = vd_mem_array((size_t)n + 1, sizeof *v.image),
                    .first = vd_mem_array((size_t)n + 1, sizeof *v.first) };
    frame *f = vd_mem_array((size_t)n + 1, sizeof *f);
    if (v.image == NULL || v.first == NULL || f == NULL) {
        vd_mem_free(f);
        vd_videos_reset(&v);
        return vd_nomem(err);
    }
    for (int64_t i = 0; i < n; i++)
        f[i] = (frame){ set->images[i].sequence, set->images[i].frame, (int32_t)i };
    qsort(f, (size_t)n, sizeof *f, by_video);
    for (int64_t i = 0; i < n; i++) {
        v.image[i] = f[i].image;
        if (i == 0 || !same_video(&f[i - 1], &f[i])) v.first[v.n++] = i;
    }
    v.first[v.n] = n;
    vd_mem_free(f);
    *out = v;
    return VD_OK;
}

void vd_videos_reset(vd_videos *v) {
    vd_mem_free(v->image);
    vd_mem_free(v->first);
    *v = (vd_videos){ 0 };
}

/* ---- tracks ---- */

static bool tracked(const vd_label_object *o) {
    return o->category >= 0 && o->has & VD_OBJ_SHAPES;
}

static int by_track(const void *a, const void *b) {
    const vd_shown *p = a, *q = b;
    if (p->track != q->track) return p->track < q->track ? -1 : 1;
    if (p->category != q->category) return p->category < q->category ? -1 : 1;
    if (p->frame != q->frame) return p->frame < q->frame ? -1 : 1;
    return (p->k > q->k) - (p->k < q->k);
}

vd_status vd_video_tracks_of(vd_video_tracks *out, const vd_videos *v, vd_label_set *set,
                             int64_t video, vd_err *err) {
    vd_label_object o;
    const int64_t first = v->first[video];
    out->n = 0;
    for (int64_t i = first; i < v->first[video + 1]; i++) {
        for (int64_t k = 0; k < vd_label_set_count(set, v->image[i]); k++) {
            VD_TRY(vd_label_set_get(set, v->image[i], k, &o, err));
            if (!tracked(&o)) continue;
            VD_TRY(VD_GROW(out->shown, out->cap, out->n + 1, err));
            out->shown[out->n++] = (vd_shown){
                .track = o.has & VD_OBJ_TRACK ? o.track : INT64_MIN + out->untracked++,
                .category = o.category,
                .frame = (int32_t)(i - first),
                .k = (int32_t)k,
            };
        }
    }
    if (out->n > 1) qsort(out->shown, (size_t)out->n, sizeof *out->shown, by_track);
    return VD_OK;
}

int64_t vd_video_track_end(const vd_video_tracks *t, int64_t at) {
    int64_t end = at + 1;
    while (end < t->n && t->shown[end].track == t->shown[at].track &&
           t->shown[end].category == t->shown[at].category)
        end++;
    return end;
}

void vd_video_tracks_reset(vd_video_tracks *t) {
    vd_mem_free(t->shown);
    *t = (vd_video_tracks){ 0 };
}

vd_status vd_video_lose_others(vd_label_set *set, vd_label_report *report, vd_err *err) {
    vd_label_object o;
    for (int64_t i = 0; i < set->n_objects; i++) {
        VD_TRY(vd_label_set_nth(set, i, &o, err));
        if (!tracked(&o))
            VD_TRY(vd_label_lose(report, err, "objects without a class or a shape", "%s",
                                 set->images[o.image].name));
    }
    return VD_OK;
}
