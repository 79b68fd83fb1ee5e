"""Made-up tracking sequences with what is hard for a metric, and what TrackEval says of them.

Boxes that move, are missed, doubled, invented, and change their names; coarse whole-number grids where many
overlaps are equal; distractors, flags and classes of the MOT benchmarks; crowds; empty frames and files; rows in any
order. A scene depends on its name only: just random.random() is used, which Python keeps the same.

    python3 tests/track/scenes.py > tests/track/expected.json      (needs TrackEval; stores its figures)

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import hashlib
import io
import json
import os
import random
import sys
import tempfile

FIGURES = "HOTA DetA AssA LocA MOTA MOTP IDF1 FP FN IDSW Frag MT PT ML IDP IDR Recall Precision".split()
COUNTS = "FP FN IDSW Frag MT PT ML".split()
MASKS = ["MOTS-one", "MOTS-two", "MOTS-three"]
STORED = ["smooth", "grid", "twins", "crowd", "classes", "vehicles", "no-predictions", "no-truth", "sparse", "shuffled"]
BENCHMARK = {"classes": "MOT17", "vehicles": "MOT20"}


class Dice:
    def __init__(self, name):
        self.random = random.Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")).random

    def whole(self, low, high):
        return low + int(self.random() * (high - low + 1))

    def real(self, low, high):
        return low + self.random() * (high - low)

    def one_in(self, n):
        return self.random() * n < 1


def movers(d, n, frames, size, grid, width=640, height=480):
    """Per object: first and last frame, box in the first, speed."""
    out = []
    for _ in range(n):
        first = d.whole(1, frames)
        w, h = (grid, 2 * grid) if grid else (d.real(size / 2, size), d.real(size, 2 * size))
        x, y = d.real(0, width - w), d.real(0, height - h)
        if grid:
            x, y = x // grid * grid, y // grid * grid
        step = grid / 2 if grid else 6
        speed = [d.whole(-1, 1) * step, 0] if grid else [d.real(-step, step), d.real(-1, 1)]
        out.append((first, d.whole(first, frames), [x, y, w, h], speed))
    return out


def scene(name):
    """(truth rows, prediction rows): lists of numbers as the files have them."""
    kind, d = name.split("#")[0], Dice(name)
    frames = d.whole(12, 40)
    n = d.whole(4, 12)
    grid = d.whole(2, 5) * 8 if kind in ("grid", "twins") else 0
    if kind == "crowd":
        n, frames = d.whole(180, 220), 6
    if kind == "sparse":
        n = 2
    classes = kind in BENCHMARK
    truth, pred = [], []
    for number, (first, last, box, speed) in enumerate(movers(d, n, frames, 60, grid)):
        cls = (1, 1, 1, 2, 7, 8, 12, 6, 3)[d.whole(0, 8)] if classes else 1
        track, shift = 100 + number, d.whole(-1, 1)
        for t in range(first, last + 1):
            x, y, w, h = [box[0] + speed[0] * (t - first), box[1] + speed[1] * (t - first), box[2], box[3]]
            if kind == "sparse" and t % 5 == 0:
                continue
            truth.append([t, number + 1, x, y, w, h, 0 if d.one_in(12) or kind == "no-truth" else 1, cls, d.real(0, 1)])
            if kind == "sparse" and t % 3 == 0 or d.one_in(6):
                continue
            if d.one_in(10):  # another name from here on, perhaps that of another
                track = 100 + d.whole(0, 2 * n)
            jitter = [0, 0, 0, 0] if grid else [d.real(-8, 8) for _ in range(4)]
            moved = [x + jitter[0] + shift * grid / 4, y + jitter[1], w + jitter[2], h + jitter[3]]
            pred.append([t, track, *moved, d.real(0, 1), -1, -1, -1])
            if kind == "twins" or d.one_in(15):
                pred.append([t, track + 1000, *moved, 1, -1, -1, -1])
    for _ in range(d.whole(0, frames)):
        pred.append([d.whole(1, frames), 5000 + d.whole(0, 5), d.real(0, 600), d.real(0, 400), d.real(10, 60), d.real(10, 90), 1, -1, -1, -1])
    if kind == "no-predictions":
        pred = []
    seen, unique = set(), []
    for row in pred:  # a track has one box a frame
        if (row[0], row[1]) not in seen:
            seen.add((row[0], row[1]))
            unique.append(row)
    if kind == "shuffled":
        truth.sort(key=lambda row: d.random())
        unique.sort(key=lambda row: d.random())
    elif kind != "smooth":
        unique.sort(key=lambda row: row[0])
    return truth, unique


def text(rows, digits):
    return "".join(",".join("%d" % v if float(v).is_integer() else "%.*f" % (digits, v) for v in row) + "\n" for row in rows)


def write(folder, names):
    """Truths and predictions of these scenes; returns {name: (frames, SHA-256 of both)}."""
    out = {}
    for name in names:
        truth, pred = scene(name)
        both = [text(truth, 3), text(pred, 3)]
        os.makedirs(f"{folder}/gt/{name}/gt")
        os.makedirs(f"{folder}/pred", exist_ok=True)
        open(f"{folder}/gt/{name}/gt/gt.txt", "w").write(both[0])
        open(f"{folder}/pred/{name}.txt", "w").write(both[1])
        out[name] = (max([1] + [row[0] for row in truth + pred]), hashlib.sha256("\0".join(both).encode()).hexdigest())
    return out


def trackeval(folder, frames, benchmark):
    """TrackEval's figures: {"combined": {...}, "sequences": {name: {...}}}."""
    import trackeval as te
    config = {"GT_FOLDER": folder + "/gt", "TRACKERS_FOLDER": folder, "TRACKERS_TO_EVAL": ["pred"], "TRACKER_SUB_FOLDER": "",
              "SKIP_SPLIT_FOL": True, "SEQ_INFO": dict(frames), "PRINT_CONFIG": False}
    if benchmark != "MOTS":
        config["BENCHMARK"] = benchmark
    with contextlib.redirect_stdout(io.StringIO()):
        kind = te.datasets.MOTSChallenge if benchmark == "MOTS" else te.datasets.MotChallenge2DBox
        run = te.Evaluator({"PRINT_RESULTS": False, "PRINT_CONFIG": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False,
                            "PLOT_CURVES": False, "OUTPUT_EMPTY_CLASSES": False, "BREAK_ON_ERROR": True, "TIME_PROGRESS": False,
                            "LOG_ON_ERROR": None})
        quiet = {"PRINT_CONFIG": False}
        res, _ = run.evaluate([kind(config)], [te.metrics.HOTA(quiet), te.metrics.CLEAR(quiet), te.metrics.Identity(quiet)])
    res = next(iter(res.values()))["pred"]

    def figures(r):
        r = r["pedestrian"]
        out = {k: float(r["HOTA"][k].mean()) for k in FIGURES[:4]}
        for k, theirs in zip(FIGURES[4:], "MOTA MOTP IDF1 CLR_FP CLR_FN IDSW Frag MT PT ML IDP IDR CLR_Re CLR_Pr".split()):
            v = r["Identity" if k.startswith("ID") and k != "IDSW" else "CLEAR"][theirs]
            out[k] = int(v) if k in COUNTS else float(v)
        return out
    return {"combined": figures(res["COMBINED_SEQ"]), "sequences": {n: figures(res[n]) for n in frames}}


def main():
    import masks
    import numpy
    import scipy
    import trackeval as te
    out = {"made_by": "tests/track/scenes.py with TrackEval %s, NumPy %s, SciPy %s" % (te.__version__, numpy.__version__, scipy.__version__),
           "scenes": {}, "sets": {}}
    for benchmark in ("MOT15", "MOT17", "MOT20"):
        names = [n for n in STORED if BENCHMARK.get(n, "MOT15") == benchmark]
        with tempfile.TemporaryDirectory() as folder:
            made = write(folder, names)
            out["sets"][benchmark] = trackeval(folder, {n: made[n][0] for n in names}, benchmark)
            for n in names:
                out["scenes"][n] = made[n][1]
    with tempfile.TemporaryDirectory() as folder:
        out["sets"]["MOTS"] = trackeval(folder, masks.write(folder, MASKS), "MOTS")
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
