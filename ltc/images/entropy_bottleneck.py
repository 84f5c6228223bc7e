"""CompressAI's EntropyBottleneck on a lattice: a learned density for each channel, vectors of latents are points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from compressai.entropy_models import EntropyBottleneck
from compressai.ops.bound_ops import LowerBoundFunction
from torch import Tensor

from ltc import lattices
from ltc.coding.conditional_model import ConditionalModel, distinct_steps, level_model
from ltc.coding.range_coder import Decoder, Encoder
from ltc.coding.weights import floored_weights
from ltc.entropy.cells import trellis_cells, with_slope
from ltc.entropy.trellis_sums import log_class_sums
from ltc.images.channel_masses import log_masses, mass_tables
from ltc.images.latent_coder import checked
from ltc.images.layout import Layout, Segment, nearest, segments, shared_points, spread, straight_through
from ltc.lattices import Lattice, TrellisLattice
from ltc.lattices.path_sum import log_path_sum

__all__ = ["LatticeEntropyBottleneck"]

_ALONG = ("channels", "positions")


class LatticeEntropyBottleneck(EntropyBottleneck):
    """The nearest lattice point to ``y - median``, and its exact probability ``prod_i f_i(k_i) / Z``.

    f_i is the mass of the learned density of a latent's channel on the coordinate's cell. It is called, trained (with
    its auxiliary loss) and loaded as ``compressai.entropy_models.EntropyBottleneck`` is, and has the same
    parameters; quantization is straight-through.

    Args:
        channels: of the latents.
        lattice: any with a trellis, or a trellis code.
        along: whether vectors are ``channels`` at one position or ``positions`` of one channel, whose latents all have
            the same density. What positions are left over are rounded.
        by_scale: whether channels are put into the order of their spread before vectors are made of them.
        kwargs: for CompressAI's.

    Raises:
        ValueError: for an unknown ``along``, or a lattice without a trellis.

    Examples:
        >>> bottleneck = LatticeEntropyBottleneck(16, lattices.get("e8")).eval()
        >>> y_hat, likelihoods = bottleneck(torch.randn(2, 16, 4, 4))
        >>> bottleneck.update()
        True
        >>> torch.equal(bottleneck.decompress(bottleneck.compress(y_hat), (4, 4)), y_hat)
        True
    """

    _weights: Tensor
    _radii: Tensor

    def __init__(
        self, channels: int, lattice: Lattice, along: str = "channels", by_scale: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(channels, **kwargs)
        if along not in _ALONG:
            raise ValueError(f"Vectors lie along one of {', '.join(_ALONG)}, not along {along!r}.")
        self._check(lattice)
        self.lattice, self.along, self.by_scale = lattice, along, by_scale
        # The coder's tables: float64, for each lattice, kind of step, channel and integer.
        self.register_buffer("_weights", torch.empty(0, dtype=torch.float64))
        self.register_buffer("_radii", torch.empty(0, dtype=torch.int32))
        self._coders: dict[str, ConditionalModel] = {}

    def _check(self, lattice: Lattice) -> None:
        """Refuses what there is no prior for."""
        if not isinstance(lattice, TrellisLattice):
            raise ValueError(f"{lattice.name} has no trellis, which this entropy bottleneck needs.")

    @classmethod
    def of(
        cls, scalar: EntropyBottleneck, lattice: Lattice, along: str, by_scale: bool = True
    ) -> LatticeEntropyBottleneck:
        """With the parameters of a scalar one."""
        kept = {name: getattr(scalar, name) for name in ("tail_mass", "init_scale", "filters")}
        found = cls(scalar.channels, lattice, along, by_scale, **kept)
        found.load_state_dict(scalar.state_dict(), strict=False)
        found._offset = found._offset.new_empty(0)
        return found.to(scalar.quantiles.device).train(scalar.training)

    def extra_repr(self) -> str:
        return f"channels={self.channels}, lattice={self.lattice.name}, along={self.along}"

    def forward(self, x: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Quantized latents and their likelihoods.

        Args:
            x: latents [batch, channels, …].
            training: there is no difference but that evaluation's latents are to the last bit those that are decoded.

        Returns:
            x_hat and likelihoods, both of the shape of ``x``; a likelihood is a vector's probability to the power 1/n.
        """
        training = self.training if training is None else training
        medians, order = self._medians(x), self._order()
        layout = Layout(x.shape, self.along)
        runs = layout.runs((x - medians).index_select(1, order))
        points, logs = [], []
        for segment in self._segments(runs.shape[-1]):
            point = straight_through(segment.lattice, runs[..., segment.start : segment.stop], exact=not training)
            points.append(point)
            logs.append(self._log_prob(point, segment, order))
        back = order.argsort()
        x_hat, log_likelihood = (layout.latents(torch.cat(p, -1)).index_select(1, back) for p in (points, logs))
        if self.use_likelihood_bound:
            bound = torch.log(self.likelihood_lower_bound.bound).to(log_likelihood)
            log_likelihood = LowerBoundFunction.apply(log_likelihood, bound)
        return x_hat + medians, log_likelihood.exp()

    def update(self, force: bool = False, update_quantiles: bool = False) -> bool:
        """Makes the coder's tables, which travel in the state; False if they are there already."""
        if self._weights.numel() > 0 and not force:
            return False
        if update_quantiles:
            self._update_quantiles()
        weights, radii = [], []
        with torch.no_grad():
            for lattice in self._lattices():
                log_mass, _, radius = self._tables(lattice)
                k = torch.arange(log_mass.shape[-1], device=log_mass.device) - radius
                weights.append(floored_weights(log_mass, k).flatten())
                radii.append(radius)
        self._weights = torch.cat(weights).to(self.quantiles.device)
        self._radii = torch.tensor(radii, dtype=torch.int32, device=self._weights.device)
        self._offset = torch.zeros(1, dtype=torch.int32, device=self._weights.device)
        self._coders = {}
        return True

    def compress(self, x: Tensor) -> list[bytes]:  # type: ignore[override]
        """A bitstream for each image of latents [batch, channels, …].

        Raises:
            ValueError: if there are no tables yet, or a latent is no number or far too large.
        """
        order = self._order()
        layout = Layout(x.shape, self.along)
        runs = layout.runs((x - self._medians(x)).detach().index_select(1, order))
        encoders = [Encoder() for _ in x]
        for segment in self._segments(runs.shape[-1]):
            lattice = segment.lattice
            k = checked(lattice.to_integers(nearest(lattice, runs[..., segment.start : segment.stop]))).cpu()
            levels, coder = self._levels(k.shape[1:], segment, order), self._coder_of(lattice)
            for encoder, integers in zip(encoders, k, strict=True):
                coder.encode(encoder, integers.reshape(-1, lattice.dim).numpy(), levels)
        return [encoder.getvalue() for encoder in encoders]

    def decompress(self, strings: Sequence[bytes], size: Sequence[int]) -> Tensor:  # type: ignore[override]
        """The quantized latents [batch, channels, *size] of bitstreams.

        Raises:
            ValueError: if there are no tables yet.
            CorruptStream: if a string is none of ``compress`` (a ValueError too).
        """
        order = self._order()
        shape = torch.Size((1, self.channels, *size))
        layout, found = Layout(shape, self.along), []
        empty = layout.runs(torch.empty(shape))
        for string in strings:
            decoder, points = Decoder(string), []
            for segment in self._segments(empty.shape[-1]):
                part = empty[..., segment.start : segment.stop]
                k = self._coder_of(segment.lattice).decode(decoder, self._levels(part.shape[1:], segment, order))
                points.append(shared_points(segment.lattice, torch.from_numpy(k).reshape(part.shape)))
            found.append(layout.latents(torch.cat(points, -1)))
        latents = torch.cat(found).to(order.device).index_select(1, order.argsort())
        return latents + self._medians(latents)

    def _log_prob(self, points: Tensor, segment: Segment, order: Tensor) -> Tensor:
        """log P of a segment of runs of points [batch, runs, length], spread over the elements of each vector."""
        lattice = segment.lattice
        assert isinstance(lattice, TrellisLattice)  # no other one gets past the constructor
        n, q = lattice.dim, lattice.trellis.modulus
        copies = points.shape[-1] // n
        k = lattice.to_integers(points.detach())
        # As long as the densities reach, however far latents do: a step's time does not depend on them.
        log_mass, slope, radius = self._tables(lattice)
        kind = torch.from_numpy(distinct_steps(lattice)[1]).to(k.device)
        row = kind.repeat(copies) * self.channels + self._channels(k.shape[1:], segment, order)  # [runs or 1, length]
        at = row * log_mass.shape[-1] + radius + k.clamp(-radius, radius)
        log_f = log_mass.flatten()[at]
        if slope is not None:
            log_f = with_slope(log_f, points, slope.flatten()[at])
        far = k.abs() > radius
        if bool(far.any()):
            log_f = torch.where(far, self._log_f(points, trellis_cells(lattice).to(points), segment, order), log_f)
        if lattice.is_code:
            return log_f  # in each state cells fill the line
        by_class = log_class_sums(log_mass, q).reshape(-1, q)
        if self.along == "positions":
            row = row[:, :n]  # one vector of a channel is like the other
        log_z = log_path_sum(lattice.trellis, by_class[row].unflatten(-2, (-1, n)))
        return spread(log_f.unflatten(-1, (copies, n)).sum(-1) - log_z, n)

    def _log_f(self, points: Tensor, width: Tensor, segment: Segment, order: Tensor) -> Tensor:
        """log masses of the channels' densities on cells around a segment's coordinates [batch, runs, length].

        Args:
            points: the coordinates, without medians.
            width: of the cells of a vector's coordinates [n].
            segment: where in the runs they are.
            order: of the channels.
        """
        width = width.repeat(points.shape[-1] // len(width))
        if self.along == "channels":
            x = points.flatten(0, 1).T  # [length, others]
            found = log_masses(self, x, width[:, None], order[segment.start : segment.stop])
            return found.T.unflatten(0, points.shape[:2])
        x = points.transpose(0, 1).flatten(1)  # [channels, others]
        return log_masses(self, x, width.repeat(len(points))).unflatten(1, (len(points), -1)).transpose(0, 1)

    def _tables(self, lattice: Lattice) -> tuple[Tensor, Tensor | None, int]:
        assert isinstance(lattice, TrellisLattice)
        return mass_tables(self, lattice)

    def _segments(self, length: int) -> list[Segment]:
        return segments(self.lattice, length, lattices.get("z") if self.along == "positions" else None)

    def _lattices(self) -> list[Lattice]:
        """All lattices that there may be in a run."""
        if self.lattice.is_code:
            return [self.lattice]
        if self.along == "positions":
            return [self.lattice, lattices.get("z")]
        return [s.lattice for s in segments(self.lattice, self.channels)]

    def _coder_of(self, lattice: Lattice) -> ConditionalModel:
        if self._weights.numel() == 0:
            raise ValueError("There are no tables yet: call update() first.")
        key = f"{lattice.name}_{lattice.dim}"
        if key not in self._coders:
            assert isinstance(lattice, TrellisLattice)
            start = 0
            for known, radius in zip(self._lattices(), self._radii.tolist(), strict=True):
                assert isinstance(known, TrellisLattice)
                kinds, integers = len(distinct_steps(known)[0]), 2 * radius + known.trellis.modulus
                stop = start + kinds * self.channels * integers
                if (known.name, known.dim) == (lattice.name, lattice.dim) or known.is_code:
                    weights = self._weights[start:stop].cpu().numpy().reshape(kinds, self.channels, integers)
                    self._coders[key] = level_model(lattice, [list(rows) for rows in weights])
                start = stop
        return self._coders[key]

    def _channels(self, shape: Sequence[int], segment: Segment, order: Tensor) -> Tensor:
        """The channel of each element of a segment's runs [runs, length]; [runs or 1, length]."""
        if self.along == "channels":
            return order[None, segment.start : segment.stop]
        return torch.arange(self.channels, device=order.device)[:, None].expand(*shape)

    def _levels(self, shape: Sequence[int], segment: Segment, order: Tensor) -> np.ndarray:
        channels = self._channels(shape, segment, order).expand(*shape)
        return channels.reshape(-1, segment.lattice.dim).cpu().numpy()

    def _order(self) -> Tensor:
        """The channels in the order in which vectors are made of them: int64 [channels]."""
        if self.along == "positions" or not self.by_scale:
            return torch.arange(self.channels, device=self.quantiles.device)
        spread = self.quantiles[:, 0, 2] - self.quantiles[:, 0, 0]
        return spread.detach().argsort(descending=True, stable=True)

    def _medians(self, x: Tensor) -> Tensor:
        return self._get_medians().detach().reshape(1, -1, *[1] * (x.ndim - 2))

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        # Tables of any size fit, and those of a scalar model's checkpoint are of no use.
        for name in ("_offset", "_quantized_cdf", "_cdf_length", "_weights", "_radii"):
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, getattr(self, name).new_empty(state_dict[f"{prefix}{name}"].shape))
            elif name in ("_weights", "_radii"):
                state_dict[f"{prefix}{name}"] = getattr(self, name)
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._coders = {}
