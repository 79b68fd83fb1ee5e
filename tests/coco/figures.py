#!/usr/bin/env python3
"""eval classification and eval segmentation beside their definitions in NumPy, and scikit-learn where it is.

    python3 tests/coco/figures.py

Skips where NumPy cannot be imported. Panoptic quality is compared with the definition of panopticapi's README and
paper, written anew here over sets of pixels. SPDX-License-Identifier: Apache-2.0
"""
import csv
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zlib

SKIPPED = 77
PASSED, FAILED = [0], []
try:
    import numpy as np
except ImportError as why:
    print("skip: %s" % why)
    sys.exit(SKIPPED)


def check(ok, what):
    if ok:
        PASSED[0] += 1
    else:
        FAILED.append(what)
        print("FAILED: %s" % what)


def near(a, b, what, tol=1e-12):
    check(a is not None and abs(a - b) <= tol, "%s: %r, expected %r" % (what, a, b))


def ours(*args):
    done = subprocess.run([os.environ["VIDIMUS_BIN"], "eval", *map(str, args), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr
    return json.loads(done.stdout)


# ---- classification ----

def ece(truth, scores, bins):
    confidence, right = scores.max(1), scores.argmax(1) == truth
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    return total / len(truth)


def classification(folder):
    rng = np.random.default_rng(3)
    at = lambda name: os.path.join(folder, name)
    for n, c, ties in ((500, 7, False), (300, 12, True), (40, 3, False)):
        truth = rng.integers(0, c - 1, n)  # the last class never occurs
        scores = rng.dirichlet(np.ones(c) * 0.4, n)
        scores[np.arange(n), truth] += rng.random(n)
        scores /= scores.sum(1, keepdims=True)
        if ties:
            scores = np.round(scores, 1)
        np.save(at("t.npy"), truth)
        np.save(at("p.npy"), scores)
        got = ours("classification", "--truth", at("t.npy"), "--pred", at("p.npy"), "--top", 2, "--bins", 10,
                   "--confusion", at("c.npy"))
        guess = scores.argmax(1)
        near(got["accuracy"], (guess == truth).mean(), "accuracy")
        near(got["ece"], ece(truth, scores, 10), "ece")
        order = np.argsort(scores, axis=1, kind="mergesort")[:, ::-1][:, :2]
        near(got["top_k"], (order == truth[:, None]).any(1).mean(), "top 2")
        confusion = np.zeros((c, c), dtype=np.int64)
        np.add.at(confusion, (truth, guess), 1)
        check(np.array_equal(np.load(at("c.npy")), confusion), "confusion")
        check(got["accuracy_low"] <= got["accuracy"] <= got["accuracy_high"], "interval")
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = np.diag(confusion) / confusion.sum(1)
            precision = np.diag(confusion) / confusion.sum(0)
        near(got["balanced_accuracy"], np.nanmean(recall), "balanced accuracy")
        for row in ours("classification", "--truth", at("t.npy"), "--pred", at("p.npy"), "--by", "class"):
            k = int(row["class"])
            check((row["recall"] is None) == math.isnan(recall[k]) and (row["recall"] is None or abs(row["recall"] - recall[k]) < 1e-12)
                  and (row["precision"] is None or abs(row["precision"] - precision[k]) < 1e-12), "class %d" % k)
        try:
            from sklearn import metrics
        except ImportError:
            continue
        near(got["macro_f1"], metrics.f1_score(truth, guess, average="macro"), "f1 of scikit-learn")
        near(got["macro_precision"], metrics.precision_score(truth, guess, average="macro", zero_division=0), "precision of scikit-learn")
        near(got["macro_recall"], metrics.recall_score(truth, guess, average="macro", zero_division=0), "recall of scikit-learn")
        near(got["balanced_accuracy"], metrics.balanced_accuracy_score(truth, guess), "balanced accuracy of scikit-learn")
        near(got["top_k"], metrics.top_k_accuracy_score(truth, scores, k=2, labels=np.arange(c)), "top 2 of scikit-learn")
        # the same by name, in another order, float32 scores
        names = ["class, %d" % k if k % 2 else 'say "%d"' % k for k in range(c)]
        with open(at("t.csv"), "w", newline="") as f:
            csv.writer(f).writerows([["file", "label"]] + [["%d.jpg" % i, names[truth[i]]] for i in range(n)])
        with open(at("p.csv"), "w", newline="") as f:
            csv.writer(f).writerows([["file"] + names] + [["%d.jpg" % i] + list(map(repr, scores[i].tolist()))
                                                          for i in rng.permutation(n)])
        again = ours("classification", "--truth", at("t.csv"), "--pred", at("p.csv"), "--top", 2, "--bins", 10)
        for name in ("accuracy", "ece", "top_k", "macro_f1"):
            near(again[name], got[name], "%s of CSV" % name)
        one = ours("classification", "--truth", at("t.npy"), "--pred", at("p.npy"), "--jobs", 1)
        check(one == ours("classification", "--truth", at("t.npy"), "--pred", at("p.npy"), "--jobs", 2), "jobs")
        np.save(at("g.npy"), guess.astype(np.int32))
        bare = ours("classification", "--truth", at("t.npy"), "--pred", at("g.npy"))
        check(bare["accuracy"] == got["accuracy"] and bare["top_k"] is None and bare["ece"] is None, "bare labels")


# ---- segmentation ----

def png(path, a):
    """An 8-bit PNG, grey or RGB."""
    rows = a if a.ndim == 2 else a.reshape(a.shape[0], -1)
    raw = b"".join(b"\0" + r.astype(np.uint8).tobytes() for r in rows)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 8, 0 if a.ndim == 2 else 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def blobs(rng, h, w, values, n):
    a = np.full((h, w), values[0])
    y, x = np.mgrid[:h, :w]
    for _ in range(n):
        a[((x - rng.uniform(0, w)) / rng.uniform(4, w / 2)) ** 2 + ((y - rng.uniform(0, h)) / rng.uniform(4, h / 2)) ** 2 < 1] = rng.choice(values)
    return a


def edges(a, k, d):
    """Pixels of class k whose square of d to each side is not all k; outside is none."""
    m = np.pad(a == k, d)
    inner = np.ones_like(a, dtype=bool)
    for dy in range(2 * d + 1):
        for dx in range(2 * d + 1):
            inner &= m[dy:dy + a.shape[0], dx:dx + a.shape[1]]
    return (a == k) & ~inner


def semantic(folder):
    rng = np.random.default_rng(11)
    for round_, kind in ((0, "png"), (1, "npy")):
        t_dir, p_dir = (os.path.join(folder, "%s%d" % (n, round_)) for n in ("t", "p"))
        os.makedirs(t_dir)
        os.makedirs(p_dir)
        values = [0, 3, 7, 200, 255]
        both, truth_n, pred_n, e = {}, {}, {}, {}
        for i in range(4):
            h, w = (61, 90) if i % 2 else (48, 33)
            t, p = blobs(rng, h, w, values, 9), blobs(rng, h, w, values[:4], 4)
            p = np.where(rng.random((h, w)) < 0.02, 7, np.where(rng.random() < 0.8, t, p))
            for folder_, a in ((t_dir, t), (p_dir, p)):
                if kind == "png":
                    png(os.path.join(folder_, "%d.png" % i), a)
                else:
                    np.save(os.path.join(folder_, "%d.npy" % i), a.astype((np.uint8, np.int32, np.int64)[i % 3]))
            d = max(1, round(0.03 * math.hypot(w, h)))
            keep = t != 255
            for k in values:
                both[k] = both.get(k, 0) + ((t == k) & (p == k) & keep).sum()
                truth_n[k] = truth_n.get(k, 0) + ((t == k) & keep).sum()
                pred_n[k] = pred_n.get(k, 0) + ((p == k) & keep).sum()
                et, ep = edges(t, k, d) & keep, edges(p, k, d) & keep
                e.setdefault(k, [0, 0])
                e[k][0] += (et & ep).sum()
                e[k][1] += (et | ep).sum()
        png(os.path.join(t_dir, "9.png"), t)  # without a prediction
        got = ours("segmentation", "--truth", t_dir, "--pred", p_dir, "--boundary", 0.03)
        iou = {k: both[k] / (truth_n[k] + pred_n[k] - both[k]) for k in values if truth_n[k] + pred_n[k] > 0}
        near(got["mIoU"], np.mean(list(iou.values())), "mIoU")
        near(got["pixel_accuracy"], sum(both.values()) / sum(truth_n.values()), "pixel accuracy")
        near(got["mean_accuracy"], np.mean([both[k] / truth_n[k] for k in values if truth_n[k]]), "mean accuracy")
        near(got["fwIoU"], sum(truth_n[k] * iou[k] for k in iou) / sum(truth_n.values()), "fwIoU")
        near(got["boundary_mIoU"], np.mean([v[0] / v[1] for v in e.values() if v[1]]), "boundary mIoU")
        check(got["missing"] == 1 and got["images"] == 4, "missing prediction")
        for row in ours("segmentation", "--truth", t_dir, "--pred", p_dir, "--by", "class", "--boundary", 0.03):
            near(row["IoU"], iou[row["class"]], "IoU of class %d" % row["class"])


def pq_by_definition(images, categories):
    """panopticapi's rule over sets of pixels. images: (truth map, segments, predicted map, segments)."""
    stat = {c: [0.0, 0, 0, 0] for c in categories}
    for t, ts, p, ps in images:
        taken_t, taken_p = set(), set()
        for g, gs in ts.items():
            for k, ks in ps.items():
                if gs["iscrowd"] or gs["category_id"] != ks["category_id"]:
                    continue
                common = int(((t == g) & (p == k)).sum())
                union = int((p == k).sum()) + gs["area"] - common - int(((t == 0) & (p == k)).sum())
                if common and common / union > 0.5:
                    stat[gs["category_id"]][0] += common / union
                    stat[gs["category_id"]][1] += 1
                    taken_t.add(g)
                    taken_p.add(k)
        for g, gs in ts.items():
            stat[gs["category_id"]][3] += g not in taken_t and not gs["iscrowd"]
        for k, ks in ps.items():
            excused = (t == 0)
            for g, gs in ts.items():
                if gs["iscrowd"] and gs["category_id"] == ks["category_id"]:
                    excused = (t == 0) | (t == g)
            if k not in taken_p and not ((p == k) & excused).sum() / (p == k).sum() > 0.5:
                stat[ks["category_id"]][2] += 1
    out = []
    for kind in (None, 1, 0):
        rows = [s for c, s in stat.items() if (kind is None or categories[c] == kind) and s[1] + s[2] + s[3] > 0]
        n = max(len(rows), 1)
        out += [sum(s[0] / (s[1] + 0.5 * s[2] + 0.5 * s[3]) for s in rows) / n,
                sum(s[0] / s[1] if s[1] else 0.0 for s in rows) / n,
                sum(s[1] / (s[1] + 0.5 * s[2] + 0.5 * s[3]) for s in rows) / n]
    return out


def panoptic(folder):
    rng = np.random.default_rng(5)
    categories = {1: 1, 2: 1, 50: 0, 60: 0}
    docs = {n: {"annotations": [], "categories": [{"id": c, "name": "c%d" % c, "isthing": v} for c, v in categories.items()],
                "images": []} for n in ("truth", "pred")}
    images = []
    for n in docs:
        os.makedirs(os.path.join(folder, "pan_" + n))
    for i in range(5):
        ids = [1, 70000, 300, 65536, 12]
        t = blobs(rng, 50, 70, [0] + ids, 12)
        p = np.where(rng.random((50, 70)) < 0.05, 300, t if i < 4 else blobs(rng, 50, 70, [0] + ids, 12))
        p = np.where(p == 1, 99, p)
        maps, segments = {"truth": t, "pred": p}, {}
        category = {v: int(rng.choice(list(categories))) for v in ids + [99]}
        category[99] = category[1] if rng.random() < 0.7 else 2
        for n, a in maps.items():
            segments[n] = {int(v): {"id": int(v), "category_id": category[int(v)], "area": int((a == v).sum()),
                                    "iscrowd": int(n == "truth" and v == 65536)} for v in np.unique(a) if v}
            png(os.path.join(folder, "pan_" + n, "%d.png" % i), np.stack([a % 256, a // 256 % 256, a // 65536], -1))
            docs[n]["annotations"].append({"image_id": i, "file_name": "%d.png" % i, "segments_info": list(segments[n].values())})
        images.append((t, segments["truth"], p, segments["pred"]))
    for n, doc in docs.items():
        with open(os.path.join(folder, "pan_%s.json" % n), "w") as f:
            json.dump(doc, f)
    at = lambda n: os.path.join(folder, n)
    got = ours("segmentation", "--truth", at("pan_truth.json"), "--pred", at("pan_pred.json"))
    names = "PQ SQ RQ PQ_things SQ_things RQ_things PQ_stuff SQ_stuff RQ_stuff".split()
    for name, want in zip(names, pq_by_definition(images, categories)):
        near(got[name], want, name)
    check(0.05 < got["PQ"] < 0.99, "a case that says something: PQ %r" % got["PQ"])
    docs["pred"]["annotations"][0]["segments_info"].append({"id": 4000, "category_id": 1})
    with open(at("pan_pred.json"), "w") as f:
        json.dump(docs["pred"], f)
    check("4000 has no pixels" in ours("segmentation", "--truth", at("pan_truth.json"), "--pred", at("pan_pred.json")), "a segment without pixels")
    base = os.path.join(os.environ.get("VIDIMUS_TEST_DATA", ""), "coco", "coco128-train2017", "panoptic_segmentation", "annotations")
    if not os.path.isdir(base):
        print("skip: no coco128-train2017 in the test data")
        return
    maps = os.path.join(base, "panoptic_train2017")
    with open(maps + ".json") as f:
        doc = json.load(f)
    doc["annotations"] = [a for a in doc["annotations"] if os.path.exists(os.path.join(maps, a["file_name"]))][:12]
    with open(at("own.json"), "w") as f:
        json.dump(doc, f)
    got = ours("segmentation", "--truth", at("own.json"), "--pred", at("own.json"), "--truth-maps", maps, "--pred-maps", maps,
               "--bootstrap", 0)
    if doc["annotations"]:
        check(isinstance(got, dict) and got["PQ"] == got["SQ"] == got["RQ"] == 1, "COCO's own maps: %r" % got)


def main():
    with tempfile.TemporaryDirectory(prefix="vidimus-figures-") as folder:
        classification(folder)
        semantic(folder)
        panoptic(folder)
    print("figures: %d passed, %d failed" % (PASSED[0], len(FAILED)))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
