#!/usr/bin/env python3
"""bench cleanvision [PAIRS]: the whole `run` beside CleanVision with all its checks, both with two jobs.

CleanVision comes from PyPI into a virtual environment under build/ (needs network once). Same files,
page cache warm, A B A B; CleanVision's clock starts after its imports. The quality figure: how the
findings of the kinds both know agree, and CleanVision's own test pictures (data/quality) by kind.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys

import common

KINDS = ["dark", "light", "blurry", "low_information", "grayscale", "odd_aspect_ratio", "odd_size",
         "exact_duplicates", "near_duplicates"]

PROGRAM = r'''
import contextlib, io, json, os, sys, time
from cleanvision import Imagelab
if __name__ == "__main__":
    out = io.StringIO()
    start = time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        lab = Imagelab(data_path=sys.argv[1])
        lab.find_issues(n_jobs=2, verbose=False)
    wall = time.monotonic() - start
    found = {}
    for name in lab.issues.columns:
        if name.startswith("is_") and name.endswith("_issue"):
            found[name[3:-6]] = sorted(os.path.basename(p) for p in lab.issues.index[lab.issues[name]])
    print(json.dumps({"wall_s": wall, "found": found}))
'''


def environment():
    """The interpreter of a virtual environment with CleanVision in it."""
    place = os.environ.get("VIDIMUS_BENCH_VENV", os.path.join(common.BUILD, "venv-cleanvision"))
    python = os.path.join(place, "bin", "python")
    if subprocess.run([python, "-c", "import cleanvision"], capture_output=True).returncode != 0 if os.path.exists(python) else True:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "cleanvision"], check=True, stdout=sys.stderr)
    version = subprocess.run([python, "-c", "from importlib.metadata import version; print(version('cleanvision'))"],
                             capture_output=True, text=True).stdout.strip()
    return python, version


def ours(dataset):
    found = {k: [] for k in KINDS}
    for p in common.document("issues", dataset):
        if p["kind"] in found:
            found[p["kind"]].append(os.path.basename(p["uri"]))
    return {k: sorted(v) for k, v in found.items()}


def agreement(a, b):
    """Per kind: found by both, only by us, only by CleanVision."""
    out = {}
    for k in KINDS:
        x, y = set(a.get(k, [])), set(b.get(k, []))
        if x or y:
            out[k] = {"both": len(x & y), "only_vidimus": len(x - y), "only_cleanvision": len(y - x)}
    return out


def measure(name, folder, count, pairs, python, version, script):
    dataset = os.path.join(os.path.dirname(script), name.split()[0] + ".vidimus")
    common.read_all(folder)
    mine, theirs = [], []
    for _ in range(pairs):
        mine.append(common.fresh_run(dataset, folder))
        t = common.Timed([python, script, folder])
        t.told = json.loads(t.out.splitlines()[-1])
        theirs.append(t)
    ratio = [t.told["wall_s"] / m.wall for m, t in zip(mine, theirs)]
    a, b = ours(dataset), theirs[-1].told["found"]
    common.emit("cleanvision", input=name, photos=count, pairs=pairs, cleanvision=version,
                run_s=common.median([m.wall for m in mine]), run_s_spread=common.spread([m.wall for m in mine]),
                run_cpu_s=common.median([m.cpu for m in mine]),
                cleanvision_s=common.median([t.told["wall_s"] for t in theirs]),
                cleanvision_s_spread=common.spread([t.told["wall_s"] for t in theirs]),
                cleanvision_cpu_s_with_imports=common.median([t.cpu for t in theirs]),
                times_faster=common.median(ratio, 2), target_times_faster=10, agreement=agreement(a, b),
                **({"vidimus_found": a, "cleanvision_found": b} if count <= 20 else {}))


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    python, version = environment()
    base = common.scratch("cleanvision")
    script = os.path.join(base, "clean.py")
    with open(script, "w") as f:
        f.write(PROGRAM)
    photos = common.imagenet()
    measure("ImageNet samples", os.path.dirname(photos[0]), len(photos), pairs, python, version, script)
    large = common.distinct_copies(common.six_megapixel(), os.path.join(base, "large"), 60)
    measure("6 MP photos", os.path.dirname(large[0]), len(large), min(pairs, 2), python, version, script)
    known = common.data("quality", "cleanvision")
    measure("known issues (data/quality)", known, len([n for n in os.listdir(known) if n.endswith(".png")]), 1,
            python, version, script)


if __name__ == "__main__":
    main()
