/* A folder that appears when it is complete; see folder.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "labelkit/files.h"

enum { OPEN_FOLDERS = 16 };
static const char MARK[] = ".export";

/* ---- folders as they are ---- */

static int remove_one(const char *path, const struct stat *sb, int what, struct FTW *at) {
    (void)sb, (void)what, (void)at;
    return remove(path);
}

static void remove_tree(const char *path) {
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

static bool empty(const char *path) {
    DIR *d = opendir(path);
    bool any = false;
    for (struct dirent *e; d != NULL && !any && (e = readdir(d)) != NULL;)
        any = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d != NULL) closedir(d);
    return d != NULL && !any;
}

static bool has_file(const char *folder, const char *name) {
    vd_str path = { 0 };
    bool is = vd_is_file(vd_join(&path, folder, name));
    vd_str_reset(&path);
    return is;
}

/* ---- begin and end ---- */

static vd_status check_target(const char *path, bool replace, vd_err *err) {
    struct stat sb;
    if (lstat(path, &sb) != 0)
        return errno == ENOENT ? VD_OK : vd_fail_errno(err, errno, "export: %s", path);
    if (!S_ISDIR(sb.st_mode))
        return vd_fail(err, VD_E_EXISTS, "export: %s is there already and is no folder", path);
    if (empty(path)) return VD_OK;
    if (!replace)
        return vd_fail(err, VD_E_EXISTS,
                       "export: %s is not empty; --replace takes the place of an earlier export",
                       path);
    if (!has_file(path, VD_FOLDER_MANIFEST))
        return vd_fail(err, VD_E_EXISTS,
                       "export: %s was written by no export: it has no %s, and is not replaced",
                       path, VD_FOLDER_MANIFEST);
    return VD_OK;
}

/* Takes the lock on the mark in the partial folder, which it makes. */
static vd_status lock_partial(vd_folder *f, vd_err *err) {
    vd_str mark = { 0 };
    VD_TRY(vd_dir_make(f->partial, err));
    vd_join(&mark, f->partial, MARK);
    vd_status st = vd_str_check(&mark, err);
    if (st == VD_OK) f->lock = open(mark.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (st == VD_OK && f->lock < 0) st = vd_fail_errno(err, errno, "export: %s", mark.data);
    if (st == VD_OK && flock(f->lock, LOCK_EX | LOCK_NB) != 0)
        st = vd_fail(err, VD_E_BUSY, "export: another process writes %s", f->partial);
    vd_str_reset(&mark);
    return st;
}

/* What a killed process left; its mark keeps the lock while it is emptied. */
static void clear_partial(const vd_folder *f) {
    vd_str path = { 0 };
    vd_names names = { 0 };
    DIR *d = opendir(f->partial);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strcmp(e->d_name, MARK) != 0)
            if (vd_names_add(&names, e->d_name, strlen(e->d_name), NULL) != VD_OK) break;
    if (d != NULL) closedir(d);
    for (int64_t i = 0; i < names.n; i++) remove_tree(vd_join(&path, f->partial, names.name[i]));
    vd_names_reset(&names);
    vd_str_reset(&path);
}

static vd_status set_paths(vd_folder *f, const char *path, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = vd_path_absolute(&s, path, err);
    if (st == VD_OK && strcmp(s.data, "/") == 0)
        st = vd_fail(err, VD_E_ARG, "export: %s cannot be written", path);
    if (st == VD_OK && (f->path = vd_mem_strdup(s.data)) == NULL) st = vd_nomem(err);
    vd_str_add(&s, ".partial");
    if (st == VD_OK) st = vd_str_check(&s, err);
    if (st == VD_OK && (f->partial = vd_mem_strdup(s.data)) == NULL) st = vd_nomem(err);
    vd_str_reset(&s);
    return st;
}

static vd_status make_parent(const char *path, vd_err *err) {
    const char *slash = strrchr(path, '/');
    char *parent = vd_mem_strndup(path, (size_t)(slash - path));
    if (parent == NULL) return vd_nomem(err);
    vd_status st = parent[0] == '\0' || vd_is_folder(parent) ? VD_OK : vd_make_folders(parent, err);
    vd_mem_free(parent);
    return st;
}

vd_status vd_folder_begin(vd_folder *f, const char *path, bool replace, vd_err *err) {
    *f = (vd_folder){ .lock = -1 };
    vd_status st = set_paths(f, path, err);
    bool ours = false;
    if (st == VD_OK) st = check_target(f->path, replace, err);
    if (st == VD_OK) st = make_parent(f->path, err);
    if (st == VD_OK) {
        bool there = vd_is_folder(f->partial) && !empty(f->partial);
        ours = !there || has_file(f->partial, MARK) || has_file(f->partial, VD_FOLDER_MANIFEST);
        if (!ours)
            st = vd_fail(err, VD_E_EXISTS, "export: %s is in the way, and was left by no export",
                         f->partial);
    }
    if (st == VD_OK) st = lock_partial(f, err);
    if (st == VD_OK) {
        clear_partial(f);
        return VD_OK;
    }
    if (f->lock >= 0) close(f->lock); /* whose it is stays */
    vd_mem_free(f->path);
    vd_mem_free(f->partial);
    *f = (vd_folder){ .lock = -1 };
    return st;
}

vd_status vd_folder_commit(vd_folder *f, vd_err *err) {
    vd_str mark = { 0 };
    vd_status st = VD_OK;
    vd_join(&mark, f->partial, MARK);
    VD_GO(vd_str_check(&mark, err));
    if (unlink(mark.data) != 0) VD_GO(vd_fail_errno(err, errno, "export: %s", mark.data));
    bool swap = vd_is_folder(f->path) && !empty(f->path);
    int rc = swap ? renameat2(AT_FDCWD, f->partial, AT_FDCWD, f->path, RENAME_EXCHANGE)
                  : rename(f->partial, f->path);
    if (rc != 0) VD_GO(vd_fail_errno(err, errno, "export: %s to %s", f->partial, f->path));
    if (swap) remove_tree(f->partial);
    close(f->lock);
    vd_mem_free(f->path);
    vd_mem_free(f->partial);
    *f = (vd_folder){ .lock = -1 };
done:
    vd_str_reset(&mark);
    return st;
}

void vd_folder_drop(vd_folder *f) {
    if (f->partial == NULL) return;
    remove_tree(f->partial);
    if (f->lock >= 0) close(f->lock);
    vd_mem_free(f->path);
    vd_mem_free(f->partial);
    *f = (vd_folder){ .lock = -1 };
}

/* ---- files ---- */

void vd_folder_path(const vd_folder *f, vd_str *out, const char *name) {
    vd_str_add(out, f->partial);
    vd_str_addc(out, '/');
    vd_str_add(out, name);
}

/* The path of a file below, and the folders above it. */
static vd_status place(const vd_folder *f, vd_str *path, const char *name, vd_err *err) {
    vd_folder_path(f, path, name);
    VD_TRY(vd_str_check(path, err));
    char *slash = strrchr(path->data, '/');
    *slash = '\0';
    vd_status st = vd_is_folder(path->data) ? VD_OK : vd_make_folders(path->data, err);
    *slash = '/';
    return st;
}

vd_status vd_folder_put(const vd_folder *f, const char *name, const void *data, size_t n,
                        vd_err *err) {
    vd_str path = { 0 };
    vd_status st = place(f, &path, name, err);
    int fd = -1;
    if (st == VD_OK) fd = open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (st == VD_OK && fd < 0) st = vd_fail_errno(err, errno, "write: %s", path.data);
    for (size_t at = 0; st == VD_OK && at < n;) {
        ssize_t w = write(fd, (const char *)data + at, n - at);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) st = vd_fail_errno(err, errno, "write: %s", path.data);
        at += w > 0 ? (size_t)w : 0;
    }
    if (fd >= 0 && close(fd) != 0 && st == VD_OK)
        st = vd_fail_errno(err, errno, "write: %s", path.data);
    vd_str_reset(&path);
    return st;
}

vd_status vd_folder_link(const vd_folder *f, const char *name, const char *target, bool symbolic,
                         vd_err *err) {
    vd_str path = { 0 };
    vd_status st = place(f, &path, name, err);
    if (st == VD_OK &&
        (symbolic ? symlink(target, path.data)
                  : linkat(AT_FDCWD, target, AT_FDCWD, path.data, AT_SYMLINK_FOLLOW)) != 0)
        st = errno == EXDEV
                 ? vd_fail(err, VD_E_IO,
                           "export: %s lies on another file system than %s, where no hard link to "
                           "it can be; --images symlink or copy",
                           target, f->path)
                 : vd_fail_errno(err, errno, "export: link to %s", target);
    vd_str_reset(&path);
    return st;
}

void vd_folder_remove(const vd_folder *f, const char *name) {
    vd_str path = { 0 };
    vd_folder_path(f, &path, name);
    if (path.status == VD_OK) remove_tree(path.data);
    vd_str_reset(&path);
}
