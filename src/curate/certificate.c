/* The certificate of a split, as JSON. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "curate/split.h"

static const char KIND[] = "vidimus split certificate";
enum { VERSION = 1 };
static const size_t MOST_BYTES = (size_t)1 << 31;

void vd_certificate_reset(vd_certificate *c) {
    vd_mem_free(c->uri);
    vd_mem_free(c->hash);
    vd_mem_free(c->part);
    vd_mem_free(c->group);
    vd_mem_free(c->class_name);
    vd_mem_free(c->class_pictures);
    vd_mem_free(c->class_objects);
    vd_arena_reset(&c->texts);
    *c = (vd_certificate){ 0 };
}

static vd_status class_room(vd_certificate *c, int64_t n, vd_err *err) {
    size_t cells = (size_t)n * (size_t)c->n_parts;
    c->class_name = vd_mem_array((size_t)n, sizeof *c->class_name);
    c->class_pictures = vd_mem_array(cells, sizeof *c->class_pictures);
    c->class_objects = vd_mem_array(cells, sizeof *c->class_objects);
    bool ok = c->class_name != NULL && c->class_pictures != NULL && c->class_objects != NULL;
    return ok ? VD_OK : vd_nomem(err);
}

vd_status vd_certificate_classes(vd_certificate *c, const vd_classes *classes, vd_err *err) {
    VD_TRY(class_room(c, classes->n, err));
    c->n_classes = classes->n;
    if ((c->labels = vd_arena_text(&c->texts, classes->set)) == NULL) return vd_nomem(err);
    for (int32_t k = 0; k < c->n_classes; k++)
        if ((c->class_name[k] = vd_arena_text(&c->texts, classes->name[k])) == NULL)
            return vd_nomem(err);
    vd_classes_tally(c->class_pictures, c->class_objects, classes, c->part, c->n_parts);
    return VD_OK;
}

/* ---- writing ---- */

static void add_text(vd_str *s, const char *key, const char *text) {
    vd_str_addf(s, "  \"%s\": ", key);
    if (text[0] == '\0')
        vd_str_add(s, "null");
    else
        vd_str_json(s, text);
    vd_str_add(s, ",\n");
}

static void add_part(vd_str *s, const vd_certificate *c, int p) {
    int64_t n = 0, groups = 0;
    int32_t highest = -1; /* a group's number appears first with its first picture */
    for (int64_t i = 0; i < c->n; i++) {
        n += c->part[i] == p;
        if (c->group[i] <= highest) continue;
        highest = c->group[i];
        groups += c->part[i] == p;
    }
    vd_str_addf(s, "%s    {\"name\": ", p > 0 ? ",\n" : "");
    vd_str_json(s, c->part_name[p]);
    vd_str_add(s, ", \"share\": ");
    vd_str_json_num(s, c->share[p]);
    vd_str_addf(s, ", \"assets\": %lld, \"groups\": %lld}", (long long)n, (long long)groups);
}

static void add_tally(vd_str *s, const char *key, const int64_t *count, int n) {
    vd_str_addf(s, ", \"%s\": [", key);
    for (int p = 0; p < n; p++) vd_str_addf(s, "%s%lld", p > 0 ? ", " : "", (long long)count[p]);
    vd_str_add(s, "]");
}

/* Nothing where no label set was looked at, as in certificates from before there were any. */
static void add_classes(vd_str *s, const vd_certificate *c) {
    if (c->labels[0] == '\0') return;
    add_text(s, "labels", c->labels);
    vd_str_add(s, "  \"classes\": [");
    for (int32_t k = 0; k < c->n_classes; k++) {
        vd_str_addf(s, "%s\n    {\"name\": ", k > 0 ? "," : "");
        vd_str_json(s, c->class_name[k]);
        add_tally(s, "pictures", c->class_pictures + (int64_t)k * c->n_parts, c->n_parts);
        add_tally(s, "objects", c->class_objects + (int64_t)k * c->n_parts, c->n_parts);
        vd_str_add(s, "}");
    }
    vd_str_add(s, "\n  ],\n");
}

/* The rule and the assets: what the digest is made from. */
static void add_content(vd_str *s, const vd_certificate *c) {
    int64_t groups = 0;
    add_text(s, "name", c->name);
    add_text(s, "by", c->by);
    add_text(s, "where", c->where);
    add_text(s, "skip", c->skip);
    add_text(s, "stratify", c->stratify);
    add_text(s, "vectors", c->vectors);
    vd_str_add(s, "  \"gap_s\": ");
    vd_str_json_num(s, c->gap_s);
    vd_str_addf(s, ",\n  \"seed\": %lld,\n  \"parts\": [\n", (long long)c->seed);
    for (int p = 0; p < c->n_parts; p++) add_part(s, c, p);
    for (int64_t i = 0; i < c->n; i++) groups = VD_MAX(groups, c->group[i] + 1);
    vd_str_addf(s, "\n  ],\n  \"groups\": %lld,\n  \"scenes\": %lld,\n  \"shared_points\": %lld,\n",
                (long long)groups, (long long)c->scenes, (long long)c->shared_points);
    vd_str_add(s, "  \"largest_similarity\": ");
    vd_str_json_num(s, c->similarity);
    vd_str_add(s, ",\n  \"most_similar\": ");
    if (c->similar[0] != NULL) {
        vd_str_add(s, "[");
        vd_str_json(s, c->similar[0]);
        vd_str_add(s, ", ");
        vd_str_json(s, c->similar[1]);
        vd_str_add(s, "]");
    } else {
        vd_str_add(s, "null");
    }
    vd_str_add(s, ",\n");
    add_classes(s, c);
    vd_str_add(s, "  \"assets\": [");
    for (int64_t i = 0; i < c->n; i++) {
        vd_str_add(s, i > 0 ? ",\n    [" : "\n    [");
        vd_str_json(s, c->uri[i]);
        vd_str_add(s, ", ");
        vd_str_json(s, c->hash[i]);
        vd_str_addf(s, ", %d, %d]", c->part[i], (int)c->group[i]);
    }
    vd_str_add(s, "\n  ]\n}\n");
}

static void digest(char out[33], const vd_str *content) {
    vd_hash_hex(out, vd_hash_bytes(vd_str_text(content), (size_t)content->size));
}

vd_status vd_certificate_write(const vd_certificate *c, const char *path, vd_err *err) {
    vd_str content = { 0 }, all = { 0 };
    char hex[33];
    add_content(&content, c);
    vd_status st = vd_str_check(&content, err);
    if (st == VD_OK) {
        digest(hex, &content);
        vd_str_addf(&all, "{\n  \"kind\": \"%s\",\n  \"version\": %d,\n  \"digest\": \"%s\",\n",
                    KIND, VERSION, hex);
        vd_str_addn(&all, content.data, content.size);
        st = vd_str_check(&all, err);
    }
    if (st == VD_OK) st = vd_file_write(path, all.data, (size_t)all.size, err);
    vd_str_reset(&content);
    vd_str_reset(&all);
    return st;
}

/* ---- reading ---- */

static vd_status text_of(vd_certificate *c, const char **out, const char *text, vd_err *err) {
    *out = vd_arena_text(&c->texts, text != NULL ? text : "");
    return *out != NULL ? VD_OK : vd_nomem(err);
}

static vd_status bad(const char *path, const char *what, const vd_json *at, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s: %s at byte %lld", path, what,
                   (long long)(at != NULL ? at->at : 0));
}

static vd_status read_parts(vd_certificate *c, const vd_json *doc, const char *path, vd_err *err) {
    const vd_json *parts = vd_json_get(doc, "parts");
    if (parts == NULL || parts->type != VD_JSON_ARRAY || parts->n < 2 ||
        parts->n > VD_SPLIT_MAX_PARTS)
        return bad(path, "no list of 2 to 16 parts", parts, err);
    for (const vd_json *p = parts->first; p != NULL; p = p->next) {
        if (vd_json_text(p, "name") == NULL) return bad(path, "a part without a name", p, err);
        c->share[c->n_parts] = vd_json_number(p, "share", 0);
        VD_TRY(text_of(c, &c->part_name[c->n_parts++], vd_json_text(p, "name"), err));
    }
    return VD_OK;
}

static bool whole(const vd_json *v, double limit) {
    return v != NULL && v->type == VD_JSON_NUMBER && v->number >= 0 && v->number < limit &&
           v->number == floor(v->number);
}

static vd_status read_asset(vd_certificate *c, const vd_json *row, const char *path, vd_err *err) {
    const vd_json *uri = row->type == VD_JSON_ARRAY && row->n == 4 ? row->first : NULL;
    const vd_json *hash = uri != NULL ? uri->next : NULL, *part = hash != NULL ? hash->next : NULL;
    if (part == NULL || uri->type != VD_JSON_TEXT || hash->type != VD_JSON_TEXT ||
        !whole(part, c->n_parts) || !whole(part->next, INT32_MAX))
        return bad(path, "an asset that is not [uri, hash, part, group]", row, err);
    VD_TRY(text_of(c, &c->uri[c->n], uri->text, err));
    VD_TRY(text_of(c, &c->hash[c->n], hash->text, err));
    c->part[c->n] = (uint8_t)part->number;
    c->group[c->n++] = (int32_t)part->next->number;
    return VD_OK;
}

static vd_status read_assets(vd_certificate *c, const vd_json *doc, const char *path, vd_err *err) {
    const vd_json *assets = vd_json_get(doc, "assets");
    if (assets == NULL || assets->type != VD_JSON_ARRAY)
        return bad(path, "no list of assets", assets, err);
    size_t n = (size_t)assets->n;
    c->uri = vd_mem_array(n, sizeof *c->uri);
    c->hash = vd_mem_array(n, sizeof *c->hash);
    c->part = vd_mem_array(n, 1);
    c->group = vd_mem_array(n, sizeof *c->group);
    if (c->uri == NULL || c->hash == NULL || c->part == NULL || c->group == NULL)
        return vd_nomem(err);
    for (const vd_json *row = assets->first; row != NULL; row = row->next)
        VD_TRY(read_asset(c, row, path, err));
    return VD_OK;
}

static bool read_tally(int64_t *out, const vd_json *list, int n) {
    if (list == NULL || list->type != VD_JSON_ARRAY || list->n != n) return false;
    for (const vd_json *v = list->first; v != NULL; v = v->next) {
        if (!whole(v, 9e15)) return false;
        *out++ = (int64_t)v->number;
    }
    return true;
}

static vd_status read_classes(vd_certificate *c, const vd_json *doc, const char *path,
                              vd_err *err) {
    const vd_json *list = vd_json_get(doc, "classes");
    bool none = c->labels[0] == '\0';
    if (none && list == NULL) return VD_OK;
    if (none || list == NULL || list->type != VD_JSON_ARRAY || list->n > INT32_MAX)
        return bad(path, "classes without labels, or labels without classes", list, err);
    VD_TRY(class_room(c, list->n, err));
    for (const vd_json *v = list->first; v != NULL; v = v->next) {
        const char *name = vd_json_text(v, "name");
        int64_t at = (int64_t)c->n_classes * c->n_parts;
        if (name == NULL ||
            !read_tally(c->class_pictures + at, vd_json_get(v, "pictures"), c->n_parts) ||
            !read_tally(c->class_objects + at, vd_json_get(v, "objects"), c->n_parts))
            return bad(path, "a class that is not a name with pictures and objects by part", v,
                       err);
        VD_TRY(text_of(c, &c->class_name[c->n_classes++], name, err));
    }
    return VD_OK;
}

static vd_status read_rule(vd_certificate *c, const vd_json *doc, vd_err *err) {
    const struct {
        const char *key, **to;
    } texts[] = { { "name", &c->name },         { "by", &c->by },
                  { "where", &c->where },       { "skip", &c->skip },
                  { "stratify", &c->stratify }, { "labels", &c->labels },
                  { "vectors", &c->vectors } };
    for (int i = 0; i < VD_COUNT(texts); i++)
        VD_TRY(text_of(c, texts[i].to, vd_json_text(doc, texts[i].key), err));
    c->gap_s = vd_json_number(doc, "gap_s", 0);
    c->seed = (int64_t)VD_CLAMP(vd_json_number(doc, "seed", 0), 0, 9e15);
    c->shared_points = (int64_t)VD_CLAMP(vd_json_number(doc, "shared_points", 0), 0, 9e15);
    c->scenes = (int64_t)VD_CLAMP(vd_json_number(doc, "scenes", 0), 0, 9e15);
    c->similarity = vd_json_number(doc, "largest_similarity", NAN);
    const vd_json *pair = vd_json_get(doc, "most_similar");
    if (pair != NULL && pair->type == VD_JSON_ARRAY && pair->n == 2) {
        VD_TRY(text_of(c, &c->similar[0], pair->first->text, err));
        VD_TRY(text_of(c, &c->similar[1], pair->first->next->text, err));
    }
    return VD_OK;
}

/* Whether the digest in the file is that of what was read from it, written anew. */
static vd_status check_digest(vd_certificate *c, const vd_json *doc, vd_err *err) {
    vd_str content = { 0 };
    char hex[33];
    const char *stated = vd_json_text(doc, "digest");
    add_content(&content, c);
    vd_status st = vd_str_check(&content, err);
    if (st == VD_OK) {
        digest(hex, &content);
        c->intact = stated != NULL && strcmp(stated, hex) == 0;
    }
    vd_str_reset(&content);
    return st;
}

vd_status vd_certificate_parse(vd_certificate *out, const char *where, const char *text,
                               size_t size, vd_err *err) {
    vd_status st = VD_OK;
    vd_arena tree = { 0 };
    const vd_json *doc = NULL;
    vd_certificate c = { 0 };
    VD_GO(vd_json_parse(&doc, &tree, where, text, size, err));
    const char *kind = vd_json_text(doc, "kind");
    if (kind == NULL || strcmp(kind, KIND) != 0)
        VD_GO(bad(where, "no certificate of a split", doc, err));
    if (vd_json_number(doc, "version", 0) != VERSION)
        VD_GO(vd_fail(err, VD_E_UNSUPPORTED, "%s: version %g, known is %d", where,
                      vd_json_number(doc, "version", 0), VERSION));
    VD_GO(read_rule(&c, doc, err));
    VD_GO(read_parts(&c, doc, where, err));
    VD_GO(read_classes(&c, doc, where, err));
    VD_GO(read_assets(&c, doc, where, err));
    VD_GO(check_digest(&c, doc, err));
    vd_certificate_reset(out);
    *out = c;
    c = (vd_certificate){ 0 };
done:
    vd_certificate_reset(&c);
    vd_arena_reset(&tree);
    return st;
}

vd_status vd_certificate_read(vd_certificate *out, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, MOST_BYTES, err));
    vd_status st = vd_certificate_parse(out, path, text, size, err);
    vd_mem_free(text);
    return st;
}
