"""Laws of the analysis and synthesis transforms."""

import math

import pytest
import torch

from ltc.transforms import MLP, Gain, Linear, StandardizedAnalysis, StandardizedSynthesis

NETWORKS = {
    "linear": Linear,
    "linear_deep": lambda a, b: Linear(a, b, hidden=[7, 20]),
    "linear_bias": lambda a, b: Linear(a, b, hidden=[9], bias=True),
    "mlp": MLP,
    "mlp_celu": lambda a, b: MLP(a, b, hidden=[5], activation=torch.nn.CELU),
    "mlp_no_bias": lambda a, b: MLP(a, b, bias=False),
    "mlp_shallow": lambda a, b: MLP(a, b, hidden=()),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 8), (3, 5), (16, 2), (1, 1)])
def test_shapes_and_gradients(network, inputs, outputs):
    """[..., inputs] -> [..., outputs]; every parameter takes part."""
    transform = network(inputs, outputs)
    x = torch.randn(4, 6, inputs)
    y = transform(x)
    assert y.shape == (4, 6, outputs) and y.dtype == x.dtype and bool(y.isfinite().all())
    assert transform(x[:0]).shape == (0, 6, outputs)
    (y * torch.randn_like(y)).sum().backward()
    assert all(p.grad is not None for p in transform.parameters())
    assert any(bool(p.grad.any()) for p in transform.parameters())


def test_blocks_of_a_batch_are_transformed_each_on_its_own(network):
    transform = network(6, 6)
    x = torch.randn(10, 6)
    torch.testing.assert_close(transform(x), torch.stack([transform(row) for row in x]))


@pytest.mark.parametrize("hidden", [(), (100,), (5, 100)])
@pytest.mark.parametrize(("inputs", "outputs"), [(8, 8), (3, 5), (16, 2)])
def test_linear_without_bias_is_linear(hidden, inputs, outputs):
    """f(a x + b y) = a f(x) + b f(y), and so f(0) = 0, after training too."""
    transform = Linear(inputs, outputs, hidden=hidden).double()
    with torch.no_grad():
        for parameter in transform.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    x, y = torch.randn(2, 50, inputs, dtype=torch.float64)
    found, expected = transform(2.5 * x - 0.7 * y), 2.5 * transform(x) - 0.7 * transform(y)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert float(found.detach().abs().max()) > 0


def test_linear_with_bias_is_affine():
    transform = Linear(4, 3, hidden=[6], bias=True).double()
    with torch.no_grad():
        for parameter in transform.parameters():
            parameter += torch.randn_like(parameter)
    x, y, origin = torch.randn(50, 4).double(), torch.randn(50, 4).double(), torch.zeros(4).double()
    assert bool(transform(origin).any())
    torch.testing.assert_close(transform(x + y), transform(x) + transform(y) - transform(origin))


@pytest.mark.parametrize("hidden", [(), (100,), (100, 30)])
def test_linear_starts_as_an_isometry(hidden):
    """Latents are as large as the source, and a synthesis made alike undoes the analysis or at least keeps lengths."""
    x = torch.randn(50, 8)
    torch.testing.assert_close(Linear(8, 8, hidden=hidden)(x).norm(dim=1), x.norm(dim=1))


def test_an_mlp_is_not_linear():
    transform = MLP(4, 4)
    x, y = torch.randn(20, 4), torch.randn(20, 4)
    gap = transform(x + y) - transform(x) - transform(y) + transform(torch.zeros(4))
    assert float(gap.detach().abs().max()) > 1e-4


@pytest.mark.parametrize("initial", [1.0, 0.2, 30.0])
def test_a_gain_multiplies_by_its_factor_whatever_it_learned(initial):
    gain, x = Gain(5, 5, initial), torch.randn(3, 7, 5)
    torch.testing.assert_close(gain(x), initial * x)
    with torch.no_grad():
        gain.log_gain -= 20.0
    assert bool((gain(x) * x >= 0).all()) and bool(gain(x).any())  # positive still
    assert sum(p.numel() for p in gain.parameters()) == 1


def test_a_gain_keeps_the_dimension():
    with pytest.raises(ValueError, match="keeps the dimension"):
        Gain(4, 5)


@pytest.mark.parametrize("initial", [0.0, -1.0, math.nan])
def test_a_gain_is_positive(initial):
    with pytest.raises(ValueError, match="positive"):
        Gain(4, 4, initial)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.05, 3.0), (1e4, -1e5)])
def test_standardized_transforms_do_the_same_in_any_unit(scale, shift):
    """The network sees the same numbers; latents and reconstructions are in the source's unit."""
    torch.manual_seed(0)
    analysis, synthesis = StandardizedAnalysis(MLP(6, 3), 6), StandardizedSynthesis(MLP(3, 6), 6)
    x = torch.randn(2000, 6)

    def both(x):
        for part in (analysis, synthesis):
            part.fit(torch.cov(x.T), x.mean(0))
        return analysis(x), synthesis(analysis(x))

    (y, back), (other, other_back) = both(x), both(scale * x + shift)
    torch.testing.assert_close(other, scale * y, rtol=1e-2, atol=1e-2 * scale)
    torch.testing.assert_close(other_back, scale * back + shift, rtol=1e-2, atol=1e-2 * scale)


def test_a_constant_source_is_only_shifted():
    analysis = StandardizedAnalysis(MLP(2, 2), 2)
    analysis.fit(torch.zeros(2, 2), torch.full((2,), 7.0))
    assert analysis.scale == 1 and analysis.mean.tolist() == [7.0, 7.0] and analysis(torch.ones(3, 2)).isfinite().all()


def test_blocks_of_symbols_are_standardized_symbol_by_symbol():
    covariance, mean = torch.diag(torch.tensor([1.0, 3.0])), torch.tensor([5.0, 7.0])
    analysis = StandardizedAnalysis(MLP(4, 4), 4)
    analysis.fit(covariance, mean)
    assert analysis.mean.tolist() == [5.0, 7.0, 5.0, 7.0] and float(analysis.scale) == pytest.approx(2**0.5)
    assert bool(analysis.fitted)
