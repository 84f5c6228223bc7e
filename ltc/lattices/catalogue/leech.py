"""Lambda24: the Leech lattice, the best known quantizer in 24 dimensions, searched in three sections of eight.

A point is k / sqrt(8) with k = m + 2c + 4j, m in {0, 1}, c in the Golay code and sum(j) = m mod 2. In Turyn's form
c = (a+x | b+x | a+b+x), and each section may be complemented on its own (1 lies in both Hamming codes): so c is one
of 8 x 8 x 8 choices (classes of x, a and b) with two words in each section. For every section we keep, for each of
its 64 classes, the cost of the better word with sum(j) even and with sum(j) odd; 512 sums of three such pairs
remain. This is the trellis search with sections merged, in the spirit of Vardy & Be'ery (1993), and exact.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.codes import codewords, golay, hamming_pair
from ltc.lattices.kernels.leech import LeechSearch
from ltc.lattices.registry import register
from ltc.lattices.trellis import Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["LeechLattice", "section_words"]

# Vectors searched at once: the tables of a chunk then stay in the processor's cache.
_CHUNK = 1024


def section_words() -> tuple[np.ndarray, np.ndarray]:
    """The words of a section and how two of them make a third.

    Returns:
        words: [8, 8, 2, 8] bits; ``words[x, a]`` are the two words of the class of ``a + x``, complements of one
            another, where x and a number the cosets of {0, 1} in the two Hamming codes.
        sums: [8, 8]; ``sums[a, b]`` is the number of the coset of a + b.
    """
    a_code, x_code = (_cosets_of_ones(codewords(g)) for g in hamming_pair())
    base = (a_code[None, :] + x_code[:, None]) % 2  # [x, a, 8]
    words = np.stack([base, 1 - base], axis=2)
    number = {tuple(w): i for i, coset in enumerate(a_code) for w in (coset, 1 - coset)}
    sums = np.array([[number[tuple((a + b) % 2)] for b in a_code] for a in a_code])
    return words, sums


def _cosets_of_ones(words: np.ndarray) -> np.ndarray:
    """One word of each pair of complements: the one that starts with 0."""
    return words[words[:, 0] == 0]


@register("leech", dim=24)
class LeechLattice(TrellisLattice):
    """Lambda24, in Turyn's order of coordinates, at unit volume; G = 0.065771."""

    name = "leech"
    dim = 24
    nsm = 0.065771

    def __init__(self, dim: int = 24) -> None:
        neighbours = np.eye(23, 24, dtype=np.int64) + np.eye(23, 24, 1, dtype=np.int64)
        total = np.ones((1, 24), dtype=np.int64)
        total[0, 0] -= 4  # sum(k) = 4m mod 8, and m = k_1 mod 2
        checks = np.vstack([neighbours, golay(), total])
        self.trellis = Trellis.from_checks(checks, [2] * 23 + [4] * 12 + [8])
        self.steps = torch.full((24,), 8**-0.5, dtype=torch.float64)
        self.generator = torch.from_numpy(self.trellis.basis()).double() * self.steps
        words, sums = section_words()
        self._words = torch.from_numpy(words)
        self._sums = torch.from_numpy(sums)
        search = LeechSearch(words)
        self._kernel, self._cheapest_kernel = search, search.residues
        # The words' halves: a word is first[.] followed by second[.], each one of 16 half words.
        powers = 2 ** torch.arange(4)
        halves = self._words.reshape(8, 8, 2, 2, 4) @ powers
        self._first, self._second = halves[..., 0].flatten(), halves[..., 1].flatten()

    def nearest(self, x: Tensor) -> Tensor:
        return torch.cat([self.nearest_on_trellis(part) for part in x.split(_CHUNK)]) if len(x) else x.clone()

    def cheapest_in_torch(self, costs: Tensor) -> Tensor:
        return torch.cat([self._cheapest(part) for part in costs.split(_CHUNK)])

    def _cheapest(self, costs: Tensor) -> Tensor:
        # k mod 8 = m + 2 c + 4 (j mod 2): cost[batch, m, section, coordinate, c, parity of j]
        letters = costs.reshape(-1, 3, 8, 2, 2, 2).permute(0, 5, 1, 2, 4, 3)
        # Words of one, two, four coordinates; a word's number has its first coordinate as lowest bit.
        cost = letters
        while cost.shape[3] > 2:
            cost = _join(cost[:, :, :, 0::2], cost[:, :, :, 1::2])
        first, second = self._first.to(costs.device), self._second.to(costs.device)
        words = _parities(cost[:, :, :, 0].index_select(3, first), cost[:, :, :, 1].index_select(3, second))
        words = words.reshape(-1, 2, 3, 8, 8, 2, 2)  # [batch, m, section, x, a, word, parity]
        classes = words.amin(5)
        one, two, three = classes.unbind(2)  # [batch, m, x, a, parity]
        two_sections = _parities(one[:, :, :, :, None], two[:, :, :, None, :])  # [batch, m, x, a, b, parity]
        last = three.index_select(3, self._sums.flatten().to(costs.device)).reshape(two_sections.shape)
        # sum(j) = m mod 2.
        need = torch.stack([last[:, 0], last[:, 1].flip(-1)], 1)
        best = (two_sections + need).flatten(1).argmin(1)
        return self._trace(best, words, classes, letters)

    def _trace(self, best: Tensor, words: Tensor, classes: Tensor, letters: Tensor) -> Tensor:
        """The residues behind the best entry of the last table."""
        m, xa, a, b, p = _unravel(best, (2, 8, 8, 8, 2))
        rows = torch.arange(len(best), device=best.device)
        split = torch.stack([classes[rows, m, 0, xa, a, 0] + classes[rows, m, 1, xa, b, q] for q in (0, 1)], -1)
        other = torch.stack([classes[rows, m, 0, xa, a, 1] + classes[rows, m, 1, xa, b, q] for q in (1, 0)], -1)
        # Parity p of the first two sections together is (0, p) or (1, 1 - p).
        p_first = (other.gather(1, p[:, None]) < split.gather(1, p[:, None])).long()[:, 0]
        parity = torch.stack([p_first, p_first ^ p, p ^ m], -1)  # [batch, section]
        number = torch.stack([a, b, self._sums.to(best.device)[a, b]], -1)
        section = torch.arange(3, device=best.device)
        at = (rows[:, None], m[:, None], section, xa[:, None], number)
        which = words[at].gather(-1, parity[..., None, None].expand(-1, -1, 2, 1))[..., 0].argmin(-1)
        c = self._words.to(best.device)[xa[:, None], number, which]  # [batch, section, coordinate]
        pair = letters[rows, m].gather(-2, c[..., None, None].expand(-1, -1, -1, 1, 2))[..., 0, :]
        j = pair.argmin(-1)
        # Wagner's rule in each section: of a wrong parity, the coordinate that loses least gives way.
        wrong = j.sum(-1) % 2 != parity
        column = (pair[..., 0] - pair[..., 1]).abs().argmin(-1, keepdim=True)
        j = j.scatter_add(-1, column, wrong.long()[..., None]) % 2
        return m[:, None] + 2 * c.flatten(1) + 4 * j.flatten(1)


def _parities(u: Tensor, v: Tensor) -> Tensor:
    """Min-plus sum of two (even, odd) pairs in the last axis."""
    even = torch.minimum(u[..., 0] + v[..., 0], u[..., 1] + v[..., 1])
    return torch.stack([even, torch.minimum(u[..., 0] + v[..., 1], u[..., 1] + v[..., 0])], -1)


def _join(u: Tensor, v: Tensor) -> Tensor:
    """All concatenations of words u [..., U, 2] and v [..., V, 2]: [..., V * U, 2], u's number the lower digit."""
    return _parities(u[..., None, :, :], v[..., :, None, :]).flatten(-3, -2)


def _unravel(index: Tensor, shape: tuple[int, ...]) -> list[Tensor]:
    found = []
    for size in reversed(shape):
        found.append(index % size)
        index = index // size
    return found[::-1]
