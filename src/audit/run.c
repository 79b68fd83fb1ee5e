/* All checks of a label set. SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

vd_status vd_audit_run(vd_audit_findings *f, vd_audit_set *s, const vd_dataset *ds, int64_t set,
                       vd_err *err) {
    static vd_status (*const checks[])(vd_audit_findings *, const vd_audit_set *, vd_err *) = {
        vd_audit_missing,  vd_audit_sizes,   vd_audit_twice,   vd_audit_category_names,
        vd_audit_unused,   vd_audit_unknown, vd_audit_doubles, vd_audit_copies,
        vd_audit_outliers, vd_audit_tracks,
    };
    VD_TRY(vd_audit_load(s, vd_dataset_db(ds), set, f, err));
    for (int i = 0; i < VD_COUNT(checks); i++) VD_TRY(checks[i](f, s, err));
    VD_TRY(vd_audit_in_3d(f, s, ds, err));
    vd_audit_findings_sort(f);
    return VD_OK;
}
