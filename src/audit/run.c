/* All checks of a label set. SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

vd_status vd_audit_run(vd_audit_findings *f, vd_audit_set *s, const vd_dataset *ds, int64_t set,
                       vd_err *err) {
    VD_TRY(vd_audit_load(s, vd_dataset_db(ds), set, f, err));
    VD_TRY(vd_audit_in_3d(f, s, ds, err));
    vd_audit_findings_sort(f);
    return VD_OK;
}
