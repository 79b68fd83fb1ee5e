#!/usr/bin/env python3
"""Evaluations beside a dataset: slices are what files with these pictures only give, what is kept is what a plain
count in Python finds, and pycocotools where it can be imported; the report has the same curves.
SPDX-License-Identifier: Apache-2.0
"""
import collections
import contextlib
import copy
import csv
import io
import json
import os
import random
import sqlite3
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "robust"))
import common  # noqa: E402
from common import need  # noqa: E402

PICTURES, CLASSES, IOU = 36, 5, 0.5
FIGURES = "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl".split()


def js(*args, **more):
    return json.loads(common.vidimus(*args, "--json", **more).out)


def npy(path):
    with open(path, "rb") as f:
        data = f.read()
    n = struct.unpack("<H", data[8:10])[0]
    head = eval(data[10:10 + n].decode(), {"__builtins__": {}})  # a literal of our own writing
    count = 1
    for d in head["shape"]:
        count *= d
    return head["shape"], struct.unpack("<%dd" % count, data[10 + n:10 + n + 8 * count])


def pgm(path, w, h, pixels):
    common.write(path, b"P5\n%d %d\n255\n" % (w, h) + bytes(pixels))


def box(rng, w, h, grid):
    bw, bh = rng.uniform(6, w * 0.6), rng.uniform(6, h * 0.6)
    v = [rng.uniform(0, w - bw), rng.uniform(0, h - bh), bw, bh]
    return [float(max(8, round(x / 8) * 8)) for x in v] if grid else [round(x, 2) for x in v]


class World:
    """Grey pictures of three sizes and any brightness; a truth and results with ties, crowds and empty pictures. The last
    two pictures of the truth are no assets, and the dataset has one more that the truth has not."""

    def __init__(self, s):
        self.s, self.d = s, s + "/d.vidimus"
        rng = random.Random(11)
        images, notes, results = [], [], []
        for i in range(PICTURES):
            w, h = ((160, 120), (120, 160), (200, 100))[i % 3]
            level = rng.randrange(20, 220)
            if i < PICTURES - 2:
                pgm(f"{s}/in/p{i:03d}.pgm", w, h, [min(255, max(0, level + rng.randrange(-9, 10))) for _ in range(w * h)])
            images.append({"id": 7 * i + 3, "file_name": f"sub/p{i:03d}.pgm", "width": w, "height": h})
        pgm(f"{s}/in/stranger.pgm", 90, 90, [rng.randrange(256) for _ in range(8100)])
        for im in images:
            grid = im["id"] % 2 == 0
            for _ in range(rng.choice((0, 1, 2, 4, 9))):
                b, c = box(rng, im["width"], im["height"], grid), rng.randrange(CLASSES)
                x0, y0, x1, y1 = b[0], b[1], b[0] + b[2], b[1] + b[3]
                notes.append({"id": len(notes) + 1, "image_id": im["id"], "category_id": 10 * c + 4, "bbox": b, "area": round(b[2] * b[3] * 0.7, 3),
                              "iscrowd": int(rng.random() < 0.08), "segmentation": [[x0, y0, x1, y0, x1, (y0 + y1) / 2, x0, y1]]})
                for _ in range(rng.choice((0, 1, 1, 2))):
                    s0 = rng.choice((0.02, 0.15))
                    d = [v + rng.gauss(0, s0) * k for v, k in zip(b, (b[2], b[3], b[2], b[3]))]
                    d = b if grid and rng.random() < 0.5 else [round(max(v, 1.0), 2) for v in d]
                    results.append({"image_id": im["id"], "category_id": 10 * (c if rng.random() < 0.8 else rng.randrange(CLASSES)) + 4, "bbox": d,
                                    "score": round(rng.random(), 1 if grid else 3)})
            for _ in range(rng.randrange(3)):
                results.append({"image_id": im["id"], "category_id": 10 * rng.randrange(CLASSES) + 4, "bbox": box(rng, im["width"], im["height"], grid),
                                "score": round(rng.random(), 3)})
        rng.shuffle(notes)
        rng.shuffle(results)
        self.truth = {"images": images, "annotations": notes, "categories": [{"id": 10 * k + 4, "name": f"c{k}"} for k in range(CLASSES)]}
        self.results = results
        self.t, self.p, self.q = self.save("truth", self.truth), self.save("pred", results), self.save("other", results[::2])
        common.vidimus("run", "in", "--out", "d.vidimus", "--only", "add,check,measure", "--quiet", cwd=s)

    def save(self, name, value):
        path = f"{self.s}/{name}.json"
        with open(path, "w") as f:
            json.dump(value, f)
        return path

    def sql(self, q, *args):
        db = sqlite3.connect(f"{self.d}/catalog.db")
        rows = db.execute(q, args).fetchall()
        db.close()
        return rows

    def detection(self, *args, **more):
        return js("eval", "detection", "--truth", self.t, "--pred", self.p, *args, **more)

    def facts(self, expression):
        """By id of an image of the truth; "no asset" where there is none."""
        rows = {os.path.basename(u): v for u, v in self.sql(f"SELECT uri, {expression} FROM asset_facts")}
        return {im["id"]: rows.get(os.path.basename(im["file_name"]), "no asset") for im in self.truth["images"]}

    def only(self, ids, results=None):
        """Files that hold these images alone."""
        t = copy.deepcopy(self.truth)
        t["images"] = [im for im in t["images"] if im["id"] in ids]
        t["annotations"] = [a for a in t["annotations"] if a["image_id"] in ids]
        return self.save("t1", t), self.save("p1", [r for r in (results or self.results) if r["image_id"] in ids])


# ---- slices ----

def members(w, by, row):
    """The images of a slice, found anew from the facts."""
    fact = w.facts(by)
    if row["slice"] in ("missing", "no asset"):
        return {i for i, v in fact.items() if v == (None if row["slice"] == "missing" else "no asset")}
    if row["from"] is None and row["to"] is None:
        return {i for i, v in fact.items() if v == row["slice"]}
    numbers = {i: v for i, v in fact.items() if isinstance(v, (int, float))}
    lo, hi = row["from"] if row["from"] is not None else -1e300, row["to"] if row["to"] is not None else 1e300
    top = row["to"] is None or hi == max(numbers.values()) or lo == hi
    return {i for i, v in numbers.items() if lo <= v and (v < hi or (top and v <= hi))}


def slices_have_the_bits_of_files(w):
    cases = [("brightness", []), ("brightness:3", []), ("brightness:60.5,120", []), ("width*height", []), ("format", []),
             ("CASE WHEN width > 150 THEN 'wide' END", []), ("brightness:2", ["--type", "segm"]), ("width", ["--metric", "voc"]),
             ("brightness:2", ["--metric", "voc07", "--seed", "5"])]
    for by, more in cases:
        rows = w.detection("--dataset", w.d, "--by", by, "--bootstrap", 20, *more)
        expression = by.rsplit(":", 1)[0] if ":" in by else by
        seen = set()
        for r in rows:
            ids = members(w, expression, r)
            need(len(ids) == r["pictures"] and not ids & seen, by, r["slice"], len(ids), r["pictures"])
            seen |= ids
            t, p = w.only(ids)
            alone = js("eval", "detection", "--truth", t, "--pred", p, "--bootstrap", 20, *more)
            for k, v in alone.items():
                if k not in ("images", "categories", "truths", "predictions"):
                    need(r[k] == v, by, r["slice"], k, r[k], v)
            crowds = sum(a["iscrowd"] for a in w.truth["annotations"] if a["image_id"] in ids)
            need(r["truths"] == alone["truths"] - crowds, by, r["slice"], "truths")
        need(len(seen) == PICTURES, by, "slices hold", len(seen))
    many = w.detection("--dataset", w.d, "--by", "brightness:2", "--by", "format", "--bootstrap", 0)
    need([r["by"] for r in many] == ["brightness"] * 3 + ["format"] * 2, [r["by"] for r in many])


def quantiles_share_the_pictures(w):
    for by, n in (("brightness", 2), ("brightness", 4), ("brightness", 7), ("max(brightness, 120)", 4), ("min(brightness, 120)", 4)):
        rows = [r for r in w.detection("--dataset", w.d, "--by", f"{by}:{n}", "--bootstrap", 0) if r["slice"] != "no asset"]
        rest, cuts = sorted(v for v in w.facts(by).values() if v != "no asset"), []
        for left in range(n, 0, -1):
            if rest:
                cuts.append(rest[0])
                end = len(rest) // left
                rest = [v for v in rest[end:] if v > rest[end - 1]]
        need([r["from"] for r in rows] == cuts, by, n, cuts, rows)
        need(len(rows) == n or by.startswith("min"), by, n, rows)
    rows = w.detection("--dataset", w.d, "--by", "printf('%02d', id % 13):3", "--bootstrap", 0)
    count = collections.Counter(v for v in w.facts("printf('%02d', id % 13)").values() if v != "no asset")
    top = sorted(count, key=lambda k: (-count[k], k))[:3]
    need([(r["slice"], r["pictures"]) for r in rows[:3]] == [(k, count[k]) for k in top], rows)
    need([r["slice"] for r in rows[3:]] == ["others", "no asset"] and rows[3]["pictures"] == sum(count.values()) - sum(count[k] for k in top), rows)


def an_empty_slice_has_no_figures(w):
    rows = w.detection("--dataset", w.d, "--by", "brightness:1000.5,2000")
    need([r["pictures"] for r in rows] == [PICTURES - 2, 0, 0, 2], rows)
    need(all(rows[1][k] == -1 and rows[1][k + "_low"] is None for k in FIGURES), rows[1])
    need(rows[1]["from"] == 1000.5 and rows[0]["from"] is None and rows[2]["to"] is None, rows)


def sizes_of_objects_are_ranges_of_areas(w):
    rows = w.detection("--by", "object_area:3", "--bootstrap", 0)
    areas = sorted(a["area"] for a in w.truth["annotations"] if not a["iscrowd"])
    need([r["from"] for r in rows] == [areas[j * len(areas) // 3] for j in range(3)], rows)
    need(sum(r["truths"] for r in rows) == len(areas), rows)
    try:
        import numpy
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise common.Skip("pycocotools cannot be imported")
    for k, r in enumerate(rows):
        hi = r["to"] if k == 2 else float(numpy.nextafter(r["to"], 0))
        with contextlib.redirect_stdout(io.StringIO()):
            gt = COCO(w.t)
            e = COCOeval(gt, gt.loadRes(w.p), "bbox")
            e.params.areaRng, e.params.areaRngLbl = [[r["from"], hi]], ["all"]
            e.evaluate()
            e.accumulate()
        p, q = e.eval["precision"][:, :, :, 0, 2], e.eval["recall"][:, :, 0, 2]
        need(r["AP"] == numpy.mean(p[p > -1]) and r["AR100"] == numpy.mean(q[q > -1]), r, numpy.mean(p[p > -1]))
    return None


def comparisons_by_slices(w):
    rows = w.detection("--compare", w.q, "--dataset", w.d, "--by", "brightness:2", "--bootstrap", 30)
    for name in {r["slice"] for r in rows}:
        mine = {r["figure"]: r for r in rows if r["slice"] == name}
        ids = members(w, "brightness", [s for s in w.detection("--dataset", w.d, "--by", "brightness:2", "--bootstrap", 0) if s["slice"] == name][0])
        t, p = w.only(ids)
        q = w.save("q1", [r for r in w.results[::2] if r["image_id"] in ids])
        for r in js("eval", "detection", "--truth", t, "--pred", p, "--compare", q, "--bootstrap", 30):
            need({k: mine[r["figure"]][k] for k in r} == r, name, r, mine[r["figure"]])


# ---- what is kept ----

def iou(a, b, crowd=False):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a[2] * a[3] if crowd else a[2] * a[3] + b[2] * b[3] - w * h)


def matched_plainly(w, least=float("-inf")):
    """COCO's greedy matching at one overlap, image by image; rows (image, verdict, truth class, predicted class, score),
    and the matrix of confusions."""
    name = {c["id"]: c["name"] for c in w.truth["categories"]}
    rows, cells = [], collections.Counter()
    for im in w.truth["images"]:
        truths = [a for a in w.truth["annotations"] if a["image_id"] == im["id"]]
        found, alarms = set(), []
        for c in name:
            mine = sorted((g for g in truths if g["category_id"] == c), key=lambda g: g["iscrowd"])
            taken = set()
            for d in sorted((r for r in w.results if r["image_id"] == im["id"] and r["category_id"] == c), key=lambda r: -r["score"])[:100]:
                best, most = None, IOU
                for g in mine:
                    if g["id"] in taken and not g["iscrowd"]:
                        continue
                    if best is not None and not best["iscrowd"] and g["iscrowd"]:
                        break
                    o = iou(d["bbox"], g["bbox"], g["iscrowd"])
                    if o >= most:
                        best, most = g, o
                if d["score"] < least:
                    continue
                if best is None:
                    alarms.append(d)
                    continue
                taken.add(best["id"])
                if best["iscrowd"]:
                    rows.append((im["id"], "ignored", name[c], name[c], d["score"]))
                else:
                    found.add(best["id"])
                    rows.append((im["id"], "hit", name[c], name[c], d["score"]))
                    cells[name[c], name[c]] += 1
        free = {g["id"]: g for g in truths if not g["iscrowd"] and g["id"] not in found}
        place = {id(r): k for k, r in enumerate(w.results)}
        for d in sorted(alarms, key=lambda r: (-r["score"], place[id(r)])):
            others = [g for g in truths if not g["iscrowd"] and g["category_id"] != d["category_id"] and iou(d["bbox"], g["bbox"]) >= IOU]
            first = max(others, key=lambda g: iou(d["bbox"], g["bbox"]), default=None)
            rows.append((im["id"], "confused" if others else "false_alarm", name[first["category_id"]] if first else None, name[d["category_id"]], d["score"]))
            mine = max((g for g in others if g["id"] in free and "by" not in free[g["id"]]), key=lambda g: iou(d["bbox"], g["bbox"]), default=None)
            if mine:
                free[mine["id"]] = dict(mine, by=d["category_id"])
            cells[name[mine["category_id"]] if mine else None, name[d["category_id"]]] += 1
        for g in truths:
            if g["iscrowd"]:
                rows.append((im["id"], "ignored", name[g["category_id"]], None, None))
            elif g["id"] not in found:
                by = free[g["id"]].get("by")
                rows.append((im["id"], "miss", name[g["category_id"]], name.get(by), None))
                if by is None:
                    cells[name[g["category_id"]], None] += 1
    return collections.Counter(rows), cells


def kept_rows(w, name):
    image = {im["file_name"]: im["id"] for im in w.truth["images"]}
    rows = w.sql("SELECT m.image, verdict, truth_class, predicted_class, score FROM evaluation_match m JOIN evaluation e ON"
                 " e.id = m.evaluation_id WHERE e.name = ?", name)
    return collections.Counter((image[r[0]],) + r[1:] for r in rows)


def matches_are_those_of_a_plain_count(w):
    for name, more, least in (("all", [], float("-inf")), ("sure", ["--confidence", "0.5"], 0.5)):
        w.detection("--dataset", w.d, "--keep", name, "--bootstrap", 10, *more)
        want, cells = matched_plainly(w, least)
        got = kept_rows(w, name)
        need(got == want, name, list((got - want).items())[:4], list((want - got).items())[:4])
        result = json.loads(w.sql("SELECT result FROM evaluation WHERE name = ?", name)[0][0])
        names = [c["name"] for c in result["classes"]] + [None]
        told = {(names[t], names[p]): n for t, p, n in result["confusion"]["cells"]}
        need(told == dict(cells), name, told, cells)
        need(sum(n for (t, p), n in told.items() if t) == sum(not a["iscrowd"] for a in w.truth["annotations"]), "each object is in one cell")


def matches_are_those_of_pycocotools(w):
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise common.Skip("pycocotools cannot be imported")
    w.detection("--dataset", w.d, "--keep", "all", "--bootstrap", 0)
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO(w.t)
        e = COCOeval(gt, gt.loadRes(w.p), "bbox")
        e.evaluate()
    name = {c["id"]: c["name"] for c in w.truth["categories"]}
    want = collections.Counter()
    for one in e.evalImgs:
        if one is None or one["aRng"] != e.params.areaRng[0] or one["maxDet"] != 100:
            continue
        for m, ignored, score in zip(one["dtMatches"][0], one["dtIgnore"][0], one["dtScores"]):
            want[one["image_id"], "ignored" if ignored else "hit" if m else "alarm", name[one["category_id"]], score] += 1
        for m, ignored in zip(one["gtMatches"][0], one["gtIgnore"]):
            if ignored or not m:
                want[one["image_id"], "ignored" if ignored else "miss", name[one["category_id"]], None] += 1
    got = collections.Counter()
    for (image, verdict, truth, predicted, score), n in kept_rows(w, "all").items():
        alarm = verdict in ("false_alarm", "confused")
        got[image, "alarm" if alarm else verdict, truth if score is None else predicted, score] += n
    need(got == want, list((got - want).items())[:4], list((want - got).items())[:4])
    return None


def facts_and_the_worst_follow(w):
    w.detection("--dataset", w.d, "--keep", "sure", "--confidence", "0.5", "--bootstrap", 0)
    w.detection("--dataset", w.d, "--keep", "all", "--bootstrap", 0)
    rows, _ = matched_plainly(w)
    count = {im["id"]: [0, 0, 0, 0.0] for im in w.truth["images"]}
    for (image, verdict, _, _, score), n in rows.items():
        k = {"hit": 0, "miss": 1, "false_alarm": 2, "confused": 2}.get(verdict)
        if k is not None:
            count[image][k] += n
            count[image][3] += n * (1 if k == 1 else score if k == 2 else 0)
    names = {os.path.basename(im["file_name"]): im["id"] for im in w.truth["images"]}
    facts = js("list", w.d, "--columns", "id,uri,eval_hits,eval_misses,eval_false_alarms,eval_harm")
    for r in facts:
        got = [r["eval_hits"], r["eval_misses"], r["eval_false_alarms"]]
        image = names.get(os.path.basename(r["uri"]))
        need(got == (count[image][:3] if image is not None else [None] * 3), r, image is not None and count[image])
    harm = {r["id"]: count[names[os.path.basename(r["uri"])]][3] for r in facts if os.path.basename(r["uri"]) in names}
    worst = js("eval", "worst", w.d, "--limit", 0)
    need([r["rank"] for r in worst] == list(range(1, len(worst) + 1)) and len(worst) == sum(v > 0 for v in harm.values()), len(worst))
    need(all(abs(r["harm"] - harm[r["id"]]) < 1e-9 for r in worst), worst[:3])
    need([r["id"] for r in worst] == [r["id"] for r in sorted(worst, key=lambda r: (-r["harm"], r["id"]))], "the order")
    need(js("eval", "worst", w.d, "--limit", 3) == worst[:3] and js("eval", "worst", w.d, "--name", "all", "--limit", 0) == worst, "--limit, --name")
    need(js("eval", "worst", w.d, "--name", "sure", "--limit", 0) != worst, "--name of the other one")
    few = js("eval", "worst", w.d, "--where", "eval_misses > 2", "--limit", 0)
    need([r["id"] for r in few] == [r["id"] for r in worst if r["misses"] > 2] and few, few)
    common.vidimus("tag", w.d, "--where", "eval_misses > 2", "+hard")
    need(len(js("list", w.d, "--where", "tags = 'hard'")) == len(few), "tag by eval_misses")


def one_name_one_evaluation(w):
    before = len(js("eval", "kept", w.d))
    w.detection("--dataset", w.d, "--keep", "twice", "--bootstrap", 0, "--confidence", "0.9")
    w.detection("--dataset", w.d, "--keep", "twice", "--bootstrap", 10)
    kept = js("eval", "kept", w.d)
    need(len(kept) == before + 1 and kept[0]["name"] == "twice" and kept[0]["pictures"] == PICTURES - 2, kept)
    whole = w.detection("--bootstrap", 10)
    need([kept[0][k] for k in ("figure", "value", "low", "high")] == ["AP", whole["AP"], whole["AP_low"], whole["AP_high"]], kept[0])
    need(kept_rows(w, "twice") == matched_plainly(w)[0], "the rows are of the second one only")
    need(len(js("eval", "kept", w.d, "--remove", "twice")) == before, "--remove")
    for table in ("evaluation_match", "evaluation_picture"):
        need(w.sql(f"SELECT count(*) FROM {table} WHERE evaluation_id NOT IN (SELECT id FROM evaluation)") == [(0,)], table)
    common.vidimus("eval", "kept", w.d, "--remove", "twice", want=3)
    common.vidimus("eval", "worst", w.d, "--name", "twice", want=3)


def jobs_change_nothing(w):
    answers = set()
    for jobs in (1, 2, 5):
        p = common.vidimus("eval", "detection", "--truth", w.t, "--pred", w.p, "--dataset", w.d, "--by", "brightness", "--by", "object_area:2",
                           "--keep", "jobs", "--json", "--jobs", jobs)
        rows = w.sql("SELECT m.* FROM evaluation_match m JOIN evaluation e ON e.id = evaluation_id WHERE name = 'jobs' ORDER BY m.id")
        first = rows[0][0]
        answers.add((p.out, str([(r[0] - first,) + r[2:] for r in rows]), w.sql("SELECT result FROM evaluation WHERE name = 'jobs'")[0][0]))
    need(len(answers) == 1, "answers differ")
    js("eval", "kept", w.d, "--remove", "jobs")


def label_sets_are_as_good_as_files(w):
    common.vidimus("import", w.d, w.t, "--name", "gt", "--quiet")
    common.vidimus("import", w.d, w.p, "--name", "dt", "--quiet")
    for kind in ("bbox", "segm"):
        whole = w.detection("--type", kind, "--bootstrap", 10)
        for sides in (["--truth-set", "gt", "--pred", w.p], ["--truth", w.t, "--pred-set", "dt"], ["--truth-set", "gt", "--pred-set", "dt"]):
            need(js("eval", "detection", "--dataset", w.d, *sides, "--type", kind, "--bootstrap", 10) == whole, kind, sides)
    by = ["--by", "brightness:3", "--bootstrap", 0]
    need(js("eval", "detection", "--dataset", w.d, "--truth-set", "gt", "--pred-set", "dt", *by) == w.detection("--dataset", w.d, *by), "slices")
    js("eval", "detection", "--dataset", w.d, "--truth-set", "gt", "--pred-set", "dt", "--keep", "sets", "--bootstrap", 0)
    need(kept_rows(w, "sets") == matched_plainly(w)[0], "matches")
    js("eval", "kept", w.d, "--remove", "sets")


def label_sets_of_real_files(w):
    data = os.path.join(os.environ.get("VIDIMUS_TEST_DATA", ""), "coco/cocoeval")
    if not os.path.isdir(data):
        raise common.Skip("coco/cocoeval is not there")
    api = data + "/dataset/cocoapi/instances_val2014_"
    for kind, t, p in (("bbox", api + "100.json", api + "fakebbox100_results.json"), ("segm", api + "100.json", api + "fakesegm100_results.json"),
                       ("keypoints", data + "/keypoints_dataset/gt_dataset.json", data + "/keypoints_dataset/dt_dataset.json"),
                       ("bbox", data + "/dataset/gt_dataset.json", data + "/dataset/dt_dataset.json")):
        for name, path in (("real_t", t), ("real_p", p)):
            common.vidimus("import", w.d, path, "--format", "coco", "--name", name, "--replace", "--quiet")
        whole = js("eval", "detection", "--type", kind, "--truth", t, "--pred", p, "--bootstrap", 5)
        sets = js("eval", "detection", "--type", kind, "--truth-set", "real_t", "--pred-set", "real_p", "--dataset", w.d, "--bootstrap", 5)
        need(sets == whole, kind, t, sets, whole)
    return None


def turned(jpeg, orientation):
    """The JPEG with this EXIF orientation alone (TIFF with one entry)."""
    out, at = b"\xff\xd8", 2
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    out += b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff
    while jpeg[at + 1] != 0xda:
        size = 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if jpeg[at + 1] not in (0xe1,):
            out += jpeg[at:at + size]
        at += size
    return out + jpeg[at:]


def boxes_are_those_of_the_upright_picture(w):
    s = w.s + "/turn"
    os.makedirs(s)
    common.vidimus("synth", s + "/cap", "--views", 1, "--width", 200, "--height", 100, "--defects", 0, "--quiet")
    jpeg = common.read(s + "/cap/images/view_001.jpg")
    x, y, bw, bh = 10, 20, 30, 50
    want = {1: (x, y, bw, bh), 5: (y, x, bh, bw), 6: (100 - y - bh, x, bh, bw), 7: (100 - y - bh, 200 - x - bw, bh, bw), 8: (y, 200 - x - bw, bh, bw),
            "half": (2 * x, 2 * y, 2 * bw, 2 * bh)}
    images, notes = [], []
    for k, o in enumerate(want):
        common.write(f"{s}/in/o{o}.jpg", turned(jpeg, o if o != "half" else 1))
        scale = 2 if o == "half" else 1
        images.append({"id": k + 1, "file_name": f"o{o}.jpg", "width": 200 // scale, "height": 100 // scale})
        notes.append({"id": k + 1, "image_id": k + 1, "category_id": 1, "bbox": [x, y, bw, bh]})
    t = w.save("turn_t", {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "a"}]})
    common.vidimus("run", s + "/in", "--out", s + "/t.vidimus", "--only", "add,check,measure", "--quiet")
    js("eval", "detection", "--truth", t, "--pred", w.save("turn_p", []), "--dataset", s + "/t.vidimus", "--keep", "a")
    db = sqlite3.connect(s + "/t.vidimus/catalog.db")
    got = {image: box for image, *box in db.execute("SELECT image, x, y, width, height FROM evaluation_match")}
    db.close()
    need(got == {f"o{o}.jpg": list(v) for o, v in want.items()}, got)


# ---- other tasks ----

def classes_by_slices(w):
    rng = random.Random(3)
    names = [os.path.basename(im["file_name"]) for im in w.truth["images"]]
    truth = {n: rng.choice("abc") for n in names}
    guess = {n: (truth[n] if rng.random() < 0.6 else rng.choice("abcd"), round(rng.random(), 3)) for n in names if n != names[4]}

    def save(name, keys, table):
        with open(f"{w.s}/{name}.csv", "w", newline="") as f:
            out = csv.writer(f)
            out.writerow(["file", "label", "confidence"] if table is guess else ["file", "label"])
            for k in keys:
                if k in table:
                    out.writerow([k, *table[k]] if table is guess else [k, table[k]])
        return f"{w.s}/{name}.csv"
    t, p = save("ct", names, truth), save("cp", names, guess)
    rows = js("eval", "classification", "--truth", t, "--pred", p, "--dataset", w.d, "--by", "brightness:3", "--keep", "classes", "--bootstrap", 20)
    short = {im["id"]: os.path.basename(im["file_name"]) for im in w.truth["images"]}
    for r in rows:
        keys = [short[i] for i in sorted(members(w, "brightness", r))]
        alone = js("eval", "classification", "--truth", save("ct1", keys, truth), "--pred", save("cp1", keys, guess), "--bootstrap", 20)
        for k, v in alone.items():
            if k not in ("items", "classes", "surplus"):
                need(r[k] == v, r["slice"], k, r[k], v)
    kept = w.sql("SELECT image, verdict, truth_class, predicted_class, m.score FROM evaluation_match m JOIN evaluation e ON e.id = evaluation_id"
                 " WHERE name = 'classes'")
    want = {(n, "hit" if n in guess and guess[n][0] == truth[n] else "miss", truth[n]) + guess.get(n, (None, None)) for n in names}
    need(set(kept) == want and len(kept) == len(names), set(kept) ^ want)
    result = json.loads(w.sql("SELECT result FROM evaluation WHERE name = 'classes'")[0][0])
    for name, path in (("class_t", t), ("class_p", p)):
        common.vidimus("import", w.d, path, "--format", "csv", "--name", name, "--quiet")
    sets = js("eval", "classification", "--truth-set", "class_t", "--pred-set", "class_p", "--dataset", w.d, "--bootstrap", 20)
    need(sets == js("eval", "classification", "--truth", t, "--pred", p, "--bootstrap", 20), "label sets", sets)
    label = [c["name"] for c in result["classes"]] + [None]
    cells = collections.Counter((truth[n], guess.get(n, (None,))[0]) for n in names)
    need({(label[a], label[b]): n for a, b, n in result["confusion"]["cells"]} == dict(cells), result["confusion"], cells)
    hits = {r["uri"].split("/")[-1]: r["eval_hits"] for r in js("list", w.d, "--columns", "uri,eval_hits", "--where", "eval_hits IS NOT NULL")}
    need(hits == {n: int(n in guess and guess[n][0] == truth[n]) for n in names[:-2]}, hits)
    js("eval", "kept", w.d, "--remove", "classes")


def maps_by_slices(w):
    rng = random.Random(4)
    for side in ("mt", "mp"):
        for im in w.truth["images"]:
            n = im["width"] * im["height"]
            pgm(f"{w.s}/{side}/{os.path.basename(im['file_name'])}", im["width"], im["height"], [int(rng.random() < 0.5) + (k * 3 // n) for k in range(n)])
    rows = js("eval", "segmentation", "--truth", w.s + "/mt", "--pred", w.s + "/mp", "--dataset", w.d, "--by", "width", "--keep", "maps", "--bootstrap", 10)
    short = {im["id"]: os.path.basename(im["file_name"]) for im in w.truth["images"]}
    for r in rows:
        folder = f"{w.s}/part_{r['slice'].replace(' ', '_')}"
        for i in members(w, "width", r):
            common.write(f"{folder}/t/{short[i]}", common.read(f"{w.s}/mt/{short[i]}"))
            common.write(f"{folder}/p/{short[i]}", common.read(f"{w.s}/mp/{short[i]}"))
        alone = js("eval", "segmentation", "--truth", folder + "/t", "--pred", folder + "/p", "--bootstrap", 10)
        for k, v in alone.items():
            if k not in ("images", "missing"):
                need(r[k] == v, r["slice"], k, r[k], v)
    harm = {os.path.basename(r["uri"]): r["harm"] for r in js("eval", "worst", w.d, "--name", "maps", "--limit", 0)}
    for name in list(harm)[:5]:
        one = js("eval", "segmentation", "--truth", f"{w.s}/mt/{name}", "--pred", f"{w.s}/mp/{name}", "--bootstrap", 0)
        need(abs(harm[name] - (1 - one["mIoU"])) < 1e-12, name, harm[name], one["mIoU"])
    need(len(harm) == PICTURES - 2, len(harm))
    js("eval", "kept", w.d, "--remove", "maps")


# ---- the report ----

def the_report_has_it_all(w):
    w.detection("--dataset", w.d, "--keep", "page", "--by", "brightness:3")
    arrays = w.s + "/arrays"
    whole = w.detection("--arrays", arrays)
    common.vidimus("report", w.d, "--data", "--out", w.s + "/r.json")
    common.vidimus("report", w.d, "--out", w.s + "/r.html")
    with open(w.s + "/r.json") as f:
        e = [x for x in json.load(f)["evaluations"] if x["name"] == "page"][0]
    r = e["result"]
    need(r["figures"] == [[k, whole[k], whole[k + "_low"], whole[k + "_high"]] for k in FIGURES], r["figures"])
    (n_t, n_r, n_k, n_a, n_m), p = npy(arrays + "/precision.npy")

    def at(ts, i, ks):
        v = [p[(((t * n_r + i) * n_k + k) * n_a) * n_m + n_m - 1] for t in ts for k in ks]
        v = [x for x in v if x > -1]
        return sum(v) / len(v) if v else -0.001
    lines = [range(n_t), [0], [5]]
    for curves, ks in [(r["curves"]["all"], range(n_k))] + [(c, [int(k)]) for k, c in r["curves"]["classes"].items()]:
        for line, ts in zip(curves, lines):
            need(len(line) == n_r and all(abs(v - 1000 * at(ts, i, ks)) <= 0.5001 for i, v in enumerate(line)), ks, line[:5])
    need(len(r["curves"]["classes"]) == CLASSES and [c["name"] for c in r["classes"]] == [f"c{k}" for k in range(CLASSES)], r["classes"])
    rows = w.detection("--dataset", w.d, "--by", "brightness:3")
    need([[s["slice"], s["pictures"], s["figures"][0]] for s in r["slices"]] ==
         [[s["slice"], s["pictures"], [s["AP"], s["AP_low"], s["AP_high"]]] for s in rows], r["slices"])
    worst = js("eval", "worst", w.d, "--name", "page", "--limit", 12)
    need([[x["picture"][k] for k in ("id", "harm", "misses")] for x in e["worst"]] == [[x[k] for k in ("id", "harm", "misses")] for x in worst], "worst")
    for x in e["worst"]:
        need(sum(b[0] == "miss" for b in x["boxes"]) == x["picture"]["misses"] and all(len(b) == 8 for b in x["boxes"]), x)
    page = common.read(w.s + "/r.html").decode()
    need("drawEvaluation" in page and '"name": "page"' in page and "VIDIMUS_INCLUDE" not in page, "the page")
    js("eval", "kept", w.d, "--remove", "page")


# ---- what must not work ----

def hostile_calls_are_refused(w):
    before = w.sql("SELECT count(*), group_concat(uri) FROM asset")
    for by, words in (("nosuch", "no such column"), ("1) FROM asset_facts; DROP TABLE asset; --", "syntax error"), ("1; DELETE FROM asset", "syntax error"),
                      ("1) UNION SELECT (2", "by"), ("1) AS value FROM asset_facts) UNION SELECT (2", "syntax error"), ("brightness, id", ""),
                      ("brightness:0", "number of bins"), ("brightness:999", "number of bins"), ("brightness:5,5", "rising edges"),
                      ("brightness:5,x", ""), ("zeroblob(9)", "bytes"), (":4", "syntax error"), ("", ""), ("format:1.5,2", "text"),
                      ("(SELECT sql FROM nosuch)", "no such table"), ("load_extension('x')", ""), ("(", "")):
        p = common.vidimus("eval", "detection", "--truth", w.t, "--pred", w.p, "--dataset", w.d, "--by", by, "--bootstrap", 0, want=None)
        need(p.returncode in (2, 3) and words in p.err and p.out == "", by, p.returncode, p.err, p.out[:200])
    need(w.sql("SELECT count(*), group_concat(uri) FROM asset") == before, "the catalog changed")
    for args, words in ((["--by", "brightness"], "--dataset"), (["--keep", "x"], "--dataset"), (["--truth-set", "x"], "exclude"),
                        (["--by", "class", "--by", "format", "--dataset", w.d], "alone"), (["--keep", "a b", "--dataset", w.d], "name"),
                        (["--keep", "x", "--confidence", "high", "--dataset", w.d], "confidence"), (["--keep", "x", "--by", "class", "--dataset", w.d], "class"),
                        (["--keep", "x", "--compare", w.q, "--dataset", w.d], "compare"), (["--by", "object_area", "--metric", "voc"], "sizes")):
        p = common.vidimus("eval", "detection", "--truth", w.t, "--pred", w.p, *args, want=2)
        need(words in p.err, args, p.err)
    for args in ([], ["--truth", w.t], ["--pred", w.p]):
        need("is missing" in common.vidimus("eval", "detection", *args, want=2).err, args)
    p = common.vidimus("eval", "detection", "--dataset", w.d, "--truth-set", "nosuch", "--pred", w.p, want=3)
    need("nosuch" in p.err, p.err)
    need("kept" not in str(w.sql("SELECT name FROM evaluation WHERE name IN ('x', 'a b')")), "something was kept")


def a_damaged_result_does_not_break_the_page(w):
    w.detection("--dataset", w.d, "--keep", "bad", "--bootstrap", 0)
    db = sqlite3.connect(f"{w.d}/catalog.db")
    for text in ("{\"figures\": [</script>", "", "[1,2", "nul", "{}"):
        db.execute("UPDATE evaluation SET result = ?, truth = '</script><b>' WHERE name = 'bad'", (text,))
        db.commit()
        common.vidimus("report", w.d, "--data", "--out", w.s + "/r.json")
        with open(w.s + "/r.json") as f:
            e = [x for x in json.load(f)["evaluations"] if x["name"] == "bad"][0]
        need(e["result"] == (None if text != "{}" else {}), text, e["result"])
    db.close()
    common.vidimus("report", w.d, "--out", w.s + "/r.html")
    need("</script><b>" not in common.read(w.s + "/r.html").decode(), "markup of the catalog is in the page")
    js("eval", "kept", w.d, "--remove", "bad")


def what_is_gone_takes_its_rows_along(w):
    w.detection("--dataset", w.d, "--keep", "last", "--bootstrap", 0)
    os.remove(f"{w.s}/in/p000.pgm")
    common.vidimus("run", w.d, "--only", "add,check,measure", "--quiet")
    gone = w.sql("SELECT id FROM asset WHERE state = 'vanished'")[0][0]
    need(w.sql("SELECT count(*) FROM evaluation_picture WHERE asset_id = ?", gone)[0][0] > 0, "it was judged")
    common.vidimus("gc", w.d, "--vanished")
    need(w.sql("SELECT count(*) FROM evaluation_picture WHERE asset_id = ?", gone) == [(0,)], "counts of a picture that is gone")
    need(w.sql("SELECT count(*) FROM evaluation_match WHERE asset_id = ?", gone) == [(0,)], "matches of a picture that is gone")
    need(kept_rows(w, "last") == matched_plainly(w)[0], "the matches themselves stay")


TESTS = (
    slices_have_the_bits_of_files, quantiles_share_the_pictures, an_empty_slice_has_no_figures,
    sizes_of_objects_are_ranges_of_areas, comparisons_by_slices, matches_are_those_of_a_plain_count,
    matches_are_those_of_pycocotools, facts_and_the_worst_follow, one_name_one_evaluation, jobs_change_nothing,
    label_sets_are_as_good_as_files, label_sets_of_real_files, boxes_are_those_of_the_upright_picture,
    classes_by_slices, maps_by_slices, the_report_has_it_all, hostile_calls_are_refused,
    a_damaged_result_does_not_break_the_page, what_is_gone_takes_its_rows_along)


def main():
    with tempfile.TemporaryDirectory(prefix="vidimus_slices_") as tmp:
        return common.run_all_with("eval_slices", TESTS, World(tmp))


if __name__ == "__main__":
    sys.exit(main())
