#!/usr/bin/env python3
"""vidimus export of datasets from outside: layouts, coordinates, metadata, names, snapshots, all or nothing.

What is compared: boxes with those of the label file that was imported, pixels with those of the files that were added,
tables and shards with what Python's standard library reads of them. Where Python has pycocotools, pyarrow, webdataset or
Pillow, these read the same files as well; each that is missing is said and counted as skipped.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import importlib
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ET
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "robust"))
sys.path.insert(0, HERE)
import common  # noqa: E402
from common import need  # noqa: E402
import parquet_read  # noqa: E402

W, H = 320, 240
PLACE = b"GPS-SECRET"


def tool(name):
    """A Python package, or a skipped test."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise common.Skip(f"no Python package {name}")


def js(*args, **more):
    return json.loads(common.vidimus(*args, "--json", **more).out)


# ---- pictures ----

def exif(orientation):
    """A TIFF block with an orientation, a description that is looked for, and a place."""
    text = PLACE + b"\0"
    ifd0 = [(0x010e, 2, len(text), None), (0x0112, 3, 1, orientation), (0x8825, 4, 1, None)]
    gps = [(1, 2, 2, ord("N")), (2, 5, 3, None), (3, 2, 2, ord("E")), (4, 5, 3, None)]
    at_gps = 8 + 2 + 12 * len(ifd0) + 4
    at_text = at_gps + 2 + 12 * len(gps) + 4
    at_lat = at_text + len(text)
    at_lon = at_lat + 24

    def entries(ifd, places):
        out = struct.pack("<H", len(ifd))
        for tag, kind, n, v in ifd:
            out += struct.pack("<HHII", tag, kind, n, places[tag] if v is None else v)
        return out + struct.pack("<I", 0)
    return (b"II*\0" + struct.pack("<I", 8) + entries(ifd0, {0x010e: at_text, 0x8825: at_gps}) +
            entries(gps, {2: at_lat, 4: at_lon}) + text + struct.pack("<6I", 52, 1, 31, 1, 0, 1) + struct.pack("<6I", 13, 1, 24, 1, 0, 1))


def jpeg_parts(data):
    """[(marker, bytes of the segment)] up to the end of the picture; a scan's data belongs to its SOS."""
    out, at = [], 2
    while True:
        marker = data[at + 1]
        if marker == 0xd9:
            return out
        n = 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        end = at + n
        if marker == 0xda:
            while not (data[end] == 0xff and data[end + 1] != 0 and not 0xd0 <= data[end + 1] <= 0xd7):
                end += 1
        out.append((marker, data[at:end]))
        at = end


def jpeg_pixels(data):
    """What decoding reads: tables, frames, scans."""
    return [p for m, p in jpeg_parts(data) if not 0xe0 <= m <= 0xef and m != 0xfe]


def with_exif(jpeg, orientation=1):
    """The JPEG with Exif and comment in place of what metadata it has, and with a second picture behind its end."""
    def seg(marker, body):
        return struct.pack(">BBH", 0xff, marker, len(body) + 2) + body
    parts = b"".join(p for p in jpeg_pixels(jpeg))
    meta = seg(0xe1, b"Exif\0\0" + exif(orientation)) + seg(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE) + seg(0xfe, PLACE)
    return b"\xff\xd8" + meta + parts + b"\xff\xd9" + jpeg + PLACE


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, seed, meta=True):
    r = random.Random(seed)
    rows = b"".join(b"\0" + bytes(r.randrange(256) for _ in range(3 * width)) for _ in range(height))
    said = (chunk(b"eXIf", exif(1)) + chunk(b"tEXt", b"Comment\0" + PLACE)) if meta else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + said +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def png_chunks(data):
    at, out = 8, []
    while at < len(data):
        n = struct.unpack(">I", data[at:at + 4])[0]
        out.append((data[at + 4:at + 8], data[at + 8:at + 8 + n]))
        at += 12 + n
    return out


def png_rows(data):
    """Samples of an 8-bit RGB PNG without filters, or with any of the five."""
    parts = png_chunks(data)
    w, h = struct.unpack(">II", parts[0][1][:8])
    raw = zlib.decompress(b"".join(b for k, b in parts if k == b"IDAT"))
    step, out, before = 3 * w, [], bytes(3 * w)
    for y in range(h):
        kind, line = raw[y * (step + 1)], bytearray(raw[y * (step + 1) + 1:(y + 1) * (step + 1)])
        for i in range(step):
            a, b, c = (line[i - 3] if i >= 3 else 0), before[i], (before[i - 3] if i >= 3 else 0)
            p = a + b - c
            paeth = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        out.append(bytes(line))
        before = bytes(line)
    return out


def bmp(width, height):
    row = bytes((x * 7 + k * 50) % 256 for x in range(width) for k in range(3))
    row += b"\0" * (-len(row) % 4)
    body = row * height
    return struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0) + body


def size_of(data):
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return struct.unpack(">II", data[16:24])
    for marker, seg in jpeg_parts(data):
        if 0xc0 <= marker <= 0xc2:
            return struct.unpack(">HH", seg[5:9])[::-1]
    raise AssertionError("no size")


# ---- the dataset ----

CLASSES = ["cat", "traffic light", "dög & <b>", "../up"]
LONG = "l" * 240 + ".jpg"
HOSTILE = ["a..b.jpg", "x y#1!z%.jpg", "-rf.jpg", "görl 日本.jpg", "CON.jpg", LONG]


class World:
    """Two folders, a zip and a video; labels in COCO's form with a box, a polygon or keypoints; classes; a split."""

    def __init__(self, s):
        self.s, self.d = s, s + "/d.vidimus"
        os.makedirs(s, exist_ok=True)
        made = [common.read(p) for p in common.pictures(s + "/made", 14, 0)]
        put = self.put = lambda name, data: common.write(f"{s}/in/{name}", data)
        for i, data in enumerate(made[:6]):
            put(f"a/pic{i}.jpg", with_exif(data))
        put("b/pic0.jpg", with_exif(made[6]))  # another picture of the same name
        put("b/PIC1.jpg", with_exif(made[7]))
        put("b/turned.jpg", with_exif(made[8], 6))
        put("b/noise.png", png(64, 48, 1))
        put("b/plain.bmp", bmp(50, 40))
        for i, name in enumerate(HOSTILE):
            put("h/" + name, with_exif(made[13 if name == LONG else i]) + b"%d" % i)
        put("h/broken.jpg", b"\xff\xd8\xff\xe0 no picture")
        common.avi(s + "/in/clip.avi", made[9:12])
        with zipfile.ZipFile(s + "/in/more.zip", "w") as z:
            z.writestr("inner.jpg", with_exif(made[12]))
        common.vidimus("run", "in", "--out", "d.vidimus", "--only", "add,check", "--quiet", cwd=s)
        self.labels()
        common.vidimus("import", self.d, s + "/gt.json", "--name", "gt")
        common.vidimus("import", self.d, s + "/classes.csv", "--name", "classes")
        common.vidimus("split", self.d, "60/20/20", "--by", "video", "--vectors", "none", "--name", "s")
        common.vidimus("snapshot", self.d, "v1", "--split", "s")
        self.out = 0

    def labels(self):
        r = random.Random(3)
        doc = {"images": [], "annotations": [], "categories": [
            {"id": 3 + 2 * i, "name": n, "supercategory": "", **({"keypoints": ["a", "b"], "skeleton": [[1, 2]]} if i == 0 else {})}
            for i, n in enumerate(CLASSES)]}
        names = [f"a/pic{i}.jpg" for i in range(6)] + ["b/pic0.jpg", "b/PIC1.jpg", "b/turned.jpg", "b/noise.png", "h/" + LONG]
        self.boxes = {}
        for i, name in enumerate(names):
            w, h = (64, 48) if name.endswith("noise.png") else (H, W) if "turned" in name else (W, H)
            doc["images"].append({"id": 100 + i, "file_name": name, "width": w, "height": h})
            for k in range(3):
                x, y, bw, bh = r.randrange(w // 2), r.randrange(h // 2), r.randrange(4, w // 2), r.randrange(4, h // 2)
                c = r.randrange(len(CLASSES))
                a = {"id": len(doc["annotations"]) + 1, "image_id": 100 + i, "category_id": 3 + 2 * c, "bbox": [x, y, bw, bh],
                     "area": bw * bh, "iscrowd": 0, "segmentation": [[x, y, x + bw, y, x + bw, y + bh, x, y + bh]]}
                if c == 0:
                    a.update(keypoints=[x, y, 2, x + bw, y + bh, 1], num_keypoints=2)
                doc["annotations"].append(a)
                self.boxes.setdefault(name, []).append((c, x / w, y / h, bw / w, bh / h))
        self.doc = doc
        common.write(self.s + "/gt.json", json.dumps(doc).encode())
        rows = ["filename,class"] + [f"a/pic{i}.jpg,{CLASSES[i % 2 * 3]}" for i in range(5)] + ["b/pic0.jpg,cat", "b/pic0.jpg,traffic light"]
        common.write(self.s + "/classes.csv", "\n".join(rows).encode() + b"\n")

    def export(self, fmt, *args, want=0, labels="gt", **more):
        """(folder, {what: count}) of a fresh export."""
        self.out += 1
        out = f"{self.s}/out{self.out}"
        p = common.vidimus("export", self.d, "--format", fmt, "--out", out, "--labels", labels, "--json", *args, want=want, **more)
        return out, {r["what"]: r["count"] for r in json.loads(p.out)} if p.out else {}

    def source(self, name):
        return common.read(f"{self.s}/in/{name}")

    def sql(self, q):
        return [tuple(r.values()) for r in js("sql", self.d, q)]


def tree(folder):
    """{relative path: bytes}"""
    out = {}
    for top, _, names in os.walk(folder):
        for n in names:
            p = os.path.join(top, n)
            out[os.path.relpath(p, folder)] = common.read(p)
    return out


def boxes_of_pictures(w, images, annotations, classes):
    """COCO's boxes as fractions, by the bytes of the picture that they are of: {scan of the JPEG: boxes}"""
    by = {i["id"]: i for i in images}
    out = {}
    for a in annotations:
        m = by[a["image_id"]]
        x, y, bw, bh = a["bbox"]
        out.setdefault(m["file_name"], []).append((classes[a["category_id"]], x / m["width"], y / m["height"], bw / m["width"], bh / m["height"]))
    return out


def near(a, b, tol=1e-9):
    return len(a) == len(b) and all(p[0] == q[0] and all(abs(x - y) <= tol for x, y in zip(p[1:], q[1:]))
                                    for p, q in zip(sorted(a), sorted(b)))


def matches_source(w, files, boxes, tol=1e-9):
    """Boxes by the exported file's path, against those that were imported for the picture with these pixels."""
    pixels = {}
    for name, data in ((n, w.source(n)) for n in w.boxes):
        key = tuple(jpeg_pixels(data)) if data[:2] == b"\xff\xd8" else [c for k, c in png_chunks(data) if k == b"IDAT"][0]
        pixels[hashlib.md5(repr(key).encode()).hexdigest()] = name
    seen = 0
    for path, got in boxes.items():
        data = files[path]
        key = tuple(jpeg_pixels(data)) if data[:2] == b"\xff\xd8" else [c for k, c in png_chunks(data) if k == b"IDAT"][0]
        name = pixels.get(hashlib.md5(repr(key).encode()).hexdigest(), "b/turned.jpg")
        seen += 1
        want = w.boxes[name]
        need(near(got, want, tol), f"{path} is {name}: {sorted(got)} {sorted(want)}")
    need(seen == len(w.boxes), f"{seen} pictures with boxes, {len(w.boxes)} were labelled")


# ---- formats ----

def read_yaml(text):
    """The keys of a data.yaml and its names; no path stands for its own folder."""
    keys, names = {}, {}
    for line in text.splitlines():
        if line.startswith("  "):
            k, v = line.strip().split(": ", 1)
            names[int(k)] = json.loads(v)
        elif ": " in line:
            k, v = line.split(": ", 1)
            keys[k] = v
    return keys, names


def yolo_boxes(folder, segment=False):
    """As the Ultralytics loader maps: images/ in a path becomes labels/, the extension .txt."""
    keys, names = read_yaml(common.read(folder + "/data.yaml").decode())
    need([names[i] for i in range(len(names))] == CLASSES and int(keys["nc"]) == len(CLASSES), names)
    out, all_pictures = {}, 0
    for part in dict.fromkeys((keys["train"], keys["val"], keys.get("test", keys["val"]))):
        for name in sorted(os.listdir(f"{folder}/{part}")):
            path = f"{part}/{name}"
            label = ("/" + path).replace("/images/", "/labels/", 1)[1:].rsplit(".", 1)[0] + ".txt"
            all_pictures += 1
            for line in common.read(f"{folder}/{label}").decode().splitlines():
                c, *v = line.split()
                v = [float(x) for x in v]
                need(0 <= int(c) < len(CLASSES) and all(0 <= x <= 1 for x in v), path, line)
                xs, ys = v[0::2], v[1::2]
                box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) if segment else (v[0] - v[2] / 2, v[1] - v[3] / 2, v[2], v[3])
                out.setdefault(path, []).append((int(c), *box))
    return out, all_pictures


def snapshot_to_yolo(w):
    for fmt, segment in (("yolo", False), ("yolo-segment", True)):
        folder, told = w.export(fmt, "--snapshot", "v1")
        boxes, n = yolo_boxes(folder, segment)
        matches_source(w, tree(folder), boxes)
        need(n == told["pictures"] and told["pictures that do not decode"] == 1, told)
        need(told["objects"] == len(w.doc["annotations"]), told)


def snapshot_to_coco(w):
    folder, told = w.export("coco", "--snapshot", "v1")
    files, all_boxes, ids = tree(folder), {}, set()
    parts = json.loads(files[".vidimus.json"])["parts"]
    classes = {3 + 2 * i: i for i in range(len(CLASSES))}
    for part, n in parts.items():
        doc = json.loads(files[f"annotations/instances_{part}.json"])
        need(len(doc["images"]) == n, part, n)
        for m in doc["images"]:
            data = files[f"images/{part}/{m['file_name']}"]
            need(size_of(data) == (m["width"], m["height"]), m)
            ids.add(m["id"])
        for name, b in boxes_of_pictures(w, doc["images"], doc["annotations"], classes).items():
            all_boxes[f"images/{part}/{name}"] = b
    matches_source(w, files, all_boxes)
    need(len(ids) == told["pictures"], "ids are unique")


def pycocotools_reads_it(w):
    coco = tool("pycocotools.coco")
    folder, told = w.export("coco", "--split", "s", "--resize", 100)
    n = 0
    for name in os.listdir(folder + "/annotations"):
        keep, sys.stdout = sys.stdout, io.StringIO()
        try:
            c = coco.COCO(f"{folder}/annotations/{name}")
        finally:
            sys.stdout = keep
        n += len(c.anns)
        for a in c.anns.values():
            m = c.imgs[a["image_id"]]
            need(max(m["width"], m["height"]) <= 100, m)
            mask = c.annToMask(a)
            need(mask.shape == (m["height"], m["width"]), m)
            need(abs(int(mask.sum()) - a["area"]) <= 2 * (a["bbox"][2] + a["bbox"][3]) + 4, a)
    need(n == told["objects"], n, told)


def voc_lists_and_boxes(w):
    folder, told = w.export("voc", "--split", "s")
    files, boxes, listed = tree(folder), {}, []
    for part in ("train", "val", "test"):
        listed += files[f"ImageSets/Main/{part}.txt"].decode().split()
    need(len(listed) == len(set(listed)) == told["pictures"], "each picture is in one list")
    for stem in listed:
        doc = ET.fromstring(files[f"Annotations/{stem}.xml"])
        name = doc.findtext("filename")
        data = files["JPEGImages/" + name]
        w_, h_ = int(doc.findtext("size/width")), int(doc.findtext("size/height"))
        need(size_of(data) == (w_, h_) and os.path.splitext(name)[0] == stem, name)
        for o in doc.iter("object"):
            x0, y0, x1, y1 = (float(o.findtext("bndbox/" + k)) for k in ("xmin", "ymin", "xmax", "ymax"))
            boxes.setdefault("JPEGImages/" + name, []).append(
                (CLASSES.index(o.findtext("name")), x0 / w_, y0 / h_, (x1 - x0) / w_, (y1 - y0) / h_))
    matches_source(w, files, boxes)


def other_formats_read_back(w):
    """Our own readers find as many objects in every other layout; the picture that a label names is there."""
    for fmt in ("lvis", "kitti", "labelme", "cityscapes", "label-studio", "datumaro", "cvat", "csv", "yolo-pose", "yolo-obb", "open-images"):
        folder, told = w.export(fmt, "--split", "s")
        where = {"label-studio": "/tasks.json", "cvat": "/annotations.xml", "csv": "/labels.csv", "lvis": "/annotations",
                 "datumaro": "/annotations"}.get(fmt, "")
        counts = {}
        paths = [folder + where]
        if fmt in ("lvis", "datumaro"):
            paths = [f"{folder}{where}/{n}" for n in sorted(os.listdir(folder + where))]
        for path in paths:
            p = common.vidimus("convert", path, "--from", fmt, "--to", "coco", "--out", w.s + "/back.json", "--images", folder, "--json")
            for r in json.loads(p.out):
                counts[r["what"]] = counts.get(r["what"], 0) + r["count"]
        posed = sum("keypoints" in a for a in w.doc["annotations"])
        points = {"labelme": 2 * posed, "datumaro": told["objects"] + posed, "cvat": posed}.get(fmt, 0)  # each shape is an object of its own
        need(counts["objects"] == told["objects"] - told.get("objects without a polygon", 0) + points, fmt, counts, told)
        need(counts["images"] >= told["labelled"], fmt, counts, told)
        pictures = [p for p in tree(folder) if p.rsplit(".", 1)[-1] in ("jpg", "png")]
        need(len(pictures) == told["pictures"], fmt, len(pictures), told)


def folders_of_classes(w):
    folder, told = w.export("imagefolder", "--split", "s", labels="classes")
    files = [p for p in tree(folder) if p != ".vidimus.json"]
    need(sorted(p.split("/")[1] for p in files) == sorted(["cat"] * 3 + ["___up"] * 2), files)
    need(told["pictures"] == 5 and told["pictures of several classes"] == 1, told)
    need(told["pictures without a class"] > 5, told)
    need(all(jpeg_pixels(common.read(f"{folder}/{p}")) == jpeg_pixels(w.source("a/" + os.path.basename(p))) for p in files), "files")


def shards(w):
    folder, told = w.export("webdataset", "--split", "s", "--shard-size", 60000)
    samples, names = {}, sorted(n for n in os.listdir(folder) if n.endswith(".tar"))
    need(len(names) > 4, names)
    for name in names:
        with tarfile.open(f"{folder}/{name}") as t:
            inside = t.getmembers()
            keys = [m.name.split(".", 1)[0] for m in inside]
            need(all(m.mtime == 0 and m.uid == 0 and m.name.count(".") == 1 for m in inside), name)
            need(os.path.getsize(f"{folder}/{name}") <= 60000 or len(set(keys)) == 1, name)
            for m in inside:
                samples.setdefault(m.name.split(".")[0], {})[m.name.split(".")[1]] = t.extractfile(m).read()
    need(len(samples) == told["pictures"], len(samples), told)
    boxes, files = {}, {}
    for key, s in samples.items():
        doc = json.loads(s["json"])
        data = s["jpg"] if "jpg" in s else s["png"]
        need(doc["file_name"].split(".")[0] == key and size_of(data) == (doc["width"], doc["height"]), doc)
        for a in doc["annotations"]:
            x, y, bw, bh = a["bbox"]
            boxes.setdefault(key, []).append((CLASSES.index(a["category"]), x / doc["width"], y / doc["height"], bw / doc["width"], bh / doc["height"]))
        files[key] = data
    matches_source(w, files, boxes)
    folder, told = w.export("webdataset", labels="classes")
    with tarfile.open(folder + "/train-000000.tar") as t:
        got = {m.name: t.extractfile(m).read() for m in t if m.name.endswith(".cls")}
    need(sorted(got.values()) == [b"0"] * 3 + [b"1"] * 2, got)  # by the order of the file


def webdataset_reads_it(w):
    wds = tool("webdataset")
    folder, told = w.export("webdataset", "--split", "s")
    n = 0
    for part in ("train", "val", "test"):
        for sample in wds.WebDataset(f"{folder}/{part}-000000.tar", shardshuffle=False):
            doc = json.loads(sample["json"])
            n += 1
            need(doc["file_name"].startswith(sample["__key__"]) and ("jpg" in sample or "png" in sample), sample["__key__"])
    need(n == told["pictures"], n, told)


def tables(w):
    folder, told = w.export("parquet", "--split", "s")
    images, _ = parquet_read.read(folder + "/images.parquet")
    labels, _ = parquet_read.read(folder + "/labels.parquet")
    need(len(images["id"]) == told["pictures"] and len(labels["id"]) == told["objects"], told)
    files = tree(folder)
    facts = {r[0]: r[1:] for r in w.sql("SELECT id, uri, size, verdict, taken_at FROM asset_facts")}
    at = {}
    for i, id_ in enumerate(images["id"]):
        data = files[images["file_name"][i]]
        at[id_] = images["file_name"][i]
        need(size_of(data) == (images["width"][i], images["height"][i]), images["file_name"][i])
        need(tuple(images[k][i] for k in ("uri", "size", "verdict", "taken_at")) == facts[id_], facts[id_])
    need("latitude" not in images and "latitude" in parquet_read.read(w.export("parquet", "--keep-exif")[0] + "/images.parquet")[0], "places")
    boxes, wide = {}, dict(zip(images["id"], zip(images["width"], images["height"])))
    for k, id_ in enumerate(labels["image_id"]):
        iw, ih = wide[id_]
        boxes.setdefault(at[id_], []).append((CLASSES.index(labels["category"][k]), labels["x"][k] / iw, labels["y"][k] / ih,
                                              labels["width"][k] / iw, labels["height"][k] / ih))
        need(json.loads(labels["segmentation"][k])[0][:2] == [labels["x"][k], labels["y"][k]], k)
        need((labels["keypoints"][k] is not None) == (labels["category"][k] == "cat"), k)
    matches_source(w, files, boxes)
    folder, told = w.export("parquet", "--with-bytes")
    images, _ = parquet_read.read(folder + "/images.parquet")
    need(sorted(tree(folder)) == [".vidimus.json", "images.parquet", "labels.parquet"], "no files")
    need(sum(map(len, images["bytes"])) == told["bytes"] and all(size_of(b) for b in images["bytes"]), "bytes")


def pyarrow_reads_it(w):
    pq = tool("pyarrow.parquet")
    for more in ([], ["--with-bytes"]):
        folder, _ = w.export("parquet", "--split", "s", *more)
        for name in ("images", "labels"):
            ours, groups = parquet_read.read(f"{folder}/{name}.parquet")
            theirs = pq.read_table(f"{folder}/{name}.parquet")
            need(theirs.to_pydict() == ours, name)
            need(pq.read_metadata(f"{folder}/{name}.parquet").num_row_groups == groups, name)


def maps_beside_pictures(w):
    """Formats whose labels are PNG maps: one of the picture's size for each picture that has objects."""
    for fmt, below in (("coco-panoptic", "annotations/"), ("voc-masks", "SegmentationClass/"), ("cityscapes-masks", "gtFine/")):
        folder, told = w.export(fmt, "--split", "s", "--resize", 128)
        files = tree(folder)
        maps = {os.path.basename(p): d for p, d in files.items() if p.startswith(below) and p.endswith(".png")}
        pictures = {os.path.basename(p): d for p, d in files.items() if p.split("/")[0] in ("images", "JPEGImages", "leftImg8bit")}
        need(len(maps) >= told["labelled"] and len(pictures) == told["pictures"], fmt, len(maps), told)
        stems = {n.rsplit(".", 1)[0].replace("_leftImg8bit", ""): size_of(d) for n, d in pictures.items()}
        for n, d in maps.items():
            stem = n.rsplit(".", 1)[0].replace("_gtFine_labelIds", "").replace("_gtFine_instanceIds", "").replace("_gtFine_color", "")
            need(size_of(d) == stems[stem], fmt, n)


def large_files(w):
    """Files that are not read at once: more than 8 MB."""
    s = w.s + "/large"
    data = chunk(b"IHDR", struct.pack(">IIBBBBB", 1900, 1600, 8, 2, 0, 0, 0)) + chunk(b"tEXt", b"Comment\0" + PLACE)
    pixels = zlib.compress(b"".join(b"\0" + os.urandom(1900 * 3) for _ in range(1600)), 0)
    common.write(s + "/big.png", b"\x89PNG\r\n\x1a\n" + data + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    common.vidimus("run", s, "--out", w.s + "/l.vidimus", "--only", "add,check", "--quiet")
    common.vidimus("export", w.s + "/l.vidimus", "--format", "coco", "--out", w.s + "/l1")
    got = png_chunks(common.read(w.s + "/l1/images/train/big.png"))
    need([k for k, _ in got] == [b"IHDR", b"IDAT", b"IEND"] and got[1][1] == pixels, "stripped")
    common.vidimus("export", w.s + "/l.vidimus", "--format", "coco", "--out", w.s + "/l2", "--keep-exif")
    need(common.read(w.s + "/l2/images/train/big.png") == common.read(s + "/big.png"), "kept")
    common.vidimus("export", w.s + "/l.vidimus", "--format", "webdataset", "--out", w.s + "/l3", "--resize", 190, "--reencode", "jpeg")
    with tarfile.open(w.s + "/l3/train-000000.tar") as t:
        need(size_of(t.extractfile("big.jpg").read()) == (190, 160), "reduced")


def what_was_only_added_can_be_exported(w):
    """A dataset without facts: sizes and orientation are found while the pictures are written."""
    common.vidimus("add", w.s + "/in", "--out", w.s + "/a.vidimus", "--quiet")
    common.vidimus("import", w.s + "/a.vidimus", w.s + "/gt.json", "--name", "gt")
    common.vidimus("export", w.s + "/a.vidimus", "--format", "yolo", "--out", w.s + "/added", "--where", "uri LIKE '%turned%' OR uri LIKE '%pic5%'")
    boxes, n = yolo_boxes(w.s + "/added")
    need(n == 2 and near(boxes["images/train/pic5.jpg"], w.boxes["a/pic5.jpg"]), boxes)
    need(size_of(common.read(w.s + "/added/images/train/turned.jpg")) == (H, W), "upright")


# ---- pictures ----

def nothing_is_left_of_metadata(w):
    folder, told = w.export("coco")
    files = {p: d for p, d in tree(folder).items() if p.startswith("images/")}
    need(len(files) == told["pictures"], told)
    for p, data in files.items():
        need(PLACE not in data and b"Exif" not in data and b"eXIf" not in data, p)
        if p.endswith("pic3.jpg"):
            need(jpeg_pixels(data) == jpeg_pixels(w.source("a/pic3.jpg")), "the same tables and scans, nothing behind them")
    noise = [d for p, d in files.items() if p.endswith("noise.png")][0]
    need(png_chunks(noise) == [c for c in png_chunks(w.source("b/noise.png")) if c[0] in (b"IHDR", b"IDAT", b"IEND")], "png")
    # the catalog of the export knows no place and no orientation; that of the source does
    common.vidimus("run", folder + "/images", "--out", w.s + "/check.vidimus", "--only", "add,check", "--quiet")
    where = "SELECT count(*) AS n FROM asset_facts WHERE latitude IS NOT NULL OR coalesce(orientation, 1) > 1 OR taken_at IS NOT NULL"
    need(js("sql", w.s + "/check.vidimus", where)[0]["n"] == 0, "our own decoder finds metadata")
    need(w.sql("SELECT count(*) FROM asset_facts WHERE latitude IS NOT NULL")[0][0] >= 10, "the source has places")
    shutil.rmtree(w.s + "/check.vidimus")
    kept = tree(w.export("coco", "--keep-exif")[0])
    need(sum(PLACE in d for p, d in kept.items() if p.startswith("images/")) >= 10, "--keep-exif keeps")
    need(kept["images/train/pic3.jpg"] == w.source("a/pic3.jpg"), "to the byte")


def pillow_sees_the_same_pixels(w):
    image = tool("PIL.Image")
    folder, _ = w.export("coco")
    for p, data in tree(folder).items():
        if not p.startswith("images/"):
            continue
        with image.open(io.BytesIO(data)) as im:
            need(len(im.getexif()) == 0 and not {"exif", "xmp", "comment"} & set(im.info), p, im.info.keys())
            im.load()
            if p.endswith("pic4.jpg"):
                with image.open(f"{w.s}/in/a/pic4.jpg") as was:
                    need(len(was.getexif()) > 0 and was.tobytes() == im.tobytes(), p)
            if p.endswith("turned.jpg"):
                with image.open(f"{w.s}/in/b/turned.jpg") as was:
                    up = was.transpose(image.Transpose.ROTATE_270)
                    need(up.size == im.size, up.size, im.size)
                    diff = sum(abs(a - b) for a, b in zip(up.tobytes(), im.tobytes())) / len(up.tobytes())
                    need(diff < 2, "the turned picture stands upright", diff)


def turned_pictures_stand_upright(w):
    folder, told = w.export("yolo")
    data = common.read(folder + "/images/train/turned.jpg")
    need(size_of(data) == (H, W), size_of(data))
    need(told["pictures turned by EXIF, encoded anew upright"] == 1, told)
    folder, told = w.export("yolo", "--keep-exif")
    need(common.read(folder + "/images/train/turned.jpg") == w.source("b/turned.jpg"), "bytes")
    need(told["pictures turned by EXIF, which their reader has to honour"] == 1, told)


def resized_with_their_labels(w):
    folder, told = w.export("yolo", "--resize", 64, "--reencode", "png")
    boxes, n = yolo_boxes(folder)
    files = {p: d for p, d in tree(folder).items() if p.startswith("images/")}
    need(all(p.endswith(".png") and max(size_of(d)) <= 64 for p, d in files.items()), "sizes")
    need(size_of(files["images/train/noise.png"]) == (64, 48), "not enlarged, and its own pixels")
    need(near(boxes["images/train/pic0.png"], w.boxes["a/pic0.jpg"], 1e-9), "fractions stay")
    folder, _ = w.export("coco", "--resize", 160)
    doc = json.loads(common.read(folder + "/annotations/instances_train.json"))
    by = {m["id"]: m for m in doc["images"]}
    for a, was in zip(doc["annotations"], w.doc["annotations"]):
        need(a["id"] == was["id"], "order")
        if by[a["image_id"]]["file_name"] == "noise.png":
            need(a["bbox"] == was["bbox"], a)
        else:
            need(all(abs(x - y / 2) < 1e-9 for x, y in zip(a["bbox"], was["bbox"])) and abs(a["area"] - was["area"] / 4) < 1e-9, a)
            need(all(abs(x - y / 2) < 1e-9 for x, y in zip(a["segmentation"][0], was["segmentation"][0])), a)


def reduction_is_the_mean(w):
    """A PNG made half as large: each pixel is the mean of four."""
    was = png_rows(w.source("b/noise.png"))
    now = png_rows(common.read(w.export("coco", "--resize", 32, "--where", "uri LIKE '%noise.png'")[0] + "/images/train/noise.png"))
    need(len(now) == 24, len(now))
    for y, row in enumerate(now):
        for i in range(32 * 3):
            x, k = divmod(i, 3)
            mean = sum(was[2 * y + dy][3 * (2 * x + dx) + k] for dx in (0, 1) for dy in (0, 1)) / 4
            need(abs(row[i] - mean) <= 1, (x, y, k), row[i], mean)


def links(w):
    common.vidimus("export", w.d, "--format", "coco", "--labels", "gt", "--out", w.s + "/l", "--images", "symlink", want=2)
    for mode in ("link", "symlink"):
        folder, told = w.export("coco", "--images", mode, "--keep-exif")
        p = folder + "/images/train/pic2.jpg"
        need(os.path.islink(p) == (mode == "symlink") and os.path.samefile(p, w.s + "/in/a/pic2.jpg"), p)
        need(told["pictures written, as there is no file to link to"] == 3, told)  # of the zip, and two frames
        need(os.path.isfile(folder + "/images/train/more_zip_inner.jpg") and not os.path.islink(folder + "/images/train/more_zip_inner.jpg"), "member")
    folder, told = w.export("coco", "--images", "none")
    need(not os.path.exists(folder + "/images") and told["objects"] == len(w.doc["annotations"]), told)


def hostile_names(w):
    folder, told = w.export("yolo")
    names = sorted(os.listdir(folder + "/images/train"))
    stems = [n.rsplit(".", 1)[0].lower() for n in names]
    need(len(set(stems)) == len(stems) == told["pictures"], "unique whatever the case of letters")
    for n in names:
        n.encode()
        need(len(n.encode()) <= 130 and n.count(".") == 1 and not n.startswith("-") and not set(n) & set(" #!%/\\:*?\"<>|'"), n)
    need("görl_日本.jpg" in names and "x_y_1_z_.jpg" in names, names)
    again, _ = w.export("yolo", "--where", "uri LIKE '%/b/%'")
    need({n for n in os.listdir(again + "/images/train")} & {"pic0.jpg", "PIC1.jpg"} == {"pic0.jpg", "PIC1.jpg"}, "alone they need no suffix")
    for top, _, found in os.walk(w.s):
        need("up" not in found, top)


# ---- snapshots, all or nothing ----

def snapshots_hold(w):
    """Changed bytes, vanished files and changed labels are left out, told, and make the exit status 1."""
    s = World(w.s + "/own")
    common.vidimus("snapshot", s.d, "good", "--split", "s", "--where", "uri NOT LIKE '%broken%'")
    _, told = s.export("coco", "--snapshot", "good")
    n = told["pictures"]
    common.vidimus("import", s.d, s.s + "/gt.json", "--name", "predictions")
    _, told = s.export("coco", "--snapshot", "good")
    need(told["pictures"] == n, "a label set that came later changes nothing")
    s.export("coco", "--snapshot", "good", labels="predictions", want=2)
    s.put("a/pic0.jpg", s.source("a/pic1.jpg"))
    os.remove(s.s + "/in/a/pic2.jpg")
    folder, told = s.export("coco", "--snapshot", "good", want=1)
    need(told["pictures whose bytes are not those recorded"] == 1 and told["pictures that cannot be read"] == 1, told)
    need(told["pictures"] == n - 2 and not os.path.exists(folder + "/images/train/pic0.jpg"), told)
    s.doc["annotations"][10]["bbox"][0] += 1
    common.write(s.s + "/gt.json", json.dumps(s.doc).encode())
    common.vidimus("import", s.d, s.s + "/gt.json", "--name", "gt", "--replace")
    s.export("coco", "--snapshot", "good", want=2)  # the set is younger now
    common.vidimus("export", s.d, "--format", "coco", "--snapshot", "none-such", "--labels", "gt", "--out", w.s + "/n", want=3)
    common.vidimus("export", s.d, "--format", "coco", "--snapshot", "good", "--where", "1", "--labels", "gt", "--out", w.s + "/n", want=2)
    _, told = s.export("coco")  # without a snapshot the same findings are no failed check
    need(told["pictures whose bytes are not those recorded"] == 1, told)


def same_bytes_for_any_jobs(w):
    for fmt in ("yolo", "webdataset", "parquet"):
        more = ["--with-bytes"] if fmt == "parquet" else []
        one, told1 = w.export(fmt, "--split", "s", "--jobs", 1, *more)
        two, told2 = w.export(fmt, "--split", "s", "--jobs", 3, *more)
        need(told1 == told2 and tree(one) == tree(two), fmt)


def what_is_there_is_safe(w):
    out = w.s + "/mine"
    common.write(out + "/thesis.txt", b"mine")
    for more in ([], ["--replace"]):
        p = common.vidimus("export", w.d, "--format", "coco", "--labels", "gt", "--out", out, *more, want=3)
        need("mine" in p.err and tree(out) == {"thesis.txt": b"mine"}, p.err)
    common.write(w.s + "/x.partial/thesis.txt", b"mine")
    common.vidimus("export", w.d, "--format", "coco", "--labels", "gt", "--out", w.s + "/x", want=3)
    need(common.read(w.s + "/x.partial/thesis.txt") == b"mine", "what lies in the way")
    folder, _ = w.export("coco")
    before = tree(folder)
    common.vidimus("export", w.d, "--format", "yolo", "--labels", "gt", "--out", folder, want=3)
    need(tree(folder) == before, "not without --replace")
    common.vidimus("export", w.d, "--format", "yolo", "--labels", "gt", "--out", folder, "--replace")
    need(os.path.exists(folder + "/data.yaml") and not os.path.exists(folder + "/annotations"), "replaced")
    need(not os.path.exists(folder + ".partial"), "the former one is gone")
    os.mkdir(w.s + "/empty")
    common.vidimus("export", w.d, "--format", "yolo", "--labels", "gt", "--out", w.s + "/empty")


def killed_at_any_time(w):
    args = [common.BIN, "export", w.d, "--format", "yolo", "--labels", "gt", "--out", w.s + "/killed", "--reencode", "png", "--jobs", "2"]
    begun = time.monotonic()
    truth = w.export("yolo", "--reencode", "png")[0]
    length, r, cut = time.monotonic() - begun, random.Random(9), 0
    for i in range(12):
        p = subprocess.Popen(args, env=common.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(length * r.random())
        p.send_signal(signal.SIGKILL)
        p.wait()
        if os.path.exists(w.s + "/killed"):  # it was done before
            need(tree(w.s + "/killed") == tree(truth), "what is there is whole")
            shutil.rmtree(w.s + "/killed")
        else:
            cut += 1
    need(cut > 0, "no kill came in time")
    common.vidimus(*args[1:])
    need(tree(w.s + "/killed") == tree(truth) and not os.path.exists(w.s + "/killed.partial"), "the next one clears up")


def no_space_left(w):
    """On a file system of 300 KB, where one can be had; a limit on the size of files gives the same from the same call."""
    disk = w.s + "/disk"
    os.mkdir(disk)
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk]
    mounted = shutil.which("mount") is not None and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
    try:
        for fmt, *more in (("coco",), ("webdataset",), ("parquet",), ("parquet", "--with-bytes")):
            def small():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))
            if not mounted and fmt != "webdataset" and not more:
                continue
            p = common.vidimus("export", w.d, "--format", fmt, "--labels", "gt", "--out", disk + "/x", "--reencode", "png", *more, want=3,
                               preexec_fn=None if mounted else small)
            need("write:" in p.err and disk in p.err and os.listdir(disk) == [], p.err, os.listdir(disk))
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)


def refused_with_a_reason(w):
    for args, words in ((["--format", "colmap", "--snapshot", "v1"], "--snapshot"), (["--format", "coco", "--scene", "1"], "--scene"),
                        (["--format", "coco", "--with-bytes"], "parquet"), (["--format", "webdataset", "--images", "none"], "--images copy"),
                        (["--format", "coco", "--images", "link", "--keep-exif", "--resize", "10"], "resized"),
                        (["--format", "coco", "--labels", "no"], "'no'"), (["--format", "coco"], "name one of"),
                        (["--format", "coco", "--labels", "gt", "--split", "no"], "'no'"),
                        (["--format", "coco", "--labels", "gt", "--where", "nonsense = 1"], "nonsense"),
                        (["--format", "coco", "--labels", "gt", "--where", "0"], "no pictures")):
        p = common.vidimus("export", w.d, "--out", w.s + "/no", *args, want=None)
        need(p.returncode in (2, 3) and words in p.err and not os.path.exists(w.s + "/no"), args, p.returncode, p.err)


def sequences(w):
    """MOTChallenge: frames of a video are a sequence by themselves."""
    folder, told = w.export("mot")
    files = tree(folder)
    need([p for p in sorted(files) if p.endswith(".jpg")] == [f"train/clip_avi/img1/00000{i}.jpg" for i in (1, 2)], sorted(files))
    vis = tree(w.export("youtube-vis")[0])
    doc = json.loads(vis["train/instances.json"])
    names = [n for v in doc["videos"] for n in v["file_names"]]
    need("clip_avi/000001.jpg" in names and all(f"train/JPEGImages/{n}" in vis for n in names), names)
    need(b"seqLength=2" in files["train/clip_avi/seqinfo.ini"] and told["pictures of no sequence"] > 10, told)


TESTS = (snapshot_to_yolo, snapshot_to_coco, pycocotools_reads_it, voc_lists_and_boxes, other_formats_read_back, folders_of_classes,
         shards, webdataset_reads_it, maps_beside_pictures, large_files, what_was_only_added_can_be_exported, tables,
         pyarrow_reads_it, nothing_is_left_of_metadata, pillow_sees_the_same_pixels,
         turned_pictures_stand_upright, resized_with_their_labels, reduction_is_the_mean, links, hostile_names, snapshots_hold,
         same_bytes_for_any_jobs, what_is_there_is_safe, killed_at_any_time, no_space_left, refused_with_a_reason, sequences)


def main():
    with tempfile.TemporaryDirectory(prefix="vidimus_publish_") as tmp:
        return common.run_all_with("publish", TESTS, World(tmp))


if __name__ == "__main__":
    sys.exit(main())
