#!/usr/bin/env python3
"""Reconstructions between this program and others: pycolmap writes models, recon_convert reads and writes them,
pycolmap and colmap read those. What is not installed is skipped. SPDX-License-Identifier: Apache-2.0

    python3 tests/recon/foreign.py BUILD
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pycolmap
except ImportError:
    pycolmap = None

CONVERT = os.path.join(os.path.abspath(sys.argv[1]), "tests/recon/recon_convert")
COLMAP = shutil.which("colmap")
FILES = ("cameras", "images", "points3D")
passed = failed = skipped = 0


def check(ok, what):
    global passed, failed
    passed += bool(ok)
    failed += not ok
    if not ok:
        print("FAILED", what)


def skip(what):
    global skipped
    skipped += 1
    print("skip", what)


def convert(source, to, form):
    done = subprocess.run([CONVERT, source, to, form], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr)
    return done.stdout if done.returncode == 0 else None


def read(path):
    with open(path, "rb") as f:
        return f.read()


def make(folder, model, seed):
    """A synthetic reconstruction with noise, in both forms."""
    o = pycolmap.SyntheticDatasetOptions()
    o.num_rigs, o.num_cameras_per_rig, o.num_frames_per_rig, o.num_points3D = 3, 1, 4, 150
    o.num_points2D_without_point3D = 7
    o.camera_model_id = model
    o.camera_width, o.camera_height = 1000, 800
    o.camera_params = {"PINHOLE": [900, 905, 500, 400], "RADIAL": [900, 500, 400, 0.05, -0.01],
                       "OPENCV": [900, 905, 500, 400, 0.05, -0.01, 0.001, -0.002],
                       "OPENCV_FISHEYE": [700, 705, 500, 400, 0.01, -0.01, 0.002, 0.001]}[model.name]
    pycolmap.set_random_seed(seed)
    rec = pycolmap.synthesize_dataset(o)
    noise = pycolmap.SyntheticNoiseOptions()
    noise.point2D_stddev = 0.7
    pycolmap.synthesize_noise(noise, rec)
    rec.update_point_3d_errors()
    for form in ("bin", "txt"):
        os.makedirs(f"{folder}/{form}")
    rec.write_binary(folder + "/bin")
    rec.write_text(folder + "/txt")
    return rec


def same(a, b):
    """Whether two reconstructions of pycolmap are equal to the last bit."""
    def camera(rec, i):
        c = rec.cameras[i]
        return (c.model, c.width, c.height, tuple(c.params))

    def image(rec, i):
        im = rec.images[i]
        pose = im.cam_from_world()
        return (im.name, im.camera_id, tuple(pose.rotation.quat), tuple(pose.translation),
                [(tuple(p.xy), p.point3D_id) for p in im.points2D])

    def point(rec, i):
        p = rec.points3D[i]
        return (tuple(p.xyz), tuple(p.color), p.error, [(e.image_id, e.point2D_idx) for e in p.track.elements])

    return (set(a.cameras) == set(b.cameras) and set(a.images) == set(b.images) and set(a.points3D) == set(b.points3D)
            and all(camera(a, i) == camera(b, i) for i in a.cameras)
            and all(image(a, i) == image(b, i) for i in a.images)
            and all(point(a, i) == point(b, i) for i in a.points3D))


def check_forms(rec, d, what):
    for form, ext in (("bin", "bin"), ("text", "txt")):
        for source in ("bin", "txt"):
            to = f"{d}/{form}-of-{source}"
            convert(f"{d}/{source}", to, form)
            check(same(rec, pycolmap.Reconstruction(to)), f"{what}: pycolmap reads {form} of {source} as it was")
            ours, theirs = ([re.sub(rb" +\n", b"\n", read(f"{x}/{n}.{ext}")) for n in FILES] for x in (to, f"{d}/{ext}"))
            check(ours == theirs, f"{what}: {form} of {source} has the bytes that pycolmap wrote")


def check_figures(rec, d, what):
    said = convert(d + "/bin", "-", "stats").split()
    check(said[1:4] == [str(rec.num_reg_images()), str(rec.num_points3D()), str(rec.compute_num_observations())],
          f"{what}: counts {said}")
    check(abs(float(said[6]) - rec.compute_mean_reprojection_error()) < 1e-6, f"{what}: mean error {said[6]}")
    check(convert(d + "/bin", "-", "errors").split() == said, f"{what}: errors that we compute")
    if COLMAP is None:
        return skip("colmap is not installed")
    out = subprocess.run([COLMAP, "model_analyzer", "--path", d + "/bin-of-bin"], capture_output=True, text=True,
                         env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    shown = re.findall(r": ([\d.]+)(?:px)?$", out.stdout + out.stderr, re.M)
    check(shown[-5:] == said[2:], f"{what}: colmap model_analyzer {shown}, we {said}")


def check_nerfstudio(rec, d, what):
    convert(d + "/bin", d + "/transforms.json", "nerfstudio")
    with open(d + "/transforms.json") as f:
        doc = json.load(f)
    for frame in doc["frames"]:
        im = rec.images[frame["colmap_im_id"]]
        c2w = np.linalg.inv(np.vstack([im.cam_from_world().matrix(), [0, 0, 0, 1]]))
        c2w[:3, 1:3] *= -1  # what nerfstudio's own converter does
        check(np.allclose(c2w, frame["transform_matrix"], atol=1e-14), f"{what}: nerfstudio's pose of {im.name}")
        check(frame["file_path"] == "images/" + im.name, f"{what}: nerfstudio's path of {im.name}")
        cam = {k: frame.get(k, doc.get(k)) for k in ("w", "h", "fl_x", "fl_y", "cx", "cy")}
        k = rec.cameras[im.camera_id].calibration_matrix()
        check(list(cam.values()) == [1000, 800, k[0, 0], k[1, 1], k[0, 2], k[1, 2]], f"{what}: intrinsics {cam}")


def check_bundler(d, what):
    if COLMAP is None:
        return skip("colmap is not installed")
    convert(d + "/bin", d + "/ours", "bundler")
    subprocess.run([COLMAP, "model_converter", "--input_path", d + "/bin", "--output_path", d + "/theirs", "--output_type",
                    "Bundler"], capture_output=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    ours, theirs = (np.array([float(x) for x in read(p).split()[4:]]) for p in (d + "/ours.out", d + "/theirs.bundle.out"))
    check(sorted(read(d + "/ours.list").split()) == sorted(read(d + "/theirs.list.txt").split()), f"{what}: Bundler's list")
    check(len(ours) == len(theirs) and ours[:2].tolist() == theirs[:2].tolist(), f"{what}: Bundler's counts")
    if read(d + "/ours.list") == read(d + "/theirs.list.txt"):  # points come in any order
        n = 2 + 15 * int(ours[0])
        check(np.allclose(ours[:n], theirs[:n], atol=1e-12), f"{what}: Bundler's cameras")
    check(np.allclose(np.sort(ours), np.sort(theirs), atol=1e-9), f"{what}: Bundler's numbers")


def check_ply(rec, d, what):
    convert(d + "/bin", d + "/cloud.ply", "ply")
    cloud = pycolmap.Reconstruction()
    cloud.import_PLY(d + "/cloud.ply")
    got = sorted((tuple(np.round(p.xyz, 5)), tuple(p.color)) for p in cloud.points3D.values())
    check(len(got) == rec.num_points3D() + 5 * rec.num_images(), f"{what}: vertices of the PLY: {len(got)}")
    want = {tuple(np.round(np.float32(p.xyz).astype(float), 5)) + tuple(p.color) for p in rec.points3D.values()}
    check(want <= {x + c for x, c in got}, f"{what}: points of the PLY")


def main():
    if pycolmap is None:
        skip("pycolmap is not installed")
    else:
        for seed, name in enumerate(("PINHOLE", "RADIAL", "OPENCV", "OPENCV_FISHEYE")):
            with tempfile.TemporaryDirectory() as d:
                rec = make(d, getattr(pycolmap.CameraModelId, name), seed)
                check_forms(rec, d, name)
                check_figures(rec, d, name)
                check_nerfstudio(rec, d, name)
                check_ply(rec, d, name)
                if name in ("PINHOLE", "RADIAL"):
                    check_bundler(d, name)
    print(f"foreign: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
