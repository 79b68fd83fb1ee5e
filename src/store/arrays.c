/* Large arrays of assets. SPDX-License-Identifier: Apache-2.0 */
#include "store/arrays.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

static vd_status make_path(vd_str *out, const vd_dataset *ds, const char *name, int64_t id,
                           bool folders, vd_err *err) {
    unsigned spread = (unsigned)(vd_mix64((uint64_t)id) & 255);
    vd_str_clear(out);
    vd_str_addf(out, "%s/arrays/%s", vd_dataset_dir(ds), name);
    VD_TRY(vd_str_check(out, err));
    if (folders) VD_TRY(vd_dir_make(out->data, err));
    vd_str_addf(out, "/%02x", spread);
    VD_TRY(vd_str_check(out, err));
    if (folders) VD_TRY(vd_dir_make(out->data, err));
    vd_str_addf(out, "/%lld.npy", (long long)id);
    return vd_str_check(out, err);
}

vd_status vd_array_path(vd_str *out, const vd_dataset *ds, const char *name, int64_t id,
                        vd_err *err) {
    return make_path(out, ds, name, id, false, err);
}

vd_status vd_array_write(const vd_dataset *ds, const char *name, int64_t id, const vd_npy *shape,
                         const void *data, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = make_path(&path, ds, name, id, true, err);
    if (st == VD_OK) st = vd_npy_write(path.data, shape, data, err);
    vd_str_reset(&path);
    return st;
}

enum { HEAD = 4096 };

static vd_status parse(const char *path, int fd, vd_npy_type type, int64_t inner, vd_npy *a,
                       vd_err *err) {
    uint8_t head[HEAD];
    size_t got = 0;
    struct stat sb;
    int64_t elements = 1;
    VD_TRY(vd_file_pread(fd, head, sizeof head, 0, &got, path, err));
    VD_TRY(vd_npy_parse(a, head, got, err));
    if (fstat(fd, &sb) != 0) return vd_fail_errno(err, errno, "array: %s", path);
    for (int i = 1; i < a->n_dims; i++) elements *= a->dim[i];
    if (a->type != type || elements != inner)
        return vd_fail(err, VD_E_FORMAT, "array: %s holds elements of another kind", path);
    int64_t room = (int64_t)sb.st_size - a->data_at,
            each = inner * (int64_t)vd_npy_elem_bytes(type);
    if (a->dim[0] > room / each)
        return vd_fail(err, VD_E_FORMAT, "array: %s is cut: %lld rows of %lld bytes in %lld", path,
                       (long long)a->dim[0], (long long)each, (long long)room);
    return VD_OK;
}

vd_status vd_array_read(const vd_dataset *ds, const char *name, int64_t id, vd_npy_type type,
                        int64_t inner, void **out, int64_t *n, vd_err *err) {
    vd_status st = VD_OK;
    vd_str path = { 0 };
    vd_npy a = { 0 };
    void *data = NULL;
    size_t got = 0;
    int fd = -1;
    VD_GO(make_path(&path, ds, name, id, false, err));
    fd = open(path.data, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        VD_GO(vd_fail(err, VD_E_NOTFOUND, "array: there is no %s", path.data));
    if (fd < 0) VD_GO(vd_fail_errno(err, errno, "array: %s", path.data));
    VD_GO(parse(path.data, fd, type, inner, &a, err));
    size_t bytes = (size_t)(a.dim[0] * inner) * vd_npy_elem_bytes(type);
    if ((data = vd_mem_alloc(bytes + 1)) == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_file_pread(fd, data, bytes, a.data_at, &got, path.data, err));
    if (got != bytes) VD_GO(vd_fail(err, VD_E_FORMAT, "array: %s became shorter", path.data));
    *out = data;
    *n = a.dim[0];
    data = NULL;
done:
    vd_mem_free(data);
    if (fd >= 0) close(fd);
    vd_str_reset(&path);
    return st;
}

void vd_array_remove(const vd_dataset *ds, const char *name, int64_t id) {
    vd_str path = { 0 };
    if (make_path(&path, ds, name, id, false, NULL) == VD_OK) unlink(path.data);
    vd_str_reset(&path);
}
