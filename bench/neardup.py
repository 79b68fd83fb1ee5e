#!/usr/bin/env python3
"""bench neardup: perceptual hashes and groups on data with reference hashes (data/neardup), through `run`.

Distances to the published PDQ hashes; the edits of one photo in one group; with --dihedral its eight
turns; unrelated photos (labelme-subset, data/photos) in none; of five videos the copies and no others.
Ends with status 1 if a demand fails. SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

import common


def near(dataset):
    return [sorted(os.path.basename(m) for m in g["members"])
            for g in common.document("groups", dataset, "--kind", "near")]


def pictures(base):
    folder = common.data("neardup", "pdq")
    dataset = os.path.join(base, "pdq.vidimus")
    run = common.fresh_run(dataset, folder)
    found = {r["uri"]: r for r in common.rows(dataset, "SELECT uri, pdq, pdq_quality FROM asset_facts WHERE pdq IS NOT NULL")}
    distance, far, identical, n = [], [], 0, 0
    with open(os.path.join(folder, "expected_pdq_hashes.tsv")) as f:
        next(f)
        for line in f:
            name, expected, present = line.rstrip("\n").split("\t")[:3]
            if present != "yes":
                continue
            r = found.get(os.path.join(os.path.realpath(folder), name))
            n += 1
            if r is None:
                far.append([name, None, None])
                continue
            d = bin(int(r["pdq"], 16) ^ int(expected, 16)).count("1")
            identical += d == 0
            if r["pdq_quality"] >= 80:
                distance.append(d)
            if d > 10:
                far.append([name, d, r["pdq_quality"]])
    edits = sorted(os.listdir(os.path.join(folder, "bridge-mods")))
    groups = near(dataset)
    best = max((len(set(edits) & set(g)) for g in groups), default=0)
    unrelated = set(os.listdir(os.path.join(folder, "reg-test-input", "labelme-subset")))
    return {"seconds": round(run.wall, 2), "references": n, "identical": identical, "quality_80": len(distance),
            "largest_distance_at_quality_80": max(distance, default=None), "beyond_10": far,
            "edits": len(edits), "edits_in_one_group": best,
            "unrelated_grouped": sorted(m for g in groups for m in g if m in unrelated)}


def turned(base):
    folder = common.data("neardup", "pdq", "reg-test-input", "dih")
    dataset = os.path.join(base, "dih.vidimus")
    common.fresh_run(dataset, folder, extra=[*common.NO_SCENES, "--dihedral"])
    n = sum(1 for x in os.listdir(folder) if x.endswith(".jpg"))
    return {"turns": n, "turns_in_one_group": max((len(g) for g in near(dataset)), default=0)}


def photos(base):
    folder = common.data("photos", "imagenet-sample")
    dataset = os.path.join(base, "photos.vidimus")
    common.fresh_run(dataset, folder)
    return {"unrelated_photos": len(os.listdir(folder)), "unrelated_photos_grouped": sum(len(g) for g in near(dataset))}


def videos(base):
    folder = common.data("neardup", "tmk-video")
    dataset = os.path.join(base, "video.vidimus")
    common.fresh_run(dataset, folder)
    chair = [g for g in near(dataset) if all(m.startswith("chair") for m in g)]
    other = [g for g in near(dataset) if any(not m.startswith("chair") for m in g)]
    return {"video_copies_found": len(chair) == 1 and len(chair[0]) == 2, "other_video_groups": other}


def main():
    base = common.scratch("neardup")
    all_ = {}
    for part in (pictures, turned, photos, videos):
        all_.update(part(base))
    ok = (all_["largest_distance_at_quality_80"] is not None and all_["largest_distance_at_quality_80"] <= 10
          and all_["edits_in_one_group"] == all_["edits"] and not all_["unrelated_grouped"]
          and all_["turns_in_one_group"] == all_["turns"] and all_["unrelated_photos_grouped"] == 0
          and all_["video_copies_found"] and not all_["other_video_groups"])
    common.emit("neardup", ok=ok, **all_)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
