#!/usr/bin/env python3
"""bench memory [PHOTOS [JOBS]]: peak memory of `run` on photos of 24 megapixels, workers included.

PHOTOS (24) files of distinct bytes, 6000 x 4000, from one rendered JPEG; every 20 ms the proportional
set size (PSS, shared pages counted once) of the whole process tree is summed up. Target: 300 MB.
SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import subprocess
import sys
import time

import common


def family(pid):
    """pid and all its descendants."""
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        try:
            for t in os.listdir("/proc/%d/task" % p):
                with open("/proc/%d/task/%s/children" % (p, t)) as f:
                    todo += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return out


def pss(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return next((int(l.split()[1]) for l in f if l.startswith("Pss:")), 0) / 1024
    except OSError:
        return 0.0


def watch(argv):
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, by_process, start = 0.0, [], time.monotonic()
    while p.poll() is None:
        each = [pss(x) for x in family(p.pid)]
        if sum(each) > peak:
            peak, by_process = sum(each), sorted((round(e) for e in each), reverse=True)
        time.sleep(0.02)
    if p.returncode != 0:
        sys.exit("%s: status %d" % (" ".join(argv), p.returncode))
    return peak, by_process, time.monotonic() - start


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else common.JOBS
    base = common.scratch("memory")
    rendered = os.path.join(base, "rendered")
    common.vidimus("synth", rendered, "--views", 1, "--width", 6000, "--height", 4000, "--defects", 0, "--quiet")
    images = os.path.join(rendered, "images")
    sources = sorted(os.path.join(images, n) for n in os.listdir(images) if n.endswith(".jpg"))[:1]
    large = os.path.join(base, "large")
    common.distinct_copies(sources, large, count)
    shutil.rmtree(rendered)
    dataset = large + ".vidimus"
    peak, each, wall = watch([common.BINARY, "run", large, "--out", dataset, "--jobs", str(jobs), "--quiet"])
    q = common.rows(dataset, "SELECT count(*) AS n, sum(verdict = 'ok') AS ok, min(width) AS width, min(height) AS height"
                    " FROM asset_facts")[0]
    common.emit("memory", input="24 MP photos", photos=count, jobs=jobs, run_s=round(wall, 2), peak_pss_mb=round(peak),
                processes_at_peak_mb=each, target_mb=300, quality=q)


if __name__ == "__main__":
    main()
