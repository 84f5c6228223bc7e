"""What a bitstream takes from an entropy model: weights of integers, and the tables made of them."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from ltc.coding.dithered_model import PHASES, DitheredModel
from ltc.coding.errors import NoBitstream
from ltc.coding.point_models import PointModel
from ltc.coding.trellis_model import TrellisModel
from ltc.coding.triangular_model import PHASES as TRIANGULAR_PHASES
from ltc.coding.triangular_model import TriangularModel
from ltc.coding.uniform_model import UniformModel
from ltc.entropy import (
    EntropyModel,
    MixturePrior,
    NestedPrior,
    TableModel,
    TrellisCodePrior,
    TrellisPrior,
    TriangularPrior,
)

__all__ = ["dithered_point_model", "floored_weights", "point_model"]

# log weights end at this, and fall by one a step from there: each integer has a positive weight, so that no state of a
# trellis is a dead end.
_FLOOR = -60.0


@functools.singledispatch
def point_model(model: EntropyModel, weights: dict[str, np.ndarray] | None = None) -> PointModel:
    """The tables of an entropy model.

    Args:
        model: an exact model.
        weights: what ``PointModel.weights`` was when the model was saved; made anew by default.

    Raises:
        NoBitstream: if the model has none.
    """
    raise NoBitstream(f"{type(model).__name__} has no bitstream: its rate is an estimate, or its coder has no code.")


@point_model.register
def _(model: TableModel, weights: dict[str, np.ndarray] | None = None) -> PointModel:
    return TrellisModel(model.lattice, model.dim, weights or _table_weights([model], torch.ones(1)), _run(model))


@point_model.register
def _(model: MixturePrior, weights: dict[str, np.ndarray] | None = None) -> PointModel:
    tables = [c for c in model.components if isinstance(c, TableModel)]
    if len(tables) < len(model.components):
        raise NoBitstream(f"A mixture on {model.lattice.name} has no bitstream: the lattice has no trellis.")
    first, shares = tables[0], model.log_weights().exp()
    return TrellisModel(first.lattice, model.dim, weights or _table_weights(tables, shares), _run(first))


@point_model.register
def _(model: TriangularPrior, weights: dict[str, np.ndarray] | None = None) -> PointModel:
    return TriangularModel(model.dim, weights or _phase_weights(model))


@point_model.register
def _(model: NestedPrior, weights: dict[str, np.ndarray] | None = None) -> PointModel:
    return UniformModel(model.dim, model.q)


def dithered_point_model(model: EntropyModel, weights: dict[str, np.ndarray] | None = None) -> DitheredModel:
    """The tables of an entropy model, given a dither.

    Raises:
        NoBitstream: if the model has none with dither.
    """
    if not isinstance(model, TrellisPrior):
        raise NoBitstream(f"{type(model).__name__} has no bitstream with a dither.")
    return DitheredModel(model.lattice, model.dim, weights or _dithered_weights(model))


@torch.no_grad()
def _table_weights(models: list[TableModel], shares: Tensor) -> dict[str, np.ndarray]:
    radius = max(m.radius(torch.zeros(1)) for m in models)
    logs = torch.stack([_columns(m, m.tables(radius)[0]) for m in models])  # [components, integers, period]
    w = floored_weights(logs, models[0].grid(radius), dim=1).numpy()
    return {"w": w, "shares": shares.detach().double().cpu().numpy()}


@torch.no_grad()
def _phase_weights(model: TriangularPrior) -> dict[str, np.ndarray]:
    generator = model.lattice.generator
    assert generator is not None
    radius = int((model.support() / model.step).amax()) + 2
    m = torch.arange(-radius, radius + 1, dtype=torch.float64, device=model.step.device)
    phase = (torch.arange(TRIANGULAR_PHASES, device=m.device) + 0.5) / TRIANGULAR_PHASES
    logs = model.log_mass((m + phase[:, None])[..., None] * model.step, model.step)  # [phases, integers, dim]
    w = floored_weights(logs, m, dim=1).numpy()
    return {"w": w, "basis": generator.double().cpu().numpy()}


@torch.no_grad()
def _dithered_weights(model: TrellisPrior) -> dict[str, np.ndarray]:
    grid = model.grid(model.radius(torch.zeros(1), spare=1))
    phase = torch.arange(PHASES, dtype=torch.float64, device=grid.device) / PHASES
    logs = model.family.log_mass((grid + phase[:, None])[..., None] * model.step, model.step, model._which)
    return {"w": floored_weights(logs, grid, dim=1).numpy()}


def floored_weights(log_f: Tensor, k: Tensor, dim: int = -1) -> Tensor:
    """f over its largest value, of which none is zero: at least a tiny number that falls with |k|, the same for all.

    Args:
        log_f: log f at the integers, along one axis [..., integers, ...].
        k: the integers.
        dim: the axis.

    Returns:
        float64, of the shape of ``log_f``, on the CPU.
    """
    logs = (log_f - log_f.amax(dim, keepdim=True)).double()
    floor = (_FLOOR - k.abs()).reshape(-1, *[1] * (log_f.ndim - 1 - dim % log_f.ndim))
    return torch.exp(torch.maximum(logs, floor)).cpu()


def _columns(model: TableModel, table: Tensor) -> Tensor:
    """One column for each different function of a trellis code's prior; otherwise one for each coordinate."""
    if not isinstance(model, TrellisCodePrior):
        return table
    return table[:, : model.period * model.run : model.run]


def _run(model: TableModel) -> int:
    return model.run if isinstance(model, TrellisCodePrior) else 1
