"""Published figures to stand beside ours: points (rate, distortion, gap to R(D)) of LTC on N(0, 1).

E. Lei, H. Hassani, S. Saeedi Bidokhti, *Approaching Rate-Distortion Limits in Neural Compression with Lattice Transform
Coding*, ICLR 2025, and the logs of its code: linear transforms, flow prior, 10,000 Monte-Carlo steps. A coder trained
for ``rate + lambda * distortion`` is compared at the lambda whose optimum is nearest, so both are judged by one cost.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PUBLISHED", "PublishedPoint"]


class PublishedPoint(NamedTuple):
    """Rate in bits per symbol, distortion, and the lambda it was trained for."""

    lattice: str
    lmbda: float
    rate: float
    distortion: float


PUBLISHED = [
    PublishedPoint("z", 2, 1.0489, 0.32875),
    PublishedPoint("z", 8, 1.9629, 0.09454),
    PublishedPoint("a2", 2, 0.9888, 0.34616),
    PublishedPoint("dn_dual", 2, 0.9460, 0.34985),
    PublishedPoint("e8", 2, 0.9047, 0.34972),
    PublishedPoint("e8", 8, 1.8825, 0.09038),
    PublishedPoint("bw16", 2, 0.9105, 0.33780),
    PublishedPoint("bw16", 8, 1.8453, 0.09117),
    PublishedPoint("leech", 1, 0.4541, 0.60534),
    PublishedPoint("leech", 1.5, 0.6925, 0.43818),
    PublishedPoint("leech", 2, 0.8424, 0.35422),
    PublishedPoint("leech", 4, 1.3240, 0.18144),
    PublishedPoint("leech", 8, 1.8207, 0.09141),
]
