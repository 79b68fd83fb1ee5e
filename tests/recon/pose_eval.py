#!/usr/bin/env python3
"""`vidimus eval poses` against the reference script pose_eval.py, which lies beside the shared data: random truths and
models must give the same figures to 1e-6. SPDX-License-Identifier: Apache-2.0

    python3 tests/recon/pose_eval.py BUILD
"""
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile

VIDIMUS = os.path.join(os.path.abspath(sys.argv[1]), "vidimus")
DATA = os.environ.get("VIDIMUS_TEST_DATA", "")
SCRIPT = os.path.join(DATA, "../tools/pose_eval.py")
FOUNTAIN = os.path.join(DATA, "strecha/fountain-P11/gt_dense_cameras")
KEYS = ["registered", "total", "centre_rmse", "rotation_deg", "auc_1", "auc_3", "auc_5"]

try:
    import numpy as np
except ImportError:
    np = None


def reference():
    """The script's main(), with the numbers that it prints printed in full."""
    source = open(SCRIPT).read()
    source = re.sub(r"\{1000\*np\.sqrt\(\(err\*\*2\)\.mean\(\)\):\.2f\} mm",
                    "{np.sqrt((err**2).mean()):.17g}", source)
    source = re.sub(r":\.[24]f\}", ":.17g}", source)
    scope = {"__name__": "reference"}
    exec(compile(source, SCRIPT, "exec"), scope)

    def run(model, truth):
        out, argv = io.StringIO(), sys.argv
        sys.argv = [SCRIPT, model, truth]
        with contextlib.redirect_stdout(out):
            scope["main"]()
        sys.argv = argv
        n = re.search(r"registered (\d+)/(\d+)  centre-rmse (\S+) .*rotation (\S+) deg  AUC@1 (\S+)  AUC@3 (\S+)  AUC@5 (\S+)",
                      out.getvalue()).groups()
        return [float(v) for v in n]
    return run


def rotation(v):
    angle = np.linalg.norm(v)
    x, y, z = v / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def quaternion(r):
    """w x y z of a rotation matrix, by the eigenvector of its axis."""
    k = np.array([[r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0], [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
                  [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
                  [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)]]) / 3
    x, y, z, w = np.linalg.eigh(k)[1][:, 3]
    return w, x, y, z


def write_model(folder, poses):
    os.makedirs(folder)
    open(folder + "/cameras.txt", "w").write("1 SIMPLE_PINHOLE 640 480 500 320 240\n")
    open(folder + "/points3D.txt", "w").close()
    with open(folder + "/images.txt", "w") as f:
        for i, (name, (r, c)) in enumerate(poses.items()):
            numbers = [*quaternion(r), *(-r @ c)]
            f.write("%d %s 1 %s\n\n" % (i + 1, " ".join("%.17g" % v for v in numbers), name))


def write_truth(folder, poses, digits):
    os.makedirs(folder)
    for name, (r, c) in poses.items():
        v = [1500, 0, 800, 0, 1500, 600, 0, 0, 1, 0, 0, 0, *r.T.ravel(), *c, 1600, 1200]
        open(f"{folder}/{name}.camera", "w").write("\n".join(f"%.{digits}g" % x for x in v))


def read_fountain():
    poses = {}
    for name in sorted(os.listdir(FOUNTAIN)):
        v = [float(x) for x in open(f"{FOUNTAIN}/{name}").read().split()]
        u, _, vt = np.linalg.svd(np.array(v[12:21]).reshape(3, 3).T)
        poses[name[:-7]] = (u @ vt, np.array(v[21:24]))
    return poses


def random_truth(rng, n):
    return {"%03d.jpg" % i: (rotation(rng.normal(size=3)), rng.normal(size=3) * 4) for i in rng.permutation(n)}


def disturbed(rng, truth, rot_deg, shift, lost):
    """What a program could have made of the photos: another world, errors, some photos missing."""
    r, t, s = rotation(rng.normal(size=3)), rng.normal(size=3) * 10, np.exp(rng.normal())
    out = {}
    for i, name in enumerate(rng.permutation(list(truth))):
        rot, c = truth[name]
        if i < lost:
            continue
        rot = rotation(rng.normal(size=3) * np.radians(rot_deg)) @ rot
        c = c + rng.normal(size=3) * shift
        out[f"some folder/{name}" if i % 3 == 0 else name] = (rot @ r.T, s * (r @ c + t))
    return out


def ours(model, truth):
    done = subprocess.run([VIDIMUS, "eval", "poses", model, "--truth", truth, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    row = json.loads(done.stdout)
    assert list(row) == KEYS, row
    return [row[k] for k in KEYS]


def main():
    if np is None or not os.path.exists(SCRIPT):
        print("skip: numpy or the reference script is not there")
        print("pose_eval: 0 passed, 0 failed, 1 skipped")
        return 0
    run, rng, passed, failed, worst = reference(), np.random.default_rng(5), 0, 0, 0.0
    for k in range(24):
        fountain = k % 3 == 0
        truth = read_fountain() if fountain else random_truth(rng, int(rng.integers(3, 30)))
        size = 10 ** rng.uniform(-4, 0.5)
        model = disturbed(rng, truth, size, size * 0.05, int(rng.integers(0, max(1, len(truth) - 3))))
        with tempfile.TemporaryDirectory() as d:
            write_model(d + "/model", model)
            if not fountain:
                write_truth(d + "/truth", truth, 6 if k % 2 else 17)
            where = FOUNTAIN if fountain else d + "/truth"
            want, got = run(d + "/model", where), ours(d + "/model", where)
        off = max(abs(a - b) for a, b in zip(want, got))
        worst = max(worst, off)
        passed += off < 1e-6
        failed += off >= 1e-6
        if off >= 1e-6:
            print("FAILED case", k, want, got)
    print("largest difference %.2g" % worst)
    print(f"pose_eval: {passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
