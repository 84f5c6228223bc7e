"""Laws of mixtures of exact priors: they are probabilities, and each component counts by its weight."""

import functools

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, MixturePrior, MonteCarloPrior, TrellisPrior, exact_prior
from ltc.entropy.densities import FactorizedDensity
from ltc.entropy.entropy_model import LOG2


@pytest.fixture
def mixture(random_family):
    """``mixture(lattice, dim, components, wide)``: random families and weights."""

    def make(lattice, dim, components=3, wide=0.5):
        prior = lambda lattice, dim: TrellisPrior(lattice, dim, random_family(GaussianMixture, dim, wide=wide))  # noqa: E731
        model = MixturePrior(lattice, dim, components, prior).double()
        for component in model.components:
            # What sets components apart may make them wider than the enumeration reaches.
            component.family.log_scale.data.clamp_(max=torch.tensor(wide).log())
        torch.nn.init.normal_(model.weight)
        return model

    return make


@pytest.mark.parametrize(("name", "dim"), [("z", 1), ("a2", 2), ("dn", 4), ("dn_dual", 3)])
@torch.no_grad()
def test_probabilities_sum_to_one(name, dim, mixture, all_points):
    lattice = lattices.get(name, dim)
    points, wide, _ = all_points(lattice)
    model = mixture(lattice, dim, wide=wide)
    assert float(model.log_prob(points).exp().sum()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["a2", "e8", "bw16", "leech"])
@torch.no_grad()
def test_it_is_the_weighted_sum_of_its_components(name, mixture, generator):
    lattice = lattices.get(name)
    model = mixture(lattice, lattice.dim)
    points = lattice.quantize(0.5 * torch.randn(30, lattice.dim, generator=generator, dtype=torch.float64))
    shares = model.weight.softmax(0)
    total = sum(w * torch.exp2(-c(points)) for w, c in zip(shares, model.components, strict=True))
    torch.testing.assert_close(model(points), -total.log2())


@torch.no_grad()
def test_a_mixture_of_one_is_its_component(mixture, generator):
    lattice = lattices.get("e8")
    model = mixture(lattice, 8, components=1)
    points = lattice.quantize(torch.randn(30, 8, generator=generator, dtype=torch.float64))
    torch.testing.assert_close(model(points), model.components[0](points))


def test_components_start_apart():
    model = MixturePrior(lattices.get("e8"), 8, 3, functools.partial(exact_prior, family=GaussianMixture))
    points = model.lattice.quantize(torch.randn(100, 8))
    rates = torch.stack([c(points).mean() for c in model.components]).detach()
    assert float((rates[1:] - rates[:-1]).abs().min()) > 0.01


def test_it_learns_a_dependence_that_no_product_has():
    """Two clusters at opposite corners of A2's plane: a product form pays a bit, a mixture does not."""
    lattice = lattices.get("a2")
    torch.manual_seed(0)

    def cluster(count):
        sign = torch.randint(0, 2, (count, 1)) * 2.0 - 1
        return lattice.quantize(4 * sign + 0.4 * torch.randn(count, 2))

    def fitted(model):
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
        for _ in range(400):
            optimizer.zero_grad()
            model(cluster(500)).mean().backward()
            optimizer.step()
        with torch.no_grad():
            return float(model(cluster(20_000)).mean())

    family = lambda dim: GaussianMixture(dim, scale=4.0)  # noqa: E731
    product = fitted(exact_prior(lattice, 2, family))
    mixed = fitted(MixturePrior(lattice, 2, 3, functools.partial(exact_prior, family=family)))
    _, counts = torch.unique(cluster(200_000), dim=0, return_counts=True)
    share = counts / counts.sum()
    entropy = float(-(share * share.log()).sum() / LOG2)
    assert product > entropy + 0.7
    assert entropy - 0.03 < mixed < entropy + 0.1


def test_estimates_are_no_components():
    estimate = lambda lattice, dim: MonteCarloPrior(lattice, dim, FactorizedDensity, samples=8)  # noqa: E731
    with pytest.raises(ValueError, match="exact"):
        MixturePrior(lattices.get("a2"), 2, 2, estimate)
    with pytest.raises(ValueError, match="at least one"):
        MixturePrior(lattices.get("a2"), 2, 0, exact_prior)
