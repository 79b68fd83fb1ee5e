/* The tar index. Headers are read through a window: where members are small the window is large and
 * one read serves many headers; where a jump leaves the window it shrinks, so that an archive of
 * large members costs one small read each. Extension headers (x, g, L, K) collect into `ext`, which
 * the next ordinary header uses up. All numbers are checked before anything is added to them.
 *
 * Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the GNU tar
 * manual, "Basic Tar Format". SPDX-License-Identifier: Apache-2.0 */
#include "source/tar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"

#define BLOCK 512
#define WINDOW_MAX (256 * 1024)
#define WINDOW_MIN (4 * 1024)
#define EXT_MAX (1 << 20) /* bytes of one extension header: generous beside any real one */
#define SIZE_LIMIT ((int64_t)1 << 60)

/* What extension headers said about the next member. */
typedef struct extension {
    vd_str name;
    bool has_name, name_too_long, has_size, has_mtime, sparse;
    int64_t size, mtime_ns;
} extension;

typedef struct reader {
    int fd;
    const char *file;
    const vd_tar_opt *opt;
    int64_t end; /* of the file */
    int64_t at;  /* of the header at hand */
    uint8_t *window;
    int64_t win_at, win_n, win_want;
    extension ext, global;
    vd_str name;  /* of the member at hand */
    vd_str block; /* data of an extension header */
    int64_t n_entries;
    bool stop;
} reader;

/* Octal with spaces and NULs around, or base-256 if the first bit is set (GNU). */
static bool number(const uint8_t *p, int n, int64_t *out) {
    int64_t v = 0;
    if (p[0] & 0x80) {
        if (p[0] & 0x40) { /* negative: only times have that; -1 is enough to say so */
            *out = -1;
            return p[0] == 0xff;
        }
        v = p[0] & 0x3f;
        for (int i = 1; i < n; i++) {
            if (v > (SIZE_LIMIT >> 8)) return false;
            v = v << 8 | p[i];
        }
        *out = v;
        return true;
    }
    int i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\0')) i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) v = v << 3 | (p[i] - '0');
    if (i < n && p[i] != ' ' && p[i] != '\0') return false;
    *out = v;
    return true;
}

static bool all_zero(const uint8_t *p) {
    for (int i = 0; i < BLOCK; i++)
        if (p[i] != 0) return false;
    return true;
}

/* The sum of the header's bytes with its own field as spaces; old writers summed signed bytes. */
static bool checksum_right(const uint8_t *h) {
    int64_t stored;
    if (!number(h + 148, 8, &stored)) return false;
    int64_t plain = 0, with_sign = 0;
    for (int i = 0; i < BLOCK; i++) {
        uint8_t b = i >= 148 && i < 156 ? ' ' : h[i];
        plain += b;
        with_sign += (int8_t)b;
    }
    return stored == plain || stored == with_sign;
}

bool vd_tar_is_header(const uint8_t *block, size_t n) {
    return n >= BLOCK && block[0] != '\0' && checksum_right(block);
}

static vd_status note(reader *r, const char *code, const char *detail, vd_err *err) {
    if (r->opt->on_note == NULL) return VD_OK;
    vd_note n = { code, vd_str_text(&r->name), detail, 0, r->at };
    return r->opt->on_note(r->opt->user, &n, err);
}

static vd_status end_with(reader *r, const char *code, const char *detail, vd_err *err) {
    r->stop = true;
    return note(r, code, detail, err);
}

/* The header block at r->at, NULL where the file ends before. */
static vd_status header_at(reader *r, const uint8_t **out, vd_err *err) {
    *out = NULL;
    if (r->end - r->at < BLOCK) return VD_OK;
    if (r->at < r->win_at || r->at + BLOCK > r->win_at + r->win_n) {
        int64_t jump = r->at - (r->win_at + r->win_n);
        if (jump > r->win_n)
            r->win_want = VD_MAX(r->win_want / 2, (int64_t)WINDOW_MIN);
        else
            r->win_want = VD_MIN(r->win_want * 2, (int64_t)WINDOW_MAX);
        size_t got = 0;
        r->win_n = 0;
        VD_TRY(vd_file_pread(r->fd, r->window, (size_t)r->win_want, r->at, &got, r->file, err));
        r->win_at = r->at;
        r->win_n = (int64_t)got;
        if (got < BLOCK) return VD_OK;
    }
    *out = r->window + (r->at - r->win_at);
    return VD_OK;
}

static void ext_clear(extension *e) {
    vd_str_clear(&e->name);
    e->has_name = e->name_too_long = e->has_size = e->has_mtime = e->sparse = false;
}

static bool decimal(const char *p, int64_t n, int64_t *out) {
    int64_t v = 0;
    if (n <= 0) return false;
    for (int64_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || v > SIZE_LIMIT / 10) return false;
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

/* Seconds with an optional fraction, before 1970 with a sign. */
static bool pax_time(const char *p, int64_t n, int64_t *out) {
    bool neg = n > 0 && p[0] == '-';
    if (neg) p++, n--;
    if (n <= 0) return false;
    const char *dot = memchr(p, '.', (size_t)n);
    int64_t whole = dot != NULL ? dot - p : n, s, ns = 0, unit = 100000000;
    if (!decimal(p, whole, &s) || s > INT64_MAX / 1000000000 - 1) return false;
    for (int64_t i = whole + 1; i < n && unit > 0; i++, unit /= 10) {
        if (p[i] < '0' || p[i] > '9') return false;
        ns += (p[i] - '0') * unit;
    }
    s = s * 1000000000 + ns;
    *out = neg ? -s : s;
    return true;
}

static void ext_name(reader *r, extension *e, const char *p, int64_t n) {
    n = (int64_t)strnlen(p, (size_t)n);
    e->has_name = n > 0;
    e->name_too_long = n > r->opt->max_name_bytes;
    vd_str_clear(&e->name);
    vd_str_addn(&e->name, p, VD_MIN(n, r->opt->max_name_bytes));
}

static bool is_key(const char *p, int64_t n, const char *key) {
    return n == (int64_t)strlen(key) && memcmp(p, key, (size_t)n) == 0;
}

static bool pax_record(reader *r, extension *e, const char *key, int64_t nk, const char *v,
                       int64_t nv) {
    if (is_key(key, nk, "path"))
        ext_name(r, e, v, nv);
    else if (is_key(key, nk, "size"))
        return e->has_size = decimal(v, nv, &e->size);
    else if (is_key(key, nk, "mtime"))
        e->has_mtime = pax_time(v, nv, &e->mtime_ns);
    else if (nk > 11 && memcmp(key, "GNU.sparse.", 11) == 0)
        e->sparse = true;
    return true;
}

/* Records "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
static bool pax_parse(reader *r, extension *e, const char *p, int64_t n) {
    while (n > 0 && *p != '\0') {
        const char *space = memchr(p, ' ', (size_t)VD_MIN(n, (int64_t)20));
        int64_t len;
        if (space == NULL || !decimal(p, space - p, &len) || len > n) return false;
        int64_t body = len - (space - p) - 1;
        if (body < 2 || p[len - 1] != '\n') return false;
        const char *key = space + 1, *eq = memchr(key, '=', (size_t)body - 1);
        if (eq == NULL) return false;
        if (!pax_record(r, e, key, eq - key, eq + 1, p + len - 1 - (eq + 1))) return false;
        p += len;
        n -= len;
    }
    return true;
}

/* The data of an extension header of `size` bytes into r->block. */
static vd_status ext_data(reader *r, int64_t size, vd_err *err) {
    vd_str_clear(&r->block);
    int64_t from = r->at + BLOCK;
    if (from - r->win_at >= 0 && from + size <= r->win_at + r->win_n) {
        vd_str_addn(&r->block, (const char *)r->window + (from - r->win_at), size);
        return vd_str_check(&r->block, err);
    }
    char *buf = vd_mem_alloc((size_t)size);
    if (buf == NULL) return vd_nomem(err);
    size_t got = 0;
    vd_status st = vd_file_pread(r->fd, buf, (size_t)size, from, &got, r->file, err);
    if (st == VD_OK) {
        vd_str_addn(&r->block, buf, (int64_t)got);
        st = vd_str_check(&r->block, err);
    }
    vd_mem_free(buf);
    return st;
}

static vd_status extension_header(reader *r, char type, int64_t size, vd_err *err) {
    if (size > EXT_MAX) return end_with(r, "tar_limit", "an extension header above 1 MiB", err);
    VD_TRY(ext_data(r, size, err));
    if (type == 'L') ext_name(r, &r->ext, vd_str_text(&r->block), r->block.size);
    extension *e = type == 'g' ? &r->global : &r->ext;
    if ((type == 'x' || type == 'g') && !pax_parse(r, e, vd_str_text(&r->block), r->block.size))
        return end_with(r, "tar_corrupt", "a malformed pax record", err);
    return vd_str_check(&e->name, err);
}

/* The name of the member: from an extension, or prefix/name (the prefix is ustar's alone). */
static vd_status member_name(reader *r, const uint8_t *h, vd_err *err) {
    vd_str_clear(&r->name);
    const extension *e = r->ext.has_name ? &r->ext : &r->global;
    if (e->has_name) {
        vd_str_add(&r->name, vd_str_text(&e->name));
    } else {
        size_t prefix =
            memcmp(h + 257, "ustar\0", 6) == 0 ? strnlen((const char *)h + 345, 155) : 0;
        if (prefix > 0) {
            vd_str_addn(&r->name, (const char *)h + 345, (int64_t)prefix);
            vd_str_addc(&r->name, '/');
        }
        vd_str_addn(&r->name, (const char *)h, (int64_t)strnlen((const char *)h, 100));
    }
    return vd_str_check(&r->name, err);
}

static vd_status regular(reader *r, const uint8_t *h, int64_t size, vd_err *err) {
    int64_t n = r->name.size;
    if (n > 0 && r->name.data[n - 1] == '/') return VD_OK; /* v7's way to store a folder */
    if (r->ext.sparse) return note(r, "tar_sparse", "a sparse member is not read in place", err);
    if (r->ext.name_too_long || n > r->opt->max_name_bytes)
        return note(r, "tar_limit", "a name above the limit", err);
    if (r->n_entries >= r->opt->max_entries)
        return end_with(r, "tar_limit", "more members than the limit", err);
    vd_tar_entry e = { vd_str_text(&r->name), r->at + BLOCK, size, 0 };
    int64_t s;
    if (r->ext.has_mtime)
        e.mtime_ns = r->ext.mtime_ns;
    else if (number(h + 136, 12, &s) && s < INT64_MAX / 1000000000)
        e.mtime_ns = s * 1000000000;
    r->n_entries++;
    return r->opt->on_entry(r->opt->user, &e, err);
}

static vd_status member(reader *r, const uint8_t *h, char type, int64_t size, vd_err *err) {
    switch (type) {
    case '0':
    case '\0':
    case '7': return regular(r, h, size, err);
    case '1': /* a hard link: its bytes are listed under the first name */
    case '2':
    case '5':
    case 'V':
    case 'M': return VD_OK;
    case 'S': return note(r, "tar_sparse", "a sparse member is not read in place", err);
    default: return note(r, "tar_member", "neither a file, a folder nor a link", err);
    }
}

/* Type S: a map of 21 bytes of entries follows as long as the flag at the end of a block is set. */
static vd_status skip_sparse_maps(reader *r, const uint8_t *h, vd_err *err) {
    bool more = h[482] != 0;
    while (more) {
        r->at += BLOCK;
        VD_TRY(header_at(r, &h, err));
        if (h == NULL) return end_with(r, "tar_truncated", "the file ends in a sparse map", err);
        more = h[504] != 0;
    }
    return VD_OK;
}

/* One header at r->at; moves r->at behind its data. */
static vd_status step(reader *r, const uint8_t *h, vd_err *err) {
    char type = (char)h[156];
    int64_t size;
    bool is_ext = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!is_ext) VD_TRY(member_name(r, h, err));
    if (!checksum_right(h))
        return end_with(r, "tar_corrupt", "a header with a wrong checksum", err);
    if (!number(h + 124, 12, &size)) size = -1;
    if (!is_ext && r->ext.has_size) size = r->ext.size;
    /* links, devices and folders have no data, whatever the size field says (GNU tar, star) */
    if (strchr("123456", type) != NULL && type != '\0') size = 0;
    if (size < 0 || size > SIZE_LIMIT) return end_with(r, "tar_corrupt", "a bad size", err);
    int64_t left = r->end - r->at - BLOCK;
    if (size > left) return end_with(r, "tar_truncated", "the file ends inside this member", err);
    int64_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;

    if (is_ext) {
        VD_TRY(extension_header(r, type, size, err));
    } else {
        VD_TRY(member(r, h, type, size, err));
        if (type == 'S') VD_TRY(skip_sparse_maps(r, h, err));
        ext_clear(&r->ext);
    }
    r->at += BLOCK + padded;
    return VD_OK;
}

static vd_status run(reader *r, vd_err *err) {
    while (!r->stop) {
        const uint8_t *h;
        VD_TRY(header_at(r, &h, err));
        if (h == NULL) {
            vd_str_clear(&r->name);
            if (r->at != r->end && r->at > 0)
                return note(r, "tar_truncated", "the file ends in the padding or in a header", err);
            return VD_OK; /* without an end mark, as many writers leave it */
        }
        if (all_zero(h)) return VD_OK;
        VD_TRY(step(r, h, err));
    }
    return VD_OK;
}

vd_status vd_tar_index(int fd, const char *name, const vd_tar_opt *opt, vd_err *err) {
    vd_status st;
    struct stat s;
    reader r = { .fd = fd, .file = name, .opt = opt, .win_want = WINDOW_MIN };
    const uint8_t *h;
    if (fstat(fd, &s) != 0) return vd_fail_errno(err, errno, "%s", name);
    r.end = s.st_size;
    r.window = vd_mem_alloc(WINDOW_MAX);
    if (r.window == NULL) return vd_nomem(err);
    VD_GO(header_at(&r, &h, err));
    if (h == NULL || !vd_tar_is_header(h, BLOCK))
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: no tar header at byte 0", name));
    st = run(&r, err);
done:
    vd_mem_free(r.window);
    vd_str_reset(&r.ext.name);
    vd_str_reset(&r.global.name);
    vd_str_reset(&r.name);
    vd_str_reset(&r.block);
    return st;
}
