/* Tracks against a slow definition, and on matches that contradict each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "sfm/tracks.h"

enum { IMAGES = 6, KEYS = 40 };

typedef struct input {
    vd_sfm_image image[IMAGES];
    vd_sfm_pair pair[IMAGES * IMAGES];
    vd_sfm_match match[IMAGES * IMAGES][KEYS];
    vd_sfm_input in;
} input;

static input *new_input(void) {
    input *p = vd_mem_array(1, sizeof *p);
    for (int i = 0; i < IMAGES; i++) p->image[i].n = KEYS;
    p->in = (vd_sfm_input){ .n_images = IMAGES, .image = p->image, .pair = p->pair };
    return p;
}

static void add_pair(input *p, int a, int b) {
    int k = p->in.n_pairs++;
    p->pair[k] = (vd_sfm_pair){ .a = a, .b = b, .match = p->match[k] };
}

static void add_match(input *p, int a, int b) {
    vd_sfm_pair *q = &p->pair[p->in.n_pairs - 1];
    p->match[p->in.n_pairs - 1][q->n++] = (vd_sfm_match){ a, b };
}

static int track_of(const vd_tracks *t, int image, int key) {
    return t->of[t->first[image] + key];
}

/* What every set of tracks must be: each keypoint once, no image twice, in order. */
static void check_form(t_case *t, const vd_tracks *k) {
    int n = 0;
    for (int i = 0; i < k->n; i++) {
        T_TRUE(k->start[i + 1] - k->start[i] >= 2);
        for (int e = k->start[i]; e < k->start[i + 1]; e++, n++) {
            T_EQ(track_of(k, k->key[e].image, k->key[e].keypoint), i);
            if (e > k->start[i]) T_TRUE(k->key[e].image > k->key[e - 1].image);
        }
    }
    int in_tracks = 0;
    for (int i = 0; i < k->n_keys; i++) in_tracks += k->of[i] >= 0;
    T_EQ(in_tracks, n);
}

T(chains_become_one_track) {
    input *p = new_input();
    vd_tracks k = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i + 1 < IMAGES; i++) {
        add_pair(p, i, i + 1);
        add_match(p, 3 + i, 4 + i); /* one point drifts through the keypoints */
        add_match(p, 20, 20);
    }
    T_OK(vd_tracks_build(&k, &p->in, NULL, &err));
    check_form(t, &k);
    T_EQ(k.n, 2);
    T_EQ(k.start[2], 2 * IMAGES);
    T_EQ(track_of(&k, 0, 3), track_of(&k, 5, 8));
    T_EQ(track_of(&k, 0, 0), -1);
    T_EQ(k.refused, 0);
    vd_tracks_reset(&k);
    vd_mem_free(p);
}

/* Two points whose tracks a weak pair would join: the strong pairs win. */
T(a_contradiction_does_not_join) {
    input *p = new_input();
    vd_tracks k = { 0 };
    vd_err err = { 0 };
    add_pair(p, 0, 2); /* the wrong one comes first, and is the weakest */
    add_match(p, 1, 2);
    add_pair(p, 0, 1);
    add_match(p, 1, 1);
    add_match(p, 2, 2);
    add_match(p, 3, 3);
    add_pair(p, 1, 2);
    add_match(p, 1, 1);
    add_match(p, 2, 2);
    T_OK(vd_tracks_build(&k, &p->in, NULL, &err));
    check_form(t, &k);
    T_EQ(k.n, 3);
    T_EQ(k.refused, 1);
    T_EQ(track_of(&k, 0, 1), track_of(&k, 2, 1));
    T_EQ(track_of(&k, 0, 2), track_of(&k, 2, 2));
    T_TRUE(track_of(&k, 0, 1) != track_of(&k, 0, 2));
    vd_tracks_reset(&k);
    vd_mem_free(p);
}

/* Random matches without contradictions: tracks are the connected components. */
T(tracks_are_components_where_nothing_contradicts) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int round = 0; round < 30; round++) {
        input *p = new_input();
        vd_tracks k = { 0 };
        int point[IMAGES][KEYS], component[IMAGES * KEYS];
        for (int i = 0; i < IMAGES; i++) /* a permutation: keypoint -> point */
            for (int c = 0; c < KEYS; c++) point[i][c] = (c * 7 + i * 11) % KEYS;
        for (int i = 0; i < IMAGES * KEYS; i++) component[i] = i;
        for (int a = 0; a < IMAGES; a++)
            for (int b = a + 1; b < IMAGES; b++) {
                add_pair(p, a, b);
                for (int c = 0; c < KEYS; c++)
                    for (int d = 0; d < KEYS; d++)
                        if (point[a][c] == point[b][d] && vd_rng_f64(&r) < 0.3) add_match(p, c, d);
            }
        for (int pass = 0; pass < IMAGES * 2; pass++)
            for (int i = 0; i < p->in.n_pairs; i++)
                for (int m = 0; m < p->pair[i].n; m++) {
                    int *x = &component[p->pair[i].a * KEYS + p->match[i][m].a];
                    int *y = &component[p->pair[i].b * KEYS + p->match[i][m].b];
                    *x = *y = VD_MIN(*x, *y);
                }
        T_OK(vd_tracks_build(&k, &p->in, NULL, &err));
        check_form(t, &k);
        for (int i = 0; i < IMAGES * KEYS; i++)
            for (int j = i + 1; j < IMAGES * KEYS; j++) {
                bool want = component[i] == component[j];
                bool got = k.of[i] >= 0 && k.of[i] == k.of[j];
                if (want != got) T_FAIL("round %d: keypoints %d and %d", round, i, j);
            }
        vd_tracks_reset(&k);
        vd_mem_free(p);
    }
}

T(bad_pairs_are_errors) {
    input *p = new_input();
    const int bad[][4] = {
        { 0, 9, 1, 1 }, { -1, 1, 1, 1 }, { 2, 2, 1, 1 }, { 0, 1, KEYS, 1 }, { 0, 1, 1, -1 }
    };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_err err = { 0 };
        p->in.n_pairs = 0;
        add_pair(p, bad[i][0], bad[i][1]);
        add_match(p, bad[i][2], bad[i][3]);
        T_EQ(vd_tracks_check(&p->in, &err), VD_E_ARG);
        T_TRUE(err.msg[0] != 0);
    }
    vd_mem_free(p);
}

T(every_refused_allocation_is_survived) {
    input *p = new_input();
    add_pair(p, 0, 1);
    add_match(p, 1, 2);
    bool hit = true;
    for (int n = 0; hit && n < 50; n++) {
        vd_err err = { 0 };
        vd_tracks k = { 0 };
        int64_t live = vd_mem_live();
        vd_mem_fail_at(n, true);
        vd_status st = vd_tracks_build(&k, &p->in, NULL, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_tracks_reset(&k);
        T_EQ(vd_mem_live(), live);
    }
    vd_mem_free(p);
}
