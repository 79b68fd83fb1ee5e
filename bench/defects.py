#!/usr/bin/env python3
"""bench defects [SEEDS [COUNT [WIDTH]]]: precision and recall of every kind on rendered captures.

`synth` renders captures whose defects are known (truth/defects.tsv), `run` looks only at the images.
A planted file of a kind that is not found lowers recall, a found file that was not planted lowers
precision; a file whose defect implies the kind too (see IMPLIED) counts as neither. Clean views must
have no finding of a kind that speaks about the picture. SPDX-License-Identifier: Apache-2.0
"""
import csv
import os
import sys

import common

# What one defect may rightly be found to be besides: a smear is also a lack of sharpness, and so on.
IMPLIED = {
    "motion_blur": {"blurry"},
    "dark": {"low_information", "clipped"},
    "light": {"low_information", "clipped"},
    "blurry": {"low_information"},
    "low_information": {"blurry", "light", "dark"},
    "truncated": {"near_duplicates", "low_information", "blurry"},
}
CLEAN = ["blurry", "dark", "light", "noisy", "motion_blur", "low_information", "clipped", "overcompressed", "banding"]


def render(base, seed, count, width):
    folder = os.path.join(base, "seed%d" % seed)
    t = common.vidimus("synth", folder, "--seed", seed, "--defects", count, "--width", width,
                       "--height", width * 3 // 4, "--jobs", common.JOBS, "--quiet")
    with open(os.path.join(folder, "truth", "defects.tsv"), newline="") as f:
        truth = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    return folder, truth, t.wall


def judge(folder, truth, table, missed, false, clean):
    dataset = folder + ".vidimus"
    common.fresh_run(dataset, os.path.join(folder, "images"))
    planted = {}
    for d in truth:
        planted.setdefault(d["kind"], set()).add(d["file"])
        if d["kind"] in ("exact_duplicates", "near_duplicates") and d["source"]:
            planted[d["kind"]].add(d["source"])
    defect_of = {}
    for d in truth:
        defect_of.setdefault(d["file"], set()).add(d["kind"])
    touched = set(defect_of) | {d["source"] for d in truth if d["source"]}
    found, score = {}, {}
    for p in common.document("issues", dataset):
        name = os.path.basename(p["uri"])
        found.setdefault(p["kind"], set()).add(name)
        score[p["kind"], name] = p["score"]
        if name not in defect_of and p["kind"] in CLEAN:
            clean.append([p["kind"], name, round(p["score"], 3)])
    scores = {}
    for r in common.rows(dataset, "SELECT a.uri, m.* FROM fact_measure m JOIN asset a ON a.id = m.asset_id"):
        scores[os.path.basename(r["uri"])] = r
    for kind, want in planted.items():
        got = found.get(kind, set())
        other = {f for f in got - want if any(kind in IMPLIED.get(k, ()) for k in defect_of.get(f, ()))}
        if kind == "near_duplicates":  # a copy of a file that has a near duplicate has it too
            other |= {d["file"] for d in truth if d["kind"] == "exact_duplicates" and d["source"] in want}
        t = table.setdefault(kind, [0, 0, 0])
        t[0] += len(want & got)
        t[1] += len(want - got)
        t[2] += len(got - want - other)
        key = "score_" + kind
        missed += [[kind, f, scores.get(f, {}).get(key), next((d["parameters"] for d in truth if d["file"] == f), "")]
                   for f in sorted(want - got)]
        false += [[kind, f, round(score[kind, f], 3)] for f in sorted(got - want - other)]
    return len({f for f in os.listdir(os.path.join(folder, "images"))} - touched)


def main():
    args = [int(a) for a in sys.argv[1:]] + [3, 6, 800][len(sys.argv) - 1:]
    base = os.environ.get("VIDIMUS_BENCH_KEEP") or common.scratch("defects")
    table, missed, false, clean, rendering, untouched = {}, [], [], [], [], 0
    for seed in range(1, args[0] + 1):
        folder, truth, wall = render(base, seed, args[1], args[2])
        rendering.append(wall)
        untouched += judge(folder, truth, table, missed, false, clean)
    kinds = {}
    for kind, (tp, fn, fp) in sorted(table.items()):
        kinds[kind] = {"planted": tp + fn, "found": tp, "false": fp, "recall": round(tp / max(tp + fn, 1), 3),
                       "precision": round(tp / max(tp + fp, 1), 3)}
    common.emit("defects", input="synth, seeds 1..%d, %d px wide" % (args[0], args[2]), kinds=kinds,
                weak=sorted(k for k, v in kinds.items() if min(v["recall"], v["precision"]) < 0.9), untouched_views=untouched,
                findings_on_clean_views=clean, missed=missed, false=false, render_s=common.median(rendering, 1))


if __name__ == "__main__":
    main()
