/* Where an asset's bytes come from. Small files are read once, straight into the memory shared with
 * the decoder, and hashed there; large ones are hashed in pieces and decoded from their file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stage/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "image/sniff.h"
#include "source/archive.h"

enum { PIECE = 1 << 18, MAX_OPEN_ARCHIVES = 8 };
static const int64_t IN_MEMORY =
    8 << 20; /* larger files are read where they lie: a waiting worker holds little */

typedef struct open_archive {
    int64_t container_id;
    char *path;
    vd_archive *reader;
    int fd;
    uint64_t used; /* for choosing which to close */
} open_archive;

struct vd_archives {
    pthread_mutex_t lock;
    open_archive open[MAX_OPEN_ARCHIVES];
    uint64_t clock;
};

vd_status vd_archives_new(vd_archives **out, vd_err *err) {
    vd_archives *a = vd_mem_array(1, sizeof *a);
    if (a == NULL) return vd_nomem(err);
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return VD_OK;
}

static void close_archive(open_archive *o) {
    if (o->path == NULL) return;
    vd_archive_free(o->reader);
    if (o->fd >= 0) close(o->fd);
    vd_mem_free(o->path);
    *o = (open_archive){ 0 };
}

void vd_archives_free(vd_archives *a) {
    if (a == NULL) return;
    for (int i = 0; i < MAX_OPEN_ARCHIVES; i++) close_archive(&a->open[i]);
    pthread_mutex_destroy(&a->lock);
    vd_mem_free(a);
}

static void sniff(vd_bytes *b, const void *head, size_t n) {
    b->kind = vd_sniff(head, VD_MIN(n, VD_SNIFF_BYTES), b->source.name).kind;
}

static void refuse(vd_bytes *b, const char *reason, const char *detail) {
    b->ok = false;
    snprintf(b->reason, sizeof b->reason, "%.*s", (int)sizeof b->reason - 1, reason);
    snprintf(b->detail, sizeof b->detail, "%.*s", (int)sizeof b->detail - 1, detail);
}

/* The path of the archive in "archive!member": up to the '!' that ends an existing file. */
static vd_status container_path(vd_str *out, const char *uri, vd_err *err) {
    for (const char *p = strchr(uri, '!'); p != NULL; p = strchr(p + 1, '!')) {
        struct stat sb;
        vd_str_clear(out);
        vd_str_addn(out, uri, p - uri);
        VD_TRY(vd_str_check(out, err));
        if (stat(out->data, &sb) == 0 && S_ISREG(sb.st_mode)) return VD_OK;
    }
    vd_str_clear(out);
    vd_str_addn(out, uri, (int64_t)strcspn(uri, "!"));
    return vd_str_check(out, err);
}

static vd_status open_reader(open_archive *o, const char *path, int64_t id, vd_err *err) {
    o->container_id = id;
    if ((o->path = vd_mem_strdup(path)) == NULL) return vd_nomem(err);
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0) return vd_fail_errno(err, errno, "archive: %s", path);
    return vd_archive_new(&o->reader, o->fd, path, NULL, err);
}

/* The reader of a container, standing at `number`; a reader that is past it starts again. */
static vd_status reader_at(vd_archives *a, const char *path, int64_t id, int64_t number,
                           vd_archive_entry *entry, open_archive **out, vd_err *err) {
    open_archive *slot = NULL;
    for (int i = 0; i < MAX_OPEN_ARCHIVES; i++)
        if (a->open[i].path != NULL && a->open[i].container_id == id) slot = &a->open[i];
    if (slot != NULL && vd_archive_seek(slot->reader, number, entry, NULL) == VD_OK) {
        *out = slot;
        slot->used = ++a->clock;
        return VD_OK;
    }
    if (slot == NULL) {
        slot = &a->open[0];
        for (int i = 1; i < MAX_OPEN_ARCHIVES; i++)
            if (a->open[i].used < slot->used) slot = &a->open[i];
    }
    close_archive(slot);
    vd_status st = open_reader(slot, path, id, err);
    if (st == VD_OK) st = vd_archive_seek(slot->reader, number, entry, err);
    if (st != VD_OK) {
        close_archive(slot);
        return st;
    }
    slot->used = ++a->clock;
    *out = slot;
    return VD_OK;
}

/* A member of a compressed archive into the codec's input, or into `spare` without a codec. */
static vd_status read_member(vd_bytes *b, vd_archives *a, vd_codec *codec, const vd_item *item,
                             vd_str *spare, vd_err *err) {
    vd_status st = VD_OK;
    vd_str path = { 0 };
    vd_archive_entry entry;
    open_archive *o = NULL;
    uint8_t *data = NULL;
    int64_t got = 0;
    vd_err why = { 0 };
    VD_TRY(container_path(&path, item->uri, err));
    pthread_mutex_lock(&a->lock);
    st = reader_at(a, path.data, item->container_id, item->member_index, &entry, &o, &why);
    if (st == VD_OK && (entry.size < 0 || codec == NULL)) {
        st = vd_archive_read_str(o->reader, spare, &why);
        got = spare->size;
    } else if (st == VD_OK) {
        st = vd_codec_input(codec, (size_t)entry.size + 1, &data, &why);
        if (st == VD_OK) st = vd_archive_read(o->reader, data, entry.size, &got, &why);
    }
    pthread_mutex_unlock(&a->lock);
    if (st == VD_OK && data == NULL && codec != NULL) {
        st = vd_codec_input(codec, (size_t)got + 1, &data, &why);
        if (st == VD_OK && got > 0) memcpy(data, spare->data, (size_t)got);
    }
    vd_str_reset(&path);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    if (st != VD_OK) {
        b->retry = st == VD_E_IO; /* the archive itself could not be read */
        refuse(b,
               b->retry                 ? "open_failed"
               : st == VD_E_UNSUPPORTED ? "member_encrypted"
               : st == VD_E_LIMIT       ? "member_limit"
                                        : "member_damaged",
               why.msg);
        return VD_OK;
    }
    const void *bytes = data != NULL ? (const void *)data : vd_str_text(spare);
    vd_hash_hex(b->hash, vd_hash_bytes(bytes, (size_t)got));
    sniff(b, bytes, (size_t)got);
    b->source.size = got;
    b->data = data;
    b->ok = true;
    return VD_OK;
}

static vd_status hash_in_pieces(vd_bytes *b, int fd, const char *path, int64_t offset, int64_t size,
                                vd_err *err) {
    vd_hasher *h = NULL;
    vd_status st = VD_OK;
    vd_err why = { 0 };
    uint8_t *buf = vd_mem_alloc(PIECE);
    if (buf == NULL) return vd_nomem(err);
    VD_GO(vd_hasher_new(&h, err));
    for (int64_t at = 0; at < size;) {
        size_t got = 0;
        if (vd_file_pread(fd, buf, (size_t)VD_MIN(PIECE, size - at), offset + at, &got, path,
                          &why) != VD_OK) {
            refuse(b, "read_failed", why.msg);
            b->retry = true;
            goto done;
        }
        if (got == 0) {
            refuse(b, "changed", "the file became shorter while it was read");
            b->retry = true;
            goto done;
        }
        if (at == 0) sniff(b, buf, got);
        vd_hasher_add(h, buf, got);
        at += (int64_t)got;
    }
    vd_hash_hex(b->hash, vd_hasher_get(h));
    b->ok = true;
done:
    vd_hasher_free(h);
    vd_mem_free(buf);
    return st;
}

static vd_status read_range(vd_bytes *b, int fd, vd_codec *codec, const char *path, int64_t offset,
                            int64_t size, vd_err *err) {
    b->source.size = size;
    if (size > IN_MEMORY || codec == NULL) {
        b->source.fd = fd;
        b->source.offset = offset;
        return hash_in_pieces(b, fd, path, offset, size, err);
    }
    uint8_t *data = NULL;
    size_t got = 0;
    vd_err why = { 0 };
    VD_TRY(vd_codec_input(codec, (size_t)size + 1, &data, err));
    if (vd_file_pread(fd, data, (size_t)size, offset, &got, path, &why) != VD_OK) {
        refuse(b, "read_failed", why.msg);
        b->retry = true;
        return VD_OK;
    }
    sniff(b, data, got);
    b->source.size = (int64_t)got;
    b->data = data;
    vd_hash_hex(b->hash, vd_hash_bytes(data, got));
    b->ok = true;
    return VD_OK;
}

/* Opens for reading; sets `*fd` and `*size`, or says in `b` why not. */
static bool open_file(vd_bytes *b, const char *path, int *fd, int64_t *size) {
    struct stat sb;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd >= 0 && fstat(*fd, &sb) == 0) {
        *size = (int64_t)sb.st_size;
        return true;
    }
    char why[96];
    refuse(b, errno == ENOENT ? "file_missing" : "open_failed", strerror_r(errno, why, sizeof why));
    b->retry = true;
    return false;
}

static vd_status read_tar_member(vd_bytes *b, vd_open_tar *tar, vd_codec *codec,
                                 const vd_item *item, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = VD_OK;
    if (tar->fd < 0 || tar->container_id != item->container_id) {
        vd_open_tar_close(tar);
        VD_GO(container_path(&path, item->uri, err));
        if (!open_file(b, path.data, &tar->fd, &tar->size)) goto done;
        tar->container_id = item->container_id;
    }
    int64_t size = VD_MIN(item->size, tar->size - item->byte_offset);
    st = read_range(b, tar->fd, codec, item->uri, item->byte_offset, VD_MAX(size, 0), err);
done:
    vd_str_reset(&path);
    return st;
}

vd_status vd_bytes_read(vd_bytes *out, vd_archives *archives, vd_open_tar *tar, vd_codec *codec,
                        const vd_item *item, vd_err *err) {
    vd_status st = VD_OK;
    int64_t size = 0;
    *out = (vd_bytes){ .fd = -1, .source = { .name = item->uri, .fd = -1 } };
    if (item->container_id == 0) {
        if (open_file(out, item->uri, &out->fd, &size))
            st = read_range(out, out->fd, codec, item->uri, 0, size, err);
    } else if (item->byte_offset >= 0) {
        st = read_tar_member(out, tar, codec, item, err);
    } else {
        vd_str spare = { 0 };
        st = read_member(out, archives, codec, item, &spare, err);
        vd_str_reset(&spare);
    }
    if (st != VD_OK) vd_bytes_close(out);
    return st;
}

void vd_open_tar_close(vd_open_tar *t) {
    if (t->fd >= 0) close(t->fd);
    *t = (vd_open_tar){ .fd = -1 };
}

void vd_bytes_close(vd_bytes *b) {
    if (b->fd >= 0) close(b->fd);
    b->fd = -1;
}
