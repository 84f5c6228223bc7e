"""Gradients of the exact priors: by points, by dithers and by parameters, against difference quotients."""

import math

import pytest
import torch

from ltc.entropy import exact_prior


def test_gradients_far_out_are_finite(lattice, family_class):
    prior = exact_prior(lattice, lattice.dim, family_class)
    points = lattice.quantize(torch.full((2, lattice.dim), 300.0) * torch.tensor([[0.0], [1.0]])).requires_grad_()
    prior(points).sum().backward()
    for gradient in (points.grad, *(p.grad for p in prior.parameters())):
        assert gradient is not None and bool(gradient.isfinite().all())
    # Downhill is toward the origin (away from it, log P falls).
    assert bool((points.grad[1] * points.detach()[1] >= 0).all())


def test_gradient_by_the_points_is_the_slope_of_log_f(trellis_lattice, family_class, prior_on, some_points):
    """What the straight-through estimator needs: a difference quotient of sum log f_i at the lattice point."""
    prior = prior_on(trellis_lattice, family_class, copies=2)
    points = some_points(trellis_lattice, 10, copies=2).requires_grad_()
    price = torch.randn(10).double()
    (prior(points) * price).sum().backward()
    step, width = 1e-6, trellis_lattice.steps.repeat(2)
    up, down = (prior.family.log_mass(points.detach() + side * step, width) for side in (1, -1))
    expected = -(up - down) / (2 * step) / math.log(2) * price[:, None]
    torch.testing.assert_close(points.grad, expected.detach(), rtol=1e-5, atol=1e-6)


def test_gradient_by_the_points_of_the_triangular_prior(get_lattice, family_class, prior_on, some_points, generator):
    """There it is the slope of each factor, normalization included: a difference quotient of log P itself."""
    lattice = get_lattice("an3")
    prior = prior_on(lattice, family_class, copies=2)
    points = some_points(lattice, 10, copies=2).requires_grad_()
    prior(points).sum().backward()
    step = 1e-6
    for i in range(6):
        moved = step * torch.eye(6)[i].double()
        quotient = (prior(points.detach() + moved) - prior(points.detach() - moved)) / (2 * step)
        torch.testing.assert_close(points.grad[:, i], quotient.detach(), rtol=1e-5, atol=1e-5)


def test_gradient_by_the_dither_and_points_together(get_lattice, family_class, prior_on, some_points, parallelepiped):
    """Given a dither, the slope is that of log f at point + dither."""
    lattice = get_lattice("dn4")
    prior = prior_on(lattice, family_class)
    points, u = some_points(lattice, 10).requires_grad_(), parallelepiped(lattice, 10)
    prior(points, u).sum().backward()
    step = 1e-6
    up, down = (prior.family.log_mass(points.detach() + u + side * step, lattice.steps) for side in (1, -1))
    expected = -(up - down) / (2 * step) / math.log(2)
    torch.testing.assert_close(points.grad, expected.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dithered", [False, True])
@pytest.mark.parametrize("key", ["z3", "a2", "an3", "dn4", "dn_dual3", "e8", "bw16", "a2*z1"])
def test_gradient_by_the_parameters(key, dithered, get_lattice, family_class, prior_on, some_points, parallelepiped):
    """Against difference quotients of the rate, which move Z too."""
    lattice = get_lattice(key)
    prior = prior_on(lattice, family_class, components=2)
    points = some_points(lattice, 6)
    dither = parallelepiped(lattice, 6) if dithered else None
    rate = lambda: prior(points, dither).mean()  # noqa: E731
    rate().backward()
    step = 1e-6
    for parameter in prior.parameters():
        assert parameter.dtype == torch.float64
        for _ in range(3):
            direction = torch.randn_like(parameter)
            with torch.no_grad():
                values = []
                for side in (1, -2, 1):  # up, down, and back
                    parameter += side * step * direction
                    values.append(float(rate()))
            quotient = (values[0] - values[1]) / (2 * step)
            assert float((parameter.grad * direction).sum()) == pytest.approx(quotient, rel=1e-4, abs=1e-5)
