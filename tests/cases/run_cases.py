#!/usr/bin/env python3
"""Runs the *.cases files beside it: commands and what they must print, as data.

    # a comment
    $ vidimus list d --columns kind        the command, by sh, in a scratch folder that holds the inputs below
    out                                    its standard output, line by line; `...` stands for any number of lines,
    ~ ^[0-9]+ rows$                        a line after `~ ` is a regular expression
    2> no column                           standard error must contain this; without such a line anything goes
    ? 2                                    the exit status, 0 if not stated

A blank line ends a case. Inputs: in/ (four rendered views 320 x 240 and one defect of each kind), clip.avi,
shard.tar, more.zip, hostile/ (names that break careless programs), d.vidimus and h.vidimus, made of in/ with
the others, and of hostile/. `vidimus` and `python3` are in the path. `fresh` copies d.vidimus to x.vidimus.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "robust"))
import common  # noqa: E402

HOSTILE = [b"line\nbreak.jpg", b'quote"s.jpg', b"<script>alert(1)<script>.jpg", b"bad\xff\xfeutf8.jpg", b"a!b.jpg", b"c#d.jpg",
           b"comma,name.jpg", b" space .jpg", b"-dash.jpg", b"per%cent.jpg", b"back\\slash.jpg", "ünï·画.jpg".encode(),
           b"\x1b[31mred.jpg", b"semi;colon'--.jpg"]


def prepare(s):
    os.environ["PATH"] = os.path.dirname(common.BIN) + ":" + os.environ["PATH"]
    made = common.pictures(s + "/in", 4, 1)
    data = [common.read(p) for p in made if "view_" in p]
    common.captures(s + "/all", 4, 0)
    for name in ("clip.avi", "shard.tar", "more.zip"):
        os.rename(f"{s}/all/{name}", f"{s}/in/{name}")
    for i, name in enumerate(HOSTILE):
        os.makedirs(s + "/hostile", exist_ok=True)
        with open(os.path.join(s.encode(), b"hostile", name), "wb") as f:
            f.write(data[i % len(data)])
    common.vidimus("run", "in", "--out", "d.vidimus", cwd=s)
    common.vidimus("run", "hostile", "--out", "h.vidimus", cwd=s)


def parse(path):
    """(line, command, expected lines, expected words on stderr, status)"""
    cases, current = [], None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("$ "):
                current = [number, line[2:], [], [], 0]
                cases.append(current)
            elif line == "":
                current = None
            elif current is None:
                if not line.startswith("#"):
                    raise SystemExit(f"{path}:{number}: text outside a case")
            elif line.startswith("2> "):
                current[3].append(line[3:])
            elif line.startswith("? "):
                current[4] = int(line[2:])
            else:
                current[2].append(line)
    return cases


def matches(want, got):
    """Whether the lines `got` are what `want` allows."""
    if not want:
        return not got
    if want[0] == "...":
        return any(matches(want[1:], got[i:]) for i in range(len(got) + 1))
    if not got:
        return False
    fits = re.search(want[0][2:], got[0]) is not None if want[0].startswith("~ ") else want[0] == got[0]
    return fits and matches(want[1:], got[1:])


def run(s, case):
    _, command, out, words, status = case
    prelude = "fresh() { rm -rf x.vidimus; cp -r d.vidimus x.vidimus; }\n"
    p = subprocess.run(["bash", "-c", prelude + command], cwd=s, capture_output=True, timeout=120,
                       env={**common.env(), "ROOT": common.ROOT})
    got = p.stdout.decode("utf-8", "surrogateescape").split("\n")
    if got and got[-1] == "":
        got.pop()
    said = p.stderr.decode("utf-8", "surrogateescape")
    wrong = []
    if p.returncode != status:
        wrong.append(f"status {p.returncode}, expected {status}: {said.strip()[-300:]}")
    if out and not matches(out, got):
        wrong.append("printed:\n      " + "\n      ".join(g[:200] for g in got[:12]))
    wrong += [f"not on standard error: {w!r}: {said[:300]}" for w in words if w not in said]
    return wrong


def main():
    only = sys.argv[1:]
    passed = failed = 0
    with common.Scratch() as s, common.Scratch() as programs:
        common.keep_build(programs)
        prepare(s)
        for name in sorted(n for n in os.listdir(HERE) if n.endswith(".cases") and (not only or n in only)):
            for case in parse(os.path.join(HERE, name)):
                wrong = run(s, case)
                passed += not wrong
                failed += bool(wrong)
                for w in wrong:
                    print(f"FAILED {name}:{case[0]}: {case[1]}\n    {w}".encode("utf-8", "replace").decode(), flush=True)
    print(f"cases: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
