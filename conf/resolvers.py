"""OmegaConf resolvers: how the block length and the number of threads follow from the rest of a configuration."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

from omegaconf import OmegaConf

__all__ = [
    "batch_size",
    "block_length",
    "eval_symbols",
    "latent_gain",
    "register_resolvers",
    "threads",
    "vector_dim",
]


def block_length(latents: int, lattice_dim: int) -> int:
    """The fewest symbols whose latents the lattice tiles.

    Examples:
        >>> block_length(1, 8), block_length(2, 8), block_length(16, 24)
        (8, 4, 3)
    """
    return int(lattice_dim) // math.gcd(int(latents), int(lattice_dim))


def threads(processes: int) -> int:
    """CPU threads for each of several processes on this machine: more than its share makes all of them slower."""
    return max(1, (os.cpu_count() or 1) // max(1, int(processes)))


def batch_size(latent_dim: int, most: int, floats: int) -> int:
    """Blocks of a batch: ``most``, or as many as hold ``floats`` latents when blocks are long.

    Examples:
        >>> batch_size(8, 1000, 24_000), batch_size(2048, 1000, 24_000)
        (1000, 11)
    """
    return max(1, min(int(most), int(floats) // int(latent_dim)))


def eval_symbols(dim: int, floats: int) -> int:
    """Symbols to evaluate on: as many as hold ``floats`` numbers, and 50,000 where these are too few for a mean.

    Examples:
        >>> eval_symbols(1, 4_000_000), eval_symbols(1024, 4_000_000)
        (4000000, 50000)
    """
    return max(50_000, int(floats) // int(dim))


def latent_gain(lmbda: float, dim: int) -> float:
    """The scale of latents at which a unit-volume lattice's errors are those that lambda asks for at high rate.

    rate + lambda * distortion is least where the distortion of each of ``dim`` components is dim / (2 ln 2 lambda), and
    a lattice's error is about 0.08 / gain^2.

    Examples:
        >>> round(latent_gain(4.0, 1), 2)
        0.67
    """
    return math.sqrt(0.08 * 2 * math.log(2) * float(lmbda) / int(dim))


def vector_dim(path: str, key: str | None) -> int:
    """The dimension of the vectors of a file, by its first bytes: see ``ltc.vectors.vector_dim``."""
    from ltc import vectors

    return vectors.vector_dim(str(path), key)


def register_resolvers() -> None:
    """Makes these functions known to configurations, as ``${block_length:…}``; safe to call again."""
    resolvers: dict[str, Callable[..., Any]] = {
        "block_length": block_length,
        "eval_symbols": eval_symbols,
        "latent_gain": latent_gain,
        "batch_size": batch_size,
        "times": lambda a, b: int(a) * int(b),
        "over": lambda a, b: int(a) // int(b),
        "share": lambda whole, part: round(int(whole) * float(part)),
        "length": len,
        "threads": threads,
        "vector_dim": vector_dim,
    }
    for name, function in resolvers.items():
        OmegaConf.register_new_resolver(name, function, replace=True)
