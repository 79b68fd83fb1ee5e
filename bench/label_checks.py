#!/usr/bin/env python3
"""bench label_checks [--images N] [--keep FILE] [--planted N]: issues --labels on planted errors, and at the size of train2017.

Prints precision and recall of each kind on an invented set in which one of a hundred objects of each kind is wrong (by
the generator of tests/audit); how well the quality of pictures tells those with an overlooked, badly located or swapped
label from the others, beside cleanlab's ObjectLab on the same labels and predictions (where the Python in
VIDIMUS_BENCH_VENV, or this one, has cleanlab); and the time of all checks on bench/labels.py's file. SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import subprocess
import sys
import time

import common
import labels

sys.path.insert(0, os.path.join(common.ROOT, "tests", "audit"))
import plant  # noqa: E402


def average_precision(score, bad):
    """Of a ranking by ascending score; ties in the order of pictures."""
    hits, total = 0, 0.0
    for rank, i in enumerate(sorted(range(len(score)), key=lambda i: score[i])):
        if bad[i]:
            hits += 1
            total += hits / (rank + 1)
    return total / max(hits, 1)


def area_under_roc(score, bad):
    order, ranks = sorted(range(len(score)), key=lambda i: score[i]), [0.0] * len(score)
    i = 0
    while i < len(order):
        k = i
        while k < len(order) and score[order[k]] == score[order[i]]:
            k += 1
        for j in range(i, k):
            ranks[order[j]] = (i + k + 1) / 2
        i = k
    pos = sum(bad)
    below = sum(r for r, b in zip(ranks, bad) if b) - pos * (pos + 1) / 2
    return 1 - below / (pos * (len(bad) - pos))


def figures(score, flagged, bad):
    found = sum(flagged)
    right = sum(f and b for f, b in zip(flagged, bad))
    return {"average_precision": round(average_precision(score, bad), 4), "roc": round(area_under_roc(score, bad), 4),
            "flagged": found, "precision": round(right / found, 4) if found else None, "recall": round(right / sum(bad), 4)}


# ---- ours ----

def planted_set(base, images, kinds, sharp=False):
    clean = plant.invent(101, images=images)
    planted = plant.plant(102, clean, kinds=kinds)
    path = os.path.join(base, "d.vidimus")
    os.makedirs(os.path.join(base, "none"), exist_ok=True)
    common.vidimus("add", os.path.join(base, "none"), "--out", path, "--quiet")
    plant.save(os.path.join(base, "labels.json"), planted.doc)
    plant.save(os.path.join(base, "pred.json"), plant.predictions(103, clean, sharp))
    plant.add_pictures(os.path.join(path, "catalog.db"), planted)
    for name in ("labels", "pred"):
        common.vidimus("import", path, os.path.join(base, name + ".json"))
    return path, planted


def checked(path, *more):
    run = common.vidimus("issues", path, "--labels", "--set", "labels", "--pred", "pred", "--json", *more)
    return json.loads(run.out), run


def bad_pictures(planted):
    ids = {a["id"]: planted.image[a["image_id"]]["file_name"] for a in planted.doc["annotations"]}
    names = {k: {e[1] if e[0] == "gone" else ids[e[1]] for e in planted.errors[k]} for k in plant.NEED_PREDICTIONS}
    return names, [m["file_name"] for m in planted.doc["images"]]


def by_picture(images, sharp):
    """The three kinds alone, as a picture sees them: ours and, where it is there, cleanlab's, which takes a score of
    0.95 for confident, whatever the model."""
    base = common.scratch("label-checks-pictures")
    path, planted = planted_set(base, images, plant.NEED_PREDICTIONS, sharp)
    rows, run = checked(path, "--threshold", "poor_image=1")
    names, order = bad_pictures(planted)
    any_bad = [any(n in names[k] for k in names) for n in order]
    quality = {r["image"]: r["score"] for r in rows if r["kind"] == "poor_image"}
    flagged = {r["image"] for r in rows if r["kind"] in plant.NEED_PREDICTIONS}
    ours = {"all": figures([quality.get(n, 1.0) for n in order], [n in flagged for n in order], any_bad)}
    for kind in plant.NEED_PREDICTIONS:
        worst = {}
        for r in rows:
            if r["kind"] == kind:
                worst[r["image"]] = min(worst.get(r["image"], 1), r["score"])
        ours[kind] = figures([worst.get(n, 1.0) for n in order], [n in worst for n in order], [n in names[kind] for n in order])
    return {"pictures": len(order), "wrong": sum(any_bad), "ours": ours, "ours_cpu_s": round(run.cpu, 3),
            "cleanlab": beside_cleanlab(base, names, order, any_bad)}


# ---- cleanlab ----

def beside_cleanlab(base, names, order, any_bad):
    venv = os.environ.get("VIDIMUS_BENCH_VENV")
    python = os.path.join(venv, "bin", "python") if venv else sys.executable
    run = subprocess.run([python, os.path.abspath(__file__), "--cleanlab", base], capture_output=True, text=True)
    if run.returncode != 0:
        return "absent: " + (run.stderr.strip().splitlines() or ["?"])[-1][:100]
    got = json.loads(run.stdout.splitlines()[-1])
    out = {"version": got["version"], "cpu_s": got["cpu_s"], "all": figures(got["all"], got["flagged"], any_bad)}
    for kind in plant.NEED_PREDICTIONS:
        out[kind] = {k: v for k, v in figures(got[kind], [False] * len(order), [n in names[kind] for n in order]).items()
                     if k in ("average_precision", "roc")}
    return out


def run_cleanlab(base):
    """In a process of its own: prints the scores of the pictures."""
    import cleanlab
    import numpy as np
    from cleanlab.object_detection import filter as found, rank
    with open(os.path.join(base, "labels.json")) as f:
        doc = json.load(f)
    with open(os.path.join(base, "pred.json")) as f:
        pred = json.load(f)
    at = {m["id"]: i for i, m in enumerate(doc["images"])}
    classes = {c["id"]: i for i, c in enumerate(doc["categories"])}
    boxes, kinds = [[] for _ in at], [[] for _ in at]
    guesses = [[[] for _ in classes] for _ in at]

    def corners(b):
        return [b[0], b[1], b[0] + b[2], b[1] + b[3]]
    for a in doc["annotations"]:
        boxes[at[a["image_id"]]].append(corners(a["bbox"]))
        kinds[at[a["image_id"]]].append(classes[a["category_id"]])
    for p in pred:
        guesses[at[p["image_id"]]][classes[p["category_id"]]].append(corners(p["bbox"]) + [p["score"]])
    given = [{"bboxes": np.array(b, dtype=float).reshape(-1, 4), "labels": np.array(k, dtype=int)} for b, k in zip(boxes, kinds)]
    said = [np.array([np.array(g, dtype=float).reshape(-1, 5) for g in one] + [None], dtype=object)[:-1] for one in guesses]
    begun = time.process_time()
    out = {"version": cleanlab.__version__, "all": rank.get_label_quality_scores(given, said, verbose=False).tolist()}
    out["cpu_s"] = round(time.process_time() - begun, 3)
    out["flagged"] = [bool(v) for v in found.find_label_issues(given, said)]
    for kind, fn in (("overlooked", rank.compute_overlooked_box_scores), ("badly_located", rank.compute_badloc_box_scores),
                     ("swapped", rank.compute_swap_box_scores)):
        out[kind] = np.nan_to_num(rank.pool_box_scores_per_image(fn(labels=given, predictions=said)), nan=1).tolist()
    print(json.dumps(out))


# ---- time ----

def timed(images, keep):
    path = keep or os.path.join(common.scratch("label-checks-file"), "instances.json")
    if not os.path.exists(path):
        labels.generate(path, images, labels.OBJECTS * images // labels.IMAGES)
    dataset = os.path.join(common.scratch("label-checks-set"), "d.vidimus")
    labels.dataset(dataset, images)
    common.vidimus("import", dataset, path)
    runs = [common.vidimus("issues", dataset, "--labels", "--json", "--limit", 1) for _ in range(3)]
    counts = {r["kind"]: r["n"] for r in common.rows(dataset, "SELECT kind, count(*) AS n FROM label_problem GROUP BY kind")}
    return {"images": images, "objects": labels.OBJECTS * images // labels.IMAGES, "cpu_s": common.median([r.cpu for r in runs], 2),
            "cpu_spread_s": common.spread([r.cpu for r in runs], 2), "target_cpu_s": 2, "found": counts}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--images", type=int, default=labels.IMAGES, help="of the set that is timed")
    ap.add_argument("--keep", help="where bench/labels.py's file lies or is to lie (a temporary one)")
    ap.add_argument("--planted", type=int, default=2000, help="pictures of the sets with planted errors")
    ap.add_argument("--cleanlab", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.cleanlab:
        return run_cleanlab(args.cleanlab)
    path, planted = planted_set(common.scratch("label-checks"), args.planted, plant.ALL)
    rows, _ = checked(path)
    common.emit("label_checks", objects=len(planted.doc["annotations"]), kinds=plant.score(path, "labels", rows, planted),
                by_picture={"scores about 0.8": by_picture(args.planted, False), "scores near 1": by_picture(args.planted, True)},
                time=timed(args.images, args.keep))
    return 0


if __name__ == "__main__":
    sys.exit(main())
