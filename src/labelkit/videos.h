/* Pictures of a set by videos, their objects by tracks: for writers of formats that are about
 * videos. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_VIDEOS_H
#define VD_LABELKIT_VIDEOS_H

#include "label/set.h"

/* A video is the pictures of one sequence in the order of their frames; a picture of no sequence is
 * a video by itself. Those with a sequence come first, by its name. Zeroed is valid and empty. */
typedef struct vd_videos {
    int32_t *image; /* [n_images] pictures of the first video, of the second, ... */
    int64_t *first; /* [n + 1] where each video begins */
    int64_t n;
} vd_videos;

vd_status vd_videos_of(vd_videos *out, const vd_label_set *set, vd_err *err);
void vd_videos_reset(vd_videos *v);

/* An object with a class and a shape in a frame of a video. */
typedef struct vd_shown {
    int64_t track;
    int32_t category, frame, k; /* frame from 0; k: among the objects of the picture */
} vd_shown;

typedef struct vd_video_tracks {
    vd_shown *shown;
    int64_t n, cap;
    int64_t untracked; /* objects without a track so far: each is one, of a negative number */
} vd_video_tracks;

/* The objects of a video, by track, class and frame; replaces what *out had. */
vd_status vd_video_tracks_of(vd_video_tracks *out, const vd_videos *v, vd_label_set *set,
                             int64_t video, vd_err *err);
/* Where the objects of the track and class of shown[at] end. */
int64_t vd_video_track_end(const vd_video_tracks *t, int64_t at);
void vd_video_tracks_reset(vd_video_tracks *t);

/* Counts the objects that no track can hold: those without a class or a shape. */
vd_status vd_video_lose_others(vd_label_set *set, vd_label_report *report, vd_err *err);
#endif
