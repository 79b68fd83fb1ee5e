/* One fuzz target for each reader that curation and the catalog's labels stand on, and one for all
 * label formats as files of a folder. Compiled with libFuzzer (curate_fuzz.c), and by
 * tests/unit/curate_fuzz.c, which replays a corpus. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_CURATE_H
#define VD_TESTS_FUZZ_CURATE_H

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/npy.h"
#include "curate/split.h"
#include "eval/classify.h"
#include "label/set.h"
#include "labelio/format.h"
#include "labelkit/in.h"
#include "store/label_read.h"

static inline void curate_must(bool ok) {
    if (!ok) abort();
}

/* Bytes under a name, for readers that open files. */
typedef struct curate_file {
    int fd;
    char path[40];
} curate_file;

static inline void curate_file_set(curate_file *f, const void *d, size_t n) {
    f->fd = memfd_create("fuzz", 0);
    curate_must(f->fd >= 0 && write(f->fd, d, n) == (ssize_t)n);
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
}

/* A name for mkstemp or mkdtemp, in memory where the system has a place there. */
static inline void curate_temporary(char out[64]) {
    bool shm = access("/dev/shm", W_OK) == 0;
    snprintf(out, 64, "%s/vidimus-fuzz-XXXXXX", shm ? "/dev/shm" : "/tmp");
}

/* What was read can be written, and is then read again and intact. */
static inline void curate_certificate(const uint8_t *d, size_t n) {
    vd_certificate a = { 0 };
    vd_err err = { 0 };
    int64_t before = vd_mem_live();
    char *text = malloc(n + 1);
    curate_must(text != NULL);
    memcpy(text, d, n);
    text[n] = '\0';
    vd_status st = vd_certificate_parse(&a, "fuzz", text, n, &err);
    curate_must(st == VD_OK || err.msg[0] != '\0');
    for (int64_t i = 0; i < a.n; i++) curate_must(a.part[i] < a.n_parts && a.group[i] >= 0);
    if (st == VD_OK) {
        vd_certificate b = { 0 };
        char to[64];
        curate_temporary(to);
        int fd = mkstemp(to);
        curate_must(fd >= 0 && vd_certificate_write(&a, to, NULL) == VD_OK);
        curate_must(vd_certificate_read(&b, to, NULL) == VD_OK && b.intact && b.n == a.n);
        close(fd);
        unlink(to);
        vd_certificate_reset(&b);
    }
    vd_certificate_reset(&a);
    free(text);
    curate_must(vd_mem_live() == before);
}

static inline void curate_npy(const uint8_t *d, size_t n) {
    vd_npy shape = { 0 };
    vd_err err = { 0 };
    void *data = NULL;
    curate_file f;
    int64_t before = vd_mem_live();
    curate_file_set(&f, d, n);
    if (vd_npy_read(&shape, &data, f.path, &err) == VD_OK) {
        size_t size = (size_t)vd_npy_count(&shape) * vd_npy_elem_bytes(shape.type);
        curate_must(shape.data_at > 0 && (size_t)shape.data_at + size <= n);
        curate_must(memcmp(data, d + shape.data_at, size) == 0);
    } else {
        curate_must(err.msg[0] != '\0' && data == NULL);
    }
    vd_mem_free(data);
    close(f.fd);
    curate_must(vd_mem_live() == before);
}

/* A truth, the byte 1E, predictions; and what is found out of them. */
static inline void curate_classes(const uint8_t *d, size_t n) {
    const uint8_t *at = n > 0 ? memchr(d, 0x1e, n) : NULL;
    size_t cut = at != NULL ? (size_t)(at - d) : n, skip = at != NULL ? cut + 1 : n;
    vd_class_items c = { 0 };
    vd_err err = { 0 };
    curate_file truth, pred;
    int64_t before = vd_mem_live();
    curate_file_set(&truth, d, cut);
    curate_file_set(&pred, d + skip, n - skip);
    if (vd_class_read(&c, truth.path, pred.path, &err) == VD_OK) {
        const vd_class_opt opt = { .top = 2, .bins = 5 };
        double v[VD_CLASS_NUMBERS];
        vd_class_tally *tally = vd_mem_array((size_t)c.n_classes, sizeof *tally);
        curate_must(tally != NULL);
        for (int64_t i = 0; i < c.n; i++)
            curate_must(c.item[i].truth >= 0 && c.item[i].truth < c.n_classes &&
                        c.item[i].guess < c.n_classes);
        vd_class_score(v, tally, &c, &opt);
        for (int i = 0; i < VD_CLASS_NUMBERS - 1; i++)
            curate_must(isnan(v[i]) || (v[i] >= 0 && v[i] <= 1 + 1e-12));
        vd_mem_free(tally);
    } else {
        curate_must(err.msg[0] != '\0');
    }
    vd_class_items_reset(&c);
    close(truth.fd);
    close(pred.fd);
    curate_must(vd_mem_live() == before);
}

/* ---- label sets as the catalog holds them ---- */

static inline vd_status curate_object(void *user, const vd_label_object *o, int64_t row,
                                      vd_err *err) {
    int64_t *seen = user;
    double sum = 0;
    (void)row, (void)err;
    for (int64_t i = 0; i < 2 * vd_label_vertices(o); i++) sum += o->xy[i];
    for (int64_t i = 0; i < o->n_runs; i++) sum += o->runs[i];
    for (int64_t i = 0; i < 3 * (int64_t)o->n_keypoints; i++) sum += o->keypoints[i];
    *seen += 1 + (sum > 0);
    return VD_OK;
}

static inline vd_status curate_category(void *user, const vd_label_category *c, vd_err *err) {
    int64_t *seen = user;
    (void)err;
    for (int32_t i = 0; i < c->n_keypoints; i++) *seen += c->keypoints[i][0] == 'x';
    for (int32_t i = 0; i < 2 * c->n_edges; i++) *seen += c->edges[i] == 1;
    return VD_OK;
}

/* Two bytes `has`, one text of keypoints and one of edges, each ended by 1E; the rest is a shape.
 */
static inline void curate_rows(const uint8_t *d, size_t n) {
    static vd_db *db;
    static vd_stmt *category, *label;
    if (db == NULL) {
        curate_must(vd_db_open(&db, ":memory:", VD_DB_CREATE, NULL) == VD_OK);
        curate_must(
            vd_db_exec(db,
                       "CREATE TABLE label_category(set_id, category, source_id, name, parent,"
                       " keypoints, edges); CREATE TABLE label_image(id, set_id, asset_id,"
                       " source_id, name, width, height, subset, sequence, frame, attributes);"
                       "CREATE TABLE label(id, image_id, category, has, source_id, x, y, width,"
                       " height, angle, area, score, track, caption, shape, attributes);"
                       "INSERT INTO label_image(id, set_id, source_id, name) VALUES(1, 1, 1, 'a');"
                       "INSERT INTO label_category(set_id, category, source_id, name)"
                       " VALUES(1, 0, 0, 'c'); INSERT INTO label(id, image_id) VALUES(1, 1)",
                       NULL) == VD_OK);
        curate_must(vd_db_prepare(&category, db,
                                  "UPDATE label_category SET keypoints = ?1, edges = ?2", true,
                                  NULL) == VD_OK);
        curate_must(vd_db_prepare(&label, db, "UPDATE label SET has = ?1, shape = ?2", true,
                                  NULL) == VD_OK);
    }
    const uint8_t *a = n > 2 ? memchr(d + 2, 0x1e, n - 2) : NULL;
    const uint8_t *b = a != NULL ? memchr(a + 1, 0x1e, (size_t)(d + n - a - 1)) : NULL;
    int64_t seen = 0;
    vd_err err = { 0 };
    if (b == NULL) return;
    char *points = strndup((const char *)d + 2, (size_t)(a - d - 2));
    char *edges = strndup((const char *)a + 1, (size_t)(b - a - 1));
    const vd_value v[] = { vd_val_text(points), vd_val_text(edges) };
    const vd_value w[] = { vd_val_int(d[0] | d[1] << 8), vd_val_blob(b + 1, d + n - b - 1) };
    curate_must(vd_stmt_run(category, v, 2, NULL) == VD_OK);
    curate_must(vd_stmt_run(label, w, 2, NULL) == VD_OK);
    const vd_label_walk walk = {
        .category = curate_category, .object = curate_object, .user = &seen, .shapes = true
    };
    curate_must(vd_label_set_walk(db, 1, &walk, &err) == VD_OK || err.msg[0] != '\0');
    free(points);
    free(edges);
}

/* ---- all formats, as files ---- */

enum { CURATE_FILES = 8 };

/* A name that stays below the folder. */
static inline bool curate_name(char out[80], const char *line, size_t n) {
    if (n == 0 || n > 60 || line[0] == '/') return false;
    for (size_t i = 0; i < n; i++) {
        bool plain = (line[i] >= '-' && line[i] <= '9') || line[i] == '_' ||
                     (line[i] >= 'A' && line[i] <= 'Z') || (line[i] >= 'a' && line[i] <= 'z');
        if (!plain || (line[i] == '.' && i > 0 && line[i - 1] == '.')) return false;
        if (line[i] == '/' && i + 1 < n && line[i + 1] == '/') return false;
    }
    memcpy(out, line, n);
    out[n] = '\0';
    return out[n - 1] != '/' && out[n - 1] != '.';
}

static inline int curate_unlink(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s, (void)kind, (void)at;
    return remove(path);
}

/* Writes "= NAME" and the lines up to the next such one as a file; NAME's folders are made. */
static inline int curate_unpack(const char *folder, char *first, const uint8_t *d, size_t n) {
    int files = 0;
    const char *p = (const char *)d, *end = p + n;
    while (p < end && files < CURATE_FILES) {
        const char *line = memmem(p, (size_t)(end - p), "= ", 2);
        const char *stop = line != NULL ? memchr(line, '\n', (size_t)(end - line)) : NULL;
        char name[80], path[200];
        if (stop == NULL) break;
        const char *next = memmem(stop, (size_t)(end - stop), "\n= ", 3);
        p = next != NULL ? next + 1 : end;
        if (!curate_name(name, line + 2, (size_t)(stop - line - 2))) continue;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        for (char *s = path + strlen(folder) + 1; (s = strchr(s, '/')) != NULL; s++) {
            *s = '\0';
            mkdir(path, 0700);
            *s = '/';
        }
        FILE *f = fopen(path, "wb");
        if (f == NULL) continue;
        fwrite(stop + 1, 1, (size_t)(p - stop - 1), f);
        fclose(f);
        if (files++ == 0) strcpy(first, path);
    }
    return files;
}

static inline void curate_tree(const uint8_t *d, size_t n) {
    char folder[64], first[200] = "";
    vd_label_set set = { 0 };
    vd_label_report report = { 0 };
    vd_label_in in;
    vd_err err = { 0 };
    int64_t before = vd_mem_live();
    if (n < 2) return;
    curate_temporary(folder);
    curate_must(mkdtemp(folder) != NULL);
    const vd_label_format *f =
        d[0] < 'a' ? NULL : vd_label_formats[(d[0] - 'a') % vd_n_label_formats];
    if (curate_unpack(folder, first, d + 1, n - 1) > 0) {
        const char *path = f != NULL && f->folder ? folder : d[0] % 2 ? first : folder;
        vd_status st = f == NULL ? vd_label_detect(&f, path, &err) : VD_OK;
        curate_must(vd_label_in_init(&in, vd_label_set_sink(&set), &report, NULL) == VD_OK);
        if (st == VD_OK) st = f->read(&in, path, &err);
        curate_must(st == VD_OK || err.msg[0] != '\0');
        if (st == VD_OK) curate_must(vd_label_set_finish(&set, NULL) == VD_OK);
        vd_label_in_reset(&in);
    }
    vd_label_set_reset(&set);
    vd_label_report_reset(&report);
    curate_must(nftw(folder, curate_unlink, 8, FTW_DEPTH | FTW_PHYS) == 0);
    curate_must(vd_mem_live() == before);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_curate[] = { { "certificate", curate_certificate },
                    { "npy", curate_npy },
                    { "classes", curate_classes },
                    { "rows", curate_rows },
                    { "tree", curate_tree } };

#endif
