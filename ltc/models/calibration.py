"""Calibration: a trained coder's scale, search, decoder and prior, set by the objective that is evaluated.

Straight-through training sees a derivative of quantization that is wrong at low rate, and ends at the wrong scale of
the latents. But that scale is one number, and the true objective, with real quantization, can be computed. So with the
encoder fixed: for each scale in a search, prior and decoder are refitted to truly quantized latents (nothing there
needs a derivative of quantization) and rate + lambda * distortion is measured; the best scale is kept. All candidates
see the same numbers (common random numbers), so that their order has little noise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ltc.models.bottleneck import LatticeBottleneck
from ltc.models.coder import Coder
from ltc.models.rd_search import RDSearch, decoder_gain

__all__ = ["Calibration"]

Draw = Callable[[int], Tensor]


@dataclass
class Calibration:
    """The search for the scale.

    Args:
        rdo: whether the encoder searches for rate-distortion optimal points where its prior allows it.
        lowest: the least factor for the scale.
        highest: the largest one.
        evaluations: candidates of the golden-section search.
        refit_steps: steps of prior and decoder for each candidate.
        final_steps: their steps at the scale that won.
        batch_size: blocks for a step.
        validation_blocks: blocks that the objective is measured on.
        lr: initial learning rate of a refit; it falls to 0 along a cosine.
    """

    rdo: bool = True
    lowest: float = 0.5
    highest: float = 1.5
    evaluations: int = 7
    refit_steps: int = 120
    final_steps: int = 600
    batch_size: int = 500
    validation_blocks: int = 10_000
    lr: float = 5e-3

    def __call__(self, coder: Coder, objective: RDSearch, draw: Draw) -> dict[str, float]:
        """Calibrates ``coder`` in place.

        Args:
            coder: a coder with a lattice bottleneck.
            objective: the price of distortion and its measure; becomes the coder's ``search`` if ``rdo``.
            draw: ``draw(seed)`` gives a fresh training batch [blocks, components] of at least ``batch_size`` blocks.

        Returns:
            cost_before, cost_after (bits + price * distortion of a block, on data of their own) and the scale's factor.
        """
        if self.rdo and coder.bottleneck.searches:
            coder.search = objective
        validation = self._data(draw, self.validation_blocks, 1)
        before = self._cost(coder, objective, validation)
        log_low, log_high = (torch.log(torch.tensor(f)).item() for f in (self.lowest, self.highest))
        tried: dict[float, tuple[float, Coder]] = {}

        def cost_of(log_factor: float) -> float:
            candidate = copy.deepcopy(coder)
            _rescale(candidate, float(torch.tensor(log_factor).exp()))
            self._refit(candidate, objective, draw, self.refit_steps)
            cost = self._cost(candidate, objective, validation)
            tried[log_factor] = (cost, candidate)
            return cost

        _golden_section(cost_of, log_low, log_high, self.evaluations)
        factor = min(tried, key=lambda f: tried[f][0])
        winner = tried[factor][1]
        self._refit(winner, objective, draw, self.final_steps)
        after = self._cost(winner, objective, validation)
        if after < before:
            coder.load_state_dict(winner.state_dict())
        return {"cost_before": before, "cost_after": min(before, after), "factor": float(torch.tensor(factor).exp())}

    def _data(self, draw: Draw, blocks: int, seed: int) -> Tensor:
        parts = [draw(seed)]
        while sum(len(p) for p in parts) < blocks:
            seed += 1
            parts.append(draw(seed))
        return torch.cat(parts)[:blocks]

    def _refit(self, coder: Coder, objective: RDSearch, draw: Draw, steps: int) -> None:
        """Prior and decoder on truly quantized latents, the encoder fixed; mu follows the decoder."""
        bottleneck = coder.bottleneck
        assert isinstance(bottleneck, LatticeBottleneck)
        coder.train()
        parameters = [*bottleneck.parameters(), *coder.synthesis.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=self.lr)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        for step in range(steps):
            x = self._data(draw, self.batch_size, 10_000 + step)
            with torch.no_grad():
                y = coder.latents(x)
                if step % 20 == 0:
                    _update_mu(coder, y, x.shape[1])
                point = bottleneck.quantize(y, 0.0 if coder.search is None else float(coder.search.mu))
            loss = objective.cost(x, coder.decode(point), bottleneck.rate(point)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        _update_mu(coder, y, x.shape[1])

    @torch.no_grad()
    def _cost(self, coder: Coder, objective: RDSearch, x: Tensor) -> float:
        coder.eval()
        reconstruction, bits = coder(x)
        return float(objective.cost(x, reconstruction, bits).mean())


def _update_mu(coder: Coder, y: Tensor, components: int) -> None:
    if coder.search is not None:
        # A point's error has variance G per dimension at unit volume, and G is about 0.07 for every lattice.
        coder.search.set_mu(components, decoder_gain(coder.decode, y, 0.07**0.5))


@torch.no_grad()
def _rescale(coder: Coder, factor: float) -> None:
    """Scales the latents, and moves the prior along."""
    coder.gain.mul_(factor)
    coder.bottleneck.rescale(factor)


def _golden_section(function: Callable[[float], float], low: float, high: float, evaluations: int) -> None:
    """Evaluates ``function`` where a golden-section search for its minimum does."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(max(0, evaluations - 2)):
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
