/* CVAT's XML 1.1, for images and for videos. https://docs.cvat.ai, "CVAT for image", "CVAT for
 * video". SPDX-License-Identifier: Apache-2.0
 *
 * Shapes of tracks are pushed for the frames that the file lists; "outside" ends a track and is no
 * object. Frames of a video are named as CVAT exports them: frame_000010.PNG. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/mem.h"
#include "label/mask.h"
#include "labelio/cvat.h"
#include "labelio/simple.h"
#include "labelkit/xml.h"

static const double PI = 3.14159265358979323846;

typedef struct reader {
    vd_label_in *in;
    vd_build b;
    vd_mask mask;
    vd_str name, class, attr_name, sequence, points;
    vd_js_reals_buf numbers;
    int32_t image, width, height; /* of the video */
    int64_t track;
    bool in_track, outside, open; /* a shape whose attributes are to come */
    bool many;                    /* videos: frames have their video in front */
} reader;

/* ---- pieces ---- */

static vd_status side(const vd_xml_at *at, const char *text, const char *what, int32_t *out,
                      vd_err *err) {
    int64_t v = 0;
    VD_TRY(vd_xml_int(at, text, what, &v, err));
    if (v < 0 || v > VD_LABEL_MAX_SIDE)
        return vd_fail(err, VD_E_FORMAT, "%s: %s of %lld pixels, the limit is %d", at->where, what,
                       (long long)v, VD_LABEL_MAX_SIDE);
    *out = (int32_t)v;
    return VD_OK;
}

static vd_status start_image(reader *r, const vd_xml_at *at, vd_err *err) {
    vd_label_image m = { .name = vd_xml_attr(at, "name"),
                         .subset = vd_xml_attr(at, "subset"),
                         .frame = VD_LABEL_NONE };
    vd_str lower = { 0 };
    if (m.name == NULL || m.name[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: an image without a name", at->where);
    if (m.subset != NULL && (m.subset[0] == '\0' || strcmp(m.subset, "default") == 0))
        m.subset = NULL;
    VD_TRY(side(at, vd_xml_attr(at, "width"), "width", &m.width, err));
    VD_TRY(side(at, vd_xml_attr(at, "height"), "height", &m.height, err));
    for (const char *p = m.subset != NULL ? m.subset : ""; *p != '\0'; p++)
        vd_str_addc(&lower, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
    if (lower.size > 0) m.subset = lower.data;
    vd_status st = vd_label_in_image(r->in, &m, &r->image, NULL, err);
    vd_str_reset(&lower);
    return st;
}

static vd_status frame_image(reader *r, const vd_xml_at *at, vd_err *err) {
    vd_label_image m = { .width = r->width, .height = r->height };
    VD_TRY(vd_xml_int(at, vd_xml_attr(at, "frame"), "frame", &m.frame, err));
    if (m.frame < 0)
        return vd_fail(err, VD_E_FORMAT, "%s: frame %lld", at->where, (long long)m.frame);
    m.sequence = r->sequence.size > 0 ? r->sequence.data : NULL;
    vd_str_clear(&r->name);
    if (r->many && m.sequence != NULL) vd_str_addf(&r->name, "%s/", m.sequence);
    vd_str_addf(&r->name, "frame_%06lld.PNG", (long long)m.frame);
    VD_TRY(vd_str_check(&r->name, err));
    m.name = r->name.data;
    return vd_label_in_image(r->in, &m, &r->image, NULL, err);
}

static vd_status start_track(reader *r, const vd_xml_at *at, vd_err *err) {
    const char *label = vd_xml_attr(at, "label");
    r->in_track = true;
    vd_str_clear(&r->class);
    vd_str_add(&r->class, label != NULL ? label : "");
    VD_TRY(vd_xml_int(at, vd_xml_attr(at, "id"), "the id of a track", &r->track, err));
    return vd_str_check(&r->class, err);
}

/* "x,y;x,y" */
static vd_status points(reader *r, const vd_xml_at *at, vd_err *err) {
    const char *p = vd_xml_attr(at, "points");
    r->numbers.n = 0;
    if (p == NULL) return vd_fail(err, VD_E_FORMAT, "%s: a shape without points", at->where);
    while (*p != '\0') {
        char *end = NULL;
        double v = strtod(p, &end);
        char want = r->numbers.n % 2 == 0 ? ',' : ';';
        bool last = *end == '\0' && want == ';';
        if (end == p || !isfinite(v) || !(*end == want || last))
            return vd_fail(err, VD_E_FORMAT, "%s: points '%.40s' are no pairs of numbers",
                           at->where, p);
        VD_TRY(VD_GROW(r->numbers.v, r->numbers.cap, r->numbers.n + 1, err));
        r->numbers.v[r->numbers.n++] = v;
        p = end + !last;
    }
    return VD_OK;
}

static vd_status box(reader *r, const vd_xml_at *at, vd_err *err) {
    double v[4], degrees = 0;
    static const char *const names[] = { "xtl", "ytl", "xbr", "ybr" };
    const char *rotation = vd_xml_attr(at, "rotation");
    for (int i = 0; i < 4; i++)
        VD_TRY(vd_xml_real(at, vd_xml_attr(at, names[i]), names[i], &v[i], err));
    if (rotation != NULL) VD_TRY(vd_xml_real(at, rotation, "rotation", &degrees, err));
    if (degrees == 0) {
        vd_build_box(&r->b, v[0], v[1], v[2] - v[0], v[3] - v[1]);
        return VD_OK;
    }
    const double turned[4] = { 0.5 * (v[0] + v[2]), 0.5 * (v[1] + v[3]), v[2] - v[0], v[3] - v[1] };
    memcpy(r->b.o.box, turned, sizeof turned);
    r->b.o.angle = degrees * PI / 180;
    r->b.o.has |= VD_OBJ_ROTATED;
    return VD_OK;
}

/* "rle" lists runs along the rows of a window of the picture. */
static vd_status mask(reader *r, const vd_xml_at *at, vd_err *err) {
    static const char *const names[] = { "left", "top", "width", "height" };
    int64_t w[4];
    const char *p = vd_xml_attr(at, "rle");
    for (int i = 0; i < 4; i++)
        VD_TRY(vd_xml_int(at, vd_xml_attr(at, names[i]), names[i], &w[i], err));
    bool sane = w[0] >= 0 && w[1] >= 0 && w[2] > 0 && w[3] > 0 && w[0] + w[2] <= r->width &&
                w[1] + w[3] <= r->height;
    if (p == NULL || !sane)
        return vd_fail(err, VD_E_FORMAT,
                       "%s: a mask without rle, or outside of its picture of %d x %d", at->where,
                       r->width, r->height);
    uint8_t *pixels = vd_mem_array((size_t)r->width * (size_t)r->height, 1);
    if (pixels == NULL) return vd_nomem(err);
    vd_status st = VD_OK;
    int64_t n = 0, total = w[2] * w[3];
    for (int on = 0; *p != '\0' && st == VD_OK; on = !on) {
        char *end = NULL;
        long long run = strtoll(p, &end, 10);
        if (end == p || run < 0 || run > total - n)
            st = vd_fail(err, VD_E_FORMAT, "%s: rle '%.30s' does not fit %lld x %lld pixels",
                         at->where, p, (long long)w[2], (long long)w[3]);
        for (int64_t k = 0; st == VD_OK && k < run; k++, n++)
            pixels[(w[1] + n / w[2]) * r->width + w[0] + n % w[2]] = (uint8_t)on;
        for (p = end; *p == ',' || *p == ' ';) p++;
    }
    vd_mask_reset(&r->mask);
    if (st == VD_OK) st = vd_mask_from_bytes(&r->mask, pixels, r->width, r->height, r->width, err);
    vd_mem_free(pixels);
    if (st != VD_OK) return st;
    r->b.o.has |= VD_OBJ_MASK;
    r->b.o.runs = r->mask.run;
    r->b.o.n_runs = r->mask.n;
    r->b.o.mask_width = r->mask.width;
    r->b.o.mask_height = r->mask.height;
    return VD_OK;
}

static vd_status shape_of(reader *r, const vd_xml_at *at, const char *kind, bool *known,
                          vd_err *err) {
    *known = true;
    if (strcmp(kind, "box") == 0) return box(r, at, err);
    if (strcmp(kind, "tag") == 0) return VD_OK;
    if (strcmp(kind, "mask") == 0) return mask(r, at, err);
    bool polygon = strcmp(kind, "polygon") == 0, line = strcmp(kind, "polyline") == 0;
    *known = polygon || line || strcmp(kind, "points") == 0;
    if (!*known)
        return vd_label_lose(r->in->report, err, "shapes of other kinds", "%s: %.60s", at->where,
                             kind);
    VD_TRY(points(r, at, err));
    for (int64_t i = 0; i + 1 < r->numbers.n; i += 2) {
        double x = r->numbers.v[i], y = r->numbers.v[i + 1];
        VD_TRY(polygon || line ? vd_build_vertex(&r->b, x, y, err)
                               : vd_build_keypoint(&r->b, x, y, 2, err));
    }
    return polygon || line ? vd_build_ring(&r->b, polygon ? VD_OBJ_POLYGON : VD_OBJ_LINE, err)
                           : VD_OK;
}

static vd_status start_shape(reader *r, const vd_xml_at *at, const char *kind, vd_err *err) {
    const char *label = r->in_track ? vd_str_text(&r->class) : vd_xml_attr(at, "label");
    const char *occluded = vd_xml_attr(at, "occluded"), *z = vd_xml_attr(at, "z_order");
    const char *outside = vd_xml_attr(at, "outside"), *group = vd_xml_attr(at, "group_id");
    bool known = false;
    r->outside = outside != NULL && strcmp(outside, "1") == 0;
    if (r->in_track && !r->outside) VD_TRY(frame_image(r, at, err));
    vd_build_clear(&r->b, r->image);
    VD_TRY(shape_of(r, at, kind, &known, err));
    r->open = known;
    if (label != NULL && label[0] != '\0' && known && !r->outside)
        VD_TRY(vd_label_in_class(r->in, label, &r->b.o.category, err));
    if (occluded != NULL && strcmp(occluded, "1") == 0)
        vd_attr_raw(&r->b.attributes, "occluded", "true");
    if (z != NULL && strcmp(z, "0") != 0) vd_attr_text(&r->b.attributes, "z_order", z);
    if (group != NULL && strcmp(group, "0") != 0) vd_attr_text(&r->b.attributes, "group_id", group);
    if (r->in_track) {
        r->b.o.has |= VD_OBJ_TRACK;
        r->b.o.track = r->track;
    }
    return VD_OK;
}

/* ---- events ---- */

/* The last name of a path, where it lies directly in an image or a track. */
static const char *shape_in(const char *path) {
    static const char *const above[] = { "annotations/image/", "annotations/track/" };
    for (int i = 0; i < VD_COUNT(above); i++)
        if (vd_str_starts(path, above[i]) && strchr(path + strlen(above[i]), '/') == NULL)
            return path + strlen(above[i]);
    return NULL;
}

static vd_status on_start(void *user, const vd_xml_at *at, vd_err *err) {
    reader *r = user;
    const char *shape = shape_in(at->path);
    if (strchr(at->path, '/') == NULL && strcmp(at->path, "annotations") != 0)
        return vd_fail(err, VD_E_FORMAT, "%s: the document is a '%.60s', not annotations of CVAT",
                       at->where, at->path);
    if (strcmp(at->path, "annotations/image") == 0) {
        r->in_track = false;
        VD_TRY(side(at, vd_xml_attr(at, "width"), "width", &r->width, err));
        VD_TRY(side(at, vd_xml_attr(at, "height"), "height", &r->height, err));
        return start_image(r, at, err);
    }
    if (strcmp(at->path, "annotations/track") == 0) return start_track(r, at, err);
    if (shape != NULL) return start_shape(r, at, shape, err);
    size_t n = strlen(at->path);
    if (n > 10 && strcmp(at->path + n - 10, "/attribute") == 0 && r->open) {
        const char *name = vd_xml_attr(at, "name");
        vd_str_clear(&r->attr_name);
        vd_str_add(&r->attr_name, name != NULL ? name : "");
        return vd_str_check(&r->attr_name, err);
    }
    return VD_OK;
}

static void attribute(reader *r, const vd_xml_at *at) {
    double v;
    const char *name = vd_str_text(&r->attr_name);
    bool plain = strcmp(at->text, "true") == 0 || strcmp(at->text, "false") == 0;
    /* "0003" is a text that looks like a number */
    vd_str number = { 0 };
    if (vd_xml_real(at, at->text, "", &v, NULL) == VD_OK) vd_str_json_num(&number, v);
    if (plain || (number.size > 0 && strcmp(number.data, at->text) == 0))
        vd_attr_raw(&r->b.attributes, name, at->text);
    else
        vd_attr_text(&r->b.attributes, name, at->text);
    if (number.status != VD_OK) r->b.attributes.status = number.status;
    vd_str_reset(&number);
}

static vd_status on_end(void *user, const vd_xml_at *at, vd_err *err) {
    reader *r = user;
    const char *shape = shape_in(at->path), *name = strrchr(at->path, '/');
    name = name != NULL ? name + 1 : at->path;
    if (shape != NULL && r->open) {
        r->open = false;
        return r->outside ? VD_OK : vd_build_push(&r->b, r->in, at->where, err);
    }
    if (r->open && strcmp(name, "attribute") == 0) {
        attribute(r, at);
        return vd_str_check(&r->b.attributes, err);
    }
    if (!vd_str_starts(at->path, "annotations/meta/")) return VD_OK;
    if (vd_str_ends(at->path, "/original_size/width"))
        return side(at, at->text, "width", &r->width, err);
    if (vd_str_ends(at->path, "/original_size/height"))
        return side(at, at->text, "height", &r->height, err);
    if (vd_str_ends(at->path, "/labels/label/name") && at->text[0] != '\0') {
        int32_t index = 0;
        return vd_label_in_class(r->in, at->text, &index, err);
    }
    if (vd_str_ends(at->path, "/task/source") || vd_str_ends(at->path, "/meta/source")) {
        vd_str_clear(&r->sequence);
        vd_str_add(&r->sequence, at->text);
        return vd_str_check(&r->sequence, err);
    }
    return VD_OK;
}

static void reset(reader *r) {
    vd_build_reset(&r->b);
    vd_mask_reset(&r->mask);
    vd_mem_free(r->numbers.v);
    vd_str_reset(&r->name);
    vd_str_reset(&r->class);
    vd_str_reset(&r->attr_name);
    vd_str_reset(&r->sequence);
    vd_str_reset(&r->points);
}

vd_status vd_cvat_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                        vd_err *err) {
    reader r = { .in = in };
    const vd_xml_handler h = { on_start, on_end, &r };
    vd_status st = vd_xml_parse(&h, where, text, size, err);
    reset(&r);
    return st;
}

/* A file; a folder with annotations.xml, or with a file for each video. */
static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    reader r = { .in = in };
    const vd_xml_handler h = { on_start, on_end, &r };
    vd_str file = { 0 };
    vd_names names = { 0 };
    vd_status st = VD_OK;
    int64_t n = 0;
    vd_join(&file, path, "annotations.xml");
    VD_GO(vd_str_check(&file, err));
    if (!vd_is_folder(path) || vd_is_file(file.data)) {
        st = vd_xml_read(&h, vd_is_folder(path) ? file.data : path, err);
        goto done;
    }
    VD_GO(vd_names_of(&names, path, err));
    for (int64_t i = 0; i < names.n; i++) n += vd_str_ends(names.name[i], ".xml");
    r.many = n > 1;
    for (int64_t i = 0; i < names.n; i++) {
        if (!vd_str_ends(names.name[i], ".xml")) continue;
        vd_str_clear(&r.sequence);
        r.width = r.height = 0;
        vd_join(&file, path, names.name[i]);
        VD_GO(vd_str_check(&file, err));
        VD_GO(vd_xml_read(&h, file.data, err));
    }
    if (n == 0) st = vd_fail(err, VD_E_NOTFOUND, "label: no XML files in %s", path);
done:
    reset(&r);
    vd_names_reset(&names);
    vd_str_reset(&file);
    return st;
}

static int detect(const vd_label_probe *p) {
    if (!p->folder)
        return strcmp(p->ext, "xml") == 0 && strstr(p->head, "<annotations") != NULL ? 85 : 0;
    bool sure = vd_probe_has(p, "annotations.xml");
    for (int64_t i = 0; i < p->names.n && !sure; i++) {
        char head[512];
        vd_str path = { 0 };
        if (!vd_str_ends(p->names.name[i], ".xml")) continue;
        vd_read_head(vd_join(&path, p->path, p->names.name[i]), head, sizeof head);
        sure = strstr(head, "<annotations>") != NULL;
        vd_str_reset(&path);
    }
    return sure ? 85 : 0;
}

const vd_label_format vd_label_cvat = {
    .name = "cvat",
    .summary = "CVAT XML 1.1 for images; that for videos is read, too",
    .holds = VD_CVAT_HOLDS,
    .detect = detect,
    .read = read_path,
    .write = vd_cvat_write,
};

static int detect_none(const vd_label_probe *p) {
    (void)p;
    return 0; /* what "cvat" says of it */
}

const vd_label_format vd_label_cvat_video = {
    .name = "cvat-video",
    .summary = "CVAT XML 1.1 for videos, a file for each",
    .folder = true,
    .holds = VD_CVAT_HOLDS | VD_OBJ_TRACK,
    .detect = detect_none,
    .read = read_path,
    .write = vd_cvat_write_videos,
};
