"""Rendered captures with planted label errors, and how many of them the checks in 3D find. With Python's standard
library alone.

An error can be seen by points if the object has points at its place that are seen on the object in two other views,
too: `common` of them in each. What no keypoint shows, no vote can tell. SPDX-License-Identifier: Apache-2.0
"""
import array
import collections
import csv
import glob
import json
import os
import sqlite3
import struct

KINDS = ("inconsistent_in_3d", "missing_in_3d")


def npy(path):
    """The numbers of a NumPy file, row by row, and its shape."""
    with open(path, "rb") as f:
        data = f.read()
    head = data[10:10 + struct.unpack("<H", data[8:10])[0]].decode()
    kind = head.split("'descr': '")[1].split("'")[0]
    shape = [int(n) for n in head.split("'shape': (")[1].split(")")[0].split(",") if n.strip()]
    out = array.array({"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}[kind])
    out.frombytes(data[10 + len(head):])
    return out, shape


def runs(text):
    """Run lengths of a mask, as COCO packs them."""
    out, at = [], 0
    while at < len(text):
        x, k, more = 0, 0, True
        while more:
            c = ord(text[at]) - 48
            x |= (c & 31) << 5 * k
            more, at, k = bool(c & 32), at + 1, k + 1
            if not more and c & 16:
                x |= -1 << 5 * k
        out.append(x + out[-2] if len(out) > 2 else x)
    return out


def instances(doc, image):
    """Of each pixel of a view, column by column, the track of the label that has it; 0: none."""
    columns = bytearray(image["width"] * image["height"] * 2)
    for a in doc["annotations"]:
        if a["image_id"] != image["id"]:
            continue
        at = 0
        for i, n in enumerate(runs(a["segmentation"]["counts"])):
            if i % 2:
                columns[2 * at:2 * (at + n)] = struct.pack("<H", a["track_id"]) * n
            at += n
    out = array.array("H")
    out.frombytes(bytes(columns))
    return out


def boxes_alone(doc):
    return {**doc, "annotations": [{k: v for k, v in a.items() if k != "segmentation"} for a in doc["annotations"]]}


class Planted:
    """Captures in `folder`, rendered with and without errors by `synth`, and run by `run`: functions of arguments."""

    def __init__(self, folder, vidimus, options, swaps, gaps, run=()):
        self.folder, self.dataset, self.vidimus = folder, folder + ".vidimus", vidimus
        base = ("synth", folder, "--defects", 0, "--truth", "poses", "--labels", *options)
        vidimus(*base)
        self.clean = self.document()
        vidimus(*base, "--label-errors", swaps, "--label-gaps", gaps)
        self.spoilt = self.document()
        with open(os.path.join(folder, "truth", "defects.tsv"), newline="") as f:
            rows = [(r["kind"], r["file"], dict(p.split("=") for p in r["parameters"].split())) for r in csv.DictReader(f, delimiter="\t")]
        self.planted = [(kind, file, int(p["instance"]), p["class"]) for kind, file, p in rows if kind in KINDS]
        images = {i["id"]: i["file_name"] for i in self.clean["images"]}
        self.box = {(images[a["image_id"]], a["track_id"]): a["bbox"] for a in self.clean["annotations"]}
        vidimus("run", os.path.join(folder, "images"), "--out", self.dataset, "--quiet", *run)

    def document(self):
        with open(os.path.join(self.folder, "labels.json")) as f:
            return json.load(f)

    def findings(self, doc, name):
        path = "%s.%s.json" % (self.folder, name)
        with open(path, "w") as f:
            json.dump(doc, f)
        self.vidimus("import", self.dataset, path, "--name", name, "--replace")
        out = self.vidimus("issues", self.dataset, "--labels", "--set", name, "--details", "--json").out
        return [g for g in json.loads(out) if g["kind"] in KINDS]

    def seen(self):
        """Points on each object in each view: {(file, instance): set of points}."""
        db = sqlite3.connect("file:%s/catalog.db?mode=ro" % self.dataset, uri=True)
        name = {i: uri.split("/")[-1] for i, uri in db.execute("SELECT id, uri FROM asset")}
        db.close()
        image = {i["file_name"]: i for i in self.clean["images"]}
        out = collections.defaultdict(set)
        for path in sorted(glob.glob(os.path.join(self.dataset, "arrays", "scene_views", "*", "*.npy"))):
            views, tracks = npy(path)[0], npy(path.replace("scene_views", "tracks"))[0]
            pixels = [instances(self.clean, image[name[v]]) for v in views]
            places = [npy(glob.glob(os.path.join(self.dataset, "arrays", "keypoints", "*", "%d.npy" % v))[0])[0] for v in views]
            for point, view, k in zip(tracks[0::3], tracks[1::3], tracks[2::3]):
                file = name[views[view]]
                x, y = int(places[view][4 * k]), int(places[view][4 * k + 1])
                out[file, pixels[view][x * image[file]["height"] + y]].add((path, point))
        return out

    def visible(self, common):
        """Which of the planted errors can be seen by points."""
        seen = self.seen()
        views = collections.defaultdict(list)
        for (file, instance), points in seen.items():
            views[instance].append((file, points))
        out = []
        for _, file, instance, _ in self.planted:
            here = seen.get((file, instance), set())
            out.append(sum(len(here & points) >= common for other, points in views[instance] if other != file) >= 2)
        return out

    def score(self, found):
        """For each finding whether it was planted, for each planted error whether it was found."""
        hit, right = [False] * len(self.planted), []
        for g in found:
            ok = False
            for i, (kind, file, instance, what) in enumerate(self.planted):
                if (kind, file) != (g["kind"], g["image"]):
                    continue
                x, y, w, h = self.box[file, instance]
                if kind == KINDS[0]:
                    same = [g["x"], g["y"], g["width"], g["height"]] == [x, y, w, h]
                else:
                    cx, cy = g["x"] + g["width"] / 2, g["y"] + g["height"] / 2
                    same = x <= cx <= x + w and y <= cy <= y + h and g["class"] == what
                if same:
                    hit[i] = ok = True
            right.append(ok)
        return right, hit


def table(planted, form, found, visible):
    """Counts of one set, by kind."""
    right, hit = planted.score(found)
    out = {}
    for kind in KINDS:
        mine = [i for i, p in enumerate(planted.planted) if p[0] == kind]
        out[form, kind] = collections.Counter(
            found=sum(g["kind"] == kind for g in found), right=sum(ok for ok, g in zip(right, found) if g["kind"] == kind),
            planted=len(mine), hit=sum(hit[i] for i in mine),
            visible=sum(visible[i] for i in mine), visible_hit=sum(visible[i] and hit[i] for i in mine))
    return out


def shares(c):
    """Precision, recall of all, recall of what can be seen; None where nothing is counted."""
    def share(a, b):
        return round(a / b, 4) if b else None
    return {"found": c["found"], "planted": c["planted"], "visible": c["visible"], "precision": share(c["right"], c["found"]),
            "recall": share(c["hit"], c["planted"]), "recall_visible": share(c["visible_hit"], c["visible"])}
