#!/usr/bin/env python3
"""SIGKILL at random moments, then run to the end: nothing lost, nothing different, nobody left behind.

The moments are spread over the whole of an undisturbed run, one in each of as many equal parts, at a place
in its part that the seed decides. Every third time the second run is killed as well. Afterwards a run
to the end must leave a catalog that passes SQLite's integrity check, and facts, problems and thumbnails
identical to those of a run that nobody disturbed.

    tests/robust/kill.py [--times 200] [--seed 1] [--jobs 2]

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time

import common
from common import Failure, need


def start(source, dataset, jobs):
    return subprocess.Popen([common.BIN, "run", source, "--out", dataset, "--jobs", str(jobs), "--quiet"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=common.env(), start_new_session=True)


def kill_at(p, moment):
    """Whether it was still running."""
    try:
        p.wait(moment)
        alive = False
    except subprocess.TimeoutExpired:
        p.kill()
        alive = True
    said = p.communicate()[1]
    common.wait_gone(p.pid)
    need(alive or p.returncode == 0, "a run failed:", p.returncode, said.decode("utf-8", "replace")[-500:])
    return alive


def undisturbed(source, dataset, jobs):
    began = time.time()
    p = start(source, dataset, jobs)
    said = p.communicate()[1].decode("utf-8", "replace")
    need(p.returncode == 0, "the undisturbed run failed:", said)
    return time.time() - began


def kills(scratch, times, seed, jobs, say=lambda *_: None):
    rng = random.Random(seed)
    source, dataset = os.path.join(scratch, "in"), os.path.join(scratch, "d.vidimus")
    common.captures(source)
    before = sorted(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else []
    undisturbed(source, dataset, jobs)  # warm
    shutil.rmtree(dataset)
    length = undisturbed(source, dataset, jobs)
    truth = common.dump(dataset)
    need(len(truth) > 10000, "the dump is empty")
    hit = 0
    for i in range(times):
        shutil.rmtree(dataset)
        moment = length * 1.02 * (i + rng.random()) / times
        hit += kill_at(start(source, dataset, jobs), moment)
        if i % 3 == 2:
            hit += kill_at(start(source, dataset, jobs), length * rng.random())
        if common.vidimus("status", dataset, want=None).returncode == 0:  # killed before there was a catalog
            common.counts_agree(dataset)
        undisturbed(source, dataset, jobs)
        common.integrity(dataset)
        common.counts_agree(dataset)
        common.same(truth, common.dump(dataset), f"kill {i + 1} after {moment:.3f} s (seed {seed})")
        if i % 20 == 19:
            say(f"{i + 1} of {times}, {hit} kills hit a running process")
    after = sorted(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else []
    ours = [n for n in after if n not in before and "vidimus" in n]
    need(not ours, "shared memory left behind:", ours)
    return hit, length


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--times", type=int, default=200)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--jobs", type=int, default=2)
    o = a.parse_args()
    try:
        with common.Scratch() as s, common.Scratch() as programs:
            common.keep_build(programs)
            hit, length = kills(s, o.times, o.seed, o.jobs, print)
    except Failure as e:
        print(f"FAILED {e}\nkill: 0 passed, 1 failed")
        return 1
    print(f"{o.times} times, {hit} kills hit a running process, an undisturbed run takes {length:.2f} s")
    print(f"kill: {o.times} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
