#!/usr/bin/env python3
"""The streaming JSON reader beside Python's json: made documents and damaged ones are taken or refused alike,
and hold the same values. SPDX-License-Identifier: Apache-2.0

On top of what Python refuses, ours refuses NaN and Infinity, numbers beyond the range of doubles, escapes that are
no characters (halves of surrogate pairs), NUL in texts, and more than 64 levels.
"""
import json
import math
import os
import random
import subprocess
import sys

ALPHABET = '"\\/[]{},:.0123456789eE+-truefalsn \n\t\x01aé€😀'


def value(r, depth):
    kind = r.randrange(9 if depth < 6 else 6)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.randrange(-10 ** r.randrange(1, 19), 10 ** r.randrange(1, 19))
    if kind == 2:
        return r.choice([r.uniform(-1e3, 1e3), round(r.uniform(0, 640), 2), r.random() * 10.0 ** r.randrange(-300, 300)])
    if kind < 6:
        return "".join(r.choice(ALPHABET) for _ in range(r.randrange(40)))
    if kind == 6:
        return [round(r.uniform(0, 640), 2) for _ in range(r.randrange(30))]
    if kind == 7:
        return [value(r, depth + 1) for _ in range(r.randrange(5))]
    return {value(r, 9) if isinstance(value(r, 9), str) else "k%d" % i: value(r, depth + 1) for i in range(r.randrange(5))}


def document(r):
    d = {str(k): v for k, v in enumerate([value(r, 0) for _ in range(3)])}
    return json.dumps(d, ensure_ascii=r.random() < 0.5, indent=r.choice([None, None, 1, 17])).encode()


def damaged(r, doc):
    b = bytearray(doc)
    for _ in range(r.randrange(1, 3)):
        at = r.randrange(len(b))
        how = r.randrange(4)
        if how == 0:
            del b[at:at + r.randrange(1, 9)]
        elif how == 1:
            b[at:at] = r.choice(ALPHABET).encode()
        else:
            b[at] = r.choice([r.randrange(256), b[r.randrange(len(b))]])
        if not b:
            break
    return bytes(b)


def no(_):
    raise ValueError("no number of JSON")


def whole(v, depth=0):
    """Refuses what only ours refuses."""
    if depth > 64 or (isinstance(v, float) and not math.isfinite(v)):
        raise ValueError
    if isinstance(v, str) and any(c == "\0" or "\ud800" <= c < "\ue000" for c in v):
        raise ValueError
    if isinstance(v, int) and not isinstance(v, bool) and abs(v) > 1e308:
        raise ValueError
    if isinstance(v, list):
        for e in v:
            whole(e, depth + 1)
    if isinstance(v, Pairs):
        for k, e in v.pairs:
            whole(k)
            whole(e, depth + 1)
    return v


class Pairs:
    """An object with its members in order, those of the same key too."""
    def __init__(self, pairs):
        self.pairs = pairs

    def __eq__(self, other):
        return isinstance(other, Pairs) and self.pairs == other.pairs


def by_python(doc):
    try:
        text = doc.decode("utf-8")
        return whole(json.loads(text, parse_constant=no, object_pairs_hook=Pairs)), True
    except (ValueError, RecursionError):
        return None, False


def main():
    echo = os.path.join(sys.argv[1], "tests", "label", "json_echo")
    r = random.Random(5)
    docs = [document(r) for _ in range(1500)]
    docs += [damaged(r, r.choice(docs)) for _ in range(12000)]
    framed = b"".join(b"%d\n%s" % (len(d), d) for d in docs)
    run = subprocess.run([echo], input=framed, stdout=subprocess.PIPE, check=True)
    lines = run.stdout.decode("utf-8").split("\n")[:-1]
    failed = taken = 0
    if len(lines) != len(docs):
        sys.exit("%d answers to %d documents" % (len(lines), len(docs)))
    for doc, line in zip(docs, lines):
        want, valid = by_python(doc)
        got = not line.startswith("! ")
        same = got == valid and (not got or json.loads(line, object_pairs_hook=Pairs) == want)
        if not same:
            failed += 1
            if failed < 6:
                print("%r\n  python %s, ours %s" % (doc, valid, line[:200]))
        taken += got
    print("%d taken, %d refused" % (taken, len(docs) - taken))
    if taken < 2000 or len(docs) - taken < 5000:
        failed += 1
    print("json_stream: %d passed, %d failed" % (len(docs) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
