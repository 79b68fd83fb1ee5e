#!/usr/bin/env python3
"""Label errors planted into rendered scenes, end to end: synth --labels, run, import, issues --labels. What was planted is
found, and nothing else, with masks as well as with boxes alone. SPDX-License-Identifier: Apache-2.0

    python3 tests/scene_labels/scene_labels.py [TEST...]
"""
import collections
import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "robust"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from common import Failure, main, need, read, vidimus, write  # noqa: E402
from planted import KINDS, Planted, boxes_alone, shares, table  # noqa: E402

YARD = ("--views", 24, "--width", 1280, "--height", 960, "--k1", -0.1, "--seed", 2)
TOWN = ("--views", 40, "--world", "town", "--width", 960, "--height", 720, "--seed", 3)
made, place = {}, tempfile.TemporaryDirectory(prefix="vidimus-scene-labels-")  # the worlds stay from test to test


def world(name):
    if name not in made:
        made[name] = Planted(os.path.join(place.name, name), vidimus, YARD if name == "yard" else TOWN, 30, 10)
    return made[name]


def what_is_planted_is_found(s):
    total = collections.defaultdict(collections.Counter)
    for name in "yard", "town":
        p = world(name)
        need(len(p.planted) == 40, name, len(p.planted), "planted")
        visible = p.visible(3)
        for form, doc in (("masks", p.spoilt), ("boxes", boxes_alone(p.spoilt))):
            for key, counts in table(p, form, p.findings(doc, form), visible).items():
                total[key].update(counts)
    got = {key: shares(counts) for key, counts in total.items()}
    for (form, kind), v in got.items():
        print("%s, %s: %s" % (form, kind, json.dumps(v)))
    # floors below what was measured on these and on other seeds; of boxes what is missing shows only where it lies bare
    for form, kind, precision, recall, visible in (("masks", KINDS[0], 0.95, 0.75, 0.95), ("masks", KINDS[1], 0.9, 0.6, 0.85),
                                                   ("boxes", KINDS[0], 0.9, 0.65, 0.85), ("boxes", KINDS[1], 0.9, 0.2, 0.3)):
        v = got[form, kind]
        need(v["visible"] >= 10, form, kind, v)
        need(v["precision"] >= precision and v["recall"] >= recall and v["recall_visible"] >= visible, form, kind, v)


def labels_without_errors_are_left_alone(s):
    for name in "yard", "town":
        p = world(name)
        need(p.findings(p.clean, "clean_masks") == [], name, "masks")
        found, labels = p.findings(boxes_alone(p.clean), "clean_boxes"), len(p.clean["annotations"])
        print("boxes without errors, %s: %d findings of %d labels" % (name, len(found), labels))
        need(len(found) <= labels / 300, name, found)  # boxes that lie in each other cannot always be told apart


def a_finding_says_why(s):
    p = world("yard")
    found = p.findings(p.spoilt, "masks")
    g = next(g for g in found if g["kind"] == KINDS[0])
    need("other views call it '" in g["evidence"] and "points in 3D: view_" in g["evidence"], g)
    need(0 <= g["score"] < 0.5 and g["label"] and g["other"] and g["uri"].endswith(g["image"]), g)
    g = next(g for g in found if g["kind"] == KINDS[1])
    need("other views have a '%s' here" % g["class"] in g["evidence"] and g["label"] is None and g["other"], g)
    strict = vidimus("issues", p.dataset, "--labels", "--set", "masks", "--kind", KINDS[0], "--threshold", KINDS[0] + "=0.1", "--json")
    scores = [g["score"] for g in json.loads(strict.out)]
    need(0 < len(scores) < sum(g["kind"] == KINDS[0] for g in found) and max(scores) < 0.1, scores)


def turned(folder):
    """Says of every picture that it is to be turned by a quarter: the orientation in its EXIF, 1 so far, becomes 6."""
    entry = bytes((0x12, 0x01, 3, 0, 1, 0, 0, 0, 1, 0))
    for path in glob.glob(os.path.join(folder, "images", "*.jpg")):
        data = read(path)
        need(data.count(entry) == 1, path, "has no orientation")
        write(path, data.replace(entry, entry[:8] + bytes((6, 0))))


def turned_pictures_and_reduced_labels(s):
    """Labels of pictures as they are stored, which EXIF turns; and labels of pictures of half the size."""
    options = ("--views", 12, "--width", 960, "--height", 720, "--seed", 6, "--arc", 70)
    plain = Planted(os.path.join(s, "plain"), vidimus, options, 16, 4)
    want = sorted((g["kind"], g["image"]) for g in plain.findings(plain.spoilt, "labels"))
    need(len(want) >= 8, want)
    half = boxes_alone(plain.spoilt)
    half["images"] = [{**i, "width": 480, "height": 360} for i in half["images"]]
    half["annotations"] = [{**a, "bbox": [v / 2 for v in a["bbox"]]} for a in half["annotations"]]
    full = sorted((g["kind"], g["image"]) for g in plain.findings(boxes_alone(plain.spoilt), "full"))
    need(full and sorted((g["kind"], g["image"]) for g in plain.findings(half, "half")) == full, "half")
    side = os.path.join(s, "turned")
    vidimus("synth", side, "--defects", 0, "--truth", "poses", "--labels", "--label-errors", 16, "--label-gaps", 4, *options)
    turned(side)
    vidimus("run", os.path.join(side, "images"), "--out", side + ".vidimus", "--quiet")
    said = vidimus("import", side + ".vidimus", os.path.join(side, "labels.json"), "--json").out
    need({r["what"]: r["count"] for r in json.loads(said)}["turned"] == 12, said)
    got = vidimus("issues", side + ".vidimus", "--labels", "--details", "--json").out
    got = sorted((g["kind"], g["image"]) for g in json.loads(got) if g["kind"] in KINDS)
    both = collections.Counter(got) & collections.Counter(want)
    need(both.total() >= 0.9 * max(len(want), len(got)), got, want)


def another_look_says_the_same(s):
    p = world("yard")
    told = [json.dumps(p.findings(boxes_alone(p.spoilt), "boxes")) for _ in range(2)]
    keep = [[{k: v for k, v in g.items() if k not in ("label", "other")} for g in json.loads(t)] for t in told]
    need(keep[0] == keep[1], "differ")


def scenes_that_are_gone(s):
    """Without a scene's arrays, without scenes, without shapes: nothing to say, and no failure."""
    p = world("yard")
    doc = {**p.spoilt, "annotations": [{k: v for k, v in a.items() if k not in ("segmentation", "bbox", "area")} for a in p.spoilt["annotations"]]}
    need(p.findings(doc, "shapeless") == [], "shapeless")
    for path in glob.glob(os.path.join(p.dataset, "arrays", "tracks", "*", "*.npy")):
        os.remove(path)
    need(p.findings(p.spoilt, "gone") == [], "gone")


if __name__ == "__main__":
    try:
        sys.exit(main("scene_labels", [what_is_planted_is_found, labels_without_errors_are_left_alone, a_finding_says_why,
                                       another_look_says_the_same, turned_pictures_and_reduced_labels, scenes_that_are_gone]))
    except Failure as e:
        sys.exit(str(e))
