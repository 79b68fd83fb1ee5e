/* Parsers of the smaller formats, for the readers around them and for fuzzing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_SIMPLE_H
#define VD_LABELIO_SIMPLE_H

#include "base/json_stream.h"
#include "base/path.h"
#include "labelio/format.h"

/* Lines of one picture. */
vd_status vd_kitti_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                         int32_t image, vd_err *err);

/* A sequence of MOTChallenge: the lines of gt.txt or det.txt. Frames become images named
 * "ROOT/FOLDER/000001.EXT": those of several sequences have their folder in front. */
typedef struct vd_mot_sequence {
    const char *name;   /* of the sequence */
    const char *root;   /* NULL: nothing */
    const char *folder; /* "img1" */
    const char *ext;    /* ".jpg" */
    int32_t width, height;
    const vd_names *classes; /* by their number from 1; none: the benchmark's */
    bool truth;              /* column 7 says whether a box counts; else it is a score */
} vd_mot_sequence;
vd_status vd_mot_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                       const vd_mot_sequence *seq, vd_err *err);
/* MOTS text: frame, id, class, height, width, packed mask. */
vd_status vd_mots_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                        const vd_mot_sequence *seq, vd_err *err);

/* One document each. `name` is the picture's where the document does not say it. */
vd_status vd_labelme_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                           const char *subset, vd_err *err);
/* ... `root`: the folder that has "Masks", or NULL. */
vd_status vd_labelme_xml_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                               const char *subset, const char *root, vd_err *err);
vd_status vd_cityscapes_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                              const char *name, const char *subset, vd_err *err);
/* Beside them: the picture of a file below gtFine, and the file of a picture (appended). */
vd_status vd_cityscapes_picture(vd_str *out, const char *file, vd_err *err);
vd_status vd_cityscapes_file(vd_str *out, const vd_label_image *m, const char *subset,
                             const char *suffix, vd_err *err);
/* Reads maps: of all pictures, or of those that have no polygons. */
vd_status vd_cityscapes_read_maps(vd_label_in *in, const char *path, bool all, int64_t *n,
                                  vd_err *err);
vd_status vd_cvat_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                        vd_err *err);
vd_status vd_label_studio_read(vd_label_in *in, vd_json_stream *s, vd_err *err);
vd_status vd_datumaro_read(vd_label_in *in, vd_json_stream *s, const char *subset, vd_err *err);
vd_status vd_ytvis_read(vd_label_in *in, vd_json_stream *s, vd_err *err);
vd_status vd_label_csv_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                             vd_err *err);
#endif
