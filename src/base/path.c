/* Paths and whole files. SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

const char *vd_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

const char *vd_path_ext(const char *path) {
    const char *name = vd_path_name(path), *dot = strrchr(name, '.');
    return dot != NULL && dot != name ? dot + 1 : "";
}

/* Appends the components of `path` to `out`, resolving "." and ".." by text alone. */
static void add_components(vd_str *out, const char *path) {
    while (*path != '\0') {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (out->size > 0 && out->data[out->size - 1] != '/') out->size--;
            if (out->size > 0) out->size--;
            if (out->data != NULL) out->data[out->size] = '\0';
        } else if (n > 0 && !(n == 1 && path[0] == '.')) {
            vd_str_addc(out, '/');
            vd_str_addn(out, path, (int64_t)n);
        }
        path += n;
        if (*path == '/') path++;
    }
}

vd_status vd_path_absolute(vd_str *out, const char *path, vd_err *err) {
    vd_str full = { 0 };
    if (path[0] != '/') {
        char cwd[4096];
        if (getcwd(cwd, sizeof cwd) == NULL)
            return vd_fail_errno(err, errno, "path: current directory of '%s'", path);
        add_components(&full, cwd);
    }
    add_components(&full, path);
    if (full.size == 0) vd_str_addc(&full, '/');
    vd_str_add(out, vd_str_text(&full));
    vd_status st = vd_str_check(&full, err);
    vd_str_reset(&full);
    return st != VD_OK ? st : vd_str_check(out, err);
}

static vd_status write_all(int fd, const char *p, size_t n, const char *path, vd_err *err) {
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return vd_fail_errno(err, errno, "write: %s", path);
        p += w;
        n -= (size_t)w;
    }
    return VD_OK;
}

vd_status vd_file_write(const char *path, const void *data, size_t size, vd_err *err) {
    vd_status st = VD_OK;
    vd_str tmp = { 0 };
    vd_str_addf(&tmp, "%s.tmp%d", path, (int)getpid());
    VD_TRY(vd_str_check(&tmp, err));
    int fd = open(tmp.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        st = vd_fail_errno(err, errno, "write: %s", path);
        goto done;
    }
    st = write_all(fd, data, size, path, err);
    if (st == VD_OK && fsync(fd) != 0) st = vd_fail_errno(err, errno, "write: %s", path);
    if (close(fd) != 0 && st == VD_OK) st = vd_fail_errno(err, errno, "write: %s", path);
    if (st == VD_OK && rename(tmp.data, path) != 0)
        st = vd_fail_errno(err, errno, "write: rename to %s", path);
    if (st != VD_OK) unlink(tmp.data);
done:
    vd_str_reset(&tmp);
    return st;
}

vd_status vd_file_pread(int fd, void *buf, size_t size, int64_t offset, size_t *got,
                        const char *path, vd_err *err) {
    size_t n = 0;
    while (n < size) {
        ssize_t r = pread(fd, (char *)buf + n, size - n, (off_t)(offset + (int64_t)n));
        if (r < 0 && errno == EINTR) continue;
        if (r < 0)
            return vd_fail_errno(err, errno, "read: %s at byte %lld", path,
                                 (long long)(offset + (int64_t)n));
        if (r == 0) break;
        n += (size_t)r;
    }
    *got = n;
    return VD_OK;
}

vd_status vd_file_read(char **out, size_t *size, const char *path, size_t limit, vd_err *err) {
    vd_status st = VD_OK;
    char *data = NULL;
    size_t got = 0;
    struct stat sb;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", path);
    if (fstat(fd, &sb) != 0) VD_GO(vd_fail_errno(err, errno, "read: %s", path));
    if (sb.st_size < 0 || (uint64_t)sb.st_size > limit)
        VD_GO(vd_fail(err, VD_E_LIMIT, "read: %s: %lld bytes exceed the limit of %zu", path,
                      (long long)sb.st_size, limit));
    data = vd_mem_alloc((size_t)sb.st_size + 1);
    if (data == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_file_pread(fd, data, (size_t)sb.st_size, 0, &got, path, err));
    data[got] = '\0';
    *out = data;
    *size = got;
    data = NULL;
done:
    vd_mem_free(data);
    close(fd);
    return st;
}

vd_status vd_dir_make(const char *path, vd_err *err) {
    if (mkdir(path, 0755) == 0) return VD_OK;
    struct stat sb;
    if (errno == EEXIST && stat(path, &sb) == 0 && S_ISDIR(sb.st_mode)) return VD_OK;
    return vd_fail_errno(err, errno, "directory: %s", path);
}
