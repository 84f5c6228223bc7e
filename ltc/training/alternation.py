"""Alternation: a coder that was trained with noise goes on with true quantization, the encoder's search in the loop.

The straight-through estimator takes quantization's derivative to be 1. On the coarse latents of a nonlinear one-shot
coder that derivative is so wrong that descent leaves a good start: on Physics at lambda = 30000 a coder of cost 11.88
that goes on straight through costs 12.1 after 500 steps and 13.7 after 2,000. Here nothing needs a derivative of
quantization (entropy-constrained vector quantization, Chou, Lookabaugh & Gray 1989, with networks in the place of
tables):

1. the encoder picks, for each block, the cheapest point among the nearest one and its neighbours, each of them decoded;
2. decoder and prior descend bits + price * distortion at these points;
3. the analysis transform descends its distance to them, so that the next search starts where this one has ended.

The first two steps minimize the objective itself, and the state that is best on data that no step has seen is kept, the
start among them: the result never costs more there.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ltc.entropy import LatentsTooFar
from ltc.models.coder import Coder
from ltc.models.latent_order import LatentOrder, order_by_use
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.rd_search import RDSearch
from ltc.training.calibration import Draw

__all__ = ["Alternation"]


@dataclass
class Alternation:
    """The quantized phase of a one-shot coder's training.

    Args:
        steps: of all three parts together.
        lr: learning rate of the transforms at the start; it falls to 0 along a cosine.
        prior_lr: that of the prior.
        weight_decay: of the transforms (decoupled, AdamW): a decoder of a few points learns a small data set by heart.
        neighbours: candidates of the search in a step of training, at random; evaluation looks at all of them.
        checks: how often the coder is measured on held-out blocks.
        order: whether latents are first put into the order of their use.
        floats: of a batch that a step uses, in whole blocks; None for the batch as it is.

    Raises:
        ValueError: if there are no steps, checks, neighbours or floats, or a rate is not positive.
    """

    steps: int = 1000
    lr: float = 1e-3
    prior_lr: float = 5e-3
    weight_decay: float = 1.0
    neighbours: int = 32
    checks: int = 8
    order: bool = True
    floats: int | None = None

    def __post_init__(self) -> None:
        counts = {"steps": self.steps, "checks": self.checks, "neighbours": self.neighbours}
        if self.floats is not None:
            counts["floats"] = self.floats
        if min(counts.values()) < 1 or not min(self.lr, self.prior_lr) > 0:
            raise ValueError(
                f"An alternation has {', '.join(counts)} >= 1 and learning rates > 0, got "
                f"{', '.join(str(count) for count in counts.values())}, {self.lr:g} and {self.prior_lr:g}."
            )

    def __call__(self, coder: Coder, objective: RDSearch, draw: Draw, held_out: Tensor) -> dict[str, float]:
        """Trains ``coder`` in place, and keeps what is best on ``held_out``.

        Args:
            coder: a coder with a lattice bottleneck, trained with noise.
            objective: the price of distortion and its measure.
            draw: ``draw(index)`` gives batch number ``index`` [blocks, components] of the training distribution.
            held_out: blocks [count, components] that training has not seen.

        Returns:
            cost_before and cost_after, bits + price * distortion of a held-out block, and the ``step`` of the state
            that was kept (0 for the start).
        """
        best = _Best(coder, objective, held_out)
        before = best.cost  # a start that cannot be evaluated costs infinitely much
        self._prepare(coder, objective, draw(0))
        best.offer(coder, 0)
        optimizer, schedule = self._optimizer(coder)
        every = max(1, self.steps // self.checks)
        for step in range(self.steps):
            x = draw(step)
            if self.floats is not None:
                x = x[: max(1, self.floats // x.shape[1])]
            if not self._step(coder, objective, x, optimizer):
                break
            schedule.step()
            if (step + 1) % every == 0 or step + 1 == self.steps:
                best.offer(coder, step + 1)
        best.restore(coder)
        return {"cost_before": before, "cost_after": best.cost, "step": float(best.step)}

    def _step(self, coder: Coder, objective: RDSearch, x: Tensor, optimizer: torch.optim.Optimizer) -> bool:
        """One step of all three parts; False where training diverges, which ends it."""
        coder.train()
        coder.noisy = False
        y = coder.latents(x)
        try:
            point = coder.closed_loop(x, y.detach(), self.neighbours)
            cost = objective.cost(x, coder.decode(point), coder.bottleneck.rate(point)).mean() / x.shape[1]
        except LatentsTooFar:
            return False
        loss = cost + (y - point).square().mean()
        if not torch.isfinite(loss):
            return False
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return True

    def _prepare(self, coder: Coder, objective: RDSearch, x: Tensor) -> None:
        """The latents' order and the search, for a coder that comes from training with noise."""
        bottleneck = coder.bottleneck
        assert isinstance(bottleneck, LatticeBottleneck)
        with torch.no_grad():
            y = coder.eval().latents(x)
        if self.order and coder.order is None:
            order = order_by_use(y)
            coder.order = LatentOrder(order)
            bottleneck.permute(order)
        coder.neighbours = coder.closed_search(objective).to(y.device)

    def _optimizer(self, coder: Coder) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        transforms = [*coder.analysis.parameters(), *coder.synthesis.parameters()]
        groups = [
            {"params": transforms, "lr": self.lr, "weight_decay": self.weight_decay},
            {"params": list(coder.bottleneck.parameters()), "lr": self.prior_lr, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], fused=True)
        return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.steps)


class _Best:
    """The coder that costs least on held-out blocks, of those that were offered.

    Args:
        coder: the first one.
    """

    def __init__(self, coder: Coder, objective: RDSearch, held_out: Tensor) -> None:
        self.objective, self.held_out = objective, held_out
        self.cost, self.step = math.inf, 0
        self.offer(coder, 0)

    @torch.no_grad()
    def offer(self, coder: Coder, step: int) -> None:
        try:
            cost = float(self.objective.cost(self.held_out, *coder.eval()(self.held_out)).mean())
        except LatentsTooFar:
            return
        if cost < self.cost:
            self.cost, self.step = cost, step
            self.state = copy.deepcopy(coder.state_dict())
            self.parts = copy.deepcopy((coder.neighbours, coder.order))

    def restore(self, coder: Coder) -> None:
        coder.neighbours, coder.order = self.parts
        coder.load_state_dict(self.state)
