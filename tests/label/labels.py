#!/usr/bin/env python3
"""vidimus convert and import from outside: round trips through every format, counts on the samples of other programs,
what is refused and how, detection, labels that turn with their picture, an import that is killed.

    labels.py BUILD     SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
import zlib

BUILD = os.path.abspath(sys.argv[1])
BIN = os.environ.get("VIDIMUS_BIN", os.path.join(BUILD, "vidimus"))
DATA = os.environ.get("VIDIMUS_TEST_DATA", "")
passed = failed = skipped = 0


def check(ok, what):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print("FAILED " + what)


def run(*args):
    return subprocess.run([BIN, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def convert(path, to, out, *more):
    """({images, categories, objects}, {what was lost: count}); None when it failed."""
    r = run("convert", path, "--to", to, "--out", out, "--json", *more)
    if r.returncode != 0:
        print(r.stderr.decode(errors="replace").strip())
        return None, None
    rows = json.loads(r.stdout)
    return ({x["what"]: x["count"] for x in rows if not x["lost"]}, {x["what"]: x["count"] for x in rows if x["lost"]})


def png(path, width, height):
    """A black picture: sizes are read from it."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height)) + chunk(b"IEND", b""))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return path


def coco(r, images=7, shapes=("box",)):
    """A made document; numbers have two places, so that all formats can hold them."""
    doc = {"images": [], "categories": [], "annotations": []}
    for i in range(images):
        doc["images"].append({"id": 10 + i, "file_name": "pic_%03d.png" % i, "width": 64 + i, "height": 48 + 2 * i})
    for c, name in enumerate(["cat", "traffic light", "dög & <b>"]):
        doc["categories"].append({"id": 3 + 2 * c, "name": name, "supercategory": ""})
    for k in range(images * 3):
        m = r.choice(doc["images"][1:])  # the first one has none
        x, y = round(r.uniform(0, 30), 2), round(r.uniform(0, 20), 2)
        w, h = round(r.uniform(1, 30), 2), round(r.uniform(1, 20), 2)
        a = {"id": k + 1, "image_id": m["id"], "category_id": r.choice(doc["categories"])["id"],
             "area": round(w * h, 4), "iscrowd": 0}
        if "box" in shapes:
            a["bbox"] = [x, y, w, h]
        if "polygon" in shapes:
            a["segmentation"] = [[x, y, x + w, y, round(x + w / 2, 2), y + h]]
        if "keypoints" in shapes:
            a["keypoints"] = [x, y, 2, round(x + w, 2), y, 1, 0, 0, 0]
            a["num_keypoints"] = 2
        doc["annotations"].append(a)
    if "keypoints" in shapes:
        for c in doc["categories"]:
            c.update(keypoints=["a", "b", "c"], skeleton=[[1, 2], [2, 3]])
    return doc


def stem(name):
    return os.path.splitext(os.path.basename(name))[0]


def facts(path, with_polygons=False):
    """Sorted objects of a COCO file: picture, class, numbers."""
    with open(path) as f:
        doc = json.load(f)
    names = {m["id"]: stem(m["file_name"]) for m in doc["images"]}
    classes = {c["id"]: c["name"] for c in doc["categories"]}
    out = []
    for a in doc["annotations"]:
        shape = tuple(a["segmentation"][0]) if with_polygons else tuple(a["bbox"])
        out.append((names[a["image_id"]], classes[a["category_id"]], shape))
    return sorted(names.values()), sorted(out)


def near(a, b, tolerance):
    if a[0] != b[0] or len(a[1]) != len(b[1]):
        return False
    return all(x[:2] == y[:2] and len(x[2]) == len(y[2]) and all(abs(u - v) <= tolerance for u, v in zip(x[2], y[2]))
               for x, y in zip(a[1], b[1]))


def round_trips(base):
    r = random.Random(3)
    # format, what it is written as, whether class names keep blanks, tolerance, shapes
    cases = [("coco", ".json", 0, "box polygon"), ("coco", "", 0, "box polygon"), ("datumaro", "", 0, "polygon"),
             ("cvat", ".xml", 0, "polygon"), ("labelme", "", 0, "polygon"), ("label-studio", ".json", 1e-9, "polygon"),
             ("yolo-segment", "", 1e-9, "polygon"), ("cityscapes", "", 0, "polygon"), ("voc", "", 1e-9, "box"),
             ("yolo", "", 1e-9, "box"), ("kitti", "", 1e-9, "box"), ("mot", "", 0, "box"), ("csv", ".csv", 1e-9, "box"),
             ("cvat", ".xml", 1e-9, "box"), ("label-studio", ".json", 1e-9, "box"), ("labelme", "", 1e-9, "box"),
             ("datumaro", "", 0, "box"), ("yolo-obb", "", 1e-9, "box"), ("open-images", "", 1e-9, "box"),
             ("youtube-vis", ".json", 0, "box")]
    for n, (fmt, ext, tolerance, shapes) in enumerate(cases):
        what = "%s of %s" % (fmt, shapes)
        doc = coco(r, shapes=shapes.split())
        folder = os.path.join(base, "trip%d" % n)
        a = write(os.path.join(folder, "a.json"), doc)
        for m in doc["images"]:
            png(os.path.join(folder, "pictures", m["file_name"]), m["width"], m["height"])
        b, c = os.path.join(folder, "b" + ext), os.path.join(folder, "c.json")
        counts, lost = convert(a, fmt, b)
        check(counts == {"images": 7, "categories": 3, "objects": 21}, what + ": counts %s" % counts)
        back, _ = convert(b, "coco", c, "--images", os.path.join(folder, "pictures"), "--from", fmt)
        if back is None:
            check(False, what + ": does not come back")
            continue
        want, got = facts(a, "polygon" in shapes), facts(c, "polygon" in shapes)
        if fmt == "kitti":  # blanks end a word there
            want = (want[0], sorted((x, y.replace(" ", "_"), z) for x, y, z in want[1]))
        if fmt == "mot":  # frames have numbers for names
            want = (sorted("%06d" % (i + 1) for i in range(7)),
                    sorted(("%06d" % (int(x[-3:]) + 1), y, z) for x, y, z in want[1]))
            got = (want[0], got[1])  # pictures without objects are not in a list of objects
        if fmt == "cityscapes":
            got = ([g.replace("_leftImg8bit", "") for g in got[0]],
                   [(x.replace("_leftImg8bit", ""), y, z) for x, y, z in got[1]])
        check(near(want, got, tolerance), what + ": comes back otherwise\n%s\n%s" % (want[1][:2], got[1][:2]))
        found = run("convert", b, "--to", "csv", "--out", os.path.join(folder, "d.csv"), "--images", os.path.join(folder, "pictures"))
        name = found.stdout.decode().strip().splitlines()[-1] if found.stdout else ""
        named = name.startswith(fmt + " to") or (fmt.startswith("yolo") and name.startswith("yolo to"))
        check(named, what + ": taken for '%s' %s" % (name, found.stderr.decode()))


def lossless(base):
    """COCO to COCO and through Datumaro: every member of every annotation."""
    doc = coco(random.Random(4), shapes=("box", "keypoints"))
    for k, a in enumerate(doc["annotations"]):
        a["attributes"] = {"n": k, "t": "é\"", "list": [1, {"x": None}], "f": 0.1 + k}
        if k % 3 == 0:
            a.update(iscrowd=1, segmentation={"size": [48, 64], "counts": [100, 20, 48 * 64 - 120]})
        if k % 4 == 0:
            a["score"] = 1 / (k + 3)
            a["track_id"] = k
    doc["annotations"].append({"id": 999, "image_id": 11, "caption": "a \u20ac \n b"})
    doc["images"][0]["attributes"] = {"night": True}
    a, b = write(os.path.join(base, "all.json"), doc), os.path.join(base, "all2.json")
    _, lost = convert(a, "coco", b)
    check(lost == {}, "COCO to COCO loses %s" % lost)
    with open(b) as f:
        again = json.load(f)
    for kind in ("images", "annotations", "categories"):
        for x, y in zip(doc[kind], again[kind]):
            check(x == y, "COCO to COCO: %s\n  %s" % (x, y))
    plain = coco(random.Random(4))
    plain["annotations"][0]["file_name"] = "a name.png"
    plain["annotations"][1]["file_name"] = 7
    plain["categories"][0]["isthing"] = None
    convert(write(os.path.join(base, "named.json"), plain), "coco", b)
    with open(b) as f:
        again = [x.get("attributes") for x in json.load(f)["annotations"]]
    check(again[:3] == [{"file_name": "a name.png"}, {"file_name": 7}, None], "file_name of annotations without segments: %s" % again[:3])
    lvis = coco(random.Random(5), shapes=("box", "polygon"))
    for m in lvis["images"]:
        m.update(neg_category_ids=[3], not_exhaustive_category_ids=[])
    write(os.path.join(base, "lvis.json"), lvis)
    _, lost = convert(os.path.join(base, "lvis.json"), "lvis", os.path.join(base, "lvis2.json"))
    with open(os.path.join(base, "lvis2.json")) as f:
        check(json.load(f)["images"] == lvis["images"], "LVIS keeps what pictures were searched for")


def losses(base):
    doc = coco(random.Random(6), shapes=("box", "polygon", "keypoints"))
    a = write(os.path.join(base, "loss.json"), doc)
    n = len(doc["annotations"])
    for fmt, ext, want in [("voc", "", {"polygons": n, "keypoints": n}), ("kitti", "", {"polygons": n, "keypoints": n}),
                           ("mot", "", {"polygons": n, "keypoints": n}), ("csv", ".csv", {"polygons": n, "keypoints": n}),
                           ("yolo-pose", "", {"polygons": n}), ("coco", ".json", {}), ("mots", "", None)]:
        _, lost = convert(a, fmt, os.path.join(base, "lossy_" + fmt + ext))
        if want is None:
            check(lost and lost.get("objects without a mask") == n, "%s loses %s" % (fmt, lost))
        else:
            check(lost == want, "%s loses %s, expected %s" % (fmt, lost, want))


def videos(base):
    mask = {"size": [4, 5], "counts": [3, 5, 12]}
    doc = {"videos": [{"id": 1, "width": 5, "height": 4, "length": 3, "file_names": ["v/%d.jpg" % i for i in range(3)]}],
           "categories": [{"id": 7, "name": "fish"}],
           "annotations": [{"id": 4, "video_id": 1, "category_id": 7, "iscrowd": 0, "areas": [5, None, 5],
                            "segmentations": [mask, None, mask], "bboxes": [[0, 0, 2, 4], None, [0, 0, 2, 4]]}]}
    counts, _ = convert(write(os.path.join(base, "vis.json"), doc), "mots", os.path.join(base, "mots"))
    check(counts == {"images": 3, "categories": 1, "objects": 2}, "YouTube-VIS: %s" % counts)
    with open(os.path.join(base, "mots", "v", "gt", "gt.txt")) as f:
        lines = f.read().split("\n")
    check([l.split()[:5] for l in lines[:2]] == [["0", "4", "1", "4", "5"], ["2", "4", "1", "4", "5"]], "MOTS lines: %s" % lines)
    back, lost = convert(os.path.join(base, "vis.json"), "youtube-vis", os.path.join(base, "vis2.json"))
    with open(os.path.join(base, "vis2.json")) as f:
        again = json.load(f)
    same = {**doc["annotations"][0], "length": 3}
    check(lost == {} and again["annotations"] == [same] and again["videos"] == doc["videos"], "YouTube-VIS comes back: %s %s" % (again, lost))
    convert(os.path.join(base, "mots"), "youtube-vis", os.path.join(base, "vis3.json"))
    with open(os.path.join(base, "vis3.json")) as f:
        again = json.load(f)["annotations"]
    check(len(again) == 1 and again[0]["id"] == 4 and [m for m in again[0]["segmentations"] if m] == [mask, mask], "MOTS to YouTube-VIS: %s" % again)
    tracked = os.path.join(base, "tracked")
    rows_of = {"a": [(1, 7, 10.5, 20, 30, 40), (2, 7, 11, 20, 30, 40), (4, 7, 12, 20, 30, 40), (1, 9, 1, 2, 3.25, 4)],
               "b": [(1, 7, 50, 60, 7, 8), (2, 3, 5, 6, 7, 8)]}
    for name, lines in rows_of.items():
        write(os.path.join(tracked, name, "gt", "gt.txt"), "".join("%d,%d,%s,%s,%s,%s,1,1,1\n" % l for l in lines))
        write(os.path.join(tracked, name, "seqinfo.ini"), "[Sequence]\nname=%s\nimDir=img1\nframeRate=30\nseqLength=4\nimWidth=100\nimHeight=90\nimExt=.jpg\n" % name)
    convert(tracked, "cvat-video", os.path.join(base, "videos"))
    check(sorted(os.listdir(os.path.join(base, "videos"))) == ["a.xml", "b.xml"], "a file for each video: %s" % os.listdir(os.path.join(base, "videos")))
    a = ET.parse(os.path.join(base, "videos", "a.xml")).getroot()
    shown = {t.get("id"): [(int(s.get("frame")), s.get("outside")) for s in t] for t in a.iter("track")}
    check(shown == {"7": [(1, "0"), (2, "0"), (3, "1"), (4, "0")], "9": [(1, "0"), (2, "1")]}, "runs of tracks: %s" % shown)
    counts, _ = convert(os.path.join(base, "videos"), "coco", os.path.join(base, "videos.json"))
    with open(os.path.join(base, "videos.json")) as f:
        back = json.load(f)
    where = {m["id"]: m["file_name"] for m in back["images"]}
    got = sorted((where[x["image_id"]], x["track_id"], *x["bbox"]) for x in back["annotations"])
    want = sorted(("%s/frame_%06d.PNG" % (name, l[0]), *map(float, l[1:])) for name, lines in rows_of.items() for l in lines)
    check(got == want, "tracks of CVAT come back:\n%s\n%s" % (got, want))
    counts, _ = convert(os.path.join(base, "mots"), "coco", os.path.join(base, "mots.json"))
    with open(os.path.join(base, "mots.json")) as f:
        back = json.load(f)["annotations"]
    check(counts["objects"] == 2 and all(a["track_id"] == 4 and a["area"] == 5 for a in back), "MOTS comes back: %s" % back)


BROKEN = [
    ("a.json", '{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":2}],"categories":[]}', "coco", "no image has the id 2"),
    ("a.json", '{"images":[{"id":1,"file_name":"a"},{"id":1,"file_name":"b"}]}', "coco", "two images with id 1"),
    ("a.json", '{"images":[{"id":1,"file_name":"a","width":-3}]}', "coco", "byte"),
    ("a.json", '{"images":[{"id":1,"file_name":"a"}],"categories":[],"annotations":[{"image_id":1,"bbox":[1,2,-3,4]}]}', "coco",
     "negative side"),
    ("a.json", '{"images":[{"id":1,"file_name":"a"}],"categories":[],"annotations":[{"image_id":1,"bbox":[1,2,3]}]}', "coco",
     "a box of 3 numbers"),
    ("a.json", '{"images":[{"id":1,"file_name":"a"}],"categories":[],"annotations":[{"image_id":1,"segmentation":'
     '{"size":[2,2],"counts":[1,9]}}]}', "coco", "a.json: byte"),
    ("a.json", '{"images":[', "coco", "a.json: byte 11"),
    ("a.json", '{"images":[{"id":1,"file_name":"a"}],"annotations":[{"image_id":1,"bbox":[NaN,2,3,4]}],"categories":[]}', "coco", "byte"),
    ("a.json", '[]]', "coco", "after the document"),
    ("y/labels/a.txt", "0 0.5 0.5\n", "yolo", "a.txt:1"), ("y/labels/a.txt", "x 1 2 3 4\n", "yolo", "a.txt:1"),
    ("y/labels/a.txt", "0 1 2 3 nan\n", "yolo", "not a finite number"),
    ("v/a.xml", "<annotation><object><name>c</name></object></annotation>", "voc", "a.xml:1: an object without a whole bndbox"),
    ("v/a.xml", "<annotation><object>", "voc", "a.xml:1"), ("v/a.xml", "<other/>", "voc", "not an annotation"),
    ("v/a.xml", '<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>', "voc", "declares an entity"),
    ("k/label_2/a.txt", "Car 1 2\n", "kitti", "a.txt:1"), ("m/gt/gt.txt", "1,2,3\n", "mot", "gt.txt:1: 3 columns"),
    ("m/gt/gt.txt", "1 2 2 3 3 ~~~\n", "mots", "gt.txt:1"),
    ("l.json", '{"shapes":[{"points":[[1,2]]}],"imagePath":"a"}', "labelme", "a shape without a label"),
    ("c.xml", '<annotations><image name="a" width="1" height="1"><box xtl="q"/></image></annotations>', "cvat", "c.xml:1: xtl 'q'"),
    ("c.xml", '<annotations><image name="a" width="4" height="4"><mask rle="1,99" left="0" top="0" width="2" height="2"/>'
     '</image></annotations>', "cvat", "does not fit"),
    ("s.json", '[{"id":1}]', "label-studio", "byte 1: a task without"), ("c.csv", "a.jpg,1,x,3,4,b\n", "csv", "c.csv:1: corner 'x'"),
    ("c.csv", '"a.jpg\n', "csv", "c.csv:1: a quote that is not closed"),
    ("d.json", '{"categories":{},"items":[{"id":"a","annotations":[{"type":"label","label_id":3}]}]}', "datumaro", "label_id 3"),
    ("o/a.xml", "<annotation><filename>a</filename><object><name>c</name></object></annotation>", "labelme-xml", "without a polygon"),
    ("t.json", '{"videos":[],"categories":[],"annotations":[{"video_id":1,"category_id":1}]}', "youtube-vis", "no video has the id 1"),
]


def broken(base):
    for i, (name, text, fmt, says) in enumerate(BROKEN):
        path = write(os.path.join(base, "bad%d" % i, name), text)
        if "/" in name:
            path = os.path.join(base, "bad%d" % i, name.split("/")[0])
        if fmt == "yolo":
            png(os.path.join(path, "images", "a.png"), 8, 8)
        out = os.path.join(base, "never.json")
        r = run("convert", path, "--from", fmt, "--to", "coco", "--out", out)
        err = r.stderr.decode(errors="replace")
        check(r.returncode == 3 and says in err, "%s '%s': %d %s" % (fmt, text[:60], r.returncode, err))
        check(not os.path.exists(out), "%s: something was written" % fmt)
    hostile = {"images": [{"id": 1, "file_name": "../../../escape.jpg", "width": 4, "height": 4}], "categories": [{"id": 1, "name": "a"}],
               "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}]}
    inner = os.path.join(base, "x", "y", "z")
    for fmt in ("yolo", "voc", "kitti", "labelme", "cityscapes", "mot"):
        convert(write(os.path.join(base, "h.json"), hostile), fmt, os.path.join(inner, fmt))
    outside = [f for d, _, names in os.walk(base) for f in names if "escape" in f and not d.startswith(inner)]
    check(outside == [], "files outside of the folder: %s" % outside)


SAMPLES = [("coco_dataset/coco/annotations/instances_train.json", "coco", 1, 3, 1), ("coco_dataset/coco/annotations/instances_val.json", "coco", 1, 3, 2),
           ("coco_dataset/coco/annotations/captions_val.json", "coco", 1, 0, 2), ("coco_dataset/coco/annotations/image_info_val.json", "coco", 1, 0, 0),
           ("coco_dataset/coco/annotations/panoptic_val.json", "coco-panoptic", 1, 2, 2), ("coco_dataset/coco/annotations/person_keypoints_val.json", "coco", 1, 2, 2),
           ("coco_dataset/coco/annotations/stuff_val.json", "coco", 1, 2, 1), ("coco_dataset/coco/annotations/labels_val.json", "coco", 1, 2, 2),
           ("coco_dataset/coco_instances", "coco", 2, 3, 3), ("coco_dataset/mmdet_coco", "coco", 2, 3, 3), ("coco_dataset/coco_roboflow", "coco", 2, 3, 3),
           ("yolo_dataset/strict", "yolo", 1, 10, 2), ("yolo_dataset/labels", "yolo", 2, 10, 4), ("yolo_dataset/annotations", "yolo", 1, 10, 2),
           ("roboflow_dataset/yolo", "yolo", 3, 2, 4), ("roboflow_dataset/voc", "voc", 3, 2, 4), ("roboflow_dataset/coco", "coco", 3, 2, 4),
           ("roboflow_dataset/multiclass/train/_classes.csv", "csv", 2, 2, 2), ("voc_dataset/voc_dataset1", "voc", 2, 3, 3),
           ("voc_dataset/voc_dataset2", "voc", 5, 4, 4), ("voc_dataset/voc_dataset3", "voc", 1, 1, 1),
           ("kitti_dataset/kitti_detection", "kitti", 2, 2, 5), ("cvat_dataset/for_images/export_task", "cvat", 2, 2, 4),
           ("cvat_dataset/for_images/export_project", "cvat", 6, 2, 12), ("cvat_dataset/for_video", "cvat", 2, 3, 3),
           ("datumaro_dataset/legacy", "datumaro", 4, 4, 7), ("open_images_dataset/v6", "open-images", 4, 4, 6),
           ("open_images_dataset/v5", "open-images", 2, 2, 0), ("mot_dataset/mot_seq", "mot", 1, 10, 1),
           ("mot_dataset/mot_seq_with_seqinfo", "mot", 1, 10, 1), ("imagenet_dataset", "imagenet", 4, 2, 3),
           ("vott_csv_dataset/dataset/train-export.csv", "csv", 2, 2, 3),
           ("labelme_dataset", "labelme-xml", 1, 7, 7),
           ("coco_dataset/coco/annotations/captions_train.json", "coco", 1, 0, 1), ("coco_dataset/coco/annotations/labels_train.json", "coco", 1, 2, 1),
           ("coco_dataset/coco/annotations/panoptic_train.json", "coco-panoptic", 1, 2, 1), ("coco_dataset/coco_panoptic", "coco-panoptic", 2, 2, 3),
           ("coco_dataset/coco/annotations/person_keypoints_train.json", "coco", 1, 2, 1), ("coco_dataset/coco/annotations/stuff_train.json", "coco", 1, 2, 1),
           ("coco_dataset/coco_captions", "coco", 2, 0, 3), ("coco_dataset/coco_image_info", "coco", 2, 0, 0), ("coco_dataset/coco_labels", "coco", 2, 2, 3),
           ("coco_dataset/coco_person_keypoints", "coco", 2, 2, 3), ("coco_dataset/coco_stuff", "coco", 2, 2, 2), ("coco_dataset/coco", "coco", 2, 3, 3),
           ("cityscapes_dataset/dataset", "cityscapes", 4, 6, 9), ("cityscapes_dataset/train_dataset", "cityscapes", 4, 6, 10),
           ("mots_dataset", "mots-png", 3, 4, 5), ("mots_dataset/train", "mots-png", 2, 4, 4), ("mot_dataset", "mot", 2, 10, 2),
           ("kitti_dataset/kitti_3d", "kitti", 1, 3, 3), ("kaggle_dataset/relaxed_coco/annotations.json", "coco", 2, 2, 2),
           ("kaggle_dataset/relaxed_voc1", "voc", 1, 2, 2), ("kaggle_dataset/relaxed_voc2", "voc", 1, 2, 2), ("kaggle_dataset/image_csv/ann.csv", "csv", 6, 3, 6),
           ("imagenet_subsets_dataset", "imagenet", 12, 2, 9), ("roboflow_dataset/yolo_obb", "yolo-obb", 3, 2, 4), ("dota_dataset", "yolo-obb", 3, 2, 4),
           ("roboflow_dataset/multiclass/val/_classes.csv", "csv", 1, 2, 2), ("vott_csv_dataset/dataset/test-export.csv", "csv", 2, 2, 2),
           ("compat/v0.1/project/dataset", "datumaro", 1, 2, 1), ("sampler/inference.csv", "csv", 30, 4, 120)]

# Samples of formats that are not read, and folders without labels.
OTHERS = {"ade20k2017_dataset": "ADE20K", "ade20k2020_dataset": "ADE20K", "align_celeba_dataset": "CelebA", "ava_dataset": "AVA", "brats_dataset": "NIfTI volumes",
          "brats_numpy_dataset": "volumes", "camvid_dataset": "CamVid", "celeba_dataset": "CelebA", "cifar100_dataset": "pickles", "cifar10_dataset": "pickles",
          "common_semantic_segmentation_dataset": "colour maps with a table of their own", "common_super_resolution_dataset": "no labels", "icdar_dataset": "ICDAR",
          "image_dir_dataset": "no labels", "image_zip_dataset": "no labels", "imagenet_txt_dataset": "lists of classes", "kinetics_dataset": "Kinetics",
          "kitti_dataset/kitti_raw": "tracklets", "kitti_dataset/kitti_segmentation": "KITTI's maps", "kaggle_dataset/relaxed_yolo": "YOLO without classes",
          "kaggle_dataset/image_csv_det": "boxes as text in CSV", "kaggle_dataset/image_mask": "maps without classes", "lfw_dataset": "LFW",
          "mapillary_vistas_dataset": "Mapillary Vistas", "market1501_dataset": "Market-1501", "mars_dataset": "MARS", "mnist_csv_dataset": "pixels in CSV",
          "mnist_dataset": "MNIST", "mpii_dataset": "MPII", "mpii_json_dataset": "MPII", "mvtec_dataset": "MVTec", "nyu_depth_v2_dataset": "HDF5",
          "open_images_dataset/v6/annotations/bbox_labels_600_hierarchy.json": "Open Images' hierarchy", "roboflow_dataset/createml": "CreateML",
          "roboflow_dataset/tfrecord": "TFRecord", "segment_anything_dataset": "Segment Anything", "sly_pointcloud_dataset": "Supervisely",
          "synthetic_dataset": "no labels", "synthia_dataset": "SYNTHIA", "tf_detection_api_dataset": "TFRecord", "vgg_face2_dataset": "VGGFace2",
          "vott_json_dataset": "VoTT JSON", "widerface_dataset": "WIDER FACE"}


def known(root):
    """Every folder of samples is one that is read, or is said not to be."""
    told = {p.split("/")[0] for p in OTHERS} | {s[0].split("/")[0] for s in SAMPLES}
    new = [d for d in sorted(os.listdir(root)) if os.path.isdir(os.path.join(root, d)) and d not in told]
    check(new == [], "samples that nothing is said about: %s" % new)
    print("samples of formats that are not read: %s" % ", ".join("%s (%s)" % (k, OTHERS[k]) for k in sorted(OTHERS)))


def coco128(root):
    """YOLO's texts: as many objects as there are lines, pictures as files, classes as names."""
    for name, classes in (("object_detection", 80), ("instance_segmentation", 80)):
        folder = os.path.join(root, name)
        texts = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(folder, "labels")) for f in files if f.endswith(".txt")]
        lines = sum(1 for t in texts for line in open(t) if line.strip())
        with tempfile.TemporaryDirectory(prefix="vidimus-labels-") as out:
            counts, lost = convert(folder, "coco", os.path.join(out, "x.json"), "--images", os.path.join(root, "images"))
        pictures = len(os.listdir(os.path.join(root, "images", "train2017")))
        check(counts == {"images": pictures, "categories": classes, "objects": lines}, "%s: %s, %d lines" % (name, counts, lines))


def samples(base):
    global skipped
    root = os.path.join(DATA, "annotations")
    if not os.path.isdir(root):
        print("skip samples: no annotations in VIDIMUS_TEST_DATA")
        skipped += 1
        return
    for path, fmt, *want in SAMPLES:
        r = run("convert", os.path.join(root, path), "--to", "coco", "--out", os.path.join(base, "sample.json"))
        out = r.stdout.decode().split("\n")
        counts = [int(l.split()[1]) for l in out if l.split()[:1] and l.split()[0] in ("images", "categories", "objects")]
        told = out[-2].split(" ")[0] if len(out) > 1 else r.stderr.decode()
        check(counts == want and told == fmt, "%s: %s %s, expected %s %s" % (path, told, counts, fmt, want))
    known(root)
    coco128(os.path.join(DATA, "coco", "coco128-train2017"))
    evals = os.path.join(DATA, "coco", "cocoeval")
    for d, _, names in os.walk(evals):
        for n in names:
            if not n.endswith(".json") or d == evals:  # beside them: what is expected
                continue
            with open(os.path.join(d, n)) as f:
                doc = json.load(f)
            counts, _ = convert(os.path.join(d, n), "coco", os.path.join(base, "sample.json"))
            objects = doc["annotations"] if isinstance(doc, dict) else doc
            check(counts and counts["objects"] == len(objects), "%s: %s" % (n, counts))


def jpeg_with_orientation(path, orientation):
    """The binary writes a picture, and an EXIF segment with one tag goes behind its first bytes."""
    with open(path, "rb") as f:
        b = f.read()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HH", orientation, 0) + b"\0\0\0\0"
    with open(path, "wb") as f:
        f.write(b[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b[2:])


def rows(dataset, query):
    db = sqlite3.connect("file:%s/catalog.db?mode=ro" % dataset, uri=True)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def imports(base):
    pictures, dataset = os.path.join(base, "cap", "images"), os.path.join(base, "i.vidimus")
    run("synth", os.path.join(base, "cap"), "--views", 3, "--width", 80, "--height", 64, "--defects", 0, "--quiet")
    jpegs = sorted(n for n in os.listdir(pictures) if n.endswith(".jpg"))
    if len(jpegs) < 3:
        check(False, "synth wrote %s" % os.listdir(pictures))
        return
    jpeg_with_orientation(os.path.join(pictures, jpegs[1]), 6)
    r = run("run", pictures, "--out", dataset, "--quiet", "--skip", "features,match,reconstruct")
    check(r.returncode == 0, "run: %s" % r.stderr.decode())
    mask = {"size": [64, 80], "counts": [0, 1, 64 * 80 - 1]}  # the upper left pixel
    doc = {"categories": [{"id": 1, "name": "a"}], "annotations": [], "images": [
        {"id": 1, "file_name": "elsewhere/" + jpegs[0], "width": 80, "height": 64},
        {"id": 2, "file_name": jpegs[1], "width": 80, "height": 64},  # as stored: the picture is upright 64 x 80
        {"id": 3, "file_name": "nowhere.jpg", "width": 80, "height": 64}]}
    for m in (1, 2, 3):
        doc["annotations"] += [{"id": 10 * m, "image_id": m, "category_id": 1, "bbox": [1, 2, 10, 20], "iscrowd": 0, "area": 200,
                                "segmentation": [[1, 2, 11, 2, 11, 22]]},
                               {"id": 10 * m + 1, "image_id": m, "category_id": 1, "iscrowd": 1, "segmentation": mask}]
    path = write(os.path.join(base, "set.json"), doc)
    r = run("import", dataset, path, "--name", "first", "--json")
    if r.returncode != 0:
        return check(False, "import: %s" % r.stderr.decode())
    out = {x["what"]: x["count"] for x in json.loads(r.stdout or b"[]")}
    check(out == {"images": 3, "matched": 2, "turned": 1, "categories": 1, "objects": 6, "pictures that the dataset does not have": 1},
          "import says %s %s" % (out, r.stderr.decode()))
    boxes = rows(dataset, "SELECT l.x, l.y, l.width, l.height FROM label l JOIN label_image i ON i.id = l.image_id"
                 " WHERE l.source_id IN (10, 20, 21) ORDER BY l.source_id")
    # stored (x, y) is upright (64 - y, x): 2..22 becomes 42..62; the upper left pixel the upper right one
    check(boxes == [(1, 2, 10, 20), (42, 1, 20, 10), (63, 0, 1, 1)], "boxes: %s" % boxes)
    sizes = rows(dataset, "SELECT width, height, asset_id IS NULL FROM label_image ORDER BY id")
    check(sizes == [(80, 64, 0), (64, 80, 0), (80, 64, 1)], "images: %s" % sizes)
    check(run("import", dataset, path, "--name", "first").returncode == 3, "a second set of that name is refused")
    check(run("import", dataset, path, "--name", "first", "--replace").returncode == 0, "it is replaced when asked")
    check(rows(dataset, "SELECT count(*) FROM label") == [(6,)], "replacing leaves no rows behind")
    check(rows(dataset, "SELECT name, format, images, matched, objects FROM label_set") == [("first", "coco", 3, 2, 6)], "label_set")
    bad = dict(doc, annotations=doc["annotations"] + [{"id": 99, "image_id": 77}])
    r = run("import", dataset, write(os.path.join(base, "bad.json"), bad))
    check(r.returncode == 3 and rows(dataset, "SELECT (SELECT count(*) FROM label), (SELECT count(*) FROM label_set)") == [(6, 1)],
          "a failed import leaves the catalog as it was")
    killed(base, dataset)
    # fractions of the size that the catalog knows
    write(os.path.join(base, "yy", "labels", stem(jpegs[1]) + ".txt"), "0 0.5 0.5 0.5 0.25\n")
    r = run("import", dataset, os.path.join(base, "yy"), "--name", "yolo")
    box = rows(dataset, "SELECT l.x, l.y, l.width, l.height FROM label l JOIN label_image i ON i.id = l.image_id"
               " JOIN label_set s ON s.id = i.set_id WHERE s.name = 'yolo'")
    check(box == [(16, 30, 32, 20)], "yolo by the catalog's size: %s %s" % (box, r.stderr.decode()))


LABEL_TABLES = ("label_set", "label_category", "label_image", "label", "label_problem")


def everything(dataset):
    """All rows of the tables of labels, and what indexes there are."""
    out = {t: rows(dataset, "SELECT * FROM %s ORDER BY 1, 2" % t) for t in LABEL_TABLES}
    out["indexes"] = rows(dataset, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'label%' ORDER BY 1")
    return out


def alike(base):
    """Pictures of one name in several folders: the path decides, without an extension too; --where does where it cannot."""
    for part in ("train", "val"):
        png(os.path.join(base, "images", part, "p.png"), 40, 30)
        png(os.path.join(base, "masks", part, "p.png"), 40, 30)
        write(os.path.join(base, "y", "labels", part, "p.txt"), "0 0.5 0.5 0.25 0.5\n")
    dataset = os.path.join(base, "alike.vidimus")
    run("run", os.path.join(base, "images"), os.path.join(base, "masks"), "--out", dataset, "--quiet", "--only", "add,check")
    matched = "SELECT a.uri FROM label_image m JOIN asset a ON a.id = m.asset_id ORDER BY 1"
    run("import", dataset, os.path.join(base, "y"), "--name", "all")
    check(rows(dataset, matched) == [], "masks of the same names: matched %s" % rows(dataset, matched))
    run("import", dataset, os.path.join(base, "y"), "--name", "some", "--where", "uri LIKE '%/images/%'")
    want = [(os.path.realpath(os.path.join(base, "images", part, "p.png")),) for part in ("train", "val")]
    check([tuple(r) for r in rows(dataset, matched)] == want, "with --where: %s" % rows(dataset, matched))
    said = run("import", dataset, os.path.join(base, "y"), "--name", "none", "--where", "colour = 1")
    check(said.returncode == 2 and b"colour" in said.stderr, "a bad --where: %s" % said.stderr)
    check(rows(dataset, "SELECT count(*) FROM label_set")[0][0] == 2, "a refused import leaves nothing")


def killed(base, dataset):
    """SIGKILL at many moments of an import, and of one that replaces: the catalog is as before, or has all of it."""
    r = random.Random(9)
    images = [{"id": i, "file_name": "p%d.jpg" % i, "width": 640, "height": 480} for i in range(2000)]

    def document(name, n):
        notes = [{"id": k, "image_id": r.randrange(2000), "category_id": 1, "iscrowd": 0, "area": 1.0, "bbox": [1, 2, 3, 4],
                  "segmentation": [[round(r.uniform(0, 600), 2) for _ in range(40)]]} for k in range(n)]
        return write(os.path.join(base, name), {"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": notes})

    first, second = document("large.json", 40000), document("other.json", 30000)
    begun = time.monotonic()
    check(run("import", dataset, second, "--name", "large").returncode == 0, "an import that is left alone")
    took = time.monotonic() - begun
    for replace in (False, True):
        hits = 0
        if not replace:  # as if there had been none
            db = sqlite3.connect(os.path.join(dataset, "catalog.db"))
            db.executescript("DELETE FROM label WHERE image_id IN (SELECT i.id FROM label_image i JOIN label_set s ON s.id = i.set_id"
                             " WHERE s.name = 'large'); DELETE FROM label_image WHERE set_id IN (SELECT id FROM label_set WHERE name = 'large');"
                             " DELETE FROM label_category WHERE set_id IN (SELECT id FROM label_set WHERE name = 'large');"
                             " DELETE FROM label_set WHERE name = 'large'")
            db.close()
        for share in (0.05, 0.2, 0.4, 0.6, 0.75, 0.9):
            before = everything(dataset)
            p = subprocess.Popen([BIN, "import", dataset, first, "--name", "large"] + ["--replace"] * replace,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(share * took)
            p.send_signal(signal.SIGKILL)
            killed = p.wait() != 0
            hits += killed
            now = everything(dataset)
            done = len(now["label"]) == len(before["label"]) + 40000 - 30000 * replace  # in before the signal came
            check(now == before or done, "killed after %g of an import%s" % (share, " that replaces" * replace))
            check(rows(dataset, "PRAGMA integrity_check") == [("ok",)], "the file after a kill")
            check(now["indexes"] == before["indexes"], "indexes after a kill")
            if done:  # back to what it was
                check(run("import", dataset, second, "--name", "large", "--replace").returncode == 0, "import after the kill")
                break
        check(hits > 0, "no import%s was killed" % (" that replaces" * replace))
        check(run("import", dataset, second, "--name", "large", "--replace").returncode == 0, "import after the kills")
    check(rows(dataset, "SELECT objects FROM label_set WHERE name = 'large'") == [(30000,)], "all labels are there")


def main():
    base = tempfile.mkdtemp(prefix="vidimus-labels-")
    try:
        for test in (round_trips, lossless, losses, videos, broken, samples, imports, alike):
            test(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print("labels: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
