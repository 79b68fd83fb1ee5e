/* Archives through libarchive: the only file that knows it. The library reads through callbacks
 * that pread from the caller's descriptor, so that several readers can share one. It converts names
 * to the locale of the thread; for the time of each call the thread is therefore put into a UTF-8
 * locale, whatever the process runs in, and the same archive lists the same names everywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

#define BUFFER (64 * 1024)

struct vd_archive {
    struct archive *lib;
    locale_t utf8;
    vd_archive_opt opt;
    int fd;
    int64_t at, end;  /* read position in the file, and its size */
    vd_status io;     /* the first failed read of the file */
    int64_t number;   /* of the current member, -1 before the first */
    int64_t declared; /* bytes of all members up to and with the current one */
    bool data_read, encrypted;
    vd_archive_entry entry;
    vd_str entry_name;
    char *name;
    uint8_t buffer[BUFFER];
};

static la_ssize_t on_read(struct archive *lib, void *user, const void **out) {
    vd_archive *a = user;
    size_t got = 0;
    vd_err e = { 0 };
    if (vd_file_pread(a->fd, a->buffer, BUFFER, a->at, &got, a->name, &e) != VD_OK) {
        a->io = e.code;
        archive_set_error(lib, EIO, "%s", e.msg);
        return -1;
    }
    a->at += (int64_t)got;
    *out = a->buffer;
    return (la_ssize_t)got;
}

static la_int64_t on_skip(struct archive *lib, void *user, la_int64_t n) {
    (void)lib;
    vd_archive *a = user;
    n = VD_CLAMP(n, 0, a->end - a->at);
    a->at += n;
    return n;
}

static la_int64_t on_seek(struct archive *lib, void *user, la_int64_t offset, int whence) {
    (void)lib;
    vd_archive *a = user;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? a->at : a->end;
    if (offset > a->end || offset < -a->end) return ARCHIVE_FATAL;
    a->at = VD_CLAMP(base + offset, 0, a->end);
    return a->at;
}

/* What the library says went wrong, as ours. */
static vd_status lib_fail(vd_archive *a, vd_status code, vd_err *err) {
    const char *text = archive_error_string(a->lib);
    if (a->io != VD_OK) code = a->io;
    if (archive_errno(a->lib) == ENOMEM) code = VD_E_NOMEM;
    return vd_fail(err, code, "%s: member %lld: %s", a->name, (long long)a->number,
                   text != NULL ? text : "damaged archive");
}

/* Each by name: "all" would bring in those that run other programs. What the library was built
 * without is then simply not recognised. */
static int add_formats(struct archive *lib, bool zip) {
    archive_read_support_filter_gzip(lib);
    archive_read_support_filter_bzip2(lib);
    archive_read_support_filter_xz(lib);
    archive_read_support_filter_zstd(lib);
    archive_read_support_filter_lz4(lib);
    if (zip) archive_read_support_format_zip(lib);
    return archive_read_support_format_tar(lib);
}

static vd_status start(vd_archive **out, int fd, const char *name, const vd_archive_opt *opt,
                       bool zip, vd_err *err) {
    static const vd_archive_opt defaults = VD_ARCHIVE_OPT;
    struct stat s;
    if (fstat(fd, &s) != 0) return vd_fail_errno(err, errno, "%s", name);
    vd_archive *a = vd_mem_array(1, sizeof *a);
    if (a == NULL) return vd_nomem(err);
    vd_status st = VD_OK;
    a->opt = opt != NULL ? *opt : defaults;
    a->fd = fd;
    a->end = s.st_size;
    a->number = -1;
    a->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (a->utf8 == (locale_t)0) a->utf8 = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    a->name = vd_mem_strdup(name);
    a->lib = vd_mem_refused() ? NULL : archive_read_new();
    if (a->name == NULL || a->lib == NULL || a->utf8 == (locale_t)0) VD_GO(vd_nomem(err));
    int r = add_formats(a->lib, zip);
    if (r < ARCHIVE_WARN) VD_GO(lib_fail(a, VD_E_NOMEM, err));
    archive_read_set_read_callback(a->lib, on_read);
    archive_read_set_skip_callback(a->lib, on_skip);
    archive_read_set_seek_callback(a->lib, on_seek);
    archive_read_set_callback_data(a->lib, a);
    locale_t old = uselocale(a->utf8);
    r = archive_read_open1(a->lib);
    uselocale(old);
    if (r < ARCHIVE_WARN) VD_GO(lib_fail(a, VD_E_FORMAT, err));
    *out = a;
    a = NULL;
done:
    vd_archive_free(a);
    return st;
}

vd_status vd_archive_new(vd_archive **out, int fd, const char *name, const vd_archive_opt *opt,
                         vd_err *err) {
    return start(out, fd, name, opt, true, err);
}

void vd_archive_free(vd_archive *a) {
    if (a == NULL) return;
    if (a->lib != NULL) archive_read_free(a->lib);
    if (a->utf8 != (locale_t)0) freelocale(a->utf8);
    vd_str_reset(&a->entry_name);
    vd_mem_free(a->name);
    vd_mem_free(a);
}

/* Takes what the header says into a->entry. */
static vd_status take_entry(vd_archive *a, struct archive_entry *e, vd_err *err) {
    const char *name = archive_entry_pathname_utf8(e);
    if (name == NULL) name = archive_entry_pathname(e);
    vd_str_clear(&a->entry_name);
    vd_str_add(&a->entry_name, name != NULL ? name : "");
    VD_TRY(vd_str_check(&a->entry_name, err));
    int64_t size = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;
    int64_t s = archive_entry_mtime_is_set(e) ? archive_entry_mtime(e) : 0;
    if (s > INT64_MAX / 1000000000 - 1 || s < INT64_MIN / 1000000000 + 1) s = 0;
    a->number++;
    a->data_read = false;
    a->encrypted = archive_entry_is_encrypted(e) != 0;
    a->entry = (vd_archive_entry){ vd_str_text(&a->entry_name), a->number, size,
                                   s * 1000000000 + (s != 0 ? archive_entry_mtime_nsec(e) : 0),
                                   a->encrypted };
    if (a->number >= a->opt.max_entries)
        return vd_fail(err, VD_E_LIMIT, "%s: more than %lld members", a->name,
                       (long long)a->opt.max_entries);
    if (size > 0) a->declared = a->declared > INT64_MAX - size ? INT64_MAX : a->declared + size;
    int64_t most =
        a->end > INT64_MAX / 2 / a->opt.max_ratio ? INT64_MAX / 2 : a->end * a->opt.max_ratio;
    if (a->declared > most + VD_MIN(a->opt.free_bytes, INT64_MAX / 4))
        return vd_fail(err, VD_E_LIMIT, "%s: %lld bytes of members in %lld bytes of archive",
                       a->name, (long long)a->declared, (long long)a->end);
    return VD_OK;
}

vd_status vd_archive_next(vd_archive *a, vd_archive_entry *entry, bool *found, vd_err *err) {
    vd_status st = VD_OK;
    locale_t old = uselocale(a->utf8);
    for (;;) {
        struct archive_entry *e = NULL;
        int r = archive_read_next_header(a->lib, &e);
        if (r == ARCHIVE_EOF) {
            *found = false;
            break;
        }
        if (r == ARCHIVE_RETRY) continue;
        if (r < ARCHIVE_WARN) VD_GO(lib_fail(a, VD_E_FORMAT, err));
        if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL) continue;
        VD_GO(take_entry(a, e, err));
        *entry = a->entry;
        *found = true;
        break;
    }
done:
    uselocale(old);
    return st;
}

vd_status vd_archive_seek(vd_archive *a, int64_t number, vd_archive_entry *entry, vd_err *err) {
    if (number < a->number || (number == a->number && a->data_read))
        return vd_fail(err, VD_E_ARG, "%s: member %lld lies behind", a->name, (long long)number);
    vd_archive_entry e = a->entry;
    while (a->number < number) {
        bool found = false;
        VD_TRY(vd_archive_next(a, &e, &found, err));
        if (!found)
            return vd_fail(err, VD_E_NOTFOUND, "%s: no member %lld", a->name, (long long)number);
    }
    *entry = e;
    return VD_OK;
}

/* One call of the library: VD_OK with 0 bytes is the end. */
static vd_status piece(vd_archive *a, uint8_t *buf, int64_t cap, int64_t *got, vd_err *err) {
    locale_t old = uselocale(a->utf8);
    la_ssize_t n = archive_read_data(a->lib, buf, (size_t)cap);
    uselocale(old);
    *got = n > 0 ? n : 0;
    if (n == ARCHIVE_RETRY) return piece(a, buf, cap, got, err);
    return n < 0 ? lib_fail(a, VD_E_FORMAT, err) : VD_OK;
}

static vd_status begin_data(vd_archive *a, vd_err *err) {
    if (a->number < 0 || a->data_read)
        return vd_fail(err, VD_E_ARG, "%s: no member to read from", a->name);
    a->data_read = true;
    if (a->encrypted)
        return vd_fail(err, VD_E_UNSUPPORTED, "%s: %s is encrypted", a->name,
                       vd_str_text(&a->entry_name));
    if (a->entry.size > a->opt.max_member_bytes)
        return vd_fail(err, VD_E_LIMIT, "%s: %s has %lld bytes, limit %lld", a->name,
                       vd_str_text(&a->entry_name), (long long)a->entry.size,
                       (long long)a->opt.max_member_bytes);
    return VD_OK;
}

static vd_status too_much(vd_archive *a, int64_t limit, vd_err *err) {
    return vd_fail(err, VD_E_LIMIT, "%s: %s has more than %lld bytes", a->name,
                   vd_str_text(&a->entry_name), (long long)limit);
}

vd_status vd_archive_read(vd_archive *a, uint8_t *buf, int64_t cap, int64_t *got, vd_err *err) {
    *got = 0;
    VD_TRY(begin_data(a, err));
    int64_t limit = VD_MIN(cap, a->opt.max_member_bytes);
    for (;;) {
        uint8_t extra; /* asked for where buf is full: a byte there means that it did not fit */
        bool full = *got == limit;
        int64_t n;
        VD_TRY(piece(a, full ? &extra : buf + *got, full ? 1 : limit - *got, &n, err));
        if (n == 0) break;
        if (full) return too_much(a, limit, err);
        *got += n;
    }
    if (a->entry.size >= 0 && *got < a->entry.size)
        return vd_fail(err, VD_E_FORMAT, "%s: %s ends after %lld of %lld bytes", a->name,
                       vd_str_text(&a->entry_name), (long long)*got, (long long)a->entry.size);
    return VD_OK;
}

vd_status vd_archive_read_str(vd_archive *a, vd_str *out, vd_err *err) {
    VD_TRY(begin_data(a, err));
    uint8_t part[8192];
    int64_t n, total = 0;
    do {
        VD_TRY(piece(a, part, sizeof part, &n, err));
        total += n;
        if (total > a->opt.max_member_bytes) return too_much(a, a->opt.max_member_bytes, err);
        vd_str_addn(out, (const char *)part, n);
        VD_TRY(vd_str_check(out, err));
    } while (n > 0);
    return VD_OK;
}

vd_status vd_archive_holds_tar(bool *out, int fd, const char *name, vd_err *err) {
    vd_archive *a = NULL;
    vd_err e = { 0 };
    vd_status st = start(&a, fd, name, NULL, false, &e);
    if (st == VD_OK) {
        struct archive_entry *entry = NULL;
        locale_t old = uselocale(a->utf8);
        int r = archive_read_next_header(a->lib, &entry);
        uselocale(old);
        if (r < ARCHIVE_WARN)
            st = lib_fail(a, VD_E_FORMAT, &e);
        else
            *out = r != ARCHIVE_EOF || archive_format(a->lib) != 0;
    }
    vd_archive_free(a);
    if (st != VD_E_NOMEM && st != VD_E_IO) { /* any other trouble: it is no tar */
        if (st != VD_OK) *out = false;
        return VD_OK;
    }
    return vd_fail(err, st, "%s", e.msg);
}

const char *vd_archive_library(void) {
    return ARCHIVE_VERSION_STRING;
}
