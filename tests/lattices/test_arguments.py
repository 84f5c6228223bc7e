"""What is no tensor of vectors of the right length is refused in one sentence, by lattices, priors and bottlenecks."""

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.entropy import FactorizedDensity, MixturePrior, MonteCarloPrior, NestedPrior, conditional_prior, exact_prior
from ltc.lattices import LearnedLattice, ProductLattice, TrellisLattice
from ltc.models import GVQ, DitheredBottleneck, LatticeBottleneck, ScalarBottleneck

LATTICES = {
    **{name: lambda name=name: lattices.get(name) for name in ("a2", "e8", "k12", "bw16", "leech")},
    "z": lambda: lattices.get("z", 4),
    "an": lambda: lattices.get("an", 5),
    "tcq8": lambda: lattices.get("tcq8", 16),
    "learned": lambda: LearnedLattice(3),
    "product": lambda: ProductLattice([lattices.get("e8"), lattices.get("an", 3)]),
}
PRIORS = {
    "trellis": lambda: exact_prior(lattices.get("e8"), 16),
    "code": lambda: exact_prior(lattices.get("tcq8", 16), 16),
    "triangular": lambda: exact_prior(lattices.get("an", 4), 16),
    "mixture": lambda: MixturePrior(lattices.get("e8"), 16, 2, exact_prior),
    "nested": lambda: NestedPrior(lattices.get("e8"), 16),
    "monte carlo": lambda: MonteCarloPrior(lattices.get("e8"), 16, FactorizedDensity, samples=8),
}
BOTTLENECKS = {
    "lattice": lambda: LatticeBottleneck(exact_prior(lattices.get("e8"), 16)),
    "dithered": lambda: DitheredBottleneck(exact_prior(lattices.get("e8"), 16)),
    "scalar": lambda: ScalarBottleneck(lattices.get("z"), EntropyBottleneck(16)),
    "gvq": lambda: GVQ(16, 0.5),
}


def sentence(call, *arguments):
    """With which arguments are refused."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text and text.endswith("."), text
    return text


@pytest.fixture(params=LATTICES)
def lattice(request):
    return LATTICES[request.param]()


@pytest.mark.parametrize("method", ["quantize", "to_integers", "to_points"])
def test_lattices_say_what_they_take(lattice, method):
    call, n = getattr(lattice, method), lattice.dim
    bad = [torch.zeros(3, n + 1), torch.zeros(2 * n - 1), torch.zeros(n, 1)] if n > 1 else []
    for x in (*bad, torch.tensor(1.0)):
        said = sentence(call, x)
        assert f"{lattice.name}.{method} takes" in said and str(tuple(x.shape)) in said and str(n) in said
    for x in (torch.zeros(3, n).numpy(), [0.0] * n, None):
        assert "takes a tensor, got" in sentence(call, x) and lattice.name in sentence(call, x)


def test_points_must_be_floating(lattice):
    for dtype in (torch.int64, torch.bool, torch.complex64):
        assert str(dtype) in sentence(lattice.quantize, torch.zeros(2, lattice.dim, dtype=dtype))


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no lattice 'e9'.*\be8\b"):
        lattices.get("e9")


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("e8", 7),
        ("e8", 16),
        ("a2", 3),
        ("bw16", 8),
        ("leech", 12),
        ("z", 0),
        ("z", 2.5),
        ("an", -1),
        ("dn", 1),
        ("dn_dual", 1),
    ],
)
def test_dimensions_that_a_lattice_does_not_have_are_refused(name, dim):
    with pytest.raises(ValueError, match="dimension"):
        lattices.get(name, dim)


def test_an_empty_product_is_refused():
    with pytest.raises(ValueError, match="factor"):
        ProductLattice([])


def test_costs_have_a_place_for_each_residue(lattice):
    """A kernel would read past the end of others."""
    if not isinstance(lattice, TrellisLattice):
        pytest.skip("no trellis, and no search over one")
    n, q = lattice.dim, lattice.trellis.modulus
    for shape in ((2, n, q + 1), (2, n + 1, q), (n, q), (q,), (2, 2, n, q), ()):
        assert str(shape) in sentence(lattice.cheapest, torch.zeros(shape))
    assert "numpy" in sentence(lattice.cheapest, torch.zeros(2, n, q).numpy())


@pytest.mark.parametrize("name", PRIORS)
def test_priors_say_what_they_take(name):
    prior = PRIORS[name]()
    points = torch.zeros(3, 16)
    assert prior.log_prob(points).shape == (3,)
    for x in (torch.zeros(3, 8), torch.zeros(3, 32), torch.zeros(16, 1), torch.tensor(0.0)):
        said = sentence(prior.log_prob, x)
        assert type(prior).__name__ in said and "16" in said and str(tuple(x.shape)) in said
    assert "numpy.ndarray" in sentence(prior.log_prob, points.numpy())
    assert "numpy.ndarray" in sentence(prior.log_prob, points, points.numpy())
    assert "(3, 8)" in sentence(prior.log_prob, points, torch.zeros(3, 8))


@pytest.mark.parametrize("name", ["e8", "tcq8", "an"])
def test_conditional_priors_say_what_they_take(name):
    prior = conditional_prior(lattices.get(name, {"e8": 8, "tcq8": 8, "an": 4}[name]))
    points = torch.zeros(3, 16)
    assert prior.log_prob(points, torch.ones(3, 16)).shape[0] == 3
    assert "(3, 15)" in sentence(prior.log_prob, torch.zeros(3, 15), torch.ones(3, 15))
    assert "(3, 8)" in sentence(prior.log_prob, points, torch.ones(3, 8))
    for arguments in ((points.numpy(), points), (points, points.numpy()), (points, 1.0)):
        sentence(prior.log_prob, *arguments)


@pytest.mark.parametrize("name", BOTTLENECKS)
@pytest.mark.parametrize("method", ["forward", "quantize"])
@pytest.mark.parametrize("training", [True, False])
def test_bottlenecks_say_what_they_take(name, method, training):
    call = getattr(BOTTLENECKS[name]().train(training), method)
    for x in (torch.zeros(3, 8), torch.zeros(3, 24), torch.zeros(16, 1)):
        assert str(tuple(x.shape)) in sentence(call, x)
    assert "numpy.ndarray" in sentence(call, torch.zeros(3, 16).numpy())
    assert "int64" in sentence(call, torch.zeros(3, 16, dtype=torch.int64))
    call(torch.randn(3, 16))


@pytest.mark.parametrize("name", ["e8", "an", "learned"])
def test_what_is_compiled_or_without_a_tape_is_the_same(name):
    lattice = LATTICES[name]()
    x = 2 * torch.randn(5, 2 * lattice.dim)
    expected = lattice.quantize(x)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(lattice.quantize, backend="eager")(x), expected, rtol=0, atol=0)
    with torch.inference_mode():
        torch.testing.assert_close(lattice.quantize(x), expected, rtol=0, atol=0)
    # In one piece: the checks break no graph.
    k = torch.round(x).long()
    whole = torch.compile(lattice.to_points, backend="eager", fullgraph=True)
    torch.testing.assert_close(whole(k), lattice.to_points(k))
