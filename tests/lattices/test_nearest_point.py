"""Laws of ``Lattice.quantize`` that hold for every lattice, in both precisions."""

import itertools
import math

import pytest
import torch

from ltc import lattices
from ltc.lattices import TrellisLattice
from ltc.lattices.sphere import SphereDecoder

# Beside rounding errors of coordinates of size 10, in units where a cell has volume 1.
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture
def count(lattice):
    """As many vectors as a test can afford."""
    return 2_000 if lattice.dim >= 12 else 6_000


def squared_distance(a, b):
    return (a.double() - b.double()).square().sum(-1)


def test_unit_volume(lattice):
    assert lattice.generator.dtype == torch.float64 and lattice.generator.shape == (lattice.dim, lattice.dim)
    assert float(torch.linalg.det(lattice.generator).abs()) == pytest.approx(1, abs=1e-12)


def test_a_lattice_point_is_its_own_nearest_point(lattice, dtype, random_points, count):
    points = random_points(lattice, count).to(dtype)
    torch.testing.assert_close(lattice.quantize(points), points, rtol=0, atol=TOLERANCE[dtype])


def test_output_belongs_to_the_lattice(lattice, dtype, in_space, count):
    points = lattice.quantize(in_space(lattice, count).to(dtype)).double()
    z = points @ torch.linalg.inv(lattice.generator)
    assert float((z - z.round()).abs().max()) < 1e3 * TOLERANCE[dtype]
    # The outputs are many different points, or the rest of this file would mean little.
    assert len(torch.unique(z.round(), dim=0)) > min(count, 7**lattice.dim) / 2


def test_translation(lattice, dtype, in_space, random_points, count):
    """Q(x + p) = Q(x) + p for lattice points p."""
    x = in_space(lattice, count).to(dtype)
    p = random_points(lattice, count).to(dtype)
    assert_same_up_to_ties(x + p, lattice.quantize(x + p), lattice.quantize(x) + p, dtype)


def test_central_symmetry(lattice, dtype, in_space, count):
    """Q(-x) = -Q(x)."""
    x = in_space(lattice, count).to(dtype)
    assert_same_up_to_ties(x, -lattice.quantize(-x), lattice.quantize(x), dtype)


def assert_same_up_to_ties(x, found, expected, dtype):
    """Both are equally near to x, and they are the same points but where two are as good as equally near."""
    gap = (squared_distance(x, found) - squared_distance(x, expected)).abs()
    assert float(gap.max()) < 1e2 * TOLERANCE[dtype]
    different = squared_distance(found, expected) > 1e-3
    assert float(different.double().mean()) < (0.01 if dtype == torch.float32 else 0.001)


def test_agrees_with_the_sphere_decoder(lattice, dtype, in_space):
    x = in_space(lattice, 500 if lattice.dim == 24 else 3000).to(dtype)
    oracle = SphereDecoder(lattice.generator).quantize(x.double())
    gap = squared_distance(x, lattice.quantize(x)) - squared_distance(x, oracle)
    assert float(gap.abs().max()) < 1e2 * TOLERANCE[dtype]


def test_agrees_with_the_sphere_decoder_far_out_and_at_the_origin(lattice, generator):
    """Gaussian input of several scales: nothing depends on how the input is spread."""
    for scale in (0.1, 1.0, 30.0):
        x = scale * torch.randn(200, lattice.dim, generator=generator, dtype=torch.float64)
        oracle = SphereDecoder(lattice.generator).quantize(x)
        gap = squared_distance(x, lattice.quantize(x)) - squared_distance(x, oracle)
        assert float(gap.abs().max()) < 1e-9


@pytest.fixture(scope="session")
def neighbours(short_vectors, leech_shapes):
    """``neighbours(lattice)``: all lattice vectors out to at least twice the covering radius where that is cheap."""

    def find(lattice):
        if lattice.name == "leech":
            return leech_shapes.double() / math.sqrt(8)
        return short_vectors(lattice.generator, 4.0 if lattice.dim > 8 else 4.5 if lattice.dim > 5 else 6.0)

    return find


def test_residue_lies_in_the_voronoi_cell(lattice, dtype, in_space, neighbours):
    """x - Q(x) is not nearer to any short lattice vector than to 0."""
    x = in_space(lattice, 300 if lattice.dim >= 12 else 2000).to(dtype)
    residue = x.double() - lattice.quantize(x).double()
    vectors = neighbours(lattice)
    vectors = vectors[vectors.square().sum(1) > 1e-9]
    # The minimum vectors span, or the cell would not be bounded.
    assert int(torch.linalg.matrix_rank(vectors[:50_000])) == lattice.dim
    half = vectors.square().sum(1) / 2
    worst = max(
        float((residue @ part.T - h).max()) for part, h in zip(vectors.split(5000), half.split(5000), strict=True)
    )
    assert worst < 1e2 * TOLERANCE[dtype]
    assert worst > -0.3  # some residues are near a face: the cell is filled, not shrunk


def test_what_is_near_a_point_decodes_to_it(lattice, dtype, random_points, short_vectors, generator):
    """Inside the packing radius, half the least distance of two points, noise is removed."""
    least = 4.0 if lattice.name == "leech" else least_norm(lattice, short_vectors)
    point = random_points(lattice, 2000)
    noise = torch.randn(2000, lattice.dim, generator=generator, dtype=torch.float64)
    noise *= 0.999 * math.sqrt(least) / 2 / noise.norm(dim=1, keepdim=True)
    assert_same(lattice.quantize((point + noise).to(dtype)), point, dtype)


def least_norm(lattice, short_vectors):
    """The squared length of a shortest lattice vector."""
    bound = 1.0
    while len(vectors := short_vectors(lattice.generator, bound)) < 2:
        bound *= 1.1
    norms = vectors.square().sum(1)
    return float(norms[norms > 1e-9].min())


def assert_same(found, expected, dtype):
    torch.testing.assert_close(found.double(), expected.double(), rtol=0, atol=TOLERANCE[dtype])


# The numbers of shortest vectors (SPLAG, table 1.2 and chapter 4).
KISSING = {
    "z": lambda n: 2 * n,
    "a2": lambda n: 6,
    "an": lambda n: n * (n + 1),
    "dn": lambda n: 2 * n * (n - 1),
    "dn_dual": lambda n: {2: 4, 3: 8, 4: 24}.get(n, 2 * n),
    "e8": lambda n: 240,
    "bw16": lambda n: 4320,
    "an_dual": lambda n: {1: 2, 2: 6}.get(n, 2 * (n + 1)),
    "e6_dual": lambda n: 54,
    "e7": lambda n: 126,
    "e7_dual": lambda n: 56,
    "k12": lambda n: 756,
}
LEAST_NORM = {"e8": 2.0, "bw16": 2 * math.sqrt(2), "a2": 2 / math.sqrt(3), "z": 1.0}


def test_kissing_number(lattice, short_vectors):
    if lattice.name not in KISSING:
        pytest.skip("products have no published number, and Leech's 196,560 are counted on the trellis")
    least = least_norm(lattice, short_vectors)
    assert len(short_vectors(lattice.generator, least * (1 + 1e-9))) - 1 == KISSING[lattice.name](lattice.dim)
    assert least == pytest.approx(LEAST_NORM.get(lattice.name, least), abs=1e-9)


def test_the_shapes_of_leech_are_196560_of_its_points(leech_shapes):
    leech = lattices.get("leech")
    assert len(torch.unique(leech_shapes, dim=0)) == 196_560
    assert set(leech_shapes.square().sum(1).tolist()) == {32}
    z = (leech_shapes.double() / math.sqrt(8)) @ torch.linalg.inv(leech.generator)
    assert float((z - z.round()).abs().max()) < 1e-9


def nsm_standard_error(dim):
    """Small enough to tell the lattices of a dimension apart: E7 and E7* differ by 1e-4, A3 and A3* by 2e-4."""
    return {3: 3e-5, 4: 6e-5, 5: 3e-5, 6: 6e-5, 7: 2e-5, 8: 5e-5}.get(dim, 1e-4)


def test_normalized_second_moment_is_the_published_one(lattice, generator):
    """|x - Q(x)|^2 / n of x uniform over a fundamental cell, against ``nsm``."""
    if lattice.nsm is None:
        pytest.skip(f"no published G of {lattice.name} in {lattice.dim} dimensions")
    error = nsm_standard_error(lattice.dim)
    total, squares, count = 0.0, 0.0, 0
    chunk = 10_000 if lattice.dim >= 16 else 100_000
    while count < 2 * chunk or math.sqrt((squares / count - (total / count) ** 2) / count) > error:
        x = torch.rand(chunk, lattice.dim, generator=generator) @ lattice.generator.float()
        moment = (x - lattice.quantize(x)).square().mean(-1).double()
        total, squares, count = total + float(moment.sum()), squares + float(moment.square().sum()), count + chunk
    # Five rather than four: some twenty lattices on every run must not fail by chance. Published digits end at 1e-6.
    assert abs(total / count - lattice.nsm) < 5 * error + 1e-6
    assert lattice.nsm <= 1 / 12 + 1e-12  # no worse than the cube, whose moment any reduction mod Z^n has


def test_products_of_copies(lattice, dtype, in_space):
    """[..., m * dim] is m points, each on its own, whatever the leading shape."""
    for shape, copies in itertools.product([(), (7,), (2, 3), (0,), (4, 0)], [1, 3]):
        rows = math.prod(shape) * copies
        x = in_space(lattice, rows).to(dtype)
        found = lattice.quantize(x.reshape(*shape, copies * lattice.dim))
        assert found.shape == (*shape, copies * lattice.dim) and found.dtype == dtype and found.device == x.device
        if rows:
            one_by_one = torch.stack([lattice.quantize(row) for row in x])
            assert_same_up_to_ties(x, found.reshape(rows, lattice.dim), one_by_one, dtype)


def test_layout_in_memory_does_not_matter(lattice, dtype, in_space):
    x = in_space(lattice, 64).to(dtype)
    expected = lattice.quantize(x)
    spread = torch.full((128, lattice.dim * 2), torch.nan, dtype=dtype)
    spread[::2, ::2] = x
    for view in (x.T.contiguous().T, spread[::2, ::2]):
        assert view.shape == x.shape and (lattice.dim == 1 or not view.is_contiguous())
        assert_same_up_to_ties(x, lattice.quantize(view), expected, dtype)


def test_batch_does_not_matter(lattice, dtype, in_space):
    """A vector's nearest point is its own, whatever else is in the batch."""
    x = in_space(lattice, 1500).to(dtype)
    order = torch.randperm(1500)
    assert_same_up_to_ties(x[order], lattice.quantize(x[order]), lattice.quantize(x)[order], dtype)


def test_input_is_left_alone_and_gets_no_gradient(lattice, dtype, in_space):
    x = in_space(lattice, 32).to(dtype)
    before = x.clone()
    found = lattice.quantize(x.requires_grad_())
    assert torch.equal(x, before) and not found.requires_grad
    found += 1  # a result that shares memory with the input would change it
    assert torch.equal(x, before)


def test_a_result_shares_no_memory_with_a_lattice_point(lattice, dtype, random_points):
    points = random_points(lattice, 8).to(dtype)
    before = points.clone()
    lattice.quantize(points).add_(1)
    assert torch.equal(points, before)


@pytest.mark.parametrize("factors", [["e8", "dn4"], ["an3", "z1", "a2"], ["dn_dual3"]])
def test_a_product_of_different_lattices_is_each_on_its_own(factors, get_lattice, generator):
    parts = [get_lattice(key) for key in factors]
    product = lattices.ProductLattice(parts)
    assert product.dim == sum(p.dim for p in parts)
    x = 3 * torch.randn(500, product.dim, generator=generator)
    pieces = x.split([p.dim for p in parts], dim=1)
    expected = torch.cat([p.quantize(piece) for p, piece in zip(parts, pieces, strict=True)], dim=1)
    assert torch.equal(product.quantize(x), expected)
    if all(isinstance(p, TrellisLattice) for p in parts):
        assert torch.equal(product.to_points(product.to_integers(expected)), expected)
    else:
        assert not isinstance(product, TrellisLattice)


def test_integer_coordinates_there_and_back(lattice, in_space):
    points = lattice.quantize(in_space(lattice, 900).reshape(300, 3 * lattice.dim))
    k = lattice.to_integers(points)
    assert k.dtype == torch.int64
    if isinstance(lattice, TrellisLattice):
        assert bool(lattice.trellis.contains(k.reshape(-1, lattice.dim)).all())
    torch.testing.assert_close(lattice.to_points(k, torch.float64), points, rtol=0, atol=1e-12)
    assert lattice.to_points(k).dtype == torch.float32
