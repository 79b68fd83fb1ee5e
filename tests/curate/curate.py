#!/usr/bin/env python3
"""Choosing, splitting, snapshots and the card on rendered captures, with Python's standard library alone: the plain
algorithms are written down here, and what the catalog holds is read with Python's own SQLite.
SPDX-License-Identifier: Apache-2.0
"""
import collections
import json
import math
import os
import random
import re
import shutil
import sqlite3
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "robust"))
import common  # noqa: E402
from common import need  # noqa: E402

DIM = 24


def npy(path, kind, shape, values):
    """A NumPy file, version 1.0: kind is b (int8), f (float32) or q (int64)."""
    descr = {"b": "|i1", "f": "<f4", "q": "<i8", "d": "<f8", "H": "<u2"}[kind]
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(values)}{kind}", *values))


def js(*args, **more):
    return json.loads(common.vidimus(*args, "--json", **more).out)


def ids_of(rows):
    return [r["id"] for r in rows]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


class World:
    """Two yards from different seeds, loose pictures, a video; vectors of our own for every picture."""

    def __init__(self, s):
        self.s, self.d = s, s + "/d.vidimus"
        for seed in (1, 2):
            common.vidimus("synth", f"{s}/cap{seed}", "--views", 8, "--width", 320, "--height", 240, "--seed", seed, "--quiet")
            os.makedirs(f"{s}/in/site{seed}", exist_ok=True)
            for name in sorted(os.listdir(f"{s}/cap{seed}/images")):
                shutil.copy(f"{s}/cap{seed}/images/{name}", f"{s}/in/site{seed}/{name}")
        jpegs = [common.read(f"{s}/in/site1/view_00{i}.jpg") for i in (1, 2)]
        common.avi(s + "/in/clip.avi", jpegs)
        common.vidimus("run", "in", "--out", "d.vidimus", "--quiet", cwd=s)
        self.rows = self.sql("SELECT id, uri FROM asset WHERE kind IN ('image','frame','page') AND state = 'present' ORDER BY id")
        self.uri = dict(self.rows)
        r = random.Random(5)
        middle = [[r.gauss(0, 40) for _ in range(DIM)] for _ in range(4)]
        self.vector = {}
        for k, (id_, _) in enumerate(self.rows):
            c = middle[min(k % 9, 3)]
            self.vector[id_] = [max(-127, min(127, round(x + r.gauss(0, 12)))) for x in c]
        self.npy = s + "/v.npy"
        npy(self.npy, "b", (len(self.rows), DIM), [x for id_, _ in self.rows for x in self.vector[id_]])

    def sql(self, q, *args):
        db = sqlite3.connect(self.d + "/catalog.db")
        try:
            return db.execute(q, args).fetchall()
        finally:
            db.close()

    def by_uri(self):
        return sorted(self.vector, key=lambda i: self.uri[i].encode())


# ---- select ----

def greedy_diversity(w, first, n):
    order, chosen = w.by_uri(), [first]
    while len(chosen) < n:
        chosen.append(min((i for i in order if i not in chosen),
                          key=lambda i: max(cosine(w.vector[i], w.vector[c]) for c in chosen)))
    return chosen


def greedy_coverage(w, n):
    order, chosen, best = w.by_uri(), [], collections.Counter()
    cos = {(i, k): max(0, cosine(w.vector[i], w.vector[k])) for i in order for k in order}
    for _ in range(n):
        pick = max((i for i in order if i not in chosen), key=lambda i: sum(max(0, cos[i, k] - best[k]) for k in order))
        chosen.append(pick)
        for k in order:
            best[k] = max(best[k], cos[pick, k])
    return chosen


def select_is_plain_greedy(w):
    rows = js("select", w.d, "--count", 12, "--vectors", w.npy)
    got = ids_of(rows)
    need(got == greedy_diversity(w, got[0], 12), "diversity:", got)
    for r in rows[1:]:
        before = got[:got.index(r["id"])]
        need(abs(r["value"] - max(cosine(w.vector[r["id"]], w.vector[c]) for c in before)) < 1e-6, "value of", r)
    got = ids_of(js("select", w.d, "--count", 8, "--by", "coverage", "--vectors", w.npy))
    need(got == greedy_coverage(w, 8), "coverage:", got)
    like = w.by_uri()[3]
    rows = js("select", w.d, "--count", 1000, "--by", "similarity", "--vectors", w.npy, "--like", f"id = {like}")
    want = sorted((i for i in w.vector if i != like), key=lambda i: (-cosine(w.vector[i], w.vector[like]), w.uri[i].encode()))
    need([round(r["value"], 5) for r in rows] == [round(cosine(w.vector[i], w.vector[like]), 5) for i in want], "similarity")
    need(like not in ids_of(rows) and len(rows) == len(w.vector) - 1, "the query itself is no result")


def select_does_not_depend_on_jobs_or_cpu(w):
    for by in ("diversity", "coverage", "balance", "surface"):
        for vectors in ("look", "global"):
            call = ("select", w.d, "--count", 9, "--by", by, "--vectors", vectors, "--jobs")
            first = common.vidimus(*call, 1).out
            need(first == common.vidimus(*call, 3).out, by, vectors, "differs by jobs")
            os.environ["VIDIMUS_CPU"] = "c"
            try:
                need(first == common.vidimus(*call, 2).out, by, vectors, "differs by processor")
            finally:
                del os.environ["VIDIMUS_CPU"]


def select_balances_a_value(w):
    rows = js("select", w.d, "--count", 12, "--by", "balance", "--per", "kind || format", "--vectors", w.npy)
    have = collections.Counter(r[0] for r in w.sql("SELECT kind || format FROM asset_facts WHERE kind IN ('image','frame')"))
    got = collections.Counter(r["part"] for r in rows)
    need(sum(got.values()) == 12, got)
    for a in got:
        for b in got:
            need(got[a] + 1 >= got[b] or got[a] == have[a], "not even:", got, "of", have)
    need(len({r["id"] for r in rows}) == 12, "twice the same")


def select_scores_skips_and_tags(w):
    rows = js("select", w.d, "--count", 5, "--by", "score", "--score", "sharpness", "--skip", "near,duplicates,problems")
    want = w.sql("SELECT id, sharpness FROM asset_facts WHERE kind IN ('image','frame','page') AND state = 'present'"
                 " AND coalesce(near_keep, 1) AND coalesce(duplicate_keep, 1) AND id NOT IN (SELECT asset_id FROM problem"
                 " WHERE kind NOT IN ('exact_duplicates','near_duplicates')) AND sharpness IS NOT NULL ORDER BY sharpness DESC, uri LIMIT 5")
    need(ids_of(rows) == [r[0] for r in want] and rows, "score:", rows, want)
    need(js("select", w.d, "--count", 500, "--skip", "blurry") != js("select", w.d, "--count", 500), "skip of a kind")
    for where in ("uri LIKE '%view%'", "uri LIKE '%view_003%'"):  # the second takes the tag from the others
        rows = js("select", w.d, "--count", 3, "--where", where, "--tag", "pick")
        need(sorted(ids_of(rows)) == [r[0] for r in w.sql("SELECT asset_id FROM tag WHERE name = 'pick' ORDER BY 1")], "tag")
    for bad in (["--skip", "ugly"], ["--by", "score"], ["--by", "similarity"], ["--tag", "a b"], ["--where", "nothing = 1"],
                ["--vectors", "../x"], ["--by", "score", "--score", "sharp + "]):
        common.vidimus("select", w.d, "--count", 3, *bad, want=2)
    p = common.vidimus("select", w.d, "--count", 3, "--vectors", "embedding", want=3)
    need("no picture has 'embedding'" in p.err, p.err)


def select_takes_vectors_from_files(w):
    some = [i for i, _ in w.rows][::2]
    npy(w.s + "/f.npy", "f", (len(some), DIM), [x for i in some for x in w.vector[i]])
    npy(w.s + "/ids.npy", "q", (len(some),), some)
    rows = js("select", w.d, "--count", 500, "--vectors", w.s + "/f.npy", "--ids", w.s + "/ids.npy")
    need(set(ids_of(rows)) == set(some), "only those with a vector")
    p = common.vidimus("select", w.d, "--count", 5, "--vectors", w.s + "/f.npy", want=2)
    need(f"{len(some)} rows" in p.err, p.err)
    npy(w.s + "/nan.npy", "f", (len(w.rows), 2), [math.nan] * 2 * len(w.rows))
    need("no number" in common.vidimus("select", w.d, "--count", 5, "--vectors", w.s + "/nan.npy", want=2).err, "NaN")
    with open(w.npy, "rb") as f, open(w.s + "/cut.npy", "wb") as g:
        g.write(f.read()[:-7])
    need("cut" in common.vidimus("select", w.d, "--count", 5, "--vectors", w.s + "/cut.npy", want=3).err, "cut")


def surface_keeps_every_point(w):
    p = common.vidimus("select", w.d, "--count", 1000, "--by", "surface", "--scene", 1)
    kept = re.search(r"(\d+) of (\d+) well observed points", p.err + p.out)
    need(kept and kept[1] == kept[2] and int(kept[1]) > 50, p.err, p.out)
    rows = js("select", w.d, "--count", 1000, "--by", "surface", "--scene", 1)
    placed = w.sql("SELECT count(*) FROM fact_reconstruct WHERE scene = 1 AND registered = 1")[0][0]
    need(0 < len(rows) <= placed and [r["value"] for r in rows] == sorted((r["value"] for r in rows), reverse=True), rows)
    one = js("select", w.d, "--count", 1000, "--by", "surface", "--scene", 1, "--directions", 1)
    need(len(one) < len(rows), "one direction a point needs fewer pictures:", len(one), len(rows))
    common.vidimus("select", w.d, "--count", 3, "--by", "surface", "--scene", 99, want=3)


# ---- split ----

def parts_of(w, name):
    return dict(w.sql("SELECT a.asset_id, a.part FROM split_asset a JOIN split s ON s.id = a.split_id WHERE s.name = ?", name))


def straddles(w, part, sql):
    seen = collections.defaultdict(set)
    for id_, key in w.sql(sql):
        if id_ in part and key is not None:
            seen[key].add(part[id_])
    return [k for k, v in seen.items() if len(v) > 1]


RULES = {
    "scene": "SELECT asset_id, scene FROM fact_reconstruct",
    "duplicates": "SELECT asset_id, near_group FROM fact_duplicates",
    "video": "SELECT id, parent_id FROM asset",
    "folder": "SELECT id, rtrim(uri, replace(uri, '/', '')) FROM asset",
    "session": "SELECT asset_id, camera FROM fact_check",  # all within seconds of each other
    "view_([0-9]+)[^0-9]": "SELECT id, substr(uri, instr(uri, 'view_'), 8) FROM asset WHERE uri LIKE '%view_%'",
}


def split_never_straddles(w):
    loose = 0
    for by, sql in RULES.items():
        common.vidimus("split", w.d, "50/50", "--by", by, "--name", "s", "--vectors", "none")
        part = parts_of(w, "s")
        need(len(part) == len(w.rows), by, "left pictures out")
        need(not straddles(w, part, sql), by, "straddles", straddles(w, part, sql))
        common.vidimus("split", w.d, "50/50", "--by", "", "--name", "t", "--vectors", "none")
        loose += len(straddles(w, parts_of(w, "t"), sql))
    need(loose >= 5, "without a rule things do straddle:", loose)
    common.vidimus("split", w.d, "50/50", "--by", "scene,duplicates,video,view_([0-9]{2,3})", "--name", "s")
    for by in ("scene", "duplicates", "video", "view_([0-9]+)[^0-9]"):
        need(not straddles(w, parts_of(w, "s"), RULES[by]), by)
    tags = dict(w.sql("SELECT asset_id, name FROM tag WHERE name LIKE 's:%'"))
    need(tags == {k: "s:" + v for k, v in parts_of(w, "s").items()}, "tags")


def split_keeps_shares_and_strata(w):
    common.vidimus("split", w.d, "60/20/20", "--by", "", "--name", "s", "--vectors", "none", "--stratify", "format")
    part = parts_of(w, "s")
    n = collections.Counter(part.values())
    need(set(n) == {"train", "val", "test"} and abs(n["train"] - 0.6 * len(part)) <= 1.5, n)
    for (fmt,) in w.sql("SELECT DISTINCT format FROM asset_facts WHERE kind = 'image'"):
        ids = [r[0] for r in w.sql("SELECT id FROM asset_facts WHERE kind = 'image' AND format = ?", fmt)]
        inside = collections.Counter(part[i] for i in ids)
        need(abs(inside["train"] - 0.6 * len(ids)) <= 2, fmt, inside)
    again, other = [], []
    for out, seed in ((again, 1), (other, 2)):
        common.vidimus("split", w.d, "60/20/20", "--by", "", "--name", "s", "--vectors", "none", "--stratify", "format", "--seed", seed)
        out.append(parts_of(w, "s"))
    need(again[0] == part, "the same seed gives the same split")
    need(other[0] != part, "another seed another one")
    common.vidimus("split", w.d, "2/1/1/1", "--names", "a,b,c,d", "--name", "s", "--vectors", "none", "--where", "kind = 'image'")
    need(set(parts_of(w, "s").values()) <= set("abcd"), parts_of(w, "s"))
    for bad in (["80"], ["80/x"], ["80/-3"], ["80/20", "--names", "a"], ["80/20", "--names", "a,a"], ["80/20", "--by", "mood"],
                ["80/20", "--by", "(("], [], ["80/20", "--name", "a b"]):
        common.vidimus("split", w.d, *bad, want=2)


def what_was_left_out_joins_nothing(w):
    """Every second picture of a session: the pause between them is longer than the one allowed."""
    times = w.sql("SELECT id, 86400 * julianday(taken_at) FROM asset_facts WHERE kind = 'image' AND taken_at IS NOT NULL ORDER BY 2, 1")
    pauses = sorted({round(b[1] - a[1], 2) for a, b in zip(times, times[1:]) if b[1] - a[1] > 0.05})
    chosen, last = [], -1e9
    for id_, t in times:
        if t - last > pauses[-1] + 1:
            chosen.append(str(id_))
            last = t
    need(len(chosen) >= 2, "too few pauses", pauses)
    cert, gap = w.s + "/pause.json", "%gs" % (pauses[-1] + 0.5)
    common.vidimus("split", w.d, "50/50", "--by", "session", "--gap", gap, "--where", f"id IN ({','.join(chosen)})",
                   "--certificate", cert, "--vectors", "none")
    doc = json.loads(common.read(cert))
    need(doc["groups"] == len(chosen), "each is a group of its own:", doc["groups"], len(chosen))
    need(check_of(w, cert, want=None)["groups"]["ok"], "what lies between them is not in the split")


def check_of(w, path, *args, want, d=None):
    p = common.vidimus("split", d or w.d, "--verify", path, *args, "--json", want=want)
    return {r["check"]: r for r in json.loads(p.out)}


def leaks_are_refused(w):
    cert = w.s + "/cert.json"
    common.vidimus("split", w.d, "60/40", "--by", "scene,duplicates,video", "--certificate", cert)
    c = check_of(w, cert, want=0)
    need(all(r["ok"] for r in c.values()) and c["points"]["found"] == 0 and c["similarity"]["found"] <= 1, c)
    doc = json.loads(common.read(cert))
    need(doc["shared_points"] == 0 and doc["scenes"] >= 1 and len(doc["assets"]) == len(w.rows), "certificate")
    # one picture of a scene moved to the other part by hand
    scene = {w.uri[r[0]] for r in w.sql("SELECT asset_id FROM fact_reconstruct WHERE scene = 1 AND registered = 1 ORDER BY scene_points DESC LIMIT 1")}
    text = common.read(cert).decode()
    line = next(x for x in text.splitlines() if x.strip().startswith('["' + min(scene) + '"'))
    row = json.loads(line.strip().rstrip(","))
    forged = line.replace(f", {row[2]}, {row[3]}]", f", {1 - row[2]}, {row[3]}]")
    need(forged != line, "forging")
    with open(w.s + "/forged.json", "w") as f:
        f.write(text.replace(line, forged))
    c = check_of(w, w.s + "/forged.json", want=1)
    need(not c["intact"]["ok"] and not c["groups"]["ok"] and not c["points"]["ok"], c)
    need(c["points"]["found"] > 0 and c["groups"]["found"] == 1 and min(scene) in c["groups"]["detail"], c)
    # a split made without the rule is intact, and leaks all the same
    common.vidimus("split", w.d, "60/40", "--by", "", "--certificate", w.s + "/loose.json")
    c = check_of(w, w.s + "/loose.json", want=1)
    need(c["intact"]["ok"] and not c["points"]["ok"], c)
    c = check_of(w, w.s + "/loose.json", "--by", "scene,video", want=1)
    need(not c["groups"]["ok"], c)
    c = check_of(w, cert, "--most", "0.1", want=1)
    need([k for k, r in c.items() if not r["ok"]] == ["similarity"], c)
    for bad in ("{}", "[]", "nonsense", text[:len(text) // 2], text.replace('"parts": [', '"parts": 7, "x": ['),
                text.replace('"assets": [\n    ["', '"assets": [\n    [7, "')):
        with open(w.s + "/bad.json", "w") as f:
            f.write(bad)
        common.vidimus("split", w.d, "--verify", w.s + "/bad.json", want=3)


# ---- snapshot, diff, card ----

def snapshots_stay_and_differ(w):
    common.vidimus("split", w.d, "60/40", "--name", "s", "--vectors", "none")
    common.vidimus("snapshot", w.d, "v1", "--split", "s", "--note", "first")
    need(js("diff", w.d, "v1") == [], "nothing has changed")
    need("already" in common.vidimus("snapshot", w.d, "v1", want=3).err, "a name is taken once")
    kept = w.sql("SELECT * FROM snapshot_asset ORDER BY uri")
    db = sqlite3.connect(w.d + "/catalog.db")
    for q in ("DELETE FROM snapshot", "DELETE FROM snapshot_asset", "UPDATE snapshot SET name = 'x'",
              "UPDATE snapshot_asset SET part = 'x'", "INSERT INTO snapshot_asset SELECT snapshot_id, 'x', 1, '', '', '' FROM snapshot_asset LIMIT 1"):
        try:
            db.execute(q)
            need(False, "was not refused:", q)
        except sqlite3.DatabaseError as e:
            need("does not change" in str(e), e)
    labelled = w.by_uri()[5]
    db.executescript("INSERT INTO label_set(id, name, format, source, imported_ns, program) VALUES(1, 'gt', 'coco', '', 0, '');"
                     "INSERT INTO label_category(set_id, category, source_id, name) VALUES(1, 0, 1, 'cat');"
                     f"INSERT INTO label_image(id, set_id, asset_id, source_id, name) VALUES(1, 1, {labelled}, 1, '');"
                     "INSERT INTO label(id, image_id, category, has, x) VALUES(1, 1, 0, 1, 2.5);")
    db.commit()
    need([(r["what"], r["uri"], r["added"]) for r in js("diff", w.d, "v1")] == [("labels", w.uri[labelled], 1), ("class", "gt: cat", 1)], "labels")
    need({"section": "Objects by class", "name": "gt: cat", "value": 1} in js("card", w.d), "classes on the card")
    db.executescript("DELETE FROM label; DELETE FROM label_image; DELETE FROM label_category; DELETE FROM label_set;")
    db.commit()
    db.close()
    # files that go, come, move and change
    site = w.s + "/in/site2/"
    os.remove(site + "view_001.jpg")
    os.rename(site + "view_002.jpg", site + "zz.jpg")
    shutil.copy(w.s + "/in/site1/view_004.jpg", site + "view_003.jpg")
    common.vidimus("synth", w.s + "/cap3", "--views", 1, "--width", 320, "--height", 240, "--seed", 9, "--defects", 0, "--quiet")
    shutil.copy(w.s + "/cap3/images/view_001.jpg", site + "new.jpg")
    common.vidimus("run", w.d, "--quiet")
    got = {(r["what"], os.path.basename(r["uri"])) for r in js("diff", w.d, "v1")}
    for want in (("removed", "view_001.jpg"), ("moved", "zz.jpg"), ("bytes", "view_003.jpg"), ("added", "new.jpg")):
        need(want in got, want, "not in", got)
    back = {(r["what"], os.path.basename(r["uri"])) for r in js("diff", w.d, "now", "v1")}
    need(("added", "view_001.jpg") in back and ("removed", "new.jpg") in back, back)
    need(w.sql("SELECT * FROM snapshot_asset ORDER BY uri") == kept, "the snapshot is as it was")
    common.vidimus("gc", w.d, "--vanished")
    need(w.sql("SELECT * FROM snapshot_asset ORDER BY uri") == kept, "after gc as well")
    common.vidimus("snapshot", w.d, "v2")
    need({r["name"] for r in js("snapshot", w.d)} == {"v1", "v2"}, "list")
    need(js("diff", w.d, "v2") == [], "v2 is now")
    common.vidimus("diff", w.d, "v3", want=3)
    common.vidimus("snapshot", w.d, "now", want=2)
    common.vidimus("snapshot", w.d, "v4", "--split", "none-such", want=3)


def moved_files_keep_their_certificate(w):
    cert = w.s + "/moved.json"
    common.vidimus("split", w.d, "60/40", "--certificate", cert, "--vectors", "none")
    os.rename(w.s + "/in/site1/view_005.jpg", w.s + "/in/site1/renamed.jpg")
    common.vidimus("run", w.d, "--quiet")
    check_of(w, cert, want=0)
    os.remove(w.s + "/in/site1/renamed.jpg")
    common.vidimus("run", w.d, "--quiet")
    c = check_of(w, cert, want=1)
    need("view_005.jpg" in c["present"]["detail"] or c["present"]["found"] == 1, c)


def the_card_counts(w):
    rows = js("card", w.d)
    card = {(r["section"], r["name"]): r["value"] for r in rows}
    pictures = w.sql("SELECT count(*) FROM asset WHERE kind IN ('image','frame','page') AND state = 'present'")[0][0]
    need(card["Contents", "pictures"] == pictures, card)
    need(card["Cameras", "Vidimus Synth"] > 0 and any(r["section"] == "Known limits" for r in rows), rows)
    for kind, n in w.sql("SELECT kind, count(*) FROM problem GROUP BY 1"):
        need(card["Problems", kind] == n, kind)
    for name in ("card.md", "card.html"):
        common.vidimus("card", w.d, "--out", f"{w.s}/{name}")
        page = common.read(f"{w.s}/{name}").decode()
        need(all(str(v) in page for v in (pictures, "Known limits")), name)
        need(("<html" in page) == name.endswith("html"), name)


# ---- labels ----

CLASSES = ["person", "bicycle", "dog, or \"wolf\"", "tram", "kite"]


class Labelled:
    """A copy of the world with a label set: few of some classes, pictures with several, some with none, two unnamed."""

    def __init__(self, w):
        self.d, self.path, r = w.s + "/labelled.vidimus", w.s + "/gt.json", random.Random(11)
        shutil.rmtree(self.d, ignore_errors=True)
        shutil.copytree(w.d, self.d)
        names = [(i, u.split("/in/")[1]) for i, u in w.rows if "/site" in u]
        self.doc = {"licenses": [{"id": 4, "name": "CC-BY"}, {"id": 5, "name": "none"}], "images": [], "annotations": [],
                    "categories": [{"id": 3 * k, "name": c} for k, c in enumerate(CLASSES)]}
        self.of = {i: collections.Counter() for i, _ in names[2:]}
        for n, (i, name) in enumerate(names[2:]):
            self.doc["images"].append({"id": i, "file_name": name, "width": 320, "height": 240, "license": 4 + (n > 3)})
            for _ in range(n % 5):
                k = min(4, int(r.expovariate(0.9)))
                for _ in range(1 + r.randrange(4) * (k == 0)):
                    self.of[i][CLASSES[k]] += 1
                    self.doc["annotations"].append({"id": len(self.doc["annotations"]) + 1, "image_id": i, "category_id": 3 * k, "iscrowd": 0,
                                                    "area": 20.0, "bbox": [r.randrange(300), r.randrange(200), 5, 4]})
        self.load()

    def load(self):
        with open(self.path, "w") as f:
            json.dump(self.doc, f)
        common.vidimus("import", self.d, self.path, "--name", "gt", "--replace")

    def sql(self, q, *args):
        db = sqlite3.connect(self.d + "/catalog.db")
        try:
            return db.execute(q, args).fetchall()
        finally:
            db.close()


def classes_are_columns(w):
    x = Labelled(w)
    rows = {r["id"]: r for r in js("sql", x.d, "SELECT id, labels, classes FROM asset_facts WHERE kind IN ('image', 'frame')")}
    need(len(rows) == len(w.rows), len(rows))
    for i, r in rows.items():
        have = x.of.get(i)
        need(r["labels"] == (sum(have.values()) if have is not None else None), "labels of", i, r, have)
        need(r["classes"] == (",".join(sorted(have, key=str.encode)) if have else None), "classes of", i, r, have)
    got = js("select", x.d, "--count", 500, "--by", "score", "--score", "labels", "--where", "classes LIKE '%person%'")
    need(sorted(ids_of(got)) == sorted(i for i, h in x.of.items() if h["person"]), "where")
    need([r["value"] for r in got] == sorted((sum(h.values()) for h in x.of.values() if h["person"]), reverse=True), "score")
    common.vidimus("import", x.d, x.path, "--name", "again")
    need(js("sql", x.d, "SELECT sum(labels) AS n FROM asset_facts")[0]["n"] == 2 * len(x.doc["annotations"]), "of all sets together")


def entropy(count):
    n = sum(count.values())
    return -sum(v / n * math.log2(v / n) for v in count.values() if v)


def select_evens_classes(w):
    x = Labelled(w)
    able = {i: h for i, h in x.of.items() if h}
    rows = js("select", x.d, "--count", 500, "--by", "balance", "--per", "class")
    need(sorted(ids_of(rows)) == sorted(able), "all that have an object", len(rows), len(able))
    have, left = collections.Counter(), dict(able)
    for r in rows:
        best = max(entropy(have + h) for h in left.values())
        have += left.pop(r["id"])
        need(entropy(have) >= best - 1e-5, "not the best one:", r, entropy(have), best)
        need(abs(r["value"] - entropy(have) / math.log2(len(have_all(able)))) < 1e-5, "evenness:", r)
        need(set(r["part"].split(",")) <= {y for c in able[r["id"]] for y in c.split(",")} and r["part"], "classes of", r)
    need(js("select", x.d, "--count", 5, "--by", "balance", "--per", "class", "--labels", "gt") == rows[:5], "named, and fewer")
    common.vidimus("select", x.d, "--count", 3, "--by", "balance", "--per", "class", "--labels", "nothing", want=3)
    common.vidimus("select", x.d, "--count", 3, "--by", "balance", "--per", "kind", "--labels", "gt", want=2)
    common.vidimus("import", x.d, x.path, "--name", "other")
    p = common.vidimus("select", x.d, "--count", 3, "--by", "balance", "--per", "class", want=2)
    need("gt" in p.err and "other" in p.err, "which of them is asked:", p.err)
    common.vidimus("select", w.d, "--count", 3, "--by", "balance", "--per", "class", want=3)


def have_all(able):
    return sum(able.values(), collections.Counter())


class Crowd:
    """A catalog of pictures without files: groups are folders; classes are frequent and rare, together and alone."""

    def __init__(self, w, n, n_classes, seed, largest):
        self.d, r = w.s + "/crowd.vidimus", random.Random(seed)
        shutil.rmtree(self.d, ignore_errors=True)
        os.makedirs(w.s + "/empty", exist_ok=True)
        common.vidimus("add", w.s + "/empty", "--out", self.d, "--quiet")
        self.group, self.of, g, weights = {}, {}, 0, [1 / (k + 1) ** 1.2 for k in range(n_classes)]
        while len(self.of) < n:
            g, taste = g + 1, r.choices(range(n_classes), weights, k=3)
            for _ in range(r.randrange(1, largest + 1)):
                i = len(self.of) + 1
                self.group[i] = g
                self.of[i] = collections.Counter(r.choice(taste) if r.random() < 0.7 else r.choices(range(n_classes), weights)[0]
                                                 for _ in range(r.randrange(0, 6)))
        db = sqlite3.connect(self.d + "/catalog.db")
        db.executemany("INSERT INTO asset(id, uri, kind) VALUES(?, ?, 'image')", [(i, "/x/g%04d/%05d.jpg" % (g, i)) for i, g in self.group.items()])
        db.execute("INSERT INTO label_set(id, name, format, source, imported_ns, program) VALUES(1, 'gt', 'coco', '', 0, '')")
        db.executemany("INSERT INTO label_category(set_id, category, source_id, name) VALUES(1, ?1, ?1, 'c' || ?1)", [(k,) for k in range(n_classes)])
        db.executemany("INSERT INTO label_image(id, set_id, asset_id, source_id, name) VALUES(?1, 1, ?1, ?1, '')", [(i,) for i in self.of])
        db.executemany("INSERT INTO label(image_id, category, has) VALUES(?, ?, 1)", [(i, k) for i, h in self.of.items() for k in h.elements()])
        db.commit()
        db.close()


def plain_iterative(items, shares):
    """Iterative stratification as published (Sechidis, Tsoumakas and Vlahavas 2011), an item being a group."""
    total = collections.Counter()
    for _, h in items:
        total.update(h)
    want = [{k: s * n for k, n in total.items()} for s in shares]
    size, part, left = [s * sum(n for n, _ in items) for s in shares], {}, total.copy()
    while len(part) < len(items):
        rare = min((k for k in left if left[k] > 0), key=lambda k: (left[k], k), default=None)
        for i, (n, h) in enumerate(items):
            if i in part or (rare is not None and not h[rare]):
                continue
            p = max(range(len(shares)), key=lambda p: (want[p][rare] if rare is not None else 0, size[p]))
            part[i] = p
            size[p] -= n
            left.subtract(h)
            for k, m in h.items():
                want[p][k] -= m
    return [part[i] for i in range(len(items))]


def off_shares(items, part, shares):
    """How far parts are from their shares of pictures with each class, and of all: chi square of a cell."""
    total, have = collections.Counter(), [collections.Counter() for _ in shares]
    for (n, h), p in zip(items, part):
        total.update(h + collections.Counter({"all": n}))
        have[p].update(h + collections.Counter({"all": n}))
    return sum((have[p][k] - s * n) ** 2 / (s * n) for p, s in enumerate(shares) for k, n in total.items()) / len(total) / len(shares)


def split_spreads_classes(w):
    for seed, largest, shares in ((1, 1, (0.8, 0.1, 0.1)), (2, 6, (0.8, 0.1, 0.1)), (3, 12, (0.6, 0.2, 0.2)), (4, 4, (0.5, 0.5)), (5, 30, (0.7, 0.3))):
        x = Crowd(w, 600, 14, seed, largest)
        cert = w.s + "/classes.json"
        common.vidimus("split", x.d, "/".join(map(str, shares)), "--by", "folder", "--stratify", "class", "--vectors", "none", "--certificate", cert)
        doc = json.loads(common.read(cert))
        part = {int(u[9:14]): p for u, _, p, _ in doc["assets"]}
        ids = collections.defaultdict(list)
        for i, g in x.group.items():
            ids[g].append(i)
        need(all(len({part[i] for i in g}) == 1 for g in ids.values()), "straddles")
        items = [(len(g), sum((collections.Counter(x.of[i].keys()) for i in g), collections.Counter())) for g in ids.values()]
        ours = off_shares(items, [part[g[0]] for g in ids.values()], shares)
        plain = off_shares(items, plain_iterative(items, shares), shares)
        need(ours <= plain, "further from the shares than the plain algorithm:", seed, ours, plain)
        for p, s in enumerate(shares):
            n = sum(q == p for q in part.values())
            need(abs(n - s * 600) <= max(1, largest), "pictures of part", p, n, "of", s * 600)
        for k, c in enumerate(doc["classes"]):
            for p in range(len(shares)):
                inside = [x.of[i][k] for i in part if part[i] == p]
                need((c["pictures"][p], c["objects"][p]) == (sum(v > 0 for v in inside), sum(inside)), "the certificate on", c)
        need(doc["labels"] == "gt" and [c["name"] for c in doc["classes"]] == ["c%d" % k for k in range(14)], "classes")


def certificates_count_classes(w):
    x, cert = Labelled(w), w.s + "/labels.json"
    common.vidimus("split", x.d, "50/50", "--stratify", "class", "--certificate", cert, "--vectors", "none")
    c = check_of(w, cert, d=x.d, want=0)
    need(c["classes"]["ok"] and c["classes"]["found"] == 0, c)
    text = common.read(cert).decode()
    with open(w.s + "/more.json", "w") as f:
        f.write(re.sub(r'("person", "pictures": \[)\d+', r"\g<1>99", text))
    c = check_of(w, w.s + "/more.json", d=x.d, want=1)
    need([k for k, r in c.items() if not r["ok"]] == ["intact", "classes"] and "person" in c["classes"]["detail"], c)
    for bad in (text.replace('"labels": "gt"', '"labels": null'), re.sub(r'"pictures": \[\d+, ', '"pictures": [', text),
                re.sub(r'"objects": \[\d+', '"objects": [-1', text), text.replace('"classes": [', '"classes": [7, ')):
        with open(w.s + "/bad.json", "w") as f:
            f.write(bad)
        need("byte" in common.vidimus("split", x.d, "--verify", w.s + "/bad.json", want=3).err, "where it is wrong")
    gone = x.doc["annotations"].pop()
    x.load()
    c = check_of(w, cert, d=x.d, want=1)
    name = CLASSES[gone["category_id"] // 3]
    need([k for k, r in c.items() if not r["ok"]] == ["classes"] and c["classes"]["found"] == 1 and name in c["classes"]["detail"], c)
    common.vidimus("split", x.d, "50/50", "--vectors", "none", "--labels", "gt", "--certificate", cert)
    need(json.loads(common.read(cert))["labels"] == "gt", "counted without being stratified by")
    need("classes" in check_of(w, cert, d=x.d, want=0), "and checked")
    common.vidimus("split", w.d, "50/50", "--by", "", "--vectors", "none", "--stratify", "class", want=3)


def labels_differ(w):
    x = Labelled(w)
    name = {i: u for i, u in w.rows}
    common.vidimus("snapshot", x.d, "before")
    need(js("diff", x.d, "before") == [], "nothing has changed")
    a = x.doc["annotations"]
    some = [[k for k in a if k["image_id"] == i] for i, h in x.of.items() if sum(h.values()) >= 3]
    some[0][0]["bbox"][0] += 1  # one says something else
    some[1][0]["category_id"], was = 12, some[1][0]["category_id"]
    if was == 12:
        some[1][0]["category_id"] = 9
    a.remove(some[2][1])
    a.append(dict(some[3][0], id=9999, bbox=[1.5, 2, 3, 4]))
    x.doc["annotations"] = sorted(a, key=lambda k: -k["id"])  # and their order is none of it
    x.load()
    rows = js("diff", x.d, "before")
    pictures = {r["uri"]: (r["added"], r["removed"], r["changed"]) for r in rows if r["what"] == "labels"}
    want = {name[s[0]["image_id"]]: c for s, c in zip(some, ((0, 0, 1), (1, 1, 0), (0, 1, 0), (1, 0, 0)))}
    need(pictures == want, pictures, want)
    of = {r["uri"]: r for r in rows if r["what"] == "class"}
    moved = [CLASSES[k // 3] for k in (was, some[1][0]["category_id"])]
    sums = [sum(r[k] for r in of.values()) for k in ("added", "removed", "changed")]
    need(sums == [2, 2, 1], sums)
    need(of["gt: " + moved[0]]["removed"] >= 1 and of["gt: " + moved[1]]["added"] >= 1, of)
    total = have_all(x.of)
    for c in CLASSES:
        r = of.get("gt: " + c)
        need(r is None or (int(r["a"] or 0) == total[c] and int(r["b"]) == total[c] + r["added"] - r["removed"]), c, r)
    one = next(r for r in rows if r["uri"] == name[some[2][0]["image_id"]])
    text = {c: n for n, c in (v.split(" ", 1) for v in re.split(r", (?=\d)", one["a"]))}
    need(text == {c: str(n) for c, n in x.of[some[2][0]["image_id"]].items()}, one)
    common.vidimus("snapshot", x.d, "after")
    back = [r for r in js("diff", x.d, "after", "before") if r["what"] == "class"]
    need([sum(r[k] for r in back) for k in ("added", "removed", "changed")] == [2, 2, 1], back)
    p = common.vidimus("diff", x.d, "before", "after")
    need("2 added, 2 removed, 1 changed" in p.out + p.err, p.out, p.err)
    db = sqlite3.connect(x.d + "/catalog.db")
    for q in ("DELETE FROM snapshot_label", "UPDATE snapshot_label SET class = 'x'", "INSERT INTO snapshot_label VALUES(1, 0, 'x', 'y', x'00')"):
        try:
            db.execute(q)
            need(False, "was not refused:", q)
        except sqlite3.DatabaseError as e:
            need("does not change" in str(e), e)
    db.execute("DROP TRIGGER snapshot_label_kept")
    db.execute("DELETE FROM snapshot_label WHERE picture = (SELECT max(picture) FROM snapshot_label)")
    db.commit()
    db.close()
    need("changed from outside" in common.vidimus("diff", x.d, "before", want=3).err, "the digest has the objects in it")


def the_card_counts_labels(w):
    x = Labelled(w)
    common.vidimus("split", x.d, "50/50", "--by", "", "--vectors", "none", "--stratify", "class", "--name", "s")
    db = sqlite3.connect(x.d + "/catalog.db")
    db.execute("INSERT INTO label_problem(set_id, kind, score) VALUES(1, 'outside', 0.5)")
    db.commit()
    db.close()
    card = {(r["section"], r["name"]): r["value"] for r in js("card", x.d)}
    part = dict(x.sql("SELECT a.asset_id, a.part FROM split_asset a JOIN split s ON s.id = a.split_id WHERE s.name = 's'"))
    for c, n in have_all(x.of).items():
        need(card["Objects by class", "gt: " + c] == n, c, n)
        by = collections.Counter(part[i] for i, h in x.of.items() for _ in range(h[c]))
        text = card["Objects by class and part", "s, gt: " + c]
        need(dict(t.rsplit(" ", 1) for t in text.split(", ")) == {p: str(k) for p, k in by.items()}, c, text, by)
    need(card["Label sets", "gt (coco), objects"] == len(x.doc["annotations"]), card)
    need(card["Label sets", "gt, pictures"] == len(x.of) and card["Annotations", "gt: boxes"] == len(x.doc["annotations"]), card)
    need(card["Label problems", "gt: outside"] == 1, card)
    need(card["Licences of pictures", "gt: CC-BY"] == 4 and card["Licences of pictures", "gt: none"] == len(x.of) - 4, card)
    need(("Known limits", "no licence is known") not in card, card)
    need(card["Known limits", "pictures that no label set has"] == len(w.rows) - len(x.of), card)
    common.vidimus("card", x.d, "--out", w.s + "/labels.md")
    page = common.read(w.s + "/labels.md").decode()
    need("Objects by class and part" in page and "CC-BY" in page, page)


TESTS = (
    select_is_plain_greedy, select_does_not_depend_on_jobs_or_cpu, select_balances_a_value,
    select_scores_skips_and_tags, select_takes_vectors_from_files, surface_keeps_every_point, split_never_straddles,
    split_keeps_shares_and_strata, what_was_left_out_joins_nothing, leaks_are_refused, the_card_counts,
    classes_are_columns, select_evens_classes, split_spreads_classes, certificates_count_classes, labels_differ,
    the_card_counts_labels, snapshots_stay_and_differ, moved_files_keep_their_certificate)


def main():
    with tempfile.TemporaryDirectory(prefix="vidimus_curate_") as tmp:
        return common.run_all_with("curate", TESTS, World(tmp))


if __name__ == "__main__":
    sys.exit(main())
