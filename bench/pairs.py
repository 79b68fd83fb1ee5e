#!/usr/bin/env python3
"""bench pairs [DISTRACTORS]: what is lost by not matching every pair of pictures in full.

Photos of seven scenes and DISTRACTORS (20) single ones. Truth: pairs of a scene that match in full and whose
matches OpenCV verifies (fundamental matrix, 15 inliers or more, 40 percent of the matches). Two shortcuts are
judged by it: the early exit (the first 2^k features matched first) by the pairs it misses and by the hopeless
pairs it stops, and retrieval by the global descriptor by the share of true pairs in which one is among the
other's nearest k. Needs numpy and opencv-python-headless; skips where they are absent.
SPDX-License-Identifier: Apache-2.0
"""
import glob
import json
import os
import subprocess
import sys

import common

try:
    import cv2
    import numpy as np
except ImportError:
    print(json.dumps({"skipped": "no numpy or OpenCV for Python"}))
    sys.exit(0)

SCENES = {"fountain": "strecha/fountain-P11/images/*.jpg", "sceaux": "sceaux/images/*.JPG",
          "sacre-coeur": "mvs/sacre-coeur/*.jpg", "kermit": "mvs/bundler-kermit/images/*.jpg",
          "berlin": "mvs/opensfm-berlin/images/*.jpg", "drone": "mvs/drone-brighton/images/*.JPG",
          "temple": "mvs/middlebury-templeRing-part/*.png"}
SIDE, LEAST_INLIERS, LEAST_SHARE, PROBES = 1600, 15, 0.4, 5
TOOLS = os.path.join(common.BUILD, "bench")


def pictures(distractors):
    out = [(scene, path) for scene, pattern in SCENES.items() for path in sorted(glob.glob(common.data() + "/" + pattern))]
    alone = sorted(glob.glob(common.data("photos", "imagenet-sample") + "/*"))[:distractors]
    return out + [(None, path) for path in alone]


def extract(pics, folder):
    """Keypoint arrays and descriptor files."""
    kp, desc = [], []
    for i, (_, path) in enumerate(pics):
        pic = cv2.imread(path, 0)
        k = SIDE / max(pic.shape)
        pic = cv2.resize(pic, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else pic
        name = os.path.join(folder, "%d." % i)
        cv2.imwrite(name + "pgm", pic)
        subprocess.run([os.path.join(TOOLS, "sift_export"), name + "pgm", name + "k.npy", name + "d.npy"], check=True)
        os.unlink(name + "pgm")
        kp.append(np.load(name + "k.npy")[:, :2].astype(np.float64))
        desc.append(name + "d.npy")
    return kp, desc


def tool(folder, *args):
    out = os.path.join(folder, "out.npy")
    subprocess.run([os.path.join(TOOLS, "match_export"), args[0], out, *map(str, args[1:])], check=True)
    return np.load(out)


def inliers(a, b, m):
    if len(m) < LEAST_INLIERS:
        return 0
    _, mask = cv2.findFundamentalMat(a[m[:, 0]], b[m[:, 1]], cv2.USAC_MAGSAC, 3.0, 0.9999, 10000)
    n = 0 if mask is None else int(mask.sum())
    return n if n >= LEAST_INLIERS and n >= LEAST_SHARE * len(m) else 0


def main():
    pics = pictures(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    folder = common.scratch("pairs")
    kp, desc = extract(pics, folder)
    n = len(pics)
    index = [(i, j) for i in range(n) for j in range(i + 1, n)]
    counts = dict(zip(index, tool(folder, "counts", PROBES, *desc)))
    within = [(i, j) for i, j in index if pics[i][0] is not None and pics[i][0] == pics[j][0]]
    hopeless = [p for p in index if p not in set(within)]
    true = {p: v for p in within if (v := inliers(kp[p[0]], kp[p[1]], tool(folder, "pair", 0, 0, desc[p[0]], desc[p[1]])))}
    probe = {}
    for k in range(2, PROBES):
        for least in (2, 4, 6, 8, 10):
            missed = sorted(true[p] for p in true if counts[p][k] < least)
            probe["%d/%d" % (128 << k, least)] = {
                "missed": len(missed), "inliers_of_missed": missed[-3:],
                "hopeless_stopped": round(float(np.mean([counts[p][k] < least for p in hopeless])), 4)}
    retrieval = {}
    for words, most in ((32, 2048), (64, 1024), (64, 2048), (64, 8192), (128, 2048)):
        near = tool(folder, "vlad", words, most, 20, *desc)
        first = {k: [set(row[:k]) for row in near] for k in (5, 10, 15, 20)}
        retrieval["%d words, %d features" % (words, most)] = {
            "top_%d" % k: round(sum(j in s[i] or i in s[j] for i, j in true) / max(1, len(true)), 4) for k, s in first.items()}
    print(json.dumps({"bench": "pairs", "commit": common.commit(), "pictures": n, "true_pairs": len(true),
                      "hopeless_pairs": len(hopeless), "early_exit": probe, "retrieval": retrieval}))


if __name__ == "__main__":
    main()
