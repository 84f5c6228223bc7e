"""How every kernel is cut into pieces and run, on as many threads as torch has.

A kernel is called as ``kernel(start, stop, *arguments)`` and fills rows ``start`` to ``stop`` of its outputs, block
by block of LANES rows, one a SIMD lane. Pieces touch different rows and need no lock.

The pieces run on plain Python threads, since kernels release the interpreter's lock. Numba's own ``prange`` would
be less safe: its GNU OpenMP layer ends a forked child that uses it, its work queue allows no second caller, and
each kernel would be compiled twice (with and without threads).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from ltc.lattices.kernels.simd import LANES

__all__ = ["nearest_rows", "run_pieces"]

# Pieces a thread gets on average: more than one, so that a core busy with something else delays no one.
_PIECES_A_THREAD = 4

_pool: ThreadPoolExecutor | None = None


def run_pieces(kernel: Callable[..., None], count: int, grain: int, *arguments: Any, multiple: int = LANES) -> None:
    """Call ``kernel(start, stop, *arguments)`` for pieces that together cover ``range(count)``.

    Args:
        kernel: a function made by ``compilation.compiled``.
        count: rows.
        grain: the least number of rows worth handing to another thread (about 0.1 ms of work).
        arguments: what else the kernel takes.
        multiple: pieces have a multiple of so many rows, but the last one.
    """
    threads = min(torch.get_num_threads(), count // grain)
    if threads < 2:
        kernel(0, count, *arguments)
        return
    size = max(grain, -(-count // (threads * _PIECES_A_THREAD)))
    size = -(-size // multiple) * multiple
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
        kernel: a function made by ``compilation.compiled``.
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
