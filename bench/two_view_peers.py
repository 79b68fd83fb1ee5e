#!/usr/bin/env python3
"""bench two_view_peers [PAIRS]: the same synthetic pairs by bench_two_view, PoseLib, pycolmap and OpenCV.

2 000 matches a pair at four shares of outliers, thresholds of 4 px and 0.9999 confidence for all; each
program runs on one thread. The peers come from PyPI into a virtual environment under build/ (needs network
once, or VIDIMUS_BENCH_VENV with them in it); one that is absent is left out with a message. Prints one JSON
line a program, kind and share: CPU time a pair, median and 90 % error of the pose in degrees (the larger of
rotation and translation), and how many times longer than ours it took.
SPDX-License-Identifier: Apache-2.0
"""
import glob
import json
import os
import re
import subprocess
import sys

import common

PROGRAM = r'''
import glob, json, os, re, sys, time
import numpy as np

W, H = 1600, 1200

def rotation(q):
    w, x, y, z = q
    return np.array([[1-2*(y*y+z*z), 2*(x*y-w*z), 2*(x*z+w*y)], [2*(x*y+w*z), 1-2*(x*x+z*z), 2*(y*z-w*x)],
                     [2*(x*z-w*y), 2*(y*z+w*x), 1-2*(x*x+y*y)]])

def error_deg(r, t, truth_r, truth_t):
    c = np.clip((np.trace(r @ truth_r.T) - 1) / 2, -1, 1)
    d = np.clip(np.dot(t, truth_t) / np.linalg.norm(t) / np.linalg.norm(truth_t), -1, 1)
    return float(np.degrees(max(np.arccos(c), np.arccos(d))))

class Pair:
    def __init__(self, path):
        head = np.array(open(path).readline().split(), float)
        rows = np.loadtxt(path, skiprows=1)
        self.f, self.r, self.t = head[:2], rotation(head[2:6]), head[6:9]
        self.a, self.b, self.x = (np.ascontiguousarray(rows[:, i:j]) for i, j in ((0, 2), (2, 4), (4, 7)))

def poselib_tools():
    import poselib
    def camera(f):
        return {"model": "SIMPLE_PINHOLE", "width": W, "height": H, "params": [f, W / 2, H / 2]}
    def calibrated(p):
        m, _ = poselib.estimate_relative_pose(p.a, p.b, camera(p.f[0]), camera(p.f[1]),
                                              {"max_epipolar_error": 4.0, "success_prob": 0.9999}, {})
        m = getattr(m, "pose", m)
        return m.R, m.t
    def uncalibrated(p):
        poselib.estimate_fundamental(p.a, p.b, {"max_epipolar_error": 4.0, "success_prob": 0.9999}, {})
    def resection(p):
        m, _ = poselib.estimate_absolute_pose(p.b, p.x, camera(p.f[1]),
                                              {"max_reproj_error": 4.0, "success_prob": 0.9999}, {})
        m = getattr(m, "pose", m)
        return m.R, m.t
    return {"calibrated": calibrated, "uncalibrated": uncalibrated, "resection": resection}

def pycolmap_tools():
    import pycolmap
    pycolmap.logging.minloglevel = 3
    opt = pycolmap.TwoViewGeometryOptions()
    opt.compute_relative_pose = True
    opt.ransac.max_error, opt.ransac.confidence = 4.0, 0.9999
    ropt = pycolmap.AbsolutePoseEstimationOptions()
    ropt.ransac.max_error, ropt.ransac.confidence = 4.0, 0.9999
    def camera(f):
        return pycolmap.Camera(model="SIMPLE_PINHOLE", width=W, height=H, params=[f, W / 2, H / 2])
    def calibrated(p):
        m = np.stack([np.arange(len(p.a))] * 2, 1).astype(np.uint32)
        g = pycolmap.estimate_calibrated_two_view_geometry(camera(p.f[0]), p.a, camera(p.f[1]), p.b, m, opt)
        if g.cam2_from_cam1 is None:
            return None
        pose = g.cam2_from_cam1
        return pose.rotation.matrix(), pose.translation
    def uncalibrated(p):
        pycolmap.estimate_fundamental_matrix(p.a, p.b, opt.ransac)
    def resection(p):
        m = pycolmap.estimate_and_refine_absolute_pose(p.b, p.x, camera(p.f[1]), ropt)
        if m is None:
            return None
        return m["cam_from_world"].rotation.matrix(), m["cam_from_world"].translation
    return {"calibrated": calibrated, "uncalibrated": uncalibrated, "resection": resection}

def opencv_tools():
    import cv2
    cv2.setNumThreads(1)
    def matrix(f):
        return np.array([[f, 0, W / 2], [0, f, H / 2], [0, 0, 1.0]])
    def calibrated(p):
        k1, k2 = matrix(p.f[0]), matrix(p.f[1])
        _, e, r, t, _ = cv2.recoverPose(p.a, p.b, k1, None, k2, None, method=cv2.USAC_MAGSAC, prob=0.9999,
                                        threshold=4.0)
        return r, t[:, 0]
    def uncalibrated(p):
        cv2.findFundamentalMat(p.a, p.b, cv2.USAC_MAGSAC, 4.0, 0.9999, 10000)
    def resection(p):
        ok, r, t, _ = cv2.solvePnPRansac(p.x, p.b, matrix(p.f[1]), None, reprojectionError=4.0, confidence=0.9999,
                                         iterationsCount=10000, flags=cv2.SOLVEPNP_P3P)
        return (cv2.Rodrigues(r)[0], t[:, 0]) if ok else None
    return {"calibrated": calibrated, "uncalibrated": uncalibrated, "resection": resection}

def main():
    peer, folder = sys.argv[1:3]
    try:
        tools = {"poselib": poselib_tools, "pycolmap": pycolmap_tools, "opencv": opencv_tools}[peer]()
    except ImportError as e:
        print(json.dumps({"peer": peer, "skipped": str(e)}))
        return
    shares = sorted({re.search(r"general_(\d+)_", f)[1] for f in glob.glob(folder + "/*.txt")})
    for share in shares:
        pairs = [Pair(f) for f in sorted(glob.glob("%s/general_%s_*.txt" % (folder, share)))]
        for kind, run in tools.items():
            times, errors = [], []
            for p in pairs:
                best = 1e9
                for _ in range(2):
                    start = time.process_time()
                    try:
                        got = run(p)
                    except Exception:
                        got = None
                    best = min(best, time.process_time() - start)
                times.append(1e6 * best)
                if kind != "uncalibrated":
                    errors.append(error_deg(got[0], got[1], p.r, p.t) if got is not None else 180.0)
            errors.sort()
            print(json.dumps({"peer": peer, "kind": kind, "outliers": int(share) / 100, "pairs": len(pairs),
                              "us_mean": round(sum(times) / len(times), 1),
                              "error_median_deg": round(errors[len(errors) // 2], 4) if errors else None,
                              "error_90_deg": round(errors[len(errors) * 9 // 10], 4) if errors else None}), flush=True)

main()
'''

PEERS = [("poselib", "poselib"), ("pycolmap", "pycolmap"), ("opencv", "opencv-python-headless")]


def environment():
    """The interpreter of a virtual environment; whatever of the peers can be had is in it."""
    place = os.environ.get("VIDIMUS_BENCH_VENV", os.path.join(common.BUILD, "venv-geometry"))
    python = os.path.join(place, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        for _, package in PEERS:
            if subprocess.run([python, "-m", "pip", "install", "-q", package], stdout=sys.stderr).returncode != 0:
                print("two_view_peers: %s could not be installed" % package, file=sys.stderr)
    return python


def version(python, package):
    run = subprocess.run([python, "-c", "from importlib.metadata import version; print(version('%s'))" % package],
                         capture_output=True, text=True)
    return run.stdout.strip()


def lines(command, **kw):
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **kw)
    return [json.loads(l) for l in run.stdout.splitlines() if l.startswith("{")]


def main():
    pairs = sys.argv[1] if len(sys.argv) > 1 else "20"
    ours_program = os.path.join(common.BUILD, "bench", "bench_two_view")
    folder = common.scratch("two-view")
    python = environment()
    subprocess.run([ours_program, pairs, "--dump", folder], check=True)
    ours = {}
    for r in lines([ours_program, pairs]):
        if r["estimator"] in ("calibrated", "uncalibrated", "resection"):
            key = r["estimator"], r["outliers"]
            ours[key] = r
            print(json.dumps({"bench": "two_view_peers", "commit": common.commit(), "cpu": common.cpu_name(),
                              "program": "vidimus", "kind": key[0], "outliers": key[1], "us_mean": r["us_mean"],
                              "error_median_deg": r["error_median_deg"], "error_90_deg": r["error_90_deg"]}), flush=True)
    env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    for peer, package in PEERS:
        for r in lines([python, "-c", PROGRAM, peer, folder], env=env):
            if "skipped" in r:
                print(json.dumps({"bench": "two_view_peers", "program": peer, "skipped": r["skipped"]}))
                continue
            own = ours[r["kind"], r["outliers"]]
            print(json.dumps({"bench": "two_view_peers", "program": "%s %s" % (peer, version(python, package)),
                              "kind": r["kind"], "outliers": r["outliers"], "us_mean": r["us_mean"],
                              "error_median_deg": r["error_median_deg"], "error_90_deg": r["error_90_deg"],
                              "times_ours": round(r["us_mean"] / own["us_mean"], 2)}), flush=True)


if __name__ == "__main__":
    main()
