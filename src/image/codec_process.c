/* Starting, hearing and ending one decoding process. SPDX-License-Identifier: Apache-2.0
 *
 * posix_spawn rather than fork: the engine is threaded and may be large. All descriptors here are
 * close-on-exec, so a process started by another thread at the same moment inherits none of them.
 */
#include "image/codec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

void vd_codec_process_init(vd_codec_process *p) {
    *p = (vd_codec_process){ .socket = -1, .output_fd = -1 };
}

/* posix_spawn's dup2 actions run one after the other onto 3, 4, 5: the sources must lie above. */
static int lift(int fd) {
    enum { ABOVE = 16 };
    if (fd < 0 || fd >= ABOVE) return fd;
    int up = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
    int saved = errno;
    close(fd);
    errno = saved;
    return up;
}

int vd_codec_memory(const char *name) {
    int fd = lift(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd >= 0) fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    return fd;
}

static int spawn(pid_t *pid, const char *exe, int socket, int input, int output) {
    char *argv[] = { (char *)exe, (char *)"--serve", NULL };
    posix_spawn_file_actions_t act;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc = posix_spawn_file_actions_init(&act);
    if (rc != 0) return rc;
    if ((rc = posix_spawnattr_init(&attr)) != 0) {
        posix_spawn_file_actions_destroy(&act);
        return rc;
    }
    sigemptyset(&none);
    sigfillset(&all);
    if ((rc = posix_spawn_file_actions_adddup2(&act, socket, VD_CODEC_FD_SOCKET)) != 0) goto done;
    if ((rc = posix_spawn_file_actions_adddup2(&act, input, VD_CODEC_FD_INPUT)) != 0) goto done;
    if ((rc = posix_spawn_file_actions_adddup2(&act, output, VD_CODEC_FD_OUTPUT)) != 0) goto done;
    /* whoever waits for the end of our output must not wait for a decoder that outlives us; its
     * words on standard error are kept only for those who look for a sanitizer's report */
    for (int fd = 0; fd <= (getenv("VIDIMUS_CODEC_STDERR") != NULL ? 1 : 2); fd++)
        if ((rc = posix_spawn_file_actions_addopen(&act, fd, "/dev/null", O_RDWR, 0)) != 0)
            goto done;
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    /* its own process group: Ctrl-C reaches the engine, which ends its children in order */
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    rc = posix_spawn(pid, exe, &act, &attr, argv, environ);
done:
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&act);
    return rc;
}

vd_status vd_codec_process_start(vd_codec_process *p, const char *exe, int input_fd, vd_err *err) {
    vd_status st = VD_OK;
    int pair[2] = { -1, -1 }, out = -1;
    pid_t pid = 0;
    if (access(exe, X_OK) != 0) return vd_fail(err, VD_E_NOTFOUND, "no decoder at %s", exe);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        st = vd_fail_errno(err, errno, "decoder: socketpair");
        goto done;
    }
    pair[0] = lift(pair[0]);
    pair[1] = lift(pair[1]);
    out = vd_codec_memory("vidimus-pixels");
    if (pair[0] < 0 || pair[1] < 0 || out < 0) {
        st = vd_fail_errno(err, errno, "decoder: descriptors");
        goto done;
    }
    int rc = spawn(&pid, exe, pair[1], input_fd, out);
    if (rc != 0) {
        st = vd_fail(err, VD_E_IO, "%s: cannot be started: %s", exe, strerror(rc));
        goto done;
    }
    vd_codec_process_init(p);
    p->pid = pid;
    vd_codec_clock_open(&p->clock, pid);
    p->socket = pair[0];
    p->output_fd = out;
    pair[0] = out = -1;
done:
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
    if (out >= 0) close(out);
    return st;
}

int vd_codec_process_end(vd_codec_process *p) {
    int status = 0, sig = 0;
    if (p->pid == 0) return 0;
    close(p->socket);
    /* reap first: the signal a child died of by itself must not be hidden by our SIGKILL */
    pid_t got = waitpid(p->pid, &status, WNOHANG);
    if (got == 0) {
        kill(p->pid, SIGKILL);
        do got = waitpid(p->pid, &status, 0);
        while (got < 0 && errno == EINTR);
    }
    if (got > 0 && WIFSIGNALED(status)) sig = WTERMSIG(status);
    if (p->output != NULL) munmap(p->output, p->output_size);
    close(p->output_fd);
    vd_codec_process_init(p);
    return sig;
}

bool vd_codec_process_send(vd_codec_process *p, const vd_codec_ask *ask, int fd) {
    struct iovec iov = { (void *)ask, sizeof *ask };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;
    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do n = sendmsg(p->socket, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *ask;
}

/* The clocks are looked at each time recv has waited in vain: soon enough for no limit to be passed
 * by much, seldom enough to cost nothing. */
static void set_recv(vd_codec_process *p, double s) {
    static const double LEAST = 0.01, MOST = 1;
    s = VD_CLAMP(s, LEAST, MOST);
    if (s == p->recv_s) return;
    struct timeval tv = { (time_t)s, (suseconds_t)(fmod(s, 1) * 1e6) };
    setsockopt(p->socket, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    p->recv_s = s;
}

vd_codec_heard vd_codec_process_hear(vd_codec_process *p, uint64_t seq, const vd_decode_opt *opt,
                                     vd_codec_answer *out) {
    static const double DELAY = 1; /* that a busy machine may cause */
    set_recv(p, opt->timeout_s / p->clock.processors);
    for (;;) {
        double s;
        const double t0 = vd_time_mono_s();
        ssize_t n = recv(p->socket, out, sizeof *out, 0);
        /* EINTR comes, too, when this process was stopped and goes on */
        const bool in_vain = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
        if (!in_vain) {
            if (n != (ssize_t)sizeof *out || out->version != VD_CODEC_VERSION)
                return VD_HEARD_DEATH;
            if (out->seq == seq && out->what != VD_CODEC_ALIVE) return VD_HEARD_ANSWER;
        }
        const double asleep = vd_time_mono_s() - t0 - p->recv_s;
        if (asleep > DELAY)
            vd_codec_clock_wait(&p->clock, asleep); /* we were, so it may have been */
        vd_codec_late late = vd_codec_clock_check(&p->clock, opt, &s);
        if (late != VD_IN_TIME) {
            p->limit_s = s;
            return late == VD_LATE_CPU ? VD_HEARD_SILENCE : VD_HEARD_SLEEP;
        }
        if (in_vain)
            set_recv(p, s);
        else if (out->seq == seq)
            vd_codec_clock_lively(&p->clock);
    }
}

bool vd_codec_process_map(vd_codec_process *p, int64_t size) {
    struct stat st;
    if (size < 0) return false;
    if ((size_t)size <= p->output_size) return true;
    if (fstat(p->output_fd, &st) != 0 || st.st_size < size) return false;
    void *m = p->output == NULL
                  ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, p->output_fd, 0)
                  : mremap(p->output, p->output_size, (size_t)st.st_size, MREMAP_MAYMOVE);
    if (m == MAP_FAILED) return false;
    p->output = m;
    p->output_size = (size_t)st.st_size;
    return true;
}
