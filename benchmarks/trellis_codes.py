"""Normalized second moments of trellis codes, measured on long sequences; and a search for codes of more states.

    python -m benchmarks.trellis_codes                             every code of ltc.lattices.trellis_codes
    python -m benchmarks.trellis_codes --code 1017 342             any code: parity polynomials h0, h1 in octal
    python -m benchmarks.trellis_codes --search 512 --codes 200    the best codes of 512 states

G is the mean squared error per sample of a uniform input at one point per unit volume, deep within a sequence: both
ends, where the known first state costs and the free last state saves, are left out, and what they add to a sequence's
squared error stands in a column of its own. The gap at high rate is
0.5 log2(2 pi e G) bits.

The search first ranks all pairs of polynomials without any input, by how evenly the code's points cover the space.
Put a Gaussian exp(-a |x - p|^2) on each point p. By how much the sum of all of them varies with x is known from the
code's theta series, the sum of exp(-a |p|^2 / 2) over its points, whose growth with length is an eigenvalue of a
matrix of states times states. At a = 6.4 this growth rate and G had a correlation of 0.91 over 101 codes of 512
states, so few codes need to be measured: --codes of them once, the best 24 again, longer and on other inputs, and
the four that this leaves once more, so that none looks good by luck.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc.lattices.catalogue.tcq import TrellisCode
from ltc.lattices.kernels.compilation import compiled
from ltc.lattices.kernels.parallel import run_pieces
from ltc.lattices.trellis_codes import CODES
from ltc.theory import space_filling_gap

# Length of a sequence, samples left out at each end, about twice what the transient takes, and sequences searched at
# once: of up to 2,048 states, and of more.
_SHAPE, _LONG_SHAPE = (4096, 256, 128), (16384, 1024, 16)
_SHORT = 2048

# exp(-_DECAY k^2) is the term of a point k / 2 in the theta series.
_DECAY = 0.8

# Samples until the growth of the theta series is steady, and samples over which it is then measured.
_SETTLE, _SPAN = 96, 16

# Up to so many pairs of polynomials are all considered (2,048 states have about as many); of more some are drawn, so
# many that pairs times states are the second number: a few minutes.
_PAIRS, _RANKED = 1 << 20, 1 << 29

# Codes measured a second and a third time, and by how many times longer than the first time.
_SECOND, _THIRD = (24, 4), (4, 16)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """What was measured of one code."""

    h0: int
    h1: int
    nsm: float
    error: float
    ends: float
    rate: float

    @property
    def states(self) -> int:
        return 1 << (self.h0.bit_length() - 1)

    @property
    def gap(self) -> float:
        """The distance from the rate-distortion bound at high rate, bits per sample."""
        return space_filling_gap(self.nsm)


def measure(h0: int, h1: int, samples: int, seed: int) -> Measured:
    """The normalized second moment of a code, its standard error, and samples searched per second.

    Example:
        >>> abs(measure(0o5, 0o2, 1 << 20, seed=0).nsm - 0.06622) < 3e-4
        True
    """
    states = 1 << (h0.bit_length() - 1)
    length, out, batch = _SHAPE if states <= _SHORT else _LONG_SHAPE
    code = TrellisCode(states, length, h0, h1)
    random = torch.Generator().manual_seed(seed)
    count = max(1, round(samples / (length - 2 * out) / batch))
    means, sums, seconds = [], [], 0.0
    code.quantize(torch.zeros(1, length))
    for _ in range(count):
        # Four steps are a period of every code: more of them would change nothing.
        x = 2 * torch.rand(batch, length, generator=random)
        start = time.perf_counter()
        points = code.quantize(x)
        seconds += time.perf_counter() - start
        squares = (points - x).double().square()
        means.append(squares[:, out:-out].mean(1))
        sums.append(squares[:, :out].sum(1) + squares[:, -out:].sum(1))
    each = torch.cat(means)
    error = each.std().item() / math.sqrt(len(each))
    ends = torch.cat(sums).mean().item() - 2 * out * each.mean().item()
    return Measured(h0, h1, each.mean().item(), error, ends, count * batch * length / seconds)


def find(states: int, codes: int, samples: int, seed: int) -> list[Measured]:
    """The best codes found, best first: those measured three times, twice, once.

    Args:
        states: a power of two.
        codes: how many codes to measure, of those ranked best.
        samples: of the first measurement of each.
        seed: of all random numbers; three measurements of a code use different ones.
    """
    h0, h1 = pairs(states, seed)
    order = np.argsort(growth(states, h0, h1))
    # With a common factor some states cannot be reached: it is a code of fewer.
    coprime = ((a, b) for a, b in zip(h0[order].tolist(), h1[order].tolist(), strict=True) if _gcd(a, b) == 1)
    measured = [measure(*code, samples, seed) for code, _ in zip(coprime, range(codes), strict=False)]
    measured.sort(key=lambda m: m.nsm)
    for stage, (best, factor) in enumerate((_SECOND, _THIRD), start=1):
        again = [measure(m.h0, m.h1, factor * samples, seed + stage) for m in measured[:best]]
        measured[:best] = sorted(again, key=lambda m: m.nsm)
    return measured


def pairs(states: int, seed: int) -> tuple[Integers, Integers]:
    """Pairs (h0, h1), h0_0 = h0_nu = 1 and h1_0 = h1_nu = 0, one of each set of equally good codes.

    Codes are equally good if one is the other's mirror image, k -> -k, which is h0 -> h0 + h1, or is the other read
    backwards, which is both polynomials reversed.
    """
    nu = states.bit_length() - 1
    outer, inner = states // 2, states // 2 - 1
    if outer * inner <= _PAIRS:
        chosen = np.arange(outer * inner)
    else:
        chosen = np.unique(np.random.default_rng(seed).integers(outer * inner, size=_RANKED // states))
    h0, h1 = states + 1 + 2 * (chosen // inner), 2 + 2 * (chosen % inner)

    def reverse(h: Integers) -> Integers:
        return sum(((h >> i & 1) << (nu - i) for i in range(nu + 1)), np.zeros_like(h))

    def least(a: Integers, b: Integers) -> Integers:
        return np.minimum(a, a ^ b) * states + b

    keys = np.unique(np.minimum(least(h0, h1), least(reverse(h0), reverse(h1))))
    return keys // states, keys % states


def growth(states: int, h0: Integers, h1: Integers) -> NDArray[np.float64]:
    """The growth rates of the theta series of codes, nats per sample.

    Example:
        >>> good, bad = growth(256, np.array([0o515, 0o401]), np.array([0o362, 0o2]))
        >>> good < bad
        True
    """
    k = np.arange(4)[:, None] + 4 * np.arange(-4, 5)
    rates = np.empty(len(h0))
    run_pieces(_growth, len(h0), 16, states, h0, h1, np.exp(-_DECAY * k**2).sum(1), _SETTLE, _SPAN, rates)
    return rates


@compiled
def _growth(start, stop, states, h0, h1, weights, settle, span, rates):  # type: ignore[no-untyped-def]
    here, there = np.empty(states), np.empty(states)
    for code in range(start, stop):
        a, b = h0[code] >> 1, h1[code] >> 1
        before = 0.0
        here[:] = 1
        for t in range(settle + span):
            if t == settle:
                before = here.sum()
            for j in range(states // 2):
                there[2 * j] = weights[0] * here[j] + weights[2] * here[j ^ b]
                there[2 * j + 1] = weights[1] * here[j ^ a] + weights[3] * here[j ^ a ^ b]
            here, there = there, here
        rates[code] = np.log(here.sum() / before) / span


def _gcd(a: int, b: int) -> int:
    """The greatest common divisor of polynomials over the field of two elements."""
    while b:
        while a.bit_length() >= b.bit_length():
            a ^= b << (a.bit_length() - b.bit_length())
        a, b = b, a
    return a


def show(measured: list[Measured], title: str) -> None:
    """Print a table; M/s is million samples per second."""
    table = Table(title=title, caption=f"threads: {torch.get_num_threads()}; {provenance()}")
    for name in ("states", "h0", "h1", "G", "s.e.", "gap, bits", "ends", "on record", "M/s"):
        table.add_column(name, justify="right")
    for m in measured:
        known = CODES.get(m.states)
        record = f"{known[2]:.5f}" if known and known[:2] == (m.h0, m.h1) else "-"
        figures = f"{m.nsm:.6f}", f"{m.error:.6f}", f"{m.gap:.5f}", f"{m.ends:.3f}", record, f"{m.rate / 1e6:.1f}"
        table.add_row(str(m.states), f"{m.h0:o}", f"{m.h1:o}", *figures)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--code", nargs=2, action="append", metavar=("H0", "H1"), help="a code to measure, octal")
    parser.add_argument("--search", type=int, metavar="STATES", help="search for codes of so many states")
    parser.add_argument("--codes", type=int, default=200, help="codes measured in a search")
    parser.add_argument("--samples", type=int, help="per code; in a search, of the first measurement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=12, help="codes printed after a search")
    options = parser.parse_args()
    if options.search:
        if options.search < 4 or options.search & (options.search - 1):
            parser.error("--search: a power of two, at least 4")
        found = find(options.search, options.codes, options.samples or 1 << 20, options.seed)
        show(found[: options.show], f"Best of {options.codes} codes measured")
        return
    if options.code:
        codes = [(int(h0, 8), int(h1, 8)) for h0, h1 in options.code]
    else:
        codes = [(h0, h1) for h0, h1, *_ in CODES.values()]
    show([measure(*code, options.samples or 1 << 24, options.seed) for code in codes], "Trellis codes")


if __name__ == "__main__":
    main()
