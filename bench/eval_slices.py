#!/usr/bin/env python3
"""Evaluations beside a dataset on an invented val2017: processor seconds of keeping all matches, of slices, of the
questions that follow. One JSON line.

    python3 bench/eval_slices.py [--images N] [--repeats N]

The pictures are a few grey pixels each; what is measured is the catalog. Needs NumPy (for coco_make.py).
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import subprocess
import sys

import common


def cpu(repeats, *args):
    """The least of several calls: the machine's noise only adds."""
    return round(min(common.vidimus(*args).cpu for _ in range(repeats)), 3)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--images", type=int, default=5000)
    ap.add_argument("--repeats", type=int, default=3)
    args = ap.parse_args()
    folder = common.scratch("slices")
    make = os.path.join(common.ROOT, "bench", "coco_make.py")
    made = subprocess.run([sys.executable, make, folder, "--images", str(args.images)], capture_output=True, text=True)
    if made.returncode != 0:
        common.emit("eval_slices", skipped=made.stderr.strip().splitlines()[-1])
        return
    with open(folder + "/truth.json") as f:
        images = json.load(f)["images"]
    os.makedirs(folder + "/in")
    for i, image in enumerate(images):
        with open("%s/in/%s" % (folder, image["file_name"].replace(".jpg", ".pgm")), "wb") as f:
            f.write(b"P5 8 8 255\n" + bytes((7 * i + k) % 256 for k in range(64)))
    dataset = folder + "/d.vidimus"
    common.vidimus("run", folder + "/in", "--out", dataset, "--only", "add,check,measure", "--quiet")
    judge = ["eval", "detection", "--truth", folder + "/truth.json", "--pred", folder + "/bbox.json", "--json"]
    bare = cpu(args.repeats, *judge, "--bootstrap", 0)
    keep = cpu(args.repeats, *judge, "--bootstrap", 0, "--dataset", dataset, "--keep", "a")
    whole = cpu(args.repeats, *judge)
    sliced = cpu(args.repeats, *judge, "--dataset", dataset, "--by", "brightness")
    matches = common.rows(dataset, "SELECT count(*) AS n FROM evaluation_match")[0]["n"]
    judged = common.rows(dataset, "SELECT count(*) AS n FROM evaluation_picture")[0]["n"]
    common.emit("eval_slices", images=len(images), judged=judged, matches=matches, eval_cpu_s=bare, keep_extra_cpu_s=round(keep - bare, 3), target_keep_extra_cpu_s=1.0,
                bootstrap_cpu_s=whole, four_slices_cpu_s=sliced, worst_cpu_s=cpu(args.repeats, "eval", "worst", dataset, "--limit", 100),
                where_cpu_s=cpu(args.repeats, "list", dataset, "--where", "eval_misses > 2 AND brightness < 90"),
                report_cpu_s=cpu(args.repeats, "report", dataset), report_bytes=os.path.getsize(dataset + "/report.html"))


if __name__ == "__main__":
    main()
