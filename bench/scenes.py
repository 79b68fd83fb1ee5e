#!/usr/bin/env python3
"""bench scenes [REPEATS [SET...]]: from the photos to the exported model, ours beside COLMAP's.

For the sets fountain-P11 (its intrinsics given and held fixed in every program) and sceaux (one camera, calibrated
by itself): `vidimus run`, all stages, with `vidimus export`, REPEATS times (3); COLMAP 3.8 by the script that
VIDIMUS_COLMAP_BASELINE names (beside the test data by default); the newest pycolmap from PyPI, in a virtual
environment under build/ (needs network once, or VIDIMUS_BENCH_VENV with it). All on the CPU: photos reduced to
1600 px, 8192 features, every pair, the incremental mapper. SCENES_ONLY=ours,colmap,pycolmap takes some; one that is
absent is left out with a message.

Prints one JSON line a set. Of each program: wall and CPU seconds, registered photos, points and mean reprojection
error as `colmap model_analyzer` counts them, and for fountain-P11 the RMSE of the camera centres after a similarity
and the AUC at 1 degree. Ratios are times of the others over ours. SPDX-License-Identifier: Apache-2.0
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import common

SIDE, FEATURES = 1600, 8192
SETS = {
    "fountain-P11": {"images": ("strecha", "fountain-P11", "images"), "truth": ("strecha", "fountain-P11", "gt_dense_cameras"),
                     "size": "3072,2048", "model": "PINHOLE", "params": "2759.48,2764.16,1520.69,1006.81"},
    "sceaux": {"images": ("sceaux", "images"), "truth": None, "size": None, "model": "SIMPLE_RADIAL", "params": None},
}
TARGETS = {"colmap": 20, "pycolmap": 8}
BASELINE = os.environ.get("VIDIMUS_COLMAP_BASELINE", os.path.join(common.DATA, "..", "tools", "colmap_baseline.sh"))

PYCOLMAP = r'''
import json, os, sys, time
import pycolmap
images, out, side, features, model, params = sys.argv[1:]
start = time.monotonic()
extract = pycolmap.FeatureExtractionOptions()
extract.use_gpu, extract.max_image_size, extract.sift.max_num_features = False, int(side), int(features)
reader = pycolmap.ImageReaderOptions()
reader.camera_model, reader.camera_params = model, params
match = pycolmap.FeatureMatchingOptions()
match.use_gpu = False
mapper = pycolmap.IncrementalPipelineOptions()
if params:
    mapper.ba_refine_focal_length = mapper.ba_refine_principal_point = mapper.ba_refine_extra_params = False
db = os.path.join(out, "db.db")
cpu = pycolmap.Device.cpu
pycolmap.extract_features(db, images, camera_mode=pycolmap.CameraMode.SINGLE, reader_options=reader, extraction_options=extract,
                          device=cpu)
extracted = time.monotonic()
pycolmap.match_exhaustive(db, matching_options=match, device=cpu)
matched = time.monotonic()
found = pycolmap.incremental_mapping(db, images, os.path.join(out, "sparse"), options=mapper)
best = max(found, key=lambda k: found[k].num_reg_images())
end = time.monotonic()
print(json.dumps({"version": pycolmap.__version__, "model": os.path.join(out, "sparse", str(best)), "wall": end - start,
                  "extract_s": extracted - start, "match_s": matched - extracted, "map_s": end - matched}))
'''


def venv():
    """The Python that has pycolmap, or None."""
    place = os.environ.get("VIDIMUS_BENCH_VENV", os.path.join(common.BUILD, "venv-colmap"))
    python = os.path.join(place, "bin", "python3")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "pycolmap", "numpy"], check=False, stdout=sys.stderr)
    if subprocess.run([python, "-c", "import pycolmap"], stderr=subprocess.DEVNULL).returncode != 0:
        print("no pycolmap: left out", file=sys.stderr)
        return None
    return python


def analysed(model):
    """Registered images, points and mean error as COLMAP counts them; without it, nothing."""
    if shutil.which("colmap") is None:
        return {}
    run = subprocess.run(["colmap", "model_analyzer", "--path", model], capture_output=True, text=True,
                         env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    text = run.stdout + run.stderr
    out = {}
    for key, pattern in (("registered", r"Registered images: (\d+)"), ("points", r"Points: (\d+)"),
                         ("px", r"Mean reprojection error: ([0-9.]+)")):
        found = re.search(pattern, text)
        out[key] = float(found[1]) if found and key == "px" else int(found[1]) if found else None
    return out


def judged(model, truth):
    out = analysed(model)
    if truth is not None:
        r = common.document("eval", "poses", model, "--truth", truth)
        out.update(registered=r["registered"], centre_rmse_mm=1000 * r["centre_rmse"] if r["centre_rmse"] is not None else None,
                   rotation_deg=r["rotation_deg"], auc_1=r["auc_1"])
    return out


def ours(scratch, s, images, repeats):
    walls, cpus = [], []
    dataset, out = os.path.join(scratch, "ours.vidimus"), os.path.join(scratch, "ours")
    camera = ("--camera", ",".join((s["model"], s["size"], s["params"]))) if s["params"] else ("--camera-model", s["model"])
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        run = common.fresh_run(dataset, images, extra=("--feature-side", SIDE, "--max-features", FEATURES, "--pairs", "all",
                                                       "--mapper", "incremental", *camera))
        export = common.vidimus("export", dataset, "--format", "colmap", "--out", out)
        walls.append(run.wall + export.wall)
        cpus.append(run.cpu + export.cpu)
    last = common.rows(dataset, "SELECT stage, round(seconds, 2) AS s FROM run_stage WHERE run_id = (SELECT max(id) FROM run)")
    return os.path.join(out, "0"), {"wall_s": common.median(walls, 2), "wall_spread": common.spread(walls, 2),
                                    "cpu_s": common.median(cpus, 2), "stages_s": {r["stage"]: r["s"] for r in last}}


def colmap(scratch, s, images, _):
    if shutil.which("colmap") is None or not os.path.exists(BASELINE):
        print("no colmap, or no %s (VIDIMUS_COLMAP_BASELINE): left out" % BASELINE, file=sys.stderr)
        return None, None
    out = os.path.join(scratch, "colmap")
    run = common.Timed(["bash", BASELINE, images, out, str(SIDE), s["model"], *([s["params"]] if s["params"] else [])], limit=3600)
    took = re.search(rb"extract ([0-9.]+) s  match ([0-9.]+) s  map ([0-9.]+) s  total ([0-9.]+) s", run.out)
    extract, match, mapping, total = (float(v) for v in took.groups())
    best = max(glob.glob(os.path.join(out, "sparse", "*")), key=lambda p: analysed(p)["registered"])
    return best, {"wall_s": total, "cpu_s": round(run.cpu, 2), "extract_s": extract, "match_s": match, "map_s": mapping}


def pycolmap(scratch, s, images, _):
    python = venv()
    if python is None:
        return None, None
    out = os.path.join(scratch, "pycolmap")
    os.makedirs(os.path.join(out, "sparse"))
    run = common.Timed([python, "-c", PYCOLMAP, images, out, str(SIDE), str(FEATURES), s["model"], s["params"] or ""], limit=3600)
    r = json.loads(run.out.splitlines()[-1])
    return r["model"], {"version": r["version"], "wall_s": round(r["wall"], 2), "cpu_s": round(run.cpu, 2),
                        **{k: round(r[k], 2) for k in ("extract_s", "match_s", "map_s")}}


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    wanted = sys.argv[2:] or list(SETS)
    unknown = [w for w in wanted if w not in SETS]
    if unknown:
        sys.exit("no set %s; sets are %s" % (", ".join(unknown), ", ".join(SETS)))
    only = os.environ.get("SCENES_ONLY", "ours,colmap,pycolmap").split(",")
    for name in wanted:
        s = SETS[name]
        images, truth = common.data(*s["images"]), s["truth"] and common.data(*s["truth"])
        common.read_all(images)
        scratch, result = common.scratch("scenes"), {}
        for program in (ours, colmap, pycolmap):
            key = program.__name__
            if key not in only:
                continue
            model, figures = program(scratch, s, images, repeats)
            if model is not None:
                result[key] = {**figures, **judged(model, truth)}
        for key in TARGETS:
            if key in result and "ours" in result:
                result["ratio_%s" % key] = {"wall": round(result[key]["wall_s"] / result["ours"]["wall_s"], 1),
                                            "cpu": round(result[key]["cpu_s"] / result["ours"]["cpu_s"], 1), "target": TARGETS[key]}
        common.emit("scenes", set=name, photos=sum(n.lower().endswith(".jpg") for n in os.listdir(images)), side=SIDE, features=FEATURES, repeats=repeats, **result)


if __name__ == "__main__":
    main()
