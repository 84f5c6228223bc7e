"""One image's latents through an entropy model: measured, written or read, by one walk that sees the same numbers.

What a network knows of its latents, and in which order they come, is its walk (``code``). It is given one of three
passes, and all that depends on decoded latents goes through them: so evaluation, encoder and decoder cannot differ.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable
from typing import Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc.coding import CorruptStream
from ltc.images.exact import ChosenGrids, Grids, KnownGrids, threads_of_synthesis
from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.networks.latent_parts import LatentParts, Latents, Select, everything
from ltc.images.networks.notes import Notes
from ltc.images.networks.raster_scan import RasterContext
from ltc.images.networks.serial import indexes_of, serial_decoder, serial_encoder

__all__ = ["Estimate", "Latents", "Pass", "Read", "Select", "Write", "everything", "no_search"]


def no_search() -> ValueError:
    """What searches say of a network whose latents are coded position by position."""
    return ValueError(
        "This network codes one position after another, which a search cannot follow: leave out the search, or take a "
        "network with a checkerboard or channel context."
    )


class Pass(abc.ABC):
    """What becomes of an image's latents.

    Args:
        grids: of all numbers that networks make of decoded latents.
    """

    def __init__(self, grids: Grids) -> None:
        self._grids = grids

    def settled(self, values: Tensor) -> Tensor:
        """Numbers of a network as they are everywhere: float64, of the same shape."""
        return self._grids.round(values)

    @abc.abstractmethod
    def told(self, value: Tensor) -> Tensor:
        """A number that the encoder tells the decoder, as that one reads it: float64 [1], a multiple of 2^-8.

        Args:
            value: the encoder's, from 0 to 255 [1]; of the decoder's only the device is looked at.
        """

    @abc.abstractmethod
    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        """Decoded latents with a learned density for each channel.

        Args:
            name: of their likelihoods: y, or z for side information.
            bottleneck: the densities.
            analysis: makes them of y.
        """

    @abc.abstractmethod
    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        """Decoded latents with Gaussians, float64.

        Args:
            conditional: CompressAI's or a lattice's.
            scales: float64 [1, channels, height, width], of a network.
            means: likewise; None for zero.
            select: the part of y that these latents are.
        """

    @abc.abstractmethod
    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        """The same in raster order, each position with Gaussians that depend on those before it.

        Args:
            conditional: as above.
            context: what positions know of those before them; nothing is decoded yet.
        """

    def _parameters(self, scales: Tensor, means: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scales (float32, as tables are found by them) and means (float64)."""
        scales = self.settled(scales.clamp(min=0.0))
        return scales.float(), torch.zeros_like(scales) if means is None else self.settled(means)

    def _parameters_at(self, at: Tensor, first: int, context: RasterContext) -> tuple[Tensor, Tensor]:
        """The same of positions with a serial context [positions, C]: two calls each, counted from ``first``."""
        found = context.gaussians(at).view(2 * len(at), -1)
        found[::2].clamp_(min=0.0)
        numbers = [first + 2 * number + i for number in at.tolist() for i in range(2)]
        found = self._grids.round_calls(found, numbers)
        scales, means = found[::2], found[1::2]
        return scales.float(), means

    def _read_positions(
        self, string: bytes, conditional: GaussianConditional, context: RasterContext, first: int
    ) -> Tensor:
        """The latents of a string, position after position, calls of numbers counted from ``first``."""
        decoder = serial_decoder(conditional, string)
        for at in torch.arange(context.count).split(1):
            scales, means = self._parameters_at(at, first, context)
            context.put(at, decoder.get(indexes_of(conditional, scales[0]), means[0])[None])
        return context.latents()


class Estimate(Pass):
    """The likelihoods of latents.

    Args:
        y: the latents of one image; in parts only with z.
        z: its hyper-latents, where they are not those that the hyper-analysis makes of y.

    Attributes:
        likelihoods: of y, and of z where there is side information: [1, count].
    """

    def __init__(self, y: Latents, z: Tensor | None = None) -> None:
        super().__init__(ChosenGrids())
        self._y, self._z, self._parts = LatentParts(y), z, dict[str, list[Tensor]]()

    @property
    def likelihoods(self) -> dict[str, Tensor]:
        return {name: torch.cat(parts, 1) for name, parts in sorted(self._parts.items())}

    def told(self, value: Tensor) -> Tensor:
        return _told(_number(value), value)

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        decoded, likelihoods = bottleneck(analysis(self._y.whole) if self._z is None else self._z)
        self._keep(name, likelihoods)
        return decoded

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        return self._estimate(conditional, self._y.next(select), *self._parameters(scales, means))

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        y, first = self._y.whole[0].flatten(1).T.double(), self._grids.reserve(2 * context.count)
        likelihoods = torch.empty_like(y)
        for at in context.fronts():
            scales, means = self._parameters_at(at, first, context)
            decoded, likelihoods[at] = conditional(y[at], scales, means=means, training=False)
            context.put(at, decoded)
        self._keep("y", likelihoods.T[None])
        return context.latents()

    def _estimate(self, conditional: Any, y: Tensor, scales: Tensor, means: Tensor) -> Tensor:
        decoded, likelihoods = conditional(y.double(), scales, means=means, training=False)
        self._keep("y", likelihoods)
        return decoded

    def _keep(self, name: str, likelihoods: Tensor) -> None:
        self._parts.setdefault(name, []).append(likelihoods.flatten(1))


class Write(Pass):
    """The strings of latents.

    Args:
        y: the latents of one image; in parts only with z.
        z: its hyper-latents, where they are not those that the hyper-analysis makes of y.
    """

    def __init__(self, y: Latents, z: Tensor | None = None) -> None:
        self._chosen = ChosenGrids()
        super().__init__(self._chosen)
        self._y, self._z, self._gaussians, self._densities = LatentParts(y), z, list[bytes](), list[bytes]()
        # Of each string of Gaussians how it is read, and what it has to be.
        self._written: list[tuple[Callable[[], Tensor], Tensor]] = []

    @property
    def strings(self) -> list[bytes]:
        """Those of Gaussians in their order, those of densities, and the notes."""
        notes = Notes(threads_of_synthesis(), self._chosen.others)
        return [*self._gaussians, *self._densities, notes.to_bytes()]

    def read_back(self) -> None:
        """Reads what was written, with the numbers that it was written with: these a decoder finds again.

        Raises:
            ValueError: if latents are others than those that were written.
        """
        for read, decoded in self._written:
            if not torch.equal(read(), decoded):
                raise ValueError("The network does not decode what it encodes: the image was not written.")

    def told(self, value: Tensor) -> Tensor:
        number = _number(value)
        self._gaussians.append(number.to_bytes(2, "little"))
        return _told(number, value)

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        latents = analysis(self._y.whole) if self._z is None else self._z
        strings = bottleneck.compress(latents)
        self._densities += strings
        return bottleneck.decompress(strings, latents.shape[2:])

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        scales, means = self._parameters(scales, means)
        indexes, y = conditional.build_indexes(scales), self._y.next(select).double()
        if isinstance(conditional, LatticeGaussianConditional):
            strings, decoded = conditional.encode(y, indexes, means)
            self._written.append((functools.partial(conditional.decompress, strings, indexes, means=means), decoded))
        else:
            strings = conditional.compress(y, indexes, means)
            decoded = conditional.decompress(strings, indexes, means=means)
        self._gaussians += strings
        return decoded

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        y, first = self._y.whole[0].flatten(1).T.double(), self._grids.reserve(2 * context.count)
        encoder = serial_encoder(conditional)
        for at in context.fronts():
            scales, means = self._parameters_at(at, first, context)
            context.put(at, encoder.place(at.tolist(), y[at], indexes_of(conditional, scales), means))
        string, decoded = encoder.finish(), context.latents()
        self._gaussians.append(string)
        self._written.append((lambda: self._read_positions(string, conditional, context.blank(), first), decoded))
        return decoded


class Read(Pass):
    """Latents of strings.

    Args:
        strings: of ``Write``.
        shape: height and width of the latents with densities.

    Attributes:
        notes: the encoder's.

    Raises:
        CorruptStream: here or in any method, if these are no strings of it.
    """

    def __init__(self, strings: list[bytes], shape: tuple[int, int]) -> None:
        *gaussians, self._density, notes = strings
        self.notes = Notes.of_bytes(notes)
        super().__init__(KnownGrids(self.notes.grids))
        self._gaussians, self._shape = iter(gaussians), shape

    def end(self) -> None:
        """Makes sure that all strings were read.

        Raises:
            CorruptStream: if there are more.
        """
        if next(self._gaussians, None) is not None:
            raise CorruptStream("the strings are not those of this network: there are too many")

    def told(self, value: Tensor) -> Tensor:
        string = self._next()
        if len(string) != 2:
            raise CorruptStream("the strings are not those of this network: a number is damaged")
        return _told(int.from_bytes(string, "little"), value)

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        return bottleneck.decompress([self._density], self._shape)

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        scales, means = self._parameters(scales, means)
        return conditional.decompress([self._next()], conditional.build_indexes(scales), means=means)

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        return self._read_positions(self._next(), conditional, context, self._grids.reserve(2 * context.count))

    def _next(self) -> bytes:
        string = next(self._gaussians, None)
        if string is None:
            raise CorruptStream("the strings are not those of this network: some are missing")
        return string


def _number(value: Tensor) -> int:
    """Of a told number, in two bytes."""
    return min(max(round(float(value) * 256), 0), 0xFFFF)


def _told(number: int, like: Tensor) -> Tensor:
    return torch.tensor([number / 256], dtype=torch.float64, device=like.device)
