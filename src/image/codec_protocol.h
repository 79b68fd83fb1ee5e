/* What travels between the engine and a decoding process: fixed-size messages over a SOCK_SEQPACKET
 * pair, bulk bytes in two shared memory files. Both ends are built from the same sources and say so
 * with a version, so plain structs in native layout will do.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The child inherits the socket and both memory files under fixed descriptors. The engine grows the
 * input file, the child the output file; both are sealed against shrinking (a shrunk mapping would
 * kill its reader with SIGBUS) and give memory back by punching holes. One request is outstanding
 * at a time:
 *
 *     engine: REQUEST               child: FRAME (last)                      one picture
 *     engine: REQUEST               child: FRAME, engine: NEXT, ..., DONE    several
 *     engine: REQUEST               child: DONE                              only a verdict
 *     engine: LIBRARIES             child: DONE, text in the output file
 *
 * Before the pixels of a picture may come, child: NEED, with the bytes in output_size; engine: NEXT
 * once they are admitted, or STOP. ALIVE may come between: it restarts the engine's clocks, within
 * limits. */
#ifndef VD_IMAGE_CODEC_PROTOCOL_H
#define VD_IMAGE_CODEC_PROTOCOL_H

#include "image/codec.h"

enum {
    VD_CODEC_FD_SOCKET = 3,
    VD_CODEC_FD_INPUT = 4,
    VD_CODEC_FD_OUTPUT = 5,
    VD_CODEC_VERSION = 4,
    /* The bytes of a file start here in the input memory: a TIFF file needs libexif's six-byte
     * prefix in front, and so nothing is copied. */
    VD_CODEC_INPUT_AT = 64,
    VD_CODEC_NAME = 64, /* the end of a file's name, with its extension */
};

typedef enum vd_codec_what {
    VD_CODEC_REQUEST = 1,
    VD_CODEC_LIBRARIES,
    VD_CODEC_NEXT, /* the frame was used: its memory may be overwritten */
    VD_CODEC_STOP, /* no more frames of this request, please */
    VD_CODEC_FRAME,
    VD_CODEC_DONE,
    VD_CODEC_ALIVE,
    VD_CODEC_NEED, /* more memory than was granted: output_size bytes */
} vd_codec_what;

/* Engine to child. A file's descriptor comes with the message where `has_fd`. */
typedef struct vd_codec_ask {
    uint32_t version, what;
    uint64_t seq;
    int64_t size, offset;
    int64_t input_size, output_keep; /* the input file's size; output memory to keep afterwards */
    vd_decode_opt opt;
    int32_t has_fd;
    int32_t test; /* obeyed only where the child's environment has VIDIMUS_CODEC_TEST */
    char name[VD_CODEC_NAME];
} vd_codec_ask;

/* At the very start of the input memory: what a child that died was doing. The last six bytes in
 * front of VD_CODEC_INPUT_AT stay free. */
typedef struct vd_codec_note {
    char library[48];
    int32_t out_of_memory;
} vd_codec_note;

/* What vd_codec_ask.test can ask for: see tests/unit/codec_supervise.c. */
enum {
    VD_CODEC_TEST_CRASH = 1,
    VD_CODEC_TEST_HANG,
    VD_CODEC_TEST_MEMORY,
    VD_CODEC_TEST_LIE,
    VD_CODEC_TEST_BUSY,  /* signs of life for ever, and nothing else */
    VD_CODEC_TEST_SPIN,  /* works for ever, without a sign of life */
    VD_CODEC_TEST_CROWD, /* the same in four threads */
    VD_CODEC_TEST_SLOW,  /* 0.25 s of processor time, then the answer */
};

typedef struct vd_codec_plane {
    int64_t at, stride; /* in the output file */
    int32_t width, height;
} vd_codec_plane;

/* Child to engine. */
typedef struct vd_codec_answer {
    uint32_t version, what;
    uint64_t seq;
    int32_t status; /* of DONE: VD_OK, VD_E_NOMEM */
    int32_t last;   /* of FRAME: nothing follows, `media` is final */
    int32_t format, width, height, orientation, channels;
    vd_codec_plane plane[3];
    int64_t index, output_size;
    double time_s;
    vd_media media;
} vd_codec_answer;

#endif
