/* Stage add: brings catalog and sources together. Walks the given paths, indexes archives, and
 * leaves one asset row a file and archive member. Content is not read here: hashing shares the one
 * read of the asset pass. The exception is a known file whose size or time changed: it is hashed at
 * once, and only if its bytes really differ are its facts forgotten.
 *
 * Identity: a file is found by its URI; size, mtime and inode say whether it can be the same as
 * before. A file that moved is a new URI and a vanished one at first; adopt.c brings them together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "source/archive.h"
#include "source/kind.h"
#include "source/tar.h"
#include "source/walk.h"

enum { FLUSH_EVERY = 5000, HASH_CHUNK = 1 << 18 };

enum { Q_FIND, Q_INSERT, Q_UPDATE, Q_RETURN, Q_SEEN_MEMBERS, Q_NOTE, Q_UNNOTE, Q_COUNT };

static const char *const sql[Q_COUNT] = {
    [Q_FIND] = "SELECT id, size, mtime_ns, inode, device, content_hash, state, kind, byte_offset"
               " FROM asset WHERE uri = ?1 AND parent_id IS NULL",
    [Q_INSERT] = "INSERT INTO asset(id, uri, kind, container_id, size, mtime_ns, inode, device,"
                 " byte_offset, member_index, added_run)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [Q_UPDATE] =
        "UPDATE asset SET size = ?2, mtime_ns = ?3, inode = ?4, device = ?5, byte_offset = ?6,"
        " member_index = ?7, content_hash = ?8, state = 'present', vanished_run = NULL WHERE id = ?1",
    [Q_RETURN] =
        "UPDATE asset SET state = 'present', vanished_run = NULL WHERE id = ?1 OR parent_id = ?1",
    [Q_SEEN_MEMBERS] = "SELECT id FROM asset WHERE container_id = ?1",
    [Q_UNNOTE] = "DELETE FROM note WHERE path = ?1",
    [Q_NOTE] = "INSERT OR REPLACE INTO note(path, reason) VALUES(?1, ?2)",
};

typedef struct adder {
    vd_run *run;
    vd_db *db;
    vd_writer *forget; /* for facts of changed files */
    vd_stmt *q[Q_COUNT];
    uint8_t *seen; /* bit per id */
    int64_t seen_bytes, next_id, n_files;
    double started, told;
    bool touched;  /* something changed: the problems must be derived again */
    vd_str unread; /* NUL-terminated paths that are there and cannot be read: below them nothing
                      vanishes */
    vd_str uri;
} adder;

static vd_status touch(adder *a, vd_err *err) {
    if (a->touched) return VD_OK;
    a->touched = true;
    return vd_problems_touch(a->run, err);
}

static vd_status mark_seen(adder *a, int64_t id, vd_err *err) {
    int64_t before = a->seen_bytes;
    VD_TRY(VD_GROW(a->seen, a->seen_bytes, id / 8 + 1, err));
    memset(a->seen + before, 0, (size_t)(a->seen_bytes - before));
    a->seen[id / 8] |= (uint8_t)(1 << (id % 8));
    return VD_OK;
}

static bool was_seen(const adder *a, int64_t id) {
    return id / 8 < a->seen_bytes && (a->seen[id / 8] >> (id % 8) & 1);
}

static vd_status count_file(adder *a, vd_err *err) {
    a->n_files++;
    double now = vd_time_mono_s();
    if (now - a->told > 0.2) {
        a->told = now;
        vd_run_progress(a->run, "add", a->n_files, 0, a->started, false);
        VD_TRY(vd_run_check_cancel(a->run, err));
    }
    if (a->n_files % FLUSH_EVERY != 0) return VD_OK;
    VD_TRY(vd_db_commit(a->db, err));
    return vd_db_begin(a->db, err);
}

static vd_status add_note(adder *a, const char *path, const char *reason, vd_err *err) {
    const vd_value v[] = { vd_val_text(path), vd_val_text(reason) };
    return vd_stmt_run(a->q[Q_NOTE], v, 2, err);
}

/* What lies below such a path keeps its state: it was not looked for. */
static vd_status cannot_read(adder *a, const char *path, vd_err *err) {
    vd_str_addn(&a->unread, path, (int64_t)strlen(path) + 1);
    return vd_str_check(&a->unread, err);
}

static bool was_unread(const adder *a, const char *uri) {
    for (int64_t at = 0; at < a->unread.size;) {
        const char *path = a->unread.data + at;
        size_t n = strlen(path);
        if (strncmp(uri, path, n) == 0 && strchr("/!", uri[n]) != NULL)
            return true; /* the path itself, too */
        at += (int64_t)n + 1;
    }
    return false;
}

static vd_status on_note(void *user, const vd_note *n, vd_err *err) {
    adder *a = user;
    if (strcmp(n->code, "folder_seen") == 0 || strcmp(n->code, "dataset") == 0) return VD_OK;
    bool gone = n->errnum == ENOENT || n->errnum == ENOTDIR;
    if (strncmp(n->code, "unreadable", 10) == 0 && !gone) VD_TRY(cannot_read(a, n->path, err));
    vd_str s = { 0 };
    vd_str_addf(&s, "%s: %s", n->code, n->detail);
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK)
        st = add_note(a, n->path[0] != '\0' ? n->path : vd_str_text(&a->uri), s.data, err);
    vd_str_reset(&s);
    return st;
}

typedef struct found {
    const char *uri;
    int64_t container_id, size, mtime_ns, inode, device, byte_offset, member_index; /* -1: none */
} found;

static vd_value or_null(int64_t v) {
    return v < 0 ? vd_val_null() : vd_val_int(v);
}

static vd_status insert(adder *a, const found *f, const char *kind, int64_t *id, vd_err *err) {
    *id = a->next_id;
    const vd_value v[] = { vd_val_int(*id),           vd_val_text(f->uri),
                           vd_val_text(kind),         or_null(f->container_id),
                           vd_val_int(f->size),       vd_val_int(f->mtime_ns),
                           or_null(f->inode),         or_null(f->device),
                           or_null(f->byte_offset),   or_null(f->member_index),
                           vd_val_int(a->run->run_id) };
    VD_TRY(vd_stmt_run(a->q[Q_INSERT], v, VD_COUNT(v), err));
    a->next_id++;
    return mark_seen(a, *id, err);
}

/* The hash of a range of a file, "" where it cannot be read. */
static vd_status hash_range(const char *path, int64_t offset, int64_t size, char hex[33],
                            vd_err *err) {
    hex[0] = '\0';
    vd_status st = VD_OK;
    vd_hasher *h = NULL;
    uint8_t *buf = vd_mem_alloc(HASH_CHUNK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (buf == NULL) VD_GO(vd_nomem(err));
    if (fd < 0) goto done;
    VD_GO(vd_hasher_new(&h, err));
    for (int64_t at = 0; at < size;) {
        size_t got = 0, want = (size_t)VD_MIN(HASH_CHUNK, size - at);
        if (vd_file_pread(fd, buf, want, offset + at, &got, path, NULL) != VD_OK || got == 0)
            goto done;
        vd_hasher_add(h, buf, got);
        at += (int64_t)got;
    }
    vd_hash_hex(hex, vd_hasher_get(h));
done:
    if (fd >= 0) close(fd);
    vd_hasher_free(h);
    vd_mem_free(buf);
    return st;
}

/* A known URI whose size, time or place changed: is it the same content? */
static vd_status update_known(adder *a, const found *f, int64_t id, const char *old_hash,
                              vd_err *err) {
    char hex[33] = "";
    if (old_hash[0] != '\0' && f->container_id < 0)
        VD_TRY(hash_range(f->uri, 0, f->size, hex, err));
    bool same = hex[0] != '\0' && strcmp(hex, old_hash) == 0;
    if (!same) VD_TRY(vd_writer_forget(a->forget, id, err));
    const vd_value v[] = { vd_val_int(id),           vd_val_int(f->size),
                           vd_val_int(f->mtime_ns),  or_null(f->inode),
                           or_null(f->device),       or_null(f->byte_offset),
                           or_null(f->member_index), vd_val_text(same ? hex : NULL) };
    return vd_stmt_run(a->q[Q_UPDATE], v, VD_COUNT(v), err);
}

static vd_status see_members(adder *a, int64_t archive_id, vd_err *err) {
    vd_stmt *q = a->q[Q_SEEN_MEMBERS];
    bool row = true;
    vd_status st = VD_OK;
    vd_stmt_bind(q, 1, vd_val_int(archive_id));
    while (st == VD_OK && row) {
        st = vd_stmt_step(q, &row, err);
        if (st == VD_OK && row) st = mark_seen(a, vd_stmt_int(q, 0), err);
    }
    vd_stmt_reset(q);
    return st;
}

/* Inserts or updates one file or member; `*fresh` tells whether its bytes are new to the catalog.
 */
static vd_status add_found(adder *a, const found *f, const char *kind, int64_t *id, bool *fresh,
                           bool *archive, vd_err *err) {
    vd_status st = VD_OK;
    vd_str hash = { 0 };
    bool row = false, same = false, vanished = false;
    vd_stmt *q = a->q[Q_FIND];
    *archive = false;
    vd_stmt_bind(q, 1, vd_val_text(f->uri));
    VD_GO(vd_stmt_step(q, &row, err));
    if (row) {
        *id = vd_stmt_int(q, 0);
        same = vd_stmt_int(q, 1) == f->size && vd_stmt_int(q, 2) == f->mtime_ns &&
               (f->inode < 0 || vd_stmt_int(q, 3) == f->inode) &&
               (f->byte_offset < 0 || vd_stmt_int(q, 8) == f->byte_offset);
        vanished = strcmp(vd_stmt_text(q, 6), "present") != 0;
        *archive = strcmp(vd_stmt_text(q, 7), "archive") == 0;
        vd_str_add(&hash, vd_stmt_text(q, 5));
        VD_GO(vd_str_check(&hash, err));
    }
    vd_stmt_reset(q);
    *fresh = !row || !same;
    if (*fresh || vanished) VD_GO(touch(a, err));
    if (row) {
        VD_GO(mark_seen(a, *id, err));
        const vd_value back[] = { vd_val_int(*id) };
        if (!same)
            VD_GO(update_known(a, f, *id, vd_str_text(&hash), err));
        else if (vanished)
            VD_GO(vd_stmt_run(a->q[Q_RETURN], back, 1, err));
        goto done;
    }
    VD_GO(insert(a, f, kind, id, err));
done:
    vd_stmt_reset(q);
    vd_str_reset(&hash);
    if (st == VD_OK) st = count_file(a, err);
    return st;
}

typedef struct member_ctx {
    adder *a;
    const vd_walk_file *file;
    int64_t archive_id, n;
} member_ctx;

static vd_status add_member(member_ctx *m, const char *name, int64_t offset, int64_t number,
                            int64_t size, int64_t mtime_ns, vd_err *err) {
    vd_str_clear(&m->a->uri);
    vd_str_addf(&m->a->uri, "%s!%s", m->file->path, name);
    VD_TRY(vd_str_check(&m->a->uri, err));
    const found f = { m->a->uri.data, m->archive_id, size, mtime_ns, -1, -1, offset, number };
    int64_t id = 0;
    bool fresh = false, archive = false;
    return add_found(m->a, &f, "other", &id, &fresh, &archive, err);
}

static vd_status on_tar_entry(void *user, const vd_tar_entry *e, vd_err *err) {
    member_ctx *m = user;
    return add_member(m, e->name, e->offset, m->n++, e->size, e->mtime_ns, err);
}

static vd_status on_tar_note(void *user, const vd_note *n, vd_err *err) {
    member_ctx *m = user;
    vd_str s = { 0 };
    vd_str_addf(&s, "%s at byte %lld: %s %s", n->code, (long long)n->offset, n->path, n->detail);
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK) st = add_note(m->a, m->file->path, s.data, err);
    vd_str_reset(&s);
    return st;
}

static vd_status index_compressed(member_ctx *m, int fd, vd_err *err) {
    vd_archive *ar = NULL;
    bool more = true;
    vd_err why = { 0 };
    vd_status st = vd_archive_new(&ar, fd, m->file->path, NULL, &why);
    while (st == VD_OK && more) {
        vd_archive_entry e;
        st = vd_archive_next(ar, &e, &more, &why);
        if (st == VD_OK && more) {
            vd_status s2 = add_member(m, e.name, -1, e.number, e.size, e.mtime_ns, err);
            if (s2 != VD_OK) {
                vd_archive_free(ar);
                return s2;
            }
        }
    }
    vd_archive_free(ar);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    /* a damaged archive: the members listed before the damage stay */
    return st == VD_OK ? VD_OK : add_note(m->a, m->file->path, why.msg, err);
}

static vd_status index_archive(adder *a, const vd_walk_file *file, int64_t id, vd_source_kind kind,
                               vd_err *err) {
    member_ctx m = { a, file, id, 0 };
    const vd_value path[] = { vd_val_text(file->path) };
    VD_TRY(vd_stmt_run(a->q[Q_UNNOTE], path, 1, err));
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        VD_TRY(cannot_read(a, file->path, err));
        return add_note(a, file->path, "unreadable", err);
    }
    vd_status st;
    if (kind == VD_SOURCE_TAR) {
        vd_tar_opt opt = VD_TAR_OPT;
        opt.on_entry = on_tar_entry;
        opt.on_note = on_tar_note;
        opt.user = &m;
        st = vd_tar_index(fd, file->path, &opt, err);
    } else {
        st = index_compressed(&m, fd, err);
    }
    close(fd);
    return st;
}

/* Names of pictures and videos are not opened to see whether they are archives in disguise. */
static bool may_be_archive(const char *path) {
    static const char *const no[] = { "jpg",  "jpeg", "png", "webp", "tif", "tiff", "heic",
                                      "heif", "avif", "gif", "bmp",  "jp2", "jxl",  "mp4",
                                      "mov",  "mkv",  "avi", "pgm",  "ppm" };
    const char *ext = vd_path_ext(path);
    for (int i = 0; i < VD_COUNT(no); i++)
        if (strcasecmp(ext, no[i]) == 0) return false;
    return true;
}

static vd_source_kind probe(const char *path) {
    vd_source_kind kind = VD_SOURCE_PLAIN;
    if (!may_be_archive(path)) return kind;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return kind;
    if (vd_source_kind_of(&kind, fd, path, NULL) != VD_OK) kind = VD_SOURCE_PLAIN;
    close(fd);
    return kind;
}

static vd_status on_file(void *user, const vd_walk_file *file, vd_err *err) {
    adder *a = user;
    const found f = { file->path,
                      -1,
                      file->size,
                      file->mtime_ns,
                      (int64_t)(file->inode & INT64_MAX),
                      (int64_t)(file->device & INT64_MAX),
                      -1,
                      -1 };
    int64_t id = 0;
    bool fresh = false, archive = false;
    VD_TRY(add_found(a, &f, "other", &id, &fresh, &archive, err));
    if (!fresh) return archive ? see_members(a, id, err) : VD_OK;
    vd_source_kind kind = probe(file->path);
    if (kind == VD_SOURCE_PLAIN)
        return archive ? vd_writer_identity(a->forget, id, NULL, "other", err) : VD_OK;
    VD_TRY(vd_writer_identity(a->forget, id, NULL, "archive", err));
    return index_archive(a, file, id, kind, err);
}

/* Present assets below `root` that the walk did not meet. */
static vd_status mark_vanished(adder *a, const char *root, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *all = NULL, *gone = NULL;
    bool row = true;
    VD_GO(
        vd_db_prepare(&all, a->db,
                      "SELECT id, uri FROM asset WHERE state = 'present' AND parent_id IS NULL AND"
                      " (uri = ?1 OR (uri >= ?1 || '/' AND uri < ?1 || '0')"
                      " OR (uri >= ?1 || '!' AND uri < ?1 || '\"'))",
                      true, err));
    VD_GO(vd_db_prepare(&gone, a->db,
                        "UPDATE asset SET state = 'vanished', vanished_run = ?2 WHERE id = ?1"
                        " OR parent_id = ?1",
                        true, err));
    vd_stmt_bind(all, 1, vd_val_text(strcmp(root, "/") == 0 ? "" : root));
    for (;;) {
        VD_GO(vd_stmt_step(all, &row, err));
        if (!row) break;
        int64_t id = vd_stmt_int(all, 0);
        if (was_seen(a, id) || was_unread(a, vd_stmt_text(all, 1))) continue;
        VD_GO(touch(a, err));
        const vd_value v[] = { vd_val_int(id), vd_val_int(a->run->run_id) };
        VD_GO(vd_stmt_run(gone, v, 2, err));
    }
done:
    vd_stmt_free(all);
    vd_stmt_free(gone);
    return st;
}

static vd_status remember_source(adder *a, const char *path, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_prepare(&s, a->db, "INSERT OR IGNORE INTO source(path) VALUES(?1)", true, err));
    const vd_value v[] = { vd_val_text(path) };
    vd_status st = vd_stmt_run(s, v, 1, err);
    vd_stmt_free(s);
    return st;
}

/* Walks one argument: "-" is a list of paths on standard input. */
static vd_status add_path(adder *a, vd_walk *walk, const char *path, vd_err *err) {
    if (strcmp(path, "-") == 0) return vd_walk_list(walk, stdin, '\n', err);
    vd_str full = { 0 };
    vd_status st = vd_path_absolute(&full, path, err);
    if (st == VD_OK) {
        vd_err why = { 0 };
        struct stat sb;
        st = vd_walk_path(walk, full.data, &why);
        bool known_gone =
            st == VD_E_NOTFOUND && stat(full.data, &sb) != 0 && a->run->opt->n_paths == 0;
        if (known_gone)
            st = VD_OK; /* a source of the dataset that is gone: all below it has vanished */
        if (st != VD_OK) {
            if (err != NULL && err->code == VD_OK) *err = why;
        } else {
            st = remember_source(a, full.data, err);
            if (st == VD_OK) st = mark_vanished(a, full.data, err);
        }
    }
    vd_str_reset(&full);
    return st;
}

static vd_status known_sources(vd_db *db, vd_str *list, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    VD_TRY(vd_db_prepare(&s, db, "SELECT path FROM source ORDER BY path", true, err));
    vd_status st = VD_OK;
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st == VD_OK && row)
            vd_str_addn(list, vd_stmt_text(s, 0), (int64_t)strlen(vd_stmt_text(s, 0)) + 1);
    }
    vd_stmt_free(s);
    return st != VD_OK ? st : vd_str_check(list, err);
}

static vd_status walk_all(adder *a, vd_walk *walk, vd_err *err) {
    const vd_run_opt *opt = a->run->opt;
    vd_status st = VD_OK;
    vd_str known = { 0 };
    for (int i = 0; i < opt->n_paths; i++) VD_GO(add_path(a, walk, opt->paths[i], err));
    if (opt->n_paths == 0) {
        VD_GO(known_sources(a->db, &known, err));
        for (int64_t at = 0; at < known.size; at += (int64_t)strlen(known.data + at) + 1)
            VD_GO(add_path(a, walk, known.data + at, err));
    }
done:
    vd_str_reset(&known);
    return st;
}

vd_status vd_add_sources(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_walk *walk = NULL;
    adder a = { .run = run, .db = vd_dataset_db(run->ds), .started = vd_time_mono_s() };
    const vd_walk_opt walk_opt = { run->opt->hidden, on_file, on_note, &a };
    VD_GO(vd_walk_new(&walk, &walk_opt, err));
    VD_GO(vd_writer_new(&a.forget, run->ds, err));
    for (int i = 0; i < Q_COUNT; i++) VD_GO(vd_db_prepare(&a.q[i], a.db, sql[i], true, err));
    VD_GO(vd_db_begin(a.db, err));
    VD_GO(vd_db_exec(
        a.db, "DELETE FROM note WHERE path NOT IN (SELECT uri FROM asset WHERE kind = 'archive')",
        err));
    VD_GO(vd_db_int(a.db, "SELECT coalesce(max(id), 0) + 1 FROM asset WHERE id < 4294967296",
                    &a.next_id, err));
    VD_GO(walk_all(&a, walk, err));
    if (a.touched) VD_GO(vd_adopt_renamed(run, a.forget, err));
    VD_GO(vd_db_commit(a.db, err));
    vd_run_progress(run, "add", a.n_files, a.n_files, a.started, true);
done:
    if (st != VD_OK) vd_db_rollback(a.db);
    for (int i = 0; i < Q_COUNT; i++) vd_stmt_free(a.q[i]);
    vd_writer_free(a.forget);
    vd_walk_free(walk);
    vd_mem_free(a.seen);
    vd_str_reset(&a.uri);
    vd_str_reset(&a.unread);
    return st;
}
