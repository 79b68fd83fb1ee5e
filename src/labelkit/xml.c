/* Expat: the only file of this room that knows it. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/xml.h"

#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

enum { CHUNK = 64 << 10, MAX_DEPTH = 64, MAX_TEXT = 16 << 20 };

typedef struct parse {
    const vd_xml_handler *h;
    const char *name;
    XML_Parser p;
    vd_str path, text;
    int depth;
    vd_status st;
    vd_err *err;
    char where[512];
} parse;

static void stop(parse *x, vd_status st) {
    if (st == VD_OK || x->st != VD_OK) return;
    x->st = st;
    XML_StopParser(x->p, XML_FALSE);
}

static const char *where(parse *x) {
    snprintf(x->where, sizeof x->where, "%s:%lu", x->name,
             (unsigned long)XML_GetCurrentLineNumber(x->p));
    return x->where;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attr) {
    parse *x = user;
    if (x->st != VD_OK) return;
    if (++x->depth > MAX_DEPTH) {
        stop(x, vd_fail(x->err, VD_E_LIMIT, "%s: more than %d levels", where(x), MAX_DEPTH));
        return;
    }
    if (x->path.size > 0) vd_str_addc(&x->path, '/');
    vd_str_add(&x->path, name);
    vd_str_clear(&x->text);
    stop(x, vd_str_check(&x->path, x->err));
    if (x->st != VD_OK || x->h->start == NULL) return;
    const vd_xml_at at = { vd_str_text(&x->path), (const char *const *)attr, "", where(x) };
    stop(x, x->h->start(x->h->user, &at, x->err));
}

static void XMLCALL on_text(void *user, const XML_Char *text, int n) {
    parse *x = user;
    if (x->st != VD_OK) return;
    if (x->text.size + n > MAX_TEXT) {
        stop(x,
             vd_fail(x->err, VD_E_LIMIT, "%s: a text of more than %d bytes", where(x), MAX_TEXT));
        return;
    }
    vd_str_addn(&x->text, text, n);
    stop(x, vd_str_check(&x->text, x->err));
}

static void XMLCALL on_end(void *user, const XML_Char *name) {
    parse *x = user;
    (void)name;
    if (x->st != VD_OK) return;
    while (x->text.size > 0 && strchr(" \t\r\n", x->text.data[x->text.size - 1]) != NULL)
        x->text.data[--x->text.size] = '\0';
    const char *text = vd_str_text(&x->text);
    const char *const none[] = { NULL };
    const vd_xml_at at = { vd_str_text(&x->path), none, text + strspn(text, " \t\r\n"), where(x) };
    stop(x, x->h->end(x->h->user, &at, x->err));
    if (x->st != VD_OK) return;
    vd_str_clear(&x->text);
    const char *slash = strrchr(vd_str_text(&x->path), '/');
    x->path.size = slash != NULL ? slash - x->path.data : 0;
    x->path.data[x->path.size] = '\0';
    x->depth--;
}

static void XMLCALL on_entity(void *user, const XML_Char *name, int is_parameter,
                              const XML_Char *value, int n, const XML_Char *base,
                              const XML_Char *system, const XML_Char *public,
                              const XML_Char *notation) {
    parse *x = user;
    (void)name, (void)is_parameter, (void)value, (void)n, (void)base, (void)system, (void)public,
        (void)notation;
    stop(x, vd_fail(x->err, VD_E_FORMAT, "%s: declares an entity", where(x)));
}

static vd_status open_parser(parse *x, vd_err *err) {
    static const XML_Memory_Handling_Suite memory = { vd_mem_alloc, vd_mem_realloc, vd_mem_free };
    x->err = err;
    x->p = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (x->p == NULL) return vd_nomem(err);
    XML_SetUserData(x->p, x);
    XML_SetElementHandler(x->p, on_start, on_end);
    XML_SetCharacterDataHandler(x->p, on_text);
    XML_SetEntityDeclHandler(x->p, on_entity);
    return VD_OK;
}

static vd_status feed(parse *x, const char *bytes, size_t n, bool last) {
    if (XML_Parse(x->p, bytes, (int)n, last) == XML_STATUS_OK || x->st != VD_OK) return x->st;
    enum XML_Error e = XML_GetErrorCode(x->p);
    if (e == XML_ERROR_NO_MEMORY) return vd_nomem(x->err);
    return vd_fail(x->err, VD_E_FORMAT, "%s: %s", where(x), XML_ErrorString(e));
}

static void close_parser(parse *x) {
    if (x->p != NULL) XML_ParserFree(x->p);
    vd_str_reset(&x->path);
    vd_str_reset(&x->text);
}

vd_status vd_xml_parse(const vd_xml_handler *h, const char *name, const char *text, size_t size,
                       vd_err *err) {
    parse x = { .h = h, .name = name };
    vd_status st = open_parser(&x, err);
    for (size_t at = 0; st == VD_OK && at <= size; at += CHUNK) {
        size_t n = VD_MIN((size_t)CHUNK, size - at);
        st = feed(&x, text + at, n, at + n == size);
        if (at + n == size) break;
    }
    close_parser(&x);
    return st;
}

vd_status vd_xml_read(const vd_xml_handler *h, const char *path, vd_err *err) {
    parse x = { .h = h, .name = path };
    int64_t at = 0;
    size_t got = CHUNK;
    char *chunk = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", path);
    vd_status st = open_parser(&x, err);
    if (st == VD_OK && (chunk = vd_mem_alloc(CHUNK)) == NULL) st = vd_nomem(err);
    for (; st == VD_OK && got == CHUNK; at += (int64_t)got) {
        st = vd_file_pread(fd, chunk, CHUNK, at, &got, path, err);
        if (st == VD_OK) st = feed(&x, chunk, got, got < CHUNK);
    }
    close(fd);
    vd_mem_free(chunk);
    close_parser(&x);
    return st;
}
