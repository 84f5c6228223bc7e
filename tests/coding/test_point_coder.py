"""Laws of bitstreams of points: every lattice, code, mixture and dither; near and far, few and many."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc import lattices
from ltc.coding import CorruptStream, decode_points, dithered_point_model, encode_points, point_model
from ltc.coding.range_coder import LARGEST
from ltc.entropy import FactorizedDensity, LaplaceMixture, LogisticMixture, MixturePrior, MonteCarloPrior, exact_prior
from ltc.lattices import TrellisLattice

# A table of NaNs would only be warned about.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@pytest.mark.parametrize("scale", [0.005, 0.05, 5.0])
def test_points_come_back(case, scale, coded, generator, seed):
    """Where the model expects them, further out than it expects them, and very far out, in one batch."""
    one = coded(case, scale)
    count = 3 if one.patient else 40
    parts = [one.near(count, size * scale, generator, seed) for size in (1, 30)]
    one.check(np.concatenate(parts), seed)
    # The dither of a vector depends on its place: points of its own places do not matter to its lattice.
    one.check(np.concatenate([one.far(count, generator), *parts]), seed)


def test_few_points(case, coded, generator, seed):
    one = coded(case, 0.6)
    for count in (1, 2, 17):
        assert one.check(one.near(count, 0.6, generator, seed), seed)
    assert one.check(np.zeros((0, one.model.dim), dtype=np.int64), seed) == b""
    # The integers of no points are no integers.
    assert one.near(0, 0.6, generator, seed).shape == (0, one.model.dim)


def test_products_of_copies(case, coded, generator, seed):
    one = coded(case, 0.8, copies=3)
    count = 2 if one.patient else 20
    one.check(np.concatenate([one.near(count, 1.0, generator, seed), one.far(count, generator)]), seed)


@pytest.mark.parametrize("cls", [LogisticMixture, LaplaceMixture])
@pytest.mark.parametrize("case", ["e8", "an_dual", "tcq8", "mixture-e8", "dithered-e8"])
def test_other_families(case, cls, coded, generator, seed):
    one = coded(case, 0.3, cls=cls)
    one.check(np.concatenate([one.near(50, 0.5, generator, seed), one.far(50, generator)]), seed)


def test_the_furthest_points_and_one_too_far(case, coded):
    """A coordinate of 2^53 - 1, or the last multiple of the modulus before it; 2^53 is refused."""
    one = coded(case, 1.0)
    step = one.lattice.trellis.modulus if isinstance(one.lattice, TrellisLattice) else 1
    k = np.zeros((4, one.model.dim), dtype=np.int64)
    k[1, 0], k[2, -1] = (LARGEST - 1) // step * step, -((LARGEST - 1) // step * step)
    one.check(k)
    for sign in (1, -1):
        with pytest.raises(ValueError, match="so large"):
            encode_points(one.model, np.where(k == k.max(), sign * LARGEST, k))
    with pytest.raises(ValueError, match="so large"):
        encode_points(one.model, np.full_like(k, np.iinfo(np.int64).min))


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_the_length_is_the_rate(case, scale, coded, generator, seed):
    """Within a thousandth and eight bytes of the entropy model's exact rate, for points that it expects."""
    one = coded(case, scale)
    numbers = 200_000
    if one.dithered or not isinstance(one.lattice, TrellisLattice):
        # An exact rate takes tables for each vector: fewer points, so that the eight bytes count for more.
        numbers = 1200 if one.patient else 5_000
    count = numbers // one.model.dim
    k = one.near(count, scale, generator, seed)
    length = len(one.check(k, seed))
    points, dither = one.lattice.to_points(torch.from_numpy(k), torch.float64), one.dither(count, seed)
    with torch.no_grad():
        pairs = zip(points.split(500), dither.split(500), strict=True)
        bits = sum(float(one.prior(p, u if one.dithered else None).sum()) for p, u in pairs)
    assert abs(length - bits / 8) <= 8 + 0.001 * bits / 8


def test_the_dither_counts_and_its_seed_travels_apart(coded, generator):
    one = coded("dithered-e8", 0.5)
    k = one.near(50, 0.5, generator, seed=1)
    streams = {encode_points(one.model, k, seed) for seed in (1, 2, 2**63 - 1)}
    assert len(streams) == 3
    assert not np.array_equal(decode_points(one.model, 50, one.check(k, 1), 1), one.near(50, 0.5, generator, 2))


def test_the_dither_is_uniform_over_the_lattice(trellis_lattice, seed):
    """Modulo the lattice it has the second moment of the Voronoi cell, but for the grid of 64ths; and mean zero."""
    if trellis_lattice.nsm is None:
        pytest.skip("no published second moment")
    model = dithered_point_model(exact_prior(trellis_lattice, trellis_lattice.dim))
    count = 200_000 // trellis_lattice.dim
    u = trellis_lattice.to_points(torch.from_numpy(model.dither(count, seed)), torch.float64) / 64
    cell = u - trellis_lattice.quantize(u)
    square = cell.square().mean(1)
    # A grid shrinks the moment by 64^-2 of a coarser lattice's; its points on the boundary are the cell's own.
    room = 5 * float(square.std()) / count**0.5 + 1e-3
    assert abs(float(square.mean()) - trellis_lattice.nsm) < room
    assert float(cell.mean(0).abs().max()) < 6 * float(cell.std()) / count**0.5 + 0.02


def test_what_is_no_point_is_refused(case, coded, generator):
    one = coded(case, 0.7)
    if not isinstance(one.lattice, TrellisLattice):
        return  # any integers are coordinates in the basis
    k = np.concatenate([one.near(30, 0.7, generator), one.far(10, generator)])
    moved = k.copy()
    moved[:, int(torch.randint(one.model.dim, (), generator=generator))] += 1
    allowed = one.lattice.trellis.contains(torch.from_numpy(moved)).numpy()
    if allowed.all():
        assert one.lattice.name == "z"
        one.check(moved)
        return
    for bad in np.flatnonzero(~allowed)[:5]:
        batch = k.copy()
        batch[bad] = moved[bad]
        with pytest.raises(ValueError, match="no point of the lattice"):
            encode_points(one.model, batch)


def test_wrong_shapes_are_refused(fixed_coded):
    dim = fixed_coded.model.dim
    for shape in ((3, dim + 1), (3, dim - 1), (dim,), (1, 3, dim), ()):
        with pytest.raises(ValueError, match=f"{dim} coordinates"):
            encode_points(fixed_coded.model, np.zeros(shape, dtype=np.int64))


def assert_refused_or_points(one, count, stream):
    """A bitstream is an int64 array of the right shape, or CorruptStream; and what it holds are points."""
    try:
        found = decode_points(one.model, count, stream, 3)
    except CorruptStream:
        return
    assert found.dtype == np.int64 and found.shape == (count, one.model.dim)
    if isinstance(one.lattice, TrellisLattice):
        assert bool(one.lattice.trellis.contains(torch.from_numpy(found)).all())


@settings(max_examples=50)
@given(st.binary(max_size=200), st.integers(0, 9))
def test_garbage_is_points_or_refused(fixed_coded, stream, count):
    assert_refused_or_points(fixed_coded, count, stream)
    assert_refused_or_points(fixed_coded, count, stream[: len(stream) // 4 * 4])


@settings(max_examples=50)
@given(st.data(), st.integers(0, 2**32))
def test_damaged_streams_are_points_or_refused(fixed_coded, data, seed):
    """Bits flipped, bytes cut off and added; with escapes in it."""
    generator = torch.Generator().manual_seed(seed)
    k = np.concatenate([fixed_coded.near(4, 0.7, generator, 3), fixed_coded.far(4, generator)])
    stream = bytearray(encode_points(fixed_coded.model, k, 3))
    for bit in data.draw(st.lists(st.integers(0, 8 * len(stream) - 1), max_size=4)):
        stream[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(0, len(stream)))
    more = data.draw(st.binary(max_size=8))
    assert_refused_or_points(fixed_coded, 8, bytes(stream))
    assert_refused_or_points(fixed_coded, 8, bytes(stream[:cut]) + more)
    assert_refused_or_points(fixed_coded, data.draw(st.integers(0, 20)), bytes(stream))


def test_threads_of_torch_do_not_matter(fixed_coded, generator):
    k = np.concatenate([fixed_coded.near(200, 0.7, generator, 3), fixed_coded.far(5, generator)])
    remake = dithered_point_model if fixed_coded.dithered else point_model
    streams = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            model = remake(fixed_coded.prior, fixed_coded.model.weights)
            streams.append(encode_points(model, k, 3))
            np.testing.assert_array_equal(decode_points(model, len(k), streams[0], 3), k)
    finally:
        torch.set_num_threads(1)
    assert streams[0] == streams[1]


def test_the_weights_are_all_that_a_decoder_needs(case, coded, generator, seed):
    """With them a model of quite other parameters reads and writes the same bytes."""
    one, other = coded(case, 0.5), coded(case, 0.9)
    count = 2 if one.patient else 30
    k = np.concatenate([one.near(count, 0.6, generator, seed), one.far(count, generator)])
    stream = one.check(k, seed)
    remake = dithered_point_model if one.dithered else point_model
    with_weights = remake(other.prior, {name: w.copy() for name, w in one.model.weights.items()})
    assert encode_points(with_weights, k, seed) == stream
    np.testing.assert_array_equal(decode_points(with_weights, len(k), stream, seed), k)
    for name, w in one.model.weights.items():
        assert w.dtype == np.float64 and np.isfinite(w).all()
        np.testing.assert_array_equal(with_weights.weights[name], w)
    # Without them it is another code.
    assert encode_points(other.model, k, seed) != stream


def test_a_split_batch_is_the_same_points(case, coded, generator):
    """Without dither a vector means the same wherever it stands."""
    one = coded(case, 0.5)
    if one.dithered:
        return
    k = np.concatenate([one.near(9, 0.6, generator), one.far(8, generator)])
    parts = [one.check(part) for part in (k[:1], k[1:10], k[10:])]
    whole = one.check(k)
    assert sum(map(len, parts)) - 3 * 8 <= len(whole) <= sum(map(len, parts)) + 8


@pytest.mark.parametrize("case", ["e8", "leech", "tcq8", "an3*dn_dual3"])
def test_the_decoder_of_the_format_reads_points(case, coded, reference_decoder, generator):
    """A whole payload in plain Python: coordinate by coordinate all vectors, then their escapes."""
    one = coded(case, 0.5)
    k = np.concatenate([one.near(60, 0.6, generator), one.far(6, generator)])
    stream = encode_points(one.model, k)
    decoder, walk = reference_decoder(stream), one.model.walk(len(k))
    found = np.zeros_like(k)
    for i in range(one.model.dim):
        look = walk.look(i)
        tables, values = (look.step.tables.astype(np.int64) + 1).tolist(), look.step.values.tolist()
        symbols = [decoder.symbol(tables[row]) for row in look.rows]
        shift = [0] * len(k) if look.shift is None else look.shift.tolist()
        for j, (row, symbol) in enumerate(zip(look.rows, symbols, strict=True)):
            found[j, i] = decoder.integer() if symbol == look.step.symbols else values[row][symbol] - shift[j]
        assert walk.advance(i, look.rows, np.array(symbols), found[:, i]).all()
    np.testing.assert_array_equal(found, k)


def test_tables_of_a_small_lattice_are_conditional_probabilities(coded, short_vectors):
    """Against sums over all points of D4, each of the four coordinates given those before."""
    one = coded("dn4", 0.6)
    points = short_vectors(one.lattice.generator, 36.0)
    with torch.no_grad():
        p = one.prior.log_prob(points).exp().numpy()
    k = one.lattice.to_integers(points).numpy()
    assert p.sum() == pytest.approx(1, abs=1e-6)
    for prefix in itertools.product((-1, 0, 1, 2), repeat=3):
        vector = np.array([*prefix, sum(prefix) % 2])[None]
        walk = one.model.walk(1)
        for i in range(4):
            here = (k[:, :i] == vector[0, :i]).all(1)
            look = walk.look(i)
            table = look.step.tables[look.rows[0]] + 1.0
            for symbol, value in enumerate(look.step.values[look.rows[0]]):
                expected = p[here & (k[:, i] == value)].sum() / p[here].sum()
                assert table[symbol] / 2**24 == pytest.approx(expected, abs=3e-5)
            assert walk.advance(i, look.rows, look.symbols(vector[:, i]), vector[:, i]).all()


def test_models_without_a_bitstream_say_so(get_lattice):
    e8 = get_lattice("e8")
    with pytest.raises(ValueError, match="MonteCarloPrior has no bitstream"):
        point_model(MonteCarloPrior(e8, 8, FactorizedDensity))
    an3 = get_lattice("an3")
    with pytest.raises(ValueError, match="no trellis"):
        point_model(MixturePrior(an3, 3, 2, exact_prior))
    code = lattices.get("tcq4", 8)
    for prior in (exact_prior(an3, 3), exact_prior(code, 8), MixturePrior(e8, 8, 2, exact_prior)):
        with pytest.raises(ValueError, match="no bitstream with a dither"):
            dithered_point_model(prior)
