/* Decimal numbers as text: reading and writing doubles exactly, without a locale.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reading gives the double nearest to the decimal number, ties to even. Most numbers in files have
 * few digits, and for them one division of two exact doubles is that double (Clinger, How to Read
 * Floating Point Numbers Accurately, PLDI 1990). Up to 19 digits go through a 128-bit product with
 * a power of ten (Lemire, Number Parsing at a Gigabyte per Second, Software: Practice and
 * Experience 2021); the rest through strtod. */
#ifndef VD_BASE_DECIMAL_H
#define VD_BASE_DECIMAL_H

#include "base/str.h"

/* Reads a number of JSON's grammar, -? digits (. digits)? (e sign? digits)?, without leading zeros,
 * and gives where it ends; NULL where no such number begins at `p`. What follows must end with a
 * byte that belongs to no number, such as NUL. What is beyond the range of doubles gives an
 * infinity. */
const char *vd_decimal_read(const char *p, double *out);

/* The same as an integer: NULL where the number has a fraction or exponent or leaves int64. */
const char *vd_decimal_read_int(const char *p, int64_t *out);

/* Appends the shortest text that reads back the same, as vd_str_num does, only faster where few
 * digits do; nothing where `v` is not finite. */
void vd_decimal_add(vd_str *s, double v);
#endif
