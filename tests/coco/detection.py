#!/usr/bin/env python3
"""eval detection beside pycocotools and the LVIS API: every array and figure must have the same bits.

    python3 tests/coco/detection.py

Random truths and results with what is hard: equal scores, crowds, equal overlaps, objects without area, an
annotation of id 0, images without objects, classes without any, run lengths of all kinds, more predictions than
count. Also the files beside the checkout, where they are. Skips where pycocotools cannot be imported.
SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import copy
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest.mock

SKIPPED = 77
BINARY = os.environ["VIDIMUS_BIN"]
DATA = os.environ.get("VIDIMUS_TEST_DATA", "")
FAILED = []
PASSED = [0]


def check(ok, what):
    if ok:
        PASSED[0] += 1
    else:
        FAILED.append(what)
        print("FAILED: %s" % what)


def quietly(fn, *args):
    with contextlib.redirect_stdout(io.StringIO()):
        return fn(*args)


def ours(folder, truth, results, *args):
    arrays = os.path.join(folder, "arrays")
    done = subprocess.run([BINARY, "eval", "detection", "--truth", truth, "--pred", results, "--json", "--bootstrap", "0",
                           "--arrays", arrays, *args], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr, None
    import numpy
    return json.loads(done.stdout), done.stderr, {n: numpy.load(os.path.join(arrays, n + ".npy"))
                                                  for n in ("precision", "recall", "scores")}


def same(a, b):
    import numpy
    return a.shape == b.shape and numpy.array_equal(a.view(numpy.int64), numpy.ascontiguousarray(b, dtype=float).view(numpy.int64))


NAMES = {"det": "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl".split(),
         "keypoints": "AP AP50 AP75 APm APl AR AR50 AR75 ARm ARl".split()}


def reference(truth, results, kind, sigmas=None):
    import numpy
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def run():
        gt = COCO(truth)
        e = COCOeval(gt, gt.loadRes(results), kind)
        if sigmas:
            e.params.kpt_oks_sigmas = numpy.array(sigmas)
        e.evaluate()
        e.accumulate()
        e.summarize()
        return e
    return quietly(run)


def compare(folder, what, truth, results, kind, sigmas=None):
    extra = ["--sigmas", ",".join(map(repr, sigmas))] if sigmas else []
    e = reference(truth, results, kind, sigmas)
    got, message, arrays = ours(folder, truth, results, "--type", kind, *extra)
    check(got is not None, "%s %s: %s" % (what, kind, message))
    if got is None:
        return
    names = NAMES["keypoints" if kind == "keypoints" else "det"]
    wrong = [(n, got[n], float(v)) for n, v in zip(names, e.stats) if got[n] != v]
    check(not wrong, "%s %s: %s" % (what, kind, wrong))
    for name in arrays:
        check(same(arrays[name], e.eval[name]), "%s %s: %s.npy differs" % (what, kind, name))


# ---- what is made ----

def outline(rng, w, h, box, reference_mask):
    """A polygon, several, run lengths as a list, or as text."""
    x, y, bw, bh = box
    kind = rng.randrange(4)
    polygon = [round(v, 2) for v in (x, y, x, y + bh, x + bw * rng.uniform(0.3, 1), y + bh, x + bw, y)]
    if kind == 0:
        return [polygon]
    if kind == 1:
        return [polygon, [round(v, 2) for v in (x + bw / 2, y, x + bw, y + bh / 3, x + bw / 3, y + bh, x, y)]]
    r = reference_mask.merge(reference_mask.frPyObjects([polygon], h, w))
    if kind == 2:
        return {"size": [h, w], "counts": r["counts"].decode()}
    bits = reference_mask.decode(r).flatten(order="F")
    runs, value = [0], 0
    for b in bits.tolist():
        if b != value:
            runs.append(0)
            value = b
        runs[-1] += 1
    return {"size": [h, w], "counts": runs}


def keypoints(rng, box, labelled):
    out = []
    for _ in range(17):
        v = rng.choice((0, 1, 2)) if labelled else 0
        out += [0, 0, 0] if v == 0 and rng.random() < 0.5 else \
            [round(box[0] + rng.random() * box[2], 2), round(box[1] + rng.random() * box[3], 2), v]
    return out


def make(rng, kind, n_images, n_categories, grid):
    """(truth, results). On a grid overlaps and scores are often equal."""
    from pycocotools import mask
    w, h = 120, 90
    scale = (lambda v: float(round(v / 8) * 8)) if grid else (lambda v: round(v, 2))
    truth = {"images": [{"id": i * 7 + 3, "width": w, "height": h, "file_name": "%d.jpg" % i} for i in range(n_images)],
             "categories": [{"id": 90 - 3 * k, "name": "c%d" % k} for k in range(n_categories)], "annotations": []}
    rng.shuffle(truth["images"])
    results = []
    ids = list(range(n_images * 40))  # the first one is 0
    rng.shuffle(ids)
    for image in truth["images"]:
        for _ in range(rng.choice((0, 1, 3, 8, 14))):
            box = [scale(rng.uniform(0, 80)), scale(rng.uniform(0, 60)), max(1.0, scale(rng.uniform(2, 60))),
                   max(1.0, scale(rng.uniform(2, 50)))]
            category = rng.choice(truth["categories"][:-1] if n_categories > 1 else truth["categories"])["id"]
            factor = rng.choice((0.2, 1, 1, 10))
            a = {"id": ids.pop(), "image_id": image["id"], "category_id": category, "bbox": box,
                 "area": round(box[2] * box[3] * factor, 3), "iscrowd": int(rng.random() < 0.1)}
            if kind == "segm":
                a["segmentation"] = outline(rng, w, h, box, mask)
            if kind == "keypoints":
                a["keypoints"] = keypoints(rng, box, rng.random() < 0.8)
                a["num_keypoints"] = sum(v > 0 for v in a["keypoints"][2::3])
            truth["annotations"].append(a)
            for _ in range(rng.choice((0, 1, 1, 2, 12))):
                jitter = 0 if grid and rng.random() < 0.5 else rng.choice((1, 6))
                b = [scale(v + rng.uniform(-jitter, jitter)) for v in box]
                b[2], b[3] = max(0.5, b[2]), max(0.5, b[3])
                d = {"image_id": image["id"], "category_id": rng.choice((category, category, category, 90, 777)), "bbox": b,
                     "score": rng.choice((0.5, 0.25, round(rng.random(), 1))) if grid else round(rng.random(), 6)}
                if kind == "segm":
                    d["segmentation"] = outline(rng, w, h, b, mask)
                if kind == "keypoints":
                    d["keypoints"] = [v + (rng.gauss(0, jitter * 0.3) if i % 3 < 2 else 0)
                                      for i, v in enumerate(a["keypoints"])]
                results.append(d)
    rng.shuffle(truth["annotations"])
    rng.shuffle(results)
    return truth, results


def write(folder, name, value):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        json.dump(value, f)
    return path


def random_files(folder):
    for i in range(24):
        rng = random.Random(1000 + i)
        kind = ("bbox", "segm", "keypoints")[i % 3]
        truth, results = make(rng, kind, rng.choice((1, 4, 25)), 1 if kind == "keypoints" else rng.choice((1, 3, 6)), i % 2 == 0)
        if not results:
            continue
        t, r = write(folder, "truth.json", truth), write(folder, "results.json", results)
        compare(folder, "random %d" % i, t, r, kind)
        if kind == "segm":  # no box: areas are those of the masks
            masks = [copy.deepcopy(d) for d in results if isinstance(d["segmentation"], dict)
                     and isinstance(d["segmentation"]["counts"], str)]
            for d in masks:
                del d["bbox"]
            r = write(folder, "masks.json", masks)
            if masks:
                compare(folder, "masks %d" % i, t, r, "segm")
                compare(folder, "boxes of masks %d" % i, t, r, "bbox")
        if kind == "keypoints":
            for d in results:
                del d["bbox"]
            compare(folder, "bare keypoints %d" % i, t, write(folder, "bare.json", results), kind)


def shared_files(folder):
    base = os.path.join(DATA, "coco", "cocoeval")
    if not os.path.isdir(base):
        print("skip: no coco/cocoeval in the test data")
        return
    at = lambda *parts: os.path.join(base, *parts)
    truth = at("dataset", "cocoapi", "instances_val2014_100.json")
    compare(folder, "val2014", truth, at("dataset", "cocoapi", "instances_val2014_fakebbox100_results.json"), "bbox")
    compare(folder, "val2014", truth, at("dataset", "cocoapi", "instances_val2014_fakesegm100_results.json"), "segm")
    compare(folder, "dataset", at("dataset", "gt_dataset.json"), at("dataset", "dt_dataset.json"), "segm")
    compare(folder, "dataset", at("dataset", "gt_dataset.json"), at("dataset", "dt_dataset.json"), "bbox")
    compare(folder, "keypoints", at("keypoints_dataset", "gt_dataset.json"), at("keypoints_dataset", "dt_dataset.json"), "keypoints")
    sigmas = [v / 10 for v in (.79, .79, .72, .72, .62, .62, 1.07, 1.07, .87, .87, .89, .89, .79, .79)]
    with open(at("dataset", "example_crowdpose_val.json")) as f:
        crowd = json.load(f)
    for a in crowd["annotations"]:
        a.setdefault("area", a["bbox"][2] * a["bbox"][3] * 0.53)
    compare(folder, "crowdpose", write(folder, "crowd.json", crowd), at("dataset", "example_crowdpose_preds.json"), "keypoints", sigmas)


# ---- LVIS ----

def lvis_files(folder):
    import numpy
    try:
        if not hasattr(numpy, "float"):
            numpy.float = float  # the API was written for an older NumPy
        for name in ("cv2", "matplotlib", "matplotlib.pyplot", "matplotlib.patches"):
            try:
                __import__(name)
            except ImportError:  # it draws with them, which is not wanted here
                sys.modules[name] = unittest.mock.MagicMock()
        from lvis import LVISEval
    except ImportError as e:
        print("skip: %s" % e)
        return
    names = "AP AP50 AP75 APs APm APl APr APc APf AR300 ARs ARm ARl".split()
    for i in range(6):
        rng = random.Random(50 + i)
        kind = ("bbox", "segm")[i % 2]
        truth, results = make(rng, kind, 12, 9, i % 3 == 0)
        known = [c["id"] for c in truth["categories"]]
        for c in truth["categories"]:
            c["frequency"] = rng.choice("rcf")
        for image in truth["images"]:
            image["neg_category_ids"] = rng.sample(known, 3)
            image["not_exhaustive_category_ids"] = rng.sample(known, 2)
        truth["annotations"] = [a for a in truth["annotations"] if not isinstance(a.get("segmentation"), dict) or
                                isinstance(a["segmentation"]["counts"], str)]
        for a in truth["annotations"]:
            a["id"] += 1
            if a["iscrowd"]:
                a["ignore"] = 1
        results = [d for d in results if d["category_id"] != 777] * (8 if i > 3 else 1)
        t, r = write(folder, "lvis.json", truth), write(folder, "lvis_results.json", results)
        e = LVISEval(t, r, kind)
        quietly(e.run)
        got, message, arrays = ours(folder, t, r, "--type", kind, "--metric", "lvis")
        check(got is not None, "lvis %d: %s" % (i, message))
        if got is None:
            continue
        keys = [k.replace("@300", "300") if k == "AR@300" else k.replace("@300", "") for k in e.results]
        wrong = [(k, got[k], v) for k, v in zip(keys, e.results.values()) if got[k] != v]
        check(sorted(keys) == sorted(names) and not wrong, "lvis %d: %s" % (i, wrong))
        check(same(arrays["precision"][..., 0], e.eval["precision"]), "lvis %d: precision" % i)
        check(same(arrays["recall"][..., 0], e.eval["recall"]), "lvis %d: recall" % i)


def main():
    try:
        import importlib.metadata
        import numpy
        import pycocotools.cocoeval  # noqa: F401
    except ImportError as e:
        print("skip: %s" % e)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="vidimus-coco-") as folder:
        random_files(folder)
        shared_files(folder)
        lvis_files(folder)
    print("pycocotools %s, numpy %s" % (importlib.metadata.version("pycocotools"), numpy.__version__))
    print("coco detection: %d passed, %d failed" % (PASSED[0], len(FAILED)))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
