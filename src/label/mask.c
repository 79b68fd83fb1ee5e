/* Run lengths: their text, what they measure, and set operations on two sorted lists of runs, which
 * take time in proportion to the runs and not to the pixels. SPDX-License-Identifier: Apache-2.0 */
#include "label/mask.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "label/mask_int.h"

enum { GROUP_BITS = 5, MORE = 0x20, SIGN = 0x10, FIRST_CHARACTER = 48, LAST_CHARACTER = 111 };
/* Seven groups hold a signed number of 34 bits: more than any difference of two runs. */
enum { MAX_GROUPS = 7 };

void vd_mask_reset(vd_mask *m) {
    vd_mem_free(m->run);
    *m = (vd_mask){ 0 };
}

vd_status vd_mask__check_size(const char *where, int64_t height, int64_t width, vd_err *err) {
    if (height < 1 || width < 1 || height > VD_MASK_MAX_PIXELS / width)
        return vd_fail(err, VD_E_LIMIT, "%s: a mask of %lld x %lld pixels, allowed are 1 to %d",
                       where, (long long)width, (long long)height, VD_MASK_MAX_PIXELS);
    return VD_OK;
}

/* ---- from and to text and numbers ---- */

/* What the runs of a file leave open at the end is background. `run` has room for one more. */
static void complete(vd_mask *m, int64_t sum) {
    int64_t left = (int64_t)m->height * m->width - sum;
    if (left == 0 && m->n > 0) return;
    if (m->n % 2 == 1)
        m->run[m->n - 1] += (uint32_t)left;
    else
        m->run[m->n++] = (uint32_t)left;
}

/* One number of the text; what stops it, or NULL. */
static const char *read_number(const char *text, int64_t n, int64_t *at, int64_t *out) {
    uint64_t v = 0;
    for (int group = 0;; group++) {
        if (*at >= n) return "the text ends within a number";
        int c = (unsigned char)text[*at];
        if (c < FIRST_CHARACTER || c > LAST_CHARACTER) return "a character that is none of a mask";
        if (group == MAX_GROUPS) return "a number that is too long";
        c -= FIRST_CHARACTER;
        ++*at;
        v |= (uint64_t)(c & (MORE - 1)) << (GROUP_BITS * group);
        if (c & MORE) continue;
        if (c & SIGN) v |= ~(uint64_t)0 << (GROUP_BITS * (group + 1));
        *out = (int64_t)v;
        return NULL;
    }
}

vd_status vd_mask_from_text(vd_mask *out, const char *where, const char *text, int64_t n,
                            int64_t height, int64_t width, vd_err *err) {
    VD_TRY(vd_mask__check_size(where, height, width, err));
    vd_mask m = { (int32_t)height, (int32_t)width, 0, NULL };
    int64_t sum = 0, pixels = height * width, v = 0;
    m.run = vd_mem_alloc(((size_t)n + 1) * sizeof *m.run);
    if (m.run == NULL) return vd_nomem(err);
    for (int64_t at = 0; at < n; m.n++) {
        int64_t begun = at;
        const char *why = read_number(text, n, &at, &v);
        if (why == NULL && m.n > 2) v += m.run[m.n - 2];
        if (why == NULL && (v < 0 || v > pixels - sum))
            why = "a run that is negative or beyond the last pixel";
        if (why != NULL) {
            vd_mask_reset(&m);
            return vd_fail(err, VD_E_FORMAT, "%s: counts, character %lld: %s (%lld x %lld pixels)",
                           where, (long long)begun, why, (long long)width, (long long)height);
        }
        m.run[m.n] = (uint32_t)v;
        sum += v;
    }
    complete(&m, sum);
    *out = m;
    return VD_OK;
}

vd_status vd_mask_from_runs(vd_mask *out, const char *where, const double *run, int64_t n,
                            int64_t height, int64_t width, vd_err *err) {
    VD_TRY(vd_mask__check_size(where, height, width, err));
    vd_mask m = { (int32_t)height, (int32_t)width, n, NULL };
    int64_t sum = 0, pixels = height * width;
    m.run = vd_mem_alloc(((size_t)n + 1) * sizeof *m.run);
    if (m.run == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++) {
        if (!(run[i] >= 0 && run[i] <= (double)(pixels - sum)) || run[i] != floor(run[i])) {
            vd_mask_reset(&m);
            return vd_fail(err, VD_E_FORMAT,
                           "%s: counts, number %lld is %g: not a whole number of 0 to %lld pixels",
                           where, (long long)i, run[i], (long long)(pixels - sum));
        }
        m.run[i] = (uint32_t)run[i];
        sum += m.run[i];
    }
    complete(&m, sum);
    *out = m;
    return VD_OK;
}

void vd_mask_text(const vd_mask *m, vd_str *out) {
    for (int64_t i = 0; i < m->n; i++) {
        int64_t v = m->run[i];
        if (i > 2) v -= m->run[i - 2];
        for (bool more = true; more;) {
            int c = (int)(v & (MORE - 1));
            v >>= GROUP_BITS; /* arithmetic: the sign stays */
            more = v != (c & SIGN ? -1 : 0);
            vd_str_addc(out, (char)(FIRST_CHARACTER + c + (more ? MORE : 0)));
        }
    }
}

/* ---- from and to bytes ---- */

/* Calls `add` would be dearer than counting twice: the first pass finds how many runs there are. */
static int64_t runs_of_bytes(uint32_t *run, const uint8_t *pixel, ptrdiff_t stride, int64_t height,
                             int64_t width) {
    int64_t n = 0;
    uint32_t length = 0;
    bool on = false;
    for (int64_t x = 0; x < width; x++) {
        for (int64_t y = 0; y < height; y++) {
            bool now = pixel[y * stride + x] != 0;
            if (now != on) {
                if (run != NULL) run[n] = length;
                n++;
                length = 0;
                on = now;
            }
            length++;
        }
    }
    if (run != NULL) run[n] = length;
    return n + 1;
}

vd_status vd_mask_from_bytes(vd_mask *out, const uint8_t *pixel, ptrdiff_t stride, int64_t height,
                             int64_t width, vd_err *err) {
    VD_TRY(vd_mask__check_size("mask", height, width, err));
    int64_t n = runs_of_bytes(NULL, pixel, stride, height, width);
    uint32_t *run = vd_mem_alloc((size_t)n * sizeof *run);
    if (run == NULL) return vd_nomem(err);
    runs_of_bytes(run, pixel, stride, height, width);
    *out = (vd_mask){ (int32_t)height, (int32_t)width, n, run };
    return VD_OK;
}

void vd_mask_paint(const vd_mask *m, uint8_t *pixel, ptrdiff_t stride, uint8_t value) {
    int64_t at = 0;
    for (int64_t i = 0; i < m->n; at += m->run[i++]) {
        if (i % 2 == 0) continue;
        for (int64_t k = at, end = at + m->run[i]; k < end; k++)
            pixel[k % m->height * stride + k / m->height] = value;
    }
}

/* ---- measures ---- */

int64_t vd_mask_area(const vd_mask *m) {
    int64_t area = 0;
    for (int64_t i = 1; i < m->n; i += 2) area += m->run[i];
    return area;
}

void vd_mask_box(const vd_mask *m, double box[4]) {
    int64_t at = 0, h = m->height, x0 = m->width, y0 = h, x1 = -1, y1 = -1;
    for (int64_t i = 0; i < m->n; at += m->run[i++]) {
        if (i % 2 == 0 || m->run[i] == 0) continue;
        int64_t last = at + m->run[i] - 1;
        bool one_column = at / h == last / h;
        x0 = VD_MIN(x0, at / h);
        x1 = VD_MAX(x1, last / h);
        y0 = one_column ? VD_MIN(y0, at % h) : 0;
        y1 = one_column ? VD_MAX(y1, last % h) : h - 1;
    }
    bool empty = x1 < 0;
    box[0] = empty ? 0 : (double)x0;
    box[1] = empty ? 0 : (double)y0;
    box[2] = empty ? 0 : (double)(x1 - x0 + 1);
    box[3] = empty ? 0 : (double)(y1 - y0 + 1);
}

int64_t vd_mask_common(const vd_mask *a, const vd_mask *b) {
    /* [begin, end) of the present foreground run of each */
    int64_t common = 0, ia = 0, ib = 0;
    int64_t begin_a = 0, end_a = 0, begin_b = 0, end_b = 0;
    for (;;) {
        if (end_a <= end_b) {
            if (ia + 1 >= a->n) break;
            begin_a = end_a + a->run[ia];
            end_a = begin_a + a->run[ia + 1];
            ia += 2;
        } else {
            if (ib + 1 >= b->n) break;
            begin_b = end_b + b->run[ib];
            end_b = begin_b + b->run[ib + 1];
            ib += 2;
        }
        int64_t begin = VD_MAX(begin_a, begin_b), end = VD_MIN(end_a, end_b);
        if (end > begin) common += end - begin;
    }
    return common;
}

double vd_mask_iou(const vd_mask *a, const vd_mask *b, bool crowd) {
    if (a->height != b->height || a->width != b->width) return -1;
    int64_t common = vd_mask_common(a, b);
    if (common == 0) return 0;
    int64_t area = vd_mask_area(a);
    return (double)common / (double)(crowd ? area : area + vd_mask_area(b) - common);
}

double vd_box_iou(const double a[4], const double b[4], bool crowd) {
    double w = fmin(a[2] + a[0], b[2] + b[0]) - fmax(a[0], b[0]);
    if (w <= 0) return 0;
    double h = fmin(a[3] + a[1], b[3] + b[1]) - fmax(a[1], b[1]);
    if (h <= 0) return 0;
    double common = w * h, area = a[2] * a[3];
    return common / (crowd ? area : area + b[2] * b[3] - common);
}

/* ---- set operations ---- */

/* Walks over a mask run by run, from the first pixel to the last. */
typedef struct walk {
    const vd_mask *m;
    int64_t next, left; /* of the present run */
    bool on;
} walk;

static void enter(walk *w) {
    while (w->left == 0 && w->next < w->m->n) {
        w->on = w->next % 2 == 1;
        w->left = w->m->run[w->next++];
    }
}

/* `run` has room for the runs of both and one more. */
static int64_t merge_two(uint32_t *run, const vd_mask *a, const vd_mask *b, bool intersect) {
    walk p = { a, 0, 0, false }, q = { b, 0, 0, false };
    int64_t n = 0, length = 0;
    bool on = false;
    for (enter(&p), enter(&q); p.left > 0; enter(&p), enter(&q)) {
        bool now = intersect ? p.on && q.on : p.on || q.on;
        int64_t step = VD_MIN(p.left, q.left);
        if (now != on) {
            run[n++] = (uint32_t)length;
            length = 0;
            on = now;
        }
        length += step;
        p.left -= step;
        q.left -= step;
    }
    run[n++] = (uint32_t)length;
    return n;
}

vd_status vd_mask_resize(vd_mask *out, const vd_mask *m, int64_t height, int64_t width,
                         vd_err *err) {
    VD_TRY(vd_mask__check_size("mask", height, width, err));
    if (m->height <= 0 || m->width <= 0) return vd_fail(err, VD_E_ARG, "mask: no pixels to resize");
    uint8_t *from = vd_mem_array((size_t)m->width, (size_t)m->height);
    uint8_t *to = vd_mem_array((size_t)width, (size_t)height);
    vd_status st = from != NULL && to != NULL ? VD_OK : vd_nomem(err);
    if (st == VD_OK) vd_mask_paint(m, from, m->width, 1);
    for (int64_t y = 0; st == VD_OK && y < height; y++) {
        const uint8_t *row = from + (2 * y + 1) * m->height / (2 * height) * m->width;
        for (int64_t x = 0; x < width; x++)
            to[y * width + x] = row[(2 * x + 1) * m->width / (2 * width)];
    }
    if (st == VD_OK) st = vd_mask_from_bytes(out, to, width, height, width, err);
    vd_mem_free(from);
    vd_mem_free(to);
    return st;
}

vd_status vd_mask_merge(vd_mask *out, const vd_mask *m, int64_t n, bool intersect, vd_err *err) {
    vd_mask sum = { m[0].height, m[0].width, m[0].n, NULL };
    sum.run = vd_mem_alloc((size_t)m[0].n * sizeof *sum.run);
    if (sum.run == NULL) return vd_nomem(err);
    memcpy(sum.run, m[0].run, (size_t)m[0].n * sizeof *sum.run);
    for (int64_t i = 1; i < n; i++) {
        vd_mask next = { sum.height, sum.width, 0, NULL };
        vd_status st = VD_OK;
        if (m[i].height != sum.height || m[i].width != sum.width)
            st = vd_fail(err, VD_E_ARG, "mask %lld is %d x %d pixels, the first %d x %d",
                         (long long)i, m[i].width, m[i].height, sum.width, sum.height);
        else if ((next.run = vd_mem_alloc((size_t)(sum.n + m[i].n + 1) * sizeof *next.run)) == NULL)
            st = vd_nomem(err);
        if (st == VD_OK) next.n = merge_two(next.run, &sum, &m[i], intersect);
        vd_mask_reset(&sum);
        if (st != VD_OK) return st;
        sum = next;
    }
    *out = sum;
    return VD_OK;
}
