/* Folders of classes: CLASS/picture.jpg, or SUBSET/CLASS/picture.jpg, as ImageNet is laid out for
 * most trainers. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "labelio/simple.h"

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    vd_names names = { 0 };
    vd_str class = { 0 }, file = { 0 };
    vd_status st = vd_names_below(&names, path, err);
    for (int64_t i = 0; st == VD_OK && i < names.n; i++) {
        const char *name = names.name[i], *last = vd_path_name(name);
        if (!vd_is_picture_name(name)) continue;
        vd_label_image m = { .name = name,
                             .frame = VD_LABEL_NONE,
                             .subset = vd_label_subset_in(name) };
        vd_label_object o = { .category = VD_LABEL_NONE };
        size_t first = strcspn(name, "/");
        /* the first folder that is no subset */
        const char *begin = m.subset != NULL && name[first] == '/' ? name + first + 1 : name;
        vd_str_clear(&class);
        if (begin < last) vd_str_addn(&class, begin, (int64_t)strcspn(begin, "/"));
        VD_GO(vd_str_check(&class, err));
        VD_GO(vd_label_in_size(in, name, vd_join(&file, path, name), &m.width, &m.height, err));
        VD_GO(vd_label_in_image(in, &m, &o.image, NULL, err));
        if (class.size == 0) {
            VD_GO(vd_label_lose(in->report, err, "pictures outside of the folders of classes", "%s",
                                name));
            continue;
        }
        VD_GO(vd_label_in_class(in, class.data, &o.category, err));
        st = vd_label_in_object(in, name, &o, err);
    }
done:
    vd_names_reset(&names);
    vd_str_reset(&class);
    vd_str_reset(&file);
    return st;
}

/* A folder with folders that hold pictures, and no files of labels. */
static int detect(const vd_label_probe *p) {
    if (!p->folder || vd_probe_any(p, ".xml") || vd_probe_any(p, ".txt") ||
        vd_probe_any(p, ".json") || vd_probe_any(p, ".csv"))
        return 0;
    return vd_probe_any(p, ".jpg") || vd_probe_any(p, ".png") || vd_probe_any(p, ".JPEG") ? 10 : 0;
}

const vd_label_format vd_label_imagenet = {
    .name = "imagenet",
    .summary = "folders of classes that hold pictures, as of ImageNet (read only)",
    .folder = true,
    .detect = detect,
    .read = read_path,
};
