/* Processor time of another process, by its clock. SPDX-License-Identifier: Apache-2.0 */
#include "image/codec_clock.h"

#include <math.h>

#include "base/clock.h"
#include "base/cpu.h"

void vd_codec_clock_open(vd_codec_clock *c, pid_t pid) {
    *c = (vd_codec_clock){ .processors = vd_cpu_count() };
    c->has_cpu = clock_getcpuclockid(pid, &c->cpu) == 0;
}

/* Where the system never tells processor time, the time that passes stands in for it; where it does
 * not tell now, as of a process that is gone, NaN is never too late. */
static vd_codec_moment now(const vd_codec_clock *c) {
    struct timespec t;
    vd_codec_moment m = { .wall_s = vd_time_mono_s() };
    if (!c->has_cpu)
        m.cpu_s = m.wall_s;
    else if (clock_gettime(c->cpu, &t) == 0)
        m.cpu_s = (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
    else
        m.cpu_s = NAN;
    return m;
}

void vd_codec_clock_begin(vd_codec_clock *c) {
    c->began = c->lively = now(c);
}

void vd_codec_clock_lively(vd_codec_clock *c) {
    c->lively = now(c);
}

void vd_codec_clock_wait(vd_codec_clock *c, double wall_s) {
    c->began.wall_s += wall_s;
    c->lively.wall_s += wall_s;
    if (c->has_cpu) return;
    c->began.cpu_s += wall_s;
    c->lively.cpu_s += wall_s;
}

double vd_codec_backstop(const vd_decode_opt *opt) {
    return opt->backstop_s > 0 ? opt->backstop_s : opt->timeout_s * VD_CODEC_BACKSTOP;
}

vd_codec_late vd_codec_clock_check(const vd_codec_clock *c, const vd_decode_opt *opt, double *s) {
    const vd_codec_moment m = now(c);
    const double cpu = opt->timeout_s, wall = vd_codec_backstop(opt);
    const struct {
        double used, limit, rate;
        vd_codec_late late;
    } rule[] = {
        { m.cpu_s - c->lively.cpu_s, cpu, c->processors, VD_LATE_CPU },
        { m.cpu_s - c->began.cpu_s, cpu * VD_CODEC_PATIENCE, c->processors, VD_LATE_CPU },
        { m.wall_s - c->lively.wall_s, wall, 1, VD_LATE_WALL },
        { m.wall_s - c->began.wall_s, wall * VD_CODEC_PATIENCE, 1, VD_LATE_WALL },
    };
    double certain = wall;
    for (int i = 0; i < VD_COUNT(rule); i++) {
        if (rule[i].used >= rule[i].limit) {
            *s = rule[i].limit;
            return rule[i].late;
        }
        certain = fmin(certain, (rule[i].limit - rule[i].used) / rule[i].rate);
    }
    *s = certain;
    return VD_IN_TIME;
}
