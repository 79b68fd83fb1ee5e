"""Made-up sequences of the MOTS challenge for tracking.py: masks of one side that do not overlap, regions to ignore, other
classes. The run lengths are written here, so that they are not our own. SPDX-License-Identifier: Apache-2.0
"""
import os

from scenes import Dice

HEIGHT, WIDTH = 60, 80


def runs_text(pixels):
    """COCO's text of a mask given as a set of (x, y)."""
    runs, on, length = [], False, 0
    for x in range(WIDTH):
        for y in range(HEIGHT):
            if ((x, y) in pixels) != on:
                runs.append(length)
                on, length = not on, 0
            length += 1
    runs.append(length)
    out = []
    for i, v in enumerate(runs):
        if i > 2:
            v -= runs[i - 2]
        while True:
            c = v & 31
            v >>= 5
            more = v != (-1 if c & 16 else 0)
            out.append(chr(48 + c + (32 if more else 0)))
            if not more:
                break
    return "".join(out)


def ellipse(x, y, w, h):
    return {(i, j) for i in range(max(0, int(x)), min(WIDTH, int(x + w) + 1)) for j in range(max(0, int(y)), min(HEIGHT, int(y + h) + 1))
            if ((i + .5 - x - w / 2) / (w / 2)) ** 2 + ((j + .5 - y - h / 2) / (h / 2)) ** 2 <= 1}


def scene(name):
    d = Dice(name)
    frames, n = d.whole(5, 10), d.whole(3, 7)
    objects = [(d.real(0, 60), d.real(0, 40), d.real(8, 24), d.real(8, 30), d.real(-3, 3), (2, 2, 2, 1)[d.whole(0, 3)]) for _ in range(n)]
    truth, pred = [], []
    for t in range(1, frames + 1):
        taken, said = set(), set()
        ignored = ellipse(d.real(0, 60), d.real(0, 40), 25, 25)
        if d.one_in(2):
            for region in (ignored, ellipse(d.real(0, 60), d.real(0, 40), 9, 9)):  # ids of regions say nothing
                truth.append((t, 10000, 10, region))
                taken |= region
        for number, (x, y, w, h, dx, cls) in enumerate(objects):
            if d.one_in(5):
                continue
            mask = ellipse(x + dx * t, y, w, h) - taken
            taken |= mask
            if mask:
                truth.append((t, cls * 1000 + number, cls, mask))
            if d.one_in(6):
                continue
            guess = ellipse(x + dx * t + d.real(-2, 2), y + d.real(-2, 2), w, h) - said
            said |= guess
            if guess:
                pred.append((t, 2000 + (number if not d.one_in(8) else 50 + number), cls if not d.one_in(9) else 2, guess))
        extra = ellipse(d.real(0, 60), d.real(0, 40), 15, 15) - said
        if extra:
            pred.append((t, 2100 + t % 3, 2, extra))
    return frames, truth, pred


def write(folder, names):
    """Returns {name: frames}."""
    out = {}
    for name in names:
        out[name], *sides = scene(name)
        os.makedirs(f"{folder}/gt/{name}/gt")
        os.makedirs(f"{folder}/pred", exist_ok=True)
        for path, rows in zip((f"{folder}/gt/{name}/gt/gt.txt", f"{folder}/pred/{name}.txt"), sides):
            with open(path, "w") as f:
                for t, track, cls, mask in rows:
                    f.write("%d %d %d %d %d %s\n" % (t, track, cls, HEIGHT, WIDTH, runs_text(mask)))
    return out
