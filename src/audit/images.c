/* Pictures of a set: there or not, of which size, listed once or more often.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "audit/audit.h"
#include "base/map.h"
#include "base/str.h"

vd_status vd_audit_missing(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    for (int64_t i = 0; i < s->n_images; i++) {
        const vd_audit_image *m = &s->image[i];
        if (m->asset == 0)
            VD_TRY(vd_audit_add_image(f, VD_AUDIT_MISSING_IMAGE, s, i, 0, err,
                                      "no picture of the dataset matches; %lld objects",
                                      (long long)m->n));
        else if (m->vanished)
            VD_TRY(vd_audit_add_image(f, VD_AUDIT_MISSING_IMAGE, s, i, 0.25, err,
                                      "the picture's file is gone; %lld objects", (long long)m->n));
    }
    return VD_OK;
}

/* Formats that state no sizes state none of them; then it is one finding. */
static vd_status check_stated(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    int64_t without = 0;
    for (int64_t i = 0; i < s->n_images; i++) without += s->image[i].width == 0;
    if (without == 0) return VD_OK;
    const vd_audit_finding all = { .kind = VD_AUDIT_IMAGE_SIZE, .image = -1, .score = 0.9 };
    if (without == s->n_images)
        return vd_audit_add(f, &all, err, "the sizes of none of %lld pictures are stated",
                            (long long)without);
    for (int64_t i = 0; i < s->n_images; i++)
        if (s->image[i].width == 0)
            VD_TRY(vd_audit_add_image(f, VD_AUDIT_IMAGE_SIZE, s, i, 0.4, err,
                                      "its size is not stated, those of %lld others are",
                                      (long long)(s->n_images - without)));
    return VD_OK;
}

vd_status vd_audit_sizes(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    for (int64_t i = 0; i < s->n_images; i++) {
        const vd_audit_image *m = &s->image[i];
        int64_t w = m->width, h = m->height, aw = m->asset_width, ah = m->asset_height;
        if (w == 0 || aw == 0 || (w == aw && h == ah)) continue;
        const char *how = w == ah && h == aw ? ", turned by a quarter"
                          : w * ah == h * aw ? ", of the same proportion"
                                             : "";
        VD_TRY(vd_audit_add_image(f, VD_AUDIT_IMAGE_SIZE, s, i, 0, err,
                                  "labels say %lld x %lld, the picture has %lld x %lld%s",
                                  (long long)w, (long long)h, (long long)aw, (long long)ah, how));
    }
    return check_stated(f, s, err);
}

/* The same asset, or, of pictures without one, the same name in the same sequence. Names are not
 * empty, so no key of a name begins as that of an asset. */
static vd_status key_of(vd_str *key, const vd_audit_image *m, vd_err *err) {
    vd_str_clear(key);
    if (m->asset != 0) {
        vd_str_addc(key, '\0');
        vd_str_addn(key, (const char *)&m->asset, sizeof m->asset);
    } else {
        vd_str_addn(key, m->name, (int64_t)strlen(m->name) + 1);
        vd_str_add(key, m->sequence != NULL ? m->sequence : "");
    }
    return vd_str_check(key, err);
}

vd_status vd_audit_twice(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    vd_map *seen = NULL;
    vd_str key = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_map_new(&seen, err));
    for (int64_t i = 0; i < s->n_images; i++) {
        const vd_audit_image *m = &s->image[i];
        int64_t before = 0;
        VD_GO(key_of(&key, m, err));
        if (vd_map_get(seen, key.data, (size_t)key.size, &before))
            VD_GO(vd_audit_add_image(f, VD_AUDIT_LABELLED_TWICE, s, i, 0, err,
                                     "%lld objects here, %lld where it is listed as '%.120s'",
                                     (long long)m->n, (long long)s->image[before].n,
                                     s->image[before].name));
        else
            VD_GO(vd_map_put(seen, key.data, (size_t)key.size, i, err));
    }
done:
    vd_map_free(seen);
    vd_str_reset(&key);
    return st;
}
