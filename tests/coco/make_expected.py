#!/usr/bin/env python3
"""Small inputs and what pycocotools makes of them, for the tests that run without it.

    python3 tests/coco/make_expected.py

Writes tests/fuzz/corpus/detect/* (a truth, the byte 1E, results), tests/unit/coco_figures.inc and coco_masks.inc.
SPDX-License-Identifier: Apache-2.0
"""
import importlib.metadata
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ.setdefault("VIDIMUS_BIN", "")
import detection
import masks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST_BYTES = 4000


def small(kind):
    """The first seed whose files are short and whose figures say something."""
    for seed in range(2000):
        rng = random.Random(seed)
        truth, results = detection.make(rng, kind, 3, 1 if kind == "keypoints" else 2, seed % 2 == 0)
        for image in truth["images"]:
            del image["file_name"]
        text = [json.dumps(v, separators=(",", ":")) for v in (truth, results)]
        if sum(map(len, text)) > MOST_BYTES or len(results) < 4:
            continue
        with tempfile.TemporaryDirectory() as folder:
            t, r = (detection.write(folder, n, v) for n, v in (("t", truth), ("r", results)))
            e = detection.reference(t, r, kind)
        if len({round(float(v), 6) for v in e.stats}) > (3 if kind == "keypoints" else 6):
            return text, e
    sys.exit("no small case of " + kind)


def write(name, lines):
    path = os.path.join(ROOT, "tests", "unit", name)
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    subprocess.run(["clang-format", "-i", path], check=True)


def main():
    import numpy
    from pycocotools import mask
    corpus = os.path.join(ROOT, "tests", "fuzz", "corpus", "detect")
    os.makedirs(corpus, exist_ok=True)
    head = ("/* Made by tests/coco/make_expected.py with pycocotools %s, numpy %s. SPDX-License-Identifier: Apache-2.0 */" %
            (importlib.metadata.version("pycocotools"), numpy.__version__))
    out = [head]
    out.append("static const struct {\n    const char *file;\n    vd_detect_type type;\n    double number[12];\n"
               "    double precision, score, recall; /* sums of the arrays, element after element */\n} expected_figures[] = {")
    for kind in ("bbox", "segm", "keypoints"):
        (truth, results), e = small(kind)
        with open(os.path.join(corpus, kind), "w") as f:
            f.write(truth + "\x1e" + results)
        sums = [0.0, 0.0, 0.0]
        for i, name in enumerate(("precision", "scores", "recall")):
            for v in e.eval[name].ravel().tolist():
                sums[i] += v
        numbers = ", ".join(float(v).hex() for v in e.stats)
        out.append('    { "%s", VD_DETECT_%s, { %s }, %s },' % (kind, kind.upper(), numbers, ", ".join(v.hex() for v in sums)))
    out.append("};")
    write("coco_figures.inc", out)
    out = [head, "static const struct {\n    int height, width, n;\n    double xy[40];\n    const char *text;\n} expected_masks[] = {"]
    rng = random.Random(7)
    while len(out) < 34:
        h, w = rng.choice(((9, 13), (40, 30), (5, 64)))
        p = masks.polygon(rng, h, w)
        if len(p) > 40 or len(p) < 6:
            continue
        text = mask.frPyObjects([p], h, w)[0]["counts"].decode().replace("\\", "\\\\")
        out.append('    { %d, %d, %d, { %s }, "%s" },' % (h, w, len(p) // 2, ", ".join(map(repr, p)), text))
    out.append("};")
    write("coco_masks.inc", out)


if __name__ == "__main__":
    main()
