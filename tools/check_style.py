#!/usr/bin/env python3
"""Checks what can be checked of the house style. SPDX-License-Identifier: Apache-2.0

    python3 tools/check_style.py [--report] [--format]

Hard limits fail: file 1000 lines, function 120, room 25 .c files, a README per room, an SPDX line in
every source file, no note of unfinished work, owns/fails/threads in the comment above every public function, no path of a
particular machine. The softer budgets (file 600, function 60) are listed by --report.
--format compares every file with what clang-format makes of it.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_BUDGET, FILE_HARD = 600, 1000
FUNCTION_BUDGET, FUNCTION_HARD = 60, 120
ROOM_HARD = 25  # .c files
CODE_DIRS = ("src", "tests", "include", "bench")
TEXT_SUFFIXES = {".c", ".h", ".inc", ".py", ".sh", ".build", ".md", ".txt", ".html", ""}
SPDX_SUFFIXES = {".c", ".h", ".inc", ".py", ".sh"}
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
MACHINE = re.compile(r"/(?:home|root|work|Users)/\w")
FUNCTION = re.compile(r"\)\s*\{\s*$")  # outside of one: the line that opens its body
SPDX = re.compile(r"SPDX-License-Identifier:[\s*]*Apache-2\.0")
TAGS = ("owns", "fails", "threads")


def tracked():
    try:
        out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"],
                             check=True, capture_output=True).stdout.decode()
        return [ROOT / n for n in out.split("\0") if n and (ROOT / n).is_file()]
    except (OSError, subprocess.CalledProcessError):  # without git: all but what is made here
        made = (".git", ".cache", ".venv", "build", "captures")
        tops = [t for t in sorted(ROOT.iterdir()) if not t.name.startswith(made) and not t.name.endswith(".vidimus")]
        files = [p for t in tops for p in ([t] if t.is_file() else t.rglob("*"))]
        return [p for p in files if p.is_file() and "__pycache__" not in p.parts]


def functions(lines):
    """(first line, length) of each function: from its opening line to the brace in column 0."""
    start = None
    for i, line in enumerate(lines):
        if start is None and FUNCTION.search(line):
            start = i
        elif start is not None and line.startswith("}"):
            yield start + 1, i - start + 1
            start = None


def check_sizes(path, lines, name, hard, soft):
    if len(lines) > FILE_HARD:
        hard.append(f"{name}: {len(lines)} lines, the limit is {FILE_HARD}")
    elif len(lines) > FILE_BUDGET:
        soft.append(f"{name}: {len(lines)} lines, the budget is {FILE_BUDGET}")
    if path.suffix not in (".c", ".inc"):
        return
    for first, length in functions(lines):
        if length > FUNCTION_HARD:
            hard.append(f"{name}:{first}: a function of {length} lines, the limit is {FUNCTION_HARD}")
        elif length > FUNCTION_BUDGET:
            soft.append(f"{name}:{first}: a function of {length} lines, the budget is {FUNCTION_BUDGET}")


def api_problems(text, name):
    """Every VD_API function has owns, fails and threads in the comment above it or above its group."""
    comment, out = "", []
    for m in re.finditer(r"/\*\*(.*?)\*/|^VD_API [^;]*?(\w+)\(", text, re.S | re.M):
        if m[1] is not None:
            comment = m[1]
        else:
            lacking = [t for t in TAGS if t not in comment]
            if lacking:
                out.append(f"{name}: {m[2]} does not say: {', '.join(lacking)}")
    return out


def check_rooms(hard):
    for room in sorted(p for p in (ROOT / "src").iterdir() if p.is_dir()):
        if not (room / "README.md").is_file():
            hard.append(f"src/{room.name}: no README.md")
        n = len(list(room.glob("*.c")))
        if n > ROOM_HARD:
            hard.append(f"src/{room.name}: {n} .c files, the limit is {ROOM_HARD}")


def check_format(files):
    tool = shutil.which("clang-format")
    if tool is None:
        return ["clang-format is not installed"]
    out = []
    for path in files:
        done = subprocess.run([tool, "--dry-run", "-Werror", str(path)], capture_output=True, cwd=ROOT)
        if done.returncode != 0:
            out.append(f"{path.relative_to(ROOT)}: not as clang-format writes it")
    return out


def self_test():
    """The checks themselves must be able to fail."""
    body = ["static int f(int a) {"] + ["    a++;"] * 130 + ["    return a;", "}"]
    hard, soft = [], []
    check_sizes(pathlib.Path("x.c"), body, "x.c", hard, soft)
    assert len(hard) == 1 and not soft, (hard, soft)
    assert api_problems("/** f. owns: no. fails: no. */\nVD_API int vd_f(int);", "h")
    assert not api_problems("/** owns fails threads */\nVD_API int vd_f(int);", "h")
    assert MACHINE.search("see /" + "home/me") and not MACHINE.search("a/framework/b")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--report", action="store_true", help="list what is over the budgets too")
    ap.add_argument("--format", action="store_true", help="compare with clang-format")
    args = ap.parse_args()
    self_test()
    hard, soft, looked, code = [], [], 0, []
    for path in tracked():
        name = path.relative_to(ROOT)
        if path.suffix not in TEXT_SUFFIXES or "corpus" in name.parts:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        looked += 1
        lines = text.splitlines()
        if path.suffix in SPDX_SUFFIXES and not SPDX.search(text):
            hard.append(f"{name}: no SPDX line")
        if MACHINE.search(text) and name.parts[0] != "LICENSE":
            line = text[:MACHINE.search(text).start()].count("\n") + 1
            hard.append(f"{name}:{line}: a path of a particular machine")
        if UNFINISHED.search(text):
            hard.append(f"{name}: says that it is unfinished")
        if name.parts[0] in CODE_DIRS and path.suffix in (".c", ".h", ".inc"):
            check_sizes(path, lines, name, hard, soft)
            code.append(path)
        if name.parts[0] == "include" and path.suffix == ".h":
            hard += api_problems(text, name)
    check_rooms(hard)
    if args.format:
        hard += check_format(code)
    for p in hard + (soft if args.report else []):
        print(p)
    print("%d over the softer budgets (--report lists them)" % len(soft))
    print("%d files looked at" % looked)
    print("style: %d passed, %d failed" % (not hard, len(hard)))
    return 1 if hard else 0


if __name__ == "__main__":
    sys.exit(main())
