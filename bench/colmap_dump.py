#!/usr/bin/env python3
"""Verified matches of a COLMAP database as a file for bench_mapper. SPDX-License-Identifier: Apache-2.0

usage: colmap_dump.py DATABASE OUT [REFINE]     REFINE: bits 1 focal length, 2 principal point, 4 the rest
"""
import sqlite3
import struct
import sys

MOST_IMAGES = 2147483647  # COLMAP's pair ids


def main():
    db, refine = sqlite3.connect(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    cameras = db.execute("SELECT camera_id, model, width, height, params FROM cameras ORDER BY camera_id").fetchall()
    images = db.execute("SELECT i.image_id, i.name, i.camera_id, k.rows, k.cols, k.data FROM images i"
                        " JOIN keypoints k USING (image_id) ORDER BY i.name").fetchall()
    pairs = db.execute("SELECT pair_id, rows, data, config, E, F FROM two_view_geometries WHERE rows > 0 ORDER BY pair_id").fetchall()
    camera_at = {c[0]: i for i, c in enumerate(cameras)}
    image_at = {im[0]: i for i, im in enumerate(images)}
    with open(sys.argv[2], "wb") as out:
        out.write(struct.pack("<3i", len(images), len(cameras), len(pairs)))
        for _, model, width, height, params in cameras:
            params = params.ljust(96, b"\0")
            out.write(struct.pack("<4i", model, width, height, refine) + params)
        for _, name, camera, rows, cols, data in images:
            out.write(struct.pack("<64s2i", name.encode()[:63], camera_at[camera], rows))
            for k in range(rows):
                out.write(struct.pack("<2d", *struct.unpack_from("<2f", data, 4 * cols * k)))
        for pair_id, rows, data, config, essential, fundamental in pairs:
            b = pair_id % MOST_IMAGES
            a = (pair_id - b) // MOST_IMAGES
            essential = (essential or b"").ljust(72, b"\0")
            fundamental = (fundamental or b"").ljust(72, b"\0")
            out.write(struct.pack("<4i", image_at[a], image_at[b], rows, config) + essential + fundamental + data[:8 * rows])


main()
