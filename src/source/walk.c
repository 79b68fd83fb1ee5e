/* The folder walk. A folder is read whole, its entries are looked at (fstatat, relative to the open
 * folder), it is closed, and only then are its entries delivered and its folders entered: one file
 * descriptor is enough for any depth, and the order does not depend on the file system. Visited
 * folders are remembered by (device, inode), which ends loops of links.
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

struct vd_walk {
    vd_walk_opt opt;
    vd_map *seen; /* folders, by device and inode */
    vd_str path;  /* of the entry at hand */
};

typedef struct entry {
    const char *name;
    int64_t name_at; /* in listing.names, until that stops growing */
    int64_t size, mtime_ns;
    uint64_t inode, device;
    mode_t mode; /* 0: could not be looked at, errnum says why */
    int errnum;
} entry;

typedef struct listing {
    entry *entries;
    int64_t n, cap;
    vd_str names;
} listing;

vd_status vd_walk_new(vd_walk **out, const vd_walk_opt *opt, vd_err *err) {
    vd_walk *w = vd_mem_array(1, sizeof *w);
    if (w == NULL) return vd_nomem(err);
    w->opt = *opt;
    vd_status st = vd_map_new(&w->seen, err);
    if (st != VD_OK) {
        vd_walk_free(w);
        return st;
    }
    *out = w;
    return VD_OK;
}

void vd_walk_free(vd_walk *w) {
    if (w == NULL) return;
    vd_map_free(w->seen);
    vd_str_reset(&w->path);
    vd_mem_free(w);
}

static vd_status note(const vd_walk *w, const char *code, const char *detail, int errnum,
                      vd_err *err) {
    if (w->opt.on_note == NULL) return VD_OK;
    vd_note n = { code, vd_str_text(&w->path), detail, errnum, -1 };
    return w->opt.on_note(w->opt.user, &n, err);
}

static void fill(entry *e, const struct stat *s) {
    e->size = s->st_size;
    e->mtime_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
    e->inode = (uint64_t)s->st_ino;
    e->device = (uint64_t)s->st_dev;
    e->mode = s->st_mode;
    e->errnum = 0;
}

static vd_status deliver(vd_walk *w, const entry *e, vd_err *err) {
    vd_walk_file f = { vd_str_text(&w->path), e->size, e->mtime_ns, e->inode, e->device };
    return w->opt.on_file(w->opt.user, &f, err);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static vd_status list_add(listing *l, int fd, const char *name, vd_err *err) {
    VD_TRY(VD_GROW(l->entries, l->cap, l->n + 1, err));
    entry *e = &l->entries[l->n];
    *e = (entry){ .name_at = l->names.size };
    vd_str_addn(&l->names, name, (int64_t)strlen(name) + 1);
    VD_TRY(vd_str_check(&l->names, err));
    struct stat s;
    if (fstatat(fd, name, &s, 0) == 0)
        fill(e, &s);
    else
        e->errnum = errno;
    l->n++;
    return VD_OK;
}

/* The entries of the folder at w->path, sorted. Trouble in reading is `*errnum`, with what was
 * read. */
static vd_status list_folder(vd_walk *w, listing *l, int *errnum, vd_err *err) {
    vd_status st = VD_OK;
    int fd = open(vd_str_text(&w->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        *errnum = errno;
        if (fd >= 0) close(fd);
        return VD_OK;
    }
    for (;;) {
        errno = 0;
        const struct dirent *de = readdir(d);
        if (de == NULL) {
            *errnum = errno;
            break;
        }
        const char *n = de->d_name;
        if (strcmp(n, ".") == 0 || strcmp(n, "..") == 0) continue;
        if (n[0] == '.' && !w->opt.hidden) continue;
        VD_GO(list_add(l, fd, n, err));
    }
    for (int64_t i = 0; i < l->n; i++) l->entries[i].name = l->names.data + l->entries[i].name_at;
    if (l->n > 1) qsort(l->entries, (size_t)l->n, sizeof *l->entries, by_name);
done:
    closedir(d);
    return st;
}

static vd_status visit(vd_walk *w, const entry *e, vd_err *err);

static vd_status walk_folder(vd_walk *w, const entry *self, vd_err *err) {
    uint64_t key[2] = { self->device, self->inode };
    int64_t v;
    if (vd_map_get(w->seen, key, sizeof key, &v))
        return note(w, "folder_seen", "a loop of links, or reached before by another way", 0, err);
    VD_TRY(vd_map_put(w->seen, key, sizeof key, 1, err));

    vd_status st;
    listing l = { 0 };
    int errnum = 0;
    int64_t base = w->path.size;
    VD_GO(list_folder(w, &l, &errnum, err));
    if (errnum != 0) VD_GO(note(w, "unreadable_folder", strerror(errnum), errnum, err));
    for (int64_t i = 0; i < l.n; i++) {
        if (base > 1) vd_str_addc(&w->path, '/');
        vd_str_add(&w->path, l.entries[i].name);
        VD_GO(vd_str_check(&w->path, err));
        VD_GO(visit(w, &l.entries[i], err));
        w->path.size = base;
        w->path.data[base] = '\0';
    }
    st = VD_OK;
done:
    vd_mem_free(l.entries);
    vd_str_reset(&l.names);
    return st;
}

static vd_status visit(vd_walk *w, const entry *e, vd_err *err) {
    if (w->path.size >= PATH_MAX)
        return note(w, "path_too_long", "longer than the system opens", ENAMETOOLONG, err);
    if (e->mode == 0) return note(w, "unreadable_file", strerror(e->errnum), e->errnum, err);
    if (S_ISREG(e->mode)) return deliver(w, e, err);
    if (!S_ISDIR(e->mode))
        return note(w, "special_file", "a pipe, socket or device: not read", 0, err);
    if (vd_str_ends(vd_str_text(&w->path), ".vidimus"))
        return note(w, "dataset", "a dataset, not captures", 0, err);
    return walk_folder(w, e, err);
}

vd_status vd_walk_path(vd_walk *w, const char *path, vd_err *err) {
    vd_str_clear(&w->path);
    VD_TRY(vd_path_absolute(&w->path, path, err));
    struct stat s;
    if (stat(vd_str_text(&w->path), &s) != 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        return vd_fail(err, missing ? VD_E_NOTFOUND : VD_E_IO, "%s: %s", path, strerror(errno));
    }
    entry e = { 0 };
    fill(&e, &s);
    return visit(w, &e, err);
}

static vd_status list_line(vd_walk *w, const vd_str *line, vd_err *err) {
    struct stat s;
    entry e = { 0 };
    vd_str_clear(&w->path);
    VD_TRY(vd_path_absolute(&w->path, vd_str_text(line), err));
    if (stat(vd_str_text(&w->path), &s) == 0)
        fill(&e, &s);
    else
        e.errnum = errno;
    return visit(w, &e, err);
}

vd_status vd_walk_list(vd_walk *w, FILE *in, char separator, vd_err *err) {
    vd_status st = VD_OK;
    vd_str line = { 0 };
    bool end = false;
    while (!end) {
        int c = getc_unlocked(in);
        end = c == EOF;
        if (!end && c != (unsigned char)separator) {
            /* one byte more than a path may have is enough to know that it is too long */
            if (line.size <= PATH_MAX) vd_str_addc(&line, (char)c);
            continue;
        }
        VD_GO(vd_str_check(&line, err));
        if (separator == '\n' && line.size > 0 && line.data[line.size - 1] == '\r')
            line.data[--line.size] = '\0';
        if (line.size > PATH_MAX) {
            vd_str_clear(&w->path);
            vd_str_add(&w->path, vd_str_text(&line));
            VD_GO(note(w, "path_too_long", "longer than the system opens", ENAMETOOLONG, err));
        } else if (line.size > 0) {
            VD_GO(list_line(w, &line, err));
        }
        vd_str_clear(&line);
    }
    if (ferror(in)) VD_GO(vd_fail_errno(err, errno, "file list"));
done:
    vd_str_reset(&line);
    return st;
}
