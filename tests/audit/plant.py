"""Label errors planted into COCO sets, and how many of them the label checks find. With Python's standard library alone.

A set is a COCO document whose labels are taken to be right: invented here, or real. plant() changes some labels, each
at most once, and keeps what it changed by kind; predictions() are those of a model that has seen the set as it was.
The same for the same seed. SPDX-License-Identifier: Apache-2.0
"""
import collections
import copy
import json
import math
import os
import random
import sqlite3

ALL = ("missing_image", "image_size", "labelled_twice", "category_names", "unused_category", "unknown_category", "degenerate",
       "outside_image", "self_intersecting", "keypoints_outside", "duplicate_box", "near_duplicate_box", "two_classes",
       "inconsistent_copies", "odd_object_size", "odd_object_aspect", "overlooked", "badly_located", "swapped")
NEED_PREDICTIONS = ("overlooked", "badly_located", "swapped")


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h) if w > 0 and h > 0 else 0.0


def rounded(box):
    return [round(v, 2) for v in box]


# ---- a set without errors ----

def outline(r, box, n=12):
    """A star around the middle that touches all sides: it cannot cross itself."""
    x, y, w, h = box
    t = sorted(2 * math.pi * (i + r.uniform(-0.3, 0.3)) / n for i in range(n))
    p = [(math.cos(a) * k, math.sin(a) * k) for a, k in ((a, r.uniform(0.75, 1)) for a in t)]
    x0, x1 = min(q[0] for q in p), max(q[0] for q in p)
    y0, y1 = min(q[1] for q in p), max(q[1] for q in p)
    return [round(v, 2) for q in p for v in (x + w * (q[0] - x0) / (x1 - x0), y + h * (q[1] - y0) / (y1 - y0))]


def keypoints(r, box):
    out = []
    for _ in range(17):
        v = r.choice((0, 1, 2, 2))
        out += [round(box[0] + r.random() * box[2], 1), round(box[1] + r.random() * box[3], 1), v] if v else [0, 0, 0]
    return out


def invent(seed, images=400, classes=12, mean=8):
    """Classes have a usual size and proportion of their own; sizes of some are spread over two orders of magnitude."""
    r = random.Random(seed)
    doc = {"images": [], "annotations": [], "categories": [{"id": c + 1, "name": "class %d" % c} for c in range(classes)]}
    doc["categories"][0].update(name="person", keypoints=["k%d" % i for i in range(17)], skeleton=[])
    look = [(math.exp(r.uniform(3.3, 4.6)), r.uniform(0.15, 0.9), math.exp(r.gauss(0, 0.4)), r.uniform(0.08, 0.4)) for _ in range(classes)]
    for i in range(images):
        w, h = r.choice(((640, 480), (640, 427), (480, 640), (1280, 720)))
        doc["images"].append({"id": i + 1, "width": w, "height": h, "file_name": "%06d.jpg" % (i + 1)})
        there = []
        for _ in range(r.randrange(2 * mean)):
            c = min(int(r.expovariate(0.25)), classes - 1)
            side, spread, ratio, turn = look[c]
            s = side * math.exp(r.gauss(0, spread)) * math.sqrt(w * h / 307200)
            a = math.sqrt(ratio * math.exp(r.gauss(0, turn)))
            bw, bh = min(max(s * a, 6), w), min(max(s / a, 6), h)
            box = rounded((r.uniform(0, w - bw), r.uniform(0, h - bh), bw, bh))
            if max((iou(box, b) for b in there), default=0) > 0.6:
                continue
            there.append(box)
            one = {"id": len(doc["annotations"]) + 1, "image_id": i + 1, "category_id": c + 1, "bbox": box, "iscrowd": 0,
                   "area": round(bw * bh * 0.8, 2), "segmentation": [outline(r, box)]}
            if c == 0:
                one.update(keypoints=keypoints(r, box), num_keypoints=17)
            doc["annotations"].append(one)
    return doc


# ---- predictions ----

def predictions(seed, doc, sharp=False):
    """A good detector: nine of ten objects, edges off by 4 % of the side, some seen twice or as another class, some
    that are not there; a few of those with a high score. Scores of what it sees lie about 0.8, of a sharp one near 1."""
    r = random.Random(seed)
    high = (12, 0.6) if sharp else (8, 2)
    names = [c["id"] for c in doc["categories"]]
    size = {m["id"]: (m["width"], m["height"]) for m in doc["images"]}
    out = []

    def add(image, category, box, score):
        w, h = size[image]
        x0, y0 = max(box[0], 0), max(box[1], 0)
        x1, y1 = min(box[0] + box[2], w), min(box[1] + box[3], h)
        if x1 - x0 >= 1 and y1 - y0 >= 1:
            out.append({"image_id": image, "category_id": category, "bbox": rounded((x0, y0, x1 - x0, y1 - y0)),
                        "score": round(min(max(score, 0.001), 0.999), 4)})

    def moved(box, by):
        x0, x1 = (v + r.gauss(0, by) * box[2] for v in (box[0], box[0] + box[2]))
        y0, y1 = (v + r.gauss(0, by) * box[3] for v in (box[1], box[1] + box[3]))
        return (x0, y0, x1 - x0, y1 - y0)
    for a in doc["annotations"]:
        if a.get("iscrowd"):
            continue
        kind = r.random()
        if kind < 0.90:
            add(a["image_id"], a["category_id"], moved(a["bbox"], 0.04), r.betavariate(*high))
        elif kind < 0.93:
            add(a["image_id"], r.choice(names), moved(a["bbox"], 0.05), r.betavariate(3, 4))
        if r.random() < 0.15:
            add(a["image_id"], a["category_id"], moved(a["bbox"], 0.12), r.betavariate(2, 6))
    for m in doc["images"]:
        for _ in range(r.choice((0, 1, 2, 3))):
            w, h = math.exp(r.uniform(2.5, 5)), math.exp(r.uniform(2.5, 5))
            confident = r.random() < 0.01
            add(m["id"], r.choice(names), (r.uniform(0, m["width"]), r.uniform(0, m["height"]), w, h),
                r.betavariate(*high) if confident else r.betavariate(1.2, 7))
    return out


# ---- planting ----

class Planted:
    """A set with errors. errors[kind] holds ("label", annotation id), ("image", name) or ("class", name); for what is
    gone, ("gone", image name, category name, box)."""

    def __init__(self, seed, doc):
        self.r, self.doc = random.Random(seed), copy.deepcopy(doc)
        self.errors = collections.defaultdict(set)
        self.image = {m["id"]: m for m in self.doc["images"]}
        self.there = {m["file_name"]: (m["width"], m["height"]) for m in self.doc["images"]}  # pictures that exist
        self.same, self.alike = {}, {}  # name: the first picture of its group of copies
        self.classes = [c["id"] for c in self.doc["categories"]]
        self.next = max((a["id"] for a in self.doc["annotations"]), default=0) + 1
        self.was = collections.defaultdict(list)  # picture's name: boxes of objects that are labelled otherwise now
        self.used = set()  # annotations and pictures that are changed already
        self.usual = usual_sizes(self.doc)

    def other_class(self, category):
        return self.r.choice([c for c in self.classes if c != category])

    def new_category(self, name):
        new = max(c["id"] for c in self.doc["categories"]) + 1
        self.doc["categories"].append({"id": new, "name": name})
        return new

    def name_of(self, category):
        return next(c["name"] for c in self.doc["categories"] if c["id"] == category)

    def pick(self, n, fits=lambda a: True):
        all_ = [a for a in self.doc["annotations"] if a["id"] not in self.used and not a.get("iscrowd") and
                ("picture", a["image_id"]) not in self.used and min(a["bbox"][2:]) >= 8 and fits(a)]
        found = self.r.sample(all_, min(n, len(all_)))
        self.used.update(a["id"] for a in found)
        for a in found:
            self.was[self.image[a["image_id"]]["file_name"]].append(list(a["bbox"]))
        return found

    def pick_images(self, n, fits=lambda m: True):
        touched = {a["image_id"] for a in self.doc["annotations"] if a["id"] in self.used}
        all_ = [m for m in self.doc["images"] if ("picture", m["id"]) not in self.used and m["id"] not in touched and fits(m)]
        found = self.r.sample(all_, min(n, len(all_)))
        self.used.update(("picture", m["id"]) for m in found)
        return found

    def again(self, a, **change):
        b = copy.deepcopy(a)
        b.update(id=self.next, **change)
        self.next += 1
        self.used.add(b["id"])
        self.doc["annotations"].append(b)
        return b

    def reshape(self, a, box):
        """The box and what follows from it; outlines and keypoints move along."""
        x, y, w, h = a["bbox"]
        sx, sy = box[2] / w, box[3] / h
        a["bbox"] = rounded(box)
        if isinstance(a.get("segmentation"), list):
            a["segmentation"] = [[round(box[0] + (v - x) * sx, 2) if i % 2 == 0 else round(box[1] + (v - y) * sy, 2)
                                  for i, v in enumerate(ring)] for ring in a["segmentation"]]
        if "keypoints" in a:
            k = a["keypoints"]
            a["keypoints"] = [v if k[i - i % 3 + 2] == 0 or i % 3 == 2 else
                              round(box[0] + (v - x) * sx, 2) if i % 3 == 0 else round(box[1] + (v - y) * sy, 2) for i, v in enumerate(k)]
        a["area"] = round(a.get("area", w * h) * sx * sy, 2)

    def jitter(self, box, low, high):
        """A box whose overlap with `box` is in that range."""
        while True:
            f = [self.r.gauss(0, 0.12) for _ in range(4)]
            b = rounded((box[0] + f[0] * box[2], box[1] + f[1] * box[3], box[2] * math.exp(f[2]), box[3] * math.exp(f[3])))
            if low <= iou(box, b) <= high:
                return b

    def inside(self, a, box):
        m = self.image[a["image_id"]]
        return box[0] >= 2 and box[1] >= 2 and box[0] + box[2] <= m["width"] - 2 and box[1] + box[3] <= m["height"] - 2


def usual_sizes(doc):
    """Of classes with enough objects: the median side and proportion, and their spreads, as logarithms."""
    by = collections.defaultdict(list)
    for a in doc["annotations"]:
        x, y, w, h = a["bbox"]
        if w > 0 and h > 0:
            by[a["category_id"]].append((0.5 * math.log(w * h), math.log(w / h)))
    out = {}
    for c, v in by.items():
        if len(v) >= 30:
            out[c] = []
            for k in range(2):
                s = sorted(p[k] for p in v)
                mid = s[len(s) // 2]
                out[c].append((mid, 1.4826 * sorted(abs(q - mid) for q in s)[len(s) // 2]))
    return out


def missing_image(p, n):
    for m in p.pick_images(n):
        del p.there[m["file_name"]]
        p.errors["missing_image"].add(("image", m["file_name"]))


def image_size(p, n):
    for m in p.pick_images(n):
        m["width"], m["height"] = m["width"] * 2, m["height"] * 2
        p.errors["image_size"].add(("image", m["file_name"]))


def labelled_twice(p, n):
    for m in p.pick_images(n):
        new = dict(m, id=max(p.image) + 1)
        p.image[new["id"]] = new
        p.doc["images"].append(new)
        p.used.add(("picture", new["id"]))
        for a in [a for a in p.doc["annotations"] if a["image_id"] == m["id"]]:
            p.again(a, image_id=new["id"])
        p.errors["labelled_twice"].add(("image", m["file_name"]))


def category_names(p, n):
    for c in p.r.sample(p.doc["categories"], min(3, n, len(p.doc["categories"]))):
        name = c["name"].upper() + " "
        new = p.new_category(name)
        for a in p.pick(3, lambda a: a.get("category_id") == c["id"]):
            a["category_id"] = new
        p.errors["category_names"].add(("class", name))


def unused_category(p, n):
    for k in range(min(n, 3)):
        p.new_category("nothing %d" % k)
        p.errors["unused_category"].add(("class", "nothing %d" % k))


def unknown_category(p, n):
    for a in p.pick(n):
        del a["category_id"]
        p.errors["unknown_category"].add(("label", a["id"]))


def degenerate(p, n):
    for k, a in enumerate(p.pick(n)):
        x, y, w, h = a["bbox"]
        if k % 3 == 2 and isinstance(a.get("segmentation"), list):
            a["segmentation"] = [[x, y, x + w / 2, y + h / 2, x + w, y + h]]
        else:
            a["bbox"] = [x, y, 0, h] if k % 2 else [x, y, 0, 0]
        p.errors["degenerate"].add(("label", a["id"]))


def outside_image(p, n):
    for k, a in enumerate(p.pick(n)):
        x, y, w, h = a["bbox"]
        m = p.image[a["image_id"]]
        by = p.r.uniform(0.1, 0.9) if k % 2 else 1.1
        box = p.r.choice(([-by * w, y, w, h], [m["width"] - w + by * w, y, w, h], [x, -by * h, w, h], [x, m["height"] - h + by * h, w, h]))
        p.reshape(a, box)
        p.errors["outside_image"].add(("label", a["id"]))


def self_intersecting(p, n):
    for a in p.pick(n, lambda a: isinstance(a.get("segmentation"), list) and len(a["segmentation"]) == 1):
        x, y, w, h = a["bbox"]
        a["segmentation"] = [[x, y, x + w, y + h, x + w, y, x, y + h]]  # a bow tie
        p.errors["self_intersecting"].add(("label", a["id"]))


def keypoints_outside(p, n):
    for a in p.pick(n, lambda a: any(a.get("keypoints", [])[2::3])):
        k = p.r.choice([i for i in range(17) if a["keypoints"][3 * i + 2] > 0])
        a["keypoints"][3 * k] = a["bbox"][0] + a["bbox"][2] + max(a["bbox"][2:]) * p.r.uniform(0.3, 1)
        p.errors["keypoints_outside"].add(("label", a["id"]))


def duplicate_box(p, n):
    for a in p.pick(n):
        p.errors["duplicate_box"].add(("label", p.again(a)["id"]))


def near_duplicate_box(p, n):
    for a in p.pick(n):
        b = p.again(a)
        p.reshape(b, p.jitter(a["bbox"], 0.83, 0.95))
        p.errors["near_duplicate_box"].add(("label", b["id"]))


def two_classes(p, n):
    for a in p.pick(n):
        b = p.again(a, category_id=p.other_class(a["category_id"]))
        p.reshape(b, p.jitter(a["bbox"], 0.93, 1))
        p.errors["two_classes"].add(("label", b["id"]))


def inconsistent_copies(p, n):
    """Copies of a picture with its labels; of two, the second one has a wrong class; of three, the first one; or one
    of them lacks an object."""
    for k, m in enumerate(p.pick_images(n, lambda m: any(a["image_id"] == m["id"] for a in p.doc["annotations"]))):
        own = [a for a in p.doc["annotations"] if a["image_id"] == m["id"]]
        a = p.r.choice(own)
        group = p.same if k % 2 == 0 else p.alike
        group[m["file_name"]] = m["file_name"]
        copies = []
        for q in range(2 if k % 3 else 1):
            new = dict(m, id=max(p.image) + 1, file_name="copy%d_%s" % (q, m["file_name"]))
            p.image[new["id"]] = new
            p.doc["images"].append(new)
            p.used.add(("picture", new["id"]))
            p.there[new["file_name"]] = (m["width"], m["height"])
            group[new["file_name"]] = m["file_name"]
            copies.append({b["id"]: p.again(b, image_id=new["id"]) for b in own})
        other = p.other_class(a["category_id"])
        if group is p.same and k % 4 == 2 and len(copies) == 1:
            p.doc["annotations"].remove(copies[0][a["id"]])
            p.errors["inconsistent_copies"].add(("label", a["id"]))
        else:
            wrong = a if len(copies) == 2 else copies[0][a["id"]]
            wrong["category_id"] = other
            p.errors["inconsistent_copies"].add(("label", wrong["id"]))


def odd(p, n, kind, which):
    """Boxes 8 spreads off what is usual, where that fits into the picture and the class has enough objects. Not many
    of a class: what is common in it is no outlier."""
    left = {c: max(1, len([a for a in p.doc["annotations"] if a.get("category_id") == c]) // 70) for c in p.usual}
    for a in p.pick(50 * n, lambda a: a.get("category_id") in p.usual):
        x, y, w, h = a["bbox"]
        mid, spread = p.usual[a["category_id"]][which]
        to = mid + p.r.choice((-1, 1)) * 8 * max(spread, 0.1)
        if which == 0:
            f = math.exp(to - 0.5 * math.log(w * h))
            w, h = w * f, h * f
        else:
            f = math.exp(0.5 * (to - math.log(w / h)))
            w, h = w * f, h / f
        box = (x, y, w, h)
        m = p.image[a["image_id"]]
        box = (min(x, m["width"] - w - 3), min(y, m["height"] - h - 3), w, h)
        if len(p.errors[kind]) == n or not p.inside(a, box) or min(w, h) < 1.5 or left[a["category_id"]] == 0:
            p.used.discard(a["id"])
            continue
        left[a["category_id"]] -= 1
        p.reshape(a, box)
        p.errors[kind].add(("label", a["id"]))


def odd_object_size(p, n):
    odd(p, n, "odd_object_size", 0)


def odd_object_aspect(p, n):
    odd(p, n, "odd_object_aspect", 1)


def overlooked(p, n):
    for a in p.pick(n):
        p.doc["annotations"].remove(a)
        name = p.image[a["image_id"]]["file_name"]
        p.errors["overlooked"].add(("gone", name, p.name_of(a["category_id"]), tuple(a["bbox"])))


def badly_located(p, n):
    for a in p.pick(n, lambda a: min(a["bbox"][2:]) >= 16):
        box = a["bbox"]
        for _ in range(1000):
            f = [p.r.uniform(-0.5, 0.5) for _ in range(4)]
            b = (box[0] + f[0] * box[2], box[1] + f[1] * box[3], box[2] * math.exp(f[2]), box[3] * math.exp(f[3]))
            if 0.3 <= iou(box, b) <= 0.6 and p.inside(a, b):
                p.reshape(a, b)
                p.errors["badly_located"].add(("label", a["id"]))
                break


def swapped(p, n):
    for a in p.pick(n):
        a["category_id"] = p.other_class(a["category_id"])
        p.errors["swapped"].add(("label", a["id"]))


def plant(seed, doc, share=0.01, kinds=ALL):
    """Every kind, of so large a share of the objects, at least 6. Classes without an object come last: changes take
    objects from them."""
    p = Planted(seed, doc)
    n = max(6, int(share * len(doc["annotations"])))
    for kind in kinds:
        globals()[kind](p, min(n, max(3, len(doc["images"]) // 20)) if kind in
                        ("missing_image", "image_size", "labelled_twice", "inconsistent_copies") else n)
    seen = {a.get("category_id") for a in p.doc["annotations"]}
    for c in p.doc["categories"]:
        if c["id"] not in seen and "unused_category" in kinds:
            p.errors["unused_category"].add(("class", c["name"]))
    return p


# ---- a dataset ----

def add_pictures(catalog, planted, folder="/pictures"):
    """Rows of pictures without files, with the facts that the checks read."""
    db = sqlite3.connect(catalog)
    ids = {}
    for i, (name, (w, h)) in enumerate(sorted(planted.there.items())):
        ids[name] = i + 1
        db.execute("INSERT INTO asset(id, uri, kind) VALUES(?, ?, 'image')", (i + 1, f"{folder}/{name}"))
        db.execute("INSERT INTO fact_check(asset_id, key, verdict, width, height, orientation) VALUES(?, 0, 'ok', ?, ?, 1)", (i + 1, w, h))
    for i, name in enumerate(sorted(planted.there)):
        same, alike = planted.same.get(name), planted.alike.get(name)
        if same or alike:
            db.execute("INSERT INTO fact_duplicates(asset_id, key, duplicate_group, near_group) VALUES(?, 0, ?, ?)",
                       (ids[name], ids.get(same), ids.get(alike)))
    db.commit()
    db.close()


def save(path, doc):
    with open(path, "w") as f:
        json.dump(doc, f)


# ---- what was found ----

def keys_of(catalog, row, ids):
    """What a finding is about, in the terms of Planted.errors."""
    out = set()
    for r in (row["label"], row["other"]):
        if r is not None and r in ids:
            out.add(("label", ids[r]))
    if row["label"] is None and row["image"] is not None:
        out.add(("image", row["image"]))
    if row["image"] is None and row["class"] is not None:
        out.add(("class", row["class"]))
    return out


def label_ids(catalog, set_name):
    db = sqlite3.connect(catalog)
    rows = db.execute("SELECT l.id, l.source_id FROM label l JOIN label_image i ON i.id = l.image_id JOIN label_set s"
                      " ON s.id = i.set_id WHERE s.name = ?", (set_name,)).fetchall()
    db.close()
    return dict(rows)


def score(dataset, set_name, rows, planted):
    """{kind: planted, found, precision, recall}. A finding is right where it is about a planted error, of its kind or of
    another: a box that was blown up may also be a bad one in other ways. Recall counts those of its own kind."""
    catalog = os.path.join(dataset, "catalog.db")
    ids = label_ids(catalog, set_name)
    any_error = set().union(*planted.errors.values()) if planted.errors else set()
    out = {}
    for kind in sorted(set(planted.errors) | {r["kind"] for r in rows}):
        mine = [r for r in rows if r["kind"] == kind]
        want, got, right = planted.errors.get(kind, set()), set(), 0
        for r in mine:
            keys = keys_of(catalog, r, ids)
            if kind == "overlooked":
                box = (r["x"], r["y"], r["width"], r["height"])
                keys = {e for e in want if e[1] == r["image"] and iou(e[3], box) >= 0.5}
                right += not keys and any(iou(b, box) >= 0.5 for b in planted.was[r["image"]])
            elif kind == "poor_image":
                right += r["image"] in planted.was
            got |= keys & want
            right += bool(keys & any_error)
        out[kind] = {"planted": len(want), "found": len(mine), "precision": round(right / len(mine), 3) if mine else None,
                     "recall": round(len(got) / len(want), 3) if want else None}
    return out
