#!/usr/bin/env python3
"""Writes the parts of docs/ that follow from the program. SPDX-License-Identifier: Apache-2.0

    python3 tools/make_docs.py BUILD_DIR [--check]

docs/reference.md is what `vidimus reference` prints. In the other pages the text between the lines
<!-- generated: NAME --> and <!-- end --> is made anew: tables and columns from the catalog of a small
dataset, metrics from the comments of src/measure/measure.h, scores from the tables of the sources.
--check writes nothing and fails where a page differs.
"""
import argparse
import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)


def vidimus(build, *args):
    return subprocess.run([str(build / "vidimus"), *map(str, args)], check=True, capture_output=True).stdout.decode()


def row(*cells):
    return "| " + " | ".join(str(c if c is not None else "").replace("|", "\\|") for c in cells) + " |\n"


def catalog_blocks(build):
    """The blocks that describe a dataset, from a fresh one."""
    with tempfile.TemporaryDirectory(prefix="vidimus_docs_") as tmp:
        tmp = pathlib.Path(tmp)
        vidimus(build, "synth", tmp / "c", "--views", 1, "--width", 96, "--height", 72, "--defects", 0, "--quiet")
        shutil.copy(tmp / "c/images/view_001.jpg", tmp / "c/images/z.jpg")  # only duplicates have those facts
        vidimus(build, "run", tmp / "c/images", "--out", tmp / "d.vidimus", "--quiet")
        facts = json.loads(vidimus(build, "show", tmp / "d.vidimus", "view_001.jpg", "--empty", "--json"))
        db = sqlite3.connect(tmp / "d.vidimus/catalog.db")
        view = {r[1] for r in db.execute("PRAGMA table_info(asset_facts)")}
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                  if not r[0].startswith("sqlite_")]
        columns = {t: list(db.execute(f"PRAGMA table_info({t})")) for t in tables}
        indexes = [r for r in db.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"
                                         " AND sql IS NOT NULL ORDER BY tbl_name, name")]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.close()
    derived = [("tags", "set by vidimus tag; sorted, by commas"),
               ("labels", "objects, of all label sets together; NULL where none has the picture"),
               ("classes", "names of the classes of these objects; sorted, by commas"),
               ("label_problems", "findings of vidimus issues --labels, of all label sets"),
               ("eval_hits", "objects found, by the newest kept evaluation; NULL where it has not judged the picture"),
               ("eval_misses", "objects not found, by the newest kept evaluation"),
               ("eval_false_alarms", "predictions that found nothing, by the newest kept evaluation"),
               ("eval_harm", "misses, and false alarms by their scores; segmentation: 1 less the picture's mIoU")]
    facts += [{"fact": name, "stage": None, "unit": None, "meaning": meaning} for name, meaning in derived
              if not any(f["fact"] == name for f in facts)]
    unknown = view - {f["fact"] for f in facts}
    if unknown:
        sys.exit(f"vidimus show does not tell of {sorted(unknown)}")
    asset_facts = row("column", "stage", "unit", "meaning") + "|---|---|---|---|\n"
    for f in facts:
        if f["fact"] in view:
            asset_facts += row(f"`{f['fact']}`", f["stage"], f["unit"], f["meaning"])
    listing = ""
    for t in tables:
        listing += f"**{t}**: " + ", ".join(
            f"`{c[1]}` {c[2]}{' (key)' if c[5] else ''}" for c in columns[t]) + "\n\n"
    index = "".join(f"- `{name}` on `{sql.split(' ON ')[1]}`\n" for name, _, sql in indexes)
    return {"asset_facts": asset_facts, "tables": listing, "indexes": index,
            "schema_version": f"The present version is **{version}**.\n"}


def c_text(s):
    """The text of adjacent C string literals."""
    return "".join(p.encode().decode("unicode_escape") for p in re.findall(r'"((?:[^"\\]|\\.)*)"', s))


def metric_block():
    text = (ROOT / "src/measure/measure.h").read_text()
    body = re.search(r"typedef struct vd_metrics \{(.*?)\} vd_metrics;", text, re.S)[1]
    out, group = "", None
    pattern = r"/\* (focus[^*]*|tone\s*|colour[^*]*|coding[^*]*|shape\s*|CleanVision[^*]*)\*/|(?:double|bool|int)\s+([\w, ]+);\s*/\*(.*?)\*/"
    for m in re.finditer(pattern, body, re.S):
        if m[1]:
            group = " ".join(m[1].split())
            out += f"\n**{group}**\n\n" + row("metric", "what it is; unit, range, source") + "|---|---|\n"
            continue
        names = ", ".join(f"`{n.strip()}`" for n in m[2].split(","))
        out += row(names, " ".join(m[3].split()))
    return out.lstrip("\n")


def score_block():
    score = (ROOT / "src/measure/score.c").read_text()
    table = re.search(r"vd_score_table\[[^]]*\] = \{(.*?)\n\};", score, re.S)[1]
    formula = {}
    for m in re.finditer(r"\[VD_SCORE_\w+\] = \{(.*?)\}(?=,?\s*\n\s*\[|,?\s*$)", table, re.S):
        parts = re.match(r'\s*("\w+"),\s*[\d.]+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)$', m[1], re.S)
        formula[c_text(parts[1])] = c_text(parts[3])
    problems = (ROOT / "src/stage/problems.c").read_text()
    table = re.search(r"vd_problem_kinds\[\] = \{(.*?)\n\};", problems, re.S)[1]
    out = row("kind", "threshold", "score", "meaning") + "|---|---|---|---|\n"
    literal = r'"(?:[^"\\]|\\.)*"'
    for entry in re.split(r"\n    (?=MEASURED\(|\{ \")", "\n" + table):
        m = re.match(r'(?:MEASURED\(|\{ )\s*"(\w+)",\s*([\d.]+)', entry.strip())
        if not m:
            continue
        kind, threshold = m[1], m[2]
        help_text = c_text(re.search(rf"((?:{literal}\s*)+)[)}}\s,]*$", entry.strip())[1])
        out += row(f"`{kind}`", threshold, formula.get(kind, "see below"), help_text)
    return out


def pages(build):
    """{path: text as it should be}."""
    blocks = catalog_blocks(build)
    blocks["metrics"] = metric_block()
    blocks["scores"] = score_block()
    out = {ROOT / "docs/reference.md": vidimus(build, "reference")}
    used = set()
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path in out:
            continue
        text = path.read_text()
        used |= {m[2] for m in BLOCK.finditer(text)}
        out[path] = BLOCK.sub(lambda m: m[1] + blocks[m[2]] + m[3], text)
    if blocks.keys() - used:
        sys.exit(f"no page shows: {sorted(blocks.keys() - used)}")
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("build", type=pathlib.Path)
    ap.add_argument("--check", action="store_true")
    args = ap.parse_args()
    stale = 0
    for path, text in pages(args.build.resolve()).items():
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        print(f"{path.relative_to(ROOT)} " + ("is stale: run tools/make_docs.py BUILD_DIR" if args.check else "written"))
        if not args.check:
            path.write_text(text)
    if args.check:
        print("docs: %d passed, %d failed" % (stale == 0, stale))
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
