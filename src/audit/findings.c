/* Where checks put what they find, and the set that they read. SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/mem.h"
#include "base/str.h"

enum { MOST_EVIDENCE = 400 };

void vd_audit_set_reset(vd_audit_set *s) {
    vd_mem_free(s->category);
    vd_mem_free(s->image);
    vd_mem_free(s->object);
    vd_arena_reset(&s->texts);
    *s = (vd_audit_set){ 0 };
}

const char *vd_audit_class(const vd_audit_set *s, int64_t object) {
    int32_t c = s->object[object].category;
    return c >= 0 && c < s->n_categories ? s->category[c].name : "(none)";
}

bool vd_audit_placed(const vd_audit_object *o) {
    return isfinite(o->box[0]) && isfinite(o->box[1]) && o->box[2] > 0 && o->box[3] > 0 &&
           isfinite(o->box[2]) && isfinite(o->box[3]);
}

void vd_audit_findings_init(vd_audit_findings *f) {
    *f = (vd_audit_findings){ 0 };
    for (int i = 0; i < VD_AUDIT_KINDS; i++) f->threshold[i] = vd_audit_kinds[i].threshold;
}

void vd_audit_findings_reset(vd_audit_findings *f) {
    vd_mem_free(f->row);
    vd_arena_reset(&f->texts);
    *f = (vd_audit_findings){ 0 };
}

static int order(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

static int by_place(const void *pa, const void *pb) {
    const vd_audit_finding *a = pa, *b = pb;
    int d = order(a->kind, b->kind);
    if (d == 0) d = order(a->image, b->image);
    if (d == 0) d = order(a->label, b->label);
    if (d == 0) d = order(a->other, b->other);
    return d != 0 ? d : strcmp(a->evidence, b->evidence);
}

void vd_audit_findings_sort(vd_audit_findings *f) {
    if (f->n > 1) qsort(f->row, (size_t)f->n, sizeof *f->row, by_place);
}

/* Text from others may be cut inside of a character: what is left of it goes. */
static void whole_characters(char *text) {
    size_t n = strlen(text), at = n;
    while (at > 0 && n - at < 4 && ((unsigned char)text[at - 1] & 0xC0) == 0x80) at--;
    if (at > 0 && (unsigned char)text[at - 1] >= 0xC0 &&
        vd_utf8_len(text + at - 1) != (int)(n - at + 1))
        text[at - 1] = '\0';
}

static vd_status add(vd_audit_findings *f, vd_audit_finding row, vd_err *err, const char *fmt,
                     va_list args) {
    char text[MOST_EVIDENCE];
    if (!(row.score < f->threshold[row.kind])) return VD_OK;
    vsnprintf(text, sizeof text, fmt, args);
    whole_characters(text);
    row.evidence = vd_arena_text(&f->texts, text);
    if (row.evidence == NULL) return vd_nomem(err);
    VD_TRY(VD_GROW(f->row, f->cap, f->n + 1, err));
    f->row[f->n++] = row;
    return VD_OK;
}

vd_status vd_audit_add_object(vd_audit_findings *f, vd_audit_kind kind, const vd_audit_set *s,
                              int64_t object, int64_t other, double score, vd_err *err,
                              const char *fmt, ...) {
    if (!(score < f->threshold[kind])) return VD_OK; /* nearly always */
    const vd_audit_object *o = &s->object[object];
    const vd_audit_image *m = &s->image[o->image];
    vd_audit_finding row = { .kind = kind,
                             .image = o->image,
                             .label = o->row,
                             .other = other,
                             .image_row = m->row,
                             .asset = m->asset,
                             .name =
                                 o->category == VD_LABEL_NONE ? NULL : vd_audit_class(s, object),
                             .score = score };
    va_list args;
    memcpy(row.box, o->box, sizeof row.box);
    va_start(args, fmt);
    vd_status st = add(f, row, err, fmt, args);
    va_end(args);
    return st;
}

vd_status vd_audit_add_image(vd_audit_findings *f, vd_audit_kind kind, const vd_audit_set *s,
                             int64_t image, double score, vd_err *err, const char *fmt, ...) {
    const vd_audit_image *m = &s->image[image];
    const vd_audit_finding row = { .kind = kind,
                                   .image = (int32_t)image,
                                   .image_row = m->row,
                                   .asset = m->asset,
                                   .score = score };
    va_list args;
    va_start(args, fmt);
    vd_status st = add(f, row, err, fmt, args);
    va_end(args);
    return st;
}

vd_status vd_audit_add(vd_audit_findings *f, const vd_audit_finding *row, vd_err *err,
                       const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vd_status st = add(f, *row, err, fmt, args);
    va_end(args);
    return st;
}
