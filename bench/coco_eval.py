#!/usr/bin/env python3
"""eval detection beside pycocotools on an invented val2017: time without reading, and whether every bit is the same.

    python3 bench/coco_eval.py [--types bbox,segm,keypoints] [--images N] [--keep DIR]

Needs pycocotools. Ours is timed by bench_coco (built by: ninja -C build bench/bench_coco), theirs is evaluate(),
accumulate() and summarize() on what was read before. Both as wall seconds, ours on 2 threads, theirs has one; CPU
seconds too. One JSON line. SPDX-License-Identifier: Apache-2.0
"""
import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import resource
import subprocess
import sys
import time

import common

try:
    import numpy
    import pycocotools.cocoeval  # noqa: F401

    import coco_make
except ImportError as why:
    common.emit("coco_eval", skipped=str(why))
    sys.exit(0)


def cpu_self():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def theirs(truth, results, kind):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO(truth)
        e = COCOeval(gt, gt.loadRes(results), kind)
        wall, cpu = time.monotonic(), cpu_self()
        e.evaluate()
        e.accumulate()
        e.summarize()
        return e, time.monotonic() - wall, cpu_self() - cpu


def ours(folder, truth, results, kind):
    program = os.path.join(common.BUILD, "bench", "bench_coco")
    done = subprocess.run([program, truth, results, kind, str(common.JOBS), "5" if kind == "segm" else "15"], check=True,
                          capture_output=True, text=True)
    arrays = os.path.join(folder, "arrays")
    doc = json.loads(common.vidimus("eval", "detection", "--truth", truth, "--pred", results, "--type", kind, "--json",
                                    "--bootstrap", 0, "--arrays", arrays).out)
    return json.loads(done.stdout), doc, {n: numpy.load(os.path.join(arrays, n + ".npy")) for n in ("precision", "recall", "scores")}


def bits(a, b):
    return bool(numpy.array_equal(numpy.ascontiguousarray(a).view(numpy.int64), numpy.ascontiguousarray(b).view(numpy.int64)))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--types", default="bbox,segm,keypoints")
    ap.add_argument("--images", type=int, default=coco_make.IMAGES)
    ap.add_argument("--keep", help="folder for what is made; used again if it is there")
    args = ap.parse_args()
    folder = args.keep or common.scratch("coco")
    if not os.path.exists(os.path.join(folder, "keypoints.json")):
        coco_make.make(folder, args.images, True)
    fields, same = {}, True
    for kind in args.types.split(","):
        truth = os.path.join(folder, "keypoints_truth.json" if kind == "keypoints" else "truth.json")
        results = os.path.join(folder, kind + ".json")
        e, wall, cpu = theirs(truth, results, kind)
        t, doc, arrays = ours(folder, truth, results, kind)
        names = ("AP AP50 AP75 APm APl AR AR50 AR75 ARm ARl" if kind == "keypoints" else
                 "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl").split()
        equal = all(bits(arrays[n], e.eval[n]) for n in arrays) and all(doc[n] == v for n, v in zip(names, e.stats))
        same = same and equal
        fields[kind] = {"truths": doc["truths"], "predictions": doc["predictions"], "seconds": t["wall"], "cpu": t["cpu"],
                        "pycocotools": round(wall, 3), "pycocotools_cpu": round(cpu, 3), "ratio": round(wall / t["wall"], 1),
                        "ratio_cpu": round(cpu / t["cpu"], 1), "bootstrap_cpu": t["bootstrap_cpu"], "same_bits": equal, "AP": doc["AP"]}
    common.emit("coco_eval", images=args.images, pycocotools_version=importlib.metadata.version("pycocotools"), **fields)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
