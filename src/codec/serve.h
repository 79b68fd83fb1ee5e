/* The main loop of a decoding process, shared by vidimus-codec and vidimus-video: waits for a
 * request of the engine, calls the decoder, sends frames and the verdict.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     static vd_status decode(void *user, vd_serve *s, const vd_job *job, vd_media *m, vd_err
 * *err); int main(int argc, char **argv) { const vd_decoder d = { "vidimus-video", decode,
 * libraries }; return vd_serve_main(&d, NULL, argc, argv);
 *     }
 *
 * A decoder: for each frame get memory from vd_serve_output, write the planes there, describe them
 * in a vd_frame and hand it to vd_serve_frame. It fills `media` (which comes initialised by
 * vd_media_init) and returns VD_OK for every verdict, good or bad. A crash, a hang or a lack of
 * memory is told by the engine, which sees the process die. One thread. */
#ifndef VD_CODEC_SERVE_H
#define VD_CODEC_SERVE_H

#include "codec/module.h"
#include "image/codec.h"

typedef struct vd_serve vd_serve;

/* One request. Either `data` holds the whole file (then fd = -1), or data is NULL and the file is
 * the range [offset, offset + size) of `fd`, to be read by pread. Borrowed until decode returns. */
typedef struct vd_job {
    const char *name; /* the end of the file's name, for the extension and messages */
    const uint8_t *data;
    int64_t size;
    int fd;
    int64_t offset;
    bool has_room_before; /* the 64 bytes in front of `data` are writable scratch */
    vd_decode_opt opt;
} vd_job;

typedef struct vd_decoder {
    const char *name;
    vd_status (*decode)(void *user, vd_serve *s, const vd_job *job, vd_media *media, vd_err *err);
    void (*libraries)(void *user, vd_serve *s,
                      struct vd_str *out); /* "name version" lines, appended */
    void (*trim)(void *user); /* may be NULL: called after a request that used much memory */
} vd_decoder;

/* Shared memory of at least `size` bytes, 64-byte aligned, its content undefined; valid until the
 * next vd_serve_output or the end of the request. VD_E_NOMEM where the limit is reached. */
VD_FOR_MODULE vd_status vd_serve_output(vd_serve *s, size_t size, uint8_t **out, vd_err *err);

/* Hands over a frame whose planes lie in the memory of the last vd_serve_output. `media` is what is
 * known so far: the verdict may still change with the next call, except when `last` is set (which
 * saves a round trip; nothing may follow but the return of decode, with the same media). `index`
 * counts 0, 1, ...; `time_s` is NaN for stills. VD_E_CANCEL: the engine wants no more, return. */
VD_FOR_MODULE vd_status vd_serve_frame(vd_serve *s, const vd_frame *frame, const vd_media *media,
                                       int64_t index, double time_s, bool last, vd_err *err);

/* To be called once the size of a picture is known and before memory is taken for it: `bytes` for
 * the pixels in the output and all that the decoder needs besides; the job's own bytes are added
 * where they are in memory. Where that is more than was granted, waits until the engine admits it.
 * VD_E_CANCEL: it does not, return. */
VD_FOR_MODULE vd_status vd_serve_need(vd_serve *s, const vd_job *job, int64_t bytes, vd_err *err);

/* A sign of life, for decoders that work long without a frame; cheap, at most one message a second.
 */
VD_FOR_MODULE void vd_serve_alive(vd_serve *s);

/* Says which library is at work now ("libheif 1.15.1"): told in the verdict if the process dies. */
VD_FOR_MODULE void vd_serve_working(vd_serve *s, const char *library);

/* Set to 1 where a library aborts for lack of memory: the verdict is then memory_limit. */
VD_FOR_MODULE volatile int32_t *vd_serve_memory_note(vd_serve *s);

/* Between the two calls the memory limit is off, and what the process then has more of is held
 * against no file: for loading libraries. Where the system sets a limit of its own, a death in
 * between counts as lack of memory. */
void vd_serve_unlimited(vd_serve *s);
void vd_serve_limited(vd_serve *s);

/* Serves requests on the inherited descriptors until the engine is gone. The exit status of main.
 */
int vd_serve_main(const vd_decoder *d, void *user, int argc, char **argv);
#endif
