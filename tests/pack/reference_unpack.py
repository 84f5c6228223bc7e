"""A decoder of packed arrays, written from docs/format.md alone: plain Python, one number after another."""

import math
import struct
import zlib

import numpy as np

from tests.coding.reference_decoder import TOTAL, ReferenceDecoder

POWERS = [2.0 ** (-i / 32) for i in range(32)]


class Fields:
    """Bytes that are read in order."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def read(self, count):
        assert self.at + count <= len(self.data)
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self):
        value = shift = 0
        while True:
            (byte,) = self.read(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def block(self):
        return self.read(self.varint())

    def numbers(self, form, count):
        return list(struct.unpack(f"<{count}{form}", self.read(struct.calcsize(f"<{count}{form}"))))


def table(entries):
    """Counts of the entries of q, and of the escape."""
    weights = [POWERS[q % 32] * 2.0 ** -(q // 32) for q in entries]
    return weighted(weights)


def weighted(weights):
    e, free = 2.0**-20, TOTAL - (len(weights) + 1)
    total = 0.0
    for w in weights:
        total += w
    counts = [1 + math.floor(w / total * (1 - e) * free) for w in weights] + [1 + math.floor(e * free)]
    counts[weights.index(max(weights))] += TOTAL - sum(counts)
    return counts


def read_prior(fields, parities):
    """Shift, low, the points' shifts, and a table of counts for each parity."""
    kind, shift, low, high = fields.read(1)[0], fields.varint(), -fields.varint(), fields.varint()
    inward, entries = fields.numbers("b", 2 + parities), range(low, high)
    if kind == 1:
        data = zlib.decompress(fields.block())
        half, values, total = len(data) // 2, [], 0
        for low_byte, high_byte in zip(data[:half], data[half:], strict=True):
            total += (low_byte + 256 * high_byte + 32768) % 65536 - 32768
            values.append(total)
        rows = [values[r * len(entries) : (r + 1) * len(entries)] for r in range(parities)]
    else:
        c = fields.numbers("f", 5)
        half = (parities - 1) / 2
        k = [[parities * (2**shift * h + (2**shift - 1) / 2) + r + half for h in entries] for r in range(parities)]
        largest, rows = max(1.0, *(abs(v) for row in k for v in row)), []
        for row in k:
            v = []
            for value in row:
                u = value / largest
                s = abs(u)
                v.append(c[0] * (abs(value) <= half) + c[1] * math.sqrt(s) + c[2] * s + c[3] * (u * u) + c[4] * u)
            rows.append([min(round(32 * min(x - min(v), 60.0)), 960) for x in v])
    return shift, low, inward, [table(row) for row in rows]


def exact_chunk(data, count, kind):
    """Numbers of which every bit was kept."""
    fields, planes = Fields(data), []
    differences = fields.read(1)[0]
    for _ in range(kind.itemsize):
        head = int.from_bytes(fields.read(5), "little")
        plane = fields.read(head >> 1)
        planes.append(zlib.decompress(plane) if head & 1 else plane)
    raw = [bytes(plane[i] for plane in planes) for i in range(count)]
    if differences:
        total = 0
        for i, number in enumerate(raw):
            total = (total + int.from_bytes(number, "little")) % 256**kind.itemsize
            raw[i] = total.to_bytes(kind.itemsize, "little" if kind.str[0] != ">" else "big")
    return np.frombuffer(b"".join(raw), kind)


def unplaned(data, size, count):
    return [bytes(data[b * count + i] for b in range(size)) for i in range(count)]


def exceptions(fields, count, kind):
    """Places and numbers that are kept."""
    form = fields.read(1)[0]
    if not form:
        return {}
    some, first, second = fields.varint(), fields.varint(), fields.varint()
    where, values = zlib.decompress(fields.read(first)), zlib.decompress(fields.read(second))
    if form == 1:
        places = [i for i in range(count) if where[i // 8] >> (7 - i % 8) & 1]
    else:
        places, at = [], -1
        for gap in unplaned(where, 4, some):
            at += int.from_bytes(gap, "little") + 1
            places.append(at)
    return dict(zip(places, unplaned(values, kind.itemsize, some), strict=True))


class Model:
    """What a file knows of one array."""

    def __init__(self, data, kind, codes):
        fields = Fields(zlib.decompress(data[1:]) if data[0] else data[1:])
        code = fields.read(1)[0]
        (self.step,) = fields.numbers("d", 1)
        self.length = fields.varint()
        self.states, self.h0, self.h1 = (1, 0, 0) if code == 0 else codes[code - 1]
        self.parities = 1 if code == 0 else 2
        self.layout, self.classes = fields.read(2)
        self.width = fields.varint()
        if self.layout == 1:
            self.of = list(fields.read(self.width))
            used = [i for i in range(self.width) if self.of[i] < self.classes]
            self.offset = dict(zip(used, fields.numbers("f", len(used)), strict=True))
            self.constant = {i: fields.read(kind.itemsize) for i in range(self.width) if i not in self.offset}
        else:
            (self.offset,) = fields.numbers("d", 1)
        if self.layout == 2:
            self.of_blocks = weighted([fields.varint() + 1.0 for _ in range(self.classes + 1)])
        self.priors = [read_prior(fields, self.parities) for _ in range(self.classes)]

    def chunk(self, data, start, count, kind):
        """The bytes of a chunk's numbers."""
        fields = Fields(data)
        even = [fields.varint() for _ in range(self.classes)] if self.parities == 2 else []
        found = exceptions(fields, count, kind)
        decoder = ReferenceDecoder(fields.block())
        if self.layout == 2:
            blocks = [decoder.symbol(self.of_blocks) for _ in range(-(-count // self.width))]
            of = [blocks[i // self.width] for i in range(count)]
        else:
            of = [self.of[(start + i) % self.width] if self.layout == 1 else 0 for i in range(count)]
        for i in range(count):
            if of[i] == self.classes and i not in found:
                found[i] = self.constant[(start + i) % self.width] if self.layout == 1 else bytes(kind.itemsize)
        coded = [i for i in range(count) if i not in found]
        sizes = [sum(of[i] == c for i in coded) for c in range(self.classes)]
        symbols = {}
        for c in range(self.classes):
            parts = [even[c], sizes[c] - even[c]] if self.parities == 2 else [sizes[c]]
            for r, size in enumerate(parts):
                symbols[c, r] = iter(self.indices(decoder, size, c, r))
        state = 0
        for n, i in enumerate(coded):
            if n % self.length == 0:
                state = 0
            r = state & 1 if self.parities == 2 else 0
            j = next(symbols[of[i], r])
            if self.parities == 2:
                z1 = j & 1
                state = (state >> 1) ^ (r * (self.h0 >> 1)) ^ (z1 * (self.h1 >> 1))
            k = self.parities * j + r
            if self.parities == 1:
                inward = [0, *self.priors[of[i]][2]][min(abs(k), 3)] / 64
                point = k - inward if k > 0 else k + inward
            else:
                inward = self.priors[of[i]][2][min(k if k >= 0 else -1 - k, 3)] / 64
                point = k + 0.5 - inward if k >= 0 else k + 0.5 + inward
            offset = self.offset[(start + i) % self.width] if self.layout == 1 else self.offset
            y = point * self.step + offset
            low, high = (np.iinfo(kind).min, np.iinfo(kind).max) if kind.kind in "iu" else (0, 0)
            found[i] = np.array(min(max(round(y), low), high) if kind.kind in "iu" else y).astype(kind).tobytes()
        return b"".join(found[i] for i in range(count))

    def indices(self, decoder, size, c, r):
        shift, low, _, tables = self.priors[c]
        h = [decoder.symbol(tables[r]) for _ in range(size)]
        escape, extra = len(tables[r]) - 1, [0] * size
        inside = [i for i in range(size) if h[i] != escape]
        for at in range(0, shift, 16):
            for i in inside:
                extra[i] += decoder.uniform(1 << min(16, shift - at)) << at
        far = [i for i in range(size) if h[i] == escape]
        bits = dict.fromkeys(far, 0)
        for at in (0, 16):
            for i in far:
                bits[i] += decoder.uniform(1 << 16) << at
        signed = {i: value - (1 << 32) * (value >> 31) for i, value in bits.items()}
        return [signed[i] if i in signed else ((h[i] + low) << shift) + extra[i] for i in range(size)]


def reference_unpack(data, codes):
    """The arrays of a file, by name."""
    fields = Fields(data)
    assert fields.read(5) == b"\x89LTP\x01"
    fields.read(1)
    arrays = fields.varint()
    fields.block()
    _check(fields, 0)
    found = {}
    for _ in range(arrays):
        begin = fields.at
        name, kind = fields.block().decode(), np.dtype(fields.block().decode())
        fortran, how = fields.read(2)
        shape = [fields.varint() for _ in range(fields.varint())]
        numbers, model = fields.varint(), fields.block()
        _check(fields, begin)
        size = math.prod(shape)
        raw = model * size if how == 2 else b""
        for start in range(0, size if how != 2 else 0, numbers):
            length, checksum = fields.numbers("I", 2)
            body, count = fields.read(length), min(numbers, size - start)
            assert zlib.crc32(body) == checksum
            if how == 1:
                raw += Model(model, kind, codes).chunk(body, start, count, kind)
            else:
                raw += exact_chunk(body, count, kind).tobytes()
        found[name] = np.frombuffer(raw, kind).reshape(shape, order="F" if fortran else "C")
    begin = fields.at
    for _ in range(arrays):
        fields.varint()
        fields.read(16)
    _check(fields, begin)
    assert fields.at == len(data)
    return found


def _check(fields, begin):
    assert zlib.crc32(fields.data[begin : fields.at]) == fields.numbers("I", 1)[0]
