#!/usr/bin/env python3
"""bench tracking [REPEATS [reference]]: `eval tracking` on made-up sequences of the size of MOT17's training set.

21 sequences (seven, by three detectors) with MOT17's numbers of frames, tracks and boxes, half as many boxes of other
classes and flags, and predictions that miss a sixth, invent some and change names. Reading files is counted. With
`reference`, and where TrackEval can be imported, it judges the same files (minutes), and figures must be equal.
Needs Python's standard library only otherwise. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import resource
import sys
import time

import common

sys.path.insert(0, os.path.join(common.ROOT, "tests", "track"))
import scenes  # noqa: E402

# frames, tracks, boxes of the training sequences
MOT17 = {"02": (600, 62, 18581), "04": (1050, 83, 47557), "05": (837, 133, 6917), "09": (525, 26, 5325),
         "10": (654, 57, 12839), "11": (900, 75, 9436), "13": (750, 110, 11642)}
DETECTORS = ("DPM", "FRCNN", "SDP")


def lives(rng, n, frames, boxes):
    """(first, last) frames of n tracks that make up that many boxes."""
    length = [1 + rng.random() ** 2 * 4 for _ in range(n)]
    scale = boxes / sum(length)
    out = []
    for v in length:
        k = max(1, min(frames, round(v * scale)))
        first = 1 + int(rng.random() * (frames - k + 1))
        out.append((first, first + k - 1))
    return out


def make_truth(rng, frames, tracks, boxes):
    rows, judged = [], []
    others = lives(rng, tracks // 2 + 1, frames, boxes // 2)
    for number, (first, last) in enumerate(lives(rng, tracks, frames, boxes) + others):
        cls = 1 if number < tracks else (2, 7, 8, 12, 3, 9, 1)[number % 7]
        flag = 1 if number < tracks else 0
        h = rng.uniform(80, 350)
        x, y, w = rng.uniform(-20, 1850), rng.uniform(300, 700) - h / 2, 0.4 * h
        dx, dy = rng.uniform(-4, 4), rng.uniform(-1, 1)
        for t in range(first, last + 1):
            box = (round(x + dx * (t - first)), round(y + dy * (t - first)), round(w), round(h))
            rows.append("%d,%d,%d,%d,%d,%d,%d,%d,%.5f\n" % (t, number + 1, *box, flag, cls, rng.random()))
            if flag or number % 3 == 0:
                judged.append((t, number, box))
    return rows, judged


def make_predictions(rng, judged, frames):
    rows, name, seen = [], {}, set()
    for t, number, (x, y, w, h) in judged:
        if rng.random() < 1 / 6:
            continue
        if number not in name or rng.random() < 0.01:
            name[number] = 1 + len(name) + int(rng.random() * 50) * 1000
        if (t, name[number]) in seen:
            continue
        seen.add((t, name[number]))
        e = [rng.gauss(0, 0.04) for _ in range(4)]
        rows.append((t, "%d,%d,%.2f,%.2f,%.2f,%.2f,%.4f,-1,-1,-1\n" % (
            t, name[number], x + e[0] * w, y + e[1] * h, w * (1 + e[2]), h * (1 + e[3]), rng.random())))
    for i in range(len(judged) // 20):
        t = 1 + int(rng.random() * frames)
        rows.append((t, "%d,%d,%.2f,%.2f,%.2f,%.2f,1,-1,-1,-1\n" % (
            t, 100000 + i, rng.uniform(0, 1800), rng.uniform(0, 700), rng.uniform(30, 140), rng.uniform(80, 350))))
    rows.sort(key=lambda r: r[0])
    return [r[1] for r in rows]


def make(folder):
    frames, size = {}, [0, 0, 0]
    os.makedirs(folder + "/pred")
    for number, (n, tracks, boxes) in MOT17.items():
        truth, judged = make_truth(random.Random("truth " + number), n, tracks, boxes)
        for detector in DETECTORS:
            name = "MOT17-%s-%s" % (number, detector)
            pred = make_predictions(random.Random(name), judged, n)
            os.makedirs("%s/gt/%s/gt" % (folder, name))
            open("%s/gt/%s/gt/gt.txt" % (folder, name), "w").writelines(truth)
            open("%s/gt/%s/seqinfo.ini" % (folder, name), "w").write("[Sequence]\nname=%s\nseqLength=%d\n" % (name, n))
            open("%s/pred/%s.txt" % (folder, name), "w").writelines(pred)
            frames[name] = n
            size = [size[0] + n, size[1] + len(truth), size[2] + len(pred)]
    return frames, size


def cpu_now():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = common.scratch("tracking")
    frames, size = make(folder)
    common.read_all(folder)
    argv = ["eval", "tracking", "--truth", folder + "/gt", "--pred", folder + "/pred", "--json", "--jobs", common.JOBS]
    runs = [common.vidimus(*argv) for _ in range(repeats)]
    bare = [common.vidimus(*argv, "--bootstrap", "0") for _ in range(repeats)]
    mine = json.loads(runs[0].out)
    fields = {"sequences": len(frames), "frames": size[0], "truth_rows": size[1], "prediction_rows": size[2], "repeats": repeats,
              "wall_s": common.median([r.wall for r in runs]), "wall_s_spread": common.spread([r.wall for r in runs]),
              "cpu_s": common.median([r.cpu for r in runs]), "target_wall_s": 0.5,
              "no_bootstrap_wall_s": common.median([r.wall for r in bare]), "no_bootstrap_cpu_s": common.median([r.cpu for r in bare]),
              "HOTA": mine["combined"]["HOTA"], "MOTA": mine["combined"]["MOTA"], "IDF1": mine["combined"]["IDF1"]}
    if "reference" in sys.argv[2:]:
        import trackeval
        begin, cpu = time.monotonic(), cpu_now()
        theirs = scenes.trackeval(folder, frames, "MOT17")
        fields["reference"] = "TrackEval %s" % trackeval.__version__
        fields["reference_wall_s"], fields["reference_cpu_s"] = round(time.monotonic() - begin, 2), round(cpu_now() - cpu, 2)
        fields["ratio_cpu"] = round(fields["reference_cpu_s"] / fields["no_bootstrap_cpu_s"], 1)
        pairs = [(mine["combined"], theirs["combined"])] + [(mine["sequences"][n], t) for n, t in theirs["sequences"].items()]
        fields["largest_difference"] = max(abs(m[k] - t[k]) for m, t in pairs for k in scenes.FIGURES)
        fields["equal_to_1e-9"] = fields["largest_difference"] <= 1e-9
    common.emit("tracking", **fields)
    if fields.get("equal_to_1e-9") is False:
        sys.exit(1)


if __name__ == "__main__":
    main()
