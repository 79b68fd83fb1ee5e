/* See maps.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/maps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "image/working.h"
#include "labelkit/maps.h"

static const size_t MAX_NPY = (size_t)1 << 33;

void vd_segment_map_reset(vd_segment_map *m) {
    vd_mem_free(m->id);
    *m = (vd_segment_map){ 0 };
}

/* ---- one map ---- */

static vd_status shape(vd_segment_map *m, int64_t width, int64_t height, vd_err *err) {
    m->width = (int32_t)width;
    m->height = (int32_t)height;
    m->id = vd_mem_array((size_t)width * (size_t)height, sizeof *m->id);
    return m->id != NULL ? VD_OK : vd_nomem(err);
}

static vd_status take_frame(void *user, const vd_frame *f, const vd_media *media, int64_t index,
                            double time_s, vd_err *err) {
    vd_segment_map *m = user;
    (void)media, (void)time_s;
    if (index > 0) return VD_OK;
    VD_TRY(shape(m, f->width, f->height, err));
    for (int32_t y = 0; y < f->height; y++)
        for (int32_t x = 0; x < f->width; x++) {
            const uint8_t *p = f->plane[0].data + y * f->plane[0].stride;
            uint8_t rgb[3];
            int32_t id = 0;
            if (f->format == VD_PIX_GREY8) {
                id = p[x];
            } else {
                vd_frame_colour(f, x, y, rgb);
                id = rgb[0] + 256 * rgb[1] + 65536 * rgb[2];
            }
            m->id[(int64_t)y * f->width + x] = id;
        }
    return VD_OK;
}

static vd_status decode(vd_segment_map *m, const char *path, vd_codec **codec,
                        const char *libexec_dir, vd_err *err) {
    vd_media media;
    vd_decode_opt opt = VD_DECODE_OPT;
    struct stat sb;
    vd_status st = VD_OK;
    opt.all_pages = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "map: %.300s", path);
    if (fstat(fd, &sb) != 0) VD_GO(vd_fail_errno(err, errno, "map: %.300s", path));
    const vd_source source = { .name = path, .fd = fd, .size = (int64_t)sb.st_size };
    if (*codec == NULL) VD_GO(vd_codec_new(codec, libexec_dir, err));
    VD_GO(vd_codec_decode(*codec, &source, &opt, take_frame, m, &media, err));
    if (m->id == NULL || !(media.verdict == VD_V_OK || media.verdict == VD_V_WRONG_EXTENSION))
        st = vd_fail(err, VD_E_FORMAT, "map: %.300s cannot be decoded: %s", path, media.reason);
done:
    close(fd);
    return st;
}

static bool is_png(const char *path) {
    char head[16];
    vd_read_head(path, head, sizeof head);
    return memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
}

/* Samples as they are stored: what they look like does not matter. */
static vd_status read_png(vd_segment_map *m, const char *path, vd_codec **codec,
                          const char *libexec_dir, vd_err *err) {
    vd_label_map map = { 0 };
    const vd_decode_opt opt = VD_DECODE_OPT;
    vd_status st =
        vd_label_map_read(&map, path, VD_MAP_IDS, opt.max_pixels, codec, libexec_dir, err);
    if (st == VD_OK) {
        *m = (vd_segment_map){ .width = map.width, .height = map.height, .id = map.id };
        map.id = NULL;
    }
    vd_label_map_reset(&map);
    return st;
}

static vd_status read_npy(vd_segment_map *m, const char *path, vd_err *err) {
    vd_npy a;
    char *bytes = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&bytes, &size, path, MAX_NPY, err));
    vd_status st = vd_npy_parse(&a, bytes, size, err);
    if (st == VD_OK &&
        (a.n_dims != 2 || a.type >= VD_NPY_F32 || a.dim[0] < 1 || a.dim[1] < 1 ||
         a.dim[0] > INT32_MAX / a.dim[1] ||
         (size_t)(a.dim[0] * a.dim[1]) > (size - (size_t)a.data_at) / vd_npy_elem_bytes(a.type)))
        st = vd_fail(err, VD_E_FORMAT, "map: %.300s: not whole numbers [height, width]", path);
    if (st == VD_OK) st = shape(m, a.dim[1], a.dim[0], err);
    const char *p = st == VD_OK ? bytes + a.data_at : NULL;
    for (int64_t i = 0; st == VD_OK && i < a.dim[0] * a.dim[1]; i++) {
        int64_t v = 0;
        int32_t v32 = 0;
        if (a.type == VD_NPY_U8) {
            v = (uint8_t)p[i];
        } else if (a.type == VD_NPY_I32) {
            memcpy(&v32, p + 4 * i, sizeof v32);
            v = v32;
        } else {
            memcpy(&v, p + 8 * i, sizeof v);
        }
        if (v < 0 || v > INT32_MAX)
            st = vd_fail(err, VD_E_FORMAT, "map: %.300s: element %lld is %lld, allowed are 0 to %d",
                         path, (long long)i, (long long)v, INT32_MAX);
        m->id[i] = (int32_t)v;
    }
    vd_mem_free(bytes);
    return st;
}

vd_status vd_segment_map_read(vd_segment_map *out, const char *path, vd_codec **codec,
                              const char *libexec_dir, vd_err *err) {
    vd_segment_map m = { 0 };
    vd_status st = vd_str_ends(path, ".npy") ? read_npy(&m, path, err)
                   : is_png(path)            ? read_png(&m, path, codec, libexec_dir, err)
                                             : decode(&m, path, codec, libexec_dir, err);
    if (st == VD_OK)
        *out = m;
    else
        vd_segment_map_reset(&m);
    return st;
}

/* ---- folders ---- */

void vd_segment_files_reset(vd_segment_files *f) {
    for (int64_t i = 0; i < f->n; i++) vd_mem_free(f->name[i]);
    vd_mem_free(f->name);
    *f = (vd_segment_files){ 0 };
}

static vd_status add_name(vd_segment_files *f, const char *name, vd_err *err) {
    VD_TRY(VD_GROW(f->name, f->cap, f->n + 1, err));
    if ((f->name[f->n] = vd_mem_strdup(name)) == NULL) return vd_nomem(err);
    f->n++;
    return VD_OK;
}

static int is_map(const struct dirent *e) {
    static const char *const suffix[] = { ".png", ".npy", ".bmp", ".pgm", ".ppm", ".tif", ".tiff" };
    for (int i = 0; i < VD_COUNT(suffix); i++)
        if (e->d_name[0] != '.' && vd_str_ends(e->d_name, suffix[i])) return 1;
    return 0;
}

vd_status vd_segment_files_list(vd_segment_files *out, const char *path, vd_err *err) {
    struct dirent **entry = NULL;
    struct stat sb;
    vd_status st = VD_OK;
    if (stat(path, &sb) != 0) return vd_fail_errno(err, errno, "maps: %.300s", path);
    if (!S_ISDIR(sb.st_mode)) return add_name(out, path, err);
    int n = scandir(path, &entry, is_map, alphasort);
    if (n < 0) return vd_fail_errno(err, errno, "maps: %.300s", path);
    out->dir = path;
    for (int i = 0; i < n; i++) {
        if (st == VD_OK) st = add_name(out, entry[i]->d_name, err);
        free(entry[i]);
    }
    free(entry);
    if (st == VD_OK && n == 0)
        st = vd_fail(err, VD_E_NOTFOUND, "maps: %.300s has no .png, .npy, .bmp, .pgm, .ppm, .tif",
                     path);
    return st;
}

static size_t stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL ? (size_t)(dot - name) : strlen(name);
}

int64_t vd_segment_files_find(const vd_segment_files *f, const char *name) {
    size_t n = stem(name);
    for (int64_t i = 0; i < f->n; i++)
        if (stem(f->name[i]) == n && strncmp(f->name[i], name, n) == 0) return i;
    return -1;
}
