#!/usr/bin/env python3
"""eval tracking beside TrackEval: shares to 1e-9, counts exactly.

    python3 tests/track/tracking.py [SCENES]

First against stored figures (scenes.py made them), which needs nothing. Then, where TrackEval can be imported, against
itself on SCENES random scenes of each kind (3), and where the shared data lies beside the checkout, on real sequences,
whose published figures must come out to the digits that are printed. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import masks
import scenes

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ["VIDIMUS_BIN"]
DATA = os.environ.get("VIDIMUS_TEST_DATA", "")
MOT = os.path.join(DATA, "mot", "motmetrics")
TOLERANCE = 1e-9
COUNT = {"passed": 0, "failed": 0, "skipped": 0}


def check(ok, what):
    COUNT["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED: %s" % what)


def skip(what):
    COUNT["skipped"] += 1
    print("skipped: %s" % what)


def ours(folder, *args):
    done = subprocess.run([BINARY, "eval", "tracking", "--truth", folder + "/gt", "--pred", folder + "/pred", "--json", *args],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("eval tracking: %s" % done.stderr)
    return json.loads(done.stdout)


def worst(a, b):
    """The figure that differs most, relative to what is allowed."""
    return max(((abs(a[k] - b[k]) / (1e-12 if k in scenes.COUNTS else TOLERANCE), k) for k in scenes.FIGURES))


def same(what, mine, theirs):
    for name, m, t in [("combined", mine["combined"], theirs["combined"])] + [
            (n, mine["sequences"].get(n, {}), t) for n, t in theirs["sequences"].items()]:
        if not m:
            check(False, "%s: %s is missing" % (what, name))
            continue
        off, figure = worst(m, t)
        check(off <= 1, "%s: %s: %s is %r, TrackEval's %r" % (what, name, figure, m[figure], t[figure]))


def stored():
    expected = json.load(open(os.path.join(HERE, "expected.json")))
    for benchmark, theirs in expected["sets"].items():
        names = list(theirs["sequences"])
        with tempfile.TemporaryDirectory() as folder:
            made = masks.write(folder, names) if benchmark == "MOTS" else scenes.write(folder, names)
            for n in names:
                check(benchmark == "MOTS" or made[n][1] == expected["scenes"][n], "scene %s is not the one that was judged" % n)
            mine = ours(folder, "--benchmark", benchmark)
            same("stored " + benchmark, mine, theirs)
            check(mine == ours(folder, "--benchmark", benchmark, "--jobs", "1"), "the number of jobs changes figures")


def random_scenes(count):
    for benchmark in ("MOT15", "MOT16", "MOT17", "MOT20"):
        kinds = [k for k in scenes.STORED if (k in scenes.BENCHMARK) == (benchmark != "MOT15")]
        names = ["%s#%d" % (k, i) for k in kinds for i in range(count)]
        with tempfile.TemporaryDirectory() as folder:
            made = scenes.write(folder, names)
            theirs = scenes.trackeval(folder, {n: made[n][0] for n in names}, benchmark)
            same("random " + benchmark, ours(folder, "--bootstrap", "0", "--benchmark", benchmark), theirs)
    with tempfile.TemporaryDirectory() as folder:
        frames = masks.write(folder, ["MOTS-%d" % i for i in range(5 * count)])
        same("random MOTS", ours(folder), scenes.trackeval(folder, frames, "MOTS"))


def lay_out_shared(folder):
    for n in ("TUD-Campus", "TUD-Stadtmitte"):
        os.makedirs(f"{folder}/gt/{n}/gt")
        os.makedirs(f"{folder}/pred", exist_ok=True)
        os.symlink(f"{MOT}/{n}/gt.txt", f"{folder}/gt/{n}/gt/gt.txt")
        os.symlink(f"{MOT}/{n}/test.txt", f"{folder}/pred/{n}.txt")


def published(mine):
    """expected.md: what py-motmetrics printed, per cent with one digit, MOTP as 1 - overlap."""
    def line(name, digits, values):
        return [name] + ["%.*f" % (digits, v) for v in values]
    text = open(os.path.join(MOT, "expected.md")).read()
    for name, row in re.findall(r"^\| (TUD-\w+) \| (.*) \|$", text, re.M):
        m = mine["sequences"][name]
        got = ["%.1f%%" % (100 * m[k]) for k in ("IDF1", "IDP", "IDR", "Recall", "Precision")]
        got += [str(m[k]) for k in ("truth_tracks", "MT", "PT", "ML", "FP", "FN", "IDSW", "Frag")]
        got += ["%.1f%%" % (100 * m["MOTA"]), "%.3f" % (1 - m["MOTP"])]
        check(got == row.split(" | "), "%s: %s, published %s" % (name, got, row))
    for name, *row in re.findall(r"(TUD-\w+) DetA ([\d.]+)% AssA ([\d.]+)% HOTA ([\d.]+)%", text):
        m = mine["sequences"][name]
        check(["%.1f" % (100 * m[k]) for k in ("DetA", "AssA", "HOTA")] == row, "%s: HOTA is not the published one" % name)


def main():
    stored()
    try:
        import trackeval
    except ImportError:
        trackeval = None
        skip("TrackEval cannot be imported")
    if trackeval:
        random_scenes(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    if not os.path.isdir(MOT):
        skip("no mot/motmetrics (VIDIMUS_TEST_DATA)")
    else:
        with tempfile.TemporaryDirectory() as folder:
            lay_out_shared(folder)
            mine = ours(folder)
            published(mine)
            if trackeval:
                same("shared", mine, scenes.trackeval(folder, {"TUD-Campus": 71, "TUD-Stadtmitte": 179}, "MOT15"))
    print("tracking: %(passed)d passed, %(failed)d failed, %(skipped)d skipped" % COUNT)
    return COUNT["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
