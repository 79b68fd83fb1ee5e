/* Operation split: parts between which nothing leaks, and checking them. SPDX-License-Identifier:
 * Apache-2.0 */
#include "curate/split.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "front/args.h"

static const vd_arg args[] = {
    DATASET_ARG,
    { .name = "parts", .flags = VD_POSITIONAL, .value = "80/10/10", .help = "shares of the parts" },
    { .name = "by",
      .value = "LIST",
      .help =
          "what must not straddle parts, by commas: scene, overlap (shared verified geometry, also of "
          "pictures without a place in a scene, such as crops), duplicates, video, session, folder, or a "
          "regular expression over URIs (last), whose first group is the key; "
          "scene,duplicates,video if not given" },
    { .name = "names",
      .value = "LIST",
      .help = "of the parts, by commas; train,test or train,val,test if not given" },
    { .name = "stratify",
      .value = "EXPR",
      .help = "class: pictures with objects of each class are spread evenly; or an SQL expression "
              "whose values are" },
    { .name = "labels",
      .value = "SET",
      .help = "label set whose classes are counted, and which --stratify class takes, if there are "
              "several" },
    WHERE_ARG,
    SKIP_ARG,
    { .name = "gap",
      .type = VD_T_SECONDS,
      .min = 0,
      .max = 1e8,
      .def = "30min",
      .help = "a longer pause of a camera ends a session" },
    VECTORS_ARG("; none: similarity is not looked at"),
    SEED_ARG,
    { .name = "name", .value = "NAME", .def = "split", .help = "of the split, and of its tags" },
    { .name = "certificate",
      .value = "FILE",
      .help = "where it goes; NAME.split.json in the dataset if not given" },
    { .name = "verify", .value = "FILE", .help = "check this certificate again; makes no split" },
    { .name = "most",
      .type = VD_T_REAL,
      .min = -1,
      .max = 1,
      .help = "with --verify: the largest similarity allowed, instead of the certificate's" },
    JOBS_ARG,
};

static const vd_column part_columns[] = {
    { "part", VD_TEXT, "", "its name", 0 },         { "share", VD_REAL, "", "wanted", 0 },
    { "pictures", VD_INT, "", "in it", 0 },         { "groups", VD_INT, "", "in it", 0 },
    { "largest_group", VD_INT, "", "pictures", 0 },
};
static const vd_column check_columns[] = {
    { "check", VD_TEXT, "", "intact present groups bytes points similarity classes", 0 },
    { "ok", VD_INT, "", "0 or 1", 0 },
    { "found", VD_REAL, "", "edits, pictures, groups, pictures, points, cosine, classes", 0 },
    { "allowed", VD_REAL, "", "at most", 0 },
    { "detail", VD_TEXT, "", "an example", 0 },
};

static vd_status verify_op(vd_opcall *c, vd_dataset *ds, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_certificate cert = { 0 };
    vd_split_check check[VD_SPLIT_CHECKS];
    int failed = 0;
    VD_GO(vd_certificate_read(&cert, vd_arg_text(c, "verify"), err));
    VD_GO(vd_split_verify(check, ds, &cert, vd_arg_text(c, "by"),
                          vd_arg_given(c, "most") ? vd_arg_real(c, "most") : NAN, pool, err));
    VD_GO(vd_out_columns(c, check_columns, VD_COUNT(check_columns), err));
    for (int i = 0; i < VD_SPLIT_CHECKS; i++) {
        const vd_split_check *k = &check[i];
        const vd_value row[] = { vd_val_text(k->what), vd_val_int(k->ok), vd_val_real(k->found),
                                 vd_val_real(k->allowed), vd_val_text(k->detail) };
        failed += !k->ok;
        VD_GO(vd_out_row(c, row, err));
    }
    if (failed > 0)
        VD_GO(vd_fail(err, VD_E_CHECK, "split: %d of %d checks of %s failed", failed,
                      VD_SPLIT_CHECKS, vd_arg_text(c, "verify")));
    vd_out_words(c, "the split holds");
done:
    vd_certificate_reset(&cert);
    return st;
}

/* Names of parts, into the certificate. */
static vd_status name_parts(vd_certificate *cert, const char *names, vd_err *err) {
    static const char *const usual[] = { "train,test", "train,val,test" };
    vd_str text = { 0 };
    vd_status st = VD_OK;
    if (names == NULL && cert->n_parts <= 3) names = usual[cert->n_parts - 2];
    for (int p = 0; names == NULL && p < cert->n_parts; p++)
        vd_str_addf(&text, "%spart%d", p > 0 ? "," : "", p + 1);
    if (names != NULL) vd_str_add(&text, names);
    VD_GO(vd_str_check(&text, err));
    char *at = text.data;
    int n = 0;
    for (char *end; at != NULL; at = end) {
        end = strchr(at, ',');
        if (end != NULL) *end++ = '\0';
        VD_GO(vd_front_check_name("part", at, err));
        for (int k = 0; k < VD_MIN(n, cert->n_parts); k++)
            if (strcmp(cert->part_name[k], at) == 0)
                VD_GO(vd_fail(err, VD_E_ARG, "split: two parts are named '%.80s'", at));
        if (n < cert->n_parts && (cert->part_name[n] = vd_arena_text(&cert->texts, at)) == NULL)
            VD_GO(vd_nomem(err));
        n++;
    }
    if (n != cert->n_parts)
        st = vd_fail(err, VD_E_ARG, "split: %d names for %d parts", n, cert->n_parts);
done:
    vd_str_reset(&text);
    return st;
}

static const char *or_empty(const char *text) {
    return text != NULL ? text : "";
}

static vd_status begin_certificate(vd_certificate *cert, const vd_opcall *c, vd_err *err) {
    const char *parts = vd_arg_text(c, "parts"), *by = vd_arg_text(c, "by");
    if (parts == NULL) return vd_fail(err, VD_E_ARG, "split: parts are missing, such as 80/10/10");
    VD_TRY(vd_split_shares(cert->share, &cert->n_parts, parts, err));
    VD_TRY(name_parts(cert, vd_arg_text(c, "names"), err));
    cert->name = vd_arg_text(c, "name");
    cert->by = by != NULL ? by : "scene,duplicates,video";
    cert->where = or_empty(vd_arg_text(c, "where"));
    cert->skip = or_empty(vd_arg_text(c, "skip"));
    cert->stratify = or_empty(vd_arg_text(c, "stratify"));
    cert->labels = or_empty(vd_arg_text(c, "labels"));
    cert->vectors = vd_arg_text(c, "vectors");
    if (strcmp(cert->vectors, "none") == 0) cert->vectors = "";
    cert->gap_s = vd_arg_real(c, "gap");
    cert->seed = vd_arg_int(c, "seed");
    return vd_front_check_name("split", cert->name, err);
}

/* By the classes of objects, not by an expression. */
static bool by_class(const vd_certificate *cert) {
    return strcmp(cert->stratify, "class") == 0;
}

/* The pictures of the split, and the hashes of their bytes. */
static vd_status load_pictures(vd_curated_list *list, vd_certificate *cert, const vd_opcall *c,
                               vd_db *db, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    const char *stratify = by_class(cert) ? NULL : vd_arg_text(c, "stratify");
    const char *where = vd_arg_text(c, "where");
    const vd_curated_query q = { .where = where,
                                 .skip = vd_arg_text(c, "skip"),
                                 .value = stratify };
    VD_TRY(vd_op_check_where(db, where, err));
    VD_TRY(vd_op_check_where(db, stratify, err));
    VD_TRY(vd_curated_load(list, db, &q, err));
    size_t n = (size_t)list->n;
    cert->n = list->n;
    cert->uri = vd_mem_array(n, sizeof *cert->uri);
    cert->hash = vd_mem_array(n, sizeof *cert->hash);
    cert->part = vd_mem_array(n, 1);
    cert->group = vd_mem_array(n, sizeof *cert->group);
    if (cert->uri == NULL || cert->hash == NULL || cert->part == NULL || cert->group == NULL)
        return vd_nomem(err);
    VD_TRY(vd_db_prepare(&s, db, "SELECT content_hash FROM asset WHERE id = ?1", true, err));
    for (int64_t i = 0; i < list->n; i++) {
        bool is = false;
        vd_stmt_bind(s, 1, vd_val_int(list->row[i].id));
        VD_GO(vd_stmt_step(s, &is, err));
        cert->uri[i] = list->row[i].uri;
        cert->hash[i] = vd_arena_text(&cert->texts, is ? vd_stmt_text(s, 0) : "");
        if (cert->hash[i] == NULL) VD_GO(vd_nomem(err));
        vd_stmt_reset(s);
    }
done:
    vd_stmt_free(s);
    return st;
}

/* Groups by the position of their first picture become groups by number. */
static void number_groups(int32_t *group, int64_t n) {
    int32_t numbers = 0;
    for (int64_t i = 0; i < n; i++) group[i] = group[i] == i ? numbers++ : group[group[i]];
}

/* Parts, by the classes where they are asked for; the certificate states what they then have. */
static vd_status give_parts(vd_certificate *cert, const vd_dataset *ds, const vd_curated_list *list,
                            vd_err *err) {
    vd_status st = VD_OK;
    vd_classes classes = { 0 };
    const char *set = cert->labels[0] != '\0' ? cert->labels : NULL;
    const uint64_t seed = (uint64_t)cert->seed;
    if (by_class(cert) || set != NULL)
        VD_GO(vd_classes_load(&classes, vd_dataset_db(ds), list, set, err));
    if (by_class(cert))
        VD_GO(vd_split_classes(cert->part, list, cert->group, &classes, cert->share, cert->n_parts,
                               seed, err));
    else
        VD_GO(
            vd_split_groups(cert->part, list, cert->group, cert->share, cert->n_parts, seed, err));
    if (classes.set != NULL) st = vd_certificate_classes(cert, &classes, err);
done:
    vd_classes_reset(&classes);
    return st;
}

static vd_status make_split(vd_certificate *cert, const vd_dataset *ds, const vd_curated_list *list,
                            vd_pool *pool, vd_err *err) {
    vd_group_rule rule;
    vd_split_facts f;
    VD_TRY(vd_group_rule_parse(&rule, cert->by, cert->gap_s, err));
    VD_TRY(vd_group_pictures(cert->group, ds, list, &rule, err));
    VD_TRY(give_parts(cert, ds, list, err));
    VD_TRY(vd_split_measure(&f, ds, list, cert->group, cert->part,
                            cert->vectors[0] != '\0' ? cert->vectors : NULL, pool, err));
    number_groups(cert->group, list->n);
    cert->similarity = f.similarity;
    cert->shared_points = f.shared_points;
    cert->scenes = f.scenes;
    for (int k = 0; k < 2; k++)
        cert->similar[k] = f.similar[k] >= 0 ? list->row[f.similar[k]].uri : NULL;
    return VD_OK;
}

static vd_status send_parts(vd_opcall *c, const vd_certificate *cert, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *size = vd_mem_array((size_t)cert->n, sizeof *size);
    if (size == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < cert->n; i++) size[cert->group[i]]++;
    VD_GO(vd_out_columns(c, part_columns, VD_COUNT(part_columns), err));
    for (int p = 0; p < cert->n_parts; p++) {
        int64_t n = 0, groups = 0, largest = 0;
        int32_t highest = -1;
        for (int64_t i = 0; i < cert->n; i++) {
            if (cert->part[i] == p) {
                n++;
                groups += cert->group[i] > highest;
                largest = VD_MAX(largest, size[cert->group[i]]);
            }
            highest = VD_MAX(highest, cert->group[i]);
        }
        const vd_value row[] = { vd_val_text(cert->part_name[p]), vd_val_real(cert->share[p]),
                                 vd_val_int(n), vd_val_int(groups), vd_val_int(largest) };
        VD_GO(vd_out_row(c, row, err));
    }
done:
    vd_mem_free(size);
    return st;
}

/* Of which class a part has least like its share, of pictures. */
static void say_classes(vd_opcall *c, const vd_certificate *cert) {
    const int n = cert->n_parts;
    int64_t worst = -1, worst_all = 0;
    double most = -1;
    for (int64_t at = 0; at < (int64_t)cert->n_classes * n; at++) {
        const int64_t *row = cert->class_pictures + at / n * n;
        int64_t all = 0;
        for (int p = 0; p < n; p++) all += row[p];
        double off = fabs((double)cert->class_pictures[at] - cert->share[at % n] * (double)all);
        if (all == 0 || off <= most) continue;
        most = off;
        worst = at;
        worst_all = all;
    }
    if (worst >= 0)
        vd_out_words(c,
                     "%d classes of '%s'; furthest from its share: %s has %lld of %lld pictures "
                     "with '%.60s', its share is %.1f",
                     (int)cert->n_classes, cert->labels, cert->part_name[worst % n],
                     (long long)cert->class_pictures[worst], (long long)worst_all,
                     cert->class_name[worst / n], cert->share[worst % n] * (double)worst_all);
}

static vd_status divide(vd_opcall *c, vd_dataset *ds, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_certificate cert = { 0 };
    vd_curated_list list = { 0 };
    vd_str path = { 0 };
    const char *to = vd_arg_text(c, "certificate");
    VD_GO(begin_certificate(&cert, c, err));
    VD_GO(load_pictures(&list, &cert, c, vd_dataset_db(ds), err));
    if (to != NULL)
        vd_str_add(&path, to);
    else
        vd_str_addf(&path, "%s/%s.split.json", vd_dataset_dir(ds), cert.name);
    VD_GO(vd_str_check(&path, err));
    VD_GO(make_split(&cert, ds, &list, pool, err));
    VD_GO(vd_certificate_write(&cert, path.data, err));
    VD_GO(vd_split_store(vd_dataset_db(ds), &cert, &list, err));
    VD_GO(send_parts(c, &cert, err));
    if (!isnan(cert.similarity))
        vd_out_words(c, "largest similarity between parts: %.3f (%s and %s)", cert.similarity,
                     vd_path_name(cert.similar[0]), vd_path_name(cert.similar[1]));
    if (cert.scenes > 0)
        vd_out_words(c, "points of scenes that several parts show: %lld",
                     (long long)cert.shared_points);
    say_classes(c, &cert);
    vd_out_words(c, "certificate: %s", path.data);
done:
    vd_str_reset(&path);
    vd_certificate_reset(&cert);
    vd_curated_reset(&list);
    return st;
}

static vd_status split_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_pool *pool = NULL;
    bool verify = vd_arg_text(c, "verify") != NULL;
    VD_GO(vd_op_open(c, verify ? VD_DB_READ : VD_DB_WRITE, &ds, err));
    VD_GO(vd_front_pool(c, &pool, err));
    st = verify ? verify_op(c, ds, pool, err) : divide(c, ds, pool, err);
done:
    vd_pool_free(pool);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_split = {
    .name = "split",
    .summary = "parts for training and testing between which nothing leaks",
    .help =
        "Pictures that belong together by any word of --by make a group, and groups never straddle parts. --stratify class\n"
        "gives each part its share of the pictures that have objects of each class, as near as whole groups allow. Parts are\n"
        "kept in the catalog, as tags NAME:PART, and in a certificate with the rule, the groups, the largest similarity\n"
        "between parts and the number of points of scenes that several parts show. --verify reads a certificate and\n"
        "checks all of it again from the catalog: that it was not edited, that its pictures are there with the same bytes,\n"
        "and that nothing leaks, also by the stricter rule of a --by that is given with it. It fails otherwise.",
    .example = "vidimus split captures.vidimus 80/10/10 --by scene,duplicates,video",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_WRITES | VD_OP_FILES | VD_OP_DYNAMIC,
    .run = split_op,
};
