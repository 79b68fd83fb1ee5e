/* See dataset.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "label/turn.h"

/* ---- arguments ---- */

/* --truth or --truth-set, whichever the operation knows. */
static vd_status one_of(const vd_opcall *c, const char *file, const char *set, vd_err *err) {
    if (vd_arg_given(c, file) && vd_arg_given(c, set))
        return vd_fail(err, VD_E_ARG, "%s: --%s and --%s exclude each other", c->op->name, file,
                       set);
    if (!vd_arg_given(c, file) && !vd_arg_given(c, set))
        return vd_fail(err, VD_E_ARG, "%s: --%s is missing; see vidimus %s --help", c->op->name,
                       file, c->op->name);
    return VD_OK;
}

bool vd_judge_is_own(const char *by, const char *own) {
    size_t n = own != NULL ? strlen(own) : 0;
    return n > 0 && strncmp(by, own, n) == 0 && (by[n] == '\0' || by[n] == ':');
}

static vd_status check_arguments(const vd_opcall *c, const char *own, vd_err *err) {
    static const char *const need[] = { "truth-set", "pred-set", "keep" };
    const char *const *by;
    int n = vd_arg_many(c, "by", &by);
    VD_TRY(one_of(c, "truth", "truth-set", err));
    VD_TRY(one_of(c, "pred", "pred-set", err));
    for (int i = 0; i < n; i++)
        if (n > 1 && strcmp(by[i], "class") == 0)
            return vd_fail(err, VD_E_ARG, "%s: --by class stands alone", c->op->name);
    if (vd_judge_by_class(c) && vd_arg_given(c, "keep"))
        return vd_fail(err, VD_E_ARG, "%s: --keep has every class anyway: leave out --by class",
                       c->op->name);
    if (vd_arg_given(c, "keep")) VD_TRY(vd_evaluation_check_name(vd_arg_text(c, "keep"), err));
    if (vd_arg_given(c, "dataset")) return VD_OK;
    for (int i = 0; i < VD_COUNT(need); i++)
        if (vd_arg_given(c, need[i]))
            return vd_fail(err, VD_E_ARG, "%s: --%s needs --dataset", c->op->name, need[i]);
    for (int i = 0; i < n && !vd_judge_by_class(c); i++)
        if (!vd_judge_is_own(by[i], own))
            return vd_fail(err, VD_E_ARG, "%s: --by '%.80s' is not class%s%s; facts need --dataset",
                           c->op->name, by[i], own != NULL ? " or " : "", own != NULL ? own : "");
    return VD_OK;
}

bool vd_judge_by_class(const vd_opcall *c) {
    const char *const *by;
    return vd_arg_many(c, "by", &by) == 1 && strcmp(by[0], "class") == 0;
}

int vd_judge_by(const vd_opcall *c, const char *const **by) {
    return vd_judge_by_class(c) ? 0 : vd_arg_many(c, "by", by);
}

vd_status vd_judge_open(vd_judge_data *d, const vd_opcall *c, const char *own, vd_err *err) {
    VD_TRY(check_arguments(c, own, err));
    if (!vd_arg_given(c, "dataset")) return VD_OK;
    VD_TRY(vd_op_open(c, VD_DB_READ, &d->ds, err));
    return vd_match_init(&d->match, vd_dataset_db(d->ds), NULL, err);
}

void vd_judge_reset(vd_judge_data *d) {
    vd_match_reset(&d->match);
    vd_dataset_close(d->ds);
    vd_mem_free(d->asset);
    vd_arena_reset(&d->arena);
    *d = (vd_judge_data){ 0 };
}

/* ---- pictures ---- */

vd_status vd_judge_match(vd_judge_data *d, int64_t n, vd_judge_picture_fn picture, const void *user,
                         vd_err *err) {
    bool known = d->asset != NULL; /* a label set names its assets itself */
    if (d->ds == NULL) return VD_OK;
    if (!known) d->asset = vd_mem_array((size_t)n, sizeof *d->asset);
    if (d->asset == NULL) return vd_nomem(err);
    d->n = n;
    for (int64_t i = 0; i < n && !known; i++) {
        const char *name = NULL;
        int64_t width = 0, height = 0;
        const vd_match_asset *a = NULL;
        picture(user, i, &name, &width, &height);
        if (name != NULL && vd_match_find(&d->match, name, width, height, &a) == VD_MATCHED)
            d->asset[i] = a->id;
    }
    d->found = 0;
    for (int64_t i = 0; i < n; i++) d->found += d->asset[i] > 0;
    return VD_OK;
}

static int by_id(const void *a, const void *b) {
    int64_t p = ((const vd_match_asset *)a)->id, q = ((const vd_match_asset *)b)->id;
    return (p > q) - (p < q);
}

const vd_match_asset *vd_judge_asset(const vd_judge_data *d, int64_t id) {
    const vd_match_asset key = { .id = id };
    return d->match.n == 0 ? NULL
                           : bsearch(&key, d->match.assets, (size_t)d->match.n, sizeof key, by_id);
}

void vd_judge_say_strangers(vd_opcall *c, const vd_judge_data *d) {
    if (d->ds != NULL && d->found < d->n)
        vd_out_words(c, "%lld of %lld pictures are no assets of the dataset",
                     (long long)(d->n - d->found), (long long)d->n);
}

vd_status vd_judge_upright(double out[4], const double box[4], const vd_match_asset *a,
                           int64_t width, int64_t height, vd_err *err) {
    memcpy(out, box, 4 * sizeof *out);
    if (a == NULL || a->width <= 0 || a->height <= 0 || width <= 0 || height <= 0) return VD_OK;
    if (a->orientation >= 5 && width == a->height && height == a->width && width != height) {
        vd_label_object o = { .has = VD_OBJ_BOX };
        vd_shape_buf buf = { 0 };
        vd_mask mask = { 0 };
        memcpy(o.box, box, sizeof o.box);
        vd_status st =
            vd_label_turn(&o, &buf, &mask, a->orientation, (int32_t)width, (int32_t)height, err);
        memcpy(out, o.box, sizeof o.box);
        vd_shape_buf_reset(&buf);
        vd_mask_reset(&mask);
        return st;
    }
    for (int k = 0; k < 4; k++)
        out[k] = box[k] * (k % 2 == 0 ? (double)a->width / (double)width
                                      : (double)a->height / (double)height);
    return VD_OK;
}

/* ---- keeping ---- */

static void source_of(vd_str *out, const vd_opcall *c, const char *file, const char *set) {
    if (vd_arg_given(c, set))
        vd_str_addf(out, "set %s", vd_arg_text(c, set));
    else
        vd_str_add(out, vd_arg_text(c, file));
}

/* What was given, but for what is said elsewhere. */
static void arguments_json(vd_str *out, const vd_opcall *c) {
    static const char elsewhere[] = "dataset,keep,truth,pred,truth-set,pred-set,jobs";
    bool first = true;
    vd_str_addc(out, '{');
    for (int i = 0; i < c->op->n_args; i++) {
        const vd_arg_set *set = &c->sets[i];
        if (!set->given || vd_str_list_has(elsewhere, c->op->args[i].name)) continue;
        vd_str_addf(out, "%s\"%s\": ", first ? "" : ", ", c->op->args[i].name);
        first = false;
        if (set->n_many == 0) {
            vd_str_json(out, set->text);
            continue;
        }
        for (int k = 0; k < set->n_many; k++) {
            vd_str_add(out, k > 0 ? ", " : "[");
            vd_str_json(out, set->many[k]);
        }
        vd_str_addc(out, ']');
    }
    vd_str_addc(out, '}');
}

vd_status vd_judge_keep_begin(vd_judge_keep *k, const vd_opcall *c, const char *task,
                              const char *result, vd_err *err) {
    vd_str truth = { 0 }, prediction = { 0 }, arguments = { 0 };
    vd_status st = VD_OK;
    source_of(&truth, c, "truth", "truth-set");
    source_of(&prediction, c, "pred", "pred-set");
    arguments_json(&arguments, c);
    VD_GO(vd_str_check(&truth, err));
    VD_GO(vd_str_check(&prediction, err));
    VD_GO(vd_str_check(&arguments, err));
    VD_GO(vd_op_open(c, VD_DB_WRITE, &k->ds, err));
    const vd_evaluation e = { vd_arg_text(c, "keep"), task,           truth.data,
                              prediction.data,        arguments.data, result };
    st = vd_evaluation_begin(&k->rows, vd_dataset_db(k->ds), &e, err);
done:
    vd_str_reset(&truth);
    vd_str_reset(&prediction);
    vd_str_reset(&arguments);
    return st;
}

vd_status vd_judge_keep_end(vd_judge_keep *k, vd_opcall *c, vd_status so_far, vd_err *err) {
    vd_status st = so_far;
    if (st == VD_OK) st = vd_evaluation_end(k->rows, err);
    vd_evaluation_free(k->rows);
    vd_dataset_close(k->ds);
    *k = (vd_judge_keep){ 0 };
    if (st == VD_OK) vd_out_words(c, "kept as evaluation '%s'", vd_arg_text(c, "keep"));
    return st;
}

/* ---- figures as JSON ---- */

vd_status vd_judge_json(vd_str *out, const vd_judge_figures *f, vd_err *err) {
    double *kept = vd_mem_array((size_t)f->n_replicates, sizeof *kept);
    if (kept == NULL) return vd_nomem(err);
    vd_str_add(out, "{\"figures\": [");
    for (int i = 0; i < f->n; i++) {
        vd_value bounds[2];
        vd_judge_interval(f, i, kept, bounds);
        vd_str_addf(out, "%s[\"%s\", ", i > 0 ? ", " : "", f->name[i]);
        vd_str_json_num(out, f->value[i]);
        for (int k = 0; k < 2; k++) {
            vd_str_add(out, ", ");
            vd_str_json_num(out, bounds[k].type == VD_REAL ? bounds[k].f : (double)NAN);
        }
        vd_str_addc(out, ']');
    }
    vd_mem_free(kept);
    vd_str_add(out, "],\n\"counts\": {");
    for (int i = 0; i < f->n_counts; i++)
        vd_str_addf(out, "%s\"%s\": %lld", i > 0 ? ", " : "", f->count_name[i],
                    (long long)f->count[i]);
    vd_str_addc(out, '}');
    return vd_str_check(out, err);
}
