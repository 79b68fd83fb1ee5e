#!/usr/bin/env python3
"""Memory of a run over large photos. SPDX-License-Identifier: Apache-2.0

Makes pictures of 24 megapixels in the usual formats with libvips (and larger ones with --large), runs
`vidimus run --jobs 2` over the folder and samples the memory of the engine and its decoding processes
every 20 ms: the sum of their proportional set sizes, in which shared memory counts once. Prints one line
of JSON with the peak, and fails above the limit.

    memory.py BUILD_DIR [--features] [--limit-mb N] [--jobs 2] [--memory 256M] [--only NAME,...] [--each] [--large]
              [--pictures DIR]   keeps the pictures there, and makes none that is there already

--each measures one folder a format instead of the mixed one. Exit status 77: no libvips here to make the
pictures with."""
import argparse
import ctypes
import ctypes.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SKIP = 77
# name: libvips saver, file ending, options
FORMATS = {
    "jpeg420": ("vips_jpegsave", ".jpg", {"Q": 92, "subsample_mode": 1}),
    "jpeg444": ("vips_jpegsave", ".jpg", {"Q": 92, "subsample_mode": 2}),
    "jpeg420p": ("vips_jpegsave", ".jpg", {"Q": 92, "subsample_mode": 1, "interlace": 1}),
    "jpeg444p": ("vips_jpegsave", ".jpg", {"Q": 92, "subsample_mode": 2, "interlace": 1}),
    "png": ("vips_pngsave", ".png", {"compression": 3}),
    "webp": ("vips_webpsave", ".webp", {"Q": 85, "effort": 0}),
    "tiff": ("vips_tiffsave", ".tif", {"compression": 2}),
}
MORE = {  # not made by default: their encoders are slow
    "heic": ("vips_heifsave", ".heic", {"Q": 60, "compression": 1, "effort": 0}),
    "pngi": ("vips_pngsave", ".png", {"compression": 3, "interlace": 1}),
    "avif": ("vips_heifsave", ".avif", {"Q": 60, "compression": 4, "effort": 0}),
    "jxl": ("vips_jxlsave", ".jxl", {"Q": 85, "effort": 3}),
    "jp2": ("vips_jp2ksave", ".jp2", {"Q": 60}),
    "webpl": ("vips_webpsave", ".webp", {"lossless": 1, "effort": 0}),
    "gif": ("vips_gifsave", ".gif", {"effort": 1}),
}
LARGE = {
    "jpeg420x50": ("jpeg420", 50), "jpeg444px50": ("jpeg444p", 50), "pngx50": ("png", 50),
    "jpeg420x100": ("jpeg420", 100), "pngx100": ("png", 100), "tiffx100": ("tiff", 100),
}


def open_vips():
    name = ctypes.util.find_library("vips")
    if name is None:
        print("no libvips here to make the pictures with: skipped")
        sys.exit(SKIP)
    vips = ctypes.CDLL(name)
    vips.vips_init(b"memory.py")
    for f in ("vips_error_buffer", "g_object_unref"):
        getattr(vips, f).restype = ctypes.c_char_p if f == "vips_error_buffer" else None
    return vips


def scene(vips, megapixels):
    """A picture with gradients and noise, as a camera's: three bands that go together."""
    w = int((megapixels * 1e6 * 3 / 2) ** 0.5) // 16 * 16
    h = int(megapixels * 1e6 / w) // 16 * 16
    new = ctypes.c_void_p
    noise, waves, sum_, bands, out = new(), new(), new(), new(), new()
    check(vips, vips.vips_gaussnoise(ctypes.byref(noise), w, h, b"sigma", ctypes.c_double(6.0), b"mean",
                                     ctypes.c_double(120.0), None))
    check(vips, vips.vips_sines(ctypes.byref(waves), w, h, b"hfreq", ctypes.c_double(9.0), b"vfreq",
                                ctypes.c_double(5.0), b"uchar", 0, None))
    scaled = new()
    check(vips, vips.vips_linear1(waves, ctypes.byref(scaled), ctypes.c_double(80.0), ctypes.c_double(0.0), None))
    check(vips, vips.vips_add(noise, scaled, ctypes.byref(sum_), None))
    check(vips, vips.vips_bandjoin2(sum_, noise, ctypes.byref(bands), None))
    three = new()
    check(vips, vips.vips_bandjoin2(bands, sum_, ctypes.byref(three), None))
    rgb = new()
    check(vips, vips.vips_cast_uchar(three, ctypes.byref(rgb), None))
    check(vips, vips.vips_copy(rgb, ctypes.byref(out), b"interpretation", 22, None))  # sRGB
    return out


def check(vips, rc):
    if rc != 0:
        raise RuntimeError(vips.vips_error_buffer().decode(errors="replace"))


def make(vips, path, kind, megapixels):
    saver, _, options = {**FORMATS, **MORE}[kind]
    args = []
    for k, v in options.items():
        args += [k.encode(), ctypes.c_int(v)]
    im = scene(vips, megapixels)
    check(vips, getattr(vips, saver)(im, str(path).encode(), *args, None))


def tree(pid):
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                todo += [int(c) for c in open(f"/proc/{p}/task/{t}/children").read().split()]
        except OSError:
            pass
    return found


def pss(pid):
    total = 0
    for p in tree(pid):
        try:
            m = re.search(r"^Pss:\s+(\d+)", open(f"/proc/{p}/smaps_rollup").read(), re.M)
            total += int(m.group(1)) * 1024 if m else 0
        except OSError:
            pass
    return total


def measure(args, folder, dataset):
    shutil.rmtree(dataset, ignore_errors=True)
    cmd = [str(pathlib.Path(args.build) / "vidimus"), "run", str(folder), "--out", str(dataset), *args.stages, "--jobs",
           str(args.jobs), "--memory", args.memory, "--quiet", "--json"]
    env = dict(os.environ, VIDIMUS_LIBEXEC=str(pathlib.Path(args.build).resolve()))
    env.pop("MALLOC_PERTURB_", None)  # of meson test: it touches memory that nobody uses
    t0, peak, n = time.monotonic(), 0, 0
    p = subprocess.Popen(cmd, env=env, stdout=subprocess.PIPE, text=True)
    while p.poll() is None:
        peak = max(peak, pss(p.pid))
        n += 1
        time.sleep(0.02)
    out = p.stdout.read()
    if p.returncode != 0:
        raise SystemExit(f"vidimus run: exit status {p.returncode}\n{out}")
    return {"peak_mb": round(peak / 1e6, 1), "samples": n, "seconds": round(time.monotonic() - t0, 2)}


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("build")
    a.add_argument("--limit-mb", type=float, default=300)
    a.add_argument("--features", action="store_true", help="the stages of reconstruction as well")
    a.add_argument("--jobs", type=int, default=2)
    a.add_argument("--memory", default="256M")
    a.add_argument("--only", default="")
    a.add_argument("--each", action="store_true")
    a.add_argument("--large", action="store_true")
    a.add_argument("--megapixels", type=float, default=24)
    a.add_argument("--pictures")
    args = a.parse_args()
    args.stages = [] if args.features else ["--skip", "features,match,reconstruct"]
    vips = open_vips()
    jobs = {k: (k, args.megapixels) for k in FORMATS}
    if args.large:
        jobs.update(LARGE)
    if args.only:
        known = {**jobs, **LARGE, **{k: (k, args.megapixels) for k in MORE}}
        jobs = {k: known[k] for k in args.only.split(",")}
    failed = False
    with tempfile.TemporaryDirectory(prefix="vidimus-memory-") as tmp:
        base = pathlib.Path(args.pictures or tmp)
        made, missing = [], []
        for name, (kind, mp) in jobs.items():
            ending = {**FORMATS, **MORE}[kind][1]
            folder = base / f"{name}-{mp:g}"
            folder.mkdir(parents=True, exist_ok=True)
            first = folder / f"a{ending}"
            try:
                if not first.exists():
                    make(vips, first, kind, mp)
                for k in "bc":  # the same picture again: other bytes are not needed to take memory
                    other = folder / f"{k}{ending}"
                    if not other.exists():
                        os.link(first, other)
                made.append(folder)
            except RuntimeError as e:
                missing.append(f"{name}: {e}".strip())
                shutil.rmtree(folder)
        sets = [(f.name, f) for f in made]
        if not args.each:
            mixed = pathlib.Path(tmp) / "mixed"
            mixed.mkdir()
            for f in made:
                for p in f.iterdir():
                    shutil.copy(p, mixed / f"{p.stem}-{f.name}{p.suffix}")
            sets = [("mixed", mixed)]
        for name, folder in sets:
            r = measure(args, folder, pathlib.Path(tmp) / "out.vidimus")
            r.update(name=name, limit_mb=args.limit_mb, jobs=args.jobs, memory=args.memory, not_made=missing)
            print(json.dumps(r), flush=True)
            failed |= r["peak_mb"] > args.limit_mb
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
