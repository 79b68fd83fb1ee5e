/* Resource limits of a decoding process, by setrlimit, close_range and timers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec/serve_limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "image/codec_protocol.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int64_t address_space(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL) {
        if (fscanf(f, "%ld", &pages) != 1) pages = 0;
        fclose(f);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void vd_serve_confine(vd_serve_limits *l) {
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_range(VD_CODEC_FD_OUTPUT + 1, ~0u, 0);
    /* libraries like to talk; what they say reaches us by their own error channels */
    int quiet = open("/dev/null", O_RDWR);
    if (quiet >= 0) {
        dup2(quiet, STDIN_FILENO);
        dup2(quiet, STDOUT_FILENO);
        if (!SANITIZED && getenv("VIDIMUS_CODEC_STDERR") == NULL) dup2(quiet, STDERR_FILENO);
        if (quiet > VD_CODEC_FD_OUTPUT) close(quiet);
    }
    l->base_bytes = address_space();
}

void vd_serve_memory(vd_serve_limits *l, int64_t max_bytes) {
    if (SANITIZED || max_bytes <= 0 || max_bytes == l->set_bytes) return;
    struct rlimit r;
    if (getrlimit(RLIMIT_AS, &r) != 0) return;
    r.rlim_cur = (rlim_t)(l->base_bytes + max_bytes);
    if (r.rlim_max != RLIM_INFINITY && r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_AS, &r) == 0) l->set_bytes = max_bytes;
}

bool vd_serve_memory_off(vd_serve_limits *l) {
    struct rlimit r;
    l->off_bytes = address_space();
    if (getrlimit(RLIMIT_AS, &r) != 0) return false;
    if (l->set_bytes > 0) r.rlim_cur = r.rlim_max;
    return setrlimit(RLIMIT_AS, &r) != 0 || r.rlim_cur != RLIM_INFINITY;
}

void vd_serve_memory_on(vd_serve_limits *l) {
    int64_t max = l->set_bytes;
    l->base_bytes += address_space() - l->off_bytes;
    l->set_bytes = 0;
    vd_serve_memory(l, max);
}

/* Late enough for the engine to come first. */
static double later(double s) {
    return VD_CLAMP(s * 1.5 + 5, 0, 1e7);
}

void vd_serve_clock(const vd_decode_opt *opt) {
    struct itimerval cpu = { 0 };
    if (opt != NULL) cpu.it_value.tv_sec = (time_t)later(opt->timeout_s);
    setitimer(ITIMER_PROF, &cpu, NULL);
    alarm(opt != NULL ? (unsigned)later(vd_codec_backstop(opt)) : 0);
}
