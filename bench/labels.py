#!/usr/bin/env python3
"""bench labels [--images N] [--keep FILE] [--maps]: a COCO file of the size of train2017, read.

Made with a fixed seed: 118 287 images, 860 001 instances of 80 classes with polygons (7.27 an image, a mean of about
23 vertices), crowds as masks, in the order of the published file: images, annotations, categories. Prints the speed
of the JSON reader, and what convert and import take; the assets of the dataset are rows without files. With --maps
instead: 40 maps of the size of Cityscapes' (2048 x 1024, about 100 instances), read into COCO's masks and written again. SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import math
import os
import random
import resource
import sqlite3
import subprocess

import common

IMAGES, OBJECTS, CLASSES = 118287, 860001, 80


def polygon(r, box):
    n = max(4, min(120, int(r.lognormvariate(3.0, 0.6))))
    x, y, w, h = box
    step, at = 2 * math.pi / n, r.random()
    out = []
    for i in range(n):
        f = r.uniform(0.7, 1)
        out.append(round(x + w / 2 * (1 + f * math.cos(at + i * step)), 2))
        out.append(round(y + h / 2 * (1 + f * math.sin(at + i * step)), 2))
    return out


def counts(r, size):
    left, out = size, []
    while left > 0:
        run = min(left, r.randrange(1, 9000))
        out.append(run)
        left -= run
    return out


def annotation(r, i, image, size):
    w, h = size
    bw, bh = r.uniform(4, w * 0.7), r.uniform(4, h * 0.7)
    box = [round(v, 2) for v in (r.uniform(0, w - bw), r.uniform(0, h - bh), bw, bh)]
    crowd = r.random() < 0.012
    shape = {"counts": counts(r, w * h), "size": [h, w]} if crowd else [polygon(r, box)]
    return {"segmentation": shape, "area": round(bw * bh * 0.7, 4), "iscrowd": int(crowd), "image_id": image, "bbox": box,
            "category_id": r.randrange(1, CLASSES + 1), "id": i}


def generate(path, images, objects):
    r = random.Random(2017)
    sizes = [r.choice([(640, 480), (640, 427), (480, 640), (500, 375), (640, 640)]) for _ in range(images)]
    with open(path, "w") as f:
        f.write('{"info": {"description": "generated", "year": 2017}, "licenses": [], "images": [')
        for i, (w, h) in enumerate(sizes):
            f.write((", " if i else "") + json.dumps({"license": 1, "file_name": "%012d.jpg" % (i + 1), "height": h, "width": w,
                    "coco_url": "http://images.example.org/train2017/%012d.jpg" % (i + 1),
                    "date_captured": "2013-11-14 16:28:13", "id": i + 1}))
        f.write('], "annotations": [')
        for i in range(objects):
            n = r.randrange(images)
            f.write((", " if i else "") + json.dumps(annotation(r, i + 1, n + 1, sizes[n])))
        cats = [{"supercategory": "group%d" % (c % 12), "id": c, "name": "class %d" % c} for c in range(1, CLASSES + 1)]
        f.write('], "categories": %s}' % json.dumps(cats))


def measured(*args):
    """A command, and the peak of its resident memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    run = common.vidimus(*args, "--json")
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # the largest of all children so far
    return run, round(after / 1024) if after > before else "at most %d" % round(after / 1024)


def dataset(path, images):
    """A catalog with an asset for each picture."""
    folder = common.scratch("labels-pictures")
    common.vidimus("add", folder, "--out", path, "--quiet")
    db = sqlite3.connect(os.path.join(path, "catalog.db"))
    db.executemany("INSERT INTO asset(id, uri, kind) VALUES(?, ?, 'image')",
                   ((i, "/data/train2017/%012d.jpg" % i) for i in range(1, images + 1)))
    db.commit()
    db.close()


def maps():
    """bench_maps writes them; convert reads them, and writes them."""
    folder, out = common.scratch("labels-maps"), common.scratch("labels-maps-out")
    run = subprocess.run([os.path.join(common.BUILD, "bench", "bench_maps"), "5", folder], stdout=subprocess.PIPE, check=True,
                         env=dict(os.environ, VIDIMUS_LIBEXEC=common.BUILD))
    read = common.vidimus("convert", folder, "--to", "coco", "--out", os.path.join(out, "x.json"), "--json")
    both = common.vidimus("convert", folder, "--to", "cityscapes-masks", "--out", os.path.join(out, "maps"), "--json")
    counts = {r["what"]: r["count"] for r in json.loads(read.out)}
    n = counts["images"]
    common.emit("labels_maps", parts=json.loads(run.stdout), maps=n, objects=counts["objects"], read_cpu_s=round(read.cpu, 3),
                read_maps_per_cpu_s=round(n / read.cpu, 1), read_write_cpu_s=round(both.cpu, 3),
                read_write_maps_per_cpu_s=round(n / both.cpu, 1))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--images", type=int, default=IMAGES, help="fewer images make a smaller file")
    ap.add_argument("--keep", help="where the file lies or is to lie (a temporary one)")
    ap.add_argument("--maps", action="store_true", help="maps in PNG files instead")
    args = ap.parse_args()
    if args.maps:
        return maps()
    path = args.keep or os.path.join(common.scratch("labels"), "instances.json")
    objects = OBJECTS * args.images // IMAGES
    if not os.path.exists(path):
        generate(path, args.images, objects)
    with open(path, "rb") as f:  # into the page cache
        while f.read(1 << 20):
            pass
    run = subprocess.run([os.path.join(common.BUILD, "bench", "bench_json"), path], stdout=subprocess.PIPE, check=True)
    base = common.scratch("labels-set")
    convert, convert_mb = measured("convert", path, "--to", "coco", "--out", os.path.join(base, "again.json"))
    dataset(os.path.join(base, "d.vidimus"), args.images)
    load, load_mb = measured("import", os.path.join(base, "d.vidimus"), path)
    counts = {r["what"]: r["count"] for r in json.loads(load.out)}
    common.emit("labels", images=args.images, objects=objects, bytes=os.path.getsize(path), json=json.loads(run.stdout),
                convert_s=round(convert.wall, 2), convert_cpu_s=round(convert.cpu, 2), convert_peak_mb=convert_mb,
                import_s=round(load.wall, 2), import_cpu_s=round(load.cpu, 2), import_peak_mb=load_mb, imported=counts,
                target_import_s=6, target_peak_mb=600, catalog_bytes=os.path.getsize(os.path.join(base, "d.vidimus", "catalog.db")))


if __name__ == "__main__":
    main()
