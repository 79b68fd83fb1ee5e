/* Where trainers look; see layout.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/layout.h"

#include <string.h>

#define FILE_OF_PART "images/{p}/{n}.{e}"
#define BARE "{n}.{e}"
#define SEQUENCE "{p}/{s}/img1/{f}.{e}"
#define CITY_NAME "{n}_leftImg8bit.{e}"
#define CITY "leftImg8bit/{p}/{c}/" CITY_NAME

const vd_layout vd_layouts[] = {
    { "coco", VD_PUBLISH_LABELS, FILE_OF_PART, BARE, "" },
    { "coco-panoptic", VD_PUBLISH_LABELS, FILE_OF_PART, BARE, "" },
    { "lvis", VD_PUBLISH_LABELS, FILE_OF_PART, BARE, "" },
    { "yolo", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "" },
    { "yolo-segment", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "" },
    { "yolo-pose", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "" },
    { "yolo-obb", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "" },
    { "voc", VD_PUBLISH_LABELS, "JPEGImages/" BARE, BARE, "", "ImageSets/Main/{p}.txt" },
    { "voc-masks", VD_PUBLISH_LABELS, "JPEGImages/" BARE, BARE, "",
      "ImageSets/Segmentation/{p}.txt" },
    { "kitti", VD_PUBLISH_LABELS, "{k}/image_2/" BARE, BARE, "", "ImageSets/{p}.txt" },
    { "mot", VD_PUBLISH_LABELS, SEQUENCE, "{s}/img1/{f}.{e}", "", NULL, true, true },
    { "mots", VD_PUBLISH_LABELS, SEQUENCE, "{s}/img1/{f}.{e}", "", NULL, true, true },
    { "mots-png", VD_PUBLISH_LABELS, SEQUENCE, "{s}/img1/{f}.{e}", "", NULL, true, true },
    { "labelme", VD_PUBLISH_LABELS, "{p}/" BARE, BARE, "" },
    { "cityscapes", VD_PUBLISH_LABELS, CITY, CITY_NAME, "" },
    { "cityscapes-masks", VD_PUBLISH_LABELS, CITY, CITY_NAME, "" },
    { "label-studio", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "tasks.json" },
    { "datumaro", VD_PUBLISH_LABELS, FILE_OF_PART, BARE, "" },
    { "cvat", VD_PUBLISH_LABELS, FILE_OF_PART, BARE, "annotations.xml" },
    { "csv", VD_PUBLISH_LABELS, FILE_OF_PART, FILE_OF_PART, "labels.csv" },
    { "open-images", VD_PUBLISH_LABELS, "images/{v}/" BARE, BARE, "" },
    { "youtube-vis", VD_PUBLISH_LABELS, "{p}/JPEGImages/{s}/{f}.{e}", "{s}/{f}.{e}",
      "instances.json", NULL, true, true },
    { "imagefolder", VD_PUBLISH_FOLDERS, "{p}/{s}/" BARE, BARE, "" },
    { "webdataset", VD_PUBLISH_SHARDS, BARE, BARE, "" },
    { "parquet", VD_PUBLISH_TABLES, FILE_OF_PART, FILE_OF_PART, "" },
};
const int vd_n_layouts = VD_COUNT(vd_layouts);

const vd_layout *vd_layout_find(const char *format) {
    for (int i = 0; i < vd_n_layouts; i++)
        if (strcmp(vd_layouts[i].format, format) == 0) return &vd_layouts[i];
    return NULL;
}

void vd_layout_add(vd_str *out, const char *path, const vd_publish_item *m) {
    for (const char *p = path; *p != '\0'; p++) {
        if (*p != '{') {
            vd_str_addc(out, *p);
            continue;
        }
        switch (p[1]) {
        case 'p': vd_str_add(out, m->part); break;
        case 'v': vd_str_add(out, strcmp(m->part, "val") == 0 ? "validation" : m->part); break;
        case 'n': vd_str_add(out, m->stem); break;
        case 'e': vd_str_add(out, m->ext); break;
        case 's': vd_str_add(out, m->folder != NULL ? m->folder : "_"); break;
        case 'f': vd_str_addf(out, "%06lld", (long long)m->frame); break;
        case 'c': vd_str_addn(out, m->stem, (int64_t)strcspn(m->stem, "_")); break;
        case 'k': vd_str_add(out, strcmp(m->part, "test") == 0 ? "testing" : "training"); break;
        default: break;
        }
        p += 2;
    }
}
