/* Files and folders; see files.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

enum { MAX_DEPTH = 64, STEP = 1 << 20, HEAD = 64 << 10, MORE = 4 << 20 };

/* ---- names ---- */

vd_status vd_names_add(vd_names *out, const char *name, size_t n, vd_err *err) {
    VD_TRY(VD_GROW(out->name, out->cap, out->n + 1, err));
    out->name[out->n] = vd_mem_strndup(name, n);
    if (out->name[out->n] == NULL) return vd_nomem(err);
    out->n++;
    return VD_OK;
}

void vd_names_reset(vd_names *names) {
    for (int64_t i = 0; i < names->n; i++) vd_mem_free(names->name[i]);
    vd_mem_free(names->name);
    *names = (vd_names){ 0 };
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void vd_names_sort(vd_names *names) {
    if (names->n > 1) qsort(names->name, (size_t)names->n, sizeof *names->name, by_bytes);
}

static vd_status list_into(vd_names *out, const char *folder, const char *below, int depth,
                           vd_err *err) {
    vd_status st = VD_OK;
    vd_str path = { 0 }, name = { 0 };
    DIR *dir = NULL;
    vd_join(&path, folder, below);
    VD_GO(vd_str_check(&path, err));
    if ((dir = opendir(path.data)) == NULL) VD_GO(vd_fail_errno(err, errno, "read: %s", path.data));
    for (struct dirent *e; st == VD_OK && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        struct stat sb;
        bool known = fstatat(dirfd(dir), e->d_name, &sb, depth > 0 ? AT_SYMLINK_NOFOLLOW : 0) == 0;
        vd_join(&name, below, e->d_name);
        VD_GO(vd_str_check(&name, err));
        if (depth > 0 && known && S_ISDIR(sb.st_mode)) {
            if (depth < MAX_DEPTH) st = list_into(out, folder, name.data, depth + 1, err);
        } else {
            st = vd_names_add(out, name.data, (size_t)name.size, err);
        }
    }
done:
    if (dir != NULL) closedir(dir);
    vd_str_reset(&path);
    vd_str_reset(&name);
    return st;
}

vd_status vd_names_of(vd_names *out, const char *folder, vd_err *err) {
    VD_TRY(list_into(out, folder, "", 0, err));
    vd_names_sort(out);
    return VD_OK;
}

vd_status vd_names_below(vd_names *out, const char *folder, vd_err *err) {
    VD_TRY(list_into(out, folder, "", 1, err));
    vd_names_sort(out);
    return VD_OK;
}

bool vd_is_folder(const char *path) {
    struct stat sb;
    return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}
bool vd_is_file(const char *path) {
    struct stat sb;
    return stat(path, &sb) == 0 && S_ISREG(sb.st_mode);
}

void vd_read_head(const char *path, char *out, size_t size) {
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || vd_file_pread(fd, out, size - 1, 0, &got, path, NULL) != VD_OK) got = 0;
    if (fd >= 0) close(fd);
    out[got] = '\0';
}

bool vd_is_picture_name(const char *name) {
    static const char *const ext[] = { "jpg",  "jpeg", "png",  "bmp",  "webp", "tif",
                                       "tiff", "gif",  "avif", "heic", "ppm",  "pgm" };
    for (int i = 0; i < VD_COUNT(ext); i++)
        if (strcasecmp(vd_path_ext(name), ext[i]) == 0) return true;
    return false;
}

const char *vd_join(vd_str *s, const char *folder, const char *name) {
    vd_str_clear(s);
    if (folder != NULL && folder[0] != '\0') {
        vd_str_add(s, folder);
        if (name[0] != '\0' && s->size > 0 && s->data[s->size - 1] != '/') vd_str_addc(s, '/');
    }
    vd_str_add(s, name);
    return vd_str_text(s);
}

void vd_add_stem(vd_str *s, const char *path) {
    const char *name = vd_path_name(path), *dot = strrchr(name, '.');
    vd_str_addn(s, name, dot != NULL && dot != name ? dot - name : (int64_t)strlen(name));
}

void vd_add_safe_name(vd_str *s, const char *path, const char *ext) {
    const char *dot = strrchr(vd_path_name(path), '.');
    const char *end = dot != NULL && dot != vd_path_name(path) ? dot : path + strlen(path);
    int64_t begin = s->size;
    for (const char *p = path; p < end;) {
        size_t n = strcspn(p, "/");
        if (p + n > end) n = (size_t)(end - p);
        bool plain = n > 0 && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.');
        if (plain && s->size > begin) vd_str_addc(s, '/');
        if (plain) vd_str_addn(s, p, (int64_t)n);
        p += n;
        if (p < end) p++;
    }
    if (s->size == begin) vd_str_add(s, "unnamed");
    vd_str_add(s, ext);
}

/* ---- sizes of pictures ---- */

static int32_t be16(const uint8_t *p) {
    return p[0] << 8 | p[1];
}
static int32_t le16(const uint8_t *p) {
    return p[1] << 8 | p[0];
}
static int32_t le24(const uint8_t *p) {
    return p[2] << 16 | p[1] << 8 | p[0];
}

/* Segment after segment to the first start of a frame (ITU T.81, B.1.1.3): those of C0 to CF that
 * are no tables. */
static bool jpeg_size(const uint8_t *b, size_t n, int32_t *w, int32_t *h) {
    for (size_t at = 2; at + 9 <= n && b[at] == 0xff;) {
        uint8_t m = b[at + 1];
        if (m == 0xff) {
            at++;
            continue;
        }
        if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc) {
            *h = be16(b + at + 5);
            *w = be16(b + at + 7);
            return true;
        }
        at += 2 + (size_t)be16(b + at + 2);
    }
    return false;
}

static bool webp_size(const uint8_t *b, int32_t *w, int32_t *h) {
    if (memcmp(b + 12, "VP8X", 4) == 0) {
        *w = le24(b + 24) + 1;
        *h = le24(b + 27) + 1;
    } else if (memcmp(b + 12, "VP8L", 4) == 0) {
        *w = ((b[22] & 0x3f) << 8 | b[21]) + 1;
        *h = ((b[24] & 0xf) << 10 | b[23] << 2 | b[22] >> 6) + 1;
    } else {
        *w = le16(b + 26) & 0x3fff;
        *h = le16(b + 28) & 0x3fff;
    }
    return true;
}

static bool size_in(const uint8_t *b, size_t n, int32_t *w, int32_t *h) {
    if (n < 30) return false;
    if (memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0) {
        *w = be16(b + 16) << 16 | be16(b + 18);
        *h = be16(b + 20) << 16 | be16(b + 22);
    } else if (b[0] == 0xff && b[1] == 0xd8) {
        if (!jpeg_size(b, n, w, h)) return false;
    } else if (memcmp(b, "GIF8", 4) == 0) {
        *w = le16(b + 6);
        *h = le16(b + 8);
    } else if (memcmp(b, "BM", 2) == 0) {
        *w = le16(b + 18) | le16(b + 20) << 16;
        *h = le16(b + 22) | le16(b + 24) << 16;
        if (*h < 0 && *h > INT32_MIN) *h = -*h;
    } else if (memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBPVP8", 7) == 0) {
        webp_size(b, w, h);
    } else {
        return false;
    }
    return *w > 0 && *h > 0;
}

bool vd_label_picture_size(const char *path, int32_t *width, int32_t *height) {
    int32_t w = 0, h = 0;
    bool ok = false;
    size_t got = 0;
    uint8_t *head = vd_mem_alloc(MORE);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && head != NULL) {
        if (vd_file_pread(fd, head, HEAD, 0, &got, path, NULL) == VD_OK)
            ok = size_in(head, got, &w, &h);
        /* metadata of megabytes may come before a JPEG's frame */
        bool on = !ok && got == HEAD && head[0] == 0xff;
        if (on && vd_file_pread(fd, head, MORE, 0, &got, path, NULL) == VD_OK)
            ok = size_in(head, got, &w, &h);
    }
    if (fd >= 0) close(fd);
    vd_mem_free(head);
    if (ok) {
        *width = w;
        *height = h;
    }
    return ok;
}

/* ---- writing ---- */

vd_status vd_out_open(vd_out_file *f, const char *path, vd_err *err) {
    vd_str tmp = { 0 };
    *f = (vd_out_file){ .fd = -1 };
    vd_str_addf(&tmp, "%s.tmp%d", path, (int)getpid());
    f->path = vd_mem_strdup(path);
    f->tmp = vd_mem_strdup(vd_str_text(&tmp));
    vd_str_reset(&tmp);
    if (f->path == NULL || f->tmp == NULL || f->tmp[0] == '\0') {
        vd_out_drop(f);
        return vd_nomem(err);
    }
    f->fd = open(f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (f->fd >= 0) return VD_OK;
    vd_status st = vd_fail_errno(err, errno, "write: %s", path);
    vd_out_drop(f);
    return st;
}

static vd_status write_out(vd_out_file *f, vd_err *err) {
    VD_TRY(vd_str_check(&f->text, err));
    for (int64_t at = 0; at < f->text.size;) {
        ssize_t w = write(f->fd, f->text.data + at, (size_t)(f->text.size - at));
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return vd_fail_errno(err, errno, "write: %s", f->path);
        at += w;
    }
    vd_str_clear(&f->text);
    return VD_OK;
}

vd_status vd_out_step(vd_out_file *f, vd_err *err) {
    if (f->text.status == VD_OK && f->text.size < STEP) return VD_OK;
    return write_out(f, err);
}

vd_status vd_out_close(vd_out_file *f, vd_err *err) {
    vd_status st = write_out(f, err);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0 && st == VD_OK) st = vd_fail_errno(err, errno, "write: %s", f->path);
    if (st == VD_OK && rename(f->tmp, f->path) != 0)
        st = vd_fail_errno(err, errno, "write: rename to %s", f->path);
    if (st != VD_OK) unlink(f->tmp);
    vd_out_drop(f);
    return st;
}

void vd_out_drop(vd_out_file *f) {
    if (f->path != NULL && f->fd >= 0) {
        close(f->fd);
        unlink(f->tmp);
    }
    vd_str_reset(&f->text);
    vd_mem_free(f->path);
    vd_mem_free(f->tmp);
    *f = (vd_out_file){ .fd = -1 };
}

vd_status vd_make_folders(const char *path, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = VD_OK;
    for (const char *p = path; st == VD_OK && *p != '\0';) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        vd_str_clear(&s);
        vd_str_addn(&s, path, p - path);
        st = vd_str_check(&s, err);
        if (st == VD_OK && s.size > 0 && !vd_is_folder(s.data)) st = vd_dir_make(s.data, err);
    }
    vd_str_reset(&s);
    return st;
}

vd_status vd_out_text(const char *folder, const char *name, const vd_str *text, vd_err *err) {
    vd_str path = { 0 };
    vd_out_file f = { .fd = -1 };
    vd_status st = VD_OK;
    vd_join(&path, folder, name);
    VD_GO(vd_str_check(&path, err));
    char *slash = strrchr(path.data, '/');
    if (slash != NULL && slash != path.data) {
        *slash = '\0';
        st = vd_is_folder(path.data) ? VD_OK : vd_make_folders(path.data, err);
        *slash = '/';
        VD_GO(st);
    }
    VD_GO(vd_out_open(&f, path.data, err));
    vd_str_addn(&f.text, vd_str_text(text), text->size);
    VD_GO(vd_str_check(text, err));
    st = vd_out_close(&f, err);
done:
    vd_out_drop(&f);
    vd_str_reset(&path);
    return st;
}
