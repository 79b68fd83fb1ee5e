/* Near-duplicate search and grouping. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/pool.h"
#include "index/groups.h"

typedef uint64_t hash256[4];

/* Random hashes; every second is an earlier one with up to `most` bits flipped, so that clusters
 * form. */
static hash256 *some_hashes(t_case *t, int n, int most) {
    hash256 *h = vd_mem_array((size_t)n, sizeof *h);
    vd_rng r = t_rng(t);
    for (int i = 0; h != NULL && i < n; i++) {
        for (int k = 0; k < 4; k++) h[i][k] = vd_rng_u64(&r);
        if (i % 2 == 0) continue;
        memcpy(h[i], h[vd_rng_int(&r, i)], sizeof h[i]);
        for (int k = (int)vd_rng_int(&r, most + 1); k > 0; k--) {
            int bit = (int)vd_rng_int(&r, 256);
            h[i][bit / 64] ^= (uint64_t)1 << bit % 64;
        }
    }
    return h;
}

static int slow_distance(const uint64_t *a, const uint64_t *b) {
    int d = 0;
    for (int i = 0; i < 256; i++) d += (int)((a[i / 64] ^ b[i / 64]) >> i % 64 & 1);
    return d;
}

/* What the definition says, pair by pair. */
static bool is_exactly(const vd_pairs *p, hash256 *h, int n, int radius) {
    int64_t k = 0;
    for (int a = 0; a < n; a++)
        for (int b = a + 1; b < n; b++) {
            int d = slow_distance(h[a], h[b]);
            if (d > radius) continue;
            if (k >= p->n || p->pair[k].a != a || p->pair[k].b != b || p->pair[k].distance != d)
                return false;
            k++;
        }
    return k == p->n;
}

T(pairs_are_exact_at_every_radius) {
    enum { N = 700 };
    hash256 *h = some_hashes(t, N, 90);
    vd_err err = { 0 };
    vd_pairs p = { 0 };
    T_NEED(h != NULL);
    const int radius[] = { 0, 1, 15, 16, 31, 32, 47, 48, 63, 64, 110 };
    for (int i = 0; i < VD_COUNT(radius); i++)
        for (int all = 0; all < 2; all++) {
            vd_hamming_opt o = { .radius = radius[i], .all_below = all ? 1 << 20 : 1 };
            T_OK(vd_hamming_pairs(&p, (const uint64_t(*)[4])h, N, &o, NULL, &err));
            if (!is_exactly(&p, h, N, radius[i]))
                T_FAIL("radius %d, %s: %lld pairs are not the right ones", radius[i],
                       all ? "all" : "bands", (long long)p.n);
        }
    vd_pairs_reset(&p);
    vd_mem_free(h);
}

T(pairs_do_not_depend_on_threads_or_cpu) {
    enum { N = 9000 };
    hash256 *h = some_hashes(t, N, 40);
    vd_err err = { 0 };
    vd_pairs first = { 0 }, p = { 0 };
    T_NEED(h != NULL);
    const struct {
        int jobs;
        const char *cpu;
    } c[] = { { 1, "c" }, { 1, "native" }, { 2, "native" }, { 8, "avx2" } };
    for (int i = 0; i < VD_COUNT(c); i++) {
        vd_pool *pool = NULL;
        vd_hamming_opt o = VD_HAMMING_OPT;
        o.all_below = 1;
        setenv("VIDIMUS_CPU", c[i].cpu, 1);
        T_OK(vd_pool_new(&pool, c[i].jobs, &err));
        T_OK(vd_hamming_pairs(i == 0 ? &first : &p, (const uint64_t(*)[4])h, N, &o, pool, &err));
        if (i > 0) {
            T_EQ(p.n, first.n);
            T_TRUE(p.n == first.n && memcmp(p.pair, first.pair, (size_t)p.n * sizeof *p.pair) == 0);
        }
        vd_pool_free(pool);
    }
    unsetenv("VIDIMUS_CPU");
    T_TRUE(first.n > N / 3);
    vd_pairs_reset(&first);
    vd_pairs_reset(&p);
    vd_mem_free(h);
}

T(variants_find_what_only_a_variant_shows) {
    enum { N = 300, V = 3 };
    hash256 *h = some_hashes(t, N, 60), *v = vd_mem_array(N * V, sizeof *v);
    vd_err err = { 0 };
    vd_pairs p = { 0 };
    T_NEED(h != NULL && v != NULL);
    /* variants: as it is, complemented, words swapped end for end */
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 4; k++) {
            v[V * i][k] = h[i][k];
            v[V * i + 1][k] = ~h[i][k];
            v[V * i + 2][k] = h[i][3 - k];
        }
    for (int k = 0; k < 4; k++) h[7][k] = ~h[250][k], v[21][k] = h[7][k], v[22][k] = ~h[7][k];
    for (int k = 0; k < 4; k++) v[23][k] = h[7][3 - k];
    for (int all = 0; all < 2; all++) {
        vd_hamming_opt o = { .radius = 31, .all_below = all ? 1 << 20 : 1 };
        T_OK(vd_hamming_pairs_variants(&p, (const uint64_t(*)[4])h, (const uint64_t(*)[4])v, V, N,
                                       &o, NULL, &err));
        int64_t k = 0;
        for (int a = 0; a < N; a++)
            for (int b = a + 1; b < N; b++) {
                int d = 256;
                for (int q = 0; q < V; q++) {
                    d = VD_MIN(d, slow_distance(h[a], v[V * b + q]));
                    d = VD_MIN(d, slow_distance(h[b], v[V * a + q]));
                }
                if (d > 31) continue;
                T_TRUE(k < p.n && p.pair[k].a == a && p.pair[k].b == b && p.pair[k].distance == d);
                k++;
            }
        T_EQ(p.n, k);
    }
    vd_pairs_reset(&p);
    vd_mem_free(h);
    vd_mem_free(v);
}

T(limits_and_empty_input) {
    vd_err err = { 0 };
    vd_pairs p = { 0 };
    vd_hamming_opt o = VD_HAMMING_OPT;
    hash256 *h = vd_mem_array(100, sizeof *h); /* all equal: 4950 pairs */
    T_NEED(h != NULL);
    T_OK(vd_hamming_pairs(&p, (const uint64_t(*)[4])h, 0, &o, NULL, &err));
    T_EQ(p.n, 0);
    T_OK(vd_hamming_pairs(&p, (const uint64_t(*)[4])h, 100, &o, NULL, &err));
    T_EQ(p.n, 4950);
    o.max_pairs = 4949;
    T_EQ(vd_hamming_pairs(&p, (const uint64_t(*)[4])h, 100, &o, NULL, &err), VD_E_LIMIT);
    T_EQ(p.n, 4950);
    o.radius = 256;
    err = (vd_err){ 0 };
    T_EQ(vd_hamming_pairs(&p, (const uint64_t(*)[4])h, 100, &o, NULL, &err), VD_E_ARG);
    vd_pairs_reset(&p);
    vd_mem_free(h);
}

T(star_does_not_follow_chains) {
    /* 0-1-2-3-4 in a row, 5 alone, 6-7; 1 and 3 are the best to keep */
    const vd_pair pair[] = { { 0, 1, 5 }, { 1, 2, 5 }, { 2, 3, 5 }, { 3, 4, 5 }, { 6, 7, 1 } };
    const int64_t rank[8] = { 5, 0, 5, 1, 5, 5, 9, 8 };
    int32_t g[8];
    vd_err err = { 0 };
    T_OK(vd_group_star(g, 8, pair, VD_COUNT(pair), rank, &err));
    const int32_t want[8] = { 1, 1, 1, 3, 3, -1, 7, 7 };
    for (int i = 0; i < 8; i++) T_EQ(g[i], want[i]);
    T_OK(vd_group_union(g, 8, pair, VD_COUNT(pair), &err));
    const int32_t joined[8] = { 0, 0, 0, 0, 0, -1, 6, 6 };
    for (int i = 0; i < 8; i++) T_EQ(g[i], joined[i]);
    const vd_pair bad = { 0, 8, 0 };
    T_EQ(vd_group_star(g, 8, &bad, 1, rank, &err), VD_E_ARG);
}

T(near_groups_keep_their_promise) {
    enum { N = 3000 };
    hash256 *h = some_hashes(t, N, 45);
    int32_t g[N], d[N];
    int64_t rank[N];
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    T_NEED(h != NULL);
    for (int i = 0; i < N; i++) rank[i] = vd_rng_int(&r, 50);
    for (int i = 1000; i < 1200; i++) memcpy(h[i], h[999], sizeof h[i]);
    T_OK(vd_near_groups(g, d, (const uint64_t(*)[4])h, NULL, 0, N, rank, NULL, NULL, &err));
    int in_groups = 0;
    for (int i = 0; i < N; i++) {
        if (g[i] < 0) continue;
        in_groups++;
        T_EQ(g[g[i]], g[i]);
        T_EQ(d[i], slow_distance(h[i], h[g[i]]));
        T_TRUE(d[i] <= 31);
        T_TRUE(rank[g[i]] < rank[i] || (rank[g[i]] == rank[i] && g[i] <= i));
    }
    T_TRUE(in_groups > N / 4);
    for (int i = 1000; i < 1200; i++) T_EQ(g[i], g[999]);
    /* nobody left alone has a neighbour that is alone too, or founded a group before it */
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N && g[i] < 0; k++)
            if (k != i && slow_distance(h[i], h[k]) <= 31) {
                T_TRUE(g[k] >= 0);
                T_TRUE(g[k] != k);
            }
    vd_mem_free(h);
}

T(refused_memory_is_survived) {
    enum { N = 600 };
    hash256 *h = some_hashes(t, N, 40);
    int32_t g[N];
    vd_hamming_opt o = { .radius = 31, .all_below = 1 };
    T_NEED(h != NULL);
    int64_t live = vd_mem_live();
    for (int64_t k = 0; k < 10000; k++) {
        vd_err err = { 0 };
        vd_mem_fail_at(k, false);
        vd_status st =
            vd_near_groups(g, NULL, (const uint64_t(*)[4])h, NULL, 0, N, NULL, &o, NULL, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(vd_mem_live(), live);
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit) break;
    }
    vd_mem_free(h);
}
