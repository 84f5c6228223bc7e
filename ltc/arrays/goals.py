"""What a packed array shall be: so many bits, so good, or the best trade between both."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Goal"]

# More than any number has, and than steps can follow.
_MOST_BITS, _MOST_PSNR = 64.0, 600.0


@dataclass(frozen=True)
class Goal:
    """One of these, or none of them: exactly as it is.

    Attributes:
        bits: the file's bits a number, all in all.
        psnr: decibels, ``10 log10(range^2 / distortion)`` with the range from the least to the largest finite number.
        lmbda: lambda of the least ``rate + lambda * distortion``, in bits and squared units of the array.
        max_error: what no number may be wrong by more than.
        exact: every bit is kept.

    Raises:
        ValueError: if it is not just one, or a number that cannot be reached.

    Examples:
        >>> Goal(bits=2.0).name
        '2 bits a number'
    """

    bits: float | None = None
    psnr: float | None = None
    lmbda: float | None = None
    max_error: float | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        given = {k: v for k, v in vars(self).items() if v is not None and v is not False}
        if len(given) != 1:
            raise ValueError("One of bits, psnr, lambda, max_error and exact says how an array is packed.")
        ((name, value),) = given.items()
        if name == "exact":
            return
        if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
            raise ValueError(f"{name.replace('lmbda', 'lambda')} is a positive number, got {value!r}.")
        if value > {"bits": _MOST_BITS, "psnr": _MOST_PSNR}.get(name, math.inf):
            raise ValueError(f"{name}={value:g} is more than any number has; pack exactly instead.")

    @property
    def name(self) -> str:
        """In words."""
        if self.exact:
            return "exact"
        words = {"bits": "{:g} bits a number", "psnr": "{:g} dB", "lmbda": "lambda {:g}", "max_error": "errors to {:g}"}
        ((name, value),) = ((k, v) for k, v in vars(self).items() if v)
        return words[name].format(value)
