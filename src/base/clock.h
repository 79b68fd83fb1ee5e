/* Clocks and dates. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_CLOCK_H
#define VD_BASE_CLOCK_H

#include "base/err.h"

double vd_time_mono_s(void);                     /* monotonic seconds, arbitrary origin */
int64_t vd_time_unix_ns(void);                   /* wall clock */
void vd_time_iso(char out[32], int64_t unix_ns); /* 2026-03-01T12:00:00.123Z */

/* Days since 1970-01-01 of a proleptic Gregorian date. */
int64_t vd_time_days(int year, int month, int day);
#endif
