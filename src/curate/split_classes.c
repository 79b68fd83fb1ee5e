/* Parts of groups by the classes of their objects. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "curate/split.h"

/* Groups as items: how many pictures of each have a class. Pictures without objects are of one
 * class more, so that they are spread as well. */
typedef struct grouping {
    int64_t *first; /* [n + 1] of the pictures of a group, in `member`; groups by their founders */
    int32_t *member, *founder;
    int64_t *seen; /* pictures of the group with each class */
    int64_t n_groups;
    vd_counts counts;
    int64_t *weight;
    uint64_t *draw;
    uint8_t *part;
} grouping;

static void grouping_reset(grouping *g) {
    vd_mem_free(g->first);
    vd_mem_free(g->member);
    vd_mem_free(g->founder);
    vd_mem_free(g->seen);
    vd_counts_reset(&g->counts);
    vd_mem_free(g->weight);
    vd_mem_free(g->draw);
    vd_mem_free(g->part);
}

static vd_status grouping_init(grouping *g, int64_t n, int32_t n_classes, vd_err *err) {
    const size_t m = (size_t)n;
    *g = (grouping){ .first = vd_mem_array(m + 1, sizeof *g->first),
                     .member = vd_mem_array(m, sizeof *g->member),
                     .founder = vd_mem_array(m, sizeof *g->founder),
                     .seen = vd_mem_array((size_t)n_classes + 1, sizeof *g->seen),
                     .weight = vd_mem_array(m, sizeof *g->weight),
                     .draw = vd_mem_array(m, sizeof *g->draw),
                     .part = vd_mem_array(m, 1) };
    if (g->first == NULL || g->member == NULL || g->founder == NULL || g->seen == NULL ||
        g->weight == NULL || g->draw == NULL || g->part == NULL)
        return vd_nomem(err);
    return vd_counts_init(&g->counts, n, n_classes + 1, err);
}

/* group[i] is a group's founder, its first picture. */
static void list_members(grouping *g, const int32_t *group, int64_t n) {
    for (int64_t i = 0; i < n; i++) g->first[group[i]]++;
    for (int64_t i = 0; i < n; i++) g->first[i + 1] += g->first[i]; /* ends */
    for (int64_t i = n; i-- > 0;) g->member[--g->first[group[i]]] = (int32_t)i;
}

static vd_status count_group(grouping *g, const vd_counts *objects, int32_t founder, vd_err *err) {
    const int32_t none = objects->n_kinds;
    for (int64_t m = g->first[founder]; m < g->first[founder + 1]; m++) {
        int64_t a = objects->start[g->member[m]], b = objects->start[g->member[m] + 1];
        for (int64_t k = a; k < b; k++) g->seen[objects->pair[k].kind]++;
        g->seen[none] += a == b;
    }
    for (int32_t k = 0; k <= none; k++) {
        if (g->seen[k] == 0) continue;
        VD_TRY(vd_counts_add(&g->counts, k, (int32_t)g->seen[k], err));
        g->seen[k] = 0;
    }
    vd_counts_end(&g->counts);
    return VD_OK;
}

vd_status vd_split_classes(uint8_t *part, const vd_curated_list *list, const int32_t *group,
                           const vd_classes *classes, const double *share, int n_parts,
                           uint64_t seed, vd_err *err) {
    vd_status st = VD_OK;
    grouping g;
    VD_GO(grouping_init(&g, list->n, classes->n, err));
    list_members(&g, group, list->n);
    for (int32_t i = 0; i < list->n; i++) {
        if (group[i] != i) continue;
        const char *uri = list->row[i].uri;
        VD_GO(count_group(&g, &classes->objects, i, err));
        g.founder[g.n_groups] = i;
        g.weight[g.n_groups] = g.first[i + 1] - g.first[i];
        g.draw[g.n_groups++] = vd_mix64(vd_hash64(uri, strlen(uri)) ^ vd_mix64(seed));
    }
    VD_GO(vd_stratify(g.part, &g.counts, g.weight, g.draw, share, n_parts, err));
    for (int64_t k = 0; k < g.n_groups; k++)
        for (int64_t m = g.first[g.founder[k]]; m < g.first[g.founder[k] + 1]; m++)
            part[g.member[m]] = g.part[k];
done:
    grouping_reset(&g);
    return st;
}
