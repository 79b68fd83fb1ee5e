/* Arrays of assets: what is written comes back, and what is damaged is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/path.h"
#include "stage/stages.h"
#include "store/arrays.h"
#include "tmpdir.h"

static const vd_npy shape = { .type = VD_NPY_I64, .n_dims = 2, .dim = { 3, 2 } };
static const int64_t values[6] = { 1, -2, INT64_MAX, INT64_MIN, 5, 6 };

static vd_dataset *make(const char *dir) {
    vd_dataset *ds = NULL;
    vd_str path = { 0 };
    vd_err err = { 0 };
    vd_str_addf(&path, "%s/d.vidimus", dir);
    if (vd_dataset_open(&ds, path.data, VD_DB_CREATE, &vd_stage_schema, &err) != VD_OK)
        fprintf(stderr, "%s\n", err.msg);
    vd_str_reset(&path);
    return ds;
}

T(an_array_comes_back) {
    vd_err err = { 0 };
    t_dir dir = t_dir_new();
    vd_dataset *ds = make(dir.path);
    T_NEED(ds != NULL);
    void *data = NULL;
    int64_t n = 0, big = ((int64_t)7 << 32) + 5; /* a frame's id */
    T_EQ(vd_array_read(ds, "things", big, VD_NPY_I64, 2, &data, &n, NULL), VD_E_NOTFOUND);
    T_OK(vd_array_write(ds, "things", big, &shape, values, &err));
    T_OK(vd_array_write(ds, "things", big, &shape, values, &err)); /* replaces */
    T_OK(vd_array_read(ds, "things", big, VD_NPY_I64, 2, &data, &n, &err));
    T_EQ(n, 3);
    T_EQ(memcmp(data, values, sizeof values), 0);
    vd_mem_free(data);
    vd_array_remove(ds, "things", big);
    vd_array_remove(ds, "things", big);
    T_EQ(vd_array_read(ds, "things", big, VD_NPY_I64, 2, &data, &n, NULL), VD_E_NOTFOUND);
    vd_dataset_close(ds);
    t_dir_free(&dir);
}

T(another_kind_and_a_cut_file_are_refused) {
    vd_err err = { 0 };
    t_dir dir = t_dir_new();
    vd_dataset *ds = make(dir.path);
    T_NEED(ds != NULL);
    vd_str path = { 0 };
    void *data = NULL;
    int64_t n = 0;
    T_OK(vd_array_write(ds, "things", 9, &shape, values, &err));
    T_EQ(vd_array_read(ds, "things", 9, VD_NPY_F64, 2, &data, &n, NULL), VD_E_FORMAT);
    T_EQ(vd_array_read(ds, "things", 9, VD_NPY_I64, 3, &data, &n, NULL), VD_E_FORMAT);
    T_OK(vd_array_path(&path, ds, "things", 9, &err));
    T_EQ(truncate(path.data, 128 + 40), 0);
    T_EQ(vd_array_read(ds, "things", 9, VD_NPY_I64, 2, &data, &n, NULL), VD_E_FORMAT);
    T_EQ(truncate(path.data, 3), 0);
    T_EQ(vd_array_read(ds, "things", 9, VD_NPY_I64, 2, &data, &n, NULL), VD_E_FORMAT);
    T_TRUE(data == NULL);
    vd_str_reset(&path);
    vd_dataset_close(ds);
    t_dir_free(&dir);
}
