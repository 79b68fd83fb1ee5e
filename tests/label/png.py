"""PNG files of every kind of sample, written and read by the standard library alone. SPDX-License-Identifier: Apache-2.0

Samples are lists of rows of numbers, or of tuples where a pixel has several; after ISO/IEC 15948.
"""
import struct
import zlib

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack(row, bits):
    flat = [v for p in row for v in (p if isinstance(p, tuple) else (p,))]
    if bits == 16:
        return struct.pack(">%dH" % len(flat), *flat)
    if bits == 8:
        return bytes(flat)
    out = bytearray((len(flat) * bits + 7) // 8)
    for i, v in enumerate(flat):
        out[i * bits // 8] |= v << (8 - bits - i * bits % 8)
    return bytes(out)


def encode(rows, colour=0, bits=8, palette=None, interlaced=False, filters=(0,)):
    """The bytes of a file. Filters other than 0 (none) and 2 (up) are not made."""
    height, width = len(rows), len(rows[0])
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = bytearray()
    for x0, y0, dx, dy in passes:
        before = None
        for n, y in enumerate(range(y0, height, dy)):
            if x0 >= width:
                continue
            line = pack(rows[y][x0::dx], bits)
            kind = filters[n % len(filters)]
            up = before if before is not None else bytes(len(line))
            raw += bytes([kind]) + (bytes((a - b) & 255 for a, b in zip(line, up)) if kind == 2 else line)
            before = line
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced)))
    if palette is not None:
        out += chunk(b"PLTE", bytes(v for p in palette for v in p))
    return out + chunk(b"IDAT", zlib.compress(bytes(raw))) + chunk(b"IEND", b"")


def unfilter(kind, line, up, step):
    for i in range(len(line)):
        a, b, c = (line[i - step] if i >= step else 0), up[i], (up[i - step] if i >= step else 0)
        if kind == 1:
            line[i] = (line[i] + a) & 255
        elif kind == 2:
            line[i] = (line[i] + b) & 255
        elif kind == 3:
            line[i] = (line[i] + (a + b) // 2) & 255
        elif kind == 4:
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            line[i] = (line[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255


def decode(data):
    """(rows of samples, palette or None); not interlaced."""
    at, idat, palette, head = 8, b"", None, None
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        at += 12 + n
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = [tuple(body[i:i + 3]) for i in range(0, n, 3)]
        elif kind == b"IDAT":
            idat += body
    width, height, bits, colour = head[:4]
    n = CHANNELS[colour]
    size = (width * n * bits + 7) // 8
    raw, rows, up = zlib.decompress(idat), [], bytes(size)
    for y in range(height):
        line = bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        if raw[y * (size + 1)]:
            unfilter(raw[y * (size + 1)], line, up, max(1, n * bits // 8))
        up = line
        if bits == 16:
            flat = struct.unpack(">%dH" % (width * n), bytes(line))
        elif bits == 8:
            flat = line
        else:
            flat = [line[i * bits // 8] >> (8 - bits - i * bits % 8) & ((1 << bits) - 1) for i in range(width * n)]
        rows.append([tuple(flat[i * n:i * n + n]) for i in range(width)] if n > 1 else list(flat))
    return rows, palette


def numbers(data):
    """Rows of one number a pixel: colours are R + 256 G + 65536 B."""
    return [[p[0] + 256 * p[1] + 65536 * p[2] if isinstance(p, tuple) and len(p) > 2 else p[0] if isinstance(p, tuple) else p
             for p in row] for row in decode(data)[0]]
