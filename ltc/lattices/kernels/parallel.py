"""How every kernel is compiled, cut into pieces and run: numba without a lock, on as many threads as torch has.

A kernel is called as ``kernel(start, stop, *arguments)`` and fills rows ``start`` to ``stop`` of its outputs, block
by block of LANES rows, one a SIMD lane. Pieces touch different rows and need no lock.

The pieces run on plain Python threads, since kernels release the interpreter's lock. Numba's own ``prange`` would
be less safe: its GNU OpenMP layer ends a forked child that uses it, its work queue allows no second caller, and
each kernel would be compiled twice (with and without threads).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import torch
from torch import Tensor

from ltc.lattices.kernels.simd import LANES

__all__ = ["compiled", "inlined", "nearest_rows", "run_pieces"]

# "contract" lets a product and a sum become one instruction. Nothing that assumes away NaN or infinities: a NaN
# must never turn into an index out of bounds.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

# Decorator of the functions that kernels are made of: they become part of each kernel.
inlined: Any = numba.njit(forceinline=True, **_OPTIONS)

# What all kernels are made of. By itself numba's cache looks at a kernel's own file only.
_SHARED = zlib.crc32(b"".join(Path(__file__).with_stem(name).read_bytes() for name in ("simd", "blocks", "parallel")))


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Decorator of kernels: compiled on first use for each type of input, and cached on disk until a source changes."""
    kernel = numba.njit(cache=True, **_OPTIONS)(function)
    # The stamp by which numba knows an outdated cache has no public name; without it the cache still works.
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _SHARED)
    return kernel


# Pieces a thread gets on average: more than one, so that a core busy with something else delays no one.
_PIECES_A_THREAD = 4

_pool: ThreadPoolExecutor | None = None


def run_pieces(kernel: Callable[..., None], count: int, grain: int, *arguments: Any) -> None:
    """Call ``kernel(start, stop, *arguments)`` for pieces that together cover ``range(count)``.

    Args:
        kernel: a function made by ``compiled``.
        count: rows.
        grain: the least number of rows worth handing to another thread (about 0.1 ms of work).
        arguments: what else the kernel takes.
    """
    threads = min(torch.get_num_threads(), count // grain)
    if threads < 2:
        kernel(0, count, *arguments)
        return
    size = max(grain, -(-count // (threads * _PIECES_A_THREAD)))
    size = -(-size // LANES) * LANES
    starts = iter(range(0, count, size))

    def work(starts: Iterator[int] = starts) -> None:
        for start in starts:
            kernel(start, min(start + size, count), *arguments)

    helpers = [_threads().submit(work) for _ in range(threads - 1)]
    work()
    for helper in helpers:
        # A helper that never started is not needed any more: all pieces are taken.
        if not helper.cancel():
            helper.result()


def nearest_rows(kernel: Callable[..., None], x: Tensor, grain: int, *arguments: Any) -> Tensor:
    """The nearest points of the rows of ``x`` by ``kernel(start, stop, x, out, *arguments)``.

    Args:
        kernel: a function made by ``compiled``.
        x: [batch, dim] on the CPU, float32 or float64; need not be contiguous and is not changed.
        grain: see ``run_pieces``.
        arguments: tables; arrays of floats must have the dtype of ``x``.
    """
    x = x.detach().contiguous()
    out = torch.empty_like(x)
    run_pieces(kernel, len(x), grain, x.numpy(), out.numpy(), *arguments)
    return out


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="ltc-kernel")
    return _pool


def _forget_threads() -> None:
    """Threads do not survive a fork: the child makes its own."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
