#!/usr/bin/env python3
"""bench scene_labels [SEEDS]: label errors planted into rendered scenes, found by issues --labels.

For yards of 24 views (25 swapped classes and 8 labels left out each) and a town of 60 (60 and 20), SEEDS of each (2):
precision and recall of inconsistent_in_3d and missing_in_3d with masks and with boxes alone, over all that was planted
and over what can be seen by points (tests/scene_labels/planted.py); findings among labels without errors; processor
seconds of the whole command. One JSON line. SPDX-License-Identifier: Apache-2.0
"""
import collections
import json
import os
import sys

import common

sys.path.insert(0, os.path.join(common.ROOT, "tests", "scene_labels"))
import planted  # noqa: E402

WORLDS = {"yard": (("--views", 24, "--width", 1280, "--height", 960, "--k1", -0.1), 25, 8),
          "town": (("--views", 60, "--world", "town", "--width", 1024, "--height", 768), 60, 20)}


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    scratch, total, clean, labels, cpu = common.scratch("scene_labels"), collections.defaultdict(collections.Counter), collections.Counter(), 0, []

    def run(*args):
        t = common.vidimus(*args)
        if args[0] == "issues":
            cpu.append(t.cpu)
        return t
    for name, (options, swaps, gaps) in WORLDS.items():
        for seed in range(21, 21 + seeds):
            p = planted.Planted(os.path.join(scratch, "%s%d" % (name, seed)), run, ("--seed", seed, *options), swaps, gaps)
            visible = p.visible(3)
            labels += len(p.clean["annotations"])
            for form, of in (("masks", lambda doc: doc), ("boxes", planted.boxes_alone)):
                for key, counts in planted.table(p, form, p.findings(of(p.spoilt), form), visible).items():
                    total["%s %s" % key].update(counts)
                clean[form] += len(p.findings(of(p.clean), form + "_clean"))
    print(json.dumps({"bench": "scene_labels", "commit": common.commit(), "cpu": common.cpu_name(), "seeds": seeds, "labels": labels,
                      **{k: planted.shares(v) for k, v in total.items()}, "findings_without_errors": clean,
                      "issues_cpu_s": {"median": common.median(cpu, 3), "most": round(max(cpu), 3)},
                      "target_precision": 0.9, "target_recall_visible": 0.9}))


if __name__ == "__main__":
    main()
