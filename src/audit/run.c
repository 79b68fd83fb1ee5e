/* All checks of a label set. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "audit/predictions.h"
#include "base/mem.h"
#include "base/npy.h"

static bool has_scores(const vd_audit_set *p) {
    for (int64_t i = 0; i < p->n_objects; i++)
        if (!isnan(p->object[i].score)) return true;
    return false;
}

static vd_status check_predictions(vd_audit_findings *f, const vd_audit_set *s, vd_db *db,
                                   const char *name, vd_err *err) {
    vd_audit_set p = { 0 };
    vd_audit_join j = { 0 };
    vd_label_set_row row;
    vd_status st = VD_OK;
    VD_GO(vd_label_set_find(&row, db, name, err));
    VD_GO(vd_audit_load(&p, db, row.set, NULL, err));
    VD_GO(vd_audit_join_make(&j, s, &p, err));
    if (p.n_objects > 0 && !has_scores(&p))
        VD_GO(vd_fail(err, VD_E_ARG,
                      "label set '%.200s' has no scores: it is no set of predictions", name));
    if (j.n_images == 0 || j.n_categories == 0)
        VD_GO(vd_fail(err, VD_E_ARG,
                      "label set '%.200s': %lld of %lld pictures and %lld of %lld classes are those"
                      " of the labels",
                      name, (long long)j.n_images, (long long)p.n_images, (long long)j.n_categories,
                      (long long)p.n_categories));
    st = vd_audit_predictions(f, s, &p, &j, err);
done:
    vd_audit_join_reset(&j);
    vd_audit_set_reset(&p);
    return st;
}

static vd_status check_probabilities(vd_audit_findings *f, const vd_audit_set *s,
                                     const vd_audit_opt *opt, vd_err *err) {
    vd_audit_probabilities q = { 0 };
    double *p = NULL;
    int64_t *asset = NULL, n = 0;
    vd_status st = VD_OK;
    VD_GO(vd_npy_read_reals(&p, &q.n, &q.classes, opt->probabilities, err));
    if (opt->ids != NULL) VD_GO(vd_npy_read_wholes(&asset, &n, opt->ids, err));
    if (opt->ids != NULL && n != q.n)
        VD_GO(vd_fail(err, VD_E_ARG, "%s: %lld ids, %s has %lld rows", opt->ids, (long long)n,
                      opt->probabilities, (long long)q.n));
    q.p = p;
    q.asset = asset;
    st = vd_audit_wrong_classes(f, s, &q, err);
done:
    vd_mem_free(p);
    vd_mem_free(asset);
    return st;
}

static vd_status poll(const vd_audit_opt *opt, vd_err *err) {
    bool stop = opt->on_cancel != NULL && opt->on_cancel(opt->user);
    return stop ? vd_fail(err, VD_E_CANCEL, "issues: stopped; nothing was kept") : VD_OK;
}

vd_status vd_audit_run(vd_audit_findings *f, vd_audit_set *s, const vd_dataset *ds, int64_t set,
                       const vd_audit_opt *opt, vd_err *err) {
    static vd_status (*const checks[])(vd_audit_findings *, const vd_audit_set *, vd_err *) = {
        vd_audit_missing,  vd_audit_sizes,   vd_audit_twice,   vd_audit_category_names,
        vd_audit_unused,   vd_audit_unknown, vd_audit_doubles, vd_audit_copies,
        vd_audit_outliers, vd_audit_tracks,
    };
    VD_TRY(vd_audit_load(s, vd_dataset_db(ds), set, f, err));
    for (int i = 0; i < VD_COUNT(checks); i++) {
        VD_TRY(poll(opt, err));
        VD_TRY(checks[i](f, s, err));
    }
    VD_TRY(poll(opt, err));
    VD_TRY(vd_audit_in_3d(f, s, ds, err));
    if (opt->predictions != NULL)
        VD_TRY(check_predictions(f, s, vd_dataset_db(ds), opt->predictions, err));
    if (opt->probabilities != NULL) VD_TRY(check_probabilities(f, s, opt, err));
    vd_audit_findings_sort(f);
    return VD_OK;
}
