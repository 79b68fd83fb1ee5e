/* Every still image format that neither libjpeg nor we read, by libvips: the only files that know
 * it are io_vips.c and vips_colour.c. SPDX-License-Identifier: Apache-2.0
 *
 * libvips brings a hundred shared libraries, which take longer to load than a dozen small JPEGs to
 * decode, and a run of JPEGs alone needs none of them. So it lives in a module,
 * vidimus-codec-vips.so beside vidimus-codec, that is loaded for the first file that wants it. The
 * module exports one table; what it calls itself is marked in module.h. */
#ifndef VD_CODEC_IO_VIPS_H
#define VD_CODEC_IO_VIPS_H

#include "codec/icc.h"
#include "codec/module.h"
#include "codec/serve.h"

typedef struct vd_vips vd_vips;

/* What both sides must agree on. Raise the number when the table, or a function that module.h
 * marks, changes its meaning; the sizes notice most of the rest. */
typedef struct vd_vips_stamp {
    char release[16];
    uint32_t number, job, media, frame;
} vd_vips_stamp;
#define VD_VIPS_STAMP                                                                              \
    { VIDIMUS_VERSION, 1, sizeof(vd_job), sizeof(vd_media), sizeof(vd_frame) }

typedef struct vd_vips_api {
    vd_vips_stamp stamp; /* looked at before anything else */

    /* Starts libvips; borrows `icc`. VD_E_UNSUPPORTED where it does not start. Once a process. */
    vd_status (*start)(vd_vips **out, vd_icc *icc, vd_err *err);
    void (*end)(vd_vips *v);

    /* Decodes job->data, of sniffed `format`: grey or RGB frames, further pages where asked for. */
    vd_status (*decode)(vd_vips *v, vd_serve *s, const vd_job *job, const char *format,
                        vd_media *media, vd_err *err);

    /* Tells "name version" of libvips and of each library behind it. */
    void (*libraries)(void (*tell)(void *user, const char *name), void *user);
} vd_vips_api;

#define VD_VIPS_SYMBOL "vd_vips_module"
VD_FOR_MODULE extern const vd_vips_api vd_vips_module; /* in the module only */

/* The module as the program sees it. */
typedef struct vd_vips_file {
    int fd;    /* 0 before vd_vips_find, -1 where there is none */
    int error; /* errno of that */
    const vd_vips_api *api;
} vd_vips_file;

/* Opens the file, which costs next to nothing, and so settles which one it will be: the module that
 * belongs to this program is the one that was there when it started, whatever is installed since.
 * No second effect. */
void vd_vips_find(vd_vips_file *f);

/* Loads it; f->api is set then, and stays for the rest of the process. VD_E_UNSUPPORTED with the
 * reason: it is missing, it does not load, it is of another version. VD_E_NOMEM: so says the
 * system. May be tried again. */
vd_status vd_vips_load(vd_vips_file *f, vd_err *err);

#endif
