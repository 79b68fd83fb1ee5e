/* The set; see set.h. SPDX-License-Identifier: Apache-2.0 */
#include "label/set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

enum { SPOOL_MEMORY = 8 << 20 };

typedef struct place {
    int64_t at;
    uint32_t size;
    int32_t image;
} place;

typedef struct vd_label_spool {
    place *place; /* in the order of pushing */
    int64_t cap;
    int64_t *start; /* of each image in `order`, and the end */
    int64_t *order;
    vd_str tail; /* what comes after `on_disk` bytes of the file */
    int64_t on_disk;
    int fd; /* -1: none */
    uint8_t *got;
    int64_t cap_got;
    vd_shape_buf shapes;
} vd_label_spool;

/* ---- collecting ---- */

static vd_status copy_text(vd_label_set *s, const char **text, vd_err *err) {
    if (*text == NULL) return VD_OK;
    *text = vd_arena_text(&s->arena, *text);
    return *text != NULL ? VD_OK : vd_nomem(err);
}

static vd_status on_category(void *user, const vd_label_category *c, vd_err *err) {
    vd_label_set *s = user;
    vd_label_category copy = *c;
    VD_TRY(VD_GROW(s->categories, s->cap_categories, s->n_categories + 1, err));
    VD_TRY(copy_text(s, &copy.name, err));
    VD_TRY(copy_text(s, &copy.parent, err));
    if (c->n_keypoints > 0) {
        const char **names = vd_arena_alloc(&s->arena, (size_t)c->n_keypoints * sizeof *names);
        if (names == NULL) return vd_nomem(err);
        for (int i = 0; i < c->n_keypoints; i++) {
            names[i] = c->keypoints[i];
            VD_TRY(copy_text(s, &names[i], err));
        }
        copy.keypoints = names;
    }
    if (c->n_edges > 0) {
        copy.edges = vd_arena_dup(&s->arena, c->edges, 2 * (size_t)c->n_edges * sizeof *c->edges);
        if (copy.edges == NULL) return vd_nomem(err);
    }
    s->categories[s->n_categories++] = copy;
    return VD_OK;
}

static vd_status on_image(void *user, const vd_label_image *m, vd_err *err) {
    vd_label_set *s = user;
    vd_label_image copy = *m;
    const vd_label_image *before = NULL;
    VD_TRY(VD_GROW(s->images, s->cap_images, s->n_images + 1, err));
    before = s->n_images > 0 ? &s->images[s->n_images - 1] : NULL;
    VD_TRY(copy_text(s, &copy.name, err));
    VD_TRY(copy_text(s, &copy.attributes, err));
    /* the same for many images in a row */
    bool subset = before != NULL && before->subset != NULL && copy.subset != NULL &&
                  strcmp(before->subset, copy.subset) == 0;
    bool sequence = before != NULL && before->sequence != NULL && copy.sequence != NULL &&
                    strcmp(before->sequence, copy.sequence) == 0;
    if (subset)
        copy.subset = before->subset;
    else
        VD_TRY(copy_text(s, &copy.subset, err));
    if (sequence)
        copy.sequence = before->sequence;
    else
        VD_TRY(copy_text(s, &copy.sequence, err));
    s->images[s->n_images++] = copy;
    return VD_OK;
}

static vd_status spool_of(vd_label_set *s, vd_err *err) {
    if (s->spool != NULL) return VD_OK;
    s->spool = vd_mem_array(1, sizeof *s->spool);
    if (s->spool == NULL) return vd_nomem(err);
    s->spool->fd = -1;
    return VD_OK;
}

static vd_status open_file(vd_label_spool *p, vd_err *err) {
    vd_str path = { 0 };
    const char *dir = getenv("TMPDIR");
    if (p->fd >= 0) return VD_OK;
    vd_str_addf(&path, "%s/vidimus-labels-XXXXXX", dir != NULL && dir[0] != '\0' ? dir : "/tmp");
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) {
        p->fd = mkostemp(path.data, O_CLOEXEC);
        if (p->fd < 0)
            st = vd_fail_errno(err, errno, "write: %s", path.data);
        else
            unlink(path.data);
    }
    vd_str_reset(&path);
    return st;
}

static vd_status flush(vd_label_spool *p, vd_err *err) {
    VD_TRY(open_file(p, err));
    for (int64_t at = 0; at < p->tail.size;) {
        ssize_t w = pwrite(p->fd, p->tail.data + at, (size_t)(p->tail.size - at), p->on_disk + at);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return vd_fail_errno(err, errno, "write: temporary file of labels");
        at += w;
    }
    p->on_disk += p->tail.size;
    vd_str_clear(&p->tail);
    return VD_OK;
}

static vd_status on_object(void *user, const vd_label_object *o, vd_err *err) {
    vd_label_set *s = user;
    VD_TRY(spool_of(s, err));
    vd_label_spool *p = s->spool;
    int64_t begin = p->tail.size;
    VD_TRY(VD_GROW(p->place, p->cap, s->n_objects + 1, err));
    vd_pack_object(&p->tail, o);
    VD_TRY(vd_str_check(&p->tail, err));
    if (p->tail.size - begin > UINT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "label: an object of more than 4 GiB");
    p->place[s->n_objects++] =
        (place){ p->on_disk + begin, (uint32_t)(p->tail.size - begin), o->image };
    s->has |= o->has;
    return p->tail.size >= SPOOL_MEMORY ? flush(p, err) : VD_OK;
}

vd_label_sink vd_label_set_sink(vd_label_set *out) {
    return (vd_label_sink){ on_category, on_image, on_object, out };
}

void vd_label_set_reset(vd_label_set *s) {
    vd_label_spool *p = s->spool;
    if (p != NULL) {
        if (p->fd >= 0) close(p->fd);
        vd_mem_free(p->place);
        vd_mem_free(p->start);
        vd_mem_free(p->order);
        vd_mem_free(p->got);
        vd_str_reset(&p->tail);
        vd_shape_buf_reset(&p->shapes);
        vd_mem_free(p);
    }
    vd_mem_free(s->categories);
    vd_mem_free(s->images);
    vd_mem_free(s->name);
    vd_arena_reset(&s->arena);
    *s = (vd_label_set){ 0 };
}

/* ---- looking ---- */

vd_status vd_label_set_finish(vd_label_set *s, vd_err *err) {
    VD_TRY(spool_of(s, err));
    vd_label_spool *p = s->spool;
    p->start = vd_mem_array((size_t)s->n_images + 2, sizeof *p->start);
    p->order = vd_mem_array((size_t)s->n_objects + 1, sizeof *p->order);
    if (p->start == NULL || p->order == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->n_objects; i++) p->start[p->place[i].image + 2]++;
    for (int64_t i = 2; i <= s->n_images + 1; i++) p->start[i] += p->start[i - 1];
    for (int64_t i = 0; i < s->n_objects; i++) p->order[p->start[p->place[i].image + 1]++] = i;
    return VD_OK;
}

int64_t vd_label_set_count(const vd_label_set *s, int64_t image) {
    return s->spool->start[image + 1] - s->spool->start[image];
}

vd_status vd_label_set_nth(vd_label_set *s, int64_t i, vd_label_object *out, vd_err *err) {
    vd_label_spool *p = s->spool;
    const place *at = &p->place[i];
    const void *bytes = NULL;
    if (at->at >= p->on_disk) {
        bytes = p->tail.data + (at->at - p->on_disk);
    } else {
        size_t got = 0;
        VD_TRY(VD_GROW(p->got, p->cap_got, at->size, err));
        VD_TRY(
            vd_file_pread(p->fd, p->got, at->size, at->at, &got, "temporary file of labels", err));
        if (got != at->size) return vd_fail(err, VD_E_IO, "read: temporary file of labels is cut");
        bytes = p->got;
    }
    return vd_unpack_object(out, &p->shapes, bytes, at->size, err);
}

vd_status vd_label_set_get(vd_label_set *s, int64_t image, int64_t k, vd_label_object *out,
                           vd_err *err) {
    return vd_label_set_nth(s, s->spool->order[s->spool->start[image] + k], out, err);
}
