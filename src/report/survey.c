/* The two looks at all pictures. Asking one question a query would read, join and sort the tables a
 * dozen times; a walk over all costs little more for a question more.
 *
 * What the second look needs of a picture is kept in memory up to a limit; only what lies beyond is
 * read again. SPDX-License-Identifier: Apache-2.0 */
#include "report/survey.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "report/parts.h"

/* What the first walk reads in front of a picture's values. */
enum {
    ID,
    STATE,
    KIND,
    PARENT,
    CONTAINER,
    SIZE,
    VERDICT,
    FORMAT,
    CODEC,
    CAMERA,
    LENS,
    WIDTH,
    HEIGHT,
    N_FIRST
};
static const char FIRST[] =
    "SELECT a.id, a.state, a.kind, a.parent_id, a.container_id, a.size, c.verdict, c.format,"
    " c.codec, c.camera, c.lens, c.width, c.height, ";

/* A picture's values begin with these; the metrics follow, then the scores. */
enum { TIME, LATITUDE, LONGITUDE, N_PLACE };
static const char PLACE[] = UNIX_S ", c.latitude, c.longitude";

static const char FROM[] =
    " FROM asset a LEFT JOIN fact_measure m ON m.asset_id = a.id LEFT JOIN fact_fingerprint f"
    " ON f.asset_id = a.id LEFT JOIN fact_check c ON c.asset_id = a.id";

/* ---- pictures that are kept for the second look ---- */

enum { BLOCK_ROWS = 1024 };

typedef struct kept {
    double **blocks;
    int64_t n_blocks, cap, rows, last_id, max_rows;
    int width; /* values a row */
} kept;

static bool is_full(const kept *k) {
    return k->rows >= k->max_rows;
}

static double *kept_row(const kept *k, int64_t i) {
    return k->blocks[i / BLOCK_ROWS] + i % BLOCK_ROWS * k->width;
}

static vd_status keep(kept *k, int64_t id, const double *values, vd_err *err) {
    if (k->rows == k->n_blocks * BLOCK_ROWS) {
        VD_TRY(VD_GROW(k->blocks, k->cap, k->n_blocks + 1, err));
        double *block = vd_mem_alloc(sizeof(double) * BLOCK_ROWS * (size_t)k->width);
        if (block == NULL) return vd_nomem(err);
        k->blocks[k->n_blocks++] = block;
    }
    memcpy(kept_row(k, k->rows++), values, sizeof(double) * (size_t)k->width);
    k->last_id = id;
    return VD_OK;
}

static void kept_free(kept *k) {
    for (int64_t i = 0; i < k->n_blocks; i++) vd_mem_free(k->blocks[i]);
    vd_mem_free(k->blocks);
}

/* ---- the first look ---- */

/* Which of the kinds; false: not of a picture. */
static bool count_kind(vd_survey *v, const char *kind) {
    bool video = false, picture = true;
    if (strcmp(kind, "image") == 0)
        v->photos++;
    else if (strcmp(kind, "frame") == 0)
        v->frames++;
    else if (strcmp(kind, "page") == 0)
        v->pages++;
    else {
        picture = false;
        video = strcmp(kind, "video") == 0;
    }
    v->videos += video;
    v->others += !picture && !video;
    return picture;
}

/* By content, with the coding where the format can hold several; by kind where it is not known. */
static vd_status count_format(vd_survey *v, const vd_stmt *s, int64_t bytes, vd_err *err) {
    const char *format = vd_stmt_text(s, FORMAT), *codec = vd_stmt_text(s, CODEC);
    if (format[0] == '\0') return vd_tally_text(&v->formats, vd_stmt_text(s, KIND), "", bytes, err);
    return vd_tally_text(&v->formats, format, strcmp(codec, format) != 0 ? codec : "", bytes, err);
}

static vd_status count_file(vd_survey *v, const vd_stmt *s, vd_err *err) {
    const int64_t size = vd_stmt_int(s, SIZE);
    const char *verdict = vd_stmt_text(s, VERDICT);
    v->files++;
    if (vd_stmt_null(s, CONTAINER)) v->bytes += size;
    VD_TRY(vd_tally_text(&v->verdicts, verdict[0] != '\0' ? verdict : "not checked", "", 0, err));
    return count_format(v, s, size, err);
}

static bool is_bad(const char *verdict) {
    static const char *const bad[] = { "truncated", "corrupt", "unreadable", "too_large",
                                       "unsupported" };
    for (int i = 0; i < VD_COUNT(bad); i++)
        if (strcmp(verdict, bad[i]) == 0) return true;
    return false;
}

static vd_status count_asset(vd_survey *v, const vd_stmt *s, const double *values, bool *picture,
                             vd_err *err) {
    *picture = count_kind(v, vd_stmt_text(s, KIND));
    v->assets++;
    v->bad += is_bad(vd_stmt_text(s, VERDICT));
    v->with_gps += !isnan(values[LATITUDE]);
    v->first_s = fmin(v->first_s, values[TIME]); /* these two leave NaN out */
    v->last_s = fmax(v->last_s, values[TIME]);
    if (vd_stmt_null(s, PARENT)) VD_TRY(count_file(v, s, err));
    if (vd_stmt_text(s, CAMERA)[0] != '\0')
        VD_TRY(vd_tally_text(&v->cameras, vd_stmt_text(s, CAMERA), vd_stmt_text(s, LENS), 0, err));
    if (!*picture || !(vd_stmt_int(s, WIDTH) > 0)) return VD_OK;
    return vd_tally_pair(&v->sizes, vd_stmt_int(s, WIDTH), vd_stmt_int(s, HEIGHT), err);
}

static vd_place place_of(const double *values) {
    return (vd_place){ values[TIME], values[LATITUDE], values[LONGITUDE] };
}

static vd_status first_look(vd_survey *v, kept *k, const vd_stmt *s, double *values, vd_err *err) {
    bool picture = false;
    const int n_metrics = vd_distributions_metrics(v->metrics);
    if (strcmp(vd_stmt_text(s, STATE), "present") != 0) {
        v->vanished_files +=
            strcmp(vd_stmt_text(s, STATE), "vanished") == 0 && vd_stmt_null(s, PARENT);
        return VD_OK;
    }
    for (int i = 0; i < N_PLACE; i++) values[i] = vd_stmt_real(s, N_FIRST + i);
    VD_TRY(count_asset(v, s, values, &picture, err));
    if (!picture) return VD_OK;
    for (int i = N_PLACE; i < vd_stmt_columns(s) - N_FIRST; i++)
        values[i] = vd_stmt_real(s, N_FIRST + i);
    vd_places_see(&v->places, place_of(values));
    vd_distributions_sketch(v->metrics, values + N_PLACE);
    vd_distributions_score(v->metrics, values + N_PLACE + n_metrics);
    return is_full(k) ? VD_OK : keep(k, vd_stmt_int(s, ID), values, err);
}

/* ---- both looks ---- */

/* Every asset, in order of id. */
static vd_status first_walk(vd_survey *v, vd_db *db, kept *k, double *values, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    bool row = true;
    vd_str_add(&sql, FIRST);
    vd_str_add(&sql, PLACE);
    vd_distributions_columns(v->metrics, true, &sql);
    vd_str_add(&sql, FROM);
    vd_str_add(&sql, " ORDER BY a.id");
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        VD_GO(first_look(v, k, s, values, err));
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

static void second_look(vd_survey *v, const double *values) {
    vd_places_count(&v->places, place_of(values));
    vd_distributions_count(v->metrics, values + N_PLACE);
}

/* The pictures that were kept, then those behind them. */
static vd_status second_walk(vd_survey *v, vd_db *db, const kept *k, double *values, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    bool row = true;
    for (int64_t i = 0; i < k->rows; i++) second_look(v, kept_row(k, i));
    if (!is_full(k)) return VD_OK;
    vd_str_addf(&sql, "SELECT %s", PLACE);
    vd_distributions_columns(v->metrics, false, &sql);
    vd_str_addf(&sql, "%s WHERE " PICTURE " AND a.id > %lld", FROM, (long long)k->last_id);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        for (int i = 0; i < k->width; i++) values[i] = vd_stmt_real(s, i);
        second_look(v, values);
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

vd_status vd_survey_make(vd_survey *v, vd_db *db, const double *thresholds, int64_t keep_bytes,
                         vd_err *err) {
    vd_status st = VD_OK;
    kept k = { 0 };
    double *values = NULL;
    *v = (vd_survey){ .first_s = NAN, .last_s = NAN, .places = vd_places_none() };
    VD_GO(vd_distributions_new(&v->metrics, err));
    k.width = N_PLACE + vd_distributions_metrics(v->metrics);
    k.max_rows = keep_bytes / (k.width * (int64_t)sizeof(double));
    values =
        vd_mem_array((size_t)(k.width + vd_distributions_n_scores(v->metrics)), sizeof *values);
    if (values == NULL) VD_GO(vd_nomem(err));
    VD_GO(first_walk(v, db, &k, values, err));
    vd_distributions_ranges(v->metrics, thresholds);
    VD_GO(vd_places_ranges(&v->places, err));
    VD_GO(second_walk(v, db, &k, values, err));
    vd_tally_sort(&v->verdicts);
    vd_tally_sort(&v->formats);
    vd_tally_sort(&v->cameras);
    vd_tally_sort(&v->sizes);
done:
    kept_free(&k);
    vd_mem_free(values);
    return st;
}

void vd_survey_reset(vd_survey *v) {
    vd_tally_reset(&v->verdicts);
    vd_tally_reset(&v->formats);
    vd_tally_reset(&v->cameras);
    vd_tally_reset(&v->sizes);
    vd_places_reset(&v->places);
    vd_distributions_free(v->metrics);
    v->metrics = NULL;
}
