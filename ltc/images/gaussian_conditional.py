"""CompressAI's GaussianConditional on a lattice: latents have a scale and a mean each, vectors of them are points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from compressai.entropy_models import GaussianConditional
from compressai.models import get_scale_table
from compressai.ops.bound_ops import LowerBoundFunction
from torch import Tensor, nn

from ltc.coding.range_coder import Decoder, Encoder
from ltc.entropy.conditional import conditional_prior
from ltc.entropy.conditional_base import ConditionalPrior
from ltc.images.latent_coder import LatentCoder
from ltc.images.latent_search import LatentSearch
from ltc.images.layout import ALONG, Layout, Segment, nearest, segments, spread, straight_through
from ltc.images.position_coder import SerialDecoder, SerialEncoder
from ltc.lattices import Lattice

__all__ = ["LatticeGaussianConditional"]

# Levels of the coder between two scales of the table: CompressAI's own are 13 % apart, and a Gaussian coded with the
# next larger one costs up to 0.02 bit more.
_FINER = 4


class LatticeGaussianConditional(GaussianConditional):
    """The nearest lattice point to ``y - mean``, its exact probability given the scales, and its bitstream.

    It is called as ``compressai.entropy_models.GaussianConditional`` is; where that adds noise in training, this
    quantizes and takes the derivative to be 1 (straight-through). With ``lattice=z`` its likelihoods are CompressAI's.

    A likelihood is a *vector's* probability to the power 1/n, for each of its n elements alike (of a trellis code, an
    element's own), so that the sum of ``-log2(likelihoods)`` is the rate.

    Args:
        lattice: any with a trellis, or a trellis code.
        along: what vectors are made of, one of ``ltc.images.layout.ALONG``: ``channels`` at one position,
            ``positions`` of one channel, or all elements of the ``image``.
        scale_table: ascending scales that the coder knows; CompressAI's 64 from 0.11 to 256 by default.
        scale_bound: no scale is less.
        remainder: the lattice of what is left of a run, where it fits.
        by_scale: whether a run's elements are put into the order of their scales before vectors are made of them;
            without, a lattice of many dimensions loses more than it gains where scales differ
            (``ltc.images.layout``).

    Raises:
        ValueError: for an unknown ``along``.

    Examples:
        >>> from ltc import lattices
        >>> conditional = LatticeGaussianConditional(lattices.get("e8")).eval()
        >>> y, scales = torch.randn(2, 16, 4, 4), torch.ones(2, 16, 4, 4)
        >>> y_hat, likelihoods = conditional(y, scales)
        >>> indexes = conditional.build_indexes(scales)
        >>> torch.equal(conditional.decompress(conditional.compress(y, indexes), indexes), y_hat)
        True
    """

    scale_table: Tensor
    _edges: Tensor

    def __init__(
        self,
        lattice: Lattice,
        along: str = "channels",
        scale_table: Sequence[float] | Tensor | None = None,
        scale_bound: float = 0.11,
        remainder: Lattice | None = None,
        by_scale: bool = True,
    ) -> None:
        if along not in ALONG:
            raise ValueError(f"Vectors lie along one of {', '.join(ALONG)}, not along {along!r}.")
        table = get_scale_table() if scale_table is None or not len(scale_table) else torch.as_tensor(scale_table)
        super().__init__(table.tolist(), scale_bound=scale_bound)
        self.along, self.remainder, self.by_scale = along, remainder, by_scale
        self.prior = conditional_prior(lattice)
        # Of what is left of a run, and of a code's other lengths: they hold no parameters.
        self._others = nn.ModuleDict()
        self.register_buffer("_edges", torch.empty(0), persistent=False)
        self._find_levels()

    @property
    def lattice(self) -> Lattice:
        return self.prior.lattice

    def extra_repr(self) -> str:
        return f"lattice={self.lattice.name}, along={self.along}, by_scale={self.by_scale}"

    def forward(  # type: ignore[override]
        self, inputs: Tensor, scales: Tensor, means: Tensor | None = None, training: bool | None = None
    ) -> tuple[Tensor, Tensor]:
        """Quantized latents and their likelihoods.

        Args:
            inputs: latents [batch, channels, …].
            scales: of the prior, of the same shape (or one that expands to it).
            means: likewise; zero by default.
            training: there is no difference but that evaluation's latents are to the last bit those that are decoded.

        Returns:
            y_hat and likelihoods, both of the inputs' shape and dtype.
        """
        training = self.training if training is None else training
        scales = self.lower_bound_scale(scales).expand_as(inputs)
        centered = inputs if means is None else inputs - means
        layout = self._layout(centered.shape, self._index(scales))
        x, s = layout.runs(centered), layout.runs(scales)
        if x.dtype not in (torch.float32, torch.float64):
            x, s = x.float(), s.float()
        points, logs = [], []
        for segment in self._segments(x.shape[-1]):
            point = straight_through(segment.lattice, x[..., segment.start : segment.stop], exact=not training)
            prior = self._prior_of(segment.lattice)
            log_p = prior.log_prob(point, s[..., segment.start : segment.stop].to(point.dtype))
            points.append(point)
            logs.append(spread(log_p, prior.group))
        y_hat = layout.latents(torch.cat(points, -1)).to(inputs.dtype)
        log_likelihood = layout.latents(torch.cat(logs, -1))
        if self.use_likelihood_bound:
            # In the log domain the gradient survives where the likelihood itself would have underflowed.
            bound = torch.log(self.likelihood_lower_bound.bound).to(log_likelihood)
            log_likelihood = LowerBoundFunction.apply(log_likelihood, bound)
        return y_hat if means is None else y_hat + means, log_likelihood.exp().to(inputs.dtype)

    def quantize(self, inputs: Tensor, mode: str, means: Tensor | None = None) -> Tensor:
        """The nearest points, with no scale to order the elements by.

        Args:
            inputs: latents [batch, channels, …].
            mode: ``noise`` and ``dequantize`` give ``Q(y - mean) + mean``, with a derivative of 1; ``symbols`` its
                integers, int32.
            means: of the same shape, or None.

        Raises:
            ValueError: for any other mode.
        """
        if mode not in ("noise", "dequantize", "symbols"):
            raise ValueError(f'Invalid quantization mode: "{mode}"')
        layout = Layout(inputs.shape, self.along)
        x = layout.runs(inputs if means is None else inputs - means)
        parts = []
        for segment in self._segments(x.shape[-1]):
            part = x[..., segment.start : segment.stop]
            if mode == "symbols":
                parts.append(segment.lattice.to_integers(nearest(segment.lattice, part.detach())).int())
            else:
                parts.append(straight_through(segment.lattice, part, exact=True))
        found = layout.latents(torch.cat(parts, -1))
        return found if means is None or mode == "symbols" else found + means

    def cheapest(self, inputs: Tensor, scales: Tensor, means: Tensor | None, weights: Tensor) -> Tensor:
        """The points of least ``weight * squared error + bits``, as they will be decoded.

        Args:
            inputs: latents [batch, channels, …].
            scales: of the same shape.
            means: likewise, or None.
            weights: bits for a unit of squared error of each latent, positive, of the same shape.

        Returns:
            Latents like the inputs, with their means. Of vectors of a lattice without a trellis they are the nearest
            points, by whatever cost.
        """
        centered = inputs if means is None else inputs - means
        found = self._search(centered, self.build_indexes(scales).long(), weights)
        return found if means is None else found + means

    def update_scale_table(self, scale_table: Sequence[float] | Tensor, force: bool = False) -> bool:
        """Takes over a table of scales, as CompressAI's models do in ``update``; True if anything changed."""
        if self._offset.numel() > 0 and not force:
            return False
        self.scale_table = self._prepare_scale_table(scale_table).to(self.scale_table.device)
        self.update()
        return True

    def update(self) -> None:
        """Follows the table of scales. There are no tables to be stored: a scale is all that the coder's depend on."""
        self._offset = torch.zeros(1, dtype=torch.int32, device=self.scale_table.device)
        self._find_levels()

    def build_indexes(self, scales: Tensor) -> Tensor:
        """The coder's level of each scale, the nearest one: int32, of the same shape."""
        return self._index(torch.maximum(scales, self.lower_bound_scale.bound)).int()

    def compress(self, inputs: Tensor, indexes: Tensor, means: Tensor | None = None) -> list[bytes]:
        """A bitstream for each image of the batch: the strings of ``encode``."""
        return self.encode(inputs, indexes, means)[0]

    def encode(self, inputs: Tensor, indexes: Tensor, means: Tensor | None = None) -> tuple[list[bytes], Tensor]:
        """A bitstream for each image of the batch, and the latents that ``decompress`` makes of them.

        Args:
            inputs: latents [batch, channels, …].
            indexes: of ``build_indexes``, of the same shape.
            means: of the same shape (or one that expands to it), or None.

        Raises:
            ValueError: if the shapes differ, or a latent is no number or too large.
        """
        if inputs.ndim < 2 or inputs.shape != indexes.shape:
            shapes = f"{list(inputs.shape)} and {list(indexes.shape)}"
            raise ValueError(f"Latents [batch, channels, …] and their indexes have one shape; got {shapes}.")
        strings, decoded = [], []
        for b in range(len(inputs)):
            encoder = Encoder()
            mean = None if means is None else means[b : b + 1]
            decoded.append(self._coder.write(encoder, inputs[b : b + 1], indexes[b : b + 1], mean))
            strings.append(encoder.getvalue())
        return strings, torch.cat(decoded)

    def decompress(
        self, strings: Sequence[bytes], indexes: Tensor, dtype: torch.dtype = torch.float, means: Tensor | None = None
    ) -> Tensor:
        """The quantized latents of bitstreams.

        Args:
            strings: of ``compress``, one for each image.
            indexes: those that it was given [batch, channels, …].
            dtype: of the result, where there are no means.
            means: those that it was given.

        Raises:
            ValueError: if there are not as many strings as images.
            CorruptStream: if a string is none of ``compress`` (a ValueError too).
        """
        if not isinstance(strings, list | tuple) or len(strings) != len(indexes):
            raise ValueError("There is a string for each image of the indexes.")
        pairs = zip(strings, indexes.split(1), strict=True)
        found = torch.cat([self._coder.read(Decoder(s), i, _dtype(means, dtype)) for s, i in pairs]).to(indexes.device)
        return found if means is None else found + means

    def serial_encoder(self) -> SerialEncoder:
        """An encoder of one position after another, for context models.

        Raises:
            ValueError: if vectors reach over several positions.
        """
        self._check_serial()
        return SerialEncoder(self._coder)

    def serial_decoder(self, stream: bytes) -> SerialDecoder:
        """The decoder of what a ``serial_encoder`` wrote."""
        self._check_serial()
        return SerialDecoder(self._coder, stream)

    def _check_serial(self) -> None:
        if self.along != "channels":
            raise ValueError(f"Only vectors along channels can be coded position by position, not along {self.along}.")

    def _layout(self, shape: torch.Size, indexes: Tensor) -> Layout:
        return Layout(shape, self.along, indexes if self.by_scale else None)

    def _segments(self, length: int) -> list[Segment]:
        return segments(self.lattice, length, self.remainder)

    def _prior_of(self, lattice: Lattice) -> ConditionalPrior:
        if lattice is self.lattice:
            return self.prior
        key = f"{lattice.name}_{lattice.dim}"
        if key not in self._others:
            self._others[key] = conditional_prior(lattice).to(self._edges.device)
        return self._others[key]  # type: ignore[return-value]

    def _find_levels(self) -> None:
        """The coder's scales, by additions and products of the table's alone: the same on every machine."""
        table = self.scale_table.double().cpu()
        parts = torch.arange(_FINER, dtype=torch.float64) / _FINER
        between = (table[:-1, None] + (table[1:] - table[:-1])[:, None] * parts).flatten()
        levels = torch.cat([between, table[-1:]])
        self._scales: np.ndarray = levels.numpy()
        self._edges = ((levels[1:] + levels[:-1]) / 2).float().to(self.scale_table.device)
        self._search = LatentSearch(self._segments, self._scales, self.along, self.by_scale)
        self._coder = LatentCoder(self._segments, self._prior_of, self._scales, self.along, self.by_scale)

    def _index(self, scales: Tensor) -> Tensor:
        return torch.bucketize(scales.detach().float().contiguous(), self._edges)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        # Tables of any size fit: those of a scalar model's checkpoint too, which may still be empty.
        if state_dict.get(f"{prefix}scale_table", torch.empty(1)).numel() == 0:
            state_dict[f"{prefix}scale_table"] = self.scale_table
        for name in ("scale_table", "_offset", "_quantized_cdf", "_cdf_length"):
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, getattr(self, name).new_empty(state_dict[f"{prefix}{name}"].shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._find_levels()


def _dtype(means: Tensor | None, dtype: torch.dtype) -> torch.dtype:
    """What points are made in: the means' dtype, as in CompressAI, or the one that was asked for."""
    return dtype if means is None else means.dtype
