/* One decoding process: starting it, talking to it, ending it. SPDX-License-Identifier: Apache-2.0
 */
#ifndef VD_IMAGE_CODEC_PROCESS_H
#define VD_IMAGE_CODEC_PROCESS_H

#include <sys/types.h>

#include "image/codec_clock.h"
#include "image/codec_protocol.h"

typedef struct vd_codec_process {
    pid_t pid; /* 0: not running */
    int socket, output_fd;
    uint8_t *output; /* read-only mapping of the child's output file */
    size_t output_size;
    vd_codec_clock clock;
    double recv_s;  /* as set on the socket: how long one recv waits */
    double limit_s; /* which limit was broken, after VD_HEARD_SILENCE or VD_HEARD_SLEEP */
    int64_t served; /* requests since it started */
} vd_codec_process;

void vd_codec_process_init(vd_codec_process *p);

/* Starts `exe`; `input_fd` is the shared input memory. VD_E_NOTFOUND where there is no such file,
 * VD_E_IO where the system makes no process. */
vd_status vd_codec_process_start(vd_codec_process *p, const char *exe, int input_fd, vd_err *err);

/* Kills and reaps; the signal it died of, or 0 where it left by itself. */
int vd_codec_process_end(vd_codec_process *p);

/* False: the child is gone. `fd` >= 0 goes with the message. */
bool vd_codec_process_send(vd_codec_process *p, const vd_codec_ask *ask, int fd);

typedef enum vd_codec_heard {
    VD_HEARD_ANSWER,
    VD_HEARD_DEATH,
    VD_HEARD_SILENCE, /* it used up its processor time */
    VD_HEARD_SLEEP,   /* it did not, but so much time has passed that it never will answer */
} vd_codec_heard;

/* The next answer to request `seq`; older ones are dropped. Time counts from the last
 * vd_codec_clock_begin, by the limits of `opt`; ALIVE restarts it, but not for ever: a loop that
 * never ends must not keep itself alive. */
vd_codec_heard vd_codec_process_hear(vd_codec_process *p, uint64_t seq, const vd_decode_opt *opt,
                                     vd_codec_answer *out);

/* Maps at least `size` bytes of the output; false where the child promised more than there is. */
bool vd_codec_process_map(vd_codec_process *p, int64_t size);

/* A memory file sealed against shrinking, close-on-exec, above the protocol's descriptors. -1:
 * errno */
int vd_codec_memory(const char *name);

#endif
