"""Turns a file into the elements of a C array: embed.py INPUT OUTPUT. SPDX-License-Identifier: Apache-2.0"""
import sys

data = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "w") as out:
    for i in range(0, len(data), 24):
        out.write(",".join(str(b) for b in data[i:i + 24]) + ",\n")
