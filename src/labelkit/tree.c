/* JSON trees; see tree.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/tree.h"

#include <math.h>
#include <string.h>

#include "base/decimal.h"

vd_status vd_tree_reals(const vd_json *array, double *out, int n, const char *where,
                        const char *what, vd_err *err) {
    bool ok = array != NULL && array->type == VD_JSON_ARRAY && array->n == n;
    const vd_json *v = ok ? array->first : NULL;
    for (int i = 0; i < n && ok; i++, v = v->next) {
        ok = v->type == VD_JSON_NUMBER;
        out[i] = v->number;
    }
    return ok ? VD_OK
              : vd_fail(err, VD_E_FORMAT, "%s: byte %lld: %s is not %d numbers", where,
                        array != NULL ? (long long)array->at : 0LL, what, n);
}

vd_status vd_tree_vertices(vd_build *b, const vd_json *array, double fx, double fy,
                           const char *where, vd_err *err) {
    double p[2];
    if (array == NULL || array->type != VD_JSON_ARRAY)
        return vd_fail(err, VD_E_FORMAT, "%s: a polygon without vertices", where);
    bool flat = array->first != NULL && array->first->type == VD_JSON_NUMBER;
    if (flat && array->n % 2 != 0)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: a polygon of %lld numbers", where,
                       (long long)array->at, (long long)array->n);
    for (const vd_json *v = array->first; v != NULL; v = v->next) {
        if (flat) {
            bool numbers = v->type == VD_JSON_NUMBER && v->next->type == VD_JSON_NUMBER;
            if (!numbers)
                return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: a vertex that is no number", where,
                               (long long)v->at);
            p[0] = v->number;
            v = v->next;
            p[1] = v->number;
        } else {
            VD_TRY(vd_tree_reals(v, p, 2, where, "a vertex", err));
        }
        VD_TRY(vd_build_vertex(b, p[0] * fx, p[1] * fy, err));
    }
    return VD_OK;
}

vd_status vd_tree_int(const vd_json *object, const char *key, int64_t otherwise, int64_t *out,
                      const char *where, vd_err *err) {
    const vd_json *v = vd_json_get(object, key);
    *out = otherwise;
    if (v == NULL || v->type == VD_JSON_NULL) return VD_OK;
    if (v->type != VD_JSON_NUMBER || v->number != floor(v->number) ||
        fabs(v->number) > 9007199254740992.0)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: %s is not a whole number", where,
                       (long long)v->at, key);
    *out = (int64_t)v->number;
    return VD_OK;
}

vd_status vd_tree_side(const vd_json *object, const char *key, int32_t *out, const char *where,
                       vd_err *err) {
    int64_t v = 0;
    VD_TRY(vd_tree_int(object, key, 0, &v, where, err));
    if (v < 0 || v > VD_LABEL_MAX_SIDE)
        return vd_fail(err, VD_E_FORMAT, "%s: %s of %lld pixels, the limit is %d", where, key,
                       (long long)v, VD_LABEL_MAX_SIDE);
    *out = (int32_t)v;
    return VD_OK;
}

void vd_tree_add(vd_str *s, const vd_json *v) {
    bool object = v->type == VD_JSON_OBJECT;
    switch (v->type) {
    case VD_JSON_NULL: vd_str_add(s, "null"); return;
    case VD_JSON_BOOL: vd_str_add(s, v->number != 0 ? "true" : "false"); return;
    case VD_JSON_NUMBER: vd_decimal_add(s, v->number); return;
    case VD_JSON_TEXT: vd_str_json(s, v->text); return;
    default: break;
    }
    vd_str_addc(s, object ? '{' : '[');
    for (const vd_json *m = v->first; m != NULL; m = m->next) {
        if (m != v->first) vd_str_addc(s, ',');
        if (object) {
            vd_str_json(s, m->key);
            vd_str_addc(s, ':');
        }
        vd_tree_add(s, m);
    }
    vd_str_addc(s, object ? '}' : ']');
}

void vd_tree_attributes(vd_str *s, const vd_json *object) {
    if (object == NULL || object->type != VD_JSON_OBJECT) return;
    for (const vd_json *m = object->first; m != NULL; m = m->next) {
        if (m->type == VD_JSON_NULL) continue;
        vd_str_addc(s, s->size == 0 ? '{' : ',');
        vd_str_json(s, m->key);
        vd_str_addc(s, ':');
        vd_tree_add(s, m);
    }
}
