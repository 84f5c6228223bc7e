"""Files are what docs/format.md says: a decoder written from it reads them."""

import numpy as np
import pytest

import ltc
from ltc.lattices.trellis_codes import CODES
from tests.pack.reference_unpack import reference_unpack

POLYNOMIALS = [(states, h0, h1) for states, (h0, h1, *_) in CODES.items()]


def arrays():
    rng = np.random.default_rng(5)
    normal = rng.normal(size=3000).astype(np.float32)
    holes = normal.copy()
    holes[[3, 50, 2999]] = [np.nan, np.inf, -np.inf]
    columns = (rng.normal(size=(400, 8)) * [1, 3, 9, 0.1, 1, 20, 2, 0] + [0, 5, 0, 0, 9, 0, 0, 4]).astype(np.float32)
    yield "normal", normal, {"bits": 2.0, "code": "tcq8"}
    yield "another code", normal.astype(np.float64), {"bits": 3.0}
    yield "rounding", normal, {"max_error": 0.01}
    yield "many bits", rng.normal(size=1500), {"bits": 20.0, "code": "tcq4"}
    yield "heavy tails", rng.standard_t(2, size=3000).astype(np.float32), {"bits": 2.5, "code": "tcq16"}
    yield "exceptions", holes, {"bits": 2.0, "code": "tcq8"}
    yield "columns", columns, {"bits": 2.0, "code": "tcq8"}
    loud = np.repeat(10.0 ** rng.integers(-2, 2, 60), 64) * np.repeat(rng.integers(0, 9, 60) > 0, 64)
    yield "blocks", (loud * rng.normal(size=loud.size)).astype(np.float32), {"bits": 2.0, "code": "tcq8"}
    yield "first axis first", np.asfortranarray(columns[:, :1] * np.ones(3, np.float32)), {"bits": 3.0, "code": "tcq8"}
    yield "exact", np.cumsum(rng.integers(0, 9, 500)), {"exact": True}
    yield "constant", np.full((3, 4), 2.5), {"bits": 1.0}
    yield "integers", (100 * normal).astype(np.int16), {"bits": 4.0, "code": "tcq8"}
    yield "several", {"a": normal, "b": np.arange(9)}, {"bits": 2.0, "code": "tcq8"}


@pytest.mark.parametrize(("name", "array", "goal"), list(arrays()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_decoder_written_from_the_page_reads_files(name, array, goal):
    data = ltc.pack(array, **goal)
    expected = ltc.unpack(data)
    found = reference_unpack(data, POLYNOMIALS)
    for key, value in (expected if isinstance(expected, dict) else {"": expected}).items():
        assert found[key].dtype == value.dtype and found[key].shape == value.shape
        assert found[key].tobytes(order="A") == value.tobytes(order="A")
