/* Thrift's compact protocol; see thrift.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/thrift.h"

#include <string.h>

enum { T_I64 = 6, T_LIST = 9, SHORT_LIST = 15, SHORT_DELTA = 15 };

void vd_thrift_varint(vd_str *out, uint64_t v) {
    for (; v >= 0x80; v >>= 7) vd_str_addc(out, (char)((v & 0x7f) | 0x80));
    vd_str_addc(out, (char)v);
}

static void zigzag(vd_str *out, int64_t v) {
    vd_thrift_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void field_head(vd_thrift *t, int field, int type) {
    int delta = field - t->last[t->depth];
    t->last[t->depth] = field;
    if (delta > 0 && delta <= SHORT_DELTA) {
        vd_str_addc(t->out, (char)(delta << 4 | type));
        return;
    }
    vd_str_addc(t->out, (char)type);
    zigzag(t->out, field);
}

void vd_thrift_i32(vd_thrift *t, int field, int32_t v) {
    field_head(t, field, VD_THRIFT_I32);
    zigzag(t->out, v);
}

void vd_thrift_i64(vd_thrift *t, int field, int64_t v) {
    field_head(t, field, T_I64);
    zigzag(t->out, v);
}

void vd_thrift_binary(vd_thrift *t, int field, const void *bytes, int64_t n) {
    field_head(t, field, VD_THRIFT_BINARY);
    vd_thrift_varint(t->out, (uint64_t)n);
    vd_str_addn(t->out, bytes, n);
}

void vd_thrift_text(vd_thrift *t, int field, const char *text) {
    vd_thrift_binary(t, field, text, (int64_t)strlen(text));
}

void vd_thrift_begin(vd_thrift *t, int field) {
    if (field > 0) field_head(t, field, VD_THRIFT_STRUCT);
    t->last[++t->depth] = 0;
}

void vd_thrift_end(vd_thrift *t) {
    vd_str_addc(t->out, 0);
    t->depth--;
}

void vd_thrift_list(vd_thrift *t, int field, int type, int64_t n) {
    field_head(t, field, T_LIST);
    if (n < SHORT_LIST) {
        vd_str_addc(t->out, (char)(n << 4 | type));
        return;
    }
    vd_str_addc(t->out, (char)(SHORT_LIST << 4 | type));
    vd_thrift_varint(t->out, (uint64_t)n);
}

void vd_thrift_item_i32(vd_thrift *t, int32_t v) {
    zigzag(t->out, v);
}

void vd_thrift_item_text(vd_thrift *t, const char *text) {
    vd_thrift_varint(t->out, strlen(text));
    vd_str_add(t->out, text);
}
