/* Apache Thrift's compact protocol, the part that Parquet's metadata is written in.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers are zigzag varints; a field is its type and the distance of its number to that of the
 * field before, so that fields of a struct come in ascending order. */
#ifndef VD_PUBLISH_THRIFT_H
#define VD_PUBLISH_THRIFT_H

#include "base/str.h"

enum { VD_THRIFT_I32 = 5, VD_THRIFT_BINARY = 8, VD_THRIFT_STRUCT = 12 };
enum { VD_THRIFT_DEPTH = 8 };

/* Appends to `out`; `last` are the numbers of the fields written last, of each open struct. */
typedef struct vd_thrift {
    vd_str *out;
    int last[VD_THRIFT_DEPTH], depth;
} vd_thrift;

void vd_thrift_varint(vd_str *out, uint64_t v);
void vd_thrift_i32(vd_thrift *t, int field, int32_t v);
void vd_thrift_i64(vd_thrift *t, int field, int64_t v);
void vd_thrift_binary(vd_thrift *t, int field, const void *bytes, int64_t n);
void vd_thrift_text(vd_thrift *t, int field, const char *text);
/* A struct as a field; field 0: as the element of a list, or the outermost one. */
void vd_thrift_begin(vd_thrift *t, int field);
void vd_thrift_end(vd_thrift *t);
/* A list of `n` elements of one type, which follow without field headers. */
void vd_thrift_list(vd_thrift *t, int field, int type, int64_t n);
void vd_thrift_item_i32(vd_thrift *t, int32_t v);
void vd_thrift_item_text(vd_thrift *t, const char *text);
#endif
