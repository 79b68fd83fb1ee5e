#!/usr/bin/env python3
"""Runs every test meson knows of and adds the counts up. SPDX-License-Identifier: Apache-2.0

A test program ends with "SUITE: N passed, N failed, N skipped"; one that does not is counted as one
test, by its exit status (77: skipped). The last line printed is the sum.

    python3 tests/run.py [--build DIR] [--jobs N] [-v] [NAME...]
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")
SKIPPED = 77


def tests_of(build):
    out = subprocess.run(["meson", "introspect", build, "--tests"], check=True, capture_output=True)
    return json.loads(out.stdout)


def run_one(test):
    """(passed, failed, skipped, seconds, output) of one test program."""
    begun = time.monotonic()
    env = dict(os.environ)
    for name, value in test["env"].items():
        env.setdefault(name, value)
    try:
        done = subprocess.run(test["cmd"], cwd=test["workdir"] or None, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=test["timeout"] or None)
        text, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b"").decode(errors="replace") + "\nran longer than %d s" % test["timeout"]
        status = 1
    counts = COUNTS.search(text.strip().splitlines()[-1] if text.strip() else "")
    if counts:
        passed, failed, skipped = (int(n or 0) for n in counts.groups())
        if status not in (0, 1) or (status == 1 and failed == 0):
            failed += 1
            text += "\nended with status %d" % status
    else:
        passed, failed, skipped = status == 0, status not in (0, SKIPPED), status == SKIPPED
    return int(passed), int(failed), int(skipped), time.monotonic() - begun, text


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--build", default="build", help="meson's build directory (build)")
    ap.add_argument("--jobs", type=int, default=1, help="test programs at a time (1)")
    ap.add_argument("-v", action="store_true", help="show the output of passing tests too")
    ap.add_argument("names", nargs="*", help="tests to run (all)")
    args = ap.parse_args()
    tests = tests_of(args.build)
    unknown = set(args.names) - {t["name"] for t in tests}
    if unknown:
        sys.exit("no such test: " + " ".join(sorted(unknown)))
    tests = [t for t in tests if not args.names or t["name"] in args.names]
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for test, got in zip(tests, pool.map(run_one, tests)):
            for i in range(3):
                total[i] += got[i]
            print("%-28s %4d passed, %d failed, %d skipped %8.1f s" % ((test["name"],) + got[:4]), flush=True)
            if got[1] or args.v:
                print(got[4].rstrip(), flush=True)
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
