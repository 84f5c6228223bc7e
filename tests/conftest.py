"""What all tests share: one thread, fresh inputs that can be had again, the lattices, and the folder of real data."""

import itertools
import os
import random
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from ltc import lattices
from ltc.lattices import TrellisLattice
from tests.warm_python import WarmPython

torch.set_num_threads(1)

SEED = int(os.environ.get("LTC_TEST_SEED") or random.SystemRandom().randrange(2**31))

# Speed is never asserted: the machine may be busy.
settings.register_profile("laws", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("laws")

# Dimensions at which a family is tested; whatever is not here is tested at its default dimension.
_DIMENSIONS = {"z": [1, 3], "an": [1, 2, 3, 5, 8], "dn": [2, 3, 4, 5, 8], "dn_dual": [2, 3, 4, 5]}
_PRODUCTS = {
    "e8*dn4": [("e8", 8), ("dn", 4)],
    "a2*z1": [("a2", 2), ("z", 1)],
    "an3*dn_dual3": [("an", 3), ("dn_dual", 3)],
}


def _lattice_ids() -> list[str]:
    # Trellis codes are no lattices, and have tests of their own.
    true_lattices = [name for name in lattices.names() if lattices.get(name).generator is not None]
    single = [f"{name}{dim or ''}" for name in true_lattices for dim in _DIMENSIONS.get(name, [None])]
    return single + list(_PRODUCTS)


def _lattice_of(key: str) -> lattices.Lattice:
    if key in _PRODUCTS:
        return lattices.ProductLattice([lattices.get(*factor) for factor in _PRODUCTS[key]])
    dimensions = {f"{name}{dim}": (name, dim) for name, dims in _DIMENSIONS.items() for dim in dims}
    return lattices.get(*dimensions.get(key, (key, None)))


def pytest_configure(config):
    # Hypothesis draws from the same seed, unless it was given one of its own.
    if getattr(config.option, "hypothesis_seed", None) is None:
        from hypothesis import core

        core.global_force_seed = SEED


def pytest_report_header(config):
    return f"inputs are fresh on each run; LTC_TEST_SEED={SEED} brings these back"


@pytest.fixture(autouse=True)
def seed(request) -> int:
    """A seed of this test in this run; torch's, numpy's and Python's global generators start from it."""
    number = zlib.crc32(f"{SEED}:{request.node.nodeid}".encode())
    torch.manual_seed(number)
    np.random.seed(number)  # noqa: NPY002  (libraries under test may draw from it)
    random.seed(number)
    return number


@pytest.fixture
def generator(seed) -> torch.Generator:
    """torch's generator with the seed of this test."""
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def rng(seed) -> np.random.Generator:
    """numpy's generator with the seed of this test."""
    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def warm_python():
    """Starts Python processes whose imports have ended."""
    python = WarmPython()
    yield python
    python.stop()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; the test is skipped where it is missing."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LTC_DATA_DIR", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data: there is no folder {folder} (set LTC_DATA_DIR)")
    return folder


@pytest.fixture(scope="session")
def get_lattice():
    """``get_lattice("dn4")``: a lattice by the key that tests use, family name and dimension."""
    return _lattice_of


@pytest.fixture(scope="session", params=_lattice_ids())
def lattice(request) -> lattices.Lattice:
    """Every lattice there is, families at several dimensions, and some products."""
    return _lattice_of(request.param)


@pytest.fixture(scope="session", params=[key for key in _lattice_ids() if _lattice_of(key).dim <= 8])
def small_lattice(request) -> lattices.Lattice:
    """Every lattice of few dimensions, so few that all points that matter can be listed."""
    return _lattice_of(request.param)


@pytest.fixture(scope="session", params=[key for key in _lattice_ids() if isinstance(_lattice_of(key), TrellisLattice)])
def trellis_lattice(request) -> lattices.Lattice:
    """Every lattice that has a trellis."""
    return _lattice_of(request.param)


@pytest.fixture(scope="session")
def short_vectors():
    """``short_vectors(generator, bound)``: every lattice vector with |v|^2 <= bound, float64 [count, n].

    Fincke and Pohst's enumeration, breadth first: independent of every decoder of the project.
    """

    def enumerate_all(generator: torch.Tensor, bound: float) -> torch.Tensor:
        basis = generator.numpy()
        _, r = np.linalg.qr(basis.T)  # |z B|^2 = |R z|^2
        n = len(basis)
        z, norm = np.zeros((1, n)), np.zeros(1)
        for i in reversed(range(n)):
            rest = z[:, i + 1 :] @ r[i, i + 1 :]
            half = np.sqrt(np.maximum(bound * (1 + 1e-12) - norm, 0)) / abs(r[i, i])
            first, last = np.ceil(-rest / r[i, i] - half), np.floor(-rest / r[i, i] + half)
            counts = np.maximum(last - first + 1, 0).astype(np.int64)
            row = np.repeat(np.arange(len(z)), counts)
            value = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
            norm = norm[row] + (rest[row] + value * r[i, i]) ** 2
            z = z[row]
            z[:, i] = value
            z, norm = z[norm <= bound * (1 + 1e-12)], norm[norm <= bound * (1 + 1e-12)]
        return torch.from_numpy(z @ basis)

    return enumerate_all


@pytest.fixture(scope="session")
def leech_shapes():
    """The 196,560 shortest vectors of the Leech lattice in the order of ``golay()``, by their three shapes.

    Conway & Sloane, SPLAG, chapter 4, section 11: (+-2^8, 0^16), (-+3, +-1^23) and (+-4^2, 0^22), over sqrt(8).
    """
    from ltc.lattices.codes import codewords, golay

    words = codewords(golay())
    octads = words[words.sum(1) == 8]
    signs = np.array([s for s in itertools.product((1, -1), repeat=8) if np.prod(s) == 1])
    twos = np.zeros((len(octads), len(signs), 24), dtype=np.int64)
    for word, rows in zip(octads, twos, strict=True):
        rows[:, word == 1] = 2 * signs
    # A coordinate of (1, ..., 1) becomes -3, and then the signs on a codeword change.
    three = np.ones((24, 24), dtype=np.int64) - 4 * np.eye(24, dtype=np.int64)
    threes = (1 - 2 * words)[:, None, :] * three
    pairs = list(itertools.combinations(range(24), 2))
    fours = np.zeros((len(pairs) * 4, 24), dtype=np.int64)
    for row, ((i, j), (a, b)) in zip(
        fours, itertools.product(pairs, itertools.product((4, -4), repeat=2)), strict=True
    ):
        row[i], row[j] = a, b
    k = np.concatenate([twos.reshape(-1, 24), threes.reshape(-1, 24), fours])
    return torch.from_numpy(k)
