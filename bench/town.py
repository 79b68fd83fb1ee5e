#!/usr/bin/env python3
"""bench town [VIEWS...]: scenes of growing size from the files to the poses (25 100 400 1000).

Towns that `synth` renders, streets walked again after each lap. One line a size: share of the views that are
registered, centres and rotations beside the truth, seconds of each stage, CPU seconds, the largest resident
size of one process. With --miss, every pair is compared as well: the share of overlapping pairs (at least 30
inliers) that retrieval did not look at, and the poses that all pairs give. SPDX-License-Identifier: Apache-2.0
"""
import os
import resource
import sys

import common

SIZES = (25, 100, 400, 1000)
LIMIT_S, LIMIT_MB = 1500, 4096
LEAST = 30  # inliers of a pair worth finding


def stages(dataset):
    got = common.rows(dataset, "SELECT stage, seconds FROM run_stage WHERE run_id = (SELECT max(run_id) FROM run_stage)")
    return {r["stage"]: round(r["seconds"], 1) for r in got}


def reconstructed(folder, dataset, *extra):
    done = common.fresh_run(dataset, os.path.join(folder, "images"), extra=extra)
    error = common.document("eval", "poses", dataset, "--truth", os.path.join(folder, "truth", "truth.json"))
    return done, error


def pairs(dataset, least):
    got = common.rows(dataset, "SELECT x.uri AS x, y.uri AS y FROM pair p JOIN asset x ON x.id = p.a "
                               "JOIN asset y ON y.id = p.b WHERE p.inliers >= %d" % least)
    return {tuple(sorted((r["x"], r["y"]))) for r in got}


def measure(views, miss):
    folder = common.scratch("town%d" % views)
    common.vidimus("synth", folder, "--world", "town", "--truth", "poses", "--views", views, "--defects", 0, "--quiet")
    dataset = os.path.join(folder, "dataset")
    done, error = reconstructed(folder, dataset)
    found = dict(views=views, registered=round(error["registered"] / views, 4), centre_rmse_mm=round(1000 * error["centre_rmse"], 2),
                 rotation_deg=round(error["rotation_deg"], 4), auc_1=round(error["auc_1"], 2), seconds=round(done.wall, 1), cpu_s=round(done.cpu, 1),
                 rss_mb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, stages_s=stages(dataset),
                 pairs=len(pairs(dataset, 0)), overlaps=len(pairs(dataset, 1)))
    if views >= 1000:
        found.update(target_s=LIMIT_S, target_mb=LIMIT_MB)
    if miss:
        whole = os.path.join(folder, "whole")
        _, other = reconstructed(folder, whole, "--pairs", "all")
        truth = pairs(whole, LEAST)
        found.update(all_overlaps=len(truth), missed=round(len(truth - pairs(dataset, LEAST)) / max(len(truth), 1), 4),
                     all_centre_rmse_mm=round(1000 * other["centre_rmse"], 2), all_registered=round(other["registered"] / views, 4))
    common.emit("town", **found)


def main(args):
    miss = "--miss" in args
    for views in [int(a) for a in args if a != "--miss"] or SIZES:
        measure(views, miss)


main(sys.argv[1:])
