"""The mass of a zero-mean Gaussian on each residue class of integers, for as many scales as there are elements.

With cells of width 1 around the integers and a scale t, ``S_r(t) = sum of mass([k - 1/2, k + 1/2]) over k = r mod q``.
Two forms of it converge fast, one where t is small and one where it is large:

- directly, from the distribution function at k + 1/2, a few k wide;
- by Poisson's summation formula, ``S_r = (1 + 2 sum_m exp(-2 (pi t m / q)^2) sinc(m / q) cos(2 pi m r / q)) / q``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["class_sums"]


def class_sums(scales: Tensor, modulus: int) -> tuple[Tensor, Tensor]:
    """The sums of all classes and their derivatives by the scale.

    Args:
        scales: t > 0 [...], in units of the distance of neighbouring integers; float32 or float64.
        modulus: q.

    Returns:
        [..., q] and [..., q], exact to the precision of the dtype, as constants: no gradient flows through them.

    Examples:
        >>> class_sums(torch.tensor([0.5, 100.0]), 2)[0]
        tensor([[0.6854, 0.3146],
                [0.5000, 0.5000]])
    """
    t = scales.detach()
    if modulus == 1:
        return torch.ones_like(t)[..., None], torch.zeros_like(t)[..., None]
    # What is left out: terms below this.
    exponent = -math.log(torch.finfo(t.dtype).eps / 8)
    # About as many terms on either side of the border.
    border = math.sqrt(modulus * math.sqrt(exponent / (2 * math.pi**2)) / math.sqrt(2 * exponent))
    small, large = t.clamp(max=border), t.clamp(min=border)
    direct = _direct(small, modulus, math.ceil(border * math.sqrt(2 * exponent)))
    dual = _dual(large, modulus, math.ceil(modulus / (math.pi * border) * math.sqrt(exponent / 2)))
    pairs = [
        (torch.where(t <= border, s, p), torch.where(t <= border, ds, dp))
        for s, p, ds, dp in zip(direct[0], dual[0], direct[1], dual[1], strict=True)
    ]
    # Classes r and q - r have the same sum.
    fold = [min(r, modulus - r) for r in range(modulus)]
    return torch.stack([pairs[c][0] for c in fold], -1), torch.stack([pairs[c][1] for c in fold], -1)


def _direct(t: Tensor, modulus: int, terms: int) -> tuple[list[Tensor], list[Tensor]]:
    """Sums and derivatives of the classes 0 … q // 2, from the masses of 0, +-1, … +-terms."""
    sums = [torch.zeros_like(t) for _ in range(modulus // 2 + 1)]
    slopes = [torch.zeros_like(t) for _ in sums]
    inverse = (math.sqrt(0.5) / t).clamp(max=1e18)  # its square is finite
    below, slope_below = torch.zeros_like(t), torch.zeros_like(t)
    for k in range(terms + 1):
        at = (k + 0.5) * inverse
        # The mass of [-k - 1/2, k + 1/2], and its derivative.
        mass, slope = torch.erf(at), at * torch.exp(-at.square()) * (-2 / math.sqrt(math.pi)) / t
        r = min(k % modulus, -k % modulus)
        # k and -k share what is new; where both are in the same class it has all of it.
        share = 1.0 if 2 * r % modulus == 0 else 0.5
        sums[r] += share * (mass - below)
        slopes[r] += share * (slope - slope_below)
        below, slope_below = mass, slope
    return sums, slopes


def _dual(t: Tensor, modulus: int, terms: int) -> tuple[list[Tensor], list[Tensor]]:
    """The same from the first ``terms`` of Poisson's summation formula."""
    sums = [torch.full_like(t, 1 / modulus) for _ in range(modulus // 2 + 1)]
    slopes = [torch.zeros_like(t) for _ in sums]
    rate = 2 * (math.pi / modulus) ** 2
    for m in range(1, terms + 1):
        if m % modulus == 0:
            continue  # sinc(m / q) = 0
        factor = 2 / modulus * math.sin(math.pi * m / modulus) / (math.pi * m / modulus)
        term = factor * torch.exp(-rate * m * m * t.square())
        slope = -2 * rate * m * m * t * term
        for r in range(len(sums)):
            cosine = math.cos(2 * math.pi * m * r / modulus)
            sums[r] += cosine * term
            slopes[r] += cosine * slope
    return sums, slopes
