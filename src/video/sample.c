/* Which frames are decoded, and which delivered.
 *
 * The loop takes frames from the decoder until one is wanted, and feeds it a packet whenever it has
 * none. Sampling by interval saves work in two ways that leave the delivered pixels alone:
 *   - packets before the next time wanted are decoded with skip_frame = NONREF: frames that no
 * other refers to are left out;
 *   - where the container's index has a key frame between here and that time, it seeks there. Index
 *     times are decode times; the picture may be shown later. So the first frame after a seek must
 * be a key frame at or before the time wanted; if it is not, the seek is repeated one key frame
 *     earlier, and in the end from the start, without further seeks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE_S 0.001   /* containers round times to 1 ms */
#define MAX_FRAMES 10000000 /* delivered: 92 hours at 30 frames/s */
#define MAX_DRAIN_ERRORS 64
#define SEEK_GAIN_FRAMES 3 /* a seek must save at least so many frames */

static double seconds(const vd_video *v, int64_t ts) {
    if (ts == AV_NOPTS_VALUE) return NAN;
    return (double)ts * av_q2d(v->stream->time_base) - (isnan(v->zero_s) ? 0 : v->zero_s);
}

static double target_s(const vd_video *v) {
    return (double)v->next_target * v->opt.interval_s;
}

static void bad(vd_video *v, int64_t pos, double s) {
    if (v->n_bad++ > 0) return;
    v->bad_at = pos;
    v->bad_s = s;
}

/* The key frame's index entry at or before the time wanted that is worth a seek, -1 if none is. */
static int worth_seeking(const vd_video *v) {
    if (v->opt.sampling != VD_SAMPLE_INTERVAL || v->no_more_seeks || v->seeking ||
        v->no_seek_target == v->next_target || v->last_dts == AV_NOPTS_VALUE)
        return -1;
    double tb = av_q2d(v->stream->time_base);
    /* shown times lag decode times by at most the decoder's reordering */
    double lag = (v->dec->has_b_frames + 1) * v->frame_s;
    double at = target_s(v) - lag + (isnan(v->zero_s) ? 0 : v->zero_s);
    if (!(fabs(at / tb) < 9e18)) return -1;
    int64_t ts = (int64_t)floor(at / tb);
    int i = av_index_search_timestamp(v->stream, ts, AVSEEK_FLAG_BACKWARD);
    const AVIndexEntry *e = i >= 0 ? avformat_index_get_entry(v->stream, i) : NULL;
    if (e == NULL || !(e->flags & AVINDEX_KEYFRAME)) return -1;
    return ((double)e->timestamp - (double)v->last_dts) * tb > SEEK_GAIN_FRAMES * v->frame_s ? i
                                                                                             : -1;
}

/* To a key frame's entry, or to the start if there is none. */
static void seek_to(vd_video *v, int entry) {
    const AVIndexEntry *e = entry >= 0 ? avformat_index_get_entry(v->stream, entry) : NULL;
    int64_t ts = e != NULL ? e->timestamp : v->stream->start_time;
    if (ts == AV_NOPTS_VALUE) ts = 0;
    if (e == NULL) v->no_more_seeks = true;
    v->draining = false;
    if (av_seek_frame(v->fmt, v->stream->index, ts, AVSEEK_FLAG_BACKWARD) < 0) {
        /* nothing moved: the decoder goes on where it was */
        v->no_more_seeks = true;
        return;
    }
    avcodec_flush_buffers(v->dec);
    v->seek_entry = entry;
    v->seeking = true;
    v->skipped = true;
    v->last_s = NAN;
    v->last_dts = AV_NOPTS_VALUE;
}

/* The entry of the key frame before `entry`, -1 if there is none. */
static int earlier_key(const vd_video *v, int entry) {
    while (--entry >= 0) {
        const AVIndexEntry *e = avformat_index_get_entry(v->stream, entry);
        if (e != NULL && e->flags & AVINDEX_KEYFRAME) return entry;
    }
    return -1;
}

/* Packets that cannot be delivered need only be decoded if others refer to them. */
static void set_skipping(vd_video *v) {
    if (v->opt.sampling != VD_SAMPLE_INTERVAL) return;
    bool before = v->pkt->pts != AV_NOPTS_VALUE && !isnan(v->zero_s) &&
                  seconds(v, v->pkt->pts) < target_s(v) - 2 * TOLERANCE_S;
    v->dec->skip_frame = before ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    if (before) v->skipped = true;
}

static void note_packet(vd_video *v) {
    const AVPacket *p = v->pkt;
    if (p->dts != AV_NOPTS_VALUE) v->last_dts = p->dts;
    double s = seconds(v, p->pts != AV_NOPTS_VALUE ? p->pts : p->dts);
    if (isnan(s)) return;
    v->packet_s = s;
    v->packet_end_s = fmax(v->packet_end_s, s + v->frame_s);
}

/* Reads a packet of the video and sends it to the decoder; at the end starts draining it. */
static vd_status feed(vd_video *v, vd_err *err) {
    int entry = worth_seeking(v);
    if (entry >= 0) seek_to(v, entry);
    int r;
    do {
        av_packet_unref(v->pkt);
        if (v->in.alive != NULL) v->in.alive(v->in.user);
        r = av_read_frame(v->fmt, v->pkt);
    } while (r >= 0 && v->pkt->stream_index != v->stream->index);
    if (r == AVERROR(ENOMEM)) return vd_nomem(err);
    if (r < 0) {
        if (r != AVERROR_EOF && v->read_error == 0) {
            v->read_error = r;
            bad(v, avio_tell(v->io), v->packet_s);
        }
        v->draining = true;
        avcodec_send_packet(v->dec, NULL);
        return VD_OK;
    }
    note_packet(v);
    set_skipping(v);
    int64_t pos = v->pkt->pos;
    if (v->pkt->flags & AV_PKT_FLAG_CORRUPT) bad(v, pos, v->packet_s);
    r = avcodec_send_packet(v->dec, v->pkt);
    av_packet_unref(v->pkt);
    if (r == AVERROR(ENOMEM)) return vd_nomem(err);
    if (r < 0 && r != AVERROR(EAGAIN) && r != AVERROR_EOF && !v->seeking) bad(v, pos, v->packet_s);
    return VD_OK;
}

/* The time of the decoded frame; without a usable timestamp one frame after the last. */
static double frame_time(vd_video *v) {
    int64_t ts = v->frm->best_effort_timestamp;
    if (isnan(v->zero_s)) {
        v->zero_s = 0;
        double first = seconds(v, ts);
        if (!isnan(first)) v->zero_s = first;
    }
    double s = seconds(v, ts);
    if (isnan(s) || (!isnan(v->last_s) && s <= v->last_s))
        s = isnan(v->last_s) ? (double)v->n_decoded * v->frame_s : v->last_s + v->frame_s;
    return fmax(s, 0);
}

/* After a seek: whether the frame proves that nothing wanted lies before it. Seeks again if not. */
static bool seek_landed(vd_video *v, double s) {
    if (v->no_more_seeks || (v->frm->key_frame && s <= target_s(v) + TOLERANCE_S)) {
        v->seeking = false;
        return true;
    }
    av_frame_unref(v->frm);
    v->no_seek_target =
        v->next_target; /* or the next packet would seek to where this one came from */
    seek_to(v, earlier_key(v, v->seek_entry));
    return false;
}

/* Whether the frame at hand is to be delivered; keeps the count of what was seen. */
static bool wanted(vd_video *v, double s) {
    v->last_s = s;
    v->n_decoded++;
    if (v->frm->decode_error_flags != 0 || v->frm->flags & AV_FRAME_FLAG_CORRUPT)
        bad(v, v->frm->pkt_pos, s);
    if (v->opt.sampling == VD_SAMPLE_EVERY) return true;
    if (v->opt.sampling == VD_SAMPLE_KEY) return v->frm->key_frame != 0;
    if (s < target_s(v) - TOLERANCE_S) return false;
    v->next_target = (int64_t)floor((s + TOLERANCE_S) / v->opt.interval_s) + 1;
    return true;
}

/* One frame out of the decoder: *got, or v->ended. */
static vd_status decode(vd_video *v, bool *got, vd_err *err) {
    int errors = 0;
    *got = false;
    while (!*got && !v->ended) {
        int r = avcodec_receive_frame(v->dec, v->frm);
        if (r == AVERROR(ENOMEM)) return vd_nomem(err);
        if (r >= 0)
            *got = true;
        else if (r == AVERROR_EOF)
            v->ended = true;
        else {
            if (r != AVERROR(EAGAIN) && !v->seeking) bad(v, v->pkt->pos, v->packet_s);
            if (!v->draining)
                VD_TRY(feed(v, err));
            else if (++errors > MAX_DRAIN_ERRORS)
                v->ended = true;
        }
    }
    if (v->ended && v->seeking) { /* nothing came after a seek: from the start, once */
        v->ended = false;
        v->seeking = false;
        if (!v->no_more_seeks)
            seek_to(v, -1);
        else
            v->ended = true;
    }
    return VD_OK;
}

vd_status vd_video_next(vd_video *v, vd_video_frame *out, bool *found, vd_err *err) {
    *found = false;
    while (!v->ended && v->n_delivered < MAX_FRAMES) {
        bool got;
        av_frame_unref(v->frm);
        VD_TRY(decode(v, &got, err));
        if (!got) continue;
        if (v->in.alive != NULL) v->in.alive(v->in.user);
        double s = frame_time(v);
        if (v->seeking && !seek_landed(v, s)) continue;
        if (!wanted(v, s)) continue;
        vd_frame f;
        if ((int64_t)v->frm->width * v->frm->height > v->opt.max_pixels) {
            bad(v, v->frm->pkt_pos, s);
            snprintf(v->log.text, sizeof v->log.text, "a frame of %d x %d pixels", v->frm->width,
                     v->frm->height);
            continue;
        }
        if (!vd_video__shape(&f, v->frm)) {
            bad(v, v->frm->pkt_pos, s);
            snprintf(v->log.text, sizeof v->log.text, "pixel format %d", v->frm->format);
            continue;
        }
        f.orientation = v->media.orientation;
        *out = (vd_video_frame){ f, v->n_delivered++, s, v->frm->key_frame != 0 };
        *found = true;
        return VD_OK;
    }
    return VD_OK;
}

vd_status vd_video_write(vd_video *v, uint8_t *const dst[3], const ptrdiff_t stride[3],
                         vd_err *err) {
    return vd_video__convert(v->frm, v->dec->codec_id, dst, stride, err);
}

static double percent_seen(const vd_video *v) {
    if (v->cut_percent < 100) return v->cut_percent;
    if (!(v->media.duration_s > 0) || !(v->packet_end_s > 0)) return NAN;
    return fmin(100, 100 * v->packet_end_s / v->media.duration_s);
}

void vd_video_verdict(const vd_video *v, vd_media *m) {
    const char *say = v->log.text[0] != '\0' ? v->log.text : "data missing or damaged";
    bool all = v->ended && !v->skipped && v->opt.sampling == VD_SAMPLE_EVERY;
    if (all && v->n_decoded <= INT32_MAX) m->n_frames = (int32_t)v->n_decoded;
    if (!(m->width > 0) && v->dec != NULL && v->dec->width > 0) {
        m->width = m->orientation >= 5 ? v->dec->height : v->dec->width;
        m->height = m->orientation >= 5 ? v->dec->width : v->dec->height;
    }
    bool cut = v->cut_percent < 100 || (v->ended && v->log.premature);
    if (v->opt.want_pixels && v->ended && v->n_decoded == 0) {
        m->offset = cut ? v->in.size : v->bad_at;
        m->decoded_percent = 0;
        vd_video__verdict(m, VD_V_UNREADABLE, "no_frames", "%s: no frame of %s: %s", m->library,
                          m->codec, say);
    } else if (cut) {
        m->offset = v->in.size;
        m->decoded_percent = percent_seen(v);
        vd_video__verdict(m, VD_V_TRUNCATED, "premature_end",
                          "%s: the file ends before the video does", m->format);
    } else if (v->n_bad > 0) {
        m->offset = v->bad_at >= 0 ? v->bad_at : -1;
        m->decoded_percent = v->ended ? percent_seen(v) : NAN;
        vd_video__verdict(m, VD_V_CORRUPT, "decode_errors",
                          "%s: %lld errors, the first at %.3f s: %s", m->library,
                          (long long)v->n_bad, isnan(v->bad_s) ? 0 : v->bad_s, say);
    } else if (v->n_delivered >= MAX_FRAMES) {
        vd_video__verdict(m, VD_V_TOO_LARGE, "frame_limit", "more than %d frames", MAX_FRAMES);
    }
}
