/* Operation select: the pictures most worth having. SPDX-License-Identifier: Apache-2.0 */
#include "curate/select.h"

#include <string.h>

#include "front/args.h"

static const vd_arg args[] = {
    DATASET_ARG,
    { .name = "count",
      .type = VD_T_INT,
      .flags = VD_REQUIRED,
      .min = 1,
      .max = 1e9,
      .value = "N",
      .help = "pictures wanted; by surface the most of them" },
    { .name = "by",
      .type = VD_T_CHOICE,
      .choices = "diversity|coverage|balance|similarity|score|surface",
      .def = "diversity",
      .help = "way of choosing" },
    WHERE_ARG,
    SKIP_ARG,
    VECTORS_ARG(""),
    { .name = "ids", .value = "FILE.npy", .help = "int64: the assets of the rows of --vectors" },
    { .name = "like",
      .value = "EXPR",
      .help =
          "SQL condition: similarity, like these pictures; diversity, these are there already" },
    { .name = "score", .value = "EXPR", .help = "SQL expression: by score, the largest first" },
    { .name = "per",
      .value = "EXPR",
      .help = "by balance: class, so that objects of all classes come out even, or an SQL "
              "expression, as many of each value; otherwise clusters" },
    { .name = "labels",
      .value = "SET",
      .help = "--per class: of which label set, if there are several" },
    { .name = "scene", .type = VD_T_INT, .min = 1, .max = 1e9, .def = "1", .help = "by surface" },
    { .name = "angle",
      .type = VD_T_REAL,
      .min = 0.1,
      .max = 89,
      .def = "5",
      .help = "by surface: rays closer than this are one direction; degrees" },
    { .name = "directions",
      .type = VD_T_INT,
      .min = 1,
      .max = 64,
      .def = "3",
      .help = "by surface: directions a point shall keep, if it has so many" },
    SEED_ARG,
    { .name = "tag",
      .value = "NAME",
      .help = "set this tag on the chosen ones, and take it from all others" },
    JOBS_ARG,
};

static const vd_column columns[] = {
    { "rank", VD_INT, "", "1, 2, ... in the order of choice", 0 },
    { "id", VD_INT, "", "of the asset", 0 },
    { "uri", VD_TEXT, "", "where it lies", 0 },
    { "value", VD_REAL, "",
      "diversity: cosine to the most similar one before; coverage: gain; similarity: cosine; score: "
      "the score; surface: directions of points that it brings; balance of classes: how even they are "
      "up to here, 1 all alike",
      0 },
    { "part", VD_TEXT, "", "the value of --per, or its classes by commas", 0 },
};

static vd_select_by way(const char *name) {
    return strcmp(name, "coverage") == 0     ? VD_SELECT_COVERAGE
           : strcmp(name, "balance") == 0    ? VD_SELECT_BALANCE
           : strcmp(name, "similarity") == 0 ? VD_SELECT_SIMILARITY
           : strcmp(name, "score") == 0      ? VD_SELECT_SCORE
           : strcmp(name, "surface") == 0    ? VD_SELECT_SURFACE
                                             : VD_SELECT_DIVERSITY;
}

static vd_status select_options(vd_select_opt *o, const vd_opcall *c, vd_db *db, vd_err *err) {
    *o = (vd_select_opt){ .by = way(vd_arg_text(c, "by")),
                          .count = vd_arg_int(c, "count"),
                          .where = vd_arg_text(c, "where"),
                          .skip = vd_arg_text(c, "skip"),
                          .given = vd_arg_text(c, "like"),
                          .vectors = vd_arg_text(c, "vectors"),
                          .ids = vd_arg_text(c, "ids"),
                          .score = vd_arg_text(c, "score"),
                          .per = vd_arg_text(c, "per"),
                          .labels = vd_arg_text(c, "labels"),
                          .scene = vd_arg_int(c, "scene"),
                          .cover = { .angle_deg = vd_arg_real(c, "angle"),
                                     .directions = (int)vd_arg_int(c, "directions") },
                          .seed = (uint64_t)vd_arg_int(c, "seed") };
    if (o->by == VD_SELECT_SIMILARITY && o->given == NULL)
        return vd_fail(err, VD_E_ARG, "select: by similarity needs --like");
    if (o->by == VD_SELECT_SCORE && o->score == NULL)
        return vd_fail(err, VD_E_ARG, "select: by score needs --score");
    o->per_class = o->by == VD_SELECT_BALANCE && o->per != NULL && strcmp(o->per, "class") == 0;
    if (o->per_class) o->per = NULL;
    if (o->labels != NULL && !o->per_class)
        return vd_fail(err, VD_E_ARG, "select: --labels is for --by balance --per class");
    const char *const sql[] = { o->where, o->given, o->score, o->per };
    for (int i = 0; i < VD_COUNT(sql); i++) VD_TRY(vd_op_check_where(db, sql[i], err));
    return VD_OK;
}

static void say_selection(vd_opcall *c, const vd_select_opt *o, const vd_selection *s) {
    vd_out_words(c, "%lld of %lld pictures", (long long)s->n, (long long)s->candidates);
    if (s->without > 0)
        vd_out_words(c, "%lld pictures were left out: they have no %s", (long long)s->without,
                     o->by == VD_SELECT_SCORE     ? "score"
                     : o->per_class               ? "object of any class"
                     : o->by == VD_SELECT_SURFACE ? "place in this scene"
                                                  : "vector");
    if (o->per_class && s->n > 0)
        vd_out_words(c, "objects of a class: %lld to %lld", (long long)s->least,
                     (long long)s->most);
    if (o->by == VD_SELECT_SURFACE)
        vd_out_words(c,
                     "%lld of %lld well observed points keep all their directions (%lld of %lld)",
                     (long long)s->cover.complete, (long long)s->cover.points,
                     (long long)s->cover.kept, (long long)s->cover.wanted);
}

static vd_status select_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_pool *pool = NULL;
    vd_select_opt o;
    vd_selection s = { 0 };
    const char *tag = vd_arg_text(c, "tag");
    if (tag != NULL) VD_GO(vd_front_check_name("tag", tag, err));
    VD_GO(vd_op_open(c, tag != NULL ? VD_DB_WRITE : VD_DB_READ, &ds, err));
    VD_GO(select_options(&o, c, vd_dataset_db(ds), err));
    VD_GO(vd_front_pool(c, &pool, err));
    VD_GO(vd_select_pictures(&s, ds, &o, pool, err));
    if (tag != NULL) VD_GO(vd_selection_tag(&s, vd_dataset_db(ds), tag, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    for (int64_t i = 0; i < s.n; i++) {
        const vd_selected *r = &s.row[i];
        const vd_value row[] = { vd_val_int(i + 1), vd_val_int(r->id), vd_val_text(r->uri),
                                 vd_val_real(r->value), vd_val_text(r->part) };
        VD_GO(vd_out_row(c, row, err));
    }
    say_selection(c, &o, &s);
done:
    vd_selection_reset(&s);
    vd_pool_free(pool);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_select = {
    .name = "select",
    .summary = "the pictures most worth having",
    .help =
        "diversity takes the picture least like those taken before, again and again; coverage those that all pictures\n"
        "are most like; balance as many of each kind, or of each cluster where --per does not say what kinds are, or,\n"
        "--per class, the picture that makes the shares of classes among all objects most even, again and again;\n"
        "similarity those most like given ones; score the largest of an expression; surface the fewest registered\n"
        "pictures of a scene that keep every well observed point seen from enough directions. The same pictures\n"
        "come out for any number of jobs.",
    .example =
        "vidimus select captures.vidimus --count 500 --by coverage --skip near,problems --tag chosen",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_WRITES,
    .run = select_op,
};
