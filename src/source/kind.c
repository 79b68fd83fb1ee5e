/* Container kinds by magic. SPDX-License-Identifier: Apache-2.0 */
#include "source/kind.h"

#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "source/archive.h"
#include "source/tar.h"

#define HEAD 512

static bool starts(const uint8_t *p, size_t n, const char *magic, size_t m) {
    return n >= m && memcmp(p, magic, m) == 0;
}

static bool is_zip(const uint8_t *p, size_t n) {
    return starts(p, n, "PK\3\4", 4) || starts(p, n, "PK\5\6", 4);
}

static bool is_compressed(const uint8_t *p, size_t n) {
    return starts(p, n, "\x1f\x8b\x08", 3) || starts(p, n, "BZh", 3) ||
           starts(p, n,
                  "\xfd"
                  "7zXZ\0",
                  6) ||
           starts(p, n, "\x28\xb5\x2f\xfd", 4) || starts(p, n, "\x04\x22\x4d\x18", 4);
}

/* APPNOTE.TXT 4.3.7: the name follows the 30 bytes of the local header, its length is at 26. */
static bool zip_is_document(const uint8_t *p, size_t n) {
    static const char *const marks[] = { "mimetype", "[Content_Types].xml", "_rels/", "META-INF/",
                                         "AndroidManifest.xml" };
    if (n < 30) return false;
    size_t len = (size_t)p[26] | (size_t)p[27] << 8;
    len = VD_MIN(len, n - 30);
    for (int i = 0; i < VD_COUNT(marks); i++) {
        size_t m = strlen(marks[i]);
        if (len >= m && memcmp(p + 30, marks[i], m) == 0) return true;
    }
    return false;
}

static bool zip_is_archive(const uint8_t *p, size_t n, const char *name) {
    const char *ext = vd_path_ext(name);
    bool named = *ext == '\0' || strcasecmp(ext, "zip") == 0 || strcasecmp(ext, "cbz") == 0;
    return named && !zip_is_document(p, n);
}

bool vd_source_maybe_container(const uint8_t *head, size_t n) {
    return is_zip(head, n) || is_compressed(head, n) || vd_tar_is_header(head, n);
}

vd_status vd_source_kind_of(vd_source_kind *out, int fd, const char *name, vd_err *err) {
    uint8_t head[HEAD];
    size_t n = 0;
    VD_TRY(vd_file_pread(fd, head, sizeof head, 0, &n, name, err));
    vd_source_kind k = VD_SOURCE_PLAIN;
    if (vd_tar_is_header(head, n)) {
        k = VD_SOURCE_TAR;
    } else if (is_zip(head, n)) {
        if (zip_is_archive(head, n, name)) k = VD_SOURCE_ARCHIVE;
    } else if (is_compressed(head, n)) {
        bool tar = false;
        VD_TRY(vd_archive_holds_tar(&tar, fd, name, err));
        if (tar) k = VD_SOURCE_ARCHIVE;
    }
    *out = k;
    return VD_OK;
}
