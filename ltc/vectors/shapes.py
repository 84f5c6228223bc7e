"""Which shapes, types and numbers are vectors; a sentence where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["as_single", "check_dtype", "rows_and_dim"]


def rows_and_dim(shape: Sequence[int], name: str) -> tuple[int, int]:
    """Rows and components: those of [rows, dim]; numbers [rows] are vectors of one component.

    Raises:
        ValueError: if it is another shape, or one without numbers.

    Examples:
        >>> rows_and_dim([7, 3], "x.npy"), rows_and_dim([7], "x.npy")
        ((7, 3), (7, 1))
    """
    if len(shape) not in (1, 2):
        raise ValueError(f"{name} has the shape {list(shape)}; vectors are an array [rows, dim], or [rows] of numbers.")
    rows, dim = (*shape, 1)[:2]
    if rows == 0 or dim == 0:
        raise ValueError(f"{name} has the shape {list(shape)}: it holds no vectors.")
    return rows, dim


def check_dtype(dtype: np.dtype, name: str) -> None:
    """Makes sure that numbers are real ones, as the codec takes them.

    Raises:
        ValueError: if they are not.
    """
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ValueError(f"{name} holds {dtype}; vectors are arrays of real numbers.")


def as_single(rows: np.ndarray, name: str, first: int) -> np.ndarray:
    """Rows as float32, all of them finite.

    Args:
        rows: [count, dim].
        name: how messages call the array.
        first: the number of the first of them there.

    Raises:
        ValueError: if a number is NaN or infinite, or too large for float32.
    """
    with np.errstate(over="ignore"):
        single = rows.astype(np.float32)
    bad = ~np.isfinite(single).all(1)
    if bad.any():
        row = int(bad.argmax())
        what = "a number beyond float32's" if np.isfinite(rows[row]).all() else "NaN or infinite values"
        raise ValueError(f"{name} holds {what}, first in row {first + row} (counted from 0).")
    return single
