/* See probe.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json_stream.h"
#include "base/mem.h"
#include "base/path.h"

enum { HEAD = 256 << 10, PROBED_FOLDERS = 20 };

static void add_key(vd_label_probe *p, const char *key) {
    size_t used = strlen(p->keys), n = strlen(key);
    if (used + n + 2 > sizeof p->keys) return;
    memcpy(p->keys + used, key, n);
    p->keys[used + n] = ',';
    p->keys[used + n + 1] = '\0';
}

/* Members of the object that comes next, as far as the head goes: its end ends the walk. */
static void keys_of_object(vd_label_probe *p, vd_json_stream *s) {
    vd_js_text key;
    bool more = false;
    if (vd_js_enter(s, VD_JSON_OBJECT, NULL) != VD_OK) return;
    while (vd_js_member(s, &key, &more, NULL) == VD_OK && more) {
        add_key(p, key.p);
        if (vd_js_pass(s, NULL) != VD_OK) return;
    }
}

static vd_status keys_of(vd_label_probe *p, vd_err *err) {
    vd_json_stream *s = NULL;
    vd_json_type type = VD_JSON_NULL;
    bool more = false;
    const char *first = p->head + strspn(p->head, " \t\r\n\xef\xbb\xbf");
    if (*first != '{' && *first != '[') return VD_OK;
    VD_TRY(vd_js_open_bytes(&s, p->path, p->head, (size_t)p->n_head, err));
    p->list = *first == '[';
    if (!p->list)
        keys_of_object(p, s);
    else if (vd_js_enter(s, VD_JSON_ARRAY, NULL) == VD_OK && vd_js_item(s, &more, NULL) == VD_OK &&
             more && vd_js_type(s, &type, NULL) == VD_OK && type == VD_JSON_OBJECT)
        keys_of_object(p, s);
    vd_js_free(s);
    return VD_OK;
}

static vd_status probe_file(vd_label_probe *p, vd_err *err) {
    size_t got = 0;
    char *head = p->bytes = vd_mem_alloc(HEAD + 1);
    if (head == NULL) return vd_nomem(err);
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", p->path);
    vd_status st = vd_file_pread(fd, head, HEAD, 0, &got, p->path, err);
    close(fd);
    head[got] = '\0';
    p->head = head;
    p->n_head = (int64_t)got;
    p->ext = vd_path_ext(p->path);
    return st == VD_OK ? keys_of(p, err) : st;
}

bool vd_probe_key(const vd_label_probe *p, const char *key) {
    return vd_str_list_has(p->keys, key);
}

bool vd_probe_has(const vd_label_probe *p, const char *name) {
    for (int64_t i = 0; i < p->names.n; i++)
        if (strcmp(p->names.name[i], name) == 0) return true;
    return false;
}

bool vd_probe_below(const vd_label_probe *p, const char *name) {
    vd_str s = { 0 };
    bool there = p->folder && access(vd_join(&s, p->path, name), F_OK) == 0;
    vd_str_reset(&s);
    return there;
}

bool vd_probe_any(const vd_label_probe *p, const char *suffix) {
    bool any = false;
    vd_str folder = { 0 };
    for (int64_t i = 0; i < p->names.n && !any; i++) any = vd_str_ends(p->names.name[i], suffix);
    for (int64_t i = 0; i < p->names.n && i < PROBED_FOLDERS && !any; i++) {
        vd_names names = { 0 };
        if (!vd_is_folder(vd_join(&folder, p->path, p->names.name[i]))) continue;
        if (vd_names_of(&names, vd_str_text(&folder), NULL) == VD_OK)
            for (int64_t k = 0; k < names.n && !any; k++) any = vd_str_ends(names.name[k], suffix);
        vd_names_reset(&names);
    }
    vd_str_reset(&folder);
    return any;
}

vd_status vd_probe_path(vd_label_probe *out, const char *path, vd_err *err) {
    vd_label_probe p = { .path = path, .folder = vd_is_folder(path), .ext = "", .head = "" };
    if (!p.folder && access(path, F_OK) != 0)
        return vd_fail(err, VD_E_NOTFOUND, "label: %s is not there", path);
    vd_status st = p.folder ? vd_names_of(&p.names, path, err) : probe_file(&p, err);
    if (st == VD_OK)
        *out = p;
    else
        vd_probe_reset(&p);
    return st;
}

void vd_probe_reset(vd_label_probe *p) {
    vd_names_reset(&p->names);
    vd_mem_free(p->bytes);
    *p = (vd_label_probe){ 0 };
}
