#!/usr/bin/env python3
"""bench stratify [SEEDS]: split --stratify class beside scikit-multilearn's and iterative-stratification's.

Pictures with several classes each, few of most: 500 with 20 classes, 2 000 with 40; each by itself, as the others know
no groups. Of each program the mean over parts and classes of |pictures - share| (`off`, pictures), the label
distribution of the published measure (`ld`, Sechidis, Tsoumakas and Vlahavas 2011), and the mean of |pictures of a
part - share| (`size_off`). Then the largest: 118 287 pictures, 860 001 objects, choosing and splitting by time. Needs
NumPy; the others from PyPI where they are installed. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import sqlite3
import sys

import common

try:
    import numpy as np
except ImportError:
    print(json.dumps({"skipped": "no numpy for Python"}))
    sys.exit(0)

SETS = ((500, 20, (0.8, 0.1, 0.1)), (500, 20, (0.5, 0.5)), (2000, 40, (0.8, 0.1, 0.1)), (2000, 40, (0.5, 0.5)))
IMAGES, OBJECTS, CLASSES = 118287, 860001, 80


def labels(n, k, seed):
    r = np.random.RandomState(seed)
    w = 1 / np.arange(1, k + 1) ** 1.1
    y = np.zeros((n, k), int)
    for i in range(n):
        y[i, r.choice(k, 1 + r.poisson(2.5), p=w / w.sum())] = 1
    return y[:, y.sum(0) > 0]


def dataset(path, n, n_classes, objects):
    """A catalog of pictures without files; objects: (picture, class), from 0."""
    common.vidimus("add", common.scratch("stratify-none"), "--out", path, "--quiet")
    db = sqlite3.connect(os.path.join(path, "catalog.db"))
    db.executemany("INSERT INTO asset(id, uri, kind) VALUES(?, ?, 'image')", ((i + 1, "/x/%06d.jpg" % i) for i in range(n)))
    db.execute("INSERT INTO label_set(id, name, format, source, imported_ns, program) VALUES(1, 'gt', 'coco', '', 0, '')")
    db.executemany("INSERT INTO label_category(set_id, category, source_id, name) VALUES(1, ?1, ?1, 'c' || ?1)", ((k,) for k in range(n_classes)))
    db.executemany("INSERT INTO label_image(id, set_id, asset_id, source_id, name) VALUES(?1, 1, ?1, ?1, '')", ((i + 1,) for i in range(n)))
    db.executemany("INSERT INTO label(image_id, category, has) VALUES(?, ?, 1)", ((int(i) + 1, int(k)) for i, k in objects))
    db.commit()
    db.close()


def ours(y, shares, seed):
    folder = common.scratch("stratify")
    d, cert = os.path.join(folder, "d.vidimus"), os.path.join(folder, "c.json")
    dataset(d, *y.shape, zip(*np.nonzero(y)))
    common.vidimus("split", d, "/".join(map(str, shares)), "--by", "", "--vectors", "none", "--stratify", "class", "--seed", seed, "--certificate", cert)
    part = np.zeros(len(y), int)
    with open(cert) as f:
        for uri, _, p, _ in json.load(f)["assets"]:
            part[int(uri[3:9])] = p
    return part


def multilearn(y, shares, seed):
    from skmultilearn.model_selection import IterativeStratification
    np.random.seed(seed)
    part = np.zeros(len(y), int)
    folds = IterativeStratification(n_splits=len(shares), order=1, sample_distribution_per_fold=list(shares))
    for k, (_, there) in enumerate(folds.split(np.zeros((len(y), 1)), y)):
        part[there] = k
    return part


def iterative(y, shares, seed):
    """The package cuts off one part at a time: first the last one, then the one before it of what is left."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
    part, left, whole = np.zeros(len(y), int), np.arange(len(y)), 1.0
    for k in range(len(shares) - 1, 0, -1):
        cut = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=shares[k] / whole, random_state=seed)
        keep, out = next(cut.split(np.zeros((len(left), 1)), y[left]))
        part[left[out]] = k
        left, whole = left[keep], whole - shares[k]
    return part


def drawn(y, shares, seed):
    return np.random.RandomState(seed).choice(len(shares), len(y), p=shares)


def judged(y, part, shares):
    total, off, ld, size = y.sum(0), 0, 0, 0
    for p, share in enumerate(shares):
        have, n = y[part == p].sum(0), (part == p).sum()
        off += np.abs(have - share * total).mean()
        ld += np.abs(have / np.maximum(n - have, 1e-9) - total / (len(y) - total)).mean()
        size += abs(n - share * len(y))
    return [v / len(shares) for v in (off, ld, size)]


def beside_others(seeds):
    for n, k, shares in SETS:
        fields = {}
        for name, f in (("ours", ours), ("multilearn", multilearn), ("iterative", iterative), ("drawn", drawn)):
            try:
                rows = [judged(y, f(y, shares, s), shares) for s in range(seeds) for y in [labels(n, k, s)]]
            except ImportError as e:
                print("%s: left out" % e, file=sys.stderr)
                continue
            for key, v in zip(("off", "ld", "size_off"), np.mean(rows, 0)):
                fields["%s_%s" % (name, key)] = round(float(v), 5)
        common.emit("stratify", pictures=n, classes=k, shares=shares, seeds=seeds, **fields)


def the_largest():
    r = random.Random(2017)
    d = os.path.join(common.scratch("stratify"), "d.vidimus")
    dataset(d, IMAGES, CLASSES, ((r.randrange(IMAGES), r.randrange(CLASSES)) for _ in range(OBJECTS)))
    fields = {}
    for key, call in (("select_1000", ("select", d, "--count", 1000, "--by", "balance", "--per", "class")),
                      ("select_20000", ("select", d, "--count", 20000, "--by", "balance", "--per", "class")),
                      ("split", ("split", d, "80/10/10", "--by", "", "--vectors", "none", "--stratify", "class")),
                      ("facts", ("sql", d, "SELECT count(*) FROM asset_facts WHERE width IS NULL")),
                      ("facts_labels", ("sql", d, "SELECT count(*) FROM asset_facts WHERE labels > 20")),
                      ("facts_classes", ("sql", d, "SELECT count(*) FROM asset_facts WHERE classes LIKE '%c12%'"))):
        fields[key + "_cpu_s"] = round(common.vidimus(*call, "--json").cpu, 2)
    common.emit("stratify", pictures=IMAGES, classes=CLASSES, objects=OBJECTS, **fields)


if __name__ == "__main__":
    beside_others(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    the_largest()
