"""The trellis of a lattice: a finite-state check that is read coordinate by coordinate.

A lattice whose points are ``steps * k`` with integer ``k`` obeying linear congruences ``A k = 0 (mod M)``
is the set of paths of a small labelled graph. One recursion over that graph, in three semirings, answers
the questions of a compressor: which point is nearest (min, +), how probable is a point (log-sum-exp, +),
which table does the entropy coder use (the backward sums).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.congruence import Span

__all__ = ["Section", "Trellis"]

Reduce = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Section:
    """The edges that read one coordinate: edge ``e`` goes ``source[e] -> target[e]`` on ``residue[e]`` mod q."""

    source: np.ndarray
    target: np.ndarray
    residue: np.ndarray

    def __len__(self) -> int:
        return len(self.source)


@dataclass
class Trellis:
    """A trellis over integer vectors ``k``, one section for each coordinate.

    Attributes:
        modulus: q; an edge is labelled with the residue of ``k_i`` mod q.
        sections: one ``Section`` for each coordinate, in coding order.
        state_counts: ``n + 1`` state counts, before the first section and after each.

    A path from state 0 to *any* final state is a point; the trellis of a lattice has one final state, that
    of a trellis code may have many.
    """

    modulus: int
    sections: list[Section]
    state_counts: list[int]
    _tables: dict = field(default_factory=dict, repr=False)

    @classmethod
    def from_checks(cls, checks: Sequence[Sequence[int]] | np.ndarray, moduli: Sequence[int]) -> Trellis:
        """The minimal trellis of ``{k in Z^n : sum_i checks[j, i] k_i = 0 mod moduli[j] for all j}``.

        The state after i coordinates is the partial syndrome ``sum_{l<=i} k_l checks[:, l]``, and only those
        states are kept from which zero can still be reached (Wolf 1978; minimal for group codes, Forney &
        Trott 1993).

        Args:
            checks: integer matrix [checks, n].
            moduli: the modulus of each check.

        Examples:
            >>> d4 = Trellis.from_checks([[1, 1, 1, 1]], [2])
            >>> d4.state_counts, d4.edge_count
            ([1, 2, 2, 2, 1], 12)
        """
        matrix = np.asarray(checks, dtype=np.int64)
        modulus = int(np.lcm.reduce(np.asarray(moduli, dtype=np.int64)))
        # One ring for all checks: a check mod M is the same check times q/M, mod q.
        columns = (matrix * (modulus // np.asarray(moduli))[:, None]).T % modulus
        # completable[i]: the partial syndromes after i coordinates that the remaining coordinates can cancel.
        span = Span(modulus, matrix.shape[0])
        completable = [span.copy()]
        for column in columns[::-1]:
            span.insert(column)
            completable.append(span.copy())
        completable.reverse()

        states = np.zeros((1, matrix.shape[0]), dtype=np.int64)
        sections, counts = [], [1]
        residues = np.arange(modulus)
        for i, column in enumerate(columns):
            nxt = (states[:, None, :] + residues[None, :, None] * column) % modulus
            flat = nxt.reshape(-1, nxt.shape[-1])
            keep = completable[i + 1].contains(flat)
            source = np.repeat(np.arange(len(states)), modulus)[keep]
            residue = np.tile(residues, len(states))[keep]
            states, target = np.unique(flat[keep], axis=0, return_inverse=True)
            sections.append(Section(source, target.reshape(-1), residue))
            counts.append(len(states))
        return cls(modulus, sections, counts)

    @classmethod
    def concatenate(cls, trellises: Sequence[Trellis]) -> Trellis:
        """The trellis of a product: one after another. Each but the last must end in a single state."""
        modulus = int(np.lcm.reduce([t.modulus for t in trellises]))
        sections, counts = [], [1]
        for t in trellises:
            repeats = modulus // t.modulus  # a residue mod t.modulus is several residues mod the common modulus
            lifts = t.modulus * np.arange(repeats)
            for s in t.sections:
                residue = (s.residue[:, None] + lifts).reshape(-1)
                sections.append(Section(s.source.repeat(repeats), s.target.repeat(repeats), residue))
            counts += t.state_counts[1:]
        return cls(modulus, sections, counts)

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.sections)

    @property
    def edge_count(self) -> int:
        """Edges of all sections together: the cost of one Viterbi search."""
        return sum(len(s) for s in self.sections)

    def volume(self) -> float:
        """Volume per point of the integer vectors ``k``: q^n over the number of paths, as a float."""
        paths: np.ndarray = np.ones(1)
        log_paths = 0.0
        for section, count in zip(self.sections, self.state_counts[1:], strict=True):
            paths = np.bincount(section.target, weights=paths[section.source], minlength=count)
            log_paths += np.log(paths.sum())
            paths = paths / paths.sum()
        return float(np.exp(self.dim * np.log(self.modulus) - log_paths))

    def basis(self) -> np.ndarray:
        """An upper triangular basis of the integer vectors: int64 [n, n], rows are basis vectors.

        Row i is zero before coordinate i and has the smallest positive entry there that any such vector has.
        Only for trellises of lattices.
        """
        n, q = self.dim, self.modulus
        edges = [
            {(int(s), int(r)): int(t) for s, t, r in zip(sec.source, sec.target, sec.residue, strict=True)}
            for sec in self.sections
        ]
        rows = np.zeros((n, n), dtype=np.int64)
        state = 0
        for i in range(n):
            first = next(r for r in range(1, q + 1) if (state, r % q) in edges[i])
            rows[i, i] = first
            at = edges[i][state, first % q]
            for j in range(i + 1, n):
                residue = next(r for r in range(q) if (at, r) in edges[j])
                rows[i, j] = residue
                at = edges[j][at, residue]
            # Smaller entries right of the diagonal come from the rows below, which are reduced later.
            state = edges[i][state, 0]
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                rows[i] -= np.rint(rows[i, j] / rows[j, j]).astype(np.int64) * rows[j]
        return rows

    def contains(self, k: Tensor) -> Tensor:
        """Whether integer vectors ``k`` [..., n] are paths of the trellis: bool [...]."""
        cost = torch.full((*k.shape, self.modulus), torch.inf)
        cost.scatter_(-1, (k.long() % self.modulus)[..., None].cpu(), 0.0)
        return torch.isfinite(self.forward(cost, lambda t: t.amin(-1), worst=torch.inf)[-1].amin(-1))

    def forward(self, values: Tensor, reduce: Reduce, worst: float) -> list[Tensor]:
        """Forward recursion in any semiring whose product is ``+``.

        Args:
            values: value of each coordinate's residue, [..., n, q].
            reduce: the semiring's sum over the last axis, e.g. ``lambda t: t.logsumexp(-1)``.
            worst: the semiring's zero (``inf`` for min, ``-inf`` for log-sum-exp).

        Returns:
            The states' values before the first coordinate and after each: n + 1 tensors [..., states].
        """
        return self._sweep(values, reduce, worst, self._table("target", values.device), range(self.dim))

    def backward(self, values: Tensor, reduce: Reduce, worst: float) -> list[Tensor]:
        """Backward recursion: element i is the sum over all ways to go on from each state after i coordinates."""
        found = self._sweep(values, reduce, worst, self._table("source", values.device), range(self.dim - 1, -1, -1))
        return found[::-1]

    def viterbi(self, values: Tensor) -> Tensor:
        """The residues of the cheapest path.

        Args:
            values: cost of each coordinate's residue, [..., n, q].

        Returns:
            int64 [..., n], the residues of the path with the least sum of costs.
        """
        tables = self._table("target", values.device)
        batch = values.shape[:-2]
        flat = values.reshape(-1, self.dim, self.modulus)
        alpha = flat.new_zeros(len(flat), 1)
        choices = []
        for i, (state, residue, real) in enumerate(tables):
            total = _extend(alpha, flat[:, i], state, residue, real, torch.inf)
            alpha, choice = total.min(-1)
            choices.append(choice)
        at = alpha.argmin(-1)
        path = torch.empty(len(flat), self.dim, dtype=torch.long, device=values.device)
        for i in reversed(range(self.dim)):
            state, residue, _ = tables[i]
            choice = choices[i].gather(1, at[:, None])[:, 0]
            path[:, i] = residue[at, choice]
            at = state[at, choice]
        return path.reshape(*batch, self.dim)

    def _sweep(self, values: Tensor, reduce: Reduce, worst: float, tables: list, order: range) -> list[Tensor]:
        start = self.state_counts[0] if order.step > 0 else self.state_counts[-1]
        alpha = values.new_zeros(*values.shape[:-2], start)
        found = [alpha]
        for i in order:
            state, residue, real = tables[i]
            alpha = reduce(_extend(alpha, values[..., i, :], state, residue, real, worst))
            found.append(alpha)
        return found

    def _table(self, end: str, device: torch.device) -> list[tuple[Tensor, Tensor, Tensor | None]]:
        """For each section, the edges by their ``end`` state, padded to a rectangle: (other end, residue, mask)."""
        key = (end, device)
        if key not in self._tables:
            counts = self.state_counts[1:] if end == "target" else self.state_counts[:-1]
            self._tables[key] = [
                _rectangle(s, end, count, device) for s, count in zip(self.sections, counts, strict=True)
            ]
        return self._tables[key]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_tables": {}}


def _extend(alpha: Tensor, value: Tensor, state: Tensor, residue: Tensor, real: Tensor | None, worst: float) -> Tensor:
    """Values of the edges into each state, [..., states, edges a state]."""
    # index_select on flat indices is several times faster on CPU than advanced indexing.
    shape = (*alpha.shape[:-1], *state.shape)
    total = alpha.index_select(-1, state.flatten()) + value.index_select(-1, residue.flatten())
    total = total.reshape(shape)
    return total if real is None else total.masked_fill(~real, worst)


def _rectangle(section: Section, end: str, count: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor | None]:
    here, there = (section.target, section.source) if end == "target" else (section.source, section.target)
    order = np.argsort(here, kind="stable")
    degree = np.bincount(here, minlength=count)
    column = np.arange(len(here)) - np.repeat(np.cumsum(degree) - degree, degree)
    shape = (count, int(degree.max()))
    state, residue, real = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, bool)
    state[here[order], column] = there[order]
    residue[here[order], column] = section.residue[order]
    real[here[order], column] = True
    mask = None if real.all() else torch.from_numpy(real).to(device)
    return torch.from_numpy(state).to(device), torch.from_numpy(residue).to(device), mask
