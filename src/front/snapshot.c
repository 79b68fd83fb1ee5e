/* Operations snapshot, diff and card: what a dataset is, and was. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "curate/snapshot.h"

#include <string.h>

#include "base/path.h"
#include "curate/card.h"
#include "front/args.h"

static const char NOW[] = "now"; /* no snapshot, the dataset as it is */

/* ---- snapshot ---- */

static const vd_arg snapshot_args[] = {
    DATASET_ARG,
    { .name = "name",
      .flags = VD_POSITIONAL,
      .value = "NAME",
      .help = "of the new snapshot; without it they are listed" },
    WHERE_ARG,
    { .name = "split", .value = "NAME", .help = "keep the parts of this split" },
    { .name = "note", .value = "TEXT", .help = "kept with it" },
};

static const vd_column snapshot_columns[] = {
    { "name", VD_TEXT, "", "of the snapshot", 0 },
    { "pictures", VD_INT, "", "in it", 0 },
    { "split", VD_TEXT, "", "whose parts it keeps", 0 },
    { "digest", VD_TEXT, "", "of pictures, bytes, parts and labels: equal states have equal ones",
      0 },
    { "made", VD_TEXT, "", "when, in UTC", 0 },
    { "note", VD_TEXT, "", "as given", 0 },
};

static vd_status check_name(const char *text, vd_err *err) {
    if (strcmp(text, NOW) == 0)
        return vd_fail(err, VD_E_ARG, "snapshot: '%s' is the dataset as it is", NOW);
    return vd_front_check_name("snapshot", text, err);
}

/* Sends the snapshot of that name, or all. */
static vd_status send_snapshots(vd_opcall *c, vd_db *db, const char *name, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT name, assets, split, digest,"
                        " strftime('%Y-%m-%dT%H:%M:%SZ', made_ns / 1000000000, 'unixepoch'), note"
                        " FROM snapshot WHERE ?1 IS NULL OR name = ?1 ORDER BY id",
                        true, err));
    vd_stmt_bind(s, 1, vd_val_text(name));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    while (row) {
        vd_value v[VD_COUNT(snapshot_columns)];
        VD_GO(vd_stmt_step(s, &row, err));
        for (int i = 0; row && i < VD_COUNT(snapshot_columns); i++) v[i] = vd_stmt_value(s, i);
        if (row) VD_GO(vd_out_row(c, v, err));
    }
done:
    vd_stmt_free(s);
    return st;
}

static vd_status snapshot_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_state s = { 0 };
    const char *name = vd_arg_text(c, "name"), *where = vd_arg_text(c, "where");
    if (name != NULL) VD_GO(check_name(name, err));
    VD_GO(vd_op_open(c, name != NULL ? VD_DB_WRITE : VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    if (name != NULL) {
        VD_GO(vd_op_check_where(db, where, err));
        VD_GO(vd_state_now(&s, db, where, vd_arg_text(c, "split"), err));
        VD_GO(vd_snapshot_store(db, &s, name, vd_arg_text(c, "note"), err));
    }
    st = send_snapshots(c, db, name, err);
done:
    vd_state_reset(&s);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_snapshot = {
    .name = "snapshot",
    .summary = "keeps the dataset's state under a name, for good",
    .help =
        "A snapshot is the list of pictures with the hashes of their bytes, their parts and a hash of their labels. It\n"
        "lies in the catalog and does not change; files that vanish later stay in it. diff compares two.",
    .example = "vidimus snapshot captures.vidimus v1 --split split --note \"first training set\"",
    .args = snapshot_args,
    .n_args = VD_COUNT(snapshot_args),
    .columns = snapshot_columns,
    .n_columns = VD_COUNT(snapshot_columns),
    .flags = VD_OP_WRITES,
    .run = snapshot_op,
};

/* ---- diff ---- */

static const vd_arg diff_args[] = {
    DATASET_ARG,
    { .name = "a", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "A", .help = "snapshot, or now" },
    { .name = "b",
      .flags = VD_POSITIONAL,
      .value = "B",
      .def = "now",
      .help = "snapshot, or now: the dataset as it is" },
};

static const vd_column diff_columns[] = {
    { "what", VD_TEXT, "", "added removed moved bytes part labels; at the end, class", 0 },
    { "uri", VD_TEXT, "", "in B, or in A where it was removed; of a class: SET: NAME", 0 },
    { "a", VD_TEXT, "", "hash, part, URI or objects by class in A", 0 },
    { "b", VD_TEXT, "", "the same in B", 0 },
    { "added", VD_INT, "", "objects in B alone", 0 },
    { "removed", VD_INT, "", "objects in A alone", 0 },
    { "changed", VD_INT, "", "objects of one class that say something else in B", 0 },
};

typedef struct told {
    vd_opcall *c;
    int64_t n, classes, added, removed, changed;
} told;

static vd_value count_or_null(int64_t n) {
    return n >= 0 ? vd_val_int(n) : vd_val_null();
}

static vd_status send_difference(void *user, const vd_difference *d, vd_err *err) {
    told *t = user;
    const vd_value row[] = { vd_val_text(d->what),     vd_val_text(d->uri),
                             vd_val_text(d->a),        vd_val_text(d->b),
                             count_or_null(d->added),  count_or_null(d->removed),
                             count_or_null(d->changed) };
    bool is_class = strcmp(d->what, "class") == 0;
    t->n += !is_class;
    t->classes += is_class;
    t->added += is_class ? d->added : 0;
    t->removed += is_class ? d->removed : 0;
    t->changed += is_class ? d->changed : 0;
    return vd_out_row(t->c, row, err);
}

/* "now" with the parts of the split that the other state keeps, if that is still there. */
static vd_status load_state(vd_state *s, vd_db *db, const char *name, const char *split,
                            vd_err *err) {
    vd_err why = { 0 };
    if (strcmp(name, NOW) != 0) return vd_state_of_snapshot(s, db, name, err);
    vd_status st = vd_state_now(s, db, NULL, split, &why);
    if (st == VD_E_NOTFOUND) return vd_state_now(s, db, NULL, NULL, err);
    return st == VD_OK ? st : vd_fail(err, st, "%s", why.msg);
}

static vd_status diff_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_state a = { 0 }, b = { 0 };
    told t = { .c = c };
    const char *names[] = { vd_arg_text(c, "a"), vd_arg_text(c, "b") };
    bool a_first = strcmp(names[0], NOW) != 0; /* a snapshot says which split counts */
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(load_state(a_first ? &a : &b, db, names[!a_first], NULL, err));
    const char *split = a_first ? a.split : b.split;
    VD_GO(load_state(a_first ? &b : &a, db, names[a_first],
                     split != NULL && split[0] != '\0' ? split : NULL, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(vd_state_diff(&a, &b, send_difference, &t, err));
    vd_out_words(c, "%lld differences between %lld and %lld pictures", (long long)t.n,
                 (long long)a.n, (long long)b.n);
    if (t.classes > 0)
        vd_out_words(c, "objects of %lld classes: %lld added, %lld removed, %lld changed",
                     (long long)t.classes, (long long)t.added, (long long)t.removed,
                     (long long)t.changed);
done:
    vd_state_reset(&a);
    vd_state_reset(&b);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_diff = {
    .name = "diff",
    .summary = "what changed between two snapshots, or since one",
    .help =
        "Pictures that came, went, moved or have other bytes, another part or other labels; then what became of the\n"
        "objects of each class. Objects have no names of their own: of those of one class in one picture that do not say\n"
        "the same in A and B, as many as there are in both have changed, and the rest was added or removed.",
    .example = "vidimus diff captures.vidimus v1 now",
    .args = diff_args,
    .n_args = VD_COUNT(diff_args),
    .columns = diff_columns,
    .n_columns = VD_COUNT(diff_columns),
    .run = diff_op,
};

/* ---- card ---- */

static const vd_arg card_args[] = {
    DATASET_ARG,
    { .name = "out",
      .value = "FILE",
      .help = "write it here: Markdown, or HTML where the name ends in .html" },
};

static const vd_column card_columns[] = {
    { "section", VD_TEXT, "", "of the card", 0 },
    { "name", VD_TEXT, "", "what it says", 0 },
    { "value", VD_NULL, "", "a number, or a text", 0 },
};

static vd_status send_line(void *user, const char *section, const char *name, vd_value value,
                           vd_err *err) {
    const vd_value row[] = { vd_val_text(section), vd_val_text(name), value };
    return vd_out_row(user, row, err);
}

static vd_status card_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_str page = { 0 };
    const char *path = vd_arg_text(c, "out");
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(vd_card_lines(ds, send_line, c, err));
    if (path == NULL) goto done;
    VD_GO(vd_card_page(&page, ds, vd_str_ends(path, ".html"), err));
    VD_GO(vd_file_write(path, page.data, (size_t)page.size, err));
    vd_out_words(c, "card: %s", path);
done:
    vd_str_reset(&page);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_card = {
    .name = "card",
    .summary = "the data card: what a dataset has, and what it lacks",
    .help =
        "Counts, formats, cameras, places by cells of one degree, scenes, label sets, kinds of annotations, objects by class\n"
        "and by part, problems of labels and of pictures, splits, snapshots, licences (files named LICENSE or COPYING among\n"
        "the sources, and what label files state) and known limits.",
    .example = "vidimus card captures.vidimus --out card.md",
    .args = card_args,
    .n_args = VD_COUNT(card_args),
    .columns = card_columns,
    .n_columns = VD_COUNT(card_columns),
    .flags = VD_OP_FILES,
    .run = card_op,
};
