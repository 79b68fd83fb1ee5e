#!/usr/bin/env python3
"""bench curate [quick]: choosing among vectors, and wrong labels, with the answer's quality beside the time.

Vectors are made: "clumps" (400 of uneven size about random directions) and "even" (no structure at all), 512
dimensions. Facility location of 1 000 out of 20 000 exactly, and in as many parts as 100 000 are cut into, with as
few candidates of each; its objective over that of the exact choice. Then 1 000 out of 100 000 in parts, and
k-centre. The plain greedy algorithms in NumPy, on 1 500 vectors, must choose the same. Confident learning on
CIFAR-10 beside cleanlab: flagged, and of these those that the published study confirmed. Needs NumPy; cleanlab
where it is installed. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys
import time

import common

try:
    import numpy as np
except ImportError:
    print(json.dumps({"skipped": "no numpy for Python"}))
    sys.exit(0)

DIM, CHOSEN = 512, 1000
PARTS = 20  # of 100 000
CANDIDATES = 268  # of each: what fits into a gigabyte of cosines
TOOL = os.path.join(common.BUILD, "bench", "choose_export")


def vectors(n, kind):
    r = np.random.default_rng(1)
    if kind == "even":
        return r.standard_normal((n, DIM)).astype(np.float32)
    c = r.standard_normal((400, DIM))
    c /= np.linalg.norm(c, axis=1, keepdims=True)
    w = 1 / np.arange(1, 401)
    of = r.choice(400, n, p=w / w.sum())
    return (c[of] + 0.8 / np.sqrt(DIM) * r.standard_normal((n, DIM)) * r.uniform(0.5, 1.5, (n, 1))).astype(np.float32)


def bytes_of(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.clip(np.round(400 * x), -127, 127).astype(np.int8)


def choose(folder, what, path, count, *options):
    out = os.path.join(folder, "out.npy")
    run = subprocess.run([TOOL, what, out, str(count), str(common.JOBS), path, *map(str, options)], check=True, capture_output=True)
    return np.load(out), json.loads(run.stdout)


def plain_facility(cos, count):
    s = np.floor(np.maximum(cos, 0) * np.float32(32767) + np.float32(0.5)).astype(np.int64)
    best, chosen = np.zeros(len(s), np.int64), []
    for _ in range(count):
        gain = np.maximum(s - best, 0).sum(1)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        best = np.maximum(best, s[chosen[-1]])
    return chosen


def plain_kcentre(cos, count, first):
    chosen, best = [first], cos[first].copy()
    for _ in range(count - 1):
        far = best.copy()
        far[chosen] = 2
        chosen.append(int(far.argmin()))
        best = np.maximum(best, cos[chosen[-1]])
    return chosen


def beside_plain(folder):
    """int8 vectors, whose products are exact in any order."""
    path = os.path.join(folder, "small.npy")
    x = bytes_of(vectors(1500, "clumps"))
    np.save(path, x)
    length = 1 / np.sqrt((x.astype(np.int64) ** 2).sum(1).astype(np.float64))
    cos = ((x.astype(np.float64) @ x.T.astype(np.float64)) * (length[:, None] * length[None, :])).astype(np.float32)
    facility, _ = choose(folder, "facility", path, 150)
    kcentre, _ = choose(folder, "kcentre", path, 150)
    print(json.dumps({"bench": "plain greedy", "vectors": len(x), "facility_same": facility.tolist() == plain_facility(cos, 150),
                      "kcentre_same": kcentre.tolist() == plain_kcentre(cos, 150, int(kcentre[0])), "target": "same"}), flush=True)


def line(name, kind, n, r, **more):
    print(json.dumps({"bench": name, "vectors": kind, "n": n, "chosen": CHOSEN, "jobs": common.JOBS, **r, "load": os.getloadavg()[0],
                      "commit": common.commit(), **more}), flush=True)


def at_20000(folder, kind):
    n = 20000
    path = os.path.join(folder, "v.npy")
    np.save(path, vectors(n, kind))
    _, exact = choose(folder, "facility", path, CHOSEN)
    line("facility exact", kind, n, exact, target_seconds=10)
    _, parts = choose(folder, "parts", path, CHOSEN, n // PARTS, 2 * n * PARTS * CANDIDATES)
    line("facility in parts", kind, n, parts, of_exact=parts["value"] / exact["value"], target_of_exact=0.99)


def at_100000(folder, kind):
    n = 100000
    path = os.path.join(folder, "v.npy")
    x = vectors(n, kind)
    np.save(path, x)
    line("facility in parts", kind, n, choose(folder, "parts", path, CHOSEN)[1], target_seconds=20)
    line("k-centre", kind, n, choose(folder, "kcentre", path, CHOSEN)[1], target_seconds=8)
    np.save(path, bytes_of(x))
    line("k-centre int8", kind, n, choose(folder, "kcentre", path, CHOSEN)[1], target_seconds=8)
    line("balance int8", kind, n, choose(folder, "balance", path, CHOSEN)[1])


def labels(folder):
    root = os.path.join(common.DATA, "labels")
    p = os.path.join(root, "cross_validated_predicted_probabilities", "cifar10_test_set_pyx.npy")
    y = os.path.join(root, "original_test_labels", "cifar10_test_set_original_labels.npy")
    if not os.path.exists(p):
        print(json.dumps({"bench": "confident learning", "skipped": "no labels in VIDIMUS_TEST_DATA"}))
        return
    with open(os.path.join(root, "mturk", "cifar10_mturk.json"), encoding="utf-8") as f:
        study = json.load(f)
    wrong = {m["id"] for m in study if m["mturk"]["given"] < 3}  # the given label has no majority of five
    rows = json.loads(subprocess.run([common.BINARY, "eval", "labels", "--probabilities", p, "--labels", y, "--json"], check=True,
                                     capture_output=True).stdout)
    ours = {r["item"] for r in rows}
    timed = json.loads(subprocess.run([os.path.join(common.BUILD, "bench", "bench_confident"), p, y], check=True, capture_output=True).stdout)
    out = {"bench": "confident learning", "flagged": len(ours), "precision": len(ours & wrong) / len(ours),
           "recall": len(ours & wrong) / len(wrong), "cpu_ms": timed["cpu_ms"]}
    try:
        from cleanlab.filter import find_label_issues
        probs, given = np.load(p), np.load(y).astype(int)
        times = []
        for _ in range(11):
            t = time.process_time()
            theirs = set(find_label_issues(given, probs, filter_by="prune_by_noise_rate", return_indices_ranked_by="self_confidence",
                                           n_jobs=1).tolist())
            times.append(time.process_time() - t)
        ms = 1e3 * sorted(times)[5]
        out.update(cleanlab_flagged=len(theirs), cleanlab_precision=len(theirs & wrong) / len(theirs), cleanlab_recall=len(theirs & wrong) / len(wrong),
                   cleanlab_cpu_ms=ms, times_faster=ms / timed["cpu_ms"], both_flag=len(ours & theirs), target_times_faster=10)
    except ImportError:
        out["cleanlab"] = "not installed"
    print(json.dumps(out), flush=True)


def main():
    folder = common.scratch("curate")
    beside_plain(folder)
    labels(folder)
    for kind in ("clumps", "even"):
        at_20000(folder, kind)
        if "quick" not in sys.argv[1:]:
            at_100000(folder, kind)


if __name__ == "__main__":
    main()
