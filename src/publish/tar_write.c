/* Writing tar files; see tar_write.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/tar_write.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, NAME = 100 };
static const int64_t MAX_OCTAL = ((int64_t)1 << 33) - 1; /* 11 digits */

static void zeros(vd_str *out, int64_t n) {
    static const char none[BLOCK];
    for (; n > 0; n -= VD_MIN(n, BLOCK)) vd_str_addn(out, none, VD_MIN(n, BLOCK));
}

static void block(vd_str *out, const char *name, int64_t size, char type) {
    char h[BLOCK] = { 0 };
    unsigned sum = 0;
    memcpy(h, name, strnlen(name, NAME));
    memcpy(h + 100, "0000644", 7);
    memcpy(h + 108, "0000000", 7);
    memcpy(h + 116, "0000000", 7);
    snprintf(h + 124, 12, "%011llo", (unsigned long long)VD_MIN(size, MAX_OCTAL));
    memcpy(h + 136, "00000000000", 11);
    memset(h + 148, ' ', 8);
    h[156] = type;
    memcpy(h + 257, "ustar", 6);
    memcpy(h + 263, "00", 2);
    for (int i = 0; i < BLOCK; i++) sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    h[155] = ' ';
    vd_str_addn(out, h, BLOCK);
}

/* "LENGTH key=value\n", where the length counts itself. */
static void record(vd_str *out, const char *key, const char *value) {
    int64_t rest = (int64_t)(strlen(key) + strlen(value)) + 3, n = rest, digits = 0;
    for (int64_t before = -1; digits != before;) {
        before = digits;
        n = rest + digits;
        digits = snprintf(NULL, 0, "%lld", (long long)n);
    }
    vd_str_addf(out, "%lld %s=%s\n", (long long)(rest + digits), key, value);
}

/* What an old header cannot hold of a member. */
static void pax_records(vd_str *out, const char *name, int64_t size) {
    bool plain = strlen(name) <= NAME;
    for (const char *p = name; *p != '\0'; p++) plain = plain && (unsigned char)*p < 0x80;
    if (!plain) record(out, "path", name);
    if (size > MAX_OCTAL) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)size);
        record(out, "size", text);
    }
}

void vd_tar_pad(vd_str *out, int64_t size) {
    zeros(out, (BLOCK - size % BLOCK) % BLOCK);
}

void vd_tar_head(vd_str *out, const char *name, int64_t size) {
    vd_str pax = { 0 };
    pax_records(&pax, name, size);
    if (pax.status != VD_OK) out->status = pax.status;
    if (pax.size > 0) {
        block(out, "././@PaxHeader", pax.size, 'x');
        vd_str_addn(out, pax.data, pax.size);
        vd_tar_pad(out, pax.size);
    }
    block(out, name, size, '0');
    vd_str_reset(&pax);
}

void vd_tar_end(vd_str *out) {
    zeros(out, 2 * BLOCK);
}

int64_t vd_tar_size(const char *name, int64_t size) {
    vd_str pax = { 0 };
    pax_records(&pax, name, size);
    int64_t head = pax.size > 0 ? BLOCK + (pax.size + BLOCK - 1) / BLOCK * BLOCK : 0;
    vd_str_reset(&pax);
    return head + BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
}
