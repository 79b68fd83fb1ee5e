#!/usr/bin/env python3
"""Random polygons filled by us and by pycocotools: every run, area and box must be the same.

    python3 tests/coco/masks.py MASK_EXPORT [COUNT]

Skips where pycocotools cannot be imported. SPDX-License-Identifier: Apache-2.0
"""
import random
import subprocess
import sys

SKIPPED = 77
COUNT = 20000


def polygon(rng, h, w):
    """One of several kinds: blobs, stars, steps on the pixel grid, parts outside, doubled corners."""
    kind = rng.randrange(7)
    n = rng.choice((3, 4, 5, 8, 13, 40, 120))
    lo, hi = (0.0, 1.0) if rng.random() < 0.7 else (-0.4, 1.4)
    if kind == 0:
        points = [(rng.uniform(lo, hi) * w, rng.uniform(lo, hi) * h) for _ in range(n)]
    elif kind == 1:
        points = [(round(rng.uniform(lo, hi) * w, 2), round(rng.uniform(lo, hi) * h, 2)) for _ in range(n)]
    elif kind == 2:
        points = [(float(rng.randint(int(lo * w), int(hi * w))), float(rng.randint(int(lo * h), int(hi * h)))) for _ in range(n)]
    elif kind == 3:
        points = [(rng.randint(int(lo * w * 10), int(hi * w * 10)) / 10, rng.randint(int(lo * h * 10), int(hi * h * 10)) / 10)
                  for _ in range(n)]
    elif kind == 4:  # short edges
        x, y, points = rng.uniform(0, w), rng.uniform(0, h), []
        for _ in range(n):
            x, y = x + rng.gauss(0, 2), y + rng.gauss(0, 2)
            points.append((round(x, 2), round(y, 2)))
    elif kind == 5:  # doubled corners and straight lines
        points = [(float(rng.randint(0, w)), float(rng.randint(0, h))) for _ in range(max(2, n // 2))]
        points = [p for p in points for _ in range(rng.randint(1, 3))] + points[:1]
    else:
        x, y = rng.uniform(lo, hi) * w, rng.uniform(lo, hi) * h
        a, b = rng.uniform(0, w), rng.uniform(0, h)
        points = [(x, y), (x, y + b), (x + a, y + b), (x + a, y)]
    while len(points) < 3:
        points.append(points[-1])
    return [c for p in points for c in p]


def main():
    try:
        import importlib.metadata
        import numpy
        from pycocotools import mask as reference
    except ImportError as e:
        print("skip: %s" % e)
        return SKIPPED
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    rng = random.Random(20150504)
    shapes, lines = [], []
    for _ in range(count):
        h, w = rng.choice(((1, 1), (1, 50), (50, 1), (7, 5), (64, 48), (427, 640), (640, 480)))
        parts = [polygon(rng, h, w) for _ in range(rng.choice((1, 1, 1, 1, 2, 3)))]
        shapes.append((h, w, parts))
        lines.append("%d %d %s" % (h, w, "|".join(" ".join(map(repr, p)) for p in parts)))
    done = subprocess.run([sys.argv[1]], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    failed = 0
    for (h, w, parts), line, got in zip(shapes, lines, done.stdout.splitlines()):
        r = reference.merge(reference.frPyObjects(parts, h, w))
        box = [] if not numpy.any(reference.area(r)) else list(reference.toBbox(r))
        want = "%s %d" % (r["counts"].decode(), reference.area(r))
        text, area, *ours = got.rsplit(" ", 5)
        if "%s %s" % (text, area) != want or (box and [float(v) for v in ours] != box):
            failed += 1
            if failed < 5:
                print("%s\n  ours %s\n  want %s %s" % (line, got, want, box))
    if len(done.stdout.splitlines()) != count:
        failed += 1
    print("pycocotools %s, numpy %s" % (importlib.metadata.version("pycocotools"), numpy.__version__))
    print("coco masks: %d passed, %d failed" % (count - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
