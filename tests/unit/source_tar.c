/* The tar index, against archives written here byte by byte and by the system's tar.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"
#include "unit/tmpdir.h"

#include <dirent.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "fuzz/fuzz_tar.c"
#include "source/kind.h"

typedef struct record {
    vd_str text;
    int64_t n;
} record;

static vd_status put_entry(void *user, const vd_tar_entry *e, vd_err *err) {
    record *r = user;
    r->n++;
    if (r->n <= 200)
        vd_str_addf(&r->text, "%s %lld %lld %lld\n", e->name, (long long)e->offset,
                    (long long)e->size, (long long)e->mtime_ns);
    return vd_str_check(&r->text, err);
}

static vd_status put_note(void *user, const vd_note *n, vd_err *err) {
    record *r = user;
    vd_str_addf(&r->text, "!%s %s %lld\n", n->code, n->path, (long long)n->offset);
    return vd_str_check(&r->text, err);
}

static void fix_checksum(uint8_t *h) {
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    h[155] = ' ';
}

/* A ustar header and its data, padded. */
static uint8_t *add(vd_str *tar, const char *name, char type, const void *data, int64_t size,
                    int64_t mtime) {
    static const uint8_t zero[512];
    int64_t at = tar->size;
    vd_str_addn(tar, (const char *)zero, 512);
    uint8_t *h = (uint8_t *)tar->data + at;
    strncpy((char *)h, name, 100);
    snprintf((char *)h + 100, 8, "%07o", 0644);
    snprintf((char *)h + 124, 12, "%011llo", (long long)size);
    snprintf((char *)h + 136, 12, "%011llo", (long long)mtime);
    h[156] = (uint8_t)type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    fix_checksum(h);
    if (data != NULL) {
        vd_str_addn(tar, data, size);
        vd_str_addn(tar, (const char *)zero, (512 - size % 512) % 512);
    }
    return (uint8_t *)tar->data + at;
}

static void add_end(vd_str *tar) {
    static const uint8_t zero[1024];
    vd_str_addn(tar, (const char *)zero, 1024);
}

static vd_status index_bytes(const vd_str *tar, record *r, vd_err *err) {
    int fd = memfd_create("t", MFD_CLOEXEC);
    if (fd < 0 || write(fd, tar->data, (size_t)tar->size) != tar->size) abort();
    vd_tar_opt o = VD_TAR_OPT;
    o.on_entry = put_entry;
    o.on_note = put_note;
    o.user = r;
    vd_status st = vd_tar_index(fd, "t.tar", &o, err);
    close(fd);
    return st;
}

/* Indexes, compares, frees. */
static void expect(t_case *t, vd_str *tar, const char *text) {
    vd_err err = { 0 };
    record r = { 0 };
    T_OK(index_bytes(tar, &r, &err));
    T_STR(vd_str_text(&r.text), text);
    vd_str_reset(&r.text);
    vd_str_reset(tar);
}

T(tar_ustar_members_lie_where_it_says) {
    vd_str a = { 0 };
    add(&a, "dir/", '5', NULL, 0, 1);
    add(&a, "dir/one.jpg", '0', "hello", 5, 1000);
    add(&a, "empty", '0', "", 0, 2);
    add(&a, "link", '2', NULL, 0, 3);
    add(&a, "hard", '1', NULL, 5, 3); /* some writers store the size although no data follows */
    uint8_t *h = add(&a, "leaf", '\0', "0123456789", 10, 4);
    memcpy(h + 345, "pre/fix", 7);
    fix_checksum(h);
    add(&a, "/dev/null", '3', NULL, 0, 5);
    add_end(&a);
    T_TRUE(memcmp(a.data + 1024, "hello", 5) == 0);
    expect(t, &a,
           "dir/one.jpg 1024 5 1000000000000\nempty 2048 0 2000000000\n"
           "pre/fix/leaf 3584 10 4000000000\n!tar_member /dev/null 4096\n");
}

T(tar_gnu_long_names_and_base256) {
    vd_str a = { 0 };
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    add(&a, "././@LongLink", 'L', name, 301, 0);
    uint8_t *h = add(&a, "nnn", '0', "abc", 3, 0);
    memset(h + 124, 0, 12);
    h[124] = 0x80;
    h[135] = 3;
    fix_checksum(h);
    add(&a, "././@LongLink", 'K', name, 301, 0);
    add(&a, "short", '2', NULL, 0, 0);
    add(&a, "last", '0', "x", 1, 0);
    add_end(&a);
    char want[512];
    snprintf(want, sizeof want, "%s 1536 3 0\nlast 4096 1 0\n", name);
    expect(t, &a, want);
}

T(tar_pax_path_size_and_mtime) {
    vd_str a = { 0 };
    add(&a, "g", 'g', "17 comment=hello\n", 17, 0);
    const char *x = "19 path=\xc3\xa4/b c.png\n"
                    "28 mtime=1700000000.1234567\n"
                    "9 size=7\n";
    add(&a, "x", 'x', x, (int64_t)strlen(x), 0);
    T_EQ(strlen(x), 19 + 28 + 9 - 0);
    uint8_t *h = add(&a, "cut", '0', "1234567", 7, 0);
    memset(h + 124, '0', 11); /* the size is in the record alone */
    fix_checksum(h);
    add(&a, "next", '0', "x", 1, 9);
    add_end(&a);
    expect(t, &a, "\xc3\xa4/b c.png 2560 7 1700000000123456700\nnext 3584 1 9000000000\n");
}

T(tar_sparse_members_are_left_out) {
    vd_str a = { 0 };
    uint8_t *h = add(&a, "old-sparse", 'S', NULL, 512, 0);
    h[482] = 1; /* one further map block */
    fix_checksum(h);
    char block[512] = { 0 };
    vd_str_addn(&a, block, 512);
    vd_str_addn(&a, block, 512);
    const char *x = "22 GNU.sparse.major=1\n";
    add(&a, "x", 'x', x, 22, 0);
    add(&a, "GNUSparseFile.0/s", '0', "x", 1, 0);
    add(&a, "plain", '0', "x", 1, 0);
    add_end(&a);
    expect(t, &a, "!tar_sparse old-sparse 0\n!tar_sparse GNUSparseFile.0/s 2560\nplain 4096 1 0\n");
}

T(tar_truncated_keeps_what_is_whole) {
    vd_str a = { 0 };
    add(&a, "a", '0', "hello", 5, 0);
    add(&a, "b", '0', "hello", 5, 0);
    vd_str cut = { 0 };
    vd_str_addn(&cut, a.data, 512 + 512 + 512 + 3);
    expect(t, &cut, "a 512 5 0\n!tar_truncated b 1024\n");
    vd_str_addn(&cut, a.data, 1024 + 100);
    expect(t, &cut, "a 512 5 0\n!tar_truncated  1024\n");
    vd_str_addn(&cut, a.data, 1024 + 512 + 5); /* without its padding: the data is whole */
    expect(t, &cut, "a 512 5 0\nb 1536 5 0\n!tar_truncated  2048\n");
    expect(t, &a, "a 512 5 0\nb 1536 5 0\n"); /* without the end mark */
}

T(tar_damage_ends_the_index_with_its_offset) {
    vd_str a = { 0 };
    add(&a, "a", '0', "hello", 5, 0);
    uint8_t *h = add(&a, "b", '0', "hello", 5, 0);
    h[3] = 'X';
    expect(t, &a, "a 512 5 0\n!tar_corrupt b 1024\n");
    add(&a, "a", '0', "hello", 5, 0);
    add(&a, "x", 'x', "99 path=zzz\n", 12, 0);
    add(&a, "b", '0', "hello", 5, 0);
    expect(t, &a, "a 512 5 0\n!tar_corrupt a 1024\n");
    add(&a, "a", '0', "hello", 5, 0);
    h = add(&a, "big", '0', "hello", 5, 0);
    memset(h + 124, 0xff, 12);
    h[124] = 0x80 | 0x3f;
    fix_checksum(h);
    expect(t, &a, "a 512 5 0\n!tar_corrupt big 1024\n");
}

T(tar_that_is_none_is_a_format_error) {
    vd_err err = { 0 };
    record r = { 0 };
    vd_str a = { 0 };
    for (int i = 0; i < 600; i++) vd_str_addc(&a, 'x');
    T_EQ(index_bytes(&a, &r, &err), VD_E_FORMAT);
    vd_str_reset(&a);
}

T(tar_survives_every_refused_allocation) {
    vd_str a = { 0 };
    char name[301];
    memset(name, 'n', 300);
    name[300] = '\0';
    for (int i = 0; i < 20; i++) {
        add(&a, "././@LongLink", 'L', name, 301, 0);
        add(&a, "n", '0', "abc", 3, 0);
    }
    add_end(&a);
    int64_t before = vd_mem_live();
    for (int n = 0;; n++) {
        vd_err err = { 0 };
        record r = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = index_bytes(&a, &r, &err);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&r.text);
        T_EQ(vd_mem_live(), before);
        if (!hit) break;
    }
    vd_str_reset(&a);
}

T(tar_of_35000_members_is_fast) {
    vd_err err = { 0 };
    vd_str a = { 0 };
    char data[1200], name[32];
    memset(data, 7, sizeof data);
    for (int i = 0; i < 35000; i++) {
        snprintf(name, sizeof name, "%05d.jpg", i);
        add(&a, name, '0', data, 700 + i % 500, i);
    }
    add_end(&a);
    record r = { 0 };
    double t0 = vd_time_mono_s(); /* counts the copy into the memory file as well */
    T_OK(index_bytes(&a, &r, &err));
    double s = vd_time_mono_s() - t0;
    T_EQ(r.n, 35000);
    fprintf(stderr, "tar: 35 000 members in %.3f s, %.0f MB, with writing them\n", s,
            (double)a.size / 1e6);
    T_LT(s, 20); /* the aim is 0.2 s; loose, for the machine may be busy: this is against quadratic
                    work */
    vd_str_reset(&a);
    vd_str_reset(&r.text);
}

static int run(const char *fmt, const char *a, const char *b) {
    char cmd[2048];
    snprintf(cmd, sizeof cmd, fmt, a, b);
    return system(cmd);
}

T(tar_reads_what_the_system_tar_writes) {
    if (system("tar --version >/dev/null 2>&1") != 0) T_SKIP("no tar here");
    static const char *const formats[] = { "v7", "ustar", "gnu", "pax" };
    for (int f = 0; f < VD_COUNT(formats); f++) {
        vd_err err = { 0 };
        t_dir d = t_dir_new();
        bool deep = f >= 2;
        char name[400];
        int len = snprintf(name, sizeof name, "in/%0*d", deep ? 150 : 20, 1);
        T_TRUE(len > 0);
        t_dir_put(&d, name, "one", 3);
        t_dir_put(&d, "in/two", "twotwo", 6);
        char args[64];
        snprintf(args, sizeof args, "--format=%s --sort=name", formats[f]);
        char cmd[400];
        snprintf(cmd, sizeof cmd, "tar %s -C '%%s' -cf '%%s' in", args);
        T_EQ(run(cmd, d.path, t_dir_at(&d, "t.tar")), 0);
        int fd = open(t_dir_at(&d, "t.tar"), O_RDONLY);
        vd_source_kind kind;
        T_OK(vd_source_kind_of(&kind, fd, "t.tar", &err));
        T_EQ(kind, VD_SOURCE_TAR);
        record r = { 0 };
        vd_tar_opt o = VD_TAR_OPT;
        o.on_entry = put_entry;
        o.on_note = put_note;
        o.user = &r;
        T_OK(vd_tar_index(fd, "t.tar", &o, &err));
        T_EQ(r.n, 2);
        T_TRUE(strncmp(vd_str_text(&r.text), name, (size_t)len) == 0);
        long long at = -1, size = -1;
        const char *two = strstr(vd_str_text(&r.text), "in/two ");
        T_NEED(two != NULL);
        T_EQ(sscanf(two, "in/two %lld %lld", &at, &size), 2);
        char got[7] = { 0 };
        T_EQ(pread(fd, got, 6, at), 6);
        T_STR(got, "twotwo");
        T_EQ(size, 6);
        close(fd);
        vd_str_reset(&r.text);
        t_dir_free(&d);
    }
}

T(tar_fuzz_corpus_replays) {
    const char *root = getenv("VIDIMUS_TEST_CORPUS");
    char dir[512];
    snprintf(dir, sizeof dir, "%s/tar", root != NULL ? root : "../tests/fuzz/corpus");
    DIR *d = opendir(dir);
    if (d == NULL) T_SKIP("no corpus at %s", dir);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        char path[1024], *data = NULL;
        size_t size = 0;
        vd_err err = { 0 };
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        T_OK(vd_file_read(&data, &size, path, 1 << 20, &err));
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        vd_mem_free(data);
        n++;
    }
    closedir(d);
    T_TRUE(n >= 5);
}
