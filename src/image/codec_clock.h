/* How long a decoding process may take for one answer. SPDX-License-Identifier: Apache-2.0
 *
 * Counted is its processor time, all its threads together: what else the machine does, and on how
 * many processors, then cannot turn a slow file into a bad one. The clock on the wall is asked for
 * those only that sleep or were stopped, and has far higher limits. */
#ifndef VD_IMAGE_CODEC_CLOCK_H
#define VD_IMAGE_CODEC_CLOCK_H

#include <sys/types.h>
#include <time.h>

#include "image/codec.h"

typedef struct vd_codec_moment {
    double cpu_s, wall_s;
} vd_codec_moment;

typedef struct vd_codec_clock {
    clockid_t cpu; /* of the process */
    bool has_cpu;
    int processors;         /* cpu_s grows at most so many times as fast as wall_s */
    vd_codec_moment began;  /* when the request came, or the last frame was used */
    vd_codec_moment lively; /* the last sign of life */
} vd_codec_clock;

void vd_codec_clock_open(vd_codec_clock *c, pid_t pid);
void vd_codec_clock_begin(vd_codec_clock *c);               /* from now on we wait for it */
void vd_codec_clock_lively(vd_codec_clock *c);              /* a sign of life */
void vd_codec_clock_wait(vd_codec_clock *c, double wall_s); /* that is not its own, so long */

typedef enum vd_codec_late { VD_IN_TIME, VD_LATE_CPU, VD_LATE_WALL } vd_codec_late;

/* By the two limits of `opt`. In time: `*s` is for how many seconds on the wall that is certain;
 * late: the limit that it broke. */
vd_codec_late vd_codec_clock_check(const vd_codec_clock *c, const vd_decode_opt *opt, double *s);

#endif
