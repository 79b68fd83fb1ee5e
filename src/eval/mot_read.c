/* Reading files of the MOTChallenge; see mot_read.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/mot_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "base/mem.h"

enum { BOX_COLUMNS = 8, LONGEST_NUMBER = 64 };
static const double MAX_COORD = 1e9; /* px; areas stay exact enough to be compared */

static const char *const BOX_COLUMN[BOX_COLUMNS] = { "frame", "id",     "left",       "top",
                                                     "width", "height", "confidence", "class" };
static const char *const MASK_COLUMN[] = { "frame", "id", "class", "height", "width", "runs" };

typedef struct reader {
    const char *where, *p, *end;
    int32_t line;
    int column; /* of the line, from 0 */
    const char *const *name;
} reader;

void vd_mot_rows_reset(vd_mot_rows *r) {
    for (int64_t i = 0; r->mask != NULL && i < r->n; i++) vd_mask_reset(&r->mask[i]);
    vd_mem_free(r->mask);
    vd_mem_free(r->row);
    *r = (vd_mot_rows){ 0 };
}

/* ---- lines and numbers ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(reader *r) {
    while (is_blank(*r->p)) r->p++;
}

static bool at_line_end(const reader *r) {
    return *r->p == '\n' || r->p >= r->end;
}

/* To the first number of the next line that has any; false at the end. */
static bool next_line(reader *r) {
    for (; r->p < r->end; r->p++) {
        r->column = 0;
        skip_blanks(r);
        if (!at_line_end(r)) return true;
        r->line++;
    }
    return false;
}

static void end_line(reader *r) {
    const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
    r->p = lf != NULL ? lf + 1 : r->end;
    r->line++;
}

static int field_length(const reader *r) {
    const char *p = r->p;
    while (p < r->end && p - r->p < LONGEST_NUMBER && !is_blank(*p) && *p != ',' && *p != '\n') p++;
    return (int)(p - r->p);
}

static vd_status bad(const reader *r, const char *what, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s:%d: column %d (%s): '%.*s' %s", r->where, r->line,
                   r->column + 1, r->name[r->column], field_length(r), r->p, what);
}

/* Numbers that the strict reader does not take, such as "1." and "007". */
static const char *read_loosely(const reader *r, double *out) {
    char copy[LONGEST_NUMBER + 1], *end;
    int n = field_length(r);
    if (n == 0 || n == LONGEST_NUMBER) return NULL;
    memcpy(copy, r->p, (size_t)n);
    copy[n] = '\0';
    if (strspn(copy, "0123456789+-.eE") != (size_t)n) return NULL;
    *out = strtod(copy, &end);
    return *end == '\0' ? r->p + n : NULL;
}

static vd_status read_number(reader *r, double *out, vd_err *err) {
    const char *end = vd_decimal_read(r->p, out);
    if (end == NULL || (!is_blank(*end) && *end != ',' && *end != '\n' && end < r->end))
        end = read_loosely(r, out);
    if (end == NULL) return bad(r, "is no number", err);
    if (!isfinite(*out)) return bad(r, "is out of range", err);
    r->p = end;
    return VD_OK;
}

/* Past the comma or blanks behind a number; false at the end of the line. A comma before it ends
 * the line well, too. */
static bool next_column(reader *r) {
    skip_blanks(r);
    if (*r->p == ',') {
        r->p++;
        skip_blanks(r);
    }
    r->column++;
    return !at_line_end(r);
}

static vd_status read_int(reader *r, int64_t least, int64_t most, int64_t *out, vd_err *err) {
    const char *begin = r->p;
    double v = 0;
    VD_TRY(read_number(r, &v, err));
    if (v == floor(v) && v >= (double)least && v <= (double)most) {
        *out = (int64_t)v;
        return VD_OK;
    }
    r->p = begin;
    return bad(r,
               v != floor(v) ? "is no whole number"
               : v < 0       ? "is too small"
                             : "is too large",
               err);
}

static vd_status too_short(const reader *r, int wanted, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s:%d: %d columns, of %d at least; '%s' is missing", r->where,
                   r->line, r->column, wanted, r->name[r->column]);
}

/* Frame and id, with which every line begins, and to what follows. */
static vd_status read_head(reader *r, vd_mot_row *row, int wanted, vd_err *err) {
    const int64_t max_id = (int64_t)1 << 53; /* up to there doubles are exact */
    int64_t frame = 0;
    const char *begin = r->p;
    VD_TRY(read_int(r, INT32_MIN, INT64_MAX / 2, &frame, err));
    if (frame < 1 || frame > VD_MOT_MAX_FRAME)
        return vd_fail(err, frame < 1 ? VD_E_FORMAT : VD_E_LIMIT,
                       "%s:%d: column 1 (frame): %.*s is not between 1 and %d", r->where, r->line,
                       (int)(r->p - begin), begin, VD_MOT_MAX_FRAME);
    row->frame = (int32_t)frame;
    row->line = r->line;
    if (!next_column(r)) return too_short(r, wanted, err);
    VD_TRY(read_int(r, 0, max_id, &row->id, err));
    return next_column(r) ? VD_OK : too_short(r, wanted, err);
}

static vd_status room_for_row(vd_mot_rows *out, const reader *r, vd_err *err) {
    if (out->n >= VD_MOT_MAX_ROWS)
        return vd_fail(err, VD_E_LIMIT, "%s:%d: more than %d lines", r->where, r->line,
                       VD_MOT_MAX_ROWS);
    return VD_GROW(out->row, out->cap, out->n + 1, err);
}

/* ---- by frame ---- */

static bool in_order(const vd_mot_rows *r) {
    for (int64_t i = 1; i < r->n; i++)
        if (r->row[i].frame < r->row[i - 1].frame) return false;
    return true;
}

/* Stable, so that rows of a frame stay as the file has them: two passes over 12 bits each, which
 * hold VD_MOT_MAX_FRAME. */
static vd_status order_by_frame(vd_mot_rows *r, vd_err *err) {
    enum { BITS = 12, BUCKETS = 1 << BITS };
    if (in_order(r)) return VD_OK;
    vd_status st = VD_OK;
    vd_mask *mask = NULL;
    vd_mot_row *row = vd_mem_alloc((size_t)r->n * sizeof *row);
    int64_t *begin = vd_mem_alloc((BUCKETS + 1) * sizeof *begin);
    if (r->mask != NULL) mask = vd_mem_alloc((size_t)r->n * sizeof *mask);
    if (row == NULL || begin == NULL || (r->mask != NULL && mask == NULL)) VD_GO(vd_nomem(err));
    for (int shift = 0; shift < 2 * BITS; shift += BITS) {
        memset(begin, 0, (BUCKETS + 1) * sizeof *begin);
        for (int64_t i = 0; i < r->n; i++)
            begin[((r->row[i].frame >> shift) & (BUCKETS - 1)) + 1]++;
        for (int b = 0; b < BUCKETS; b++) begin[b + 1] += begin[b];
        for (int64_t i = 0; i < r->n; i++) {
            int64_t to = begin[(r->row[i].frame >> shift) & (BUCKETS - 1)]++;
            row[to] = r->row[i];
            if (mask != NULL) mask[to] = r->mask[i];
        }
        vd_mot_row *rows = r->row;
        vd_mask *masks = r->mask;
        r->row = row, row = rows;
        r->mask = mask, mask = masks;
        r->cap = r->n;
    }
done:
    vd_mem_free(row);
    vd_mem_free(mask);
    vd_mem_free(begin);
    return st;
}

/* ---- boxes ---- */

static vd_status read_box_line(reader *r, vd_mot_row *row, vd_mot_side side, vd_err *err) {
    int wanted = side == VD_MOT_TRUTH ? BOX_COLUMNS : 6;
    *row = (vd_mot_row){ .cls = VD_MOT_NO_CLASS, .counts = true };
    VD_TRY(read_head(r, row, wanted, err));
    for (;;) {
        const char *begin = r->p;
        double v = 0;
        VD_TRY(read_number(r, &v, err));
        if (fabs(v) > MAX_COORD && r->column < BOX_COLUMNS) {
            r->p = begin;
            return bad(r, "is beyond 1e9", err);
        }
        if (r->column < 6)
            row->box[r->column - 2] = v;
        else if (r->column == 6)
            row->counts = side == VD_MOT_PREDICTION || trunc(v) != 0;
        else
            row->cls = (int32_t)v; /* of a prediction perhaps the first of three coordinates */
        if (!next_column(r)) break;
        if (r->column == BOX_COLUMNS) return VD_OK; /* what follows is not for us */
    }
    return r->column >= wanted ? VD_OK : too_short(r, wanted, err);
}

vd_status vd_mot_parse_boxes(vd_mot_rows *out, vd_mot_side side, const char *where,
                             const char *text, size_t size, vd_err *err) {
    vd_status st = VD_OK;
    vd_mot_rows rows = { 0 };
    reader r = { where, text, text + size, 1, 0, BOX_COLUMN };
    while (next_line(&r)) {
        VD_GO(room_for_row(&rows, &r, err));
        VD_GO(read_box_line(&r, &rows.row[rows.n], side, err));
        rows.n++;
        end_line(&r);
    }
    VD_GO(order_by_frame(&rows, err));
    *out = rows;
    rows = (vd_mot_rows){ 0 };
done:
    vd_mot_rows_reset(&rows);
    return st;
}

/* ---- masks ---- */

static vd_status read_mask_line(reader *r, vd_mot_row *row, vd_mask *mask, vd_err *err) {
    int wanted = VD_COUNT(MASK_COLUMN);
    int64_t v[3] = { 0 };
    vd_str where = { 0 };
    *row = (vd_mot_row){ .counts = true };
    VD_TRY(read_head(r, row, wanted, err));
    for (int i = 0; i < 3; i++) {
        VD_TRY(read_int(r, 0, INT32_MAX, &v[i], err));
        if (!next_column(r)) return too_short(r, wanted, err);
    }
    row->cls = (int32_t)v[0];
    int64_t n = 0;
    while (r->p + n < r->end && !is_blank(r->p[n]) && r->p[n] != '\n') n++;
    vd_str_addf(&where, "%s:%d: column 6 (runs)", r->where, r->line);
    vd_status st = vd_str_check(&where, err);
    if (st == VD_OK) st = vd_mask_from_text(mask, vd_str_text(&where), r->p, n, v[1], v[2], err);
    vd_str_reset(&where);
    return st;
}

vd_status vd_mot_parse_masks(vd_mot_rows *out, const char *where, const char *text, size_t size,
                             vd_err *err) {
    vd_status st = VD_OK;
    vd_mot_rows rows = { 0 };
    int64_t cap = 0;
    reader r = { where, text, text + size, 1, 0, MASK_COLUMN };
    VD_GO(VD_GROW(rows.mask, cap, 1, err)); /* so that an empty file is one of masks, too */
    while (next_line(&r)) {
        vd_mask mask = { 0 };
        VD_GO(room_for_row(&rows, &r, err));
        VD_GO(VD_GROW(rows.mask, cap, rows.n + 1, err));
        VD_GO(read_mask_line(&r, &rows.row[rows.n], &mask, err));
        rows.mask[rows.n++] = mask;
        end_line(&r);
    }
    VD_GO(order_by_frame(&rows, err));
    *out = rows;
    rows = (vd_mot_rows){ 0 };
done:
    vd_mot_rows_reset(&rows);
    return st;
}

/* ---- seqinfo.ini ---- */

vd_status vd_mot_parse_info(int32_t *out, const char *where, const char *text, vd_err *err) {
    static const char KEY[] = "seqLength";
    int line = 1;
    for (const char *p = text; *p != '\0'; line++) {
        const char *end = strchrnul(p, '\n');
        while (is_blank(*p)) p++;
        if (strncasecmp(p, KEY, sizeof KEY - 1) == 0) {
            const char *v = p + sizeof KEY - 1;
            while (is_blank(*v)) v++;
            if (*v == '=' || *v == ':') {
                char *stop = NULL;
                long n = strtol(v + 1, &stop, 10);
                while (is_blank(*stop)) stop++;
                if (stop != end || n < 1 || n > VD_MOT_MAX_FRAME)
                    return vd_fail(err, VD_E_FORMAT,
                                   "%s:%d: seqLength '%.*s' is no number from 1 to %d", where, line,
                                   (int)VD_MIN(end - v - 1, 40), v + 1, VD_MOT_MAX_FRAME);
                *out = (int32_t)n;
                return VD_OK;
            }
        }
        p = *end == '\n' ? end + 1 : end;
    }
    return vd_fail(err, VD_E_FORMAT, "%s: no seqLength", where);
}
