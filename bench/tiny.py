#!/usr/bin/env python3
"""bench tiny [REPEATS]: 35 000 JPEGs of 32 x 32, as files in folders and as one .tar.

New dataset, page cache warm: assets a second of the whole `run`; then a second run with nothing to do.
SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import sys
import tarfile

import common


def measure(name, source, dataset, repeats):
    first, again = [], []
    for _ in range(repeats):
        first.append(common.fresh_run(dataset, source))
        again.append(common.vidimus("run", source, "--out", dataset, "--jobs", common.JOBS, "--quiet", *common.NO_SCENES))
    q = common.rows(dataset, "SELECT count(*) AS n, sum(verdict = 'ok') AS ok, sum(pdq IS NOT NULL) AS hashed"
                    " FROM asset_facts WHERE kind = 'image'")[0]
    wall = [r.wall for r in first]
    common.emit("tiny", input=name, assets=q["n"], repeats=repeats, run_s=common.median(wall),
                run_s_spread=common.spread(wall), run_cpu_s=common.median([r.cpu for r in first]),
                assets_per_s=common.median([q["n"] / w for w in wall], 0), target_assets_per_s=8000,
                assets_per_cpu_s=common.median([q["n"] / r.cpu for r in first], 0),
                again_s=common.median([r.wall for r in again]), again_s_spread=common.spread([r.wall for r in again]),
                again_cpu_s=common.median([r.cpu for r in again]), target_again_s=0.5,
                catalog_bytes_per_asset=round(os.path.getsize(os.path.join(dataset, "catalog.db")) / max(q["n"], 1)),
                quality=q)


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    base = common.scratch("tiny")
    folder = os.path.join(base, "files")
    os.mkdir(folder)
    for n in ("cifar10_test_10k.tar.gz", "cifar10_train_even_25k.tar.gz"):
        with tarfile.open(common.data("scale", n)) as t:
            t.extractall(folder)
    shard = os.path.join(base, "shard.tar")
    with tarfile.open(shard, "w") as t:
        t.add(folder, arcname="images")
    common.read_all(base)
    measure("folder", folder, os.path.join(base, "folder.vidimus"), repeats)
    shutil.rmtree(os.path.join(base, "folder.vidimus"))
    measure("tar", shard, os.path.join(base, "tar.vidimus"), repeats)


if __name__ == "__main__":
    main()
