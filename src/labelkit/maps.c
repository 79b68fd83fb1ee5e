/* See maps.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

void vd_label_map_reset(vd_label_map *m) {
    vd_mem_free(m->id);
    *m = (vd_label_map){ 0 };
}

/* ---- one map ---- */

typedef struct taker {
    vd_label_map *map;
    vd_map_samples samples;
    const char *path;
    bool taken;
} taker;

static int32_t sample(const uint8_t *p, int k, bool wide) {
    uint16_t two;
    if (!wide) return p[k];
    memcpy(&two, p + 2 * (ptrdiff_t)k, sizeof two);
    return two;
}

static void take_row(int32_t *id, const uint8_t *p, const vd_frame *f, vd_map_samples samples) {
    const bool wide = f->format == VD_PIX_RAW16, alpha = f->channels % 2 == 0;
    const int n = f->channels, step = wide ? 2 * n : n;
    for (int32_t x = 0; x < f->width; x++, p += step) {
        if (samples == VD_MAP_IDS && n <= 2) {
            id[x] = sample(p, 0, wide);
        } else if (samples == VD_MAP_IDS) {
            id[x] = p[0] | p[1] << 8 | p[2] << 16;
        } else {
            int32_t any = 0;
            for (int k = alpha ? n - 1 : 0; k < n; k++) any |= sample(p, k, wide);
            id[x] = any != 0;
        }
    }
}

static vd_status take_frame(void *user, const vd_frame *f, const vd_media *media, int64_t index,
                            double time_s, vd_err *err) {
    taker *t = user;
    vd_label_map *m = t->map;
    (void)media, (void)index, (void)time_s;
    if (f->format == VD_PIX_RAW16 && f->channels > 2 && t->samples == VD_MAP_IDS)
        return vd_fail(err, VD_E_FORMAT, "map: %.300s: colours of 16 bits are no numbers of pixels",
                       t->path);
    VD_TRY(VD_GROW(m->id, m->cap, (int64_t)f->width * f->height, err));
    m->width = f->width;
    m->height = f->height;
    m->colours = f->channels > 2;
    m->n_palette = 0;
    for (int32_t y = 0; y < f->height; y++)
        take_row(m->id + (int64_t)y * f->width, f->plane[0].data + y * f->plane[0].stride, f,
                 t->samples);
    for (const uint8_t *p = f->plane[1].data; m->n_palette < f->plane[1].width; p += 3)
        m->palette[m->n_palette++] = p[0] | p[1] << 8 | p[2] << 16;
    t->taken = true;
    return VD_OK;
}

static vd_status refuse(const char *path, const vd_media *m, vd_err *err) {
    vd_status st = m->verdict == VD_V_TOO_LARGE ? VD_E_LIMIT
                   : m->verdict == VD_V_UNSUPPORTED || m->verdict == VD_V_NOT_AN_IMAGE
                       ? VD_E_UNSUPPORTED
                       : VD_E_FORMAT;
    return vd_fail(err, st, "map: %.300s cannot be read: %s (%s)", path, m->detail, m->reason);
}

vd_status vd_label_map_read(vd_label_map *out, const char *path, vd_map_samples samples,
                            int64_t max_pixels, vd_codec **codec, const char *libexec_dir,
                            vd_err *err) {
    vd_media media;
    vd_decode_opt opt = VD_DECODE_OPT;
    taker t = { out, samples, path, false };
    struct stat sb;
    vd_status st = VD_OK;
    opt.raw = true;
    opt.max_pixels = max_pixels;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return vd_fail_errno(err, errno, "map: %.300s", path);
    if (fstat(fd, &sb) != 0) VD_GO(vd_fail_errno(err, errno, "map: %.300s", path));
    if (!S_ISREG(sb.st_mode)) VD_GO(vd_fail(err, VD_E_IO, "map: %.300s is no file", path));
    const vd_source source = { .name = path, .fd = fd, .size = (int64_t)sb.st_size };
    if (*codec == NULL) VD_GO(vd_codec_new(codec, libexec_dir, err));
    VD_GO(vd_codec_decode(*codec, &source, &opt, take_frame, &t, &media, err));
    if (!t.taken || media.verdict > VD_V_WRONG_EXTENSION) st = refuse(path, &media, err);
done:
    close(fd);
    return st;
}

/* ---- maps beside labels ---- */

void vd_label_maps_free(vd_label_maps *m) {
    if (m == NULL) return;
    vd_codec_free(m->codec);
    vd_label_map_reset(&m->map);
    vd_map_masks_reset(&m->masks);
    vd_mem_free(m);
}

vd_status vd_label_in_map(vd_label_in *in, vd_label_maps **out, const char *path,
                          vd_map_samples samples, int32_t width, int32_t height, vd_err *err) {
    *out = NULL;
    if (!vd_is_file(path))
        return vd_label_lose(in->report, err, "PNG files that are not there", "%s", path);
    if (in->maps == NULL && (in->maps = vd_mem_array(1, sizeof *in->maps)) == NULL)
        return vd_nomem(err);
    vd_label_maps *r = in->maps;
    const vd_label_map *m = &r->map;
    vd_map_masks_reset(&r->masks);
    VD_TRY(vd_label_map_read(&r->map, path, samples, VD_LABEL_MAP_PIXELS, &r->codec,
                             in->libexec_dir, err));
    if (width > 0 && (m->width != width || m->height != height))
        return vd_label_lose(in->report, err, "PNG files of another size than their picture",
                             "%s: %d x %d, the picture has %d x %d", path, m->width, m->height,
                             width, height);
    vd_err why = { 0 };
    vd_status st = vd_map_masks_of(&r->masks, m->id, m->height, m->width, &why);
    if (st != VD_OK) return vd_fail(err, st, "%.300s: %.150s", path, why.msg);
    *out = r;
    return VD_OK;
}

void vd_label_give_mask(vd_label_object *o, const vd_mask *m) {
    o->has |= VD_OBJ_MASK;
    o->runs = m->run;
    o->n_runs = m->n;
    o->mask_width = m->width;
    o->mask_height = m->height;
}
