/* What a decoder says about a file besides its pixels: a plain value that travels between
 * processes. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_MEDIA_H
#define VD_IMAGE_MEDIA_H

#include "base/err.h"

/* The order is the order of precedence: where two apply, the later one in this list is told. */
typedef enum vd_verdict {
    VD_V_OK,
    VD_V_ANIMATED,        /* more than one frame in an image format; the first is used */
    VD_V_WRONG_EXTENSION, /* decodes, but is not what its name says */
    VD_V_CORRUPT,         /* pixels came, with errors in the middle */
    VD_V_TRUNCATED, /* the data ends before the picture does; decoded_percent says how much came */
    VD_V_TOO_LARGE, /* declared pixels above the limit; not decoded */
    VD_V_UNSUPPORTED,  /* a valid kind that no library here decodes; size from the header */
    VD_V_UNREADABLE,   /* an image by its signature, or a file that cannot be read: no pixels */
    VD_V_NOT_AN_IMAGE, /* neither image nor video */
} vd_verdict;

const char *vd_verdict_name(vd_verdict v);

typedef enum vd_kind {
    VD_KIND_OTHER,
    VD_KIND_IMAGE,
    VD_KIND_VIDEO,
    VD_KIND_AUDIO,
    VD_KIND_ARCHIVE
} vd_kind;
const char *vd_kind_name(vd_kind k);

/* Missing numbers are NaN, missing texts "", missing counts 0, missing offsets -1. */
typedef struct vd_media {
    vd_verdict verdict;
    vd_kind kind;
    char reason[32];  /* a stable code: "premature_end", "decoder_crash", "pixel_limit", ... */
    char detail[200]; /* one line for people, naming library and version where it matters */
    int64_t offset;   /* byte at which the trouble was found */
    double decoded_percent;
    char format[16]; /* "jpeg", "png", "h264 in mov" is format "mov", codec "h264" */
    char codec[16];
    int32_t width, height;  /* upright, of the decoded picture, or of the header if not decoded */
    int32_t bits, channels; /* per sample as stored; colour channels with alpha */
    int32_t n_frames;       /* pages, animation frames, or video frames where known */
    double duration_s, fps;
    int32_t jpeg_quality; /* 1..100 from the quantisation tables, 0 unknown */
    char chroma[8];       /* "4:2:0" */
    bool progressive, has_alpha;
    char icc[64];      /* description of the embedded profile */
    int orientation;   /* as stored, 1..8 */
    char taken_at[40]; /* 2024-05-01T10:20:30.250+02:00; zone only where the file says so */
    char make[48], model[48], lens[64];
    double focal_mm, focal_35mm, exposure_s, f_number, iso;
    double latitude_deg, longitude_deg, altitude_m, direction_deg;
    double pitch_deg; /* of the view above the horizon, -90 straight down; as a gimbal tells it */
    char library[40]; /* what decoded it: "libjpeg-turbo 2.1.5" */
} vd_media;

void vd_media_init(vd_media *m);
#endif
