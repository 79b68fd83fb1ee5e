/* The folder walk: which files are there, always in the same order.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Depth first, the entries of a folder in the order of their bytes, folders and files mixed.
 * Symbolic links are followed; a folder is visited once however many ways lead to it, so that loops
 * end. Hidden entries (a leading dot) are left out unless asked for; a path given by the caller is
 * taken whatever its name. Folders named *.vidimus are datasets and are left out.
 *
 * Notes: "unreadable_folder", "unreadable_file" (stat refused, or a dangling link), "folder_seen"
 * (a loop, or reached before by another way), "special_file" (pipe, socket, device), "dataset",
 * "path_too_long". None of them stops the walk.
 *
 * threads: one vd_walk belongs to one thread.
 * cost: one stat a file, memory for the names of the folders on the current path. */
#ifndef VD_SOURCE_WALK_H
#define VD_SOURCE_WALK_H

#include <stdio.h>

#include "source/note.h"

typedef struct vd_walk_file {
    const char *path; /* absolute, without . and .., borrowed for the call */
    int64_t size;     /* bytes */
    int64_t mtime_ns; /* since 1970 */
    uint64_t inode, device;
} vd_walk_file;

typedef vd_status (*vd_walk_fn)(void *user, const vd_walk_file *file, vd_err *err);

typedef struct vd_walk_opt {
    bool hidden;        /* entries with a leading dot as well */
    vd_walk_fn on_file; /* a status other than VD_OK stops the walk and is returned */
    vd_note_fn on_note; /* may be NULL */
    void *user;
} vd_walk_opt;

typedef struct vd_walk vd_walk;

/* Remembers the visited folders from path to path: overlapping arguments give each file once. */
vd_status vd_walk_new(vd_walk **out, const vd_walk_opt *opt, vd_err *err);
void vd_walk_free(vd_walk *w);

/* A file or a folder. Fails with VD_E_NOTFOUND if there is nothing of that name, VD_E_IO if it
 * cannot be looked at, VD_E_NOMEM, or with what a callback returned. */
vd_status vd_walk_path(vd_walk *w, const char *path, vd_err *err);

/* Paths from a stream, separated by `separator` ('\n' or '\0'; with '\n' a carriage return before
 * it is dropped). Empty lines are skipped; a path that is not there is a note "unreadable_file",
 * longer ones than a system path "path_too_long". Relative ones are taken from the current
 * directory. */
vd_status vd_walk_list(vd_walk *w, FILE *in, char separator, vd_err *err);

#endif
