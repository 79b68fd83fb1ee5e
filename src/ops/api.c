/* The public C interface over the operation table. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ops/describe.h"
#include "ops/result.h"

struct vd_ctx {
    vd_ctx_opt opt;
    char *libexec_dir;
};

vd_status vd_ctx_new(vd_ctx **out, const vd_ctx_opt *opt, vd_err *err) {
    vd_ctx *ctx = vd_mem_array(1, sizeof *ctx);
    if (ctx == NULL) return vd_nomem(err);
    if (opt != NULL && opt->size > 0) memcpy(&ctx->opt, opt, VD_MIN(opt->size, sizeof ctx->opt));
    if (ctx->opt.libexec_dir != NULL) {
        ctx->libexec_dir = vd_mem_strdup(ctx->opt.libexec_dir);
        if (ctx->libexec_dir == NULL) {
            vd_mem_free(ctx);
            return vd_nomem(err);
        }
    }
    *out = ctx;
    return VD_OK;
}

void vd_ctx_free(vd_ctx *ctx) {
    if (ctx == NULL) return;
    vd_mem_free(ctx->libexec_dir);
    vd_mem_free(ctx);
}

static vd_status set_value(vd_opcall *c, const vd_arg_value *a, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = VD_OK;
    if (a->name == NULL)
        return vd_fail(err, VD_E_ARG, "%s: an argument without a name", c->op->name);
    switch (a->kind) {
    case VD_ARG_TEXT: vd_str_add(&s, a->text != NULL ? a->text : ""); break;
    case VD_ARG_INT: vd_str_addf(&s, "%lld", (long long)a->integer); break;
    case VD_ARG_REAL: vd_str_num(&s, a->real); break;
    case VD_ARG_FLAG: vd_str_add(&s, a->flag ? "true" : "false"); break;
    default:
        st = vd_fail(err, VD_E_ARG, "%s: argument %s: kind %d", c->op->name, a->name, (int)a->kind);
    }
    if (st == VD_OK) st = vd_str_check(&s, err);
    if (st == VD_OK) st = vd_opcall_set(c, a->name, vd_str_text(&s), err);
    vd_str_reset(&s);
    return st;
}

vd_status vd_call(vd_ctx *ctx, const char *op, const vd_arg_value *args, int n, vd_result **out,
                  vd_err *err) {
    vd_err own = { 0 };
    if (err == NULL) err = &own;
    const vd_op *row = vd_op_find(op);
    if (row == NULL) return vd_fail(err, VD_E_NOTFOUND, "no operation '%.60s'", op);
    vd_status st = VD_OK;
    vd_opcall call = { 0 };
    vd_result *r = NULL;
    VD_GO(vd_opcall_init(&call, row, err));
    VD_GO(vd_result_new(&r, err));
    for (int i = 0; i < n; i++) VD_GO(set_value(&call, &args[i], err));
    VD_GO(vd_opcall_finish(&call, err));
    call.sink = vd_result_sink(r);
    call.on_progress = ctx->opt.on_progress;
    call.on_cancel = ctx->opt.on_cancel;
    call.user = ctx->opt.user;
    call.libexec_dir = ctx->libexec_dir;
    st = row->run(&call, err);
    if (st == VD_OK || st == VD_E_CHECK) {
        *out = r;
        r = NULL;
    }
done:
    vd_result_free(r);
    vd_opcall_reset(&call);
    return st;
}

const char *vd_op_name(int index) {
    return index >= 0 && index < vd_n_ops ? vd_ops[index]->name : NULL;
}

vd_status vd_op_describe(const char *op, char **json, vd_err *err) {
    const vd_op *row = vd_op_find(op);
    if (row == NULL) return vd_fail(err, VD_E_NOTFOUND, "no operation '%.60s'", op);
    vd_str s = { 0 };
    vd_describe_json(row, &s);
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK)
        *json = s.data;
    else
        vd_str_reset(&s);
    return st;
}

void vd_text_free(char *text) {
    vd_mem_free(text);
}
const char *vd_version(void) {
    return VIDIMUS_VERSION;
}
