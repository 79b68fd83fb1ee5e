#!/usr/bin/env python3
"""A truth and results of the size of COCO's val2017, invented: 5 000 images, 36 781 objects, some 200 000 detections.

    python3 bench/coco_make.py OUT_DIR [--images N] [--masks]

Writes truth.json, bbox.json; with --masks (needs pycocotools) also segm.json, whose masks are run lengths, and
keypoints_truth.json, keypoints.json. Classes are as skewed and sizes as spread as COCO's; detections are objects
moved a little, objects seen twice, other classes, and false alarms of low score. The same for the same arguments.
SPDX-License-Identifier: Apache-2.0
"""
import argparse
import json
import os

import numpy as np

IMAGES, OBJECTS, CLASSES = 5000, 36781, 80
DETECTIONS = 200000
EMPTY = 0.0096  # share of images without objects
CROWDS = 0.012


def polygon(rng, box, corners):
    """A star-shaped outline that fills its box."""
    t = np.sort(rng.uniform(0, 2 * np.pi, corners))
    r = rng.uniform(0.6, 1, corners)
    x, y = r * np.cos(t), r * np.sin(t)
    x, y = (x - x.min()) / max(np.ptp(x), 1e-9), (y - y.min()) / max(np.ptp(y), 1e-9)
    return np.round(np.stack([box[0] + x * box[2], box[1] + y * box[3]], 1).ravel(), 2).tolist()


def boxes_of(rng, n, w, h):
    """Sides are spread over two orders of magnitude; about 41 % of areas are small, 34 % medium."""
    side = np.exp(rng.normal(3.75, 1.1, n))
    ratio = np.exp(rng.normal(0, 0.45, n))
    bw, bh = np.minimum(np.maximum(side * ratio, 3), w - 1), np.minimum(np.maximum(side / ratio, 3), h - 1)
    x, y = rng.uniform(0, 1, n) * (w - bw), rng.uniform(0, 1, n) * (h - bh)
    return np.round(np.stack([x, y, bw, bh], 1), 2)


def make_truth(rng, n_images):
    n_objects = round(OBJECTS * n_images / IMAGES)
    w = rng.choice([640, 640, 640, 480, 500, 427], n_images)
    h = np.where(w == 640, rng.choice([480, 427, 426, 360], n_images), 640)
    weight = np.exp(rng.normal(0, 1.1, n_images)) * (rng.random(n_images) >= EMPTY)
    image = np.sort(rng.choice(n_images, n_objects, p=weight / weight.sum()))
    share = np.concatenate([[0.30], 0.70 * (1 / np.arange(4, CLASSES + 3)) / (1 / np.arange(4, CLASSES + 3)).sum()])
    # objects of an image are often of the same class
    own = rng.choice(CLASSES, n_images, p=share)
    category = np.where(rng.random(n_objects) < 0.5, own[image], rng.choice(CLASSES, n_objects, p=share)) + 1
    box = np.array([boxes_of(rng, 1, w[i], h[i])[0] for i in image])
    corners = rng.integers(8, 60, n_objects)
    fill = rng.uniform(0.4, 0.8, n_objects)
    crowd = rng.random(n_objects) < CROWDS
    ids = rng.permutation(n_objects * 10)[:n_objects] + 1
    annotations = [{"id": int(ids[k]), "image_id": int(image[k]) * 97 + 139, "category_id": int(category[k]), "bbox": box[k].tolist(),
                    "area": round(float(box[k][2] * box[k][3] * fill[k]), 4), "iscrowd": int(crowd[k]),
                    "segmentation": [polygon(rng, box[k], corners[k])]} for k in range(n_objects)]
    images = [{"id": i * 97 + 139, "width": int(w[i]), "height": int(h[i]), "file_name": "%012d.jpg" % (i * 97 + 139)}
              for i in range(n_images)]
    categories = [{"id": k + 1, "name": "class %d" % (k + 1)} for k in range(CLASSES)]
    return {"images": images, "annotations": annotations, "categories": categories}, image, category, box, w, h


def make_results(rng, image, category, box, w, h, n_images):
    """Arrays of detections: image, category, box, score; and how far each was moved."""
    n = round(DETECTIONS * n_images / IMAGES)
    found = np.flatnonzero(rng.random(len(image)) < 0.85)
    again = rng.choice(len(image), n // 3)
    of = np.concatenate([found, again])
    move = np.concatenate([rng.exponential(0.06, len(found)), rng.exponential(0.3, len(again))])
    near = box[of] + rng.normal(0, 1, (len(of), 4)) * move[:, None] * box[of][:, [2, 3, 2, 3]]
    near[:, 2:] = np.maximum(near[:, 2:], 1)
    near_class = np.where(rng.random(len(of)) < 0.9, category[of], rng.integers(1, CLASSES + 1, len(of)))
    near_score = np.clip(0.95 - move * 2 + rng.normal(0, 0.12, len(of)), 0.001, 0.999)
    rest = n - len(of)
    where = rng.integers(0, n_images, rest)
    false = np.array([boxes_of(rng, 1, w[i], h[i])[0] for i in where])
    # false alarms are of classes that are there, mostly
    own = np.full(n_images, 1)
    own[image] = category
    false_class = np.where(rng.random(rest) < 0.6, own[where], rng.integers(1, CLASSES + 1, rest))
    return (np.concatenate([image[of], where]), np.concatenate([near_class, false_class]),
            np.round(np.concatenate([near, false]), 2),
            np.round(np.concatenate([near_score, rng.beta(1, 8, rest) + 0.001]), 3))


def masks(rng, results, boxes, w, h):
    from pycocotools import mask
    out = []
    for d, b in zip(results, boxes):
        i = (d["image_id"] - 139) // 97
        r = mask.frPyObjects([polygon(rng, b, int(rng.integers(8, 40)))], int(h[i]), int(w[i]))[0]
        out.append({"image_id": d["image_id"], "category_id": d["category_id"], "score": d["score"],
                    "segmentation": {"size": r["size"], "counts": r["counts"].decode()}})
    return out


def keypoints(rng, truth, results):
    """Persons only; detections keep an object's keypoints where they come from one (here: anew)."""
    persons = [dict(a) for a in truth["annotations"] if a["category_id"] == 1]
    for a in persons:
        b, v = a["bbox"], rng.choice([0, 1, 2], 17, p=[0.4, 0.1, 0.5]) * (rng.random() < 0.6)
        p = np.round(np.array(b[:2]) + rng.random((17, 2)) * b[2:], 1) * (v > 0)[:, None]
        a["keypoints"] = np.column_stack([p, v]).ravel().tolist()
        a["num_keypoints"] = int((v > 0).sum())
        del a["segmentation"]
    by_image = {}
    for a in persons:
        by_image.setdefault(a["image_id"], []).append(a)
    out = []
    for d in results:
        if d["category_id"] != 1:
            continue
        there = by_image.get(d["image_id"])
        k = np.array(there[rng.integers(len(there))]["keypoints"]).reshape(17, 3) if there else rng.random((17, 3)) * 300
        k[:, :2] = np.round(k[:, :2] + rng.normal(0, 4 * rng.random(), (17, 2)), 3)
        out.append({"image_id": d["image_id"], "category_id": 1, "score": d["score"], "keypoints": k.ravel().tolist()})
    return {"images": truth["images"], "annotations": persons, "categories": truth["categories"][:1]}, out


def make(out, n_images=IMAGES, with_masks=False):
    os.makedirs(out, exist_ok=True)
    rng = np.random.default_rng(2017)

    def write(name, value):
        with open(os.path.join(out, name), "w") as f:
            json.dump(value, f)
    truth, image, category, box, w, h = make_truth(rng, n_images)
    i, c, b, s = make_results(rng, image, category, box, w, h, n_images)
    order = rng.permutation(len(i))
    results = [{"image_id": int(i[k]) * 97 + 139, "category_id": int(c[k]), "bbox": b[k].tolist(), "score": float(s[k])} for k in order]
    write("truth.json", truth)
    write("bbox.json", results)
    if with_masks:
        write("segm.json", masks(rng, results, b[order], w, h))
        t, r = keypoints(rng, truth, results)
        write("keypoints_truth.json", t)
        write("keypoints.json", r)
    return len(truth["annotations"]), len(results)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("out")
    ap.add_argument("--images", type=int, default=IMAGES)
    ap.add_argument("--masks", action="store_true")
    args = ap.parse_args()
    print("%d objects, %d detections" % make(args.out, args.images, args.masks))
