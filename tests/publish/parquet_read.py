"""A reader of Parquet files of flat, uncompressed columns, out of the format's description and Python's standard library
alone: what `vidimus export --format parquet` writes is read back without the code that wrote it.

SPDX-License-Identifier: Apache-2.0
"""
import struct

INT64, DOUBLE, BYTE_ARRAY = 2, 5, 6
PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8


class Compact:
    """Thrift's compact protocol: a struct as a dict by field number."""

    def __init__(self, data, at=0):
        self.d, self.at = data, at

    def byte(self):
        self.at += 1
        return self.d[self.at - 1]

    def varint(self):
        v = shift = 0
        while True:
            b = self.byte()
            v |= (b & 0x7f) << shift
            shift += 7
            if not b & 0x80:
                return v

    def zigzag(self):
        v = self.varint()
        return v >> 1 ^ -(v & 1)

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind in (3, 4, 5, 6):
            return self.zigzag()
        if kind == 8:
            n = self.varint()
            self.at += n
            return bytes(self.d[self.at - n:self.at])
        if kind == 9:
            head = self.byte()
            n = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15) for _ in range(n)]
        if kind == 12:
            return self.struct()
        raise ValueError(f"type {kind} at byte {self.at}")

    def struct(self):
        out, field = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return out
            field = field + (head >> 4) if head >> 4 else self.zigzag()
            out[field] = self.value(head & 15)


def hybrid(data, at, end, width, n):
    """Runs and packed bits: n numbers."""
    out, c = [], Compact(data, at)
    while len(out) < n:
        assert c.at < end, "the levels end early"
        head = c.varint()
        if head & 1:
            count = (head >> 1) * width
            bits = int.from_bytes(data[c.at:c.at + count], "little")
            out += [bits >> (k * width) & ((1 << width) - 1) for k in range((head >> 1) * 8)]
            c.at += count
        else:
            size = (width + 7) // 8
            out += [int.from_bytes(data[c.at:c.at + size], "little")] * (head >> 1)
            c.at += size
    return out[:n]


def plain(data, at, kind, n, text):
    if kind == INT64:
        return list(struct.unpack_from(f"<{n}q", data, at))
    if kind == DOUBLE:
        return list(struct.unpack_from(f"<{n}d", data, at))
    out = []
    for _ in range(n):
        size, = struct.unpack_from("<I", data, at)
        v = bytes(data[at + 4:at + 4 + size])
        out.append(v.decode() if text else v)
        at += 4 + size
    return out


def column(data, meta, text):
    kind, n, at = meta[1], meta[5], meta.get(11, meta[9])
    assert meta[4] == 0, "compressed"
    words, out = None, []
    while len(out) < n:
        c = Compact(data, at)
        head = c.struct()
        assert head[2] == head[3]
        if head[1] == 2:
            words = plain(data, c.at, kind, head[7][1], text)
        else:
            rows = head[5][1]
            size, = struct.unpack_from("<I", data, c.at)
            defined = hybrid(data, c.at + 4, c.at + 4 + size, 1, rows)
            body, have = c.at + 4 + size, sum(defined)
            if head[5][2] == RLE_DICTIONARY:
                index = hybrid(data, body + 1, c.at + head[2], data[body], have)
                values = iter([words[i] for i in index])
            else:
                values = iter(plain(data, body, kind, have, text))
            out += [next(values) if d else None for d in defined]
        at = c.at + head[2]
    assert out.count(None) == meta[12][3], "nulls are counted"
    if 5 in meta[12]:
        low, high = (struct.unpack("<q" if kind == INT64 else "<d", meta[12][k])[0] for k in (6, 5))
        have = [v for v in out if v is not None]
        assert low == min(have) and high == max(have), (low, high, min(have), max(have))
    return out


def read(path):
    """{column: [values]} and the number of row groups."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] == data[-4:] == b"PAR1"
    size, = struct.unpack("<I", data[-8:-4])
    footer = Compact(data, len(data) - 8 - size).struct()
    schema = footer[2]
    assert schema[0][5] == len(schema) - 1
    table = {}
    for i, s in enumerate(schema[1:]):
        text = s.get(6) == 0
        assert text == (10 in s), "both ways of saying UTF-8"
        table[s[4].decode()] = [v for g in footer[4] for v in column(data, g[1][i][3], text)]
    assert all(len(v) == footer[3] for v in table.values())
    return table, len(footer[4])
