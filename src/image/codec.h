/* The supervised decoding process, seen from the engine. Every foreign decoder runs in a child
 * process (vidimus-codec for images, vidimus-video for video), so that a crash, an endless loop or
 * a memory bomb in a codec library costs one file a verdict and nothing else. Pixels come back in
 * shared memory. SPDX-License-Identifier: Apache-2.0
 *
 * One vd_codec belongs to one thread at a time. It starts its processes when first needed and
 * starts them again after they died. */
#ifndef VD_IMAGE_CODEC_H
#define VD_IMAGE_CODEC_H

#include "image/frame.h"
#include "image/media.h"

typedef struct vd_codec vd_codec;

typedef enum vd_sampling { VD_SAMPLE_INTERVAL, VD_SAMPLE_KEY, VD_SAMPLE_EVERY } vd_sampling;

typedef struct vd_decode_opt {
    int64_t max_pixels;       /* declared width * height above this: too_large, not decoded */
    int64_t max_memory_bytes; /* address space a decoder may add before it is stopped */
    double timeout_s;         /* processor time without a sign of life, all threads of the decoder
                                 together, per image or per video frame; with signs of life
                                 VD_CODEC_PATIENCE times as long */
    double backstop_s;        /* the same on the wall, for decoders that sleep; 0:
                                 VD_CODEC_BACKSTOP * timeout_s */
    vd_sampling sampling;
    double interval_s;     /* for VD_SAMPLE_INTERVAL: video frames at 0, 1, 2, ... intervals */
    bool want_pixels;      /* false: verdict of the header and metadata only */
    bool all_pages;        /* further pages of multi-page TIFF/HEIF as frames 1, 2, ... */
    bool raw;              /* samples of a PNG as they are stored; other formats are unsupported */
    int64_t granted_bytes; /* what a decoder may use without asking; 0: it never asks */
    /* Called, after the header was read, where the file, its pixels and what its decoder needs are
     * expected to take `bytes` > granted_bytes together. Waits until there is room; a status other
     * than VD_OK stops the decode. May come again with more for a larger page: in place of what was
     * admitted before, not on top. */
    vd_status (*admit)(void *user, int64_t bytes, vd_err *err);
    void *admit_user;
} vd_decode_opt;

enum { VD_CODEC_PATIENCE = 3, VD_CODEC_BACKSTOP = 10 };
#define VD_DECODE_OPT                                                                              \
    {                                                                                              \
        .max_pixels = 400000000, .max_memory_bytes = (int64_t)4 << 30, .timeout_s = 60,            \
        .sampling = VD_SAMPLE_INTERVAL, .interval_s = 1.0, .want_pixels = true, .all_pages = true  \
    }

double vd_codec_backstop(const vd_decode_opt *opt); /* backstop_s as it holds */

/* What to decode: `size` bytes that the caller has put into vd_codec_input (fd = -1), or the range
 * [offset, offset + size) of an open file (videos and very large files; read by pread in the
 * child). `name` is only for the extension check and messages. */
typedef struct vd_source {
    const char *name;
    int fd;
    int64_t offset, size;
} vd_source;

/* Called for every decoded frame, in order; `index` 0 is the picture itself (for videos: the first
 * sampled frame), `time_s` is NaN for pages. A status other than VD_OK stops the decode. */
typedef vd_status (*vd_frame_fn)(void *user, const vd_frame *frame, const vd_media *media,
                                 int64_t index, double time_s, vd_err *err);

/* `exe_dir` is where vidimus-codec and vidimus-video lie; NULL: VIDIMUS_LIBEXEC, else the directory
 * of the running executable, else the installed one. */
vd_status vd_codec_new(vd_codec **out, const char *exe_dir, vd_err *err);
void vd_codec_free(vd_codec *c);

/* A buffer of at least `size` bytes shared with the child; valid until the next call on `c`. */
vd_status vd_codec_input(vd_codec *c, size_t size, uint8_t **out, vd_err *err);

/* Gives the memory that a large picture took back to the system: the input beyond what small files
 * need, and the decoded pixels. Done by itself at the end of a decode that was admitted. Ends the
 * use of what vd_codec_input returned. */
void vd_codec_trim(vd_codec *c, int64_t keep_bytes);

/* Decodes; always fills `media` when it returns VD_OK: a bad file is a verdict, not a failure.
 * Fails only with what `on_frame` returned, VD_E_NOMEM, or VD_E_IO where no process can be started.
 */
vd_status vd_codec_decode(vd_codec *c, const vd_source *src, const vd_decode_opt *opt,
                          vd_frame_fn on_frame, void *user, vd_media *media, vd_err *err);

/* Codec libraries and their versions, one "name version" a line, appended: for `doctor`. */
struct vd_str;
vd_status vd_codec_libraries(vd_codec *c, struct vd_str *out, vd_err *err);
#endif
