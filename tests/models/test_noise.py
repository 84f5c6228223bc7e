"""Training with noise: the noise has the cell's second moment, the mass around it is a density's, silence is free."""

import functools

import pytest
import torch

import ltc.lattices
from ltc.entropy import GaussianMixture, MixturePrior, NestedPrior, exact_prior
from ltc.models import Coder, LatticeBottleneck
from ltc.training import RateDistortionModule

NAMES = ["z", "a2", "e8", "leech", "an", "tcq8"]


def prior(name: str, copies: int = 1, mixture: bool = False) -> torch.nn.Module:
    lattice = ltc.lattices.get(name, {"an": 5, "tcq8": 16}.get(name))
    dim = copies * lattice.dim
    make = functools.partial(exact_prior, family=functools.partial(GaussianMixture, components=2))
    model = MixturePrior(lattice, dim, 3, make) if mixture else make(lattice, dim)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("mixture", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_mass_over_its_width_is_a_density(name: str, mixture: bool) -> None:
    model = prior(name, mixture=mixture)
    # An importance estimate of its integral, with a proposal that is wider.
    proposal = torch.distributions.Normal(torch.zeros(model.dim), 2.5)
    if model.dim > 8:
        pytest.skip("an importance estimate needs few dimensions")
    y = proposal.sample((400_000,))
    weight = (model.log_noisy_mass(y, 0.9) - proposal.log_prob(y).sum(-1)).double().exp().detach() / 0.9**model.dim
    assert abs(float(weight.mean()) - 1) < 5 * float(weight.std()) / len(y) ** 0.5


@pytest.mark.parametrize("name", NAMES)
def test_noise_has_the_second_moment_of_the_cell(name: str) -> None:
    model = prior(name, copies=2)
    y = torch.randn(20_000, model.dim)
    noisy, bits = LatticeBottleneck(model).relax(y)
    error = (noisy - y).square()
    assert float(error.mean()) == pytest.approx(model.lattice.nsm or 0.07, rel=0.02)
    assert bits.shape == (20_000,) and bool((bits > 0).all())


@pytest.mark.parametrize("name", ["z", "e8", "tcq8"])
def test_latents_that_say_nothing_cost_nothing(name: str) -> None:
    model = prior(name)
    bottleneck = LatticeBottleneck(model)
    y = torch.zeros(1000, model.dim)
    before = bottleneck.relax(y)[1].mean()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "log_scale" in parameter_name:
                parameter.fill_(-6.0)
            if parameter_name.endswith("mean"):
                parameter.zero_()
    after = bottleneck.relax(y)[1].mean()
    assert float(after.detach()) < 0.02 * model.dim < float(before.detach())


def coder(name: str) -> Coder:
    model = prior(name)
    dim = model.dim
    return Coder(torch.nn.Linear(dim, dim), LatticeBottleneck(model), torch.nn.Linear(dim, dim))


def test_gradients_are_those_of_the_noisy_cost() -> None:
    one = coder("e8").double().train()
    one.noisy = True
    x, direction = torch.randn(64, 8, dtype=torch.float64), torch.randn(8, 8, dtype=torch.float64)

    def cost() -> torch.Tensor:
        torch.manual_seed(3)
        coding = one(x)
        return coding.bits.mean() + (coding.reconstruction - x).square().mean()

    cost().backward()
    slope = float((one.analysis.weight.grad * direction).sum())
    values = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            one.analysis.weight.add_(step * direction)
            values.append(float(cost()))
            one.analysis.weight.sub_(step * direction)
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_evaluation_knows_no_noise() -> None:
    one = coder("a2").eval()
    x = torch.randn(100, 2)
    quiet = one(x)
    one.noisy = True
    torch.testing.assert_close(one(x).reconstruction, quiet.reconstruction)
    torch.testing.assert_close(one(x).bits, quiet.bits)


def test_a_code_of_fixed_rate_has_no_noise() -> None:
    model = NestedPrior(ltc.lattices.get("e8"), 8, q=4)
    with pytest.raises(ValueError, match="training with noise"):
        LatticeBottleneck(model).relax(torch.randn(3, 8))


def test_the_prior_learns_at_its_own_rate() -> None:
    module = RateDistortionModule(coder("a2"), n=2, lmbda=1.0, prior_lr=0.5, noise_steps=3)
    groups = module.configure_optimizers().param_groups
    assert [g["lr"] for g in groups] == [1e-3, 0.5]
    inside = {id(p) for p in module.coder.bottleneck.parameters()}
    assert {id(p) for p in groups[1]["params"]} == inside
    assert len(groups[0]["params"]) + len(inside) == len(list(module.parameters()))


@pytest.mark.parametrize("name", ["z", "a2", "e8", "bw16", "leech", "tcq8"])
def test_the_least_scale_makes_the_origin_certain_and_no_neighbour_absurd(name: str) -> None:
    model = prior(name)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "log_scale" in parameter_name:
                parameter.fill_(float(torch.empty(()).uniform_(-12, -3)))
            if parameter_name.endswith("mean"):
                parameter.zero_()
    assert float(model(torch.zeros(1, model.dim)).detach()) < 2e-3 * model.dim
    strayed = torch.zeros(1, model.dim)
    strayed[0, 0] = 0.8
    assert float(model(model.lattice.quantize(strayed)).detach()) < 64 * model.dim
