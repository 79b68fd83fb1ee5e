"""What the tests from outside share: the binary, inputs that they make themselves, and the dump of a dataset.

Nothing here looks into the engine: datasets are read with Python's own SQLite, inputs are archives and a
video (Motion JPEG in a RIFF AVI, written below) made of pictures that `vidimus synth` rendered.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("VIDIMUS_BUILD", "build"))
BIN = os.environ.get("VIDIMUS_BIN", os.path.join(BUILD, "vidimus"))


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def need(condition, *words):
    if not condition:
        raise Failure(" ".join(str(w) for w in words))


def env():
    e = dict(os.environ)
    e.setdefault("VIDIMUS_LIBEXEC", os.path.dirname(BIN))
    return e


def vidimus(*args, want=0, cwd=None, limit_s=300, **more):
    """Runs the command; `want` is the exit status it must have, None: any."""
    p = subprocess.run([BIN, *[a if isinstance(a, (str, bytes)) else str(a) for a in args]], capture_output=True, cwd=cwd, env=env(), timeout=limit_s, **more)
    p.out = p.stdout.decode("utf-8", "replace")
    p.err = p.stderr.decode("utf-8", "replace")
    if want is not None:
        need(p.returncode == want, f"vidimus {' '.join(map(str, args))}: status {p.returncode}, expected {want}: "
             f"{p.err.strip()[-500:]}")
    return p


def avi(path, jpegs, fps=2, width=320, height=240):
    """A Motion JPEG AVI (Microsoft's AVI RIFF file reference) with an index."""
    def chunk(tag, body):
        return tag + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    def listed(kind, body):
        return chunk(b"LIST", kind + body)
    n, most = len(jpegs), max(map(len, jpegs))
    avih = struct.pack("<14I", 1000000 // fps, most * fps, 0, 0x10, n, 0, 1, most, width, height, 0, 0, 0, 0)
    strh = b"vidsMJPG" + struct.pack("<IHHIIIIIIIIHHHH", 0, 0, 0, 0, 1, fps, 0, n, most, 0xffffffff, 0, 0, 0, width, height)
    strf = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    hdrl = listed(b"hdrl", chunk(b"avih", avih) + listed(b"strl", chunk(b"strh", strh) + chunk(b"strf", strf)))
    movi, index = b"", b""
    for j in jpegs:
        index += b"00dc" + struct.pack("<III", 0x10, len(movi) + 4, len(j))
        movi += chunk(b"00dc", j)
    body = b"AVI " + hdrl + listed(b"movi", movi) + chunk(b"idx1", index)
    with open(path, "wb") as f:
        f.write(b"RIFF" + struct.pack("<I", len(body)) + body)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def pictures(folder, n=12, defects=6, seed=7):
    """Small rendered pictures; the paths of its JPEGs in order of name."""
    vidimus("synth", folder, "--views", n, "--width", 320, "--height", 240, "--defects", defects, "--seed", seed)
    found = []
    for top, _, names in os.walk(folder):
        found += [os.path.join(top, name) for name in names if name.lower().endswith((".jpg", ".jpeg"))]
    return sorted(found)


def captures(folder, n=12, defects=6):
    """Pictures, a video, a tar, a zip, a damaged picture and a text: one of each thing that add meets."""
    made = pictures(folder, n, defects)
    data = [read(p) for p in made]
    avi(os.path.join(folder, "clip.avi"), data[:6])
    with tarfile.open(os.path.join(folder, "shard.tar"), "w") as t:
        for i, d in enumerate(data[:5]):
            info = tarfile.TarInfo(f"in/tar{i}.jpg")
            info.size = len(d)
            t.addfile(info, io.BytesIO(d))
    with zipfile.ZipFile(os.path.join(folder, "more.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        for i, d in enumerate(data[3:7]):
            z.writestr(zipfile.ZipInfo(f"zip{i}.jpg"), d)
    write(os.path.join(folder, "sub", "copy.jpg"), data[0])
    write(os.path.join(folder, "sub", "half.jpg"), data[1][:len(data[1]) // 2])
    write(os.path.join(folder, "sub", "words.txt"), b"no picture\n")
    return made


def counts_agree(dataset):
    """`vidimus status` counts by short cuts (indexes, differences); here the same by joins over everything.

    The short cuts rest on facts having an asset, so that is looked at, too.
    """
    db = sqlite3.connect("file:%s/catalog.db?mode=ro" % dataset, uri=True)
    want = {}
    for kind, state, n, size in db.execute("SELECT kind, state, count(*), sum(size) FROM asset GROUP BY 1, 2"):
        want["assets", kind if state == "present" else f"{kind} ({state})"] = (str(n), f"{size:,} bytes" if size else None)
    for verdict, n in db.execute("SELECT c.verdict, count(*) FROM asset a JOIN fact_check c ON c.asset_id = a.id"
                                 " WHERE a.state = 'present' GROUP BY 1"):
        want["verdicts", verdict] = (str(n), None)
    for stage in ("check", "measure", "fingerprint", "features"):
        done, all_ = db.execute(f"SELECT count(t.key), count(*) FROM asset a LEFT JOIN fact_{stage} t ON t.asset_id = a.id AND"
                                " t.key IN (SELECT key FROM stage_config WHERE stage = ?) WHERE a.state = 'present'",
                                (stage,)).fetchone()
        want["stages", stage] = (f"{done} done", f"{all_ - done} new or stale" if all_ > done else None)
        lost = db.execute(f"SELECT count(*) FROM fact_{stage} WHERE asset_id NOT IN (SELECT id FROM asset)").fetchone()[0]
        need(lost == 0, f"{lost} facts of {stage} have no asset")
    files, known = db.execute("SELECT count(*), count(content_hash) FROM asset WHERE state = 'present' AND parent_id IS NULL").fetchone()
    want["stages", "add"] = (f"{known} current", f"{files - known} new or stale" if files > known else None)
    db.close()
    told = {(r["section"], r["name"]): (str(r["value"]), r["detail"]) for r in json.loads(vidimus("status", dataset, "--json").out)
            if r["section"] in ("assets", "verdicts", "stages")}
    need(told == want, "status:", sorted(told.items() ^ want.items(), key=str))


def dump(dataset, drop=(), any_order=False):
    """Every fact of a dataset as text, ordered by URI, without identifiers (they tell the order of adding).

    `any_order`: groups are named by what is in them, and nothing is said about which of several equal
    members is kept, which by the stated rule is the one that was found first.
    """
    db = sqlite3.connect("file:%s/catalog.db?mode=ro" % dataset.replace("?", "%3f").replace("#", "%23"), uri=True)
    db.text_factory = lambda b: b.decode("utf-8", "surrogateescape")
    lines = []
    columns = [r[1] for r in db.execute("PRAGMA table_info(asset_facts)")]
    skip = {"id", "parent_id", "container_id", *drop}
    uri = dict(db.execute("SELECT id, uri FROM asset"))
    near, near_of, hidden = {}, {}, set()
    if any_order:
        skip |= {"duplicate_keep", "near_keep", "keep_reason", "near_distance"}
        hidden = {"exact_duplicates", "near_duplicates"}
        for group, content in db.execute("SELECT near_group, content_hash FROM asset_facts WHERE near_group IS NOT NULL"):
            near.setdefault(group, set()).add(content)
        for contents in near.values():
            near_of.update({c: min(contents) for c in contents})
    for row in db.execute("SELECT * FROM asset_facts"):
        d = dict(zip(columns, row))
        if any_order:
            d["duplicate_group"] = d["content_hash"] if d["duplicate_group"] is not None else None
            d["near_group"] = near_of.get(d["content_hash"]) if d["content_hash"] else None
        fact = [f"{c}={d[c]!r}" for c in columns if c not in skip]
        fact += [f"{c}={uri.get(d[c])!r}" for c in ("parent_id", "container_id") if c not in drop]
        lines.append(("fact", d["uri"], " ".join(fact)))
    if "problem" not in drop:
        for kind, i, score, evidence in db.execute("SELECT kind, asset_id, score, evidence FROM problem"):
            if kind in hidden:
                continue
            lines.append(("problem", uri.get(i), f"{kind} {score!r} {evidence!r}"))
    if "thumbnail" not in drop:
        for i, jpeg in db.execute("SELECT asset_id, jpeg FROM thumbnail"):
            lines.append(("thumbnail", uri.get(i), hashlib.sha256(jpeg).hexdigest()))
    db.close()
    return "\n".join(" | ".join(map(str, x)) for x in sorted(lines))


def same(a, b, what):
    if a == b:
        return
    x, y = a.split("\n"), b.split("\n")
    gone, new = sorted(set(x) - set(y)), sorted(set(y) - set(x))
    said = f"{what}: {len(gone)} lines gone, {len(new)} new:"
    for line in (gone + new)[:1]:
        said += "\n  " + line[:200]
    for p, q in list(zip(gone, new))[:4]:  # only the words that differ
        said += "\n  - " + " ".join(sorted(set(p.split()) - set(q.split())))[:600]
        said += "\n  + " + " ".join(sorted(set(q.split()) - set(p.split())))[:600]
    raise Failure(said)


def integrity(dataset):
    db = sqlite3.connect(f"{dataset}/catalog.db")
    answer = db.execute("PRAGMA integrity_check").fetchall()
    db.close()
    need(answer == [("ok",)], f"{dataset}: integrity_check: {answer[:3]}")


def session_members(sid):
    """Live processes of a session, zombies aside."""
    alive = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = read(f"/proc/{name}/stat").decode("latin-1")
        except OSError:
            continue
        f = stat[stat.rindex(")") + 2:].split()
        if int(f[3]) == sid and f[0] != "Z":
            alive.append((int(name), stat[stat.index("("):stat.rindex(")") + 1]))
    return alive


def wait_gone(sid, limit_s=10):
    end = time.time() + limit_s
    while session_members(sid):
        need(time.time() < end, "processes left behind:", session_members(sid))
        time.sleep(0.02)


def keep_build(folder):
    """Works on a copy of the programs, so that building goes on beside the tests."""
    global BIN
    built = os.path.dirname(BIN)
    for name in os.listdir(built):
        path = os.path.join(built, name)
        if name.startswith("vidimus") and os.path.isfile(path) and os.access(path, os.X_OK):
            shutil.copy2(path, folder)
    os.environ["VIDIMUS_LIBEXEC"] = folder
    BIN = os.path.join(folder, "vidimus")


class Scratch:
    def __enter__(self):
        self.path = os.path.realpath(tempfile.mkdtemp(prefix="vidimus-robust-"))
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def run_all(name, tests, context):
    """Runs the functions, or those named on the command line, each with what the manager `context()` gives; prints the
    closing line that tests/run.py adds up. Those that cannot run here raise Skip. Returns the exit status."""
    only = sys.argv[1:]
    passed = failed = skipped = 0
    for t in tests:
        if only and t.__name__ not in only:
            continue
        began = time.time()
        try:
            with context() as given:
                t(given)
            passed += 1
            print(f"ok {t.__name__} ({time.time() - began:.1f} s)", flush=True)
        except Skip as e:
            skipped += 1
            print(f"skip {t.__name__}: {e}", flush=True)
        except Exception as e:
            failed += 1
            what = "" if isinstance(e, Failure) else type(e).__name__ + " "
            print(f"FAILED {t.__name__}: {what}{str(e)[:1500]}", flush=True)
    print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


def run_all_with(name, tests, given):
    """The same, all with the same object."""
    return run_all(name, tests, lambda: contextlib.nullcontext(given))


def main(name, tests):
    """The same on a copy of the build, each function with a folder of its own."""
    with Scratch() as programs:
        keep_build(programs)
        return run_all(name, tests, Scratch)
