/* Operation doctor: versions, processor, codecs, and a self-test that decodes, measures and stores.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/jpeg_write.h"
#include "measure/measure.h"
#include "ops/op.h"
#include "source/archive.h"

static const vd_column columns[] = {
    { "item", VD_TEXT, "", "what is looked at", 0 },
    { "value", VD_TEXT, "", "what was found", 0 },
    { "ok", VD_INT, "",
      "0: a self-test failed; missing codecs and processor features are only told", 0 },
};

static vd_status send(vd_opcall *c, const char *item, const char *value, bool ok, vd_err *err) {
    const vd_value row[] = { vd_val_text(item), vd_val_text(value), vd_val_int(ok) };
    return vd_out_row(c, row, err);
}

static vd_status tell_codecs(vd_opcall *c, vd_codec *codec, vd_err *err) {
    vd_str text = { 0 };
    vd_err why = { 0 };
    vd_status st = vd_codec_libraries(codec, &text, &why);
    if (st == VD_E_NOMEM) {
        vd_str_reset(&text);
        return vd_nomem(err);
    }
    if (st != VD_OK) st = send(c, "codecs", why.msg, true, err);
    for (char *p = text.data; st == VD_OK && p != NULL && *p != '\0';) {
        char *end = strchr(p, '\n');
        if (end != NULL) *end = '\0';
        char *space = strpbrk(p, " _"); /* "expat_2.5.0" */
        if (space != NULL) *space = '\0';
        st = send(c, p, space != NULL ? space + 1 : "", true, err);
        p = end != NULL ? end + 1 : NULL;
    }
    vd_str_reset(&text);
    return st;
}

enum { SIDE = 64 };

typedef struct seen {
    vd_measure *measure;
    vd_metrics metrics;
    bool got;
} seen;

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    (void)m, (void)index, (void)time_s;
    seen *s = user;
    vd_pdq pdq;
    s->got = true;
    return vd_measure_frame(&s->metrics, &pdq, s->measure, f, err);
}

/* A picture of which the left half is black and the right half white must come back as such: mean
 * 127.5, deviation 127.5. */
static vd_status test_decode(vd_codec *codec, vd_err *err) {
    static uint8_t const half = SIDE / 2;
    vd_status st = VD_OK;
    uint8_t pixels[SIDE * SIDE], *input = NULL;
    vd_str jpeg = { 0 };
    vd_media media;
    seen s = { 0 };
    const vd_decode_opt opt = VD_DECODE_OPT;
    for (int i = 0; i < SIDE * SIDE; i++) pixels[i] = i % SIDE < half ? 0 : 255;
    const vd_frame f = { .format = VD_PIX_GREY8,
                         .width = SIDE,
                         .height = SIDE,
                         .orientation = 1,
                         .plane = { { pixels, SIDE, SIDE, SIDE } } };
    VD_GO(vd_measure_new(&s.measure, err));
    VD_GO(vd_jpeg_write(&jpeg, &f, &(vd_jpeg_opt)VD_JPEG_OPT, err));
    VD_GO(vd_codec_input(codec, (size_t)jpeg.size, &input, err));
    memcpy(input, jpeg.data, (size_t)jpeg.size);
    const vd_source src = { "self-test.jpg", -1, 0, jpeg.size };
    VD_GO(vd_codec_decode(codec, &src, &opt, on_frame, &s, &media, err));
    if (!s.got || media.verdict != VD_V_OK)
        st =
            vd_fail(err, VD_E_CHECK, "verdict %s %s", vd_verdict_name(media.verdict), media.detail);
    else if (fabs(s.metrics.brightness - 127.5) > 1 || fabs(s.metrics.contrast - 127.5) > 2)
        st = vd_fail(err, VD_E_CHECK, "brightness %g, contrast %g; both should be 127.5",
                     s.metrics.brightness, s.metrics.contrast);
done:
    vd_measure_free(s.measure);
    vd_str_reset(&jpeg);
    return st;
}

static vd_status test_catalog(vd_err *err) {
    vd_db *db = NULL;
    int64_t n = 0;
    vd_status st = vd_db_open(&db, ":memory:", VD_DB_CREATE, err);
    if (st == VD_OK)
        st = vd_db_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES(1),(2),(39)", err);
    if (st == VD_OK) st = vd_db_int(db, "SELECT sum(x) FROM t", &n, err);
    if (st == VD_OK && n != 42) st = vd_fail(err, VD_E_CHECK, "sum is %lld, not 42", (long long)n);
    vd_db_close(db);
    return st;
}

static vd_status doctor_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_codec *codec = NULL;
    char text[128];
    vd_err why[2] = { { 0 } };
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(send(c, "vidimus", VIDIMUS_VERSION, true, err));
    vd_cpu_name(text, sizeof text);
    VD_GO(send(c, "processor features in use", text, true, err));
    snprintf(text, sizeof text, "%d", vd_cpu_count());
    VD_GO(send(c, "processors", text, true, err));
    VD_GO(send(c, "SQLite", vd_db_version(), true, err));
    VD_GO(send(c, "archives", vd_archive_library(), true, err));
    VD_GO(vd_codec_new(&codec, c->libexec_dir, err));
    VD_GO(tell_codecs(c, codec, err));
    vd_status decode = test_decode(codec, &why[0]), catalog = test_catalog(&why[1]);
    VD_GO(send(c, "self-test: decode and measure", decode == VD_OK ? "passed" : why[0].msg,
               decode == VD_OK, err));
    VD_GO(send(c, "self-test: catalog", catalog == VD_OK ? "passed" : why[1].msg, catalog == VD_OK,
               err));
    if (decode != VD_OK || catalog != VD_OK)
        st = vd_fail(err, VD_E_CHECK, "doctor: a self-test failed");
done:
    vd_codec_free(codec);
    return st;
}

const vd_op vd_op_doctor = {
    .name = "doctor",
    .summary = "versions, processor features, codecs found, self-test",
    .help = "",
    .example = "vidimus doctor",
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_LINES,
    .run = doctor_op,
};
