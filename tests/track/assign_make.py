#!/usr/bin/env python3
"""What SciPy's linear_sum_assignment answers where many assignments cost the same: tests/unit/assign_scipy.inc.

    python3 tests/track/assign_make.py > tests/unit/assign_scipy.inc

Costs are small whole numbers over 7, from a generator that tests/unit/eval_track.c has, too.
SPDX-License-Identifier: Apache-2.0
"""
import numpy
import scipy
from scipy.optimize import linear_sum_assignment

SHAPES = [(n, m) for n in (1, 2, 3, 5, 8) for m in (1, 2, 4, 5, 9)] + [(30, 30), (25, 40), (40, 25), (64, 64)]


def costs(seed, rows, cols, levels):
    x, out = seed, []
    for _ in range(rows * cols):
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(-float((x >> 33) % levels) / 7)
    return numpy.array(out).reshape(rows, cols)


def main():
    print("/* Made by tests/track/assign_make.py with SciPy %s: rows, cols, levels, seed, columns.\n"
          " * SPDX-License-Identifier: Apache-2.0 */\n/* clang-format off */" % scipy.__version__)
    for k, (rows, cols) in enumerate(SHAPES):
        for levels in (2, 4):
            seed = 1000 * k + levels
            column = numpy.full(rows, -1)
            r, c = linear_sum_assignment(costs(seed, rows, cols, levels))
            column[r] = c
            text = "{ %d, %d, %d, %d, { %s } }," % (rows, cols, levels, seed, ", ".join(map(str, column)))
            while len(text) > 98:
                cut = text.rindex(" ", 0, 98)
                print(text[:cut])
                text = "  " + text[cut + 1:]
            print(text)


if __name__ == "__main__":
    main()
