/* The data card. SPDX-License-Identifier: Apache-2.0 */
#include "curate/card.h"

#include <string.h>

#include "base/path.h"

#define PICTURES " kind IN ('image', 'frame', 'page') AND state = 'present'"

/* The licence that a label file states for a picture: what a reader has not vouched for may be no
 * JSON. */
#define LICENSED                                                                                   \
    " m.attributes LIKE '%\"license\"%' AND json_valid(m.attributes)"                              \
    " AND json_extract(m.attributes, '$.license') IS NOT NULL"

/* A section's lines are the rows of a statement: name, value. Rows whose value is NULL or 0 are
 * left out. */
typedef struct part {
    const char *name, *needs; /* a table without which there is no section; NULL */
    int most;                 /* lines */
    const char *sql;
} part;

static const part parts[] = {
    { "Contents", NULL, 100,
      "SELECT 'pictures', count(*) FROM asset WHERE" PICTURES
      " UNION ALL SELECT 'of them video frames', count(*) FROM asset WHERE kind = 'frame' AND state = 'present'"
      " UNION ALL SELECT 'of them pages', count(*) FROM asset WHERE kind = 'page' AND state = 'present'"
      " UNION ALL SELECT 'videos', count(*) FROM asset WHERE kind = 'video' AND state = 'present'"
      " UNION ALL SELECT 'other files', count(*) FROM asset WHERE kind NOT IN"
      " ('image', 'frame', 'page', 'video') AND state = 'present'"
      " UNION ALL SELECT 'vanished', count(*) FROM asset WHERE state <> 'present'"
      " UNION ALL SELECT 'bytes', sum(size) FROM asset WHERE state = 'present' AND parent_id IS NULL"
      " AND kind <> 'archive'" },
    { "Pictures", "fact_check", 100,
      "SELECT 'smallest, pixels', min(width * height) FROM asset_facts WHERE width > 0 AND" PICTURES
      " UNION ALL SELECT 'largest, pixels', max(width * height) FROM asset_facts WHERE width > 0 AND" PICTURES
      " UNION ALL SELECT 'taken from', min(taken_at) FROM asset_facts WHERE" PICTURES
      " UNION ALL SELECT 'taken to', max(taken_at) FROM asset_facts WHERE" PICTURES
      " UNION ALL SELECT 'without a date', count(*) FROM asset_facts WHERE taken_at IS NULL AND" PICTURES
      " UNION ALL SELECT 'with a place', count(latitude) FROM asset_facts WHERE" PICTURES },
    { "Formats", "fact_check", 40,
      "SELECT coalesce(format, 'unknown'), count(*) AS n FROM asset_facts WHERE state = 'present'"
      " AND kind IN ('image', 'video', 'page') GROUP BY 1 ORDER BY n DESC, 1" },
    { "Cameras", "fact_check", 40,
      "SELECT camera, count(*) AS n FROM asset_facts WHERE camera IS NOT NULL AND" PICTURES
      " GROUP BY 1 ORDER BY n DESC, 1" },
    /* cells of one degree: enough to say which region, too little to say which house */
    { "Places", "fact_check", 60,
      "SELECT printf('%+d to %+d N, %+d to %+d E', y, y + 1, x, x + 1), n FROM"
      " (SELECT CAST(latitude + 90 AS INTEGER) - 90 AS y, CAST(longitude + 180 AS INTEGER) - 180 AS x,"
      " count(*) AS n FROM asset_facts WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND" PICTURES
      " GROUP BY 1, 2) ORDER BY n DESC, y, x" },
    { "Scenes", "scene", 40,
      "SELECT 'scene ' || id || ': ' || registered || ' of ' || pictures || ' pictures placed, points',"
      " points FROM scene ORDER BY id" },
    { "Label sets", "label_set", 60,
      "SELECT s.name || ' (' || s.format || '), objects', s.objects FROM label_set s"
      " UNION ALL SELECT s.name || ', pictures', s.matched FROM label_set s"
      " UNION ALL SELECT s.name || ', pictures that the dataset does not have', s.images - s.matched"
      " FROM label_set s ORDER BY 1" },
    { "Annotations", "label", 60,
      "SELECT s.name || ': ' || b.column2, sum(k.n) FROM (SELECT m.set_id, l.has, count(*) AS n FROM label l"
      " JOIN label_image m ON m.id = l.image_id GROUP BY 1, 2) k JOIN label_set s ON s.id = k.set_id JOIN (VALUES"
      " (1, 'boxes'), (2, 'turned boxes'), (4, 'polygons'), (8, 'lines'), (16, 'masks'), (32, 'keypoints'),"
      " (64, 'captions'), (128, 'on tracks'), (256, 'with a score'), (1024, 'crowds')) b ON k.has & b.column1"
      " GROUP BY s.id, b.column1 ORDER BY s.name, b.column1" },
    { "Objects by class", "label_category", 300,
      "SELECT s.name || ': ' || c.name, n FROM (SELECT m.set_id, l.category, count(*) AS n FROM label_image m"
      " JOIN label l ON l.image_id = m.id WHERE l.category IS NOT NULL GROUP BY 1, 2) k"
      " JOIN label_category c ON c.set_id = k.set_id AND c.category = k.category"
      " JOIN label_set s ON s.id = k.set_id ORDER BY s.name, n DESC, c.name" },
    { "Objects by class and part", "split_asset", 300,
      "SELECT p.name || ', ' || s.name || ': ' || c.name, group_concat(k.part || ' ' || k.n, ', ') FROM"
      " (SELECT n.* FROM (SELECT a.split_id, m.set_id, l.category, a.part, count(*) AS n FROM split_asset a"
      " JOIN label_image m ON m.asset_id = a.asset_id JOIN label l ON l.image_id = m.id"
      " WHERE l.category IS NOT NULL GROUP BY 1, 2, 3, 4) n JOIN (SELECT split_id, part, count(*) AS size"
      " FROM split_asset GROUP BY 1, 2) z ON z.split_id = n.split_id AND z.part = n.part"
      " ORDER BY n.split_id, n.set_id, n.category, z.size DESC, n.part) k"
      " JOIN split p ON p.id = k.split_id JOIN label_set s ON s.id = k.set_id"
      " JOIN label_category c ON c.set_id = k.set_id AND c.category = k.category"
      " GROUP BY k.split_id, k.set_id, k.category ORDER BY p.name, s.name, sum(k.n) DESC, c.name" },
    { "Label problems", "label_problem", 60,
      "SELECT s.name || ': ' || k.kind, count(*) AS n FROM label_problem k JOIN label_set s ON s.id = k.set_id"
      " GROUP BY s.id, k.kind ORDER BY s.name, n DESC, k.kind" },
    { "Splits", "split", 60,
      "SELECT s.name || ': ' || a.part, count(*) FROM split s JOIN split_asset a ON a.split_id = s.id"
      " GROUP BY s.id, a.part ORDER BY s.name, count(*) DESC, a.part" },
    { "Snapshots", "snapshot", 60,
      "SELECT name || ' (' || digest || ')', assets FROM snapshot ORDER BY id" },
    { "Problems", NULL, 60,
      "SELECT kind, count(*) AS n FROM problem GROUP BY 1 ORDER BY n DESC, 1" },
    { "Licences", NULL, 40,
      "SELECT uri, 'see the file' FROM asset WHERE state = 'present' AND kind = 'other' AND"
      " (uri LIKE '%/LICEN_E%' OR uri LIKE '%/COPYING%') ORDER BY uri" },
    { "Licences of pictures", "label_image", 40,
      "SELECT s.name || ': ' || json_extract(m.attributes, '$.license') AS licence, count(*) AS n FROM label_image m"
      " JOIN label_set s ON s.id = m.set_id WHERE m.asset_id IS NOT NULL AND" LICENSED
      " GROUP BY 1 ORDER BY n DESC, 1" },
    { "Known limits", "fact_check", 60,
      "SELECT 'pictures that cannot be read in full', count(*) FROM asset_facts WHERE verdict IN"
      " ('truncated', 'corrupt', 'unreadable', 'too_large', 'unsupported') AND state = 'present'"
      " UNION ALL SELECT 'pictures that are the same bytes as another', count(*) FROM fact_duplicates"
      " WHERE duplicate_keep = 0"
      " UNION ALL SELECT 'pictures that are nearly the same as another', count(*) FROM fact_duplicates"
      " WHERE near_keep = 0"
      " UNION ALL SELECT 'pictures without a place in a scene', count(*) FROM fact_reconstruct"
      " WHERE registered = 0"
      " UNION ALL SELECT 'pictures without GPS', count(*) FROM asset_facts WHERE latitude IS NULL AND" PICTURES
      " UNION ALL SELECT 'pictures by no known camera', count(*) FROM asset_facts WHERE camera IS NULL AND" PICTURES
      " UNION ALL SELECT 'no licence is known', 'look at the source' WHERE NOT EXISTS (SELECT 1 FROM asset"
      " WHERE state = 'present' AND kind = 'other' AND (uri LIKE '%/LICEN_E%' OR uri LIKE '%/COPYING%'))"
      " AND NOT EXISTS (SELECT 1 FROM label_image m WHERE m.asset_id IS NOT NULL AND" LICENSED ")"
      " UNION ALL SELECT 'no labels', 'none were imported' WHERE NOT EXISTS (SELECT 1 FROM"
      " label_set)"
      " UNION ALL SELECT 'pictures that no label set has', count(*) FROM asset WHERE" PICTURES
      " AND EXISTS (SELECT 1 FROM label_set) AND NOT EXISTS (SELECT 1 FROM label_image m WHERE m.asset_id = asset.id)"
      " UNION ALL SELECT 'objects without a class', (SELECT count(*) FROM label WHERE category IS NULL)"
      " UNION ALL SELECT 'classes without an object', count(*) FROM label_category c WHERE NOT EXISTS (SELECT 1 FROM"
      " label_image m JOIN label l ON l.image_id = m.id WHERE m.set_id = c.set_id AND l.category = c.category)"
      " UNION ALL SELECT 'classes with fewer than 10 objects', count(*) FROM (SELECT 1 FROM label_image m JOIN label l"
      " ON l.image_id = m.id WHERE l.category IS NOT NULL GROUP BY m.set_id, l.category HAVING count(*) < 10)" },
};

static vd_status has_table(vd_db *db, const char *name, bool *is, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_prepare(&s, db, "SELECT 1 FROM sqlite_master WHERE name = ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_text(name));
    vd_status st = vd_stmt_step(s, is, err);
    vd_stmt_free(s);
    return st;
}

static vd_status section_lines(vd_db *db, const part *k, vd_card_fn each, void *user, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    int64_t n = 0;
    if (k->needs != NULL) {
        VD_TRY(has_table(db, k->needs, &row, err));
        if (!row) return VD_OK;
    }
    VD_GO(vd_db_prepare(&s, db, k->sql, true, err));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        vd_value v = row ? vd_stmt_value(s, 1) : vd_val_null();
        if (!row || v.type == VD_NULL || (v.type == VD_INT && v.i == 0)) continue;
        if (n++ < k->most) VD_GO(each(user, k->name, vd_stmt_text(s, 0), v, err));
    }
    if (n > k->most) st = each(user, k->name, "more of them", vd_val_int(n - k->most), err);
done:
    vd_stmt_free(s);
    return st;
}

vd_status vd_card_lines(const vd_dataset *ds, vd_card_fn each, void *user, vd_err *err) {
    for (int i = 0; i < VD_COUNT(parts); i++)
        VD_TRY(section_lines(vd_dataset_db(ds), &parts[i], each, user, err));
    return VD_OK;
}

/* ---- pages ---- */

typedef struct page {
    vd_str *out;
    bool html;
    const char *section; /* the open one, NULL */
} page;

/* Markdown: what would end a cell or begin something is escaped. */
static void add_escaped(const page *p, const char *text) {
    if (p->html) {
        vd_str_html(p->out, text);
        return;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("\\|<>*_`[]#", *c) != NULL) vd_str_addc(p->out, '\\');
        vd_str_addc(p->out, *c == '\n' || *c == '\r' ? ' ' : *c);
    }
}

static void add_number(const page *p, vd_value v) {
    if (v.type == VD_INT)
        vd_str_addf(p->out, "%lld", (long long)v.i);
    else if (v.type == VD_REAL)
        vd_str_num(p->out, v.f);
    else
        add_escaped(p, v.s);
}

static void end_section(page *p) {
    if (p->section != NULL) vd_str_add(p->out, p->html ? "</table>\n" : "\n");
    p->section = NULL;
}

static vd_status page_line(void *user, const char *section, const char *name, vd_value value,
                           vd_err *err) {
    page *p = user;
    if (p->section == NULL || strcmp(p->section, section) != 0) {
        end_section(p);
        vd_str_addf(p->out, p->html ? "<h2>%s</h2>\n<table>\n" : "## %s\n\n| | |\n|---|---|\n",
                    section);
        p->section = section;
    }
    vd_str_add(p->out, p->html ? "<tr><td>" : "| ");
    add_escaped(p, name);
    vd_str_add(p->out, p->html ? "</td><td>" : " | ");
    add_number(p, value);
    vd_str_add(p->out, p->html ? "</td></tr>\n" : " |\n");
    return vd_str_check(p->out, err);
}

vd_status vd_card_page(vd_str *out, const vd_dataset *ds, bool html, vd_err *err) {
    page p = { out, html, NULL };
    const char *name = vd_path_name(vd_dataset_dir(ds));
    if (html) {
        vd_str_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
        add_escaped(&p, name);
        vd_str_add(out,
                   "</title>\n<style>body{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;"
                   "padding:0 1em}td{padding:.1em 1em .1em 0;vertical-align:top}</style></head>"
                   "<body>\n<h1>Data card: ");
    } else {
        vd_str_add(out, "# Data card: ");
    }
    add_escaped(&p, name);
    vd_str_add(out, html ? "</h1>\n" : "\n\n");
    VD_TRY(vd_card_lines(ds, page_line, &p, err));
    end_section(&p);
    if (html) vd_str_add(out, "</body></html>\n");
    return vd_str_check(out, err);
}
