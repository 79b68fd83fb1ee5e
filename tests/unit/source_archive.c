/* Zip and compressed tar, against archives written here by libarchive's writer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "unit/tmpdir.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/mem.h"
#include "base/str.h"
#include "source/archive.h"
#include "source/kind.h"

#define N 20

static size_t member_size(int i) {
    return (size_t)(i * 997 % 40000);
}
static uint8_t member_byte(int i, size_t k) {
    return (uint8_t)(vd_mix64((uint64_t)i << 32 | k) >> (k % 3 * 8));
}

typedef struct format {
    const char *name;
    int (*filter)(struct archive *);
    bool zip;
} format;

static const format formats[] = {
    { "a.zip", archive_write_add_filter_none, true },
    { "a.tgz", archive_write_add_filter_gzip, false },
    { "a.tar.bz2", archive_write_add_filter_bzip2, false },
    { "a.tar.xz", archive_write_add_filter_xz, false },
    { "a.tar.zst", archive_write_add_filter_zstd, false },
};

static void write_member(struct archive *a, const char *name, const void *data, size_t n) {
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)n);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_mtime(e, 1700000000, 0);
    archive_write_header(a, e);
    archive_write_data(a, data, n);
    archive_entry_free(e);
}

static struct archive *begin(const char *path, const format *f) {
    struct archive *a = archive_write_new();
    f->filter(a);
    if (f->zip)
        archive_write_set_format_zip(a);
    else
        archive_write_set_format_pax_restricted(a);
    if (archive_write_open_filename(a, path) != ARCHIVE_OK) abort();
    return a;
}

static void finish(struct archive *a) {
    archive_write_close(a);
    archive_write_free(a);
}

static void write_many(const char *path, const format *f) {
    struct archive *a = begin(path, f);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, "folder/");
    archive_entry_set_filetype(e, AE_IFDIR);
    archive_entry_set_perm(e, 0755);
    archive_write_header(a, e);
    archive_entry_free(e);
    for (int i = 0; i < N; i++) {
        uint8_t data[40000];
        char name[64];
        for (size_t k = 0; k < member_size(i); k++) data[k] = member_byte(i, k);
        snprintf(name, sizeof name, "folder/%d.bin", i);
        write_member(a, name, data, member_size(i));
    }
    finish(a);
}

static void check_member(t_case *t, vd_archive *a, const vd_archive_entry *e, int i) {
    vd_err err = { 0 };
    char name[64];
    snprintf(name, sizeof name, "folder/%d.bin", i);
    T_STR(e->name, name);
    T_EQ(e->number, i);
    T_EQ(e->size, member_size(i));
    T_EQ(e->mtime_ns, 1700000000ll * 1000000000);
    T_TRUE(!e->encrypted);
    uint8_t data[40000];
    int64_t got;
    T_OK(vd_archive_read(a, data, (int64_t)member_size(i), &got, &err));
    T_EQ(got, member_size(i));
    int bad = 0;
    for (size_t k = 0; k < member_size(i); k++) bad += data[k] != member_byte(i, k);
    T_EQ(bad, 0);
}

T(archive_lists_and_extracts_every_format) {
    t_dir d = t_dir_new();
    for (int f = 0; f < VD_COUNT(formats); f++) {
        vd_err err = { 0 };
        const char *path = t_dir_at(&d, formats[f].name);
        write_many(path, &formats[f]);
        int fd = open(path, O_RDONLY);
        vd_source_kind kind;
        T_OK(vd_source_kind_of(&kind, fd, path, &err));
        T_EQ(kind, VD_SOURCE_ARCHIVE);
        vd_archive *a = NULL;
        vd_archive_entry e;
        bool found;
        T_OK(vd_archive_new(&a, fd, path, NULL, &err));
        for (int i = 0; i < N; i++) {
            T_OK(vd_archive_next(a, &e, &found, &err));
            T_NEED(found);
            check_member(t, a, &e, i);
        }
        T_OK(vd_archive_next(a, &e, &found, &err));
        T_TRUE(!found);
        vd_archive_free(a);

        T_OK(vd_archive_new(&a, fd, path, NULL, &err)); /* by number, in steps */
        static const int picks[] = { 0, 3, 4, 11, N - 1 };
        for (int i = 0; i < VD_COUNT(picks); i++) {
            T_OK(vd_archive_seek(a, picks[i], &e, &err));
            check_member(t, a, &e, picks[i]);
        }
        T_EQ(vd_archive_seek(a, 2, &e, NULL), VD_E_ARG);
        T_EQ(vd_archive_seek(a, N, &e, NULL), VD_E_NOTFOUND);
        vd_archive_free(a);
        close(fd);
    }
    t_dir_free(&d);
}

T(archive_kinds_go_by_content) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    const format gz_text = { "t.gz", archive_write_add_filter_gzip, false };
    struct archive *a = archive_write_new(); /* a compressed file that is no tar */
    archive_write_add_filter_gzip(a);
    archive_write_set_format_raw(a);
    archive_write_open_filename(a, t_dir_at(&d, gz_text.name));
    write_member(a, "x", "just a text, compressed\n", 24);
    finish(a);
    a = begin(t_dir_at(&d, "d.docx"), &formats[0]);
    write_member(a, "[Content_Types].xml", "<x/>", 4);
    finish(a);
    a = begin(t_dir_at(&d, "arrays.npz"), &formats[0]);
    write_member(a, "a.npy", "x", 1);
    finish(a);
    t_dir_put(&d, "p.jpg", "\xff\xd8\xff\xe0 not a container, only 40 bytes of..", 40);
    t_dir_put(&d, "empty", "", 0);
    write_many(t_dir_at(&d, "no-extension"), &formats[0]);
    const struct {
        const char *file, *called;
        vd_source_kind kind;
    } c[] = {
        { "t.gz", "t.tar.gz", VD_SOURCE_PLAIN },
        { "d.docx", "d.docx", VD_SOURCE_PLAIN },
        { "d.docx", "d.zip", VD_SOURCE_PLAIN },
        { "arrays.npz", "arrays.npz", VD_SOURCE_PLAIN },
        { "p.jpg", "p.tar", VD_SOURCE_PLAIN },
        { "empty", "empty", VD_SOURCE_PLAIN },
        { "arrays.npz", "a.ZIP", VD_SOURCE_ARCHIVE },
        { "no-extension", "no-extension", VD_SOURCE_ARCHIVE },
    };
    for (int i = 0; i < VD_COUNT(c); i++) {
        int fd = open(t_dir_at(&d, c[i].file), O_RDONLY);
        vd_source_kind kind = VD_SOURCE_TAR;
        T_OK(vd_source_kind_of(&kind, fd, c[i].called, &err));
        if (kind != c[i].kind) T_FAIL("%s as %s is %d", c[i].file, c[i].called, (int)kind);
        close(fd);
    }
    t_dir_free(&d);
}

T(archive_bombs_and_large_members_are_refused) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    static uint8_t zero[4 << 20];
    for (int f = 0; f < 2; f++) {
        const char *path = t_dir_at(&d, formats[f].name);
        struct archive *w = begin(path, &formats[f]);
        write_member(w, "small", "x", 1);
        write_member(w, "zeros", zero, sizeof zero);
        finish(w);
        int fd = open(path, O_RDONLY);
        vd_archive_opt o = VD_ARCHIVE_OPT;
        vd_archive *a = NULL;
        vd_archive_entry e;
        bool found;
        o.max_ratio = 100;
        o.free_bytes = 1 << 20;
        T_OK(vd_archive_new(&a, fd, path, &o, &err));
        T_OK(vd_archive_next(a, &e, &found, &err));
        T_EQ(vd_archive_next(a, &e, &found, NULL), VD_E_LIMIT);
        vd_archive_free(a);

        vd_archive_opt m = VD_ARCHIVE_OPT;
        m.max_member_bytes = 1000;
        uint8_t buf[2000];
        int64_t got;
        T_OK(vd_archive_new(&a, fd, path, &m, &err));
        T_OK(vd_archive_seek(a, 1, &e, &err));
        T_EQ(vd_archive_read(a, buf, 2000, &got, NULL), VD_E_LIMIT);
        T_OK(vd_archive_next(a, &e, &found, &err));
        T_TRUE(!found);
        vd_archive_free(a);
        close(fd);
    }
    t_dir_free(&d);
}

T(archive_encrypted_members_are_their_own_error) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    const char *path = t_dir_at(&d, "e.zip");
    struct archive *w = archive_write_new();
    archive_write_set_format_zip(w);
    bool can = archive_write_set_options(w, "zip:encryption=traditional") == ARCHIVE_OK;
    archive_write_set_passphrase(w, "secret");
    archive_write_open_filename(w, path);
    write_member(w, "locked", "hello", 5);
    finish(w);
    if (!can) T_SKIP("libarchive without encryption");
    int fd = open(path, O_RDONLY);
    vd_archive *a = NULL;
    vd_archive_entry e;
    uint8_t buf[10];
    int64_t got;
    T_OK(vd_archive_new(&a, fd, path, NULL, &err));
    T_OK(vd_archive_seek(a, 0, &e, &err));
    T_TRUE(e.encrypted);
    T_EQ(vd_archive_read(a, buf, 10, &got, NULL), VD_E_UNSUPPORTED);
    vd_archive_free(a);
    close(fd);
    t_dir_free(&d);
}

T(archive_truncated_gives_what_came_before) {
    vd_err err = { 0 };
    t_dir d = t_dir_new();
    const char *path = t_dir_at(&d, formats[1].name);
    write_many(path, &formats[1]);
    struct stat s;
    stat(path, &s);
    T_EQ(truncate(path, s.st_size / 2), 0);
    int fd = open(path, O_RDONLY);
    vd_archive *a = NULL;
    vd_archive_entry e;
    T_OK(vd_archive_new(&a, fd, path, NULL, &err));
    bool found = true;
    int n = 0;
    vd_status st = VD_OK;
    while (found && (st = vd_archive_next(a, &e, &found, &err)) == VD_OK) n++;
    T_EQ(st, VD_E_FORMAT);
    T_TRUE(n > 3 && n < N);
    vd_archive_free(a);
    close(fd);
    t_dir_free(&d);
}

T(archive_survives_every_refused_allocation) {
    t_dir d = t_dir_new();
    const char *path = t_dir_at(&d, "a.zip");
    write_many(path, &formats[0]);
    int fd = open(path, O_RDONLY);
    int64_t before = vd_mem_live();
    for (int n = 0;; n++) {
        vd_archive *a = NULL;
        vd_archive_entry e;
        vd_str text = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_archive_new(&a, fd, path, NULL, NULL);
        if (st == VD_OK) st = vd_archive_seek(a, 5, &e, NULL);
        if (st == VD_OK) st = vd_archive_read_str(a, &text, NULL);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (st == VD_OK) T_EQ(text.size, member_size(5));
        vd_archive_free(a);
        vd_str_reset(&text);
        T_EQ(vd_mem_live(), before);
        if (!hit) break;
    }
    close(fd);
    t_dir_free(&d);
}
