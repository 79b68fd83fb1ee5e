#!/usr/bin/env python3
"""bench publish [--pictures N] [--objects N] [--repeats N]: datasets out.

Copies of photos, each with bytes of its own, are exported as files and as shards, with and without their metadata, beside
a plain `cp -r` of the same files; then the tables of a catalog of rows without files, to count rows of Parquet a second.
Each figure is of wall time and of CPU time (helper processes included); the files are in the page cache.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os
import random
import shutil
import sqlite3

import common


def timed(repeats, out, argv):
    """Medians of wall and CPU seconds; the folder is removed before each."""
    runs = []
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        runs.append(common.Timed([str(a) for a in argv]))
    return common.median([r.wall for r in runs]), common.median([r.cpu for r in runs])


def pictures(args, base):
    """{what: figures} of one folder of files, copied and exported."""
    source, dataset, out = base + "/in", base + "/d.vidimus", base + "/out"
    paths = common.distinct_copies(common.imagenet(), source, args.pictures)
    mb = sum(os.path.getsize(p) for p in paths) / 1e6
    common.vidimus("run", source, "--out", dataset, "--only", "add,check", "--quiet")
    common.read_all(source)
    export = [common.BINARY, "export", dataset, "--out", out, "--format"]
    ways = {"cp": ["cp", "-r", source, out],
            "strip_jobs_1": export + ["coco", "--jobs", 1],
            "strip_jobs_2": export + ["coco", "--jobs", 2],
            "keep_exif_jobs_2": export + ["coco", "--keep-exif", "--jobs", 2],
            "symlink_jobs_2": export + ["coco", "--images", "symlink", "--keep-exif", "--jobs", 2],
            "webdataset_jobs_2": export + ["webdataset", "--jobs", 2],
            "parquet_bytes_jobs_2": export + ["parquet", "--with-bytes", "--jobs", 2],
            "resize_256_jobs_2": export + ["coco", "--resize", 256, "--jobs", 2]}
    figures = {}
    for name, argv in ways.items():
        wall, cpu = timed(args.repeats, out, argv)
        figures[name] = {"s": wall, "cpu_s": cpu, "images_s": round(args.pictures / wall), "mb_s": round(mb / wall),
                         "images_cpu_s": round(args.pictures / cpu) if cpu else None}
    return {"pictures": args.pictures, "mb": round(mb, 1), "ways": figures}


def rows(args, base):
    """Rows of images.parquet and labels.parquet a second, of assets that are rows alone."""
    images, dataset, out = args.objects // 7, base + "/rows.vidimus", base + "/tables"
    os.mkdir(base + "/none")
    common.vidimus("add", base + "/none", "--out", dataset, "--quiet")
    db = sqlite3.connect(dataset + "/catalog.db")
    db.executemany("INSERT INTO asset(id, uri, kind) VALUES(?, ?, 'image')", ((i, "/data/%012d.jpg" % i) for i in range(1, images + 1)))
    db.commit()
    db.close()
    r = random.Random(1)
    with open(base + "/gt.json", "w") as f:
        json.dump({"images": [{"id": i, "file_name": "%012d.jpg" % i, "width": 640, "height": 480} for i in range(1, images + 1)],
                   "categories": [{"id": c, "name": "class %d" % c} for c in range(1, 81)],
                   "annotations": [{"id": k + 1, "image_id": r.randrange(1, images + 1), "category_id": r.randrange(1, 81), "iscrowd": 0,
                                    "bbox": [round(r.uniform(0, 300), 2) for _ in range(4)], "area": 1.5} for k in range(args.objects)]}, f)
    common.vidimus("import", dataset, base + "/gt.json", "--name", "gt")
    wall, cpu = timed(args.repeats, out, [common.BINARY, "export", dataset, "--out", out, "--format", "parquet", "--images", "none"])
    size = sum(os.path.getsize(f"{out}/{n}.parquet") for n in ("images", "labels"))
    return {"images": images, "objects": args.objects, "s": wall, "cpu_s": cpu, "rows_s": round((images + args.objects) / wall),
            "rows_cpu_s": round((images + args.objects) / cpu), "mb": round(size / 1e6, 1)}


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--pictures", type=int, default=3000)
    ap.add_argument("--objects", type=int, default=500000)
    ap.add_argument("--repeats", type=int, default=3)
    args = ap.parse_args()
    base = common.scratch("publish")
    common.emit("publish", files=pictures(args, base), parquet=rows(args, base))


if __name__ == "__main__":
    main()
