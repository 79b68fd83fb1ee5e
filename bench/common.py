"""What the benches share: where things are, running and timing the binary, one JSON line at the end.

Python's standard library only. SPDX-License-Identifier: Apache-2.0
"""
import atexit
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("VIDIMUS_BUILD", os.path.join(ROOT, "build"))
BINARY = os.environ.get("VIDIMUS_BIN", os.path.join(BUILD, "vidimus"))
DATA = os.environ.get("VIDIMUS_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
JOBS = 2


def scratch(name):
    """A temporary folder (under TMPDIR) that goes away at the end."""
    path = tempfile.mkdtemp(prefix="vidimus-bench-%s-" % name)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def data(*parts):
    """A path in the test data; without it the bench says so and stops."""
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        print(json.dumps({"skipped": "no %s (VIDIMUS_TEST_DATA)" % os.path.join(*parts)}))
        sys.exit(0)
    return path


def cpu_name():
    try:
        with open("/proc/cpuinfo") as f:
            return next(l.split(":", 1)[1].strip() for l in f if l.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def commit():
    run = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return run.stdout.strip() or "unknown"


def children_cpu():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


class Timed:
    """One finished command: wall and CPU seconds (helper processes included), status, output."""

    def __init__(self, argv, limit=1200, check=True, **kw):
        cpu, start = children_cpu(), time.monotonic()
        run = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit, **kw)
        self.wall, self.cpu = time.monotonic() - start, children_cpu() - cpu
        self.status, self.out, self.err = run.returncode, run.stdout, run.stderr
        if check and run.returncode != 0:
            sys.exit("%s: status %d\n%s" % (" ".join(argv), run.returncode, run.stderr.decode(errors="replace")[-2000:]))


def vidimus(*args, **kw):
    return Timed([BINARY, *map(str, args)], **kw)


# What a run does besides checking, measuring and comparing: it has benches of its own.
NO_SCENES = ("--skip", "features,match,reconstruct")


def fresh_run(dataset, *paths, jobs=JOBS, extra=NO_SCENES):
    """`vidimus run` into a dataset that does not exist yet."""
    shutil.rmtree(dataset, ignore_errors=True)
    return vidimus("run", *paths, "--out", dataset, "--jobs", jobs, "--quiet", *extra)


def rows(dataset, query):
    return [json.loads(l) for l in vidimus("sql", dataset, query, "--format", "jsonl").out.splitlines() if l]


def document(*args):
    return json.loads(vidimus(*args, "--json").out or b"[]")


def read_all(*folders):
    """Brings every file into the page cache."""
    for folder in folders:
        for base, _, names in os.walk(folder):
            for n in names:
                with open(os.path.join(base, n), "rb") as f:
                    while f.read(1 << 20):
                        pass


def distinct_copies(sources, folder, count):
    """`count` files of distinct bytes out of a few JPEGs: each gets a comment segment of its own after SOI, so
    that every byte of the picture stays as it was. Returns the paths."""
    os.makedirs(folder, exist_ok=True)
    loaded, out = [], []
    for s in sources:
        with open(s, "rb") as f:
            loaded.append(f.read())
    for i in range(count):
        b = loaded[i % len(loaded)]
        assert b[:2] == b"\xff\xd8"
        text = b"copy %08d" % i
        path = os.path.join(folder, "%06d_%s" % (i, os.path.splitext(os.path.basename(sources[i % len(sources)]))[0] + ".jpg"))
        with open(path, "wb") as f:
            f.write(b[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + b[2:])
        out.append(path)
    return out


def six_megapixel():
    found = []
    for parts in (("strecha", "fountain-P11", "images"), ("sceaux", "images")):
        folder = data(*parts)
        found += sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.lower().endswith((".jpg", ".jpeg")))
    return found


def imagenet():
    folder = data("photos", "imagenet-sample")
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.upper().endswith(".JPEG"))


def median(values, digits=4):
    return round(statistics.median(values), digits)


def spread(values, digits=4):
    return [round(min(values), digits), round(max(values), digits)]


def emit(name, **fields):
    line = {"bench": name, "commit": commit(), "cpu": cpu_name(), "threads": JOBS, "load_1min": round(os.getloadavg()[0], 1)}
    line.update(fields)
    print(json.dumps(line), flush=True)
