/* Signatures and extension families. SPDX-License-Identifier: Apache-2.0
 *
 * A table of magic bytes decides most kinds; containers that hold several (ISO base media, RIFF,
 * Ogg) and formats with weak signatures have a function each. Weak ones come last, text at the very
 * end. */
#include "image/sniff.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"

typedef struct head {
    const uint8_t *p;
    size_t n;
} head;

typedef struct magic {
    uint8_t at, len;
    const char *bytes;
    vd_kind kind;
    const char *format;
} magic;

#define M(at, bytes, kind, format)                                                                 \
    { at, sizeof(bytes) - 1, bytes, VD_KIND_##kind, format }

static const magic magics[] = {
    M(0, "\xff\xd8\xff", IMAGE, "jpeg"),
    M(0, "\x89PNG\r\n\x1a\n", IMAGE, "png"),
    M(0, "\x8aMNG\r\n\x1a\n", IMAGE, "mng"),
    M(0, "GIF87a", IMAGE, "gif"),
    M(0, "GIF89a", IMAGE, "gif"),
    M(0, "II*\0", IMAGE, "tiff"),
    M(0, "MM\0*", IMAGE, "tiff"),
    M(0, "II+\0", IMAGE, "tiff"),
    M(0, "MM\0+", IMAGE, "tiff"),
    M(0, "\0\0\0\x0cjP  \r\n\x87\n", IMAGE, "jp2"),
    M(0, "\xff\x4f\xff\x51", IMAGE, "jp2"),
    M(0, "\0\0\0\x0cJXL \r\n\x87\n", IMAGE, "jxl"),
    M(0, "\xff\x0a", IMAGE, "jxl"),
    M(0, "8BPS", IMAGE, "psd"),
    M(0, "DDS ", IMAGE, "dds"),
    M(0, "qoif", IMAGE, "qoi"),
    M(0, "SIMPLE  =", IMAGE, "fits"),
    M(0, "#?RADIANCE", IMAGE, "hdr"),
    M(0, "#?RGBE", IMAGE, "hdr"),
    M(0, "\x76\x2f\x31\x01", IMAGE, "exr"),
    M(0, "/* XPM */", IMAGE, "xpm"),
    M(0, "icns", IMAGE, "icns"),
    M(0, "farbfeld", IMAGE, "farbfeld"),
    M(0, "gimp xcf", IMAGE, "xcf"),
    M(0, "BPG\xfb", IMAGE, "bpg"),
    M(0, "BLP1", IMAGE, "blp"),
    M(0, "BLP2", IMAGE, "blp"),
    M(0, "AT&TFORM", IMAGE, "djvu"),
    M(0, "FUJIFILMCCD-RAW", IMAGE, "raf"),
    M(0, "IIRO\x08\0", IMAGE, "orf"),
    M(0, "IIU\0", IMAGE, "rw2"),
    M(0, "\xd7\xcd\xc6\x9a", IMAGE, "wmf"),
    M(128, "DICM", IMAGE, "dicom"),
    M(0, "\x1a\x45\xdf\xa3", VIDEO, "matroska"),
    M(0, "FLV\x01", VIDEO, "flv"),
    M(0, "\0\0\x01\xba", VIDEO, "mpeg"),
    M(0, "\0\0\x01\xb3", VIDEO, "mpeg"),
    M(0, "\0\0\0\x01\x67", VIDEO, "h264"),
    M(0, "\0\0\0\x01\x09", VIDEO, "h264"),
    M(0, "\0\0\0\x01\x40\x01", VIDEO, "hevc"),
    M(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", VIDEO, "asf"),
    M(0, "\x06\x0e\x2b\x34", VIDEO, "mxf"),
    M(0, "DKIF", VIDEO, "ivf"),
    M(0, "YUV4MPEG2 ", VIDEO, "y4m"),
    M(0, ".RMF", VIDEO, "rm"),
    M(0, "ID3", AUDIO, "mp3"),
    M(0, "fLaC", AUDIO, "flac"),
    M(0, "MThd", AUDIO, "midi"),
    M(0, "#!AMR", AUDIO, "amr"),
    M(0, ".snd", AUDIO, "au"),
    M(0, "wvpk", AUDIO, "wavpack"),
    M(0, "MAC ", AUDIO, "ape"),
    M(0, "PK\x03\x04", ARCHIVE, "zip"),
    M(0, "PK\x05\x06", ARCHIVE, "zip"),
    M(0, "\x1f\x8b", ARCHIVE, "gzip"),
    M(0, "BZh", ARCHIVE, "bzip2"),
    M(0,
      "\xfd"
      "7zXZ\0",
      ARCHIVE, "xz"),
    M(0, "\x28\xb5\x2f\xfd", ARCHIVE, "zstd"),
    M(0, "7z\xbc\xaf\x27\x1c", ARCHIVE, "7z"),
    M(0, "Rar!\x1a\x07", ARCHIVE, "rar"),
    M(0, "MSCF", ARCHIVE, "cab"),
    M(0, "!<arch>\n", ARCHIVE, "ar"),
    M(0, "\x04\x22\x4d\x18", ARCHIVE, "lz4"),
    M(0, "%PDF-", OTHER, "pdf"),
    M(0, "%!PS", OTHER, "postscript"),
    M(0, "\xc5\xd0\xd3\xc6", OTHER, "postscript"),
    M(0, "SQLite format 3", OTHER, "sqlite"),
    M(0,
      "\x7f"
      "ELF",
      OTHER, "elf"),
    M(0, "\x93NUMPY", OTHER, "npy"),
    M(0, "\x89HDF\r\n\x1a\n", OTHER, "hdf5"),
    M(36, "acsp", OTHER, "icc"),
    M(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OTHER, "ole"),
    M(0, "LASF", OTHER, "las"),
};

static uint32_t u32be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool has(head h, size_t at, const char *bytes) {
    size_t n = strlen(bytes);
    return h.n >= at + n && memcmp(h.p + at, bytes, n) == 0;
}

static bool contains(head h, const char *text) {
    return memmem(h.p, h.n, text, strlen(text)) != NULL;
}

static vd_sniffed is(vd_kind kind, const char *format) {
    return (vd_sniffed){ .kind = kind, .format = format };
}

/* ISO base media (ISO/IEC 14496-12): the brands of `ftyp` tell pictures from films. HEIF brands are
 * in ISO/IEC 23008-12 annex B, AVIF's in its own specification. */
static vd_sniffed iso_media(head h) {
    static const char *const pictures[] = {
        "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm",
        "hevs", "mif1", "mif2", "msf1", "miaf", "jpeg", "jpgs"
    };
    static const char *const audio[] = { "M4A ", "M4B ", "F4A ", "F4B " };
    size_t end = VD_MIN((size_t)u32be(h.p), h.n);
    bool picture = false;
    if (has(h, 8, "crx ")) return is(VD_KIND_IMAGE, "cr3");
    for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {
        if (has(h, at, "avif") || has(h, at, "avis")) return is(VD_KIND_IMAGE, "avif");
        for (int i = 0; i < VD_COUNT(pictures); i++) picture |= has(h, at, pictures[i]);
        if (at == 8 && !picture && !has(h, at, "isom") && !has(h, at, "mp4")) {
            for (int i = 0; i < VD_COUNT(audio); i++)
                if (has(h, at, audio[i])) return is(VD_KIND_AUDIO, "m4a");
        }
    }
    /* films may list picture brands as compatible, pictures name one first */
    bool first = false;
    for (int i = 0; i < VD_COUNT(pictures); i++) first |= has(h, 8, pictures[i]);
    if (picture && (first || !has(h, 8, "isom"))) return is(VD_KIND_IMAGE, "heic");
    return is(VD_KIND_VIDEO, has(h, 8, "qt  ") ? "mov" : "mp4");
}

static vd_sniffed riff(head h) {
    if (has(h, 8, "WEBP")) return is(VD_KIND_IMAGE, "webp");
    if (has(h, 8, "AVI ")) return is(VD_KIND_VIDEO, "avi");
    if (has(h, 8, "WAVE")) return is(VD_KIND_AUDIO, "wav");
    if (has(h, 8, "RMID")) return is(VD_KIND_AUDIO, "midi");
    return is(VD_KIND_OTHER, "riff");
}

static vd_sniffed ogg(head h) {
    bool film = contains(h, "\x80theora") || contains(h, "BBCD") || contains(h, "\x01video");
    return film ? is(VD_KIND_VIDEO, "ogg") : is(VD_KIND_AUDIO, "ogg");
}

static bool is_bmp(head h) {
    if (!has(h, 0, "BM") || h.n < 18) return false;
    uint32_t dib = h.p[14] | (uint32_t)h.p[15] << 8 | (uint32_t)h.p[16] << 16;
    return h.p[17] == 0 && dib >= 12 && dib <= 256;
}

static bool is_pnm(head h) {
    return h.n >= 3 && h.p[0] == 'P' && strchr("1234567fF", h.p[1]) != NULL && h.p[1] != 0 &&
           (isspace(h.p[2]) || h.p[2] == '#');
}

static bool is_icon(head h, int type) {
    return h.n >= 22 && h.p[0] == 0 && h.p[1] == 0 && h.p[2] == type && h.p[3] == 0 &&
           (h.p[4] | h.p[5]) != 0 && h.p[5] == 0 && h.p[9] == 0;
}

static bool is_pcx(head h) {
    return h.n >= 68 && h.p[0] == 10 && h.p[1] <= 5 && h.p[1] != 1 && h.p[2] <= 1 &&
           (h.p[3] == 1 || h.p[3] == 2 || h.p[3] == 4 || h.p[3] == 8);
}

static bool is_sgi(head h) {
    return h.n >= 12 && h.p[0] == 1 && h.p[1] == 0xda && h.p[2] <= 1 &&
           (h.p[3] == 1 || h.p[3] == 2);
}

static bool is_flic(head h) {
    return h.n >= 16 && (h.p[4] == 0x11 || h.p[4] == 0x12) && h.p[5] == 0xaf && h.p[12] == 8;
}

static bool is_mpeg_ts(head h) {
    if (h.n < 377 || h.p[0] != 0x47) return false;
    if (h.p[188] == 0x47 && h.p[376] == 0x47) return true;
    return h.n > 388 && h.p[4] == 0x47 && h.p[196] == 0x47 && h.p[388] == 0x47;
}

static bool is_mpeg_audio(head h) {
    if (h.n < 4 || h.p[0] != 0xff || (h.p[1] & 0xe0) != 0xe0) return false;
    bool adts = (h.p[1] & 0xf6) == 0xf0;
    return adts || ((h.p[1] & 6) != 0 && (h.p[1] & 0x18) != 8 && (h.p[2] >> 4) != 15 &&
                    (h.p[2] & 12) != 12);
}

/* TGA has no signature: the extension and a plausible header must agree. */
static bool is_tga(head h, const char *name) {
    const char *ext = name != NULL ? vd_path_ext(name) : "";
    static const char *const exts[] = { "tga", "icb", "vda", "vst", "tpic" };
    bool named = false;
    for (int i = 0; i < VD_COUNT(exts); i++) named |= strcasecmp(ext, exts[i]) == 0;
    if (!named || h.n < 18 || h.p[1] > 1) return false;
    int type = h.p[2] & ~8, bpp = h.p[16];
    return type >= 1 && type <= 3 && h.p[2] <= 11 &&
           (bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32 || bpp == 1);
}

/* Text: no control characters but the usual, in the first kilobyte. */
static bool is_text(head h) {
    size_t n = VD_MIN(h.n, (size_t)1024);
    for (size_t i = 0; i < n; i++) {
        uint8_t c = h.p[i];
        if (c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b) return false;
        if (c == 127) return false;
    }
    return n > 0;
}

static vd_sniffed text(head h) {
    size_t at = has(h, 0, "\xef\xbb\xbf") ? 3 : 0;
    while (at < h.n && isspace(h.p[at])) at++;
    head t = { h.p + at, h.n - at };
    if (contains(t, "<svg")) return is(VD_KIND_IMAGE, "svg");
    if (contains(t, "#define") && contains(t, "_width ") && contains(t, "_height "))
        return is(VD_KIND_IMAGE, "xbm");
    if (contains(t, "! XPM2") || contains(t, "/* XPM */")) return is(VD_KIND_IMAGE, "xpm");
    if (has(t, 0, "<?xml")) return is(VD_KIND_OTHER, "xml");
    if (has(t, 0, "<!DOCTYPE") || has(t, 0, "<html")) return is(VD_KIND_OTHER, "html");
    if (has(t, 0, "{") || has(t, 0, "[")) return is(VD_KIND_OTHER, "json");
    return is(VD_KIND_OTHER, "text");
}

vd_sniffed vd_sniff(const uint8_t *data, size_t size, const char *name) {
    head h = { data, VD_MIN(size, (size_t)VD_SNIFF_BYTES) };
    if (has(h, 4, "ftyp") && h.n >= 12) return iso_media(h);
    if (has(h, 0, "RIFF") && h.n >= 12) return riff(h);
    if (has(h, 0, "OggS")) return ogg(h);
    for (int i = 0; i < VD_COUNT(magics); i++) {
        const magic *m = &magics[i];
        if (h.n >= (size_t)m->at + m->len && memcmp(h.p + m->at, m->bytes, m->len) == 0)
            return is(m->kind, m->format);
    }
    if (has(h, 4, "moov") || has(h, 4, "mdat") || has(h, 4, "wide") || has(h, 4, "pnot"))
        return is(VD_KIND_VIDEO, "mov");
    if (has(h, 0, "FORM") && (has(h, 8, "AIFF") || has(h, 8, "AIFC")))
        return is(VD_KIND_AUDIO, "aiff");
    if (h.n >= 262 && has(h, 257, "ustar")) return is(VD_KIND_ARCHIVE, "tar");
    if (h.n >= 2 && h.p[0] == 0xff && h.p[1] == 0xd8) return is(VD_KIND_IMAGE, "jpeg");
    if (is_bmp(h)) return is(VD_KIND_IMAGE, "bmp");
    if (is_pnm(h)) return is(VD_KIND_IMAGE, "pnm");
    if (is_icon(h, 1)) return is(VD_KIND_IMAGE, "ico");
    if (is_icon(h, 2)) return is(VD_KIND_IMAGE, "cur");
    if (is_sgi(h)) return is(VD_KIND_IMAGE, "sgi");
    if (is_pcx(h)) return is(VD_KIND_IMAGE, "pcx");
    if (is_flic(h)) return is(VD_KIND_VIDEO, "flic");
    if (is_mpeg_ts(h)) return is(VD_KIND_VIDEO, "mpegts");
    if (is_mpeg_audio(h)) return is(VD_KIND_AUDIO, "mp3");
    if (is_tga(h, name)) return (vd_sniffed){ VD_KIND_IMAGE, "tga", true };
    return is_text(h) ? text(h) : is(VD_KIND_OTHER, "");
}

/* Formats, and the extensions that their files bear. An extension may stand in several rows. */
static const struct {
    const char *formats, *exts;
} families[] = {
    { "jpeg", "jpg,jpeg,jpe,jfif,jif,jfi,mpo,jps,thm,insp" },
    { "png", "png,apng" },
    { "gif", "gif" },
    { "bmp", "bmp,dib,rle" },
    { "tiff",
      "tif,tiff,btf,tf8,dng,cr2,nef,nrw,arw,sr2,srf,pef,srw,3fr,iiq,erf,kdc,dcr,mos,rwl,raw" },
    { "webp", "webp" },
    { "heic", "heic,heics,heif,heifs,hif" },
    { "avif", "avif,avifs,heif,heifs,hif" },
    { "jxl", "jxl" },
    { "jp2", "jp2,j2k,j2c,jpc,jpx,jpf,jpt,jpm,jph,jhc" },
    { "pnm", "pnm,pbm,pgm,ppm,pam,pfm" },
    { "pcx", "pcx,dcx" },
    { "psd", "psd,psb" },
    { "sgi", "sgi,rgb,rgba,bw" },
    { "dds", "dds" },
    { "ico,cur", "ico,cur" },
    { "xbm", "xbm" },
    { "xpm", "xpm" },
    { "qoi", "qoi" },
    { "fits", "fits,fit,fts" },
    { "hdr", "hdr,pic" },
    { "exr", "exr" },
    { "svg", "svg" },
    { "tga", "tga,icb,vda,vst,tpic" },
    { "cr3", "cr3" },
    { "orf", "orf" },
    { "rw2", "rw2" },
    { "raf", "raf" },
    { "dicom", "dcm,dicom" },
    { "mp4,mov", "mp4,m4v,mov,qt,3gp,3g2,f4v,insv,lrv,mj2" },
    { "matroska", "mkv,webm,mk3d" },
    { "avi", "avi" },
    { "flv", "flv" },
    { "mpeg,mpegts", "mpg,mpeg,mpe,m2v,m1v,vob,ts,mts,m2ts,mod,tod" },
    { "asf", "asf,wmv" },
    { "ogg", "ogv,ogg,ogm,oga" },
    { "y4m", "y4m" },
    { "h264,hevc", "h264,264,avc,h265,265,hevc" },
    { "flic", "fli,flc" },
    { "mp3", "mp3,aac" },
    { "wav", "wav" },
    { "flac", "flac" },
    { "m4a", "m4a,m4b" },
    { "zip", "zip,docx,xlsx,pptx,npz,jar,kmz" },
    { "gzip", "gz,tgz" },
    { "pdf", "pdf" },
    { "text,xml,html,json", "txt,csv,tsv,md,json,xml,html,htm,xmp,log,yaml,yml,ini,py,c,h" },
};

static bool listed(const char *list, const char *item) {
    size_t n = strlen(item);
    for (const char *p = list; n > 0 && *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len == n && strncasecmp(p, item, n) == 0) return true;
        p += len + (p[len] == ',');
    }
    return false;
}

bool vd_sniff_wrong_extension(const char *name, const char *format) {
    const char *ext = name != NULL ? vd_path_ext(name) : "";
    bool known = false;
    for (int i = 0; i < VD_COUNT(families); i++) {
        if (!listed(families[i].exts, ext)) continue;
        if (listed(families[i].formats, format)) return false;
        known = true;
    }
    return known;
}
