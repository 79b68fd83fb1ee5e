/* Bytes for FFmpeg: a memory block, or a range of an open file read by pread, so that a video
 * inside a tar plays in place and the descriptor's position does not matter. Also its log: nothing
 * is printed; the first complaint of an open video is kept for the verdict's text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "video/video_int.h"

#include <errno.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (64 * 1024)

static int on_read(void *user, uint8_t *buf, int n) {
    vd_video *v = user;
    int64_t left = v->in.size - v->at;
    if (left <= 0) return AVERROR_EOF;
    if (n > left) n = (int)left;
    if (v->in.data != NULL) {
        memcpy(buf, v->in.data + v->at, (size_t)n);
    } else {
        ssize_t got;
        do got = pread(v->in.fd, buf, (size_t)n, v->in.offset + v->at);
        while (got < 0 && errno == EINTR);
        if (got < 0) return AVERROR(errno);
        if (got == 0) return AVERROR_EOF; /* the file shrank */
        n = (int)got;
    }
    v->at += n;
    return n;
}

static int64_t on_seek(void *user, int64_t offset, int whence) {
    vd_video *v = user;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE) return v->in.size;
    if (whence == SEEK_CUR)
        offset += v->at;
    else if (whence == SEEK_END)
        offset += v->in.size;
    else if (whence != SEEK_SET)
        return AVERROR(EINVAL);
    if (offset < 0) return AVERROR(EINVAL);
    return v->at = offset;
}

vd_status vd_video__io_open(vd_video *v, vd_err *err) {
    uint8_t *buf = av_malloc(BUFFER);
    if (buf == NULL) return vd_nomem(err);
    v->io = avio_alloc_context(buf, BUFFER, 0, v, on_read, NULL, on_seek);
    if (v->io == NULL) {
        av_free(buf);
        return vd_nomem(err);
    }
    return VD_OK;
}

void vd_video__io_close(vd_video *v) {
    if (v->io != NULL) av_freep(&v->io->buffer);
    avio_context_free(&v->io);
}

static vd_video__log *log_of(void *context) {
    if (context == NULL) return NULL;
    const AVClass *class = *(const AVClass **)context;
    if (class == avformat_get_class()) return ((AVFormatContext *)context)->opaque;
    if (class == avcodec_get_class()) return ((AVCodecContext *)context)->opaque;
    return NULL;
}

static void on_log(void *context, int level, const char *fmt, va_list ap) {
    if (level > AV_LOG_ERROR) return;
    vd_video__log *log = log_of(context);
    if (log == NULL) return;
    char line[160];
    vsnprintf(line, sizeof line, fmt, ap);
    line[strcspn(line, "\r\n")] = '\0';
    log->n_errors++;
    if (strstr(line, "prematurely") != NULL || strstr(line, "partial file") != NULL)
        log->premature = true;
    if (log->text[0] == '\0') memcpy(log->text, line, sizeof line);
}

void vd_video__quiet(void) {
    av_log_set_callback(on_log);
}

const char *vd_video__error(char buf[128], int averror) {
    if (av_strerror(averror, buf, 128) < 0) snprintf(buf, 128, "error %d", averror);
    return buf;
}
