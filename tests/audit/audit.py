#!/usr/bin/env python3
"""vidimus issues --labels from outside: planted errors in invented and in real sets are found, with precision and recall a
kind; what is kept and shown; what hostile sets do. With Python's standard library alone. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "robust")]
import common  # noqa: E402
import plant  # noqa: E402
from common import need  # noqa: E402

DATA = os.environ.get("VIDIMUS_TEST_DATA", "")

# least precision and recall of each kind; of those that rest on a second opinion, recall is bounded by how often it is
# there and confident. What is found beside is the invented detector's own mistakes.
FLOORS = {kind: (1.0, 1.0) for kind in plant.ALL}
FLOORS.update(odd_object_size=(0.85, 0.9), odd_object_aspect=(0.95, 0.9), near_duplicate_box=(0.97, 0.97), two_classes=(0.97, 0.97),
              outside_image=(0.97, 1.0), overlooked=(0.9, 0.7), badly_located=(0.93, 0.75), swapped=(0.75, 0.6), poor_image=(0.9, None))


def issues(dataset, *more, **kw):
    return json.loads(common.vidimus("issues", dataset, "--labels", *more, "--json", **kw).out)


def empty_dataset(folder, name="d"):
    os.makedirs(folder + "/none", exist_ok=True)
    path = f"{folder}/{name}.vidimus"
    common.vidimus("add", folder + "/none", "--out", path, "--quiet")
    return path


def print_scores(title, got):
    print(title)
    for kind, v in got.items():
        print("  %-20s %5d planted %5d found  precision %-6s recall %s" % (kind, v["planted"], v["found"], v["precision"], v["recall"]))


def floors_hold(got, floors):
    for kind, v in got.items():
        precision, recall = floors.get(kind, (0.9, 0.9))
        need(v["precision"] is None or precision is None or v["precision"] >= precision, kind, v)
        need(v["recall"] is None or recall is None or v["recall"] >= recall, kind, v)


# ---- planted errors ----

def invented_errors_are_found(s):
    """Twelve classes of which some are spread widely; every kind planted in one of a hundred objects."""
    d = empty_dataset(s)
    clean = plant.invent(11, images=1000)
    planted = plant.plant(12, clean)
    plant.save(s + "/labels.json", planted.doc)
    plant.save(s + "/pred.json", plant.predictions(13, clean))
    plant.add_pictures(d + "/catalog.db", planted)
    for name in ("labels", "pred"):
        common.vidimus("import", d, f"{s}/{name}.json")
    got = plant.score(d, "labels", issues(d, "--set", "labels", "--pred", "pred"), planted)
    print_scores("invented:", got)
    need(all(kind in got and got[kind]["planted"] > 0 for kind in plant.ALL), "every kind is planted:", sorted(got))
    floors_hold(got, FLOORS)


def clean_sets_are_clean(s):
    """Nothing but what a good detector gets wrong itself."""
    d = empty_dataset(s)
    clean = plant.invent(21, images=600)
    plant.save(s + "/labels.json", clean)
    plant.save(s + "/pred.json", plant.predictions(22, clean))
    plant.add_pictures(d + "/catalog.db", plant.Planted(0, clean))
    for name in ("labels", "pred"):
        common.vidimus("import", d, f"{s}/{name}.json")
    rows = issues(d, "--set", "labels")
    need(len(rows) <= 0.001 * len(clean["annotations"]), len(rows), rows[:3])
    more = issues(d, "--set", "labels", "--pred", "pred")
    need(len(more) <= 0.01 * len(clean["annotations"]), len(more), "of", len(clean["annotations"]))


def real_coco(s, folder):
    """The 80 pictures with their boxes as a COCO document of our own writing, and the pictures' folder."""
    common.vidimus("convert", folder + "/object_detection", "--to", "coco", "--out", s + "/real.json", "--images", folder + "/images")
    with open(s + "/real.json") as f:
        doc = json.load(f)
    for m in doc["images"]:
        m["file_name"] = os.path.splitext(os.path.basename(m["file_name"]))[0] + ".jpg"
    return doc


def real_errors_are_found(s):
    """COCO's own labels; pictures and copies of them go through run, so that sizes and duplicates are the catalog's."""
    folder = DATA + "/coco/coco128-train2017"
    if not os.path.isdir(folder):
        raise common.Skip("no coco/coco128-train2017 in VIDIMUS_TEST_DATA")
    doc = real_coco(s, folder)
    kinds = [k for k in plant.ALL if k not in ("keypoints_outside", "self_intersecting", "odd_object_size", "odd_object_aspect",
                                               "unused_category", "overlooked", "badly_located", "swapped")]
    planted = plant.plant(32, doc, share=0.01, kinds=kinds)
    os.makedirs(s + "/in")
    for name in planted.there:
        source = name.split("_", 1)[1] if name.startswith("copy") else name
        out = f"{s}/in/{name}"
        shutil.copy(f"{folder}/images/train2017/{source}", out)
        if name.startswith("copy") and name in planted.alike:  # other bytes, the same picture: a comment after the first marker
            b = common.read(out)
            common.write(out, b[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(name)) + name.encode() + b[2:])
    common.vidimus("run", s + "/in", "--out", s + "/d.vidimus", "--quiet", "--skip", "features,match,reconstruct")
    plant.save(s + "/labels.json", planted.doc)
    common.vidimus("import", s + "/d.vidimus", s + "/labels.json")
    got = plant.score(s + "/d.vidimus", "labels", issues(s + "/d.vidimus"), planted)
    print_scores("coco128:", got)
    # what COCO has of its own: a near duplicate, parts of objects of another class, odd proportions
    floors_hold(got, dict(FLOORS, near_duplicate_box=(0.8, 1.0), two_classes=(0.8, 0.8), outside_image=(0.9, 1.0),
                          odd_object_size=(None, None), odd_object_aspect=(None, None), unused_category=(None, None)))


def real_predictions_find_errors(s):
    """The truth of 100 pictures of val2014, with errors that its own (right) labels as predictions show."""
    path = DATA + "/coco/cocoeval/dataset/cocoapi/instances_val2014_100.json"
    if not os.path.exists(path):
        raise common.Skip("no coco/cocoeval in VIDIMUS_TEST_DATA")
    with open(path) as f:
        doc = json.load(f)
    planted = plant.plant(42, doc, share=0.02, kinds=plant.NEED_PREDICTIONS)
    d = empty_dataset(s)
    plant.add_pictures(d + "/catalog.db", planted)
    plant.save(s + "/labels.json", planted.doc)
    plant.save(s + "/pred.json", plant.predictions(43, doc))
    for name in ("labels", "pred"):
        common.vidimus("import", d, f"{s}/{name}.json")
    rows = [r for r in issues(d, "--set", "labels", "--pred", "pred") if r["kind"] in plant.NEED_PREDICTIONS]
    got = plant.score(d, "labels", rows, planted)
    print_scores("val2014:", got)
    floors_hold(got, dict(overlooked=(0.7, 0.5), badly_located=(0.8, 0.6), swapped=(0.6, 0.5)))


def wrong_classes_of_cifar(s):
    """CIFAR-10's test set: what eval labels finds, issues finds, and the errors that people confirmed are among it."""
    base = DATA + "/labels"
    if not os.path.isdir(base):
        raise common.Skip("no labels in VIDIMUS_TEST_DATA")
    truth = f"{base}/original_test_labels/cifar10_test_labels.npy"
    truth = truth if os.path.exists(truth) else next(f"{base}/original_test_labels/{n}" for n in sorted(os.listdir(base + "/original_test_labels"))
                                                     if n.startswith("cifar10_"))
    folder = base + "/cross_validated_predicted_probabilities"
    probs = next(f"{folder}/{n}" for n in sorted(os.listdir(folder)) if n.startswith("cifar10_") and n.endswith(".npy"))
    raw = common.read(truth)
    labels = struct.unpack("<10000H", raw[-20000:])
    doc = {"images": [{"id": i, "file_name": "%05d.png" % i, "width": 32, "height": 32} for i in range(10000)],
           "annotations": [{"id": i + 1, "image_id": i, "category_id": c + 1} for i, c in enumerate(labels)],
           "categories": [{"id": c + 1, "name": "class %d" % c} for c in range(10)]}
    plant.save(s + "/cifar.json", doc)
    d = empty_dataset(s)
    common.vidimus("import", d, s + "/cifar.json")
    rows = [r for r in issues(d, "--probs", probs) if r["kind"] == "wrong_class"]
    want = json.loads(common.vidimus("eval", "labels", "--probabilities", probs, "--labels", truth, "--json").out)
    found = {int(r["image"][:5]): r["score"] for r in rows}
    below = {w["item"]: w["self_confidence"] for w in want if w["self_confidence"] < 0.5}
    need(found == below and len(found) > 200, len(found), len(below))
    with open(base + "/mturk/cifar10_mturk.json") as f:
        votes = json.load(f)
    print("cifar10: %d of 10000 labels found, %d were judged by people" % (len(found), len(votes)))


def tracks_that_swap_jump(s):
    """Two of eight walkers change names in the middle; and nothing is said of people's own tracks."""
    r = random.Random(8)
    rows = []
    for track in range(8):
        x, y, step = r.uniform(300, 900), 250 * track, r.uniform(-4, 4)
        for frame in range(1, 61):
            x += step + r.gauss(0, 1)
            name = {1: 2, 2: 1}.get(track, track) if frame > 30 else track
            rows.append((frame, name + 1, "%d,%d,%.1f,%.1f,30,80,1,1,1" % (frame, name + 1, x, y)))
    os.makedirs(s + "/mot/walk/gt")
    with open(s + "/mot/walk/gt/gt.txt", "w") as f:
        f.write("".join(text + "\n" for _, _, text in sorted(rows)))
    d = empty_dataset(s)
    common.vidimus("import", d, s + "/mot", "--format", "mot")
    got = issues(d, "--kind", "track_jump")
    need(sorted(g["evidence"].split()[1] for g in got) == ["2", "3"] and all("frame 30 to 31" in g["evidence"] for g in got), got)
    truth = DATA + "/mot/motmetrics"
    for name in ("TUD-Campus", "TUD-Stadtmitte") if os.path.isdir(truth) else ():
        os.makedirs(f"{s}/{name}/{name}/gt")
        shutil.copy(f"{truth}/{name}/gt.txt", f"{s}/{name}/{name}/gt/gt.txt")
        common.vidimus("import", d, f"{s}/{name}", "--format", "mot")
        need(issues(d, "--set", name, "--kind", "track_jump") == [], "of", name)


# ---- what is kept and shown ----

class Small:
    """A dataset of rendered pictures with a few errors."""

    def __init__(self, s):
        self.s, self.d = s, s + "/d.vidimus"
        common.vidimus("synth", s + "/cap", "--views", 6, "--width", 320, "--height", 240, "--seed", 3, "--defects", 0, "--quiet")
        common.vidimus("run", s + "/cap/images", "--out", self.d, "--quiet", "--skip", "features,match,reconstruct")
        names = sorted(os.listdir(s + "/cap/images"))
        box = [10, 10, 50, 50]
        self.doc = {"images": [{"id": i + 1, "file_name": n, "width": 320, "height": 240} for i, n in enumerate(names)],
                    "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "dog"}],
                    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box}, {"id": 2, "image_id": 1, "category_id": 1, "bbox": box},
                                    {"id": 3, "image_id": 2, "category_id": 2, "bbox": [5, 5, 0, 9]}, {"id": 4, "image_id": 3, "category_id": 2, "bbox": [300, 5, 40, 40]}]}
        plant.save(s + "/one.json", self.doc)
        common.vidimus("import", self.d, s + "/one.json")

    def sql(self, q):
        db = sqlite3.connect(self.d + "/catalog.db")
        try:
            return db.execute(q).fetchall()
        finally:
            db.close()


def findings_are_kept_and_asked_for(s):
    w = Small(s)
    rows = issues(w.d)
    need([r["kind"] for r in rows] == ["degenerate", "outside_image", "duplicate_box"], rows)
    need(abs(rows[1]["score"] - 0.5) < 1e-9 and rows[1]["uri"].endswith("view_003.jpg"), rows[1])
    need(rows[2]["label"] == 2 and rows[2]["other"] == 1 and rows[2]["class"] == "car" and rows[2]["x"] == 10, rows[2])
    kept = w.sql("SELECT kind, label_id, score, evidence, asset_id FROM label_problem ORDER BY id")
    need(kept == [(r["kind"], r["label"], r["score"], r["evidence"], r["id"]) for r in rows], kept)
    listed = json.loads(common.vidimus("list", w.d, "--where", "label_problems > 0", "--json").out)
    need(sorted(r["uri"][-12:] for r in listed) == ["view_001.jpg", "view_002.jpg", "view_003.jpg"], listed)
    for skip, n in (("labels", 3), ("degenerate", 5), ("duplicate_box,outside_image", 4)):
        need(len(json.loads(common.vidimus("select", w.d, "--count", 9, "--skip", skip, "--json").out)) == n, skip)
    shown = common.vidimus("show", w.d, rows[0]["id"]).out
    need("label_problem:degenerate" in shown, shown)
    need([r["kind"] for r in issues(w.d, "--threshold", "outside_image=0.4")] == ["degenerate", "duplicate_box"], "a lower threshold")
    need(w.sql("SELECT count(*) FROM label_problem") == [(2,)], "the earlier ones are replaced")
    need([r["kind"] for r in issues(w.d, "--kind", "degenerate")] == ["degenerate"], "one kind")
    need(w.sql("SELECT count(*) FROM label_problem") == [(3,)], "all kinds are kept, whatever is shown")
    need(len(issues(w.d, "--limit", 1)) == 1 and len(issues(w.d, "--where", "uri LIKE '%view_001%'")) == 1, "limit, where")
    people = common.vidimus("issues", w.d, "--labels").out
    need("1 of 3 findings" in common.vidimus("issues", w.d, "--labels", "--kind", "degenerate").out, "how many are shown")
    need("degenerate" in people and "3 findings in label set 'one' (6 pictures, 4 objects)" in people, people)
    common.vidimus("import", w.d, s + "/one.json", "--replace")
    need(w.sql("SELECT count(*) FROM label_problem") == [(0,)], "problems go with their set")


def wrong_calls_are_refused(s):
    w = Small(s)
    common.vidimus("import", w.d, s + "/one.json", "--name", "two")
    for args, words in ((("--labels",), "there are 2 label sets"), (("--labels", "--set", "three"), "no label set 'three'"),
                        (("--set", "one"), "--set is for --labels"), (("--labels", "--set", "one", "--kind", "dull"), "no kind 'dull'"),
                        (("--labels", "--set", "one", "--threshold", "degenerate=7"), "score of 0 to 1"),
                        (("--labels", "--set", "one", "--where", "nothing > 1"), "nothing"),
                        (("--labels", "--set", "one", "--where", "1; DELETE FROM label"), "syntax error"),
                        (("--labels", "--set", "one", "--pred", "two"), "no scores"),
                        (("--labels", "--set", "one", "--probs", "none.npy"), "none.npy")):
        p = common.vidimus("issues", w.d, *args, want=None)
        need(p.returncode in (2, 3) and words in p.err, args, p.returncode, p.err)
    need(w.sql("SELECT count(*) FROM label_problem") == [(0,)], "nothing of them is kept")
    kinds = common.vidimus("issues", w.d, "--labels", "--kind", "dull", want=None).err.split("there are ")[1].split()
    told = common.vidimus("issues", "--help").out
    need(len(kinds) >= 22 and all(k in told for k in kinds), "the help has every kind", kinds)


def what_cannot_be_written_is_checked(s):
    w = Small(s)
    os.remove(w.d + "/lock")
    os.mkdir(w.d + "/lock")  # as on a medium that takes no writing: the lock cannot be had
    people = common.vidimus("issues", w.d, "--labels").out
    need("3 findings" in people and "not kept" in people, people)
    os.rmdir(w.d + "/lock")
    need(w.sql("SELECT count(*) FROM label_problem") == [(0,)], "kept")


def the_same_findings_come_always(s):
    w = Small(s)
    plant.save(s + "/big.json", plant.plant(5, plant.invent(4, images=150)).doc)
    common.vidimus("import", w.d, s + "/big.json")
    first = common.vidimus("issues", w.d, "--labels", "--set", "big", "--json").out
    for env in ({}, {"VIDIMUS_CPU": "c"}):
        again = subprocess.run([common.BIN, "issues", w.d, "--labels", "--set", "big", "--json"], capture_output=True,
                               env=dict(common.env(), **env), timeout=100).stdout.decode()
        need(again == first and len(first) > 1000, "the same findings", env)


def a_killed_check_keeps_the_earlier_findings(s):
    """At any moment the findings are those before, or all of the new ones."""
    d = empty_dataset(s)
    planted = plant.plant(15, plant.invent(14, images=1500))
    plant.save(s + "/labels.json", planted.doc)
    plant.add_pictures(d + "/catalog.db", planted)
    common.vidimus("import", d, s + "/labels.json")

    def kept():
        db = sqlite3.connect(d + "/catalog.db")
        try:
            return db.execute("SELECT count(*), min(kind), max(kind) FROM label_problem").fetchone()
        finally:
            db.close()
    first = ("--threshold", "degenerate=0")  # fewer
    common.vidimus("issues", d, "--labels", *first)
    before = kept()
    common.vidimus("issues", d, "--labels")
    after, seen = kept(), set()
    need(before != after, "two states", before, after)
    for k in range(12):
        common.vidimus("issues", d, "--labels", *first)
        p = subprocess.Popen([common.BIN, "issues", d, "--labels"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=common.env())
        time.sleep(0.01 * k)
        p.kill()
        p.wait()
        seen.add(kept())
    need(seen <= {before, after}, seen, before, after)


# ---- hostile sets ----

def load(s, doc, name="x", more=lambda db: None):
    d = empty_dataset(s, name)
    plant.save(f"{s}/{name}.json", doc)
    common.vidimus("import", d, f"{s}/{name}.json")
    db = sqlite3.connect(d + "/catalog.db")
    more(db)
    db.commit()
    db.close()
    return d


def doc_of(boxes, **more):
    return {"images": [{"id": 1, "file_name": "a.jpg", "width": 1000, "height": 1000}], "categories": [{"id": 1, "name": "car"}],
            "annotations": [dict({"id": i + 1, "image_id": 1, "category_id": 1, "bbox": b}, **more) for i, b in enumerate(boxes)]}


def hostile_sets_do_no_harm(s):
    empty = load(s, {"images": [], "annotations": [], "categories": []}, "empty")
    need(issues(empty) == [], "an empty set")
    one = load(s, doc_of([[1, 1, 5, 5]]), "one")
    need([r["kind"] for r in issues(one)] == ["missing_image"], "one box")

    def spoil(db):  # what no reader lets in, but a catalog may hold
        db.execute("UPDATE label SET x = 9e999, width = 9e999 WHERE id = 1")
        db.execute("UPDATE label SET x = NULL, y = NULL, width = NULL, height = NULL WHERE id = 2")
        db.execute("UPDATE label SET width = -5 WHERE id = 3")
        db.execute("UPDATE label SET category = 77 WHERE id = 4")
        db.execute("UPDATE label SET category = -9 WHERE id = 5")
        db.execute("UPDATE label SET x = -1e308, width = 1.7e308 WHERE id = 6")
        db.execute("UPDATE label SET x = 'text' WHERE id = 7")
        db.execute("UPDATE label_image SET asset_id = 999")
    bad = load(s, doc_of([[k, k, 50 + k, 50] for k in range(9)]), "bad", spoil)
    rows = issues(bad)
    by = {(r["kind"], r["label"]) for r in rows}
    need({("degenerate", 1), ("degenerate", 2), ("degenerate", 3), ("unknown_category", 4), ("unknown_category", 5),
          ("missing_image", None)} <= by, sorted(by, key=str))
    need(all(0 <= r["score"] <= 1 for r in rows), "scores")

    def cut(db):
        db.execute("UPDATE label SET shape = x'0102030405' WHERE id = 1")
    torn = load(s, doc_of([[1, 1, 5, 5]], segmentation=[[1, 1, 6, 1, 6, 6]]), "torn", cut)
    need(common.vidimus("issues", torn, "--labels", want=3).err.startswith("vidimus:"), "a shape that is none of ours")


def boxes_in_heaps_take_no_square(s):
    """In a column, in a heap and all the same: the time stays in proportion."""
    r = random.Random(6)
    n = 300000
    d = empty_dataset(s)
    boxes = [[5, 3 * i % 900, 50, 3] for i in range(n // 3)] + [[r.uniform(500, 503), 500, 60, 60] for _ in range(n // 3)] + [[700, 700, 9, 9]] * (n // 3)
    plant.save(s + "/many.json", doc_of(boxes))
    common.vidimus("import", d, s + "/many.json")
    rows = json.loads(common.vidimus("issues", d, "--labels", "--json", "--limit", 3, limit_s=100).out)
    need(len(rows) == 3, rows)
    counts = dict(sqlite3.connect(d + "/catalog.db").execute("SELECT kind, count(*) FROM label_problem GROUP BY 1"))
    need(counts["duplicate_box"] + counts.get("near_duplicate_box", 0) > 0.9 * n, counts)


TESTS = (
    invented_errors_are_found, clean_sets_are_clean, real_errors_are_found, real_predictions_find_errors,
    wrong_classes_of_cifar, tracks_that_swap_jump, findings_are_kept_and_asked_for, wrong_calls_are_refused,
    what_cannot_be_written_is_checked, the_same_findings_come_always, a_killed_check_keeps_the_earlier_findings,
    hostile_sets_do_no_harm, boxes_in_heaps_take_no_square)


if __name__ == "__main__":
    sys.exit(common.run_all("audit", TESTS, common.Scratch))
