/* Identity metrics of a sequence; see track.h.
 *
 * Each track of the truth is matched with at most one of the predictions, and the other way round,
 * so that as many boxes as possible overlap by half with the box of their partner. Tracks that
 * share no such box cannot be partners, so each connected part of the graph of those that do is
 * matched by itself. Which of several best matchings is taken changes no figure.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/track_int.h"

static const int64_t MAX_CELLS = (int64_t)1 << 27; /* of one part's matrix */

typedef struct edge {
    int32_t part, tracks; /* part: a node that stands for it */
} edge;

typedef struct identity {
    vd_track_job *job;
    const vd_track_seq *s;
    int32_t *common; /* [n_track_pairs]: frames where their boxes overlap by half */
    int32_t *parent; /* of nodes, tracks of the truth before those of predictions: union-find */
    int32_t *place;  /* of each node in its part's matrix */
    edge *edge;      /* by part */
    int64_t n_edges;
    bool *partners; /* [n_track_pairs] */
} identity;

static int32_t root(int32_t *parent, int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

static bool overlaps(const vd_track_pair *p) {
    return p->overlap >= VD_TRACK_OVERLAP;
}

static int by_part(const void *a, const void *b) {
    const edge *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return (x->tracks > y->tracks) - (x->tracks < y->tracks);
}

static vd_status identity_init(identity *d, vd_track_job *job, vd_err *err) {
    const vd_track_seq *s = job->s;
    size_t nodes = (size_t)s->n_truth_tracks + (size_t)s->n_pred_tracks,
           pairs = (size_t)s->n_track_pairs;
    *d = (identity){ .job = job, .s = s };
    d->common = vd_mem_array(pairs, sizeof *d->common);
    d->partners = vd_mem_array(pairs, sizeof *d->partners);
    d->edge = vd_mem_array(pairs, sizeof *d->edge);
    d->parent = vd_mem_array(nodes, sizeof *d->parent);
    d->place = vd_mem_array(nodes, sizeof *d->place);
    if (d->common == NULL || d->partners == NULL || d->edge == NULL || d->parent == NULL ||
        d->place == NULL)
        return vd_nomem(err);
    return VD_OK;
}

static void identity_reset(identity *d) {
    vd_mem_free(d->common);
    vd_mem_free(d->partners);
    vd_mem_free(d->edge);
    vd_mem_free(d->parent);
    vd_mem_free(d->place);
}

static void find_parts(identity *d) {
    const vd_track_seq *s = d->s;
    int32_t nodes = s->n_truth_tracks + s->n_pred_tracks;
    for (int64_t k = 0; k < s->n_pairs; k++) d->common[s->pair[k].tracks] += overlaps(&s->pair[k]);
    for (int32_t i = 0; i < nodes; i++) d->parent[i] = i;
    for (int32_t k = 0; k < s->n_track_pairs; k++) {
        int32_t a = root(d->parent, s->truth_of[k]),
                b = root(d->parent, s->n_truth_tracks + s->pred_of[k]);
        if (d->common[k] == 0) continue;
        d->parent[VD_MAX(a, b)] = VD_MIN(a, b);
        d->edge[d->n_edges++].tracks = k;
    }
    for (int64_t i = 0; i < d->n_edges; i++)
        d->edge[i].part = root(d->parent, s->truth_of[d->edge[i].tracks]);
    qsort(d->edge, (size_t)d->n_edges, sizeof *d->edge, by_part);
}

static int32_t place_of(identity *d, int32_t node, int32_t *n) {
    if (d->place[node] < 0) d->place[node] = (*n)++;
    return d->place[node];
}

static vd_status match_part(identity *d, const edge *e, int64_t n, vd_err *err) {
    const vd_track_seq *s = d->s;
    vd_track_work *w = &d->job->work;
    int32_t rows = 0, cols = 0;
    for (int64_t i = 0; i < n; i++) {
        place_of(d, s->truth_of[e[i].tracks], &rows);
        place_of(d, s->n_truth_tracks + s->pred_of[e[i].tracks], &cols);
    }
    if ((int64_t)rows * cols > MAX_CELLS)
        return vd_fail(err, VD_E_LIMIT, "%d x %d tracks overlap each other, more than %lld cells",
                       rows, cols, (long long)MAX_CELLS);
    VD_TRY(vd_track_work_size(w, rows, cols, err));
    for (int64_t i = 0; i < n; i++) {
        int32_t r = d->place[s->truth_of[e[i].tracks]];
        int32_t c = d->place[s->n_truth_tracks + s->pred_of[e[i].tracks]];
        w->cost[(int64_t)r * cols + c] = -d->common[e[i].tracks];
    }
    VD_TRY(vd_assign_solve(&w->assign, w->column_of, w->cost, rows, cols, err));
    for (int64_t i = 0; i < n; i++) {
        int32_t r = d->place[s->truth_of[e[i].tracks]];
        int32_t c = d->place[s->n_truth_tracks + s->pred_of[e[i].tracks]];
        d->partners[e[i].tracks] = w->column_of[r] == c;
    }
    return VD_OK;
}

static vd_status match_tracks(identity *d, vd_err *err) {
    size_t nodes = (size_t)d->s->n_truth_tracks + (size_t)d->s->n_pred_tracks;
    memset(d->place, 0xff, nodes * sizeof *d->place); /* -1 */
    for (int64_t begin = 0, end = 0; begin < d->n_edges; begin = end) {
        while (end < d->n_edges && d->edge[end].part == d->edge[begin].part) end++;
        VD_TRY(match_part(d, d->edge + begin, end - begin, err));
    }
    return VD_OK;
}

static void count(const identity *d) {
    const vd_track_seq *s = d->s;
    for (int64_t i = 0; i < s->n_frames; i++) {
        vd_track_sums *block = vd_track_block(d->job, i);
        int64_t n = 0;
        for (int64_t k = s->frame[i].pair; k < s->frame[i].pair + s->frame[i].n_pairs; k++)
            n += overlaps(&s->pair[k]) && d->partners[s->pair[k].tracks];
        d->job->out->identity_tp += (double)n;
        if (block != NULL) block->identity_tp += (double)n;
    }
}

vd_status vd_track_identity(vd_track_job *j, vd_err *err) {
    identity d;
    vd_status st = identity_init(&d, j, err);
    if (st == VD_OK) {
        find_parts(&d);
        st = match_tracks(&d, err);
    }
    if (st == VD_OK) count(&d);
    identity_reset(&d);
    return st;
}
