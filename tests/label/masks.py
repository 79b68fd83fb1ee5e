#!/usr/bin/env python3
"""Labels that lie in PNG files, from outside: every kind of sample, every format pixel by pixel, round trips, what does
not fit, what is refused. Files are made and looked at by the standard library (png.py).

    masks.py BUILD     SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import png

BUILD = os.path.abspath(sys.argv[1])
BIN = os.environ.get("VIDIMUS_BIN", os.path.join(BUILD, "vidimus"))
DATA = os.environ.get("VIDIMUS_TEST_DATA", "")
passed = failed = skipped = 0
VOC = [sum((i >> (3 * b + k) & 1) << (7 - b) << (8 * k) for b in range(8) for k in range(3)) for i in range(256)]


def check(ok, what):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print("FAILED " + what)


def skip(what):
    global skipped
    skipped += 1
    print("skip " + what)


def run(*args, env=None):
    return subprocess.run([BIN, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          env=dict(os.environ, **env) if env else None)


def convert(path, to, out, *more):
    """({images, categories, objects}, {what was lost: count}); None when it failed."""
    r = run("convert", path, "--to", to, "--out", out, "--json", *more)
    if r.returncode != 0:
        print(r.stderr.decode(errors="replace").strip())
        return None, None
    rows = json.loads(r.stdout)
    return ({x["what"]: x["count"] for x in rows if not x["lost"]}, {x["what"]: x["count"] for x in rows if x["lost"]})


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode())
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def rgb(v):
    return (v & 255, v >> 8 & 255, v >> 16 & 255)


def blobs(r, width, height, values):
    """A map of rectangles over each other; 0 between them."""
    rows = [[0] * width for _ in range(height)]
    for v in values:
        x, y = r.randrange(width), r.randrange(height)
        w, h = r.randrange(1, width - x + 1), r.randrange(1, height - y + 1)
        for i in range(y, y + h):
            rows[i][x:x + w] = [v] * w
    return rows


def runs_of_text(s):
    """COCO's packed counts."""
    out, at = [], 0
    while at < len(s):
        v = shift = 0
        while True:
            c = ord(s[at]) - 48
            at += 1
            v |= (c & 31) << shift
            shift += 5
            if not c & 32:
                break
        if c & 16:
            v |= -1 << shift
        out.append(v + (out[-2] if len(out) > 2 else 0))
    return out


def pixels(segmentation):
    """{(x, y)} of a mask of a COCO file."""
    height = segmentation["size"][0]
    counts = segmentation["counts"]
    if isinstance(counts, str):
        counts = runs_of_text(counts)
    out, at = set(), 0
    for i, n in enumerate(counts):
        if i % 2:
            out.update((k // height, k % height) for k in range(at, at + n))
        at += n
    return frozenset(out)


def order(m):
    """Masks of a picture in an order of their own."""
    return str(m[0]), sorted(m[1])


def where(rows, value):
    return frozenset((x, y) for y, row in enumerate(rows) for x, v in enumerate(row) if v == value)


def masks_of(path):
    """{name of a picture without its extension: [(class, pixels, crowd)]} of a COCO file."""
    with open(path) as f:
        doc = json.load(f)
    names = {m["id"]: os.path.splitext(os.path.basename(m["file_name"]))[0] for m in doc["images"]}
    classes = {c["id"]: c["name"] for c in doc["categories"]}
    out = {n: [] for n in names.values()}
    for a in doc["annotations"]:
        if "segmentation" in a and isinstance(a["segmentation"], dict):
            out[names[a["image_id"]]].append((classes.get(a.get("category_id")), pixels(a["segmentation"]), a.get("iscrowd", 0)))
    return out


# ---- every kind of sample ----

def samples(base):
    """A panoptic map has its numbers whatever their samples are; one file after the other through one process."""
    r = random.Random(1)
    kinds = [("grey %d" % b, 0, b, None) for b in (1, 2, 4, 8, 16)] + [("palette %d" % b, 3, b, 1 << b) for b in (1, 2, 4, 8)] + \
            [("colour", 2, 8, None), ("colour with alpha", 6, 8, None), ("grey with alpha", 4, 8, None), ("grey with alpha 16", 4, 16, None),
             ("short palette", 3, 8, 2), ("suggested palette", 2, 8, 5)]
    doc = {"images": [], "categories": [{"id": 1, "name": "a", "isthing": 1}], "annotations": []}
    want = {}
    for n, (what, colour, bits, palette) in enumerate((k for k in kinds for _ in range(4))):
        width, height = r.randrange(1, 40), r.randrange(1, 40)
        most = (1 << 24) - 1 if colour in (2, 6) else (1 << bits) - 1
        values = [r.randrange(1, most + 1) for _ in range(r.randrange(1, 9))]
        if colour in (2, 6):  # differences in every byte
            values += [1 << k for k in range(0, 24, 5)]
        rows = blobs(r, width, height, values)
        shown = rows
        if colour == 2:
            shown = [[rgb(v) for v in row] for row in rows]
        elif colour == 6:
            shown = [[rgb(v) + (r.randrange(256),) for v in row] for row in rows]
        elif colour == 4:
            shown = [[(v, r.randrange(1 << bits)) for v in row] for row in rows]
        name = "p%03d" % n
        data = png.encode(shown, colour, bits, [(i, 255 - i, i // 2) for i in range(palette)] if palette else None,
                          interlaced=n % 4 >= 2, filters=(0, 2) if n % 2 else (0,))
        write(os.path.join(base, "kinds", name + ".png"), data)
        doc["images"].append({"id": n, "file_name": name + ".jpg", "width": width, "height": height})
        met = sorted({v for row in rows for v in row} - {0})
        doc["annotations"].append({"image_id": n, "file_name": name + ".png", "segments_info": [
            {"id": v, "category_id": 1, "iscrowd": 0, "area": len(where(rows, v)), "bbox": [0, 0, 1, 1]} for v in met]})
        want[name] = (what, [where(rows, v) for v in met])
    counts, lost = convert(write(os.path.join(base, "kinds.json"), doc), "coco", os.path.join(base, "kinds_out.json"))
    if counts is None:
        return check(False, "kinds of samples")
    check(lost == {}, "kinds of samples lose %s" % lost)
    got = masks_of(os.path.join(base, "kinds_out.json"))
    for name, (what, masks) in want.items():
        check([m[1] for m in got[name]] == masks, "%s (%s): other pixels" % (what, name))


# ---- round trips, pixel by pixel ----

def panoptic(base, r):
    doc = {"images": [], "annotations": [], "categories": [
        {"id": 3, "name": "cat", "supercategory": "animal", "isthing": 1}, {"id": 5, "name": "sky", "supercategory": "", "isthing": 0}]}
    for n in range(12):
        width, height = r.randrange(1, 60), r.randrange(1, 60)
        rows = blobs(r, width, height, [r.randrange(1, 1 << 24) for _ in range(n)])  # the first has none
        name = "a b/%d.png" % n
        write(os.path.join(base, "pan", "annotations", "panoptic_val", "%d.png" % n), png.encode([[rgb(v) for v in row] for row in rows], 2))
        segments = []
        for v in sorted({v for row in rows for v in row} - {0}):
            at = where(rows, v)
            x, y = min(p[0] for p in at), min(p[1] for p in at)
            box = [x, y, max(p[0] for p in at) - x + 1, max(p[1] for p in at) - y + 1]
            segments.append({"id": v, "category_id": r.choice([3, 5]), "bbox": box, "area": len(at), "iscrowd": r.randrange(2)})
        doc["images"].append({"id": n, "file_name": name, "width": width, "height": height})
        doc["annotations"].append({"image_id": n, "file_name": "%d.png" % n, "segments_info": segments})
    write(os.path.join(base, "pan", "annotations", "panoptic_val.json"), doc)
    return os.path.join(base, "pan"), doc


def panoptic_trip(base):
    path, doc = panoptic(base, random.Random(2))
    out = os.path.join(base, "pan2")
    counts, lost = convert(path, "coco-panoptic", out)
    check(counts == {"images": 12, "categories": 2, "objects": sum(len(a["segments_info"]) for a in doc["annotations"])} and lost == {},
          "panoptic to panoptic: %s %s" % (counts, lost))
    with open(os.path.join(out, "annotations", "panoptic_val.json")) as f:
        again = json.load(f)
    check(again["images"] == doc["images"] and again["categories"] == doc["categories"], "panoptic: images and categories come back")
    for a, b in zip(doc["annotations"], again["annotations"]):
        check(a["segments_info"] == b["segments_info"] and a["image_id"] == b["image_id"], "panoptic: segments of %d" % a["image_id"])
        old = png.numbers(read(os.path.join(path, "annotations", "panoptic_val", a["file_name"])))
        new = png.numbers(read(os.path.join(out, "annotations", "panoptic_val", b["file_name"])))
        check(old == new, "panoptic: pixels of %d" % a["image_id"])
    # a catalog and back: things and stuff, masks
    data = os.path.join(base, "pan.vidimus")
    run("run", os.path.join(base, "none"), "--out", data, "--quiet")
    os.makedirs(os.path.join(base, "none"), exist_ok=True)
    run("run", os.path.join(base, "none"), "--out", data, "--quiet")
    r = run("import", data, path, "--name", "pan", "--json")
    check(r.returncode == 0, "panoptic import: %s" % r.stderr.decode())
    r = run("sql", data, "SELECT name, thing FROM label_category ORDER BY category", "--format", "csv")
    check(r.stdout.decode().split() == ["name,thing", "cat,1", "sky,0"], "things in the catalog: %s %s" % (r.stdout, r.stderr))
    found = run("convert", path, "--to", "csv", "--out", os.path.join(base, "x.csv")).stdout.decode()
    check("coco-panoptic to csv" in found, "panoptic is told: %s" % found[-200:])


def voc_folder(base, r, colours):
    """Two of three pictures have a document; objects count as the document does, 255 is the border."""
    names = ["aeroplane", "person", "tvmonitor", "cat"]
    index = {"aeroplane": 1, "person": 15, "tvmonitor": 20, "cat": 8}
    want = {}
    folder = os.path.join(base, "voc%d" % colours)
    for n in range(6):
        width, height = r.randrange(8, 50), r.randrange(8, 50)
        classes = [r.choice(names) for _ in range(4)]
        objects = blobs(r, width, height, [1, 2, 3, 4, 255])
        kinds = [[255 if v == 255 else index[classes[v - 1]] if v else 0 for v in row] for row in objects]
        met = sorted({v for row in objects for v in row} - {0})
        want["p%d" % n] = [(classes[v - 1] if v != 255 else "void", where(objects, v), int(v == 255)) for v in met]
        for sub, rows in (("SegmentationClass", kinds), ("SegmentationObject", objects)):
            data = png.encode([[rgb(VOC[v]) for v in row] for row in rows], 2) if colours else \
                png.encode(rows, 3, 8, [rgb(v) for v in VOC])
            write(os.path.join(folder, sub, "p%d.png" % n), data)
        if n % 3 < 2:
            xml = "".join("<object><name>%s</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>" % c
                          for c in classes)
            write(os.path.join(folder, "Annotations", "p%d.xml" % n),
                  "<annotation><filename>p%d.jpg</filename><size><width>%d</width><height>%d</height></size>%s</annotation>" %
                  (n, width, height, xml))
    write(os.path.join(folder, "ImageSets", "Segmentation", "val.txt"), "p0\np1\np3\np5\n")
    return folder, want


def same_maps(a, b, subs, what):
    for sub in subs:
        names = sorted(os.listdir(os.path.join(a, sub)))
        check(names == sorted(os.listdir(os.path.join(b, sub))), "%s: files of %s" % (what, sub))
        for n in names:
            x, y = png.numbers(read(os.path.join(a, sub, n))), png.numbers(read(os.path.join(b, sub, n)))
            check(x == y, "%s: pixels of %s/%s" % (what, sub, n))


def voc_trip(base):
    for colours in (0, 1):
        r = random.Random(3 + colours)
        folder, want = voc_folder(base, r, colours)
        out, again = os.path.join(base, "voc_a%d" % colours), os.path.join(base, "voc_b%d" % colours)
        counts, lost = convert(folder, "coco", os.path.join(base, "voc.json"))
        got = masks_of(os.path.join(base, "voc.json"))
        for k in want:
            check(sorted(got[k], key=order) == sorted(want[k], key=order), "VOC: masks of %s (colours %d)" % (k, colours))
        _, lost = convert(folder, "voc-masks", out)
        check(lost == {}, "VOC to VOC loses %s" % lost)
        convert(out, "voc-masks", again)
        same_maps(out, again, ("SegmentationClass", "SegmentationObject"), "VOC again")
        check(png.decode(read(os.path.join(out, "SegmentationClass", "p0.png")))[1] == [rgb(v) for v in VOC], "VOC's palette")
        if not colours:  # numbers are written: the same that came
            same_maps(folder, out, ("SegmentationClass", "SegmentationObject"), "VOC")
        check(sorted(read(os.path.join(out, "ImageSets", "Segmentation", "val.txt")).split()) == [b"p0", b"p1", b"p3", b"p5"], "VOC subsets")
    # other classes: labelmap.txt says which; regions that are not told apart keep no number of an object
    rows = [[0, 1, 2, 2], [0, 1, 1, 2]]
    folder = os.path.join(base, "voc_own")
    write(os.path.join(folder, "labelmap.txt"), "# x\nbackground:0,0,0::\nlawn:10,20,30::\r\nbarn:7,0,0:door:\n")
    write(os.path.join(folder, "SegmentationClass", "q.png"), png.encode([[[(0, 0, 0), (10, 20, 30), (7, 0, 0)][v] for v in row] for row in rows], 2))
    convert(folder, "coco", os.path.join(base, "own.json"))
    check(masks_of(os.path.join(base, "own.json"))["q"] == [("lawn", where(rows, 1), 1), ("barn", where(rows, 2), 1)], "VOC with labelmap.txt")
    convert(folder, "voc-masks", folder + "2")
    check(png.numbers(read(os.path.join(folder + "2", "SegmentationClass", "q.png"))) == rows, "VOC's own classes are numbered in order")
    check(not os.path.exists(os.path.join(folder + "2", "SegmentationObject")), "regions are no objects")
    convert(folder + "2", "coco", os.path.join(base, "own2.json"))
    check(masks_of(os.path.join(base, "own.json")) == masks_of(os.path.join(base, "own2.json")), "VOC with labelmap.txt comes back")
    with open(os.path.join(base, "own.json")) as f:
        doc = json.load(f)
    doc["categories"][0]["name"] = "#a:b"
    _, lost = convert(write(os.path.join(base, "own3.json"), doc), "voc-masks", folder + "3")
    check(lost == {"names that labelmap.txt cannot hold": 1}, "names with a colon: %s" % lost)
    convert(folder + "3", "coco", os.path.join(base, "own4.json"))
    check([m[0] for m in masks_of(os.path.join(base, "own4.json"))["q"]] == ["_a_b", "barn"], "names with a colon are written otherwise")


def cityscapes_trip(base):
    r = random.Random(5)
    folder, want = os.path.join(base, "city"), {}
    numbers = [7, 23, 24, 26, 26000, 26001, 26999, 33012, 40, 41007, 5]
    names = {7: "road", 23: "sky", 24: "person", 26: "car", 33: "bicycle", 40: "class 40", 41: "class 41", 5: "dynamic"}
    for n in range(6):
        rows = blobs(r, 70, 30, r.sample(numbers, 1 + n))
        stem = "gtFine/val/bonn/bonn_%06d_000019_gtFine" % n
        if n == 5:  # classes alone
            rows = [[v // 1000 if v >= 1000 else v for v in row] for row in rows]
            write(os.path.join(folder, stem + "_labelIds.png"), png.encode(rows, 0, 8))
        else:
            write(os.path.join(folder, stem + "_instanceIds.png"), png.encode(rows, 0, 16))
        met = sorted({v for row in rows for v in row} - {0})
        want["bonn_%06d_000019_leftImg8bit" % n] = [
            (names[v // 1000 if v >= 1000 else v], where(rows, v), int(v < 1000 and 24 <= v <= 33)) for v in met]
    convert(folder, "coco", os.path.join(base, "city.json"))
    check(masks_of(os.path.join(base, "city.json")) == want, "Cityscapes: masks")
    counts, lost = convert(folder, "cityscapes-masks", folder + "2")
    check(lost == {} and counts["images"] == 6, "Cityscapes to Cityscapes: %s %s" % (counts, lost))
    for n in range(6):
        stem = "gtFine/val/bonn/bonn_%06d_000019_gtFine" % n
        old = os.path.join(folder, stem + ("_labelIds.png" if n == 5 else "_instanceIds.png"))
        rows = png.numbers(read(old))
        data = read(os.path.join(folder + "2", stem + "_instanceIds.png"))
        check(png.numbers(data) == rows and data[24] == 16, "Cityscapes: instances of %d" % n)
        classes = [[v // 1000 if v >= 1000 else v for v in row] for row in rows]
        check(png.numbers(read(os.path.join(folder + "2", stem + "_labelIds.png"))) == classes, "Cityscapes: classes of %d" % n)
    # polygons go first, unless the maps are asked for
    write(os.path.join(folder, "gtFine/val/bonn/bonn_000000_000019_gtFine_polygons.json"),
          {"imgHeight": 30, "imgWidth": 70, "objects": [{"label": "car", "polygon": [[1, 1], [5, 1], [5, 5]]}] * 9})
    objects = sum(len(v) for v in want.values())
    counts, _ = convert(folder, "coco", os.path.join(base, "city.json"))
    check(counts["objects"] == objects - 1 + 9, "Cityscapes: polygons where there are some: %s" % counts)
    counts, _ = convert(folder, "coco", os.path.join(base, "city.json"), "--from", "cityscapes-masks")
    check(counts["objects"] == objects, "Cityscapes: maps by option: %s" % counts)


def mots_trip(base):
    r = random.Random(6)
    folder, want = os.path.join(base, "motspng"), {}
    for s in ("0002", "0011"):
        for n in range(4):
            rows = blobs(r, 40, 20, r.sample([1001, 1002, 2000, 2017, 2999, 10000], 1 + n))
            write(os.path.join(folder, "instances", s, "%06d.png" % n), png.encode(rows, 0, 16))
            met = sorted({v for row in rows for v in row} - {0})
            want[s, n] = (rows, [("ignore region" if v == 10000 else ["car", "pedestrian"][v // 1000 - 1], where(rows, v)) for v in met])
    counts, lost = convert(folder, "mots-png", folder + "2")
    check(lost == {} and counts["images"] == 8, "MOTS to MOTS: %s %s" % (counts, lost))
    for (s, n), (rows, _) in want.items():
        check(png.numbers(read(os.path.join(folder + "2", "instances", s, "%06d.png" % n))) == rows, "MOTS: %s/%d" % (s, n))
    # through the text form: the same masks and tracks
    convert(folder, "mots", folder + "_text")
    for s in ("0002", "0011"):
        lines = read(os.path.join(folder + "_text", s, "gt", "gt.txt")).decode().splitlines()
        got = {(int(l.split()[0]), int(l.split()[2])): set() for l in lines}
        for l in lines:
            frame, track, c, h, w, text = l.split(" ", 5)
            got[int(frame), int(c)].add((int(track), pixels({"size": [int(h), int(w)], "counts": text})))
        for (q, n), (rows, _) in want.items():
            if q != s:
                continue
            for v in {v for row in rows for v in row} - {0, 10000}:
                check((v, where(rows, v)) in got.get((n, v // 1000), ()), "MOTS text: %s frame %d object %d" % (s, n, v))
    convert(folder + "_text", "mots-png", folder + "3")
    for (s, n), (rows, _) in want.items():
        check(png.numbers(read(os.path.join(folder + "3", "instances", s, "%06d.png" % n))) == rows, "MOTS by text: %s/%d" % (s, n))


def others(base):
    """Open Images and the first LabelMe are read only."""
    oi = os.path.join(base, "oi")
    rows = [[0, 1, 1, 0], [0, 0, 1, 0]]
    write(os.path.join(oi, "masks", "train", "m1.png"), png.encode(rows, 0, 1))
    write(os.path.join(oi, "masks", "train", "m2.png"), png.encode([[0, 255], [255, 0]], 0, 8))
    write(os.path.join(oi, "annotations", "images.meta"), "p 2 4\n")
    write(os.path.join(oi, "annotations", "train-annotations-bbox.csv"),
          "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\np,/m/1,1,0.25,0.75,0,1\np,/m/1,1,0,0.5,0,1\n")
    write(os.path.join(oi, "annotations", "train-annotations-object-segmentation.csv"),
          "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks\n"
          "m1.png,p,/m/1,aa,0.250000,0.750000,0.000000,1.000000,0.75,\nm2.png,p,/m/2,bb,0,1,0,1,,\ngone.png,p,/m/2,cc,0,1,0,0.5,,\n")
    counts, lost = convert(oi, "coco", os.path.join(base, "oi.json"))
    got = masks_of(os.path.join(base, "oi.json"))["p"]
    # a mask of 2 x 2 in a picture of 4 x 2: each pixel is two
    check(got == [("/m/1", where(rows, 1), 0), ("/m/2", frozenset([(2, 0), (3, 0), (0, 1), (1, 1)]), 0)], "Open Images: %s" % got)
    check(counts["objects"] == 4 and lost.get("PNG files that are not there") == 1, "Open Images: %s %s" % (counts, lost))
    lm = os.path.join(base, "lm")
    shown = [[(9, 9, 9, 0), (9, 9, 9, 3)], [(0, 0, 0, 255), (1, 0, 0, 0)]]
    write(os.path.join(lm, "Masks", "f", "a_mask.png"), png.encode(shown, 6, 8))
    write(os.path.join(lm, "Annotations", "f", "a.xml"),
          "<annotation><filename>a.jpg</filename><folder>f</folder><imagesize><nrows>2</nrows><ncols>2</ncols></imagesize>"
          "<object><name>dog</name><segm><box><xmin>0</xmin><ymin>0</ymin><xmax>2</xmax><ymax>2</ymax></box><mask>a_mask.png</mask></segm></object>"
          "<object><name>tree</name><polygon><pt><x>0</x><y>0</y></pt><pt><x>2</x><y>0</y></pt><pt><x>2</x><y>2</y></pt></polygon></object>"
          "</annotation>")
    counts, lost = convert(lm, "coco", os.path.join(base, "lm.json"))
    check(masks_of(os.path.join(base, "lm.json"))["a"] == [("dog", frozenset([(1, 0), (0, 1)]), 0)] and lost.get("subsets", 0) == 0,
          "the first LabelMe: %s" % lost)


# ---- what does not fit ----

def losses(base):
    """Overlaps, objects that are covered, objects without pixels, too many of them."""
    square = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 8, 8], "area": 64,
              "segmentation": [[0, 0, 8, 0, 8, 8, 0, 8]]}
    small = dict(square, id=2, category_id=2, segmentation=[[2, 2, 4, 2, 4, 4, 2, 4]], bbox=[2, 2, 2, 2], area=4)
    boxed = {"id": 3, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [1, 1, 2, 2], "area": 4}
    doc = {"images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 8}, {"id": 2, "file_name": "b.jpg", "width": 0, "height": 0}],
           "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}], "annotations": [square, small, boxed]}
    path = write(os.path.join(base, "over.json"), doc)
    _, lost = convert(path, "coco-panoptic", os.path.join(base, "over_pan.json"))
    check(lost == {"polygons": 2, "overlaps of objects (the later one has the pixels)": 1, "objects without pixels": 1,
                   "masks of pictures whose size is not known": 1}, "overlaps: %s" % lost)
    with open(os.path.join(base, "over_pan.json")) as f:
        segments = json.load(f)["annotations"][0]["segments_info"]
    check([(s["id"], s["area"], s["bbox"]) for s in segments] == [(1, 60, [0, 0, 8, 8]), (2, 4, [2, 2, 2, 2])],
          "what is left of a covered segment: %s" % segments)
    doc["annotations"] = [small, dict(square, id=2)]
    _, lost = convert(write(path, doc), "coco-panoptic", os.path.join(base, "over_pan.json"))
    check(lost.get("objects that others cover") == 1, "covered: %s" % lost)
    many = [dict(small, id=k, segmentation=[[k % 20, k // 20, k % 20 + 1, k // 20, k % 20 + 1, k // 20 + 1, k % 20, k // 20 + 1]])
            for k in range(300)]
    doc.update(annotations=many, images=[{"id": 1, "file_name": "a.jpg", "width": 20, "height": 15}])
    write(path, doc)
    _, lost = convert(path, "voc-masks", os.path.join(base, "over_voc"))
    check(lost.get("masks of objects beyond 254 of a picture") == 46, "VOC's numbers end: %s" % lost)
    rows = png.numbers(read(os.path.join(base, "over_voc", "SegmentationObject", "a.png")))
    check(sorted(v for row in rows for v in row if v) == list(range(1, 255)), "254 objects have a pixel each")
    hole = dict(square, id=1)
    cvat = write(os.path.join(base, "hole.xml"), '<annotations><image name="a.png" width="8" height="8"></image></annotations>')
    check(convert(cvat, "voc-masks", os.path.join(base, "hole"))[0] is not None and hole, "a picture without objects")
    check(not os.path.exists(os.path.join(base, "hole", "SegmentationClass")), "no map of a picture without pixels")


HOSTILE = {"truncated": lambda d: d[:-30], "cut in the header": lambda d: d[:20], "a broken checksum": lambda d: d[:-20] + b"\0" + d[-19:],
           "no end": lambda d: d[:-12], "empty": lambda d: b"", "no PNG": lambda d: b"GIF89a" + d,
           "16 million pixels a side": lambda d: d[:8] + png.chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 24, 1 << 24, 8, 2, 0, 0, 0)) + d[33:],
           "a bomb": lambda d: d[:8] + png.chunk(b"IHDR", struct.pack(">IIBBBBB", 10000, 10000, 8, 2, 0, 0, 0)) + d[33:],
           "no width": lambda d: d[:8] + png.chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0)) + d[33:],
           "12 thousand pixels a side": lambda d: d[:8] + png.chunk(b"IHDR", struct.pack(">IIBBBBB", 12000, 12000, 8, 0, 0, 0, 0)) +
           png.chunk(b"IDAT", zlib.compress(bytes(12001 * 12000), 1)) + png.chunk(b"IEND", b""),
           "25 million runs in 50 kB": lambda d: d[:8] + png.chunk(b"IHDR", struct.pack(">IIBBBBB", 5000, 5000, 8, 0, 0, 0, 0)) +
           png.chunk(b"IDAT", zlib.compress((b"\0" + b"\1" * 5000 + b"\0" + b"\2" * 5000) * 2500)) + png.chunk(b"IEND", b""),
           "16 bits a colour": lambda d: png.encode([[(1, 2, 3)] * 6] * 5, 2, 16),
           "a palette that is not there": lambda d: png.encode([[1] * 6] * 5, 3, 8)}


def hostile(base):
    rows = [[7, 7, 0, 9, 9, 9]] * 5
    good = png.encode([[rgb(v) for v in row] for row in rows], 2)
    segment = {"category_id": 1, "iscrowd": 0, "area": 1, "bbox": [0, 0, 1, 1]}
    doc = {"images": [{"id": 1, "file_name": "a.jpg", "width": 6, "height": 5}], "categories": [{"id": 1, "name": "c"}],
           "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": [dict(segment, id=7), dict(segment, id=8)]}]}
    anysize = dict(doc, images=[{"id": 1, "file_name": "a.jpg", "width": 0, "height": 0}])
    path, map_path, out = os.path.join(base, "bad", "p.json"), os.path.join(base, "bad", "p", "a.png"), os.path.join(base, "bad", "o.json")
    write(path, doc)
    write(map_path, good)
    counts, lost = convert(path, "coco", out)
    check(counts["objects"] == 2 and lost == {"segments without pixels": 1, "numbers in PNG files without a segment": 1},
          "numbers and segments that do not meet: %s %s" % (counts, lost))
    write(path, anysize)  # what a map is is not told by its size alone
    for what, spoil in HOSTILE.items():
        if os.path.exists(out):
            os.remove(out)
        write(map_path, spoil(good))
        r = run("convert", path, "--to", "coco", "--out", out)
        err = r.stderr.decode(errors="replace")
        check(r.returncode == 3 and "p/a.png" in err and not os.path.exists(out), "%s: %d %s" % (what, r.returncode, err))
    write(path, doc)
    write(map_path, png.encode([[rgb(7)] * 5] * 6, 2))
    _, lost = convert(path, "coco", out)
    check(lost == {"PNG files of another size than their picture": 1}, "another size: %s" % lost)
    os.remove(map_path)
    _, lost = convert(path, "coco", out)
    check(lost == {"PNG files that are not there": 1}, "no map: %s" % lost)
    os.mkfifo(map_path)
    _, lost = convert(path, "coco", out)
    check(lost == {"PNG files that are not there": 1}, "a pipe: %s" % lost)
    os.remove(map_path)
    write(map_path, good)
    bad = [("two segments with id 7", [dict(segment, id=7), dict(segment, id=7)]), ("a segment without an id", [segment])]
    for says, segments in bad:
        write(path, dict(doc, annotations=[dict(doc["annotations"][0], segments_info=segments)]))
        r = run("convert", path, "--to", "coco", "--out", out)
        check(r.returncode == 3 and says in r.stderr.decode() and "p.json: byte" in r.stderr.decode(), "%s: %s" % (says, r.stderr.decode()))
    write(path, dict(doc, annotations=[{"image_id": 1, "segments_info": []}]))
    r = run("convert", path, "--to", "coco", "--out", out)
    check(r.returncode == 3 and "without the file_name" in r.stderr.decode(), "no file_name: %s" % r.stderr.decode())
    # a name that leads out of the folder is looked up in it
    write(path, dict(doc, annotations=[dict(doc["annotations"][0], file_name="../../../../etc/a.png")]))
    counts, lost = convert(path, "coco", out)
    check(counts is not None and "PNG files that are not there" not in lost, "a name with ..: %s" % lost)
    write(os.path.join(base, "lmap", "SegmentationClass", "a.png"), good)
    for text in ("a:1,2\n", "a:1,2,256\n", ":1,2,3\n", "a\n"):
        write(os.path.join(base, "lmap", "labelmap.txt"), text)
        r = run("convert", os.path.join(base, "lmap"), "--to", "coco", "--out", out)
        check(r.returncode == 3 and "labelmap.txt:1" in r.stderr.decode(), "labelmap '%s': %s" % (text, r.stderr.decode()))


def without_process(base):
    """Labels without maps start no decoding process: there is none to start."""
    os.makedirs(os.path.join(base, "nothing"), exist_ok=True)
    doc = {"images": [{"id": 1, "file_name": "a.jpg", "width": 6, "height": 5}], "categories": [{"id": 1, "name": "c"}],
           "annotations": [{"image_id": 1, "id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]}
    path = write(os.path.join(base, "plain.json"), doc)
    for fmt in ("coco", "voc", "cityscapes", "coco-panoptic", "yolo"):
        r = run("convert", path, "--to", fmt, "--out", os.path.join(base, "plain_" + fmt), env={"VIDIMUS_LIBEXEC": os.path.join(base, "nothing")})
        check(r.returncode == 0, "%s without a decoder: %s" % (fmt, r.stderr.decode()))
    pan, _ = panoptic(base, random.Random(8))
    r = run("convert", pan, "--to", "coco", "--out", os.path.join(base, "x.json"), env={"VIDIMUS_LIBEXEC": os.path.join(base, "nothing")})
    check(r.returncode == 3 and "vidimus-codec" in r.stderr.decode(), "maps without a decoder: %s" % r.stderr.decode())


def evaluated(base):
    """eval segmentation takes samples as they are: 16 bits, palettes, few bits."""
    rows = blobs(random.Random(9), 30, 20, [1, 2, 3, 1, 2])
    kinds = {"g8": png.encode(rows), "g16": png.encode(rows, 0, 16), "p8": png.encode(rows, 3, 8, [(9, i, 200) for i in range(4)]),
             "p2": png.encode(rows, 3, 2, [(9, i, 200) for i in range(4)]), "g2": png.encode(rows, 0, 2, interlaced=True)}
    for a, data in kinds.items():
        write(os.path.join(base, "seg", a, "m.png"), data)
    for a in kinds:
        r = run("eval", "segmentation", "--truth", os.path.join(base, "seg", "g8"), "--pred", os.path.join(base, "seg", a), "--boundary", 0,
                "--bootstrap", 0, "--json")
        check(r.returncode == 0 and json.loads(r.stdout)["mIoU"] == 1, "eval segmentation of %s: %s" % (a, r.stderr.decode()))
    big = [[40000 + v for v in row] for row in rows]
    write(os.path.join(base, "seg", "big", "m.png"), png.encode(big, 0, 16))
    r = run("eval", "segmentation", "--truth", os.path.join(base, "seg", "big"), "--pred", os.path.join(base, "seg", "big"), "--boundary", 0,
            "--bootstrap", 0, "--by", "class", "--format", "csv")
    classes = [l.split(",")[0] for l in r.stdout.decode().splitlines()[1:]]
    check(classes == [str(v) for v in sorted({v for row in big for v in row})], "classes beyond 255: %s" % classes)


# ---- files of others ----

def shared(base):
    root = os.path.join(DATA, "annotations")
    if not os.path.isdir(root):
        return skip("files of others: no annotations in VIDIMUS_TEST_DATA")
    out = os.path.join(base, "shared.json")
    for name in ("coco_dataset/coco/annotations/panoptic_val", "coco_dataset/coco/annotations/panoptic_train"):
        with open(os.path.join(root, name + ".json")) as f:
            doc = json.load(f)
        counts, lost = convert(os.path.join(root, name + ".json"), "coco", out)
        want = {}
        for a in doc["annotations"]:
            rows = png.numbers(read(os.path.join(root, name, a["file_name"])))
            want[a["file_name"][:-4]] = [where(rows, s["id"]) for s in a["segments_info"] if where(rows, s["id"])]
        got = {k: [m[1] for m in v] for k, v in masks_of(out).items()}
        check(got == want, "%s: %s" % (name, counts))
    for name in ("dataset", "train_dataset"):
        folder, total = os.path.join(root, "cityscapes_dataset", name), 0
        counts, _ = convert(folder, "coco", out)
        got = masks_of(out)
        for d, _, files in os.walk(folder):
            for n in files:
                if not n.endswith("_instanceIds.png"):
                    continue
                rows = png.numbers(read(os.path.join(d, n)))
                met = sorted({v for row in rows for v in row} - {0})
                total += len(met)
                check([m[1] for m in got[n.replace("_gtFine_instanceIds.png", "_leftImg8bit")]] == [where(rows, v) for v in met], "%s: %s" % (name, n))
        check(counts["objects"] == total, "cityscapes %s: %s, %d expected" % (name, counts, total))
    folder, total = os.path.join(root, "mots_dataset"), 0
    counts, _ = convert(folder, "coco", out)
    got = masks_of(out)
    for d, _, files in os.walk(folder):
        for n in files:
            if n.endswith(".png"):
                rows = png.numbers(read(os.path.join(d, n)))
                met = sorted({v for row in rows for v in row} - {0})
                total += len(met)
                check([(m[0], m[1]) for m in got[n[:-4]]] == [("abcd"[v // 1000 - 1], where(rows, v)) for v in met], "MOTS %s" % n)
    check(counts == {"images": 3, "categories": 4, "objects": total}, "MOTS: %s" % counts)
    convert(os.path.join(root, "voc_dataset/voc_dataset1"), "coco", out)
    check(masks_of(out)["2007_000001"] == [("bicycle", frozenset((x, y) for x in range(20) for y in range(10)), 0)], "VOC's sample")
    convert(os.path.join(root, "open_images_dataset/v6"), "coco", out)
    rows = png.numbers(read(os.path.join(root, "open_images_dataset/v6/masks/train/b_m0_01234567.png")))
    check(masks_of(out)["b"] == [("Generic label #0", where(rows, 1), 0)], "Open Images' sample")
    convert(os.path.join(root, "labelme_dataset"), "coco", out)
    for i, name in ((0, "img1_mask_1.png"), (1, "img1_mask_5.png")):
        rows = png.decode(read(os.path.join(root, "labelme_dataset/Masks/subset1", name)))[0]
        want = frozenset((x, y) for y, row in enumerate(rows) for x, p in enumerate(row) if p[3])
        check(masks_of(out)["img1"][i][1] == want, "LabelMe's sample: %s" % name)


def coco128(base):
    """100 pictures of COCO: areas are those that their file states, and the reference's masks are ours."""
    path = os.path.join(DATA, "coco", "coco128-train2017", "panoptic_segmentation", "annotations", "panoptic_train2017.json")
    if not os.path.isfile(path):
        return skip("COCO's panoptic pictures: not in VIDIMUS_TEST_DATA")
    with open(path) as f:
        doc = json.load(f)
    there = {n for n in os.listdir(path[:-5])}
    counts, lost = convert(path, "coco-panoptic", os.path.join(base, "c128.json"))
    check(counts == {"images": len(doc["images"]), "categories": 133, "objects": sum(len(a["segments_info"]) for a in doc["annotations"])},
          "COCO panoptic: %s" % counts)
    missing = [a for a in doc["annotations"] if a["file_name"] not in there]
    check(lost == {"PNG files that are not there": len(missing), "objects without pixels": sum(len(a["segments_info"]) for a in missing)},
          "COCO panoptic loses %s" % lost)
    with open(os.path.join(base, "c128.json")) as f:
        again = {a["image_id"]: a for a in json.load(f)["annotations"]}
    for a in doc["annotations"]:
        if a["file_name"] in there:
            check({s["id"]: s for s in a["segments_info"]} == {s["id"]: s for s in again[a["image_id"]]["segments_info"]},
                  "segments of %s" % a["file_name"])
    for name in sorted(there)[:4]:
        check(png.numbers(read(os.path.join(path[:-5], name))) == png.numbers(read(os.path.join(base, "c128", name))), "pixels of %s" % name)
    # areas by pixels, not as stated
    for a in doc["annotations"]:
        for s in a["segments_info"]:
            s["area"] = 0
            s.pop("area")
    bare = write(os.path.join(base, "bare.json"), doc)
    os.symlink(path[:-5], os.path.join(base, "bare"))
    convert(bare, "coco", os.path.join(base, "bare_out.json"))
    with open(os.path.join(base, "bare_out.json")) as f:
        areas = sorted(x["area"] for x in json.load(f)["annotations"] if "segmentation" in x)
    with open(path) as f:
        stated = sorted(s["area"] for a in json.load(f)["annotations"] if a["file_name"] in there for s in a["segments_info"])
    check(areas == stated, "areas of masks are those that COCO states")


def main():
    base = tempfile.mkdtemp(prefix="vidimus-masks-")
    try:
        for test in (samples, panoptic_trip, voc_trip, cityscapes_trip, mots_trip, others, losses, hostile, without_process, evaluated, shared,
                     coco128):
            test(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print("masks: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
