"""Tables of log f over integers, and their class sums: what a trellis normalizes them by.

A table holds the integers -radius, -radius + 1, … radius + q - 1, with a radius that is a multiple of q: it begins
with the residue 0 and consists of whole periods. With ``S_i(r) = sum of f_i over k_i = r mod q``, Z is the sum over all
paths of the trellis of the product of the ``S_i`` (``ltc.lattices.path_sum.log_path_sum``).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_class_sums", "table_integers", "table_radius"]


def table_radius(need: int, modulus: int) -> int:
    """The least radius of a table that holds the integers up to ``need`` in absolute value.

    Examples:
        >>> table_radius(5, 4), table_integers(4, 4).tolist()
        (8, [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7])
    """
    return -(-need // modulus) * modulus


def table_integers(radius: int, modulus: int, device: torch.device | None = None) -> Tensor:
    """The integers of a table: int64 [2 radius + q]."""
    return torch.arange(-radius, radius + modulus, device=device)


def log_class_sums(log_f: Tensor, modulus: int, dim: int = -1) -> Tensor:
    """log S(r) of tables.

    Args:
        log_f: log f, the table's integers along ``dim``: [..., integers, ...].
        modulus: q.
        dim: the axis, counted from the end.

    Returns:
        [..., q, ...], the residues along the same axis.
    """
    return log_f.unflatten(dim, (-1, modulus)).logsumexp(dim - 1)
