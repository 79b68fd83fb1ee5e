/* Decoding one asset again, for operations that need its pixels. SPDX-License-Identifier:
 * Apache-2.0
 */
#ifndef VD_STAGE_PIXELS_H
#define VD_STAGE_PIXELS_H

#include "stage/bytes.h"
#include "store/dataset.h"

/* One thread at a time. */
typedef struct vd_pixel_source vd_pixel_source;
vd_status vd_pixel_source_new(vd_pixel_source **out, const vd_dataset *ds, const char *libexec_dir,
                              vd_err *err);
void vd_pixel_source_free(vd_pixel_source *s);

/* Decodes the picture of an asset and calls `on_frame` with it. Fails with VD_E_NOTFOUND (no such
 * asset), VD_E_UNSUPPORTED (a frame or page: see below), VD_E_FORMAT (it cannot be read or decoded
 * any more), and what `on_frame` returned. */
vd_status vd_asset_decode(vd_pixel_source *s, int64_t asset_id, vd_frame_fn on_frame, void *user,
                          vd_err *err);

/* Decodes a video or document and calls `on_frame` with each frame or page that the catalog has of
 * it, by the sampling it was run with: frame `index` is asset vd_child_id(parent_id, index). Fails
 * likewise. */
vd_status vd_children_decode(vd_pixel_source *s, int64_t parent_id, vd_frame_fn on_frame,
                             void *user, vd_err *err);

/* Reads the bytes of a file or member as they are now: `out` as of vd_bytes_read, for the caller to
 * close; they last until the next call on `s`. Fails with VD_E_NOTFOUND, VD_E_UNSUPPORTED (a frame
 * or page), VD_E_NOMEM. */
vd_status vd_asset_bytes(vd_pixel_source *s, int64_t asset_id, vd_bytes *out, vd_err *err);
/* Decodes the first picture of what vd_asset_bytes read last; what the decoder says of it is in
 * `media`, also where no frame came. Fails as vd_codec_decode does. */
vd_status vd_asset_bytes_decode(vd_pixel_source *s, const vd_bytes *bytes, vd_frame_fn on_frame,
                                void *user, vd_media *media, vd_err *err);

/* Which video frames: "key", "every", or an interval such as "2s" (VD_E_ARG for anything else). */
vd_status vd_sampling_parse(vd_decode_opt *out, const char *text, vd_err *err);
#endif
