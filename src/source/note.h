/* What a reader says about something it did not deliver, or delivered with a doubt.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SOURCE_NOTE_H
#define VD_SOURCE_NOTE_H

#include "base/err.h"

typedef struct vd_note {
    const char *code;   /* stable: listed where the reader is declared */
    const char *path;   /* file or folder, or the member's name inside an archive; "" if unknown */
    const char *detail; /* one line for people */
    int errnum;         /* of the operating system, 0 if none */
    int64_t offset;     /* byte in the archive, -1 if none */
} vd_note;

/* Everything in the note is borrowed for the call. A status other than VD_OK stops the reader. */
typedef vd_status (*vd_note_fn)(void *user, const vd_note *note, vd_err *err);

#endif
