#!/usr/bin/env python3
"""Fails on an include that the table of rooms does not allow. SPDX-License-Identifier: Apache-2.0

The table is the one in docs/architecture.md, section "Rooms": first column the room, last column the
rooms it may look into; arrows are transitive. Every room may include itself and the public headers.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([^|]*) \|$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
# What the library must never load: these belong to the decoding processes alone.
APART = re.compile(r"^\s*#\s*include\s+<(vips/|libav|libsw|libexif/|lcms2|glib)", re.M)
APART_ROOMS = {"codec", "video"}


def read_table(text):
    """{room: set of rooms it may include}, closed under transitivity."""
    may = {}
    for line in text.splitlines():
        row = ROW.match(line)
        if row:
            may[row[1]] = set(re.findall(r"[a-z]+", row[2])) - {"libc", "only"}
    for _ in may:
        for room in may:
            for other in list(may[room]):
                may[room] |= may.get(other, set())
    return may


def check(root, may):
    problems, used = [], 0
    rooms = {d.name for d in (root / "src").iterdir() if d.is_dir()}
    for room in sorted(rooms ^ may.keys()):
        where = "src/ but not in the table" if room in rooms else "the table but not in src/"
        problems.append(f"room {room} is in {where}")
    for path in sorted((root / "src").glob("*/*.[chi]*")):
        if path.suffix not in (".c", ".h", ".inc"):
            continue
        room, text = path.parent.name, path.read_text()
        name = path.relative_to(root)
        for header in INCLUDE.findall(text):
            target = header.split("/")[0] if "/" in header else None
            used += 1
            if target == "vidimus" or target == room or target in may.get(room, ()):
                continue
            if target is None and header.endswith(".inc"):
                continue  # a file the build makes
            problems.append(f"{name}: may not include {header}")
        if room not in APART_ROOMS and APART.search(text):
            problems.append(f"{name}: a library of the decoding processes in the engine")
    return problems, used


def self_test():
    """The check itself must be able to fail."""
    may = read_table("| `low` | x | libc only |\n| `mid` | x | low |\n| `top` | x | mid |\n")
    assert may == {"low": set(), "mid": {"low"}, "top": {"low", "mid"}}, may


def main():
    self_test()
    may = read_table((ROOT / "docs/architecture.md").read_text())
    problems, used = check(ROOT, may)
    for p in problems:
        print(p)
    print("%d includes looked at" % used)
    print("layers: %d passed, %d failed" % (not problems, len(problems)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
