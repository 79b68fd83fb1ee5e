"""The report page as one text: what it includes is put in its place. SPDX-License-Identifier: Apache-2.0

    embed.py INPUT OUTPUT               the elements of a C array, for the build
    embed.py INPUT OUTPUT --data JSON   the page itself with the data of `vidimus report --data`
"""
import pathlib
import re
import sys

INCLUDE = re.compile(rb"/\*VIDIMUS_INCLUDE ([\w.]+)\*/")
PLACE = b"/*VIDIMUS_DATA*/"


def assemble(path):
    return INCLUDE.sub(lambda m: (path.parent / m[1].decode()).read_bytes().rstrip(), path.read_bytes())


def main():
    data = assemble(pathlib.Path(sys.argv[1]))
    if sys.argv[3:4] == ["--data"]:
        text = pathlib.Path(sys.argv[4]).read_bytes().replace(b"<", b"\\u003c")
        pathlib.Path(sys.argv[2]).write_bytes(data.replace(PLACE, text))
        return
    with open(sys.argv[2], "w") as out:
        for i in range(0, len(data), 24):
            out.write(",".join(str(b) for b in data[i:i + 24]) + ",\n")


main()
