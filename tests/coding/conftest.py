"""Models of points with a bitstream: every lattice and code, mixtures, dithered; points near and far."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.coding import PointModel, decode_points, dithered_point_model, encode_points, point_model
from ltc.entropy import EntropyModel, GaussianMixture, MixturePrior, exact_prior
from ltc.lattices import TrellisLattice

_LATTICES = [name for name in lattices.names() if lattices.get(name).generator is not None]
_LATTICES += ["z3", "an5", "dn5", "e8*dn4", "an3*dn_dual3"]
_CODES = ["tcq4", "tcq8", "tcq64"]
_MIXED = ["z3", "a2", "dn4", "e8", "tcq8"]


def _lattice(key: str, get_lattice) -> lattices.Lattice:
    # Long enough for all states of the codes.
    return lattices.get(key, 20) if key.startswith("tcq") else get_lattice(key)


def _has_trellis(key: str) -> bool:
    return not key.startswith("an")


_CASES = [*_LATTICES, *_CODES, *(f"mixture-{key}" for key in _MIXED)]
_CASES += [f"dithered-{key}" for key in _LATTICES if _has_trellis(key)]


@dataclass
class Coded:
    """An entropy model and its bitstream."""

    lattice: lattices.Lattice
    prior: EntropyModel
    model: PointModel
    dithered: bool

    @property
    def patient(self) -> bool:
        """Whether a thousand of its points take seconds."""
        return self.dithered and self.lattice.name == "leech"

    def dither(self, count, seed):
        """float64 [count, dim]; zero without dither."""
        if not self.dithered:
            return torch.zeros(count, self.model.dim, dtype=torch.float64)
        return self.lattice.to_points(torch.from_numpy(self.model.dither(count, seed)), torch.float64) / 64

    def near(self, count, scale, generator, seed=0):
        """Integers [count, dim] of the nearest points of Gaussian vectors, less the dither of the seed."""
        x = scale * torch.randn(count, self.model.dim, generator=generator, dtype=torch.float64)
        return self.lattice.to_integers(self.lattice.quantize(x - self.dither(count, seed))).numpy()

    def far(self, count, generator, largest=1e15):
        """Integers [count, dim] of points of all sizes, up to ``largest``."""
        n, copies = self.lattice.dim, self.model.dim // self.lattice.dim
        shape = (count * copies, n)
        exponent = torch.rand(count * copies, 1, generator=generator, dtype=torch.float64) * np.log(largest)
        z = (torch.exp(exponent) * (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1)).long()
        if not isinstance(self.lattice, TrellisLattice):
            k = z.numpy()
        elif self.lattice.generator is not None:
            basis = self.lattice.trellis.basis()
            k = (z // int(np.abs(basis).sum(0).max())).numpy() @ basis
        else:
            k = self._path(z // 4)
        return k.reshape(count, copies * n)

    def _path(self, z):
        """Random ways through a trellis code, moved by multiples of its period."""
        bits = (z % 2).numpy()
        state, k = np.zeros(len(z), np.int64), np.empty(z.shape, np.int64)
        for i in range(z.shape[1]):
            k[:, i] = self.lattice.residue[state, bits[:, i]]
            state = self.lattice.next_state[state, bits[:, i]]
        return k + 4 * z.numpy()

    def check(self, k, seed=0):
        """Asserts that ``k`` survives, and returns its bitstream."""
        stream = encode_points(self.model, k, seed)
        found = decode_points(self.model, len(k), stream, seed)
        assert found.dtype == np.int64 and found.shape == k.shape
        np.testing.assert_array_equal(found, k)
        return stream


@torch.no_grad()
def _make(case: str, scale: float, copies: int, get_lattice, cls=GaussianMixture) -> Coded:
    kind, _, key = case.rpartition("-")
    lattice = _lattice(key, get_lattice)
    # A little different in each coordinate.
    family = functools.partial(cls, components=2, scale=scale)
    dim = copies * lattice.dim
    if kind == "mixture":
        components = 2 + dim % 2
        prior = MixturePrior(lattice, dim, components, functools.partial(exact_prior, family=family))
        prior.weight += torch.randn(components)
    else:
        prior = exact_prior(lattice, dim, family)
    for name, parameter in prior.named_parameters():
        if name.endswith(("log_scale", "mean")):
            parameter += 0.1 * torch.randn_like(parameter) * (scale if name.endswith("mean") else 1)
    dithered = kind == "dithered"
    return Coded(lattice, prior, (dithered_point_model if dithered else point_model)(prior), dithered)


@pytest.fixture(params=_CASES)
def case(request) -> str:
    """Everything that has a bitstream: lattices, codes, mixtures, with dither."""
    return request.param


@pytest.fixture(scope="session")
def coded(get_lattice):
    """``coded(case, scale, copies=1)``: an entropy model of Gaussian mixtures of that scale, and its tables."""
    return lambda case, scale, copies=1, **options: _make(case, scale, copies, get_lattice, **options)


@pytest.fixture(scope="session", params=["e8", "leech", "tcq8", "an3", "mixture-a2", "dithered-e8"])
def fixed_coded(request, coded) -> Coded:
    """One of each kind, the same for a whole test session."""
    return coded(request.param, 0.7)


@pytest.fixture(scope="session")
def reference_decoder():
    """The decoder in plain Python, a class."""
    place = Path(__file__).with_name("reference_decoder.py")
    spec = importlib.util.spec_from_file_location("ltc_reference_decoder", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ReferenceDecoder
