/* The folder walk and file lists, against folders made here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "unit/tmpdir.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "source/walk.h"

/* Everything the walk says, as text: one line a file, one a note, relative to the folder. */
typedef struct record {
    vd_str text;
    size_t skip; /* length of the scratch folder's path and its slash */
    int64_t n_files, bytes;
} record;

static vd_status on_file(void *user, const vd_walk_file *f, vd_err *err) {
    record *r = user;
    vd_str_addf(&r->text, "%s %lld\n", f->path + r->skip, (long long)f->size);
    r->n_files++;
    r->bytes += f->size;
    return vd_str_check(&r->text, err);
}

static vd_status on_note(void *user, const vd_note *n, vd_err *err) {
    record *r = user;
    vd_str_addf(&r->text, "!%s %s\n", n->code,
                strlen(n->path) > r->skip ? n->path + r->skip : n->path);
    return vd_str_check(&r->text, err);
}

static vd_status walk(const t_dir *d, bool hidden, record *r, vd_err *err) {
    vd_walk_opt o = { hidden, on_file, on_note, r };
    r->skip = strlen(d->path) + 1;
    vd_walk *w = NULL;
    VD_TRY(vd_walk_new(&w, &o, err));
    vd_status st = vd_walk_path(w, d->path, err);
    vd_walk_free(w);
    return st;
}

static t_dir tree(void) {
    t_dir d = t_dir_new();
    t_dir_put(&d, "b.jpg", "12345", 5);
    t_dir_put(&d, "a/2", "x", 1);
    t_dir_put(&d, "a/10", "xy", 2);
    t_dir_put(&d, "a/deep/er/z", "", 0);
    t_dir_put(&d, "a.txt", "abc", 3);
    t_dir_put(&d, ".hidden", "h", 1);
    t_dir_put(&d, ".git/config", "h", 1);
    t_dir_put(&d, "old.vidimus/catalog.db", "h", 1);
    return d;
}

T(walk_goes_in_byte_order_and_leaves_out_hidden_and_datasets) {
    vd_err err = { 0 };
    t_dir d = tree();
    record r = { 0 };
    T_OK(walk(&d, false, &r, &err));
    T_STR(vd_str_text(&r.text),
          "a/10 2\na/2 1\na/deep/er/z 0\na.txt 3\nb.jpg 5\n!dataset old.vidimus\n");
    vd_str_reset(&r.text);
    T_OK(walk(&d, true, &r, &err));
    T_TRUE(strstr(vd_str_text(&r.text), ".git/config 1\n.hidden 1\n") != NULL);
    vd_str_reset(&r.text);
    t_dir_free(&d);
}

T(walk_follows_links_and_ends_loops) {
    vd_err err = { 0 };
    t_dir d = t_dir_new(), other = t_dir_new();
    t_dir_put(&d, "a/f", "x", 1);
    t_dir_put(&other, "g", "xy", 2);
    T_EQ(symlink("..", t_dir_at(&d, "a/up")), 0);
    T_EQ(symlink(other.path, t_dir_at(&d, "link")), 0);
    T_EQ(symlink(other.path, t_dir_at(&d, "link2")), 0);
    T_EQ(symlink("a/f", t_dir_at(&d, "to-file")), 0);
    T_EQ(symlink("nowhere", t_dir_at(&d, "dangling")), 0);
    T_EQ(mkfifo(t_dir_at(&d, "pipe"), 0600), 0);
    record r = { 0 };
    T_OK(walk(&d, false, &r, &err));
    T_STR(vd_str_text(&r.text),
          "a/f 1\n!folder_seen a/up\n!unreadable_file dangling\nlink/g 2\n!folder_seen link2\n"
          "!special_file pipe\nto-file 1\n");
    vd_str_reset(&r.text);
    t_dir_free(&d);
    t_dir_free(&other);
}

T(walk_reports_unreadable_folders_and_goes_on) {
    vd_err err = { 0 };
    if (geteuid() == 0) T_SKIP("root reads everything");
    t_dir d = t_dir_new();
    t_dir_put(&d, "a/f", "x", 1);
    t_dir_put(&d, "b", "x", 1);
    chmod(t_dir_at(&d, "a"), 0);
    record r = { 0 };
    T_OK(walk(&d, false, &r, &err));
    T_STR(vd_str_text(&r.text), "!unreadable_folder a\nb 1\n");
    vd_str_reset(&r.text);
    chmod(t_dir_at(&d, "a"), 0700);
    t_dir_free(&d);
}

T(walk_of_a_missing_path_is_not_found) {
    vd_err err = { 0 };
    record r = { 0 };
    t_dir d = { "/nonexistent/folder" };
    T_EQ(walk(&d, false, &r, &err), VD_E_NOTFOUND);
    T_TRUE(strstr(err.msg, "No such file") != NULL);
}

T(walk_gives_overlapping_paths_once) {
    vd_err err = { 0 };
    t_dir d = tree();
    record r = { .skip = strlen(d.path) + 1 };
    vd_walk_opt o = { false, on_file, NULL, &r };
    vd_walk *w = NULL;
    T_OK(vd_walk_new(&w, &o, &err));
    T_OK(vd_walk_path(w, t_dir_at(&d, "a"), &err));
    T_OK(vd_walk_path(w, t_dir_at(&d, "b.jpg"), &err));
    T_OK(vd_walk_path(w, t_dir_at(&d, "a/deep"), &err));
    T_STR(vd_str_text(&r.text), "a/10 2\na/2 1\na/deep/er/z 0\nb.jpg 5\n");
    vd_walk_free(w);
    vd_str_reset(&r.text);
    t_dir_free(&d);
}

T(walk_reads_lists_of_lines_and_of_nul) {
    vd_err err = { 0 };
    t_dir d = tree();
    for (int nul = 0; nul < 2; nul++) {
        char in[2048];
        size_t n = (size_t)snprintf(in, sizeof in, "%s%c%c%s%c%s/none%c%s", t_dir_at(&d, "a/2"),
                                    nul ? 0 : '\r', nul ? 0 : '\n', t_dir_at(&d, "b.jpg"),
                                    nul ? 0 : '\n', d.path, nul ? 0 : '\n', t_dir_at(&d, "a"));
        FILE *f = fmemopen(in, n, "r");
        record r = { .skip = strlen(d.path) + 1 };
        vd_walk_opt o = { false, on_file, on_note, &r };
        vd_walk *w = NULL;
        T_OK(vd_walk_new(&w, &o, &err));
        T_OK(vd_walk_list(w, f, nul ? '\0' : '\n', &err));
        T_STR(vd_str_text(&r.text),
              "a/2 1\nb.jpg 5\n!unreadable_file none\na/10 2\na/2 1\na/deep/er/z 0\n");
        vd_walk_free(w);
        fclose(f);
        vd_str_reset(&r.text);
    }
    t_dir_free(&d);
}

T(walk_survives_every_refused_allocation) {
    t_dir d = tree();
    int64_t before = vd_mem_live();
    for (int n = 0;; n++) {
        vd_err err = { 0 };
        record r = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = walk(&d, false, &r, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&r.text);
        T_EQ(vd_mem_live(), before);
        if (!hit) break;
    }
    t_dir_free(&d);
}

T(walk_of_many_files_is_fast) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    char name[64];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "%03d/%05d.jpg", i % 50, i);
        t_dir_put(&d, name, "x", 1);
    }
    record r = { 0 };
    T_OK(walk(&d, false, &r, &err)); /* warms the cache */
    vd_str_reset(&r.text);
    r.n_files = 0;
    double t0 = vd_time_mono_s();
    T_OK(walk(&d, false, &r, &err));
    double s = vd_time_mono_s() - t0;
    T_EQ(r.n_files, 5000);
    fprintf(stderr, "walk: %.0f files/s\n", 5000 / s);
    T_LT(s, 20); /* the aim is 0.05 s; loose, for the machine may be busy */
    vd_str_reset(&r.text);
    t_dir_free(&d);
}
