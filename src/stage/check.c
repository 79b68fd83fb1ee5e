/* Stage check: the verdict on a file and what its decoder and its metadata said. The facts are
 * those of vd_media (image/media.h). SPDX-License-Identifier: Apache-2.0 */
#include "stage/stages.h"

#include <stdio.h>
#include <string.h>

#include "stage/work.h"

enum {
    C_VERDICT,
    C_REASON,
    C_DETAIL,
    C_OFFSET,
    C_DECODED,
    C_FORMAT,
    C_CODEC,
    C_WIDTH,
    C_HEIGHT,
    C_BITS,
    C_CHANNELS,
    C_ALPHA,
    C_FRAMES,
    C_DURATION,
    C_FPS,
    C_QUALITY,
    C_CHROMA,
    C_PROGRESSIVE,
    C_ICC,
    C_ORIENTATION,
    C_TAKEN,
    C_CAMERA,
    C_LENS,
    C_FOCAL,
    C_FOCAL35,
    C_EXPOSURE,
    C_FNUMBER,
    C_ISO,
    C_LAT,
    C_LON,
    C_ALT,
    C_DIRECTION,
    C_PITCH,
    C_LIBRARY,
    N_COLUMNS
};

static const vd_column columns[N_COLUMNS] = {
    [C_VERDICT] = { "verdict", VD_TEXT, "",
                    "ok truncated corrupt unreadable not_an_image wrong_extension"
                    " too_large animated unsupported",
                    VD_COL_INDEX },
    [C_REASON] = { "reason", VD_TEXT, "", "why the verdict is not ok: a stable code", 0 },
    [C_DETAIL] = { "detail", VD_TEXT, "", "the same for people, naming the library", 0 },
    [C_OFFSET] = { "error_offset", VD_INT, "bytes", "where the trouble was found", 0 },
    [C_DECODED] = { "decoded_percent", VD_REAL, "%", "how much of the picture could be decoded",
                    0 },
    [C_FORMAT] = { "format", VD_TEXT, "", "by content: jpeg, png, mov, ...", 0 },
    [C_CODEC] = { "codec", VD_TEXT, "", "of the video stream", 0 },
    [C_WIDTH] = { "width", VD_INT, "px", "of the decoded picture, orientation applied",
                  VD_COL_INDEX },
    [C_HEIGHT] = { "height", VD_INT, "px", "of the decoded picture, orientation applied",
                   VD_COL_INDEX },
    [C_BITS] = { "bits", VD_INT, "bit", "a sample, as stored", 0 },
    [C_CHANNELS] = { "channels", VD_INT, "", "with alpha, as stored", 0 },
    [C_ALPHA] = { "has_alpha", VD_INT, "", "0 or 1", 0 },
    [C_FRAMES] = { "n_frames", VD_INT, "", "pages, animation or video frames", 0 },
    [C_DURATION] = { "duration_s", VD_REAL, "s", "of a video", 0 },
    [C_FPS] = { "fps", VD_REAL, "1/s", "frames a second", 0 },
    [C_QUALITY] = { "jpeg_quality", VD_INT, "", "1..100, from the quantisation tables", 0 },
    [C_CHROMA] = { "chroma", VD_TEXT, "", "subsampling, 4:2:0", 0 },
    [C_PROGRESSIVE] = { "progressive", VD_INT, "", "0 or 1", 0 },
    [C_ICC] = { "icc_profile", VD_TEXT, "", "description of the embedded profile", 0 },
    [C_ORIENTATION] = { "orientation", VD_INT, "", "EXIF 1..8 as stored", 0 },
    [C_TAKEN] = { "taken_at", VD_TEXT, "",
                  "ISO 8601, with sub-seconds and zone where the file has them", VD_COL_INDEX },
    [C_CAMERA] = { "camera", VD_TEXT, "", "make and model", 0 },
    [C_LENS] = { "lens", VD_TEXT, "", "", 0 },
    [C_FOCAL] = { "focal_mm", VD_REAL, "mm", "focal length", 0 },
    [C_FOCAL35] = { "focal_35mm", VD_REAL, "mm", "35 mm equivalent", 0 },
    [C_EXPOSURE] = { "exposure_s", VD_REAL, "s", "exposure time", 0 },
    [C_FNUMBER] = { "f_number", VD_REAL, "", "aperture", 0 },
    [C_ISO] = { "iso", VD_REAL, "", "sensitivity", 0 },
    [C_LAT] = { "latitude", VD_REAL, "deg", "north positive", VD_COL_INDEX },
    [C_LON] = { "longitude", VD_REAL, "deg", "east positive", 0 },
    [C_ALT] = { "altitude_m", VD_REAL, "m", "above sea level", 0 },
    [C_DIRECTION] = { "direction_deg", VD_REAL, "deg", "of the view, clockwise from north", 0 },
    [C_PITCH] = { "pitch_deg", VD_REAL, "deg", "of the view above the horizon, by its gimbal", 0 },
    [C_LIBRARY] = { "library", VD_TEXT, "", "what decoded it", 0 },
};

const vd_table_decl vd_table_check = { "fact_check", columns, N_COLUMNS };

static vd_value count_or_null(int64_t n) {
    return n > 0 ? vd_val_int(n) : vd_val_null();
}

/* "Canon EOS 5D" once, also where the model repeats the make. */
static vd_status camera_of(vd_asset_work *w, const vd_media *m, vd_value *out, vd_err *err) {
    char text[sizeof m->make + sizeof m->model + 2];
    size_t n = strcspn(m->make, " ");
    if (m->make[0] == '\0' || (n > 0 && strncasecmp(m->model, m->make, n) == 0))
        snprintf(text, sizeof text, "%s", m->model);
    else
        snprintf(text, sizeof text, "%s%s%s", m->make, m->model[0] != '\0' ? " " : "", m->model);
    const char *copy = vd_arena_text(w->arena, text);
    if (copy == NULL) return vd_nomem(err);
    *out = vd_val_text(copy);
    return VD_OK;
}

static vd_status run_check(vd_asset_work *w, vd_value *out, vd_err *err) {
    const vd_media *m = w->media;
    bool picture = m->kind == VD_KIND_IMAGE || m->kind == VD_KIND_VIDEO;
    out[C_VERDICT] = vd_val_text(vd_verdict_name(m->verdict));
    out[C_REASON] = vd_val_text(m->reason);
    out[C_DETAIL] = vd_val_text(m->detail);
    if (m->offset >= 0) out[C_OFFSET] = vd_val_int(m->offset);
    out[C_DECODED] = vd_val_real(m->decoded_percent);
    out[C_FORMAT] = vd_val_text(m->format);
    out[C_CODEC] = vd_val_text(m->codec);
    out[C_WIDTH] = count_or_null(m->width);
    out[C_HEIGHT] = count_or_null(m->height);
    out[C_BITS] = count_or_null(m->bits);
    out[C_CHANNELS] = count_or_null(m->channels);
    if (picture) {
        out[C_ALPHA] = vd_val_int(m->has_alpha);
        out[C_PROGRESSIVE] = vd_val_int(m->progressive);
        out[C_ORIENTATION] = count_or_null(m->orientation);
    }
    out[C_FRAMES] = count_or_null(m->n_frames);
    out[C_DURATION] = vd_val_real(m->duration_s);
    out[C_FPS] = vd_val_real(m->fps);
    out[C_QUALITY] = count_or_null(m->jpeg_quality);
    out[C_CHROMA] = vd_val_text(m->chroma);
    out[C_ICC] = vd_val_text(m->icc);
    out[C_TAKEN] = vd_val_text(m->taken_at);
    out[C_LENS] = vd_val_text(m->lens);
    out[C_FOCAL] = vd_val_real(m->focal_mm);
    out[C_FOCAL35] = vd_val_real(m->focal_35mm);
    out[C_EXPOSURE] = vd_val_real(m->exposure_s);
    out[C_FNUMBER] = vd_val_real(m->f_number);
    out[C_ISO] = vd_val_real(m->iso);
    out[C_LAT] = vd_val_real(m->latitude_deg);
    out[C_LON] = vd_val_real(m->longitude_deg);
    out[C_ALT] = vd_val_real(m->altitude_m);
    out[C_DIRECTION] = vd_val_real(m->direction_deg);
    out[C_PITCH] = vd_val_real(m->pitch_deg);
    out[C_LIBRARY] = vd_val_text(m->library);
    return camera_of(w, m, &out[C_CAMERA], err);
}

static void params(const vd_run_opt *opt, vd_str *out) {
    vd_str_addf(out, "frames=%s;max_pixels=%lld;", opt->frames, (long long)opt->max_pixels);
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    static const vd_count_word words[] = {
        { "unreadable", "unreadable", "unreadable" },
        { "truncated", "truncated", "truncated" },
        { "corrupt", "corrupt", "corrupt" },
        { "too_large", "too large", "too large" },
        { "unsupported", "unsupported", "unsupported" },
        { "wrong_extension", "wrong extension", "wrong extensions" },
        { "animated", "animated", "animated" },
        { "not_an_image", "not an image", "not images" },
    };
    return vd_summary_counts(run,
                             "SELECT count(*) FROM fact_check c JOIN asset a ON a.id = c.asset_id"
                             " WHERE c.verdict = ?1 AND a.state = 'present'",
                             words, VD_COUNT(words), "all readable", out, err);
}

const vd_stage vd_stage_check = {
    .name = "check",
    .help = "a verdict on every file, with its metadata",
    .version = 2,
    .scope = VD_SCOPE_ASSET,
    .inputs = "add",
    .table = &vd_table_check,
    .params = params,
    .asset = run_check,
    .summary = summary,
};
