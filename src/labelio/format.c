/* The table, and which row a path belongs to. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/format.h"

#include <string.h>

extern const vd_label_format vd_label_coco, vd_label_coco_panoptic, vd_label_lvis, vd_label_yolo,
    vd_label_yolo_segment, vd_label_yolo_pose, vd_label_yolo_obb, vd_label_voc, vd_label_voc_masks,
    vd_label_kitti, vd_label_mot, vd_label_mots, vd_label_labelme, vd_label_cityscapes,
    vd_label_cityscapes_masks, vd_label_mots_png, vd_label_label_studio, vd_label_datumaro,
    vd_label_cvat, vd_label_cvat_video, vd_label_imagenet, vd_label_csv, vd_label_open_images,
    vd_label_ytvis, vd_label_labelme_xml;

const vd_label_format *const vd_label_formats[] = {
    &vd_label_coco,        &vd_label_coco_panoptic, &vd_label_lvis,
    &vd_label_yolo,        &vd_label_yolo_segment,  &vd_label_yolo_pose,
    &vd_label_yolo_obb,    &vd_label_voc,           &vd_label_voc_masks,
    &vd_label_kitti,       &vd_label_mot,           &vd_label_mots,
    &vd_label_labelme,     &vd_label_cityscapes,    &vd_label_cityscapes_masks,
    &vd_label_mots_png,    &vd_label_label_studio,  &vd_label_datumaro,
    &vd_label_cvat,        &vd_label_cvat_video,    &vd_label_imagenet,
    &vd_label_csv,         &vd_label_open_images,   &vd_label_ytvis,
    &vd_label_labelme_xml,
};
const int vd_n_label_formats = VD_COUNT(vd_label_formats);

const vd_label_format *vd_label_format_find(const char *name) {
    for (int i = 0; i < vd_n_label_formats; i++)
        if (strcmp(vd_label_formats[i]->name, name) == 0) return vd_label_formats[i];
    return NULL;
}

static vd_status best_of(const vd_label_format **out, const vd_label_probe *p, vd_err *err) {
    int best = 0;
    for (int i = 0; i < vd_n_label_formats; i++) {
        int sure = vd_label_formats[i]->detect(p);
        if (sure <= best) continue;
        best = sure;
        *out = vd_label_formats[i];
    }
    if (best > 0) return VD_OK;
    return vd_fail(err, VD_E_UNSUPPORTED, "label: %s is of no format that is known; name one",
                   p->path);
}

vd_status vd_label_detect(const vd_label_format **out, const char *path, vd_err *err) {
    vd_label_probe p = { 0 };
    VD_TRY(vd_probe_path(&p, path, err));
    vd_status st = best_of(out, &p, err);
    vd_probe_reset(&p);
    return st;
}
