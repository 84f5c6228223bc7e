"""Fine-tuning: a network that starts from one that has been trained, with another bottleneck maybe."""

from __future__ import annotations

from pathlib import Path

import torch
from compressai.entropy_models import EntropyModel
from torch import nn

from ltc.run_folder import read_start

__all__ = ["start_from"]


@torch.no_grad()
def start_from(network: nn.Module, path: Path | str) -> None:
    """Gives a network the parameters of a trained one, as far as both have them.

    The transforms must be the same, number for number. Parameters of entropy models are taken where both networks have
    them: a scalar network's densities serve a lattice, too, for lattices have unit volume as the integers do.

    Args:
        network: changed in place.
        path: the ``coder.pt`` that an image run leaves, or the run's folder.

    Raises:
        ValueError: if there is no such file, or its network has other transforms.
    """
    state = read_start(path)["state"]
    models = [f"{name}." for name, module in network.named_modules() if isinstance(module, EntropyModel)]
    for name, parameter in network.named_parameters():
        found = state.get(name)
        if found is not None and found.shape == parameter.shape:
            parameter.copy_(found)
        elif not name.startswith(tuple(models)):
            has = "none" if found is None else str(list(found.shape))
            raise ValueError(
                f"init_from={path} has other transforms than this network: of {name}, which is "
                f"{list(parameter.shape)} here, it has {has}."
            )
