/* A dataset directory. SPDX-License-Identifier: Apache-2.0 */
#include "store/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

struct vd_dataset {
    vd_db *db;
    vd_str dir;
    const vd_schema *schema;
    int lock_fd; /* -1: reader */
};

static vd_status in_dir(vd_str *out, const char *dir, const char *name, vd_err *err) {
    vd_str_clear(out);
    vd_str_addf(out, "%s/%s", dir, name);
    return vd_str_check(out, err);
}

static vd_status has_catalog(const char *path, bool *out, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = in_dir(&s, path, "catalog.db", err);
    if (st == VD_OK) *out = access(s.data, F_OK) == 0;
    vd_str_reset(&s);
    return st;
}

bool vd_dataset_is(const char *path) {
    bool is = false;
    return has_catalog(path, &is, NULL) == VD_OK && is;
}

/* A directory that holds other things is not ours to fill. */
static vd_status check_free(const char *dir, vd_err *err) {
    DIR *d = opendir(dir);
    if (d == NULL) return vd_fail_errno(err, errno, "dataset: %s", dir);
    const struct dirent *e;
    vd_status st = VD_OK;
    while (st == VD_OK && (e = readdir(d)) != NULL) {
        const char *n = e->d_name;
        if (strcmp(n, ".") != 0 && strcmp(n, "..") != 0 && strcmp(n, "lock") != 0 &&
            strcmp(n, "arrays") != 0)
            st = vd_fail(err, VD_E_EXISTS,
                         "dataset: %s exists and is not a dataset (it holds '%s')", dir, n);
    }
    closedir(d);
    return st;
}

static vd_status take_lock(vd_dataset *ds, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = in_dir(&path, ds->dir.data, "lock", err);
    if (st == VD_OK) {
        ds->lock_fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (ds->lock_fd < 0)
            st = vd_fail_errno(err, errno, "dataset: %s", path.data);
        else if (flock(ds->lock_fd, LOCK_EX | LOCK_NB) != 0)
            st = vd_fail(err, VD_E_BUSY, "dataset: %s is being written by another process",
                         ds->dir.data);
    }
    vd_str_reset(&path);
    return st;
}

static vd_status upgrade(vd_dataset *ds, vd_err *err) {
    vd_str backup = { 0 };
    int64_t version = 0;
    vd_status st = vd_db_int(ds->db, "PRAGMA user_version", &version, err);
    vd_str_addf(&backup, "%s/catalog.v%lld.backup.db", ds->dir.data, (long long)version);
    if (st == VD_OK) st = vd_str_check(&backup, err);
    if (st == VD_OK) st = vd_schema_upgrade(ds->db, ds->schema, backup.data, err);
    vd_str_reset(&backup);
    return st;
}

static vd_status open_writer(vd_dataset *ds, vd_db_mode mode, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = VD_OK;
    bool there = false;
    if (mode == VD_DB_CREATE) {
        VD_GO(vd_dir_make(ds->dir.data, err));
        VD_GO(has_catalog(ds->dir.data, &there, err));
        if (!there) VD_GO(check_free(ds->dir.data, err));
        VD_GO(in_dir(&path, ds->dir.data, "arrays", err));
        VD_GO(vd_dir_make(path.data, err));
    }
    VD_GO(take_lock(ds, err));
    VD_GO(in_dir(&path, ds->dir.data, "catalog.db", err));
    VD_GO(vd_db_open(&ds->db, path.data, mode, err));
    VD_GO(upgrade(ds, err));
done:
    vd_str_reset(&path);
    return st;
}

static vd_status open_reader(vd_dataset *ds, bool *behind, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = in_dir(&path, ds->dir.data, "catalog.db", err);
    if (st == VD_OK) st = vd_db_open(&ds->db, path.data, VD_DB_READ, err);
    if (st == VD_OK) st = vd_schema_check(ds->db, path.data, behind, err);
    vd_str_reset(&path);
    return st;
}

vd_status vd_dataset_open(vd_dataset **out, const char *dir, vd_db_mode mode,
                          const vd_schema *schema, vd_err *err) {
    vd_status st = VD_OK;
    bool behind = false;
    vd_dataset *ds = vd_mem_array(1, sizeof *ds);
    if (ds == NULL) return vd_nomem(err);
    ds->schema = schema;
    ds->lock_fd = -1;
    VD_GO(vd_path_absolute(&ds->dir, dir, err));
    bool there = false;
    VD_GO(has_catalog(ds->dir.data, &there, err));
    if (mode != VD_DB_CREATE && !there)
        VD_GO(
            vd_fail(err, VD_E_NOTFOUND, "dataset: %s is not a dataset (no catalog.db in it)", dir));
    if (mode == VD_DB_READ) {
        VD_GO(open_reader(ds, &behind, err));
        if (behind) { /* upgrade once as a writer, then read */
            vd_db_close(ds->db);
            ds->db = NULL;
            VD_GO(open_writer(ds, VD_DB_WRITE, err));
        }
    } else {
        VD_GO(open_writer(ds, mode, err));
    }
    *out = ds;
    ds = NULL;
done:
    vd_dataset_close(ds);
    return st;
}

void vd_dataset_close(vd_dataset *ds) {
    if (ds == NULL) return;
    vd_db_close(ds->db);
    if (ds->lock_fd >= 0) close(ds->lock_fd);
    vd_str_reset(&ds->dir);
    vd_mem_free(ds);
}

vd_db *vd_dataset_db(const vd_dataset *ds) {
    return ds->db;
}
const char *vd_dataset_dir(const vd_dataset *ds) {
    return ds->dir.data;
}
const vd_schema *vd_dataset_schema(const vd_dataset *ds) {
    return ds->schema;
}
