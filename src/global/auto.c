/* Which mapper is the better one. SPDX-License-Identifier: Apache-2.0 */
#include "global/auto.h"

#include "base/mem.h"
#include "global/global.h"
#include "sfm/view_graph.h"

enum { MANY = 300 };              /* an image at a time takes long for many, and drifts */
static const double ENOUGH = 0.9; /* of what a perfect result would be worth */

double vd_sfm_worth(const vd_sfm_result *r) {
    double worth = 0;
    for (int32_t i = 0; i < r->n_models; i++) {
        const vd_sfm_model *m = &r->model[i];
        double kept = 1 - (double)m->pairs_against / VD_MAX(m->pairs, 1);
        worth += (double)m->n_images * m->n_images * kept;
    }
    return worth;
}

/* What a result would be worth that has each component of the view graph in one piece. */
static vd_status most_worth(double *out, const vd_sfm_input *in, int least_images, vd_err *err) {
    int32_t *size = vd_mem_array((size_t)VD_MAX(in->n_images, 1), sizeof *size);
    uint8_t *trusted = vd_mem_alloc((size_t)VD_MAX(in->n_pairs, 1));
    vd_status st = size != NULL && trusted != NULL ? VD_OK : vd_nomem(err);
    *out = 0;
    VD_GO(st);
    VD_GO(vd_view_graph_trust(trusted, in, err));
    VD_GO(vd_view_graph_sizes(size, in, trusted, err));
    for (int32_t i = 0; i < in->n_images; i++) *out += size[i] >= least_images ? size[i] : 0;
done:
    vd_mem_free(size);
    vd_mem_free(trusted);
    return st;
}

typedef vd_status mapper(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                         vd_sfm_stats *stats, vd_pool *pool, vd_err *err);

vd_status vd_sfm_auto(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                      vd_sfm_stats *stats, vd_pool *pool, vd_err *err) {
    static const vd_sfm_opt usual = VD_SFM_OPT;
    mapper *const first = in->n_images > MANY ? vd_sfm_global : vd_sfm_incremental;
    mapper *const second = in->n_images > MANY ? vd_sfm_incremental : vd_sfm_global;
    vd_sfm_result a = { 0 }, b = { 0 };
    vd_sfm_stats stats_a, stats_b;
    vd_status st = VD_OK;
    double most;
    VD_GO(first(&a, in, opt, &stats_a, pool, err)); /* checks `in` as well */
    VD_GO(most_worth(&most, in, opt != NULL ? opt->least_images : usual.least_images, err));
    if (vd_sfm_worth(&a) < ENOUGH * most) {
        VD_GO(second(&b, in, opt, &stats_b, pool, err));
        if (vd_sfm_worth(&b) > vd_sfm_worth(&a)) {
            const vd_sfm_result worse = a;
            a = b;
            b = worse;
            stats_a = stats_b;
        }
    }
    if (stats != NULL) *stats = stats_a;
    *out = a;
    a = (vd_sfm_result){ 0 };
done:
    vd_sfm_result_reset(&a);
    vd_sfm_result_reset(&b);
    return st;
}
