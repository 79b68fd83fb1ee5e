#!/usr/bin/env python3
"""Sets of pictures that mean no good, end to end: rendered, put through `vidimus run`, and what comes out compared with
the truth. A pose is right, or its picture has a reason, or its scene a warning. SPDX-License-Identifier: Apache-2.0

    python3 tests/scenes/scenes.py PROGRAM [TEST...]
"""
import json
import os
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "robust"))
from common import Failure, main, need, vidimus  # noqa: E402

PICTURES = os.path.abspath(sys.argv.pop(1))


class Scenes:
    """A set after its run: scenes by number, pictures by the number in their names."""

    def __init__(self, folder, name, *options):
        self.name, self.folder, self.dataset = name, os.path.join(folder, name), os.path.join(folder, name, "set.vidimus")
        if not os.path.isdir(self.folder):
            subprocess.run([PICTURES, name, self.folder], check=True, timeout=60)
        vidimus("run", os.path.join(self.folder, "images"), "--out", self.dataset, "--quiet", "--max-features", 4000,
                *options)
        db = sqlite3.connect("file:%s/catalog.db?mode=ro" % self.dataset, uri=True)
        db.row_factory = sqlite3.Row
        self.scenes = {r["id"]: dict(r) for r in db.execute("SELECT * FROM scene")}
        self.pictures = {int(r["uri"][-6:-4]): dict(r) for r in db.execute(
            "SELECT * FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id")}
        self.cameras = [dict(r) for r in db.execute("SELECT * FROM camera ORDER BY id")]
        db.close()
        told = {r["scene"]: r for r in json.loads(vidimus("scenes", self.dataset, "--json").out)}
        need(set(told) == set(self.scenes), name, "scenes tells of", sorted(told))
        for i, s in self.scenes.items():
            need(told[i]["coverage"] == s["coverage"] and told[i]["warning"] == s["warning"], name, told[i])
            need(0 < s["coverage"] <= 1 and s["registered"] <= s["pictures"], name, s)
        for i, p in self.pictures.items():
            need((p["registered"] == 1) == (p["unregistered_reason"] is None), name, i, p)
            need(p["registered"] or p["unregistered_detail"], name, i, "no evidence")

    def eval(self):
        out = vidimus("eval", "poses", self.dataset, "--truth", os.path.join(self.folder, "truth.json"), "--json").out
        got = json.loads(out)
        return got[0] if isinstance(got, list) else got

    def placed(self, n, auc_5, centre):
        """One scene of n pictures; the room is 8 wide, the cameras stand on 3 to 7 of it."""
        need(len(self.scenes) == 1 and self.scenes[1]["registered"] == n, self.name, self.scenes)
        got = self.eval()
        need(got["registered"] == n and got["auc_5"] >= auc_5 and got["centre_rmse"] <= centre, self.name, got)

    def unplaced(self, reason, words, pictures=None):
        for i in pictures if pictures is not None else self.pictures:
            p = self.pictures[i]
            need(p["unregistered_reason"] == reason, self.name, i, p["unregistered_reason"], p["unregistered_detail"])
            need(re.search(words, p["unregistered_detail"]), self.name, i, p["unregistered_detail"])

    def nowhere(self, reason, words):
        need(not self.scenes, self.name, self.scenes)
        self.unplaced(reason, words)

    def warned(self, words, scene=1):
        got = self.scenes[scene]["warning"]
        need(re.search(words, got or "") if words else got is None, self.name, "warning:", got)

    def focals(self):
        return [float(c["params"].split(",")[0]) / max(c["width"], c["height"]) for c in self.cameras]

    def focal(self, lo, hi):
        need(all(lo <= f <= hi for f in self.focals()), self.name, "focal lengths", self.focals())


def a_room(s):
    room = Scenes(s, "room")
    room.placed(8, 97, 0.005)
    room.focal(0.99, 1.01)
    room.warned(None)
    need(room.scenes[1]["coverage"] > 0.8 and room.scenes[1]["reprojection_px"] < 0.5, room.scenes)


def one_picture(s):
    Scenes(s, "one").nowhere("no_overlap", "features, no other picture")


def the_same_picture_twice(s):
    Scenes(s, "twins").nowhere("no_parallax", "1 verified pair, .*one place")


def a_camera_that_turns(s):
    Scenes(s, "panorama").nowhere("no_parallax", r"\d verified pairs, the best with \d\d.jpg by \d+ matches; seen from one place")


def a_pair_is_no_scene(s):
    Scenes(s, "pair").nowhere("small_model", "by [0-9]{3,} matches; its model had 2 pictures")


def a_poster_from_many_sides(s):
    told = Scenes(s, "poster")
    told.placed(9, 98, 0.005)
    told.warned("planar")
    unknown = Scenes(s, "poster_no_exif")
    unknown.placed(9, 65, 0.3)  # nine focal lengths from one plane: not good, hence the warning
    need(0.97 < sorted(unknown.focals())[4] < 1.03, unknown.focals())
    unknown.warned("planar: .* unknown focal length")
    Scenes(s, "poster_two").warned("planar: .* unknown focal length: poses may be wrong")


def panels_that_repeat(s):
    """Where panels are all alike, wrong matches agree with the motion along them; the order is right all the same."""
    facade = Scenes(s, "facade")
    facade.placed(11, 60, 0.1)
    facade.warned(r"repeated structure: \d+ % of the matches")


def two_things_that_look_alike(s):
    both = Scenes(s, "doubles")
    need(sorted(x["registered"] for x in both.scenes.values()) == [7, 7], both.scenes)
    for end in range(2):
        need(len({both.pictures[i]["scene"] for i in range(7 * end, 7 * end + 7)}) == 1, "the ends are mixed")
    for i in both.scenes:
        both.warned(r"looks like another place: \d+ pairs of its pictures with those of scene [12] match, but show \d+ %", i)
    got = both.eval()
    need(got["registered"] == 7 and got["centre_rmse"] < 0.005, got)
    one = Scenes(s, "doubles_one")
    one.placed(7, 70, 0.005)  # of eight: pairs of the one that is missing count as wrong
    one.unplaced("other_scene", "all its 7 overlaps are with pictures of scene 1", [7])


def all_are_blurred(s):
    blurred = Scenes(s, "blurred")
    need(sum(p["registered"] for p in blurred.pictures.values()) <= 3, blurred.scenes)
    for i in blurred.scenes:
        blurred.warned("few points: .*blurred", i)
    blurred.unplaced("blurred", r"with its \d+$", [i for i, p in blurred.pictures.items() if not p["registered"]])


def one_is_blurred(s):
    one = Scenes(s, "one_blurred")
    one.placed(7, 70, 0.005)
    one.unplaced("blurred", r"with its \d+$", [3])


def sizes_and_orientations(s):
    mixed = Scenes(s, "mixed")
    mixed.placed(8, 95, 0.01)
    mixed.focal(0.98, 1.02)
    mixed.warned(None)


def no_exif(s):
    none = Scenes(s, "no_exif")
    none.placed(10, 97, 0.005)
    none.focal(0.99, 1.01)
    need({c["focal_from"] for c in none.cameras} == {"guess"}, none.cameras)


def exif_that_is_wrong(s):
    for name, factor in ("exif_double", 0.5), ("exif_half", 2):
        wrong = Scenes(s, name)
        wrong.placed(10, 97, 0.005)
        wrong.focal(0.99, 1.01)
        wrong.warned(f"EXIF has other focal lengths: those of 10 pictures are {factor} times")


def nothing_to_see(s):
    Scenes(s, "plain").nowhere("too_few_features", r"^\d+ features$")


def strangers(s):
    Scenes(s, "strangers").nowhere("no_overlap", "[0-9]{3,} features, no other picture shares its geometry")


def the_same_overlay(s):
    Scenes(s, "overlay").nowhere("overlay", "5 verified pairs, .*at the border")


def two_rooms_and_a_stranger(s):
    mixture = Scenes(s, "mixture")
    need(sorted(x["registered"] for x in mixture.scenes.values()) == [5, 6], mixture.scenes)
    need({p["scene"] for i, p in mixture.pictures.items() if i < 6} == {1}, "the larger room is scene 1")
    need({p["scene"] for i, p in mixture.pictures.items() if 6 <= i < 11} == {2}, "the other one is scene 2")
    mixture.unplaced("no_overlap", "no other picture", [11])


def other_jobs_and_another_run_say_the_same(s):
    def said(of):
        keep = ("uri", "scene", "registered", "unregistered_reason", "unregistered_detail", "qw", "qx", "qy", "qz", "tx", "ty", "tz")
        return [[p[k] for k in keep] for _, p in sorted(of.pictures.items())], of.scenes
    for name in "doubles_one", "one_blurred":
        first = said(Scenes(s, name, "--jobs", 1))
        subprocess.run(["rm", "-r", os.path.join(s, name, "set.vidimus")], check=True)
        need(said(Scenes(s, name, "--jobs", 3)) == first, name, "differs with 3 jobs")
        vidimus("run", os.path.join(s, name, "set.vidimus"), "--only", "reconstruct", "--refine", "all", "--quiet",
                "--max-features", 4000)
        need(said(Scenes(s, name)) == first, name, "differs after another run")


def what_a_run_prints(s):
    """Where nothing can be placed a run ends well, and says so."""
    subprocess.run([PICTURES, "plain", os.path.join(s, "plain")], check=True)
    out = vidimus("run", os.path.join(s, "plain", "images"), "--out", os.path.join(s, "plain.vidimus"), "--quiet")
    need("0 scenes, 0 of 5 pictures placed" in out.out + out.err, out.out, out.err)
    need(json.loads(vidimus("scenes", os.path.join(s, "plain.vidimus"), "--json").out) == [], "scenes")


if __name__ == "__main__":
    try:
        sys.exit(main("scenes", [a_room, one_picture, the_same_picture_twice, a_camera_that_turns, a_pair_is_no_scene,
                                 a_poster_from_many_sides, panels_that_repeat, two_things_that_look_alike, all_are_blurred,
                                 one_is_blurred, sizes_and_orientations, no_exif, exif_that_is_wrong, nothing_to_see, strangers,
                                 the_same_overlay, two_rooms_and_a_stranger, other_jobs_and_another_run_say_the_same,
                                 what_a_run_prints]))
    except Failure as e:
        sys.exit(str(e))
