"""Calibration: a trained coder's scale, search, decoder and prior, set by the objective that is evaluated.

Straight-through training sees a derivative of quantization that is wrong at low rate, and ends at the wrong scale of
the latents. But that scale is one number, and the true objective, with real quantization, can be computed. So with the
encoder fixed: for each scale in a search, prior and decoder are refitted to truly quantized latents (nothing there
needs a derivative of quantization) and rate + lambda * distortion is measured; the best scale is kept. All candidates
see the same numbers (common random numbers), so that their order has little noise.

With the encoder's rate-distortion optimal search, points minimize the very objective that prior and decoder descend, so
that refitting is an alternating minimization of it (as Chou, Lookabaugh & Gray 1989 do for codebooks), and moves the
scale by itself. It ends at zero rate if it starts too coarse; it is started at several finer scales, and kept if the
best of these is better than nearest points.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

import torch
from torch import Tensor

from ltc.models.coder import Coder
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.rd_search import RDSearch
from ltc.training.start import Start, rescale

__all__ = ["Calibration"]

Draw = Callable[[int], Tensor]

# Numbers of the batches of the calibration's stream: what is validated on is not what is fitted on.
_REFIT, _VALIDATION = 0, 1_000_000


@dataclass
class Calibration:
    """The search for the scale.

    Args:
        rdo: whether the encoder may search for rate-distortion optimal points, where its prior allows it.
        lowest: the least factor for the scale.
        highest: the largest one.
        evaluations: candidates of a golden-section search.
        rounds: searches at most: where the best scale is at the end of an interval, another one starts there.
        refit_steps: steps of prior and decoder for each candidate.
        rdo_factors: factors for the best scale that the rate-distortion optimal search starts from.
        rdo_steps: steps of prior and decoder from each of them.
        final_steps: steps of prior and decoder at the scale that won.
        validation_symbols: numbers (latents) that the objective is measured on.
        lr: initial learning rate of a refit; it falls to 0 along a cosine.

    Raises:
        ValueError: if there is no interval of positive factors to search, or nothing is tried in it.
    """

    rdo: bool = True
    lowest: float = 0.5
    highest: float = 1.5
    evaluations: int = 7
    rounds: int = 4
    refit_steps: int = 100
    rdo_factors: tuple[float, ...] = (1.0, 1.4)
    rdo_steps: int = 300
    final_steps: int = 500
    validation_symbols: int = 200_000
    lr: float = 5e-3

    def __post_init__(self) -> None:
        if not 0 < self.lowest < self.highest < math.inf:
            raise ValueError(
                f"Factors for the scale are searched from lowest to highest, two positive numbers in this order, got "
                f"lowest={self.lowest:g} and highest={self.highest:g}."
            )
        if self.evaluations < 1 or self.rounds < 1:
            raise ValueError(f"evaluations and rounds must be at least 1, got {self.evaluations} and {self.rounds}.")

    def __call__(
        self, coder: Coder, objective: RDSearch, draw: Draw, neighbour: Start | None = None
    ) -> dict[str, float]:
        """Calibrates ``coder`` in place, if that lowers its cost.

        Args:
            coder: a coder with a lattice bottleneck.
            objective: the price of distortion and its measure; with mu, it may become the coder's ``search``.
            draw: ``draw(index)`` gives batch number ``index`` [blocks, components] of the training distribution.
            neighbour: the coder that training began with, of another lambda: it is brought to this one as well, and
                kept if that is better than what training has made of it.

        Returns:
            cost_before and cost_after (bits + price * distortion of a block, on batches of their own), the scale's
            factor, and whether the search is used (1.0 or 0.0).
        """
        objective = copy.deepcopy(objective)
        validation = _validation(draw, self.validation_symbols)
        before = _cost(coder, objective, validation)

        def candidate(start: Coder, factor: float, search: RDSearch | None, steps: int) -> tuple[float, Coder]:
            coder = copy.deepcopy(start)
            coder.search = copy.deepcopy(search)
            rescale(coder, factor)
            self._refit(coder, objective, draw, steps)
            return _cost(coder, objective, validation), coder

        tried: list[tuple[float, Coder]] = []

        def attempt(log_factor: float, start: Coder) -> float:
            tried.append(candidate(start, math.exp(log_factor), None, self.refit_steps))
            return tried[-1][0]

        searches = self.rdo and coder.bottleneck.searches
        # A neighbour's scale, moved to this lambda, needs no search of its own where points are searched for.
        if neighbour is None or not searches:
            low, high = math.log(self.lowest), math.log(self.highest)
            start, gain = coder, float(coder.gain)
            for _ in range(self.rounds):
                _golden_section(functools.partial(attempt, start=start), low, high, self.evaluations)
                start = min(tried, key=itemgetter(0))[1]
                # Well inside the interval: found. At its end: search again from there.
                if 1.2 * self.lowest < float(start.gain) / gain < self.highest / 1.2:
                    break
                gain = float(start.gain)
        else:
            start = coder
        if searches:
            factors = self.rdo_factors if neighbour is None else (1.0,)
            tried += [candidate(start, factor, objective, self.rdo_steps) for factor in factors]
        if neighbour is not None:
            tried += self._continued(neighbour, objective, draw, validation)
        winner = min(tried, key=itemgetter(0))[1]
        self._refit(winner, objective, draw, self.final_steps)
        after, factor = _cost(winner, objective, validation), float(winner.gain / coder.gain)
        if after >= before:
            return {"cost_before": before, "cost_after": before, "factor": 1.0, "search": 0.0}
        coder.search = winner.search
        coder.load_state_dict(winner.state_dict())
        return {"cost_before": before, "cost_after": after, "factor": factor, "search": float(coder.search is not None)}

    def _continued(
        self, neighbour: Start, objective: RDSearch, draw: Draw, validation: Tensor
    ) -> list[tuple[float, Coder]]:
        """A coder of another lambda as the price moves to this one, at the scale that it had and at high rate's.

        With the search, and if it had none without: where transforms are no isometries an open search may ruin a coder.
        """
        end, found = float(objective.price), []
        begin = end * neighbour.ratio
        searches = {neighbour.coder.search is not None, True} if neighbour.coder.bottleneck.searches else {False}
        for factor in {1.0, neighbour.ratio**-0.5}:
            for searched in searches if self.rdo else {False}:
                coder = copy.deepcopy(neighbour.coder).to(validation.device)
                coder.search = copy.deepcopy(coder.search or objective) if searched else None
                coder.neighbours = None  # of another price
                rescale(coder, factor)
                self._refit(coder, objective, draw, max(2, self.rdo_steps // 2), begin)
                found.append((_cost(coder, objective, validation), coder))
        return found

    def _refit(self, coder: Coder, objective: RDSearch, draw: Draw, steps: int, begin: float | None = None) -> None:
        """Prior and decoder on latents quantized as in evaluation, the encoder fixed; mu follows the decoder.

        With ``begin``, the price moves from there to the objective's in the first half of the steps.
        """
        end = float(objective.price)
        bottleneck = coder.bottleneck
        assert isinstance(bottleneck, LatticeBottleneck)
        coder.train()
        parameters = [*bottleneck.parameters(), *coder.synthesis.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=self.lr, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        for step in range(steps):
            if begin is not None:
                share = min(1.0, 2 * (step + 1) / steps)
                _set_price(begin ** (1 - share) * end**share, objective, coder.search)
            x = draw(_REFIT + step)
            with torch.no_grad():
                y = coder.latents(x)
                if coder.search is not None and step % 10 == 0:
                    coder.search.tune(x, y, coder.decode)
            # The same dither, where there is any, for each candidate.
            bottleneck.seek(step)
            loss = objective.cost(x, *coder.refit(y)).mean() / x.shape[1]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if coder.search is not None:
            coder.search.tune(x, y, coder.decode)


def _validation(draw: Draw, symbols: int) -> Tensor:
    first = draw(_VALIDATION)
    count = -(-symbols // first.numel())
    return torch.cat([first, *(draw(_VALIDATION + i) for i in range(1, count))])


@torch.no_grad()
def _cost(coder: Coder, objective: RDSearch, x: Tensor) -> float:
    coder.eval()
    reconstruction, bits = coder(x)
    return float(objective.cost(x, reconstruction, bits).mean())


def _set_price(price: float, *objectives: RDSearch | None) -> None:
    for objective in objectives:
        if objective is not None:
            objective.price.fill_(price)


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
