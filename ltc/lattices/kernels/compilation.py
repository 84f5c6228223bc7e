"""How every kernel is compiled: by numba, without Python's lock, and cached on disk. Needs no torch."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

__all__ = ["compiled", "inlined"]

# "contract" lets a product and a sum become one instruction. Nothing that assumes away NaN or infinities: a NaN
# must never turn into an index out of bounds.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

# Decorator of the functions that kernels are made of: they become part of each kernel.
inlined: Any = numba.njit(forceinline=True, **_OPTIONS)

# What all kernels are made of. By itself numba's cache looks at a kernel's own file only.
_SHARED_FILES = ("simd", "shorts", "blocks", "compilation", "viterbi_steps", "windowed_steps", "windowed_search")
_SHARED = zlib.crc32(b"".join(Path(__file__).with_stem(name).read_bytes() for name in _SHARED_FILES))


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Decorator of kernels: compiled on first use for each type of input, and cached on disk until a source changes."""
    kernel = numba.njit(cache=True, **_OPTIONS)(function)
    # The stamp by which numba knows an outdated cache has no public name; without it the cache still works.
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _SHARED)
    return kernel
