"""A scalar model of CompressAI becomes a lattice model: its bottlenecks are exchanged, all else stays as it is."""

from __future__ import annotations

from typing import Any, TypeVar

from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import nn

from ltc.images.entropy_bottleneck import LatticeEntropyBottleneck
from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.triangular_bottleneck import TriangularEntropyBottleneck
from ltc.lattices import Lattice, TrellisLattice

__all__ = ["use_lattice"]

Model = TypeVar("Model", bound=nn.Module)


def use_lattice(
    model: Model, lattice: Lattice, along: str = "channels", hyper: bool = False, by_scale: bool = True
) -> Model:
    """Exchanges the bottlenecks of a model, or of a latent codec, for a lattice's.

    Every ``GaussianConditional`` becomes a ``ltc.images.LatticeGaussianConditional``, with its table of scales.
    An ``EntropyBottleneck`` becomes a ``ltc.images.LatticeEntropyBottleneck`` (of a lattice without a trellis, as
    learned ones are, a ``ltc.images.TriangularEntropyBottleneck``), with its parameters, if it codes the latents
    themselves; that of a hyper-latent is left as it is, unless ``hyper`` is true.

    Args:
        model: is changed, and returned. It may have been loaded from a scalar model's checkpoint before.
        lattice: the lattice.
        along: what vectors are made of (``ltc.images.layout.ALONG``); for an entropy bottleneck, ``image`` means
            ``positions``.
        hyper: whether the hyper-latent is quantized by the lattice too.
        by_scale: whether latents are ordered by their scales first.

    Raises:
        ValueError: if the model has no bottleneck to exchange.

    Examples:
        >>> from compressai.models import ScaleHyperprior
        >>> from ltc import lattices
        >>> model = use_lattice(ScaleHyperprior(8, 16), lattices.get("e8"))
        >>> type(model.gaussian_conditional).__name__, type(model.entropy_bottleneck).__name__
        ('LatticeGaussianConditional', 'EntropyBottleneck')
    """
    found: dict[nn.Module, nn.Module] = {}
    conditionals = [m for m in model.modules() if isinstance(m, GaussianConditional)]
    for module in model.modules():
        if type(module) is GaussianConditional:
            scalar: Any = module
            bound = float(scalar.scale_bound)
            conditional = LatticeGaussianConditional(lattice, along, scalar.scale_table, bound, by_scale=by_scale)
            found[module] = conditional.to(scalar.scale_table.device).train(module.training)
        elif type(module) is EntropyBottleneck and (hyper or not conditionals):
            runs = "positions" if along == "image" else along
            kind = LatticeEntropyBottleneck if isinstance(lattice, TrellisLattice) else TriangularEntropyBottleneck
            found[module] = kind.of(module, lattice, runs, by_scale)
    if not found:
        raise ValueError(f"{type(model).__name__} has no scalar bottleneck that a lattice could take the place of.")
    for parent in list(model.modules()):
        # Under each name that it has: a codec may be known to its model under two.
        for name, child in list(parent._modules.items()):
            if child in found:
                parent._modules[name] = found[child]
    return model
