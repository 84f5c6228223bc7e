"""Training that starts from a coder that was trained before: at another lambda, or with another lattice."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ltc.models.coder import Coder
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.run_folder import read_start

__all__ = ["Start", "rescale", "start_from", "start_from_coder"]


class Start(NamedTuple):
    """A trained coder to go on from, and the lambda that it was trained for, over that of the training to come."""

    coder: Coder
    ratio: float


def start_from(module: Any, path: Path, lmbda: float) -> None:
    """Gives a module the weights of another one's checkpoint, its latents scaled for the module's own lambda.

    At high rate the step of a good quantizer is proportional to ``lambda^(-1/2)``: the latents, whose lattice has unit
    volume, are scaled by ``sqrt(lambda / lambda')``. What the coder was like before is kept as ``module.start``, for
    the calibration: at low rate the best step changes otherwise, and the better of both is taken.

    Args:
        module: a `ltc.training.RateDistortionModule` with a coder of the same form.
        path: Lightning's checkpoint.
        lmbda: lambda' of its training.

    Raises:
        ValueError: if there is no checkpoint, or one of another coder.
    """
    if not path.is_file():
        raise ValueError(f"There is no coder to start from: {path} does not exist.")
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    weights = {name.removeprefix("coder."): value for name, value in state.items() if name.startswith("coder.")}
    _start(module, weights, lmbda, path)


def start_from_coder(module: Any, path: Path) -> None:
    """The same from the file ``coder.pt`` of a run, whose lattice may be another one: its priors know each other.

    So that lattices are compared, and not what training happened to find, all of them go on from one coder that was
    trained with noise or with the integers.

    Args:
        module: as above.
        path: the file, or the run's folder.

    Raises:
        ValueError: if there is no such file, or one of another coder.
    """
    content = read_start(path)
    try:
        lmbda = float(json.loads(content["about"])["lambda"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"init_from={path} says no lambda that it was trained for: it is no coder of vectors."
        ) from error
    _start(module, content["state"], lmbda, path)


def _start(module: Any, weights: dict[str, Tensor], lmbda: float, path: Path) -> None:
    coder: Coder = copy.deepcopy(module.coder)
    try:
        coder.load_trained(weights, module.measure)
    except RuntimeError as error:
        raise ValueError(f"{path} holds another coder: {' '.join(str(error).split())}") from error
    module.start = Start(coder, lmbda / module.lmbda)
    module.coder = copy.deepcopy(coder)
    module.coder.search = module.coder.neighbours = None  # of another price
    rescale(module.coder, math.sqrt(module.lmbda / lmbda))


@torch.no_grad()
def rescale(coder: Coder, factor: float) -> None:
    """Scales a coder's latents, and moves its prior along, where it can follow in closed form."""
    coder.gain.mul_(factor)
    if isinstance(coder.bottleneck, LatticeBottleneck):
        coder.bottleneck.rescale(factor)
