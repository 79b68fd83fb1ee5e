/* NumPy array files (.npy). SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_NPY_H
#define VD_BASE_NPY_H

#include "base/err.h"

typedef enum vd_npy_type {
    VD_NPY_U8,
    VD_NPY_I32,
    VD_NPY_I64,
    VD_NPY_F32,
    VD_NPY_F64,
    VD_NPY_I8,
    VD_NPY_U16,
} vd_npy_type;

enum { VD_NPY_MAX_DIMS = 5 };

typedef struct vd_npy {
    vd_npy_type type;
    int n_dims; /* 1..VD_NPY_MAX_DIMS */
    int64_t dim[VD_NPY_MAX_DIMS];
    int64_t data_at; /* set by vd_npy_parse: where the elements begin in the file */
} vd_npy;

size_t vd_npy_elem_bytes(vd_npy_type type);

/* Writes `data`, C order, little-endian, as format version 1.0 (numpy.lib.format). The file appears
 * under its name only when complete; it is not synced to disk. Fails with VD_E_ARG, VD_E_IO,
 * VD_E_NOMEM. */
vd_status vd_npy_write(const char *path, const vd_npy *shape, const void *data, vd_err *err);

/* Reads the header out of the first `size` bytes of a file: versions 1.0 to 3.0, C order, the
 * types above. Fails with VD_E_FORMAT, or VD_E_UNSUPPORTED for other types, orders and more
 * dimensions. */
vd_status vd_npy_parse(vd_npy *out, const void *bytes, size_t size, vd_err *err);

/* Reads a whole array; *data is a fresh block of its elements, to be freed by vd_mem_free. Fails as
 * vd_npy_parse, with VD_E_FORMAT where the file is cut, VD_E_NOTFOUND, VD_E_IO, VD_E_NOMEM; outputs
 * untouched then. */
vd_status vd_npy_read(vd_npy *shape, void **data, const char *path, vd_err *err);
/* An array of real numbers [rows, columns], or of whole numbers [n], as double and int64_t whatever
 * its type; fresh blocks, to be freed by vd_mem_free. Fail as vd_npy_read, and with VD_E_FORMAT
 * where it is no such array. */
vd_status vd_npy_read_reals(double **out, int64_t *rows, int64_t *columns, const char *path,
                            vd_err *err);
vd_status vd_npy_read_wholes(int64_t **out, int64_t *n, const char *path, vd_err *err);
/* The number of elements of a shape. */
int64_t vd_npy_count(const vd_npy *shape);
#endif
