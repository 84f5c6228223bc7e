"""A decoder of the bitstream in plain Python, written from docs/format.md: integers only, no library."""

TOTAL = 1 << 24
WORD, STATE = 1 << 32, 1 << 64


class ReferenceDecoder:
    """Reads symbols from 32-bit words with tables of integer counts that sum to 2^24."""

    def __init__(self, stream: bytes) -> None:
        self.words = [int.from_bytes(stream[i : i + 4], "little") for i in range(0, len(stream), 4)]
        self.next, self.lower, self.range = 0, 0, STATE - 1
        self.point = self._word() * WORD + self._word()

    def _word(self) -> int:
        self.next += 1
        return self.words[self.next - 1] if self.next <= len(self.words) else 0

    def symbol(self, counts: list[int]) -> int:
        """The next symbol, of a table with these counts."""
        scale = self.range >> 24
        quantile = (self.point - self.lower) % STATE // scale
        if quantile >= TOTAL:
            raise ValueError("no code for this table")
        symbol, cumulative = 0, 0
        while cumulative + counts[symbol] <= quantile:
            cumulative += counts[symbol]
            symbol += 1
        self.lower = (self.lower + scale * cumulative) % STATE
        self.range = scale * counts[symbol]
        if self.range < WORD:
            self.lower, self.range = self.lower * WORD % STATE, self.range * WORD % STATE
            self.point = (self.point * WORD + self._word()) % STATE
        return symbol

    def uniform(self, size: int) -> int:
        """The next symbol, of ``size`` equally likely ones."""
        share = TOTAL // size
        return self.symbol([share] * (size - 1) + [TOTAL - share * (size - 1)])

    def integer(self) -> int:
        """An escaped integer: its length in bits, its sign, its bits below the leading one, 16 at a time."""
        length = self.uniform(64)
        if not length:
            return 0
        sign, size, low = (-1 if self.uniform(2) else 1), 1 << (length - 1), 0
        while low < length - 1:
            width = min(16, length - 1 - low)
            size += self.uniform(1 << width) << low
            low += width
        return sign * size
