/* Names; see names.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/names.h"

#include <ctype.h>
#include <string.h>

#include "base/hash.h"
#include "labelkit/files.h"

enum { HASH = 9 }; /* "-1a2b3c4d" */

static bool plain(unsigned char c) {
    return isalnum(c) || c == '_' || c == '-' || c == '+' || c == '=' || c == '@';
}

/* Letters of other scripts stay; spaces and marks of direction among them do not. */
static bool visible(const char *p, int n) {
    unsigned char a = (unsigned char)p[0], b = (unsigned char)p[1];
    if (n == 2) return !(a == 0xc2 && b <= 0xa0); /* C1 controls, no-break space */
    if (n == 3) return a != 0xe2 || b > 0x81;     /* U+2000 to U+207F */
    return n == 4;
}

static void add_safe(vd_str *out, const char *text, size_t n, int64_t most) {
    const int64_t begin = out->size;
    for (size_t i = 0; i < n;) {
        int k = vd_utf8_len(text + i);
        if (k < 1 || i + (size_t)k > n) k = 1;
        bool keep = k == 1 ? plain((unsigned char)text[i]) : visible(text + i, k);
        if (k == 1 && text[i] == '-' && out->size == begin) keep = false; /* no option */
        if (out->size - begin + k > most) break;
        vd_str_addn(out, keep ? text + i : "_", keep ? k : 1);
        i += (size_t)k;
    }
    if (out->size == begin) vd_str_addc(out, '_');
}

void vd_publish_safe(vd_str *out, const char *text) {
    add_safe(out, text, strlen(text), VD_PUBLISH_NAME);
}

static void add_hash(vd_str *out, const char *uri, int64_t turn) {
    uint64_t h = vd_hash64(uri, strlen(uri));
    vd_str_addf(out, "-%08x", (unsigned)(vd_mix64(h + (uint64_t)turn) >> 32));
}

/* File systems differ in whether the case of letters counts. */
static bool take(vd_map *taken, const char *name, bool *fresh, vd_err *err, vd_status *st) {
    char key[VD_PUBLISH_NAME + HASH + 2];
    int64_t at = 0;
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) key[i] = (char)tolower((unsigned char)name[i]);
    *fresh = !vd_map_get(taken, key, n, &at);
    *st = *fresh ? vd_map_put(taken, key, n, 1, err) : VD_OK;
    return *st == VD_OK;
}

vd_status vd_publish_name(vd_str *out, vd_map *taken, const char *uri, vd_err *err) {
    const char *last = strrchr(uri, '/'), *name = last != NULL ? last + 1 : uri;
    const char *dot = strrchr(name, '.');
    size_t n = dot != NULL && dot != name && vd_is_picture_name(name) ? (size_t)(dot - name)
                                                                      : strlen(name);
    vd_status st = VD_OK;
    bool fresh = false, cut = n > VD_PUBLISH_NAME;
    const int64_t begin = out->size;
    for (int64_t turn = 0; !fresh; turn++) {
        out->size = begin;
        add_safe(out, name, n, VD_PUBLISH_NAME - HASH);
        if (turn > 0 || cut) add_hash(out, uri, turn);
        VD_TRY(vd_str_check(out, err));
        if (!take(taken, out->data + begin, &fresh, err, &st)) return st;
    }
    return VD_OK;
}
