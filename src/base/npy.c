/* NumPy array files: six magic bytes, the version, the header's length, a Python dictionary literal
 * padded so that the elements begin at a multiple of 64, the elements. Format: NEP 1 and
 * numpy.lib.format. The reader takes the dictionary in any key order, as the format allows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are written as they lie in memory, and the files are little-endian"
#endif

static const struct {
    const char *descr;
    size_t bytes;
} types[] = { [VD_NPY_U8] = { "|u1", 1 },  [VD_NPY_I32] = { "<i4", 4 }, [VD_NPY_I64] = { "<i8", 8 },
              [VD_NPY_F32] = { "<f4", 4 }, [VD_NPY_F64] = { "<f8", 8 }, [VD_NPY_I8] = { "|i1", 1 },
              [VD_NPY_U16] = { "<u2", 2 } };

size_t vd_npy_elem_bytes(vd_npy_type type) {
    return types[type].bytes;
}

static void write_header(vd_str *s, const vd_npy *a) {
    vd_str dict = { 0 };
    vd_str_addf(&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[a->type].descr);
    for (int i = 0; i < a->n_dims; i++)
        vd_str_addf(&dict, "%s%lld%s", i > 0 ? ", " : "", (long long)a->dim[i],
                    a->n_dims == 1 ? "," : "");
    vd_str_add(&dict, "), }");
    while ((10 + dict.size + 1) % 64 != 0 && dict.status == VD_OK) vd_str_addc(&dict, ' ');
    vd_str_addc(&dict, '\n');
    char head[10] = "\x93NUMPY\x01";
    head[8] = (char)(dict.size & 255);
    head[9] = (char)(dict.size >> 8);
    vd_str_addn(s, head, 10);
    vd_str_add(s, vd_str_text(&dict));
    if (dict.status != VD_OK) s->status = dict.status;
    vd_str_reset(&dict);
}

vd_status vd_npy_write(const char *path, const vd_npy *a, const void *data, vd_err *err) {
    vd_status st = VD_OK;
    vd_str head = { 0 }, tmp = { 0 };
    FILE *f = NULL;
    size_t n = 1;
    if (a->n_dims < 1 || a->n_dims > VD_NPY_MAX_DIMS)
        return vd_fail(err, VD_E_ARG, "npy: %d dimensions, allowed are 1 to %d", a->n_dims,
                       VD_NPY_MAX_DIMS);
    for (int i = 0; i < a->n_dims; i++) {
        if (a->dim[i] < 0 || (a->dim[i] > 0 && n > SIZE_MAX / 8 / (size_t)a->dim[i]))
            return vd_fail(err, VD_E_ARG, "npy: dimension %d is %lld", i, (long long)a->dim[i]);
        n *= (size_t)a->dim[i];
    }
    write_header(&head, a);
    vd_str_addf(&tmp, "%s.tmp%d", path, (int)getpid());
    VD_GO(vd_str_check(&head, err));
    VD_GO(vd_str_check(&tmp, err));
    f = fopen(tmp.data, "wbe");
    if (f == NULL) VD_GO(vd_fail_errno(err, errno, "write: %s", path));
    bool ok = fwrite(head.data, 1, (size_t)head.size, f) == (size_t)head.size &&
              fwrite(data, types[a->type].bytes, n, f) == n;
    int errnum = errno;
    if (fclose(f) != 0 && ok) {
        ok = false;
        errnum = errno;
    }
    if (ok && rename(tmp.data, path) != 0) {
        ok = false;
        errnum = errno;
    }
    if (!ok) {
        st = vd_fail_errno(err, errnum, "write: %s", path);
        unlink(tmp.data);
    }
done:
    vd_str_reset(&head);
    vd_str_reset(&tmp);
    return st;
}

/* What follows `'key':` in the dictionary, past blanks; NULL where it is not there. */
static const char *value_of(const char *dict, const char *key) {
    const char *p = strstr(dict, key);
    if (p == NULL) return NULL;
    p += strlen(key);
    p += strspn(p, " ");
    return *p == ':' ? p + 1 + strspn(p + 1, " ") : NULL;
}

static vd_status parse_shape(vd_npy *a, const char *p, vd_err *err) {
    if (*p != '(') return vd_fail(err, VD_E_FORMAT, "npy: the shape is no tuple");
    for (p++; a->n_dims <= VD_NPY_MAX_DIMS; p++) {
        p += strspn(p, " ");
        if (*p == ')') return VD_OK;
        char *end;
        errno = 0;
        long long v = strtoll(p, &end, 10);
        if (end == p || errno != 0 || v < 0)
            return vd_fail(err, VD_E_FORMAT, "npy: bad length of dimension %d", a->n_dims);
        if (a->n_dims == VD_NPY_MAX_DIMS) break;
        a->dim[a->n_dims++] = v;
        p = end + strspn(end, " L");
        if (*p == ')') return VD_OK;
        if (*p != ',') return vd_fail(err, VD_E_FORMAT, "npy: the shape is no tuple of numbers");
    }
    return vd_fail(err, VD_E_UNSUPPORTED, "npy: more than %d dimensions", VD_NPY_MAX_DIMS);
}

static vd_status parse_dict(vd_npy *a, const char *dict, vd_err *err) {
    const char *descr = value_of(dict, "'descr'"), *order = value_of(dict, "'fortran_order'"),
               *shape = value_of(dict, "'shape'");
    if (descr == NULL || order == NULL || shape == NULL)
        return vd_fail(err, VD_E_FORMAT, "npy: the header lacks descr, fortran_order or shape");
    if (!vd_str_starts(order, "False"))
        return vd_fail(err, VD_E_UNSUPPORTED, "npy: only C order is read");
    int type = -1;
    for (int i = 0; i < VD_COUNT(types); i++)
        if (descr[0] == '\'' && strncmp(descr + 1, types[i].descr, 3) == 0 && descr[4] == '\'')
            type = i;
    if (type < 0) return vd_fail(err, VD_E_UNSUPPORTED, "npy: element type %.8s", descr);
    a->type = (vd_npy_type)type;
    return parse_shape(a, shape, err);
}

vd_status vd_npy_parse(vd_npy *out, const void *bytes, size_t size, vd_err *err) {
    const uint8_t *b = bytes;
    if (size < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return vd_fail(err, VD_E_FORMAT, "npy: no NumPy file");
    size_t at = b[6] == 1 ? 10 : 12;
    if (b[6] < 1 || b[6] > 3 || size < at)
        return vd_fail(err, VD_E_UNSUPPORTED, "npy: version %d", b[6]);
    size_t n = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1) n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (n > size - at)
        return vd_fail(err, VD_E_FORMAT, "npy: header of %zu bytes, %zu are there", n, size - at);
    char *dict = vd_mem_strndup((const char *)b + at, n);
    if (dict == NULL) return vd_nomem(err);
    vd_npy a = { .data_at = (int64_t)(at + n) };
    vd_status st = parse_dict(&a, dict, err);
    vd_mem_free(dict);
    if (st == VD_OK) *out = a;
    return st;
}

int64_t vd_npy_count(const vd_npy *a) {
    int64_t n = 1;
    for (int i = 0; i < a->n_dims; i++) n *= a->dim[i];
    return n;
}

/* The header, and whether the file has all the elements that it promises. */
static vd_status read_head(vd_npy *a, const char *path, int fd, vd_err *err) {
    enum { HEAD = 4096 };
    uint8_t head[HEAD];
    size_t got = 0;
    struct stat sb;
    vd_err why = { 0 };
    VD_TRY(vd_file_pread(fd, head, sizeof head, 0, &got, path, err));
    vd_status st = vd_npy_parse(a, head, got, &why);
    if (st != VD_OK) return vd_fail(err, st, "%s: %s", path, why.msg);
    if (fstat(fd, &sb) != 0) return vd_fail_errno(err, errno, "read: %s", path);
    int64_t room = ((int64_t)sb.st_size - a->data_at) / (int64_t)types[a->type].bytes, n = 1;
    for (int i = 0; i < a->n_dims; i++) {
        if (a->dim[i] > 0 && n > room / a->dim[i])
            return vd_fail(err, VD_E_FORMAT, "%s: npy: cut, only %lld elements are there", path,
                           (long long)room);
        n *= a->dim[i];
    }
    return VD_OK;
}

vd_status vd_npy_read(vd_npy *shape, void **data, const char *path, vd_err *err) {
    vd_status st = VD_OK;
    vd_npy a = { 0 };
    void *p = NULL;
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return vd_fail(err, VD_E_NOTFOUND, "read: there is no %s", path);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", path);
    VD_GO(read_head(&a, path, fd, err));
    size_t bytes = (size_t)vd_npy_count(&a) * types[a.type].bytes;
    if ((p = vd_mem_alloc(bytes + 1)) == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_file_pread(fd, p, bytes, a.data_at, &got, path, err));
    if (got != bytes) VD_GO(vd_fail(err, VD_E_FORMAT, "%s: npy: became shorter", path));
    *shape = a;
    *data = p;
    p = NULL;
done:
    vd_mem_free(p);
    close(fd);
    return st;
}

vd_status vd_npy_read_reals(double **out, int64_t *rows, int64_t *columns, const char *path,
                            vd_err *err) {
    vd_npy a = { 0 };
    void *data = NULL;
    VD_TRY(vd_npy_read(&a, &data, path, err));
    double *v = data;
    if (a.n_dims != 2 || (a.type != VD_NPY_F64 && a.type != VD_NPY_F32)) {
        vd_mem_free(data);
        return vd_fail(err, VD_E_FORMAT, "%s: no float32 or float64 array of two dimensions", path);
    }
    if (a.type == VD_NPY_F32) {
        v = vd_mem_array((size_t)vd_npy_count(&a), sizeof *v);
        for (int64_t i = 0; v != NULL && i < vd_npy_count(&a); i++) v[i] = ((float *)data)[i];
        vd_mem_free(data);
        if (v == NULL) return vd_nomem(err);
    }
    *out = v;
    *rows = a.dim[0];
    *columns = a.dim[1];
    return VD_OK;
}

static int64_t whole_at(const void *data, vd_npy_type type, int64_t i) {
    switch (type) {
    case VD_NPY_U8: return ((const uint8_t *)data)[i];
    case VD_NPY_I8: return ((const int8_t *)data)[i];
    case VD_NPY_U16: return ((const uint16_t *)data)[i];
    case VD_NPY_I32: return ((const int32_t *)data)[i];
    default: return ((const int64_t *)data)[i];
    }
}

vd_status vd_npy_read_wholes(int64_t **out, int64_t *n, const char *path, vd_err *err) {
    vd_npy a = { 0 };
    void *data = NULL;
    VD_TRY(vd_npy_read(&a, &data, path, err));
    if (a.n_dims != 1 || a.type == VD_NPY_F32 || a.type == VD_NPY_F64) {
        vd_mem_free(data);
        return vd_fail(err, VD_E_FORMAT, "%s: no array of whole numbers, one an item", path);
    }
    int64_t *v = vd_mem_array((size_t)a.dim[0], sizeof *v);
    for (int64_t i = 0; v != NULL && i < a.dim[0]; i++) v[i] = whole_at(data, a.type, i);
    vd_mem_free(data);
    if (v == NULL) return vd_nomem(err);
    *out = v;
    *n = a.dim[0];
    return VD_OK;
}
