/* Progress on standard error. SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static const double PLAIN_EVERY_S = 5.0;

void vd_live_init(vd_live *l, bool quiet) {
    *l = (vd_live){ .terminal = isatty(STDERR_FILENO) != 0,
                    .quiet = quiet,
                    .told = vd_time_mono_s() };
}

static void time_left(vd_str *s, double seconds) {
    if (seconds >= 3600)
        vd_str_addf(s, ", %d h %02d min left", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    else if (seconds >= 60)
        vd_str_addf(s, ", %d min %02d s left", (int)(seconds / 60), (int)seconds % 60);
    else
        vd_str_addf(s, ", %d s left", (int)(seconds + 0.5));
}

void vd_live_progress(void *user, const vd_progress *p) {
    vd_live *l = user;
    double now = vd_time_mono_s();
    if (l->quiet || (!l->terminal && !p->finished && now - l->told < PLAIN_EVERY_S)) return;
    if (!l->terminal && p->finished && p->seconds < 1.0) return; /* too short to be worth a line */
    l->told = now;
    vd_str s = { 0 };
    vd_str_addf(&s, "%s  %s: ", l->terminal ? "\r" : "", p->stage);
    vd_str_count(&s, p->done);
    if (p->total > 0) {
        vd_str_add(&s, " of ");
        vd_str_count(&s, p->total);
    }
    double rate = p->seconds > 0.05 ? (double)p->done / p->seconds : 0;
    if (rate > 0) vd_str_addf(&s, rate >= 10 ? ", %.0f/s" : ", %.2f/s", rate);
    if (rate > 0 && p->total > p->done) time_left(&s, (double)(p->total - p->done) / rate);
    vd_str_add(&s, l->terminal ? "\033[K" : "\n");
    fputs(vd_str_text(&s), stderr);
    fflush(stderr);
    l->open = l->terminal;
    vd_str_reset(&s);
}

void vd_live_close(vd_live *l) {
    if (l->open) fputs("\r\033[K", stderr);
    l->open = false;
}
