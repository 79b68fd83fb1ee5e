#!/usr/bin/env python3
"""COLMAP text models for the cases: made of a truth, changed, and looked at. SPDX-License-Identifier: Apache-2.0

    models.py truth TRUTH.json DIR               the poses of the truth, without points
    models.py placed MODEL LOCALIZED.json DIR    the poses of a model, and those that localize found
    models.py edit MODEL DIR PATTERN REPLACEMENT a copy whose images.txt was edited by a regular expression
    models.py split MODEL DIR                    DIR/0 and DIR/1: the first eight and the last six images, without points
    models.py tag DIR OUT ORIENTATION            the JPEGs of a folder with an EXIF orientation
    models.py film DIR FILE.avi                  the JPEGs of a folder as a video, two a second
"""
import glob
import json
import os
import re
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "robust"))
import common  # noqa: E402

KEYS = ("qw", "qx", "qy", "qz", "tx", "ty", "tz")


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n") for line in f if not line.startswith("#")]


def write(folder, cameras, images, points=()):
    """images: (pose, camera, name)"""
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/cameras.txt", "w", encoding="utf-8") as f:
        f.write("\n".join(cameras) + "\n")
    with open(folder + "/points3D.txt", "w", encoding="utf-8") as f:
        f.writelines(p + "\n" for p in points)
    with open(folder + "/images.txt", "w", encoding="utf-8") as f:
        for i, (pose, camera, name) in enumerate(images, 1):
            f.write(f"{i} {' '.join(repr(float(v)) for v in pose)} {camera} {name}\n\n")


def poses(model):
    out = []
    for line in lines(model + "/images.txt")[::2]:
        w = line.split(" ", 9)
        out.append((w[1:8], w[8], w[9]))
    return out


def main():
    what, source, *rest = sys.argv[1:]
    if what == "truth":
        with open(source, encoding="utf-8") as f:
            images = [([i["cam_from_world"][k] for k in KEYS], 1, i["file"]) for i in json.load(f)["images"]]
        write(rest[0], ["1 SIMPLE_PINHOLE 640 480 500 320 240"], images)
    elif what == "placed":
        known = poses(source)
        with open(rest[0], encoding="utf-8") as f:
            found = [([r[k] for k in KEYS], known[0][1], os.path.basename(r["image"])) for r in json.load(f) if r["placed"]]
        write(rest[1], lines(source + "/cameras.txt"), known + [v for v in found if v[2] not in {k[2] for k in known}])
    elif what == "edit":
        shutil.copytree(source, rest[0])
        text = "\n".join(lines(source + "/images.txt"))
        with open(rest[0] + "/images.txt", "w", encoding="utf-8") as f:
            f.write(re.sub(rest[1], rest[2], text) + "\n")
    elif what == "tag":
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, int(rest[1])) + b"\0\0\0\0"
        os.makedirs(rest[0])
        for path in glob.glob(source + "/*.jpg"):
            jpeg = common.read(path)
            while jpeg[2:4] == b"\xff\xe1":  # what is there already
                jpeg = jpeg[:2] + jpeg[4 + struct.unpack(">H", jpeg[4:6])[0]:]
            with open(os.path.join(rest[0], os.path.basename(path)), "wb") as f:
                f.write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    elif what == "film":
        common.avi(rest[0], [common.read(p) for p in sorted(glob.glob(source + "/*.jpg"))], 2, 640, 480)
    else:
        all_of = poses(source)
        write(rest[0] + "/0", lines(source + "/cameras.txt"), all_of[:8])
        write(rest[0] + "/1", lines(source + "/cameras.txt"), all_of[-6:])


if __name__ == "__main__":
    main()
