#!/usr/bin/env python3
"""bench sift_quality [PHOTOS [FEATURES]]: our features beside OpenCV's SIFT (and COLMAP's, by pycolmap).

Two tests, both with truth. (1) Photos warped by known homographies: rotation, scale, viewpoint, blur,
noise, JPEG. Repeatability: share of the keypoints in the common area with one of the other picture within
2.5 px and a factor 1.5 in scale, one to one; matching score: correct matches (within 2.5 px) over the
keypoints in the common area of the picture with fewer. (2) fountain-P11: matches within 1.5 px of the
epipolar line of the true cameras. Every program's descriptors go through the same matcher (mutual nearest,
ratio 0.8); OpenCV's also with the L1 root taken, the way ours and COLMAP's are. Needs numpy and
opencv-python-headless; skips where they are absent. SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys
import time

import common

try:
    import cv2
    import numpy as np
except ImportError:
    print(json.dumps({"skipped": "no numpy or OpenCV for Python"}))
    sys.exit(0)
try:
    import pycolmap
except ImportError:
    pycolmap = None

NEAR_PX, SCALE_FACTOR, EPIPOLAR_PX, RATIO = 2.5, 1.5, 1.5, 0.8
EXPORT = os.path.join(common.BUILD, "bench", "sift_export")


def l1_root(desc):
    desc = np.maximum(desc.astype(np.float32), 0)
    return np.sqrt(desc / np.maximum(desc.sum(1, keepdims=True), 1e-12))


def ours(picture, n, folder, *options):
    at = os.path.join(folder, "p.pgm")
    cv2.imwrite(at, picture)
    kp, desc = os.path.join(folder, "k.npy"), os.path.join(folder, "d.npy")
    subprocess.run([EXPORT, "max_features=%d" % n, *options, at, kp, desc], check=True)
    return np.load(kp)[:, :3], np.load(desc).astype(np.float32) / 512


def opencv(picture, n, root):
    kp, desc = cv2.SIFT_create(nfeatures=n, contrastThreshold=0.02, enable_precise_upscale=True).detectAndCompute(picture, None)
    kp = np.array([[k.pt[0] + 0.5, k.pt[1] + 0.5, k.size / 2] for k in kp], np.float32).reshape(-1, 3)
    desc = desc.astype(np.float32)
    return kp[:n], (l1_root(desc) if root else desc / np.linalg.norm(desc, axis=1, keepdims=True))[:n]


def colmap(picture, n):
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = False
    options.sift.max_num_features = n
    options.num_threads = 1
    kp, desc = pycolmap.Sift(options=options, device=pycolmap.Device.cpu).extract(picture)
    kp, desc = np.asarray(kp), np.asarray(desc, np.float32)
    keep = np.argsort(-kp[:, 2], kind="stable")[:n]  # it stops after a whole level: more than asked for
    return kp[keep, :3].copy(), desc[keep] / np.linalg.norm(desc[keep], axis=1, keepdims=True)


def programs(folder):
    out = {"ours": lambda p, n: ours(p, n, folder),
           "opencv": lambda p, n: opencv(p, n, False), "opencv_root": lambda p, n: opencv(p, n, True)}
    if pycolmap is not None:
        out["colmap"] = colmap
    for extra in os.environ.get("SIFT_QUALITY_OPTIONS", "").split(";"):
        if extra:
            out["ours " + extra] = lambda p, n, extra=extra: ours(p, n, folder, *extra.split())
    only = os.environ.get("SIFT_QUALITY_ONLY")
    return {k: f for k, f in out.items() if only is None or k.split()[0] in only.split(",")}


def match(a, b):
    """Mutual nearest neighbours that pass the ratio test (Euclidean distances)."""
    if len(a) < 2 or len(b) < 2:
        return np.zeros((0, 2), int)
    s = a @ b.T
    best = s.argmax(1)
    back = s.argmax(0)
    rows = np.arange(len(a))
    top = s[rows, best].copy()
    s[rows, best] = -1
    second = s.max(1)
    ok = (back[best] == rows) & (1 - top < RATIO ** 2 * (1 - second))
    return np.stack([rows[ok], best[ok]], 1)


def apply(h, xy):
    p = np.c_[xy, np.ones(len(xy))] @ h.T
    return p[:, :2] / p[:, 2:]


def local_scale(h, xy):
    """Square root of the Jacobian's determinant."""
    e = 0.01
    dx = (apply(h, xy + [e, 0]) - apply(h, xy - [e, 0])) / (2 * e)
    dy = (apply(h, xy + [0, e]) - apply(h, xy - [0, e])) / (2 * e)
    return np.sqrt(np.abs(dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]))


def score(one, two, h, shapes):
    """(repeatability, matching score, correct matches, matches) under the homography of pixel coordinates."""
    (k1, d1), (k2, d2) = one, two

    def inside(p, shape):
        return (p[:, 0] >= 0) & (p[:, 1] >= 0) & (p[:, 0] < shape[1]) & (p[:, 1] < shape[0])
    in1 = inside(apply(h, k1[:, :2]), shapes[1])
    in2 = inside(apply(np.linalg.inv(h), k2[:, :2]), shapes[0])
    k1, d1, k2, d2 = k1[in1], d1[in1], k2[in2], d2[in2]
    least = max(1, min(len(k1), len(k2)))
    at, size = apply(h, k1[:, :2]), k1[:, 2] * local_scale(h, k1[:, :2])
    # one to one, nearest first
    pairs = []
    for i in range(0, len(at), 1024):
        d = np.linalg.norm(at[i:i + 1024, None] - k2[None, :, :2], axis=2)
        r = size[i:i + 1024, None] / k2[None, :, 2]
        a, b = np.nonzero((d < NEAR_PX) & (r < SCALE_FACTOR) & (r > 1 / SCALE_FACTOR))
        pairs += list(zip(d[a, b], a + i, b))
    used1, used2, found = set(), set(), 0
    for _, a, b in sorted(pairs):
        if a not in used1 and b not in used2:
            used1.add(a)
            used2.add(b)
            found += 1
    m = match(d1, d2)
    good = int((np.linalg.norm(at[m[:, 0]] - k2[m[:, 1], :2], axis=1) < NEAR_PX).sum())
    return found / least, good / least, good, len(m)


def similarity(shape, degrees, scale):
    """Turns and scales about the centre, into a picture that holds all of it; coordinates of pixel corners."""
    h, w = shape
    a = np.radians(degrees)
    r = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    size = np.ceil(np.abs(r) @ [w, h]).astype(int)
    t = size / 2 - r @ [w / 2, h / 2]
    return np.array([[*r[0], t[0]], [*r[1], t[1]], [0, 0, 1]]), (size[1], size[0])


def viewpoint(shape, tilt_deg, axis_deg):
    """A plane seen after turning it by tilt about an axis in it."""
    h, w = shape
    t, a, f = np.radians(tilt_deg), np.radians(axis_deg), 1.2 * max(w, h)
    axis = np.array([np.cos(a), np.sin(a), 0])
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    r = np.eye(3) + np.sin(t) * k + (1 - np.cos(t)) * k @ k
    m = np.c_[r[:, :2], [0, 0, f]]
    to = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1]], float)
    back = np.array([[f, 0, w / 2], [0, f, h / 2], [0, 0, 1]], float)
    return back @ m @ to, shape


def warp(picture, h, shape):
    """Through a four times enlarged target, area averaged: no aliasing of note."""
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    up = np.diag([3.0, 3.0, 1.0])
    m = half @ up @ h @ np.linalg.inv(half)
    big = cv2.warpPerspective(picture, m, (shape[1] * 3, shape[0] * 3), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return cv2.resize(big, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def changes(picture, seed):
    """(name, changed picture, homography)."""
    shape = picture.shape
    eye = np.eye(3)
    rng = np.random.default_rng(seed)
    for name, (h, size) in {
            "rotation 35": similarity(shape, 35, 1), "rotation 90": similarity(shape, 90, 1),
            "scale 0.5": similarity(shape, 0, 0.5), "scale 0.7 rotation 20": similarity(shape, 20, 0.7),
            "scale 1.4": similarity(shape, 0, 1.4), "scale 2": similarity(shape, 10, 2),
            "viewpoint 30": viewpoint(shape, 30, 70), "viewpoint 45": viewpoint(shape, 45, 100),
            "viewpoint 60": viewpoint(shape, 60, 80)}.items():
        yield name, warp(picture, h, size), h
    yield "blur 1.5", cv2.GaussianBlur(picture, (0, 0), 1.5), eye
    yield "blur 3", cv2.GaussianBlur(picture, (0, 0), 3), eye
    yield "noise 10", np.clip(picture + rng.normal(0, 10, shape), 0, 255).round().astype(np.uint8), eye
    yield "jpeg 25", cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 25])[1], 0), eye
    yield "exposure", np.clip(picture * 0.6 + 10, 0, 255).round().astype(np.uint8), eye


def photos(count):
    names = [("strecha", "fountain-P11", "images", "0005.jpg"), ("sceaux", "images", "100_7105.JPG"),
             ("mvs", "sacre-coeur", "10265353_3838484249.jpg"), ("mvs", "opensfm-berlin", "images", "01.jpg"),
             ("mvs", "drone-brighton", "images", "DJI_0020.JPG"), ("mvs", "bundler-kermit", "images", "kermit003.jpg")]
    return [common.data(*n) for n in names[:count]]


def reduced(path, side):
    picture = cv2.imread(path, 0)
    k = side / max(picture.shape)
    return cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else picture


def homographies(count, n, who):
    table = {}
    for at, path in enumerate(photos(count)):
        picture = reduced(path, 900)
        base = {name: f(picture, n) for name, f in who.items()}
        for change, other, h in changes(picture, at):
            for name, f in who.items():
                s = score(base[name], f(other, n), h, (picture.shape, other.shape))
                table.setdefault(change, {}).setdefault(name, []).append(s)
    return {c: {name: [round(float(v), 4) for v in np.mean(np.array(s), 0)] for name, s in row.items()}
            for c, row in table.items()}


def camera(path, k):
    v = [float(x) for x in open(path).read().split()]
    kk = np.array(v[:9]).reshape(3, 3)
    kk[:2] *= k
    kk[:2, 2] += 0.5 - 0.5 * k  # centres of pixels at whole numbers in that file
    r = np.array(v[12:21]).reshape(3, 3).T
    return kk, r, -r @ np.array(v[21:24])


def fundamental(a, b):
    r = b[1] @ a[1].T
    t = b[2] - r @ a[2]
    e = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]]) @ r
    return np.linalg.inv(b[0]).T @ e @ np.linalg.inv(a[0])


def epipolar(f, x1, x2):
    """Distance of x2 from the line of x1, and the other way round: the larger one."""
    a, b = np.c_[x1, np.ones(len(x1))], np.c_[x2, np.ones(len(x2))]
    l2, l1 = a @ f.T, b @ f
    d = np.abs((b * l2).sum(1))
    return np.maximum(d / np.hypot(l2[:, 0], l2[:, 1]), d / np.hypot(l1[:, 0], l1[:, 1]))


def fountain(n, who, side=1600):
    folder = common.data("strecha", "fountain-P11")
    names = sorted(x for x in os.listdir(os.path.join(folder, "images")) if x.endswith(".jpg"))
    out, feats, cams = {}, {}, []
    for name in names:
        full = cv2.imread(os.path.join(folder, "images", name), 0)
        picture = reduced(os.path.join(folder, "images", name), side)
        cams.append(camera(os.path.join(folder, "gt_dense_cameras", name + ".camera"), picture.shape[1] / full.shape[1]))
        for who_name, f in who.items():
            start = time.process_time()
            feats.setdefault(who_name, []).append(f(picture, n))
            out.setdefault(who_name, {"cpu_s": 0})["cpu_s"] += time.process_time() - start
    for who_name, fs in feats.items():
        good = total = 0
        errors = []
        by_gap = {}
        for i in range(len(fs)):
            for gap in (1, 2, 3):
                j = i + gap
                if j >= len(fs):
                    continue
                m = match(fs[i][1], fs[j][1])
                e = epipolar(fundamental(cams[i], cams[j]), fs[i][0][m[:, 0], :2], fs[j][0][m[:, 1], :2])
                by_gap.setdefault(gap, []).append(int((e < EPIPOLAR_PX).sum()))
                errors += list(e[e < EPIPOLAR_PX])
                good += int((e < EPIPOLAR_PX).sum())
                total += len(m)
        out[who_name].update(features=float(np.mean([len(f[0]) for f in fs])), matches=total, correct=good,
                             precision=round(good / max(total, 1), 4), median_px=round(float(np.median(errors)), 4),
                             correct_by_gap={g: round(float(np.mean(v)), 1) for g, v in by_gap.items()})
    return out


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    who = programs(common.scratch("sift"))
    result = {"bench": "sift_quality", "commit": common.commit(), "opencv": cv2.__version__,
              "pycolmap": getattr(pycolmap, "__version__", None)}
    if count > 0:
        table = homographies(count, n, who)
        for change, row in table.items():
            print("%-22s" % change + "  ".join("%s rep %.3f score %.3f good %d" % (name, v[0], v[1], v[2]) for name, v in row.items()), file=sys.stderr)
        result["homographies"] = table
        result["mean"] = {name: [round(float(np.mean([row[name][k] for row in table.values()])), 4) for k in (0, 1)]
                          for name in who}
    result["fountain"] = fountain(8192, who)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
