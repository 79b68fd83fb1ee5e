#!/usr/bin/env python3
"""bench ingest [PAIRS [PHOTOS [SMALL]]]: photos a second of the whole `run` beside the decode alone.

A new dataset from PHOTOS (400) files of 6 megapixels, and from SMALL (3000) ImageNet samples, all of
distinct bytes and in the page cache; then libjpeg-turbo decoding the same files to planar YCbCr from
memory with reused buffers. A B A B A B, two threads each; the ratio is the median over pairs.
`cpu_ratio` is the same in CPU seconds and suffers less from what else the machine does.
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import sys

import common


def measure(name, files, folder, pairs):
    listing = folder + ".list"
    with open(listing, "w") as f:
        f.write("\n".join(files) + "\n")
    dataset = folder + ".vidimus"
    ceiling = os.path.join(common.BUILD, "bench", "bench_jpeg_ceiling")
    if not os.path.exists(ceiling):
        sys.exit("ninja -C build bench/bench_jpeg_ceiling")
    common.read_all(folder)
    run, decode = [], []
    for _ in range(pairs):
        run.append(common.fresh_run(dataset, folder))
        decode.append(json.loads(common.Timed([ceiling, str(common.JOBS), listing]).out))
    megapixels = decode[0]["megapixels"]
    ok = common.rows(dataset, "SELECT count(*) AS n, sum(verdict = 'ok') AS ok, sum(pdq IS NOT NULL) AS hashed,"
                     " count(DISTINCT content_hash) AS distinct_bytes FROM asset_facts")[0]
    wall = [r.wall for r in run]
    ratio = [d["wall_s"] / r.wall for r, d in zip(run, decode)]
    cpu_ratio = [d["cpu_s"] / r.cpu for r, d in zip(run, decode)]
    common.emit("ingest", input=name, photos=len(files), megapixels=round(megapixels, 1), pairs=pairs,
                run_s=common.median(wall), run_s_spread=common.spread(wall),
                run_cpu_s=common.median([r.cpu for r in run]),
                photos_per_s=common.median([len(files) / w for w in wall], 1),
                megapixels_per_s=common.median([megapixels / w for w in wall], 1),
                decode_s=common.median([d["wall_s"] for d in decode]),
                decode_s_spread=common.spread([d["wall_s"] for d in decode]),
                decode_cpu_s=common.median([d["cpu_s"] for d in decode]), decoded=decode[0]["decoded"],
                ratio=common.median(ratio), ratio_spread=common.spread(ratio),
                cpu_ratio=common.median(cpu_ratio), target_ratio=0.8, quality=ok)


def main():
    args = [int(a) for a in sys.argv[1:]] + [3, 400, 3000][len(sys.argv) - 1:]
    base = common.scratch("ingest")
    for name, sources, count in (("6 MP photos", common.six_megapixel(), args[1]), ("ImageNet samples", common.imagenet(), args[2])):
        if count == 0:
            continue
        folder = os.path.join(base, name.split()[0].lower())
        measure(name, common.distinct_copies(sources, folder, count), folder, args[0])


if __name__ == "__main__":
    main()
