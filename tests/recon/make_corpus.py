#!/usr/bin/env python3
"""Makes the small models of tests/fuzz/corpus with pycolmap 4.2.1. SPDX-License-Identifier: Apache-2.0

    python3 tests/recon/make_corpus.py tests/fuzz/corpus

Files of one model are joined as tests/fuzz/recon.h splits them. colmap_bin/pycolmap and
colmap_text/pycolmap are also golden: tests/unit/recon_colmap.c knows what is in them.
"""
import os
import struct
import sys
import tempfile

import numpy as np
import pycolmap


def model():
    """Three images of two cameras, four points; one keypoint of each image sees nothing."""
    rec = pycolmap.Reconstruction()
    rec.add_camera_with_trivial_rig(pycolmap.Camera(model="SIMPLE_RADIAL", width=640, height=480,
                                                    params=[500.25, 320.5, 240.75, -0.0625], camera_id=3))
    rec.add_camera_with_trivial_rig(pycolmap.Camera(model="OPENCV_FISHEYE", width=800, height=600,
                                                    params=[400, 401, 400, 300, 0.01, -0.002, 0.0003, 0.1],
                                                    camera_id=1))
    for image_id in (2, 5, 9):
        image = pycolmap.Image(name=f"folder/a photo {image_id}.jpg", camera_id=1 if image_id == 5 else 3,
                               image_id=image_id,
                               points2D=[pycolmap.Point2D([10.5 + k, 20.25 * image_id]) for k in range(5)])
        angle = 0.1 * image_id
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(np.array([0, np.sin(angle), 0, np.cos(angle)])),
                                np.array([0.1 * image_id, -1 / 3, 4.0]))
        rec.add_image_with_trivial_frame(image, pose)
    for k in range(4):
        track = pycolmap.Track()
        for image_id in (9, 2, 5)[: 2 + k % 2]:
            track.add_element(image_id, k)
        rec.add_point3D(np.array([k / 7, -k, 1e-3]), track, np.array([k, 100, 255], dtype=np.uint8))
    rec.update_point_3d_errors()
    return rec


def joined(folder, ext):
    parts = [open(f"{folder}/{n}.{ext}", "rb").read() for n in ("cameras", "images", "points3D")]
    return struct.pack("<II", len(parts[0]), len(parts[1])) + b"".join(parts)


def main():
    out, rec = sys.argv[1], model()
    with tempfile.TemporaryDirectory() as tmp:
        rec.write_binary(tmp)
        rec.write_text(tmp)
        for name, ext in (("colmap_bin", "bin"), ("colmap_text", "txt")):
            os.makedirs(f"{out}/{name}", exist_ok=True)
            with open(f"{out}/{name}/pycolmap", "wb") as f:
                f.write(joined(tmp, ext))


if __name__ == "__main__":
    main()
