"""`Sawbridge`: a path that climbs with slope one and falls by one at a random time."""

import torch
from torch import Tensor

from datamodules.source import Source

__all__ = ["Sawbridge"]


class Sawbridge(Source):
    r"""The sawbridge, X(t) = t - 1[t > U] for t in [0, 1], with U uniform on [0, 1).

    One symbol is one path at `points` equally spaced times, both ends included. All paths lie on a curve, so
    one latent describes a path, while the Karhunen-Loève transform needs infinitely many coefficients: mean
    and covariance are those of the Brownian bridge,

    $$
    E X(t) = 0, \qquad E X(s) X(t) = \min(s, t) - st,
    $$

    and the mean variance of the N points is (N - 2) / (6 (N - 1)), about 1/6. The paper knows the best
    *entropy* of a one-shot coder at each distortion; Shannon's R(D) has no known closed form, so
    `rate_distortion` is None.

    Reference: Wagner & Ballé, "Neural Networks Optimally Compress the Sawbridge", DCC 2021, arXiv:2011.05065;
    1,024 points as in models/toy_sources of github.com/tensorflow/compression (there with 10 latents).

    Args:
        points: N, at least 2.
        latents: latent dimensions a one-shot coder should use per path.

    Raises:
        ValueError: fewer than 2 points, no latents, or a measure other than "mse".

    Examples:
        >>> x = Sawbridge(points=5).sample(2, torch.Generator().manual_seed(0))  # U = 0.4963 and 0.7682
        >>> x.tolist()
        [[0.0, 0.25, -0.5, -0.25, 0.0], [0.0, 0.25, 0.5, 0.75, 0.0]]
    """

    name = "sawbridge"

    def __init__(self, points: int = 1024, latents: int = 8, measure: str = "mse") -> None:
        if points < 2:
            raise ValueError(f"sawbridge: points must be at least 2, got {points}.")
        super().__init__(dim=points, measure=measure, latents=latents)
        self._times = torch.linspace(0, 1, points)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        jump = torch.rand(count, 1, generator=generator, device=generator.device)
        times = self._times.to(jump)
        return times - (times > jump).to(times)
